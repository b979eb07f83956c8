"""One writer to an output folder at a time, and a message that says who it is."""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import warnings
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from reports.output_lock import HOLDER, WITHOUT_LOCKS, AnotherRunIsBusy, Holder, hold, read_holder
from tests.conftest import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOLD = """\
import sys, time
from pathlib import Path
from reports.output_lock import hold
with hold(Path(sys.argv[1]), "btg publish"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def other(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the folder."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_the_second_is_told_what_the_first_does_and_which_process_it_is(
    tmp_path: Path, other: subprocess.Popen[str]
) -> None:
    with pytest.raises(AnotherRunIsBusy) as caught, hold(tmp_path, "btg measure"):
        pass
    for part in (str(tmp_path), "btg publish", f"process {other.pid}", socket.gethostname(), "wait until it is done"):
        assert part in str(caught.value)


def test_the_lock_of_a_dead_process_locks_nobody_out_and_is_recognised(
    tmp_path: Path, other: subprocess.Popen[str]
) -> None:
    other.send_signal(signal.SIGKILL) if os.name == "posix" else other.kill()
    other.wait()
    with hold(tmp_path, "btg measure") as left_behind:
        assert left_behind is not None
        assert (left_behind.what, left_behind.pid) == ("btg publish", other.pid)
        assert (holder := read_holder(tmp_path)) is not None
        assert (holder.what, holder.pid) == ("btg measure", os.getpid())
    with hold(tmp_path, "btg measure") as left_behind:
        assert left_behind is None


def test_who_holds_the_folder_may_hold_it_again_and_gives_it_up_once(tmp_path: Path) -> None:
    with hold(tmp_path, "btg publish"):
        with hold(tmp_path, "within"):
            assert (holder := read_holder(tmp_path)) is not None
            assert holder.what == "btg publish"
        with pytest.raises(Exception, match="could not be acquired"), FileLock(tmp_path / ".lock", timeout=0):
            pass
    assert read_holder(tmp_path) is None
    with FileLock(tmp_path / ".lock", timeout=0):
        pass


def test_another_thread_is_another_writer(tmp_path: Path) -> None:
    refused: list[str] = []

    def try_it() -> None:
        try:
            with hold(tmp_path, "other"):
                pass
        except AnotherRunIsBusy as error:
            refused.append(str(error))

    with hold(tmp_path, "btg measure"):
        thread = threading.Thread(target=try_it)
        thread.start()
        thread.join()
    assert len(refused) == 1


def test_a_note_that_cannot_be_read_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / HOLDER).write_text('{"pid": ', encoding="utf-8")
    with hold(tmp_path, "btg measure") as left_behind:
        assert left_behind is None
    assert read_holder(tmp_path) is None


def test_the_note_names_nobody(tmp_path: Path) -> None:
    with hold(tmp_path, "btg measure"):
        said = json.loads((tmp_path / HOLDER).read_text(encoding="utf-8"))
    assert set(said) == {"what", "pid", "host", "started"}


@pytest.mark.skipif(os.name == "nt", reason="Windows has locks everywhere")
@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_share_without_locks_has_the_note_of_a_process_instead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.flock", no_locks)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with hold(tmp_path, "btg measure"):
            assert (tmp_path / WITHOUT_LOCKS).exists()
            monkeypatch.setattr("reports.output_lock._held", set())
            with pytest.raises(AnotherRunIsBusy, match=r"btg measure.*remove .*\.lock\.process"), hold(tmp_path, "x"):
                pass
    assert not (tmp_path / WITHOUT_LOCKS).exists()


def test_a_holder_reads_as_a_part_of_a_sentence() -> None:
    holder = Holder("btg measure", 7, "laptop", "2026-11-24T03:15:15+00:00")
    assert str(holder) == "btg measure, process 7 on laptop, since 2026-11-24T03:15:15+00:00"
