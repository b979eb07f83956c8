"""Slides to be edited: real titles, lists, tables with a row of heads and pictures with a text.

A presentation does not say how much room a text takes, so that is reckoned here, a little too wide.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from itertools import groupby
from math import ceil
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from reports import palette
from reports.document.model import (
    LOCALES,
    Block,
    Bullets,
    Cell,
    Deck,
    Paragraph,
    Picture,
    Quote,
    Remark,
    Slide,
    Table,
)
from reports.document.packed import timeless

if TYPE_CHECKING:
    from pptx.presentation import Presentation
    from pptx.slide import Slide as Page

# In centimetres.
_WIDTH, _HEIGHT = 33.867, 19.05
_EDGE: Final = 1.6
_TEXT_WIDTH: Final = _WIDTH - 2 * _EDGE
_TOP, _BOTTOM = 4.0, 17.1  # of what stands between title and source
_GAP: Final = 0.4
_INSET: Final = 0.25  # of a text from the edge of its box
_ROW: Final = 0.25  # what a row takes beside its lines
# In points.
_SIZES: Final = (28, 24, 22, 20, 18, 16, 14, 12, 11, 10)
_TITLE, _LONG_TITLE, _SMALL, _TABLE = 30, 24, 12, 18  # of a table: at most
_POINT: Final = 2.54 / 72  # in centimetres
_LETTER: Final = 0.52  # of a letter: its mean width, a part of its size
_LEADING: Final = 1.2
_LONG: Final = 55  # letters of a title that takes two lines
_LEAST: Final = 0.5  # of its full size, what a picture is shrunk to before the text is
_KEPT: Final = ("Title Slide", "Title and Content", "Title Only")
_DECORATION: Final = (
    '<a:extLst xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main">'
    '<a:ext uri="{C183D7F6-B498-43B3-948B-1728B52AA6E4}"><adec:decorative '
    'xmlns:adec="http://schemas.microsoft.com/office/drawing/2017/decorative" val="1"/></a:ext></a:extLst>'
)


@dataclass(frozen=True, slots=True)
class _Text:
    """A piece of running text; `part` is its size as a part of that of the slide."""

    text: str
    shape: str = ""
    colour: palette.Shade = palette.INK
    is_item: bool = False
    is_bold: bool = False
    part: float = 1.0


@dataclass(frozen=True, slots=True)
class _Box:
    """Text in a box: the words of the slide itself, a quote, or a remark."""

    kind: str
    texts: tuple[_Text, ...]

    def height(self, size: float) -> float:
        """In centimetres, at this size."""
        width = _TEXT_WIDTH - 2 * _INSET - (1 if self.kind != "text" else 0)
        return 2 * _INSET + sum(_height(text, size, width) for text in self.texts)


@dataclass(frozen=True, slots=True)
class _Image:
    """A picture with its bytes, and how wide and high it is at most."""

    picture: Picture
    content: bytes

    @property
    def ratio(self) -> float:
        """Height by width, as a PNG's head says."""
        width, height = (int.from_bytes(self.content[at : at + 4], "big") for at in (16, 20))
        return height / width

    @property
    def full(self) -> float:
        """The height it would like, in centimetres."""
        return min(_TEXT_WIDTH * self.ratio, _BOTTOM - _TOP)


_Part: TypeAlias = _Box | Table | _Image


def pptx(deck: Deck, images: Iterator[bytes]) -> bytes:
    """Slides as a PowerPoint presentation; `images` are their pictures, in their order."""
    from pptx import Presentation

    presentation = Presentation()
    _set_up(presentation, deck)
    _add_opening(presentation, deck)
    for slide in deck.slides:
        _add_slide(presentation, deck, slide, images)
    for element in [presentation.element, *(page.element for page in _all_pages(presentation))]:
        _speak(element, LOCALES[deck.language])
    target = io.BytesIO()
    presentation.save(target)
    return timeless(target.getvalue())


# --- the whole


