"""Coherence: whether what is added up belongs together (correlations, Cronbach's alpha, principal components)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from methods.index.aggregate import Array
from methods.index.normalise import moments

_ALIKE = 1e-12  # variance of standardised figures below which they do not differ
_LEAST_ROWS = 3


@dataclass(frozen=True)
class PrincipalComponents:
    """`explained_share` (c,): share of the variance, from high to low. `loadings` (k, c): columns of length 1.

    The sign of a component means nothing; here its largest loading (of equals the first) is positive.
    """

    explained_share: Array
    loadings: Array


def correlations(x: npt.ArrayLike) -> Array:
    """Pearson correlations (k, k) of the columns of x (units, k), each over the units that have both figures.

    COINr's `get_corr` without its test (R: `cor(use = "pairwise.complete.obs")`). NaN for fewer than two such units, or
    where one of the two is the same in all of them.
    """
    covariance, variance = _pairwise(_matrix(x))
    # Of standardised columns: what is left of a column that does not differ is rounding.
    differ = (variance > _ALIKE) & (variance.T > _ALIKE)
    scale = np.sqrt(np.where(differ, variance * variance.T, np.nan))
    return np.clip(covariance / scale, -1.0, 1.0)


def cronbach_alpha(x: npt.ArrayLike, missing: Literal["pairwise", "listwise"] = "pairwise") -> float:
    """Cronbach's alpha of the columns of x (units, k): k^2 times the mean covariance of two, over the sum of all.

    COINr's `get_cronbach`; each covariance is over the units that have both figures, or with `listwise` over those that
    have all (its `use = "complete.obs"`). x as it is: alpha depends on units, so give scores. NaN for a single column,
    or where nothing differs.
    """
    values = _matrix(x)
    if missing == "listwise":
        values = values[~np.isnan(values).any(axis=1)]
    k = values.shape[1]
    scale = _deviations(values)
    covariance = _pairwise(values)[0] * np.outer(scale, scale)
    total = np.nansum(covariance)
    if k < 2 or not total:
        return np.nan
    between = (total - np.nansum(np.diag(covariance))) / (k * (k - 1))
    return float(k**2 * between / total)


def principal_components(x: npt.ArrayLike) -> PrincipalComponents:
    """Principal components of the standardised columns of x (units, k), over the units without a missing figure.

    COINr's `get_PCA` (R: `prcomp(center = TRUE, scale = TRUE)`), but for the sign. Raises ValueError for fewer than two
    columns, fewer than three units, or a column that is the same everywhere.
    """
    from sklearn.decomposition import PCA

    values = _matrix(x)
    complete = values[~np.isnan(values).any(axis=1)]
    if values.shape[1] < 2 or len(complete) < _LEAST_ROWS:
        raise ValueError(
            f"principal components need two columns and {_LEAST_ROWS} units without a missing figure, found "
            f"{values.shape[1]} and {len(complete)}"
        )
    if (alike := np.ptp(complete, axis=0) == 0).any():
        raise ValueError(f"a column of which all figures are alike has no principal component: {np.flatnonzero(alike)}")
    fitted = PCA(svd_solver="full").fit((complete - complete.mean(axis=0)) / complete.std(axis=0, ddof=1))
    loadings = fitted.components_.T
    size = np.abs(loadings)
    leading = np.argmax(size >= size.max(axis=0) - 1e-9, axis=0)
    signs = np.sign(loadings[leading, np.arange(loadings.shape[1])])
    return PrincipalComponents(fitted.explained_variance_ratio_, loadings * signs)


def _pairwise(values: Array) -> tuple[Array, Array]:
    """Covariance (k, k) of standardised columns over the units that have both, and the variance of the first of them.

    Columns are standardised first, which costs no accuracy later: sums of squares are then not far from n.
    """
    present = ~np.isnan(values)
    scale = _deviations(values)
    centre = np.array([moments(column)[0] for column in values.T])
    standardised = np.where(present, (values - centre) / np.where(scale > 0, scale, 1.0), 0.0)
    counted = present.astype(float)
    both = counted.T @ counted
    n = np.where(both > 1, both, np.nan)
    sums = standardised.T @ counted
    covariance = (standardised.T @ standardised - sums * sums.T / n) / (n - 1)
    variance = ((standardised**2).T @ counted - sums**2 / n) / (n - 1)
    return covariance, variance


def _deviations(values: Array) -> Array:
    return np.array([moments(column)[1] for column in values.T])


def _matrix(x: npt.ArrayLike) -> Array:
    values = np.asarray(x, dtype=float)
    if values.ndim != 2:
        raise ValueError(f"a table of units by columns is expected, found an array of shape {values.shape}")
    return values
