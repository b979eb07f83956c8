"""Layer core: regions, their members, the catalogue as tables, and all figures in one tidy shape."""

from collections.abc import Callable
from typing import Any

import dagster as dg
import polars as pl

from assets.raw import (
    CORRECTIONS,
    INPUT_FILES,
    ORIGINS,
    OUTLINES,
    POPULATION,
    RAW_KEYS,
    REGION_NAMES,
    REORGANISATIONS,
    raw_inputs,
    raw_name,
    tables_of,
)
from assets.tables import CATALOGUE, OWNER, column_schema, measures, record, table_asset
from assets.workspace import Workspace
from catalog import frames
from methods.aggregate import member_weights
from methods.crosswalk import crosswalk, left_out, restate
from methods.measure import RegionRoles
from methods.observe import flag_unusual_changes, observations, with_ratios
from methods.reference import choose_references
from methods.survey_results import observations_of
from sources.fact_checks import FIGURES
from sources.lifetimes import read_lifetimes
from sources.outlines import dissolve
from sources.reorganisations import read_reorganisations

REGION = CATALOGUE.region
ROLES = RegionRoles.of(REGION)

_RETRIEVED = ["retrieved_at", "modified_at", "sha256", "bytes"]

# The file of reorganisations reaches back to this year: series on one year's borders begin here.
FIRST_LAYOUT = 2010

# What CBS codes begin with, and the kind of region they are; other publishers' areas are regions.
KINDS = {"GM": "municipality", "PV": "province", "NL": "country"}


@table_asset(
    "region",
    "core",
    ins={
        "region_names": dg.AssetIn(REGION_NAMES),
        "outlines": dg.AssetIn(OUTLINES),
        **raw_inputs(tables_of(POPULATION)),
    },
)
def region(
    context: dg.AssetExecutionContext,
    region_names: pl.DataFrame,
    outlines: pl.DataFrame,
    peer: pl.DataFrame,
    **tables: pl.DataFrame,
) -> pl.DataFrame:
    """All regions that have a figure, and the groups that are computed."""
    population = _population(tables)
    newest = (
        population.filter(pl.col("period") <= str(REGION.last_measurement_year))
        .sort("region_code", "period")
        .group_by("region_code", maintain_order=True)
        .last()
        .rename({"period": "population_period"})
    )
    outlines = outlines.select("region_code", "geometry_wkb")
    grouped = dissolve(outlines, REGION.own_groups).rename({"group_code": "region_code"})
    shapes = pl.concat([outlines, grouped.select(outlines.columns)])
    lifetimes = read_lifetimes(REORGANISATIONS)
    published = _published_regions(region_names)
    groups = _computed_regions().join(_group_population(newest, peer), "region_code", how="left")
    return record(
        context,
        pl.concat([published.join(newest, "region_code", how="left"), groups], how="diagonal")
        .join(lifetimes, "region_code", how="left")
        .join(shapes, "region_code", how="left"),
    )


@table_asset("region_member", "core", ins=raw_inputs(tables_of(POPULATION)))
def region_member(context: dg.AssetExecutionContext, peer: pl.DataFrame, **tables: pl.DataFrame) -> pl.DataFrame:
    """Members of every group in every period: a municipality exists in the years in which it has inhabitants."""
    existing = (
        _population(tables)
        .filter(pl.col("region_code").str.starts_with("GM") & (pl.col("population") > 0))
        .select("period", municipality_code="region_code")
    )
    own = pl.DataFrame(
        [(group, code) for group, codes in REGION.own_groups.items() for code in codes],
        schema={"group_code": pl.String, "municipality_code": pl.String},
        orient="row",
    )
    outside = existing.filter(~pl.col("municipality_code").is_in(ROLES.municipalities))
    peers = peer.select(group_code=_peer_group(), municipality_code="peer_code")
    return record(
        context,
        pl.concat(
            [
                own.join(existing.select("period").unique(), how="cross"),
                peers.join(existing, "municipality_code").select("group_code", "municipality_code", "period"),
                outside.select(pl.lit(ROLES.rest).alias("group_code"), "municipality_code", "period"),
                existing.select(pl.lit(ROLES.country).alias("group_code"), "municipality_code", "period"),
            ]
        ),
    )


@table_asset("theme", "core")
def theme(context: dg.AssetExecutionContext) -> pl.DataFrame:
    """Themes, from the catalogue."""
    return record(context, frames.themes(CATALOGUE))