def _set_up(presentation: Presentation, deck: Deck) -> None:
    """Title, size of the slides, and the few layouts that are used, made for that size."""
    about = presentation.core_properties
    about.title, about.author, about.subject = deck.title, deck.publisher, deck.subtitle
    about.comments, about.language, about.last_modified_by = deck.banner, LOCALES[deck.language], deck.publisher
    about.created = about.modified = deck.created.replace(tzinfo=None)
    presentation.slide_width, presentation.slide_height = _cm(_WIDTH), _cm(_HEIGHT)
    layouts = presentation.slide_layouts
    for layout in [layout for layout in layouts if layout.name not in _KEPT]:
        layouts.remove(layout)
    master = presentation.slide_master
    third = _TEXT_WIDTH / 3
    for shape, place in zip(
        master.placeholders,
        (
            (_EDGE, 1.3, _TEXT_WIDTH, 2.6),  # title
            (_EDGE, _TOP, _TEXT_WIDTH, _BOTTOM - _TOP),  # text
            (_EDGE, 18.0, third, 0.8),  # date
            (_EDGE + third, 18.0, third, 0.8),  # foot
            (_EDGE + 2 * third, 18.0, third, 0.8),  # number
        ),
        strict=True,
    ):
        _put(shape, *place)
    _put(layouts[0].placeholders[0], _EDGE, 5.0, _TEXT_WIDTH, 3.6)
    _put(layouts[0].placeholders[1], _EDGE, 8.8, _TEXT_WIDTH, 2.0)
    _set_styles(master.element, [layout.element for layout in layouts])


def _set_styles(master: Any, layouts: Sequence[Any]) -> None:
    """Titles at the left in the colour of titles; nothing in the pale grey that comes with the library."""
    from pptx.oxml import parse_xml
    from pptx.oxml.ns import nsdecls, qn

    style = master.find(".//" + qn("p:titleStyle")).find(qn("a:lvl1pPr"))
    style.set("algn", "l")
    letters = style.find(qn("a:defRPr"))
    letters.set("sz", str(_TITLE * 100))
    letters.set("b", "1")
    letters.replace(letters.find(qn("a:solidFill")), parse_xml(_fill(palette.BLUE, nsdecls("a"))))
    for tint in [tint for element in (master, *layouts) for tint in element.iter(qn("a:tint"))]:
        tint.getparent().remove(tint)
    for body in master.findall(".//" + qn("a:bodyPr")):
        for fit in body.findall(qn("a:normAutofit")):
            body.remove(fit)
    for aligned in layouts[0].iter(qn("a:lvl1pPr")):
        aligned.set("algn", "l")


def _fill(shade: palette.Shade, names: str) -> str:
    return f'<a:solidFill {names}><a:srgbClr val="{_hex(shade)}"/></a:solidFill>'


def _all_pages(presentation: Presentation) -> list[Any]:
    return [presentation.slide_master, *presentation.slide_layouts, *presentation.slides]


def _speak(element: Any, locale: str) -> None:
    """Say of all text in which language it is."""
    from pptx.oxml.ns import qn

    for name in ("a:rPr", "a:defRPr", "a:endParaRPr"):
        for letters in element.iter(qn(name)):
            letters.set("lang", locale)


# --- slides


def _add_opening(presentation: Presentation, deck: Deck) -> None:
    page = presentation.slides.add_slide(presentation.slide_layouts[0])
    page.shapes[0].text_frame.text = deck.title
    page.shapes[0].text_frame.paragraphs[0].font.size = _pt(40)
    _write(page.shapes[1], (_Text(deck.subtitle),), 24)
    _add_box(page, (_EDGE, 15.6, _TEXT_WIDTH, 1.3), (_Text(deck.publisher, colour=palette.GREY),), 18)
    if deck.banner:
        box = _add_box(page, (_EDGE, 11.4, _TEXT_WIDTH, 1.5), (_alarm(deck.banner),), 24)
        _outline(box)


def _add_slide(presentation: Presentation, deck: Deck, slide: Slide, images: Iterator[bytes]) -> None:
    parts = _parts(slide.blocks, images)
    size, heights = _fitted(parts, slide.title)
    texts = [at for at, part in enumerate(parts) if isinstance(part, _Box) and part.kind == "text"]
    page = presentation.slides.add_slide(presentation.slide_layouts[1 if texts else 2])
    title = page.shapes[0]
    title.text_frame.text = slide.title
    if len(slide.title) > _LONG:
        title.text_frame.paragraphs[0].font.size = _pt(_LONG_TITLE)
    if deck.banner:
        banner = _add_box(page, (_EDGE, 0.4, _TEXT_WIDTH, 0.9), (_alarm(deck.banner),), 14)
        _align_right(banner)
    top = _TOP
    for at, (part, height) in enumerate(zip(parts, heights, strict=True)):
        body = page.placeholders[1] if texts[:1] == [at] else None
        _add_part(page, part, (top, height), size, body)
        top += height + _GAP
    if slide.source:
        width = _TEXT_WIDTH - 3
        _add_box(page, (_EDGE, 17.3, width, 1.3), (_Text(slide.source, colour=palette.GREY),), _SMALL)
    _number(page, len(presentation.slides))


