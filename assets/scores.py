"""Scores by theme and overall, with how firm their ranking is: one step, since ranks need their range."""

from collections.abc import Iterator

import dagster as dg
import polars as pl

from assets.core import REGION, ROLES
from assets.raw import POPULATION
from assets.tables import CATALOGUE, described, measures
from catalog import frames
from methods.compare import with_making
from methods.scores import score_tables

TABLES = [
    "framework_element",
    "theme_score",
    "sensitivity",
    "sensitivity_pair",
    "sensitivity_factor",
    "coherence",
]


@dg.multi_asset(
    name="scores",
    outs={name: dg.AssetOut(group_name="analysis", **described(CATALOGUE.registry[name])) for name in TABLES},
    ins={"indicator_value": dg.AssetIn("indicator_value", partition_mapping=dg.AllPartitionMapping())},
)
def scores(
    context: dg.AssetExecutionContext, indicator_value: pl.DataFrame, group_weight: pl.DataFrame
) -> Iterator[dg.Output[pl.DataFrame]]:
    """Every framework in every measurement year, by the methods of the catalogue."""
    indicators, sources = frames.indicators(CATALOGUE), frames.indicator_sources(CATALOGUE)
    found = score_tables(
        with_making(_existing(indicator_value), sources, indicators, group_weight, ROLES),
        CATALOGUE.analysis.frameworks,
        indicators,
        ROLES,
        CATALOGUE.analysis,
        REGION.baseline_year,
        CATALOGUE.survey.settings.grade,
    )
    context.log.info("%d scores, %d rows about how firm ranks are", found.theme_score.height, found.sensitivity.height)
    for name in TABLES:
        conformed = CATALOGUE.registry[name].conform(getattr(found, name))
        yield dg.Output(conformed, output_name=name, metadata=dict(measures(conformed)))


def _existing(indicator_value: pl.DataFrame) -> pl.DataFrame:
    """Without municipalities that no longer exist in the measurement year: older figures are of them too."""
    key = ["measurement_year", "region_code"]
    alive = indicator_value.filter(pl.col("value") > 0, indicator_id=POPULATION).select(*key, alive=pl.lit(value=True))
    is_municipality = pl.col("region_code").str.starts_with("GM")
    return (
        indicator_value.join(alive, key, how="left", maintain_order="left")
        .filter(~is_municipality | pl.col("alive").fill_null(value=False))
        .drop("alive")
    )
