"""Small frames written as text, for tests of which every number can be checked by hand.

Cells are separated by spaces; `-` is NULL; warnings are joined by `;`. Columns a table does not show are ordinary.
"""

from __future__ import annotations

from typing import Any

import polars as pl

FLOATS = [
    *("value", "ci_low", "ci_high", "weight", "share"),
    *("rounding_unit", "revision_margin", "min_relevant_difference"),
]
INTEGERS = ["measurement_year", "lag_years", "priority", "polarity", "max_lag_years"]
FLAGS = [
    *("is_count", "is_percentage", "nominal_euro", "weight_approximate", "country_figure"),
    *("carried_forward", "newer_published", "of_reference_series", "synthetic", "comparable", "headline"),
]
TYPES: dict[str, pl.DataType] = {
    **dict.fromkeys(FLOATS, pl.Float64()),
    **dict.fromkeys(INTEGERS, pl.Int32()),
    **dict.fromkeys(FLAGS, pl.Boolean()),
    "n": pl.Int64(),
    "warnings": pl.List(pl.String()),
}


def table(text: str, **defaults: Any) -> pl.DataFrame:
    """The frame that a text describes, with `defaults` for the columns it does not show."""
    header, *lines = (line.split() for line in text.strip().splitlines())
    rows = [dict(zip(header, line, strict=True)) for line in lines]
    columns = {name: [cell(row[name], type_of(name)) for row in rows] for name in header}
    columns |= {name: [default] * len(rows) for name, default in defaults.items() if name not in header}
    return pl.DataFrame(columns, schema={name: type_of(name) for name in columns})


def type_of(name: str) -> pl.DataType:
    return TYPES.get(name, pl.String())


def cell(text: str, kind: pl.DataType) -> Any:
    if isinstance(kind, pl.List):
        return [] if text == "-" else text.split(";")
    if text == "-":
        return None
    if isinstance(kind, pl.Boolean):
        return {"yes": True, "no": False}[text]
    return text if isinstance(kind, pl.String) else float(text) if isinstance(kind, pl.Float64) else int(text)


def observation(text: str, **defaults: Any) -> pl.DataFrame:
    """Figures as the table `observation`; without a value the status is not_published."""
    ordinary = {"source_table": "A", "breakdown": "total", "ci_low": None, "ci_high": None, "n": None, "warnings": []}
    frame = table(text, **{**ordinary, "status": None, **defaults})
    has_value = pl.col("value").is_not_null()
    status = pl.when(has_value).then(pl.lit("definitive")).otherwise(pl.lit("not_published"))
    return frame.select(
        *("indicator_id", "region_code", "period", "breakdown", "source_table", "value", "ci_low", "ci_high", "n"),
        pl.coalesce("status", status).alias("status"),
        "warnings",
    )


def indicators(text: str, **defaults: Any) -> pl.DataFrame:
    """Indicators as the catalogue gives them: weighted means, higher is better, at most three years old.

    `weigh_by` is the catalogue's weight, an expression.
    """
    ordinary = {
        "layer": "official",
        "headline": False,
        "polarity": 1,
        "group_method": "weighted_mean",
        "weigh_by": None,
        "weight_approximate": False,
        "weight_fallback": None,
        "is_count": False,
        "is_percentage": False,
        "measured_for": "municipality",
        "country_figure": True,
        "max_lag_years": 3,
        "min_relevant_difference": None,
        "nominal_euro": False,
    }
    frame = table(text, **{**ordinary, **defaults})
    return frame.select("indicator_id", *ordinary).rename({"weigh_by": "weight"})


def sources(text: str, **defaults: Any) -> pl.DataFrame:
    """Source tables as the catalogue gives them: one register series, rounded to 0.1."""
    ordinary = {
        "source_table": "A",
        "series_id": "s",
        "priority": 1,
        "kind": "register",
        "rounding_unit": 0.1,
        "revision_margin": None,
        "comparable": True,
        "warnings": [],
    }
    frame = table(text, **{**ordinary, **defaults})
    return frame.select("indicator_id", *ordinary)
