"""The register of coverage: how many regions and figures every source has, so that nothing vanishes unseen.

`catalog/coverage.csv` has a row for every source table, indicator and period, and for every origin its figures came
from when they were counted. What is bundled must be in every run, where nothing newer stands in its place; what was
fetched or delivered, in a run that uses such snapshots of that table. What came otherwise is not held against the
bundle: a publisher may have put a table on other borders since. Figures of the resident survey are left out: every wave
is described by itself.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from catalog import Catalogue
from catalog.load import FOLDER
from sources.collect import BUNDLED, DELIVERED, LIVE, Collected
from sources.csv_file import read_csv
from sources.errors import DuplicateFigure, InputError, MissingFile, ValueFault

REGISTER = FOLDER / "coverage.csv"
UPDATE = "btg coverage --update"

SLOT = ["source_table", "indicator_id", "period"]
COUNTS = ["regions", "figures", "municipalities"]
COLUMNS = [*SLOT, "origin", *COUNTS]
SCHEMA = pl.Schema(dict.fromkeys([*SLOT, "origin"], pl.String()) | dict.fromkeys(COUNTS, pl.Int64()))
_FOUND = [f"found_{name}" for name in COUNTS]
_WORDS = dict(zip(COUNTS, ("regions", "figures", "municipalities with a figure"), strict=True))
# The later one lies over the earlier one (see collect).
_ORIGINS = [BUNDLED, LIVE, DELIVERED]

# How a run may differ from the register; the first two stop it.
VANISHED, FEWER, ABSENT, MORE, UNREGISTERED = "vanished", "fewer", "absent", "more", "unregistered"
BLOCKING = [VANISHED, FEWER]
_SHOWN = 12


class CoverageLost(InputError):  # noqa: N818 - named after the fault, as its base is
    """Municipalities, figures or periods that the register has are not in this run."""


def count(collected: Collected, catalogue: Catalogue) -> pl.DataFrame:
    """What a run has, in the columns of the register: per table, indicator and period.

    regions: rows; figures: those with a value; municipalities: those with a value. Of several origins the one that lies
    over the others counts.
    """
    has_value = pl.col("value").is_not_null()
    origins = collected.origins.group_by(SLOT).agg(pl.col("origin").sort_by(_rank("origin")).last())
    return (
        collected.figures.join(_wanted(catalogue), ["indicator_id", "source_table"], how="semi")
        .group_by(SLOT)
        .agg(
            regions=pl.len().cast(pl.Int64),
            figures=has_value.sum().cast(pl.Int64),
            municipalities=(has_value & pl.col("region_code").str.starts_with("GM")).sum().cast(pl.Int64),
        )
        .join(origins, SLOT)
        .select(COLUMNS)
        .sort(COLUMNS)
    )


def held_to(register: pl.DataFrame, collected: Collected, catalogue: Catalogue) -> pl.DataFrame:
    """The rows of the register that a run must reach: one a table, indicator and period of the catalogue.

    Where it has snapshots of a table, what was registered of those goes before what was registered of the bundle.
    """
    used = collected.origins.select("source_table", "origin", used=pl.lit(value=True)).unique()
    return (
        register.join(_wanted(catalogue), ["indicator_id", "source_table"], how="semi")
        .join(used, ["source_table", "origin"], how="left")
        .filter((pl.col("origin") == BUNDLED) | pl.col("used"))
        .sort(*SLOT, _rank("origin"))
        .unique(SLOT, keep="last", maintain_order=True)
        .select(COLUMNS)
    )


def compare(held: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """Where a run differs from what it is held to: the register's columns, `found_…` of each count, and `kind`; sorted.

    kind: `vanished` (a period, or all that snapshots had), `fewer` (of any of the three), `absent` (the input does not
    have this indicator of this table at all: a folder of figures need not), `more`, `unregistered` (the period, or
    figures of this origin).
    """
    other = found.select(*SLOT, stands="origin")
    held = held.join(other, SLOT, how="left").filter(~(_rank("stands") > _rank("origin")).fill_null(value=False))
    pairs = found.select("source_table", "indicator_id", present=pl.lit(value=True)).unique()
    both = held.join(found.select(*SLOT, *(pl.col(name).alias(f"found_{name}") for name in COUNTS)), SLOT, how="left")
    fewer = pl.any_horizontal(pl.col(f"found_{name}") < pl.col(name) for name in COUNTS)
    more = pl.any_horizontal(pl.col(f"found_{name}") > pl.col(name) for name in COUNTS)
    kind = (
        pl.when(pl.col("found_regions").is_not_null())
        .then(pl.when(fewer).then(pl.lit(FEWER)).when(more).then(pl.lit(MORE)))
        .when(pl.col("present").is_null() & (pl.col("origin") == BUNDLED))
        .then(pl.lit(ABSENT))
        .otherwise(pl.lit(VANISHED))
    )
    different = both.join(pairs, ["source_table", "indicator_id"], how="left").with_columns(kind=kind)
    added = found.join(held, SLOT, how="anti").with_columns(
        *(pl.col(name).alias(f"found_{name}") for name in COUNTS),
        *(pl.lit(None, dtype=pl.Int64).alias(name) for name in COUNTS),
        kind=pl.lit(UNREGISTERED),
    )
    columns = [*COLUMNS, *_FOUND, "kind"]
    return pl.concat([different.filter(pl.col("kind").is_not_null()).select(columns), added.select(columns)]).sort(SLOT)


def differences(register: pl.DataFrame, collected: Collected, catalogue: Catalogue) -> pl.DataFrame:
    """Where a run differs from the register: see compare."""
    return compare(held_to(register, collected, catalogue), count(collected, catalogue))


def require(different: pl.DataFrame, collected: Collected) -> None:
    """Raise CoverageLost, saying what is lost and what to do, where something of the register is."""
    said = sentences(different.filter(pl.col("kind").is_in(BLOCKING)), collected)
    if said:
        remedy = (
            "Ask the publisher, or look for what was lost on the way. If it is right that this is gone: run "
            f"{UPDATE} on this input, and have the change of catalog/coverage.csv reviewed."
        )
        raise CoverageLost(
            "catalog/coverage.csv",
            "every region, figure and period that is registered here",
            remedy="\n".join([*shortened(said), remedy]),
        )


def shortened(said: list[str]) -> list[str]:
    """The first of many sentences, and how many more there are."""
    more = [f"(and {len(said) - _SHOWN} more; all of them: btg coverage)"] if len(said) > _SHOWN else []
    return [*said[:_SHOWN], *more]


def sentences(different: pl.DataFrame, collected: Collected) -> list[str]:
    """The differences in words: those of whole periods by indicator and table, the others one by one, with names."""
    whole = pl.col("kind").is_in([VANISHED, ABSENT, UNREGISTERED])
    together = different.filter(whole).group_by("source_table", "indicator_id", "kind", "origin", maintain_order=True)
    return [
        *(_of_periods(*row) for row in together.agg("period").iter_rows()),
        *(_of_counts(row, collected) for row in different.filter(~whole).iter_rows(named=True)),
    ]


def _of_periods(source_table: str, indicator_id: str, kind: str, origin: str, periods: list[str]) -> str:
    says = {
        VANISHED: "{} vanished: registered ({}), and not in this run",
        ABSENT: "not in this input; registered: {} ({})",
        UNREGISTERED: "{} not registered yet ({})",
    }
    return f"{source_table}, {indicator_id}: {says[kind].format(', '.join(periods), origin)}"


def _of_counts(row: dict[str, Any], collected: Collected) -> str:
    counts = [
        f"{row[f'found_{name}']} {_WORDS[name]}, {row[name]} registered"
        for name in COUNTS
        if row[f"found_{name}"] != row[name]
    ]
    lost = row["municipalities"] - row["found_municipalities"]
    names = dict(collected.names.iter_rows())
    who = [f"{names.get(code, code)} ({code})" for code in _lost(row, lost, collected.figures)] if lost > 0 else []
    missing = f"; missing: {', '.join(who)}" if who else ""
    return f"{row['source_table']}, {row['indicator_id']}, {row['period']}: {'; '.join(counts)}{missing}"


def _lost(row: dict[str, Any], number: int, figures: pl.DataFrame) -> list[str]:
    """Which municipalities vanished, where one can tell; else none.

    Those that have a figure in the periods before and after, or else any other figure of that year, and are as many as
    vanished.
    """
    measured = figures.filter(pl.col("value").is_not_null() & pl.col("region_code").str.starts_with("GM"))
    own = measured.filter(indicator_id=row["indicator_id"], source_table=row["source_table"])
    by_period = {period: set(frame["region_code"]) for (period,), frame in own.group_by("period")}
    here = by_period.pop(row["period"], set())
    beside = [
        by_period[period]
        for period in (
            max((p for p in by_period if p < row["period"]), default=None),
            min((p for p in by_period if p > row["period"]), default=None),
        )
        if period is not None
    ]
    same_year = measured.filter(pl.col("period").str.slice(0, 4) == row["period"][:4])
    for others in (set.intersection(*beside) if beside else set(), set(same_year["region_code"])):
        if len(others - here) == number:
            return sorted(others - here)
    return []


def renewed(
    register: pl.DataFrame, alone: pl.DataFrame, found: pl.DataFrame, collected: Collected, catalogue: Catalogue
) -> pl.DataFrame:
    """The register after accepting a run: `alone` are the counts without its snapshots, `found` those with them.

    What was registered of snapshots that this run does not use stays.
    """
    used = collected.origins.select("source_table", "origin").unique()
    others = (
        register.filter(pl.col("origin") != BUNDLED)
        .join(used, ["source_table", "origin"], how="anti")
        .join(_wanted(catalogue), ["indicator_id", "source_table"], how="semi")
    )
    return pl.concat([alone, found.filter(pl.col("origin") != BUNDLED), others]).sort(COLUMNS)


def changes(before: pl.DataFrame, after: pl.DataFrame) -> list[str]:
    """What differs between two registers, a line a row of theirs."""
    key = [*SLOT, "origin"]
    both = before.join(after, key, how="full", coalesce=True, suffix="_after", nulls_equal=True).sort(key)
    lines = []
    for row in both.iter_rows(named=True):
        old, new = ([row[f"{name}{suffix}"] for name in COUNTS] for suffix in ("", "_after"))
        name = ", ".join(row[part] for part in key)
        if old[0] is None:
            lines.append(f"new      {name}: {_counted(new)}")
        elif new[0] is None:
            lines.append(f"gone     {name}: {_counted(old)}")
        elif old != new:
            lines.append(f"changed  {name}: {_counted(old)} -> {_counted(new)}")
    return lines


def _counted(counts: list[int]) -> str:
    return ", ".join(f"{number} {_WORDS[name]}" for name, number in zip(COUNTS, counts, strict=True))


def read_register(path: Path) -> pl.DataFrame:
    """The register (COLUMNS), sorted; raises an InputError that names row and column of a mistake."""
    if not path.exists():
        raise MissingFile(path, "the register of coverage", remedy=f"Take it back from git, or make it anew: {UPDATE}")
    file = read_csv(path, COLUMNS)
    numbers = file.frame.with_columns(pl.col(COUNTS).str.to_integer(strict=False))
    faults: list[tuple[type[InputError], str, pl.Expr, str]] = [
        (ValueFault, "origin", ~pl.col("origin").is_in(_ORIGINS), f"one of {', '.join(_ORIGINS)}"),
        *((ValueFault, name, pl.col(name).is_null() | (pl.col(name) < 0), "a count") for name in COUNTS),
        (DuplicateFigure, "period", ~pl.struct(*SLOT, "origin").is_first_distinct(), "one row a period and origin"),
    ]
    for kind, column, fault, expected in faults:
        for row in numbers.filter(fault).head(1)["row"]:
            value = file.frame.filter(row=row)[column].item()
            raise kind(path, expected, row=row, column=column, value=value, remedy=f"Make it anew: {UPDATE}")
    return numbers.select(COLUMNS).cast(SCHEMA).sort(COLUMNS)


def write_register(register: pl.DataFrame, path: Path) -> None:
    """Write the register: sorted, the same bytes for the same rows on every machine. Raises OSError."""
    new = path.with_name(f".{path.name}.new")
    new.write_bytes(register.select(COLUMNS).sort(COLUMNS).write_csv(line_terminator="\n").encode())
    new.replace(path)


def _rank(origin: str) -> pl.Expr:
    """The place of an origin; NULL stays NULL."""
    return pl.col(origin).replace_strict(_ORIGINS, range(len(_ORIGINS)), return_dtype=pl.Int64, default=None)


def _wanted(catalogue: Catalogue) -> pl.DataFrame:
    """What the register is about: indicator_id and source_table of all published figures."""
    rows = [
        (indicator.indicator_id, source.source_table)
        for indicator in catalogue.indicators
        if indicator.layer != "experienced"
        for source in indicator.sources
    ]
    return pl.DataFrame(rows, schema={"indicator_id": pl.String, "source_table": pl.String}, orient="row")
