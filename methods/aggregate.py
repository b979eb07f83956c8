"""Group values from member values: sums and weighted means, never a mean of means."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from catalog.expression import evaluate, names_in
from methods import warning_lists as warn

# What a group says when members disagree: the weakest member decides.
STATUS_ORDER = ["estimated", "provisional", "definitive"]


def choose_figures(observation: pl.DataFrame, references: pl.DataFrame, sources: pl.DataFrame) -> pl.DataFrame:
    """The published figure of every region for each indicator and reference period in use.

    The table of the reference goes first, then its series, then the priority of the table; an empty value only where
    there is no other. A figure of another series says `definition_differs`. Columns: those of `observation` with
    reference_period for period, series_id, and of_reference_series (boolean).
    """
    used = (
        references.filter(pl.col("reference_period").is_not_null())
        .select("indicator_id", "reference_period", reference_series="series_id", reference_table="source_table")
        .unique()
    )
    return (
        observation.rename({"period": "reference_period"})
        .join(used, ["indicator_id", "reference_period"])
        .join(sources.select("indicator_id", "source_table", "series_id", "priority"), ["indicator_id", "source_table"])
        .with_columns(of_reference_series=pl.col("series_id") == pl.col("reference_series"))
        .sort(
            "indicator_id",
            "reference_period",
            "region_code",
            pl.col("value").is_null(),
            pl.col("source_table") != pl.col("reference_table"),
            ~pl.col("of_reference_series"),
            "priority",
        )
        .group_by("indicator_id", "reference_period", "region_code", "breakdown", maintain_order=True)
        .first()
        .with_columns(
            warnings=warn.unite("warnings", warn.when(~pl.col("of_reference_series"), "definition_differs")),
        )
        .drop("reference_series", "reference_table", "priority")
    )


def member_weights(
    figures: pl.DataFrame, observation: pl.DataFrame, sources: pl.DataFrame, indicators: pl.DataFrame
) -> pl.DataFrame:
    """The weight of every municipality with a figure.

    Weights are those of the year of the figure's own reference period. Where two tables give one, the table that
    published the figure wins, then the table's priority. A municipality without weight, or with a figure of another
    series than the reference, is left out; a sum weighs each as 1. Where the weight is not known of every municipality
    of a period, all of that period take the fallback. Columns: indicator_id, reference_period, municipality_code,
    weight, approximate (boolean: not the weight that is meant).
    """
    published = (
        observation.filter(pl.col("value").is_not_null(), breakdown="total")
        .join(sources.select("indicator_id", "source_table", "priority"), ["indicator_id", "source_table"])
        .select("indicator_id", "region_code", "period", "source_table", "priority", "value")
    )
    with_value = figures.filter(
        pl.col("value").is_not_null() & pl.col("region_code").str.starts_with("GM") & pl.col("of_reference_series"),
        breakdown="total",
    ).select("indicator_id", "reference_period", "region_code", "source_table")
    frames = [with_value.with_columns(weight=pl.lit(1.0), approximate=pl.lit(value=False)).clear()]
    settings = indicators.select("indicator_id", "weight", "weight_fallback", "weight_approximate", "is_count")
    for indicator_id, expression, fallback, approximate, is_count in settings.iter_rows():
        rows = with_value.filter(pl.col("indicator_id") == indicator_id)
        if is_count:
            frames.append(rows.with_columns(weight=pl.lit(1.0), approximate=pl.lit(value=False)))
        elif expression is not None:
            weighed = _evaluate_weight(rows, published, expression).with_columns(approximate=pl.lit(approximate))
            frames.append(_with_fallback(weighed, published, fallback) if fallback else weighed)
    return (
        pl.concat(frames)
        .filter(pl.col("weight") > 0)
        .select("indicator_id", "reference_period", "weight", "approximate", municipality_code="region_code")
    )


def _with_fallback(weighed: pl.DataFrame, published: pl.DataFrame, expression: str) -> pl.DataFrame:
    """The weights, those of incomplete periods replaced by the fallback's."""
    incomplete = ~pl.col("weight").is_not_null().all().over("reference_period")
    replaced = _evaluate_weight(weighed.filter(incomplete).drop("weight", "approximate"), published, expression)
    kept = weighed.filter(~incomplete)
    return pl.concat([kept, replaced.with_columns(approximate=pl.lit(value=True)).select(kept.columns)])


