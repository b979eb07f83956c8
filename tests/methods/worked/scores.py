"""Worked examples of methods/scores.py: five municipalities, two themes, one framework."""

from __future__ import annotations

import polars as pl

from catalog.analysis_model import (
    AnalysisSettings,
    FrameworkIndicator,
    FrameworkSettings,
    FrameworkTheme,
    OutlierTreatment,
    SensitivitySettings,
)
from catalog.survey_model import GradeScale
from methods.framework import DEFAULT
from methods.measure import RegionRoles
from methods.scores import ScoreTables, score_tables
from tests.methods.small import table
from tests.methods.worked import Example

_CODES = {"A": "GM0001", "B": "GM0002", "C": "GM0003", "D": "GM0004", "E": "GM0005", "country": "NL01"}
_FRAMEWORK = FrameworkSettings(
    framework="cbs",
    layer="official",
    minimum_coverage=0.5,
    themes=[
        FrameworkTheme(
            theme_id="cbs_place",
            minimum_coverage=0.6,
            indicators=[FrameworkIndicator(indicator="green"), FrameworkIndicator(indicator="noise")],
        ),
        FrameworkTheme(
            theme_id="cbs_means",
            minimum_coverage=1,
            indicators=[FrameworkIndicator(indicator="income", quantity="relative_to_nl")],
        ),
    ],
)
_SETTINGS = AnalysisSettings.model_construct(
    outliers=OutlierTreatment(skewness=2, kurtosis=3.5, maximum=5),
    sensitivity=SensitivitySettings(draws=256, sobol_base=2048, seed=1, weight_noise=0.5, range_percent=(5, 95)),
)
_HEADER = ["municipality", "green (%)", "noise (1-5)", "income (euros)"]
_ROWS = [
    ["A", "10", "1", "90"],
    ["B", "20", "2", "100"],
    ["C", "30", "5", "110"],
    ["D", "40", "3", "120"],
    ["E", "50", "-", "80"],
    ["country", "-", "-", "100"],
]


def _tables(**known: object) -> ScoreTables:
    """The score tables of the example; `known` are columns of the figures of green and noise."""
    text = "\n".join(" ".join(row) for row in [["region_code", "green", "noise", "income"], *_ROWS])
    wide = table(text).with_columns(pl.col("green", "noise", "income").cast(pl.Float64, strict=False))
    counted = {"kind": "register", "standard_error": None, "source_table": "count"}
    sampled = pl.col("indicator_id").is_in(["green", "noise"])
    values = wide.unpivot(index="region_code", variable_name="indicator_id").with_columns(
        *(
            pl.when(sampled).then(pl.lit(known.get(name, cell))).otherwise(pl.lit(cell)).alias(name)
            for name, cell in counted.items()
        ),
        region_code=pl.col("region_code").replace(_CODES),
        measurement_year=pl.lit(2022),
        rounding_unit=pl.lit(0.0),
        breakdown=pl.lit("total"),
        status=pl.when(pl.col("value").is_null()).then(pl.lit("suppressed")).otherwise(pl.lit("definitive")),
        ci_low=pl.lit(None, dtype=pl.Float64),
        ci_high=pl.lit(None, dtype=pl.Float64),
        warnings=pl.lit([], dtype=pl.List(pl.String)),
    )
    polarity = pl.DataFrame({"indicator_id": ["green", "noise", "income"], "polarity": [1, -1, 1]})
    own = [code for code in _CODES.values() if code.startswith("GM")]
    roles = RegionRoles(own, ["TWENTE"], "NL01", "NL_REST", [])
    return score_tables(values, [_FRAMEWORK], polarity, roles, _SETTINGS, 2022, GradeScale(lowest=1, highest=10))


def _of(tables: ScoreTables, theme: str, municipality: str, column: str) -> float:
    rows = tables.theme_score.filter(theme_id=theme, region_code=_CODES[municipality], method=DEFAULT)
    return float(rows[column].item())


def _scores() -> list[float]:
    tables = _tables()
    noise = tables.framework_element.row(by_predicate=pl.col("element_id") == "noise", named=True)
    return [
        noise["goalpost_low"],
        noise["goalpost_high"],
        _of(tables, "cbs_place", "B", "score"),
        _of(tables, "cbs_means", "B", "score"),
        _of(tables, "cbs_overall", "B", "score"),
        _of(tables, "cbs_overall", "B", "grade"),
        _of(tables, "cbs_place", "D", "score"),
        _of(tables, "cbs_overall", "D", "score"),
        _of(tables, "cbs_place", "E", "coverage"),
        _of(tables, "cbs_overall", "E", "coverage"),
        _of(tables, "cbs_overall", "E", "score"),
    ]


def _errors() -> list[float]:
    survey = {"kind": "sample", "standard_error": 0.2, "source_table": "survey"}
    tables = _tables(**survey)
    error = _of(tables, "cbs_place", "B", "standard_error")
    low, high = (_of(tables, "cbs_place", "B", end) for end in ("ci_low", "ci_high"))
    return [error, low, high, _of(tables, "cbs_overall", "B", "standard_error")]


EXAMPLES: list[Example] = [
    Example(
        title="Theme score, overall score and report grade",
        text=(
            "Green and noise make the theme place (both must have a figure), income makes the theme means; less noise "
            "is favourable. The scale of each runs from the lowest to the highest municipality at the baseline; income "
            "counts as its difference from the country in per cent: -10, 0, 10, 20 and -20. E has no figure for noise, "
            "so no score for place; its overall score is made of means alone, at the lowest score there is, 0.01."
        ),
        header=_HEADER,
        rows=_ROWS,
        steps=[
            ("noise: low end of the scale", "min(1, 2, 5, 3)"),
            ("noise: high end of the scale", "max(1, 2, 5, 3)"),
            ("B: score of place", "((20 - 10) / (50 - 10) + (5 - 2) / (5 - 1)) / 2"),
            ("B: score of means", "(100 * (100 / 100 - 1) - -20) / (20 - -20)"),
            ("B: overall score", "(0.5 + 0.5) / 2"),
            ("B: report grade", "1 + (10 - 1) * 0.5"),
            ("D: score of place", "((40 - 10) / (50 - 10) + (5 - 3) / (5 - 1)) / 2"),
            ("D: overall score", "(0.625 + (100 * (120 / 100 - 1) - -20) / (20 - -20)) / 2"),
            ("E: coverage of place", "1 / (1 + 1)"),
            ("E: coverage of the overall score", "1 / (1 + 1)"),
            ("E: overall score", "max(0.01, (100 * (80 / 100 - 1) - -20) / (20 - -20))"),
        ],
        result=_scores,
    ),
    Example(
        title="Standard error of a score",
        text=(
            "The same figures, but green and noise are now of one survey, each with a standard error of 0.2. An error "
            "counts as a part of the scale (40 for green, 4 for noise). Both come from the same respondents, so the "
            "two errors add up, which is the most they can come to. Income is a count: it has no sampling error."
        ),
        header=_HEADER,
        rows=_ROWS,
        steps=[
            ("B: standard error of place", "(0.2 / (50 - 10) + 0.2 / (5 - 1)) / 2"),
            ("B: lower bound (95%)", "0.5 - 1.959963984540054 * 0.0275"),
            ("B: upper bound (95%)", "0.5 + 1.959963984540054 * 0.0275"),
            ("B: standard error of the overall score", "0.0275 / 2"),
        ],
        result=_errors,
    ),
]
