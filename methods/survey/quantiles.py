"""Quantiles, by the rules that R `survey` (4.1 and later) knows, with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import polars as pl

from methods.survey.design import Array, Mask, Survey
from methods.survey.estimation import complete
from methods.survey.intervals import share_interval

Rule = Literal["math", "school", "shahvaish", "hf1", "hf2", "hf3", "hf4", "hf5", "hf6", "hf7", "hf8", "hf9"]
QuantileInterval = Literal["mean", "beta", "xlogit", "asin", "score"]


def quantile(
    survey: Survey,
    variable: str,
    probabilities: Sequence[float],
    rule: Rule = "math",
    interval: QuantileInterval = "mean",
    level: float = 0.95,
    domain: Mask | None = None,
) -> pl.DataFrame:
    """Quantiles: `probability`, `estimate`, `standard_error`, `ci_low`, `ci_high`; a bound beyond the data is NULL.

    The rules hf1 to hf9 are those of Hyndman & Fan (1996), with weights; `math` is hf1, the inverse of the
    distribution, and `school` hf2, which takes the middle at a tie. `shahvaish` is Shah & Vaish (2006) as R has it.
    The interval is Woodruff's: that of the share at or below the quantile (see `share_interval`) read back on the
    distribution; `score` inverts the test of Francisco & Fuller (1991), read back by unweighted shares as in R. The
    standard error is the interval's width over twice the t-value.
    """
    from scipy.special import stdtrit  # heavy: only where it is used

    _, values, inside = complete(survey, [variable], domain)
    x, w = values[:, 0], survey.weights * inside
    order = np.flatnonzero(inside)[np.argsort(x[inside], kind="stable")]
    sorted_x, sorted_w = x[order], w[order]
    df = survey.degrees_of_freedom(inside)
    t = float(stdtrit(df, 0.5 + level / 2)) if df > 0 else np.nan

    def at(p: float) -> float:
        return _quantile(sorted_x, sorted_w, p, rule)

    rows = []
    for p in probabilities:
        estimate = at(p)
        if interval == "score":
            shares = [float(np.mean(sorted_x <= bound)) for bound in _score_bounds(survey, x, w, sorted_x, p, t)]
        else:
            share = w @ (x <= estimate) / w.sum()
            z = w * ((x <= estimate) - share) / w.sum()
            error = np.sqrt(survey.covariance(z[:, None])[0, 0])
            shares = [float(bound) for bound in share_interval(share, error, df, inside.sum(), interval, level)]
        low, high = (at(share) if 0 <= share <= 1 else None for share in shares)
        error = None if low is None or high is None else (high - low) / (2 * t)
        rows.append((p, estimate, error, low, high))
    columns = ["probability", "estimate", "standard_error", "ci_low", "ci_high"]
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.Float64), orient="row")


def _quantile(x: Array, w: Array, p: float, rule: Rule) -> float:
    """The p-quantile of sorted x with weights w.

    A tie is a cumulative weight that is p times the sum to the last digit, which depends on how one adds. As in R sums
    are kept in extended precision, so that ties are the same ones.
    """
    reached, whole = np.cumsum(w, dtype=np.longdouble).astype(float), float(np.sum(w, dtype=np.longdouble))
    cumulative, last, n = reached / whole, w[-1] / whole, len(x)
    before = np.append(0.0, cumulative[:-1])
    if rule == "hf3":  # counts places among different values
        x, first = np.unique(x, return_index=True)
        ends = np.append(first[1:], n) - 1
        reached, cumulative = reached[ends], cumulative[ends]
    if rule in ("math", "school", "hf1", "hf2", "hf3", "hf4"):
        place = max(int(np.searchsorted(reached, p * whole, side="right")) - 1, 0)
        following = min(place + 1, len(x) - 1)
        tie = p == cumulative[place]
        if rule in ("math", "hf1"):
            return float(x[place] if tie else x[following])
        if rule in ("school", "hf2"):
            return float((x[place] + x[following]) / 2 if tie else x[following])
        if rule == "hf3":
            return float(x[place] if tie and (place + 1) % 2 == 0 else x[following])
        gap = cumulative[following] - cumulative[place]
        part = (p - cumulative[place]) / gap if gap > 0 else 0.0
        return float(x[place] * (1 - part) + x[following] * part)
    if rule == "shahvaish":
        places = (cumulative * n + 0.5 - w / 2) / (n + 1)
        order = np.argsort(places, kind="stable")
        return float(x[order][max(int(np.searchsorted(places[order], p, side="right")) - 1, 0)])
    places = {
        "hf5": cumulative - w / (2 * whole),
        "hf6": cumulative / (1 + last),
        "hf7": before / before[-1] if n > 1 else before,
        "hf8": (before / 3 + cumulative * 2 / 3) / (1 + last / 3),
        "hf9": (before * 3 / 8 + cumulative * 5 / 8) / (1 + last / 4),
    }[rule]
    return float(np.interp(p, places, x))


def _score_bounds(survey: Survey, x: Array, w: Array, sorted_x: Array, p: float, t: float) -> tuple[float, float]:
    """Where the test that a value is the p-quantile stops rejecting, from below and from above.

    The test statistic falls in steps at the values of x: the bound is the side of the step that is nearest to t.
    """
    values = np.unique(sorted_x)
    beyond = x[:, None] > values[None, :-1]  # the last value leaves nobody beyond it
    u = (beyond - (1 - p)) * (w > 0)[:, None]
    average = w @ u / w.sum()
    error = np.sqrt(np.diag(survey.covariance(w[:, None] * (u - average * (w > 0)[:, None]) / w.sum())))
    statistic = average / np.where(error > 0, error, np.nan)
    bounds = []
    for limit in (t, -t):
        after = int(np.argmax(statistic < limit))  # the first step at which the test has passed the limit
        nearest_before = after > 0 and abs(statistic[after - 1] - limit) < abs(statistic[after] - limit)
        bounds.append(float(values[after - 1] if nearest_before else values[after]))
    return bounds[0], bounds[1]
