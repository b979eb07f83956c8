"""A query answers from one edition, reaches nothing else, and stops at its limits whatever it asks."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import duckdb
import polars as pl
import pytest
from typer.testing import CliRunner, Result

from pipelines import query, query_process
from pipelines.cli import app
from pipelines.query import NotAnswered, as_csv, as_json, as_text_table, read_only_query
from pipelines.query_process import Refused, _connected, _reader
from reports.tables import as_csv_columns
from tests.conftest import BTG
from tests.pipelines.limits import small_disk
from tests.pipelines.test_backup import add_edition


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("query") / "btg.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "CREATE TABLE figure AS SELECT 'GM0153' AS region_code, 69.5 AS value, ['no_margin'] AS warnings"
        )
        connection.execute(
            "CREATE TABLE many AS SELECT range AS n, 'a text of some length' AS words FROM range(200000)"
        )
    return path


@pytest.fixture
def database(original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy in a folder of its own, and a folder for temporary files: after the test both are as they were."""
    folder, temporary = tmp_path / "output", tmp_path / "temporary"
    folder.mkdir()
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    path = folder / "btg.duckdb"
    path.write_bytes(original.read_bytes())
    before = files(folder)
    yield path
    assert files(folder) == before, "a query changed something beside the database"
    assert files(temporary) == {}, "a query left something behind"


