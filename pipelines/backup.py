"""Data root and editions in one file: a zip that any program opens, with a manifest and checksums.

manifest.json                        last: every file with its SHA-256, size and mode
data/objects|snapshots|inbox|private/…
output/editions/…

What readers open (output/btg.duckdb) is a copy of an edition, so it is not in it: `btg restore` makes it anew.
The comment at the end of the zip is the SHA-256 of every byte before it, so that no change goes unnoticed, also not one
in what the zip format itself does not check.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import stat
import struct
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import IO, Annotated, Literal

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, Field

from pipelines.needed_snapshots import needed_objects
from pipelines.settings import CHECKOUT
from pipelines.storage import storage_faults
from reports import editions
from reports.edition_folder import beside, replace_file
from reports.output_lock import AnotherRunIsBusy, hold
from sources.snapshots import SnapshotStore, now

FORMAT_VERSION = 1
MANIFEST = "manifest.json"
# Records before objects: what is retrieved meanwhile has its bytes here before its record names them.
DATA_FOLDERS = ("snapshots", "objects", "inbox", "private")
STATE_NAME = re.compile(rf"({editions.FINAL.pattern})\.state\.json")
ACCESSIBILITY_NAME = re.compile(rf"({editions.NAME.pattern})\.accessibility\.json")
WAIT_SECONDS = 600.0

_ABOUT = (
    "A backup of Bruto Twents Geluk: snapshots of sources (data) and editions (output). `btg restore FILE` puts it "
    "back; any unzip program opens it."
)
_SEAL = b"SHA-256 of every byte before these 64: "
_SEAL_LENGTH = 64
_CHUNK = 1 << 20
_MANIFEST_LIMIT = 64 << 20
# Of every entry, so that equal content is equal bytes.
_DATE = (1980, 1, 1, 0, 0, 0)
_COMPRESSED = {".gz", ".parquet", ".png", ".zip", ".xlsx", ".ods", ".pdf"}
# What reading a damaged zip ends in.
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OSError, ValueError, struct.error, OverflowError)

FollowFile = Callable[[str, str, int], None]


class BackupRefused(RuntimeError):  # noqa: N818 - says what is the matter
    """A backup that cannot be made, or not be put back here: what is in the way, and what to do."""


class DamagedBackup(RuntimeError):  # noqa: N818 - says what is the matter
    """A file that is not the backup that was made. `faults`: what is damaged, in sentences."""

    def __init__(self, path: Path, faults: list[str]) -> None:
        super().__init__(f"{path.name} is damaged and nothing of it was used: {_shown(faults)}. Take another backup.")
        self.faults = faults


class UnsoundEditions(RuntimeError):  # noqa: N818 - says what is the matter
    """A backup that is as it was made, of final editions that were damaged already."""

    def __init__(self, path: Path, faults: list[str]) -> None:
        super().__init__(
            f"{path.name} is as it was made, but its final editions were no longer as they were published, so nothing "
            f"of it was put back: {_shown(faults)}. Take an earlier backup; or take out by hand what is sound: it is a "
            "zip that any program opens."
        )


def _shown(faults: list[str]) -> str:
    return "; ".join(faults[:10] + ([f"and {len(faults) - 10} more"] if len(faults) > 10 else []))


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Entry(_Model):
    """A file of a backup: its name in the zip, the SHA-256 and number of its bytes, and its rights."""

    name: str
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    bytes: Annotated[int, Field(ge=0)]
    mode: Annotated[int, Field(ge=0, le=0o777)]


class Manifest(_Model):
    """What a backup holds, and when and by what it was made."""

    format: Literal["btg-backup"]
    format_version: int
    about: str
    software: str
    created_at: str
    files: list[Entry]


@dataclass(frozen=True)
class Backup:
    """What came of making a backup.

    `answers` names the waves whose rows are in it, `left_out` what stands in the folders and is not in it, `absent` why
    it holds no snapshots or no editions at all. `faults` is what is no longer as it was published, or missing of what
    an edition was made from: that is in the backup as it stands.
    """

    path: Path
    files: int
    bytes: int
    answers: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


# --- making one


def back_up(
    target: Path,
    *,
    data: Path | None,
    output: Path,
    answers: bool = True,
    force: bool = False,
    wait: float = WAIT_SECONDS,
    follow: FollowFile | None = None,
) -> Backup:
    """Write data root and editions to `target`, and read it back before it gets that name.

    `answers`: with the private folder, as it is on disk. A run that is busy is waited for. Raises BackupRefused,
    AnotherRunIsBusy, EditionInUse and StorageFault.
    """
    target = target.absolute()
    _refuse_missing(data, output, answers=answers)
    _refuse_place(target, data, output, force=force)
    work = beside(target, "new")
    with storage_faults(target.parent, "No backup was made."):
        try:
            with held(output, "btg backup", wait), _no_survey_work(data if answers else None, wait):
                work.unlink(missing_ok=True)  # of a backup that was killed
                sources, left_out = _sources(data, output, answers=answers)
                absent = _absent(sources, data, output)
                manifest = _write(work, sources, follow)
                check(work)
                faults = edition_faults(work, manifest) + _snapshot_faults(manifest, data, output)
                if target.exists() and not force:
                    raise _stands(target)
                replace_file(work, target)
        except OSError as error:
            raise BackupRefused(f"no backup was made: {error.strerror or error} ({error.filename})") from error
        finally:
            work.unlink(missing_ok=True)
    rows = kept_answers(data) if data and answers else []
    return Backup(target, len(manifest.files), target.stat().st_size, rows, left_out, absent, faults)


def kept_answers(data: Path) -> list[str]:
    """The waves of which rows of respondents are kept, and until when they may be; readable without a key."""
    found = []
    for path in sorted((data / "private" / "survey").glob("*/record.json")):
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            record = {"wave_id": path.parent.name}
        if record.get("deleted_at") is None:
            kind = "encrypted" if record.get("encrypted") else "not encrypted"
            found.append(f"{record.get('wave_id')} (to be deleted after {record.get('retention_until')}, {kind})")
    return found


def may_open(folder: Path) -> bool:
    """Whether a folder is there, and its content may be seen by this account."""
    try:
        with os.scandir(folder):
            return True
    except OSError:
        return False


def _refuse_missing(data: Path | None, output: Path, *, answers: bool) -> None:
    """Refuse where a folder that somebody named is not there; those of the checkout are made when they are needed."""
    for folder, default, setting in ((data, "data", "BTG_DATA"), (output, "output", "BTG_OUTPUT")):
        if folder and folder != CHECKOUT / default and not may_open(folder):
            raise BackupRefused(
                f"no backup was made: there is no folder {folder}, or this account may not open it. Is {setting} "
                "right, and its disk or share connected?"
            )
    if answers and data and (data / "private").is_dir() and not may_open(data / "private"):
        raise BackupRefused(
            f"no backup was made: {data / 'private'} is another account's. Back up under that account, or leave the "
            "answers of respondents out: --without-answers"
        )


def _absent(sources: list[tuple[str, Path]], data: Path | None, output: Path) -> list[str]:
    """Why a backup holds no snapshots or no editions; raises BackupRefused where there is nothing to back up at all."""
    parts = (("data/snapshots/", data, "snapshots"), ("output/editions/", output, "editions"))
    absent = []
    for part, folder, what in parts:
        if not any(name.startswith(part) for name, _ in sources):
            absent.append(f"no {what}: there {'is no data root' if folder is None else f'are none in {folder}'}")
    if not sources:
        why = "Are BTG_DATA and BTG_OUTPUT right, and their disk or share connected?"
        raise BackupRefused(f"there is nothing to back up ({'; '.join(absent)}). {why}")
    return absent


def _snapshot_faults(manifest: Manifest, data: Path | None, output: Path) -> list[str]:
    """A sentence on the snapshots that final editions need and that are not in the backup, or damaged."""
    inside = {Path(entry.name).stem for entry in manifest.files if entry.name.startswith("data/objects/")}
    lost = [
        f"{sha256[:12]} of {record}"
        for sha256, record in needed_objects(output).items()
        if data is None or sha256 not in inside or not SnapshotStore(data).holds(sha256)
    ]
    return [f"snapshots that final editions need are missing or damaged: {_shown(lost)}"] if lost else []


def _refuse_place(target: Path, data: Path | None, output: Path, *, force: bool) -> None:
    if target.is_dir() or not target.parent.is_dir():
        raise BackupRefused(f"{target} cannot be the name of a backup: name a file in a folder that exists")
    if target.exists() and not force:
        raise _stands(target)
    for folder in (output / "editions", *((data / name for name in DATA_FOLDERS) if data else ())):
        if target.resolve().is_relative_to(folder.resolve()):
            raise BackupRefused(f"{target} lies in what is backed up; name a place outside {folder}")


def _stands(target: Path) -> BackupRefused:
    return BackupRefused(f"{target} stands already; take another name, or replace it on purpose: --force")


@contextmanager
def held(output: Path, what: str, wait: float) -> Iterator[None]:
    """Be the only writer to the output folder; a run that is busy is waited for, at most `wait` seconds.

    Where nothing can be written nobody else writes either. Raises AnotherRunIsBusy.
    """
    with ExitStack() as stack:
        deadline = time.monotonic() + wait
        while os.access(output, os.W_OK):
            try:
                stack.enter_context(hold(output, what))
                break
            except AnotherRunIsBusy:
                if time.monotonic() >= deadline:
                    raise
                time.sleep(min(1.0, wait))
        yield


@contextmanager
def _no_survey_work(data: Path | None, wait: float) -> Iterator[None]:
    """Hold the lock of the private folder, so that record and rows of a wave belong together."""
    lock_file = (data or Path()) / "private" / "survey" / ".lock"
    if data is None or not os.access(lock_file.parent, os.W_OK):
        yield
        return
    try:
        with FileLock(lock_file, timeout=wait, mode=0o600):
            yield
    except Timeout:
        raise BackupRefused(f"{lock_file.parent} is in use by another process; try again when it is done") from None


def _sources(data: Path | None, output: Path, *, answers: bool) -> tuple[list[tuple[str, Path]], list[str]]:
    """What is backed up, by its name in the zip, and what is left out of the folders."""
    found: list[tuple[str, Path]] = []
    left_out: list[str] = []
    if data and data.is_dir():
        for name in DATA_FOLDERS if answers else DATA_FOLDERS[:-1]:
            _collect(f"data/{name}", data / name, found, left_out)
        left_out += [str(path) for path in _seen(data) if path.name not in DATA_FOLDERS]
    for path in _seen(output / "editions"):
        if editions.NAME.fullmatch(path.name) or _is_beside(path.name):
            _collect(f"output/editions/{path.name}", path, found, left_out)
        else:
            left_out.append(str(path))
    return found, left_out


def _collect(name: str, path: Path, found: list[tuple[str, Path]], left_out: list[str]) -> None:
    """Plain files, in order of name; hidden names are work of a run, and links lead elsewhere."""
    if path.is_file():
        found.append((name, path))
    for inner in _seen(path):
        if inner.is_symlink() or not (inner.is_file() or inner.is_dir()):
            left_out.append(str(inner))
        else:
            _collect(f"{name}/{inner.name}", inner, found, left_out)


def _seen(folder: Path) -> list[Path]:
    # Not glob: of a folder that may not be read it says that it is empty.
    return sorted(path for path in folder.iterdir() if not path.name.startswith(".")) if folder.is_dir() else []


def _write(work: Path, sources: list[tuple[str, Path]], follow: FollowFile | None) -> Manifest:
    """Write the zip under its work name, for its owner only from the first byte on, and wait for the disk."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(work, flags, 0o600), "w+b") as file:
        with zipfile.ZipFile(file, "w", allowZip64=True) as archive:
            entries = []
            for name, path in sources:
                _tell(follow, "STEP_START", name, len(sources))
                try:
                    entries.append(_add(archive, name, path))
                except FileNotFoundError:
                    if not name.startswith("data/inbox/"):  # taken in meanwhile: then it is no longer there
                        raise
                _tell(follow, "STEP_SUCCESS", name, len(sources))
            manifest = Manifest(
                format="btg-backup",
                format_version=FORMAT_VERSION,
                about=_ABOUT,
                software=f"btg {version('btg')}",
                created_at=now(),
                files=entries,
            )
            archive.writestr(_info(MANIFEST, 0o600), manifest.model_dump_json(indent=1))
            archive.comment = _SEAL + b"0" * _SEAL_LENGTH
        seal = _sealed(file)
        file.seek(-_SEAL_LENGTH, io.SEEK_END)
        file.write(seal.encode())
        file.flush()
        os.fsync(file.fileno())
    return manifest


