"""Every data check, twice: the clean edition passes it, and a table with one thing broken fails it and no other.

A case breaks one thing in one row; the check must fail in that row's measurement year only, and name the row. The
sweep breaks every column of every table in turn, for the rules that the column registry generates. A rule without a
broken case fails `test_every_rule_has_a_broken_case`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest

from assets.tables import CATALOGUE
from assets.workspace import Workspace
from catalog import Column, Table
from pipelines import checks
from pipelines.checks import evaluate
from pipelines.rules import Context

pytestmark = pytest.mark.filterwarnings("ignore::dagster.PreviewWarning", "ignore::dagster.BetaWarning")

YEARS = [str(year) for year in CATALOGUE.region.years]
TABLES = CATALOGUE.registry.tables
# A row of each table that is empty in a first edition without corrections.
EXAMPLES: dict[str, dict[str, Any]] = {
    "correction": {
        "correction_id": "losser_participation_2022",
        "indicator_id": "net_labour_participation",
        "region_code": "GM0168",
        "period": "2022",
        "breakdown": "total",
        "source_table": "CBS 85318NED",
        "action": "override",
        "published_value": 6.87,
        "corrected_value": 68.7,
        "warning": "unusual_change",
        "reason": "The decimal point is one place too far to the left.",
        "reported_to": "Statistics Netherlands (CBS), 2026-03-02",
        "state": "reported",
    },
    "revision": {
        "edition": "2025-draft",
        "previous_edition": "2024-1",
        "table_name": "indicator_value",
        "row_key": "measurement_year=2022|indicator_id=population|region_code=GM0153|breakdown=total",
        "column_name": "value",
        "old_value": "160640.0",
        "new_value": "160680.0",
        "kind": "value",
        "cause": "source_revision",
    },
    "erratum": {
        "edition": "2024-1",
        "erratum_id": 1,
        "table_name": "indicator_value",
        "row_key": "measurement_year=2022|indicator_id=population|region_code=GM0153|breakdown=total",
        "text": "The figure is of 1 February, not of 1 January.",
        "stated_at": "2026-09-01T09:00:00+00:00",
    },
}


@dataclass(frozen=True)
class Tables:
    """The tables of the edition, read as a workspace reads them; `broken` replaces some."""

    folder: Path
    broken: dict[str, pl.DataFrame] = field(default_factory=dict)

    def read(self, table: Table) -> pl.DataFrame:
        frame = self.broken.get(table.name)
        return pl.read_parquet(self.folder / f"{table.name}.parquet") if frame is None else frame

    def check(self, name: str) -> list[dict[str, Any]]:
        """The results of all rules of a table, for all its partitions."""
        table = TABLES[name]
        partitions = YEARS if table.partitioned else ["all"]
        context = Context(CATALOGUE, lambda other: self.read(TABLES[other]), partitions)
        return evaluate(table, self.read(table), context)

    def some_of(self, name: str) -> pl.DataFrame:
        """A table, with an example row where the edition has none: a first edition revises and corrects nothing."""
        frame = self.read(TABLES[name])
        return frame if frame.height else pl.DataFrame([EXAMPLES[name]], schema=TABLES[name].polars_schema)

    def breaking(self, name: str, frame: pl.DataFrame) -> Tables:
        return Tables(self.folder, {**self.broken, name: frame})


@pytest.fixture(scope="module")
def clean(edition: Path) -> Tables:
    return Tables(edition / "editions" / "2025-draft" / "parquet")


@pytest.fixture(scope="module")
def clean_results(clean: Tables) -> dict[str, list[dict[str, Any]]]:
    return {name: clean.check(name) for name in TABLES}


def opening(row: dict[str, Any]) -> str:
    """How a message begins: with the table, and the measurement year where it has one."""
    return f"{row['asset']}: " if row["partition"] == "all" else f"{row['asset']} {row['partition']}: "


def failed(results: list[dict[str, Any]], severity: str = "error") -> list[dict[str, Any]]:
    return [row for row in results if not row["passed"] and row["severity"] == severity]


# --- one thing broken at a time

Break = Callable[[pl.DataFrame], pl.DataFrame]


@dataclass(frozen=True)
class Case:
    """One broken table: what is done to it, the rule that must fail then, where, and what the message must name.

    `first` takes out what the clean edition asks attention for.
    """

    table: str
    break_it: Break
    rule: str
    names: str
    partition: str = "all"
    severity: str = "error"
    because: str = ""
    first: Break | None = None

    @cached_property
    def id(self) -> str:
        return f"{self.table}-{self.rule}" + (f"-{self.because}" if self.because else "")


def row_of(**key: object) -> pl.Expr:
    return pl.all_horizontal(pl.col(name) == value for name, value in key.items())


def put(column: str, value: object, **key: object) -> Break:
    """Write a value (or the value of an expression) into one row."""

    def do(frame: pl.DataFrame) -> pl.DataFrame:
        where = row_of(**key)
        assert frame.filter(where).height == 1, f"{key} is not one row"
        new = value if isinstance(value, pl.Expr) else pl.lit(value, dtype=frame.schema[column])
        return frame.with_columns(pl.when(where).then(new).otherwise(pl.col(column)).alias(column))

    return do


def both(*steps: Break) -> Break:
    def do(frame: pl.DataFrame) -> pl.DataFrame:
        for step in steps:
            frame = step(frame)
        return frame

    return do


def drop(**key: object) -> Break:
    def do(frame: pl.DataFrame) -> pl.DataFrame:
        kept = frame.filter(~row_of(**key))
        assert kept.height == frame.height - 1, f"{key} is not one row"
        return kept

    return do


def repeat(**key: object) -> Break:
    def do(frame: pl.DataFrame) -> pl.DataFrame:
        rows = frame.filter(row_of(**key))
        assert rows.height == 1, f"{key} is not one row"
        return pl.concat([frame, rows])

    return do


def shift_period(year: int, indicator: str, period: str) -> Break:
    """All regions of an indicator and year refer to another period."""
    of_year = row_of(measurement_year=year, indicator_id=indicator)
    return lambda frame: frame.with_columns(
        reference_period=pl.when(of_year).then(pl.lit(period)).otherwise("reference_period")
    )


def without_baseline(indicator: str) -> Break:
    """The indicator has no figures in the baseline year."""
    of_year = row_of(measurement_year=2022, indicator_id=indicator)
    empty = {"value": None, "source_table": None, "status": "not_retrieved"}
    return lambda frame: frame.with_columns(
        pl.when(of_year).then(pl.lit(value)).otherwise(pl.col(name)).alias(name) for name, value in empty.items()
    )


def usual(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.col("warnings").list.filter(pl.element() != "unusual_change"))


def hide(**key: object) -> Break:
    """Suppress one row as disclosure control does: no number of it is left."""

    def do(frame: pl.DataFrame) -> pl.DataFrame:
        where = row_of(**key)
        assert frame.filter(where).height == 1, f"{key} is not one row"
        numbers = [name for name in frame.select(pl.col(pl.Float64, pl.Int64)).columns if name not in key]
        return frame.with_columns(
            *(pl.when(~where).then(name).alias(name) for name in numbers),
            status=pl.when(where).then(pl.lit("suppressed")).otherwise("status"),
        )

    return do


def swap(first: str, second: str) -> Break:
    def do(frame: pl.DataFrame) -> pl.DataFrame:
        order = {first: second, second: first}
        return frame.select(order.get(name, name) for name in frame.columns)

    return do


INCOME = {"measurement_year": 2024, "indicator_id": "income_standardised_mean", "region_code": "GM0153"}
HEALTH = {"measurement_year": 2022, "indicator_id": "perceived_health_good", "region_code": "TWENTE"}
ELSEWHERE = {"measurement_year": 2023, "indicator_id": "perceived_health_good", "region_code": "GM0014"}
GAP = {**INCOME, "comparator_code": "NL_REST"}
SINCE = {"measurement_year": 2024, "indicator_id": "population", "region_code": "GM0153", "quantity": "value"}
AMSTERDAM = {"indicator_id": "population", "region_code": "GM0363", "period": "2021"}
ENSCHEDE = "indicator_id=income_standardised_mean, region_code=GM0153"
ENSCHEDE_GAP = f"{ENSCHEDE}, comparator_code=NL_REST"
ENSCHEDE_SINCE = "indicator_id=population, region_code=GM0153"
# Of the invented survey: the health of Enschede in 2022, and its change until 2023.
FELT = {"measurement_year": 2022, "indicator_id": "experienced_health", "region_code": "GM0153"}
FELT_TOTAL = {**FELT, "breakdown": "total"}
FELT_GAP = {**FELT_TOTAL, "comparator_code": "NL_REST"}
FELT_SINCE = {**FELT_TOTAL, "measurement_year": 2023, "quantity": "value"}
SAID = {"measurement_year": 2022, "variable_id": "experienced_health", "region_code": "GM0153", "breakdown": "total"}
SAID_MEAN = {**SAID, "statistic": "mean"}
FELT_IN_ENSCHEDE = "indicator_id=experienced_health, region_code=GM0153"
SAID_IN_ENSCHEDE = "variable_id=experienced_health, region_code=GM0153"
FELT_GAP_OF_ENSCHEDE = f"{FELT_IN_ENSCHEDE}, comparator_code=NL_REST"
# Of the analysis: how that moved, where the income of Enschede lies, its scores and what is expected of it.
MOVED = {**FELT_SINCE, "measurement_year": 2025, "comparator_code": "GM0153", "movement": "since_previous"}
SLOPE = {**INCOME, "comparator_code": "GM0153", "breakdown": "total", "quantity": "value", "movement": "slope"}
PLACED = {**INCOME, "among": "country"}
OVERALL = {"measurement_year": 2022, "framework": "btg", "theme_id": "btg_overall", "region_code": "GM0153"}
SCORED = {**OVERALL, "method": "goalposts_arithmetic"}
RANKED = {**OVERALL, "among": "region"}
AHEAD = {**OVERALL, "comparator_code": "GM0141"}
FELT_APART = {**FELT, "region_code": "URBAN_CORE", "comparator_code": "RURAL", "decomposed_by": "age"}
# Of earlier publications, and of what was done to published figures.
GRADE = {"edition": "2022-published", "indicator_id": "experienced_overall_grade_published", "region_code": "TWENTE"}
LOSSER = {"correction_id": "losser_participation_2022"}
REVISED = {"table_name": "indicator_value", "column_name": "value"}
REVISED_IN_ENSCHEDE = "region_code=GM0153|breakdown=total, column_name=value"
NOT_EXPECTED = {**HEALTH, "region_code": "GM0153"}
# Of the sentences: the income of the cores against the rural municipalities, which is worse, and other rows.
WORSE = "difference:2025:income_standardised_mean:URBAN_CORE:RURAL"
NO_FIGURE = "difference:2025:registered_crime_per_1000:GM0141:NL_REST"
VALUE_OF_ENSCHEDE = "value:2025:income_standardised_mean:GM0153"
PLACE_OF_ENSCHEDE = "rank:2025:btg:GM0153"
COUNTED_OF_ENSCHEDE = "count_change:2025:GM0153"
# By language: what reverses the verdict, a verdict that another row has, and a cause.
REVERSED = {"nl": ("slechter", "beter"), "en": ("worse", "better")}
ALSO_SAID = {"nl": " Dat is aantoonbaar beter.", "en": " That is demonstrably better."}
BLAMED = {"nl": " Dat komt door de crisis.", "en": " That is due to the crisis."}
SCORE_OF_ENSCHEDE = "theme_id=btg_overall, region_code=GM0153"

# Of the programme: a result, money, and what calms what the demo asks attention for.
RESULT = {"year": 2025, "target_id": "sme_active"}
STATE = {"year": 2025, "line_id": "1.1", "financing_source": "state"}
TESTED = {"year": 2025, "target_id": "perceived_health_65"}
BEHIND = "target:2025:sme_active"


def scale_region(frame: pl.DataFrame) -> pl.DataFrame:
    """All that the region gives, and the sums with it, become half: everything still adds up."""
    regional = pl.col("financing_source").is_in(["state", "total"]).not_()
    half = frame.with_columns(budget=pl.when(regional).then(pl.col("budget") / 2).otherwise("budget"))
    key = ["year", "line_id"]
    both_parts = half.filter(pl.col("financing_source").is_in(["state", "regional"]))
    sums = both_parts.group_by(key).agg(whole=pl.col("budget").sum())
    is_total = pl.col("financing_source") == "total"
    joined = half.join(sums, key, how="left", maintain_order="left")
    return joined.with_columns(budget=pl.when(is_total).then("whole").otherwise("budget")).drop("whole")


def cleared(column: str, value: object = None) -> Break:
    """Every row the same: nothing asks for attention."""
    return lambda frame: frame.with_columns(pl.lit(value, dtype=frame.schema[column]).alias(column))


CASES = [
    # keys
    Case("region", repeat(region_code="GM0153"), "unique_key", "region_code=GM0153"),
    Case("indicator_value", repeat(**INCOME), "unique_key", ENSCHEDE, "2024"),
    # required
    Case("region", put("name", None, region_code="GM0153"), "name_present", "region_code=GM0153"),
    Case("indicator_value", put("warnings", None, **INCOME), "warnings_present", ENSCHEDE, "2024"),
    # vocabularies
    Case("region", put("kind", "town", region_code="GM0153"), "kind_in_vocabulary", "kind=town"),
    Case("comparison", put("verdict", "bad", **GAP), "verdict_in_vocabulary", ENSCHEDE_GAP, "2024"),
    Case(
        "indicator_value",
        put("warnings", ["no_margin", "invented"], **INCOME),
        "warnings_in_vocabulary",
        ENSCHEDE,
        "2024",
        because="unknown word in a list",
    ),
    Case(
        "indicator_value",
        put("warnings", ["no_margin", None], **INCOME),
        "warnings_in_vocabulary",
        ENSCHEDE,
        "2024",
        because="NULL in a list",
    ),
    Case(
        "indicator_value",
        put("warnings", ["covid_period;no_margin"], **INCOME),
        "warnings_in_vocabulary",
        ENSCHEDE,
        "2024",
        because="two words in one",
    ),
    # patterns
    Case("indicator_value", put("series_id", "Incl. students", **INCOME), "series_id_well_formed", "Incl.", "2024"),
    Case("source", put("sha256", "abc", source_table="CBS 03759ned"), "sha256_well_formed", "CBS 03759ned"),
    # bounds
    Case("indicator_value", put("lag_years", -1, **INCOME), "lag_years_within_bounds", "lag_years=-1", "2024"),
    Case("region", put("population", -5, region_code="GM0014"), "population_within_bounds", "region_code=GM0014"),
    # references
    Case("indicator_value", put("region_code", "GM9999", **ELSEWHERE), "region_code_known", "GM9999", "2023"),
    Case("indicator", put("theme_id", "btg_luck", indicator_id="perceived_health_good"), "theme_id_known", "btg_luck"),
    # types and columns
    Case("theme", lambda f: f.cast({"sort_order": pl.Float64}), "types_as_registered", "sort_order"),
    Case("theme", swap("name_nl", "name_en"), "columns_as_registered", "name_nl"),
    # value and status
    Case(
        "indicator_value",
        put("value", None, **INCOME),
        "missing_exactly_when_status_says",
        ENSCHEDE,
        "2024",
        because="no value",
    ),
    Case(
        "indicator_value",
        put("status", "not_published", **INCOME),
        "missing_exactly_when_status_says",
        ENSCHEDE,
        "2024",
        because="a value that is said to be missing",
    ),
    Case(
        "observation",
        put("value", None, indicator_id="population", region_code="GM0153", period="2022"),
        "missing_exactly_when_status_says",
        "region_code=GM0153, period=2022",
    ),
    Case(
        "observation_restated",
        put("value", None, **AMSTERDAM),
        "missing_exactly_when_status_says",
        "region_code=GM0363, period=2021",
    ),
    # margins
    Case(
        "indicator_value",
        both(put("ci_low", pl.col("value") + 1, **INCOME), put("ci_high", pl.col("value") + 2, **INCOME)),
        "interval_contains_value",
        ENSCHEDE,
        "2024",
        because="value below it",
    ),
    Case(
        "indicator_value",
        put("ci_low", pl.col("value") - 1, **INCOME),
        "interval_contains_value",
        ENSCHEDE,
        "2024",
        because="one margin only",
    ),
    Case(
        "observation",
        put("ci_high", pl.col("value") + 1, indicator_id="population", region_code="GM0153", period="2022"),
        "interval_contains_value",
        "region_code=GM0153, period=2022",
    ),
    Case(
        "observation_restated",
        put("ci_low", pl.col("value") + 1, **AMSTERDAM),
        "interval_contains_value",
        "region_code=GM0363, period=2021",
    ),
    # differences
    Case(
        "comparison",
        put("difference_ci_high", pl.col("difference") - 1, **GAP),
        "interval_contains_difference",
        ENSCHEDE_GAP,
        "2024",
        because="difference above it",
    ),
    Case(
        "comparison",
        put("difference_ci_high", None, **GAP),
        "interval_contains_difference",
        ENSCHEDE_GAP,
        "2024",
        because="one margin only",
    ),
    Case(
        "change",
        put("difference_ci_low", pl.col("difference_ci_high") + 1, **SINCE),
        "interval_contains_difference",
        ENSCHEDE_SINCE,
        "2024",
    ),
    Case(
        "comparison",
        put("comparator_value", pl.col("comparator_value") + 0.1, **GAP),
        "difference_is_value_minus_other",
        ENSCHEDE_GAP,
        "2024",
    ),
    Case(
        "change",
        put("baseline_value", pl.col("baseline_value") - 0.1, **SINCE),
        "difference_is_value_minus_other",
        ENSCHEDE_SINCE,
        "2024",
    ),
    Case(
        "municipality_crosswalk",
        put("share", 0.5, period="2020", from_code="GM0788", to_code="GM0824"),
        "shares_add_up",
        "from_code=GM0788",
    ),
    Case("comparison", put("basis", "none", **GAP), "verdict_has_a_basis", ENSCHEDE_GAP, "2024", because="no basis"),
    Case(
        "comparison",
        both(put("difference_ci_low", None, **GAP), put("difference_ci_high", None, **GAP)),
        "verdict_has_a_basis",
        ENSCHEDE_GAP,
        "2024",
        because="no margin",
    ),
    Case("change", put("basis", "none", **SINCE), "verdict_has_a_basis", ENSCHEDE_SINCE, "2024"),
    Case("comparison", put("p_value", 0.01, **GAP), "p_value_only_with_interval", ENSCHEDE_GAP, "2024"),
    Case("change", put("p_value", 0.01, **SINCE), "p_value_only_with_interval", ENSCHEDE_SINCE, "2024"),
    # scales and totals
    Case("indicator_value", put("value", 101.0, **ELSEWHERE), "within_scale", "region_code=GM0014", "2023"),
    Case(
        "observation",
        put("value", -1.0, indicator_id="population", region_code="GM0153", period="2022"),
        "within_scale",
        "region_code=GM0153, period=2022",
    ),
    Case("indicator_value", put("value", 95.0, **HEALTH), "mean_within_members", "region_code=TWENTE", "2022"),
    Case(
        "indicator_value",
        put("value", 6_389_000.0, measurement_year=2023, indicator_id="population", region_code="TWENTE"),
        "total_plausible",
        "indicator_id=population, region_code=TWENTE",
        "2023",
    ),
    # what must be there
    Case("region", drop(region_code="NL_REST"), "own_regions_present", "region_code=NL_REST"),
    Case(
        "region_member",
        drop(group_code="RURAL", municipality_code="GM1742", period="2024"),
        "members_complete",
        "group_code=RURAL, municipality_code=GM1742, period=2024",
    ),
    Case(
        "region_member",
        drop(group_code="NL01", municipality_code="GM1742", period="2024"),
        "members_exist",
        "municipality_code=GM1742, period=2024",
    ),
    Case("indicator_value", drop(**INCOME), "every_row_promised", ENSCHEDE, "2024"),
    Case("comparison", drop(**GAP), "every_row_promised", ENSCHEDE_GAP, "2024"),
    Case(
        "comparison",
        drop(**GAP | {"region_code": "URBAN_CORE", "comparator_code": "RURAL_NARROW"}),
        "every_row_promised",
        "region_code=URBAN_CORE, comparator_code=RURAL_NARROW",
        "2024",
    ),
    Case("change", drop(quantity="value", **INCOME), "every_row_promised", ENSCHEDE, "2024"),
    Case("theme", lambda frame: frame.clear(), "has_rows", "theme"),
    # periods
    Case(
        "indicator_value",
        put("reference_period", "2020", **ELSEWHERE),
        "one_reference_period",
        "indicator_id=perceived_health_good",
        "2023",
    ),
    Case(
        "indicator_value",
        shift_period(2022, "perceived_health_good", "2020"),
        "baseline_as_frozen",
        "frozen=CBS 85563NED 2022 or RIVM 50150NED 2022 or RIVM 50120NED 2022, found=RIVM 50120NED 2020",
        "2022",
        severity="warning",
        because="another period",
    ),
    Case(
        "indicator_value",
        put("source_table", "CBS 85039NED", **{**HEALTH, "region_code": "GM0153"}),
        "baseline_as_frozen",
        "indicator_id=perceived_health_good, frozen=",
        "2022",
        severity="warning",
        because="another table, for one municipality",
    ),
    Case(
        "indicator_value",
        without_baseline("perceived_health_good"),
        "baseline_as_frozen",
        "found=no figures",
        "2022",
        severity="warning",
        because="figures of later years only",
    ),
    Case(
        "indicator_value",
        put("warnings", ["unusual_change"], **INCOME),
        "unusual_change",
        ENSCHEDE,
        "2024",
        severity="warning",
        first=usual,
    ),
    # the resident survey
    Case(
        "survey_estimate",
        put("status", "not_measured", **SAID_MEAN),
        "missing_exactly_when_status_says",
        SAID_IN_ENSCHEDE,
    ),
    Case("survey_estimate", put("ci_low", None, **SAID_MEAN), "interval_contains_value", SAID_IN_ENSCHEDE),
    *(
        Case(
            "survey_estimate",
            put(column, 29, **SAID_MEAN),
            "suppressed_says_nothing",
            SAID_IN_ENSCHEDE,
            because=column,
            first=hide(**SAID_MEAN),
        )
        for column in [
            *("standard_error", "grade", "grade_ci_low", "grade_ci_high", "n", "n_effective", "degrees_of_freedom"),
        ]
    ),
    Case("survey_estimate", put("n", 29, **SAID_MEAN), "enough_answers", SAID_IN_ENSCHEDE),
    Case(
        "survey_contrast",
        put("comparator_code", "GM0014", **FELT_GAP),
        "both_sides_published",
        "indicator_id=experienced_health, region_code=GM0153, comparator_code=GM0014",
        because="a region of which nothing is published",
    ),
    Case(
        "small_area_estimate",
        put("status", "not_measured", **FELT),
        "missing_exactly_when_status_says",
        FELT_IN_ENSCHEDE,
    ),
    Case("small_area_estimate", put("ci_high", None, **FELT), "interval_contains_value", FELT_IN_ENSCHEDE),
    # what is invented
    Case("survey_estimate", put("warnings", [], **SAID_MEAN), "synthetic_marked", SAID_IN_ENSCHEDE),
    Case("survey_contrast", put("warnings", ["small_n"], **FELT_GAP), "synthetic_marked", FELT_GAP_OF_ENSCHEDE),
    Case("small_area_estimate", put("warnings", ["model_based"], **FELT), "synthetic_marked", FELT_IN_ENSCHEDE),
    Case("indicator_value", put("warnings", [], **FELT_TOTAL), "synthetic_marked", FELT_IN_ENSCHEDE, "2022"),
    Case("comparison", put("warnings", [], **FELT_GAP), "synthetic_marked", FELT_GAP_OF_ENSCHEDE, "2022"),
    Case("change", put("warnings", [], **FELT_SINCE), "synthetic_marked", FELT_IN_ENSCHEDE, "2023"),
    # trends and positions
    Case(
        "trend",
        put("ci_low", pl.col("estimate") + 0.001, **MOVED),
        "interval_contains_estimate",
        FELT_IN_ENSCHEDE,
        because="estimate below it",
    ),
    Case(
        "trend",
        put("ci_high", None, **MOVED),
        "interval_contains_estimate",
        FELT_IN_ENSCHEDE,
        because="one margin only",
    ),
    Case("trend", put("basis", "none", **MOVED), "verdict_has_a_basis", FELT_IN_ENSCHEDE, because="no basis"),
    Case(
        "trend",
        both(put("ci_low", None, **MOVED), put("ci_high", None, **MOVED)),
        "verdict_has_a_basis",
        FELT_IN_ENSCHEDE,
        because="no margin",
    ),
    Case("trend", put("reason", None, **SLOPE), "missing_says_why", ENSCHEDE),
    Case("trend", drop(**SLOPE), "every_row_promised", ENSCHEDE),
    Case(
        "position",
        put("percentile_low", pl.col("percentile") + 1, **PLACED),
        "range_contains_percentile",
        ENSCHEDE,
        because="percentile below it",
    ),
    Case(
        "position",
        put("percentile_high", None, **PLACED),
        "range_contains_percentile",
        ENSCHEDE,
        because="one end only",
    ),
    Case(
        "position",
        both(put("percentile_low", None, **PLACED), put("percentile_high", None, **PLACED)),
        "position_has_a_range",
        ENSCHEDE,
        because="a quarter without range",
    ),
    Case(
        "position",
        put("position", "not_decidable", **PLACED),
        "position_has_a_range",
        ENSCHEDE,
        because="a range of which nothing is said",
    ),
    Case("position", put("value", pl.col("maximum") + 1, **PLACED), "value_within_distribution", ENSCHEDE),
    Case("position", drop(**PLACED), "every_row_promised", f"{ENSCHEDE}, among=country"),
    # scores and ranks
    Case(
        "framework_element",
        put("weight", 0.4, framework="cbs", element_id="overweight"),
        "weights_add_up",
        "framework=cbs, parent_id=cbs_health",
    ),
    Case(
        "framework_element",
        put("goalpost_low", pl.col("goalpost_high"), framework="cbs", element_id="perceived_health_good"),
        "goalposts_ordered",
        "element_id=perceived_health_good",
        because="on one spot",
    ),
    Case(
        "framework_element",
        put("goalpost_high", None, framework="cbs", element_id="perceived_health_good"),
        "goalposts_ordered",
        "element_id=perceived_health_good",
        because="one only",
    ),
    Case(
        "theme_score",
        both(*(put(name, None, **SCORED) for name in ("score", "ci_low", "ci_high"))),
        "missing_exactly_when_status_says",
        SCORE_OF_ENSCHEDE,
        because="no score",
    ),
    Case(
        "theme_score",
        put("status", "not_published", **SCORED),
        "missing_exactly_when_status_says",
        SCORE_OF_ENSCHEDE,
        because="a score that is said to be missing",
    ),
    Case(
        "theme_score",
        put("ci_high", pl.col("score") - 0.001, **SCORED),
        "interval_contains_score",
        SCORE_OF_ENSCHEDE,
        because="score above it",
    ),
    Case(
        "theme_score",
        put("ci_low", None, **SCORED),
        "interval_contains_score",
        SCORE_OF_ENSCHEDE,
        because="one margin only",
    ),
    *(
        Case("theme_score", put(name, None, **SCORED), "rank_has_a_range", SCORE_OF_ENSCHEDE, because=f"no {name}")
        for name in ("rank", "rank_low", "rank_high", "rank_of")
    ),
    Case("theme_score", put("rank", 1, **SCORED), "rank_has_a_range", SCORE_OF_ENSCHEDE, because="outside its range"),
    Case("theme_score", put("rank_high", 15, **SCORED), "rank_has_a_range", SCORE_OF_ENSCHEDE, because="of fourteen"),
    Case("theme_score", put("theme_id", "cbs_health", **SCORED), "frameworks_apart", "framework=btg, theme_id=cbs_"),
    Case(
        "sensitivity", put("rank", 5, **RANKED), "range_contains_rank", SCORE_OF_ENSCHEDE, because="outside its range"
    ),
    Case(
        "sensitivity", put("rank_high", 15, **RANKED), "range_contains_rank", SCORE_OF_ENSCHEDE, because="of fourteen"
    ),
    Case(
        "sensitivity",
        put("sampling_rank_high", 13, **RANKED),
        "sampling_range_contains_rank",
        SCORE_OF_ENSCHEDE,
        because="rank behind it",
    ),
    Case(
        "sensitivity",
        put("sampling_rank_low", None, **RANKED),
        "sampling_range_contains_rank",
        SCORE_OF_ENSCHEDE,
        because="one end only",
    ),
    Case(
        "sensitivity_pair",
        put("ahead_share", pl.lit(100.0) - pl.col("ahead_share") / 2, **AHEAD),
        "ahead_and_behind_add_up",
        f"{SCORE_OF_ENSCHEDE}, comparator_code=GM0141",
        because="other shares",
    ),
    Case(
        "sensitivity_pair",
        drop(**AHEAD),
        "ahead_and_behind_add_up",
        "region_code=GM0141, comparator_code=GM0153",
        because="no way back",
    ),
    # structure
    Case(
        "peer",
        put("peer_code", "GM0164", region_code="GM0153", place=1),
        "peers_outside_the_region",
        "region_code=GM0153, peer_code=GM0164",
        because="a neighbour within the region",
    ),
    Case(
        "peer",
        lambda frame: frame.with_columns(region_code=pl.col("region_code").replace("GM0153", "GM0202")),
        "peers_outside_the_region",
        "region_code=GM0202",
        because="of another municipality",
    ),
    Case("peer", drop(region_code="GM0153", place=10), "peers_complete", "region_code=GM0153"),
    Case("expected_value", put("reason", None, **NOT_EXPECTED), "refused_with_a_reason", "region_code=GM0153"),
    Case(
        "expected_value",
        put("reason", "no_better_than_mean", **INCOME),
        "refused_with_a_reason",
        ENSCHEDE,
        because="a reason without refusal",
    ),
    *(
        Case(
            "expected_value",
            put(name, 70.0, **NOT_EXPECTED),
            "given_unless_refused",
            "region_code=GM0153",
            because=f"{name} of what is refused",
        )
        for name in ("expected_value", "expected_low", "expected_high", "residual")
    ),
    *(
        Case("expected_value", put(name, None, **INCOME), "given_unless_refused", ENSCHEDE, because=f"no {name}")
        for name in ("expected_value", "expected_low", "expected_high", "residual")
    ),
    Case(
        "expected_value",
        put("expectation", "below_expected", **INCOME),
        "flag_follows_bounds",
        ENSCHEDE,
        because="within them",
    ),
    Case(
        "expected_value",
        put("value", pl.col("expected_high") + 1, **INCOME),
        "flag_follows_bounds",
        ENSCHEDE,
        because="above them",
    ),
    Case(
        "decomposition",
        put("contribution", pl.col("contribution") + 0.01, component="within", **FELT_APART),
        "components_add_up",
        "indicator_id=experienced_health, region_code=URBAN_CORE, comparator_code=RURAL, decomposed_by=age",
    ),
    # editions
    Case(
        "value_by_edition",
        put("edition", "2022-draft", **GRADE),
        "edition_well_formed",
        "edition=2022-draft",
        because="a draft was never published",
    ),
    Case(
        "value_by_edition",
        put("value", None, **GRADE),
        "missing_exactly_when_status_says",
        "edition=2022-published",
    ),
    Case(
        "value_by_edition",
        put("ci_low", pl.col("value") - 1, **GRADE),
        "interval_contains_value",
        "edition=2022-published",
        because="one margin only",
    ),
    Case(
        "correction",
        put("corrected_value", None, **LOSSER),
        "corrected_as_said",
        "action=override, published_value=6.87, corrected_value=empty",
        because="replaced by nothing",
    ),
    *(
        Case(
            "correction",
            put("action", action, **LOSSER),
            "corrected_as_said",
            f"action={action}, published_value=6.87, corrected_value=68.7",
            because=f"{action} that replaces",
        )
        for action in ("drop", "flag")
    ),
    *(
        Case(
            "revision",
            put("edition", other, **REVISED),
            "of_this_edition",
            f"edition={other}",
            because=f"of {other}",
        )
        for other in ("2024-draft", "2025-1")
    ),
    Case(
        "revision",
        put("cause", "unexplained", **REVISED),
        "difference_explained",
        f"{REVISED_IN_ENSCHEDE}, old_value=160640.0, new_value=160680.0",
        severity="warning",
    ),
    # sentences
    *(
        case
        for language in ("nl", "en")
        for case in (
            Case(
                "claim",
                put("row_key", "measurement_year=2025|indicator_id=luck", claim_id=WORSE, language=language),
                "claim_has_its_row",
                f"claim_id={WORSE}, language={language}",
                because=f"no such row, {language}",
            ),
            Case(
                "claim",
                put("table_name", "theme_score", claim_id=VALUE_OF_ENSCHEDE, language=language),
                "claim_has_its_row",
                f"claim_id={VALUE_OF_ENSCHEDE}, language={language}",
                because=f"a table that no sentence is about, {language}",
            ),
            Case(
                "claim",
                put("rule", "rank_missing", claim_id=PLACE_OF_ENSCHEDE, language=language),
                "claim_has_its_row",
                f"claim_id={PLACE_OF_ENSCHEDE}, language={language}",
                because=f"a place that is said to be missing, {language}",
            ),
            Case(
                "claim",
                put("sentence", pl.col("sentence").str.replace(*REVERSED[language]), claim_id=WORSE, language=language),
                "claim_says_its_verdict",
                f"claim_id={WORSE}, language={language}, sentence=",
                because=f"reversed, {language}",
            ),
            Case(
                "claim",
                put("sentence", "Inkomen: −7,1.", claim_id=WORSE, language=language),
                "claim_says_its_verdict",
                f"claim_id={WORSE}, language={language}, sentence=Inkomen",
                because=f"no verdict, {language}",
            ),
            *(
                Case(
                    "claim",
                    put("sentence", pl.col("sentence") + ALSO_SAID[language], claim_id=claim_id, language=language),
                    "claim_says_its_verdict",
                    f"claim_id={claim_id}, language={language}, sentence=",
                    because=f"{because}, {language}",
                )
                for claim_id, because in {
                    WORSE: "two verdicts",
                    NO_FIGURE: "a verdict without a figure",
                    VALUE_OF_ENSCHEDE: "a verdict on a single figure",
                    PLACE_OF_ENSCHEDE: "a verdict on a place",
                }.items()
            ),
            *(
                Case(
                    "claim",
                    put("sentence", pl.col("sentence") + BLAMED[language], claim_id=claim_id, language=language),
                    "claim_names_no_cause",
                    f"claim_id={claim_id}, language={language}, sentence=",
                    because=f"{because}, {language}",
                )
                for claim_id, because in {WORSE: "of a difference", COUNTED_OF_ENSCHEDE: "of a count"}.items()
            ),
        )
    ),
    # programme
    Case("budget_progress", put("budget", 1.0, **STATE), "budget_adds_up", "year=2025, financing_source=state"),
    Case(
        "budget_progress",
        put("budget", 1.0, year=2025, line_id="TOTAL", financing_source="public_money"),
        "budget_adds_up",
        "year=2025, financing_source=public",
        because="parts of the regional financing",
    ),
    Case("budget_progress", scale_region, "region_matches_state", "financing_source=regional"),
    Case("budget_progress", put("paid", 9e9, **STATE), "paid_within_committed", "line_id=1.1, financing_source=state"),
    Case(
        "budget_progress",
        put("warning", "above_maximum", **STATE),
        "money_within_agreement",
        "warning=above_maximum",
        severity="warning",
        first=cleared("warning"),
    ),
    Case(
        "project", put("starts", "2020-01-01", project_id="data-samen"), "dates_within_programme", "starts=2020-01-01"
    ),
    Case(
        "milestone",
        put("reached_on", "2029-01-01", project_id="data-samen", milestone_id="data-samen-1"),
        "dates_within_programme",
        "reached_on=2029-01-01",
    ),
    Case(
        "target_progress",
        put("reason", None, year=2025, target_id="unused_talent"),
        "undecided_says_why",
        "target_id=unused_talent",
    ),
    Case(
        "target_progress",
        put("reason", "no_plan", **RESULT),
        "undecided_says_why",
        "target_id=sme_active",
        because="decided",
    ),
    Case("target_progress", put("status", "reached", **RESULT), "reached_at_threshold", "target_id=sme_active"),
    Case(
        "target_progress",
        put("evidence_count", 0, year=2025, target_id="sme_structure"),
        "reached_with_evidence",
        "target_id=sme_structure",
    ),
    Case("policy_indicator", put("limit_low", 99.0, **TESTED), "limits_contain_change", "perceived_health_65"),
    Case("policy_indicator", put("power", None, **TESTED), "power_published", "perceived_health_65"),
    Case(
        "report_requirement",
        both(
            put("met", value=False, year=2025, line_id="1.1", requirement="register"),
            put("lacking", "bureau-bedrijven", year=2025, line_id="1.1", requirement="register"),
        ),
        "report_is_complete",
        "lacking=bureau-bedrijven",
        severity="warning",
        first=cleared("met", value=True),
    ),
    Case(
        "programme_text",
        put("causal_sentences", "Dat komt door ons project.", year=2025, line_id="1.1", part="progress"),
        "text_names_no_cause",
        "year=2025, line_id=1.1, part=progress",
        severity="warning",
        first=cleared("causal_sentences"),
    ),
    Case(
        "claim",
        put(
            "sentence",
            pl.col("sentence").str.replace("achter op de planning", "op koers"),
            claim_id=BEHIND,
            language="nl",
        ),
        "claim_says_its_verdict",
        f"claim_id={BEHIND}, language=nl",
        because="a result that is behind",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_one_thing_broken_fails_one_check(
    case: Case, clean: Tables, clean_results: dict[str, list[dict[str, Any]]]
) -> None:
    frame, before = clean.some_of(case.table), clean_results[case.table]
    if case.first:
        frame = case.first(frame)
        before = clean.breaking(case.table, frame).check(case.table)
    results = clean.breaking(case.table, case.break_it(frame)).check(case.table)
    already = {(row["check_id"], row["partition"]) for row in failed(before, case.severity)}
    new = [row for row in failed(results, case.severity) if (row["check_id"], row["partition"]) not in already]
    assert {(row["check_id"], row["partition"]) for row in new} == {(case.rule, case.partition)}, [
        row["message"] for row in new
    ]
    (row,) = new
    assert case.names in row["message"]
    assert row["message"].startswith(opening(row))
    assert row["rows_failed"] >= 1 or case.rule == "has_rows"  # an empty table has no row that fails
    assert case.severity == "error" or not failed(results), "a point for attention must not stop the run"


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_example_rows_of_what_a_first_edition_lacks_pass(clean: Tables, name: str) -> None:
    assert clean.read(TABLES[name]).is_empty(), "the edition has rows: break those"
    results = clean.breaking(name, clean.some_of(name)).check(name)
    assert [row["message"] for row in results if not row["passed"]] == []


@pytest.mark.parametrize(
    ("action", "published", "corrected"),
    [("override", 6.87, 68.7), ("override", None, 68.7), ("drop", 6.87, None), ("flag", 6.87, 6.87)],
)
def test_a_correction_that_did_what_it_says_passes(
    clean: Tables, action: str, published: float | None, corrected: float | None
) -> None:
    row = EXAMPLES["correction"] | {"action": action, "published_value": published, "corrected_value": corrected}
    frame = pl.DataFrame([row], schema=TABLES["correction"].polars_schema)
    assert not failed(clean.breaking("correction", frame).check("correction"))


@pytest.mark.parametrize("side", ["GM0153", "NL_REST"])
def test_no_difference_is_published_of_a_figure_that_was_hidden(clean: Tables, side: str) -> None:
    estimates = hide(**{**SAID_MEAN, "region_code": side})(clean.read(TABLES["survey_estimate"]))
    (row,) = failed(clean.breaking("survey_estimate", estimates).check("survey_contrast"))
    assert row["check_id"] == "both_sides_published"
    contrasts = clean.read(TABLES["survey_contrast"]).filter(indicator_id="experienced_health", breakdown="total")
    here = pl.col("measurement_year") == 2022
    of_side = (here & (pl.col("region_code") == side)) | (
        (pl.col("comparator_year") == 2022) & (pl.col("comparator_code") == side)
    )
    assert row["rows_failed"] == contrasts.filter(of_side).height > 1


def test_the_share_that_is_hidden_is_not_taken_for_the_mean(clean: Tables) -> None:
    estimates = hide(**SAID, statistic="share")(clean.read(TABLES["survey_estimate"]))
    (row,) = failed(clean.breaking("survey_estimate", estimates).check("survey_contrast"))
    assert "indicator_id=experienced_health_share" in row["message"]
    assert "indicator_id=experienced_health," not in row["message"]


def test_what_is_published_of_an_invented_wave_must_say_so_and_of_a_real_one_need_not(clean: Tables) -> None:
    waves = clean.read(TABLES["survey_wave"])
    real = waves.with_columns(synthetic=pl.col("synthetic") & (pl.col("measurement_year") != 2022))
    unmarked = put("warnings", [], **SAID_MEAN)(clean.read(TABLES["survey_estimate"]))
    broken = clean.breaking("survey_estimate", unmarked)
    assert failed(broken.check("survey_estimate"))
    assert not failed(broken.breaking("survey_wave", real).check("survey_estimate"))


def test_a_word_that_only_holds_the_name_of_a_cause_is_none(clean: Tables) -> None:
    harmless = {"nl": " Dit is effectief, en doorgaans zo.", "en": " This is effective, and leaderless."}
    frame = clean.read(TABLES["claim"])
    for language, words in harmless.items():
        frame = put("sentence", pl.col("sentence") + words, claim_id=WORSE, language=language)(frame)
    assert not failed(clean.breaking("claim", frame).check("claim"))


def test_a_municipality_without_a_place_has_a_sentence_and_no_row(clean: Tables) -> None:
    """Where a score cannot be made there is no row of `sensitivity`: that must not stop the run."""
    key = {**RANKED, "measurement_year": 2025}
    tables = clean.breaking("sensitivity", drop(**key)(clean.read(TABLES["sensitivity"])))
    (row,) = failed(tables.check("claim"))
    assert (row["check_id"], row["rows_failed"]) == ("claim_has_its_row", 2), "its place is said and not there"
    said = clean.read(TABLES["claim"])
    for language in ("nl", "en"):
        said = put("rule", "rank_missing", claim_id=PLACE_OF_ENSCHEDE, language=language)(said)
    assert not failed(tables.breaking("claim", said).check("claim"))


def test_the_wrong_word_is_shown(clean: Tables) -> None:
    frame = put("warnings", ["no_margin", "invented"], **INCOME)(clean.read(TABLES["indicator_value"]))
    (row,) = failed(clean.breaking("indicator_value", frame).check("indicator_value"))
    assert "invented" in row["message"]


def test_an_empty_field_is_called_empty(clean: Tables) -> None:
    frame = put("name", None, region_code="GM0153")(clean.read(TABLES["region"]))
    (row,) = failed(clean.breaking("region", frame).check("region"))
    assert "name=nan" not in row["message"]
    assert "name=None" not in row["message"]


def test_only_the_first_rows_are_shown_and_all_are_counted(clean: Tables) -> None:
    everything = clean.read(TABLES["comparison"]).with_columns(verdict=pl.lit("bad"))
    results = clean.breaking("comparison", everything).check("comparison")
    (row,) = [r for r in results if r["check_id"] == "verdict_in_vocabulary" and r["partition"] == "2022"]
    of_year = everything.filter(measurement_year=2022).height
    assert row["rows_failed"] == of_year
    assert row["message"].count("verdict=bad") == 5
    assert f"and {of_year - 5} more" in row["message"]


def test_a_check_that_cannot_be_evaluated_has_failed(clean: Tables) -> None:
    without = clean.read(TABLES["theme"]).drop("question_nl", "framework")
    results = clean.breaking("theme", without).check("theme")
    ids = {row["check_id"]: row["message"] for row in failed(results)}
    assert {"columns_as_registered", "framework_present", "framework_in_vocabulary"} == set(ids)
    assert "could not be evaluated" in ids["framework_present"]


NEVER_EMPTY = [
    *("region", "region_member", "observation", "indicator_value", "comparison", "change"),
    *("trend", "position", "framework_element", "theme_score", "expected_value"),
]


@pytest.mark.parametrize("name", NEVER_EMPTY)
def test_an_empty_table_fails(clean: Tables, name: str) -> None:
    """Never a silent empty table: rules about rows hold where there are none."""
    assert failed(clean.breaking(name, clean.read(TABLES[name]).clear()).check(name))


# --- every column of every table


@dataclass(frozen=True)
class Broken:
    """A column broken in one row, and the rule of the registry that must see it."""

    column: str
    rule: str
    value: object


def generic_faults(table: Table) -> Iterator[Broken]:
    """What the registry's entry of each column rules out."""
    for column in table.columns:
        name = column.name
        if name in {*table.key, *table.required}:
            yield Broken(name, f"{name}_present", None)
        if column.vocabulary:
            yield Broken(name, f"{name}_in_vocabulary", ["?"] if column.type == "VARCHAR[]" else "?")
        if column.pattern:
            yield Broken(name, f"{name}_well_formed", "?")
        if column.minimum is not None or column.maximum is not None:
            yield Broken(name, f"{name}_within_bounds", _outside(column))
        if column.references and not (column.references == table.name and name in table.key):
            yield Broken(name, f"{name}_known", "nowhere")


