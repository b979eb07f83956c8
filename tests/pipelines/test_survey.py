"""The resident survey as an analyst works with it and an attacker looks at it: `btg` from a file to an edition."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import json
import os
import shutil
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import duckdb
import polars as pl
import pytest

from sources.survey.private_files import new_key
from sources.survey.store import PrivateStore
from tests.pipelines.conftest import seen_by_readers
from tests.pipelines.surveys import (
    ADDRESS,
    DIMENSIONS,
    FORMATS,
    ID,
    INDICATORS,
    MARKS,
    REMARK,
    Delivery,
    Desk,
    deliver,
    described,
    files_with,
)

if TYPE_CHECKING:
    from typer.testing import Result

    from tests.conftest import Run, Runs, WholeRun
    from tests.pipelines.conftest import Btg

Fingerprint = Callable[[Path], dict[str, str]]
Damage = Callable[[pl.DataFrame], pl.DataFrame]

# Questions that were worded otherwise in 2025, or of which one was no longer asked.
CHANGED = ["experienced_civic_engagement", "experienced_environment"]
FEW = "GM0173"
GRADE = "experienced_overall_grade_published"
# Of what they hold, only when and from what an edition was made may differ between two runs of equal figures.
ABOUT_THE_RUN = {"edition", "check_result"}


def digests(folder: Path) -> dict[str, str]:
    """Every file under a folder, by SHA-256; the lock says nothing."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def table(output: Path, name: str, edition: str = "2025-draft") -> pl.DataFrame:
    return pl.read_parquet(output / "editions" / edition / "parquet" / f"{name}.parquet")


# --- the scenarios: each is one or two whole runs, made once


@dataclasses.dataclass(frozen=True)
class Office:
    """A desk at which three waves were taken in and measured, with all that was said there."""

    desk: Desk
    run: Run


def _office(runs: Runs, folder: Path) -> Office:
    """Three waves as SPSS, csv and workbook, with a key; 2023 asks some people of 2022 again."""
    desk = Desk(folder, key=new_key())
    desk.describe([described(2022), described(2023, panel_of="inwoners_2022"), described(2025)])
    catalogue = desk.catalogue
    for year, file_format in FORMATS.items():
        delivery = deliver(
            desk.folder / "delivered",
            catalogue,
            catalogue.survey.waves[f"inwoners_{year}"],
            file_format,
            national=year == 2022,
            panel=0 if year == 2025 else 400,
        )
        said = desk.btg("add", delivery.answers, "--margins", delivery.margins)
        assert said.returncode == 0, said.everything
    run = runs.btg("measure", output=desk.output, env=desk.env)
    desk.said.append(run.said)
    return Office(desk, run.succeeded())


@dataclasses.dataclass(frozen=True)
class Rebuilt:
    """The office after the rows of 2022 were deleted and everything was measured again."""

    desk: Desk
    due: str
    due_changed: bool
    deleted: str
    waves: str
    run: Run


def _rebuilt(runs: Runs, folder: Path) -> Rebuilt:
    """Of a copy of the office, the rows of the wave whose time is over are deleted."""
    office = runs.start("office").result()
    desk = Desk(Path(shutil.copytree(office.desk.folder, folder / "office")), key=office.desk.key)
    before = digests(desk.private)
    due = desk.btg("forget", "--due", "--dry-run")
    due_changed = digests(desk.private) != before
    deleted = desk.btg("forget", "inwoners_2022", "--reason", "the agreed time is over", "--by", "the analyst")
    waves = desk.btg("waves")
    assert [each.returncode for each in (due, deleted, waves)] == [0, 0, 0], desk.said
    run = runs.btg("measure", output=desk.output, env=desk.env)
    return Rebuilt(desk, due.stdout, due_changed, deleted.stdout, waves.stdout, run.succeeded())


@dataclasses.dataclass(frozen=True)
class Plain:
    """A desk without a key, with one wave of which the files are at hand; where `edition` is what stands there."""

    desk: Desk
    delivery: Delivery
    edition: dict[str, str]


def _plain(runs: Runs, folder: Path) -> Plain:
    """The wave of 2023 is kept; the output folder holds the demo's edition."""
    desk = Desk(folder)
    desk.describe([described(2022), described(2023)])
    wave = desk.wave("inwoners_2023")
    delivery = deliver(desk.folder / "delivered", desk.catalogue, wave, "csv")
    said = desk.btg("add", delivery.answers, "--margins", delivery.margins)
    assert said.returncode == 0, said.everything
    runs.copy_of_edition(folder)
    return Plain(desk, delivery, seen_by_readers(desk.output))


