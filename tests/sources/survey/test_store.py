"""Keeping respondents' rows: for their owner's eyes only, not longer than allowed, and nowhere else."""

from __future__ import annotations

import os
import stat
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from catalog.survey_model import Wave
from catalog.yaml_file import YamlFile
from sources.errors import InputError
from sources.survey.answers import COLUMNS
from sources.survey.private_files import DamagedStore, KeyFault, NotPrivate, PrivateFiles, new_key
from sources.survey.store import NoRows, PrivateStore, Record, WaveRefused
from tests.conftest import CHECKOUT

WAVE = YamlFile(CHECKOUT / "catalog" / "survey" / "synthetic_2022.yaml").parse(Wave)
WAVE = WAVE.model_copy(update={"dimensions": WAVE.dimensions[:1]})
LATER = WAVE.model_copy(update={"wave_id": "synthetic_2023", "measurement_year": 2023})
IDS = ["PLANTED-0001", "PLANTED-0002", None]
TODAY = date(2026, 11, 23)
SHA, OTHER_SHA = "a" * 64, "b" * 64
posix = pytest.mark.skipif(os.name != "posix", reason="Windows has no rights for group and others")


def answers(ids: list[str | None] = IDS) -> pl.DataFrame:
    people = len(ids)
    columns = {
        "row": range(2, people + 2),
        "respondent": ids,
        "region_code": ["GM0153"] * people,
        "calibration_region": ["GM0153"] * people,
        "sex": ["female"] * people,
        "age": ["65+"] * people,
        "education": [None] * people,
        "stratum": ["GM0153"] * people,
        "weight": [1.5] * people,
        "population_size": [1000.0] * people,
        "responded": [True] * people,
    }
    items = {item.item: pl.Series([0.25] * people) for item in WAVE.items}
    return pl.DataFrame(columns, schema=COLUMNS).with_columns(**items)


def keep(store: PrivateStore, wave: Wave = WAVE, sha256: str = SHA, **options: bool) -> Record:
    return store.keep(answers(), wave, "survey.sav", sha256, **options)


def files(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file() and path.name != ".lock")


def rows_files(root: Path, wave: Wave = WAVE) -> list[Path]:
    expected = {"record.json", "margins.parquet", "estimates.zip"}
    return [path for path in (root / "private/survey" / wave.wave_id).iterdir() if path.name not in expected]


def events(store: PrivateStore) -> list[str]:
    return [str(line["event"]) for line in store.log()]


# --- rows come back, ids do not


def test_rows_come_back_as_they_were_but_for_the_ids(tmp_path: Path) -> None:
    record = keep(PrivateStore(tmp_path))
    store = PrivateStore(tmp_path)
    rows = store.rows(WAVE.wave_id)
    assert_frame_equal(rows.drop("respondent"), answers().drop("respondent"))
    assert rows["respondent"].is_null().to_list() == [False, False, True]
    assert store.record(WAVE.wave_id) == record
    assert store.waves() == [record]
    assert store.has_rows(WAVE.wave_id)
    assert (record.rows, record.file_name, record.retention_until) == (3, "survey.sav", "2027-12-31")
    assert record.synthetic


def test_no_file_holds_an_id_of_the_institute(tmp_path: Path) -> None:
    store = PrivateStore(tmp_path)
    keep(store)
    store.forget(WAVE.wave_id, today=TODAY, by="analyst", reason="test")
    keep(store, again=True)
    assert len(files(tmp_path)) == 4
    assert not [path for path in files(tmp_path) if b"PLANTED" in path.read_bytes()]
    assert not store.rows(WAVE.wave_id)["respondent"].drop_nulls().str.contains("PLANTED").any()


def test_people_are_found_again_in_another_wave_but_not_in_another_store(tmp_path: Path) -> None:
    store, other = PrivateStore(tmp_path / "one"), PrivateStore(tmp_path / "other")
    keep(store)
    keep(store, LATER, OTHER_SHA)
    keep(other)
    pseudonyms = [s.rows(wave.wave_id)["respondent"] for s, wave in ((store, WAVE), (store, LATER), (other, WAVE))]
    assert pseudonyms[0].equals(pseudonyms[1], null_equal=True)
    assert not set(pseudonyms[0].drop_nulls()) & set(pseudonyms[2].drop_nulls())


