"""Weights that answer for the population: non-response, post-stratification, raking, calibration, trimming.

Every function takes a Survey and gives another. Where the weights are made to add up to known totals, the Survey
remembers it, so that margins are computed from what the totals leave unexplained; replicate weights are adjusted as the
weights are. Weights that cannot be made to fit are a CalibrationError, never a warning.

The usual order: `with_bootstrap` (where replicates are wanted), `nonresponse_adjusted`, then `post_stratified`, `raked`
or `calibrated`; `trimmed`, and the calibration once more.

Totals come as frames: a column for each classification and a column `total`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import polars as pl

from methods.survey import svy_adapter
from methods.survey.design import Array, CalibrationError, Constraint, Survey, SurveyError, refuse_rows

Method = Literal["linear", "logit", "raking"]
Bounds = tuple[float, float]

TOTAL = "total"
_CELL = "|"
_ROUNDS = 100
_PARTS_OF_A_STEP = 0.5 ** np.arange(40)
_MISFIT = 1e-12  # of a total, after Newton's method
_ACCEPTED = 1e-9  # where rounding keeps it from getting there
_DEPENDENT = 1e-12


def nonresponse_adjusted(
    survey: Survey, status: str, respondent: Sequence[str], nonrespondent: Sequence[str], classes: Sequence[str]
) -> Survey:
    """The respondents, with the weight of the non-respondents of their class spread over them in proportion.

    `status` is the column that says who answered, by the codes in `respondent` and `nonrespondent`; `classes` are
    columns within whose combinations answering is taken to be a matter of chance. Margins treat the adjusted weights
    as given (as R does); replicates carry the adjustment.

    Raises:
        SurveyError: another status, no class, or a stratum that keeps one respondent.
        CalibrationError: a class in which nobody answered.
    """
    codes = _column(survey, status)
    refuse_rows(
        survey.frame,
        ~codes.is_in([*respondent, *nonrespondent]).fill_null(value=False).to_numpy(),
        f"column {status}: expected one of the codes of respondents and non-respondents",
    )
    responded = codes.is_in(list(respondent)).to_numpy()
    cells = _cells(survey, classes)
    if empty := sorted(set(cells) - set(cells.filter(responded))):
        raise CalibrationError(f"class {', '.join(empty)}: nobody answered. Join it with a class that is like it.")
    weights, replicates = svy_adapter.nonresponse_adjusted(survey.weights, survey.replicates, responded, cells)
    answered = survey.subset(responded)
    return replace(answered, weights=weights, base_weights=weights, replicates=replicates)


def post_stratified(survey: Survey, by: Sequence[str], totals: pl.DataFrame) -> Survey:
    """Weights that add up to the population of each combination of the columns `by` (R `postStratify`).

    Raises:
        CalibrationError: a cell without respondents or without a total.
    """
    cells, wanted = _margin(survey, totals, by)
    weights, replicates = svy_adapter.post_stratified(survey.weights, survey.replicates, cells, wanted)
    constraint = Constraint.of(_indicators(cells, wanted), survey.weights, weights)
    return replace(survey.reweighted(weights, constraint), replicates=_complete(replicates))


def raked(survey: Survey, margins: Sequence[pl.DataFrame], tol: float = svy_adapter.RAKING_TOLERANCE) -> Survey:
    """Weights that add up to several margins at once, by iterative proportional fitting (R `rake`).

    Each margin is a frame with its classification in the columns beside `total`. `tol` is the largest misfit of any
    total, as a part of it. Margins of error come from an unweighted regression on the margins, as in R's `rake`.

    Raises:
        CalibrationError: no convergence, margins with other sums, a cell without respondents or without a total.
    """
    parts = [_margin(survey, margin) for margin in margins]
    _same_sums([sum(wanted.values()) for _, wanted in parts])
    weights, replicates = svy_adapter.raked(survey.weights, survey.replicates, parts, tol)
    auxiliaries = np.hstack([_indicators(cells, wanted) for cells, wanted in parts])
    constraint = Constraint.of(auxiliaries, np.ones(survey.n), weights)
    return replace(survey.reweighted(weights, constraint), replicates=_complete(replicates))


def margin_matrix(survey: Survey, margins: Sequence[pl.DataFrame]) -> tuple[Array, Array]:
    """For `calibrated`: a 0/1 column for each cell of each margin (n, k), and their totals (k).

    Raises:
        CalibrationError: as for `raked`.
    """
    parts = [_margin(survey, margin) for margin in margins]
    _same_sums([sum(wanted.values()) for _, wanted in parts])
    matrix = np.hstack([_indicators(cells, wanted) for cells, wanted in parts])
    return matrix, np.array([total for _, wanted in parts for total in wanted.values()])


def calibrated(
    survey: Survey,
    matrix: Array,
    totals: Array,
    method: Method = "linear",
    bounds: Bounds | None = None,
    variance: Array | None = None,
) -> Survey:
    """Weights w = d g for which the auxiliaries `matrix` (n, k) add up to `totals` (k), g as near to 1 as it can be.

    `linear` is the generalised regression estimator (negative weights are possible), with `bounds` its truncated form;
    `raking` is exponential, for continuous auxiliaries too; `logit` keeps g within its `bounds`. `variance` (n) divides
    the auxiliaries in g = F(x'lambda / variance), as in a ratio estimator. Newton's method (Deville & Sarndal 1992;
    R `calibrate`). Columns may depend on each other if their totals do in the same way.

    Raises:
        CalibrationError: totals that no weights within the bounds can meet, or that contradict each other.
    """
    if method == "logit" and bounds is None:
        raise CalibrationError("logit calibration needs bounds, such as (0.3, 3).")
    if bounds is not None and not bounds[0] < 1 < bounds[1]:
        raise CalibrationError("bounds must lie on both sides of 1.")
    if matrix.shape != (survey.n, len(totals)) or not (np.isfinite(matrix).all() and np.isfinite(totals).all()):
        raise CalibrationError("expected a number for every respondent and auxiliary, and a total for every auxiliary.")
    x, t = _independent(matrix, np.asarray(totals, dtype=float), survey.weights)
    scale = np.ones(survey.n) if variance is None else variance
    weights = survey.weights * _factors(x, t, survey.weights, scale, method, bounds)
    replicates = survey.replicates
    if replicates is not None:
        factors = [_factors(x, t, drawn, scale, method, bounds) for drawn in replicates.T]
        replicates = replicates * np.column_stack(factors)
    # R divides the residuals by the variance for the unbounded linear form only.
    regression = survey.weights / scale if method == "linear" and bounds is None else survey.weights
    constraint = Constraint.of(matrix, regression, weights)
    return replace(survey.reweighted(weights, constraint), replicates=replicates)


def trimmed(survey: Survey, lowest: float | None = None, highest: float | None = None) -> Survey:
    """Weights not below `lowest` or above `highest`; what is cut off is shared equally by the others, until all are
    within, so that the sum stays (R `trimWeights`, strict).

    The weights no longer add up to what they were calibrated to: the Survey forgets it, so calibrate once more.
    Replicates change by the same factors.

    Raises:
        CalibrationError: the sum of the weights does not fit within the bounds.
    """
    weights = survey.weights
    lowest, highest = lowest or 0.0, highest or np.inf
    if not lowest < weights.mean() < highest:
        raise CalibrationError("the mean weight lies beyond the bounds: no trimming keeps the sum of the weights.")
    for _ in range(_ROUNDS):
        beyond = (weights < lowest * (1 - _MISFIT)) | (weights > highest * (1 + _MISFIT))
        if not beyond.any():
            factors = weights / survey.weights
            replicates = None if survey.replicates is None else survey.replicates * factors[:, None]
            return replace(survey, weights=weights, constraints=(), replicates=replicates)
        within = np.clip(weights, lowest, highest)
        weights = np.where(beyond, within, weights + np.sum(weights - within) / max(int(np.sum(~beyond)), 1))
    raise CalibrationError("trimming to these bounds does not come to an end: take wider ones.")


def with_bootstrap(survey: Survey, replicates: int, seed: int) -> Survey:
    """The sample with bootstrap replicate weights (Rao, Wu & Yue 1992), drawn within strata.

    Draw them first: later adjustments then adjust each replicate. Finite populations are not taken into account.

    Raises:
        SurveyError: the weights are calibrated already.
    """
    if survey.constraints:
        raise SurveyError("replicates of calibrated weights would not be calibrated: draw them first, then calibrate.")
    psu = np.arange(survey.n) if survey.psu is None else survey.psu
    drawn = svy_adapter.bootstrap(survey.weights, survey.strata, psu, replicates, seed)
    return replace(survey, replicates=drawn)


@dataclass(frozen=True)
class WeightDiagnostics:
    """How uneven weights are. `cv` has n - 1 in its variance; Kish's design effect 1 + (n - 1) / n cv^2 is
    n sum(w^2) / sum(w)^2, `effective_n` is n over that; g is the weight over the base weight.
    """

    n: int
    minimum: float
    maximum: float
    sum: float
    cv: float
    kish_design_effect: float
    effective_n: float
    smallest_g: float
    largest_g: float


def weight_diagnostics(survey: Survey) -> WeightDiagnostics:
    """The diagnostics of the current weights."""
    weights = survey.weights
    g = weights / survey.base_weights
    design_effect = survey.n * np.sum(weights**2) / np.sum(weights) ** 2
    return WeightDiagnostics(
        n=survey.n,
        minimum=float(weights.min()),
        maximum=float(weights.max()),
        sum=float(weights.sum()),
        cv=float(weights.std(ddof=1) / weights.mean()),
        kish_design_effect=float(design_effect),
        effective_n=float(survey.n / design_effect),
        smallest_g=float(g.min()),
        largest_g=float(g.max()),
    )


def _column(survey: Survey, name: str) -> pl.Series:
    if name not in survey.frame.columns:
        raise SurveyError(f"column {name}: expected in the sample, but there is none of that name.")
    return survey.frame[name].cast(pl.String)


def _cells(survey: Survey, by: Sequence[str]) -> pl.Series:
    """The combination of the columns `by` of every respondent, as text."""
    for name in by:
        refuse_rows(survey.frame, _column(survey, name).is_null().to_numpy(), f"column {name}: expected a code")
    return survey.frame.select(pl.concat_str(pl.col(by).cast(pl.String), separator=_CELL)).to_series()


def _margin(
    survey: Survey, totals: pl.DataFrame, by: Sequence[str] | None = None
) -> tuple[pl.Series, dict[str, float]]:
    """The cell of every respondent and the total of every cell; cells that are empty on both sides do not count."""
    by = [name for name in totals.columns if name != TOTAL] if by is None else list(by)
    if missing := [name for name in [*by, TOTAL] if name not in totals.columns]:
        raise CalibrationError(f"column {', '.join(missing)}: expected in the population totals, but it is not there.")
    labels = totals.select(pl.concat_str(pl.col(by).cast(pl.String), separator=_CELL)).to_series()
    numbers = totals[TOTAL].cast(pl.Float64)
    if labels.is_null().any() or labels.is_duplicated().any():
        raise CalibrationError(f"population totals by {', '.join(by)}: expected every cell once, each with its codes.")
    if not (numbers.is_finite() & (numbers >= 0)).fill_null(value=False).all():
        raise CalibrationError(f"population totals by {', '.join(by)}: expected numbers of at least 0.")
    wanted = {label: number for label, number in zip(labels, numbers, strict=True) if number > 0}
    cells = _cells(survey, by)
    known = cells.is_in(list(wanted)).to_numpy()
    refuse_rows(survey.frame, ~known, f"cells by {', '.join(by)}: expected one with a population", CalibrationError)
    if empty := sorted(set(wanted) - set(cells)):
        raise CalibrationError(
            f"cell {', '.join(empty)} by {', '.join(by)}: a population, but no respondents. Join it with another cell."
        )
    return cells, wanted


def _indicators(cells: pl.Series, wanted: dict[str, float]) -> Array:
    codes = cells.cast(pl.Enum(list(wanted))).to_physical().to_numpy()
    matrix = np.zeros((len(codes), len(wanted)))
    matrix[np.arange(len(codes)), codes] = 1.0
    return matrix


def _same_sums(sums: Sequence[float]) -> None:
    if sums and max(sums) - min(sums) > _ACCEPTED * max(sums):
        shown = ", ".join(f"{number:g}" for number in sums)
        raise CalibrationError(f"the margins add up to different populations: {shown}. Give all the same sum.")


def _complete(replicates: Array | None) -> Array | None:
    if replicates is not None and not np.isfinite(replicates).all():
        raise CalibrationError("a cell has too few respondents for a bootstrap: join it with another cell.")
    return replicates


def _independent(matrix: Array, totals: Array, weights: Array) -> tuple[Array, Array]:
    """Combinations of the auxiliaries that do not depend on each other, of unit size, with their totals."""
    size = np.sqrt(np.sum(weights[:, None] * matrix**2, axis=0))
    size = np.where(size > 0, size, 1.0)
    x, t = matrix / size, totals / size
    values, vectors = np.linalg.eigh((x * weights[:, None]).T @ x)
    independent = values > values[-1] * _DEPENDENT
    beyond = np.abs(t @ vectors[:, ~independent])
    if (beyond > 1e-6 * np.linalg.norm(t)).any():
        raise CalibrationError("the totals contradict each other, or belong to auxiliaries that nobody has.")
    turned = vectors[:, independent] / np.sqrt(values[independent])
    return x @ turned, t @ turned


def _factors(x: Array, totals: Array, d: Array, scale: Array, method: Method, bounds: Bounds | None) -> Array:
    """g (n) for which sum(d g x) = totals, by Newton's method; a step that does not lead nearer is halved."""

    def at(multiplier: Array) -> tuple[Array, Array, Array]:
        g, slope = _distance(x @ multiplier / scale, method, bounds)
        return g, slope, totals - (d * g) @ x

    multiplier = np.zeros(len(totals))
    size = np.abs(totals) + np.sqrt(np.sum(d) * np.mean(np.sum(x**2, axis=1)))
    g, slope, misfit = at(multiplier)
    for _ in range(_ROUNDS):
        if (np.abs(misfit) <= _MISFIT * size).all():
            return g
        step = np.linalg.lstsq((x * (d * slope / scale)[:, None]).T @ x, misfit, rcond=1e-13)[0]
        for part in _PARTS_OF_A_STEP:
            tried = at(multiplier + part * step)
            if np.linalg.norm(tried[2]) < (1 - part / 4) * np.linalg.norm(misfit):  # not so for infinity
                break
        else:  # as near as rounding lets it come, or as the bounds do
            if (np.abs(misfit) <= _ACCEPTED * size).all():
                return g
            break
        multiplier = multiplier + part * step
        g, slope, misfit = tried
    limits = f" within {bounds}" if bounds else ""
    raise CalibrationError(f"{method} calibration did not converge: no weights{limits} meet the totals. Join cells.")


def _distance(u: Array, method: Method, bounds: Bounds | None) -> tuple[Array, Array]:
    """g = F(u) and its slope (Deville & Sarndal 1992, table 1; F(0) = F'(0) = 1)."""
    low, high = bounds or (-np.inf, np.inf)
    if method == "linear":
        return np.clip(1 + u, low, high), ((u > low - 1) & (u < high - 1)).astype(float)
    with np.errstate(over="ignore", invalid="ignore"):
        if method == "raking":
            g = np.exp(u)
            inside = (g > low) & (g < high)
            return np.clip(g, low, high), np.where(inside, g, 0.0)
        steep = (high - low) / ((1 - low) * (high - 1))
        e = np.exp(np.clip(steep * u, -500, 500))
        below, above = (1 - low) * e, high - 1
        g = (low * above + high * below) / (above + below)
        return g, (high - low) ** 2 * e / (above + below) ** 2
