"""The doctor finds what is wrong, says what to do about it, and changes nothing."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from filelock import FileLock
from typer.testing import CliRunner

from assets.edition import offer_to_readers
from pipelines import doctor
from pipelines.cli import app
from pipelines.doctor import Finding, examine, worst
from pipelines.settings import Settings
from reports import editions
from sources.snapshots import SnapshotStore
from tests.conftest import CHECKOUT
from tests.pipelines.limits import read_only, without_rights_to
from tests.pipelines.test_backup import POSIX, add_edition, add_snapshot

FIGURES = hashlib.sha256(b"figures").hexdigest()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An installation in good order: one final edition made from one snapshot, and a draft."""
    monkeypatch.delenv("BTG_REQUIRE_BROWSER", raising=False)  # a setting of the tests, of no effect elsewhere
    data, output = tmp_path / "data", tmp_path / "output"
    for folder in (data, output):
        folder.mkdir(mode=0o700)
    add_snapshot(data, b"figures")
    new = output / "editions" / "2025-draft"
    add_edition(output, "2025-draft", 1)
    made_from = {
        "created_at": "2026-01-02T03:04:05+00:00",
        "snapshots": [{"record": "snapshots/cbs/x.json", "sha256": "0" * 64, "objects": [FIGURES]}],
    }
    (new / "provenance.json").write_text(json.dumps(made_from))
    sums = editions.write_sums(new)
    editions.make_read_only(new)
    state = editions.State("2025-1", "2026-01-02T03:04:05+00:00", "A. Analyst", sums)
    editions.publish_folder(output, new, state)
    offer_to_readers(output)
    (output / "last_run").mkdir()
    (output / "last_run" / "complete").write_text("2025-draft\n")
    return Settings(output=output, input_folder=tmp_path, data=data, executor="in_process")


def said(place: Settings, examined: str) -> list[Finding]:
    return [finding for finding in examine(place) if finding.examined == examined]


def the(place: Settings, examined: str, verdict: str) -> Finding:
    """The one finding of this kind that is not in order."""
    (found,) = [finding for finding in said(place, examined) if finding.verdict != "ok"]
    assert found.verdict == verdict, found
    assert found.remedy, "it does not say what to do"
    return found


def contents(folder: Path) -> dict[str, tuple[int, bytes | None]]:
    return {
        str(path): (path.stat().st_mode, path.read_bytes() if path.is_file() else None)
        for path in folder.rglob("*")
        if path.name != ".lock"
    }


def test_an_installation_in_good_order_has_nothing_wrong(place: Settings, tmp_path: Path) -> None:
    before = contents(tmp_path)
    findings = examine(place)
    own = {"checkout", "packages", "Python"}  # of whoever runs the tests
    assert [f for f in findings if f.verdict != "ok" and f.examined not in own] == []
    assert contents(tmp_path) == before, "it changed something"


def test_every_examination_has_something_to_say(place: Settings) -> None:
    expected = {"Python", "packages", "checkout", "catalogue", "settings", "output folder", "data root", "disk", "lock"}
    expected |= {"work files", "last run", "editions", "database", "snapshots", "answers", "clock"}
    assert {finding.examined for finding in examine(place)} == expected


def test_the_worst_decides() -> None:
    made = [Finding("a", "ok", ""), Finding("b", "attention", "", "do"), Finding("c", "wrong", "", "do")]
    assert [worst(made[:1]), worst(made[:2]), worst(made), worst([])] == ["ok", "attention", "wrong", "ok"]


