"""Which source a figure comes from and why, and what other sources would have made of the baseline."""

from __future__ import annotations

import polars as pl

_EQUAL = 1e-9


def choices(
    references: pl.DataFrame, observation: pl.DataFrame, origins: pl.DataFrame, sources: pl.DataFrame
) -> pl.DataFrame:
    """For each indicator and measurement year the table its figures come from, and why that one.

    `references` as choose_references gives them; `origins`: indicator_id, source_table, period, origin; `sources`:
    indicator_id, source_table, kind, priority. Columns: indicator_id, measurement_year, reference_period, source_table,
    kind, origin (several where a delivered file holds some of the regions), passed_over (tables with figures of the
    same period, best first), why. Sorted.
    """
    making = sources.select("indicator_id", "source_table", "kind", "priority")
    used = (
        references.filter(pl.col("reference_period").is_not_null())
        .select("indicator_id", "measurement_year", "reference_period", "source_table")
        .join(making, ["indicator_id", "source_table"], how="left")
        .join(
            origins.group_by("indicator_id", "source_table", reference_period="period").agg(
                origin=pl.col("origin").unique().sort().str.join(" and ")
            ),
            ["indicator_id", "source_table", "reference_period"],
            how="left",
        )
    )
    others = (
        observation.filter(pl.col("value").is_not_null())
        .select("indicator_id", "source_table", reference_period="period")
        .unique()
        .join(making, ["indicator_id", "source_table"])
        .sort("priority", "source_table")
        .select(
            "indicator_id",
            "reference_period",
            other="source_table",
            other_priority="priority",
            text=pl.format("{} ({})", "source_table", "kind"),
        )
    )
    first_year = pl.col("measurement_year") == references["measurement_year"].min()
    passed_over = (
        used.join(others, ["indicator_id", "reference_period"])
        .filter(pl.col("other") != pl.col("source_table"))
        .group_by("indicator_id", "measurement_year", maintain_order=True)
        .agg(
            passed_over=pl.col("text"),
            # A better table that was passed over has not every figure of the period.
            incomplete=pl.col("text").filter(pl.col("other_priority") < pl.col("priority")),
            behind=pl.col("text").filter(pl.col("other_priority") >= pl.col("priority")),
        )
    )
    listed, incomplete, behind = (pl.col(name).list.join(", ") for name in ("passed_over", "incomplete", "behind"))
    return (
        used.join(passed_over, ["indicator_id", "measurement_year"], how="left")
        .with_columns(
            why=pl.when(first_year & listed.is_not_null())
            .then(pl.format("the baseline is frozen on it, not on {}", listed))
            .when(first_year)
            .then(pl.lit("the baseline is frozen on it"))
            .when(pl.col("incomplete").list.len() > 0)
            .then(pl.format("{} lacks figures of some municipalities", incomplete))
            .when(listed.is_not_null())
            .then(pl.format("it goes before {} in the catalogue", behind))
            .otherwise(pl.lit("no other table has this period")),
        )
        .drop("priority", "incomplete", "behind")
        .sort("indicator_id", "measurement_year")
    )


def baseline_differences(
    baseline: pl.DataFrame, observation: pl.DataFrame, passed_over: pl.DataFrame, own: list[str]
) -> pl.DataFrame:
    """Where another source, or a revision of the same one, gives the baseline otherwise.

    `baseline`: indicator_id, source_table, reference_period of the baseline year. `observation`: what stands.
    `passed_over`: figures of the same tables that do not stand (indicator_id, region_code, period, source_table,
    value). One row an indicator and other source: indicator_id, reference_period, source_table, other_table (equal to
    source_table for a revision), compared, different (numbers of own municipalities), and of the largest difference
    region_code, value, other_value. Sorted; sources that agree are left out.
    """
    columns = ["indicator_id", "region_code", "period", "source_table", "value"]
    mine = pl.col("region_code").is_in(own) & pl.col("value").is_not_null()
    used = baseline.select("indicator_id", "source_table", period="reference_period")
    observed = observation.filter(mine, breakdown="total").select(columns)
    standing = observed.join(used, used.columns, how="semi").rename({"period": "reference_period"})
    # Of the baseline's own table a revision; of other tables what stands there.
    elsewhere = observed.join(used, used.columns, how="anti")
    revised = passed_over.filter(mine).select(columns).join(used, used.columns, how="semi")
    others = pl.concat([elsewhere, revised]).rename(
        {"period": "reference_period", "source_table": "other_table", "value": "other_value"}
    )
    away = (pl.col("value") - pl.col("other_value")).abs()
    return (
        standing.join(others, ["indicator_id", "reference_period", "region_code"])
        .sort("indicator_id", "other_table", away.round(9), "region_code", descending=[False, False, True, False])
        .group_by("indicator_id", "reference_period", "source_table", "other_table", maintain_order=True)
        .agg(
            compared=pl.len(),
            different=(away > _EQUAL).sum(),
            region_code=pl.col("region_code").first(),
            value=pl.col("value").first(),
            other_value=pl.col("other_value").first(),
        )
        .filter(pl.col("different") > 0)
    )
