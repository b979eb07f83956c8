"""Weights and margins after calibration equal those of R `survey`; what cannot be calibrated is refused."""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl
import pytest

from methods.survey import calibration
from methods.survey.calibration import (
    calibrated,
    margin_matrix,
    nonresponse_adjusted,
    post_stratified,
    raked,
    trimmed,
    weight_diagnostics,
    with_bootstrap,
)
from methods.survey.design import CalibrationError, Survey, SurveyError
from methods.survey.domains import domain_means, replicated_means
from methods.survey.estimation import mean, total
from tests.methods.survey.oracle import FOLDER, assert_same, expected, survey

# Population totals of the example (R `survey`, help page of `calibrate`): schools by type and by school-wide growth
# target, and the sums of api99 and enrolment.
TYPES = pl.DataFrame({"stype": ["E", "H", "M"], "total": [4421.0, 755.0, 1018.0]})
TARGETS = pl.DataFrame({"sch.wide": ["No", "Yes"], "total": [1072.0, 5122.0]})
API99, ENROLMENT = 3914069.0, 3811472.0
CASES = [
    "poststratify_stype",
    "rake_stype_schwide",
    "linear_stype",
    "linear_stype_api99",
    "linear_bounded_0.5_2",
    "raking_stype_api99",
    "raking_stype_schwide",
    "logit_0.3_3",
]


@cache
def case(name: str) -> Survey:
    sample = survey("strat")
    types, of_types = margin_matrix(sample, [TYPES])
    both, of_both = np.column_stack([types, sample.values("api99")]), np.append(of_types, API99)
    match name:
        case "poststratify_stype":
            return post_stratified(sample, ["stype"], TYPES)
        case "rake_stype_schwide":
            return raked(sample, [TYPES, TARGETS])
        case "linear_stype":
            return calibrated(sample, types, of_types)
        case "linear_stype_api99":
            return calibrated(sample, both, of_both)
        case "linear_bounded_0.5_2":
            return calibrated(sample, both, of_both, bounds=(0.5, 2))
        case "raking_stype_api99":
            return calibrated(sample, both, of_both, "raking")
        case "raking_stype_schwide":
            return calibrated(sample, *margin_matrix(sample, [TYPES, TARGETS]), "raking")
        case "logit_0.3_3":
            return calibrated(sample, both, of_both, "logit", (0.3, 3))
        case _:
            enrolled = sample.values("enroll")
            return calibrated(sample, enrolled[:, None], np.array([ENROLMENT]), variance=enrolled)


@pytest.mark.parametrize("name", CASES)
def test_every_weight(name: str) -> None:
    weights = pl.read_csv(FOLDER / "calibration_weights.csv", infer_schema_length=None).filter(case=name).sort("row")
    if name == "linear_bounded_0.5_2":
        assert weights.is_empty()  # the reference has its estimates only
        return
    assert weights["row"].to_list() == list(range(1, 201))
    assert case(name).weights == pytest.approx(weights["weight"].to_numpy(), rel=1e-8)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(("estimator", "function"), [("svymean", mean), ("svytotal", total)])
def test_means_and_totals_with_margins_of_residuals(name: str, estimator: str, function) -> None:
    one = function(case(name), ["api00", "enroll", "ell", "stype"])
    found = {(v, "", "estimate"): e for v, e in zip(one.names, one.estimate, strict=True)}
    found |= {(v, "", "se"): e for v, e in zip(one.names, one.standard_error, strict=True)}
    wanted = expected("survey_calibration.csv", estimator=f"{name}:{estimator}")
    # Numbers of schools by type are fixed by calibration: their error is 0 but for rounding, R's and ours.
    assert_same(found, wanted, relative=1e-8, absolute=1e-9 if estimator == "svytotal" else 1e-12)


@pytest.mark.parametrize("name", CASES)
def test_means_of_domains_with_margins_of_residuals(name: str) -> None:
    sample = case(name)
    masks = {code: (sample.frame["awards"] == code).to_numpy() for code in ("No", "Yes")}
    found = {}
    for row in domain_means(sample, ["api00"], {"awards": masks}).table.rows(named=True):
        found[("api00", f"awards={row['domain']}", "estimate")] = row["estimate"]
        found[("api00", f"awards={row['domain']}", "se")] = row["standard_error"]
    assert_same(found, expected("survey_calibration.csv", estimator=f"{name}:svyby_mean"), relative=1e-8)


