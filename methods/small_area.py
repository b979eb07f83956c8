"""Small areas: figures for municipalities with too few answers, by a model over areas (Fay & Herriot 1979).

The direct estimate y of an area has known sampling variance psi; the model is y = x'beta + u + e, u ~ N(0, A) between
areas and e ~ N(0, psi) by sampling. The estimate is gamma y + (1 - gamma) x'beta with gamma = A / (A + psi): the less
sure the direct estimate, the more the model counts. An area without a direct estimate is one with psi infinite.

`smoothed_variances` makes psi usable where an area's own variance is too noisy, `fay_herriot` fits and estimates, and
`benchmarked` makes the estimates of a group add up to what was measured for the group.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

Vector = npt.NDArray[np.floating[Any]]
Matrix = npt.NDArray[np.floating[Any]]
Method = Literal["REML", "ML"]
Transformation = Literal["none", "arcsin", "logit"]

# With two or fewer degrees of freedom left, drawing areas together need not bring them nearer the truth (Stein 1956).
LEAST_DEGREES_OF_FREEDOM = 3
_TOLERANCE = 1e-14  # relative, of A
_LEAST_SHARE = 1e-12  # of the median sampling variance: an A below is 0
_COLLINEAR = 1e-10
_NODES = 40
_SHOWN_AREAS = 5


class SmallAreaError(ValueError):
    """Areas to which the model cannot be fitted; the message says what is wrong and what to do."""


@dataclass(frozen=True)
class FayHerriot:
    """A fitted model.

    `coefficients`: term, estimate, standard_error. `model_variance`: A. `estimates`, in the order of the areas given:
    area, direct, direct_se, estimate, mse, shrinkage (gamma, 0 where there is no direct estimate), synthetic (what the
    covariates alone say) and residual (standardised, of the direct estimate from the synthetic one). Coefficients, A,
    shrinkage and residuals are on the transformed scale where there is one, all else is not.

    `diagnostics`: method, transformation, iterations, areas (with a direct estimate), areas_without_direct,
    degrees_of_freedom (areas less coefficients), covariates, explained_variance (1 - A / A of a model without
    covariates; None where that is 0), normality_p (Shapiro-Wilk, of the residuals), largest_residual (absolute),
    mean_cv_direct and mean_cv_estimate (percent) and mean_cv_gain (percent by which the model lowers an area's
    coefficient of variation, on average), these three over areas whose direct estimate and its standard error are known
    and not 0 (None without such areas).
    """

    coefficients: pl.DataFrame
    model_variance: float
    estimates: pl.DataFrame
    diagnostics: dict[str, Any]


def fay_herriot(
    areas: pl.DataFrame,
    direct: str,
    variance: str,
    covariates: Sequence[str],
    *,
    method: Method = "REML",
    transformation: Transformation = "none",
    n_effective: str | None = None,
    iterations: int = 100,
) -> FayHerriot:
    """Empirical best linear unbiased predictions for areas, with their mean squared errors.

    `areas` has a row an area: `area` (its code), the `direct` estimate (NULL: none), its sampling `variance` and the
    covariates, known everywhere; a covariate of text or booleans makes a coefficient a level, but for the first. An
    intercept is always there.

    MSE: g1 + g2 + 2 g3 for REML (Prasad & Rao 1990; Datta & Lahiri 2000), for ML also corrected for the bias of A
    (Datta & Lahiri 2000), as in `mseFH` of R's sae 1.3. Without a direct estimate that comes to A plus the error of
    x'beta.

    Transformations are for shares as fractions (0-1). `arcsin`: of the root, with variance 1 / (4 n_effective), so
    `variance` only serves the standard error shown. `logit`: with variance / (p (1 - p))^2 (delta method), so not for
    shares of 0 or 1. The estimate is turned back without bias, as the mean of the back-transformed predictive
    distribution N(prediction, g1) (for arcsin: Hadam, Würz & Kreutzmann 2020; the bias-corrected one of R's
    emdi), its MSE as the variance of the back-transformed N(prediction, MSE), both by Gauss-Hermite quadrature.

    Raises SmallAreaError: too few areas, variances that are not positive, collinear covariates, no convergence.
    """
    _check_areas(areas, direct, variance, covariates)
    y, psi = _on_model_scale(areas, direct, variance, transformation, n_effective)
    observed = np.isfinite(psi)
    terms, design = _design(areas, covariates)
    needed = len(terms) + LEAST_DEGREES_OF_FREEDOM
    if observed.sum() < needed:
        raise SmallAreaError(
            f"{observed.sum()} areas have a direct estimate; a model with {len(terms)} coefficients needs at least "
            f"{needed}. Fit it on more areas, or with fewer covariates."
        )
    # Estimates depend on the covariates only through the space they span: an orthonormal basis of it computes best.
    to_basis = _basis(terms, design[observed])
    basis = design @ to_basis
    fitted = _fit(y[observed], psi[observed], basis[observed], method, iterations)

    predictions, residual = _predictions(y, psi, basis, fitted, transformation)
    estimates = areas.select(
        "area",
        direct=pl.col(direct).cast(pl.Float64),
        direct_se=pl.col(variance).cast(pl.Float64).sqrt().fill_nan(None),
    ).with_columns(**predictions, residual=pl.Series(residual, nan_to_null=True))
    alone = np.full((observed.sum(), 1), observed.sum() ** -0.5)
    without_covariates = _fit(y[observed], psi[observed], alone, method, iterations)
    return FayHerriot(
        coefficients=pl.DataFrame(
            {
                "term": terms,
                "estimate": to_basis @ fitted.beta,
                "standard_error": np.sqrt(np.diag(to_basis @ fitted.covariance @ to_basis.T)),
            }
        ),
        model_variance=fitted.model_variance,
        estimates=estimates,
        diagnostics={
            "method": method,
            "transformation": transformation,
            "iterations": fitted.iterations,
            "areas": int(observed.sum()),
            "areas_without_direct": int((~observed).sum()),
            "degrees_of_freedom": int(observed.sum()) - len(terms),
            "covariates": list(covariates),
            "explained_variance": _explained(fitted.model_variance, without_covariates.model_variance),
            **_residual_diagnostics(residual[observed]),
            **_gains(estimates),
        },
    )


def smoothed_variances(
    areas: pl.DataFrame, *, smooth_below: int, variance: str = "variance", n: str = "n"
) -> pl.DataFrame:
    """Areas with `variance_smoothed` and `is_smoothed`: a variance to rely on where an area's own is too noisy.

    A generalised variance function (Wolter 2007, chapter 7): variance x n is the unit variance times the design effect;
    pooled over the areas, with n - 1 as weights, and divided by an area's n it replaces the variance of areas with
    fewer than `smooth_below` respondents, and of areas whose variance is unknown or 0 (all answered alike). So areas
    are taken to differ in n, not in unit variance or design effect. NULL where nobody answered. Fay-Herriot treats
    variances as known: noise in them goes into the estimates.
    """
    respondents, own = pl.col(n), pl.col(variance)
    pool = areas.filter((respondents >= 2) & own.is_not_null()).select(
        total=((respondents - 1) * own * respondents).sum(), weight=(respondents - 1).sum()
    )
    total, weight = pool.row(0)
    if not weight or total <= 0:
        raise SmallAreaError("no area has two respondents or more and a variance above 0: there is nothing to pool.")
    noisy = (respondents < smooth_below) | own.is_null() | (own <= 0)
    return areas.with_columns(
        variance_smoothed=pl.when(respondents >= 1).then(
            pl.when(noisy).then(total / weight / respondents).otherwise(own)
        ),
        is_smoothed=(respondents >= 1) & noisy,
    )


def benchmarked(
    estimates: pl.DataFrame,
    direct_total: float,
    weights: str,
    *,
    method: Literal["ratio", "difference"] = "ratio",
) -> pl.DataFrame:
    """Estimates of all areas of a group, changed so that their weighted mean is the group's own direct estimate.

    `estimates` has a row an area with `estimate`, `mse` and the column `weights` (such as the population; scaled to add
    up to 1). `ratio` multiplies all by one factor, `difference` adds one number to all. The estimates before stay as
    `estimate_unbenchmarked`. The MSE is carried over as it was: the error of the group's own estimate, which all areas
    now share, is not in it (small where the group has many more respondents than an area; Steorts & Ghosh 2013).
    """
    weight = estimates[weights].cast(pl.Float64)
    faulty = (
        weight.null_count() + estimates["estimate"].null_count() or not weight.is_finite().all() or (weight < 0).any()
    )
    if estimates.is_empty() or faulty or weight.sum() <= 0:
        raise SmallAreaError(
            f"benchmarking needs an estimate and a weight ({weights}) of at least 0 for every area of the group, "
            "and weights that are not all 0."
        )
    mean = float(np.average(estimates["estimate"].to_numpy(), weights=weight.to_numpy()))
    if method == "ratio" and mean == 0:
        raise SmallAreaError("the weighted mean of the estimates is 0: benchmark by difference.")
    before = pl.col("estimate")
    after = before * (direct_total / mean) if method == "ratio" else before + (direct_total - mean)
    return estimates.with_columns(after, estimate_unbenchmarked=before)


@dataclass(frozen=True)
class _Fit:
    """A, the coefficients of the basis, their covariance, and the asymptotic variance and bias of A."""

    model_variance: float
    beta: Vector
    covariance: Matrix
    variance_of_a: float
    bias_of_a: float
    iterations: int


def _fit(y: Vector, psi: Vector, basis: Matrix, method: Method, iterations: int) -> _Fit:
    """The likelihood's maximum that is nearest the median sampling variance, where R's sae starts too.

    Fisher scoring can swing around the maximum for ever; a root between two bounds is always found.
    """

    def score(model_variance: float) -> float:
        return _score(y, psi, basis, model_variance, method)

    model_variance, done = _falling_root(score, float(np.median(psi)), iterations)
    precision = 1 / (model_variance + psi)
    beta, covariance = _least_squares(y, basis, precision)
    information = float((precision**2).sum())
    second = basis.T @ (basis * (precision**2)[:, None])
    bias = -float(np.trace(covariance @ second)) / information if method == "ML" else 0.0
    return _Fit(model_variance, beta, covariance, 2 / information, bias, done)


def _falling_root(score: Callable[[float], float], start: float, iterations: int) -> tuple[float, int]:
    """Where the score changes from above to below 0, and the steps that took; 0 where it is below all the way down."""
    from scipy.optimize import brentq

    low = high = start
    steps = 0
    while score(high) > 0:
        low, high, steps = high, 4 * high, steps + 1
    while score(low) <= 0 < low:
        high, low, steps = low, low / 4 if low > _LEAST_SHARE * start else 0.0, steps + 1
    if score(low) <= 0:
        return 0.0, steps
    found, search = brentq(
        score, low, high, xtol=_LEAST_SHARE * start, rtol=_TOLERANCE, maxiter=iterations, full_output=True, disp=False
    )
    if not search.converged:
        raise SmallAreaError(
            f"the variance between areas was not found in {iterations} iterations. Allow more, or look for an "
            "area with a sampling variance that is far too small."
        )
    return float(found), steps + int(search.iterations)


def _score(y: Vector, psi: Vector, basis: Matrix, model_variance: float, method: Method) -> float:
    """Twice the first derivative of the (restricted) log-likelihood to A.

    y'PPy - tr(P) for REML and y'PPy - tr(V^-1) for ML, with V = diag(A + psi), C = (X' V^-1 X)^-1 and
    P = V^-1 - V^-1 X C X' V^-1, without making P itself.
    """
    precision = 1 / (model_variance + psi)
    beta, covariance = _least_squares(y, basis, precision)
    trace = float(precision.sum())
    if method == "REML":
        trace -= float(np.trace(covariance @ (basis.T @ (basis * (precision**2)[:, None]))))
    return float(((precision * (y - basis @ beta)) ** 2).sum()) - trace


def _least_squares(y: Vector, basis: Matrix, precision: Vector) -> tuple[Vector, Matrix]:
    weighted = basis * precision[:, None]
    covariance = np.linalg.inv(basis.T @ weighted)
    return covariance @ (weighted.T @ y), covariance


def _predictions(
    y: Vector, psi: Vector, basis: Matrix, fitted: _Fit, transformation: Transformation
) -> tuple[dict[str, Vector], Vector]:
    """Columns estimate, mse, shrinkage and synthetic; standardised residuals, NaN without a direct estimate."""
    model_variance = fitted.model_variance
    synthetic = basis @ fitted.beta
    gamma = model_variance / (model_variance + psi)
    residual = y - synthetic
    predicted = synthetic + np.where(np.isfinite(psi), gamma * residual, 0.0)
    g1 = model_variance * (1 - gamma)
    # What beta and A being estimated add to the MSE: g2, 2 g3, and for ML the bias of A in g1.
    g2 = np.einsum("ij,jk,ik->i", basis, fitted.covariance, basis)
    g3 = fitted.variance_of_a / (model_variance + psi)
    mse = g1 + (1 - gamma) ** 2 * (g2 + 2 * g3 - fitted.bias_of_a)
    columns = {
        "estimate": _back(predicted, g1, transformation)[0],
        "mse": _back(predicted, mse, transformation)[1],
        "shrinkage": gamma,
        "synthetic": _back(synthetic, np.full_like(g1, model_variance), transformation)[0],
    }
    return columns, residual / np.sqrt(model_variance + psi)


def _check_areas(areas: pl.DataFrame, direct: str, variance: str, covariates: Sequence[str]) -> None:
    if absent := [name for name in ("area", direct, variance, *covariates) if name not in areas.columns]:
        raise SmallAreaError(f"the areas have no column {', '.join(absent)}.")
    if not areas["area"].is_unique().all():
        raise SmallAreaError(f"more than one row for area {_named(areas, ~areas['area'].is_unique())}.")
    if (infinite := areas[direct].is_not_null() & ~areas[direct].cast(pl.Float64).is_finite()).any():
        raise SmallAreaError(f"{direct} is not a number for area {_named(areas, infinite)}: make it NULL.")
    for name in covariates:
        column = areas[name]
        unknown = column.is_null() | (~column.is_finite() if column.dtype.is_numeric() else False)
        if unknown.any():
            raise SmallAreaError(
                f"covariate {name} is unknown for area {_named(areas, unknown)}. The model needs it everywhere: leave "
                "out these areas, or the covariate."
            )


def _named(areas: pl.DataFrame, chosen: pl.Series) -> str:
    codes = areas.filter(chosen)["area"].unique().sort().cast(pl.String).to_list()
    more = f" and {len(codes) - _SHOWN_AREAS} more" if len(codes) > _SHOWN_AREAS else ""
    return ", ".join(codes[:_SHOWN_AREAS]) + more


def _on_model_scale(
    areas: pl.DataFrame, direct: str, variance: str, transformation: Transformation, n_effective: str | None
) -> tuple[Vector, Vector]:
    """Direct estimates and their variances as the model takes them; NaN and infinity without a direct estimate."""
    if transformation == "arcsin" and n_effective is None:
        raise SmallAreaError("the arcsin transformation needs n_effective, the column with effective sample sizes.")
    precise = n_effective if n_effective is not None and transformation == "arcsin" else variance
    has_direct = areas[direct].is_not_null()
    precision = areas[precise].cast(pl.Float64)
    if (unsure := has_direct & ~(precision.is_finite() & (precision > 0)).fill_null(value=False)).any():
        raise SmallAreaError(
            f"{precise} is not a number above 0 for area {_named(areas, unsure)}, which has a direct estimate. Smooth "
            "the variances (smoothed_variances), or make the direct estimate NULL."
        )
    edge = {"none": -np.inf, "arcsin": 0.0, "logit": 1e-12}[transformation]
    if (outside := has_direct & ~areas[direct].is_between(edge, 1 - edge)).any():
        raise SmallAreaError(
            f"{direct} of area {_named(areas, outside)} is not a share that {transformation} can take. Divide "
            "percentages by 100; for shares of 0 or 1 take arcsin."
        )
    y = areas[direct].cast(pl.Float64).to_numpy()
    psi = np.where(has_direct.to_numpy(), precision.to_numpy(), np.inf)
    if transformation == "arcsin":
        return np.arcsin(np.sqrt(y)), np.where(has_direct.to_numpy(), 1 / (4 * psi), np.inf)
    if transformation == "logit":
        return np.log(y / (1 - y)), psi / (y * (1 - y)) ** 2
    return y, psi


def _design(areas: pl.DataFrame, covariates: Sequence[str]) -> tuple[list[str], Matrix]:
    """Names and columns (areas x coefficients) of intercept, numbers and levels of text, sorted."""
    columns: dict[str, Vector] = {"intercept": np.ones(areas.height)}
    for name in covariates:
        column = areas[name]
        if column.dtype.is_numeric():
            columns[name] = column.cast(pl.Float64).to_numpy()
        else:
            levels = column.cast(pl.String)
            for level in levels.unique().sort()[1:]:
                columns[f"{name}={level}"] = (levels == level).cast(pl.Float64).to_numpy()
    return list(columns), np.column_stack(list(columns.values()))


def _basis(terms: list[str], design: Matrix) -> Matrix:
    """Matrix (coefficients x coefficients) that makes the columns of `design` orthonormal."""
    from scipy.linalg import qr

    length = np.linalg.norm(design, axis=0)
    _, triangle, order = qr(design / np.where(length > 0, length, 1), mode="economic", pivoting=True)
    dependent = np.abs(np.diag(triangle)) <= _COLLINEAR
    if dependent.any():
        # The intercept is never the one to leave out.
        named = [term for term in (terms[column] for column in order[dependent]) if term != "intercept"] or terms[1:]
        raise SmallAreaError(
            f"the covariates are collinear: {', '.join(sorted(named))} follows from the others (or is the same in all "
            "areas with a direct estimate). Leave it out."
        )
    inverse: Matrix = np.linalg.inv(np.linalg.qr(design / length, mode="r")) / length[:, None]
    return inverse


def _back(mean: Vector, variance: Vector, transformation: Transformation) -> tuple[Vector, Vector]:
    """Mean and variance of what N(mean, variance) is on the scale of the direct estimates."""
    if transformation == "none":
        return mean, variance
    nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    weights = weights / weights.sum()
    if transformation == "arcsin":
        mean = mean.clip(0, np.pi / 2)
    points = mean[:, None] + np.sqrt(variance)[:, None] * nodes
    values = np.sin(points) ** 2 if transformation == "arcsin" else (1 + np.tanh(points / 2)) / 2
    expected = values @ weights
    return expected, (values - expected[:, None]) ** 2 @ weights


def _explained(model_variance: float, without_covariates: float) -> float | None:
    return 1 - model_variance / without_covariates if without_covariates > 0 else None


def _residual_diagnostics(residual: Vector) -> dict[str, float | None]:
    from scipy.stats import shapiro

    differ = float(np.ptp(residual)) > 0
    return {
        "normality_p": float(shapiro(residual).pvalue) if differ else None,
        "largest_residual": float(np.abs(residual).max()),
    }


def _gains(estimates: pl.DataFrame) -> dict[str, float | None]:
    direct = 100 * pl.col("direct_se") / pl.col("direct").abs()
    model = 100 * pl.col("mse").sqrt() / pl.col("estimate").abs()
    known = estimates.filter((pl.col("direct") != 0) & (pl.col("direct_se") > 0) & (pl.col("estimate") != 0))
    return known.select(
        mean_cv_direct=direct.mean(), mean_cv_estimate=model.mean(), mean_cv_gain=(100 * (1 - model / direct)).mean()
    ).row(0, named=True)