def test_rows_without_ids_are_kept_without(tmp_path: Path) -> None:
    store = PrivateStore(tmp_path)
    store.keep(answers([None, None]), WAVE, "survey.sav", SHA)
    assert store.rows(WAVE.wave_id)["respondent"].to_list() == [None, None]


def test_a_column_that_the_wave_does_not_describe_is_not_kept(tmp_path: Path) -> None:
    store = PrivateStore(tmp_path)
    store.keep(answers().with_columns(naam=pl.lit("PLANTED")), WAVE, "survey.sav", SHA)
    assert store.rows(WAVE.wave_id).columns == answers().columns


# --- for the owner only


@posix
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_files_are_the_owners_from_the_first_byte_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, umask: int
) -> None:
    before_the_move: list[int] = []
    move = Path.replace

    def watched(path: Path, target: Path) -> Path:
        before_the_move.append(stat.S_IMODE(path.stat().st_mode))
        return move(path, target)

    monkeypatch.setattr(Path, "replace", watched)
    standing = os.umask(umask)
    try:
        store = PrivateStore(tmp_path)
        keep(store)
        store.keep_margins(WAVE.wave_id, pl.DataFrame({"population": [1.0]}))
        store.keep_estimates(WAVE.wave_id, {"table": pl.DataFrame({"mean": [0.5]})}, {})
    finally:
        os.umask(standing)
    assert before_the_move == [0o600] * 5
    for path in (tmp_path / "private").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path.name
    assert stat.S_IMODE((tmp_path / "private").stat().st_mode) == 0o700


@posix
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
@pytest.mark.parametrize("target", ["private", "private/survey", "private/survey/synthetic_2022", "rows"])
def test_what_others_may_open_is_not_read_and_not_written(tmp_path: Path, target: str, mode: int) -> None:
    store = PrivateStore(tmp_path)
    keep(store)
    path = rows_files(tmp_path)[0] if target == "rows" else tmp_path / target
    path.chmod(mode | 0o100 if path.is_dir() else mode)
    with pytest.raises(NotPrivate, match="chmod -R go-rwx"):
        store.rows(WAVE.wave_id)
    if path.is_dir():
        with pytest.raises(NotPrivate):
            keep(store, LATER, OTHER_SHA) if target != "private/survey/synthetic_2022" else keep(
                store, replace_standing=True
            )


@posix
def test_a_link_is_not_followed(tmp_path: Path) -> None:
    store = PrivateStore(tmp_path)
    keep(store)
    rows = rows_files(tmp_path)[0]
    rows.rename(tmp_path / "elsewhere")
    rows.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DamagedStore):
        store.rows(WAVE.wave_id)


@pytest.mark.parametrize("name", ["../elsewhere", "..", "synthetic_2022/../other", "C:"])
def test_a_wave_id_leads_nowhere_else(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="private folder"):
        PrivateStore(tmp_path).rows(name)
    with pytest.raises(NoRows):
        PrivateStore(tmp_path).forget(name, today=TODAY, by="analyst", reason="test")


# --- encryption


def test_with_a_key_no_file_can_be_read_without_it(tmp_path: Path) -> None:
    key = new_key()
    store = PrivateStore(tmp_path, key)
    keep(store)
    store.keep_margins(WAVE.wave_id, pl.DataFrame({"population": [1.0]}))
    store.keep_estimates(WAVE.wave_id, {"table": pl.DataFrame({"mean": [0.5]})}, {"code": "1"})
    plain = {path.name for path in files(tmp_path) if not path.read_bytes().startswith(b"BTG-AES-256-GCM\n")}
    assert plain == {"record.json", "log.jsonl"}
    assert not [path for path in files(tmp_path) if b"PAR1" in path.read_bytes()]

    again = PrivateStore(tmp_path, key)
    assert again.rows(WAVE.wave_id).height == 3
    assert again.margins(WAVE.wave_id) is not None
    assert again.estimates(WAVE.wave_id) is not None
    with pytest.raises(KeyFault, match="Set BTG_SURVEY_KEY to the key with which it was kept"):
        PrivateStore(tmp_path).rows(WAVE.wave_id)
    with pytest.raises(KeyFault, match="holds another key"):
        PrivateStore(tmp_path, new_key()).rows(WAVE.wave_id)


