"""Putting a backup back: read as if it came from a stranger, whole before anything is changed, and nothing lost by it.

A final edition never changes, so it is added or found to be the same. Snapshots are added. Answers of respondents come
back only where there are none: those that stand may have been deleted for good since the backup was made. A draft comes
back where none stands, since the one that stands may be newer. What readers open (btg.duckdb) is made anew.
"""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.backup import (
    ACCESSIBILITY_NAME,
    STATE_NAME,
    WAIT_SECONDS,
    BackupRefused,
    DamagedBackup,
    Entry,
    FollowFile,
    Manifest,
    UnsoundEditions,
    check,
    copy_entry,
    edition_faults,
    held,
    may_open,
    opened,
)
from pipelines.storage import storage_faults
from reports import editions
from reports.edition_folder import (
    beside,
    clear_leftovers,
    place_folder,
    remove,
    replace_file,
    settle,
    work_file,
)
from sources.snapshots import SnapshotStore

_GO_ON = "Mend that and restore again, with --force: what is there already stays."


class EditionsDiffer(RuntimeError):  # noqa: N818 - says what is the matter
    """A final edition stands that is not the one of the backup: one of the two was changed."""


@dataclass
class Restored:
    """What was put back, or would be: in words, for the person who asked. `kept` stands and was left as it was.

    `refused` is why nothing would be done, as things stand; empty after a restore.
    """

    added: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    answers: bool = False


@dataclass(frozen=True)
class _Plan:
    """Which files go where. `editions` are whole folders, by name; `private` is the whole private folder.

    `accessibility` is what was found of the pages of an edition, by its name.
    """

    files: list[tuple[Entry, Path]]
    private: list[Entry]
    editions: dict[str, list[Entry]]
    states: dict[str, Entry]
    accessibility: dict[str, Entry]
    refusals: list[BackupRefused | EditionsDiffer]
    report: Restored


def put_back(
    file: Path,
    *,
    data: Path | None,
    output: Path,
    dry_run: bool = False,
    force: bool = False,
    wait: float = WAIT_SECONDS,
    follow: FollowFile | None = None,
) -> Restored:
    """Put a backup back into data root and output folder; with `dry_run` only say what would be done.

    Where editions, snapshots or answers stand it is refused unless `force`: then it adds what is missing. Raises
    DamagedBackup, UnsoundEditions, BackupRefused, EditionsDiffer and AnotherRunIsBusy before anything is changed, and
    StorageFault where the disk does not go along.
    """
    manifest = check(file, follow)
    if faults := edition_faults(file, manifest):
        raise UnsoundEditions(file, faults)
    if dry_run:
        return _plan(manifest, data, output, force=force).report
    from assets.edition import offer_to_readers  # heavy, and stops on a broken catalogue: before anything is changed

    with storage_faults(output, _GO_ON):
        try:
            output.mkdir(parents=True, exist_ok=True)
            with held(output, "btg restore", wait):
                clear_leftovers(output)
                plan = _plan(manifest, data, output, force=force)
                if plan.refusals:
                    raise plan.refusals[0]
                _refuse_without_room(plan, data, output)
                with opened(file) as archive:
                    _carry_out(archive, plan, data, output)
                offer_to_readers(output)
        except zipfile.BadZipFile as error:
            raise DamagedBackup(file, [f"{error} was changed while it was read"]) from error
        except OSError as error:
            raise BackupRefused(
                f"not all was put back: {error.strerror or error} ({error.filename}). {_GO_ON}"
            ) from error
    return plan.report


# --- what would be done


def _plan(manifest: Manifest, data: Path | None, output: Path, *, force: bool) -> _Plan:
    plan = _Plan([], [], {}, {}, {}, [], Restored())
    if data is None and any(entry.name.startswith("data/") for entry in manifest.files):
        why = "it holds snapshots, and no data root is set: name the folder for them with --data"
        plan.refusals.append(BackupRefused(why))
    if not force and (standing := _standing(data, output)):
        why = (
            f"there is something already ({', '.join(standing)}). Restore into empty folders (--data, --output), or "
            "add what is missing: --force (what stands is left as it is)"
        )
        plan.refusals.append(BackupRefused(why))
    for entry in manifest.files:
        _sort_in(plan, entry, data, output)
    _decide_editions(plan, output)
    _decide_private(plan, data)
    _count_files(plan)
    plan.report.refused += map(str, plan.refusals)
    return plan


def _standing(data: Path | None, output: Path) -> list[str]:
    found = sorted(path.name for path in (output / "editions").glob("*") if editions.NAME.fullmatch(path.name))
    if data and SnapshotStore(data).has_any:
        found.append(f"snapshots in {data}")
    if data and _has_answers(data):
        found.append("answers of the survey")
    return found


