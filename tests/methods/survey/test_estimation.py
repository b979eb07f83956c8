"""Means, totals, ratios, variances, shares and quantiles equal those of R `survey`, every row of the references."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

import numpy as np
import polars as pl
import pytest

from methods.survey.design import Survey, SurveyError
from methods.survey.estimation import Estimates, crosstab, mean, proportion, ratio, total, variance
from methods.survey.intervals import share_interval
from methods.survey.quantiles import quantile
from tests.methods.survey.oracle import FOLDER, assert_same, expected, survey

Key = tuple[str, str, str]
DESIGNS = ["strat", "strat_nofpc", "srs"]


def _rows(one: Estimates, domain: str = "") -> Iterator[tuple[Key, float]]:
    low_t, high_t = one.interval()
    low_z, high_z = one.interval(degrees_of_freedom=inf)
    columns = {
        "estimate": one.estimate,
        "se": one.standard_error,
        "cv": one.cv,
        "ci_low_t": low_t,
        "ci_high_t": high_t,
        "ci_low_z": low_z,
        "ci_high_z": high_z,
        "deff": one.design_effect,
        "deff_replace": one.design_effect_replace,
    }
    for i, name in enumerate(one.names):
        for stat, numbers in columns.items():
            if numbers is not None:
                yield (name, domain, stat), float(numbers[i])
        for j, other in enumerate(one.names):
            yield (f"{name}|{other}", domain, "vcov"), float(one.covariance[i, j])


def test_the_tests_below_look_at_every_row_of_the_reference() -> None:
    basic = pl.read_csv(FOLDER / "survey_basic.csv")
    assert basic.height == 3 * (134 + 134 + 4 + 4 + 2) == 834
    assert set(basic["estimator"]) == {"svymean", "svytotal", "degf", "svyratio", "svyvar"}
    assert set(basic["design"]) == set(DESIGNS)
    other = pl.read_csv(FOLDER / "survey_quantile_ciprop.csv", infer_schema_length=None)
    assert other.height == 2 * (60 + 5 * 12 + 6 + 6 * 6) == 324


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize(("estimator", "function"), [("svymean", mean), ("svytotal", total)])
def test_means_and_totals_with_covariance_and_design_effect(design: str, estimator: str, function) -> None:
    wanted = expected("survey_basic.csv", design=design, estimator=estimator)
    # With the strata as classes, shares of strata have no sampling error: R says 0, we stay below 1e-12 of one.
    scale = 1.0 if estimator == "svymean" else 6194.0
    found = dict(
        _rows(function(survey(design), ["api00", "api99", "ell", "meals", "enroll", "stype", "sch.wide", "awards"]))
    )
    assert_same(found, wanted, absolute=1e-12 * scale)


@pytest.mark.parametrize("design", DESIGNS)
def test_degrees_of_freedom_ratios_and_variances(design: str) -> None:
    sample = survey(design)
    assert expected("survey_basic.csv", design=design, estimator="degf") == {
        ("", "", "df"): sample.degrees_of_freedom()
    }
    ratios = dict(_rows(ratio(sample, "api.stu", "enroll"))) | dict(_rows(ratio(sample, "meals", "enroll")))
    assert_same(ratios, expected("survey_basic.csv", design=design, estimator="svyratio"))
    assert_same(dict(_rows(variance(sample, "api00"))), expected("survey_basic.csv", design=design, estimator="svyvar"))


QUANTILE_RULES = ["math", "school", "shahvaish", "hf1", "hf2", "hf3", "hf4", "hf5", "hf6", "hf7", "hf8", "hf9"]


@pytest.mark.parametrize("design", ["strat", "srs"])
def test_quantiles_by_every_rule_also_at_ties(design: str) -> None:
    wanted = expected("survey_quantile_ciprop.csv", design=design, estimator="svyquantile")
    found = {}
    for rule in QUANTILE_RULES:
        table = quantile(survey(design), "api00", [0.1, 0.25, 0.5, 0.75, 0.9], rule=rule)
        found |= {("api00", rule, f"q{100 * p:.0f}"): q for p, q in table.select("probability", "estimate").rows()}
    assert len(wanted) == 60
    assert_same(found, wanted)


@pytest.mark.parametrize("design", ["strat", "srs"])
@pytest.mark.parametrize("interval", ["mean", "beta", "xlogit", "asin", "score"])
def test_intervals_of_quantiles(design: str, interval) -> None:
    wanted = expected("survey_quantile_ciprop.csv", design=design, estimator=f"svyquantile_ci_{interval}")
    table = quantile(survey(design), "api00", [0.25, 0.5, 0.75], interval=interval)
    found = {
        ("api00", str(row["probability"]), stat): row[column]
        for row in table.rows(named=True)
        for stat, column in [
            ("estimate", "estimate"),
            ("se", "standard_error"),
            ("ci_low", "ci_low"),
            ("ci_high", "ci_high"),
        ]
    }
    assert_same(found, wanted)


@pytest.mark.parametrize("design", ["strat", "srs"])
def test_medians_of_domains(design: str) -> None:
    wanted = expected("survey_quantile_ciprop.csv", design=design, estimator="svyby_median")
    sample, found = survey(design), {}
    for code in "EHM":
        row = quantile(sample, "api00", [0.5], domain=(sample.frame["stype"] == code).to_numpy()).row(0, named=True)
        found[("api00", f"stype={code}", "estimate")] = row["estimate"]
        found[("api00", f"stype={code}", "se")] = row["standard_error"]
    assert_same(found, wanted)


@pytest.mark.parametrize("design", ["strat", "srs"])
@pytest.mark.parametrize("interval", ["logit", "likelihood", "asin", "beta", "mean", "xlogit"])
def test_shares_and_their_intervals(design: str, interval) -> None:
    wanted = expected("survey_quantile_ciprop.csv", design=design, estimator=f"svyciprop_{interval}")
    sample = survey(design)
    shares = {
        "awards==Yes": (sample.frame["awards"] == "Yes").to_numpy(),
        "comp.imp==No&stype==H": ((sample.frame["comp.imp"] == "No") & (sample.frame["stype"] == "H")).to_numpy(),
    }
    found = {}
    for name, having in shares.items():
        share = proportion(sample, having, interval)
        found |= {
            (name, "", "estimate"): share.estimate,
            (name, "", "ci_low"): share.low,
            (name, "", "ci_high"): share.high,
        }
    assert_same(found, wanted)


def test_a_table_of_weighted_counts() -> None:
    for design in ("strat", "srs"):
        wanted = expected("survey_domains_contrasts.csv", design=design, estimator="svytable")
        found = {("count", f"{s}|{a}", "estimate"): n for s, a, n in crosstab(survey(design), "stype", "awards").rows()}
        assert_same(found, wanted)


def test_a_share_of_none_or_all_has_an_exact_interval_only_by_korn_and_graubard() -> None:
    # By hand: Clopper-Pearson for 0 of 20 is 0 to 1 - 0.025^(1/20); freedom 19 = n - 1 leaves the size as it is.
    low, high = share_interval([0.0, 1.0], [np.nan, np.nan], 19, 20, "beta")
    assert low.tolist() == pytest.approx([0.0, 0.025 ** (1 / 20)])
    assert high.tolist() == pytest.approx([1 - 0.025 ** (1 / 20), 1.0])
    for interval in ("logit", "asin", "likelihood"):
        assert np.isnan(share_interval([0.0, 1.0], [np.nan, np.nan], 19, 20, interval)).all()


def test_missing_values_lie_outside_the_domain() -> None:
    frame = pl.DataFrame({"y": [1.0, 0.0, None, 1.0, 0.0], "w": [1.0, 2.0, 9.0, 3.0, 4.0]})
    one = mean(Survey.of(frame, weight="w"), ["y"])
    assert (one.n, one.degrees_of_freedom) == (4, 3)
    assert one.estimate[0] == pytest.approx((1 + 3) / (1 + 2 + 3 + 4))


def test_a_domain_with_one_value_is_refused() -> None:
    with pytest.raises(SurveyError, match="at least two respondents"):
        mean(survey("srs"), ["api00"], np.arange(200) == 3)
