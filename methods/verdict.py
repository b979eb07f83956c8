"""What can be said about a difference: the only place where verdicts are made.

A difference is `value - other_value`: between two regions in one year (`judge_comparison`) or between two years of
one region (`judge_change`). The rules are those of the design, section 4; the first that applies decides.

Both functions take a frame with, for each side (`x` and `other_x`): `value`, `ci_low`, `ci_high` (95% margins or
NULL), `kind` (register, sample, model), `series_id`, `reference_period`, `status`, `revision_margin`; and for the
pair `rounding_margin` (R), `share` (weight of the region in the comparator if it is part of it, else 0),
`polarity`, `min_relevant_difference`, `nominal` (no judgement of better or worse) and `in_family` (tested together
with the others of its family, by Benjamini and Hochberg).

It may also have: `difference_standard_error` and `difference_degrees_of_freedom`, which go before the margins of the
sides where the design of a survey gives them; `claims`, the headline claims that a difference is one of, which are
tested together by Holm instead; and `comparable` and `other_comparable`, false for a figure of unknown method.

They add `difference`, `difference_ci_low`, `difference_ci_high`, `relative_difference`, `p_value`, `p_value_adjusted`,
`basis` and `verdict`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl

Z_95 = 1.959963984540054
SIGNIFICANCE = 0.05
EQUALITY = 1e-9
_BY_DESIGN = ["difference_standard_error", "difference_degrees_of_freedom"]


def judge_comparison(pairs: pl.DataFrame, family: list[str]) -> pl.DataFrame:
    """Judge differences between regions; `family` names the columns within which p-values are adjusted together."""
    return _judge(pairs, family, over_time=False)


def judge_change(pairs: pl.DataFrame, family: list[str]) -> pl.DataFrame:
    """Judge differences between a measurement year (value) and the baseline (other_value)."""
    return _judge(pairs, family, over_time=True)


def benjamini_hochberg(p_value: pl.Expr) -> pl.Expr:
    """P-values adjusted for the false discovery rate (Benjamini & Hochberg 1995, step-up); NULL stays NULL."""
    tests = p_value.count()
    rank = p_value.rank("max")  # equal p-values share the highest of their ranks
    scaled = p_value * tests / rank
    descending = scaled.sort_by(p_value, descending=True, nulls_last=True).cum_min()
    # Back to the rows' own order: the k-th smallest p stands at place (tests - k) of the descending list.
    place = (tests.cast(pl.Int64) - rank.cast(pl.Int64)).clip(lower_bound=0)
    return pl.when(p_value.is_not_null()).then(descending.gather(place).clip(upper_bound=1.0))


def holm(p_value: pl.Expr) -> pl.Expr:
    """P-values adjusted so that among all of them one false finding is unlikely (Holm 1979, step-down); NULL stays."""
    tests = p_value.count()
    first, last = (p_value.rank(method).cast(pl.Int64) for method in ("min", "max"))
    scaled = p_value * (tests.cast(pl.Int64) - first + 1)
    ascending = scaled.sort_by(p_value, nulls_last=True).cum_max()
    return pl.when(p_value.is_not_null()).then(ascending.gather(last.fill_null(1) - 1).clip(upper_bound=1.0))


def _judge(pairs: pl.DataFrame, family: list[str], *, over_time: bool) -> pl.DataFrame:
    judged = (
        pairs.with_columns(_absent(pairs))
        # An error of 0 is one that is not known: then the margins of the sides count.
        .with_columns(pl.when(pl.col(name) > 0).then(name).alias(name) for name in _BY_DESIGN)
        .with_columns(difference=pl.col("value") - pl.col("other_value"))
        .with_columns(_undecided(over_time=over_time), _basis())
        .with_columns(_sampling_margins())
        .with_columns(_rounding(over_time=over_time))
        .with_columns(_interval())
        .with_columns(_p_value(), _p_value_by_design())
        .with_columns(p_value=pl.coalesce("_p_by_design", "p_value"))
        .with_columns(_p_value_adjusted(family))
        .with_columns(verdict=pl.coalesce("_undecided", _decided(over_time=over_time)))
    )
    # Figures that were made differently cannot be subtracted: what follows from that is not shown.
    comparable = pl.col("verdict") != "not_comparable"
    numbers = ["difference", "difference_ci_low", "difference_ci_high"]
    relative = 100 * pl.col("difference") / pl.col("other_value").abs()
    return (
        judged.with_columns(pl.when(comparable).then(pl.col(number)) for number in numbers)
        .with_columns(
            basis=pl.when(comparable).then("basis").otherwise(pl.lit("none")),
            relative_difference=pl.when(pl.col("other_value") != 0).then(relative),
        )
        .drop("_undecided", "_below", "_above", "_r", "_p_by_design")
    )


# What a frame of pairs may lack, and what it means that it does.
_OPTIONAL: dict[str, pl.Expr] = {
    **dict.fromkeys(_BY_DESIGN, pl.lit(None, dtype=pl.Float64)),
    "comparable": pl.lit(value=True),
    "other_comparable": pl.lit(value=True),
    "claims": pl.lit(None, dtype=pl.String),
}


def _absent(pairs: pl.DataFrame) -> list[pl.Expr]:
    return [expression.alias(name) for name, expression in _OPTIONAL.items() if name not in pairs.columns]


def _is_known() -> pl.Expr:
    return pl.col("value").is_not_null() & pl.col("other_value").is_not_null()


def _has_margin(prefix: str) -> pl.Expr:
    return pl.col(f"{prefix}ci_low").is_not_null() & pl.col(f"{prefix}ci_high").is_not_null()


def _is_register(prefix: str) -> pl.Expr:
    """A complete count; what a model of ours filled in is not one, whatever its source counts."""
    return (pl.col(f"{prefix}kind") == "register") & (pl.col(f"{prefix}status") != "estimated")


def _has_grounds() -> pl.Expr:
    """Every side that is sampled or modelled has a margin, and the rounding of both is known."""
    margins = (_is_register("") | _has_margin("")) & (_is_register("other_") | _has_margin("other_"))
    return margins & pl.col("rounding_margin").is_not_null()


def _basis() -> pl.Expr:
    registers = _is_register("") & _is_register("other_") & pl.col("rounding_margin").is_not_null()
    basis = pl.when(_is_known() & registers).then(pl.lit("register")).when(_is_known() & _has_grounds())
    return basis.then(pl.lit("interval")).otherwise(pl.lit("none")).alias("basis")


def _undecided(*, over_time: bool) -> pl.Expr:
    """Rules 1 to 4: what keeps a difference from being judged; NULL where nothing does."""
    same_period = pl.col("reference_period") == pl.col("other_reference_period")
    estimated = (pl.col("status") == "estimated") | (pl.col("other_status") == "estimated")
    of_unknown_method = ~(pl.col("comparable").fill_null(value=True) & pl.col("other_comparable").fill_null(value=True))
    other_series = (pl.col("series_id") != pl.col("other_series_id")) | of_unknown_method
    never = pl.lit(value=False)
    rules = [
        (~_is_known(), "not_decidable"),  # rule 1
        (other_series if over_time else other_series | ~same_period, "not_comparable"),  # rule 2
        (same_period | estimated if over_time else never, "no_new_measurement"),  # rule 3
        (~_has_grounds(), "not_decidable"),  # rule 4
        (_unsettled("") | _unsettled("other_") if over_time else never, "not_decidable"),
    ]
    first = pl.coalesce(pl.when(condition).then(pl.lit(verdict)) for condition, verdict in rules)
    return first.alias("_undecided")


def _unsettled(prefix: str) -> pl.Expr:
    """A provisional register figure of which the catalogue does not say how far it may be revised."""
    provisional = (pl.col(f"{prefix}status") == "provisional") & _is_register(prefix)
    return provisional & pl.col(f"{prefix}revision_margin").is_null()


def _sampling_margins() -> list[pl.Expr]:
    """How far the true difference may lie below and above the estimate, by sampling alone.

    A region that is part of its comparator (share w > 0): d = (1 - w)(x - rest), so the margin is that of region
    against rest; the rest's own margin follows from the comparator's, and cannot be negative.
    """

    def width(prefix: str, side: str) -> pl.Expr:
        distance = (pl.col(f"{prefix}value") - pl.col(f"{prefix}ci_{side}")).abs()
        return pl.when(_is_register(prefix)).then(0.0).otherwise(distance)

    share = pl.col("share")

    def combined(own: str, opposite: str) -> pl.Expr:
        rest_square = width("other_", opposite).pow(2) - (share * width("", opposite)).pow(2)
        return (((1 - share) * width("", own)).pow(2) + rest_square.clip(lower_bound=0.0)).sqrt()

    by_design = _on_numbers(_BY_DESIGN, lambda error, freedom: error * _t_95(freedom))
    return [
        pl.coalesce(by_design, combined("low", "high")).alias("_below"),
        pl.coalesce(by_design, combined("high", "low")).alias("_above"),
    ]


def _on_numbers(names: list[str], compute: Callable[..., np.ndarray]) -> pl.Expr:
    """A NumPy function of some columns, row by row; NULL where one of them is."""

    def apply(given: pl.Series) -> pl.Series:
        columns = [given.struct.field(name).to_numpy() for name in names]
        return pl.Series(given.name, compute(*columns), nan_to_null=True)

    given = pl.struct(pl.col(name).fill_null(float("nan")) for name in names)
    return given.map_batches(apply, return_dtype=pl.Float64)


def _t_95(degrees_of_freedom: np.ndarray) -> np.ndarray:
    from scipy.special import stdtrit  # heavy: only where something is tested

    quantile: np.ndarray = stdtrit(degrees_of_freedom, 0.975)
    return quantile


def _rounding(*, over_time: bool) -> pl.Expr:
    """Rounding margin R; a provisional figure adds the revision margin the catalogue gives for it."""
    margin = pl.col("rounding_margin")
    for prefix in ("", "other_") if over_time else ():
        revision = pl.when(pl.col(f"{prefix}status") == "provisional").then(pl.col(f"{prefix}revision_margin"))
        margin = margin + revision.fill_null(0.0)
    return margin.alias("_r")


def _interval() -> list[pl.Expr]:
    grounded = pl.col("basis") != "none"
    low = pl.col("difference") - pl.col("_below") - pl.col("_r")
    high = pl.col("difference") + pl.col("_above") + pl.col("_r")
    return [
        pl.when(grounded).then(low).alias("difference_ci_low"),
        pl.when(grounded).then(high).alias("difference_ci_high"),
    ]


def _p_value() -> pl.Expr:
    """Two-sided normal p-value of the difference, from the half of the interval that faces zero.

    Only differences that can be judged are tested: others do not count in their family either.
    """
    towards_zero = pl.when(pl.col("difference") > 0).then(pl.col("_below")).otherwise(pl.col("_above"))
    z = pl.col("difference").abs() / (towards_zero / Z_95)
    tested = (pl.col("basis") == "interval") & pl.col("_undecided").is_null() & (towards_zero > 0)
    return pl.when(tested).then(z).map_batches(_two_sided, return_dtype=pl.Float64).alias("p_value")


def _p_value_by_design() -> pl.Expr:
    """Two-sided p-value of the difference by Student's t, where the design gives its standard error."""
    tested = (pl.col("basis") == "interval") & pl.col("_undecided").is_null()
    p = _on_numbers(["difference", *_BY_DESIGN], _two_sided_t)
    return pl.when(tested & (pl.col("difference_standard_error") > 0)).then(p).alias("_p_by_design")


