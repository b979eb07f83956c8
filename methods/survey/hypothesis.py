"""Tests in one sample: means of two groups, association of two classifications, ranks (R `svyttest`, `svychisq`, ...).

Text columns are classifications; their codes are taken in sorted order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from methods.survey.design import Array, Mask, Survey, SurveyError
from methods.survey.domains import Difference, tested
from methods.survey.estimation import complete, mean

ChiSquare = Literal["F", "Chisq", "Wald", "adjWald", "lincom", "saddlepoint"]
RankScore = Literal["wilcoxon", "vanderWaerden", "median"]


_EPSILON = 4 * np.finfo(float).eps


@dataclass(frozen=True)
class Association:
    """A test of independence of two classifications; `df_2` is None for a chi-square distribution."""

    statistic: float
    df_1: float
    df_2: float | None
    p_value: float


def ttest(
    survey: Survey, variable: str, group: str | None = None, null: float = 0.0, domain: Mask | None = None
) -> Difference:
    """t-test of a mean against `null`, or of the second against the first of two groups (R `svyttest`).

    Degrees of freedom are those of the design (of the domain) less 1.
    """
    if group is None:
        one = mean(survey, [variable], domain)
        return tested(float(one.estimate[0]), null, float(one.covariance[0, 0]), one.degrees_of_freedom - 1)
    names, y, inside = complete(survey, [variable, group], domain)
    _two_groups(names[1:], group)
    w = survey.weights * inside
    z, means = _group_means(w, y[:, 0], y[:, 1:])
    difference = z[:, 1] - z[:, 0]
    df = survey.degrees_of_freedom(inside) - 1
    return tested(float(means[1]), float(means[0]), float(survey.covariance(difference[:, None])[0, 0]), df)


def rank_test(
    survey: Survey, variable: str, group: str, score: RankScore = "wilcoxon", domain: Mask | None = None
) -> Difference:
    """Rank test of two groups, the second against the first (Lumley & Scott 2013; R `svyranktest`).

    `estimate` is the difference of the mean rank scores; ranks are estimated positions in the population, 0 to 1.
    """
    from scipy.special import ndtri  # heavy: only where it is used

    names, y, inside = complete(survey, [variable, group], domain)
    _two_groups(names[1:], group)
    w = survey.weights * inside
    order = np.flatnonzero(inside)[np.argsort(y[inside, 0], kind="stable")]
    middle = np.cumsum(w[order]) - w[order] / 2
    _, place, count = np.unique(y[order, 0], return_inverse=True, return_counts=True)
    rank = np.full(survey.n, 0.5)
    rank[order] = (np.bincount(place, middle) / count)[place] / w.sum()
    scores = {"wilcoxon": rank, "vanderWaerden": ndtri(rank), "median": (rank > 0.5).astype(float)}[score]
    z, means = _group_means(w, scores, y[:, 1:])
    difference = z[:, 1] - z[:, 0]
    df = survey.degrees_of_freedom(inside) - 1
    return tested(float(means[1]), float(means[0]), float(survey.covariance(difference[:, None])[0, 0]), df)


def chi_square(survey: Survey, row: str, column: str, statistic: ChiSquare = "F") -> Association:
    """Test that two classifications are independent (R `svychisq`).

    `F` and `Chisq` are Pearson's with the corrections of Rao & Scott (1984) of second and first order; `saddlepoint`
    takes the distribution of Pearson's statistic itself by the saddlepoint approximation, and so does `lincom` (as R
    without the package CompQuadForm). `Wald` and `adjWald` are Koch, Freeman & Freeman (1975), the second adjusted.
    """
    from scipy.special import chdtrc, fdtrc

    rows, r, inside_r = complete(survey, [row])
    columns, c, inside_c = complete(survey, [column])
    nr, nc = len(rows), len(columns)
    inside = inside_r & inside_c
    df = (nr - 1) * (nc - 1)
    nu = survey.degrees_of_freedom()
    w, n = survey.weights * inside, int(inside.sum())
    cells = (c[:, :, None] * r[:, None, :]).reshape(survey.n, nr * nc)  # of a column, its rows after each other
    if statistic in ("Wald", "adjWald"):
        wald = _wald(survey, cells, r * inside[:, None], c * inside[:, None], inside)
        if statistic == "Wald":
            return Association(wald / df, df, nu, float(fdtrc(df, nu, wald / df)))
        rest = nu - df + 1
        adjusted = wald * rest / (df * nu)
        return Association(adjusted, df, rest, float(fdtrc(df, rest, adjusted)))
    share = w @ cells / w.sum()
    covariance = survey.covariance(w[:, None] * (cells - share) / w.sum())
    expected = np.outer(share.reshape(nc, nr).sum(axis=1), share.reshape(nc, nr).sum(axis=0)).ravel()
    pearson = float(n * np.sum((share - expected) ** 2 / expected))
    effects = _generalised_design_effects(share, covariance, nr, nc, n)
    d0 = effects.sum() ** 2 / np.sum(effects**2)
    if statistic == "F":
        f = pearson / effects.sum()
        return Association(float(f), float(d0), float(d0 * nu), float(fdtrc(d0, d0 * nu, f)))
    if statistic == "Chisq":
        return Association(pearson, df, None, float(chdtrc(df, pearson / effects.mean())))
    return Association(pearson, float(d0), float(d0 * nu), _saddlepoint(pearson, effects, d0 * nu))


def _two_groups(names: list[str], group: str) -> None:
    if len(names) != 2:
        raise SurveyError(f"column {group}: expected two groups, found {len(names)}.")


def _group_means(w: Array, y: Array, groups: Array) -> tuple[Array, Array]:
    """Linearised values (n, groups) of the means of y by group, and the means."""
    weights = w[:, None] * groups
    means = y @ weights / weights.sum(axis=0)
    return weights * (y[:, None] - means) / weights.sum(axis=0), means


def _generalised_design_effects(share: Array, covariance: Array, nr: int, nc: int, n: int) -> Array:
    """Eigenvalues of the matrix of Rao & Scott: the covariance over that of a simple random sample."""
    rows, columns = np.tile(np.arange(nr), nc), np.repeat(np.arange(nc), nr)
    r = (rows[:, None] == np.arange(1, nr)).astype(float)
    c = (columns[:, None] == np.arange(1, nc)).astype(float)
    main = np.column_stack([np.ones(nr * nc), r, c])
    both = (r[:, :, None] * c[:, None, :]).reshape(nr * nc, -1)
    contrasts = both - main @ np.linalg.lstsq(main, both, rcond=None)[0]
    inverse = np.diag(np.divide(1.0, share, out=np.zeros_like(share), where=share > 0))
    simple = contrasts.T @ inverse @ contrasts / n
    actual = contrasts.T @ inverse @ covariance @ inverse @ contrasts
    return np.asarray(np.real(np.linalg.eigvals(np.linalg.solve(simple, actual))))


def _wald(survey: Survey, cells: Array, r: Array, c: Array, inside: Mask) -> float:
    """Wald statistic of observed less expected totals, by linearisation."""
    w = survey.weights * inside
    n_total = w.sum()
    row_totals, column_totals, cell_totals = w @ r, w @ c, w @ cells
    expected = np.outer(column_totals, row_totals).ravel() / n_total
    # d(cell - row x column / N)
    rows = np.tile(r, (1, c.shape[1])) * np.repeat(column_totals, r.shape[1]) / n_total
    columns = np.repeat(c, r.shape[1], axis=1) * np.tile(row_totals, c.shape[1]) / n_total
    z = w[:, None] * (cells - rows - columns + expected / n_total)
    use = np.arange(cells.shape[1]).reshape(c.shape[1], r.shape[1])[1:, 1:].ravel()
    y = (cell_totals - expected)[use]
    return float(y @ np.linalg.solve(survey.covariance(z[:, use]), y))


def _saddlepoint(x: float, effects: Array, ddf: float) -> float:
    """P(sum of effects times chi-squares > x times chi-square / ddf), by Lugannani & Rice (1980) (R `pFsum`)."""
    from scipy.optimize import brentq
    from scipy.special import fdtrc, ndtr

    weights = np.append(effects, -x / ddf)
    degrees = np.append(np.ones(len(effects)), np.floor(ddf))  # whole, as in R
    weights = weights / weights.max()

    def slope(s: float) -> float:
        return float(np.sum(degrees * weights / (1 - 2 * s * weights)))

    low = 1 / (2 * weights[-1]) * 0.99999
    high = 1 / (2 * weights.max()) * 0.99999
    s = brentq(slope, low, high, xtol=1e-8, rtol=_EPSILON)  # R's tolerance: its p-value has no more digits
    if abs(s) < 1e-4:
        scale = np.mean(effects**2) / np.mean(effects)
        df = len(effects) * np.mean(effects) ** 2 / np.mean(effects**2)
        return float(fdtrc(df, ddf, x / df / scale))
    k = -np.sum(degrees * np.log(1 - 2 * s * weights)) / 2
    bend = 2 * np.sum(degrees * weights**2 / (1 - 2 * s * weights) ** 2)
    w, v = np.sign(s) * np.sqrt(-2 * k), s * np.sqrt(bend)
    return float(ndtr(-(w + np.log(v / w) / w)))
