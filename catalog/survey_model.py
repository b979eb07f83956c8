"""The shape of the resident survey's YAML files: settings.yaml for all waves, and a file a wave beside it."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, model_validator

from catalog.model import Entry, Identifier, mistake

# The two figures of every question and dimension: the mean score, and the share of people who are satisfied.
Statistic = Literal["mean", "share"]
Breakdown = Literal["sex", "age", "education"]
BREAKDOWNS: tuple[Breakdown, ...] = ("sex", "age", "education")


class Label(Entry):
    """What a reader sees instead of a code."""

    label_nl: str
    label_en: str


class GradeScale(Entry):
    """The report grade (rapportcijfer) of a score: lowest + (highest - lowest) x score. The inverse is exact."""

    lowest: float
    highest: float

    @model_validator(mode="after")
    def _rises(self) -> GradeScale:
        if self.highest <= self.lowest:
            raise mistake("must lie above lowest", "highest")
        return self


class Disclosure(Entry):
    """Small numbers (Statistics Netherlands and GGD practice; see docs/survey.md).

    Published from `publish_from` respondents, flagged `small_n` from `suppress_below` to there, suppressed below. A
    share is suppressed too where the respondents it counts, or those it does not count, are fewer than
    `smallest_count`. What can be deduced of a hidden count must include 0 to `smallest_count` and be at least
    `interval_width` wide.
    """

    publish_from: Annotated[int, Field(ge=1)]
    suppress_below: Annotated[int, Field(ge=1)]
    smallest_count: Annotated[int, Field(ge=1)]
    interval_width: Annotated[int, Field(ge=1)]

    @model_validator(mode="after")
    def _ordered(self) -> Disclosure:
        if self.publish_from < self.suppress_below:
            raise mistake("must be at least suppress_below", "publish_from")
        return self


class SmallAreas(Entry):
    """When a municipality's own answers are too few, and what the model explains them by (official indicators)."""

    direct_from: Annotated[int, Field(ge=1)]
    covariates: Annotated[list[Identifier], Field(min_length=1)]
    method: Literal["REML", "ML"] = "REML"
    transformation: Literal["none", "arcsin", "logit"] = "none"


class SurveySettings(Entry):
    """The file survey/settings.yaml: what holds for every wave."""

    source_id: Identifier
    synthetic_source_id: Identifier
    grade: GradeScale
    satisfied_from: Annotated[float, Field(gt=0, lt=1)]
    decimals_mean: Annotated[int, Field(ge=1, le=6)] = 3
    decimals_share: Annotated[int, Field(ge=0, le=6)] = 1
    minimal_detectable_factor: Annotated[float, Field(gt=0)]
    breakdowns: dict[Breakdown, dict[str, Label]]
    disclosure: Disclosure
    small_areas: SmallAreas

    def rounding_unit(self, *, share: bool) -> float:
        """To what published figures of the survey are rounded: percentages, or scores of 0-1."""
        return 10.0 ** -(self.decimals_share if share else self.decimals_mean)


class Group(Entry):
    """A column that tells to which group a respondent belongs, by its values or by bands of a number.

    A value that is neither in `values` nor within `bands` nor in `missing` is a mistake in the file.
    """

    column: str
    values: dict[str, str] = Field(default_factory=dict)
    bands: dict[str, tuple[int, int]] = Field(default_factory=dict)
    missing: list[str] = Field(default_factory=list)

    @model_validator(mode="after")
    def _one_way(self) -> Group:
        if bool(self.values) == bool(self.bands):
            raise mistake("give values or bands, one of the two", "values")
        return self