def test_equal_rows_are_never_encrypted_to_equal_bytes(tmp_path: Path) -> None:
    store = PrivateStore(tmp_path, new_key())
    keep(store)
    first = rows_files(tmp_path)[0].read_bytes()
    keep(store, replace_standing=True)
    assert rows_files(tmp_path)[0].read_bytes() != first


@pytest.mark.parametrize("key", ["short", "not base64!", "QUJD", new_key() + "AAAA", " "])
def test_a_malformed_key_is_refused_without_being_shown(tmp_path: Path, key: str) -> None:
    with pytest.raises(KeyFault, match="32 bytes in base64") as refused:
        PrivateStore(tmp_path, key)
    assert key.strip() == "" or key not in str(refused.value)


def test_a_key_may_be_written_for_web_addresses(tmp_path: Path) -> None:
    key = new_key()
    keep(PrivateStore(tmp_path, key))
    assert PrivateStore(tmp_path, f" {key.replace('+', '-').replace('/', '_')}\n").rows(WAVE.wave_id).height == 3


def test_an_encrypted_file_that_was_changed_or_moved_does_not_open(tmp_path: Path) -> None:
    key = new_key()
    store = PrivateStore(tmp_path, key)
    keep(store)
    keep(store, LATER, OTHER_SHA)
    store.keep_margins(WAVE.wave_id, pl.DataFrame({"population": [1.0]}))
    folder = tmp_path / "private/survey"
    (folder / WAVE.wave_id / "margins.parquet").rename(folder / LATER.wave_id / "margins.parquet")
    rows = rows_files(tmp_path)[0]
    body = bytearray(rows.read_bytes())
    body[-1] ^= 1
    rows.write_bytes(body)
    for read in (lambda: store.margins(LATER.wave_id), lambda: store.rows(WAVE.wave_id)):
        with pytest.raises(KeyFault):
            read()


def test_a_key_that_comes_later_seals_what_was_kept_before(tmp_path: Path) -> None:
    plain = PrivateStore(tmp_path)
    keep(plain)
    plain.keep_margins(WAVE.wave_id, pl.DataFrame({"population": [1.0]}))
    before = plain.rows(WAVE.wave_id)
    assert plain.seal() == []
    store = PrivateStore(tmp_path, new_key())
    assert_frame_equal(store.rows(WAVE.wave_id), before)
    assert len(store.seal()) == 3
    assert store.seal() == []
    assert [record.encrypted for record in store.waves()] == [True]
    assert_frame_equal(store.rows(WAVE.wave_id), before)
    with pytest.raises(KeyFault):
        plain.rows(WAVE.wave_id)


# --- adding twice


def test_the_same_file_twice_is_said_and_changes_nothing(tmp_path: Path) -> None:
    store = PrivateStore(tmp_path)
    keep(store)
    before = {path: path.read_bytes() for path in files(tmp_path)}
    with pytest.raises(
        WaveRefused, match=r"expected a file that is not kept yet; this one is \(survey.sav, kept since"
    ):
        keep(store)
    assert {path: path.read_bytes() for path in files(tmp_path)} == before


def test_the_file_of_another_wave_is_refused(tmp_path: Path) -> None:
    store = PrivateStore(tmp_path)
    keep(store)
    for anyway in (False, True):
        with pytest.raises(WaveRefused, match="another file than that of wave synthetic_2022"):
            keep(store, LATER, replace_standing=anyway)


def test_another_file_replaces_the_standing_rows_only_on_purpose(tmp_path: Path) -> None:
    store = PrivateStore(tmp_path)
    keep(store)
    with pytest.raises(WaveRefused, match=r"there are those of survey\.sav"):
        keep(store, sha256=OTHER_SHA)
    store.keep(answers(["x", "y"]), WAVE, "better.sav", OTHER_SHA, replace_standing=True)
    assert store.rows(WAVE.wave_id).height == 2
    assert len(rows_files(tmp_path)) == 1
    assert events(store) == ["kept", "replaced"]