def files(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def refused(database: Path, sql: str, **limits: float) -> str:
    with pytest.raises(NotAnswered) as error:
        read_only_query(database, sql, **limits)  # type: ignore[arg-type]
    said = str(error.value)
    assert said
    assert "Traceback" not in said
    return said


# --- answers


def test_a_select_is_answered(database: Path) -> None:
    answer = read_only_query(database, "SELECT region_code, value, warnings FROM figure")
    assert answer.rows() == [("GM0153", 69.5, ["no_margin"])]


def test_all_rows_of_a_long_answer_come_in_order(database: Path) -> None:
    answer = read_only_query(database, "FROM many ORDER BY n")
    assert answer.height == 200_000
    assert answer["n"].to_list() == list(range(200_000))


def test_columns_of_the_same_name_are_told_apart(database: Path) -> None:
    assert read_only_query(database, "SELECT 1 AS a, 2 AS a, 3 AS a_1").columns == ["a", "a_1", "a_1_1"]


def test_no_rows_is_an_answer_with_columns(database: Path) -> None:
    answer = read_only_query(database, "SELECT * FROM figure WHERE value > 100")
    assert (answer.height, answer.columns) == (0, ["region_code", "value", "warnings"])


@pytest.mark.parametrize("sql", ["DESCRIBE figure", "SHOW TABLES", "SUMMARIZE figure", "VALUES (1)", "FROM figure"])
def test_what_looks_around_in_the_edition_is_a_select_too(original: Path, sql: str) -> None:
    with duckdb.connect(str(original), read_only=True) as connection:
        assert _reader(connection, sql).read_all().num_rows


def test_a_mistake_is_explained_in_the_words_of_the_database(database: Path) -> None:
    assert "nowhere" in refused(database, "SELECT nowhere FROM figure")


def test_a_pivot_that_names_its_columns_is_answered_and_another_says_what_it_lacks(database: Path) -> None:
    """DuckDB makes two statements of the other: of a SELECT and of what looks up the values."""
    assert (
        read_only_query(database, "PIVOT figure ON region_code IN ('GM0153') USING sum(value)")["GM0153"].item() == 69.5
    )
    for sql in ("PIVOT figure ON region_code", "FROM (pivot figure ON region_code USING sum(value))"):
        assert "IN ('a', 'b')" in refused(database, sql)


NO_POLARS = {
    "infinite": "SELECT DATE 'infinity' AS day",
    "before the calendar": "SELECT TIMESTAMP '0044-03-15 (BC)' AS day",
    "after the calendar": "SELECT DATE '12000-01-01' AS day",
    "infinite in seconds": "SELECT TIMESTAMP_S '-infinity' AS day",
    "infinite in nanoseconds": "SELECT TIMESTAMP_NS '-infinity' AS day",
    "within a list": "SELECT [DATE '2025-01-01', DATE 'infinity'] AS day",
    "within a map in a struct": "SELECT {'a': MAP {'b': TIMESTAMPTZ 'infinity'}} AS day",
    "an interval": "SELECT INTERVAL 1 DAY AS day",
    "a list of intervals": "SELECT [INTERVAL 1 DAY] AS day",
    "no rows of intervals": "SELECT [INTERVAL 1 DAY] AS day FROM figure WHERE value > 100",
    "a union": "SELECT 1::UNION(a INT, b VARCHAR) AS day",
}


@pytest.mark.parametrize("sql", NO_POLARS.values(), ids=NO_POLARS)
def test_a_value_that_no_answer_can_hold_is_named_with_what_to_do(database: Path, sql: str) -> None:
    """Some of these ended in a traceback, others in another date."""
    said = refused(database, sql)
    assert said.startswith("day ")
    assert "day::VARCHAR" in said
    assert "POLARS" not in said


def test_the_first_and_last_dates_of_the_calendar_are_answered(database: Path) -> None:
    answer = read_only_query(
        database,
        "SELECT DATE '0001-01-01' AS a, TIMESTAMP '9999-12-31 23:59:59' AS b, NULL::DATE AS c, [DATE '2025-1-1'] AS d",
    )
    assert json.loads("".join(as_json(answer))) == [
        {"a": "0001-01-01", "b": "9999-12-31 23:59:59", "c": None, "d": ["2025-01-01"]}
    ]
    assert "9999-12-31" in as_text_table(answer, 200)


# --- answers as text


MIXED = pl.DataFrame(
    {
        "n": range(30_000),
        "value": [None, 1.5, float("nan")] * 10_000,
        "words": ["één, of “twee”", None, 'a "quote"'] * 10_000,
        "list": [["a", None], [], None] * 10_000,
        "binary": [b"\x01", None, b""] * 10_000,
    }
)


@pytest.mark.parametrize("rows", [30_000, 10_001, 10_000, 1, 0])
def test_json_in_parts_is_the_same_text_as_all_at_once(rows: int) -> None:
    frame = MIXED.head(rows)
    at_once = frame.with_columns(pl.col("value").fill_nan(None), pl.col("binary").bin.encode("hex"))
    parts = list(as_json(frame))
    assert "".join(parts) == json.dumps(at_once.to_dicts(), ensure_ascii=False)
    assert max(len(part) for part in parts) < 1_500_000


@pytest.mark.parametrize("rows", [30_000, 10_001, 10_000, 1, 0])
def test_csv_in_parts_is_the_same_text_as_all_at_once(rows: int) -> None:
    frame = MIXED.head(rows)
    assert "".join(as_csv(frame)) == as_csv_columns(frame).write_csv()


def test_long_rows_make_short_parts() -> None:
    frame = pl.DataFrame({"words": ["x" * 1_000_000] * 20})
    assert max(len(part) for part in as_json(frame)) < 8_000_000


def test_what_is_no_number_is_null_in_json_wherever_it_is() -> None:
    frame = pl.DataFrame({"list": [[1.0, float("nan")]], "struct": [{"a": float("inf")}], "value": [float("-inf")]})
    assert "".join(as_json(frame)) == '[{"list": [1.0, null], "struct": {"a": null}, "value": null}]'


def test_what_csv_cannot_hold_is_refused_before_anything_is_written() -> None:
    with pytest.raises(NotAnswered, match="--format json"):
        next(as_csv(pl.DataFrame({"a": [{"b": 1}]})))


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for the memory of a process")
@pytest.mark.parametrize("form", ["json", "csv"])
def test_a_large_answer_is_written_with_little_memory(database: Path, tmp_path: Path, form: str) -> None:
    """70 MB of figures took 3 GB as JSON: as objects of Python, all at once."""
    sql = "SELECT range AS n, range * 1.5 AS value, 'a text of some length' AS words FROM range(1500000)"
    command = [sys.executable, "-c", MEASURED, BTG, "query", sql, "--format", form, "--output", database.parent]
    with (tmp_path / "answer").open("wb") as answer:
        done = subprocess.run(command, stdout=answer, stderr=subprocess.PIPE, check=True, timeout=300)
    assert (tmp_path / "answer").stat().st_size > 50_000_000
    assert int(done.stderr.split()[-1]) < 600_000, "kB"


# What a process has used at most counts from its fork on, when it still is its parent: so the parent must be small.
MEASURED = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:])
_, status, used = os.wait4(process.pid, 0)
print(used.ru_maxrss, file=sys.stderr)
os._exit(os.waitstatus_to_exitcode(status))
"""


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.duckdb").write_text("not a database" * 500)
    assert "x.duckdb" in refused(tmp_path / "x.duckdb", "SELECT 1")


def test_a_database_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert "gone.duckdb" in refused(tmp_path / "gone.duckdb", "SELECT 1")


def test_only_a_file_that_is_in_use_is_said_to_be_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "another program" not in refused(tmp_path / "gone.duckdb", "SELECT 1")
    locked = PermissionError(13, "The process cannot access the file because it is being used by another process")
    assert "another program" in query_process._not_copied(tmp_path / "x.duckdb", locked)


def test_a_full_folder_for_temporary_files_is_named_and_not_the_database(
    original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small_disk(tmp_path / "temporary", 300_000) as full:
        monkeypatch.setattr(tempfile, "tempdir", str(full))
        said = refused(original, "SELECT 1")
    assert said.startswith(f"{full} has no room")
    assert "TMPDIR" in said
    assert "another program" not in said


def test_without_any_folder_for_temporary_files_it_says_so(original: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/no such folder")
    assert "TMPDIR" in refused(original, "SELECT 1")


@pytest.fixture
def output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An output folder, and no settings of whoever runs the tests."""
    monkeypatch.setenv("BTG_OUTPUT", "")
    folder = tmp_path / "output"
    folder.mkdir()
    return folder


