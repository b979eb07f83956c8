"""Files with one header row and one row a region, period and member: StatLine downloads and the rows of OData v3."""

from __future__ import annotations

import re
from collections.abc import Sequence

import polars as pl

from catalog.layouts import Layout
from sources.delivered.assemble import FIGURES, assemble
from sources.delivered.header import OTHER_KIND, OTHER_SHEET, entry_of, find_column, need_column, topic_of
from sources.delivered.metadata import About
from sources.delivered.opened import Records, Sheet, as_text
from sources.errors import HeaderError, HostileFile, IncompleteFile, MalformedRow, PeriodError
from sources.names import RegionNames
from sources.tidy import TidyTable


def header_of(part: Sheet | Records) -> list[str]:
    """The columns; of a sheet those in its first row that is not empty."""
    if isinstance(part, Records):
        return part.frame.columns
    first = next((row for row in part.rows if any(map(as_text, row))), [])
    return [as_text(cell) for cell in first]


def misfits(part: Sheet | Records, layout: Layout) -> list[str]:
    """Why this is not a file of this layout; nothing if it is."""
    header = header_of(part)
    wanted = layout.recognise
    if wanted.sheet and not (isinstance(part, Sheet) and re.fullmatch(wanted.sheet, part.name)):
        return [OTHER_SHEET]
    found = [f"has no column {name!r}" for name in wanted.columns if find_column(header, name) is None]
    if isinstance(part, Records):
        if part.table_id is not None and part.table_id != wanted.table_id:
            found.append(f"is of table {part.table_id}")
    elif wanted.table_id is not None and not wanted.columns:
        found.append(OTHER_KIND)
    if wanted.some_column and not any(re.fullmatch(wanted.some_column, name) for name in header):
        found.append(f"has no column like {wanted.some_column!r}")
    return found or _other_values(part, layout)


def _other_values(part: Sheet | Records, layout: Layout) -> list[str]:
    wanted = layout.recognise
    if not wanted.values and not wanted.only:
        return []
    frame, _, _ = _frame(part, layout)

    def matches(name: str, pattern: str) -> pl.Series:
        return frame[need_column(frame.columns, name, part.place)].str.contains(f"^(?:{pattern})$")

    lacking = [f"has no {each!r} in {name!r}" for name, each in wanted.values.items() if not matches(name, each).any()]
    other = [
        f"has not only {each!r} in {name!r}" for name, each in wanted.only.items() if not matches(name, each).all()
    ]
    return lacking + other


def read_rows(part: Sheet | Records, layout: Layout, names: RegionNames, known: About) -> TidyTable:
    """The figures of such a file as a tidy table. Raises an InputError."""
    frame, numbers, footers = _frame(part, layout)
    header, place = frame.columns, part.place
    region = need_column(header, layout.region.column, place) if layout.region.column else None
    period = need_column(header, layout.period.column, place) if layout.period and layout.period.column else None
    dimensions = {name: need_column(header, name, place) for name in [*layout.dimensions, *_margins(layout)]}
    used = {region, period, *dimensions.values(), *(find_column(header, name) for name in layout.ignore)}
    columns = {str(number): column for number, column in enumerate(header) if column not in used}
    figures = frame.select(
        pl.Series("row", numbers, pl.Int64),
        pl.col(region).alias("region") if region else pl.lit(layout.region.fixed).alias("region"),
        pl.col(period).alias("period") if period else pl.lit(_period_of(layout, footers, part)).alias("period"),
        pl.lit(None, pl.String).alias("attribute"),
        *(pl.col(column).alias(name) for name, column in dimensions.items()),
        # By number: a title may be any text, also `row` or `period`.
        *(pl.col(column).alias(number) for number, column in columns.items()),
    ).unpivot(
        list(columns),
        index=["row", "region", "period", "attribute", *dimensions],
        variable_name="column",
        value_name="raw",
    )
    figures = figures.with_columns(pl.col("column").replace_strict(columns)).with_columns(topic="column")
    described = {column: entry_of(column, layout) for column in columns.values()}
    return assemble(
        figures.select(*FIGURES, *dimensions),
        place,
        layout,
        names,
        [topic_of(column, layout, known.topics) for column in columns.values()],
        known.members,
        text_topics=known.text | {column for column, entry in described.items() if entry and entry.text},
        statuses=known.statuses,
        region_titles=known.members.get(layout.region.column or ""),
    )


