"""Waves of the resident survey as sources of indicators: tables, series, warnings, rounding and the frozen baseline."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from catalog import Catalogue
from catalog.model import Indicator, IndicatorSource
from catalog.survey import SurveyCatalogue
from catalog.survey_model import Wave
from catalog.waves import sources_of_waves, tables_of_waves, warnings_of

HEALTH, SAFETY = "experienced_health", "experienced_safety"
GRADE = "experienced_overall_grade_published"
WAVE = """\
wave_id: btg_2022
measurement_year: 2022
source_table: BTG 2022
title: Inwonersenquête 2022
url: https://example.org/2022
mode: web
participation: sample
fieldwork: {start: 2022-06-01, end: 2022-06-30}
retention_until: 2027-06-30
columns: {municipality: gemeente}
calibration: {method: raking, margins: [{by: [municipality]}]}
dimensions:
  - indicator: experienced_health
    items:
      - {item: health_general, column: v1, question_nl: "Hoe gezond voelt u zich?", valid: [1, 10]}
      - {item: health_tired, column: v2, question_nl: "Bent u vaak moe?", valid: [1, 5], polarity: -1}
"""


def wave(year: int = 2022, **changed: Any) -> Wave:
    """The wave of a year, with other contents for some fields."""
    return Wave.model_validate(yaml.safe_load(WAVE.replace("2022", str(year))) | changed)


def invented(year: int = 2022) -> Wave:
    return wave(year, synthetic=True, wave_id=f"synthetic_{year}", source_table=f"BTG synthetic {year}")


def survey(catalogue: Catalogue, *waves: Wave) -> SurveyCatalogue:
    ordered = sorted(waves, key=lambda each: (each.measurement_year, each.synthetic))
    return SurveyCatalogue(
        settings=catalogue.survey.settings, waves={each.wave_id: each for each in ordered}, fingerprints={}
    )


@pytest.fixture(scope="module")
def indicators(catalogue: Catalogue) -> list[Indicator]:
    """The indicators as their files describe them: without the waves."""
    own = {each.source_table for each in catalogue.survey.waves.values()}
    return [
        indicator.model_copy(update={"sources": [s for s in indicator.sources if s.source_table not in own]})
        for indicator in catalogue.indicators
    ]


def sources(
    catalogue: Catalogue, indicators: list[Indicator], indicator_id: str, *waves: Wave
) -> list[IndicatorSource]:
    """The sources that an indicator has by these waves."""
    whole = sources_of_waves(indicators, survey(catalogue, *waves), baseline_year=2022)
    return next(each.sources for each in whole if each.indicator_id == indicator_id)


def test_a_wave_is_a_source_of_the_score_and_the_share_of_its_dimensions_and_of_nothing_else(
    catalogue: Catalogue, indicators: list[Indicator]
) -> None:
    whole = sources_of_waves(indicators, survey(catalogue, wave(), wave(2023)), baseline_year=2022)
    assert [each.indicator_id for each in whole] == [each.indicator_id for each in indicators]
    changed = {new.indicator_id for new, old in zip(whole, indicators, strict=True) if new != old}
    assert changed == {HEALTH, f"{HEALTH}_share"}


def test_without_waves_the_indicators_stay_as_they_are(catalogue: Catalogue, indicators: list[Indicator]) -> None:
    assert sources_of_waves(indicators, survey(catalogue), baseline_year=2022) == indicators


def test_a_wave_gives_the_figures_of_its_year_only(catalogue: Catalogue, indicators: list[Indicator]) -> None:
    found = sources(catalogue, indicators, HEALTH, wave(2023), wave())
    assert [(s.source_table, s.period_first, s.period_last) for s in found] == [
        ("BTG 2022", "2022", "2022"),
        ("BTG 2023", "2023", "2023"),
    ]
    assert {s.kind for s in found} == {"sample"}
    assert {s.source_column for s in found} == {"health_general, health_tired"}


def test_the_baseline_is_frozen_on_the_wave_of_its_year(catalogue: Catalogue, indicators: list[Indicator]) -> None:
    found = sources(catalogue, indicators, HEALTH, wave(), wave(2023))
    assert [s.baseline_periods for s in found] == [{2022: "2022"}, {}]


def test_scores_and_shares_are_rounded_as_the_settings_say(catalogue: Catalogue, indicators: list[Indicator]) -> None:
    (score,), (share,) = (sources(catalogue, indicators, name, wave()) for name in (HEALTH, f"{HEALTH}_share"))
    assert (score.unit, score.rounding_unit) == ("score", pytest.approx(0.001))
    assert (share.unit, share.rounding_unit) == ("percent", pytest.approx(0.1))


def test_a_real_wave_goes_before_an_invented_one_of_the_same_year(
    catalogue: Catalogue, indicators: list[Indicator]
) -> None:
    found = sources(catalogue, indicators, HEALTH, invented(), wave())
    assert min(found, key=lambda s: s.priority).source_table == "BTG 2022"
    assert {s.source_table: s.note for s in found} == {
        "BTG 2022": None,
        "BTG synthetic 2022": "invented, about nobody",
    }


def test_the_same_questions_are_one_series_and_other_questions_or_invented_answers_another(
    catalogue: Catalogue, indicators: list[Indicator]
) -> None:
    reworded = yaml.safe_load(WAVE.replace("Bent u vaak moe?", "Bent u vaak ziek?"))["dimensions"]
    waves = [wave(), wave(2023, dimensions=reworded), wave(2025), invented()]
    found = {s.source_table: s.series_id for s in sources(catalogue, indicators, HEALTH, *waves)}
    assert found == {
        "BTG 2022": HEALTH,
        "BTG 2023": f"{HEALTH}_v2",
        "BTG 2025": HEALTH,
        "BTG synthetic 2022": f"{HEALTH}_synthetic",
    }


@pytest.mark.parametrize(
    ("later", "said"),
    [
        (wave(2023), []),
        (wave(2023, participation="open"), ["definition_differs", "self_selected"]),
        (wave(2023, mode="mixed"), ["survey_mode"]),
        (invented(2023), ["synthetic"]),
    ],
)
def test_what_every_figure_of_a_wave_must_say(catalogue: Catalogue, later: Wave, said: list[str]) -> None:
    known = survey(catalogue, wave(), later)
    assert warnings_of(later, known, HEALTH) == said
    assert warnings_of(wave(), known, HEALTH) == []


def test_the_warnings_of_a_wave_stand_with_its_source(catalogue: Catalogue, indicators: list[Indicator]) -> None:
    found = sources(catalogue, indicators, HEALTH, wave(), wave(2023, mode="paper"))
    assert [s.warnings for s in found] == [[], ["survey_mode"]]


def test_an_invented_wave_is_asked_otherwise_than_other_invented_waves_only(catalogue: Catalogue) -> None:
    on_paper = [wave(mode="paper"), invented(2023), invented(2025)]
    known = survey(catalogue, *on_paper)
    assert [warnings_of(each, known, HEALTH) for each in on_paper] == [[], ["synthetic"], ["synthetic"]]


def test_a_wave_is_a_source_table_of_the_survey_and_an_invented_one_of_nobodys(catalogue: Catalogue) -> None:
    found = tables_of_waves(survey(catalogue, wave(), invented()))
    assert [(each.source_table, each.title, each.url) for each in found] == [
        ("BTG 2022", "Inwonersenquête 2022", "https://example.org/2022"),
        ("BTG synthetic 2022", "Inwonersenquête 2022", "https://example.org/2022"),
    ]
    real, made_up = (catalogue.sources[each.source_id] for each in found)
    assert "Twente Board" in real.publisher
    assert "Twente Board" not in made_up.publisher
    assert "invented" in made_up.subject
    assert not any(each.service for each in found), "nobody can fetch it"


def test_the_waves_of_the_catalogue_are_all_invented_and_of_every_year_but_2024(catalogue: Catalogue) -> None:
    waves = catalogue.survey.waves.values()
    assert [each.measurement_year for each in waves] == [2022, 2023, 2025]
    assert all(each.synthetic and "verzonnen" in each.title.lower() for each in waves)
    for indicator in catalogue.indicators:
        if indicator.layer == "experienced" and indicator.indicator_id != GRADE:
            assert [s.source_table for s in indicator.sources] == [each.source_table for each in waves]
            assert all("synthetic" in s.warnings for s in indicator.sources)
