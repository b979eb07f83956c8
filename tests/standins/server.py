"""A web server on this machine that stands in for a publisher's service, and can fail in the ways those do."""

from __future__ import annotations

import gzip
import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.message import Message
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import unquote

from tests.standins.faults import TRANSPORT, Fault, Kind, first_that_strikes

# A stand-in is reached directly, also where a proxy is set. It stays set: commands that tests start need it too.
for _name in ("NO_PROXY", "no_proxy"):
    os.environ[_name] = ",".join(filter(None, [os.environ.get(_name), "127.0.0.1"]))

DRIP_SECONDS = 0.05
_HTML = b"<!DOCTYPE html>\r\n<html><head><title>%s</title></head>\r\n\r\n<body><h1>%s</h1></body></html>"


@dataclass(frozen=True)
class Answer:
    """What a service answers."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


class StandIn:
    """A service at `url`, for the time of a `with` block.

    `requests` holds path and query of every request as they came in, `headers` the headers. `delay` is how many
    seconds every answer takes, `most_at_once` how many requests it had at the same time.
    """

    def __init__(self, faults: list[Fault] | None = None, *, delay: float = 0) -> None:
        # Several services may share a list, to which faults are added later.
        self.faults = [] if faults is None else faults
        self.delay = delay
        self.requests: list[str] = []
        self.headers: list[Message] = []
        self.most_at_once = 0
        self._now = 0
        self._lock = threading.Lock()
        self.stopped = threading.Event()
        self._server = _Server(self)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def answer(self, path: str, query: dict[str, str], headers: Message) -> Answer:
        """What the service answers to a request; path and query are decoded, where `+` is no blank."""
        return Answer(404, b'{"error":{"code":"404","message":"Not found"}}')

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopped.set()
        self._server.shutdown()
        self._server.server_close()

    def struck(self, kind: Kind, request: str) -> Fault | None:
        """The fault of this kind that strikes a request."""
        with self._lock:
            return first_that_strikes(self.faults, frozenset([kind]), request)

    @contextmanager
    def counted(self, handler: BaseHTTPRequestHandler) -> Iterator[Fault | None]:
        """Note a request, for as long as the answer takes to make; gives the fault that strikes it."""
        with self._lock:
            self.requests.append(handler.path)
            self.headers.append(handler.headers)
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
            fault = first_that_strikes(self.faults, TRANSPORT, handler.path)
        try:
            yield fault
        finally:
            with self._lock:
                self._now -= 1


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        stand_in = self.server.stand_in
        path, _, query = self.path.partition("?")
        pairs = (part.partition("=") for part in query.split("&") if part)
        asked = {unquote(name): unquote(value) for name, _, value in pairs}
        with stand_in.counted(self) as fault:
            stand_in.stopped.wait(stand_in.delay)
            answer = stand_in.answer(unquote(path), asked, self.headers)
        # Counted no longer: the client may ask for more as soon as it has the last byte.
        if fault is None:
            self._whole(answer)
        elif fault.kind in _INSTEAD:
            self._whole(_INSTEAD[fault.kind](answer, fault))
        else:
            self.close_connection = True
            _CUT_SHORT[fault.kind](self, answer)

    def _whole(self, answer: Answer) -> None:
        self._head(answer)
        self.wfile.write(answer.body)

    def _head(self, answer: Answer) -> None:
        self.send_response(answer.status)
        headers = {"Content-Type": answer.content_type, "Content-Length": str(len(answer.body))}
        for name, value in {**headers, **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def half(self, answer: Answer) -> None:
        """The declared length is that of the whole."""
        self._head(answer)
        self.wfile.write(answer.body[: len(answer.body) // 2])

    def drip(self, answer: Answer) -> None:
        """Never so slow that reading times out."""
        self._head(answer)
        for byte in answer.body:
            self.wfile.write(bytes([byte]))
            if self.server.stand_in.stopped.wait(DRIP_SECONDS):
                break

    def reset(self, answer: Answer) -> None:
        """Closed without the usual goodbye."""
        self.half(answer)
        time.sleep(DRIP_SECONDS)  # the client gets what was sent before the reset can overtake it
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.rfile.close()
        self.connection.close()

    def silent(self, answer: Answer) -> None:
        """Not a byte."""
        self.server.stand_in.stopped.wait()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the base class
        """Say nothing."""


_CUT_SHORT = {
    Kind.SILENT: _Handler.silent,
    Kind.SLOW_DRIP: _Handler.drip,
    Kind.SHORT_BODY: _Handler.half,
    Kind.RESET: _Handler.reset,
}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, stand_in: StandIn) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.stand_in = stand_in

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that gives up is what the tests are about; anything else is a fault of the stand-in, and shown."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


def _html(status: int, title: bytes) -> Answer:
    return Answer(status, _HTML % (title, title), "text/html; charset=utf-8")


def _too_many(retry_after: str) -> Answer:
    return Answer(429, b'{"error":{"code":"429","message":"Too many requests"}}', headers={"Retry-After": retry_after})


def _damaged_gzip(answer: Answer, fault: Fault) -> Answer:
    packed = bytearray(gzip.compress(answer.body))
    middle = len(packed) // 2
    packed[middle : middle + 8] = b"\xff" * 8
    return replace(answer, body=bytes(packed), headers={**answer.headers, "Content-Encoding": "gzip"})


# Faults that are another answer instead of the right one.
_INSTEAD: dict[Kind, Callable[[Answer, Fault], Answer]] = {
    Kind.TOO_MANY_REQUESTS: lambda _, fault: _too_many(fault.about or "1"),
    Kind.TOO_MANY_REQUESTS_UNTIL: lambda _, fault: _too_many(
        format_datetime(datetime.now(UTC) + timedelta(seconds=float(fault.about or 1)), usegmt=True)
    ),
    Kind.UNAVAILABLE: lambda _answer, _fault: Answer(503, b"Service Unavailable", "text/plain"),
    Kind.SERVER_ERROR: lambda _answer, _fault: _html(500, b"Runtime Error"),
    Kind.TRUNCATED_JSON: lambda answer, _: replace(answer, body=answer.body[: len(answer.body) // 2]),
    Kind.HTML_PAGE: lambda _answer, _fault: _html(200, b"Wegens onderhoud is StatLine niet bereikbaar"),
    Kind.DAMAGED_GZIP: _damaged_gzip,
    Kind.NOT_ACCEPTABLE: lambda _answer, _fault: Answer(406, b"Not Acceptable", "text/plain"),
}
