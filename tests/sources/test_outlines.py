from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import shapely

from sources import bundled
from sources.errors import EncodingError, MissingFile, OutlineError
from sources.outlines import FILE, dissolve, read_outlines

# About 1 by 1 km in Enschede.
SQUARE = [[6.88, 52.21], [6.895, 52.21], [6.895, 52.22], [6.88, 52.22], [6.88, 52.21]]


@pytest.fixture(scope="module")
def twente() -> pl.DataFrame:
    return read_outlines(bundled.FOLDER / FILE)


def geometries(frame: pl.DataFrame) -> dict[str, Any]:
    return {code: shapely.from_wkb(wkb) for code, wkb in frame.iter_rows()}


def write(path: Path, *features: tuple[Any, Any]) -> Path:
    content = [
        {"type": "Feature", "properties": {"region_code": code}, "geometry": geometry} for code, geometry in features
    ]
    file = path / "outlines.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": content}), encoding="utf-8")
    return file


def polygon(*rings: Any) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": list(rings)}


def test_fourteen_outlines_sorted_by_code(twente: pl.DataFrame) -> None:
    assert twente.schema == {"region_code": pl.String, "geometry_wkb": pl.Binary}
    assert twente.height == 14
    assert twente["region_code"].is_sorted()
    assert twente["region_code"][0] == "GM0141"


def test_area_and_place_agree_with_reality(twente: pl.DataFrame) -> None:
    # CBS: Twente has some 1,500 km2. RD New: the centre of Enschede is near x 257,000, y 471,000.
    shapes = geometries(twente)
    assert sum(shape.area for shape in shapes.values()) / 1e6 == pytest.approx(1504, abs=5)
    enschede = shapes["GM0153"]
    assert enschede.contains(shapely.Point(257_500, 471_500))
    assert (enschede.centroid.x, enschede.centroid.y) == pytest.approx((257_000, 471_000), abs=1_000)


def test_the_projection_agrees_with_the_official_reference_point() -> None:
    # The Onze Lieve Vrouwetoren in Amersfoort is the origin of RD: 155,000, 463,000 at 52.15517440 N, 5.38720621 E.
    from pyproj import Transformer

    from sources.outlines import _TO_RD_NEW

    x, y = Transformer.from_pipeline(_TO_RD_NEW).transform(5.38720621, 52.15517440)
    assert (x, y) == pytest.approx((155_000, 463_000), abs=0.5)


def test_shared_borders_stay_shared_on_a_grid_of_a_decimetre(twente: pl.DataFrame) -> None:
    shapes = list(geometries(twente).values())
    assert shapely.coverage_is_valid(shapes)
    coordinates = shapely.get_coordinates(shapes).ravel()
    assert all(round(value, 1) == value for value in coordinates)
    assert all(shape.geom_type == "MultiPolygon" and shape.is_valid for shape in shapes)


def test_equal_outlines_give_equal_bytes_wherever_the_border_begins(tmp_path: Path) -> None:
    turned = SQUARE[2:-1] + SQUARE[:3]
    outlines = [read_outlines(write(tmp_path, ("GM0153", polygon(ring)))) for ring in (SQUARE, turned, SQUARE[::-1])]
    assert outlines[0].equals(outlines[1])
    assert outlines[0].equals(outlines[2])


def test_groups_are_the_union_of_their_members(twente: pl.DataFrame) -> None:
    members = twente["region_code"].to_list()
    groups = dissolve(twente, {"TWENTE": members, "URBAN_CORE": ["GM0141", "GM0153", "GM0164"]})
    assert groups.columns == ["group_code", "geometry_wkb"]
    assert groups["group_code"].to_list() == ["TWENTE", "URBAN_CORE"]
    shapes, single = geometries(groups), geometries(twente)
    assert shapes["TWENTE"].area == pytest.approx(sum(shape.area for shape in single.values()))
    # One area without slivers or holes.
    assert len(shapes["TWENTE"].geoms) == 1
    assert len(shapes["TWENTE"].geoms[0].interiors) == 0
    # Almelo does not touch the other two, which do touch each other.
    assert len(shapes["URBAN_CORE"].geoms) == 2


