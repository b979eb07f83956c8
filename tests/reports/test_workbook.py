"""The spreadsheet pack: both files hold what the database holds; nothing in them is merged, computed or coloured."""

from __future__ import annotations

import os
import re
import time
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import odfdo
import polars as pl
import pytest
from lxml import etree
from python_calamine import CalamineWorkbook

from catalog import Catalogue, load_catalogue
from catalog.frames import indicator_sources, indicators
from reports.workbook import write_workbooks
from reports.workbook.codes import OF_STATUS
from reports.workbook.excerpts import EXCERPTS, MAIN_METHOD

FILES = ("btg.xlsx", "btg.ods")
ABOVE = 3  # rows before the header
CODES = ("[c]", "[p]", "[e]", "[z]", "[x]")
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
ODF = "{urn:oasis:names:tc:opendocument:xmlns:%s:1.0}"
BUILT_IN = {"0": "General", "1": "0", "3": "#,##0", "4": "#,##0.00"}
TABLE, STYLE, NUMBER = ODF % "table", ODF % "style", ODF % "datastyle"

# Needs seventeen digits, one more than XlsxWriter writes of itself.
LONG = 36.199999999999996
LONG_NAME = "Gemeente met een naam van zestig tekens, om breedte te meten"
HOSTILE = {"GM0141": "=1+1", "GM0147": "@x", "GM0153": "-2", "GM0158": '+cmd|" /C calc"!A0', "GM0163": LONG_NAME,
           "GM0164": "<r><t>a</t></r>", "GM0168": "a  b & <c>\nd\x01"}  # fmt: skip
STATUSES = {
    "GM0141": ("definitive", LONG), "GM0147": ("provisional", 36.25), "GM0153": ("estimated", -0.1),
    "GM0158": ("suppressed", None), "GM0163": ("not_applicable", None), "GM0164": ("not_measured", None),
    "GM0168": ("not_published", None), "GM0173": ("not_retrieved", None), "NL01": ("provisional", 1234567.5),
    "TWENTE": ("definitive", 1e-7),
}  # fmt: skip
INCOME, HEALTH = "income_standardised_mean", "perceived_health_good"

Rows = list[dict[str, Any]]
Book = dict[str, list[list[Any]]]


def _value(code: str, status: str, value: float | None, **more: Any) -> dict[str, Any]:
    return {"measurement_year": 2025, "indicator_id": INCOME, "region_code": code, "breakdown": "total", "value": value,
            "status": status, "warnings": [], "source_table": None if value is None else "CBS 1"} | more  # fmt: skip


def _change(code: str, quantity: str, value: float | None, baseline: float | None) -> dict[str, Any]:
    return {"measurement_year": 2025, "baseline_year": 2022, "indicator_id": INCOME, "region_code": code,
            "breakdown": "total", "quantity": quantity, "value": value, "baseline_value": baseline,
            "verdict": "better", "basis": "register", "warnings": ["nominal_prices", "no_margin"]}  # fmt: skip


def _comparison(code: str, other: str, value: float | None, other_value: float | None, **more: Any) -> dict[str, Any]:
    return {"measurement_year": 2025, "indicator_id": INCOME, "region_code": code, "comparator_code": other,
            "breakdown": "total", "value": value, "comparator_value": other_value, "verdict": "not_decidable",
            "basis": "none", "warnings": []} | more  # fmt: skip


def _score(code: str, score: float | None, status: str, **more: Any) -> dict[str, Any]:
    return {"measurement_year": 2025, "framework": "cbs", "theme_id": "cbs_overall", "region_code": code,
            "method": MAIN_METHOD, "score": score, "coverage": 1.0, "status": status, "method_version": "1",
            "warnings": []} | more  # fmt: skip


