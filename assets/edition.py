"""Layer edition: what belongs to the edition as a whole, its pictures, and the one asset that publishes it."""

import filecmp
import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import duckdb
import polars as pl

from assets.core import REGION
from assets.provenance import PROVENANCE, code_version, copy_inputs, provenance, require_unchanged
from assets.raw import INPUT_FILES, OUTLINES
from assets.tables import CATALOGUE, OWNER, record, table_asset
from assets.workspace import Workspace
from catalog import frames
from reports import editions
from reports.background import in_background
from reports.changes_page import VOCABULARIES, write_changes_page
from reports.charts import ChartTables, draw_charts
from reports.charts.files import headline_pictures, overview_charts
from reports.charts.labels import chart_labels
from reports.edition_folder import (
    EditionInUse,
    beside,
    clear_leftovers,
    log_of,
    remove,
    replace_file,
    replace_folder,
    work_file,
)
from reports.for_readers import made_for_readers
from reports.output_lock import hold
from reports.quality_page import write_quality_page
from reports.tables import add_rows, write_csv, write_database, write_parquet

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


@table_asset("edition_input", "edition", ins={"input_files": dg.AssetIn(INPUT_FILES)})
def edition_input(
    context: dg.AssetExecutionContext, input_files: pl.DataFrame, survey_wave: pl.DataFrame
) -> pl.DataFrame:
    """The files, snapshots and waves this edition is made from."""
    waves = survey_wave.select("sha256", file="source_table")
    return record(context, pl.concat([input_files.select("file", "sha256", "bytes"), waves], how="diagonal"))


