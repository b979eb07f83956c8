"""Putting an edition in its place: all of it or nothing, whatever interrupts it."""

from __future__ import annotations

import ctypes
import errno
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from reports import edition_folder
from reports.edition_folder import (
    ATTEMPTS,
    EditionInUse,
    beside,
    clear_leftovers,
    place_folder,
    replace_file,
    replace_folder,
    restore,
    sync_tree,
    work_file,
    write_file,
)

Replace = Callable[..., None]
ON_POSIX = pytest.mark.skipif(os.name == "nt", reason="Windows has neither umask nor mount nor SIGKILL")


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """A new folder, and the standing one that it must replace."""
    new, standing = tmp_path / ".2025-draft.building", tmp_path / "2025-draft"
    for folder, text in ((new, "new"), (standing, "old")):
        (folder / "csv").mkdir(parents=True)
        (folder / "csv" / "theme.csv").write_text(text)
    (standing / "only_in_the_old").touch()
    return new, standing


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were taken, without taking them."""
    taken: list[float] = []
    monkeypatch.setattr(edition_folder.time, "sleep", taken.append)
    return taken


@pytest.fixture
def two_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system that cannot swap two folders, such as a network share."""
    swaps_with(monkeypatch, errno.EINVAL)


@pytest.fixture
def nobody() -> Iterator[Path]:
    """A folder of somebody without special rights, who the test is in the meantime."""
    if not hasattr(os, "setresuid") or os.geteuid() != 0:
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder)
        return
    folder = Path(tempfile.mkdtemp())
    os.chown(folder, 65534, 65534)
    os.setresuid(65534, 65534, 0)
    try:
        yield folder
    finally:
        os.setresuid(0, 0, 0)
        shutil.rmtree(folder)


