"""Fetches the lists that a table is made of, page after page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address
from typing import TypeVar

import httpx

from sources.errors import IncompleteAnswer, ServiceRefused, SourceChanged, TableWithdrawn
from sources.http import Deadline, PoliteClient, Received, side_by_side
from sources.snapshots import Part
from sources.statline import pages

T = TypeVar("T")
Query = Mapping[str, str]


@dataclass(frozen=True)
class Fetch:
    """The client, bound to one table and the time there is for it."""

    client: PoliteClient
    table: str
    deadline: Deadline

    def document(self, role: str, url: str, query: Query | None = None) -> Part:
        """One object."""
        received, _ = self.client.get_parsed(
            url, table=self.table, deadline=self.deadline, params=query, parse=partial(pages.document, table=self.table)
        )
        return _part(role, received)

    def pages(self, url: str, query: Query | None = None) -> Iterator[Received]:
        """All pages of a list. The address of the next one is taken as the service writes it, on its own site only."""
        seen: set[str] = set()
        link: str | None = url
        while link is not None:
            seen.add(link)
            received, link = self.client.get_parsed(
                link,
                table=self.table,
                deadline=self.deadline,
                params=query,
                parse=partial(pages.next_link, table=self.table),
            )
            query = None
            if link is not None and not _same_site(url, link):
                raise SourceChanged(
                    self.table,
                    f"a next page of {httpx.URL(url).host}, on the same site",
                    value=link,
                    remedy="The service refers to another one, of which nothing was asked: see whether it moved.",
                )
            yield received
            if link in seen:
                raise IncompleteAnswer(self.table, "a next page", value=link, remedy="The service goes in circles.")

    def lists(self, urls: Mapping[str, str], query: Query | None = None) -> list[Part]:
        """Lists of metadata, role -> url, next to each other."""

        def whole(role: str) -> list[Part]:
            received = enumerate(self.pages(urls[role], query), start=1)
            return [_part(role if number == 1 else f"{role}/{number:04}", page) for number, page in received]

        return [part for parts in side_by_side(self.client.manners.parallel, whole, urls) for part in parts]

    def rows(self, role: str, url: str, query: Query, filters: Sequence[str]) -> tuple[list[Part], int | None]:
        """The rows of a table in pages, and how many there must be by the service's own count.

        Asked once for every filter, `` for none, one after the other: rows and counts are added up. None where it
        refuses to count: whether v3 counts filtered rows is not known.
        """
        chosen = [{"$filter": text} if text else {} for text in filters]
        received = (page for choice in chosen for page in self.pages(url, {**query, **choice}))
        parts = [_part(f"{role}/{number:04}", page) for number, page in enumerate(received, start=1)]
        counts = [count for choice in chosen if (count := self._count(f"{url}/$count", choice)) is not None]
        return parts, sum(counts) if len(counts) == len(chosen) else None

    def _count(self, url: str, query: Query) -> int | None:
        try:
            return self._counted(url, query)
        except (ServiceRefused, TableWithdrawn):
            return None

    def _counted(self, url: str, query: Query) -> int:
        _, count = self.client.get_parsed(
            url,
            table=self.table,
            deadline=self.deadline,
            params=query,
            accept="text/plain",
            parse=partial(_number, table=self.table),
        )
        return count


def _part(role: str, received: Received) -> Part:
    return Part(role, received.url, received.body, received.content_type, received.retrieved_at)


def _same_site(url: str, link: str) -> bool:
    """Whether a link leads where the address does: equal in all but a subdomain (x.cbs.nl, y.cbs.nl) and the path."""
    with suppress(httpx.InvalidURL):
        ours, theirs = httpx.URL(url), httpx.URL(link)
        return (ours.scheme, ours.port, _site(ours.host)) == (theirs.scheme, theirs.port, _site(theirs.host))
    return False


def _site(host: str) -> str:
    """The last two labels of a name; all of an address in numbers, of which the last two say nothing."""
    with suppress(ValueError):
        return str(ip_address(host))
    return ".".join(host.split(".")[-2:])


def _number(body: bytes, table: str) -> int:
    text = body.decode("utf-8-sig", errors="replace").strip()
    if not text.isdecimal():
        raise IncompleteAnswer(table, "a count of rows", value=text, remedy="The service gives no number. Try later.")
    return int(text)
