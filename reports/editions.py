"""The life of editions on disk: which there are, what was signed, and whether a final one is still as it was published.

editions/2025-draft/         replaced by every run
editions/2025-1/             final: complete and read-only, never changed again
editions/2025-1.state.json   sign-off, superseding and errata: beside the folder, so that the folder never changes
editions/2025-1.accessibility.json   what looking at its pages in a browser found, of a draft too

Publishing happens at one moment: when the folder gets its name (`publish_folder`). What is cut off before it has not
happened; what is cut off after it is finished by whoever reads or runs next.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
from pydantic import TypeAdapter, ValidationError

from reports.edition_folder import EditionInUse, beside, place_folder, settle, write_file, write_work_file

DRAFT = "draft"
EDITIONS = "editions"
SUMS = "SHA256SUMS"
DATABASE = "btg.duckdb"
NAME = re.compile(r"(\d{4})-(draft|[1-9]\d*)")
FINAL = re.compile(r"(\d{4})-([1-9]\d*)")
_SUMS_LINE = re.compile(r"([0-9a-f]{64})  (.+)")
_ERRATA_SCHEMA = {
    "edition": pl.String,
    "erratum_id": pl.Int32,
    "table_name": pl.String,
    "row_key": pl.String,
    "text": pl.String,
    "stated_at": pl.String,
}


class DamagedEdition(RuntimeError):  # noqa: N818 - says what is the matter
    """Something of an edition on disk is not as this software left it."""

    def __init__(self, path: Path, what: str, remedy: str) -> None:
        super().__init__(f"{path}: {what}. {remedy}")
        self.path, self.what, self.remedy = path, what, remedy


@dataclass(frozen=True)
class Erratum:
    """A mistake found after publication: what is wrong, and the rows (`row_key`) of which table it concerns."""

    erratum_id: int
    at: str
    by: str | None
    text: str
    table_name: str
    row_keys: list[str]


@dataclass(frozen=True)
class State:
    """What was decided about a final edition: who signed it and when, what it superseded and why, and its errata.

    `sums_sha256` is the SHA-256 of its SHA256SUMS, so that a change of that file is found too.
    """

    edition: str
    published_at: str
    published_by: str | None
    sums_sha256: str
    supersedes: str | None = None
    reason: str | None = None
    superseded_by: str | None = None
    errata: list[Erratum] = field(default_factory=list)


_STATE = TypeAdapter(State)


# --- which editions there are


def finals(root: Path) -> list[str]:
    """The final editions in the output folder `root`, such as `2024-1`: oldest first, by year and serial.

    A folder without checksums and without state was copied there half-way by somebody, and does not count.
    """
    names = [path.name for path in _folders(root) if FINAL.fullmatch(path.name) and _is_complete(root, path)]
    return sorted(names, key=_order)


def drafts(root: Path) -> list[str]:
    """The draft editions in the output folder `root`, oldest measurement year first."""
    found = [path for path in _folders(root) if path.name.endswith(f"-{DRAFT}") and (path / DATABASE).exists()]
    return sorted(path.name for path in found)


def remnants(root: Path) -> list[str]:
    """The final editions of which there is a sign-off without a folder, or a folder without sign-off and checksums."""
    named = {path.name.removesuffix(".state.json") for path in (root / EDITIONS).glob("*")}
    return sorted({name for name in named if FINAL.fullmatch(name)} - {*finals(root)}, key=_order)


def newest_final(root: Path, not_after: int | None = None) -> str | None:
    """The last final edition, or that of a measurement year of at most `not_after`; None where there is none."""
    found = [name for name in finals(root) if not_after is None or _order(name)[0] <= not_after]
    return found[-1] if found else None


def standing(root: Path) -> str | None:
    """The edition that readers open: the newest final one, else the newest draft; None where there is none."""
    return newest_final(root) or next(iter(reversed(drafts(root))), None)


def offered(root: Path) -> str | None:
    """The edition that `btg.duckdb` is a copy of, as it says itself; None where it is missing or cannot be read.

    After a run that was killed at its end this may be the one before `standing`; the next run mends that.
    """
    import duckdb

    # Of a copy: somebody may have the file open for writing.
    with tempfile.TemporaryDirectory() as folder, suppress(OSError, duckdb.Error):
        copy = shutil.copyfile(root / DATABASE, Path(folder) / DATABASE)
        with duckdb.connect(str(copy), read_only=True) as connection:
            row = connection.execute("SELECT edition FROM edition").fetchone()
            return str(row[0]) if row else None
    return None


def next_name(root: Path, year: int) -> str:
    """The name of the next final edition of a measurement year: `2025-2` where a folder or a sign-off of 2025-1 is."""
    found = [path.name.partition(".")[0] for path in (root / EDITIONS).glob(f"{year}-*")]
    return f"{year}-{max((_order(name)[1] for name in found if FINAL.fullmatch(name)), default=0) + 1}"


def folder_of(root: Path, name: str) -> Path:
    """Where an edition is, or would be. Raises ValueError for a name that would lead elsewhere."""
    if name in {"", ".", ".."} or Path(name).name != name:
        raise ValueError(f"'{name}' is not the name of an edition; names look like 2025-1 or 2025-{DRAFT}")
    return root / EDITIONS / name


# --- what was decided about a final edition


def state_file(root: Path, name: str) -> Path:
    """The state of a final edition: beside its folder."""
    folder = folder_of(root, name)
    return folder.with_name(f"{folder.name}.state.json")


def accessibility_file(root: Path, name: str) -> Path:
    """What looking at the pages of an edition found: beside its folder."""
    folder = folder_of(root, name)
    return folder.with_name(f"{folder.name}.accessibility.json")


def read_state(root: Path, name: str) -> State:
    """What was decided about a final edition. `superseded_by` follows from the editions after it as well.

    Raises DamagedEdition where the state is missing or cannot be read.
    """
    state = _load(root, name)
    later = [newer for newer in finals(root) if newer != name and _load(root, newer).supersedes == name]
    return dataclasses.replace(state, superseded_by=later[-1] if later else state.superseded_by)


def parse_state(name: str, content: bytes) -> State:
    """The state of edition `name` in the bytes of its file; raises ValueError, as the end of a sentence."""
    try:
        state = _STATE.validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ValueError(f"cannot be understood: {where}: {first['msg']}") from error
    if state.edition != name:
        raise ValueError(f"belongs to edition {state.edition}, not to {name}")
    return state


def write_state(root: Path, state: State) -> None:
    """Replace the state of an edition in one step; it is on the disk when this returns."""
    write_file(state_file(root, state.edition), _as_json(state))


def publish_folder(root: Path, new: Path, state: State) -> Path:
    """Give the finished folder `new` (in `root`/editions) its final name, with its state beside it.

    The sign-off waits under a hidden name until the folder stands; an edition that this one supersedes is told last.
    Raises FileExistsError where an edition of that name stands already: a final edition never changes.
    """
    folder = folder_of(root, state.edition)
    pending = beside(state_file(root, state.edition), "pending")
    if not folder.exists():
        write_work_file(pending, _as_json(state))
    place_folder(new, folder)
    # It is published now, whatever goes wrong: the sign-off is read where it waits, and superseding follows from it.
    with suppress(OSError, EditionInUse):
        settle(pending)
        if state.supersedes:
            write_state(root, read_state(root, state.supersedes))
    return folder


def add_erratum(
    root: Path, name: str, *, text: str, table_name: str, row_keys: Sequence[str], by: str | None, at: str
) -> Erratum:
    """Add an erratum to a final edition: what is wrong and right (`text`), and the rows of which table it concerns.

    One that says the same of the same rows is that one: whoever was interrupted may state it again. Raises ValueError
    for one without text or rows or with a time that is none, and DamagedEdition.
    """
    if not text.strip() or not row_keys:
        raise ValueError("an erratum says in words what is wrong, and names at least one row")
    _moment(at)
    state = read_state(root, name)
    rows = list(dict.fromkeys(row_keys))
    for known in state.errata:
        if (known.text, known.table_name, known.row_keys) == (text.strip(), table_name, rows):
            return known
    serial = max((erratum.erratum_id for erratum in state.errata), default=0) + 1
    erratum = Erratum(serial, at, by, text.strip(), table_name, rows)
    write_state(root, dataclasses.replace(state, errata=[*state.errata, erratum]))
    return erratum


def errata(root: Path, until: str | None = None) -> pl.DataFrame:
    """The errata of all final editions, a row for each row concerned: the columns of the table `erratum`.

    `until`: only those stated at that moment or before (ISO 8601; without a zone it is UTC).
    """
    limit = _moment(until) if until else None
    rows = [
        (name, erratum.erratum_id, erratum.table_name, row_key, erratum.text, erratum.at)
        for name in finals(root)
        for erratum in _load(root, name).errata
        if limit is None or _moment(erratum.at) <= limit
        for row_key in erratum.row_keys
    ]
    frame = pl.DataFrame(rows, schema=_ERRATA_SCHEMA, orient="row")
    return frame.sort("edition", "erratum_id", "table_name", "row_key")


# --- whether it is still as it was


def write_sums(folder: Path) -> str:
    """Write SHA256SUMS over all files of the folder, as `sha256sum --check` reads it; returns its own SHA-256."""
    lines = [f"{sha256_of(path)}  {name}\n" for name, path in _files(folder)]
    content = "".join(lines).encode()
    (folder / SUMS).write_bytes(content)
    return hashlib.sha256(content).hexdigest()


def faults(folder: Path, sums_sha256: str | None = None) -> list[str]:
    """What is no longer as it was when the checksums were written, in sentences; empty where all is whole.

    `sums_sha256`: what the state says of SHA256SUMS itself.
    """
    if not folder.is_dir():
        return [f"{folder.name}: the folder is missing"]
    try:
        content = (folder / SUMS).read_bytes()
    except OSError as error:
        return [f"{folder.name}/{SUMS} cannot be read ({error.strerror}), so no file of it can be checked"]
    return departures(folder.name, content, dict(_files(folder)), sums_sha256)


def departures(
    name: str, content: bytes, present: Mapping[str, Path | str], sums_sha256: str | None = None
) -> list[str]:
    """Where the files of edition `name` depart from the `content` of its SHA256SUMS, in sentences.

    `present`: a file, or its SHA-256 where that is known, by its path within the folder.
    """
    found = []
    if sums_sha256 is not None and hashlib.sha256(content).hexdigest() != sums_sha256:
        found.append(f"{name}/{SUMS} was changed")
    lines = [_SUMS_LINE.fullmatch(line) for line in content.decode(errors="replace").splitlines()]
    found += [f"{name}/{SUMS}: line {n} is damaged" for n, line in enumerate(lines, start=1) if line is None]
    expected = {line[2]: line[1] for line in lines if line is not None}
    for file in sorted(expected.keys() | present.keys()):
        what = _fault(present.get(file), expected.get(file))
        found += [f"{name}/{file} {what}"] if what else []
    return found


def make_read_only(folder: Path) -> None:
    """Take away all rights to write: files 0444 and folders 0555, less what the umask takes from everybody."""
    mask = os.umask(0o077)
    os.umask(mask)
    for path in [*folder.rglob("*"), folder]:
        path.chmod((0o555 if path.is_dir() else 0o444) & ~mask)


def _fault(present: Path | str | None, expected: str | None) -> str | None:
    """What is the matter with one file, as the end of a sentence."""
    if present is None:
        return "is missing"
    if expected is None:
        return "was added"
    try:
        found = present if isinstance(present, str) else sha256_of(present)
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return None if found == expected else "was changed"


def _files(folder: Path) -> list[tuple[str, Path]]:
    """All files but the checksums, by their path within the folder."""
    found = [(path.relative_to(folder).as_posix(), path) for path in folder.rglob("*") if not path.is_dir()]
    return sorted((name, path) for name, path in found if name != SUMS)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _folders(root: Path) -> Iterator[Path]:
    editions = root / EDITIONS
    if editions.is_dir():
        yield from (path for path in editions.iterdir() if NAME.fullmatch(path.name) and path.is_dir())


def _is_complete(root: Path, folder: Path) -> bool:
    return (folder / SUMS).exists() or any(path.exists() for path in _places_of_state(root, folder.name))


def _order(name: str) -> tuple[int, int]:
    """Year and serial of a final edition: 2025-10 comes after 2025-9."""
    year, serial = name.split("-")
    return int(year), int(serial)


def _places_of_state(root: Path, name: str) -> tuple[Path, Path, Path]:
    """Where to look for the state, in this order; the second is where it waits until its edition has its folder.

    It may get its name between two looks, and never loses it: so whoever found neither looks for the first once more.
    """
    file = state_file(root, name)
    return file, beside(file, "pending"), file


def _load(root: Path, name: str) -> State:
    remedy = "Put it back from a backup: btg restore FILE --force"
    for path in _places_of_state(root, name):
        try:
            return parse_state(name, path.read_bytes())
        except FileNotFoundError:
            continue
        except OSError as error:
            raise DamagedEdition(path, f"cannot be read ({error.strerror})", "Mend the rights or the disk.") from error
        except ValueError as error:
            raise DamagedEdition(path, str(error), f"Move this file elsewhere. {remedy}.") from error
    raise DamagedEdition(state_file(root, name), f"the sign-off of edition {name} is missing", f"{remedy}.")


def _as_json(state: State) -> bytes:
    return (json.dumps(dataclasses.asdict(state), ensure_ascii=False, indent=1) + "\n").encode()


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