def swaps_with(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    """Let the system's swap fail with this error."""

    def swap(new: bytes, target: bytes) -> int:
        ctypes.set_errno(code)
        return -1

    monkeypatch.setattr(edition_folder, "_system_swap", lambda: swap)


def fail_at(monkeypatch: pytest.MonkeyPatch, calls: set[int], error: BaseException) -> None:
    """Let these calls of os.replace (counted from 1) fail."""
    real, counter = os.replace, iter(range(1, 1000))

    def replace(*arguments: object, **settings: object) -> None:
        if next(counter) in calls:
            raise error
        real(*arguments, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "replace", replace)


def fail_for(monkeypatch: pytest.MonkeyPatch, source: Path, error: BaseException) -> None:
    """Let os.replace fail whenever this file or folder is to be moved."""
    real = os.replace

    def replace(moved: Path, *arguments: object, **settings: object) -> None:
        if Path(moved) == source:
            raise error
        real(moved, *arguments, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "replace", replace)


def content(folder: Path) -> str:
    return (folder / "csv" / "theme.csv").read_text()


def hidden(parent: Path) -> list[str]:
    return sorted(path.name for path in parent.iterdir() if path.name.startswith("."))


# --- a folder


@pytest.mark.parametrize("code", [0, errno.ENOSYS, errno.EINVAL, errno.ENOTSUP], ids=["swap", "old", "nfs", "exfat"])
def test_a_folder_is_replaced_whole(folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    new, standing = folders
    if code:
        swaps_with(monkeypatch, code)
    replace_folder(new, standing)
    assert content(standing) == "new"
    assert not (standing / "only_in_the_old").exists()
    assert hidden(standing.parent) == []


def test_the_first_edition_needs_none_before_it(folders: tuple[Path, Path]) -> None:
    new, standing = folders
    replace_folder(new, standing.with_name("2026-draft"))
    assert content(standing.with_name("2026-draft")) == "new"
    assert content(standing) == "old"


def test_a_final_edition_takes_a_free_name_only(folders: tuple[Path, Path]) -> None:
    new, standing = folders
    with pytest.raises(FileExistsError):
        place_folder(new, standing)
    assert content(standing) == "old"
    place_folder(new, standing.with_name("2025-1"))
    assert content(standing.with_name("2025-1")) == "new"
    assert hidden(standing.parent) == []


def test_where_the_system_can_there_is_no_moment_without_the_edition(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    new, standing = folders
    if not edition_folder._swap(new, standing):
        pytest.skip("this system or file system cannot swap two folders")
    edition_folder._swap(new, standing)
    fail_at(monkeypatch, set(range(1, 100)), AssertionError("moved twice instead of swapped"))
    replace_folder(new, standing)
    assert content(standing) == "new"


def test_a_swap_that_fails_for_another_reason_is_said_and_keeps_the_old_edition(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    new, standing = folders
    swaps_with(monkeypatch, errno.EIO)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)) as caught:
        replace_folder(new, standing)
    assert caught.value.filename == str(standing)
    assert content(standing) == "old"


class Library:
    """A system library that notes what it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []

    def renamex_np(self, *arguments: object) -> int:
        self.asked.append(arguments)
        return 0


def test_macos_swaps_by_its_own_call(monkeypatch: pytest.MonkeyPatch) -> None:
    library = Library()
    monkeypatch.setattr(edition_folder.sys, "platform", "darwin")
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: library)
    assert edition_folder._swap(Path("new"), Path("standing"))
    assert library.asked == [(b"new", b"standing", 2)]


@pytest.mark.parametrize("windows", [True, False])
def test_a_system_without_such_a_call_moves_twice(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, windows: bool
) -> None:
    new, standing = folders
    monkeypatch.setattr(edition_folder, "_WINDOWS", windows)
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: object())
    replace_folder(new, standing)
    assert content(standing) == "new"
    assert hidden(standing.parent) == []


@pytest.mark.usefixtures("two_moves")
@pytest.mark.parametrize("error", [OSError("disk full"), PermissionError("in use"), KeyboardInterrupt()], ids=repr)
def test_a_crash_between_the_two_renames_keeps_the_old_edition(
    folders: tuple[Path, Path], waits: list[float], monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    new, standing = folders
    fail_for(monkeypatch, new, error)
    with pytest.raises((type(error), EditionInUse)):
        replace_folder(new, standing)
    monkeypatch.undo()
    assert content(standing) == "old"
    assert (standing / "only_in_the_old").exists()


@pytest.fixture
def cut_off(folders: tuple[Path, Path]) -> tuple[Path, Path]:
    """The power failed between the two renames: the old folder stands aside, and none is in its place."""
    new, standing = folders
    standing.rename(standing.with_name(f".{standing.name}.old"))
    return new, standing


def test_after_a_power_failure_the_next_edition_takes_its_place(cut_off: tuple[Path, Path]) -> None:
    new, standing = cut_off
    replace_folder(new, standing)
    assert content(standing) == "new"
    assert hidden(standing.parent) == []


@pytest.mark.parametrize("recover", [restore, lambda standing: clear_leftovers(standing.parent)])
def test_after_a_power_failure_the_old_edition_comes_back(cut_off: tuple[Path, Path], recover: Replace) -> None:
    _, standing = cut_off
    recover(standing)
    assert content(standing) == "old"
    assert hidden(standing.parent) == []


@pytest.mark.usefixtures("two_moves")
def test_after_a_power_failure_the_old_edition_comes_back_even_if_the_next_fails(
    cut_off: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    new, standing = cut_off
    fail_at(monkeypatch, {3}, OSError("disk full"))  # 1: back in place; 2: aside again; 3: the new one
    with pytest.raises(OSError, match="disk full"):
        replace_folder(new, standing)
    assert content(standing) == "old"


@pytest.mark.parametrize("recover", [restore, lambda standing: clear_leftovers(standing.parent)])
def test_leftovers_of_an_earlier_replacement_are_cleared(folders: tuple[Path, Path], recover: Replace) -> None:
    _, standing = folders
    (standing.parent / ".2025-draft.old" / "csv").mkdir(parents=True)
    recover(standing)
    assert content(standing) == "old"
    assert hidden(standing.parent) == []


def test_leftovers_are_cleared_and_nothing_else(tmp_path: Path) -> None:
    editions = tmp_path / "editions"
    leftovers = [
        *(tmp_path / name for name in (".btg.duckdb.new", ".btg.duckdb.new.wal")),
        *(editions / name for name in (".2025-draft.building/csv/a.csv", ".2025-1.building/b", ".2025-draft.old/c")),
        *(editions / name for name in (".2025-1.state.json.new", ".2025-2.state.json.pending")),
    ]
    kept = [
        *(
            tmp_path / name
            for name in (".lock", ".lock.json", ".gitignore", ".vimrc.old", ".profile.new", "btg.duckdb")
        ),
        *(editions / name for name in ("2025-draft/a", "2025-1/b", "2025-1.state.json", ".DS_Store", "notes.old")),
        tmp_path / "last_run" / "checks" / ".region.new",
    ]
    for path in [*leftovers, *kept]:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    clear_leftovers(tmp_path)
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == sorted(kept)
    assert not list(editions.glob(".2025*"))


def test_there_may_be_no_output_yet(tmp_path: Path) -> None:
    clear_leftovers(tmp_path / "none")
    assert not (tmp_path / "none").exists()


@ON_POSIX
def test_a_leftover_that_is_read_only_is_cleared_too(nobody: Path) -> None:
    leftover = nobody / "editions" / ".2025-1.building"
    (leftover / "csv").mkdir(parents=True)
    (leftover / "csv" / "theme.csv").touch(mode=0o444)
    for folder in (leftover / "csv", leftover):
        folder.chmod(0o555)
    clear_leftovers(nobody)
    assert hidden(nobody / "editions") == []


@ON_POSIX
def test_a_leftover_of_somebody_else_does_not_stop_the_run(nobody: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (nobody / ".2025-1.building" / "csv").mkdir(parents=True)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "chmod", refuse)
    clear_leftovers(nobody)


def test_a_link_in_the_place_of_a_leftover_leads_nobody_astray(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").touch()
    try:
        (tmp_path / ".2025-draft.building").symlink_to(elsewhere)
    except OSError:
        pytest.skip("this account may not make links (Windows)")
    clear_leftovers(tmp_path)
    assert (elsewhere / "precious").exists()
    assert hidden(tmp_path) == []


def test_a_share_that_cannot_wait_for_names_is_used_all_the_same(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    new, standing = folders

    def refuse(_: int) -> None:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    monkeypatch.setattr(os, "fsync", refuse)
    replace_folder(new, standing)
    assert content(standing) == "new"


def test_a_disk_that_loses_what_it_was_given_stops_the_replacement(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    new, standing = folders

    def fail(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        replace_folder(new, standing)
    assert content(standing) == "old"


def test_all_files_and_folders_reach_the_disk(folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(edition_folder, "_sync", synced.append)
    _, standing = folders
    sync_tree(standing)
    assert set(synced) == {standing, *standing.rglob("*")}


# --- killed at any moment, for real

SWAPPING = """
import sys
from pathlib import Path
from reports import edition_folder

root = Path(sys.argv[1])
if sys.argv[2] == "two_moves":
    edition_folder._swap = lambda *_: False
edition_folder.clear_leftovers(root)
print("started", flush=True)
for number in range(1_000_000):
    new = root / ".2025-draft.building"
    new.mkdir()
    for name in ("marker", "other"):
        (new / name).write_text(f"{number}")
    edition_folder.replace_folder(new, root / "2025-draft")
"""


def kill_while_swapping(root: Path, way: str) -> None:
    command = [sys.executable, "-c", SWAPPING, str(root), way]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(edition_folder.__file__).parents[1]) as child:
        assert child.stdout is not None
        assert child.stdout.readline().strip() == b"started"
        time.sleep(random.uniform(0.01, 0.15))  # noqa: S311 - any moment will do
        child.kill()


def is_whole(folder: Path) -> bool:
    return (folder / "marker").read_text() == (folder / "other").read_text() != ""


@ON_POSIX
@pytest.mark.parametrize("way", ["swap", "two_moves"])
def test_killed_at_any_moment_the_next_run_finds_one_whole_edition(tmp_path: Path, way: str) -> None:
    standing = tmp_path / "2025-draft"
    standing.mkdir()
    for name in ("marker", "other"):
        (standing / name).write_text("first")
    for _ in range(8):
        kill_while_swapping(tmp_path, way)
        clear_leftovers(tmp_path)
        assert is_whole(standing)
        assert hidden(tmp_path) == []


@ON_POSIX
def test_every_read_succeeds_while_folders_are_swapped_and_runs_are_killed(folders: tuple[Path, Path]) -> None:
    new, standing = folders
    if not edition_folder._swap(new, standing):
        pytest.skip("this system or file system cannot swap two folders")
    for name in ("marker", "other"):
        (standing / name).write_text("first")
    reads, failures, stop = [0], [], threading.Event()

    def read() -> None:
        while not stop.is_set():
            for name in ("marker", "other"):
                try:
                    assert (standing / name).read_text()
                    reads[0] += 1
                except (OSError, AssertionError) as error:
                    failures.append(repr(error))

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        for _ in range(8):
            kill_while_swapping(standing.parent, "swap")
    finally:
        stop.set()
        for reader in readers:
            reader.join()
    assert failures == []
    assert reads[0] > 100


# --- a file


def test_a_reader_keeps_the_file_it_has_open(tmp_path: Path) -> None:
    if os.name == "nt":
        pytest.skip("on Windows an open file cannot be replaced at all: see the tests below")
    (tmp_path / "old").write_text("old")
    (tmp_path / "new").write_text("new")
    with (tmp_path / "old").open() as reader:
        replace_file(tmp_path / "new", tmp_path / "old")
        assert reader.read() == "old"
    assert (tmp_path / "old").read_text() == "new"
    assert not (tmp_path / "new").exists()


@ON_POSIX
def test_a_reader_keeps_the_edition_it_has_a_file_open_of(folders: tuple[Path, Path]) -> None:
    new, standing = folders
    with (standing / "csv" / "theme.csv").open() as reader:
        replace_folder(new, standing)
        assert reader.read() == "old"
    assert content(standing) == "new"


def make_database(path: Path, value: int) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"CREATE TABLE figure AS SELECT {value} AS value")


WRITING_AND_KILLED = """
import duckdb, os, sys
connection = duckdb.connect(sys.argv[1])
connection.execute("INSERT INTO figure VALUES (99)")
os._exit(0)
"""


def test_what_somebody_wrote_into_the_old_database_does_not_spoil_the_new(tmp_path: Path) -> None:
    """A killed session leaves its log, and DuckDB refuses every database beside a log that is not its own."""
    standing, new = tmp_path / "btg.duckdb", tmp_path / ".btg.duckdb.new"
    make_database(standing, 1)
    make_database(new, 2)
    subprocess.run([sys.executable, "-c", WRITING_AND_KILLED, str(standing)], check=True)
    assert (tmp_path / "btg.duckdb.wal").exists()
    replace_file(new, standing)
    with duckdb.connect(str(standing), read_only=True) as connection:
        assert connection.execute("FROM figure").fetchall() == [(2,)]


def test_a_small_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "2025-1.state.json"
    write_file(target, b"old")
    fail_at(monkeypatch, {1}, OSError(errno.EIO, "the disk is gone"))
    with pytest.raises(OSError, match="the disk is gone"):
        write_file(target, b"new")
    assert target.read_bytes() == b"old"
    assert hidden(tmp_path) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root on Linux; the next test bounds a process instead")
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    mounted = mount and subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], check=False, capture_output=True
    )
    if not mounted or mounted.returncode:
        pytest.skip("mounting is not allowed here; the next test bounds a process instead")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_a_full_disk_leaves_the_standing_file_and_nothing_else(small_disk: Path) -> None:
    target = small_disk / "btg.duckdb"
    write_file(target, b"old" * 1000)
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        write_file(target, b"new" * 1_000_000)
    assert target.read_bytes() == b"old" * 1000
    assert hidden(small_disk) == []


def test_a_full_disk_does_not_hinder_what_is_complete(small_disk: Path) -> None:
    new, standing = small_disk / ".2025-draft.building", small_disk / "2025-draft"
    for folder in (new, standing):
        folder.mkdir()
        (folder / "name").write_text(folder.name)
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        (small_disk / "filling").write_bytes(bytes(2_000_000))
    replace_folder(new, standing)
    assert (standing / "name").read_text() == new.name
    assert hidden(small_disk) == []


BOUNDED = """
import resource, sys
from pathlib import Path
from reports.edition_folder import work_file, write_file

resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_file(Path(sys.argv[1]), b"new" * 1000)
except OSError as error:
    sys.exit(str(error.errno))
"""


@ON_POSIX
def test_a_process_that_may_write_no_more_leaves_the_standing_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "btg.duckdb"
    target.write_bytes(b"old")
    checkout = Path(edition_folder.__file__).parents[1]
    ended = subprocess.run(
        [sys.executable, "-c", BOUNDED, str(target)], cwd=checkout, capture_output=True, text=True, check=False
    )
    assert ended.stderr.strip() == str(errno.EFBIG)
    assert target.read_bytes() == b"old"
    assert hidden(tmp_path) == []


def test_a_work_file_of_a_killed_run_is_no_part_of_the_next(tmp_path: Path) -> None:
    target = tmp_path / "btg.duckdb"
    beside(target, "new").write_text("half of it")
    (tmp_path / ".btg.duckdb.new.wal").write_text("its log")
    with work_file(target) as new:
        assert hidden(tmp_path) == []
        new.touch()
    assert hidden(tmp_path) == []


# --- rights


@ON_POSIX
def test_a_folder_that_may_not_be_written_is_said_at_once(nobody: Path, waits: list[float]) -> None:
    new, standing = nobody / ".btg.duckdb.new", nobody / "btg.duckdb"
    for path in (new, standing):
        path.write_text(path.name)
    nobody.chmod(0o555)
    try:
        with pytest.raises(PermissionError):
            replace_file(new, standing)
    finally:
        nobody.chmod(0o755)
    assert waits == []  # nobody can close anything here: waiting would not help
    assert standing.read_text() == "btg.duckdb"


@ON_POSIX
def test_a_read_only_edition_gets_its_name_by_who_has_no_special_rights(nobody: Path) -> None:
    new = nobody / ".2025-1.building"
    new.mkdir()
    (new / "theme.csv").touch(mode=0o444)
    new.chmod(0o555)
    place_folder(new, nobody / "2025-1")
    assert (nobody / "2025-1" / "theme.csv").exists()
    (nobody / "2025-1").chmod(0o755)


# --- on Windows: a file that a reader has open


@pytest.mark.usefixtures("two_moves")
@pytest.mark.parametrize("replace", [replace_file, replace_folder])
def test_what_a_reader_has_open_is_left_and_said(
    folders: tuple[Path, Path], waits: list[float], monkeypatch: pytest.MonkeyPatch, replace: Replace
) -> None:
    new, standing = folders
    if replace is replace_file:
        new, standing = new / "csv" / "theme.csv", standing / "csv" / "theme.csv"
    real = os.replace

    def refuse(moved: Path, target: Path) -> None:
        """As Windows does for a folder in which theme.csv is open, and for that file; not for its other files."""
        if Path(moved).name == "only_in_the_old":
            real(moved, target)
        else:
            raise PermissionError("in use")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(EditionInUse) as caught:
        replace(new, standing)
    assert str(caught.value).startswith(str(standing))
    assert "theme.csv is open in another program" in str(caught.value)
    assert "only_in_the_old" not in str(caught.value)
    assert f"{standing.name} was left as it was. Close it and run again." in str(caught.value)
    assert len(waits) == ATTEMPTS - 1
    monkeypatch.undo()
    assert (standing if standing.is_file() else standing / "csv" / "theme.csv").read_text() == "old"


@pytest.mark.usefixtures("two_moves")
@pytest.mark.parametrize("replace", [replace_file, replace_folder])
def test_a_reader_that_closes_in_time_is_waited_for(
    folders: tuple[Path, Path], waits: list[float], monkeypatch: pytest.MonkeyPatch, replace: Replace
) -> None:
    new, standing = folders
    if replace is replace_file:
        new, standing = new / "csv" / "theme.csv", standing / "csv" / "theme.csv"
    fail_at(monkeypatch, {1, 2}, PermissionError("in use"))
    replace(new, standing)
    assert (standing if standing.is_file() else standing / "csv" / "theme.csv").read_text() == "new"
    assert len(waits) == 2


def test_windows_lets_a_read_only_file_be_replaced_and_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edition_folder, "_WINDOWS", True)
    new, standing = tmp_path / ".btg.duckdb.new", tmp_path / "btg.duckdb"
    for path in (new, standing):
        path.write_text(path.name)
        path.chmod(0o444)
    replace_file(new, standing)
    assert standing.read_text() == ".btg.duckdb.new"
    leftover = tmp_path / ".2025-1.building"
    leftover.mkdir()
    (leftover / "theme.csv").touch(mode=0o444)
    clear_leftovers(tmp_path)
    assert hidden(tmp_path) == []
