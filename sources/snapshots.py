"""Everything that was ever received, kept as it came: content-addressed bytes, and a record of every retrieval.

objects/ab/abcd….gz                       bytes by their SHA-256, each stored once
snapshots/cbs_86008ned/20261123T101500Z-abcd1234.json   what was retrieved, when, from where
snapshots/cbs_86008ned/checked.json       when the publisher was last asked, and what came of it
inbox/                                    delivered files that wait to be taken in
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

from sources.errors import DamagedSnapshot

Kind = Literal["odata_v4", "odata_v3", "delivered", "boundaries"]
_OBJECTS, _RECORDS, _CHECKED, INBOX = "objects", "snapshots", "checked.json", "inbox"


def slug(source_table: str) -> str:
    """A source table as a file name: `CBS 84799NED` is cbs_84799ned."""
    return re.sub(r"[^a-z0-9]+", "_", source_table.lower()).strip("_")


def now() -> str:
    """This moment in UTC, to the second, as ISO 8601."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class Part:
    """One answer or file: which part it plays, where it came from, and its bytes."""

    role: str
    url: str
    body: bytes
    content_type: str
    retrieved_at: str


@dataclass(frozen=True)
class StoredPart:
    """A part of a snapshot, its bytes by their SHA-256."""

    role: str
    url: str
    sha256: str
    bytes: int
    content_type: str
    retrieved_at: str


@dataclass(frozen=True)
class Snapshot:
    """One retrieval of one source table.

    `request` is what was asked, so that a wider question is asked anew; `fingerprint` what the publisher said of the
    version; `details` what the kind of snapshot needs beside it (layout and file name of a delivered file).
    """

    source_table: str
    kind: Kind
    title: str
    url: str
    licence: str
    retrieved_at: str
    modified_at: str | None
    fingerprint: str
    request: str
    parts: tuple[StoredPart, ...]
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def sha256(self) -> str:
        """The SHA-256 of its bytes: of the one part, or of the list of roles and checksums of several."""
        if len(self.parts) == 1:
            return self.parts[0].sha256
        listing = "\n".join(f"{part.role} {part.sha256}" for part in self.parts)
        return hashlib.sha256(listing.encode()).hexdigest()

    @property
    def bytes(self) -> int:
        """Size of everything received."""
        return sum(part.bytes for part in self.parts)


@dataclass(frozen=True)
class Checked:
    """When a publisher was last asked for a table, and what came of it: `new`, `changed`, `unchanged` or `failed`."""

    at: str
    result: str
    message: str


