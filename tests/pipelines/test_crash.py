"""Killed at any moment of writing: every reader sees one whole edition. A short version of `benchmarks/crash.py`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.conftest import CHECKOUT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="victims are forked, which Windows cannot"),
]


def test_readers_see_one_whole_edition_however_often_writing_is_killed(
    edition_from_folder: Path, tmp_path: Path
) -> None:
    """Killed before and after each moment at which readers get something new, of a run and of publishing."""
    figures = edition_from_folder.with_name("delivered")
    command = [
        sys.executable,
        "-m",
        "benchmarks.crash",
        "--of",
        edition_from_folder,
        "--input",
        figures,
        "--kills",
        "2",
    ]
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    done = subprocess.run(
        command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stdout + done.stderr
    counted = {said: int(number) for number, said in re.findall(r"^ *(\d+)  (.+)$", done.stdout, re.MULTILINE)}
    (reads,) = [number for said, number in counted.items() if said.startswith("reads by 4 readers")]
    assert reads > 100
    assert counted["killed: file operation of the edition"] >= 4
    assert counted["killed: file operation of publishing"] >= 4
    assert counted["failed reads"] == 0
    assert counted["reads of two editions at once"] == 0
    assert counted["damaged files or editions"] == 0
    assert counted["runs that went on after a kill, without hand work"] == 1