def _outside(column: Column) -> float:
    outside = column.minimum - 1 if column.minimum is not None else (column.maximum or 0) + 1
    return outside if column.type == "DOUBLE" else int(outside)


def with_faults(frame: pl.DataFrame, faults: list[Broken]) -> pl.DataFrame:
    """Each fault in a row of its own, made by repeating the first row; all in one frame, so that it is checked once."""
    repeated = pl.concat([frame.head(1)] * len(faults)).with_columns(
        pl.Series(name, [fault.value if fault.column == name else own for fault in faults], dtype=frame.schema[name])
        for name, own in frame.row(0, named=True).items()
        if any(fault.column == name for fault in faults)
    )
    return pl.concat([frame, repeated])


@pytest.mark.parametrize("name", TABLES)
def test_every_column_is_held_against_the_registry(clean: Tables, name: str) -> None:
    table = TABLES[name]
    # The year decides the partition: its own rules are seen where the table is read as a whole.
    faults = [
        fault for fault in generic_faults(table) if not (table.partitioned and fault.column == "measurement_year")
    ]
    results = clean.breaking(name, with_faults(clean.some_of(name), faults)).check(name)
    seen = {row["check_id"] for row in failed(results)}
    assert {fault.rule for fault in faults} <= seen


# --- all rules together


