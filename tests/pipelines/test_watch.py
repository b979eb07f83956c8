"""When things run by themselves, and how fresh every source table is: the yearly refresh, and `source_is_fresh`."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import polars as pl
import pytest

from assets.intake import IS_FRESH, SNAPSHOTS, freshness_metadata, freshness_results, freshness_row, freshness_specs
from assets.tables import CATALOGUE
from pipelines.watch import REFRESH_AND_MEASURE, TIME_ZONE, YEARLY, yearly_measurement
from sources.fetch import fetchable
from sources.freshness import ASKED_WITHIN, Freshness, freshness
from sources.snapshots import Checked, Part, SnapshotStore

pytestmark = pytest.mark.filterwarnings("ignore::dagster.PreviewWarning", "ignore::dagster.BetaWarning")

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
# Fetched from a service and known to have 2024; delivered by mail and known to have 2025.
FETCHED, DELIVERED = "CBS 86161NED (indeling 2025)", "UWV WW-uitkeringen per gemeente"


# --- the yearly refresh


class Toy:
    """The shape of the real thing: publishers, a raw table behind them, a table of all years, and what publishes."""

    def __init__(self) -> None:
        self.made: list[str] = []
        years = dg.StaticPartitionsDefinition(["2022", "2023"])

        @dg.asset(key=SNAPSHOTS)
        def snapshots() -> None:
            self.made.append("snapshots")

        @dg.asset(deps=[SNAPSHOTS])
        def figures() -> None:
            self.made.append("figures")

        @dg.asset(deps=[figures], partitions_def=years, backfill_policy=dg.BackfillPolicy.single_run())
        def values(context: dg.AssetExecutionContext) -> None:
            self.made.append(f"values of {', '.join(context.partition_keys)}")

        @dg.asset(deps=[values], group_name="publication")
        def final_edition() -> None:
            self.made.append("final edition")

        self.schedule = yearly_measurement(dg.AssetSelection.assets(figures, values), [2022, 2023], {})
        self.definitions = dg.Definitions(
            assets=[values, figures, snapshots, final_edition],
            schedules=[self.schedule],
            executor=dg.in_process_executor,
        )

    def tick(self) -> dg.RunRequest:
        """What the schedule asks for on the first of June."""
        context = dg.build_schedule_context(scheduled_execution_time=datetime(2026, 6, 1, 7, tzinfo=AMSTERDAM))
        (request,) = self.schedule.evaluate_tick(context).run_requests or []
        return request


def test_the_yearly_refresh_asks_first_then_measures_all_years_and_publishes_nothing() -> None:
    toy = Toy()
    job = toy.definitions.resolve_job_def(REFRESH_AND_MEASURE)
    done = job.execute_in_process(instance=dg.DagsterInstance.ephemeral(), tags=dict(toy.tick().tags))
    assert done.success
    assert toy.made == ["snapshots", "figures", "values of 2022, 2023"]


def test_the_yearly_refresh_is_off_until_somebody_switches_it_on() -> None:
    assert Toy().schedule.default_status is dg.DefaultScheduleStatus.STOPPED


def test_the_yearly_refresh_leaves_six_weeks_before_the_report_is_due() -> None:
    from dagster._utils.schedules import schedule_execution_time_iterator

    ticks = schedule_execution_time_iterator(datetime(2026, 1, 1, tzinfo=UTC).timestamp(), YEARLY, TIME_ZONE)
    days = [next(ticks).astimezone(AMSTERDAM).date() for _ in range(2)]
    assert days == [date(2026, 6, 1), date(2027, 6, 1)]
    assert timedelta(weeks=6) <= date(2026, 7, 15) - days[0] <= timedelta(weeks=7)


# --- how fresh a source table is


@pytest.fixture
def store(tmp_path: Path) -> SnapshotStore:
    return SnapshotStore(tmp_path / "data")


def of(table: str, store: SnapshotStore | None, newest: dict[str, str], now: datetime = NOW) -> Freshness:
    return freshness(CATALOGUE, [table], store, newest, now)[table]


def asked(store: SnapshotStore, monkeypatch: pytest.MonkeyPatch, at: datetime, result: str = "unchanged") -> None:
    """The publisher of the fetched table was asked at this moment."""
    check = Checked(at.isoformat(), result, "The service did not answer in time." if result == "failed" else "")
    monkeypatch.setattr(store, "last_check", lambda table: check if table == FETCHED else None)


def test_the_tables_of_these_tests_are_what_they_are_taken_for() -> None:
    assert FETCHED in fetchable(CATALOGUE)
    assert DELIVERED not in fetchable(CATALOGUE)
    assert (of(FETCHED, None, {}).known_period, of(DELIVERED, None, {}).known_period) == ("2024", "2025")


def test_a_table_asked_lately_with_its_newest_period_is_fresh(
    store: SnapshotStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked(store, monkeypatch, NOW - timedelta(days=30))
    found = of(FETCHED, store, {FETCHED: "2024"})
    assert found.reasons == ()
    assert found.asked_at == "2026-05-02T12:00:00+00:00"


def test_a_table_that_nobody_asked_about_for_long_is_not_fresh(
    store: SnapshotStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked(store, monkeypatch, NOW - ASKED_WITHIN)
    assert of(FETCHED, store, {FETCHED: "2024"}).reasons == ()
    asked(store, monkeypatch, NOW - ASKED_WITHIN - timedelta(seconds=1))
    (reason,) = of(FETCHED, store, {FETCHED: "2024"}).reasons
    assert reason == f"{FETCHED}: its publisher was last asked at 2026-04-17T11:59:59+00:00. Ask again with: btg fetch"


def test_a_table_that_could_not_be_fetched_says_why(store: SnapshotStore, monkeypatch: pytest.MonkeyPatch) -> None:
    asked(store, monkeypatch, NOW, "failed")
    (reason,) = of(FETCHED, store, {FETCHED: "2024"}).reasons
    assert "The service did not answer in time." in reason


def test_an_older_period_than_the_catalogue_knows_is_not_fresh() -> None:
    (reason,) = of(FETCHED, None, {FETCHED: "2023"}).reasons
    assert reason == (
        f"{FETCHED}: it is known to have 2024, its newest figures in this run are of 2023. Get it with: btg fetch"
    )
    assert of(FETCHED, None, {FETCHED: "2025"}).reasons == (), "newer than known is no fault of the figures"


def test_a_table_that_is_delivered_says_so_and_months_count_as_their_year() -> None:
    (reason,) = of(DELIVERED, None, {}).reasons
    assert reason == f"{DELIVERED}: it is known to have 2025, this run has none of it. Get it with: btg add FILE"
    assert of(DELIVERED, None, {DELIVERED: "2025-12"}).reasons == ()


def test_years_after_the_last_measurement_year_are_not_missed() -> None:
    until = CATALOGUE.until(2023)
    assert freshness(until, [FETCHED], None, {FETCHED: "2023"}, NOW)[FETCHED].known_period == "2023"


def test_the_newest_snapshot_says_when_a_table_last_changed(store: SnapshotStore) -> None:
    part = Part("file", "https://example.org", b"figures", "text/csv", "2026-05-01T00:00:00Z")
    about = {"title": "", "url": "", "licence": "", "modified_at": None, "fingerprint": "", "request": ""}
    snapshot = store.add(FETCHED, "odata_v3", [part], **about)
    store.note(FETCHED, "new")
    found = of(FETCHED, store, {FETCHED: "2024"}, datetime.now(UTC))
    assert found.changed_at == snapshot.retrieved_at
    assert found.asked_at is not None
    assert found.reasons == ()


# --- as the web interface and `btg check` show it

STALE = Freshness("Old table", None, None, None, "2024", ("Old table: it is known to have 2024.",))
FRESH = Freshness("New table", "2026-06-01T06:00:00Z", "2026-05-01T06:00:00Z", "2025", "2025", ())


def test_every_raw_table_shows_its_freshness_and_a_stale_one_stops_nothing() -> None:
    keys = {"Old table": dg.AssetKey(["raw", "old"]), "New table": dg.AssetKey(["raw", "new"])}

    @dg.multi_asset(
        outs={name: dg.AssetOut(key=key) for name, key in zip(("old", "new"), keys.values(), strict=True)},
        check_specs=freshness_specs(keys),
    )
    def raw() -> Iterator[dg.Output[int] | dg.AssetCheckResult]:
        for name, found in (("old", STALE), ("new", FRESH)):
            yield dg.Output(1, output_name=name, metadata=dict(freshness_metadata(found)))
        yield from freshness_results({"Old table": STALE, "New table": FRESH}, keys)

    done = dg.materialize([raw], instance=dg.DagsterInstance.ephemeral())
    assert done.success
    checks = {check.asset_key.path[-1]: check for check in done.get_asset_check_evaluations()}
    assert {name: check.passed for name, check in checks.items()} == {"old": False, "new": True}
    assert {check.check_name for check in checks.values()} == {IS_FRESH}
    assert checks["old"].severity is dg.AssetCheckSeverity.WARN
    assert checks["old"].description == "Old table: it is known to have 2024."
    shown = {
        event.asset_key.path[-1]: {name: value.value for name, value in event.materialization.metadata.items()}
        for event in done.get_asset_materialization_events()
    }
    assert (
        shown["new"].items()
        >= {
            "publisher_last_asked": "2026-06-01T06:00:00Z",
            "last_changed": "2026-05-01T06:00:00Z",
            "newest_period": "2025",
            "newest_period_known": "2025",
        }.items()
    )
    assert shown["old"]["publisher_last_asked"] == "never"


def test_btg_check_shows_all_stale_tables_in_one_result() -> None:
    table = CATALOGUE.registry["check_result"]
    (row,) = table.conform(pl.DataFrame([freshness_row([STALE, FRESH])], schema=table.polars_schema)).to_dicts()
    assert (row["passed"], row["severity"], row["rows_failed"], row["observed"]) == (
        False,
        "warning",
        1,
        "1 of 2 tables",
    )
    assert row["message"] == "Old table: it is known to have 2024."
    assert freshness_row([FRESH])["passed"]
