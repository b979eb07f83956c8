"""What changed at the publishers, in words: between two versions of a table, and among the tables they offer."""

from __future__ import annotations

import re

import polars as pl

from catalog import Catalogue
from catalog.model import SourceTable
from sources import statline
from sources.http import Deadline, PoliteClient
from sources.tidy import plain

_KEY = ["indicator_id", "region_code", "period"]


def changes(before: pl.DataFrame, after: pl.DataFrame) -> list[str]:
    """What is new, gone, revised or no longer provisional, an indicator and period at a time.

    Both frames have indicator_id, region_code, period, value, ci_low, ci_high, status. Sentences in the order of
    indicators.
    """
    columns = [*_KEY, "value", "ci_low", "ci_high", "status"]
    both = before.select(columns).join(after.select(columns), _KEY, how="full", coalesce=True, suffix="_after")
    margin, margin_after = (pl.col(f"ci_high{side}") - pl.col(f"ci_low{side}") for side in ("", "_after"))
    old, new = pl.col("value"), pl.col("value_after")
    counted = (
        both.group_by("indicator_id", "period")
        .agg(
            had=old.is_not_null().sum(),
            has=new.is_not_null().sum(),
            gained=(old.is_null() & new.is_not_null()).sum(),
            lost=(old.is_not_null() & new.is_null()).sum(),
            revised=((old - new).abs() > 1e-9).sum(),
            unmargined=(margin.is_not_null() & margin_after.is_null() & new.is_not_null()).sum(),
            widened=((margin - margin_after).abs() > 1e-9).sum(),
            settled=((pl.col("status") == "provisional") & (pl.col("status_after") == "definitive")).sum(),
            reopened=((pl.col("status") == "definitive") & (pl.col("status_after") == "provisional")).sum(),
        )
        .sort("indicator_id", "period")
    )
    return [sentence for row in counted.iter_rows(named=True) for sentence in _sentences(row)]


# What is said of a count that is not 0, in this order.
_NEWS = {
    "gained": "figures were added",
    "lost": "figures are gone",
    "revised": "figures were revised",
    "unmargined": "figures lost their margin",
    "widened": "margins were revised",
    "settled": "figures went from provisional to definitive",
    "reopened": "figures went from definitive to provisional",
}


def _sentences(row: dict[str, object]) -> list[str]:
    what = f"{row['indicator_id']} {row['period']}"
    if row["had"] == 0 and row["has"]:
        return [f"{what}: new, {row['has']} figures"]
    if row["had"] and row["has"] == 0:
        return [f"{what}: gone, {row['had']} figures were there before"]
    return [f"{what}: {row[count]} {phrase}" for count, phrase in _NEWS.items() if row[count]]


def look_around(catalogue: Catalogue, client: PoliteClient, deadline: Deadline) -> list[str]:
    """What the publishers offer now: tables in use that were withdrawn, and newer ones. One request a title.

    Raises SourceUnavailable. See `successors`.
    """
    searches = {
        (catalogue.services[table.service.service], _search_text(table.title))
        for table in catalogue.source_tables.values()
        if table.service is not None
    }
    said: list[str] = []
    for service, text in sorted(searches, key=lambda search: (search[0].service_id, search[1])):
        offered = statline.catalogue(client, service.url, service.platform, text, deadline)
        said += successors(offered, catalogue, service.service_id)
    return list(dict.fromkeys(said))


def successors(offered: pl.DataFrame, catalogue: Catalogue, service: str) -> list[str]:
    """Tables in use that their publisher no longer keeps up, and newer tables under the title of one in use.

    `offered`: identifier, title, status of tables that a service offers. Titles are the same when they are so up to
    the first year or "indeling" in them; newer is what has a later last year than every table in use.
    """
    used = {
        table.service.table_id: table
        for table in catalogue.source_tables.values()
        if table.service is not None and table.service.service == service
    }
    newest: dict[str, SourceTable] = {}
    for table in sorted(used.values(), key=lambda table: _last_year(table.title)):
        newest[stem(table.title)] = table
    said = []
    for identifier, title, status in offered.select("identifier", "title", "status").sort("identifier").iter_rows():
        ours = newest.get(stem(title))
        if identifier in used and status in _WITHDRAWN:
            said.append(f"{used[identifier].source_table} is no longer kept up by its publisher ({status}).")
        elif identifier not in used and ours and _last_year(title) > _last_year(ours.title):
            said.append(
                f"{identifier} '{title.strip()}' is a newer {ours.source_table}: docs/sources.md says how to add it."
            )
    return said


_WITHDRAWN = ["Gediscontinueerd", "Vervallen"]
_YEAR = re.compile(r"\b(?:19|20)\d{2}\b")
_EDITION = re.compile(r"[,;]?\s*\(?(?:(?:regio-?)?indeling\b|\b(?:19|20)\d{2}\b)", re.IGNORECASE)


def stem(title: str) -> str:
    """A title for comparing: without year, "indeling" and what follows, capitals and blanks."""
    return plain(_search_text(title))


def _search_text(title: str) -> str:
    return _EDITION.split(title, maxsplit=1)[0].strip()


def _last_year(title: str) -> int:
    return max(map(int, _YEAR.findall(title)), default=0)
