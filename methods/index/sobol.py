"""Which input of a function explains how much of the variance of what comes out: Sobol's indices.

The first-order index of an input is the share of the variance that it explains alone, the total one the share that it
explains together with the others (Sobol 1993; Homma & Saltelli 1996). Inputs are independent and uniform on 0-1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from methods.index.aggregate import Array


@dataclass(frozen=True)
class Indices:
    """Indices of each output for each input (outputs, inputs), with intervals (..., 2), and the outputs' means.

    NaN for an output that does not vary. Estimates can lie a little below 0 or above 1.
    """

    first_order: Array
    first_order_ci: Array
    total_order: Array
    total_order_ci: Array
    mean: Array


def sobol_points(dimensions: int, count: int, rng: np.random.Generator) -> Array:
    """The first `count` points (count, dimensions) of a scrambled Sobol sequence in [0, 1)."""
    from scipy.stats import qmc  # heavy: only where something is drawn

    sequence = qmc.Sobol(dimensions, scramble=True, rng=rng)
    return np.asarray(sequence.random_base2((count - 1).bit_length())[:count])


def indices(
    function: Callable[[Array], Array], inputs: int, base: int, seed: int, resamples: int = 500, level: float = 0.95
) -> Indices:
    """Sobol's indices of a function that turns (m, inputs) points into (m, outputs) values.

    Saltelli's design: two samples A and B of `base` points (a power of two), and for every input the points of A with
    that input from B: base x (inputs + 2) points, all in one call.
    """
    if base < 2 or base & (base - 1):
        raise ValueError(f"the base sample must be a power of two, found {base}")
    rng = np.random.default_rng(seed)
    points = sobol_points(2 * inputs, base, rng)
    a, b = points[:, :inputs], points[:, inputs:]
    mixed = np.repeat(a[None], inputs, axis=0)
    for column in range(inputs):
        mixed[column, :, column] = b[:, column]
    values = np.asarray(function(np.concatenate([a, b, *mixed]))).reshape(inputs + 2, base, -1)
    return estimates(values, rng, resamples, level)


def estimates(values: Array, rng: np.random.Generator, resamples: int = 500, level: float = 0.95) -> Indices:
    """Sobol's indices from values (2 + inputs, base, outputs) at A, at B, and at A with each input in turn from B.

    Estimators that Saltelli et al. (2010, Computer Physics Communications 181, table 2: b and f) recommend, their own
    of the first order and Jansen's (1999) of the total, as in scipy: an input without influence gets 0 exactly.
    Intervals: percentile bootstrap over the `base` rows.
    """
    inputs, base, outputs = len(values) - 2, *values.shape[1:]
    found = np.full((outputs, 2, inputs), np.nan)
    intervals = np.full((outputs, 2, inputs, 2), np.nan)
    counts = rng.multinomial(base, np.full(base, 1 / base), size=resamples).astype(float)
    for output in np.flatnonzero(np.ptp(values[:2], axis=(0, 1)) > 0):
        parts = _parts(values[..., output])
        found[output] = _shares(parts.mean(axis=0)[None])[0]
        resampled = _shares(counts @ parts / base)
        intervals[output] = np.moveaxis(np.nanquantile(resampled, [(1 - level) / 2, (1 + level) / 2], axis=0), 0, -1)
    return Indices(found[:, 0], intervals[:, 0], found[:, 1], intervals[:, 1], values[:2].mean(axis=(0, 1)))


def _parts(values: Array) -> Array:
    """What the estimators are means of, row by row (base, 2 + 2 x inputs), from the values at A, B and the mixed."""
    a, b, mixed = values[0], values[1], values[2:]
    a, b, mixed = (part - values[:2].mean() for part in (a, b, mixed))  # or a large mean would drown the variance
    return np.column_stack([(a + b) / 2, (a**2 + b**2) / 2, *(b * (mixed - a)), *((a - mixed) ** 2 / 2)])


def _shares(means: Array) -> Array:
    """First-order and total indices (m, 2, inputs) of means (m, 2 + 2 x inputs); NaN where nothing varies."""
    variance = means[:, 1] - means[:, 0] ** 2
    shares = means[:, 2:] / np.where(variance > 0, variance, np.nan)[:, None]
    return shares.reshape(len(means), 2, -1)
