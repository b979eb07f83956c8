"""From figures to what may be published of them: the steps of disclosure control, and all of them in one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from catalog.survey_model import Disclosure
from methods import warning_lists as warn
from methods.disclosure.attack import Unknowns, reach
from methods.disclosure.suppress import Decisions, complementary, weaknesses
from methods.disclosure.tables import KEY, TABLE, Flags, Floats, Tables, by_what, cells_of, linked, numbered

SUPPRESSED, SMALL_N = "suppressed", "small_n"
KNOWN, FEW_PEOPLE = "known", "few_people"
# What a hidden row keeps: every other column becomes NULL, also one that is added later.
_KEPT = (*KEY, "statistic", "status", "warnings")
_DECIMALS = {"mean": 3, "share": 1}
_IN_UNITS = ("value", "standard_error", "ci_low", "ci_high")
_WHOLE = ("n_effective", "degrees_of_freedom")
_ANY_NUMBER = 1e5  # of respondents: more than a cell of any wave has


@dataclass(frozen=True)
class Summary:
    """What was done, in numbers that say nothing about anyone.

    Of `cells` cells tied by `relations` sums, `primary` are hidden for their own sake, `few_people` because an earlier
    edition has the cell with a few respondents more or less, `complementary` to protect these. `already_published` of
    the primary ones stand in an earlier edition: hiding them helps no more.
    """

    cells: int
    relations: int
    primary: int
    few_people: int
    complementary: int
    already_published: int


@dataclass(frozen=True)
class Protected:
    """`frame`: the figures in their order, hidden ones without numbers; and what was done."""

    frame: pl.DataFrame
    summary: Summary


def primary(figures: pl.DataFrame, settings: Disclosure) -> pl.DataFrame:
    """The cells of the figures, a row each, with `primary`: hidden for its own sake; and `small_n`: few respondents.

    `others_are_few`: of the satisfied and the others, it is the others whose number must not be found out.

    `figures` has variable, measurement_year, region_code, breakdown, n (respondents), numerator (those who are
    satisfied; NULL where a variable has only a mean) and population; rows that differ in `statistic` only are one cell.
    Rows without n were not measured: no cell. Raises DisclosureError.
    """
    satisfied, others = pl.col("numerator"), pl.col("n") - pl.col("numerator")
    few = pl.min_horizontal(satisfied, others) < settings.smallest_count
    return cells_of(figures).with_columns(
        primary=(pl.col("n") < settings.suppress_below) | (satisfied.is_not_null() & few),
        small_n=pl.col("n").is_between(settings.suppress_below, settings.publish_from, closed="left"),
        others_are_few=((others < settings.smallest_count) & (others < satisfied)).fill_null(value=False),
    )


def secondary(
    cells: pl.DataFrame,
    groups: Mapping[str, Sequence[str]],
    settings: Disclosure,
    known: pl.DataFrame | None = None,
) -> pl.Series:
    """Whether each of `cells` (of `primary`) is hidden, so that none of those marked `primary` can be worked out.

    `groups`: region -> its parts, which are municipalities or other groups. `known`: keys of cells that stand in an
    earlier edition, which protect nothing.
    """
    return pl.Series("hidden", _solved(linked(cells, groups, known), cells["primary"].to_numpy(), settings))


def audit(
    cells: pl.DataFrame,
    hidden: pl.Series,
    groups: Mapping[str, Sequence[str]],
    settings: Disclosure,
    known: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """What can be found out about every hidden cell: key, lowest and highest numerator, and whether it is `protected`.

    Not for publication. By linear programming over all that is hidden; the attacker knows n of every cell for `lowest`
    and `highest`; `protected` says that the cell withstands also him who does not.
    """
    tables = linked(cells, groups, known)
    flags = tables.with_rests(hidden.to_numpy())
    everywhere = np.unique(tables.table)
    at_risk = [cut.cell for cut in weaknesses(tables, _attacks(tables, settings), flags, everywhere)]
    places = np.flatnonzero(flags)
    down, up, _ = reach(tables, _attacks(tables, settings)[0], flags | tables.is_rest, places)
    counted = tables.counted[places]
    safe = ~np.isin(places, np.concatenate([*at_risk, np.flatnonzero(~tables.free)]))
    return tables.cells[places].select(
        *KEY, lowest=pl.Series(counted - down), highest=pl.Series(counted + up), protected=pl.Series(safe)
    )


def differencing(current: pl.DataFrame, earlier: pl.DataFrame, settings: Disclosure) -> pl.DataFrame:
    """What earlier editions tell about the cells of this one: key, edition, fault.

    Both have the key, n and `status`; `earlier`, as published, also `edition`. fault `known`: that edition published
    the cell of the same respondents, so hiding it now protects nothing. `few_people`: it has the cell with some
    respondents more or less, fewer than `smallest_count`, whose answers are the difference of both. Where both have
    `answers` (what the figures were made of), as many respondents of other answers are `few_people` too if the cell's
    figure has changed: somebody's answer was corrected, or one person stands in for another.
    """
    published = earlier.filter(pl.col("n").is_not_null() & (pl.col("status") != SUPPRESSED))
    compared = [name for name in ("answers", "statistic", "value") if {name} <= {*earlier.columns} & {*current.columns}]
    key = [*KEY, *(["statistic"] if "statistic" in compared else [])]
    then = {name: f"{name}_then" for name in ("n", "answers", "value") if name == "n" or name in compared}
    both = published.select(*key, "edition", *(pl.col(name).alias(other) for name, other in then.items())).join(
        current.select(*key, *then), key
    )
    distance = (pl.col("n").cast(pl.Float64) - pl.col("n_then").cast(pl.Float64)).abs()
    moved = pl.lit(value=False)
    if len(compared) == 3:
        # Half the unit that published figures are rounded to, and a little.
        units = {kind: 10.0**-places for kind, places in _DECIMALS.items()}
        unit = pl.col("statistic").replace_strict(units, return_dtype=pl.Float64)
        changed = ((pl.col("value") - pl.col("value_then")).abs() > 0.51 * unit).fill_null(value=False)
        moved = (pl.col("answers") != pl.col("answers_then")).fill_null(value=False) & changed
    same = (distance == 0) & ~moved
    few = (distance < settings.smallest_count) & ~same
    fault = pl.when(few).then(pl.lit(FEW_PEOPLE)).when(same).then(pl.lit(KNOWN))
    found = both.with_columns(fault=fault).drop_nulls("fault").select(*KEY, "edition", "fault")
    # Mean and share of a cell are one: what one of them gives away counts.
    return found.sort([*KEY, "edition", "fault"]).unique([*KEY, "edition"], keep="first", maintain_order=True)


def protected(
    figures: pl.DataFrame,
    groups: Mapping[str, Sequence[str]],
    settings: Disclosure,
    *,
    earlier: pl.DataFrame | None = None,
    families: Mapping[str, str] | None = None,
    keep: Sequence[str] = (),
) -> Protected:
    """The figures as they may be published: hidden rows have status `suppressed` and no numbers, `small_n` is added.

    `figures`: see `primary`; also `status`, `warnings` and whatever is published. `groups`: see `secondary`. `earlier`:
    the same of all editions so far, with `edition`. `families`: variable -> name of those that follow from each other,
    such as a dimension and its questions; they are hidden together. A hidden row keeps its key, `statistic`, `status`,
    `warnings` and the columns `keep`, which must say nothing about respondents. Raises DisclosureError.
    """
    cells = primary(figures, settings)
    known, few_people = _of_earlier(cells, figures.filter(pl.col("n").is_not_null()), earlier, settings)
    tables = linked(cells, groups, known)
    own_sake = cells["primary"].to_numpy()
    changed = _among(cells, few_people) & ~_among(cells, known) & ~own_sake
    required = np.asarray(own_sake | changed)
    hidden = _solved(tables, required, settings, families)
    shown = cells.select(*KEY, "small_n", _hidden=pl.Series(hidden, dtype=pl.Boolean))
    summary = Summary(
        cells=cells.height,
        relations=tables.sums.shape[0],
        primary=int(own_sake.sum()),
        few_people=int(changed.sum()),
        complementary=int((hidden & ~required).sum()),
        already_published=int((own_sake & ~tables.free[: tables.real]).sum()),
    )
    return Protected(_without_hidden(figures.join(shown, KEY, how="left", maintain_order="left"), keep), summary)


def rounded(figures: pl.DataFrame, decimals: Mapping[str, int] = _DECIMALS) -> pl.DataFrame:
    """Figures as precise as they are published: means to 3 decimals, shares to 1; numbers of respondents whole.

    By the column `statistic`: value and interval alike, the standard error with one decimal more, so that it is worth
    something. What has another statistic stays as it is.
    """
    present = [name for name in _IN_UNITS if name in figures.columns]
    whole = [name for name in _WHOLE if name in figures.columns]

    def as_published(name: str) -> pl.Expr:
        number, statistic = pl.col(name), pl.col("statistic")
        more = 1 if name == "standard_error" else 0
        to_places = [pl.when(statistic == kind).then(number.round(places + more)) for kind, places in decimals.items()]
        return pl.coalesce(*to_places, number).alias(name)

    return figures.with_columns(*map(as_published, present), pl.col(whole).round(0))


def _attacks(tables: Tables, settings: Disclosure) -> list[Unknowns]:
    """The two attackers: one knows n of every cell and seeks numerators, one does not and seeks n.

    The first must hold possible, of a cell hidden for its own sake, that those in question (the satisfied; the others
    where these are few) are any number from 0 to the smallest count; of every hidden cell, numerators far enough apart.
    """
    from scipy.sparse import diags_array

    n, satisfied = tables.n, tables.counted
    others = n - satisfied
    sought = tables.free & ~tables.is_rest
    own_sake = sought & tables.with_rests(tables.cells["primary"].to_numpy())
    others_are_few = tables.with_rests(tables.cells["others_are_few"].to_numpy())
    few = np.minimum(float(settings.smallest_count), n)
    in_question = np.where(others_are_few, others, satisfied)
    to_none = np.where(own_sake, in_question, 0.0)
    to_few = np.where(own_sake, np.maximum(few - in_question, 0.0), 0.0)
    nothing = np.zeros(n.size)
    numerators = Unknowns(
        sums=(tables.sums @ diags_array(tables.weight)).tocsr(),
        down=np.where(tables.free, satisfied, 0.0),
        up=np.where(tables.free, others, 0.0),
        need_down=np.where(others_are_few, to_few, to_none),
        need_up=np.where(others_are_few, to_none, to_few),
        need_width=np.where(sought, np.minimum(float(settings.interval_width), n), 0.0),
    )
    respondents = Unknowns(
        sums=tables.sums,
        down=np.where(sought, n, 0.0),
        up=np.where(sought, _ANY_NUMBER, 0.0),
        need_down=nothing,
        need_up=np.where(sought, np.maximum(settings.smallest_count - n, 0.0), 0.0),
        need_width=nothing,
    )
    return [numerators, respondents]


def _solved(tables: Tables, required: Flags, settings: Disclosure, families: Mapping[str, str] | None = None) -> Flags:
    """Which of the real cells are hidden when `required` are; alike in all variables of a family."""
    if not required.any():
        return required
    lost = tables.n + 1.0
    everything = np.bincount(tables.table, lost)[tables.table]
    cost = lost + np.where(tables.is_total, everything, 0.0)  # a total is worth more than all that is not
    decisions = _decisions(tables, required, cost[: tables.real], families or {})
    return complementary(tables, _attacks(tables, settings), decisions)[: tables.real]


def _decisions(tables: Tables, required: Flags, cost: Floats, families: Mapping[str, str]) -> Decisions:
    """One decision a family, year, region and breakdown."""
    family = pl.col("variable").replace(dict(families))
    place = tables.cells.select(pl.struct(family, *KEY[1:]).rank("dense").cast(pl.Int64) - 1).to_series().to_numpy()
    _, first = np.unique(place, return_index=True)
    cells = tables.cells[first].with_columns(variable=family)
    return Decisions(
        of_cell=place,
        part=numbered(cells.select(*TABLE, by=by_what())),
        table=numbered(cells.select(TABLE)),
        is_total=tables.is_total[: tables.real][first],
        required=np.bincount(place, required) > 0,
        cost=np.bincount(place, cost).astype(float),
    )


def _of_earlier(
    cells: pl.DataFrame, figures: pl.DataFrame, earlier: pl.DataFrame | None, settings: Disclosure
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The keys that earlier editions make known, and those that they differ from by a few people."""
    if earlier is None:
        return cells.select(KEY).clear(), cells.select(KEY).clear()
    faults = differencing(figures, earlier, settings)
    known, few = (faults.filter(fault=fault).select(KEY).unique() for fault in (KNOWN, FEW_PEOPLE))
    return known, few


def _among(cells: pl.DataFrame, keys: pl.DataFrame) -> Flags:
    marked = cells.select(KEY).join(
        keys.with_columns(marked=pl.lit(value=True)), KEY, how="left", maintain_order="left"
    )
    return marked["marked"].fill_null(value=False).to_numpy()


def _without_hidden(figures: pl.DataFrame, keep: Sequence[str]) -> pl.DataFrame:
    hidden = pl.col("_hidden").fill_null(value=False)
    numbers = [name for name in figures.columns if name not in {*_KEPT, *keep, "_hidden", "small_n"}]
    few = (pl.col("small_n") & ~hidden).fill_null(value=False)
    return figures.with_columns(
        *(pl.when(~hidden).then(name) for name in numbers),
        status=pl.when(hidden).then(pl.lit(SUPPRESSED)).otherwise(pl.col("status")),
        warnings=pl.when(few).then(warn.unite("warnings", warn.when(few, SMALL_N))).otherwise(pl.col("warnings")),
    ).drop("_hidden", "small_n")
