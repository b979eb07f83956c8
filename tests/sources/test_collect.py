"""Every figure of a run comes from one place, and it is always clear from which."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest

from catalog import Catalogue
from catalog.model import TopicName
from sources import collect as module
from sources.collect import Collected, collect
from sources.errors import DamagedSnapshot
from sources.facts import Facts, FileFacts
from sources.figures import RAW
from sources.read_snapshot import Taken
from sources.requests import as_text, requests_of
from sources.snapshots import Kind, Part, Snapshot, SnapshotStore
from tests.sources.small import TABLE, catalogue, figures, indicator, raw, snapshot, source, source_table

KEEP = {"baseline_periods": {2022: "2022"}, "baseline_revisions": "keep"}
ACCEPT = {"baseline_periods": {2022: "2022"}, "baseline_revisions": "accept"}


@dataclass(frozen=True)
class Received:
    """A snapshot and what it holds."""

    figures: str
    kind: Kind = "odata_v3"
    names: dict[str, str] = field(default_factory=dict)
    synthetic: bool = False
    given: dict[str, Any] = field(default_factory=dict)


class Shelf:
    """Snapshots in the order in which they came, a day apart, instead of a data root."""

    def __init__(self, received: tuple[Received, ...]) -> None:
        self.taken: dict[str, Taken] = {}
        self.snapshots: list[Snapshot] = []
        for day, one in enumerate(received, start=1):
            made = snapshot(f"sha{day}", one.kind, f"2026-01-{day:02}T00:00:00Z", **one.given)
            self.snapshots.append(made)
            self.taken[made.sha256] = Taken(raw(one.figures, source_table=made.source_table), one.names, one.synthetic)

    def of(self, source_table: str) -> list[Snapshot]:
        return [one for one in self.snapshots if one.source_table == source_table]

    def read(self, _store: object, one: Snapshot, _catalogue: Catalogue) -> Taken:
        return self.taken[one.sha256]


def facts(text: str) -> Facts:
    """Bundled figures; the bundle knows the name of Enschede."""
    regions = pl.DataFrame({"region_code": ["GM0153"], "name": ["Enschede"]})
    return Facts(
        figures(text), pl.DataFrame(), regions, {"figures.csv": FileFacts("figures.csv", "bundle", 999, 1)}, ""
    )


BUNDLE = """
    region_code period value
    GM0153      2021   90
    GM0164      2021   70
    GM0153      2022   100
    GM0164      2022   80
    """
NOTHING = "region_code value"


@pytest.fixture
def shelve(monkeypatch: pytest.MonkeyPatch) -> Any:
    def run(*received: Received, bundle: str = BUNDLE, made: Catalogue | None = None, **settings: Any) -> Collected:
        shelf = Shelf(received)
        monkeypatch.setattr(module, "read_snapshot", shelf.read)
        used = made or catalogue(indicator("jobs", source(**settings)))
        return collect(used, facts(bundle), shelf)  # type: ignore[arg-type]

    return run


def of(found: Collected, period: str = "2022") -> dict[str, float | None]:
    rows = found.figures.filter(period=period)
    assert rows["region_code"].is_duplicated().any() is False
    return dict(rows.select("region_code", "value").iter_rows())


def passed_over(found: Collected) -> list[tuple[str, float | None, str]]:
    return found.passed_over.select("region_code", "value", "origin").rows()


def origins(found: Collected, period: str = "2022") -> list[tuple[str, str | None]]:
    return sorted(found.origins.filter(period=period).select("origin", "sha256").rows(), key=str)


# The bundle alone.


def test_without_snapshots_the_bundled_figures_stand() -> None:
    found = collect(catalogue(), facts(BUNDLE), None)
    assert of(found) == {"GM0153": 100, "GM0164": 80}
    assert found.figures.columns == [*RAW, "synthetic"]
    assert not found.figures["synthetic"].any()
    assert origins(found) == [("bundled", None)]
    assert found.passed_over.height == 0
    assert found.files.rows() == [("figures.csv", "bundle", 999)]
    assert found.names.rows() == [("GM0153", "Enschede"), ("GM0164", "GM0164")]


def test_an_empty_data_root_changes_nothing(tmp_path: Path) -> None:
    alone, beside = (collect(catalogue(), facts(BUNDLE), store) for store in (None, SnapshotStore(tmp_path)))
    for name in ("figures", "names", "origins", "passed_over", "files"):
        assert getattr(alone, name).equals(getattr(beside, name))


# Live over bundled.


def test_a_live_table_replaces_all_figures_of_its_periods_and_leaves_the_others(shelve: Any) -> None:
    found = shelve(Received("region_code value\nGM0153 101\nGM0175 30"))
    # Hengelo is gone from 2022: what the publisher no longer has is no figure. Of 2021 the table says nothing.
    assert of(found) == {"GM0153": 101, "GM0175": 30}
    assert of(found, "2021") == {"GM0153": 90, "GM0164": 70}
    assert origins(found) == [("live", "sha1")]
    assert origins(found, "2021") == [("bundled", None)]


def test_a_live_figure_that_is_missing_is_missing_for_its_reason(shelve: Any) -> None:
    found = shelve(Received("region_code value reason\nGM0153 - x\nGM0164 80 -"))
    row = found.figures.filter(period="2022", region_code="GM0153")
    assert row.select("value", "status", "reason").rows() == [(None, "not_published", "x")]


def test_another_table_of_the_same_indicator_is_left_alone(shelve: Any) -> None:
    made = catalogue(indicator("jobs", source(), source("CBS T2")))
    found = shelve(Received("region_code value\nGM0153 500", given={"source_table": "CBS T2"}), made=made)
    rows = found.figures.filter(period="2022").select("source_table", "region_code", "value").rows()
    assert rows == [("CBS T1", "GM0153", 100), ("CBS T2", "GM0153", 500), ("CBS T1", "GM0164", 80)]


def test_the_newest_live_table_stands(shelve: Any) -> None:
    found = shelve(*(Received(f"region_code value\nGM0153 {value}\nGM0164 1") for value in (101, 102, 103)))
    assert of(found) == {"GM0153": 103, "GM0164": 1}
    assert origins(found) == [("live", "sha3")]


def test_a_snapshot_of_which_the_catalogue_wants_nothing_changes_nothing(shelve: Any) -> None:
    # Its indicator was taken out of the catalogue, or is asked for otherwise now.
    assert of(shelve(Received(NOTHING))) == {"GM0153": 100, "GM0164": 80}


# Delivered files.


def test_a_delivered_file_replaces_only_the_regions_it_holds(shelve: Any) -> None:
    found = shelve(Received("region_code value\nGM0153 105", "delivered"))
    assert of(found) == {"GM0153": 105, "GM0164": 80}
    assert origins(found) == [("bundled", None), ("delivered", "sha1")]


def test_a_newer_delivered_file_goes_over_a_live_table_and_an_older_file(shelve: Any) -> None:
    live = Received("region_code value\nGM0153 101\nGM0164 81\nGM0175 31")
    first = Received("region_code value\nGM0153 105\nGM0164 85", "delivered")
    second = Received("region_code value\nGM0153 106", "delivered")
    assert of(shelve(live, first, second)) == {"GM0153": 106, "GM0164": 85, "GM0175": 31}


def test_a_live_table_newer_than_a_delivered_file_wins(shelve: Any) -> None:
    file = Received("region_code period value\nGM0153 2022 105\nGM0164 2022 85\nGM0153 2023 115", "delivered")
    found = shelve(file, Received("region_code value\nGM0153 101"))
    assert of(found) == {"GM0153": 101}
    # The live table has no 2023 yet: there the file stands.
    assert of(found, "2023") == {"GM0153": 115}


def test_a_period_that_the_newest_live_table_no_longer_has_is_gone(shelve: Any) -> None:
    found = shelve(
        Received("region_code period value\nGM0153 2022 1\nGM0153 2023 2"), Received("region_code value\nGM0153 1")
    )
    assert of(found, "2023") == {}


def test_a_provisional_figure_that_is_delivered_later_does_not_replace_a_definitive_one(shelve: Any) -> None:
    older = Received("region_code value status\nGM0153 99 provisional", "delivered")
    assert of(shelve(Received("region_code value\nGM0153 101"), older)) == {"GM0153": 101}
    settled = Received("region_code value\nGM0153 99", "delivered")
    assert of(shelve(Received("region_code value status\nGM0153 101 provisional"), settled)) == {"GM0153": 99}


def test_figures_of_an_invented_file_say_so(shelve: Any) -> None:
    found = shelve(Received("region_code value\nGM0153 105", "delivered", synthetic=True))
    assert dict(found.figures.filter(period="2022").select("region_code", "synthetic").iter_rows()) == {
        "GM0153": True,
        "GM0164": False,
    }


# The baseline.

REVISED = Received("region_code value\nGM0153 101\nGM0164 80")
AGAIN = Received("region_code value\nGM0153 102\nGM0164 82")


def test_a_kept_baseline_stays_and_the_revision_is_passed_over(shelve: Any) -> None:
    found = shelve(REVISED, AGAIN, **KEEP)
    assert of(found) == {"GM0153": 100, "GM0164": 80}
    assert origins(found) == [("bundled", None)]
    # The newest revision, not one that was revised itself.
    assert passed_over(found) == [("GM0153", 102, "live"), ("GM0164", 82, "live")]


def test_an_accepted_baseline_follows_and_the_first_figures_are_passed_over(shelve: Any) -> None:
    found = shelve(REVISED, AGAIN, **ACCEPT)
    assert of(found) == {"GM0153": 102, "GM0164": 82}
    assert passed_over(found) == [("GM0153", 100, "bundled"), ("GM0164", 80, "bundled")]


def test_only_the_baseline_is_kept(shelve: Any) -> None:
    found = shelve(Received("region_code period value\nGM0153 2021 91\nGM0164 2021 71\nGM0153 2022 101"), **KEEP)
    assert of(found) == {"GM0153": 100, "GM0164": 80}
    assert of(found, "2021") == {"GM0153": 91, "GM0164": 71}
    assert passed_over(found) == [("GM0153", 101, "live")]


def test_without_bundled_figures_the_first_snapshot_is_kept(shelve: Any) -> None:
    found = shelve(REVISED, AGAIN, Received("region_code value\nGM0153 103\nGM0164 83"), bundle=NOTHING, **KEEP)
    assert of(found) == {"GM0153": 101, "GM0164": 80}
    assert origins(found) == [("live", "sha1")]
    assert passed_over(found) == [("GM0153", 103, "live"), ("GM0164", 83, "live")]


def test_a_kept_baseline_takes_a_value_for_a_region_it_had_none_of(shelve: Any) -> None:
    bundle = "region_code value\nGM0153 100\nGM0164 -"
    found = shelve(Received("region_code value\nGM0153 101\nGM0164 -\nGM0175 30"), AGAIN, bundle=bundle, **KEEP)
    # Hengelo was suppressed in the bundle and in the first snapshot; Ommen was not there at all.
    assert of(found) == {"GM0153": 100, "GM0164": 82, "GM0175": 30}


def test_a_delivered_file_does_not_move_a_kept_baseline_either(shelve: Any) -> None:
    found = shelve(Received("region_code value\nGM0153 105", "delivered"), **KEEP)
    assert of(found) == {"GM0153": 100, "GM0164": 80}
    assert passed_over(found) == [("GM0153", 105, "delivered")]


def test_the_first_snapshot_that_has_the_baseline_is_kept_also_where_it_was_asked_for_later(shelve: Any) -> None:
    # The indicator was added to the catalogue when the table had been fetched before, and was revised since.
    narrow, wide = {"request": "narrow"}, {"request": "wide"}
    found = shelve(
        Received(NOTHING, given=narrow),
        Received("region_code value\nGM0153 100\nGM0164 80", given=wide),
        Received("region_code value\nGM0153 101\nGM0164 81", given=wide),
        Received("region_code value\nGM0153 102\nGM0164 82", given=wide),
        bundle=NOTHING,
        **KEEP,
    )
    assert of(found) == {"GM0153": 100, "GM0164": 80}
    assert passed_over(found) == [("GM0153", 102, "live"), ("GM0164", 82, "live")]


def test_figures_of_a_kept_baseline_that_the_publisher_dropped_stay(shelve: Any) -> None:
    assert of(shelve(Received("region_code value\nGM0153 101"), **KEEP)) == {"GM0153": 100, "GM0164": 80}
    assert of(shelve(Received("region_code value\nGM0153 101"), **ACCEPT)) == {"GM0153": 101}


def test_equal_figures_of_a_kept_baseline_stay_the_bundled_ones(shelve: Any) -> None:
    found = shelve(Received("region_code value\nGM0153 100\nGM0164 80"), **KEEP)
    assert origins(found) == [("bundled", None)]


# What is not read.


def test_only_snapshots_that_can_matter_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf(
        (
            Received("region_code value\nGM0153 1"),
            Received("region_code value\nGM0153 2"),
            Received("region_code value\nGM0153 3"),
            Received("region_code value\nGM0153 4", "boundaries"),
            Received("region_code value\nGM0153 5", given={"source_table": "CBS AREAS"}),
        )
    )
    read = []

    def note(store: object, one: Snapshot, made: Catalogue) -> Taken:
        read.append(one.sha256)
        return shelf.read(store, one, made)

    monkeypatch.setattr(module, "read_snapshot", note)
    made = catalogue(tables=[source_table(), source_table("CBS AREAS", areas_of=2026)])
    found = collect(made, facts(NOTHING), shelf)  # type: ignore[arg-type]
    assert read == ["sha1", "sha3"]
    assert of(found) == {"GM0153": 3}


# Names and files.


def test_every_region_with_a_figure_has_a_name(shelve: Any) -> None:
    live = Received(
        "region_code value\nGM0153 1\nGM0175 2\nGM0177 3", names={"GM0153": "Enschede (O.)", "GM0175": "Ommen"}
    )
    later = Received("region_code value\nGM0175 2", "delivered", names={"GM0175": "Gemeente Ommen"})
    found = shelve(live, later)
    # As the bundle has it, else as the newest table does, else the code.
    assert dict(found.names.iter_rows()) == {
        "GM0153": "Enschede",
        "GM0164": "GM0164",
        "GM0175": "Gemeente Ommen",
        "GM0177": "GM0177",
    }


def test_the_files_of_a_run_are_the_bundle_and_every_snapshot_a_figure_comes_from(shelve: Any) -> None:
    found = shelve(
        Received("region_code value\nGM0153 101"),
        Received("region_code value\nGM0153 102"),
        Received("region_code value\nGM0153 103", "delivered"),
    )
    # Enschede is all there is in 2022, and comes from the file.
    assert found.files.rows() == [("CBS T1 sha3", "sha3", 100), ("figures.csv", "bundle", 999)]


def test_origins_say_when_and_where_figures_came_from(shelve: Any) -> None:
    given = {"modified_at": "2025-12-11T02:00:00", "url": "https://example.org/T1"}
    found = shelve(Received("region_code value\nGM0153 101", given=given))
    row = found.origins.filter(period="2022").row(0, named=True)
    assert (row["retrieved_at"], row["bytes"]) == ("2026-01-01T00:00:00Z", 100)
    assert {name: row[name] for name in given} == given


# The whole way, from stored answers.

ONLY_JOBS = [("Banen_1", "Banen", "aantal")]


def answers(topics: list[tuple[str, str, str]], rows: dict[tuple[str, str], list[str]]) -> list[Part]:
    """What OData v3 answers: topics by key, title and unit, and of each region and period their values."""
    bodies = {
        "table-infos": [{"Modified": "2025-12-11T02:00:00", "Title": "Banen; regio"}],
        "data-properties": [
            {"Type": "GeoDimension", "Key": "RegioS", "Title": "Regio's"},
            {"Type": "TimeDimension", "Key": "Perioden", "Title": "Perioden"},
            *(
                {"Type": "Topic", "Key": key, "Title": title, "Unit": unit, "Datatype": "Long", "ParentID": None}
                for key, title, unit in topics
            ),
        ],
        "codes/RegioS": [{"Key": "GM0153", "Title": "Enschede"}, {"Key": "GM0164", "Title": "Hengelo (O.)"}],
        "codes/Perioden": [{"Key": "2022JJ00", "Title": "2022", "Status": "Definitief"}],
        "rows/0001": [
            {"RegioS": region, "Perioden": period}
            | {key: f"{value:>8}" for (key, _, _), value in zip(topics, each, strict=True)}
            for (region, period), each in rows.items()
        ],
    }
    return [
        Part(f"0/{role}", f"https://example.org/{role}", orjson.dumps({"value": body}), "application/json", "")
        for role, body in bodies.items()
    ]


def keep(store: SnapshotStore, made: Catalogue, parts: list[Part]) -> None:
    store.add(
        TABLE,
        "odata_v3",
        parts,
        title="Banen; regio",
        url="https://example.org",
        licence="CC BY 4.0",
        modified_at=None,
        fingerprint="",
        request=as_text(requests_of(made, TABLE)),
    )


def test_stored_answers_become_the_figures_of_a_run(tmp_path: Path) -> None:
    store, made = SnapshotStore(tmp_path), catalogue()
    keep(store, made, answers(ONLY_JOBS, {("GM0153", "2022JJ00"): ["101"], ("GM0164", "2022JJ00"): ["."]}))
    found = collect(made, facts(BUNDLE), store)
    rows = found.figures.filter(period="2022").select("region_code", "value", "status", "reason").rows()
    assert rows == [("GM0153", 101, "definitive", None), ("GM0164", None, "suppressed", ".")]
    assert dict(found.names.iter_rows()) == {"GM0153": "Enschede", "GM0164": "Hengelo (O.)"}


def test_an_indicator_added_since_waits_for_the_next_fetch_and_stops_nothing(tmp_path: Path) -> None:
    store, firms = SnapshotStore(tmp_path), indicator("firms", source(topics=[TopicName(title="Bedrijven")]))
    keep(store, catalogue(), answers(ONLY_JOBS, {("GM0153", "2022JJ00"): ["101"], ("GM0164", "2022JJ00"): ["81"]}))
    found = collect(catalogue(indicator(), firms), facts(BUNDLE), store)
    assert set(found.figures["indicator_id"]) == {"jobs"}
    assert of(found) == {"GM0153": 101, "GM0164": 81}
    # Also where the old indicator is wanted no longer, so that nothing of the snapshot is.
    assert of(collect(catalogue(firms), facts(BUNDLE), store)) == {"GM0153": 100, "GM0164": 80}


def test_damaged_bytes_stop_the_run_instead_of_giving_older_figures(tmp_path: Path) -> None:
    store, made = SnapshotStore(tmp_path), catalogue()
    keep(store, made, answers(ONLY_JOBS, {("GM0153", "2022JJ00"): ["101"], ("GM0164", "2022JJ00"): ["81"]}))
    next(store.root.glob("objects/*/*.gz")).write_bytes(b"")
    with pytest.raises(DamagedSnapshot):
        collect(made, facts(BUNDLE), store)
