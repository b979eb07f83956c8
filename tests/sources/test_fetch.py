"""Refreshing snapshots: whatever publishers and their services do, the right figures or a clear failure, in time.

The services are stand-ins (tests/standins), the tables three: of a survey on v4, with margins and without periods; of
labour on v4, by year; of income on v3, of which the last year is provisional. Figures that are not the bundled ones are
invented by a rule (tests/standins/publishers), which the golden numbers here were worked out from by hand.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from catalog import Catalogue
from catalog.current import with_services
from sources import statline
from sources.collect import collect
from sources.facts import FIGURE, Facts
from sources.fetch import Outcome, Refresh, boundary_table, fetch, fetchable
from sources.http import Deadline, Manners, PoliteClient
from sources.requests import requests_of
from sources.snapshots import SnapshotStore
from sources.watch import look_around
from tests.standins.faults import Fault, Kind
from tests.standins.publishers import MARGIN, Publishers, few, only, publishers
from tests.standins.tables import StandInTable

SURVEY, LABOUR, INCOME = "CBS 86137NED", "CBS 86008NED", "CBS 86161NED (indeling 2025)"
TABLES = [SURVEY, LABOUR, INCOME]
WANTED = [
    ("perceived_health_good", SURVEY),
    ("net_labour_participation", LABOUR),
    ("income_standardised_mean", INCOME),
]
BOUNDARIES = boundary_table(2025)
PLATFORM = {SURVEY: "v4", LABOUR: "v4", INCOME: "v3"}
ROWS = {SURVEY: "86137NED/Observations?", LABOUR: "86008NED/Observations?", INCOME: "86161NED/UntypedDataSet?"}
IDS = {name: rows.partition("/")[0] for name, rows in ROWS.items()}
# Three pages or more a table.
PAGE = 25
OTHER_MUNICIPALITIES = ["GM0014", "GM0363", "GM1992"]

QUICK = Manners(first_wait=0.01, longest_wait=0.05, attempts=3)
SECONDS = 20.0

# Faults of a service that may pass, with what a failure must say of them.
PASSING = {
    Kind.TOO_MANY_REQUESTS: "HTTP 429",
    Kind.TOO_MANY_REQUESTS_UNTIL: "HTTP 429",
    Kind.UNAVAILABLE: "HTTP 503",
    Kind.SERVER_ERROR: "HTTP 500",
    Kind.RESET: "ReadError",
    Kind.SILENT: "ReadTimeout",
    Kind.TRUNCATED_JSON: "expected an answer in JSON, whole",
    Kind.SHORT_BODY: "RemoteProtocolError",
    Kind.HTML_PAGE: "a page of HTML instead of data",
    Kind.DAMAGED_GZIP: "cannot be decompressed",
}
STAYING = PASSING | {Kind.NOT_ACCEPTABLE: "HTTP 406", Kind.SLOW_DRIP: "no time left"}
PAGES = [Kind.DUPLICATE_PAGE, Kind.PAGE_MISSING]
# What a publisher does, what about, and what the failure must say of it.
CHANGES = [
    (Kind.COLUMN_RENAMED, "", "(nieuwe definitie)"),
    (Kind.TIMES_THOUSAND, "x 1 000 000", "x 1 000 000"),
    (Kind.MUNICIPALITY_MISSING, "GM0153", "Enschede (GM0153)"),
    (Kind.TABLE_WITHDRAWN, "", "404"),
]

# One for many tests, as in use: making one takes longer than most requests here.
client = cache(PoliteClient)


@dataclass(frozen=True)
class World:
    """The publishers, the catalogue that points at them, and what was known before the first fetch."""

    publishers: Publishers
    catalogue: Catalogue
    facts: Facts

    def fetch(
        self,
        store: SnapshotStore,
        *tables: str,
        catalogue: Catalogue | None = None,
        force: bool = False,
        seconds: float = SECONDS,
        manners: Manners = QUICK,
        follow: Callable[[Outcome], None] = lambda _: None,
    ) -> list[Outcome]:
        """Refresh these tables in `store`."""
        asked = Refresh(catalogue or self.catalogue, store, client(manners), self.facts.figures, force, seconds)
        return fetch(asked, tables, follow)

    def one(self, store: SnapshotStore, table: str, **how: Any) -> Outcome:
        """Refresh one table."""
        (outcome,) = self.fetch(store, table, **how)
        return outcome

    def figures(self, store: SnapshotStore | None, catalogue: Catalogue | None = None) -> pl.DataFrame:
        """What a run would measure."""
        return collect(catalogue or self.catalogue, self.facts, store).figures


@pytest.fixture(scope="module")
def small(catalogue: Catalogue, bundle: Facts) -> Iterator[World]:
    """The services with three tables of seventeen municipalities and the country."""
    facts = few(bundle, [*catalogue.region.municipalities, *OTHER_MUNICIPALITIES, "NL01"])
    chosen = only(catalogue, *WANTED)
    with publishers(chosen, facts) as served:
        served.v4.page_size = PAGE
        served.v3.page_size = 4 * PAGE
        yield World(served, with_services(chosen, served.environment), facts)


@pytest.fixture
def world(small: World) -> Iterator[World]:
    """The services as they should be; what a test does to them is undone."""
    served = small.publishers
    before = dict(served.v4.tables), dict(served.v3.tables)
    served.forget()
    yield small
    served.faults.clear()
    served.v4.tables, served.v3.tables = before


@pytest.fixture(scope="module")
def fetched(small: World, tmp_path_factory: pytest.TempPathFactory) -> SnapshotStore:
    """A store with all three tables, fetched while nothing went wrong. Only for reading."""
    store = SnapshotStore(tmp_path_factory.mktemp("fetched"))
    assert [outcome.result for outcome in small.fetch(store, *TABLES)] == ["new"] * 3
    return store


@pytest.fixture(scope="module")
def right(small: World, fetched: SnapshotStore) -> pl.DataFrame:
    """The figures of that store."""
    return small.figures(fetched)


@pytest.fixture
def store(fetched: SnapshotStore, tmp_path: Path) -> SnapshotStore:
    """A copy of that store, to go on with."""
    return SnapshotStore(Path(shutil.copytree(fetched.root, tmp_path / "data")))


@pytest.fixture
def empty(tmp_path: Path) -> SnapshotStore:
    """A store in which nothing was ever kept."""
    return SnapshotStore(tmp_path / "empty")


def figure(frame: pl.DataFrame, indicator: str, region: str, period: str, source: str) -> dict[str, Any]:
    """The one figure."""
    return frame.filter(indicator_id=indicator, region_code=region, period=period, source_table=source).row(
        0, named=True
    )


def bytes_of(store: SnapshotStore, table: str) -> list[bytes]:
    """Everything that the newest snapshot of a table holds; raises where a byte of it changed."""
    snapshot = store.newest(table)
    assert snapshot is not None
    return [part.body for part in store.parts(snapshot)]


def kept_as_it_was(store: SnapshotStore, fetched: SnapshotStore, table: str) -> None:
    """The last good snapshot is the newest still, whole, and the note says that the last refresh failed."""
    assert store.of(table) == fetched.of(table)
    assert bytes_of(store, table) == bytes_of(fetched, table)
    check = store.last_check(table)
    assert check is not None
    assert check.result == "failed"
    assert table in check.message or IDS[table] in check.message


def failed(outcome: Outcome, table: str, cause: str) -> None:
    """It failed, and the message names table and cause and is no traceback."""
    assert (outcome.source_table, outcome.result, outcome.figures) == (table, "failed", 0), outcome
    assert outcome.message.startswith(table), outcome.message
    assert cause in outcome.message
    assert "Traceback" not in outcome.message
    assert len(outcome.message) < 1500


# --- what comes


def test_what_was_fetched_is_measured_with_its_margins_and_status(right: pl.DataFrame) -> None:
    # 40 + 9 (the letters of GM0153 add up to 349, which leaves 9 after division by 17) + 0.1 a year since 2012.
    health = figure(right, "perceived_health_good", "GM0153", "2024", SURVEY)
    assert (health["value"], health["ci_low"], health["ci_high"]) == (50.2, 50.2 - MARGIN, 50.2 + MARGIN)
    assert health["status"] == "definitive"
    # Published by CBS (Inkomen van huishoudens, provisional figures of 2024), and in the bundle.
    income = figure(right, "income_standardised_mean", "GM0141", "2024", INCOME)
    assert (income["value"], income["ci_low"], income["status"]) == (39.2, None, "provisional")
    assert figure(right, "income_standardised_mean", "GM0141", "2023", INCOME)["status"] == "definitive"
    # 40 + 9 + 1.1 for 2023.
    assert figure(right, "net_labour_participation", "GM0153", "2023", LABOUR)["value"] == pytest.approx(50.1)


def test_every_figure_of_a_table_comes(right: pl.DataFrame) -> None:
    """Seventeen municipalities and the country, and the health region in the survey."""
    counted = [right.filter(indicator_id=name, source_table=table)["value"].count() for name, table in WANTED]
    assert counted == [18 + 1, 18 * 10, 18 * 14]


def test_a_snapshot_says_where_it_came_from(world: World, fetched: SnapshotStore) -> None:
    for table in TABLES:
        snapshot = fetched.newest(table)
        assert snapshot is not None
        assert snapshot.title == world.catalogue.source_tables[table].title
        assert snapshot.licence == "CC BY 4.0" or table == SURVEY
        assert snapshot.modified_at is not None
        assert snapshot.modified_at.startswith("2026-06-23")
        assert all(part.url.startswith("http://127.0.0.1") and part.bytes for part in snapshot.parts)
        assert json.loads(snapshot.request)[0]["table_id"] == IDS[table]


def test_outcomes_come_in_the_order_asked_and_are_heard_as_they_are_done(world: World, empty: SnapshotStore) -> None:
    heard: list[Outcome] = []
    outcomes = world.fetch(empty, INCOME, SURVEY, follow=heard.append)
    assert [outcome.source_table for outcome in outcomes] == [INCOME, SURVEY]
    assert {outcome.source_table for outcome in heard} == {INCOME, SURVEY}
    assert [outcome.figures for outcome in outcomes] == [18 * 14, 18 + 1]


def test_at_most_three_requests_run_at_a_time(world: World, empty: SnapshotStore) -> None:
    served = world.publishers
    for server in (served.v4, served.v3):
        server.most_at_once = 0
        server.delay = 0.01
    try:
        world.fetch(empty, *TABLES)
    finally:
        served.v4.delay = served.v3.delay = 0
    assert 1 < served.v4.most_at_once + served.v3.most_at_once <= 6
    assert max(served.v4.most_at_once, served.v3.most_at_once) <= 3


# --- faults


def manners_for(kind: Kind) -> Manners:
    """Reading times out soon only where nothing else ends it: a busy machine is slow too."""
    return replace(QUICK, read_seconds=0.3) if kind is Kind.SILENT else QUICK


@pytest.mark.parametrize("table", [SURVEY, INCOME])
class TestFaults:
    """Each on both platforms."""

    @pytest.mark.parametrize("kind", PASSING)
    def test_a_fault_that_passes_changes_nothing(
        self, kind: Kind, table: str, world: World, empty: SnapshotStore, right: pl.DataFrame
    ) -> None:
        times = {SURVEY: 1, INCOME: 2}[table]
        world.publishers.faults.append(Fault(kind, times=times, matches=ROWS[table], about="0"))
        outcome = world.one(empty, table, manners=manners_for(kind))
        assert outcome.result == "new", outcome.message
        assert world.publishers.faults[0].times == 0
        assert _same(world.figures(empty), right, table)

    @pytest.mark.parametrize("kind", PAGES)
    def test_a_page_too_many_or_too_few_is_fetched_again(
        self, kind: Kind, table: str, world: World, empty: SnapshotStore, right: pl.DataFrame
    ) -> None:
        world.publishers.faults.append(Fault(kind, times=1, matches=IDS[table]))
        assert world.one(empty, table).result == "new"
        assert world.publishers.faults[0].times == 0
        assert _same(world.figures(empty), right, table)

    @pytest.mark.parametrize("kind", STAYING)
    def test_a_fault_that_stays_fails_in_time_and_the_last_good_snapshot_stands(
        self,
        kind: Kind,
        table: str,
        world: World,
        store: SnapshotStore,
        fetched: SnapshotStore,
        right: pl.DataFrame,
    ) -> None:
        seconds = 1.0 if kind is Kind.SLOW_DRIP else SECONDS
        world.publishers.faults.append(Fault(kind, matches=ROWS[table], about="0"))
        begun = time.monotonic()
        outcome = world.one(store, table, force=True, seconds=seconds, manners=manners_for(kind))
        assert time.monotonic() - begun < seconds + 1
        failed(outcome, table, STAYING[kind])
        kept_as_it_was(store, fetched, table)
        assert world.figures(store).equals(right)

    @pytest.mark.parametrize("kind", PAGES)
    def test_pages_that_stay_too_many_or_too_few_are_refused_with_the_numbers(
        self, kind: Kind, table: str, world: World, store: SnapshotStore, fetched: SnapshotStore, right: pl.DataFrame
    ) -> None:
        world.publishers.faults.append(Fault(kind, matches=IDS[table]))
        failed(world.one(store, table, force=True), table, "rows, as the service counts them; found ")
        kept_as_it_was(store, fetched, table)
        assert world.figures(store).equals(right)

    @pytest.mark.parametrize(("kind", "about", "cause"), CHANGES)
    def test_what_a_publisher_changes_is_refused_not_guessed(
        self,
        kind: Kind,
        about: str,
        cause: str,
        table: str,
        world: World,
        store: SnapshotStore,
        fetched: SnapshotStore,
        right: pl.DataFrame,
    ) -> None:
        world.publishers.faults.append(Fault(kind, matches=IDS[table], about=about))
        failed(world.one(store, table), table, cause)
        kept_as_it_was(store, fetched, table)
        assert world.figures(store).equals(right)

    def test_a_silent_service_takes_no_longer_than_there_is_time(
        self, table: str, world: World, store: SnapshotStore, fetched: SnapshotStore
    ) -> None:
        world.publishers.faults.append(Fault(Kind.SILENT, matches=IDS[table]))
        begun = time.monotonic()
        failed(world.one(store, table, seconds=0.7), table, "no time was left")
        assert time.monotonic() - begun < 1.7
        kept_as_it_was(store, fetched, table)


def test_every_fault_that_the_stand_ins_know_is_tried() -> None:
    """What is settled and revised is no fault of a service: it is news."""
    assert {*STAYING, *PAGES, *(kind for kind, _, _ in CHANGES), Kind.PROVISIONAL_FLIP} == set(Kind)


def _same(figures: pl.DataFrame, right: pl.DataFrame, table: str) -> bool:
    return figures.filter(source_table=table).equals(right.filter(source_table=table))


@pytest.mark.parametrize(
    ("table", "cause"),
    [(SURVEY, "within the scale of perceived_health_good, 0 to 100"), (INCOME, "times those, over 18 regions")],
)
def test_figures_a_thousand_times_as_large_under_the_old_unit_are_refused(
    table: str, cause: str, world: World, store: SnapshotStore, fetched: SnapshotStore, empty: SnapshotStore
) -> None:
    """A percentage leaves its scale; an amount is held against the last snapshot and, at first, against the bundle."""
    world.publishers.faults.append(Fault(Kind.TIMES_THOUSAND, matches=IDS[table]))
    failed(world.one(store, table), table, cause)
    kept_as_it_was(store, fetched, table)
    failed(world.one(empty, table), table, cause)
    assert empty.of(table) == []


def test_a_table_that_never_came_leaves_the_bundled_figures(world: World, empty: SnapshotStore) -> None:
    world.publishers.faults.append(Fault(Kind.UNAVAILABLE, matches=IDS[INCOME]))
    failed(world.one(empty, INCOME), INCOME, "HTTP 503")
    assert not empty.has_any
    assert world.figures(empty).equals(world.figures(None))
    assert figure(world.figures(empty), "income_standardised_mean", "GM0141", "2024", INCOME)["value"] == 39.2


def test_one_table_that_fails_does_not_keep_the_others(world: World, empty: SnapshotStore, right: pl.DataFrame) -> None:
    world.publishers.faults.append(Fault(Kind.UNAVAILABLE, matches=IDS[LABOUR]))
    outcomes = world.fetch(empty, *TABLES)
    assert [outcome.result for outcome in outcomes] == ["new", "failed", "new"]
    assert [empty.last_check(table).result for table in TABLES] == ["new", "failed", "new"]  # type: ignore[union-attr]
    for table in (SURVEY, INCOME):
        assert _same(world.figures(empty), right, table)


def test_what_failed_is_fetched_once_the_service_is_back(
    world: World, store: SnapshotStore, right: pl.DataFrame
) -> None:
    world.publishers.issue(IDS[INCOME], lambda table: table)
    world.publishers.faults.append(Fault(Kind.RESET, matches=ROWS[INCOME]))
    assert world.one(store, INCOME).result == "failed"
    world.publishers.faults.clear()
    outcome = world.one(store, INCOME)
    assert (outcome.result, outcome.news) == ("changed", ())
    assert store.last_check(INCOME).message == ""  # type: ignore[union-attr]
    assert _same(world.figures(store), right, INCOME)


def test_wait_times_of_a_service_are_honoured_within_the_deadline(world: World, empty: SnapshotStore) -> None:
    world.publishers.faults.append(Fault(Kind.TOO_MANY_REQUESTS, times=1, matches=ROWS[LABOUR], about="1"))
    begun = time.monotonic()
    assert world.one(empty, LABOUR).result == "new"
    assert time.monotonic() - begun > 0.9
    world.publishers.faults.append(Fault(Kind.TOO_MANY_REQUESTS, matches=ROWS[LABOUR], about="3600"))
    begun = time.monotonic()
    failed(world.one(empty, LABOUR, force=True), LABOUR, "HTTP 429")
    assert time.monotonic() - begun < 5


# --- nothing changed, and more is wanted


def test_a_refresh_of_what_did_not_change_is_a_small_request_a_table_and_reads_nothing(
    world: World, store: SnapshotStore, fetched: SnapshotStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("read")

    monkeypatch.setattr(statline, "read", refuse)
    monkeypatch.setattr(statline.StatLine, "download", refuse)
    assert [outcome.result for outcome in world.fetch(store, *TABLES)] == ["unchanged"] * 3
    requests = world.publishers.requests
    for table in TABLES:
        mine = [request for request in requests if IDS[table] in request]
        assert 1 <= len(mine) <= 2
        assert all(request.partition("?")[0].endswith(("/Properties", "/TableInfos")) for request in mine)
        assert store.of(table) == fetched.of(table)
        assert store.last_check(table).result == "unchanged"  # type: ignore[union-attr]


def test_force_downloads_what_did_not_change(
    world: World, store: SnapshotStore, fetched: SnapshotStore, right: pl.DataFrame
) -> None:
    outcome = world.one(store, SURVEY, force=True)
    assert (outcome.result, outcome.figures, outcome.news) == ("changed", 19, ())
    assert len(store.of(SURVEY)) == 2
    assert bytes_of(store, SURVEY) == bytes_of(fetched, SURVEY)
    assert world.figures(store).equals(right)


def test_force_mends_a_snapshot_that_was_damaged(world: World, store: SnapshotStore, right: pl.DataFrame) -> None:
    snapshot = store.newest(LABOUR)
    assert snapshot is not None
    largest = max(snapshot.parts, key=lambda part: part.bytes)
    (store.root / "objects" / largest.sha256[:2] / f"{largest.sha256}.gz").write_bytes(b"not what it was")
    assert world.one(store, LABOUR, force=True).result == "changed"
    assert world.figures(store).equals(right)


def test_a_wider_question_is_asked_anew_though_the_publisher_changed_nothing(
    catalogue: Catalogue, small: World, tmp_path: Path
) -> None:
    """An indicator is added to the catalogue: its figures come, and until then there are none, and no fault."""
    store = SnapshotStore(tmp_path)
    wider = only(catalogue, *WANTED, ("overweight", SURVEY))
    with publishers(wider, small.facts) as served:
        wider = with_services(wider, served.environment)
        narrow = wider.model_copy(update={"indicators": only(wider, *WANTED).indicators})
        world = World(served, wider, small.facts)
        assert world.one(store, SURVEY, catalogue=narrow).figures == 19
        assert world.figures(store, wider).filter(indicator_id="overweight", source_table=SURVEY).is_empty()
        assert world.one(store, SURVEY, catalogue=narrow).result == "unchanged"
        outcome = world.one(store, SURVEY)
        assert world.one(store, SURVEY).result == "unchanged"
    assert (outcome.result, outcome.figures) == ("changed", 38)
    assert outcome.news == ("overweight 2024: new, 19 figures",)
    found = world.figures(store).filter(source_table=SURVEY)
    assert found["indicator_id"].value_counts().sort("indicator_id").rows() == [
        ("overweight", 19),
        ("perceived_health_good", 19),
    ]


# --- news


def test_provisional_figures_that_were_settled_and_revised_are_said(world: World, store: SnapshotStore) -> None:
    world.publishers.faults.append(Fault(Kind.PROVISIONAL_FLIP, matches=IDS[INCOME]))
    outcome = world.one(store, INCOME)
    assert outcome.result == "changed"
    assert outcome.news == (
        "income_standardised_mean 2024: 18 figures were revised",
        "income_standardised_mean 2024: 18 figures went from provisional to definitive",
    )
    after = figure(world.figures(store), "income_standardised_mean", "GM0141", "2024", INCOME)
    assert (after["value"], after["status"]) == (pytest.approx(40.2), "definitive")


def test_a_definitive_year_that_was_revised_and_is_provisional_again_is_said(
    world: World, store: SnapshotStore
) -> None:
    world.publishers.faults.append(Fault(Kind.PROVISIONAL_FLIP, matches=IDS[LABOUR], about="2020JJ00"))
    assert world.one(store, LABOUR).news == (
        "net_labour_participation 2020: 18 figures were revised",
        "net_labour_participation 2020: 18 figures went from definitive to provisional",
    )


def test_a_new_period_is_said_and_measured(world: World, store: SnapshotStore) -> None:
    def with_2025(table: StandInTable) -> StandInTable:
        last = table.cells.filter(Perioden="2024JJ00").with_columns(Perioden=pl.lit("2025JJ00"))
        periods = {**table.dimensions["Perioden"], "2025JJ00": "2025*"}
        return replace(
            table,
            dimensions={**table.dimensions, "Perioden": periods},
            statuses={**table.statuses, "2025JJ00": "Voorlopig"},
            observations=pl.concat([table.cells, last]),
        )

    world.publishers.issue(IDS[INCOME], with_2025)
    assert world.one(store, INCOME).news == ("income_standardised_mean 2025: new, 18 figures",)
    found = figure(world.figures(store), "income_standardised_mean", "GM0141", "2025", INCOME)
    assert (found["value"], found["status"]) == (39.2, "provisional")


def test_figures_that_vanished_are_said_and_no_longer_measured(world: World, store: SnapshotStore) -> None:
    """A whole year, and of another year those of two municipalities outside the region."""

    def without(table: StandInTable) -> StandInTable:
        year, others = pl.col("Perioden") == "2015JJ00", pl.col("RegioS").is_in(["GM0014", "GM0363"])
        gone = year | ((pl.col("Perioden") == "2016JJ00") & others)
        return replace(table, observations=table.cells.filter(~gone))

    world.publishers.issue(IDS[LABOUR], without)
    assert world.one(store, LABOUR).news == (
        "net_labour_participation 2015: gone, 18 figures were there before",
        "net_labour_participation 2016: 2 figures are gone",
    )
    left = world.figures(store).filter(indicator_id="net_labour_participation", source_table=LABOUR)
    assert left.filter(period="2015").is_empty()
    assert left.filter(period="2016").height == 16


def test_a_new_release_with_the_same_figures_is_kept_and_has_no_news(
    world: World, store: SnapshotStore, right: pl.DataFrame
) -> None:
    world.publishers.issue(IDS[SURVEY], lambda table: table)
    outcome = world.one(store, SURVEY)
    assert (outcome.result, outcome.news) == ("changed", ())
    newest = store.newest(SURVEY)
    assert newest is not None
    assert newest.modified_at == "2026-06-24T00:00:00+02:00"
    assert world.figures(store).equals(right)


# --- what belongs to a table


@pytest.mark.parametrize("table", TABLES)
def test_a_table_without_the_country_that_it_is_asked_for_is_refused(
    table: str, world: World, store: SnapshotStore, fetched: SnapshotStore, right: pl.DataFrame
) -> None:
    def without(served: StandInTable) -> StandInTable:
        return replace(served, observations=served.cells.filter(pl.col("RegioS") != "NL01"))

    world.publishers.issue(IDS[table], without)
    failed(world.one(store, table), table, "a row for The Netherlands (NL01)")
    kept_as_it_was(store, fetched, table)
    assert world.figures(store).equals(right)


def test_a_national_table_without_a_large_municipality_is_refused(
    catalogue: Catalogue, bundle: Facts, empty: SnapshotStore
) -> None:
    """Amsterdam is no municipality of ours, but the country without it is another country."""
    chosen = only(catalogue, ("net_labour_participation", LABOUR))

    def without(served: StandInTable) -> StandInTable:
        return replace(served, observations=served.cells.filter(pl.col("RegioS") != "GM0363"))

    with publishers(chosen, bundle) as served:
        world = World(served, with_services(chosen, served.environment), bundle)
        assert world.one(empty, LABOUR).result == "new"
        served.issue(IDS[LABOUR], without)
        outcome = world.one(empty, LABOUR)
    failed(outcome, LABOUR, "none for GM0363")
    assert "% of all inhabitants live there" in outcome.message
    assert len(empty.of(LABOUR)) == 1


def test_inhabitants_by_sex_and_age_are_sums_over_years_of_age(
    catalogue: Catalogue, small: World, empty: SnapshotStore
) -> None:
    """The cells that the weights of the resident survey add up to: one request a sex."""
    table = "CBS 03759ned"
    # Years of age in each: 18 to 34, 35 to 49, 50 to 64, and 65 to 105 or older.
    bands = {"18_34": 17, "35_49": 15, "50_64": 15, "65plus": 41}
    cells = {f"population_{sex}_{band}": years for sex in ("men", "women") for band, years in bands.items()}
    chosen = only(catalogue, *((cell, table) for cell in cells))
    assert len(requests_of(chosen, table)) == 2
    with publishers(chosen, small.facts) as served:
        world = World(served, with_services(chosen, served.environment), small.facts)
        outcome = world.one(empty, table)
    assert (outcome.result, outcome.figures) == ("new", 8 * 8 * 18), outcome.message
    found = world.figures(empty).filter(pl.col("indicator_id").is_in(list(cells)), region_code="GM0153", period="2023")
    # The stand-in divides all inhabitants of Enschede (CBS, 1 January 2023) over the years of age of each cell.
    assert dict(found.select("indicator_id", "value").iter_rows()) == {
        cell: years * round(161_235 / years) for cell, years in cells.items()
    }


# --- boundaries


def test_boundaries_are_fetched_once(world: World, empty: SnapshotStore) -> None:
    first, second = world.one(empty, BOUNDARIES), world.one(empty, BOUNDARIES)
    assert (first.result, first.figures, first.news) == ("new", 17, ())
    assert second.result == "unchanged"
    asked = world.publishers.pdok.requests
    assert len(asked) == 1
    assert "jaarcode=2025" in asked[0]
    assert world.one(empty, BOUNDARIES, force=True).result == "new"


def test_boundaries_come_by_the_other_service_where_one_fails(world: World, empty: SnapshotStore) -> None:
    world.publishers.faults.append(Fault(Kind.UNAVAILABLE, matches="/ogc/"))
    assert world.one(empty, BOUNDARIES).figures == 17
    snapshot = empty.newest(BOUNDARIES, "boundaries")
    assert snapshot is not None
    assert snapshot.parts[0].role.startswith("wfs")


def test_boundaries_without_one_of_our_municipalities_are_refused(
    world: World, empty: SnapshotStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    pdok = world.publishers.pdok
    monkeypatch.setattr(pdok, "areas", [area for area in pdok.areas if area.code != "GM0153"])
    failed(world.one(empty, BOUNDARIES), BOUNDARIES, "GM0153")
    assert empty.of(BOUNDARIES) == []


def test_boundaries_that_nobody_gives_are_a_failure_that_names_both_services(
    world: World, empty: SnapshotStore
) -> None:
    world.publishers.faults.append(Fault(Kind.UNAVAILABLE, matches="/cbs/gebiedsindelingen/"))
    outcome = world.one(empty, BOUNDARIES)
    assert outcome.result == "failed"
    assert "OGC API: " in outcome.message
    assert "WFS: " in outcome.message
    assert "HTTP 503" in outcome.message


# --- membership


def test_areas_that_are_no_longer_our_region_are_refused(
    catalogue: Catalogue, small: World, empty: SnapshotStore
) -> None:
    """Enschede moves to another labour market region: our region file no longer says the truth."""
    name = "CBS 86059NED"
    chosen = only(catalogue, ("", name))
    with publishers(chosen, small.facts) as served:
        world = World(served, with_services(chosen, served.environment), small.facts)
        assert world.one(empty, name).result == "new"

        def moved(table: StandInTable) -> StandInTable:
            elsewhere = pl.when((pl.col("RegioS") == "GM0153") & (pl.col("text") == "AM05"))
            return replace(
                table,
                observations=table.cells.with_columns(text=elsewhere.then(pl.lit("AM99")).otherwise("text")),
            )

        served.issue("86059NED", moved)
        outcome = world.one(empty, name)
    failed(outcome, name, "area AM05 holds not GM0153")
    assert len(empty.of(name)) == 1


# --- what publishers offer


def test_newer_editions_and_tables_that_are_no_longer_kept_up_are_found(catalogue: Catalogue, small: World) -> None:
    chosen = only(catalogue, *WANTED, ("population_density", "CBS 86165NED"))
    with publishers(chosen, small.facts) as served:
        chosen = with_services(chosen, served.environment)
        assert look_around(chosen, client(QUICK), Deadline.after(SECONDS)) == []
        districts, income = served.v3.tables["86165NED"], served.v3.tables["86161NED"]
        newer = {
            "86999NED": replace(districts, table_id="86999NED", title="Kerncijfers wijken en buurten 2026"),
            "83999NED": replace(districts, table_id="83999NED", title="Kerncijfers wijken en buurten 2019"),
            "87161NED": replace(income, table_id="87161NED", title="Inkomen van huishoudens; regio (indeling 2026)"),
        }
        served.v3.tables |= newer
        served.issue("86008NED", lambda table: replace(table, status="Gediscontinueerd"))
        said = look_around(chosen, client(QUICK), Deadline.after(SECONDS))
    how = "docs/sources.md says how to add it."
    assert sorted(said) == [
        f"86999NED 'Kerncijfers wijken en buurten 2026' is a newer CBS 86165NED: {how}",
        f"87161NED 'Inkomen van huishoudens; regio (indeling 2026)' is a newer {INCOME}: {how}",
        "CBS 86008NED is no longer kept up by its publisher (Gediscontinueerd).",
    ]


# --- what can be fetched


def test_all_tables_of_services_and_the_boundaries_can_be_fetched(catalogue: Catalogue) -> None:
    offered = fetchable(catalogue)
    assert offered[-1] == BOUNDARIES
    assert set(offered[:-1]) == {name for name, table in catalogue.source_tables.items() if table.service}


def test_figures_of_a_fetch_have_the_columns_of_all_others(right: pl.DataFrame) -> None:
    assert right.columns == [*FIGURE, "reason", "synthetic"]
