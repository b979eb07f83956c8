"""What an edition was made from is written down so that it can be made again, and names nobody."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

import polars as pl
import pytest

from assets import provenance
from assets.provenance import (
    changed_files,
    code_version,
    copy_inputs,
    known_editions,
    snapshot_records,
    uncommitted_patch,
)
from assets.tables import CATALOGUE
from assets.workspace import MixedRuns, Workspace
from reports import editions
from sources import bundled
from sources.snapshots import Part, SnapshotStore
from tests.conftest import SALLAND, plain_figures

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
ROW = {
    "edition": "2025-draft",
    "measurement_year": 2025,
    "created_at": "2026-11-23T10:00:00+00:00",
    "code_version": "0.1.0",
    **dict.fromkeys(("catalog_sha256", "lock_sha256", "input_sha256"), "a" * 64),
}


def git(checkout: Path, *arguments: str) -> str:
    """Git as somebody whose name and settings do not matter."""
    me = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.org")
    done = subprocess.run(["git", "-C", checkout, *me, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A small checkout with one commit."""
    folder = tmp_path / "checkout"
    for room in ("catalog", "methods"):
        (folder / room).mkdir(parents=True)
    (folder / "pyproject.toml").write_text('[project]\nname = "btg"\nversion = "3.2.1"\n', encoding="utf-8")
    (folder / "requirements.lock").write_text("polars==2.1.0\n", encoding="utf-8")
    (folder / "README.md").write_text("Read me\n", encoding="utf-8")
    (folder / "methods" / "mean.py").write_text("ONE = 1\n", encoding="utf-8")
    (folder / "catalog" / "themes.yaml").write_text("themes: []\n", encoding="utf-8")
    (folder / ".gitignore").write_text("private/\n", encoding="utf-8")
    git(tmp_path, "init", "--quiet", "checkout")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "First")
    return folder


def test_a_clean_checkout_is_its_commit(checkout: Path) -> None:
    commit = git(checkout, "rev-parse", "HEAD")
    assert code_version(checkout) == f"3.2.1+{commit[:12]}"
    assert uncommitted_patch(checkout) == b""


def test_a_commit_of_documents_alone_is_no_other_version(checkout: Path) -> None:
    first = code_version(checkout)
    (checkout / "README.md").write_text("Read me again\n", encoding="utf-8")
    git(checkout, "commit", "--quiet", "--all", "--message", "Documents")
    assert code_version(checkout) == first
    for name in ("methods/mean.py", "requirements.lock", "pyproject.toml"):
        before = code_version(checkout)
        (checkout / name).write_text((checkout / name).read_text(encoding="utf-8") + "\n", encoding="utf-8")
        git(checkout, "commit", "--quiet", "--all", "--message", name)
        assert code_version(checkout) != before
        assert code_version(checkout) == f"3.2.1+{git(checkout, 'rev-parse', 'HEAD')[:12]}"