def test_the_clean_edition_passes_every_check(clean_results: dict[str, list[dict[str, Any]]]) -> None:
    assert [row["message"] for rows in clean_results.values() for row in failed(rows)] == []
    attention = {(row["asset"], row["check_id"]) for rows in clean_results.values() for row in failed(rows, "warning")}
    of_programme = {
        ("budget_progress", "money_within_agreement"),
        ("programme_text", "text_names_no_cause"),
        ("report_requirement", "report_is_complete"),
    }
    assert attention == {("indicator_value", "unusual_change"), *of_programme}


def test_the_edition_says_what_the_checks_say(clean_results: dict[str, list[dict[str, Any]]], edition: Path) -> None:
    published = pl.read_parquet(edition / "editions" / "2025-draft" / "parquet" / "check_result.parquet")
    now = pl.DataFrame(
        [row for rows in clean_results.values() for row in rows], schema=TABLES["check_result"].polars_schema
    )
    key = ["check_id", "asset", "partition"]
    by_the_run = pl.col("asset").is_in([asset for asset, _ in BY_THE_RUN])
    compared = published.filter(~by_the_run).join(now, key, how="left", suffix="_now")
    assert compared.height == published.height - len(BY_THE_RUN)
    for column in ("severity", "passed", "expected", "rows_failed", "message"):
        assert compared[column].to_list() == compared[f"{column}_now"].to_list()


