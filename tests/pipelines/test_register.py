"""`btg template`, and `btg add` with the register of a programme bureau."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from assets.tables import CATALOGUE
from pipelines import registers
from sources.register.bundled import FOLDER
from sources.register.store import newest_snapshots
from sources.snapshots import SnapshotStore
from tests.pipelines.conftest import Btg


@pytest.fixture
def delivered(tmp_path: Path) -> Path:
    """The invented register of a bureau, as if it were real."""
    return real(tmp_path, "bureau-zorg")


def real(folder: Path, bureau: str) -> Path:
    path = folder / bureau
    shutil.copytree(FOLDER / bureau, path)
    change(path / "bureau.csv", ";ja;", ";nee;")
    return path


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_register_is_recognised_looked_at_and_kept_once(btg: Btg, delivered: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    looked = btg("add", delivered, "--dry-run", "--data", data)
    assert looked.exit_code == 0, looked.stderr
    assert "bureau-zorg is the register of bureau-zorg, as of 2026-03-01; lines 3.1, 3.2" in looked.stdout
    assert "  Projecten: 6 rows\n" in looked.stdout
    assert "  Ontvangen: 0 rows\n" in looked.stdout
    assert "Nothing was kept (--dry-run)." in looked.stdout
    assert not data.exists()
    assert "Kept in" in btg("add", delivered, "--data", data).stdout
    again = btg("add", delivered, "--data", data)
    assert (again.exit_code, "taken in before" in again.stdout) == (0, True)
    assert len(SnapshotStore(data).of("BTG register bureau-zorg")) == 1


def test_a_workbook_is_recognised_too(btg: Btg, delivered: Path, tmp_path: Path) -> None:
    book = tmp_path / "register.xlsx"
    assert btg("template", book, "--example").exit_code == 0
    result = btg("add", book, "--data", tmp_path / "data")
    assert result.exit_code == 1
    assert "register.xlsx, column Verzonnen: found 'ja'" in result.stderr


def test_what_was_added_as_json(btg: Btg, delivered: Path, tmp_path: Path) -> None:
    said = json.loads(btg("add", delivered, "--json", "--data", tmp_path / "data").stdout)
    assert said["rows"]["Geld"] == 54
    assert said | {"rows": {}} == {
        "file": "bureau-zorg",
        "register": "bureau-zorg",
        "lines": ["3.1", "3.2"],
        "as_of": "2026-03-01",
        "rows": {},
        "notes": [],
        "known_already": False,
        "kept": True,
    }


def test_an_invented_register_is_for_the_demonstration_only(btg: Btg, tmp_path: Path) -> None:
    result = btg("add", FOLDER / "bureau-zorg", "--data", tmp_path / "data")
    assert result.exit_code == 1
    assert "says that it is invented" in result.stderr
    assert "Nothing was taken in." in result.stderr
    assert not (tmp_path / "data").exists()


def test_a_fault_is_said_in_words_and_nothing_is_kept(btg: Btg, delivered: Path, tmp_path: Path) -> None:
    change(delivered / "projecten.csv", "in uitvoering", "bezig")
    result = btg("add", delivered, "--data", tmp_path / "data")
    assert result.exit_code == 1
    assert "projecten.csv, row 2, column Status: found 'bezig'; expected one of gepland" in result.stderr
    assert result.stderr.rstrip().endswith("Nothing was taken in.")
    assert not (tmp_path / "data").exists()


def test_it_is_held_against_the_registers_of_other_bureaus(btg: Btg, delivered: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert btg("add", delivered, "--data", data).exit_code == 0
    assert btg("add", real(tmp_path, "bureau-talent"), "--data", data).exit_code == 0
    assert newest_snapshots(SnapshotStore(data)).keys() == {"bureau-talent", "bureau-zorg"}
    change(delivered / "bureau.csv", "bureau-zorg", "bureau-twee")
    result = btg("add", delivered, "--data", data)
    assert result.exit_code == 1
    assert "bureau-twee and bureau-zorg both have it" in result.stderr


def test_an_older_register_in_place_of_a_newer_one_is_noted(btg: Btg, delivered: Path, tmp_path: Path) -> None:
    btg("add", delivered, "--data", tmp_path / "data")
    change(delivered / "bureau.csv", "01-03-2026", "01-02-2026")
    result = btg("add", delivered, "--data", tmp_path / "data")
    assert "takes the place of the one of 2026-03-01; this one is OLDER" in result.stdout


def test_a_folder_of_something_else_is_refused(btg: Btg, tmp_path: Path) -> None:
    result = btg("add", tmp_path, "--data", tmp_path / "data")
    assert result.exit_code == 2
    assert "is a folder, and not the register of a bureau" in result.stderr


@pytest.mark.parametrize("name", ["register.xlsx", "register.ods", "register"])
def test_a_template_is_never_overwritten_unasked(btg: Btg, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    made = btg("template", path)
    assert made.exit_code == 0, made.stderr
    assert f"btg add {path} --dry-run" in made.stdout.replace("\n", "")
    again = btg("template", path, "--example")
    assert (again.exit_code, "--force" in again.stderr) == (1, True)
    assert btg("template", path, "--example", "--force").exit_code == 0


def test_a_template_of_another_kind_is_refused(btg: Btg, tmp_path: Path) -> None:
    result = btg("template", tmp_path / "register.docx")
    assert result.exit_code == 2
    assert "register.docx ends in .docx: expected .xlsx, .ods" in result.stderr


def test_a_folder_that_cannot_be_written_is_said_so(btg: Btg, tmp_path: Path) -> None:
    result = btg("template", tmp_path / "nowhere" / "register.xlsx")
    assert result.exit_code == 1
    assert "cannot be written" in result.stderr


def test_a_region_without_a_programme_has_no_register(
    btg: Btg, delivered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registers, "CATALOGUE", CATALOGUE.model_copy(update={"programme": None}))
    for call in (["template", tmp_path / "register.xlsx"], ["add", delivered, "--data", tmp_path / "data"]):
        result = btg(*call)
        assert result.exit_code == 2
        assert "has no programme" in result.stderr
