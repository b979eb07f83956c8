"""An edition is made again from what it recorded, elsewhere, and is identical; or it is said precisely what differs."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import polars as pl
import pytest
from typer.testing import CliRunner

import pipelines.cli.rebuild  # noqa: F401 - adds the command
from assets.provenance import snapshot_records
from assets.tables import CATALOGUE
from pipelines import rebuild as again
from pipelines.cli.common import app
from pipelines.rebuild import CannotRebuild, InputLost, rebuild
from pipelines.settings import Settings
from reports import editions
from reports.tables import write_csv, write_parquet
from sources import bundled
from sources.snapshots import Part, SnapshotStore
from tests.conftest import CHECKOUT, ELSEWHERE, Run, Runs, WholeRun

EDITION = "2025-1"
LOCK = hashlib.sha256((CHECKOUT / "requirements.lock").read_bytes()).hexdigest()
MEMBERS = pl.DataFrame(
    [("TWENTE", "GM0153", "2022"), ("TWENTE", "GM0141", "2022")],
    schema=["group_code", "municipality_code", "period"],
    orient="row",
)
WAVES = pl.DataFrame([("burgerpanel", "rows", "a" * 64)], schema=["wave_id", "origin", "sha256"], orient="row")
RECORDED: dict[str, Any] = {
    "format": 1,
    "edition": EDITION,
    "code": {"version": "0.1.0", "commit": None, "patch_sha256": None},
    "catalog_sha256": "c" * 64,
    "lock_sha256": LOCK,
    "input_sha256": "1" * 64,
    "python": "3.11.7",
    "platform": "Linux x86_64",
    "settings": {
        "demo": False,
        "measurement_year": 2025,
        "input": "bundled",
        "data_root": False,
        "region_file": "catalog/region.yaml",
    },
    "input_files": [{"file": "figures.csv", "sha256": "f" * 64, "bytes": 7}],
    "snapshots": [],
    "survey_waves": [],
    "earlier_editions": [],
    "errata": [],
}
Tables = dict[str, pl.DataFrame]


def write_edition(folder: Path, tables: Tables, recorded: dict[str, Any]) -> Path:
    """A folder of an edition with these tables."""
    for name in editions.EDITIONS, "parquet", "csv":
        if name != editions.EDITIONS:
            (folder / name).mkdir(parents=True)
    for name, frame in tables.items():
        write_parquet(frame, folder / "parquet" / f"{name}.parquet")
        write_csv(frame, folder / "csv" / f"{name}.csv")
    (folder / editions.DATABASE).write_bytes(b"")
    (folder / "provenance.json").write_text(json.dumps(recorded), encoding="utf-8")
    return folder


def publish(root: Path, tables: Tables, recorded: dict[str, Any] | None = None, name: str = EDITION) -> Path:
    """A final edition in the output folder `root`."""
    folder = write_edition(root / "editions" / name, tables, RECORDED | {"edition": name} | (recorded or {}))
    sums = editions.write_sums(folder)
    editions.write_state(root, editions.State(name, "2026-11-23T10:00:00+00:00", None, sums))
    return folder


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """An output folder and a data root of their own."""
    return Settings(tmp_path / "output", bundled.FOLDER, tmp_path / "data", "in_process")


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Tables, dict[str, Any]], None]:
    """Says what the run would make, instead of half a minute of measuring; the code is this checkout's."""

    def make(tables: Tables, recorded: dict[str, Any]) -> None:
        folder = write_edition(tmp_path / "made", tables, RECORDED | recorded)
        monkeypatch.setattr(again, "_measure", lambda *_: folder)

    monkeypatch.setattr(again, "_code", lambda *_: CHECKOUT)
    return make


# --- what comes of it


def test_equal_tables_are_identical(settings: Settings, made: Callable[..., None]) -> None:
    publish(settings.output, {"region_member": MEMBERS})
    made({"region_member": MEMBERS}, {})
    report = rebuild(settings, EDITION)
    assert (report.identical, report.tables, report.differences, report.likely) == (True, 1, [], [])
    assert report.folder is None