def test_every_check_has_one_severity_and_a_message(clean_results: dict[str, list[dict[str, Any]]]) -> None:
    for rows in clean_results.values():
        for row in rows:
            assert row["severity"] in ("error", "warning")
            assert row["message"].startswith(opening(row))
            assert row["expected"] in row["message"]


# Found by the run itself, not on a published table: broken for real, in files, in test_run, test_source_choice,
# test_coverage, test_watch, test_progress_report and the tests of the survey.
BY_THE_RUN = {
    ("input", "input_is_valid"),
    ("coverage", "registered_coverage"),
    ("coverage", "coverage_is_registered"),
    ("sources", "sources_are_fresh"),
    ("source_choice", "baseline_has_one_source"),
    ("corrections", "corrections_apply"),
    ("survey", "survey_is_valid"),
    ("survey", "weights_are_even"),
    ("survey", "small_areas_modelled"),
    ("survey", "made_from_answers"),
    ("survey", "answers_within_retention"),
    ("survey", "nothing_missed"),
    ("programme_register", "register_is_valid"),
}
# The year decides which partition a row belongs to, so no row of another year or without one is ever read.
BY_THE_PARTITION = {
    (name, f"measurement_year_{rule}")
    for name, table in TABLES.items()
    if table.partitioned
    for rule in ("present", "within_bounds")
}
FOR_EVERY_TABLE = {"unique_key", "types_as_registered", "columns_as_registered", "has_rows"}


