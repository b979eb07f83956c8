"""The stand-ins answer as the real services did when their answers were recorded, and fail as services do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest

from tests.standins.faults import Fault, Kind
from tests.standins.odata_query import encode
from tests.standins.odata_v3 import ODataV3
from tests.standins.odata_v4 import ODataV4
from tests.standins.tables import StandInTable, StandInTopic, TablesStandIn

REGIONS = {"NL01": "Nederland", "GM0141": "Almelo", "GM0153": "Enschede"}
PERIODS = {"2021JJ00": "2021", "2022JJ00": "2022"}
MEN = ("Geslacht", "Mannen")


def small_table(table_id: str = "03759ned") -> StandInTable:
    """Twelve observations: Enschede 2022 has no average, Almelo 2021 an unknown one."""
    total = {"BurgerlijkeStaat": "T001019", "Geslacht": "T001038", "Leeftijd": "10000"}
    rows = [
        {**total, "RegioS": region, "Perioden": period, "Bevolking_1": 1000 + number, "Gemiddeld_2": 7.5}
        for number, (region, period) in enumerate(product(REGIONS, PERIODS))
    ]
    rows[2]["Gemiddeld_2"] = "."
    rows[5]["Gemiddeld_2"] = None
    return StandInTable(
        table_id,
        "Bevolking op 1 januari",
        {
            "BurgerlijkeStaat": {"T001019": "Totaal burgerlijke staat"},
            "Geslacht": {"T001038": "Totaal mannen en vrouwen"},
            "Leeftijd": {"10000": "Totaal", "22000": "95 jaar of ouder"},
            "RegioS": REGIONS,
            "Perioden": PERIODS,
        },
        [
            StandInTopic("Bevolking_1", (), "Bevolking op 1 januari", "aantal", "Long"),
            StandInTopic("Gemiddeld_2", MEN, "Gemiddelde bevolking", "aantal", "Double", 1),
        ],
        rows,
        {"2021JJ00": "Definitief", "2022JJ00": "Voorlopig"},
    )


def get(url: str, **params: str) -> Any:
    answer = httpx.get(f"{url}?{encode(params)}" if params else url, timeout=5)
    assert answer.status_code == 200, (answer.status_code, answer.text)
    return answer.json()


def rows(service: TablesStandIn, **params: str) -> list[dict[str, Any]]:
    """All rows, page after page."""
    url = f"{service.url}/odata/v1/CBS/03759ned/Observations"
    if isinstance(service, ODataV3):
        url, params = f"{service.url}/ODataFeed/odata/03759ned/UntypedDataSet", {"$format": "json", **params}
    page = get(url, **params)
    found = list(page["value"])
    while link := page.get("@odata.nextLink") or page.get("odata.nextLink"):
        page = get(link)
        found += page["value"]
    return found


def kinds(value: Any) -> Any:
    """The shape of JSON: keys and kinds of values, where a number is a number."""
    if isinstance(value, Mapping):
        return {key: kinds(inner) for key, inner in value.items()}
    return "number" if type(value) in (int, float) else type(value).__name__


def fits(ours: Mapping[str, Any], recorded: Mapping[str, Any]) -> bool:
    """The same keys, with values of the same kind wherever both have one."""
    mine, theirs = kinds(ours), kinds(recorded)
    return mine.keys() == theirs.keys() and all(
        mine[key] == theirs[key] for key in mine if "NoneType" not in (mine[key], theirs[key])
    )


def recorded(folder: Path, name: str) -> Any:
    return json.loads((folder / name).read_bytes())


@pytest.mark.shared
def test_v4_has_the_shapes_that_were_recorded(shared_data: Path) -> None:
    folder = shared_data / "odata-v4" / "03759ned"
    files = {
        "Properties": "properties.json",
        "Dimensions": "dimensions.json",
        "MeasureCodes": "measure-codes.json",
        "LeeftijdCodes": "codes-Leeftijd.json",
        "RegioSCodes": "codes-RegioS.json",
        "PeriodenCodes": "codes-Perioden.json",
        "Observations": "observations-page-1.json",
    }
    with ODataV4(small_table()) as service:
        for name, file in files.items():
            ours, real = get(f"{service.base}/03759ned/{name}"), recorded(folder, file)
            assert list(ours) == list(real), name
            assert ours["@odata.context"].endswith(real["@odata.context"].rpartition("/odata/v1/")[2]), name
            # The last row of the dimensions is that of the periods, which has the most keys.
            mine, theirs = (ours["value"][-1], real["value"][-1]) if "value" in real else (ours, real)
            assert fits(mine, theirs), name
            assert list(mine) == list(theirs), name


@pytest.mark.shared
def test_v3_has_the_shapes_that_were_recorded(shared_data: Path) -> None:
    folder = shared_data / "odata-v3" / "recorded"
    with ODataV3(small_table("80137ned"), page_size=4) as service:
        base = f"{service.url}/ODataFeed/odata/80137ned"
        files = {
            "": "meta_1.json",
            "/TableInfos": "meta_2.json",
            "/CategoryGroups": "meta_3.json",
            "/Leeftijd": "meta_4.json",
            "/Perioden": "meta_6.json",
            "/DataProperties": "meta_7.json",
        }
        for path, file in files.items():
            ours, real = get(base + path, **{"$format": "json"}), recorded(folder, file)
            assert ours.keys() == real.keys(), path
            assert ours["odata.metadata"].endswith(
                real["odata.metadata"].rpartition("ned/")[2].replace("Persoonskenmerken", "Leeftijd")
            ), path
            if path == "/DataProperties":
                by_kind = {row["odata.type"]: row for row in real["value"]}
                shared = [row for row in ours["value"] if row["odata.type"] in by_kind]
                assert {row["Type"] for row in shared} == {"Dimension", "TimeDimension", "TopicGroup", "Topic"}
                assert all(fits(row, by_kind[row["odata.type"]]) for row in shared)
            elif real["value"]:
                assert fits(ours["value"][0], real["value"][0]), path
        page = get(f"{base}/UntypedDataSet", **{"$format": "json"})
        real = recorded(folder, "tables_2.json")
        assert page.keys() == real.keys()
        assert page["odata.nextLink"].removeprefix(service.url) == real["odata.nextLink"].removeprefix(
            "https://opendata.cbs.nl"
        ).replace("83599NED", "80137ned").replace("10000", "4")
        catalogue = get(f"{service.url}/ODataCatalog/Tables", **{"$format": "json"})
        assert fits(catalogue["value"][0], recorded(folder, "tables_1.json")["value"][0])


def test_v4_gives_one_row_a_figure_and_says_why_there_is_none() -> None:
    with ODataV4(small_table()) as service:
        found = {(row["Measure"], row["RegioS"], row["Perioden"]): row for row in rows(service)}
    assert len(found) == 12
    assert found["Bevolking_1", "GM0153", "2022JJ00"]["Value"] == 1005
    missing = found["Gemiddeld_2", "GM0153", "2022JJ00"]
    assert (missing["Value"], missing["ValueAttribute"]) == (None, "Impossible")


def test_v3_gives_padded_text() -> None:
    with ODataV3(small_table()) as service:
        found = rows(service)
        typed = get(f"{service.url}/ODataApi/odata/03759ned/TypedDataSet", **{"$format": "json"})["value"]
    assert [row["RegioS"] for row in found[:3]] == ["NL01  ", "NL01  ", "GM0141"]
    assert [row["Bevolking_1"] for row in found[:2]] == ["    1000", "    1001"]
    assert [row["Gemiddeld_2"] for row in found] == ["     7.5", "     7.5", "       .", "     7.5", "     7.5", ""]
    assert [row["Gemiddeld_2"] for row in typed] == [7.5, 7.5, None, 7.5, 7.5, None]


@pytest.mark.parametrize(
    ("condition", "count"),
    [
        ("RegioS eq 'GM0153'", 4),
        ("Measure eq 'Bevolking_1' and Perioden ge '2022JJ00'", 3),
        ("(startswith(RegioS,'GM') or RegioS eq 'NL01') and Perioden lt '2022JJ00'", 6),
        ("contains(Perioden,'JJ') and RegioS ne 'NL01'", 8),
        ("RegioS eq 'NL01' or RegioS eq 'GM0141' and Perioden eq '2021JJ00'", 6),
        ("RegioS eq 'gm0153'", 0),
    ],
)
def test_v4_filters(condition: str, count: int) -> None:
    with ODataV4(small_table(), page_size=5) as service:
        counted = httpx.get(f"{service.base}/03759ned/Observations/$count?" + encode({"$filter": condition}))
        assert counted.headers["content-type"].startswith("text/plain")
        assert int(counted.text) == count
        assert len(rows(service, **{"$filter": condition})) == count


@pytest.mark.parametrize(
    ("condition", "count"),
    [
        ("RegioS eq 'NL01  '", 2),
        ("RegioS eq 'NL01'", 0),
        ("substringof('GM',RegioS) and substring(Perioden,0,4) eq '2022'", 2),
        ("startswith(RegioS,'NL') or Perioden ge '2022JJ00'", 4),
        ("Bevolking_1 eq '1'", 6),
    ],
    ids=["padded", "not padded: nothing, and no error", "functions", "range", "a topic: not applied"],
)
def test_v3_filters(condition: str, count: int) -> None:
    with ODataV3(small_table(), page_size=2) as service:
        assert len(rows(service, **{"$filter": condition})) == count
        data = f"{service.url}/ODataFeed/odata/03759ned/UntypedDataSet"
        counted = httpx.get(f"{data}/$count?" + encode({"$filter": condition}))
        assert int(counted.text) == count


@pytest.mark.parametrize(
    "condition",
    [
        "RegioS+eq+'GM0153'",
        "RegioS is 'x'",
        "Naam eq 'x'",
        "substringof('GM',RegioS)",
        "RegioS eq 5",
        "RegioS eq 'x",
        "(RegioS eq 'x'",
    ],
)
def test_v4_refuses_what_it_does_not_know(condition: str) -> None:
    with ODataV4(small_table()) as service:
        answer = httpx.get(f"{service.base}/03759ned/Observations?$filter={condition}")
    assert answer.status_code == 400


def test_what_the_services_are_particular_about() -> None:
    many = pl.DataFrame({"Perioden": [f"{year}JJ00" for year in range(10_001)]}).with_columns(
        topic=pl.lit("Aantal_1"), value=1.0
    )
    long = StandInTable("1NED", "Lang", {"Perioden": PERIODS}, [StandInTopic("Aantal_1", (), "Aantal", "aantal")], many)
    with ODataV3(small_table(), long) as v3, ODataV4(small_table()) as v4:
        assert httpx.get(f"{v4.base}/03759NED").status_code == 404
        assert httpx.get(f"{v3.url}/ODataApi/OData/03759NED?$format=json").status_code == 404
        assert httpx.get(f"{v3.url}/ODataApi/OData/03759ned").status_code == 406
        assert b"<feed" in httpx.get(f"{v3.url}/ODataFeed/OData/03759ned").content
        wrong_case = {"$format": "json", "$filter": "Identifier eq '03759NED'"}
        assert get(f"{v3.url}/ODataCatalog/Tables", **wrong_case)["value"] == []
        too_many = httpx.get(f"{v3.url}/ODataApi/OData/1NED/TypedDataSet?$format=json")
        assert (too_many.status_code, "10000" in too_many.text) == (500, True)
        assert len(get(f"{v3.url}/ODataFeed/OData/1NED/TypedDataSet", **{"$format": "json"})["value"]) == 10_000
        assert get(f"{v4.base}/Datasets", **{"$search": "nonsense"})["value"] != []


@pytest.mark.parametrize("platform", [ODataV3, ODataV4])
def test_faults_of_paging_strike_the_download(platform: type[ODataV3 | ODataV4]) -> None:
    size = 2 if platform is ODataV3 else 4
    with platform(small_table(), page_size=size, faults=[Fault(Kind.DUPLICATE_PAGE, times=1)]) as service:
        whole = 3 * size
        assert len(rows(service)) == whole + size
        assert len(rows(service)) == whole
        service.faults = [Fault(Kind.PAGE_MISSING)]
        assert len(rows(service)) == whole - size


@pytest.mark.parametrize("platform", [ODataV3, ODataV4])
def test_faults_of_the_data_come_with_a_new_release(platform: type[ODataV3 | ODataV4]) -> None:
    def released(service: TablesStandIn) -> tuple[str, str, str]:
        if isinstance(service, ODataV4):
            base = f"{service.base}/03759ned"
            topic = get(f"{base}/MeasureCodes")["value"][0]
            periods = get(f"{base}/PeriodenCodes")["value"]
            return get(f"{base}/Properties")["Modified"][:10], topic["Title"], periods[-1]["Status"]
        base, form = f"{service.url}/ODataFeed/odata/03759ned", {"$format": "json"}
        topic = next(row for row in get(f"{base}/DataProperties", **form)["value"] if row["Type"] == "Topic")
        periods = get(f"{base}/Perioden", **form)["value"]
        return get(f"{base}/TableInfos", **form)["value"][0]["Modified"][:10], topic["Title"], periods[-1]["Status"]

    def last(service: TablesStandIn) -> float:
        row = [row for row in rows(service) if row.get("Measure") != "Gemiddeld_2"][-1]
        return float(row["Value"] if "Value" in row else next(row[key] for key in row if key.startswith("Bevolking")))

    with platform(small_table()) as service:
        assert (released(service), last(service)) == (("2026-06-23", "Bevolking op 1 januari", "Voorlopig"), 1005)
        service.faults = [Fault(Kind.PROVISIONAL_FLIP)]
        assert (released(service), last(service)) == (("2026-06-24", "Bevolking op 1 januari", "Definitief"), 1006)
        service.faults = [Fault(Kind.TIMES_THOUSAND)]
        assert last(service) == 1_005_000
        service.faults = [Fault(Kind.COLUMN_RENAMED)]
        assert released(service)[1] == "Bevolking op 1 januari (nieuwe definitie)"
        assert "Bevolking_2" in str(rows(service)[0])
        service.faults = [Fault(Kind.MUNICIPALITY_MISSING)]
        assert "GM0153" not in str(rows(service))
        service.faults = [Fault(Kind.TABLE_WITHDRAWN)]
        with pytest.raises(AssertionError, match="404"):
            rows(service)