def test_a_planted_difference_is_reported_by_table_key_and_likely_cause(
    settings: Settings, made: Callable[..., None]
) -> None:
    planted = MEMBERS.with_columns(municipality_code=pl.Series(["GM0153", "GM0147"]))
    publish(settings.output, {"region_member": planted})
    made({"region_member": MEMBERS}, {})
    report = rebuild(settings, EDITION)
    assert not report.identical
    (difference,) = report.differences
    assert (difference.table, difference.files) == (
        "region_member",
        ["parquet/region_member.parquet", "csv/region_member.csv"],
    )
    key = "group_code=TWENTE|municipality_code={}|period=2022"
    assert difference.what == [
        f"1 row not in the rebuilt table: {key.format('GM0147')}",
        f"1 row only in the rebuilt table: {key.format('GM0141')}",
    ]
    (why,) = report.likely
    assert why.startswith("Code, packages, catalogue and input are the same")


def test_what_was_not_the_same_is_said_to_be_the_likely_cause(settings: Settings, made: Callable[..., None]) -> None:
    publish(settings.output, {"region_member": MEMBERS.head(1)}, {"survey_waves": WAVES.to_dicts()})
    made(
        {"region_member": MEMBERS},
        {
            "catalog_sha256": "d" * 64,
            "platform": "Darwin arm64",
            "input_files": [{"file": "figures.csv", "sha256": "e" * 64, "bytes": 7}],
        },
    )
    said = "\n".join(rebuild(settings, EDITION).likely)
    assert f"The catalogue is another one: SHA-256 {'c' * 64}, now {'d' * 64}." in said
    assert f"Input figures.csv: SHA-256 {'f' * 64}, now {'e' * 64}." in said
    assert "Wave burgerpanel of the survey: nothing of it is kept any more." in said
    assert "made with Python 3.11.7 on Linux x86_64, and again with Python 3.11.7 on Darwin arm64" in said


def test_answers_deleted_after_their_retention_date_are_said_and_nobodys_fault(
    settings: Settings, made: Callable[..., None]
) -> None:
    """The bytes differ, so it is not called identical; but nothing is wrong."""
    stored = WAVES.with_columns(origin=pl.lit("stored_estimates"))
    publish(settings.output, {"survey_wave": WAVES}, {"survey_waves": WAVES.to_dicts()})
    made({"survey_wave": stored}, {"survey_waves": stored.to_dicts()})
    report = rebuild(settings, EDITION)
    assert (report.identical, report.differences, report.likely) == (False, [], [])
    (expected,) = report.expected
    assert expected.files == ["parquet/survey_wave.parquet", "csv/survey_wave.csv"]
    assert expected.what == ["origin differs in 1 row: wave_id=burgerpanel: rows -> stored_estimates"]
    (note,) = report.notes
    assert note.startswith("burgerpanel: its answers are no longer kept")
    call = ["rebuild", EDITION, "--output", str(settings.output)]
    plain = CliRunner().invoke(app, call)
    assert plain.exit_code == 0
    said = " ".join(plain.stdout.split())
    assert said.startswith("The same but for survey_wave (origin): ")
    assert "because answers of the survey are no longer kept" in said
    assert "Identical" not in said
    as_json = CliRunner().invoke(app, [*call, "--json"])
    assert as_json.exit_code == 0
    assert [each["table"] for each in json.loads(as_json.stdout)["expected"]] == ["survey_wave"]


def test_a_difference_beside_the_deleted_answers_is_one(settings: Settings, made: Callable[..., None]) -> None:
    stored = WAVES.with_columns(origin=pl.lit("stored_estimates"))
    publish(settings.output, {"survey_wave": WAVES, "region_member": MEMBERS}, {"survey_waves": WAVES.to_dicts()})
    made({"survey_wave": stored, "region_member": MEMBERS.head(1)}, {"survey_waves": stored.to_dicts()})
    report = rebuild(settings, EDITION)
    assert [each.table for each in report.differences] == ["region_member"]
    plain = CliRunner().invoke(app, ["rebuild", EDITION, "--output", str(settings.output)])
    assert plain.exit_code == 1
    assert "2 of 2 tables" in plain.stdout


