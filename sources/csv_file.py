"""Bytes to rows: reads a CSV file without guessing, and knows the line number of every row."""

from __future__ import annotations

import codecs
import csv
import gzip
import hashlib
import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from sources.errors import EncodingError, FileTooLarge, HeaderError, IncompleteFile, MalformedRow, MissingFile, shown

# Thirty times all figures that are bundled; a larger file is a mistake or an attack.
MAX_BYTES = 64 * 2**20
# Hundreds of times the longest line of ours. The reader has such a limit too, but any library may move that one.
MAX_LINE = 100_000

_SAVE_AS = "Save it again as comma-separated text in UTF-8 (in Excel: 'CSV UTF-8')."
_CUT_OFF = "The file may have been cut off: fetch or copy it again."
_MAGIC = {
    b"\x1f\x8b": ("a gzip archive", "Decompress it, or give it a name that ends in .gz."),
    b"PK\x03\x04": ("a zip archive or a spreadsheet", _SAVE_AS),
    b"\xd0\xcf\x11\xe0": ("an old Excel workbook", _SAVE_AS),
}
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
_OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}


@dataclass(frozen=True)
class CsvFile:
    """The rows of one CSV file.

    `frame` has the line number of each row in `row` (Int64) and the expected columns in order, all String, as they
    stand in the file. `sha256` and `bytes` are those of the uncompressed content.
    """

    path: Path
    frame: pl.DataFrame
    sha256: str
    bytes: int

    @property
    def columns(self) -> list[str]:
        """The columns of the file, without `row`."""
        return self.frame.columns[1:]


def read_bytes(path: Path) -> bytes:
    """The content of a file, decompressed if its name ends in .gz.

    Raises MissingFile, FileTooLarge (also for a small archive that grows beyond the limit) or IncompleteFile.
    """
    try:
        if not path.exists():
            raise MissingFile(path, "a file", remedy=f"There is no such file.{_similar(path)}")
        if not path.is_file():
            raise MissingFile(path, "a file", remedy="This is a folder or a device: give the file itself.")
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as content:
            # One byte more than allowed, never all there is: a few kilobytes of gzip can hold terabytes.
            data = content.read(MAX_BYTES + 1)
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise IncompleteFile(path, "a whole gzip file", remedy=f"It cannot be decompressed. {_CUT_OFF}") from error
    except OSError as error:
        raise MissingFile(path, "a file that can be read", remedy=f"Opening it failed: {error.strerror}.") from error
    if len(data) > MAX_BYTES:
        raise FileTooLarge(
            path,
            f"at most {MAX_BYTES // 2**20} MB of text",
            remedy="Figures of all municipalities take a few MB: check what this file is.",
        )
    return data


def decode(path: Path, data: bytes) -> str:
    """UTF-8 bytes as text; a byte order mark is dropped. Raises EncodingError or, without any text, IncompleteFile."""
    if not data.strip(codecs.BOM_UTF8 + b"\r\n\t "):
        raise IncompleteFile(path, "a header and rows", remedy=f"The file is empty. {_CUT_OFF}")
    for magic, (name, remedy) in _MAGIC.items():
        if data.startswith(magic):
            raise EncodingError(path, "text in UTF-8", remedy=f"This is {name}. {remedy}")
    start = data[:512]
    # Without a mark, UTF-16 shows itself as a NUL beside every plain letter.
    if start.startswith(_UTF16_MARKS) or start.count(0) * 3 > len(start):
        raise EncodingError(path, "text in UTF-8", row=1, remedy=f"This is UTF-16 or UTF-32. {_SAVE_AS}")
    if (nul := data.find(b"\x00")) >= 0:
        raise EncodingError(
            path, "text without NUL bytes", row=_line(data, nul), remedy=f"There is one at byte {nul}. {_CUT_OFF}"
        )
    mark = len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0
    try:
        text = data[mark:].decode("utf-8")
    except UnicodeDecodeError as error:
        offset = mark + error.start
        raise EncodingError(
            path,
            "text in UTF-8",
            row=_line(data, offset),
            value=data[offset : offset + 1],
            remedy=f"Byte {offset} is not UTF-8, perhaps a letter with an accent in a Windows code page. {_SAVE_AS}",
        ) from error
    if (lost := text.find("\ufffd")) >= 0:
        raise EncodingError(
            path,
            "text without replacement characters (U+FFFD)",
            row=text.count("\n", 0, lost) + 1,
            remedy="An earlier conversion lost a letter here: take the file from its publisher again.",
        )
    return text


