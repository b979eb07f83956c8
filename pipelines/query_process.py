"""One query, answered in a process of its own: `python -P query_process.py`, started by `pipelines.query` alone.

In a process of its own because DuckDB cannot be held to its limits from within: some functions are deaf to an
interrupt (`levenshtein` of long texts), some take memory that `memory_limit` does not count (`repeat`), and some end
the whole process (`FROM enable_logging(storage='file', …)`). And on a copy of the database, because DuckDB lets a query
write to the file it has open, `enable_external_access` or not: `COPY … TO 'btg.duckdb.wal'`. So nobody's file is ever
open for long either, and a session that holds it open for writing keeps nobody from reading.

The question comes as JSON on standard input, the answer goes as an Arrow stream to standard output. Exit REFUSED: the
reason is on standard error. Imports nothing of the project, so that it starts fast.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

REFUSED = 3
ROWS_A_BATCH = 50_000
# What the libraries themselves and one batch of the answer take beside DuckDB's own memory.
BESIDE_MB = 2_000
# How long after an interrupt the system ends a process that does not hear it.
GRACE_SECONDS = 2
# What systems say where a file no longer fits.
_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}

SETTINGS = (
    "SET temp_directory = ''",
    "SET max_temp_directory_size = '0B'",
    "SET python_enable_replacements = false",
    "SET allow_community_extensions = false",
    "SET home_directory = ''",
    "SET secret_directory = ''",
    "SET extension_directory = '.'",
    "SET enable_external_access = false",
    "SET lock_configuration = true",
)


class Refused(Exception):  # noqa: N818 - says what is the matter
    """The query has a mistake, asks for what is not allowed, or meets a limit."""


def main() -> None:
    """Answer the question on standard input."""
    # Some functions print: what they say must not come between the answer.
    with os.fdopen(os.dup(1), "wb") as answer, Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        question = json.load(sys.stdin.buffer)
        try:
            _answer(question, answer)
        except Refused as error:
            sys.stderr.write(str(error))
            sys.exit(REFUSED)


def _answer(question: dict[str, Any], to: BinaryIO) -> None:
    import duckdb
    import pyarrow as pa

    deadline = time.monotonic() + question["seconds"]
    _end_when_deaf(question["seconds"])
    copy = _private_copy(Path(question["database"]))
    _limit(question["memory_mb"])
    try:
        with _connected(copy, question) as connection:
            timer = threading.Timer(max(deadline - time.monotonic(), 0), connection.interrupt)
            timer.daemon = True
            timer.start()
            reader = _reader(connection, question["sql"])
            _send(reader, to, question["answer_mb"], deadline)
            timer.cancel()
    except (duckdb.InterruptException, TimeoutError):
        raise Refused(_too_long(question["seconds"])) from None
    except (duckdb.OutOfMemoryException, pa.ArrowMemoryError, MemoryError):
        raise Refused(_too_much(question["memory_mb"])) from None
    except (duckdb.Error, pa.ArrowException, RuntimeError) as error:
        raise Refused(_reason(error, question)) from None


def _connected(database: str, question: dict[str, Any]) -> Any:
    """A connection that reads this database and nothing else, and whose settings nobody can change."""
    import duckdb

    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "memory_limit": f"{question['memory_mb']}MB",
        "threads": question["threads"],
    }
    connection = duckdb.connect(database, read_only=True, config=config)
    for setting in SETTINGS:
        connection.execute(setting)
    return connection


def _reader(connection: Any, sql: str) -> Any:
    """The answer in batches, as they are made; raises Refused for what is not one SELECT statement."""
    import duckdb

    statements = connection.extract_statements(sql)
    if len(statements) > 1 and re.search(r"\bpivot(_wider)?\b", sql, re.IGNORECASE):
        # DuckDB would first look up the values, and make a type of them.
        raise Refused("a PIVOT must name the values that become columns: PIVOT … ON column IN ('a', 'b') …")
    if len(statements) != 1:
        raise Refused(f"expected one SELECT statement, found {len(statements)} statements")
    if statements[0].type != duckdb.StatementType.SELECT:
        raise Refused("it is not a query with an answer: expected a SELECT statement")
    return connection.execute(statements[0]).to_arrow_reader(ROWS_A_BATCH)


def _send(reader: Any, to: BinaryIO, answer_mb: int, deadline: float) -> None:
    import pyarrow as pa

    left = answer_mb * 1_000_000
    with pa.ipc.new_stream(to, reader.schema) as stream:
        for batch in reader:
            left -= batch.nbytes
            if left < 0:
                raise Refused(
                    f"the answer is larger than {answer_mb} MB. Ask for less: fewer columns, a WHERE, or a LIMIT"
                )
            if time.monotonic() > deadline:
                raise TimeoutError
            stream.write_batch(batch)


def _private_copy(database: Path) -> str:
    """Copy the database into this process's folder, without the notes (.wal) of somebody's session beside it."""
    try:
        return str(shutil.copyfile(database, Path(f"{database.stem}.duckdb")))
    except OSError as error:
        raise Refused(_not_copied(database, error)) from None


def _not_copied(database: Path, error: OSError) -> str:
    if error.errno in _FULL:
        size = f"{database.stat().st_size / 1e6:,.0f} MB"
        return (
            f"{Path.cwd().parent} has no room: a query works on a copy of the database, which takes {size} there. "
            "Free some space, or name another folder for temporary files: TMPDIR"
        )
    hint = ". Is it open in another program? Close it" if isinstance(error, PermissionError) else ""
    return f"{database} cannot be read ({error.strerror}){hint}"


def _end_when_deaf(seconds: float) -> None:
    """Let the system end this process when it outlives its time, also when whoever started it is gone."""
    if sys.platform != "win32":
        signal.setitimer(signal.ITIMER_REAL, seconds + GRACE_SECONDS)


def _limit(memory_mb: int) -> None:
    """Let the system refuse memory beyond the limit, any writing to files, and a dump of memory."""
    if sys.platform == "win32":
        return
    import resource

    address_space = (memory_mb + BESIDE_MB) * 1_000_000
    for what, limit in (
        (resource.RLIMIT_AS, address_space),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        with suppress(ValueError, OSError):  # a system that has no such limit, or a lower one already
            resource.setrlimit(what, (limit, limit))


def _too_long(seconds: float) -> str:
    return f"it took longer than {seconds:g} seconds and was stopped"


def _too_much(memory_mb: int) -> str:
    return f"it needs more memory than the {memory_mb} MB a query may use, and was stopped"


def _reason(error: Exception, question: dict[str, Any]) -> str:
    """DuckDB's own words, without the folder of the copy; Arrow wraps them when a limit is met half-way the answer."""
    words = str(error)
    if "INTERRUPT Error" in words:
        return _too_long(question["seconds"])
    if "Out of Memory Error" in words:
        return _too_much(question["memory_mb"])
    return words.replace(str(Path.cwd()) + os.sep, "")


if __name__ == "__main__":
    main()
