"""A function that works in a process of its own, while this one goes on: drawing keeps one processor busy."""

from __future__ import annotations

import gc
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
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
    # A fork would copy the threads' locks of Polars without the threads.
    context = get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(sender, function, arguments), daemon=True)
    process.start()
    sender.close()

    def result() -> T:
        try:
            succeeded, value = receiver.recv()
        except EOFError:
            process.join()
            raise BackgroundFailed(f"{function.__name__} ended with code {process.exitcode}") from None
        if not succeeded:
            raise BackgroundFailed(value)
        made: T = value
        return made

    try:
        yield result
    finally:
        process.terminate()
        process.join()
        receiver.close()


def _work(sender: Connection, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    # Short-lived: looking for unreachable objects would take a quarter of the time of drawing.
    gc.disable()
    # Ctrl-C reaches every process of a terminal; the one that waits decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        sender.send((True, function(*arguments)))
    except BrokenPipeError:
        return  # nobody waits any more
    except Exception:  # noqa: BLE001 - whatever it is, it is told to who waits
        sender.send((False, traceback.format_exc()))
