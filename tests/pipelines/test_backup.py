"""A backup holds everything that cannot be made again, is whole or refused, and is put back without losing anything."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import stat
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import polars as pl
import pytest
from filelock import FileLock

from pipelines import backup
from pipelines.backup import BackupRefused, DamagedBackup, UnsoundEditions, back_up
from pipelines.restore import EditionsDiffer, Restored, put_back
from pipelines.storage import StorageFault
from reports import editions
from reports.editions import State
from reports.output_lock import AnotherRunIsBusy
from sources.snapshots import Part, SnapshotStore
from tests.pipelines.limits import small_disk, without_rights_to

POSIX = pytest.mark.skipif(os.name != "posix", reason="this system has no rights for group and others")


@dataclass(frozen=True)
class Place:
    """A data root and an output folder."""

    data: Path
    output: Path

    def files(self) -> dict[str, bytes]:
        """Every file but locks, by its place."""
        return {
            path.relative_to(root.parent).as_posix(): path.read_bytes()
            for root in (self.data, self.output)
            for path in sorted(root.rglob("*"))
            if path.is_file() and path.name != ".lock"
        }

    def back_up(self, target: Path, **options: bool) -> backup.Backup:
        return back_up(target, data=self.data, output=self.output, wait=0, **options)

    def put_back(self, file: Path, **options: bool) -> Restored:
        return put_back(file, data=self.data, output=self.output, wait=0, **options)


def add_snapshot(data: Path, body: bytes, table: str = "CBS 84799NED") -> str:
    part = Part("data", "https://example.org/x", body, "application/json", "2026-01-02T03:04:05Z")
    facts = dict.fromkeys(("title", "url", "licence", "fingerprint", "request"), "x")
    return SnapshotStore(data).add(table, "odata_v4", [part], modified_at=None, **facts).sha256


def add_edition(output: Path, name: str, value: int) -> Path:
    """An edition as publishing leaves it, of few files."""
    new = output / "editions" / f".{name}.building"
    for kind in ("csv", "parquet"):
        (new / kind).mkdir(parents=True)
    known = editions.errata(output)
    with duckdb.connect(str(new / "btg.duckdb")) as connection:
        connection.execute(f"CREATE TABLE figure AS SELECT {value} AS value")
        connection.register("known", known.to_arrow())
        connection.execute("CREATE TABLE erratum AS FROM known")
    known.write_parquet(new / "parquet" / "erratum.parquet")
    (new / "csv" / "figure.csv").write_text(f"value\n{value}\n")
    if name.endswith("draft"):
        return new.replace(output / "editions" / name)
    sums = editions.write_sums(new)
    editions.make_read_only(new)
    return editions.publish_folder(output, new, State(name, "2026-01-02T03:04:05+00:00", "A. Analyst", sums))


def offered(output: Path) -> int:
    """What a reader finds in the database."""
    with duckdb.connect(str(output / "btg.duckdb"), read_only=True) as connection:
        (value,) = connection.execute("FROM figure").fetchall()[0]
        return int(value)


@pytest.fixture
def here(tmp_path: Path) -> Place:
    """A place in use: snapshots, a delivered file, answers, two final editions, a draft, and what runs leave."""
    place = Place(tmp_path / "here" / "data", tmp_path / "here" / "output")
    add_snapshot(place.data, b"figures of 2024")
    add_snapshot(place.data, b"figures of 2025")
    (place.data / "inbox").mkdir()
    (place.data / "inbox" / "ww per gemeente, 2025.xlsx").write_bytes(b"a workbook")
    wave = place.data / "private" / "survey" / "btg_2025"
    wave.mkdir(parents=True)
    kept = {"wave_id": "btg_2025", "retention_until": "2032-06-30", "encrypted": False, "deleted_at": None}
    (wave / "record.json").write_text(json.dumps(kept))
    (wave / "rows-0123.parquet").write_bytes(b"answers of respondents")
    for path in [place.data / "private", *(place.data / "private").rglob("*")]:
        path.chmod(0o700 if path.is_dir() else 0o600)
    add_edition(place.output, "2024-1", 2024)
    add_edition(place.output, "2025-1", 2025)
    add_edition(place.output, "2025-draft", 1)
    shutil.copy(place.output / "editions" / "2025-1" / "btg.duckdb", place.output / "btg.duckdb")
    (place.output / "btg.duckdb").chmod(0o600)
    (place.output / "last_run").mkdir()
    (place.output / "last_run" / "sources.json").write_text("{}")
    (place.output / ".btg.duckdb.new").write_text("half a file")
    return place


@pytest.fixture
def there(tmp_path: Path) -> Place:
    """An empty machine."""
    return Place(tmp_path / "there" / "data", tmp_path / "there" / "output")


@pytest.fixture
def file(here: Place, tmp_path: Path) -> Path:
    """A backup of the place in use."""
    return here.back_up(tmp_path / "btg.zip").path


# --- making one


def test_everything_that_cannot_be_made_again_comes_back(here: Place, there: Place, file: Path) -> None:
    there.put_back(file)
    expected = {name: body for name, body in here.files().items() if "last_run" not in name and "/." not in name}
    assert "output/btg.duckdb" in expected
    assert there.files() == expected
    assert offered(there.output) == 2025
    for name in ("2024-1", "2025-1"):
        state = editions.read_state(there.output, name)
        assert editions.faults(editions.folder_of(there.output, name), state.sums_sha256) == []
    assert SnapshotStore(there.data).holds(hashlib.sha256(b"figures of 2024").hexdigest())


def test_what_was_found_of_the_pages_of_editions_comes_back_with_them(
    here: Place, there: Place, tmp_path: Path
) -> None:
    """Of a draft only with that draft: the one that stands may be another."""
    beside = [editions.accessibility_file(here.output, name) for name in ("2025-1", "2025-draft")]
    for path in beside:
        path.write_text("{}")
    (here.output / "editions" / "notes.accessibility.json").write_text("{}")
    made = here.back_up(tmp_path / "btg.zip")
    assert made.left_out == [str(here.output / "editions" / "notes.accessibility.json")]
    add_edition(there.output, "2025-draft", 2)
    there.put_back(made.path, force=True)
    found = sorted(path.name for path in (there.output / "editions").glob("*.accessibility.json"))
    assert found == ["2025-1.accessibility.json"]
    assert editions.remnants(there.output) == []
    assert editions.next_name(there.output, 2025) == "2025-2"
    there.put_back(made.path, force=True)
    shutil.rmtree(there.output / "editions" / "2025-draft")
    there.put_back(made.path, force=True)
    assert editions.accessibility_file(there.output, "2025-draft").exists()


@POSIX
def test_rights_come_back(there: Place, file: Path) -> None:
    there.put_back(file)
    private = there.data / "private"
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in [private, *private.rglob("*")]}
    assert all(mode == (0o700 if path.is_dir() else 0o600) for path, mode in modes.items()), modes
    for path in (there.output / "editions" / "2025-1").rglob("*"):
        assert not path.stat().st_mode & 0o222, f"{path} of a final edition can be written to"
    assert (there.output / "editions" / "2025-draft" / "btg.duckdb").stat().st_mode & stat.S_IWUSR


@POSIX
def test_a_backup_is_its_owners_alone(file: Path) -> None:
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_any_program_can_open_it_and_its_manifest_lists_every_file(file: Path) -> None:
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        manifest = json.loads(archive.read("manifest.json"))
        for entry in manifest["files"]:
            body = archive.read(entry["name"])
            assert (hashlib.sha256(body).hexdigest(), len(body)) == (entry["sha256"], entry["bytes"])
        assert {entry["name"] for entry in manifest["files"]} == set(archive.namelist()) - {"manifest.json"}
    assert manifest["format_version"] == 1
    assert manifest["created_at"]
    assert manifest["software"].startswith("btg ")


def test_what_is_a_copy_of_an_edition_is_not_in_it(file: Path) -> None:
    """Readers' database is as large as all of an edition's tables, and `btg restore` makes it anew."""
    with zipfile.ZipFile(file) as archive:
        assert "output/btg.duckdb" not in archive.namelist()


@pytest.mark.parametrize("missing", ["data", "output"])
def test_a_folder_that_is_named_and_not_there_is_no_empty_backup(here: Place, tmp_path: Path, missing: str) -> None:
    place = replace(here, **{missing: tmp_path / "typo"})
    with pytest.raises(BackupRefused, match=f"no folder {tmp_path / 'typo'},.*BTG_{missing.upper()}.*connected"):
        place.back_up(tmp_path / "x.zip")
    assert not (tmp_path / "x.zip").exists()


@POSIX
def test_a_data_root_that_may_not_be_opened_is_said_to_be_one(here: Place, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with (
        without_rights_to(here.data, tmp_path),
        pytest.raises(BackupRefused, match=f"{here.data}, or this account may not open it"),
    ):
        here.back_up(tmp_path / "out" / "x.zip")


def test_folders_with_nothing_in_them_are_no_backup(there: Place, tmp_path: Path) -> None:
    """As the places look where a share is not connected."""
    for folder in (there.data, there.output):
        folder.mkdir(parents=True)
    with pytest.raises(BackupRefused, match=r"nothing to back up .*connected"):
        there.back_up(tmp_path / "x.zip")
    assert not (tmp_path / "x.zip").exists()


def test_a_data_root_that_nobody_made_yet_is_said_and_no_mistake(
    here: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That of the checkout, which the first fetch makes."""
    monkeypatch.setattr(backup, "CHECKOUT", tmp_path / "checkout")
    made = replace(here, data=tmp_path / "checkout" / "data").back_up(tmp_path / "x.zip")
    assert made.absent == [f"no snapshots: there are none in {tmp_path / 'checkout' / 'data'}"]
    assert made.faults == []
    made = back_up(tmp_path / "y.zip", data=None, output=here.output, wait=0)
    assert made.absent == ["no snapshots: there is no data root"]
    made = replace(here, output=tmp_path / "checkout" / "output").back_up(tmp_path / "z.zip")
    assert [why.partition(":")[0] for why in made.absent] == ["no editions"]


