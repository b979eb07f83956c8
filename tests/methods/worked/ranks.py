"""Worked examples of ranks, of the ranks that sampling error leaves open, and of what moves them."""

from __future__ import annotations

import numpy as np

from methods.index.composite import Composite, Normaliser
from methods.index.ranks import ahead_shares, rank_intervals, ranks
from methods.index.sensitivity import Choices, score_draws
from methods.index.sobol import estimates
from tests.methods.worked import Example

_PLACES = ["A", "B", "C", "D", "E"]
_SCORES = np.array([0.70, 0.62, 0.70, np.nan, 0.55])
_ESTIMATES, _ERRORS = np.array([0.70, 0.66, 0.64, 0.60, 0.52]), np.array([0.03, 0.03, 0.03, 0.03, 0.04])
_DRAWS = np.array([[0.70, 0.66, 0.60], [0.65, 0.67, 0.61], [0.68, 0.68, 0.66], [0.71, 0.64, 0.66]])

_COMPOSITE = Composite(
    indicators=("work", "benefits", "health"),
    themes=("labour", "health"),
    theme_of=np.array([0, 0, 1]),
    polarity=np.array([1, -1, 1]),
    weights=np.ones(3),
    theme_weights=np.ones(2),
    goalposts=np.array([[60.0, 80], [10, 50], [70, 90]]),
    minimum_coverage=np.array([1.0, 1, 1]),
)
_FIGURES = np.array([[70.0, 20, 80], [75, 30, 78], [68, 18, 84], [72, 26, 79], [65, 40, 88]])
_VALUES = np.array([[[1.0], [3]], [[2], [6]], [[2], [5]], [[1], [4]]])  # at A, B, A with 1 from B, A with 2 from B


def _drawn() -> list[float]:
    """A draw with weights of its own, and one with the harmonic mean that leaves out health."""
    choices = Choices(
        normalisation=np.array([0, 0]),
        mean=np.array([0, 2]),
        left_out=np.array([-1, 2]),
        weights=np.array([[1.2, 0.8, 1.0], [1.0, 1.0, 0.0]]),
        theme_weights=np.array([[0.9, 1.1], [1.0, 1.0]]),
    )
    normalisers = {"goalposts": Normaliser.fit(_COMPOSITE, "goalposts", _FIGURES)}
    first, second = (
        score_draws(_COMPOSITE, _FIGURES, normalisers, choices, np.array([draw]), np.zeros((1, 1, 1)))[0, 0]
        for draw in (0, 1)
    )
    return [*first.tolist(), *second.tolist()]


def _explained() -> list[float]:
    found = estimates(_VALUES, np.random.default_rng(1))
    return [*found.mean.tolist(), *found.first_order[0].tolist(), *found.total_order[0].tolist()]


