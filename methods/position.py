"""Where a municipality lies among others: percentile and quarter, with what uncertainty and rounding leave open.

A percentile counts the other municipalities with a lower figure, equal ones for half. Whether another one is lower for
certain is decided pair by pair: the difference must be larger than its margin. That margin is the rounding of both
figures, R = (u_i + u_j) / 2, and for figures of a sample or a model also sqrt(w_i^2 + w_j^2), with w the half of the
95% interval that faces the other, widened so that all comparisons of one municipality hold together at 95% (normal,
Bonferroni over the other municipalities). So the range of percentiles, which counts the certain pairs only, holds the
true percentile in at least 95 of 100 samples; ranges of ranks are made in the same way by Klein, Wright & Wieczorek
(2020, JRSS A 183) and Mogstad, Romano, Shaikh & Wilhelm (2024, Review of Economic Studies 91).

A position says where a figure lies, not whether it is high or low in itself, and nothing about why.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from methods import warning_lists as warn
from methods.measure import RegionRoles
from methods.verdict import EQUALITY, Z_95

Vector = npt.NDArray[np.floating[Any]]

LEVEL = 0.95
LEAST_MUNICIPALITIES = 4  # with fewer there are no quarters
MUNICIPALITY = "GM"

# Figures that can be put side by side: of one period, made in one way.
_SET = ["measurement_year", "indicator_id", "reference_period", "series_id", "definition_differs"]
_PERCENTILES = ["percentile", "percentile_low", "percentile_high"]
_DISTRIBUTION = {
    "percentile_10": 0.10,
    "percentile_25": 0.25,
    "median": 0.50,
    "percentile_75": 0.75,
    "percentile_90": 0.9,
}


def percentile_of(value: float, others: Vector) -> float:
    """Share of the others with a lower figure, equal ones (within 1e-9) counted half; percent.

    Raises ValueError where there are no others.
    """
    difference = value - np.asarray(others, dtype=float)
    if not difference.size:
        raise ValueError("a percentile needs at least one other municipality; there is none.")
    equal = np.abs(difference) <= EQUALITY
    return float(100 * ((~equal & (difference > 0)).sum() + 0.5 * equal.sum()) / difference.size)


def percentile_ranges(values: Vector, below: Vector, above: Vector, rounding_unit: Vector) -> tuple[Vector, Vector]:
    """Lowest and highest percentile that is not ruled out, of every municipality among the others (N each; percent).

    `below` and `above`: distance from a figure to the ends of its 95% interval, 0 for complete counts, NaN where it is
    not known; `rounding_unit`: to what each figure was rounded. Lowest: the share of the others that are demonstrably
    lower; highest: 100 less the share that are demonstrably higher. A comparison with a figure whose margin is not
    known shows nothing; the range of such a figure itself is NaN.

    Raises ValueError where the four are not of one length, or fewer than two.
    """
    columns = [np.asarray(column, dtype=float) for column in (values, below, above, rounding_unit)]
    if len({column.shape for column in columns}) > 1 or columns[0].ndim != 1 or columns[0].size < 2:
        shapes = ", ".join(str(column.shape) for column in columns)
        raise ValueError(f"expected four vectors of one length of at least 2, found shapes {shapes}.")
    x, low, high, unit = columns
    others = x.size - 1
    # margin[i, j]: how much higher i must be than j for that to be certain.
    sampling = bonferroni_factor(others) * np.hypot(low[:, None], high[None, :])
    certain = x[:, None] - x[None, :] > (unit[:, None] + unit[None, :]) / 2 + sampling + EQUALITY
    unknown = np.isnan(low + high + unit)
    certain &= ~(unknown[:, None] | unknown[None, :])
    lowest = 100 * certain.sum(axis=1) / others
    highest = 100 - 100 * certain.sum(axis=0) / others
    return np.where(unknown, np.nan, lowest), np.where(unknown, np.nan, highest)


def bonferroni_factor(comparisons: int) -> float:
    """By how much a 95% margin is widened, so that so many comparisons hold together at 95% (normal)."""
    from scipy.special import ndtri  # heavy: only where something is tested

    return float(ndtri(1 - (1 - LEVEL) / (2 * comparisons))) / Z_95


def positions(
    values: pl.DataFrame, indicators: pl.DataFrame, roles: RegionRoles, urbanity_indicator: str
) -> pl.DataFrame:
    """The published table `position`: own municipalities by indicator, year and among whom; counts have no position.

    `values` is indicator_value of all regions with `kind` and `rounding_unit`; `indicators` as the catalogue gives
    them. Among all municipalities with a figure of the same period and series, and among those of them that are of the
    same urbanity class, the figure of `urbanity_indicator` in that year. Figures that are made otherwise are never put
    side by side: a figure that says `definition_differs` only meets figures that say so too. The distribution
    (quantiles by linear interpolation, as numpy) includes the municipality itself. Where there is no outcome `reason`
    says why; a figure without a known margin keeps its percentile, but nothing is said of what it may also be.

    Raises ValueError where the urbanity indicator is not one of the indicators.
    """
    if urbanity_indicator not in indicators["indicator_id"]:
        raise ValueError(f"expected {urbanity_indicator} among the indicators, to tell the urbanity of municipalities.")
    totals = _with_margins(values, indicators, urbanity_indicator)
    figures = totals.filter(pl.col("region_code").str.starts_with(MUNICIPALITY) & pl.col("value").is_not_null())
    members = _among(figures).filter(pl.col("group").is_not_null())
    distribution = members.group_by(*_SET, "among", "group").agg(_summary(roles.municipalities))
    return (
        _among(_own(totals, figures, roles))
        .join(distribution, [*_SET, "among", "group"], how="left", nulls_equal=True)
        .with_columns(pl.col("municipalities").fill_null(0).cast(pl.Int32))
        .with_columns(_reason())
        .pipe(_with_percentiles, members)
        .with_columns(_quartile(name).alias(name.replace("percentile", "quartile")) for name in _PERCENTILES)
        .join(indicators.select("indicator_id", "polarity"), "indicator_id")
        .with_columns(position=_position(), warnings=warn.unite("warnings"))
        .select(
            *("measurement_year", "indicator_id", "region_code", "among", "urbanity_class", "reference_period"),
            *("value", "municipalities", *_PERCENTILES, "quartile", "quartile_low", "quartile_high", "position"),
            *("minimum", *_DISTRIBUTION, "maximum", "reason", "warnings"),
        )
        .sort("measurement_year", "indicator_id", "region_code", "among")
    )


def _with_margins(values: pl.DataFrame, indicators: pl.DataFrame, urbanity_indicator: str) -> pl.DataFrame:
    """Totals of what is not a count, with their sampling margins and the urbanity class of their region.

    `below` and `above` are 0 for complete counts; what a model of ours filled in is not one.
    """
    totals = values.filter(pl.col("breakdown") == "total")
    classes = totals.filter(indicator_id=urbanity_indicator).select(
        "measurement_year", "region_code", urbanity_class=pl.col("value").cast(pl.Int32)
    )
    is_register = (pl.col("kind") == "register") & (pl.col("status") != "estimated")
    value, low, high = pl.col("value"), pl.col("ci_low"), pl.col("ci_high")
    has_margin = low.is_not_null() & high.is_not_null()
    return (
        totals.join(indicators.filter(~pl.col("is_count")).select("indicator_id"), "indicator_id", how="semi")
        .join(classes, ["measurement_year", "region_code"], how="left")
        .select(
            *("measurement_year", "indicator_id", "region_code", "reference_period", "series_id"),
            *("value", "urbanity_class", "rounding_unit", "warnings"),
            definition_differs=pl.col("warnings").list.contains("definition_differs"),
            below=pl.when(is_register).then(0.0).when(has_margin).then(value - low),
            above=pl.when(is_register).then(0.0).when(has_margin).then(high - value),
        )
    )


def _own(totals: pl.DataFrame, figures: pl.DataFrame, roles: RegionRoles) -> pl.DataFrame:
    """Every own municipality by indicator and year; one without a figure is shown what most municipalities have."""
    key = ["measurement_year", "indicator_id"]
    made_as = ["series_id", "definition_differs"]
    most = (
        figures.group_by(_SET)
        .len()
        .sort(["len", *_SET], descending=[True] + [False] * len(_SET))
        .unique([*key, "reference_period"], keep="first", maintain_order=True)
        .select(*key, "reference_period", *(pl.col(name).alias(f"most_{name}") for name in made_as))
    )
    return (
        totals.select(key)
        .unique()
        .join(pl.DataFrame({"region_code": roles.municipalities}), how="cross")
        .join(totals, [*key, "region_code"], how="left")
        .join(most, [*key, "reference_period"], how="left")
        .with_columns(
            pl.when(pl.col("value").is_null()).then(f"most_{name}").otherwise(name).alias(name) for name in made_as
        )
        .drop(f"most_{name}" for name in made_as)
    )


def _among(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows twice: as one of all municipalities, and as one of its urbanity class (`group`, NULL if not known)."""
    return pl.concat(
        [
            frame.with_columns(among=pl.lit("country"), group=pl.lit(0, dtype=pl.Int32)),
            frame.with_columns(among=pl.lit("urbanity_class"), group="urbanity_class"),
        ]
    )


