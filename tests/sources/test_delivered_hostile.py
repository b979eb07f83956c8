"""Archives and spreadsheets are hostile: what could do harm is refused before it is opened, and nothing is written."""

from __future__ import annotations

import contextlib
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from catalog.layouts import Layout
from sources import delivered
from sources.delivered import archive
from sources.errors import FileTooLarge, HostileFile, IncompleteFile, InputError, UnknownLayout
from sources.names import bundled_names

NAMES = bundled_names()
LAYOUT = Layout.model_validate(
    {
        "layout_id": "test_rows",
        "source_table": "Test",
        "format": "rows",
        "recognise": {"columns": ["Gemeente", "Aantal"]},
        "region": {"column": "Gemeente", "by": "name"},
    }
)
CROSSTAB = Layout.model_validate(
    {
        "layout_id": "test_crosstab",
        "source_table": "Test",
        "format": "crosstab",
        "recognise": {"title": "^Proef"},
        "region": {"column": "Gemeente", "by": "name"},
        "header": ["period"],
        "topics": [{"title": "Aantal"}],
    }
)


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """A workbook of two municipalities."""
    path = tmp_path / "book.xlsx"
    with xlsxwriter.Workbook(str(path)) as made:
        sheet = made.add_worksheet("Blad1")
        sheet.write_row(0, 0, ["Gemeente", "Aantal"])
        sheet.write_row(1, 0, ["Enschede", 12.5])
        sheet.write_row(2, 0, ["Almelo", 7])
    return path


def values(path: Path, layout: Layout = LAYOUT) -> dict[str, float]:
    (read,) = delivered.read(path, delivered.recognise(path, [layout]), NAMES)
    return dict(read.cells.select("region_code", "value").iter_rows())


def refusal(path: Path, kind: type[InputError], layout: Layout = LAYOUT) -> str:
    """The message with which a file is refused; nothing may have been written beside it."""
    before = sorted(path.parent.rglob("*"))
    with pytest.raises(InputError) as caught:
        values(path, layout)
    assert type(caught.value) is kind, caught.value
    assert caught.value.remedy
    assert path.name in caught.value.file
    assert sorted(path.parent.rglob("*")) == before
    return str(caught.value)


def repacked(path: Path, change: Callable[[dict[str, bytes]], object]) -> Path:
    """The workbook with its parts changed in place."""
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    change(parts)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in parts.items():
            new.writestr(name, content)
    return path


def replaced(path: Path, part: str, old: str, new: str) -> Path:
    def change(parts: dict[str, bytes]) -> None:
        assert old.encode() in parts[part]
        parts[part] = parts[part].replace(old.encode(), new.encode(), 1)

    return repacked(path, change)


SHEET = "xl/worksheets/sheet1.xml"


def test_a_harmless_workbook_is_read(book: Path) -> None:
    assert values(book) == {"GM0153": 12.5, "GM0141": 7.0}


def test_a_part_that_grows_a_thousandfold_is_refused(book: Path) -> None:
    repacked(book, lambda parts: parts.update({"xl/media/image1.png": b"\0" * 20 * 2**20}))
    assert book.stat().st_size < 40_000
    assert "grow" in refusal(book, HostileFile)


