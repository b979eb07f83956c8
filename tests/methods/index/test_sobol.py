"""Sobol's indices: equal to scipy's from the same values, and true for functions of which they are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import sobol_indices

from methods.index.aggregate import Array
from methods.index.sobol import indices, sobol_points


def ishigami(points: Array) -> Array:
    """Ishigami & Homma (1990) with a = 7 and b = 0.1 on -pi to pi: a standard test of such estimators."""
    x = np.pi * (2 * points - 1)
    return np.asarray(np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0]))


# By the analytic variances: a^2 / 8 + b pi^4 / 5 + b^2 pi^8 / 18 + 1 / 2 in all, of which alone (1 + b pi^4 / 5)^2 / 2
# for the first and a^2 / 8 for the second input, and 8 b^2 pi^8 / 225 for the first and third together.
VARIANCE = 49 / 8 + 0.1 * np.pi**4 / 5 + 0.01 * np.pi**8 / 18 + 1 / 2
FIRST = np.array([(1 + 0.1 * np.pi**4 / 5) ** 2 / 2, 49 / 8, 0]) / VARIANCE
TOGETHER = 8 * 0.01 * np.pi**8 / 225 / VARIANCE
TOTAL = FIRST + np.array([TOGETHER, 0, TOGETHER])


def test_indices_of_the_ishigami_function() -> None:
    np.testing.assert_allclose(FIRST, [0.3139, 0.4424, 0], atol=5e-5)  # as published
    np.testing.assert_allclose(TOTAL, [0.5576, 0.4424, 0.2437], atol=5e-5)
    found = indices(ishigami, inputs=3, base=2048, seed=2022)
    np.testing.assert_allclose(found.first_order[0], FIRST, atol=0.03)
    np.testing.assert_allclose(found.total_order[0], TOTAL, atol=0.03)
    np.testing.assert_allclose(found.mean, 3.5, atol=0.02)
    assert (found.first_order_ci[0, :, 1] - found.first_order_ci[0, :, 0] < 0.2).all()


@pytest.mark.parametrize("seed", range(5))
def test_intervals_hold_the_known_indices(seed: int) -> None:
    found = indices(ishigami, inputs=3, base=2048, seed=seed)
    for ci, truth, estimate in (
        (found.first_order_ci[0], FIRST, found.first_order[0]),
        (found.total_order_ci[0], TOTAL, found.total_order[0]),
    ):
        assert (ci[:, 0] <= truth).all()
        assert (truth <= ci[:, 1]).all()
        assert (ci[:, 0] <= estimate).all()
        assert (estimate <= ci[:, 1]).all()


def test_estimates_equal_those_of_scipy() -> None:
    values: dict[str, Array] = {}

    def both(points: Array) -> Array:
        outputs = np.column_stack([ishigami(points), points @ [3, 2, 1]])
        at = outputs.reshape(5, 512, 2)
        values.update(f_A=at[0].T, f_B=at[1].T, f_AB=np.moveaxis(at[2:], -1, 1))
        return outputs

    found = indices(both, inputs=3, base=512, seed=7)
    reference = sobol_indices(func=values, n=512)
    np.testing.assert_allclose(found.first_order, reference.first_order, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.total_order, reference.total_order, rtol=1e-9, atol=1e-12)


def test_parts_of_a_sum_explain_their_shares_of_the_variance() -> None:
    found = indices(lambda points: points @ [3, 2, 1], inputs=3, base=2048, seed=1)
    np.testing.assert_allclose(found.first_order[0], np.array([9, 4, 1]) / 14, atol=0.02)
    np.testing.assert_allclose(found.total_order[0], np.array([9, 4, 1]) / 14, atol=0.02)


def test_what_has_no_influence_gets_nothing_and_what_does_not_vary_has_no_indices() -> None:
    def function(points: Array) -> Array:
        return np.column_stack([points[:, 0], np.full(len(points), 0.1)])

    found = indices(function, inputs=2, base=64, seed=1)
    assert found.first_order[0, 1] == found.total_order[0, 1] == 0
    assert (found.first_order_ci[0, 1] == 0).all()
    assert (found.total_order_ci[0, 1] == 0).all()
    for none in (found.first_order, found.first_order_ci, found.total_order, found.total_order_ci):
        assert np.isnan(none[1]).all()
    assert found.mean[1] == pytest.approx(0.1, rel=1e-12)


def test_a_large_mean_does_not_drown_the_variance() -> None:
    near, far = (indices(lambda points, up=up: ishigami(points) + up, 3, 256, 1) for up in (0.0, 1e6))
    np.testing.assert_allclose(far.total_order, near.total_order, rtol=1e-6)


def test_the_same_seed_gives_the_same_bits_and_another_does_not() -> None:
    one, same, other = (indices(ishigami, 3, 64, seed) for seed in (1, 1, 2))
    assert one.first_order_ci.tobytes() == same.first_order_ci.tobytes()
    assert one.first_order.tobytes() != other.first_order.tobytes()


def test_points_spread_evenly_also_for_numbers_that_are_no_power_of_two() -> None:
    points = sobol_points(5, 1000, np.random.default_rng(1))
    assert points.shape == (1000, 5)
    assert ((points >= 0) & (points < 1)).all()
    counts = np.array([np.histogram(column, 10, (0, 1))[0] for column in points.T])
    assert np.abs(counts - 100).max() <= 6


@pytest.mark.parametrize("base", [0, 1, 1000])
def test_another_base_than_a_power_of_two_is_refused(base: int) -> None:
    with pytest.raises(ValueError, match=f"must be a power of two, found {base}"):
        indices(ishigami, 3, base, 1)
