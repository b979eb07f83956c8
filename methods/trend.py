"""Trends: how much a figure, or what lies between two figures, moves a year over a common window of years.

`slope` is the method for one series, `trends` the same for all series of a measurement together. A year without a
figure is a hole: nothing fills it, and what a model of ours filled or what was carried forward does not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from catalog.analysis_model import TrendSettings
from methods import warning_lists as warn
from methods.measure import RegionRoles
from methods.verdict import Z_95, benjamini_hochberg, judged_slope

Vector = npt.NDArray[np.floating[Any]]
Matrix = npt.NDArray[np.floating[Any]]

LEAST_POINTS = 3
# Of the largest figure: what remains below is the machine's arithmetic, not a movement.
_NOTHING = 1e-12

KEY = ["measurement_year", "indicator_id", "region_code", "comparator_code", "breakdown", "quantity", "movement"]
RESULT = [
    *("period_first", "period_last", "points", "estimate", "ci_low", "ci_high", "standard_error"),
    *("degrees_of_freedom", "p_value", "p_value_adjusted", "verdict", "basis", "excluded", "reason", "warnings"),
]
_FAMILY = ["measurement_year", "indicator_id", "breakdown", "quantity"]
_SUBJECT = ["indicator_id", "breakdown", "region_code", "comparator_code", "quantity"]
_FIGURE = [
    *("value", "ci_low", "ci_high", "kind", "rounding_unit", "status", "series_id", "reference_period", "comparable"),
    "warnings",
]
_WEAK = ["estimated", "provisional"]
_FITTED = ["estimate", "ci_low", "ci_high", "standard_error", "degrees_of_freedom", "p_value"]


@dataclass(frozen=True)
class Slope:
    """A movement a year, with its interval; NaN where there are fewer than three figures (`points`).

    `rounding_margin` (R) is part of the interval, not of `standard_error` and `p_value`.
    """

    estimate: float
    standard_error: float
    degrees_of_freedom: float
    ci_low: float
    ci_high: float
    p_value: float
    points: int
    rounding_margin: float


def slope(
    years: npt.ArrayLike,
    values: npt.ArrayLike,
    standard_errors: npt.ArrayLike | None = None,
    rounding_unit: npt.ArrayLike = 0.0,
    level: float = 0.95,
) -> Slope:
    """The slope of a straight line through a series, per year; NaN values are left out, years may have gaps.

    Ordinary least squares; weighted with 1 / se^2 where all figures have a positive standard error. Then the variance
    is the one that follows from these errors, times max(1, chi^2 / df) (Birge 1932): never less than the sampling
    error says, and never less than the scatter around the line. Student's t with n - 2 degrees of freedom gives the
    interval and the two-sided p-value.

    The slope is sum c_j y_j. Figures rounded to `rounding_unit` u (one, or one a figure) may each be u/2 off, so the
    slope may be R = 1/2 sum |c_j| u_j off: R widens the interval on both sides, whatever `level` is.

    A straight line without standard errors leaves a standard error of 0 and p 0 (1 where it is level).

    Raises ValueError: lengths that differ, a negative standard error or unit, a level outside 0-1.
    """
    x, y = np.asarray(years, dtype=float), np.asarray(values, dtype=float)
    errors = np.full(y.shape, np.nan) if standard_errors is None else np.asarray(standard_errors, dtype=float)
    units = np.asarray(rounding_unit, dtype=float)
    units = np.full(y.shape, units) if units.ndim == 0 else units
    if not x.shape == y.shape == errors.shape == units.shape or y.ndim != 1:
        raise ValueError(
            "years, values, standard errors and rounding units must be equally long, "
            f"not {x.size}, {y.size}, {errors.size} and {units.size}"
        )
    if (errors < 0).any() or (units < 0).any():
        raise ValueError("standard errors and rounding units must be 0 or more")
    if not 0 < level < 1:
        raise ValueError(f"level must be between 0 and 1, such as 0.95, not {level}")
    one = {name: column[0] for name, column in _fit(x, y[None], errors[None], units[None], level).items()}
    return Slope(points=int(one.pop("points")), **{name: float(number) for name, number in one.items()})


def _fit(x: Vector, y: Matrix, errors: Matrix, units: Matrix, level: float) -> dict[str, Vector]:
    """The slopes of all rows of `y` at once, as columns named as in `Slope`; missing is NaN."""
    from scipy.special import stdtr, stdtrit  # heavy: only where something is fitted

    known = np.isfinite(y) & np.isfinite(x)
    points = known.sum(axis=1)
    weighted = np.all((errors > 0) & np.isfinite(errors) | ~known, axis=1)
    with_errors = known & weighted[:, None]
    weights = np.where(with_errors, np.where(with_errors, errors, 1.0) ** -2, known.astype(float))
    total = np.where(points > 0, weights.sum(axis=1), 1.0)

    def centred(numbers: Matrix) -> Matrix:
        """The figures less their weighted mean; 0 where there is none."""
        mean = (weights * np.where(known, numbers, 0.0)).sum(axis=1) / total
        return np.where(known, numbers - mean[:, None], 0.0)

    dx, dy = centred(np.broadcast_to(x, y.shape)), centred(y)
    spread = (weights * dx**2).sum(axis=1)
    fitted = (points >= LEAST_POINTS) & (spread > 0)
    coefficients = weights * dx / np.where(fitted, spread, 1.0)[:, None]
    nothing = _NOTHING * np.abs(np.where(known, y, 0.0)).max(axis=1, initial=0.0)

    estimate = (coefficients * dy).sum(axis=1)
    estimate = np.where(np.abs(estimate) * np.abs(dx).max(axis=1, initial=0.0) <= nothing, 0.0, estimate)
    residuals = dy - estimate[:, None] * dx
    residuals = np.where(np.abs(residuals) <= nothing[:, None], 0.0, residuals)
    freedom = np.where(fitted, points - 2.0, 1.0)
    scatter = (weights * residuals**2).sum(axis=1) / freedom
    variance = np.where(weighted, np.maximum(scatter, 1.0), scatter) / np.where(fitted, spread, 1.0)
    error = np.sqrt(variance)
    t = np.abs(estimate) / np.where(error > 0, error, 1.0)
    p = np.where(error > 0, 2 * stdtr(freedom, -t), np.where(estimate == 0, 1.0, 0.0))
    rounding = 0.5 * (np.abs(coefficients) * np.where(known, units, 0.0)).sum(axis=1)
    half = stdtrit(freedom, 0.5 + level / 2) * error + rounding
    columns = {
        "estimate": estimate,
        "standard_error": error,
        "degrees_of_freedom": freedom,
        "ci_low": estimate - half,
        "ci_high": estimate + half,
        "p_value": p,
        "rounding_margin": rounding,
    }
    return {name: np.where(fitted, column, np.nan) for name, column in columns.items()} | {"points": points}


def trends(
    series: pl.DataFrame,
    indicators: pl.DataFrame,
    roles: RegionRoles,
    contrasts: list[tuple[str, str]],
    measurement_years: Sequence[int],
    settings: TrendSettings,
    by_design: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """The rows of the published table `trend` with movement `slope`: one for each series and measurement year.

    `series`: the figures of each year, never carried (indicator_id, region_code, breakdown, measurement_year, value,
    ci_low, ci_high, kind, rounding_unit of the figure or group, status, series_id, reference_period, warnings,
    comparable). `by_design`: survey_contrast, for the standard errors of the contrasts within a year.

    The window of measurement year Y is Y - window_years + 1 to Y. Left out, and named in `excluded`: figures of another
    series than the newest that counts (break_in_series), estimated and carried ones, and those of another or unknown
    definition. Quantities: own municipalities and groups have their value and its distance from country and rest in
    per cent, country and rest their value, contrasts their difference (in per cent for euro amounts); counts only
    values. Margins of distances are to first order, of two independent figures. Euro amounts themselves get no slope.

    Verdict: as `slope` gives it, p-values adjusted by Benjamini and Hochberg over the own municipalities. A sampled or
    modelled figure without margin, or a rounding that is not known, leaves an estimate but no verdict.

    Raises ValueError where two figures have the same indicator, region, breakdown and year.
    """
    key = ["indicator_id", "region_code", "breakdown", "measurement_year"]
    if (twice := series.filter(pl.struct(key).is_duplicated())).height:
        raise ValueError(f"series must have one figure an indicator, region, breakdown and year; twice: {twice.row(0)}")
    subjects = _subjects(series, indicators, roles, contrasts)
    windows = pl.DataFrame(
        [(year, year - back) for year in sorted(set(measurement_years)) for back in range(settings.window_years)],
        schema={"measurement_year": pl.Int32, "year": pl.Int32},
        orient="row",
    )
    rows = subjects.join(windows.select("measurement_year").unique(), how="cross").sort("measurement_year", *_SUBJECT)
    within = _judged_points(_points(series, subjects, by_design), windows)
    return (
        rows.join(_summaries(within), ["measurement_year", *_SUBJECT], how="left", maintain_order="left")
        .with_columns(
            pl.col("points").fill_null(0),
            *(pl.col(name).fill_null([]) for name in ("excluded", "warnings")),
            *_slopes(rows, within, settings.window_years),
        )
        .with_columns(movement=pl.lit("slope"), reason=_reason(settings))
        .pipe(_with_verdict, roles)
        .select(*KEY, *RESULT)
        .sort(KEY)
    )


def _subjects(
    series: pl.DataFrame, indicators: pl.DataFrame, roles: RegionRoles, contrasts: list[tuple[str, str]]
) -> pl.DataFrame:
    """What may move: _SUBJECT, with polarity and nominal_euro; for every indicator, also one without any figure."""
    own = [*roles.municipalities, *roles.groups]
    pairs = [
        *((code, code, "value") for code in [*own, roles.country, roles.rest]),
        *((code, roles.country, "relative_to_nl") for code in own),
        *((code, roles.rest, "relative_to_rest") for code in own),
        *((*pair, quantity) for pair in contrasts for quantity in ("difference", "relative_difference")),
    ]
    regions = pl.DataFrame(
        pairs, schema=dict.fromkeys(("region_code", "comparator_code", "quantity"), pl.String), orient="row"
    )
    totals = indicators.select("indicator_id", breakdown=pl.lit("total"))
    return (
        pl.concat([series.select("indicator_id", "breakdown"), totals])
        .unique()
        .join(indicators.select("indicator_id", "polarity", "is_count", "nominal_euro"), "indicator_id")
        .join(regions, how="cross")
        .filter(~pl.col("is_count") | (pl.col("quantity") == "value"), is_defined())
        .select(*_SUBJECT, "polarity", "nominal_euro")
    )


def is_defined() -> pl.Expr:
    """Of a contrast the difference counts, of euro amounts the difference in per cent: prices drop out of that."""
    other_kind = pl.when("nominal_euro").then(pl.lit("difference")).otherwise(pl.lit("relative_difference"))
    return pl.col("quantity") != other_kind


def paired_figures(figures: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """What lies between two regions in a year, as one figure: the columns of `figures` with those of `pairs`.

    `figures` are as in `trends`, with revision_margin; `pairs` has indicator_id, breakdown, region_code,
    comparator_code and quantity: `difference` is a - b, any other one 100 (a / b - 1), undefined where b is 0. The
    figure is as weak as the weaker of both; margins, rounding and revision follow to first order, of two independent
    figures. Sides of another series or period are not comparable.
    """
    key = ["indicator_id", "breakdown", "measurement_year"]
    columns = [*_FIGURE, "revision_margin"]
    side = figures.select(*key, "region_code", *columns)
    other = side.rename({"region_code": "comparator_code"} | {name: f"other_{name}" for name in columns})
    a, b = pl.col("value"), pl.when(pl.col("other_value") != 0).then("other_value")
    is_difference = pl.col("quantity") == "difference"
    # How much the result moves with a and with b, without their signs.
    of_a = pl.when(is_difference).then(1.0).otherwise(100 / b.abs())
    of_b = pl.when(is_difference).then(1.0).otherwise(100 / b.abs() * (a / b).abs())

    def width(prefix: str, bound: str) -> pl.Expr:
        distance = (pl.col(f"{prefix}value") - pl.col(f"{prefix}{bound}")).abs()
        return pl.when(pl.col(f"{prefix}kind") == "register").then(0.0).otherwise(distance)

    def reach(own: str, opposite: str) -> pl.Expr:
        """How far the result may lie to one side: where a is there, and b on its other side (a / b positive)."""
        return ((of_a * width("", own)).pow(2) + (of_b * width("other_", opposite)).pow(2)).sqrt()

    def revision(prefix: str) -> pl.Expr:
        provisional = pl.col(f"{prefix}status") == "provisional"
        return pl.when(provisional).then(f"{prefix}revision_margin").otherwise(0.0)

    return (
        side.join(pairs, ["indicator_id", "breakdown", "region_code"])
        .join(other, [*key, "comparator_code"])
        .with_columns(_figure=pl.when(is_difference).then(a - pl.col("other_value")).otherwise(100 * (a / b - 1)))
        .with_columns(
            value="_figure",
            ci_low=pl.col("_figure") - reach("ci_low", "ci_high"),
            ci_high=pl.col("_figure") + reach("ci_high", "ci_low"),
            kind=pl.when(pl.col("kind") == "register").then("other_kind").otherwise("kind"),
            status=_weaker_status(),
            rounding_unit=of_a * pl.col("rounding_unit") + of_b * pl.col("other_rounding_unit"),
            revision_margin=of_a * revision("") + of_b * revision("other_"),
            comparable=_same_making(),
            warnings=warn.unite("warnings", "other_warnings"),
        )
        .select(*pairs.columns, "measurement_year", *columns)
    )


def _weaker_status() -> pl.Expr:
    either = [(pl.col("status") == status) | (pl.col("other_status") == status) for status in _WEAK]
    weakest = [pl.when(has).then(pl.lit(status)) for has, status in zip(either, _WEAK, strict=True)]
    return pl.coalesce(*weakest, "status")


def _same_making() -> pl.Expr:
    known = pl.col("comparable").fill_null(value=True) & pl.col("other_comparable").fill_null(value=True)
    same = [pl.col(name).eq_missing(pl.col(f"other_{name}")) for name in ("series_id", "reference_period")]
    return known & same[0] & same[1]


def _points(series: pl.DataFrame, subjects: pl.DataFrame, by_design: pl.DataFrame | None) -> pl.DataFrame:
    """Every figure of every subject and year: value, standard_error, and why it does not count (NULL: it does)."""
    # How far a figure may still be revised is not part of a slope.
    figures = series.with_columns(
        pl.col("measurement_year").cast(pl.Int32), revision_margin=pl.lit(None, dtype=pl.Float64)
    )
    is_value = pl.col("quantity") == "value"
    wanted = subjects.select(_SUBJECT)
    own = wanted.filter(is_value).join(figures, ["indicator_id", "breakdown", "region_code"])
    between = paired_figures(figures, wanted.filter(~is_value))
    columns = [*_SUBJECT, "measurement_year", *_FIGURE]
    half_width = pl.max_horizontal(pl.col("value") - pl.col("ci_low"), pl.col("ci_high") - pl.col("value"))
    has_margin = pl.col("ci_low").is_not_null() & pl.col("ci_high").is_not_null()
    return (
        pl.concat([own.select(columns), between.select(columns)])
        .filter(pl.col("value").is_not_null())
        .with_columns(
            is_register=pl.col("kind") == "register",
            standard_error=pl.when(has_margin).then(half_width / Z_95),
            why=_why_not(),
        )
        .with_columns(standard_error=pl.when(~pl.col("is_register")).then("standard_error"))
        .pipe(_with_design, by_design)
        .rename({"measurement_year": "year"})
    )


def _why_not() -> pl.Expr:
    differs = ~pl.col("comparable").fill_null(value=True) | pl.col("warnings").list.contains("definition_differs")
    reasons = [
        (pl.col("status") == "estimated", "estimated"),
        (pl.col("warnings").list.contains("carried_forward"), "carried_forward"),
        (differs, "definition_differs"),
    ]
    return pl.coalesce(pl.when(condition).then(pl.lit(reason)) for condition, reason in reasons)


def _with_design(points: pl.DataFrame, by_design: pl.DataFrame | None) -> pl.DataFrame:
    """The standard error of a difference as the survey's design gives it, where it does."""
    if by_design is None:
        return points
    key = ["measurement_year", "indicator_id", "region_code", "comparator_code", "breakdown"]
    given = within_year(by_design).select(*key, of_design="standard_error")
    applies = (pl.col("quantity") == "difference") & (pl.col("of_design") > 0)
    return points.join(given, key, how="left", maintain_order="left").with_columns(
        standard_error=pl.when(applies).then("of_design").otherwise("standard_error")
    )


