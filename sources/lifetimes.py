"""When municipality codes came into being and were abolished."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import polars as pl

from sources.csv_file import CsvFile, read_csv
from sources.errors import DuplicateFigure, InputError, UnknownRegion

FILE = "municipal_reorganisations_2010_2026.csv"

_COLUMNS = [
    "datum",
    "oude_code",
    "oude_naam",
    "nieuwe_code",
    "nieuwe_naam",
    "inwoners_over",
    "hectare_over",
    "soort",
    "aandeel_inwoners",
]
_KINDS = ["opgeheven", "naamswijziging/codewijziging"]

# Every code CBS gave since 2010 has a number above GM1891 (Dantumadiel). Five above it are older: Zwartewaterland,
# Leidschendam-Voorburg, Pijnacker-Nootdorp, Montferland and Menterwolde.
_LAST_CODE_BEFORE_2010 = "GM1891"
_OLDER_ABOVE_IT = ["GM1896", "GM1916", "GM1926", "GM1955", "GM1987"]


def read_lifetimes(path: Path) -> pl.DataFrame:
    """Dates of birth and abolition of the municipality codes named in a file of reorganisations since 2010.

    Returns one row per code, sorted: region_code, valid_from, valid_to ('YYYY-MM-DD' or null; valid_to is the first
    day on which the code no longer exists). A code that the file does not name has existed since before 2010.

    Every row of the file abolishes its `oude_code` (a merger, a split, or a new code with a new name). Its
    `nieuwe_code` either came into being then or merely grew, which the file does not tell apart. The rule: a code came
    into being on the first date it stands there as `nieuwe_code`, unless it was in use before 2010, that is, unless
    its number is at most GM1891 or one of five older ones above that. So Groningen (GM0014), Venlo (GM0983) and
    Amsterdam (GM0363) have no valid_from. A test holds the outcome against the figures: no code has figures before its
    valid_from, and codes without one do.

    Raises InputError for anything else than such a file.
    """
    file = read_csv(path, _COLUMNS)
    for row in file.frame.iter_rows(named=True):
        _check_row(file, row)
    abolished = file.frame.group_by(region_code="oude_code").agg(
        valid_to=pl.col("datum").min(), dates=pl.col("datum").n_unique(), row=pl.col("row").max()
    )
    _check_abolished_once(file, abolished)
    first_named = file.frame.group_by(region_code="nieuwe_code").agg(valid_from=pl.col("datum").min())
    existed = (pl.col("region_code") <= _LAST_CODE_BEFORE_2010) | pl.col("region_code").is_in(_OLDER_ABOVE_IT)
    born = first_named.with_columns(pl.when(~existed).then("valid_from"))
    return (
        born.join(abolished.select("region_code", "valid_to"), on="region_code", how="full", coalesce=True)
        .select("region_code", "valid_from", "valid_to")
        .sort("region_code")
    )


def _check_row(file: CsvFile, row: dict[str, str | int]) -> None:
    for column in ("oude_code", "nieuwe_code"):
        if not re.fullmatch(r"GM[0-9]{4}", str(row[column])):
            raise UnknownRegion(
                file.path,
                "a municipality code such as GM0153",
                row=int(row["row"]),
                column=column,
                value=row[column],
                remedy="Codes are GM and four digits, with leading zeros and without blanks.",
            )
    if row["soort"] not in _KINDS:
        raise InputError(
            file.path,
            " or ".join(_KINDS),
            row=int(row["row"]),
            column="soort",
            value=row["soort"],
            remedy="Leave out rows that abolish no municipality.",
        )
    try:
        valid = date.fromisoformat(str(row["datum"])).isoformat() == row["datum"]
    except ValueError:
        valid = False
    if not valid:
        raise InputError(
            file.path,
            "a date such as 2023-01-01",
            row=int(row["row"]),
            column="datum",
            value=row["datum"],
            remedy="Write year, month and day with hyphens.",
        )


def _check_abolished_once(file: CsvFile, abolished: pl.DataFrame) -> None:
    for code, row in abolished.filter(pl.col("dates") > 1).sort("row").select("region_code", "row").iter_rows():
        raise DuplicateFigure(
            file.path,
            "one date on which a municipality is abolished",
            row=row,
            column="oude_code",
            value=code,
            remedy="The file gives this code another date above: keep the right one.",
        )
