"""`make clean` removes what can be made again, and never what was measured or fetched."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import CHECKOUT

KEPT = [
    *("output/btg.duckdb", "output/editions/2025-1/btg.duckdb", "output/__pycache__/x", "data/__pycache__/x"),
    *("data/objects/ab/abcd.gz", "data/snapshots/cbs/20260101T000000Z-abcd.json", "data/private/survey/record.json"),
    *("data/inbox/ww.xlsx", "data/.mypy_cache/x", "output/build/x", ".git/objects/x", "catalog/region.yaml"),
]
REMOVED = [".venv/bin/btg", ".venv/runtime.stamp", ".dagster_home/history/runs.db", ".pytest_cache/x"]
REMOVED += ["pipelines/__pycache__/x.pyc", "notebooks/.ipynb_checkpoints/x.ipynb", "btg.egg-info/x"]


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_make_clean_leaves_output_and_data_alone(tmp_path: Path) -> None:
    shutil.copy(CHECKOUT / "Makefile", tmp_path)
    for name in (*KEPT, *REMOVED):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    subprocess.run(["make", "clean"], cwd=tmp_path, check=True, capture_output=True, timeout=60)
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"Makefile", *KEPT}
    assert all((tmp_path / name).read_text() == name for name in KEPT)
