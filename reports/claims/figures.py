"""How a figure is said: value, margin, answers, difference and period, in one language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from catalog.model import Indicator
from reports.charts import grades
from reports.words import Words

Cells = Mapping[str, Any]  # a row of a published table, by column

DEMONSTRABLE: Final = ("better", "worse", "higher", "lower")
SAID_STATUSES: Final = ("provisional", "estimated")
SAID_WARNINGS: Final = (
    *("carried_forward", "newer_published", "covid_period", "self_selected", "small_n"),
    "nominal_prices",
)


def places(indicator: Indicator, words: Words) -> int:
    """With how many decimals readers see the indicator."""
    return grades.DECIMALS if words.is_grade(indicator) else indicator.decimals


def places_of(row: Cells, indicator: Indicator, words: Words) -> int:
    """The decimals of one figure: none where its publisher rounds to whole percentages."""
    region = words.catalogue.region
    published = row["region_code"] in region.municipalities or row["region_code"] == region.country_code
    whole = "whole_percent" in row["warnings"] and row["value"] is not None and float(row["value"]).is_integer()
    return 0 if published and whole else places(indicator, words)


def shown(value: float, indicator: Indicator, words: Words) -> float:
    """The figure as readers see it: a score as a report grade."""
    return grades.grade(value, words.catalogue.survey.settings.grade) if words.is_grade(indicator) else value


def shown_difference(value: float, indicator: Indicator, words: Words) -> float:
    """A difference of two figures as readers see it."""
    return grades.span(words.catalogue.survey.settings.grade) * value if words.is_grade(indicator) else value


def aside(parts: Sequence[str]) -> str:
    """Parts between brackets; nothing where there are none."""
    return f" ({'; '.join(parts)})" if parts else ""


def margin(low: float | None, high: float | None, decimals: int, words: Words) -> list[str]:
    """`tussen 7,2 en 7,4`; nothing where there is no margin."""
    if low is None or high is None:
        return []
    return [words("between", low=words.number(low, decimals), high=words.number(high, decimals))]


def answers(n: int | None, words: Words) -> list[str]:
    """`412 antwoorden`; nothing where it is not known how many people answered."""
    return [] if n is None else [words("one_answer" if n == 1 else "answers", n=words.number(n, 0))]


def figure(value: float, side: Cells, indicator: Indicator, words: Words) -> str:
    """A figure with its 95% margin and how many people answered, where these are known."""
    decimals = places_of(side, indicator, words) if "region_code" in side else places(indicator, words)
    low, high = (None if side[end] is None else shown(side[end], indicator, words) for end in ("ci_low", "ci_high"))
    asides = [*margin(low, high, decimals, words), *answers(side["n"], words)]
    return f"{words.number(shown(value, indicator, words), decimals)}{aside(asides)}"


def difference(row: Cells, indicator: Indicator, words: Words, *, unit: bool = False) -> str:
    """The difference with its margin; in per cent too, but for percentages and grades."""
    said, *asides = difference_parts(row, indicator, words, unit=unit)
    return f"{said}{aside(asides)}"


def difference_parts(row: Cells, indicator: Indicator, words: Words, *, unit: bool = False) -> list[str]:
    """The difference, and what stands between brackets behind it: in per cent, and its margin."""
    columns = ("difference", "difference_ci_low", "difference_ci_high")
    sampled = row["basis"] == "interval" and None not in [row[name] for name in columns]
    figures = [shown_difference(row[name], indicator, words) for name in (columns if sampled else columns[:1])]
    decimals = places(indicator, words)
    sure = row["verdict"] in DEMONSTRABLE
    decimals = telling(figures, decimals, words) if sure else decimals
    texts = [end_text(number, decimals, words, sure=sure) for number in figures]
    grade = words.is_grade(indicator)
    relative = None if grade or indicator.is_percentage else row["relative_difference"]
    asides = [f"{words.number(relative, 1)}%"] if relative else []
    asides += [words("between", low=texts[1], high=texts[2])] if sampled else []
    said = texts[0]
    if indicator.is_percentage:
        said = words("points_percentage", difference=said)
    elif unit:
        said = words("points_grade" if grade else "points_unit", difference=said, unit=words.unit(indicator))
    return [said, *asides]


def end_text(number: float, decimals: int, words: Words, *, sure: bool) -> str:
    """A difference or an end of its margin; of what is `sure` not nought, and looks so, on which side of it it lies."""
    text = words.number(number, decimals)
    if not sure or text.strip("0.,−"):
        return text
    return words("just_above" if number > 0 else "just_below")


def telling(numbers: Sequence[float], decimals: int, words: Words) -> int:
    """Enough decimals that what is demonstrably not nought is not shown as nought; at most one more."""
    is_told = all(words.number(number, decimals).strip("0.,−") for number in numbers)
    return decimals if is_told else decimals + 1


def about(row: Cells, sides: Sequence[Cells], words: Words, *, first: str | None = None) -> str:
    """The reference period, and what a reader must know of the figures."""
    period = row["reference_period"]
    parts = [words("no_figure") if period is None else first or words("figure_of", period=period)]
    statuses = {side["status"] for side in sides}
    warnings = {warning for source in (row, *sides) for warning in source["warnings"]}
    parts += [words.label("status", status) for status in SAID_STATUSES if status in statuses]
    parts += [words.label("warning", warning) for warning in SAID_WARNINGS if warning in warnings]
    return ", ".join(parts)


def lacks_answers(row: Cells, words: Words) -> bool:
    """Whether a model estimated the figure without the area's own answers: there are few, or its figure is hidden."""
    unanswered = row["status"] == "estimated" and row["n"] is None
    return unanswered and words.catalogue.indicator(row["indicator_id"]).layer == "experienced"


def lacks_figure(row: Cells) -> bool:
    """Whether a row of `comparison` or `change` decides nothing since one of its two figures is missing."""
    sides = ("value", "comparator_value", "baseline_value")
    return row["verdict"] == "not_decidable" and any(row[side] is None for side in sides if side in row)


def is_synthetic(*rows: Cells) -> bool:
    """Whether a made-up figure had a part in any of these."""
    return any("synthetic" in row["warnings"] for row in rows)
