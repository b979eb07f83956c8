"""Runs the main job in this process, follows its steps, and says what came of it."""

from __future__ import annotations

import gc
import logging
import os
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import dagster as dg
import sqlalchemy

from assets.edition import Unfinished, finish_what_was_cut_off
from assets.publication import NotPublishable
from assets.tables import CATALOGUE
from assets.workspace import MixedRuns, Workspace
from pipelines.definitions import MEASURE, build_definitions
from pipelines.settings import Settings, prepare_dagster_home
from pipelines.signals import Terminated, asked_to_stop
from pipelines.storage import HISTORY, StorageFault, storage_fault, storage_faults, vanished
from reports.edition_folder import EditionInUse
from reports.editions import DamagedEdition
from reports.output_lock import AnotherRunIsBusy, hold

if TYPE_CHECKING:
    import polars as pl
    from dagster import ExecuteInProcessResult
    from dagster_shared.error import SerializableErrorInfo

__all__ = ["AnotherRunIsBusy", "Outcome", "OutputNotUsable", "StorageFault", "Terminated", "execute", "measure"]

_INTERRUPTIONS = {"DagsterExecutionInterruptedError", "KeyboardInterrupt", Terminated.__name__}
# What a step refuses in words that are meant for the user.
_IN_WORDS = {
    kind.__name__ for kind in (AnotherRunIsBusy, EditionInUse, DamagedEdition, MixedRuns, Unfinished, NotPublishable)
}
# What a run tells on the way: the event, the step, and how many steps there are.
FollowStep = Callable[[str, str, int], None]
Say = Callable[[str], None]
UNTOUCHED = "The last edition is untouched."


class OutputNotUsable(RuntimeError):  # noqa: N818 - says what is the matter
    """The output folder cannot be made or written to."""


@dataclass(frozen=True)
class Outcome:
    """What came of a run: whether all went well, whether a draft was made, its checks, and the reasons why not.

    A draft may be made and not offered to readers: the reason says so.
    """

    succeeded: bool
    made: bool
    workspace: Workspace
    checks: pl.DataFrame
    reasons: list[str] = field(default_factory=list)


def measure(settings: Settings, follow: FollowStep, say: Say | None = None) -> Outcome:
    """Run the whole measurement; what goes wrong with the data or the software is in the outcome.

    No edition is made then, and the one that stands is untouched. Raises what `execute` raises.
    """
    years = [str(year) for year in CATALOGUE.region.years]
    all_years = {"dagster/asset_partition_range_start": years[0], "dagster/asset_partition_range_end": years[-1]}
    result, workspace = execute(settings, MEASURE, follow, say, tags=all_years)
    checks = workspace.read_checks()
    reasons = [] if result.success else _reasons(result, checks, workspace)
    return Outcome(result.success, workspace.was_completed_by(result.run_id), workspace, checks, reasons)


def execute(
    settings: Settings,
    job_name: str,
    follow: FollowStep,
    say: Say | None = None,
    *,
    tags: Mapping[str, str] | None = None,
    run_config: Mapping[str, Any] | None = None,
) -> tuple[ExecuteInProcessResult, Workspace]:
    """Run a job as the only writer to the output folder, in this process.

    `follow(event, step, steps)` hears of every step that starts or ends; `say` what the user should know before it
    begins. Raises AnotherRunIsBusy, OutputNotUsable, StorageFault, KeyboardInterrupt and Terminated (SIGTERM); the
    standing editions are untouched then.
    """
    # A run keeps nearly everything it makes: looking for garbage as often as usual costs a tenth of its time.
    gc.set_threshold(100_000, 50, 50)
    _hasten_history()
    _prepare_folders(settings)
    steps: list[str] = []
    definitions = build_definitions(settings, loggers={"console": _follower(follow, steps)})
    job = definitions.resolve_job_def(job_name)
    steps += job.graph.node_dict
    workspace = _workspace(definitions)
    with (
        storage_faults(settings.output, UNTOUCHED),
        hold(settings.output, f"btg {job_name}") as left_behind,
        asked_to_stop() as asked,
    ):
        if left_behind and say:
            say(f"A run before did not come to its end ({left_behind}). Nothing needs to be done about it.")
        finish_what_was_cut_off(settings.output)
        with dg.DagsterInstance.get() as instance:
            result = job.execute_in_process(
                instance=instance,
                tags=tags,
                run_config={"loggers": {"console": {}}, **(run_config or {})},
                raise_on_error=False,
            )
        if not result.success:
            _raise_what_stopped(result, asked(), workspace)
    return result, workspace


