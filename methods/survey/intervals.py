"""Confidence intervals of shares (0-1) from their standard errors (R `svyciprop`)."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from methods.survey.design import Array, Mask, SurveyError

ShareInterval = Literal["logit", "xlogit", "beta", "asin", "mean", "likelihood"]

_PROFILE_STEPS = 10
_VALUES_PER_STEP = 3
_FISHER_STEPS, _CONVERGED = 25, 1e-8  # R's `glm.control`


def share_interval(
    estimate: ArrayLike,
    standard_error: ArrayLike,
    degrees_of_freedom: ArrayLike,
    n: ArrayLike,
    interval: ShareInterval = "logit",
    level: float = 0.95,
    effective_n: ArrayLike | None = None,
    information: ArrayLike | None = None,
) -> tuple[Array, Array]:
    """Lower and upper bounds of shares between 0 and 1; arrays of one shape, NaN where a bound cannot be known.

    - `logit` (and `xlogit`, the same numbers): t-interval on the log odds.
    - `beta`: Korn & Graubard (1998), Clopper-Pearson with the effective sample size p (1 - p) / se^2 times
      (t with n - 1 / t with the design's degrees of freedom) squared. For a share of 0 or 1, which has no standard
      error, the effective size is `effective_n` or else n.
    - `asin`: t-interval on the arcsine of the square root. `mean`: the plain t-interval, not for shares near 0 or 1.
    - `likelihood`: profile likelihood of a logistic model, scaled by the design effect (Rao & Scott 1984), interpolated
      between up to nine points at either side as R does. `information` is that on the log odds, n p (1 - p) by default.

    `degrees_of_freedom` are the design's (of the domain), `n` the respondents the share is of.
    """
    from scipy.special import stdtrit  # heavy: only where it is used

    p, se, df, size = np.broadcast_arrays(
        *(np.asarray(number, dtype=float) for number in (estimate, standard_error, degrees_of_freedom, n))
    )
    df = np.where(df > 0, df, np.nan)
    tail = (1 - level) / 2
    t = -stdtrit(df, tail)
    inner = (p > 0) & (p < 1)
    q = np.where(inner, p, 0.5)
    if interval == "mean":
        return p - t * se, p + t * se
    if interval == "beta":
        ratio = stdtrit(np.maximum(size - 1, 1), tail) / stdtrit(df, tail)
        direct = np.broadcast_to(size if effective_n is None else np.asarray(effective_n, dtype=float), p.shape)
        with np.errstate(divide="ignore"):
            # A standard error of 0 says that nobody was sampled, not how sure the share is.
            effective = np.where(inner, np.where(se > 0, q * (1 - q) / se**2, np.nan), direct) * ratio**2
        return _clopper_pearson(p, effective, tail)
    if interval == "asin":
        centre, half = np.arcsin(np.sqrt(q)), t * se / (2 * np.sqrt(q * (1 - q)))
        low, high = np.sin(centre - half) ** 2, np.sin(centre + half) ** 2
    elif interval in ("logit", "xlogit"):
        centre, half = np.log(q / (1 - q)), t * se / (q * (1 - q))
        low, high = 1 / (1 + np.exp(half - centre)), 1 / (1 + np.exp(-half - centre))
    elif interval == "likelihood":
        known = q * (1 - q) * size if information is None else np.broadcast_to(np.asarray(information, float), p.shape)
        bounds = [_profile(*(float(number) for number in one)) for one in np.nditer([q, se, t, size, known])]
        low, high = (np.array([bound[side] for bound in bounds]).reshape(p.shape) for side in (0, 1))
    else:
        raise SurveyError(f"interval {interval}: expected logit, xlogit, beta, asin, mean or likelihood.")
    return np.where(inner, low, np.nan), np.where(inner, high, np.nan)


def _clopper_pearson(p: Array, n: Array, tail: float) -> tuple[Array, Array]:
    from scipy.special import betaincinv

    hits, misses = n * p, n * (1 - p)
    low = betaincinv(np.maximum(hits, 1e-300), misses + 1, tail)
    high = betaincinv(hits + 1, np.maximum(misses, 1e-300), 1 - tail)
    return np.where(p <= 0, 0.0, low) + 0 * n, np.where(p >= 1, 1.0, high) + 0 * n


def _profile(p: float, se: float, t: float, n: float, information: float) -> tuple[float, float]:
    """Where the signed root of the profile deviance is as far from 0 as t times the root of the design effect.

    R's `confint(svyglm, method="likelihood")`: the deviance of n observations at steps on the log odds, a spline
    through them, and straight lines between 3 values of the spline for each step.
    """
    from scipy.special import expit, fdtri, ndtr

    odds, error = float(np.log(p / (1 - p))), se / (p * (1 - p))
    cut = t * error * np.sqrt(information)
    furthest = float(np.sqrt(fdtri(1, n - 1, 1 - ndtr(-cut) / 2)))
    dispersion = n / (n - 1)

    def root(steps: float) -> float:
        share = expit(odds + steps * furthest / 5 * error)
        deviance = 2 * n * (p * np.log(p / share) + (1 - p) * np.log((1 - p) / (1 - share)))
        return float(np.sign(steps) * np.sqrt(max(deviance, 0.0) / dispersion))

    steps = [0]
    for side in (-1, 1):
        for step in range(1, _PROFILE_STEPS):
            steps.append(side * step)
            if abs(root(side * step)) >= furthest:
                break
    places = np.array(sorted(steps), dtype=float)
    roots = np.array([root(step) for step in places])
    grid = np.linspace(places[0], places[-1], _VALUES_PER_STEP * len(places))
    low, high = np.interp([-cut, cut], _spline(places, roots, grid), grid)
    return float(expit(odds + low * furthest / 5 * error)), float(expit(odds + high * furthest / 5 * error))


def logistic_information(having: Mask, weights: Array) -> float:
    """The information on the log odds of a share as R's `glm` leaves it: of the step before it has converged.

    n p (1 - p) but for some millionths; only `likelihood` intervals to all digits need it. `weights` (n) are scaled to
    a mean of 1.
    """
    y, w = having.astype(float), weights / weights.mean()
    share = (w * y + 0.5) / (w + 1)
    odds = np.log(share / (1 - share))
    deviance, information = np.inf, np.nan
    for _ in range(_FISHER_STEPS):
        slope = share * (1 - share)
        information = float(np.sum(w * slope))
        level = float(np.sum(w * (slope * odds + y - share)) / information)
        odds, share = np.full(len(y), level), np.full(len(y), 1 / (1 + np.exp(-level)))
        last, deviance = deviance, float(-2 * np.sum(w * np.log(np.where(having, share, 1 - share))))
        if abs(deviance - last) < _CONVERGED * (abs(deviance) + 0.1):
            break
    return information


def _spline(x: Array, y: Array, at: Array) -> Array:
    """A cubic spline through points one apart; third derivatives at the ends are those of the cubic through the four
    outer points (Forsythe, Malcolm & Moler 1977).
    """
    m = len(x)
    system, right = np.zeros((m, m)), np.zeros(m)
    for i in range(1, m - 1):
        system[i, i - 1 : i + 2] = 1, 4, 1
        right[i] = 6 * (y[i + 1] - 2 * y[i] + y[i - 1])
    system[0, :2], system[-1, -2:] = (-1, 1), (-1, 1)
    right[0], right[-1] = np.diff(y[:4], 3)[0], np.diff(y[-4:], 3)[0]
    curvature = np.linalg.solve(system, right)
    i = np.clip((at - x[0]).astype(int), 0, m - 2)
    b = at - x[i]
    a = 1 - b
    bend = ((a**3 - a) * curvature[i] + (b**3 - b) * curvature[i + 1]) / 6
    return np.asarray(a * y[i] + b * y[i + 1] + bend)
