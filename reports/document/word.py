"""Reports as Word documents, to be edited: heading styles, lists, tables with a row of heads, pictures with a text."""

from __future__ import annotations

import io
from collections.abc import Iterator
from html import escape
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
    from docx.document import Document
    from docx.text.paragraph import Paragraph as WordParagraph

_LANGUAGE: Final = "nl-NL"
_FONT: Final = "Calibri"
_WIDTH: Final = 17.4  # of the text, in centimetres
_TWIPS: Final = 567  # in a centimetre
_SPACE: Final = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_SIZES: Final = {"Normal": 10.5, "Title": 24.0, "Heading 1": 14.0, "Caption": 10.0, "Header": 9.0, "Footer": 9.0}
_PART: Final = 3  # the level of a heading of a part of a chapter


def docx(report: Report, images: Iterator[bytes]) -> bytes:
    """A report as a Word document; `images` are its pictures, in their order."""
    from docx import Document

    document = Document()
    _set_up(document, report)
    document.add_heading(report.title, level=0)
    document.add_paragraph(report.subtitle)
    if report.banner:
        _alarm(document.add_paragraph(), report.banner)
    if report.contents:
        _add_contents(document, report)
    for number, section in enumerate(report.sections):
        _add_section(document, section, f"_Toc{number}" if report.contents else "", images)
    target = io.BytesIO()
    document.save(target)
    return timeless(target.getvalue())


def _add_section(document: Document, section: Section, bookmark: str, images: Iterator[bytes]) -> None:
    before = len(document.element.body)
    heading = document.add_heading(section.title, level=section.level - 1)
    if bookmark:
        _mark(heading, bookmark)
    for block in section.blocks:
        _add_block(document, block, images)
    if LOCALES[section.language] != _LANGUAGE:
        # The settings of the paper stay last, whatever is added.
        _speak(document.element.body[before - 1 : -1], LOCALES[section.language])


def _add_block(document: Document, block: Block, images: Iterator[bytes]) -> None:
    if isinstance(block, Paragraph):
        document.add_paragraph(block.text)
    elif isinstance(block, Bullets):
        for item in block.items:
            document.add_paragraph(item, style="List Bullet")
    elif isinstance(block, Picture):
        _add_picture(document, block, next(images))
    elif isinstance(block, Quote):
        _add_quote(document, block)
    elif isinstance(block, Remark):
        document.add_paragraph(f"{palette.REMARK.shape} {block.text}", style=_remark_style(document))
    else:
        _add_table(document, block)


def _set_up(document: Document, report: Report) -> None:
    """Language, title, fonts, paper, and what stands at the edges of every page."""
    from docx.oxml.ns import qn
    from docx.shared import Cm

    about = document.core_properties
    about.title, about.author, about.language = report.title, report.publisher, _LANGUAGE
    about.subject, about.comments = report.subtitle, report.banner
    about.created = about.modified = report.created.replace(tzinfo=None)
    about.last_modified_by = report.publisher
    for language in document.styles.element.iter(qn("w:lang")):
        language.set(qn("w:val"), _LANGUAGE)
    for name, size in _SIZES.items():
        _set_style(document.styles[name], size, palette.BLUE if name == "Heading 1" else palette.INK)
    if any(section.level == _PART for section in report.sections):
        _set_style(document.styles["Heading 2"], 11.5, palette.INK)
    document.styles["Caption"].paragraph_format.keep_with_next = True
    page = document.sections[0]
    page.page_width, page.page_height = Cm(21.0), Cm(29.7)
    page.left_margin = page.right_margin = Cm((21.0 - _WIDTH) / 2)
    page.top_margin = page.bottom_margin = Cm(2.0)
    head = page.header.paragraphs[0]
    head.add_run(f"{report.running}  ")
    if report.banner:
        _alarm(head, report.banner)
    _count_pages(page.footer.paragraphs[0], report.page)


def _set_style(style: Any, size: float, colour: palette.Shade) -> None:
    from docx.shared import Pt, RGBColor

    style.font.name, style.font.size = _FONT, Pt(size)
    fonts = style.element.rPr.rFonts
    for theme in [key for key in fonts.attrib if key.endswith("Theme")]:
        del fonts.attrib[theme]
    style.font.color.rgb = RGBColor.from_string(_hex(colour))


