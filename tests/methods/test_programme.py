"""How far the programme is: every rule on frames small enough to verify by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import polars as pl
import pytest

from catalog import load_catalogue
from catalog.programme_model import Programme
from methods import programme as progress
from sources.register import BUREAU_SCHEMA, SCHEMAS, empty_frames

YEARS = [2024, 2025]
BUREAU = "bureau-proef"
END = date(2025, 12, 31)


@pytest.fixture(scope="module")
def programme() -> Programme:
    found = load_catalogue().programme
    assert found is not None
    return found


def register(
    lines: Sequence[str] = ("1.1", "1.2", "2.1", "2.2", "3.1", "3.2", "VAT"),
    as_of: date = date(2026, 3, 1),
    **frames: list[dict[str, Any]],
) -> dict[str, pl.DataFrame]:
    """What one bureau states; each project `p-LINE` is on its line."""
    found = empty_frames()
    bureau = {"bureau": BUREAU, "line_ids": list(lines), "as_of": as_of, "synthetic": False}
    found["bureau"] = pl.DataFrame([bureau], schema=BUREAU_SCHEMA)
    projects = [
        {"project_id": f"p-{line}", "name": line, "line_id": line, "municipality_codes": [], "status": "running"}
        for line in lines
    ]
    for name, rows in ({"project": projects} | frames).items():
        found[name] = pl.DataFrame([{"bureau": BUREAU} | row for row in rows], schema=SCHEMAS[name])
    return found


def result(target: str, kind: str, number: float, day: date = END, project: str = "p-1.2") -> dict[str, Any]:
    evidence = None if kind == "planned" else "stuk 1"
    return {
        "project_id": project,
        "target_id": target,
        "kind": kind,
        "date": day,
        "number": number,
        "evidence": evidence,
    }


def standing(programme: Programme, frames: dict[str, pl.DataFrame], target: str, year: int = 2025) -> dict[str, Any]:
    _, tests = progress.policy_indicators(programme, measured([]), YEARS)
    table = progress.target_progress(programme, frames, tests, YEARS)
    return table.row(by_predicate=(pl.col("year") == year) & (pl.col("target_id") == target), named=True)


def measured(rows: list[dict[str, Any]]) -> pl.DataFrame:
    schema = {
        "target_id": pl.String,
        "wave": pl.Int32,
        "value": pl.Float64,
        "standard_error": pl.Float64,
        "n": pl.Int64,
        "about": pl.String,
        "method": pl.String,
        "source": pl.String,
        "synthetic": pl.Boolean,
    }
    return pl.DataFrame(rows, schema=schema)


# --- counted results: 300 small and medium enterprises


@pytest.mark.parametrize(
    ("achieved", "planned", "status", "reason"),
    [
        ([], [], "not_decidable", "no_plan"),
        ([], [0], "not_started", None),
        ([], [10], "behind", None),
        ([12], [], "not_decidable", "no_plan"),
        ([12], [12], "on_course", None),
        ([5, 6], [12], "behind", None),
        ([100, 200], [12], "reached", None),
        ([300], [], "reached", None),
        ([299], [400], "behind", None),
    ],
)
def test_a_count_is_held_against_its_planning_and_its_threshold(
    programme: Programme, achieved: list[float], planned: list[float], status: str, reason: str | None
) -> None:
    days = [date(2025, 3, day + 1) for day in range(10)]
    rows = [result("sme_active", "achieved", n, day) for n, day in zip(achieved, days, strict=False)]
    rows += [result("sme_active", "planned", n, day) for n, day in zip(planned, days, strict=False)]
    found = standing(programme, register(result=rows), "sme_active")
    assert (found["status"], found["reason"]) == (status, reason)
    assert found["achieved"] == sum(achieved)
    assert found["planned"] == (sum(planned) if planned else None)
    assert found["share"] == pytest.approx(100 * sum(achieved) / 300)
    assert found["evidence_count"] == len(achieved)


def test_what_was_counted_after_the_year_belongs_to_the_next(programme: Programme) -> None:
    rows = [
        result("sme_active", "achieved", 40, date(2024, 12, 31)),
        result("sme_active", "achieved", 7, date(2025, 1, 1)),
    ]
    frames = register(result=rows)
    assert [standing(programme, frames, "sme_active", year)["achieved"] for year in YEARS] == [40, 47]


def test_a_line_of_which_no_bureau_reports_is_not_nought(programme: Programme) -> None:
    found = standing(programme, register(lines=["2.1"]), "sme_active")
    assert (found["achieved"], found["share"], found["as_of"]) == (None, None, None)
    assert (found["status"], found["reason"]) == ("not_decidable", "no_register")


def test_a_result_stands_as_of_its_register_and_never_after_the_year(programme: Programme) -> None:
    early, late = register(as_of=date(2025, 6, 30)), register(as_of=date(2026, 6, 30))
    assert standing(programme, early, "sme_active")["as_of"] == "2025-06-30"
    assert standing(programme, late, "sme_active")["as_of"] == "2025-12-31"


def test_a_register_that_ends_before_the_year_decides_nothing_but_what_is_reached(programme: Programme) -> None:
    rows = [
        result("sme_active", "achieved", 48, date(2025, 2, 1)),
        result("sme_active", "planned", 140),
        result("value_chains", "achieved", 2, date(2025, 2, 1)),
        result("schools_with_companies", "baseline", 40, date(2024, 3, 1), "p-2.1"),
        result("schools_with_companies", "achieved", 51, date(2025, 2, 1), "p-2.1"),
    ]
    frames = register(as_of=date(2025, 3, 1), result=rows)
    found = {t: standing(programme, frames, t) for t in ("sme_active", "value_chains", "schools_with_companies")}
    assert (found["sme_active"]["status"], found["sme_active"]["reason"]) == ("not_decidable", "register_too_old")
    assert found["value_chains"]["status"] == "reached"  # what was counted stays
    assert found["schools_with_companies"]["reason"] == "register_too_old"  # a level may turn


def test_the_last_year_ends_with_the_programme(programme: Programme) -> None:
    rows = [result("sme_active", "achieved", 300, date(2028, 4, 1))]
    frames = register(as_of=date(2028, 6, 1), result=rows)
    _, tests = progress.policy_indicators(programme, measured([]), [2028])
    row = progress.target_progress(programme, frames, tests, [2028]).filter(target_id="sme_active").row(0, named=True)
    assert (row["status"], row["as_of"]) == ("reached", "2028-04-30")


def test_a_result_that_lines_share_is_reported_by_the_bureau_of_either(programme: Programme) -> None:
    rows = [result("care_cooperation", "achieved", 1, project="p-3.2")]
    assert standing(programme, register(lines=["3.2"], result=rows), "care_cooperation")["status"] == "reached"
    assert standing(programme, register(lines=["2.1"]), "care_cooperation")["reason"] == "no_register"


# --- directions that bureaus count: schools that cooperate (more), use of acute care (not more)


@pytest.mark.parametrize(
    ("target", "baseline", "level", "planned", "status", "reason"),
    [
        ("schools_with_companies", 40, 41, None, "reached", None),
        ("schools_with_companies", 40, 40, None, "behind", None),
        ("schools_with_companies", 40, 40, 40, "on_course", None),
        ("schools_with_companies", 40, 39, 45, "behind", None),
        ("schools_with_companies", None, 41, 40, "not_decidable", "no_baseline"),
        ("schools_with_companies", None, None, 40, "not_decidable", "no_baseline"),
        ("schools_with_companies", 40, None, 45, "not_decidable", "no_count"),
        ("acute_care", 40, 40, None, "reached", None),
        ("acute_care", 40, 39, None, "reached", None),
        ("acute_care", 40, 41, 50, "behind", None),
    ],
)
def test_a_direction_is_held_against_its_baseline(
    programme: Programme,
    target: str,
    baseline: float | None,
    level: float | None,
    planned: float | None,
    status: str,
    reason: str | None,
) -> None:
    given = {"baseline": (baseline, date(2024, 3, 1)), "achieved": (level, END), "planned": (planned, END)}
    rows = [result(target, kind, n, day, "p-2.1") for kind, (n, day) in given.items() if n is not None]
    found = standing(programme, register(result=rows), target)
    assert (found["status"], found["reason"]) == (status, reason)
    assert found["share"] is None


@pytest.mark.parametrize(
    ("kind", "reason"), [("baseline", "no_count"), ("achieved", "no_baseline")], ids=["only a baseline", "only a count"]
)
def test_levels_of_other_projects_are_not_held_against_each_other(programme: Programme, kind: str, reason: str) -> None:
    """A project that only joins or only leaves would make the sum rise or fall by itself."""
    rows = [
        result("schools_with_companies", "baseline", 10, date(2024, 3, 1), "p-2.1"),
        result("schools_with_companies", "achieved", 12, END, "p-2.1"),
        result("schools_with_companies", kind, 30, date(2025, 3, 1), "p-2.2"),
    ]
    assert standing(programme, register(result=rows), "schools_with_companies")["reason"] == reason


def test_a_level_of_an_earlier_year_says_nothing_of_this_one(programme: Programme) -> None:
    rows = [
        result("acute_care", "baseline", 40, date(2024, 3, 1), "p-3.1"),
        result("acute_care", "achieved", 39, date(2024, 12, 31), "p-3.1"),
    ]
    frames = register(result=rows)
    assert [standing(programme, frames, "acute_care", year)["status"] for year in YEARS] == ["reached", "not_decidable"]
    assert standing(programme, frames, "acute_care")["reason"] == "no_count"


def test_a_planning_that_stops_before_the_year_and_the_ambition_is_none(programme: Programme) -> None:
    rows = [result("sme_active", "planned", 60, date(2024, 12, 31)), result("sme_active", "achieved", 112)]
    assert standing(programme, register(result=rows), "sme_active")["reason"] == "no_plan"
    rows.append(result("sme_active", "planned", 240, date(2027, 12, 31)))
    assert standing(programme, register(result=rows), "sme_active")["status"] == "on_course"


def test_of_a_level_the_newest_of_each_project_counts(programme: Programme) -> None:
    rows = [
        result("schools_with_companies", "baseline", 10, date(2024, 3, 1), "p-2.1"),
        result("schools_with_companies", "baseline", 5, date(2024, 3, 1), "p-2.2"),
        result("schools_with_companies", "achieved", 12, date(2024, 12, 31), "p-2.1"),
        result("schools_with_companies", "achieved", 14, END, "p-2.1"),
        result("schools_with_companies", "achieved", 4, date(2024, 12, 31), "p-2.2"),
    ]
    frames = register(result=rows)
    assert standing(programme, frames, "schools_with_companies")["achieved"] == 18
    assert progress.baselines_of_counts(programme, frames) == {"schools_with_companies": (15.0, "2024-03-01")}


def test_what_the_measurement_does_not_cover_is_never_decided(programme: Programme) -> None:
    found = standing(programme, register(), "unused_talent")
    assert (found["status"], found["reason"], found["achieved"]) == ("not_decidable", "not_covered", None)


# --- results from a sample: perceived health of people over 65 in the pilot districts


def wave(year: int, value: float, **given: Any) -> dict[str, Any]:
    row = {"wave": year, "value": value, "standard_error": 2.0, "n": 500, "about": "named", "method": "direct"}
    return {"target_id": "perceived_health_65", "source": "proef", "synthetic": False} | row | given


@pytest.mark.parametrize(
    ("rows", "status", "reason"),
    [
        ([wave(2024, 70), wave(2025, 70)], "reached", None),
        ([wave(2024, 70), wave(2025, 66)], "not_decidable", "uncertain"),
        ([wave(2024, 70), wave(2025, 55)], "behind", None),
        ([wave(2024, 70)], "not_decidable", "no_new_wave"),
        ([wave(2025, 70)], "not_decidable", "no_baseline_wave"),
        ([], "not_decidable", "other_place"),  # only municipal figures exist (`indicator` of the catalogue)
        ([wave(2024, 70, about="other"), wave(2025, 80, about="other")], "not_decidable", "other_place"),
        ([wave(2024, 70, method="model"), wave(2025, 80, method="model")], "not_decidable", "modelled"),
        # A modelled figure beside a direct one does not stand in for the missing wave.
        ([wave(2024, 70), wave(2025, 80, method="model")], "not_decidable", "no_new_wave"),
    ],
)
def test_only_direct_estimates_for_the_group_and_place_decide(
    programme: Programme, rows: list[dict[str, Any]], status: str, reason: str | None
) -> None:
    table, tests = progress.policy_indicators(programme, measured(rows), YEARS)
    found = progress.target_progress(programme, register(), tests, YEARS).row(
        by_predicate=(pl.col("year") == 2025) & (pl.col("target_id") == "perceived_health_65"), named=True
    )
    assert (found["status"], found["reason"], found["achieved"]) == (status, reason, None)
    row = table.row(by_predicate=(pl.col("year") == 2025) & (pl.col("target_id") == "perceived_health_65"), named=True)
    assert (row["baseline_wave"], row["margin"]) == (2024, 6)
    assert (row.get("power") is None) == (reason not in (None, "uncertain"))


def test_the_margin_of_a_change_is_that_of_both_waves(programme: Programme) -> None:
    rows = [wave(2024, 70, standard_error=3.0), wave(2025, 69, standard_error=4.0)]
    table, _ = progress.policy_indicators(programme, measured(rows), [2025])
    row = table.filter(target_id="perceived_health_65").row(0, named=True)
    assert row["change_error"] == pytest.approx(5.0)  # √(3² + 4²)
    assert row["wave_change"] == pytest.approx(-1.0)
    assert (row["limit_low"], row["limit_high"]) == pytest.approx((-1 - 1.6448536 * 5, -1 + 1.6448536 * 5))


def test_a_wave_after_the_year_is_not_of_that_year(programme: Programme) -> None:
    _, tests = progress.policy_indicators(programme, measured([wave(2024, 70), wave(2025, 70)]), YEARS)
    assert tests[2024, "perceived_health_65"].reason == "no_new_wave"
    assert tests[2025, "perceived_health_65"].test is not None


# --- money


def money(
    line: str, source: str, committed: float, paid: float, forecast: float | None, day: date = END
) -> dict[str, Any]:
    amounts = {"committed": committed, "paid": paid, "forecast": forecast}
    return {"project_id": f"p-{line}", "financing_source": source, "as_of": day} | amounts


def budget(
    frames: dict[str, pl.DataFrame], programme: Programme, line: str, source: str, year: int = 2025
) -> dict[str, Any]:
    table = progress.budget_progress(programme, frames, YEARS)
    key = (pl.col("year") == year) & (pl.col("line_id") == line) & (pl.col("financing_source") == source)
    return table.row(by_predicate=key, named=True)


def test_the_tables_of_the_covenant_are_those_that_are_printed(programme: Programme) -> None:
    """Article 5, in millions of euros: lines, totals, and what the regional financing is made of."""
    table = progress.budget_progress(programme, empty_frames(), [2025])
    found = {(row["line_id"], row["financing_source"]): row["budget"] for row in table.iter_rows(named=True)}
    printed = {
        "1.1": (8.9, 10.9, 19.8),
        "1.2": (2.7, 3.3, 6.0),
        "2.1": (2.7, 2.0, 4.7),
        "2.2": (2.5, 0.8, 3.3),
        "3.1": (3.9, 3.2, 7.1),
        "3.2": (3.6, 4.1, 7.7),
        "VAT": (0.7, 0.7, 1.4),
        "TOTAL": (25.0, 25.0, 50.0),
    }
    for line, amounts in printed.items():
        assert [found[line, s] for s in ("state", "regional", "total")] == [pytest.approx(a * 1e6) for a in amounts]
    parts = {"public_money": 19.2, "public_in_kind": 2.4, "private_in_kind": 3.4, "in_kind": 5.8, "public": 21.6}
    assert {s: found["TOTAL", s] for s in parts} == {s: pytest.approx(a * 1e6) for s, a in parts.items()}
    assert found["TOTAL", "additional_private"] == 30e6
    kinds = {row["financing_source"]: row["budget_kind"] for row in table.filter(line_id="TOTAL").iter_rows(named=True)}
    assert (kinds["state"], kinds["regional"], kinds["total"]) == ("maximum", "minimum", None)


def test_without_a_statement_there_is_no_amount(programme: Programme) -> None:
    found = budget(register(), programme, "1.1", "state")
    assert [found[name] for name in ("committed", "paid", "forecast", "share", "warning")] == [None] * 5


def running(name: str, starts: date, ends: date | None = None) -> dict[str, Any]:
    project = {"project_id": name, "name": name, "line_id": "1.1", "municipality_codes": [], "status": "running"}
    return project | {"starts": starts, "ends": ends}


def test_a_project_without_an_amount_of_the_year_makes_its_line_unknown(programme: Programme) -> None:
    """An amount of the year before would pass for one of this year, and a missing project for nothing spent."""
    projects = [running(name, date(2024, 1, 1)) for name in ("p-1.1", "second")]
    rows = [money("1.1", "state", 1e6, 5e5, 8e6), money("1.1", "state", 9e5, 5e5, 8e6, date(2024, 12, 31))]
    frames = register(project=projects, money=rows)
    assert budget(frames, programme, "1.1", "state")["committed"] is None
    assert progress.unstated_projects(frames, "1.1", END) == ["second"]
    rows += [money("1.1", "state", 2e6, 0, 2e6, date(2025, 6, 30)) | {"project_id": "second"}]
    found = budget(register(project=projects, money=rows), programme, "1.1", "state")
    assert (found["committed"], found["as_of"]) == (3e6, "2025-06-30")


def test_the_last_amounts_of_a_project_that_ended_stand(programme: Programme) -> None:
    projects = [running("p-1.1", date(2024, 1, 1)), running("old", date(2024, 1, 1), date(2024, 11, 30))]
    rows = [
        money("1.1", "state", 1e6, 5e5, 8e6),
        money("1.1", "state", 2e5, 2e5, 2e5, date(2024, 12, 31)) | {"project_id": "old"},
    ]
    found = budget(register(project=projects, money=rows), programme, "1.1", "state")
    assert (found["committed"], found["as_of"]) == (1.2e6, "2025-12-31")


@pytest.mark.parametrize(("as_of", "received"), [(date(2026, 3, 1), 3e6), (date(2025, 6, 1), None)])
def test_what_was_received_is_not_known_where_the_register_ends_before(
    programme: Programme, as_of: date, received: float | None
) -> None:
    frames = register(as_of=as_of, received=[{"date": date(2025, 1, 1), "amount": 3e6}])
    assert budget(frames, programme, "TOTAL", "state")["received"] == received


def test_a_total_of_which_a_line_is_missing_is_not_known(programme: Programme) -> None:
    frames = register(money=[money("1.1", "state", 1e6, 5e5, 8e6)])
    assert budget(frames, programme, "1.1", "state")["committed"] == 1e6
    assert budget(frames, programme, "1.1", "regional")["committed"] == 0.0  # the line stated its money, and none of it
    assert budget(frames, programme, "TOTAL", "state")["committed"] is None


def test_the_newest_amount_up_to_the_year_counts(programme: Programme) -> None:
    rows = [money("1.1", "state", 1e6, 0, 8e6, date(2024, 12, 31)), money("1.1", "state", 3e6, 1e6, 8e6)]
    frames = register(money=rows)
    assert [budget(frames, programme, "1.1", "state", year)["committed"] for year in YEARS] == [1e6, 3e6]
    assert budget(frames, programme, "1.1", "state")["share"] == pytest.approx(100 * 3 / 8.9)


def test_an_unknown_forecast_makes_the_sum_unknown(programme: Programme) -> None:
    rows = [money("1.1", "public_money", 1e6, 0, None), money("1.1", "private_in_kind", 1e6, 0, 2e6)]
    found = budget(register(money=rows), programme, "1.1", "regional")
    assert (found["committed"], found["forecast"]) == (2e6, None)


@pytest.mark.parametrize(
    ("line", "source", "amounts", "received", "warning"),
    [
        ("2.2", "state", (2.5e6, 0, 2.5e6), [], None),
        ("2.2", "state", (2.5e6, 0, 2.6e6), [], "above_maximum"),
        ("2.2", "state", (2.6e6, 0, None), [], "above_maximum"),
        ("2.2", "public_money", (1e5, 0, 7.9e5), [], "below_minimum"),
        ("2.2", "public_money", (1e5, 0, 8e5), [], None),
        ("2.2", "public_money", (1e5, 0, None), [], None),
        ("VAT", "state", (3.0e5, 0, 6e5), [10e6], None),  # 3% of 10 million
        ("VAT", "state", (3.1e5, 0, 6e5), [10e6], "above_overhead"),
    ],
)
def test_money_outside_the_agreement_asks_for_attention(
    programme: Programme,
    line: str,
    source: str,
    amounts: tuple[float, float, float | None],
    received: list[float],
    warning: str | None,
) -> None:
    frames = register(
        money=[money(line, source, *amounts)], received=[{"date": date(2025, 1, 1), "amount": n} for n in received]
    )
    asked = source if source == "state" else "regional"
    assert budget(frames, programme, line, asked)["warning"] == warning


def test_less_from_the_region_than_from_the_state_is_said_of_the_total(programme: Programme) -> None:
    lines = [line.line_id for line in programme.lines]
    rows = [money(line, "state", 1e5, 0, 1e6) for line in lines] + [
        money(line, "public_money", 1e5, 0, 9e5) for line in lines
    ]
    assert budget(register(money=rows), programme, "TOTAL", "regional")["warning"] == "below_state"


def test_another_division_holds_from_its_day_on(programme: Programme) -> None:
    """Article 12: an addendum moves 1 million of the state's money from line 1.1 to line 1.2 in 2025."""
    first = programme.agreements[0]
    moved = {"1.1": 7.9, "1.2": 3.7}
    division = [line.model_copy(update={"state": moved.get(line.line_id, line.state)}) for line in first.budget]
    later = first.model_copy(update={"agreement_id": "addendum-1", "valid_from": date(2025, 5, 1), "budget": division})
    changed = programme.model_copy(update={"agreements": [first, later]})
    table = progress.budget_progress(changed, empty_frames(), YEARS).filter(line_id="1.1", financing_source="state")
    assert table.select("year", "budget", "agreement_id").rows() == [
        (2024, 8.9e6, "convenant"),
        (2025, 7.9e6, "addendum-1"),
    ]


