"""The README is true: its SQL gives the results it shows, and its Python runs.

python -m tests.test_readme OUTPUT      # renews the results in the README from an output folder
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import polars as pl

from pipelines.query import read_only_query

README = Path(__file__).parents[1] / "README.md"
SQL = re.compile(r"```sql\n(.*?)```\n(?:\n((?:\|[^\n]*\n)+))?", re.DOTALL)
PYTHON = re.compile(r"```python\n(.*?)```", re.DOTALL)


def as_table(frame: pl.DataFrame) -> str:
    """A frame as a Markdown table."""
    shown = frame.with_columns(
        pl.col(name).list.join("; ") for name, dtype in frame.schema.items() if isinstance(dtype, pl.List)
    )
    rows = [shown.columns, ["---"] * shown.width]
    rows += [["" if cell is None else str(cell) for cell in row] for row in shown.iter_rows()]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def test_sql_gives_the_results_shown(edition: Path) -> None:
    examples = SQL.findall(README.read_text(encoding="utf-8"))
    assert len(examples) == 3
    for sql, shown in examples:
        assert as_table(read_only_query(edition / "btg.duckdb", sql)) == shown


def test_python_example_runs(edition: Path, tmp_path: Path) -> None:
    (example,) = PYTHON.findall(README.read_text(encoding="utf-8"))
    (tmp_path / "output").symlink_to(edition)
    done = subprocess.run(
        [sys.executable, "-c", example], cwd=tmp_path, env=os.environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "70.0" in done.stdout


def test_every_command_named_exists() -> None:
    from typer.main import get_command

    from pipelines.cli import app

    named = set(re.findall(r"`btg (\w+)", README.read_text(encoding="utf-8")))
    assert named <= set(get_command(app).commands)  # type: ignore[attr-defined]


def test_the_verdicts_page_is_what_the_spec_tables_print() -> None:
    page = (README.parent / "docs" / "verdicts.md").read_text(encoding="utf-8")
    command = [sys.executable, "-m", "tests.methods.test_verdict"]
    printed = subprocess.run(command, cwd=README.parent, capture_output=True, text=True, check=True).stdout
    assert page == printed, "renew it: python -m tests.methods.test_verdict > docs/verdicts.md"


if __name__ == "__main__":
    database = Path(sys.argv[1]) / "btg.duckdb"
    renewed = SQL.sub(
        lambda found: f"```sql\n{found[1]}```\n\n{as_table(read_only_query(database, found[1]))}",
        README.read_text(encoding="utf-8"),
    )
    README.write_text(renewed, encoding="utf-8")
