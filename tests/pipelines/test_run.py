"""Whole runs, with faults made for real: what goes wrong is said, and the standing edition is not touched."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import duckdb
import polars as pl
import pytest
from filelock import FileLock

from assets.edition import Unfinished
from assets.tables import CATALOGUE
from assets.workspace import Workspace
from pipelines.run import _raise_what_stopped, _reasons
from reports.edition_folder import EditionInUse
from sources import bundled
from tests.conftest import CHECKOUT, EXAMPLES, plain_figures

if TYPE_CHECKING:
    from tests.conftest import Run, Runs
    from tests.pipelines.conftest import Btg

pytestmark = pytest.mark.filterwarnings("ignore::dagster.PreviewWarning", "ignore::dagster.BetaWarning")

Fingerprint = Callable[[Path], dict[str, str]]
Records = list[list[str]]


def table(output: Path, name: str, edition: str = "2025-draft") -> pl.DataFrame:
    return pl.read_parquet(output / "editions" / edition / "parquet" / f"{name}.parquet")


# --- a run that succeeds


def test_a_run_says_what_came_of_it(edition_run: Run) -> None:
    assert edition_run.stdout.startswith("Edition 2025-draft of Twente is ready."), "a library wrote on stdout"
    assert "Passed" in edition_run.stdout
    *_, tables, pages = edition_run.stdout.rstrip().splitlines()
    assert tables.endswith(str(edition_run.output / "btg.duckdb"))
    assert pages.endswith(" (or: btg serve)")
    for line in (tables, pages):
        assert Path(line.split(":", 1)[1].removesuffix("(or: btg serve)").strip()).is_file()


def test_progress_goes_to_stderr_and_results_to_stdout(edition_run: Run) -> None:
    said = "Measuring the official figures that come with the software, with an invented survey and project register"
    assert edition_run.stderr.splitlines() == [f"{said} (no snapshots in use, no network needed)"]


def points(run: Run, heading: str) -> list[str]:
    """The points of the summary under a heading that begins so."""
    lines = iter(run.stdout.splitlines())
    assert any(line.startswith(heading) for line in lines), f"no '{heading}' in:\n{run.stdout}"
    return [line.strip() for line in takewhile(lambda line: line.strip().startswith("•"), lines)]


def test_what_steps_print_is_not_kept(edition_run: Run) -> None:
    """It could be about people. And following it took a program that wrote on stderr once too many files were open."""
    storage = edition_run.output.with_name(f"{edition_run.output.name}-dagster")
    assert storage.is_dir()
    assert not any(storage.rglob("compute_logs"))


def test_the_headline_figures_are_in_the_summary(edition_run: Run) -> None:
    """Four headline indicators, for cores against rural and the region against the rest of the country."""
    sentences = points(edition_run, "What the headline figures say")
    assert len(sentences) == 8
    assert (
        sum("de stedelijke kernen" in sentence and "de plattelandsgemeenten" in sentence for sentence in sentences) == 4
    )
    assert sum("Twente" in sentence and "de rest van Nederland" in sentence for sentence in sentences) == 4


def test_what_is_invented_is_said_to_be_so_in_the_summary(edition_run: Run) -> None:
    sentences = points(edition_run, "What the headline figures say")
    invented = [sentence for sentence in sentences if sentence.startswith("• Verzonnen voorbeeld: ")]
    assert invented == [sentence for sentence in sentences if "volgens inwoners" in sentence]
    assert len(invented) == 2


def test_the_summary_says_where_each_headline_figure_comes_from_and_why(edition_run: Run) -> None:
    """Of none of these periods the bundle has two tables, so no other was passed over."""
    said = points(edition_run, "Where the headline figures of 2025 come from")
    places = [sentence.removeprefix("• ").removesuffix("; no other table has this period") for sentence in said]
    assert sorted(places) == [
        "Good perceived health, 2022: RIVM 50120NED (model, bundled)",
        "Mean standardised income, 2024: CBS 86161NED (indeling 2025) (register, bundled)",
        "Net labour participation, 2022: CBS 85318NED (sample, bundled)",
        "Subjective well-being according to residents, 2025: BTG synthetic 2025 (sample, rows)",
    ]
    assert "Other sources of the baseline" not in edition_run.stdout


def test_where_every_figure_comes_from_can_be_read_by_a_program(edition_run: Run) -> None:
    said = json.loads((edition_run.output / "last_run" / "sources.json").read_text(encoding="utf-8"))
    values = table(edition_run.output, "indicator_value").filter(pl.col("reference_period").is_not_null())
    chosen = {(row["indicator_id"], row["measurement_year"], row["reference_period"]) for row in said["choices"]}
    assert chosen == set(values.select("indicator_id", "measurement_year", "reference_period").unique().iter_rows())
    of_waves = {wave.source_table for wave in CATALOGUE.survey.waves.values()}
    assert all(row["origin"] == ("rows" if row["source_table"] in of_waves else "bundled") for row in said["choices"])
    assert of_waves <= {row["source_table"] for row in said["choices"]}
    assert all(row["why"] for row in said["choices"])
    assert said["baseline"] == []


def test_nothing_is_written_beside_output_and_storage(edition_run: Run, runs: Runs) -> None:
    of_dagster = {"history", "logs", "schedules", "storage", ".logs_queue", ".nux", ".telemetry", ".dagster_home"}
    of_us = {"output", "data", "gx", "great_expectations"}
    now = {path.name for path in CHECKOUT.iterdir()}
    assert (now - runs.checkout_before) & (of_dagster | of_us) == set()


def test_a_run_without_home_directory_works(edition_from_folder: Path) -> None:
    """That run had no HOME, the C locale and another time zone."""
    assert (edition_from_folder / "btg.duckdb").is_file()


# --- stopped by a check


def test_a_failed_check_stops_the_run_and_says_why(stopped: Run) -> None:
    assert stopped.returncode == 1
    assert stopped.stdout == ""
    assert "Traceback" not in stopped.stderr
    assert "The run was stopped" in stopped.stderr
    assert "totals lie within the bounds" in stopped.stderr
    assert "region_code=TWENTE" in stopped.stderr
    for year in ("2022", "2023", "2024", "2025"):
        assert year in stopped.stderr, f"the reason does not say that {year} is wrong"
    assert "unusual" not in stopped.stderr, "a point for attention is no reason to stop"


def test_a_failed_check_says_what_was_expected(stopped: Run) -> None:
    """633917 inhabitants is only wrong if one knows that 12 to 44 were expected."""
    reasons = stopped.stderr.partition("untouched.")[2].partition("All checks:")[0]
    assert "633917" in reasons
    assert re.search(r"\b12\b", reasons)
    assert re.search(r"\b44\b", reasons)


def test_a_stopped_run_leaves_the_edition_as_it_was(stopped: Run, edition: Path, fingerprint: Fingerprint) -> None:
    before = fingerprint(edition)
    assert len(before) > 30
    assert fingerprint(stopped.output) == before
    assert sorted(path.name for path in (stopped.output / "editions").iterdir()) == ["2025-draft"]


def test_check_says_why_the_last_run_stopped(stopped: Run, btg: Btg) -> None:
    result = btg("check", "--output", stopped.output)
    assert result.exit_code == 1
    assert "Stopped: 4 checks failed" in result.stdout
    worst = result.stdout.split("\n\n")[1]
    assert worst.startswith("FAILED 2022  total_plausible")
    machine = btg("check", "--json", "--output", stopped.output)
    assert machine.exit_code == 1
    failed = [row for row in json.loads(machine.stdout)["checks"] if not row["passed"] and row["severity"] == "error"]
    assert {(row["asset"], row["check_id"]) for row in failed} == {("indicator_value", "total_plausible")}
    assert {row["partition"] for row in failed} == {"2022", "2023", "2024", "2025"}


def test_the_quality_page_says_why_the_last_run_stopped(stopped: Run, edition: Path) -> None:
    page = (stopped.output / "last_run" / "quality.html").read_text(encoding="utf-8")
    assert "Stopped: 4 checks failed" in page
    assert "total_plausible" in page
    assert "Stopped" not in (edition / "last_run" / "quality.html").read_text(encoding="utf-8")


def test_the_standing_edition_still_has_its_own_verdict(stopped: Run, btg: Btg) -> None:
    result = btg("check", "--edition", "2025-draft", "--output", stopped.output)
    assert result.exit_code == 0
    assert result.stdout.startswith("Passed")


# --- stopped by the user, or by a fault of ours


def test_ctrl_c_is_no_fault_of_the_software(interrupted: Run) -> None:
    assert "Traceback" not in interrupted.stderr
    assert "fault in the software" not in interrupted.stderr
    assert "Stopped. The last edition is untouched." in interrupted.stderr
    assert interrupted.returncode == 130


def test_ctrl_c_leaves_the_edition_as_it_was(interrupted: Run, edition: Path, fingerprint: Fingerprint) -> None:
    assert interrupted.returncode != 0
    assert fingerprint(interrupted.output) == fingerprint(edition)


def test_check_does_not_pass_a_run_that_was_cut_short(interrupted: Run, btg: Btg) -> None:
    """Only some checks were made: that they passed says nothing about a run that made no edition."""
    result = btg("check", "--output", interrupted.output)
    assert not result.stdout.startswith("Passed"), result.stdout
    assert result.exit_code == 1


def test_a_fault_of_ours_is_said_to_be_ours(
    standing: Path, btg: Btg, fingerprint: Fingerprint, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: object) -> None:
        raise ZeroDivisionError("made for this test")

    before = fingerprint(standing)
    monkeypatch.setattr("assets.raw.read_facts", break_down)
    result = btg("measure", "--demo", "--output", standing)
    assert result.exit_code == 1
    assert "Traceback" not in result.stderr
    assert "made for this test" in result.stderr
    assert "fault in the software, not in your data" in result.stderr
    log = standing / "last_run" / "error.log"
    assert str(log) in result.stderr
    assert "ZeroDivisionError" in log.read_text(encoding="utf-8")
    assert fingerprint(standing) == before
    checked = btg("check", "--output", standing)
    assert not checked.stdout.startswith("Passed"), checked.stdout


@pytest.mark.parametrize("kind", [EditionInUse, Unfinished])
def test_an_edition_that_a_reader_has_open_is_said_to_be_so(tmp_path: Path, kind: type[RuntimeError]) -> None:
    """Not a fault of the software, nor of rights: on Windows, close the program that has it open."""

    @dg.asset
    def draft() -> None:
        try:
            raise PermissionError(13, "Permission denied", "output/btg.duckdb")
        except PermissionError as error:
            raise kind("output/btg.duckdb is open in another program. Close it and run again.") from error

    result = dg.materialize([draft], raise_on_error=False, instance=dg.DagsterInstance.ephemeral())
    workspace = Workspace(output=str(tmp_path), input_folder="", data_folder="", lock_file="")
    _raise_what_stopped(result, None, workspace)
    (reason,) = _reasons(result, workspace.read_checks(), workspace)
    assert reason == "output/btg.duckdb is open in another program. Close it and run again."


# --- input that cannot be trusted


@pytest.fixture(scope="module")
def standing(edition: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output folder that holds an edition; the runs below must not change it."""
    return Path(shutil.copytree(edition, tmp_path_factory.mktemp("standing") / "output"))


