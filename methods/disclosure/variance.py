"""What published standard errors tell about hidden cells: variances add up as numbers do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from methods.disclosure.attack import Cuts, Unknowns
from methods.disclosure.tables import Flags, Floats, Places, Tables

# The design effect of a hidden cell, as an attacker supposes it to be.
LEAST_EFFECT, LARGEST_EFFECT = 0.8, 2.5
_TOLERANCE = 1e-6
_HALVINGS = 40


def variance_cuts(tables: Tables, unknowns: Unknowns, hidden: Flags, cells: Places) -> Cuts:
    """The attacks by the variance of a published whole, and what must be hidden beside.

    The attacker knows what variance the hidden parts of the whole have together, and the respondents of each; a part's
    own is p (1 - p) deff / n, with a design effect in the range above. Where that leaves one of `cells` less room than
    it needs, one more cell of the sum must be hidden.
    """
    from scipy.sparse import csr_array

    attack = _Attack.of(tables, hidden, cells)
    target = attack.target
    down, up, width = unknowns.need_down[target], unknowns.need_up[target], unknowns.need_width[target]
    own_sake = down + up > 0
    lower, upper = (
        attack.allows(tables, np.where(own_sake, own, sign * width)) for own, sign in ((-down, -1), (up, 1))
    )
    around = attack.allows(tables, -width / 2) & attack.allows(tables, width / 2)
    weak = np.flatnonzero(~np.where(own_sake, lower & upper, lower | upper | around))
    beside = abs(tables.sums.tocsr()[attack.row[weak]])[:, : tables.real].tocoo()
    chosen = ~hidden[beside.col] & tables.free[beside.col]
    places = beside.row[chosen], beside.col[chosen]
    return Cuts(csr_array((np.ones(chosen.sum()), places), shape=(weak.size, tables.real)), target[weak])


@dataclass(frozen=True)
class _Attack:
    """Q pairs of a sum with a published whole (`row`) and a hidden part of it (`target`).

    Flat lists of the other hidden parts of each: their pair (`pair`) and cell (`other`).
    """

    row: Places
    target: Places
    pair: Places
    other: Places

    @staticmethod
    def of(tables: Tables, hidden: Flags, cells: Places) -> _Attack:
        unknown = (hidden & tables.free) | tables.is_rest
        entries = tables.sums.tocoo()
        wholes = np.zeros(tables.sums.shape[0], dtype=bool)
        wholes[entries.row[(entries.data < 0) & ~hidden[entries.col]]] = True
        part = (entries.data > 0) & unknown[entries.col] & wholes[entries.row]
        order = np.argsort(entries.row[part], kind="stable")
        row, cell = entries.row[part][order], entries.col[part][order]
        sought = np.flatnonzero(np.isin(cell, cells))
        first, after = np.searchsorted(row, row[sought]), np.searchsorted(row, row[sought], side="right")
        sizes = after - first
        pair = np.repeat(np.arange(sought.size), sizes)
        place = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes) + first[pair]
        is_other = place != sought[pair]
        return _Attack(row[sought], cell[sought], pair[is_other], cell[place[is_other]])

    def allows(self, tables: Tables, move: Floats) -> Flags:
        """Whether the variances allow each target to have `move` (Q,) more satisfied respondents."""
        share = np.clip(tables.counted / np.maximum(tables.n, 1.0), 0.0, 1.0)
        inhabitants, other, pair = tables.weight * tables.n, self.other, self.pair
        scale = tables.weight**2 * tables.n  # variance of the number of inhabitants, by p (1 - p) deff
        least, largest = np.minimum(LEAST_EFFECT, tables.effect), np.maximum(LARGEST_EFFECT, tables.effect)

        def summed(numbers: Floats) -> Floats:
            return np.bincount(pair, numbers, minlength=self.target.size).astype(np.float64)

        true = scale * share * (1 - share) * tables.effect
        together = true[self.target] + summed(true[other])
        moved = np.clip(share[self.target] + move / np.maximum(tables.n[self.target], 1.0), 0.0, 1.0)
        left = summed((inhabitants * share)[other]) - inhabitants[self.target] * (moved - share[self.target])
        own = scale[self.target] * moved * (1 - moved)
        smallest = np.full(self.target.size, np.inf)
        for reverse in (False, True):
            unequal = self._unequal(inhabitants[other], left, reverse=reverse)
            smallest = np.minimum(smallest, summed((least * scale)[other] * unequal * (1 - unequal)))
        even = self._even(tables.weight[other], inhabitants[other], left)
        most = summed((largest * scale)[other] * even * (1 - even))
        low, high = least[self.target] * own + smallest, largest[self.target] * own + most
        return np.asarray((low <= together * (1 + _TOLERANCE)) & (high >= together * (1 - _TOLERANCE)))

    def _unequal(self, inhabitants: Floats, left: Floats, *, reverse: bool) -> Floats:
        """Shares of the other parts, with `left` (Q,) satisfied together, as far from each other as can be."""
        sums = np.concatenate([[0.0], np.cumsum(inhabitants)])
        first = np.searchsorted(self.pair, np.arange(left.size))[self.pair]
        after = np.searchsorted(self.pair, np.arange(left.size), side="right")[self.pair]
        place = np.arange(self.pair.size)
        before = sums[after] - sums[place + 1] if reverse else sums[place] - sums[first]
        return np.asarray(np.clip((left[self.pair] - before) / inhabitants, 0.0, 1.0))

    def _even(self, weight: Floats, inhabitants: Floats, left: Floats) -> Floats:
        """Shares of the other parts, with `left` (Q,) satisfied together, whose variance is the largest.

        By Lagrange: 1/2 - price / weight, and the price that makes them add up by bisection.
        """
        low = np.full(left.size, -weight.max(initial=1.0))
        high = -low
        for _ in range(_HALVINGS):
            price = (low + high) / 2
            share = np.clip(0.5 - price[self.pair] / weight, 0.0, 1.0)
            too_many = np.bincount(self.pair, inhabitants * share, minlength=left.size) > left
            low, high = np.where(too_many, price, low), np.where(too_many, high, price)
        return np.asarray(np.clip(0.5 - ((low + high) / 2)[self.pair] / weight, 0.0, 1.0))
