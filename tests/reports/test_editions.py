"""The life of editions on disk: which there are, what was signed, and whether a final one is still as it was."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import polars as pl
import pytest

from catalog import load_catalogue
from reports import edition_folder, editions
from reports.edition_folder import clear_leftovers
from reports.editions import (
    DamagedEdition,
    State,
    add_erratum,
    drafts,
    errata,
    faults,
    finals,
    folder_of,
    make_read_only,
    newest_final,
    next_name,
    publish_folder,
    read_state,
    standing,
    state_file,
    write_state,
    write_sums,
)

ENSCHEDE_2022 = "measurement_year=2022|indicator_id=mean_income|region_code=GM0153|breakdown=total"


def fill(folder: Path, text: str = "a,b\n1,2\n") -> Path:
    """A small folder in the shape of an edition."""
    (folder / "csv").mkdir(parents=True)
    (folder / "csv" / "theme.csv").write_text(text)
    (folder / "btg.duckdb").write_bytes(b"database")
    return folder


def draft(root: Path, year: int) -> None:
    fill(root / "editions" / f"{year}-draft")


def sign_off(name: str, sums: str = "0" * 64, supersedes: str | None = None) -> State:
    reason = "The income of 2022 was revised." if supersedes else None
    return State(name, "2026-03-01T10:00:00+00:00", "A. Analyst", sums, supersedes, reason)


def building(root: Path, name: str) -> Path:
    return fill(root / "editions" / f".{name}.building")


def publish(root: Path, name: str, supersedes: str | None = None) -> Path:
    new = building(root, name)
    return publish_folder(root, new, sign_off(name, write_sums(new), supersedes))


# --- which editions there are


def test_final_editions_stand_in_the_order_of_year_and_serial(tmp_path: Path) -> None:
    for name in ("2025-2", "2025-10", "2024-1", "2025-1"):
        publish(tmp_path, name)
    draft(tmp_path, 2026)
    assert finals(tmp_path) == ["2024-1", "2025-1", "2025-2", "2025-10"]
    assert newest_final(tmp_path) == "2025-10"
    assert newest_final(tmp_path, not_after=2024) == "2024-1"
    assert newest_final(tmp_path, not_after=2023) is None


def test_what_is_no_whole_edition_does_not_count(tmp_path: Path) -> None:
    for name in ("2025-1", ".2025-1.building", "2025-01", "2025-0", "2025", "notes"):
        fill(tmp_path / "editions" / name)  # copied half-way: neither checksums nor a state
    (tmp_path / "editions" / "2025-3").write_text("a file")
    (tmp_path / "editions" / "2025-draft").mkdir()
    assert finals(tmp_path) == []
    assert drafts(tmp_path) == []
    assert standing(tmp_path) is None


def test_readers_open_the_newest_final_edition_else_the_newest_draft(tmp_path: Path) -> None:
    assert standing(tmp_path) is None
    draft(tmp_path, 2025)
    draft(tmp_path, 2026)
    assert drafts(tmp_path) == ["2025-draft", "2026-draft"]
    assert standing(tmp_path) == "2026-draft"
    publish(tmp_path, "2025-1")
    assert standing(tmp_path) == "2025-1"


def test_a_name_is_never_given_twice(tmp_path: Path) -> None:
    assert next_name(tmp_path, 2025) == "2025-1"
    draft(tmp_path, 2025)
    publish(tmp_path, "2024-1")
    assert next_name(tmp_path, 2025) == "2025-1"
    for name in ("2025-1", "2025-9", "2025-10"):
        publish(tmp_path, name)
    assert next_name(tmp_path, 2025) == "2025-11"
    shutil.rmtree(tmp_path / "editions" / "2025-10")  # lost, but somebody may have cited it
    assert next_name(tmp_path, 2025) == "2025-11"


@pytest.mark.parametrize("name", ["../elsewhere", "a/b", "..", "", "/etc"])
def test_a_name_never_leads_out_of_the_editions(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="not the name of an edition"):
        folder_of(tmp_path, name)


# --- what was decided


def test_what_was_signed_is_read_back(tmp_path: Path) -> None:
    publish(tmp_path, "2025-1")
    state = dataclasses.replace(sign_off("2025-1"), reason="Opgehaald in één keer", published_by=None)
    write_state(tmp_path, state)
    assert read_state(tmp_path, "2025-1") == state
    assert "één" in state_file(tmp_path, "2025-1").read_text(encoding="utf-8")


def test_the_state_names_the_checksum_of_the_checksums(tmp_path: Path) -> None:
    folder = publish(tmp_path, "2025-1")
    assert faults(folder, read_state(tmp_path, "2025-1").sums_sha256) == []


def test_the_newer_edition_says_what_it_supersedes(tmp_path: Path) -> None:
    publish(tmp_path, "2025-1")
    assert read_state(tmp_path, "2025-1").superseded_by is None
    publish(tmp_path, "2025-2", supersedes="2025-1")
    publish(tmp_path, "2025-3", supersedes="2025-2")
    assert [read_state(tmp_path, name).superseded_by for name in finals(tmp_path)] == ["2025-2", "2025-3", None]
    assert read_state(tmp_path, "2025-2").reason == "The income of 2022 was revised."
    assert json.loads(state_file(tmp_path, "2025-1").read_text())["superseded_by"] == "2025-2"


def test_superseding_that_was_cut_off_before_the_older_edition_knew_is_known_all_the_same(tmp_path: Path) -> None:
    publish(tmp_path, "2025-1")
    new = building(tmp_path, "2025-2")
    write_state(tmp_path, sign_off("2025-2", write_sums(new), "2025-1"))
    new.rename(folder_of(tmp_path, "2025-2"))
    assert json.loads(state_file(tmp_path, "2025-1").read_text())["superseded_by"] is None
    assert read_state(tmp_path, "2025-1").superseded_by == "2025-2"


def test_what_stands_is_never_published_again(tmp_path: Path) -> None:
    folder = publish(tmp_path, "2025-1")
    signed = read_state(tmp_path, "2025-1")
    with pytest.raises(FileExistsError):
        publish_folder(tmp_path, building(tmp_path, "2025-1"), dataclasses.replace(signed, published_by="B"))
    assert faults(folder, signed.sums_sha256) == []
    assert read_state(tmp_path, "2025-1") == signed
    clear_leftovers(tmp_path)
    assert sorted(path.name for path in (tmp_path / "editions").iterdir()) == ["2025-1", "2025-1.state.json"]


class Killed(BaseException):
    """The process ends here."""


def test_publishing_killed_before_the_folder_has_its_name_has_not_happened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill(*_: object) -> None:
        raise Killed

    monkeypatch.setattr(editions, "place_folder", kill)
    with pytest.raises(Killed):
        publish(tmp_path, "2025-1")
    monkeypatch.undo()
    assert finals(tmp_path) == []
    assert next_name(tmp_path, 2025) == "2025-1"
    clear_leftovers(tmp_path)
    assert list((tmp_path / "editions").iterdir()) == []
    publish(tmp_path, "2025-1")
    assert finals(tmp_path) == ["2025-1"]


@pytest.mark.parametrize("cleared", [False, True], ids=["a reader", "the next run"])
def test_publishing_killed_after_the_folder_has_its_name_is_finished_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cleared: bool
) -> None:
    def kill(*_: object) -> None:
        raise Killed

    monkeypatch.setattr(editions, "settle", kill)
    with pytest.raises(Killed):
        publish(tmp_path, "2025-1")
    monkeypatch.undo()
    if cleared:
        clear_leftovers(tmp_path)
        assert state_file(tmp_path, "2025-1").exists()
    assert standing(tmp_path) == "2025-1"
    assert read_state(tmp_path, "2025-1").published_by == "A. Analyst"
    assert next_name(tmp_path, 2025) == "2025-2"
    add_erratum(tmp_path, "2025-1", text="Wrong", table_name="t", row_keys=["a=1"], by=None, at="2026-04-01T00:00:00Z")
    assert len(read_state(tmp_path, "2025-1").errata) == 1


def test_a_sign_off_that_gets_its_name_between_two_looks_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader in the very moment of publishing: at first no file has the name, then none waits for it any more."""
    publish(tmp_path, "2025-1")
    file = state_file(tmp_path, "2025-1")
    waiting = file.replace(edition_folder.beside(file, "pending"))
    read, seen = Path.read_bytes, []

    def read_and_be_overtaken(path: Path) -> bytes:
        seen.append(path)
        try:
            return read(path)
        finally:
            if len(seen) == 1:
                waiting.replace(file)

    monkeypatch.setattr(Path, "read_bytes", read_and_be_overtaken)
    assert read_state(tmp_path, "2025-1").published_by == "A. Analyst"
    assert seen[:3] == [file, waiting, file]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "the sign-off of edition 2025-1 is missing"),
        (b"", "cannot be understood"),
        (b'{"edition": "2025-1", "publ', "cannot be understood"),
        (b'{"edition": "2025-1"}', "published_at: Field required"),
        (b"\xff\xfe", "cannot be understood"),
        (json.dumps(dataclasses.asdict(sign_off("2024-1"))).encode(), "belongs to edition 2024-1"),
    ],
    ids=["missing", "empty", "cut off", "incomplete", "no text", "of another edition"],
)
def test_a_damaged_state_is_said_with_what_to_do(tmp_path: Path, content: bytes | None, said: str) -> None:
    publish(tmp_path, "2025-1")
    file = state_file(tmp_path, "2025-1")
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content)
    with pytest.raises(DamagedEdition, match=said) as caught:
        read_state(tmp_path, "2025-1")
    assert caught.value.path == file
    assert str(caught.value).startswith(str(file))
    assert "btg restore" in caught.value.remedy
    assert "A. Analyst" not in str(caught.value)


