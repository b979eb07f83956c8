"""The code location: loads anywhere, every published table is described and guarded, and the rooms keep apart."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

import dagster as dg
import pytest

from assets import publication
from assets.raw import raw_name
from assets.tables import CATALOGUE, OWNER
from catalog import Table
from pipelines.definitions import MEASURE, PUBLISH, build_definitions, defs
from pipelines.settings import Settings
from reports.output_lock import hold

CHECKOUT = Path(__file__).parents[2]
TABLES = list(CATALOGUE.registry.tables.values())

# Reviewed: who adds, renames or drops an asset changes this list.
ASSETS = [
    "budget_progress",
    "change",
    "charts",
    "check_result",
    "claim",
    "code_list",
    "coherence",
    "comparison",
    "correction",
    "data_dictionary",
    "deadline",
    "decomposition",
    "draft_edition",
    "edition",
    "edition_candidate",
    "edition_input",
    "erratum",
    "expected_value",
    "final_edition",
    "framework_element",
    "group_weight",
    "history",
    "indicator",
    "indicator_source",
    "indicator_value",
    "intake/delivered_files",
    "intake/snapshots",
    "lesson",
    "milestone",
    "municipality_crosswalk",
    "observation",
    "observation_restated",
    "observed_figures",
    "peer",
    "policy_indicator",
    "position",
    "programme_line",
    "programme_text",
    "project",
    "raw/baseline_figures_passed_over",
    "raw/cbs_03759ned",
    "raw/cbs_37789ksz",
    "raw/cbs_70072ned",
    "raw/cbs_80794ned",
    "raw/cbs_82166ned",
    "raw/cbs_83625ned",
    "raw/cbs_83648ned",
    "raw/cbs_83674ned",
    "raw/cbs_84799ned",
    "raw/cbs_85012ned",
    "raw/cbs_85039ned",
    "raw/cbs_85318ned",
    "raw/cbs_85554ned",
    "raw/cbs_85563ned",
    "raw/cbs_85618ned",
    "raw/cbs_85984ned",
    "raw/cbs_86004ned",
    "raw/cbs_86008ned",
    "raw/cbs_86137ned",
    "raw/cbs_86161ned_indeling_2025",
    "raw/cbs_86165ned",
    "raw/cbs_bijstand_en_re_integratie_per_gemeente_2015",
    "raw/cbs_bijstand_en_re_integratie_per_gemeente_2016",
    "raw/cbs_welzijn_kerncijfers",
    "raw/corrections_applied",
    "raw/figure_origins",
    "raw/ggd_gezondheidsmonitor_per_gemeente",
    "raw/ggd_rivm_cbs_gezondheidsmonitor_2022_ggd_regio",
    "raw/input_files",
    "raw/outlines",
    "raw/provinces",
    "raw/region_names",
    "raw/rivm_50120ned",
    "raw/rivm_50150ned",
    "raw/twente_board_2022",
    "raw/twente_board_2025",
    "raw/uwv_ww_uitkeringen_per_gemeente",
    "region",
    "region_member",
    "report_requirement",
    "restated_figures",
    "revision",
    "sensitivity",
    "sensitivity_factor",
    "sensitivity_pair",
    "small_area_estimate",
    "source",
    "source_choice",
    "survey_contrast",
    "survey_estimate",
    "survey_item",
    "survey_wave",
    "target",
    "target_progress",
    "theme",
    "theme_score",
    "trend",
    "typology",
    "value_by_edition",
]

# Each room with the rooms it may import from.
ROOMS = {
    "pipelines": {"assets", "sources", "methods", "reports", "catalog"},
    "assets": {"sources", "methods", "reports", "catalog"},
    "sources": {"catalog"},
    "methods": {"catalog"},
    "reports": {"catalog"},
    "catalog": set(),
}
HEAVY = ["great_expectations", "sklearn", "geopandas", "matplotlib", "scipy", "pyproj", "svy", "pyreadstat"]

# Runs before anything else in a fresh interpreter: no network, and nothing that a person has set.
LOAD = f"""
import socket, sys
def refuse(*args, **kwargs):
    raise OSError("no network in this test")
socket.socket.connect = socket.socket.bind = socket.create_connection = socket.getaddrinfo = refuse
import pipelines.definitions
heavy = [name for name in {HEAVY!r} if name in sys.modules]
definitions = pipelines.definitions.defs
keys = sorted(key.to_user_string() for key in definitions.resolve_asset_graph().get_all_asset_keys())
definitions.resolve_job_def(pipelines.definitions.MEASURE)
import json
print(json.dumps({{"heavy": heavy, "keys": keys}}))
"""


@pytest.fixture(scope="module")
def loaded() -> dict[str, list[str]]:
    """What a fresh process without network, home directory and settings finds in the code location."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", LOAD], cwd=CHECKOUT, env=kept, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def graph() -> dg.AssetGraph:
    return defs.resolve_asset_graph()


