"""A function that works in a process of its own, while this one goes on: drawing keeps one processor busy."""

from __future__ import annotations

import gc
import pickle
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from threading import Thread
from typing import Any, TypeVar

T = TypeVar("T")


class BackgroundFailed(RuntimeError):  # noqa: N818 - says what is the matter
    """The function in the other process failed; the message is its traceback."""


@contextmanager
def in_background(function: Callable[..., T], *arguments: Any) -> Iterator[Callable[[], T]]:
    """Start a function of a module; what is yielded waits for its result.

    The other process only computes: it ends with this block, and what it may still do when this process is killed
    reaches no file.
    """
    task = pickle.dumps((function, arguments))
    # A fork would copy the threads' locks of Polars without the threads.
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs,), daemon=True)
    process.start()
    theirs.close()
    # A pipe holds little, and the other process begins by importing: to wait until it reads would take a second.
    handing_over = Thread(target=_hand_over, args=(ours, task), daemon=True)
    handing_over.start()

    def result() -> T:
        try:
            succeeded, value = ours.recv()
        except (EOFError, ConnectionResetError):
            process.join()
            raise BackgroundFailed(f"{function.__name__} ended with code {process.exitcode}") from None
        if not succeeded:
            raise BackgroundFailed(value)
        made: T = value
        return made

    try:
        yield result
    finally:
        process.kill()  # SIGTERM is lost on a process that does not yet run its own program
        process.join()
        handing_over.join()
        ours.close()


def _hand_over(connection: Connection, task: bytes) -> None:
    with suppress(OSError):  # nobody reads any more: what ended the other process is told by who waits for it
        connection.send_bytes(task)


def _work(connection: Connection) -> None:
    # Short-lived: looking for unreachable objects would take a quarter of the time of drawing.
    gc.disable()
    # Ctrl-C reaches every process of a terminal; the one that waits decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(EOFError, ConnectionError):  # nobody waits any more
        task = connection.recv_bytes()
        connection.send(_done(task))


def _done(task: bytes) -> tuple[bool, Any]:
    try:
        function, arguments = pickle.loads(task)  # noqa: S301 - from the process that started this one
        return True, function(*arguments)
    except Exception:  # noqa: BLE001 - whatever it is, it is told to who waits
        return False, traceback.format_exc()