def test_a_whole_backup_lacks_nothing(here: Place, tmp_path: Path) -> None:
    needs(here, "figures of 2024", "figures of 2025")
    made = here.back_up(tmp_path / "x.zip")
    assert (made.absent, made.faults) == ([], [])


def needs(place: Place, *bodies: str) -> None:
    """A final edition that was made from snapshots of these bytes."""
    objects = [hashlib.sha256(body.encode()).hexdigest() for body in bodies]
    made_from = {"snapshots": [{"record": "snapshots/cbs/x.json", "sha256": "0" * 64, "objects": objects}]}
    new = add_edition(place.output, "2026-draft", 1)
    (new / "provenance.json").write_text(json.dumps(made_from))
    sums = editions.write_sums(new)
    editions.make_read_only(new)
    state = State("2026-1", "2026-01-02T03:04:05+00:00", "A. Analyst", sums)
    editions.publish_folder(place.output, new, state)


@pytest.mark.parametrize("how", ["gone", "damaged", "behind a link", "no data root"])
def test_a_backup_without_a_snapshot_that_an_edition_needs_says_so(here: Place, tmp_path: Path, how: str) -> None:
    needs(here, "figures of 2024", "figures of 2025")
    sha256 = hashlib.sha256(b"figures of 2024").hexdigest()
    stored = next(here.data.glob(f"objects/*/{sha256}.gz"))
    if how == "gone":
        stored.unlink()
    elif how == "damaged":
        stored.write_bytes(stored.read_bytes()[:-3])
    elif how == "behind a link":
        stored.symlink_to(stored.rename(tmp_path / "elsewhere.gz"))
    data = None if how == "no data root" else here.data
    made = back_up(tmp_path / "x.zip", data=data, output=here.output, wait=0)
    (fault,) = made.faults
    assert f"{sha256[:12]} of snapshots/cbs/x.json (2026-1)" in fault
    other = hashlib.sha256(b"figures of 2025").hexdigest()[:12]
    assert (other in fault) == (how == "no data root")
    # The editions in it are sound all the same.
    assert put_back(made.path, data=tmp_path / "d", output=tmp_path / "o", wait=0, dry_run=True).refused == []


