"""What disks, rights, signals and other processes do to a run: one clear message, and the last edition stands."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import signal
import sqlite3
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import duckdb
import polars as pl
import pytest

from pipelines.dead_runs import OUTPUT_TAG
from pipelines.parquet_io import ParquetTables
from pipelines.run import _prepare_folders
from pipelines.settings import SettingError, Settings, restrict_rights
from pipelines.storage import StorageFault, storage_fault, storage_faults
from reports.output_lock import HOLDER, hold
from sources import bundled
from tests.conftest import BTG, SALLAND
from tests.pipelines.limits import read_only, small_disk

if TYPE_CHECKING:
    from tests.pipelines.conftest import Btg

pytestmark = pytest.mark.filterwarnings("ignore::dagster.PreviewWarning", "ignore::dagster.BetaWarning")

Fingerprint = Callable[[Path], dict[str, str]]
NO_FORCE = "only POSIX has these signals and rights"
NOBODY = 65534


@pytest.fixture
def standing(tmp_path: Path) -> Path:
    """An output folder with an edition that nothing below may touch (what is in it does not matter here)."""
    draft = tmp_path / "output" / "editions" / "2023-draft"
    draft.mkdir(parents=True)
    for path in (draft / "btg.duckdb", tmp_path / "output" / "btg.duckdb"):
        path.write_bytes(b"an edition")
    return tmp_path / "output"


@contextmanager
def small_run(output: Path) -> Iterator[subprocess.Popen[str]]:
    """`btg measure` of three municipalities and two years, in a process of its own."""
    region = output.with_name("region.yaml")
    region.write_text(SALLAND.replace("2025", "2023"), encoding="utf-8")
    storage = output.with_name(f"{output.name}-dagster")
    process = subprocess.Popen(
        [BTG, "measure", "--region", region, "--output", output],
        env=os.environ | {"BTG_DAGSTER_STORAGE": str(storage), "COLUMNS": "200", "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_for(process: subprocess.Popen[str], path: Path) -> None:
    """Until the run has written this file."""
    while process.poll() is None and not path.exists():
        time.sleep(0.02)
    assert process.poll() is None, process.communicate()


def told_in_words(said: str) -> None:
    """One message for a user: no traceback, and no talk of a fault in the software."""
    assert "Traceback" not in said
    assert "fault in the software" not in said


@pytest.fixture
def empty_folder(tmp_path: Path) -> Path:
    """Input that is refused at once."""
    (tmp_path / "figures").mkdir()
    return tmp_path / "figures"


def settings_for(output: Path) -> Settings:
    return Settings(output=output, input_folder=bundled.FOLDER, data=None, executor="in_process")


# --- other processes, and signals


@pytest.mark.skipif(os.name == "nt", reason=NO_FORCE)
def test_the_second_run_names_the_first_and_sigterm_stops_it_as_ctrl_c_does(
    standing: Path, btg: Btg, fingerprint: Fingerprint
) -> None:
    before = fingerprint(standing)
    with small_run(standing) as process:
        wait_for(process, standing / "last_run" / "tables" / "theme.parquet")
        second = btg("measure", "--demo", "--output", standing)
        assert second.exit_code == 1
        assert f"another run is writing to {standing} (btg measure, process {process.pid} on " in second.stderr
        told_in_words(second.stderr)
        process.send_signal(signal.SIGTERM)
        stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 143
    assert stdout == ""
    assert "Stopped. The last edition is untouched." in stderr
    told_in_words(stderr)
    assert fingerprint(standing) == before
    assert not (standing / HOLDER).exists()
    # What was made is for its owner alone.
    assert all(path.stat().st_mode & 0o077 == 0 for path in (standing / "last_run").rglob("*"))


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason=NO_FORCE)
def test_after_a_kill_the_next_run_goes_on_without_hand_work(standing: Path, fingerprint: Fingerprint) -> None:
    """It also finds the tables of the killed run cut in half, and half an edition."""
    before = fingerprint(standing)
    tables = standing / "last_run" / "tables"
    with small_run(standing) as process:
        wait_for(process, tables / "region_member.parquet")
        process.kill()
        process.communicate()
    assert fingerprint(standing) == before
    for path in tables.rglob("*.parquet"):
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    half = standing / "editions" / ".2023-draft.building"
    half.mkdir()
    (half / "btg.duckdb").write_bytes(b"half")
    with small_run(standing) as process:
        _, stderr = process.communicate(timeout=300)
    assert process.returncode == 0, stderr
    assert "A run before did not come to its end (btg measure, process " in stderr
    assert sorted(path.name for path in (standing / "editions").iterdir()) == ["2023-draft"]
    with duckdb.connect(str(standing / "btg.duckdb"), read_only=True) as connection:
        assert connection.execute("SELECT edition FROM edition").fetchall() == [("2023-draft",)]
    history = standing.with_name("output-dagster") / "history" / "runs.db"
    assert statuses(history) == ["FAILURE", "SUCCESS"], "the killed run would block the queue of Dagster's interface"


def statuses(history: Path) -> list[str]:
    """How the runs of Dagster's history ended, oldest first."""
    with closing(sqlite3.connect(history)) as connection:
        return [status for (status,) in connection.execute("SELECT status FROM runs ORDER BY id")]


