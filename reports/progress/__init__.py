"""The yearly progress report on the programme (article 8), and its final evaluation; in full, on a page, as slides.

All of it is made from one edition: figures from its tables, sentences on them from its table `claim`.
"""

from __future__ import annotations

from typing import Final

from catalog import Catalogue
from reports.claims import claims
from reports.document.page import html
from reports.document.slides import pptx
from reports.document.typeset import Typesetter
from reports.document.word import docx
from reports.progress.content import report
from reports.progress.files import file_names
from reports.progress.scope import LANGUAGE, NoProgramme, Scope
from reports.progress.short import brief, deck
from reports.view import View
from reports.words import Words

__all__ = [
    "LANGUAGE",
    "NoProgramme",
    "Scope",
    "StaleSentence",
    "file_names",
    "progress_files",
    "report_scope",
    "word_document",
]

_SHOWN: Final = 3


class StaleSentence(ValueError):  # noqa: N818 - says what is the matter
    """A sentence of the edition that its own tables no longer carry."""


def report_scope(view: View, years: list[int], *, final: bool = False) -> Scope:
    """What a report on these years is made from; raises NoProgramme and StaleSentence."""
    scope = Scope(view, Words(view.catalogue, LANGUAGE), years, final)
    known = scope.programme.report_years
    if outside := sorted(set(years) - set(known)):
        raise NoProgramme(f"year {outside[0]}: the programme is reported on over {known[0]} to {known[-1]}.")
    if scope.year != view.year:
        raise NoProgramme(f"year {scope.year}: this edition is of {view.year}, and has sentences on that year only.")
    _require_fresh(view, view.catalogue)
    return scope


def _require_fresh(view: View, catalogue: Catalogue) -> None:
    """Every sentence is the one that the tables beside it give now."""
    key = ["claim_id", "language", "sentence"]
    said, now = view.tables["claim"].select(key), claims(view.tables, catalogue).select(key)
    if (stale := said.join(now, key, how="anti")).height:
        found = "\n".join(f"  - {row[2]}" for row in stale.head(_SHOWN).iter_rows())
        raise StaleSentence(f"{stale.height} sentences are not what the tables say now:\n{found}")


def word_document(scope: Scope) -> bytes:
    """The report in full as a Word document."""
    whole = report(scope)
    return docx(whole, iter(Typesetter().pngs(whole.pictures)))


def progress_files(scope: Scope) -> dict[str, bytes]:
    """The files of a report by name: in full as HTML, PDF and DOCX; the brief as PDF; slides as PDF and PPTX."""
    whole, short, slides = report(scope), brief(scope), deck(scope)
    typesetter = Typesetter()
    images, drawn = (typesetter.pngs(one.pictures) for one in (whole, slides))
    made = (
        html(whole, iter(images)),
        typesetter.pdf(whole),
        docx(whole, iter(images)),
        typesetter.pdf(short),
        typesetter.deck(slides),
        pptx(slides, iter(drawn)),
    )
    return dict(zip(file_names(scope).values(), made, strict=True))
