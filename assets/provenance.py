"""What an edition was made from, written down so that somebody else can make it again: `provenance.json` and `input/`.

What is published names no person, no host and no folder outside the checkout. What is neither a snapshot nor in the
git history is copied beside the tables:

input/figures/            the folder of figures that was measured instead of the bundled ones
input/region/             a region file from outside the checkout, with the waves of its survey
input/uncommitted.patch   what the software differed in from its commit (`git apply`)
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl

from assets.tables import CATALOGUE
from assets.workspace import MixedRuns, Workspace
from catalog.load import REGION_FILE, load_catalogue
from catalog.yaml_file import CatalogueError
from reports import editions
from sources import bundled
from sources.csv_file import read_bytes
from sources.fact_checks import FIGURES, ORIGINS, REGIONS

CHECKOUT = Path(__file__).resolve().parents[1]
PROVENANCE = "provenance.json"
# In `last_run`: what the run found when it began.
_BEGAN = "began.json"
_PARTS = {
    "code_version": "the software",
    "catalog_sha256": "the catalogue",
    "bundled": "the figures that come with it",
    "snapshots": "the snapshots in the data root",
}
FIGURES_FOLDER, REGION_FOLDER, PATCH = "input/figures", "input/region", "input/uncommitted.patch"
# What decides what a run makes. Nothing else is looked at: people leave data lying around in a checkout.
ROOMS = ("catalog", "sources", "methods", "assets", "reports", "pipelines")
_CODE = (*ROOMS, "requirements.lock", "pyproject.toml")
# No other version of the code: the edition has checksums of these (catalogue, input), or they change no figure.
_NOT_THE_VERSION = (
    *("catalog/*.yaml", "catalog/indicators/*.yaml", "catalog/survey/*.yaml", "catalog/coverage.csv"),
    *(f"sources/bundled/{name}" for name in ("figures.csv.gz", "figures_origin.csv", "regions.csv", "manifest.json")),
    *(f"sources/bundled/{name}" for name in ("published_grades.csv", "municipal_*.csv", "*.geojson")),
)
_VERSION = (*_CODE, *(f":(exclude,glob){name}" for name in _NOT_THE_VERSION))
_NEW_FILES = (b".py", b".yaml", b".j2")
# Only here a run reads other files of its own; anywhere else they are somebody's data.
_NEW_FIGURES = b"sources/bundled/"
_REGISTER = b"catalog/coverage.csv"
# Whatever the user's own settings of git are.
_PLAIN_DIFF = (
    *("-c", "core.quotePath=false", "-c", "diff.relative=false", "diff", "--cached"),
    *("--binary", "--full-index", "--no-color", "--no-renames", "--no-ext-diff", "--no-textconv"),
    *("--src-prefix=a/", "--dst-prefix=b/"),
)
_HEADER = b"diff --git "
_CODE_OF_BUNDLE = {".py", ".pyc", ".md"}
_WITH_EXCEPTIONS = {"GIT_LITERAL_PATHSPECS": "0"}
_GIT_SECONDS = 30
# The folder with the waves, as the region file names it: beside itself.
_SURVEY = Path(CATALOGUE.region.survey) if CATALOGUE.region.survey else None
# The file of the programme, likewise.
_PROGRAMME = Path(CATALOGUE.region.programme) if CATALOGUE.region.programme else None


def code_version(checkout: Path = CHECKOUT) -> str:
    """The software's version, with a commit where it runs from a git checkout: `0.1.0+66356cd7e3a1`.

    The commit is the last one that touched the code, so that one of documents is no other version; nor is one of the
    catalogue or of bundled figures, which have checksums of their own. `-dirty.1a2b3c4d` at its end: the code is not as
    it was committed, with the beginning of the SHA-256 of what differs.
    """
    commit = _deciding_commit(checkout)
    if commit is None:
        return _version(checkout)
    with _own_index(checkout) as own:
        patch = git(checkout, *_PLAIN_DIFF, "HEAD", "--", *_VERSION, own=own | _WITH_EXCEPTIONS)
    dirty = f"-dirty.{hashlib.sha256(patch).hexdigest()[:8]}" if patch else ""
    return f"{_version(checkout)}+{commit[:12]}{dirty}"


def uncommitted_patch(checkout: Path = CHECKOUT) -> bytes:
    """What differs from the last commit, as `git apply` takes it; empty when nothing does, or without git.

    Of the rooms, the lock and pyproject.toml: changed files, and new ones with code, catalogue, figures or templates.
    Applied to a fresh copy of the commit it gives this same patch again. The user's index is not touched.
    """
    if _commit(checkout) is None:
        return b""
    with _own_index(checkout) as own:
        return git(checkout, *_PLAIN_DIFF, "HEAD", "--", *_CODE, own=own)


def changed_files(patch: bytes) -> list[str]:
    """The files that an `uncommitted_patch` changes, adds or removes, by their path in the checkout, for a message."""
    # Of `a/x b/x` the second half; git puts it in quotes where a name holds some.
    headers = [line.removeprefix(_HEADER) for line in patch.splitlines() if line.startswith(_HEADER)]
    names = [header[len(header) // 2 + 1 :].strip(b'"').removeprefix(b"b/") for header in headers]
    return [name.decode(errors="replace") for name in names]


@contextmanager
def _own_index(checkout: Path) -> Iterator[dict[str, str]]:
    """The variables for git of an index that holds the checkout as it is, new files of the software included."""
    with tempfile.TemporaryDirectory() as folder:
        # An index and a place for objects of our own, so that nothing in `.git` changes.
        objects = git(checkout, "rev-parse", "--git-path", "objects").decode().strip()
        own = {
            "GIT_LITERAL_PATHSPECS": "1",
            "GIT_INDEX_FILE": str(Path(folder) / "index"),
            "GIT_OBJECT_DIRECTORY": folder,
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": str((checkout / objects).resolve()),
        }
        git(checkout, "read-tree", "HEAD", own=own)
        git(checkout, "add", "--update", own=own)
        new = git(checkout, "ls-files", "-z", "--others", "--exclude-standard", "--", *ROOMS, own=own).split(b"\0")
        if named := b"\0".join([name for name in new if _decides(name)]):
            git(checkout, "add", "--pathspec-from-file=-", "--pathspec-file-nul", stdin=named, own=own)
        yield own


def note_beginning(workspace: Workspace) -> None:
    """Write down, when a run begins, what it is about to use of software and data root: see `require_unchanged`."""
    began = _in_use(workspace) | {"catalog_sha256": CATALOGUE.sha256}
    (workspace.last_run / _BEGAN).write_text(json.dumps(began) + "\n", encoding="utf-8")


def require_unchanged(workspace: Workspace) -> None:
    """Raises MixedRuns where software, catalogue or snapshots are no longer what they were when the run began.

    An edition of both could not be made again, and nobody could say what its figures come from.
    """
    note = workspace.last_run / _BEGAN
    if not note.is_file():
        raise MixedRuns(f"{workspace.last_run} does not say what its tables were made with. Run the whole again.")
    began: dict[str, Any] = json.loads(note.read_text(encoding="utf-8"))
    now = _in_use(workspace)
    if changed := [words for part, words in _PARTS.items() if began.get(part) != now[part]]:
        raise MixedRuns(f"Changed since the run began: {', '.join(changed)}. No edition was made. Run again.")


def _in_use(workspace: Workspace) -> dict[str, Any]:
    """What lies there now."""
    try:
        catalogue = load_catalogue(_region()).sha256
    except CatalogueError:  # somebody is at work on it
        catalogue = ""
    snapshots = snapshot_records(Path(workspace.data_folder)) if workspace.snapshots else []
    files = sorted(path for path in bundled.FOLDER.iterdir() if path.is_file() and path.suffix not in _CODE_OF_BUNDLE)
    return {
        "code_version": code_version(),
        "catalog_sha256": catalogue,
        "bundled": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files},
        "snapshots": snapshots,
    }


def provenance(workspace: Workspace, edition_row: dict[str, Any], input_files: pl.DataFrame) -> dict[str, Any]:
    """Everything that is needed to make the edition again, as it stands in provenance.json.

    `edition_row` is the row of the table `edition`, `input_files` the files of the run (file, sha256, bytes). Of the
    data root every snapshot is listed that was there: also those that a figure does not come from decide which do.
    """
    patch = uncommitted_patch()
    return {
        "format": 1,
        **{name: edition_row[name] for name in ("edition", "measurement_year", "created_at")},
        "code": {
            "version": edition_row["code_version"],
            "commit": _commit(CHECKOUT),
            "patch_sha256": hashlib.sha256(patch).hexdigest() if patch else None,
        },
        **{name: edition_row[name] for name in ("catalog_sha256", "lock_sha256", "input_sha256")},
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "settings": {
            "demo": workspace.demo,
            "measurement_year": CATALOGUE.region.last_measurement_year,
            "input": "bundled" if _is_bundled(workspace) else "folder",
            "data_root": bool(workspace.data_folder),
            "region_file": _region_file(),
        },
        "input_files": input_files.select("file", "sha256", "bytes").sort("file").to_dicts(),
        "snapshots": snapshot_records(Path(workspace.data_folder)) if workspace.snapshots else [],
        "survey_waves": _waves(workspace),
        **known_editions(workspace),
    }


def known_editions(workspace: Workspace) -> dict[str, list[dict[str, Any]]]:
    """What stands in the output folder now, which an edition is compared with: `earlier_editions` and `errata`.

    `earlier_editions`: edition and sums_sha256 of every final one, oldest first. `errata`: edition, erratum_id and
    stated_at of each. A draft whose provenance has others was compared with what no longer stands.
    """
    root = workspace.root
    errata = editions.errata(root).select("edition", "erratum_id", "stated_at").unique()
    return {
        "earlier_editions": [
            {"edition": name, "sums_sha256": editions.read_state(root, name).sums_sha256}
            for name in editions.finals(root)
        ],
        "errata": errata.sort("edition", "erratum_id").to_dicts(),
    }


def copy_inputs(workspace: Workspace, folder: Path, input_files: pl.DataFrame) -> None:
    """Copy into the edition's `folder` what neither the git history nor the snapshots hold (see above).

    `input_files`: the files of the run (file, sha256, bytes). Raises MixedRuns where a figure's file is another now.
    """
    if not _is_bundled(workspace):
        names = (FIGURES, f"{FIGURES}.gz", ORIGINS, REGIONS)
        _copy([workspace.input_path / name for name in names], folder / FIGURES_FOLDER)
        _require_as_measured(folder / FIGURES_FOLDER, input_files)
    region = _region()
    if not _in_rooms(region):
        place = (folder / _region_file()).parent
        _copy([region], place)
        if _SURVEY is not None and not _SURVEY.is_absolute():
            _copy(sorted((region.parent / _SURVEY).glob("*.yaml")), place / _SURVEY)
        if _PROGRAMME is not None and not _PROGRAMME.is_absolute():
            _copy([region.parent / _PROGRAMME], (place / _PROGRAMME).parent)
    if patch := uncommitted_patch():
        path = folder / PATCH
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(patch)


def _require_as_measured(copied: Path, input_files: pl.DataFrame) -> None:
    measured = dict(input_files.select("file", "sha256").iter_rows())
    for path in sorted(copied.iterdir()):
        name = path.name.removesuffix(".gz")
        if hashlib.sha256(read_bytes(path)).hexdigest() != measured.get(name):
            raise MixedRuns(f"{name} of the input changed while it was measured: no edition was made. Run again.")


def snapshot_records(data_root: Path) -> list[dict[str, Any]]:
    """Every record of a snapshot: its path in the data root, its SHA-256, and those of the bytes it names."""
    found = []
    for path in sorted((data_root / "snapshots").glob("*/2*.json")):
        body = path.read_bytes()
        found.append(
            {
                "record": path.relative_to(data_root).as_posix(),
                "sha256": hashlib.sha256(body).hexdigest(),
                "objects": sorted({part["sha256"] for part in json.loads(body)["parts"]}),
            }
        )
    return found


def _decides(name: bytes) -> bool:
    """Whether a new file of a room is part of the software."""
    figures = name.endswith(b".csv") and name.startswith(_NEW_FIGURES)
    return name.endswith(_NEW_FILES) or name == _REGISTER or figures


def _waves(workspace: Workspace) -> list[dict[str, Any]]:
    """The waves of the survey: the checksum of the answers, and whether they or stored estimates were used."""
    table = CATALOGUE.registry["survey_wave"]
    return workspace.read(table).select("wave_id", "sha256", "origin").sort("wave_id").to_dicts()


def _is_bundled(workspace: Workspace) -> bool:
    return workspace.input_path.resolve() == bundled.FOLDER.resolve()


def _region() -> Path:
    return Path(os.environ.get("BTG_REGION") or REGION_FILE).absolute()


def _region_file() -> str:
    """Where a rebuild finds the region file: its path in the checkout, or in the edition."""
    region = _region()
    if _in_rooms(region):
        return region.resolve().relative_to(CHECKOUT).as_posix()
    # As deep as survey and programme lie above it, so that they are found in the copy too and nothing lies outside.
    above = max(path.parts.count("..") if path is not None else 0 for path in (_SURVEY, _PROGRAMME))
    return "/".join([REGION_FOLDER, *["region"] * above, region.name])


def _in_rooms(path: Path) -> bool:
    return any(path.resolve().is_relative_to(CHECKOUT / room) for room in ROOMS)


def _copy(files: list[Path], folder: Path) -> None:
    folder = Path(os.path.normpath(folder))
    folder.mkdir(parents=True, exist_ok=True)
    for path in files:
        if path.is_file():
            shutil.copyfile(path, folder / path.name)


def _version(checkout: Path) -> str:
    """Of the checkout itself where there is one: what is installed may be that of another one."""
    project = checkout / "pyproject.toml"
    if not project.is_file():
        return version("btg")
    return str(tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"])


def _commit(checkout: Path) -> str | None:
    """The full commit of the checkout; None where it is none, or git is not at hand."""
    if not (checkout / ".git").exists():
        return None
    try:
        return git(checkout, "rev-parse", "--verify", "HEAD").decode().strip()
    except (OSError, subprocess.SubprocessError):
        return None


def _deciding_commit(checkout: Path) -> str | None:
    """The last commit that touched the code; that of the checkout where the history shows none."""
    head = _commit(checkout)
    if head is None:
        return None
    try:
        # rev-list, not log: what that prints depends on the user's settings.
        return git(checkout, "rev-list", "--max-count=1", head, "--", *_VERSION).decode().strip() or head
    except subprocess.SubprocessError:
        return head


def git(checkout: Path, *arguments: str, own: dict[str, str] | None = None, stdin: bytes = b"") -> bytes:
    """What git says of this checkout, whatever repository the caller's environment (a hook) points at."""
    elsewhere = [name for name in os.environ if name.startswith("GIT_") and not name.startswith("GIT_CONFIG")]
    return subprocess.run(
        ["git", "-C", str(checkout), *arguments],  # noqa: S607 - wherever the user has it
        env={name: value for name, value in os.environ.items() if name not in elsewhere} | (own or {}),
        input=stdin,
        capture_output=True,
        check=True,
        timeout=_GIT_SECONDS,
    ).stdout
