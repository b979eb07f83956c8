"""The quality page: our own, worst first, and nothing in it that a reader's browser would fetch or run."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest

from catalog import load_catalogue
from reports.quality_page import verdict, worst_first, write_quality_page

SCHEMA = load_catalogue().registry["check_result"].polars_schema
HOSTILE = "<script>alert('1')</script> & <img src=x onerror=alert(1)> \"quoted\""


def row(
    check_id: str, asset: str = "theme", partition: str = "all", severity: str = "error", *, passed: bool = True,
    message: str = "", rows_failed: int | None = 0,
) -> dict[str, object]:  # fmt: skip
    return {
        "check_id": check_id, "asset": asset, "partition": partition, "severity": severity, "passed": passed,
        "observed": None, "expected": "x", "rows_failed": rows_failed, "message": message or f"about {check_id}",
    }  # fmt: skip


def frame(*rows: dict[str, object]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=SCHEMA)


MIXED = frame(
    row("fine", "region"),
    row("look_2023", "indicator_value", "2023", "warning", passed=False, rows_failed=3),
    row("wrong", "theme", passed=False, rows_failed=1, message="theme: row btg_income is wrong"),
    row("also_fine", "indicator_value", "2022"),
    row("look_2022", "indicator_value", "2022", "warning", passed=False, rows_failed=2),
    row("wrong", "change", "2024", passed=False, rows_failed=None),
)


class Page(HTMLParser):
    """What a browser would see: tags with their attributes, rows of tables, and all text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self.text = ""
        self._in_cell = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        if tag == "td":
            self.rows[-1].append("")
        self._in_cell = tag == "td" or (self._in_cell and tag != "th")

    def handle_endtag(self, tag: str) -> None:
        self._in_cell = self._in_cell and tag != "td"

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._in_cell:
            self.rows[-1][-1] += data


def page_of(checks: pl.DataFrame, folder: Path, *, synthetic: bool = False) -> tuple[str, Page]:
    write_quality_page(checks, folder / "deep" / "quality.html", synthetic=synthetic)
    text = (folder / "deep" / "quality.html").read_text(encoding="utf-8")
    return text, Page(text)


@pytest.mark.parametrize(
    ("failed", "warned", "said"),
    [
        (0, 0, "Passed"),
        (0, 1, "Passed, with 1 point for attention"),
        (0, 4, "Passed, with 4 points for attention"),
        (1, 0, "Stopped: 1 check failed"),
        (2, 5, "Stopped: 2 checks failed"),
    ],
)
def test_the_verdict_in_a_few_words(failed: int, warned: int, said: str) -> None:
    assert verdict(failed, warned) == said


def test_worst_first() -> None:
    order = worst_first(MIXED).select("asset", "check_id").rows()
    assert order == [
        ("change", "wrong"),
        ("theme", "wrong"),
        ("indicator_value", "look_2022"),
        ("indicator_value", "look_2023"),
        ("indicator_value", "also_fine"),
        ("region", "fine"),
    ]
    assert worst_first(MIXED.reverse()).rows() == worst_first(MIXED).rows()


def test_the_page_begins_with_the_verdict_and_what_is_wrong(tmp_path: Path) -> None:
    text, page = page_of(MIXED, tmp_path)
    assert "<title>Data quality - Stopped: 2 checks failed</title>" in text
    assert "2 checks passed, 2 ask for attention, 2 failed" in page.text
    cells = [cells for cells in page.rows if cells]
    assert [(c[0], c[1], c[2], c[3]) for c in cells[:4]] == [
        ("failed", "change", "2024", "wrong"),
        ("failed", "theme", "all", "wrong"),
        ("attention", "indicator_value", "2022", "look_2022"),
        ("attention", "indicator_value", "2023", "look_2023"),
    ]
    assert cells[1][4] == "theme: row btg_income is wrong"
    assert [c[5] for c in cells[:4]] == ["", "1", "2", "3"]


def test_every_check_is_on_the_page(tmp_path: Path) -> None:
    _, page = page_of(MIXED, tmp_path)
    cells = [cells for cells in page.rows if cells]
    assert len(cells) == 4 + MIXED.height  # what needs attention, then all of them by table
    assert "indicator_value: 3 checks" in page.text


def test_a_page_without_faults_says_so(tmp_path: Path) -> None:
    text, page = page_of(frame(row("fine")), tmp_path)
    assert "<title>Data quality - Passed</title>" in text
    assert "What needs attention" not in page.text


def test_the_page_is_renewed_not_added_to(tmp_path: Path) -> None:
    page_of(MIXED, tmp_path)
    _, page = page_of(frame(row("fine")), tmp_path)
    assert "Stopped" not in page.text


def test_a_page_about_made_up_figures_says_so_before_anything_else(tmp_path: Path) -> None:
    text, page = page_of(frame(row("fine")), tmp_path, synthetic=True)
    assert "<title>Invented example - Data quality - Passed</title>" in text
    assert page.text.index("Invented example (verzonnen voorbeeld)") < page.text.index("checks passed")
    assert_self_contained(text)
    text, page = page_of(frame(row("fine")), tmp_path, synthetic=False)
    assert "invented" not in text.lower()
    assert "verzonnen" not in text.lower()


def test_what_stands_in_the_data_is_text_and_never_markup(tmp_path: Path) -> None:
    text, page = page_of(frame(row(HOSTILE, HOSTILE, HOSTILE, passed=False, message=HOSTILE)), tmp_path)
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "img", "a", "link", "iframe", "object", "embed"})
    assert "<script" not in text
    cells = [cells for cells in page.rows if cells]
    assert cells[0][4] == HOSTILE


def assert_self_contained(text: str) -> None:
    page = Page(text)
    assert "http" not in text.lower()
    assert not re.search(r"url\(|@import|//", text)
    for tag, attributes in page.tags:
        assert not {"src", "href", "srcset", "action", "data", "style"} & set(attributes), tag
        assert not [name for name in attributes if name.startswith("on")], tag
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "link", "iframe", "img", "form", "object"})


def test_the_page_has_no_address_and_no_script(tmp_path: Path) -> None:
    assert_self_contained(page_of(MIXED, tmp_path)[0])


def test_the_page_of_the_edition_has_no_address_and_no_script(edition: Path) -> None:
    text = (edition / "editions" / "2025-draft" / "quality" / "index.html").read_text(encoding="utf-8")
    assert_self_contained(text)
    assert "Passed" in text


def test_the_page_can_be_read_by_a_screen_reader(tmp_path: Path) -> None:
    text, page = page_of(MIXED, tmp_path)
    assert '<html lang="en">' in text
    assert '<meta name="viewport"' in text
    headings = [tag for tag, _ in page.tags if tag in ("h1", "h2")]
    assert headings[0] == "h1"
    assert headings.count("h1") == 1
    scopes = [attributes.get("scope") for tag, attributes in page.tags if tag == "th"]
    assert scopes
    assert set(scopes) == {"col"}
    # The result is a word, not only a colour.
    assert {cells[0] for cells in page.rows if cells} == {"failed", "attention", "passed"}