def _parts(blocks: Sequence[Block], images: Iterator[bytes]) -> list[_Part]:
    """What stands below each other: paragraphs and lists that follow each other are one text."""
    parts: list[_Part] = []
    for is_text, group in groupby(blocks, lambda block: isinstance(block, Paragraph | Bullets)):
        if is_text:
            texts = tuple(text for block in group for text in _texts(block))
            parts += [_Box("text", texts)] if texts else []
        else:
            parts += [_part(block, images) for block in group]
    return parts


def _texts(block: Block) -> list[_Text]:
    if isinstance(block, Paragraph):
        return [_Text(block.text)]
    return [_Text(item, is_item=True) for item in block.items] if isinstance(block, Bullets) else []


def _part(block: Block, images: Iterator[bytes]) -> _Part:
    if isinstance(block, Picture):
        return _Image(block, next(images))
    if isinstance(block, Quote):
        source = _Text(block.source, colour=palette.GREY, part=0.7)
        return _Box("quote", (*map(_Text, block.paragraphs), source))
    if isinstance(block, Remark):
        return _Box("remark", (_alarm(f"{palette.REMARK.shape} {block.text}"),))
    if isinstance(block, Table):
        return block
    raise TypeError(f"{type(block).__name__} is running text")


def _alarm(text: str) -> _Text:
    return _Text(text, colour=palette.ALARM, is_bold=True)


# --- how much room things take


def _fitted(parts: Sequence[_Part], title: str) -> tuple[float, list[float]]:
    """The largest size of letters at which all of it fits, and how high each part then is."""
    pictures = sum(part.full for part in parts if isinstance(part, _Image))
    room = _BOTTOM - _TOP - _GAP * max(len(parts) - 1, 0)
    for size in _SIZES:
        left = room - sum(_part_height(part, size) for part in parts)
        if left >= pictures * _LEAST:
            share = min(1.0, left / pictures) if pictures else 1.0
            return size, [
                _part_height(part, size) + (part.full * share if isinstance(part, _Image) else 0) for part in parts
            ]
    raise ValueError(f"What is on the slide {title!r} does not fit on it")


def _part_height(part: _Part, size: float) -> float:
    """In centimetres, at this size; of a picture that of its caption."""
    if isinstance(part, _Box):
        return part.height(size)
    if isinstance(part, _Image):
        return _line_height(part.picture.caption, size)
    rows = sum(_row_height([cell.text + cell.note for cell in row], part, size) for row in part.rows)
    note = _line_height(part.note, size) if part.note else 0.0
    return _line_height(part.caption, size) + _row_height(part.heads, part, size) + rows + note


def _row_height(texts: Sequence[str], table: Table, size: float) -> float:
    widths = _column_widths(table)
    letters = _table_size(size)
    # Four letters more: the shape of a verdict, and the brackets of a note.
    lines = (_lines(f"{text}    ", letters, width - 0.6) for text, width in zip(texts, widths, strict=True))
    return max(lines, default=1) * letters * _LEADING * _POINT + _ROW


def _line_height(text: str, size: float) -> float:
    """Of a caption or a note, which stand in a box of their own."""
    return _height(_Text(text), _table_size(size), _TEXT_WIDTH - 2 * _INSET) + 0.2


def _height(text: _Text, size: float, width: float) -> float:
    letters = size * text.part
    return (_lines(text.text, letters, width - 1) * _LEADING + 0.35) * letters * _POINT


def _lines(text: str, size: float, width: float) -> int:
    """How many lines a text takes."""
    letters = max(1.0, width / (size * _LETTER * _POINT))
    return sum(max(1, ceil(len(line) / letters)) for line in text.split("\n"))


def _table_size(size: float) -> float:
    return min(size, _TABLE)


def _column_widths(table: Table) -> list[float]:
    return [_TEXT_WIDTH * part / sum(table.widths) for part in table.widths]


