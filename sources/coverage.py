"""The register of coverage: which regions and figures every source has, so that nothing vanishes unseen.

`catalog/coverage.csv` has a row for every source table, indicator and period, and for every origin its figures came
from when they were counted. What is bundled must be in every run, where nothing newer stands in its place; what was
fetched or delivered, in a run that uses such snapshots of that table. What came otherwise is not held against the
bundle: a publisher may have put a table on other borders since. Figures of the resident survey are left out: every wave
is described by itself.

Counts do not tell a municipality that vanished while another appeared, so the register knows which regions have a
figure. The file says it in few words: the municipalities of a year (`borders`) without those of `missing` and with the
regions of `also`. Which municipalities a year had is known apart from any run, from what comes with the software.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from catalog import Catalogue
from catalog.load import FOLDER
from sources import bundled, lifetimes
from sources.collect import BUNDLED, DELIVERED, LIVE, Collected
from sources.csv_file import CsvFile, read_csv
from sources.errors import DuplicateFigure, InputError, MissingFile, ValueFault
from sources.names import bundled_names, without_suffix

REGISTER = FOLDER / "coverage.csv"
UPDATE = "btg coverage --update"

SLOT = ["source_table", "indicator_id", "period"]
COUNTS = ["regions", "figures", "municipalities"]
_KEY = [*SLOT, "origin"]
# Of the file; a frame has `measured` instead of the last three: the codes of the regions with a figure, sorted.
COLUMNS = [*_KEY, *COUNTS, "borders", "missing", "also"]
SCHEMA = pl.Schema(
    dict.fromkeys(_KEY, pl.String()) | dict.fromkeys(COUNTS, pl.Int64()) | {"measured": pl.List(pl.String())}
)
_SEEN = [*COUNTS, "measured"]
_FOUND = [f"found_{name}" for name in COUNTS]
_WORDS = dict(zip(COUNTS, ("regions", "figures", "municipalities with a figure"), strict=True))
# The later one lies over the earlier one (see collect).
_ORIGINS = [BUNDLED, LIVE, DELIVERED]
_MUNICIPAL = "GM"
# The reorganisations reach back to here.
_FIRST_YEAR = 2010

# How a run may differ from the register; the first two stop it.
VANISHED, LOST = "vanished", "lost"
ABSENT, ELSEWHERE, MORE, UNREGISTERED = "absent", "elsewhere", "more", "unregistered"
BLOCKING = [VANISHED, LOST]
_SHOWN = 12


class CoverageLost(InputError):  # noqa: N818 - named after the fault, as its base is
    """Municipalities, figures or periods that the register has are not in this run."""


def count(collected: Collected, catalogue: Catalogue) -> pl.DataFrame:
    """What a run has, per table, indicator and period (SCHEMA).

    regions: rows; figures: those with a value; municipalities: those with a value; measured: the codes of all regions
    with a value, sorted. Of several origins the one that lies over the others counts.
    """
    has_value = pl.col("value").is_not_null()
    origins = collected.origins.group_by(SLOT).agg(pl.col("origin").sort_by(_rank("origin")).last())
    return (
        collected.figures.join(_wanted(catalogue), ["indicator_id", "source_table"], how="semi")
        .group_by(SLOT)
        .agg(
            regions=pl.len().cast(pl.Int64),
            figures=has_value.sum().cast(pl.Int64),
            municipalities=(has_value & pl.col("region_code").str.starts_with(_MUNICIPAL)).sum().cast(pl.Int64),
            measured=pl.col("region_code").filter(has_value).sort(),
        )
        .join(origins, SLOT)
        .select(list(SCHEMA))
        .sort(_KEY)
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
        .select(list(SCHEMA))
    )


def compare(held: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """Where a run differs from what it is held to: key, counts, `found_…` of each count, lost, gained, kind; sorted.

    lost, gained: the codes of the regions that have no figure any more, and of those that had none.

    kind: `vanished` (a period, or all that snapshots had), `lost` (a region or its figure), `absent` (the input does
    not have this indicator at all: a folder of figures need not), `elsewhere` (the period is not in this table, but
    others of this run give it for every region), `more`, `unregistered` (the period, or figures of this origin).
    """
    other = found.select(*SLOT, stands="origin")
    held = held.join(other, SLOT, how="left").filter(~(_rank("stands") > _rank("origin")).fill_null(value=False))
    elsewhere = found.explode("measured").group_by("indicator_id", "period").agg(elsewhere=pl.col("measured"))
    both = (
        held.join(found.select(*SLOT, *(pl.col(name).alias(f"found_{name}") for name in _SEEN)), SLOT, how="left")
        .join(elsewhere, ["indicator_id", "period"], how="left")
        .with_columns(
            lost=pl.col("measured").list.set_difference("found_measured").list.sort(),
            gained=pl.col("found_measured").list.set_difference("measured").list.sort(),
        )
    )
    gone = (pl.col("found_regions") < pl.col("regions")) | (pl.col("lost").list.len() > 0)
    more = (pl.col("found_regions") > pl.col("regions")) | (pl.col("gained").list.len() > 0)
    kind = (
        pl.when(pl.col("found_regions").is_not_null())
        .then(pl.when(gone).then(pl.lit(LOST)).when(more).then(pl.lit(MORE)))
        .when(~pl.col("indicator_id").is_in(found["indicator_id"].to_list()) & (pl.col("origin") == BUNDLED))
        .then(pl.lit(ABSENT))
        .when(pl.col("measured").list.set_difference("elsewhere").list.len() == 0)
        .then(pl.lit(ELSEWHERE))
        .otherwise(pl.lit(VANISHED))
    )
    different = both.with_columns(kind=kind).filter(pl.col("kind").is_not_null())
    added = found.join(held, SLOT, how="anti").with_columns(
        *(pl.col(name).alias(f"found_{name}") for name in COUNTS),
        *(pl.lit(None, dtype=pl.Int64).alias(name) for name in COUNTS),
        *(pl.lit(None, dtype=pl.List(pl.String)).alias(name) for name in ("lost", "gained")),
        kind=pl.lit(UNREGISTERED),
    )
    columns = [*_KEY, *COUNTS, *_FOUND, "lost", "gained", "kind"]
    return pl.concat([different.select(columns), added.select(columns)]).sort(SLOT)


def differences(register: pl.DataFrame, collected: Collected, catalogue: Catalogue) -> pl.DataFrame:
    """Where a run differs from the register: see compare."""
    return compare(held_to(register, collected, catalogue), count(collected, catalogue))


def require(different: pl.DataFrame) -> None:
    """Raise CoverageLost, saying what is lost and what to do, where something of the register is."""
    said = sentences(different.filter(pl.col("kind").is_in(BLOCKING)))
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


def sentences(different: pl.DataFrame) -> list[str]:
    """The differences in words: those of whole periods by indicator and table, the others one by one, with names."""
    whole = pl.col("kind").is_in([VANISHED, ABSENT, ELSEWHERE, UNREGISTERED])
    together = different.filter(whole).group_by("source_table", "indicator_id", "kind", "origin", maintain_order=True)
    return [
        *(_of_periods(*row) for row in together.agg("period").iter_rows()),
        *(_of_regions(row) for row in different.filter(~whole).iter_rows(named=True)),
    ]


def _of_periods(source_table: str, indicator_id: str, kind: str, origin: str, periods: list[str]) -> str:
    says = {
        VANISHED: "{} vanished: registered ({}), and not in this run",
        ABSENT: "not in this input; registered: {} ({})",
        ELSEWHERE: "{} is not in this table any more ({}); other tables of this run give it for every region",
        UNREGISTERED: "{} not registered yet ({})",
    }
    return f"{source_table}, {indicator_id}: {says[kind].format(', '.join(periods), origin)}"


def _of_regions(row: dict[str, Any]) -> str:
    counts = [
        f"{row[f'found_{name}']} {_WORDS[name]}, {row[name]} registered"
        for name in COUNTS
        if row[f"found_{name}"] != row[name]
    ]
    said = "; ".join([*counts, *_gone_and_come(row["lost"], row["gained"])])
    return f"{row['source_table']}, {row['indicator_id']}, {row['period']}: {said}"


def _gone_and_come(lost: Collection[str], gained: Collection[str]) -> list[str]:
    return [f"{word}: {_named(codes)}" for word, codes in (("lost", lost), ("new", gained)) if codes]


def _named(codes: Collection[str]) -> str:
    """Regions by name and code; of many the first."""
    names = {row.code: without_suffix(row.name) for row in reversed(bundled_names().rows)}
    shown = [f"{names[code]} ({code})" if code in names else code for code in sorted(codes)[:_SHOWN]]
    return ", ".join(shown) + (f" and {len(codes) - _SHOWN} more" if len(codes) > _SHOWN else "")


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
    return pl.concat([alone, found.filter(pl.col("origin") != BUNDLED), others]).sort(_KEY)


def changes(before: pl.DataFrame, after: pl.DataFrame) -> list[str]:
    """What differs between two registers, a line a row of theirs."""
    both = before.join(after, _KEY, how="full", coalesce=True, suffix="_after", nulls_equal=True).sort(_KEY)
    lines = []
    for row in both.iter_rows(named=True):
        old, new = ([row[f"{name}{suffix}"] for name in COUNTS] for suffix in ("", "_after"))
        name = ", ".join(row[part] for part in _KEY)
        if old[0] is None:
            lines.append(f"new      {name}: {_counted(new)}")
        elif new[0] is None:
            lines.append(f"gone     {name}: {_counted(old)}")
        elif (old, row["measured"]) != (new, row["measured_after"]):
            had, has = set(row["measured"]), set(row["measured_after"])
            said = [f"{_counted(old)} -> {_counted(new)}", *_gone_and_come(had - has, has - had)]
            lines.append(f"changed  {name}: {'; '.join(said)}")
    return lines


def _counted(counts: list[int]) -> str:
    return ", ".join(f"{number} {_WORDS[name]}" for name, number in zip(COUNTS, counts, strict=True))


def read_register(path: Path) -> pl.DataFrame:
    """The register (SCHEMA), sorted; raises an InputError that names row and column of a mistake."""
    if not path.exists():
        raise MissingFile(path, "the register of coverage", remedy=f"Take it back from git, or make it anew: {UPDATE}")
    file = read_csv(path, COLUMNS)
    a_year = pl.col("borders").str.contains(r"^(20[1-9]\d)?$")
    _refuse(file, file.frame, ValueFault, "borders", ~a_year, f"a year from {_FIRST_YEAR} on, or nothing")
    measured = [_measured(*row) for row in file.frame.select("borders", "missing", "also").iter_rows()]
    rows = file.frame.with_columns(
        pl.col(COUNTS).str.to_integer(strict=False), measured=pl.Series(measured, dtype=SCHEMA["measured"])
    )
    municipal = pl.col("measured").list.eval(pl.element().str.starts_with(_MUNICIPAL)).list.sum()
    same = "the number that borders, missing and also make"
    faults: list[tuple[type[InputError], str, pl.Expr, str]] = [
        (ValueFault, "origin", ~pl.col("origin").is_in(_ORIGINS), f"one of {', '.join(_ORIGINS)}"),
        *((ValueFault, name, pl.col(name).is_null() | (pl.col(name) < 0), "a count") for name in COUNTS),
        (ValueFault, "figures", pl.col("figures") != pl.col("measured").list.len(), same),
        (ValueFault, "municipalities", pl.col("municipalities") != municipal, same),
        (DuplicateFigure, "period", ~pl.struct(_KEY).is_first_distinct(), "one row a period and origin"),
    ]
    for fault in faults:
        _refuse(file, rows, *fault)
    return rows.select(list(SCHEMA)).sort(_KEY)


def _refuse(
    file: CsvFile, rows: pl.DataFrame, kind: type[InputError], column: str, fault: pl.Expr, expected: str
) -> None:
    """Raise `kind` for the first row with the fault, with the value as it stands in the file."""
    for row in rows.filter(fault).head(1)["row"]:
        value = file.frame.filter(row=row)[column].item()
        raise kind(file.path, expected, row=row, column=column, value=value, remedy=f"Make it anew: {UPDATE}")


def write_register(register: pl.DataFrame, path: Path) -> None:
    """Write the register: sorted, the same bytes for the same rows on every machine. Raises OSError."""
    rows = register.sort(_KEY)
    said = [_in_few_words(*row) for row in rows.select("measured", "period").iter_rows()]
    words = pl.DataFrame(said, schema=dict.fromkeys(COLUMNS[-3:], pl.String), orient="row")
    file = pl.concat([rows.drop("measured"), words], how="horizontal").select(COLUMNS)
    new = path.with_name(f".{path.name}.new")
    new.write_bytes(file.write_csv(line_terminator="\n").encode())
    new.replace(path)


def _in_few_words(measured: list[str], period: str) -> tuple[str | None, ...]:
    """The regions with a figure as `borders`, `missing` and `also`: the year that takes the fewest codes.

    Of equal years the one nearest to the period; no year where the regions are few.
    """
    found, year = set(measured), int(period[:4])
    years = range(_FIRST_YEAR, max(year, _last_year()) + 1)
    best = min(years, key=lambda each: (len(municipalities(each) ^ found), abs(each - year), each))
    whole = municipalities(best)
    if len(whole ^ found) >= len(found):
        return None, None, ";".join(measured) or None
    return str(best), ";".join(sorted(whole - found)) or None, ";".join(sorted(found - whole)) or None


def _measured(borders: str, missing: str, also: str) -> list[str]:
    """The regions that `borders`, `missing` and `also` stand for, sorted."""
    whole = municipalities(int(borders)) if borders else frozenset()
    return sorted((whole - set(missing.split(";"))) | set(filter(None, also.split(";"))))


@cache
def municipalities(year: int) -> frozenset[str]:
    """The codes of the municipalities on 1 January of a year from 2010 on, whatever a run holds."""
    day = f"{year}-01-01"
    return frozenset(code for code, (first, end) in _lives().items() if first <= day < end)


_OPEN = "9999"


@cache
def _last_year() -> int:
    """The year of the last reorganisation that is known."""
    return max(int(end[:4]) for _, end in _lives().values() if end != _OPEN)


@cache
def _lives() -> dict[str, tuple[str, str]]:
    """Of every municipality code its first day, and the first day without it.

    The names lack the foundation of some; the reorganisations say it of all since 2010.
    """
    named = {row.code: (row.valid_from, row.valid_to) for row in bundled_names().only([_MUNICIPAL]).rows}
    dated = lifetimes.read_lifetimes(bundled.FOLDER / lifetimes.FILE)
    known = named | {code: (first, end) for code, first, end in dated.iter_rows()}
    return {code: (first or "", end or _OPEN) for code, (first, end) in known.items()}


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