def test_a_state_that_cannot_be_read_is_said_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(tmp_path, "2025-1")

    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(DamagedEdition, match=r"Permission denied\)\. Mend the rights"):
        read_state(tmp_path, "2025-1")


# --- errata


def add(root: Path, name: str, at: str, *row_keys: str) -> editions.Erratum:
    return add_erratum(root, name, text=" Moet 7,1 zijn. ", table_name="comparison", row_keys=row_keys, by="A.", at=at)


def test_errata_are_numbered_and_kept_with_the_rows_concerned(tmp_path: Path) -> None:
    publish(tmp_path, "2025-1")
    first = add(tmp_path, "2025-1", "2026-04-01T10:00:00+00:00", ENSCHEDE_2022, "b", ENSCHEDE_2022)
    second = add(tmp_path, "2025-1", "2026-05-01T10:00:00+00:00", "c")
    assert (first.erratum_id, first.row_keys, first.text) == (1, [ENSCHEDE_2022, "b"], "Moet 7,1 zijn.")
    assert second.erratum_id == 2
    assert read_state(tmp_path, "2025-1").errata == [first, second]
    assert read_state(tmp_path, "2025-1").published_by == "A. Analyst"


def test_the_table_of_errata_has_a_row_for_each_row_concerned(tmp_path: Path) -> None:
    assert errata(tmp_path).height == 0
    for name in ("2024-1", "2025-1"):
        publish(tmp_path, name)
    add(tmp_path, "2025-1", "2026-04-01T10:00:00+00:00", "b", "a")
    add(tmp_path, "2024-1", "2026-05-01T10:00:00+00:00", "c")
    table = load_catalogue().registry["erratum"]
    found = errata(tmp_path)
    assert found.schema == pl.Schema(table.polars_schema)
    assert found.select(table.key).rows() == [
        ("2024-1", 1, "comparison", "c"),
        ("2025-1", 1, "comparison", "a"),
        ("2025-1", 1, "comparison", "b"),
    ]
    assert found["text"].unique().to_list() == ["Moet 7,1 zijn."]
    assert found["stated_at"].to_list() == ["2026-05-01T10:00:00+00:00", *["2026-04-01T10:00:00+00:00"] * 2]


