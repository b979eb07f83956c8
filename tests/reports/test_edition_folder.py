"""Putting an edition in its place: all of it or nothing, whatever interrupts it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from reports import edition_folder
from reports.edition_folder import ATTEMPTS, EditionInUse, replace_file, replace_folder

Replace = Callable[..., None]


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """A new folder, and the standing one that it must replace."""
    new, standing = tmp_path / ".2025-draft.building", tmp_path / "2025-draft"
    for folder, text in ((new, "new"), (standing, "old")):
        (folder / "csv").mkdir(parents=True)
        (folder / "csv" / "theme.csv").write_text(text)
    (standing / "only_in_the_old").touch()
    return new, standing


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were taken, without taking them."""
    taken: list[float] = []
    monkeypatch.setattr(edition_folder.time, "sleep", taken.append)
    return taken


def fail_at(monkeypatch: pytest.MonkeyPatch, calls: set[int], error: BaseException) -> None:
    """Let these calls of os.replace (counted from 1) fail."""
    real, counter = os.replace, iter(range(1, 1000))

    def replace(*arguments: object, **settings: object) -> None:
        if next(counter) in calls:
            raise error
        real(*arguments, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "replace", replace)


def fail_for(monkeypatch: pytest.MonkeyPatch, source: Path, error: BaseException) -> None:
    """Let os.replace fail whenever this file or folder is to be moved."""
    real = os.replace

    def replace(moved: Path, *arguments: object, **settings: object) -> None:
        if Path(moved) == source:
            raise error
        real(moved, *arguments, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "replace", replace)


def content(folder: Path) -> str:
    return (folder / "csv" / "theme.csv").read_text()


def hidden(parent: Path) -> list[str]:
    return sorted(path.name for path in parent.iterdir() if path.name.startswith("."))


def test_a_folder_is_replaced_whole(folders: tuple[Path, Path]) -> None:
    new, standing = folders
    replace_folder(new, standing)
    assert content(standing) == "new"
    assert not (standing / "only_in_the_old").exists()
    assert hidden(standing.parent) == []


def test_the_first_edition_needs_none_before_it(folders: tuple[Path, Path]) -> None:
    new, standing = folders
    replace_folder(new, standing.with_name("2026-draft"))
    assert content(standing.with_name("2026-draft")) == "new"
    assert content(standing) == "old"


@pytest.mark.parametrize("error", [OSError("disk full"), PermissionError("in use"), KeyboardInterrupt()], ids=repr)
def test_a_crash_between_the_two_renames_keeps_the_old_edition(
    folders: tuple[Path, Path], waits: list[float], monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    new, standing = folders
    fail_for(monkeypatch, new, error)
    with pytest.raises((type(error), EditionInUse)):
        replace_folder(new, standing)
    monkeypatch.undo()
    assert content(standing) == "old"
    assert (standing / "only_in_the_old").exists()


@pytest.fixture
def cut_off(folders: tuple[Path, Path]) -> tuple[Path, Path]:
    """The power failed between the two renames: the old folder stands aside, and none is in its place."""
    new, standing = folders
    standing.rename(standing.with_name(f".{standing.name}.old"))
    return new, standing


def test_after_a_power_failure_the_next_edition_takes_its_place(cut_off: tuple[Path, Path]) -> None:
    new, standing = cut_off
    replace_folder(new, standing)
    assert content(standing) == "new"
    assert hidden(standing.parent) == []


def test_after_a_power_failure_the_old_edition_comes_back_even_if_the_next_fails(
    cut_off: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    new, standing = cut_off
    fail_at(monkeypatch, {3}, OSError("disk full"))  # 1: back in place; 2: aside again; 3: the new one
    with pytest.raises(OSError, match="disk full"):
        replace_folder(new, standing)
    assert content(standing) == "old"


def test_leftovers_of_an_earlier_replacement_are_cleared(folders: tuple[Path, Path]) -> None:
    new, standing = folders
    (standing.parent / ".2025-draft.old" / "csv").mkdir(parents=True)
    replace_folder(new, standing)
    assert content(standing) == "new"
    assert hidden(standing.parent) == []


# --- on Windows: a file that a reader has open


@pytest.mark.parametrize("replace", [replace_file, replace_folder])
def test_what_a_reader_has_open_is_left_and_said(
    folders: tuple[Path, Path], waits: list[float], monkeypatch: pytest.MonkeyPatch, replace: Replace
) -> None:
    new, standing = folders
    if replace is replace_file:
        new, standing = new / "csv" / "theme.csv", standing / "csv" / "theme.csv"
    fail_at(monkeypatch, set(range(1, 100)), PermissionError("in use"))
    with pytest.raises(EditionInUse) as caught:
        replace(new, standing)
    assert str(standing) in str(caught.value)
    assert "Close it and run again" in str(caught.value)
    assert len(waits) == ATTEMPTS - 1
    monkeypatch.undo()
    assert (standing if standing.is_file() else standing / "csv" / "theme.csv").read_text() == "old"


@pytest.mark.parametrize("replace", [replace_file, replace_folder])
def test_a_reader_that_closes_in_time_is_waited_for(
    folders: tuple[Path, Path], waits: list[float], monkeypatch: pytest.MonkeyPatch, replace: Replace
) -> None:
    new, standing = folders
    if replace is replace_file:
        new, standing = new / "csv" / "theme.csv", standing / "csv" / "theme.csv"
    fail_at(monkeypatch, {1, 2}, PermissionError("in use"))
    replace(new, standing)
    assert (standing if standing.is_file() else standing / "csv" / "theme.csv").read_text() == "new"
    assert len(waits) == 2


def test_a_reader_keeps_the_file_it_has_open(tmp_path: Path) -> None:
    if os.name == "nt":
        pytest.skip("on Windows an open file cannot be replaced at all: see the tests above")
    (tmp_path / "old").write_text("old")
    (tmp_path / "new").write_text("new")
    with (tmp_path / "old").open() as reader:
        replace_file(tmp_path / "new", tmp_path / "old")
        assert reader.read() == "old"
    assert (tmp_path / "old").read_text() == "new"
    assert not (tmp_path / "new").exists()
