"""Two editions are compared file by file; what differs is named by table, column and key."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from pipelines.same_bytes import differences, tables_of
from reports.tables import write_csv, write_parquet

KEYS = {"value": ["region", "year"], "long": ["id"]}
VALUE = pl.DataFrame(
    {
        "region": ["GM1", "GM2", "GM3"],
        "year": [2022, 2022, 2022],
        "value": [7.1, None, 0.1 + 0.2],
        "warnings": [[], ["small_n"], []],
    },
    schema_overrides={"warnings": pl.List(pl.String)},
)


def write(folder: Path, **tables: pl.DataFrame) -> Path:
    """The tables as an edition has them."""
    for name in ("parquet", "csv"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name, frame in tables.items():
        write_parquet(frame, folder / "parquet" / f"{name}.parquet")
        write_csv(frame, folder / "csv" / f"{name}.csv")
    return folder


def found(tmp_path: Path, old: pl.DataFrame, new: pl.DataFrame, table: str = "value") -> list[str]:
    """What differs between two versions of one table."""
    each = differences(write(tmp_path / "old", **{table: old}), write(tmp_path / "new", **{table: new}), KEYS)
    assert [difference.table for difference in each] == [table] * len(each)
    return each[0].what if each else []


def test_equal_tables_do_not_differ(tmp_path: Path) -> None:
    assert found(tmp_path, VALUE, VALUE) == []


def test_tables_that_hold_times_are_not_compared(tmp_path: Path) -> None:
    old = write(tmp_path / "old", value=VALUE, edition=pl.DataFrame({"created_at": ["now"]}))
    new = write(tmp_path / "new", value=VALUE, edition=pl.DataFrame({"created_at": ["then"]}))
    assert differences(old, new, KEYS) == []
    assert tables_of(old) == {"value"}


def test_a_changed_value_is_named_by_its_key(tmp_path: Path) -> None:
    new = VALUE.with_columns(value=pl.Series([7.4, 1.0, 0.1 + 0.2]))
    assert found(tmp_path, VALUE, new) == [
        "value differs in 2 rows: region=GM1|year=2022: 7.1 -> 7.4; region=GM2|year=2022: NULL -> 1.0"
    ]


def test_the_last_bit_of_a_number_counts(tmp_path: Path) -> None:
    new = VALUE.with_columns(value=pl.Series([7.1, None, 0.3]))
    assert found(tmp_path, VALUE, new) == ["value differs in 1 row: region=GM3|year=2022: 0.30000000000000004 -> 0.3"]


def test_rows_and_columns_of_one_side_are_named(tmp_path: Path) -> None:
    new = VALUE.filter(pl.col("region") != "GM2").drop("warnings").with_columns(year=pl.col("year").cast(pl.Int32))
    assert found(tmp_path, VALUE, new) == [
        "column warnings is not in the rebuilt table",
        "column year was Int64 and is now Int32",
        "1 row not in the rebuilt table: region=GM2|year=2022",
    ]
    assert found(tmp_path / "turned", new, VALUE)[2] == "1 row only in the rebuilt table: region=GM2|year=2022"


def test_lists_and_bytes_are_compared_too(tmp_path: Path) -> None:
    old = VALUE.with_columns(shape=pl.Series([b"abc", None, b"x"]))
    new = VALUE.with_columns(shape=pl.Series([b"abcd", None, b"x"]), warnings=pl.Series([["a", "b"], ["small_n"], []]))
    assert found(tmp_path, old, new) == [
        "warnings differs in 1 row: region=GM1|year=2022:  -> a;b",
        "shape differs in 1 row: region=GM1|year=2022: 3 bytes -> 4 bytes",
    ]


def test_of_many_rows_a_few_are_shown_and_all_are_counted(tmp_path: Path) -> None:
    old, new = (pl.DataFrame({"id": range(9), "text": [letter * 200] * 9}) for letter in "ab")
    (sentence,) = found(tmp_path, old, new, "long")
    assert sentence.startswith("text differs in 9 rows: id=0: ")
    assert sentence.endswith("; and 6 more")
    assert "a" * 61 not in sentence


def test_order_and_other_bytes_of_the_same_rows_are_said_to_be_that(tmp_path: Path) -> None:
    assert found(tmp_path, VALUE, VALUE.reverse()) == ["the same rows in another order"]
    old, new = write(tmp_path / "a", value=VALUE), write(tmp_path / "b", value=VALUE)
    VALUE.write_parquet(new / "parquet" / "value.parquet", compression="uncompressed")
    (difference,) = differences(old, new, KEYS)
    assert difference.what == ["the same rows and columns, written in other bytes"]
    assert difference.files == ["parquet/value.parquet"]


def test_a_table_without_known_key_is_counted(tmp_path: Path) -> None:
    assert found(tmp_path, VALUE, VALUE.head(1), "other") == ["3 rows before, 1 now"]


@pytest.mark.parametrize("gone", ["old", "new"])
def test_a_missing_file_is_named(tmp_path: Path, gone: str) -> None:
    old, new = write(tmp_path / "old", value=VALUE), write(tmp_path / "new", value=VALUE)
    (tmp_path / gone / "csv" / "value.csv").unlink()
    (difference,) = differences(old, new, KEYS)
    assert difference.files == ["csv/value.csv"]
    said = "only the rebuilt edition has it" if gone == "old" else "the rebuilt edition does not have it"
    assert difference.what == [f"csv/value.csv is missing: {said}"]


def test_a_truncated_parquet_is_a_difference_and_no_crash(tmp_path: Path) -> None:
    old, new = write(tmp_path / "old", value=VALUE), write(tmp_path / "new", value=VALUE)
    path = new / "parquet" / "value.parquet"
    path.write_bytes(path.read_bytes()[:-20])
    (difference,) = differences(old, new, KEYS)
    assert difference.what == ["parquet/value.parquet cannot be read"]
