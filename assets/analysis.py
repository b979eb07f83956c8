"""Layer analysis: differences between regions and changes since the baseline, with what can be said about them."""

import dagster as dg
import polars as pl

from assets.core import REGION, ROLES
from assets.tables import CATALOGUE, record, table_asset
from catalog import frames
from methods.compare import changes, comparisons


@table_asset("comparison", "analysis")
def comparison(
    context: dg.AssetExecutionContext,
    indicator_value: pl.DataFrame,
    group_weight: pl.DataFrame,
    survey_contrast: pl.DataFrame,
) -> pl.DataFrame:
    """Municipalities and groups against region, country and rest of the country; groups against each other."""
    indicators, sources = frames.indicators(CATALOGUE), frames.indicator_sources(CATALOGUE)
    return record(
        context,
        comparisons(indicator_value, group_weight, indicators, sources, ROLES, REGION.contrasts, survey_contrast),
    )


@table_asset(
    "change",
    "analysis",
    ins={"all_years": dg.AssetIn("indicator_value", partition_mapping=dg.AllPartitionMapping())},
)
def change(
    context: dg.AssetExecutionContext,
    all_years: pl.DataFrame,
    group_weight: pl.DataFrame,
    survey_contrast: pl.DataFrame,
) -> pl.DataFrame:
    """Each measurement year against the baseline."""
    years = [int(year) for year in context.partition_keys]
    values = all_years.filter(pl.col("measurement_year").is_in(years))
    baseline = all_years.filter(measurement_year=REGION.baseline_year)
    indicators, sources = frames.indicators(CATALOGUE), frames.indicator_sources(CATALOGUE)
    return record(
        context,
        changes(values, baseline, group_weight, indicators, sources, ROLES, REGION.baseline_year, survey_contrast),
    )