@table_asset("indicator", "core")
def indicator(context: dg.AssetExecutionContext) -> pl.DataFrame:
    """Indicators, from the catalogue."""
    return record(context, frames.indicators(CATALOGUE))


@table_asset("code_list", "core")
def code_list(context: dg.AssetExecutionContext) -> pl.DataFrame:
    """The words of the closed vocabularies, from the catalogue."""
    return record(context, frames.code_list(CATALOGUE))


@table_asset("correction", "core", ins={"applied": dg.AssetIn(CORRECTIONS)})
def correction(context: dg.AssetExecutionContext, applied: pl.DataFrame) -> pl.DataFrame:
    """The published figures that this run did not take as they are, and why."""
    return record(context, applied)


@table_asset("indicator_source", "core")
def indicator_source(context: dg.AssetExecutionContext, workspace: Workspace) -> pl.DataFrame:
    """Where each indicator comes from, from the catalogue."""
    return record(context, _in_use(frames.indicator_sources(CATALOGUE), workspace))


def _in_use(sources: pl.DataFrame, workspace: Workspace) -> pl.DataFrame:
    """Without the invented waves, but for a demo: and that without the real ones."""
    others = [wave.source_table for wave in CATALOGUE.survey.waves.values() if wave.synthetic != workspace.demo]
    return sources.filter(~pl.col("source_table").is_in(others))


@table_asset("source", "core", ins={"input_files": dg.AssetIn(INPUT_FILES), "origins": dg.AssetIn(ORIGINS)})
def source(
    context: dg.AssetExecutionContext,
    workspace: Workspace,
    input_files: pl.DataFrame,
    origins: pl.DataFrame,
    observation: pl.DataFrame,
    survey_wave: pl.DataFrame,
) -> pl.DataFrame:
    """The publishers' tables used, with the checksum of their newest snapshot, wave, or of the bundled file."""
    bundled = input_files.filter(pl.col("file") == FIGURES).select(file_sha256="sha256", file_bytes="bytes")
    rows = observation.group_by("source_table").agg(rows=pl.len().cast(pl.Int64))
    newest = (
        origins.filter(pl.col("sha256").is_not_null())
        .sort("source_table", "retrieved_at", "sha256")
        .group_by("source_table", maintain_order=True)
        .last()
        .select("source_table", *(pl.col(name).name.prefix("own_") for name in _RETRIEVED))
    )
    waves = survey_wave.select("source_table", own_sha256="sha256")
    newest = pl.concat([newest, waves], how="diagonal")
    is_wave = pl.col("source_table").is_in(waves["source_table"].to_list())
    return record(
        context,
        _in_use(frames.source_tables(CATALOGUE), workspace)
        .join(rows, "source_table", how="left", maintain_order="left")
        .join(newest, "source_table", how="left", maintain_order="left")
        .join(bundled, how="cross")
        .with_columns(
            pl.col("rows").fill_null(0),
            *(pl.coalesce(f"own_{name}", name).alias(name) for name in ("retrieved_at", "modified_at")),
            # A table without figures in this run stands in no file, and answers are in none that is published.
            sha256=pl.coalesce("own_sha256", pl.when(pl.col("rows") > 0).then("file_sha256")),
            bytes=pl.coalesce("own_bytes", pl.when(~is_wave & (pl.col("rows") > 0)).then("file_bytes")),
        ),
    )


@table_asset(
    "municipality_crosswalk",
    "core",
    ins={"region_names": dg.AssetIn(REGION_NAMES), **raw_inputs(tables_of(POPULATION))},
)
def municipality_crosswalk(
    context: dg.AssetExecutionContext, region_names: pl.DataFrame, **tables: pl.DataFrame
) -> pl.DataFrame:
    """Which part of every earlier municipality lies in which one of the layout year."""
    codes = (
        _population(tables)
        .filter(pl.col("region_code").str.starts_with("GM") & (pl.col("population") > 0))
        .filter(pl.col("period") == str(REGION.borders_of))["region_code"]
    )
    years = range(FIRST_LAYOUT, REGION.borders_of + 1)
    found = crosswalk(read_reorganisations(REORGANISATIONS), years, REGION.borders_of, codes)
    names = [
        region_names.select(pl.col("region_code").alias(f"{end}_code"), pl.col("name").alias(f"{end}_name"))
        for end in ("from", "to")
    ]
    named = found.join(names[0], "from_code", how="left").join(names[1], "to_code", how="left")
    return record(context, named.with_columns(layout_year=pl.lit(REGION.borders_of, dtype=pl.Int32)))