def _speak(elements: list[Any], locale: str) -> None:
    """Say of all text in these elements in which language it is."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    for run in (run for element in elements for run in element.iter(qn("w:r"))):
        language = OxmlElement("w:lang")
        language.set(qn("w:val"), locale)
        run.get_or_add_rPr().append(language)


def _mark(heading: WordParagraph, name: str) -> None:
    """A bookmark around a heading, for the table of contents to lead to."""
    from docx.oxml import parse_xml

    number = name.removeprefix("_Toc")
    element = heading._p  # noqa: SLF001 - the library has no bookmarks
    start = parse_xml(f'<w:bookmarkStart {_SPACE} w:id="{number}" w:name="{name}"/>')
    element.insert(element.index(element.r_lst[0]), start)
    element.append(parse_xml(f'<w:bookmarkEnd {_SPACE} w:id="{number}"/>'))


def _add_contents(document: Document, report: Report) -> None:
    """The table of contents: a field, in which the chapters stand already; the word processor adds the pages."""
    from docx.enum.style import WD_STYLE_TYPE
    from docx.oxml import parse_xml
    from docx.shared import Cm, Pt

    _set_style(document.styles["TOC Heading"], 14.0, palette.BLUE)
    document.add_paragraph(report.contents, style="TOC Heading")
    for level in (1, 2):
        style: Any = document.styles.add_style(f"toc {level}", WD_STYLE_TYPE.PARAGRAPH, builtin=True)
        style.base_style = document.styles["Normal"]
        style.paragraph_format.left_indent, style.paragraph_format.space_after = Cm(0.6 * (level - 1)), Pt(2)
    entries = []
    for number, section in enumerate(report.sections):
        entry = document.add_paragraph(style=f"toc {section.level - 1}")
        entry._p.append(parse_xml(_link(section.title, f"_Toc{number}")))  # noqa: SLF001 - nor has it links
        if LOCALES[section.language] != _LANGUAGE:
            _speak([entry._p], LOCALES[section.language])  # noqa: SLF001
        entries.append(entry._p)  # noqa: SLF001
    if entries:
        code = '<w:instrText xml:space="preserve"> TOC \\o "1-2" \\h \\z \\u </w:instrText>'
        for part in (_field_mark("separate"), f"<w:r {_SPACE}>{code}</w:r>", _field_mark("begin")):
            entries[0].insert(1, parse_xml(part))  # behind the properties of the paragraph
        entries[-1].append(parse_xml(_field_mark("end")))


def _field_mark(kind: str) -> str:
    return f'<w:r {_SPACE}><w:fldChar w:fldCharType="{kind}"/></w:r>'


def _link(text: str, bookmark: str) -> str:
    run = f"<w:r><w:t>{escape(text)}</w:t></w:r>"
    return f'<w:hyperlink {_SPACE} w:anchor="{bookmark}" w:history="1">{run}</w:hyperlink>'


def _add_quote(document: Document, quote: Quote) -> None:
    """Somebody else's text, and below it whose it is: a line runs along both."""
    from docx.shared import Pt, RGBColor

    style: Any = document.styles["Quote"]
    if style.element.pPr is None or not style.element.pPr.xpath("w:pBdr"):
        style.font.italic = False
        style.font.color.rgb = RGBColor.from_string(_hex(palette.INK))
        _border(style, f'<w:left w:val="single" w:sz="18" w:space="10" w:color="{_hex(palette.GREY)}"/>')
    for text in quote.paragraphs:
        document.add_paragraph(text, style=style)
    run = document.add_paragraph(style=style).add_run(quote.source)
    run.font.size, run.font.color.rgb = Pt(9), RGBColor.from_string(_hex(palette.GREY))


def _remark_style(document: Document) -> Any:
    """The style of what an editor must still look at, made where there is such a remark."""
    from docx.enum.style import WD_STYLE_TYPE
    from docx.shared import RGBColor

    if "Remark" in document.styles:
        return document.styles["Remark"]
    style: Any = document.styles.add_style("Remark", WD_STYLE_TYPE.PARAGRAPH)
    style.base_style = document.styles["Normal"]
    style.font.bold, style.font.color.rgb = True, RGBColor.from_string(_hex(palette.REMARK.colour))
    line = f'w:val="single" w:sz="12" w:space="4" w:color="{_hex(palette.REMARK.colour)}"'
    _border(style, "".join(f"<w:{side} {line}/>" for side in ("top", "left", "bottom", "right")))
    return style


def _border(style: Any, lines: str) -> None:
    """Lines around the paragraphs of a style, a little away from the edges of the text."""
    from docx.oxml import parse_xml
    from docx.shared import Cm

    form = style.paragraph_format
    form.left_indent, form.right_indent = Cm(0.5), Cm(0.5)
    properties = style.element.pPr
    properties.insert_element_before(
        parse_xml(f"<w:pBdr {_SPACE}>{lines}</w:pBdr>"), "w:shd", "w:tabs", "w:spacing", "w:ind", "w:jc", "w:outlineLvl"
    )


