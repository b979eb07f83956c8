"""Tests of means, tables and ranks equal those of R `survey`, every row of the reference."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from methods.survey.design import Survey, SurveyError
from methods.survey.hypothesis import chi_square, rank_test, ttest
from tests.methods.survey.oracle import assert_same, expected, survey

FILE = "survey_domains_contrasts.csv"


@pytest.mark.parametrize("design", ["strat", "srs"])
def test_means_of_two_groups(design: str) -> None:
    test = ttest(survey(design), "api00", "awards")
    found = {"t": test.t, "df": test.degrees_of_freedom, "p": test.p_value, "diff": test.estimate}
    wanted = expected(FILE, design=design, estimator="svyttest")
    assert_same({("api00~awards", "", stat): value for stat, value in found.items()}, wanted)


@pytest.mark.parametrize("design", ["strat", "srs"])
def test_ranks_of_two_groups(design: str) -> None:
    test = rank_test(survey(design), "api00", "awards")
    found = {"t": test.t, "df": test.degrees_of_freedom, "p": test.p_value}
    wanted = expected(FILE, design=design, estimator="svyranktest_wilcoxon")
    assert_same({("api00~awards", "", stat): value for stat, value in found.items()}, wanted)


@pytest.mark.parametrize("design", ["strat", "srs"])
@pytest.mark.parametrize("statistic", ["F", "Chisq", "Wald", "adjWald", "lincom", "saddlepoint"])
def test_association_of_two_classifications(design: str, statistic) -> None:
    test = chi_square(survey(design), "stype", "awards", statistic)
    found = {("stype+awards", "", "statistic"): test.statistic, ("stype+awards", "", "p"): test.p_value}
    assert_same(found, expected(FILE, design=design, estimator=f"svychisq_{statistic}"))


def test_a_mean_against_a_number_by_hand() -> None:
    # 1, 2, 3, 6 with equal weights: mean 3, variance 14/3, standard error sqrt(14/3/4); one degree less than R's degf.
    sample = Survey.of(pl.DataFrame({"y": [1.0, 2.0, 3.0, 6.0]}))
    test = ttest(sample, "y", null=2.0)
    assert test.t == pytest.approx(1 / np.sqrt(14 / 3 / 4))
    assert test.degrees_of_freedom == 2


def test_two_groups_are_needed() -> None:
    with pytest.raises(SurveyError, match="column stype: expected two groups, found 3"):
        ttest(survey("srs"), "api00", "stype")