def _two_sided_t(difference: np.ndarray, standard_error: np.ndarray, degrees_of_freedom: np.ndarray) -> np.ndarray:
    from scipy.special import stdtr  # heavy: only where something is tested

    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.abs(difference) / standard_error
    p: np.ndarray = 2 * stdtr(degrees_of_freedom, -t)
    return p


def _two_sided(z: pl.Series) -> pl.Series:
    from scipy.special import ndtr  # heavy: only where something is tested

    return pl.Series(z.name, 2 * ndtr(-z.to_numpy()), nan_to_null=True)


def _p_value_adjusted(family: list[str]) -> pl.Expr:
    within = benjamini_hochberg(pl.col("p_value")).over([*family, "in_family"])
    among_claims = holm(pl.col("p_value")).over("claims")
    return (
        pl.when(pl.col("claims").is_not_null())
        .then(among_claims)
        .when("in_family")
        .then(within)
        .otherwise("p_value")
        .alias("p_value_adjusted")
    )


def judged_slope() -> pl.Expr:
    """The verdict of a slope that can be judged, by rules 5 and 6: from estimate, ci_low, ci_high, p_value_adjusted
    and polarity. A slope has a p-value for registers too: that of the scatter around it.
    """
    contains_zero = (pl.col("ci_low") <= EQUALITY) & (pl.col("ci_high") >= -EQUALITY)
    too_likely = (pl.col("p_value_adjusted") >= SIGNIFICANCE).fill_null(value=False)
    nothing = pl.lit("no_demonstrable_difference")
    return (
        pl.when(contains_zero | too_likely).then(nothing).otherwise(_read(pl.col("estimate"), pl.col("polarity") == 0))
    )


