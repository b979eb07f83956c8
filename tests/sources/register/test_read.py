"""A register that cannot be trusted is refused with one message: file, sheet, row, column, and what to do."""

from __future__ import annotations

import dataclasses
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from sources.errors import (
    DuplicateFigure,
    EncodingError,
    HeaderError,
    HostileFile,
    IncompleteFile,
    InputError,
    MalformedRow,
    MissingFile,
    OutOfScale,
    PeriodError,
    PersonalData,
    UnknownLayout,
    UnknownName,
    ValueFault,
)
from sources.register import (
    BUREAU_SCHEMA,
    SCHEMAS,
    Register,
    bundled_registers,
    combine,
    empty_frames,
    is_register,
    read_register,
)
from sources.register.cells import Known, Unreadable, value_of
from sources.register.faults import Contradiction
from sources.register.personal import personal
from tests.sources.register.desk import MUNICIPALITIES, PROGRAMME, Desk

BSN, IBAN = "123456782", "NL91ABNA0417164300"


# --- what is sound


def test_the_bundled_register_is_read(sound: Register) -> None:
    assert (sound.bureau, sound.lines, sound.as_of) == ("bureau-zorg", ("3.1", "3.2"), date(2026, 3, 1))
    assert sound.synthetic
    assert {name: frame.schema for name, frame in sound.frames.items()} == SCHEMAS
    assert sound.frames["project"].filter(project_id="langer-thuis").drop("ends").rows() == [
        (
            "bureau-zorg",
            "langer-thuis",
            "Verzonnen project Langer Thuis",
            "3.1",
            ["GM0168", "GM0183", "GM1700"],
            "Voorbeelddorp en Voorbeeldwijk",
            "running",
            date(2024, 4, 1),
        )
    ]
    assert sound.frames["measurement"].filter(wave=2024).select("value", "standard_error", "n", "about").rows() == [
        (68.9, 2.3, 412, "named")
    ]
    assert sound.frames["received"].is_empty()
    assert "\n\n" in sound.frames["text"].filter(line_id="3.1", year=2025, part="progress")["text"].item()


def test_a_workbook_of_the_same_cells_gives_the_same_frames(desk: Desk, sound: Register) -> None:
    read = read_register(desk.workbook(), PROGRAMME, MUNICIPALITIES)
    for name, frame in sound.frames.items():
        assert_frame_equal(read.frames[name], frame)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252"])
def test_csv_as_excel_saves_it_is_read(desk: Desk, sound: Register, encoding: str) -> None:
    for path in desk.path.iterdir():
        text = path.read_text(encoding="utf-8").replace("’", "'")
        path.write_bytes(text.encode(encoding).replace(b"\n", b"\r\n"))
    assert_frame_equal(desk.read().frames["text"], sound.frames["text"])


def test_commas_between_fields_will_do(desk: Desk, sound: Register) -> None:
    path = desk.path / "geld.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(";", ","), encoding="utf-8")
    assert_frame_equal(desk.read().frames["money"], sound.frames["money"])


def test_columns_may_stand_in_another_order_and_empty_rows_are_skipped(desk: Desk, sound: Register) -> None:
    desk.write("geld", [row[::-1] for row in desk.rows("geld")] + [[""] * 6])
    assert_frame_equal(desk.read().frames["money"], sound.frames["money"])


def test_a_sheet_with_only_a_header_gives_an_empty_frame(desk: Desk) -> None:
    desk.write("lessen", desk.rows("lessen")[:1])
    assert_frame_equal(desk.read().frames["lesson"], empty_frames()["lesson"])


def test_the_explanation_and_hidden_files_are_not_read(desk: Desk, sound: Register) -> None:
    (desk.path / "Uitleg.csv").write_bytes(b"\0 anything")
    (desk.path / ".DS_Store").write_bytes(b"\0")
    assert_frame_equal(desk.read().frames["project"], sound.frames["project"])