@pytest.mark.parametrize(
    ("until", "rows"),
    [
        (None, 1),
        ("2026-04-01T10:00:00Z", 1),
        ("2026-04-01T12:00:00+02:00", 1),
        ("2026-04-01T11:59:59+02:00", 0),
        ("2026-04-01T10:00:01", 1),
    ],
)
def test_errata_of_a_moment_are_those_stated_until_then(tmp_path: Path, until: str | None, rows: int) -> None:
    publish(tmp_path, "2025-1")
    add(tmp_path, "2025-1", "2026-04-01T10:00:00+00:00", "a")
    assert errata(tmp_path, until).height == rows


@pytest.mark.parametrize(
    ("text", "row_keys", "at"),
    [("  ", ["a"], "2026-04-01"), ("Wrong", [], "2026-04-01"), ("Wrong", ["a"], "yesterday")],
    ids=["no text", "no rows", "no time"],
)
def test_an_erratum_that_says_nothing_is_refused(tmp_path: Path, text: str, row_keys: list[str], at: str) -> None:
    publish(tmp_path, "2025-1")
    with pytest.raises(ValueError, match=r"erratum|isoformat"):
        add_erratum(tmp_path, "2025-1", text=text, table_name="t", row_keys=row_keys, by=None, at=at)
    assert errata(tmp_path).height == 0


