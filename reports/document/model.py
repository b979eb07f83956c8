"""What a report or a set of slides holds, however it is written: paragraphs, lists, tables, pictures and quotes.

All text is finished here; who writes a PDF, a page or an editable document adds layout only.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table: its text, a note in small print behind it, and before it a shape of `palette.SIGNS`."""

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


@dataclass(frozen=True, slots=True)
class Quote:
    """Somebody else's own text, word by word; blank lines part its paragraphs, and `source` says whose it is."""

    text: str
    source: str

    @property
    def paragraphs(self) -> list[str]:
        """The paragraphs, each with its own line breaks."""
        return [part for part in re.split(r"\n\s*\n", self.text.strip()) if part]


@dataclass(frozen=True, slots=True)
class Remark:
    """What an editor must still look at: marked so that nobody takes it for text of the report."""

    text: str


Block: TypeAlias = Paragraph | Bullets | Table | Picture | Quote | Remark


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a report under a heading: a chapter (level 2), or a part of the chapter before it (level 3)."""

    title: str
    blocks: tuple[Block, ...]
    level: int = 2
    language: str = "nl"


@dataclass(frozen=True, slots=True)
class Report:
    """A report. `banner` says that figures are invented; it stands on every page, and is empty where none are.

    `contents` is the title of the table of contents; without one there is none.
    """

    slug: str
    title: str
    subtitle: str
    banner: str
    running: str
    page: str
    publisher: str
    created: datetime
    sections: tuple[Section, ...]
    contents: str = ""

    @property
    def blocks(self) -> list[Block]:
        """The blocks of all sections, in their order."""
        return [block for section in self.sections for block in section.blocks]

    @property
    def pictures(self) -> list[Picture]:
        """The pictures, in their order."""
        return [block for block in self.blocks if isinstance(block, Picture)]

    @property
    def texts(self) -> list[str]:
        """Every text that it shows."""
        titles = [self.title, self.subtitle, self.banner, *(section.title for section in self.sections)]
        return [*titles, *(text for block in self.blocks for text in texts_of(block))]


def texts_of(block: Block) -> list[str]:
    """Every text that a block shows."""
    if isinstance(block, Bullets):
        return list(block.items)
    if isinstance(block, Table):
        cells = [text for row in block.rows for cell in row for text in (cell.text, cell.note)]
        return [block.caption, *block.heads, *cells, block.note]
    if isinstance(block, Picture):
        lines = [text for line in block.lines for text in (line.name, line.figure)]
        return [block.caption, block.unit, *(label for _, label in (*block.ticks, *block.legend)), *lines]
    return [block.text, block.source] if isinstance(block, Quote) else [block.text]


@dataclass(frozen=True, slots=True)
class Slide:
    """A slide: what it says as a title, what it shows, and in small print where that comes from."""

    title: str
    blocks: tuple[Block, ...]
    source: str = ""


@dataclass(frozen=True, slots=True)
class Deck:
    """Slides, behind a first one with title, subtitle and publisher; `banner` as of a report."""

    slug: str
    title: str
    subtitle: str
    banner: str
    publisher: str
    created: datetime
    slides: tuple[Slide, ...]
    language: str = "nl"

    @property
    def pictures(self) -> list[Picture]:
        """The pictures, in their order."""
        return [block for slide in self.slides for block in slide.blocks if isinstance(block, Picture)]


# The languages that texts may have, each with the country whose spelling it follows.
LOCALES: Final = {"nl": "nl-NL", "en": "en-GB"}


def plain(block: Block) -> dict[str, Any]:
    """A block as a mapping, which says of what kind it is."""
    parts = {"paragraphs": block.paragraphs} if isinstance(block, Quote) else {}
    return {"kind": type(block).__name__.lower(), **asdict(block), **parts}
