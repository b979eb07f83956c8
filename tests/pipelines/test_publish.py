"""The life of an edition: published once, behind checks; never changed; superseded with a reason; errata shown."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import dagster as dg
import duckdb
import polars as pl
import pytest

from assets.edition import finish_what_was_cut_off
from assets.provenance import ROOMS
from pipelines.query import read_only_query
from pipelines.run import root_errors
from pipelines.signals import Terminated
from reports import editions
from reports.output_lock import hold
from tests.conftest import CHECKOUT, Runs, WholeRun, plain_figures
from tests.pipelines.conftest import Btg, within
from tests.pipelines.limits import small_disk

SIGNED = ("publish", "--by", "A. Tester")


@pytest.fixture(scope="module")
def measured(runs: Runs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output folder with a draft that may be published: without invented rows."""
    made = runs.run("edition_from_folder").succeeded().output
    return Path(shutil.copytree(made, tmp_path_factory.mktemp("measured") / "output"))


@pytest.fixture(scope="module")
def published(measured: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with its first final edition, for tests that only look."""
    output = Path(shutil.copytree(measured, tmp_path_factory.mktemp("published") / "output"))
    with pytest.MonkeyPatch.context() as patch:
        result = within(patch, tmp_path_factory.mktemp("home"))(*SIGNED, "--output", output)
        assert result.exit_code == 0, result.output
    return output


@pytest.fixture(autouse=True)
def without_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """`published` has its pages; the editions that single tests publish go without, ten seconds each."""
    monkeypatch.setattr("assets.publication.made_for_readers", lambda *_: nullcontext())


@pytest.fixture
def own(published: Path, tmp_path: Path) -> Path:
    """A copy of the published folder, for a test that changes it."""
    return Path(shutil.copytree(published, tmp_path / "output"))


def files(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_final_edition_is_complete_signed_and_read_only(published: Path) -> None:
    folder = published / "editions" / "2025-1"
    state = editions.read_state(published, "2025-1")
    assert (state.published_by, state.supersedes, state.superseded_by) == ("A. Tester", None, None)
    assert editions.faults(folder, state.sums_sha256) == []
    expected = {"btg.duckdb", "provenance.json", "SHA256SUMS", "datapackage.json", "dcat.jsonld", "CITATION.cff"}
    expected |= {"README.md", "btg.gpkg", "btg-2025-1.zip", "parquet", "csv", "charts", "quality"}
    expected |= {"site", "report", "btg.xlsx", "btg.ods"}
    assert expected <= {path.name for path in folder.iterdir()}
    if os.name == "posix":
        writable = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH
        assert not [path for path in [folder, *folder.rglob("*")] if path.stat().st_mode & writable]


def test_the_tables_are_those_of_the_draft_under_the_final_name(published: Path) -> None:
    draft, final = (files(published / "editions" / name) for name in ("2025-draft", "2025-1"))
    tables = {name for name in draft if name.startswith(("parquet/", "csv/"))}
    different = {name for name in tables if draft[name] != final[name]}
    assert different == {"parquet/edition.parquet", "csv/edition.csv"}
    assert read_only_query(published / "btg.duckdb", "SELECT edition FROM edition").item() == "2025-1"


def test_readers_open_the_final_edition_and_a_new_draft_does_not_take_its_place(btg: Btg, published: Path) -> None:
    same = published / "editions" / "2025-1" / "btg.duckdb"
    assert (published / "btg.duckdb").read_bytes() == same.read_bytes()
    listed = json.loads(btg("editions", "--output", published, "--json").stdout)
    assert [(row["edition"], row["open_to_readers"]) for row in listed] == [("2025-1", True), ("2025-draft", False)]


def test_an_edition_with_invented_rows_is_never_published(btg: Btg, runs: Runs, tmp_path: Path) -> None:
    output = runs.copy_of_edition(tmp_path)
    before = files(output / "editions")
    result = btg(*SIGNED, "--output", output)
    assert result.exit_code == 1
    assert "invented examples" in result.output
    assert "Nothing was published" in result.output
    assert files(output / "editions") == before


def test_a_draft_with_a_failed_blocking_check_is_not_published(btg: Btg, measured: Path, tmp_path: Path) -> None:
    """The check did not fail when the draft was made: publishing looks once more at the tables as they lie there."""
    output = Path(shutil.copytree(measured, tmp_path / "output"))
    draft = output / "editions" / "2025-draft"
    path = draft / "parquet" / "indicator_value.parquet"
    values = pl.read_parquet(path)
    health = pl.col("indicator_id") == "perceived_health_good"
    values.with_columns(value=pl.when(health).then(pl.col("value") * 100).otherwise("value")).write_parquet(path)
    editions.write_sums(draft)
    result = btg(*SIGNED, "--output", output)
    assert result.exit_code == 1
    assert "within the scale" in result.output
    assert editions.finals(output) == []


def test_a_draft_that_was_touched_is_not_published(btg: Btg, measured: Path, tmp_path: Path) -> None:
    output = Path(shutil.copytree(measured, tmp_path / "output"))
    with (output / "editions" / "2025-draft" / "csv" / "theme.csv").open("a") as file:
        file.write("one,more\n")
    result = btg(*SIGNED, "--output", output)
    assert result.exit_code == 1
    assert "csv/theme.csv was changed" in result.output


def test_a_dry_run_checks_and_writes_nothing(btg: Btg, measured: Path) -> None:
    before = files(measured / "editions")
    result = btg(*SIGNED, "--dry-run", "--output", measured)
    assert result.exit_code == 0, result.output
    assert "2025-1 would be published" in result.output
    assert files(measured / "editions") == before


def test_an_edition_that_stands_is_superseded_with_a_reason_only(btg: Btg, published: Path) -> None:
    for reason in ((), ("--reason", " ")):
        result = btg(*SIGNED, *reason, "--output", published)
        assert result.exit_code == 2
        assert "--reason" in result.output


def test_a_draft_that_does_not_know_of_the_edition_before_is_not_published(btg: Btg, published: Path) -> None:
    """It was made before that edition, so nothing in it was compared with it."""
    result = btg(*SIGNED, "--reason", "once more", "--output", published)
    assert result.exit_code == 1
    assert "Measure again" in result.output
    assert editions.finals(published) == ["2025-1"]


@pytest.fixture(scope="module")
def superseded(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Measured and published once more, while somebody has `btg.duckdb` open for writing."""
    output = Path(shutil.copytree(published, tmp_path_factory.mktemp("superseded") / "output"))
    (output / "btg.duckdb").chmod(0o600)
    with (
        pytest.MonkeyPatch.context() as patch,
        duckdb.connect(str(output / "btg.duckdb")) if os.name == "posix" else nullcontext() as session,
    ):
        if session is not None:
            session.execute("CREATE TABLE mine AS SELECT 1 AS x")
        run = within(patch, tmp_path_factory.mktemp("home"))
        for call in (["measure"], [*SIGNED, "--reason", "CBS herzag het inkomen"]):
            result = run(*call, "--output", output)
            assert result.exit_code == 0, result.output
        if session is not None:
            assert session.execute("SELECT edition FROM edition").fetchone() == ("2025-1",)
    return output


def test_the_superseded_edition_stays_and_says_so(btg: Btg, published: Path, superseded: Path) -> None:
    assert files(superseded / "editions" / "2025-1") == files(published / "editions" / "2025-1")
    assert editions.read_state(superseded, "2025-1").superseded_by == "2025-2"
    state = editions.read_state(superseded, "2025-2")
    assert (state.supersedes, state.reason) == ("2025-1", "CBS herzag het inkomen")
    assert "superseded by 2025-2" in btg("editions", "--output", superseded).output


def test_the_second_edition_knows_the_first(superseded: Path) -> None:
    tables = superseded / "editions" / "2025-2" / "parquet"
    assert "2025-1" in pl.read_parquet(tables / "value_by_edition.parquet")["edition"].to_list()
    assert pl.read_parquet(tables / "revision.parquet").is_empty(), "the inputs were the same"


def test_a_session_that_has_the_published_file_open_for_writing_stalls_nobody(superseded: Path) -> None:
    """An analyst's DuckDB UI: the run replaces the file, never asks for its lock, and what was written is not in it."""
    if os.name != "posix":
        pytest.skip("on Windows an open file cannot be replaced")
    assert read_only_query(superseded / "btg.duckdb", "SELECT edition FROM edition").item() == "2025-2"
    assert "mine" not in read_only_query(superseded / "btg.duckdb", "SHOW TABLES")["name"].to_list()


def test_an_erratum_on_an_older_edition_is_in_what_readers_open(btg: Btg, superseded: Path, tmp_path: Path) -> None:
    output = Path(shutil.copytree(superseded, tmp_path / "output"))
    result = btg("erratum", "2025-1", "--text", "Almelo moet 39,1 zijn.", "--key", KEY, "--output", output)
    assert result.exit_code == 0, result.output
    (row,) = read_only_query(output / "btg.duckdb", "FROM erratum").to_dicts()
    assert (row["edition"], row["row_key"]) == ("2025-1", KEY)


def test_the_step_that_publishes_does_not_run_without_its_checks(
    monkeypatch: pytest.MonkeyPatch, measured: Path, tmp_path: Path
) -> None:
    """As somebody could choose it alone in Dagster's interface."""
    from pipelines.definitions import PUBLISH, build_definitions
    from pipelines.settings import Settings

    monkeypatch.setenv("BTG_OUTPUT", str(shutil.copytree(measured, tmp_path / "output")))
    settings = Settings.from_environment()
    job = build_definitions(settings).resolve_job_def(PUBLISH)
    result = job.execute_in_process(
        instance=dg.DagsterInstance.ephemeral(), asset_selection=[dg.AssetKey("final_edition")], raise_on_error=False
    )
    assert not result.success
    assert editions.finals(settings.output) == []


def test_nothing_is_made_of_a_damaged_final_edition(btg: Btg, own: Path) -> None:
    path = own / "editions" / "2025-1" / "csv" / "theme.csv"
    path.chmod(0o600)
    path.write_text("gone\n", encoding="utf-8")
    result = btg("measure", "--output", own)
    assert result.exit_code == 1
    assert "csv/theme.csv was changed" in result.output
    assert "fault in the software" not in result.output


# --- what comes between the moment it gets its name, which cannot be undone, and its end


def opened(output: Path) -> str:
    return str(read_only_query(output / "btg.duckdb", "SELECT edition FROM edition").item())


def listed_as_open(btg: Btg, output: Path) -> list[str]:
    listed = json.loads(btg("editions", "--output", output, "--json").stdout)
    return [row["edition"] for row in listed if row["open_to_readers"]]


def test_a_reader_on_windows_is_named_and_the_edition_is_said_to_be_published(
    btg: Btg, measured: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows refuses to replace a file that a reader has open; whoever runs next puts the new one there."""
    output = Path(shutil.copytree(measured, tmp_path / "output"))
    replace = Path.replace

    def held(self: Path, target: Path) -> Path:
        if target in (output / "btg.duckdb", self):
            raise PermissionError(13, "The process cannot access the file because it is being used", str(target))
        return replace(self, target)

    with monkeypatch.context() as windows:
        windows.setattr(Path, "replace", held)
        windows.setattr("reports.edition_folder.WAIT_SECONDS", 0)
        result = btg(*SIGNED, "--output", output)
    assert result.exit_code == 1
    assert "Edition 2025-1 is published, from 2025-draft." in result.stdout
    assert f"{output / 'btg.duckdb'} is open in another program" in result.stdout
    assert "Close it and run again" in result.stdout
    for untrue in ("Nothing was published", "untouched", "fault in the software", "no right"):
        assert untrue not in result.output
    assert editions.finals(output) == ["2025-1"]
    assert (opened(output), listed_as_open(btg, output)) == ("2025-draft", ["2025-draft"])
    # Even a run that comes to nothing: the draft does not know of 2025-1.
    assert btg(*SIGNED, "--reason", "once more", "--output", output).exit_code == 1
    assert (opened(output), listed_as_open(btg, output)) == ("2025-1", ["2025-1"])


@pytest.mark.parametrize("stop", [KeyboardInterrupt, Terminated])
def test_being_stopped_after_it_got_its_name_is_told_as_what_it_is(
    btg: Btg, measured: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: type[KeyboardInterrupt]
) -> None:
    output = Path(shutil.copytree(measured, tmp_path / "output"))

    def interrupted(*_: object) -> None:
        raise stop

    monkeypatch.setattr("assets.publication.offer_to_readers", interrupted)
    result = btg(*SIGNED, "--output", output)
    assert result.exit_code == 1
    assert "Edition 2025-1 is published" in result.stdout
    assert "It was stopped after that. What readers open may still be the edition before it" in result.stdout
    assert "untouched" not in result.output


@pytest.mark.slow
@pytest.mark.parametrize(
    ("step", "published"),
    [("assets.publication.write_database", []), ("assets.publication.write_fair_pack", []),
     ("assets.publication.offer_to_readers", ["2025-1"])],
)  # fmt: skip
def test_a_disk_that_fills_while_publishing_leaves_all_of_the_edition_or_none(
    btg: Btg, measured: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, published: list[str]
) -> None:
    """Filled for real, just before the step; afterwards there is room again, and the next run goes on."""
    with small_disk(tmp_path / "disk", 150_000_000, mounted=True) as disk:
        output = Path(shutil.copytree(measured, disk / "output"))
        before = files(output / "editions" / "2025-draft")
        module, _, name = step.rpartition(".")
        original = getattr(import_module(module), name)

        def on_a_full_disk(*given: Any, **named: Any) -> Any:
            with suppress(OSError), (disk / "filling").open("wb") as filling:
                while True:
                    filling.write(bytes(100_000))
            return original(*given, **named)

        with monkeypatch.context() as filled:
            filled.setattr(step, on_a_full_disk)
            result = btg(*SIGNED, "--output", output)
        assert result.exit_code == 1
        assert "No space left" in result.output or "the disk is full" in result.output
        assert "Traceback" not in result.output
        assert editions.finals(output) == published
        assert editions.remnants(output) == []
        assert opened(output) == "2025-draft"
        assert files(output / "editions" / "2025-draft") == before
        (disk / "filling").unlink()
        result = btg(*SIGNED, *(["--reason", "once more"] if published else []), "--output", output)
        assert result.exit_code == (1 if published else 0), "a draft that knows of no edition before it"
        assert opened(output) == "2025-1"
        assert list((output / "editions").glob(".*")) == []


def test_what_keeps_a_run_from_beginning_is_told_and_nothing_is_said_to_be_published(
    btg: Btg, measured: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dagster calls that a failure of the run and not of a step."""
    output = Path(shutil.copytree(measured, tmp_path / "output"))

    def broken(*_: object) -> None:
        raise RuntimeError("the history is broken")

    monkeypatch.setattr("pipelines.parquet_io.claim", broken)
    result = btg(*SIGNED, "--output", output)
    assert result.exit_code == 1
    assert "the history is broken" in result.output
    assert "is published" not in result.output
    assert editions.finals(output) == []


def test_a_final_edition_without_its_sign_off_stops_what_comes_next_in_words(btg: Btg, own: Path) -> None:
    editions.state_file(own, "2025-1").unlink()
    for call in (["measure"], [*SIGNED, "--reason", "once more"]):
        result = btg(*call, "--output", own)
        assert result.exit_code == 1
        assert "the sign-off of edition 2025-1 is missing" in result.output
        for untrue in ("is published", "is ready", "fault in the software", "Traceback"):
            assert untrue not in result.output


def test_what_a_killed_session_wrote_beside_the_database_is_gone_after_the_next_run(own: Path) -> None:
    """DuckDB keeps it in a log beside the file, which itself is as it was."""
    database = own / "btg.duckdb"
    database.chmod(0o600)
    write = "c.execute('UPDATE indicator_value SET value = 123456.5')"
    session = f"import duckdb, os; c = duckdb.connect({str(database)!r}); {write}; os._exit(1)"
    subprocess.run([sys.executable, "-c", session], check=False)
    assert database.with_name("btg.duckdb.wal").exists()
    finish_what_was_cut_off(own)
    assert not database.with_name("btg.duckdb.wal").exists()
    sql = "SELECT count(*) FROM indicator_value WHERE value = 123456.5"
    with duckdb.connect(str(database), read_only=True) as connection:
        assert connection.execute(sql).fetchone() == (0,)
    if os.name == "posix":
        assert not database.stat().st_mode & 0o222


def test_a_click_in_dagsters_interface_publishes_nothing(
    monkeypatch: pytest.MonkeyPatch, measured: Path, tmp_path: Path
) -> None:
    """The whole job, with its checks, and without anything filled in: publishing cannot be taken back."""
    from pipelines.definitions import PUBLISH, build_definitions
    from pipelines.settings import Settings

    monkeypatch.setenv("BTG_OUTPUT", str(shutil.copytree(measured, tmp_path / "output")))
    settings = Settings.from_environment()
    job = build_definitions(settings).resolve_job_def(PUBLISH)
    assert job.execute_in_process(instance=dg.DagsterInstance.ephemeral()).success
    assert editions.finals(settings.output) == []


def test_steps_in_processes_of_their_own_do_not_write_beside_another_run(
    monkeypatch: pytest.MonkeyPatch, measured: Path, tmp_path: Path
) -> None:
    """With BTG_EXECUTOR=multiprocess no process holds the folder all the time; whoever writes an edition does."""
    from pipelines.definitions import PUBLISH, build_definitions
    from pipelines.settings import Settings

    output = Path(shutil.copytree(measured, tmp_path / "output"))
    monkeypatch.setenv("BTG_OUTPUT", str(output))
    monkeypatch.setenv("BTG_EXECUTOR", "multiprocess")
    job = build_definitions(Settings.from_environment()).resolve_job_def(PUBLISH)
    config = {"ops": {"final_edition": {"config": {"dry_run": False}}}}
    with ThreadPoolExecutor(1) as another:
        busy = hold(output, "another run")
        another.submit(busy.__enter__).result()
        instance = dg.DagsterInstance.ephemeral()
        result = job.execute_in_process(instance=instance, run_config=config, raise_on_error=False)
        another.submit(busy.__exit__, None, None, None).result()
    ((step, error),) = root_errors(result)
    assert step == "final_edition"
    assert "another run is writing" in error.message
    assert editions.finals(output) == []


def test_an_erratum_that_was_interrupted_is_stated_once(btg: Btg, own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    call = ("erratum", "2025-1", "--text", "Almelo moet 39,1 zijn.", "--key", KEY, "--output", own)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", str(own / "btg.duckdb"))

    with monkeypatch.context() as patched:
        patched.setattr("pipelines.publish.offer_to_readers", full)
        result = btg(*call)
    assert result.exit_code == 1
    assert "The erratum to 2025-1 is stated. What follows could not be done" in result.output
    assert "Traceback" not in result.output
    assert btg(*call).exit_code == 0
    assert len(editions.read_state(own, "2025-1").errata) == 1
    assert read_only_query(own / "btg.duckdb", "FROM erratum").height == 1


def test_a_table_that_an_older_edition_does_not_have_is_said_to_be_missing(btg: Btg, own: Path) -> None:
    path = own / "editions" / "2025-1" / "parquet" / "small_area_estimate.parquet"
    path.parent.chmod(0o700)
    path.unlink()
    result = btg("erratum", "2025-1", "--text", "x", "--key", KEY, "--table", "small_area_estimate", "--output", own)
    assert result.exit_code == 2
    assert "Edition 2025-1 has no table 'small_area_estimate'" in result.output


def test_a_final_edition_without_its_database_is_damaged_and_not_unknown(btg: Btg, own: Path) -> None:
    folder = own / "editions" / "2025-1"
    folder.chmod(0o700)
    (folder / "btg.duckdb").unlink()
    result = btg("check", "--edition", "2025-1", "--output", own)
    assert result.exit_code == 1
    assert "2025-1/btg.duckdb is missing" in result.output


KEY = "measurement_year=2025|indicator_id=income_standardised_mean|region_code=GM0141|breakdown=total"


def test_an_erratum_is_shown_and_changes_nothing_of_the_edition(btg: Btg, own: Path) -> None:
    before = files(own / "editions" / "2025-1")
    result = btg("erratum", "2025-1", "--text", "Almelo moet 39,1 zijn.", "--key", KEY, "--output", own)
    assert result.exit_code == 0, result.output
    assert files(own / "editions" / "2025-1") == before
    assert read_only_query(own / "btg.duckdb", "FROM erratum").to_dicts()[0]["row_key"] == KEY
    assert "Almelo moet 39,1 zijn." in btg("editions", "--output", own).output
    asked = btg("query", "SELECT 1 AS one", "--output", own)
    assert "Almelo moet 39,1 zijn." in asked.stderr
    assert "Almelo" not in asked.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("2024-1", "--text", "x", "--key", KEY), "no final edition"),
        (("2025-1", "--text", " ", "--key", KEY), "needs words"),
        (("2025-1", "--text", "x", "--key", KEY.replace("GM0141", "GM9999")), "no row"),
        (("2025-1", "--text", "x", "--key", "gemeente=Almelo"), "no key column"),
        (("2025-1", "--text", "x", "--key", KEY, "--table", "cijfers"), "no table"),
    ],
)
def test_an_erratum_on_what_is_not_there_is_refused(
    btg: Btg, published: Path, arguments: tuple[str, ...], said: str
) -> None:
    result = btg("erratum", *arguments, "--output", published)
    assert result.exit_code == 2
    assert said in result.output
    assert editions.errata(published).is_empty()