HAND_MADE: dict[str, Rows] = {
    "edition": [{"edition": "2025-draft", "measurement_year": 2025, "created_at": "2026-02-03T04:05:06+00:00",
                 "code_version": "1", "catalog_sha256": "a", "lock_sha256": "b", "input_sha256": "c",
                 "contains_synthetic": False}],
    "region": [*({"region_code": code, "name": name, "kind": "municipality", "parent_code": "TWENTE",
                  "population": 70000} for code, name in HOSTILE.items()),
               {"region_code": "GM0173", "name": "Oldenzaal", "kind": "municipality"},
               {"region_code": "GM0150", "name": "Deventer", "kind": "municipality"},
               {"region_code": "TWENTE", "name": "Twente", "kind": "region"},
               {"region_code": "NL01", "name": "Nederland", "kind": "country", "geometry_wkb": b"\x01"}],
    "indicator_value": [
        *(_value(code, status, value) for code, (status, value) in STATUSES.items()),
        _value("GM0141", "provisional", 30.5, measurement_year=2022),
        _value("GM0147", "suppressed", None, measurement_year=2022),
        _value("NL01", "definitive", 31.5, measurement_year=2022),
        _value("GM0141", "definitive", 70.0, indicator_id=HEALTH, source_table="GGD 1", ci_low=68.25, n=120),
        _value("GM0150", "definitive", 1.0),
        _value("GM0141", "definitive", 2.0, breakdown="sex=female"),
    ],
    "comparison": [
        _comparison("GM0141", "NL01", LONG, 1234567.5, difference=-1.0, basis="register", verdict="worse"),
        _comparison("GM0158", "NL01", None, 1234567.5),
        _comparison("GM0141", "TWENTE", LONG, 1e-7, p_value_adjusted=0.01, basis="interval", verdict="better"),
        _comparison("GM0147", "RURAL", 36.25, None),
        _comparison("GM0141", "PEERS_GM0141", LONG, 1.0),
        _comparison("GM0141", "NL01", 1.0, 2.0, measurement_year=2024),
    ],
    "change": [_change("GM0141", "value", LONG, 30.5), _change("GM0141", "relative_to_nl", 1.5, 2.5),
               _change("GM0147", "value", 36.25, None), _change("GM0158", "relative_to_nl", None, None),
               _change("GM0153", "relative_to_nl", -5.0, None)],
    "theme_score": [
        _score("GM0141", 0.5, "estimated", rank=1, rank_low=1, rank_high=3, rank_of=14),
        _score("GM0147", None, "not_retrieved"), _score("TWENTE", 0.25, "provisional"),
        _score("GM0141", 0.75, "definitive", method="z_score_arithmetic"),
    ],
    "sensitivity": [{"measurement_year": 2025, "framework": "cbs", "theme_id": "cbs_overall", "region_code": "GM0141",
                     "among": "region", "score": 0.5, "rank": 1, "rank_low": 1, "rank_high": 3, "rank_median": 1.5,
                     "rank_of": 14, "draws": 16384, "warnings": ["no_margin"]}],
    "source": [{"source_id": "cbs", "source_table": "CBS 1", "publisher": "CBS", "title": "=HYPERLINK(1)",
                "licence": "CC BY 4.0", "url": "https://cbs.example/1", "rows": 3}],
    "survey_wave": [], "revision": [], "erratum": [], "correction": [], "claim": [],
}  # fmt: skip


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.fixture(scope="module")
def tables(catalogue: Catalogue) -> dict[str, pl.DataFrame]:
    registry = catalogue.registry
    made = {
        name: registry[name].conform(pl.DataFrame(rows, registry[name].polars_schema))
        for name, rows in HAND_MADE.items()
    }
    kinds = [(INCOME, "CBS 1", "register"), (HEALTH, "GGD 1", "sample")]
    sources = pl.DataFrame(kinds, schema=["indicator_id", "source_table", "kind"], orient="row")
    whole = indicators(catalogue)
    return made | {
        "indicator": registry["indicator"].conform(whole),
        "indicator_source": pl.concat([indicator_sources(catalogue), sources], how="diagonal_relaxed"),
    }