def test_another_origin_of_a_wave_is_a_difference_where_no_answers_were_deleted(
    settings: Settings, made: Callable[..., None]
) -> None:
    published = WAVES.with_columns(origin=pl.lit("published"))
    publish(settings.output, {"survey_wave": published}, {"survey_waves": published.to_dicts()})
    made({"survey_wave": WAVES}, {"survey_waves": WAVES.to_dicts()})
    report = rebuild(settings, EDITION)
    assert ([each.table for each in report.differences], report.expected) == (["survey_wave"], [])


def test_the_same_commit_with_less_history_is_said(settings: Settings, made: Callable[..., None]) -> None:
    """A shallow clone does not show which commit touched the code last."""
    code = {"version": "0.1.0+1234", "commit": "5" * 40, "patch_sha256": None}
    publish(settings.output, {"region_member": MEMBERS}, {"code": code})
    made({"region_member": MEMBERS.head(1)}, {"code": code | {"version": "0.1.0+5555"}})
    (why,) = rebuild(settings, EDITION).likely
    assert why.startswith("The code is the same and has another version: 0.1.0+1234, now 0.1.0+5555.")
    assert "git fetch --unshallow" in why


def test_other_figures_of_stored_estimates_are_a_difference(settings: Settings, made: Callable[..., None]) -> None:
    stored = WAVES.with_columns(origin=pl.lit("stored_estimates"), sha256=pl.lit("b" * 64))
    publish(settings.output, {"survey_wave": WAVES}, {"survey_waves": WAVES.to_dicts()})
    made({"survey_wave": stored}, {"survey_waves": stored.to_dicts()})
    report = rebuild(settings, EDITION)
    assert not report.identical
    assert "Wave burgerpanel of the survey: its answers were replaced since." in report.likely


# --- what is refused


def test_there_must_be_such_an_edition(settings: Settings) -> None:
    with pytest.raises(CannotRebuild, match="There is no edition 2024-3"):
        rebuild(settings, "2024-3")


def test_a_damaged_edition_is_not_held_against_anything(settings: Settings) -> None:
    folder = publish(settings.output, {"region_member": MEMBERS})
    path = folder / "csv" / "region_member.csv"
    path.write_bytes(path.read_bytes().replace(b"GM0153", b"GM0154"))
    with pytest.raises(InputLost, match=r"csv/region_member.csv was changed.*backup"):
        rebuild(settings, EDITION)


def test_an_edition_from_before_provenance_says_so(settings: Settings) -> None:
    folder = publish(settings.output, {"region_member": MEMBERS})
    (folder / "provenance.json").unlink()
    state = editions.read_state(settings.output, EDITION)
    editions.write_state(settings.output, dataclasses.replace(state, sums_sha256=editions.write_sums(folder)))
    with pytest.raises(CannotRebuild, match=r"has no provenance.json"):
        rebuild(settings, EDITION)


def test_what_newer_software_wrote_is_not_guessed_at(settings: Settings) -> None:
    publish(settings.output, {}, {"format": 2})
    with pytest.raises(CannotRebuild, match="newer software"):
        rebuild(settings, EDITION)


@pytest.mark.skipif(not (CHECKOUT / ".git").exists() or not shutil.which("git"), reason="needs a git checkout")
def test_a_commit_that_is_not_here_is_named(settings: Settings) -> None:
    commit = "1234567" * 5 + "12345"
    publish(settings.output, {}, {"code": {"version": f"0.1.0+{commit[:12]}", "commit": commit, "patch_sha256": None}})
    with pytest.raises(CannotRebuild, match=f"commit {commit}, which is not in .*git fetch"):
        rebuild(settings, EDITION)