def _margins(layout: Layout) -> list[str]:
    return [layout.margins] if layout.margins else []


def _frame(part: Sheet | Records, layout: Layout) -> tuple[pl.DataFrame, list[int], list[str]]:
    """The rows below the header, all String, and where each of them stands; and the footers."""
    if isinstance(part, Records):
        return part.frame, list(range(1, part.frame.height + 1)), []
    return _sheet_frame(part, layout)


def _sheet_frame(sheet: Sheet, layout: Layout) -> tuple[pl.DataFrame, list[int], list[str]]:
    start = next((number for number, row in enumerate(sheet.rows) if any(map(as_text, row))), 0)
    header = header_of(sheet)
    if len(set(header)) < len(header):
        raise HeaderError(sheet.place, "every column once", row=start + 1, remedy="Two columns have the same title.")
    refuse_formulas(sheet, start + 1)
    body, footers = split_footer(sheet, start + 1, layout)
    for number, row in body:
        if len(row) != len(header):
            raise MalformedRow(
                sheet.place,
                f"{len(header)} fields, found {len(row)}",
                row=number,
                remedy="A separator too many or too few? Was the file cut off here? Fetch or copy it again.",
            )
    columns = zip(*(row for _, row in body), strict=True) if body else [[] for _ in header]
    data = {
        name: [as_text(cell, layout.decimal) for cell in cells] for name, cells in zip(header, columns, strict=True)
    }
    return pl.DataFrame(data, schema=dict.fromkeys(header, pl.String)), [number for number, _ in body], footers


def split_footer(sheet: Sheet, start: int, layout: Layout) -> tuple[list[tuple[int, list[object]]], list[str]]:
    """The numbered rows from index `start` that are not empty, up to the footer; and what stands from there on.

    Raises IncompleteFile where the layout promises a footer and there is none, MalformedRow for figures below it.
    """
    rows = [(n, row) for n, row in enumerate(sheet.rows[start:], start=start + 1) if any(map(as_text, row))]
    if layout.footer is None:
        return rows, []
    is_footer = re.compile(layout.footer).match
    end = next((i for i, (_, row) in enumerate(rows) if is_footer(next(filter(None, map(as_text, row))))), None)
    if end is None:
        raise IncompleteFile(
            sheet.place,
            f"a line below the figures that begins with {layout.footer!r}",
            remedy="Without it the file was cut off, or its publisher lays it out in another way.",
        )
    footers = rows[end:]
    for number, row in footers:
        if sum(bool(re.fullmatch(r"[+-]?\d+(?:[.,]\d+)?", as_text(cell))) for cell in row[1:]) > 1:
            raise MalformedRow(
                sheet.place, "no figures below the footer", row=number, remedy="Move these rows above it."
            )
    return rows[:end], [" ".join(filter(None, map(as_text, row))) for _, row in footers]


def refuse_formulas(sheet: Sheet, header_end: int) -> None:
    """A figure that a formula makes is whatever the last program that opened the file made of it."""
    for row, column in sorted(sheet.formulas):
        if row > header_end:
            raise HostileFile(
                sheet.place,
                "values, not formulas",
                row=row,
                column=str(column),
                remedy="Select everything, copy it and paste it as values; or ask the sender to.",
            )


def _period_of(layout: Layout, texts: Sequence[str], part: Sheet | Records) -> str | None:
    return period_in([*texts, part.name if isinstance(part, Sheet) else ""], layout, part.place)


def period_in(texts: Sequence[str], layout: Layout, place: str) -> str | None:
    """The one period of a file: fixed, or found in one of these texts; None where the layout names none."""
    if layout.period is None or layout.period.column:
        return None
    if layout.period.fixed:
        return layout.period.fixed
    pattern = re.compile(layout.period.pattern or "")
    found = list(dict.fromkeys(match[1] for text in texts for match in pattern.finditer(text)))
    if len(found) != 1:
        raise PeriodError(
            place,
            f"one period in a title or footer, by the pattern {pattern.pattern!r}",
            value=", ".join(found) or None,
            remedy="Is this the whole file? Else mend `period` of the layout.",
        )
    return found[0]
