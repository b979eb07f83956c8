"""Published tables as files: Parquet, CSV and one documented DuckDB database."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from catalog import Registry, Table

if TYPE_CHECKING:
    import duckdb

# Readable by DuckDB clients from 1.4 on and in browsers.
STORAGE_VERSION = "v1.4.0"


def write_table(frame: pl.DataFrame, name: str, folder: Path) -> None:
    """One table of an edition as Parquet and CSV, in the folders that are there for them."""
    write_parquet(frame, folder / "parquet" / f"{name}.parquet")
    write_csv(frame, folder / "csv" / f"{name}.csv")


def write_parquet(frame: pl.DataFrame, path: Path) -> None:
    """One table as Parquet; equal frames give equal bytes."""
    frame.write_parquet(path, compression="zstd", statistics=True)


def write_csv(frame: pl.DataFrame, path: Path) -> None:
    """One table as CSV; NULL is an empty field."""
    as_csv_columns(frame).write_csv(path)


def as_csv_columns(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with columns that CSV can hold: lists joined by `;`, binary as hexadecimal."""
    return frame.with_columns(
        [
            pl.col(name).cast(pl.List(pl.String)).list.join(";")
            for name, dtype in frame.schema.items()
            if isinstance(dtype, pl.List)
        ]
        + [pl.col(name).bin.encode("hex") for name, dtype in frame.schema.items() if dtype == pl.Binary]
    )


def write_database(tables: dict[str, pl.DataFrame], registry: Registry, path: Path) -> None:
    """All tables in one DuckDB file, with a comment on every table and column.

    Writes a new file at `path`, which must not exist, and closes it; raises if it cannot be read back whole.
    """
    import duckdb

    with duckdb.connect() as connection:
        connection.execute(f"ATTACH {_text(str(path))} AS edition (STORAGE_VERSION {_text(STORAGE_VERSION)})")
        connection.execute("USE edition")
        for name, frame in tables.items():
            _write_table(connection, registry[name], frame)
        connection.execute("USE memory")
        connection.execute("CHECKPOINT edition")
        connection.execute("DETACH edition")
    _verify(tables, path)


def add_rows(frame: pl.DataFrame, table: Table, path: Path) -> None:
    """Add rows to a table of a database that nobody reads yet."""
    import duckdb

    with duckdb.connect(str(path)) as connection:
        connection.register("incoming", frame.select(table.column_names).to_arrow())
        connection.execute(f"INSERT INTO {_name(table.name)} SELECT * FROM incoming")
        connection.unregister("incoming")


def _write_table(connection: duckdb.DuckDBPyConnection, table: Table, frame: pl.DataFrame) -> None:
    columns = ", ".join(f"{_name(column.name)} {column.type}" for column in table.columns)
    connection.execute(f"CREATE TABLE {_name(table.name)} ({columns})")
    connection.register("incoming", frame.select(table.column_names).to_arrow())
    connection.execute(f"INSERT INTO {_name(table.name)} SELECT * FROM incoming")
    connection.unregister("incoming")
    comment = f"{table.description_nl} / {table.description_en}"
    connection.execute(f"COMMENT ON TABLE {_name(table.name)} IS {_text(comment)}")
    for column in table.columns:
        unit = f" [{column.unit}]" if column.unit else ""
        comment = f"{column.description_nl} / {column.description_en}{unit}"
        connection.execute(f"COMMENT ON COLUMN {_name(table.name)}.{_name(column.name)} IS {_text(comment)}")


def _verify(tables: dict[str, pl.DataFrame], path: Path) -> None:
    """The file just written must hold every row: a half-written database is never published."""
    import duckdb

    with duckdb.connect(str(path), read_only=True) as connection:
        for name, frame in tables.items():
            (found,) = connection.execute(f"SELECT count(*) FROM {_name(name)}").fetchone() or (0,)
            if found != frame.height:
                raise RuntimeError(f"{path}: table {name} holds {found} rows instead of {frame.height}")


def _name(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