def test_what_a_register_is_recognised_by(desk: Desk, tmp_path: Path) -> None:
    assert is_register(desk.path)
    assert is_register(desk.workbook())
    (desk.path / "projecten.csv").unlink()
    assert not is_register(desk.path)
    assert not is_register(tmp_path / "nothing")
    assert not is_register(Path(__file__))


def _value(cell: Any, sheet: str, field: str) -> Any:
    from catalog.register_model import load_register_layout

    return value_of(cell, load_register_layout().sheet(sheet).column(field), Known(PROGRAMME, MUNICIPALITIES))


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("1234", 1234),
        ("1234,5", 1234.5),
        ("1234.50", 1234.5),
        ("€ 1.234.567", 1234567),
        ("1.234.567,89", 1234567.89),
        ("1,234,567.89", 1234567.89),
        ("1.234,50", 1234.5),
        ("0,125", 0.125),
        ("12 500", 12500),
        (12.345, 12.345),
    ],
)
def test_numbers_as_they_are_written(cell: object, number: float) -> None:
    assert _value(cell, "money", "committed") == number


@pytest.mark.parametrize("cell", ["1.234", "1,234", "12.34.567", "1,2,3", "5%", "ca. 5", "1e6", "--5", "5-", "½"])
def test_what_could_be_two_numbers_or_none_is_refused(cell: str) -> None:
    with pytest.raises(Unreadable):
        _value(cell, "money", "committed")


def test_three_decimals_of_a_percentage_are_no_thousands() -> None:
    assert _value("1,234", "measurement", "standard_error") == 1.234
    with pytest.raises(Unreadable, match="one way only"):
        _value("1.234", "measurement", "standard_error")


@pytest.mark.parametrize("cell", ["2025-12-31", "31-12-2025", date(2025, 12, 31)])
def test_dates_as_they_are_written(cell: object) -> None:
    assert _value(cell, "money", "as_of") == date(2025, 12, 31)


@pytest.mark.parametrize("cell", ["12/31/2025", "31-12-25", "30-02-2025", "december 2025", 45657.0, True])
def test_what_is_no_date_is_refused(cell: object) -> None:
    with pytest.raises(Unreadable, match="date"):
        _value(cell, "money", "as_of")


def test_municipalities_by_name_or_code() -> None:
    assert _value("hof van twente; GM0153;Rijssen - Holten", "project", "municipality_codes") == [
        "GM0153",
        "GM1735",
        "GM1742",
    ]
    assert _value("", "project", "municipality_codes") == []


# --- one cell that is wrong: sheet, column, value, kind of fault, and words of the message

