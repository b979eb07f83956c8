"""Layer raw: the figures as published, typed, one table per source table, and the files they came from.

Nothing is computed here. The input is read and validated once, as a whole: the snapshots of the data root, and the
bundled figures where there are none.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl

from assets.intake import (
    DELIVERED,
    SNAPSHOTS,
    freshness_metadata,
    freshness_results,
    freshness_row,
    freshness_specs,
)
from assets.provenance import note_beginning
from assets.tables import CATALOGUE, OWNER, column_schema, measures
from assets.workspace import Workspace
from reports.quality_page import write_quality_page
from sources import boundaries, bundled, corrections, coverage
from sources.collect import Collected, collect
from sources.errors import InputError
from sources.fact_checks import FIGURES
from sources.facts import FIGURE, Facts, read_facts
from sources.fetch import boundary_table, fetchable
from sources.freshness import Freshness, freshness
from sources.outlines import read_outlines
from sources.read_snapshot import membership_faults, provinces
from sources.register.store import newest_snapshots
from sources.snapshots import Snapshot

_OBSERVED = CATALOGUE.registry["observation"]
_FIGURE_COLUMNS = [column for column in _OBSERVED.columns if column.name in FIGURE]
_MORE_COLUMNS = [
    dg.TableColumn("reason", type="VARCHAR", description="Why there is no value, as the publisher writes it."),
    dg.TableColumn("synthetic", type="BOOLEAN", description="True for an invented example."),
]


def raw_name(source_table: str) -> str:
    """The asset name of a source table: `CBS 84799NED` is cbs_84799ned."""
    return re.sub(r"[^a-z0-9]+", "_", source_table.lower()).strip("_")


_OF_SURVEY = {wave.source_table for wave in CATALOGUE.survey.waves.values()}
_MEASURED = {source.source_table for indicator in CATALOGUE.indicators for source in indicator.sources} - _OF_SURVEY
RAW_KEYS = {name: dg.AssetKey(["raw", raw_name(name)]) for name in CATALOGUE.source_tables if name in _MEASURED}
REGION_NAMES = dg.AssetKey(["raw", "region_names"])
PROVINCES = dg.AssetKey(["raw", "provinces"])
ORIGINS = dg.AssetKey(["raw", "figure_origins"])
PASSED_OVER = dg.AssetKey(["raw", "baseline_figures_passed_over"])
POPULATION = "population"
INPUT_FILES = dg.AssetKey(["raw", "input_files"])
CORRECTIONS = dg.AssetKey(["raw", "corrections_applied"])

OUTLINES = dg.AssetKey(["raw", "outlines"])

# These come with the software, whatever figures are measured.
BUNDLED_OUTLINES = bundled.FOLDER / "twente_outlines_2022.geojson"
_INPUT_CHECK = (
    "input",
    "input_is_valid",
    "every file complete, every figure known, unique, within its scale and as precise as published",
)
_COVERAGE_CHECK = (
    "coverage",
    "registered_coverage",
    "every region, figure and period that catalog/coverage.csv has, of each source table",
)
# On a map of a region this is less than a line is wide.
OUTLINE_TOLERANCE_M = 50.0
REORGANISATIONS = bundled.FOLDER / "municipal_reorganisations_2010_2026.csv"


def _figure_schema() -> dg.TableSchema:
    return dg.TableSchema(
        columns=[dg.TableColumn(c.name, type=c.type, description=c.description_en) for c in _FIGURE_COLUMNS]
        + _MORE_COLUMNS
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
        "figure_origins": _out(
            ORIGINS,
            "Where the figures of each indicator, source table and period come from.",
            _plain_schema(origin="live, delivered or bundled.", retrieved_at="When they were retrieved.", url="Where."),
            "btg",
        ),
        "baseline_figures_passed_over": _out(
            PASSED_OVER,
            "Figures of the baseline's own tables that do not stand, because of what the catalogue says of revisions.",
            _figure_schema(),
            "btg",
        ),
        "outlines": _out(
            OUTLINES,
            "Outlines of municipalities: of a fetched year, or the bundled ones of Twente.",
            _plain_schema(region_code="Code.", geometry_wkb="WKB, EPSG:28992.", source="What to print under a map."),
            "cbs",
        ),
        "provinces": _out(
            PROVINCES,
            "The province of every municipality, by the newest table of areas; empty where none was fetched.",
            _plain_schema(municipality_code="Municipality.", province_code="Its province."),
            "cbs",
        ),
        "input_files": _out(
            INPUT_FILES,
            "The files this run was made from, with their checksums.",
            _plain_schema(file="Name of the file.", sha256="Its SHA-256.", bytes="Its size."),
            "btg",
        ),
        "corrections_applied": _out(
            CORRECTIONS,
            "Figures of this run that are not used as they were published: those of catalog/corrections.yaml.",
            column_schema(CATALOGUE.registry["correction"]),
            "btg",
        ),
    },
    deps=[SNAPSHOTS, DELIVERED],
    check_specs=freshness_specs(RAW_KEYS),
)
def published_figures(
    context: dg.AssetExecutionContext, workspace: Workspace
) -> Iterator[dg.Output[pl.DataFrame] | dg.AssetCheckResult]:
    """Read, validate and correct the input once; each source table becomes one raw table."""
    workspace.start_checks(context.run.run_id)
    note_beginning(workspace)
    workspace.require_whole_editions()
    collected, applied, outlines, files = _read_input(workspace)
    context.log.info("read %d figures", collected.figures.height)
    _record_corrections_check(applied, workspace)
    fresh = _freshness(collected, workspace)
    for table in RAW_KEYS:
        frame = collected.figures.filter(source_table=table).select(*FIGURE, "reason", "synthetic")
        about = dict(measures(frame)) | freshness_metadata(fresh[table])
        yield dg.Output(frame, output_name=raw_name(table), metadata=about)
    beside = {
        "outlines": outlines,
        "region_names": collected.names,
        "figure_origins": collected.origins,
        "baseline_figures_passed_over": collected.passed_over,
        "provinces": _provinces(workspace),
        "input_files": files,
        "corrections_applied": applied,
    }
    for name, frame in beside.items():
        yield dg.Output(frame, output_name=name, metadata=dict(measures(frame)))
    yield from freshness_results(fresh, RAW_KEYS)


def _record_corrections_check(applied: pl.DataFrame, workspace: Workspace) -> None:
    """Which figures are not as published, and which corrections had nothing to correct.

    The second is a slip in their region or period, or a figure that was withdrawn.
    """
    unused = sorted({correction.id for correction in CATALOGUE.corrections} - set(applied["correction_id"]))
    message = (
        f"Not in this run, so not corrected: the figures of {', '.join(unused)}. Was the table not retrieved? Else "
        "look in catalog/corrections.yaml for a slip in region, period or table, or remove the entry."
        if unused
        else "Every correction of the catalogue has a figure to correct."
    )
    changed = corrections.not_as_published(applied)
    result = _result(
        "corrections",
        "corrections_apply",
        "every correction of the catalogue has a figure to correct",
        passed=not unused,
        message="\n".join([message, *(["Figures that are not as published:", *changed] if changed else [])]),
        severity="warning",
        observed=f"{len(changed)} figures not as published",
        rows_failed=len(unused),
    )
    workspace.write_checks("corrections", [result])


def _freshness(collected: Collected, workspace: Workspace) -> dict[str, Freshness]:
    """How fresh every source table is; kept as one result for `btg check` too."""
    with_value = collected.figures.filter(pl.col("value").is_not_null())
    newest = dict(with_value.group_by("source_table").agg(pl.col("period").max()).iter_rows())
    fresh = freshness(CATALOGUE, RAW_KEYS, workspace.snapshots, newest, datetime.now(UTC))
    workspace.write_checks("sources", [freshness_row(fresh.values())])
    return fresh


def _read_input(workspace: Workspace) -> tuple[Collected, pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """The validated input with its corrections, outlines and files.

    What is wrong with them is kept as a failed check, for `btg check`.
    """
    try:
        bundled.verify()
        facts = read_facts(workspace.input_path, CATALOGUE)
        published = collect(CATALOGUE, facts, workspace.snapshots)
        held_back = published.passed_over.filter("held_back")
        figures, applied = corrections.apply(published.figures, CATALOGUE.corrections, held_back)
        outlines, borders = _outlines(workspace)
        _require_population(facts, workspace)
        _require_membership(workspace)
    except InputError as error:
        record_input_check(workspace, *_INPUT_CHECK, passed=False, message=str(error))
        raise
    message = f"{figures.height} figures read and accepted."
    record_input_check(workspace, *_INPUT_CHECK, passed=True, message=message)
    _require_coverage(published, workspace)
    _record_fetch_check(workspace)
    collected = replace(published, figures=figures)
    rows = [borders, _file(REORGANISATIONS), *_area_files(workspace), *_register_files(workspace)]
    beside = pl.DataFrame(rows, schema=collected.files.schema, orient="row")
    return collected, applied, outlines, pl.concat([collected.files, beside]).sort("file")


def _provinces(workspace: Workspace) -> pl.DataFrame:
    store = workspace.snapshots
    names = ("municipality_code", "province_code")
    return provinces(store, CATALOGUE) if store else pl.DataFrame(schema=dict.fromkeys(names, pl.String))


def _area_files(workspace: Workspace) -> list[tuple[str, str, int]]:
    """The tables of areas that the membership of the region was held against."""
    store = workspace.snapshots
    tables = [name for name, table in CATALOGUE.source_tables.items() if table.areas_of is not None]
    found = [store.newest(name) for name in tables] if store is not None else []
    return [_snapshot_file(snapshot) for snapshot in found if snapshot is not None]


def _register_files(workspace: Workspace) -> list[tuple[str, str, int]]:
    """The registers of the programme's bureaus that this run uses; those of a demo come with the software."""
    if workspace.demo or workspace.snapshots is None or CATALOGUE.programme is None:
        return []
    return [_snapshot_file(snapshot) for snapshot in newest_snapshots(workspace.snapshots).values()]


