"""Margins hold what they promise: a small version of `benchmarks.survey simulation`, which has 4,000 repetitions.

The bars are those of 4,000 repetitions, wider by what chance does to fewer. The domains overlap and the eleven scores
of a person go together, so a pooled rate is taken to rest on 14 independent figures a repetition (three standard
errors), the lowest and highest of the domains on one (four).
"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from benchmarks.survey import (
    SCENARIOS,
    SCORES,
    SHARES,
    Counts,
    Population,
    Rate,
    estimates,
    finds,
    holds,
    rates,
    repeat,
)
from methods.survey.design import Survey
from methods.survey.domains import change, domain_means

PAIRS = {"full response": 80, "nonresponse": 25}
RATES = ["95% intervals of means", "95% intervals of shares", "changes found, means", "changes found, shares"]


@pytest.fixture(scope="module")
def population() -> Population:
    return Population.of(parts=False)


@pytest.fixture(scope="module", params=SCENARIOS)
def counts(request: pytest.FixtureRequest, population: Population) -> Counts:
    """Uncalibrated weights where everybody answers; calibrated where the margins explain who does."""
    return repeat(population, request.param, np.random.SeedSequence(2022).spawn(PAIRS[request.param]))


def chance(trials: int, standard_errors: float) -> float:
    """In percent points, for a rate of 5% (or 95%) in so many independent trials."""
    return float(100 * standard_errors * (0.05 * 0.95 / trials) ** 0.5)


@pytest.mark.parametrize("name", RATES)
def test_rates_are_those_promised(name: str, counts: Counts, population: Population) -> None:
    rate: Rate = next(rate for rate in rates(population, counts) if rate.name == name)
    trials = counts.waves if "intervals" in name else counts.pairs
    pooled, domain = chance(14 * trials, 3), chance(trials, 4)
    assert rate.pooled_bar[0] - pooled <= rate.pooled <= rate.pooled_bar[1] + pooled
    assert rate.domain_bar[0] - domain <= rate.domains[0]
    assert rate.domains[1] <= rate.domain_bar[1] + domain


def test_without_calibration_nonresponse_is_seen(population: Population) -> None:
    """The simulation can fail: who answers differs, and weights that do not know it miss the truth."""
    covered = []
    for seed in range(10):
        rows, frame = population.sample("nonresponse", np.random.default_rng(seed), 3_000)
        found = estimates(population, Survey.of(frame, weight="weight", stratum="municipality"), rows)
        covered.append(holds(found, population.truth)[: len(SCORES)].mean())
    assert np.mean(covered) < 0.90


def test_the_truth_is_that_of_everybody(population: Population) -> None:
    women_and_men = population.municipality == 3
    expected = population.values[women_and_men].astype(float).mean(axis=0)
    names = list(population.blocks(np.arange(len(population.sex)))["total"])
    np.testing.assert_allclose(population.truth[:, names.index("M03")], expected, rtol=1e-9)
    # Shares follow from the scores, and some are rare.
    satisfied = (population.values[:, 0] >= np.float32(0.6)).mean()
    assert population.truth[len(SCORES), names.index("TWENTE")] == pytest.approx(satisfied)
    assert population.truth[len(SCORES) :].min() < 0.15


def test_the_simulated_test_of_change_is_the_one_that_is_published(population: Population) -> None:
    rng = np.random.default_rng(1)
    waves = [population.wave("full response", rng) for _ in range(2)]
    one, other = (estimates(population, *wave) for wave in waves)
    tables = [domain_means(survey, [*SCORES, *SHARES], population.blocks(rows)).table for survey, rows in waves]
    p = [
        change(first, second).p_value
        for first, second in zip(*(table.iter_rows(named=True) for table in tables), strict=True)
    ]
    found = pl.Series(p, dtype=pl.Float64).to_numpy().reshape(population.truth.shape) < 0.05
    assert (found == finds(one, other)).all()
    assert 0 < found.sum() < 0.15 * found.size