@POSIX
def test_answers_of_another_account_are_not_silently_left_out(here: Place, file: Path, tmp_path: Path) -> None:
    """Nor put back: those that stand may not be seen, and what is deleted there must stay deleted."""
    private = here.data / "private"
    with without_rights_to(private, tmp_path):
        with pytest.raises(BackupRefused, match=r"another account's.*--without-answers"):
            here.back_up(tmp_path / "x.zip")
        here.back_up(tmp_path / "y.zip", answers=False)
        report = here.put_back(file, force=True, dry_run=True)
    assert any(kept.startswith("the answers of the survey") for kept in report.kept)
    assert not report.answers


def test_equal_content_is_listed_equally(here: Place, file: Path, tmp_path: Path) -> None:
    again = here.back_up(tmp_path / "again.zip").path
    assert backup.check(again).files == backup.check(file).files


def test_answers_can_be_left_out(here: Place, there: Place, tmp_path: Path) -> None:
    made = here.back_up(tmp_path / "x.zip", answers=False)
    assert made.answers == []
    assert b"answers of respondents" not in (tmp_path / "x.zip").read_bytes()
    there.put_back(made.path)
    assert not (there.data / "private").exists()


def test_it_says_whose_answers_are_in_it_and_until_when(here: Place, tmp_path: Path) -> None:
    made = here.back_up(tmp_path / "x.zip")
    assert made.answers == ["btg_2025 (to be deleted after 2032-06-30, not encrypted)"]


