"""From the bytes of a delivered file to its cells, whatever it is: text, a workbook, JSON or Parquet."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl

from sources.csv_file import decode, read_bytes
from sources.delivered.archive import OLE, ZIP, check_old_workbook, check_size, formulas_of
from sources.errors import IncompleteFile, MalformedRow, UnknownLayout

PARQUET = b"PAR1"
# What an answer of OData is called that holds figures; any other is about them.
_FIGURES = ("Observations", "TypedDataSet", "UntypedDataSet")
_DELIMITERS = (";", "\t", ",")
_SAMPLE = 40
# A header of StatLine in which an editor doubled the quotes between the fields, but not the first and the last.
_BROKEN_HEADER = re.compile(r'"[^"]+"(?:";""[^"]+"?)+".*')
_CUT_OFF = "The file may have been cut off: fetch or copy it again."


@dataclass(frozen=True)
class Sheet:
    """A sheet of a workbook, or a text file: rows of cells as they stand, row 1 first.

    `place` is what a message calls it; `formulas` are rows and columns, counted from 1.
    """

    place: str
    name: str
    rows: list[list[Any]]
    formulas: list[tuple[int, int]] = field(default_factory=list)


@dataclass(frozen=True)
class Records:
    """The rows of an OData answer or a Parquet file: a column per property, all String.

    `table_id` and `entity` (UntypedDataSet, Observations) come from the address of its metadata; Parquet has none.
    """

    place: str
    frame: pl.DataFrame
    table_id: str | None = None
    entity: str | None = None


@dataclass(frozen=True)
class Delivery:
    """A delivered file, opened. `what` says what it is, for messages."""

    path: Path
    what: str
    sheets: Sequence[Sheet] = ()
    records: Records | None = None


def open_delivery(path: Path) -> Delivery:
    """Open a delivered file by its content; its name does not matter.

    Raises an InputError: MissingFile, FileTooLarge, HostileFile, EncodingError, IncompleteFile or MalformedRow.
    """
    data = read_bytes(path)
    if data.startswith(ZIP):
        return _workbook(path, data, formulas_of(path, data))
    if data.startswith(OLE):
        check_old_workbook(path, data)
        return _workbook(path, data, {})
    if data.startswith(PARQUET):
        return Delivery(path, "a Parquet file", records=Records(str(path), read_parquet(path, data)))
    if data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"["):
        return _answer(path, data)
    rows, delimiter = _text_rows(path, _text(path, data))
    return Delivery(path, f"text with {delimiter!r} between fields", [Sheet(str(path), "", rows)])


def as_text(cell: Any, decimal: str = ".") -> str:
    """A cell as text: a number with the decimal comma if that is the file's `decimal`, a date as 2025-03-01."""
    if isinstance(cell, str):
        return cell.strip()
    if cell is None:
        return ""
    if isinstance(cell, float):
        text = str(int(cell)) if cell.is_integer() else repr(cell)
        return (text if "e" not in text else f"{cell:.12f}").replace(".", "," if decimal == "," else ".")
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def address(metadata: str) -> tuple[str | None, str | None]:
    """Table and entity in the address of an answer's metadata: `…/CBS/03759ned/$metadata#Observations`."""
    found = re.fullmatch(r".*/([^/]+)/\$metadata#(?:Cbs\.OData\.WebAPI\.)?(\w+)", metadata)
    return (found[1], found[2]) if found else (None, None)


