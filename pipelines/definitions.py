"""The code location: all assets, checks and the main job. Loads without network and without secrets."""

from __future__ import annotations

from collections.abc import Mapping

import dagster as dg

from assets import (
    analysis,
    claims,
    core,
    edition,
    history,
    intake,
    measurement,
    programme,
    publication,
    raw,
    revisions,
    scores,
    structure,
    survey,
)
from assets.tables import CATALOGUE, OWNER
from assets.workspace import Workspace
from pipelines.checks import edition_candidate_checks, table_checks
from pipelines.dead_runs import OUTPUT_TAG
from pipelines.parquet_io import ParquetTables
from pipelines.settings import ALONE, CHECKOUT, Settings
from pipelines.watch import inbox_sensor, refresh_job, source_watch, take_in_job, yearly_measurement

MEASURE, PUBLISH = "measure", "publish"
_LAYERS = [
    *(intake, raw, survey, core, structure, measurement, history, analysis, scores),
    programme,
    *(claims, revisions, edition, publication),
]
_EXECUTORS = {ALONE: dg.in_process_executor, "multiprocess": dg.multiprocess_executor}


def build_definitions(settings: Settings, loggers: Mapping[str, dg.LoggerDefinition] | None = None) -> dg.Definitions:
    """The definitions for these settings; `loggers` replace Dagster's own console log."""
    workspace = Workspace(
        output=str(settings.output),
        input_folder=str(settings.input_folder),
        data_folder=str(settings.data or ""),
        lock_file=str(CHECKOUT / "requirements.lock"),
        demo=settings.demo,
        edition=settings.edition,
        tables_only=settings.tables_only,
    )
    # Jobs have it from the start: a run may be killed before it claims the folder.
    writes_to = {OUTPUT_TAG: str(settings.output)}
    published = dg.AssetSelection.assets(*publication.ASSETS)
    # Processes of one run must not keep each other out.
    tables = ParquetTables(folder=str(workspace.tables), output=str(settings.output), alone=settings.executor == ALONE)
    measured = dg.AssetSelection.all() - dg.AssetSelection.groups("intake") - published
    return dg.Definitions(
        assets=dg.load_assets_from_modules(_LAYERS),
        asset_checks=[*table_checks(), edition_candidate_checks],
        jobs=[
            dg.define_asset_job(
                MEASURE,
                selection=measured,
                tags=writes_to,
                description="The whole measurement: sources, checks, indicators, comparisons, the draft edition.",
                owners=[OWNER],
            ),
            dg.define_asset_job(
                PUBLISH,
                selection=published,
                tags=writes_to,
                description="Check the draft once more, and make it a final edition. Say who publishes in its config.",
                owners=[OWNER],
            ),
            refresh_job(writes_to),
            take_in_job(writes_to),
        ],
        schedules=[source_watch, yearly_measurement(measured, CATALOGUE.region.years, writes_to)],
        sensors=[inbox_sensor(workspace.data_folder)],
        resources={"workspace": workspace, "io_manager": tables},
        executor=_EXECUTORS[settings.executor],
        loggers=loggers,
    )


defs = build_definitions(Settings.from_environment())
