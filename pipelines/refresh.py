"""Fetching and taking in, for the command line, the schedule and the sensor."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from assets.tables import CATALOGUE
from catalog.layouts import load_layouts
from sources import bundled, watch
from sources.errors import InputError
from sources.facts import read_facts
from sources.fetch import DEADLINE_SECONDS, Outcome, Refresh, fetch, fetchable
from sources.http import Deadline, PoliteClient
from sources.snapshots import SnapshotStore
from sources.take_in import examine, take_in

if TYPE_CHECKING:
    from pipelines.run import FollowStep


class NothingChosenError(ValueError):
    """A source or table that cannot be fetched."""


class UnknownSourceError(ValueError):
    """What is no source_id of the catalogue."""


def choose(names: Sequence[str]) -> list[str]:
    """The tables that are meant by sources (`cbs_income`) or tables (`86161NED`); all without a name.

    Raises NothingChosenError for a name that is neither.
    """
    tables = fetchable(CATALOGUE)
    chosen = [table for name in names for table in _meant(name, tables)]
    return list(dict.fromkeys(chosen)) if names else tables


def _meant(name: str, tables: list[str]) -> list[str]:
    # Boundaries are fetched too, but are no source table: they go by their whole name.
    entries = {table: CATALOGUE.source_tables[table] for table in tables if table in CATALOGUE.source_tables}
    of_source = [table for table, entry in entries.items() if entry.source_id == name]
    ids = {table: entry.service.table_id for table, entry in entries.items() if entry.service}
    found = of_source or [t for t in tables if name.casefold() in (t.casefold(), ids.get(t, t).casefold())]
    if not found:
        known = sorted({entry.source_id for entry in entries.values()})
        raise NothingChosenError(
            f"'{name}' is not something that can be fetched. Sources: {', '.join(known)}; or a table such as 86161NED, "
            f"or its whole name ('{tables[-1]}')."
        )
    return found


def fetch_all(root: Path, tables: Sequence[str], *, force: bool, follow: FollowStep) -> list[Outcome]:
    """Refresh these tables; `follow(event, table, tables)` hears of each that is done."""

    def heard(outcome: Outcome) -> None:
        follow("STEP_SUCCESS", outcome.source_table, len(tables))

    follow("STEP_START", "asking what changed", len(tables))
    with PoliteClient() as client:
        return fetch(Refresh(CATALOGUE, SnapshotStore(root), client, known_figures(), force), tables, heard)


def look_around() -> list[str]:
    """What publishers withdrew or issued anew, in sentences; also where their lists cannot be read."""
    try:
        with PoliteClient() as client:
            return watch.look_around(CATALOGUE, client, Deadline.after(DEADLINE_SECONDS))
    except InputError as error:
        return [f"The publishers' lists of tables could not be read: {error}"]


def add_file(path: Path, root: Path, *, source: str | None, dry_run: bool) -> dict[str, Any]:
    """Take in a delivered file; what it holds, as a dictionary for people and programs.

    Raises UnknownSourceError for a `source` that is not in the catalogue, and an InputError for a file that cannot be
    taken in.
    """
    if source is not None and source not in CATALOGUE.sources:
        raise UnknownSourceError(f"'{source}' is no source. Sources: {', '.join(sorted(CATALOGUE.sources))}.")
    store = SnapshotStore(root)
    entry = examine(path, CATALOGUE, load_layouts(CATALOGUE.source_tables), known_figures(), store, source)
    if not dry_run and not entry.known_already:
        take_in(path, entry, CATALOGUE, store)
    holds = (
        entry.figures.group_by("indicator_id", "period")
        .agg(regions=pl.len(), missing=pl.col("value").is_null().sum())
        .sort("indicator_id", "period")
    )
    return {
        "file": path.name,
        "layout": entry.layout.layout_id,
        "source_table": entry.layout.source_table,
        "synthetic": entry.layout.synthetic,
        "known_already": entry.known_already,
        "kept": not dry_run and not entry.known_already,
        "holds": holds.to_dicts(),
    }


def known_figures() -> pl.DataFrame:
    """The bundled figures, which the size of new ones is held against."""
    return read_facts(bundled.FOLDER, CATALOGUE).figures
