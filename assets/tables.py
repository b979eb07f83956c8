"""What all table assets share: the registry entry they fill, and the rows and coverage they record."""

from __future__ import annotations

from typing import Any

import dagster as dg
import polars as pl

from catalog import Table
from catalog.current import current_catalogue

CATALOGUE = current_catalogue()
YEARS = dg.StaticPartitionsDefinition([str(year) for year in CATALOGUE.region.years])
OWNER = "team:bruto-twents-geluk"


def column_schema(table: Table) -> dg.TableSchema:
    """The registry's columns as Dagster shows them."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                column.name,
                type=column.type,
                description=f"{column.description_en}" + (f" Unit: {column.unit}." if column.unit else ""),
                constraints=dg.TableColumnConstraints(nullable=column.name not in {*table.key, *table.required}),
            )
            for column in table.columns
        ]
    )


def table_settings(name: str, group: str) -> dict[str, Any]:
    """Settings of the asset that fills the registry's table `name`, for `@dg.asset(**table_settings(...))`."""
    table = CATALOGUE.registry[name]
    settings: dict[str, Any] = {
        "name": name,
        "group_name": group,
        "owners": [OWNER],
        "kinds": {"polars", "parquet"},
        "description": f"{table.description_en}\n\n{table.description_nl}\n\nKey: {', '.join(table.key)}.",
        "metadata": {"dagster/column_schema": column_schema(table)},
    }
    if table.partitioned:
        settings |= {"partitions_def": YEARS, "backfill_policy": dg.BackfillPolicy.single_run()}
    return settings


def record(context: dg.AssetExecutionContext, frame: pl.DataFrame) -> pl.DataFrame:
    """The frame in the registry's shape, after recording its rows and coverage as metadata that plots over runs."""
    table = CATALOGUE.registry[context.asset_key.path[-1]]
    conformed = table.conform(frame)
    if table.partitioned:
        for year in context.partition_keys:
            of_year = conformed.filter(measurement_year=int(year))
            context.add_asset_metadata(measures(of_year), partition_key=year)
    else:
        context.add_asset_metadata(measures(conformed))
    return conformed


def measures(frame: pl.DataFrame) -> dict[str, int | float]:
    """Numbers worth following over runs: rows, and the percentage of rows that hold a figure."""
    found: dict[str, int | float] = {"dagster/row_count": frame.height}
    if {"value", "status"} <= set(frame.columns) and frame.height:
        found["coverage_percent"] = round(100 * frame["value"].is_not_null().mean(), 2)  # type: ignore[operator,arg-type]
    if "verdict" in frame.columns and frame.height:
        decided = ~pl.col("verdict").is_in(["not_decidable", "no_new_measurement", "not_comparable"])
        found["decided_percent"] = round(100 * frame.select(decided.mean()).item(), 2)
    return found