def _decided(*, over_time: bool) -> pl.Expr:
    """Rules 5 and 6."""
    distance = pl.col("difference").abs()
    contains_zero = (pl.col("difference_ci_low") <= EQUALITY) & (pl.col("difference_ci_high") >= -EQUALITY)
    too_likely = (pl.col("p_value_adjusted") >= SIGNIFICANCE).fill_null(value=False)
    too_small = (distance < pl.col("min_relevant_difference") - EQUALITY).fill_null(value=False)
    no_judgement = (pl.col("polarity") == 0) | (pl.col("nominal") if over_time else pl.lit(value=False))
    return (
        pl.when(contains_zero | too_likely | (distance <= pl.col("_r") + EQUALITY) | too_small)
        .then(pl.lit("no_demonstrable_difference"))  # rule 5
        .otherwise(_read(pl.col("difference"), no_judgement))  # rule 6
    )


def _read(movement: pl.Expr, no_judgement: pl.Expr) -> pl.Expr:
    """The sign of a movement, read with the polarity."""
    rises = movement > 0
    return (
        pl.when(no_judgement)
        .then(pl.when(rises).then(pl.lit("higher")).otherwise(pl.lit("lower")))
        .otherwise(pl.when(rises == (pl.col("polarity") > 0)).then(pl.lit("better")).otherwise(pl.lit("worse")))
    )