def _evaluate_weight(rows: pl.DataFrame, published: pl.DataFrame, expression: str) -> pl.DataFrame:
    """`rows` with the value of a weight expression for each; NULL where a part of it is not known."""
    names = sorted(names_in(expression))
    year = pl.col("reference_period").str.slice(0, 4)
    for name in names:
        part = (
            rows.with_columns(year=year)
            .join(
                published.filter(pl.col("indicator_id") == name).drop("indicator_id").rename({"period": "year"}),
                ["region_code", "year"],
                suffix="_of_weight",
            )
            .with_columns(elsewhere=pl.col("source_table") != pl.col("source_table_of_weight"))
            .sort("reference_period", "region_code", "elsewhere", "priority")
            .group_by("reference_period", "region_code", maintain_order=True)
            .agg(pl.col("value").first().alias(name))
        )
        rows = rows.join(part, ["reference_period", "region_code"], how="left")
    return rows.with_columns(weight=evaluate(expression, {name: pl.col(name) for name in names})).drop(names)


def group_weights(
    weights: pl.DataFrame,
    members: pl.DataFrame,
    indicators: pl.DataFrame,
    whole_groups: list[str],
    fewest: Mapping[str, int] | None = None,
) -> pl.DataFrame:
    """How heavily each municipality counts in each group: the published table `group_weight`.

    `members`: group_code, municipality_code, period. A group in `whole_groups`, and any sum, needs a figure and a
    weight from every member of the period: without them it has no rows here, and so no group value. Nor has a group
    in `fewest` with fewer members than that.
    """
    is_count = pl.col("is_count")
    year = pl.col("reference_period").str.slice(0, 4).alias("year")
    members = members.rename({"period": "year"})
    grouped = (
        members.join(weights.with_columns(year), ["municipality_code", "year"])
        .join(indicators.select("indicator_id", "is_count"), "indicator_id")
        .with_columns(
            found=pl.len().over("indicator_id", "reference_period", "group_code"),
            share=pl.when(is_count)
            .then(1.0)
            .otherwise(
                pl.col("weight") / pl.col("weight").sum().over("indicator_id", "reference_period", "group_code")
            ),
        )
    )
    size = members.group_by("group_code", "year").agg(size=pl.len())
    must_be_whole = pl.col("group_code").is_in(whole_groups) | is_count
    least = pl.col("group_code").replace_strict(fewest or {}, default=0, return_dtype=pl.Int64)
    return (
        grouped.join(size, ["group_code", "year"])
        .filter(~must_be_whole | (pl.col("found") == pl.col("size")), pl.col("found") >= least)
        .drop("is_count", "found", "size", "year")
    )


def of_computed(shares: pl.DataFrame, figures: pl.DataFrame) -> pl.DataFrame:
    """The shares (group_weights) of groups whose value is computed: not of those that have a figure of their own."""
    own = figures.filter(breakdown="total").select("indicator_id", "reference_period", group_code="region_code")
    return shares.join(own, ["indicator_id", "reference_period", "group_code"], how="anti")


def group_values(figures: pl.DataFrame, shares: pl.DataFrame) -> pl.DataFrame:
    """The value of every group in `shares` (group_weight) from its members' figures, shaped as `figures`.

    Members are estimated independently of each other, so the group's margin follows from theirs: its half-width is the
    root of the sum of (share x half-width) squared. It has one only where every member has. Of breakdowns no group
    value is made: the weights are those of all inhabitants.
    """
    weakest = pl.col("status").replace_strict({s: i for i, s in enumerate(STATUS_ORDER)}, return_dtype=pl.Int32).min()
    return (
        shares.join(
            figures.filter(breakdown="total").rename({"region_code": "municipality_code"}),
            ["indicator_id", "reference_period", "municipality_code"],
        )
        # Floating-point sums depend on their order: keep it, so that equal inputs give equal bytes.
        .sort("indicator_id", "reference_period", "group_code", "breakdown", "municipality_code")
        .group_by("indicator_id", "reference_period", "group_code", "breakdown", maintain_order=True)
        .agg(
            (pl.col("value") * pl.col("share")).sum().alias("value"),
            weakest.replace_strict(dict(enumerate(STATUS_ORDER)), return_dtype=pl.String).alias("status"),
            # A member's own unusual change says little about the group.
            warn.unite_rows("warnings").filter(warn.unite_rows("warnings") != "unusual_change").alias("warnings"),
            pl.col("source_table", "series_id", "of_reference_series").first(),
            _half_width("ci_low").alias("below"),
            _half_width("ci_high").alias("above"),
            pl.when(_all_known("n")).then(pl.col("n").sum()).alias("n"),
            pl.col("approximate").any(),
        )
        .with_columns(
            ci_low=pl.col("value") - pl.col("below"),
            ci_high=pl.col("value") + pl.col("above"),
            warnings=warn.unite("warnings", warn.when(pl.col("approximate"), "weight_approximate")),
        )
        .drop("below", "above", "approximate")
        .rename({"group_code": "region_code"})
    )


def _all_known(column: str) -> pl.Expr:
    return pl.col(column).is_not_null().all()


def _half_width(bound: str) -> pl.Expr:
    squares = (pl.col("share") * (pl.col("value") - pl.col(bound))).pow(2).sum()
    return pl.when(_all_known(bound)).then(squares.sqrt())
