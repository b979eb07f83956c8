"""What was received stays as it came, or an error says that it did not."""

from __future__ import annotations

import errno
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sources import snapshots
from sources.collect import _in_use
from sources.errors import DamagedSnapshot
from sources.snapshots import Kind, Part, Snapshot, SnapshotStore, slug

TABLE = "CBS 86161NED (indeling 2025)"
ABOUT: dict[str, Any] = {
    "title": "Inkomen van huishoudens; regio (indeling 2025)",
    "url": "https://example.org",
    "licence": "CC BY 4.0",
    "modified_at": "2025-12-11T02:00:00",
    "fingerprint": "v1",
    "request": "[]",
}


@pytest.fixture
def store(tmp_path: Path) -> SnapshotStore:
    return SnapshotStore(tmp_path / "data")


def part(body: bytes, role: str = "rows") -> Part:
    return Part(role, f"https://example.org/{role}", body, "application/json", "2026-01-01T00:00:00Z")


def add(store: SnapshotStore, *bodies: bytes, kind: Kind = "odata_v3", **given: Any) -> Snapshot:
    parts = [part(body, f"rows/{number}") for number, body in enumerate(bodies)]
    return store.add(TABLE, kind, parts, **ABOUT | given)


def files(store: SnapshotStore) -> list[Path]:
    """Every file of the data root, also hidden ones."""
    return sorted(path for path in store.root.rglob("*") if path.is_file())


def at(monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    monkeypatch.setattr(snapshots, "now", lambda: moment)


def test_what_was_received_is_read_back_as_it_came(store: SnapshotStore) -> None:
    snapshot = add(store, b"first", b"", b"\x00\xff" * 1000)
    assert [part.body for part in store.parts(snapshot)] == [b"first", b"", b"\x00\xff" * 1000]
    assert [part.role for part in store.parts(snapshot)] == ["rows/0", "rows/1", "rows/2"]
    assert snapshot.bytes == 5 + 0 + 2000


def test_a_record_survives_the_round_trip(store: SnapshotStore) -> None:
    snapshot = add(store, b"abc", details={"layout": "cbs_rows", "file": "Één gemeente.csv"}, modified_at=None)
    assert store.of(TABLE) == [snapshot]
    assert SnapshotStore(store.root).newest(TABLE) == snapshot


def test_the_same_bytes_are_stored_once(store: SnapshotStore) -> None:
    first, second = add(store, b"same", b"old"), add(store, b"same", b"new")
    objects = [path.name for path in files(store) if path.suffix == ".gz"]
    assert len(objects) == 3
    assert first.parts[0].sha256 == second.parts[0].sha256
    assert first.sha256 != second.sha256
    assert len(store.of(TABLE)) == 2


def test_bytes_are_found_by_their_checksum_and_can_be_read_with_ordinary_tools(store: SnapshotStore) -> None:
    # echo -n abc | sha256sum
    sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert add(store, b"abc").sha256 == sha256
    path = store.root / "objects" / "ba" / f"{sha256}.gz"
    assert gzip.decompress(path.read_bytes()) == b"abc"
    assert store.holds(sha256)
    assert not store.holds("0" * 64)


def test_an_empty_data_root_has_no_snapshots(store: SnapshotStore) -> None:
    assert (store.of(TABLE), store.newest(TABLE), store.last_check(TABLE), store.has_any) == ([], None, None, False)
    store.note(TABLE, "failed", "no answer")
    assert not store.has_any
    add(store, b"x")
    assert store.has_any


def test_the_newest_of_a_kind(store: SnapshotStore, monkeypatch: pytest.MonkeyPatch) -> None:
    for moment, kind, body in (("01", "odata_v3", b"a"), ("02", "delivered", b"b"), ("03", "odata_v4", b"c")):
        at(monkeypatch, f"2026-01-{moment}T00:00:00Z")
        add(store, body, kind=kind)  # type: ignore[arg-type]
    kinds: list[tuple[Kind, ...]] = [(), ("delivered",), ("odata_v3", "delivered"), ("boundaries",)]
    found = [store.newest(TABLE, *wanted) for wanted in kinds]
    assert [snapshot and snapshot.kind for snapshot in found] == ["odata_v4", "delivered", "delivered", None]


def test_snapshots_are_in_the_order_in_which_they_came_also_within_one_second(
    store: SnapshotStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A year of monthly workbooks is taken in within a second.
    at(monkeypatch, "2026-11-23T10:15:00Z")
    bodies = [f"month {number}".encode() for number in range(12)]
    for body in bodies:
        add(store, body)
    at(monkeypatch, "2026-11-23T10:15:01Z")
    add(store, b"later")
    assert [store.read(snapshot.parts[0]) for snapshot in store.of(TABLE)] == [*bodies, b"later"]


def test_what_comes_after_the_clock_was_set_back_is_still_newer(
    store: SnapshotStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments = ["2026-11-23T10:15:00Z", "2026-11-23T10:15:00Z", "2019-01-01T00:00:00Z", "2026-11-23T10:14:59Z"]
    for number, moment in enumerate(moments):
        at(monkeypatch, moment)
        add(store, f"{number}".encode())
    assert [store.read(snapshot.parts[0]) for snapshot in store.of(TABLE)] == [b"0", b"1", b"2", b"3"]
    assert [snapshot.retrieved_at for snapshot in store.of(TABLE)] == moments, "what the clock said is kept"
    at(monkeypatch, "2026-11-23T10:15:01Z")
    add(store, b"4")
    assert [store.read(snapshot.parts[0]) for snapshot in store.of(TABLE)] == [b"0", b"1", b"2", b"3", b"4"]


def test_a_record_that_was_removed_by_hand_does_not_upset_the_order(
    store: SnapshotStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The remedy for a damaged record is to remove it: of several within one second the first may go."""
    at(monkeypatch, "2026-11-23T10:15:00Z")
    for body in (b"0", b"1"):
        add(store, body)
    next(path for path in files(store) if path.suffix == ".json" and "_" not in path.name).unlink()
    add(store, b"2")
    assert [store.read(snapshot.parts[0]) for snapshot in store.of(TABLE)] == [b"1", b"2"]


def test_a_run_lays_snapshots_over_each_other_in_the_order_in_which_they_came(
    store: SnapshotStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when the clock was set back meanwhile: what came later counts as newer."""
    catalogue: Any = SimpleNamespace(source_tables={TABLE: SimpleNamespace(areas_of=None)})
    for moment, body in (("2026-11-23T10:15:00Z", b"first"), ("2019-01-01T00:00:00Z", b"later")):
        at(monkeypatch, moment)
        add(store, body)
    assert [store.read(snapshot.parts[0]) for snapshot in _in_use(catalogue, store)] == [b"first", b"later"]


def test_a_table_has_a_folder_that_every_file_system_takes() -> None:
    assert slug(TABLE) == "cbs_86161ned_indeling_2025"
    assert slug("GGD/RIVM/CBS Gezondheidsmonitor 2022, GGD-regio") == "ggd_rivm_cbs_gezondheidsmonitor_2022_ggd_regio"


# Damage.


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-4])


def _other_bytes(path: Path) -> None:
    path.write_bytes(gzip.compress(b"something else"))


def _no_gzip(path: Path) -> None:
    path.write_bytes(b"abc")


DAMAGES: list[Callable[[Path], None]] = [_cut, _other_bytes, _no_gzip, Path.unlink]


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_bytes_are_never_read_and_the_same_bytes_mend_them(
    store: SnapshotStore, damage: Callable[[Path], None]
) -> None:
    snapshot = add(store, b"abc")
    (path,) = (path for path in files(store) if path.suffix == ".gz")
    damage(path)
    assert not store.holds(snapshot.sha256)
    with pytest.raises(DamagedSnapshot) as caught:
        store.read(snapshot.parts[0])
    assert caught.value.file == str(path)
    assert "btg fetch --force" in str(caught.value.remedy)
    # What the message says to do works.
    add(store, b"abc")
    assert store.read(snapshot.parts[0]) == b"abc"


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"parts": [{}]}', '{"parts": []}', '"x"'])
def test_a_damaged_record_is_said_to_be_one(store: SnapshotStore, text: str) -> None:
    add(store, b"abc")
    (path,) = (path for path in files(store) if path.suffix == ".json")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DamagedSnapshot) as caught:
        store.newest(TABLE)
    assert caught.value.file == str(path)
    # As long as the record is there the table cannot be fetched again either.
    assert "emove this file" in str(caught.value.remedy)
    path.unlink()
    assert store.newest(TABLE) is None


