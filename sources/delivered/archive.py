"""Looks over a workbook before anything opens it: what a hostile archive could do, and where its formulas stand.

Everything happens in memory. Nothing is ever written from an archive.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sources.errors import FileTooLarge, HostileFile, IncompleteFile, UnknownLayout

ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"

MAX_PARTS = 2_000
MAX_INFLATED = 256 * 2**20
# Sheets of figures shrink to a tenth or, where they repeat themselves, a fiftieth. Small parts may shrink to anything.
MAX_RATIO, RATIO_FROM = 200, 2**20
MAX_ROWS, MAX_COLUMNS, MAX_CELLS = 250_000, 4_000, 12_000_000

Formulas = dict[str, list[tuple[int, int]]]

_ASK = "Ask the sender for the same figures as a plain .xlsx or .csv file."
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
_CELL = re.compile(rb"""<(?:\w+:)?c\s[^>]*?\br=["']([A-Z]{1,7})(\d{1,9})["']""")
_ENCODING = re.compile(rb"""<\?xml[^>]*encoding=["']([^"']+)["']""")
_MACROS = re.compile(r"vbaproject|macrosheets/|^basic/|^scripts/|/xlm", re.IGNORECASE)


def formulas_of(path: Path, data: bytes) -> Formulas:
    """Check a workbook (xlsx or ods) and return where it has formulas: sheet -> rows and columns, counted from 1.

    Raises HostileFile for a path that leads outside, encryption, macros, entities in its XML or a part that grows out
    of proportion; FileTooLarge for too many parts, bytes, rows or columns; IncompleteFile where it cannot be read;
    UnknownLayout for an archive that is no workbook.
    """
    parts = inflated(path, data)
    for name, content in parts.items():
        if name.lower().endswith((".xml", ".rels")):
            _check_xml(path, name, content)
    if "xl/workbook.xml" in parts:
        return _formulas_xlsx(path, parts)
    if "content.xml" in parts:
        return _formulas_ods(path, parts["content.xml"])
    raise UnknownLayout(
        path,
        "a workbook (.xlsx or .ods), text, JSON or Parquet",
        remedy="This is an archive of other files: unpack it, and add the file with the figures itself.",
    )


def check_old_workbook(path: Path, data: bytes) -> None:
    """Check the old format of Excel (.xls), which also wraps encrypted workbooks. Raises HostileFile."""
    for mark, what in (("EncryptedPackage", "a password"), ("_VBA_PROJECT", "macros"), ("Macros", "macros")):
        if mark.encode("utf-16-le") in data:
            raise HostileFile(path, f"a workbook without {what}", remedy=_ASK)


def check_size(place: str, rows: int, columns: int) -> None:
    """Raises FileTooLarge for a table beyond all figures of all neighbourhoods."""
    if rows > MAX_ROWS or columns > MAX_COLUMNS or rows * columns > MAX_CELLS:
        raise FileTooLarge(
            place,
            f"at most {MAX_ROWS} rows, {MAX_COLUMNS} columns and {MAX_CELLS} cells, found {rows} by {columns}",
            remedy="Deliver the regions and topics that are needed only.",
        )


def inflated(path: Path, data: bytes) -> dict[str, bytes]:
    """The parts of an archive, inflated. Lengths its headers declare are not believed.

    Raises HostileFile, FileTooLarge and IncompleteFile.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            _check_entries(path, entries)
            parts: dict[str, bytes] = {}
            left = MAX_INFLATED
            for entry in entries:
                with archive.open(entry) as stream:
                    content = stream.read(left + 1)
                left -= len(content)
                _check_growth(path, entry, len(content), left)
                parts[entry.filename] = content
            return parts
    # zipfile raises NotImplementedError for a compression that it does not know.
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
        raise IncompleteFile(
            path,
            "a whole workbook",
            remedy="Its archive is damaged or was cut off: fetch or copy it again.",
        ) from error


def _check_entries(path: Path, entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MAX_PARTS or sum(entry.file_size for entry in entries) > MAX_INFLATED:
        raise FileTooLarge(path, f"at most {MAX_PARTS} parts and {MAX_INFLATED // 2**20} MB when unpacked", remedy=_ASK)
    for entry in entries:
        # orig_filename: zipfile itself turns backslashes and cuts names at a NUL.
        name = entry.orig_filename.replace("\\", "/")
        if name.startswith("/") or ".." in name.split("/") or ":" in name or "\0" in name:
            raise HostileFile(path, "parts inside the archive only", column="part", value=name, remedy=_ASK)
        if entry.flag_bits & 0x1:
            raise HostileFile(path, "a workbook without a password", column="part", value=name, remedy=_ASK)
        if _MACROS.search(name):
            raise HostileFile(path, "a workbook without macros", column="part", value=name, remedy=_ASK)
    if len({entry.filename for entry in entries}) < len(entries):
        raise HostileFile(path, "every part of the archive once", remedy=_ASK)


def _check_growth(path: Path, entry: zipfile.ZipInfo, size: int, left: int) -> None:
    if left < 0 or (size > RATIO_FROM and size > MAX_RATIO * max(entry.compress_size, 1)):
        raise HostileFile(
            path,
            f"parts that grow to at most {MAX_RATIO} times their size, and {MAX_INFLATED // 2**20} MB together",
            column="part",
            value=entry.filename,
            remedy=_ASK,
        )


def _check_xml(path: Path, name: str, content: bytes) -> None:
    encoding = _ENCODING.match(content.removeprefix(b"\xef\xbb\xbf"))
    plain = encoding is None or encoding[1].lower() in (b"utf-8", b"us-ascii")
    # In another encoding the marks looked for here could be written otherwise.
    if b"\0" in content[:64] or not plain or b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise HostileFile(path, "XML in UTF-8 without entities of its own", column="part", value=name, remedy=_ASK)


def _formulas_xlsx(path: Path, parts: dict[str, bytes]) -> Formulas:
    found: Formulas = {}
    for sheet, part in _sheets(path, parts).items():
        content = parts.get(part, b"")
        # A cell far out makes a sheet of thousands of millions of cells: looked for before anything opens it.
        rows = columns = 0
        for cell in _CELL.finditer(content):
            rows, columns = max(rows, int(cell[2])), max(columns, _number(cell[1].decode()))
        check_size(f"{path}, sheet {sheet}", rows, columns)
        if _FORMULA.search(content):
            found[sheet] = _formulas_in_sheet(path, content)
    return found


def _sheets(path: Path, parts: dict[str, bytes]) -> dict[str, str]:
    """Sheet -> part of the archive."""
    links = {
        element.get("Id", ""): element.get("Target", "")
        for _, element in _elements(path, parts.get("xl/_rels/workbook.xml.rels", b""), "end")
    }
    sheets: dict[str, str] = {}
    for _, element in _elements(path, parts["xl/workbook.xml"], "end"):
        if _local(element.tag) == "sheet":
            key = next((value for name, value in element.attrib.items() if _local(name) == "id"), "")
            target = links.get(key, "")
            sheets[element.get("name", "")] = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
    return sheets


def _formulas_in_sheet(path: Path, content: bytes) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    row = column = 0
    for event, element in _elements(path, content, "start", "end"):
        name = _local(element.tag)
        if event == "end":
            element.clear()
        elif name == "row":
            row, column = _count(element.get("r"), row + 1), 0
        elif name == "c":
            letters = element.get("r", "").rstrip("0123456789")
            column = _number(letters) if letters else column + 1
        elif name == "f":
            found.append((row, column))
    return found


def _formulas_ods(path: Path, content: bytes) -> Formulas:
    """Also measures the tables: a cell repeated a million times takes forty bytes."""
    found: Formulas = {}
    sheet, row, column, filled = "", 1, 1, 0
    for event, element in _elements(path, content, "start", "end"):
        name, attributes = _local(element.tag), {_local(key): value for key, value in element.attrib.items()}
        if event == "start" and name == "table":
            sheet, row = attributes.get("name", ""), 1
        elif event == "start" and name == "table-row":
            column, filled = 1, 0
        elif event == "end" and name == "table-row":
            row += _count(attributes.get("number-rows-repeated"), 1)
            check_size(f"{path}, sheet {sheet}", row - 1 if filled else 0, filled)
        elif event == "end" and name in ("table-cell", "covered-table-cell"):
            width = _count(attributes.get("number-columns-repeated"), 1)
            if "value-type" in attributes or "formula" in attributes:
                filled = column + width - 1
            if "formula" in attributes:
                found.setdefault(sheet, []).append((row, column))
            column += width
        if event == "end":
            element.clear()
    return found


def _elements(path: Path, content: bytes, *events: str) -> Iterator[tuple[str, Any]]:
    from defusedxml import DefusedXmlException, ElementTree

    try:
        yield from ElementTree.iterparse(io.BytesIO(content), events=events, forbid_dtd=True)
    except DefusedXmlException as error:
        raise HostileFile(path, "XML without entities of its own", remedy=_ASK) from error
    except (ElementTree.ParseError, ValueError) as error:
        raise IncompleteFile(path, "XML that can be read", remedy=_ASK) from error


def _local(name: str) -> str:
    """The name of an element or attribute without its namespace."""
    return name.rpartition("}")[2]


def _count(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isdecimal() else otherwise


def _number(letters: str) -> int:
    """The number of a column: A is 1, AA is 27."""
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number
