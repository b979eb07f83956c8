"""The code location: all assets, checks and the main job. Loads without network and without secrets."""

from __future__ import annotations

from collections.abc import Mapping

import dagster as dg

from assets import analysis, core, edition, history, intake, measurement, raw, scores, structure, survey
from assets.tables import OWNER
from assets.workspace import Workspace
from pipelines.checks import table_checks
from pipelines.parquet_io import ParquetTables
from pipelines.settings import CHECKOUT, Settings
from pipelines.watch import inbox_sensor, refresh_job, source_watch, take_in_job

MEASURE = "measure"
_LAYERS = [intake, raw, survey, core, structure, measurement, history, analysis, scores, edition]
_EXECUTORS = {"in_process": dg.in_process_executor, "multiprocess": dg.multiprocess_executor}


def build_definitions(settings: Settings, loggers: Mapping[str, dg.LoggerDefinition] | None = None) -> dg.Definitions:
    """The definitions for these settings; `loggers` replace Dagster's own console log."""
    workspace = Workspace(
        output=str(settings.output),
        input_folder=str(settings.input_folder),
        data_folder=str(settings.data or ""),
        lock_file=str(CHECKOUT / "requirements.lock"),
        demo=settings.demo,
    )
    return dg.Definitions(
        assets=dg.load_assets_from_modules(_LAYERS),
        asset_checks=table_checks(),
        jobs=[
            dg.define_asset_job(
                MEASURE,
                selection=dg.AssetSelection.all() - dg.AssetSelection.groups("intake"),
                description="The whole measurement: sources, checks, indicators, comparisons, the draft edition.",
                owners=[OWNER],
            ),
            refresh_job,
            take_in_job,
        ],
        schedules=[source_watch],
        sensors=[inbox_sensor(workspace.data_folder)],
        resources={"workspace": workspace, "io_manager": ParquetTables(folder=str(workspace.tables))},
        executor=_EXECUTORS[settings.executor],
        loggers=loggers,
    )


defs = build_definitions(Settings.from_environment())
