"""The shape of the catalogue's YAML files. What a field means to readers stands in columns.yaml."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

Layer = Literal["official", "experienced", "context"]
Framework = Literal["btg", "cbs"]
Kind = Literal["register", "sample", "model"]
GroupMethod = Literal["sum", "weighted_mean", "none"]

MUNICIPALITY_CODE = r"^GM\d{4}$"


def expand_periods(periods: list[object]) -> list[str]:
    """Periods in order, with ranges written out: ["2011..2013", "2020"] -> 2011, 2012, 2013, 2020."""
    expanded: list[str] = []
    for entry in map(str, periods):
        first, _, last = entry.partition("..")
        if not re.fullmatch(r"\d{4}", first) or (last and not re.fullmatch(r"\d{4}", last)):
            raise ValueError(f"'{entry}' is not a year or a range of years such as 2011..2024")
        expanded += [str(year) for year in range(int(first), int(last or first) + 1)]
    return expanded


def _unique(values: list[str]) -> list[str]:
    twice = sorted({value for value in values if values.count(value) > 1})
    if twice:
        raise ValueError(f"listed twice: {', '.join(twice)}")
    return values


Periods = Annotated[list[str], BeforeValidator(expand_periods)]
Codes = Annotated[list[Annotated[str, Field(pattern=MUNICIPALITY_CODE)]], Field(min_length=1), AfterValidator(_unique)]
Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Period = Annotated[str, Field(pattern=r"^\d{4}(Q[1-4]|-\d{2})?$")]


class Entry(BaseModel):
    """Base of all catalogue entries: an unknown field is a mistake, not a wish."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Group(Entry):
    """A group of the region's own municipalities."""

    code: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]
    name_nl: str
    name_en: str
    members: Codes


class PlausibleTotal(Entry):
    """Bounds that a group total must lie within, in the unit of the indicator."""

    indicator: Identifier
    region: str
    minimum: float
    maximum: float


class Region(Entry):
    """The region that is measured, its groups and its years."""

    region_code: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]
    name_nl: str
    name_en: str
    published_as: list[str] = []
    country_code: str
    country_name_nl: str
    country_name_en: str
    rest_code: str
    rest_name_nl: str
    rest_name_en: str
    baseline_year: Annotated[int, Field(ge=2000, le=2100)]
    last_measurement_year: Annotated[int, Field(ge=2000, le=2100)]
    municipalities: Annotated[dict[Annotated[str, Field(pattern=MUNICIPALITY_CODE)], str], Field(min_length=2)]
    may_lack_figures: list[str] = []
    groups: list[Group] = []
    contrasts: list[tuple[str, str]] = []
    plausible_totals: list[PlausibleTotal] = []

    @model_validator(mode="after")
    def _consistent(self) -> Region:
        if self.last_measurement_year < self.baseline_year:
            raise ValueError("last_measurement_year lies before baseline_year")
        codes = {group.code for group in self.groups}
        for group in self.groups:
            unknown = sorted(set(group.members) - set(self.municipalities))
            if unknown:
                raise ValueError(f"group {group.code} has members that are not in municipalities: {', '.join(unknown)}")
        if unknown := sorted(set(self.may_lack_figures) - set(self.municipalities)):
            raise ValueError(f"may_lack_figures names what is not in municipalities: {', '.join(unknown)}")
        if set(self.may_lack_figures) == set(self.municipalities):
            raise ValueError("may_lack_figures names all municipalities; at least one must have every figure")
        for pair in self.contrasts:
            if not set(pair) <= codes:
                raise ValueError(f"contrast {list(pair)} names a group that is not defined; groups: {sorted(codes)}")
        return self

    @property
    def years(self) -> list[int]:
        """Measurement years, baseline first."""
        return list(range(self.baseline_year, self.last_measurement_year + 1))

    @property
    def must_have_figures(self) -> list[str]:
        """The municipalities without which a period is not used, and whose missing row is a fault."""
        return sorted(set(self.municipalities) - set(self.may_lack_figures))

    @property
    def own_groups(self) -> dict[str, list[str]]:
        """The region itself and its groups, each with its municipalities."""
        return {self.region_code: sorted(self.municipalities)} | {g.code: sorted(g.members) for g in self.groups}


