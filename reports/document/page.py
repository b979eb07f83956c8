"""Reports as one page for a browser: nothing is fetched and nothing runs, so it can be mailed and kept as a file."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from html import escape
from itertools import count
from pathlib import Path
from typing import Final

from reports import palette
from reports.document.model import Block, Bullets, Cell, Paragraph, Picture, Quote, Remark, Report, Section, Table

_LANGUAGE: Final = "nl"
_STYLE: Final = Path(__file__).parent / "page.css"
_ADDRESS: Final = re.compile(r"(https?://[^\s)<>\"]+[^\s).,<>\"])")
_PART: Final = 3  # the level of a heading of a part of a chapter
_COLOURS: Final = {
    "paper": palette.PAPER,
    "ink": palette.INK,
    "grey": palette.GREY,
    "line": palette.LINE,
    "link": palette.Shade("#00538a", "#8cc8f2"),  # as on the site: darker than what carries a meaning
    "alarm": palette.ALARM,
}
_POLICY: Final = "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'"
# What a page says by itself, for who cannot see how it is built.
_SKIP: Final = "Naar de inhoud"
_SCROLL: Final = {
    "nl": "Tabel {number}: {name}. Schuif opzij om alles te zien.",
    "en": "Table {number}: {name}. Scroll sideways to see all of it.",
}


def html(report: Report, images: Iterator[bytes]) -> bytes:
    """A report as a page that stands by itself; `images` are its pictures, in their order."""
    style = _style()
    policy = f"{_POLICY}; style-src 'sha256-{_digest(style)}'"
    tables = count(1)
    sections = "\n".join(
        _section(section, f"s{number}", tables, images) for number, section in enumerate(report.sections, 1)
    )
    banner = f'<p class="banner">{escape(report.banner)}</p>\n' if report.banner else ""
    page = f"""\
<!doctype html>
<html lang="{_LANGUAGE}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(report.title)}</title>
<meta name="author" content="{escape(report.publisher)}">
<meta name="description" content="{escape(report.subtitle)}">
<style>{style}</style>
</head>
<body>
<a class="skip" href="#content">{_SKIP}</a>
<header>
<p class="quiet">{escape(report.running)}</p>
<h1>{escape(report.title)}</h1>
<p>{escape(report.subtitle)}</p>
{banner}</header>
{_contents(report)}<main id="content" tabindex="-1">
{sections}
</main>
<footer>
<p class="quiet">{escape(report.publisher)}</p>
</footer>
</body>
</html>
"""
    return page.encode()


def _style() -> str:
    """The style, with the colours on a light and on a dark ground."""
    light, dark = (
        f":root {{ {_named(_COLOURS, at)} }}\n"
        + "".join(f".{name} {{ color: {sign.colour[at]} }}\n" for name, sign in palette.SIGNS.items())
        for at in (0, 1)
    )
    return f"\n{light}@media screen and (prefers-color-scheme: dark) {{\n{dark}}}\n{_STYLE.read_text(encoding='utf-8')}"


def _named(colours: dict[str, palette.Shade], at: int) -> str:
    return " ".join(f"--{name}: {shade[at]};" for name, shade in colours.items())


def _digest(style: str) -> str:
    """What the policy of the page knows its own style by."""
    return b64encode(sha256(style.encode()).digest()).decode()


def _contents(report: Report) -> str:
    """The table of contents: parts stand in a list within their chapter."""
    if not (report.contents and report.sections):
        return ""
    entries: list[tuple[str, list[str]]] = []
    for number, section in enumerate(report.sections, 1):
        link = f'<a href="#s{number}"{_lang(section.language)}>{escape(section.title)}</a>'
        if section.level == _PART and entries:
            entries[-1][1].append(link)
        else:
            entries.append((link, []))
    items = "\n".join(f"<li>{link}{_list(parts)}</li>" for link, parts in entries)
    title = f'<h2 id="contents">{escape(report.contents)}</h2>'
    return f'<nav aria-labelledby="contents">\n{title}\n<ul>\n{items}\n</ul>\n</nav>\n'


def _lang(language: str) -> str:
    """What says that a text is in another language than the page."""
    return f' lang="{language}"' if language != _LANGUAGE else ""


def _list(items: Iterable[str]) -> str:
    inside = "".join(f"<li>{item}</li>" for item in items)
    return f"<ul>{inside}</ul>" if inside else ""


def _section(section: Section, name: str, tables: Iterator[int], images: Iterator[bytes]) -> str:
    heading = f"<h{section.level}>{escape(section.title)}</h{section.level}>"
    blocks = (_block(block, section.language, tables, images) for block in section.blocks)
    return "\n".join([f'<section id="{name}"{_lang(section.language)}>', heading, *blocks, "</section>"])


def _block(block: Block, language: str, tables: Iterator[int], images: Iterator[bytes]) -> str:
    if isinstance(block, Paragraph):
        return f"<p>{_linked(block.text)}</p>"
    if isinstance(block, Bullets):
        return _list(map(_linked, block.items))
    if isinstance(block, Picture):
        return _picture(block, next(images))
    if isinstance(block, Quote):
        return _quote(block)
    if isinstance(block, Remark):
        sign = f'<span class="shape" aria-hidden="true">{palette.REMARK.shape}</span>'
        return f'<div class="remark" role="note">{sign} {_linked(block.text)}</div>'
    label = _SCROLL[language].format(number=next(tables), name=block.caption)
    return _table(block, label)


def _linked(text: str) -> str:
    """A text in which every address leads somewhere."""
    parts: Sequence[str] = _ADDRESS.split(text)
    return "".join(
        f'<a href="{escape(part)}">{escape(part)}</a>' if at % 2 else escape(part) for at, part in enumerate(parts)
    )


def _picture(picture: Picture, image: bytes) -> str:
    width, height = (int.from_bytes(image[at : at + 4], "big") for at in (16, 20))  # as a PNG's head says
    source = f"data:image/png;base64,{b64encode(image).decode()}"
    shown = f'<img src="{source}" alt="{escape(picture.alt)}" width="{width}" height="{height}">'
    return f"<figure>\n<figcaption>{escape(picture.caption)}</figcaption>\n{shown}\n</figure>"


def _quote(quote: Quote) -> str:
    paragraphs = "".join(f"<p>{_linked(part)}</p>" for part in quote.paragraphs)
    source = f'<figcaption class="source">{_linked(quote.source)}</figcaption>'
    return f'<figure class="quote">\n<blockquote>{paragraphs}</blockquote>\n{source}\n</figure>'


def _table(table: Table, label: str) -> str:
    """A table that scrolls within the page, also with the keyboard; the first cell of a row is its head."""
    heads = "".join(f'<th scope="col">{escape(head)}</th>' for head in table.heads)
    note = f'\n<p class="note">{_linked(table.note)}</p>' if table.note else ""
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(label)}">\n<table>\n'
        f"<caption>{escape(table.caption)}</caption>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n"
        + "".join(f"<tr>{_row(row)}</tr>\n" for row in table.rows)
        + f"</tbody>\n</table>\n</div>{note}"
    )


def _row(row: Sequence[Cell]) -> str:
    first, *others = map(_cell, row)
    return f'<th scope="row">{first}</th>' + "".join(f"<td>{text}</td>" for text in others)


def _cell(cell: Cell) -> str:
    sign = palette.SIGNS.get(cell.verdict)
    shape = f'<span class="shape {cell.verdict}" aria-hidden="true">{sign.shape}</span> ' if sign else ""
    note = f' <span class="note">({escape(cell.note)})</span>' if cell.note else ""
    return f"{shape}{_linked(cell.text)}{note}"
