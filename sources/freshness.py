"""How fresh the figures of every source table are: when its publisher was asked, when it changed, what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from catalog import Catalogue
from sources.fetch import fetchable
from sources.snapshots import SnapshotStore

# The publishers are asked monthly; a fortnight more is no longer an oversight.
ASKED_WITHIN = timedelta(days=45)


@dataclass(frozen=True)
class Freshness:
    """What is known of a source table.

    `asked_at`: when its publisher was last asked (ISO 8601; None: never, or it is not fetched but delivered);
    `changed_at`: when its newest snapshot came (None: only the bundle has it); `newest_period`: the newest with a
    figure in this run; `known_period`: the newest year that the catalogue knows the table to have, up to the last
    measurement year. `reasons`: why it is not fresh, in sentences; none when it is.
    """

    source_table: str
    asked_at: str | None
    changed_at: str | None
    newest_period: str | None
    known_period: str | None
    reasons: tuple[str, ...]


def freshness(
    catalogue: Catalogue,
    tables: Iterable[str],
    store: SnapshotStore | None,
    newest: Mapping[str, str],
    now: datetime,
) -> dict[str, Freshness]:
    """The freshness of these source tables, by name.

    `newest`: of a table the newest period with a figure in this run. `now` has a time zone.
    """
    known = _known_periods(catalogue)
    fetched = set(fetchable(catalogue))
    return {
        table: _of_table(table, store, newest.get(table), known.get(table), now, is_fetched=table in fetched)
        for table in tables
    }


def _known_periods(catalogue: Catalogue) -> dict[str, str | None]:
    """Of every table the newest year that its publisher is known to have published in it."""
    last = catalogue.region.last_measurement_year
    known: dict[str, str | None] = {}
    for indicator in catalogue.indicators:
        for source in indicator.sources:
            years = [
                year
                for year in catalogue.known_periods(source)
                if source.period_first[:4] <= year <= min(source.period_last[:4], str(last))
            ]
            held = known.get(source.source_table)
            known[source.source_table] = max([*years, *([held] if held else [])], default=None)
    return known


def _of_table(
    table: str,
    store: SnapshotStore | None,
    newest_period: str | None,
    known_period: str | None,
    now: datetime,
    *,
    is_fetched: bool,
) -> Freshness:
    check = store.last_check(table) if store is not None and is_fetched else None
    snapshot = store.newest(table) if store is not None else None
    reasons = []
    if known_period and (newest_period or "")[: len(known_period)] < known_period:
        has = f"its newest figures in this run are of {newest_period}" if newest_period else "this run has none of it"
        get = "btg fetch" if is_fetched else "btg add FILE"
        reasons.append(f"{table}: it is known to have {known_period}, {has}. Get it with: {get}")
    if check and check.result == "failed":
        reasons.append(f"{table}: its publisher was asked at {check.at} and it failed. {check.message}")
    elif check and now - _moment(check.at) > ASKED_WITHIN:
        reasons.append(f"{table}: its publisher was last asked at {check.at}. Ask again with: btg fetch")
    return Freshness(
        table,
        check.at if check else None,
        snapshot.retrieved_at if snapshot else None,
        newest_period,
        known_period,
        tuple(reasons),
    )


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
