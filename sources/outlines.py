"""Outlines of municipalities: from published longitude and latitude to the national grid in metres."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import polars as pl

from sources.csv_file import decode, read_bytes
from sources.errors import OutlineError

FILE = "twente_outlines_2022.geojson"

SCHEMA = {"region_code": pl.String, "geometry_wkb": pl.Binary}

# From longitude and latitude to RD New (EPSG:28992), written out (EPSG:4833 and 19914, good to 0.3 m) because PROJ
# would otherwise choose by the correction grids a machine happens to have, and the same input give other bytes.
_TO_RD_NEW = (
    "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad +step +proj=push +v_3 "
    "+step +proj=cart +ellps=WGS84 +step +inv +proj=helmert +x=565.4171 +y=50.3319 +z=465.5524 "
    "+rx=0.398957388243134 +ry=-0.343987817378283 +rz=1.87740163998045 +s=4.0725 +convention=coordinate_frame "
    "+step +inv +proj=cart +ellps=bessel +step +proj=pop +v_3 "
    "+step +proj=sterea +lat_0=52.1561605555556 +lon_0=5.38763888888889 +k=0.9999079 +x_0=155000 +y_0=463000 "
    "+ellps=bessel"
)
# Longitude and latitude of the European Netherlands, with room to spare.
_LONGITUDE = (3.0, 7.5)
_LATITUDE = (50.5, 53.8)
_CHECK_SOURCE = "Take the outlines from their publisher again."


def read_outlines(path: Path) -> pl.DataFrame:
    """Outlines in a GeoJSON file (WGS84; property region_code), as region_code, geometry_wkb sorted by code.

    geometry_wkb is a multipolygon in metres, EPSG:28992, in little-endian WKB. Coordinates are rounded to 0.1 m: a
    corner that neighbours share in the file they still share after, and equal input gives equal bytes.
    Raises OutlineError, naming the region, where an outline is missing, malformed, invalid or not in the Netherlands.
    """
    outlines: dict[str, bytes] = {}
    for number, feature in enumerate(_features(path), start=1):
        code = _region_code(path, number, feature)
        if code in outlines:
            raise OutlineError(path, "one outline a region", column="region_code", value=code, remedy=_CHECK_SOURCE)
        outlines[code] = _outline(path, code, feature.get("geometry"))
    return _frame(outlines)


def dissolve(outlines: pl.DataFrame, groups: dict[str, list[str]]) -> pl.DataFrame:
    """The outline of each group of regions: group_code, geometry_wkb (as in `outlines`), sorted by code.

    `outlines` is what read_outlines returns. A group of which a member has no outline gets no row: a map of part of a
    group would be a wrong map.
    """
    import shapely

    known: dict[str, bytes] = dict(outlines.select(list(SCHEMA)).drop_nulls().iter_rows())
    dissolved = {
        group: _to_wkb(shapely.union_all([shapely.from_wkb(known[member]) for member in members]))
        for group, members in groups.items()
        if members and known.keys() >= set(members)
    }
    return _frame(dissolved).rename({"region_code": "group_code"})


def _features(path: Path) -> list[Any]:
    text = decode(path, read_bytes(path))
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        row = getattr(error, "lineno", None)
        raise OutlineError(path, "GeoJSON", row=row, remedy=f"This is not valid JSON. {_CHECK_SOURCE}") from error
    features = data.get("features") if isinstance(data, dict) else None
    if not isinstance(features, list) or not features:
        raise OutlineError(path, "a GeoJSON FeatureCollection with features", remedy=_CHECK_SOURCE)
    return features


def _region_code(path: Path, number: int, feature: Any) -> str:
    properties = feature.get("properties") if isinstance(feature, dict) else None
    code = properties.get("region_code") if isinstance(properties, dict) else None
    if not isinstance(code, str) or not re.fullmatch(r"[A-Z]{2}[0-9]{2,4}", code):
        raise OutlineError(
            path,
            f"a region code such as GM0153 in feature {number}",
            column="region_code",
            value=code,
            remedy="Give every feature the property region_code.",
        )
    return code


def _outline(path: Path, code: str, geometry: Any) -> bytes:
    import numpy as np
    import shapely
    from pyproj import Transformer
    from shapely.geometry import shape

    def wrong(expected: str, remedy: str = _CHECK_SOURCE) -> OutlineError:
        return OutlineError(path, f"{expected} for region {code}", column="geometry", remedy=remedy)

    try:
        outline = shape(geometry)
    # shapely raises whatever a malformed geometry makes it stumble over
    except Exception as error:
        raise wrong("a polygon or multipolygon") from error
    if outline.geom_type not in ("Polygon", "MultiPolygon") or outline.is_empty:
        raise wrong("a polygon or multipolygon that is not empty")
    west, south, east, north = outline.bounds
    in_country = _LONGITUDE[0] <= west <= east <= _LONGITUDE[1] and _LATITUDE[0] <= south <= north <= _LATITUDE[1]
    if not in_country:
        raise wrong(
            "longitude and latitude (WGS84) within the Netherlands",
            "Are these metres (RD New), or latitude before longitude? Export the outlines as WGS84.",
        )
    transformer = Transformer.from_pipeline(_TO_RD_NEW)

    def to_metres(coordinates: Any) -> Any:
        return np.round(np.column_stack(transformer.transform(coordinates[:, 0], coordinates[:, 1])), 1)

    outline = shapely.transform(outline, to_metres)
    if not outline.is_valid:
        raise wrong(
            "a valid outline",
            f"Found {shapely.is_valid_reason(outline)} (in metres, RD New). {_CHECK_SOURCE}",
        )
    return _to_wkb(outline)


def _to_wkb(outline: Any) -> bytes:
    import shapely

    polygons = shapely.get_parts(outline)
    # Normalised, so that bytes depend on the shape and not on where its border happens to begin.
    wkb = shapely.to_wkb(shapely.normalize(shapely.multipolygons(polygons)), byte_order=1, output_dimension=2)
    return bytes(wkb)


def _frame(outlines: dict[str, bytes]) -> pl.DataFrame:
    rows = sorted(outlines.items())
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")