# --- what stands on them


def _add_part(page: Page, part: _Part, place: tuple[float, float], size: float, body: Any) -> None:
    """Put a part below a height; running text into the body of the slide where that is still free."""
    top, height = place
    if isinstance(part, Table):
        _add_table(page, part, place, size)
    elif isinstance(part, _Image):
        _add_image(page, part, place, size)
    elif part.kind == "text" and body is not None:
        _put(body, _EDGE, top, _TEXT_WIDTH, height)
        _write(body, part.texts, size)
    elif part.kind == "quote":
        _add_box(page, (_EDGE + 0.5, top, _TEXT_WIDTH - 0.5, height), part.texts, size)
        _add_bar(page, top, height)
    else:
        box = _add_box(page, (_EDGE, top, _TEXT_WIDTH, height), part.texts, size)
        if part.kind == "remark":
            _outline(box)


def _add_box(page: Page, place: tuple[float, float, float, float], texts: Sequence[_Text], size: float) -> Any:
    box = page.shapes.add_textbox(*map(_cm, place))
    _write(box, texts, size)
    return box


def _write(shape: Any, texts: Sequence[_Text], size: float) -> None:
    """Write paragraphs into a shape."""
    from pptx.enum.text import MSO_AUTO_SIZE

    frame = shape.text_frame
    frame.word_wrap, frame.auto_size = True, MSO_AUTO_SIZE.NONE
    for number, text in enumerate(texts):
        paragraph = frame.paragraphs[0] if number == 0 else frame.add_paragraph()
        _set_paragraph(paragraph, text.is_item, size * text.part)
        for at, line in enumerate(text.text.split("\n")):
            if at:
                paragraph.add_line_break()
            _set_letters(paragraph.add_run(), line, size * text.part, text.colour, is_bold=text.is_bold)


def _set_paragraph(paragraph: Any, is_item: bool, size: float) -> None:
    """With or without the sign of a list, whatever the layout has."""
    from pptx.oxml import parse_xml
    from pptx.oxml.ns import nsdecls

    paragraph.space_before, paragraph.space_after = _pt(0), _pt(round(size * 0.35))
    properties = paragraph._p.get_or_add_pPr()  # noqa: SLF001 - the library has no lists
    indent = _cm(0.9) if is_item else 0
    properties.set("marL", str(indent))
    properties.set("indent", str(-indent))
    properties.append(parse_xml(f'<a:buChar {nsdecls("a")} char="•"/>' if is_item else f"<a:buNone {nsdecls('a')}/>"))


def _set_letters(run: Any, text: str, size: float, colour: palette.Shade, *, is_bold: bool = False) -> None:

    run.text = text
    run.font.size, run.font.bold = _pt(size), is_bold
    run.font.color.rgb = _rgb(colour)


def _add_table(page: Page, table: Table, place: tuple[float, float], size: float) -> None:
    top, _ = place
    letters = _table_size(size)
    above = _line_height(table.caption, size)
    _add_box(page, (_EDGE, top, _TEXT_WIDTH, above), (_Text(table.caption, is_bold=True),), letters)
    heights = [
        _row_height(table.heads, table, size),
        *(_row_height([cell.text + cell.note for cell in row], table, size) for row in table.rows),
    ]
    where = (_EDGE, top + above, _TEXT_WIDTH, sum(heights))
    frame: Any = page.shapes.add_table(len(heights), len(table.heads), *map(_cm, where))
    frame.name = table.caption
    frame._element.nvGraphicFramePr.cNvPr.set("descr", table.caption)  # noqa: SLF001 - the library has no such texts
    grid = frame.table
    grid.first_row, grid.horz_banding = True, False
    for column, width in zip(grid.columns, _column_widths(table), strict=True):
        column.width = _cm(width)
    for row, height in zip(grid.rows, heights, strict=True):
        row.height = _cm(height)
    for cell, head in zip(grid.rows[0].cells, table.heads, strict=True):
        _fill_cell(cell, Cell(head), letters, is_head=True)
    for number, row in enumerate(table.rows, 1):
        for cell, words in zip(grid.rows[number].cells, row, strict=True):
            _fill_cell(cell, words, letters)
    if table.note:
        below = top + above + sum(heights)
        note = (_Text(table.note, colour=palette.GREY),)
        _add_box(page, (_EDGE, below, _TEXT_WIDTH, _line_height(table.note, size)), note, letters * 0.85)