def _intermediate(name: str, description: str, **settings: Any) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """Decorator of an asset in the shape of `observation` that is not published itself."""
    decorator: Callable[[Callable[..., Any]], dg.AssetsDefinition] = dg.asset(
        name=name,
        group_name="core",
        owners=[OWNER],
        kinds={"polars", "parquet"},
        description=description,
        metadata={"dagster/column_schema": column_schema(CATALOGUE.registry["observation"])},
        **settings,
    )
    return decorator


@_intermediate(
    "observed_figures",
    "Every published figure, and the ratios that follow from them, in one shape, with the warnings of their sources.",
    ins={"corrections": dg.AssetIn(CORRECTIONS), **raw_inputs(list(RAW_KEYS))},
)
def observed_figures(
    context: dg.AssetExecutionContext, corrections: pl.DataFrame, **tables: pl.DataFrame
) -> pl.DataFrame:
    """Figures of all tables, in one shape."""
    sources = frames.indicator_sources(CATALOGUE)
    figures = pl.concat([tables[raw_name(table)] for table in RAW_KEYS])
    observed = observations(figures, sources, frames.period_warnings(CATALOGUE), corrections)
    found = with_ratios(observed, frames.ratios(CATALOGUE), sources)
    context.add_asset_metadata(measures(found))
    return found


@_intermediate(
    "restated_figures", "The figures of municipalities on the borders of the layout year, so that series are whole."
)
def restated_figures(
    context: dg.AssetExecutionContext, observed_figures: pl.DataFrame, municipality_crosswalk: pl.DataFrame
) -> pl.DataFrame:
    """Counts summed, rates weighted anew; what cannot be made of its parts is missing and says so."""
    sources, indicators = frames.indicator_sources(CATALOGUE), frames.indicators(CATALOGUE)
    of_municipalities = observed_figures.filter(
        pl.col("region_code").str.starts_with("GM") & (pl.col("period").str.slice(0, 4) >= str(FIRST_LAYOUT))
    )
    periods = of_municipalities.rename({"period": "reference_period"}).with_columns(
        of_reference_series=pl.lit(value=True)
    )
    weights = member_weights(
        periods.unique(
            ["indicator_id", "reference_period", "region_code", "breakdown"], keep="first", maintain_order=True
        ),
        observed_figures,
        sources,
        indicators,
    ).rename({"municipality_code": "region_code", "reference_period": "period"})
    to_layout = municipality_crosswalk.drop("layout_year")
    found = restate(of_municipalities, to_layout, indicators, weights)
    lost = left_out(of_municipalities, to_layout)
    if lost.height:
        named = lost.head(5).select("indicator_id", "period", "breakdown", "source_table", "region_code")
        context.log.warning(
            "not put on the borders of %s, as no year has all their municipalities: %d series and periods, such as %s",
            *(REGION.borders_of, lost.height, "; ".join(" ".join(map(str, row)) for row in named.iter_rows())),
        )
    context.add_asset_metadata(measures(found) | {"series_left_out": lost.height})
    return found


@table_asset("observation_restated", "core")
def observation_restated(
    context: dg.AssetExecutionContext, observed_figures: pl.DataFrame, restated_figures: pl.DataFrame
) -> pl.DataFrame:
    """What is different from what was published, because municipalities were reorganised since."""
    same = ["indicator_id", "region_code", "period", "breakdown", "source_table", "value", "status"]
    different = restated_figures.join(observed_figures, same, how="anti", nulls_equal=True)
    return record(context, different.with_columns(layout_year=pl.lit(REGION.borders_of, dtype=pl.Int32)))


@table_asset("observation", "core")
def observation(
    context: dg.AssetExecutionContext,
    observed_figures: pl.DataFrame,
    restated_figures: pl.DataFrame,
    survey_estimate: pl.DataFrame,
    small_area_estimate: pl.DataFrame,
) -> pl.DataFrame:
    """Every published figure, with the warnings it must carry; what jumped is judged on the layout year's borders.

    Those of the resident survey beside them: estimated here, from the answers, and so with margins of their own.
    """
    sources = frames.indicator_sources(CATALOGUE)
    flagged = flag_unusual_changes(observed_figures, restated_figures, sources, frames.indicators(CATALOGUE))
    of_survey, _ = observations_of(survey_estimate, small_area_estimate)
    return record(context, pl.concat([flagged, of_survey], how="diagonal"))


