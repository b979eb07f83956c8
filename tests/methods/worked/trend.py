"""Worked examples of methods/trend.py and methods/movement.py."""

from __future__ import annotations

import polars as pl

from catalog.analysis_model import TrendSettings
from methods.measure import RegionRoles
from methods.movement import movements
from methods.trend import paired_figures, slope, trends
from tests.methods.small import indicators, sources, table
from tests.methods.worked import Example

YEARS = [2018, 2019, 2020, 2021, 2022]
VALUES = [10.0, 12.0, 11.0, 14.0, 15.0]
ERRORS = [1.0, 2.0, 1.0, 2.0, 1.0]
T_975_3 = "3.182446305284263"  # 97.5% of Student's t with 3 degrees of freedom lies below (tables of t)

ROLES = RegionRoles(municipalities=["GM0001"], groups=["CORE", "RURAL"], country="NL01", rest="REST", published_as=[])
SHARES = {"group_code": pl.String, "municipality_code": pl.String, "weight": pl.Float64, "share": pl.Float64}


def _slope() -> list[float]:
    found = slope(YEARS, VALUES)
    return [found.estimate, found.standard_error, found.ci_low, found.ci_high]


def _weighted() -> list[float]:
    found = slope(YEARS, VALUES, ERRORS)
    return [found.estimate, found.standard_error, found.ci_low]


def _rounding() -> list[float]:
    exact, rounded = slope(YEARS, VALUES), slope(YEARS, VALUES, rounding_unit=1.0)
    gap = slope([2018, 2019, 2021, 2022], [10.0, 12.0, 14.0, 15.0], rounding_unit=1.0)
    return [rounded.rounding_margin, exact.ci_low - rounded.ci_low, gap.rounding_margin]


def _relative() -> list[float]:
    figures = table(
        """
        region_code year value series_id
        GM0001      2019 22    old
        GM0001      2020 24    s
        GM0001      2021 26    s
        GM0001      2022 35    s
        NL01        2019 20    old
        NL01        2020 20    s
        NL01        2021 20    s
        NL01        2022 25    s
        """,
        indicator_id="income",
        breakdown="total",
        kind="register",
        rounding_unit=0.0,
        ci_low=None,
        ci_high=None,
        status="definitive",
        warnings=[],
        comparable=True,
    ).with_columns(measurement_year=pl.col("year").cast(pl.Int32), reference_period="year")
    what = indicators("indicator_id nominal_euro\nincome yes")
    settings = TrendSettings(window_years=8, minimum_points=3)
    found = trends(figures, what, ROLES, [], [2022], settings)
    row = found.row(
        by_predicate=(pl.col("region_code") == "GM0001") & (pl.col("quantity") == "relative_to_nl"), named=True
    )
    return [row["estimate"], float(row["points"])]


def _between() -> list[float]:
    figures = table(
        """
        region_code value ci_low ci_high
        CORE        66    63     69
        RURAL       60    58     62
        """,
        indicator_id="health",
        breakdown="total",
        measurement_year=2022,
        reference_period="2022",
        kind="sample",
        rounding_unit=0.1,
        series_id="s",
        status="definitive",
        revision_margin=None,
        warnings=[],
        comparable=True,
    )
    pair = {"indicator_id": "health", "breakdown": "total", "region_code": "CORE", "comparator_code": "RURAL"}
    rows = [
        paired_figures(figures, pl.DataFrame([pair | {"quantity": quantity}])).row(0, named=True)
        for quantity in ("difference", "relative_difference")
    ]
    return [value for row in rows for value in (row["value"], row["value"] - row["ci_low"], row["rounding_unit"])]


def _difference_in_change() -> list[float]:
    figures = table(
        """
        measurement_year region_code value
        2022             CORE        60
        2022             RURAL       66
        2024             CORE        64
        2024             RURAL       67
        """,
        indicator_id="work",
        breakdown="total",
        ci_low=None,
        ci_high=None,
        n=None,
        status="definitive",
        warnings=[],
        source_table="A",
        series_id="s",
    ).with_columns(reference_period=pl.col("measurement_year").cast(pl.String))
    shares = pl.DataFrame(schema={"indicator_id": pl.String, "reference_period": pl.String, **SHARES})
    what, tables = indicators("indicator_id\nwork"), sources("indicator_id rounding_unit\nwork 1")
    found = movements(figures, 2022, shares, what, tables, ROLES, [("CORE", "RURAL")])
    row = found.row(
        by_predicate=(pl.col("movement") == "since_baseline") & (pl.col("quantity") == "difference"), named=True
    )
    return [row["estimate"], row["ci_low"], row["ci_high"]]


# Of the weighted example: the squares of the five distances from the line, each divided by se^2.
_SCATTER = (
    "(10 - 42.5 / 3.5 + 2 * 10.5 / 8.5) ** 2 + (12 - 42.5 / 3.5 + 10.5 / 8.5) ** 2 / 4 + (11 - 42.5 / 3.5) ** 2"
    " + (14 - 42.5 / 3.5 - 10.5 / 8.5) ** 2 / 4 + (15 - 42.5 / 3.5 - 2 * 10.5 / 8.5) ** 2"
)
_LINE = [[str(year), f"{value:g}"] for year, value in zip(YEARS, VALUES, strict=True)]