@pytest.mark.parametrize("name", CASES)
def test_diagnostics_of_weights(name: str) -> None:
    d = weight_diagnostics(case(name))
    found = {"min": d.minimum, "max": d.maximum, "sum": d.sum, "cv": d.cv, "deff_kish": d.kish_design_effect}
    wanted = expected("survey_calibration.csv", estimator=f"{name}:weights")
    assert_same({("", "", stat): value for stat, value in found.items()}, wanted, relative=1e-8)
    assert d.effective_n == pytest.approx(200 / d.kish_design_effect)
    assert d.smallest_g <= 1 <= d.largest_g


def test_the_ratio_estimator() -> None:
    one = total(case("ratio_enroll_var1"), ["api.stu"])
    found = {("api.stu", "", "estimate"): one.estimate[0], ("api.stu", "", "se"): one.standard_error[0]}
    assert_same(found, expected("survey_calibration.csv", estimator="ratio_enroll_var1:svytotal"), relative=1e-8)


def test_the_tests_above_look_at_every_row_of_the_reference() -> None:
    rows = pl.read_csv(FOLDER / "survey_calibration.csv", infer_schema_length=None)
    parts = ["svymean", "svytotal", "svyby_mean", "weights"]
    names = {f"{name}:{part}" for name in CASES for part in parts} | {"ratio_enroll_var1:svytotal"}
    assert set(rows["estimator"]) == names
    assert rows.height == 8 * (12 + 12 + 4 + 5) + 2 == 266
    assert set(pl.read_csv(FOLDER / "calibration_weights.csv")["case"]) == set(CASES) - {"linear_bounded_0.5_2"}


def test_linear_calibration_is_the_generalised_regression_of_svy() -> None:
    import svy

    sample = survey("strat")
    matrix, totals = margin_matrix(sample, [TYPES])
    matrix, totals = np.column_stack([matrix, sample.values("api99")]), np.append(totals, API99)
    other = svy.Sample(sample.frame.select("pw"), svy.Design(wgt="pw"))
    weights = other.weighting.calibrate_matrix(aux_vars=matrix, controls=list(totals), weights_only=True)
    assert case("linear_stype_api99").weights == pytest.approx(np.asarray(weights), rel=1e-9)


# --- by hand ---

PEOPLE = pl.DataFrame(
    {
        "place": ["a", "a", "a", "b", "b", "b"],
        "sex": ["f", "m", "m", "f", "f", "m"],
        "status": ["in", "in", "out", "in", "in", "in"],
        "weight": [10.0, 20.0, 30.0, 10.0, 10.0, 20.0],
        "y": [0.0, 1.0, 1.0, 0.5, 1.0, 0.0],
    }
)
PLACES = pl.DataFrame({"place": ["a", "b"], "total": [120, 60]})
SEXES = pl.DataFrame({"sex": ["f", "m"], "total": [90, 90]})


def people() -> Survey:
    return Survey.of(PEOPLE, weight="weight")


def test_weights_of_those_who_did_not_answer_go_to_their_class() -> None:
    sample = nonresponse_adjusted(people(), "status", ["in"], ["out"], ["place"])
    assert sample.frame["status"].to_list() == ["in"] * 5
    assert sample.weights == pytest.approx([20.0, 40.0, 10.0, 10.0, 20.0])  # a: 60 / 30 times


def test_post_stratified_weights_add_up_in_every_cell() -> None:
    sample = post_stratified(people(), ["place"], PLACES)
    assert sample.weights == pytest.approx([20, 40, 60, 15, 15, 30])


def test_raked_weights_add_up_to_both_margins() -> None:
    sample = raked(people(), [PLACES, SEXES])
    assert sample.frame.with_columns(w=sample.weights).group_by("place").agg(pl.col("w").sum()).sort("place")[
        "w"
    ].to_list() == pytest.approx([120, 60])
    assert sum(w for w, sex in zip(sample.weights, PEOPLE["sex"], strict=True) if sex == "f") == pytest.approx(90)


def test_raking_goes_on_until_the_totals_are_met_to_ten_digits() -> None:
    """svy by itself stops at one in ten thousand."""
    sample = raked(people(), [PLACES, SEXES])
    achieved = [sample.weights[(PEOPLE["place"] == place).to_numpy()].sum() for place in "ab"]
    assert achieved == pytest.approx([120, 60], rel=1e-9)


