"""The report in short: a brief of one page, and a few slides for aldermen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

import polars as pl

from reports.claims import summarised_pairs
from reports.claims.programme import BUDGET_PLACES, SAID_SOURCES, STATUSES, TOTAL, millions
from reports.document.model import Block, Bullets, Cell, Deck, Report, Section, Slide, Table
from reports.progress.content import banner, created, state, subtitle, title
from reports.progress.files import slug
from reports.progress.results import achieved_cell, planned_cell
from reports.progress.scope import Scope
from reports.progress.texts import heads, say
from reports.progress.welfare import contrast_picture, gap_sentences
from reports.view import Row

MOST_NEXT: Final = 3  # dates that come next
MOST_ROWS: Final = 7  # of a table on a slide
_AMOUNTS: Final = ("committed", "paid", "forecast")


def brief(scope: Scope) -> Report:
    """The report on one page."""
    name = say("brief_evaluation" if scope.is_evaluation else "brief_title", title=title(scope), year=scope.year)
    sections = (
        Section(say("brief_results"), (_said(scope, ("count_target", scope.year, TOTAL)), results_by_line(scope))),
        Section(say("brief_money", date=_day(scope)), (money_by_source(scope),)),
        Section(say("brief_welfare"), (_welfare(scope),)),
        Section(say("brief_next"), (Bullets(_next(scope)),)),
    )
    return Report(
        slug=slug("brief", scope),
        title=name,
        subtitle=subtitle(scope),
        banner=banner(scope),
        running=say("running", title=name, programme=scope.programme.name_nl, state=state(scope)),
        page=say("page", page="{page}", pages="{pages}"),
        publisher=scope.programme.reporter,
        created=created(scope),
        sections=sections,
    )


def deck(scope: Scope) -> Deck:
    """A few slides: results, money, broad welfare, and what asks for attention."""
    source = say("slide_source", edition=scope.edition)
    slides = (
        Slide(say("slide_results"), (results_by_line(scope),), source),
        *(Slide(say("slide_behind"), (table,), source) for table in _behind(scope)),
        Slide(say("slide_money"), (money_by_line(scope),), source),
        *(Slide(say("slide_outside"), (table,), source) for table in _outside(scope)),
        Slide(say("slide_welfare"), (_welfare(scope),), source),
        *([Slide(say("slide_contrast"), (drawing,), source)] if (drawing := contrast_picture(scope)) else []),
    )
    return Deck(
        slug=slug("slides", scope),
        title=title(scope),
        subtitle=subtitle(scope),
        banner=banner(scope),
        publisher=scope.programme.reporter,
        created=created(scope),
        slides=slides,
    )


def _said(scope: Scope, *ids: tuple[object, ...]) -> Block:
    return Bullets(scope.sentences(*ids))


def results_by_line(scope: Scope) -> Table:
    """How many results of each line have which verdict."""
    labels = [scope.words.label("target_status", status) for status in STATUSES]
    lines = dict.fromkeys(row["line_id"] for row in scope.targets.values())
    rows = []
    for line in lines:
        name = say("shared_line", line=line) if scope.lines[line]["kind"] == "assignment" else scope.line(line)
        found = Counter(scope.progress(row["target_id"])["status"] for row in scope.targets_of(line))
        rows.append((Cell(name), *(_number(scope, found[status], status) for status in STATUSES)))
    return Table(say("brief_results"), (*heads("line"), *labels), (6.4, 2.0, 2.0, 2.6, 2.4, 2.0), tuple(rows))


def _number(scope: Scope, n: int, status: str) -> Cell:
    return Cell(scope.words.number(n, 0), "", status if n else "")


def money_by_source(scope: Scope) -> Table:
    """The money of all lines together, of state and region."""
    rows = tuple(_money(scope, TOTAL, s, scope.words.label("financing_source", s)) for s in ("state", "regional"))
    return Table(say("slide_money"), (*heads("source"), *_budget_heads()), (4.4, 2.6, 2.6, 2.6, 2.6, 2.6), rows)


def money_by_line(scope: Scope) -> Table:
    """The money of each line, of state and region together."""
    rows = [_money(scope, line, "total", scope.line(line)) for line in scope.programme_lines]
    rows.append(_money(scope, TOTAL, "total", say("total")))
    caption = say("brief_money", date=_day(scope))
    return Table(caption, (*heads("line"), *_budget_heads()), (5.4, 2.7, 2.4, 2.3, 2.4, 2.2), tuple(rows))


def _budget_heads() -> tuple[str, ...]:
    return heads("agreed", *_AMOUNTS, "share")


def _money(scope: Scope, line: str, source: str, name: str) -> tuple[Cell, ...]:
    row, words = scope.money(line, source), scope.words
    stated = [Cell(say("no_amount") if row[a] is None else millions(row[a], words)) for a in _AMOUNTS]
    share = "" if row["share"] is None else say("percent", percent=words.number(row["share"], 0))
    return Cell(name), Cell(millions(row["budget"], words, BUDGET_PLACES)), *stated, Cell(share)


def _welfare(scope: Scope) -> Block:
    """The contrast of the headline indicators; without one the region beside the rest of the country."""
    pairs = summarised_pairs(scope.view.catalogue)
    first = [
        ("figures", scope.view.year, indicator.indicator_id, *pairs[0])
        for indicator in scope.view.catalogue.headline_indicators
    ]
    said = scope.sentences(*first) or gap_sentences(scope)
    return Bullets(said or (say("welfare_none"),))


def _next(scope: Scope) -> tuple[str, ...]:
    rows = sorted(scope.view.rows("deadline"), key=lambda row: (row["due"], row["deadline_id"]))
    later = [row for row in rows if row["due"] > f"{scope.year}-12-31"][:MOST_NEXT]
    return tuple(f"{scope.words.date(row['due'])}: {row['text_nl']}" for row in later)


def _behind(scope: Scope) -> list[Table]:
    """Results that are behind, as many a slide as can be read; one that says so where none is."""
    caption = say("behind_table", date=_day(scope))
    rows = [
        (Cell(target["text_nl"]), achieved_cell(scope, target, row), planned_cell(scope, target, row))
        for target in scope.targets.values()
        if (row := scope.progress(target["target_id"]))["status"] == "behind"
    ]
    rows = rows or [(Cell(say("nothing_attention")), Cell(""), Cell(""))]
    return _tables(caption, heads("target", "achieved", "planned"), (9.4, 5.6, 2.4), rows)


def _outside(scope: Scope) -> list[Table]:
    """Money outside what was agreed: above a maximum, or below a minimum; as many a slide as can be read."""
    # The sums of sources say the same again.
    found = [
        row
        for row in scope.view.rows("budget_progress", pl.col("financing_source").is_in(SAID_SOURCES), year=scope.year)
        if row["warning"] is not None
    ]
    rows = [
        (
            Cell(scope.line(row["line_id"]), scope.words.label("financing_source", row["financing_source"])),
            Cell(millions(row["budget"], scope.words, BUDGET_PLACES)),
            Cell(_most(scope, row)),
            Cell(scope.words.label("budget_warning", row["warning"])),
        )
        for row in found
    ]
    rows = rows or [(Cell(say("nothing_attention")), Cell(""), Cell(""), Cell(""))]
    names = heads("line", "agreed", "outside", "attention")
    return _tables(say("brief_money", date=_day(scope)), names, (6.2, 3.4, 3.6, 4.2), rows)


def _most(scope: Scope, row: Row) -> str:
    """What a warning is about: the forecast, or what is committed where that is more or no forecast is known."""
    names = ("committed",) if row["warning"] == "above_overhead" else ("committed", "forecast")
    amounts = [row[name] for name in names if row[name] is not None]
    return millions(max(amounts), scope.words) if amounts else say("no_amount")


def _tables(
    caption: str, names: tuple[str, ...], widths: tuple[float, ...], rows: Sequence[tuple[Cell, ...]]
) -> list[Table]:
    parts = [rows[at : at + MOST_ROWS] for at in range(0, len(rows), MOST_ROWS)]
    return [Table(caption, names, widths, tuple(part)) for part in parts]


def _day(scope: Scope) -> str:
    return scope.words.date(scope.as_of or f"{scope.year}-12-31")
