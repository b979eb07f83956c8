"""Warnings travel with a figure as a list: united, without repeats, in alphabetical order."""

from __future__ import annotations

import polars as pl

EMPTY: pl.Expr = pl.lit([], dtype=pl.List(pl.String))


def when(condition: pl.Expr, warning: str) -> pl.Expr:
    """The list `[warning]` where the condition holds, else the empty list."""
    return pl.when(condition).then(pl.lit([warning], dtype=pl.List(pl.String))).otherwise(EMPTY)


def unite(*lists: pl.Expr | str) -> pl.Expr:
    """All warnings of several list columns, each once and sorted; NULL counts as no warning."""
    columns = [pl.col(entry) if isinstance(entry, str) else entry for entry in lists]
    return pl.concat_list([column.fill_null([]) for column in columns]).list.unique().list.sort()


def unite_rows(column: str) -> pl.Expr:
    """All warnings of a group of rows, each once and sorted; for use in `group_by(...).agg(...)`."""
    return pl.col(column).explode().drop_nulls().unique().sort()
