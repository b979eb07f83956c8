"""PDOK's two services of boundaries: OGC API Features, which holds all years, and the WFS of each year."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from email.message import Message
from functools import cache
from typing import Any

from pyproj import Transformer
from pyproj.enums import TransformDirection

from sources.outlines import _TO_RD_NEW
from tests.standins.faults import Fault
from tests.standins.server import Answer, StandIn

Ring = list[tuple[float, float]]

COLLECTION = "gemeente_gegeneraliseerd"
ITEMS = f"/cbs/gebiedsindelingen/ogc/v1/collections/{COLLECTION}/items"
RD_NEW = "http://www.opengis.net/def/crs/EPSG/0/28992"
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
_WFS = re.compile(r"/cbs/gebiedsindelingen/(\d{4})/wfs/v1_0")
_GEO_JSON = "application/geo+json"


@dataclass(frozen=True)
class Area:
    """An area of one year; `ring` is its border in metres (EPSG:28992)."""

    year: int
    code: str
    name: str
    ring: Ring


@cache
def _transformer() -> Transformer:
    return Transformer.from_pipeline(_TO_RD_NEW)


def to_degrees(ring: Ring) -> Ring:
    """A border in longitude and latitude, as the services give it by default."""
    x, y = zip(*ring, strict=True)
    return list(zip(*_transformer().transform(x, y, direction=TransformDirection.INVERSE), strict=True))


class Pdok(StandIn):
    """Serves areas on both services.

    `max_limit` is the most areas a page may have; `year_type` how jaarcode is written; `ignores` holds parameters
    that are taken and do nothing (`jaarcode`, `crs`, `startIndex`); `counts` whether an answer says how many areas
    there are.
    """

    def __init__(
        self,
        areas: list[Area],
        faults: list[Fault] | None = None,
        *,
        max_limit: int = 1000,
        year_type: type[int] | type[str] = int,
        ignores: frozenset[str] = frozenset(),
        counts: bool = True,
    ) -> None:
        super().__init__(faults)
        self.areas = areas
        self.max_limit = max_limit
        self.year_type = year_type
        self.ignores = ignores
        self.counts = counts

    @property
    def ogc_url(self) -> str:
        """Where the collections of the OGC API are."""
        return f"{self.url}/cbs/gebiedsindelingen/ogc/v1"

    @property
    def wfs_url(self) -> str:
        """The WFS of a year, which stands in it as {year}."""
        return f"{self.url}/cbs/gebiedsindelingen/{{year}}/wfs/v1_0"

    def answer(self, path: str, query: dict[str, str], headers: Message) -> Answer:
        """Items of the collection, or GetFeature; any other path is not found."""
        if path == ITEMS:
            return self._items(query)
        if wfs := _WFS.fullmatch(path):
            return self._get_feature(int(wfs[1]), query)
        return super().answer(path, query, headers)

    def _items(self, query: dict[str, str]) -> Answer:
        if unknown := query.keys() - {"f", "limit", "jaarcode", "crs", "cursor", "bbox"}:
            return _bad_request(f"unknown query parameter(s) found: {'&'.join(sorted(unknown))}=")
        limit = int(query.get("limit", 10))
        if not 1 <= limit <= self.max_limit:
            return _bad_request(f"limit must be between 1 and {self.max_limit}")
        crs = CRS84 if "crs" in self.ignores else query.get("crs", CRS84)
        if crs not in (CRS84, RD_NEW):
            return _bad_request(f"crs {crs} is not supported")
        if query.get("f") != "json":
            return Answer(200, b"<!DOCTYPE html><html></html>", "text/html")
        year = None if "jaarcode" in self.ignores else query.get("jaarcode")
        areas = [area for area in self.areas if year in (None, str(area.year))]
        start = int(query.get("cursor", "0"), 16)
        shown = areas[start : start + limit]
        links = [{"rel": "self", "type": _GEO_JSON, "href": f"{self.url}{ITEMS}?f=json"}]
        if start + limit < len(areas):
            # The cursor comes first, as recorded; the colons and slashes of the crs stand there encoded.
            rest = "".join(f"&{name}={query[name]}" for name in ("f", "jaarcode", "limit") if name in query)
            asked = f"&crs={crs.replace(':', '%3A').replace('/', '%2F')}" if "crs" in query else ""
            links.append({"rel": "next", "href": f"{self.url}{ITEMS}?cursor={start + limit:x}{rest}{asked}"})
        collection = {
            "type": "FeatureCollection",
            "timeStamp": "2026-01-05T12:00:00Z",
            "links": links,
            "features": [self._feature(area, crs == CRS84, jaarcode=self.year_type(area.year)) for area in shown],
            "numberReturned": len(shown),
        } | ({"numberMatched": len(areas)} if self.counts else {})
        return _json(collection, _GEO_JSON, {"Content-Crs": f"<{crs}>"})

    def _get_feature(self, year: int, query: dict[str, str]) -> Answer:
        """Parameter names are of any case; cql_filter and unknown ones are taken and do nothing."""
        asked = {name.lower(): value for name, value in query.items()}
        areas = [area for area in self.areas if area.year == year]
        if not areas:
            return Answer(404, b"Not Found", "text/plain")
        name = asked.get("typename") or asked.get("typenames")
        if asked.get("request") != "GetFeature" or name != f"gebiedsindelingen:{COLLECTION}":
            return Answer(400, b"<ows:ExceptionReport/>", "application/xml")
        if asked.get("outputformat") != "application/json":
            return Answer(200, b"<wfs:FeatureCollection/>", "text/xml; subtype=gml/3.2")
        start = 0 if "startIndex" in self.ignores else int(asked.get("startindex", 0))
        shown = areas[start : start + min(int(asked.get("count", 1000)), self.max_limit)]
        in_degrees = asked.get("srsname") == "EPSG:4326"
        crs = "urn:ogc:def:crs:EPSG::4326" if in_degrees else "urn:ogc:def:crs:EPSG::28992"
        collection = {
            "type": "FeatureCollection",
            "numberMatched": len(areas) if self.counts else "unknown",
            "name": COLLECTION,
            "crs": {"type": "name", "properties": {"name": crs}},
            "features": [self._feature(area, in_degrees, id=number) for number, area in enumerate(shown, start=1)],
        }
        return _json(collection, "application/json; subtype=geojson")

    def _feature(self, area: Area, in_degrees: bool, **more: int | str) -> dict[str, Any]:
        properties = {
            "statcode": area.code,
            "statnaam": area.name,
            "jrstatcode": f"{area.year}{area.code}",
            "rubriek": "gemeente",
        }
        ring = to_degrees(area.ring) if in_degrees else area.ring
        return {
            "type": "Feature",
            "id": f"{COLLECTION}.{area.year}{area.code}",
            "properties": {**more, **properties},
            "geometry": {"type": "MultiPolygon", "coordinates": [[ring]]},
        }


def _json(content: object, content_type: str, headers: dict[str, str] | None = None) -> Answer:
    return Answer(200, json.dumps(content).encode(), content_type, headers or {})


def _bad_request(detail: str) -> Answer:
    problem = {"title": "Bad Request", "status": 400, "detail": detail}
    return Answer(400, json.dumps(problem).encode(), "application/problem+json")
