"""`btg report`: the progress report by one command, what it lacks, and documents that people edited."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from docx import Document
from docx.oxml.ns import qn

from assets import programme as assets_of_programme
from assets.tables import CATALOGUE
from assets.workspace import Workspace
from pipelines import progress_report
from pipelines.registers import add_register
from sources.errors import InputError
from sources.register.bundled import FOLDER
from tests.pipelines.conftest import Btg

FILES = {
    "voortgangsrapportage-2025.html": b"<!doctype html>",
    "voortgangsrapportage-2025.pdf": b"%PDF",
    "voortgangsrapportage-2025.docx": b"PK",
    "bestuurssamenvatting-2025.pdf": b"%PDF",
    "presentatie-2025.pdf": b"%PDF",
    "presentatie-2025.pptx": b"PK",
}


@pytest.fixture(scope="module")
def root(edition: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output folder with the draft of the demo: its tables are all that a report needs."""
    root = tmp_path_factory.mktemp("report") / "output"
    draft = root / "editions" / "2025-draft"
    shutil.copytree(edition / "editions" / "2025-draft" / "parquet", draft / "parquet")
    return root


@pytest.fixture(scope="module")
def written(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return progress_report.write(progress_report.scope_of(root, 2025), root, tmp_path_factory.mktemp("written")).folder


@pytest.fixture
def report(written: Path, tmp_path: Path) -> Path:
    """The report, in a folder of its own."""
    return Path(shutil.copytree(written, tmp_path / "report"))


def test_one_command_writes_every_form_of_the_report(btg: Btg, root: Path) -> None:
    result = btg("report", "--year", "2025", "--output", root, "--json")
    assert result.exit_code == 0, result.stderr
    said = json.loads(result.stdout)
    assert said["edition"] == "2025-draft"
    assert said["lacking"] == 3
    assert [Path(path).name for path in said["files"]] == list(FILES)
    for path in map(Path, said["files"]):
        assert path.parent == root / "reports" / "2025"
        assert path.read_bytes().startswith(FILES[path.name])


def test_the_edition_holds_the_same_report(edition: Path, report: Path) -> None:
    folder = edition / "editions" / "2025-draft" / "report"
    for name in FILES:
        assert (folder / name).read_bytes() == (report / name).read_bytes(), name


def test_the_same_again_changes_nothing(btg: Btg, root: Path, report: Path) -> None:
    before = {path.name: path.read_bytes() for path in report.iterdir()}
    assert btg("report", "--year", "2025", "--output", root, "--to", report).exit_code == 0
    assert {path.name: path.read_bytes() for path in report.iterdir()} == before


def test_a_document_that_was_edited_is_never_overwritten(btg: Btg, root: Path, report: Path) -> None:
    path = report / "voortgangsrapportage-2025.docx"
    document = Document(str(path))
    document.add_paragraph("Een zin van de redactie.")
    document.save(str(path))
    edited = path.read_bytes()
    result = btg("report", "--year", "2025", "--output", root, "--to", report)
    assert result.exit_code == 0
    assert "voortgangsrapportage-2025.docx was edited since it was made: it is kept" in result.stdout
    assert path.read_bytes() == edited
    assert (report / "voortgangsrapportage-2025-2.docx").is_file()
    # The next one replaces what nobody edited, and still leaves the edited one.
    assert btg("report", "--year", "2025", "--output", root, "--to", report).exit_code == 0
    assert path.read_bytes() == edited
    assert not (report / "voortgangsrapportage-2025-3.docx").exists()


def test_a_number_that_is_not_in_the_edition_is_found_in_an_edited_document(btg: Btg, root: Path, report: Path) -> None:
    path = report / "voortgangsrapportage-2025.docx"
    call = ("report", "--year", "2025", "--output", root, "--verify", path)
    sound = btg(*call)
    assert (sound.exit_code, "Every figure and verdict is as edition" in sound.stdout) == (0, True)
    document = Document(str(path))
    document.add_paragraph("Inmiddels doen 123.456 bedrijven mee.")
    document.save(str(path))
    stale = btg(*call)
    assert stale.exit_code == 1
    assert "1 place is not as edition 2025-draft gives it" in stale.stdout
    assert "Inmiddels doen 123.456 bedrijven mee." in stale.stdout
    assert json.loads(btg(*call, "--json").stdout)["different"] == ["Inmiddels doen 123.456 bedrijven mee."]


def falsified(document: Any, old: str, new: str) -> None:
    """Replace a text wherever a paragraph or a cell has it in one run."""
    found = 0
    for node in document.element.body.iter(qn("w:t")):
        if old in (node.text or ""):
            node.text, found = node.text.replace(old, new), found + 1
    assert found, old


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("bereikt bij 5, op koers bij 5", "bereikt bij 7, op koers bij 3", "bereikt bij 7, op koers bij 3"),
        ("3 van 5 pilotgemeenten", "5 van 5 pilotgemeenten", "5 van 5 pilotgemeenten"),
        ("aantoonbaar slechter", "aantoonbaar beter", "aantoonbaar beter"),
        ("Geleerde lessen", "Dankzij de Regio Deal is Twente gelukkiger.", "Dankzij de Regio Deal"),
    ],
    ids=["a count of results", "a cell", "a verdict", "a cause"],
)
def test_a_figure_or_verdict_that_was_changed_is_found_though_its_numbers_occur_elsewhere(
    btg: Btg, root: Path, report: Path, old: str, new: str, told: str
) -> None:
    path = report / "voortgangsrapportage-2025.docx"
    document = Document(str(path))
    falsified(document, old, new)
    document.save(str(path))
    result = btg("report", "--year", "2025", "--output", root, "--verify", path)
    assert result.exit_code == 1
    assert told in result.stdout


