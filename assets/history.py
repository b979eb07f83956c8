"""The figure of every region in every calendar year in which it was measured: what trends are made of."""

from dataclasses import replace

import dagster as dg
import polars as pl

from assets.core import REGION, ROLES
from assets.tables import CATALOGUE, OWNER, column_schema, measures
from catalog import frames
from methods.aggregate import choose_figures, group_values, group_weights, member_weights, of_computed
from methods.compare import with_making
from methods.measure import indicator_values
from methods.reference import choose_references
from methods.survey_results import observations_of

# Trends look back this far at most; peers have none.
WINDOW = CATALOGUE.analysis.trend.window_years
YEARS = list(range(REGION.baseline_year - WINDOW + 1, REGION.last_measurement_year + 1))
_ROLES = replace(ROLES, peers={})


@dg.asset(
    group_name="measurement",
    owners=[OWNER],
    kinds={"polars", "parquet"},
    description=(
        "The figure of every own region in every calendar year in which it was measured, on the borders of the layout "
        "year, with how it was made. A year without measurement has none: nothing is carried forward or filled in."
    ),
    metadata={"dagster/column_schema": column_schema(CATALOGUE.registry["indicator_value"])},
)
def history(
    context: dg.AssetExecutionContext,
    observed_figures: pl.DataFrame,
    restated_figures: pl.DataFrame,
    municipality_crosswalk: pl.DataFrame,
    survey_estimate: pl.DataFrame,
    small_area_estimate: pl.DataFrame,
) -> pl.DataFrame:
    """Reference periods without lag, so that each figure stands in its own year."""
    indicators = frames.indicators(CATALOGUE).with_columns(max_lag_years=0)
    sources = frames.indicator_sources(CATALOGUE)
    of_survey, precision = observations_of(survey_estimate, small_area_estimate)
    elsewhere = observed_figures.filter(~pl.col("region_code").str.starts_with("GM"))
    columns = of_survey.columns
    observation = pl.concat([restated_figures.select(columns), elsewhere.select(columns), of_survey])
    references = choose_references(
        observation.with_columns(pl.col("region_code").replace(dict.fromkeys(ROLES.published_as, ROLES.region))),
        indicators,
        sources,
        frames.frozen_baselines(CATALOGUE).clear(),
        frames.known_periods(CATALOGUE),
        YEARS,
        {"municipality": REGION.must_have_figures, "region": [ROLES.region], "country": [ROLES.country]},
    )
    figures = choose_figures(observation, references, sources)
    weights = member_weights(figures, observation, sources, indicators)
    shares = of_computed(
        group_weights(weights, _members(municipality_crosswalk), indicators, whole_groups=ROLES.groups), figures
    )
    values = indicator_values(references, figures, group_values(figures, shares), indicators, _ROLES, precision)
    own = pl.col("region_code").is_in(_ROLES.always) & pl.col("value").is_not_null()
    made = (
        with_making(values, sources, indicators, shares, _ROLES)
        .filter(own)
        .sort("measurement_year", "indicator_id", "region_code", "breakdown")
    )
    context.add_asset_metadata(measures(made))
    return made


def _members(municipality_crosswalk: pl.DataFrame) -> pl.DataFrame:
    """Members of the groups on the borders of the layout year, in every year: group_code, municipality_code, period."""
    own = pl.DataFrame(
        [(group, code) for group, codes in REGION.own_groups.items() for code in codes],
        schema={"group_code": pl.String, "municipality_code": pl.String},
        orient="row",
    )
    outside = (
        municipality_crosswalk.select(municipality_code="to_code")
        .unique()
        .filter(~pl.col("municipality_code").is_in(ROLES.municipalities))
        .select(pl.lit(ROLES.rest).alias("group_code"), "municipality_code")
        .sort("municipality_code")
    )
    periods = pl.DataFrame({"period": [str(year) for year in YEARS]})
    return pl.concat([own, outside]).join(periods, how="cross")
