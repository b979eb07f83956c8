"""What must be true of the tables of the analysis: trends, positions, scores, peers, expectations, decompositions."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from assets.core import ROLES
from catalog import frames
from pipelines.rules import TOLERANCE, Context, Suite, flag, present

_UNDECIDED = ["not_decidable", "no_new_measurement", "not_comparable"]


def _own_indicators(context: Context) -> pl.DataFrame:
    """Every own municipality with every indicator that is compared, in every year of the run."""
    compared = frames.indicators(context.catalogue).filter(~pl.col("is_count")).select("indicator_id")
    years = pl.DataFrame({"measurement_year": context.catalogue.region.years}, schema={"measurement_year": pl.Int32})
    own = pl.DataFrame({"region_code": ROLES.municipalities})
    return years.join(compared, how="cross").join(own, how="cross")


def _within(low: str, middle: str, high: str) -> pl.Expr:
    """All three are missing, or the middle one lies between the others."""
    inside = (pl.col(low) <= pl.col(middle) + TOLERANCE) & (pl.col(middle) <= pl.col(high) + TOLERANCE)
    return inside.fill_null(value=False) | pl.all_horizontal(pl.col(low, middle, high).is_null())


def _trend_rows(frame: pl.DataFrame, _: Context) -> Suite:
    key = ["measurement_year", "indicator_id", "region_code", "comparator_code", "breakdown", "quantity", "movement"]
    without_margin = pl.col("ci_low").is_null() & pl.col("ci_high").is_null()
    listed = frame.select(
        *key,
        margins=without_margin | _within("ci_low", "estimate", "ci_high"),
        grounds=pl.col("verdict").is_in(_UNDECIDED) | ((pl.col("basis") != "none") & pl.col("ci_low").is_not_null()),
        explained=pl.col("estimate").is_not_null()
        | pl.col("reason").is_not_null()
        | (pl.col("verdict") == "not_comparable"),
    )
    return Suite(
        listed,
        key,
        [
            flag("interval_contains_estimate", "margins", "the estimate lies between its margins"),
            flag("verdict_has_a_basis", "grounds", "what is said of a movement has a basis and a margin"),
            flag("missing_says_why", "explained", "a movement that is not known says why"),
        ],
    )


def _every_trend_promised(frame: pl.DataFrame, context: Context) -> Suite:
    wanted = _own_indicators(context).with_columns(movement=pl.lit("slope"), quantity=pl.lit("value"))
    expected = "every own municipality has a trend of every indicator, also if nothing can be said of it"
    return present(wanted, frame, "every_row_promised", expected)


def _positions(frame: pl.DataFrame, _: Context) -> Suite:
    key = ["measurement_year", "indicator_id", "region_code", "among"]
    without_margin = pl.col("percentile_low").is_null() & pl.col("percentile_high").is_null()
    undecided = pl.col("position") == "not_decidable"
    listed = frame.select(
        *key,
        ranged=without_margin | _within("percentile_low", "percentile", "percentile_high"),
        said=undecided == without_margin,
        inside=pl.any_horizontal(pl.col("value", "minimum").is_null()) | _within("minimum", "value", "maximum"),
    )
    return Suite(
        listed,
        key,
        [
            flag("range_contains_percentile", "ranged", "the percentile lies within its range"),
            flag("position_has_a_range", "said", "a position is given exactly where its range is known"),
            flag("value_within_distribution", "inside", "the figure lies within the distribution it is part of"),
        ],
    )


def _every_position_promised(frame: pl.DataFrame, context: Context) -> Suite:
    among = pl.DataFrame({"among": ["country", "urbanity_class"]})
    wanted = _own_indicators(context).join(among, how="cross")
    expected = "every own municipality has a position for every indicator, also if nothing can be said of it"
    return present(wanted, frame, "every_row_promised", expected)


def _weights_add_up(frame: pl.DataFrame, _: Context) -> Suite:
    listed = (
        frame.filter(pl.col("parent_id").is_not_null())
        .group_by("framework", "parent_id", maintain_order=True)
        .agg(adds_up=(pl.col("weight").sum() - 1).abs() < TOLERANCE)
    )
    expected = "the weights of what a score is made of add up to 1"
    return Suite(listed, ["framework", "parent_id"], [flag("weights_add_up", "adds_up", expected)], unit="parent")


def _goalposts_ordered(frame: pl.DataFrame, _: Context) -> Suite:
    missing = pl.col("goalpost_low").is_null() & pl.col("goalpost_high").is_null()
    ordered = (pl.col("goalpost_low") < pl.col("goalpost_high")).fill_null(value=False)
    listed = frame.select("framework", "element_id", ordered=missing | ordered)
    return Suite(
        listed,
        ["framework", "element_id"],
        [flag("goalposts_ordered", "ordered", "the lowest figure of a scale lies below the highest")],
    )


def _scores(frame: pl.DataFrame, _: Context) -> Suite:
    key = ["measurement_year", "framework", "theme_id", "region_code", "method"]
    has_score = pl.col("score").is_not_null()
    says_missing = ~pl.col("status").is_in(["definitive", "provisional", "estimated"])
    without_margin = pl.col("ci_low").is_null() & pl.col("ci_high").is_null()
    no_rank = pl.all_horizontal(pl.col("rank", "rank_low", "rank_high", "rank_of").is_null())
    of = (pl.col("rank_high") <= pl.col("rank_of")).fill_null(value=False)
    listed = frame.select(
        *key,
        missing=has_score != says_missing,
        margins=without_margin | _within("ci_low", "score", "ci_high"),
        ranged=no_rank | (_within("rank_low", "rank", "rank_high") & of),
        apart=pl.col("theme_id").str.starts_with(pl.col("framework") + "_"),
    )
    return Suite(
        listed,
        key,
        [
            flag("missing_exactly_when_status_says", "missing", "a score is empty exactly when its status says so"),
            flag("interval_contains_score", "margins", "the score lies between its margins"),
            flag("rank_has_a_range", "ranged", "a rank stands within its range, and never without one"),
            flag("frameworks_apart", "apart", "a framework has scores of its own themes only"),
        ],
    )


def _ranges(frame: pl.DataFrame, _: Context) -> Suite:
    key = ["measurement_year", "framework", "theme_id", "region_code", "among"]
    no_sampling = pl.col("sampling_rank_low").is_null() & pl.col("sampling_rank_high").is_null()
    listed = frame.select(
        *key,
        ranged=_within("rank_low", "rank", "rank_high") & (pl.col("rank_high") <= pl.col("rank_of")),
        sampled=no_sampling | _within("sampling_rank_low", "rank", "sampling_rank_high"),
    )
    return Suite(
        listed,
        key,
        [
            flag("range_contains_rank", "ranged", "a rank stands within its sensitivity range"),
            flag("sampling_range_contains_rank", "sampled", "a rank stands within what sampling error leaves open"),
        ],
    )


def _ahead_and_behind(frame: pl.DataFrame, _: Context) -> Suite:
    key = ["measurement_year", "framework", "theme_id", "region_code", "comparator_code"]
    mirrored = frame.select(
        "measurement_year",
        "framework",
        "theme_id",
        region_code="comparator_code",
        comparator_code="region_code",
        behind="ahead_share",
    )
    listed = frame.join(mirrored, key, how="left", maintain_order="left").select(
        *key, adds_up=((pl.col("ahead_share") + pl.col("behind") - 100).abs() < 1e-6).fill_null(value=False)
    )
    expected = "ahead in some draws, behind in all others"
    return Suite(listed, key, [flag("ahead_and_behind_add_up", "adds_up", expected)])


def _peers(frame: pl.DataFrame, context: Context) -> Suite:
    count = context.catalogue.analysis.peers.count
    listed = frame.select(
        "region_code",
        "peer_code",
        own=pl.col("region_code").is_in(ROLES.municipalities) & ~pl.col("peer_code").is_in(ROLES.municipalities),
        complete=pl.len().over("region_code") == count,
    )
    return Suite(
        listed,
        ["region_code", "peer_code"],
        [
            flag("peers_outside_the_region", "own", "peers of own municipalities, outside the region"),
            flag("peers_complete", "complete", f"{count} peers of every own municipality that has any"),
        ],
    )


def _expectations(frame: pl.DataFrame, _: Context) -> Suite:
    key = ["measurement_year", "indicator_id", "region_code"]
    refused = pl.col("expectation") == "refused"
    below, above = pl.col("value") < pl.col("expected_low"), pl.col("value") > pl.col("expected_high")
    word = (pl.when(below).then(pl.lit("below_expected")).when(above).then(pl.lit("above_expected"))).otherwise(
        pl.lit("as_expected")
    )
    numbers = pl.col("expected_value", "expected_low", "expected_high", "residual")
    listed = frame.select(
        *key,
        reasoned=refused == pl.col("reason").is_not_null(),
        given=pl.when(refused)
        .then(pl.all_horizontal(numbers.is_null()))
        .otherwise(pl.all_horizontal(numbers.is_not_null())),
        said=refused | (pl.col("expectation") == word),
    )
    return Suite(
        listed,
        key,
        [
            flag("refused_with_a_reason", "reasoned", "an expectation is refused exactly where a reason is given"),
            flag("given_unless_refused", "given", "an expectation has all its numbers, and none where it is refused"),
            flag("flag_follows_bounds", "said", "a figure is called above or below exactly when it is outside"),
        ],
    )


def _components_add_up(frame: pl.DataFrame, _: Context) -> Suite:
    key = ["measurement_year", "indicator_id", "region_code", "comparator_code", "decomposed_by"]
    value = pl.col("contribution")
    whole = value.filter(pl.col("component") == "difference").sum()
    parts = value.filter(pl.col("component") != "difference")
    listed = frame.group_by(key, maintain_order=True).agg(
        adds_up=pl.when(value.is_not_null().all())
        .then((whole - parts.sum()).abs() < TOLERANCE)
        .otherwise(pl.lit(value=True))
    )
    expected = "the parts of a difference add up to it"
    return Suite(listed, key, [flag("components_add_up", "adds_up", expected)], unit="difference")


PLAUSIBILITY: dict[str, list[Callable[[pl.DataFrame, Context], Suite]]] = {
    "trend": [_trend_rows, _every_trend_promised],
    "position": [_positions, _every_position_promised],
    "framework_element": [_weights_add_up, _goalposts_ordered],
    "theme_score": [_scores],
    "sensitivity": [_ranges],
    "sensitivity_pair": [_ahead_and_behind],
    "peer": [_peers],
    "expected_value": [_expectations],
    "decomposition": [_components_add_up],
}
