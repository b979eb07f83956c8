"""What a disk, a network share or the rights on them can do to a run, in one sentence that says what to do.

The same fault comes as an OSError, or as the words of Polars, DuckDB or SQLite, and in a step of Dagster only as text.
So faults are recognised by the words of the operating system, which all of them pass on.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from assets.edition import Unfinished
from reports.edition_folder import EditionInUse

_FULL = "the disk is full. Free some space (a run needs about 500 MB) and run again."
_QUOTA = "what you may use of this disk is used up. Free some space, or ask for more, and run again."
_READ_ONLY = "this disk is read-only. Choose another folder, or have it mounted for writing, and run again."
_NO_RIGHT = "you have no right to write or read here. Have the rights changed, or choose another folder."
_GONE = "the disk or network share does not answer. Connect it again, and run again."
HISTORY = "Dagster's history cannot be written. Mend that folder, or set BTG_DAGSTER_STORAGE to another one."
_NOTHING_LEFT = 1_000_000  # bytes

# In this order: `disk I/O error` is what SQLite makes of several of those above it.
_FAULTS = {
    (errno.ENOSPC, "No space left on device|not enough space on the disk|database or disk is full"): _FULL,
    (errno.EDQUOT if os.name == "posix" else -1, "[Qq]uota exceeded"): _QUOTA,
    (errno.EROFS, "Read-only file system|readonly database"): _READ_ONLY,
    (errno.EACCES, "Permission denied|Access is denied"): _NO_RIGHT,
    (errno.EPERM, "Operation not permitted"): _NO_RIGHT,
    (errno.ESTALE if os.name == "posix" else -1, "Stale (?:NFS )?file handle|network (?:name|path) "): _GONE,
    (errno.ENOTCONN, "Transport endpoint is not connected|Host is down"): _GONE,
    (errno.EIO, "Input/output error|disk I/O error"): _GONE,
    (-1, "unable to open database file"): HISTORY,
}
_PATH = re.compile(r"""['"]((?:/|[A-Za-z]:\\|\\\\)[^'"]+)['"]""")


class StorageFault(RuntimeError):  # noqa: N818 - says what is the matter
    """A disk, a share or the rights on them stopped the work; the message says where, and what to do."""


@contextmanager
def storage_faults(output: Path, consequence: str = "") -> Iterator[None]:
    """Raise StorageFault for whatever the storage did within; `output` is named where the fault names no path.

    `consequence` is a sentence to add, for whoever must know what became of the work.
    """
    try:
        yield
    except (StorageFault, EditionInUse, Unfinished):
        raise
    except Exception as error:
        told = storage_fault(_texts(error), output) or vanished(output)
        if told is None:
            raise
        raise StorageFault(f"{told} {consequence}".strip()) from error


def storage_fault(text: str, output: Path) -> str | None:
    """The sentence for a fault of the storage that this text of an error tells of; None where it is another fault."""
    for (number, words), sentence in _FAULTS.items():
        said = re.search(rf"\[Errno {number}\]|\(os error {number}\)|{words}", text)
        if said:
            place = _place(text, said.start()) or str(output)
            # SQLite also says `disk I/O error` of a full disk.
            return f"{place}: {_FULL if sentence is _GONE and _is_full(place) else sentence}"
    return None


def _is_full(place: str) -> bool:
    try:
        return shutil.disk_usage(place).free < _NOTHING_LEFT
    except OSError:
        return False


def vanished(output: Path) -> str | None:
    """The sentence for an output folder that is there no longer."""
    if output.is_dir():
        return None
    return f"{output}: the folder is no longer there. Connect its disk or share again, and run again."


def _texts(error: BaseException | None) -> str:
    """An error with all that led to it, the first cause first: that one knows the path."""
    texts: list[str] = []
    while error is not None and len(texts) < 10:
        texts.insert(0, f"{type(error).__name__}: {error}")
        error = error.__cause__ or error.__context__
    return "\n".join(texts)


def _place(text: str, start: int) -> str | None:
    """The path that the line of the error itself names, or the folder of Dagster's history where that is at fault."""
    if "(sqlite3.OperationalError)" in text:
        return os.environ.get("BTG_DAGSTER_STORAGE")
    line = text[text.rfind("\n", 0, start) + 1 :].partition("\n")[0]
    found = _PATH.search(line)
    return found.group(1) if found else None
