"""What is wrong with this installation and how to mend it. Looks at everything, changes nothing.

Every examination stands by itself: what one cannot look at becomes a finding, and the others go on.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from uuid import uuid4

from pipelines.backup import may_open
from pipelines.needed_snapshots import needed_objects, provenance_of
from pipelines.settings import CHECKOUT, Settings
from reports import editions

if TYPE_CHECKING:
    import duckdb

Verdict = Literal["ok", "attention", "wrong"]

OLDEST_PYTHON, NEWEST_PYTHON = (3, 11), (3, 14)
LITTLE_SPACE, TOO_LITTLE_SPACE = 2_000_000_000, 200_000_000
# Clocks of two machines differ a little; a clock that jumped differs more.
CLOCK_SECONDS = 600
STALE_SECONDS = 3_600
SETTINGS = {
    *("BTG_CONTACT", "BTG_DAGSTER_STORAGE", "BTG_DATA", "BTG_DEMO", "BTG_EDITION", "BTG_EXECUTOR", "BTG_INPUT"),
    *("BTG_IPV4", "BTG_OUTPUT", "BTG_PUBLISHED_AT", "BTG_REGION", "BTG_SURVEY_KEY", "BTG_UMASK", "BTG_YEAR"),
    *("BTG_CHROMIUM", "BTG_TABLES_ONLY"),
}
_SERVICES = "BTG_SERVICE_"
_SECRET = re.compile("KEY|SECRET|TOKEN|PASSWORD")
_PUT_BACK = "btg restore FILE --force (it adds what is missing and leaves what stands)"
_OFFER = "Make it anew: btg measure (it lets readers open the newest final edition, else its own draft)."
_NO_OUTPUT = "The first run makes it. If editions were made before: is BTG_OUTPUT right, and its disk connected?"
_NO_DATA_ROOT = (
    "Is BTG_DATA right, and its disk or share connected? If nothing was fetched yet: btg fetch and btg add make it; "
    "until then the bundled figures are measured."
)
_WORK = (".*.new", ".*.old", ".*.building", ".*.pending")


@dataclass(frozen=True)
class Finding:
    """What was looked at, how it is, and what to do about it (empty where nothing has to be done)."""

    examined: str
    verdict: Verdict
    message: str
    remedy: str = ""


def examine(settings: Settings) -> list[Finding]:
    """All findings, in the order in which a colleague would look."""
    output, data = settings.output, settings.data
    examinations: list[tuple[str, Callable[[], Iterator[Finding]]]] = [
        ("Python", _python),
        ("packages", partial(_packages, CHECKOUT / "requirements.lock")),
        ("checkout", partial(_checkout, CHECKOUT)),
        ("catalogue", _catalogue),
        ("settings", partial(_settings, dict(os.environ))),
        ("output folder", partial(_folder, "output folder", output, _NO_OUTPUT)),
        ("data root", partial(_data_folder, data)),
        ("private folder", partial(_private, data)),
        ("disk", partial(_disk, [folder for folder in (output, data) if folder])),
        ("lock", partial(_lock, output)),
        ("work files", partial(_work_files, output, data)),
        ("last run", partial(_last_run, output)),
        ("editions", partial(_editions, output)),
        ("database", partial(_database, output)),
        ("snapshots", partial(_snapshots, output, data)),
        ("answers", partial(_answers, data)),
        ("clock", partial(_clock, output, data)),
    ]
    return [finding for name, look in examinations for finding in _looked(name, look)]


def worst(findings: list[Finding]) -> Verdict:
    """The worst of all verdicts."""
    order: tuple[Verdict, ...] = ("wrong", "attention", "ok")
    return next((verdict for verdict in order if any(finding.verdict == verdict for finding in findings)), "ok")


def _looked(name: str, look: Callable[[], Iterator[Finding]]) -> list[Finding]:
    try:
        return list(look())
    except Exception as error:  # noqa: BLE001 - whatever is broken here is what a doctor is asked about
        said = f"could not be examined: {type(error).__name__}: {error}"
        return [Finding(name, "wrong", said, "Mend this first; the rest was examined all the same.")]


# --- the software


def _python() -> Iterator[Finding]:
    found, shown = sys.version_info[:2], ".".join(map(str, sys.version_info[:3]))
    if found < OLDEST_PYTHON:
        yield Finding("Python", "wrong", f"{shown} is too old", "Install Python 3.11 to 3.14, then: make measure")
    elif found > NEWEST_PYTHON:
        yield Finding("Python", "attention", f"{shown} is newer than what this was tested with (3.11 to 3.14)")
    else:
        yield Finding("Python", "ok", f"{shown}, {sys.executable}")


def _packages(lock: Path) -> Iterator[Finding]:
    """Whether what is installed is what the lock names, for this system."""
    pinned = dict(_pinned(lock))
    missing, other = [], []
    for name, expected in pinned.items():
        try:
            if (found := version(name)) != expected:
                other.append(f"{name} {found} (lock: {expected})")
        except PackageNotFoundError:
            missing.append(f"{name} {expected}")
    remedy = "Install the lock again: make clean measure (output and data stay)"
    if missing:
        yield Finding("packages", "wrong", f"not installed: {_listed(missing)}", remedy)
    if other:
        why = "other versions than the lock names, so an edition may not be rebuilt to the byte"
        yield Finding("packages", "attention", f"{why}: {_listed(other)}", remedy)
    if not missing and not other:
        yield Finding("packages", "ok", f"{len(pinned)} packages are those of {lock.name}")


def _pinned(lock: Path) -> Iterator[tuple[str, str]]:
    from packaging.requirements import Requirement

    for line in lock.read_text(encoding="utf-8").splitlines():
        if re.match(r"[A-Za-z0-9]", line):
            requirement = Requirement(line.removesuffix("\\").strip())
            if requirement.marker is None or requirement.marker.evaluate():
                yield requirement.name, next(iter(requirement.specifier)).version


def _checkout(checkout: Path) -> Iterator[Finding]:
    if not (checkout / ".git").exists():
        said = "no git history here: editions name the version of the software, and cannot be rebuilt from a commit"
        yield Finding("checkout", "attention", said, "Work in a git clone of the project.")
        return
    try:
        commit = _git(checkout, "rev-parse", "--short=12", "HEAD")
        changed = _git(checkout, "status", "--porcelain").splitlines()
    except (OSError, subprocess.SubprocessError):
        remedy = f"Install git; if it is there, look at what it says: git -C '{checkout}' status"
        yield Finding("checkout", "attention", "git cannot tell the state of the checkout", remedy)
        return
    if changed:
        said = f"commit {commit}, and {len(changed)} changed or new files ({_listed([line[3:] for line in changed])})"
        yield Finding("checkout", "attention", said, "Commit or undo them before an edition is published.")
    else:
        yield Finding("checkout", "ok", f"commit {commit}, nothing changed")


def _git(checkout: Path, *arguments: str) -> str:
    # Without the lock on the index that `git status` likes to take: nothing is changed here.
    command = ["git", "--no-optional-locks", "-C", str(checkout), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout.rstrip()


def _catalogue() -> Iterator[Finding]:
    from catalog import AddressError, CatalogueError, YearError
    from catalog.current import current_catalogue

    try:
        catalogue = current_catalogue()
    except (CatalogueError, AddressError, YearError) as error:
        yield Finding("catalogue", "wrong", str(error), "Mend that place; the message names file and field.")
    else:
        said = f"{len(catalogue.indicators)} indicators of {catalogue.region.name_nl}, up to "
        yield Finding("catalogue", "ok", f"{said}{catalogue.region.last_measurement_year}")


def _settings(environment: dict[str, str]) -> Iterator[Finding]:
    """Which settings are in force; of a secret only that it is set."""
    own = {name: value for name, value in sorted(environment.items()) if name.startswith("BTG_")}
    shown = ", ".join(f"{name}={_shown(name, value)}" for name, value in own.items())
    yield Finding("settings", "ok", shown or "none: all defaults")
    unknown = [name for name in own if name not in SETTINGS and not name.startswith(_SERVICES)]
    if unknown:
        remedy = "Look for a slip of the pen; docs/architecture.md lists the settings."
        yield Finding("settings", "attention", f"not known, so without effect: {', '.join(unknown)}", remedy)


def _shown(name: str, value: str) -> str:
    if _SECRET.search(name):
        return "(set)" if value else "(empty)"
    return re.sub(r"//[^/@\s]+@", "//…@", value) or "(empty)"


# --- folders


def _folder(examined: str, folder: Path, if_missing: str) -> Iterator[Finding]:
    """Whether a folder is there, can be written to, and is closed to others; `if_missing` is the remedy then."""
    if not folder.is_dir():
        yield Finding(examined, "attention", f"{folder} does not exist", if_missing)
        return
    probe = folder / f".{uuid4().hex}.doctor"
    try:
        probe.write_bytes(b"x")
    except OSError as error:
        remedy = "Have the rights changed, connect the disk again, or choose another folder (BTG_OUTPUT, BTG_DATA)."
        yield Finding(examined, "wrong", f"{folder} cannot be written to ({error.strerror})", remedy)
    else:
        yield Finding(examined, "ok", f"{folder} can be written to")
    finally:
        with suppress(OSError):  # on a read-only disk there is nothing to remove
            probe.unlink(missing_ok=True)
    if os.name == "posix" and folder.stat().st_mode & stat.S_IRWXO:
        remedy = f"If that is not meant: chmod -R o-rwx '{folder}'"
        yield Finding(examined, "attention", f"{folder} is open to everybody on this machine", remedy)


def _data_folder(data: Path | None) -> Iterator[Finding]:
    if data is None:
        yield Finding("data root", "ok", "none is used: the bundled figures are measured")
    else:
        yield from _folder("data root", data, _NO_DATA_ROOT)


def _private(data: Path | None) -> Iterator[Finding]:
    folder = (data or Path()) / "private"
    if data is None or not folder.is_dir():
        return
    if os.name != "posix":
        said = f"{folder}: this system has no rights for group and others"
        yield Finding("private folder", "attention", said, "Keep it where only its owner comes.")
        return
    if not may_open(folder):
        said = f"{folder} is another account's: only that one can measure and back up with the answers in it"
        remedy = "To hand it over, see docs/handover.md (Shared by several people)."
        yield Finding("private folder", "attention", said, remedy)
        return
    opened = [path for path in [folder, *folder.rglob("*")] if path.lstat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)]
    if opened:
        remedy = f"chmod -R go-rwx '{folder}'"
        yield Finding("private folder", "wrong", f"{len(opened)} files or folders are open to others", remedy)
    else:
        yield Finding("private folder", "ok", "its owner's alone")


def _disk(folders: list[Path]) -> Iterator[Finding]:
    for folder in folders:
        place = next(path for path in (folder, *folder.parents) if path.exists())
        free = shutil.disk_usage(place).free
        verdict: Verdict = "wrong" if free < TOO_LITTLE_SPACE else "attention" if free < LITTLE_SPACE else "ok"
        remedy = "" if verdict == "ok" else "Free some space: a run needs about half a gigabyte."
        yield Finding("disk", verdict, f"{free / 1e9:.1f} GB free for {folder}", remedy)


def _lock(output: Path) -> Iterator[Finding]:
    """Who is writing to the output folder, or was when it died."""
    from reports.output_lock import WITHOUT_LOCKS, read_holder

    holder, marker = read_holder(output), output / WITHOUT_LOCKS
    if _is_held(output):
        yield Finding("lock", "ok", f"in use: {holder or 'a run that has just begun'}", "Wait until it is done.")
    elif marker.exists():
        remedy = f"If that process is no longer there, remove {marker}"
        yield Finding("lock", "attention", f"in use: {holder or 'a process on another machine'}", remedy)
    elif holder:
        said = f"left by {holder}, which did not come to its end; it locks nobody out"
        yield Finding("lock", "ok", said, "Nothing: the next run goes on.")
    else:
        yield Finding("lock", "ok", "free")


def _is_held(output: Path) -> bool:
    """Whether a living process holds the lock: a file that a dead one left can be locked, for a moment, by us."""
    from filelock import FileLock, Timeout

    from reports.output_lock import LOCK

    if not (output / LOCK).exists():
        return False
    try:
        with FileLock(output / LOCK, timeout=0, fallback_to_soft=False):
            return False
    except Timeout:
        return True
    except OSError:  # no right to write, or no locks on this share
        return False


# --- what runs left


def _work_files(output: Path, data: Path | None) -> Iterator[Finding]:
    """Hidden names that a stopped run left; those of a run that is busy are young."""
    seen = [path for folder in (output, output / "editions") for name in _WORK for path in folder.glob(name)]
    old = [path for path in seen if _age(path) > STALE_SECONDS]
    if old:
        said = f"left by a run that was stopped: {_listed([path.name for path in old])}"
        remedy = "Nothing: the next run removes them, or finishes what they began."
        yield Finding("work files", "attention", said, remedy)
    stored = [path for path in data.rglob(".*.new") if _age(path) > STALE_SECONDS] if data and data.is_dir() else []
    if stored:
        said = f"left in the data root by a process that was stopped: {_listed([str(path) for path in stored])}"
        yield Finding("work files", "attention", said, "They are in nobody's use and can be removed.")
    if not old and not stored:
        yield Finding("work files", "ok", "none left behind")


def _age(path: Path) -> float:
    try:
        return time.time() - path.lstat().st_mtime
    except OSError:  # gone: a run was busy with it
        return 0


def _last_run(output: Path) -> Iterator[Finding]:
    folder = output / "last_run"
    if not folder.is_dir():
        yield Finding("last run", "ok", "none yet")
    elif (folder / "complete").exists():
        yield Finding("last run", "ok", f"came to its end and made {(folder / 'complete').read_text().strip()}")
    else:
        remedy = "See why with `btg check`, then measure again."
        yield Finding("last run", "attention", "did not come to its end", remedy)


# --- what was published


def _editions(output: Path) -> Iterator[Finding]:
    """Whether every final edition is as it was published."""
    names = editions.finals(output)
    for name in names:
        folder = editions.folder_of(output, name)
        try:
            found = editions.faults(folder, editions.read_state(output, name).sums_sha256)
        except editions.DamagedEdition as error:
            yield Finding("editions", "wrong", f"{error.path.name}: {error.what}", error.remedy)
            continue
        if found:
            remedy = f"Move {folder} elsewhere, then {_PUT_BACK}."
            yield Finding("editions", "wrong", f"{name} is not as it was published: {_listed(found)}", remedy)
        elif os.name == "posix" and (writable := [path for path in [folder, *folder.rglob("*")] if _is_writable(path)]):
            what = _listed([path.relative_to(folder.parent).as_posix() for path in writable])
            remedy = f"chmod -R a-w '{folder}'"
            yield Finding("editions", "attention", f"{name} is whole, and can be written to: {what}", remedy)
        else:
            yield Finding("editions", "ok", f"{name} is whole")
    remnants = editions.remnants(output)
    for name in remnants:
        yield _remnant(editions.folder_of(output, name))
    if not names and not remnants:
        yield Finding("editions", "ok", f"none published yet; drafts: {_listed(editions.drafts(output)) or 'none'}")


def _is_writable(path: Path) -> bool:
    return bool(path.lstat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))


def _remnant(folder: Path) -> Finding:
    """What is left of a final edition that no longer counts as one."""
    if not folder.is_dir():
        said = f"the folder of {folder.name} is gone, and its sign-off stands"
        return Finding("editions", "wrong", said, f"Put it back: {_PUT_BACK}.")
    said = f"{folder.name} has no checksums and no sign-off: copied there half-way, or emptied"
    return Finding("editions", "wrong", said, f"Move {folder} elsewhere; if it was published, then {_PUT_BACK}.")


def _database(output: Path) -> Iterator[Finding]:
    """Whether what readers open is the edition that it should be: unchanged, with the errata stated since."""
    standing, path = editions.standing(output), output / editions.DATABASE
    if standing is None:
        yield Finding("database", "ok", "no edition yet, so there is nothing to open")
        return
    if not path.is_file():
        yield Finding("database", "wrong", f"{path} is missing, so readers find nothing; {standing} stands", _OFFER)
        return
    import duckdb

    # Copies: somebody who has one open keeps nobody waiting, and nothing is written beside them.
    with tempfile.TemporaryDirectory(prefix="btg-doctor-") as folder:
        offered = shutil.copyfile(path, Path(folder) / "offered.duckdb")
        edition = shutil.copyfile(editions.folder_of(output, standing) / editions.DATABASE, Path(folder) / "e.duckdb")
        try:
            other = _departures(offered, edition, output)
        except duckdb.Error as error:
            words = str(error).replace(f"{folder}{os.sep}", "").partition("\n")[0]
            yield Finding("database", "wrong", f"{path} cannot be read: {words}", _OFFER)
            return
    if other:
        said = f"{path} does not hold what edition {standing} holds: {_listed(other)}"
        yield Finding("database", "wrong", said, f"{_OFFER} Is that edition itself damaged, mend it first.")
    else:
        yield Finding("database", "ok", f"{path.name} is edition {standing}")


def _departures(offered: Path, edition: Path, output: Path) -> list[str]:
    """The tables of a database for readers that are not those of the edition, with all errata."""
    import duckdb

    tables = "SELECT table_name FROM duckdb_tables() WHERE database_name = ?"
    with duckdb.connect() as connection:
        for name, path in (("offered", offered), ("edition", edition)):
            quoted = str(path).replace("'", "''")
            connection.execute(f"ATTACH '{quoted}' AS {name} (READ_ONLY)")
        there = {name for (name,) in connection.execute(tables, ["offered"]).fetchall()}
        expected = {name for (name,) in connection.execute(tables, ["edition"]).fetchall()}
        connection.register("stated", editions.errata(output).to_arrow())
        same = [name for name in there & expected if _is_same(connection, name)]
    return sorted((there | expected) - set(same))


def _is_same(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    """Whether both databases hold the same rows of a table."""
    import duckdb

    offered, expected = f'FROM offered."{table}"', f'FROM edition."{table}"'
    if table == "erratum":
        expected += " UNION BY NAME FROM stated"
    differing = f"(({offered}) EXCEPT ALL ({expected})) UNION ALL (({expected}) EXCEPT ALL ({offered}))"
    try:
        return connection.execute(f"FROM ({differing}) LIMIT 1").fetchone() is None
    except duckdb.BinderException:  # other columns
        return False


def _snapshots(output: Path, data: Path | None) -> Iterator[Finding]:
    """Whether what a final edition was made from is still there, undamaged."""
    needed = needed_objects(output)
    if not needed:
        yield Finding("snapshots", "ok", "no final edition needs any")
        return
    if data is None:
        remedy = "Name the data root they are in: BTG_DATA."
        yield Finding("snapshots", "attention", "published editions need snapshots, and no data root is set", remedy)
        return
    from sources.snapshots import SnapshotStore

    store = SnapshotStore(data)
    lost = [f"{sha256[:12]} of {name}" for sha256, name in needed.items() if not store.holds(sha256)]
    if lost:
        remedy = f"Put them back: {_PUT_BACK}. Until then those editions cannot be rebuilt."
        yield Finding("snapshots", "wrong", f"missing or damaged: {_listed(lost)}", remedy)
    else:
        yield Finding("snapshots", "ok", f"all {len(needed)} that published editions need are there, undamaged")


def _answers(data: Path | None) -> Iterator[Finding]:
    if data is None or ((private := data / "private").is_dir() and not may_open(private)):
        return
    from pipelines.waves import due_waves

    due = [f"{record.wave_id} (until {record.retention_until})" for record in due_waves(data)]
    if due:
        remedy = "Delete them: btg forget --due (first with --dry-run). Copies in backups too."
        yield Finding("answers", "wrong", f"kept longer than they may be: {_listed(due)}", remedy)
    else:
        yield Finding("answers", "ok", "no answers of respondents are kept longer than they may be")


def _clock(output: Path, data: Path | None) -> Iterator[Finding]:
    """Whether anything is from the future: then the clock of this machine is behind, or that of another was ahead."""
    now = datetime.now(UTC)
    shown = f"{now:%Y-%m-%d %H:%M} UTC"
    ahead = [
        f"{what} ({moment:%Y-%m-%d %H:%M} UTC)"
        for what, moment in [*_made(output), *_retrieved(data)]
        if (moment - now).total_seconds() > CLOCK_SECONDS
    ]
    if ahead:
        remedy = "Set the clock of this machine right, if it is behind; what bears a wrong date keeps it."
        yield Finding("clock", "attention", f"it is {shown}, and from the future are {_listed(ahead)}", remedy)
    else:
        yield Finding("clock", "ok", f"it is {shown}, and nothing is from the future")


def _made(output: Path) -> Iterator[tuple[str, datetime]]:
    for name in [*editions.finals(output), *editions.drafts(output)]:
        made = _moment(provenance_of(output, name).get("created_at"))
        if made:
            yield name, made


def _retrieved(data: Path | None) -> Iterator[tuple[str, datetime]]:
    """When snapshots were retrieved, by the names of their records."""
    for path in sorted((data / "snapshots").glob("*/2*.json")) if data else []:
        if moment := _moment(path.name.partition("Z")[0] + "Z"):
            yield f"{path.parent.name}/{path.name}", moment


def _moment(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _listed(names: list[str], shown: int = 5) -> str:
    return ", ".join(names[:shown]) + (f" and {len(names) - shown} more" if len(names) > shown else "")
