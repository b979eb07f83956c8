"""The page on what changed: plain Dutch, complete in itself, and never longer than somebody reads."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

from assets.edition import write_changes
from catalog import load_catalogue
from reports.changes_page import OPEN, SHOWN, VOCABULARIES, sentences, write_changes_page

CATALOGUE = load_catalogue()
SCHEMA = CATALOGUE.registry["revision"].polars_schema
LABELS = {
    name: {word: (term.label_nl, term.explanation_nl) for word, term in CATALOGUE.vocabulary[name].items()}
    for name in VOCABULARIES
} | {"breakdown": {"sex=female": ("vrouwen", "")}}
NAMES = {"income": "Inkomen", "happiness": "Geluk", "GM0153": "Enschede", "GM0141": "Almelo", "TWENTE": "Twente"}
HOSTILE = "<script>alert('1')</script> & <img src=x onerror=alert(1)>"


def row(
    table: str, key: str, column: str, old: str | None, new: str | None, kind: str = "value",
    cause: str = "source_revision",
) -> tuple[str | None, ...]:  # fmt: skip
    return ("2025-draft", "2024-1", table, key, column, old, new, kind, cause)


def figure(indicator: str, region: str, year: int) -> str:
    return f"measurement_year={year}|indicator_id={indicator}|region_code={region}|breakdown=total"


def frame(*rows: tuple[str | None, ...]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=SCHEMA, orient="row")


MIXED = frame(
    row("indicator", "indicator_id=income", "definition_nl", "Inkomen.", "Besteedbaar inkomen.", "definition",
        "catalogue_change"),
    row("indicator_value", figure("happiness", "GM0141", 2024), "value", "7.1", None, "withdrawn", "catalogue_change"),
    row("indicator_value", figure("income", "GM0141", 2023), "status", "provisional", "definitive", "status"),
    row("indicator_value", figure("income", "GM0153", 2023), "value", "31234.5", "31250.25"),
    row("indicator_value", figure("income", "GM0153", 2023), "ci_low", None, "31000.0", "interval"),
    row("indicator_value", figure("income", "TWENTE", 2025), "value", None, "33.3", "new", "new_data"),
    row("comparison", figure("income", "GM0153", 2023).replace("|breakdown", "|comparator_code=TWENTE|breakdown"),
        "verdict", "worse", "no_demonstrable_difference"),
    row("trend", figure("income", "GM0153", 2023), "estimate", "1.0", "2.0"),
)  # fmt: skip


class Page(HTMLParser):
    """What a reader sees: text, the rows of the tables, and everything a browser would fetch or run."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.rows: list[list[str]] = []
        self.tags: list[str] = []
        self.fetched: list[str] = []
        self._cell = False
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.fetched += [value or "" for name, value in attrs if name in ("src", "href", "action")]
        self._cell = tag in ("td", "th")
        if tag == "tr":
            self.rows.append([])
        elif self._cell:
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self._cell = self._cell and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if self._cell:
            self.rows[-1][-1] += data

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.texts))


def page(
    folder: Path, revision: pl.DataFrame, *, previous: str | None = "2024-1", synthetic: bool = False,
    names: dict[str, str] = NAMES, **more: object,
) -> Page:  # fmt: skip
    path = folder / "quality" / "changes.html"
    write_changes_page(
        revision, path, edition="2025-draft", previous=previous, names=names, labels=LABELS, synthetic=synthetic,
        **more,  # type: ignore[arg-type]
    )  # fmt: skip
    return Page(path)


def test_it_says_in_sentences_what_changed_and_by_what(tmp_path: Path) -> None:
    text = page(tmp_path, MIXED).text
    assert "Wat is er veranderd sinds editie 2024-1?" in text
    assert "Editie 2025-draft is cijfer voor cijfer vergeleken met editie 2024-1." in text
    assert (
        "1 indicator is anders omschreven, 1 cijfer is anders, 1 cijfer kreeg een andere status, herkomst of marge, "
        "1 cijfer is nieuw, 1 cijfer is vervallen en 1 uitspraak over een verschil is anders." in text
    )
    assert "Bijgesteld door de bron De uitgever heeft het cijfer veranderd of definitief gemaakt. 1 cijfer is" in text
    assert "Het gaat om: Geluk en Inkomen." in text


