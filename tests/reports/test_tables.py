"""Tables as files: what goes in comes out, in Parquet, CSV and a documented DuckDB database."""

from __future__ import annotations

import csv
from pathlib import Path

import duckdb
import polars as pl
import pytest

from catalog import Column, Registry, Table
from reports import tables
from reports.tables import add_rows, as_csv_columns, write_csv, write_database, write_parquet, write_table


def column(name: str, kind: str, **settings: object) -> Column:
    return Column(name=name, type=kind, description_nl=f"{name} in 't kort", description_en=f'The "{name}"', **settings)


TABLE = Table(
    name="order",  # a word of SQL, as a table of ours might be called
    description_nl='Alles wat lastig is: komma\'s; "aanhalingen".',
    description_en="All that's difficult.",
    key=["code"],
    columns=[
        column("code", "VARCHAR"),
        column("rows", "BIGINT", unit="rows"),
        column("number", "INTEGER"),
        column("value", "DOUBLE", unit="1000 euro's"),
        column("headline", "BOOLEAN"),
        column("shape", "BLOB"),
        column("warnings", "VARCHAR[]"),
    ],
)
COLUMNS = "FROM duckdb_columns() WHERE table_name = 'order'"
REGISTRY = Registry(tables={"order": TABLE})
FRAME = pl.DataFrame(
    [
        ("a", 2**40, 1, 0.1 + 0.2, True, b"\x01\xff", ["no_margin", "synthetic"]),
        ("b, \"c\"\nd 'e' é€", None, None, None, None, None, []),
        ("c", 0, -1, -1e-9, False, b"", ["one"]),
    ],
    schema=TABLE.polars_schema,
    orient="row",
)


def test_parquet_keeps_types_order_and_missing_values(tmp_path: Path) -> None:
    write_parquet(FRAME, tmp_path / "x.parquet")
    read = pl.read_parquet(tmp_path / "x.parquet")
    assert read.schema == FRAME.schema
    assert read.equals(FRAME)


def test_equal_frames_give_equal_bytes(tmp_path: Path) -> None:
    """Also when one was put together from parts, so that it lies differently in memory."""
    pieces = pl.concat([FRAME.slice(0, 1), FRAME.slice(1, 2)], rechunk=False)
    for name, frame in (("a", FRAME), ("b", pieces)):
        write_parquet(frame, tmp_path / f"{name}.parquet")
        write_csv(frame, tmp_path / f"{name}.csv")
    for form in ("parquet", "csv"):
        assert (tmp_path / f"a.{form}").read_bytes() == (tmp_path / f"b.{form}").read_bytes()


