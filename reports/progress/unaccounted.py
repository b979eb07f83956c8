"""Numbers that no table has: the last look over a report before it is written, and a help for editors."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import polars as pl

from reports.progress.scope import Scope

# A number as readers write it: 1.234 or 1,5; a day is taken apart.
NUMBER: Final = re.compile(r"\d+(?:\.\d{3})+(?:,\d+)?|\d+(?:,\d+)?")
_PLACES: Final = (0, 1, 2)
_MILLION: Final = 1_000_000
_TABLES: Final = ("target", "target_progress", "policy_indicator", "budget_progress", "project", "milestone")


def numbers_in(text: str) -> list[str]:
    """The numbers in a text, as written, without what is part of a word such as `W2`."""
    return [found.group() for found in NUMBER.finditer(text)]


def numbers_not_in(text: str, scope: Scope, line: str) -> list[str]:
    """The numbers in a bureau's text that the tables of its line do not have; small ones and years are let pass.

    Bureaus may well write of what is in no table. It is for an editor to look at: most numbers that are out of date are
    found like this.
    """
    known = _known_of_line(scope, line)
    return [n for n in dict.fromkeys(numbers_in(text)) if n not in known and not _is_small(n)]


def _is_small(text: str) -> bool:
    """Whether a number is one of those that texts are full of: up to twelve, or a year."""
    return text.isdigit() and (int(text) <= 12 or 2000 <= int(text) <= 2100)


def _known_of_line(scope: Scope, line: str) -> set[str]:
    targets = {row["target_id"] for row in scope.targets_of(line)}
    projects = {row["project_id"] for row in scope.view.rows("project", line_id=line)}
    found: set[str] = set()
    for name in _TABLES:
        frame = scope.view.tables[name]
        own = [
            pl.col(column).is_in(sorted(values))
            for column, values in (("line_id", {line}), ("target_id", targets), ("project_id", projects))
            if column in frame.columns
        ]
        for row in frame.filter(pl.any_horizontal(own)).iter_rows(named=True):
            found.update(_written(row, scope))
    return found


def _written(row: Mapping[str, Any], scope: Scope) -> Iterator[str]:
    """Every way in which readers may see the numbers of a row."""
    for value in row.values():
        if isinstance(value, bool) or value is None:
            continue
        if isinstance(value, int | float):
            amounts = (value, value / _MILLION) if abs(value) >= _MILLION / 100 else (value,)
            yield from (scope.words.number(abs(amount), places) for amount in amounts for places in _PLACES)
        else:
            yield from numbers_in(str(value))
