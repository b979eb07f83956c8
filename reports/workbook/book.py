"""What a workbook is made of, whatever the format of its file: sheets of one table each, and how cells are shown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final, NamedTuple

from reports.numbers import number

# A cell without a value is a code or an empty text, never None.
Cell = str | int | float | bool

# Rows before the header: the title, and in Dutch and English which rows of the database follow.
ROWS_ABOVE: Final = 3
# Text that is wider than this, in characters, goes on in the next line of its cell.
WIDEST: Final = 60
# Room for the sides of a cell, and in the header for the button that filters.
_SIDES: Final = 2
_BUTTON: Final = 4
# What XML cannot hold at all, and a line end that only some programs know.
_ILLEGAL: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Text(NamedTuple):
    """The same in Dutch and in English."""

    nl: str
    en: str


class Format(NamedTuple):
    """How a number is shown; the cell keeps all its digits. Years have no sign between thousands."""

    decimals: int
    grouped: bool = True


@dataclass(frozen=True)
class Column:
    """One column: `cells` and, in the same order, `formats` from top to bottom; None is the program's own format.

    Text in a column of numbers stands for a number that is not there. `links`: cells that are the name of a sheet lead
    to it.
    """

    header: str
    cells: Sequence[Cell]
    formats: Sequence[Format | None]
    is_numeric: bool = False
    links: bool = False

    @cached_property
    def shown(self) -> list[str]:
        """What a Dutch reader sees, cell by cell."""
        return [_shown(cell, form) for cell, form in zip(self.cells, self.formats, strict=True)]

    @cached_property
    def _longest(self) -> int:
        return max(len(line) for text in set(self.shown) for line in text.split("\n"))

    @property
    def width(self) -> int:
        """In characters, so that nothing is cut off."""
        return max(min(self._longest, WIDEST) + _SIDES, len(self.header) + _BUTTON)

    @property
    def wraps(self) -> bool:
        """Whether some cell needs more than one line."""
        return self._longest > WIDEST or any("\n" in text for text in self.shown)


@dataclass(frozen=True)
class Sheet:
    """One table with a title and what rows it holds. All columns have the same number of cells, at least one."""

    name: str
    title: str
    about: Text
    columns: Sequence[Column]
    filters: bool = True

    @property
    def rows(self) -> int:
        """Number of rows under the header."""
        return len(self.columns[0].cells)


@dataclass(frozen=True)
class Book:
    """A whole workbook; `created` is in UTC and is the only time in it."""

    title: str
    subject: str
    author: str
    created: datetime
    sheets: Sequence[Sheet]

    @cached_property
    def names(self) -> frozenset[str]:
        """Names of the sheets: what a cell can lead to."""
        return frozenset(sheet.name for sheet in self.sheets)


def text_column(header: str, cells: Sequence[str], *, links: bool = False) -> Column:
    """A column of text, without the characters that a file cannot hold."""
    clean = {cell: clean_text(cell) for cell in set(cells)}
    return Column(header, [clean[cell] for cell in cells], [None] * len(cells), links=links)


def clean_text(text: str) -> str:
    """Text as both files can hold it: control characters become �, every line end a newline.

    A space goes before what XlsxWriter would take for markup of its own and copy into the file as it is.
    """
    clean = _ILLEGAL.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))
    return f" {clean}" if clean.startswith("<r>") else clean


def _shown(cell: Cell, form: Format | None) -> str:
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "WAAR" if cell else "ONWAAR"
    if form is None:
        return repr(cell).replace(".", ",")
    text = number(cell, form.decimals)
    return text if form.grouped else text.replace(".", "")
