"""Registers in the data root: the newest of every bureau, read from the bytes that came."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from polars.testing import assert_frame_equal

from sources.errors import DamagedSnapshot, InputError
from sources.register import Register, read_register
from sources.register.opened import parts_of
from sources.register.store import is_kept, keep, newest_snapshots, stored_registers
from sources.snapshots import SnapshotStore
from tests.sources.register.desk import MUNICIPALITIES, PROGRAMME, Desk


@pytest.fixture
def store(tmp_path: Path) -> SnapshotStore:
    return SnapshotStore(tmp_path / "data")


def add(store: SnapshotStore, path: Path) -> None:
    keep(store, path, read_register(path, PROGRAMME, MUNICIPALITIES))


def test_a_store_without_registers_gives_empty_frames(store: SnapshotStore) -> None:
    stored = stored_registers(store, PROGRAMME, MUNICIPALITIES)
    assert stored.is_empty
    assert newest_snapshots(store) == {}


def test_what_was_kept_is_read_again(store: SnapshotStore, desk: Desk, business: Desk, sound: Register) -> None:
    add(store, desk.path)
    add(store, business.workbook())
    stored = stored_registers(store, PROGRAMME, MUNICIPALITIES)
    assert stored.frames["bureau"]["bureau"].to_list() == ["bureau-bedrijven", "bureau-zorg"]
    assert_frame_equal(stored.frames["text"].filter(bureau="bureau-zorg"), sound.frames["text"])


def test_each_bureau_has_a_snapshot_with_the_checksum_of_its_file(
    store: SnapshotStore, desk: Desk, business: Desk
) -> None:
    add(store, desk.path)
    book = business.workbook()
    add(store, book)
    newest = newest_snapshots(store)
    assert newest["bureau-bedrijven"].sha256 == hashlib.sha256(book.read_bytes()).hexdigest()
    assert {part.role for part in newest["bureau-zorg"].parts} >= {"geld.csv", "bureau.csv"}


def test_the_newest_of_a_bureau_counts(store: SnapshotStore, desk: Desk) -> None:
    add(store, desk.path)
    first = newest_snapshots(store)["bureau-zorg"]
    assert is_kept(store, first, parts_of(desk.path))
    desk.put("projecten", 2, "Naam", "Verzonnen project Anders")
    assert not is_kept(store, first, parts_of(desk.path))
    add(store, desk.path)
    frames = stored_registers(store, PROGRAMME, MUNICIPALITIES).frames
    assert frames["project"]["name"][0] == "Verzonnen project Anders"
    assert frames["bureau"].height == 1


def test_a_fault_in_a_kept_register_names_the_bureau_and_the_sheet(store: SnapshotStore, desk: Desk) -> None:
    """A line may leave the programme after its register came."""
    add(store, desk.path)
    other = PROGRAMME.model_copy(update={"starts": PROGRAMME.ends.replace(year=2027)})
    with pytest.raises(InputError) as caught:
        stored_registers(store, other, MUNICIPALITIES)
    assert "BTG register bureau-zorg (bureau-zorg, taken in on " in str(caught.value)
    assert "bureau.csv, row 2, column Peildatum" in str(caught.value)


def test_damaged_bytes_are_not_read(store: SnapshotStore, desk: Desk) -> None:
    add(store, desk.path)
    snapshot = newest_snapshots(store)["bureau-zorg"]
    sha256 = snapshot.parts[0].sha256
    (store.root / "objects" / sha256[:2] / f"{sha256}.gz").write_bytes(b"x")
    assert not is_kept(store, snapshot, parts_of(desk.path))
    with pytest.raises(DamagedSnapshot):
        stored_registers(store, PROGRAMME, MUNICIPALITIES)