def test_an_editor_may_add_and_leave_out_what_holds_no_figure(btg: Btg, root: Path, report: Path) -> None:
    path = report / "voortgangsrapportage-2025.docx"
    document = Document(str(path))
    document.add_paragraph("Wij danken de bureaus voor hun werk.")
    document.paragraphs[-2]._p.getparent().remove(document.paragraphs[-2]._p)
    document.save(str(path))
    assert btg("report", "--year", "2025", "--output", root, "--verify", path).exit_code == 0


def test_what_is_no_word_document_is_refused(btg: Btg, root: Path, tmp_path: Path) -> None:
    for name, content in {
        "a.docx": b"no archive",
        "b.docx": (FOLDER / "bureau-zorg" / "geld.csv").read_bytes(),
    }.items():
        (tmp_path / name).write_bytes(content)
        result = btg("report", "--year", "2025", "--output", root, "--verify", tmp_path / name)
        assert result.exit_code == 2
        assert "expected a Word document (.docx)" in result.stderr


def test_check_says_what_is_due_and_what_is_lacking(btg: Btg, root: Path) -> None:
    result = btg("report", "--year", "2025", "--check", "--output", root)
    assert result.exit_code == 1
    assert "The report on 2025 is due on 2026-07-14" in result.stdout
    assert "2028-06-30  Final evaluation" in result.stdout
    assert "2.2    text on progress" in result.stdout
    said = json.loads(btg("report", "--year", "2025", "--check", "--output", root, "--json").stdout)
    assert [(row["line_id"], row["requirement"]) for row in said["lacking"]] == [
        ("1.2", "no_remarks"),
        ("2.2", "text_progress"),
        ("2.2", "text_planning"),
    ]


def test_nothing_lacks_is_exit_code_nought(btg: Btg, root: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(root, tmp_path / "output"))
    path = copy / "editions" / "2025-draft" / "parquet" / "report_requirement.parquet"
    whole = pl.read_parquet(path).with_columns(met=pl.lit(value=True), lacking=pl.lit(None, dtype=pl.String))
    whole.write_parquet(path)
    result = btg("report", "--year", "2025", "--check", "--output", copy)
    assert (result.exit_code, "all that it needs is there" in result.stdout) == (0, True)


def test_the_evaluation_is_over_all_years(btg: Btg, root: Path, tmp_path: Path) -> None:
    result = btg("report", "--year", "2025", "--evaluation", "--output", root, "--to", tmp_path)
    assert result.exit_code == 0, result.stderr
    text = (tmp_path / "evaluatie-2025.html").read_text(encoding="utf-8")
    assert "Tussenevaluatie 2023 tot en met 2025" in text
    assert "Geteld aan het einde van elk jaar" in text


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--year", "2024"], 2, "There is no edition of 2024"),
        (["--year", "2022"], 2, "There is no edition of 2022"),
        (["--year", "2031"], 2, "2031 is no measurement year (2022 to 2025)"),
        (["--year", "2025", "--edition", "2025-7"], 2, "There is no edition 2025-7"),
        (["--year", "2025", "--final"], 2, "2025-draft is a draft"),
        ([], 2, "--year"),
    ],
)
def test_a_report_that_cannot_be_made_is_refused_in_one_message(
    btg: Btg, root: Path, arguments: list[str], code: int, told: str
) -> None:
    result = btg("report", *arguments, "--output", root)
    assert result.exit_code == code
    assert told in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr


