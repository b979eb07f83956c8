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
    which every required region has a figure in one series; of two tables with that period the one with the best
    priority. The first of `years` is the baseline: where the catalogue freezes baselines (`frozen`: indicator_id,
    source_table, period), only the frozen period of that table will do, so that later data never silently move it.
    Where it freezes several tables, the best of those in which every required region has a figure is the baseline.

    `required` gives the regions that must have a figure, by the indicator's `measured_for`. Adds lag_years,
    source_table, series_id, carried_forward, newer_published (both boolean) and missing_status: what to say of an
    indicator without a reference period. `known`: indicator_id, period that publishers are known to have; a period
    in which no required region has a row, not even an empty one, was not retrieved.
    """
    grid = indicators.select("indicator_id", "max_lag_years").join(
        pl.DataFrame({"measurement_year": years}, schema={"measurement_year": pl.Int32}), how="cross"
    )
    is_baseline = pl.col("measurement_year") == years[0]
    asked = _asked(observation, indicators, required)
    table = sources.select("indicator_id", "source_table", "series_id", "priority")
    complete = _complete_periods(asked, table, required)
    present = observation.select("indicator_id", "source_table", "period").unique()
    at_hand = _baseline_at_hand(frozen, present, complete, table)
    present = _freeze(present, at_hand)
    in_reach = (
        grid.join(complete, "indicator_id")
        .join(present, ["indicator_id", "source_table", "period"], how="semi")
        .with_columns(lag_years=pl.col("measurement_year") - _year("period"))
        .filter(pl.col("lag_years").is_between(0, pl.col("max_lag_years")))
    )
    if not frozen.is_empty():
        baseline = (
            grid.filter(is_baseline)
            .join(at_hand, "indicator_id")
            .join(table, ["indicator_id", "source_table"])
            .with_columns(lag_years=pl.col("measurement_year") - _year("period"))
        )
        in_reach = pl.concat([in_reach.filter(~is_baseline), baseline.select(in_reach.columns)])
    chosen = (
        in_reach.sort("period", "priority", "source_table", descending=[True, False, False])
        .group_by("indicator_id", "measurement_year", maintain_order=True)
        .first()
        .rename({"period": "reference_period"})
        .drop("max_lag_years", "priority")
    )
    not_retrieved = known.join(asked, ["indicator_id", "period"], how="anti")
    newest = (pl.col("newest_not_retrieved"), pl.col("newest_asked"))
    oldest = pl.col("measurement_year") - pl.col("max_lag_years")
    before = pl.col("reference_period").shift().over("indicator_id")
    return (
        grid.join(chosen, ["indicator_id", "measurement_year"], how="left")
        .join(_newest(grid, not_retrieved, "newest_not_retrieved"), ["indicator_id", "measurement_year"], how="left")
        .join(_newest(grid, asked, "newest_asked"), ["indicator_id", "measurement_year"], how="left")
        .sort("indicator_id", "measurement_year")
        .with_columns(
            carried_forward=(pl.col("reference_period") == before).fill_null(value=False),
            # The baseline stays what it was, however much has been published since.
            newer_published=((newest[0] > _year("reference_period")) & ~is_baseline).fill_null(value=False),
            missing_status=pl.when(newest[0] >= oldest)
            .then(pl.lit("not_retrieved"))
            .when(newest[1] >= oldest)
            .then(pl.lit("not_published"))
            .otherwise(pl.lit("not_measured")),
        )
        .drop("newest_not_retrieved", "newest_asked", "max_lag_years")
    )


def _year(column: str) -> pl.Expr:
    return pl.col(column).str.slice(0, 4).cast(pl.Int32)


def _asked(observation: pl.DataFrame, indicators: pl.DataFrame, required: dict[str, list[str]]) -> pl.DataFrame:
    """Observations, also empty ones, of the regions that must have a figure."""
    needed = pl.DataFrame(
        [(scope, region) for scope, regions in required.items() for region in regions],
        schema={"measured_for": pl.String, "region_code": pl.String},
        orient="row",
    )
    return (
        observation.filter(breakdown="total")
        .join(indicators.select("indicator_id", "measured_for", "layer"), "indicator_id")
        .join(needed, ["measured_for", "region_code"])
        # A survey was held, also where a figure is hidden to protect the people who answered, or was left out.
        .with_columns(
            has_figure=pl.col("value").is_not_null()
            | ((pl.col("layer") == "experienced") & pl.col("status").is_in(["suppressed", "not_published"]))
        )
        .select("indicator_id", "measured_for", "source_table", "period", "region_code", "has_figure")
    )


def _complete_periods(asked: pl.DataFrame, table: pl.DataFrame, required: dict[str, list[str]]) -> pl.DataFrame:
    """Periods of a series in which every required region has a figure, with each table that gives one of them."""
    needed = pl.col("measured_for").replace_strict({scope: len(regions) for scope, regions in required.items()})
    in_series = ["indicator_id", "series_id", "period"]
    return (
        asked.filter("has_figure")
        .join(table, ["indicator_id", "source_table"])
        .filter(pl.col("region_code").n_unique().over(in_series) == needed)
        .select("indicator_id", "source_table", "period", "series_id", "priority")
        .unique()
    )


def _baseline_at_hand(
    frozen: pl.DataFrame, present: pl.DataFrame, complete: pl.DataFrame, table: pl.DataFrame
) -> pl.DataFrame:
    """Of each indicator the one frozen table and period that is used: at hand, complete, and best by priority."""
    key = ["indicator_id", "source_table", "period"]
    whole = complete.select(key).with_columns(whole=pl.lit(value=True))
    return (
        frozen.join(present, key, how="semi")
        .join(whole, key, how="left")
        .join(table, ["indicator_id", "source_table"])
        .sort(
            *("indicator_id", pl.col("whole").fill_null(value=False), "priority", "source_table"),
            descending=[False, True, False, False],
        )
        .unique("indicator_id", keep="first", maintain_order=True)
        .select(frozen.columns)
    )


def _freeze(present: pl.DataFrame, frozen: pl.DataFrame) -> pl.DataFrame:
    """Without the other tables of a frozen period: a later year that carries it shows the same figure."""
    others = present.join(frozen.select("indicator_id", "period"), ["indicator_id", "period"], how="anti")
    return pl.concat([others, frozen.select(present.columns)])


def _newest(grid: pl.DataFrame, periods: pl.DataFrame, name: str) -> pl.DataFrame:
    """The newest year among `periods` that is not later than the measurement year."""
    return (
        grid.join(periods.select("indicator_id", "period").unique(), "indicator_id")
        .with_columns(_year("period").alias(name))
        .filter(pl.col(name) <= pl.col("measurement_year"))
        .group_by("indicator_id", "measurement_year")
        .agg(pl.col(name).max())
    )
