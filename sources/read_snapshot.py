"""From a snapshot's bytes to the catalogue's figures, by the kind of snapshot. No network."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from catalog import Catalogue
from catalog.layouts import load_layouts
from sources import delivered, statline
from sources.areas import areas, check_membership
from sources.errors import InputError, UnknownLayout
from sources.figures import figures, present, together, wanted
from sources.names import bundled_names
from sources.requests import covered, of_snapshot
from sources.snapshots import Snapshot, SnapshotStore
from sources.tidy import TidyTable


@dataclass(frozen=True)
class Taken:
    """What a snapshot gives: figures (the columns RAW), names of regions, and whether it is an invented example."""

    figures: pl.DataFrame
    region_names: Mapping[str, str]
    synthetic: bool = False


def read_snapshot(store: SnapshotStore, snapshot: Snapshot, catalogue: Catalogue) -> Taken:
    """The figures of a snapshot; raises an InputError where the catalogue finds something else than it expects."""
    what = wanted(catalogue, snapshot.source_table)
    if snapshot.kind == "delivered":
        tables, synthetic = _delivered(store, snapshot, catalogue)
        found_in = [(table, present(table, what)) for table in tables]
    else:
        synthetic = False
        found_in = [(table, covered(request, what)) for request, table in _tables(store, snapshot)]
    found = [figures(table, catalogue, wishes) for table, wishes in found_in if wishes]
    names: dict[str, str] = {}
    for table, _ in found_in:
        names |= table.region_names
    return Taken(together(found, snapshot.source_table), names, synthetic)


def membership_faults(store: SnapshotStore, catalogue: Catalogue) -> list[str]:
    """Where a year's table of areas holds other municipalities for the region than its region file, in sentences."""
    faults = []
    for name, year in _areas_of(catalogue).items():
        if (found := _membership(store, name)) is not None:
            faults += check_membership(found, catalogue.region, f"{name} ({year})")
    return faults


def provinces(store: SnapshotStore, catalogue: Catalogue) -> pl.DataFrame:
    """The province of every municipality in the newest year at hand: municipality_code, province_code; maybe empty."""
    nothing = pl.DataFrame(schema={"municipality_code": pl.String, "province_code": pl.String})
    years = sorted(_areas_of(catalogue).items(), key=lambda item: item[1], reverse=True)
    found = next((found for name, _ in years if (found := _membership(store, name)) is not None), None)
    if found is None:
        return nothing
    of_provinces = found.filter(pl.col("area_code").str.starts_with("PV"))
    return of_provinces.rename({"area_code": "province_code"}).select(nothing.columns)


def _areas_of(catalogue: Catalogue) -> dict[str, int]:
    """The tables of areas, each with its year."""
    return {name: table.areas_of for name, table in catalogue.source_tables.items() if table.areas_of is not None}


def _membership(store: SnapshotStore, source_table: str) -> pl.DataFrame | None:
    """Which areas every municipality is in, by the newest snapshot of a table of areas; None where there is none."""
    newest = store.newest(source_table)
    return pl.concat([areas(tidy) for _, tidy in _tables(store, newest)]) if newest is not None else None


def _tables(store: SnapshotStore, snapshot: Snapshot) -> list[tuple[statline.TableRequest, TidyTable]]:
    """What each request of a live snapshot brought."""
    parts = list(store.parts(snapshot))
    return [
        (
            request,
            statline.read(
                request,
                [
                    replace(part, role=part.role.removeprefix(f"{number}/"))
                    for part in parts
                    if part.role.startswith(f"{number}/")
                ],
            ),
        )
        for number, request in enumerate(of_snapshot(snapshot))
    ]


def _delivered(store: SnapshotStore, snapshot: Snapshot, catalogue: Catalogue) -> tuple[list[TidyTable], bool]:
    """The tables of a delivered file, read with the layout it was recognised by, and whether it is invented."""
    layouts = {layout.layout_id: layout for layout in load_layouts(catalogue.source_tables)}
    name = str(snapshot.details["file"])
    if (layout := layouts.get(str(snapshot.details["layout"]))) is None:
        raise UnknownLayout(
            name,
            f"the layout {snapshot.details['layout']} in catalog/layouts",
            remedy="It was taken in with a layout that is no longer there: put it back, or `btg add` the file again.",
        )
    with tempfile.TemporaryDirectory() as folder:
        # The first part is the file, the others its publisher's metadata; their role is their name.
        paths = [Path(folder) / Path(part.role).name for part in snapshot.parts]
        for path, part in zip(paths, snapshot.parts, strict=True):
            path.write_bytes(store.read(part))
        try:
            return delivered.read(paths[0], layout, bundled_names()), layout.synthetic
        except InputError as error:
            # It is about the file that was delivered, not about where that lies for a moment.
            error.file = error.file.replace(str(paths[0]), name)
            raise