CELLS = [
    ("bureau", "Bureau", "Bureau Zorg", ValueFault, "small letters"),
    ("bureau", "Programmalijnen", "3.1; 4.1", UnknownName, "a line of the programme"),
    ("bureau", "Programmalijnen", "3.1; 3.1", ValueFault, "every line once"),
    ("bureau", "Peildatum", "", ValueFault, "a value"),
    ("bureau", "Peildatum", "01-03-2022", PeriodError, "on or after 2023-01-01"),
    ("bureau", "Verzonnen", "misschien", ValueFault, "one of ja, nee"),
    ("bureau", "Sjabloon", "2", OutOfScale, "template 1"),
    ("projecten", "Project", "x", ValueFault, "2 to 40"),
    ("projecten", "Programmalijn", "2.1", Contradiction, "lines of this bureau: 3.1, 3.2"),
    ("projecten", "Gemeenten", "Losser; Zwolle", UnknownName, "municipalities of the region"),
    ("projecten", "Status", "klaar", ValueFault, "gepland, in uitvoering, afgerond, gestopt"),
    ("projecten", "Begin", "01-01-2022", PeriodError, "from 2023-01-01 to 2028-04-30"),
    ("projecten", "Einde", "01-01-2024", Contradiction, "not before its begin, 2024-04-01"),
    ("projecten", "Einde", "01-01-2030", PeriodError, "from 2023-01-01 to 2028-04-30"),
    ("mijlpalen", "Project", "bestaat-niet", UnknownName, "one of the projects: langer-thuis"),
    ("mijlpalen", "Gepland", "morgen", ValueFault, "a date such as 31-12-2025"),
    ("mijlpalen", "Gepland", "01-01-2029", PeriodError, "a day of the programme"),
    ("mijlpalen", "Gehaald", "02-03-2026", PeriodError, "not after 2026-03-01"),
    ("resultaten", "Resultaat", "business_sites", Contradiction, "a result of line 3.1"),
    ("resultaten", "Resultaat", "perceived_health_65", ValueFault, "is counted by bureaus"),
    ("resultaten", "Resultaat", "bestaat_niet", UnknownName, "a result: "),
    ("resultaten", "Soort", "nulmeting", Contradiction, "starts at 0"),
    ("resultaten", "Aantal", "1,5", ValueFault, "a whole number"),
    ("resultaten", "Aantal", "-1", OutOfScale, "at least 0"),
    ("geld", "Financiering", "gemeente", ValueFault, "one of rijk, publiek geld"),
    ("geld", "Stand op", "02-03-2026", PeriodError, "not after 2026-03-01"),
    ("geld", "Toegezegd", "-5", OutOfScale, "at least 0"),
    ("geld", "Toegezegd", "1.000", ValueFault, "one way only"),
    ("geld", "Betaald", "9999999", Contradiction, "at most what is committed"),
    ("geld", "Verwacht", "1", Contradiction, "at least what is committed"),
    ("metingen", "Golf", "2027", OutOfScale, "not after 2026"),
    ("metingen", "Waarde", "101", OutOfScale, "at least 0 and at most 100"),
    ("metingen", "Standaardfout", "0", OutOfScale, "more than 0"),
    ("metingen", "Antwoorden", "29", OutOfScale, "single people"),
    ("metingen", "Resultaat", "pupils_attitude", Contradiction, "of this bureau's lines"),
    ("metingen", "Resultaat", "acute_care", ValueFault, "is measured with a sample"),
    ("teksten", "Jaar", "2022", PeriodError, "from 2023 to 2028"),
    ("teksten", "Onderdeel", "samenvatting", ValueFault, "one of voortgang, planning, geld"),
    ("lessen", "Soort", "idee", ValueFault, "one of aanname, randvoorwaarde"),
    ("lessen", "Gevolg", "", ValueFault, "a value"),
]


@pytest.mark.parametrize(
    ("sheet", "heading", "value", "kind", "words"), CELLS, ids=[f"{c[0]}-{c[1]}-{c[2] or 'empty'}" for c in CELLS]
)
def test_one_cell_that_is_wrong_is_named(
    desk: Desk, sheet: str, heading: str, value: str, kind: type[InputError], words: str
) -> None:
    desk.put(sheet, 2, heading, value)
    fault = desk.refusal(kind)
    assert (fault.file, fault.row, fault.column) == (str(desk.path / f"{sheet}.csv"), 2, heading)
    assert fault.value == (value or None)
    assert words in str(fault)


def test_in_a_workbook_the_sheet_is_named(desk: Desk) -> None:
    desk.put("geld", 3, "Betaald", "veel")
    path = desk.workbook()
    fault = desk.refusal(ValueFault, path)
    assert (fault.file, fault.row, fault.column) == (f"{path}, sheet Geld", 3, "Betaald")
    assert str(fault).startswith(f"{path}, sheet Geld, row 3, column Betaald: found 'veel'; expected a number")


# --- rows and sheets that contradict each other


@pytest.mark.parametrize(
    ("sheet", "column", "words"),
    [
        ("projecten", "Project", "differ in Project"),
        ("mijlpalen", "Mijlpaal", "differ in Mijlpaal"),
        ("resultaten", "Datum", "differ in Project and Resultaat and Soort and Datum"),
        ("geld", "Stand op", "differ in Project and Financiering and Stand op"),
        ("metingen", "Golf", "differ in Resultaat and Golf"),
        ("teksten", "Onderdeel", "differ in Programmalijn and Jaar and Onderdeel"),
        ("lessen", "Les", "differ in Les"),
    ],
)
def test_a_row_twice_is_refused(desk: Desk, sheet: str, column: str, words: str) -> None:
    last = desk.repeat(sheet, 2)
    # A text of two paragraphs takes more lines than one.
    lines = (desk.path / f"{sheet}.csv").read_text(encoding="utf-8").count("\n")
    fault = desk.refusal(DuplicateFigure)
    assert (Path(fault.file).name, fault.row, fault.column) == (f"{sheet}.csv", max(last, lines), column)
    assert words in str(fault)
    assert "row 2" in str(fault)


