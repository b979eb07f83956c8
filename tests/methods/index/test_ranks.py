"""Ranks, the ranks that sampling error leaves open, and who is ahead of whom."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import norm, rankdata

from methods.index.aggregate import Array
from methods.index.ranks import ahead_shares, rank_intervals, ranks, wins

NAN = np.nan


def test_equal_scores_share_the_best_place_and_who_has_no_score_is_not_ranked() -> None:
    np.testing.assert_array_equal(ranks(np.array([0.7, 0.9, 0.7, NAN, 0.1])), [2, 1, 2, NAN, 4])
    np.testing.assert_array_equal(ranks(np.array([NAN, NAN])), [NAN, NAN])
    assert ranks(np.empty((3, 0))).shape == (3, 0)


def test_ranks_come_from_unrounded_scores() -> None:
    np.testing.assert_array_equal(ranks(np.array([0.5, 0.5 + 1e-15])), [2, 1])


def test_ranks_equal_those_of_scipy_along_the_last_axis() -> None:
    scores = np.random.default_rng(1).integers(0, 20, (5, 6, 40)).astype(float)
    np.testing.assert_array_equal(ranks(scores), rankdata(-scores, method="min", axis=-1))


def test_rank_intervals_by_hand() -> None:
    # Three pairs: z of 1 - 0.05 / 6 is 2.394, times sqrt(0.3^2 + 0.4^2) = 0.5 is 1.197.
    low, high = rank_intervals(np.array([3.0, 1.79, 1.81]), np.array([0.3, 0.4, 0.4]))
    assert low.tolist() == [1, 2, 1]
    assert high.tolist() == [2, 3, 3]


def test_rank_intervals_equal_a_loop_over_pairs() -> None:
    rng = np.random.default_rng(2)
    estimates, errors = rng.normal(size=20), rng.uniform(0.05, 0.3, 20)
    low, high = rank_intervals(estimates, errors, 0.9)
    critical = norm.ppf(1 - 0.1 / (20 * 19))
    for i in range(20):
        apart = [(estimates[j] - estimates[i]) / np.sqrt(errors[i] ** 2 + errors[j] ** 2) for j in range(20) if j != i]
        assert low[i] == 1 + sum(one > critical for one in apart)
        assert high[i] == 20 - sum(one < -critical for one in apart)


def test_exact_scores_leave_one_rank_open_unless_they_are_equal() -> None:
    low, high = rank_intervals(np.array([3.0, 2, 2, 1]), np.zeros(4))
    assert low.tolist() == [1, 2, 2, 4]
    assert high.tolist() == [1, 3, 3, 4]


def test_who_has_no_score_does_not_count_and_an_unknown_margin_leaves_no_interval() -> None:
    low, high = rank_intervals(np.array([3.0, NAN, 1]), np.array([0.1, NAN, 0.1]))
    np.testing.assert_array_equal(low, [1, NAN, 2])
    np.testing.assert_array_equal(high, [1, NAN, 2])
    for bounds in rank_intervals(np.array([3.0, 2, 1]), np.array([0.1, NAN, 0.1])):
        assert np.isnan(bounds).all()
    assert rank_intervals(np.array([3.0]), np.array([0.1])) == ([1], [1])
    assert all(bounds.size == 0 for bounds in rank_intervals(np.empty(0), np.empty(0)))


def test_larger_errors_and_higher_levels_never_make_an_interval_narrower() -> None:
    rng = np.random.default_rng(3)
    estimates, errors = rng.normal(size=14), rng.uniform(0.05, 0.3, 14)
    intervals = [rank_intervals(estimates, errors * times) for times in (0, 0.5, 1, 2)]
    intervals.append(rank_intervals(estimates, errors * 2, level=0.999))
    for (low, high), (lower, higher) in pairwise(intervals):
        assert (lower <= low).all()
        assert (high <= higher).all()


@pytest.mark.parametrize(
    "truth",
    [
        np.linspace(0.6, 0.75, 14),
        np.repeat([0.6, 0.65, 0.7], [4, 6, 4]),
        0.65 + 1e-4 * np.arange(14),
        np.full(14, 0.65),
        np.append(np.full(13, 0.65), 0.9),
        np.linspace(0.3, 0.9, 51),
    ],
    ids=["spread", "ties", "near ties", "all equal", "one far ahead", "51 units"],
)
def test_intervals_hold_the_true_ranks_of_all_units_together(truth: Array) -> None:
    """95% is stated for all units at once; a unit with equals has all the ranks that those could have."""
    rng = np.random.default_rng(4)
    errors = rng.uniform(0.005, 0.03, len(truth))
    best, worst = 1 + (truth[:, None] > truth).sum(axis=0), len(truth) - (truth[:, None] < truth).sum(axis=0)
    runs = 1000
    held = 0
    for estimates in rng.normal(truth, errors, (runs, len(truth))):
        low, high = rank_intervals(estimates, errors)
        held += bool(((low <= best) & (worst <= high)).all())
    assert held / runs >= 0.95


def test_wrong_input_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected two vectors of one length, found \(2,\) and \(3,\)"):
        rank_intervals(np.zeros(2), np.zeros(3))
    with pytest.raises(ValueError, match="level must lie between 0 and 1, found 95"):
        rank_intervals(np.zeros(2), np.zeros(2), level=95)
    with pytest.raises(ValueError, match="standard errors must be 0 or more"):
        rank_intervals(np.zeros(2), np.array([0.1, -0.1]))


def test_ahead_shares_by_hand() -> None:
    draws = np.array([[3.0, 1, 2], [1, 2, 2], [3, 3, NAN], [4, 1, NAN]])
    # First against second: ahead, behind, equal, ahead. Both against third: two draws.
    np.testing.assert_array_equal(ahead_shares(draws), [[50, 62.5, 50], [37.5, 50, 25], [50, 75, 50]])
    assert wins(draws)[0, 1] == 2 + 0 + 1 + 2


def test_shares_of_a_pair_add_up_to_100() -> None:
    shares = ahead_shares(np.random.default_rng(5).integers(0, 4, (101, 9)).astype(float))
    np.testing.assert_allclose(shares + shares.T, 100, rtol=1e-14)


def test_a_pair_that_never_meets_has_no_share() -> None:
    shares = ahead_shares(np.array([[1.0, NAN], [2, NAN]]))
    np.testing.assert_array_equal(shares, [[50, NAN], [NAN, NAN]])
