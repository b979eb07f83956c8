"""Layer measurement: the figure of every region, indicator and measurement year."""

import dagster as dg
import polars as pl

from assets.core import REGION, ROLES
from assets.tables import CATALOGUE, record, table_asset
from catalog import frames
from methods.aggregate import choose_figures, group_values, group_weights, member_weights
from methods.measure import indicator_values
from methods.reference import choose_references


def _references(observation: pl.DataFrame) -> pl.DataFrame:
    """The reference period of every indicator in every measurement year of the region."""
    return choose_references(
        observation,
        frames.indicators(CATALOGUE),
        frames.indicator_sources(CATALOGUE),
        frames.frozen_baselines(CATALOGUE),
        frames.known_periods(CATALOGUE),
        REGION.years,
        {"municipality": REGION.must_have_figures, "region": ROLES.published_as},
    )


@table_asset("group_weight", "measurement")
def group_weight(
    context: dg.AssetExecutionContext, observation: pl.DataFrame, region_member: pl.DataFrame
) -> pl.DataFrame:
    """Weights of the reference period itself, for every group whose value is computed."""
    indicators, sources = frames.indicators(CATALOGUE), frames.indicator_sources(CATALOGUE)
    figures = choose_figures(observation, _references(observation), sources)
    weights = member_weights(figures, observation, sources, indicators)
    # The country's figure is the published one: it is never computed, so it has no weights.
    computed = region_member.filter(pl.col("group_code") != ROLES.country)
    return record(context, group_weights(weights, computed, indicators, whole_groups=ROLES.groups))


@table_asset("indicator_value", "measurement")
def indicator_value(
    context: dg.AssetExecutionContext, observation: pl.DataFrame, group_weight: pl.DataFrame
) -> pl.DataFrame:
    """Published figures and computed group values, with a status where there is none."""
    indicators, sources = frames.indicators(CATALOGUE), frames.indicator_sources(CATALOGUE)
    references = _references(observation)
    figures = choose_figures(observation, references, sources)
    groups = group_values(figures, group_weight)
    years = [int(year) for year in context.partition_keys]
    of_years = references.filter(pl.col("measurement_year").is_in(years))
    return record(context, indicator_values(of_years, figures, groups, indicators, ROLES))
