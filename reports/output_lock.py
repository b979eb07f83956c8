"""One writer to an output folder at a time.

The operating system's lock on `.lock` ends with its process, however that ended: a file that a dead process left locks
nobody out. `.lock.json` beside it says who holds it, for the message to whoever has to wait. Where a network share has
no locks, the note of process and machine in `.lock.process` takes their place.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import BaseFileLock, FileLock, SoftFileLock, Timeout

LOCK, HOLDER, WITHOUT_LOCKS = ".lock", ".lock.json", ".lock.process"
# What file systems say that know no locks: NFS without its lock service, some FUSE and SMB mounts.
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP}
# The folders this process holds, by thread: whoever holds one may hold it again.
_held: set[tuple[Path, int]] = set()


class AnotherRunIsBusy(RuntimeError):  # noqa: N818 - says what is the matter
    """Another process is writing to the same output folder."""


@dataclass(frozen=True)
class Holder:
    """Who writes to an output folder: what it does, its process and machine, and since when."""

    what: str
    pid: int
    host: str
    started: str

    def __str__(self) -> str:
        return f"{self.what}, process {self.pid} on {self.host}, since {self.started}"


@contextmanager
def hold(output: Path, what: str) -> Iterator[Holder | None]:
    """Be the only writer to this output folder; `what` is told to others, such as `btg publish`.

    Yields who held it before and did not come to an end, for the reader's information: nothing has to be done about
    it. A process that holds the folder may hold it again. Raises AnotherRunIsBusy, and OSError where the folder cannot
    be written to.
    """
    key = (output.resolve(), threading.get_ident())
    if key in _held:
        yield None
        return
    lock = _acquired(output)
    try:
        left_behind = read_holder(output)
        _write_holder(output, what)
        _held.add(key)
        yield left_behind
    finally:
        _held.discard(key)
        # While the lock is held: afterwards it might be the note of the next.
        _remove_holder(output)
        lock.release()


def read_holder(output: Path) -> Holder | None:
    """Who holds this output folder, or died holding it; None where nobody did, or the note cannot be read."""
    try:
        return Holder(**json.loads((output / HOLDER).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _acquired(output: Path) -> BaseFileLock:
    lock: BaseFileLock = FileLock(output / LOCK, timeout=0, fallback_to_soft=False)
    try:
        lock.acquire()
    except Timeout as error:
        raise AnotherRunIsBusy(_busy(output)) from error
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        return _acquired_without_locks(output)
    return lock


def _acquired_without_locks(output: Path) -> BaseFileLock:
    """A marker with process and machine: it ends with a process of this machine, but not with one of another."""
    lock = SoftFileLock(output / WITHOUT_LOCKS, timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        hint = f" If that process is no longer there, remove {output / WITHOUT_LOCKS}."
        raise AnotherRunIsBusy(_busy(output) + hint) from error
    return lock


def _busy(output: Path) -> str:
    holder = read_holder(output)
    who = f" ({holder})" if holder else ""
    return f"another run is writing to {output}{who}; wait until it is done."


def _write_holder(output: Path, what: str) -> None:
    holder = Holder(what, os.getpid(), socket.gethostname(), datetime.now(UTC).isoformat(timespec="seconds"))
    new = output / f"{HOLDER}.new"
    new.write_text(json.dumps(asdict(holder)) + "\n", encoding="utf-8")
    new.replace(output / HOLDER)


def _remove_holder(output: Path) -> None:
    try:
        (output / HOLDER).unlink(missing_ok=True)
    except OSError:
        # The share is gone, and the work is done or has failed for that very reason: say that, not this.
        return
