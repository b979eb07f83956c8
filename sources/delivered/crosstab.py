"""Files for reading: lines above a header of one row or more, figures across, notes below.

StatLine's pivot downloads, workbooks of UWV, exports of the portals of GGD'en (Swing).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import polars as pl

from catalog.layouts import Layout
from sources.delivered.assemble import FIGURES, assemble
from sources.delivered.header import OTHER_KIND, OTHER_SHEET, topic_of
from sources.delivered.opened import Records, Sheet, as_text
from sources.delivered.rows import period_in, refuse_formulas, split_footer
from sources.errors import HeaderError, MalformedRow
from sources.names import RegionNames
from sources.tidy import TidyTable, Topic


@dataclass(frozen=True)
class Header:
    """Where the header stands in a sheet: index of its first row, its rows as text (equally long), what is above."""

    top: int
    rows: list[list[str]]
    titles: list[str]


def misfits(part: Sheet | Records, layout: Layout) -> list[str]:
    """Why this is not a sheet of this layout; nothing if it is."""
    if isinstance(part, Records):
        return [OTHER_KIND]
    wanted = layout.recognise
    if wanted.sheet and not re.fullmatch(wanted.sheet, part.name):
        return [OTHER_SHEET]
    header = _header(part, layout)
    if header is None:
        return [f"has no column {layout.region.column!r}"]
    titles = [] if any(re.search(wanted.title or "", line) for line in header.titles) else [wanted.title]
    columns = [name for name in wanted.columns if name not in header.rows[layout.label_row - 1]]
    return [f"has no title like {title!r}" for title in titles] + [f"has no column {name!r}" for name in columns]


def read_crosstab(sheet: Sheet, layout: Layout, names: RegionNames) -> TidyTable:
    """The figures of a sheet as a tidy table. Raises an InputError."""
    header = _header(sheet, layout)
    if header is None:
        raise HeaderError(sheet.place, f"a column {layout.region.column!r}", remedy="Is this the right layout?")
    start = header.top + len(header.rows)
    refuse_formulas(sheet, start)
    body, footers = split_footer(sheet, start, layout)
    labels = header.rows[layout.label_row - 1]
    region = labels.index(layout.region.column or "")
    dimensions = [*layout.dimensions, *([layout.margins] if layout.margins else [])]
    in_column = {name: labels.index(name) for name in dimensions if name in labels}
    in_title = {
        name: _in_title(name, header, sheet.place) for name in dimensions if name not in (*labels, *layout.header)
    }
    ignored = {place for row in header.rows for place, cell in enumerate(row) if cell in layout.ignore}
    across = {
        place: levels
        for place, levels in enumerate(_levels(header, layout))
        if place not in {region, *in_column.values(), *ignored} and any(levels.values())
    }
    topics = {place: _topic(levels, layout) for place, levels in across.items()}
    period = _period_above(header, layout, sheet.place) or period_in(
        [*header.titles, *footers, sheet.name], layout, sheet.place
    )
    rows = []
    for number, row in body:
        cells = [as_text(cell, layout.decimal) for cell in row]
        cells += [""] * (len(labels) - len(cells))
        _check_row(sheet, number, cells, region, {region, *in_column.values(), *ignored, *across}, across)
        own = {name: cells[place] for name, place in in_column.items()}
        for place, levels in across.items():
            title = " / ".join(filter(None, levels.values()))
            member = {**in_title, **own, **levels}
            figure = (number, title, topics[place].key, cells[region], _period_of(levels) or period, cells[place], None)
            rows.append((*figure, *(member[name] for name in dimensions)))
    schema = {**FIGURES, **dict.fromkeys(dimensions, pl.String)}
    figures = pl.DataFrame(rows, schema=schema, orient="row")
    return assemble(figures, sheet.place, layout, names, list(dict.fromkeys(topics.values())), {})


def _header(sheet: Sheet, layout: Layout) -> Header | None:
    """The header: it stands where the column of the region has its title."""
    texts = [[as_text(cell) for cell in row] for row in sheet.rows[:100]]
    labelled = next((number for number, row in enumerate(texts) if layout.region.column in row), None)
    if labelled is None or labelled < layout.label_row - 1:
        return None
    top = labelled - layout.label_row + 1
    rows = texts[top : top + len(layout.header)]
    width = max(map(len, rows))
    titles = [" ".join(filter(None, row)) for row in texts[:top]]
    return Header(top, [row + [""] * (width - len(row)) for row in rows], [line for line in titles if line])


def _levels(header: Header, layout: Layout) -> list[dict[str, str]]:
    """For each column what every row of the header says of it. A merged cell counts for all columns it spans."""
    columns: list[dict[str, str]] = []
    above: list[str] = [""] * len(layout.header)
    for place in range(len(header.rows[0])):
        cells = [row[place] for row in header.rows]
        last = len(cells) - 1
        for level, cell in enumerate(cells):
            # Only below the same cell: 2024 over its months ends where 2025 begins.
            if not cell and level < last and any(cells[level + 1 :]) and cells[:level] == above[:level]:
                cells[level] = above[level]
        above = cells
        columns.append({role: cell for role, cell in zip(layout.header, cells, strict=True) if role != "skip"})
    return columns


def _topic(levels: dict[str, str], layout: Layout) -> Topic:
    if "topic" not in layout.header:
        entry = layout.topics[0]
        return Topic(entry.title, tuple(entry.path), entry.title, entry.unit or layout.titles.unit)
    topic = topic_of(levels["topic"], layout, {})
    unit = levels.get("unit") or topic.unit
    named = Topic("", topic.path, topic.title, unit)
    # Two columns may differ in their unit only: the key holds path, title and unit.
    return Topic(str(named), named.path, named.title, named.unit)


def _period_of(levels: dict[str, str]) -> str | None:
    if "month" in levels:
        # Figures of a year in a column without a month are no month's.
        return f"{levels['month'] or '?'} {levels.get('year', '')}".strip()
    return levels.get("period") or levels.get("year")


def _period_above(header: Header, layout: Layout, place: str) -> str | None:
    if layout.period is None or layout.period.column is None:
        return None
    return _in_title(layout.period.column, header, place)


def _in_title(name: str, header: Header, place: str) -> str:
    """The member that a line above the header names: `Perioden: 2020`."""
    for line in header.titles:
        before, colon, after = line.partition(": ")
        if colon and before == name:
            return after.strip()
    raise HeaderError(place, f"a line '{name}: …' above the header", remedy="Was a line of the file removed?")


def _check_row(
    sheet: Sheet, number: int, cells: list[str], region: int, used: set[int], across: dict[int, dict[str, str]]
) -> None:
    if stray := [place for place, cell in enumerate(cells) if cell and place not in used]:
        raise MalformedRow(
            sheet.place,
            "nothing in a column without a title",
            row=number,
            column=str(stray[0] + 1),
            remedy="Give the column its title, or empty it.",
        )
    if not cells[region] and any(cells[place] for place in across):
        raise MalformedRow(
            sheet.place, "a region in every row with figures", row=number, remedy="Which region is this row about?"
        )
