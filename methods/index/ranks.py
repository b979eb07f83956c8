"""Ranks of units by their scores, which ranks sampling error does not rule out, and who is ahead of whom.

A rank is 1 for the highest, most favourable score. Equal scores share the best of their places (1, 2, 2, 4), and a
unit without a score (NaN) has no rank and is not among those that others are ranked with. Scores go in unrounded.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from methods.index.aggregate import Array


def ranks(scores: Array) -> Array:
    """Ranks (..., units) of scores (..., units) along the last axis: 1 + the number of higher scores; NaN stays NaN."""
    scores = np.asarray(scores, dtype=float)
    order = np.argsort(-scores, axis=-1)
    descending = np.take_along_axis(scores, order, axis=-1)
    places = np.broadcast_to(np.arange(scores.shape[-1]), scores.shape).copy()
    places[..., 1:][descending[..., 1:] == descending[..., :-1]] = 0  # a tie takes the place before it
    np.maximum.accumulate(places, axis=-1, out=places)
    found = np.empty(scores.shape)
    np.put_along_axis(found, order, places + 1.0, axis=-1)
    found[np.isnan(scores)] = np.nan
    return found


def rank_intervals(estimates: Array, standard_errors: Array, level: float = 0.95) -> tuple[Array, Array]:
    """Best and worst rank (units) that sampling error leaves open, for all units at once.

    All m = n (n - 1) / 2 pairs of the n units with an estimate are compared by two-sided z-tests at (1 - level) / m
    (Bonferroni), for independent estimates. A unit's best rank is 1 + the number of units demonstrably above it, its
    worst is n - the number demonstrably below it. With a chance of at least `level` no pair is put in the wrong order,
    and then the true rank of every unit lies in its interval, also where truths are equal: then all the ranks that the
    equal units could have. (Klein, Wright & Wieczorek 2020, JRSS A 183: joint confidence region of an overall ranking;
    Mogstad, Romano, Shaikh & Wilhelm 2024, Review of Economic Studies 91: by pairwise differences.)

    `standard_errors` (units) are 0 for exact figures. One that is not known (NaN) leaves all pairs with that unit open,
    so that no stated coverage can be promised: then no unit has an interval. NaN stands for no interval.
    """
    from scipy.special import ndtri  # heavy: only where it is used

    estimates, standard_errors = np.asarray(estimates, dtype=float), np.asarray(standard_errors, dtype=float)
    if estimates.ndim != 1 or estimates.shape != standard_errors.shape:
        raise ValueError(f"expected two vectors of one length, found {estimates.shape} and {standard_errors.shape}")
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, found {level}")
    low, high = np.full(estimates.shape, np.nan), np.full(estimates.shape, np.nan)
    ranked = ~np.isnan(estimates)
    errors, n = standard_errors[ranked], int(ranked.sum())
    if n == 0 or np.isnan(errors).any():
        return low, high
    if (errors < 0).any():
        raise ValueError("standard errors must be 0 or more")
    critical = -ndtri((1 - level) / max(n * (n - 1), 1))  # two sides of n (n - 1) / 2 pairs
    difference = estimates[ranked][:, None] - estimates[ranked]
    above = difference > critical * np.hypot(errors[:, None], errors)
    low[ranked], high[ranked] = 1 + above.sum(axis=0), n - above.sum(axis=1)
    return low, high


def ahead_shares(draws: Array) -> Array:
    """In which percentage of draws (draws, units) each unit has a higher score than each other; (units, units).

    Element [i, j] is about i ahead of j; equal scores count half, so that [i, j] and [j, i] add up to 100. A pair
    counts the draws in which both have a score, and is NaN where there are none.
    """
    won = wins(draws)
    with np.errstate(invalid="ignore"):
        return np.asarray(100 * won / (won + won.T))


def wins(draws: Array) -> npt.NDArray[np.int64]:
    """Points (units, units) of each unit against each other: in every draw (draws, units) 2 if ahead, 1 if equal."""
    draws = np.asarray(draws, dtype=float)
    return np.array([(one[:, None] > draws).sum(axis=0) + (one[:, None] >= draws).sum(axis=0) for one in draws.T])
