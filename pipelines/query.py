"""Read-only SQL on an edition, and its answer as text for people and programs."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from pipelines.query_process import GRACE_SECONDS, REFUSED
from reports.tables import as_csv_columns

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_SHOWN = 200

SECONDS, MEMORY_MB, ANSWER_MB, THREADS = 60.0, 2_000, 500, 4
# What is turned into text at once: as objects of Python it takes some forty times as much memory.
_ROWS_A_SLICE, _BYTES_A_SLICE = 10_000, 4_000_000
# The dates that Python and Polars know: the years 1 to 9999, as seconds since 1970.
_FIRST, _LAST = (int(datetime(*day, tzinfo=UTC).timestamp()) for day in ((1, 1, 1), (9999, 12, 31)))
_UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
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
    try:
        # Windows may still be closing the files of a process that was stopped.
        temporary = tempfile.TemporaryDirectory(prefix="btg-query-", ignore_cleanup_errors=True)
    except OSError as error:
        why = f"there is no folder for temporary files to work in ({error.strerror}). Free some space, or name another"
        raise NotAnswered(f"{why}: TMPDIR") from error
    with temporary as folder:
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
        table = table.rename_columns(_distinct(table.column_names))
        for name, column in zip(table.column_names, table.columns, strict=True):
            _require_known_values(name, column)
        frame = pl.from_arrow(table)
    except (pa.ArrowException, pl.exceptions.PolarsError) as error:
        raise NotAnswered(str(error)) from error
    if not isinstance(frame, pl.DataFrame):
        raise NotAnswered("its answer is not a table")
    return frame


def _require_known_values(name: str, column: pa.ChunkedArray) -> None:
    """Raises NotAnswered for what Polars cannot hold, also within lists: it ends in a panic, or in another date."""
    import pyarrow as pa

    for chunk in column.chunks or [pa.nulls(0, column.type)]:
        for leaf in _leaves(chunk):
            if pa.types.is_interval(leaf.type) or pa.types.is_union(leaf.type):
                what = "an interval" if pa.types.is_interval(leaf.type) else "of several types at once"
                raise NotAnswered(f"{name} is {what}, which no answer can hold. Cast it: {name}::VARCHAR")
            if not _is_within_calendar(leaf):
                why = f"{name} holds a date that is infinite or outside the years 1 to 9999"
                raise NotAnswered(f"{why}. Cast it: {name}::VARCHAR")


def _leaves(array: pa.Array) -> Iterator[pa.Array]:
    """The array itself, or what is within its lists, maps and structs."""
    import pyarrow as pa

    if pa.types.is_struct(array.type):
        inner = array.flatten()
    elif pa.types.is_map(array.type):
        inner = [array.keys, array.items]
    elif pa.types.is_list(array.type) or pa.types.is_large_list(array.type) or pa.types.is_fixed_size_list(array.type):
        inner = [array.flatten()]
    else:
        yield array
        return
    for part in inner:
        yield from _leaves(part)


def _is_within_calendar(array: pa.Array) -> bool:
    """Whether all dates of an array are dates to Python too; what holds no dates is."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_date32(array.type):
        first, last = _FIRST // 86_400, _LAST // 86_400
        found = pc.min_max(array.cast(pa.int32()))
    elif pa.types.is_timestamp(array.type):
        unit = _UNITS[array.type.unit]
        # The ends of the numbers themselves stand for infinity.
        first, last = max(_FIRST * unit, 2 - 2**63), min((_LAST + 86_400) * unit - 1, 2**63 - 2)
        found = pc.min_max(array.cast(pa.int64()))
    else:
        return True
    least, most = found["min"].as_py(), found["max"].as_py()
    return least is None or bool(first <= least and most <= last)


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


def as_json(frame: pl.DataFrame) -> Iterator[str]:
    """A list of objects, in parts; binary as hexadecimal, what is not a finite number as null, other types as text."""
    yield "["
    for number, rows in enumerate(_slices(frame)):
        # Without the brackets of a list: it goes on.
        yield (", " if number else "") + _json(rows.to_dicts())[1:-1]
    yield "]"


def as_csv(frame: pl.DataFrame) -> Iterator[str]:
    """CSV as in the editions, in parts; raises NotAnswered at once where a column holds what CSV cannot."""
    try:
        for number, rows in enumerate(_slices(frame)):
            yield as_csv_columns(rows).write_csv(include_header=number == 0)
    except pl.exceptions.PolarsError as error:
        raise NotAnswered(f"{error}; try --format json") from error


def _slices(frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The rows of the frame, some at a time, at least once."""
    a_row = max(int(frame.estimated_size()) // max(frame.height, 1), 1)
    rows = min(max(_BYTES_A_SLICE // a_row, 1), _ROWS_A_SLICE)
    for first in range(0, max(frame.height, 1), rows):
        yield frame.slice(first, rows)


def _json(rows: list[dict[str, Any]]) -> str:
    try:
        return json.dumps(rows, ensure_ascii=False, allow_nan=False, default=_plain)
    except ValueError:  # among them is a number that JSON has no word for
        return json.dumps(_finite(rows), ensure_ascii=False, allow_nan=False, default=_plain)


def _finite(value: Any) -> Any:
    """The same, with None for every number that is not finite."""
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _plain(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)
