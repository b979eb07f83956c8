"""The template is what the reader reads: empty and filled, in all three formats."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from polars.testing import assert_frame_equal
from python_calamine import CalamineWorkbook

from catalog.register_model import load_register_layout
from sources.errors import ValueFault
from sources.register import Register, empty_frames, read_register
from sources.register.bundled import bundled_register
from sources.register.template import TemplateFormatError, files_of, write_template
from tests.sources.register.desk import MUNICIPALITIES, PROGRAMME, Desk

LAYOUT = load_register_layout()
FORMATS = ["register.xlsx", "register.ods", "register"]


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("bureau", ["bureau-bedrijven", "bureau-talent", "bureau-zorg"])
def test_a_filled_template_is_read_as_it_was(tmp_path: Path, name: str, bureau: str) -> None:
    example = bundled_register(bureau, PROGRAMME, MUNICIPALITIES)
    write_template(tmp_path / name, PROGRAMME, MUNICIPALITIES, example)
    read = read_register(tmp_path / name, PROGRAMME, MUNICIPALITIES)
    assert (read.bureau, read.lines, read.as_of, read.synthetic) == (bureau, example.lines, example.as_of, True)
    for sheet, frame in example.frames.items():
        assert_frame_equal(read.frames[sheet], frame)


@pytest.mark.parametrize("name", FORMATS)
def test_an_empty_template_lacks_the_name_of_its_bureau_only(tmp_path: Path, name: str) -> None:
    write_template(tmp_path / name, PROGRAMME, MUNICIPALITIES)
    with pytest.raises(ValueFault) as caught:
        read_register(tmp_path / name, PROGRAMME, MUNICIPALITIES)
    assert (caught.value.row, caught.value.column) == (2, "Bureau")


def test_a_template_of_which_only_the_first_sheet_is_filled_is_a_register(tmp_path: Path) -> None:
    write_template(tmp_path / "register", PROGRAMME, MUNICIPALITIES)
    (tmp_path / "register" / "bureau.csv").write_text(
        "Bureau;Programmalijnen;Peildatum;Verzonnen;Sjabloon\nbureau-een;2.1;2025-12-31;nee;1\n", encoding="utf-8"
    )
    read = Desk(tmp_path / "register").read()
    assert not read.synthetic
    for sheet, frame in read.frames.items():
        assert_frame_equal(frame, empty_frames()[sheet])


def test_three_decimals_stay_decimals_in_csv(tmp_path: Path, sound: Register) -> None:
    import dataclasses

    import polars as pl

    frames = sound.frames | {"money": sound.frames["money"].head(1).with_columns(forecast=pl.lit(9999999.125))}
    frames["measurement"] = sound.frames["measurement"].with_columns(standard_error=pl.lit(1.125))
    write_template(tmp_path / "register", PROGRAMME, MUNICIPALITIES, dataclasses.replace(sound, frames=frames))
    read = Desk(tmp_path / "register").read()
    assert read.frames["money"]["forecast"].item() == 9999999.125
    assert_frame_equal(read.frames["measurement"], frames["measurement"])


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The parts of an empty workbook."""
    path = tmp_path_factory.mktemp("template") / "register.xlsx"
    write_template(path, PROGRAMME, MUNICIPALITIES)
    with zipfile.ZipFile(path) as book:
        return {name: book.read(name).decode() for name in book.namelist()}


def _sheet(parts: dict[str, str], sheet_id: str) -> str:
    return parts[f"xl/worksheets/sheet{[sheet.sheet_id for sheet in LAYOUT.sheets].index(sheet_id) + 2}.xml"]


def test_words_lines_results_and_projects_can_be_chosen(parts: dict[str, str]) -> None:
    assert "<formula1>&quot;" not in parts["xl/workbook.xml"]
    assert '"gepland,in uitvoering,afgerond,gestopt"' in _sheet(parts, "project")
    assert "<formula1>Uitleg!$A$" in _sheet(parts, "project")
    assert "<formula1>Projecten!$A$2:$A$1000</formula1>" in _sheet(parts, "money")
    for sheet in LAYOUT.sheets:
        text = _sheet(parts, sheet.sheet_id)
        assert f'<dataValidations count="{len(sheet.columns)}">' in text
        assert 'state="frozen"' in text
        assert all(f'promptTitle="{column.heading}"' in text for column in sheet.columns)


def test_a_choice_of_results_holds_those_that_fit_and_no_others(tmp_path: Path, parts: dict[str, str]) -> None:
    import re

    path = tmp_path / "register.xlsx"
    write_template(path, PROGRAMME, MUNICIPALITIES)
    explanation = CalamineWorkbook.from_path(path).get_sheet_by_name("Uitleg").to_python(skip_empty_area=False)
    ranges = {
        sheet: re.findall(r"Uitleg!\$A\$(\d+):\$A\$(\d+)", _sheet(parts, sheet)) for sheet in ("result", "measurement")
    }
    found = {
        sheet: {str(row[0]) for row in explanation[int(spans[0][0]) - 1 : int(spans[0][1])]}
        for sheet, spans in ranges.items()
    }
    assert found["result"] == {t.target_id for t in PROGRAMME.targets if t.kind != "direction" or t.wanted}
    assert found["measurement"] == {"pupils_attitude", "perceived_health_65"}
    words = [str(cell) for row in explanation for cell in row]
    assert all(text in words for target in PROGRAMME.targets for text in (target.target_id, target.text_nl))
    assert all(text in words for text in [*LAYOUT.instructions, *MUNICIPALITIES.values()])


def test_a_template_has_no_macro_nor_formula(parts: dict[str, str]) -> None:
    assert not any("vba" in name.lower() for name in parts)
    assert not any("<f>" in text for text in parts.values())


def test_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TemplateFormatError, match=r"expected \.xlsx, \.ods"):
        write_template(tmp_path / "register.pdf", PROGRAMME, MUNICIPALITIES)


@pytest.mark.parametrize("name", FORMATS)
def test_what_would_be_written_is_known(tmp_path: Path, name: str) -> None:
    wanted = files_of(tmp_path / name)
    write_template(tmp_path / name, PROGRAMME, MUNICIPALITIES)
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == sorted(wanted)