def _snapshot_file(snapshot: Snapshot) -> tuple[str, str, int]:
    return f"{snapshot.source_table} {snapshot.sha256[:12]}", snapshot.sha256, snapshot.bytes


def _outlines(workspace: Workspace) -> tuple[pl.DataFrame, tuple[str, str, int]]:
    """Outlines for maps (region_code, geometry_wkb, and source, which is printed under them), and their file."""
    year = CATALOGUE.region.last_measurement_year
    store = workspace.snapshots
    snapshot = store.newest(boundary_table(year), "boundaries") if store is not None else None
    if store is None or snapshot is None:
        text = CATALOGUE.region.outlines_source_nl
        return read_outlines(BUNDLED_OUTLINES).with_columns(source=pl.lit(text)), _file(BUNDLED_OUTLINES)
    found = boundaries.read(list(store.parts(snapshot)), year).outlines
    simple = boundaries.simplify(found.select("region_code", "geometry_wkb"), OUTLINE_TOLERANCE_M)
    return simple.with_columns(source=pl.lit(outlines_source(year))), _snapshot_file(snapshot)


def outlines_source(year: int) -> str:
    """What is printed under a map of fetched outlines."""
    return f"grenzen {year}: CBS/Kadaster, CC BY 4.0"


def _file(path: Path) -> tuple[str, str, int]:
    """A file's name, SHA-256 and size."""
    return path.name, hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size