EXAMPLES = [
    Example(
        title="Slope of five years",
        text=(
            "Ordinary least squares. The years lie -2, -1, 0, 1 and 2 from their middle, and the squares of these add "
            "up to 10. The line is 10, 11.2, 12.4, 13.6 and 14.8, so the figures lie 0, 0.8, -1.4, 0.4 and 0.2 from it."
        ),
        header=["year", "figure"],
        rows=_LINE,
        steps=[
            ("slope per year", "(-2 * 10 - 1 * 12 + 0 * 11 + 1 * 14 + 2 * 15) / 10"),
            ("standard error", "sqrt((0 ** 2 + 0.8 ** 2 + 1.4 ** 2 + 0.4 ** 2 + 0.2 ** 2) / (5 - 2) / 10)"),
            ("lower bound", f"1.2 - {T_975_3} * sqrt(2.8 / 3 / 10)"),
            ("upper bound", f"1.2 + {T_975_3} * sqrt(2.8 / 3 / 10)"),
        ],
        result=_slope,
    ),
    Example(
        title="Slope weighted by precision",
        text=(
            "Each figure counts by 1 / se^2: 1, 1/4, 1, 1/4 and 1. The weighted squares of the years add up to 8.5, "
            "and the weighted mean of the figures is 42.5 / 3.5. The scatter around the line (chi^2, here 3 degrees of "
            "freedom) is smaller than the sampling errors explain, so these alone decide the standard error."
        ),
        header=["year", "figure", "standard error"],
        rows=[[*row, f"{error:g}"] for row, error in zip(_LINE, ERRORS, strict=True)],
        steps=[
            ("slope per year", "(-2 * 10 - 1 * 12 / 4 + 0 * 11 + 1 * 14 / 4 + 2 * 15) / 8.5"),
            (
                "standard error",
                f"sqrt(max(1, ({_SCATTER}) / (5 - 2)) / 8.5)",
            ),
            ("lower bound", f"10.5 / 8.5 - {T_975_3} * sqrt(1 / 8.5)"),
        ],
        result=_weighted,
    ),
    Example(
        title="Rounding margin of a slope",
        text=(
            "The slope is -0.2, -0.1, 0, 0.1 and 0.2 times the five figures. Each is rounded to a whole number, so it "
            "may be a half off, and the slope as far as all halves together. Without the figure of 2020 nothing "
            "changes here: the middle year does not count in the slope."
        ),
        header=["year", "figure"],
        rows=_LINE,
        steps=[
            ("rounding margin", "(0.2 + 0.1 + 0 + 0.1 + 0.2) * 1 / 2"),
            ("how much lower the lower bound is", "(0.2 + 0.1 + 0 + 0.1 + 0.2) * 1 / 2"),
            ("rounding margin without 2020", "(0.2 + 0.1 + 0.1 + 0.2) * 1 / 2"),
        ],
        result=_rounding,
    ),
    Example(
        title="Slope of the distance from the country",
        text=(
            "Euro amounts rise with prices, so what counts is how far the municipality lies from the country, in per "
            "cent: 20, 30 and 40. The figure of 2019 is of another series and does not count."
        ),
        header=["year", "municipality", "country", "series"],
        rows=[
            ["2019", "22", "20", "old"],
            ["2020", "24", "20", "new"],
            ["2021", "26", "20", "new"],
            ["2022", "35", "25", "new"],
        ],
        steps=[
            (
                "slope, percentage points per year",
                "(-1 * 100 * (24 / 20 - 1) + 0 * 100 * (26 / 20 - 1) + 1 * 100 * (35 / 25 - 1)) / (1 + 0 + 1)",
            ),
            ("figures that count", "1 + 1 + 1"),
        ],
        result=_relative,
    ),
    Example(
        title="What lies between two groups",
        text=(
            "The cores have 66 (63-69), the countryside 60 (58-62), both rounded to 0.1. In per cent, a figure of the "
            "cores counts for 100 / 60 and one of the countryside for 66 / 60 of that. Margins of independent figures "
            "add up as squares, rounding adds up as it is."
        ),
        header=["group", "figure", "lower bound", "upper bound"],
        rows=[["cores", "66", "63", "69"], ["countryside", "60", "58", "62"]],
        steps=[
            ("difference", "66 - 60"),
            ("its margin", "sqrt((66 - 63) ** 2 + (62 - 60) ** 2)"),
            ("its rounding unit", "0.1 + 0.1"),
            ("difference in per cent", "100 * (66 / 60 - 1)"),
            ("margin of that", "100 / 60 * sqrt((66 - 63) ** 2 + (66 / 60 * (62 - 60)) ** 2)"),
            ("rounding unit of that", "100 / 60 * (0.1 + 66 / 60 * 0.1)"),
        ],
        result=_between,
    ),
    Example(
        title="Difference in change",
        text=(
            "Did the cores move more than the countryside? Four complete counts, each rounded to whole numbers: each "
            "may be a half off, together two. So a difference in change of 3 is more than rounding."
        ),
        header=["group", "2022", "2024"],
        rows=[["cores", "60", "64"], ["countryside", "66", "67"]],
        steps=[
            ("difference in change", "(64 - 67) - (60 - 66)"),
            ("lower bound", "3 - (1 + 1 + 1 + 1) / 2"),
            ("upper bound", "3 + (1 + 1 + 1 + 1) / 2"),
        ],
        result=_difference_in_change,
    ),
]