def test_an_erratum_leaves_the_folder_untouched(tmp_path: Path) -> None:
    folder = publish(tmp_path, "2025-1")
    sums = read_state(tmp_path, "2025-1").sums_sha256
    add(tmp_path, "2025-1", "2026-04-01T10:00:00+00:00", "a")
    assert faults(folder, sums) == []
    assert read_state(tmp_path, "2025-1").sums_sha256 == sums


# --- whether it is still as it was


def test_the_checksums_are_those_of_the_standard_tool(tmp_path: Path) -> None:
    folder = fill(tmp_path / "2025-1")
    own = write_sums(folder)
    content = (folder / "SHA256SUMS").read_bytes()
    assert own == hashlib.sha256(content).hexdigest()
    assert [line.split("  ")[1] for line in content.decode().splitlines()] == ["btg.duckdb", "csv/theme.csv"]
    assert content.endswith(b"\n")
    tool = shutil.which("sha256sum")
    if tool is None:
        pytest.skip("no sha256sum on this system; the format is compared above")
    subprocess.run([tool, "--check", "--strict", "SHA256SUMS"], cwd=folder, check=True, capture_output=True)


def test_equal_folders_have_equal_checksums(tmp_path: Path) -> None:
    assert write_sums(fill(tmp_path / "a")) == write_sums(fill(tmp_path / "b"))
    assert write_sums(tmp_path / "a") == write_sums(tmp_path / "b")  # written again: the file itself does not count


def test_what_was_flipped_lost_or_added_is_found(tmp_path: Path) -> None:
    folder = fill(tmp_path / "2025-1")
    sums = write_sums(folder)
    assert faults(folder, sums) == []
    content = bytearray((folder / "btg.duckdb").read_bytes())
    content[3] ^= 1
    (folder / "btg.duckdb").write_bytes(content)
    (folder / "csv" / "theme.csv").unlink()
    (folder / "csv" / "theme (copy).csv").touch()
    assert faults(folder, sums) == [
        "2025-1/btg.duckdb was changed",
        "2025-1/csv/theme (copy).csv was added",
        "2025-1/csv/theme.csv is missing",
    ]


def test_a_change_that_was_covered_up_is_found_by_the_state(tmp_path: Path) -> None:
    folder = fill(tmp_path / "2025-1")
    sums = write_sums(folder)
    (folder / "csv" / "theme.csv").write_text("a,b\n1,3\n")
    write_sums(folder)
    assert faults(folder) == []
    assert faults(folder, sums) == ["2025-1/SHA256SUMS was changed"]


def test_damaged_or_missing_checksums_are_found(tmp_path: Path) -> None:
    folder = fill(tmp_path / "2025-1")
    sums = write_sums(folder)
    lines = (folder / "SHA256SUMS").read_text().splitlines()
    (folder / "SHA256SUMS").write_text(f"{lines[0][:20]}\n{lines[1]}\n")
    assert faults(folder, sums) == [
        "2025-1/SHA256SUMS was changed",
        "2025-1/SHA256SUMS: line 1 is damaged",
        "2025-1/btg.duckdb was added",
    ]
    (folder / "SHA256SUMS").unlink()
    (said,) = faults(folder, sums)
    assert said.startswith("2025-1/SHA256SUMS cannot be read")
    shutil.rmtree(folder)
    assert faults(folder, sums) == ["2025-1: the folder is missing"]


def test_a_file_that_cannot_be_read_is_a_fault_and_no_crash(tmp_path: Path) -> None:
    folder = fill(tmp_path / "2025-1")
    write_sums(folder)
    (folder / "btg.duckdb").unlink()
    try:
        (folder / "btg.duckdb").symlink_to(folder / "gone")
    except OSError:
        pytest.skip("this account may not make links (Windows)")
    assert faults(folder) == [f"2025-1/btg.duckdb cannot be read ({os.strerror(2)})"]


@pytest.mark.parametrize(("umask", "file", "folder"), [(0o022, 0o444, 0o555), (0o077, 0o400, 0o500)])
def test_a_final_edition_may_not_be_written(tmp_path: Path, umask: int, file: int, folder: int) -> None:
    edition = fill(tmp_path / "2025-1")
    before = os.umask(umask)
    try:
        make_read_only(edition)
        assert os.umask(umask) == umask  # as it was
    finally:
        os.umask(before)
    if os.name == "nt":
        assert not os.access(edition / "btg.duckdb", os.W_OK)
        return
    modes = {path.stat().st_mode & 0o777 for path in edition.rglob("*") if path.is_file()}
    assert modes == {file}
    assert {path.stat().st_mode & 0o777 for path in (edition, edition / "csv")} == {folder}
    edition_folder.remove(edition)
