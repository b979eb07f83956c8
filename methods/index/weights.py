"""Weights: taken from the data by principal components, and what weights really come to."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from methods.index.aggregate import Array, arithmetic_mean
from methods.index.coherence import principal_components
from methods.index.composite import Composite


def pca_weights(x: npt.ArrayLike) -> Array:
    """Weights (k,) of at least 0 that add up to 1, in proportion to the loadings on the first principal component.

    `x` (units, k) as for `principal_components`, which raises ValueError where there is none. The size of the loading
    counts, not its sign, as a weight cannot be negative: where all loadings have the same sign, which is where such a
    weight has a meaning, these are the weights of COINr's `get_PCA`.
    """
    loadings = np.abs(principal_components(x).loadings[:, 0])
    return np.asarray(loadings / loadings.sum())


def effective_weights(x: npt.ArrayLike, weights: npt.ArrayLike) -> Array:
    """Share (k,) of the variance of the weighted arithmetic mean that comes from each column of x (units, k).

    w cov(x, score) / var(score), which add up to 1 (Wang & Stanley 1970, doi 10.3102/00346543040005663); next to equal
    weights they show which column decides the ranking (Becker et al. 2017, doi 10.1016/j.ecolind.2017.03.056). Not
    COINr's `get_eff_weights`: that is `overall_weights`. Units without a missing figure count; NaN where the mean of
    all of them is the same, or with fewer than two.
    """
    values = np.asarray(x, dtype=float)
    shares = np.broadcast_to(np.asarray(weights, dtype=float), values.shape[1:])
    complete = values[~np.isnan(values).any(axis=1)]
    if len(complete) < 2:
        return np.full(values.shape[1], np.nan)
    score = arithmetic_mean(complete, shares)
    if np.ptp(score) == 0:
        return np.full(values.shape[1], np.nan)
    centred = score - score.mean()
    covariances = centred @ (complete - complete.mean(axis=0))
    return np.asarray(shares / shares.sum() * covariances / (centred @ centred))


def overall_weights(composite: Composite) -> Array:
    """Weight (k,) of each indicator in the overall score: in its theme, times that of the theme (`get_eff_weights`)."""
    within = composite.weights / (composite.members.T @ composite.weights)[composite.theme_of]
    themes = composite.theme_weights / composite.theme_weights.sum()
    return np.asarray(within * themes[composite.theme_of])