def test_changed_figures_stand_beside_each_other_with_a_decimal_comma(tmp_path: Path) -> None:
    rows = page(tmp_path, MIXED, decimals={"income": 1}).rows
    assert ["Inkomen", "Enschede", "2023", "31.234,5", "31.250,2", "bijgesteld door de bron"] in rows
    assert ["Inkomen", "Almelo", "2023", "status", "voorlopig", "definitief", "bijgesteld door de bron"] in rows
    assert ["Inkomen", "Enschede", "2023", "onderkant van de marge", "–", "31.000,0", "bijgesteld door de bron"] in rows
    assert [
        "Inkomen", "Enschede", "Twente", "2023", "aantoonbaar slechter", "geen aantoonbaar verschil",
        "bijgesteld door de bron",
    ] in rows  # fmt: skip
    assert ["Inkomen", "omschrijving", "Inkomen.", "Besteedbaar inkomen.", "andere keuze van ons"] in rows
    assert ["cijfers per meetjaar", "2025", "nieuw", "1", "nieuwe gegevens"] in rows
    assert ["bewegingen door de jaren", "2023", "cijfer veranderd", "1", "bijgesteld door de bron"] in rows


def test_verdicts_and_figures_of_another_quantity_or_of_a_part_of_the_people_say_so(tmp_path: Path) -> None:
    """Else two lines of one indicator, region and year would contradict each other."""
    since = figure("income", "GM0153", 2023) + "|quantity="
    women = figure("happiness", "GM0153", 2023).replace("breakdown=total", "breakdown=sex=female")
    several = frame(
        row("change", since + "value", "verdict", "better", "not_decidable"),
        row("change", since + "relative_to_nl", "verdict", "not_decidable", "better"),
        row("indicator_value", figure("happiness", "GM0153", 2023), "value", "7.1", "7.2"),
        row("indicator_value", women, "value", "7.0", "7.3"),
        row("indicator_value", women.replace("sex=female", "sex=x"), "status", "provisional", "definitive", "status"),
    )
    rows = page(tmp_path, several).rows
    better, open_ = "aantoonbaar beter", "niet te zeggen"
    assert ["Inkomen", "Enschede", "de nulmeting", "2023", better, open_, "bijgesteld door de bron"] in rows
    assert [
        "Inkomen, ten opzichte van Nederland", "Enschede", "de nulmeting", "2023", open_, better,
        "bijgesteld door de bron",
    ] in rows  # fmt: skip
    assert ["Geluk", "Enschede", "2023", "7,1", "7,2", "bijgesteld door de bron"] in rows
    assert ["Geluk, vrouwen", "Enschede", "2023", "7,0", "7,3", "bijgesteld door de bron"] in rows
    assert ["Geluk, sex=x", "Enschede", "2023", "status"] in [cells[:4] for cells in rows]


def test_an_edition_gives_the_words_for_a_quantity_and_a_part_of_the_people(tmp_path: Path) -> None:
    key = figure("experienced_health", "GM0153", 2025).replace("breakdown=total", "breakdown=sex=female")
    tables = {
        "revision": frame(row("change", f"{key}|quantity=relative_to_nl", "verdict", "better", "worse")),
        "edition": pl.DataFrame({"edition": ["2025-draft"], "contains_synthetic": [False]}),
        "region": pl.DataFrame({"region_code": ["GM0153"], "name": ["Enschede"]}),
    }
    workspace = SimpleNamespace(
        previous_edition="2024-1", read_of=lambda *_: pl.DataFrame({"indicator_id": ["gone"], "name_nl": ["Weg"]})
    )
    (tmp_path / "quality").mkdir()
    write_changes(tables, tmp_path, workspace)  # type: ignore[arg-type]
    name = CATALOGUE.indicator("experienced_health").name_nl
    assert Page(tmp_path / "quality" / "changes.html").rows[-1][:3] == [
        *(f"{name}, vrouwen, ten opzichte van Nederland", "Enschede", "de nulmeting"),
    ]