def test_a_standing_file_is_replaced_on_purpose_only(here: Place, file: Path) -> None:
    before = file.read_bytes()
    with pytest.raises(BackupRefused, match="--force"):
        here.back_up(file)
    assert file.read_bytes() == before
    here.back_up(file, force=True)
    backup.check(file)


@pytest.mark.parametrize("place", ["data/inbox/b.zip", "output/editions/b.zip", "output/editions", "no folder/b.zip"])
def test_a_place_that_cannot_be_is_refused(here: Place, place: str) -> None:
    before = here.files()
    with pytest.raises(BackupRefused):
        here.back_up(here.data.parent / place)
    assert here.files() == before


def test_links_and_files_of_others_are_left_out_and_said(here: Place, tmp_path: Path) -> None:
    (here.data / "notes.txt").write_text("of a colleague")
    (here.data / "inbox" / "link.xlsx").symlink_to(tmp_path)
    made = here.back_up(tmp_path / "x.zip")
    assert sorted(Path(name).name for name in made.left_out) == ["link.xlsx", "notes.txt"]


def test_a_damaged_final_edition_is_backed_up_and_said(here: Place, tmp_path: Path) -> None:
    damaged = here.output / "editions" / "2024-1" / "csv" / "figure.csv"
    damaged.chmod(0o644)
    damaged.write_text("value\n2023\n")
    made = here.back_up(tmp_path / "x.zip")
    assert ["2024-1/csv/figure.csv" in fault for fault in made.faults] == [True]


def test_nothing_is_written_while_a_run_is_busy(here: Place, there: Place, file: Path, tmp_path: Path) -> None:
    there.output.mkdir(parents=True)
    with FileLock(here.output / ".lock"), pytest.raises(AnotherRunIsBusy):
        here.back_up(tmp_path / "x.zip")
    with FileLock(there.output / ".lock"), pytest.raises(AnotherRunIsBusy):
        there.put_back(file)
    assert not (tmp_path / "x.zip").exists()
    assert there.files() == {}


