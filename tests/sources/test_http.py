"""Whatever a service or the network does: the right bytes, or a clear error in time."""

from __future__ import annotations

import gzip
import json
import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from email.message import Message
from functools import cache
from typing import Any

import pytest

from sources.errors import FileTooLarge, IncompleteAnswer, InputError, SourceUnavailable, TableWithdrawn
from sources.http import Deadline, Manners, PoliteClient, Received
from tests.standins.faults import TRANSPORT, Fault, Kind
from tests.standins.server import Answer, StandIn

TABLE = "CBS 03759ned"
RIGHT = {"value": [1, 2, 3], "more": "of it"}
BOMB = gzip.compress(bytes(10_000_000))
QUICK = Manners(first_wait=0.001, longest_wait=0.01)

# What may pass, so that asking again helps; a slow answer is right as long as there is time for it.
PASSING = TRANSPORT - {Kind.NOT_ACCEPTABLE, Kind.SLOW_DRIP}


def manners_for(kind: Kind) -> Manners:
    """Reading times out soon only where nothing else ends it: a busy machine is slow too."""
    return replace(QUICK, read_seconds=0.2) if kind is Kind.SILENT else QUICK


class Service(StandIn):
    """Gives JSON everywhere, and what some paths say."""

    def answer(self, path: str, query: dict[str, str], headers: Message) -> Answer:
        body = json.dumps(RIGHT).encode()
        packed = gzip.compress(body)
        return {
            "/packed": Answer(body=packed, headers={"Content-Encoding": "gzip"}),
            "/cut": Answer(body=packed[:-9], headers={"Content-Encoding": "gzip"}),
            "/brotli": Answer(body=body, headers={"Content-Encoding": "br"}),
            "/bomb": Answer(body=BOMB, headers={"Content-Encoding": "gzip"}),
            "/large": Answer(body=bytes(2_000_000)),
            "/moved": Answer(301, headers={"Location": f"{self.url}/here"}),
            "/round": Answer(301, headers={"Location": f"{self.url}/round"}),
            "/withdrawn": Answer(404, b"no such table"),
            "/refused": Answer(400, b"Unknown\r\n\r\n   function 'is'." + b"x" * 1000, "text/plain"),
        }.get(path, Answer(body=body))


