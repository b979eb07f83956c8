"""Intake by itself: the assets that ask the publishers and empty the inbox, the schedule, and the sensor."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import polars as pl
import pytest

from assets import intake
from assets.intake import DELIVERED, SNAPSHOTS
from assets.tables import CATALOGUE
from catalog.current import with_services
from pipelines.definitions import build_definitions
from pipelines.settings import Settings
from pipelines.watch import REFRESH, TAKE_IN, inbox_sensor, source_watch
from sources import bundled
from sources.bundled import examples
from sources.facts import read_facts
from sources.snapshots import SnapshotStore
from tests.standins.faults import Fault, Kind
from tests.standins.publishers import Publishers, few, only, publishers

pytestmark = pytest.mark.filterwarnings("ignore::dagster.PreviewWarning", "ignore::dagster.BetaWarning")

SURVEY, DISTRICTS = "CBS 86137NED", "CBS 86165NED"
BOUNDARIES = "CBS/Kadaster gebiedsindelingen 2025"
ALL_FETCHED, KEPT_UP, NOTHING_NEW = (
    "every_table_was_fetched",
    "publishers_keep_up_all_tables",
    "nothing_changed",
)
AMSTERDAM = ZoneInfo("Europe/Amsterdam")

Job = Callable[[str], dg.ExecuteInProcessResult]


@pytest.fixture
def store(tmp_path: Path) -> SnapshotStore:
    made = SnapshotStore(tmp_path / "data")
    made.inbox.mkdir(parents=True)
    return made


@pytest.fixture
def run(store: SnapshotStore, tmp_path: Path) -> Job:
    """A function that runs a job of the code location on the store."""
    settings = Settings(tmp_path / "output", bundled.FOLDER, store.root, "in_process")

    def execute(job: str) -> dg.ExecuteInProcessResult:
        return (
            build_definitions(settings).resolve_job_def(job).execute_in_process(instance=dg.DagsterInstance.ephemeral())
        )

    return execute


def checks_of(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetCheckEvaluation]:
    """The check results of a run by name; all of them warn, none stops anything."""
    assert result.success
    found = {evaluation.check_name: evaluation for evaluation in result.get_asset_check_evaluations()}
    assert all(evaluation.severity is dg.AssetCheckSeverity.WARN for evaluation in found.values())
    assert all(evaluation.description for evaluation in found.values())
    return found


def metadata_of(result: dg.ExecuteInProcessResult, key: dg.AssetKey) -> dict[str, object]:
    (event,) = (event for event in result.get_asset_materialization_events() if event.asset_key == key)
    return {name: entry.value for name, entry in event.materialization.metadata.items()}


# --- asking the publishers


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Publishers]:
    """The publishers of two tables and the boundaries, in place of all."""
    chosen = only(CATALOGUE, ("perceived_health_good", SURVEY), ("population_density", DISTRICTS))
    facts = few(read_facts(bundled.FOLDER, CATALOGUE), [*CATALOGUE.region.municipalities, "NL01"])
    with publishers(chosen, facts) as made:
        monkeypatch.setattr(intake, "read_facts", lambda *_: facts)
        monkeypatch.setattr(intake, "CATALOGUE", with_services(chosen, made.environment))
        yield made


def test_all_tables_come_and_what_is_new_is_reported_in_words(
    run: Job, served: Publishers, store: SnapshotStore
) -> None:
    result = run(REFRESH)
    checks = checks_of(result)
    assert checks.keys() == {ALL_FETCHED, KEPT_UP, NOTHING_NEW}
    assert all(check.passed for check in checks.values())
    assert {check.description for check in checks.values()} == {"Nothing to report."}
    assert metadata_of(result, SNAPSHOTS) == {"dagster/row_count": 3, "changed": 3, "failed": 0}
    assert all(store.newest(table) for table in (SURVEY, DISTRICTS, BOUNDARIES))


def test_a_second_refresh_changes_nothing(run: Job, served: Publishers, store: SnapshotStore) -> None:
    run(REFRESH)
    served.forget()
    result = run(REFRESH)
    assert all(check.passed for check in checks_of(result).values())
    assert metadata_of(result, SNAPSHOTS) == {"dagster/row_count": 3, "changed": 0, "failed": 0}
    assert [len(store.of(table)) for table in (SURVEY, DISTRICTS, BOUNDARIES)] == [1, 1, 1]
    # One request a table, none for the boundaries, and one a title in the lists of tables.
    assert len(served.requests) <= 2 + 2


def test_failures_news_and_newer_tables_are_warnings_that_name_the_table(
    run: Job, served: Publishers, store: SnapshotStore
) -> None:
    run(REFRESH)
    before = store.newest(DISTRICTS)
    districts = served.v3.tables["86165NED"]
    served.v3.tables["86999NED"] = replace(districts, table_id="86999NED", title="Kerncijfers wijken en buurten 2026")
    served.faults.append(Fault(Kind.MUNICIPALITY_MISSING, matches="86137NED"))
    revised = districts.cells.with_columns(pl.col("value") + 1)
    served.issue("86165NED", lambda table: replace(table, observations=revised))
    checks = checks_of(run(REFRESH))
    assert not any(check.passed for check in checks.values())
    assert checks[ALL_FETCHED].description.startswith(f"{SURVEY}, column region_code: expected a row for all")  # type: ignore[union-attr]
    assert "newer CBS 86165NED" in checks[KEPT_UP].description  # type: ignore[operator]
    assert checks[NOTHING_NEW].description == f"{DISTRICTS}: population_density 2025: 15 figures were revised"
    assert store.newest(DISTRICTS) != before
    assert len(store.of(SURVEY)) == 1


def test_a_withdrawn_table_and_unreadable_lists_of_tables_stop_nothing(
    run: Job, served: Publishers, store: SnapshotStore
) -> None:
    served.faults.append(Fault(Kind.TABLE_WITHDRAWN, matches="86137NED"))
    served.faults.append(Fault(Kind.NOT_ACCEPTABLE, matches="ODataCatalog"))
    result = run(REFRESH)
    checks = checks_of(result)
    assert "404" in checks[ALL_FETCHED].description  # type: ignore[operator]
    assert checks[KEPT_UP].description.startswith("The publishers' lists of tables could not be read: ")  # type: ignore[union-attr]
    assert metadata_of(result, SNAPSHOTS) == {"dagster/row_count": 3, "changed": 2, "failed": 1}
    assert store.newest(SURVEY) is None
    assert store.newest(DISTRICTS) is not None


# --- the inbox


def test_files_in_the_inbox_are_taken_in_or_refused_with_the_reason(run: Job, store: SnapshotStore) -> None:
    shutil.copy(examples.UWV, store.inbox)
    (store.inbox / "notes.csv").write_text("a;b\n1;2\n", encoding="utf-8")
    (store.inbox / ".half-copied.xlsx").write_bytes(b"PK")
    result = run(TAKE_IN)
    check = checks_of(result)["every_file_was_taken_in"]
    assert not check.passed
    assert check.description.startswith("notes.csv: ")  # type: ignore[union-attr]
    assert metadata_of(result, DELIVERED) == {"dagster/row_count": 2, "refused": 1}
    assert _names(store.inbox) == [".half-copied.xlsx"]
    assert _names(store.inbox / "taken") == [examples.UWV.name]
    assert _names(store.inbox / "refused") == ["notes.csv", "notes.csv.txt"]
    reason = (store.inbox / "refused" / "notes.csv.txt").read_text(encoding="utf-8")
    assert "expected a layout that is described" in reason
    assert "Traceback" not in reason
    kept = store.newest("UWV WW-uitkeringen per gemeente", "delivered")
    assert kept is not None
    assert kept.details["file"] == examples.UWV.name


def test_a_file_that_was_taken_in_before_is_moved_and_not_kept_twice(run: Job, store: SnapshotStore) -> None:
    for name in ("first.xlsx", "first.xlsx", "again.xlsx"):
        shutil.copy(examples.UWV, store.inbox / name)
        assert checks_of(run(TAKE_IN))["every_file_was_taken_in"].passed
    assert len(store.of("UWV WW-uitkeringen per gemeente")) == 1
    assert _names(store.inbox / "taken") == ["again.xlsx", "first-2.xlsx", "first.xlsx"]


@pytest.mark.shared
def test_a_table_is_read_with_its_publishers_metadata_beside_it(
    run: Job, store: SnapshotStore, shared_data: Path
) -> None:
    """An answer of OData v4 with the lists of its codes: by themselves these are no figures, and come first by name."""
    names = ["codes-Perioden.json", "codes-RegioS.json", "measure-codes.json", "observations-page-1.json"]
    for name in names:
        shutil.copyfile(shared_data / "odata-v4" / "83625NED" / name, store.inbox / name)
    check = checks_of(run(TAKE_IN))["every_file_was_taken_in"]
    assert check.passed, check.description
    assert _names(store.inbox / "taken") == names
    kept = store.newest("CBS 83625NED", "delivered")
    assert kept is not None
    assert kept.details["file"] == "observations-page-1.json"
    assert len(kept.parts) == 4


def test_an_empty_inbox_is_no_fault(run: Job, store: SnapshotStore) -> None:
    store.inbox.rmdir()
    result = run(TAKE_IN)
    assert checks_of(result)["every_file_was_taken_in"].passed
    assert metadata_of(result, DELIVERED)["dagster/row_count"] == 0


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_file())


# --- the sensor


class Watched:
    """The sensor on an inbox, evaluated as Dagster does: every time with the cursor of the time before."""

    def __init__(self, store: SnapshotStore) -> None:
        self.sensor = inbox_sensor(str(store.root))
        self.cursor: str | None = None

    def look(self) -> str | None:
        """One look: the key of the run that is requested, if any; a reason why not, if none."""
        context = dg.build_sensor_context(cursor=self.cursor)
        data = self.sensor.evaluate_tick(context)
        self.cursor = data.cursor
        assert bool(data.run_requests) != bool(data.skip_message)
        (request,) = data.run_requests or (None,)
        return request.run_key if request else None


def test_the_sensor_requests_one_run_once_the_files_lie_still(store: SnapshotStore) -> None:
    watched = Watched(store)
    assert watched.look() is None
    file = store.inbox / "ww.xlsx"
    file.write_bytes(b"half")
    assert watched.look() is None
    file.write_bytes(b"half and the other half")
    assert watched.look() is None
    first = watched.look()
    assert first
    # Dagster starts no second run with the same key while this one is at it.
    assert watched.look() == first
    (store.inbox / "second.xlsx").write_bytes(b"another")
    assert watched.look() is None
    assert watched.look() not in (None, first)


def test_the_sensor_passes_over_what_is_not_for_it(store: SnapshotStore) -> None:
    (store.inbox / "refused").mkdir()
    (store.inbox / "refused" / "old.csv").write_text("a", encoding="utf-8")
    (store.inbox / ".ww.xlsx.part").write_bytes(b"half")
    (store.inbox / "~$ww.xlsx").write_bytes(b"a lock of a spreadsheet")
    watched = Watched(store)
    assert [watched.look(), watched.look()] == [None, None]


@pytest.mark.skipif(os.name == "nt", reason="Windows does not note when a file was moved")
def test_a_refused_file_that_is_put_back_unchanged_is_taken_in_anew(store: SnapshotStore) -> None:
    """Its layout was described meanwhile. Name, size and date are what they were."""
    file, refused = store.inbox / "ww.xlsx", store.root / "ww.xlsx"
    file.write_bytes(b"whole")
    watched = Watched(store)
    first = [watched.look(), watched.look()][1]
    file.rename(refused)
    assert watched.look() is None
    refused.rename(file)
    second = [watched.look(), watched.look()][1]
    assert None not in (first, second)
    assert first != second


def test_the_sensor_starts_the_job_that_takes_in(run: Job, store: SnapshotStore) -> None:
    assert inbox_sensor(str(store.root)).job_name == TAKE_IN


# --- the schedule


def test_publishers_are_asked_monthly_and_before_the_report_weekly() -> None:
    """Six in the morning in Twente, summer and winter; 1 June 2026 is a Monday too, which is one time only."""
    begin = datetime(2026, 4, 2, tzinfo=AMSTERDAM)
    ticks = source_watch.cron_schedule, source_watch.execution_timezone
    assert ticks == (["0 6 1 * *", "0 6 * 5-7 1"], "Europe/Amsterdam")
    days = _days(begin, 17)
    assert days == [
        *("2026-05-01", "2026-05-04", "2026-05-11", "2026-05-18", "2026-05-25"),
        *("2026-06-01", "2026-06-08", "2026-06-15", "2026-06-22", "2026-06-29"),
        *("2026-07-01", "2026-07-06", "2026-07-13", "2026-07-20", "2026-07-27"),
        *("2026-08-01", "2026-09-01"),
    ]
    assert _days(datetime(2026, 12, 2, tzinfo=AMSTERDAM), 2) == ["2027-01-01", "2027-02-01"]


def _days(begin: datetime, number: int) -> list[str]:
    """The next days on which the schedule runs, all at six o'clock."""
    from itertools import islice

    from dagster._utils.schedules import schedule_execution_time_iterator

    ticks = schedule_execution_time_iterator(
        begin.astimezone(UTC).timestamp(),
        source_watch.cron_schedule,
        source_watch.execution_timezone,
    )
    moments = [moment.astimezone(AMSTERDAM) for moment in islice(ticks, number)]
    assert {(moment.hour, moment.minute) for moment in moments} == {(6, 0)}
    return [moment.date().isoformat() for moment in moments]


def test_the_schedule_starts_the_job_that_asks(run: Job) -> None:
    assert source_watch.job_name == REFRESH
    tick = source_watch.evaluate_tick(
        dg.build_schedule_context(scheduled_execution_time=datetime(2026, 5, 1, 6, tzinfo=AMSTERDAM))
    )
    assert tick.run_requests
    assert len(tick.run_requests) == 1