def test_what_was_written_wrongly_gets_no_name(here: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that does not keep what it was given is found when the backup is read back, not in two years."""
    written = backup._write

    def badly(work: Path, *rest: object) -> object:
        manifest = written(work, *rest)  # type: ignore[arg-type]
        flip(work, work.stat().st_size // 2)
        return manifest

    monkeypatch.setattr(backup, "_write", badly)
    with pytest.raises(DamagedBackup):
        here.back_up(tmp_path / "x.zip")
    assert [path.name for path in tmp_path.iterdir()] == ["here"]


def test_a_full_disk_leaves_the_earlier_backup(here: Place, tmp_path: Path) -> None:
    with small_disk(tmp_path / "stick", 200_000) as stick:
        (stick / "btg.zip").write_bytes(b"the earlier one")
        (here.data / "inbox" / "large.xlsx").write_bytes(os.urandom(1_000_000))
        with pytest.raises((StorageFault, BackupRefused)):
            here.back_up(stick / "btg.zip", force=True)
        assert {path.name: path.read_bytes() for path in stick.iterdir()} == {"btg.zip": b"the earlier one"}


# --- damaged and hostile files


def flip(path: Path, position: int) -> None:
    with path.open("r+b") as file:
        file.seek(position)
        byte = file.read(1)[0]
        file.seek(position)
        file.write(bytes([byte ^ 1]))


def assert_refused(there: Place, file: Path, *words: str) -> None:
    with pytest.raises(DamagedBackup) as error:
        there.put_back(file)
    assert all(word in str(error.value) for word in words), str(error.value)
    assert there.files() == {}
    assert not there.data.exists()


def test_a_flipped_byte_is_found_wherever_it_is(there: Place, file: Path) -> None:
    last = file.stat().st_size - 1
    for position in range(0, last, last // 40):
        flip(file, position)
        with pytest.raises(DamagedBackup):
            backup.check(file)
        flip(file, position)
    backup.check(file)
    flip(file, last)
    assert_refused(there, file)


def test_the_damaged_file_is_named(there: Place, file: Path) -> None:
    with zipfile.ZipFile(file) as archive:
        info = archive.getinfo("output/editions/2025-1/btg.duckdb")
        position = info.header_offset + len(info.filename) + info.compress_size // 2
    flip(file, position)
    assert_refused(there, file, "output/editions/2025-1/btg.duckdb is damaged")


def test_a_file_that_was_cut_off_is_refused(there: Place, file: Path) -> None:
    body = file.read_bytes()
    for left in (0, 10, 63, 1000, -1000, -64, -1):
        file.write_bytes(body[:left])
        assert_refused(there, file)


def test_what_is_no_backup_is_refused(there: Place, tmp_path: Path) -> None:
    (tmp_path / "letter.docx").write_bytes(b"Dear all, " * 100)
    assert_refused(there, tmp_path / "letter.docx", "no backup")
    with pytest.raises(BackupRefused, match="no such file"):
        there.put_back(tmp_path / "gone.zip")


def forge(path: Path, contents: dict[str, bytes], *, manifest: bytes | None = None, twice: str = "") -> Path:
    """A file with valid checksums, as somebody who means harm would make it."""
    listed = [
        {"name": name, "sha256": hashlib.sha256(body).hexdigest(), "bytes": len(body), "mode": 0o644}
        for name, body in contents.items()
    ]
    said = {"format": "btg-backup", "format_version": 1, "about": "", "software": "", "created_at": "", "files": listed}
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, body in [*contents.items(), *([(twice, contents[twice])] if twice else [])]:
            info = zipfile.ZipInfo(name)
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(info, body)
        archive.writestr("manifest.json", json.dumps(said) if manifest is None else manifest)
        archive.comment = backup._SEAL + b"0" * 64
    body = made.getvalue()[:-64]
    path.write_bytes(body + hashlib.sha256(body).hexdigest().encode())
    return path


HOSTILE = [
    *("/etc/cron.d/x", "../x", "data/../../x", "data/inbox/../../../x", "output/editions/../x", "data/inbox/./x"),
    *("data/inbox//x", "data/inbox/", "data/inbox", "data/x", "output/last_run/x", "output/.lock", "x", "btg.duckdb"),
    *("data/inbox/a\\b", "data/inbox/..\\..\\x", "C:/x", "data/inbox/a\nb", "data/inbox/.hidden", "data/private/.lock"),
    *(
        "output/btg.duckdb",
        "output/editions/2025-1",
        "output/editions/2025/x",
        "output/editions/2025-draft.state.json",
        "data/keys/x",
    ),
]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_leads_elsewhere_is_refused(there: Place, tmp_path: Path, name: str) -> None:
    assert_refused(there, forge(tmp_path / "x.zip", {name: b"x"}), "no name of a file of a backup")
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("part", ["CON", "nul.txt", "com1", "a:b", "a.", "a ", "a?"])
def test_names_that_windows_takes_for_something_else_are_refused_there(part: str) -> None:
    assert not backup.is_safe(f"data/inbox/{part}", windows=True)


@pytest.mark.parametrize("name", ["data/inbox/ww, 2025 (définitief)\u00a0.xlsx", "output/editions/2025-10/csv/a.csv"])
def test_names_that_people_give_files_are_taken(name: str) -> None:
    assert backup.is_safe(name)


def test_a_link_in_it_is_a_plain_file(there: Place, tmp_path: Path) -> None:
    there.put_back(forge(tmp_path / "x.zip", {"data/inbox/x": b"/etc/passwd"}))
    assert not (there.data / "inbox" / "x").is_symlink()
    assert (there.data / "inbox" / "x").read_bytes() == b"/etc/passwd"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_manifest_and_content_must_agree(there: Place, tmp_path: Path) -> None:
    target, name = tmp_path / "x.zip", "data/inbox/x"
    assert_refused(there, forge(target, {name: b"x"}, twice=name), "twice")
    assert_refused(there, forge(target, {name: b"x"}, manifest=b"{}"), "manifest.json is damaged")
    listed = {"name": name, "sha256": hashlib.sha256(b"x").hexdigest(), "bytes": 1, "mode": 0o644}
    whole = {"format": "btg-backup", "format_version": 1, "about": "", "software": "", "created_at": ""}
    for change, said in (
        ({"bytes": 10**15}, "not of the size"),
        ({"sha256": "0" * 64}, "x is damaged"),
        ({"mode": 0o4755}, "manifest.json is damaged"),
        ({"name": "data/inbox/y"}, "data/inbox/y is missing"),
    ):
        manifest = json.dumps({**whole, "files": [listed | change]}).encode()
        assert_refused(there, forge(target, {name: b"x"}, manifest=manifest), said)


def published(tmp_path: Path) -> dict[str, bytes]:
    """The files of a final edition and its sign-off, by their names in a backup."""
    output = tmp_path / "other" / "output"
    add_edition(output, "2025-1", 5)
    found = (path for path in (output / "editions").rglob("*") if path.is_file())
    return {f"output/{path.relative_to(output).as_posix()}": path.read_bytes() for path in found}


UNSOUND = {
    "a figure was changed": ("2025-1/csv/figure.csv", b"value\n6\n", "2025-1/csv/figure.csv was changed"),
    "a figure is missing": ("2025-1/csv/figure.csv", None, "2025-1/csv/figure.csv is missing"),
    "a file was added": ("2025-1/csv/other.csv", b"x", "2025-1/csv/other.csv was added"),
    "checksums that fit another content": ("2025-1/SHA256SUMS", b"", "2025-1/SHA256SUMS was changed"),
    "no checksums": ("2025-1/SHA256SUMS", None, "2025-1/SHA256SUMS is missing"),
    "no database": ("2025-1/btg.duckdb", None, "2025-1/btg.duckdb is missing"),
    "no sign-off": ("2025-1.state.json", None, "2025-1: its sign-off is missing"),
    "a sign-off that is none": ("2025-1.state.json", b"{}", "2025-1.state.json cannot be understood"),
    "a sign-off alone": ("2025-2.state.json", b"{}", "2025-2: its sign-off is there, its folder is missing"),
}


@pytest.mark.parametrize("dry_run", [True, False], ids=["dry", "done"])
@pytest.mark.parametrize(("name", "body", "said"), UNSOUND.values(), ids=UNSOUND)
def test_a_sealed_backup_of_damaged_editions_is_refused_whole(
    there: Place, tmp_path: Path, name: str, body: bytes | None, said: str, dry_run: bool
) -> None:
    contents: dict[str, bytes | None] = {**published(tmp_path), "data/inbox/x": b"x"}
    contents[f"output/editions/{name}"] = body
    forged = forge(tmp_path / "x.zip", {name: body for name, body in contents.items() if body is not None})
    backup.check(forged)
    with pytest.raises(UnsoundEditions, match="by hand") as error:
        there.put_back(forged, dry_run=dry_run)
    assert said in str(error.value)
    assert there.files() == {}
    assert not there.data.exists()


def test_a_sound_edition_of_another_maker_is_taken(there: Place, tmp_path: Path) -> None:
    there.put_back(forge(tmp_path / "x.zip", published(tmp_path)))
    assert offered(there.output) == 5


def test_a_backup_that_would_be_refused_is_said_to_be_so_when_it_is_made(here: Place, tmp_path: Path) -> None:
    shutil.rmtree(here.output / "editions" / "2024-1")
    (here.output / "editions" / "2025-1.state.json").write_text("{")
    made = here.back_up(tmp_path / "x.zip")
    assert len(made.faults) == 2
    with pytest.raises(UnsoundEditions) as error:
        here.put_back(made.path, force=True)
    assert all(fault in str(error.value) for fault in made.faults)


def test_a_bomb_is_not_unpacked(there: Place, tmp_path: Path) -> None:
    """A file says it is small and unpacks to much: no more is read than the manifest allows."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data/inbox/x", bytes(50_000_000))
    entry = backup.Entry(name="data/inbox/x", sha256="0" * 64, bytes=10, mode=0o600)
    into = io.BytesIO()
    with zipfile.ZipFile(made) as archive, pytest.raises(zipfile.BadZipFile):
        backup.copy_entry(archive, entry, into)
    assert into.tell() <= 10


