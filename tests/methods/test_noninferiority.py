"""The test of a directional result, held against worked numbers and against a simulation of its power."""

from __future__ import annotations

import numpy as np
import pytest

from methods.noninferiority import non_inferiority

Z = 1.6448536269514722  # 95% of the standard normal distribution lies below it (any table)
SE = 2.0


@pytest.mark.parametrize(
    ("change", "margin", "polarity", "outcome"),
    [
        (0.0, 6.0, 1, "reached"),  # -3.29 > -6
        (-2.0, 6.0, 1, "reached"),  # -5.29 > -6
        (-3.0, 6.0, 1, "uncertain"),  # -6.29 < -6 < 0.29
        (-9.0, 6.0, 1, "uncertain"),  # upper limit -5.71
        (-10.0, 6.0, 1, "behind"),  # upper limit -6.71 < -6
        (3.0, 0.0, 1, "uncertain"),  # lower limit -0.29
        (4.0, 0.0, 1, "reached"),  # lower limit 0.71
        (-4.0, 0.0, 1, "behind"),
        (2.0, 6.0, -1, "reached"),  # less is better: as -2 above
        (10.0, 6.0, -1, "behind"),
        (-10.0, 6.0, -1, "reached"),
    ],
)
def test_the_limits_decide(change: float, margin: float, polarity: int, outcome: str) -> None:
    found = non_inferiority(change, SE, margin, polarity)
    assert found.outcome == outcome
    assert found.limit_low == pytest.approx(change - Z * SE)
    assert found.limit_high == pytest.approx(change + Z * SE)


@pytest.mark.parametrize(("limit", "outcome"), [(-6 - 1e-9, "uncertain"), (-6 + 1e-9, "reached")])
def test_reached_only_where_the_lower_limit_exceeds_minus_the_margin(limit: float, outcome: str) -> None:
    assert non_inferiority(limit + Z * SE, SE, 6.0).outcome == outcome


@pytest.mark.parametrize(("limit", "outcome"), [(-6 - 1e-9, "behind"), (-6 + 1e-9, "uncertain")])
def test_behind_only_where_the_upper_limit_is_below_minus_the_margin(limit: float, outcome: str) -> None:
    assert non_inferiority(limit - Z * SE, SE, 6.0).outcome == outcome


def test_with_a_thousand_answers_a_wave_the_margin_must_be_about_six_points() -> None:
    """Of a half in both waves: standard error √(2 x 50 x 50 / 1000) = 2.236 points."""
    found = non_inferiority(0.0, (2 * 50 * 50 / 1000) ** 0.5, 6.0)
    assert found.margin_found == pytest.approx(5.56, abs=0.01)  # (1.6449 + 0.8416) x 2.236
    assert found.power == pytest.approx(85.0, abs=0.5)


def test_power_is_what_a_simulation_finds() -> None:
    generator = np.random.default_rng(8)
    changes = generator.normal(0.0, SE, 20_000)
    found = np.mean([non_inferiority(float(change), SE, 5.0).outcome == "reached" for change in changes])
    assert non_inferiority(0.0, SE, 5.0).power / 100 == pytest.approx(float(found), abs=0.01)


def test_a_decline_as_large_as_the_margin_is_called_stable_in_five_of_a_hundred_cases() -> None:
    generator = np.random.default_rng(9)
    changes = generator.normal(-5.0, SE, 20_000)
    found = np.mean([non_inferiority(float(change), SE, 5.0).outcome == "reached" for change in changes])
    assert float(found) == pytest.approx(0.05, abs=0.01)


@pytest.mark.parametrize(
    ("error", "margin", "polarity"), [(0.0, 1.0, 1), (-1.0, 1.0, 1), (1.0, -1.0, 1), (1.0, 1.0, 0)]
)
def test_what_cannot_be_tested_is_our_own_mistake(error: float, margin: float, polarity: int) -> None:
    with pytest.raises(ValueError, match="standard error"):
        non_inferiority(0.0, error, margin, polarity)
