"""The shape of programme.yaml: the programme that the measurement serves, its intended results, money and dates."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, model_validator

from catalog.model import Entry, Identifier, mistake

TargetKind = Literal["count", "direction", "deliverable"]
# Who pays: the state; the region's public parties in money or in kind; private parties in kind; and the investment of
# private parties that the region hopes for beside the deal.
FinancingSource = Literal["state", "public_money", "public_in_kind", "private_in_kind", "additional_private"]
REGIONAL: tuple[FinancingSource, ...] = ("public_money", "public_in_kind", "private_in_kind")

LineId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.]*$")]
Millions = Annotated[float, Field(ge=0)]


class Assignment(Entry):
    """A task of the programme (opgave), which lines belong to."""

    assignment_id: LineId
    name_nl: str
    name_en: str


class Line(Entry):
    """A programme line. `assignment` is empty for the costs of carrying out the programme."""

    line_id: LineId
    assignment: LineId | None = None
    name_nl: str
    name_en: str


class SurveyReading(Entry):
    """The figure of our own resident survey that a result is read from: a row of `survey_estimate` in every wave."""

    variable: Identifier
    region_code: str
    breakdown: str = "total"
    statistic: Literal["mean", "share"]


class Measured(Entry):
    """A directional result that is read from a sample, and how it is judged: a test fixed before it is carried out.

    The change since `baseline_wave` is held against `margin` (Δ, in the unit of the target): the result is reached
    where the change is demonstrably no worse than −Δ (non-inferiority; with Δ = 0: demonstrably better). Only
    direct estimates for `group` at `place` count: those that bureaus deliver, or those of our own resident survey where
    `survey` names the region and breakdown that are that place and group. `indicator` measures the same for whole
    municipalities; it never decides.
    """

    place_nl: str
    place_en: str
    group_nl: str
    group_en: str
    source_nl: str
    source_en: str
    baseline_wave: Annotated[int, Field(ge=2000, le=2100)]
    margin: Annotated[float, Field(ge=0)]
    polarity: Literal[1, -1] = 1
    indicator: Identifier | None = None
    survey: SurveyReading | None = None
    reason_nl: str
    reason_en: str


class Target(Entry):
    """An intended result.

    `line_id` is a programme line, or an assignment where its lines share the result. A `count` is reached at
    `threshold`, a `deliverable` when it is there (1). A `direction` is read from `measured` where it has that; else
    bureaus count it (`level`: the state of things, not what was added), and it is reached where the count lies on the
    right side of the baseline: above it (`more`), or not above it (`not_more`). A result that the measurement does
    not cover and that nobody can count is `not_covered`, with the reason.
    """

    target_id: Identifier
    line_id: LineId
    kind: TargetKind
    text_nl: str
    text_en: str
    article: str
    threshold: Annotated[float, Field(gt=0)] | None = None
    unit_nl: str
    unit_en: str
    wanted: Literal["more", "not_more"] | None = None
    measured: Measured | None = None
    not_covered_nl: str | None = None
    not_covered_en: str | None = None

    @model_validator(mode="after")
    def _whole(self) -> Target:
        if (self.kind == "direction") == (self.threshold is not None):
            raise mistake("a count and a deliverable have one, a direction has none", "threshold")
        ways = [self.wanted is not None, self.measured is not None, self.not_covered_nl is not None]
        if sum(ways) != (self.kind == "direction"):
            raise mistake("a direction has one of wanted, measured and not_covered_nl; other kinds have none", "kind")
        if (self.not_covered_nl is None) != (self.not_covered_en is None):
            raise mistake("the reason is given in both languages", "not_covered_en")
        return self

    @property
    def is_level(self) -> bool:
        """Whether bureaus give the state of things, rather than what was added."""
        return self.kind == "direction"


class LineBudget(Entry):
    """What is available for a line, in millions of euros as the agreement prints it."""

    line_id: LineId
    state: Millions
    regional: Millions


class Agreement(Entry):
    """A version of the division of money: the covenant, or a later addendum (article 12).

    The state's amounts are maxima, regional ones minima. `total` and `regional` repeat the printed totals, so that a
    slip in a line is found. `private_in_kind` is the only private part; `additional_private` is an ambition beside
    the deal.
    """

    agreement_id: str
    valid_from: date
    source: str
    budget: Annotated[list[LineBudget], Field(min_length=1)]
    total_state: Millions
    total_regional: Millions
    public_money: Millions
    public_in_kind: Millions
    private_in_kind: Millions
    additional_private: Millions

    @model_validator(mode="after")
    def _adds_up(self) -> Agreement:
        for field, printed in (("state", self.total_state), ("regional", self.total_regional)):
            found = sum(getattr(line, field) for line in self.budget)
            if abs(found - printed) > 1e-9:
                raise mistake(f"the lines add up to {found:.1f}, the printed total is {printed:.1f}", f"total_{field}")
        parts = self.public_money + self.public_in_kind + self.private_in_kind
        if abs(parts - self.total_regional) > 1e-9:
            raise mistake(f"its parts add up to {parts:.1f}, the total is {self.total_regional:.1f}", "total_regional")
        if self.total_regional < self.total_state:
            raise mistake("co-financing is at least the state's part in total", "total_regional")
        return self


class Baseline(Entry):
    """A baseline, with the day it had to be there or was taken."""

    baseline_id: Identifier
    day: date
    text_nl: str
    text_en: str


class Deadline(Entry):
    """Something that is due: every year on `month_day`, from `first_year` to `last_year`, or once on `day`.

    `report` says that it is the report on the year before (`yearly`) or the evaluation of all years (`final`).
    """

    deadline_id: Identifier
    text_nl: str
    text_en: str
    article: str
    day: date | None = None
    month_day: Annotated[str, Field(pattern=r"^\d{2}-\d{2}$")] | None = None
    first_year: int | None = None
    last_year: int | None = None
    report: Literal["yearly", "final"] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Deadline:
        yearly = [self.month_day, self.first_year, self.last_year]
        if (self.day is None) == any(field is None for field in yearly) or (self.day is not None and any(yearly)):
            raise mistake("either day, or month_day with first_year and last_year", "day")
        return self

    @property
    def dates(self) -> list[date]:
        """Every day on which it is due."""
        if self.day is not None:
            return [self.day]
        first, last = self.first_year or 0, self.last_year or 0
        return [date.fromisoformat(f"{year}-{self.month_day}") for year in range(first, last + 1)]


class CoreMessage(Entry):
    """The agreed message (article 9), which may be quoted literally."""

    article: str
    text_nl: str


class Programme(Entry):
    """The programme: what is to be reached, with which money, and when."""

    programme_id: Identifier
    name_nl: str
    name_en: str
    reporter: str
    starts: date
    ends: date
    first_report_year: int
    last_report_year: int
    overhead_line: LineId
    overhead_percent: Annotated[float, Field(gt=0, le=100)]
    core_message: CoreMessage
    assignments: Annotated[list[Assignment], Field(min_length=1)]
    lines: Annotated[list[Line], Field(min_length=1)]
    targets: Annotated[list[Target], Field(min_length=1)]
    agreements: Annotated[list[Agreement], Field(min_length=1)]
    baselines: list[Baseline]
    deadlines: list[Deadline]

    @model_validator(mode="after")
    def _consistent(self) -> Programme:
        lines, assignments = {line.line_id for line in self.lines}, {a.assignment_id for a in self.assignments}
        _once([line.line_id for line in self.lines], "lines", "line_id")
        _once([target.target_id for target in self.targets], "targets", "target_id")
        for place, line in enumerate(self.lines):
            if line.assignment is not None and line.assignment not in assignments:
                raise mistake(f"there is no assignment '{line.assignment}'", "lines", place, "assignment")
        for place, target in enumerate(self.targets):
            if target.line_id not in lines | assignments:
                raise mistake(f"there is no line '{target.line_id}'", "targets", place, "line_id")
        for place, agreement in enumerate(self.agreements):
            if {line.line_id for line in agreement.budget} != lines:
                raise mistake("every line needs its money here, once", "agreements", place, "budget")
        if self.overhead_line not in lines:
            raise mistake(f"there is no line '{self.overhead_line}'", "overhead_line")
        if self.starts >= self.ends:
            raise mistake("the end lies before the beginning", "ends")
        days = [agreement.valid_from for agreement in self.agreements]
        if days != sorted(set(days)):
            raise mistake("the oldest first, each from another day", "agreements")
        return self

    @property
    def report_years(self) -> list[int]:
        """The years over which there is a progress report."""
        return list(range(self.first_report_year, self.last_report_year + 1))

    def target(self, target_id: str) -> Target:
        """The target with this id; KeyError if there is none."""
        return {target.target_id: target for target in self.targets}[target_id]

    def end_of(self, year: int) -> date:
        """The last day of a year, or of the programme where that comes first."""
        return min(date(year, 12, 31), self.ends)

    def agreement_at(self, day: date) -> Agreement:
        """The division of money that held on a day; before the first one, the first."""
        held = [agreement for agreement in self.agreements if agreement.valid_from <= day]
        return held[-1] if held else self.agreements[0]


def _once(values: list[str], *field: str) -> None:
    for place, value in enumerate(values):
        if value in values[:place]:
            raise mistake(f"'{value}' is there twice", field[0], place, *field[1:])
