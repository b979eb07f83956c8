"""The notebooks run on an edition as a researcher runs them, and are committed without outputs."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def test_there_is_a_notebook_to_begin_with() -> None:
    assert FOLDER / "first_look.ipynb" in NOTEBOOKS, f"{FOLDER} holds no first_look.ipynb: researchers begin there"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_on_an_edition(
    path: Path, edition: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BTG_OUTPUT", str(edition))
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    before = (edition / "btg.duckdb").read_bytes()
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    done = NotebookClient(
        notebook, timeout=60, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    code = [cell for cell in done.cells if cell.cell_type == "code"]
    assert code
    assert all(cell.execution_count for cell in code)
    assert [output for cell in code for output in cell.outputs if output.output_type == "error"] == []
    warned = [o.text for cell in code for o in cell.outputs if o.output_type == "stream" and o.name == "stderr"]
    assert warned == [], "a reader would see these"
    shown = [cell for cell in code if any(o.output_type in ("execute_result", "display_data") for o in cell.outputs)]
    assert shown, "it shows nothing"
    assert (edition / "btg.duckdb").read_bytes() == before


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_committed_without_outputs(path: Path) -> None:
    for number, cell in enumerate(json.loads(path.read_text(encoding="utf-8"))["cells"]):
        if cell["cell_type"] == "code":
            assert cell["outputs"] == [], f"cell {number} of {path.name} holds outputs"
            assert cell["execution_count"] is None, f"cell {number} of {path.name} was run"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_imports_nothing_of_the_software(path: Path) -> None:
    rooms = ("catalog", "sources", "methods", "assets", "reports", "pipelines")
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        assert not [room for room in rooms if f"import {room}" in source or f"from {room}" in source]