def _impossible(runs: Runs, folder: Path) -> tuple[Desk, Run]:
    """At such a desk, population numbers that the answers can never add up to: people where none answered."""
    plain = _plain(runs, folder)
    desk = plain.desk
    answers = csv(plain.delivery.answers).filter(
        (pl.col("gemeente") != FEW) | (pl.col("geslacht") != "1") | (pl.col("leeftijd").cast(pl.Int64) < 65)
    )
    answers.write_csv(plain.delivery.answers.with_name("lacking.csv"), separator=";")
    lacking = plain.delivery.answers.with_name("lacking.csv")
    said = desk.btg("add", lacking, "--margins", plain.delivery.margins, "--wave", "inwoners_2023", "--replace")
    assert said.returncode == 0, said.everything
    run = runs.btg("measure", output=desk.output, env=desk.env)
    desk.said.append(run.said)
    return desk, run


def institute(year: int, **given: Any) -> dict[str, Any]:
    """A wave of which the institute delivers figures only."""
    columns = {"region": "gebied", "dimension": "thema", "value": "cijfer", "n": "aantal", "scale": "grade"}
    wave = {
        **{key: value for key, value in described(year).items() if key not in ("columns", "response", "calibration")},
        "kind": "aggregates",
        "retention_until": None,
        "aggregates": columns | given,
    }
    return copy.deepcopy(wave)


def _aggregated(runs: Runs, folder: Path) -> Desk:
    """Figures without margin in 2022, with margin in 2023; of one municipality 29 people answered."""
    desk = Desk(folder)
    margin = {"margin": "marge", "value": "score", "scale": "score"}
    desk.describe([institute(2022), institute(2023, **margin)])
    region = desk.catalogue.region
    answers = {code: 29 if code == FEW else 200 + place for place, code in enumerate(region.municipalities)}
    answers |= {group: sum(answers[code] for code in members) for group, members in region.own_groups.items()}
    figures = pl.DataFrame(
        {
            "gebied": list(answers),
            "cijfer": [6.4 + 0.1 * (place % 9) for place in range(len(answers))],
            "aantal": list(answers.values()),
        }
    ).join(pl.DataFrame({"thema": DIMENSIONS}), how="cross")
    figures.write_csv(desk.folder / "2022.csv")
    scored = figures.with_columns(score=(pl.col("cijfer") - 1) / 9 + 0.1, marge=pl.lit(0.02)).drop("cijfer")
    scored.write_csv(desk.folder / "2023.csv")
    for year in (2022, 2023):
        said = desk.btg("add", desk.folder / f"{year}.csv")
        assert said.returncode == 0, said.everything
    runs.btg("measure", "--year", "2023", output=desk.output, env=desk.env).succeeded()
    return desk


WHOLE_RUNS: dict[str, WholeRun] = {
    "office": _office,
    "rebuilt": _rebuilt,
    "plain": _plain,
    "impossible": _impossible,
    "aggregated": _aggregated,
}


@pytest.fixture(scope="module")
def office(runs: Runs) -> Office:
    """Three waves with a key, measured. Only for reading, as all of these."""
    return cast("Office", runs.start("office").result())


@pytest.fixture(scope="module")
def rebuilt(runs: Runs) -> Rebuilt:
    """The office without the rows of 2022."""
    return cast("Rebuilt", runs.start("rebuilt").result())


@pytest.fixture(scope="module")
def plain(runs: Runs) -> Plain:
    """A desk without a key, with the wave of 2023."""
    return cast("Plain", runs.start("plain").result())


@pytest.fixture(scope="module")
def impossible(runs: Runs) -> tuple[Desk, Run]:
    """A desk whose wave cannot be weighted, and the run that failed."""
    return cast("tuple[Desk, Run]", runs.start("impossible").result())


@pytest.fixture(scope="module")
def aggregated(runs: Runs) -> Desk:
    """A desk with tables of an institute."""
    return cast("Desk", runs.start("aggregated").result())


def csv(path: Path) -> pl.DataFrame:
    """A delivered file as text."""
    return pl.read_csv(path, separator=";", infer_schema=False)