def test_a_second_row_about_the_bureau_is_refused(desk: Desk) -> None:
    desk.repeat("bureau", 2)
    fault = desk.refusal(MalformedRow)
    assert (Path(fault.file).name, fault.row) == ("bureau.csv", 3)
    desk.write("bureau", desk.rows("bureau")[:1])
    assert "which bureau" in str(desk.refusal(IncompleteFile))


@pytest.mark.parametrize("heading", ["Toegezegd", "Betaald"])
def test_totals_do_not_fall(desk: Desk, heading: str) -> None:
    row = desk.find("geld", **{"Project": "leren-over-zorg", "Financiering": "rijk", "Stand op": "31-12-2025"})
    desk.put("geld", row, "Betaald", "0")
    desk.put("geld", row, heading, "1")
    fault = desk.refusal(Contradiction)
    assert (fault.row, fault.value) == (
        row,
        {"Toegezegd": "1", "Betaald": "1"}[heading] if heading == "Betaald" else "1",
    )
    assert fault.column == heading
    assert f"(row {row - 1})" in str(fault)
    assert "do not fall" in str(fault)


@pytest.mark.parametrize("ends", ["", "31-12-2026"])
def test_a_finished_project_has_ended(desk: Desk, ends: str) -> None:
    desk.put("projecten", 3, "Status", "afgerond")
    desk.put("projecten", 3, "Einde", ends)
    fault = desk.refusal(Contradiction)
    assert (fault.row, fault.column, fault.value) == (3, "Einde", ends or None)
    assert "of a finished project" in str(fault)


@pytest.mark.parametrize("kind", ["nulmeting", "behaald"])
def test_what_was_counted_needs_evidence(desk: Desk, kind: str) -> None:
    row = desk.find("resultaten", Soort=kind, Resultaat="acute_care")
    desk.put("resultaten", row, "Bewijs", " ")
    fault = desk.refusal(IncompleteFile)
    assert (fault.row, fault.column) == (row, "Bewijs")


def test_what_is_achieved_is_not_in_the_future(desk: Desk) -> None:
    row = desk.find("resultaten", Soort="behaald")
    desk.put("resultaten", row, "Datum", "01-04-2026")
    fault = desk.refusal(PeriodError)
    assert (fault.row, fault.column, fault.value) == (row, "Datum", "01-04-2026")


def test_money_that_has_not_come_yet_is_not_received(business: Desk) -> None:
    business.put("ontvangen", 4, "Datum", "2026-12-01")
    fault = business.refusal(PeriodError)
    assert (Path(fault.file).name, fault.row, fault.column) == ("ontvangen.csv", 4, "Datum")


def test_a_result_of_the_assignment_may_be_of_either_line(desk: Desk) -> None:
    row = desk.find("resultaten", Resultaat="care_cooperation")
    desk.put("resultaten", row, "Project", "gezond-lab")
    desk.read()


# --- sheets and columns


def test_a_sheet_that_is_not_known_is_refused(desk: Desk) -> None:
    (desk.path / "contacten.csv").write_text("Naam\nx\n", encoding="utf-8")
    fault = desk.refusal(HeaderError)
    assert (fault.file, fault.value) == (str(desk.path), "contacten")
    path = desk.path.with_suffix(".xlsx")
    (desk.path / "contacten.csv").unlink()
    desk.workbook(lambda book: book.add_worksheet("Kladblok"))
    assert desk.refusal(HeaderError, path).value == "Kladblok"


def test_a_missing_sheet_is_refused(desk: Desk) -> None:
    (desk.path / "geld.csv").unlink()
    fault = desk.refusal(HeaderError)
    assert (fault.file, "a sheet Geld" in str(fault)) == (str(desk.path), True)