def test_a_sentence_that_the_tables_no_longer_carry_stops_the_report(btg: Btg, root: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(root, tmp_path / "output", ignore=shutil.ignore_patterns("reports")))
    path = copy / "editions" / "2025-draft" / "parquet" / "target_progress.parquet"
    frame = pl.read_parquet(path)
    of_sme = (pl.col("target_id") == "sme_active") & (pl.col("year") == 2025)
    frame.with_columns(achieved=pl.when(of_sme).then(99.0).otherwise("achieved")).write_parquet(path)
    result = btg("report", "--year", "2025", "--output", copy)
    assert result.exit_code == 1
    assert "2 sentences are not what the tables say now" in result.stderr
    assert "112 (mkb-organisaties)" in result.stderr
    assert not (copy / "reports").exists()


def test_an_edition_of_before_there_was_a_programme_cannot_be_reported_on(btg: Btg, root: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(root, tmp_path / "output"))
    (copy / "editions" / "2025-draft" / "parquet" / "target_progress.parquet").unlink()
    result = btg("report", "--year", "2025", "--output", copy)
    assert (result.exit_code, "has no table target_progress" in result.stderr) == (2, True)


def test_an_edition_of_another_region_is_told_apart(btg: Btg, root: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(root, tmp_path / "output"))
    path = copy / "editions" / "2025-draft" / "parquet" / "region.parquet"
    frame = pl.read_parquet(path)
    frame.with_columns(region_code=pl.col("region_code").replace("TWENTE", "SALLAND")).write_parquet(path)
    result = btg("report", "--year", "2025", "--output", copy)
    assert (result.exit_code, "is not of Twente" in result.stderr) == (2, True)
    assert "--region FILE" in result.stderr


# --- registers in a run


def workspace(folder: Path, *, demo: bool = False) -> Workspace:
    made = Workspace(
        output=str(folder / "output"), input_folder="", data_folder=str(folder / "data"), lock_file="", demo=demo
    )
    made.checks.mkdir(parents=True)
    return made


def delivered(folder: Path, bureau: str = "bureau-zorg") -> Path:
    """An invented register, as if it were real."""
    path = Path(shutil.copytree(FOLDER / bureau, folder / bureau))
    text = (path / "bureau.csv").read_text(encoding="utf-8")
    (path / "bureau.csv").write_text(text.replace(";ja;", ";nee;"), encoding="utf-8")
    return path


def test_a_run_uses_the_registers_that_were_added_and_a_demo_the_invented_ones(tmp_path: Path) -> None:
    programme = CATALOGUE.programme
    assert programme is not None
    add_register(delivered(tmp_path), tmp_path / "data", dry_run=False)
    real = assets_of_programme._registers(workspace(tmp_path), programme)
    assert real.frames["bureau"].select("bureau", "synthetic").rows() == [("bureau-zorg", False)]
    demo = assets_of_programme._registers(workspace(tmp_path / "demo", demo=True), programme)
    assert demo.frames["bureau"]["synthetic"].to_list() == [True, True, True]


def test_a_kept_register_that_no_longer_fits_stops_the_run_and_says_so(tmp_path: Path) -> None:
    """An addendum may end the programme earlier than a register that came before it says."""
    programme = CATALOGUE.programme
    assert programme is not None
    add_register(delivered(tmp_path), tmp_path / "data", dry_run=False)
    shorter = programme.model_copy(update={"ends": programme.starts.replace(month=6)})
    place = workspace(tmp_path)
    with pytest.raises(InputError):
        assets_of_programme._registers(place, shorter)
    (row,) = json.loads((place.checks / "programme_register.json").read_text(encoding="utf-8"))
    assert (row["check_id"], row["passed"]) == ("register_is_valid", False)
    assert "BTG register bureau-zorg" in row["message"]


def test_the_newest_final_edition_of_the_year_is_reported_on(tmp_path: Path) -> None:
    for name in ("2025-draft", "2025-1", "2025-2", "2024-9"):
        folder = tmp_path / "editions" / name
        (folder / "parquet").mkdir(parents=True)
        if not name.endswith("draft"):
            (tmp_path / "editions" / f"{name}.state.json").write_text("{}", encoding="utf-8")
    assert progress_report.edition_of(tmp_path, 2025, None) == "2025-2"
    assert progress_report.edition_of(tmp_path, 2025, "2025-draft") == "2025-draft"
