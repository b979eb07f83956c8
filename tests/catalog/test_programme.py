"""The programme as the covenant has it, and what a mistake in its description says."""

from __future__ import annotations

from datetime import date

import pytest

from catalog import Catalogue, CatalogueError, frames
from catalog.programme_model import Programme
from tests.catalog.conftest import Copy

FILE = "programme.yaml"


@pytest.fixture(scope="session")
def programme(catalogue: Catalogue) -> Programme:
    assert catalogue.programme is not None
    return catalogue.programme


def test_the_countable_ambitions_are_those_of_article_four(programme: Programme) -> None:
    counts = {t.target_id: (t.line_id, t.threshold) for t in programme.targets if t.kind == "count"}
    assert counts == {
        "business_sites": ("1.1", 4),
        "sme_active": ("1.2", 300),
        "value_chains": ("1.2", 2),
        "pilot_municipalities": ("3.1", 5),
        "innovation_lab": ("3.2", 1),
        "implementation_sites": ("3.2", 2),
        "chronic_pilots": ("3.2", 3),
    }
    assert {t.article for t in programme.targets} == {"4"}


def test_every_line_has_results_and_both_lines_of_care_share_one(programme: Programme) -> None:
    lines = [line.line_id for line in programme.lines]
    assert lines == ["1.1", "1.2", "2.1", "2.2", "3.1", "3.2", "VAT"]
    with_results = {target.line_id for target in programme.targets}
    assert with_results == {*lines[:-1], "3"}
    assert [t.target_id for t in programme.targets if t.line_id == "3"] == ["care_cooperation"]


def test_no_figure_stands_in_for_a_group_that_is_not_measured(programme: Programme) -> None:
    """Part-timers and permit holders: municipal participation is no substitute."""
    not_covered = {t.target_id for t in programme.targets if t.not_covered_nl}
    assert not_covered == {"unused_talent", "talent_income"}
    health = programme.target("perceived_health_65").measured
    assert health is not None
    assert (health.baseline_wave, health.margin, health.polarity) == (2024, 6, 1)
    assert health.survey is None  # pilot districts are no region of ours


def test_dates_are_those_of_the_covenant(programme: Programme) -> None:
    due = {d.deadline_id: d.dates for d in programme.deadlines}
    assert due["progress_report"] == [date(year, 7, 14) for year in range(2024, 2029)]  # before 15 July
    assert due["state_region_meeting"] == [date(year, 9, 30) for year in range(2024, 2028)]
    assert due["end_of_deal"] == [date(2028, 4, 30)] == [programme.ends]
    assert due["final_evaluation"] == [date(2028, 6, 30)]
    assert [(b.baseline_id, b.day.year) for b in programme.baselines] == [("btg", 2022), ("deal", 2024)]


def test_the_core_message_is_that_of_article_nine(programme: Programme) -> None:
    assert programme.core_message.article == "9.1"
    assert programme.core_message.text_nl.startswith("Met de Regio Deal Twente wordt een stevige impuls gegeven")
    assert programme.core_message.text_nl.endswith("het toegankelijk houden van de zorg.")
    assert "  " not in programme.core_message.text_nl


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        (
            '{line_id: "1.1", state: 8.9',
            '{line_id: "1.1", state: 8.8',
            "the lines add up to 24.9, the printed total is 25.0",
        ),
        ("private_in_kind: 3.4", "private_in_kind: 3.3", "its parts add up to 24.9"),
        ("    total_state: 25.0", "    total_state: 26.0", "the lines add up to 25.0, the printed total is 26.0"),
        ('      - {line_id: "2.2", state: 2.5, regional: 0.8}\n', "", "2.5"),
        (
            'line_id: "1.2", kind: count, threshold: 300',
            'line_id: "1.9", kind: count, threshold: 300',
            "there is no line '1.9'",
        ),
        ("kind: count, threshold: 300,", "kind: count,", "a count and a deliverable have one"),
        (
            'kind: direction, wanted: more, article: "4", unit_nl: scholen',
            'kind: direction, article: "4", unit_nl: scholen',
            "a direction has one of wanted, measured and not_covered_nl",
        ),
        ("indicator: perceived_health_good", "indicator: perceived_luck", "no indicator 'perceived_luck' is defined"),
        ("target_id: value_chains", "target_id: sme_active", "'sme_active' is there twice"),
        ("ends: 2028-04-30", "ends: 2022-04-30", "the end lies before the beginning"),
        ('month_day: "07-14", first_year: 2024', "first_year: 2024", "either day, or month_day"),
        ("overhead_line: VAT", "overhead_line: BTW", "there is no line 'BTW'"),
        ("      margin: 6\n", "      margin: -6\n", "greater than or equal to 0"),
        (
            'assignment: "2", name_nl: "Beïnvloeden',
            'assignment: "7", name_nl: "Beïnvloeden',
            "there is no assignment '7'",
        ),
    ],
)
def test_a_mistake_is_named_with_its_file_and_line(copy: Copy, old: str, new: str, named: str) -> None:
    copy.replace(FILE, old, new)
    with pytest.raises(CatalogueError) as caught:
        copy.load()
    assert named in str(caught.value)
    assert "programme.yaml:" in str(caught.value)


def test_a_region_whose_programme_is_missing_says_what_to_do(copy: Copy) -> None:
    copy.replace("region.yaml", "programme: programme.yaml", "programme: deal.yaml")
    with pytest.raises(CatalogueError, match=r"there is no file 'deal\.yaml' beside this file"):
        copy.load()


def test_a_change_of_the_programme_is_another_catalogue(copy: Copy) -> None:
    before = copy.load().sha256
    copy.replace(FILE, "threshold: 300", "threshold: 400")
    assert copy.load().sha256 != before


def test_the_agreement_of_a_day_is_the_newest_that_held(programme: Programme) -> None:
    first = programme.agreements[0]
    later = first.model_copy(update={"agreement_id": "addendum", "valid_from": date(2025, 5, 1)})
    changed = programme.model_copy(update={"agreements": [first, later]})
    days = {date(2020, 1, 1): "convenant", date(2025, 4, 30): "convenant", date(2025, 5, 1): "addendum"}
    assert {day: changed.agreement_at(day).agreement_id for day in days} == days


def test_the_descriptive_tables_fit_the_registry(catalogue: Catalogue, programme: Programme) -> None:
    made = {"programme_line": frames.programme_lines(programme), "deadline": frames.deadlines(programme)}
    for name, frame in made.items():
        assert catalogue.registry[name].conform(frame).height == frame.height
    lines = frames.programme_lines(programme)
    assert lines["line_id"].to_list() == ["1", "1.1", "1.2", "2", "2.1", "2.2", "3", "3.1", "3.2", "VAT"]
    assert frames.targets(programme)["judged_by"].value_counts(sort=True).rows() == [
        ("count", 23),
        ("sample", 2),
        ("nothing", 2),
    ]
    yearly = frames.deadlines(programme).filter(report="yearly")
    assert yearly["report_year"].to_list() == [2023, 2024, 2025, 2026, 2027]