def _add(archive: zipfile.ZipFile, name: str, path: Path) -> Entry:
    _refuse_name(name)
    with path.open("rb") as source:
        found = os.fstat(source.fileno())
        info = _info(name, stat.S_IMODE(found.st_mode) & 0o777)
        info.file_size = found.st_size
        digest, size = hashlib.sha256(), 0
        with archive.open(info, "w") as into:
            while chunk := source.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
                into.write(chunk)
    return Entry(name=name, sha256=digest.hexdigest(), bytes=size, mode=stat.S_IMODE(found.st_mode) & 0o777)


def _refuse_name(name: str) -> None:
    if not is_safe(name, windows=False):
        raise BackupRefused(f"{name!r} cannot be kept under that name: rename it (no \\ or control characters)")


def _info(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _DATE)
    info.external_attr = (stat.S_IFREG | mode) << 16
    info.create_system = 3  # Unix: the mode counts
    info.compress_type = zipfile.ZIP_STORED if Path(name).suffix in _COMPRESSED else zipfile.ZIP_DEFLATED
    return info


# --- reading one


def check(path: Path, follow: FollowFile | None = None) -> Manifest:
    """The manifest of a backup of which every byte is as it was written; raises DamagedBackup. Changes nothing."""
    faults = [] if _is_sealed(path) else ["it is not the file that was made (checksum of the whole)"]
    with opened(path) as archive:
        try:
            manifest = _manifest(archive)
        except DamagedBackup as error:
            raise DamagedBackup(path, [*faults, *error.faults]) from None
        if disagreements := _disagreements(archive, manifest):
            raise DamagedBackup(path, [*faults, *disagreements])
        for entry in manifest.files:
            _tell(follow, "STEP_START", entry.name, len(manifest.files))
            try:
                copy_entry(archive, entry, None)
            except _DAMAGE:
                faults.append(f"{entry.name} is damaged")
            _tell(follow, "STEP_SUCCESS", entry.name, len(manifest.files))
    if faults:
        raise DamagedBackup(path, faults)
    if manifest.format_version > FORMAT_VERSION:
        raise BackupRefused(f"{path.name} was made by a newer version of this software ({manifest.software}): use that")
    return manifest


