"""Asks publishers' services for bytes: politely, again when that helps, and never longer than there is time for."""

from __future__ import annotations

import os
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import quote
from urllib.request import getproxies

import httpx
import tenacity

from sources.errors import FileTooLarge, IncompleteAnswer, InputError, ServiceRefused, SourceUnavailable, TableWithdrawn

_CONTACT = "Bruto Twents Geluk contributors"
_AGAIN = {httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_MANY_REQUESTS}
_GONE = {httpx.codes.NOT_FOUND, httpx.codes.GONE}
_SHOWN = 500
_BREATH = 0.2
_LATER = "Try again later; nothing was changed."
_CHECK = "Asking again will not help: check the service and the table in catalog/sources.yaml."

T = TypeVar("T")
R = TypeVar("R")


def side_by_side(at_once: int, do: Callable[[T], R], of: Iterable[T]) -> list[R]:
    """What `do` makes of each, so many at a time, in their order. Ctrl-C is not kept waiting for a silent service."""
    pool = ThreadPoolExecutor(at_once)
    futures = [pool.submit(do, each) for each in of]
    patient = True
    try:
        found = []
        for future in futures:
            # In short waits: where Polars is loaded, Ctrl-C is heard only between two of them.
            while not future.done():
                wait_for([future], timeout=_BREATH)
            found.append(future.result())
        return found
    except BaseException as error:
        patient = isinstance(error, Exception)
        raise
    finally:
        pool.shutdown(wait=patient, cancel_futures=True)


def user_agent() -> str:
    """Who asks: name, version and contact (BTG_CONTACT: an e-mail or web address), so that a publisher can write."""
    contact = os.environ.get("BTG_CONTACT", "").encode("ascii", "ignore").decode().split()
    return f"btg/{version('btg')} (+{' '.join(contact) or _CONTACT})"


@dataclass(frozen=True)
class Manners:
    """How to behave towards a service.

    At most `parallel` requests at a time; `attempts` in all, `connect_attempts` where there is no connection at all (no
    network, no such host), with waits that double from `first_wait` to `longest_wait` seconds; answers of at most
    `max_bytes`. `ipv4_only` (BTG_IPV4=1) is for networks on which IPv6 leads nowhere.
    """

    parallel: int = 3
    connect_seconds: float = 10
    read_seconds: float = 60
    attempts: int = 6
    connect_attempts: int = 3
    first_wait: float = 1
    longest_wait: float = 60
    max_bytes: int = 2 * 2**30
    ipv4_only: bool = field(default_factory=lambda: os.environ.get("BTG_IPV4") == "1")


@dataclass(frozen=True)
class Deadline:
    """The moment by which a table must be there, shared by all of its pages."""

    moment: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """That many seconds from now."""
        return cls(time.monotonic() + seconds)

    def left(self) -> float:
        """Seconds left, never below 0."""
        return max(0.0, self.moment - time.monotonic())

    @property
    def passed(self) -> bool:
        """Whether no time is left."""
        return self.left() == 0


@dataclass(frozen=True)
class Received:
    """What a service answered. `url` is what was asked, `body` decompressed, `retrieved_at` UTC in ISO 8601."""

    url: str
    body: bytes
    content_type: str
    retrieved_at: str


