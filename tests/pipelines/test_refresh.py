"""`btg fetch`, `btg add` and `btg measure --input DATA`, from the publishers to the edition.

The publishers are stand-ins that serve every table of the catalogue (tests/standins/publishers): the bundled figures
where there are any, else figures invented by a rule, and surveys with margins of 2 up and down. One of them has revised
a table on which the baseline is frozen. Everything is fetched once and measured twice, by the commands a user types.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
import signal
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from assets.tables import CATALOGUE
from catalog import frames
from catalog.current import with_services
from catalog.layouts import load_layouts
from methods.observe import observations
from pipelines import refresh
from sources import bundled, read_snapshot
from sources.bundled import examples
from sources.collect import collect
from sources.errors import InputError
from sources.facts import read_facts
from sources.fetch import Refresh, fetch, fetchable
from sources.http import Manners, PoliteClient
from sources.snapshots import SnapshotStore
from tests.conftest import BTG, Run, Runs
from tests.standins.faults import Fault, Kind
from tests.standins.publishers import MARGIN, Publishers, few, only, publishers
from tests.standins.tables import StandInTable

if TYPE_CHECKING:
    from tests.pipelines.conftest import Btg

pytestmark = pytest.mark.filterwarnings("ignore::dagster.PreviewWarning", "ignore::dagster.BetaWarning")

TABLES = fetchable(CATALOGUE)
SURVEY, LABOUR = "CBS 86137NED", "CBS 86008NED"
FROZEN_INCOME, INCOME = "CBS 85039NED", "CBS 86161NED (indeling 2025)"
GROUPS = ["TWENTE", "URBAN_CORE", "RURAL", "NL_REST"]
# By how much the publisher has revised every income of the baseline, in 1000 euro.
REVISED_BY = 0.4


# --- once fetched, twice measured


@dataclass(frozen=True)
class Fetched:
    """A data root that `btg fetch` filled, what it said, and what it asked."""

    root: Path
    said: str
    requests: list[str]


def command(*arguments: str | Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run `btg` as a user does."""
    settings = {**os.environ, "NO_COLOR": "1", "COLUMNS": "200", **(env or {})}
    return subprocess.run(
        [BTG, *arguments], env=settings, capture_output=True, text=True, encoding="utf-8", timeout=120, check=False
    )


@pytest.fixture(scope="session")
def served() -> Iterator[Publishers]:
    """All publishers. The income table of the baseline is not what it was when the baseline was frozen."""
    with publishers(CATALOGUE, read_facts(bundled.FOLDER, CATALOGUE)) as made:
        made.issue("85039NED", _revised)
        yield made


def _revised(table: StandInTable) -> StandInTable:
    (income,) = (topic.code for topic in table.topics if topic.title.startswith("Gem. gestandaardiseerd inkomen"))
    value = pl.when(pl.col("topic") == income).then((pl.col("value") + REVISED_BY).round(1)).otherwise("value")
    return replace(table, observations=table.cells.with_columns(value=value))


@pytest.fixture(scope="session")
def fetched(served: Publishers, tmp_path_factory: pytest.TempPathFactory) -> Fetched:
    """Everything, fetched by the command."""
    root = tmp_path_factory.mktemp("fetched") / "data"
    served.forget()
    done = command("fetch", env=served.environment | {"BTG_DATA": str(root)})
    assert done.returncode == 0, done.stdout + done.stderr
    return Fetched(root, done.stdout, served.requests)


