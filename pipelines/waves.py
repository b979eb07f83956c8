"""Taking in waves of the resident survey and deleting their rows, for the command line."""

from __future__ import annotations

import dataclasses
import getpass
import hashlib
import os
from datetime import date
from pathlib import Path
from typing import Any

from assets.tables import CATALOGUE
from catalog.survey_model import Wave
from sources.csv_file import read_bytes
from sources.errors import IncompleteFile, InputError
from sources.names import bundled_names
from sources.survey import check_waves, read_aggregates, read_margins, read_wave
from sources.survey.answers import Answers
from sources.survey.confidential import confidential
from sources.survey.read import columns_needed
from sources.survey.store import KEY, PrivateStore, Record, WaveRefused, wave_sha256
from sources.survey.table import open_table


class UnknownWaveError(ValueError):
    """What is no wave of the catalogue that files are delivered of."""


def delivered_waves() -> dict[str, Wave]:
    """The waves of which files are delivered: those that are not invented."""
    return {name: wave for name, wave in CATALOGUE.survey.waves.items() if not wave.synthetic}


def chosen_wave(wave_id: str) -> Wave:
    """The wave with this id; raises UnknownWaveError."""
    known = delivered_waves()
    if wave_id not in known:
        listed = ", ".join(known) or "none yet: describe it in catalog/survey (docs/survey.md)"
        raise UnknownWaveError(f"'{wave_id}' is no wave of the survey. Waves: {listed}.")
    return known[wave_id]


def recognise(path: Path) -> Wave | None:
    """The wave whose columns a file has; None where it has those of none. Raises UnknownWaveError for several."""
    fitting = [wave for wave in delivered_waves().values() if _fits(path, wave)]
    if len(fitting) > 1:
        listed = ", ".join(wave.wave_id for wave in fitting)
        raise UnknownWaveError(f"{path.name} has the columns of several waves: {listed}. Say which it is: --wave.")
    return fitting[0] if fitting else None


def _fits(path: Path, wave: Wave) -> bool:
    try:
        open_table(path, path.name, columns_needed(wave))
    except InputError:
        return False
    return True


def add_wave(
    path: Path,
    root: Path,
    wave: Wave,
    *,
    margins: Path | None,
    dry_run: bool,
    replace: bool,
    again: bool,
) -> dict[str, Any]:
    """Read a wave's file as a run will, and keep it in the private folder; what was found, without any answer.

    Raises an InputError where it cannot be taken in.
    """
    with confidential(InputError, OSError):
        return _add_wave(path, root, wave, margins=margins, dry_run=dry_run, replace=replace, again=again)


def _add_wave(
    path: Path, root: Path, wave: Wave, *, margins: Path | None, dry_run: bool, replace: bool, again: bool
) -> dict[str, Any]:
    names, region, settings = bundled_names(), CATALOGUE.region, CATALOGUE.survey.settings
    store = PrivateStore(root, os.environ.get(KEY))
    sha256 = hashlib.sha256(read_bytes(path)).hexdigest()
    if wave.kind == "aggregates":
        names_of_themes = {theme.theme_id: theme.name_nl for theme in CATALOGUE.themes}
        dimensions = {
            names_of_themes[indicator.theme_id]: indicator.indicator_id
            for indicator in CATALOGUE.indicators
            if indicator.theme_id and indicator.indicator_id in {d.indicator for d in wave.dimensions}
        }
        table = read_aggregates(path, wave, settings, region, names, dimensions)
        _refuse_twice(store, wave, path, sha256, replace=replace)
        if not dry_run:
            made_from = {"file": sha256, "wave": wave_sha256(wave)}
            store.keep_estimates(wave.wave_id, {"aggregates": table}, made_from)
        return {
            **_about(path, wave, dry_run=dry_run),
            "rows": table.height,
            "dropped": [],
            "notes": _notes_on_dates(wave),
        }
    answers = read_wave(path, wave, region, names)
    population = read_margins(margins, wave, settings, region, names) if margins else store.margins(wave.wave_id)
    delivered = [
        margin.name for margin in (wave.calibration.margins if wave.calibration else []) if not margin.official
    ]
    if delivered and population is None:
        raise IncompleteFile(
            f"wave {wave.wave_id}, {path.name}",
            f"the population numbers that its weights must add up to ({', '.join(delivered)})",
            remedy="Give them too: --margins FILE (docs/survey.md).",
        )
    if others := _others(store, wave):
        check_waves([*others, dataclasses.replace(answers, frame=store.pseudonymised(answers.frame))])
    if not dry_run:
        store.keep(answers.frame, wave, path.name, sha256, replace_standing=replace, again=again)
        if population is not None:
            store.keep_margins(wave.wave_id, population)
    return {
        **_about(path, wave, dry_run=dry_run),
        "rows": answers.frame.height,
        "dropped": answers.dropped,
        "notes": [*answers.notes, *_notes_on_dates(wave)],
    }