def test_a_newer_form_is_refused_as_such(there: Place, tmp_path: Path) -> None:
    newer = {"format": "btg-backup", "format_version": 2, "about": "", "created_at": "", "files": []}
    path = forge(tmp_path / "x.zip", {}, manifest=json.dumps(newer | {"software": "btg 9.0"}).encode())
    with pytest.raises(BackupRefused, match=r"btg 9\.0"):
        there.put_back(path)


# --- putting it back where something stands


def test_a_dry_run_changes_nothing(there: Place, file: Path) -> None:
    report = there.put_back(file, dry_run=True)
    assert "edition 2025-1" in report.added
    assert not there.data.exists()
    assert not there.output.exists()


def test_a_dry_run_where_all_stands_says_what_would_be_kept_and_refused(here: Place, file: Path) -> None:
    shutil.rmtree(here.output / "editions" / "2024-1")
    add_snapshot(here.data, b"figures of 2026")
    before = here.files()
    report = here.put_back(file, dry_run=True)
    assert report.added == ["edition 2024-1"]
    assert any(kept.startswith("edition 2025-1") for kept in report.kept)
    assert ["--force" in why for why in report.refused] == [True]
    assert here.put_back(file, dry_run=True, force=True).refused == []
    shutil.rmtree(here.output / "editions" / "2025-1")
    (here.output / "editions" / "2025-1.state.json").unlink()
    add_edition(here.output, "2025-1", 5)
    (differs,) = here.put_back(file, dry_run=True, force=True).refused
    assert "2025-1" in differs
    assert before.keys() == here.files().keys()


