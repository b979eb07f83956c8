"""The observations of OData v4: one row a figure, in codes."""

from __future__ import annotations

import polars as pl

from catalog.layouts import Layout
from sources.delivered.assemble import FIGURES, assemble
from sources.delivered.header import OTHER_KIND, need_column, topic_of
from sources.delivered.metadata import About
from sources.delivered.opened import Records, Sheet
from sources.names import RegionNames
from sources.tidy import TidyTable

_COLUMNS = ["Measure", "Value", "ValueAttribute"]


def misfits(part: Sheet | Records, layout: Layout) -> list[str]:
    """Why this is not a file of this layout; nothing if it is."""
    if isinstance(part, Sheet) or part.entity != "Observations":
        return [OTHER_KIND]
    if part.table_id != layout.recognise.table_id:
        return [f"is of table {part.table_id}"]
    return [f"has no {name!r}" for name in _COLUMNS if name not in part.frame.columns]


def read_observations(part: Records, layout: Layout, names: RegionNames, known: About) -> TidyTable:
    """The observations as a tidy table. Raises an InputError."""
    frame, place = part.frame, part.place
    text = pl.col("StringValue") if "StringValue" in frame.columns else pl.lit("")
    frame = frame.with_columns(raw=pl.when(pl.col("Value") != "").then("Value").otherwise(text))
    region, period = layout.region.column, layout.period.column if layout.period else None
    dimensions = [*layout.dimensions, *([layout.margins] if layout.margins else [])]
    for name in [*dimensions, *filter(None, (region, period))]:
        need_column(frame.columns, name, place)
    figures = frame.select(
        pl.int_range(1, pl.len() + 1).alias("row"),
        pl.col("Measure").alias("column"),
        pl.col("Measure").alias("topic"),
        pl.col(region).alias("region") if region else pl.lit(layout.region.fixed).alias("region"),
        pl.col(period).alias("period") if period else pl.lit(layout.period and layout.period.fixed).alias("period"),
        "raw",
        pl.col("ValueAttribute").alias("attribute"),
        *dimensions,
    )
    measures = figures["topic"].unique(maintain_order=True).to_list()
    written = set(frame.filter(pl.col("Value") == "", pl.col("raw") != "")["Measure"])
    return assemble(
        figures.select(*FIGURES, *dimensions),
        place,
        layout,
        names,
        [topic_of(measure, layout, known.topics) for measure in measures],
        known.members,
        text_topics=known.text | written,
        statuses=known.statuses,
        region_titles=known.members.get(region or ""),
    )
