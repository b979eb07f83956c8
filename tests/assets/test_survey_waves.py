"""What the survey's asset makes of a wave's surroundings: tables of the institute, panels, official margins."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import polars as pl
import pytest

from assets import survey
from catalog.survey_model import Margin
from methods.verdict import Z_95
from sources.errors import IncompleteFile

OWN = survey.ROLES.municipalities
FIRST, SECOND = OWN[:2]
FIGURE = ["value", "ci_low", "ci_high", "standard_error", "n"]


# --- tables of the institute


def aggregates(**columns: Any) -> pl.DataFrame:
    """Health of all but the last municipality and of the region; `columns` replaces columns."""
    regions = [*OWN[:-1], survey.ROLES.region]
    return pl.DataFrame({"indicator_id": "experienced_health", "region_code": regions}).with_columns(
        breakdown=pl.lit("total"),
        **{"value": pl.lit(0.9), "ci_low": pl.lit(0.8), "ci_high": pl.lit(1.0), "n": pl.lit(200), **columns},
    )


def of_institute(table: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """By region, its estimate."""
    rows = survey._of_aggregates(table).estimates
    assert rows.select("indicator_id", "region_code", "breakdown").is_unique().all()
    return {row["region_code"]: row for row in rows.iter_rows(named=True)}


def test_the_error_is_that_of_the_wider_side_since_a_bound_may_be_cut_off():
    upper = of_institute(aggregates(value=pl.lit(0.95)))[FIRST]
    assert upper["standard_error"] == pytest.approx((0.95 - 0.8) / Z_95)
    lower = of_institute(aggregates(value=pl.lit(0.05), ci_low=pl.lit(0.0), ci_high=pl.lit(0.25)))[FIRST]
    assert lower["standard_error"] == pytest.approx((0.25 - 0.05) / Z_95)
    assert (lower["ci_low"], lower["ci_high"]) == (0.0, 0.25)


def test_without_bounds_there_is_no_error():
    nothing = pl.lit(None, dtype=pl.Float64)
    of_first = of_institute(aggregates(ci_low=nothing, ci_high=nothing))[FIRST]
    assert of_first["standard_error"] is None
    assert (of_first["value"], of_first["n"]) == (0.9, 200)


def test_a_municipality_that_the_institute_leaves_out_has_a_row_without_figures():
    found = of_institute(aggregates())
    assert set(found) == {*OWN, survey.ROLES.region}
    assert [found[OWN[-1]][name] for name in FIGURE] == [None] * len(FIGURE)
    assert (found[OWN[-1]]["indicator_id"], found[OWN[-1]]["statistic"]) == ("experienced_health", "mean")
    assert found[FIRST]["value"] == 0.9


def test_what_the_institute_leaves_empty_says_nothing_of_who_answered():
    empty = pl.when(region_code=FIRST).then(None).otherwise(0.9)
    found = of_institute(aggregates(value=empty, ci_low=pl.lit(None, pl.Float64), ci_high=pl.lit(None, pl.Float64)))
    assert [found[FIRST][name] for name in FIGURE] == [None] * len(FIGURE)
    assert found[SECOND]["n"] == 200


def test_nothing_else_is_known_of_tables():
    found = survey._of_aggregates(aggregates())
    assert found.contrasts.is_empty()
    assert found.municipal.is_empty()
    assert found.shared.is_empty()
    assert (
        found.estimates.select("numerator", "population", "degrees_of_freedom", "n_effective").null_count().row(0)
        == (found.estimates.height,) * 4
    )


# --- panels


@dataclass(frozen=True)
class SomeWave:
    wave_id: str
    measurement_year: int
    panel_of: str | None = None


@dataclass(frozen=True)
class SomeSurvey:
    waves: dict[str, SomeWave] = field(default_factory=dict)


BASELINE = survey.REGION.baseline_year


@pytest.mark.parametrize(
    ("asked", "expected"),
    [("baseline", None), ("direct", "baseline"), ("by_way_of", "baseline"), ("of_another", None), ("anew", None)],
)
def test_a_panel_is_followed_back_to_the_baseline(asked: str, expected: str | None, monkeypatch: pytest.MonkeyPatch):
    waves = [
        SomeWave("before", BASELINE - 1),
        SomeWave("baseline", BASELINE, "before"),
        SomeWave("direct", BASELINE + 1, "baseline"),
        SomeWave("by_way_of", BASELINE + 3, "direct"),
        SomeWave("anew", BASELINE + 1),
        SomeWave("of_another", BASELINE + 3, "anew"),
    ]
    known = SomeSurvey({wave.wave_id: wave for wave in waves})
    monkeypatch.setattr(survey, "SURVEY", known)
    assert survey._panel_of_baseline(known.waves[asked]) == expected


# --- official margins

MARGIN = Margin(by=["municipality", "sex"], official={"female": "women", "male": "men"})
WAVE = SomeWave("wave_2022", 2022)


def official(regions: list[str]) -> pl.DataFrame:
    """Of every region 300 women and 400 men in 2022, and others in 2021."""
    cells = pl.DataFrame(
        {"indicator_id": ["women", "men"], "value": [300.0, 400.0]}, schema_overrides={"value": pl.Float64}
    )
    places = pl.DataFrame({"region_code": regions})
    now = places.join(cells, how="cross", maintain_order="left").with_columns(
        period=pl.lit("2022"), breakdown=pl.lit("total")
    )
    return pl.concat([now, now.with_columns(period=pl.lit("2021"), value=pl.lit(7.0))])


def test_official_numbers_are_those_of_the_year_and_the_rest_of_the_country_is_one():
    figures = official([*OWN, "GM9998", "GM9999", survey.ROLES.region, survey.ROLES.country])
    found = survey._official_margin(MARGIN, figures, WAVE)
    numbers = {(code, sex): number for code, sex, number in found.iter_rows()}
    assert found.columns == ["municipality", "sex", "population"]
    assert numbers.pop((survey.ROLES.rest, "female")) == 600
    assert numbers.pop((survey.ROLES.rest, "male")) == 800
    assert numbers == {(code, sex): n for code in OWN for sex, n in (("female", 300.0), ("male", 400.0))}


def test_a_margin_of_municipalities_alone_has_one_indicator():
    margin = Margin(by=["municipality"], official={"all": "women"})
    found = survey._official_margin(margin, official(OWN), WAVE)
    assert dict(found.iter_rows()) == dict.fromkeys(OWN, 300.0)


def test_a_figure_that_two_tables_give_counts_once():
    found = survey._official_margin(MARGIN, pl.concat([official(OWN), official(OWN)]), WAVE)
    assert found["population"].unique().sort().to_list() == [300, 400]


def test_a_municipality_without_official_numbers_is_an_error_that_says_what_is_lacking():
    with pytest.raises(IncompleteFile) as error:
        survey._official_margin(MARGIN, official(OWN[1:]), WAVE)
    message = str(error.value)
    assert "wave wave_2022" in message
    assert "official population numbers of 2022 for the margin municipality*sex" in message
    assert f"{2 * len(OWN)} figures of the region's municipalities, found {2 * len(OWN) - 2}" in message
    assert "btg fetch cbs_population" in message


def test_a_figure_that_is_not_published_is_lacking_too():
    figures = official(OWN).with_columns(
        value=pl.when((pl.col("region_code") == FIRST) & (pl.col("indicator_id") == "men"))
        .then(None)
        .otherwise("value")
    )
    with pytest.raises(IncompleteFile, match=f"found {2 * len(OWN) - 1}"):
        survey._official_margin(MARGIN, figures, WAVE)


def test_answers_that_are_gone_though_a_panel_needs_them_ask_for_attention():
    wave = next(iter(survey.SURVEY.waves.values()))
    estimates = survey.WaveEstimates.without_answers(pl.DataFrame())
    whole, lost = (survey._Found(wave, estimates, "rows", "", finding) for finding in (None, "its answers are gone"))

    def check(found: survey._Found) -> dict[str, Any]:
        return next(c for c in survey._checks([found], None) if c["check_id"] == "nothing_missed")

    assert check(whole)["passed"]
    assert not check(lost)["passed"]
    assert check(lost)["message"] == "its answers are gone"
