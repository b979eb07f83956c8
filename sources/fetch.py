"""Refreshes snapshots from the live services: asks what changed, downloads only that, keeps nothing it cannot read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import polars as pl

from catalog import Catalogue
from sources import boundaries, statline
from sources.areas import areas, check_membership
from sources.boundaries import BoundaryService
from sources.errors import InputError, SourceChanged
from sources.facts import FIGURE
from sources.figures import check_country, check_municipalities, check_size, figures, wanted
from sources.http import Deadline, PoliteClient, side_by_side
from sources.read_snapshot import read_snapshot
from sources.requests import as_text, covered, requests_of
from sources.snapshots import Part, Snapshot, SnapshotStore
from sources.watch import changes

Result = Literal["new", "changed", "unchanged", "failed"]
# Of one table, all its pages and retries together. The slowest seen took minutes.
DEADLINE_SECONDS = 1800.0
TABLES_AT_ONCE = 3


@dataclass(frozen=True)
class Outcome:
    """What came of one table: `news` says in words what changed since the last snapshot, `message` what went wrong."""

    source_table: str
    result: Result
    message: str = ""
    figures: int = 0
    news: tuple[str, ...] = ()


def boundary_table(year: int) -> str:
    """The name under which the boundaries of a year are kept."""
    return f"CBS/Kadaster gebiedsindelingen {year}"


def fetchable(catalogue: Catalogue) -> list[str]:
    """Everything that a service offers: the source tables, and the boundaries of the last measurement year."""
    tables = [name for name in catalogue.source_tables if requests_of(catalogue, name)]
    return [*tables, boundary_table(catalogue.region.last_measurement_year)]


@dataclass(frozen=True)
class Refresh:
    """What a refresh needs, whichever table it is of.

    `known`: figures (columns FIGURE) that the size of new ones is held against where there is no snapshot yet. With
    `force` a table is downloaded also where its publisher says that nothing changed.
    """

    catalogue: Catalogue
    store: SnapshotStore
    client: PoliteClient
    known: pl.DataFrame
    force: bool = False
    deadline_seconds: float = DEADLINE_SECONDS


def fetch(refresh: Refresh, tables: Sequence[str], follow: Callable[[Outcome], None] = lambda _: None) -> list[Outcome]:
    """Refresh these tables, three at a time; `follow` hears of each as it is done. Outcomes in the order asked.

    A table that fails leaves its last good snapshot as it was, and the others go on.
    """

    def one(table: str) -> Outcome:
        try:
            is_table = table in refresh.catalogue.source_tables
            outcome = _table(refresh, table) if is_table else _boundaries(refresh)
        except InputError as error:
            outcome = Outcome(table, "failed", str(error))
        refresh.store.note(table, outcome.result, outcome.message)
        follow(outcome)
        return outcome

    return side_by_side(TABLES_AT_ONCE, one, tables)


def _table(refresh: Refresh, name: str) -> Outcome:
    catalogue, store = refresh.catalogue, refresh.store
    requests = requests_of(catalogue, name)
    asked = as_text(requests)
    service = statline.StatLine(refresh.client)
    deadline = Deadline.after(refresh.deadline_seconds)
    version = service.fingerprint(requests[0], deadline)
    last = store.newest(name, requests[0].platform)
    if last and not refresh.force and (last.fingerprint, last.request) == (version.text, asked):
        return Outcome(name, "unchanged")
    downloads = [service.download(request, deadline) for request in requests]
    before = _figures_of(refresh, last)
    found = _validated(refresh, name, downloads, before)
    store.add(
        name,
        requests[0].platform,
        [part for number, download in enumerate(downloads) for part in _numbered(number, download.parts)],
        title=downloads[0].title,
        url=downloads[0].parts[0].url,
        licence=catalogue.sources[catalogue.source_tables[name].source_id].licence,
        modified_at=downloads[0].modified_at,
        fingerprint=downloads[-1].fingerprint,
        request=asked,
    )
    if last is None:
        return Outcome(name, "new", figures=found.height)
    return Outcome(name, "changed", figures=found.height, news=tuple(changes(before, found)))


def _validated(
    refresh: Refresh, name: str, downloads: Iterable[statline.Download], before: pl.DataFrame
) -> pl.DataFrame:
    """The figures of what was downloaded, read as a run will read them: what cannot be read is not kept."""
    catalogue = refresh.catalogue
    found = []
    for download in downloads:
        tidy = download.table
        if catalogue.source_tables[name].areas_of is None:
            found.append(figures(tidy, catalogue, covered(download.request, wanted(catalogue, name))))
        elif faults := check_membership(areas(tidy), catalogue.region, name):
            raise SourceChanged(name, "the municipalities of the region file", remedy=" ".join(faults))
    if not found:
        return before
    frame = pl.concat(found)
    check_municipalities(frame, refresh.known, name)
    check_country(frame, catalogue, name)
    check_size(frame, before if before.height else refresh.known, name)
    return frame


def _figures_of(refresh: Refresh, snapshot: Snapshot | None) -> pl.DataFrame:
    """The figures of the last snapshot; none where it cannot be read any more (the catalogue changed since)."""
    try:
        if snapshot is not None and refresh.catalogue.source_tables[snapshot.source_table].areas_of is None:
            return read_snapshot(refresh.store, snapshot, refresh.catalogue).figures
    except InputError:
        pass
    numbers = ("value", "ci_low", "ci_high")
    return pl.DataFrame(schema={name: pl.Float64 if name in numbers else pl.String for name in FIGURE})


def _numbered(number: int, parts: Iterable[Part]) -> list[Part]:
    """Parts of several requests side by side: `0/properties`, `1/observations/0001`."""
    return [replace(part, role=f"{number}/{part.role}") for part in parts]


def _boundaries(refresh: Refresh) -> Outcome:
    """The boundaries of a year are published once: they are fetched again only where that is asked for."""
    year = refresh.catalogue.region.last_measurement_year
    name = boundary_table(year)
    if refresh.store.newest(name) and not refresh.force:
        return Outcome(name, "unchanged")
    settings = refresh.catalogue.boundaries
    service = BoundaryService(settings.ogc_url, settings.wfs_url)
    parts = boundaries.download(refresh.client, service, year, Deadline.after(refresh.deadline_seconds))
    found = boundaries.read(parts, year)
    if missing := sorted(set(refresh.catalogue.region.municipalities) - set(found.outlines["region_code"])):
        raise SourceChanged(name, "an outline of every municipality of the region", value=", ".join(missing))
    refresh.store.add(
        name,
        "boundaries",
        parts,
        title=f"Gemeentegrenzen {year}",
        url=parts[0].url,
        licence="CC BY 4.0",
        modified_at=None,
        fingerprint="",
        request=str(year),
        details={"year": year},
    )
    repaired = found.repaired.select("region_code", "reason").iter_rows()
    news = tuple(f"{code}: invalid outline repaired ({reason})" for code, reason in repaired)
    return Outcome(name, "new", figures=found.outlines.height, news=news)