def test_a_dry_run_without_data_root_says_what_is_needed(there: Place, file: Path) -> None:
    report = put_back(file, data=None, output=there.output, dry_run=True)
    assert ["--data" in why for why in report.refused] == [True]


@pytest.mark.parametrize("stands", ["editions", "snapshots", "answers"])
def test_what_stands_is_added_to_on_purpose_only(there: Place, file: Path, stands: str) -> None:
    if stands == "editions":
        add_edition(there.output, "2023-draft", 7)
    elif stands == "snapshots":
        add_snapshot(there.data, b"others")
    else:
        (there.data / "private" / "survey").mkdir(parents=True)
        (there.data / "private" / "survey" / "log.jsonl").write_text("{}\n")
    before = there.files()
    with pytest.raises(BackupRefused, match="--force"):
        there.put_back(file)
    assert there.files() == before
    there.put_back(file, force=True)
    assert before.items() <= there.files().items()
    assert offered(there.output) == 2025


def test_with_force_what_stands_stays_and_the_rest_is_added(here: Place, file: Path) -> None:
    later = add_snapshot(here.data, b"figures of 2026")
    add_edition(here.output, "2026-1", 2026)
    shutil.rmtree(here.output / "editions" / "2025-draft")
    add_edition(here.output, "2025-draft", 99)
    erratum = {"text": "wrong", "table_name": "figure", "row_keys": ["a=1"], "by": None, "at": "2026-02-01T00:00:00Z"}
    editions.add_erratum(here.output, "2025-1", **erratum)  # type: ignore[arg-type]
    report = here.put_back(file, force=True)
    assert any(kept.startswith("edition 2025-draft") for kept in report.kept), "it does not say what it kept"
    assert (here.output / "editions" / "2025-draft" / "csv" / "figure.csv").read_text() == "value\n99\n"
    assert SnapshotStore(here.data).holds(later)
    assert offered(here.output) == 2026
    assert len(editions.read_state(here.output, "2025-1").errata) == 1, "an erratum of after the backup is lost"


def test_a_final_edition_that_differs_is_refused_whatever_is_asked(there: Place, file: Path) -> None:
    add_edition(there.output, "2025-1", 5)
    before = there.files()
    with pytest.raises(EditionsDiffer, match=r"csv/figure\.csv"):
        there.put_back(file, force=True)
    assert there.files() == before


def test_answers_that_were_deleted_since_stay_deleted(here: Place, file: Path) -> None:
    wave = here.data / "private" / "survey" / "btg_2025"
    (wave / "rows-0123.parquet").unlink()
    (wave / "record.json").write_text(json.dumps({"wave_id": "btg_2025", "deleted_at": "2026-03-01"}))
    report = here.put_back(file, force=True)
    assert not (wave / "rows-0123.parquet").exists()
    assert not report.answers
    assert any("stays deleted" in kept for kept in report.kept)