@pytest.fixture
def add(plain: Plain, btg: Btg, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Result]:
    """Take a damaged copy of the wave's file in, in this process, at the desk without a key."""
    monkeypatch.setattr("pipelines.waves.CATALOGUE", plain.desk.catalogue)

    def run(damage: Damage | None = None, *options: str | Path, wave: str = "inwoners_2023") -> Result:
        path = plain.delivery.answers
        if damage is not None:
            path = tmp_path / "damaged.csv"
            damage(csv(plain.delivery.answers)).write_csv(path, separator=";")
        margins = options or ("--margins", plain.delivery.margins)
        return btg("add", path, "--wave", wave, "--data", plain.desk.data, *margins)

    return run


# --- from files to figures


def test_waves_are_recognised_by_their_columns(office: Office) -> None:
    said = "\n".join(office.desk.said)
    for year, file_format in FORMATS.items():
        assert f"inwoners_{year}.{file_format} is wave inwoners_{year}" in said
    assert said.count("direct identifiers dropped unread: e_mail, naam") == 3


def test_the_waves_are_listed_with_what_they_were_made_from(office: Office) -> None:
    waves = office.desk.table("survey_wave")
    assert waves["wave_id"].to_list() == ["inwoners_2022", "inwoners_2023", "inwoners_2025"]
    assert waves["origin"].unique().to_list() == ["rows"]
    assert not waves["synthetic"].any()
    assert office.desk.table("edition")["contains_synthetic"].item() is False


def test_what_residents_say_is_measured_and_not_invented(office: Office) -> None:
    values = office.desk.table("indicator_value").filter(
        pl.col("indicator_id").is_in(INDICATORS) & (pl.col("region_code") == "TWENTE"), breakdown="total"
    )
    measured = values.filter(pl.col("measurement_year") != 2024)
    assert measured.height == 3 * len(INDICATORS)
    assert (measured["status"] == "definitive").all()
    assert measured.select(pl.col("source_table") == pl.format("Enquête {}", "measurement_year")).to_series().all()
    assert measured.select(pl.all_horizontal(pl.col("ci_low", "ci_high", "n", "standard_error").is_not_null()))[
        :, 0
    ].all()
    said = office.desk.table("indicator_value").filter(pl.col("indicator_id").is_in(INDICATORS))["warnings"]
    assert "synthetic" not in said.explode().unique().to_list()


def test_in_a_year_without_a_wave_nothing_was_measured(office: Office) -> None:
    values = office.desk.table("indicator_value").filter(
        pl.col("indicator_id").is_in(INDICATORS), measurement_year=2024
    )
    assert values.height >= 17 * len(INDICATORS)
    assert values["status"].unique().to_list() == ["not_measured"]
    assert values["value"].null_count() == values.height


def test_comparisons_rest_on_intervals(office: Office) -> None:
    """But for what a model says of a municipality whose own answers are hidden: that decides nothing about it."""
    compared = office.desk.table("comparison").filter(
        pl.col("indicator_id").is_in(INDICATORS) & pl.col("difference").is_not_null()
    )
    modelled = office.desk.table("indicator_value").filter(pl.col("n").is_null(), status="estimated")
    key = ["measurement_year", "indicator_id", "region_code", "breakdown"]
    of_answers = compared.join(modelled, key, how="anti")
    assert of_answers["basis"].unique().to_list() == ["interval"]
    assert of_answers["difference_ci_low"].null_count() == of_answers["p_value"].null_count() == 0
    assert {"better", "no_demonstrable_difference"} <= set(of_answers["verdict"])
    assert set(of_answers["measurement_year"]) == {2022, 2023, 2025}
    national = of_answers.filter(pl.col("comparator_code").is_in(["NL01", "NL_REST"]))
    assert set(national["measurement_year"]) == {2022}, "only that wave had a national sample"
    of_none = compared.join(modelled, key, how="semi")
    assert of_none.height > 0
    assert of_none.select("verdict", "basis").unique().rows() == [("not_decidable", "none")]


def test_a_change_rests_on_an_interval_and_a_reworded_dimension_is_not_compared(office: Office) -> None:
    changes = office.desk.table("change").filter(
        pl.col("indicator_id").is_in(INDICATORS) & (pl.col("region_code") == "TWENTE"),
        quantity="value",
        breakdown="total",
    )
    changed = pl.col("indicator_id").str.strip_suffix("_share").is_in(CHANGED)
    assert changes.height == 3 * len(INDICATORS)
    later = changes.filter(changed, measurement_year=2025)
    assert later["verdict"].to_list() == ["not_comparable"] * 4
    assert later["warnings"].list.contains("break_in_series").all()
    judged = changes.filter((pl.col("measurement_year") == 2023) | (~changed & (pl.col("measurement_year") == 2025)))
    assert judged["basis"].unique().to_list() == ["interval"]
    assert judged["difference_ci_low"].null_count() == 0
    assert set(judged["verdict"]) <= {"better", "worse", "no_demonstrable_difference"}
    assert changes.filter(measurement_year=2024)["verdict"].unique().to_list() == ["not_decidable"]


