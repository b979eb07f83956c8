"""catalog/register.yaml: a mistake is named with file, line and field."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog import CatalogueError
from catalog.register_model import FILE, load_register_layout

DOCUMENT = Path(__file__).parents[2] / "docs" / "register.md"
TEXT = FILE.read_text(encoding="utf-8")


def test_every_sheet_and_column_says_what_to_fill_in() -> None:
    layout = load_register_layout()
    assert [sheet.name for sheet in layout.sheets][:2] == ["Bureau", "Projecten"]
    for sheet in layout.sheets:
        assert len(sheet.name) <= 31
        assert sheet.help
        for column in sheet.columns:
            # What Excel shows at most when a cell is entered.
            assert 0 < len(column.help) <= 255
            assert len(column.heading) <= 32
            assert len(",".join(column.choices)) <= 255


def test_the_documentation_names_every_sheet_and_column() -> None:
    rows = [line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    for sheet in load_register_layout().sheets:
        (row,) = [row for row in rows if row.startswith(f"| {sheet.name} |")]
        named = [f"**{column.heading}**" if column.required else column.heading for column in sheet.columns]
        assert row.endswith(f"| {', '.join(named)} |")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("field: paid", "field: spent", "expected the fields, in this order: project_id, financing_source"),
        ("sheet_id: money", "sheet_id: euros", "expected, in this order: bureau, project"),
        ("heading: Betaald", "heading: toegezegd", "two columns have the same heading"),
        ("name: Geld", "name: uitleg", "two sheets have the same name"),
        ("choices: {aanname: assumption, randvoorwaarde: condition}, ", "", "a choice has choices"),
        (", targets: measured", "", "a column of results says which"),
        ("type: year, required: true, help: Het jaar van de meting", "type: year, minimum: 1, help: x", "has bounds"),
        ("template: 1\n", "template: 1\nsjabloon: 2\n", "Extra inputs"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert TEXT.count(old) == 1
    path = tmp_path / "register.yaml"
    path.write_text(TEXT.replace(old, new), encoding="utf-8")
    with pytest.raises(CatalogueError, match=words) as caught:
        load_register_layout(path)
    assert str(caught.value).startswith(f"{path}:")
