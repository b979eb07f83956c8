"""A publisher's table as data, that the stand-ins of both platforms serve; and what may happen to it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple

import polars as pl

from tests.standins.faults import Fault, Kind
from tests.standins.server import StandIn

_REGIONS = ("RegioS", "WijkenEnBuurten", "Regiokenmerken")


class StandInTopic(NamedTuple):
    """A topic: the code of the platform that serves it (`M000352`, or `BevolkingOp1Januari_1`), and its titles."""

    code: str
    path: tuple[str, ...]
    title: str
    unit: str
    datatype: str = "Double"
    decimals: int = 0


@dataclass(frozen=True, eq=False)
class StandInTable:
    """A table.

    dimensions: dimension -> code (without blanks) -> title, the region and time dimension among them.
    observations: a row (dict) per combination of codes, with the topics' codes as keys: a number; a text, which in a
    topic of numbers says why there is none (`Impossible`, `.`); None, which is `Impossible`; or left out, so that
    there is no observation. Or, for large tables, a frame with the dimensions, `topic`, `value` and, where needed,
    `text` and `attribute`. statuses: period code -> status. modified: ISO 8601 with offset.
    """

    table_id: str
    title: str
    dimensions: dict[str, dict[str, str]]
    topics: list[StandInTopic]
    observations: pl.DataFrame | list[dict[str, Any]] = field(repr=False)
    statuses: dict[str, str] = field(default_factory=dict)
    modified: str = "2026-06-23T00:00:00+02:00"
    status: str = "Regulier"

    @property
    def region(self) -> str | None:
        """The region dimension."""
        return next((name for name in self.dimensions if name in _REGIONS), None)

    @property
    def time(self) -> str | None:
        """The time dimension."""
        return "Perioden" if "Perioden" in self.dimensions else None

    def kind(self, dimension: str) -> str:
        """Dimension, TimeDimension, GeoDimension or, for districts and neighbourhoods, GeoDetail."""
        kinds = {self.time: "TimeDimension", self.region: "GeoDimension", "WijkenEnBuurten": "GeoDetail"}
        return kinds.get(dimension, "Dimension")

    @cached_property
    def cells(self) -> pl.DataFrame:
        """A row an observation: the dimensions, topic, value (Float64), text, attribute (`None` beside a value)."""
        given = self.observations
        if isinstance(given, list):
            numbers = {topic.code for topic in self.topics if topic.datatype != "String"}
            given = pl.DataFrame(
                [
                    {name: row[name] for name in self.dimensions}
                    | _cell(topic.code in numbers, row[topic.code])
                    | {"topic": topic.code}
                    for row in given
                    for topic in self.topics
                    if topic.code in row
                ],
                schema=dict.fromkeys([*self.dimensions, "topic", "text", "attribute"], pl.String)
                | {"value": pl.Float64},
            )
        absent = {"text": pl.lit(None, pl.String), "attribute": pl.lit("None")}
        given = given.with_columns(**{name: fill for name, fill in absent.items() if name not in given.columns})
        return given.select(*self.dimensions, "topic", pl.col("value").cast(pl.Float64), "text", "attribute")

    def after(self, struck: Callable[[Kind], Fault | None]) -> StandInTable:
        """The table in its next release, in which the faults that strike have come about."""
        table = self
        for kind, change in _CHANGES.items():
            if fault := struck(kind):
                later = datetime.fromisoformat(self.modified) + timedelta(days=1)
                table = replace(change(table, fault.about), modified=later.isoformat())
        return table


class TablesStandIn(StandIn):
    """A service with tables. Faults of the data match against the path, which holds the table's id."""

    def __init__(
        self,
        *tables: StandInTable,
        page_size: int,
        faults: list[Fault] | None = None,
        delay: float = 0,
    ) -> None:
        super().__init__(faults, delay=delay)
        self.tables = {table.table_id: table for table in tables}
        self.page_size = page_size

    def table(self, table_id: str, path: str) -> StandInTable | None:
        """The table as it stands now; its id with the right capitals."""
        known = self.tables.get(table_id)
        if known is None or self.struck(Kind.TABLE_WITHDRAWN, path):
            return None
        return known.after(lambda kind: self.struck(kind, path))

    def misled(self, query: dict[str, str], following: dict[str, str], path: str) -> dict[str, str]:
        """The query for the page after the first, or the wrong one where a fault strikes."""
        if "$skip" not in query:
            if self.struck(Kind.DUPLICATE_PAGE, path):
                return {**following, "$skip": "0"}
            if self.struck(Kind.PAGE_MISSING, path):
                return {**following, "$skip": str(2 * self.page_size)}
        return following


def _cell(of_numbers: bool, value: Any) -> dict[str, Any]:
    if value is None or (of_numbers and isinstance(value, str)):
        return {"value": None, "text": None, "attribute": value or "Impossible"}
    if isinstance(value, str):
        return {"value": None, "text": value, "attribute": "None"}
    return {"value": float(value), "text": None, "attribute": "None"}


def _renamed(table: StandInTable, about: str) -> StandInTable:
    old = next(topic for topic in table.topics if about in ("", topic.code))
    shifted = re.sub(r"_(\d+)$", lambda found: f"_{int(found[1]) + 1}", old.code)
    new = old._replace(code=shifted, title=f"{old.title} (nieuwe definitie)")
    return replace(
        table,
        topics=[new if topic == old else topic for topic in table.topics],
        observations=table.cells.with_columns(pl.col("topic").replace({old.code: shifted})),
    )


def _times_thousand(table: StandInTable, about: str) -> StandInTable:
    return replace(
        table,
        topics=[topic._replace(unit=about or topic.unit) for topic in table.topics],
        observations=table.cells.with_columns(pl.col("value") * 1000),
    )


def _municipality_missing(table: StandInTable, about: str) -> StandInTable:
    return replace(table, observations=table.cells.filter(pl.col(table.region or "") != (about or "GM0153")))


def _provisional_flip(table: StandInTable, about: str) -> StandInTable:
    period = about or list(table.dimensions["Perioden"])[-1]
    flipped = "Voorlopig" if table.statuses.get(period) == "Definitief" else "Definitief"
    revised = pl.when(pl.col("Perioden") == period).then(pl.col("value") + 1).otherwise("value")
    return replace(
        table,
        statuses={**table.statuses, period: flipped},
        observations=table.cells.with_columns(value=revised),
    )


_CHANGES: dict[Kind, Callable[[StandInTable, str], StandInTable]] = {
    Kind.COLUMN_RENAMED: _renamed,
    Kind.TIMES_THOUSAND: _times_thousand,
    Kind.MUNICIPALITY_MISSING: _municipality_missing,
    Kind.PROVISIONAL_FLIP: _provisional_flip,
}