def parse(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError as error:
        raise IncompleteAnswer(TABLE, "whole JSON", remedy="It was cut off.") from error


# One for many tests, as in use: making one takes longer than most requests here.
client = cache(PoliteClient)


def ask(
    service: StandIn, path: str = "/x", *, seconds: float = 5, manners: Manners = QUICK, **params: str
) -> tuple[Received, Any]:
    deadline = Deadline.after(seconds)
    return client(manners).get_parsed(service.url + path, table=TABLE, deadline=deadline, parse=parse, params=params)


def refusal(service: StandIn, path: str = "/x", *, seconds: float = 5, manners: Manners = QUICK) -> InputError:
    """The error, which must come in time, name table and address, and say what to do."""
    begun = time.monotonic()
    with pytest.raises(InputError) as caught:
        ask(service, path, seconds=seconds, manners=manners)
    assert time.monotonic() - begun < seconds + 1
    message = str(caught.value)
    assert message.startswith(f"{TABLE}: expected ")
    assert f"127.0.0.1:{service.url.rpartition(':')[2]}{path}" in message
    assert caught.value.remedy
    assert len(message.splitlines()) == 2
    return caught.value


def test_what_is_received() -> None:
    with Service() as service:
        received, value = ask(service, "/x/Observations")
    assert value == RIGHT
    assert json.loads(received.body) == RIGHT
    assert received.url == f"{service.url}/x/Observations"
    assert received.content_type == "application/json; charset=utf-8"
    moment = datetime.fromisoformat(received.retrieved_at)
    assert received.retrieved_at.endswith("+00:00")
    assert abs((datetime.now(UTC) - moment).total_seconds()) < 5


def test_a_publisher_sees_who_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BTG_CONTACT", "data@twente.example\r\nX-Other: é")
    with Service() as service, PoliteClient(QUICK) as polite:
        polite.get(service.url, table=TABLE, deadline=Deadline.after(5))
    [headers] = service.headers
    assert re.fullmatch(r"btg/\d+\.\d+\.\d+ \(\+data@twente\.example X-Other:\)", headers["User-Agent"])
    assert headers["X-Other"] is None
    assert headers["Accept"] == "application/json"
    assert headers["Accept-Encoding"] == "gzip"


@pytest.mark.parametrize(
    "address",
    [
        "/ODataFeed/OData/83599NED/UntypedDataSet/?$format=json&$skip=10000",
        "/x?%24filter=RegioS%20eq%20%27NL01%20%20%27&$skiptoken=a%2Fb%3d",
        "/x?$filter=(startswith(RegioS,'GM'))&a=b+c&d=%2B&=&&e;f=/?~@:!*",
    ],
)
def test_a_link_reaches_the_service_byte_for_byte(address: str) -> None:
    with Service() as service:
        assert ask(service, address)[0].url == service.url + address
    assert service.requests == [address]


def test_parameters_are_encoded_without_plus_signs() -> None:
    with Service() as service:
        ask(service, "/x", **{"$filter": "RegioS eq 'NL01  ' and a+b", "$select": "A,B"})
        ask(service, "/x?$format=json", **{"$top": "1"})
    assert service.requests == [
        "/x?$filter=RegioS%20eq%20%27NL01%20%20%27%20and%20a%2Bb&$select=A,B",
        "/x?$format=json&$top=1",
    ]


@pytest.mark.parametrize("kind", sorted(PASSING))
def test_what_passes_is_asked_again(kind: Kind) -> None:
    with Service([Fault(kind, times=2, about="0")]) as service:
        assert ask(service, manners=manners_for(kind))[1] == RIGHT
    assert service.requests == ["/x"] * 3


@pytest.mark.parametrize("kind", sorted(PASSING))
def test_what_does_not_pass_is_an_error_that_says_how_often_it_was_tried(kind: Kind) -> None:
    with Service([Fault(kind, about="0")]) as service:
        error = refusal(service, manners=replace(manners_for(kind), attempts=3))
    assert isinstance(error, SourceUnavailable)
    assert "Tried 3 times. Last: " in str(error)
    assert len(service.requests) == 3


@pytest.mark.parametrize(
    ("kind", "cause"),
    [
        (Kind.UNAVAILABLE, "HTTP 503 Service Unavailable: Service Unavailable."),
        (Kind.HTML_PAGE, "a page of HTML instead of data: <!DOCTYPE html> <html>"),
        (Kind.SERVER_ERROR, "HTTP 500 Internal Server Error: <!DOCTYPE html> <html>"),
        (Kind.TRUNCATED_JSON, "expected whole JSON."),
        (Kind.SILENT, "ReadTimeout: timed out"),
        (Kind.RESET, "ReadError: "),
        (Kind.SHORT_BODY, "RemoteProtocolError: peer closed connection"),
        (Kind.DAMAGED_GZIP, "cannot be decompressed"),
        (Kind.TOO_MANY_REQUESTS, "HTTP 429 Too Many Requests"),
    ],
)
def test_the_error_says_what_went_wrong(kind: Kind, cause: str) -> None:
    with Service([Fault(kind, about="0")]) as service:
        assert cause in str(refusal(service, manners=replace(manners_for(kind), attempts=1)))


@pytest.mark.parametrize("kind", [Kind.SILENT, Kind.SLOW_DRIP, Kind.UNAVAILABLE, Kind.TRUNCATED_JSON])
def test_no_fault_lasts_longer_than_the_deadline(kind: Kind) -> None:
    patient = Manners(first_wait=0.2, attempts=1000)
    begun = time.monotonic()
    with Service([Fault(kind)]) as service:
        error = refusal(service, seconds=0.6, manners=patient)
        assert time.monotonic() - begun < 1.2
    assert "until no time was left for another" in str(error)


def test_a_slow_answer_is_right_when_there_is_time() -> None:
    with Service([Fault(Kind.SLOW_DRIP)]) as service:
        assert ask(service)[1] == RIGHT
    assert service.requests == ["/x"]


def test_the_deadline_is_shared_by_all_pages() -> None:
    with Service(delay=0.5) as service, PoliteClient(QUICK) as polite:
        deadline = Deadline.after(0.8)
        polite.get(f"{service.url}/1", table=TABLE, deadline=deadline)
        with pytest.raises(SourceUnavailable):
            polite.get(f"{service.url}/2", table=TABLE, deadline=deadline)
        assert deadline.passed
        with pytest.raises(SourceUnavailable, match="no time left"):
            polite.get(f"{service.url}/3", table=TABLE, deadline=deadline)
    assert service.requests == ["/1", "/2"]


@pytest.mark.parametrize("kind", [Kind.TOO_MANY_REQUESTS, Kind.TOO_MANY_REQUESTS_UNTIL])
def test_a_service_says_how_long_to_wait(kind: Kind) -> None:
    # A date has whole seconds: two of them are at least one from now.
    with Service([Fault(kind, times=1, about="1" if kind is Kind.TOO_MANY_REQUESTS else "2")]) as service:
        begun = time.monotonic()
        assert ask(service)[1] == RIGHT
    assert 0.9 < time.monotonic() - begun < 3


@pytest.mark.parametrize("kind", [Kind.TOO_MANY_REQUESTS, Kind.TOO_MANY_REQUESTS_UNTIL])
def test_a_wait_beyond_the_deadline_is_not_begun(kind: Kind) -> None:
    with Service([Fault(kind, about="3600")]) as service:
        begun = time.monotonic()
        assert "Tried once, until no time was left" in str(refusal(service, seconds=30))
        assert time.monotonic() - begun < 1


@pytest.mark.parametrize("wait", ["soon", "-5", "²", "Mon, 99 Foo 2026", "Mon, 05 Jan 2015 10:00:00 GMT"])
def test_a_wait_that_makes_no_sense_is_ours(wait: str) -> None:
    class Odd(Service):
        def answer(self, path: str, query: dict[str, str], headers: Message) -> Answer:
            right = super().answer(path, query, headers)
            return right if len(self.requests) > 1 else replace(right, status=503, headers={"Retry-After": wait})

    with Odd() as service:
        assert ask(service)[1] == RIGHT


def test_at_most_three_requests_at_a_time() -> None:
    with Service(delay=0.05) as service, PoliteClient() as polite, ThreadPoolExecutor(12) as pool:
        deadline = Deadline.after(10)
        asked = [f"{service.url}/{number}" for number in range(12)]
        received = list(pool.map(lambda url: polite.get(url, table=TABLE, deadline=deadline), asked))
    assert [one.url for one in received] == asked
    assert service.most_at_once == 3


def test_a_withdrawn_table_is_not_asked_for_again() -> None:
    with Service() as service:
        error = refusal(service, "/withdrawn")
    assert type(error) is TableWithdrawn
    assert service.requests == ["/withdrawn"]


@pytest.mark.parametrize(("path", "fault"), [("/refused", None), ("/x", Kind.NOT_ACCEPTABLE)])
def test_a_refused_request_is_not_asked_again(path: str, fault: Kind | None) -> None:
    with Service([Fault(fault)] if fault else []) as service:
        error = refusal(service, path)
    assert isinstance(error, SourceUnavailable)
    assert service.requests == [path]
    assert ("HTTP 400 Bad Request: Unknown function 'is'.x" if fault is None else "HTTP 406") in str(error)
    assert len(str(error)) < 800


def test_compressed_bodies() -> None:
    with Service() as service:
        assert ask(service, "/packed")[1] == RIGHT
        assert "cut off" in str(refusal(service, "/cut"))
        assert "compressed as br" in str(refusal(service, "/brotli"))


@pytest.mark.parametrize("path", ["/large", "/bomb"])
def test_an_answer_that_is_too_large_is_refused_before_it_fills_the_memory(path: str) -> None:
    with Service() as service:
        error = refusal(service, path, manners=replace(QUICK, max_bytes=2**20))
    assert type(error) is FileTooLarge
    assert "at most 1 MB" in str(error)
    assert service.requests == [path]


def test_redirects() -> None:
    with Service() as service:
        assert ask(service, "/moved")[1] == RIGHT
        assert "redirects" in str(refusal(service, "/round"))


def test_nobody_answers() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/x"
        with PoliteClient(QUICK) as polite, pytest.raises(SourceUnavailable, match=r"ConnectError: .*refused"):
            polite.get(url, table=TABLE, deadline=Deadline.after(5))


def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with Service() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "")
        monkeypatch.setenv("NO_PROXY", "")
        for ipv4_only in (False, True):
            with PoliteClient(replace(QUICK, ipv4_only=ipv4_only)) as polite:
                polite.get("http://statline.example/x?a=%20", table=TABLE, deadline=Deadline.after(5))
    assert proxy.requests == ["http://statline.example/x?a=%20"] * 2


def test_ipv4_can_be_forced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BTG_IPV4", "1")
    assert Manners().ipv4_only
    with Service() as service:
        assert ask(service, manners=replace(QUICK, ipv4_only=True))[1] == RIGHT


def test_certificates_are_checked() -> None:
    """A service that shows no certificate of the host is not talked to."""
    with Service() as service:
        disguised = service.url.replace("http:", "https:")
        with PoliteClient(QUICK) as polite, pytest.raises(SourceUnavailable, match="SSL"):
            polite.get(disguised, table=TABLE, deadline=Deadline.after(5))
    assert service.requests == []
