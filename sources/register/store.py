"""The registers that were taken in: the newest of every bureau, kept as it came."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from catalog.programme_model import Programme
from sources.register.combine import combine
from sources.register.frames import Register, Registers
from sources.register.opened import parts_of
from sources.register.read import read_parts
from sources.snapshots import Part, Snapshot, SnapshotStore, now, slug

_TABLE = "BTG register "


def stored_registers(store: SnapshotStore, programme: Programme, municipalities: Mapping[str, str]) -> Registers:
    """The newest register of every bureau; without rows where there is none. Raises an InputError."""
    newest = newest_snapshots(store).values()
    return combine([read_snapshot(store, snapshot, programme, municipalities) for snapshot in newest])


def newest_snapshots(store: SnapshotStore) -> dict[str, Snapshot]:
    """Of every bureau its newest snapshot."""
    folders = sorted((store.root / "snapshots").glob(f"{slug(_TABLE)}_*"))
    return {
        snapshot.source_table.removeprefix(_TABLE): snapshot for folder in folders for snapshot in store.of(folder.name)
    }


def read_snapshot(
    store: SnapshotStore, snapshot: Snapshot, programme: Programme, municipalities: Mapping[str, str]
) -> Register:
    """The register of a snapshot, read as when it was taken in; raises an InputError."""
    parts = {part.role: part.body for part in store.parts(snapshot)}
    place = f"{snapshot.source_table} ({snapshot.details['file']}, taken in on {snapshot.retrieved_at[:10]})"
    return read_parts(parts, place, programme, municipalities)


def is_kept(store: SnapshotStore, snapshot: Snapshot, parts: Mapping[str, bytes]) -> bool:
    """Whether a snapshot is made of these bytes, and they are undamaged."""
    kept = {part.role: part.sha256 for part in snapshot.parts}
    given = {role: hashlib.sha256(body).hexdigest() for role, body in parts.items()}
    return kept == given and all(map(store.holds, kept.values()))


def keep(store: SnapshotStore, path: Path, register: Register) -> Snapshot:
    """Keep the bytes of a register that was read from `path`."""
    return store.add(
        f"{_TABLE}{register.bureau}",
        "delivered",
        [Part(role, path.name, body, "application/octet-stream", now()) for role, body in parts_of(path).items()],
        title=f"Register van {register.bureau}",
        url="",
        licence="Not published: made public in the report only",
        modified_at=None,
        fingerprint="",
        request="register",
        details={"file": path.name, "as_of": register.as_of.isoformat()},
    )