def _has_answers(data: Path) -> bool:
    private = data / "private"
    if private.is_dir() and not may_open(private):
        return True  # those of another account
    return any(path.is_file() and not path.name.startswith(".") for path in private.rglob("*"))


def _sort_in(plan: _Plan, entry: Entry, data: Path | None, output: Path) -> None:
    """Put an entry where it belongs; its name was checked with the backup."""
    _, folder, *rest = entry.name.split("/")
    if folder == "private":
        plan.private.append(entry)
    elif folder == "editions" and (state := STATE_NAME.fullmatch(rest[0])):
        if editions.state_file(output, state[1]).exists():
            plan.report.kept.append(f"the sign-off and errata of {state[1]}")
        else:
            plan.states[state[1]] = entry
    elif folder == "editions" and (found := ACCESSIBILITY_NAME.fullmatch(rest[0])):
        if not editions.accessibility_file(output, found[1]).exists():
            plan.accessibility[found[1]] = entry
    elif folder == "editions":
        plan.editions.setdefault(rest[0], []).append(entry)
    elif data and entry.name.startswith("data/"):
        target = data.joinpath(folder, *rest)
        if not target.exists() or _must_mend(target, entry, data):
            plan.files.append((entry, target))


def _must_mend(target: Path, entry: Entry, data: Path) -> bool:
    """Whether bytes of a snapshot stand that are no longer those that were received, and the backup has others."""
    is_object = entry.name.startswith("data/objects/")
    return is_object and not SnapshotStore(data).holds(target.stem) and editions.sha256_of(target) != entry.sha256


def _decide_editions(plan: _Plan, output: Path) -> None:
    """An edition is added, or stands and stays; a final one that differs means that nothing is done at all."""
    for name, entries in list(plan.editions.items()):
        folder = editions.folder_of(output, name)
        differing: list[str] = []
        if not folder.exists():
            if not name.endswith(editions.DRAFT) and name not in plan.states:
                differing = _other_sign_off(output, name, entries)
            if not differing:
                plan.report.added.append(f"edition {name}")
        elif name.endswith(editions.DRAFT):
            del plan.editions[name]
            plan.accessibility.pop(name, None)
            plan.report.kept.append(f"edition {name} (a draft that stands may be newer)")
        elif not (differing := list(_differing(folder, entries))):
            del plan.editions[name]
            plan.report.kept.append(f"edition {name} (the same)")
        if differing:
            shown = ", ".join([*differing[:5], *(["…"] if differing[5:] else [])])
            why = (
                f"the final edition {name} in {folder} is not that of the backup ({shown}). A final edition is never "
                "replaced, and nothing was changed. `btg doctor` says whether the standing one is whole; if it is not, "
                "move what it names elsewhere and restore again, with --force"
            )
            plan.refusals.append(EditionsDiffer(why))


def _other_sign_off(output: Path, name: str, entries: list[Entry]) -> list[str]:
    """The sign-off of an edition without folder, where it is not that of the edition in the backup."""
    sums = {entry.sha256 for entry in entries if entry.name.endswith(f"{name}/{editions.SUMS}")}
    try:
        fits = editions.read_state(output, name).sums_sha256 in sums
    except editions.DamagedEdition as error:
        return [f"{error.path.name} {error.what}"]
    return [] if fits else [editions.state_file(output, name).name]


def _differing(folder: Path, entries: list[Entry]) -> Iterator[str]:
    """The files of an edition that are not in both, or not the same."""
    expected = {entry.name.split("/", 3)[3]: entry.sha256 for entry in entries}
    present = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    for name in sorted(expected.keys() | present.keys()):
        if name not in present or name not in expected or editions.sha256_of(present[name]) != expected[name]:
            yield name


def _decide_private(plan: _Plan, data: Path | None) -> None:
    if plan.private and data and _has_answers(data):
        plan.private.clear()
        plan.report.kept.append("the answers of the survey (what was deleted since the backup stays deleted)")
    elif plan.private:
        plan.report.added.append("the private folder of the survey")
        plan.report.answers = True


def _count_files(plan: _Plan) -> None:
    records = sum(1 for entry, _ in plan.files if entry.name.startswith("data/snapshots/"))
    objects = sum(1 for entry, _ in plan.files if entry.name.startswith("data/objects/"))
    inbox = len(plan.files) - records - objects
    counted = ((records, "records of snapshots"), (objects, "files of snapshots"), (inbox, "files in the inbox"))
    plan.report.added[:0] = [f"{number} {what}" for number, what in counted if number]
    plan.report.added += [f"the sign-off of {name}" for name in plan.states]
    plan.report.added += [f"the test of accessibility of {name}" for name in plan.accessibility]


