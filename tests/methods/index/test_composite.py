"""The engine of scores: worked out by hand, equal to the functions on one vector, and true for any framework."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from catalog.analysis_model import Mean
from methods.index import aggregate, normalise
from methods.index.aggregate import Array
from methods.index.composite import (
    FLOOR,
    MEANS,
    NORMALISATIONS,
    Composite,
    Normaliser,
    coverage,
    gradients,
    standard_errors,
    theme_scores,
)

MEAN_OF = {
    "arithmetic": aggregate.arithmetic_mean,
    "geometric": aggregate.geometric_mean,
    "harmonic": aggregate.harmonic_mean,
}


def framework(theme_of: list[int], /, **changes: Any) -> Composite:
    """Indicators i0, i1, ... of themes t0, t1, ..., on a scale of 0-1, equally weighted; half must have a figure."""
    k, t = len(theme_of), max(theme_of) + 1
    composite = Composite(
        indicators=tuple(f"i{number}" for number in range(k)),
        themes=tuple(f"t{number}" for number in range(t)),
        theme_of=np.array(theme_of),
        polarity=np.ones(k, dtype=int),
        weights=np.ones(k),
        theme_weights=np.ones(t),
        goalposts=np.tile([0.0, 1.0], (k, 1)),
        minimum_coverage=np.full(t + 1, 0.5),
    )
    return replace(composite, **{name: np.array(value) for name, value in changes.items()})


def figures(units: int, k: int, missing: float = 0.0, seed: int = 1) -> Array:
    generator = np.random.default_rng(seed)
    x = generator.lognormal(size=(units, k)) * 10.0 ** generator.integers(-3, 6, k)
    x[generator.uniform(size=x.shape) < missing] = np.nan
    return x


THREE = framework([0, 0, 1])
MIXED = framework([0, 1, 1, 2, 2, 2, 0], polarity=[1, -1, 1, 1, -1, -1, 1], weights=[1, 2, 1, 3, 1, 2, 1])


class TestNormaliser:
    def test_goalposts_leave_a_score_of_0_to_1_as_it_is(self) -> None:
        x = np.random.default_rng(1).uniform(FLOOR, 1, (50, 3))
        np.testing.assert_array_equal(Normaliser.fit(THREE, "goalposts", x)(x), x)

    def test_goalposts_by_hand(self) -> None:
        composite = framework([0, 0, 1], goalposts=[[10, 20], [0, 4], [-1, 1]], polarity=[1, -1, 1])
        scores = Normaliser.fit(composite, "goalposts", np.empty((0, 3)))(np.array([[15.0, 1, 5], [5, 4, np.nan]]))
        np.testing.assert_allclose(scores, [[0.5, 0.75, 1], [FLOOR, FLOOR, np.nan]])

    @pytest.mark.parametrize("polarity", [1, -1])
    def test_at_the_reference_figures_it_is_the_function_on_one_vector(self, polarity: int) -> None:
        x = figures(51, 3, missing=0.1)
        composite = framework([0, 0, 1], polarity=[polarity] * 3, goalposts=[[0.1, 2.0]] * 3)
        same = {
            "goalposts": lambda v: normalise.goalposts(v, 0.1, 2.0, 1.0, polarity),
            "min_max": lambda v: normalise.min_max(polarity * v, 0, 1),
            "z_score": lambda v: (normalise.z_score(polarity * v) + 3) / 6,
            "percentile": lambda v: normalise.percentile_rank(polarity * v),
        }
        assert set(same) == set(NORMALISATIONS)
        for method in NORMALISATIONS:
            expected = np.column_stack([same[method](column) for column in x.T]).clip(FLOOR, 1)
            np.testing.assert_allclose(Normaliser.fit(composite, method, x)(x), expected, rtol=1e-9, atol=1e-12)

    @pytest.mark.parametrize("method", NORMALISATIONS)
    def test_scores_lie_between_the_floor_and_1_and_keep_gaps(self, method: Any) -> None:
        reference, x = figures(342, 7, missing=0.1), figures(342, 7, missing=0.1, seed=2) * 3 - 1
        composite = replace(MIXED, goalposts=np.nanpercentile(reference, [5, 95], axis=0).T)
        scores = Normaliser.fit(composite, method, reference)(x)
        np.testing.assert_array_equal(np.isnan(scores), np.isnan(x))
        assert np.nanmin(scores) == FLOOR
        assert np.nanmax(scores) <= 1

    @pytest.mark.parametrize("method", NORMALISATIONS)
    def test_turning_the_polarity_mirrors_scores(self, method: Any) -> None:
        x = figures(51, 7, missing=0.1)
        composite = replace(MIXED, goalposts=np.column_stack([np.nanmin(x, axis=0), np.nanmax(x, axis=0)]))
        scores = Normaliser.fit(composite, method, x)(x)
        mirrored = Normaliser.fit(replace(composite, polarity=-composite.polarity), method, x)(x)
        # The floor and, for z-scores, the cut at 1 are the same at both ends.
        inside = np.isfinite(scores) & (scores > FLOOR) & (mirrored > FLOOR)
        assert inside.sum() > 250
        np.testing.assert_allclose(scores[inside] + mirrored[inside], 1, atol=1e-9)

    @pytest.mark.parametrize("method", NORMALISATIONS)
    def test_a_more_favourable_figure_never_scores_lower(self, method: Any) -> None:
        reference = figures(51, 3)
        composite = framework([0, 0, 1], goalposts=[[0.2, 3.0]] * 3, polarity=[1, -1, 1])
        scores = Normaliser.fit(composite, method, reference)(np.sort(figures(500, 3, seed=5), axis=0))
        assert (np.diff(scores, axis=0) * composite.polarity >= 0).all()

    @pytest.mark.parametrize("method", NORMALISATIONS)
    def test_without_a_scale_all_score_the_same_half(self, method: Any) -> None:
        composite = framework([0, 0, 1], goalposts=[[0.3, 0.3]] * 3, polarity=[1, -1, 1])
        scores = Normaliser.fit(composite, method, np.full((5, 3), 0.1 + 0.2))(np.array([[0.3, 0.4, np.nan]]))
        np.testing.assert_array_equal(scores, [[0.5, 0.5, np.nan]])

    @pytest.mark.parametrize("method", NORMALISATIONS)
    def test_without_reference_figures_there_is_no_score(self, method: Any) -> None:
        composite = framework([0, 0, 1], goalposts=[[0, 1], [np.nan, np.nan], [0, 1]])
        reference = np.array([[0.1, np.nan, 0.3], [0.5, np.nan, 0.7]])
        scores = Normaliser.fit(composite, method, reference)(np.array([[0.2, 0.2, 0.5]]))
        np.testing.assert_array_equal(np.isnan(scores), [[False, True, False]])

    def test_percentile_counts_ties_half_and_runs_straight_between_neighbours(self) -> None:
        reference = np.array([[1.0], [2], [2], [4], [8]])
        fitted = Normaliser.fit(framework([0]), "percentile", reference)
        found = fitted(np.array([[0.0], [1], [2], [3], [4], [8], [9]]))[:, 0]
        # 2: one of four others is lower, one is equal; 4: three are lower; 3 lies half-way between those.
        np.testing.assert_allclose(found, [FLOOR, FLOOR, 1.5 / 4, (1.5 / 4 + 3 / 4) / 2, 3 / 4, 1, 1])

    @pytest.mark.parametrize("method", NORMALISATIONS)
    def test_draws_are_what_they_are_one_by_one(self, method: Any) -> None:
        reference = figures(51, 7)
        fitted = Normaliser.fit(replace(MIXED, goalposts=np.tile([0.1, 5.0], (7, 1))), method, reference)
        draws = np.stack([figures(14, 7, missing=0.1, seed=seed) for seed in range(4)])
        np.testing.assert_array_equal(fitted(draws), np.stack([fitted(draw) for draw in draws]))

    def test_figures_given_are_not_changed(self) -> None:
        x = np.array([[0.2, 0.4, 7.0]])
        for method in NORMALISATIONS:
            Normaliser.fit(THREE, method, x)(x)
        np.testing.assert_array_equal(x, [[0.2, 0.4, 7.0]])

    @pytest.mark.parametrize("shape", [(3,), (5, 2)])
    def test_refuses_figures_of_another_framework(self, shape: tuple[int, ...]) -> None:
        with pytest.raises(ValueError, match=r"shape \(m, 3\), found"):
            Normaliser.fit(THREE, "min_max", np.ones(shape))

    def test_refuses_an_unknown_method(self) -> None:
        with pytest.raises(ValueError, match="one of goalposts, min_max, z_score, percentile, found log"):
            Normaliser.fit(THREE, "log", np.ones((5, 3)))  # type: ignore[arg-type]


class TestThemeScores:
    def test_by_hand(self) -> None:
        found = theme_scores(np.array([[0.2, 0.4, 0.9]]), THREE)
        # The first theme has two figures, 0.2 and 0.4; the overall score is the mean of 0.3 and 0.9.
        np.testing.assert_allclose(found, [[0.3, 0.9, 0.6]])

    @pytest.mark.parametrize("mean", MEANS)
    def test_is_a_mean_of_means(self, mean: Mean) -> None:
        scores = np.random.default_rng(1).uniform(FLOOR, 1, (51, 7))
        theme_weights = np.array([1.0, 2, 5])
        composite = replace(MIXED, theme_weights=theme_weights)
        function = MEAN_OF[mean]
        themes = np.column_stack(
            [function(scores[:, MIXED.theme_of == t], MIXED.weights[MIXED.theme_of == t]) for t in range(3)]
        )
        expected = np.column_stack([themes, function(themes, theme_weights)])
        np.testing.assert_allclose(theme_scores(scores, composite, mean), expected, rtol=1e-12)

    def test_arithmetic_is_never_below_geometric_nor_that_below_harmonic(self) -> None:
        scores = np.random.default_rng(1).uniform(FLOOR, 1, (342, 7))
        high, middle, low = (theme_scores(scores, MIXED, mean) for mean in ("arithmetic", "geometric", "harmonic"))
        assert (high >= middle - 1e-12).all()
        assert (middle >= low - 1e-12).all()
        assert (low >= FLOOR - 1e-12).all()
        assert (high <= 1 + 1e-12).all()

    @pytest.mark.parametrize("mean", MEANS)
    def test_what_is_missing_is_left_out_and_the_rest_counts_for_more(self, mean: Mean) -> None:
        found = theme_scores(np.array([[0.2, np.nan, 0.9]]), THREE, mean)
        np.testing.assert_allclose(found, [[0.2, 0.9, MEAN_OF[mean]([0.2, 0.9])]])

    def test_no_score_below_the_minimum_coverage(self) -> None:
        composite = framework([0, 0, 0, 1], minimum_coverage=[0.6, 1, 0.6])
        scores = np.array(
            [[0.1, 0.2, 0.3, 0.4], [0.1, 0.2, np.nan, 0.4], [0.1, np.nan, np.nan, 0.4], [0.1, 0.2, 0.3, np.nan]]
        )
        found = theme_scores(scores, composite)
        np.testing.assert_array_equal(
            np.isnan(found),
            [[False, False, False], [False, False, False], [True, False, True], [False, True, True]],
        )
        np.testing.assert_allclose(
            coverage(scores, composite), [[1, 1, 1], [2 / 3, 1, 1], [1 / 3, 1, 0.5], [1, 0, 0.5]]
        )

    def test_a_minimum_that_is_just_met_is_met(self) -> None:
        # 1 - 0.2 and 0.8 are not the same double; neither are sums of shares in another order.
        composite = framework([0] * 10, minimum_coverage=[0.7, 0.7], weights=[0.1] * 10)
        scores = np.full((1, 10), 0.5)
        scores[0, :3] = np.nan
        np.testing.assert_allclose(theme_scores(scores, composite), [[0.5, 0.5]])

    def test_coverage_follows_weights(self) -> None:
        composite = framework([0, 0, 1], weights=[3, 1, 8], theme_weights=[1, 4])
        found = coverage(np.array([[np.nan, 0.1, 0.1], [0.1, np.nan, np.nan]]), composite)
        np.testing.assert_allclose(found, [[0.25, 1, 0.8], [0.75, 0, 0.2]])

    def test_no_figures_at_all(self) -> None:
        assert np.isnan(theme_scores(np.full((2, 3), np.nan), THREE)).all()

    @pytest.mark.parametrize("mean", MEANS)
    def test_weights_may_differ_from_draw_to_draw(self, mean: Mean) -> None:
        generator = np.random.default_rng(1)
        scores = generator.uniform(FLOOR, 1, (6, 14, 7))
        scores[:, generator.uniform(size=(14, 7)) < 0.1] = np.nan
        weights, theme_weights = generator.uniform(0.5, 1.5, (6, 1, 7)), generator.uniform(0.5, 1.5, (6, 1, 3))
        found = theme_scores(scores, MIXED, mean, weights, theme_weights)
        for draw in range(6):
            alone = replace(MIXED, weights=weights[draw, 0], theme_weights=theme_weights[draw, 0])
            # Coverage is of the framework's own weights: give the one-draw framework the same verdicts.
            alone = replace(alone, minimum_coverage=np.full(4, 1e-6))
            expected = theme_scores(scores[draw], alone, mean)
            enough = coverage(scores[draw], MIXED) >= MIXED.minimum_coverage
            np.testing.assert_allclose(found[draw][:, :-1], np.where(enough, expected, np.nan)[:, :-1], rtol=1e-12)

    def test_a_weight_of_0_leaves_an_indicator_out_and_does_not_make_it_missing(self) -> None:
        scores = np.array([[0.2, 0.4, 0.9]])
        strict = replace(THREE, minimum_coverage=np.ones(3))
        np.testing.assert_allclose(theme_scores(scores, strict, weights=np.array([0, 1, 1])), [[0.4, 0.9, 0.65]])
        # A theme with nothing left drops out of the overall score.
        without = theme_scores(scores, strict, weights=np.array([1, 1, 0]))
        np.testing.assert_allclose(without, [[0.3, np.nan, 0.3]])


@pytest.mark.parametrize("method", NORMALISATIONS)
def test_a_large_framework_with_gaps_ties_and_a_constant_column(method: Any) -> None:
    """51 units and 49 indicators in 8 themes, as in COINr's own data set; a warning would fail it."""
    x = figures(51, 49, missing=0.1)
    x[:, 5] = 3.0
    x[:, 6] = np.round(x[:, 6] / np.nanmax(x[:, 6]) * 3)
    x[0], x[1, :48] = np.nan, np.nan
    polarity = np.where(np.arange(49) % 3 == 0, -1, 1)
    posts = np.column_stack([np.nanmin(x, axis=0), np.nanmax(x, axis=0)])
    composite = framework([k % 8 for k in range(49)], polarity=polarity, goalposts=posts)
    scores = Normaliser.fit(composite, method, x)(x)
    high, middle, low = (theme_scores(scores, composite, mean) for mean in ("arithmetic", "geometric", "harmonic"))
    assert np.isnan(high[:2]).all()
    assert np.isfinite(high[2:, -1]).all()
    with np.errstate(invalid="ignore"):
        assert not ((high > 1) | (middle > high + 1e-12) | (low > middle + 1e-12) | (low < FLOOR - 1e-12)).any()


