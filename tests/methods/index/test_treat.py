"""Outliers: scipy's moments, and COINr's rule step by step."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from catalog.analysis_model import OutlierTreatment
from methods.index.treat import has_outliers, kurtosis, log_shift, skewness, treat, winsorise

RULE = OutlierTreatment(skewness=2, kurtosis=3.5, maximum=5)
# The example of COINr's help on `winsorise`: 1 to 10 and two outliers.
WITH_TWO = np.array([*range(1, 11), 30, 100], dtype=float)


def test_moments_are_those_of_scipy_without_bias() -> None:
    # e1071's type 2 is what scipy calls bias=False; within 1e-12.
    x = np.random.default_rng(1).lognormal(size=51)
    with_gap = np.append(x, np.nan)
    assert skewness(with_gap) == pytest.approx(stats.skew(x, bias=False), rel=1e-12)
    assert kurtosis(with_gap) == pytest.approx(stats.kurtosis(x, bias=False), rel=1e-12)


@pytest.mark.parametrize("x", [[], [np.nan], [1.0, 2.0], [0.1] * 9, [0.1, np.nan, 0.1, 0.1]])
def test_moments_of_too_few_or_equal_figures_are_unknown_and_no_outliers(x: list[float]) -> None:
    assert np.isnan(skewness(x))
    assert np.isnan(kurtosis(x))
    assert not has_outliers(x, RULE)
    assert winsorise(x, RULE).count == 0


def test_the_highest_figure_becomes_the_next_until_no_outlier_is_left() -> None:
    # Skewness and kurtosis fall from 3.06 and 9.74 to 1.71 and 1.82 (scipy) once 100 has become 30.
    treated = winsorise(WITH_TWO, RULE)
    np.testing.assert_array_equal(treated.values, [*range(1, 11), 30, 30])
    assert (treated.low, treated.high, treated.count) == (1, 30, 1)
    stricter = winsorise(WITH_TWO, OutlierTreatment(skewness=1, kurtosis=1, maximum=5))
    np.testing.assert_array_equal(stricter.values, [*range(1, 11), 10, 10])
    assert stricter.count == 2


def test_low_outliers_are_the_mirror_image() -> None:
    high, low = winsorise(WITH_TWO, RULE), winsorise(-WITH_TWO, RULE)
    np.testing.assert_array_equal(low.values, -high.values)
    assert (low.low, low.high, low.count) == (-high.high, -high.low, high.count)


def test_no_more_figures_are_changed_than_allowed() -> None:
    x = np.concatenate([np.linspace(0, 1, 60), 2.0 ** np.arange(10, 22)])
    treated = winsorise(x, RULE)
    assert treated.count == 5 == (treated.values != x).sum()
    assert has_outliers(treated.values, RULE)
    assert winsorise(x, RULE.model_copy(update={"maximum": 0})).count == 0


def test_equal_figures_are_changed_together() -> None:
    x = np.array([*np.linspace(0, 1, 60), 50, 50, 50])
    treated = winsorise(x, RULE.model_copy(update={"maximum": 1}))
    assert treated.count == 3
    assert treated.high == 1


def test_two_different_figures_are_left_as_they_are() -> None:
    x = np.array([0.0] * 20 + [1.0])
    assert has_outliers(x, RULE)
    treated = winsorise(x, RULE)
    np.testing.assert_array_equal(treated.values, x)
    assert treated.count == 0


def test_missing_figures_stay_missing_and_the_input_as_it_was() -> None:
    x = np.append(WITH_TWO, np.nan)
    before = x.copy()
    found = winsorise(x, RULE)
    np.testing.assert_array_equal(found.values, np.append(winsorise(WITH_TWO, RULE).values, np.nan))
    np.testing.assert_array_equal(x, before)


def test_winsorised_figures_pass_or_the_maximum_is_reached() -> None:
    generator = np.random.default_rng(3)
    for _ in range(50):
        x = generator.lognormal(sigma=generator.uniform(0.2, 2), size=51)
        found = winsorise(x, RULE)
        assert not has_outliers(found.values, RULE) or found.count >= RULE.maximum
        assert (found.low, found.high) == (found.values.min(), found.values.max())


def test_log_keeps_the_order_and_follows_the_formula() -> None:
    x = np.array([3.0, 1.0, np.nan, 11.0])
    # COINr's log_CT by hand: the range is 10, a hundredth of it 0.1.
    np.testing.assert_allclose(log_shift(x), np.log([2.1, 0.1, np.nan, 10.1]))
    assert np.isnan(log_shift([2.0, 2.0])).all()
    assert np.isnan(log_shift([np.nan])).all()


def test_what_winsorising_cannot_mend_is_logged_from_the_original() -> None:
    mended = WITH_TWO
    np.testing.assert_array_equal(treat(mended, RULE), winsorise(mended, RULE).values)
    beyond = np.concatenate([np.linspace(0, 1, 60), 2.0 ** np.arange(10, 22)])
    np.testing.assert_array_equal(treat(beyond, RULE), log_shift(beyond))