def test_many_parts_that_are_large_together_are_refused(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_INFLATED", 100_000)
    repacked(book, lambda parts: parts.update({f"xl/media/{n}.png": bytes(range(256)) * 40 for n in range(20)}))
    refusal(book, FileTooLarge)


def test_too_many_parts_are_refused(book: Path) -> None:
    repacked(book, lambda parts: parts.update({f"xl/media/{n}.png": b"" for n in range(archive.MAX_PARTS)}))
    refusal(book, FileTooLarge)


def _declared(path: Path, size: int) -> None:
    """Write another length into the header of the first part, in the local and in the central directory."""
    data = bytearray(path.read_bytes())
    central = data.index(b"PK\x01\x02")
    data[22:26] = data[central + 24 : central + 28] = struct.pack("<I", size)
    path.write_bytes(data)


def test_a_declared_length_of_two_gigabytes_is_refused_without_unpacking(book: Path) -> None:
    _declared(book, 2**31 - 1)
    refusal(book, FileTooLarge)


def test_a_declared_length_that_is_too_small_is_not_believed(book: Path) -> None:
    _declared(book, 10)
    refusal(book, IncompleteFile)


@pytest.mark.parametrize(
    "name", ["../../evil.sh", "xl/../../evil", "/etc/passwd", "..\\evil.bat", "C:\\evil.bat", "\\\\host\\share"]
)
def test_a_path_that_leads_outside_is_refused(book: Path, name: str) -> None:
    repacked(book, lambda parts: parts.update({name: b"x"}))
    assert "inside the archive" in refusal(book, HostileFile)


def test_an_encrypted_part_is_refused(book: Path) -> None:
    data = bytearray(book.read_bytes())
    central = data.index(b"PK\x01\x02")
    data[6] |= 1
    data[central + 8] |= 1
    book.write_bytes(data)
    assert "password" in refusal(book, HostileFile)


@pytest.mark.parametrize("name", ["xl/vbaProject.bin", "xl/macrosheets/sheet1.xml", "Basic/Standard/Module1.xml"])
def test_macros_are_refused(book: Path, name: str) -> None:
    repacked(book, lambda parts: parts.update({name: b"x"}))
    assert "macros" in refusal(book, HostileFile)


def test_a_part_twice_is_refused(book: Path) -> None:
    with zipfile.ZipFile(book, "a") as opened, pytest.warns(UserWarning, match="Duplicate"):
        opened.writestr(SHEET, b"<worksheet/>")
    refusal(book, HostileFile)


BILLION_LAUGHS = """<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
<worksheet>&b;</worksheet>"""


@pytest.mark.parametrize("part", [SHEET, "xl/workbook.xml", "xl/sharedStrings.xml", "docProps/core.xml"])
def test_entities_are_refused_in_any_part(book: Path, part: str) -> None:
    repacked(book, lambda parts: parts.update({part: BILLION_LAUGHS.encode()}))
    assert "entities" in refusal(book, HostileFile)


def test_entities_in_another_encoding_are_refused(book: Path) -> None:
    repacked(book, lambda parts: parts.update({SHEET: BILLION_LAUGHS.encode("utf-16")}))
    refusal(book, HostileFile)


def test_a_formula_for_a_figure_is_refused(book: Path) -> None:
    with xlsxwriter.Workbook(str(book)) as made:
        sheet = made.add_worksheet("Blad1")
        sheet.write_row(0, 0, ["Gemeente", "Aantal"])
        sheet.write_row(1, 0, ["Enschede", 12.5])
        sheet.write(2, 0, "Almelo")
        sheet.write_formula(2, 1, "=2*3", value=6)
    message = refusal(book, HostileFile)
    assert "sheet Blad1, row 3, column 2" in message
    assert "formulas" in message


def test_a_formula_in_a_title_row_does_no_harm(book: Path) -> None:
    with xlsxwriter.Workbook(str(book)) as made:
        sheet = made.add_worksheet("Blad1")
        sheet.write(0, 0, "Proef")
        sheet.write_formula(1, 0, "=TODAY()", value=45_000)
        sheet.write_row(2, 0, ["Gemeente", "2024"])
        sheet.write_row(3, 0, ["Enschede", 5])
    assert values(book, CROSSTAB) == {"GM0153": 5.0}


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+31", "-Enschede", "@SUM(A1)"])
def test_a_name_that_a_spreadsheet_would_run_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "figures.csv"
    path.write_text(f'Gemeente;Aantal\nEnschede;1\n"{name}";2\n', encoding="utf-8")
    message = refusal(path, HostileFile)
    assert f"row 3, column Gemeente: found '{name[0]}';" in message
    assert name not in message


def test_a_cell_at_the_far_end_of_a_sheet_is_refused_before_it_takes_memory(book: Path) -> None:
    replaced(book, SHEET, '<c r="B3"', '<c r="XFD1048576"')
    assert "1048576 by 16384" in refusal(book, FileTooLarge)


def test_a_part_packed_in_a_way_that_python_does_not_know_is_refused(book: Path) -> None:
    data = bytearray(book.read_bytes())
    # The method of compression, in the first entry of the archive's directory.
    data[data.index(b"PK\x01\x02") + 10] = 99
    book.write_bytes(data)
    assert "a whole workbook" in refusal(book, IncompleteFile)


def _ods(path: Path, rows: str) -> Path:
    content = f"""<?xml version="1.0" encoding="UTF-8"?>
<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.2">
<office:body><office:spreadsheet><table:table table:name="Blad1">{rows}</table:table></office:spreadsheet></office:body>
</office:document-content>"""
    manifest = """<?xml version="1.0" encoding="UTF-8"?>
<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" manifest:version="1.2">
<manifest:file-entry manifest:full-path="/" manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/>
<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>"""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED)
        made.writestr("content.xml", content)
        made.writestr("META-INF/manifest.xml", manifest)
    return path


