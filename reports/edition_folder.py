"""Putting files and folders in their place: all of it or nothing, whatever interrupts it.

Readers are never blocked and never see half a thing: what is new is complete and on the disk before it gets its name,
and a reader that has the old file open goes on with it. What a killed run leaves has a hidden name made by `beside`,
and nothing else has: `clear_leftovers` removes it, or finishes it, at the start of the next run.
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
import shutil
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

# On Windows a file that a reader has open cannot be replaced: wait a little, then give up and say so.
ATTEMPTS = 5
WAIT_SECONDS = 0.5

Ending = Literal["building", "new", "old", "pending"]
# Work names of what this software writes in the output folder: never a hidden file of somebody else.
_WORK_NAME = re.compile(
    r"\.((?:btg\.duckdb|last_run|editions|\d{4}-(?:draft|\d+))(?:\..+)?)\.(building|new|old|pending)(?:\.wal)?"
)
# How a system or a file system says that it cannot swap two folders (NFS, old kernels, a container's filter), or cannot
# wait for the names in one (network shares).
_CANNOT_SYNC = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
_CANNOT_SWAP = {*_CANNOT_SYNC, errno.EPERM}
_AT_FDCWD, _RENAME_EXCHANGE, _RENAME_SWAP = -100, 2, 2
_WINDOWS = os.name == "nt"


class EditionInUse(RuntimeError):  # noqa: N818 - says what is the matter
    """A file or folder could not be replaced because another program has it open."""


def beside(target: Path, ending: Ending) -> Path:
    """The hidden work name of a file or folder, in the same folder and so on the same disk."""
    return target.with_name(f".{target.name}.{ending}")


def replace_file(new: Path, target: Path) -> None:
    """Move `new` over `target` in one step, on the disk when this returns; readers of the old file keep it.

    Raises EditionInUse where another program holds `target`, which is as it was then.
    """
    _sync(new)
    _patiently(lambda: _make_way(target), target)
    _patiently(lambda: new.replace(target), target)
    _sync(target.parent)


@contextmanager
def work_file(target: Path) -> Iterator[Path]:
    """The work name of a file that will replace `target`; whatever happens, nothing stays under it."""
    new = beside(target, "new")
    work = (new, log_of(new))
    for path in work:
        remove(path)
    try:
        yield new
    finally:
        for path in work:
            remove(path)


def write_file(target: Path, content: bytes) -> None:
    """Write a small file in one step: afterwards it holds the old content or the new, also where the disk is full."""
    with work_file(target) as new:
        new.write_bytes(content)
        replace_file(new, target)


def write_work_file(work: Path, content: bytes) -> None:
    """Write a small file under a work name of its own; it is on the disk when this returns."""
    work.write_bytes(content)
    _sync(work)


def place_folder(new: Path, target: Path) -> None:
    """Give the folder `new` the name `target`, which nothing has yet; on the disk when this returns.

    Raises FileExistsError, and EditionInUse where another program holds a file of `new`.
    """
    if target.exists():
        raise FileExistsError(errno.EEXIST, "stands already and is not replaced", str(target))
    sync_tree(new)
    _patiently(lambda: new.replace(target), new)
    _sync(target.parent)


def replace_folder(new: Path, target: Path) -> None:
    """Move the folder `new` to `target`, on the disk when this returns, and remove the folder that stood there.

    Linux and macOS swap the two in one step. Where that cannot be done, the standing folder is put aside and put back
    if the second move fails; cut off in between, `restore` puts it back. Raises EditionInUse.
    """
    _put_back(target)
    if not target.exists():
        place_folder(new, target)
        return
    sync_tree(new)
    if not _swap(new, target):
        _move_twice(new, target)
    _sync(target.parent)
    for old in (new, beside(target, "old")):
        remove(old)


def restore(target: Path) -> None:
    """Undo a replacement of the folder `target` that was cut off half-way: the old one back, its leftovers gone."""
    _put_back(target)
    for ending in ("old", "building"):
        remove(beside(target, ending))


def clear_leftovers(root: Path) -> None:
    """Remove what a killed run left under hidden work names in `root` and `root`/editions; call it with the lock held.

    Half a replacement is undone, a sign-off whose edition stands gets its name, and everything else is left alone.
    """
    for folder in (root, root / "editions"):
        for path in sorted(folder.glob(".*")):
            work = _WORK_NAME.fullmatch(path.name)
            if work and work[2] == "old":
                restore(path.with_name(work[1]))
            elif work and work[2] == "pending":
                settle(path)
            elif work:
                remove(path)


def settle(pending: Path) -> None:
    """Give a waiting state file its name if the edition it belongs to stands without one; else remove it."""
    file = pending.with_name(pending.name.removeprefix(".").removesuffix(".pending"))
    folder = file.with_name(file.name.partition(".")[0])
    if folder.is_dir() and not file.exists():
        replace_file(pending, file)
    remove(pending)


def sync_tree(folder: Path) -> None:
    """Wait until every file of the folder, and the folders themselves, are on the disk."""
    for path in [*folder.rglob("*"), folder]:
        _sync(path)


def remove(path: Path) -> None:
    """Remove a work file or folder, also a read-only one; what another program holds is left for the next run."""
    if path.is_symlink() or not path.is_dir():
        with suppress(OSError):
            path.unlink(missing_ok=True)
        return
    # In a folder that may not be written nothing can be removed; Windows asks the same of every file.
    with suppress(OSError):
        for inner, _, files in os.walk(path):
            Path(inner).chmod(stat.S_IRWXU)
            for file in files if _WINDOWS else ():
                (Path(inner) / file).chmod(stat.S_IWRITE)
    shutil.rmtree(path, ignore_errors=True)


def _put_back(target: Path) -> None:
    aside = beside(target, "old")
    if aside.exists() and not target.exists():
        aside.replace(target)


def _move_twice(new: Path, target: Path) -> None:
    aside = beside(target, "old")
    remove(aside)
    _patiently(lambda: target.replace(aside), target)
    try:
        new.replace(target)
    except BaseException:  # also Ctrl-C: whatever happens between the two moves, the old folder comes back
        _put_back(target)
        raise


def _swap(new: Path, target: Path) -> bool:
    """Let two folders change names in one step; False where the system or the file system cannot do that."""
    swap = _system_swap()
    if swap is None:
        return False
    if swap(os.fsencode(new), os.fsencode(target)) == 0:
        return True
    code = ctypes.get_errno()
    if code in _CANNOT_SWAP:
        return False
    raise OSError(code, os.strerror(code), str(target))


def _system_swap() -> Callable[[bytes, bytes], int] | None:
    """The system's call that swaps two names; None where it has none."""
    if _WINDOWS:
        return None
    library = ctypes.CDLL(None, use_errno=True)
    if sys.platform == "darwin":
        rename = getattr(library, "renamex_np", None)
        return rename and (lambda new, target: rename(new, target, _RENAME_SWAP))
    rename = getattr(library, "renameat2", None)
    return rename and (lambda new, target: rename(_AT_FDCWD, new, _AT_FDCWD, target, _RENAME_EXCHANGE))