def key_of(table: Table) -> dg.AssetKey:
    return dg.AssetKey(table.name)


# --- what is there


def test_the_code_location_loads_without_network_and_settings(loaded: dict[str, list[str]]) -> None:
    assert loaded["keys"] == ASSETS


def test_loading_imports_nothing_heavy(loaded: dict[str, list[str]]) -> None:
    assert loaded["heavy"] == []


def test_the_assets_are_those_that_were_reviewed(graph: dg.AssetGraph) -> None:
    assert sorted(key.to_user_string() for key in graph.get_all_asset_keys()) == ASSETS


def test_the_layers_are_the_groups(graph: dg.AssetGraph) -> None:
    groups = {graph.get(key).group_name for key in graph.get_all_asset_keys()}
    assert groups == {"intake", "raw", "core", "measurement", "analysis", "programme", "edition"}


def test_raw_assets_are_named_after_their_publisher(graph: dg.AssetGraph) -> None:
    raw = [key for key in graph.get_all_asset_keys() if graph.get(key).group_name == "raw"]
    assert all(key.path[0] == "raw" and len(key.path) == 2 for key in raw)
    measured = {source.source_table for indicator in CATALOGUE.indicators for source in indicator.sources}
    beside = {"region_names", "figure_origins", "baseline_figures_passed_over", "outlines", "provinces", "input_files"}
    beside |= {"corrections_applied"}
    # What residents answered is no raw table: no row of a respondent is ever an asset.
    waves = {wave.source_table for wave in CATALOGUE.survey.waves.values()}
    assert waves < measured
    assert {key.path[1] for key in raw} == {raw_name(table) for table in measured - waves} | beside
    assert len(raw) == len(measured - waves) + len(beside), "two tables share a name"


def test_only_the_two_editions_have_a_database(graph: dg.AssetGraph) -> None:
    writers = [key for key in graph.get_all_asset_keys() if "duckdb" in graph.get(key).kinds]
    assert sorted(key.to_user_string() for key in writers) == ["draft_edition", "final_edition"]


def test_the_edition_waits_for_every_table(graph: dg.AssetGraph) -> None:
    parents = graph.get(dg.AssetKey("draft_edition")).parent_keys
    assert {key_of(table) for table in TABLES} <= parents


# --- every published table


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_published_table_is_described_and_guarded(graph: dg.AssetGraph, table: Table) -> None:
    node = graph.get(key_of(table))
    assert node.group_name in {"core", "measurement", "analysis", "programme", "edition"}
    assert node.owners == [OWNER]
    assert table.description_nl in node.description
    assert table.description_en in node.description
    columns = node.metadata["dagster/column_schema"].columns
    assert [(column.name, column.type) for column in columns] == [(c.name, c.type) for c in table.columns]
    assert all(column.description for column in columns)
    checks = graph.get_check_keys_for_assets({key_of(table)})
    blocking = [key for key in checks if graph.get(key).blocking]
    assert blocking, f"{table.name} has no blocking check"
    assert all(graph.get(key).description for key in checks)


def test_every_other_asset_is_described_too(graph: dg.AssetGraph) -> None:
    published = {key_of(table) for table in TABLES}
    for key in graph.get_all_asset_keys() - published:
        node = graph.get(key)
        assert node.owners == [OWNER], key
        assert node.description, key
        assert node.metadata["dagster/column_schema"].columns, key


def test_partitioned_tables_have_the_measurement_years(graph: dg.AssetGraph) -> None:
    partitioned = {
        key.to_user_string(): graph.get(key).partitions_def.get_partition_keys()
        for key in graph.get_all_asset_keys()
        if graph.get(key).partitions_def
    }
    years = ["2022", "2023", "2024", "2025"]
    assert partitioned == {"change": years, "comparison": years, "indicator_value": years}


def test_checks_have_the_partitions_of_their_table(graph: dg.AssetGraph) -> None:
    for key in graph.asset_check_keys:
        assert graph.get(key).partitions_def == graph.get(key.asset_key).partitions_def, key


def test_publishing_waits_for_its_checks(graph: dg.AssetGraph) -> None:
    checks = [graph.get(key) for key in graph.asset_check_keys if key.asset_key == dg.AssetKey("edition_candidate")]
    assert {check.key.name: check.blocking for check in checks} == {"publishable": True, "expectations": True}


# --- how it runs


