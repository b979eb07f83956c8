"""Layer edition: what belongs to the edition as a whole, its pictures, and the one asset that publishes it."""

import hashlib
import shutil
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import dagster as dg
import polars as pl

from assets.core import REGION
from assets.raw import INPUT_FILES, OUTLINES
from assets.tables import CATALOGUE, OWNER, record, table_asset
from assets.workspace import Workspace
from catalog import frames
from reports.charts import ChartLabels, ChartTables, draw_charts
from reports.edition_folder import replace_file, replace_folder
from reports.quality_page import write_quality_page
from reports.tables import write_csv, write_database, write_parquet

# Tables about the edition itself; all others are checked before `check_result` is made up.
CLOSING_TABLES = ["check_result", "edition"]
CHART_TABLES = [
    *("region", "region_member", "theme", "indicator", "source", "indicator_value", "comparison"),
    *("framework_element", "theme_score", "sensitivity", "position"),
]
DATA_TABLES = [name for name in CATALOGUE.registry.tables if name not in CLOSING_TABLES]


@table_asset("data_dictionary", "edition")
def data_dictionary(context: dg.AssetExecutionContext) -> pl.DataFrame:
    """Every published column, from the column registry."""
    return record(context, frames.data_dictionary(CATALOGUE))


@table_asset("check_result", "edition", deps=[*DATA_TABLES, "source_choice"])
def check_result(context: dg.AssetExecutionContext, workspace: Workspace) -> pl.DataFrame:
    """The results of all checks on the tables before this one."""
    closing = pl.col("asset").is_in(CLOSING_TABLES)
    return record(context, workspace.read_checks().filter(~closing))


@table_asset("edition", "edition", ins={"input_files": dg.AssetIn(INPUT_FILES)})
def edition(
    context: dg.AssetExecutionContext,
    workspace: Workspace,
    input_files: pl.DataFrame,
    observation: pl.DataFrame,
    survey_wave: pl.DataFrame,
) -> pl.DataFrame:
    """One row: what this edition was made from."""
    waves = survey_wave.select("sha256", file="source_table")
    files = pl.concat([input_files.select("file", "sha256"), waves.select("file", "sha256")]).sort("file")
    content = "".join(f"{name} {sha256}\n" for name, sha256 in files.rows())
    row = {
        "edition": workspace.draft_name,
        "measurement_year": REGION.last_measurement_year,
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "code_version": _code_version(),
        "catalog_sha256": CATALOGUE.sha256,
        "lock_sha256": hashlib.sha256(Path(workspace.lock_file).read_bytes()).hexdigest(),
        "input_sha256": hashlib.sha256(content.encode()).hexdigest(),
        # A wave may be invented of which every figure is hidden.
        "contains_synthetic": observation["warnings"].list.contains("synthetic").any()
        or survey_wave["synthetic"].any(),
    }
    return record(context, pl.DataFrame([row]))


@dg.asset(
    group_name="edition",
    owners=[OWNER],
    kinds={"matplotlib"},
    description=(
        "A map, a dot plot, a line over the years and the position for each headline indicator, the eleven dimensions "
        "and the ranks with their range, as SVG and PNG."
    ),
    metadata={"dagster/column_schema": dg.TableSchema(columns=[dg.TableColumn("file", description="A picture.")])},
    deps=CHART_TABLES,
    ins={"outlines": dg.AssetIn(OUTLINES)},
)
def charts(context: dg.AssetExecutionContext, workspace: Workspace, outlines: pl.DataFrame) -> None:
    """Draw the pictures of the last measurement year into the last run's folder."""
    tables = ChartTables(**{name: workspace.read(CATALOGUE.registry[name], _partitions(name)) for name in CHART_TABLES})
    shutil.rmtree(workspace.charts, ignore_errors=True)
    workspace.charts.mkdir(parents=True)
    files = draw_charts(
        tables, chart_labels(next(iter(outlines["source"]), None)), REGION.last_measurement_year, workspace.charts
    )
    context.add_asset_metadata({"dagster/row_count": len(files)})