def test_a_lock_left_by_a_dead_process_is_recognised(standing: Path, btg: Btg, empty_folder: Path) -> None:
    left = {"what": "btg publish", "pid": 4711, "host": "laptop", "started": "2026-11-24T03:15:15+00:00"}
    (standing / HOLDER).write_text(json.dumps(left), encoding="utf-8")
    (standing / ".lock").touch()
    result = btg("measure", "--input", empty_folder, "--output", standing)
    assert "did not come to its end (btg publish, process 4711 on laptop" in result.stderr
    assert not (standing / HOLDER).exists()


@pytest.mark.parametrize("tagged", [False, True])
def test_only_dead_runs_to_this_output_are_ended_in_the_history(tmp_path: Path, tagged: bool) -> None:
    """By whatever run comes next, of whatever job: each says itself which output it writes to."""

    @dg.asset
    def theme() -> pl.DataFrame:
        return pl.DataFrame({"theme_id": ["btg_health"]})

    @dg.job
    def nothing() -> None: ...

    here = tmp_path / "here"
    tables = ParquetTables(folder=str(here / "tables"), output=str(here), alone=True)
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        made = {
            (where, status): instance.create_run_for_job(nothing, tags={OUTPUT_TAG: where}, status=status)
            for where in (str(here), str(tmp_path / "elsewhere"))
            for status in (dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.SUCCESS)
        }
        # With the tag from the start, as a job has it, or a run that repeats another one.
        tags = {OUTPUT_TAG: str(here)} if tagged else {}
        last = dg.materialize([theme], instance=instance, resources={"io_manager": tables}, tags=tags)
        assert last.success
        own = instance.get_run_by_id(last.run_id)
        assert own is not None
        assert own.tags[OUTPUT_TAG] == str(here)
        assert own.status is dg.DagsterRunStatus.SUCCESS
        assert not [event for event in instance.all_logs(own.run_id) if "was killed" in str(event)]
        now = {key: instance.get_run_by_id(run.run_id) for key, run in made.items()}
    for (where, status), run in now.items():
        assert run is not None
        dead = where == str(here) and status is not dg.DagsterRunStatus.SUCCESS
        assert run.status is (dg.DagsterRunStatus.FAILURE if dead else status)


# --- disks


@pytest.mark.slow
def test_a_full_disk_is_said_to_be_full(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 300_000, mounted=True) as disk:
        output = disk / "output"
        (output / "editions" / "2023-draft").mkdir(parents=True)
        (output / "editions" / "2023-draft" / "btg.duckdb").write_bytes(b"an edition")
        region = tmp_path / "region.yaml"
        region.write_text(SALLAND, encoding="utf-8")
        done = subprocess.run(
            [BTG, "measure", "--region", region, "--output", output],
            env=os.environ | {"BTG_DAGSTER_STORAGE": str(tmp_path / "dagster"), "COLUMNS": "200"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert (done.returncode, done.stdout) == (1, "")
        assert str(output) in done.stderr
        assert "the disk is full. Free some space" in done.stderr
        assert "The last edition is untouched." in done.stderr
        told_in_words(done.stderr)
        assert (output / "editions" / "2023-draft" / "btg.duckdb").read_bytes() == b"an edition"


def test_a_disk_full_of_history_is_said_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dagster's own SQLite files; what it says of a full disk is not what the system says."""
    monkeypatch.setenv("BTG_DAGSTER_STORAGE", "/somewhere/dagster")
    text = "OperationalError: (sqlite3.OperationalError) database or disk is full\n[SQL: INSERT …]"
    assert storage_fault(text, tmp_path) == (
        "/somewhere/dagster: the disk is full. Free some space (a run needs about 500 MB) and run again."
    )


def test_a_read_only_disk_is_said_to_be_one(tmp_path: Path, btg: Btg) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    with read_only(disk):
        result = btg("measure", "--demo", "--output", disk / "output")
    assert result.exit_code == 1
    assert f"{disk / 'output'}: this disk is read-only." in result.stderr
    told_in_words(result.stderr)


FAULTS = {
    "full disk": (errno.ENOSPC, "the disk is full"),
    "read-only": (errno.EROFS, "this disk is read-only"),
    "no right": (errno.EACCES, "no right"),
    "not permitted": (errno.EPERM, "no right"),
    "disk error": (errno.EIO, "does not answer"),
} | (
    {"quota": (errno.EDQUOT, "used up"), "vanished share": (errno.ESTALE, "does not answer")}
    if os.name == "posix"
    else {}
)


@pytest.mark.parametrize(("number", "told"), FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_of_the_disk_in_a_step_is_told_with_its_place(
    standing: Path, btg: Btg, fingerprint: Fingerprint, monkeypatch: pytest.MonkeyPatch, number: int, told: str
) -> None:
    def fail(self: ParquetTables, *_: object) -> None:
        raise OSError(number, os.strerror(number), f"{self.folder}/theme.parquet")

    before = fingerprint(standing)
    monkeypatch.setattr(ParquetTables, "handle_output", fail)
    result = btg("measure", "--demo", "--output", standing)
    assert result.exit_code == 1
    assert f"{standing / 'last_run' / 'tables' / 'theme.parquet'}: " in result.stderr
    assert told in result.stderr
    assert "The last edition is untouched." in result.stderr
    told_in_words(result.stderr)
    assert fingerprint(standing) == before


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("ComputeError: No space left on device (os error 28)", "the disk is full"),
        ('IO Error: Could not write file "/x/y.duckdb": No space left on device', "/x/y.duckdb: the disk is full"),
        ("[WinError 112] There is not enough space on the disk: 'D:\\\\btg\\\\x'", "the disk is full"),
        ("[Errno 13] Permission denied: '/x/y'", "/x/y: you have no right"),
        ("(sqlite3.OperationalError) attempt to write a readonly database", "read-only"),
        ("(sqlite3.OperationalError) unable to open database file", "Dagster's history cannot be written"),
    ],
)
def test_a_fault_of_the_disk_is_recognised_by_whoever_reports_it(tmp_path: Path, text: str, told: str) -> None:
    assert told in (storage_fault(text, tmp_path) or "")


@pytest.mark.parametrize("text", ["division by zero", "[Errno 2] No such file or directory: '/x'", "Errno 281"])
def test_another_fault_is_not_blamed_on_the_disk(tmp_path: Path, text: str) -> None:
    assert storage_fault(text, tmp_path) is None
    with pytest.raises(ValueError, match=re.escape(text)), storage_faults(tmp_path):
        raise ValueError(text)


def test_an_output_folder_that_vanishes_during_the_run_is_said_to_be_gone(
    standing: Path, btg: Btg, monkeypatch: pytest.MonkeyPatch
) -> None:
    def vanish(*_: object) -> None:
        shutil.rmtree(standing)
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(standing / "last_run"))

    monkeypatch.setattr(ParquetTables, "handle_output", vanish)
    result = btg("measure", "--demo", "--output", standing)
    assert result.exit_code == 1
    assert f"{standing}: the folder is no longer there." in result.stderr
    told_in_words(result.stderr)