def test_the_same_file_read_by_another_description_is_another_wave_of_rows(tmp_path: Path) -> None:
    store = PrivateStore(tmp_path)
    keep(store)
    turned = WAVE.model_copy(update={"title": "another description"})
    with pytest.raises(WaveRefused, match="read by another description"):
        keep(store, turned)
    assert keep(store, turned, replace_standing=True).wave_sha256 != keep(store, replace_standing=True).wave_sha256


def test_a_wave_of_aggregates_has_no_rows_to_keep(tmp_path: Path) -> None:
    with pytest.raises(WaveRefused, match="a wave of rows"):
        keep(PrivateStore(tmp_path), WAVE.model_copy(update={"retention_until": None}))


# --- retention


def test_rows_are_due_after_the_day_until_which_they_may_be_kept(tmp_path: Path) -> None:
    store = PrivateStore(tmp_path)
    keep(store, WAVE.model_copy(update={"retention_until": date(2027, 6, 30)}))
    keep(store, LATER, OTHER_SHA)
    assert store.due(date(2027, 6, 30)) == []
    assert [record.wave_id for record in store.due(date(2027, 7, 1))] == [WAVE.wave_id]
    store.forget(WAVE.wave_id, today=TODAY, by="analyst", reason="retention")
    assert store.due(date(2027, 7, 1)) == []


def test_deleting_removes_the_rows_and_keeps_what_an_edition_is_made_again_from(tmp_path: Path) -> None:
    store = PrivateStore(tmp_path, new_key())
    keep(store)
    keep(store, LATER, OTHER_SHA)
    estimates = {"total": pl.DataFrame({"mean": [0.5]}), "by_age": pl.DataFrame({"mean": [0.25, None]})}
    store.keep_estimates(WAVE.wave_id, estimates, {"rows_sha256": "c" * 64})
    store.keep_margins(WAVE.wave_id, pl.DataFrame({"population": [1.0]}))

    # Without the key: what must be deleted can be, also when the key is lost.
    PrivateStore(tmp_path).forget(WAVE.wave_id, today=TODAY, by="M. Analyst", reason="retention\u2028date")

    assert rows_files(tmp_path) == []
    assert not store.has_rows(WAVE.wave_id)
    assert store.has_rows(LATER.wave_id)
    with pytest.raises(NoRows, match="deleted on 2026-11-23"):
        store.rows(WAVE.wave_id)
    stored = store.estimates(WAVE.wave_id)
    assert stored is not None
    assert list(stored.frames) == ["total", "by_age"]
    assert_frame_equal(stored.frames["by_age"], estimates["by_age"])
    assert stored.fingerprint == {"rows_sha256": "c" * 64}
    assert store.margins(WAVE.wave_id) is not None
    line = store.log()[-1]
    assert (line["event"], line["wave_id"], line["rows"]) == ("deleted", WAVE.wave_id, 3)
    assert (line["by"], line["reason"], line["at"]) == ("M. Analyst", "retention\u2028date", "2026-11-23")
    with pytest.raises(WaveRefused, match="stay as they are"):
        store.keep_estimates(WAVE.wave_id, {}, {})


def test_deleting_twice_changes_nothing(tmp_path: Path) -> None:
    store = PrivateStore(tmp_path)
    keep(store)
    first = store.forget(WAVE.wave_id, today=TODAY, by="one", reason="first")
    assert store.forget(WAVE.wave_id, today=TODAY, by="other", reason="second") == first
    assert events(store) == ["kept", "deleted"]


def test_deleted_rows_are_added_again_only_on_purpose(tmp_path: Path) -> None:
    store = PrivateStore(tmp_path)
    keep(store)
    store.forget(WAVE.wave_id, today=TODAY, by="analyst", reason="mistake")
    with pytest.raises(WaveRefused, match="those of this one were"):
        keep(store, replace_standing=True)
    keep(store, again=True)
    assert store.has_rows(WAVE.wave_id)
    assert events(store) == ["kept", "deleted", "kept_again"]


class Stopped(BaseException):
    """The process was killed here."""


