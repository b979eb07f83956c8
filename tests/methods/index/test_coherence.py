"""Coherence: the definitions in numpy and statsmodels, on data of 51 units and 49 indicators with gaps."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.multivariate import pca

from methods.index.aggregate import Array
from methods.index.coherence import correlations, cronbach_alpha, principal_components


def related(units: int = 51, k: int = 49, missing: float = 0.1, seed: int = 1) -> Array:
    """Columns with a part in common, in very different units, with gaps."""
    generator = np.random.default_rng(seed)
    common = generator.normal(size=(units, 1))
    x = (common + generator.normal(size=(units, k))) * 10.0 ** generator.integers(-4, 7, k) + 1000
    x[generator.uniform(size=x.shape) < missing] = np.nan
    return x


def pairs(x: Array, i: int, j: int) -> Array:
    return x[~np.isnan(x[:, [i, j]]).any(axis=1)][:, [i, j]]


class TestCorrelations:
    def test_are_those_of_numpy_over_the_units_with_both_figures(self) -> None:
        x = related()
        found = correlations(x)
        expected = [[np.corrcoef(pairs(x, i, j).T)[0, 1] for j in range(x.shape[1])] for i in range(x.shape[1])]
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
        np.testing.assert_array_equal(found, found.T)

    def test_columns_that_do_not_differ_have_none(self) -> None:
        x = np.array([[0.1, 1, np.nan], [0.1, 2, 5], [0.1, 3, 5], [0.1, 5, np.nan], [0.1, 9, np.nan]])
        found = correlations(x)
        assert np.isnan(found[0]).all()
        assert np.isnan(found[1, 2])
        assert found[1, 1] == pytest.approx(1)

    def test_constant_where_the_other_column_has_figures(self) -> None:
        x = np.array([[0.3, 1], [0.3, 2], [0.3, 4], [7, np.nan], [8, np.nan]])
        assert np.isnan(correlations(x)[0, 1])

    def test_fewer_than_two_units_in_common(self) -> None:
        found = correlations([[1, np.nan], [2, np.nan], [3, 4], [np.nan, 5]])
        assert np.isnan(found[0, 1])
        assert np.isfinite(np.diag(found)).all()


class TestCronbachAlpha:
    def test_is_the_textbook_one_without_gaps(self) -> None:
        # k / (k - 1) (1 - sum of variances / variance of the sum), within 1e-10.
        x = related(missing=0)[:, :6]
        expected = 6 / 5 * (1 - x.var(axis=0, ddof=1).sum() / x.sum(axis=1).var(ddof=1))
        assert cronbach_alpha(x) == pytest.approx(expected, rel=1e-10)
        assert cronbach_alpha(x, "listwise") == pytest.approx(expected, rel=1e-10)

    def test_pairwise_follows_coinr(self) -> None:
        # get_cronbach of COINr with R's cov(use = "pairwise.complete.obs"), written out.
        x = related()[:, :8]
        cov = np.array([[np.cov(pairs(x, i, j).T)[0, 1] for j in range(8)] for i in range(8)])
        mean = (cov.sum() - np.trace(cov)) / (8 * 7)
        assert cronbach_alpha(x) == pytest.approx(64 * mean / cov.sum(), rel=1e-10)

    def test_listwise_leaves_out_units_with_a_gap(self) -> None:
        x = related()[:, :8]
        complete = x[~np.isnan(x).any(axis=1)]
        assert cronbach_alpha(x, "listwise") == pytest.approx(cronbach_alpha(complete), rel=1e-12)

    def test_of_equal_columns_is_1(self) -> None:
        assert cronbach_alpha(np.repeat(np.arange(5.0)[:, None], 3, axis=1)) == pytest.approx(1)

    @pytest.mark.parametrize("x", [[[1.0], [2.0]], [[1.0, 1.0], [1.0, 1.0]], [[np.nan, 1.0]], np.empty((0, 3))])
    def test_is_unknown_where_there_is_nothing_to_compare(self, x: Array) -> None:
        assert np.isnan(cronbach_alpha(x))


class TestPrincipalComponents:
    def test_are_those_of_statsmodels(self) -> None:
        x = related(missing=0.01)[:, :12]
        complete = x[~np.isnan(x).any(axis=1)]
        expected = pca.PCA(complete, standardize=True)
        found = principal_components(x)
        share = expected.eigenvals / expected.eigenvals.sum()
        np.testing.assert_allclose(found.explained_share, share, rtol=1e-9)
        np.testing.assert_allclose(np.abs(found.loadings), np.abs(expected.eigenvecs), rtol=1e-6, atol=1e-9)

    def test_are_eigenvectors_of_the_correlations(self) -> None:
        x = related(missing=0)[:, :5]
        found = principal_components(x)
        np.testing.assert_allclose(
            correlations(x) @ found.loadings, found.loadings * found.explained_share * 5, atol=1e-9
        )
        np.testing.assert_allclose(found.loadings.T @ found.loadings, np.eye(5), atol=1e-12)
        assert found.explained_share.sum() == pytest.approx(1)

    def test_have_a_sign_that_does_not_hang_on_rounding(self) -> None:
        x = np.array([[1.0, 9], [2, 7], [3, 5], [4, 4], [5, 1]])
        half = np.sqrt(0.5)
        for turned in (x, x * 1e6 + 3, x[::-1]):
            np.testing.assert_allclose(principal_components(turned).loadings, [[half, half], [-half, half]])

    @pytest.mark.parametrize(
        ("x", "message"),
        [
            (np.ones((5, 1)), "found 1 and 5"),
            ([[1, 2], [2, np.nan], [3, 4], [np.nan, 4]], "found 2 and 2"),
            ([[1, 2], [2, 2], [3, 2]], r"alike has no principal component: \[1\]"),
            (np.arange(3), r"shape \(3,\)"),
        ],
    )
    def test_a_mistake_of_the_caller_is_named(self, x: Array, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            principal_components(x)

    def test_more_columns_than_units(self) -> None:
        found = principal_components(related(units=20, k=30, missing=0))
        assert found.loadings.shape == (30, 20)
        assert found.explained_share.sum() == pytest.approx(1)