@dg.asset(
    group_name="edition",
    owners=[OWNER],
    kinds={"duckdb"},
    description=(
        "The draft edition: one documented DuckDB file, the same tables as Parquet and CSV, the pictures and the "
        "quality page. The only asset that writes the database; it replaces the previous draft in one step."
    ),
    metadata={"dagster/column_schema": dg.TableSchema(columns=[dg.TableColumn("table", description="A table.")])},
    deps=[*DATA_TABLES, *CLOSING_TABLES, "charts"],
)
def draft_edition(context: dg.AssetExecutionContext, workspace: Workspace) -> None:
    """Write the edition beside the standing one, then move it into place."""
    editions = workspace.root / "editions"
    building = editions / f".{workspace.draft_name}.building"
    shutil.rmtree(building, ignore_errors=True)
    try:
        tables = _write_edition(workspace, building)
        replace_folder(building, editions / workspace.draft_name)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    _offer_to_readers(workspace)
    write_quality_page(workspace.read_checks(), workspace.last_run / "quality.html", synthetic=_is_synthetic(tables))
    workspace.finish_run()
    context.add_asset_metadata(
        {"dagster/row_count": sum(frame.height for frame in tables.values()), "tables": len(tables)}
    )


def chart_labels(outlines_source: str | None = REGION.outlines_source_nl) -> ChartLabels:
    """The Dutch words the pictures need, from the catalogue; `outlines_source` is printed under the maps."""
    vocabulary = CATALOGUE.vocabulary
    return ChartLabels(
        region_code=REGION.region_code,
        groups={group.code: group.name_nl for group in REGION.groups},
        country_code=REGION.country_code,
        rest_code=REGION.rest_code,
        names={
            REGION.region_code: REGION.name_nl,
            REGION.country_code: REGION.country_name_nl,
            REGION.rest_code: REGION.rest_name_nl,
        },
        status={key: term.label_nl for key, term in vocabulary["status"].items()},
        warnings={key: term.label_nl for key, term in vocabulary["warning"].items()},
        units={indicator.unit: indicator.unit_nl for indicator in CATALOGUE.indicators},
        companions={i.indicator_id: i.companion for i in CATALOGUE.indicators if i.companion},
        outlines_source=outlines_source,
        verdicts={key: term.label_nl for key, term in vocabulary["verdict"].items()},
        positions={key: term.label_nl for key, term in vocabulary["position"].items()},
        baseline_year=REGION.baseline_year,
        contrast=REGION.contrasts[0] if REGION.contrasts else None,
        grade=CATALOGUE.survey.settings.grade,
    )


def _partitions(name: str) -> list[str] | None:
    """The measurement years of the region, so that tables of years no longer measured stay out."""
    return [str(year) for year in REGION.years] if CATALOGUE.registry[name].partitioned else None


def _write_edition(workspace: Workspace, folder: Path) -> dict[str, pl.DataFrame]:
    for name in ("parquet", "csv", "quality"):
        (folder / name).mkdir(parents=True)
    tables = {
        name: table.conform(workspace.read(table, _partitions(name)))
        for name, table in CATALOGUE.registry.tables.items()
    }
    for name, frame in tables.items():
        write_parquet(frame, folder / "parquet" / f"{name}.parquet")
        write_csv(frame, folder / "csv" / f"{name}.csv")
    write_database(tables, CATALOGUE.registry, folder / "btg.duckdb")
    shutil.copytree(workspace.charts, folder / "charts")
    write_quality_page(workspace.read_checks(), folder / "quality" / "index.html", synthetic=_is_synthetic(tables))
    return tables


def _is_synthetic(tables: dict[str, pl.DataFrame]) -> bool:
    return bool(tables["edition"]["contains_synthetic"].item())


def _offer_to_readers(workspace: Workspace) -> None:
    """Replace the database that readers open by a copy of the newest draft's, which may be of a later year."""
    newest = max((workspace.root / "editions").glob("[0-9]*-draft"), key=lambda folder: folder.name)
    copy = workspace.root / ".btg.duckdb.new"
    shutil.copyfile(newest / "btg.duckdb", copy)
    replace_file(copy, workspace.root / "btg.duckdb")


def _code_version() -> str:
    """The software's version, with the commit where it runs from a git checkout."""
    checkout = Path(__file__).parents[1]
    if not (checkout / ".git").exists():
        return version("btg")
    command = ["git", "-C", str(checkout), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        commit = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return version("btg")
    return f"{version('btg')}+{commit}"