@pytest.mark.parametrize("step", ["remove", "append"])
def test_a_deletion_that_was_stopped_is_finished_by_the_next_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    keep(PrivateStore(tmp_path))

    def stop(*_: object) -> None:
        raise Stopped

    with monkeypatch.context() as patched:
        patched.setattr(PrivateFiles, step, stop)
        with pytest.raises(Stopped):
            PrivateStore(tmp_path).forget(WAVE.wave_id, today=TODAY, by="analyst", reason="retention")
    assert len(rows_files(tmp_path)) == (step == "remove")

    store = PrivateStore(tmp_path)
    assert store.due(date(2100, 1, 1)) == []
    assert rows_files(tmp_path) == []
    assert events(store) == ["kept", "deleted"]
    assert not store.has_rows(WAVE.wave_id)


@pytest.mark.parametrize("standing", [False, True])
def test_rows_that_were_written_halfway_do_not_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, standing: bool
) -> None:
    """Stopped between the rows and their record: what stood before stands, and no stray rows remain."""
    if standing:
        keep(PrivateStore(tmp_path))

    def stop(*_: object) -> None:
        raise Stopped

    with monkeypatch.context() as patched:
        patched.setattr(PrivateStore, "_write_record", stop)
        with pytest.raises(Stopped):
            PrivateStore(tmp_path).keep(answers(["x"]), WAVE, "new.sav", OTHER_SHA, replace_standing=True)
    assert len(rows_files(tmp_path)) == 1 + standing
    store = PrivateStore(tmp_path)
    assert [record.rows for record in store.waves()] == [3] * standing
    assert len(rows_files(tmp_path)) == standing


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            keep(PrivateStore(tmp_path))
    assert files(tmp_path) == []


def test_half_a_line_in_the_log_does_not_hide_the_others(tmp_path: Path) -> None:
    store = PrivateStore(tmp_path)
    keep(store)
    log = tmp_path / "private/survey/log.jsonl"
    log.write_text(log.read_text() + '{"at": "2026-')
    store.forget(WAVE.wave_id, today=TODAY, by="analyst", reason="retention")
    assert events(store) == ["kept", "deleted"]


# --- what is damaged, absent or wrong is said without showing anything


@pytest.mark.parametrize("name", ["record.json", "rows", "estimates.zip", "margins.parquet"])
def test_damaged_files_are_named_and_nothing_of_them_is_shown(tmp_path: Path, name: str) -> None:
    store = PrivateStore(tmp_path)
    keep(store)
    store.keep_margins(WAVE.wave_id, pl.DataFrame({"population": [1.0]}))
    store.keep_estimates(WAVE.wave_id, {"table": pl.DataFrame({"mean": [0.5]})}, {})
    path = rows_files(tmp_path)[0] if name == "rows" else tmp_path / "private/survey" / WAVE.wave_id / name
    path.write_bytes(b"PLANTED" + path.read_bytes()[:40])
    read = {"record.json": store.record, "estimates.zip": store.estimates, "margins.parquet": store.margins}
    with pytest.raises(DamagedStore) as damaged:
        read.get(name, store.rows)(WAVE.wave_id)
    assert path.name in str(damaged.value)
    assert "PLANTED" not in str(damaged.value)


def test_what_was_never_kept_is_not_there(tmp_path: Path) -> None:
    store = PrivateStore(tmp_path)
    assert store.waves() == store.due(date(2100, 1, 1)) == store.log() == []
    assert store.record("real_2025") is store.estimates("real_2025") is store.margins("real_2025") is None
    assert not store.has_rows("real_2025")
    with pytest.raises(NoRows):
        store.rows("real_2025")
    with pytest.raises(NoRows, match="Those are: none"):
        store.forget("real_2025", today=TODAY, by="analyst", reason="test")
    store.keep_estimates("real_2025", {}, {"tables": "of the institute"})
    assert store.estimates("real_2025") is not None
    assert store.waves() == []


def test_no_refusal_shows_an_id_or_an_answer(tmp_path: Path) -> None:
    store = PrivateStore(tmp_path)
    keep(store)
    for options in ({}, {"sha256": OTHER_SHA}, {"wave": LATER}):
        with pytest.raises(InputError) as refused:
            keep(store, **options)  # type: ignore[arg-type]
        assert "PLANTED" not in str(refused.value)
        assert "0.25" not in str(refused.value)
    assert "PLANTED" not in repr(store.record(WAVE.wave_id)) + repr(store)
