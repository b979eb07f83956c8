"""Stand-in for https://opendata.cbs.nl and https://dataderden.cbs.nl (RIVM): one row a combination of codes, padded.

Shapes as recorded. Not recorded, so assumed: the body of an error, the width of a padded `.`.
"""

from __future__ import annotations

from email.message import Message
from functools import lru_cache
from typing import Any

import orjson
import polars as pl

from tests.standins.faults import Fault
from tests.standins.odata_query import Dialect, QueryError, answer_query, encode
from tests.standins.server import Answer
from tests.standins.tables import StandInTable, StandInTopic, TablesStandIn

API_LIMIT = METADATA_PAGE = 10_000
_WIDTH = {"RegioS": 6, "WijkenEnBuurten": 10}
_NUMBER_WIDTH, _TEXT_WIDTH = 8, 40
_ATOM = b'<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom"><title type="text"/></feed>'
_FUNCTIONS = frozenset(["substringof", "startswith", "substring", "tolower"])
_OPTIONS = {"$filter", "$select", "$top", "$skip", "$format"}


class ODataV3(TablesStandIn):
    """Tables at `url`/ODataApi/odata/{table id} and `url`/ODataFeed/odata/{table id}; Feed has 10,000 rows a page."""

    def __init__(
        self, *tables: StandInTable, page_size: int = 10_000, faults: list[Fault] | None = None, delay: float = 0
    ) -> None:
        super().__init__(*tables, page_size=page_size, faults=faults, delay=delay)

    def answer(self, path: str, query: dict[str, str], headers: Message) -> Answer:
        """The service's answer. Feed and catalogue give Atom unless `$format=json` asks otherwise, Api gives 406."""
        service, _, rest = path.strip("/").partition("/")
        bulk = service in ("ODataFeed", "ODataCatalog")
        counted = path.endswith("/$count")
        if query.get("$format") != "json" and not counted:
            if bulk:
                return Answer(body=_ATOM, content_type="application/atom+xml;type=feed;charset=utf-8")
            if "json" not in headers.get("Accept", ""):
                return Answer(406, b"Not Acceptable", "text/plain")
        try:
            if unknown := sorted(set(query) - _OPTIONS):
                raise QueryError(f"The query parameter '{unknown[0]}' is not supported")
            if service == "ODataCatalog" and rest == "Tables":
                rows = _frame(self._catalogue())
                return self._rows(rows, f"{self.url}/ODataCatalog", "Tables", query, path, _dialect(), bulk)
            folder, _, rest = rest.partition("/")
            table_id, _, entity = rest.partition("/")
            table = self.table(table_id, path) if folder.lower() == "odata" else None
            if table and service in ("ODataApi", "ODataFeed"):
                return self._entity(table, entity, service, query, path)
        except QueryError as error:
            return _error(400, str(error))
        return _error(404, "Resource not found")

    def _entity(self, table: StandInTable, entity: str, service: str, query: dict[str, str], path: str) -> Answer:
        name, _, count = entity.partition("/")
        url = f"{self.url}/{service}/OData/{table.table_id}"
        if name == "":
            entities = ["TableInfos", "UntypedDataSet", "TypedDataSet", "DataProperties", "CategoryGroups"]
            root = f"{self.url}/{service}/odata/{table.table_id}"
            names = [{"name": found, "url": f"{root}/{found}"} for found in [*entities, *table.dimensions]]
            return Answer(body=orjson.dumps({"odata.metadata": f"{url}/$metadata", "value": names}))
        rows = _metadata(table, name)
        if rows is not None and len(rows) <= METADATA_PAGE and not query.keys() - {"$format"} and not count:
            # Rows of different kinds have different keys, so they are no frame.
            context = f"{url}/$metadata#Cbs.OData.WebAPI.{name}"
            return Answer(body=orjson.dumps({"odata.metadata": context, "value": rows}))
        if rows is not None:
            frame = _frame(rows)
        elif name in ("UntypedDataSet", "TypedDataSet"):
            frame = _wide(table, typed=name == "TypedDataSet")
        else:
            return _error(404, "Resource not found")
        dialect = _dialect(table if name.endswith("DataSet") else None)
        if count == "$count":
            total = answer_query(frame, query, dialect, self.page_size).total
            return Answer(body=str(total).encode(), content_type="text/plain;charset=utf-8")
        return self._rows(frame, url, name, query, path, dialect, service == "ODataFeed")

    def _rows(
        self, frame: pl.DataFrame, url: str, name: str, query: dict[str, str], path: str, dialect: Dialect, bulk: bool
    ) -> Answer:
        data = name.endswith("DataSet")
        page_size = self.page_size if data else METADATA_PAGE
        page = answer_query(frame, query, dialect, page_size if bulk else API_LIMIT)
        if page.next_query and not bulk:
            return _error(500, "query returns more than 10000 records")
        kind = name if name == "Tables" else f"Cbs.OData.WebAPI.{name}"
        head = orjson.dumps({"odata.metadata": f"{url}/$metadata#{kind}"})[:-1]
        link = b""
        if page.next_query:
            following = self.misled(query, page.next_query, path) if data else page.next_query
            link = b',"odata.nextLink":' + orjson.dumps(f"{url}/{name}/?{encode(following)}")
        return Answer(body=head + b',"value":' + page.rows.write_json().encode() + link + b"}")

    def _catalogue(self) -> list[dict[str, Any]]:
        found = [self.table(table_id, f"/{table_id}/") for table_id in self.tables]
        return [
            {name: value for name, value in _table_info(table).items() if name != "Description"}
            | {
                "ID": number,
                "SummaryAndLinks": "",
                "Updated": _local(table.modified),
                "RecordCount": table.cells.height,
                "ColumnCount": len(table.dimensions) + len(table.topics),
                "ApiUrl": f"{self.url}/ODataApi/OData/{table.table_id}",
                "FeedUrl": f"{self.url}/ODataFeed/OData/{table.table_id}",
            }
            for number, table in enumerate(filter(None, found))
        ]