class Columns(Entry):
    """Which column of the file holds what. `drop` names direct identifiers that the file has and nobody may keep."""

    municipality: str
    respondent: str | None = None
    weight: str | None = None
    stratum: str | None = None
    population_size: str | None = None
    groups: dict[Breakdown, Group] = Field(default_factory=dict)
    drop: list[str] = Field(default_factory=list)

    @model_validator(mode="after")
    def _consistent(self) -> Columns:
        if self.population_size is not None and self.stratum is None:
            raise mistake("the population of what? Name the column of the strata too", "population_size")
        if both := sorted(set(self.drop) & set(self.used)):
            raise mistake(f"{both[0]} stands in another field too", "drop")
        return self

    @property
    def used(self) -> list[str]:
        """The columns of the file that are read, besides questions and response."""
        named = [self.municipality, self.respondent, self.weight, self.stratum, self.population_size]
        return [column for column in [*named, *(group.column for group in self.groups.values())] if column]


class Response(Entry):
    """Where the file also holds the people who did not answer: the column that says so, and the response classes."""

    column: str
    respondent: list[str]
    nonrespondent: list[str]
    classes: Annotated[list[Literal["municipality"] | Breakdown], Field(min_length=1)]


class Item(Entry):
    """One question. Its score is (answer - lowest) / (highest - lowest), turned around where polarity is -1."""

    item: Identifier
    column: str
    question_nl: str
    valid: tuple[float, float]
    missing: list[str] = Field(default_factory=list)
    polarity: Literal[-1, 1] = 1

    @model_validator(mode="after")
    def _rises(self) -> Item:
        if self.valid[1] <= self.valid[0]:
            raise mistake("the highest valid answer must lie above the lowest", "valid")
        if both := [code for code in self.missing if self._is_valid(code)]:
            raise mistake(f"{both[0]} is a valid answer", "missing")
        return self

    def _is_valid(self, code: str) -> bool:
        try:
            return self.valid[0] <= float(code) <= self.valid[1]
        except ValueError:
            return False


class Dimension(Entry):
    """The questions that make up a dimension: the mean of their scores, from `minimum_items` answers on.

    A wave of aggregates may leave out `items` where they are not known: then nothing else is of the same series.
    """

    indicator: Identifier
    items: list[Item] = Field(default_factory=list)
    minimum_items: Annotated[int, Field(ge=1)] = 1

    @model_validator(mode="after")
    def _possible(self) -> Dimension:
        if self.items and self.minimum_items > len(self.items):
            raise mistake(f"more than the {len(self.items)} items there are", "minimum_items")
        return self

    @property
    def definition(self) -> tuple[object, ...]:
        """What must be the same for two waves to be one series; codes and columns of the file do not count."""
        items = sorted((i.item, i.question_nl, i.valid, i.polarity) for i in self.items)
        return (self.minimum_items, *items)


class Margin(Entry):
    """Population numbers that the weights must add up to, by these columns.

    `official` names the indicator that counts each cell (of the wave's year, per municipality): its keys are the codes
    of the other columns, joined by `;`. Without it the numbers come with the wave, in a file of their own.
    """

    by: Annotated[list[Literal["municipality"] | Breakdown], Field(min_length=1)]
    official: dict[str, Identifier] = Field(default_factory=dict)

    @property
    def name(self) -> str:
        """What this margin is called in files and messages: `municipality*sex*age`."""
        return "*".join(self.by)


class Trim(Entry):
    """The largest (and smallest) weight, as a multiple of the median weight."""

    highest: Annotated[float, Field(gt=1)]
    lowest: Annotated[float, Field(ge=0, lt=1)] = 0.0


class Calibration(Entry):
    """How weights are made to add up to the population. `bounds` limit the factor between new and old weight."""

    method: Literal["poststratification", "raking", "linear", "logit"]
    margins: Annotated[list[Margin], Field(min_length=1)]
    bounds: tuple[float, float] | None = None
    trim: Trim | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Calibration:
        if self.method == "logit" and self.bounds is None:
            raise mistake("logit calibration needs bounds, such as [0.3, 3]", "bounds")
        if self.bounds is not None and not self.bounds[0] < 1 < self.bounds[1]:
            raise mistake("must lie on both sides of 1", "bounds")
        names = [margin.name for margin in self.margins]
        if twice := [name for name in names if names.count(name) > 1]:
            raise mistake(f"{twice[0]} is listed twice", "margins")
        if self.method == "poststratification" and len(self.margins) > 1:
            raise mistake("poststratification takes one margin; raking, linear and logit take several", "margins")
        return self


