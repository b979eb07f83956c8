"""Ranges of ranks over draws: as a plain loop finds them, the same for a seed, and as wide as what is not known."""

from __future__ import annotations

import functools
import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import yaml

from catalog.analysis_model import SensitivitySettings
from methods.index import sensitivity as module
from methods.index.aggregate import Array
from methods.index.composite import MEANS, NORMALISATIONS, Composite, Normaliser, theme_scores
from methods.index.ranks import ahead_shares, ranks
from methods.index.sensitivity import FACTORS, NONE, Choices, Sensitivity, Uncertain, score_draws, sensitivity
from methods.index.sensitivity import sobol_indices as indices_of
from tests.conftest import CHECKOUT

PUBLISHED = SensitivitySettings.model_validate(
    yaml.safe_load((CHECKOUT / "catalog" / "analysis.yaml").read_text(encoding="utf-8"))["sensitivity"]
)
QUICK = PUBLISHED.model_copy(update={"draws": 512})
NAN = np.nan
Case = tuple[Composite, Uncertain, dict[str, Normaliser]]


def with_normalisers(composite: Composite, uncertain: Uncertain) -> Case:
    return (
        composite,
        uncertain,
        {name: Normaliser.fit(composite, name, uncertain.values) for name in NORMALISATIONS},
    )


@functools.cache
def experienced(data: int = 1, errors: float = 1.0) -> Case:
    """Like the survey: eleven scores that are themes of their own, in fourteen municipalities, by the same people."""
    rng, k = np.random.default_rng(data), 11
    composite = Composite(
        tuple(f"i{number}" for number in range(k)),
        tuple(f"t{number}" for number in range(k)),
        theme_of=np.arange(k),
        polarity=np.ones(k, dtype=int),
        weights=np.ones(k),
        theme_weights=np.ones(k),
        goalposts=np.tile([0.0, 1.0], (k, 1)),
        minimum_coverage=np.append(np.ones(k), 0.8),
    )
    common, own = 0.06 * rng.normal(size=k) + 0.02 * rng.normal(size=(14, 1)), 0.02 * rng.normal(size=(14, k))
    uncertain = Uncertain(
        0.65 + common + own,
        errors * rng.uniform(0.008, 0.02, (14, k)),
        blocks=np.zeros(k, dtype=int),
        own=np.ones(14, dtype=bool),
    )
    return with_normalisers(composite, uncertain)


@functools.cache
def official(data: int = 1) -> Case:
    """Like the official figures: eight in four themes for 342 municipalities, of registers and of three samples."""
    rng, k, n = np.random.default_rng(data), 8, 342
    polarity = np.tile([1, -1], 4)
    figures = 50 + (0.7 * rng.normal(size=(n, 1)) + rng.normal(size=(n, k))) * polarity * [3, 2, 4, 5, 3, 4, 4, 8]
    composite = Composite(
        tuple(f"i{number}" for number in range(k)),
        tuple("abcd"),
        theme_of=np.arange(k) // 2,
        polarity=polarity,
        weights=np.ones(k),
        theme_weights=np.ones(4),
        goalposts=np.column_stack([figures.min(axis=0), figures.max(axis=0)]),
        minimum_coverage=np.array([0.5, 0.5, 0.5, 0.5, 0.6]),
    )
    uncertain = Uncertain(
        figures,
        np.tile([0.0, 0, 1, 1, 0, 0, 1, 1], (n, 1)),
        blocks=np.array([0, 1, 2, 2, 3, 4, 5, 5]),
        own=np.arange(n) % 25 == 0,
    )
    return with_normalisers(composite, uncertain)