def _make_way(target: Path) -> None:
    """Remove what hinders a new file: the log of a session that wrote to the old one, and Windows' read-only bit.

    DuckDB 1.5.5 refuses to open a database beside a log that belongs to another file. A session that goes on writing
    to the old file makes a new log: only a database that nobody may write rules that out.
    """
    log_of(target).unlink(missing_ok=True)
    if _WINDOWS and target.exists():
        target.chmod(stat.S_IREAD | stat.S_IWRITE)


def log_of(database: Path) -> Path:
    """Where DuckDB keeps what was written to a database and is not yet in it."""
    return database.with_name(f"{database.name}.wal")


def _sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    # Windows waits only for files that may be written, and looks after the names in a folder itself.
    if _WINDOWS and (path.is_dir() or not os.access(path, os.W_OK)):
        return
    descriptor = os.open(path, os.O_RDWR if _WINDOWS else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _CANNOT_SYNC:
            raise
    finally:
        os.close(descriptor)


def _patiently(move: Callable[[], object], target: Path) -> None:
    """Move something to or from `target`, waiting a little for whoever has it open.

    Raises EditionInUse where they go on, and PermissionError where nobody may write in the folder it is in.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            move()
        except PermissionError as error:
            if not os.access(target.parent, os.W_OK):
                raise
            if attempt == ATTEMPTS:
                raise EditionInUse(
                    f"{_held(target)} is open in another program, so {target.name} was left as it was. "
                    "Close it and run again."
                ) from error
            time.sleep(WAIT_SECONDS)
        else:
            return


def _held(target: Path) -> str:
    """Which files of a folder are open, as Windows tells: such a file cannot even be moved to where it is."""
    held = []
    for path in sorted(path for path in target.rglob("*") if path.is_file()):
        try:
            path.replace(path)
        except PermissionError:
            held.append(str(path))
    return ", ".join(held) or str(target)