def test_a_column_of_its_own_is_refused(desk: Desk) -> None:
    desk.write("projecten", [[*row, "x"] for row in desk.rows("projecten")])
    desk.put("projecten", 1, "x", "Contactpersoon")
    fault = desk.refusal(HeaderError)
    assert (Path(fault.file).name, fault.row, fault.column) == ("projecten.csv", 1, "Contactpersoon")


def test_a_missing_or_doubled_column_is_refused(desk: Desk) -> None:
    rows = desk.rows("geld")
    desk.write("geld", [row[:-1] for row in rows])
    fault = desk.refusal(HeaderError)
    assert (fault.row, fault.column, "missing" in str(fault)) == (1, "Verwacht", True)
    desk.write("geld", [[*row, row[0]] for row in rows])
    assert (desk.refusal(HeaderError).column, "once" in str(desk.refusal(HeaderError))) == ("Project", True)


def test_a_cell_beside_the_columns_is_refused(desk: Desk) -> None:
    path = desk.workbook(lambda book: book.get_worksheet_by_name("Geld").write_string(4, 9, "let op"))
    fault = desk.refusal(MalformedRow, path)
    assert (fault.row, fault.column) == (5, "10")
    assert "let op" not in str(fault)


def test_an_empty_sheet_lacks_its_header(desk: Desk) -> None:
    desk.write("lessen", [[""]])
    assert "a header" in str(desk.refusal(IncompleteFile))


def test_a_damaged_csv_is_refused(desk: Desk) -> None:
    path = desk.path / "geld.csv"
    sound = path.read_text(encoding="utf-8")
    path.write_text(sound + '"open;;;;;\n', encoding="utf-8")
    assert desk.refusal(MalformedRow).row == sound.count("\n") + 1
    path.write_text(sound.rstrip("\n"), encoding="utf-8")
    assert "cut off" in str(desk.refusal(IncompleteFile))
    path.write_text(sound + "a;b\n", encoding="utf-8")
    assert "6 fields, found 2" in str(desk.refusal(MalformedRow))
    path.write_text(sound, encoding="utf-16")
    desk.refusal(EncodingError)


