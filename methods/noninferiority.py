"""Whether something stayed the same or became better: a test of non-inferiority, fixed before it is carried out.

Source: Wellek (2010), Testing Statistical Hypotheses of Equivalence and Noninferiority, 2nd edition, section 1.2 (the
one-sided interval against a fixed margin); CONSORT extension for non-inferiority (Piaggio et al. 2012, JAMA 308:2594).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

LEVEL: Final = 0.95  # of the one-sided interval
POWER: Final = 0.80  # at which the smallest margin that can be found is told

Outcome = Literal["reached", "behind", "uncertain"]


@dataclass(frozen=True)
class NonInferiority:
    """The outcome of a test.

    `limit_low` and `limit_high` are the limits of the one-sided 95% interval of the change, each by itself (together a
    two-sided 90% interval). `power`, in percent, is the chance of `reached` if nothing changes; `margin_found` the
    smallest margin that is found in 80 of 100 cases with this standard error.
    """

    change: float
    standard_error: float
    limit_low: float
    limit_high: float
    outcome: Outcome
    power: float
    margin_found: float


def non_inferiority(change: float, standard_error: float, margin: float, polarity: int = 1) -> NonInferiority:
    """Hold a change of two independent samples against a margin (Δ >= 0, in the unit of the change).

    `reached` if the lower limit of the one-sided 95% interval exceeds −Δ, `behind` if the upper limit is below −Δ, else
    `uncertain`. With polarity −1 less is better, and the limits change places. Raises ValueError for a standard error
    that is not positive or a negative margin.
    """
    from statistics import NormalDist

    if not standard_error > 0 or margin < 0 or polarity not in (1, -1):
        raise ValueError(f"standard error {standard_error}, margin {margin}, polarity {polarity}")
    z, z_power = NormalDist().inv_cdf(LEVEL), NormalDist().inv_cdf(POWER)
    low, high = change - z * standard_error, change + z * standard_error
    worst, best = (low, high) if polarity == 1 else (-high, -low)
    outcome: Outcome = "reached" if worst > -margin else "behind" if best < -margin else "uncertain"
    power = 100 * NormalDist().cdf(margin / standard_error - z)
    return NonInferiority(change, standard_error, low, high, outcome, power, (z + z_power) * standard_error)