def edition_faults(path: Path, manifest: Manifest) -> list[str]:
    """What is not as it was published of the final editions in a checked backup, in sentences; empty where all is."""
    files: dict[str, dict[str, Entry]] = {}
    states: dict[str, Entry] = {}
    for entry in manifest.files:
        name, _, inner = entry.name.removeprefix("output/editions/").partition("/")
        if state := STATE_NAME.fullmatch(name):
            states[state[1]] = entry
        elif editions.FINAL.fullmatch(name):
            files.setdefault(name, {})[inner] = entry
    with opened(path) as archive:
        return [
            fault
            for name in sorted(files.keys() | states.keys())
            for fault in _faults_of(archive, name, files.get(name), states.get(name))
        ]


def _faults_of(archive: zipfile.ZipFile, name: str, files: dict[str, Entry] | None, state: Entry | None) -> list[str]:
    if files is None:
        return [f"{name}: its sign-off is there, its folder is missing"]
    if state is None:
        return [f"{name}: its sign-off is missing"]
    try:
        signed = editions.parse_state(name, _read(archive, state))
    except ValueError as error:
        return [f"{name}.state.json {error}"]
    found = [f"{name}/{needed} is missing" for needed in (editions.SUMS, editions.DATABASE) if needed not in files]
    if not found:
        digests = {inner: entry.sha256 for inner, entry in files.items() if inner != editions.SUMS}
        found = editions.departures(name, _read(archive, files[editions.SUMS]), digests, signed.sums_sha256)
    return found