class PoliteClient:
    """Gets what is at a URL. One client serves all threads; use it in a `with` block."""

    def __init__(self, manners: Manners | None = None) -> None:
        self.manners = manners or Manners()
        self._slots = threading.BoundedSemaphore(self.manners.parallel)
        self._http = httpx.Client(
            headers={"User-Agent": user_agent(), "Accept-Encoding": "gzip"},
            follow_redirects=True,
            limits=httpx.Limits(max_connections=self.manners.parallel),
            transport=_transport(self.manners),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def get(
        self,
        url: str,
        *,
        table: str,
        deadline: Deadline,
        params: Mapping[str, str] | None = None,
        accept: str = "application/json",
    ) -> Received:
        """The bytes at `url`, to which `params` are added; without them it reaches the service as it is.

        Tries again after what may pass: no connection, a connection that breaks off, a time-out, a body that is cut
        off, cannot be decompressed or is a page of HTML, and the codes 408, 429 (Retry-After is honoured) and 5xx.
        Raises TableWithdrawn for 404 and 410, FileTooLarge, and otherwise SourceUnavailable, which names `table`.
        """
        return self.get_parsed(url, table=table, deadline=deadline, parse=bytes, params=params, accept=accept)[0]

    def get_parsed(
        self,
        url: str,
        *,
        table: str,
        deadline: Deadline,
        parse: Callable[[bytes], T],
        params: Mapping[str, str] | None = None,
        accept: str = "application/json",
    ) -> tuple[Received, T]:
        """Like `get`, with what `parse` makes of the body; IncompleteAnswer from `parse` counts as a fault too."""
        asked = _Asked(_with_params(url, params), table, accept, deadline)

        def attempt() -> tuple[Received, T]:
            received = self._receive(asked)
            try:
                return received, parse(received.body)
            except IncompleteAnswer as error:
                raise _PassingError(str(error).partition("\n")[0]) from error

        def enough(state: tenacity.RetryCallState) -> bool:
            # A wait that ends too late is not begun.
            return state.attempt_number >= self._attempts(state.outcome) or state.upcoming_sleep >= deadline.left()

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_PassingError), wait=self._wait(), stop=enough, reraise=True
        )
        try:
            return retrying(attempt)
        except _PassingError as error:
            tried = retrying.statistics["attempt_number"]
            times = "once" if tried == 1 else f"{tried} times"
            in_time = tried == (self.manners.connect_attempts if error.unreached else self.manners.attempts)
            over = "" if in_time else ", until no time was left for another"
            raise asked.unavailable(f"Tried {times}{over}. Last: {error}", _LATER) from error

    def _attempts(self, outcome: tenacity.Future | None) -> int:
        error = outcome.exception() if outcome else None
        unreached = isinstance(error, _PassingError) and error.unreached
        return self.manners.connect_attempts if unreached else self.manners.attempts

    def _wait(self) -> Callable[[tenacity.RetryCallState], float]:
        first = self.manners.first_wait
        ours = tenacity.wait_exponential_jitter(multiplier=first, max=self.manners.longest_wait, jitter=first)

        def wait(state: tenacity.RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            return max(ours(state), error.retry_after if isinstance(error, _PassingError) else 0)

        return wait

    def _receive(self, asked: _Asked) -> Received:
        """One attempt. Raises _PassingError for what may pass."""
        if asked.deadline.passed or not self._slots.acquire(timeout=asked.deadline.left()):
            raise _PassingError("no time left")
        left = asked.deadline.left()
        timeout = httpx.Timeout(min(self.manners.read_seconds, left), connect=min(self.manners.connect_seconds, left))
        try:
            with self._http.stream("GET", asked.url, headers={"Accept": asked.accept}, timeout=timeout) as response:
                body = b"".join(self._body(response, asked))
                _check(response, body, asked)
                return Received(
                    asked.url,
                    body,
                    response.headers.get("Content-Type", ""),
                    datetime.now(UTC).isoformat(timespec="seconds"),
                )
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.TooManyRedirects) as error:
            raise asked.unavailable(f"It cannot be asked for: {error}", _CHECK) from error
        except httpx.TransportError as error:
            unreached = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
            raise _PassingError(f"{type(error).__name__}: {error}", unreached=unreached) from error
        finally:
            self._slots.release()

    def _body(self, response: httpx.Response, asked: _Asked) -> Iterator[bytes]:
        """The body, decompressed. The deadline is looked at with every piece that comes in."""
        if int(response.headers.get("Content-Length", 0)) > self.manners.max_bytes:
            raise asked.too_large(self.manners.max_bytes)
        packing = response.headers.get("Content-Encoding", "identity").lower()
        if packing not in ("identity", "gzip"):
            raise _PassingError(f"a body compressed as {packing}, which was not asked for")
        unzip = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16) if packing == "gzip" else None
        room = self.manners.max_bytes
        for raw in response.iter_raw():
            if asked.deadline.passed:
                raise _PassingError("no time left, while the body came in slowly")
            try:
                # Never more than one byte too many: a small archive can hold terabytes.
                piece = unzip.decompress(raw, room + 1) if unzip else raw
            except zlib.error as error:
                raise _PassingError(f"a body that cannot be decompressed: {error}") from error
            room -= len(piece)
            if room < 0:
                raise asked.too_large(self.manners.max_bytes)
            yield piece
        if unzip and (unzip.unused_data or not unzip.eof):
            raise _PassingError("a compressed body that is cut off, or goes on after its end")