def within_year(by_design: pl.DataFrame) -> pl.DataFrame:
    """Of survey_contrast the differences between two regions in one year."""
    same_year = pl.col("comparator_year") == pl.col("measurement_year")
    return by_design.filter(same_year, pl.col("region_code") != pl.col("comparator_code"))


def _judged_points(points: pl.DataFrame, windows: pl.DataFrame) -> pl.DataFrame:
    """The points of every window, by year, where `why` also says that a figure is not of the newest one's series."""
    counts = pl.col("why").is_null()
    newest = pl.col("series_id").filter(counts).last().over("measurement_year", *_SUBJECT)
    of_another = pl.when(pl.col("series_id").ne_missing(newest)).then(pl.lit("break_in_series"))
    return (
        points.join(windows, "year")
        .sort("measurement_year", *_SUBJECT, "year")
        .with_columns(pl.coalesce("why", of_another).alias("why"))
    )


def _summaries(within: pl.DataFrame) -> pl.DataFrame:
    """What the figures of a window have in common, one row a subject and measurement year."""
    counts = pl.col("why").is_null()
    grounded = (pl.col("is_register") | pl.col("standard_error").is_not_null()) & pl.col("rounding_unit").is_not_null()
    period = pl.col("reference_period").filter(counts)
    return within.group_by("measurement_year", *_SUBJECT, maintain_order=True).agg(
        points=counts.sum().cast(pl.Int32),
        period_first=period.first(),
        period_last=period.last(),
        excluded=pl.format("{}:{}", "reference_period", "why").filter(~counts).unique().sort(),
        warnings=pl.col("warnings").filter(counts).explode().drop_nulls().unique().sort(),
        grounded=grounded.filter(counts).all(),
        all_registers=pl.col("is_register").filter(counts).all(),
    )


