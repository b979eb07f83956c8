"""What changed at the publishers, in words: between two versions of a table, and among the tables they offer."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from catalog import Catalogue

_KEY = ["indicator_id", "region_code", "period"]
_SHOWN = 6


def changes(before: pl.DataFrame, after: pl.DataFrame) -> list[str]:
    """What is new, gone, revised or no longer provisional, an indicator and period at a time.

    Both frames have indicator_id, region_code, period, value, status. Sentences in the order of indicators.
    """
    both = before.select(*_KEY, "value", "status").join(
        after.select(*_KEY, "value", "status"), _KEY, how="full", coalesce=True, suffix="_after"
    )
    old, new = pl.col("value"), pl.col("value_after")
    counted = (
        both.group_by("indicator_id", "period")
        .agg(
            had=old.is_not_null().sum(),
            has=new.is_not_null().sum(),
            lost=(old.is_not_null() & new.is_null()).sum(),
            revised=((old - new).abs() > 1e-9).sum(),
            settled=((pl.col("status") == "provisional") & (pl.col("status_after") == "definitive")).sum(),
            reopened=((pl.col("status") == "definitive") & (pl.col("status_after") == "provisional")).sum(),
        )
        .sort("indicator_id", "period")
    )
    return [sentence for row in counted.iter_rows(named=True) for sentence in _sentences(row)]


def _sentences(row: dict[str, object]) -> Iterable[str]:
    what = f"{row['indicator_id']} {row['period']}"
    if row["had"] == 0 and row["has"]:
        yield f"{what}: new, {row['has']} figures"
        return
    if row["had"] and row["has"] == 0:
        yield f"{what}: gone, {row['had']} figures were there before"
        return
    if row["lost"]:
        yield f"{what}: {row['lost']} figures are gone"
    if row["revised"]:
        yield f"{what}: {row['revised']} figures were revised"
    if row["settled"]:
        yield f"{what}: {row['settled']} figures went from provisional to definitive"
    if row["reopened"]:
        yield f"{what}: {row['reopened']} figures went from definitive to provisional"


def successors(offered: pl.DataFrame, catalogue: Catalogue, service: str) -> list[str]:
    """Tables in use that their publisher withdrew, and newer tables under a title that is in use.

    `offered`: identifier, title, status of the tables a service offers (statline.catalogue), for one of the searches
    of the catalogue. A title is the same when it is so up to the first year or "indeling" in it.
    """
    used = {
        table.service.table_id: table
        for table in catalogue.source_tables.values()
        if table.service is not None and table.service.service == service
    }
    known = {stem(table.title): table.source_table for table in used.values()}
    said = []
    for identifier, title, status in offered.select("identifier", "title", "status").sort("identifier").iter_rows():
        if identifier in used and status in ("Gediscontinueerd", "Vervallen"):
            said.append(f"{used[identifier].source_table}: its publisher no longer keeps it up ({status}).")
        if identifier not in used and status == "Regulier" and stem(title) in known:
            said.append(f"{identifier} '{title}' looks like a newer {known[stem(title)]}: see docs/sources.md.")
    return said


def stem(title: str) -> str:
    """A title without year, "indeling" and what follows: tables are issued anew under nearly the same title."""
    import re

    return (
        re.split(r"[,;(]?\s*(?:\(?indeling|\(?regio-?indeling|\b(?:19|20)\d{2}\b)", title, maxsplit=1)[0]
        .strip()
        .casefold()
    )
