"""Fay-Herriot: R's own results, cases that can be worked out by hand, and what simulation says of its errors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from methods.small_area import FayHerriot, SmallAreaError, benchmarked, fay_herriot, smoothed_variances

ORACLES = Path(__file__).parent / "oracles"
MILK = pl.read_csv(ORACLES / "milk.csv").select(
    area="SmallArea", direct="yi", variance=pl.col("SD") ** 2, major_area=pl.col("MajorArea").cast(pl.String)
)


def areas(direct: list[float | None], variance: Any = 1.0, **covariates: Any) -> pl.DataFrame:
    """Areas A01, A02, ... with what is given; one number holds for all."""
    frame = pl.DataFrame({"direct": direct}, schema={"direct": pl.Float64})
    columns = {
        name: pl.Series(name, given) if isinstance(given, list) else pl.lit(given)
        for name, given in {"variance": variance, **covariates}.items()
    }
    return frame.with_row_index("area", 1).with_columns(
        pl.format("A{}", pl.col("area").cast(pl.String).str.zfill(2)).alias("area"), **columns
    )


def fit(frame: pl.DataFrame, *covariates: str, **options: Any) -> FayHerriot:
    return fay_herriot(frame, "direct", "variance", covariates, **options)


class TestAgainstR:
    """Every row of sae 1.3 and of the same formulas in base R, within 1e-8."""

    @pytest.mark.parametrize("method", ["REML", "ML"])
    @pytest.mark.parametrize("source", ["sae_1.3", "base_R_textbook"])
    def test_milk(self, method: Any, source: str) -> None:
        expected = pl.read_csv(ORACLES / "fay_herriot_milk.csv").filter(method=method, source=source)
        found = expected.join(fit(MILK, "major_area", method=method).estimates, on="area", suffix="_found")
        assert found.height == expected.height == 43
        np.testing.assert_allclose(found["estimate"], found["eblup"], rtol=1e-8)
        np.testing.assert_allclose(found["mse_found"], found["mse"], rtol=1e-8)

    def test_every_row_is_met(self) -> None:
        assert pl.read_csv(ORACLES / "fay_herriot_milk.csv").height == 2 * 2 * 43


class TestByHand:
    def test_areas_that_differ_less_than_sampling_explains_get_what_the_model_says(self) -> None:
        model = fit(areas([10.0, 11.0, 9.0, 10.0, 12.0, 8.0], variance=100.0))
        assert model.model_variance == 0
        assert model.estimates["estimate"].to_list() == pytest.approx([10.0] * 6)
        assert model.estimates["shrinkage"].to_list() == [0] * 6
        # g2 = 100 / 6, and g3 = the variance of A, 2 / (6 / 100^2), over 100.
        assert model.estimates["mse"].to_list() == pytest.approx([100 / 6 + 2 * 2 / 6 * 100] * 6)

    def test_areas_that_differ_far_more_than_sampling_explains_keep_their_own_figure(self) -> None:
        model = fit(areas([10.0, 500.0, -300.0, 80.0, 1000.0, -700.0], variance=1e-4))
        assert model.estimates["estimate"].to_list() == pytest.approx(model.estimates["direct"].to_list(), rel=1e-6)
        assert model.estimates["mse"].to_list() == pytest.approx([1e-4] * 6, rel=1e-3)

    def test_equal_variances_have_a_closed_form(self) -> None:
        # REML: A + psi is the variance of the direct estimates, 10 (mean 5, squares 40 over 4); so A = 8, gamma = 0.8.
        # g1 = 1.6, g2 = 0.2^2 x 10/5 = 0.08, g3 = 0.2^2 x (2 / (5 / 10^2)) / 10 = 0.16.
        model = fit(areas([1.0, 3.0, 5.0, 7.0, 9.0], variance=2.0))
        assert model.model_variance == pytest.approx(8)
        assert model.coefficients.row(0) == pytest.approx(("intercept", 5.0, (10 / 5) ** 0.5))
        assert model.estimates["estimate"].to_list() == pytest.approx([1.8, 3.4, 5.0, 6.6, 8.2])
        assert model.estimates["mse"].to_list() == pytest.approx([1.6 + 0.08 + 2 * 0.16] * 5)
        assert model.estimates["residual"].to_list() == pytest.approx([d / 10**0.5 for d in (-4, -2, 0, 2, 4)])
        # ML divides by 5: A = 6, gamma = 0.75, and its bias -(8/5) / 5 x ... = -tr(C X'V^-2 X) / tr(V^-2) = -8/5.
        likely = fit(areas([1.0, 3.0, 5.0, 7.0, 9.0], variance=2.0), method="ML")
        assert likely.model_variance == pytest.approx(6)
        g2, g3, bias = 8 / 5, (2 * 64 / 5) / 8, -8 / 5
        assert likely.estimates["mse"].to_list() == pytest.approx([1.5 + 0.25**2 * (g2 + 2 * g3 - bias)] * 5)

    def test_an_area_without_direct_estimate_gets_the_synthetic_one(self) -> None:
        model = fit(areas([1.0, 3.0, 5.0, 7.0, 9.0, None], variance=[2.0] * 5 + [None]))
        last = model.estimates.row(-1, named=True)
        # Its MSE: A = 8 between areas, and 2 (= 10/5) of the mean itself.
        assert last == pytest.approx(
            {
                "area": "A06",
                "direct": None,
                "direct_se": None,
                "estimate": 5.0,
                "mse": 10.0,
                "shrinkage": 0.0,
                "synthetic": 5.0,
                "residual": None,
            }
        )
        assert model.diagnostics["areas"] == 5
        assert model.diagnostics["areas_without_direct"] == 1

    def test_covariates_are_numbers_or_levels(self) -> None:
        x = [float(value) for value in range(12)]
        levels = ["rural", "urban"] * 6
        direct = [2 + 3 * value + (5 if level == "urban" else 0) for value, level in zip(x, levels, strict=True)]
        model = fit(areas(direct, x=x, place=levels), "x", "place")  # type: ignore[arg-type]
        assert dict(model.coefficients.select("term", "estimate").iter_rows()) == pytest.approx(
            {"intercept": 2, "x": 3, "place=urban": 5}
        )
        assert model.model_variance == 0
        assert model.diagnostics["explained_variance"] == 1

    def test_the_scale_of_a_covariate_does_not_matter(self) -> None:
        x = [float(value**2 % 17) for value in range(20)]
        direct = [value + (index % 5) for index, value in enumerate(x)]
        frame = areas(direct, x=x, euros=[31_000 + 1e-3 * value for value in x])  # type: ignore[arg-type]
        one, other = fit(frame, "x"), fit(frame, "euros")
        assert other.estimates["estimate"].to_list() == pytest.approx(one.estimates["estimate"].to_list(), rel=1e-7)
        assert other.estimates["mse"].to_list() == pytest.approx(one.estimates["mse"].to_list(), rel=1e-6)

    def test_diagnostics_tell_what_the_model_gains(self) -> None:
        diagnostics = fit(MILK, "major_area").diagnostics
        assert diagnostics["areas"] == 43
        assert diagnostics["degrees_of_freedom"] == 39
        assert diagnostics["covariates"] == ["major_area"]
        assert 0.5 < diagnostics["explained_variance"] < 0.8
        # Shapiro-Wilk and the largest standardised residual, by R's shapiro.test on (yi - X beta) / sqrt(A + SD^2).
        assert diagnostics["normality_p"] == pytest.approx(0.0080478833, rel=1e-6)
        assert diagnostics["largest_residual"] == pytest.approx(2.8760949887, rel=1e-8)
        assert diagnostics["mean_cv_estimate"] < diagnostics["mean_cv_direct"]
        assert 15 < diagnostics["mean_cv_gain"] < 30

    def test_the_order_of_areas_does_not_matter(self) -> None:
        shuffled = MILK.sample(fraction=1, shuffle=True, seed=5)
        one, other = fit(MILK, "major_area").estimates, fit(shuffled, "major_area").estimates
        assert other["area"].to_list() == shuffled["area"].to_list()
        both = one.join(other, on="area", validate="1:1")
        for column in ("estimate", "mse", "shrinkage", "synthetic", "residual"):
            np.testing.assert_allclose(both[column], both[f"{column}_right"], rtol=1e-10)

    def test_the_same_areas_give_the_same_bytes(self) -> None:
        assert fit(MILK, "major_area").estimates.equals(fit(MILK, "major_area").estimates)


class TestTransformations:
    def test_arcsin_turns_back_without_bias(self) -> None:
        # No variance between areas: all have theta = arcsin(root of 0.2) from the pooled shares, and g1 = 0.
        model = fit(areas([0.2] * 6, n=50), transformation="arcsin", n_effective="n")
        assert model.estimates["estimate"].to_list() == pytest.approx([0.2] * 6)
        # With A > 0 the mean of sin^2 over N(theta, g1) is (1 - cos(2 theta) exp(-2 g1)) / 2.
        shares = [0.05, 0.30, 0.10, 0.60, 0.20, 0.40, 0.35]
        model = fit(areas(shares, n=100), transformation="arcsin", n_effective="n")
        theta = np.arcsin(np.sqrt(shares))
        gamma = model.estimates["shrinkage"].to_numpy()
        predicted = gamma * theta + (1 - gamma) * theta.mean()
        g1 = model.model_variance * (1 - gamma)
        expected = (1 - np.cos(2 * predicted) * np.exp(-2 * g1)) / 2
        np.testing.assert_allclose(model.estimates["estimate"], expected, rtol=1e-12)
        assert model.model_variance == pytest.approx(theta.var(ddof=1) - 1 / 400)

    def test_logit_takes_the_variance_by_the_delta_method(self) -> None:
        shares = [0.2, 0.5, 0.8, 0.5, 0.35, 0.65]
        variances = [share * (1 - share) / 100 for share in shares]
        model = fit(areas(shares, variance=variances), transformation="logit")  # type: ignore[arg-type]
        logits = np.log(np.array(shares) / (1 - np.array(shares)))
        psi = 1 / (100 * np.array(shares) * (1 - np.array(shares)))
        plain = fit(areas(logits.tolist(), variance=psi.tolist()))
        assert model.model_variance == pytest.approx(plain.model_variance)
        assert model.estimates["residual"].to_list() == pytest.approx(plain.estimates["residual"].to_list())
        # Half and half stays so, whatever the spread around it; others are drawn to it.
        assert model.estimates["estimate"][1] == pytest.approx(0.5, abs=1e-3)
        assert 0.2 < model.estimates["estimate"][0] < 0.25

    @pytest.mark.parametrize("transformation", ["arcsin", "logit"])
    def test_a_precise_share_keeps_its_own_error(self, transformation: Any) -> None:
        # Far apart and very sure: the MSE comes near the sampling variance p (1 - p) / n of the share itself.
        shares = [0.02, 0.97, 0.5, 0.15, 0.88, 0.3, 0.7]
        variances = [share * (1 - share) / 10_000 for share in shares]
        frame = areas(shares, variance=variances, n=10_000)  # type: ignore[arg-type]
        model = fit(frame, transformation=transformation, n_effective="n")
        np.testing.assert_allclose(model.estimates["mse"], variances, rtol=0.05)

    def test_estimates_of_shares_stay_shares(self) -> None:
        shares = [0.0, 0.0, 1.0, 0.9, 0.1, 0.0, None]
        model = fit(areas(shares, variance=None, n=3), transformation="arcsin", n_effective="n")  # type: ignore[arg-type]
        assert model.estimates["estimate"].is_between(0, 1).all()
        assert (model.estimates["mse"] > 0).all()
        assert model.estimates["direct_se"].is_null().all()


class TestBySimulation:
    """60 areas, one covariate, A = 1, sampling variances 0.4 to 4, 500 times over."""

    @pytest.fixture(scope="class")
    def repeated(self) -> dict[str, Any]:
        rng = np.random.default_rng(20_250_601)
        size, repetitions = 60, 500
        x, psi = rng.normal(size=size), np.linspace(0.4, 4, size)
        squares: dict[str, Any] = {"direct": np.zeros(size), "estimate": np.zeros(size), "mse": np.zeros(size)}
        for _ in range(repetitions):
            truth = 5 + 2 * x + rng.normal(size=size)
            direct = truth + np.sqrt(psi) * rng.normal(size=size)
            found = fit(areas(direct.tolist(), variance=psi.tolist(), x=x.tolist()), "x").estimates
            squares["direct"] += (direct - truth) ** 2 / repetitions
            squares["estimate"] += (found["estimate"].to_numpy() - truth) ** 2 / repetitions
            squares["mse"] += found["mse"].to_numpy() / repetitions
        return squares

    def test_the_model_errs_less_than_the_direct_estimate(self, repeated: dict[str, Any]) -> None:
        assert (repeated["estimate"] < repeated["direct"]).all()
        assert repeated["estimate"].mean() < 0.5 * repeated["direct"].mean()

    def test_the_mse_is_what_it_says(self, repeated: dict[str, Any]) -> None:
        # 500 x 60 squared errors: their mean is known to about 1%, that of one area to 6% (two standard errors 13%).
        assert repeated["mse"].mean() == pytest.approx(repeated["estimate"].mean(), rel=0.03)
        np.testing.assert_allclose(repeated["mse"], repeated["estimate"], rtol=0.25)

    # The logit's variance follows from the share itself, so that low shares count as less sure: a bias of 0.6 points.
    @pytest.mark.parametrize(("transformation", "largest_bias"), [("arcsin", 0.002), ("logit", 0.008)])
    def test_shares_on_another_scale(self, transformation: Any, largest_bias: float) -> None:
        rng = np.random.default_rng(7)
        size, n, repetitions = 80, 60, 150
        errors: list[Any] = []
        for _ in range(repetitions):
            truth = np.sin(np.arcsin(np.sqrt(0.25)) + 0.1 * rng.normal(size=size)) ** 2
            direct = rng.binomial(n, truth) / n
            # As in practice, the model is not told the truth: its variances come of the shares found.
            variance = np.maximum(direct * (1 - direct), 0.01) / n
            frame = areas(direct.clip(0.01, 0.99).tolist(), variance=variance.tolist(), n=n)
            found = fit(frame, transformation=transformation, n_effective="n").estimates
            errors.append(
                [
                    np.mean((direct - truth) ** 2),
                    np.mean((found["estimate"].to_numpy() - truth) ** 2),
                    found["mse"].mean(),
                    np.mean(found["estimate"].to_numpy() - truth),
                ]
            )
        direct_error, error, said, bias = np.mean(errors, axis=0)
        assert error < 0.8 * direct_error
        assert said == pytest.approx(error, rel=0.1)
        assert abs(bias) < largest_bias

    def test_a_model_is_found_for_any_areas(self) -> None:
        # Fisher scoring from the median variance swings for ever on some 3 of 100 of these.
        rng = np.random.default_rng(3)
        for _ in range(100):
            psi = rng.gamma(1, 1, 14) + 0.01
            direct = rng.normal(size=14) * np.sqrt(psi + rng.choice([0, 0.5, 2]))
            assert fit(areas(direct.tolist(), variance=psi.tolist())).model_variance >= 0


class TestSmoothedVariances:
    def test_thin_areas_take_the_pooled_unit_variance(self) -> None:
        # Variance x n is 4, 6 and 100 (thin); pooled (3 x 4 + 5 x 6 + 1 x 100) / (3 + 5 + 1) = 142/9.
        frame = pl.DataFrame({"area": ["A", "B", "C", "D", "E", "F"], "n": [4, 6, 2, 1, 0, None]}).with_columns(
            variance=pl.Series([1.0, 1.0, 50.0, None, None, None])
        )
        found = smoothed_variances(frame, smooth_below=4)
        pooled = 142 / 9
        expected = [1.0, 1.0, pooled / 2, pooled, None, None]
        assert found["variance_smoothed"].to_list() == pytest.approx(expected)
        assert found["is_smoothed"].to_list() == [False, False, True, True, False, None]

    def test_an_area_where_all_answered_alike_is_not_taken_to_be_sure(self) -> None:
        frame = pl.DataFrame({"area": ["A", "B"], "n": [100, 100], "variance": [0.0, 0.02]})
        found = smoothed_variances(frame, smooth_below=30)
        assert found["variance_smoothed"].to_list() == pytest.approx([0.01, 0.02])

    def test_nothing_to_pool(self) -> None:
        frame = pl.DataFrame({"area": ["A", "B"], "n": [1, 1], "variance": [None, None]})
        with pytest.raises(SmallAreaError, match="nothing to pool"):
            smoothed_variances(frame.cast({"variance": pl.Float64}), smooth_below=30)


class TestBenchmarked:
    GROUP = fit(MILK, "major_area").estimates.with_columns(population=pl.col("area") * 1_000)

    @pytest.mark.parametrize("method", ["ratio", "difference"])
    def test_the_weighted_mean_is_the_groups_own(self, method: Any) -> None:
        found = benchmarked(self.GROUP, 1.037, "population", method=method)
        mean = np.average(found["estimate"], weights=found["population"])
        assert mean == pytest.approx(1.037, rel=1e-12)
        assert found["estimate_unbenchmarked"].equals(self.GROUP["estimate"])
        assert found["mse"].equals(self.GROUP["mse"])
        change = found["estimate"] - found["estimate_unbenchmarked"]
        steady = change / found["estimate_unbenchmarked"] if method == "ratio" else change
        assert steady.to_list() == pytest.approx([steady[0]] * 43)

    def test_by_hand(self) -> None:
        frame = pl.DataFrame({"estimate": [0.6, 0.8], "mse": [0.01, 0.01], "weight": [3, 1]})
        assert benchmarked(frame, 0.715, "weight")["estimate"].to_list() == pytest.approx([0.66, 0.88])
        shifted = benchmarked(frame, 0.715, "weight", method="difference")
        assert shifted["estimate"].to_list() == pytest.approx([0.665, 0.865])

    @pytest.mark.parametrize("weight", [[1.0, None], [1.0, -1.0], [0.0, 0.0], [1.0, float("nan")]])
    def test_weights_that_are_none(self, weight: list[float | None]) -> None:
        frame = pl.DataFrame({"estimate": [0.6, 0.8], "mse": [0.01, 0.01], "weight": weight})
        with pytest.raises(SmallAreaError, match=r"weight \(weight\) of at least 0"):
            benchmarked(frame, 0.7, "weight")

    def test_a_mean_of_zero_has_no_ratio(self) -> None:
        frame = pl.DataFrame({"estimate": [-1.0, 1.0], "mse": [1.0, 1.0], "weight": [1, 1]})
        with pytest.raises(SmallAreaError, match="by difference"):
            benchmarked(frame, 0.7, "weight")


class TestBadAreas:
    DIRECT = (3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0)

    def refused(self, frame: pl.DataFrame, *covariates: str, match: str, **options: Any) -> None:
        with pytest.raises(SmallAreaError, match=match):
            fit(frame, *covariates, **options)

    def test_too_few_areas_says_how_many_are_needed(self) -> None:
        frame = areas([1.0, 2.0, 3.0, 4.0, None], x=[1.0, 2.0, 4.0, 8.0, 9.0])
        self.refused(frame, "x", match=r"4 areas have a direct estimate; a model with 2 coefficients needs at least 5")

    @pytest.mark.parametrize("variance", [0.0, -1.0, None, float("nan"), float("inf")])
    def test_a_variance_that_is_none(self, variance: float | None) -> None:
        frame = areas(list(self.DIRECT), variance=[1.0] * 7 + [variance])
        self.refused(frame, match=r"variance is not a number above 0 for area A08.*\(smoothed_variances\)")

    def test_collinear_covariates_are_named(self) -> None:
        x = [1.0, 2.0, 4.0, 3.0, 7.0, 5.0, 6.0, 9.0]
        frame = areas(list(self.DIRECT), x=x, doubled=[2 * value + 1 for value in x], constant=5.0)
        self.refused(frame, "x", "doubled", match="collinear: (doubled|x) follows")
        self.refused(frame, "constant", match="collinear: constant follows")

    def test_a_level_only_where_nobody_was_asked(self) -> None:
        frame = areas([*self.DIRECT, None], place=["a", "b"] * 4 + ["c"])
        self.refused(frame, "place", match="place=c follows from the others")

    def test_a_covariate_that_is_unknown_somewhere(self) -> None:
        frame = areas(list(self.DIRECT), x=[None, *map(float, range(6)), float("nan")])
        self.refused(frame, "x", match="covariate x is unknown for area A01, A08")

    def test_an_area_twice(self) -> None:
        frame = areas(list(self.DIRECT))
        self.refused(pl.concat([frame, frame.head(1)]), match="more than one row for area A01")

    def test_a_column_that_is_not_there(self) -> None:
        self.refused(areas(list(self.DIRECT)), "income", match="no column income")

    def test_a_direct_estimate_that_is_no_number(self) -> None:
        self.refused(areas([*self.DIRECT, float("nan")]), match="direct is not a number for area A09")

    def test_shares_in_percent(self) -> None:
        frame = areas(list(self.DIRECT), n=100)
        self.refused(frame, match="Divide percentages by 100", transformation="arcsin", n_effective="n")

    def test_logit_of_nothing_or_all(self) -> None:
        frame = areas([0.0, 0.5, 0.4, 0.2, 0.3])
        self.refused(frame, match="for shares of 0 or 1 take arcsin", transformation="logit")

    def test_arcsin_without_sample_sizes(self) -> None:
        self.refused(areas([0.1, 0.5, 0.4, 0.2, 0.3]), match="needs n_effective", transformation="arcsin")

    def test_no_convergence_is_an_error(self) -> None:
        self.refused(MILK, "major_area", match="not found in 1 iterations", iterations=1)
