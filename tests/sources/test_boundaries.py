from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest
import shapely

from sources import bundled
from sources.boundaries import Boundaries, BoundaryService, download, read, read_file, simplify
from sources.errors import (
    IncompleteAnswer,
    InputError,
    MissingFile,
    MissingMunicipality,
    OutlineError,
    SourceUnavailable,
    UnknownRegion,
)
from sources.http import Deadline, Manners, PoliteClient
from sources.outlines import FILE, read_outlines
from sources.snapshots import Part
from tests.standins.faults import Fault, Kind
from tests.standins.ogc import ITEMS, Area, Pdok, Ring, to_degrees

# Delivered files: year, and how many municipalities the Netherlands then had (CBS).
DELIVERED = {
    "gemeente_gegeneraliseerd_2022_wgs84_pdok.geojson": (2022, 345),
    "gemeente_gegeneraliseerd_JV24.geojson": (2024, 342),
    "gemeente_2025_wgs84_cartomap.geojson": (2025, 342),
}
PDOK_2022, PDOK_2024, CARTOMAP = DELIVERED
# Narrow Westervoort: its two long borders cross in the simplified map of 2025.
WESTERVOORT, ITS_NEIGHBOURS = "GM0293", ["GM0202", "GM0226", "GM0275"]


def square(column: float, row: float = 0, size: float = 1000) -> Ring:
    """A border in metres, near Enschede."""
    x, y = 250_000 + 1000 * column, 470_000 + 1000 * row
    return [(x, y), (x + size, y), (x + size, y + size), (x, y + size), (x, y)]


def feature(code: object, ring: Any, **properties: object) -> dict[str, Any]:
    named = {"statcode": code, "statnaam": f"Gemeente {code}", **properties}
    return {"type": "Feature", "properties": named, "geometry": {"type": "Polygon", "coordinates": [ring]}}


def collection(*features: Any, **members: object) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": features, **members}).encode()


def parts(*bodies: bytes) -> tuple[Part, ...]:
    return tuple(
        Part(f"ogc/{number:04}", f"http://pdok.test/items?cursor={number}", body, "application/geo+json", "")
        for number, body in enumerate(bodies, start=1)
    )


def read_features(*features: Any, expected: list[str] | None = None, **members: object) -> Boundaries:
    return read(parts(collection(*features, **members)), 2025, expected)


def shapes(frame: pl.DataFrame) -> dict[str, Any]:
    return {code: shapely.from_wkb(wkb) for code, wkb in frame.select("region_code", "geometry_wkb").iter_rows()}


def share_borders(frame: pl.DataFrame) -> bool:
    """No overlaps, no slivers: together the outlines are as large as their union, and coverage rules hold."""
    outlines = list(shapes(frame).values())
    whole = shapely.union_all(outlines).area
    return bool(
        shapely.coverage_is_valid(outlines)
        and shapely.is_valid(outlines).all()
        and sum(outline.area for outline in outlines) == pytest.approx(whole, abs=0.1)
    )


@pytest.fixture(scope="module")
def delivered(shared_data: Path) -> dict[str, Boundaries]:
    return {name: read_file(shared_data / "boundaries" / name, year) for name, (year, _) in DELIVERED.items()}


# --- Real files


@pytest.mark.shared
@pytest.mark.parametrize("name", DELIVERED)
def test_real_files_hold_every_municipality_once(delivered: dict[str, Boundaries], name: str) -> None:
    year, count = DELIVERED[name]
    boundaries = delivered[name]
    assert boundaries.year == year
    assert boundaries.outlines.schema == {"region_code": pl.String, "name": pl.String, "geometry_wkb": pl.Binary}
    assert boundaries.outlines["region_code"].n_unique() == boundaries.outlines.height == count
    assert boundaries.outlines["region_code"].is_sorted()
    assert boundaries.outlines.row(by_predicate=pl.col("region_code") == "GM0153")[1] == "Enschede"
    assert boundaries.outlines.null_count().row(0) == (0, 0, 0)


