"""Movements between two measurement years: since the baseline, and since the previous measurement."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from methods import warning_lists as warn
from methods.compare import changes, with_making
from methods.measure import RegionRoles
from methods.trend import KEY, RESULT, is_defined, paired_figures, within_year
from methods.verdict import judge_change

_FAMILY = ["measurement_year", "indicator_id", "breakdown", "quantity"]
_PAIR = ["indicator_id", "breakdown", "region_code", "comparator_code", "quantity"]
_BY_DESIGN = ["standard_error", "degrees_of_freedom"]


def movements(
    values: pl.DataFrame,
    baseline_year: int,
    shares: pl.DataFrame,
    indicators: pl.DataFrame,
    sources: pl.DataFrame,
    roles: RegionRoles,
    contrasts: list[tuple[str, str]],
    by_design: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """The rows of the published table `trend` with movements `since_baseline` and `since_previous`.

    `values` is indicator_value of all measurement years, `shares`, `sources` and `by_design` as in `changes`. Own
    municipalities, groups, country and rest move as in the table `change`; the previous measurement year is, for each
    indicator, the newest earlier one with any figure. Years up to the baseline have no rows.

    Contrasts: the change of what lies between two groups, (a1 - b1) - (a0 - b0), for euro amounts of 100 (a / b - 1).
    Samples of two years are independent. Where the design gives the standard errors of both differences, these add up
    as squares and their degrees of freedom as they are; else the margins of all four figures add up as squares. The
    rounding margin is that of both regions in both years. Everything else follows the rules for a change.

    `standard_error` and `degrees_of_freedom` are those by the design, NULL elsewhere; `points` counts the figures.
    """
    later = values.filter(pl.col("measurement_year") > baseline_year)
    baseline = values.filter(measurement_year=baseline_year)
    steps = [("since_baseline", baseline_year, later, baseline)]
    steps += [("since_previous", *step) for step in _since_previous(values, baseline_year)]
    figures = with_making(values, sources, indicators, shares, roles)
    between = paired_figures(figures, _contrasts(values, indicators, contrasts))
    settings = indicators.select("indicator_id", "polarity", "min_relevant_difference")
    own = [*roles.municipalities, *roles.groups, roles.country, roles.rest]
    parts = []
    for movement, other_year, now, then in steps:
        of_regions = changes(now, then, shares, indicators, sources, roles, other_year, by_design).filter(
            pl.col("region_code").is_in(own)
        )
        of_contrasts = _changes_between(between, _years(now), other_year, settings, by_design)
        parts += [
            _as_movement(of_regions.with_columns(comparator_code="region_code"), movement),
            _as_movement(of_contrasts, movement),
        ]
    return pl.concat(parts).sort(KEY)


def _since_previous(values: pl.DataFrame, baseline_year: int) -> Iterator[tuple[int, pl.DataFrame, pl.DataFrame]]:
    """The previous measurement year, and the figures that have it: of the year itself and of the previous one.

    An indicator that was not measured before has the year before: its figures say why.
    """
    years = values.select("measurement_year").unique()
    earlier = years.rename({"measurement_year": "other_year"})
    measured = (
        values.filter(pl.col("value").is_not_null(), pl.col("reference_period").is_not_null())
        .select("indicator_id", other_year="measurement_year", measured=pl.lit(value=True))
        .unique()
    )
    previous = (
        values.select("indicator_id", "measurement_year")
        .unique()
        .filter(pl.col("measurement_year") > baseline_year)
        .join(earlier.filter(pl.col("other_year") >= baseline_year), how="cross")
        .filter(pl.col("other_year") < pl.col("measurement_year"))
        .join(measured, ["indicator_id", "other_year"], how="left")
        .sort(pl.col("measured").fill_null(value=False), "other_year")
        .unique(["indicator_id", "measurement_year"], keep="last", maintain_order=True)
    )
    for year, other_year in previous.select("measurement_year", "other_year").unique().sort(pl.all()).iter_rows():
        these = previous.filter(measurement_year=year, other_year=other_year)
        of_these = values.join(these.select("indicator_id"), "indicator_id", how="semi")
        yield other_year, of_these.filter(measurement_year=year), of_these.filter(measurement_year=other_year)


def _years(values: pl.DataFrame) -> pl.DataFrame:
    return values.select("indicator_id", "measurement_year").unique()


def _contrasts(values: pl.DataFrame, indicators: pl.DataFrame, contrasts: list[tuple[str, str]]) -> pl.DataFrame:
    """What is contrasted: _PAIR, for every indicator but counts, and every breakdown."""
    pairs = [(*pair, quantity) for pair in contrasts for quantity in ("difference", "relative_difference")]
    return (
        values.select("indicator_id", "breakdown")
        .unique()
        .join(indicators.filter(~pl.col("is_count")).select("indicator_id", "nominal_euro"), "indicator_id")
        .join(pl.DataFrame(pairs, schema=dict.fromkeys(_PAIR[2:], pl.String), orient="row"), how="cross")
        .filter(is_defined())
        .select(_PAIR)
    )


def _changes_between(
    between: pl.DataFrame,
    years: pl.DataFrame,
    other_year: int,
    settings: pl.DataFrame,
    by_design: pl.DataFrame | None,
) -> pl.DataFrame:
    """What lies between two groups in `years` against the same in another year, judged as a change."""
    between = _with_design(between, by_design)
    then = between.filter(measurement_year=other_year).drop("measurement_year")
    then = then.rename({name: f"other_{name}" for name in then.columns if name not in _PAIR})
    same_period = pl.col("reference_period") == pl.col("other_reference_period")
    rounding = 0.5 * (pl.col("rounding_unit") + pl.col("other_rounding_unit"))
    in_units = pl.col("quantity") == "difference"
    error, freedom = (pl.col("standard_error"), pl.col("degrees_of_freedom"))
    pairs = (
        between.join(years, ["indicator_id", "measurement_year"], how="semi")
        .join(then, _PAIR)
        .join(settings, "indicator_id")
        .with_columns(
            share=pl.lit(0.0),
            nominal=pl.lit(value=False),
            in_family=pl.lit(value=False),
            min_relevant_difference=pl.when(in_units).then("min_relevant_difference"),
            rounding_margin=pl.when(same_period).then(0.0).otherwise(rounding),
            difference_standard_error=(error.pow(2) + pl.col("other_standard_error").pow(2)).sqrt(),
            difference_degrees_of_freedom=freedom + pl.col("other_degrees_of_freedom"),
        )
    )
    return judge_change(pairs, _FAMILY).with_columns(
        warnings=warn.unite(
            "warnings", "other_warnings", warn.when(pl.col("verdict") == "not_comparable", "break_in_series")
        ),
        baseline_value="other_value",
        baseline_reference_period="other_reference_period",
    )


def _with_design(between: pl.DataFrame, by_design: pl.DataFrame | None) -> pl.DataFrame:
    """Add what the survey's design says of a difference in its year: not of one that a model estimated."""
    if by_design is None:
        return between.with_columns(pl.lit(None, dtype=pl.Float64).alias(name) for name in _BY_DESIGN)
    key = ["measurement_year", "indicator_id", "region_code", "comparator_code", "breakdown"]
    direct = (pl.col("status") != "estimated") & (pl.col("quantity") == "difference") & (pl.col("standard_error") > 0)
    return between.join(
        within_year(by_design).select(*key, *_BY_DESIGN), key, how="left", maintain_order="left"
    ).with_columns(pl.when(direct).then(name).alias(name) for name in _BY_DESIGN)


def _as_movement(judged: pl.DataFrame, movement: str) -> pl.DataFrame:
    """Judged changes in the columns of `trend`."""
    known = pl.col("value").is_not_null().cast(pl.Int32) + pl.col("baseline_value").is_not_null().cast(pl.Int32)
    by_design = pl.col("difference_standard_error").is_not_null() & (pl.col("basis") == "interval")
    undecided = pl.col("verdict") == "not_decidable"
    return judged.with_columns(
        movement=pl.lit(movement),
        period_first="baseline_reference_period",
        period_last="reference_period",
        points=known,
        estimate="difference",
        ci_low="difference_ci_low",
        ci_high="difference_ci_high",
        standard_error=pl.when(by_design).then("difference_standard_error"),
        degrees_of_freedom=pl.when(by_design).then("difference_degrees_of_freedom"),
        excluded=warn.EMPTY,
        reason=pl.when(undecided & (known < 2))
        .then(pl.lit("no_value"))
        .when(undecided & (pl.col("basis") == "none"))
        .then(pl.lit("no_margin")),
    ).select(*KEY, *RESULT)
