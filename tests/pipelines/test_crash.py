"""Killed at any moment of writing: every reader sees one whole edition. A short version of `benchmarks/crash.py`."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING

import pytest

from tests.conftest import CHECKOUT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Run, Runs

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="victims are forked, which Windows cannot"),
]


def _killed(runs: Runs, folder: Path) -> Run:
    measured = runs.run("edition_from_folder").succeeded().output
    benchmark = (sys.executable, "-m", "benchmarks.crash", "--kills", "2")
    of = ("--of", measured, "--input", measured.with_name("delivered"))
    return runs.command(*benchmark, *of, output=measured, env={"TMPDIR": str(folder)}, cwd=CHECKOUT)


WHOLE_RUNS = {"killed": _killed}


@pytest.fixture(scope="session")
def killed(runs: Runs) -> Run:
    """The benchmark on an edition, killing only before and after what readers see, of a run and of publishing."""
    return runs.run("killed")


def test_readers_see_one_whole_edition_however_often_writing_is_killed(killed: Run) -> None:
    assert killed.returncode == 0, killed.said
    counted = {said: int(number) for number, said in re.findall(r"^ *(\d+)  (.+)$", killed.stdout, re.MULTILINE)}
    (reads,) = [number for said, number in counted.items() if said.startswith("reads by 4 readers")]
    assert reads > 100
    assert counted["killed: file operation of the edition"] >= 4
    assert counted["killed: file operation of publishing"] >= 4
    assert counted["failed reads"] == 0
    assert counted["reads of two editions at once"] == 0
    assert counted["damaged files or editions"] == 0
    assert counted["runs that went on after a kill, without hand work"] == 1