@pytest.fixture(scope="session")
def after_failure(fetched: Fetched, served: Publishers, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same data root after a refresh in which the service of the labour figures answered 503, for ever."""
    root = Path(shutil.copytree(fetched.root, tmp_path_factory.mktemp("after-failure") / "data"))
    served.faults.append(Fault(Kind.UNAVAILABLE, matches="86008NED"))
    try:
        with PoliteClient(Manners(first_wait=0.01, attempts=3)) as client:
            known = read_facts(bundled.FOLDER, CATALOGUE).figures
            asked = Refresh(with_services(CATALOGUE, served.environment), SnapshotStore(root), client, known)
            (outcome,) = fetch(asked, [LABOUR])
    finally:
        served.faults.clear()
    assert outcome.result == "failed"
    return root


@pytest.fixture(scope="session", autouse=True)
def measuring(
    fetched: Fetched, after_failure: Path, runs: Runs, tmp_path_factory: pytest.TempPathFactory
) -> list[Future[Run]]:
    """Both runs, begun: without the addresses of the stand-ins, for a measurement asks nobody."""
    folders = [tmp_path_factory.mktemp("measured"), tmp_path_factory.mktemp("measured-elsewhere")]
    elsewhere: dict[str, str | None] = {
        "BTG_DATA": str(after_failure),
        "TZ": "Pacific/Kiritimati",
        "LC_ALL": "C",
        "PYTHONHASHSEED": "7",
    }
    return [
        runs.pool.submit(runs.btg, "measure", "--input", fetched.root, output=folders[0] / "output"),
        runs.pool.submit(runs.btg, "measure", output=folders[1] / "output", cwd=folders[1], env=elsewhere),
    ]


@pytest.fixture(scope="session")
def measured(measuring: list[Future[Run]]) -> Run:
    """`btg measure --input DATA`."""
    return measuring[0].result().succeeded()


@pytest.fixture(scope="session")
def measured_after_failure(measuring: list[Future[Run]]) -> Run:
    """`btg measure` on the same snapshots after a failed refresh, in another place, zone and language."""
    return measuring[1].result().succeeded()


@cache
def table(run: Run, name: str) -> pl.DataFrame:
    """A table of the edition that a run made."""
    return pl.read_parquet(run.output / "editions" / "2025-draft" / "parquet" / f"{name}.parquet")


def values(run: Run, indicator: str, year: int) -> dict[str, dict[str, Any]]:
    """The rows of an indicator and measurement year, by region."""
    rows = table(run, "indicator_value").filter(indicator_id=indicator, measurement_year=year).to_dicts()
    return {row["region_code"]: row for row in rows}


def said_of_sources(run: Run) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((run.output / "last_run" / "sources.json").read_text(encoding="utf-8"))
    return content


def choice(run: Run, indicator: str, year: int) -> dict[str, Any]:
    """What sources.json says of an indicator and year."""
    (found,) = (
        row
        for row in said_of_sources(run)["choices"]
        if (row["indicator_id"], row["measurement_year"]) == (indicator, year)
    )
    return dict(found)


# --- btg fetch


def test_fetch_says_a_line_a_table_and_how_to_go_on(fetched: Fetched) -> None:
    lines = fetched.said.splitlines()
    assert [line.split(maxsplit=1)[1].rpartition(", ")[0] or line.split(maxsplit=1)[1] for line in lines[:28]] == TABLES
    assert all(line.startswith("new  ") for line in lines[:28])
    assert lines[0] == "new        CBS 03759ned, 35672 figures"
    assert "28 tables: 28 new, 0 changed, 0 unchanged, 0 failed." in fetched.said
    assert lines[-1] == "Measure them: btg measure"


def test_fetch_asks_for_each_table_once_and_only_for_what_is_measured(fetched: Fetched) -> None:
    """Of the population the whole table is 100 million figures. Tables of areas are small, and wanted whole."""
    whole = [t.service.table_id for t in CATALOGUE.source_tables.values() if t.service and t.areas_of]
    asked = [request for request in fetched.requests if "Observations?" in request or "UntypedDataSet?" in request]
    rows = [request for request in asked if not any(f"/{table_id}/" in request for table_id in whole)]
    assert all("$filter=" in request for request in rows)
    first_pages = [request for request in rows if "$skip=" not in request]
    assert len(first_pages) == len(set(first_pages))
    store = SnapshotStore(fetched.root)
    for name in ("CBS 03759ned", SURVEY, INCOME):
        snapshot = store.newest(name)
        assert snapshot is not None
        pages = [store.read(part) for part in snapshot.parts if "/observations/" in part.role or "/rows/" in part.role]
        assert pages
        assert not any(b"PV23" in page for page in pages)


def test_fetch_keeps_snapshots_that_say_where_they_came_from(fetched: Fetched) -> None:
    store = SnapshotStore(fetched.root)
    for name in TABLES:
        snapshot = store.newest(name)
        assert snapshot is not None
        assert snapshot.url.startswith("http://127.0.0.1:")
        assert snapshot.licence
        assert all(hashlib.sha256(store.read(part)).hexdigest() == part.sha256 for part in snapshot.parts)


def test_fetch_of_what_did_not_change_with_one_table_that_fails_and_newer_editions(
    fetched: Fetched, served: Publishers, tmp_path: Path
) -> None:
    root = Path(shutil.copytree(fetched.root, tmp_path / "data"))
    before = dict(served.v4.tables), dict(served.v3.tables)
    served.faults.append(Fault(Kind.TABLE_WITHDRAWN, matches="86008NED"))
    districts, areas = served.v3.tables["86165NED"], served.v3.tables["86247NED"]
    served.v3.tables |= {
        "86999NED": replace(districts, table_id="86999NED", title="Kerncijfers wijken en buurten 2026"),
        "86998NED": replace(areas, table_id="86998NED", title="Gebieden in Nederland 2027"),
    }
    served.v4.tables["83625NED"] = replace(served.v4.tables["83625NED"], status="Gediscontinueerd")
    served.forget()
    try:
        done = command("fetch", "--data", root, env=served.environment)
    finally:
        served.faults.clear()
        served.v4.tables, served.v3.tables = before
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    words = {line.split(maxsplit=1)[1]: line.split()[0] for line in done.stdout.splitlines()[:40] if line[:1].isalpha()}
    assert words[LABOUR] == "failed"
    assert f"{LABOUR}: expected a table at 127.0.0.1" in done.stdout
    # That it is no longer kept up is a change of the table too: it is fetched, and nothing in it is new.
    assert words["CBS 83625NED, 3773 figures"] == "changed"
    assert "28 tables: 0 new, 1 changed, 26 unchanged, 1 failed." in done.stdout
    assert "What failed keeps its last good snapshot. Later again: btg fetch" in done.stdout
    attention = [line for line in done.stdout.splitlines() if line.startswith("attention")]
    assert len(attention) == 3
    for sentence in (
        "86998NED 'Gebieden in Nederland 2027' is a newer CBS 86247NED",
        "86999NED 'Kerncijfers wijken en buurten 2026' is a newer CBS 86165NED",
        "CBS 83625NED is no longer kept up by its publisher (Gediscontinueerd)",
    ):
        assert any(sentence in line for line in attention)
    store, first = SnapshotStore(root), SnapshotStore(fetched.root)
    assert store.of(LABOUR) == first.of(LABOUR)
    # Of what did not change one small request a table; the lists of tables are asked for their titles.
    asked = [request.partition("?")[0] for request in served.requests if "83625NED" not in request]
    assert all(path.endswith(("/Properties", "/TableInfos", "/Tables", "/Datasets")) for path in asked)
    assert len([path for path in asked if path.endswith(("/Properties", "/TableInfos"))]) == 26


@pytest.fixture
def two_tables(monkeypatch: pytest.MonkeyPatch) -> Iterator[Publishers]:
    """The publishers of two tables and the boundaries, for `btg` within this process."""
    facts = few(read_facts(bundled.FOLDER, CATALOGUE), [*CATALOGUE.region.municipalities, "NL01"])
    chosen = only(CATALOGUE, ("perceived_health_good", SURVEY), ("income_standardised_mean", INCOME))
    with publishers(chosen, facts) as made:
        monkeypatch.setattr(refresh, "CATALOGUE", with_services(chosen, made.environment))
        monkeypatch.setattr(refresh, "known_figures", lambda: facts.figures)
        yield made


def test_fetch_for_a_program(btg: Btg, two_tables: Publishers, tmp_path: Path) -> None:
    btg("fetch", "--data", tmp_path)
    two_tables.faults += [
        Fault(Kind.PROVISIONAL_FLIP, matches="86161NED"),
        Fault(Kind.COLUMN_RENAMED, matches="86137NED"),
    ]
    result = btg("fetch", "--json", "--data", tmp_path)
    assert result.exit_code == 1
    assert result.stderr == ""
    said = json.loads(result.stdout)
    assert said.keys() == {"tables", "publishers"}
    income, survey, boundaries = said["tables"]
    assert [row["source_table"] for row in said["tables"]] == [INCOME, SURVEY, "CBS/Kadaster gebiedsindelingen 2025"]
    assert [row["result"] for row in said["tables"]] == ["changed", "failed", "unchanged"]
    assert income["news"] == [
        "income_standardised_mean 2024: 15 figures were revised",
        "income_standardised_mean 2024: 15 figures went from provisional to definitive",
    ]
    assert survey["message"].startswith(SURVEY)
    assert boundaries["message"] == ""
    assert said["publishers"] == []


@pytest.mark.parametrize("name", ["cbs_income", "86161NED", INCOME])
def test_fetch_of_one_source_or_table_asks_for_that_only(
    name: str, btg: Btg, two_tables: Publishers, tmp_path: Path
) -> None:
    result = btg("fetch", name, "--data", tmp_path)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[0] == f"new        {INCOME}, 210 figures"
    assert "1 table: 1 new, 0 changed, 0 unchanged, 0 failed." in result.stdout
    assert all("86161NED" in request for request in two_tables.requests)


def test_fetch_says_what_changed_under_the_table(btg: Btg, two_tables: Publishers, tmp_path: Path) -> None:
    btg("fetch", "--data", tmp_path)
    two_tables.faults.append(Fault(Kind.PROVISIONAL_FLIP, matches="86161NED"))
    result = btg("fetch", "--data", tmp_path)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[:3] == [
        f"changed    {INCOME}, 210 figures",
        "           income_standardised_mean 2024: 15 figures were revised",
        "           income_standardised_mean 2024: 15 figures went from provisional to definitive",
    ]


def test_fetch_with_force_downloads_what_did_not_change(btg: Btg, two_tables: Publishers, tmp_path: Path) -> None:
    btg("fetch", SURVEY, "--data", tmp_path)
    assert btg("fetch", SURVEY, "--data", tmp_path).stdout.startswith("unchanged")
    assert btg("fetch", SURVEY, "--force", "--data", tmp_path).stdout.startswith("changed")
    assert len(SnapshotStore(tmp_path).of(SURVEY)) == 2


def test_fetch_of_something_unknown_asks_nobody(btg: Btg, two_tables: Publishers, tmp_path: Path) -> None:
    result = btg("fetch", "cbs_income", "cbs_incomes", "--data", tmp_path)
    assert result.exit_code == 2
    assert "'cbs_incomes' is not something that can be fetched." in result.stderr
    assert two_tables.requests == []


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot send Ctrl-C to another process")
def test_fetch_stops_at_once_when_asked_to_though_a_service_is_silent(served: Publishers, tmp_path: Path) -> None:
    served.forget()
    served.faults.append(Fault(Kind.SILENT, matches="86008NED"))
    process = subprocess.Popen(
        [BTG, "fetch", "cbs_labour", "--data", tmp_path / "data"],
        env=os.environ | served.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        while process.poll() is None and not served.requests:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=10)
    finally:
        process.kill()
        served.faults.clear()
    assert process.returncode == 130
    assert (stdout, stderr) == ("", "Stopped. What was kept before is untouched.\n")
    assert not (tmp_path / "data").exists()


# --- btg add


def test_add_of_invented_workbooks_is_measured_and_says_so_everywhere(btg: Btg, tmp_path: Path) -> None:
    for example in (examples.UWV, examples.GGD):
        result = btg("add", example, "--data", tmp_path)
        assert result.exit_code == 0, result.output
        assert "an invented example: what is measured with it says synthetic" in result.stdout
        assert f"Kept in {tmp_path}. Measure it: btg measure" in result.stdout
    facts = read_facts(bundled.FOLDER, CATALOGUE)
    collected = collect(CATALOGUE, facts, SnapshotStore(tmp_path))
    invented = collected.figures.filter("synthetic")
    assert set(invented["source_table"]) == {"UWV WW-uitkeringen per gemeente", "GGD Gezondheidsmonitor per gemeente"}
    # In the workbook: Enschede, December 2025; and Losser's "?" of 2024.
    ww = invented.filter(indicator_id="benefit_unemployment", region_code="GM0153", period="2025-12")
    health = invented.filter(indicator_id="perceived_health_good", region_code="GM0168", period="2024")
    assert ww["value"].item() == _in_workbook("Enschede", 11)
    assert health.select("value", "status", "reason").row(0) == (None, "not_published", "?")
    assert set(collected.origins.filter(origin="delivered")["source_table"]) == set(invented["source_table"])
    observed = observations(collected.figures, frames.indicator_sources(CATALOGUE), frames.period_warnings(CATALOGUE))
    marked = observed.filter(pl.col("warnings").list.contains("synthetic"))
    assert marked.height == invented.height


def _in_workbook(municipality: str, month: int) -> int:
    import python_calamine

    (sheet,) = python_calamine.CalamineWorkbook.from_path(examples.UWV).sheet_names
    rows = python_calamine.CalamineWorkbook.from_path(examples.UWV).get_sheet_by_name(sheet).to_python()
    (row,) = (row for row in rows if municipality in row)
    return int(row[2 + month])


def _archive(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def _with_entities(path: Path) -> Path:
    entities = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><a>&b;</a>'
    return _archive(path, {"[Content_Types].xml": entities, "xl/workbook.xml": entities})


HOSTILE = {
    "bomb": lambda path: _archive(path, {"xl/workbook.xml": bytes(300_000_000)}),
    "path outside": lambda path: _archive(path, {"../../etc/passwd": b"x", "xl/workbook.xml": b"<a/>"}),
    "entities": _with_entities,
    "half a workbook": lambda path: path.write_bytes(examples.UWV.read_bytes()[:3000]),
    "nothing": lambda path: path.write_bytes(b""),
    "a page": lambda path: path.write_text("<!DOCTYPE html><html><body>Login</body></html>", encoding="utf-8"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_add_of_a_file_that_is_no_figures_is_refused_in_one_message(kind: str, btg: Btg, tmp_path: Path) -> None:
    file = tmp_path / "delivery.xlsx"
    HOSTILE[kind](file)
    result = btg("add", file, "--data", tmp_path / "data")
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit)
    assert result.stdout == ""
    assert "delivery.xlsx" in result.stderr
    assert result.stderr.endswith("Nothing was taken in.\n")
    assert "Traceback" not in result.stderr
    assert len(result.stderr) < 1500
    assert not (tmp_path / "data").exists()


def test_add_as_a_source_that_does_not_exist_is_refused(btg: Btg, tmp_path: Path) -> None:
    result = btg("add", examples.UWV, "--source", "uvw", "--data", tmp_path)
    assert result.exit_code == 2
    assert "uvw" in result.stderr
    assert "ggd_twente" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_add_as_another_source_than_it_is_of_is_refused(btg: Btg, tmp_path: Path) -> None:
    result = btg("add", examples.UWV, "--source", "ggd_twente", "--data", tmp_path)
    assert result.exit_code == 1
    assert "expected a layout that is described" in result.stderr
    assert btg("add", examples.UWV, "--source", "uwv", "--data", tmp_path).exit_code == 0


@pytest.mark.shared
def test_add_of_a_file_published_by_cbs(btg: Btg, tmp_path: Path, shared_data: Path) -> None:
    """The provisional incomes of 2024, downloaded by hand from StatLine."""
    file = shared_data / "income" / "Inkomen_van_huishoudens_regio_2024voorlopig_gemeenten.csv"
    said = json.loads(btg("add", file, "--json", "--data", tmp_path).stdout)
    assert (said["source_table"], said["synthetic"], said["kept"]) == (INCOME, False, True)
    # Of Ameland, Renswoude, Rozendaal, Schiermonnikoog and Vlieland the mean is not there.
    mean = {"indicator_id": "income_standardised_mean", "period": "2024", "regions": 343, "missing": 5}
    assert mean in said["holds"]
    found = collect(CATALOGUE, read_facts(bundled.FOLDER, CATALOGUE), SnapshotStore(tmp_path))
    almelo = found.figures.filter(indicator_id="income_standardised_mean", region_code="GM0141", period="2024")
    # Line 10 of the file.
    assert almelo.select("value", "status", "source_table").rows() == [(39.2, "provisional", INCOME)]


def test_a_delivered_file_that_can_no_longer_be_read_is_named_not_the_folder_it_was_unpacked_in(
    btg: Btg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    btg("add", examples.UWV, "--data", tmp_path)
    changed = [
        layout.model_copy(update={"recognise": layout.recognise.model_copy(update={"columns": ("Regio",)})})
        for layout in load_layouts(CATALOGUE.source_tables)
    ]
    monkeypatch.setattr(read_snapshot, "load_layouts", lambda _: changed)
    with pytest.raises(InputError) as caught:
        collect(CATALOGUE, read_facts(bundled.FOLDER, CATALOGUE), SnapshotStore(tmp_path))
    assert examples.UWV.name in str(caught.value)
    assert tempfile.gettempdir() not in str(caught.value)


# --- btg measure --input DATA: what is measured


def test_an_edition_is_made_of_the_snapshots(measured: Run) -> None:
    assert "Measuring the snapshots in" in measured.stderr
    assert "Edition 2025-draft of Twente is ready." in measured.stdout
    assert table(measured, "edition")["contains_synthetic"].to_list() == [False]


def test_labour_participation_is_that_of_the_newest_live_table(measured: Run) -> None:
    """40, what the letters of GM0153 (349) leave after division by 17, and 0.1 a year since 2012."""
    row = values(measured, "net_labour_participation", 2025)["GM0153"]
    assert (row["reference_period"], row["source_table"]) == ("2023", LABOUR)
    assert row["value"] == pytest.approx(40 + 9 + 1.1)


def test_the_survey_comes_with_its_margins_for_every_municipality_and_the_country(measured: Run) -> None:
    rows = values(measured, "perceived_health_good", 2025)
    for code in [*CATALOGUE.region.municipalities, "NL01"]:
        row = rows[code]
        assert (row["reference_period"], row["source_table"], row["series_id"]) == ("2024", SURVEY, "health_monitor")
        assert row["ci_low"] == pytest.approx(row["value"] - MARGIN)
        assert row["ci_high"] == pytest.approx(row["value"] + MARGIN)
    # As above; the letters of NL01 add up to 251, which leaves 13.
    assert rows["GM0153"]["value"] == pytest.approx(40 + 9 + 1.2)
    assert rows["NL01"]["value"] == pytest.approx(40 + 13 + 1.2)


@pytest.mark.parametrize("group", GROUPS)
def test_the_margin_of_a_group_follows_from_those_of_its_members(group: str, measured: Run) -> None:
    """By hand: members weigh by their adults, and every half-width is 2, so the group's is 2 x root(sum of share^2)."""
    members = table(measured, "region_member").filter(group_code=group, period="2024")["municipality_code"].to_list()
    observed = table(measured, "observation")
    adults = dict(
        observed.filter(indicator_id="population_18plus", period="2024").select("region_code", "value").iter_rows()
    )
    health = dict(
        observed.filter(indicator_id="perceived_health_good", period="2024", source_table=SURVEY)
        .select("region_code", "value")
        .iter_rows()
    )
    assert len(members) == {"TWENTE": 14, "URBAN_CORE": 3, "RURAL": 11, "NL_REST": 342 - 14}[group]
    everybody = math.fsum(adults[code] for code in members)
    shares = {code: adults[code] / everybody for code in members}
    value = math.fsum(shares[code] * health[code] for code in members)
    half_width = MARGIN * math.sqrt(math.fsum(share**2 for share in shares.values()))
    row = values(measured, "perceived_health_good", 2025)[group]
    assert row["value"] == pytest.approx(value, abs=1e-9)
    assert row["ci_low"] == pytest.approx(value - half_width, abs=1e-9)
    assert row["ci_high"] == pytest.approx(value + half_width, abs=1e-9)
    published = table(measured, "group_weight").filter(
        indicator_id="perceived_health_good", reference_period="2024", group_code=group
    )
    assert dict(published.select("municipality_code", "share").iter_rows()) == pytest.approx(shares)
    assert not published["approximate"].any()


def test_verdicts_on_health_follow_from_the_margins(measured: Run) -> None:
    """The difference of two independent estimates has the margin root(a^2 + b^2)."""
    verdicts = table(measured, "comparison").filter(indicator_id="perceived_health_good", measurement_year=2025)
    assert verdicts["basis"].unique().to_list() == ["interval"]
    assert set(verdicts["verdict"]) == {"better", "worse", "no_demonstrable_difference"}
    rows = values(measured, "perceived_health_good", 2025)
    cores = verdicts.filter(region_code="URBAN_CORE", comparator_code="RURAL").row(0, named=True)
    widths = [rows[code]["ci_high"] - rows[code]["value"] for code in ("URBAN_CORE", "RURAL")]
    difference = rows["URBAN_CORE"]["value"] - rows["RURAL"]["value"]
    assert cores["difference"] == pytest.approx(difference)
    assert cores["difference_ci_high"] == pytest.approx(difference + math.hypot(*widths), abs=0.15)
    assert cores["difference_ci_high"] < 0
    assert cores["verdict"] == "worse"
    enschede = verdicts.filter(region_code="GM0153", comparator_code="NL01").row(0, named=True)
    # 50.2 against 54.2, each plus or minus 2: -4.0 plus or minus 2.83.
    assert enschede["difference"] == pytest.approx(-4.0)
    assert enschede["difference_ci_high"] == pytest.approx(-4.0 + math.hypot(2, 2), abs=0.15)
    assert enschede["verdict"] == "worse"


def test_a_ratio_of_a_group_is_the_ratio_of_its_sums(measured: Run) -> None:
    """Never the mean of the ratios of its members."""
    ratio = CATALOGUE.indicator("social_assistance_per_1000").ratio
    assert ratio is not None
    observed = table(measured, "observation")
    counts = dict(
        observed.filter(indicator_id=ratio.numerator, period="2025-12", source_table="CBS 80794ned")
        .select("region_code", "value")
        .iter_rows()
    )
    people = dict(
        observed.filter(indicator_id=ratio.denominator, period="2025").select("region_code", "value").iter_rows()
    )
    rows = values(measured, "social_assistance_per_1000", 2025)
    for code, members in {**CATALOGUE.region.own_groups, "GM0153": ["GM0153"]}.items():
        expected = ratio.per * sum(counts[m] for m in members) / sum(people[m] for m in members)
        assert rows[code]["value"] == pytest.approx(expected), code
    assert rows["GM0153"]["reference_period"] == "2025-12"
    assert rows["NL_REST"]["value"] is not None


def test_snapshots_go_before_the_bundle_and_surveys_before_models_and_it_is_said(measured: Run) -> None:
    labour = choice(measured, "net_labour_participation", 2025)
    assert (labour["source_table"], labour["origin"], labour["kind"]) == (LABOUR, "live", "sample")
    health = choice(measured, "perceived_health_good", 2025)
    assert (health["source_table"], health["origin"], health["kind"]) == (SURVEY, "live", "sample")
    assert health["passed_over"] == ["RIVM 50150NED (model)"]
    assert health["why"] == "it goes before RIVM 50150NED (model) in the catalogue"
    # A table that is not fetched stays as bundled.
    assert choice(measured, "perceived_health_good_direct", 2025)["origin"] == "bundled"
    assert "Good perceived health, 2024: CBS 86137NED (sample, live); it goes before RIVM" in measured.stdout
    said = {(row["indicator_id"], row["measurement_year"]) for row in said_of_sources(measured)["choices"]}
    found = table(measured, "indicator_value").filter(pl.col("reference_period").is_not_null())
    assert said == set(found.select("indicator_id", "measurement_year").unique().iter_rows())
    assert all(row["why"] and row["origin"] for row in said_of_sources(measured)["choices"])


def test_the_baseline_stays_what_it_was_and_a_revision_is_said_with_its_size(measured: Run) -> None:
    """The income of 2021 that the covenant was based on: 27.8 in Enschede, in the bundle as CBS published it."""
    row = values(measured, "income_standardised_mean", 2022)["GM0153"]
    assert (row["value"], row["reference_period"], row["source_table"]) == (27.8, "2021", FROZEN_INCOME)
    said = said_of_sources(measured)["baseline"]
    assert all(f"  • {sentence}" in measured.stdout.splitlines() for sentence in said)
    (revision,) = (sentence for sentence in said if "was revised" in sentence)
    assert revision.startswith(f"income_standardised_mean 2021: {FROZEN_INCOME} was revised; the first figures stand")
    # All fourteen by as much, so the first by code is named: Almelo, 27.6 in the bundle.
    assert "14 of 14 municipalities differ, Almelo most: " in revision
    first, second = revision.partition("Almelo most: ")[2].split(" of the others")[0].rstrip(")").split(" against ")
    assert float(second) - float(first) == pytest.approx(REVISED_BY)
    (other,) = (sentence for sentence in said if f"{FROZEN_INCOME} stands; {INCOME} has other figures" in sentence)
    assert "The catalogue decides" in other
    check = table(measured, "check_result").filter(check_id="baseline_has_one_source").row(0, named=True)
    assert (check["passed"], check["severity"]) == (False, "warning")


def test_sources_have_the_checksums_and_dates_of_their_snapshots(measured: Run, fetched: Fetched) -> None:
    store = SnapshotStore(fetched.root)
    rows = {row["source_table"]: row for row in table(measured, "source").to_dicts()}
    for name in (SURVEY, LABOUR, INCOME, "RIVM 50150NED", "CBS 03759ned"):
        snapshot = store.newest(name)
        assert snapshot is not None
        row = rows[name]
        assert (row["sha256"], row["bytes"]) == (snapshot.sha256, snapshot.bytes)
        assert (row["retrieved_at"], row["modified_at"]) == (snapshot.retrieved_at, snapshot.modified_at)
        assert row["rows"] > 0
    bundled_row = rows["GGD/RIVM/CBS Gezondheidsmonitor 2022, GGD-regio"]
    assert bundled_row["sha256"] not in {row["sha256"] for row in rows.values() if row["source_table"] == SURVEY}


def test_the_edition_counts_the_snapshots_it_was_made_from_among_its_input(measured: Run, fetched: Fetched) -> None:
    """Those of figures, and that of the borders, which stands in place of the bundled outlines."""
    files = pl.read_parquet(measured.output / "last_run" / "tables" / "raw" / "input_files.parquet")
    sha256 = dict(files.select("sha256", "file").iter_rows())
    for name in (SURVEY, INCOME, TABLES[-1]):
        snapshot = SnapshotStore(fetched.root).newest(name)
        assert snapshot is not None
        assert sha256[snapshot.sha256] == f"{name} {snapshot.sha256[:12]}"
    assert not [file for file in files["file"] if "outlines" in file]
    content = "".join(f"{file} {digest}\n" for file, digest in sorted(files.select("file", "sha256").iter_rows()))
    expected = hashlib.sha256(content.encode()).hexdigest()
    assert table(measured, "edition")["input_sha256"].to_list() == [expected]


def test_maps_are_drawn_on_the_borders_that_were_fetched(measured: Run) -> None:
    regions = table(measured, "region")
    today = regions.filter(pl.col("kind") == "municipality", pl.col("population_period") == "2025")
    assert today.height == 342
    assert today["geometry_wkb"].null_count() == 0
    groups = regions.filter(pl.col("region_code").is_in(["TWENTE", "URBAN_CORE", "RURAL"]))
    assert groups["geometry_wkb"].null_count() == 0
    maps = list((measured.output / "editions" / "2025-draft" / "charts").glob("*_map.svg"))
    assert len(maps) == len(CATALOGUE.headline_indicators) == 4
    for path in maps:
        assert "grenzen 2025: CBS/Kadaster, CC BY 4.0" in path.read_text(encoding="utf-8")


# --- again, after a refresh that failed


def test_what_is_expected_of_a_municipality_is_learnt_in_other_provinces(measured: Run) -> None:
    provinces = pl.read_parquet(measured.output / "last_run" / "tables" / "raw" / "provinces.parquet")
    assert provinces["municipality_code"].is_unique().all()
    own = provinces.filter(pl.col("municipality_code").is_in(list(CATALOGUE.region.municipalities)))
    assert own["province_code"].to_list() == ["PV23"] * 14
    assert provinces["province_code"].n_unique() == 12
    expected = table(measured, "expected_value")
    assert set(expected["folds"]) == {"province"}
    assert expected.filter(pl.col("expected_value").is_not_null()).height > 0


def test_a_failed_refresh_is_a_warning_that_names_the_table_and_the_old_snapshot_is_measured(
    measured: Run, measured_after_failure: Run
) -> None:
    (failed,), (passed,) = (
        table(run, "check_result").filter(check_id="last_fetch_succeeded").to_dicts()
        for run in (measured_after_failure, measured)
    )
    assert (failed["passed"], failed["severity"], failed["observed"]) == (False, "warning", "1 tables")
    assert LABOUR in failed["message"]
    assert "503" in failed["message"]
    assert passed["passed"]
    assert values(measured_after_failure, "net_labour_participation", 2025) == values(
        measured, "net_labour_participation", 2025
    )


def test_the_same_snapshots_give_the_same_bytes(measured: Run, measured_after_failure: Run) -> None:
    """All but what tells of the run itself, and the check of the last refresh."""
    one, other = (run.output / "editions" / "2025-draft" for run in (measured, measured_after_failure))
    names = sorted(
        path.relative_to(one).as_posix()
        for folder in ("parquet", "csv")
        for path in (one / folder).iterdir()
        if path.stem not in ("edition", "check_result")
    )
    assert len(names) > 20
    assert [name for name in names if (one / name).read_bytes() != (other / name).read_bytes()] == []
    rows = [table(run, "edition").drop("created_at") for run in (measured, measured_after_failure)]
    assert rows[0].equals(rows[1])
