"""The resident survey in the catalogue: its indicators, and the inhabitants that its weights must add up to."""

from __future__ import annotations

import re

import pytest

from catalog import Catalogue, load_catalogue
from catalog.model import Indicator

DIMENSIONS = [
    *("income", "job_security", "personal_development", "health", "work_life_balance", "social_contacts"),
    *("civic_engagement", "subjective_wellbeing", "housing", "safety", "environment"),
]
GRADE = "experienced_overall_grade_published"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


def test_every_dimension_has_a_score_and_a_share(catalogue: Catalogue) -> None:
    """The eleven of Bruto Twents Geluk, and beside them only the grade that others published."""
    themes = [theme.theme_id for theme in catalogue.themes if theme.framework == "btg"]
    assert themes == [f"btg_{name}" for name in DIMENSIONS]
    experienced = {i.indicator_id: i for i in catalogue.indicators if i.layer == "experienced"}
    wanted = {f"experienced_{name}{kind}" for name in DIMENSIONS for kind in ("", "_share")}
    assert set(experienced) == wanted | {GRADE}
    for name in DIMENSIONS:
        score, share = experienced[f"experienced_{name}"], experienced[f"experienced_{name}_share"]
        assert score.theme_id == share.theme_id == f"btg_{name}"
        assert (score.unit, score.scale_min, score.scale_max, score.polarity) == ("score", 0, 1, 1)
        assert (share.unit, share.scale_min, share.scale_max, share.polarity) == ("percent", 0, 100, 1)
        assert share.is_percentage
        assert score.max_lag_years == share.max_lag_years == 0
        assert score.headline == (name == "subjective_wellbeing")


def test_the_texts_say_the_threshold_and_the_grade_that_are_used(catalogue: Catalogue) -> None:
    settings = catalogue.survey.settings
    threshold = settings.satisfied_from
    grade = settings.grade.lowest + (settings.grade.highest - settings.grade.lowest) * threshold
    for name in DIMENSIONS:
        share = catalogue.indicator(f"experienced_{name}_share")
        assert f"minstens {threshold:g} ".replace(".", ",") in share.definition_nl
        assert f"rapportcijfer {grade:g}".replace(".", ",") in share.definition_nl
        assert f"at least {threshold:g} " in share.definition_en
        assert f"report grade of {grade:g}" in share.definition_en


def test_a_published_grade_is_a_fact_beside_the_survey(catalogue: Catalogue) -> None:
    grade = catalogue.indicator(GRADE)
    assert (grade.group_method, grade.measured_for, grade.headline) == ("none", "region", False)
    assert (grade.scale_min, grade.scale_max, grade.decimals) == (1, 10, 1)
    assert [(source.source_table, source.comparable) for source in grade.sources] == [
        ("Twente Board 2022", False),
        ("Twente Board 2025", False),
    ]


def _ages(indicator: Indicator) -> list[str]:
    (source,) = indicator.sources
    return source.add_up["Leeftijd"]


def test_the_cells_of_sex_and_age_are_those_of_the_survey_and_hold_every_adult_once(catalogue: Catalogue) -> None:
    breakdowns = catalogue.survey.settings.breakdowns
    bands = [re.sub(r"\W", "_", code.replace("+", "plus")) for code in breakdowns["age"]]
    adults = _ages(catalogue.indicator("population_18plus"))
    for sex, title in (("women", "Vrouwen"), ("men", "Mannen")):
        cells = [catalogue.indicator(f"population_{sex}_{band}") for band in bands]
        assert [age for cell in cells for age in _ages(cell)] == adults
        assert all(title in cell.sources[0].select["Geslacht"] for cell in cells)
        assert all(cell.is_count and cell.layer == "context" for cell in cells)
    assert set(breakdowns["sex"]) == {"female", "male"}