def test_questions_that_changed_are_flagged(office: Office) -> None:
    items = office.desk.table("survey_item")
    flagged = items.filter("definition_differs").select("wave_id", "indicator_id").unique().sort("indicator_id").rows()
    assert flagged == [("inwoners_2025", name) for name in CHANGED]
    of_2025 = pl.col("indicator_id").is_in(CHANGED) & (pl.col("measurement_year") == 2025)
    assert office.desk.table("survey_estimate").filter(of_2025)["warnings"].list.contains("definition_differs").all()


def test_where_few_answered_nothing_is_said(office: Office) -> None:
    """In the smallest municipality 85 people answered, fewer than 30 of an age: 30 are needed."""
    estimates = office.desk.table("survey_estimate")
    assert estimates["n"].drop_nulls().min() >= 30  # type: ignore[operator]
    hidden = estimates.filter(status="suppressed")
    assert set(hidden["measurement_year"]) == {2022, 2023, 2025}
    said = pl.col(
        "value", "ci_low", "standard_error", "n", "n_effective", "degrees_of_freedom", "grade", "grade_ci_low"
    )
    assert hidden.select(said).null_count().row(0) == (hidden.height,) * 8
    # Of a breakdown of a municipality never one cell alone: it could be taken off the whole.
    shown_whole = estimates.filter(breakdown="total").filter(pl.col("value").is_not_null())
    key = ["measurement_year", "variable_id", "region_code", "statistic"]
    alone = (
        hidden.filter(pl.col("breakdown").str.starts_with("age="))
        .join(shown_whole, key, how="semi")
        .group_by(key)
        .len()
        .filter(len=1)
    )
    assert alone.is_empty()


# --- what an attacker finds


