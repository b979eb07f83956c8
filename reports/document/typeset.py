"""Reports as PDF, and their pictures as PNG: set by Typst with its own fonts, so that every computer gives the same."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from reports import palette
from reports.document.model import Picture, Report, plain

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
    """Sets reports and pictures; one for all of them, because what it has read it keeps."""

    compiler: Compiler = field(default_factory=_compiler)
    template: bytes = field(default_factory=_TEMPLATE.read_bytes)

    def pdf(self, report: Report) -> bytes:
        """A report as a tagged PDF."""
        sections = [{"title": s.title, "blocks": [plain(block) for block in s.blocks]} for s in report.sections]
        texts = {
            name: getattr(report, name) for name in ("title", "subtitle", "banner", "running", "page", "publisher")
        }
        made = self.compiler.compile(
            self.template,
            sys_inputs=_data(report=texts | {"sections": sections}),
            pdf_standards=[_STANDARD],
            timestamp=int(report.created.timestamp()),
        )
        return _one(made)

    def pngs(self, pictures: Sequence[Picture]) -> list[bytes]:
        """Pictures as PNG."""
        if not pictures:
            return []
        drawn = [asdict(picture) for picture in pictures]
        made = self.compiler.compile(self.template, format="png", ppi=_PIXELS, sys_inputs=_data(pictures=drawn))
        return list(made) if isinstance(made, list) else [_one(made)]


def _one(made: bytes | list[bytes] | None) -> bytes:
    if not isinstance(made, bytes):
        raise TypeError(f"Typst gave {type(made).__name__}, expected one file")
    return made


def _data(**content: Any) -> dict[str, str]:
    colours = {name: shade.light for name, shade in _COLOURS.items()}
    signs = {name: {"shape": s.shape, "colour": s.colour.light} for name, s in palette.VERDICTS.items()}
    return {"data": json.dumps({"colours": colours, "signs": signs} | content, ensure_ascii=False)}
