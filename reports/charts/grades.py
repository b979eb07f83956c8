"""Report grades (rapportcijfers): how readers see a mean score of 0 to 1. The tables keep the score."""

from __future__ import annotations

from typing import Final

from catalog.survey_model import GradeScale
from reports.numbers import number

SCORE: Final = "score"  # the unit of the figures that readers see as a grade
DECIMALS: Final = 1


def grade(score: float, scale: GradeScale) -> float:
    """The report grade of a score; a difference of scores is to be multiplied by `span` instead."""
    return scale.lowest + span(scale) * score


def span(scale: GradeScale) -> float:
    """How many grades a whole point of score is worth: what differences and widths of margins are multiplied by."""
    return scale.highest - scale.lowest


def grade_words(scale: GradeScale) -> str:
    """The unit of a grade, with its ends: `rapportcijfer van 1 tot 10`."""
    return f"rapportcijfer van {' tot '.join(ends(scale))}"


def ends(scale: GradeScale) -> tuple[str, str]:
    """The lowest and the highest grade as text."""
    low, high = (number(end, 0 if end.is_integer() else DECIMALS) for end in (scale.lowest, scale.highest))
    return low, high