def test_what_cannot_be_examined_is_said_and_the_rest_goes_on(place: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise RuntimeError("broken in two")

    monkeypatch.setattr(doctor, "_catalogue", broken)
    assert "broken in two" in the(place, "catalogue", "wrong").message
    assert said(place, "clock")


# --- the software


def test_packages_are_held_against_the_lock(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    pinned = re.findall(r"^(?:polars|filelock)==.*$", (CHECKOUT / "requirements.lock").read_text(), re.MULTILINE)
    lock.write_text(
        "\n".join([*pinned, "    --hash=sha256:00", "    # via x", "nowhere==1 ; sys_platform == 'plan9'", ""])
    )
    assert [finding.verdict for finding in doctor._packages(lock)] == ["ok"]
    lock.write_text("polars==0.0.1 \\\n    --hash=sha256:00\nno-such-package==2.0\n")
    missing, other = doctor._packages(lock)
    assert (missing.verdict, other.verdict) == ("wrong", "attention")
    assert "no-such-package 2.0" in missing.message
    assert "polars" in other.message
    assert "0.0.1" in other.message


def test_the_checkout_is_described(tmp_path: Path) -> None:
    assert [finding.verdict for finding in doctor._checkout(tmp_path)] == ["attention"]
    git = ["git", "-C", str(tmp_path), "-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    assert [finding.verdict for finding in doctor._checkout(tmp_path)] == ["ok"]
    (tmp_path / "new.py").write_text("")
    (changed,) = doctor._checkout(tmp_path)
    assert changed.verdict == "attention"
    assert "new.py" in changed.message


def test_settings_are_shown_and_secrets_are_not() -> None:
    (shown, unknown) = doctor._settings(
        {
            "BTG_SURVEY_KEY": "c2VjcmV0",
            "BTG_YEAR": "2025",
            "BTG_OUPUT": "/x",
            "BTG_SERVICE_CBS_V4": "https://me:word@example.org/",
            "HOME": "/home/me",
        }
    )
    assert "c2VjcmV0" not in shown.message
    assert "word" not in shown.message
    assert "/home/me" not in shown.message
    assert "BTG_SURVEY_KEY=(set)" in shown.message
    assert "BTG_YEAR=2025" in shown.message
    assert "BTG_OUPUT" in unknown.message
    assert unknown.verdict == "attention"


def test_all_settings_of_the_code_are_known() -> None:
    rooms = ("catalog", "sources", "methods", "assets", "reports", "pipelines")
    texts = [path.read_text(encoding="utf-8") for room in rooms for path in (CHECKOUT / room).rglob("*.py")]
    used = {name for text in texts for name in re.findall(r"""["'](BTG_[A-Z0-9_]*[A-Z0-9])["']""", text)}
    assert {name for name in used if not name.startswith("BTG_SERVICE_")} <= doctor.SETTINGS


# --- folders, disk, lock


def test_a_folder_that_is_not_there_yet_is_no_fault(place: Settings, tmp_path: Path) -> None:
    found = the(replace(place, output=tmp_path / "new"), "output folder", "attention")
    assert "The first run makes it" in found.remedy
    assert not (tmp_path / "new").exists()


def test_a_data_root_that_is_not_there_is_not_said_to_be_made_by_a_run(place: Settings, tmp_path: Path) -> None:
    """A run measures the bundled figures then: only what fetches or takes in makes it."""
    found = the(replace(place, data=tmp_path / "typo"), "data root", "attention")
    assert "run makes it" not in found.remedy
    for told in ("BTG_DATA", "connected", "btg fetch", "btg add", "bundled"):
        assert told in found.remedy
    assert not (tmp_path / "typo").exists()


def test_a_folder_that_cannot_be_written_to_is_wrong(place: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "write_bytes", refuse)
    assert "Permission denied" in the(place, "output folder", "wrong").message


def test_an_output_on_a_read_only_disk_is_said_to_be_one(place: Settings) -> None:
    with read_only(place.output):
        found = the(place, "output folder", "wrong")
        others = [finding for finding in examine(place) if finding.message.startswith("could not be examined")]
    assert found.message == f"{place.output} cannot be written to (Read-only file system)"
    assert others == []


@POSIX
def test_a_folder_that_is_open_to_everybody_is_said(place: Settings) -> None:
    place.output.chmod(0o755)
    assert "chmod" in the(place, "output folder", "attention").remedy


@POSIX
def test_answers_that_others_may_open_are_wrong(place: Settings) -> None:
    assert place.data is not None
    private = place.data / "private" / "survey"
    private.mkdir(parents=True, mode=0o755)
    (place.data / "private").chmod(0o700)
    assert "chmod" in the(place, "private folder", "wrong").remedy


@POSIX
def test_answers_of_another_account_are_said_to_be_so(place: Settings, tmp_path: Path) -> None:
    assert place.data is not None
    private = place.data / "private" / "survey"
    private.mkdir(parents=True, mode=0o700)
    (place.data / "private").chmod(0o700)
    with without_rights_to(place.data / "private", tmp_path):
        found = the(place, "private folder", "attention")
        others = [finding for finding in examine(place) if finding.message.startswith("could not be examined")]
    assert "another account" in found.message
    assert "docs/handover.md" in found.remedy
    assert others == []


@pytest.mark.parametrize(("free", "verdict"), [(10**9, "attention"), (10**8, "wrong")])
def test_little_space_is_said(place: Settings, monkeypatch: pytest.MonkeyPatch, free: int, verdict: str) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: usage(10**12, 0, free))
    assert {finding.verdict for finding in said(place, "disk")} == {verdict}


def test_a_lock_is_told_from_one_that_a_dead_process_left(place: Settings) -> None:
    (free,) = said(place, "lock")
    assert free.message == "free"
    holder = {"what": "btg measure", "pid": 4711, "host": "desk", "started": "2026-01-02T03:04:05+00:00"}
    (place.output / ".lock.json").write_text(json.dumps(holder))
    with FileLock(place.output / ".lock"):
        (held,) = said(place, "lock")
    (left,) = said(place, "lock")
    assert held.message.startswith("in use: btg measure, process 4711")
    assert left.message.startswith("left by btg measure, process 4711")
    assert {held.verdict, left.verdict} == {"ok"}


def test_the_lock_of_a_killed_process_is_free(place: Settings) -> None:
    hold = (
        "import sys; from filelock import FileLock; lock = FileLock(sys.argv[1]); lock.acquire();"
        "print('held', flush=True); input()"
    )
    command = [sys.executable, "-c", hold, str(place.output / ".lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == b"held"
        assert doctor._is_held(place.output)
        holder.kill()
    assert not doctor._is_held(place.output)


# --- what runs and publishing left


def test_old_work_files_are_said_and_young_ones_are_a_run_at_work(place: Settings) -> None:
    left = place.output / "editions" / ".2025-draft.building"
    left.mkdir()
    assert [finding.verdict for finding in said(place, "work files")] == ["ok"]
    os.utime(left, (1, 1))
    assert ".2025-draft.building" in the(place, "work files", "attention").message
    assert left.exists()


def test_a_run_that_did_not_end_is_said(place: Settings) -> None:
    (place.output / "last_run" / "complete").unlink()
    assert "btg check" in the(place, "last run", "attention").remedy


def test_a_flipped_byte_in_a_final_edition_is_found(place: Settings) -> None:
    path = place.output / "editions" / "2025-1" / "csv" / "figure.csv"
    path.chmod(0o600)
    path.write_text("value\n3\n")
    found = the(place, "editions", "wrong")
    assert "csv/figure.csv" in found.message
    assert "btg restore" in found.remedy


def test_a_state_that_cannot_be_read_is_found(place: Settings) -> None:
    (place.output / "editions" / "2025-1.state.json").write_text("{")
    assert "2025-1.state.json" in the(place, "editions", "wrong").message


@POSIX
def test_a_final_edition_that_can_be_written_to_is_said(place: Settings) -> None:
    (place.output / "editions" / "2025-1").chmod(0o755)
    assert "chmod" in the(place, "editions", "attention").remedy


@POSIX
def test_a_single_file_of_a_final_edition_that_can_be_written_to_is_said(place: Settings) -> None:
    (place.output / "editions" / "2025-1" / "csv" / "figure.csv").chmod(0o644)
    found = the(place, "editions", "attention")
    assert "2025-1/csv/figure.csv" in found.message
    assert "chmod" in found.remedy


def test_a_final_edition_that_is_gone_is_wrong_as_long_as_its_sign_off_stands(place: Settings) -> None:
    shutil.rmtree(place.output / "editions" / "2025-1")
    found = the(place, "editions", "wrong")
    assert "2025-1 is gone" in found.message
    assert "btg restore FILE --force" in found.remedy


def test_an_emptied_final_edition_is_wrong(place: Settings) -> None:
    (place.output / "editions" / "2024-1").mkdir()
    assert "2024-1" in the(place, "editions", "wrong").message


def test_the_doctor_and_the_handover_page_name_one_way_to_put_an_edition_back(place: Settings) -> None:
    page = (CHECKOUT / "docs" / "handover.md").read_text(encoding="utf-8")
    (row,) = [line for line in page.splitlines() if line.startswith("|") and "a final edition is gone" in line]
    path = place.output / "editions" / "2025-1" / "csv" / "figure.csv"
    path.chmod(0o600)
    path.write_text("value\n3\n")
    for remedy in (the(place, "editions", "wrong").remedy, row):
        assert "btg restore FILE --force" in remedy
        assert re.search("Move .*2025-1", remedy)
        assert "it adds what is missing and leaves what stands" in remedy


ERRATUM = {"text": "wrong", "table_name": "figure", "row_keys": ["a=1"], "by": None, "at": "2026-02-01T00:00:00Z"}


def changed(database: Path, sql: str) -> None:
    """Somebody opens the database for writing, and does this."""
    database.chmod(0o600)
    with duckdb.connect(str(database)) as connection:
        connection.execute(sql)


def test_what_readers_open_is_sound_with_errata_of_after_publication(place: Settings) -> None:
    editions.add_erratum(place.output, "2025-1", **ERRATUM)  # type: ignore[arg-type]
    offer_to_readers(place.output)
    assert [finding.verdict for finding in said(place, "database")] == ["ok"]


def test_before_the_first_edition_there_is_nothing_to_open(place: Settings, tmp_path: Path) -> None:
    assert [finding.verdict for finding in said(replace(place, output=tmp_path / "new"), "database")] == ["ok"]


DEPARTURES = {
    "a figure": ("UPDATE figure SET value = 7", "figure"),
    "a row twice": ("INSERT INTO figure FROM figure", "figure"),
    "a row less": ("DELETE FROM figure", "figure"),
    "a table less": ("DROP TABLE figure", "figure"),
    "a table more": ("CREATE TABLE mine AS SELECT 1", "mine"),
    "a column more": ("ALTER TABLE figure ADD COLUMN x INT", "figure"),
    "an erratum more": ("INSERT INTO erratum SELECT '2025-1', 9, 'figure', 'a=1', 'no', 'now'", "erratum"),
}


@pytest.mark.parametrize(("sql", "table"), DEPARTURES.values(), ids=DEPARTURES)
def test_what_readers_open_must_hold_what_the_edition_holds(place: Settings, sql: str, table: str) -> None:
    changed(place.output / "btg.duckdb", sql)
    found = the(place, "database", "wrong")
    assert f"does not hold what edition 2025-1 holds: {table}" in found.message
    assert "btg measure" in found.remedy


def test_readers_that_are_not_told_of_an_erratum_are_found(place: Settings) -> None:
    editions.add_erratum(place.output, "2025-1", **ERRATUM)  # type: ignore[arg-type]
    assert the(place, "database", "wrong").message.endswith(": erratum")


def test_readers_that_open_an_older_edition_are_found(place: Settings) -> None:
    """Publishing was cut off, or another program held the file."""
    add_edition(place.output, "2025-2", 2)
    assert "edition 2025-2 holds: figure" in the(place, "database", "wrong").message


def test_a_database_that_is_gone_is_wrong_as_long_as_an_edition_stands(place: Settings) -> None:
    (place.output / "btg.duckdb").unlink()
    found = the(place, "database", "wrong")
    assert "2025-1 stands" in found.message
    assert "btg measure" in found.remedy


@pytest.mark.parametrize("left", [0, 5_000])
def test_a_database_that_does_not_open_is_wrong(place: Settings, left: int) -> None:
    path = place.output / "btg.duckdb"
    body = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(body[:left] + b"\xff" * (len(body) - left))
    assert the(place, "database", "wrong").message.startswith(f"{path} cannot be read: ")


def test_snapshots_that_a_final_edition_needs_must_be_there(place: Settings) -> None:
    assert place.data is not None
    stored = next(place.data.glob(f"objects/*/{FIGURES}.gz"))
    stored.write_bytes(b"damaged")
    assert not SnapshotStore(place.data).holds(FIGURES)
    found = the(place, "snapshots", "wrong")
    assert FIGURES[:12] in found.message
    assert "2025-1" in found.message


def test_provenance_of_another_form_stops_nobody(place: Settings) -> None:
    path = place.output / "editions" / "2025-1" / "provenance.json"
    path.chmod(0o600)
    for text in ("", "[]", "{}", '{"snapshots": null, "created_at": 5}'):
        path.write_text(text)
        assert [finding.verdict for finding in said(place, "snapshots")] == ["ok"]
        assert [finding.verdict for finding in said(place, "clock")] == ["ok"]


def test_answers_kept_too_long_are_wrong(place: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipelines import waves

    record = namedtuple("record", "wave_id retention_until")
    monkeypatch.setattr(waves, "due_waves", lambda _: [record("btg_2019", "2024-06-30")])
    found = the(place, "answers", "wrong")
    assert "btg_2019 (until 2024-06-30)" in found.message
    assert "btg forget --due" in found.remedy


def test_a_snapshot_from_the_future_is_said(place: Settings) -> None:
    assert place.data is not None
    record = next(place.data.glob("snapshots/*/2*.json"))
    record.rename(record.with_name("29990101T000000Z-00000000.json"))
    assert "2999-01-01" in the(place, "clock", "attention").message


# --- the command


def test_the_command_fails_where_something_is_wrong_and_speaks_json(
    place: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BTG_INPUT", raising=False)
    for name in ("BTG_DATA", "BTG_OUTPUT", "BTG_INPUT"):
        monkeypatch.setenv(name, "")
    call = ["doctor", "--output", str(place.output), "--data", str(place.data)]
    path = place.output / "editions" / "2025-1" / "csv" / "figure.csv"
    path.chmod(0o600)
    path.write_text("value\n3\n")
    shown = CliRunner().invoke(app, call)
    assert shown.exit_code == 1
    assert "csv/figure.csv" in shown.stdout
    told = CliRunner().invoke(app, [*call, "--json"])
    assert told.exit_code == 1
    content = json.loads(told.stdout)
    assert content["verdict"] == "wrong"
    assert {"examined", "verdict", "message", "remedy"} == set(content["findings"][0])


def test_backup_and_restore_by_command(place: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BTG_DATA", "BTG_OUTPUT", "BTG_INPUT"):
        monkeypatch.setenv(name, "")
    run, file = CliRunner(), str(tmp_path / "btg.zip")
    there = ["--output", str(tmp_path / "there" / "output"), "--data", str(tmp_path / "there" / "data")]
    here = ["--output", str(place.output), "--data", str(place.data)]
    made = run.invoke(app, ["backup", file, *here])
    assert made.exit_code == 0, made.output
    assert "verified" in made.stdout
    assert run.invoke(app, ["backup", file, *here]).exit_code == 2
    trial = run.invoke(app, ["restore", file, "--dry-run", "--json", *there])
    assert json.loads(trial.stdout)["dry_run"]
    assert not (tmp_path / "there").exists()
    assert run.invoke(app, ["restore", file, *there]).exit_code == 0
    assert editions.finals(tmp_path / "there" / "output") == ["2025-1"]
    assert run.invoke(app, ["restore", file, *there]).exit_code == 2
    live = run.invoke(app, ["restore", file, "--dry-run", *there])
    assert live.exit_code == 0, live.output
    assert "The backup is whole" in live.stdout
    assert "Refused, as things stand" in live.stdout
    assert "edition 2025-1 (the same)" in " ".join(live.stdout.split())
    Path(file).write_bytes(Path(file).read_bytes()[:-7])
    for options in ([], ["--dry-run"]):
        damaged = run.invoke(app, ["restore", file, *options, *there])
        assert damaged.exit_code == 1
        assert "damaged" in damaged.stderr


def test_a_backup_of_a_damaged_edition_is_refused_by_command(
    place: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("BTG_DATA", "BTG_OUTPUT", "BTG_INPUT"):
        monkeypatch.setenv(name, "")
    path = place.output / "editions" / "2025-1" / "csv" / "figure.csv"
    path.chmod(0o600)
    path.write_text("value\n3\n")
    run, file = CliRunner(), str(tmp_path / "btg.zip")
    made = run.invoke(app, ["backup", file, "--output", str(place.output), "--data", str(place.data)])
    assert made.exit_code == 1
    there = ["--output", str(tmp_path / "there" / "output"), "--data", str(tmp_path / "there" / "data")]
    for options in ([], ["--dry-run"], ["--force"]):
        refused = run.invoke(app, ["restore", file, *options, *there])
        assert refused.exit_code == 1
        assert "2025-1/csv/figure.csv was changed" in " ".join(refused.stderr.split())
    assert not (tmp_path / "there").exists()


def test_a_backup_says_what_it_does_not_hold_and_fails_where_an_edition_needs_it(
    place: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever was mistyped once gave `0 files, read back and verified`, and exit 0."""
    for name in ("BTG_DATA", "BTG_OUTPUT", "BTG_INPUT"):
        monkeypatch.setenv(name, "")
    (tmp_path / "empty").mkdir()
    run, file, output = CliRunner(), tmp_path / "btg.zip", str(place.output)
    for mistyped in (
        ["--output", output, "--data", str(tmp_path / "typo")],
        ["--output", str(tmp_path / "typo"), "--data", str(place.data)],
        ["--output", str(tmp_path / "empty"), "--data", str(tmp_path / "empty")],
    ):
        refused = run.invoke(app, ["backup", str(file), *mistyped])
        assert refused.exit_code == 2
        assert "connected?" in " ".join(refused.stderr.split())
        assert refused.stdout == ""
        assert not file.exists()
    without = run.invoke(app, ["backup", str(file), "--output", output, "--data", str(tmp_path / "empty")])
    assert without.exit_code == 1
    assert "it holds no snapshots" in " ".join(without.stdout.split())
    assert f"{FIGURES[:12]} of snapshots/cbs/x.json (2025-1)" in " ".join(without.stderr.split())
    monkeypatch.setenv("BTG_DATA", "")
    none = run.invoke(app, ["backup", str(file), "--force", "--json", "--output", output])
    assert none.exit_code == 1
    assert json.loads(none.stdout)["absent"] == ["no snapshots: there is no data root"]
