"""Runs that were killed, in Dagster's history: it does not see that their process is gone, and would start no other."""

from __future__ import annotations

from pathlib import Path

import dagster as dg

# By which a run says in the history which output folder it writes to.
OUTPUT_TAG = "btg/output"
_UNFINISHED = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]


def claim(instance: dg.DagsterInstance, run_id: str, output: Path) -> None:
    """Say in the history that this run writes to `output`, and end the others; call it while holding that folder."""
    end_dead_runs(instance, output)
    instance.add_run_tags(run_id, {OUTPUT_TAG: str(output)})


def end_dead_runs(instance: dg.DagsterInstance, output: Path) -> None:
    """Say in the history that other runs to `output` failed: whoever holds the folder knows that none is alive."""
    unfinished = dg.RunsFilter(tags={OUTPUT_TAG: str(output)}, statuses=_UNFINISHED)
    for run in instance.get_runs(unfinished):
        instance.report_run_failed(run, "The process of this run was killed. The last edition is untouched.")
