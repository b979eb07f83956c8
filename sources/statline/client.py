"""StatLine, whichever platform a table is on. Another platform is another module with the same four functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import polars as pl

from sources.errors import DuplicateFigure, IncompleteAnswer
from sources.http import Deadline, PoliteClient
from sources.snapshots import Part
from sources.statline import v3, v4
from sources.statline.fetch import Fetch
from sources.statline.request import Download, Fingerprint, TableRequest
from sources.tidy import TidyTable


class Platform(Protocol):
    """What a platform can do; tables of all platforms come out the same."""

    def fingerprint(self, fetch: Fetch, request: TableRequest) -> Fingerprint:
        """Which version the service has, by one or two small requests."""

    def download(self, fetch: Fetch, request: TableRequest) -> Download:
        """Everything that `read` needs."""

    def read(self, request: TableRequest, parts: Sequence[Part]) -> TidyTable:
        """A tidy table of what was downloaded."""

    def catalogue(self, fetch: Fetch, url: str, text: str) -> pl.DataFrame:
        """The tables with this text in their title."""


PLATFORMS: dict[str, Platform] = {"odata_v4": v4, "odata_v3": v3}


class StatLine:
    """Fetches tables. Keeps nothing between two tables."""

    def __init__(self, client: PoliteClient) -> None:
        self.client = client

    def fingerprint(self, request: TableRequest, deadline: Deadline) -> Fingerprint:
        """Which version of the table the service has now: where it is the one at hand, nothing need be fetched.

        Raises TableWithdrawn, SourceUnavailable.
        """
        return PLATFORMS[request.platform].fingerprint(self._fetch(request, deadline), request)

    def download(self, request: TableRequest, deadline: Deadline) -> Download:
        """The table as the service sends it: all rows that the service itself counts, of one version.

        Where rows lack or came twice, it begins again, once. Raises TableWithdrawn, SourceUnavailable (also where
        there is no time left), IncompleteAnswer, SourceChanged where the table has not what is asked for, and all else
        that `read` does.
        """
        try:
            return self._download(request, deadline)
        except (IncompleteAnswer, DuplicateFigure):
            if deadline.passed:
                raise
            return self._download(request, deadline)

    def _download(self, request: TableRequest, deadline: Deadline) -> Download:
        download = PLATFORMS[request.platform].download(self._fetch(request, deadline), request)
        if self.fingerprint(request, deadline).text != download.fingerprint:
            raise IncompleteAnswer(
                request.name,
                "one version of the table",
                remedy="Its publisher replaced it while it was fetched. Fetch it again.",
            )
        return download

    def _fetch(self, request: TableRequest, deadline: Deadline) -> Fetch:
        return Fetch(self.client, request.name, deadline)


def read(request: TableRequest, parts: Sequence[Part]) -> TidyTable:
    """The downloaded parts of a table as a tidy table, without a network.

    Raises an InputError where they are not what was asked for: see sources/errors.py.
    """
    return PLATFORMS[request.platform].read(request, parts)


def catalogue(
    client: PoliteClient, url: str, platform: Literal["odata_v4", "odata_v3"], text: str, deadline: Deadline
) -> pl.DataFrame:
    """The tables of a service with this text in their title: identifier, title, status, modified (all text).

    For finding next year's edition. No rows where there is no such table: that is an answer too.
    """
    return PLATFORMS[platform].catalogue(Fetch(client, f"the catalogue of {url}", deadline), url, text)
