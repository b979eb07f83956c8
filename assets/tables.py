"""What all table assets share: the registry entry they fill, and the rows and coverage they record."""

from __future__ import annotations

from collections.abc import Callable
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


def described(table: Table) -> dict[str, Any]:
    """What the asset that fills a table of the registry says about it."""
    return {
        "owners": [OWNER],
        "kinds": {"polars", "parquet"},
        "description": f"{table.description_en}\n\n{table.description_nl}\n\nKey: {', '.join(table.key)}.",
        "metadata": {"dagster/column_schema": column_schema(table)},
    }


def table_asset(name: str, group: str, **settings: Any) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """Decorator of the asset that fills the registry's table `name`; `settings` are further ones of `dg.asset`."""
    table = CATALOGUE.registry[name]
    if table.partitioned:
        settings |= {"partitions_def": YEARS, "backfill_policy": dg.BackfillPolicy.single_run()}
    decorator: Callable[[Callable[..., Any]], dg.AssetsDefinition] = dg.asset(
        name=name,
        group_name=group,
        **described(table),
        **settings,
    )
    return decorator


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
        found["coverage_percent"] = _percent(frame, pl.col("value").is_not_null())
    if "verdict" in frame.columns and frame.height:
        decided = ~pl.col("verdict").is_in(["not_decidable", "no_new_measurement", "not_comparable"])
        found["decided_percent"] = _percent(frame, decided)
    return found


def _percent(frame: pl.DataFrame, condition: pl.Expr) -> float:
    """The percentage of rows for which a condition holds, to two decimals: for following, not for publishing."""
    return round(100 * float(frame.select(condition.mean()).item()), 2)