def _hex(shade: palette.Shade) -> str:
    return shade.light.removeprefix("#")


def _alarm(paragraph: WordParagraph, text: str) -> None:
    from docx.shared import RGBColor

    run = paragraph.add_run(text)
    run.bold, run.font.color.rgb = True, RGBColor.from_string(_hex(palette.ALARM))


def _count_pages(paragraph: WordParagraph, text: str) -> None:
    """The number of the page and how many there are, kept by the word processor."""
    from docx.oxml import parse_xml

    for part in text.replace("{pages}", "\0NUMPAGES\0").replace("{page}", "\0PAGE\0").split("\0"):
        if part in ("PAGE", "NUMPAGES"):
            field = parse_xml(f'<w:fldSimple {_SPACE} w:instr="{part}"><w:r><w:t>1</w:t></w:r></w:fldSimple>')
            paragraph._p.append(field)  # noqa: SLF001 - the library has no fields
        else:
            paragraph.add_run(part)


def _add_picture(document: Document, picture: Picture, image: bytes) -> None:
    from docx.shared import Cm

    document.add_paragraph(picture.caption, style="Caption")
    shape = document.add_picture(io.BytesIO(image), width=Cm(_WIDTH))
    shape._inline.docPr.set("descr", picture.alt)  # noqa: SLF001 - the library has no texts of pictures


def _add_table(document: Document, table: Table) -> None:
    from docx.oxml import parse_xml
    from docx.shared import Pt

    document.add_paragraph(table.caption, style="Caption")
    note = document.add_paragraph()  # a table must have a paragraph behind it
    run = note.add_run(table.note)
    run.font.size = Pt(9)
    note._p.addprevious(parse_xml(_table(table)))  # noqa: SLF001 - cell by cell the library takes ten times as long


def _table(table: Table) -> str:
    widths = [round(part * _WIDTH / sum(table.widths) * _TWIPS) for part in table.widths]
    heads = _row([_run(head, bold=True) for head in table.heads], widths, "<w:tblHeader/>")
    rows = "".join(_row([_cell(cell) for cell in row], widths) for row in table.rows)
    columns = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    line = f'w:val="single" w:sz="4" w:space="0" w:color="{_hex(palette.LINE)}"'
    borders = f"<w:tblBorders><w:bottom {line}/><w:insideH {line}/></w:tblBorders>"
    margins = '<w:tblCellMar><w:left w:w="40" w:type="dxa"/><w:right w:w="80" w:type="dxa"/></w:tblCellMar>'
    look = '<w:tblLook w:val="0020" w:firstRow="1" w:lastRow="0" w:firstColumn="0" w:lastColumn="0" w:noVBand="1"/>'
    return (
        f'<w:tbl {_SPACE}><w:tblPr><w:tblW w:w="{sum(widths)}" w:type="dxa"/>{borders}<w:tblLayout w:type="fixed"/>'
        f'{margins}{look}<w:tblCaption w:val="{escape(table.caption)}"/></w:tblPr>'
        f"<w:tblGrid>{columns}</w:tblGrid>{heads}{rows}</w:tbl>"
    )


def _row(cells: list[str], widths: list[int], more: str = "") -> str:
    spacing = '<w:pPr><w:spacing w:before="20" w:after="20" w:line="240" w:lineRule="auto"/></w:pPr>'
    texts = "".join(
        f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/></w:tcPr><w:p>{spacing}{cell}</w:p></w:tc>'
        for cell, width in zip(cells, widths, strict=True)
    )
    return f"<w:tr><w:trPr><w:cantSplit/>{more}</w:trPr>{texts}</w:tr>"


def _cell(cell: Cell) -> str:
    sign = palette.SIGNS.get(cell.verdict)
    shape = _run(f"{sign.shape} ", colour=_hex(sign.colour)) if sign else ""
    note = _run(f" ({cell.note})", colour=_hex(palette.GREY)) if cell.note else ""
    return f"{shape}{_run(cell.text)}{note}"


def _run(text: str, *, bold: bool = False, colour: str = "") -> str:
    look = "<w:b/>" if bold else ""
    look += f'<w:color w:val="{colour}"/>' if colour else ""
    return f'<w:r><w:rPr>{look}<w:sz w:val="18"/></w:rPr><w:t xml:space="preserve">{escape(text)}</w:t></w:r>'
