"""Finds columns by name, and the topics behind them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from catalog.layouts import Layout, LayoutTopic, Titles
from sources.errors import HeaderError
from sources.tidy import Topic

# Why a file has not a layout that is for other kinds of files altogether.
OTHER_KIND = "is another kind of file"
OTHER_SHEET = "has no sheet of that name"

_NUMBER = re.compile(r"_\d+$")
# `(1 000 euro)` at the end; it may hold parentheses of its own, but `kind(eren)` is no unit: a blank goes before.
_UNIT = re.compile(r"^(?P<title>.*\S)\s+\((?P<unit>[^()]*(?:\([^()]*\)[^()]*)*)\)$")


def find_column(header: Sequence[str], wanted: str) -> str | None:
    """The one column with this name, or with this name and a number behind it: `Eenzaam` is also `Eenzaam_28`."""
    if wanted in header:
        return wanted
    numbered = [column for column in header if _NUMBER.sub("", column) == wanted]
    return numbered[0] if len(numbered) == 1 else None


def need_column(header: Sequence[str], wanted: str, place: str) -> str:
    """As find_column, but raises HeaderError."""
    if column := find_column(header, wanted):
        return column
    raise HeaderError(
        place,
        f"one column {wanted!r}",
        remedy="Is it missing, or there with several numbers? Then the layout must name the one that is meant.",
    )


def entry_of(column: str, layout: Layout) -> LayoutTopic | None:
    """What the layout says of a column that is a topic."""
    return next((entry for entry in layout.topics if entry.column in (column, _NUMBER.sub("", column))), None)


def topic_of(column: str, layout: Layout, known: Mapping[str, Topic]) -> Topic:
    """The topic of a column: as the publisher's metadata has it, else as the layout does, else by its header."""
    if column in known:
        return known[column]
    if entry := entry_of(column, layout):
        return Topic(column, tuple(entry.path), entry.title, entry.unit or layout.titles.unit)
    return _from_header(column, layout.titles)


def _from_header(column: str, titles: Titles) -> Topic:
    # OData v3 makes the column ErvarenGezondheid_4 of a title; titles are compared without blanks and signs.
    text = column.replace("_", " ") if titles.underscores else _NUMBER.sub("", column)
    found = _UNIT.match(text) if titles.unit_in_header else None
    title, unit = (found["title"], found["unit"]) if found else (text, titles.unit)
    *path, title = title.split(titles.separator) if titles.separator else [title]
    return Topic(column, tuple(part.strip() for part in path), title.strip(), unit.strip())
