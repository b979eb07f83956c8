"""Being asked to stop: Ctrl-C, and SIGTERM, by which a machine that shuts down or a scheduler asks."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType


class Terminated(KeyboardInterrupt):
    """SIGTERM: to be treated as Ctrl-C is, but that the exit code is 143."""


def stop_when_asked() -> None:
    """From here on SIGTERM raises Terminated, as Ctrl-C raises KeyboardInterrupt."""
    # One handler for both: Dagster gives SIGTERM whatever handler SIGINT has.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)


def _stop(number: int, _: FrameType | None) -> None:
    raise Terminated if number == signal.SIGTERM else KeyboardInterrupt


@contextmanager
def asked_to_stop() -> Iterator[Callable[[], type[KeyboardInterrupt] | None]]:
    """Yields a function that says whether a signal asked to stop: Terminated, KeyboardInterrupt or None.

    Within a run Dagster handles both signals itself, and no longer tells one from the other.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return
    heard, writer = socket.socketpair()
    heard.setblocking(False)
    writer.setblocking(False)
    before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    numbers = bytearray()

    def asked() -> type[KeyboardInterrupt] | None:
        with suppress(BlockingIOError):
            numbers.extend(heard.recv(1024))
        if signal.SIGTERM in numbers:
            return Terminated
        return KeyboardInterrupt if signal.SIGINT in numbers else None

    try:
        yield asked
    finally:
        signal.set_wakeup_fd(before)
        heard.close()
        writer.close()
