"""Weighted means over the last axis: what is missing (NaN) is left out and the other weights count for more.

They are one family, the generalised (power) mean (sum of w x^p / sum of w)^(1/p): the lower p, the less a high score
makes up for a low one. p = 1 is the arithmetic, 0 (as a limit) the geometric and -1 the harmonic mean.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def arithmetic_mean(x: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> Array:
    """Weighted arithmetic mean over the last axis (COINr `a_amean`)."""
    return generalised_mean(x, weights, power=1)


def geometric_mean(x: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> Array:
    """Weighted geometric mean over the last axis (COINr `a_gmean`). ValueError unless all of x lies above 0."""
    return generalised_mean(x, weights, power=0)


def harmonic_mean(x: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> Array:
    """Weighted harmonic mean over the last axis (COINr `a_hmean`). ValueError unless all of x lies above 0."""
    return generalised_mean(x, weights, power=-1)


def generalised_mean(x: npt.ArrayLike, weights: npt.ArrayLike | None = None, power: float = 1.0) -> Array:
    """Weighted generalised mean of order `power` over the last axis (COINr `a_genmean`).

    `weights` broadcasts to x (equal where None) and need not add up to 1. NaN where nothing has a weight above 0.
    ValueError for a weight that is negative or not a number and, unless `power` is 1, for x of 0 or below.
    """
    values = np.asarray(x, dtype=float)
    shares = np.ones(values.shape[-1]) if weights is None else np.asarray(weights, dtype=float)
    if not (shares >= 0).all():
        raise ValueError(f"weights must be 0 or above, found {shares[~(shares >= 0)][0]}")
    if power != 1 and (values <= 0).any():
        raise ValueError(f"a mean of order {power:g} needs figures above 0, found {values[values <= 0][0]:g}")
    return grouped_means(values, shares, np.ones((values.shape[-1], 1)), power)[..., 0]


def grouped_means(x: Array, weights: Array, members: Array, power: float) -> Array:
    """Means of order `power` of groups of columns: (..., k) figures and (k, g) memberships of 0 and 1 to (..., g).

    For many draws at once, so nothing is checked: x above 0 unless `power` is 1, weights of 0 or above that broadcast
    to x. NaN is left out; NaN for a group in which nothing is left with a weight above 0.
    """
    powered = _powered(x, power)
    absent = np.isnan(x)
    if absent.any():
        powered = np.where(absent, 0.0, powered)
        weights = np.where(absent, 0.0, weights)
    total = weights @ members
    means = ((weights * powered) @ members) / np.where(total > 0, total, np.nan)
    return np.exp(means) if power == 0 else _powered(means, 1 / power)


def _powered(x: Array, power: float) -> Array:
    if power == 1:
        return x
    return np.log(x) if power == 0 else 1 / x if power == -1 else x**power