def _read(archive: zipfile.ZipFile, entry: Entry) -> bytes:
    """A small file of a backup; raises ValueError for one that is none."""
    if entry.bytes > _MANIFEST_LIMIT:
        raise ValueError("is too large to be one")
    content = io.BytesIO()
    copy_entry(archive, entry, content)
    return content.getvalue()


@contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """The zip of a backup; raises DamagedBackup where it has no table of contents."""
    try:
        archive = zipfile.ZipFile(path)
    except FileNotFoundError:
        raise BackupRefused(f"{path}: there is no such file") from None
    except _DAMAGE:
        raise DamagedBackup(path, ["it is no backup, or its end is missing (cut off while copying?)"]) from None
    with archive:
        yield archive


def copy_entry(archive: zipfile.ZipFile, entry: Entry, into: IO[bytes] | None) -> None:
    """Read a file of a backup, into a file where one is given; never more bytes than the manifest says.

    Raises zipfile.BadZipFile, and whatever reading ends in, where they are not those of the manifest.
    """
    digest, left = hashlib.sha256(), entry.bytes
    with archive.open(entry.name) as source:
        while chunk := source.read(min(_CHUNK, left + 1)):
            left -= len(chunk)
            if left < 0:
                break
            digest.update(chunk)
            if into is not None:
                into.write(chunk)
    if left or digest.hexdigest() != entry.sha256:
        raise zipfile.BadZipFile(entry.name)