def patchy() -> Case:
    """Thirty municipalities, eight of them own; themes of three, two and one indicator, and holes in the figures."""
    rng, n = np.random.default_rng(3), 30
    figures = rng.normal(10, 2, (n, 6))
    figures[rng.random((n, 6)) < 0.12] = NAN
    figures[0], figures[1, 3] = NAN, NAN  # no figure at all, and one of the two in the second theme
    figures[1, 4] = 11.0
    composite = Composite(
        tuple("uvwxyz"),
        ("three", "two", "one"),
        theme_of=np.array([0, 0, 0, 1, 1, 2]),
        polarity=np.array([1, -1, 1, 1, -1, -1]),
        weights=np.array([1.0, 2, 1, 1, 1, 1]),
        theme_weights=np.array([2.0, 1, 1]),
        goalposts=np.tile([6.0, 14.0], (6, 1)),
        minimum_coverage=np.array([0.6, 0.5, 1, 0.7]),
    )
    errors = np.where(np.arange(6) < 3, 0.5, 0.0) * np.ones((n, 1))
    errors[5, 1] = NAN
    uncertain = Uncertain(figures, errors, blocks=np.array([7, 7, 3, 1, 1, 2]), own=np.arange(n) < 8)
    return with_normalisers(composite, uncertain)


def bits(found: Sensitivity) -> list[bytes]:
    ranges = (found.rank_low, found.rank_high, found.rank_median)
    return [part.tobytes() for by_among in ranges for part in by_among.values()] + [found.ahead.tobytes()]


def loop_mean(mean: str, scores: list[float], weights: list[float]) -> float:
    pairs = list(zip(scores, weights, strict=True))
    if mean == "arithmetic":
        return sum(score * weight for score, weight in pairs) / sum(weights)
    if mean == "geometric":
        return math.prod(score**weight for score, weight in pairs) ** (1 / sum(weights))
    return sum(weights) / sum(weight / score for score, weight in pairs)


def loop_scores(case: Case, row: Array, name: str, mean: str, weights: Array, themes: Array, left: int) -> list[float]:
    """One unit in one draw, in plain Python; the scale of its figures is that of the normaliser."""
    composite, _, normalisers = case
    scores = normalisers[name](row).tolist()
    found: list[float] = []
    in_overall: list[int] = []
    for theme, least in enumerate(composite.minimum_coverage[:-1]):
        members = [j for j in range(len(row)) if composite.theme_of[j] == theme]
        present = [j for j in members if not np.isnan(row[j])]
        if sum(composite.weights[present]) < least * sum(composite.weights[members]):
            found.append(NAN)
            continue
        counted = [j for j in present if j != left]
        in_overall += [theme] if counted else []
        counted = counted or present
        found.append(loop_mean(mean, [scores[j] for j in counted], [weights[j] for j in counted]))
    with_score = [theme for theme, score in enumerate(found) if not np.isnan(score)]
    enough = sum(composite.theme_weights[with_score]) >= composite.minimum_coverage[-1] * sum(composite.theme_weights)
    if not enough:
        return [*found, NAN]
    counted = in_overall or with_score
    return [*found, loop_mean(mean, [found[theme] for theme in counted], [themes[theme] for theme in counted])]


def test_ranges_are_those_of_a_plain_loop() -> None:
    """The same inputs for 256 draws: points and errors of the generator, everything else worked out one by one."""
    case = patchy()
    composite, uncertain, normalisers = case
    settings = PUBLISHED.model_copy(update={"draws": 256})
    n, k = uncertain.values.shape
    points = module.sobol_points(3 + k + 3, 256, module._stream(settings, 1))
    names = [*normalisers]
    kinds = [(int(4 * point[0]), int(3 * point[1])) for point in points]
    # All draws of a kind fit in one chunk here, in the order of the kinds.
    errors = np.empty((256, n, k))
    for number, kind in enumerate(sorted(set(kinds)), start=1):
        draws = [draw for draw in range(256) if kinds[draw] == kind]
        errors[draws] = module._errors(composite, uncertain, len(draws), module._stream(settings, 2, number))
    assert 0.2 < np.nanstd(errors[:, :, 0]) / 0.5 < 1.2

    scores = np.empty((256, n, 4))
    for draw, point in enumerate(points):
        name, mean, left = names[kinds[draw][0]], MEANS[kinds[draw][1]], int(7 * point[2]) - 1
        weights = [composite.weights[j] * (0.5 + point[3 + j]) for j in range(k)]
        themes = [composite.theme_weights[theme] * (0.5 + point[3 + k + theme]) for theme in range(3)]
        for unit in range(n):
            row = uncertain.values[unit] + errors[draw, unit]
            scores[draw, unit] = loop_scores(case, row, name, mean, np.array(weights), np.array(themes), left)

    found = sensitivity(*case, settings)
    for among, units in {"country": np.arange(n), "region": np.arange(8)}.items():
        for theme in range(4):
            for unit in range(8):
                drawn = scores[:, units, theme]
                if np.isnan(drawn[0, unit]):
                    assert np.isnan(drawn[:, unit]).all()
                    assert np.isnan(found.rank_low[among][unit, theme])
                    continue
                places = sorted(1 + sum(other > row[unit] for other in row if other == other) for row in drawn)
                # 5% of 256 is 12.8, so the 13th; 95% is 243.2, so the 244th; half is the 128th.
                assert found.rank_low[among][unit, theme] == places[12]
                assert found.rank_high[among][unit, theme] == places[243]
                assert found.rank_median[among][unit, theme] == places[127]
                assert unit != 0
    for theme in range(4):
        np.testing.assert_allclose(found.ahead[theme], ahead_shares(scores[:, :8, theme]), rtol=1e-12)