def read_csv(path: Path, columns: Sequence[str]) -> CsvFile:
    """Read a CSV file (or .csv.gz) that has exactly these columns, in any order.

    Empty lines are skipped. Raises an InputError that names the first fault: encoding before header before fields.
    """
    data = read_bytes(path)
    text = decode(path, data)
    lines, records = _records(path, text)
    header = records[0]
    _check_header(path, header, columns)
    _check_end(path, text, lines, records)
    for line, record in zip(lines, records, strict=True):
        if len(record) != len(header):
            raise MalformedRow(
                path,
                f"{len(header)} fields, found {len(record)}",
                row=line,
                remedy="A comma too many or too few? A text that holds a comma stands in double quotes.",
            )
    if len(records) == 1:
        raise IncompleteFile(path, "rows below the header", row=1, remedy=f"There are none. {_CUT_OFF}")
    by_name = dict(zip(header, zip(*records[1:], strict=True), strict=True))
    frame = pl.DataFrame(
        {"row": lines[1:], **{column: by_name[column] for column in columns}},
        schema={"row": pl.Int64, **dict.fromkeys(columns, pl.String)},
    )
    return CsvFile(path=path, frame=frame, sha256=hashlib.sha256(data).hexdigest(), bytes=len(data))


def _records(path: Path, text: str) -> tuple[list[int], list[list[str]]]:
    """Line numbers and fields of all records that are not empty lines. Each record must stand on one line."""
    # newline="": the reader sees line ends as they are, so that its line numbers are those of an editor.
    for line, content in enumerate(io.StringIO(text, newline=""), start=1):
        if len(content) > MAX_LINE:
            raise MalformedRow(
                path,
                f"at most {MAX_LINE} characters on a line, found {len(content)}",
                row=line,
                remedy="Are line ends missing? Copy or export the file again.",
            )
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    lines: list[int] = []
    records: list[list[str]] = []
    line = 0
    try:
        for line, record in enumerate(reader, start=1):
            # Checked against the reader's own count: a quote left open swallows the lines below it.
            if reader.line_num != line:
                raise _open_quote(path, line)
            if record:
                lines.append(line)
                records.append(record)
    except csv.Error as error:
        raise _open_quote(path, line + 1) from error
    return lines, records


def _open_quote(path: Path, line: int) -> MalformedRow:
    return MalformedRow(
        path,
        "every double quote closed on the same line, directly before a comma or the line end",
        row=line,
        remedy='Remove the stray quote, or close it. Inside a quoted text a quote is written twice ("").',
    )


def _check_header(path: Path, header: list[str], columns: Sequence[str]) -> None:
    if sorted(header) == sorted(columns):
        return
    for separator, name in _OTHER_SEPARATORS.items():
        if len(header) == 1 and separator in header[0]:
            raise HeaderError(
                path,
                f"commas between the columns {', '.join(columns)}",
                row=1,
                value=header[0],
                remedy=f"The columns are separated by {name}. {_SAVE_AS} Decimals are written with a point.",
            )
    found = {
        "missing": [column for column in columns if column not in header],
        "not expected": list(dict.fromkeys(column for column in header if column not in columns)),
        "twice": list(dict.fromkeys(column for column in header if column in columns and header.count(column) > 1)),
    }
    parts = "; ".join(f"{what}: {', '.join(map(shown, names[:8]))}" for what, names in found.items() if names)
    raise HeaderError(
        path,
        f"the columns {', '.join(columns)}",
        row=1,
        value=",".join(header),
        remedy=f"In this header, {parts}. Was a column renamed? Give the header its expected names again.",
    )


def _check_end(path: Path, text: str, lines: list[int], records: list[list[str]]) -> None:
    if text.endswith(("\n", "\r")):
        return
    if len(records[-1]) < len(records[0]):
        raise IncompleteFile(
            path,
            f"{len(records[0])} fields, found {len(records[-1])}",
            row=lines[-1],
            remedy=f"The last line stops in the middle. {_CUT_OFF}",
        )
    raise IncompleteFile(
        path,
        "a line end after the last line",
        row=lines[-1],
        remedy="The file may have been cut off: fetch or copy it again. If it is complete, add a line end.",
    )


def _line(data: bytes, offset: int) -> int:
    return data.count(b"\n", 0, offset) + 1


def _similar(path: Path) -> str:
    """A hint at the files that do stand there; a name in other letter case is easily overlooked."""
    if not path.parent.is_dir():
        return " Its folder does not exist either."
    names = sorted(entry.name for entry in path.parent.iterdir() if not entry.name.startswith("."))
    return f" The folder holds: {', '.join(names[:8])}{' …' if len(names) > 8 else ''}." if names else ""
