"""Means: every row of R's COINr, and what holds for all of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from methods.index.aggregate import Array, arithmetic_mean, generalised_mean, geometric_mean, harmonic_mean

# COINr 1.1.14 in R 4.2.2, to be met within 1e-9.
ORACLE = pl.read_csv(Path(__file__).parents[1] / "oracles" / "coinr_aggregate.csv")
MEANS = {"a_amean": arithmetic_mean, "a_gmean": geometric_mean, "a_hmean": harmonic_mean}
SAME: dict[str, Callable[[Array, Array], Array]] = {
    **MEANS,
    "a_genmean_p0.5_noNA": lambda x, w: generalised_mean(x, w, power=0.5),
}


def numbers(text: str) -> Array:
    return np.array([np.nan if number == "NA" else float(number) for number in text.split(";")])


@pytest.mark.parametrize("row", ORACLE.rows(named=True), ids=lambda row: row["fn"])
def test_every_row_of_coinr_is_met(row: dict[str, str]) -> None:
    found = SAME[row["fn"]](numbers(row["z"]), numbers(row["w"]))
    assert found == pytest.approx(float(row["value"]), rel=1e-9)


def test_every_function_of_the_oracle_is_held_against_it() -> None:
    assert set(ORACLE["fn"]) == set(SAME)


def test_the_less_one_figure_makes_up_for_another_the_lower_the_mean() -> None:
    generator = np.random.default_rng(1)
    x = np.where(generator.uniform(size=(500, 7)) < 0.2, np.nan, generator.uniform(0.01, 1, (500, 7)))
    w = generator.uniform(0, 1, 7)
    powers = (3, 1, 0.5, 0, -1, -2)
    means = np.array([generalised_mean(x, w, power) for power in powers])
    assert (np.diff(means, axis=0) <= 1e-12).all()
    assert (means >= np.nanmin(x, axis=1) - 1e-12).all()
    assert (means <= np.nanmax(x, axis=1) + 1e-12).all()
    for mean, power in ((arithmetic_mean, 1), (geometric_mean, 0), (harmonic_mean, -1)):
        np.testing.assert_array_equal(mean(x, w), generalised_mean(x, w, power))


@pytest.mark.parametrize("mean", MEANS.values())
class TestEveryMean:
    def test_of_figures_that_are_all_alike_is_that_figure(self, mean: Callable[..., Array]) -> None:
        assert mean([0.4, 0.4, np.nan, 0.4], [1, 5, 2, 3]) == pytest.approx(0.4)

    def test_only_proportions_of_weights_count(self, mean: Callable[..., Array]) -> None:
        x = [0.2, 0.9, 0.5]
        assert mean(x, [1, 2, 3]) == pytest.approx(mean(x, [10, 20, 30]))
        assert mean(x) == pytest.approx(mean(x, [7, 7, 7]))

    def test_a_missing_figure_is_one_without_weight(self, mean: Callable[..., Array]) -> None:
        assert mean([0.2, np.nan, 0.5], [1, 2, 3]) == pytest.approx(mean([0.2, 0.9, 0.5], [1, 0, 3]))

    def test_nothing_to_count_gives_nothing(self, mean: Callable[..., Array]) -> None:
        assert np.isnan(mean([np.nan, np.nan]))
        assert np.isnan(mean([0.2, 0.3], [0, 0]))
        assert np.isnan(mean([0.2, np.nan], [0, 1]))

    def test_goes_over_the_last_axis_with_weights_of_each_row(self, mean: Callable[..., Array]) -> None:
        x, w = np.random.default_rng(2).uniform(0.1, 1, (2, 3, 4, 5))
        found = mean(x, w)
        assert found.shape == (3, 4)
        assert found[2, 1] == pytest.approx(mean(x[2, 1], w[2, 1]))

    @pytest.mark.parametrize("weights", [[-1, 2], [np.nan, 2]])
    def test_refuses_a_weight_below_0(self, mean: Callable[..., Array], weights: list[float]) -> None:
        with pytest.raises(ValueError, match="weights must be 0 or above"):
            mean([1, 2], weights)


@pytest.mark.parametrize("mean", [geometric_mean, harmonic_mean])
@pytest.mark.parametrize("x", [[0, 1], [1, -2]])
def test_figures_of_0_or_below_have_no_geometric_or_harmonic_mean(mean: Callable[..., Array], x: list[float]) -> None:
    with pytest.raises(ValueError, match="figures above 0"):
        mean(x)
    assert arithmetic_mean(x) == pytest.approx(sum(x) / 2)
