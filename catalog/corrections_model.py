"""Corrections: published figures that are wrong, and what is done instead. Visible, with a reason, and with a guard."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from catalog.model import Entry, Identifier, Period, mistake

if TYPE_CHECKING:
    from catalog.load import Catalogue
    from catalog.model import Indicator
    from catalog.yaml_file import YamlFile

MISSING = "missing"


def _published(value: object) -> object:
    """A published figure; None for the word `missing`. An empty field is a forgotten one, not a missing figure."""
    if value == MISSING:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"expected a number, or the word {MISSING}")
    return value


def _with_date(text: str) -> str:
    organisation, _, day = text.rpartition(", ")
    try:
        date.fromisoformat(day)
    except ValueError:
        organisation = ""
    if not organisation or "@" in organisation:
        raise ValueError("expected an organisation and a date, such as 'CBS, 2026-03-02'; never a person or address")
    return text


Number = Annotated[float, Field(allow_inf_nan=False)]
Text = Annotated[str, Field(min_length=1)]


class Correction(Entry):
    """A published figure that is not used as it is.

    `expect` is the figure as its publisher had it when the correction was made (None: it is missing): a guard against
    correcting what the publisher has repaired, also where a frozen baseline keeps an older figure. `status` is that of
    a value given for a missing figure.
    """

    id: Identifier
    indicator: Identifier
    region: Annotated[str, Field(pattern=r"^[A-Z]{2}\d{2,4}$")]
    # An unquoted year is a number in YAML.
    period: Annotated[Period, BeforeValidator(str)]
    # Publishers' figures are not broken down; those of the survey are made here.
    breakdown: Literal["total"] = "total"
    source_table: Text
    action: Literal["drop", "override", "flag"]
    expect: Annotated[Number | None, BeforeValidator(_published)]
    value: Number | None = None
    status: Literal["definitive", "provisional"] | None = None
    warning: str | None = None
    reason: Text
    reported_to: Annotated[str, AfterValidator(_with_date)]
    state: str

    @model_validator(mode="after")
    def _consistent(self) -> Correction:
        overrides = self.action == "override"
        if overrides != (self.value is not None):
            raise mistake("a value is needed for override, and only there", "value")
        if self.action == "flag" and self.warning is None:
            raise mistake("a flag needs the warning that readers get", "warning")
        if self.action == "drop" and self.warning is not None:
            raise mistake("a figure that is not used has no warning: give flag or override one", "warning")
        if self.action == "drop" and self.expect is None:
            raise mistake(f"what is {MISSING} cannot be dropped", "expect")
        if (overrides and self.expect is None) != (self.status is not None):
            raise mistake(f"needed for the override of a {MISSING} figure, and only there", "status")
        return self

    @property
    def figure(self) -> tuple[str, str, str, str]:
        """The key of the figure: indicator, region, period, source table."""
        return self.indicator, self.region, self.period, self.source_table


def check_corrections(catalogue: Catalogue, file: YamlFile) -> None:
    """Hold the corrections against the rest of the catalogue; raises CatalogueError at the first mistake."""
    ids: set[str] = set()
    figures: set[tuple[str, ...]] = set()
    for index, correction in enumerate(catalogue.corrections):
        if correction.id in ids:
            raise file.error([index, "id"], f"'{correction.id}' is defined twice")
        if correction.figure in figures:
            raise file.error([index], f"a second correction of {', '.join(correction.figure)}: one figure has one")
        ids.add(correction.id)
        figures.add(correction.figure)
        for field, message in _mistakes(correction, catalogue):
            raise file.error([index, field], message)


def _mistakes(correction: Correction, catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    """The fields that do not fit the rest of the catalogue, and why."""
    words = (("warning", "warning", correction.warning), ("state", "correction_state", correction.state))
    for field, vocabulary, word in words:
        known = catalogue.vocabulary[vocabulary]
        if word is not None and word not in known:
            yield field, f"'{word}' is not in the vocabulary {vocabulary}: expected one of {', '.join(known)}"
    indicator = next((each for each in catalogue.indicators if each.indicator_id == correction.indicator), None)
    if indicator is None:
        yield "indicator", f"no indicator '{correction.indicator}' is defined"
    elif indicator.ratio:
        parts = f"{indicator.ratio.numerator} or {indicator.ratio.denominator}"
        yield "indicator", f"'{correction.indicator}' is computed here: correct {parts}"
    elif indicator.layer == "experienced":
        yield "indicator", f"'{correction.indicator}' comes from the resident survey: mend the wave itself"
    else:
        yield from _mistakes_of_figure(correction, indicator)


def _mistakes_of_figure(correction: Correction, indicator: Indicator) -> Iterator[tuple[str, str]]:
    source = next((each for each in indicator.sources if each.source_table == correction.source_table), None)
    if source is None:
        named = ", ".join(each.source_table for each in indicator.sources)
        yield "source_table", f"not a table of {correction.indicator}: expected one of {named}"
    # Of a month or quarter the year counts: the bounds may be years or months.
    elif not source.period_first[:4] <= correction.period[:4] <= source.period_last[:4]:
        yield "period", f"this table has {source.period_first} to {source.period_last}"
    low, high = indicator.scale_min, indicator.scale_max
    value = correction.value
    if value is not None and ((low is not None and value < low) or (high is not None and value > high)):
        yield "value", f"outside the scale of {correction.indicator}, {low} to {high}; found {value}"
