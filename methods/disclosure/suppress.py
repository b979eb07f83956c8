"""Which further cells must be hidden so that those hidden for their own sake cannot be worked out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from methods.disclosure.attack import Cuts, Unknowns, plain_cuts, reach, room
from methods.disclosure.tables import Flags, Floats, Places, Tables
from methods.disclosure.variance import variance_cuts

_ROUNDS = 60
_GAP = 0.05  # where three breakdowns are decided together
_NODES = 20_000  # where the search for the cheapest set ends; time would make the answer depend on the machine


@dataclass(frozen=True)
class Decisions:
    """What is decided: whether cells are hidden, those of a family of variables together.

    `of_cell` (real cells,) is the decision about each; the others are (D,): `part` numbers family, year and breakdown,
    `table` family and year; `is_total` marks those of everyone, `required` what must be hidden, `cost` what is lost.
    """

    of_cell: Places
    part: Places
    table: Places
    is_total: Flags
    required: Flags
    cost: Floats

    def hidden(self, chosen: Flags, tables: Tables) -> Flags:
        """The cells (C,) that are hidden by the chosen decisions."""
        return tables.with_rests(chosen[self.of_cell])

    def cuts(self, cuts: Cuts) -> Cuts:
        """Conditions on cells as conditions on decisions: within a condition no two cells share one."""
        from scipy.sparse import csr_array

        cells = np.arange(self.of_cell.size)
        shape = (self.of_cell.size, self.part.size)
        to_decision = csr_array((np.ones(cells.size), (cells, self.of_cell)), shape=shape)
        return Cuts((cuts.shares @ to_decision).tocsr(), self.of_cell[cuts.cell])


def complementary(tables: Tables, attacks: Sequence[Unknowns], decisions: Decisions) -> Flags:
    """The cheapest decisions that hold the required ones and withstand all `attacks`, as hidden cells (C,).

    Solve, attack, add what the attacks found as cuts, and solve again until no attack on numbers succeeds. Then hide
    what variances ask for besides, keep what is hidden, and begin again until they ask for nothing. Each breakdown is
    solved by itself as long as no total must be hidden, else all of the family and year together. Where no set
    withstands, everything of the family and year is hidden.
    """
    chosen = decisions.required.copy()
    required = decisions.required.copy()
    cuts = decisions.cuts(Cuts.together([plain_cuts(tables, attack) for attack in attacks]))
    joint = np.zeros(decisions.table.max(initial=0) + 1, dtype=bool)  # families and years solved as a whole
    unsettled = np.flatnonzero(required)
    for _ in range(_ROUNDS):
        joint[decisions.table[required & decisions.is_total]] = True
        for part in np.unique(decisions.part[unsettled]):
            places = np.flatnonzero(decisions.part == part)
            table = decisions.table[places[0]]
            if not joint[table]:
                found = _cheapest(places, decisions.cost, required, cuts)
                joint[table] = found is None
                chosen[places] = required[places] if found is None else found
        for table in np.unique(decisions.table[unsettled]):
            if joint[table]:
                places = np.flatnonzero(decisions.table == table)
                found = _cheapest(places, decisions.cost, required, cuts, _GAP)
                chosen[places] = True if found is None else found
        hidden = decisions.hidden(chosen, tables)
        concerned = np.isin(decisions.table[decisions.of_cell], decisions.table[unsettled])
        among = np.unique(tables.table[: tables.real][concerned])
        if weak := _weak_numbers(tables, attacks, *_watched(tables, hidden, among)):
            cuts = Cuts.together([cuts, *map(decisions.cuts, weak)])
            unsettled = np.unique(np.concatenate([decisions.of_cell[cut.cell] for cut in weak]))
            continue
        beside = _beside(tables, attacks[0], decisions, chosen, among)
        if not beside.any():
            return hidden
        unsettled = np.flatnonzero(beside)
        required |= beside | (chosen & np.isin(decisions.table, decisions.table[unsettled]))
    chosen |= np.isin(decisions.table, decisions.table[unsettled])
    return decisions.hidden(chosen, tables)


def weaknesses(tables: Tables, attacks: Sequence[Unknowns], hidden: Flags, among: Places) -> list[Cuts]:
    """What is too little protected in the tables `among`; nothing is where everything is hidden."""
    unknown, cells = _watched(tables, hidden, among)
    found = _weak_numbers(tables, attacks, unknown, cells)
    by_variance = variance_cuts(tables, attacks[0], hidden, cells)
    return [*found, by_variance] if by_variance.cell.size else found


def _watched(tables: Tables, hidden: Flags, among: Places) -> tuple[Flags, Places]:
    """What an attacker does not know of the tables `among` that are published in part, and the cells he is after."""
    partly = np.intersect1d(among, tables.table[: tables.real][~hidden[: tables.real]])
    watched = np.isin(tables.table, partly)
    return watched & (hidden | tables.is_rest), np.flatnonzero(watched & hidden & tables.free)


def _weak_numbers(tables: Tables, attacks: Sequence[Unknowns], unknown: Flags, cells: Places) -> list[Cuts]:
    """The attacks by sums of numbers that succeed."""
    found: list[Cuts] = []
    for attack in attacks:
        down, up = room(attack, unknown, cells)
        doubtful = cells[np.logical_or.reduce(attack.lacking(cells, down[cells], up[cells]))]
        found += reach(tables, attack, unknown, doubtful)[2]
    return found


def _beside(tables: Tables, attack: Unknowns, decisions: Decisions, chosen: Flags, among: Places) -> Flags:
    """The decisions (D,) that variances ask for besides: of every sum that tells too much the cheapest, in turn."""
    added = np.zeros(chosen.size, dtype=bool)
    while True:
        hidden = decisions.hidden(chosen | added, tables)
        asked = decisions.cuts(variance_cuts(tables, attack, hidden, _watched(tables, hidden, among)[1]))
        if not asked.cell.size:
            return added
        before = added.copy()
        for row, cell in enumerate(asked.cell):
            candidates = asked.shares.indices[asked.shares.indptr[row] : asked.shares.indptr[row + 1]]
            if not candidates.size:
                added |= decisions.table == decisions.table[cell]
            elif not (added & ~before)[candidates].any():
                added[candidates[np.argmin(decisions.cost[candidates])]] = True


def _cheapest(places: Places, cost: Floats, required: Flags, cuts: Cuts, gap: float = 0.0) -> Flags | None:
    """The cheapest choice among `places` that meets their cuts while all else is published; None if there is none.

    With a `gap` one that may cost that part more than the cheapest: protected as well, and found much sooner.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_array

    place = np.full(cost.size, -1)
    place[places] = np.arange(places.size)
    rows = np.flatnonzero(place[cuts.cell] >= 0)
    own = csr_array((np.ones(rows.size), (np.arange(rows.size), place[cuts.cell[rows]])), (rows.size, places.size))
    solution = milp(
        cost[places],
        integrality=np.ones(places.size),
        bounds=Bounds(required[places].astype(float), 1.0),
        constraints=LinearConstraint(cuts.shares[rows][:, places] - own, 0.0, np.inf),
        options={"node_limit": _NODES, "mip_rel_gap": gap},
    )
    return None if solution.x is None else np.asarray(solution.x > 0.5)