def _notes_on_dates(wave: Wave) -> list[str]:
    years, notes = CATALOGUE.region.years, []
    if wave.measurement_year not in years:
        known = f"{years[0]} to {years[-1]}"
        notes.append(f"{wave.measurement_year} is no measurement year of the region ({known}): not measured yet")
    if wave.retention_until is not None and wave.retention_until < date.today():  # noqa: DTZ011
        notes.append(f"its answers could be kept until {wave.retention_until}: delete them with btg forget --due")
    return notes


def _refuse_twice(store: PrivateStore, wave: Wave, path: Path, sha256: str, *, replace: bool) -> None:
    """Tables of the institute are replaced on purpose only."""
    standing = store.estimates(wave.wave_id)
    if standing is not None and (standing.fingerprint["file"] == sha256 or not replace):
        same = standing.fingerprint["file"] == sha256
        raise WaveRefused(
            f"wave {wave.wave_id}, {path.name}",
            "a file that is not yet kept" if same else "no tables of this wave yet; others are kept",
            remedy=f"Nothing was changed. {'This file was' if same else 'Those were'} added on {standing.kept_at[:10]}."
            + ("" if same else " Replace them on purpose: --replace."),
        )


def _about(path: Path, wave: Wave, *, dry_run: bool) -> dict[str, Any]:
    return {"file": path.name, "wave_id": wave.wave_id, "title": wave.title, "kind": wave.kind, "kept": not dry_run}


def _others(store: PrivateStore, wave: Wave) -> list[Answers]:
    """The rows of the other waves that are kept, to hold a new one against."""
    return [
        Answers(name, record.file_name, store.rows(name), other.panel_of)
        for name, other in delivered_waves().items()
        if name != wave.wave_id and (record := store.record(name)) is not None and record.deleted_at is None
    ]


def kept_waves(root: Path) -> list[Record]:
    """What is kept of every wave."""
    return PrivateStore(root, os.environ.get(KEY)).waves()


def due_waves(root: Path) -> list[Record]:
    """The waves whose rows are kept longer than they may be."""
    return PrivateStore(root, os.environ.get(KEY)).due(date.today())  # noqa: DTZ011 - the day at the desk it runs on


def kept_tables(root: Path) -> list[str]:
    """The waves of which tables of the institute are kept."""
    store = PrivateStore(root)
    of_tables = [name for name, wave in delivered_waves().items() if wave.kind == "aggregates"]
    return [name for name in of_tables if store.has_estimates(name)]


def forget_wave(root: Path, wave_id: str, *, by: str | None, reason: str, without_estimates: bool) -> Record:
    """Delete the rows of a wave, and log that it was done. Raises WaveRefused where no estimates were made of them."""
    store = PrivateStore(root, os.environ.get(KEY))
    if not without_estimates and not store.has_estimates(wave_id):
        raise WaveRefused(
            f"wave {wave_id}",
            "estimates made of its answers, which stay when they are deleted; there are none yet",
            remedy="Measure first (btg measure), or delete them all the same: --without-estimates.",
        )
    return store.forget(wave_id, today=date.today(), by=by or getpass.getuser(), reason=reason)  # noqa: DTZ011
