"""The page on the programme: intended results, money and dates at the end of the edition's year.

It shows rows of the tables and sentences of the table `claim`, as the progress report does, and no word on why broad
welfare changed. A region without a programme, or a year outside it, has no such page.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, NamedTuple

import polars as pl

from reports.claims.programme import BUDGET_PLACES, SAID_SOURCES, STATED_PLACES, STATUSES, TOTAL
from reports.progress.files import file_names
from reports.progress.scope import Scope
from reports.site.pictures import Bar
from reports.view import Row, View
from reports.words import LANGUAGES, Words

PAGE: Final = "programme.html"
PICTURE: Final = "programme_money"
DRAWN: Final = ("state", "regional")
PRINTED: Final = (*DRAWN, "total")
# How the table of article 5, and the two tables on how the money stands, call what comes from whom.
_HEADS: Final = (
    ("state", "programme_printed_state"),
    ("regional", "programme_printed_regional"),
    ("total", "programme_printed_total"),
)
_STANDING: Final = (
    ("state", "programme_standing_state", "programme_at_most"),
    ("regional", "programme_standing_regional", "programme_at_least"),
)
_MILLION: Final = 1_000_000
_PARTS: Final = ("public_money", "public_in_kind", "private_in_kind", "regional", "additional_private")


class Result(NamedTuple):
    """An intended result, and how far it is."""

    target: Row
    progress: Row


class Project(NamedTuple):
    """A project, with its milestones by day."""

    row: Row
    milestones: list[Row]


class Tested(NamedTuple):
    """A result from a sample: its test, and what it is about."""

    test: Row
    result: Result


@dataclass(frozen=True)
class LineResults:
    """What a line, or an assignment as a whole, is to reach; `counted` is a row that says until which day."""

    line_id: str
    name: str
    is_shared: bool
    results: Sequence[Result]
    projects: Sequence[Project]

    @property
    def counted(self) -> Row | None:
        """A result that says up to which day bureaus have counted."""
        return next((result.progress for result in self.results if result.progress["as_of"] is not None), None)


class LineMoney(NamedTuple):
    """The money of a line, or of all with TOTAL, by who pays."""

    line_id: str
    name: str
    by_source: dict[str, Row]


def has_programme(view: View) -> bool:
    """Whether the region has a programme that reports on the edition's year."""
    programme = view.catalogue.programme
    return programme is not None and view.year in programme.report_years


def programme_context(view: View, words: Words) -> dict[str, Any]:
    """What the page is given."""
    scope = Scope(view, words, [view.year])
    agreement = scope.programme.agreement_at(date(view.year, 12, 31))
    return {
        "programme": scope.programme,
        "lines": list(_lines(scope)),
        "statuses": STATUSES,
        "tested": _tested(scope),
        "total": TOTAL,
        "said_sources": SAID_SOURCES,
        "money": money_of_lines(scope),
        "money_total": _money(scope, TOTAL, words("programme_total")),
        "parts": [scope.money(TOTAL, source) for source in _PARTS],
        "agreement": agreement.source,
        "printed": _HEADS,
        "standing": _STANDING,
        "budget_places": BUDGET_PLACES,
        "stated_places": STATED_PLACES,
        "deadlines": _deadlines(view),
        "lacking": [(scope.line(row["line_id"]), row, _which(scope, row)) for row in scope.lacking],
        "report_files": [(f"report_{kind}", f"report/{name}") for kind, name in file_names(scope).items()],
    }


# --- results


def _lines(scope: Scope) -> Iterator[LineResults]:
    for line, row in scope.lines.items():
        results = [Result(target, scope.progress(target["target_id"])) for target in scope.targets_of(line)]
        projects = _projects(scope.view, line)
        if results or projects:
            yield LineResults(line, scope.line(line), row["kind"] == "assignment", results, projects)


def _projects(view: View, line: str) -> list[Project]:
    projects = view.rows("project", line_id=line)
    milestones = view.rows("milestone", pl.col("project_id").is_in([row["project_id"] for row in projects]))
    by_day = sorted(milestones, key=lambda row: (row["planned_on"], row["milestone_id"]))
    return [Project(row, [m for m in by_day if m["project_id"] == row["project_id"]]) for row in projects]


def _tested(scope: Scope) -> list[Tested]:
    tests = {row["target_id"]: row for row in scope.view.rows("policy_indicator", year=scope.year)}
    return [
        Tested(tests[name], Result(target, scope.progress(name)))
        for name, target in scope.targets.items()
        if name in tests
    ]


# --- money


def money_of_lines(scope: Scope) -> list[LineMoney]:
    """The money of each line."""
    return [_money(scope, line, scope.line(line)) for line in scope.programme_lines]


def _money(scope: Scope, line: str, name: str) -> LineMoney:
    return LineMoney(line, name, {source: scope.money(line, source) for source in PRINTED})


def money_bars(view: View) -> list[Bar]:
    """What the picture of money shows, in Dutch, with each name in the other languages to make room for."""
    scopes = [Scope(view, Words(view.catalogue, language), [view.year]) for language in LANGUAGES]
    dutch = scopes[0]
    return [
        Bar(
            dutch.line(money.line_id) if source == DRAWN[0] else "",
            [scope.line(money.line_id) for scope in scopes],
            dutch.words.label("financing_source", source),
            *(_drawn(money.by_source[source][column]) for column in ("budget", "committed", "paid")),
        )
        for money in money_of_lines(dutch)
        for source in DRAWN
    ]


def _drawn(euros: float | None) -> float | None:
    return None if euros is None else euros / _MILLION


def money_texts(view: View) -> dict[str, str]:
    """The Dutch words in the picture of money with those of the other language."""
    dutch, other = (Scope(view, Words(view.catalogue, language), [view.year]) for language in LANGUAGES)
    found = {dutch.line(line): other.line(line) for line in dutch.programme_lines}
    for source in DRAWN:
        found[dutch.words.label("financing_source", source)] = other.words.label("financing_source", source)
    return found | {dutch.words("no_amount"): other.words("no_amount")}


# --- dates, and what the report lacks


def _deadlines(view: View) -> list[tuple[Row, bool]]:
    """What is due, by day, and whether that day had passed when the edition was made."""
    made_on = view.edition["created_at"][:10]
    rows = sorted(view.rows("deadline"), key=lambda row: (row["due"], row["deadline_id"]))
    return [(row, row["due"] < made_on) for row in rows]


def _which(scope: Scope, row: Row) -> list[str]:
    """What exactly is lacking, where it is not the line itself: parts of a text, or results."""
    if row["lacking"] is None or row["lacking"] == row["line_id"]:
        return []
    names = {part: scope.words.label("text_part", part) for part in scope.view.catalogue.vocabulary["text_part"]}
    names |= {target_id: target[f"text_{scope.words.language}"] for target_id, target in scope.targets.items()}
    return [names.get(part, part) for part in row["lacking"].split("; ")]
