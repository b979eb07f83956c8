"""Runs the main job in this process, follows its steps, and says what came of it."""

from __future__ import annotations

import gc
import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import dagster as dg
import sqlalchemy
from filelock import FileLock, Timeout

from assets.tables import CATALOGUE
from assets.workspace import Workspace
from pipelines.definitions import MEASURE, build_definitions
from pipelines.settings import Settings, prepare_dagster_home
from reports.edition_folder import EditionInUse, restore

if TYPE_CHECKING:
    import polars as pl
    from dagster import ExecuteInProcessResult

_INTERRUPTIONS = ("DagsterExecutionInterruptedError", "KeyboardInterrupt")
# What a run tells on the way: the event, the step, and how many steps there are.
FollowStep = Callable[[str, str, int], None]


class AnotherRunIsBusy(RuntimeError):  # noqa: N818 - says what is the matter
    """Another run is writing to the same output folder."""


class OutputNotUsable(RuntimeError):  # noqa: N818 - says what is the matter
    """The output folder cannot be made or written to."""


@dataclass(frozen=True)
class Outcome:
    """What came of a run: whether an edition was made, its checks, and the reasons why not."""

    succeeded: bool
    workspace: Workspace
    checks: pl.DataFrame
    reasons: list[str] = field(default_factory=list)


def measure(settings: Settings, follow: FollowStep) -> Outcome:
    """Run the whole measurement; `follow(event, step, steps)` hears of every step that starts or ends.

    Raises AnotherRunIsBusy, OutputNotUsable and KeyboardInterrupt. Everything else that goes wrong is in the outcome:
    no edition is made then, and the one that stands is untouched.
    """
    # A run keeps nearly everything it makes: looking for garbage as often as usual costs a tenth of its time.
    gc.set_threshold(100_000, 50, 50)
    _hasten_history()
    prepare_dagster_home()
    try:
        settings.output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputNotUsable(f"{settings.output}: cannot be used as output folder ({error.strerror})") from error
    steps: list[str] = []
    definitions = build_definitions(settings, loggers={"console": _follower(follow, steps)})
    job = definitions.resolve_job_def(MEASURE)
    steps += job.graph.node_dict
    workspace = _workspace(definitions)
    years = [str(year) for year in CATALOGUE.region.years]
    try:
        with FileLock(settings.output / ".lock", timeout=0), dg.DagsterInstance.get() as instance:
            restore(workspace.root / "editions" / workspace.draft_name)
            result = job.execute_in_process(
                instance=instance,
                tags={
                    "dagster/asset_partition_range_start": years[0],
                    "dagster/asset_partition_range_end": years[-1],
                },
                run_config={"loggers": {"console": {}}},
                raise_on_error=False,
            )
    except Timeout as error:
        raise AnotherRunIsBusy(f"another run is writing to {settings.output}; wait until it is done") from error
    if _was_interrupted(result):
        raise KeyboardInterrupt
    checks = workspace.read_checks()
    reasons = [] if result.success else _reasons(result, checks, workspace)
    return Outcome(result.success, workspace, checks, reasons)


def _hasten_history() -> None:
    """Let Dagster's history not wait for the disk: a thousand small commits cost a run two seconds.

    What a power failure could damage is the list of past runs in `.dagster_home`, never an edition.
    """
    if not sqlalchemy.event.contains(sqlalchemy.Engine, "connect", _do_not_wait):
        sqlalchemy.event.listen(sqlalchemy.Engine, "connect", _do_not_wait)


def _do_not_wait(connection: object, _: object) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous=OFF")


def _workspace(definitions: dg.Definitions) -> Workspace:
    return cast(Workspace, (definitions.resources or {})["workspace"])


def _was_interrupted(result: ExecuteInProcessResult) -> bool:
    """Whether Ctrl-C stopped a step: Dagster reports it as a failure of that step."""
    failures = [event.step_failure_data.error for event in result.all_events if event.is_step_failure]
    return any(error is not None and error.cls_name in _INTERRUPTIONS for error in failures)


def _reasons(result: ExecuteInProcessResult, checks: pl.DataFrame, workspace: Workspace) -> list[str]:
    """Why the run stopped, in sentences for the analyst: failed checks first, else what broke."""
    failed = checks.filter(~checks["passed"] & (checks["severity"] == "error"))
    if failed.height:
        return failed["message"].to_list()
    details, reasons = [], []
    for event in result.all_events:
        if event.is_step_failure and event.step_failure_data.error:
            error = event.step_failure_data.error
            details.append(f"step {event.step_key}\n{error.to_string()}")
            root = error
            while root.cause:
                root = root.cause
            if root.cls_name == EditionInUse.__name__:
                return [root.message.partition(": ")[2].strip()]
            reasons.append(f"step {event.step_key}: {root.message.strip()}")
    log = workspace.last_run / "error.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("\n\n".join(details), encoding="utf-8")
    return [*reasons, f"This is a fault in the software, not in your data. Please report it with {log}."]


def _follower(follow: FollowStep, steps: list[str]) -> dg.LoggerDefinition:
    """A Dagster logger that prints nothing and passes on the start and end of every one of `steps`."""

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            event: Any = getattr(record, "dagster_meta", {}).get("dagster_event")
            if event is not None and event.event_type_value in ("STEP_START", "STEP_SUCCESS", "STEP_FAILURE"):
                follow(event.event_type_value, event.step_key or "", len(steps))

    def make(_: dg.InitLoggerContext) -> logging.Logger:
        logger = logging.getLogger("btg.run")
        logger.setLevel(logging.DEBUG)
        logger.propagate = False
        logger.handlers = [Handler()]
        return logger

    return dg.LoggerDefinition(make, description="Follows the steps of a run for the command line.")