@pytest.mark.shared
@pytest.mark.parametrize("name", DELIVERED)
def test_outlines_of_real_files_are_valid_and_share_their_borders(delivered: dict[str, Boundaries], name: str) -> None:
    outlines = delivered[name].outlines
    assert share_borders(outlines)
    coordinates = shapely.get_coordinates(list(shapes(outlines).values())).ravel()
    assert all(round(value, 1) == value for value in coordinates)


@pytest.mark.shared
@pytest.mark.parametrize("name", DELIVERED)
def test_twente_has_the_area_of_its_bundled_outlines(delivered: dict[str, Boundaries], name: str) -> None:
    # Both are simplified: the bundled outlines to 639 points, the map of 2025 to some 20 a municipality.
    areas = {code: shape.area for code, shape in shapes(delivered[name].outlines).items()}
    twente = {code: shape.area for code, shape in shapes(read_outlines(bundled.FOLDER / FILE)).items()}
    assert len(twente) == 14
    tolerance = 0.06 if name == CARTOMAP else 0.01
    assert {code: areas[code] for code in twente} == pytest.approx(twente, rel=tolerance)
    assert sum(areas[code] for code in twente) == pytest.approx(sum(twente.values()), rel=0.003)


@pytest.mark.shared
def test_invalid_outlines_are_repaired_and_listed(delivered: dict[str, Boundaries]) -> None:
    assert delivered[PDOK_2022].repaired.is_empty()
    assert delivered[PDOK_2024].repaired.is_empty()
    repaired = delivered[CARTOMAP].repaired
    # Schouwen-Duiveland touches itself in a point, which changes nothing for its neighbours.
    assert repaired["region_code"].to_list() == sorted([WESTERVOORT, *ITS_NEIGHBOURS, "GM1676"])
    reasons = dict(repaired.select("region_code", "reason").iter_rows())
    assert reasons[WESTERVOORT].startswith("Self-intersection[196419")
    assert reasons["GM1676"].startswith("Self-intersection[53001")
    assert {reasons[code] for code in ITS_NEIGHBOURS} == {"Its border was not that of its neighbours"}
    # A corner that goes on the grid of 0.1 m moves a border of kilometres by centimetres.
    assert repaired["area_change_m2"].abs().max() < 50


@pytest.mark.shared
def test_a_delivered_file_of_another_year(shared_data: Path) -> None:
    with pytest.raises(OutlineError, match="boundaries of 2025") as caught:
        read_file(shared_data / "boundaries" / PDOK_2022, 2025)
    assert caught.value.value == "2022"


@pytest.mark.shared
def test_a_real_file_against_the_municipalities_of_its_year(
    delivered: dict[str, Boundaries], shared_data: Path
) -> None:
    codes = delivered[PDOK_2022].outlines["region_code"].to_list()
    file = shared_data / "boundaries" / PDOK_2022
    with pytest.raises(UnknownRegion) as unknown:
        read_file(file, 2022, [code for code in codes if code != "GM0153"])
    assert unknown.value.value == "GM0153"
    with pytest.raises(MissingMunicipality) as missing:
        read_file(file, 2022, [*codes, "GM1992"])
    assert missing.value.value == "GM1992"


# --- Fewer corners


@pytest.mark.shared
@pytest.mark.parametrize("tolerance", [100, 1000])
def test_simplified_neighbours_still_share_their_borders(delivered: dict[str, Boundaries], tolerance: float) -> None:
    outlines = delivered[PDOK_2024].outlines
    simple = simplify(outlines, tolerance)
    assert simple.drop("geometry_wkb").equals(outlines.drop("geometry_wkb"))
    assert share_borders(simple)
    before, after = (shapely.get_num_coordinates(list(shapes(frame).values())).sum() for frame in (outlines, simple))
    assert after < before * (0.9 if tolerance == 100 else 0.2)
    assert not shapely.is_empty(list(shapes(simple).values())).any()


