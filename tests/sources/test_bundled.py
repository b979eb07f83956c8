from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sources import bundled
from sources.bundled.remake import main, remake
from sources.errors import DamagedBundle, IncompleteFile, InputError, UnknownIndicator
from sources.facts import Facts, read_facts

if TYPE_CHECKING:
    from catalog import Catalogue
    from tests.sources.conftest import Folder

SHARED = Path(__file__).parents[2].parent / "shared" / "facts"
DATA = sorted(json.loads((bundled.FOLDER / bundled.MANIFEST).read_text(encoding="utf-8"))["files"])


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The bundle's data in a folder of its own."""
    made = tmp_path / "bundle"
    made.mkdir()
    for name in [*DATA, bundled.MANIFEST]:
        shutil.copyfile(bundled.FOLDER / name, made / name)
    return made


def test_the_bundle_is_whole_and_small() -> None:
    bundled.verify()
    assert sum((bundled.FOLDER / name).stat().st_size for name in DATA) < 400_000


def test_the_manifest_covers_every_data_file() -> None:
    data = {path.name for path in bundled.FOLDER.iterdir() if path.suffix in {".csv", ".gz", ".geojson"}}
    assert data == set(DATA)


def test_the_manifest_names_licence_attribution_and_every_source_table(bundle: Facts) -> None:
    manifest = json.loads((bundled.FOLDER / bundled.MANIFEST).read_text(encoding="utf-8"))
    assert all(entry["what"] and entry["licence"] and entry["attribution"] for entry in manifest["files"].values())
    pairs = {
        (indicator, table, column)
        for table, entry in manifest["source_tables"].items()
        for column, indicator in entry["columns"].items()
    }
    assert pairs == set(bundle.origins.select("indicator_id", "source_table", "source_column").iter_rows())
    assert manifest["rows_sha256"] == bundle.rows_sha256
    assert all(entry["publisher"] and entry["licence"] for entry in manifest["source_tables"].values())


@pytest.mark.parametrize("name", DATA)
def test_a_changed_byte_is_found(copy: Path, name: str) -> None:
    data = bytearray((copy / name).read_bytes())
    data[len(data) // 2] ^= 1
    (copy / name).write_bytes(bytes(data))
    with pytest.raises(DamagedBundle, match="restore the folder") as caught:
        bundled.verify(copy)
    assert name in caught.value.file


@pytest.mark.parametrize("name", [*DATA, bundled.MANIFEST])
def test_a_missing_file_is_found(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(DamagedBundle) as caught:
        bundled.verify(copy)
    assert name in caught.value.file


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"files": {"regions.csv": {}}}', '{"files": 1}'])
def test_a_damaged_manifest_is_found(copy: Path, text: str) -> None:
    (copy / bundled.MANIFEST).write_text(text, encoding="utf-8")
    with pytest.raises(DamagedBundle):
        bundled.verify(copy)


def test_remaking_the_bundle_from_itself_changes_no_byte(copy: Path, catalogue: Catalogue) -> None:
    before = {path.name: path.read_bytes() for path in copy.iterdir()}
    lines = remake(bundled.FOLDER, catalogue, copy)
    assert {path.name: path.read_bytes() for path in copy.iterdir()} == before
    assert "figures: 0 new, 0 withdrawn, 0 with another value or status" in lines


def test_the_archive_does_not_depend_on_when_it_was_made(tmp_path: Path, folder: Folder) -> None:
    data = []
    for name in ("first", "second"):
        target = _target(tmp_path / name)
        remake(folder.path, folder.catalogue, target)
        data.append((target / "figures.csv.gz").read_bytes())
    assert data[0] == data[1]
    # The header's time is zero.
    assert data[0][4:8] == bytes(4)
    assert gzip.decompress(data[0]) == folder.text("figures.csv").encode()


def _target(path: Path) -> Path:
    """A folder with only the files that a folder of figures does not bring along."""
    path.mkdir()
    for name in set(DATA) - {"figures.csv.gz", "figures_origin.csv", "regions.csv"}:
        shutil.copyfile(bundled.FOLDER / name, path / name)
    return path


def test_a_remade_bundle_is_whole_and_reads_as_the_folder_it_was_made_from(tmp_path: Path, folder: Folder) -> None:
    target = _target(tmp_path / "made")
    lines = remake(folder.path, folder.catalogue, target)
    bundled.verify(target)
    assert read_facts(target, folder.catalogue).rows_sha256 == folder.read().rows_sha256
    assert any(line.startswith("figures.csv.gz: new") for line in lines)


def test_a_dry_run_says_what_would_change_and_changes_nothing(copy: Path, folder: Folder, bundle: Facts) -> None:
    row = folder.row(indicator="net_labour_participation", region_code="GM0153")
    folder.put("figures.csv", row, "value", "99")
    before = {path.name: path.read_bytes() for path in copy.iterdir()}
    lines = remake(folder.path, folder.catalogue, copy, dry_run=True)
    assert {path.name: path.read_bytes() for path in copy.iterdir()} == before
    assert f"figures: 0 new, {bundle.figures.height - 171} withdrawn, 1 with another value or status" in lines


def test_a_damaged_bundle_can_be_remade(copy: Path, folder: Folder) -> None:
    (copy / "figures.csv.gz").write_bytes(b"\x1f\x8b broken")
    remake(folder.path, folder.catalogue, copy)
    bundled.verify(copy)


def test_an_invalid_folder_is_never_bundled(copy: Path, folder: Folder) -> None:
    folder.change("figures.csv", lambda records: records.pop())
    before = {path.name: path.read_bytes() for path in copy.iterdir()}
    with pytest.raises(IncompleteFile):
        remake(folder.path, folder.catalogue, copy)
    assert {path.name: path.read_bytes() for path in copy.iterdir()} == before


def test_the_command_line(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(bundled.FOLDER), "--dry-run"]) == 0
    assert "Nothing was changed" in capsys.readouterr().out
    assert main([str(folder.path / "nowhere"), "--dry-run"]) == 1
    assert "no such folder" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        main([])


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="no shared facts beside this checkout")
def test_the_bundle_is_the_shared_facts(catalogue: Catalogue, bundle: Facts) -> None:
    assert read_facts(SHARED, catalogue).rows_sha256 == bundle.rows_sha256
    for name in ("figures_origin.csv", "regions.csv", "municipal_reorganisations_2010_2026.csv"):
        assert (bundled.FOLDER / name).read_bytes() == (SHARED / name).read_bytes().replace(b"\r\n", b"\n")
    outlines = "twente_outlines_2022.geojson"
    assert json.loads((bundled.FOLDER / outlines).read_bytes()) == json.loads((SHARED / outlines).read_bytes())


def test_every_error_of_the_bundle_is_an_input_error() -> None:
    assert issubclass(DamagedBundle, InputError)


def test_an_indicator_that_the_catalogue_withdrew_is_left_out_of_what_comes_with_the_software(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    """Withdrawing is one change, in the catalogue; in a folder of somebody else the same name is a mistake."""
    withdrawn = "benefit_disability"
    left = [indicator for indicator in catalogue.indicators if indicator.indicator_id != withdrawn]
    without = catalogue.model_copy(update={"indicators": left})
    assert withdrawn in read_facts(bundled.FOLDER, catalogue).figures["indicator_id"]
    assert withdrawn not in read_facts(bundled.FOLDER, without).figures["indicator_id"]
    for name in ("figures.csv.gz", "figures_origin.csv", "regions.csv"):
        shutil.copy(bundled.FOLDER / name, tmp_path)
    with pytest.raises(UnknownIndicator, match=withdrawn):
        read_facts(tmp_path, without)