def _error(status: int, message: str) -> Answer:
    error = {"code": "", "message": {"lang": "en-US", "value": message}}
    return Answer(status, orjson.dumps({"odata.error": error}))


def _dialect(table: StandInTable | None = None) -> Dialect:
    """Conditions on a topic, and ranges of districts, are not applied, and nobody says so."""
    topics = {topic.code for topic in table.topics} if table else set()
    ranges = {"ge", "gt", "le", "lt"}
    return Dialect(
        _FUNCTIONS,
        lambda column, operator: column in topics or (column == "WijkenEnBuurten" and operator in ranges),
    )


def _frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    frame = pl.DataFrame(rows, infer_schema_length=None)
    return frame.with_columns(pl.selectors.by_dtype(pl.Null).cast(pl.String))


def _local(moment: str) -> str:
    """A moment as this service writes it: local time without offset."""
    return moment[:19]


def _width(table: StandInTable, dimension: str) -> int:
    return max(_WIDTH.get(dimension, 0), *map(len, table.dimensions[dimension]))


def _metadata(table: StandInTable, name: str) -> list[dict[str, Any]] | None:
    if name in table.dimensions:
        return _members(table, name)
    if name == "TableInfos":
        return [_table_info(table)]
    if name == "DataProperties":
        return _data_properties(table)
    return [] if name == "CategoryGroups" else None


def _table_info(table: StandInTable) -> dict[str, Any]:
    return {
        "ID": 0,
        "Identifier": table.table_id,
        "Title": table.title,
        "ShortTitle": table.title,
        "ShortDescription": "",
        "Summary": "",
        "Modified": _local(table.modified),
        "MetaDataModified": _local(table.modified),
        "ReasonDelivery": "Actualisering",
        "ExplanatoryText": "",
        "OutputStatus": table.status,
        "Source": "CBS.",
        "Language": "nl",
        "Catalog": "CBS",
        "Frequency": "Perjaar",
        "Period": "",
        "Description": "",
        "DefaultPresentation": "",
        "DefaultSelection": "",
        "GraphTypes": "Table,Bar,Line",
        "SearchPriority": "2",
    }