def test_csv_is_what_any_reader_of_csv_expects(tmp_path: Path) -> None:
    write_csv(FRAME, tmp_path / "x.csv")
    with (tmp_path / "x.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == FRAME.columns
    assert rows == [
        ["a", str(2**40), "1", "0.30000000000000004", "true", "01ff", "no_margin;synthetic"],
        ["b, \"c\"\nd 'e' é€", "", "", "", "", "", ""],
        ["c", "0", "-1", rows[2][3], "false", "", "one"],
    ]
    assert float(rows[2][3]) == -1e-9


def test_csv_columns_are_text_where_csv_has_no_type() -> None:
    plain = as_csv_columns(FRAME)
    assert plain["warnings"].to_list() == ["no_margin;synthetic", "", "one"]
    assert plain["shape"].to_list() == ["01ff", None, ""]
    assert plain.drop("warnings", "shape").equals(FRAME.drop("warnings", "shape"))


@pytest.fixture
def database(tmp_path: Path) -> Path:
    folder = tmp_path / "it's here"
    folder.mkdir()
    write_database({"order": FRAME}, REGISTRY, folder / "btg.duckdb")
    return folder / "btg.duckdb"


def test_the_database_holds_the_frame(database: Path) -> None:
    with duckdb.connect(str(database), read_only=True) as connection:
        assert connection.sql('FROM "order"').pl().equals(FRAME)
        types = connection.sql(f"SELECT column_name, data_type {COLUMNS} ORDER BY column_index").fetchall()
    assert types == [(c.name, c.type) for c in TABLE.columns]


def test_the_database_describes_itself(database: Path) -> None:
    with duckdb.connect(str(database), read_only=True) as connection:
        (on_table,) = connection.sql("SELECT comment FROM duckdb_tables()").fetchall()
        on_columns = dict(connection.sql(f"SELECT column_name, comment {COLUMNS}").fetchall())
    assert on_table == ("Alles wat lastig is: komma's; \"aanhalingen\". / All that's difficult.",)
    assert on_columns["value"] == "value in 't kort / The \"value\" [1000 euro's]"
    assert on_columns["code"] == 'code in \'t kort / The "code"'


def test_the_database_is_one_file_that_older_clients_can_open(database: Path) -> None:
    assert [path.name for path in database.parent.iterdir()] == ["btg.duckdb"]
    with duckdb.connect(str(database), read_only=True) as connection:
        tags = connection.sql("SELECT tags FROM duckdb_databases() WHERE NOT internal").fetchone()
    assert tags is not None
    assert tags[0]["storage_version"].startswith("v1.4.0")


def test_columns_are_put_in_the_order_of_the_registry(tmp_path: Path) -> None:
    write_database({"order": FRAME.select(reversed(FRAME.columns))}, REGISTRY, tmp_path / "x.duckdb")
    with duckdb.connect(str(tmp_path / "x.duckdb"), read_only=True) as connection:
        assert connection.sql('FROM "order"').pl().equals(FRAME)


def test_a_column_that_the_registry_does_not_know_is_not_written(tmp_path: Path) -> None:
    write_database({"order": FRAME.with_columns(secret=pl.lit(1))}, REGISTRY, tmp_path / "x.duckdb")
    with duckdb.connect(str(tmp_path / "x.duckdb"), read_only=True) as connection:
        assert connection.sql('FROM "order"').columns == TABLE.column_names


def test_a_database_that_lacks_rows_is_not_accepted(database: Path) -> None:
    with pytest.raises(RuntimeError, match="table order holds 3 rows instead of 6"):
        tables._verify({"order": pl.concat([FRAME, FRAME])}, database)


def test_a_database_that_was_cut_off_is_not_accepted(database: Path) -> None:
    database.write_bytes(database.read_bytes()[:5000])
    with pytest.raises(duckdb.Error):
        tables._verify({"order": FRAME}, database)


def test_a_table_without_rows_has_its_columns_and_types_in_every_form(tmp_path: Path) -> None:
    """A first edition revises nothing: who reads `revision` of it finds an empty table, not none."""
    for form in ("parquet", "csv"):
        (tmp_path / form).mkdir()
    write_table(FRAME.clear(), "order", tmp_path)
    assert pl.read_parquet(tmp_path / "parquet" / "order.parquet").equals(FRAME.clear())
    assert (tmp_path / "csv" / "order.csv").read_text(encoding="utf-8") == ",".join(FRAME.columns) + "\n"
    write_database({"order": FRAME.clear()}, REGISTRY, tmp_path / "x.duckdb")
    with duckdb.connect(str(tmp_path / "x.duckdb"), read_only=True) as connection:
        assert connection.sql('FROM "order"').pl().schema == FRAME.schema


def test_rows_are_added_to_a_table_and_the_rest_stays_as_it_was(database: Path) -> None:
    """Errata that were stated after an edition was published."""
    further = FRAME.with_columns(code=pl.col("code") + "'").select(reversed(FRAME.columns))
    before = _comments(database)
    add_rows(further, TABLE, database)
    with duckdb.connect(str(database), read_only=True) as connection:
        assert connection.sql('FROM "order"').pl().equals(pl.concat([FRAME, further.select(FRAME.columns)]))
    assert _comments(database) == before
    assert [path.name for path in database.parent.iterdir()] == ["btg.duckdb"]


def _comments(database: Path) -> list[tuple[str, str]]:
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.sql(f"SELECT column_name, comment {COLUMNS}").fetchall()


def test_a_file_that_stands_there_is_not_added_to(database: Path) -> None:
    before = database.read_bytes()
    with pytest.raises(duckdb.Error, match="already exists"):
        write_database({"order": FRAME}, REGISTRY, database)
    assert database.read_bytes() == before
