"""Estimates of one sample or one domain of it: means, totals, ratios, variances, shares and tables.

Standard errors are by Taylor linearisation of the full design, and know what was calibrated. A text column stands for
one variable a code, 1 for those who have it, named column and code together (`awardsNo`, `awardsYes`). Respondents
without a value of any of the variables are outside the domain. Many means at once: domains.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from methods.survey.design import Array, Mask, Survey, SurveyError
from methods.survey.domains import Difference, tested
from methods.survey.intervals import ShareInterval, logistic_information, share_interval


@dataclass(frozen=True)
class Estimates:
    """Estimates (m) with their covariance (m, m), design effects and the design's degrees of freedom.

    `design_effect` is the variance over that of a simple random sample without replacement of n from a population of
    the sum of the weights, `design_effect_replace` with replacement.
    """

    names: tuple[str, ...]
    estimate: Array
    covariance: Array
    degrees_of_freedom: int
    n: int
    design_effect: Array | None = None
    design_effect_replace: Array | None = None

    @property
    def standard_error(self) -> Array:
        """Standard errors (m)."""
        return np.sqrt(np.diag(self.covariance))

    @property
    def cv(self) -> Array:
        """Coefficients of variation (m): standard error over estimate."""
        return np.asarray(self.standard_error / self.estimate)

    def interval(self, level: float = 0.95, degrees_of_freedom: float | None = None) -> tuple[Array, Array]:
        """Lower and upper bounds (m) of t-intervals; `degrees_of_freedom=inf` gives normal ones."""
        from scipy.special import ndtri, stdtrit  # heavy: only where it is used

        df = self.degrees_of_freedom if degrees_of_freedom is None else degrees_of_freedom
        width = float(ndtri(0.5 + level / 2) if np.isinf(df) else stdtrit(df, 0.5 + level / 2)) * self.standard_error
        return self.estimate - width, self.estimate + width

    def contrast(self, coefficients: Mapping[str, float]) -> Difference:
        """A sum of estimates times coefficients, by name, and the test that it is 0 (R `svycontrast`)."""
        if unknown := sorted(set(coefficients) - set(self.names)):
            raise SurveyError(f"no estimate of {', '.join(unknown)}.")
        c = np.array([coefficients.get(name, 0.0) for name in self.names])
        return tested(float(c @ self.estimate), 0.0, float(c @ self.covariance @ c), self.degrees_of_freedom)


@dataclass(frozen=True)
class Share:
    """A share between 0 and 1 with its interval; bounds are NaN where they cannot be known."""

    estimate: float
    standard_error: float
    low: float
    high: float
    degrees_of_freedom: int
    n: int


def mean(survey: Survey, variables: Sequence[str], domain: Mask | None = None) -> Estimates:
    """Means of variables together, in the whole sample or a domain (R `svymean`)."""
    names, y, inside = complete(survey, variables, domain)
    w = survey.weights * inside
    total, n = w.sum(), int(inside.sum())
    average = w @ y / total
    z = w[:, None] * (y - average) / total
    simple = np.sum(w[:, None] * (y - average) ** 2, axis=0) / total * n / (n - 1)
    return _estimates(survey, names, average, z, inside, simple)


def total(survey: Survey, variables: Sequence[str], domain: Mask | None = None) -> Estimates:
    """Totals of variables together, in the whole sample or a domain (R `svytotal`)."""
    names, y, inside = complete(survey, variables, domain)
    w = survey.weights * inside
    weight, n = w.sum(), int(inside.sum())
    average = w @ y / weight
    simple = np.sum(w[:, None] * (y - average) ** 2, axis=0) / weight * n / (n - 1) * weight**2
    return _estimates(survey, names, w @ y, w[:, None] * y, inside, simple)


def ratio(survey: Survey, numerator: str, denominator: str, domain: Mask | None = None) -> Estimates:
    """The ratio of two totals, named `numerator/denominator` (R `svyratio`)."""
    _, y, inside = complete(survey, [numerator, denominator], domain)
    w = survey.weights * inside
    over, under = w @ y
    z = w * (y[:, 0] - over / under * y[:, 1]) / under
    return _estimates(survey, [f"{numerator}/{denominator}"], np.array([over / under]), z[:, None], inside)


def variance(survey: Survey, variable: str, domain: Mask | None = None) -> Estimates:
    """The variance of a variable in the population, with n / (n - 1) (R `svyvar`)."""
    names, y, inside = complete(survey, [variable], domain)
    w, n = survey.weights * inside, int(inside.sum())
    squared = (y - w @ y / w.sum()) ** 2 * n / (n - 1)
    value = w @ squared / w.sum()
    return _estimates(survey, names, value, w[:, None] * (squared - value) / w.sum(), inside)


def proportion(
    survey: Survey,
    having: Mask,
    interval: ShareInterval = "logit",
    level: float = 0.95,
    domain: Mask | None = None,
) -> Share:
    """The share (0-1) of people who are `having` (n) something, with an interval (R `svyciprop`; `share_interval`)."""
    inside = np.ones(survey.n, dtype=bool) if domain is None else domain
    w = survey.weights * inside
    p = float(w @ having / w.sum())
    error = float(np.sqrt(survey.covariance((w * (having - p) / w.sum())[:, None])[0, 0]))
    df, n = survey.degrees_of_freedom(inside), int(inside.sum())
    likely = interval == "likelihood" and 0 < p < 1
    information = logistic_information(having[inside], survey.weights[inside]) if likely else None
    low, high = share_interval(p, error, df, n, interval, level, information=information)
    return Share(p, error, float(low), float(high), df, n)


def crosstab(survey: Survey, row: str, column: str) -> pl.DataFrame:
    """Weighted numbers of people by the codes of two columns, `count` (R `svytable`), sorted."""
    frame = survey.frame.select(row, column).with_columns(pl.Series("count", survey.weights))
    return frame.drop_nulls().group_by(row, column).agg(pl.col("count").sum()).sort(row, column)


def complete(survey: Survey, variables: Sequence[str], domain: Mask | None = None) -> tuple[list[str], Array, Mask]:
    """Variables as numbers: their names, values (n, m) with 0 where missing, and who is inside with all values (n)."""
    names: list[str] = []
    columns: list[Array] = []
    for variable in variables:
        series = survey.frame[variable] if variable in survey.frame.columns else None
        if series is not None and series.dtype in (pl.String, pl.Categorical, pl.Enum):
            text = series.cast(pl.String)
            for code in text.drop_nulls().unique().sort():
                names.append(f"{variable}{code}")
                columns.append((text == code).cast(pl.Float64).to_numpy())
        else:
            names.append(variable)
            columns.append(survey.values(variable))
    y = np.column_stack(columns)
    inside: Mask = np.logical_not(np.isnan(y).any(axis=1))
    if domain is not None:
        inside = np.logical_and(inside, domain)
    if inside.sum() < 2:
        raise SurveyError(f"{', '.join(variables)}: expected at least two respondents with a value in the domain.")
    return names, np.where(np.isnan(y), 0.0, y), inside


def _estimates(
    survey: Survey, names: Sequence[str], estimate: Array, z: Array, inside: Mask, simple: Array | None = None
) -> Estimates:
    """Estimates from linearised values z (n, m); `simple` is n times the variance in a simple random sample."""
    covariance = survey.covariance(z)
    n, population = int(inside.sum()), float(survey.weights[inside].sum())
    effect = effect_replace = None
    if simple is not None and (simple > 0).all():
        effect_replace = np.diag(covariance) * n / simple
        effect = effect_replace / (1 - n / population) if population > n else np.full(len(names), np.nan)
    df = survey.degrees_of_freedom(inside)
    return Estimates(tuple(names), estimate, covariance, df, n, effect, effect_replace)
