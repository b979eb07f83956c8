"""What the pictures are drawn from: the tables and words that come in, and the figures of one indicator over time."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

from catalog.survey_model import GradeScale
from reports.charts import grades
from reports.numbers import number

SYNTHETIC: Final = "synthetic"  # the warning of a row that is made up


@dataclass(frozen=True)
class ChartTables:
    """The published tables the pictures are drawn from (names and columns as in the DuckDB file).

    Without `theme` and `comparison` there is no picture of the dimensions, without `theme_score` and `sensitivity` none
    of ranks, without `position` none of the places among all municipalities. `framework_element` says what a score is
    made of, and so its sources.
    """

    region: pl.DataFrame
    region_member: pl.DataFrame
    indicator: pl.DataFrame
    indicator_value: pl.DataFrame
    source: pl.DataFrame
    theme: pl.DataFrame = field(default_factory=pl.DataFrame)
    comparison: pl.DataFrame = field(default_factory=pl.DataFrame)
    framework_element: pl.DataFrame = field(default_factory=pl.DataFrame)
    theme_score: pl.DataFrame = field(default_factory=pl.DataFrame)
    sensitivity: pl.DataFrame = field(default_factory=pl.DataFrame)
    position: pl.DataFrame = field(default_factory=pl.DataFrame)


@dataclass(frozen=True)
class ChartLabels:
    """Codes and Dutch words of the region and the vocabularies; `groups` stands in drawing order.

    `grade` is the scale on which readers see mean scores; `contrast` are the two groups, and `baseline_year` the year,
    that the picture of the dimensions sets against each other and against now.
    """

    region_code: str
    groups: dict[str, str]
    country_code: str
    rest_code: str
    names: dict[str, str]
    status: dict[str, str]
    warnings: dict[str, str]
    units: dict[str, str]
    companions: dict[str, str]
    outlines_source: str | None = None  # who drew the municipal outlines
    verdicts: dict[str, str] = field(default_factory=dict)
    positions: dict[str, str] = field(default_factory=dict)
    baseline_year: int | None = None
    contrast: tuple[str, str] | None = None
    grade: GradeScale | None = None


@dataclass(frozen=True)
class Point:
    """One figure of one region in one measurement year; value and 95% margin in the unit that readers see."""

    code: str
    year: int
    period: str = ""
    value: float | None = None
    margin: tuple[float, float] | None = None
    status: str = ""
    warnings: frozenset[str] = frozenset()
    table: str | None = None
    series: str | None = None
    n: int | None = None

    @property
    def synthetic(self) -> bool:
        """Whether the figure is made up."""
        return SYNTHETIC in self.warnings

    @property
    def on_axis(self) -> float:
        """The value as a place on an axis; NaN, which is not drawn, where there is none."""
        return math.nan if self.value is None else self.value


@dataclass(frozen=True)
class Story:
    """All that the pictures of one indicator need, up to and including one measurement year."""

    indicator: str
    name: str
    unit: str
    decimals: int
    scale: tuple[float | None, float | None]
    year: int
    years: tuple[int, ...]
    names: dict[str, str]
    members: tuple[str, ...]
    group_of: dict[str, str]
    points: dict[tuple[int, str], Point]
    publishers: dict[str, str]
    outlines: dict[str, bytes]
    labels: ChartLabels

    def point(self, code: str, year: int | None = None) -> Point:
        """The figure of a region; an empty one where the table has no row."""
        year = self.year if year is None else year
        return self.points.get((year, code), Point(code, year))

    def now(self) -> list[Point]:
        """The figures of the municipalities in the story's own measurement year."""
        return [self.point(code) for code in self.members]

    def comparator(self, years: Sequence[int]) -> str:
        """The country, or the rest of the country where that has figures for more years."""
        codes = (self.labels.country_code, self.labels.rest_code)
        return max(codes, key=lambda code: len(shown(self.point(code, year) for year in years)))

    def lines(self) -> list[Point]:
        """The figures of the region as a whole and of what it is compared with."""
        return [self.point(code) for code in (self.labels.region_code, self.comparator([self.year]))]

    def text(self, point: Point) -> str:
        """A figure as Dutch text; a dash where there is none.

        A percentage that its publisher rounds to whole numbers is shown as published; a mean computed from such
        figures has the indicator's decimals.
        """
        if point.value is None:
            return "–"
        published = point.code in self.members or point.code == self.labels.country_code
        whole = published and "whole_percent" in point.warnings and point.value.is_integer()
        return number(point.value, 0 if whole else self.decimals)

    def margin_text(self, point: Point) -> str:
        """The 95% margin of a figure as Dutch text."""
        low, high = point.margin or (math.nan, math.nan)
        return f"tussen {number(low, self.decimals)} en {number(high, self.decimals)}"

    def name_of(self, code: str) -> str:
        """The name of a region."""
        return self.names.get(code, code)

    def status(self, status: str) -> str:
        """The Dutch label of a status."""
        return self.labels.status.get(status, status or "geen cijfer")

    def warning(self, key: str) -> str:
        """The Dutch label of a warning."""
        return self.labels.warnings.get(key, key)


# --- from tables to a story


def stories(tables: ChartTables, labels: ChartLabels, measurement_year: int) -> Iterator[tuple[Story, Story | None]]:
    """Each headline indicator in the order of the catalogue, with its companion where that has figures."""
    rows = {row["indicator_id"]: row for row in tables.indicator.iter_rows(named=True)}
    for indicator, row in rows.items():
        if row["headline"]:
            other = rows.get(labels.companions.get(indicator, ""))
            beside = story_of(tables, labels, measurement_year, other) if other else None
            yield story_of(tables, labels, measurement_year, row), beside if beside and shown(beside.now()) else None


