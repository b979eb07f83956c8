"""Stand-in for https://datasets.cbs.nl/odata/v1/CBS: one row a figure, codes without blanks, shapes as recorded.

Not recorded, so assumed: the form of `@odata.nextLink`, the body of an error, the shape of groups in a large table.
"""

from __future__ import annotations

import re
from email.message import Message
from functools import lru_cache
from typing import Any

import orjson
import polars as pl

from tests.standins.faults import Fault
from tests.standins.odata_query import Dialect, Page, QueryError, answer_query, encode
from tests.standins.server import Answer
from tests.standins.tables import StandInTable, TablesStandIn

_DIALECT = Dialect(frozenset(["startswith", "endswith", "contains", "tolower", "substring"]))
# `$search` is accepted and does nothing.
_OPTIONS = {"$filter", "$select", "$top", "$skip", "$count", "$search", "$format"}
_ODATA_KIND = {"GeoDetail": "GeoDetailDimension"}
_AUTHORITY = "https://standaarden.overheid.nl/owms/terms/Centraal_Bureau_voor_de_Statistiek"


class ODataV4(TablesStandIn):
    """Tables at `base`/{table id}; 100,000 rows a page."""

    def __init__(
        self, *tables: StandInTable, page_size: int = 100_000, faults: list[Fault] | None = None, delay: float = 0
    ) -> None:
        super().__init__(*tables, page_size=page_size, faults=faults, delay=delay)
        self.base = f"{self.url}/odata/v1/CBS"

    def answer(self, path: str, query: dict[str, str], headers: Message) -> Answer:
        """The service's answer; 404 for what it does not have, 400 for a query it does not know."""
        table_id, _, entity = path.removeprefix("/odata/v1/CBS").strip("/").partition("/")
        try:
            if unknown := sorted(set(query) - _OPTIONS):
                raise QueryError(f"The query parameter '{unknown[0]}' is not supported")
            if path in ("/odata/v1/CBS/Datasets", "/odata/v1/Datasets"):
                return self._list(self.base, "Datasets", self._datasets(), query, path)
            if table := self.table(table_id, path):
                return self._entity(table, entity, query, path)
        except QueryError as error:
            return _error(400, str(error))
        return _error(404, "Not found")

    def _entity(self, table: StandInTable, entity: str, query: dict[str, str], path: str) -> Answer:
        url = f"{self.base}/{table.table_id}"
        lists = _lists(table, url)
        if entity == "":
            names = [*lists, "Observations"]
            rows = [{"name": name, "kind": "EntitySet", "url": name} for name in names]
            rows.append({"name": "Properties", "kind": "Singleton", "url": "Properties"})
            return _json({"@odata.context": f"{url}/$metadata", "value": rows})
        if entity == "Properties":
            return _json({"@odata.context": f"{url}/$metadata#Properties", **_properties(table, url)})
        if entity == "Observations/$count":
            total = answer_query(_observations(table), query, _DIALECT, self.page_size).total
            return Answer(body=str(total).encode(), content_type="text/plain")
        if entity == "Observations":
            return self._list(url, entity, _observations(table), query, path)
        if entity in lists:
            return self._list(url, entity, lists[entity], query, path)
        return _error(404, "Not found")

    def _list(
        self, url: str, entity: str, rows: pl.DataFrame | list[dict[str, Any]], query: dict[str, str], path: str
    ) -> Answer:
        if isinstance(rows, list) and not query.keys() - {"$format", "$search", "$count"}:
            return _json({"@odata.context": f"{url}/$metadata#{entity}", "value": rows})
        frame = rows if isinstance(rows, pl.DataFrame) else _frame(rows)
        page = answer_query(frame, query, _DIALECT, self.page_size if entity == "Observations" else frame.height)
        selected = f"({','.join(page.rows.columns)})" if "$select" in query else ""
        head: dict[str, Any] = {"@odata.context": f"{url}/$metadata#{entity}{selected}"}
        if query.get("$count") == "true":
            head["@odata.count"] = page.total
        return Answer(
            body=orjson.dumps(head)[:-1] + b',"value":' + _values(page) + self._link(url, entity, page, query, path)
        )

    def _link(self, url: str, entity: str, page: Page, query: dict[str, str], path: str) -> bytes:
        if page.next_query is None:
            return b"}"
        following = self.misled(query, page.next_query, path)
        return b',"@odata.nextLink":' + orjson.dumps(f"{url}/{entity}?{encode(following)}") + b"}"

    def _datasets(self) -> list[dict[str, Any]]:
        keep = [
            "Identifier", "Title", "Description", "Language", "Modified", "Catalog", "Status", "DatasetType",
            "ObservationCount", "ObservationsModified", "Distributions",
        ]  # fmt: skip
        found = [self.table(table_id, f"/{table_id}/") for table_id in self.tables]
        rows = [_properties(table, f"{self.base}/{table.table_id}") for table in found if table]
        return [{name: row[name] for name in keep} for row in rows]


def _json(content: Any) -> Answer:
    return Answer(body=orjson.dumps(content))


def _error(status: int, message: str) -> Answer:
    return Answer(status, orjson.dumps({"error": {"code": str(status), "message": message}}))