def test_the_search_for_marks_finds_them_wherever_they_are(office: Office, tmp_path: Path) -> None:
    """Else the tests below would prove nothing."""
    delivered = files_with([office.desk.folder / "delivered"], MARKS)
    of_rows = {f"inwoners_{year}.{file_format}" for year, file_format in FORMATS.items()}
    assert delivered == dict.fromkeys(MARKS, of_rows)
    frame = pl.DataFrame({"a": [f"{REMARK} {number}" for number in range(2000)]})
    frame.write_parquet(tmp_path / "a.parquet")
    with duckdb.connect(str(tmp_path / "b.duckdb")) as database:
        database.execute("CREATE TABLE t AS SELECT * FROM frame")
    with sqlite3.connect(tmp_path / "c.db") as store:
        store.execute("CREATE TABLE t (a TEXT)")
        store.execute("INSERT INTO t VALUES (?)", ["x" * 5000 + REMARK.upper()])
    with zipfile.ZipFile(tmp_path / "d.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(tmp_path / "a.parquet", "a.parquet")
    (tmp_path / f"{REMARK}.txt").write_text("in the name", encoding="utf-8")
    found = files_with([tmp_path], [REMARK])
    assert found[REMARK] == {"a.parquet", "b.duckdb", "c.db", "d.zip", f"{REMARK}.txt"}


def test_no_mark_leaves_the_private_folder(office: Office) -> None:
    """Looked into: editions, the last run, Dagster's history, temporary files and a home; with a key also private/."""
    desk = office.desk
    storage = desk.output.with_name("output-dagster")
    assert any(storage.rglob("*.db")), "Dagster's history is elsewhere: look there"
    assert len([path for path in desk.output.rglob("*") if path.is_file()]) > 100
    kept = PrivateStore(desk.data, desk.key).rows("inwoners_2022")["respondent"].to_list()
    everywhere = [path for path in desk.folder.iterdir() if path.is_dir() and path.name != "delivered"]
    assert {path.name for path in everywhere} >= {"data", "output", "output-dagster", "temporary", "home", "catalogue"}
    assert files_with(everywhere, [*MARKS, *kept[:3], *kept[-3:]]) == {}


def test_no_mark_is_printed(office: Office, rebuilt: Rebuilt, plain: Plain, impossible: tuple[Desk, Run]) -> None:
    said = "\n".join([*office.desk.said, *rebuilt.desk.said, *plain.desk.said, *impossible[0].said]).casefold()
    assert "inwoners_2023" in said
    assert [mark for mark in MARKS if mark.casefold() in said] == []


def test_after_runs_that_failed_rows_stand_only_in_the_private_folder(
    plain: Plain, impossible: tuple[Desk, Run]
) -> None:
    """Without a key rows can be read there, under pseudonyms; ids, remarks, names and addresses nowhere."""
    desk, _ = impossible
    kept = PrivateStore(desk.data).rows("inwoners_2023")["respondent"].to_list()
    everywhere = [path for path in desk.folder.iterdir() if path.is_dir() and path.name != "delivered"]
    found = files_with(everywhere, [*MARKS, kept[0], kept[-1]])
    assert set(found) == {kept[0], kept[-1]}
    for files in found.values():
        assert len(files) == 1
        assert all(file.startswith("private/survey/inwoners_2023/rows-") for file in files)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no rights for group and others")
def test_only_the_owner_may_open_the_private_folder(office: Office, plain: Plain) -> None:
    for desk in (office.desk, plain.desk):
        found = {path: path.stat().st_mode & 0o777 for path in [desk.private, *desk.private.rglob("*")]}
        assert len(found) > 5
        assert {oct(mode) for path, mode in found.items() if path.is_dir()} == {"0o700"}
        assert {oct(mode) for path, mode in found.items() if path.is_file()} == {"0o600"}


# --- retention


def test_what_is_due_is_said_before_anything_is_deleted(rebuilt: Rebuilt, office: Office) -> None:
    rows = PrivateStore(office.desk.data, office.desk.key).rows("inwoners_2022").height
    assert rebuilt.due == f"Would delete {rows} rows of inwoners_2022.\n"
    assert not rebuilt.due_changed


def test_deleted_rows_are_gone_and_the_log_says_who_did_it_and_why(rebuilt: Rebuilt) -> None:
    kept = rebuilt.desk.private / "survey"
    assert list((kept / "inwoners_2022").glob("rows*")) == []
    assert len(list((kept / "inwoners_2023").glob("rows*"))) == 1
    last = json.loads((kept / "log.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    assert (last["event"], last["wave_id"], last["by"]) == ("deleted", "inwoners_2022", "the analyst")
    assert last["reason"] == "the agreed time is over"
    assert last["rows"] > 2000
    assert "inwoners_2022; its estimates stay" in rebuilt.deleted
    of_2022, of_2023, _ = rebuilt.waves.splitlines()
    assert "deleted on" in of_2022
    assert "until 2099-12-31" in of_2023


def test_figures_made_of_stored_estimates_are_the_same_to_the_byte(rebuilt: Rebuilt, office: Office) -> None:
    """Also the changes of the panel: what it has in common with the deleted wave was stored with its estimates."""
    folders = [each.desk.output / "editions" / "2025-draft" for each in (office, rebuilt)]
    before, after = (digests(folder / "parquet") for folder in folders)
    assert before.keys() == after.keys()
    differing = {name.removesuffix(".parquet") for name in before if before[name] != after[name]}
    assert differing == {*ABOUT_THE_RUN, "survey_wave"}
    waves = [each.desk.table("survey_wave").drop("origin") for each in (office, rebuilt)]
    assert waves[0].equals(waves[1])


def test_an_edition_made_of_stored_estimates_says_so(rebuilt: Rebuilt) -> None:
    origin = rebuilt.desk.table("survey_wave").select("wave_id", "origin").rows()
    assert dict(origin) == {"inwoners_2022": "stored_estimates", "inwoners_2023": "rows", "inwoners_2025": "rows"}
    (check,) = rebuilt.desk.table("check_result").filter(check_id="made_from_answers").to_dicts()
    assert not check["passed"]
    assert check["severity"] == "warning"
    assert check["message"].startswith("inwoners_2022: its answers were deleted")


def test_answers_kept_too_long_are_pointed_out_until_they_are_deleted(office: Office, rebuilt: Rebuilt) -> None:
    before, after = (
        each.desk.table("check_result").row(by_predicate=pl.col("check_id") == "answers_within_retention", named=True)
        for each in (office, rebuilt)
    )
    assert not before["passed"]
    assert "inwoners_2022" in before["message"]
    assert "btg forget --due" in before["message"]
    assert after["passed"]


# --- waves that cannot be taken in


def without(column: str) -> Damage:
    return lambda frame: frame.drop(column)


def cell(column: str, row: int, value: str) -> Damage:
    """Another cell in a row of the file, where the header is row 1."""
    at = pl.int_range(2, pl.len() + 2) == row
    return lambda frame: frame.with_columns(pl.when(at).then(pl.lit(value)).otherwise(column).alias(column))


def repeated(frame: pl.DataFrame) -> pl.DataFrame:
    """The id of row 5 again in row 9."""
    return cell("nummer_2023", 9, frame["nummer_2023"][3])(frame)


def as_2022(frame: pl.DataFrame) -> pl.DataFrame:
    """The same answers under other ids, as the file of another wave."""
    ids = pl.format(f"{ID}-elders-{{}}", pl.int_range(pl.len()))
    return frame.with_columns(nummer_2023=ids).rename({"nummer_2023": "nummer_2022"})


BAD: dict[str, tuple[Damage | None, str, list[str]]] = {
    "no column of weights": (without("gewicht"), "inwoners_2023", ["the column gewicht"]),
    "a negative weight": (
        cell("gewicht", 17, "-7,7707"),
        "inwoners_2023",
        ["row 17", "column gewicht", "a weight above 0"],
    ),
    "a stratum of one": (
        cell("stratum", 23, f"{REMARK} laag"),
        "inwoners_2023",
        ["row 23", "column stratum", "two respondents"],
    ),
    "a municipality without anyone": (
        lambda frame: frame.filter(pl.col("gemeente") != "GM0189"),
        "inwoners_2023",
        ["column gemeente", "respondents in every municipality", "Wierden (GM0189)"],
    ),
    "a code outside the range": (cell("v04a", 31, "77"), "inwoners_2023", ["row 31", "column v04a"]),
    "a text instead of a code": (cell("v04b", 32, REMARK), "inwoners_2023", ["row 32", "column v04b"]),
    "one respondent twice": (repeated, "inwoners_2023", ["row 9", "column nummer_2023", "every respondent once"]),
    "an address where none was expected": (
        cell("opmerking", 40, f"merkteken{ADDRESS}"),
        "inwoners_2023",
        ["column opmerking", "an e-mail address"],
    ),
    "the same file again": (None, "inwoners_2023", ["a file that is not kept yet"]),
    "the rows of another wave": (as_2022, "inwoners_2022", ["other respondents than in wave inwoners_2023"]),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_bad_wave_is_refused_in_one_clear_message(
    fault: str, add: Callable[..., Result], plain: Plain, fingerprint: Fingerprint
) -> None:
    damage, wave, expected = BAD[fault]
    before = digests(plain.desk.private)
    result = add(damage, wave=wave)
    assert result.exit_code == 1, result.output
    assert result.stdout == ""
    for words in (wave, *expected):
        assert words in result.stderr
    assert result.stderr.rstrip().endswith("Nothing was taken in.")
    assert "Traceback" not in result.output
    said = result.output.casefold()
    assert [mark for mark in (*MARKS, "77", "7,77", "7.77") if mark.casefold() in said] == []
    assert digests(plain.desk.private) == before
    assert fingerprint(plain.desk.output) == plain.edition


def test_a_wave_nobody_described_is_a_wrong_call(add: Callable[..., Result]) -> None:
    result = add(wave="inwoners_1999")
    assert result.exit_code == 2
    assert "'inwoners_1999' is no wave of the survey" in result.stderr
    assert "inwoners_2022, inwoners_2023" in result.stderr


def test_a_file_with_the_columns_of_two_waves_is_for_the_analyst_to_name(
    btg: Btg, plain: Plain, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Both waves ask the same questions: it must never be taken for the first that fits."""
    monkeypatch.setattr("pipelines.waves.CATALOGUE", plain.desk.catalogue)
    answers = csv(plain.delivery.answers)
    path = tmp_path / "answers.csv"
    answers.with_columns(nummer_2022="nummer_2023").write_csv(path, separator=";")
    result = btg("add", path, "--data", plain.desk.data)
    assert result.exit_code == 2
    assert "inwoners_2022, inwoners_2023" in result.stderr
    assert "--wave" in result.stderr


def test_answers_of_which_nothing_was_made_are_not_simply_deleted(btg: Btg, plain: Plain) -> None:
    """No figure would stay of them, and nobody could make it again."""
    before = digests(plain.desk.private)
    result = btg("forget", "inwoners_2023", "--data", plain.desk.data)
    assert result.exit_code == 1
    assert "btg measure" in result.stderr
    assert digests(plain.desk.private) == before


def test_a_dry_run_keeps_nothing(add: Callable[..., Result], plain: Plain) -> None:
    before = digests(plain.desk.private)
    result = add(cell("v04a", 31, "10"), "--dry-run", "--replace", "--margins", plain.delivery.margins)
    assert result.exit_code == 0, result.output
    assert "Nothing was kept" in result.stdout
    assert digests(plain.desk.private) == before


def test_a_wave_without_the_population_numbers_it_needs_is_refused(add: Callable[..., Result], plain: Plain) -> None:
    before = digests(plain.desk.private)
    result = add(as_2022, "--dry-run", wave="inwoners_2022")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "wave inwoners_2022" in result.stderr
    assert "municipality*sex*age, municipality*education" in result.stderr
    assert "--margins" in result.stderr
    assert digests(plain.desk.private) == before


def test_two_waves_with_one_id_are_a_mistake_in_the_catalogue(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    twin = described(2025, wave_id="inwoners_2022")
    desk.describe([described(2022)])
    (desk.region.parent / "survey" / "twin.yaml").write_text(json.dumps(twin, default=str), encoding="utf-8")
    said = desk.btg("waves")
    assert said.returncode == 1
    assert said.stdout == ""
    assert "The catalogue has a mistake." in said.stderr
    assert "'inwoners_2022' is the wave_id of another wave too" in said.stderr
    assert "Traceback" not in said.stderr


def test_population_numbers_that_answers_cannot_meet_stop_the_run(
    plain: Plain, impossible: tuple[Desk, Run], fingerprint: Fingerprint
) -> None:
    desk, run = impossible
    assert run.returncode == 1
    assert run.stdout == ""
    assert f"wave inwoners_2023: cell {FEW};male;65+" in run.stderr
    assert "a population, but no respondents" in run.stderr
    assert "Traceback" not in run.stderr
    assert "fault in the software" not in run.stderr
    assert fingerprint(desk.output) == plain.edition
    assert not any(desk.private.rglob("estimates.zip"))


# --- tables of an institute


def of_institute(desk: Desk, name: str) -> pl.DataFrame:
    own = pl.col("region_code").str.starts_with("GM") | pl.col("region_code").is_in(["TWENTE", "URBAN_CORE", "RURAL"])
    return table(desk.output, name, "2023-draft").filter(
        own & pl.col("indicator_id").is_in(DIMENSIONS), breakdown="total"
    )


def test_the_same_table_of_an_institute_is_not_taken_in_twice(aggregated: Desk) -> None:
    before = digests(aggregated.private)
    said = aggregated.btg("add", aggregated.folder / "2023.csv")
    assert said.returncode == 1
    assert "wave inwoners_2023, 2023.csv: expected a file that is not yet kept" in said.stderr
    assert digests(aggregated.private) == before


def test_figures_of_an_institute_are_published_as_scores(aggregated: Desk) -> None:
    """A grade of 6.4 is a score of (6.4 - 1) / 9 = 0.6."""
    values = of_institute(aggregated, "indicator_value").filter(region_code="GM0141")
    in_year = dict(values.filter(indicator_id="experienced_health").select("measurement_year", "value").iter_rows())
    assert in_year == {2022: pytest.approx(0.6), 2023: pytest.approx(0.7)}
    waves = table(aggregated.output, "survey_wave", "2023-draft")
    assert waves["origin"].unique().to_list() == ["aggregates"]


def test_without_a_margin_nothing_is_decided(aggregated: Desk) -> None:
    values = of_institute(aggregated, "indicator_value").filter(pl.col("value").is_not_null(), measurement_year=2022)
    assert values.height == 4 * (17 - 1 - 1), "all but the hidden municipality and the one that protects it"
    assert values["warnings"].list.contains("no_margin").all()
    compared = of_institute(aggregated, "comparison").filter(pl.col("difference").is_not_null(), measurement_year=2022)
    assert compared.height > 0
    assert compared.select("basis", "verdict").unique().rows() == [("none", "not_decidable")]
    changes = of_institute(aggregated, "change").filter(pl.col("difference").is_not_null(), quantity="value")
    assert changes.height > 0
    assert changes.select("basis", "verdict").unique().rows() == [("none", "not_decidable")]


def test_with_a_margin_differences_are_judged(aggregated: Desk) -> None:
    values = of_institute(aggregated, "indicator_value").filter(pl.col("value").is_not_null(), measurement_year=2023)
    assert values.select(((pl.col("ci_high") - pl.col("ci_low")) / 2 - 0.02).abs().max()).item() < 0.0011
    assert not values["warnings"].list.contains("no_margin").any()
    compared = of_institute(aggregated, "comparison").filter(pl.col("difference").is_not_null(), measurement_year=2023)
    assert compared["basis"].unique().to_list() == ["interval"]
    assert {"better", "worse"} <= set(compared["verdict"])


def test_a_figure_of_too_few_answers_is_hidden_also_when_an_institute_gives_it(aggregated: Desk) -> None:
    few = of_institute(aggregated, "indicator_value").filter(region_code=FEW)
    assert few.height == 2 * 4
    assert few["status"].unique().to_list() == ["suppressed"]
    assert few["value"].null_count() == few["n"].null_count() == few.height


# --- the demo, and a run without any survey

OF_WAVES = ["survey_estimate", "survey_contrast", "small_area_estimate"]
OF_FIGURES = ["observation", "indicator_value", "comparison", "change"]


@pytest.mark.parametrize("name", OF_FIGURES + OF_WAVES)
def test_every_invented_figure_says_that_it_is(edition: Path, name: str) -> None:
    frame = table(edition, name)
    of_survey = pl.col("indicator_id").str.starts_with("experienced_") & (pl.col("indicator_id") != GRADE)
    value = pl.col("difference" if name in ("comparison", "change", "survey_contrast") else "value")
    invented = frame.filter(of_survey & value.is_not_null())
    assert invented.height > 400
    assert invented["warnings"].list.contains("synthetic").all()
    if name in OF_WAVES:
        assert frame["warnings"].list.contains("synthetic").all(), "also a hidden figure"
    else:
        assert not frame.filter(~of_survey)["warnings"].list.contains("synthetic").any()


def test_the_demo_says_that_it_is_partly_invented(edition: Path, edition_run: Run) -> None:
    assert table(edition, "edition")["contains_synthetic"].item() is True
    waves = table(edition, "survey_wave")
    assert waves["synthetic"].all()
    assert waves["title"].str.contains("Verzonnen").all()
    said = [line for line in edition_run.stdout.splitlines() if "volgens inwoners" in line]
    assert said
    assert all("Verzonnen voorbeeld" in line for line in said)


def test_without_a_survey_nothing_is_invented_and_every_wave_is_awaited(edition_from_folder: Path) -> None:
    """The run of a plain folder of figures has neither the demo nor waves."""
    assert table(edition_from_folder, "edition")["contains_synthetic"].item() is False
    for name in [*OF_FIGURES, *OF_WAVES]:
        assert not table(edition_from_folder, name)["warnings"].list.contains("synthetic").any()
    for name in [*OF_WAVES, "survey_wave", "survey_item"]:
        assert table(edition_from_folder, name).is_empty()
    values = table(edition_from_folder, "indicator_value").filter(
        pl.col("indicator_id").str.starts_with("experienced_")
        & (pl.col("indicator_id") != GRADE)
        & (pl.col("region_code").str.starts_with("GM") | pl.col("region_code").is_in(["TWENTE", "URBAN_CORE", "RURAL"]))
    )
    found = {year: set(part["status"]) for (year,), part in values.group_by("measurement_year")}
    waited = {"not_retrieved"}
    assert found == {2022: waited, 2023: waited, 2024: {"not_measured"}, 2025: waited}


def test_the_published_grades_stand_apart_and_are_compared_with_nothing(edition: Path) -> None:
    """7.1 in 2022 and 7.4 in 2025, the rest of the country 6.9 and the Netherlands 6.9: Twente Board."""
    grades = table(edition, "indicator_value").filter(pl.col("value").is_not_null(), indicator_id=GRADE)
    assert sorted(grades.select("measurement_year", "region_code", "value").iter_rows()) == [
        (2022, "NL_REST", 6.9),
        (2022, "TWENTE", 7.1),
        (2025, "NL01", 6.9),
        (2025, "TWENTE", 7.4),
    ]
    assert grades["warnings"].to_list() == [["no_margin"]] * 4
    assert grades.select("ci_low", "ci_high", "standard_error", "n").null_count().row(0) == (4, 4, 4, 4)
    for name, other in (("comparison", "comparator_value"), ("change", "baseline_value")):
        judged = table(edition, name).filter(indicator_id=GRADE)
        both = pl.col("value").is_not_null() & pl.col(other).is_not_null()
        assert judged.filter(both)["verdict"].unique().to_list() == ["not_comparable"]
        assert judged.filter(~both)["verdict"].unique().to_list() == ["not_decidable"]
        assert judged["basis"].unique().to_list() == ["none"]
