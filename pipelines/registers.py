"""Taking in the registers of programme bureaus and writing their template, for the command line."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from assets.tables import CATALOGUE
from catalog.programme_model import Programme
from catalog.register_model import load_register_layout
from sources.errors import PeriodError
from sources.register import Register, combine
from sources.register.bundled import EXAMPLE, bundled_register
from sources.register.faults import InventedRegister
from sources.register.opened import parts_of
from sources.register.read import read_parts
from sources.register.store import is_kept, keep, newest_snapshots, read_snapshot
from sources.register.template import write_template
from sources.snapshots import Snapshot, SnapshotStore


class NoProgrammeError(ValueError):
    """The region has no programme, so nothing that a register could be about."""


def add_register(path: Path, root: Path, *, dry_run: bool) -> dict[str, Any]:
    """Read the register of a bureau, hold it against those of the others, and keep it; what it holds.

    Raises NoProgrammeError, or an InputError where it cannot be taken in: also for an invented one.
    """
    programme, municipalities = _programme()
    layout, parts = load_register_layout(), parts_of(path)
    register = read_parts(parts, str(path), programme, municipalities)
    if register.synthetic:
        raise InventedRegister(
            path,
            "nee: this register says that it is invented",
            column="Verzonnen",
            value="ja",
            remedy="Invented registers are for btg measure --demo only. Is it real after all? Then write nee there.",
        )
    if register.as_of > date.today():  # noqa: DTZ011 - the day at the desk it runs on
        raise PeriodError(
            path,
            "a day that has come: what is in the register has happened",
            column="Peildatum",
            value=register.as_of.isoformat(),
            remedy="Write the day on which all of this was so.",
        )
    store = SnapshotStore(root)
    others = newest_snapshots(store)
    standing = others.pop(register.bureau, None)
    combine([register, *(read_snapshot(store, each, programme, municipalities) for each in others.values())])
    known_already = standing is not None and is_kept(store, standing, parts)
    if not dry_run and not known_already:
        keep(store, path, register)
    return {
        "file": path.name,
        "register": register.bureau,
        "lines": list(register.lines),
        "as_of": register.as_of.isoformat(),
        "rows": {layout.sheet(name).name: frame.height for name, frame in register.frames.items()},
        "notes": [] if standing is None or known_already else _notes(register, standing),
        "known_already": known_already,
        "kept": not dry_run and not known_already,
    }


def make_template(path: Path, *, example: bool) -> None:
    """Write the template, empty or filled with an invented register; raises NoProgrammeError or an InputError."""
    programme, municipalities = _programme()
    filled = bundled_register(EXAMPLE, programme, municipalities) if example else None
    write_template(path, programme, municipalities, filled)


def _notes(register: Register, standing: Snapshot) -> list[str]:
    """What whoever adds it should know of the register of this bureau that it takes the place of."""
    day = str(standing.details["as_of"])
    older = "; this one is OLDER: is it the right file?" if day > register.as_of.isoformat() else ""
    return [f"takes the place of the one of {day}{older}"]


def _programme() -> tuple[Programme, Mapping[str, str]]:
    """The programme and the municipalities of the region; raises NoProgrammeError."""
    if CATALOGUE.programme is None:
        raise NoProgrammeError(
            f"{CATALOGUE.region.name_nl} has no programme, so there is no register: name its file in the region file "
            "(`programme: programme.yaml`)."
        )
    return CATALOGUE.programme, CATALOGUE.region.municipalities
