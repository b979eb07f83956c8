"""Ways to bring the figures of one indicator onto a common scale: reference functions on one vector of units.

Each equals the function of COINr 1.1.14 that its docstring names. What is missing (NaN) stays missing and does not
count. Where a scale has no length (all figures alike, or none) every score is NaN: there is nothing to tell units apart
by. High figures score high; only `goalposts` can turn a scale round, for others give -x where low is favourable.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from methods.index.aggregate import Array


def min_max(x: npt.ArrayLike, low: float = 0.0, high: float = 100.0) -> Array:
    """The lowest figure becomes `low`, the highest `high`, those between in proportion (`n_minmax`)."""
    values = _vector(x)
    least, most = extremes(values)
    return (values - least) / _length(most - least) * (high - low) + low


def z_score(x: npt.ArrayLike, mean: float = 0.0, sd: float = 1.0) -> Array:
    """Shifted and stretched to this mean and this sample standard deviation (`n_zscore`)."""
    values = _vector(x)
    centre, deviation = moments(values)
    return (values - centre) / _length(deviation) * sd + mean


def scaled(x: npt.ArrayLike, low: float, high: float) -> Array:
    """`low` becomes 0 and `high` 100, whether or not figures lie between them (`n_scaled`)."""
    return (_vector(x) - low) / _length(high - low) * 100


def rank(x: npt.ArrayLike) -> Array:
    """Rank from 1, the lowest; equal figures share the mean of their ranks (`n_rank`)."""
    return _ranked(x, "average")


def borda(x: npt.ArrayLike) -> Array:
    """How many figures are lower (`n_borda`)."""
    return _ranked(x, "min") - 1


def percentile_rank(x: npt.ArrayLike) -> Array:
    """Share (0-1) of the other figures that are lower (`n_prank`); NaN for a single figure."""
    lower = borda(x)
    return lower / _length(np.isfinite(lower).sum() - 1)


def distance_to_max(x: npt.ArrayLike) -> Array:
    """1 less the distance from the highest figure, as a share of the range (`n_dist2max`)."""
    values = _vector(x)
    return distance_to_reference(values, extremes(values)[1])


def distance_to_reference(x: npt.ArrayLike, reference: float) -> Array:
    """1 less the distance below `reference`, as a share of its distance from the lowest figure; can pass 1.

    `n_dist2ref` where `reference` is the figure of one unit, `n_dist2targ` where it is a target.
    """
    values = _vector(x)
    return 1 - (reference - values) / _length(reference - extremes(values)[0])


def fraction_of_max(x: npt.ArrayLike) -> Array:
    """The figure as a share of the highest one (`n_fracmax`)."""
    values = _vector(x)
    return values / _length(extremes(values)[1])


def goalposts(x: npt.ArrayLike, low: float, high: float, scale: float = 100.0, polarity: int = 1) -> Array:
    """From 0 at `low` to `scale` at `high`, and no further at either end; round the other way for a polarity of -1.

    `n_goalposts` with the posts (low, high, scale); `x` and the posts are as measured for either polarity, where COINr
    takes figures that were multiplied by -1 already.
    """
    if polarity not in (-1, 1):
        raise ValueError(f"polarity must be 1 or -1, found {polarity}")
    if high < low:
        raise ValueError(f"the low goalpost must not lie above the high one, found {low} and {high}")
    start = low if polarity == 1 else high
    return np.clip(polarity * (_vector(x) - start) / _length(high - low), 0.0, 1.0) * scale


def extremes(values: Array) -> tuple[float, float]:
    """Lowest and highest figure; NaN where there is none."""
    present = values[~np.isnan(values)]
    return (float(present.min()), float(present.max())) if len(present) else (np.nan, np.nan)


def moments(values: Array) -> tuple[float, float]:
    """Mean and sample standard deviation (n - 1), exactly 0 where all figures are alike; NaN where there is none."""
    present = values[~np.isnan(values)]
    if not len(present):
        return np.nan, np.nan
    return float(present.mean()), float(present.std(ddof=1)) if np.ptp(present) > 0 else 0.0


def _vector(x: npt.ArrayLike) -> Array:
    values = np.asarray(x, dtype=float)
    if values.ndim != 1:
        raise ValueError(f"figures of one indicator are expected, found an array of shape {values.shape}")
    return values


def _length(length: float) -> float:
    """A length to divide by: NaN instead of 0."""
    return length if length != 0 else np.nan


def _ranked(x: npt.ArrayLike, ties: str) -> Array:
    from scipy.stats import rankdata

    return np.asarray(rankdata(_vector(x), method=ties, nan_policy="omit"), dtype=float)
