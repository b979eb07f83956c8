"""Layer analysis: differences between regions and changes since the baseline, with what can be said about them."""

import dagster as dg
import polars as pl

from assets.core import REGION, ROLES
from assets.tables import CATALOGUE, record, table_asset
from catalog import frames
from methods.compare import changes, comparisons, with_making
from methods.decomposition import decompositions
from methods.movement import movements
from methods.position import positions
from methods.trend import trends


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
        comparisons(
            indicator_value,
            group_weight,
            indicators,
            sources,
            ROLES,
            REGION.contrasts,
            survey_contrast,
            variants=REGION.contrast_variants,
        ),
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


_ALL_YEARS = dg.AssetIn("indicator_value", partition_mapping=dg.AllPartitionMapping())


@table_asset("trend", "analysis", ins={"indicator_value": _ALL_YEARS})
def trend(
    context: dg.AssetExecutionContext,
    history: pl.DataFrame,
    indicator_value: pl.DataFrame,
    group_weight: pl.DataFrame,
    survey_contrast: pl.DataFrame,
) -> pl.DataFrame:
    """Slopes over the last years, and the changes since the previous measurement and the baseline, side by side."""
    indicators, sources = frames.indicators(CATALOGUE), frames.indicator_sources(CATALOGUE)
    # Of breakdowns `change` has what there is to say: few of them have been measured four times.
    history, values, contrasts = (
        frame.filter(breakdown="total") for frame in (history, indicator_value, survey_contrast)
    )
    slopes = trends(history, indicators, ROLES, REGION.contrasts, REGION.years, CATALOGUE.analysis.trend, contrasts)
    changed = movements(
        values,
        REGION.baseline_year,
        group_weight,
        indicators,
        sources,
        ROLES,
        REGION.contrasts,
        contrasts,
    )
    return record(context, pl.concat([slopes, changed], how="diagonal"))


@table_asset("position", "analysis", ins={"indicator_value": _ALL_YEARS})
def position(
    context: dg.AssetExecutionContext, indicator_value: pl.DataFrame, group_weight: pl.DataFrame
) -> pl.DataFrame:
    """Where the own municipalities lie among all of the country, and among those of the same urbanity."""
    indicators, sources = frames.indicators(CATALOGUE), frames.indicator_sources(CATALOGUE)
    made = with_making(indicator_value, sources, indicators, group_weight, ROLES)
    return record(context, positions(made, indicators, ROLES, CATALOGUE.analysis.urbanity))


@table_asset("decomposition", "analysis")
def decomposition(
    context: dg.AssetExecutionContext, survey_estimate: pl.DataFrame, survey_contrast: pl.DataFrame
) -> pl.DataFrame:
    """How much of the difference between groups is who lives there."""
    return record(context, decompositions(survey_estimate, REGION.contrasts, survey_contrast))