def _text(text: str) -> str:
    return f'<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>'


def _number(value: float, more: str = "") -> str:
    cell = f'<table:table-cell office:value-type="float" office:value="{value}" {more}>'
    return f"{cell}<text:p>{value}</text:p></table:table-cell>"


def _row(*cells: str, more: str = "") -> str:
    return f"<table:table-row {more}>{''.join(cells)}</table:table-row>"


HEAD = _row(_text("Gemeente"), _text("Aantal"))


def test_an_ods_workbook_is_read(tmp_path: Path) -> None:
    path = _ods(tmp_path / "book.ods", HEAD + _row(_text("Enschede"), _number(12.5)))
    assert values(path) == {"GM0153": 12.5}


def test_a_formula_in_an_ods_workbook_is_refused(tmp_path: Path) -> None:
    row = _row(_text("Enschede"), _number(6, 'table:formula="of:=2*3"'))
    assert "row 2, column 2" in refusal(_ods(tmp_path / "book.ods", HEAD + row), HostileFile)


@pytest.mark.parametrize(
    "row",
    [
        _row(_text("Enschede"), _number(1, 'table:number-columns-repeated="900000000"')),
        _row(_text("Enschede"), _number(1), more='table:number-rows-repeated="900000000"'),
    ],
)
def test_a_repeated_cell_is_refused_before_it_takes_memory(tmp_path: Path, row: str) -> None:
    refusal(_ods(tmp_path / "book.ods", HEAD + row), FileTooLarge)


def test_empty_rows_to_the_end_of_an_ods_sheet_are_nothing(tmp_path: Path) -> None:
    empty = '<table:table-cell table:number-columns-repeated="16384"/>'
    rows = _row(_text("Enschede"), _number(3)) + _row(empty, more='table:number-rows-repeated="1048574"')
    assert values(_ods(tmp_path / "book.ods", HEAD + rows)) == {"GM0153": 3.0}


def _xls(path: Path, mark: str = "") -> Path:
    """A minimal workbook of Excel 97: a compound file with one stream of records."""

    def record(kind: int, body: bytes) -> bytes:
        return struct.pack("<HH", kind, len(body)) + body

    def label(row: int, column: int, text: str) -> bytes:
        return record(0x0204, struct.pack("<HHHHB", row, column, 0, len(text), 0) + text.encode("latin-1"))

    def bof(kind: int) -> bytes:
        return record(0x0809, struct.pack("<HHHHII", 0x0600, kind, 0, 0, 0, 6))

    eof = record(0x000A, b"")
    sheet = bof(0x10) + label(0, 0, "Gemeente") + label(0, 1, "Aantal") + label(1, 0, "Enschede")
    sheet += record(0x0203, struct.pack("<HHHd", 1, 1, 0, 12.5)) + eof
    name = b"Blad1"
    size = len(bof(5)) + 4 + 8 + len(name) + len(eof)
    book = bof(5) + record(0x0085, struct.pack("<IHBB", size, 0, len(name), 0) + name) + eof + sheet
    stream = book.ljust(8 * 512, b"\0")

    def entry(title: str, kind: int, child: int, start: int, length: int) -> bytes:
        text = title.encode("utf-16-le") + b"\0\0"
        head = text.ljust(64, b"\0") + struct.pack("<HBBiii", len(text), kind, 1, -1, -1, child)
        return head + b"\0" * 36 + struct.pack("<iQ", start, length)

    chain = [*range(1, 8), -2, -2, -3]
    table = struct.pack(f"<{len(chain)}i", *chain).ljust(512, b"\xff")
    directory = entry("Root Entry", 5, 1, -2, 0) + entry("Workbook", 2, -1, 0, len(stream))
    directory += entry(mark, 0, -1, 0, 0) if mark else b""
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 16 + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6)
    header += b"\0" * 6 + struct.pack("<IIiIIiIiI", 0, 1, 8, 0, 4096, -2, 0, -2, 0) + struct.pack("<i", 9)
    path.write_bytes(header.ljust(512, b"\xff") + stream + directory.ljust(512, b"\0") + table)
    return path


