"""What is asked of StatLine, and what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from catalog.model import TopicName
from sources.snapshots import Part
from sources.tidy import TidyTable


@dataclass(frozen=True)
class TableRequest:
    """The part of a table that is wanted.

    name: our name of the table, for messages (`CBS 86161NED`).
    url: where the tables begin. v4: what a table id is appended to (https://datasets.cbs.nl/odata/v1/CBS); v3: the
    host (https://opendata.cbs.nl, or https://dataderden.cbs.nl for RIVM).
    table_id: with the right capitals.
    regions: what the region codes begin with (`GM`, `NL`).
    topics: each topic by the names it goes by, exactly one of which must fit; empty means all topics.
    select: dimension -> wanted members, each by its accepted codes or titles; all members of a dimension not named.
    period_first: earlier years are not asked for (`2011`; of another period its year counts).
    """

    name: str
    platform: Literal["odata_v4", "odata_v3"]
    url: str
    table_id: str
    regions: tuple[str, ...] = ("GM", "NL")
    topics: tuple[tuple[TopicName, ...], ...] = ()
    select: Mapping[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    period_first: str | None = None


@dataclass(frozen=True)
class Fingerprint:
    """Which version of a table the service has. Two that are equal are the same version; `text` is readable JSON."""

    modified_at: str | None
    text: str


@dataclass(frozen=True)
class Download:
    """A table as downloaded: every answer of the service, and what `read` makes of them.

    It is complete by the service's own count of rows, of one version, and can be read: so it is worth keeping.

    The roles of its parts: on v4 `properties`, `dimensions`, `measure-codes`, `measure-groups`, `codes/RegioS`,
    `observations/0001`; on v3 `table-infos`, `data-properties`, `codes/RegioS`, `rows/0001`. Further pages of a code
    list are `codes/RegioS/0002` and so on.
    """

    request: TableRequest
    modified_at: str | None
    fingerprint: str
    title: str
    parts: tuple[Part, ...]
    table: TidyTable
