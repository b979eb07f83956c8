"""Reports as OpenDocument texts, to be edited: as the Word documents, for LibreOffice and what else reads them."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from reports import palette
from reports.document.model import (
    LOCALES,
    Block,
    Bullets,
    Cell,
    Paragraph,
    Picture,
    Quote,
    Remark,
    Report,
    Section,
    Table,
)
from reports.document.packed import timeless

if TYPE_CHECKING:
    from odfdo import Document

_LANGUAGE: Final = "nl-NL"
_CHAPTER: Final = 2  # the level of its heading
_WIDTH: Final = 17.4  # of the text, in centimetres
_PIXELS: Final = 200 / 2.54  # of a picture in a centimetre
_STYLES: Final = Path(__file__).parent / "opendocument.xml"
_LONG_STYLES: Final = Path(__file__).parent / "opendocument_long.xml"  # of what only long reports hold
_COLOURS: Final = {
    name: shade.light
    for name, shade in {
        "blue": palette.BLUE,
        "alarm": palette.ALARM,
        "grey": palette.GREY,
        "line": palette.LINE,
    }.items()
}


def odt(report: Report, images: Iterator[bytes]) -> bytes:
    """A report as an OpenDocument text; `images` are its pictures, in their order."""
    from odfdo import Document, Element

    document = Document("text")
    _set_up(document, report)
    body = document.body
    body.clear()
    first = [_text("p", report.title, "Title"), _text("p", report.subtitle)]
    first += [_text("p", _span(report.banner, "Alarm"), done=True)] if report.banner else []
    contents = [_contents(report)] if report.contents else []
    blocks = [xml for section in report.sections for xml in _section(document, section, images)]
    for xml in first + contents + blocks:
        body.append(Element.from_tag(xml))
    target = io.BytesIO()
    document.save(target)
    return timeless(target.getvalue())


def _set_up(document: Document, report: Report) -> None:
    """Language, title, styles, paper, and what stands at the edges of every page."""
    from odfdo import Element

    document.set_language(_LANGUAGE)
    about = document.meta
    about.title, about.subject, about.creator = report.title, report.subtitle, report.publisher
    about.creation_date = about.date = report.created.replace(tzinfo=None)
    for path in (_STYLES, _LONG_STYLES) if _is_long(report) else (_STYLES,):
        styles: Any = Element.from_tag(path.read_text(encoding="utf-8").format_map(_COLOURS))
        for style in styles.children:
            document.insert_style(style)
    for name, sign in (palette.SIGNS if _is_long(report) else palette.VERDICTS).items():
        colour = f'<style:text-properties fo:color="{sign.colour.light}"/>'
        document.insert_style(f'<style:style style:name="{name}" style:family="text">{colour}</style:style>')
    layout: Any = document.get_style("page-layout", "Mpm1")
    edges = {f"fo:margin-{side}": f"{(21 - _WIDTH) / 2:.1f}cm" for side in ("left", "right")}
    for name, value in (edges | {"fo:page-width": "21cm", "fo:page-height": "29.7cm"}).items():
        layout.get_element("style:page-layout-properties").set_attribute(name, value)
    page: Any = document.get_style("master-page", "Standard")
    banner = f" {_span(report.banner, 'Alarm')}" if report.banner else ""
    page.set_page_header(Element.from_tag(_text("p", f"{escape(report.running)} {banner}", "Cell", done=True)))
    count = escape(report.page).format(page="<text:page-number/>", pages="<text:page-count/>")
    page.set_page_footer(Element.from_tag(_text("p", count, "Cell", done=True)))


def _is_long(report: Report) -> bool:
    """Whether a report holds more than chapters in one language, so that the document needs more styles."""
    parts = any(s.level > _CHAPTER or LOCALES[s.language] != _LANGUAGE for s in report.sections)
    others = any(isinstance(block, Quote | Remark) for block in report.blocks)
    targets = {cell.verdict for b in report.blocks if isinstance(b, Table) for row in b.rows for cell in row}
    return bool(report.contents) or parts or others or not targets.isdisjoint(palette.TARGETS)


def _text(tag: str, text: str, style: str = "Text_20_body", *, more: str = "", done: bool = False) -> str:
    """A paragraph or heading; `done` where the text holds marks already."""
    return f'<text:{tag} text:style-name="{style}"{more}>{text if done else escape(text)}</text:{tag}>'


def _contents(report: Report) -> str:
    """The table of contents: the chapters; the word processor adds the pages when it is asked to."""
    entries = "".join(_spoken(_text("p", s.title, f"Contents_20_{s.level - 1}"), s.language) for s in report.sections)
    title = _text("p", report.contents, "Contents_20_Heading")
    return (
        '<text:table-of-content text:name="Contents"><text:table-of-content-source text:outline-level="2"/>'
        f'<text:index-body><text:index-title text:name="Title">{title}</text:index-title>{entries}</text:index-body>'
        "</text:table-of-content>"
    )


def _section(document: Document, section: Section, images: Iterator[bytes]) -> list[str]:
    blocks = [xml for block in section.blocks for xml in _block(document, block, images)]
    return [_spoken(xml, section.language) for xml in (_heading(section.title, section.level - 1), *blocks)]


def _spoken(xml: str, language: str) -> str:
    """Say of all text in these elements in which language it is, where that is not the one of the document."""
    if LOCALES[language] == _LANGUAGE:
        return xml
    span = rf'\1<text:span text:style-name="{language}">\3</text:span>\4'
    return re.sub(r"(<text:([ph]) [^>]*>)(.*?)(</text:\2>)", span, xml, flags=re.DOTALL)


def _heading(text: str, level: int) -> str:
    return _text("h", text, f"Heading_20_{level}", more=f' text:outline-level="{level}"')


def _span(text: str, style: str) -> str:
    return f'<text:span text:style-name="{style}">{escape(text)}</text:span>'


def _lines(text: str) -> str:
    """A text with line breaks of its own."""
    return escape(text).replace("\n", "<text:line-break/>")


def _block(document: Document, block: Block, images: Iterator[bytes]) -> list[str]:
    if isinstance(block, Paragraph):
        return [_text("p", block.text)]
    if isinstance(block, Bullets):
        items = "".join(f"<text:list-item>{_text('p', item)}</text:list-item>" for item in block.items)
        return [f'<text:list text:style-name="List_20_1">{items}</text:list>'] if items else []
    if isinstance(block, Picture):
        return [_text("p", block.caption, "Caption"), _picture(document, block, next(images))]
    if isinstance(block, Quote):
        parts = [_text("p", _lines(part), "Quote", done=True) for part in block.paragraphs]
        return [*parts, _text("p", _span(block.source, "Note"), "Quote", done=True)]
    if isinstance(block, Remark):
        return [_text("p", _lines(f"{palette.REMARK.shape} {block.text}"), "Remark", done=True)]
    note = [_text("p", block.note, "Cell")] if block.note else []
    return [_text("p", block.caption, "Caption"), _table(document, block), *note]


def _picture(document: Document, picture: Picture, image: bytes) -> str:
    width, height = (int.from_bytes(image[at : at + 4], "big") / _PIXELS for at in (16, 20))  # as a PNG's head says
    scale = _WIDTH / width
    size = f'svg:width="{_WIDTH}cm" svg:height="{height * scale:.2f}cm"'
    place = document.add_file(io.BytesIO(image))
    file = f'<draw:image xlink:href="{place}" xlink:type="simple" xlink:show="embed" xlink:actuate="onLoad"/>'
    words = f"<svg:title>{escape(picture.caption)}</svg:title><svg:desc>{escape(picture.alt)}</svg:desc>"
    frame = f'<draw:frame draw:style-name="Picture" text:anchor-type="as-char" {size}>{file}{words}</draw:frame>'
    return _text("p", frame, done=True)


def _table(document: Document, table: Table) -> str:
    total = sum(table.widths)
    columns = "".join(_column(document, _WIDTH * part / total) for part in table.widths)
    heads = "".join(_cell(_text("p", head, "Head")) for head in table.heads)
    rows = "".join(_row("".join(_cell(_words(cell)) for cell in row)) for row in table.rows)
    name = escape(table.caption)
    return (
        f'<table:table table:name="{name}" table:style-name="Table">{columns}'
        f"<table:table-header-rows>{_row(heads)}</table:table-header-rows>{rows}</table:table>"
    )


def _column(document: Document, width: float) -> str:
    name = f"Wide{round(width * 100)}"
    if document.get_style("table-column", name) is None:
        properties = f'<style:table-column-properties style:column-width="{width:.2f}cm"/>'
        style = f'<style:style style:name="{name}" style:family="table-column">{properties}</style:style>'
        document.insert_style(style, automatic=True)
    return f'<table:table-column table:style-name="{name}"/>'


def _row(cells: str) -> str:
    return f'<table:table-row table:style-name="Whole">{cells}</table:table-row>'


def _cell(text: str) -> str:
    return f'<table:table-cell table:style-name="Line" office:value-type="string">{text}</table:table-cell>'


def _words(cell: Cell) -> str:
    sign = palette.SIGNS.get(cell.verdict)
    shape = f"{_span(sign.shape, cell.verdict)} " if sign else ""
    note = f" {_span(f'({cell.note})', 'Note')}" if cell.note else ""
    return _text("p", f"{shape}{escape(cell.text)}{note}", "Cell", done=True)
