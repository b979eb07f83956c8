"""How far ranks move when the choices behind a score are made otherwise, and which choice moves them most.

Five things are varied together: how figures are normalised, which mean adds them up, how heavily each part weighs,
which indicator is left out, and the sampling error of the figures. The default (goalposts, arithmetic mean, the
framework's own weights, nothing left out, the figures as measured) is one of the possible draws.

`sensitivity` gives the range of ranks over many draws: a *sensitivity range*, not a confidence interval.
`sobol_indices` says how much of the shift in ranks each of the five explains.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from catalog.analysis_model import SensitivitySettings
from methods.index.aggregate import Array
from methods.index.composite import MEANS, Composite, Normaliser, theme_scores
from methods.index.ranks import ranks, wins
from methods.index.sobol import indices, sobol_points

Integers = npt.NDArray[np.integer[Any]]

FACTORS = ("normalisation", "mean", "weights", "left_out", "sampling_error")
DEFAULT = "goalposts"
NONE = -1  # nothing is left out
_CELLS = 2**20  # figures in a chunk of draws, which has random numbers of its own
_CACHED = 2**17  # figures scored at a time: what fits in the caches decides the speed
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Uncertain:
    """Figures of n units with their sampling error.

    `values` (n, k): NaN where there is none. `standard_errors` (n, k): 0 where exact; NaN, not known, counts as 0.
    `blocks` (k,): figures with the same number come from the same respondents. `own` (n,): the region's own units.
    """

    values: Array
    standard_errors: Array
    blocks: Integers
    own: npt.NDArray[np.bool_]

    def __post_init__(self) -> None:
        n, k = self.values.shape
        for name, shape in (("standard_errors", (n, k)), ("blocks", (k,)), ("own", (n,))):
            if (found := np.shape(getattr(self, name))) != shape:
                raise ValueError(f"{name} of {n} units and {k} indicators has shape {shape}, found {found}")
        if not self.own.any():
            raise ValueError("none of the units is one of the region's own")


@dataclass(frozen=True)
class Sensitivity:
    """Where the own units stand over all draws; theme by theme, the overall score last.

    `rank_low`, `rank_high` and `rank_median` (own, t + 1): among the own units ("region") and, where there are others
    too, among all ("country"), in the order of the units. NaN for a unit without a score; it is not among those ranked.
    `ahead` (t + 1, own, own): percentage of draws in which the first is ahead of the second, ties half.
    """

    rank_low: dict[str, Array]
    rank_high: dict[str, Array]
    rank_median: dict[str, Array]
    ahead: Array
    draws: int


@dataclass(frozen=True)
class SobolIndices:
    """Shares (t + 1, factors) of the variance of the shift in ranks, with 95% bootstrap intervals (t + 1, factors, 2).

    `mean_rank_shift` (t + 1): mean number of places by which an own unit moves from its default rank among the own.
    NaN for a score by which ranks never move, and where no own unit has one.
    """

    factors: tuple[str, ...]
    first_order: Array
    first_order_ci: Array
    total_order: Array
    total_order_ci: Array
    mean_rank_shift: Array


@dataclass(frozen=True)
class Choices:
    """m draws of how a score is made.

    `normalisation` and `mean` (m,): places in the normalisers given and in MEANS. `left_out` (m,): an indicator, or
    NONE. `weights` (m, k), 0 where left out, and `theme_weights` (m, t).
    """

    normalisation: Integers
    mean: Integers
    left_out: Integers
    weights: Array
    theme_weights: Array

    @classmethod
    def of(cls, composite: Composite, normalisers: int, points: Array, multipliers: Array) -> Choices:
        """From points (m, 3) in [0, 1) and what the weights are multiplied by (m, k + t)."""
        k = len(composite.indicators)
        normalisation, mean, left_out = (points * [normalisers, len(MEANS), k + 1]).astype(int).T
        weights = composite.weights * multipliers[:, :k]
        weights[np.equal.outer(left_out - 1, np.arange(k))] = 0.0
        return cls(normalisation, mean, left_out - 1, weights, composite.theme_weights * multipliers[:, k:])

    def alike(self, most: int) -> list[Integers]:
        """The draws in chunks of at most `most` that share normalisation and mean, in a fixed order."""
        kind = self.normalisation * len(MEANS) + self.mean
        kinds = [np.flatnonzero(kind == one) for one in np.unique(kind)]
        return [draws[start : start + most] for draws in kinds for start in range(0, len(draws), most)]


def sensitivity(
    composite: Composite,
    uncertain: Uncertain,
    normalisers: Mapping[str, Normaliser],
    settings: SensitivitySettings,
    *,
    workers: int | None = None,
) -> Sensitivity:
    """Ranks of the own units over `settings.draws` draws (Monte Carlo; Saisana, Saltelli & Tarantola 2005, JRSS A 168).

    Choices are scrambled Sobol points: a normaliser, a mean, no indicator or one of them left out, all equally likely,
    and weights each times 1 - noise to 1 + noise. A theme left with nothing drops out of the overall score; its own
    score keeps its only indicator. Errors are normal, one number a unit and block: the figures of the same respondents
    move in the favourable direction together, as far as each one's standard error.

    A range runs from the first rank that at least `range_percent[0]` percent of draws do not exceed to the first that
    at least `range_percent[1]` percent do not. The seed decides every bit of the result; the number of `workers`
    (threads; all processors) decides none.
    """
    _check(composite, uncertain, normalisers)
    n, k = uncertain.values.shape
    t = len(composite.themes)
    points = sobol_points(3 + k + t, settings.draws, _stream(settings, 1))
    choices = Choices.of(composite, len(normalisers), points[:, :3], _multipliers(points[:, 3:], settings))
    numbered = list(enumerate(choices.alike(max(1, _CELLS // (n * k))), start=1))
    remaining = iter(numbered)  # each worker takes the next: counts add up to the same in any order
    most = max(1, _CACHED // (n * k))

    def share(_: int) -> _Tally:
        tally = _Tally.empty(n, int(uncertain.own.sum()), t + 1)
        for number, draws in remaining:
            errors = _errors(composite, uncertain, len(draws), _stream(settings, 2, number))
            for start in range(0, len(draws), most):
                piece = slice(start, start + most)
                scores = score_draws(composite, uncertain.values, normalisers, choices, draws[piece], errors[piece])
                tally.add(scores, uncertain.own)
        return tally

    workers = workers or os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool:
        tallies = list(pool.map(share, range(workers)))
    return _summary(tallies, settings)


def score_draws(
    composite: Composite,
    values: Array,
    normalisers: Mapping[str, Normaliser],
    choices: Choices,
    draws: Integers,
    errors: Array,
) -> Array:
    """Scores (draws, n, t + 1) of the figures (n, k) plus their errors, (draws, n, k) or (draws, 1, 1).

    `draws` are the numbers of draws that share a normaliser and a mean, as in a chunk of `choices.alike`. A unit has a
    score in all of them or in none: what is left out on purpose is not missing.
    """
    normaliser, mean = list(normalisers.values())[choices.normalisation[draws[0]]], MEANS[choices.mean[draws[0]]]
    scores = normaliser(values + errors)
    weights, theme_weights = choices.weights[draws, None], choices.theme_weights[draws, None]
    found = theme_scores(scores, composite, mean, weights, theme_weights)
    # Where only the indicator left out had a figure, a score keeps it.
    scored = ~np.isnan(theme_scores(normaliser(values), composite, mean))
    kept = np.take_along_axis(scores, np.maximum(choices.left_out[draws], 0)[:, None, None], axis=-1)
    return np.where(np.isnan(found) & scored, kept, found)


def sobol_indices(
    composite: Composite, uncertain: Uncertain, normalisers: Mapping[str, Normaliser], settings: SensitivitySettings
) -> SobolIndices:
    """Which choice moves the ranks of the own units among themselves, away from the default ones.

    What is explained is the mean absolute shift in rank (Saisana, Saltelli & Tarantola 2005). The five factors are
    numbers between 0 and 1; those of weights and sampling error choose from `settings.sobol_base` sets drawn before.
    """
    _check(composite, uncertain, normalisers)
    own = replace(
        uncertain,
        values=uncertain.values[uncertain.own],
        standard_errors=uncertain.standard_errors[uncertain.own],
        own=uncertain.own[uncertain.own],
    )
    (n, k), t, sets = own.values.shape, len(composite.themes), settings.sobol_base
    multipliers = _multipliers(sobol_points(k + t, sets, _stream(settings, 3)), settings)
    errors = _errors(composite, own, sets, _stream(settings, 4))
    default = ranks(theme_scores(normalisers[DEFAULT](own.values), composite).T)
    ranked = np.maximum((~np.isnan(default)).sum(axis=-1), 1)

    def shift(points: Array) -> Array:
        normalisation, mean, weights, left_out, error = points.T
        chosen, erring = ((number * sets).astype(int) for number in (weights, error))
        points = np.column_stack([normalisation, mean, left_out])
        choices = Choices.of(composite, len(normalisers), points, multipliers[chosen])
        shifts = np.empty((len(points), t + 1))
        for draws in choices.alike(max(1, _CACHED // (n * k))):
            scores = score_draws(composite, own.values, normalisers, choices, draws, errors[erring[draws]])
            moved = np.abs(ranks(np.moveaxis(scores, -1, 1)) - default)
            shifts[draws] = np.nansum(moved, axis=-1) / ranked
        return shifts

    found = indices(shift, len(FACTORS), sets, settings.seed)
    return SobolIndices(
        FACTORS,
        found.first_order,
        found.first_order_ci,
        found.total_order,
        found.total_order_ci,
        np.where(np.isnan(default).all(axis=-1), np.nan, found.mean),
    )


@dataclass
class _Tally:
    """How often each own unit had each rank (t + 1, own, units + 1; place 0: no score) among all and among the own.

    And `wins` of the own units over each other.
    """

    country: Integers
    region: Integers
    wins: Integers

    @classmethod
    def empty(cls, n: int, own: int, scores: int) -> _Tally:
        shapes = (scores, own, n + 1), (scores, own, own + 1), (scores, own, own)
        return cls(*(np.zeros(shape, dtype=np.int64) for shape in shapes))

    def add(self, scores: Array, own: npt.NDArray[np.bool_]) -> None:
        """Count draws: scores (draws, n, t + 1)."""
        scores = np.ascontiguousarray(np.moveaxis(scores, -1, 0))
        among_own = np.ascontiguousarray(scores[..., own])
        self.country += _rank_counts(among_own, scores)
        self.region += _rank_counts(among_own, among_own)
        self.wins += np.array([wins(one) for one in among_own])


def _rank_counts(scores: Array, among: Array) -> Integers:
    """How often each unit of scores (s, draws, own) has each rank in `among` (s, draws, n): (s, own, n + 1).

    A rank is 1 + the number of higher scores, as in `ranks`; to compare the few own units alone saves the sorting.
    """
    (s, _, own), n = scores.shape, among.shape[-1]
    counts = np.empty((s, own, n + 1), dtype=np.int64)
    for unit in range(own):
        one = scores[..., unit, None]
        places = np.where(np.isnan(one[..., 0]), 0, 1 + (among > one).sum(axis=-1))
        places += np.arange(s)[:, None] * (n + 1)
        counts[:, unit] = np.bincount(places.ravel(), minlength=s * (n + 1)).reshape(s, n + 1)
    return counts


def _summary(tallies: list[_Tally], settings: SensitivitySettings) -> Sensitivity:
    region, country, won = (sum(getattr(one, name) for one in tallies) for name in ("region", "country", "wins"))
    counts = {"region": region} | ({"country": country} if country.shape != region.shape else {})
    low, high = settings.range_percent
    with np.errstate(invalid="ignore"):  # a pair of which one never has a score
        ahead = 100 * won / (won + won.swapaxes(-1, -2))
    return Sensitivity(
        rank_low={among: _percentile(found, low) for among, found in counts.items()},
        rank_high={among: _percentile(found, high) for among, found in counts.items()},
        rank_median={among: _percentile(found, 50) for among, found in counts.items()},
        ahead=ahead,
        draws=settings.draws,
    )


def _percentile(counts: Integers, percent: float) -> Array:
    """The first rank (n, t + 1) that at least `percent` percent of the draws (t + 1, n, n + 1) do not exceed."""
    cumulative = counts[..., 1:].cumsum(axis=-1)
    draws = cumulative[..., -1:]
    place = 1.0 + (cumulative < percent / 100 * draws - _ROUNDING).sum(axis=-1)
    return np.asarray(np.where(draws[..., 0] > 0, place, np.nan).T)


def _stream(settings: SensitivitySettings, *numbers: int) -> np.random.Generator:
    """Random numbers of their own for every purpose (numbers from 1 on: a 0 at the end makes no difference)."""
    return np.random.default_rng([settings.seed, *numbers])


def _multipliers(points: Array, settings: SensitivitySettings) -> Array:
    """What weights are multiplied by: 1 - noise to 1 + noise."""
    return 1 + settings.weight_noise * (2 * points - 1)


def _errors(composite: Composite, uncertain: Uncertain, draws: int, rng: np.random.Generator) -> Array:
    """Errors of the figures (draws, n, k) that move with their block in the favourable direction.

    Each unit and block has a Latin hypercube of its own: one normal number out of each of `draws` equally likely parts,
    in random order. Ranges then depend less on the seed than with independent numbers.
    """
    from scipy.special import ndtri  # heavy: only where something is drawn

    errors = np.nan_to_num(uncertain.standard_errors) * composite.polarity
    sampled = errors.any(axis=0)
    if not sampled.any():
        return np.zeros((draws, 1, 1))
    _, block = np.unique(uncertain.blocks[sampled], return_inverse=True)
    size = len(errors), block.max() + 1
    parts = rng.random((*size, draws)).argsort(axis=-1)
    within = rng.uniform(_ROUNDING, 1 - _ROUNDING, (*size, 1))  # not at the ends: a normal number there is infinite
    normal = np.moveaxis(ndtri((parts + within) / draws), -1, 0)
    found = np.zeros((draws, *errors.shape))
    found[..., sampled] = normal[..., block] * errors[:, sampled]
    return found


def _check(composite: Composite, uncertain: Uncertain, normalisers: Mapping[str, Normaliser]) -> None:
    if uncertain.values.shape[1] != len(composite.indicators):
        raise ValueError(
            f"expected figures of {len(composite.indicators)} indicators, found {uncertain.values.shape[1]}"
        )
    if DEFAULT not in normalisers:
        raise ValueError(f"the default normalisation {DEFAULT} must be one of the normalisers, found {[*normalisers]}")