def test_every_rule_has_a_broken_case(edition: Path) -> None:
    files = sorted((edition / "last_run" / "checks").glob("*.json"))
    made = {(row["asset"], row["check_id"]) for path in files for row in json.loads(path.read_text(encoding="utf-8"))}
    # What is lost and what is new are found at different moments of a run.
    assert {path.stem for path in files} == {*TABLES, *(asset for asset, _ in BY_THE_RUN), "coverage_news"}
    broken = {(case.table, case.rule) for case in CASES}
    swept = {(name, fault.rule) for name, table in TABLES.items() for fault in generic_faults(table)}
    assert {case.rule for case in CASES} >= FOR_EVERY_TABLE
    rest = {pair for pair in made - broken - swept - BY_THE_RUN - BY_THE_PARTITION if pair[1] not in FOR_EVERY_TABLE}
    assert rest == set(), "rules without a broken case"


# --- what Dagster hears


def outcome_in_dagster(tables: Tables, name: str, folder: Path) -> list[Any]:
    """The asset checks of a table as Dagster runs them, on a table that stands there already."""
    workspace = Workspace(output=str(folder), input_folder="", data_folder="", lock_file="")
    for table in TABLES.values():
        frame = tables.read(table)
        base = workspace.tables / table.name
        base.mkdir(parents=True, exist_ok=True)
        if table.partitioned:
            for year in YEARS:
                frame.filter(measurement_year=int(year)).write_parquet(base / f"{year}.parquet")
        else:
            frame.write_parquet(base.with_suffix(".parquet"))
    (definition,) = [d for d in checks.table_checks() if {k.asset_key.path[-1] for k in d.check_keys} == {name}]
    job = dg.Definitions(
        assets=[dg.AssetSpec(name, partitions_def=next(iter(definition.check_specs)).partitions_def)],
        asset_checks=[definition],
        jobs=[dg.define_asset_job("only_checks", dg.AssetSelection.checks(definition))],
        resources={"workspace": workspace},
    ).resolve_job_def("only_checks")
    years = {"dagster/asset_partition_range_start": YEARS[0], "dagster/asset_partition_range_end": YEARS[-1]}
    result = job.execute_in_process(
        instance=dg.DagsterInstance.ephemeral(), tags=years if TABLES[name].partitioned else {}, raise_on_error=False
    )
    return result.get_asset_check_evaluations()


def test_a_failed_rule_is_an_error_for_dagster_and_a_warning_is_not(clean: Tables, tmp_path: Path) -> None:
    frame = put("series_id", "?", **INCOME)(clean.read(TABLES["indicator_value"]))
    found = outcome_in_dagster(clean.breaking("indicator_value", frame), "indicator_value", tmp_path)
    by_name = {evaluation.check_name: evaluation for evaluation in found}
    assert set(by_name) == {"expectations", "attention"}
    blocking, attention = by_name["expectations"], by_name["attention"]
    assert (blocking.passed, blocking.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert ENSCHEDE in blocking.description
    assert (attention.passed, attention.severity) == (False, dg.AssetCheckSeverity.WARN)
    page = (tmp_path / "last_run" / "quality.html").read_text(encoding="utf-8")
    assert "Stopped: 1 check failed" in page