def _members(table: StandInTable, dimension: str) -> list[dict[str, Any]]:
    width, kind = _width(table, dimension), table.kind(dimension)
    rows = []
    for code, title in table.dimensions[dimension].items():
        row: dict[str, Any] = {"Key": code.ljust(width), "Title": title, "Description": None}
        if kind == "TimeDimension":
            row["Status"] = table.statuses.get(code)
        elif kind == "GeoDetail":
            municipality = "" if code.startswith("NL") else f"GM{code[2:6]}"
            row |= {"Municipality": municipality, "DetailRegionCode": code if municipality else ""}
        else:
            row["CategoryGroupID"] = None
        rows.append(row)
    return rows


def _data_properties(table: StandInTable) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []

    def add(kind: str, parent: int | None, position: int | None, key: str, title: str, **more: Any) -> int:
        number = len(rows)
        rows.append(
            {
                "odata.type": f"Cbs.OData.{kind}",
                "ID": number,
                "Position": position,
                "ParentID": parent,
                "Type": kind,
                "Key": key,
                "Title": title,
                "Description": None,
                **more,
            }
        )
        return number

    for position, name in enumerate(table.dimensions):
        kind = table.kind(name)
        more = {"TimeDimension": {"ReleasePolicy": False}, "Dimension": {}}.get(kind, {"MapYear": None})
        add(kind, None, position, name, name, **more)
    groups: dict[tuple[str, ...], int | None] = {(): None}
    for position, topic in enumerate(table.topics, start=len(table.dimensions)):
        for depth in range(1, len(topic.path) + 1):
            path = topic.path[:depth]
            if path not in groups:
                groups[path] = add("TopicGroup", groups[path[:-1]], None, "", path[-1])
        add(
            "Topic",
            groups[topic.path],
            position,
            topic.code,
            topic.title,
            Datatype=topic.datatype,
            Unit=topic.unit,
            Decimals=topic.decimals,
            Default="Impossible",
        )
    return rows


@lru_cache(maxsize=8)
def _wide(table: StandInTable, *, typed: bool) -> pl.DataFrame:
    """The rows: ID, padded codes, and a column a topic, all text or, where typed, numbers and NULL."""
    wide = table.cells.select(*table.dimensions).unique(maintain_order=True)
    for topic in table.topics:
        column = table.cells.filter(pl.col("topic") == topic.code).select(
            *table.dimensions, _typed(topic) if typed else _untyped(topic)
        )
        wide = wide.join(column, list(table.dimensions), how="left", maintain_order="left")
    if not typed:
        wide = wide.with_columns(pl.col(topic.code).fill_null("") for topic in table.topics)
    padded = [pl.col(name).str.pad_end(_width(table, name)) for name in table.dimensions]
    return wide.with_columns(padded).with_row_index("ID")


def _typed(topic: StandInTopic) -> pl.Expr:
    if topic.datatype == "String":
        return _text().alias(topic.code)
    dtype = pl.Int64 if topic.datatype in ("Integer", "Long") else pl.Float64
    return pl.col("value").cast(dtype).alias(topic.code)


def _untyped(topic: StandInTopic) -> pl.Expr:
    if topic.datatype == "String":
        return _text().alias(topic.code)
    number = pl.col("value").cast(pl.Decimal(38, topic.decimals)).cast(pl.String)
    return pl.coalesce(number, _marker()).str.pad_start(_NUMBER_WIDTH).str.replace(r"^ +$", "").alias(topic.code)


def _text() -> pl.Expr:
    return pl.coalesce("text", _marker()).str.pad_end(_TEXT_WIDTH)


def _marker() -> pl.Expr:
    """What cannot be is blank; what is unknown or secret is a point, unless the table says `-` or `x` itself."""
    said = pl.col("attribute")
    return (
        pl.when(said == "Impossible").then(pl.lit("")).when(said.str.len_chars() == 1).then(said).otherwise(pl.lit("."))
    )