def test_what_is_checked_out_again_is_what_was_checked_out(
    checkout: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The version leaves commits of documents out; the commit does not."""
    first = git(checkout, "rev-parse", "HEAD")
    git(checkout, "commit", "--quiet", "--allow-empty", "--message", "Documents")
    monkeypatch.setattr(provenance, "_commit", lambda _: git(checkout, "rev-parse", "HEAD"))
    monkeypatch.setattr(provenance, "uncommitted_patch", lambda: b"")
    assert code_version(checkout).endswith(first[:12])
    code = provenance.provenance(workspace, ROW, INPUT_FILES)["code"]
    assert code["commit"] == git(checkout, "rev-parse", "HEAD") != first


def test_settings_of_the_log_make_no_other_version(checkout: Path) -> None:
    version = code_version(checkout)
    for name, value in (("log.showSignature", "true"), ("format.pretty", "oneline"), ("color.ui", "always")):
        git(checkout, "config", name, value)
    assert code_version(checkout) == version


def test_a_copy_of_the_commit_has_the_same_version_also_of_a_cut_off_history(checkout: Path, tmp_path: Path) -> None:
    """As a rebuild makes it."""
    for text in ("Once", "Twice"):
        (checkout / "README.md").write_text(text, encoding="utf-8")
        git(checkout, "commit", "--quiet", "--all", "--message", text)
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth", "1", checkout.as_uri(), str(shallow))
    assert code_version(shallow) == f"3.2.1+{git(shallow, 'rev-parse', 'HEAD')[:12]}", "all that its history shows"
    for source in (checkout, shallow):
        copy = tmp_path / f"copy of {source.name}"
        git(tmp_path, "clone", "--quiet", "--shared", "--no-checkout", str(source), str(copy))
        git(copy, "checkout", "--quiet", "--detach", git(source, "rev-parse", "HEAD"))
        assert code_version(copy) == code_version(source)


def test_where_no_commit_touched_the_code_it_is_the_one_checked_out(checkout: Path) -> None:
    git(checkout, "checkout", "--quiet", "--orphan", "documents")
    git(checkout, "rm", "-r", "--quiet", "--cached", ".")
    git(checkout, "add", "README.md")
    git(checkout, "commit", "--quiet", "--message", "Documents alone")
    assert code_version(checkout).startswith(f"3.2.1+{git(checkout, 'rev-parse', 'HEAD')[:12]}")


def test_what_decides_no_run_is_never_in_the_patch(checkout: Path) -> None:
    """Data lying around, other documents, ignored folders, other kinds of files."""
    (checkout / "README.md").write_text("Changed\n", encoding="utf-8")
    (checkout / "answers.csv").write_text("respondent\n7\n", encoding="utf-8")
    (checkout / "catalog" / "answers.sav").write_bytes(b"7")
    (checkout / "catalog" / "private").mkdir()
    (checkout / "catalog" / "private" / "answers.csv").write_text("respondent\n7\n", encoding="utf-8")
    (checkout / "catalog" / "answers.csv").write_text("respondent\n7\n", encoding="utf-8")
    (checkout / "methods" / "answers.csv").write_text("respondent\n7\n", encoding="utf-8")
    (checkout / "output").mkdir()
    (checkout / "output" / "notes.py").write_text("pass\n", encoding="utf-8")
    git(checkout, "add", "answers.csv")
    assert uncommitted_patch(checkout) == b""
    assert changed_files(b"") == []
    assert "-dirty" not in code_version(checkout)


def change_everything(checkout: Path) -> None:
    """A file changed, one removed, one new in a new room with an odd name, one staged, one with bytes."""
    (checkout / "methods" / "mean.py").write_text("ONE = 2\n", encoding="utf-8")
    (checkout / "catalog" / "themes.yaml").unlink()
    (checkout / "reports").mkdir()
    (checkout / "reports" / ":a théme, new.j2").write_text("{{ one }}\n", encoding="utf-8")
    (checkout / "catalog" / "staged.yaml").write_text("a: 1\n", encoding="utf-8")
    git(checkout, "add", "catalog/staged.yaml")
    (checkout / "sources" / "bundled").mkdir(parents=True)
    (checkout / "sources" / "bundled" / "bytes.csv").write_bytes(b"\x00\xff\x00")
    (checkout / "requirements.lock").write_text("polars==2.1.1\n", encoding="utf-8")


def test_the_patch_makes_the_same_files_of_the_commit(checkout: Path, tmp_path: Path) -> None:
    change_everything(checkout)
    patch = uncommitted_patch(checkout)
    copy = tmp_path / "copy"
    git(tmp_path, "clone", "--quiet", "--shared", str(checkout), str(copy))
    (tmp_path / "patch").write_bytes(patch)
    git(copy, "apply", str(tmp_path / "patch"))
    assert files_of(copy) == files_of(checkout)
    assert uncommitted_patch(copy) == patch, "what is made of the copy says it was made of the same"
    assert code_version(copy) == code_version(checkout)


def test_the_changed_files_are_those_of_the_patch(checkout: Path) -> None:
    change_everything(checkout)
    (checkout / "README.md").write_text("Changed\n", encoding="utf-8")
    git(checkout, "config", "diff.relative", "true")
    assert changed_files(uncommitted_patch(checkout)) == [
        "catalog/staged.yaml",
        "catalog/themes.yaml",
        "methods/mean.py",
        "reports/:a théme, new.j2",
        "requirements.lock",
        "sources/bundled/bytes.csv",
    ]


def test_the_catalogue_and_bundled_figures_are_no_other_version_but_go_along(checkout: Path) -> None:
    """They have checksums of their own; what they change would else be put down to the software."""
    (checkout / "sources" / "bundled").mkdir(parents=True)
    first = code_version(checkout)
    described = ("catalog/themes.yaml", "catalog/coverage.csv", "sources/bundled/regions.csv")
    # Names become codes by this one, and nothing else has a checksum of it.
    (checkout / "sources" / "bundled" / "region_names.csv").write_text("code,name\n", encoding="utf-8")
    assert code_version(checkout) != first
    (checkout / "sources" / "bundled" / "region_names.csv").unlink()
    for name in described:
        (checkout / name).write_text("changed\n", encoding="utf-8")
    assert code_version(checkout) == first
    assert changed_files(uncommitted_patch(checkout)) == sorted(described)
    git(checkout, "add", ".")
    git(checkout, "commit", "--quiet", "--message", "Described otherwise")
    assert code_version(checkout) == first
    (checkout / "catalog" / "layouts").mkdir()
    (checkout / "catalog" / "layouts" / "uwv.yaml").write_text("how files are read\n", encoding="utf-8")
    assert code_version(checkout) != first


def test_two_states_of_uncommitted_code_are_two_versions(checkout: Path) -> None:
    versions = set()
    for number in (2, 3):
        (checkout / "methods" / "mean.py").write_text(f"ONE = {number}\n", encoding="utf-8")
        versions.add(code_version(checkout))
    assert len(versions) == 2
    assert all(re.fullmatch(r"3\.2\.1\+[0-9a-f]{12}-dirty\.[0-9a-f]{8}", version) for version in versions)


def files_of(checkout: Path) -> dict[str, bytes]:
    """Everything but git's own."""
    paths = [path for path in checkout.rglob("*") if path.is_file() and ".git" not in path.relative_to(checkout).parts]
    return {path.relative_to(checkout).as_posix(): path.read_bytes() for path in paths}


def test_the_users_index_and_objects_stay_as_they_are(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change_everything(checkout)
    status = git(checkout, "status", "--porcelain")
    before = {path: path.read_bytes() for path in (checkout / ".git").rglob("*") if path.is_file()}
    assert uncommitted_patch(checkout)
    assert code_version(checkout)
    assert {path: path.read_bytes() for path in (checkout / ".git").rglob("*") if path.is_file()} == before
    assert git(checkout, "status", "--porcelain") == status


def test_settings_of_git_and_a_hook_make_no_difference(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change_everything(checkout)
    patch = uncommitted_patch(checkout)
    for name, value in (("diff.noprefix", "true"), ("diff.external", "false"), ("color.ui", "always")):
        git(checkout, "config", name, value)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "another.git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "another.index"))
    assert uncommitted_patch(checkout) == patch


def test_without_git_the_version_is_that_of_the_project(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert code_version(checkout) == "3.2.1"
    assert uncommitted_patch(checkout) == b""
    monkeypatch.undo()
    shutil.rmtree(checkout / ".git")
    assert code_version(checkout) == "3.2.1"
    assert uncommitted_patch(checkout) == b""


def keep(store: SnapshotStore, body: bytes) -> None:
    """Put a snapshot of these bytes into the store."""
    part = Part("data", "https://example.org/x", body, "text/plain", "2026-11-23T10:00:00Z")
    words = {"title": "t", "url": part.url, "licence": "CC BY 4.0", "fingerprint": "f", "request": "r"}
    store.add("CBS 86161NED", "odata_v4", [part], modified_at=None, **words)


def test_every_snapshot_record_is_listed_with_its_bytes(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path / "data")
    for body in (b"old", b"new"):
        keep(store, body)
    store.note("CBS 86161NED", "unchanged")
    records = snapshot_records(tmp_path / "data")
    assert [record["objects"] for record in records] == [
        [hashlib.sha256(body).hexdigest()] for body in (b"old", b"new")
    ]
    for record in records:
        assert record["record"].startswith("snapshots/cbs_86161ned/2")
        path = tmp_path / "data" / record["record"]
        assert record["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A run of the bundled figures that measured one wave."""
    made = Workspace(output=str(tmp_path / "out"), input_folder=str(bundled.FOLDER), data_folder="", lock_file="")
    made.tables.mkdir(parents=True)
    table = CATALOGUE.registry["survey_wave"]
    wave = {"wave_id": "b", "sha256": "c" * 64, "origin": "stored_estimates"}
    pl.DataFrame([wave], schema={name: table.polars_schema[name] for name in wave}).write_parquet(
        made.tables / "survey_wave.parquet"
    )
    return made


INPUT_FILES = pl.DataFrame([{"file": "figures.csv", "sha256": "d" * 64, "bytes": 12}])


def test_the_content_is_json_and_names_no_folder_host_or_user(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("USER", "jansen")
    content = provenance.provenance(workspace, ROW, INPUT_FILES)
    text = json.dumps(content)
    for private in (str(tmp_path), str(provenance.CHECKOUT), "jansen", str(Path.home())):
        assert private not in text.replace(" ", "")
    assert content["edition"] == "2025-draft"
    assert content["settings"] == {
        "demo": False,
        "measurement_year": CATALOGUE.region.last_measurement_year,
        "input": "bundled",
        "data_root": False,
        "region_file": "catalog/region.yaml",
    }
    assert content["survey_waves"] == [{"wave_id": "b", "sha256": "c" * 64, "origin": "stored_estimates"}]
    assert content["input_files"] == INPUT_FILES.to_dicts()
    assert content["snapshots"] == content["earlier_editions"] == content["errata"] == []


def test_the_known_editions_are_those_that_stand_now(workspace: Workspace) -> None:
    """A draft that was compared with others is told by it: a later edition, or an erratum stated since."""
    sums = {}
    for name in ("2024-1", "2025-1"):
        folder = workspace.root / editions.EDITIONS / name
        folder.mkdir(parents=True)
        (folder / editions.DATABASE).write_bytes(b"")
        sums[name] = editions.write_sums(folder)
        state = editions.State(name, "2026-11-23T10:00:00+00:00", None, sums[name])
        editions.write_state(workspace.root, state)
    stood = provenance.provenance(workspace, ROW, INPUT_FILES)
    row = "wave_id=b"
    stated = {"text": "Wrong", "table_name": "survey_wave", "row_keys": [row, "wave_id=c"], "by": "Jansen"}
    editions.add_erratum(workspace.root, "2024-1", **stated, at="2026-12-01")
    known = known_editions(workspace)
    assert known == {
        "earlier_editions": [{"edition": name, "sums_sha256": sums[name]} for name in ("2024-1", "2025-1")],
        "errata": [{"edition": "2024-1", "erratum_id": 1, "stated_at": "2026-12-01"}],
    }
    assert {name: stood[name] for name in known} == known | {"errata": []}


def measured(figures: Path) -> pl.DataFrame:
    """The files of a run of these figures."""
    rows = [(path.name, hashlib.sha256(path.read_bytes()).hexdigest(), 0) for path in figures.glob("*.csv")]
    return pl.DataFrame(rows, schema=INPUT_FILES.schema, orient="row")


def test_figures_that_changed_during_the_run_are_not_copied_as_if_they_were_measured(
    workspace: Workspace, tmp_path: Path
) -> None:
    figures = plain_figures(tmp_path / "delivered")
    files = measured(figures)
    with (figures / "regions.csv").open("a", encoding="utf-8") as file:
        file.write("GM9999,Nergens\n")
    elsewhere = workspace.model_copy(update={"input_folder": str(figures)})
    with pytest.raises(MixedRuns, match=r"regions\.csv of the input changed while it was measured"):
        copy_inputs(elsewhere, tmp_path / "edition", files)


def test_an_edition_is_not_made_of_what_changed_during_the_run(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fetch, a commit, an edit of the catalogue: each while the run is going on."""
    store = SnapshotStore(tmp_path / "data")
    keep(store, b"old")
    using = workspace.model_copy(update={"data_folder": str(store.root)})
    provenance.note_beginning(using)
    provenance.require_unchanged(using)
    with monkeypatch.context() as patched:
        patched.setattr(provenance, "code_version", lambda: "9.9.9")
        with pytest.raises(MixedRuns, match="Changed since the run began: the software"):
            provenance.require_unchanged(using)
    region = tmp_path / "salland.yaml"
    region.write_text(SALLAND, encoding="utf-8")
    with monkeypatch.context() as patched:
        patched.setenv("BTG_REGION", str(region))
        with pytest.raises(MixedRuns, match="Changed since the run began: the catalogue"):
            provenance.require_unchanged(using)
        region.write_text("half an ed", encoding="utf-8")
        with pytest.raises(MixedRuns, match="Changed since the run began: the catalogue"):
            provenance.require_unchanged(using)
    with monkeypatch.context() as patched:
        other = tmp_path / "bundled"
        other.mkdir()
        (other / "figures.csv.gz").write_bytes(b"pulled meanwhile")
        patched.setattr(bundled, "FOLDER", other)
        with pytest.raises(MixedRuns, match="Changed since the run began: the figures that come with it"):
            provenance.require_unchanged(using)
    store.note("CBS 86161NED", "unchanged")
    provenance.require_unchanged(using)
    keep(store, b"new")
    with pytest.raises(MixedRuns, match="Changed since the run began: the snapshots in the data root"):
        provenance.require_unchanged(using)


def test_figures_and_region_from_elsewhere_are_copied_and_nothing_beside_them(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = plain_figures(tmp_path / "delivered")
    (figures / "mail of Mrs Jansen.txt").write_text("Hello", encoding="utf-8")
    region = tmp_path / "salland.yaml"
    region.write_text(SALLAND, encoding="utf-8")
    monkeypatch.setenv("BTG_REGION", str(region))
    monkeypatch.setattr(provenance, "_SURVEY", None)
    monkeypatch.setattr(provenance, "uncommitted_patch", lambda: b"diff")
    elsewhere = workspace.model_copy(update={"input_folder": str(figures)})
    bundle = gzip.decompress((bundled.FOLDER / "figures.csv.gz").read_bytes())
    copy_inputs(elsewhere, tmp_path / "edition", measured(figures))
    copied = files_of(tmp_path / "edition")
    assert sorted(copied) == [
        *(f"input/figures/{name}" for name in ("figures.csv", "figures_origin.csv", "regions.csv")),
        "input/region/salland.yaml",
        "input/uncommitted.patch",
    ]
    assert copied["input/figures/figures.csv"] == bundle
    settings = provenance.provenance(elsewhere, ROW, INPUT_FILES)["settings"]
    assert (settings["input"], settings["region_file"]) == ("folder", "input/region/salland.yaml")


@pytest.mark.parametrize("survey", ["survey", "../shared/waves"])
def test_the_survey_of_a_region_stays_where_the_region_file_looks_for_it(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, survey: str
) -> None:
    place = tmp_path / "home" / "jansen"
    place.mkdir(parents=True)
    (place / "region.yaml").write_text(f"survey: {survey}\n", encoding="utf-8")
    waves = place / survey
    waves.mkdir(parents=True)
    (waves / "2025.yaml").write_text("wave: 2025\n", encoding="utf-8")
    (waves / "answers.csv").write_text("7\n", encoding="utf-8")
    monkeypatch.setenv("BTG_REGION", str(place / "region.yaml"))
    monkeypatch.setattr(provenance, "_SURVEY", Path(survey))
    copy_inputs(workspace, tmp_path / "edition", INPUT_FILES)
    written = provenance.provenance(workspace, ROW, INPUT_FILES)["settings"]["region_file"]
    region = tmp_path / "edition" / written
    assert region.read_text(encoding="utf-8") == f"survey: {survey}\n"
    assert (region.parent / survey / "2025.yaml").read_text(encoding="utf-8") == "wave: 2025\n"
    assert not list((tmp_path / "edition").rglob("answers.csv"))
    assert "jansen" not in written


def test_bundled_figures_and_the_own_region_are_not_copied(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provenance, "uncommitted_patch", lambda: b"")
    (tmp_path / "edition").mkdir()
    copy_inputs(workspace, tmp_path / "edition", INPUT_FILES)
    assert files_of(tmp_path / "edition") == {}
