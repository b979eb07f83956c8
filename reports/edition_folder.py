"""Putting an edition in its place: all of it or nothing."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

# On Windows a file that a reader has open cannot be replaced: wait a little, then give up and say so.
ATTEMPTS = 5
WAIT_SECONDS = 0.5


class EditionInUse(RuntimeError):  # noqa: N818 - says what is the matter
    """A file or folder could not be replaced because another program has it open."""


def replace_file(new: Path, target: Path) -> None:
    """Move `new` over `target` in one step; readers that have the old file open keep it."""
    _patiently(lambda: new.replace(target), target)


def replace_folder(new: Path, target: Path) -> None:
    """Move the folder `new` to `target`; the standing folder is put aside first and put back if that fails."""
    aside = _aside(target)
    restore(target)
    shutil.rmtree(aside, ignore_errors=True)
    if target.exists():
        _patiently(lambda: target.replace(aside), target)
    try:
        new.replace(target)
    except BaseException:  # also Ctrl-C: whatever happens between the two moves, the old folder comes back
        if aside.exists() and not target.exists():
            aside.replace(target)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def restore(target: Path) -> None:
    """Put back the folder that a replacement had put aside when it was cut off half-way."""
    if _aside(target).exists() and not target.exists():
        _aside(target).replace(target)


def _aside(target: Path) -> Path:
    return target.with_name(f".{target.name}.old")


def _patiently(move: Callable[[], object], target: Path) -> None:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            move()
        except PermissionError as error:
            if attempt == ATTEMPTS:
                raise EditionInUse(
                    f"{target} is open in another program and was left as it is. Close it and run again."
                ) from error
            time.sleep(WAIT_SECONDS)
        else:
            return