def parse_json(path: Path, data: bytes) -> dict[str, Any]:
    """An OData answer; raises IncompleteFile where it is cut off or no JSON object."""
    import orjson

    try:
        answer = orjson.loads(data.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        raise IncompleteFile(path, "JSON", row=error.lineno, remedy=f"It cannot be read. {_CUT_OFF}") from error
    return answer if isinstance(answer, dict) else {}


def _workbook(path: Path, data: bytes, formulas: dict[str, list[tuple[int, int]]]) -> Delivery:
    from python_calamine import CalamineError, CalamineWorkbook

    with _readable(path, "workbook", CalamineError):
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        sheets = []
        for name in book.sheet_names:
            sheet = book.get_sheet_by_name(name)
            place = f"{path}, sheet {name}"
            check_size(place, sheet.total_height, sheet.total_width)
            sheets.append(Sheet(place, name, sheet.to_python(skip_empty_area=False), formulas.get(name, [])))
    return Delivery(path, f"a workbook with {len(sheets)} {'sheet' if len(sheets) == 1 else 'sheets'}", sheets)


@contextmanager
def _readable(path: Path, what: str, *errors: type[Exception]) -> Iterator[None]:
    """What a library makes of damaged bytes: IncompleteFile."""
    fault = IncompleteFile(path, f"a whole {what}", remedy=f"It cannot be read. {_CUT_OFF}")
    try:
        yield
    except errors as error:
        raise fault from error
    except BaseException as error:
        # Libraries in Rust panic where a length in the file leads nowhere; that is no Exception.
        if type(error).__name__ != "PanicException":
            raise
        raise fault from error


def read_parquet(path: Path, data: bytes) -> pl.DataFrame:
    """A Parquet file as text, without blanks around it; raises FileTooLarge or IncompleteFile."""
    # Not by Polars: a damaged length in the file makes its reader end the whole process.
    import pyarrow as pa
    from pyarrow import parquet

    with _readable(path, "Parquet file", pa.ArrowException, OSError, ValueError, pl.exceptions.PolarsError):
        file = parquet.ParquetFile(pa.BufferReader(data))
        # The footer says how many rows there are; a kilobyte can hold thousands of millions.
        check_size(str(path), file.metadata.num_rows, file.metadata.num_columns)
        table = file.read()
        table.validate(full=True)
        frame = pl.DataFrame(table)
        number = pl.selectors.float().cast(pl.Float64).cast(pl.String).str.strip_suffix(".0")
        return frame.with_columns(number).with_columns(pl.all().cast(pl.String).fill_null("").str.strip_chars())


def _answer(path: Path, data: bytes) -> Delivery:
    answer = parse_json(path, data)
    table_id, entity = address(str(answer.get("odata.metadata") or answer.get("@odata.context") or ""))
    _refuse_other_json(path, answer, entity)
    rows = answer.get("value")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UnknownLayout(
            path,
            "an answer of an OData service: an object with its rows in `value`",
            remedy="Save the whole answer, as the service gave it.",
        )
    if any(key.endswith("nextLink") for key in answer):
        raise IncompleteFile(
            path,
            "the last page of an answer, or all of it",
            column="nextLink",
            remedy="This is one page of several. Download the table as one file, or let the service be asked directly.",
        )
    if not rows:
        raise IncompleteFile(path, "rows", remedy="The answer has none. Check what was asked for.")
    columns = list(dict.fromkeys(key for row in rows for key in row))
    check_size(str(path), len(rows), len(columns))
    frame = pl.DataFrame(
        {column: [as_text(row.get(column)) for row in rows] for column in columns},
        schema=dict.fromkeys(columns, pl.String),
    )
    records = Records(str(path), frame, table_id, entity)
    return Delivery(
        path, f"an answer of an OData service ({entity or 'of no named entity'} of {table_id})", (), records
    )


def _refuse_other_json(path: Path, answer: dict[str, Any], entity: str | None) -> None:
    """What lies beside figures, and is easily taken for them: boundaries, and what a publisher says of a table."""
    if answer.get("type") == "FeatureCollection":
        raise UnknownLayout(
            path, "figures; this is GeoJSON, boundaries", remedy="Boundaries are fetched (btg fetch), not added."
        )
    # An index has no entity: it says of which table a download is, and when it was made.
    about = entity if entity not in (None, *_FIGURES) else "an index" if "tableId" in answer else None
    if about:
        raise UnknownLayout(
            path,
            f"figures ({', '.join(_FIGURES)}); this is metadata ({about})",
            remedy="Metadata go beside the observations: put this file in the same folder, and add the observations.",
        )


def _text(path: Path, data: bytes) -> str:
    """UTF-8, or the code page of Windows, of which ISO-8859-1 is a part."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        if b"\0" not in data and not data.startswith(b"\xef\xbb\xbf"):
            try:
                data = data.decode("cp1252").encode()
            except UnicodeDecodeError:
                return decode(path, data)
    return decode(path, data)


def _text_rows(path: Path, text: str) -> tuple[list[list[Any]], str]:
    lines = text.splitlines()
    broken = _BROKEN_HEADER.fullmatch(lines[0]) is not None
    if not text.endswith('\n"' if broken else ("\n", "\r")):
        raise IncompleteFile(path, "the end of the last line", row=len(lines), remedy=_CUT_OFF)
    if broken:
        text = "\n".join(line.replace('""', '"') for line in lines if line.strip() != '"') + "\n"
    delimiter = _delimiter(lines[:_SAMPLE])
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[Any]] = []
    try:
        for line, row in enumerate(reader, start=1):
            if reader.line_num != line:
                raise _open_quote(path, line)
            rows.append(row)
    except csv.Error as error:
        raise _open_quote(path, len(rows) + 1) from error
    check_size(str(path), len(rows), max(map(len, rows)))
    return rows, delimiter


def _delimiter(lines: list[str]) -> str:
    """The first of these signs that splits at least half of the lines."""
    filled = [line for line in lines if line.strip()]
    for delimiter in _DELIMITERS:
        split = [row for row in csv.reader(filled, delimiter=delimiter) if len(row) > 1]
        if 2 * len(split) >= len(filled):
            return delimiter
    return _DELIMITERS[0]


def _open_quote(path: Path, line: int) -> MalformedRow:
    return MalformedRow(
        path,
        "every double quote closed on the same line, directly before a separator or the line end",
        row=line,
        remedy='Remove the stray quote, or close it. Inside a quoted text a quote is written twice ("").',
    )
