"""`btg` within the test's own process: the same code as the command, without starting Python anew."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest
from typer.testing import CliRunner, Result

from pipelines.cli import app

Btg = Callable[..., Result]

# The options of `btg` that are settings of one call.
SETTINGS = ("BTG_OUTPUT", "BTG_INPUT", "BTG_REGION", "BTG_YEAR", "BTG_DEMO")


@pytest.fixture
def btg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Btg:
    """A function that runs `btg` with these arguments; Dagster keeps its administration in memory."""
    return within(monkeypatch, tmp_path)


def within(monkeypatch: pytest.MonkeyPatch, home: Path) -> Btg:
    """`btg` in this process, for as long as the patch lasts; `home` is Dagster's."""
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("BTG_DATA", "")
    monkeypatch.setenv("BTG_DAGSTER_STORAGE", str(home / "dagster"))
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(dg.DagsterInstance, "get", dg.DagsterInstance.ephemeral)

    def run(*arguments: str | Path) -> Result:
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        for name in SETTINGS:
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("BTG_DATA", "")
        return result

    return run


def seen_by_readers(output: Path) -> dict[str, str]:
    """What readers of an output folder see: every file of its editions, by SHA-256."""
    files = [output / "btg.duckdb", *(output / "editions").rglob("*")]
    return {
        path.relative_to(output).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path.is_file()
    }


@pytest.fixture(scope="session")
def fingerprint() -> Callable[[Path], dict[str, str]]:
    """A function that says what readers of an output folder see."""
    return seen_by_readers
