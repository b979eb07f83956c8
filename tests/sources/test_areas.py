"""That the publishers' areas are the region is verified, never assumed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest

from catalog import load_catalogue
from sources.areas import areas, check_membership
from sources.errors import InputError, SourceChanged
from sources.read_snapshot import membership_faults, provinces
from sources.requests import as_text, requests_of
from sources.snapshots import Part, SnapshotStore
from sources.tidy import CELL, TidyTable, Topic
from tests.sources.small import REGION, catalogue, source_table

# As in the tables "Gebieden in Nederland": every group of areas has the columns Code and Naam.
GROUPS = {"CR": "COROP-gebieden", "AM": "Arbeidsmarktregio's", "GG": "GGD-regio's", "PV": "Provincies"}
TOPICS = (
    *(Topic(f"Code_{number}", (group,), "Code", "") for number, group in enumerate(GROUPS.values())),
    Topic("Naam_9", ("Provincies",), "Naam", ""),
    Topic("Code_10", ("Codes en namen van gemeenten",), "Code", ""),
)
# Of each municipality its areas. Those of Enschede and Hengelo are the region, by three codes.
MEMBERS = {
    "GM0153": ["CR12", "AM05", "GG1106", "PV23"],
    "GM0164": ["CR12", "AM05", "GG1106", "PV23"],
    "GM0175": ["CR10", "AM03", "GG0111", "PV23"],
}
TWENTE = REGION.model_copy(update={"published_as": ["CR12", "AM05", "GG1106"]})
NAME = "CBS 86247NED"


def table(members: dict[str, list[str]], **changes: Any) -> TidyTable:
    rows = [
        {"topic": f"Code_{number}", "region_code": code, "text": area.ljust(10) if area else None}
        for code, each in members.items()
        for number, area in enumerate(each)
    ]
    cells = pl.DataFrame([dict.fromkeys(CELL) | row for row in rows], schema=CELL)
    return TidyTable(NAME, changes.get("topics", TOPICS), {}, cells)


def faults(members: dict[str, list[str]]) -> list[str]:
    return check_membership(areas(table(members)), TWENTE, f"{NAME} (2026)")


def test_every_municipality_has_its_areas() -> None:
    found = areas(table(MEMBERS))
    assert found.columns == ["municipality_code", "area_code"]
    assert found.filter(municipality_code="GM0153")["area_code"].to_list() == ["AM05", "CR12", "GG1106", "PV23"]
    assert found.height == 12


def test_areas_that_hold_exactly_the_municipalities_are_the_region() -> None:
    assert faults(MEMBERS) == []


def test_one_municipality_more_is_said_of_the_area_that_has_it() -> None:
    (fault,) = faults(MEMBERS | {"GM0175": ["CR12", "AM03", "GG0111", "PV23"]})
    assert fault == (
        "CBS 86247NED (2026): area CR12 holds also GM0175; so it is not the region of the region file: "
        "change municipalities or published_as there."
    )


def test_one_municipality_less_is_said_of_the_area_that_lacks_it() -> None:
    (fault,) = faults(MEMBERS | {"GM0164": ["CR12", "AM05", "GG0111", "PV23"]})
    assert "area GG1106 holds not GM0164;" in fault


def test_another_municipality_instead_is_both() -> None:
    (fault,) = faults(
        MEMBERS | {"GM0164": ["CR10", "AM05", "GG1106", "PV23"], "GM0175": ["CR12", "AM03", "GG0111", "PV23"]}
    )
    assert "area CR12 holds also GM0175; not GM0164;" in fault


def test_an_area_that_is_not_there_is_said() -> None:
    without = {code: ["CR12", "AM36", *rest] for code, (_, _, *rest) in MEMBERS.items()}
    sentences = faults(without | {"GM0175": MEMBERS["GM0175"]})
    assert sentences == ["CBS 86247NED (2026) has no area AM05, which the region file names under published_as."]


def test_a_municipality_without_area_is_refused() -> None:
    with pytest.raises(SourceChanged) as caught:
        areas(table(MEMBERS | {"GM0164": ["CR12", "AM05", "", "PV23"]}))
    error = caught.value
    assert (error.file, error.value) == (NAME, "GM0164 None")
    assert "begins with GG" in error.expected
    assert "GGD-regio's" in str(error.column)


def test_columns_that_changed_places_are_refused() -> None:
    swapped = {code: [market, corop, *rest] for code, (corop, market, *rest) in MEMBERS.items()}
    with pytest.raises(SourceChanged) as caught:
        areas(table(swapped))
    assert (caught.value.value, caught.value.more) == ("GM0153 AM05", 2)
    assert "change places" in str(caught.value.remedy)


def test_a_group_of_areas_that_is_not_there_is_refused() -> None:
    with pytest.raises(SourceChanged, match="Arbeidsmarktregio's/Code"):
        areas(table(MEMBERS, topics=tuple(topic for topic in TOPICS if topic.key != "Code_1")))


# Through a snapshot, as a run checks it.


def answers(members: dict[str, list[str]]) -> list[Part]:
    """What OData v3 answers of such a table, with the padding it gives codes."""
    properties: list[dict[str, Any]] = [{"Type": "GeoDimension", "Key": "RegioS", "Title": "Regio's"}]
    for number, group in enumerate(GROUPS.values()):
        properties.append({"Type": "TopicGroup", "ID": number, "ParentID": None, "Key": "", "Title": group})
        properties.append(
            {"Type": "Topic", "ID": 100 + number, "ParentID": number, "Key": f"Code_{number}", "Title": "Code"}
            | {"Datatype": "String", "Unit": ""}
        )
    rows = [
        {"RegioS": code} | {f"Code_{n}": area.ljust(10) for n, area in enumerate(each)}
        for code, each in members.items()
    ]
    bodies = {
        "table-infos": [{"Modified": "2026-01-15T02:00:00", "Title": "Gebieden in Nederland 2026"}],
        "data-properties": properties,
        "codes/RegioS": [{"Key": code, "Title": code} for code in members],
        "rows/0001": rows,
    }
    return [
        Part(f"0/{role}", f"https://example.org/{role}", orjson.dumps({"value": body}), "application/json", "")
        for role, body in bodies.items()
    ]


# The tables of areas of two years, the newer one named first.
OLDER = "CBS 86059NED"
MADE = catalogue(
    tables=[
        source_table(),
        source_table(NAME, areas_of=2026, regions=["GM"]),
        source_table(OLDER, areas_of=2025, regions=["GM"]),
    ],
    region=TWENTE,
)


def fetched(folder: Path, *snapshots: dict[str, list[str]], name: str = NAME) -> SnapshotStore:
    """A store to which snapshots of a table of areas were added, the newest last."""
    store = SnapshotStore(folder)
    for members in snapshots:
        store.add(
            name,
            "odata_v3",
            answers(members),
            title="Gebieden in Nederland",
            url="https://example.org",
            licence="CC BY 4.0",
            modified_at=None,
            fingerprint="",
            request=as_text(requests_of(MADE, name)),
        )
    return store


def membership(folder: Path, *snapshots: dict[str, list[str]]) -> list[str]:
    return membership_faults(fetched(folder, *snapshots), MADE)


def test_a_run_checks_the_newest_table_of_every_year_at_hand(tmp_path: Path) -> None:
    wider = MEMBERS | {"GM0175": ["CR12", "AM03", "GG0111", "PV23"]}
    assert membership(tmp_path / "none") == []
    assert membership(tmp_path / "right", wider, MEMBERS) == []
    (fault,) = membership(tmp_path / "wrong", MEMBERS, wider)
    assert fault.startswith("CBS 86247NED (2026): area CR12 holds also GM0175;")


def test_an_incomplete_snapshot_of_areas_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        membership(tmp_path, {})


# Provinces, for what asks which municipalities are near each other.

MOVED = MEMBERS | {"GM0175": ["CR10", "AM03", "GG0111", "PV24"]}


def test_every_municipality_has_the_province_of_the_newest_table(tmp_path: Path) -> None:
    store = fetched(tmp_path, MEMBERS, MOVED)
    found = provinces(store, MADE)
    assert found.schema == {"municipality_code": pl.String, "province_code": pl.String}
    assert found.rows() == [("GM0153", "PV23"), ("GM0164", "PV23"), ("GM0175", "PV24")]


def test_the_provinces_are_those_of_the_newest_year_whichever_was_fetched_last(tmp_path: Path) -> None:
    fetched(tmp_path, MOVED)
    store = fetched(tmp_path, MEMBERS, name=OLDER)
    assert dict(provinces(store, MADE).iter_rows())["GM0175"] == "PV24"


def test_without_a_table_of_the_newest_year_the_year_before_serves(tmp_path: Path) -> None:
    store = fetched(tmp_path, MEMBERS, name=OLDER)
    assert dict(provinces(store, MADE).iter_rows()) == {"GM0153": "PV23", "GM0164": "PV23", "GM0175": "PV23"}


def test_where_no_table_of_areas_was_fetched_no_province_is_known(tmp_path: Path) -> None:
    found = provinces(SnapshotStore(tmp_path), MADE)
    assert found.is_empty()
    assert found.schema == {"municipality_code": pl.String, "province_code": pl.String}


def test_provinces_of_an_incomplete_snapshot_are_refused(tmp_path: Path) -> None:
    store = fetched(tmp_path, {})
    with pytest.raises(InputError):
        provinces(store, MADE)


def test_every_area_the_project_is_published_as_is_of_a_group_that_is_read() -> None:
    assert {code[:2] for code in load_catalogue().region.published_as} <= set(GROUPS)