def reference_periods(observation: pl.DataFrame) -> pl.DataFrame:
    """The reference period of every indicator in every measurement year of the region."""
    # A figure of an area that is the region under another code is a figure of the region.
    as_region = pl.col("region_code").replace(dict.fromkeys(ROLES.published_as, ROLES.region))
    return choose_references(
        observation.with_columns(as_region),
        frames.indicators(CATALOGUE),
        frames.indicator_sources(CATALOGUE),
        frames.frozen_baselines(CATALOGUE),
        frames.known_periods(CATALOGUE),
        REGION.years,
        {"municipality": REGION.must_have_figures, "region": [ROLES.region], "country": [ROLES.country]},
    )


def _population(tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Inhabitants on 1 January, from the best table that has them: region_code, period, population."""
    priorities = {source.source_table: source.priority for source in CATALOGUE.indicator(POPULATION).sources}
    return (
        pl.concat(tables.values())
        .filter(pl.col("value").is_not_null(), indicator_id=POPULATION)
        .sort("region_code", "period", pl.col("source_table").replace_strict(priorities))
        .unique(["region_code", "period"], keep="first", maintain_order=True)
        .select("region_code", "period", population=pl.col("value").cast(pl.Int64))
    )


def _published_regions(names: pl.DataFrame) -> pl.DataFrame:
    """Regions with a code of the publishers: region_code, name, kind, parent_code."""
    code = pl.col("region_code")
    kind = code.str.slice(0, 2).replace_strict(KINDS, default="region")
    return names.with_columns(
        name=code.replace_strict(
            REGION.municipalities | {ROLES.country: REGION.country_name_nl}, default=pl.col("name")
        ),
        kind=kind,
        parent_code=pl.when(code.is_in(ROLES.published_as))
        .then(pl.lit(ROLES.region))
        .when(code != ROLES.country)
        .then(code.replace_strict(_parents(), default=ROLES.country)),
    )


def _computed_regions() -> pl.DataFrame:
    """The region, its groups, the rest of the country and the groups of peers: region_code, name, kind, parent_code."""
    rows = [
        (REGION.region_code, REGION.name_nl, "region", REGION.country_code),
        *((group.code, group.name_nl, "group", group.variant_of or REGION.region_code) for group in REGION.groups),
        (REGION.rest_code, REGION.rest_name_nl, "rest_of_country", REGION.country_code),
        *(
            (group, f"gemeenten die lijken op {REGION.municipalities[code]}", "group", REGION.country_code)
            for code, group in ROLES.peers.items()
        ),
    ]
    return pl.DataFrame(
        rows, schema=dict.fromkeys(["region_code", "name", "kind", "parent_code"], pl.String), orient="row"
    )


def _parents() -> dict[str, str]:
    """The group each own municipality belongs to (the region, where it is in no group)."""
    parents = dict.fromkeys(REGION.municipalities, REGION.region_code)
    for group in REGION.main_groups:
        parents |= dict.fromkeys(group.members, group.code)
    return parents


def _peer_group() -> pl.Expr:
    """The group that a row of `peer` is about."""
    return pl.col("region_code").replace_strict(ROLES.peers)


def _peers_of(code: str, municipalities: pl.DataFrame, peer: pl.DataFrame) -> pl.DataFrame:
    own = peer.filter(region_code=code).select(region_code="peer_code")
    return municipalities.join(own, "region_code", how="semi")


def _group_population(newest: pl.DataFrame, peer: pl.DataFrame) -> pl.DataFrame:
    """Inhabitants of the computed regions: region_code, population, population_period."""
    latest = newest["population_period"].max()
    municipalities = newest.filter(pl.col("region_code").str.starts_with("GM"), population_period=latest)
    outside = municipalities.filter(~pl.col("region_code").is_in(ROLES.municipalities))
    groups = {
        **{code: municipalities.filter(pl.col("region_code").is_in(m)) for code, m in REGION.own_groups.items()},
        ROLES.rest: outside,
        **{group: _peers_of(code, municipalities, peer) for code, group in ROLES.peers.items()},
    }
    return pl.DataFrame(
        [(code, members["population"].sum(), latest) for code, members in groups.items() if members.height],
        schema={"region_code": pl.String, "population": pl.Int64, "population_period": pl.String},
        orient="row",
    )
