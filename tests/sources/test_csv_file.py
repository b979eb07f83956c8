"""Bytes, header and fields: faults that stand before any figure is looked at."""

from __future__ import annotations

import codecs
import csv
import gzip
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from sources import csv_file
from sources.errors import (
    EncodingError,
    FileTooLarge,
    HeaderError,
    IncompleteFile,
    InputError,
    MalformedRow,
    MissingFile,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sources.conftest import Folder

FILES = ["figures.csv", "figures_origin.csv", "regions.csv"]
every_file = pytest.mark.parametrize("name", FILES)


def test_a_folder_that_is_not_there(folder: Folder) -> None:
    with pytest.raises(MissingFile, match="no such folder"):
        replace(folder, path=folder.path / "elsewhere").read()


def test_a_file_where_a_folder_should_be(folder: Folder) -> None:
    with pytest.raises(MissingFile, match="This is a file"):
        replace(folder, path=folder.path / "figures.csv").read()


@every_file
def test_a_missing_file_is_named_with_what_does_stand_there(folder: Folder, name: str) -> None:
    (folder.path / name).rename(folder.path / name.upper())
    error = folder.refusal(MissingFile)
    assert name in error.file
    assert name.upper() in str(error)


def test_a_folder_in_place_of_a_file(folder: Folder) -> None:
    (folder.path / "regions.csv").unlink()
    (folder.path / "regions.csv").mkdir()
    assert "folder" in str(folder.refusal(MissingFile))


def test_both_a_plain_and_a_compressed_file(folder: Folder) -> None:
    (folder.path / "figures.csv.gz").write_bytes(gzip.compress(folder.text("figures.csv").encode()))
    assert "remove the one" in str(folder.refusal(InputError))


@every_file
@pytest.mark.parametrize("content", [b"", b"\n\n", codecs.BOM_UTF8])
def test_an_empty_file(folder: Folder, name: str, content: bytes) -> None:
    (folder.path / name).write_bytes(content)
    error = folder.refusal(IncompleteFile)
    assert name in error.file
    assert "empty" in str(error)


@every_file
def test_a_header_without_rows(folder: Folder, name: str) -> None:
    folder.change(name, lambda records: records.__delitem__(slice(1, None)))
    assert "rows below the header" in str(folder.refusal(IncompleteFile))


def test_a_file_over_the_limit(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_file, "MAX_BYTES", 1000)
    assert "figures.csv" in folder.refusal(FileTooLarge).file


def test_an_archive_that_grows_beyond_the_limit_is_not_read_to_its_end(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_file, "MAX_BYTES", 2**20)
    (folder.path / "figures.csv").unlink()
    bomb = folder.path / "figures.csv.gz"
    bomb.write_bytes(gzip.compress(b"0" * 2**24))
    assert bomb.stat().st_size < 2**17
    folder.refusal(FileTooLarge)


@pytest.mark.parametrize("damage", [lambda data: data[:-20], lambda data: b"not gzip" + data, lambda data: data + b"x"])
def test_a_damaged_archive(folder: Folder, damage: Callable[[bytes], bytes]) -> None:
    data = gzip.compress(folder.text("figures.csv").encode())
    (folder.path / "figures.csv").unlink()
    (folder.path / "figures.csv.gz").write_bytes(damage(data))
    assert "decompressed" in str(folder.refusal(IncompleteFile))


@every_file
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_utf_16_with_and_without_a_mark(folder: Folder, name: str, encoding: str) -> None:
    (folder.path / name).write_bytes(folder.text(name).encode(encoding))
    error = folder.refusal(EncodingError)
    assert name in error.file
    assert "UTF-16" in str(error)


@every_file
def test_a_byte_of_a_windows_code_page_is_named_by_row_and_offset(folder: Folder, name: str) -> None:
    start = "".join(folder.text(name).splitlines(keepends=True)[:2]).encode()
    (folder.path / name).write_bytes(start + "Súdwest\n".encode("cp1252"))
    error = folder.refusal(EncodingError)
    assert (error.row, error.value) == (3, b"\xfa")
    assert f"Byte {len(start) + 1} " in str(error)


def test_the_offset_counts_the_byte_order_mark(folder: Folder) -> None:
    (folder.path / "regions.csv").write_bytes(codecs.BOM_UTF8 + b"region_code,name\nGM0141,\xff\n")
    assert "Byte 27 " in str(folder.refusal(EncodingError))


@every_file
def test_nul_bytes(folder: Folder, name: str) -> None:
    folder.write(name, folder.text(name) + "\x00\n")
    error = folder.refusal(EncodingError)
    assert error.row == len(folder.records(name))
    assert "NUL" in str(error)


def test_a_letter_lost_in_an_earlier_conversion(folder: Folder) -> None:
    folder.put("regions.csv", 3, "name", "Alm\ufffdlo")
    assert folder.refusal(EncodingError).row == 3


@pytest.mark.parametrize(("magic", "name"), [(b"PK\x03\x04", "spreadsheet"), (b"\x1f\x8b", "gzip")])
def test_a_file_of_another_kind_under_this_name(folder: Folder, magic: bytes, name: str) -> None:
    (folder.path / "figures.csv").write_bytes(magic + b"x" * 50)
    assert name in str(folder.refusal(EncodingError))


def test_byte_order_mark_windows_line_ends_quotes_and_empty_lines_change_nothing(folder: Folder) -> None:
    before = folder.read()
    for name in FILES:
        text = folder.text(name).replace("GM0153", '"GM0153"').replace("\n", "\r\n") + "\r\n\r\n"
        (folder.path / name).write_bytes(codecs.BOM_UTF8 + text.encode())
    after = folder.read()
    assert after.figures.equals(before.figures)
    assert after.rows_sha256 == before.rows_sha256


def test_columns_may_stand_in_another_order(folder: Folder) -> None:
    before = folder.read()
    for name in FILES:
        folder.change(name, lambda records: [record.reverse() for record in records])
    after = folder.read()
    assert after.figures.equals(before.figures)
    assert after.origins.equals(before.origins)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda header: header.__setitem__(0, header[0].upper()), "not expected"),
        (lambda header: header.__setitem__(0, f" {header[0]}"), "not expected"),
        (lambda header: header.pop(), "missing"),
        (lambda header: header.append("extra"), "'extra'"),
        (lambda header: header.append(header[0]), "twice"),
        (lambda header: header.__setitem__(1, header[0]), "twice"),
        (lambda header: header.__setitem__(slice(None), ["GM0141", "27.8"]), "missing"),
    ],
)
def test_a_wrong_header_says_found_and_expected(
    folder: Folder, name: str, change: Callable[[list[str]], object], says: str
) -> None:
    expected = folder.records(name)[0]
    folder.change(name, lambda records: change(records[0]))
    error = folder.refusal(HeaderError)
    assert (error.row, name in error.file) == (1, True)
    assert says in str(error)
    assert all(column in error.expected for column in expected)