class TestStandardErrors:
    @pytest.mark.parametrize("mean", MEANS)
    def test_gradients_are_differences_of_scores(self, mean: Mean) -> None:
        scores = np.random.default_rng(1).uniform(0.1, 0.9, (5, 7))
        scores[0, 1] = scores[1, 3] = np.nan
        step = 1e-6
        found = gradients(scores, MIXED, mean)
        assert found.shape == (5, 4, 7)
        for column in range(7):
            moved = step * (np.arange(7) == column)
            up, down = (theme_scores(scores + sign * moved, MIXED, mean) for sign in (1, -1))
            np.testing.assert_allclose(found[:, :, column], (up - down) / (2 * step), atol=1e-8)

    @pytest.mark.parametrize("mean", MEANS)
    def test_are_those_of_a_simulation(self, mean: Mean) -> None:
        """Independent blocks, within 3%; figures of one block move together, which is the most they can come to."""
        generator = np.random.default_rng(7)
        composite = framework(
            [0, 0, 1, 1, 2], goalposts=[[0, 10]] * 5, polarity=[1, -1, 1, 1, -1], weights=[1, 3, 2, 1, 1]
        )
        values = generator.uniform(3, 7, (4, 5))
        errors = generator.uniform(0.01, 0.1, (4, 5))
        blocks = np.array([0, 1, 1, 2, 3])
        fitted = Normaliser.fit(composite, "goalposts", values)
        found = standard_errors(values, errors, blocks, fitted, composite, mean)
        z = generator.normal(size=(40_000, 4, 4))[..., blocks] * composite.polarity
        drawn = theme_scores(fitted(values + z * errors), composite, mean)
        np.testing.assert_allclose(found, drawn.std(axis=0), rtol=0.03)
        independent = values + generator.normal(size=(40_000, 4, 5)) * errors
        assert (theme_scores(fitted(independent), composite, mean).std(axis=0) <= found * 1.02).all()

    def test_by_hand(self) -> None:
        values, errors = np.full((1, 3), 0.5), np.array([[0.03, 0.04, 0.1]])
        fitted = Normaliser.fit(THREE, "goalposts", values)
        one, each = np.zeros(3, dtype=int), np.arange(3)
        # Theme 0 is a mean of two: (0.03 + 0.04) / 2, or sqrt(0.03^2 + 0.04^2) / 2.
        np.testing.assert_allclose(
            standard_errors(values, errors, one, fitted, THREE), [[0.035, 0.1, (0.035 + 0.1) / 2]]
        )
        np.testing.assert_allclose(
            standard_errors(values, errors, each, fitted, THREE), [[0.025, 0.1, np.hypot(0.025, 0.1) / 2]]
        )

    def test_a_figure_without_a_margin_leaves_its_scores_without_one(self) -> None:
        values, errors = np.full((2, 3), 0.5), np.array([[0.03, np.nan, 0.1], [0.03, 0.04, np.nan]])
        fitted = Normaliser.fit(THREE, "goalposts", values)
        found = standard_errors(values, errors, np.arange(3), fitted, THREE)
        np.testing.assert_array_equal(np.isnan(found), [[True, False, True], [False, True, True]])

    def test_an_exact_figure_adds_nothing(self) -> None:
        values, errors = np.full((1, 3), 0.5), np.array([[0.03, np.nan, 0.1]])
        fitted = Normaliser.fit(THREE, "goalposts", values)
        exact = np.array([False, True, False])
        found = standard_errors(values, errors, np.arange(3), fitted, THREE, exact=exact)
        np.testing.assert_allclose(found, [[0.015, 0.1, np.hypot(0.015, 0.1) / 2]])

    def test_a_missing_figure_adds_nothing_and_a_missing_score_has_none(self) -> None:
        values, errors = np.array([[0.5, np.nan, 0.5], [0.5, 0.5, np.nan]]), np.full((2, 3), 0.1)
        fitted = Normaliser.fit(THREE, "goalposts", values)
        found = standard_errors(values, errors, np.zeros(3, dtype=int), fitted, THREE)
        np.testing.assert_allclose(found, [[0.1, 0.1, 0.1], [0.1, np.nan, 0.1]])

    def test_the_end_of_the_scale_is_not_certain(self) -> None:
        values, errors = np.array([[1.0, 0.0, 0.5]]), np.full((1, 3), 0.1)
        fitted = Normaliser.fit(THREE, "goalposts", values)
        found = standard_errors(values, errors, np.zeros(3, dtype=int), fitted, THREE)
        np.testing.assert_allclose(found, [[0.1, 0.1, 0.1]])

    @pytest.mark.parametrize("method", NORMALISATIONS)
    def test_follow_the_slope_of_the_scale(self, method: Any) -> None:
        """One indicator: the error of the score is what a small error does to it (simulated, within 5%)."""
        generator = np.random.default_rng(11)
        composite = framework([0], goalposts=[[0, 1]], polarity=[-1])
        reference = np.linspace(0, 1, 342)[:, None]
        fitted = Normaliser.fit(composite, method, reference)
        values, errors = np.array([[0.3], [0.7]]), np.full((2, 1), 0.02)
        found = standard_errors(values, errors, np.zeros(1, dtype=int), fitted, composite)
        drawn = theme_scores(fitted(values + errors * generator.normal(size=(20_000, 2, 1))), composite)
        np.testing.assert_allclose(found, drawn.std(axis=0), rtol=0.05)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weights": [1, 1]}, r"weights of 3 indicators in 2 themes has shape \(3,\), found \(2,\)"),
        ({"minimum_coverage": [0.5, 0.5]}, r"minimum_coverage .* shape \(3,\)"),
        ({"theme_of": [0, 0, 0]}, r"each of the themes 0 to 1, found \[0\]"),
        ({"polarity": [1, 0, 1]}, "polarity must be 1 or -1"),
        ({"weights": [1, 0, 1]}, "weights must be above 0"),
        ({"theme_weights": [1, np.nan]}, "weights must be above 0"),
        ({"goalposts": [[0, 1], [2, 1], [0, 1]]}, "must not lie above the second"),
    ],
)
def test_a_framework_that_does_not_fit_together_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        framework([0, 0, 1], **changes)