def test_figures_that_look_the_same_get_more_decimals(tmp_path: Path) -> None:
    small = frame(row("indicator_value", figure("income", "GM0153", 2023), "value", "60.01", "60.04"))
    rows = page(tmp_path, small, decimals={"income": 1}).rows
    assert ["Inkomen", "Enschede", "2023", "60,01", "60,04", "bijgesteld door de bron"] in rows


def test_own_regions_and_new_years_come_first(tmp_path: Path) -> None:
    several = frame(
        *(row("indicator_value", figure("income", region, year), "value", "1.0", "2.0")
          for region in ("GM0003", "GM0141", "TWENTE") for year in (2022, 2023))
    )  # fmt: skip
    shown = [
        cells[1:3] for cells in page(tmp_path, several, own_regions=["TWENTE", "GM0141"]).rows if cells[0] == "Inkomen"
    ]
    assert shown == [[region, year] for year in ("2023", "2022") for region in ("Twente", "Almelo", "GM0003")]


def test_nothing_changed_is_one_sentence(tmp_path: Path) -> None:
    empty = page(tmp_path, frame())
    assert "Er is niets veranderd: editie 2025-draft zegt in alle tabellen hetzelfde als editie 2024-1." in empty.text
    assert "table" not in empty.tags


def test_without_a_final_edition_there_is_nothing_to_compare(tmp_path: Path) -> None:
    first = page(tmp_path, frame(), previous=None)
    assert "Er is nog geen definitieve editie vóór 2025-draft." in first.text
    assert "table" not in first.tags


def test_long_lists_are_folded_and_very_long_ones_cut_with_where_the_rest_is(tmp_path: Path) -> None:
    def changed(count: int) -> pl.DataFrame:
        return frame(
            *(row("indicator_value", figure("income", f"GM{n:04}", 2023), "value", "1.0", "2.0") for n in range(count))
        )

    assert "details" not in page(tmp_path, changed(OPEN)).tags
    assert "Toon 16 regels" in page(tmp_path, changed(OPEN + 1)).text
    long = page(tmp_path, changed(1234))
    assert f"Toon {SHOWN} van de 1.234 regels" in long.text
    assert "De rest staat in de tabel revision." in long.text
    assert sum(cells[0] == "Inkomen" for cells in long.rows) == SHOWN


def test_an_invented_example_says_so_first(tmp_path: Path) -> None:
    assert "Verzonnen voorbeeld" in page(tmp_path, MIXED, synthetic=True).text
    assert "Verzonnen" not in page(tmp_path, MIXED).text


def test_the_page_fetches_and_runs_nothing_and_escapes_what_it_shows(tmp_path: Path) -> None:
    hostile = frame(row("indicator", "indicator_id=income", "definition_nl", HOSTILE, HOSTILE + "2", "definition"))
    shown = page(tmp_path, hostile, names=NAMES | {"income": HOSTILE})
    assert not {"script", "img", "link", "iframe"} & set(shown.tags)
    assert not shown.fetched
    assert "url(" not in shown.source
    assert HOSTILE in shown.text


def test_unknown_ids_are_shown_as_they_are(tmp_path: Path) -> None:
    rows = page(tmp_path, frame(row("indicator_value", figure("gone", "GM9999", 2023), "value", "1.0", None))).rows
    assert ["gone", "GM9999", "2023", "1,0", "–", "bijgesteld door de bron"] in rows


def test_every_column_of_the_registry_that_is_compared_can_be_shown(tmp_path: Path) -> None:
    tables = ("indicator", "indicator_source", "theme", "survey_item", "indicator_value", "comparison", "theme_score")
    every = frame(
        *(row(table, "|".join(f"{part}=x" for part in CATALOGUE.registry[table].key), column.name, "1", "2", "status")
          for table in tables for column in CATALOGUE.registry[table].columns)
    )  # fmt: skip
    assert page(tmp_path, every).rows


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("39.87702845100105", "39.841622760800846", "39.877 -> 39.8416"),
        ("-2.022971548998946", None, "-2.02297 -> nothing"),
        ("39.87702845100105", "39.87702845900105", "39.87702845100105 -> 39.87702845900105"),
        ("39.2", "38.9", "39.2 -> 38.9"),
        ("2022Q1", "2022Q2", "2022Q1 -> 2022Q2"),
    ],
)
def test_english_lines_round_what_nobody_reads_to_the_last_digit(old: str, new: str | None, said: str) -> None:
    """Unless only the last digits differ."""
    changed = frame(row("indicator_value", figure("income", "GM0153", 2023), "value", old, new))
    assert f"value {said} (" in sentences(changed)[0]