# --- milestones, and what the report lacks


def test_a_milestone_is_late_when_its_day_has_passed(programme: Programme) -> None:
    days = {"a": (date(2025, 6, 1), date(2025, 7, 1)), "b": (date(2025, 6, 1), None), "c": (date(2026, 6, 1), None)}
    rows = [
        {"project_id": "p-1.1", "milestone_id": name, "text": "x", "planned": planned, "reached": reached}
        for name, (planned, reached) in days.items()
    ]
    found = progress.milestones(register(milestone=rows))
    assert dict(found.select("milestone_id", "status").rows()) == {"a": "reached", "b": "late", "c": "due"}


def lacks(programme: Programme, frames: dict[str, pl.DataFrame], texts: list[dict[str, Any]]) -> set[tuple[str, str]]:
    schema = {"line_id": pl.String, "year": pl.Int32, "part": pl.String, "causal_sentences": pl.String}
    table = progress.report_requirements(programme, frames, pl.DataFrame(texts, schema=schema), [2025], [2025])
    return set(table.filter(~pl.col("met")).select("line_id", "requirement").rows())


def test_without_registers_the_report_lacks_everything_but_the_measurement(programme: Programme) -> None:
    found = lacks(programme, empty_frames(), [])
    assert ("TOTAL", "measurement") not in found
    lines = {line.line_id for line in programme.lines}
    assert {line for line, requirement in found if requirement == "register"} == lines
    assert {line for line, requirement in found if requirement == "text_progress"} == lines - {"VAT"}
    assert {line for line, requirement in found if requirement == "baseline"} == {"2.1", "3.1"}


def test_what_is_there_is_not_asked_for(programme: Programme) -> None:
    texts = [{"line_id": "1.2", "year": 2025, "part": part} for part in ("progress", "planning", "lesson")]
    planned = [result(t, "planned", 300) for t in ("sme_active", "value_chains", "sme_structure")]
    frames = register(lines=["1.2"], result=planned, money=[money("1.2", "state", 1, 1, 1)])
    assert not [found for found in lacks(programme, frames, texts) if found[0] == "1.2"]
    named = [{"line_id": "1.2", "year": 2025, "part": "progress", "causal_sentences": "Dat komt door het project."}]
    assert ("1.2", "no_remarks") in lacks(programme, frames, [*texts, *named])
    assert ("1.2", "register") in lacks(programme, frames | register(["1.2"], date(2025, 6, 1)), texts)