@pytest.fixture(scope="module")
def folder(tables: dict[str, pl.DataFrame], catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("workbook")
    assert write_workbooks(tables, catalogue, made) == [made / name for name in FILES]
    return made


@pytest.fixture(scope="module", params=FILES)
def read(request: pytest.FixtureRequest, folder: Path) -> Book:
    return _read(folder / request.param)


def _read(path: Path) -> Book:
    book = CalamineWorkbook.from_path(path)
    return {name: book.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in book.sheet_names}


def _rows(sheet: list[list[Any]]) -> Rows:
    return [dict(zip(sheet[ABOVE], row, strict=True)) for row in sheet[ABOVE + 1 :]]


def _row(book: Book, sheet: str, **wanted: Any) -> dict[str, Any]:
    (found,) = [row for row in _rows(book[sheet]) if all(row[name] == value for name, value in wanted.items())]
    return found


# --- codes


def test_every_status_has_its_code(catalogue: Catalogue) -> None:
    assert set(OF_STATUS) == set(catalogue.vocabulary["status"])
    assert {code for code in OF_STATUS.values() if code} == set(CODES)


@pytest.mark.parametrize(
    ("region", "cell", "code"),
    [
        ("GM0141", LONG, ""), ("GM0147", 36.25, "[p]"), ("GM0153", -0.1, "[e]"), ("GM0158", "[c]", "[c]"),
        ("GM0163", "[z]", "[z]"), ("GM0164", "[x]", "[x]"), ("GM0168", "[x]", "[x]"), ("GM0173", "[x]", "[x]"),
        ("NL01", 1234567.5, "[p]"), ("TWENTE", 1e-7, ""),
    ],
)  # fmt: skip
def test_a_figure_has_its_code_beside_it_or_in_its_place(read: Book, region: str, cell: Any, code: str) -> None:
    row = _row(read, "cijfers", region_code=region, measurement_year=2025, indicator_id=INCOME)
    assert (row["value"], row["value_code"], row["status"]) == (cell, code, STATUSES[region][0])


def test_a_margin_that_is_not_there_does_not_exist_or_is_not_known(read: Book) -> None:
    register = _row(read, "cijfers", region_code="GM0141", measurement_year=2025, indicator_id=INCOME)
    sample = _row(read, "cijfers", region_code="GM0141", indicator_id=HEALTH)
    hidden = _row(read, "cijfers", region_code="GM0158", measurement_year=2025)
    assert [register[name] for name in ("ci_low", "ci_high", "n")] == ["[z]"] * 3
    assert [sample[name] for name in ("ci_low", "ci_high", "n")] == [68.25, "[x]", 120]
    assert [hidden[name] for name in ("ci_low", "ci_high", "n", "reference_period")] == ["[c]"] * 4


def test_both_sides_of_a_difference_have_their_code(read: Book) -> None:
    cells = ("value", "value_code", "comparator_value", "comparator_value_code", "difference", "p_value_adjusted")
    found = {
        (row["region_code"], row["comparator_code"]): [row[name] for name in cells]
        for row in _rows(read["vergelijking"])
    }
    assert found == {
        ("GM0141", "NL01"): [LONG, "", 1234567.5, "[p]", -1, "[z]"],
        ("GM0158", "NL01"): ["[c]", "[c]", 1234567.5, "[p]", "[c]", "[c]"],
        ("GM0141", "TWENTE"): [LONG, "", 1e-7, "", "[x]", 0.01],
        ("GM0147", "RURAL"): [36.25, "[p]", "[x]", "[x]", "[x]", "[x]"],
    }


def test_a_figure_relative_to_the_country_has_the_code_of_both(read: Book) -> None:
    cells = ("value", "value_code", "baseline_value", "baseline_value_code", "baseline_reference_period", "unit_nl")
    found = {(row["region_code"], row["quantity"]): [row[name] for name in cells] for row in _rows(read["verandering"])}
    unit = _row(read, "verandering", region_code="GM0141", quantity="value")["unit_nl"]
    assert found == {
        ("GM0141", "value"): [LONG, "", 30.5, "[p]", "[x]", unit],
        ("GM0141", "relative_to_nl"): [1.5, "[p]", 2.5, "[p]", "[x]", "procent"],
        ("GM0147", "value"): [36.25, "[p]", "[c]", "[c]", "[c]", unit],
        ("GM0158", "relative_to_nl"): ["[c]", "[c]", "[x]", "[x]", "[x]", "procent"],
        ("GM0153", "relative_to_nl"): [-5, "[e]", "[x]", "[x]", "[x]", "procent"],
    }
    assert unit != "procent"
    assert _rows(read["verandering"])[0]["warnings"] == "nominal_prices;no_margin"
    assert _rows(read["verandering"])[0]["verdict_nl"] == "aantoonbaar verbeterd"


def test_scores_and_ranks(read: Book) -> None:
    cells = ("score", "score_code", "rank", "ci_low", "theme_name")
    found = {row["region_code"]: [row[name] for name in cells] for row in _rows(read["themascores"])}
    overall = "totaalscore brede welvaart volgens officiële cijfers"
    assert found == {
        "GM0141": [0.5, "[e]", 1, "[x]", overall],
        "GM0147": ["[x]", "[x]", "[x]", "[x]", overall],
        "TWENTE": [0.25, "[p]", "[z]", "[x]", overall],
    }
    (rank,) = _rows(read["rangorde"])
    assert [rank[name] for name in ("score_code", "rank_low", "rank_high", "sampling_rank_low")] == ["[e]", 1, 3, "[x]"]


def test_the_default_method_is_the_one_that_the_vocabulary_calls_so(catalogue: Catalogue) -> None:
    assert catalogue.vocabulary["score_method"][MAIN_METHOD].label_en == "default"


def test_an_unknown_status_is_refused(tables: dict[str, pl.DataFrame], catalogue: Catalogue, tmp_path: Path) -> None:
    wrong = tables["indicator_value"].with_columns(status=pl.lit("perhaps"))
    with pytest.raises(pl.exceptions.InvalidOperationError, match="incomplete mapping"):
        write_workbooks(tables | {"indicator_value": wrong}, catalogue, tmp_path)


# --- text


def test_text_that_looks_like_a_formula_stays_text(read: Book, folder: Path) -> None:
    names = {row["region_code"]: row["name"] for row in _rows(read["gebieden"])}
    kept = {code: HOSTILE[code] for code in ("GM0141", "GM0147", "GM0153", "GM0158", "GM0163")}
    assert kept.items() <= names.items()
    # A space before what XlsxWriter would copy as markup; a control character cannot be written in XML.
    assert names["GM0164"] == f" {HOSTILE['GM0164']}"
    assert names["GM0168"] == "a  b & <c>\nd\ufffd"
    (content,) = _parts(folder / "btg.ods", "content.xml")
    # Programs show spaces side by side as one, unless they are elements.
    assert len(list(content.iter(f"{ODF % 'text'}s"))) >= 3
    assert [row["title"] for row in _rows(read["bronnen"])] == ["=HYPERLINK(1)"]


def test_text_that_looks_like_a_formula_is_none_after_editing_its_cell(read: Book, folder: Path) -> None:
    (styles,) = _parts(folder / "btg.xlsx", "xl/styles.xml")
    quoted = [place for place, form in enumerate(styles.find(f"{MAIN}cellXfs")) if form.get("quotePrefix") == "1"]
    (sheet,) = _parts(folder / "btg.xlsx", f"xl/worksheets/sheet{list(read).index('gebieden') + 1}.xml")
    assert [cell.get("r") for cell in sheet.iter(f"{MAIN}c") if int(cell.get("s") or 0) in quoted] == [
        "B5", "B6", "B7", "B8",
    ]  # fmt: skip


def test_no_cell_has_a_formula_and_none_is_merged(folder: Path) -> None:
    for sheet in _parts(folder / "btg.xlsx", "xl/worksheets/sheet"):
        assert sheet.find(f".//{MAIN}f") is None
        assert sheet.find(f".//{MAIN}mergeCell") is None
    (content,) = _parts(folder / "btg.ods", "content.xml")
    attributes = {name for element in content.iter() for name in element.attrib}
    assert not {name for name in attributes if "formula" in name or "spanned" in name or "repeated" in name}


def test_text_too_long_for_a_cell_stops_the_writing(
    tables: dict[str, pl.DataFrame], catalogue: Catalogue, tmp_path: Path
) -> None:
    long = tables["source"].with_columns(title=pl.lit("a" * 32_768))
    with pytest.raises(ValueError, match="sheet bronnen, row 5, column title"):
        write_workbooks(tables | {"source": long}, catalogue, tmp_path)


# --- layout


def _parts(path: Path, beginning: str) -> Iterator[etree._Element]:
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.startswith(beginning):
                yield etree.fromstring(archive.read(name))


def check_layout(book: Book) -> None:
    """One table a sheet: a title, two lines that say which rows, one header row, and no row or header empty."""
    for name, sheet in book.items():
        assert re.fullmatch(r"[a-z]{1,31}", name)
        above, header, rows = sheet[:ABOVE], sheet[ABOVE], sheet[ABOVE + 1 :]
        assert all(row[0] and not any(row[1:]) for row in above), name
        assert all(isinstance(text, str) and text for text in header), name
        assert len(set(header)) == len(header), name
        assert rows, name
        for column, cells in zip(header, zip(*rows, strict=True), strict=True):
            assert column.endswith("_code") or column == "warnings" or "" not in cells, (name, column)


def test_every_sheet_is_one_table_with_one_header(read: Book) -> None:
    check_layout(read)
    assert list(read)[:4] == ["voorblad", "inhoud", "toelichting", "cijfers"]
    title = "Cijfers per indicator, gebied en meetjaar / Figures by indicator, region and measurement year"
    assert read["cijfers"][0][0] == f"{title} (indicator_value)"
    assert "breakdown = total" in read["cijfers"][1][0]
    assert "PEERS_GM0141" not in {row["comparator_code"] for row in _rows(read["vergelijking"])}
    assert "GM0150" not in {row["region_code"] for row in _rows(read["cijfers"])}
    assert not {"geometry_wkb", "breakdown"} & {cell for sheet in read.values() for cell in sheet[ABOVE]}


def test_headers_are_marked_repeated_and_kept_in_view(read: Book, folder: Path) -> None:
    tables = list(_parts(folder / "btg.xlsx", "xl/tables/"))
    assert len(tables) == len(read)
    assert {table.get("ref").split(":")[0] for table in tables} == {f"A{ABOVE + 1}"}
    assert all(table.find(f"{MAIN}tableStyleInfo").get("name") is None for table in tables)
    (workbook,) = _parts(folder / "btg.xlsx", "xl/workbook.xml")
    titles = [name for name in workbook.iter(f"{MAIN}definedName") if name.get("name") == "_xlnm.Print_Titles"]
    assert [name.text for name in titles] == [f"{sheet}!$4:$4" for sheet in sorted(read)]
    for sheet in _parts(folder / "btg.xlsx", "xl/worksheets/sheet"):
        setup = sheet.find(f"{MAIN}pageSetup")
        pane = sheet.find(f".//{MAIN}pane")
        assert (setup.get("paperSize"), setup.get("orientation"), setup.get("fitToHeight")) == ("9", "landscape", "0")
        assert (pane.get("ySplit"), pane.get("state")) == ("4", "frozen")
    (content,) = _parts(folder / "btg.ods", "content.xml")
    assert len(list(content.iter(f"{TABLE}table-header-rows"))) == len(read)
    ranges = [area.get(f"{TABLE}target-range-address") for area in content.iter(f"{TABLE}database-range")]
    assert ranges[3] == f"cijfers.A4:cijfers.Q{len(read['cijfers'])}"


def test_nothing_is_cut_off(read: Book, folder: Path) -> None:
    place = list(read).index("gebieden") + 1
    column = read["gebieden"][ABOVE].index("name")
    (sheet,) = _parts(folder / "btg.xlsx", f"xl/worksheets/sheet{place}.xml")
    assert len(LONG_NAME) == 60
    assert float(sheet.findall(f".//{MAIN}col")[column].get("width")) >= 60
    (content,) = _parts(folder / "btg.ods", "content.xml")
    table = content.findall(f".//{TABLE}table")[place - 1]
    style = table.findall(f"{TABLE}table-column")[column].get(f"{TABLE}style-name")
    assert style == "width62"


def test_numbers_are_dutch_and_years_are_plain(folder: Path) -> None:
    (styles,) = _parts(folder / "btg.xlsx", "xl/styles.xml")
    cells = styles.find(f"{MAIN}cellXfs")
    codes = {form.get("numFmtId"): form.get("formatCode") for form in styles.iter(f"{MAIN}numFmt")}
    used = {codes.get(form.get("numFmtId"), BUILT_IN.get(form.get("numFmtId"))) for form in cells}
    assert used == {"General", "0", "#,##0", "#,##0.0", "#,##0.00", "#,##0.000", "#,##0.0000"}
    (content,) = _parts(folder / "btg.ods", "content.xml")
    for form in content.iter(f"{NUMBER}number-style"):
        assert (form.get(f"{NUMBER}language"), form.get(f"{NUMBER}country")) == ("nl", "NL")
    (sheet,) = [s for s in content.iter(f"{TABLE}table") if s.get(f"{TABLE}name") == "cijfers"]
    shown = {"".join(cell.itertext()) for cell in sheet.iter(f"{TABLE}table-cell")}
    assert {"2025", "1.234.567,5", "36,2", "−0,1"} <= shown
    assert not {"2.025", "36.2"} & shown
    (look,) = _parts(folder / "btg.ods", "styles.xml")
    text = look.find(f".//{STYLE}default-style/{STYLE}text-properties")
    assert text.get("{urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0}language") == "nl"


# --- cover, contents, notes


def test_the_cover_says_what_this_is(read: Book) -> None:
    text = "\n".join(str(cell) for row in read["voorblad"] for cell in row)
    for said in ("Gebied: Twente, 14 gemeenten", "Meetjaar: 2025; nulmeting: 2022", "Editie: 2025-draft", "CC-BY-4.0",
                 "Gemaakt op: 2026-02-03T04:05:06+00:00", "This is a draft", "95%", *CODES):  # fmt: skip
        assert said in text
    assert "erzonnen" not in text


def test_invented_figures_are_named_on_every_sheet(
    tables: dict[str, pl.DataFrame], catalogue: Catalogue, tmp_path: Path
) -> None:
    synthetic = {"edition": tables["edition"].with_columns(contains_synthetic=pl.lit(True))}
    for path in write_workbooks(tables | synthetic, catalogue, tmp_path):
        book = _read(path)
        assert all(sheet[0][0].startswith("Verzonnen voorbeeld / Invented example") for sheet in book.values())
        assert book["voorblad"][ABOVE + 1][0].startswith("VERZONNEN VOORBEELD: dit zijn geen echte cijfers")


def test_contents_name_every_sheet_and_every_table_without_rows(read: Book, folder: Path, catalogue: Catalogue) -> None:
    rows = _rows(read["inhoud"])
    assert [row["blad / sheet"] for row in rows if not row["blad / sheet"].startswith("geen")] == list(read)
    left_out = {
        row["tabel / table"]: row["rijen / rows"] for row in rows if row["blad / sheet"].startswith("geen blad")
    }
    assert left_out == dict.fromkeys(("claim", "survey_wave", "correction", "revision", "erratum"), 0)
    counted = {row["tabel / table"]: row["rijen / rows"] for row in rows}
    assert counted["indicator_value"] == len(read["cijfers"]) - ABOVE - 1 == 14
    described = {row["tabel / table"]: row["omschrijving van de tabel"] for row in rows}
    assert described["comparison"] == catalogue.registry["comparison"].description_nl
    (content,) = _parts(folder / "btg.ods", "content.xml")
    links = [link.get("{http://www.w3.org/1999/xlink}href") for link in content.iter(f"{ODF % 'text'}a")]
    assert links == [f"#{name}.A1" for name in read]
    (sheet,) = _parts(folder / "btg.xlsx", "xl/worksheets/sheet2.xml")
    assert [link.get("location") for link in sheet.iter(f"{MAIN}hyperlink")] == [f"'{name}'!A1" for name in read]


def test_notes_explain_every_column_and_word(read: Book, catalogue: Catalogue) -> None:
    notes = _rows(read["toelichting"])
    assert [row["naam / name"] for row in notes[:5]] == list(CODES)
    explained = {
        (row["naam / name"], sheet)
        for row in notes
        if row["soort / kind"] == "kolom / column"
        for sheet in row["hoort bij / belongs to"].split(", ")
    }
    data = [name for name in read if name not in ("voorblad", "inhoud", "toelichting")]
    assert explained == {(column, name) for name in data for column in read[name][ABOVE]}
    words = {row["naam / name"] for row in notes if row["hoort bij / belongs to"] == "status"}
    assert words == set(catalogue.vocabulary["status"])
    assert all(row["uitleg"] and row["explanation"] for row in notes)


# --- the files


def test_both_files_hold_the_same(folder: Path) -> None:
    xlsx, ods = (_read(folder / name) for name in FILES)
    assert xlsx == ods


def test_equal_tables_give_equal_bytes_whoever_writes_them(
    tables: dict[str, pl.DataFrame], catalogue: Catalogue, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    time.tzset()
    before = os.umask(0)
    try:
        again = write_workbooks(tables, catalogue, tmp_path)
    finally:
        os.umask(before)
        monkeypatch.undo()
        time.tzset()
    assert [path.read_bytes() for path in again] == [(folder / name).read_bytes() for name in FILES]


def test_the_open_document_is_one(folder: Path) -> None:
    with zipfile.ZipFile(folder / "btg.ods") as archive:
        first, *others = archive.infolist()
        assert (first.filename, first.compress_type) == ("mimetype", zipfile.ZIP_STORED)
        assert archive.read("mimetype") == b"application/vnd.oasis.opendocument.spreadsheet"
        manifest = etree.fromstring(archive.read("META-INF/manifest.xml"))
        for name in archive.namelist()[1:]:
            etree.fromstring(archive.read(name))
    listed = {entry.get(f"{ODF % 'manifest'}full-path") for entry in manifest}
    assert listed == {"/", *(entry.filename for entry in others)} - {"META-INF/manifest.xml"}
    opened = odfdo.Document(folder / "btg.ods")
    assert opened.body.tables[0].name == "voorblad"
    assert opened.meta.title == "Brede welvaart in Twente, editie 2025-draft"
    assert str(opened.meta.language) == "nl-NL"


def test_the_properties_say_title_author_and_language(folder: Path) -> None:
    with zipfile.ZipFile(folder / "btg.xlsx") as archive:
        core, custom = archive.read("docProps/core.xml").decode(), archive.read("docProps/custom.xml").decode()
    assert "<dc:title>Brede welvaart in Twente, editie 2025-draft</dc:title>" in core
    assert "<dc:creator>Bruto Twents Geluk</dc:creator>" in core
    assert "2026-02-03T04:05:06Z" in core
    assert "nl-NL" in custom


# --- a whole edition


@pytest.fixture(scope="module")
def whole(edition: Path, catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    """The published tables of the demo, and the workbooks made of them."""
    files = sorted((edition / "editions" / "2025-draft" / "parquet").glob("*.parquet"))
    published = {path.stem: pl.read_parquet(path) for path in files}
    made = tmp_path_factory.mktemp("whole")
    paths = write_workbooks(published, catalogue, made)
    assert all(path.stat().st_size < 3_000_000 for path in paths)
    return published, [_read(path) for path in paths]


def test_every_cell_of_an_edition_equals_the_database(
    whole: tuple[Mapping[str, pl.DataFrame], list[Book]], catalogue: Catalogue
) -> None:
    published, (book, other) = whole
    assert book == other
    check_layout(book)
    fixed = {"breakdown": "total", "method": MAIN_METHOD}
    compared = 0
    for excerpt in EXCERPTS:
        if excerpt.sheet not in book:
            assert published[excerpt.table].is_empty()
            continue
        table = catalogue.registry[excerpt.table]
        frame = published[excerpt.table].filter(*(pl.col(n) == fixed[n] for n in table.key if n in excerpt.without))
        key = [name for name in table.key if name not in excerpt.without]
        known = {tuple(row[name] for name in key): row for row in frame.iter_rows(named=True)}
        assert len(known) == frame.height
        names = [name for name in table.column_names if name in book[excerpt.sheet][ABOVE]]
        for row in _rows(book[excerpt.sheet]):
            original = known[tuple(row[name] for name in key)]
            for name in names:
                value = original[name]
                expected = ";".join(value) if isinstance(value, list) else value
                assert row[name] == expected if value is not None else row[name] in CODES, (excerpt.sheet, name, row)
                compared += 1
    assert compared > 150_000


def test_no_row_of_the_region_is_left_out(
    whole: tuple[Mapping[str, pl.DataFrame], list[Book]], catalogue: Catalogue
) -> None:
    published, (book, _) = whole
    groups = [group.code for group in catalogue.region.groups]
    regions = [*catalogue.region.municipalities, *groups, "TWENTE", "NL01", "NL_REST"]
    own, total = pl.col("region_code").is_in(regions), pl.col("breakdown") == "total"
    newest = pl.col("measurement_year") == 2025
    expected = {
        "cijfers": published["indicator_value"].filter(own, total),
        "vergelijking": published["comparison"].filter(own, total, newest, pl.col("comparator_code").is_in(regions)),
        "verandering": published["change"].filter(own, total, newest, pl.col("baseline_year") == 2022),
        "themascores": published["theme_score"].filter(own, pl.col("method") == MAIN_METHOD),
        "rangorde": published["sensitivity"].filter(own),
        "gebieden": published["region"].filter(own),
        "indicatoren": published["indicator"],
        "bronnen": published["source"],
        "enquetes": published["survey_wave"],
        "uitspraken": published["claim"],
    }
    counts = {name: len(book[name]) - ABOVE - 1 for name in expected}
    assert counts == {name: frame.height for name, frame in expected.items()}
    assert counts["cijfers"] == len(regions) * len(catalogue.indicators) * 4


def test_a_suppressed_figure_of_an_edition_shows_its_code_only(
    whole: tuple[Mapping[str, pl.DataFrame], list[Book]],
) -> None:
    _, (book, _) = whole
    hidden = [row for row in _rows(book["cijfers"]) if row["status"] == "suppressed"]
    assert hidden
    assert {cell for row in hidden for cell in (row["value"], row["ci_low"], row["ci_high"], row["n"])} == {"[c]"}