def test_english_lines_show_what_matters_most_first_and_count_the_causes() -> None:
    lines = sentences(MIXED, first=2)
    assert lines == [
        f"indicator_value {figure('income', 'GM0153', 2023)}: value 31234.5 -> 31250.25 (source_revision)",
        "indicator indicator_id=income: definition_nl Inkomen. -> Besteedbaar inkomen. (catalogue_change)",
        "... and 6 more lines; all of them: btg diff --all",
        "in all by catalogue_change: 1 definition, 1 withdrawn",
        "in all by new_data: 1 new",
        "in all by source_revision: 1 interval, 1 status, 3 value",
    ]
    every = sentences(MIXED, first=MIXED.height)
    assert [line.split(" ", 1)[0] for line in every[2:8]] == [
        *("comparison", "trend", "indicator_value", "indicator_value", "indicator_value", "indicator_value"),
    ]
    assert not any("--all" in line for line in every)
    assert sentences(frame()) == ["Nothing differs: every compared table says the same in both editions."]


def test_english_lines_begin_with_figures_of_own_regions_and_headline_indicators() -> None:
    several = frame(
        *(row("indicator_value", figure(indicator, region, 2023), "value", "1.0", "2.0")
          for indicator in ("aside", "income") for region in ("GM0003", "GM0141", "TWENTE"))
    )  # fmt: skip
    lines = sentences(several, own_regions=["TWENTE", "GM0141"], headline=["income"])
    assert [re.findall(r"=(\w+)\|region_code=(\w+)", line)[0] for line in lines[:6]] == [
        *(("income", "TWENTE"), ("income", "GM0141"), ("aside", "TWENTE"), ("aside", "GM0141")),
        *(("income", "GM0003"), ("aside", "GM0003")),
    ]


def test_english_lines_count_new_and_withdrawn_rows_by_table_and_indicator() -> None:
    """Thousands of rows of one indicator that went do not hide the one figure that changed."""
    gone = [
        row(table, figure("happiness", f"GM{n:04}", 2023), "value", "1.0", None, "withdrawn", "catalogue_change")
        for n in range(300) for table in ("indicator_value", "observation")
    ]  # fmt: skip
    indicator = row("indicator", "indicator_id=happiness", "definition_nl", "Geluk.", None, "withdrawn",
                    "catalogue_change")  # fmt: skip
    theme = row("theme_score", "measurement_year=2023|theme_id=x", "score", None, "1.0", "new", "new_data")
    changed = row("indicator_value", figure("income", "GM0153", 2023), "value", "1.0", "2.0")
    assert sentences(frame(theme, *gone, indicator, changed))[:-3] == [
        f"indicator_value {figure('income', 'GM0153', 2023)}: value 1.0 -> 2.0 (source_revision)",
        "indicator indicator_id=happiness: 1 withdrawn (catalogue_change)",
        "indicator_value indicator_id=happiness: 300 withdrawn (catalogue_change)",
        "observation indicator_id=happiness: 300 withdrawn (catalogue_change)",
        "theme_score: 1 new (new_data)",
    ]


def test_a_figure_that_is_suppressed_now_is_told_by_its_status_only(tmp_path: Path) -> None:
    key = figure("income", "GM0153", 2023)
    hidden = frame(
        row("indicator_value", key, "value", None, None),
        row("indicator_value", key, "n", None, None, "interval"),
        row("indicator_value", key, "status", "definitive", "suppressed", "status"),
    )
    shown = page(tmp_path, hidden)
    assert [cells for cells in shown.rows if cells[0] == "Inkomen"] == [
        ["Inkomen", "Enschede", "2023", "status", "definitief", "afgeschermd", "bijgesteld door de bron"]
    ]
    assert "1 cijfer kreeg een andere status, herkomst of marge" in shown.text
    assert sentences(hidden)[0] == f"indicator_value {key}: status definitive -> suppressed (source_revision)"
