"""`btg ui` is for this machine only, unless somebody says otherwise: then it says what that means."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from pipelines.dead_runs import OUTPUT_TAG
from reports.output_lock import hold

if TYPE_CHECKING:
    from pathlib import Path

    from tests.pipelines.conftest import Btg


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that are run in place of Dagster."""
    commands: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)
    return commands


def address(started: list[list[str]]) -> tuple[str, str]:
    """Where Dagster was told to listen."""
    (command,) = started
    assert command[:3] == [sys.executable, "-m", "dagster"]
    assert command.count("-h") == command.count("-p") == 1
    return command[command.index("-h") + 1], command[command.index("-p") + 1]


def test_the_interface_listens_on_this_machine_only(btg: Btg, started: list[list[str]], tmp_path: Path) -> None:
    result = btg("ui", "--output", tmp_path)
    assert result.exit_code == 0, result.output
    assert address(started) == ("127.0.0.1", "3000")
    assert "http://127.0.0.1:3000" in result.stderr
    assert "password" not in result.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "btg.example.org"])  # noqa: S104
def test_who_lets_others_in_is_told_what_they_can_do(
    btg: Btg, started: list[list[str]], tmp_path: Path, host: str
) -> None:
    result = btg("ui", "--host", host, "--port", "3001", "--output", tmp_path)
    assert address(started) == (host, "3001")
    said = " ".join(result.stderr.split())
    assert f"Everybody who can reach {host}:3001 can start runs and publish: there is no password" in said


def test_a_run_that_was_killed_does_not_keep_those_of_the_interface_waiting(
    btg: Btg, started: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dagster starts one run at a time, and does not see that the process of this one is gone."""

    @dg.job
    def nothing() -> None: ...

    output = tmp_path / "output"
    output.mkdir()
    (tmp_path / "history").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "history")) as instance:
        run = instance.create_run_for_job(nothing, tags={OUTPUT_TAG: str(output)}, status=dg.DagsterRunStatus.STARTED)
        monkeypatch.setattr(dg.DagsterInstance, "get", lambda: nullcontext(instance))
        with ThreadPoolExecutor(1) as another:
            busy = hold(output, "another run")
            another.submit(busy.__enter__).result()
            assert btg("ui", "--output", output).exit_code == 0
            alive = instance.get_run_by_id(run.run_id)
            another.submit(busy.__exit__, None, None, None).result()
        assert btg("ui", "--output", output).exit_code == 0
        ended = instance.get_run_by_id(run.run_id)
    assert alive is not None
    assert alive.status is dg.DagsterRunStatus.STARTED
    assert ended is not None
    assert ended.status is dg.DagsterRunStatus.FAILURE
