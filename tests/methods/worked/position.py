"""Worked examples of where a municipality lies among others."""

from __future__ import annotations

from math import hypot

import numpy as np
import polars as pl

from methods.measure import RegionRoles
from methods.position import bonferroni_factor, percentile_of, percentile_ranges, positions
from tests.methods.worked import Example

_WIDENING = "2.497705474412374 / 1.959963984540054"
_TABLE = [["A", "62.0", "1.5"], ["B", "66.0", "2.0"], ["C", "66.0", "2.0"], ["D", "71.0", "1.2"], ["E", "74.0", "1.6"]]
_CODES = ["GM0001", "GM0002", "GM0003", "GM0004", "GM0005"]
_VALUES = np.array([62.0, 66.0, 66.0, 71.0, 74.0])
_HALF_WIDTHS = np.array([1.5, 2.0, 2.0, 1.2, 1.6])
_UNITS = np.full(5, 0.1)


def _percentiles() -> list[float]:
    return [percentile_of(value, np.delete(_VALUES, place)) for place, value in enumerate(_VALUES)]


def _ranges() -> list[float]:
    factor = bonferroni_factor(4)
    low, high = percentile_ranges(_VALUES, _HALF_WIDTHS, _HALF_WIDTHS, _UNITS)
    margins = [0.1 + factor * hypot(_HALF_WIDTHS[3], _HALF_WIDTHS[other]) for other in (0, 1, 2, 4)]
    return [factor, *margins, float(low[3]), float(high[3])]


def _position() -> list[float]:
    """D among five, from the frames the measurement uses; the urbanity class of all five is 3."""
    figures = pl.DataFrame({"region_code": _CODES, "value": _VALUES, "half_width": _HALF_WIDTHS}).with_columns(
        indicator_id=pl.lit("satisfied"),
        kind=pl.lit("sample"),
        ci_low=pl.col("value") - pl.col("half_width"),
        ci_high=pl.col("value") + pl.col("half_width"),
    )
    classes = pl.DataFrame({"region_code": _CODES, "value": [3.0] * 5}).with_columns(
        indicator_id=pl.lit("urbanity"), kind=pl.lit("register")
    )
    values = pl.concat([figures, classes], how="diagonal").with_columns(
        measurement_year=pl.lit(2025, dtype=pl.Int32),
        breakdown=pl.lit("total"),
        reference_period=pl.lit("2025"),
        series_id=pl.lit("s"),
        status=pl.lit("definitive"),
        rounding_unit=pl.lit(0.1),
        warnings=pl.lit([], dtype=pl.List(pl.String)),
    )
    indicators = pl.DataFrame({"indicator_id": ["satisfied", "urbanity"], "polarity": [1, 0], "is_count": False})
    roles = RegionRoles(municipalities=["GM0004"], groups=["REGION"], country="NL01", rest="NL_REST", published_as=[])
    row = positions(values, indicators, roles, "urbanity").row(0, named=True)
    names = ["municipalities", "percentile", "quartile", "quartile_low", "quartile_high"]
    return [float(row[name]) for name in [*names, "percentile_25", "median", "percentile_90"]]


EXAMPLES = [
    Example(
        title="Percentile among the others",
        text=(
            "The percentile of a municipality is the share of the other municipalities with a lower figure. Equal "
            "figures count for half. The municipality itself does not count: with five, there are four others."
        ),
        header=["municipality", "figure"],
        rows=[["A", "62.0"], ["B", "66.0"], ["C", "66.0"], ["D", "71.0"], ["E", "74.0"]],
        steps=[
            ("A: none lower", "100 * (0 + 0.5 * 0) / 4"),
            ("B: A lower, C equal", "100 * (1 + 0.5 * 1) / 4"),
            ("C: A lower, B equal", "100 * (1 + 0.5 * 1) / 4"),
            ("D: A, B and C lower", "100 * (3 + 0.5 * 0) / 4"),
            ("E: all lower", "100 * (4 + 0.5 * 0) / 4"),
        ],
        result=_percentiles,
    ),
    Example(
        title="Percentiles that are not ruled out",
        text=(
            "Figures of a sample, rounded to 0.1, with 95% margins. D is higher for certain only where the difference "
            "is larger than the margin of that pair: the rounding of both, (0.1 + 0.1) / 2, plus their sampling "
            "margins together, widened because four comparisons must hold at once. A lies 9.0 below D, B and C 5.0; "
            "E lies 3.0 above it."
        ),
        header=["municipality", "figure", "margin (95%)"],
        rows=_TABLE,
        steps=[
            ("widening: normal quantile of 1 - 0.05 / (2 * 4), over that of 0.975", _WIDENING),
            ("margin of D - A: smaller than 9.0, so A is lower", f"0.1 + {_WIDENING} * sqrt(1.2 ** 2 + 1.5 ** 2)"),
            ("margin of D - B: smaller than 5.0, so B is lower", f"0.1 + {_WIDENING} * sqrt(1.2 ** 2 + 2 ** 2)"),
            ("margin of D - C: smaller than 5.0, so C is lower", f"0.1 + {_WIDENING} * sqrt(1.2 ** 2 + 2 ** 2)"),
            ("margin of E - D: smaller than 3.0, so E is higher", f"0.1 + {_WIDENING} * sqrt(1.2 ** 2 + 1.6 ** 2)"),
            ("lowest percentile of D: three of four are lower for certain", "100 * 3 / 4"),
            ("highest percentile of D: one of four is higher for certain", "100 - 100 * 1 / 4"),
        ],
        result=_ranges,
    ),
    Example(
        title="Position and distribution",
        text=(
            "D of the table above, as it is published. Quarters are counted from low to high: below 25 per cent 1, "
            "below 50 per cent 2, below 75 per cent 3, else 4. Only the fourth is not ruled out: where a high figure "
            "is favourable, D is certainly in the most favourable quarter. The distribution is that of all five, with "
            "linear interpolation between figures."
        ),
        header=["municipality", "figure", "margin (95%)"],
        rows=_TABLE,
        steps=[
            ("municipalities with a figure, D included", "4 + 1"),
            ("percentile", "100 * (3 + 0.5 * 0) / 4"),
            ("quarter (75 is not below 75)", "4"),
            ("lowest quarter not ruled out (75 per cent)", "4"),
            ("highest quarter not ruled out (75 per cent)", "4"),
            ("a quarter lies below: place 0.25 * 4 = 1 after the lowest", "66"),
            ("half lies below: place 0.5 * 4 = 2 after the lowest", "66"),
            ("90 per cent lies below: place 0.9 * 4 = 3.6, so 0.6 of the way from D to E", "71 + 0.6 * (74 - 71)"),
        ],
        result=_position,
    ),
]
