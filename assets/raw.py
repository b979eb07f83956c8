"""Layer raw: the figures as published, typed, one table per source table, and the files they came from.

Nothing is computed here. The input is read and validated once, as a whole.
"""

import hashlib
import re
from collections.abc import Iterator

import dagster as dg
import polars as pl

from assets.tables import CATALOGUE, OWNER, measures
from assets.workspace import Workspace
from reports.quality_page import write_quality_page
from sources import bundled
from sources.errors import InputError
from sources.fact_checks import FIGURES
from sources.facts import FIGURE, Facts, read_facts

_OBSERVED = CATALOGUE.registry["observation"]
_FIGURE_COLUMNS = [
    column
    for column in _OBSERVED.columns
    if column.name in FIGURE
]


def raw_name(source_table: str) -> str:
    """The asset name of a source table: `CBS 84799NED` is cbs_84799ned."""
    return re.sub(r"[^a-z0-9]+", "_", source_table.lower()).strip("_")


RAW_KEYS = {table: dg.AssetKey(["raw", raw_name(table)]) for table in CATALOGUE.source_tables}
REGION_NAMES = dg.AssetKey(["raw", "region_names"])
POPULATION = "population"
INPUT_FILES = dg.AssetKey(["raw", "input_files"])

# These come with the software, whatever figures are measured.
OUTLINES = bundled.FOLDER / "twente_outlines_2022.geojson"
REORGANISATIONS = bundled.FOLDER / "municipal_reorganisations_2010_2026.csv"


def _figure_schema() -> dg.TableSchema:
    return dg.TableSchema(
        columns=[dg.TableColumn(c.name, type=c.type, description=c.description_en) for c in _FIGURE_COLUMNS]
    )


def _plain_schema(**columns: str) -> dg.TableSchema:
    return dg.TableSchema(
        columns=[dg.TableColumn(name, type="VARCHAR", description=text) for name, text in columns.items()]
    )


def _out(key: dg.AssetKey, description: str, schema: dg.TableSchema, publisher: str) -> dg.AssetOut:
    return dg.AssetOut(
        key=key,
        description=description,
        group_name="raw",
        owners=[OWNER],
        kinds={"polars", "parquet"},
        tags={"publisher": publisher},
        metadata={"dagster/column_schema": schema},
    )


def _describe(source_table: str) -> str:
    table = CATALOGUE.source_tables[source_table]
    source = CATALOGUE.sources[table.source_id]
    held = [i.name_en for i in CATALOGUE.indicators for s in i.sources if s.source_table == source_table]
    return (
        f"{source.publisher}, {table.title} ({source_table}).\n\nHolds: {', '.join(held)}.\n\n"
        f"Rhythm: {source.rhythm}. Licence: {source.licence}. {table.url}"
    )


@dg.multi_asset(
    name="published_figures",
    outs={
        raw_name(table): _out(key, _describe(table), _figure_schema(), key.path[-1].split("_")[0])
        for table, key in RAW_KEYS.items()
    }
    | {
        "region_names": _out(
            REGION_NAMES,
            "Names of the regions, as Statistics Netherlands writes them.",
            _plain_schema(region_code="Code of the region.", name="Name as published."),
            "cbs",
        ),
        "input_files": _out(
            INPUT_FILES,
            "The files this run was made from, with their checksums.",
            _plain_schema(file="Name of the file.", sha256="Its SHA-256.", bytes="Its size."),
            "btg",
        ),
    },
)
def published_figures(context: dg.AssetExecutionContext, workspace: Workspace) -> Iterator[dg.Output[pl.DataFrame]]:
    """Read and validate the input folder once; each source table becomes one raw table."""
    workspace.start_checks()
    facts = _read_input(workspace)
    context.log.info("read %d figures from %s", facts.figures.height, workspace.input_path)
    for table in RAW_KEYS:
        frame = facts.figures.filter(source_table=table).select(column.name for column in _FIGURE_COLUMNS)
        yield dg.Output(frame, output_name=raw_name(table), metadata=dict(measures(frame)))
    names = facts.regions.select("region_code", "name").sort("region_code")
    yield dg.Output(names, output_name="region_names", metadata=dict(measures(names)))
    beside = [
        (path.name, hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size)
        for path in (OUTLINES, REORGANISATIONS)
    ]
    files = pl.DataFrame(
        sorted([(name, file.sha256, file.bytes) for name, file in facts.files.items()] + beside),
        schema={"file": pl.String, "sha256": pl.String, "bytes": pl.Int64},
        orient="row",
    )
    yield dg.Output(files, output_name="input_files", metadata=dict(measures(files)))


def _read_input(workspace: Workspace) -> Facts:
    """The validated input; what is wrong with it is kept as a failed check, for `btg check` and the quality page."""
    try:
        bundled.verify()
        facts = read_facts(workspace.input_path, CATALOGUE)
        _require_population(facts, workspace)
    except InputError as error:
        _record_input_check(workspace, passed=False, message=str(error))
        raise
    _record_input_check(workspace, passed=True, message=f"{facts.figures.height} figures read and accepted.")
    return facts


def _require_population(facts: Facts, workspace: Workspace) -> None:
    if facts.figures.filter(indicator_id=POPULATION).is_empty():
        raise InputError(
            workspace.input_path / FIGURES,
            f"figures of {POPULATION}: a municipality exists in the years in which it has inhabitants",
            column="indicator",
            remedy="Add them: without them no group has members and nothing can be measured.",
        )


def _record_input_check(workspace: Workspace, *, passed: bool, message: str) -> None:
    result = {
        "check_id": "input_is_valid",
        "asset": "input",
        "partition": "all",
        "severity": "error",
        "passed": passed,
        "observed": None,
        "expected": "every file complete, every figure known, unique, within its scale and as precise as published",
        "rows_failed": None,
        "message": message,
    }
    workspace.write_checks("input", [result])
    write_quality_page(workspace.read_checks(), workspace.last_run / "quality.html", complete=False)


def raw_inputs(source_tables: list[str]) -> dict[str, dg.AssetIn]:
    """Inputs of an asset that reads these source tables, by their raw names."""
    return {raw_name(table): dg.AssetIn(key=RAW_KEYS[table]) for table in source_tables}


def tables_of(indicator_id: str) -> list[str]:
    """The source tables of an indicator."""
    return [source.source_table for source in CATALOGUE.indicator(indicator_id).sources]
