"""`btg` by hand: help with an example, answers in four forms, and refusals that say what to do."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
from typer.main import get_command

from pipelines import refresh
from pipelines.cli import app
from tests.conftest import BTG, EXAMPLES

if TYPE_CHECKING:
    from typer.testing import Result

    from tests.conftest import Run
    from tests.pipelines.conftest import Btg

pytestmark = pytest.mark.filterwarnings("ignore::dagster.PreviewWarning", "ignore::dagster.BetaWarning")

VERBS = sorted(get_command(app).commands)  # type: ignore[attr-defined]
HEALTH = (
    "SELECT region_code, value, status, warnings FROM indicator_value WHERE indicator_id = 'perceived_health_good' "
    "AND measurement_year = 2025 AND region_code IN ('GM0153', 'TWENTE') ORDER BY region_code"
)


def refused(result: Result) -> None:
    """The call is at fault: exit 2, one clear message on stderr, nothing on stdout, no traceback."""
    assert isinstance(result.exception, SystemExit), repr(result.exception)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.strip()
    assert "Traceback" not in result.stderr


@pytest.fixture
def folder(edition: Path, tmp_path: Path) -> Path:
    """A copy of the database and the editions that a query may try to damage."""
    shutil.copytree(edition / "editions", tmp_path / "output" / "editions")
    shutil.copy(edition / "btg.duckdb", tmp_path / "output")
    return tmp_path / "output"


# --- help


def test_the_verbs_are_those_that_were_reviewed() -> None:
    expected = [
        *(
            "accessibility",
            "add",
            "backup",
            "check",
            "coverage",
            "diff",
            "doctor",
            "editions",
            "erratum",
            "fetch",
            "forget",
            "key",
        ),
        *("measure", "publish", "query", "rebuild", "report", "restore", "serve", "template", "trace", "ui", "waves"),
    ]
    assert expected == VERBS


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_an_example(btg: Btg, verb: str) -> None:
    result = btg(verb, "--help")
    assert result.exit_code == 0
    assert f"Example: btg {verb}" in " ".join(result.stdout.split())


@pytest.mark.parametrize("verb", ["check", "editions", "query"])
def test_the_example_in_the_help_works(btg: Btg, edition: Path, verb: str) -> None:
    import shlex

    example = get_command(app).commands[verb].epilog  # type: ignore[attr-defined]
    arguments = shlex.split(example.removeprefix("Example: btg "))
    result = btg(*arguments, "--output", edition)
    assert result.exit_code == 0, result.output
    assert len(result.stdout.splitlines()) > 1 or json.loads(result.stdout)


def test_help_says_where_to_begin(btg: Btg) -> None:
    result = btg("--help")
    assert result.exit_code == 0
    assert "btg measure --demo" in result.stdout
    for verb in VERBS:
        assert re.search(rf"^\W*{verb} ", result.stdout, re.MULTILINE)


@pytest.mark.parametrize("call", [["invented"], ["measure", "--invented"], ["measure", "--year", "soon"]])
def test_a_mistyped_call_is_refused(btg: Btg, call: list[str]) -> None:
    refused(btg(*call))


# --- answers


def test_a_table_shows_figures_and_all_their_warnings(btg: Btg, edition: Path) -> None:
    result = btg("query", HEALTH, "--output", edition)
    assert result.exit_code == 0
    assert "GM0153" in result.stdout
    for warning in ("carried_forward", "covid_period", "model_based", "newer_published", "no_margin"):
        assert result.stdout.count(warning) == 2, f"{warning} is left out"


def test_csv(btg: Btg, edition: Path) -> None:
    result = btg("query", HEALTH, "--format", "csv", "--output", edition)
    header, enschede, twente = csv.reader(io.StringIO(result.stdout))
    assert header == ["region_code", "value", "status", "warnings"]
    assert enschede[:3] == ["GM0153", enschede[1], "definitive"]
    assert twente[3].split(";") == sorted(twente[3].split(";"))
    assert "weight_approximate" in twente[3].split(";")


def test_json(btg: Btg, edition: Path) -> None:
    result = btg("query", HEALTH, "--format", "json", "--output", edition)
    enschede, twente = json.loads(result.stdout)
    assert (enschede["region_code"], twente["region_code"]) == ("GM0153", "TWENTE")
    assert isinstance(twente["warnings"], list)
    assert twente["value"] == pytest.approx(69.971, abs=0.0005)  # published figures, weighted by population 2022


def test_json_of_what_is_no_number_can_be_read(btg: Btg, edition: Path) -> None:
    sql = "SELECT 'nan'::DOUBLE AS a, 'inf'::DOUBLE AS b"
    result = btg("query", sql, "--format", "json", "--output", edition)

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    json.loads(result.stdout, parse_constant=refuse)


def test_parquet_through_a_pipe_equals_the_table(edition: Path, tmp_path: Path) -> None:
    sql = "SELECT * FROM indicator_value ORDER BY measurement_year, indicator_id, region_code, breakdown"
    done = subprocess.run(
        [BTG, "query", sql, "--format", "parquet", "--output", edition], capture_output=True, check=True, timeout=60
    )
    (tmp_path / "x.parquet").write_bytes(done.stdout)
    published = edition / "editions" / "2025-draft" / "parquet" / "indicator_value.parquet"
    assert pl.read_parquet(tmp_path / "x.parquet").equals(pl.read_parquet(published))
    assert done.stderr == b""


def test_outlines_are_hexadecimal_in_csv_and_json(btg: Btg, edition: Path) -> None:
    sql = "SELECT geometry_wkb FROM region WHERE region_code = 'GM0153'"
    as_json = json.loads(btg("query", sql, "--format", "json", "--output", edition).stdout)[0]["geometry_wkb"]
    as_csv = btg("query", sql, "--format", "csv", "--output", edition).stdout.splitlines()[1]
    assert as_json == as_csv
    assert bytes.fromhex(as_csv)[:5] == b"\x01\x06\x00\x00\x00"  # little-endian multipolygon


@pytest.mark.parametrize("form", ["table", "csv", "json"])
@pytest.mark.parametrize("sql", ["FROM duckdb_tables()", "SELECT INTERVAL 1 DAY AS day", "SELECT {'a': 1} AS nested"])
def test_any_type_is_answered_or_refused(btg: Btg, edition: Path, sql: str, form: str) -> None:
    result = btg("query", sql, "--format", form, "--output", edition)
    if result.exit_code:
        refused(result)
    else:
        assert result.stdout


def test_the_newest_edition_is_asked_unless_one_is_named(btg: Btg, edition: Path) -> None:
    sql = "SELECT edition FROM edition"
    for named in ([], ["--edition", "2025-draft"]):
        result = btg("query", sql, *named, "--format", "csv", "--output", edition)
        assert result.stdout.split() == ["edition", "2025-draft"]


def test_the_output_folder_can_be_set_in_the_environment(
    btg: Btg, edition: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BTG_OUTPUT", str(edition))
    assert btg("query", "SELECT count(*) FROM theme", "--format", "csv").stdout.split()[-1] == "19"


# --- what a query cannot do

DAMAGE = {
    "insert": "INSERT INTO theme SELECT * FROM theme",
    "update": "UPDATE theme SET name_nl = 'x'",
    "delete": "DELETE FROM theme",
    "drop": "DROP TABLE theme",
    "create": "CREATE TABLE x (a INT)",
    "create a temporary table": "CREATE TEMP TABLE x (a INT)",
    "alter": "ALTER TABLE theme ADD COLUMN x INT",
    "comment": "COMMENT ON TABLE theme IS 'x'",
    "copy out": "COPY theme TO 'FOLDER/stolen.csv'",
    "export": "EXPORT DATABASE 'FOLDER/stolen'",
    "attach a file": "ATTACH 'FOLDER/other.duckdb'",
    "attach memory": "ATTACH ':memory:' AS m",
    "read csv": "SELECT * FROM read_csv('/etc/passwd')",
    "read text": "SELECT * FROM read_text('/etc/passwd')",
    "read blob": "SELECT * FROM read_blob('/etc/*')",
    "read parquet": "SELECT * FROM 'FOLDER/editions/2025-draft/parquet/theme.parquet'",
    "list files": "SELECT * FROM glob('/etc/*')",
    "read an address": "SELECT * FROM 'https://example.com/x.csv'",
    "set": "SET enable_external_access = true",
    "set a limit": "SET memory_limit = '1GB'",
    "reset": "RESET enable_external_access",
    "pragma": "PRAGMA threads = 1",
    "install": "INSTALL httpfs",
    "load": "LOAD httpfs",
    "environment": "SELECT getenv('HOME')",
    "begin": "BEGIN TRANSACTION",
    "variable": "SET VARIABLE a = 1",
    "two statements": "SELECT 1; DROP TABLE theme",
    "damage first": "DROP TABLE theme; SELECT 1",
    "syntax": "SELEC 1",
    "unknown column": "SELECT invented FROM theme",
    "nothing": "",
    "blanks": "  ",
    "semicolon": ";",
    "comment only": "-- nothing",
}


@pytest.mark.parametrize("sql", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_query_can_only_read_this_edition(
    btg: Btg, folder: Path, fingerprint: Callable[[Path], dict[str, str]], sql: str
) -> None:
    before, files = fingerprint(folder), sorted(folder.rglob("*"))
    result = btg("query", sql.replace("FOLDER", str(folder)), "--output", folder)
    assert fingerprint(folder) == before
    assert sorted(folder.rglob("*")) == files
    refused(result)
    assert "root:" not in result.output


def test_only_the_one_statement_that_is_answered_is_accepted(btg: Btg, edition: Path) -> None:
    """The help says: one SELECT statement. An answer to the last of two would pass for the answer to both."""
    refused(btg("query", "SELECT 1 AS a; SELECT 2 AS b", "--output", edition))


# --- editions that are not there

NOT_AN_EDITION = ["../x", "..", ".", "", "a/../2025-draft", "../editions/2025-draft", "/etc", "2025-draft/parquet"]


@pytest.mark.parametrize("verb", [["query", "SELECT 1"], ["check"]], ids=["query", "check"])
@pytest.mark.parametrize("name", NOT_AN_EDITION)
def test_a_path_is_not_the_name_of_an_edition(btg: Btg, edition: Path, verb: list[str], name: str) -> None:
    result = btg(*verb, "--edition", name, "--output", edition)
    refused(result)
    assert "btg editions" in result.stderr


@pytest.mark.parametrize("verb", [["query", "SELECT 1"], ["check"]], ids=["query", "check"])
def test_an_unknown_edition_is_refused_with_a_hint(btg: Btg, edition: Path, verb: list[str]) -> None:
    result = btg(*verb, "--edition", "2031-1", "--output", edition)
    refused(result)
    assert "2031-1" in result.stderr
    assert "btg editions" in result.stderr


@pytest.mark.parametrize("verb", [["query", "SELECT 1"], ["check"]], ids=["query", "check"])
def test_before_the_first_measurement_it_says_how_to_begin(btg: Btg, tmp_path: Path, verb: list[str]) -> None:
    result = btg(*verb, "--output", tmp_path / "nothing yet")
    refused(result)
    assert "btg measure --demo" in result.stderr
    assert not (tmp_path / "nothing yet").exists()


# --- what comes in


WORKBOOK = next(path for path in EXAMPLES if path.name.startswith("uwv"))


def test_a_dry_run_says_what_a_file_holds_and_keeps_nothing(btg: Btg, tmp_path: Path) -> None:
    result = btg("add", WORKBOOK, "--dry-run", "--data", tmp_path / "data")
    assert result.exit_code == 0, result.output
    assert f"{WORKBOOK.name} is UWV WW-uitkeringen per gemeente" in result.stdout
    assert "invented example" in result.stdout
    assert "benefit_unemployment 2025-12: 15 regions" in result.stdout  # the fourteen and the country
    assert "Nothing was kept" in result.stdout
    assert not (tmp_path / "data").exists()


def test_a_file_is_taken_in_once(btg: Btg, tmp_path: Path) -> None:
    first = json.loads(btg("add", WORKBOOK, "--json", "--data", tmp_path).stdout)
    assert (first["kept"], first["known_already"], first["synthetic"]) == (True, False, True)
    assert first["holds"] == [
        {"indicator_id": "benefit_unemployment", "period": "2025-12", "regions": 15, "missing": 0}
    ]
    kept = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    assert kept
    again = btg("add", WORKBOOK, "--data", tmp_path)
    assert again.exit_code == 0
    assert "taken in before: nothing to do" in again.stdout
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == kept


@pytest.mark.parametrize("name", ["nowhere.xlsx", "."], ids=["no file", "a folder"])
def test_what_is_no_file_is_a_wrong_call(btg: Btg, tmp_path: Path, name: str) -> None:
    refused(btg("add", tmp_path / name, "--data", tmp_path / "data"))
    assert not (tmp_path / "data").exists()


def test_a_file_of_an_unknown_source_is_a_wrong_call_that_names_the_known_ones(btg: Btg, tmp_path: Path) -> None:
    result = btg("add", WORKBOOK, "--source", "uwvv", "--data", tmp_path / "data")
    refused(result)
    assert "'uwvv'" in result.stderr
    for source in ("uwv", "ggd_twente", "cbs_income"):
        assert source in result.stderr.replace("'uwvv'", "")
    assert not (tmp_path / "data").exists()


def test_a_file_that_cannot_be_taken_in_is_refused_with_a_reason(btg: Btg, tmp_path: Path) -> None:
    name = "notes.txt"
    (tmp_path / "notes.txt").write_text("Dear all,\nthe figures follow next week.\n", encoding="utf-8")
    result = btg("add", tmp_path / name, "--data", tmp_path / "data")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert name in result.stderr
    assert "expected" in result.stderr
    assert "Nothing was taken in." in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("call", [["add", WORKBOOK], ["fetch", "cbs_income"]], ids=["add", "fetch"])
def test_without_a_data_root_nothing_is_kept(btg: Btg, call: list[str | Path]) -> None:
    """BTG_DATA is empty here: where would it go?"""
    result = btg(*call)
    refused(result)
    assert "BTG_DATA is empty" in result.stderr


@pytest.mark.parametrize("name", ["CBS", "cbs", "2025)", "(indeling", "86161", "NED", "gebiedsindelingen", ""])
def test_a_part_of_a_name_means_no_table(name: str) -> None:
    with pytest.raises(refresh.NothingChosenError):
        refresh.choose([name])


@pytest.mark.parametrize(
    ("name", "tables"),
    [
        ("cbs_income", ["CBS 86004NED", "CBS 86161NED (indeling 2025)"]),
        ("86161NED", ["CBS 86161NED (indeling 2025)"]),
        ("86161ned", ["CBS 86161NED (indeling 2025)"]),
        ("CBS 86161NED (indeling 2025)", ["CBS 86161NED (indeling 2025)"]),
        ("CBS/Kadaster gebiedsindelingen 2025", ["CBS/Kadaster gebiedsindelingen 2025"]),
    ],
)
def test_a_source_a_table_and_a_whole_name_mean_their_tables(name: str, tables: list[str]) -> None:
    assert refresh.choose([name]) == tables


def test_what_cannot_be_fetched_is_refused_with_what_can(btg: Btg, tmp_path: Path) -> None:
    result = btg("fetch", "cbs_incomes", "--data", tmp_path)
    refused(result)
    assert "'cbs_incomes'" in result.stderr
    for source in ("cbs_income", "rivm_health", "86161NED"):
        assert source in result.stderr
    assert not list(tmp_path.iterdir())


# --- check and editions


def test_check_gives_the_verdict_first(btg: Btg, edition: Path) -> None:
    result = btg("check", "--output", edition)
    assert result.exit_code == 0
    assert re.match(r"Passed, with \d+ points? for attention \(\d+ checks\)", result.stdout)
    page = result.stdout.rsplit(":", 1)[1].strip()
    assert Path(page) == edition / "last_run" / "quality.html"


def test_check_lists_what_asks_for_attention_and_on_request_all(btg: Btg, edition: Path) -> None:
    some = btg("check", "--output", edition).stdout
    everything = btg("check", "--all", "--output", edition).stdout
    assert "attention" in some
    assert "\npassed" not in some
    number = int(re.search(r"\((\d+) checks\)", everything).group(1))  # type: ignore[union-attr]
    assert len(re.findall(r"^(?:passed|attention|FAILED)\b", everything, re.MULTILINE)) == number


def test_check_as_json(btg: Btg, edition: Path) -> None:
    result = btg("check", "--json", "--output", edition)
    answer = json.loads(result.stdout)
    assert answer["verdict"].startswith("Passed")
    assert result.stderr == ""
    assert all(row["passed"] for row in answer["checks"] if row["severity"] == "error")
    ranks = [2 if row["passed"] else 0 if row["severity"] == "error" else 1 for row in answer["checks"]]
    assert ranks == sorted(ranks), "not worst first"


def test_check_of_an_edition_reads_what_it_was_published_with(btg: Btg, edition: Path) -> None:
    answer = json.loads(btg("check", "--json", "--edition", "2025-draft", "--output", edition).stdout)
    published = pl.read_parquet(edition / "editions" / "2025-draft" / "parquet" / "check_result.parquet")
    assert len(answer["checks"]) == published.height


def test_editions_lists_the_draft(btg: Btg, edition: Path) -> None:
    result = btg("editions", "--output", edition)
    assert result.exit_code == 0
    assert result.stdout.startswith("2025-draft  measurement year 2025, made 20")
    assert "contains invented examples" in result.stdout
    (row,) = json.loads(btg("editions", "--json", "--output", edition).stdout)
    assert (row["edition"], row["measurement_year"], row["contains_synthetic"]) == ("2025-draft", 2025, True)
    assert Path(row["folder"]) == edition / "editions" / "2025-draft"


def test_an_edition_without_invented_examples_says_nothing_of_them(btg: Btg, edition_from_folder: Path) -> None:
    assert "invented" not in btg("editions", "--output", edition_from_folder).stdout
    (row,) = json.loads(btg("editions", "--json", "--output", edition_from_folder).stdout)
    assert row["contains_synthetic"] is False


def test_editions_of_several_years_are_listed_newest_last(btg: Btg, until_2023: Run) -> None:
    rows = json.loads(btg("editions", "--json", "--output", until_2023.succeeded().output).stdout)
    assert [row["edition"] for row in rows] == ["2023-draft", "2025-draft"]


def test_no_editions_yet(btg: Btg, tmp_path: Path) -> None:
    result = btg("editions", "--output", tmp_path)
    assert result.exit_code == 0
    assert "btg measure --demo" in result.stdout
    assert json.loads(btg("editions", "--json", "--output", tmp_path).stdout) == []


def test_a_half_made_edition_is_no_edition(btg: Btg, folder: Path) -> None:
    """What a run that was cut off may leave: a hidden folder without a whole database."""
    (folder / "editions" / ".2025-draft.building").mkdir()
    (folder / "editions" / ".2025-draft.building" / "btg.duckdb").write_bytes(b"half")
    rows = json.loads(btg("editions", "--json", "--output", folder).stdout)
    assert [row["edition"] for row in rows] == ["2025-draft"]