def test_the_seed_decides_every_bit_and_the_number_of_threads_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CELLS", 2**14)
    one, *same = (bits(sensitivity(*patchy(), QUICK, workers=workers)) for workers in (1, 1, 2, 5))
    assert all(other == one for other in same)
    assert bits(sensitivity(*patchy(), QUICK.model_copy(update={"seed": 1}))) != one


@pytest.mark.parametrize(
    ("case", "seeds"),
    [(experienced(1), 6), (experienced(2), 6), (experienced(3, errors=2), 6), (official(0), 3)],
    ids=["14 x 11", "14 x 11, other figures", "14 x 11, large errors", "342 x 8"],
)
def test_another_seed_hardly_moves_a_range(case: Case, seeds: int) -> None:
    """At the published number of draws: one place at most in the region, 2% of the units at most among all."""
    found = [
        sensitivity(*case, PUBLISHED.model_copy(update={"seed": PUBLISHED.seed + other})) for other in range(seeds)
    ]
    for among, units in (("region", 14), ("country", 342)):
        for ends in ("rank_low", "rank_high"):
            places = np.array([getattr(one, ends)[among] for one in found if among in getattr(one, ends)])
            if len(places):
                assert np.ptp(places, axis=0).max() <= max(1, 0.02 * units)


def test_the_default_is_one_of_the_draws() -> None:
    composite, uncertain, normalisers = patchy()
    # Goalposts is the first normaliser, the arithmetic mean the first mean, and nothing comes before the indicators.
    choices = Choices.of(composite, 4, np.zeros((1, 3)), np.ones((1, 9)))
    assert choices.left_out.tolist() == [NONE]
    scores = score_draws(composite, uncertain.values, normalisers, choices, np.array([0]), np.zeros((1, 1, 1)))
    default = theme_scores(normalisers["goalposts"](uncertain.values), composite)
    np.testing.assert_allclose(scores[0], default, rtol=1e-12)


def test_every_choice_is_as_likely_as_every_other() -> None:
    composite, _, _ = patchy()
    points = module.sobol_points(3, 4096, np.random.default_rng(1))
    choices = Choices.of(composite, 4, points, np.ones((4096, 9)))
    np.testing.assert_allclose(np.bincount(choices.normalisation), 1024, atol=8)
    np.testing.assert_allclose(np.bincount(choices.mean), 4096 / 3, atol=8)
    np.testing.assert_allclose(np.bincount(choices.left_out + 1), 4096 / 7, atol=8)
    assert ((choices.weights == 0).sum(axis=1) == (choices.left_out != NONE)).all()