@pytest.mark.shared
def test_equal_outlines_simplify_to_equal_bytes_in_any_order(delivered: dict[str, Boundaries]) -> None:
    outlines = delivered[PDOK_2022].outlines
    assert simplify(outlines, 300).equals(simplify(outlines.reverse(), 300))


def test_outlines_that_overlap_are_not_simplified() -> None:
    outlines = pl.concat([read_features(feature("GM0001", square(n))).outlines for n in (0, 0.5)])
    with pytest.raises(OutlineError, match="share their borders"):
        simplify(outlines.with_columns(region_code=pl.Series(["GM0001", "GM0002"])), 10)


# --- From bytes


def test_metres_and_degrees_give_the_same_outlines() -> None:
    metres = read_features(feature("GM0001", square(0)), feature("GM0002", square(1)))
    degrees = read_features(*(feature(f"GM000{n}", to_degrees(square(n - 1))) for n in (1, 2)))
    assert metres.outlines.equals(degrees.outlines)
    assert shapes(metres.outlines)["GM0002"].bounds == (251_000, 470_000, 252_000, 471_000)


@pytest.mark.parametrize(
    ("crs", "in_metres"),
    [("urn:ogc:def:crs:EPSG::28992", True), ("http://www.opengis.net/def/crs/EPSG/0/28992", True), ("EPSG:28992", True),
     ("urn:ogc:def:crs:OGC:1.3:CRS84", False), ("urn:ogc:def:crs:EPSG::4326", False), ("EPSG:4258", False)],
)  # fmt: skip
def test_a_declared_coordinate_system_must_fit_the_coordinates(crs: str, in_metres: bool) -> None:
    declared = {"type": "name", "properties": {"name": crs}}
    rings = {True: square(0), False: to_degrees(square(0))}
    assert read_features(feature("GM0001", rings[in_metres]), crs=declared).outlines.height == 1
    with pytest.raises(OutlineError, match="fits the coordinates") as caught:
        read_features(feature("GM0001", rings[not in_metres]), crs=declared)
    assert caught.value.value == crs


@pytest.mark.parametrize(
    "ring",
    [
        [(y, x) for x, y in to_degrees(square(0))],  # latitude first
        [(x + 500_000, y + 5_000_000) for x, y in square(0)],  # such as UTM
        [(0, 0), (1, 0), (1, 1), (0, 0)],
        [(250_000, 470_000), (float("inf"), 470_000), (250_000, 471_000), (250_000, 470_000)],
        [(250_000, 470_000), (float("nan"), 470_000), (250_000, 471_000), (250_000, 470_000)],
        [(250_000, 470_000), (251_000, 470_000)],
        [],
        [["x", "y"]],
        "x",
        None,
    ],
)
def test_an_outline_that_is_elsewhere_or_none_names_its_region(ring: Any) -> None:
    with pytest.raises(OutlineError, match="for region GM0002") as caught:
        read_features(feature("GM0001", square(0)), feature("GM0002", ring), feature("GM0003", square(1)))
    assert caught.value.remedy


def test_features_of_other_years_and_water_are_left_out() -> None:
    boundaries = read_features(
        feature("GM0001", square(0), jaarcode=2025),
        feature("GM0001", square(7), jaarcode=2024),
        feature("GM0002", square(1), jaarcode="2025"),
        feature("GM0002", square(7), jaarcode="2022"),
        feature("GM0003", square(2), jrstatcode="2025GM0003"),
        feature("GM0003", square(7), jaarcode=None, jrstatcode="2016GM0003"),
        feature("GM0004", square(3), water="NEE"),
        feature("GM0004", square(7), water="JA"),
    )
    assert boundaries.outlines["region_code"].to_list() == ["GM0001", "GM0002", "GM0003", "GM0004"]
    assert sum(shape.area for shape in shapes(boundaries.outlines).values()) == 4_000_000
    assert shapely.union_all(list(shapes(boundaries.outlines).values())).bounds[2] == 254_000


def test_the_map_of_neighbourhoods_names_its_columns_otherwise() -> None:
    named = {"gemeentecode": "GM0153", "gemeentenaam": "Enschede", "water": "NEE"}
    body = collection({**feature("", square(0)), "properties": named})
    assert read(parts(body), 2025).outlines.row(0)[:2] == ("GM0153", "Enschede")


