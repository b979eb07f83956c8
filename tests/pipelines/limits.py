"""A disk that is soon full, one that is read-only, and a folder that is closed."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_NOBODY = 65534


@contextmanager
def small_disk(folder: Path, size: int, *, mounted: bool = False) -> Iterator[Path]:
    """A disk of so many bytes where mounting is allowed, else a limit on the size of every file written meanwhile.

    `mounted`: skip where it is not allowed, since the test needs a disk that is really full.
    """
    folder.mkdir()
    if _mounted("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)):
        try:
            yield folder
        finally:
            _unmount(folder)
        return
    if mounted or sys.platform == "win32":
        pytest.skip("no small disk can be mounted here")
    import resource
    import signal

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield folder
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """This folder, with what is in it, on a disk that is read-only; skips where mounting is not allowed."""
    if not _mounted("--bind", str(folder), str(folder)):
        pytest.skip("nothing can be mounted here")
    try:
        if not _mounted("-o", "remount,bind,ro", str(folder)):
            pytest.skip("nothing can be mounted read-only here")
        yield
    finally:
        _unmount(folder)


@contextmanager
def without_rights_to(folder: Path, tmp_path: Path) -> Iterator[None]:
    """As somebody who may open all in `tmp_path` but this folder, also where the tests run as root."""
    mode = folder.stat().st_mode
    folder.chmod(0)
    is_root = os.geteuid() == 0
    if is_root:
        for path in [tmp_path, *tmp_path.rglob("*")]:
            os.chown(path, _NOBODY, -1, follow_symlinks=False)
        for parent in [*tmp_path.parents][:-2]:
            parent.chmod(parent.stat().st_mode | stat.S_IXGRP | stat.S_IXOTH)  # of the two, its group counts first
        os.seteuid(_NOBODY)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)
        folder.chmod(mode)


def _mounted(*how: str) -> bool:
    if sys.platform != "linux" or os.geteuid() != 0:
        return False
    return subprocess.run(["mount", *how], check=False, capture_output=True).returncode == 0


def _unmount(folder: Path) -> None:
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
