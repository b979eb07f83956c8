"""Scales for one indicator: every row of R's COINr, and vectors that are hard on a formula."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from methods.index import normalise
from methods.index.aggregate import Array

# COINr 1.1.14 in R 4.2.2, to be met within 1e-9.
ORACLE = pl.read_csv(Path(__file__).parents[1] / "oracles" / "coinr_normalise.csv")
SAME = {
    "n_minmax": normalise.min_max,
    "n_zscore": normalise.z_score,
    "n_scaled": lambda x: normalise.scaled(x, 0, 10),
    "n_rank": normalise.rank,
    "n_borda": normalise.borda,
    "n_prank": normalise.percentile_rank,
    "n_dist2max": normalise.distance_to_max,
    "n_fracmax": normalise.fraction_of_max,
    "n_goalposts": lambda x: normalise.goalposts(x, 1, 20, 100),
}
RELATIVE = [name for name in SAME if name not in ("n_scaled", "n_rank", "n_borda", "n_goalposts", "n_fracmax")]


def column(fn: str, name: str) -> Array:
    return ORACLE.filter(fn=fn)[name].cast(pl.Float64).fill_null(np.nan).to_numpy()


@pytest.mark.parametrize("fn", SAME)
def test_every_row_of_coinr_is_met(fn: str) -> None:
    np.testing.assert_allclose(SAME[fn](column(fn, "x")), column(fn, "value"), rtol=1e-9, atol=1e-12)


def test_every_function_of_the_oracle_is_held_against_it() -> None:
    assert set(ORACLE["fn"]) == set(SAME)


@pytest.mark.parametrize("fn", SAME)
def test_missing_figures_stay_missing_and_move_no_other(fn: str) -> None:
    x = np.array([3.0, 1.0, 4.0, 1.0, 5.0, 9.0])
    with_gaps = np.array([3.0, np.nan, 1.0, 4.0, 1.0, np.nan, 5.0, 9.0])
    found = SAME[fn](with_gaps)
    assert np.isnan(found[[1, 5]]).all()
    np.testing.assert_allclose(np.delete(found, [1, 5]), SAME[fn](x), rtol=1e-12)


@pytest.mark.parametrize("fn", SAME)
@pytest.mark.parametrize("x", [[], [np.nan], [np.nan, np.nan]])
def test_nothing_to_scale_gives_nothing_without_a_warning(fn: str, x: list[float]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(SAME[fn](x)).all()


@pytest.mark.parametrize("fn", ["n_minmax", "n_zscore", "n_dist2max"])
@pytest.mark.parametrize("x", [[7.0], [0.1, 0.1, 0.1], [0.1 + 0.2, np.nan, 0.1 + 0.2]])
def test_figures_that_are_all_alike_have_no_score(fn: str, x: list[float]) -> None:
    assert np.isnan(SAME[fn](x)).all()


@pytest.mark.parametrize("fn", RELATIVE)
def test_another_unit_makes_no_difference(fn: str) -> None:
    x = np.random.default_rng(1).normal(size=51)
    np.testing.assert_allclose(SAME[fn](x), SAME[fn](1000 * x - 40), rtol=1e-9, atol=1e-12)


def test_targets_of_the_caller() -> None:
    np.testing.assert_allclose(normalise.min_max([2, 4, 6], 1, 10), [1, 5.5, 10])
    found = normalise.z_score([2.0, 4.0, 9.0], 5, 2)
    assert (found.mean(), found.std(ddof=1)) == pytest.approx((5, 2))


def test_distance_to_a_reference_can_pass_one() -> None:
    # COINr's formula by hand: 1 - (5 - x) / (5 - 1).
    np.testing.assert_allclose(normalise.distance_to_reference([1, 3, 5, 7], 5), [0, 0.5, 1, 1.5])


def test_turning_goalposts_mirrors_the_scale() -> None:
    x = np.array([-1.0, 0.0, 2.5, 10.0, 12.0, np.nan])
    up, down = (normalise.goalposts(x, 0, 10, 1, polarity) for polarity in (1, -1))
    np.testing.assert_allclose(up, [0, 0, 0.25, 1, 1, np.nan])
    np.testing.assert_allclose(up + down, [1, 1, 1, 1, 1, np.nan])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: normalise.min_max(np.ones((2, 2))), r"shape \(2, 2\)"),
        (lambda: normalise.goalposts([1.0], 2, 1), "found 2 and 1"),
        (lambda: normalise.goalposts([1.0], 1, 2, polarity=0), "found 0"),
    ],
)
def test_a_mistake_of_the_caller_is_named(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