@dataclass(frozen=True)
class Delivered:
    """A folder of figures, to be damaged in one place. Rows are counted as an editor does: the header is row 1."""

    path: Path

    def records(self, name: str = "figures.csv") -> Records:
        with (self.path / name).open(encoding="utf-8", newline="") as file:
            return list(csv.reader(file))

    def write(self, records: Records, name: str = "figures.csv") -> None:
        with (self.path / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(records)

    def row(self, *begin: str) -> int:
        return next(n for n, record in enumerate(self.records(), start=1) if record[: len(begin)] == list(begin))

    def put(self, row: int, column: str, value: str) -> None:
        records = self.records()
        records[row - 1][records[0].index(column)] = value
        self.write(records)


def unknown_region(delivered: Delivered) -> list[str]:
    row = delivered.row("benefit_disability", "GM0342")
    delivered.put(row, "region_code", "GM9999")
    return ["figures.csv", f"row {row}", "column region_code", "'GM9999'", "regions.csv"]


def duplicate_key(delivered: Delivered) -> list[str]:
    records = delivered.records()
    row = delivered.row("perceived_health_good", "GM0153", "2022")
    delivered.write([*records, records[row - 1]])
    return ["figures.csv", f"row {len(records) + 1}", "perceived_health_good, GM0153, 2022", f"Row {row}"]


def text_in_a_number(delivered: Delivered) -> list[str]:
    row = delivered.row("income_standardised_mean", "GM0153", "2021")
    delivered.put(row, "value", "onbekend")
    return ["figures.csv", f"row {row}", "column value", "'onbekend'", "a plain number"]


def a_municipality_is_missing(delivered: Delivered) -> list[str]:
    delivered.write([record for record in delivered.records() if record[1] != "GM0153"])
    return ["figures.csv", "all 14 municipalities", "Enschede (GM0153): no rows at all"]


def one_row_of_a_municipality_is_missing(delivered: Delivered) -> list[str]:
    row = delivered.row("perceived_health_good", "GM0153", "2022")
    records = delivered.records()
    delivered.write(records[: row - 1] + records[row:])
    return ["figures.csv", "Enschede (GM0153)", "perceived_health_good", "2022", "RIVM 50120NED"]


def cut_in_a_line(delivered: Delivered) -> list[str]:
    path = delivered.path / "figures.csv"
    data = path.read_bytes()
    cut = data.rindex(b",GM0153,", 0, len(data) // 2) + 4
    path.write_bytes(data[:cut])
    row = data.count(b"\n", 0, cut) + 1
    return ["figures.csv", f"row {row}", "cut off"]


def cut_at_a_line_end(delivered: Delivered) -> list[str]:
    records = delivered.records()
    delivered.write(records[:20_000])
    return ["figures.csv", "rows for", "figures_origin.csv", "row 20000", "cut off"]


def utf_16(delivered: Delivered) -> list[str]:
    path = delivered.path / "regions.csv"
    path.write_text(path.read_text(encoding="utf-8"), encoding="utf-16")
    return ["regions.csv", "row 1", "UTF-8", "UTF-16"]


def not_utf_8(delivered: Delivered) -> list[str]:
    path = delivered.path / "regions.csv"
    text = path.read_text(encoding="utf-8")
    path.write_bytes(text.encode("cp1252"))
    row = next(n for n, line in enumerate(text.splitlines(), start=1) if not line.isascii())
    return ["regions.csv", f"row {row}", "UTF-8", "b'\\x"]


def a_file_is_missing(delivered: Delivered) -> list[str]:
    (delivered.path / "figures_origin.csv").unlink()
    return ["figures_origin.csv", "no such file", "figures.csv, regions.csv"]


FAULTS = [
    unknown_region,
    duplicate_key,
    text_in_a_number,
    a_municipality_is_missing,
    one_row_of_a_municipality_is_missing,
    cut_in_a_line,
    cut_at_a_line_end,
    utf_16,
    not_utf_8,
    a_file_is_missing,
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_wrong_input_is_refused_with_one_message(
    fault: Callable[[Delivered], list[str]], standing: Path, tmp_path: Path, btg: Btg, fingerprint: Fingerprint
) -> None:
    delivered = Delivered(plain_figures(tmp_path / "delivered"))
    told = fault(delivered)
    before = fingerprint(standing)
    result = btg("measure", "--input", delivered.path, "--output", standing)
    assert result.exit_code == 1, result.output
    assert result.stdout == ""
    for part in told:
        assert part in result.stderr, result.stderr
    assert str(delivered.path) in result.stderr
    assert result.stderr.count("expected ") == 1, "more than one message"
    assert "Traceback" not in result.stderr
    assert "fault in the software" not in result.stderr
    assert fingerprint(standing) == before
    checked = btg("check", "--output", standing)
    assert checked.exit_code == 1
    assert checked.stdout.startswith("Stopped: 1 check failed")
    assert all(part in checked.stdout for part in told)


def test_figures_without_inhabitants_are_refused(
    standing: Path, tmp_path: Path, btg: Btg, fingerprint: Fingerprint
) -> None:
    """Without them no municipality exists and no group has members: nothing can be measured, and that is said."""
    delivered = Delivered(plain_figures(tmp_path / "delivered"))
    for name in ("figures.csv", "figures_origin.csv"):
        delivered.write([record for record in delivered.records(name) if record[0] != "population"], name)
    before = fingerprint(standing)
    result = btg("measure", "--input", delivered.path, "--output", standing)
    assert result.exit_code == 1
    assert fingerprint(standing) == before
    assert "fault in the software" not in result.stderr
    assert "population" in result.stderr


def test_the_command_itself_refuses_wrong_input(refused: Run, edition: Path, fingerprint: Fingerprint) -> None:
    """The same as above in a process of its own: a percentage of 690."""
    assert refused.returncode == 1
    assert refused.stdout == ""
    for part in ("figures.csv, row ", "column value", "'690'", "0 to 100", "net_labour_participation"):
        assert part in refused.stderr
    assert "Traceback" not in refused.stderr
    assert fingerprint(refused.output) == fingerprint(edition)


def test_a_program_can_read_why_input_was_refused(standing: Path, tmp_path: Path, btg: Btg) -> None:
    delivered = Delivered(plain_figures(tmp_path / "delivered"))
    told = unknown_region(delivered)
    result = btg("measure", "--json", "--input", delivered.path, "--output", standing)
    assert result.exit_code == 1
    assert result.stderr == ""
    summary = json.loads(result.stdout)
    assert summary["succeeded"] is False
    assert summary["edition"] is None
    (reason,) = summary["reasons"]
    assert all(part in reason for part in told)


def test_the_way_to_the_checks_is_that_of_this_output_folder(standing: Path, tmp_path: Path, btg: Btg) -> None:
    """`btg check` alone looks into the default folder, where there may be another run or none."""
    delivered = Delivered(plain_figures(tmp_path / "delivered"))
    unknown_region(delivered)
    result = btg("measure", "--input", delivered.path, "--output", standing)
    hint = next(line for line in result.stderr.splitlines() if "btg check" in line)
    assert f"btg check --output {standing}" in hint or "btg check" not in hint


def test_the_first_run_does_not_speak_of_an_edition_before_it(tmp_path: Path, btg: Btg) -> None:
    delivered = Delivered(plain_figures(tmp_path / "delivered"))
    unknown_region(delivered)
    result = btg("measure", "--input", delivered.path, "--output", tmp_path / "output")
    assert result.exit_code == 1
    assert "previous edition" not in result.stderr
    assert not (tmp_path / "output" / "btg.duckdb").exists()
    assert not list((tmp_path / "output").glob("editions/*"))


# --- calls that are wrong, and calls at the wrong moment


def test_demo_and_input_exclude_each_other(btg: Btg, tmp_path: Path) -> None:
    result = btg("measure", "--demo", "--input", tmp_path, "--output", tmp_path / "output")
    assert result.exit_code == 2
    assert "give one of the two" in result.stderr
    assert not (tmp_path / "output").exists()


@pytest.mark.parametrize("option", ["--input", "--region"])
def test_a_path_that_does_not_exist_is_a_wrong_call(option: str, runs: Runs, tmp_path: Path) -> None:
    run = runs.btg("measure", option, tmp_path / "nowhere", output=tmp_path / "output")
    assert str(tmp_path / "nowhere") in run.stderr
    assert "Traceback" not in run.stderr
    assert run.returncode == 2
    assert not (tmp_path / "output").exists()


def test_an_output_folder_that_cannot_be_made_is_a_wrong_call(btg: Btg, tmp_path: Path) -> None:
    (tmp_path / "a file").touch()
    result = btg("measure", "--demo", "--output", tmp_path / "a file")
    assert isinstance(result.exception, SystemExit), repr(result.exception)
    assert result.exit_code == 2
    assert str(tmp_path / "a file") in result.stderr


def test_a_year_that_cannot_be_measured_is_a_wrong_call(runs: Runs, tmp_path: Path) -> None:
    run = runs.btg("measure", "--demo", "--year", "2019", output=tmp_path / "output")
    assert run.returncode == 2
    assert "2019" in run.stderr
    assert "2022 to 2025" in run.stderr
    assert "Traceback" not in run.stderr
    assert not (tmp_path / "output").exists()


def test_a_mistake_in_the_region_file_is_said_with_its_line(runs: Runs, tmp_path: Path) -> None:
    region = (CHECKOUT / "catalog" / "region.yaml").read_text(encoding="utf-8")
    (tmp_path / "region.yaml").write_text(region.replace("  GM0153: Enschede", "  GM153: Enschede"), encoding="utf-8")
    run = runs.btg("measure", "--demo", "--region", tmp_path / "region.yaml", output=tmp_path / "output")
    line = next(n for n, text in enumerate(region.splitlines(), start=1) if "GM0153: Enschede" in text)
    assert run.returncode == 1
    assert f"{tmp_path / 'region.yaml'}:{line}" in run.stderr
    assert "GM153" in run.stderr
    assert "Traceback" not in run.stderr


def test_two_runs_at_once_are_refused(standing: Path, btg: Btg, fingerprint: Fingerprint) -> None:
    before = fingerprint(standing)
    checks = {path.name: path.read_bytes() for path in (standing / "last_run" / "checks").iterdir()}
    with FileLock(standing / ".lock"):
        result = btg("measure", "--demo", "--output", standing)
    assert result.exit_code == 1
    assert f"another run is writing to {standing}" in result.stderr
    assert "Traceback" not in result.stderr
    assert fingerprint(standing) == before
    assert {path.name: path.read_bytes() for path in (standing / "last_run" / "checks").iterdir()} == checks


# --- another year


def test_a_draft_up_to_an_earlier_year(until_2023: Run) -> None:
    until_2023.succeeded()
    assert "Edition 2023-draft" in until_2023.stdout
    for name in ("indicator_value", "comparison"):
        years = table(until_2023.output, name, "2023-draft")["measurement_year"].unique().sort().to_list()
        assert years == [2022, 2023]
    assert table(until_2023.output, "change", "2023-draft")["measurement_year"].unique().to_list() == [2023]
    (row,) = table(until_2023.output, "edition", "2023-draft").to_dicts()
    assert (row["edition"], row["measurement_year"]) == ("2023-draft", 2023)
    checked = table(until_2023.output, "check_result", "2023-draft")["partition"].unique()
    assert set(checked) == {"2022", "2023", "all"}


def test_readers_keep_the_newest_measurement_year(until_2023: Run, edition: Path) -> None:
    """A trial up to an earlier year must not take years away from whoever opens btg.duckdb."""
    assert (until_2023.succeeded().output / "btg.duckdb").read_bytes() == (edition / "btg.duckdb").read_bytes()


OF_YEARS = [
    *("indicator_value", "comparison", "change", "trend", "position", "expected_value", "decomposition"),
    *("theme_score", "sensitivity", "sensitivity_pair", "sensitivity_factor", "coherence"),
]


@pytest.mark.parametrize("name", OF_YEARS)
def test_an_earlier_last_year_does_not_move_the_years_before(until_2023: Run, edition: Path, name: str) -> None:
    """Also what is drawn by lot, and the scale of scores, are those of their year and of the baseline."""
    shorter = table(until_2023.succeeded().output, name, "2023-draft")
    assert not shorter.is_empty()
    assert shorter.equals(table(edition, name).filter(pl.col("measurement_year") <= 2023))


def test_drafts_of_other_years_stay(until_2023: Run, edition: Path, fingerprint: Fingerprint) -> None:
    until_2023.succeeded()
    before = {path: sha for path, sha in fingerprint(edition).items() if path.startswith("editions/2025-draft/")}
    assert before.items() <= fingerprint(until_2023.output).items()


# --- another region


def test_another_region_is_measured_by_its_file(other_region: Run) -> None:
    output = other_region.succeeded().output
    assert "of Salland is ready." in other_region.stdout
    assert "Twente" not in other_region.stdout
    values = table(output, "indicator_value")
    own = ["GM0150", "GM0177", "GM0193", "SALLAND", "NL01", "NL_REST"]
    rows = values.filter(pl.col("region_code").is_in(own))
    assert rows.height == len(own) * values["indicator_id"].n_unique() * 4
    assert set(table(output, "comparison")["region_code"]) == {"GM0150", "GM0177", "GM0193", "SALLAND"}
    assert not values.filter(pl.col("region_code").is_in(["TWENTE", "URBAN_CORE", "RURAL"])).height


def test_the_figures_of_another_region_are_its_own(other_region: Run) -> None:
    """Inhabitants of Deventer, Raalte and Zwolle on 1 January 2022, as published; and their households' income."""
    output = other_region.succeeded().output
    observed = table(output, "observation")
    own = observed.filter(pl.col("region_code").is_in(["GM0150", "GM0177", "GM0193"]))
    value = {
        (row["indicator_id"], row["region_code"]): row
        for row in table(output, "indicator_value").filter(measurement_year=2022).to_dicts()
    }
    inhabitants = own.filter(indicator_id="population", period="2022")["value"].sum()
    assert value["population", "SALLAND"]["value"] == inhabitants
    source = {"period": "2021", "source_table": "CBS 85039NED"}
    income = own.filter(indicator_id="income_standardised_mean", **source).sort("region_code")["value"]
    households = own.filter(indicator_id="households", **source).sort("region_code")["value"]
    expected = (income * households).sum() / households.sum()
    assert value["income_standardised_mean", "SALLAND"]["reference_period"] == "2021"
    assert value["income_standardised_mean", "SALLAND"]["value"] == pytest.approx(expected, abs=1e-9)


def test_another_region_has_the_members_of_its_file(other_region: Run) -> None:
    members = table(other_region.succeeded().output, "region_member").filter(period="2022")
    assert set(members.filter(group_code="SALLAND")["municipality_code"]) == {"GM0150", "GM0177", "GM0193"}
    rest = set(members.filter(group_code="NL_REST")["municipality_code"])
    assert "GM0153" in rest
    assert rest.isdisjoint({"GM0150", "GM0177", "GM0193"})
    with duckdb.connect(str(other_region.output / "btg.duckdb"), read_only=True) as connection:
        kinds = connection.sql("SELECT kind, region_code FROM region WHERE parent_code = 'SALLAND'").fetchall()
    assert sorted(kinds) == [("municipality", "GM0150"), ("municipality", "GM0177"), ("municipality", "GM0193")]


def test_another_region_has_peers_positions_and_ranks_of_its_own(other_region: Run) -> None:
    output, own = other_region.succeeded().output, {"GM0150", "GM0177", "GM0193"}
    peer = table(output, "peer")
    assert set(peer["region_code"]) == own
    assert own.isdisjoint(peer["peer_code"])
    compared = table(output, "comparison").filter(pl.col("comparator_code").str.starts_with("PEERS_"))
    assert set(compared.select("region_code", "comparator_code").rows()) == {(code, f"PEERS_{code}") for code in own}
    for name in ("position", "expected_value"):
        assert set(table(output, name)["region_code"]) == own, name
    ranks = table(output, "sensitivity").filter(among="region")
    assert set(ranks["region_code"]) == own
    assert set(ranks["rank_of"]) == {3}
    assert table(output, "decomposition").is_empty(), "nobody was asked anything, and there are no groups to compare"


# --- delivered files


def test_a_run_says_that_it_measures_snapshots(with_delivered: Run) -> None:
    (said,) = with_delivered.stderr.splitlines()
    data = with_delivered.output.with_name("data")
    assert said == f"Measuring the snapshots in {data}, and the bundled official figures where there is none"


def test_a_delivered_file_fills_what_the_bundle_lacks_and_says_that_it_is_invented(with_delivered: Run) -> None:
    """The workbook has unemployment benefits of December 2025 for the fourteen; what follows from them is invented."""
    values = table(with_delivered.output, "indicator_value")
    invented = values.filter(pl.col("warnings").list.contains("synthetic"))
    assert set(invented.select("indicator_id", "measurement_year", "reference_period").unique().iter_rows()) == {
        ("benefit_unemployment", 2025, "2025-12"),
        ("unemployment_benefit_per_1000", 2025, "2025-12"),
    }
    newest = values.filter(indicator_id="benefit_unemployment", measurement_year=2025)
    own = newest.filter(pl.col("region_code").str.starts_with("GM") & pl.col("value").is_not_null())
    assert own["source_table"].unique().to_list() == ["UWV WW-uitkeringen per gemeente"]
    assert newest.filter(region_code="TWENTE")["value"].item() == own["value"].sum()
    assert own.height == 14
    (edition,) = table(with_delivered.output, "edition").to_dicts()
    assert edition["contains_synthetic"] is True


def test_a_delivered_file_does_not_move_the_baseline_and_the_run_says_that_it_would(
    with_delivered: Run, edition_from_folder: Path
) -> None:
    """The other workbook has good perceived health of 2022: a source of lower priority, that froze no baseline."""
    in_2022 = pl.col("measurement_year") == 2022
    assert (
        table(with_delivered.output, "indicator_value")
        .filter(in_2022)
        .equals(table(edition_from_folder, "indicator_value").filter(in_2022))
    )
    (sentence,) = points(with_delivered, "Other sources of the baseline 2022")
    assert "perceived_health_good 2022: RIVM 50120NED stands; GGD Gezondheidsmonitor per gemeente has other" in sentence
    checked = table(with_delivered.output, "check_result").filter(asset="source_choice").to_dicts()
    assert [(row["passed"], row["severity"]) for row in checked] == [(False, "warning")]
    assert checked[0]["message"] in sentence


def test_a_delivered_file_is_named_with_its_checksum(with_delivered: Run) -> None:
    source = (
        table(with_delivered.output, "source").filter(source_table="UWV WW-uitkeringen per gemeente").row(0, named=True)
    )
    (workbook,) = [path for path in EXAMPLES if path.name.startswith("uwv")]
    assert source["sha256"] == hashlib.sha256(workbook.read_bytes()).hexdigest()
    assert source["bytes"] == workbook.stat().st_size
    assert source["retrieved_at"]


# --- the bundled figures


def test_the_bundle_is_what_it_was() -> None:
    """No test above writes into the bundled figures."""
    bundled.verify()


def test_the_bundle_survives_a_clone() -> None:
    """Git writes text files with line feeds alone (.gitattributes): a checksum of other bytes fails in every clone."""
    files = json.loads((bundled.FOLDER / bundled.MANIFEST).read_text(encoding="utf-8"))["files"]
    text = [name for name in files if not name.endswith(".gz")]
    assert len(text) >= 3
    assert [name for name in text if b"\r" in (bundled.FOLDER / name).read_bytes()] == []