def test_without_git_only_the_same_software_makes_it_again(settings: Settings) -> None:
    """Recorded without a commit: this checkout has another version, or at least another catalogue."""
    publish(settings.output, {}, {"code": {"version": "0.0.9", "commit": None, "patch_sha256": None}})
    with pytest.raises(CannotRebuild, match=r"other software than is installed.*version 0.0.9, here .*catalogue c"):
        rebuild(settings, EDITION)


def test_without_git_the_same_software_is_this_installation(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from catalog import load_catalogue

    monkeypatch.setattr(again, "code_version", lambda: "0.1.0")
    recorded = RECORDED | {"catalog_sha256": load_catalogue().sha256}
    assert again._code(recorded, tmp_path, tmp_path) == CHECKOUT


def test_a_lock_that_is_not_that_of_the_commit_is_refused(settings: Settings, made: Callable[..., None]) -> None:
    publish(settings.output, {}, {"lock_sha256": "9" * 64})
    made({}, {})
    with pytest.raises(CannotRebuild, match=f"lock of SHA-256 {'9' * 64}"):
        rebuild(settings, EDITION)


@pytest.mark.slow
def test_packages_that_cannot_be_installed_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another lock than this installation's, and no package index in reach."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    lock = tmp_path / "requirements.lock"
    lock.write_text(f"no-such-package==1.0 --hash=sha256:{'0' * 64}\n", encoding="utf-8")
    recorded = RECORDED | {"lock_sha256": hashlib.sha256(lock.read_bytes()).hexdigest()}
    heard: list[str] = []
    with pytest.raises(CannotRebuild, match=r"(?s)could not be installed.*no-such-package"):
        again._python(recorded, tmp_path, tmp_path, heard.append)
    assert heard == ["Installing the recorded packages, once, about a minute"]


def test_the_same_lock_needs_no_other_python(tmp_path: Path) -> None:
    assert again._python(RECORDED, CHECKOUT, tmp_path, print) == Path(sys.executable)


def test_code_that_an_installation_goes_before_is_refused(tmp_path: Path) -> None:
    """An editable installation of this checkout must not be measured instead of the recorded code."""
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT), "BTG_DAGSTER_STORAGE": str(tmp_path)}
    with pytest.raises(CannotRebuild, match="instead of the code in"):
        again._require_own_code(Path(sys.executable), tmp_path, environment)
    again._require_own_code(Path(sys.executable), CHECKOUT, environment)


def test_a_folder_that_is_in_use_is_not_written_into(settings: Settings, tmp_path: Path) -> None:
    publish(settings.output, {})
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("Dear", encoding="utf-8")
    with pytest.raises(CannotRebuild, match="not empty"):
        rebuild(settings, EDITION, tmp_path / "mine")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["letter.txt"]


# --- what it is made from


@pytest.fixture
def store(settings: Settings) -> SnapshotStore:
    """A data root with two snapshots of a table."""
    assert settings.data is not None
    store = SnapshotStore(settings.data)
    for body in (b"old", b"new"):
        add(store, body)
    return store


def add(store: SnapshotStore, body: bytes) -> None:
    part = Part("data", "https://example.org/x", body, "text/plain", "2026-11-23T10:00:00Z")
    words = {"title": "t", "url": part.url, "licence": "CC BY 4.0", "fingerprint": "f", "request": "r"}
    store.add("CBS 86161NED", "odata_v4", [part], modified_at=None, **words)