def test_the_margin_after_calibration_is_that_of_the_residuals_by_hand() -> None:
    """Within post-strata of equal people the mean has no error left; between them it had."""
    frame = pl.DataFrame({"place": ["a", "a", "b", "b"], "y": [1.0, 1.0, 0.0, 0.0]})
    sample = Survey.of(frame)
    everyone = {"total": {"all": np.ones(4, dtype=bool)}}
    before = domain_means(sample, ["y"], everyone).table
    after = domain_means(post_stratified(sample, ["place"], PLACES), ["y"], everyone).table
    assert before["standard_error"][0] == pytest.approx(np.sqrt(1 / 12))  # s2 / n = (1/3) / 4
    assert after["estimate"][0] == pytest.approx(120 / 180)
    assert after["standard_error"][0] == 0.0  # truly fixed


def test_trimmed_weights_keep_their_sum_and_their_bounds() -> None:
    sample = trimmed(people(), lowest=12.0, highest=25.0)
    assert sample.weights.sum() == pytest.approx(100)
    assert sample.weights.min() >= 12 - 1e-9
    assert sample.weights.max() <= 25 + 1e-9


def test_trimmed_weights_equal_r() -> None:
    """R: weights(trimWeights(d, upper=40, lower=17, strict=TRUE)) has these values for elementary, middle and high."""
    weights = trimmed(survey("strat"), 17.0, 40.0).weights
    codes = survey("strat").frame["stype"].to_numpy()
    assert [weights[codes == code][0] for code in "EMH"] == pytest.approx([40.0, 26.8799991608, 17.0], rel=1e-11)


def test_trimming_forgets_a_calibration_that_no_longer_holds() -> None:
    sample = post_stratified(people(), ["place"], PLACES)
    assert trimmed(sample, highest=50.0).constraints == ()
    again = post_stratified(trimmed(sample, highest=50.0), ["place"], PLACES)
    assert again.weights[:3].sum() == pytest.approx(120)
    assert len(again.constraints) == 1


def _random_people(n: int = 600) -> Survey:
    rng = np.random.default_rng(20260101)
    place = np.repeat(["a", "b", "c"], n // 3)
    frame = pl.DataFrame(
        {
            "place": place,
            "sex": rng.choice(["f", "m"], n),
            "age": rng.choice(["young", "old"], n),
            "weight": rng.uniform(1, 3, n),
            "y": rng.random(n) + (place == "a") * 0.3,
        }
    )
    return Survey.of(frame, weight="weight", stratum="place")


def _margins(sample: Survey, *columns: str) -> list[pl.DataFrame]:
    numbers = sample.frame.with_columns(total=sample.weights)
    return [numbers.group_by(name).agg(pl.col("total").sum() * 10).sort(name) for name in columns]


def test_replicates_are_calibrated_as_the_weights_are_and_give_the_same_margin() -> None:
    sample = _random_people()
    margins = _margins(sample, "sex", "age", "place")
    drawn = raked(with_bootstrap(sample, 400, seed=7), margins)
    assert drawn.replicates is not None
    for margin in margins:
        name = margin.columns[0]
        for code, wanted in margin.rows():
            held = drawn.replicates[(drawn.frame[name] == code).to_numpy()].sum(axis=0)
            assert held == pytest.approx(np.full(400, wanted), rel=1e-8)
    blocks = {"total": {code: (sample.frame["place"] == code).to_numpy() for code in "abc"}}
    by_replicates = replicated_means(drawn, ["y"], blocks)["standard_error"].to_numpy()
    linearised = domain_means(drawn, ["y"], blocks).table["standard_error"].to_numpy()
    assert by_replicates == pytest.approx(linearised, rel=0.15)  # 400 replicates: 3.5% by chance alone


@pytest.mark.parametrize(("method", "bounds"), [("linear", None), ("raking", None), ("logit", (0.1, 20.0))])
def test_replicates_follow_calibration_by_newtons_method(method, bounds) -> None:
    sample = with_bootstrap(_random_people(), 20, seed=3)
    matrix, totals = margin_matrix(sample, _margins(sample, "sex", "age"))
    drawn = calibrated(sample, matrix, totals, method, bounds)
    assert drawn.replicates is not None
    assert drawn.replicates.T @ matrix == pytest.approx(np.tile(totals, (20, 1)), rel=1e-8)


def test_the_same_seed_draws_the_same_replicates() -> None:
    one, two, other = (with_bootstrap(_random_people(), 5, seed).replicates for seed in (1, 1, 2))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)


# --- what is refused ---


