"""The chapter on money: what was agreed, as the covenant prints it, and how it stands."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from reports.claims.programme import BUDGET_PLACES, TOTAL, millions
from reports.document.model import Block, Bullets, Cell, Paragraph, Section, Table
from reports.progress.results import texts_of_bureaus
from reports.progress.scope import Scope
from reports.progress.texts import heads, say

_MILLION: Final = 1_000_000
_CHANGES: Final = "12"  # the article under which the division may be changed
_AMOUNTS: Final = ("committed", "paid", "forecast")
_PARTS: Final = ("public_money", "public_in_kind", "private_in_kind", "regional", "additional_private")
_WIDTHS: Final = (5.2, 2.2, 2.3, 2.3, 2.3, 3.1)


def money_chapter(scope: Scope) -> Iterator[Section]:
    """Agreed amounts; and of state and region what is committed, paid and expected."""
    agreement = scope.programme.agreement_at(date(scope.year, 12, 31))
    intro = Paragraph(say("money_intro", article=_CHANGES, agreement=agreement.source))
    said = Bullets(scope.sentences(*(("money", scope.year, TOTAL, source) for source in ("state", "regional"))))
    yield Section(say("money"), (intro, said, agreed_table(scope), regional_table(scope)))
    overhead = say("overhead", percent=scope.words.number(scope.programme.overhead_percent, 0))
    of_state = _standing(scope, "state", "maximum")
    yield Section(of_state.caption, (of_state, *_received(scope), Paragraph(overhead)), level=3)
    of_region = _standing(scope, "regional", "minimum")
    yield Section(of_region.caption, (of_region, _parts(scope)), level=3)
    for line in scope.programme_lines:
        if texts := texts_of_bureaus(scope, line, "money"):
            yield Section(scope.line(line), tuple(texts), level=3)


def printed(euros: float | None, scope: Scope) -> Cell:
    """An amount as the covenant prints it: `€ 8,9 mln.`."""
    if euros is None:
        return Cell(say("none_printed"))
    return Cell(say("printed", amount=scope.words.number(euros / _MILLION, BUDGET_PLACES)))


def agreed_table(scope: Scope) -> Table:
    """The table of article 5.2: what state and region contribute to each line."""

    def row(line: str, name: str) -> tuple[Cell, ...]:
        return Cell(name), *(printed(scope.money(line, s)["budget"], scope) for s in ("state", "regional", "total"))

    rows = [row(line, scope.line(line)) for line in scope.programme_lines]
    total = row(TOTAL, say("agreed_total"))
    names = heads("line", "state", "regional", "total")
    return Table(say("agreed_table"), names, (8.0, 3.2, 3.2, 3.0), (*rows, total))


def regional_table(scope: Scope) -> Table:
    """The table of article 5.3: what the regional financing is made of. Private parties give no money."""

    def row(name: str, *sources: str | None) -> tuple[Cell, ...]:
        budgets = [None if source is None else scope.money(TOTAL, source)["budget"] for source in sources]
        return Cell(name), *(printed(budget, scope) for budget in budgets)

    rows = (
        row(say("financial"), "public_money", None, "public_money"),
        row(say("in_kind"), "public_in_kind", "private_in_kind", "in_kind"),
        row(say("agreed_total"), "public", "private_in_kind", "regional"),
    )
    return Table(say("regional_table"), heads("contribution", "public", "private", "total"), (6.0, 3.8, 3.8, 3.8), rows)


def _standing(scope: Scope, source: str, kind: str) -> Table:
    rows = [_row(scope, line, source, scope.line(line)) for line in scope.programme_lines]
    rows.append(_row(scope, TOTAL, source, say("total")))
    caption = say("state_table" if source == "state" else "region_table", date=_day(scope))
    return Table(caption, _heads("line", kind), _WIDTHS, tuple(rows), say("money_note"))


def _parts(scope: Scope) -> Table:
    rows = [_row(scope, TOTAL, s, scope.words.label("financing_source", s)) for s in _PARTS]
    return Table(say("parts_table", date=_day(scope)), _heads("source", "minimum"), _WIDTHS, tuple(rows))


def _heads(first: str, kind: str) -> tuple[str, ...]:
    return heads(first, f"budget_{kind}", *_AMOUNTS, "attention")


def _row(scope: Scope, line: str, source: str, name: str) -> tuple[Cell, ...]:
    row, words = scope.money(line, source), scope.words
    stated = [
        Cell(say("no_amount")) if row[amount] is None else Cell(millions(row[amount], words)) for amount in _AMOUNTS
    ]
    warning = "" if row["warning"] is None else words.label("budget_warning", row["warning"])
    return Cell(name), Cell(millions(row["budget"], words, BUDGET_PLACES)), *stated, Cell(warning)


def _received(scope: Scope) -> list[Block]:
    amount = scope.money(TOTAL, "state")["received"]
    return [] if amount is None else [Paragraph(say("received", amount=millions(amount, scope.words)))]


def _day(scope: Scope) -> str:
    return scope.words.date(scope.as_of or f"{scope.year}-12-31")
