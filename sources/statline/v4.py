"""OData v4 (https://datasets.cbs.nl/odata/v1/CBS): one row a figure.

Asked for are only the columns that are needed. `Id` is not: it numbers the rows of one version, and of no other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
import polars as pl

from sources.snapshots import Part
from sources.statline import pages
from sources.statline.fetch import Fetch
from sources.statline.request import Download, Fingerprint, TableRequest
from sources.statline.table import (
    Dimension,
    Member,
    Table,
    as_cells,
    catalogue_rows,
    conditions,
    group_path,
    narrow,
    quoted,
    role_of,
    tidy,
)
from sources.tidy import TidyTable, Topic

_VERSION = ["ObservationsModified", "Modified", "ObservationCount", "Version", "Status"]
_ROWS = "observations"


def fingerprint(fetch: Fetch, request: TableRequest) -> Fingerprint:
    """Which version the service has, by the Properties of the table: one small request."""
    return _version([fetch.document("properties", f"{_url(request)}/Properties")], request)


def download(fetch: Fetch, request: TableRequest) -> Download:
    """Everything that `read` needs, complete by the service's own count."""
    url = _url(request)
    parts = [fetch.document("properties", f"{url}/Properties")]
    parts += fetch.lists({"dimensions": f"{url}/Dimensions", "measure-codes": f"{url}/MeasureCodes"})
    lists = {f"codes/{name}": f"{url}/{name}Codes" for name, _ in _dimensions(parts, request.name)}
    # A table without groups may have no list of them either.
    if any(measure.get("MeasureGroupId") for measure in _measures(parts, request.name)):
        lists["measure-groups"] = f"{url}/MeasureGroups"
    parts += fetch.lists(lists)
    table = narrow(_describe(parts, request), request)
    filters = conditions(table, request, lambda name, prefix: f"startswith({name},{quoted(prefix)})")
    rows, counted = fetch.rows(_ROWS, f"{url}/Observations", {"$select": ",".join(_schema(table))}, filters)
    version = _version(parts, request)
    read_table = tidy(table, rows, _schema(table), _cells, counted, full_pages=counted is None)
    return Download(request, version.modified_at, version.text, table.title, (*parts, *rows), read_table)


def read(request: TableRequest, parts: Sequence[Part]) -> TidyTable:
    """The stored answers as a tidy table. ValueAttribute says why there is no value, as CBS writes it."""
    table = narrow(_describe(parts, request), request)
    return tidy(table, pages.of_role(parts, _ROWS), _schema(table), _cells)


def catalogue(fetch: Fetch, url: str, text: str) -> pl.DataFrame:
    """The tables with this text in their title, with the same capitals."""
    query = {"$filter": f"contains(Title,{quoted(text)})", "$select": "Identifier,Title,Status,Modified"}
    parts = fetch.lists({"tables": f"{url}/Datasets"}, query)
    found = pages.records(parts, "tables", ["Identifier", "Title"], fetch.table)
    return catalogue_rows(found, "Status")


def _url(request: TableRequest) -> str:
    return f"{request.url}/{request.table_id}"


def _version(parts: Sequence[Part], request: TableRequest) -> Fingerprint:
    properties = pages.one(parts, "properties", request.name)
    version = {name: properties.get(name) for name in _VERSION}
    modified = version["ObservationsModified"] or version["Modified"]
    return Fingerprint(modified, orjson.dumps(version).decode())


def _dimensions(parts: Sequence[Part], table: str) -> list[tuple[str, str]]:
    rows = pages.records(parts, "dimensions", ["Identifier", "Kind"], table)
    return [(row["Identifier"], row["Kind"]) for row in rows]


def _measures(parts: Sequence[Part], table: str) -> list[dict[str, Any]]:
    return pages.records(parts, "measure-codes", ["Identifier", "Title", "DataType"], table)


def _describe(parts: Sequence[Part], request: TableRequest) -> Table:
    measures = _measures(parts, request.name)
    groups = {group["Id"]: group for group in pages.records(parts, "measure-groups", ["Id", "Title"], request.name)}
    topics = tuple(
        Topic(
            measure["Identifier"].strip(),
            group_path(groups, measure.get("MeasureGroupId"), "ParentId"),
            measure["Title"].strip(),
            (measure.get("Unit") or "").strip(),
        )
        for measure in measures
    )
    dimensions = [
        Dimension.whole(name, role_of(name, kind), _members(parts, name, request.name))
        for name, kind in _dimensions(parts, request.name)
    ]
    measured = Dimension.whole("Measure", "topic", (Member(row["Identifier"], row["Title"]) for row in measures))
    return Table(
        request.name,
        pages.one(parts, "properties", request.name).get("Title") or "",
        topics,
        frozenset(row["Identifier"].strip() for row in measures if row["DataType"] == "String"),
        (measured, *dimensions),
    )


def _members(parts: Sequence[Part], name: str, table: str) -> list[Member]:
    rows = pages.records(parts, f"codes/{name}", ["Identifier", "Title"], table)
    return [Member(row["Identifier"], row["Title"], row.get("Status")) for row in rows]


def _schema(table: Table) -> dict[str, Any]:
    """The columns that are needed. Older tables have no StringValue, so it is asked for only where there is text."""
    names = [dimension.name for dimension in table.dimensions]
    text = ["StringValue"] if table.texts else []
    return dict.fromkeys([*names, "ValueAttribute", *text], pl.String) | {"Value": pl.Float64}


def _cells(placed: pl.DataFrame, table: Table) -> pl.DataFrame:
    text = pl.lit(None, pl.String)
    if table.texts:
        written = pl.col("StringValue").str.strip_chars()
        text = pl.when(pl.col("Value").is_null() & pl.col("topic").is_in(table.texts) & (written != "")).then(written)
    reason = pl.col("ValueAttribute").fill_null("")
    long = placed.with_columns(value=pl.col("Value"), text=text)
    missing = pl.col("value").is_null() & pl.col("text").is_null()
    return as_cells(long.with_columns(reason=pl.when(missing).then(reason)), table)
