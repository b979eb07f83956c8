"""What standard errors tell about hidden cells: an attacker adds up variances as others add up numbers.

Samples are drawn by municipality and weighted to its numbers by sex and age, or by sex and education. So the variance
of a group is the sum of those of its municipalities, and that of a total the sum of those of its sexes or ages. Where
the whole is published, he knows of the hidden parts together their respondents, their satisfied inhabitants and their
variance. A part's own variance is p (1 - p) deff / n; he takes its design effect to be from 0.8 to 2.5.

He reads all published, rounded figures: shares, n, standard errors and effective n. (Intervals follow from these. The
error of a difference is published for two published cells: it tells of no other.) He is granted populations, that
variances add up exactly, and, where a test says so, how many respondents every hidden cell has. Each sum is attacked by
itself, with states of its hidden parts drawn at random: what fits all that is published about it, he cannot exclude.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import polars as pl
import pytest
from scipy.special import expit, logit

from methods.disclosure import primary, protected, rounded
from methods.disclosure.attack import Cuts, Unknowns
from methods.disclosure.tables import Tables
from methods.disclosure.variance import variance_cuts
from methods.survey import Survey, domain_means, post_stratified
from tests.methods.test_disclosure_attack import CATEGORIES, GROUPS, KEY, PLACE, SATISFIED_FROM, SETTINGS

DESIGN_EFFECTS = (0.8, 2.5)
PERCENT = 100.0
# Its figures, and those of them that are published.
Wave = tuple[pl.DataFrame, pl.DataFrame]
_DRAWS = 600
_TRIES = 12
_SLACK = 0.05  # respondents


def calibrated_by(seed: int) -> list[str]:
    """What a wave is weighted to in every municipality: of other categories not even the inhabitants are certain."""
    return ["sex", "age"] if seed % 2 else ["sex", "education"]


def people(seed: int) -> pl.DataFrame:
    """A random sample of 5 to 7 municipalities, 60 to 400 people in each, with uneven weights."""
    random = np.random.default_rng(seed)
    towns = [f"GM{number:04d}" for number in range(int(random.integers(5, 8)))]
    home = np.repeat(np.arange(len(towns)), random.integers(60, 400, len(towns)))
    size = home.size
    chance = random.uniform(0.2, 0.95) + random.normal(0, 0.1, len(towns))[home]
    satisfied = random.random(size) < np.clip(chance, 0.02, 0.98)
    return pl.DataFrame(
        {
            "home": np.array(towns)[home],
            "weight": random.lognormal(5, 0.4, size),
            "share": satisfied.astype(float),
            "mean": np.where(
                satisfied, random.uniform(SATISFIED_FROM, 1, size), random.uniform(0, SATISFIED_FROM, size)
            ),
            "sex": random.integers(0, 2, size),
            "age": random.choice(4, size, p=[0.15, 0.2, 0.3, 0.35]),
            "education": random.choice(4, size, p=[0.26, 0.38, 0.33, 0.03]),
        }
    )


def estimated(seed: int) -> pl.DataFrame:
    """The figures of a random wave, with standard errors of the calibrated sample."""
    frame = people(seed)
    survey = Survey.of(frame, weight="weight", stratum="home")
    cells = ["home", *calibrated_by(seed)]
    survey = post_stratified(survey, cells, frame.group_by(cells).agg(total=pl.col("weight").sum()).sort(cells))
    home = frame["home"].to_numpy()
    regions = {town: [town] for town in frame["home"].unique().sort()}
    regions |= {group: GROUPS[group] for group in ("CORE", "RURAL", "REGION")}
    everyone = {region: np.isin(home, members) for region, members in regions.items()}
    blocks = {"total": everyone}
    for name, codes in CATEGORIES.items():
        for code in range(codes):
            of_code = (frame[name] == code).to_numpy()
            blocks[f"{name}={code}"] = {region: mask & of_code for region, mask in everyone.items()}
    table = domain_means(survey, ["mean", "share"], blocks).table.filter(pl.col("n") > 0)
    unit = pl.when(pl.col("variable") == "share").then(PERCENT).otherwise(1.0)
    return table.select(
        variable=pl.lit(f"wave {seed}"),
        measurement_year=pl.lit(2025),
        region_code="domain",
        breakdown="block",
        statistic="variable",
        value=unit * pl.col("estimate"),
        standard_error=unit * pl.col("standard_error"),
        n="n",
        n_effective="n_effective",
        numerator=pl.col("numerator").max().over("domain", "block").cast(pl.Float64),
        population="sum_of_weights",
        status=pl.lit("definitive"),
        warnings=pl.lit([], dtype=pl.List(pl.String)),
    )


@dataclass(frozen=True)
class Secret:
    """What a sum whose whole is published tells of its J hidden parts: all they have together.

    `inhabitants` (J,) of each. Of all together `respondents`; lowest and highest `satisfied` inhabitants and `variance`
    of these.
    """

    places: list[tuple[str, str]]
    inhabitants: np.ndarray
    respondents: float
    satisfied: tuple[float, float]
    variance: tuple[float, float]


def secrets(
    figures: pl.DataFrame, visible: pl.DataFrame, calibrated: Sequence[str], rounding: float = 1.0
) -> Iterator[Secret]:
    """Every published whole with hidden parts, of one wave, as `visible` shows it."""
    shown = {
        (row["region_code"], row["breakdown"]): row
        for row in visible.filter((pl.col("statistic") == "share") & pl.col("value").is_not_null()).to_dicts()
    }
    populations = figures.filter(pl.col("statistic") == "share").select(*PLACE, "population")
    inhabitants = {(region, by): number for region, by, number in populations.iter_rows()}
    for whole, parts in sums(list(inhabitants), calibrated):
        hidden = [part for part in parts if part not in shown]
        if whole not in shown or not hidden:
            continue
        satisfied, variance, respondents = np.zeros(2), np.zeros(2), 0.0
        for place in [whole, *(part for part in parts if part in shown)]:
            sign = 1 if place == whole else -1
            of_share, of_variance = published_ranges(shown[place], rounding)
            satisfied += sign * inhabitants[place] * of_share[::sign]
            variance += sign * inhabitants[place] ** 2 * of_variance[::sign]
            respondents += sign * shown[place]["n"]
        yield Secret(
            hidden,
            np.array([inhabitants[place] for place in hidden]),
            respondents,
            (satisfied[0], satisfied[1]),
            (variance[0], variance[1]),
        )


def sums(
    places: Sequence[tuple[str, str]], calibrated: Sequence[str]
) -> Iterator[tuple[tuple[str, str], list[tuple[str, str]]]]:
    """The sums in which variances add up: groups of municipalities, and regions by sex and by age."""
    present = set(places)
    for region, by in places:
        if region in GROUPS and by.split("=")[0] in ("total", *calibrated):
            yield (region, by), [(part, by) for part in GROUPS[region] if (part, by) in present]
        if by == "total":
            for name in calibrated:
                if name != "education":  # which some do not tell
                    parts = [(region, f"{name}={code}") for code in range(CATEGORIES[name])]
                    yield (region, by), [part for part in parts if part in present]


def published_ranges(row: dict, rounding: float) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest share and variance (0-1) behind a published share, standard error and effective n.

    `rounding`: 1 for figures as they are published, 0 for unrounded ones.
    """
    half = np.array([-0.5, 0.5]) * rounding
    share = np.clip((row["value"] + 0.1 * half) / PERCENT, 0, 1)
    by_error = ((row["standard_error"] + 0.01 * half) / PERCENT) ** 2
    spread = share * (1 - share)
    by_number = np.array([spread.min(), max(spread.max(), 0.25 * (share[0] < 0.5 < share[1]))]) / (
        row["n_effective"] - half
    )
    return share, np.array([max(by_error[0], by_number[0]), min(by_error[1], by_number[1])])


