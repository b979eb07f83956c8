"""The summary in English: sentences of the table `claim`, and the results in one table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from reports.claims.programme import SAID_SOURCES, TOTAL, count
from reports.document.model import Bullets, Cell, Paragraph, Section, Table
from reports.progress.scope import Scope
from reports.progress.welfare import change_sentences, gap_sentences
from reports.words import Words

_ENGLISH: Final = "en"
_TITLE: Final = "Summary in English"
_INTRO: Final = (
    "This is the yearly report on {programme}. It shows how far the programme is, and how broad welfare in {region} is "
    "doing. It does not show that the one follows from the other: the measurement was not made for that."
)
_RESULTS, _MONEY, _WELFARE = "Intended results", "Money", "Broad welfare"
_HEADS: Final = ("Intended result", "Counted", "Ambition", "Verdict")


def english_summary(scope: Scope) -> Iterator[Section]:
    """What a reader abroad needs: the verdict on each result, the money, the headline figures."""
    words = Words(scope.view.catalogue, _ENGLISH)
    region = words.region(scope.view.catalogue.region.region_code)
    intro = _INTRO.format(programme=scope.programme.name_en, region=region)

    def said(*ids: tuple[object, ...]) -> Bullets:
        return Bullets(scope.sentences(*ids, language=_ENGLISH))

    total = said(("count_target", scope.year, TOTAL))
    money = said(*(("money", scope.year, TOTAL, source) for source in SAID_SOURCES))
    welfare = (*gap_sentences(scope, _ENGLISH), *change_sentences(scope, _ENGLISH))
    yield Section(_TITLE, (Paragraph(intro),), language=_ENGLISH)
    yield Section(_RESULTS, (total, _results(scope, words)), level=3, language=_ENGLISH)
    yield Section(_MONEY, (money,), level=3, language=_ENGLISH)
    if welfare:
        yield Section(_WELFARE, (Bullets(welfare),), level=3, language=_ENGLISH)


def _results(scope: Scope, words: Words) -> Table:
    rows = []
    for target_id, target in scope.targets.items():
        row = scope.progress(target_id)
        note = "" if row["reason"] is None else words.label("target_reason", row["reason"])
        rows.append(
            (
                Cell(target["text_en"]),
                Cell("–" if row["achieved"] is None else count(row["achieved"], words)),
                Cell("–" if target["threshold"] is None else count(target["threshold"], words)),
                Cell(words.label("target_status", row["status"]), note, row["status"]),
            )
        )
    return Table(_RESULTS, _HEADS, (9.0, 2.2, 2.2, 4.0), tuple(rows), breaks=True)
