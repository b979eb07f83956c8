"""Runs that were killed, in Dagster's history: it does not see that their process is gone, and would start no other."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import dagster as dg

from reports.output_lock import AnotherRunIsBusy, hold

# By which a run says in the history which output folder it writes to.
OUTPUT_TAG = "btg/output"
_UNFINISHED = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]


def claim(instance: dg.DagsterInstance, run_id: str, output: Path) -> None:
    """Say in the history that this run writes to `output`, and end the others; call it while holding that folder."""
    end_dead_runs(instance, output, but=run_id)
    instance.add_run_tags(run_id, {OUTPUT_TAG: str(output)})


def end_what_was_killed(output: Path) -> None:
    """The same where nobody runs now; else one run that was killed would keep all later ones waiting."""
    if output.is_dir():
        with suppress(AnotherRunIsBusy), hold(output, "btg ui"), dg.DagsterInstance.get() as instance:
            end_dead_runs(instance, output)


def end_dead_runs(instance: dg.DagsterInstance, output: Path, but: str | None = None) -> None:
    """Say in the history that the runs to `output` failed: whoever holds the folder knows that none is alive.

    `but`: its own run, which has the tag already where it repeats another one.
    """
    unfinished = dg.RunsFilter(tags={OUTPUT_TAG: str(output)}, statuses=_UNFINISHED)
    for run in instance.get_runs(unfinished):
        if run.run_id != but:
            instance.report_run_failed(run, "The process of this run was killed. What it made: btg editions")
