"""Report grades of the resident survey as Twente Board published them: in text, without their method or margin."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from catalog import Catalogue
from sources.csv_file import CsvFile, read_csv
from sources.errors import DuplicateFigure, InputError, OutOfScale, PeriodError, UnknownRegion, ValueFault
from sources.figures import RAW

FILE = "published_grades.csv"

_COLUMNS = ["indicator", "region_code", "period", "value", "source_table", "url", "note"]
_PAIR = ["indicator", "source_table"]
_KEY = ["indicator", "region_code", "period", "source_table"]
_TOLERANCE = 1e-9


def read_published_grades(path: Path, catalogue: Catalogue) -> pl.DataFrame:
    """The grades that the catalogue has a source for: columns RAW, sorted by key, definitive and without margins.

    Raises an InputError that names row and column for a region, period or value that cannot be.
    """
    file = read_csv(path, _COLUMNS)
    rows = (
        file.frame.join(_wanted(catalogue), _PAIR)
        .with_columns(number=pl.col("value").cast(pl.Float64, strict=False))
        .sort("row")
    )
    _check(file, rows, catalogue)
    return rows.sort(_KEY).select(
        indicator_id="indicator",
        region_code="region_code",
        period="period",
        value="number",
        ci_low=pl.lit(None, dtype=pl.Float64),
        ci_high=pl.lit(None, dtype=pl.Float64),
        status=pl.lit("definitive"),
        source_table="source_table",
        reason=pl.lit(None, dtype=pl.String),
    )[RAW]


def _wanted(catalogue: Catalogue) -> pl.DataFrame:
    """What the catalogue says of each indicator and source table."""
    rows = [
        (i.indicator_id, s.source_table, s.period_first, s.period_last, s.rounding_unit, i.scale_min, i.scale_max)
        for i in catalogue.indicators
        for s in i.sources
    ]
    texts, numbers = [*_PAIR, "first", "last"], ["rounding_unit", "scale_min", "scale_max"]
    return pl.DataFrame(rows, schema=dict.fromkeys(texts, pl.String) | dict.fromkeys(numbers, pl.Float64), orient="row")


def _check(file: CsvFile, rows: pl.DataFrame, catalogue: Catalogue) -> None:
    region, number, unit = catalogue.region, pl.col("number"), pl.col("rounding_unit")
    codes = [*region.municipalities, *region.own_groups, region.country_code, region.rest_code]
    finer = ((number / unit).round() * unit - number).abs() > _TOLERANCE
    faults: list[tuple[type[InputError], str, pl.Expr, str]] = [
        (UnknownRegion, "region_code", ~pl.col("region_code").is_in(codes), "a code of the region file"),
        (PeriodError, "period", ~pl.col("period").is_between("first", "last"), "a period of its source table"),
        (DuplicateFigure, "value", ~pl.struct(_KEY).is_first_distinct(), "one grade a region, period and table"),
        (ValueFault, "value", number.is_null() | finer, "a number as precise as the rounding unit of its source"),
        (OutOfScale, "value", ~number.is_between("scale_min", "scale_max"), "a grade within its scale"),
        (ValueFault, "url", ~pl.col("url").str.starts_with("https://"), "the address where it was published"),
    ]
    for kind, column, fault, expected in faults:
        for row in rows.filter(fault).head(1).iter_rows(named=True):
            remedy = "Compare with what was published, and with catalog/indicators."
            raise kind(file.path, expected, row=row["row"], column=column, value=row[column], remedy=remedy)
