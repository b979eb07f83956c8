"""Layer structure: which municipalities are alike, and what can be expected of one given what it is like."""

import dagster as dg
import polars as pl

from assets.core import REGION, ROLES
from assets.raw import POPULATION, PROVINCES
from assets.tables import CATALOGUE, record, table_asset
from catalog import frames
from methods.expectation import code_blocks, expectations
from methods.peers import peers
from methods.structure import Structure, structural_variables
from methods.typology import typology as types_of

SETTINGS = CATALOGUE.analysis


def _structure(restated_figures: pl.DataFrame, municipality_crosswalk: pl.DataFrame) -> Structure:
    """The structural variables of every municipality of the layout year."""
    return structural_variables(
        restated_figures.filter(breakdown="total"),
        SETTINGS.structure,
        municipality_crosswalk["to_code"].unique().sort().to_list(),
        REGION.borders_of,
        frames.indicator_sources(CATALOGUE).select("indicator_id", "source_table", "priority"),
    )


def _population(restated_figures: pl.DataFrame) -> pl.DataFrame:
    """Inhabitants of every municipality of the layout year, newest first known: region_code, population."""
    return (
        restated_figures.filter(
            (pl.col("value") > 0) & (pl.col("period") <= str(REGION.borders_of)), indicator_id=POPULATION
        )
        .sort("region_code", "period")
        .group_by("region_code", maintain_order=True)
        .agg(population=pl.col("value").last())
    )


@table_asset("peer", "core")
def peer(
    context: dg.AssetExecutionContext, restated_figures: pl.DataFrame, municipality_crosswalk: pl.DataFrame
) -> pl.DataFrame:
    """The municipalities that are most like each own one; the same for all years of an edition."""
    structure = _structure(restated_figures, municipality_crosswalk)
    for variable, why in structure.left_out.items():
        context.log.info("structural variable %s is not used: %s", variable, why)
    return record(context, peers(structure, ROLES.municipalities, SETTINGS.peers))


@table_asset("typology", "analysis")
def typology(
    context: dg.AssetExecutionContext, restated_figures: pl.DataFrame, municipality_crosswalk: pl.DataFrame
) -> pl.DataFrame:
    """Types of municipalities, for reading."""
    structure = _structure(restated_figures, municipality_crosswalk)
    return record(context, types_of(structure, _population(restated_figures), SETTINGS.typology))


@table_asset(
    "expected_value",
    "analysis",
    ins={
        "provinces": dg.AssetIn(PROVINCES),
        "indicator_value": dg.AssetIn("indicator_value", partition_mapping=dg.AllPartitionMapping()),
    },
)
def expected_value(
    context: dg.AssetExecutionContext,
    indicator_value: pl.DataFrame,
    restated_figures: pl.DataFrame,
    municipality_crosswalk: pl.DataFrame,
    provinces: pl.DataFrame,
) -> pl.DataFrame:
    """What structure leads to expect of every own municipality, beside its figure."""
    structure = _structure(restated_figures, municipality_crosswalk)
    kinds = frames.indicator_sources(CATALOGUE).select("indicator_id", "source_table", "kind")
    blocks = provinces.select(region_code="municipality_code", block="province_code")
    folds = "province"
    if blocks.is_empty():
        blocks = code_blocks(structure.frame["region_code"].to_list(), SETTINGS.expectation.folds, ROLES.municipalities)
        folds = "code_block"
    return record(
        context,
        expectations(
            indicator_value.join(kinds, ["indicator_id", "source_table"], how="left", maintain_order="left"),
            structure,
            frames.indicators(CATALOGUE),
            _population(restated_figures),
            blocks,
            ROLES,
            SETTINGS.expectation,
            folds,
        ),
    )