def test_a_flipped_byte_in_a_final_edition_is_found(btg: Btg, own: Path) -> None:
    path = own / "editions" / "2025-1" / "parquet" / "comparison.parquet"
    assert btg("check", "--edition", "2025-1", "--output", own).exit_code == 0
    path.chmod(0o644)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    result = btg("check", "--edition", "2025-1", "--output", own)
    assert result.exit_code == 1
    assert "parquet/comparison.parquet was changed" in result.output


def test_a_draft_of_equal_inputs_differs_in_nothing_from_the_final_edition(btg: Btg, published: Path) -> None:
    result = btg("diff", "2025-1", "2025-draft", "--output", published)
    assert result.exit_code == 0, result.output
    assert "No differences" in result.output


# --- what changed since, end to end: another catalogue and other figures than those of the final edition


def _planted(runs: Runs, folder: Path) -> pl.DataFrame:
    output = Path(shutil.copytree(runs.run("edition_from_folder").succeeded().output, folder / "output"))
    runs.btg(*SIGNED, output=output).succeeded()
    code = _copy_of_the_code(folder / "code")
    _edit(code / "catalog/indicators/health.yaml", "goed of zeer goed noemt.", "goed of heel goed noemt.")
    _edit(code / "catalog/analysis.yaml", "window_years: 8", "window_years: 6")
    work = code / "catalog/indicators/work.yaml"
    text = work.read_text(encoding="utf-8")
    start, end = (
        text.index("- indicator_id: benefit_disability"),
        text.index("- indicator_id: unemployment_benefit_per"),
    )
    work.write_text(text[:start] + text[end:], encoding="utf-8")
    figures = plain_figures(folder / "delivered")
    for name in ("figures.csv", "figures_origin.csv"):
        lines = (figures / name).read_text(encoding="utf-8").splitlines(keepends=True)
        kept = "".join(line for line in lines if not line.startswith("benefit_disability,"))
        (figures / name).write_text(kept, encoding="utf-8")
    mean, median = "income_standardised_mean,GM0141,2024,", "income_standardised_median,GM0141,2024,33.4,"
    _edit(figures / "figures.csv", f"{mean}39.2", f"{mean}38.9")
    _edit(figures / "figures.csv", f"{median}provisional", f"{median}definitive")
    env = {"PYTHONPATH": str(code), "BTG_DAGSTER_STORAGE": str(folder / "dagster"), "DAGSTER_HOME": str(code)}

    def btg(*arguments: str | Path) -> str:
        command = (sys.executable, "-m", "pipelines.cli", *arguments, "--output", output)
        return runs.command(*command, output=output, env={**env, "NO_COLOR": "1"}, cwd=code).succeeded().stdout

    btg("measure", "--input", figures)
    return pl.read_csv(btg("diff", "--format", "csv").encode(), infer_schema=False)


