"""The claim guard: every sentence on the figures, made once, with the row it follows from."""

import dagster as dg
import polars as pl

from assets.tables import CATALOGUE, record, table_asset
from reports.claims import claims


@table_asset(
    "claim",
    "edition",
    ins={
        name: dg.AssetIn(name, partition_mapping=dg.AllPartitionMapping())
        for name in ("indicator_value", "comparison", "change")
    },
)
def claim(
    context: dg.AssetExecutionContext,
    indicator_value: pl.DataFrame,
    comparison: pl.DataFrame,
    change: pl.DataFrame,
    trend: pl.DataFrame,
    sensitivity: pl.DataFrame,
    framework_element: pl.DataFrame,
) -> pl.DataFrame:
    """Every sentence that may be said of the last measurement year, in Dutch and English."""
    tables = {
        "indicator_value": indicator_value,
        "comparison": comparison,
        "change": change,
        "trend": trend,
        "sensitivity": sensitivity,
        "framework_element": framework_element,
    }
    return record(context, claims(tables, CATALOGUE))
