"""Where municipalities lie among others: by hand, against scipy and numpy, and by simulation with known truth."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from catalog import load_catalogue
from methods.compare import with_making
from methods.measure import RegionRoles
from methods.position import bonferroni_factor, percentile_of, percentile_ranges, positions
from tests.methods import small
from tests.methods.chain import Measurement

ROLES = RegionRoles(municipalities=["GM01", "GM02"], groups=["REGION"], country="NL01", rest="NL_REST", published_as=[])
INDICATORS = small.indicators(
    """
    indicator_id polarity is_count
    income       1        no
    crime        -1       no
    density      0        no
    inhabitants  0        yes
    urbanity     0        no
    """
)
_FIVE = [f"GM0{place}" for place in range(1, 6)]


def figures(text: str, **defaults: Any) -> pl.DataFrame:
    """Rows of indicator_value with how they were made: registers of 2025, rounded to 0.1, unless the text says so."""
    ordinary = {
        "measurement_year": 2025,
        "indicator_id": "income",
        "breakdown": "total",
        "reference_period": "2025",
        "ci_low": None,
        "ci_high": None,
        "series_id": "s",
        "kind": "register",
        "status": "definitive",
        "rounding_unit": 0.1,
        "warnings": [],
    }
    frame = small.table(text, **{**ordinary, **defaults})
    return frame.select("region_code", "value", *ordinary)


def classes(codes: list[str], value: float = 3.0, year: int = 2025) -> pl.DataFrame:
    rows = "\n".join(f"{code} {value}" for code in codes)
    return figures(f"region_code value\n{rows}", indicator_id="urbanity", measurement_year=year)


def of(frame: pl.DataFrame, code: str = "GM01", among: str = "country", indicator: str = "income") -> dict[str, Any]:
    rows = frame.filter(region_code=code, among=among, indicator_id=indicator)
    assert rows.height == 1
    return rows.row(0, named=True)


def found(values: pl.DataFrame, codes: list[str] = _FIVE) -> pl.DataFrame:
    return positions(pl.concat([values, classes(codes)]), INDICATORS, ROLES, "urbanity")


class TestPercentile:
    def test_counts_lower_ones_and_half_of_equal_ones_among_the_others(self):
        assert percentile_of(3.0, np.array([1.0, 2.0, 3.0, 4.0])) == 100 * (2 + 0.5 * 1) / 4

    def test_is_that_of_scipy(self):
        from scipy.stats import percentileofscore

        others = np.random.default_rng(1).integers(0, 20, 341) / 10
        for value in (-1.0, 0.0, 0.3, 1.0, 1.9, 5.0):
            assert percentile_of(value, others) == pytest.approx(percentileofscore(others, value, "mean"), abs=1e-12)

    def test_differences_in_the_last_digits_of_a_float_are_no_differences(self):
        assert percentile_of(0.1 + 0.2, np.array([0.3, 0.3])) == 50

    def test_needs_others(self):
        with pytest.raises(ValueError, match="at least one other"):
            percentile_of(1.0, np.array([]))


class TestRange:
    """Which percentiles are not ruled out; distances of registers by hand, the Bonferroni level by scipy."""

    def test_registers_are_only_as_sure_as_their_rounding(self):
        low, high = percentile_ranges(np.array([5.0, 5.1, 5.2, 4.9, 9.0]), *np.zeros((2, 5)), np.full(5, 0.1))
        # 5.1 and 4.9 may be equal to 5.0 before rounding, 5.2 and 9.0 may not.
        assert (low[0], high[0]) == (0.0, 50.0)
        assert (low[4], high[4]) == (100.0, 100.0)

    def test_each_figure_brings_its_own_rounding(self):
        low, high = percentile_ranges(np.array([10.0, 10.6]), *np.zeros((2, 2)), np.array([0.1, 1.0]))
        # 0.6 apart, R = (0.1 + 1) / 2 = 0.55; with 0.5 apart they may be equal.
        assert (low.tolist(), high.tolist()) == ([0.0, 100.0], [0.0, 100.0])
        low, high = percentile_ranges(np.array([10.0, 10.5]), *np.zeros((2, 2)), np.array([0.1, 1.0]))
        assert (low.tolist(), high.tolist()) == ([0.0, 0.0], [100.0, 100.0])

    def test_margins_are_widened_for_the_number_of_comparisons(self):
        from scipy.stats import norm

        assert bonferroni_factor(1) == pytest.approx(1.0, rel=1e-12)
        assert bonferroni_factor(341) == pytest.approx(norm.isf(0.025 / 341) / norm.isf(0.025), rel=1e-9)

    def test_the_margin_that_faces_the_other_counts(self):
        """A figure with much room above it and none below is lower than nobody for certain, but above others it is."""
        values, units = np.array([10.0, 12.0, 8.0]), np.full(3, 0.1)
        low, high = percentile_ranges(values, np.array([0.1, 0.1, 0.1]), np.array([5.0, 0.1, 0.1]), units)
        assert (low[0], high[0]) == (50.0, 100.0)

    def test_a_figure_without_margin_has_no_range_and_shows_others_nothing(self):
        low, high = percentile_ranges(np.array([1.0, 2.0, 3.0]), np.array([np.nan, 0, 0]), np.zeros(3), np.full(3, 0.1))
        assert np.isnan([low[0], high[0]]).all()
        assert (low[2], high[2]) == (50.0, 100.0)

    def test_refuses_vectors_that_do_not_belong_together(self):
        with pytest.raises(ValueError, match=r"four vectors of one length.*\(3,\), \(2,\)"):
            percentile_ranges(np.zeros(3), np.zeros(2), np.zeros(3), np.zeros(3))


class TestPosition:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            (1.0, {"income": "worst_quarter", "crime": "best_quarter", "density": "lowest_quarter"}),
            (5.5, dict.fromkeys(("income", "crime", "density"), "middle_half")),
            (12.0, {"income": "best_quarter", "crime": "worst_quarter", "density": "highest_quarter"}),
            (3.55, dict.fromkeys(("income", "crime", "density"), "not_certain")),  # 3.5 and 3.6 may be equal to it
        ],
    )
    def test_says_what_all_quarters_left_open_have_in_common(self, value: float, expected: dict[str, str]):
        others = [2, 3, 3.5, 3.6, 5, 6, 7, 8, 9, 10, 11, 11.5]
        rows = "\n".join(f"GM{place} {other}" for place, other in enumerate(others, 10))
        for indicator, position in expected.items():
            frame = figures(f"region_code value\nGM01 {value}\n{rows}", indicator_id=indicator)
            assert of(found(frame), indicator=indicator)["position"] == position

    def test_a_percentile_of_exactly_a_quarter_lies_in_the_second(self):
        row = of(found(figures("region_code value\nGM01 2\nGM02 1\nGM03 3\nGM04 4\nGM05 5")))
        assert (row["percentile"], row["quartile"], row["quartile_low"], row["quartile_high"]) == (25.0, 2, 2, 2)

    def test_is_that_of_the_functions_on_vectors(self):
        """Registers, samples, one without margin and ties; percentiles within 1e-9 of those of the two functions."""
        frame, roles = random_figures(np.random.default_rng(7), 60)
        table = positions(frame, INDICATORS, roles, "urbanity").filter(indicator_id="income", among="country")
        income = frame.filter(indicator_id="income")
        value, unit = income["value"].to_numpy(), income["rounding_unit"].to_numpy()
        register = (income["kind"] == "register").to_numpy()
        below = np.where(register, 0.0, value - income["ci_low"].to_numpy())
        above = np.where(register, 0.0, income["ci_high"].to_numpy() - value)
        low, high = percentile_ranges(value, below, above, unit)
        percentile = [percentile_of(one, np.delete(value, place)) for place, one in enumerate(value)]
        for name, expected in (("percentile", percentile), ("percentile_low", low), ("percentile_high", high)):
            np.testing.assert_allclose(
                table[name].cast(pl.Float64).fill_null(np.nan), expected[:-1], atol=1e-9, err_msg=name
            )
        assert table["percentile_low"].null_count() == 1

    def test_the_distribution_is_that_of_numpy_and_includes_the_municipality(self):
        frame, roles = random_figures(np.random.default_rng(8), 41)
        row = of(positions(frame, INDICATORS, roles, "urbanity"), code="GM003")
        value = frame.filter(indicator_id="income")["value"].to_numpy()
        names = ["percentile_10", "percentile_25", "median", "percentile_75", "percentile_90"]
        expected = np.quantile(value, [0.10, 0.25, 0.50, 0.75, 0.90])
        np.testing.assert_allclose([row[name] for name in names], expected, rtol=1e-12)
        assert (row["minimum"], row["maximum"], row["municipalities"]) == (value.min(), value.max(), 41)

    def test_the_range_holds_the_percentile(self):
        frame, roles = random_figures(np.random.default_rng(9), 80)
        table = positions(frame, INDICATORS, roles, "urbanity").filter(pl.col("percentile_low").is_not_null())
        assert (table["percentile_low"] <= table["percentile"] + 1e-9).all()
        assert (table["percentile_high"] >= table["percentile"] - 1e-9).all()


class TestWhoIsComparedWith:
    def test_only_municipalities_of_the_same_urbanity_class_of_that_year(self):
        frame = figures("region_code value\nGM01 5\nGM02 1\nGM03 2\nGM04 3\nGM05 9\nGM06 9\nGM07 9")
        urban, rural = classes(_FIVE[:5], 2.0), classes(["GM06", "GM07"], 5.0)
        earlier = classes([*_FIVE, "GM06", "GM07"], 4.0, year=2024)
        table = positions(pl.concat([frame, urban, rural, earlier]), INDICATORS, ROLES, "urbanity")
        table = table.filter(measurement_year=2025)
        row = of(table, among="urbanity_class")
        assert (row["urbanity_class"], row["municipalities"], row["percentile"]) == (2, 5, 75.0)
        assert of(table)["municipalities"] == 7

    def test_groups_breakdowns_and_counts_do_not_count(self):
        frame = figures("region_code value\nGM01 5\nGM02 1\nGM03 2\nGM04 3\nGM05 9")
        elsewhere = figures("region_code value\nNL01 1\nREGION 2\nNL_REST 3")
        men = figures("region_code value\nGM01 7\nGM06 1", breakdown="sex=male")
        counts = frame.with_columns(indicator_id=pl.lit("inhabitants"))
        table = found(pl.concat([frame, elsewhere, men, counts]))
        assert of(table)["municipalities"] == 5
        assert "inhabitants" not in table["indicator_id"]
        assert table["region_code"].unique().sort().to_list() == ROLES.municipalities

    @pytest.mark.parametrize(
        "other",
        [{"series_id": "t"}, {"reference_period": "2023"}, {"warnings": ["definition_differs"]}],
    )
    def test_figures_made_otherwise_are_never_put_side_by_side(self, other: dict[str, Any]):
        frame = figures("region_code value\nGM01 5\nGM02 1\nGM03 2\nGM04 3\nGM05 9")
        unlike = figures("region_code value\nGM06 0\nGM07 99", **other)
        row = of(found(pl.concat([frame, unlike])))
        assert (row["municipalities"], row["minimum"], row["maximum"]) == (5, 1.0, 9.0)

    def test_a_year_in_which_all_were_asked_otherwise_than_at_the_baseline_is_compared_within_itself(self):
        frame = figures(
            "region_code value\nGM01 5\nGM02 1\nGM03 2\nGM04 3\nGM05 9", series_id="v2", warnings=["definition_differs"]
        )
        row = of(found(frame))
        assert (row["municipalities"], row["percentile"], row["warnings"]) == (5, 75.0, ["definition_differs"])


class TestReason:
    def test_a_municipality_without_a_figure_has_a_row_that_shows_the_others(self):
        frame = figures("region_code value status\nGM01 - suppressed\nGM02 1 definitive\nGM03 2 definitive")
        frame = pl.concat([frame, figures("region_code value\nGM04 3\nGM05 9")])
        row = of(found(frame))
        assert (row["reason"], row["position"], row["percentile"]) == ("no_value", "not_decidable", None)
        assert (row["municipalities"], row["median"], row["quartile"]) == (4, 2.5, None)

    def test_a_year_without_any_figure_has_rows_too(self):
        frame = figures("region_code value reference_period\nGM01 - -\nGM02 - -", series_id=None)
        table = found(frame).filter(indicator_id="income")
        assert table.height == 4
        assert table["reason"].unique().to_list() == ["no_value"]
        assert table["municipalities"].to_list() == [0] * 4
        assert table["median"].null_count() == 4

    def test_a_sampled_figure_without_margin_has_a_percentile_and_no_more(self):
        frame = figures("region_code value\nGM01 5\nGM02 1\nGM03 2\nGM04 3\nGM05 9", kind="model")
        row = of(found(frame))
        assert (row["percentile"], row["quartile"], row["reason"]) == (75.0, 4, "no_margin")
        assert (row["percentile_low"], row["quartile_high"], row["position"]) == (None, None, "not_decidable")

    @pytest.mark.parametrize("unlike", [{"status": "estimated"}, {"rounding_unit": None}])
    def test_a_register_figure_that_a_model_filled_in_or_of_unknown_rounding_has_no_margin(
        self, unlike: dict[str, Any]
    ):
        rest = figures("region_code value\nGM02 1\nGM03 2\nGM04 3\nGM05 9")
        frame = pl.concat([figures("region_code value\nGM01 5", **unlike), rest])
        assert of(found(frame))["reason"] == "no_margin"

    def test_three_municipalities_have_no_quarters(self):
        row = of(found(figures("region_code value\nGM01 5\nGM02 1\nGM03 2")))
        assert (row["reason"], row["municipalities"]) == ("too_few_municipalities", 3)
        assert (row["percentile"], row["position"]) == (None, "not_decidable")

    def test_without_a_class_there_is_no_one_of_the_same_class(self):
        frame = figures("region_code value\nGM01 5\nGM02 1\nGM03 2\nGM04 3\nGM05 9")
        table = found(frame, _FIVE[1:])
        row = of(table, among="urbanity_class")
        assert (row["reason"], row["municipalities"], row["urbanity_class"]) == ("not_shared", 0, None)
        assert of(table)["position"] == "best_quarter"

    def test_an_unknown_urbanity_indicator_is_said(self):
        with pytest.raises(ValueError, match="expected urban_class among the indicators"):
            positions(figures("region_code value\nGM01 5"), INDICATORS, ROLES, "urban_class")


class TestTable:
    def test_fits_the_published_table_and_does_not_depend_on_the_order_of_rows(self):
        frame, roles = random_figures(np.random.default_rng(3), 30)
        table = positions(frame, INDICATORS, roles, "urbanity")
        shuffled = positions(frame.sample(fraction=1.0, shuffle=True, seed=5), INDICATORS, roles, "urbanity")
        published = load_catalogue().registry["position"]
        assert table.equals(shuffled)
        assert table.columns == published.column_names
        assert published.conform(table).equals(table)

    def test_on_the_bundled_figures_every_own_municipality_has_a_row(self, official: Measurement):
        """Mean income by hand: of the municipalities with a figure, how many are lower, counted with numpy."""
        values = with_making(
            official.indicator_value, official.sources, official.indicators, official.group_weight, official.roles
        )
        table = positions(values, official.indicators, official.roles, "urbanity_class")
        no_counts = official.indicators.filter(~pl.col("is_count"))["indicator_id"]
        assert table.height == len(no_counts) * len(official.years) * len(official.roles.municipalities) * 2
        income = values.filter(
            pl.col("region_code").str.starts_with("GM"), indicator_id="income_standardised_mean", measurement_year=2024
        )
        value = dict(income.select("region_code", "value").drop_nulls().iter_rows())
        row = of(table.filter(measurement_year=2024), code="GM0141", indicator="income_standardised_mean")
        lower = sum(other < value["GM0141"] - 1e-9 for other in value.values())
        equal = sum(abs(other - value["GM0141"]) <= 1e-9 for other in value.values()) - 1
        assert row["municipalities"] == len(value) > 300
        assert row["percentile"] == pytest.approx(100 * (lower + 0.5 * equal) / (len(value) - 1), abs=1e-9)


def random_figures(rng: np.random.Generator, count: int) -> tuple[pl.DataFrame, RegionRoles]:
    """Figures with ties; all municipalities but the last are own, every third a register, the first without margin."""
    codes = [f"GM{place:03}" for place in range(count)]
    value = rng.integers(50, 90, count) / 2
    half = rng.uniform(0.5, 6, count)
    register = np.arange(count) % 3 == 2
    income = pl.DataFrame({"region_code": codes, "value": value, "ci_low": value - half, "ci_high": value + 1.3 * half})
    income = income.with_columns(
        kind=pl.Series(np.where(register, "register", "sample")),
        rounding_unit=pl.Series(rng.choice([0.1, 0.5, 1.0], count)),
        warnings=pl.Series([["synthetic"]] * count),
    ).with_columns(pl.when(pl.col("region_code") != codes[0]).then(name).alias(name) for name in ("ci_low", "ci_high"))
    constant = figures("region_code value\nGM000 1").drop(income.columns)
    income = income.join(constant, how="cross").select(figures("region_code value\nGM000 1").columns)
    urbanity = pl.concat([classes(codes[::2], 2.0), classes(codes[1::2], 4.0)])
    roles = RegionRoles(municipalities=codes[:-1], groups=["REGION"], country="NL01", rest="NL_REST", published_as=[])
    return pl.concat([income, urbanity]), roles


@pytest.mark.parametrize(("spread", "unit", "widest"), [(4.0, 0.1, 70.0), (1e-4, 0.0, 100.0)])
def test_the_range_holds_the_true_percentile_in_at_least_95_of_100_samples(spread: float, unit: float, widest: float):
    """Known truth: 1,000 surveys of 40 municipalities; coverage of the true percentile of each.

    Once as far apart as municipalities lie, where a range must be of use too (70 of 100 places at most, on average),
    and once nearly equal, which is where most mistakes can be made.
    """
    rng = np.random.default_rng(20)
    surveys, count = 1000, 40
    truth = rng.normal(70, spread, count)
    error = rng.uniform(0.8, 2.0, count)
    true_percentile = np.array([percentile_of(value, np.delete(truth, place)) for place, value in enumerate(truth)])
    estimate = rng.normal(truth, error, (surveys, count))
    estimate = estimate.round(1) if unit else estimate
    half = 1.959963984540054 * error
    ranges = np.array([percentile_ranges(one, half, half, np.full(count, unit)) for one in estimate])
    held = (ranges[:, 0] <= true_percentile + 1e-9) & (ranges[:, 1] >= true_percentile - 1e-9)
    assert held.mean(axis=0).min() >= 0.95
    assert (ranges[:, 1] - ranges[:, 0]).mean() < widest


def test_what_only_the_region_measured_has_no_position_in_the_country():
    """Fourteen municipalities asked their residents: where they lie among 342 is not known."""
    frame, roles = random_figures(np.random.default_rng(5), 14)
    own = frame.filter(pl.col("region_code").is_in(roles.municipalities) | (pl.col("indicator_id") != "income"))
    found = positions(own, INDICATORS, roles, "urbanity").filter(indicator_id="income", among="country")
    assert set(found["reason"]) == {"not_shared"}
    assert set(found["position"]) == {"not_decidable"}
    assert found.select(pl.col("percentile", "quartile_low").is_null().all()).row(0) == (True, True)
