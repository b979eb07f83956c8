"""A framework as numbers: figures become scores between FLOOR and 1, and scores become theme scores and an overall one.

All works on the last axis, so that a thousand draws of all municipalities are one call: figures and scores are
(..., k), one column an indicator, and the results (..., t + 1), one column a theme and the overall score last. NaN
stands for a figure, or a score, that is not there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np
import numpy.typing as npt

from catalog.analysis_model import Mean, Normalisation
from methods.index.aggregate import Array, grouped_means
from methods.index.normalise import extremes, moments

NORMALISATIONS: tuple[Normalisation, ...] = get_args(Normalisation)
MEANS: tuple[Mean, ...] = get_args(Mean)
# Scores stay above 0: a geometric or harmonic mean has no use for a score of 0, and one bad figure must not decide all.
FLOOR = 0.01

_POWERS: dict[Mean, float] = {"arithmetic": 1, "geometric": 0, "harmonic": -1}
_SPREAD = 3  # standard deviations either side of the mean between which z-scores become scores of 0-1
_ROUNDING = 1e-9  # a coverage of 0.8 that computes as 0.7999999999 is enough for a minimum of 0.8


@dataclass(frozen=True)
class Composite:
    """A framework of k indicators in t themes.

    `theme_of` (k,): index of the indicator's theme. `polarity` (k,): 1 where high is favourable, else -1. `weights`
    (k,): above 0, within the theme. `theme_weights` (t,): above 0. Only the proportions of weights count. `goalposts`
    (k, 2): the lowest and highest figure of the scale, in the figure's unit. `minimum_coverage` (t + 1,): the share
    of the weight that must have a figure, the last one for the overall score.

    Raises ValueError when these do not fit together.
    """

    indicators: tuple[str, ...]
    themes: tuple[str, ...]
    theme_of: npt.NDArray[np.int_]
    polarity: npt.NDArray[np.int_]
    weights: Array
    theme_weights: Array
    goalposts: Array
    minimum_coverage: Array

    def __post_init__(self) -> None:
        k, t = len(self.indicators), len(self.themes)
        shapes = {
            "theme_of": (k,),
            "polarity": (k,),
            "weights": (k,),
            "theme_weights": (t,),
            "goalposts": (k, 2),
            "minimum_coverage": (t + 1,),
        }
        for name, shape in shapes.items():
            if (found := np.shape(getattr(self, name))) != shape:
                raise ValueError(f"{name} of {k} indicators in {t} themes has shape {shape}, found {found}")
        if set(np.unique(self.theme_of)) != set(range(t)):
            raise ValueError(
                f"theme_of must name each of the themes 0 to {t - 1}, found {np.unique(self.theme_of).tolist()}"
            )
        if not np.isin(self.polarity, (-1, 1)).all():
            raise ValueError(f"polarity must be 1 or -1, found {self.polarity}")
        if not ((self.weights > 0).all() and (self.theme_weights > 0).all()):
            raise ValueError(f"weights must be above 0, found {self.weights} and {self.theme_weights}")
        if (self.goalposts[:, 0] > self.goalposts[:, 1]).any():
            raise ValueError(f"the first goalpost must not lie above the second, found {self.goalposts.tolist()}")

    @property
    def members(self) -> Array:
        """(k, t): 1 where the indicator is of the theme, else 0."""
        return np.equal.outer(self.theme_of, np.arange(len(self.themes))).astype(float)


@dataclass(frozen=True)
class Normaliser:
    """Turns figures into scores, as fitted on reference figures: `Normaliser.fit(...)`, then `normaliser(values)`.

    A score is `base + slope * (figure - origin)`, unless `percentiles` has two points or more for the indicator: the
    different reference figures and their scores.
    """

    base: Array
    slope: Array
    origin: Array
    percentiles: tuple[tuple[Array, Array], ...] | None = None

    @classmethod
    def fit(cls, composite: Composite, method: Normalisation, reference: Array) -> Normaliser:
        """The scale of each indicator, from (m, k) reference figures (all municipalities at the baseline).

        `goalposts`: from the framework's low to its high goalpost. `min_max`: from the lowest to the highest reference
        figure. `z_score`: from three standard deviations below the mean to three above. `percentile`: the share of
        reference figures that lie below, ties counted half (COINr's `n_prank` where there are no ties), and in between
        on the line between neighbours, so that a small error in a figure moves its score little.

        A scale without length, as of reference figures that are all alike, scores 0.5; one without figures scores NaN.
        """
        k = len(composite.indicators)
        if reference.ndim != 2 or reference.shape[1] != k:
            raise ValueError(f"reference figures must be of shape (m, {k}), found {reference.shape}")
        if method == "percentile":
            curves = tuple(
                _percentiles(column, sign) for column, sign in zip(reference.T, composite.polarity, strict=True)
            )
            base = np.array([0.5 if len(figures) else np.nan for figures, _ in curves])
            return cls(base, np.zeros(k), np.zeros(k), curves)
        if method == "goalposts":
            low, high = composite.goalposts.T
        elif method == "min_max":
            low, high = np.array([extremes(column) for column in reference.T]).T
        elif method == "z_score":
            mean, deviation = np.array([moments(column) for column in reference.T]).T
            low, high = mean - _SPREAD * deviation, mean + _SPREAD * deviation
        else:
            raise ValueError(f"the normalisation must be one of {', '.join(NORMALISATIONS)}, found {method}")
        return cls._between(low, high, composite.polarity)

    @classmethod
    def _between(cls, low: Array, high: Array, polarity: npt.NDArray[np.int_]) -> Normaliser:
        flat = high == low
        return cls(
            base=np.where(flat, 0.5, 0.0),
            slope=np.where(flat, 0.0, polarity / np.where(flat, 1.0, high - low)),
            origin=np.where(polarity > 0, low, high),
        )

    def __call__(self, values: Array) -> Array:
        """Scores (..., k) of figures (..., k) in [FLOOR, 1], 1 being the favourable end; NaN stays NaN."""
        scores = self._unbounded(values)
        return np.clip(scores, FLOOR, 1.0, out=scores)

    def errors(self, values: Array, errors: Array) -> Array:
        """Standard errors of scores (..., k) from standard errors of the figures, to first order.

        Half of what the score changes from one standard error below the figure to one above. That scores are cut off
        at both ends is left out: it would give the figure at the end of the scale an error of 0. (A percentile goes no
        further than the lowest and highest reference figure.)
        """
        return np.abs(self._unbounded(values + errors) - self._unbounded(values - errors)) / 2

    def _unbounded(self, values: Array) -> Array:
        scores = values - self.origin
        scores *= self.slope
        scores += self.base
        for column, (figures, shares) in enumerate(self.percentiles or ()):
            if len(figures) > 1:
                scores[..., column] = np.interp(values[..., column], figures, shares)
        return scores


def theme_scores(
    scores: Array,
    composite: Composite,
    mean: Mean = "arithmetic",
    weights: Array | None = None,
    theme_weights: Array | None = None,
) -> Array:
    """Theme scores and, last, the overall score (..., t + 1) of indicator scores (..., k) above 0.

    A theme is the weighted mean of its indicators and the overall score the same mean of the themes; what is missing
    is left out and the other weights count for more. NaN where coverage is below the minimum.

    `weights` (..., k) and `theme_weights` (..., t) replace those of the framework and may differ from draw to draw. A
    weight of 0 leaves out: a theme in which nothing has a weight has no score and drops out of the overall score.
    Coverage is of the framework's own weights: a choice under test does not make a figure missing.
    """
    power = _POWERS[mean]
    weights = composite.weights if weights is None else weights
    theme_weights = composite.theme_weights if theme_weights is None else theme_weights
    themes = grouped_means(scores, weights, composite.members, power)
    enough = None
    if np.isnan(scores).any():
        enough = coverage(scores, composite) >= composite.minimum_coverage - _ROUNDING
        themes = np.where(enough[..., :-1], themes, np.nan)
    overall = grouped_means(themes, theme_weights, np.ones((len(composite.themes), 1)), power)
    if enough is not None:
        overall = np.where(enough[..., -1:], overall, np.nan)
    return np.concatenate([themes, overall], axis=-1)


def coverage(values: Array, composite: Composite) -> Array:
    """Share of the weight (0-1) that has a figure (..., t + 1); of the overall score, that has a theme score."""
    members = composite.members * composite.weights[:, None]
    themes = (~np.isnan(values)).astype(float) @ (members / members.sum(axis=0))
    enough = themes >= composite.minimum_coverage[:-1] - _ROUNDING
    overall = enough @ (composite.theme_weights / composite.theme_weights.sum())
    return np.concatenate([themes, overall[..., None]], axis=-1)


def gradients(scores: Array, composite: Composite, mean: Mean = "arithmetic") -> Array:
    """How much each theme score and, last, the overall score changes with an indicator score: (..., t + 1, k).

    With M the mean of order p of scores s with weights w that add up to 1, dM / ds is w (M / s)^(1 - p). 0 for figures
    that are missing or of another theme, NaN for a score that is not there.
    """
    power = _POWERS[mean]
    results = theme_scores(scores, composite, mean)
    themes, overall = results[..., :-1], results[..., -1:]
    of_theme = _slopes(scores[..., None, :], themes[..., None], composite.members.T * composite.weights, power)
    of_overall = _slopes(themes, overall, composite.theme_weights, power)
    through = np.einsum("...t,...tk->...k", np.nan_to_num(of_overall), np.nan_to_num(of_theme))
    through = np.where(np.isnan(overall), np.nan, through)
    return np.concatenate([of_theme, through[..., None, :]], axis=-2)


def standard_errors(
    values: Array,
    errors: Array,
    blocks: npt.NDArray[np.int_],
    normaliser: Normaliser,
    composite: Composite,
    mean: Mean = "arithmetic",
    *,
    exact: npt.NDArray[np.bool_] | None = None,
) -> Array:
    """Standard errors (..., t + 1) of theme scores and the overall score, to first order (the delta method).

    `errors` (..., k) are the standard errors of the figures `values`, NaN where not known; `exact` (k,) are indicators
    without sampling error, whatever their `errors`. Figures with the same number in `blocks` (k,) come from the same
    respondents and may be correlated in any way: their errors add up, which is the most they can come to. Those of
    different blocks are independent: their squares add up.

    The scale itself is taken as exact, also where it was fitted on figures with a margin. NaN where the score is not
    there, or counts a figure that is not exact and has no standard error.
    """
    known = errors if exact is None else np.where(exact, 0.0, errors)
    scores = normaliser(values)
    slopes = gradients(scores, composite, mean)
    parts = np.abs(slopes) * np.where(np.isnan(scores), 0.0, normaliser.errors(values, known))[..., None, :]
    # A figure that does not count adds 0, also where its own error is not known.
    parts = np.where(slopes == 0, 0.0, parts)
    together = np.equal.outer(blocks, np.unique(blocks)).astype(float)
    squares: Array = ((parts @ together) ** 2).sum(axis=-1)
    return np.sqrt(squares)


def _slopes(scores: Array, mean: Array, weights: Array, power: float) -> Array:
    """dM / ds over the last axis; 0 where s is missing, NaN where M is."""
    counted = np.where(np.isnan(scores), 0.0, weights)
    total = counted.sum(axis=-1, keepdims=True)
    share = counted / np.where(total > 0, total, np.nan)
    slopes = share * (mean / np.where(counted > 0, scores, 1.0)) ** (1 - power)
    return np.where(np.isnan(mean), np.nan, slopes)


def _percentiles(column: Array, polarity: int) -> tuple[Array, Array]:
    """The different figures of a column in ascending order, and their percentile scores."""
    figures, counts = np.unique(column[~np.isnan(column)], return_counts=True)
    below = counts.cumsum() - counts
    shares = (below + (counts - 1) / 2) / max(counts.sum() - 1, 1)
    return figures, shares if polarity > 0 else 1 - shares
