"""From the answers of one wave to weights that add up to the population, on a few hundred invented people."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from catalog.survey_model import Disclosure, GradeScale, SmallAreas, SurveySettings, Trim, Wave
from methods.experienced import SHARE, _trimmed, _with_cells, estimate_wave, grade, score, weighted_sample
from methods.experienced import with_dimensions as scored
from methods.measure import RegionRoles
from methods.survey.calibration import CalibrationError
from methods.survey.design import Survey

SETTINGS = SurveySettings(
    source_id="survey",
    synthetic_source_id="synthetic",
    grade=GradeScale(lowest=1, highest=10),
    satisfied_from=0.6,
    minimal_detectable_factor=2.80,
    breakdowns={"sex": {code: {"label_nl": code, "label_en": code} for code in ("female", "male")}},
    disclosure=Disclosure(publish_from=50, suppress_below=30, smallest_count=10, interval_width=10),
    small_areas=SmallAreas(direct_from=100, covariates=["income"]),
)
ROLES = RegionRoles(municipalities=["A", "B"], groups=["REGION"], country="NL", rest="REST", published_as=[])
GROUPS = {"REGION": ["A", "B"]}
QUESTIONS = ["first", "second", "third", "fourth", "fifth"]
NO_MORE = dict.fromkeys(("fourth", "fifth"), pl.lit(None, dtype=pl.Float64))
# Of every sex and municipality: how many answered, and how many live there.
SEX = pl.DataFrame(
    {
        "municipality": ["A", "A", "B", "B"],
        "sex": ["female", "male", "female", "male"],
        "asked": [20, 10, 30, 40],
        "population": [1000.0, 1200.0, 3100.0, 2900.0],
    }
)
# The same people by age, of whom there are as many: 2200 in A and 6000 in B.
AGE = pl.DataFrame(
    {
        "municipality": ["A", "A", "B", "B"],
        "age": ["18-34", "65+", "18-34", "65+"],
        "population": [900.0, 1300.0, 3500.0, 2500.0],
    }
)


def people(**columns: Any) -> pl.DataFrame:
    """Respondents: as many of every municipality and sex as SEX says, young and old by turns; `columns` replaces."""
    rows = SEX.select(pl.all().repeat_by("asked").explode()).drop("asked", "population")
    number = pl.int_range(pl.len())
    return rows.select(
        region_code="municipality",
        calibration_region="municipality",
        sex="sex",
        age=pl.when(number % 2 == 0).then(pl.lit("18-34")).otherwise(pl.lit("65+")),
        education=pl.lit("middle"),
        weight=pl.lit(1.0),
        stratum="municipality",
        responded=pl.lit(value=True),
        first=(number % 10) / 10,
        second=(number % 7) / 10,
        third=(number % 5) / 10,
        **NO_MORE,
    ).with_columns(**columns)


def wave(method: str = "raking", by: list[list[str]] | None = None, *, minimum_items: int = 1, **more: Any) -> Wave:
    items = [{"item": name, "column": name, "question_nl": name, "valid": [0, 1]} for name in QUESTIONS]
    margins = [{"by": columns} for columns in by or [["municipality", "sex"]]]
    return Wave.model_validate(
        {
            "wave_id": "wave",
            "measurement_year": 2022,
            "source_table": "Wave",
            "title": "T",
            "url": "https://survey.example",
            "mode": "web",
            "participation": "sample",
            "fieldwork": {"start": "2022-06-01", "end": "2022-06-30"},
            "retention_until": "2030-01-01",
            "columns": {"municipality": "m", "weight": "w", "stratum": "s"},
            "calibration": {"method": method, "margins": margins, **more},
            "dimensions": [{"indicator": "health", "items": items, "minimum_items": minimum_items}],
        }
    )


def margin(population: pl.DataFrame) -> pl.DataFrame:
    return population.drop("asked", strict=False)


def weighed(sample: Survey, *by: str) -> dict[Any, float]:
    """The sum of the weights of every cell."""
    cells = sample.frame.with_columns(weight=pl.Series(sample.weights)).group_by(by).agg(pl.col("weight").sum())
    return {row[:-1]: row[-1] for row in cells.iter_rows()}


def wanted(population: pl.DataFrame) -> dict[Any, Any]:
    return {row[:-1]: pytest.approx(row[-1], rel=1e-6) for row in margin(population).iter_rows()}


# --- scores


def test_a_score_that_misses_the_threshold_by_the_last_digit_is_satisfied():
    # 0.4 + 0.7 + 0.9 + 1 is 5 x 0.6.
    answers = people(**dict(zip(QUESTIONS, map(pl.lit, (0.0, 0.4, 0.7, 0.9, 1.0)), strict=True)))
    sample = weighted_sample(answers, wave(), SETTINGS, {"municipality*sex": margin(SEX)})
    assert sample.frame["health"][0] < 0.6, "as a machine reckons"
    assert sample.frame[f"health|{SHARE}"].unique().to_list() == [1.0]
    assert sample.frame[f"first|{SHARE}"].unique().to_list() == [0.0]


def test_a_score_below_the_threshold_is_not_satisfied():
    answers = people(first=pl.lit(0.3), second=pl.lit(0.6), third=pl.lit(0.899))
    sample = weighted_sample(answers, wave(), SETTINGS, {"municipality*sex": margin(SEX)})
    assert sample.frame[f"health|{SHARE}"].unique().to_list() == [0.0]


@pytest.mark.parametrize(
    ("minimum_items", "expected"),
    [(1, [0.6, 0.5, 0.3, None]), (2, [0.6, 0.5, None, None]), (3, [0.6, None, None, None])],
)
def test_a_dimension_is_the_mean_of_its_questions_from_enough_answers_on(
    minimum_items: int, expected: list[float | None]
):
    answers = pl.DataFrame(
        {"first": [0.4, 0.4, 0.3, None], "second": [0.6, 0.6, None, None], "third": [0.8, None, None, None]}
    ).with_columns(**NO_MORE)
    found = scored(answers, wave(minimum_items=minimum_items))["health"]
    assert found.to_list() == [None if value is None else pytest.approx(value) for value in expected]


def test_who_has_no_score_is_neither_satisfied_nor_dissatisfied():
    one_question = people(first=pl.lit(0.9), second=pl.lit(None, pl.Float64), third=pl.lit(None, pl.Float64))
    sample = weighted_sample(one_question, wave(minimum_items=2), SETTINGS, {"municipality*sex": margin(SEX)})
    assert sample.frame[f"health|{SHARE}"].null_count() == sample.n
    assert sample.frame[f"first|{SHARE}"].unique().to_list() == [1.0]


def test_grade_and_score_are_each_others_inverse():
    scale = GradeScale(lowest=1, highest=10)
    scores = pl.DataFrame({"score": np.linspace(0, 1, 1001)})
    grades = scores.select(grade=grade(pl.col("score"), scale))
    assert (grades["grade"].min(), grades["grade"].max()) == (1, 10)
    back = grades.select(score=score(pl.col("grade"), scale))
    assert (back["score"] - scores["score"]).abs().max() < 1e-15
    assert scores.select(grade(pl.lit(0.6), scale)).item() == pytest.approx(6.4)


# --- weights


@pytest.mark.parametrize(
    ("method", "more"),
    [
        ("poststratification", {}),
        ("raking", {}),
        ("linear", {}),
        ("linear", {"bounds": [0.3, 3]}),
        ("logit", {"bounds": [0.3, 3]}),
    ],
)
def test_the_weights_of_every_cell_add_up_to_its_population(method: str, more: dict[str, Any]):
    # Drawn with weights of about the right size, as bounds of the factor between old and new weight expect.
    answers = people(weight=pl.when(calibration_region="A").then(73.0).otherwise(86.0))
    sample = weighted_sample(answers, wave(method, **more), SETTINGS, {"municipality*sex": margin(SEX)})
    assert weighed(sample, "calibration_region", "sex") == wanted(SEX)


@pytest.mark.parametrize(("method", "more"), [("raking", {}), ("linear", {}), ("logit", {"bounds": [0.2, 5]})])
def test_weights_meet_several_margins_at_once(method: str, more: dict[str, Any]):
    answers = people(weight=pl.when(calibration_region="A").then(73.0).otherwise(86.0))
    margins = {"municipality*sex": margin(SEX), "municipality*age": margin(AGE)}
    of_wave = wave(method, [["municipality", "sex"], ["municipality", "age"]], **more)
    sample = weighted_sample(answers, of_wave, SETTINGS, margins)
    assert weighed(sample, "calibration_region", "sex") == wanted(SEX)
    assert weighed(sample, "calibration_region", "age") == wanted(AGE)


def test_a_margin_of_the_whole_sample_needs_no_municipality():
    population = pl.DataFrame({"sex": ["female", "male"], "population": [4100.0, 4100.0]})
    sample = weighted_sample(people(), wave("raking", [["sex"]]), SETTINGS, {"sex": population})
    assert weighed(sample, "sex") == wanted(population)


def test_a_margin_of_municipalities_alone_counts_everybody():
    population = pl.DataFrame({"municipality": ["A", "B"], "population": [2200.0, 6000.0]})
    unknown = people(sex=pl.lit(None, pl.String))
    sample = weighted_sample(unknown, wave("raking", [["municipality"]]), SETTINGS, {"municipality": population})
    assert weighed(sample, "calibration_region") == wanted(population)


def test_who_gives_no_sex_stands_for_as_many_as_the_sample_says():
    # Of 30 in A the first 3 women gave no sex: a tenth of 2200 inhabitants. All in B did.
    number = pl.int_range(pl.len())
    answers = people(sex=pl.when(number >= 3).then("sex"))
    sample = weighted_sample(answers, wave(), SETTINGS, {"municipality*sex": margin(SEX)})
    found = weighed(sample, "calibration_region", "sex")
    assert found.pop(("A", None)) == pytest.approx(220)
    expected = SEX.with_columns(
        population=pl.when(municipality="A").then(0.9 * pl.col("population")).otherwise("population")
    )
    assert found == wanted(expected)
    assert sum(weighed(sample, "calibration_region").values()) == pytest.approx(2200 + 6000)


def test_the_share_of_the_unknown_is_that_of_their_weights():
    number = pl.int_range(pl.len())
    answers = people(sex=pl.when(number >= 3).then("sex"), weight=pl.when(number < 3).then(9.0).otherwise(1.0))
    sample = Survey.of(answers, weight="weight", stratum="stratum")
    of_rows, cells = _with_cells(sample, margin(SEX))
    # 3 x 9 of 3 x 9 + 27: a half.
    assert dict(cells.iter_rows()) == {
        "A;female": 500,
        "A;male": 600,
        "B;female": 3100,
        "B;male": 2900,
        "A;unknown": pytest.approx(1100),
    }
    assert of_rows.to_list()[:4] == ["A;unknown", "A;unknown", "A;unknown", "A;female"]
    assert set(of_rows) == set(cells["cell"])


def test_a_cell_of_the_population_without_respondents_is_an_error_that_names_it():
    only_women = people().filter(~((pl.col("sex") == "male") & (pl.col("calibration_region") == "A")))
    with pytest.raises(CalibrationError, match=r"A;male by .*municipality\*sex"):
        weighted_sample(only_women, wave(), SETTINGS, {"municipality*sex": margin(SEX)})


def test_respondents_without_a_population_are_an_error_that_names_their_rows():
    with pytest.raises(
        CalibrationError, match=r"municipality\*sex: expected one with a population; not so in row 61, 62"
    ):
        weighted_sample(people(), wave(), SETTINGS, {"municipality*sex": margin(SEX).head(3)})


def test_the_rest_of_the_country_does_not_count_where_nobody_there_was_asked():
    rest = pl.DataFrame({"municipality": "REST", "sex": ["female", "male"], "population": [7e6, 7e6]})
    population = pl.concat([margin(SEX), rest])
    sample = weighted_sample(people(), wave(), SETTINGS, {"municipality*sex": population})
    assert weighed(sample, "calibration_region", "sex") == wanted(SEX)


class TestTrimming:
    # One in A counts for twenty of the others there; every one in B for hundred of those: that is no extreme weight.
    number = pl.int_range(pl.len())
    weight = pl.when(calibration_region="B").then(100.0).when(number == 0).then(20.0).otherwise(1.0)

    def test_a_weight_is_extreme_among_those_of_its_own_region(self):
        sample = Survey.of(people(weight=self.weight), weight="weight", stratum="stratum")
        found = _trimmed(sample, Trim(highest=5))
        in_a = found.frame["calibration_region"].to_numpy() == "A"
        assert found.weights[in_a].max() == pytest.approx(5)
        assert np.ptp(found.weights[~in_a]) < 1e-9
        assert found.weights[~in_a].min() >= 100

    def test_no_weight_is_further_from_that_median_than_allowed(self):
        generator = np.random.default_rng(1)
        weights = (
            pl.Series(np.exp(generator.normal(size=100)))
            * people().select(pl.when(calibration_region="B").then(50.0).otherwise(1.0)).to_series()
        )
        sample = Survey.of(people(weight=weights), weight="weight", stratum="stratum")
        found = _trimmed(sample, Trim(highest=3, lowest=0.3))
        median = sample.frame.select(pl.col("weight").median().over("calibration_region")).to_series().to_numpy()
        assert (sample.weights > 3 * median).any()
        assert (sample.weights < 0.3 * median).any()
        assert (found.weights <= 3 * median * (1 + 1e-6)).all()
        assert (found.weights >= 0.3 * median * (1 - 1e-6)).all()

    def test_trimmed_weights_add_up_to_the_population_all_the_same(self):
        margins = {"municipality*sex": margin(SEX)}
        trimmed = weighted_sample(people(weight=self.weight), wave(trim={"highest": 5}), SETTINGS, margins)
        plain = weighted_sample(people(weight=self.weight), wave(), SETTINGS, margins)
        assert weighed(trimmed, "calibration_region", "sex") == wanted(SEX)
        assert trimmed.weights.max() < plain.weights.max()
        assert len(trimmed.constraints) == 1, "only the last calibration holds"


# --- estimates


@pytest.fixture(scope="module")
def sample() -> Survey:
    return weighted_sample(people(), wave(), SETTINGS, {"municipality*sex": margin(SEX)})


def test_a_figure_is_that_of_the_weighted_people(sample: Survey):
    found = estimate_wave(sample, wave(), SETTINGS, ROLES, GROUPS, [("A", "B")])
    in_a = sample.frame["region_code"].to_numpy() == "A"
    expected = np.average(sample.frame["health"].to_numpy()[in_a], weights=sample.weights[in_a])
    of_a = found.estimates.filter(variable_id="health", region_code="A", breakdown="total", statistic="mean")
    assert of_a["value"].item() == pytest.approx(expected)
    assert of_a["n"].item() == 30
    assert of_a["population"].item() == pytest.approx(2200)
    assert set(found.estimates["breakdown"]) == {"total", "sex=female", "sex=male"}
    assert set(found.estimates["region_code"]) == {"A", "B", "REGION"}, "nobody else of the country was asked"


def test_another_reading_of_a_group_is_estimated_for_everyone_only(sample: Survey):
    roles = replace(ROLES, groups=["REGION", "B_ONLY"], variants=frozenset({"B_ONLY"}))
    groups = GROUPS | {"B_ONLY": ["B"]}
    found = estimate_wave(sample, wave(), SETTINGS, roles, groups, [("A", "B"), ("A", "B_ONLY")])
    assert set(found.estimates.filter(region_code="B_ONLY")["breakdown"]) == {"total"}
    assert set(found.contrasts.filter(comparator_code="B_ONLY")["breakdown"]) == {"total"}
    # It is B under another name.
    numbers, key = pl.col("standard_error", "degrees_of_freedom"), ["indicator_id", "statistic"]
    of_b, of_it = (found.contrasts.filter(breakdown="total", comparator_code=code) for code in ("B", "B_ONLY"))
    assert of_it.sort(key).select(*key, numbers).equals(of_b.sort(key).select(*key, numbers))
    without = estimate_wave(sample, wave(), SETTINGS, ROLES, GROUPS, [("A", "B")])
    assert found.estimates.filter(pl.col("region_code") != "B_ONLY").equals(without.estimates)


def test_a_difference_of_people_who_all_say_the_same_is_not_certain():
    same = people(**{name: pl.lit(0.7) for name in QUESTIONS})
    sample = weighted_sample(same, wave(), SETTINGS, {"municipality*sex": margin(SEX)})
    found = estimate_wave(sample, wave(), SETTINGS, ROLES, GROUPS, [("A", "B")]).contrasts
    assert found.height > 0
    assert found["standard_error"].null_count() == found.height


def test_the_same_people_asked_the_same_again_share_all_of_their_variance(sample: Survey):
    frame = sample.frame.with_columns(respondent=pl.int_range(pl.len()).cast(pl.String))
    people_again = replace(sample, frame=frame)
    found = estimate_wave(people_again, wave(), SETTINGS, ROLES, GROUPS, [("A", "B")], people_again)
    key = ["indicator_id", "statistic", "region_code", "breakdown"]
    both = found.shared.join(found.estimates.filter(variable_id="health"), key)
    assert both.height == found.shared.height == 2 * 3 * 3
    assert both.select((pl.col("covariance") / pl.col("standard_error").pow(2) - 1).abs().max()).item() < 1e-9


def test_without_a_panel_nothing_is_shared(sample: Survey):
    assert estimate_wave(sample, wave(), SETTINGS, ROLES, GROUPS, [("A", "B")]).shared.is_empty()


def test_the_diagnostics_of_weights_give_no_weight_away(sample: Survey):
    row = estimate_wave(sample, wave(), SETTINGS, ROLES, GROUPS, [("A", "B")]).weights.row(0, named=True)
    assert row["respondents"] == 100
    for name, places in {
        "n_effective": 0,
        "weight_lowest": 0,
        "weight_highest": 0,
        "g_lowest": 1,
        "g_highest": 1,
    }.items():
        assert row[name] == round(row[name], places)
