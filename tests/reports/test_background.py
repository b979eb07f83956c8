"""What works beside the process that writes: its result comes back, its fault is told, it never outlives its block."""

from __future__ import annotations

import os
import pickle
import signal
import time

import pytest

from reports.background import BackgroundFailed, in_background


def test_the_result_comes_back() -> None:
    with in_background(sorted, [3, 1, 2]) as result:
        assert result() == [1, 2, 3]


def test_a_fault_is_told_with_its_place() -> None:
    with in_background(int, "zestig") as result, pytest.raises(BackgroundFailed, match=r"(?s)ValueError.*'zestig'"):
        result()


def test_who_stops_waiting_ends_it() -> None:
    begun = time.monotonic()
    with pytest.raises(RuntimeError, match="changed my mind"), in_background(time.sleep, 60):
        raise RuntimeError("changed my mind")
    assert time.monotonic() - begun < 30


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signals to keep back")
def test_it_ends_also_where_it_does_not_hear_sigterm() -> None:
    begun = time.monotonic()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})  # what a process starts inherits this
    try:
        with in_background(time.sleep, 60):
            pass
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    assert time.monotonic() - begun < 30


def test_a_process_that_dies_says_so() -> None:
    with in_background(os._exit, 3) as result, pytest.raises(BackgroundFailed, match="ended with code 3"):
        result()


def test_what_is_handed_over_may_be_large() -> None:
    with in_background(len, bytes(10_000_000)) as result:
        assert result() == 10_000_000
    with in_background(len, bytes(10_000_000)):
        pass  # nobody waits: nor does the end of the block


def test_what_cannot_be_handed_over_is_refused_at_once() -> None:
    with pytest.raises((AttributeError, pickle.PicklingError)), in_background(lambda: 1):
        pass
