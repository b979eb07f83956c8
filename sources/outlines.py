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
# The European Netherlands in degrees, with room to spare: west, south, east, north.
DEGREES = (3.0, 50.5, 7.5, 53.8)
_CHECK_SOURCE = "Take the outlines from their publisher again."


def read_outlines(path: Path) -> pl.DataFrame:
    """Outlines in a GeoJSON file (WGS84; property region_code), as region_code, geometry_wkb sorted by code.

    geometry_wkb is a multipolygon in metres, EPSG:28992, in little-endian WKB. Coordinates are rounded to 0.1 m: a
    corner that neighbours share in the file they still share after, and equal input gives equal bytes.
    Raises OutlineError, naming the region, where an outline is missing, malformed, invalid or not in the Netherlands.
    """
    features = read_collection(path, decode(path, read_bytes(path)))["features"]
    if not features:
        raise OutlineError(path, "a GeoJSON FeatureCollection with features", remedy=_CHECK_SOURCE)
    outlines: dict[str, bytes] = {}
    for number, feature in enumerate(features, start=1):
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
        group: to_wkb(shapely.union_all([shapely.from_wkb(known[member]) for member in members]))
        for group, members in groups.items()
        if members and known.keys() >= set(members)
    }
    return _frame(dissolved).rename({"region_code": "group_code"})


def read_collection(name: str | Path, text: str | bytes) -> dict[str, Any]:
    """A GeoJSON FeatureCollection, with its list of `features`. Raises OutlineError naming the file or table."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        row = getattr(error, "lineno", None)
        raise OutlineError(name, "GeoJSON", row=row, remedy=f"This is not valid JSON. {_CHECK_SOURCE}") from error
    if not isinstance(data, dict) or not isinstance(data.get("features"), list):
        raise OutlineError(name, "a GeoJSON FeatureCollection with features", remedy=_CHECK_SOURCE)
    return data


def to_polygon(geometry: object) -> Any | None:
    """A GeoJSON geometry as a shapely polygon or multipolygon, or None where it is anything else, or empty."""
    import numpy as np
    import shapely
    from shapely.geometry import shape

    try:
        outline = shape(geometry)
    # shapely raises whatever a malformed geometry makes it stumble over
    except Exception:  # noqa: BLE001
        return None
    is_polygon = outline.geom_type in ("Polygon", "MultiPolygon") and not outline.is_empty
    return outline if is_polygon and np.isfinite(shapely.get_coordinates(outline)).all() else None


def within(outlines: Any, box: tuple[float, float, float, float]) -> Any:
    """Whether each outline lies within a box (west, south, east, north): an array of booleans."""
    import shapely

    bounds = shapely.bounds(outlines)
    return ((bounds[..., :2] >= box[:2]) & (bounds[..., 2:] <= box[2:])).all(axis=-1)


def to_rd_new(outlines: Any) -> Any:
    """Shapely geometries in longitude and latitude (WGS84) as metres in EPSG:28992, rounded to 0.1 m."""
    import numpy as np
    import shapely
    from pyproj import Transformer

    transformer = Transformer.from_pipeline(_TO_RD_NEW)

    def to_metres(coordinates: Any) -> Any:
        return np.round(np.column_stack(transformer.transform(coordinates[:, 0], coordinates[:, 1])), 1)

    return shapely.transform(outlines, to_metres)


def to_wkb(outline: Any) -> bytes:
    """A polygon or multipolygon as a multipolygon in little-endian WKB."""
    import shapely

    polygons = shapely.get_parts(outline)
    # Normalised, so that bytes depend on the shape and not on where its border happens to begin.
    wkb = shapely.to_wkb(shapely.normalize(shapely.multipolygons(polygons)), byte_order=1, output_dimension=2)
    return bytes(wkb)


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
    import shapely

    def wrong(expected: str, remedy: str = _CHECK_SOURCE) -> OutlineError:
        return OutlineError(path, f"{expected} for region {code}", column="geometry", remedy=remedy)

    outline = to_polygon(geometry)
    if outline is None:
        raise wrong("a polygon or multipolygon that is not empty")
    if not within(outline, DEGREES).all():
        raise wrong(
            "longitude and latitude (WGS84) within the Netherlands",
            "Are these metres (RD New), or latitude before longitude? Export the outlines as WGS84.",
        )
    outline = to_rd_new(outline)
    if not outline.is_valid:
        raise wrong(
            "a valid outline",
            f"Found {shapely.is_valid_reason(outline)} (in metres, RD New). {_CHECK_SOURCE}",
        )
    return to_wkb(outline)


def _frame(outlines: dict[str, bytes]) -> pl.DataFrame:
    rows = sorted(outlines.items())
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")