def test_a_theme_left_with_nothing_keeps_its_own_score_and_drops_out_of_the_overall_one() -> None:
    composite, uncertain, normalisers = patchy()
    points = np.tile([0.0, 0.0, 0.0], (7, 1))
    points[:, 2] = (np.arange(7) + 0.5) / 7
    choices = Choices.of(composite, 4, points, np.ones((7, 9)))
    found = score_draws(composite, uncertain.values, normalisers, choices, np.arange(7), np.zeros((7, 1, 1)))
    nothing, without_last = found[0], found[6]
    np.testing.assert_array_equal(without_last[:, :3], nothing[:, :3])
    of_two = (2 * nothing[:, 0] + nothing[:, 1]) / 3
    full = ~np.isnan(nothing).any(axis=1)
    assert full.any()
    np.testing.assert_allclose(without_last[full, 3], of_two[full], rtol=1e-12)
    # Of the second theme the second unit has one figure only: without that indicator the same holds for it alone.
    np.testing.assert_array_equal(found[5, 1, 1], nothing[1, 1])
    assert (np.isnan(found) == np.isnan(nothing)).all()


def test_more_sampling_error_makes_wider_ranges() -> None:
    widths = []
    for errors in (0.0, 0.5, 1.0, 2.0):
        found = sensitivity(*experienced(1, errors), QUICK)
        widths.append(found.rank_high["region"] - found.rank_low["region"])
    for narrow, wide in pairwise(widths):
        assert wide.sum() > narrow.sum()
        assert (wide >= narrow - 1).all()


def test_errors_of_the_same_people_move_together_in_the_favourable_direction() -> None:
    composite, uncertain, _ = patchy()
    errors = module._errors(composite, uncertain, 4096, np.random.default_rng(1))
    # The first two indicators are of one block and opposite polarity, the third has a block of its own.
    np.testing.assert_allclose(errors[:, 1:5, 0], -errors[:, 1:5, 1], rtol=1e-12)
    assert abs(np.corrcoef(errors[:, 2, 0], errors[:, 2, 2])[0, 1]) < 0.05
    assert abs(np.corrcoef(errors[:, 2, 0], errors[:, 3, 0])[0, 1]) < 0.05
    np.testing.assert_allclose(errors[:, 2, 0].mean(), 0, atol=1e-3)
    np.testing.assert_allclose(errors[:, 2, 0].std(), 0.5, rtol=0.01)
    assert (errors[:, :, 3:] == 0).all()
    assert (errors[:, 5, 1] == 0).all()  # its margin is not known


def test_who_is_far_ahead_stays_first() -> None:
    composite, uncertain, _ = experienced()
    values = uncertain.values.copy()
    values[4] = 0.98
    found = sensitivity(*with_normalisers(composite, replace(uncertain, values=values)), QUICK)
    assert (found.rank_low["region"][4] == 1).all()
    assert (found.rank_high["region"][4] == 1).all()
    others = np.arange(14) != 4
    assert (found.ahead[:, 4, others] == 100).all()
    assert (found.ahead[:, others, 4] == 0).all()


def test_shares_of_a_pair_add_up_to_100_and_go_with_the_ranks() -> None:
    found = sensitivity(*official(), QUICK)
    np.testing.assert_allclose(found.ahead + found.ahead.swapaxes(1, 2), 100, rtol=1e-14)
    better = found.rank_high["region"].T[:, :, None] < found.rank_low["region"].T[:, None, :]
    assert better.any()
    assert (found.ahead[better] >= 89).all()


def test_who_has_no_score_has_no_range_and_is_not_one_of_those_ranked() -> None:
    case = patchy()
    composite, uncertain, normalisers = case
    found = sensitivity(*case, QUICK)
    scored = ~np.isnan(theme_scores(normalisers["goalposts"](uncertain.values), composite))
    assert not scored[0].any()
    for among, units in (("country", scored), ("region", scored[:8])):
        for ranges in (found.rank_low, found.rank_high, found.rank_median):
            np.testing.assert_array_equal(np.isnan(ranges[among]), ~scored[:8])
        assert (np.nanmax(found.rank_high[among], axis=0) <= units.sum(axis=0)).all()
    assert np.isnan(found.ahead[:, 0]).all()


def test_there_is_no_country_where_all_units_are_own() -> None:
    assert set(sensitivity(*experienced(), QUICK).rank_low) == {"region"}