def test_a_lost_or_damaged_final_edition_comes_back_with_the_errata_of_after_the_backup(
    here: Place, file: Path, tmp_path: Path
) -> None:
    """The way that the doctor and the handover page name: its folder elsewhere, then restore with --force."""
    erratum = {"text": "wrong", "table_name": "figure", "row_keys": ["a=1"], "by": None, "at": "2026-02-01T00:00:00Z"}
    editions.add_erratum(here.output, "2024-1", **erratum)  # type: ignore[arg-type]
    before = here.files()
    damaged = here.output / "editions" / "2024-1" / "csv" / "figure.csv"
    damaged.chmod(0o644)
    damaged.write_text("value\n2023\n")
    with pytest.raises(EditionsDiffer, match="elsewhere"):
        here.put_back(file, force=True)
    damaged.parent.parent.rename(tmp_path / "damaged")
    here.put_back(file, force=True)
    after = here.files()
    own = [name for name in before if "2024-1" in name]
    assert own
    assert {name: after[name] for name in own} == {name: before[name] for name in own}


def test_an_edition_is_not_put_under_the_sign_off_of_another(there: Place, file: Path) -> None:
    shutil.rmtree(add_edition(there.output, "2025-1", 5))
    before = there.files()
    with pytest.raises(EditionsDiffer, match=r"2025-1\.state\.json"):
        there.put_back(file, force=True)
    assert there.files() == before


def test_readers_get_the_edition_with_its_errata_and_cannot_write_to_it(
    here: Place, there: Place, tmp_path: Path
) -> None:
    erratum = {"text": "wrong", "table_name": "figure", "row_keys": ["a=1"], "by": None, "at": "2026-02-01T00:00:00Z"}
    editions.add_erratum(here.output, "2025-1", **erratum)  # type: ignore[arg-type]
    there.put_back(here.back_up(tmp_path / "errata.zip").path)
    with duckdb.connect(str(there.output / "btg.duckdb"), read_only=True) as connection:
        stated = connection.execute("FROM erratum").pl()
    assert stated.select(pl.col("edition"), pl.col("text")).rows() == [("2025-1", "wrong")]
    assert not (there.output / "btg.duckdb").stat().st_mode & 0o222


def test_damaged_bytes_of_a_snapshot_are_mended(here: Place, file: Path) -> None:
    sha256 = hashlib.sha256(b"figures of 2024").hexdigest()
    stored = next(here.data.glob(f"objects/*/{sha256}.gz"))
    stored.write_bytes(b"damaged")
    here.put_back(file, force=True)
    assert SnapshotStore(here.data).holds(sha256)


@pytest.mark.parametrize(
    "moment",
    ["pipelines.restore._place_data", "pipelines.restore._place_edition", "assets.edition.offer_to_readers"],
)
def test_a_restore_that_was_stopped_is_done_again(
    there: Place, file: Path, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(moment, stop)
        with pytest.raises(KeyboardInterrupt):
            there.put_back(file)
    assert not [path for root in (there.data, there.output) for path in root.rglob(".*") if path.is_dir()]
    there.put_back(file, force=True)
    assert offered(there.output) == 2025
    assert len(SnapshotStore(there.data).of("CBS 84799NED")) == 2


def test_what_a_killed_restore_left_is_in_nobodys_way(there: Place, file: Path) -> None:
    for left in (there.data / ".restore.new" / "objects", there.output / "editions" / ".2025-1.new" / "csv"):
        left.mkdir(parents=True)
        (left / "half").write_bytes(b"half")
    there.put_back(file)
    assert not any("half" in name for name in there.files())
    assert offered(there.output) == 2025


def test_a_full_disk_stops_a_restore_before_it_begins(here: Place, tmp_path: Path) -> None:
    (here.data / "inbox" / "large.xlsx").write_bytes(os.urandom(1_000_000))
    file = here.back_up(tmp_path / "x.zip").path
    with small_disk(tmp_path / "small", 300_000) as small:
        place = Place(small / "data", small / "output")
        with pytest.raises((BackupRefused, StorageFault)):
            place.put_back(file)
        assert place.files() == {}
