"""Whether two folders of an edition hold the same tables, byte for byte; where they do not, precisely what differs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

# They hold times, so no two runs make the same.
EXEMPT = {"check_result", "edition"}
FORMATS = ("parquet", "csv")
# So many rows are named for every column; the number of all is said too.
SHOWN = 3
_LONGEST = 60


@dataclass(frozen=True)
class Difference:
    """What differs in one table: in which of its files, in which columns of rows both have, and all of it in words."""

    table: str
    files: list[str]
    what: list[str]
    columns: list[str] = field(default_factory=list)


def tables_of(folder: Path) -> set[str]:
    """The tables of an edition that must be equal."""
    return {path.stem for name in FORMATS for path in (folder / name).glob(f"*.{name}")} - EXEMPT


def differences(old: Path, new: Path, keys: Mapping[str, list[str]]) -> list[Difference]:
    """The tables of two editions that are not equal, in order of name; `keys` are the key columns of each table.

    Old and new are folders with `parquet` and `csv`. Parquet is read only where bytes differ.
    """
    found = []
    for table in sorted(tables_of(old) | tables_of(new)):
        pairs = {f"{name}/{table}.{name}": (_bytes(old, name, table), _bytes(new, name, table)) for name in FORMATS}
        if unequal := [file for file, (before, after) in pairs.items() if before != after]:
            found.append(_difference(table, unequal, old, new, keys.get(table, [])))
    return found


def _difference(table: str, files: list[str], old: Path, new: Path, key: list[str]) -> Difference:
    what = [f"{file} is missing: {side}" for file in files if (side := _missing(file, old, new))]
    paths = [folder / "parquet" / f"{table}.parquet" for folder in (old, new)]
    if not all(path.is_file() for path in paths):
        return Difference(table, files, what)
    try:
        before, after = (pl.read_parquet(path) for path in paths)
    except (pl.exceptions.PolarsError, OSError):
        return Difference(table, files, [*what, f"parquet/{table}.parquet cannot be read"])
    columns, in_rows = _in_rows(before, after, key)
    what += [*_in_columns(before, after), *in_rows]
    if not what and before.equals(after):
        what = ["the same rows and columns, written in other bytes"]
    return Difference(table, files, what or ["the same rows in another order"], columns)


def _in_columns(before: pl.DataFrame, after: pl.DataFrame) -> list[str]:
    """Columns that only one side has, or of another type."""
    what = [f"column {name} is not in the rebuilt table" for name in before.columns if name not in after.columns]
    what += [f"column {name} is only in the rebuilt table" for name in after.columns if name not in before.columns]
    for name in set(before.columns) & set(after.columns):
        if before.schema[name] != after.schema[name]:
            what.append(f"column {name} was {before.schema[name]} and is now {after.schema[name]}")
    return sorted(what)


def _in_rows(before: pl.DataFrame, after: pl.DataFrame, key: list[str]) -> tuple[list[str], list[str]]:
    """The columns in which rows of the same key differ, and in words what does."""
    if not key or not set(key) <= set(before.columns) & set(after.columns):
        counted = f"{before.height} rows before, {after.height} now"
        return [], [counted] if before.height != after.height else []
    old, new = _by_key(before, key), _by_key(after, key)
    what = []
    for one, other, where in ((old, new, "not in the rebuilt table"), (new, old, "only in the rebuilt table")):
        if lacking := [name for name in one if name not in other]:
            what.append(f"{_rows(len(lacking))} {where}: {_some(lacking)}")
    changed = []
    both = [name for name in old if name in new]
    for column in (name for name in before.columns if name in after.columns and name not in key):
        moved = [name for name in both if old[name][column] != new[name][column]]
        if moved:
            changed.append(column)
            examples = [f"{name}: {_text(old[name][column])} -> {_text(new[name][column])}" for name in moved]
            what.append(f"{column} differs in {_rows(len(moved))}: {_some(examples)}")
    return changed, what


def _by_key(frame: pl.DataFrame, key: list[str]) -> dict[str, dict[str, Any]]:
    """The rows by their key, written as a=1|b=2."""
    return {"|".join(f"{name}={row[name]}" for name in key): row for row in frame.iter_rows(named=True)}


def _rows(number: int) -> str:
    return "1 row" if number == 1 else f"{number} rows"


def _some(texts: list[str]) -> str:
    more = f"; and {len(texts) - SHOWN} more" if len(texts) > SHOWN else ""
    return "; ".join(texts[:SHOWN]) + more


def _text(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    text = ";".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _bytes(folder: Path, name: str, table: str) -> bytes | None:
    path = folder / name / f"{table}.{name}"
    return path.read_bytes() if path.is_file() else None


def _missing(file: str, old: Path, new: Path) -> str | None:
    if not (old / file).is_file():
        return "only the rebuilt edition has it"
    return None if (new / file).is_file() else "the rebuilt edition does not have it"
