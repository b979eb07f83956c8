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
    programme_line: pl.DataFrame,
    target: pl.DataFrame,
    target_progress: pl.DataFrame,
    policy_indicator: pl.DataFrame,
    budget_progress: pl.DataFrame,
) -> pl.DataFrame:
    """Every sentence that may be said of the last measurement year, in Dutch and English."""
    tables = {
        "indicator_value": indicator_value,
        "comparison": comparison,
        "change": change,
        "trend": trend,
        "sensitivity": sensitivity,
        "framework_element": framework_element,
        "programme_line": programme_line,
        "target": target,
        "target_progress": target_progress,
        "policy_indicator": policy_indicator,
        "budget_progress": budget_progress,
    }
    return record(context, claims(tables, CATALOGUE))
