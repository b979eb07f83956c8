"""When municipality codes came into being and were abolished."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from sources.reorganisations import ABOLISHED, RENAMED, read_reorganisations

FILE = "municipal_reorganisations_2010_2026.csv"


def read_lifetimes(path: Path) -> pl.DataFrame:
    """Dates of birth and abolition of the municipality codes named in a file of reorganisations since 2010.

    Returns one row per code, sorted: region_code, valid_from, valid_to ('YYYY-MM-DD' or null; valid_to is the first
    day on which the code no longer exists). A code that the file does not name has existed since before 2010.

    Every row of the file abolishes its `oude_code` (a merger, a split, or a new code with a new name). Its
    `nieuwe_code` either came into being then or merely grew; read_reorganisations says by which rule it tells these
    apart. So Groningen (GM0014), Venlo (GM0983) and Amsterdam (GM0363) have no valid_from. A test holds the outcome
    against the figures: no code has figures before its valid_from, and codes without one do.

    Raises InputError for anything else than such a file.
    """
    rows = read_reorganisations(path, kinds=[ABOLISHED, RENAMED]).with_columns(pl.col("date").dt.to_string())
    abolished = rows.group_by(region_code="old_code").agg(valid_to=pl.col("date").min())
    born = rows.group_by(region_code="new_code").agg(valid_from=pl.col("date").filter("founded").min())
    return (
        born.join(abolished, on="region_code", how="full", coalesce=True)
        .select("region_code", "valid_from", "valid_to")
        .sort("region_code")
    )