def _fill_cell(cell: Any, words: Cell, size: float, *, is_head: bool = False) -> None:
    """Words on white with a line below them, white on blue in the row of heads."""
    from pptx.oxml import parse_xml
    from pptx.oxml.ns import nsdecls

    cell.fill.solid()
    cell.fill.fore_color.rgb = _rgb(palette.BLUE if is_head else palette.PAPER)
    line = f'<a:lnB {nsdecls("a")} w="9525">{_fill(palette.LINE, nsdecls("a"))}</a:lnB>'
    cell._tc.tcPr.insert(0, parse_xml(line))  # noqa: SLF001 - the library has no lines of cells
    cell.margin_top = cell.margin_bottom = _cm(_ROW / 2.5)
    paragraph = cell.text_frame.paragraphs[0]
    sign = palette.SIGNS.get(words.verdict)
    if sign:
        _set_letters(paragraph.add_run(), f"{sign.shape} ", size, sign.colour)
    colour = palette.PAPER if is_head else palette.INK
    _set_letters(paragraph.add_run(), words.text, size, colour, is_bold=is_head)
    if words.note:
        _set_letters(paragraph.add_run(), f" ({words.note})", size * 0.85, palette.GREY)


def _add_image(page: Page, image: _Image, place: tuple[float, float], size: float) -> None:
    top, height = place
    caption = _line_height(image.picture.caption, size)
    words = (_Text(image.picture.caption, is_bold=True),)
    _add_box(page, (_EDGE, top, _TEXT_WIDTH, caption), words, _table_size(size))
    left = height - caption
    shown: Any = page.shapes.add_picture(io.BytesIO(image.content), _cm(_EDGE), _cm(top + caption), height=_cm(left))
    shown.name = image.picture.caption
    shown._element.nvPicPr.cNvPr.set("descr", image.picture.alt)  # noqa: SLF001 - the library has no texts of pictures


def _add_bar(page: Page, top: float, height: float) -> None:
    """The line at the left of somebody else's text; it says nothing to who cannot see it."""
    from pptx.enum.shapes import MSO_SHAPE
    from pptx.oxml import parse_xml

    bar = page.shapes.add_shape(MSO_SHAPE.RECTANGLE, *map(_cm, (_EDGE, top, 0.12, height)))
    bar.fill.solid()
    bar.fill.fore_color.rgb = _rgb(palette.GREY)
    bar.line.fill.background()
    bar.shadow.inherit = False
    bar._element.nvSpPr.cNvPr.append(parse_xml(_DECORATION))  # noqa: SLF001 - the library has no decoration


def _outline(box: Any) -> None:
    box.line.color.rgb = _rgb(palette.ALARM)
    box.line.width = _pt(1.5)


def _align_right(box: Any) -> None:
    from pptx.enum.text import PP_ALIGN

    box.text_frame.paragraphs[0].alignment = PP_ALIGN.RIGHT


def _number(page: Page, number: int) -> None:
    """The number of the slide, kept by the program: as the layout has it, which the library leaves out."""
    from pptx.enum.shapes import PP_PLACEHOLDER
    from pptx.oxml.ns import qn

    placeholders: Any = page.slide_layout.placeholders
    for shape in placeholders:
        if shape.placeholder_format.type == PP_PLACEHOLDER.SLIDE_NUMBER:
            element = deepcopy(shape._element)  # noqa: SLF001
            element.nvSpPr.cNvPr.set("id", str(max(one.shape_id for one in page.shapes) + 1))
            for text in element.iter(qn("a:t")):
                text.text = str(number)
            page.shapes._spTree.append(element)  # noqa: SLF001


def _put(shape: Any, left: float, top: float, width: float, height: float) -> None:
    shape.left, shape.top, shape.width, shape.height = map(_cm, (left, top, width, height))


def _cm(length: float) -> Any:
    from pptx.util import Cm

    return Cm(length)


def _pt(size: float) -> Any:
    from pptx.util import Pt

    return Pt(size)


def _rgb(shade: palette.Shade) -> Any:
    from pptx.dml.color import RGBColor

    made: Any = RGBColor  # which has no types
    return made.from_string(_hex(shade))


def _hex(shade: palette.Shade) -> str:
    return shade.light.removeprefix("#").upper()