# --- rights


@contextmanager
def without_privileges(folder: Path) -> Iterator[None]:
    """As somebody who may read `folder` and not write to it, also where the tests run as root."""
    folder.chmod(0o555)
    is_root = os.geteuid() == 0
    if is_root:
        # The way there must be open; of the two, its group counts first.
        for parent in [*folder.parents][:-2]:
            parent.chmod(parent.stat().st_mode | stat.S_IXGRP | stat.S_IXOTH)
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)
        folder.chmod(stat.S_IRWXU)


@pytest.mark.skipif(os.name == "nt", reason=NO_FORCE)
@pytest.mark.parametrize("name", ["output", "output/new"])
def test_an_output_folder_without_the_right_to_write_is_said_to_be_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / "output").mkdir()
    monkeypatch.setenv("BTG_DAGSTER_STORAGE", str(tmp_path))
    settings = settings_for(tmp_path / name)

    def begin() -> None:
        with storage_faults(settings.output):
            _prepare_folders(settings)
            with hold(settings.output, "btg measure"):
                pass

    with (
        without_privileges(tmp_path / "output"),
        pytest.raises(StorageFault, match=f"{tmp_path / name}.*no right") as caught,
    ):
        begin()
    told_in_words(str(caught.value))


def test_a_history_that_cannot_be_made_is_told_with_its_place(
    tmp_path: Path, btg: Btg, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a file").touch()
    monkeypatch.setenv("BTG_DAGSTER_STORAGE", str(tmp_path / "a file"))
    result = btg("measure", "--demo", "--output", tmp_path / "output")
    assert result.exit_code == 1
    assert f"{tmp_path / 'a file'}: Dagster's history cannot be written." in result.stderr
    told_in_words(result.stderr)


@pytest.mark.skipif(os.name == "nt", reason=NO_FORCE)
@pytest.mark.parametrize(("said", "mode"), [("", 0o600), ("027", 0o640), ("0007", 0o660)])
def test_what_is_made_is_for_its_owner_alone_unless_said_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, mode: int
) -> None:
    monkeypatch.setenv("BTG_UMASK", said)
    before = os.umask(0o022)
    try:
        restrict_rights()
        (tmp_path / "x").touch()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == mode


@pytest.mark.parametrize("said", ["8", "rwx", "77", "-1", "0o077"])
def test_rights_that_are_none_are_refused(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    monkeypatch.setenv("BTG_UMASK", said)
    with pytest.raises(SettingError, match=f"BTG_UMASK: expected three octal digits such as 077, found '{said}'"):
        restrict_rights()


def test_the_rights_of_a_command_are_restricted(tmp_path: Path) -> None:
    """Through the command itself: a setting it cannot read stops it."""
    done = subprocess.run(
        [BTG, "editions", "--output", tmp_path],
        env=os.environ | {"BTG_UMASK": "rwx"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert "BTG_UMASK" in done.stderr
    told_in_words(done.stderr)
