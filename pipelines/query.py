"""Read-only SQL on an edition, and its answer as text for people and programs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from itertools import count
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.query_process import GRACE_SECONDS, REFUSED
from reports.tables import as_csv_columns

ROWS_SHOWN = 200

SECONDS, MEMORY_MB, ANSWER_MB, THREADS = 60.0, 2_000, 500, 4
_PROCESS = Path(__file__).with_name("query_process.py")
# What starting Python and DuckDB may take on a busy machine, on top of the query's own time.
_START_SECONDS = 30
# How the system ends a process that has outlived its time; Windows has no such signal.
_ALARM = getattr(signal, "SIGALRM", 0)


class NotAnswered(Exception):  # noqa: N818 - says what is the matter
    """The query has a mistake, asks for something that is not allowed, meets a limit, or has no answer in this form."""


def read_only_query(
    database: Path,
    sql: str,
    *,
    seconds: float = SECONDS,
    memory_mb: int | None = None,
    answer_mb: int = ANSWER_MB,
) -> pl.DataFrame:
    """The answer to one SELECT, from a process that can write nothing and read no other file; raises NotAnswered.

    It is stopped after `seconds`, beyond `memory_mb` of memory (default: 2,000 or half of the machine's), and when its
    answer is larger than `answer_mb`. It works on a private copy: nobody's session on the database keeps it waiting,
    and it keeps nobody from replacing the database.
    """
    question = {
        "database": str(database.resolve()),
        "sql": sql,
        "seconds": seconds,
        "memory_mb": memory_mb or _memory_mb(),
        "answer_mb": answer_mb,
        "threads": min(THREADS, os.cpu_count() or 1),
    }
    # Windows may still be closing the files of a process that was stopped.
    with tempfile.TemporaryDirectory(prefix="btg-query-", ignore_cleanup_errors=True) as folder:
        return _frame(_asked(question, folder))


def _asked(question: dict[str, Any], folder: str) -> bytes:
    """The Arrow stream with which the process answers; no process is left behind."""
    with subprocess.Popen(
        [sys.executable, "-P", str(_PROCESS)],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            answer, said = process.communicate(
                json.dumps(question).encode(), timeout=question["seconds"] + GRACE_SECONDS + _START_SECONDS
            )
        except subprocess.TimeoutExpired:
            raise NotAnswered(_too_long(question)) from None
        finally:
            process.kill()
    if process.returncode == REFUSED:
        raise NotAnswered(said.decode(errors="replace"))
    if _ALARM and process.returncode == -_ALARM:
        raise NotAnswered(_too_long(question))
    if process.returncode:
        raise NotAnswered(
            "the database engine gave up on it (too much memory, or a fault of its own); nothing was changed"
        )
    return answer


def _too_long(question: dict[str, Any]) -> str:
    return f"it took longer than {question['seconds']:g} seconds and was stopped"


def _frame(answer: bytes) -> pl.DataFrame:
    import pyarrow as pa

    try:
        table = pa.ipc.open_stream(answer).read_all()
        frame = pl.from_arrow(table.rename_columns(_distinct(table.column_names)))
    except (pa.ArrowException, pl.exceptions.PolarsError) as error:
        raise NotAnswered(str(error)) from error
    if not isinstance(frame, pl.DataFrame):
        raise NotAnswered("its answer is not a table")
    return frame


def _distinct(names: list[str]) -> list[str]:
    """Column names, each once: of `SELECT a.x, b.x` the second becomes x_1."""
    taken: list[str] = []
    for name in names:
        free = (f"{name}_{number}" if number else name for number in count())
        taken.append(next(candidate for candidate in free if candidate not in taken))
    return taken


def _memory_mb() -> int:
    """Half of the machine's memory, where that is known and less than the usual limit."""
    try:
        half = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2_000_000
    except (AttributeError, ValueError, OSError):  # Windows
        return MEMORY_MB
    return max(min(MEMORY_MB, half), 100)


def as_text_table(frame: pl.DataFrame, width: int) -> str:
    """The frame as people read it, `width` characters wide; every warning of a figure is shown.

    Of a long answer the first rows are shown, and how many there are is said.
    """
    left = frame.height - ROWS_SHOWN
    ending = f"\n… and {left} more rows: --format csv gives all {frame.height}" if left > 0 else ""
    with pl.Config(
        tbl_rows=ROWS_SHOWN,
        tbl_cols=50,
        fmt_str_lengths=200,
        fmt_table_cell_list_len=-1,
        tbl_width_chars=width,
        tbl_hide_dataframe_shape=True,
    ):
        return str(frame.head(ROWS_SHOWN)) + ending


def as_json(frame: pl.DataFrame) -> str:
    """A list of objects; binary as hexadecimal, what is not a finite number as null, other types as text."""
    finite = frame.with_columns(
        pl.when(pl.col(name).is_finite()).then(pl.col(name)) for name, dtype in frame.schema.items() if dtype.is_float()
    )
    return json.dumps(finite.to_dicts(), ensure_ascii=False, allow_nan=False, default=_plain)


def as_csv(frame: pl.DataFrame) -> str:
    """CSV as in the editions; raises NotAnswered where a column holds what CSV cannot."""
    try:
        return as_csv_columns(frame).write_csv()
    except pl.exceptions.PolarsError as error:
        raise NotAnswered(f"{error}; try --format json") from error


def _plain(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)
