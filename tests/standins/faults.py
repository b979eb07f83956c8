"""What can go wrong between a publisher's service and us: what was seen, or what services are known to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """A fault. `about` in the comments is `Fault.about`."""

    # Of the connection or the server; any stand-in has them.
    TOO_MANY_REQUESTS = "too_many_requests"  # 429, Retry-After in seconds (about, or 1)
    TOO_MANY_REQUESTS_UNTIL = "too_many_requests_until"  # 429, Retry-After as a date, that many seconds from now
    UNAVAILABLE = "unavailable"  # 503
    SERVER_ERROR = "server_error"  # 500 with a page of HTML
    RESET = "reset"  # the connection is reset half-way through the body
    SLOW_DRIP = "slow_drip"  # a byte every 0.05 seconds
    SILENT = "silent"  # takes the request and never answers
    TRUNCATED_JSON = "truncated_json"  # 200 with the first half, of which the declared length is right
    SHORT_BODY = "short_body"  # 200 with half of the declared length, then the end
    HTML_PAGE = "html_page"  # 200 with a page that says there is maintenance
    DAMAGED_GZIP = "damaged_gzip"  # bytes that do not decompress
    NOT_ACCEPTABLE = "not_acceptable"  # 406

    # Of the data; the OData stand-ins have them.
    DUPLICATE_PAGE = "duplicate_page"  # the first page is served twice, then the chain goes on
    PAGE_MISSING = "page_missing"  # the first page's link goes past the second page
    COLUMN_RENAMED = "column_renamed"  # a topic (about: its code; or the first) has a new title and suffix
    TIMES_THOUSAND = "times_thousand"  # all numbers times 1000; about: the new unit, or the old one stays
    MUNICIPALITY_MISSING = "municipality_missing"  # no rows of a region (about, or GM0153)
    PROVISIONAL_FLIP = "provisional_flip"  # a period (about, or the last) changes status, and its values by 1
    TABLE_WITHDRAWN = "table_withdrawn"  # 404


TRANSPORT = frozenset(list(Kind)[: list(Kind).index(Kind.DUPLICATE_PAGE)])


@dataclass
class Fault:
    """A fault that strikes requests whose path and query contain `matches`: `times` times, or always."""

    kind: Kind
    times: int | None = None
    matches: str = ""
    about: str = ""

    def strikes(self, request: str) -> bool:
        """Whether it strikes this request; counts it."""
        if self.matches not in request or self.times == 0:
            return False
        if self.times is not None:
            self.times -= 1
        return True


def first_that_strikes(faults: Iterable[Fault], kinds: frozenset[Kind], request: str) -> Fault | None:
    """The first of these faults, of one of these kinds, that strikes a request."""
    return next((fault for fault in faults if fault.kind in kinds and fault.strikes(request)), None)
