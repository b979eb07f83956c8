"""From a workbook or a folder of csv files to sheets of cells. Nothing is interpreted yet."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from catalog.register_model import RegisterLayout, load_register_layout
from sources.csv_file import decode, read_bytes
from sources.delivered.archive import OLE, ZIP, check_old_workbook, check_size
from sources.delivered.opened import as_text, open_delivery
from sources.errors import HeaderError, IncompleteFile, InputError, MalformedRow, MissingFile, UnknownLayout

# The one part of a register that is a workbook; the parts of others are called after their files.
WORKBOOK = "workbook"
_CSV = ".csv"
_TEMPLATE = "Fill in the template (btg template FILE) and add that."


@dataclass(frozen=True)
class RawSheet:
    """A sheet: its rows, each with the number that an editor shows, and where formulas stand (row, column)."""

    place: str
    name: str
    rows: list[tuple[int, list[Any]]]
    formulas: list[tuple[int, int]] = field(default_factory=list)


def is_register(path: Path) -> bool:
    """Whether this is the register of a bureau: it has the first two sheets. False for what cannot be opened."""
    wanted = {sheet.name.casefold() for sheet in load_register_layout().sheets[:2]}
    try:
        if path.is_dir():
            return wanted <= {entry.stem.casefold() for entry in path.iterdir() if entry.suffix.lower() == _CSV}
        data = read_bytes(path)
        return data.startswith(ZIP) and wanted <= {sheet.name.casefold() for sheet in _workbook(str(path), data)}
    except (InputError, OSError):
        return False


def parts_of(path: Path) -> dict[str, bytes]:
    """The bytes of a register: a workbook, or the files of a folder but for the explanation. Raises an InputError."""
    if not path.is_dir():
        return {WORKBOOK: read_bytes(path)}
    explanation = load_register_layout().help_sheet.casefold()
    files = sorted(entry for entry in path.iterdir() if not entry.name.startswith("."))
    wanted = [entry for entry in files if entry.stem.casefold() != explanation]
    if not wanted:
        raise MissingFile(path, "the csv files of a register", remedy=f"The folder is empty. {_TEMPLATE}")
    return {entry.name: read_bytes(entry) for entry in wanted}


def open_parts(parts: Mapping[str, bytes], place: str) -> list[RawSheet]:
    """The sheets of a register, but for the explanation. `place` is what messages call the file or folder.

    Raises an InputError, also for a sheet that the register does not have.
    """
    if WORKBOOK in parts:
        sheets = _workbook(place, parts[WORKBOOK])
    else:
        sheets = [_csv(Path(place) / name, data) for name, data in parts.items()]
    layout = load_register_layout()
    sheets = [sheet for sheet in sheets if sheet.name.casefold() != layout.help_sheet.casefold()]
    _check_sheets(sheets, layout, place)
    return sheets


def _check_sheets(sheets: list[RawSheet], layout: RegisterLayout, place: str) -> None:
    wanted = [sheet.name for sheet in layout.sheets]
    known = {name.casefold() for name in wanted}
    found = [sheet.name.casefold() for sheet in sheets]
    if unknown := [sheet.name for sheet in sheets if sheet.name.casefold() not in known]:
        raise HeaderError(
            place,
            f"the sheets {', '.join(wanted)} and no other",
            value=unknown[0],
            remedy="Remove this sheet: it could hold what may not be kept.",
        )
    if twice := [name for name in wanted if found.count(name.casefold()) > 1]:
        raise HeaderError(place, "every sheet once", value=twice[0], remedy="Remove one of the two.")
    if missing := [name for name in wanted if name.casefold() not in found]:
        raise HeaderError(
            place,
            f"a sheet {missing[0]}",
            remedy=f"Missing: {', '.join(missing)}. A sheet without rows may stay empty, but its header must be there.",
        )


def _workbook(place: str, data: bytes) -> list[RawSheet]:
    if data.startswith(OLE):
        check_old_workbook(Path(place), data)
    if not data.startswith(ZIP):
        # In the old format formulas cannot be told from values.
        raise UnknownLayout(place, "a workbook (.xlsx or .ods), or a folder of csv files", remedy=_TEMPLATE)
    with tempfile.TemporaryDirectory(prefix="btg-") as folder:
        path = Path(folder) / WORKBOOK
        path.write_bytes(data)
        try:
            delivery = open_delivery(path)
        except InputError as error:
            error.file = error.file.replace(str(path), place)
            raise
    return [
        RawSheet(f"{place}, sheet {sheet.name}", sheet.name, list(enumerate(sheet.rows, start=1)), sheet.formulas)
        for sheet in delivery.sheets
    ]


def _csv(path: Path, data: bytes) -> RawSheet:
    """A csv file, as Excel writes it in the Netherlands (semicolons) or elsewhere (commas).

    Other than in files of figures a text in quotes may go on on a next line: texts have paragraphs.
    """
    if path.suffix.lower() != _CSV:
        raise HeaderError(path, "csv files only", value=path.name, remedy="Remove this file from the folder.")
    text = decode(path, _in_utf8(data))
    if not text.endswith(("\n", "\r")):
        raise IncompleteFile(
            path,
            "a line end after the last line",
            remedy="The file may have been cut off: copy it again. If it is complete, add a line end.",
        )
    delimiter = ";" if ";" in text.partition("\n")[0] else ","
    rows: list[tuple[int, list[Any]]] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for row in reader:
            rows.append((line, row))
            line = reader.line_num + 1
    except csv.Error as error:
        raise MalformedRow(
            path,
            "every double quote closed, directly before a separator or the line end",
            row=line,
            remedy='Remove the stray quote, or close it. Inside a quoted text a quote is written twice ("").',
        ) from error
    check_size(str(path), len(rows), max((len(row) for _, row in rows), default=0))
    width = len(rows[0][1])
    for number, row in rows:
        if len(row) != width and any(map(as_text, row)):
            raise MalformedRow(
                path,
                f"{width} fields, found {len(row)}",
                row=number,
                remedy=f"A {delimiter!r} too many or too few? A text that holds one stands in double quotes.",
            )
    return RawSheet(str(path), path.stem, rows)


def _in_utf8(data: bytes) -> bytes:
    """Excel may save csv in the code page of Windows."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        try:
            return data.decode("cp1252").encode() if b"\0" not in data else data
        except UnicodeDecodeError:
            return data
    return data