def asked(output: Path, *options: str) -> Result:
    return CliRunner().invoke(app, ["query", "FROM figure", "--format", "csv", "--output", str(output), *options])


def test_where_an_edition_stands_nobody_is_told_to_measure_invented_figures(output: Path) -> None:
    add_edition(output, "2025-1", 5)
    add_edition(output, "2026-draft", 6)
    missing = asked(output)
    assert missing.exit_code == 1
    said = " ".join(missing.stderr.split())
    assert f"{output / 'btg.duckdb'} is missing" in said
    assert "--edition 2025-1" in said
    assert "btg measure" in said
    assert "--demo" not in said
    assert asked(output, "--edition", "2025-1").stdout.split() == ["value", "5"]
    unknown = asked(output, "--edition", "2025-2")
    assert unknown.exit_code == 2
    assert "btg editions" in unknown.stderr


def test_before_the_first_edition_the_trial_is_named(output: Path) -> None:
    result = asked(output)
    assert result.exit_code == 2
    assert "btg measure --demo" in result.stderr


# --- nobody waits for anybody


def test_somebody_who_writes_to_the_database_keeps_nobody_from_asking(database: Path, tmp_path: Path) -> None:
    """The DuckDB UI opens for writing by default: until now a query then ended in a conflicting lock."""
    own = tmp_path / "opened.duckdb"
    own.write_bytes(database.read_bytes())
    session = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1]); c.execute(\"SET checkpoint_threshold = '1TB'\");"
        "c.execute('CREATE TABLE mine AS SELECT 1'); print('open', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", session, str(own)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as ui:
        assert ui.stdout is not None
        assert ui.stdin is not None
        assert ui.stdout.readline() == "open\n"
        assert own.with_name("opened.duckdb.wal").exists()
        assert read_only_query(own, "SELECT value FROM figure").item() == 69.5
        # What that session has not yet published is not in the edition.
        assert "mine" in refused(own, "FROM mine")
        ui.stdin.close()


def test_a_query_does_not_hold_the_file_it_reads(database: Path, tmp_path: Path) -> None:
    """What a long query reads can be replaced meanwhile, on Windows too: it works on a copy."""
    answer = read_only_query(database, "SELECT path FROM duckdb_databases() WHERE NOT internal")
    assert Path(answer.item()).parent != database.parent
    assert Path(answer.item()).is_relative_to(tmp_path / "temporary")


# --- what is refused

NO_SELECT = {
    "copy out": "COPY figure TO 'FOLDER/stolen.csv'",
    "copy over the database": "COPY figure TO 'FOLDER/btg.duckdb'",
    "copy into its notes": "COPY figure TO 'FOLDER/btg.duckdb.wal'",
    "copy within explain": "EXPLAIN ANALYZE COPY figure TO 'FOLDER/btg.duckdb.wal'",
    "copy to the screen": "COPY figure TO STDOUT",
    "export": "EXPORT DATABASE 'FOLDER/stolen'",
    "attach": "ATTACH 'FOLDER/other.duckdb'",
    "attach memory": "ATTACH ':memory:' AS m",
    "install": "INSTALL httpfs",
    "load": "LOAD httpfs",
    "load what is built in": "LOAD json",
    "set": "SET enable_external_access = true",
    "set a limit": "SET memory_limit = '100GB'",
    "set a variable": "SET VARIABLE a = 1",
    "reset": "RESET enable_external_access",
    "pragma": "PRAGMA threads = 1",
    "use": "USE system",
    "create": "CREATE TABLE x (a INT)",
    "create a temporary table": "CREATE TEMP TABLE x (a INT)",
    "create a macro": "CREATE TEMP MACRO a() AS 1",
    "create a secret": "CREATE SECRET (TYPE s3)",
    "insert": "INSERT INTO figure SELECT * FROM figure",
    "update": "UPDATE figure SET value = 0",
    "delete": "DELETE FROM figure",
    "drop": "DROP TABLE figure",
    "alter": "ALTER TABLE figure ADD COLUMN x INT",
    "begin": "BEGIN TRANSACTION",
    "checkpoint": "CHECKPOINT",
    "vacuum": "VACUUM",
    "call": "CALL pragma_version()",
    "prepare": "PREPARE x AS COPY figure TO 'FOLDER/stolen.csv'",
    "execute": "EXECUTE x",
    "prepare and execute": "PREPARE x AS SELECT 1; EXECUTE x",
    "two statements": "SELECT 1; SELECT 2",
    "a statement behind a comment": "SELECT 1; /* */ DROP TABLE figure",
    "nothing": "",
    "only a comment": "-- nothing",
}
REACHES_OUT = {
    "import": "IMPORT DATABASE 'FOLDER'",
    "a statement in a string": "SELECT * FROM query('DROP TABLE figure')",
    "copy in a string": "SELECT * FROM query('COPY figure TO ''FOLDER/x''')",
    "read csv": "SELECT * FROM read_csv('/etc/passwd')",
    "read text": "SELECT * FROM read_text('/etc/passwd')",
    "read blob": "SELECT * FROM read_blob('/etc/*')",
    "read parquet": "SELECT * FROM read_parquet('FOLDER/x.parquet')",
    "read json": "SELECT * FROM read_json('/etc/passwd')",
    "read the original": "SELECT * FROM read_blob('FOLDER/btg.duckdb')",
    "a file as a table": "SELECT * FROM '/etc/passwd.csv'",
    "sniff": "SELECT * FROM sniff_csv('/etc/passwd')",
    "list files": "SELECT * FROM glob('/etc/*')",
    "list extensions": "SELECT * FROM duckdb_extensions()",
    "an address": "SELECT * FROM 'https://example.com/x.csv'",
    "an address without s": "SELECT * FROM read_csv('http://127.0.0.1:9/x.csv')",
    "a bucket": "SELECT * FROM read_parquet('s3://bucket/x.parquet')",
    "the environment": "SELECT getenv('HOME')",
    "a secret": "SELECT * FROM which_secret('s3://bucket', 's3')",
    "a variable of Python": "SELECT * FROM statements",
    "a question without a value": "SELECT ?",
}
WHOLE_WAY = ("copy into its notes", "copy within explain", "attach", "two statements", "nothing")
FILES = ("read text", "read the original", "an address", "list extensions")


@pytest.mark.parametrize("sql", NO_SELECT.values(), ids=NO_SELECT.keys())
def test_only_one_select_is_taken(sql: str) -> None:
    """Whatever the rights of the connection: DuckDB lets COPY write to the very file it has open."""
    with duckdb.connect() as connection, pytest.raises((Refused, duckdb.ParserException)):
        _reader(connection, sql)


@pytest.mark.parametrize("sql", REACHES_OUT.values(), ids=REACHES_OUT.keys())
def test_a_query_reads_this_edition_and_nothing_else(database: Path, sql: str) -> None:
    elsewhere = str(database.with_name("other.duckdb"))
    sql = sql.replace("FOLDER/btg.duckdb", elsewhere).replace("FOLDER", str(database.parent))
    limits = {"memory_mb": 500, "threads": 1}
    with _connected(str(database), limits) as connection, pytest.raises((Refused, duckdb.Error)) as error:
        _reader(connection, sql).read_all()
    assert str(Path.home()) not in str(error.value).replace(str(database.parent), "")


@pytest.mark.parametrize("sql", [NO_SELECT[name] for name in WHOLE_WAY] + [REACHES_OUT[name] for name in FILES])
def test_the_whole_way_refuses_it_too(database: Path, sql: str) -> None:
    assert "root:" not in refused(database, sql.replace("FOLDER", str(database.parent)))


@pytest.mark.parametrize(
    "sql",
    [
        "FROM enable_logging(storage = 'file', storage_path = 'FOLDER/log')",
        "FROM enable_logging(storage = 'stdout')",
        "FROM enable_profiling(format = 'json', save_location = 'FOLDER/profile.json')",
        "FROM checkpoint()",
        "SELECT write_log('x')",
    ],
)
def test_functions_with_side_effects_have_none(database: Path, sql: str) -> None:
    """DuckDB takes these for a SELECT; one of them ends the whole process. Answered or refused, nothing is written."""
    try:
        answer = read_only_query(database, sql.replace("FOLDER", str(database.parent)))
    except NotAnswered:
        return
    assert isinstance(answer, pl.DataFrame)


def test_the_settings_hold_no_secret_and_no_path_but_that_of_the_copy(database: Path, tmp_path: Path) -> None:
    settings = read_only_query(database, "SELECT name, value FROM duckdb_settings()")
    paths = settings.filter(pl.col("value").str.contains(r"^/|\[/|[A-Z]:\\"))
    assert paths["name"].to_list() in (["allowed_paths"], [])
    values = dict(settings.iter_rows())
    assert (values["enable_external_access"], values["lock_configuration"]) == ("false", "true")


# --- limits

ENDLESS = {
    "an endless recursive query": "WITH RECURSIVE x(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM x) SELECT 1 FROM x",
    "a huge cross join": "SELECT count(*) FROM many a, many b, many c WHERE a.n * b.n = c.n + 7",
}


@pytest.mark.parametrize("sql", ENDLESS.values(), ids=ENDLESS.keys())
def test_what_does_not_end_is_stopped(database: Path, sql: str) -> None:
    assert "longer than 0.5 seconds" in refused(database, sql, seconds=0.5)


@pytest.mark.parametrize("seconds", ["inf", "nan", "1e12", "3601", "0", "-1"])
def test_a_time_that_is_no_limit_is_refused(database: Path, seconds: str) -> None:
    done = CliRunner().invoke(
        app, ["query", "SELECT 1", "--timeout", seconds, "--output", str(database.parent)], env={"BTG_OUTPUT": ""}
    )
    assert done.exit_code == 2
    assert "--timeout" in done.stderr
    assert isinstance(done.exception, SystemExit)


@pytest.mark.skipif(os.name == "nt", reason="there the process ends half a minute later, with its starter's patience")
def test_what_is_deaf_to_an_interrupt_is_stopped_too(database: Path) -> None:
    """DuckDB does not look up from this function until it is done, in an hour."""
    sql = "SELECT levenshtein(repeat('a', 2000000), repeat('b', 2000000))"
    assert "longer than 0.5 seconds" in refused(database, sql, seconds=0.5)


def test_memory_has_a_limit_and_nothing_goes_to_disk(database: Path) -> None:
    sql = "SELECT string_agg(repeat('x', 1000000)) FROM range(10000)"
    assert "100 MB" in refused(database, sql, memory_mb=100)
    sort = "SELECT n FROM (SELECT random() AS r, n FROM range(100000000) t(n)) ORDER BY r"
    assert "100 MB" in refused(database, sort, memory_mb=100)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds a process to its memory")
def test_memory_that_the_database_does_not_count_has_a_limit_too(database: Path) -> None:
    said = refused(database, "SELECT repeat('x', 2500000000)", memory_mb=100, seconds=20)
    assert "100 MB" in said


def test_a_larger_answer_than_fits_is_refused_before_it_is_made(database: Path) -> None:
    said = refused(database, "SELECT a.words, b.words FROM many a, many b", answer_mb=10)
    assert "10 MB" in said
    assert "LIMIT" in said


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_no_process_is_left_behind(database: Path) -> None:
    refused(database, ENDLESS["a huge cross join"], seconds=0.3)
    folder = database.parents[1] / "temporary"
    at_work = []
    for link in Path("/proc").glob("[0-9]*/cwd"):
        with suppress(OSError):
            at_work.append(link.readlink())
    assert at_work
    assert not [path for path in at_work if path.is_relative_to(folder)]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no alarm")
def test_a_query_whose_starter_was_killed_ends_too(database: Path) -> None:
    """The one who started it may be killed: the query ends at its limit all the same."""
    question = {"database": str(database), "sql": ENDLESS["a huge cross join"], "seconds": 0.3}
    question |= {"memory_mb": 500, "answer_mb": 10, "threads": 1}
    process = subprocess.Popen(
        [sys.executable, "-P", str(query._PROCESS)],
        cwd=database.parents[1] / "temporary",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(question).encode())
    process.stdin.close()
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert process.poll() is not None
    for stream in (process.stdout, process.stderr):
        assert stream is not None
        stream.close()
    (database.parents[1] / "temporary" / "btg.duckdb").unlink()
