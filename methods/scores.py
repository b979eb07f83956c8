"""Theme scores and an overall score per framework, with what they are made of and how firm they are.

Every framework is computed on its own: frameworks are never mixed. Groups, country and rest have scores from their own
figures, never a mean of scores, and no rank. A rank is among the own municipalities, from unrounded scores, and never
stands without its sensitivity range.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from catalog.analysis_model import AnalysisSettings, FrameworkSettings
from catalog.survey_model import GradeScale
from methods import warning_lists as warn
from methods.framework import DEFAULT, METHODS, Framework, YearFigures, YearScores, entries_of, framework_figures
from methods.index.ranks import ranks
from methods.measure import RegionRoles
from methods.score_tables import Simulated, coherence_rows, factor_rows, long_rows, pair_rows, range_rows, simulate
from methods.verdict import Z_95

# To be raised when equal figures and settings would give another score: then scores of two editions do not compare.
METHOD_VERSION = "1"

_PLACE = ["measurement_year", "framework", "theme_id"]
_KEYS = {
    "framework_element": ["framework", "element_id"],
    "theme_score": [*_PLACE, "region_code", "method"],
    "sensitivity": [*_PLACE, "region_code", "among"],
    "sensitivity_pair": [*_PLACE, "region_code", "comparator_code"],
    "sensitivity_factor": [*_PLACE, "factor"],
    "coherence": [*_PLACE, "measure", "element_id", "other_element_id"],
}
_RANKS = ["rank", "rank_low", "rank_high", "rank_of"]


@dataclass(frozen=True)
class ScoreTables:
    """The published tables of these names: their columns in order, rows sorted by key."""

    framework_element: pl.DataFrame
    theme_score: pl.DataFrame
    sensitivity: pl.DataFrame
    sensitivity_pair: pl.DataFrame
    sensitivity_factor: pl.DataFrame
    coherence: pl.DataFrame


def score_tables(
    values: pl.DataFrame,
    frameworks: list[FrameworkSettings],
    indicators: pl.DataFrame,
    roles: RegionRoles,
    settings: AnalysisSettings,
    baseline_year: int,
    grade: GradeScale,
) -> ScoreTables:
    """The tables about the scores of all `frameworks`, for every measurement year in `values`.

    `values` is indicator_value of all years and regions (breakdown total is used) with `kind` and `rounding_unit`;
    `indicators` the
    catalogue's, with `indicator_id` and `polarity`. Raises FrameworkError where an indicator of a framework has no
    polarity of 1 or -1, or a figure stands in `values` twice.
    """
    if not frameworks:
        raise ValueError("expected at least one framework, found none")
    polarity = dict(indicators.select("indicator_id", "polarity").iter_rows())
    made = []
    for of_framework in frameworks:
        figures = framework_figures(values, of_framework, roles)
        names = [entry.indicator for entry in entries_of(of_framework)]
        baseline = YearFigures.of(figures, baseline_year, names, roles)
        framework = Framework.of(of_framework, polarity, baseline, settings.outliers)
        counting = framework.counting(figures)
        years = [
            YearScores.of(framework, YearFigures.of(counting, year, names, roles), settings.outliers)
            for year in values["measurement_year"].unique().sort()
        ]
        made.append(_tables(framework, counting, years, settings, baseline_year, grade))
    return ScoreTables(**{name: pl.concat(one[name] for one in made).sort(key) for name, key in _KEYS.items()})


def _tables(
    framework: Framework,
    figures: pl.DataFrame,
    years: list[YearScores],
    settings: AnalysisSettings,
    baseline_year: int,
    grade: GradeScale,
) -> dict[str, pl.DataFrame]:
    """The tables of one framework by name."""
    simulated = simulate(framework, years, settings.sensitivity)
    scores = pl.concat(_scored(framework, year, simulated.get(year.figures.year)) for year in years)
    theme_score = _described(scores, figures, framework, baseline_year, grade)
    default = theme_score.filter(pl.col("method") == DEFAULT)
    warnings = default.select("measurement_year", "theme_id", "region_code", "warnings")
    return {
        "framework_element": framework.table(),
        "theme_score": theme_score,
        "sensitivity": range_rows(framework, simulated, warnings),
        "sensitivity_pair": pair_rows(framework, simulated),
        "sensitivity_factor": factor_rows(framework, simulated),
        "coherence": coherence_rows(framework, years),
    }


def _scored(framework: Framework, year: YearScores, simulated: Simulated | None) -> pl.DataFrame:
    """Scores of one year by every method, with ranks: by the default method of all regions, else of the own ones."""
    own, units = year.figures.own, year.figures.units
    everywhere = np.arange(len(year.figures.regions))
    here = np.r_[:own, units : len(everywhere)]
    made = []
    for method in METHODS:
        score, error = year.scores[method], year.errors[method]
        arrays = {"score": score, "standard_error": error, "coverage": year.coverage}
        arrays |= dict(zip(_RANKS, _ranked(score, own, simulated), strict=True))
        rows = long_rows(framework, year.figures, arrays, everywhere if method == DEFAULT else here)
        made.append(rows.with_columns(pl.lit(method).alias("method")))
    return pl.concat(made)


def _ranked(scores: np.ndarray, own: int, simulated: Simulated | None) -> tuple[np.ndarray, ...]:
    """Rank, range and number of ranked municipalities, all NaN but for the own ones that have a range.

    The range is the sensitivity range, which is of all methods together, widened to hold the rank by this method.
    """
    rank, low, high, number = (np.full(scores.shape, np.nan) for _ in _RANKS)
    if simulated is not None:
        found, of_low, of_high = simulated.ranges("region", ranks(scores[:own].T).T)
        rank[:own], low[:own], high[:own] = found, of_low, of_high
        number[:own] = np.where(np.isnan(found), np.nan, np.isfinite(scores[:own]).sum(axis=0))
    return rank, low, high, number


def _described(
    scores: pl.DataFrame, figures: pl.DataFrame, framework: Framework, baseline_year: int, grade: GradeScale
) -> pl.DataFrame:
    """The published table `theme_score` of one framework: scores with grade, interval, status and warnings."""
    key = ["measurement_year", "theme_id", "region_code"]
    default = scores.filter(pl.col("method") == DEFAULT)
    made_of = _made_of(figures, default, framework)
    at_baseline = made_of.filter(pl.col("measurement_year") == baseline_year)
    made_of = made_of.join(
        at_baseline.select("theme_id", "region_code", baseline_set="used"), ["theme_id", "region_code"], how="left"
    )
    has_score = pl.col("score").is_not_null()
    margin = Z_95 * pl.col("standard_error")
    # Scores made of other indicators than at the baseline do not compare with those.
    other_set = has_score & (pl.col("baseline_set").list.len() > 0) & (pl.col("used") != pl.col("baseline_set"))
    differs = (other_set | (~has_score & pl.col("differs"))).fill_null(value=False)
    return (
        scores.join(made_of, key, how="left")
        .with_columns(
            grade=grade.lowest + (grade.highest - grade.lowest) * pl.col("score"),
            ci_low=(pl.col("score") - margin).clip(0, 1),
            ci_high=(pl.col("score") + margin).clip(0, 1),
            status=_status(),
            warnings=warn.unite(
                "used_warnings",
                warn.when(differs, "definition_differs"),
                warn.when(has_score & pl.col("standard_error").is_null(), "no_margin"),
            ),
            method_version=pl.lit(METHOD_VERSION),
            framework=pl.lit(framework.settings.framework),
        )
        .with_columns(pl.col(_RANKS).cast(pl.Int32))
        .select(
            *("measurement_year", "framework", "theme_id", "region_code", "method", "score", "grade"),
            *("ci_low", "ci_high", *_RANKS, "coverage", "status", "method_version", "standard_error", "warnings"),
        )
    )


def _made_of(figures: pl.DataFrame, default: pl.DataFrame, framework: Framework) -> pl.DataFrame:
    """For every year, theme (or overall) and region: the indicators used and what their figures say.

    `used`, `used_warnings`, `is_estimated`, `is_provisional` are of the figures in the score; `differs` tells that a
    figure of another definition was left out, `any_published` that there was a figure at all, and `missing` is the
    most frequent status of the figures that there were not (the first by alphabet of equally frequent ones).
    """
    key = ["measurement_year", "theme_id", "region_code"]
    scored = default.select(*key, scored=pl.col("score").is_not_null())
    rows = figures.join(scored.rename({"scored": "in_theme"}), key, how="left")
    rows = pl.concat([rows, rows.with_columns(theme_id=pl.lit(framework.settings.overall_id))])
    # An overall score is made of themes: a figure of a theme without a score is not in it.
    used = pl.col("value").is_not_null() & (pl.col("in_theme") & pl.col("scored")).fill_null(value=False)
    status = pl.col("status")
    return (
        rows.join(scored, key, how="left")
        .group_by(key)
        .agg(
            used=pl.col("indicator_id").filter(used).sort(),
            used_warnings=pl.col("warnings").filter(used).explode().drop_nulls().unique().sort(),
            is_estimated=(used & (status == "estimated")).any(),
            is_provisional=(used & (status == "provisional")).any(),
            differs=(pl.col("published") & pl.col("warnings").list.contains("definition_differs")).any(),
            any_published=pl.col("published").any(),
            missing=status.filter(~pl.col("published")).mode().min(),
        )
    )


def _status() -> pl.Expr:
    """Of a score the weakest of its figures; without one why it is missing: figures that do not suffice, or none."""
    return (
        pl.when(pl.col("score").is_not_null())
        .then(
            pl.when("is_estimated")
            .then(pl.lit("estimated"))
            .when("is_provisional")
            .then(pl.lit("provisional"))
            .otherwise(pl.lit("definitive"))
        )
        .when("any_published")
        .then(pl.lit("not_published"))
        .otherwise(pl.coalesce("missing", pl.lit("not_measured")))
    )
