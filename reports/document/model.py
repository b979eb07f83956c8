"""What a report holds, however it is written: sections of paragraphs, lists, tables and pictures.

All text is finished here; who writes a PDF or an editable document adds layout only.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table: its text, a note in small print below it, and before it the shape of a verdict."""

    text: str
    note: str = ""
    verdict: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table with one row of heads; `widths` are parts of the width of the page.

    A table stays on one page, unless it `breaks`.
    """

    caption: str
    heads: tuple[str, ...]
    widths: tuple[float, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    breaks: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark on an axis, at a `place` from 0 to 1: `own` is a filled diamond, the others a bar and a triangle."""

    kind: str
    place: float


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a picture: its name, its figure as text, its marks and its margin."""

    name: str
    figure: str
    marks: tuple[Mark, ...] = ()
    margin: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """Figures as dots with margins on one axis, a line each; `alt` says the same in words.

    `line_height` is the least height of a line, in centimetres; `stamp` says that figures are made up.
    """

    caption: str
    alt: str
    unit: str
    ticks: tuple[tuple[float, str], ...]
    lines: tuple[Line, ...]
    legend: tuple[tuple[str, str], ...]
    line_height: float
    stamp: str = ""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list."""

    items: tuple[str, ...]


Block: TypeAlias = Paragraph | Bullets | Table | Picture


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a report under a heading."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """A report. `banner` says that figures are invented; it stands on every page, and is empty where none are."""

    slug: str
    title: str
    subtitle: str
    banner: str
    running: str
    page: str
    publisher: str
    created: datetime
    sections: tuple[Section, ...]

    @property
    def pictures(self) -> list[Picture]:
        """The pictures, in their order."""
        return [block for section in self.sections for block in section.blocks if isinstance(block, Picture)]


def plain(block: Block) -> dict[str, Any]:
    """A block as a mapping, which says of what kind it is."""
    return {"kind": type(block).__name__.lower(), **asdict(block)}