@pytest.mark.parametrize(
    ("totals", "message"),
    [
        (PLACES.head(1), "cells by place: expected one with a population; not so in row 4, 5, 6"),
        (pl.concat([PLACES, pl.DataFrame({"place": ["c"], "total": [5]})]), "cell c by place: a population, but no"),
        (pl.concat([PLACES, PLACES.head(1)]), "expected every cell once"),
        (PLACES.with_columns(total=pl.lit(-1)), "numbers of at least 0"),
        (PLACES.drop("total"), "column total"),
    ],
)
def test_bad_population_totals(totals: pl.DataFrame, message: str) -> None:
    with pytest.raises(CalibrationError, match=message):
        post_stratified(people(), ["place"], totals)


def test_margins_of_different_populations_are_refused_before_raking() -> None:
    with pytest.raises(CalibrationError, match="different populations: 180, 190"):
        raked(people(), [PLACES, SEXES.with_columns(total=pl.lit(95))])


def test_raking_that_cannot_converge_is_an_error() -> None:
    # Nobody is a man in a or a woman in b: place and sex say the same, but their totals do not.
    frame = pl.DataFrame({"place": ["a", "a", "b", "b"], "sex": ["f", "f", "m", "m"]})
    with pytest.raises(CalibrationError, match="raking did not converge"):
        raked(Survey.of(frame), [PLACES, SEXES])
    with pytest.raises(CalibrationError, match="contradict each other"):
        calibrated(Survey.of(frame), *margin_matrix(Survey.of(frame), [PLACES, SEXES]))


@pytest.mark.parametrize("method", ["linear", "logit"])
def test_bounds_that_no_weights_can_meet_are_an_error(method) -> None:
    matrix, totals = margin_matrix(people(), [PLACES])
    with pytest.raises(CalibrationError, match="did not converge"):
        calibrated(people(), matrix, totals, method, bounds=(0.9, 1.1))


def test_weights_that_bounds_push_to_zero_leave_a_margin() -> None:
    frame = pl.DataFrame({"x": [0.0, 0.0, 1.0, 1.0, 5.0], "y": [1.0, 2.0, 2.0, 4.0, 9.0]})
    sample = Survey.of(frame)
    matrix = np.column_stack([np.ones(5), frame["x"].to_numpy()])
    sample = calibrated(sample, matrix, np.array([5.0, 2.0]), bounds=(0.0, 3.0))
    assert sample.weights.min() == 0
    assert mean(sample, ["y"]).standard_error[0] > 0


@pytest.mark.parametrize("bounds", [(1.1, 2.0), (0.2, 0.9)])
def test_bounds_must_lie_on_both_sides_of_one(bounds) -> None:
    with pytest.raises(CalibrationError, match="both sides of 1"):
        calibrated(people(), *margin_matrix(people(), [PLACES]), "logit", bounds)


def test_logit_needs_bounds() -> None:
    with pytest.raises(CalibrationError, match="needs bounds"):
        calibrated(people(), *margin_matrix(people(), [PLACES]), "logit")


def test_trimming_that_cannot_keep_the_sum_is_an_error() -> None:
    with pytest.raises(CalibrationError, match="the mean weight lies beyond the bounds"):
        trimmed(people(), highest=5.0)


def test_a_class_in_which_nobody_answered_is_an_error() -> None:
    frame = PEOPLE.with_columns(status=pl.when(pl.col("place") == "a").then(pl.lit("out")).otherwise("status"))
    with pytest.raises(CalibrationError, match="class a: nobody answered"):
        nonresponse_adjusted(Survey.of(frame, weight="weight"), "status", ["in"], ["out"], ["place"])


def test_an_unknown_status_is_named_by_row_not_by_value() -> None:
    frame = PEOPLE.with_columns(status=pl.Series(["in", "SECRET", "out", None, "in", "in"]))
    with pytest.raises(SurveyError, match=r"column status: .* not so in row 2, 4") as caught:
        nonresponse_adjusted(Survey.of(frame, weight="weight"), "status", ["in"], ["out"], ["place"])
    assert "SECRET" not in str(caught.value)


def test_replicates_come_before_calibration() -> None:
    with pytest.raises(SurveyError, match="draw them first"):
        with_bootstrap(post_stratified(people(), ["place"], PLACES), 5, seed=1)


def test_what_svy_says_about_rows_stays_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CalibrationError) as caught:
        calibration.svy_adapter.raked(np.array([1.0, 2.0]), None, [(pl.Series(["x", "SECRET"]), {"x": 1.0})])
    assert "SECRET" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