def test_runs_in_one_process_unless_asked_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    assert defs.executor is dg.in_process_executor
    monkeypatch.setenv("BTG_EXECUTOR", "multiprocess")
    assert build_definitions(Settings.from_environment()).executor is dg.multiprocess_executor


def test_a_measurement_makes_every_asset_but_those_that_ask_the_publishers_or_publish(graph: dg.AssetGraph) -> None:
    job = defs.resolve_job_def(MEASURE)
    others = {key for key in graph.get_all_asset_keys() if graph.get(key).group_name == "intake"}
    others |= {dg.AssetKey(name) for name in publication.ASSETS}
    assert set(job.asset_layer.executable_asset_keys) == graph.get_all_asset_keys() - others
    checks = {key for key in graph.asset_check_keys if key.asset_key not in others}
    assert set(job.asset_layer.asset_graph.asset_check_keys) == checks


def test_the_jobs_schedules_and_sensors_are_those_that_were_reviewed() -> None:
    jobs = {
        job.name: {key.to_user_string() for key in defs.resolve_job_def(job.name).asset_layer.executable_asset_keys}
        for job in defs.jobs or []
    }
    assert jobs.keys() == {MEASURE, PUBLISH, "refresh", "take_in"}
    assert jobs[PUBLISH] == {"edition_candidate", "final_edition"}
    assert jobs["refresh"] == {"intake/snapshots"}
    assert jobs["take_in"] == {"intake/delivered_files"}
    schedules = {(schedule.name, schedule.job_name) for schedule in defs.schedules or []}
    assert schedules == {("source_watch", "refresh"), ("yearly_measurement", "refresh_and_measure")}
    assert {(sensor.name, sensor.job_name) for sensor in defs.sensors or []} == {("inbox", "take_in")}


@pytest.mark.parametrize("name", [MEASURE, PUBLISH, "refresh", "take_in", "refresh_and_measure"])
def test_every_job_waits_for_whoever_writes_to_the_output(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So none of them is alive in Dagster's history when another one begins."""
    monkeypatch.setenv("BTG_OUTPUT", str(tmp_path))
    job = build_definitions(Settings.from_environment()).resolve_job_def(name)
    years = [str(year) for year in CATALOGUE.region.years]
    tags = {"dagster/asset_partition_range_start": years[0], "dagster/asset_partition_range_end": years[-1]}
    with ThreadPoolExecutor(1) as another:
        busy = hold(tmp_path, "another run")
        another.submit(busy.__enter__).result()
        try:
            result = job.execute_in_process(
                instance=dg.DagsterInstance.ephemeral(),
                tags=tags if name.endswith(MEASURE) else None,
                raise_on_error=False,
            )
        finally:
            another.submit(busy.__exit__, None, None, None).result()
    assert not result.success
    assert not [event for event in result.all_events if event.is_step_start]
    assert any("another run is writing" in str(event.event_specific_data) for event in result.all_events)


# --- the rooms


def imports_of(path: Path) -> set[str]:
    """The top-level names a module imports, wherever in the module it does so."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(path.parent.name if node.level else (node.module or "").partition(".")[0])
    return names


MODULES = {room: sorted((CHECKOUT / room).rglob("*.py")) for room in ROOMS}


@pytest.mark.parametrize(
    "path", chain.from_iterable(MODULES.values()), ids=lambda path: path.relative_to(CHECKOUT).as_posix()
)
def test_a_module_imports_only_from_rooms_to_its_right(path: Path) -> None:
    room = path.relative_to(CHECKOUT).parts[0]
    rooms = imports_of(path) & {*ROOMS, "tests", "notebooks", "benchmarks"}
    assert rooms - {room} <= ROOMS[room]


def test_every_room_was_read() -> None:
    assert all(MODULES.values())


@pytest.mark.parametrize("room", ["catalog", "sources", "methods", "reports"])
def test_dagster_stays_in_assets_and_pipelines(room: str) -> None:
    assert [path.name for path in MODULES[room] if "dagster" in imports_of(path)] == []


def test_no_indicator_is_named_in_code() -> None:
    """Indicators are the catalogue's; only the number of inhabitants, which describes regions, is known by name.

    The class of urbanity is a column and a word of `position` too: which indicator that is, analysis.yaml says.
    """
    ids = {indicator.indicator_id for indicator in CATALOGUE.indicators}
    named = {
        (path.relative_to(CHECKOUT).as_posix(), node.value)
        for path in chain.from_iterable(MODULES.values())
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in ids
    }
    of_position = {
        (file, "urbanity_class")
        for file in ("methods/position.py", "methods/revision.py", "pipelines/analysis_rules.py")
    }
    assert {name for _, name in named - of_position} <= {"population"}, sorted(named)
