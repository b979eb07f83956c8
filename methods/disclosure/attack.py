"""What an attacker can find out about hidden cells: the range that linear programming leaves each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from methods.disclosure.tables import Flags, Floats, Places, Tables

_TOLERANCE = 1e-6
_AT_ONCE = 4000  # unknowns that are solved side by side: larger programmes cost more time an unknown
_PUSHES = 12


@dataclass(frozen=True)
class Unknowns:
    """What the attacker does not know of each of C cells once it is hidden, and how little he may find out.

    `sums` (R, C): for every move m of the hidden cells that he must hold possible, sums @ m = 0. The truth is m = 0,
    and m lies from -down to up. Cells must be able to move `need_down` and `need_up`, and over `need_width` together.
    """

    sums: Any
    down: Floats
    up: Floats
    need_down: Floats
    need_up: Floats
    need_width: Floats

    def lacking(self, cells: Places, down: Floats, up: Floats) -> tuple[Flags, Flags, Flags]:
        """For moves of at most `down` and `up` of these cells: whether down, up and the width are too little."""
        slack = _TOLERANCE * (1 + self.need_width[cells])
        return (
            down < self.need_down[cells] - slack,
            up < self.need_up[cells] - slack,
            down + up < self.need_width[cells] - slack,
        )

    @cached_property
    def by_cell(self) -> Any:
        """`sums` by columns."""
        return self.sums.tocsc()


@dataclass(frozen=True)
class Cuts:
    """Conditions that every safe choice of hidden cells meets: if `cell[k]` is hidden, shares[k] @ hidden >= 1.

    Each is an attack that leaves a cell too little room, written for any choice (Fischetti & Salazar-González 2001).
    `shares` (K, cells that can be published) is sparse.
    """

    shares: Any
    cell: Places

    @staticmethod
    def together(parts: Sequence[Cuts]) -> Cuts:
        """All cuts of the parts, in their order."""
        from scipy.sparse import vstack

        return Cuts(vstack([part.shares for part in parts], format="csr"), np.concatenate([p.cell for p in parts]))


def plain_cuts(tables: Tables, unknowns: Unknowns) -> Cuts:
    """The attacks by a single sum, in closed form: what a cell may be follows from the others of the sum."""
    from scipy.sparse import csr_array

    sums = unknowns.sums.tocoo()
    sought = (sums.col < tables.real) & tables.free[sums.col]
    target, own = sums.col[sought], sums.data[sought]
    tied = unknowns.sums.tocsr()[sums.row[sought]].tocoo()
    other = tied.col != target[tied.row]
    row, column = tied.row[other], tied.col[other]
    slope = -tied.data[other] / own[row]  # what the target moves when this cell moves by one
    down, up = unknowns.down[column], unknowns.up[column]
    rises = np.where(slope > 0, slope * up, -slope * down)
    falls = np.where(slope > 0, slope * down, -slope * up)
    parts = []
    for adds, need in (
        (rises, unknowns.need_up[target]),
        (falls, unknowns.need_down[target]),
        (rises + falls, unknowns.need_width[target]),
    ):
        is_rest = column >= tables.real
        missing = need - np.bincount(row[is_rest], adds[is_rest], minlength=target.size)
        kept = missing > _TOLERANCE
        chosen = kept[row] & ~is_rest
        shares = np.minimum(adds[chosen] / missing[row[chosen]], 1.0)
        number = np.cumsum(kept) - 1
        shape = (int(kept.sum()), tables.real)
        parts.append(Cuts(csr_array((shares, (number[row[chosen]], column[chosen])), shape=shape), target[kept]))
    return Cuts.together(parts)


def room(unknowns: Unknowns, hidden: Flags, cells: Places) -> tuple[Floats, Floats]:
    """Moves down and up (C,) that are surely possible: a quick look that certifies most of `cells`.

    Every programme moves as many cells as it can towards what they still lack; each of its solutions is possible.
    """
    from scipy.optimize import linprog

    down, up = np.zeros(hidden.size), np.zeros(hidden.size)
    places = np.flatnonzero(hidden)
    _, matrix = _concerned(unknowns, places)
    sign = np.where(np.arange(hidden.size) % 2 == 0, 1.0, -1.0)
    for _ in range(_PUSHES):
        short_down, short_up, short_width = unknowns.lacking(cells, down[cells], up[cells])
        short = short_down | short_up | short_width
        if not short.any():
            break
        wanted = cells[short]
        sign[wanted] = np.where(
            short_down[short] == short_up[short], -sign[wanted], np.where(short_up[short], 1.0, -1.0)
        )
        rising = sign[wanted] > 0
        goal = np.where(
            rising,
            np.maximum(unknowns.need_up[wanted], unknowns.need_width[wanted] - down[wanted]),
            np.maximum(unknowns.need_down[wanted], unknowns.need_width[wanted] - up[wanted]),
        )
        low, high, slope = -unknowns.down, unknowns.up.copy(), np.zeros(hidden.size)
        high[wanted[rising]] = np.minimum(high[wanted[rising]], goal[rising])
        low[wanted[~rising]] = np.maximum(low[wanted[~rising]], -goal[~rising])
        slope[wanted] = -sign[wanted] / np.maximum(goal, _TOLERANCE)
        solution = linprog(
            slope[places],
            A_eq=matrix,
            b_eq=np.zeros(matrix.shape[0]),
            bounds=np.column_stack([low[places], high[places]]),
            method="highs",
        )
        if solution.status != 0:
            break
        up[places] = np.maximum(up[places], solution.x)
        down[places] = np.maximum(down[places], -solution.x)
    return down, up


def reach(tables: Tables, unknowns: Unknowns, hidden: Flags, cells: Places) -> tuple[Floats, Floats, list[Cuts]]:
    """How far each of `cells` can move down and up, exactly; and the cuts of those for which that is too little."""
    down, up = np.zeros(cells.size), np.zeros(cells.size)
    cuts: list[Cuts] = []
    sizes = np.bincount(tables.table[hidden], minlength=int(tables.table.max()) + 1)[tables.table[cells]]
    batches = (np.cumsum(sizes) - 1) // _AT_ONCE
    for batch in np.unique(batches):
        chosen = np.flatnonzero(batches == batch)
        here = cells[chosen]
        down[chosen], of_down = _furthest(tables, unknowns, hidden, here, -1.0)
        up[chosen], of_up = _furthest(tables, unknowns, hidden, here, 1.0)
        too_low, too_high, too_narrow = unknowns.lacking(here, down[chosen], up[chosen])
        only_narrow = too_narrow & ~too_low & ~too_high
        cuts += [
            _cuts(tables, here[too_low], of_down[too_low], unknowns.need_down),
            _cuts(tables, here[too_high], of_up[too_high], unknowns.need_up),
            _cuts(tables, here[only_narrow], of_down[only_narrow] + of_up[only_narrow], unknowns.need_width),
        ]
    return down, up, [cut for cut in cuts if cut.cell.size]


def _concerned(unknowns: Unknowns, cells: Places) -> tuple[Places, Any]:
    """The sums that hold any of `cells`: their numbers, and what they hold of these cells."""
    part = unknowns.by_cell[:, cells].tocsr()
    rows = np.flatnonzero(np.diff(part.indptr))
    return rows, part[rows]


def _furthest(tables: Tables, unknowns: Unknowns, hidden: Flags, cells: Places, sign: float) -> tuple[Floats, Any]:
    """The furthest move of N cells in one direction (N,); and what every cell, if hidden, adds to it at most (N, C)."""
    from scipy.optimize import linprog
    from scipy.sparse import block_diag, csr_array

    parts = {}
    for table in np.unique(tables.table[cells]):
        places = np.flatnonzero(hidden & (tables.table == table))
        parts[int(table)] = (places, *_concerned(unknowns, places))
    blocks = [parts[int(table)] for table in tables.table[cells]]
    places = np.concatenate([block[0] for block in blocks])
    owner = np.repeat(np.arange(cells.size), [block[0].size for block in blocks])
    slope = np.where(places == cells[owner], -sign, 0.0)
    matrix = block_diag([block[2] for block in blocks], format="csc")
    solution = linprog(
        slope,
        A_eq=matrix,
        b_eq=np.zeros(matrix.shape[0]),
        bounds=np.column_stack([-unknowns.down[places], unknowns.up[places]]),
        method="highs",
    )
    if solution.status != 0:
        raise ArithmeticError(f"disclosure audit: {solution.message}")
    found: Floats = np.bincount(owner, -slope * solution.x, minlength=cells.size).astype(np.float64)
    # What every cell of the table, if hidden, adds to the move at most: the dual solution, priced for all cells.
    sum_row = np.concatenate([block[1] for block in blocks])
    sum_owner = np.repeat(np.arange(cells.size), [block[1].size for block in blocks])
    shape = (cells.size, unknowns.sums.shape[0])
    prices = csr_array((solution.eqlin.marginals, (sum_owner, sum_row)), shape=shape)
    cost = -(prices @ unknowns.sums) - csr_array(
        (np.full(cells.size, sign), (np.arange(cells.size), cells)), shape=(cells.size, hidden.size)
    )
    return found, cost.maximum(0.0) * unknowns.down + (-cost).maximum(0.0) * unknowns.up


def _cuts(tables: Tables, cells: Places, adds: Any, needs: Floats) -> Cuts:
    """The cuts that say: what the hidden cells add to the room of each of `cells` is at least its need."""
    from scipy.sparse import csr_array

    rests = np.asarray(adds[:, tables.real :].sum(axis=1)).ravel()
    entries = adds[:, : tables.real].tocoo()
    own = entries.col == cells[entries.row]
    missing = needs[cells] - rests - np.bincount(entries.row[own], entries.data[own], minlength=cells.size)
    shares = np.minimum(entries.data / np.maximum(missing, _TOLERANCE)[entries.row], 1.0)
    kept = ~own & (shares > _TOLERANCE)
    places = entries.row[kept], entries.col[kept]
    return Cuts(csr_array((shares[kept], places), shape=(cells.size, tables.real)), cells)
