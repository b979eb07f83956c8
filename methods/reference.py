"""Which period each measurement year refers to: one per indicator, the same for all regions."""

from __future__ import annotations

import polars as pl


def choose_references(
    observation: pl.DataFrame,
    indicators: pl.DataFrame,
    sources: pl.DataFrame,
    frozen: pl.DataFrame,
    known: pl.DataFrame,
    years: list[int],
    required: dict[str, list[str]],
) -> pl.DataFrame:
    """One row per indicator and measurement year.

    The reference period is the newest not later than the measurement year and not older than `max_lag_years` in
    which every required region has a figure; of two tables with that period the one with the best priority. The
    first of `years` is the baseline: where the catalogue freezes baselines (`frozen`: indicator_id, source_table,
    period), only the frozen period will do, so that later data never silently move the baseline.

    `required` gives the regions that must have a figure, by the indicator's `measured_for`. Adds lag_years,
    source_table, series_id, carried_forward, newer_published (both boolean) and missing_status: what to say of an
    indicator without a reference period. `known`: indicator_id, period that publishers are known to have.
    """
    grid = indicators.select("indicator_id", "max_lag_years").join(
        pl.DataFrame({"measurement_year": years}, schema={"measurement_year": pl.Int32}), how="cross"
    )
    candidates = _complete_periods(observation, indicators, required).join(
        sources.select("indicator_id", "source_table", "series_id", "priority"), ["indicator_id", "source_table"]
    )
    in_reach = (
        grid.join(candidates, "indicator_id")
        .with_columns(lag_years=pl.col("measurement_year") - _year("period"))
        .filter(pl.col("lag_years").is_between(0, pl.col("max_lag_years")))
    )
    later = in_reach.filter(pl.col("measurement_year") != years[0])
    baseline = in_reach.filter(pl.col("measurement_year") == years[0])
    if not frozen.is_empty():
        baseline = _at_frozen(grid.filter(pl.col("measurement_year") == years[0]), frozen, observation, sources)
    chosen = (
        pl.concat([baseline.select(later.columns), later])
        .sort("period", "priority", descending=[True, False])
        .group_by("indicator_id", "measurement_year", maintain_order=True)
        .first()
        .rename({"period": "reference_period"})
        .drop("max_lag_years", "priority")
    )
    return (
        grid.join(chosen, ["indicator_id", "measurement_year"], how="left")
        .sort("indicator_id", "measurement_year")
        .with_columns(
            carried_forward=(
                pl.col("reference_period") == pl.col("reference_period").shift().over("indicator_id")
            ).fill_null(value=False)
        )
        .join(_newest_known(grid, known), ["indicator_id", "measurement_year"], how="left")
        .with_columns(
            # The baseline stays what it was, however much has been published since.
            newer_published=(
                (pl.col("newest_known") > _year("reference_period")) & (pl.col("measurement_year") != years[0])
            ).fill_null(value=False),
            missing_status=pl.when(pl.col("newest_known") >= pl.col("measurement_year") - pl.col("max_lag_years"))
            .then(pl.lit("not_retrieved"))
            .otherwise(pl.lit("not_measured")),
        )
        .drop("newest_known", "max_lag_years")
    )


def _year(column: str) -> pl.Expr:
    return pl.col(column).str.slice(0, 4).cast(pl.Int32)


def _complete_periods(
    observation: pl.DataFrame, indicators: pl.DataFrame, required: dict[str, list[str]]
) -> pl.DataFrame:
    """Periods of a table in which every required region has a figure: indicator_id, source_table, period."""
    needed = pl.DataFrame(
        [(scope, region) for scope, regions in required.items() for region in regions],
        schema={"measured_for": pl.String, "region_code": pl.String},
        orient="row",
    )
    return (
        observation.filter(pl.col("value").is_not_null(), breakdown="total")
        .join(indicators.select("indicator_id", "measured_for"), "indicator_id")
        .join(needed, ["measured_for", "region_code"])
        .group_by("indicator_id", "measured_for", "source_table", "period")
        .agg(found=pl.col("region_code").n_unique())
        .join(needed.group_by("measured_for").agg(needed=pl.len()), "measured_for")
        .filter(pl.col("found") == pl.col("needed"))
        .select("indicator_id", "source_table", "period")
    )


def _at_frozen(
    grid: pl.DataFrame, frozen: pl.DataFrame, observation: pl.DataFrame, sources: pl.DataFrame
) -> pl.DataFrame:
    present = observation.select("indicator_id", "source_table", "period").unique()
    return (
        grid.join(frozen, "indicator_id")
        .join(present, ["indicator_id", "source_table", "period"])
        .join(sources.select("indicator_id", "source_table", "series_id", "priority"), ["indicator_id", "source_table"])
        .with_columns(lag_years=pl.col("measurement_year") - _year("period"))
    )


def _newest_known(grid: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    return (
        grid.join(known, "indicator_id")
        .with_columns(newest_known=_year("period"))
        .filter(pl.col("newest_known") <= pl.col("measurement_year"))
        .group_by("indicator_id", "measurement_year")
        .agg(pl.col("newest_known").max())
    )
