"""Takes in a delivered file: recognised by its content, read as a run will read it, and only then kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from catalog import Catalogue
from catalog.layouts import Layout
from sources import delivered
from sources.csv_file import read_bytes
from sources.errors import IncompleteFile, UnknownIndicator
from sources.figures import check_municipalities, check_size, figures, present, together, wanted
from sources.names import bundled_names
from sources.snapshots import Part, Snapshot, SnapshotStore, now


@dataclass(frozen=True)
class Delivered:
    """What a delivered file holds: its layout, its figures (sources.figures.RAW), and whether it was there already."""

    layout: Layout
    figures: pl.DataFrame
    known_already: bool


def examine(
    path: Path,
    catalogue: Catalogue,
    layouts: Sequence[Layout],
    known: pl.DataFrame,
    store: SnapshotStore,
    source: str | None = None,
) -> Delivered:
    """Recognise and read a file without keeping anything; raises an InputError where it cannot be taken in.

    `known` are figures (sources.facts.FIGURE) that the size of the new ones is held against. `source` keeps to the
    layouts of one source_id.
    """
    layout = delivered.recognise(path, layouts, source)
    what = wanted(catalogue, layout.source_table)
    found = []
    for table in delivered.read(path, layout, bundled_names()):
        wishes = present(table, what)
        if wishes:
            found.append(figures(table, catalogue, wishes))
    if not found:
        raise UnknownIndicator(
            path,
            f"figures of the catalogue; of {layout.source_table} it wants none of these columns",
            remedy="To measure them, add an indicator or a source under catalog/indicators that names this table.",
        )
    frame = together(found, f"{path.name} ({layout.source_table})")
    if frame.is_empty():
        raise IncompleteFile(
            path,
            f"at least one figure of {layout.source_table}",
            remedy="It has columns of the catalogue, but no value in them. Is it the right file?",
        )
    check_municipalities(frame, known, f"{path.name} ({layout.source_table})")
    check_size(frame, known, f"{path.name} ({layout.source_table})")
    return Delivered(layout, frame, _is_known(path, layout, store))


def take_in(path: Path, entry: Delivered, catalogue: Catalogue, store: SnapshotStore) -> Snapshot:
    """Keep an examined file, with its publisher's metadata beside it, as a snapshot."""
    table = catalogue.source_tables[entry.layout.source_table]
    modified = datetime.fromtimestamp(path.stat().st_mtime, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return store.add(
        table.source_table,
        "delivered",
        [_part(path), *(_part(companion) for companion in delivered.companions(path))],
        title=table.title,
        url=table.url,
        licence=catalogue.sources[table.source_id].licence,
        modified_at=modified,
        fingerprint="",
        request=entry.layout.layout_id,
        details={"layout": entry.layout.layout_id, "file": path.name},
    )


def _part(path: Path) -> Part:
    return Part(path.name, path.name, read_bytes(path), "application/octet-stream", now())


def _is_known(path: Path, layout: Layout, store: SnapshotStore) -> bool:
    import hashlib

    sha256 = hashlib.sha256(read_bytes(path)).hexdigest()
    # One whose bytes were damaged is not known: taken in again, it is mended.
    return store.holds(sha256) and any(s.parts[0].sha256 == sha256 for s in store.of(layout.source_table))
