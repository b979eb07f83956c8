"""Making an edition again from what it recorded of itself, elsewhere, and comparing it byte for byte.

In a directory of its own: `code` (a copy of the commit), `venv` (only where the recorded lock is another one), `data`
(the recorded snapshots, and the answers of the survey, removed afterwards) and `output` (the earlier final editions,
and the edition made again). Neither the checkout nor the data root nor the editions are written to.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assets.provenance import PATCH, PROVENANCE, code_version, git
from pipelines.same_bytes import Difference, differences, tables_of
from pipelines.settings import CHECKOUT, Settings
from reports import editions
from reports.edition_folder import remove

# What hears, in a sentence, which step begins.
Follow = Callable[[str], None]
# Gives a file (the first) another place (the second).
Take = Callable[[Path, Path], None]
_LOCK = "requirements.lock"
_FORMAT = 1
_KEY = "BTG_SURVEY_KEY"
# Settings of whoever rebuilds must not decide what is made; the key opens what is encrypted.
_NOT_INHERITED = ("BTG_", "DAGSTER_", "PYTHON", "VIRTUAL_ENV")
_PRIVATE = Path("private", "survey")
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
_SHOWN = 10
_UNEXPLAINED = (
    "Code, packages, catalogue and input are the same: the tables of the edition are not what its run made, or the run "
    "depends on something that is not recorded."
)


class CannotRebuild(RuntimeError):  # noqa: N818 - says what is the matter
    """The edition cannot be made again here, because of what was asked for or of this installation."""


class InputLost(RuntimeError):  # noqa: N818 - says what is the matter
    """Something the edition was made from, or the edition itself, is gone, damaged or no longer measurable."""


@dataclass(frozen=True)
class RebuildReport:
    """What came of it: `tables` were compared, in Parquet and CSV; `identical` only when all their bytes are equal.

    `expected`: that table survey_wave says of answers which are no longer kept that stored estimates were used.
    `differences`: all others; `likely`: why they are there. `notes`: what should be known anyway. `folder`: where it
    was made, if that was kept.
    """

    edition: str
    identical: bool
    tables: int
    differences: list[Difference] = field(default_factory=list)
    expected: list[Difference] = field(default_factory=list)
    likely: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    folder: str | None = None


def rebuild(
    settings: Settings, edition: str, into: Path | None = None, *, keep: bool = False, follow: Follow = lambda _: None
) -> RebuildReport:
    """Make `edition` again in `into` (a new or empty folder; default a temporary one) and compare all data tables.

    The folder is removed afterwards unless `keep` or `into`. Raises CannotRebuild, InputLost and DamagedEdition.
    """
    follow(f"Verifying edition {edition}")
    standing = _verified(settings.output, edition)
    recorded = _recorded(standing)
    kept = keep or into is not None
    with _place(into, kept=kept) as place:
        follow("Taking the recorded code")
        code = _code(recorded, standing, place)
        python = _python(recorded, code, place, follow)
        follow("Taking the recorded snapshots and earlier editions")
        take = _copy if kept else _link
        _earlier_editions(recorded, settings.output, place / "output", take)
        data = _data_root(recorded, settings.data, place / "data", take)
        try:
            made = _measure(recorded, standing, place, code, python, data, follow)
        finally:
            remove(place / "data" / "private")
        follow("Comparing")
        return _report(recorded, standing, made, str(place) if kept else None)


# --- what was recorded


def _verified(root: Path, edition: str) -> Path:
    """The folder of the edition, which is as it was when its checksums were written."""
    final = edition in editions.finals(root)
    if not final and edition not in editions.drafts(root):
        raise CannotRebuild(f"There is no edition {edition} in {root}. See: btg editions")
    folder = editions.folder_of(root, edition)
    _refuse_damage(folder, editions.read_state(root, edition).sums_sha256 if final else None)
    return folder


def _refuse_damage(folder: Path, sums_sha256: str | None) -> None:
    if found := editions.faults(folder, sums_sha256):
        raise InputLost(f"Edition {folder.name} is not as it was made: {_some(found)}. Put it back from a backup.")


def _recorded(standing: Path) -> dict[str, Any]:
    path = standing / PROVENANCE
    if not path.is_file():
        raise CannotRebuild(
            f"Edition {standing.name} has no {PROVENANCE}: it was made before editions recorded what they came from."
        )
    recorded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if recorded.get("format") != _FORMAT:
        raise CannotRebuild(f"{path} was written by newer software. Rebuild the edition with that.")
    return recorded


# --- the code, and what it runs on


def _code(recorded: dict[str, Any], standing: Path, place: Path) -> Path:
    """The software as it was: a copy of the recorded commit with the recorded changes, else this same installation."""
    commit = recorded["code"]["commit"]
    if commit is None or not (CHECKOUT / ".git").exists() or shutil.which("git") is None:
        _require_this_software(recorded, standing)
        return CHECKOUT
    code = place / "code"
    try:
        git(CHECKOUT, "cat-file", "-e", f"{commit}^{{commit}}")
    except subprocess.CalledProcessError as error:
        raise CannotRebuild(
            f"Edition {recorded['edition']} was made with commit {commit}, which is not in {CHECKOUT}. "
            "Run this in a checkout that has it, or get it first: git fetch"
        ) from error
    try:
        git(CHECKOUT, "clone", "--quiet", "--shared", "--no-checkout", str(CHECKOUT), str(code))
        git(code, "-c", f"core.hooksPath={os.devnull}", "checkout", "--quiet", "--detach", commit)
        if recorded["code"]["patch_sha256"]:
            git(code, "apply", "--whitespace=nowarn", str(standing / PATCH))
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", None) or b""
        raise CannotRebuild(
            f"Commit {commit} could not be copied to {code}. {said.decode(errors='replace')}"
        ) from error
    return code


def _require_this_software(recorded: dict[str, Any], standing: Path) -> None:
    """Raises CannotRebuild where what is installed is not what the edition was made with."""
    from catalog import load_catalogue

    region = _region_file(recorded, standing, CHECKOUT)
    now = {
        "version": code_version(),
        "catalogue": load_catalogue(region).sha256 if region.is_file() else "none",
        "lock": _sha256(CHECKOUT / _LOCK),
    }
    then = {
        "version": recorded["code"]["version"],
        "catalogue": recorded["catalog_sha256"],
        "lock": recorded["lock_sha256"],
    }
    if other := [f"{name} {then[name]}, here {now[name]}" for name in now if now[name] != then[name]]:
        raise CannotRebuild(
            f"Edition {recorded['edition']} was made with other software than is installed here, and there is no git "
            f"history to take it from: {'; '.join(other)}. Rebuild it in a git checkout, or with that version."
        )


def _python(recorded: dict[str, Any], code: Path, place: Path, follow: Follow) -> Path:
    """This Python where the lock is the same, else one of its own with the recorded packages."""
    lock, wanted = code / _LOCK, recorded["lock_sha256"]
    if _sha256(lock) != wanted:
        raise CannotRebuild(
            f"Edition {recorded['edition']} was made with a lock of SHA-256 {wanted}; {_LOCK} of its commit has "
            f"{_sha256(lock)}."
        )
    if _sha256(CHECKOUT / _LOCK) == wanted:
        return Path(sys.executable)
    follow("Installing the recorded packages, once, about a minute")
    environment = place / "venv"
    python = environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--no-input", "-q", "install", "--no-deps"]
    locked = ["--require-hashes", "--only-binary", ":all:", "--requirement", str(lock)]
    for command in ([sys.executable, "-m", "venv", str(environment)], [*pip, *locked]):
        done = subprocess.run(command, env=_inherited(), capture_output=True, encoding="utf-8", check=False)
        if done.returncode:
            raise CannotRebuild(
                f"The packages that edition {recorded['edition']} was made with could not be installed from "
                f"{lock}:\n{_last_lines(done.stderr)}"
            )
    return python


# --- what it is made from


def _data_root(recorded: dict[str, Any], source: Path | None, target: Path, take: Take) -> Path | None:
    """A data root that holds exactly what is recorded; None where the edition was made without."""
    if not recorded["settings"]["data_root"]:
        return None
    target.mkdir()
    if recorded["snapshots"]:
        if source is None:
            raise CannotRebuild(
                f"Edition {recorded['edition']} was made from snapshots: name the data root they are in (BTG_DATA)."
            )
        for name in _verified_snapshots(recorded["snapshots"], source):
            take(source / name, target / name)
    if source is not None:
        _copy_private(recorded["survey_waves"], source / _PRIVATE, target / _PRIVATE)
    return target


def _verified_snapshots(snapshots: list[dict[str, Any]], source: Path) -> list[str]:
    """The files of the recorded snapshots in a data root. Raises InputLost, which names every one that is not whole."""
    from sources.snapshots import SnapshotStore

    store = SnapshotStore(source)
    objects = {sha256: record["record"] for record in snapshots for sha256 in record["objects"]}
    lost = [
        f"{record['record']} (SHA-256 {record['sha256']})"
        for record in snapshots
        if not (source / record["record"]).is_file() or _sha256(source / record["record"]) != record["sha256"]
    ]
    lost += [
        f"the bytes with SHA-256 {sha256} of {name}" for sha256, name in objects.items() if not store.holds(sha256)
    ]
    if lost:
        raise InputLost(f"Missing or damaged in {source}: {_some(lost)}. Put it back from a backup (btg restore).")
    return [record["record"] for record in snapshots] + [f"objects/{name[:2]}/{name}.gz" for name in objects]


def _copy_private(waves: list[dict[str, Any]], source: Path, target: Path) -> None:
    """The waves that were measured, for the user alone; whatever else is kept in private stays where it is."""
    for wave in waves:
        if (source / wave["wave_id"]).is_dir():
            for folder in (target.parent, target, target / wave["wave_id"]):
                folder.mkdir(mode=0o700, exist_ok=True)
            for path in (source / wave["wave_id"]).iterdir():
                with os.fdopen(os.open(target / wave["wave_id"] / path.name, _NEW_FILE, 0o600), "wb") as copy:
                    copy.write(path.read_bytes())


def _earlier_editions(recorded: dict[str, Any], root: Path, target: Path, take: Take) -> None:
    """The final editions that stood then, with the errata of then, in an output folder of their own."""
    (target / editions.EDITIONS).mkdir(parents=True)
    known = {(erratum["edition"], erratum["erratum_id"]) for erratum in recorded["errata"]}
    for earlier in recorded["earlier_editions"]:
        name, folder = earlier["edition"], editions.folder_of(root, earlier["edition"])
        _refuse_damage(folder, earlier["sums_sha256"])
        for path in folder.rglob("*"):
            if path.is_file():
                take(path, editions.folder_of(target, name) / path.relative_to(folder))
        state = editions.read_state(root, name)
        errata = [erratum for erratum in state.errata if (name, erratum.erratum_id) in known]
        editions.write_state(target, dataclasses.replace(state, errata=errata, superseded_by=None))


def _region_file(recorded: dict[str, Any], standing: Path, code: Path) -> Path:
    name: str = recorded["settings"]["region_file"]
    return (standing if name.startswith("input/") else code) / name


# --- the run


def _measure(
    recorded: dict[str, Any],
    standing: Path,
    place: Path,
    code: Path,
    python: Path,
    data: Path | None,
    follow: Follow,
) -> Path:
    """Run the recorded code on the recorded input in a process of its own; returns the folder of what it made."""
    settings = recorded["settings"]
    environment = _inherited() | {
        "PYTHONPATH": str(code),
        "PYTHONIOENCODING": "utf-8",
        "BTG_OUTPUT": str(place / "output"),
        "BTG_DATA": str(data or ""),
        "BTG_INPUT": str(standing / "input" / "figures") if settings["input"] == "folder" else "",
        "BTG_DEMO": "1" if settings["demo"] else "",
        "BTG_REGION": str(_region_file(recorded, standing, code)),
        "BTG_YEAR": str(settings["measurement_year"]),
        "BTG_EDITION": recorded["edition"],
        "BTG_TABLES_ONLY": "1",  # what is compared is the tables; the pages are made of them
        "BTG_DAGSTER_STORAGE": str(place / "dagster"),
    }
    key = os.environ.get(_KEY)
    if key and recorded["survey_waves"]:
        environment[_KEY] = key
    _require_own_code(python, code, environment)
    follow("Measuring, about half a minute")
    command = [str(python), "-m", "pipelines.cli", "measure", "--json", *(["--demo"] if settings["demo"] else [])]
    done = subprocess.run(
        command, cwd=code, env=environment, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", check=False
    )
    made: Path = editions.folder_of(place / "output", f"{settings['measurement_year']}-{editions.DRAFT}")
    if done.returncode or not made.is_dir():
        raise InputLost(
            f"Edition {recorded['edition']} could not be measured again; the run stopped:\n{_last_lines(done.stderr)}"
            f"\n{_reasons(done.stdout)}"
        )
    return made


def _require_own_code(python: Path, code: Path, environment: dict[str, str]) -> None:
    """Raises CannotRebuild where Python would run other code: that of an installation that goes first."""
    command = [str(python), "-c", "import pipelines.cli; print(pipelines.cli.__file__)"]
    done = subprocess.run(command, cwd=code, env=environment, capture_output=True, encoding="utf-8", check=False)
    found = Path(done.stdout.strip())
    if done.returncode:
        raise CannotRebuild(f"The recorded code does not start with {python}: {_last_lines(done.stderr, 1)}")
    if not found.resolve().is_relative_to(code.resolve()):
        raise CannotRebuild(f"{python} runs {found} instead of the code in {code}: remove what is installed there.")


def _inherited() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(_NOT_INHERITED)}


def _reasons(result: str) -> str:
    """What the run gave as reasons, where it came far enough."""
    try:
        return "\n".join(json.loads(result)["reasons"])
    except (ValueError, KeyError, TypeError):
        return ""


# --- what came of it


def _report(recorded: dict[str, Any], standing: Path, made: Path, folder: str | None) -> RebuildReport:
    from assets.tables import CATALOGUE

    keys = {name: table.key for name, table in CATALOGUE.registry.tables.items()}
    found = differences(standing, made, keys)
    notes = _stored_estimates(recorded, made)
    # That answers are gone after their retention date must be so, as long as the figures are the same.
    gone = _origins_moved(recorded, made) == {("rows", "stored_estimates")}
    expected = [each for each in found if gone and _is_origin_only(each)]
    others = [each for each in found if each not in expected]
    return RebuildReport(
        edition=recorded["edition"],
        identical=not found,
        tables=len(tables_of(standing)),
        differences=others,
        expected=expected,
        likely=_likely(recorded, made) if others else [],
        notes=notes + _other_machine(recorded, made),
        folder=folder,
    )


def _is_origin_only(difference: Difference) -> bool:
    return (difference.table, difference.columns, len(difference.what)) == ("survey_wave", ["origin"], 1)


def _origins_moved(recorded: dict[str, Any], made: Path) -> set[tuple[str | None, str | None]]:
    """What the waves whose figures come from something else came from, then and now."""
    then, now = (
        {wave["wave_id"]: wave["origin"] for wave in each["survey_waves"]} for each in (recorded, _made_from(made))
    )
    return {(then.get(name), now.get(name)) for name in _unequal(then, now)}


def _stored_estimates(recorded: dict[str, Any], made: Path) -> list[str]:
    """Of which waves the answers were used then, and their stored estimates now."""
    now = {wave["wave_id"]: wave for wave in _made_from(made)["survey_waves"]}
    return [
        f"{name}: its answers are no longer kept (they are deleted after their retention date); the estimates that "
        "were stored then were used."
        for name, wave in ((wave["wave_id"], wave) for wave in recorded["survey_waves"])
        if wave["origin"] == "rows" and now.get(name, {}).get("origin") == "stored_estimates"
    ]


def _likely(recorded: dict[str, Any], made: Path) -> list[str]:
    """What of its making was not the same: why tables may differ."""
    now = _made_from(made)
    names = {"catalog_sha256": "The catalogue", "lock_sha256": "The lock", "input_sha256": "The input"}
    found = [
        f"{what} is another one: SHA-256 {recorded[name]}, now {now[name]}."
        for name, what in names.items()
        if recorded[name] != now[name]
    ]
    if recorded["code"]["version"] != now["code"]["version"]:
        found.append(_other_code(recorded["code"], now["code"]))
    then = {file["file"]: file["sha256"] for file in recorded["input_files"]}
    files = {file["file"]: file["sha256"] for file in now["input_files"]}
    found += [f"Input {name}: SHA-256 {then.get(name)}, now {files.get(name)}." for name in _unequal(then, files)]
    answers = {wave["wave_id"]: wave["sha256"] for wave in recorded["survey_waves"]}
    present = {wave["wave_id"]: wave["sha256"] for wave in now["survey_waves"]}
    found += [
        f"Wave {name} of the survey: "
        + ("its answers were replaced since." if name in present else "nothing of it is kept any more.")
        for name in _unequal(answers, present)
    ]
    found += _stored_estimates(recorded, made) + _other_machine(recorded, made)
    return found or [_UNEXPLAINED]


def _other_code(then: dict[str, Any], now: dict[str, Any]) -> str:
    versions = f"{then['version']}, now {now['version']}"
    if (then["commit"], then["patch_sha256"]) != (now["commit"], now["patch_sha256"]):
        return f"The code is another one: {versions}."
    return (
        f"The code is the same and has another version: {versions}. The history of one of the two checkouts is cut off "
        "(a shallow clone), so that it does not show which commit touched the code last: git fetch --unshallow"
    )


def _other_machine(recorded: dict[str, Any], made: Path) -> list[str]:
    now = _made_from(made)
    then, here = (f"Python {each['python']} on {each['platform']}" for each in (recorded, now))
    return [f"It was made with {then}, and again with {here}."] if then != here else []


def _made_from(made: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((made / PROVENANCE).read_text(encoding="utf-8"))
    return content


def _unequal(then: dict[str, str], now: dict[str, str]) -> list[str]:
    return sorted(name for name in then.keys() | now.keys() if then.get(name) != now.get(name))


# --- files


@contextmanager
def _place(into: Path | None, *, kept: bool) -> Iterator[Path]:
    """A new folder that only the user may open; removed afterwards unless it is to be kept."""
    if into is None:
        place = Path(tempfile.mkdtemp(prefix="btg-rebuild-"))
    else:
        place = into.absolute()
        try:
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            empty = next(place.iterdir(), None) is None
        except OSError as error:
            raise CannotRebuild(f"{place}: cannot be used as folder for the rebuild ({error.strerror})") from error
        if not empty:
            raise CannotRebuild(f"{place} is not empty: name a folder that is, or that does not exist yet.")
    try:
        yield place
    finally:
        if not kept:
            remove(place)


def _link(source: Path, target: Path) -> None:
    """The same file under another name where the disk can, else a copy: only in a folder that is removed afterwards.

    A run never writes to what it takes in; whoever keeps the folder may.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        # On Windows the links of a file share its write protection, so that removing one would take it off the other.
        if os.name != "nt":
            target.hardlink_to(source)
            return
    except OSError:
        pass
    _copy(source, target)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _last_lines(text: str, number: int = _SHOWN) -> str:
    return "\n".join(text.strip().splitlines()[-number:])


def _some(texts: list[str]) -> str:
    more = f"; and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return "; ".join(texts[:_SHOWN]) + more
