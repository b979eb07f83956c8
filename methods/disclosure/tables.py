"""The linked tables of all variables and years as one sparse system: cells, and the sums that tie them together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

KEY = ["variable", "measurement_year", "region_code", "breakdown"]
TOTAL = "total"
_NEEDED = [*KEY, "n", "numerator", "population"]
TABLE = ["variable", "measurement_year"]
_SUM = [*TABLE, "whole", "by"]  # a sum: its whole, and what divides it: the regions of a breakdown, or a breakdown

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]


class DisclosureError(ValueError):
    """Cells that cannot be protected as they are: a column is missing, or numbers that must add up do not."""


@dataclass(frozen=True)
class Tables:
    """C cells, of which the first `real` are published or hidden; the others are rests that nobody publishes.

    A rest is what a sum holds beyond its parts: people whose education is unknown. `cells` are the real ones, by KEY.
    `n` (C,) is the number of respondents of a cell, `counted` (C,) that of the satisfied ones as the weighted share
    shows it, `weight` (C,) how many inhabitants one of them stands for, as a multiple of the average, `effect` (C,) the
    design effect of the share, 1 where it is not known. `sums` (R, C) holds +1 for the parts and −1 for the whole, so
    that `sums @ n` is 0. `table` (C,) numbers the variable and year of a cell, `part` (C,) its variable, year and
    breakdown (rests: −1). `free` (C,) is false where an earlier edition has published the cell: whatever becomes of it,
    it is known.
    """

    cells: pl.DataFrame
    n: Floats
    counted: Floats
    weight: Floats
    effect: Floats
    table: Places
    part: Places
    sums: Any
    free: Flags

    @property
    def real(self) -> int:
        """The number of cells that can be published."""
        return self.cells.height

    @property
    def is_rest(self) -> Flags:
        """The cells that nobody publishes."""
        return np.arange(self.n.size) >= self.real

    @property
    def is_total(self) -> Flags:
        """The cells of everyone in a region."""
        return self.with_rests((self.cells["breakdown"] == TOTAL).to_numpy())

    def with_rests(self, flags: Flags) -> Flags:
        """Flags of the real cells as flags of all: rests get False."""
        return np.append(flags, np.zeros(self.n.size - self.real, dtype=bool))


def cells_of(figures: pl.DataFrame) -> pl.DataFrame:
    """One row a cell, sorted by KEY: n, numerator, population, effect; mean (0-1) and share (percent) where given.

    Mean and share of a cell are one: its numerator is that of the share. Rows without n were not measured and are
    left out. Raises DisclosureError where a column is missing or the numbers of a cell contradict each other.
    """
    if missing := [name for name in _NEEDED if name not in figures.columns]:
        raise DisclosureError(f"disclosure control needs the columns {', '.join(missing)}: not there")
    measured = figures.filter(pl.col("n").is_not_null())
    if measured["breakdown"].str.contains(";", literal=True).any():
        raise DisclosureError("breakdown: two at once (joined by ;) cannot be protected; publish single ones only")
    numbers = [pl.col(name).cast(pl.Float64).drop_nulls() for name in ("n", "numerator", "population")]
    cells = measured.group_by(KEY).agg(
        *(number.first() for number in numbers),
        mean=_value_of("mean", figures),
        share=_value_of("share", figures),
        effect=_design_effect(figures),
        _differ=pl.max_horizontal(number.n_unique() for number in numbers[:2]) > 1,
    )
    faults = {
        "n, numerator: the figures of one cell do not have the same": pl.col("_differ"),
        "numerator: not from 0 to n": ~pl.col("numerator").is_between(0, pl.col("n")),
        "population: not positive": (pl.col("n") > 0) & (pl.col("population") <= 0),
    }
    for message, fault in faults.items():
        refuse(cells.filter(fault), message, KEY)
    return cells.drop("_differ").sort(KEY)


def _value_of(statistic: str, figures: pl.DataFrame) -> pl.Expr:
    if not {"value", "statistic"} <= set(figures.columns):
        return pl.lit(None, dtype=pl.Float64)
    return pl.col("value").filter(pl.col("statistic") == statistic).cast(pl.Float64).drop_nulls().first()


def _design_effect(figures: pl.DataFrame) -> pl.Expr:
    """The design effect of the share, n / n_effective; 1 where it is not given."""
    if not {"n_effective", "statistic"} <= set(figures.columns):
        return pl.lit(1.0)
    effect = (pl.col("n") / pl.col("n_effective")).cast(pl.Float64)
    known = effect.filter(effect.is_finite() & (effect > 0) & (pl.col("statistic") == "share"))
    return known.first().fill_null(1.0)


def refuse(wrong: pl.DataFrame, message: str, key: list[str]) -> None:
    """Raise DisclosureError if there are `wrong` rows, naming the place of the first and no number of it."""
    if wrong.height:
        place = ", ".join(str(part) for part in wrong.sort(key).select(key).row(0))
        raise DisclosureError(f"{message} ({place}; {wrong.height} in all)")


def linked(cells: pl.DataFrame, groups: Mapping[str, Sequence[str]], known: pl.DataFrame | None = None) -> Tables:
    """The system of `cells` (see `cells_of`); `groups` names the parts of every region that is a sum of others.

    A sum whose whole or parts are all absent ties nothing. `known`: keys of cells that earlier editions published.
    Raises DisclosureError where parts add up to more than their whole.
    """
    from scipy.sparse import coo_array

    cells = cells.with_columns(counted=_counted(), weight=_weight()).with_row_index("cell")
    entries = pl.concat([_region_sums(cells, groups), _breakdown_sums(cells)])
    sums = entries.select(_SUM).unique().sort(_SUM).with_row_index("sum")
    entries = entries.join(sums, _SUM, maintain_order="left")
    rests = _rests(entries).with_row_index("cell", offset=cells.height)
    every = pl.concat([frame.select(*TABLE, "n", "counted", "weight") for frame in (cells, rests)])
    tied = pl.concat([entries.select("sum", "cell", "sign"), rests.select("sum", "cell", sign=pl.lit(1.0))])
    places = tuple(tied[name].to_numpy().astype(np.intp) for name in ("sum", "cell"))
    weight = every["weight"].to_numpy()
    return Tables(
        cells=cells.drop("cell", "counted", "weight"),
        n=every["n"].to_numpy(),
        counted=every["counted"].to_numpy(),
        weight=weight / weight.mean() if weight.size else weight,
        effect=np.append(cells["effect"].to_numpy(), np.ones(rests.height)),
        table=numbered(every.select(TABLE)),
        part=np.append(numbered(cells.select(*TABLE, by=by_what())), np.full(rests.height, -1)),
        sums=coo_array((tied["sign"].to_numpy(), places), shape=(sums.height, every.height)).tocsr(),
        free=_free(cells, known, every.height),
    )


def _counted() -> pl.Expr:
    """Satisfied respondents as the weighted share shows them: that is what adds up, and what an attacker sees.

    Of a variable that has only a mean, the sum of its scores stands for them.
    """
    n = pl.col("n")
    return pl.coalesce(n * pl.col("share") / 100, "numerator", n * pl.col("mean"), n / 2).clip(0, n)


def _weight() -> pl.Expr:
    """Inhabitants a respondent stands for; where the population is not given, as in the total of the region."""
    own = pl.when(pl.col("n") > 0).then(pl.col("population") / pl.col("n"))
    total = own.filter(pl.col("breakdown") == TOTAL).first().over(*TABLE, "region_code")
    return pl.coalesce(own, total, pl.lit(1.0))


def by_what() -> pl.Expr:
    """What a breakdown divides people by: `age=65+` by age."""
    return pl.col("breakdown").str.split("=").list.first()


def _region_sums(cells: pl.DataFrame, groups: Mapping[str, Sequence[str]]) -> pl.DataFrame:
    """Every group as the sum of its parts, for everyone and for each category."""
    members = pl.DataFrame(
        [(group, part) for group, parts in groups.items() for part in parts],
        schema={"whole": pl.String, "region_code": pl.String},
        orient="row",
    )
    parts = cells.join(members, "region_code", maintain_order="left").with_columns(by="breakdown")
    wholes = cells.filter(pl.col("region_code").is_in(list(groups))).with_columns(whole="region_code", by="breakdown")
    return _entries(parts, wholes)


def _breakdown_sums(cells: pl.DataFrame) -> pl.DataFrame:
    """The total of every region as the sum of its sexes, of its ages and of its levels of education."""
    placed = cells.with_columns(whole="region_code")
    parts = placed.filter(pl.col("breakdown") != TOTAL).with_columns(by=by_what())
    divided = parts.select(_SUM).unique()
    totals = placed.filter(pl.col("breakdown") == TOTAL)
    return _entries(parts, totals.join(divided, [*TABLE, "whole"], maintain_order="left_right"))


def _entries(parts: pl.DataFrame, wholes: pl.DataFrame) -> pl.DataFrame:
    """Parts (+1) and wholes (−1) of the sums of which both are there."""
    signed = [
        parts.join(wholes, _SUM, how="semi", maintain_order="left").with_columns(sign=pl.lit(1.0)),
        wholes.join(parts, _SUM, how="semi", maintain_order="left").with_columns(sign=pl.lit(-1.0)),
    ]
    return pl.concat(frame.select(*_SUM, "cell", "n", "counted", "weight", "sign") for frame in signed)


def _rests(entries: pl.DataFrame) -> pl.DataFrame:
    """What every sum holds beyond its parts, where that is someone."""

    def left(number: pl.Expr) -> pl.Expr:
        return -(pl.col("sign") * number).sum()

    rests = entries.group_by("sum", maintain_order=True).agg(
        pl.col(_SUM).first(),
        n=left(pl.col("n")),
        _inhabitants=left(pl.col("n") * pl.col("weight")),
        _satisfied=left(pl.col("counted") * pl.col("weight")),
        _of_whole=pl.col("weight").filter(pl.col("sign") < 0).first(),
    )
    refuse(rests.filter(pl.col("n") < 0), "n: the parts of a sum are more than their whole", _SUM)
    weight = pl.when(pl.col("_inhabitants") > 0).then(pl.col("_inhabitants") / pl.col("n")).otherwise("_of_whole")
    return rests.filter(pl.col("n") > 0).select(
        "sum", *TABLE, "n", counted=(pl.col("_satisfied") / weight).clip(0, pl.col("n")), weight=weight
    )


def numbered(columns: pl.DataFrame) -> Places:
    """The number of every row's values among the different ones."""
    different = columns.unique().sort(columns.columns).with_row_index("number")
    return columns.join(different, columns.columns, maintain_order="left")["number"].to_numpy().astype(np.intp)


def _free(cells: pl.DataFrame, known: pl.DataFrame | None, count: int) -> Flags:
    """False for the cells among `known`."""
    free = np.ones(count, dtype=bool)
    if known is not None:
        free[cells.join(known, KEY, how="semi")["cell"].to_numpy()] = False
    return free