def _require_population(facts: Facts, workspace: Workspace) -> None:
    if facts.figures.filter(indicator_id=POPULATION).is_empty():
        raise InputError(
            workspace.input_path / FIGURES,
            f"figures of {POPULATION}: a municipality exists in the years in which it has inhabitants",
            column="indicator",
            remedy="Add them: without them no group has members and nothing can be measured.",
        )


def _require_membership(workspace: Workspace) -> None:
    """The publishers' areas that are the region hold exactly its municipalities, in every year at hand."""
    store = workspace.snapshots
    if store is not None and (faults := membership_faults(store, CATALOGUE)):
        raise InputError("region file", "the municipalities that its publishers count to it", remedy=" ".join(faults))


def _require_coverage(collected: Collected, workspace: Workspace) -> None:
    """Nothing that is registered has vanished from what was published; what is new asks for attention."""
    try:
        different = coverage.differences(coverage.read_register(coverage.REGISTER), collected, CATALOGUE)
        coverage.require(different)
    except InputError as error:
        record_input_check(workspace, *_COVERAGE_CHECK, passed=False, message=str(error))
        raise
    record_input_check(workspace, *_COVERAGE_CHECK, passed=True, message="All that is registered is there.")
    news = coverage.sentences(different)
    result = _result(
        "coverage",
        "coverage_is_registered",
        "nothing more or other than catalog/coverage.csv has, so that it cannot vanish unseen later",
        passed=not news,
        message="\n".join([*coverage.shortened(news), f"Accept it: {coverage.UPDATE}"])
        if news
        else "All that is there is registered.",
        severity="warning",
        rows_failed=len(news),
    )
    workspace.write_checks("coverage_news", [result])


def record_input_check(
    workspace: Workspace, asset: str, check_id: str, expected: str, *, passed: bool, message: str
) -> None:
    """Keep whether input could be used, for `btg check`; of a run that stops here there is a quality page too."""
    workspace.write_checks(asset, [_result(asset, check_id, expected, passed=passed, message=message)])
    write_quality_page(
        workspace.read_checks(), workspace.last_run / "quality.html", complete=False, synthetic=workspace.demo
    )


def _result(
    asset: str,
    check_id: str,
    expected: str,
    *,
    passed: bool,
    message: str,
    severity: str = "error",
    observed: str | None = None,
    rows_failed: int | None = None,
) -> dict[str, Any]:
    """A row of `check_result`."""
    return {
        "check_id": check_id,
        "asset": asset,
        "partition": "all",
        "severity": severity,
        "passed": passed,
        "observed": observed,
        "expected": expected,
        "rows_failed": rows_failed,
        "message": message,
    }


def _record_fetch_check(workspace: Workspace) -> None:
    """Which snapshots are older than they should be, because the last time their publisher was asked it failed."""
    store = workspace.snapshots
    if store is None:
        return
    asked = [(table, store.last_check(table)) for table in fetchable(CATALOGUE)]
    failed = [f"{check.message} (asked {check.at})" for _, check in asked if check and check.result == "failed"]
    result = _result(
        "snapshots",
        "last_fetch_succeeded",
        "every table that was asked for came; else its last good snapshot, or the bundle, is measured",
        passed=not failed,
        message="\n".join(failed) or "Every table that was asked for came.",
        severity="warning",
        observed=f"{len(failed)} tables",
        rows_failed=len(failed),
    )
    workspace.write_checks("snapshots", [result])


def raw_inputs(source_tables: list[str]) -> dict[str, dg.AssetIn]:
    """Inputs of an asset that reads these source tables, by their raw names."""
    return {raw_name(table): dg.AssetIn(key=RAW_KEYS[table]) for table in source_tables}


def tables_of(indicator_id: str) -> list[str]:
    """The source tables of an indicator."""
    return [source.source_table for source in CATALOGUE.indicator(indicator_id).sources]