class SnapshotStore:
    """The snapshots in a data root. Nothing is ever removed or overwritten, except the note of the last check."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def inbox(self) -> Path:
        """Where delivered files wait."""
        return self.root / INBOX

    @property
    def has_any(self) -> bool:
        """Whether anything was ever retrieved."""
        return next(self.root.glob(f"{_RECORDS}/*/2*.json"), None) is not None

    def add(
        self,
        source_table: str,
        kind: Kind,
        parts: Iterable[Part],
        *,
        title: str,
        url: str,
        licence: str,
        modified_at: str | None,
        fingerprint: str,
        request: str,
        details: dict[str, Any] | None = None,
    ) -> Snapshot:
        """Store what was received. Bytes that are there already are not stored twice."""
        stored = tuple(
            StoredPart(p.role, p.url, self._store(p.body), len(p.body), p.content_type, p.retrieved_at) for p in parts
        )
        snapshot = Snapshot(
            *(source_table, kind, title, url, licence, now(), modified_at, fingerprint, request, stored, details or {})
        )
        folder = self._folder(source_table)
        folder.mkdir(parents=True, exist_ok=True)
        last = max((path.name for path in folder.glob("2*.json")), default="")
        name = f"{_moment_after(last, snapshot.retrieved_at)}-{snapshot.sha256[:8]}.json"
        _write(folder / name, json.dumps(asdict(snapshot), ensure_ascii=False, indent=1).encode())
        return snapshot

    def of(self, source_table: str) -> list[Snapshot]:
        """The snapshots of a table, oldest first."""
        return [_read_record(path) for path in sorted(self._folder(source_table).glob("2*.json"))]

    def newest(self, source_table: str, *kinds: Kind) -> Snapshot | None:
        """The newest snapshot of a table, of these kinds where they are given."""
        found = [snapshot for snapshot in self.of(source_table) if not kinds or snapshot.kind in kinds]
        return found[-1] if found else None

    def read(self, part: StoredPart) -> bytes:
        """The bytes of a part; raises DamagedSnapshot where they are not those that were received."""
        body = self._stored(part.sha256)
        if body is None:
            path = self._object(part.sha256)
            raise DamagedSnapshot(path, f"the bytes of {part.url}, with this SHA-256", remedy=_GET_AGAIN)
        return body

    def holds(self, sha256: str) -> bool:
        """Whether bytes with this SHA-256 are there, undamaged."""
        return self._stored(sha256) is not None

    def parts(self, snapshot: Snapshot) -> Iterator[Part]:
        """The parts of a snapshot with their bytes."""
        for part in snapshot.parts:
            yield Part(part.role, part.url, self.read(part), part.content_type, part.retrieved_at)

    def note(self, source_table: str, result: str, message: str = "") -> None:
        """Remember that the publisher was asked now, and what came of it."""
        folder = self._folder(source_table)
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / _CHECKED, json.dumps(asdict(Checked(now(), result, message)), ensure_ascii=False).encode())

    def last_check(self, source_table: str) -> Checked | None:
        """When the publisher was last asked for this table."""
        path = self._folder(source_table) / _CHECKED
        try:
            return Checked(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None
        except (OSError, ValueError, TypeError) as error:
            raise DamagedSnapshot(path, "the note of the last check", remedy=_REMOVE) from error

    def _folder(self, source_table: str) -> Path:
        return self.root / _RECORDS / slug(source_table)

    def _object(self, sha256: str) -> Path:
        return self.root / _OBJECTS / sha256[:2] / f"{sha256}.gz"

    def _stored(self, sha256: str) -> bytes | None:
        """The bytes with this SHA-256; None where they are not there, or damaged."""
        try:
            body = gzip.decompress(self._object(sha256).read_bytes())
        except (OSError, EOFError, zlib.error):
            return None
        return body if hashlib.sha256(body).hexdigest() == sha256 else None

    def _store(self, body: bytes) -> str:
        sha256 = hashlib.sha256(body).hexdigest()
        if not self.holds(sha256):
            path = self._object(sha256)
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(path, gzip.compress(body, compresslevel=3, mtime=0))
        return sha256


_GET_AGAIN = (
    "The data root was damaged or changed by hand. `btg fetch --force` retrieves a table again, and `btg add` takes a "
    "delivered file in again: the same bytes mend it."
)
_REMOVE = "The data root was damaged or changed by hand: remove this file. `btg fetch --force` fetches the table again."


def _moment_after(last: str, retrieved_at: str) -> str:
    """The beginning of a record's name, such that it sorts after `last`: `20261123T101500Z`, or with `_0001` behind it.

    Of several within one second the later one must also sort later, and so must one that is added after the clock was
    set back: the order of a store is that in which things came.
    """
    moment = re.sub(r"[-:]", "", retrieved_at)
    before, _, number = last.partition("-")[0].partition("_")
    return moment if moment > before else f"{before}_{int(number or 0) + 1:04}"


def _read_record(path: Path) -> Snapshot:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return Snapshot(**record | {"parts": tuple(StoredPart(**part) for part in record["parts"])})
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DamagedSnapshot(path, "the record of a snapshot", remedy=_REMOVE) from error


def _write(path: Path, body: bytes) -> None:
    """In one step, so that a process that is killed leaves no half file. Each writer has a file of its own."""
    # A name of our own rather than a temporary file: that only its owner could read, also in a shared data root.
    new = path.with_name(f".{path.name}.{uuid4().hex}.new")
    try:
        new.write_bytes(body)
        new.replace(path)
    except BaseException:
        # A full disk must not fill up further with what could not be written.
        new.unlink(missing_ok=True)
        raise
