"""Where respondents' rows are kept: one private folder, readable by its owner alone.

<data root>/private/survey/
    secret                       with which respondents' ids are hashed; one for all waves, so that panels are found
    log.jsonl                    what was kept, replaced and deleted: when, how many rows, by whom, why
    <wave_id>/record.json        what is kept of a wave; stays when the rows are deleted
    <wave_id>/rows-….parquet     its respondents
    <wave_id>/margins.parquet    the population numbers that came with it
    <wave_id>/estimates.zip      estimates before disclosure control, from which an edition is made again

Every file is written in one step, and for its owner only from the first byte on. Rows count as kept when the record
names them, and as deleted when the record says so: whatever else a stopped process left is removed by the next one.

With a key (BTG_SURVEY_KEY) rows, margins, estimates and secret are encrypted. Record and log hold no personal data and
stay readable: also without the key it is known what must be deleted, and it can be.

No message of this module holds a row, an id or an answer.
"""

# ruff: noqa: N818 - an error is named after the fault, as in sources.errors

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import polars as pl

from catalog.survey_model import Wave
from sources.errors import InputError
from sources.snapshots import now
from sources.survey.answers import COLUMNS
from sources.survey.identifiers import pseudonyms
from sources.survey.private_files import KEY, PrivateFiles

__all__ = ["KEY", "NoRows", "PrivateStore", "Record", "Stored", "WaveRefused", "wave_sha256"]

_RECORD, _MARGINS, _ESTIMATES = "record.json", "margins.parquet", "estimates.zip"
_SECRET, _SECRET_BYTES, _LOG = "secret", 32, "log.jsonl"
_FINGERPRINT = "fingerprint.json"
# Of every entry of a zip file, so that equal estimates are equal bytes.
_DATE = (1980, 1, 1, 0, 0, 0)


class WaveRefused(InputError):
    """A wave that is kept already, whose rows were deleted, or that has no rows to keep."""


class NoRows(InputError):
    """Rows that are asked for and not kept: never were, or deleted."""


@dataclass(frozen=True)
class Record:
    """What is kept of a wave. `rows` is how many respondents there were, also after they were deleted.

    `wave_sha256` is that of the description with which the file was read, `rows_sha256` that of the stored rows before
    encryption. `kept_at` is a moment in UTC; `retention_until` and `deleted_at` are days.
    """

    wave_id: str
    measurement_year: int
    synthetic: bool
    file_name: str
    file_sha256: str
    wave_sha256: str
    rows: int
    rows_sha256: str
    encrypted: bool
    kept_at: str
    retention_until: str
    deleted_at: str | None = None
    deleted_by: str | None = None
    deleted_reason: str | None = None

    @property
    def rows_file(self) -> str:
        """The name of the file with the rows."""
        return f"rows-{self.rows_sha256[:16]}.parquet"


@dataclass(frozen=True, repr=False)
class Stored:
    """Estimates as they were kept, and what they were made from."""

    frames: dict[str, pl.DataFrame]
    fingerprint: dict[str, str]
    kept_at: str


def wave_sha256(wave: Wave) -> str:
    """The SHA-256 of a wave's description: another one reads other rows from the same file."""
    return hashlib.sha256(wave.model_dump_json().encode()).hexdigest()