WHOLE_RUNS: dict[str, WholeRun] = {"planted": _planted}


@pytest.fixture(scope="module")
def planted(runs: Runs) -> pl.DataFrame:
    """`btg diff` after a source revision, a figure made definitive, another definition, a withdrawn indicator, and
    another setting of the analysis, which no published table names."""
    return cast("pl.DataFrame", runs.start("planted").result())


def _copy_of_the_code(folder: Path) -> Path:
    """The software as it lies here, in a checkout of its own where this is one: as an analyst changes it."""
    if (CHECKOUT / ".git").exists() and shutil.which("git"):
        clone = ["git", "clone", "--quiet", "--shared", str(CHECKOUT), str(folder)]
        subprocess.run(clone, check=True, capture_output=True)
    for room in ROOMS:
        shutil.rmtree(folder / room, ignore_errors=True)
        shutil.copytree(CHECKOUT / room, folder / room, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("requirements.lock", "pyproject.toml", "dagster.yaml"):
        shutil.copy(CHECKOUT / name, folder)
    return folder


def _edit(path: Path, right: str, wrong: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert right in text
    path.write_text(text.replace(right, wrong, 1), encoding="utf-8")


# table | part of the row's key | column | was | is now | kind | cause
PLANTED = """
observation | _mean|region_code=GM0141|period=2024 | value | 39.2 | 38.9 | value | source_revision
indicator_value | =2025|INCOME_mean|region_code=GM0141 | value | 39.2 | 38.9 | value | source_revision
indicator_value | =2025|INCOME_median|region_code=GM0141 | status | provisional | definitive | status | source_revision
indicator | perceived_health_good | definition_nl | zeer goed noemt | heel goed noemt | definition | catalogue_change
trend | =2025|indicator_id=population|region_code=GM0153 | period_first | 2019 | 2020 | status | catalogue_change
indicator | benefit_disability | definition_nl | arbeidsongeschikt |  | withdrawn | catalogue_change
""".replace("INCOME", "indicator_id=income_standardised")


@pytest.mark.slow
@pytest.mark.parametrize("line", PLANTED.strip().splitlines())
def test_what_was_planted_is_found_with_its_kind_and_cause(planted: pl.DataFrame, line: str) -> None:
    table, row, column, old, new, kind, cause = (part.strip() for part in line.split(" | "))
    found = planted.filter(pl.col("row_key").str.contains(row, literal=True), table_name=table, column_name=column)
    assert found.height == 1
    (cells,) = found.to_dicts()
    assert old in cells["old_value"]
    assert new in (cells["new_value"] or "")
    assert (cells["kind"], cells["cause"]) == (kind, cause)


@pytest.mark.slow
def test_only_what_hangs_on_it_changed(planted: pl.DataFrame) -> None:
    """Almelo's income moves Almelo, the cores and Twente, and no other figure; nothing is unexplained."""
    values = planted.filter(table_name="indicator_value", kind="value", column_name="value")
    regions = {key.split("region_code=")[1].split("|")[0] for key in values["row_key"]}
    assert regions == {"GM0141", "URBAN_CORE", "TWENTE"}
    assert set(planted["cause"]) == {"source_revision", "catalogue_change"}
