"""Reports and slides as PDF, and their pictures as PNG.

Typst sets them with its own fonts, so that every computer gives the same.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from reports import palette
from reports.document.model import LOCALES, Deck, Picture, Report, plain

if TYPE_CHECKING:
    from typst import Compiler

_TEMPLATE: Final = Path(__file__).parent / "report.typ"
_STANDARD: Final = "ua-1"  # PDF/UA-1: readable aloud
_PIXELS: Final = 200.0  # per inch
_COLOURS: Final = {
    "ink": palette.INK,
    "grey": palette.GREY,
    "line": palette.LINE,
    "blue": palette.BLUE,
    "green": palette.GREEN,
    "alarm": palette.ALARM,
}


def _compiler() -> Compiler:
    from typst import Compiler, Fonts

    return Compiler(font_paths=Fonts(include_system_fonts=False), ignore_system_fonts=True)


@dataclass(frozen=True)
class Typesetter:
    """Sets reports, slides and pictures; one for all of them, because what it has read it keeps."""

    compiler: Compiler = field(default_factory=_compiler)
    template: bytes = field(default_factory=_TEMPLATE.read_bytes)

    def pdf(self, report: Report) -> bytes:
        """A report as a tagged PDF."""
        sections = [
            {
                "title": section.title,
                "level": section.level,
                "locale": _locale(section.language),
                "blocks": [plain(block) for block in section.blocks],
            }
            for section in report.sections
        ]
        names = ("title", "subtitle", "banner", "running", "page", "publisher", "contents")
        return self._document(report.created, report=_texts(report, names) | {"sections": sections})

    def deck(self, deck: Deck) -> bytes:
        """Slides as a tagged PDF, one a page: letters as large as fit, and an error where none do."""
        slides = [
            {"title": slide.title, "source": slide.source, "blocks": [plain(block) for block in slide.blocks]}
            for slide in deck.slides
        ]
        about = _texts(deck, ("title", "subtitle", "banner", "publisher")) | {"locale": _locale(deck.language)}
        return self._document(deck.created, deck=about | {"slides": slides})

    def pngs(self, pictures: Sequence[Picture]) -> list[bytes]:
        """Pictures as PNG."""
        if not pictures:
            return []
        drawn = [asdict(picture) for picture in pictures]
        made = self.compiler.compile(self.template, format="png", ppi=_PIXELS, sys_inputs=_data(pictures=drawn))
        return list(made) if isinstance(made, list) else [_one(made)]

    def _document(self, created: datetime, **content: Any) -> bytes:
        return _one(
            self.compiler.compile(
                self.template,
                sys_inputs=_data(**content),
                pdf_standards=[_STANDARD],
                timestamp=int(created.timestamp()),
            )
        )


def _texts(whole: Report | Deck, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(whole, name) for name in names}


def _locale(language: str) -> list[str]:
    """A language and its country."""
    return LOCALES[language].split("-")


def _one(made: bytes | list[bytes] | None) -> bytes:
    if not isinstance(made, bytes):
        raise TypeError(f"Typst gave {type(made).__name__}, expected one file")
    return made


def _data(**content: Any) -> dict[str, str]:
    colours = {name: shade.light for name, shade in _COLOURS.items()}
    signs = {
        name: {"shape": sign.shape, "colour": sign.colour.light}
        for name, sign in {**palette.SIGNS, "remark": palette.REMARK}.items()
    }
    return {"data": json.dumps({"colours": colours, "signs": signs} | content, ensure_ascii=False)}