def test_a_workbook_in_the_old_format_is_read(tmp_path: Path) -> None:
    assert values(_xls(tmp_path / "book.xls")) == {"GM0153": 12.5}


@pytest.mark.parametrize("mark", ["EncryptedPackage", "_VBA_PROJECT"])
def test_passwords_and_macros_in_the_old_format_are_refused(tmp_path: Path, mark: str) -> None:
    refusal(_xls(tmp_path / "book.xls", mark), HostileFile)


def test_an_old_workbook_with_a_sheet_beyond_its_end_is_refused(tmp_path: Path) -> None:
    """Regression: the library that reads it panics, which is no Exception."""
    path = _xls(tmp_path / "book.xls")
    data = path.read_bytes()
    sheet = data.index(struct.pack("<HH", 0x0085, 13)) + 4
    path.write_bytes(data[:sheet] + struct.pack("<I", 2**31) + data[sheet + 4 :])
    refusal(path, IncompleteFile)


def test_rubbish_in_the_shape_of_an_old_workbook_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "book.xls"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(range(256)) * 8)
    refusal(path, IncompleteFile)


@pytest.mark.parametrize("keep", [0.3, 0.7, 0.99])
def test_a_workbook_that_was_cut_off_is_refused(book: Path, keep: float) -> None:
    data = book.read_bytes()
    book.write_bytes(data[: int(keep * len(data))])
    refusal(book, IncompleteFile)


def test_a_flipped_byte_in_a_workbook_is_found(book: Path) -> None:
    with zipfile.ZipFile(book) as opened:
        offset = opened.getinfo(SHEET).header_offset
    data = bytearray(book.read_bytes())
    data[offset + 30 + len(SHEET) + 20] ^= 0x10
    book.write_bytes(data)
    refusal(book, IncompleteFile)


def test_an_archive_of_other_files_is_to_be_unpacked_first(tmp_path: Path) -> None:
    path = tmp_path / "figures.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("figures.csv", "Gemeente;Aantal\nEnschede;1\n")
    assert "unpack it" in refusal(path, UnknownLayout)


def test_a_parquet_file_of_thousands_of_millions_of_rows_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "MAX_ROWS", 1_000)
    path = tmp_path / "figures.parquet"
    pl.DataFrame({"Gemeente": ["Enschede"] * 1_001, "Aantal": [1] * 1_001}).write_parquet(path)
    refusal(path, FileTooLarge)


def test_a_damaged_parquet_file_never_ends_the_process(tmp_path: Path) -> None:
    """Regression: the reader of Polars asked for two million terabytes, and the process was gone."""
    path = tmp_path / "figures.parquet"
    pl.DataFrame({"Gemeente": ["Enschede"], "Aantal": [1.5]}).write_parquet(path)
    good = path.read_bytes()
    assert values(path) == {"GM0153": 1.5}
    for place in range(4, len(good), 3):
        path.write_bytes(good[:place] + b"\xff" + good[place + 1 :])
        with contextlib.suppress(InputError):
            values(path)


def test_a_text_with_too_many_columns_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "figures.csv"
    path.write_text(";" * 5_000 + "\n", encoding="utf-8")
    refusal(path, FileTooLarge)


def test_a_file_beyond_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sources.csv_file.MAX_BYTES", 1_000)
    path = tmp_path / "figures.csv"
    path.write_text("Gemeente;Aantal\n" + "Enschede;1\n" * 200, encoding="utf-8")
    refusal(path, FileTooLarge)


def test_a_deeply_nested_answer_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "answer.json"
    path.write_text('{"value":' + "[" * 100_000, encoding="utf-8")
    refusal(path, IncompleteFile)


def test_no_message_shows_a_row_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "persons.csv"
    path.write_text("Jan Jansen;1970-01-02;Dorpsstraat 1\nPiet Pietersen;1980-01-02;Kerkstraat 2\n", encoding="utf-8")
    message = refusal(path, UnknownLayout)
    assert not any(word in message for word in ("Jan", "Piet", "1970", "Dorpsstraat"))