def test_a_municipality_twice_is_refused() -> None:
    with pytest.raises(OutlineError, match="one outline a region"):
        read_features(feature("GM0001", square(0)), feature("GM0001", square(1)))


@pytest.mark.parametrize("code", [None, "", "Enschede", 153])
def test_a_feature_without_code_is_refused(code: object) -> None:
    with pytest.raises(OutlineError, match="in feature 2"):
        read_features(feature("GM0001", square(0)), feature(code, square(1)))


@pytest.mark.parametrize("name", [None, "", 1])
def test_a_feature_without_name_is_refused(name: object) -> None:
    with pytest.raises(OutlineError, match="name of the region in feature 1"):
        read_features(feature("GM0001", square(0), statnaam=name))


def test_missing_and_unknown_municipalities_are_named() -> None:
    features = [feature("GM0001", square(0)), feature("GM0002", square(1))]
    assert read_features(*features, expected=["GM0002", "GM0001"]).outlines.height == 2
    with pytest.raises(MissingMunicipality) as missing:
        read_features(*features, expected=["GM0001", "GM0002", "GM0003"])
    assert missing.value.value == "GM0003"
    with pytest.raises(UnknownRegion) as unknown:
        read_features(*features, expected=["GM0001"])
    assert unknown.value.value == "GM0002"


def test_corners_that_fall_on_one_point_of_the_grid_are_one() -> None:
    (x, y), *others = square(0)
    assert read_features(feature("GM0001", [(x, y), (x + 0.01, y), (x + 0.02, y), *others])).outlines.equals(
        read_features(feature("GM0001", square(0))).outlines
    )


def test_corners_in_three_dimensions_are_read_in_two() -> None:
    assert read_features(feature("GM0001", [(*corner, 1.5) for corner in square(0)])).outlines.equals(
        read_features(feature("GM0001", square(0))).outlines
    )


@pytest.mark.parametrize(
    "features",
    [[1], [None], [{"properties": None}], [{"properties": []}], [{"type": "Feature"}]],
)
def test_features_that_are_none(features: list[Any]) -> None:
    with pytest.raises(OutlineError, match="in feature 1"):
        read_features(*features)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b'{"features": 3}',
        b'{"features": []}',
        b"<html>onderhoud</html>",
        b"\xff\xfe{",
        b"[" * 100_000,
        b'{"features":' + b"[" * 100_000,
        b'{"features":[' + b"9" * 5000 + b"]}",
        collection(feature("GM0001", square(0)))[:-30],
        collection(feature("GM0001", square(0)), numberMatched=342),
        collection(feature("GM0001", square(0)), totalFeatures=342),
        collection(feature("GM0001", square(0)), links=[{"rel": "next", "href": "http://pdok.test/items?cursor=2"}]),
    ],
)
def test_parts_that_are_cut_off_or_no_boundaries(body: bytes) -> None:
    with pytest.raises(IncompleteAnswer) as caught:
        read(parts(body), 2025)
    assert caught.value.remedy


def test_without_parts_there_are_no_boundaries() -> None:
    with pytest.raises(IncompleteAnswer):
        read((), 2025)


@pytest.mark.parametrize("members", [{"crs": 3}, {"links": {}}, {"links": [1]}, {"numberMatched": "unknown"}])
def test_other_members_may_be_of_any_shape(members: dict[str, Any]) -> None:
    assert read_features(feature("GM0001", square(0)), **members).outlines.height == 1


def test_hostile_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "boundaries.geojson"
    with pytest.raises(MissingFile):
        read_file(file, 2025)
    for body in (b"", b"[" * 100_000, b"\xff\xfe\x00", b"PK\x03\x04", b'{"features": [NaN]}', b'{"features": [1'):
        file.write_bytes(body)
        with pytest.raises(InputError) as caught:
            read_file(file, 2025)
        assert caught.value.file == str(file)
        assert caught.value.remedy
    file.write_bytes(collection(feature("GM0001", square(0))) + b" " * 1000)
    monkeypatch.setattr("sources.csv_file.MAX_BYTES", 500)
    with pytest.raises(InputError, match="at most"):
        read_file(file, 2025)


