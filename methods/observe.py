"""From published figures to observations: one tidy shape, with the warnings each figure must carry."""

from __future__ import annotations

import polars as pl

from methods import warning_lists as warn

# Leys et al. (2013, Journal of Experimental Social Psychology 49, 764-766): 2.5 median absolute deviations.
UNUSUAL_DEVIATIONS = 2.5
MAD_TO_SD = 1.482602218505602


# Of one figure: its key, where it is published, and what it must say.
FLAGGED = pl.Schema(dict.fromkeys(["indicator_id", "region_code", "period", "source_table", "warning"], pl.String()))


def observations(
    figures: pl.DataFrame,
    sources: pl.DataFrame,
    period_warnings: pl.DataFrame,
    flagged: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Figures as observations with the warnings the catalogue gives for their source.

    `figures`: indicator_id, region_code, period, source_table, value, ci_low, ci_high, status, synthetic. `sources`:
    indicator_id, source_table, kind, warnings. `period_warnings`: indicator_id, source_table, period, warning.
    `flagged` (columns FLAGGED): warnings of single figures, at most one each. What is sampled or modelled and published
    without a margin says `no_margin`.
    """
    at_period = period_warnings.group_by("indicator_id", "source_table", "period").agg(
        pl.col("warning").alias("at_period")
    )
    of_figure = (flagged if flagged is not None else FLAGGED.to_frame()).select(
        *("indicator_id", "region_code", "period", "source_table"),
        of_figure=pl.concat_list("warning").list.drop_nulls(),
    )
    uncertain = pl.col("kind").is_in(["sample", "model"])
    without_margin = pl.any_horizontal(pl.col("ci_low", "ci_high").is_null())
    return (
        figures.join(
            sources.select("indicator_id", "source_table", "kind", "warnings"), ["indicator_id", "source_table"]
        )
        .join(at_period, ["indicator_id", "source_table", "period"], how="left")
        .join(of_figure, ["indicator_id", "region_code", "period", "source_table"], how="left")
        .with_columns(
            breakdown=pl.lit("total"),
            n=pl.lit(None, dtype=pl.Int64),
            warnings=warn.unite(
                "warnings",
                "at_period",
                "of_figure",
                warn.when(pl.col("kind") == "model", "model_based"),
                warn.when(uncertain & pl.col("value").is_not_null() & without_margin, "no_margin"),
                warn.when(pl.col("synthetic"), "synthetic"),
            ),
        )
        .drop("kind", "at_period", "of_figure", "synthetic")
    )


def with_ratios(observation: pl.DataFrame, ratios: pl.DataFrame, sources: pl.DataFrame) -> pl.DataFrame:
    """Observations and the ratios that follow from them: per x numerator / denominator of the same region and year.

    `ratios`: indicator_id, numerator, denominator, per. A ratio stands under its numerator's source table and period.
    The denominator is that of the period's year, from the same table where it has one, else from the best table by
    priority. Missing where one of the two is: with the numerator's status, else `not_published`. As weak as the weaker
    of the two statuses. Only counts of registers are divided, so there is no margin.
    """
    total = observation.filter(breakdown="total")
    denominators = (
        total.filter(pl.col("value") > 0)
        .join(sources.select("indicator_id", "source_table", "priority"), ["indicator_id", "source_table"])
        .select(
            "region_code",
            "priority",
            year="period",
            denominator="indicator_id",
            below="value",
            status_below="status",
            warnings_below="warnings",
            table_below="source_table",
        )
    )
    provisional = pl.col("status_below") == "provisional"
    found = (
        total.join(ratios.rename({"indicator_id": "ratio"}), left_on="indicator_id", right_on="numerator")
        .with_columns(year=pl.col("period").str.slice(0, 4))
        .join(denominators, ["region_code", "year", "denominator"], how="left")
        .sort(
            *("ratio", "region_code", "period", "source_table"),
            pl.col("table_below") != pl.col("source_table"),
            "priority",
        )
        .unique(["ratio", "region_code", "period", "source_table"], keep="first", maintain_order=True)
        .with_columns(
            indicator_id="ratio",
            value=pl.col("per") * pl.col("value") / pl.col("below"),
            status=pl.when(pl.col("value").is_null())
            .then("status")
            .when(pl.col("below").is_null())
            .then(pl.lit("not_published"))
            .when(provisional & (pl.col("status") == "definitive"))
            .then("status_below")
            .otherwise("status"),
            warnings=warn.unite("warnings", "warnings_below"),
            ci_low=pl.lit(None, dtype=pl.Float64),
            ci_high=pl.lit(None, dtype=pl.Float64),
        )
    )
    return pl.concat([observation, found.select(observation.columns)])


def flag_unusual_changes(
    observation: pl.DataFrame, restated: pl.DataFrame, sources: pl.DataFrame, indicators: pl.DataFrame
) -> pl.DataFrame:
    """Add `unusual_change` to municipal figures that moved very differently from other municipalities.

    What moved is read from `restated`: the observations on the borders of one year, so that a merger is no jump. A
    municipality that is not there on those borders is not judged.

    The change since the previous period of the same series (in points for percentages, else as the logarithm of the
    ratio) is compared with the median change of all municipalities; more than 2.5 scaled median absolute deviations
    away is unusual. The spread is never taken smaller than one rounding step.
    """
    series = sources.select("indicator_id", "source_table", "series_id", "priority", "rounding_unit")
    in_series = ["indicator_id", "series_id", "region_code"]
    changes = (
        restated.filter(pl.col("region_code").str.starts_with("GM") & pl.col("value").is_not_null(), breakdown="total")
        .join(series, ["indicator_id", "source_table"])
        .join(indicators.select("indicator_id", "is_percentage"), "indicator_id")
        # Two tables of one series may give the same period: the better one stands for it.
        .sort(*in_series, "period", "priority")
        .unique([*in_series, "period"], keep="first", maintain_order=True)
        .with_columns(
            previous=pl.col("value").shift().over(in_series),
            previous_period=pl.col("period").shift().over(in_series),
        )
        .filter(pl.col("previous").is_not_null() & (pl.col("is_percentage") | (pl.col("previous") > 0)))
        .with_columns(_movement())
    )
    peers = ["indicator_id", "series_id", "period", "previous_period"]
    deviation = (pl.col("moved") - pl.col("moved").median().over(peers)).abs()
    spread = pl.max_horizontal(MAD_TO_SD * deviation.median().over(peers), "step")
    unusual = changes.filter(deviation > UNUSUAL_DEVIATIONS * spread).select(
        *in_series, "period", unusual=pl.lit(value=True)
    )
    flag = warn.when(pl.col("unusual").fill_null(value=False), "unusual_change")
    return (
        observation.join(series, ["indicator_id", "source_table"], how="left", maintain_order="left")
        .join(unusual, [*in_series, "period"], how="left", maintain_order="left")
        .with_columns(warnings=warn.unite("warnings", flag))
        .select(observation.columns)
    )


def _movement() -> list[pl.Expr]:
    """How far a figure moved, and how far one rounding step is: in points for percentages, else in log ratios."""
    value, previous, step = pl.col("value"), pl.col("previous"), pl.col("rounding_unit")
    points = pl.col("is_percentage")
    return [
        pl.when(points).then(value - previous).otherwise((value / previous).log()).alias("moved"),
        pl.when(points).then(step).otherwise(step / previous).alias("step"),
    ]
