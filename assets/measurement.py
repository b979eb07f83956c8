"""Layer measurement: the figure of every region, indicator and measurement year."""

from typing import Any

import dagster as dg
import polars as pl

from assets.core import REGION, ROLES, reference_periods
from assets.raw import ORIGINS, PASSED_OVER
from assets.tables import CATALOGUE, OWNER, record, table_asset
from assets.workspace import Workspace
from catalog import frames
from methods.aggregate import choose_figures, group_values, group_weights, member_weights, of_computed
from methods.measure import indicator_values
from methods.provenance import baseline_differences, choices
from methods.survey_results import observations_of


@table_asset("group_weight", "measurement")
def group_weight(
    context: dg.AssetExecutionContext, observation: pl.DataFrame, region_member: pl.DataFrame
) -> pl.DataFrame:
    """Weights of the reference period itself, for every group whose value is computed."""
    indicators, sources = frames.indicators(CATALOGUE), frames.indicator_sources(CATALOGUE)
    figures = choose_figures(observation, reference_periods(observation), sources)
    weights = member_weights(figures, observation, sources, indicators)
    # The country's figure is the published one: it is never computed, so it has no weights.
    computed = region_member.filter(pl.col("group_code") != ROLES.country)
    shares = group_weights(weights, computed, indicators, whole_groups=ROLES.groups)
    return record(context, of_computed(shares, figures))


@table_asset("indicator_value", "measurement")
def indicator_value(
    context: dg.AssetExecutionContext,
    observation: pl.DataFrame,
    group_weight: pl.DataFrame,
    survey_estimate: pl.DataFrame,
    small_area_estimate: pl.DataFrame,
) -> pl.DataFrame:
    """Published figures and computed group values, with a status where there is none."""
    indicators, sources = frames.indicators(CATALOGUE), frames.indicator_sources(CATALOGUE)
    references = reference_periods(observation)
    figures = choose_figures(observation, references, sources)
    groups = group_values(figures, group_weight)
    years = [int(year) for year in context.partition_keys]
    of_years = references.filter(pl.col("measurement_year").is_in(years))
    precision = observations_of(survey_estimate, small_area_estimate)[1]
    return record(context, indicator_values(of_years, figures, groups, indicators, ROLES, precision))


@dg.asset(
    group_name="measurement",
    owners=[OWNER],
    kinds={"json"},
    description="Which table each figure comes from and why, and where another source gives the baseline otherwise.",
    metadata={"dagster/column_schema": dg.TableSchema(columns=[dg.TableColumn("why", description="The reason.")])},
    ins={"origins": dg.AssetIn(ORIGINS), "passed_over": dg.AssetIn(PASSED_OVER)},
)
def source_choice(
    context: dg.AssetExecutionContext,
    workspace: Workspace,
    observation: pl.DataFrame,
    origins: pl.DataFrame,
    passed_over: pl.DataFrame,
    survey_wave: pl.DataFrame,
) -> None:
    """Explain the choice of sources, for `btg measure` and the quality page."""
    references = reference_periods(observation)
    baseline = references.filter(measurement_year=REGION.baseline_year).drop_nulls("reference_period")
    of_numerators = frames.ratios(CATALOGUE).join(origins, left_on="numerator", right_on="indicator_id")
    of_survey = (
        observation.select("indicator_id", "source_table", "period")
        .unique()
        .join(survey_wave.select("source_table", "origin"), "source_table")
    )
    origins = pl.concat([origins, of_numerators.select(origins.columns), of_survey], how="diagonal")
    chosen = choices(references, observation, origins, frames.indicator_sources(CATALOGUE))
    differing = baseline_differences(baseline, observation, passed_over, ROLES.municipalities)
    moved = [_baseline_sentence(row) for row in differing.iter_rows(named=True)]
    workspace.write_sources({"choices": chosen.to_dicts(), "baseline": moved})
    workspace.write_checks("source_choice", [_baseline_check(moved)])
    context.add_asset_metadata({"dagster/row_count": chosen.height, "baseline_differences": len(moved)})


def _baseline_sentence(row: dict[str, Any]) -> str:
    """What another source would make of the baseline, and what the catalogue decides."""
    name = REGION.municipalities[row["region_code"]]
    indicator = CATALOGUE.indicator(row["indicator_id"])
    by_how_much = (
        f"{row['different']} of {row['compared']} municipalities differ, {name} most: "
        f"{row['value']:.{indicator.decimals}f} against {row['other_value']:.{indicator.decimals}f}"
    )
    if row["source_table"] != row["other_table"]:
        return (
            f"{indicator.indicator_id} {row['reference_period']}: {row['source_table']} stands; {row['other_table']} "
            f"has other figures ({by_how_much}). The catalogue decides: baseline_periods and priority."
        )
    source = next(s for s in indicator.sources if s.source_table == row["source_table"])
    stands = {"keep": "the first figures stand", "accept": "the newest figures stand"}[source.baseline_revisions]
    return (
        f"{indicator.indicator_id} {row['reference_period']}: {row['source_table']} was revised; {stands} "
        f"({by_how_much} of the others). The catalogue decides: baseline_revisions."
    )


def _baseline_check(moved: list[str]) -> dict[str, Any]:
    return {
        "check_id": "baseline_has_one_source",
        "asset": "source_choice",
        "partition": "all",
        "severity": "warning",
        "passed": not moved,
        "observed": str(len(moved)),
        "expected": "no other source, and no revision, that gives the baseline otherwise",
        "rows_failed": len(moved),
        "message": " ".join(moved) or "No other source gives the baseline otherwise.",
    }
