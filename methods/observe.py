"""From published figures to observations: one tidy shape, with the warnings each figure must carry."""

from __future__ import annotations

import polars as pl

from methods import warning_lists as warn

# Leys et al. (2013, Journal of Experimental Social Psychology 49, 764-766): 2.5 median absolute deviations.
UNUSUAL_DEVIATIONS = 2.5
MAD_TO_SD = 1.482602218505602


def observations(figures: pl.DataFrame, sources: pl.DataFrame, period_warnings: pl.DataFrame) -> pl.DataFrame:
    """Figures as observations with the warnings the catalogue gives for their source.

    `figures`: indicator_id, region_code, period, source_table, value, status. `sources`: indicator_id, source_table,
    kind, warnings. `period_warnings`: indicator_id, source_table, period, warning. No margins are published with
    these figures, so everything sampled or modelled says `no_margin`.
    """
    at_period = period_warnings.group_by("indicator_id", "source_table", "period").agg(
        pl.col("warning").alias("at_period")
    )
    uncertain = pl.col("kind").is_in(["sample", "model"])
    return (
        figures.join(
            sources.select("indicator_id", "source_table", "kind", "warnings"), ["indicator_id", "source_table"]
        )
        .join(at_period, ["indicator_id", "source_table", "period"], how="left")
        .with_columns(
            breakdown=pl.lit("total"),
            ci_low=pl.lit(None, dtype=pl.Float64),
            ci_high=pl.lit(None, dtype=pl.Float64),
            n=pl.lit(None, dtype=pl.Int64),
            warnings=warn.unite(
                "warnings",
                "at_period",
                warn.when(pl.col("kind") == "model", "model_based"),
                warn.when(uncertain & pl.col("value").is_not_null(), "no_margin"),
            ),
        )
        .drop("kind", "at_period")
    )


def flag_unusual_changes(observation: pl.DataFrame, sources: pl.DataFrame, indicators: pl.DataFrame) -> pl.DataFrame:
    """Add `unusual_change` to municipal figures that moved very differently from other municipalities.

    The change since the previous period of the same series (in points for percentages, else as the logarithm of the
    ratio) is compared with the median change of all municipalities; more than 2.5 scaled median absolute deviations
    away is unusual. The spread is never taken smaller than one rounding step.
    """
    key = ["indicator_id", "series_id"]
    changes = (
        observation.filter(pl.col("region_code").str.starts_with("GM") & pl.col("value").is_not_null())
        .join(
            sources.select("indicator_id", "source_table", "series_id", "rounding_unit"),
            ["indicator_id", "source_table"],
        )
        .join(indicators.select("indicator_id", "is_percentage"), "indicator_id")
        .sort(*key, "region_code", "period")
        .with_columns(
            previous=pl.col("value").shift().over(*key, "region_code"),
            previous_period=pl.col("period").shift().over(*key, "region_code"),
        )
        .filter(pl.col("previous").is_not_null() & (pl.col("is_percentage") | (pl.col("previous") > 0)))
        .with_columns(
            moved=pl.when("is_percentage")
            .then(pl.col("value") - pl.col("previous"))
            .otherwise((pl.col("value") / pl.col("previous")).log()),
            step=pl.when("is_percentage")
            .then(pl.col("rounding_unit"))
            .otherwise(pl.col("rounding_unit") / pl.col("previous")),
        )
    )
    peers = [*key, "period", "previous_period"]
    deviation = (pl.col("moved") - pl.col("moved").median().over(peers)).abs()
    spread = pl.max_horizontal(MAD_TO_SD * deviation.median().over(peers), "step")
    unusual = changes.filter(deviation > UNUSUAL_DEVIATIONS * spread).select(
        "indicator_id", "region_code", "period", "source_table", unusual=pl.lit(value=True)
    )
    return (
        observation.join(unusual, ["indicator_id", "region_code", "period", "source_table"], how="left")
        .with_columns(
            warnings=warn.unite("warnings", warn.when(pl.col("unusual").fill_null(value=False), "unusual_change"))
        )
        .drop("unusual")
    )