def possible(
    secret: Secret,
    target: int,
    respondents: np.ndarray | None = None,
    effects: np.ndarray | tuple[float, float] = DESIGN_EFFECTS,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of satisfied respondents and of others of the target that fit all that is published (two arrays alike).

    `respondents` (J,) if he knows them; `effects`: lowest and highest design effect, or that of every part (J,).
    """
    random = np.random.default_rng(seed)
    count = secret.inhabitants.size
    if respondents is None:
        parts = secret.inhabitants * random.lognormal(
            0, random.choice([0.1, 0.5, 1.0, 2.0], (_DRAWS, 1)), (_DRAWS, count)
        )
        respondents = np.broadcast_to(secret.respondents * parts / parts.sum(axis=1, keepdims=True), (_DRAWS, count))
    else:
        respondents = np.broadcast_to(respondents, (_DRAWS, count))
    together = random.uniform(*secret.satisfied, _DRAWS)
    own = secret.inhabitants[target]
    others = np.delete(secret.inhabitants, target)
    least = np.clip((together - others.sum()) / own, 0, 1)
    most = np.clip(together / own, 0, 1)
    # Ends are what matters: a quarter of the draws at each.
    where = np.clip(random.uniform(-0.5, 1.5, _DRAWS), 0, 1)
    share = np.empty((_DRAWS, count))
    share[:, target] = least + where * (most - least)
    rest = together - own * share[:, target]
    share[:, np.arange(count) != target] = split(rest, others, random)
    spread = secret.inhabitants**2 * share * (1 - share) / respondents
    low, high = (spread @ np.broadcast_to(effect, count) for effect in bounds(effects, count))
    fits = (low <= secret.variance[1]) & (high >= secret.variance[0])
    fits &= np.abs(share @ secret.inhabitants - together) < 1e-6 * secret.inhabitants.sum()
    satisfied = (respondents * share)[fits, target]
    return satisfied, respondents[fits, target] - satisfied


def bounds(effects: np.ndarray | tuple[float, float], count: int) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest design effect of every part."""
    if isinstance(effects, tuple):
        return np.full(count, effects[0]), np.full(count, effects[1])
    return effects, effects


def split(total: np.ndarray, inhabitants: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Random shares (D, J) of people of whom `total` (D,) are satisfied: logits, shifted until they are."""
    if not inhabitants.size:
        return np.empty((total.size, 0))
    start = random.normal(0, random.choice([0.3, 1.0, 3.0], (total.size, 1)), (total.size, inhabitants.size))
    average = np.clip(total / inhabitants.sum(), 1e-9, 1 - 1e-9)
    low, high = logit(average) - 40, logit(average) + 40
    for _ in range(60):
        middle = (low + high) / 2
        too_many = expit(start + middle[:, None]) @ inhabitants > total
        low, high = np.where(too_many, low, middle), np.where(too_many, middle, high)
    return expit(start + low[:, None])


def found_out(
    figures: pl.DataFrame, visible: pl.DataFrame, calibrated: Sequence[str], *, knows_respondents: bool
) -> tuple[list[str], int]:
    """The hidden cells of a wave of which a sum tells more than is promised; and how many attacks there were.

    To who knows n, of a cell with fewer than ten every number is to be possible; to others it may have ten or more.
    """
    truth = {(row["region_code"], row["breakdown"]): row for row in primary(figures, SETTINGS).to_dicts()}
    found, attacks = [], 0
    for secret in secrets(figures, visible, calibrated):
        n = np.array([truth[place]["n"] for place in secret.places])
        for target, place in enumerate(secret.places):
            few = min(SETTINGS.smallest_count, n[target]) if knows_respondents else SETTINGS.smallest_count
            attacks += 1
            lowest, highest = np.inf, -np.inf
            for seed in range(_TRIES):
                satisfied, others = possible(secret, target, n if knows_respondents else None, seed=seed)
                few_ones = others if truth[place]["others_are_few"] else satisfied
                lowest, highest = min(lowest, few_ones.min(initial=np.inf)), max(highest, few_ones.max(initial=-np.inf))
                safe = highest - lowest >= few - _SLACK
                if truth[place]["primary"]:
                    safe &= lowest <= _SLACK and highest >= few - _SLACK
                if safe:
                    break
            else:
                found.append(" ".join(place))
    return found, attacks


def published_wave(seed: int) -> Wave:
    """A random wave, and what is published of it."""
    figures = estimated(seed)
    return figures, rounded(protected(figures, GROUPS, SETTINGS).frame)


@pytest.fixture(scope="module")
def of_seed() -> Callable[[int], Wave]:
    """The same, made once for all tests."""
    return cache(published_wave)


def all_found_out(of_seed: Callable[[int], Wave], seeds: range, *, knows_respondents: bool) -> tuple[list[str], int]:
    """What the attacker finds out about the protected, published figures of random waves."""
    found, attacks = [], 0
    for seed in seeds:
        places, count = found_out(*of_seed(seed), calibrated_by(seed), knows_respondents=knows_respondents)
        found += [f"wave {seed}: {place}" for place in places]
        attacks += count
    return found, attacks


@pytest.mark.parametrize("seeds", [range(6), pytest.param(range(6, 200), marks=pytest.mark.slow)])
def test_standard_errors_tell_no_more_of_a_hidden_numerator_than_is_promised(
    of_seed: Callable[[int], Wave], seeds: range
):
    found, attacks = all_found_out(of_seed, seeds, knows_respondents=False)
    assert attacks > 20 * len(seeds), "the attack must have something to find"
    assert found == []


@pytest.mark.parametrize("seeds", [range(6), pytest.param(range(6, 200), marks=pytest.mark.slow)])
def test_nor_to_someone_who_knows_how_many_respondents_every_hidden_cell_has(
    of_seed: Callable[[int], Wave], seeds: range
):
    assert all_found_out(of_seed, seeds, knows_respondents=True)[0] == []


def test_the_attacker_succeeds_where_protection_takes_no_account_of_variances(monkeypatch: pytest.MonkeyPatch):
    def blind(tables: Tables, unknowns: Unknowns, hidden: np.ndarray, cells: np.ndarray) -> Cuts:
        return variance_cuts(tables, unknowns, hidden, cells[:0])

    monkeypatch.setattr("methods.disclosure.suppress.variance_cuts", blind)
    assert all_found_out(published_wave, range(4), knows_respondents=True)[0] != []


def test_the_attacker_succeeds_where_one_cell_of_a_sum_is_hidden_and_figures_are_not_rounded():
    figures = estimated(1)
    cells = primary(figures, SETTINGS)
    numerator = {(row["region_code"], row["breakdown"]): row["n"] * row["share"] / PERCENT for row in cells.to_dicts()}
    naive = figures.join(cells.filter("primary"), KEY, how="anti")
    alone = [found for found in secrets(figures, naive, calibrated_by(1), rounding=0.0) if len(found.places) == 1]
    assert alone
    for secret in alone:
        satisfied, _ = possible(secret, 0)
        assert satisfied == pytest.approx(numerator[secret.places[0]], abs=0.01)


def test_who_knows_numbers_of_respondents_and_design_effects_would_find_out_much_of_two_hidden_cells():
    # The stated limit: 36 respondents with 12 satisfied beside 22 with 11, of 100 inhabitants each, by hand.
    n, share, effects = np.array([36.0, 22.0]), np.array([12 / 36, 11 / 22]), np.array([1.1, 1.2])
    inhabitants = 100 * n
    together = float(share @ inhabitants)
    variance = float((inhabitants**2 * share * (1 - share) / n) @ effects)
    slack = 0.002 * variance
    secret = Secret(
        [("A", "total"), ("B", "total")],
        inhabitants,
        n.sum(),
        (together, together),
        (variance - slack, variance + slack),
    )
    satisfied, _ = possible(secret, 0, n, effects)
    unsure, _ = possible(secret, 0, n)
    assert np.unique(np.round(satisfied)).size < SETTINGS.interval_width <= np.ptp(unsure)


def test_a_third_cell_is_hidden_where_two_could_only_be_what_they_are_by_their_variance():
    # By hand: A has 10 of 28 satisfied, B 12 of 24. If A had none, B would have 22: then the variance of both, in
    # squared respondents 28 x 0.357 x 0.643 + 24 x 0.5 x 0.5 = 12.4, would be 2.5 x 24 x 0.917 x 0.083 = 4.6 at most.
    counts = {"A": (28, 10), "B": (24, 12), "C": (200, 90), "D": (150, 80), "ALL": (402, 192)}
    figures = pl.DataFrame(
        [
            (
                "trust",
                2025,
                region,
                "total",
                "share",
                PERCENT * satisfied / n,
                n,
                float(n),
                satisfied,
                n,
                "definitive",
                [],
            )
            for region, (n, satisfied) in counts.items()
        ],
        schema=[*KEY, "statistic", "value", "n", "n_effective", "numerator", "population", "status", "warnings"],
        schema_overrides={"warnings": pl.List(pl.String)},
        orient="row",
    )
    result = protected(figures, {"ALL": list("ABCD")}, SETTINGS)
    hidden = result.frame.filter(status="suppressed")["region_code"].to_list()
    assert (result.summary.primary, result.summary.complementary) == (2, 1)
    assert hidden == ["A", "B", "D"], "the smaller of those that can be hidden"
