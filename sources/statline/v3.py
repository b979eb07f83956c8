"""OData v3 (https://opendata.cbs.nl, and https://dataderden.cbs.nl for RIVM): a row a combination of codes, wide.

Of the two data sets of a table this reads UntypedDataSet: TypedDataSet has NULL for every kind of missing, Untyped
keeps what the publisher wrote (`.` or nothing). And of the two services ODataFeed, which gives all rows, in pages:
ODataApi refuses more than 10,000.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
import polars as pl

from sources.cells import read_numbers
from sources.errors import IncompleteAnswer
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

_VERSION = ["Modified", "MetaDataModified", "ReasonDelivery", "OutputStatus", "Period"]
_ROWS = "rows"
_JSON = {"$format": "json"}


def fingerprint(fetch: Fetch, request: TableRequest) -> Fingerprint:
    """Which version the service has, by the TableInfos of the table: one small request."""
    return _version(fetch.lists({"table-infos": f"{_url(request)}/TableInfos"}, _JSON), request)


def download(fetch: Fetch, request: TableRequest) -> Download:
    """Everything that `read` needs, complete by the service's own count."""
    url = _url(request)
    parts = fetch.lists({"table-infos": f"{url}/TableInfos", "data-properties": f"{url}/DataProperties"}, _JSON)
    lists = {f"codes/{name}": f"{url}/{name}" for name, _ in _dimensions(_properties(parts, request.name))}
    parts += fetch.lists(lists, _JSON)
    table = narrow(_describe(parts, request), request)
    # Without a choice of topics all columns are wanted, and naming hundreds makes an address too long to send.
    query = {**_JSON, "$select": ",".join(_schema(table))} if request.topics else _JSON
    filters = conditions(table, request, lambda name, prefix: f"substringof({quoted(prefix)},{name})")
    rows, counted = fetch.rows(_ROWS, f"{url}/UntypedDataSet", query, filters)
    version = _version(parts, request)
    read_table = tidy(table, rows, _schema(table), _cells, counted, full_pages=counted is None)
    return Download(request, version.modified_at, version.text, table.title, (*parts, *rows), read_table)


def read(request: TableRequest, parts: Sequence[Part]) -> TidyTable:
    """The stored answers as a tidy table. What stands instead of a number is the reason, without blanks."""
    table = narrow(_describe(parts, request), request)
    return tidy(table, pages.of_role(parts, _ROWS), _schema(table), _cells)


def catalogue(fetch: Fetch, url: str, text: str) -> pl.DataFrame:
    """The tables with this text in their title, in any capitals."""
    query = {**_JSON, "$filter": f"substringof({quoted(text.lower())},tolower(Title))"}
    parts = fetch.lists({"tables": f"{url}/ODataCatalog/Tables"}, query)
    found = pages.records(parts, "tables", ["Identifier", "Title"], fetch.table)
    return catalogue_rows(found, "OutputStatus")


def _url(request: TableRequest) -> str:
    return f"{request.url}/ODataFeed/odata/{request.table_id}"


def _version(parts: Sequence[Part], request: TableRequest) -> Fingerprint:
    info = _info(parts, request)
    return Fingerprint(info["Modified"], orjson.dumps({name: info.get(name) for name in _VERSION}).decode())


def _info(parts: Sequence[Part], request: TableRequest) -> dict[str, Any]:
    for info in pages.records(parts, "table-infos", ["Modified", "Title"], request.name):
        return info
    raise IncompleteAnswer(request.name, "one row in TableInfos", remedy="There is none. Try again later.")


def _properties(parts: Sequence[Part], table: str) -> list[dict[str, Any]]:
    return pages.records(parts, "data-properties", ["Type", "Key", "Title"], table)


def _dimensions(properties: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(row["Key"], row["Type"]) for row in properties if row["Type"] not in ("Topic", "TopicGroup")]


def _describe(parts: Sequence[Part], request: TableRequest) -> Table:
    properties = _properties(parts, request.name)
    groups = {row.get("ID"): row for row in properties if row["Type"] == "TopicGroup"}
    topics = [row for row in properties if row["Type"] == "Topic"]
    return Table(
        request.name,
        _info(parts, request)["Title"],
        tuple(
            Topic(
                row["Key"],
                group_path(groups, row.get("ParentID"), "ParentID"),
                row["Title"].strip(),
                (row.get("Unit") or "").strip(),
            )
            for row in topics
        ),
        frozenset(row["Key"] for row in topics if row.get("Datatype") == "String"),
        tuple(
            Dimension.whole(name, role_of(name, kind), _members(parts, name, request.name))
            for name, kind in _dimensions(properties)
        ),
    )


def _members(parts: Sequence[Part], name: str, table: str) -> list[Member]:
    rows = pages.records(parts, f"codes/{name}", ["Key", "Title"], table)
    return [Member(row["Key"], row["Title"], row.get("Status")) for row in rows]


def _schema(table: Table) -> dict[str, Any]:
    """The columns that are needed, which are all text."""
    names = [dimension.name for dimension in table.dimensions]
    return dict.fromkeys([*names, *(topic.key for topic in table.topics)], pl.String)


def _cells(placed: pl.DataFrame, table: Table) -> pl.DataFrame:
    """A row a figure: the columns of numbers and those of texts one below the other."""
    index = [
        *(dimension.name for dimension in table.dimensions if dimension.role in ("other", "margin")),
        "region_code",
        "period",
        "period_status",
    ]
    keys = [topic.key for topic in table.topics]
    kinds = (
        ([key for key in keys if key not in table.texts], _numbers),
        ([key for key in keys if key in table.texts], _texts),
    )
    return pl.concat(
        as_cells(read_kind(placed.unpivot(on=of_kind, index=index, variable_name="topic"), table.name), table)
        for of_kind, read_kind in kinds
        if of_kind
    )


def _numbers(cells: pl.DataFrame, table: str) -> pl.DataFrame:
    """Cells with their padded text in `value`, as numbers with a reason. Raises ValueFault.

    Nearly all texts are numbers. What is not is looked at closely, but every text once: in a sixth of the time.
    """
    cells = cells.with_columns(reason=pl.col("value").fill_null("").str.strip_chars())
    cells = cells.with_columns(value=pl.col("reason").cast(pl.Float64, strict=False))
    is_number = pl.col("value").is_finite().fill_null(value=False)
    cells = cells.with_columns(
        value=pl.when(is_number).then(pl.col("value")),
        text=pl.lit(None, pl.String),
        reason=pl.when(~is_number).then(pl.col("reason")),
    )
    for topic, text in cells.select("topic", "reason").drop_nulls().unique("reason", maintain_order=True).iter_rows():
        read_numbers(pl.DataFrame({topic: [text]}), topic, table)
    return cells


def _texts(cells: pl.DataFrame, _table: str) -> pl.DataFrame:
    """Cells with their padded text in `value`, as texts with a reason."""
    text = pl.col("value").fill_null("").str.strip_chars()
    missing = text.is_in(["", "."])
    return cells.with_columns(
        value=pl.lit(None, pl.Float64), text=pl.when(~missing).then(text), reason=pl.when(missing).then(text)
    )