@every_file
@pytest.mark.parametrize(("separator", "word"), [(";", "semicolons"), ("\t", "tabs")])
def test_another_separator_is_recognised(folder: Folder, name: str, separator: str, word: str) -> None:
    folder.write(name, folder.text(name).replace(",", separator))
    assert word in str(folder.refusal(HeaderError))


@every_file
@pytest.mark.parametrize("change", [lambda record: record.pop(), lambda record: record.append("more")])
def test_a_row_with_too_few_or_too_many_fields(
    folder: Folder, name: str, change: Callable[[list[str]], object]
) -> None:
    folder.change(name, lambda records: change(records[2]))
    error = folder.refusal(MalformedRow)
    assert (error.row, name in error.file) == (3, True)
    assert "fields, found" in error.expected


@every_file
def test_a_quote_that_is_not_closed_names_the_row_where_it_opens(folder: Folder, name: str) -> None:
    lines = folder.text(name).splitlines(keepends=True)
    lines[2] = '"' + lines[2]
    folder.write(name, "".join(lines))
    error = folder.refusal(MalformedRow)
    assert error.row == 3
    assert "quote" in str(error)


def test_a_quote_that_swallows_lines_until_the_next_quote(folder: Folder) -> None:
    lines = folder.text("regions.csv").splitlines(keepends=True)
    lines[2], lines[4] = '"' + lines[2], lines[4].replace(",", '",')
    folder.write("regions.csv", "".join(lines))
    assert folder.refusal(MalformedRow).row == 3


@pytest.mark.parametrize("readers_own", [131_072, 2**31 - 1])
def test_a_field_of_unreasonable_length(folder: Folder, readers_own: int) -> None:
    """Whatever limit other libraries have given Python's reader."""
    folder.put("regions.csv", 4, "name", "x" * 200_000)
    before = csv.field_size_limit(readers_own)
    try:
        error = folder.refusal(MalformedRow)
    finally:
        csv.field_size_limit(before)
    assert error.row == 4
    assert "100000 characters" in str(error)


@every_file
def test_a_file_cut_in_the_middle_of_a_line(folder: Folder, name: str) -> None:
    text = folder.text(name).splitlines(keepends=True)
    folder.write(name, "".join(text[:3]) + text[3].split(",")[0])
    error = folder.refusal(IncompleteFile)
    assert error.row == 4
    assert "cut off" in str(error)


@every_file
def test_a_last_line_without_line_end(folder: Folder, name: str) -> None:
    folder.write(name, folder.text(name).removesuffix("\n"))
    error = folder.refusal(IncompleteFile)
    assert error.row == len(folder.records(name))
    assert "add a line end" in str(error)


def test_encoding_is_named_before_everything_else(folder: Folder) -> None:
    (folder.path / "figures.csv").write_bytes(b"indicator;region\nGM0141,\xff")
    folder.refusal(EncodingError)


def test_the_header_is_named_before_the_rows(folder: Folder) -> None:
    folder.write("figures.csv", "indicator;region\nGM0141")
    folder.refusal(HeaderError)