def test_an_unreadable_note_is_said_to_be_one_and_the_next_replaces_it(store: SnapshotStore) -> None:
    store.note(TABLE, "new")
    (path,) = files(store)
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(DamagedSnapshot):
        store.last_check(TABLE)
    store.note(TABLE, "unchanged")
    assert (check := store.last_check(TABLE)) is not None
    assert check.result == "unchanged"


# A full disk.


def _full(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def _half_written(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data[: len(data) // 2])
    _full()


@pytest.mark.parametrize("fails", ["write", "replace"])
def test_a_full_disk_leaves_nothing_half_written(
    store: SnapshotStore, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    first = add(store, b"first")
    store.note(TABLE, "new")
    before = {path: path.read_bytes() for path in files(store)}
    with monkeypatch.context() as broken:
        if fails == "replace":
            broken.setattr(Path, "replace", _full)
        else:
            broken.setattr(Path, "write_bytes", _half_written)
        with pytest.raises(OSError, match="No space left"):
            add(store, b"second")
        with pytest.raises(OSError, match="No space left"):
            store.note(TABLE, "changed")
    assert {path: path.read_bytes() for path in files(store)} == before
    assert store.of(TABLE) == [first]
    add(store, b"second")
    assert len(store.of(TABLE)) == 2


def test_without_its_record_what_was_stored_of_a_snapshot_does_not_count(
    store: SnapshotStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def parts() -> Any:
        yield part(b"first page")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        store.add(TABLE, "odata_v3", parts(), **ABOUT)
    assert store.of(TABLE) == []
    assert not store.has_any


# The last check.


def test_a_note_says_when_the_publisher_was_asked_and_what_came_of_it(
    store: SnapshotStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(monkeypatch, "2026-11-23T10:15:00Z")
    store.note(TABLE, "failed", "geen antwoord: één")
    check = store.last_check(TABLE)
    assert check is not None
    assert (check.at, check.result, check.message) == ("2026-11-23T10:15:00Z", "failed", "geen antwoord: één")
    at(monkeypatch, "2026-11-24T10:15:00Z")
    store.note(TABLE, "unchanged")
    assert (later := store.last_check(TABLE)) is not None
    assert (later.at, later.result, later.message) == ("2026-11-24T10:15:00Z", "unchanged", "")
    assert store.of(TABLE) == []


def test_a_record_is_readable_json(store: SnapshotStore) -> None:
    add(store, b"abc")
    (path,) = (path for path in files(store) if path.suffix == ".json")
    record = json.loads(path.read_text(encoding="utf-8"))
    assert record["source_table"] == TABLE
    assert record["parts"][0]["bytes"] == 3