class _PassingError(Exception):
    """What may be over in a while.

    `retry_after` is how many seconds the service asks us to wait; `unreached`: there was not even a connection.
    """

    def __init__(self, cause: str, retry_after: float = 0, *, unreached: bool = False) -> None:
        super().__init__(cause)
        self.unreached = unreached
        self.retry_after = retry_after


@dataclass(frozen=True)
class _Asked:
    """A request, and how to say what became of it."""

    url: str
    table: str
    accept: str
    deadline: Deadline

    @property
    def address(self) -> str:
        """Host and path, without the query."""
        return self.url.partition("?")[0].partition("://")[2]

    def unavailable(self, what: str, advice: str) -> InputError:
        return SourceUnavailable(self.table, f"an answer from {self.address}", remedy=f"{what.rstrip('.')}. {advice}")

    def too_large(self, most: int) -> InputError:
        return FileTooLarge(
            self.table,
            f"an answer of at most {most // 2**20} MB from {self.address}",
            remedy="Ask for less of the table, or allow for more.",
        )


def _transport(manners: Manners) -> httpx.HTTPTransport | None:
    """None is httpx's own, which goes by the proxies of the environment; a proxy finds its own way to the service."""
    return httpx.HTTPTransport(local_address="0.0.0.0") if manners.ipv4_only and not getproxies() else None  # noqa: S104


def _with_params(url: str, params: Mapping[str, str] | None) -> str:
    """Blanks become %20, never a plus sign, which not every service reads as a blank."""
    query = "&".join(f"{quote(name, safe='$')}={quote(value, safe='(),')}" for name, value in (params or {}).items())
    return url + ("&" if "?" in url else "?") + query if query else url


def _check(response: httpx.Response, body: bytes, asked: _Asked) -> None:
    """Nothing, if the answer is what was asked for."""
    code = response.status_code
    said = " ".join(body[: 8 * _SHOWN].decode("utf-8", "replace").split())[:_SHOWN]
    status = f"HTTP {code} {response.reason_phrase}: {said}"
    if code in _AGAIN or code >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise _PassingError(status, _retry_after(response.headers.get("Retry-After", "")))
    if code in _GONE:
        raise TableWithdrawn(
            asked.table,
            f"a table at {asked.address}",
            remedy=f"The service says {status}. If the publisher gave it another id, change it in "
            "catalog/sources.yaml; capitals count.",
        )
    if code != httpx.codes.OK:
        refused = asked.unavailable(f"The service says {status}", _CHECK)
        raise ServiceRefused(refused.file, refused.expected, remedy=refused.remedy)
    if "html" in response.headers.get("Content-Type", "") and "html" not in asked.accept:
        raise _PassingError(f"a page of HTML instead of data: {said}")


def _retry_after(header: str) -> float:
    """Seconds to wait: the header gives them, or a moment; anything else is 0."""
    if header.strip().isdecimal():
        return float(header)
    try:
        return max(0.0, (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return 0