def _slopes(rows: pl.DataFrame, within: pl.DataFrame, window_years: int) -> list[pl.Series]:
    """The columns of `slope` for every row: its figures as one line of a matrix with a column a year of the window."""
    key = ["measurement_year", *_SUBJECT]
    counted = within.filter(pl.col("why").is_null()).join(rows.select(key).with_row_index("place"), key)
    place = counted["place"].to_numpy()
    column = (counted["year"] - counted["measurement_year"]).to_numpy() + window_years - 1

    def matrix(name: str) -> Matrix:
        cells = np.full((rows.height, window_years), np.nan)
        cells[place, column] = counted[name].to_numpy()
        return cells

    years = np.arange(window_years, dtype=float)
    fitted = _fit(years, matrix("value"), matrix("standard_error"), matrix("rounding_unit"), 0.95)
    return [pl.Series(name, fitted[name], nan_to_null=True) for name in _FITTED]


def _reason(settings: TrendSettings) -> pl.Expr:
    """Why there is no slope, or none that can be judged; NULL where nothing keeps it from that."""
    reasons = [
        (pl.col("nominal_euro") & (pl.col("quantity") == "value"), "nominal_prices"),
        (pl.col("points") < settings.minimum_points, "too_few_points"),
        (~pl.col("grounded"), "no_margin"),
    ]
    return pl.coalesce(pl.when(condition).then(pl.lit(reason)) for condition, reason in reasons)


def _with_verdict(rows: pl.DataFrame, roles: RegionRoles) -> pl.DataFrame:
    """Add basis, p_value_adjusted and verdict, and take away the numbers that mean nothing without them."""
    judged = pl.col("reason").is_null()
    in_family = pl.col("region_code").is_in(roles.municipalities)
    adjusted = benjamini_hochberg(pl.col("p_value")).over([*_FAMILY, "in_family"])
    return (
        rows.with_columns(
            pl.when(judged | (pl.col("reason") == "no_margin")).then("estimate").alias("estimate"),
            *(pl.when(judged).then(name).alias(name) for name in _FITTED if name != "estimate"),
            in_family=in_family,
            basis=pl.when(judged & pl.col("all_registers"))
            .then(pl.lit("register"))
            .when(judged)
            .then(pl.lit("interval"))
            .otherwise(pl.lit("none")),
            warnings=warn.unite("warnings", warn.when(pl.col("reason") == "nominal_prices", "nominal_prices")),
        )
        .with_columns(p_value_adjusted=pl.when("in_family").then(adjusted).otherwise("p_value"))
        .with_columns(verdict=pl.when(judged).then(judged_slope()).otherwise(pl.lit("not_decidable")))
    )