def story_of(tables: ChartTables, labels: ChartLabels, year: int, row: Mapping[str, Any]) -> Story:
    """The story of one indicator from its row in the catalogue; a score becomes a report grade."""
    scale = labels.grade if row["unit"] == grades.SCORE else None
    values = tables.indicator_value.filter(
        pl.col("measurement_year") <= year, indicator_id=row["indicator_id"], breakdown="total"
    )
    return make_story(
        tables,
        labels,
        year,
        [point_of(value, scale) for value in values.iter_rows(named=True)],
        indicator=row["indicator_id"],
        name=row["name_nl"],
        unit=grades.grade_words(scale) if scale else labels.units.get(row["unit"], row["unit"]),
        decimals=grades.DECIMALS if scale else row["decimals"],
        scale=(scale.lowest, scale.highest) if scale else (row["scale_min"], row["scale_max"]),
    )


def make_story(
    tables: ChartTables,
    labels: ChartLabels,
    year: int,
    figures: Sequence[Point],
    *,
    indicator: str,
    name: str,
    unit: str,
    decimals: int,
    scale: tuple[float | None, float | None],
) -> Story:
    """The story of these figures, with the names, members and groups of the region."""
    points = {(p.year, p.code): p for p in figures}
    period = next((p.period for p in points.values() if p.year == year and p.period), str(year))
    members = _members(tables.region_member, labels.region_code, period)
    region = tables.region.filter(pl.col("region_code").is_in(members))
    names = dict(region.select("region_code", "name").iter_rows())
    groups = {code: _members(tables.region_member, code, period) for code in labels.groups}
    return Story(
        indicator=indicator,
        name=name,
        unit=unit,
        decimals=decimals,
        scale=scale,
        year=year,
        years=tuple(sorted({p.year for p in points.values()} | {year})),
        names=names | {code: capitalised(name) for code, name in (labels.groups | labels.names).items()},
        members=tuple(sorted(members, key=lambda code: (names.get(code, code), code))),
        group_of={member: code for code, inside in reversed(groups.items()) for member in inside},
        points=points,
        publishers=dict(tables.source.sort("source_id").select("source_table", "publisher").iter_rows()),
        outlines={c: g for c, g in region.select("region_code", "geometry_wkb").iter_rows() if g is not None},
        labels=labels,
    )


def point_of(row: Mapping[str, Any], scale: GradeScale | None) -> Point:
    """A row of `indicator_value` as a point, in grades where a scale is given."""
    value, low, high = (
        grades.grade(row[name], scale) if scale and row[name] is not None else row[name]
        for name in ("value", "ci_low", "ci_high")
    )
    return Point(
        code=row["region_code"],
        year=row["measurement_year"],
        period=row["reference_period"] or "",
        value=value,
        margin=None if low is None or high is None else (low, high),
        status=row["status"],
        warnings=frozenset(row["warnings"]),
        table=row["source_table"],
        series=row["series_id"],
        n=row["n"],
    )


def _members(region_member: pl.DataFrame, group: str, period: str) -> list[str]:
    """The municipalities of a group in a reference period; else in the last known one before it, else the first."""
    rows = region_member.filter(group_code=group)
    known = sorted(set(rows["period"]))
    chosen = max((p for p in known if p[:4] <= period[:4]), default=known[0] if known else "")
    return sorted(rows.filter(period=chosen)["municipality_code"])


def capitalised(text: str) -> str:
    """The text with a capital as its first letter; names inside it keep theirs."""
    return text[:1].upper() + text[1:]


# --- points in time


def shown(points: Iterable[Point]) -> list[Point]:
    """The points that have a value."""
    return [p for p in points if p.value is not None]


def periods_of(points: Iterable[Point]) -> list[str]:
    """The reference periods of the points that have a value, in order."""
    return sorted({p.period for p in shown(points) if p.period})


def period_span(period: str) -> tuple[float, float]:
    """Where a reference period (`2022`, `2022Q1` or `2022-05`) begins and how long it lasts, both in years."""
    year = float(period[:4])
    if not period[4:]:
        return year, 1.0
    number_of, parts = int(period[5:]), 4 if period[4] == "Q" else 12
    return year + (number_of - 1) / parts, 1 / parts


def axis_place(period: str) -> float:
    """Where a period stands on an axis on which each year reaches from half before to half after its number."""
    start, length = period_span(period)
    return start + length / 2 - 0.5


def measured(points: Iterable[Point]) -> list[Point]:
    """Each measured period once, in order of time: a carried figure is no new measurement.

    A period read in several measurement years is the same figure; the newest statement about it counts. Two series in
    one period stay two points.
    """
    latest = {(p.period, p.series): p for p in sorted(points, key=lambda p: p.year) if p.period}
    return sorted(latest.values(), key=lambda p: (period_span(p.period)[0], p.year, p.series or ""))


def segments(points: Iterable[Point]) -> list[list[Point]]:
    """The runs of points that a line may join: one series, consecutive periods, a figure at each of them."""
    runs: list[list[Point]] = []
    before: Point | None = None
    for point in measured(points):
        if point.value is not None and before is not None and _joined(before, point):
            runs[-1].append(point)
        elif point.value is not None:
            runs.append([point])
        before = point
    return runs


def _joined(first: Point, second: Point) -> bool:
    """Whether two neighbouring points are consecutive measurements of one series."""
    (start, length), (end, other) = period_span(first.period), period_span(second.period)
    return first.value is not None and first.series == second.series and end - start <= max(length, other) + 1e-9


def breaks(points: Iterable[Point]) -> list[tuple[Point, Point]]:
    """Neighbouring measured points that belong to different series."""
    return [(a, b) for a, b in itertools.pairwise(shown(measured(points))) if a.series != b.series]
