"""Layer edition: this edition beside the final ones before it: what is different, why, and what was wrong in them."""

import dagster as dg
import polars as pl

from assets.core import REGION
from assets.tables import CATALOGUE, record, table_asset
from assets.workspace import Workspace
from methods import revision as revised
from reports import editions
from sources import bundled, published_grades

# Figures that were published before this software have an edition of their own: `2022-published`.
_BEFORE = "-published"


@table_asset("value_by_edition", "edition", deps=["indicator_value"])
def value_by_edition(context: dg.AssetExecutionContext, workspace: Workspace) -> pl.DataFrame:
    """Each figure as every final edition had it, and as it was published before there were editions.

    What is suppressed now is not repeated.
    """
    table = CATALOGUE.registry["indicator_value"]
    of_finals = {name: workspace.read_of(name, table) for name in editions.finals(workspace.root)}
    found = {name: frame for name, frame in of_finals.items() if frame is not None}
    current = workspace.read(table, [str(year) for year in REGION.years])
    return record(context, revised.value_by_edition(found, _published_before(), current))


def _published_before() -> pl.DataFrame:
    """The grades that Twente Board published, in the columns of value_by_edition."""
    if not REGION.survey:
        return pl.DataFrame(schema=CATALOGUE.registry["value_by_edition"].polars_schema)
    grades = published_grades.read_published_grades(bundled.FOLDER / published_grades.FILE, CATALOGUE)
    addresses = {name: table.url for name, table in CATALOGUE.source_tables.items()}
    return grades.select(
        *("indicator_id", "region_code", "value", "ci_low", "ci_high", "status", "source_table"),
        edition=pl.col("period") + _BEFORE,
        measurement_year=pl.col("period").cast(pl.Int32),
        breakdown=pl.lit("total"),
        reference_period="period",
        url=pl.col("source_table").replace_strict(addresses, return_dtype=pl.String),
    )


@table_asset("revision", "edition", deps=list(revised.NEEDED))
def revision(context: dg.AssetExecutionContext, workspace: Workspace, edition: pl.DataFrame) -> pl.DataFrame:
    """What differs from the newest final edition, key by key; nothing where there is none, or the inputs are equal."""
    previous = workspace.previous_edition
    if previous is None:
        return record(context, pl.DataFrame(schema=CATALOGUE.registry["revision"].polars_schema))
    tables = [CATALOGUE.registry[name] for name in revised.NEEDED]
    years = [str(year) for year in REGION.years]
    new = {table.name: table.conform(workspace.read(table, years if table.partitioned else None)) for table in tables}
    old = {
        name: frame
        for name in [*revised.NEEDED, "edition"]
        if (frame := workspace.read_of(previous, CATALOGUE.registry[name])) is not None
    }
    keys = {table.name: table.key for table in tables}
    return record(context, revised.revisions(old, new | {"edition": edition}, keys))


@table_asset("erratum", "edition")
def erratum(context: dg.AssetExecutionContext, workspace: Workspace) -> pl.DataFrame:
    """What was found to be wrong in final editions since they were published."""
    return record(context, editions.errata(workspace.root))
