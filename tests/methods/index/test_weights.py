"""Weights: from principal components, and what weights come to."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from methods.index.composite import Composite
from methods.index.weights import effective_weights, overall_weights, pca_weights


class TestPcaWeights:
    def test_are_the_first_loadings_of_scikit_learn(self) -> None:
        generator = np.random.default_rng(1)
        x = generator.normal(size=(51, 1)) + generator.normal(size=(51, 6)) * [1, 1, 1, 2, 2, 3]
        loadings = PCA(n_components=1).fit(StandardScaler().fit_transform(x)).components_[0]
        found = pca_weights(np.vstack([x, [np.nan, 1, 1, 1, 1, 1]]))
        np.testing.assert_allclose(found, loadings / loadings.sum(), rtol=1e-9)
        assert found.sum() == pytest.approx(1)

    def test_another_unit_makes_no_difference(self) -> None:
        x = np.random.default_rng(2).normal(size=(30, 4))
        np.testing.assert_allclose(pca_weights(x), pca_weights(x * [1, -10, 1000, 0.1] + 5), rtol=1e-9)

    def test_two_columns_weigh_the_same(self) -> None:
        np.testing.assert_allclose(pca_weights([[1, 2], [2, 1], [3, 5], [4, 4]]), [0.5, 0.5])

    @pytest.mark.parametrize("x", [[[1], [2], [3]], [[1, 2], [2, 3], [np.nan, 1]], [[1, 2], [1, 3], [1, 5]]])
    def test_too_little_to_go_on_is_refused(self, x: list[list[float]]) -> None:
        with pytest.raises(ValueError, match="principal component"):
            pca_weights(x)


class TestEffectiveWeights:
    def test_follow_the_definition_and_add_up_to_1(self) -> None:
        generator = np.random.default_rng(3)
        x, w = generator.normal(size=(342, 5)) * [1, 2, 3, 4, 5], generator.uniform(0.5, 2, 5)
        share = w / w.sum()
        cov = np.cov(x.T)
        found = effective_weights(x, w)
        np.testing.assert_allclose(found, share * (cov @ share) / (share @ cov @ share), rtol=1e-9)
        assert found.sum() == pytest.approx(1)

    def test_equal_weights_are_not_equal_where_one_column_varies_more(self) -> None:
        x = np.array([[0, 0], [0, 3], [1, 0], [1, 3]])
        # Uncorrelated, so variances decide: 1 to 9.
        np.testing.assert_allclose(effective_weights(x, [1, 1]), [0.1, 0.9])

    def test_units_with_a_gap_do_not_count(self) -> None:
        x = np.array([[0, 0], [0, 3], [np.nan, 8], [1, 0], [1, 3]])
        np.testing.assert_allclose(effective_weights(x, [1, 1]), [0.1, 0.9])

    @pytest.mark.parametrize("x", [[[1, 1], [1, 1]], [[1, 2], [np.nan, 2]], np.empty((0, 2))])
    def test_are_unknown_where_no_score_differs(self, x: list[list[float]]) -> None:
        assert np.isnan(effective_weights(x, [1, 1])).all()


def test_overall_weights_multiply_down_the_framework() -> None:
    # COINr's get_eff_weights: within its group, times the weight of the group.
    composite = Composite(
        indicators=("a", "b", "c"),
        themes=("x", "y"),
        theme_of=np.array([0, 1, 1]),
        polarity=np.array([1, 1, -1]),
        weights=np.array([5.0, 1.0, 3.0]),
        theme_weights=np.array([1.0, 4.0]),
        goalposts=np.tile([0.0, 1.0], (3, 1)),
        minimum_coverage=np.full(3, 0.5),
    )
    np.testing.assert_allclose(overall_weights(composite), [0.2, 0.2, 0.6])