def test_what_is_no_register_is_refused(desk: Desk, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    desk.refusal(MissingFile, empty)
    desk.refusal(MissingFile, tmp_path / "nothing.xlsx")
    desk.refusal(UnknownLayout, desk.path / "bureau.csv")
    (desk.path / "brief.docx").write_bytes(b"PK")
    assert desk.refusal(HeaderError).value == "brief.docx"


# --- people


@pytest.mark.parametrize(
    "text",
    [
        "Vraag het j.jansen@example.org",
        "Bel 06-12345678 of kom langs",
        "Bel (074) 123 45 67.",
        "Bel 053 487 65 43",
        "Bel +31 (0)6 12 34 56 78",
        "Bel +49 171 1234567",
        f"Burger {BSN} deed mee",
        "Burger 1234.56.782 deed mee",
        f"Betaald op {IBAN}",
        "Betaald op nl91 abna 0417 1643 00",
    ],
)
@pytest.mark.parametrize(
    ("sheet", "heading"), [("teksten", "Tekst"), ("resultaten", "Bewijs"), ("projecten", "Status")]
)
def test_what_is_about_a_person_is_refused_and_never_shown(desk: Desk, sheet: str, heading: str, text: str) -> None:
    desk.put(sheet, 3, heading, text)
    fault = desk.refusal(PersonalData)
    number = int(fault.row or 0)
    assert (Path(fault.file).name, number, fault.column, fault.value) == (f"{sheet}.csv", 3, heading, None)
    said = str(fault).removeprefix(fault.file)
    assert not any(word in said for word in text.split() if any(map(str.isdigit, word)) or "@" in word)


def test_a_telephone_number_in_place_of_an_amount_is_not_shown(desk: Desk) -> None:
    desk.put("geld", 2, "Toegezegd", "0612345678")
    assert "0612345678" not in str(desk.refusal(PersonalData))


@pytest.mark.parametrize(
    "text",
    [
        "In 2025 deden 1.812 leerlingen mee, van 01-09-2024 31-07-2025.",
        "Er is € 123.456.789 vastgelegd, en 12,5 procent betaald.",
        "Dossier 2024-00187, besluit 45-2025",
        "Zie https://voorbeeld.example/rapport-2025",
    ],
)
def test_figures_and_dates_in_a_text_are_no_people(text: str) -> None:
    assert personal(text) is None


def test_an_amount_may_look_like_a_citizen_service_number() -> None:
    assert personal(BSN) == "a citizen service number (BSN)"
    assert personal(BSN, is_number=True) is None


def test_a_heading_that_is_about_a_person_is_not_shown(desk: Desk) -> None:
    desk.write("geld", [[*row, "j.jansen@example.org"] for row in desk.rows("geld")])
    assert "jansen" not in str(desk.refusal(HeaderError))


def test_a_text_is_never_shown(desk: Desk) -> None:
    desk.put("teksten", 2, "Tekst", "geheim " * 1000)
    fault = desk.refusal(OutOfScale)
    assert (fault.row, fault.column, fault.value) == (2, "Tekst", None)
    assert "at most 5000 characters, found 6999" in str(fault)
    assert "geheim" not in str(fault)


# --- hostile files


def test_a_formula_is_refused(desk: Desk) -> None:
    path = desk.workbook(lambda book: book.get_worksheet_by_name("Geld").write_formula(4, 3, "=1+1", None, 2))
    fault = desk.refusal(HostileFile, path)
    assert (fault.file, fault.row, fault.column) == (f"{path}, sheet Geld", 5, "Toegezegd")
    assert "values, not formulas" in str(fault)


def _with_part(path: Path, name: str, content: bytes) -> None:
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as book:
        book.writestr(name, content)


ENTITIES = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>'


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("xl/vbaProject.bin", b"x", "without macros"),
        ("xl/more.xml", ENTITIES, "without entities"),
        ("xl/media/image.png", b"\0" * 20 * 2**20, "grow"),
        ("../evil.sh", b"x", "inside the archive"),
    ],
)
def test_a_workbook_that_could_do_harm_is_refused(desk: Desk, name: str, content: bytes, words: str) -> None:
    path = desk.workbook()
    _with_part(path, name, content)
    fault = desk.refusal(HostileFile, path)
    assert fault.file == str(path)
    assert words in str(fault)