class Theme(Entry):
    """A theme of broad welfare in one of the two frameworks."""

    theme_id: Identifier
    framework: Framework
    name_nl: str
    name_en: str
    question_nl: str | None = None

    @model_validator(mode="after")
    def _prefixed(self) -> Theme:
        if not self.theme_id.startswith(f"{self.framework}_"):
            raise ValueError(f"theme_id must begin with its framework: {self.framework}_…")
        return self


class IndicatorSource(Entry):
    """Where an indicator is published: one column of one table."""

    source_table: str
    source_column: str
    unit: str
    period_first: Period
    period_last: Period
    priority: Annotated[int, Field(ge=1)]
    series_id: Identifier
    kind: Kind
    rounding_unit: Annotated[float, Field(gt=0)]
    warnings: list[str] = []
    period_warnings: dict[str, Periods] = {}
    known_periods: Periods | None = None
    baseline_periods: dict[int, Period] = {}
    revision_margin: Annotated[float, Field(ge=0)] | None = None
    note: str | None = None


class Indicator(Entry):
    """What is measured.

    `measured_for: region` marks figures that exist for the region as a whole only; `country_figure: false` those
    that the publisher does not give for the country.
    """

    indicator_id: Identifier
    theme_id: Identifier | None = None
    layer: Layer
    headline: bool = False
    companion: Identifier | None = None
    name_nl: str
    name_en: str
    definition_nl: str
    definition_en: str
    unit: str
    unit_nl: str
    decimals: Annotated[int, Field(ge=0, le=6)]
    scale_min: float | None = None
    scale_max: float | None = None
    polarity: Literal[-1, 0, 1]
    group_method: GroupMethod
    weight: str | None = None
    weight_approximate: bool = False
    measured_for: Literal["municipality", "region"] = "municipality"
    country_figure: bool = True
    max_lag_years: Annotated[int, Field(ge=0)]
    min_relevant_difference: Annotated[float, Field(gt=0)] | None = None
    nominal_euro: bool = False
    sources: Annotated[list[IndicatorSource], Field(min_length=1)]

    @model_validator(mode="after")
    def _consistent(self) -> Indicator:
        if (self.group_method == "weighted_mean") != (self.weight is not None):
            raise ValueError("weight is needed for group_method weighted_mean, and only there")
        tables = [source.source_table for source in self.sources]
        _unique(tables)
        for year in {year for source in self.sources for year in source.baseline_periods}:
            if sum(year in source.baseline_periods for source in self.sources) > 1:
                raise ValueError(f"more than one source freezes the baseline {year}; exactly one may")
        return self

    @property
    def is_count(self) -> bool:
        """Counts are added up, never compared between regions."""
        return self.group_method == "sum"

    @property
    def is_percentage(self) -> bool:
        """Percentages differ in points; other figures in ratios."""
        return self.unit.startswith("percent")

    def baseline(self, year: int) -> tuple[IndicatorSource, str] | None:
        """The source and reference period frozen for a baseline year, or None."""
        for source in self.sources:
            if year in source.baseline_periods:
                return source, source.baseline_periods[year]
        return None


class Source(Entry):
    """A publisher's subject: who publishes it, how often, and which periods are known to exist."""

    source_id: Identifier
    publisher: str
    subject: str
    licence: str
    rhythm: str
    known_periods: Periods


class SourceTable(Entry):
    """One table of a publisher."""

    source_table: str
    source_id: Identifier
    title: str
    url: Annotated[str, Field(pattern=r"^https://")]
    retrieved_at: date | None = None
    modified_at: date | None = None
    provisional_periods: list[Period] | None = None


class Sources(Entry):
    """The file sources.yaml."""

    sources: list[Source]
    tables: list[SourceTable]


class Term(Entry):
    """One word of a closed vocabulary, as a reader sees it."""

    label_nl: str
    label_en: str
    explanation_nl: str
    explanation_en: str
    label_change_nl: str | None = None
    label_change_en: str | None = None