def recorded_with(store: SnapshotStore, waves: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """What an edition made of this data root records."""
    return RECORDED | {
        "settings": RECORDED["settings"] | {"data_root": True},
        "snapshots": snapshot_records(store.root),
        "survey_waves": waves or [],
    }


def names_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_exactly_the_recorded_snapshots_are_taken(store: SnapshotStore, tmp_path: Path) -> None:
    recorded, before = recorded_with(store), names_in(store.root)
    add(store, b"newer than the edition")
    store.note("CBS 86161NED", "unchanged")
    target = tmp_path / "elsewhere"
    assert again._data_root(recorded, store.root, target, again._copy) == target
    assert names_in(target) == before
    assert [part.body for each in SnapshotStore(target).of("CBS 86161NED") for part in store.parts(each)] == [
        b"old",
        b"new",
    ]


def test_an_edition_made_without_data_root_gets_none(store: SnapshotStore, tmp_path: Path) -> None:
    assert again._data_root(RECORDED, store.root, tmp_path / "elsewhere", again._copy) is None


def test_every_lost_or_damaged_snapshot_is_named_with_its_checksum(store: SnapshotStore, tmp_path: Path) -> None:
    recorded = recorded_with(store)
    old, new = (hashlib.sha256(body).hexdigest() for body in (b"old", b"new"))
    (store.root / "objects" / old[:2] / f"{old}.gz").unlink()
    path = store.root / "objects" / new[:2] / f"{new}.gz"
    path.write_bytes(path.read_bytes()[:-3])
    record = recorded["snapshots"][0]
    (store.root / record["record"]).write_text("{}", encoding="utf-8")
    with pytest.raises(InputLost) as caught:
        again._data_root(recorded, store.root, tmp_path / "elsewhere", again._copy)
    for part in (old, new, record["record"], record["sha256"], "btg restore"):
        assert part in str(caught.value)


def test_snapshots_need_a_data_root(store: SnapshotStore, tmp_path: Path) -> None:
    with pytest.raises(CannotRebuild, match="BTG_DATA"):
        again._data_root(recorded_with(store), None, tmp_path / "elsewhere", again._copy)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no rights for group and others")
def test_of_the_survey_only_measured_waves_are_copied_for_the_user_alone(store: SnapshotStore, tmp_path: Path) -> None:
    private = store.root / "private" / "survey"
    for wave in ("measured", "other"):
        (private / wave).mkdir(parents=True)
        (private / wave / "rows-1.parquet").write_bytes(b"7")
    (private / "secret").write_bytes(b"secret")
    recorded = recorded_with(store, [{"wave_id": "measured", "origin": "rows", "sha256": "a"}])
    target = tmp_path / "elsewhere"
    before = os.umask(0)
    try:
        again._data_root(recorded, store.root, target, again._copy)
    finally:
        os.umask(before)
    copied = target / "private"
    assert names_in(copied) == {"survey/measured/rows-1.parquet"}
    for path in (copied, *copied.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


@pytest.mark.parametrize("fails", [False, True])
def test_answers_do_not_stay_behind_whatever_happens(
    settings: Settings,
    store: SnapshotStore,
    made: Callable[..., None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fails: bool,
) -> None:
    (store.root / "private" / "survey" / "w").mkdir(parents=True)
    (store.root / "private" / "survey" / "w" / "rows-1.parquet").write_bytes(b"7")
    publish(settings.output, {}, recorded_with(store, [{"wave_id": "w", "origin": "rows", "sha256": "a"}]))
    made({}, recorded_with(store))
    folder, seen = tmp_path / "made", []

    def measure(*arguments: Any) -> Path:
        seen.append((tmp_path / "kept" / "data" / "private" / "survey" / "w" / "rows-1.parquet").exists())
        if fails:
            raise KeyboardInterrupt
        return folder

    monkeypatch.setattr(again, "_measure", measure)
    if fails:
        with pytest.raises(KeyboardInterrupt):
            rebuild(settings, EDITION, tmp_path / "kept")
    else:
        rebuild(settings, EDITION, tmp_path / "kept")
    assert seen == [True]
    assert not (tmp_path / "kept" / "data" / "private").exists()
    assert (store.root / "private" / "survey" / "w" / "rows-1.parquet").exists()


def test_earlier_editions_stand_as_they_stood_then(settings: Settings, tmp_path: Path) -> None:
    """With the errata of then, not superseded yet, and without editions of later."""
    root = settings.output
    first, _ = publish(root, {"region_member": MEMBERS}, name="2024-1"), publish(root, {}, name="2025-1")
    sums = editions.read_state(root, "2024-1").sums_sha256
    row = "group_code=TWENTE|municipality_code=GM0153|period=2022"
    for text in ("Known then", "Known later"):
        editions.add_erratum(
            root, "2024-1", text=text, table_name="region_member", row_keys=[row], by="Jansen", at="2026-01-01"
        )
    recorded = RECORDED | {
        "earlier_editions": [{"edition": "2024-1", "sums_sha256": sums}],
        "errata": [{"edition": "2024-1", "erratum_id": 1, "stated_at": "2026-01-01"}],
    }
    target = tmp_path / "elsewhere"
    again._earlier_editions(recorded, root, target, again._copy)
    assert editions.finals(target) == ["2024-1"]
    assert names_in(editions.folder_of(target, "2024-1")) == names_in(first)
    assert editions.faults(editions.folder_of(target, "2024-1"), sums) == []
    assert editions.errata(target)["text"].to_list() == ["Known then"]
    assert editions.errata(root)["text"].to_list() == ["Known then", "Known later"]


def test_an_earlier_edition_that_is_gone_is_named(settings: Settings, tmp_path: Path) -> None:
    recorded = RECORDED | {"earlier_editions": [{"edition": "2024-1", "sums_sha256": "a" * 64}]}
    with pytest.raises(InputLost, match="2024-1: the folder is missing"):
        again._earlier_editions(recorded, settings.output, tmp_path / "elsewhere", again._copy)


@pytest.mark.parametrize("kept", [False, True])
def test_what_is_kept_is_a_copy_that_may_be_changed(
    settings: Settings,
    store: SnapshotStore,
    made: Callable[..., None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kept: bool,
) -> None:
    """Whoever edits or protects a file in a folder of their own changes no snapshot and no final edition."""
    publish(settings.output, {"region_member": MEMBERS}, name="2024-1")
    sums = editions.read_state(settings.output, "2024-1").sums_sha256
    earlier = {"earlier_editions": [{"edition": "2024-1", "sums_sha256": sums}]}
    publish(settings.output, {}, recorded_with(store) | earlier)
    made({}, recorded_with(store) | earlier)
    places: list[Path] = []

    def measure(*arguments: Any) -> Path:
        places.append(arguments[2])
        return tmp_path / "made"

    def numbers(*folders: Path) -> set[int]:
        return {path.stat().st_ino for folder in folders for path in folder.rglob("*") if path.is_file()}

    monkeypatch.setattr(again, "_measure", measure)
    originals = numbers(store.root, settings.output)
    rebuild(settings, EDITION, tmp_path / "mine" if kept else None)
    (place,) = places
    assert place.exists() == kept
    if kept:
        assert names_in(place / "output" / "editions" / "2024-1")
        assert names_in(place / "data" / "objects")
        assert not originals & numbers(place)
        for path in place.rglob("*"):
            if path.is_file():
                path.write_bytes(b"edited")
                path.chmod(0o600)
    assert editions.faults(editions.folder_of(settings.output, "2024-1"), sums) == []
    assert [part.body for each in store.of("CBS 86161NED") for part in store.parts(each)] == [b"old", b"new"]


@pytest.mark.parametrize("waves", [[], WAVES.to_dicts()], ids=["no survey", "a survey"])
def test_the_key_of_the_survey_is_given_to_a_run_with_a_survey_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, waves: list[dict[str, Any]]
) -> None:
    given: list[dict[str, str]] = []

    def run(*_: Any, env: dict[str, str], **__: Any) -> subprocess.CompletedProcess[str]:
        given.append(env)
        return subprocess.CompletedProcess([], 1, stdout="", stderr="stopped here")

    monkeypatch.setenv("BTG_SURVEY_KEY", "secret")
    monkeypatch.setattr(again, "_require_own_code", lambda *_: None)
    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(InputLost, match="stopped here"):
        again._measure(
            RECORDED | {"survey_waves": waves}, tmp_path, tmp_path, CHECKOUT, Path(sys.executable), None, print
        )
    assert [env.get("BTG_SURVEY_KEY") for env in given] == ["secret" if waves else None]


def test_settings_of_whoever_rebuilds_are_not_inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BTG_YEAR", "BTG_SURVEY_KEY", "DAGSTER_HOME", "PYTHONPATH", "VIRTUAL_ENV"):
        monkeypatch.setenv(name, "mine")
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    inherited = again._inherited()
    assert "mine" not in inherited.values()
    assert inherited["TZ"] == "Pacific/Kiritimati"


# --- the command


def test_the_command_says_what_came_of_it(settings: Settings, made: Callable[..., None], tmp_path: Path) -> None:
    publish(settings.output, {"region_member": MEMBERS})
    made({"region_member": MEMBERS.head(1)}, {})
    call = ["rebuild", EDITION, "--output", str(settings.output), "--data", str(tmp_path / "data")]
    said = CliRunner().invoke(app, [*call, "--json"])
    assert said.exit_code == 1
    report = json.loads(said.stdout)
    assert (report["identical"], report["tables"]) == (False, 1)
    assert report["differences"][0]["table"] == "region_member"
    plain = CliRunner().invoke(app, call)
    assert "1 of 1 tables" in plain.stdout
    assert "municipality_code=GM0141" in plain.stdout
    assert CliRunner().invoke(app, ["rebuild", "2031-1", "--output", str(settings.output)]).exit_code == 2


def another_locale(folder: Path) -> dict[str, str]:
    """Turkish, with a decimal comma and a dotless i, where the system can make it; else C with UTF-8."""
    localedef = shutil.which("localedef") if sys.platform == "linux" else None
    name = "tr_TR.UTF-8"
    if (
        not localedef
        or subprocess.run([localedef, "-i", "tr_TR", "-f", "UTF-8", folder / name], check=False).returncode
    ):
        return {"LC_ALL": "C.UTF-8"}
    found = {"LC_ALL": name, "LOCPATH": str(folder)}
    code = "import locale; locale.setlocale(locale.LC_ALL, ''); print(locale.localeconv()['decimal_point'])"
    said = subprocess.run([sys.executable, "-c", code], env={**os.environ, **found}, check=True, stdout=subprocess.PIPE)
    assert said.stdout.strip() == b",", "the locale takes effect"
    return found


@dataclasses.dataclass(frozen=True)
class MadeAgain:
    """An output folder with a final edition, when its files were written before, and the finished `btg rebuild`."""

    output: Path
    before: dict[Path, int]
    again: Run


def _made_again(runs: Runs, folder: Path) -> MadeAgain:
    measured = runs.run("edition_from_folder").succeeded().output
    output = Path(shutil.copytree(measured, folder / "output"))
    runs.btg("publish", "--by", "A. Jansen", output=output).succeeded()
    before = times(output)
    here = {"TZ": "America/St_Johns", "POLARS_MAX_THREADS": "2", "PYTHONHASHSEED": "11", **another_locale(folder)}
    call: list[str | Path] = ["rebuild", *editions.finals(output), "--into", folder / "elsewhere", "--json"]
    return MadeAgain(output, before, runs.btg(*call, output=output, cwd=folder, env={**ELSEWHERE, **here}))


def times(output: Path) -> dict[Path, int]:
    """When each file was last written."""
    return {path: path.stat().st_mtime_ns for path in output.rglob("*") if path.is_file()}


WHOLE_RUNS: dict[str, WholeRun] = {"made_again": _made_again}


@pytest.fixture(scope="module")
def made_again(runs: Runs) -> MadeAgain:
    """Delivered figures, which are not in the git history, published and made again with everything else different."""
    return cast("MadeAgain", runs.start("made_again").result())


@pytest.mark.slow
def test_a_published_edition_is_identical_in_another_place_time_zone_and_locale(made_again: MadeAgain) -> None:
    again, output = made_again.again, made_again.output
    assert again.returncode == 0, again.said
    report = json.loads(again.stdout)
    assert report["identical"]
    assert report["tables"] == len(CATALOGUE.registry.tables) - 2
    assert times(output) == made_again.before
    (edition,) = editions.finals(output)
    text = (editions.folder_of(output, edition) / "provenance.json").read_text(encoding="utf-8")
    for private in ("Jansen", str(output.parent), str(CHECKOUT)):
        assert private not in text
