"""What the catalogue asks of a service: one request for each different selection of a table."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from catalog import Catalogue
from catalog.model import IndicatorSource, TopicName
from sources.areas import AREA_TOPICS
from sources.errors import DamagedSnapshot
from sources.figures import Wanted, wanted
from sources.snapshots import Snapshot
from sources.statline import TableRequest

T = TypeVar("T")
Members = tuple[tuple[str, ...], ...]
_REQUESTS = TypeAdapter(list[TableRequest])


def requests_of(catalogue: Catalogue, source_table: str) -> list[TableRequest]:
    """The requests for everything the catalogue wants of a table, in the order of its indicators.

    Figures of the same members of the same dimensions share one request, so that no request is wider than needed.
    """
    table = catalogue.source_tables[source_table]
    at_service = table.service
    if at_service is None:
        return []
    service = catalogue.services[at_service.service]

    def request(
        topics: tuple[tuple[TopicName, ...], ...], select: dict[str, Members], period_first: str | None
    ) -> TableRequest:
        return TableRequest(
            name=source_table,
            platform=service.platform,
            url=service.url,
            table_id=at_service.table_id,
            regions=tuple(at_service.regions),
            topics=topics,
            select=select,
            period_first=period_first,
        )

    if table.areas_of is not None:
        return [request(AREA_TOPICS, {}, None)]
    requests: dict[str, TableRequest] = {}
    for _, source in wanted(catalogue, source_table):
        key = json.dumps([source.select, sorted(source.add_up)], sort_keys=True)
        one = request((tuple(source.topics),), _selection(source), source.period_first)
        requests[key] = _wider(requests[key], one) if key in requests else one
    return list(requests.values())


def as_text(requests: list[TableRequest]) -> str:
    """The requests as text: kept with a snapshot, so that a wider question is asked anew."""
    return _REQUESTS.dump_json(requests).decode()


def of_snapshot(snapshot: Snapshot) -> list[TableRequest]:
    """The requests that a snapshot answers; raises DamagedSnapshot where it does not say so."""
    try:
        return _REQUESTS.validate_json(snapshot.request)
    except ValidationError as error:
        raise DamagedSnapshot(
            f"snapshot of {snapshot.source_table}, retrieved {snapshot.retrieved_at}",
            "the requests it answers",
            column="request",
            value=snapshot.request,
            remedy="Remove its record from the data root; `btg fetch --force` retrieves the table again.",
        ) from error


def covered(request: TableRequest, what: Wanted) -> Wanted:
    """What of the catalogue's wishes a request asked for: an indicator added since waits for the next fetch."""
    return [(indicator, source) for indicator, source in what if _covers(request, source)]


def _covers(request: TableRequest, source: IndicatorSource) -> bool:
    """A topic or member was asked for where one of its names was: the catalogue may have learned another since."""
    asked = [name for names in request.topics for name in names]
    return (
        any(name in asked for name in source.topics)
        and request.select.keys() == source.select.keys() | source.add_up.keys()
        and all(_is_member(names, request.select[dimension]) for dimension, names in source.select.items())
        and all(set(_selection(source)[dimension]) <= set(request.select[dimension]) for dimension in source.add_up)
    )


def _is_member(names: list[str], asked: Members) -> bool:
    return len(asked) == 1 and not set(names).isdisjoint(asked[0])


def _selection(source: IndicatorSource) -> dict[str, Members]:
    """Dimension -> wanted members, each by its accepted names."""
    selection: dict[str, Members] = {dimension: (tuple(names),) for dimension, names in source.select.items()}
    return selection | {dimension: tuple((name,) for name in names) for dimension, names in source.add_up.items()}


def _wider(request: TableRequest, other: TableRequest) -> TableRequest:
    """A request for the topics and members of both, from the earlier of the two periods on."""
    first = min(request.period_first or "", other.period_first or "")
    return replace(
        request,
        topics=_united(request.topics, other.topics),
        select={name: _united(members, other.select[name]) for name, members in request.select.items()},
        period_first=first or None,
    )


def _united(first: tuple[T, ...], second: tuple[T, ...]) -> tuple[T, ...]:
    return first + tuple(entry for entry in second if entry not in first)