def _prepare_folders(settings: Settings) -> None:
    """Make the folders of output and of Dagster's history; raises OutputNotUsable and StorageFault."""
    try:
        settings.output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        if told := storage_fault(str(error), settings.output):
            raise StorageFault(told) from error
        raise OutputNotUsable(f"{settings.output}: cannot be used as output folder ({error.strerror})") from error
    try:
        prepare_dagster_home()
    except OSError as error:
        raise StorageFault(f"{os.environ['BTG_DAGSTER_STORAGE']}: {HISTORY} ({error.strerror})") from error


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


def _raise_what_stopped(
    result: ExecuteInProcessResult, asked: type[KeyboardInterrupt] | None, workspace: Workspace
) -> None:
    """Raise what stopped a run from outside: a signal (Dagster reports it as a failure of a step), or the storage."""
    errors = [error for _, error in root_errors(result)]
    made = workspace.was_completed_by(result.run_id)
    standing = f"The draft {workspace.draft_name} was made before that." if made else UNTOUCHED
    if asked or any(error.cls_name in _INTERRUPTIONS for error in errors):
        raise (asked or KeyboardInterrupt)(standing)
    for error in errors:
        if error.cls_name in _IN_WORDS:
            return
        if told := storage_fault(error.message, workspace.root) or vanished(workspace.root):
            raise StorageFault(f"{told} {standing}")


def _step_errors(result: ExecuteInProcessResult) -> list[tuple[str, SerializableErrorInfo]]:
    """Every step that failed, with its error; of a run that failed before its first step what kept it from that."""
    failures = [(event.step_key or "", event.step_failure_data) for event in result.all_events if event.is_step_failure]
    of_steps = [(step, data.error) for step, data in failures if data.error is not None]
    before = [(event.step_key or "", getattr(event.event_specific_data, "error", None)) for event in result.all_events]
    return of_steps or [(step, error) for step, error in before if error is not None]


def root_errors(result: ExecuteInProcessResult) -> list[tuple[str, SerializableErrorInfo]]:
    """Every step that failed, with the error to tell: one in words for the user, else the first cause."""
    return [(step, _to_tell(error)) for step, error in _step_errors(result)]


def _to_tell(error: SerializableErrorInfo) -> SerializableErrorInfo:
    return error if error.cls_name in _IN_WORDS or error.cause is None else _to_tell(error.cause)


def words_of(error: SerializableErrorInfo) -> str:
    """What an error says, without the name of its class."""
    return error.message.partition(": ")[2].strip() or error.message.strip()


def _reasons(result: ExecuteInProcessResult, checks: pl.DataFrame, workspace: Workspace) -> list[str]:
    """Why the run stopped, in sentences for the analyst: failed checks first, else what broke."""
    failed = checks.filter(~checks["passed"] & (checks["severity"] == "error"))
    if failed.height:
        return failed["message"].to_list()
    reasons = []
    for step, error in root_errors(result):
        if error.cls_name in _IN_WORDS:
            return [words_of(error)]
        reasons.append(f"step {step}: {error.message.strip()}" if step else error.message.strip())
    log = workspace.last_run / "error.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    details = [f"step {step}\n{error.to_string()}" for step, error in _step_errors(result)]
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