# --- Repairs


def test_a_border_that_lacks_its_neighbours_corner_gets_it() -> None:
    # The middle of the left one's border lies 0.3 m inside the right one.
    left = [(250_000, 470_000), (251_000, 470_000), (251_000.3, 470_500), (251_000, 471_000), (250_000, 471_000)]
    boundaries = read_features(feature("GM0001", [*left, left[0]]), feature("GM0002", square(1)))
    assert share_borders(boundaries.outlines)
    # The overlap, a triangle of 1,000 by 0.3 m, goes to one of them.
    assert boundaries.repaired["reason"].unique().to_list() == ["Its border was not that of its neighbours"]
    assert boundaries.repaired["area_change_m2"].abs().max() == pytest.approx(150)


def test_a_sliver_between_neighbours_is_closed() -> None:
    left = [(250_000, 470_000), (251_000, 470_000), (250_999.5, 470_500), (251_000, 471_000), (250_000, 471_000)]
    boundaries = read_features(feature("GM0001", [*left, left[0]]), feature("GM0002", square(1)))
    assert share_borders(boundaries.outlines)
    assert sum(shape.area for shape in shapes(boundaries.outlines).values()) == pytest.approx(2_000_000)
    assert not boundaries.repaired.is_empty()


@pytest.mark.parametrize(
    "ring",
    [
        [square(1)[0], square(1)[2], square(1)[1], square(1)[3], square(1)[0]],  # a bow-tie
        square(0.5),  # overlaps half of the other
        square(0),  # the same as the other
        square(0.25, 0.25, 100),  # within the other
        [(251_000, 470_000), (252_000, 470_000), (251_000, 470_000), (251_000, 470_000)],  # no area
    ],
)
def test_a_repair_that_would_change_an_area_is_refused(ring: Ring) -> None:
    with pytest.raises(OutlineError, match=r"for region GM000[12]") as caught:
        read_features(feature("GM0001", square(0)), feature("GM0002", ring))
    assert "would change its area" in str(caught.value)


# --- From the services