def test_a_group_with_a_member_without_outline_gets_no_row(twente: pl.DataFrame) -> None:
    unknown = pl.DataFrame({"region_code": ["GM0014"], "geometry_wkb": [None]}, schema=twente.schema)
    groups = dissolve(
        pl.concat([twente, unknown]), {"A": ["GM0141", "GM0014"], "B": ["GM9999"], "C": [], "D": ["GM0141"]}
    )
    assert groups["group_code"].to_list() == ["D"]


def test_no_group_with_outlines_gives_an_empty_table(twente: pl.DataFrame) -> None:
    groups = dissolve(twente, {"NL01": ["GM0014"]})
    assert groups.schema == {"group_code": pl.String, "geometry_wkb": pl.Binary}
    assert groups.is_empty()


@pytest.mark.parametrize(
    ("geometry", "says"),
    [
        (polygon([SQUARE[0], SQUARE[2], SQUARE[1], SQUARE[3], SQUARE[0]]), "Found Self-intersection"),
        (polygon(), "not empty"),
        ({"type": "MultiPolygon", "coordinates": []}, "not empty"),
        ({"type": "Point", "coordinates": SQUARE[0]}, "polygon or multipolygon"),
        ({"type": "Polygon", "coordinates": [[1, 2], "x"]}, "polygon or multipolygon"),
        ({"type": "Nonsense"}, "polygon or multipolygon"),
        (None, "polygon or multipolygon"),
        (polygon([[257_000, 471_000], [258_000, 471_000], [258_000, 472_000], [257_000, 471_000]]), "longitude"),
        (polygon([[y, x] for x, y in SQUARE]), "latitude before longitude"),
        (polygon([SQUARE[0], SQUARE[1], [float("nan"), 52.2], SQUARE[0]]), ""),
    ],
)
def test_a_wrong_outline_names_its_region(tmp_path: Path, geometry: Any, says: str) -> None:
    with pytest.raises(OutlineError) as caught:
        read_outlines(write(tmp_path, ("GM0153", geometry)))
    assert "for region GM0153" in caught.value.expected
    assert says in str(caught.value)
    assert caught.value.remedy


@pytest.mark.parametrize("code", [None, "", "Enschede", 153])
def test_a_feature_without_region_code(tmp_path: Path, code: object) -> None:
    with pytest.raises(OutlineError, match="in feature 2"):
        read_outlines(write(tmp_path, ("GM0141", polygon(SQUARE)), (code, polygon(SQUARE))))


def test_a_region_with_two_outlines(tmp_path: Path) -> None:
    with pytest.raises(OutlineError, match="one outline a region"):
        read_outlines(write(tmp_path, ("GM0153", polygon(SQUARE)), ("GM0153", polygon(SQUARE))))


@pytest.mark.parametrize(
    "damage", [lambda text: text[:-40], lambda text: "[]", lambda text: "{}", lambda text: '{"features": []}',
               lambda text: '{"features": [1]}', lambda text: "[" * 100_000]
)  # fmt: skip
def test_a_file_that_is_no_collection_of_outlines(tmp_path: Path, damage: Callable[[str], str]) -> None:
    file = tmp_path / FILE
    file.write_text(damage((bundled.FOLDER / FILE).read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(OutlineError):
        read_outlines(file)


def test_a_missing_or_unreadable_file(tmp_path: Path) -> None:
    with pytest.raises(MissingFile):
        read_outlines(tmp_path / FILE)
    (tmp_path / FILE).write_bytes('{"naam": "Súdwest"}'.encode("cp1252"))
    with pytest.raises(EncodingError):
        read_outlines(tmp_path / FILE)