def test_indices_say_which_choice_matters() -> None:
    composite, uncertain, normalisers = experienced()
    found = indices_of(composite, uncertain, normalisers, PUBLISHED)
    assert found.factors == FACTORS
    assert found.total_order.shape == (12, 5)
    assert found.total_order_ci.shape == (12, 5, 2)
    # A single score has no weights, no mean and nothing to leave out: errors (and, cut off, scales) move it alone.
    np.testing.assert_array_equal(found.total_order[:11, 1:4], 0)
    np.testing.assert_array_equal(found.first_order[:11, 1:4], 0)
    assert (found.total_order[:11, 4] > 0.9).all()
    assert (found.total_order[11, 4] > found.total_order[11, :4]).all()
    assert (found.total_order_ci[..., 0] <= found.total_order).all()
    assert (found.total_order <= found.total_order_ci[..., 1]).all()
    assert (found.mean_rank_shift > 0).all()


def test_a_choice_that_cannot_differ_explains_nothing() -> None:
    composite, uncertain, normalisers = experienced(1, errors=0.0)
    found = indices_of(composite, uncertain, {"goalposts": normalisers["goalposts"]}, PUBLISHED)
    # Without error and with one scale single scores never move; the overall one does by mean, weights and leaving out.
    assert np.isnan(found.total_order[:11]).all()
    assert (found.mean_rank_shift[:11] == 0).all()
    np.testing.assert_array_equal(found.total_order[11, [0, 4]], 0)
    np.testing.assert_array_equal(found.first_order_ci[11, [0, 4]], 0)
    assert (found.total_order[11, 1:4] > 0).all()


def test_the_mean_shift_is_that_of_the_draws() -> None:
    """Two ways to the same mean: the design of the indices, and draws of the ranges."""
    case = composite, uncertain, normalisers = experienced()
    found = indices_of(*case, PUBLISHED)
    settings = PUBLISHED.model_copy(update={"draws": 2048})
    points = module.sobol_points(3 + 22, 2048, np.random.default_rng(9))
    choices = Choices.of(composite, 4, points[:, :3], module._multipliers(points[:, 3:], settings))
    default = ranks(theme_scores(normalisers["goalposts"](uncertain.values), composite).T)
    shifts = []
    for draws in choices.alike(10_000):
        errors = module._errors(composite, uncertain, len(draws), np.random.default_rng([9, len(shifts)]))
        scores = score_draws(composite, uncertain.values, normalisers, choices, draws, errors)
        shifts.append(np.abs(ranks(np.moveaxis(scores, -1, 1)) - default).mean(axis=-1))
    np.testing.assert_allclose(found.mean_rank_shift, np.concatenate(shifts).mean(axis=0), atol=0.03)


def test_indices_are_the_same_for_a_seed_and_much_alike_for_another() -> None:
    one, same, other = (indices_of(*experienced(), PUBLISHED.model_copy(update={"seed": seed})) for seed in (5, 5, 6))
    assert one.total_order_ci.tobytes() == same.total_order_ci.tobytes()
    assert one.total_order.tobytes() != other.total_order.tobytes()
    np.testing.assert_allclose(one.total_order, other.total_order, atol=0.1)


def test_an_index_has_no_shift_where_no_own_unit_has_a_score() -> None:
    composite, uncertain, _ = patchy()
    values = uncertain.values.copy()
    values[:8, 5] = NAN
    found = indices_of(*with_normalisers(composite, replace(uncertain, values=values)), PUBLISHED)
    assert np.isnan(found.mean_rank_shift[2])
    assert np.isnan(found.first_order[2]).all()
    assert found.mean_rank_shift[0] > 0


def test_wrong_input_is_refused() -> None:
    composite, uncertain, normalisers = patchy()
    with pytest.raises(ValueError, match=r"blocks of 30 units and 6 indicators has shape \(6,\), found \(5,\)"):
        replace(uncertain, blocks=np.zeros(5, dtype=int))
    with pytest.raises(ValueError, match="none of the units is one of the region's own"):
        replace(uncertain, own=np.zeros(30, dtype=bool))
    with pytest.raises(ValueError, match="the default normalisation goalposts must be one of the normalisers"):
        sensitivity(composite, uncertain, {"z_score": normalisers["z_score"]}, QUICK)
    with pytest.raises(ValueError, match="expected figures of 6 indicators, found 11"):
        sensitivity(composite, experienced()[1], normalisers, QUICK)