def is_safe(name: str, *, windows: bool = os.name == "nt") -> bool:
    """Whether a name of the zip is that of a file this software backs up, and stays within the folder it belongs to."""
    top, *parts = name.split("/")
    known = (top == "data" and len(parts) > 1 and parts[0] in DATA_FOLDERS) or (
        top == "output"
        and parts[:1] == ["editions"]
        and (
            (len(parts) == 2 and _is_beside(parts[1]))
            or (len(parts) > 2 and editions.NAME.fullmatch(parts[1]) is not None)
        )
    )
    return known and all(_is_plain(part, windows=windows) for part in parts)


def _is_beside(name: str) -> bool:
    """Whether a file belongs to an edition, and stands beside its folder."""
    return any(pattern.fullmatch(name) for pattern in (STATE_NAME, ACCESSIBILITY_NAME))


def _is_plain(part: str, *, windows: bool) -> bool:
    """Whether a part of a name is no hidden name, no way up, and on Windows no device."""
    if not part or part.startswith(".") or re.search(r"[\x00-\x1f\x7f\ud800-\udfff\\]", part):
        return False
    device = re.fullmatch(r"(?i)(con|prn|aux|nul|(com|lpt)[0-9¹²³])(\..*)?", part)
    return not (windows and (device or part[-1] in ". " or set(part) & set('<>:"|?*')))


def _manifest(archive: zipfile.ZipFile) -> Manifest:
    path = Path(archive.filename or "")
    try:
        info = archive.getinfo(MANIFEST)
        if info.file_size > _MANIFEST_LIMIT:
            raise DamagedBackup(path, [f"{MANIFEST} is too large to be one"])
        return Manifest.model_validate_json(archive.read(info))
    except KeyError:
        raise DamagedBackup(path, [f"{MANIFEST} is missing"]) from None
    except DamagedBackup:
        raise
    except _DAMAGE:  # among them what pydantic finds wrong
        raise DamagedBackup(path, [f"{MANIFEST} is damaged"]) from None


def _disagreements(archive: zipfile.ZipFile, manifest: Manifest) -> list[str]:
    """Where zip and manifest do not agree, and names that could lead elsewhere."""
    listed = {entry.name: entry.bytes for entry in manifest.files}
    infos = [info for info in archive.infolist() if info.filename != MANIFEST]
    faults = [f"{name!r} is no name of a file of a backup" for name in listed if not is_safe(name)]
    if len(listed) != len(manifest.files) or len(infos) != len({info.filename for info in infos}):
        faults.append("a file is in it twice")
    faults += [f"{name} is missing" for name in sorted(listed.keys() - {info.filename for info in infos})]
    faults += [
        f"{info.filename!r} is not of the size that the manifest says, or not in it"
        for info in infos
        if listed.get(info.filename) != info.file_size
    ]
    return faults


def _is_sealed(path: Path) -> bool:
    """Whether the checksum at the end is that of every byte before it."""
    try:
        with path.open("rb") as file:
            if file.seek(0, io.SEEK_END) < _SEAL_LENGTH:
                return False
            file.seek(-_SEAL_LENGTH, io.SEEK_END)
            return file.read() == _sealed(file).encode()
    except OSError:
        return False


def _sealed(file: IO[bytes]) -> str:
    digest, left = hashlib.sha256(), file.seek(0, io.SEEK_END) - _SEAL_LENGTH
    file.seek(0)
    while left and (chunk := file.read(min(_CHUNK, left))):
        digest.update(chunk)
        left -= len(chunk)
    return digest.hexdigest()


def _tell(follow: FollowFile | None, event: str, name: str, files: int) -> None:
    if follow is not None:
        follow(event, name.rpartition("/")[2], files)