YEAR = 2025
# More than a page of 100, in two years, of which the squares of the last lie elsewhere.
AREAS = [
    Area(year, f"GM{number:04}", f"Gemeente {number}", square(number % 12 - (2025 - year) * 20, number // 12))
    for number in range(120)
    for year in (2024, YEAR)
]
EXPECTED = {area.code: shapely.Polygon(area.ring).area for area in AREAS if area.year == YEAR}


@pytest.fixture
def client() -> Iterator[PoliteClient]:
    with PoliteClient(Manners(first_wait=0.01, longest_wait=0.02, attempts=3, read_seconds=0.3)) as made:
        yield made


def fetch(
    client: PoliteClient, pdok: Pdok, *, limit: int = 1000, year: int = YEAR, seconds: float = 10
) -> tuple[Part, ...]:
    service = BoundaryService(pdok.ogc_url, pdok.wfs_url, limit=limit)
    return download(client, service, year, Deadline.after(seconds))


def roles(parts: tuple[Part, ...]) -> list[str]:
    return [part.role for part in parts]


def is_right(parts: tuple[Part, ...]) -> bool:
    """All municipalities of the year, each a square kilometre."""
    outlines = read(parts, YEAR, EXPECTED).outlines
    return {code: shape.area for code, shape in shapes(outlines).items()} == pytest.approx(EXPECTED, rel=0.001)


def test_a_year_in_one_answer_in_metres(client: PoliteClient) -> None:
    with Pdok(AREAS) as pdok:
        found = fetch(client, pdok)
    assert roles(found) == ["ogc/0001"]
    assert is_right(found)
    assert b"250000" in found[0].body
    assert found[0].content_type.startswith("application/geo+json")
    assert found[0].retrieved_at


@pytest.mark.parametrize("counts", [True, False])
def test_pages_are_followed_as_the_service_gives_them(client: PoliteClient, counts: bool) -> None:
    with Pdok(AREAS, counts=counts) as pdok:
        found = fetch(client, pdok, limit=50)
    assert roles(found) == ["ogc/0001", "ogc/0002", "ogc/0003"]
    assert is_right(found)
    links = [json.loads(part.body)["links"][-1]["href"] for part in found[:2]]
    assert [pdok.url + request for request in pdok.requests[1:]] == links


def test_a_service_that_refuses_large_pages_is_asked_for_small_ones(client: PoliteClient) -> None:
    with Pdok(AREAS, max_limit=100) as pdok:
        found = fetch(client, pdok)
    assert roles(found) == ["ogc/0001", "ogc/0002"]
    assert is_right(found)
    assert len(pdok.requests) == 3


@pytest.mark.parametrize("year_type", [int, str])
def test_a_service_that_ignores_the_year_gives_all_years(
    client: PoliteClient, year_type: type[int] | type[str]
) -> None:
    with Pdok(AREAS, ignores=frozenset({"jaarcode"}), year_type=year_type) as pdok:
        found = fetch(client, pdok)
    assert sum(len(json.loads(part.body)["features"]) for part in found) == 240
    assert is_right(found)


def test_a_service_that_answers_in_degrees(client: PoliteClient) -> None:
    with Pdok(AREAS, ignores=frozenset({"crs"})) as pdok:
        found = fetch(client, pdok)
    assert b"250000" not in found[0].body
    assert is_right(found)


@pytest.mark.parametrize("kind", [Kind.UNAVAILABLE, Kind.NOT_ACCEPTABLE, Kind.HTML_PAGE, Kind.TRUNCATED_JSON])
def test_where_the_ogc_api_fails_the_wfs_answers(client: PoliteClient, kind: Kind) -> None:
    with Pdok(AREAS, [Fault(kind, matches="/ogc/")]) as pdok:
        found = fetch(client, pdok)
    assert roles(found) == ["wfs/0001"]
    assert is_right(found)


def test_where_the_ogc_api_is_silent_the_wfs_still_has_time(client: PoliteClient) -> None:
    with Pdok(AREAS, [Fault(Kind.SILENT, matches="/ogc/")]) as pdok:
        assert roles(fetch(client, pdok, seconds=1)) == ["wfs/0001"]


def test_where_the_ogc_api_breaks_off_between_pages_the_wfs_answers(client: PoliteClient) -> None:
    with Pdok(AREAS, [Fault(Kind.UNAVAILABLE, matches="cursor=")]) as pdok:
        found = fetch(client, pdok, limit=50)
    assert roles(found) == ["wfs/0001", "wfs/0002", "wfs/0003"]
    assert is_right(found)


@pytest.mark.parametrize("counts", [True, False])
def test_pages_of_the_wfs(client: PoliteClient, counts: bool) -> None:
    with Pdok(AREAS, [Fault(Kind.UNAVAILABLE, matches="/ogc/")], counts=counts) as pdok:
        found = fetch(client, pdok, limit=60)
    assert roles(found)[:2] == ["wfs/0001", "wfs/0002"]
    assert is_right(found)


def test_a_wfs_that_gives_smaller_pages_than_asked_is_asked_on(client: PoliteClient) -> None:
    with Pdok(AREAS, [Fault(Kind.UNAVAILABLE, matches="/ogc/")], max_limit=50) as pdok:
        assert is_right(fetch(client, pdok))


def test_a_wfs_that_gives_the_same_page_again_is_not_believed(client: PoliteClient) -> None:
    faults = [Fault(Kind.UNAVAILABLE, matches="/ogc/")]
    with Pdok(AREAS, faults, max_limit=50, ignores=frozenset({"startIndex"})) as pdok:
        found = fetch(client, pdok)
    with pytest.raises(OutlineError, match="one outline a region"):
        read(found, YEAR)


def test_a_year_that_one_service_lacks_is_taken_from_the_other(client: PoliteClient) -> None:
    class Late(Pdok):
        def _items(self, query: dict[str, str]) -> Any:
            return super()._items(query | {"jaarcode": "2026"})

    with Late(AREAS) as pdok:
        found = fetch(client, pdok)
    assert roles(found) == ["wfs/0001"]
    assert is_right(found)


def test_a_year_that_nobody_has_is_named(client: PoliteClient) -> None:
    with Pdok(AREAS) as pdok, pytest.raises(SourceUnavailable, match="gemeente_gegeneraliseerd 2031"):
        fetch(client, pdok, year=2031)


@pytest.mark.parametrize(
    "kind",
    [Kind.UNAVAILABLE, Kind.SERVER_ERROR, Kind.RESET, Kind.TRUNCATED_JSON, Kind.SHORT_BODY, Kind.HTML_PAGE,
     Kind.DAMAGED_GZIP, Kind.SILENT],
)  # fmt: skip
def test_a_fault_that_passes_changes_nothing(client: PoliteClient, kind: Kind) -> None:
    with Pdok(AREAS, [Fault(kind, times=1)]) as pdok:
        found = fetch(client, pdok)
    assert roles(found) == ["ogc/0001"]
    assert is_right(found)


@pytest.mark.parametrize(
    "kind",
    [Kind.UNAVAILABLE, Kind.SERVER_ERROR, Kind.RESET, Kind.TRUNCATED_JSON, Kind.SHORT_BODY, Kind.HTML_PAGE,
     Kind.DAMAGED_GZIP, Kind.SILENT, Kind.SLOW_DRIP, Kind.NOT_ACCEPTABLE],
)  # fmt: skip
def test_a_fault_that_stays_is_an_error_that_names_both_services(client: PoliteClient, kind: Kind) -> None:
    begun = time.monotonic()
    with Pdok(AREAS, [Fault(kind)]) as pdok, pytest.raises(SourceUnavailable) as caught:
        fetch(client, pdok, seconds=0.7)
    assert time.monotonic() - begun < 2
    message = str(caught.value)
    assert message.startswith(f"PDOK gemeente_gegeneraliseerd {YEAR}")
    assert "OGC API" in message
    assert "WFS" in message


def test_pages_that_go_round_end(client: PoliteClient) -> None:
    class Round(Pdok):
        def _items(self, query: dict[str, str]) -> Any:
            return super()._items({"f": "json", "limit": "50"})

    with Round(AREAS) as pdok:
        assert roles(fetch(client, pdok)) == ["wfs/0001"]
    assert len(pdok.requests) == 3


def test_an_answer_without_end_is_refused(client: PoliteClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sources.boundaries.MAX_BYTES", 1000)
    with Pdok(AREAS) as pdok, pytest.raises(SourceUnavailable, match="at most"):
        fetch(client, pdok)


# --- The stand-in behaves as the services were seen to


@pytest.mark.parametrize("unknown", ["offset=100", "filter=jaarcode=2025", "startindex=0"])
def test_the_ogc_api_refuses_what_it_does_not_know(unknown: str) -> None:
    with Pdok(AREAS) as pdok:
        assert httpx.get(f"{pdok.url}{ITEMS}?f=json&{unknown}").status_code == 400


def test_both_services_have_their_own_ways() -> None:
    with Pdok(AREAS) as pdok:
        first = httpx.get(f"{pdok.url}{ITEMS}?f=json&limit=1000").json()
        wfs = pdok.wfs_url.format(year=YEAR) + "?service=WFS&request=GetFeature&outputFormat=application/json"
        second = httpx.get(f"{wfs}&typeName=gebiedsindelingen:gemeente_gegeneraliseerd&cql_filter=statcode='X'").json()
    assert len(first["features"]) == 240
    assert 6 < first["features"][0]["geometry"]["coordinates"][0][0][0][0] < 7.5
    assert len(second["features"]) == 120
    assert second["features"][0]["geometry"]["coordinates"][0][0][0][0] == 250_000
