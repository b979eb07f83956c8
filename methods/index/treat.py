"""Outliers: one extreme municipality must not set the scale on which all others are scored (COINr's `Treat`)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from catalog.analysis_model import OutlierTreatment
from methods.index.aggregate import Array
from methods.index.normalise import extremes

_LEAST_FIGURES = 4  # for a kurtosis


@dataclass(frozen=True)
class Treated:
    """Figures after winsorisation, the lowest and highest of them (NaN without figures), and how many were changed."""

    values: Array
    low: float
    high: float
    count: int


def skewness(x: npt.ArrayLike) -> float:
    """Sample skewness G1 (COINr `skew`, type 2 of R's e1071); NaN below 3 figures or where all are alike."""
    values = _present(x)
    n = len(values)
    if n < 3 or np.ptp(values) == 0:
        return np.nan
    deviations = values - values.mean()
    biased = np.sqrt(n) * (deviations**3).sum() / (deviations**2).sum() ** 1.5
    return float(biased * np.sqrt(n * (n - 1)) / (n - 2))


def kurtosis(x: npt.ArrayLike) -> float:
    """Sample excess kurtosis G2 (COINr `kurt`, type 2 of e1071); NaN below 4 figures or where all are alike."""
    values = _present(x)
    n = len(values)
    if n < _LEAST_FIGURES or np.ptp(values) == 0:
        return np.nan
    deviations = values - values.mean()
    biased = n * (deviations**4).sum() / (deviations**2).sum() ** 2
    return float(((n + 1) * (biased - 3) + 6) * (n - 1) / ((n - 2) * (n - 3)))


def has_outliers(x: npt.ArrayLike, settings: OutlierTreatment) -> bool:
    """Whether figures are both skewed and heavy-tailed (COINr: `check_SkewKurt` does not pass); no where unknown."""
    return abs(skewness(x)) >= settings.skewness and kurtosis(x) >= settings.kurtosis


def winsorise(x: npt.ArrayLike, settings: OutlierTreatment) -> Treated:
    """The most extreme figure becomes the next one, again and again while there are outliers (COINr `winsorise`).

    At the high end where skewness is positive, else at the low end; equal figures together, so that at most
    `settings.maximum` are changed but for ties. Unlike COINr, which stops with an error there, it never makes all
    figures alike: with two different figures left it ends. NaN stays NaN.
    """
    values = np.array(x, dtype=float)
    changed = {end: np.zeros(values.shape, dtype=bool) for end in ("high", "low")}
    count = 0
    while count < settings.maximum and has_outliers(values, settings):
        distinct = np.unique(_present(values))
        if len(distinct) == 2:
            break
        end = "high" if skewness(values) >= 0 else "low"
        extreme, following = distinct[[-1, -2]] if end == "high" else distinct[[0, 1]]
        # Figures changed before lie on the extreme by now, so these are all that were changed at this end.
        changed[end] = values == extreme
        values[changed[end]] = following
        count = sum(int(where.sum()) for where in changed.values())
    return Treated(values, *extremes(values), count)


def log_shift(x: npt.ArrayLike) -> Array:
    """ln(x - lowest + 0.01 (highest - lowest)) (COINr `log_CT`); NaN where all figures are alike."""
    values = np.asarray(x, dtype=float)
    low, high = extremes(values)
    if not high > low:
        return np.full(values.shape, np.nan)
    return np.log(values - low + 0.01 * (high - low))


def treat(x: npt.ArrayLike, settings: OutlierTreatment) -> Array:
    """Figures winsorised or, where that leaves outliers, the figures as they were but logged (COINr `Treat`)."""
    winsorised = winsorise(x, settings).values
    return log_shift(x) if has_outliers(winsorised, settings) else winsorised


def _present(x: npt.ArrayLike) -> Array:
    values = np.asarray(x, dtype=float)
    present: Array = values[~np.isnan(values)]
    return present
