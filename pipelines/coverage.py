"""`btg coverage`: the figures at hand against the register of coverage, and the register made anew."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

from assets.tables import CATALOGUE
from pipelines.settings import Settings
from sources import bundled, coverage
from sources.collect import Collected, collect
from sources.facts import read_facts
from sources.snapshots import SnapshotStore


@dataclass(frozen=True)
class Report:
    """How the figures at hand differ from the register.

    shortfalls would stop a run, news ask for attention; changes are the lines of the register that were rewritten, and
    rows the differences themselves (columns of `sources.coverage.compare`).
    """

    register: Path
    shortfalls: list[str]
    news: list[str]
    rows: list[dict[str, Any]]
    changes: list[str] = field(default_factory=list)


def report(settings: Settings) -> Report:
    """Hold what `btg measure` would read against the register; raises InputError where that cannot be trusted."""
    collected, _ = _collected(settings)
    return _report(coverage.read_register(coverage.REGISTER), collected)


def update(settings: Settings) -> Report:
    """Make the register anew from what `btg measure` would read, and say what changed; raises InputError, OSError."""
    collected, alone = _collected(settings)
    register = coverage.REGISTER
    before = coverage.read_register(register) if register.exists() else pl.DataFrame(schema=coverage.SCHEMA)
    counts = coverage.count(alone, CATALOGUE), coverage.count(collected, CATALOGUE)
    after = coverage.renewed(before, *counts, collected, CATALOGUE)
    changes = coverage.changes(before, after)
    if changes or not register.exists():
        coverage.write_register(after, register)
    return replace(_report(before, collected), changes=changes)


def _collected(settings: Settings) -> tuple[Collected, Collected]:
    """All figures of a run, and those it would have without snapshots."""
    bundled.verify()
    facts = read_facts(settings.input_folder, CATALOGUE)
    alone = collect(CATALOGUE, facts, None)
    store = SnapshotStore(settings.data) if settings.data is not None else None
    return (collect(CATALOGUE, facts, store) if store is not None and store.has_any else alone), alone


def _report(register: pl.DataFrame, collected: Collected) -> Report:
    different = coverage.differences(register, collected, CATALOGUE)
    stops = pl.col("kind").is_in(coverage.BLOCKING)
    return Report(
        coverage.REGISTER,
        shortfalls=coverage.sentences(different.filter(stops)),
        news=coverage.sentences(different.filter(~stops)),
        rows=different.to_dicts(),
    )