def test_an_old_workbook_is_refused(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "old.xls"
    path.write_bytes(b"\xd0\xcf\x11\xe0" + b"\0" * 600)
    desk.refusal(UnknownLayout, path)


# --- several bureaus


def test_the_bundled_registers_together() -> None:
    registers = bundled_registers(PROGRAMME, MUNICIPALITIES)
    assert registers.synthetic
    assert registers.frames["bureau"].schema == BUREAU_SCHEMA
    assert registers.frames["bureau"]["line_ids"].to_list() == [["1.1", "1.2", "VAT"], ["2.1", "2.2"], ["3.1", "3.2"]]
    assert {name: frame.schema for name, frame in registers.frames.items() if name in SCHEMAS} == SCHEMAS
    assert not any(frame.is_empty() for frame in registers.frames.values())


def test_what_the_invented_registers_show() -> None:
    """The demonstration needs something to remark on: money, a result behind, a claim, and a text that is missing."""
    frames = bundled_registers(PROGRAMME, MUNICIPALITIES).frames
    money = frames["money"].join(frames["project"].select("project_id", "line_id"), on="project_id")
    last = money.filter(as_of=date(2025, 12, 31))
    state = last.filter(financing_source="state").group_by("line_id").agg(pl.col("forecast").sum() / 1e6)
    budget = {line.line_id: line.state for line in PROGRAMME.agreements[0].budget}
    assert [line for line, forecast in state.iter_rows() if round(forecast, 6) > budget[line]] == ["2.2"]
    in_kind = last.filter(financing_source="private_in_kind")["forecast"].sum() / 1e6
    assert in_kind < PROGRAMME.agreements[0].private_in_kind
    overhead = last.filter(financing_source="state", line_id=PROGRAMME.overhead_line)["committed"].sum()
    assert overhead > PROGRAMME.overhead_percent / 100 * frames["received"]["amount"].sum()
    counted = {t.target_id for t in PROGRAMME.targets if t.kind != "direction" or t.wanted}
    planned = set(frames["result"].filter(kind="planned")["target_id"])
    assert set(frames["result"]["target_id"]) == counted
    assert counted - planned == {"technical_inflow"}
    texts = frames["text"].group_by("line_id", "year").len()
    assert set(texts["len"]) == {3}
    assert {line.line_id for line in PROGRAMME.lines} - set(texts.filter(year=2025)["line_id"]) == {"2.2"}
    assert frames["text"].filter(pl.col("text").str.contains("Door de Regio Deal")).height == 1
    assert frames["project"]["name"].str.starts_with("Verzonnen project ").all()


def test_nothing_together_is_empty() -> None:
    registers = combine([])
    assert registers.is_empty
    assert not registers.synthetic
    assert {name: frame.height for name, frame in registers.frames.items()} == dict.fromkeys(empty_frames(), 0)


@pytest.mark.parametrize(
    ("changed", "kind", "words"),
    [
        ({}, DuplicateFigure, "one file of a bureau"),
        ({"bureau": "bureau-twee"}, DuplicateFigure, "a project of one bureau only"),
        ({"bureau": "bureau-twee", "synthetic": False}, Contradiction, "only invented or only real"),
    ],
)
def test_registers_that_do_not_go_together(
    sound: Register, changed: dict[str, Any], kind: type[InputError], words: str
) -> None:
    frames = {name: frame.with_columns(bureau=pl.lit("bureau-twee")) for name, frame in sound.frames.items()}
    other = dataclasses.replace(sound, frames=frames, place="other.xlsx", **changed)
    with pytest.raises(InputError, match=words) as caught:
        combine([sound, other])
    assert type(caught.value) is kind
    assert "other.xlsx" in str(caught.value) or "bureau-zorg" in str(caught.value)


def test_two_bureaus_may_report_about_one_line(sound: Register) -> None:
    other = dataclasses.replace(sound, bureau="bureau-twee", frames=dict(empty_frames()))
    together = combine([sound, other])
    assert together.frames["bureau"]["line_ids"].to_list() == [["3.1", "3.2"]] * 2


def test_one_measurement_is_of_one_bureau(sound: Register) -> None:
    frames = empty_frames() | {"measurement": sound.frames["measurement"].with_columns(bureau=pl.lit("bureau-twee"))}
    with pytest.raises(DuplicateFigure, match="perceived_health_65 2024"):
        combine([sound, dataclasses.replace(sound, bureau="bureau-twee", frames=frames)])


def test_an_empty_forecast_is_null(desk: Desk) -> None:
    desk.put("geld", 2, "Verwacht", "")
    assert desk.read().frames["money"]["forecast"].null_count() == 1


@pytest.mark.parametrize(("sign", "code"), [("\U0001f44d", "U+1F44D"), ("\u200b", "U+200B"), ("\u65e5", "U+65E5")])
def test_a_sign_that_no_report_can_show_is_refused_with_its_place(desk: Desk, sign: str, code: str) -> None:
    desk.put("teksten", 3, "Tekst", f"Het lab is open {sign}")
    with pytest.raises(InputError) as caught:
        read_register(desk.path, PROGRAMME, MUNICIPALITIES)
    message = str(caught.value)
    assert "teksten.csv, row 3, column Tekst" in message
    assert code in message
    assert "Het lab" not in message


def test_letters_with_accents_and_usual_signs_are_read(desk: Desk) -> None:
    text = "Eén idee: 5 × 2 ≥ 10 – «goed» … € 3,- ‘ja’ → 50% Š"
    desk.put("teksten", 3, "Tekst", text)
    register = read_register(desk.path, PROGRAMME, MUNICIPALITIES)
    assert text in register.frames["text"]["text"].to_list()
