"""What comparisons and ranks say, in Dutch: one sentence with the figures, how certain they are, and the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import polars as pl

from catalog import Catalogue
from catalog.model import Indicator
from catalog.survey_model import GradeScale
from reports.charts import grades
from reports.charts.texts import OVERALL
from reports.numbers import number

# One row of the table `comparison`, `indicator_value` or `sensitivity`, by column.
Row = dict[str, Any]

STAMP: Final = "Verzonnen voorbeeld: "  # before every sentence that a made-up figure had a part in
WHY_NOT_DECIDABLE: Final = {"no_margin": "de bron geeft geen onzekerheidsmarge"}
WHY_MISSING: Final = ("not_measured", "suppressed")
SAID_STATUSES: Final = ("provisional", "estimated")
SAID_WARNINGS: Final = ("carried_forward", "newer_published", "covid_period", "self_selected", "small_n")
SAID_OF_SCORES: Final = (*SAID_WARNINGS, "unusual_change")  # one jump among its figures moves a whole score
DEMONSTRABLE: Final = ("better", "worse", "higher", "lower")


def headline_gaps(
    comparison: pl.DataFrame,
    indicator_value: pl.DataFrame,
    catalogue: Catalogue,
    measurement_year: int,
    *,
    scale: GradeScale | None = None,
) -> list[str]:
    """Sentences on the headline indicators: groups against each other, and the region against the rest.

    With a `scale`, mean scores are shown as report grades.
    """
    region = catalogue.region
    pairs = [*region.contrasts, (region.region_code, region.rest_code)]
    ours = {"measurement_year": measurement_year, "breakdown": "total"}
    gaps, values = comparison.filter(**ours), indicator_value.filter(**ours)
    sentences = []
    for indicator in catalogue.headline_indicators:
        of_indicator = pl.col("indicator_id") == indicator.indicator_id
        for code, other in pairs:
            pair = of_indicator & (pl.col("region_code") == code) & (pl.col("comparator_code") == other)
            sides = [
                values.row(by_predicate=of_indicator & (pl.col("region_code") == side), named=True)
                for side in (code, other)
            ]
            row = gaps.row(by_predicate=pair, named=True)
            sentences.append(gap_sentence(row, sides, indicator, catalogue, scale=scale))
    return sentences


def gap_sentence(
    row: Row, sides: Sequence[Row], indicator: Indicator, catalogue: Catalogue, *, scale: GradeScale | None = None
) -> str:
    """One row of `comparison` as a sentence; `sides` are the rows of `indicator_value` of its two regions.

    The verdict is that of the row; where nothing can be said, the sentence says so and why, and never suggests more.
    A sentence in which a made-up figure has a part begins by saying so.
    """
    synthetic = any("synthetic" in source["warnings"] for source in (row, *sides))
    sentence = _gap(row, sides, indicator, catalogue, scale if indicator.unit == grades.SCORE else None)
    return f"{STAMP}{sentence}" if synthetic else sentence


def _gap(row: Row, sides: Sequence[Row], indicator: Indicator, catalogue: Catalogue, scale: GradeScale | None) -> str:
    names = _names(catalogue)
    regions = [names[str(row["region_code"])], names[str(row["comparator_code"])]]
    values, period = [row["value"], row["comparator_value"]], _period(row, sides, catalogue)
    if None in values:
        missing = " en ".join(name for name, value in zip(regions, values, strict=True) if value is None)
        nothing = f"is er geen cijfer{_why_missing(sides, indicator, catalogue)}; over het verschil is niets te zeggen"
        return f"{indicator.name_nl} ({period}): voor {missing} {nothing}."
    about = f"{grades.grade_words(scale)}, {period}" if scale else period
    said = ", ".join(
        f"{name} {_figure(value, side, indicator, scale)}"
        for name, value, side in zip(regions, values, sides, strict=True)
    )
    figures = f"{indicator.name_nl} ({about}): {said}{'' if scale else f' {indicator.unit_nl}'}"
    if row["difference"] is None:
        return f"{figures}; {_label(row, catalogue)}."
    gap = f"{figures}. Verschil {_difference(row, indicator, scale)}"
    if row["verdict"] == "not_decidable":
        return f"{gap}; of dat meer is dan toeval, is niet te zeggen{_why(row)}."
    return f"{gap}: {_label(row, catalogue)}."


def _figure(value: float, side: Row, indicator: Indicator, scale: GradeScale | None) -> str:
    """A figure with its 95% margin and how many people answered, where these are known."""
    places = grades.DECIMALS if scale else indicator.decimals
    value, low, high = (
        grades.grade(figure, scale) if scale and figure is not None else figure
        for figure in (value, side["ci_low"], side["ci_high"])
    )
    margin = [] if low is None or high is None else [f"tussen {number(low, places)} en {number(high, places)}"]
    answers = [] if side["n"] is None else [f"{number(side['n'], 0)} antwoorden"]
    return f"{number(value, places)}{_aside([*margin, *answers])}"


def _difference(row: Row, indicator: Indicator, scale: GradeScale | None) -> str:
    """The difference with its margin; in per cent too, but for percentages and grades."""
    factor = grades.span(scale) if scale else 1.0
    names = ("difference", "difference_ci_low", "difference_ci_high")
    sampled = row["basis"] == "interval" and None not in [row[name] for name in names]
    numbers = [factor * row[name] for name in (names if sampled else names[:1])]
    places = grades.DECIMALS if scale else indicator.decimals
    if row["verdict"] in DEMONSTRABLE:
        places = _telling(numbers, places)
    difference, *margin = [number(figure, places) for figure in numbers]
    relative = None if scale or indicator.is_percentage else row["relative_difference"]
    asides = [f"{number(relative, 1)}%"] if relative else []
    asides += [f"tussen {' en '.join(margin)}"] if margin else []
    return f"{difference}{' procentpunt' if indicator.is_percentage else ''}{_aside(asides)}"


def _telling(numbers: Sequence[float], places: int) -> int:
    """Enough decimals that what is demonstrably not nought is not shown as nought; at most two more."""
    enough = (p for p in range(places, places + 2) if all(number(figure, p).strip("0,−") for figure in numbers))
    return next(enough, places + 2)


def _aside(parts: Sequence[str]) -> str:
    """Parts between brackets; nothing where there are none."""
    return f" ({'; '.join(parts)})" if parts else ""


def _label(row: Row, catalogue: Catalogue) -> str:
    return catalogue.vocabulary["verdict"][str(row["verdict"])].label_nl


def _why(row: Row) -> str:
    """Why nothing can be said, where the warnings tell."""
    return _aside([reason for warning, reason in WHY_NOT_DECIDABLE.items() if warning in row["warnings"]])


def _why_missing(sides: Sequence[Row], indicator: Indicator, catalogue: Catalogue) -> str:
    """Why the survey has no figure."""
    if indicator.layer != "experienced":
        return ""
    found = [status for status in WHY_MISSING if any(side["status"] == status for side in sides)]
    return _aside([catalogue.vocabulary["status"][status].label_nl for status in found])


def _period(row: Row, sides: Sequence[Row], catalogue: Catalogue) -> str:
    """The reference period, and what a reader must know of the figures."""
    parts = ["geen cijfer" if row["reference_period"] is None else f"cijfer over {row['reference_period']}"]
    statuses = {side["status"] for side in sides}
    warnings = {warning for source in (row, *sides) for warning in source["warnings"]}
    parts += [catalogue.vocabulary["status"][status].label_nl for status in SAID_STATUSES if status in statuses]
    parts += [catalogue.vocabulary["warning"][warning].label_nl for warning in SAID_WARNINGS if warning in warnings]
    return ", ".join(parts)


# --- ranks


def rank_sentences(sensitivity: pl.DataFrame, catalogue: Catalogue, measurement_year: int, framework: str) -> list[str]:
    """A sentence on the place of each municipality of the first contrasted group, by a framework's overall score.

    `sensitivity` is the published table. A place is said with its sensitivity range or not at all; there are no
    sentences in a region without contrasts, or where no municipality has a range.
    """
    region = catalogue.region
    if not region.contrasts or sensitivity.is_empty():
        return []
    rows = sensitivity.filter(
        *(pl.col(name).is_not_null() for name in ("rank", "rank_low", "rank_high")),
        measurement_year=measurement_year,
        framework=framework,
        theme_id=f"{framework}_overall",
        among="region",
    )
    by_code = {row["region_code"]: row for row in rows.iter_rows(named=True)}
    if not by_code:
        return []
    # A made-up figure of one municipality has a part in the place of every other.
    stamp = STAMP if any("synthetic" in row["warnings"] for row in by_code.values()) else ""
    score = f"{stamp}Totaalscore {OVERALL.get(framework, framework)}"
    members = region.own_groups[region.contrasts[0][0]]
    return [_rank_sentence(score, by_code.get(code), code, measurement_year, catalogue) for code in members]


def _rank_sentence(score: str, row: Row | None, code: str, year: int, catalogue: Catalogue) -> str:
    name, labels = catalogue.region.municipalities[code], catalogue.vocabulary["warning"]
    if row is None:
        return f"{score} ({year}): voor {name} is er geen plaats."
    about = [str(year), *(labels[warning].label_nl for warning in SAID_OF_SCORES if warning in row["warnings"])]
    place = f"{name} staat op plaats {row['rank']} van {row['rank_of']} (1 is het gunstigst)"
    return f"{score} ({', '.join(about)}): {place}; {_range(row)}."


def _range(row: Row) -> str:
    """What else the place may be."""
    low, high = row["rank_low"], row["rank_high"]
    # Of a figure without margin only the rounding is in the range.
    unsure = "no_margin" in row["warnings"]
    otherwise = "met andere rekenwijzen" if unsure else "met andere rekenwijzen en steekproeffout"
    more = ", of nog anders: de onzekerheid van een deel van de cijfers is niet bekend" if unsure else ""
    if low == row["rank"] == high:
        return f"ook {otherwise} blijft dat bijna altijd zo{more}"
    return f"{otherwise} kan dat plaats {' tot '.join(dict.fromkeys((str(low), str(high))))} zijn{more}"


# --- names


def _names(catalogue: Catalogue) -> dict[str, str]:
    region = catalogue.region
    groups = {group.code: f"de {group.name_nl}" for group in region.groups}
    return (
        dict(region.municipalities)
        | groups
        | {
            region.region_code: region.name_nl,
            region.country_code: region.country_name_nl,
            region.rest_code: f"de {region.rest_name_nl}",
        }
        | {group: f"de gemeenten die lijken op {region.municipalities[code]}" for code, group in region.peers.items()}
    )