def _frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    frame = pl.DataFrame(rows, infer_schema_length=None)
    return frame.with_columns(pl.selectors.by_dtype(pl.Null).cast(pl.String))


def _values(page: Page) -> bytes:
    # Whole numbers have no decimals, as recorded, also in a column of which others have.
    return re.sub(rb'("Value":-?\d+)\.0(?=[,}])', rb"\1", page.rows.write_json().encode())


@lru_cache(maxsize=8)
def _observations(table: StandInTable) -> pl.DataFrame:
    names = {"topic": "Measure", "attribute": "ValueAttribute", "value": "Value", "text": "StringValue"}
    return table.cells.select(*names, *table.dimensions).rename(names).with_row_index("Id")


def _properties(table: StandInTable, url: str) -> dict[str, Any]:
    has_text = {topic.datatype == "String" for topic in table.topics}
    portal = f"https://dataportal.cbs.nl/detail/CBS/{table.table_id}"
    csv = url.replace("/odata/v1/CBS/", "/csv/CBS/nl/")
    return {
        "Identifier": table.table_id,
        "Title": table.title,
        "Description": "",
        "Language": "nl",
        "Authority": _AUTHORITY,
        "Modified": table.modified,
        "ReleaseDate": table.modified,
        "ModificationDate": table.modified,
        "TemporalCoverage": "",
        "Catalog": "CBS",
        "Publisher": _AUTHORITY,
        "ContactPoint": "infoservice@cbs.nl",
        "Version": re.sub(r"\D", "", table.modified)[:12],
        "VersionNotes": "",
        "VersionReason": "Actualisering",
        "Frequency": "Per jaar",
        "Status": table.status,
        "ObservationCount": table.cells.height,
        "ObservationsModified": table.modified,
        "DatasetType": "Mixed" if len(has_text) == 2 else "Text" if True in has_text else "Numeric",
        "GraphTypes": "Table,Bar,Line,Map",
        "License": "https://creativecommons.org/licenses/by/4.0/",
        "Source": "CBS.",
        "Summary": "",
        "LongDescription": "",
        "Provenance": [],
        "RelatedSources": [],
        "Distributions": [
            {"Format": kind, "MediaType": kind, "DownloadUrl": link, "AccessUrl": portal, "Language": "nl"}
            for kind, link in (("csv", csv), ("odata", url))
        ],
    }


def _lists(table: StandInTable, url: str) -> dict[str, list[dict[str, Any]]]:
    """The metadata of a table, in the order of the service's own list. Groups only exist where there are any."""
    groups = sorted({topic.path[:depth] for topic in table.topics for depth in range(1, len(topic.path) + 1)})
    group_id = {path: f"{number}_1" for number, path in enumerate(groups, start=1)}
    lists: dict[str, list[dict[str, Any]]] = {
        "MeasureCodes": [
            {
                "Identifier": topic.code,
                "Index": number,
                "Title": topic.title,
                "Description": "",
                "MeasureGroupId": group_id.get(topic.path),
                "DataType": topic.datatype,
                "Unit": topic.unit,
                "Decimals": topic.decimals,
                "PresentationType": None,
            }
            for number, topic in enumerate(table.topics, start=len(table.dimensions))
        ]
    }
    if groups:
        lists["MeasureGroups"] = [
            _group(group_id[path], number, path[-1], group_id.get(path[:-1])) for number, path in enumerate(groups)
        ]
    lists["Dimensions"] = [_dimension(table, name, url) for name in table.dimensions]
    for name, codes in table.dimensions.items():
        if table.kind(name) != "Dimension":
            ids = dict.fromkeys(_group_of(table, name, code) for code in codes)
            lists[f"{name}Groups"] = [_group(str(key), number, str(key), None) for number, key in enumerate(ids)]
        lists[f"{name}Codes"] = [
            {
                "Identifier": code,
                "Index": number,
                "Title": title,
                "Description": "",
                "DimensionGroupId": _group_of(table, name, code),
            }
            | ({"Status": table.statuses.get(code)} if name == table.time else {})
            for number, (code, title) in enumerate(codes.items(), start=1)
        ]
    return lists


def _group(identifier: str, index: int, title: str, parent: str | None) -> dict[str, Any]:
    return {"Id": identifier, "Index": index, "Title": title, "Description": None, "ParentId": parent}


def _group_of(table: StandInTable, dimension: str, code: str) -> str | None:
    """Regions are grouped by what their code begins with, periods by their grain; other codes are not grouped."""
    if dimension == table.region:
        return code[:2]
    return code[4:6] if dimension == table.time else None


def _dimension(table: StandInTable, name: str, url: str) -> dict[str, Any]:
    kind = _ODATA_KIND.get(table.kind(name), table.kind(name))
    plain = kind == "Dimension"
    return ({} if plain else {"@odata.type": f"#Cbs.Ccb.Models.{kind}"}) | {
        "Identifier": name,
        "Title": name,
        "Description": "",
        "MapYear": "" if name == table.region else None,
        "ReleasePolicy": True if name == table.time else None,
        "Kind": kind,
        "ContainsGroups": not plain,
        "ContainsCodes": True,
        "CodesUrl": f"{url}/{name}Codes",
        "GroupsUrl": None if plain else f"{url}/{name}Groups",
    }