class Fieldwork(Entry):
    """When people were asked."""

    start: date
    end: date

    @model_validator(mode="after")
    def _ordered(self) -> Fieldwork:
        if self.end < self.start:
            raise mistake("lies before start", "end")
        return self


class Aggregates(Entry):
    """Which column of the institute's table holds what: a row a region and dimension, all in one `scale`.

    The margin of 95% stands there as two bounds, as half its width (`margin`), or not at all. `names` are the
    institute's own names of dimensions, where they are not those of the catalogue.
    """

    region: str
    dimension: str
    value: str
    n: str
    scale: Literal["score", "grade"]
    ci_low: str | None = None
    ci_high: str | None = None
    margin: str | None = None
    breakdown: str | None = None
    names: dict[str, Identifier] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_margin(self) -> Aggregates:
        if (self.ci_low is None) != (self.ci_high is None):
            raise mistake("ci_low and ci_high go together", "ci_high" if self.ci_high is None else "ci_low")
        if self.margin is not None and self.ci_low is not None:
            raise mistake("give the bounds or half their width, not both", "margin")
        return self


class Wave(Entry):
    """One wave of the survey: a file of respondents (`rows`), or tables that the institute made of it (`aggregates`).

    `participation: open` means that people came of themselves: the figures say `self_selected`. `panel_of` names an
    earlier wave some of whose respondents were asked again.
    """

    wave_id: Identifier
    measurement_year: Annotated[int, Field(ge=2000, le=2100)]
    source_table: str
    title: str
    url: Annotated[str, Field(pattern=r"^https://")]
    kind: Literal["rows", "aggregates"] = "rows"
    synthetic: bool = False
    mode: Literal["web", "paper", "telephone", "mixed"]
    participation: Literal["sample", "open"]
    fieldwork: Fieldwork
    retention_until: date | None = None
    panel_of: Identifier | None = None
    columns: Columns | None = None
    response: Response | None = None
    calibration: Calibration | None = None
    aggregates: Aggregates | None = None
    dimensions: Annotated[list[Dimension], Field(min_length=1)]

    @model_validator(mode="after")
    def _complete(self) -> Wave:
        needed = {"rows": ["columns", "calibration", "retention_until"], "aggregates": ["aggregates"]}[self.kind]
        other = {"rows": ["aggregates"], "aggregates": ["columns", "response", "calibration"]}[self.kind]
        for field in needed:
            if getattr(self, field) is None:
                raise mistake(f"a wave of {self.kind} needs {field}", "kind")
        for field in other:
            if getattr(self, field) is not None:
                raise mistake(f"not for a wave of {self.kind}", field)
        for place, dimension in enumerate(self.dimensions):
            if self.kind == "rows" and not dimension.items:
                raise mistake("a wave of rows needs the questions", "dimensions", place, "items")
        return self

    @model_validator(mode="after")
    def _consistent(self) -> Wave:
        if self.fieldwork.start.year != self.measurement_year:
            raise mistake("fieldwork lies in another year than measurement_year", "fieldwork")
        if self.retention_until is not None and self.retention_until < self.fieldwork.end:
            raise mistake("lies before the end of the fieldwork", "retention_until")
        if self.panel_of is not None and (self.columns is None or self.columns.respondent is None):
            raise mistake("a panel needs columns.respondent, by which people are found again", "panel_of")
        for what, names in {
            "indicator": [dimension.indicator for dimension in self.dimensions],
            "item": [item.item for item in self.items],
            "column": [item.column for item in self.items] + (self.columns.drop if self.columns else []),
        }.items():
            if twice := sorted({name for name in names if names.count(name) > 1}):
                raise mistake(f"{what} listed twice: {', '.join(twice)}", "dimensions")
        return self

    @property
    def items(self) -> list[Item]:
        """The questions of all dimensions."""
        return [item for dimension in self.dimensions for item in dimension.items]