class PrivateStore:
    """The private folder of a data root. `key` encrypts what is written and opens what is encrypted."""

    def __init__(self, root: Path, key: str | None = None) -> None:
        self._files = PrivateFiles(root / "private" / "survey", key)

    # --- rows

    def keep(
        self,
        answers: pl.DataFrame,
        wave: Wave,
        file_name: str,
        sha256_of_original: str,
        *,
        replace_standing: bool = False,
        again: bool = False,
    ) -> Record:
        """Keep a wave's respondents (a frame as Answers.frame), their ids hashed with the secret of this folder.

        Raises WaveRefused, and keeps nothing, where this file is kept already or another file (or the same one, read by
        another description) is kept for this wave, unless `replace_standing`; where it is kept for another wave; and
        where the wave's rows were deleted, unless `again`.
        """
        with self._files.lock():
            standing = self.record(wave.wave_id)
            self._refuse(wave, file_name, sha256_of_original, standing, replace_standing, again)
            rows = self.pseudonymised(answers).select(*COLUMNS, *(item.item for item in wave.items))
            body = _parquet(rows)
            record = Record(
                wave_id=wave.wave_id,
                measurement_year=wave.measurement_year,
                synthetic=wave.synthetic,
                file_name=Path(file_name).name,
                file_sha256=sha256_of_original,
                wave_sha256=wave_sha256(wave),
                rows=rows.height,
                rows_sha256=hashlib.sha256(body).hexdigest(),
                encrypted=self._files.encrypts,
                kept_at=now(),
                retention_until=str(wave.retention_until),
            )
            self._files.write(f"{wave.wave_id}/{record.rows_file}", body)
            self._write_record(record)
            self._log("kept" if standing is None else "kept_again" if standing.deleted_at else "replaced", record)
            self._finish(wave.wave_id, record)
            return record

    def pseudonymised(self, answers: pl.DataFrame) -> pl.DataFrame:
        """Answers with the ids hashed as in the rows that are kept, so that people are found in both."""
        return answers.with_columns(pseudonyms(answers["respondent"], self._secret()).alias("respondent"))

    def rows(self, wave_id: str) -> pl.DataFrame:
        """The respondents of a wave. Raises NoRows, KeyFault, NotPrivate or DamagedStore."""
        record = self.record(wave_id)
        if record is None or record.deleted_at:
            when = f"; they were deleted on {record.deleted_at}" if record and record.deleted_at else ""
            raise NoRows(f"wave {wave_id}", f"rows of respondents{when}", remedy="Only what is kept can be read.")
        name = f"{wave_id}/{record.rows_file}"
        body = self._files.read(name)
        if body is None or hashlib.sha256(body).hexdigest() != record.rows_sha256:
            raise self._files.damaged(name)
        return self._frame(name, body)

    def has_rows(self, wave_id: str) -> bool:
        """Whether a wave's respondents are kept."""
        record = self.record(wave_id)
        return record is not None and record.deleted_at is None

    def record(self, wave_id: str) -> Record | None:
        """What is kept of a wave; None where nothing ever was. Finishes what a stopped process left half done."""
        record = self._known(wave_id)
        if self._is_unfinished(wave_id, record):
            with self._files.lock():
                # Another process may have been at work until now.
                record = self._known(wave_id)
                self._finish(wave_id, record)
        return record

    def waves(self) -> list[Record]:
        """The records of all waves whose rows are or were kept, in order of measurement year."""
        found = [record for name in self._files.folders() if (record := self.record(name))]
        return sorted(found, key=lambda record: (record.measurement_year, record.wave_id))

    def seal(self) -> list[str]:
        """Encrypt what was kept before there was a key; returns the names of those files. Without a key: none.

        The disk may still hold the old bytes somewhere: a key is best set before the first wave is kept.
        """
        if not (self._files.encrypts and self.waves()):
            return []
        with self._files.lock():
            sealed = [_SECRET] if self._files.seal(_SECRET) else []
            for record in self.waves():
                names = [f"{record.wave_id}/{file}" for file in sorted(_standing(record) - {_RECORD})]
                sealed += [name for name in names if self._files.seal(name)]
                self._write_record(dataclasses.replace(record, encrypted=self._files.encrypts or record.encrypted))
            return sealed

    # --- retention

    def due(self, today: date) -> list[Record]:
        """The waves whose rows are still kept after the day until which they may be."""
        return [r for r in self.waves() if r.deleted_at is None and date.fromisoformat(r.retention_until) < today]

    def forget(self, wave_id: str, *, today: date, by: str, reason: str) -> Record:
        """Delete a wave's rows, for good; its record, margins and estimates stay. `by` and `reason` go to the log.

        The file is removed, not overwritten: a solid-state disk writes elsewhere, and backups are out of reach. Who
        needs more encrypts the rows: without the key, no copy of them can be read. Deleting twice changes nothing.
        Needs no key. Raises NoRows where no rows were ever kept.
        """
        with self._files.lock():
            known = {record.wave_id: record for record in self.waves()}
            if wave_id not in known:
                listed = ", ".join(known) or "none"
                raise NoRows(f"wave {wave_id}", "a wave whose rows are or were kept", remedy=f"Those are: {listed}.")
            record = known[wave_id]
            if record.deleted_at is None:
                record = dataclasses.replace(record, deleted_at=today.isoformat(), deleted_by=by, deleted_reason=reason)
                # From here on the rows count as deleted, whatever happens next.
                self._write_record(record)
                self._finish(wave_id, record)
            return record

    def log(self) -> list[dict[str, str | int | None]]:
        """What was `kept`, `replaced`, `deleted` and `kept_again`, oldest first.

        Each with `at`, `event`, `wave_id`, `kept_at`, `rows`, and of a deletion `by` and `reason`.
        """
        body = self._files.read(_LOG) or b""
        # A process that was stopped while writing leaves half a line.
        return [json.loads(line) for line in body.decode(errors="replace").split("\n") if line.endswith("}")]

    # --- what stays when rows are deleted

    def keep_estimates(self, wave_id: str, frames: Mapping[str, pl.DataFrame], fingerprint: Mapping[str, str]) -> None:
        """Keep estimates before disclosure control, with what they were made from (checksums, settings, version).

        Raises WaveRefused where the wave's rows were deleted: what stands could not be made again.
        """
        record = self.record(wave_id)
        if record and record.deleted_at:
            raise WaveRefused(
                f"wave {wave_id}",
                "estimates made from rows that are still kept",
                remedy="The rows were deleted: the estimates that were stored then stay as they are.",
            )
        body = io.BytesIO()
        with zipfile.ZipFile(body, "w") as archive:
            said = {"kept_at": now(), "frames": list(frames), "fingerprint": dict(fingerprint)}
            archive.writestr(zipfile.ZipInfo(_FINGERPRINT, _DATE), json.dumps(said, indent=1))
            for name, frame in frames.items():
                archive.writestr(zipfile.ZipInfo(f"{name}.parquet", _DATE), _parquet(frame))
        with self._files.lock():
            self._files.write(f"{wave_id}/{_ESTIMATES}", body.getvalue())

    def has_estimates(self, wave_id: str) -> bool:
        """Whether estimates of a wave are kept; needs no key."""
        return self._files.holds(f"{wave_id}/{_ESTIMATES}")

    def estimates(self, wave_id: str) -> Stored | None:
        """The estimates of a wave as they were kept; None where there are none."""
        name = f"{wave_id}/{_ESTIMATES}"
        body = self._files.read(name)
        if body is None:
            return None
        try:
            with zipfile.ZipFile(io.BytesIO(body)) as archive:
                said = json.loads(archive.read(_FINGERPRINT))
                frames = {key: self._frame(name, archive.read(f"{key}.parquet")) for key in said["frames"]}
            return Stored(frames, said["fingerprint"], said["kept_at"])
        except (zipfile.BadZipFile, ValueError, KeyError, TypeError):
            raise self._files.damaged(name) from None

    def keep_margins(self, wave_id: str, margins: pl.DataFrame) -> None:
        """Keep the population numbers that came with a wave."""
        with self._files.lock():
            self._files.write(f"{wave_id}/{_MARGINS}", _parquet(margins))

    def margins(self, wave_id: str) -> pl.DataFrame | None:
        """The population numbers that came with a wave; None where there are none."""
        name = f"{wave_id}/{_MARGINS}"
        body = self._files.read(name)
        return None if body is None else self._frame(name, body)

    # --- within

    def _refuse(
        self, wave: Wave, file_name: str, sha256: str, standing: Record | None, replace_standing: bool, again: bool
    ) -> None:
        """Raises WaveRefused where these rows may not be kept; only reads."""
        if wave.retention_until is None:
            expected, remedy = "a wave of rows", "A wave of aggregates has no respondents to keep."
        elif twin := next((r for r in self.waves() if r.file_sha256 == sha256 and r.wave_id != wave.wave_id), None):
            expected = f"another file than that of wave {twin.wave_id}; this is the same one"
            remedy = "Look to which wave it belongs."
        elif standing and standing.deleted_at and not again:
            expected = f"a wave whose rows were not deleted; those of this one were, on {standing.deleted_at}"
            remedy = "Only if there is a new ground for keeping them: add them again on purpose (--again)."
        elif standing and not standing.deleted_at and not replace_standing:
            since = f"{standing.file_name}, kept since {standing.kept_at[:10]}"
            if standing.file_sha256 != sha256:
                expected = f"no rows of this wave yet; there are those of {since}"
            elif standing.wave_sha256 != wave_sha256(wave):
                expected = (
                    f"no rows of this wave yet; there are those of this file, read by another description ({since})"
                )
            else:
                expected = f"a file that is not kept yet; this one is ({since})"
            remedy = "Replace them on purpose where the new ones are better (--replace)."
        else:
            return
        place = f"wave {wave.wave_id}, {Path(file_name).name}"
        raise WaveRefused(place, expected, remedy=f"Nothing was kept or changed. {remedy}")

    def _known(self, wave_id: str) -> Record | None:
        """The record as it stands."""
        name = f"{wave_id}/{_RECORD}"
        body = self._files.read(name)
        try:
            return None if body is None else Record(**json.loads(body))
        except (ValueError, TypeError):
            raise self._files.damaged(name) from None

    def _write_record(self, record: Record) -> None:
        body = json.dumps(asdict(record), indent=1, ensure_ascii=False).encode()
        self._files.write(f"{record.wave_id}/{_RECORD}", body, plain=True)

    def _is_unfinished(self, wave_id: str, record: Record | None) -> bool:
        return bool(self._files.others(wave_id, _standing(record))) or self._must_log(record)

    def _finish(self, wave_id: str, record: Record | None) -> None:
        """Remove rows that no record names, and write a deletion in the log that is not there yet."""
        self._files.remove(self._files.others(wave_id, _standing(record)))
        if record and self._must_log(record):
            self._log("deleted", record)

    def _must_log(self, record: Record | None) -> bool:
        return record is not None and record.deleted_at is not None and _line("deleted", record) not in self.log()

    def _log(self, event: str, record: Record) -> None:
        self._files.append(_LOG, json.dumps(_line(event, record)))

    def _secret(self) -> bytes:
        """The key of the pseudonyms, made once."""
        if (secret := self._files.read(_SECRET)) is None:
            secret = os.urandom(_SECRET_BYTES)
            self._files.write(_SECRET, secret)
        return secret

    def _frame(self, name: str, body: bytes) -> pl.DataFrame:
        try:
            return pl.read_parquet(io.BytesIO(body))
        except (pl.exceptions.PolarsError, OSError):
            raise self._files.damaged(name) from None


def _line(event: str, record: Record) -> dict[str, str | int | None]:
    deleted = event == "deleted"
    return {
        "at": record.deleted_at if deleted else record.kept_at,
        "event": event,
        "wave_id": record.wave_id,
        "kept_at": record.kept_at,
        "rows": record.rows,
        "by": record.deleted_by if deleted else None,
        "reason": record.deleted_reason if deleted else None,
    }


def _standing(record: Record | None) -> set[str]:
    """The files of a wave that belong there: rows only where its record names them."""
    rows = {record.rows_file} if record and record.deleted_at is None else set()
    return {_RECORD, _MARGINS, _ESTIMATES} | rows


def _parquet(frame: pl.DataFrame) -> bytes:
    body = io.BytesIO()
    frame.write_parquet(body)
    return body.getvalue()
