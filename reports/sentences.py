"""What a comparison says, in Dutch: one sentence that carries the figures, the period and the verdict, and no more."""

from __future__ import annotations

from typing import Any

import polars as pl

from catalog import Catalogue
from catalog.model import Indicator
from reports.numbers import number

# One row of the table `comparison`, by column.
Row = dict[str, Any]

WHY_NOT_DECIDABLE = {"no_margin": "de bron geeft geen onzekerheidsmarge"}


def headline_gaps(
    comparison: pl.DataFrame, indicator_value: pl.DataFrame, catalogue: Catalogue, measurement_year: int
) -> list[str]:
    """Sentences on the headline indicators: groups against each other, and the region against the rest."""
    region = catalogue.region
    pairs = [*region.contrasts, (region.region_code, region.rest_code)]
    sentences = []
    for indicator in catalogue.headline_indicators:
        for code, other in pairs:
            row = comparison.row(
                by_predicate=(pl.col("measurement_year") == measurement_year)
                & (pl.col("indicator_id") == indicator.indicator_id)
                & (pl.col("region_code") == code)
                & (pl.col("comparator_code") == other)
                & (pl.col("breakdown") == "total"),
                named=True,
            )
            provisional = not indicator_value.filter(
                pl.col("region_code").is_in([code, other]),
                measurement_year=measurement_year,
                indicator_id=indicator.indicator_id,
                status="provisional",
            ).is_empty()
            sentences.append(gap_sentence(row, indicator, catalogue, provisional=provisional))
    return sentences


def gap_sentence(row: Row, indicator: Indicator, catalogue: Catalogue, *, provisional: bool) -> str:
    """One row of `comparison` as a sentence.

    The verdict is that of the row; where nothing can be said, the sentence says so and why, and never suggests more.
    """
    names = _names(catalogue)
    region, other = names[str(row["region_code"])], names[str(row["comparator_code"])]
    period = _period(row, catalogue, provisional=provisional)
    opening = f"{indicator.name_nl} ({period}):"
    value, comparator, difference = row["value"], row["comparator_value"], row["difference"]
    if value is None or comparator is None:
        missing = " en ".join(name for name, figure in ((region, value), (other, comparator)) if figure is None)
        return f"{opening} voor {missing} is er geen cijfer; over het verschil is niets te zeggen."
    places = indicator.decimals
    figures = f"{region} {number(value, places)}, {other} {number(comparator, places)} {indicator.unit_nl}"
    if difference is None:
        return f"{opening} {figures}; {_label(row, catalogue)}."
    gap = f"{opening} {figures}. Verschil {_difference(row, indicator)}"
    if row["verdict"] == "not_decidable":
        return f"{gap}; of dat meer is dan toeval, is niet te zeggen{_why(row)}."
    return f"{gap}: {_label(row, catalogue)}."


def _difference(row: Row, indicator: Indicator) -> str:
    difference = number(row["difference"], indicator.decimals)
    if indicator.is_percentage:
        return f"{difference} procentpunt"
    return f"{difference} ({number(row['relative_difference'], 1)}%)" if row["relative_difference"] else difference


def _label(row: Row, catalogue: Catalogue) -> str:
    return catalogue.vocabulary["verdict"][str(row["verdict"])].label_nl


def _why(row: Row) -> str:
    """Why nothing can be said, where the warnings tell."""
    reasons = [reason for warning, reason in WHY_NOT_DECIDABLE.items() if warning in row["warnings"]]
    return f" ({'; '.join(reasons)})" if reasons else ""


def _period(row: Row, catalogue: Catalogue, *, provisional: bool) -> str:
    parts = ["geen cijfer" if row["reference_period"] is None else f"cijfer over {row['reference_period']}"]
    if provisional:
        parts.append("voorlopig")
    parts += [
        catalogue.vocabulary["warning"][warning].label_nl
        for warning in ("carried_forward", "newer_published", "covid_period")
        if warning in row["warnings"]
    ]
    return ", ".join(parts)


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
    )