@table_asset("edition", "edition")
def edition(
    context: dg.AssetExecutionContext,
    workspace: Workspace,
    edition_input: pl.DataFrame,
    observation: pl.DataFrame,
    survey_wave: pl.DataFrame,
    project: pl.DataFrame,
) -> pl.DataFrame:
    """One row: what this edition was made from."""
    content = "".join(f"{name} {sha256}\n" for name, sha256 in edition_input.select("file", "sha256").rows())
    row = {
        "edition": workspace.edition_name,
        "measurement_year": REGION.last_measurement_year,
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "code_version": code_version(),
        "catalog_sha256": CATALOGUE.sha256,
        "lock_sha256": hashlib.sha256(Path(workspace.lock_file).read_bytes()).hexdigest(),
        "input_sha256": hashlib.sha256(content.encode()).hexdigest(),
        # A wave may be invented of which every figure is hidden.
        "contains_synthetic": observation["warnings"].list.contains("synthetic").any()
        or survey_wave["synthetic"].any()
        or project["synthetic"].any(),
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
    labels, year = chart_labels(CATALOGUE, _outlines_source(outlines)), REGION.last_measurement_year
    with in_background(overview_charts, tables, labels, year) as overview:
        files = draw_charts(tables, labels, year, workspace.charts, headline_pictures)
        drawn = overview()
    for name, content in drawn.items():
        (workspace.charts / name).write_bytes(content)
    context.add_asset_metadata({"dagster/row_count": len(files) + len(drawn)})


@dg.asset(
    group_name="edition",
    owners=[OWNER],
    kinds={"duckdb"},
    description=(
        "The draft edition: one documented DuckDB file, the same tables as Parquet and CSV, the pictures, the site, "
        "the reports, the spreadsheets, the quality page and what changed. The only asset that writes the database; "
        "it replaces the previous draft in one step."
    ),
    metadata={"dagster/column_schema": dg.TableSchema(columns=[dg.TableColumn("table", description="A table.")])},
    deps=[*DATA_TABLES, *CLOSING_TABLES, "charts"],
    ins={"input_files": dg.AssetIn(INPUT_FILES), "outlines": dg.AssetIn(OUTLINES)},
)
def draft_edition(
    context: dg.AssetExecutionContext, workspace: Workspace, input_files: pl.DataFrame, outlines: pl.DataFrame
) -> None:
    """Write the edition beside the standing one, then move it into place."""
    with hold(workspace.root, "a run of Dagster"):
        tables = _make_draft(context, workspace, input_files, outlines)
        rows = sum(frame.height for frame in tables.values())
        context.add_asset_metadata({"dagster/row_count": rows, "tables": len(tables)})
        with after(f"The draft {workspace.draft_name} is made"):
            workspace.finish_run()
            page = workspace.last_run / "quality.html"
            write_quality_page(workspace.read_checks(), page, synthetic=is_synthetic(tables))
            offer_to_readers(workspace.root)


def _make_draft(
    context: dg.AssetExecutionContext, workspace: Workspace, input_files: pl.DataFrame, outlines: pl.DataFrame
) -> dict[str, pl.DataFrame]:
    building = beside(workspace.draft, "building")
    remove(building)
    try:
        tables = _write_edition(workspace, building, input_files, _outlines_source(outlines))
        workspace.require_own_run(context.run)
        require_unchanged(workspace)
        replace_folder(building, workspace.draft)
    finally:
        remove(building)
    return tables


def _outlines_source(outlines: pl.DataFrame) -> str | None:
    """Who drew the outlines; none where there are no outlines."""
    return next(iter(outlines["source"]), None)


def _partitions(name: str) -> list[str] | None:
    """The measurement years of the region, so that tables of years no longer measured stay out."""
    return [str(year) for year in REGION.years] if CATALOGUE.registry[name].partitioned else None


def _write_edition(
    workspace: Workspace, folder: Path, input_files: pl.DataFrame, outlines_source: str | None
) -> dict[str, pl.DataFrame]:
    for name in ("parquet", "csv", "quality"):
        (folder / name).mkdir(parents=True)
    tables = {
        name: table.conform(workspace.read(table, _partitions(name)))
        for name, table in CATALOGUE.registry.tables.items()
    }
    for name, frame in tables.items():
        write_parquet(frame, folder / "parquet" / f"{name}.parquet")
    readers = nullcontext() if workspace.tables_only else made_for_readers(folder, tables, CATALOGUE, outlines_source)
    with readers:
        for name, frame in tables.items():
            write_csv(frame, folder / "csv" / f"{name}.csv")
        write_database(tables, CATALOGUE.registry, folder / editions.DATABASE)
        shutil.copytree(workspace.charts, folder / "charts")
        write_quality_page(workspace.read_checks(), folder / "quality" / "index.html", synthetic=is_synthetic(tables))
        write_changes(tables, folder, workspace)
        copy_inputs(workspace, folder, input_files)
        made_from = provenance(workspace, tables["edition"].to_dicts()[0], input_files)
        (folder / PROVENANCE).write_text(json.dumps(made_from, indent=1) + "\n", encoding="utf-8")
    editions.write_sums(folder)
    return tables


def write_changes(tables: dict[str, pl.DataFrame], folder: Path, workspace: Workspace) -> None:
    """The page on what changed since the final edition before this one."""
    previous = workspace.previous_edition
    before = workspace.read_of(previous, CATALOGUE.registry["indicator"]) if previous else None
    # What was withdrawn has its name there only.
    withdrawn = dict(before.select("indicator_id", "name_nl").iter_rows()) if before is not None else {}
    write_changes_page(
        tables["revision"],
        folder / "quality" / "changes.html",
        edition=tables["edition"]["edition"].item(),
        previous=previous,
        names=withdrawn
        | {i.indicator_id: i.name_nl for i in CATALOGUE.indicators}
        | {theme.theme_id: theme.name_nl for theme in CATALOGUE.themes}
        | dict(tables["region"].select("region_code", "name").iter_rows()),
        labels={
            name: {word: (term.label_nl, term.explanation_nl) for word, term in CATALOGUE.vocabulary[name].items()}
            for name in VOCABULARIES
        }
        | {"breakdown": _breakdown_labels()},
        synthetic=is_synthetic(tables),
        decimals={i.indicator_id: i.decimals for i in CATALOGUE.indicators},
        own_regions=[*REGION.own_groups, *REGION.municipalities],
    )


def _breakdown_labels() -> dict[str, tuple[str, str]]:
    """The parts of the residents, such as sex=female, in Dutch; they need no explanation."""
    return {
        f"{name}={code}": (label.label_nl, "")
        for name, codes in CATALOGUE.survey.settings.breakdowns.items()
        for code, label in codes.items()
    }


def is_synthetic(tables: dict[str, pl.DataFrame]) -> bool:
    """Whether these tables of an edition hold invented examples."""
    return bool(tables["edition"]["contains_synthetic"].item())


class Unfinished(RuntimeError):  # noqa: N818 - says what is the matter
    """What was made stands, and cannot be undone; what follows from it could not be done. The message says both."""


@contextmanager
def after(made: str) -> Iterator[None]:
    """For what follows when something stands already: raises Unfinished, which begins with the words `made`."""
    try:
        yield
    except (EditionInUse, OSError, duckdb.Error) as error:
        said = str(error).rstrip(".")
        raise Unfinished(
            f"{made}. What follows could not be done: {said}. The next run does it; until then readers open what they "
            "opened before."
        ) from error


def finish_what_was_cut_off(root: Path) -> None:
    """Clear what a killed run left, and offer to readers what it had made; call it with the lock held.

    Where readers cannot be offered it now either, whoever makes the next edition hears why.
    """
    clear_leftovers(root)
    with suppress(EditionInUse, OSError, duckdb.Error, editions.DamagedEdition):
        offer_to_readers(root)


def offer_to_readers(root: Path) -> None:
    """Let `btg.duckdb` be a copy of the newest final edition, with its errata; of the newest draft where none is.

    A file that is the same already, and that nobody may or did write to, is left alone: who has it open is in nobody's
    way.
    """
    standing = editions.standing(root)
    if standing is None:
        return
    with work_file(root / editions.DATABASE) as copy:
        shutil.copyfile(editions.folder_of(root, standing) / editions.DATABASE, copy)
        table = CATALOGUE.registry["erratum"]
        known = editions.folder_of(root, standing) / "parquet" / f"{table.name}.parquet"
        stated = editions.errata(root)
        # Also those of older editions: their figures stand in `value_by_edition`. (A draft of long ago has no table.)
        if stated.height and known.is_file():
            add_rows(stated.join(pl.read_parquet(known), table.key, how="anti"), table, copy)
        offered = root / editions.DATABASE
        # A session that opens it for writing would shut out every other reader, and could leave a log behind.
        editions.make_read_only(copy)
        if not _is_offered(copy, offered):
            replace_file(copy, offered)


def _is_offered(copy: Path, offered: Path) -> bool:
    """Whether this very file is what readers open, with the same rights and without the log of a session."""
    if not offered.is_file() or log_of(offered).exists() or offered.stat().st_mode != copy.stat().st_mode:
        return False
    return filecmp.cmp(copy, offered, shallow=False)