EXAMPLES = [
    Example(
        title="Ranks",
        text=(
            "A rank is 1 plus the number of higher scores. Equal scores share the best place; who has no score has no "
            "rank, and is not one of those that others are ranked with."
        ),
        header=["place", "score"],
        rows=[
            [place, "-" if np.isnan(score) else f"{score:.2f}"] for place, score in zip(_PLACES, _SCORES, strict=True)
        ],
        steps=[
            ("A: none is higher", "1 + 0"),
            ("B: A and C are higher", "1 + 2"),
            ("C: none is higher, A is equal", "1 + 0"),
            ("E: A, B and C are higher", "1 + 3"),
        ],
        result=lambda: [float(ranks(_SCORES)[place]) for place in (0, 1, 2, 4)],
    ),
    Example(
        title="Ranks that sampling error leaves open",
        text=(
            "Five places make ten pairs. A difference counts as shown when it is more than 2.807 standard errors: the "
            "two-sided 5% divided by ten. A standard error of a difference is the root of the sum of two squares: "
            "0.0424 for two errors of 0.03, and 0.05 with that of E. So a difference must be more than 0.119, or "
            "0.140 with E."
        ),
        header=["place", "score", "standard error"],
        rows=[
            [place, f"{score:.2f}", f"{error:.2f}"]
            for place, score, error in zip(_PLACES, _ESTIMATES, _ERRORS, strict=True)
        ],
        steps=[
            ("A, best: none is shown to be above it", "1 + 0"),
            ("A, worst: E is shown to be below it (0.18 > 0.140)", "5 - 1"),
            ("B, worst: none is shown to be below it (E: 0.14 < 0.1404)", "5 - 0"),
            ("D, best: A is not shown to be above it (0.10 < 0.119)", "1 + 0"),
            ("E, best: A is shown to be above it", "1 + 1"),
            ("E, worst", "5 - 0"),
        ],
        result=lambda: [
            float(rank_intervals(_ESTIMATES, _ERRORS)[end][place])
            for place, end in ((0, 0), (0, 1), (1, 1), (3, 0), (4, 0), (4, 1))
        ],
    ),
    Example(
        title="How often one is ahead of another",
        text="The percentage of draws in which the first place has the higher score; equal scores count half.",
        header=["draw", "A", "B", "C"],
        rows=[[str(number + 1), *(f"{score:.2f}" for score in draw)] for number, draw in enumerate(_DRAWS)],
        steps=[
            ("A ahead of B: draws 1 and 4, equal in 3", "100 * (2 + 1 / 2) / 4"),
            ("B ahead of A", "100 * (1 + 1 / 2) / 4"),
            ("B ahead of C: draws 1, 2 and 3", "100 * 3 / 4"),
        ],
        result=lambda: [float(ahead_shares(_DRAWS)[pair]) for pair in ((0, 1), (1, 0), (1, 2))],
    ),
    Example(
        title="Two draws of how a score is made",
        text=(
            "Scores of place A by the scales work 60-80, benefits 10-50 (lower is better) and health 70-90. Work and "
            "benefits make the theme labour, health is a theme of its own. The first draw multiplies the weights of "
            "the indicators by 1.2, 0.8 and 1.0, those of the themes by 0.9 and 1.1. The second takes the harmonic "
            "mean and leaves out health: the theme keeps its own score, and drops out of the overall score."
        ),
        header=["place", "work", "benefits", "health"],
        rows=[
            [place, *(f"{figure:g}" for figure in figures)] for place, figures in zip(_PLACES, _FIGURES, strict=True)
        ],
        steps=[
            (
                "labour, first draw",
                "(1.2 * (70 - 60) / (80 - 60) + 0.8 * (50 - 20) / (50 - 10)) / (1.2 + 0.8)",
            ),
            ("health, first draw", "(80 - 70) / (90 - 70)"),
            ("overall, first draw", "(0.9 * (1.2 * 0.5 + 0.8 * 0.75) / 2 + 1.1 * 0.5) / (0.9 + 1.1)"),
            ("labour, second draw", "2 / (1 / 0.5 + 1 / 0.75)"),
            ("health, second draw", "(80 - 70) / (90 - 70)"),
            ("overall, second draw: labour alone", "2 / (1 / 0.5 + 1 / 0.75)"),
        ],
        result=_drawn,
    ),
    Example(
        title="Which choice explains the shift in ranks",
        text=(
            "A sample A of choices, a second one B, and A with one choice at a time taken from B; here two draws and "
            "two choices. The numbers are shifts in rank. The mean of A and B is 3, their variance, the mean square "
            "from it, (4 + 0 + 1 + 9) / 4 = 3.5. A choice explains alone what B's shifts have in common with the "
            "change it makes in A, and in total half the mean square of that change, both as a share of the variance."
        ),
        header=["draw", "A", "B", "A, choice 1 from B", "A, choice 2 from B"],
        rows=[[str(draw + 1), *(f"{values[draw, 0]:g}" for values in _VALUES)] for draw in range(2)],
        steps=[
            ("mean shift", "(1 + 3 + 2 + 6) / 4"),
            (
                "choice 1 alone",
                "((2 - 3) * (2 - 1) + (6 - 3) * (5 - 3)) / 2 / 3.5",
            ),
            ("choice 2 alone", "((2 - 3) * (1 - 1) + (6 - 3) * (4 - 3)) / 2 / 3.5"),
            ("choice 1 in total", "((1 - 2) ** 2 + (3 - 5) ** 2) / 2 / 2 / 3.5"),
            ("choice 2 in total", "((1 - 1) ** 2 + (3 - 4) ** 2) / 2 / 2 / 3.5"),
        ],
        result=_explained,
    ),
]