def _summary(own: list[str]) -> list[pl.Expr]:
    value = pl.col("value")
    return [
        pl.len().alias("municipalities"),
        (~pl.col("region_code").is_in(own)).any().alias("elsewhere"),
        value.min().alias("minimum"),
        *(value.quantile(share, interpolation="linear").alias(name) for name, share in _DISTRIBUTION.items()),
        value.max().alias("maximum"),
    ]


def _reason() -> pl.Expr:
    """Why nothing can be said; NULL where something can."""
    margin = pl.col("below") + pl.col("above") + pl.col("rounding_unit")
    rules = [
        (pl.col("value").is_null(), "no_value"),
        # Of an unknown class, or measured in the region alone: there is nobody to be compared with.
        (pl.col("group").is_null() | ~pl.col("elsewhere"), "not_shared"),
        (pl.col("municipalities") < LEAST_MUNICIPALITIES, "too_few_municipalities"),
        (margin.is_null(), "no_margin"),
    ]
    return pl.coalesce(pl.when(condition).then(pl.lit(reason)) for condition, reason in rules).alias("reason")


def _with_percentiles(own: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """Add the percentile and its range, as `percentile_of` and `percentile_ranges` do."""
    own = own.with_row_index("row")
    figure = ["value", "below", "above", "rounding_unit"]
    numbers = pl.col("reason").is_null() | (pl.col("reason") == "no_margin")
    compared = own.filter(numbers).select("row", "region_code", *_SET, "among", "group", *figure, "municipalities")
    others = (pl.col("municipalities") - 1).cast(pl.Float64)
    sizes = compared["municipalities"].unique().sort().to_list()
    factor = pl.col("municipalities").replace_strict(
        sizes, [bonferroni_factor(size - 1) for size in sizes], return_dtype=pl.Float64
    )
    difference = pl.col("value") - pl.col("value_other")
    rounding = (pl.col("rounding_unit") + pl.col("rounding_unit_other")) / 2

    def certain(sign: int, own_side: str, other_side: str) -> pl.Expr:
        sampling = (pl.col(own_side).pow(2) + pl.col(f"{other_side}_other").pow(2)).sqrt()
        return (sign * difference > rounding + pl.col("factor") * sampling + EQUALITY).sum()

    counts = (
        compared.with_columns(factor=factor)
        .join(
            members.select(*_SET, "among", "group", "region_code", *figure),
            [*_SET, "among", "group"],
            nulls_equal=True,
            suffix="_other",
        )
        .filter(pl.col("region_code") != pl.col("region_code_other"))
        .group_by("row")
        .agg(
            others=others.first(),
            lower=(difference > EQUALITY).sum(),
            equal=(difference.abs() <= EQUALITY).sum(),
            certainly_lower=certain(1, "below", "above"),
            certainly_higher=certain(-1, "above", "below"),
        )
    )
    percentiles = counts.select(
        "row",
        percentile=100 * (pl.col("lower") + 0.5 * pl.col("equal")) / pl.col("others"),
        percentile_low=100 * pl.col("certainly_lower") / pl.col("others"),
        percentile_high=100 - 100 * pl.col("certainly_higher") / pl.col("others"),
    )
    return own.join(percentiles, "row", how="left").with_columns(
        pl.when(pl.col("reason").is_null()).then(bound).alias(bound) for bound in ("percentile_low", "percentile_high")
    )


def _quartile(percentile: str) -> pl.Expr:
    """1 below 25 percent, 2 below 50, 3 below 75, else 4."""
    return ((pl.col(percentile) + EQUALITY) // 25 + 1).clip(upper_bound=4).cast(pl.Int32)


def _position() -> pl.Expr:
    """What holds for all quarters that are not ruled out, read with the polarity."""
    low, high = pl.col("quartile_low"), pl.col("quartile_high")

    def quarter(favourable: int) -> pl.Expr:
        end = {1: "highest_quarter", -1: "lowest_quarter"}[favourable]
        return (
            pl.when(pl.col("polarity") == favourable)
            .then(pl.lit("best_quarter"))
            .when(pl.col("polarity") == -favourable)
            .then(pl.lit("worst_quarter"))
            .otherwise(pl.lit(end))
        )

    return (
        pl.when(pl.col("reason").is_not_null())
        .then(pl.lit("not_decidable"))
        .when(high == 1)
        .then(quarter(-1))
        .when(low == 4)
        .then(quarter(1))
        .when((low >= 2) & (high <= 3))
        .then(pl.lit("middle_half"))
        .otherwise(pl.lit("not_certain"))
    )