# --- doing it


def _refuse_without_room(plan: _Plan, data: Path | None, output: Path) -> None:
    """Whether both disks have room; where it is one disk, together."""
    folders = {output: sum(entry.bytes for entries in plan.editions.values() for entry in entries)}
    if data and (plan.files or plan.private):
        data.mkdir(parents=True, exist_ok=True)
        folders[data] = sum(entry.bytes for entry, _ in plan.files) + sum(entry.bytes for entry in plan.private)
    one_disk = len({folder.stat().st_dev for folder in folders}) == 1
    for folder, own in folders.items():
        needed = sum(folders.values()) if one_disk else own
        free = shutil.disk_usage(folder).free
        if free < needed:
            raise BackupRefused(f"{folder}: {needed:,} bytes are needed and {free:,} are free. Nothing was changed")


def _carry_out(archive: zipfile.ZipFile, plan: _Plan, data: Path | None, output: Path) -> None:
    """Read everything under hidden names, checked once more; then move it, what refers to other files last."""
    staged = beside(data / "restore", "new") if data and (plan.files or plan.private) else None
    folders = {name: beside(editions.folder_of(output, name), "new") for name in sorted(plan.editions, key=_order)}
    work = [*folders.values(), *([staged] if staged else [])]
    try:
        for path in work:
            remove(path)
        if staged:
            for entry in [*(entry for entry, _ in plan.files), *plan.private]:
                _extract(archive, entry, staged, private=entry in plan.private)
        for name, folder in folders.items():
            for entry in plan.editions[name]:
                _extract(archive, entry, folder, skip=3)
        if staged and data:
            _place_data(plan, staged, data)
        for name, folder in folders.items():
            _place_edition(archive, plan, name, folder, output)
        for name, entry in plan.states.items():
            _write_beside(archive, entry, editions.state_file(output, name))
        for name, entry in plan.accessibility.items():
            _write_beside(archive, entry, editions.accessibility_file(output, name))
    finally:
        for path in work:
            remove(path)


def _order(name: str) -> tuple[bool, str, int]:
    """Final editions oldest first, then drafts."""
    year, _, serial = name.partition("-")
    return (serial == editions.DRAFT, year, int(serial) if serial.isdigit() else 0)


def _extract(archive: zipfile.ZipFile, entry: Entry, root: Path, *, skip: int = 1, private: bool = False) -> None:
    """Write a file below `root`, `skip` parts of its name left out: for its owner only until it is complete."""
    target = root.joinpath(*entry.name.split("/")[skip:])
    _make_folders(target.parent, root)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
    with os.fdopen(os.open(target, flags, 0o600), "wb") as file:
        copy_entry(archive, entry, file)
        file.flush()
        os.fsync(file.fileno())
    if not private:
        target.chmod((entry.mode | 0o600) & ~_umask())


def _make_folders(folder: Path, root: Path) -> None:
    """Folders for their owner only: what is private is so from the start."""
    if folder != root:
        _make_folders(folder.parent, root)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _place_data(plan: _Plan, staged: Path, data: Path) -> None:
    # Bytes before the records that name them: cut off here, the next restore goes on.
    for entry, target in sorted(plan.files, key=lambda item: not item[0].name.startswith("data/objects/")):
        target.parent.mkdir(parents=True, exist_ok=True)
        staged.joinpath(*entry.name.split("/")[1:]).replace(target)
    if plan.private:
        remove(data / "private")  # empty but for a lock
        place_folder(staged / "private", data / "private")


def _place_edition(archive: zipfile.ZipFile, plan: _Plan, name: str, new: Path, output: Path) -> None:
    for path in [*new.rglob("*"), new]:
        if path.is_dir():
            path.chmod(0o777 & ~_umask())
    folder = editions.folder_of(output, name)
    if name.endswith(editions.DRAFT):
        place_folder(new, folder)
        return
    editions.make_read_only(new)
    pending = beside(editions.state_file(output, name), "pending")
    if entry := plan.states.pop(name, None):
        _write_beside(archive, entry, pending)
    place_folder(new, folder)
    if entry:
        settle(pending)


def _write_beside(archive: zipfile.ZipFile, entry: Entry, target: Path) -> None:
    with work_file(target) as new:
        with new.open("xb") as file:
            copy_entry(archive, entry, file)
        replace_file(new, target)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
