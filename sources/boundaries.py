"""Boundaries of all municipalities in one year, from PDOK (CBS and Kadaster, CC BY 4.0) or a delivered GeoJSON file."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from sources.csv_file import MAX_BYTES, decode, read_bytes
from sources.errors import (
    FileTooLarge,
    IncompleteAnswer,
    InputError,
    MissingMunicipality,
    OutlineError,
    ServiceRefused,
    SourceUnavailable,
    UnknownRegion,
)
from sources.http import Deadline, PoliteClient, Received
from sources.outlines import DEGREES, read_collection, to_polygon, to_rd_new, to_wkb, within
from sources.snapshots import Part

OUTLINES = {"region_code": pl.String, "name": pl.String, "geometry_wkb": pl.Binary}
REPAIRED = {"region_code": pl.String, "reason": pl.String, "area_change_m2": pl.Float64}

_RD_NEW = "http://www.opengis.net/def/crs/EPSG/0/28992"
# What every OGC API Features service takes; PDOK is said to take 1,000, and by one user to refuse more than 100.
_SMALL_LIMIT = 100
# The European Netherlands in metres (RD New, EPSG:28992), with room to spare: west, south, east, north.
_METRES = (0.0, 300_000.0, 300_000.0, 640_000.0)
# Coordinate systems by the end of their declared names. ETRS89 (4258) lies within a metre of WGS84.
_SYSTEMS = {"28992": _METRES, "CRS84": DEGREES, "4326": DEGREES, "4258": DEGREES}
# Names of the properties: areas of gebiedsindelingen, and those of wijkenbuurten.
_CODE = ("statcode", "gemeentecode")
_NAME = ("statnaam", "gemeentenaam")
# A gap between neighbours narrower than this, in metres, is a fault in their common border.
_SLIVER = 1.0
# The largest share of its area that a repair may add to a municipality or take from it.
_REPAIRABLE = 0.001
_UNMATCHED = "Its border was not that of its neighbours"

_TAKE_AGAIN = "Take the boundaries from their publisher again."


@dataclass(frozen=True)
class BoundaryService:
    """Where boundaries are published: the OGC API, which holds all years, and the WFS of a year (`{year}` in its url).

    `limit` is the number of areas to ask for at a time.
    """

    ogc_url: str
    wfs_url: str
    collection: str = "gemeente_gegeneraliseerd"
    limit: int = 1000


@dataclass(frozen=True)
class Boundaries:
    """The municipalities of one year.

    outlines: region_code, name, geometry_wkb, sorted by code; geometry_wkb as in sources.outlines (multipolygon,
    EPSG:28992, rounded to 0.1 m). They share their borders: no overlaps, no slivers between them. repaired:
    region_code, reason, area_change_m2 of every outline that is not as published: it was invalid, or gained corners
    where its neighbour has them.
    """

    year: int
    outlines: pl.DataFrame
    repaired: pl.DataFrame


@dataclass(frozen=True)
class _Page:
    features: list[Any]
    crs: str | None
    next: str | None
    matched: int | None


def download(client: PoliteClient, service: BoundaryService, year: int, deadline: Deadline) -> tuple[Part, ...]:
    """All areas of a year, as received: from the OGC API or, where that fails, from the WFS. The roles say which.

    The OGC API gets half of the time, so that the WFS has its turn. Raises SourceUnavailable when both fail.
    """
    table = f"PDOK {service.collection} {year}"
    try:
        return _from_ogc(client, service, year, table, Deadline.after(deadline.left() / 2))
    except InputError as ogc:
        try:
            return _collect("wfs", table, year, _wfs_pages(client, service, year, table, deadline))
        except InputError as wfs:
            raise SourceUnavailable(
                table,
                "boundaries from the OGC API or the WFS",
                remedy=f"OGC API: expected {ogc.expected}. {ogc.remedy}\nWFS: expected {wfs.expected}. {wfs.remedy}",
            ) from wfs


def read(parts: Sequence[Part], year: int, expected: Collection[str] | None = None) -> Boundaries:
    """The boundaries in downloaded parts. `expected` holds the codes of all municipalities of that year.

    Features of other years and bodies of water are left out. Small faults are mended and listed in `repaired`.
    Raises IncompleteAnswer for a part that is cut off or missing, MissingMunicipality or UnknownRegion where the
    municipalities are not the expected ones, and OutlineError, naming the region, for anything that cannot be mended.
    """
    name = parts[0].url.partition("?")[0] if parts else f"boundaries {year}"
    return _boundaries(name, [_page(part.url, part.body) for part in parts], year, expected)


def read_file(path: Path, year: int, expected: Collection[str] | None = None) -> Boundaries:
    """The boundaries in a GeoJSON file (or .gz) in EPSG:28992 or WGS84, under the same rules as `read`."""
    collection = read_collection(path, decode(path, read_bytes(path)))
    return _boundaries(str(path), [_as_page(collection)], year, expected)


def simplify(outlines: pl.DataFrame, tolerance_m: float) -> pl.DataFrame:
    """Outlines with fewer corners, sorted by region_code; borders that regions share they still share.

    `outlines` has region_code and geometry_wkb as in sources.outlines, and any other columns. Details smaller than a
    triangle of tolerance_m squared go (Visvalingam-Whyatt); a region never vanishes. Equal outlines give equal bytes.
    Raises OutlineError for outlines that overlap or whose borders do not match.
    """
    import shapely

    ordered = outlines.sort("region_code")
    shapes = shapely.from_wkb(ordered["geometry_wkb"].to_list())
    _check_borders("outlines to simplify", ordered["region_code"].to_list(), shapes, gap=0)
    simple = [to_wkb(shape) for shape in shapely.coverage_simplify(shapes, tolerance_m)]
    return ordered.with_columns(pl.Series("geometry_wkb", simple, dtype=pl.Binary))


def _from_ogc(
    client: PoliteClient, service: BoundaryService, year: int, table: str, deadline: Deadline
) -> tuple[Part, ...]:
    """All pages of the OGC API, asked for in smaller ones where it refuses large ones."""

    def pages(limit: int) -> tuple[Part, ...]:
        return _collect("ogc", table, year, _ogc_pages(client, service, limit, year, table, deadline))

    try:
        return pages(service.limit)
    except ServiceRefused:
        if service.limit <= _SMALL_LIMIT:
            raise
        return pages(_SMALL_LIMIT)


def _ogc_pages(
    client: PoliteClient, service: BoundaryService, limit: int, year: int, table: str, deadline: Deadline
) -> Iterator[tuple[Received, _Page]]:
    """Pages of the OGC API. Parameters that it does not know give 400; it holds all years, and says where next is."""
    url = f"{service.ogc_url}/collections/{service.collection}/items"
    params: dict[str, str] | None = {"f": "json", "limit": str(limit), "jaarcode": str(year), "crs": _RD_NEW}
    seen: set[str] = set()
    while url not in seen:
        seen.add(url)
        received, page = client.get_parsed(
            url, table=table, deadline=deadline, parse=partial(_page, table), params=params
        )
        yield received, page
        if page.next is None:
            return
        url, params = page.next, None
    raise IncompleteAnswer(table, "pages that end", value=url, remedy="The service refers to the same page again.")


def _wfs_pages(
    client: PoliteClient, service: BoundaryService, year: int, table: str, deadline: Deadline
) -> Iterator[tuple[Received, _Page]]:
    """Pages of the WFS of the year."""
    found = 0
    while True:
        params = {
            "service": "WFS",
            "version": "2.0.0",
            "request": "GetFeature",
            "typeName": f"gebiedsindelingen:{service.collection}",
            "outputFormat": "application/json",
            "srsName": "EPSG:28992",
            "count": str(service.limit),
            "startIndex": str(found),
        }
        received, page = client.get_parsed(
            service.wfs_url.format(year=year),
            table=table,
            deadline=deadline,
            parse=partial(_page, table),
            params=params,
        )
        yield received, page
        found += len(page.features)
        whole = len(page.features) < service.limit if page.matched is None else found >= page.matched
        if whole or not page.features:
            return


def _collect(role: str, table: str, year: int, answers: Iterator[tuple[Received, _Page]]) -> tuple[Part, ...]:
    """All answers of a service, once it is known that they are whole and of the year."""
    parts: list[Part] = []
    pages: list[_Page] = []
    for number, (answer, page) in enumerate(answers, start=1):
        parts.append(Part(f"{role}/{number:04}", answer.url, answer.body, answer.content_type, answer.retrieved_at))
        pages.append(page)
        if sum(len(part.body) for part in parts) > MAX_BYTES:
            raise FileTooLarge(table, f"at most {MAX_BYTES // 2**20} MB", remedy="Municipalities take a few MB.")
    _check_whole(table, pages)
    _of_year(table, pages, year)
    return tuple(parts)


def _page(url: str, body: bytes) -> _Page:
    try:
        return _as_page(read_collection(url, body))
    except OutlineError as error:
        raise IncompleteAnswer(url, error.expected, row=error.row, remedy=error.remedy) from error


def _as_page(collection: dict[str, Any]) -> _Page:
    """What matters of a FeatureCollection; its other members may be missing or of any shape."""
    links = [link for link in _list(collection.get("links")) if isinstance(link, dict) and link.get("rel") == "next"]
    href = links[0].get("href") if links else None
    # GeoServer says totalFeatures; a service that does not count says "unknown".
    counts = [collection.get("numberMatched"), collection.get("totalFeatures")]
    crs = _dict(_dict(collection.get("crs")).get("properties")).get("name")
    return _Page(
        features=collection["features"],
        crs=crs if isinstance(crs, str) else None,
        next=href if isinstance(href, str) else None,
        matched=next((count for count in counts if type(count) is int), None),
    )


def _boundaries(name: str, pages: Sequence[_Page], year: int, expected: Collection[str] | None) -> Boundaries:
    import numpy as np

    _check_whole(name, pages)
    outlines: dict[str, Any] = {}
    names: dict[str, str] = {}
    for number, feature in _of_year(name, pages, year):
        code = _text(name, number, feature, _CODE, "[A-Z]{2}[0-9]{2,4}")
        if code in outlines:
            raise OutlineError(name, "one outline a region", column=_CODE[0], value=code, remedy=_TAKE_AGAIN)
        names[code] = _text(name, number, feature, _NAME, ".+")
        outlines[code] = to_polygon(feature.get("geometry"))
        if outlines[code] is None:
            raise OutlineError(
                name,
                f"a polygon or multipolygon that is not empty for region {code}",
                column="geometry",
                remedy=_TAKE_AGAIN,
            )
    if expected is not None:
        _check_complete(name, year, outlines.keys(), expected)
    codes = sorted(outlines)
    shapes = np.array([outlines[code] for code in codes])
    shapes, repaired = _repair(name, codes, _in_metres(name, codes, shapes, {page.crs for page in pages}))
    rows = [(code, names[code], to_wkb(shape)) for code, shape in zip(codes, shapes, strict=True)]
    return Boundaries(year, pl.DataFrame(rows, schema=OUTLINES, orient="row"), repaired)


def _check_whole(name: str, pages: Sequence[_Page]) -> None:
    found = sum(len(page.features) for page in pages)
    promised = max((page.matched for page in pages if page.matched is not None), default=1)
    remedy = "The answer or file is not whole: fetch it again."
    if found < promised:
        raise IncompleteAnswer(name, f"{promised} features, found {found}", remedy=remedy)
    if pages[-1].next is not None:
        raise IncompleteAnswer(name, f"the page after the first {found} features", remedy=remedy)


def _of_year(name: str, pages: Sequence[_Page], year: int) -> list[tuple[int, dict[str, Any]]]:
    """Features of the year that are no water, with their number. Features that say no year are taken to be of it."""
    features = [_dict(feature) for page in pages for feature in page.features]
    years = [_year(_dict(feature.get("properties"))) for feature in features]
    kept = [
        (number, feature)
        for number, (feature, found) in enumerate(zip(features, years, strict=True), start=1)
        if found in (None, str(year)) and _dict(feature.get("properties")).get("water") != "JA"
    ]
    if not kept:
        found_years = ", ".join(sorted({found for found in years if found}))
        raise OutlineError(
            name,
            f"boundaries of {year}",
            column="jaarcode",
            value=found_years or None,
            remedy="Is that year published? Ask for the year that the boundaries are of.",
        )
    return kept


def _year(properties: dict[str, Any]) -> str | None:
    """The year of a feature: 2025 or "2025" in jaarcode, or the start of jrstatcode, 2025GM0153."""
    year = properties.get("jaarcode") or properties.get("jrstatcode")
    return str(year)[:4] if year else None


def _text(name: str, number: int, feature: dict[str, Any], keys: Sequence[str], pattern: str) -> str:
    properties = _dict(feature.get("properties"))
    value = next((properties[key] for key in keys if key in properties), None)
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        example = "a region code such as GM0153" if keys is _CODE else "the name of the region"
        raise OutlineError(
            name,
            f"{example} in feature {number}",
            column=keys[0],
            value=value,
            remedy=f"Give every feature the property {' or '.join(keys)}.",
        )
    return value


def _check_complete(name: str, year: int, found: Collection[str], expected: Collection[str]) -> None:
    missing, unknown = sorted(set(expected) - set(found)), sorted(set(found) - set(expected))
    if missing:
        raise MissingMunicipality(
            name,
            f"all {len(set(expected))} municipalities of {year}; {len(missing)} are missing",
            column=_CODE[0],
            value=missing[0],
            remedy=f"Are these the boundaries of {year}? {_TAKE_AGAIN}",
        )
    if unknown:
        raise UnknownRegion(
            name,
            f"only the {len(set(expected))} municipalities of {year}",
            column=_CODE[0],
            value=unknown[0],
            more=len(unknown) - 1,
            remedy=f"Are these the boundaries of {year}? {_TAKE_AGAIN}",
        )


def _in_metres(name: str, codes: Sequence[str], shapes: Any, declared: Collection[str | None]) -> Any:
    """Shapes in EPSG:28992, rounded to 0.1 m. The range of the coordinates decides; what is declared must agree."""
    import numpy as np
    import shapely

    inside = {box: within(shapes, box) for box in (_METRES, DEGREES)}
    box = max(inside, key=lambda box: int(inside[box].sum()))
    if not inside[box].all():
        stray = codes[int(np.argmin(inside[box]))]
        raise OutlineError(
            name,
            f"metres (RD New, EPSG:28992) or longitude and latitude (WGS84) within the Netherlands for region {stray}",
            column="geometry",
            remedy="Is this another coordinate system, or latitude before longitude? Export it in EPSG:28992.",
        )
    for crs in declared:
        if crs is not None and _SYSTEMS.get(re.split("[:/]", crs)[-1]) != box:
            found = "metres of EPSG:28992" if box == _METRES else "longitude and latitude"
            raise OutlineError(
                name,
                f"a coordinate system that fits the coordinates, which are {found}",
                column="crs",
                value=crs,
                remedy="Export the boundaries again in EPSG:28992.",
            )
    metres = to_rd_new(shapes) if box == DEGREES else _rounded(shapes)
    return shapely.remove_repeated_points(metres)


def _rounded(shapes: Any) -> Any:
    import numpy as np
    import shapely

    return shapely.transform(shapes, lambda coordinates: np.round(coordinates, 1))


def _repair(name: str, codes: Sequence[str], published: Any) -> tuple[Any, pl.DataFrame]:
    """Valid outlines that share their borders, and what was changed to make them so."""
    import shapely

    broken = ~shapely.is_valid(published)
    if not broken.any() and shapely.coverage_is_valid(published, gap_width=_SLIVER):
        return published, pl.DataFrame(schema=REPAIRED)
    shapes = published.copy()
    shapes[broken] = shapely.make_valid(published[broken], method="structure", keep_collapsed=False)
    # The repair puts a corner where a border crosses itself: the neighbours there must get it too.
    shapes = _rounded(shapely.coverage_clean(shapes, gap_width=_SLIVER))
    areas, changes = shapely.area(published), shapely.area(shapes) - shapely.area(published)
    for code, area, change in zip(codes, areas, changes, strict=True):
        # Also where there was no area to begin with.
        if abs(change) >= _REPAIRABLE * area:
            raise OutlineError(
                name,
                f"an outline that is valid and does not overlap its neighbours for region {code}",
                column="geometry",
                remedy=f"Mending it would change its area of {area:,.0f} m2 by {change:+,.0f}. {_TAKE_AGAIN}",
            )
    _check_borders(name, codes, shapes, _SLIVER)
    repaired = [
        (code, shapely.is_valid_reason(before) if fault else _UNMATCHED, round(float(change), 2))
        for code, before, after, fault, change in zip(codes, published, shapes, broken, changes, strict=True)
        if fault or to_wkb(before) != to_wkb(after)
    ]
    return shapes, pl.DataFrame(repaired, schema=REPAIRED, orient="row")


def _check_borders(name: str, codes: Sequence[str], shapes: Any, gap: float) -> None:
    import shapely

    faults = ~shapely.is_valid(shapes) | ~shapely.is_empty(shapely.coverage_invalid_edges(shapes, gap_width=gap))
    if faults.any():
        faulty = [code for code, fault in zip(codes, faults, strict=True) if fault]
        raise OutlineError(
            name,
            f"valid outlines that share their borders, also for region {faulty[0]}",
            column="geometry",
            remedy=f"Outlines overlap, or corners of one lie on the straight border of another. {_TAKE_AGAIN}",
            more=len(faulty) - 1,
        )


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
