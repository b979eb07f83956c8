"""Read-only SQL on an edition, and its answer as text for people and programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from reports.tables import as_csv_columns

ROWS_SHOWN = 200


class NotAnswered(Exception):  # noqa: N818 - says what is the matter
    """The query has a mistake, asks for something that is not allowed, or has no answer in this form."""


def read_only_query(database: Path, sql: str) -> pl.DataFrame:
    """The answer to `sql`, from a connection that can write nothing and read no other file; raises NotAnswered."""
    limits: dict[str, str | bool | int | float | list[str]] = {
        "enable_external_access": "false",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "lock_configuration": "true",
    }
    try:
        with duckdb.connect(str(database), read_only=True, config=limits) as connection:
            statements = connection.extract_statements(sql)
            if len(statements) != 1:
                raise NotAnswered(f"expected one SELECT statement, found {len(statements)} statements")
            answer = connection.sql(sql)
            if answer is None:
                raise NotAnswered("it is not a query with an answer: expected a SELECT statement")
            return answer.pl()
    except (duckdb.Error, pl.exceptions.PolarsError) as error:
        raise NotAnswered(str(error)) from error


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
