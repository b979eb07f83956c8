"""Trends: equal to the reference programs, honest about gaps, breaks and rounding, and right about as often as said."""

from __future__ import annotations

import math
from dataclasses import astuple
from typing import Any

import numpy as np
import polars as pl
import pytest
import scipy.stats
import statsmodels.api as sm

from catalog import load_catalogue
from catalog.analysis_model import TrendSettings
from methods.measure import RegionRoles
from methods.trend import Matrix, _fit, paired_figures, slope, trends
from tests.methods.small import indicators, table

# --- one series: against scipy and statsmodels, to 1e-9 relative

# Five points with a gap, one missing: a series as a survey leaves it.
YEARS = [2016, 2017, 2019, 2020, 2022, 2023]
VALUES = [71.2, 70.1, 69.9, math.nan, 66.0, 67.3]
ERRORS = [0.9, 0.5, 1.2, 0.1, 0.7, 0.4]
KNOWN = [place for place, value in enumerate(VALUES) if not math.isnan(value)]


def known(numbers: list[Any]) -> np.ndarray:
    return np.array([numbers[place] for place in KNOWN], dtype=float)


def test_a_slope_is_that_of_scipy() -> None:
    found = slope(YEARS, VALUES)
    expected = scipy.stats.linregress(known(YEARS), known(VALUES))
    assert found.estimate == pytest.approx(expected.slope, rel=1e-9)
    assert found.standard_error == pytest.approx(expected.stderr, rel=1e-9)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-9)
    assert (found.points, found.degrees_of_freedom) == (5, 3)


@pytest.mark.parametrize("level", [0.9, 0.95])
def test_its_interval_is_that_of_statsmodels(level: float) -> None:
    fitted = sm.OLS(known(VALUES), sm.add_constant(known(YEARS) - 2016)).fit()
    found = slope(YEARS, VALUES, level=level)
    assert [found.ci_low, found.ci_high] == pytest.approx(list(fitted.conf_int(alpha=1 - level)[1]), rel=1e-9)


def test_a_weighted_slope_is_that_of_statsmodels_where_the_scatter_exceeds_the_sampling_error() -> None:
    # statsmodels always multiplies the variance by chi^2 / df; so do we where that is more than 1.
    fitted = sm.WLS(known(VALUES), sm.add_constant(known(YEARS) - 2016), weights=known(ERRORS) ** -2.0).fit()
    assert fitted.scale > 1
    found = slope(YEARS, VALUES, ERRORS)
    assert found.estimate == pytest.approx(fitted.params[1], rel=1e-9)
    assert found.standard_error == pytest.approx(fitted.bse[1], rel=1e-9)
    assert found.p_value == pytest.approx(fitted.pvalues[1], rel=1e-9)
    assert [found.ci_low, found.ci_high] == pytest.approx(list(fitted.conf_int()[1]), rel=1e-9)


def test_a_weighted_slope_is_never_surer_than_the_sampling_error_allows() -> None:
    # Ten times the errors: the scatter is less than they explain, and the known variance is what counts.
    errors = [10 * error for error in ERRORS]
    fitted = sm.WLS(known(VALUES), sm.add_constant(known(YEARS) - 2016), weights=known(errors) ** -2.0).fit()
    assert fitted.scale < 1
    found = slope(YEARS, VALUES, errors)
    assert found.estimate == pytest.approx(fitted.params[1], rel=1e-9)
    assert found.standard_error == pytest.approx(fitted.bse[1] / math.sqrt(fitted.scale), rel=1e-9)


@pytest.mark.parametrize("unknown", [math.nan, 0.0])
def test_one_unknown_standard_error_leaves_ordinary_least_squares(unknown: float) -> None:
    assert slope(YEARS, VALUES, [unknown, *ERRORS[1:]]) == slope(YEARS, VALUES)


def test_equal_standard_errors_give_the_same_slope_as_none() -> None:
    assert slope(YEARS, VALUES, [0.5] * 6).estimate == pytest.approx(slope(YEARS, VALUES).estimate)


def test_a_missing_value_is_the_same_as_a_missing_year() -> None:
    assert slope(YEARS, VALUES, ERRORS) == slope(known(YEARS).tolist(), known(VALUES), known(ERRORS))


@pytest.mark.parametrize(("steps", "p"), [(0.1, 0.0), (-3.7, 0.0), (0.0, 1.0)])
def test_a_straight_line_has_no_standard_error(steps: float, p: float) -> None:
    found = slope(YEARS, [17.3 + steps * year for year in YEARS])
    assert found.estimate == pytest.approx(steps)
    assert (found.standard_error, found.p_value) == (0, p)
    assert found.ci_low == found.ci_high == found.estimate


def test_figures_that_all_are_equal_do_not_move_at_all() -> None:
    assert slope(YEARS, [0.1 + 0.2] * 6).estimate == 0


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 2.0], [1.0, 2.0, math.nan]])
def test_fewer_than_three_figures_are_no_trend(values: list[float]) -> None:
    found = slope([2020, 2021, 2022][: len(values)], values)
    assert found.points == sum(not math.isnan(value) for value in values)
    assert all(math.isnan(number) for number in astuple(found)[:6])


def test_figures_of_one_year_are_no_trend() -> None:
    assert math.isnan(slope([2020] * 3, [1.0, 2.0, 3.0]).estimate)


def test_rounding_widens_the_interval_on_both_sides_by_what_all_halves_together_may_do() -> None:
    years, values = [2018, 2019, 2020, 2021, 2022], [10.0, 12.0, 11.0, 14.0, 15.0]
    exact, rounded = slope(years, values), slope(years, values, rounding_unit=1.0)
    # Coefficients -0.2, -0.1, 0, 0.1, 0.2: half of their sum.
    assert rounded.rounding_margin == pytest.approx(0.3)
    assert exact.ci_low - rounded.ci_low == pytest.approx(0.3)
    assert rounded.ci_high - exact.ci_high == pytest.approx(0.3)
    assert (rounded.standard_error, rounded.p_value) == (exact.standard_error, exact.p_value)


def test_no_rounding_moves_a_slope_further_than_its_rounding_margin() -> None:
    generator = np.random.default_rng(5)
    truth = generator.normal(50, 3, (500, 6))
    for units in ([1.0] * 6, [0.1, 0.1, 1.0, 1.0, 5.0, 5.0]):
        rounded = np.round(truth / units) * units
        nothing = np.full(truth.shape, np.nan)
        unit = np.broadcast_to(units, truth.shape)
        moved = np.abs(fit(rounded, nothing, unit)["estimate"] - fit(truth, nothing, unit)["estimate"])
        margin = slope(YEARS, rounded[0], rounding_unit=units).rounding_margin
        assert moved.max() <= margin
        assert moved.max() > margin / 2  # and it is not much too wide either


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"years": [2020]}, "not 1, 3, 3 and 3"),
        ({"standard_errors": [1.0]}, "not 3, 3, 1 and 3"),
        ({"rounding_unit": [1.0, 2.0]}, "not 3, 3, 3 and 2"),
        ({"standard_errors": [1.0, -1.0, 1.0]}, "0 or more"),
        ({"rounding_unit": -1.0}, "0 or more"),
        ({"level": 95}, "between 0 and 1"),
    ],
)
def test_a_mistake_in_the_call_is_named(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        slope(**{"years": [2020, 2021, 2022], "values": [1.0, 2.0, 4.0], **given})


# --- intervals that hold the truth as often as they say: 20,000 series of 6 years with a known slope, seed 1


def fit(values: Matrix, errors: Matrix, units: Matrix | None = None) -> dict[str, Any]:
    units = np.zeros(values.shape) if units is None else units
    return _fit(np.array(YEARS, dtype=float), values, errors, units, 0.95)


def coverage(times_error: float, *, weighted: bool) -> float:
    """Share of intervals that hold the true slope, where figures scatter `times_error` times their standard errors."""
    generator = np.random.default_rng(1)
    errors = generator.uniform(0.3, 1.5, (20_000, 6))
    if not weighted:
        errors[:] = 1.0  # ordinary least squares takes all figures for equally sure
    values = 60 + 0.4 * (np.array(YEARS) - 2016) + generator.normal(0, times_error * errors)
    found = fit(values, errors if weighted else np.full(errors.shape, np.nan))
    return float(np.mean((found["ci_low"] <= 0.4) & (found["ci_high"] >= 0.4)))


def test_unweighted_intervals_cover_the_true_slope_in_95_percent() -> None:
    assert coverage(1.0, weighted=False) == pytest.approx(0.95, abs=0.015)


def test_weighted_intervals_cover_the_true_slope_in_95_percent_where_the_scatter_decides() -> None:
    # Real movement besides sampling error: figures scatter five times what their standard errors say.
    assert coverage(5.0, weighted=True) == pytest.approx(0.95, abs=0.015)


def test_weighted_intervals_are_on_the_safe_side_where_there_is_only_sampling_error() -> None:
    # Measured 99.6% with six points: Student's t beside a variance that is never less than the known one. Both are on
    # the safe side: the interval is never too narrow, and wider than it need be where nothing but sampling error is.
    assert coverage(1.0, weighted=True) >= 0.95


# --- all series together

ROLES = RegionRoles(
    municipalities=["GM0001", "GM0002", "GM0003"],
    groups=["REGION", "CORE", "RURAL"],
    country="NL01",
    rest="REST",
    published_as=[],
    peers={"GM0001": "PEERS_GM0001"},
)
CONTRASTS = [("CORE", "RURAL")]
REGIONS = [*ROLES.always]
Z = 1.959963984540054  # 97.5% of the normal distribution lies below
SETTINGS = TrendSettings(window_years=8, minimum_points=4)
HEALTH = indicators("indicator_id\nhealth")


def series(years: dict[int, float] | list[int], regions: list[str] | None = None, **given: Any) -> pl.DataFrame:
    """A register series, rounded to nothing, that all regions share; `years` may give the figures."""
    figures = years if isinstance(years, dict) else dict.fromkeys(years, 50.0)
    rows = [(region, year, value) for region in regions or REGIONS for year, value in figures.items()]
    ordinary = {
        "indicator_id": "health",
        "breakdown": "total",
        "ci_low": None,
        "ci_high": None,
        "kind": "register",
        "rounding_unit": 0.0,
        "status": "definitive",
        "series_id": "s",
        "comparable": True,
        "warnings": [],
    }
    text = "\n".join(["region_code measurement_year value", *(f"{r} {y} {v}" for r, y, v in rows)])
    return table(text, **{**ordinary, **given}).with_columns(
        reference_period=pl.col("measurement_year").cast(pl.String)
    )


def found(
    figures: pl.DataFrame, year: int = 2024, what: pl.DataFrame = HEALTH, **given: Any
) -> dict[tuple[str, str], dict[str, Any]]:
    """The trends of one measurement year by region and quantity."""
    rows = trends(figures, what, ROLES, CONTRASTS, [year], SETTINGS, **given)
    return {(row["region_code"], row["quantity"]): row for row in rows.iter_rows(named=True)}


RISING = {2019: 50.0, 2020: 51.2, 2021: 51.9, 2022: 53.1, 2023: 54.0, 2024: 54.8}


def changed(figures: pl.DataFrame, region: str, year: int, **columns: Any) -> pl.DataFrame:
    """The same figures, with other columns for one region and year."""
    here = (pl.col("region_code") == region) & (pl.col("measurement_year") == year)
    return figures.with_columns(
        pl.when(here).then(pl.lit(value, dtype=figures.schema[name])).otherwise(name).alias(name)
        for name, value in columns.items()
    )


def test_every_own_region_moves_also_against_country_and_rest_and_the_contrast_has_a_difference() -> None:
    rows = trends(series(RISING), HEALTH, ROLES, CONTRASTS, [2023, 2024], SETTINGS)
    own = ["GM0001", "GM0002", "GM0003", "REGION", "CORE", "RURAL"]
    expected = {(region, region, "value") for region in [*own, "NL01", "REST"]}
    expected |= {(region, "NL01", "relative_to_nl") for region in own}
    expected |= {(region, "REST", "relative_to_rest") for region in own}
    expected |= {("CORE", "RURAL", "difference")}
    for year in (2023, 2024):
        here = rows.filter(measurement_year=year).select("region_code", "comparator_code", "quantity").rows()
        assert len(here) == len(set(here))
        assert set(here) == expected
    assert set(rows["movement"]) == {"slope"}


def test_the_table_has_the_published_columns_and_its_key_is_unique() -> None:
    published = load_catalogue().registry["trend"]
    rows = trends(series(RISING), HEALTH, ROLES, CONTRASTS, [2023, 2024], SETTINGS)
    assert rows.columns == [column.name for column in published.columns]
    assert published.conform(rows).height == rows.height
    assert not rows.select(published.key).is_duplicated().any()
    for name in published.required:
        assert rows[name].null_count() == 0


def test_thousands_of_series_have_the_slope_that_each_has_alone() -> None:
    generator = np.random.default_rng(3)
    codes = [f"GM{place:04d}" for place in range(1, 301)]
    roles = RegionRoles(municipalities=codes, groups=["REGION"], country="NL01", rest="REST", published_as=[])
    years = list(range(2017, 2025))
    figures = series(years, [*codes, "NL01"], kind="sample", rounding_unit=0.1)
    half = generator.uniform(0.5, 4, figures.height)
    figures = figures.with_columns(value=pl.Series(generator.normal(60, 2, figures.height))).with_columns(
        ci_low=pl.col("value") - half, ci_high=pl.col("value") + half
    )
    figures = figures.filter(pl.Series(generator.random(figures.height) < 0.8) | (pl.col("region_code") == "NL01"))
    rows = trends(figures, HEALTH, roles, [], [2024], SETTINGS)
    country = figures.filter(region_code="NL01").select("measurement_year", n="value", n_high="ci_high")
    checked = 0
    for (code,), own in (
        figures.filter(pl.col("region_code") != "NL01").join(country, "measurement_year").group_by("region_code")
    ):
        if own.height < SETTINGS.minimum_points:
            continue
        years = own["measurement_year"].to_list()
        x, n = own["value"].to_numpy(), own["n"].to_numpy()
        of_x, of_n = ((own["ci_high"] - own["value"]) / Z).to_numpy(), ((own["n_high"] - own["n"]) / Z).to_numpy()
        alone = {
            "value": slope(years, x, of_x, 0.1),
            "relative_to_nl": slope(
                years, 100 * (x / n - 1), 100 / n * np.hypot(of_x, x / n * of_n), 100 / n * (0.1 + x / n * 0.1)
            ),
        }
        for quantity, expected in alone.items():
            here = (pl.col("region_code") == code) & (pl.col("quantity") == quantity)
            row = rows.row(by_predicate=here, named=True)
            for name in ("estimate", "standard_error", "degrees_of_freedom", "ci_low", "ci_high", "p_value", "points"):
                assert row[name] == pytest.approx(getattr(expected, name), rel=1e-9), (code, quantity, name)
        checked += 1
    assert checked > 250


def test_only_the_last_eight_years_count() -> None:
    long = {year: 40.0 + (year - 2010) ** 1.5 for year in range(2010, 2026)}
    row = found(series(long), 2024)["GM0001", "value"]
    assert (row["points"], row["period_first"], row["period_last"]) == (8, "2017", "2024")
    expected = slope(list(range(2017, 2025)), [long[year] for year in range(2017, 2025)])
    assert row["estimate"] == pytest.approx(expected.estimate)


def test_a_year_without_measurement_is_a_hole_and_changes_nothing_else() -> None:
    figures = series(RISING)
    hole = figures.filter(pl.col("measurement_year") != 2021)
    empty = figures.with_columns(
        value=pl.when(pl.col("measurement_year") != 2021).then("value"),
        status=pl.when(pl.col("measurement_year") == 2021).then(pl.lit("not_measured")).otherwise("status"),
    )
    assert found(hole) == found(empty)
    row = found(hole)["GM0001", "value"]
    assert (row["points"], row["excluded"]) == (5, [])
    years = [year for year in RISING if year != 2021]
    expected = slope(years, [RISING[year] for year in years])
    assert row["estimate"] == pytest.approx(expected.estimate, rel=1e-12)
    assert row["ci_low"] == pytest.approx(expected.ci_low, rel=1e-12)


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ({"status": "estimated"}, "estimated"),
        ({"warnings": ["carried_forward"]}, "carried_forward"),
        ({"series_id": "older"}, "break_in_series"),
        ({"comparable": False}, "definition_differs"),
        ({"warnings": ["definition_differs"]}, "definition_differs"),
    ],
)
def test_what_is_no_measurement_of_the_same_thing_does_not_count_and_is_said(columns: dict[str, Any], why: str) -> None:
    figures = changed(series(RISING), "GM0001", 2019, value=999.0, **columns)
    rows, without = found(figures), found(series({y: v for y, v in RISING.items() if y != 2019}))
    for quantity in ("value", "relative_to_nl"):
        row = rows["GM0001", quantity]
        # Against the country, a figure of another series than the country's differs in what is measured.
        expected = "definition_differs" if (why, quantity) == ("break_in_series", "relative_to_nl") else why
        assert row["excluded"] == [f"2019:{expected}"]
        assert (row["points"], row["period_first"]) == (5, "2020")
        assert row["estimate"] == without["GM0001", quantity]["estimate"]
        assert row["warnings"] == []
    assert rows["GM0002", "value"]["excluded"] == []


def test_after_a_break_only_the_new_series_counts() -> None:
    figures = series(RISING).with_columns(
        series_id=pl.when(pl.col("measurement_year") < 2021).then(pl.lit("older")).otherwise(pl.lit("s"))
    )
    row = found(figures)["GM0001", "relative_to_nl"]
    assert (row["points"], row["period_first"]) == (4, "2021")
    assert row["excluded"] == ["2019:break_in_series", "2020:break_in_series"]
    # Two years earlier, the older series has two figures, the newer one as well: too few.
    assert found(figures, 2022)["GM0001", "value"]["reason"] == "too_few_points"


def test_a_figure_that_does_not_count_makes_no_break() -> None:
    figures = changed(series(RISING), "GM0001", 2024, series_id="modelled", status="estimated")
    row = found(figures)["GM0001", "value"]
    assert (row["points"], row["period_last"], row["excluded"]) == (5, "2023", ["2024:estimated"])


def test_too_few_figures_are_no_trend_and_say_so() -> None:
    row = found(series({2022: 50.0, 2023: 51.0, 2024: 52.0}))["GM0001", "value"]
    assert (row["points"], row["reason"], row["verdict"], row["basis"]) == (
        3,
        "too_few_points",
        "not_decidable",
        "none",
    )
    assert [row[name] for name in ("estimate", "ci_low", "ci_high", "p_value", "standard_error")] == [None] * 5


def test_a_region_without_any_figure_has_a_row_too() -> None:
    row = found(series(RISING, ["GM0001", "NL01"]))["GM0002", "relative_to_rest"]
    assert (row["points"], row["excluded"], row["warnings"], row["period_first"]) == (0, [], [], None)
    assert (row["reason"], row["verdict"]) == ("too_few_points", "not_decidable")


@pytest.mark.parametrize(
    ("polarity", "sign", "verdict"),
    [(1, 1, "better"), (1, -1, "worse"), (-1, 1, "worse"), (-1, -1, "better"), (0, 1, "higher"), (0, -1, "lower")],
)
def test_the_verdict_is_the_direction_read_with_the_polarity(polarity: int, sign: int, verdict: str) -> None:
    what = HEALTH.with_columns(polarity=pl.lit(polarity, dtype=pl.Int32))
    row = found(series({year: 50 + sign * (value - 50) for year, value in RISING.items()}), what=what)[
        "REGION", "value"
    ]
    assert (row["verdict"], row["basis"], row["reason"]) == (verdict, "register", None)
    assert row["p_value"] == row["p_value_adjusted"] < 0.05


def test_a_slope_that_scatter_explains_is_no_demonstrable_one() -> None:
    row = found(series({2020: 50.0, 2021: 53.0, 2022: 49.0, 2023: 52.0, 2024: 51.5}))["REGION", "value"]
    assert row["ci_low"] < 0 < row["ci_high"]
    assert (row["verdict"], row["basis"]) == ("no_demonstrable_difference", "register")


def test_a_slope_that_rounding_explains_is_no_demonstrable_one() -> None:
    # A straight line, 50 to 50.4, is a slope of 0.1 for certain; of whole percentages, R = 0.3 and it says nothing.
    straight = {2020 + step: 50 + 0.1 * step for step in range(5)}
    assert found(series(straight))["REGION", "value"]["verdict"] == "better"
    row = found(series(straight, rounding_unit=1.0))["REGION", "value"]
    assert row["ci_low"] == pytest.approx(0.1 - 0.3)
    assert row["verdict"] == "no_demonstrable_difference"


def test_p_values_are_adjusted_over_the_own_municipalities_and_not_for_groups() -> None:
    level = {year: 50.0 + (0.3 if year % 2 else 0.0) for year in RISING}
    figures = pl.concat(
        [series(RISING, ["GM0001", "REGION", "CORE", "NL01", "REST"]), series(level, ["GM0002", "GM0003"])]
    )
    rows = found(figures)
    assert rows["GM0001", "value"]["p_value_adjusted"] == pytest.approx(3 * rows["GM0001", "value"]["p_value"])
    assert rows["CORE", "value"]["p_value_adjusted"] == rows["CORE", "value"]["p_value"]
    # Level for certain is a test as well: it counts in the family, with p 1.
    constant = pl.concat(
        [figures.filter(pl.col("region_code") != "GM0003"), series(dict.fromkeys(RISING, 5.0), ["GM0003"])]
    )
    rows = found(constant)
    assert rows["GM0003", "value"]["p_value"] == 1
    assert rows["GM0001", "value"]["p_value_adjusted"] == pytest.approx(3 * rows["GM0001", "value"]["p_value"])


def test_euro_amounts_have_no_trend_but_their_distance_from_the_country_has() -> None:
    what = indicators("indicator_id nominal_euro\nhealth yes")
    figures = pl.concat(
        [
            series(RISING, [code for code in REGIONS if code != "RURAL"]),
            series({year: 2 * value - 40 for year, value in RISING.items()}, ["RURAL"]),
        ]
    )
    rows = found(figures, what=what)
    row = rows["RURAL", "value"]
    assert (row["estimate"], row["reason"], row["verdict"]) == (None, "nominal_prices", "not_decidable")
    assert (row["points"], row["warnings"], row["basis"]) == (6, ["nominal_prices"], "none")
    row = rows["RURAL", "relative_to_rest"]
    expected = slope(list(RISING), [100 * ((2 * value - 40) / value - 1) for value in RISING.values()])
    assert row["estimate"] == pytest.approx(expected.estimate)
    assert (row["verdict"], row["warnings"]) == ("better", [])
    assert ("CORE", "difference") not in rows
    row = rows["CORE", "relative_difference"]
    expected = slope(list(RISING), [100 * (value / (2 * value - 40) - 1) for value in RISING.values()])
    assert row["estimate"] == pytest.approx(expected.estimate)
    assert row["verdict"] == "worse"


def test_counts_have_only_their_own_trend() -> None:
    what = HEALTH.with_columns(is_count=pl.lit(value=True))
    assert {quantity for _, quantity in found(series(RISING), what=what)} == {"value"}


def test_a_sampled_figure_without_margin_leaves_an_estimate_and_no_verdict() -> None:
    row = found(series(RISING, kind="model"))["GM0001", "value"]
    assert row["estimate"] == pytest.approx(slope(list(RISING), list(RISING.values())).estimate)
    assert (row["points"], row["reason"]) == (6, "no_margin")
    assert (row["verdict"], row["basis"]) == ("not_decidable", "none")
    assert [row[name] for name in ("ci_low", "ci_high", "p_value", "p_value_adjusted")] == [None] * 4


def test_an_unknown_rounding_is_not_taken_for_none() -> None:
    row = found(changed(series(RISING), "GM0001", 2022, rounding_unit=None))["GM0001", "value"]
    assert (row["reason"], row["verdict"], row["basis"]) == ("no_margin", "not_decidable", "none")


def test_warnings_of_the_figures_that_count_come_along() -> None:
    figures = changed(series(RISING), "GM0001", 2020, warnings=["covid_period", "unusual_change"])
    figures = changed(figures, "NL01", 2021, warnings=["covid_period", "definition_differs"])
    rows = found(figures)
    assert rows["GM0001", "value"]["warnings"] == ["covid_period", "unusual_change"]
    assert rows["NL01", "value"]["warnings"] == []
    assert rows["GM0001", "relative_to_nl"]["excluded"] == ["2021:definition_differs"]


def sampled(margins: dict[str, float], values: dict[int, float] = RISING, unit: float = 0.0) -> pl.DataFrame:
    """The same series for all regions, with the margin of each on both sides."""
    half = pl.col("region_code").replace_strict(margins, default=0.5, return_dtype=pl.Float64)
    return series(values, kind="sample", rounding_unit=unit).with_columns(
        ci_low=pl.col("value") - half, ci_high=pl.col("value") + half
    )


def test_the_margin_of_a_distance_is_that_of_two_independent_figures() -> None:
    rows = found(sampled({"GM0001": 3.0, "NL01": 1.0}, unit=0.1))
    values = np.array(list(RISING.values()))
    errors = 100 / values * math.hypot(3, 1) / Z  # all figures are equal: a / b is 1
    expected = slope(list(RISING), [0.0] * 6, list(errors), list(100 / values * 0.2))
    row = rows["GM0001", "relative_to_nl"]
    assert row["standard_error"] == pytest.approx(expected.standard_error)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((expected.ci_low, expected.ci_high))
    assert row["basis"] == "interval"


def test_margins_are_no_narrower_than_their_wider_side() -> None:
    figures = sampled({}).with_columns(ci_high=pl.col("value") + 2)
    row = found(figures)["GM0001", "value"]
    expected = slope(list(RISING), list(RISING.values()), [2 / Z] * 6)
    assert row["standard_error"] == pytest.approx(expected.standard_error)


CONTRAST_BY_DESIGN = pl.DataFrame(
    [
        {
            "measurement_year": year,
            "indicator_id": "health",
            "region_code": "CORE",
            "comparator_code": "RURAL",
            "comparator_year": of_year,
            "breakdown": "total",
            "standard_error": error,
            "degrees_of_freedom": 100.0,
        }
        for year in RISING
        for of_year, error in ((year, 2.0), (2018, 9.0))
    ],
    schema_overrides={"measurement_year": pl.Int32, "comparator_year": pl.Int32},
)


def test_the_contrast_is_as_sure_as_the_design_says_where_it_does() -> None:
    figures = sampled({"CORE": 3.0, "RURAL": 4.0})
    years = np.array(list(RISING)) - np.mean(list(RISING))
    for given, error in ((None, 5 / Z), (CONTRAST_BY_DESIGN, 2.0)):
        row = found(figures, by_design=given)["CORE", "difference"]
        assert row["standard_error"] == pytest.approx(error / math.sqrt((years**2).sum()))
    # What the design says of the difference is not what it says of the parts.
    assert found(figures, by_design=CONTRAST_BY_DESIGN)["CORE", "value"] == found(figures)["CORE", "value"]


def test_cores_that_gain_on_the_countryside_do_better() -> None:
    figures = pl.concat(
        [
            series(
                {year: 60.0 + (0.1 if year % 2 else 0) for year in RISING}, [code for code in REGIONS if code != "CORE"]
            ),
            series(RISING, ["CORE"]),
        ]
    )
    row = found(figures)["CORE", "difference"]
    assert (row["comparator_code"], row["verdict"]) == ("RURAL", "better")
    what = HEALTH.with_columns(polarity=pl.lit(-1, dtype=pl.Int32))
    assert found(figures, what=what)["CORE", "difference"]["verdict"] == "worse"


def test_a_country_of_zero_gives_no_distance() -> None:
    row = found(changed(series(RISING), "NL01", 2022, value=0.0))["GM0001", "relative_to_nl"]
    assert (row["points"], row["estimate"]) == (5, 0)


def test_the_same_figures_in_another_order_give_the_same_bytes() -> None:
    figures = pl.concat(
        [sampled({"GM0001": 2.0}), sampled({"GM0001": 2.0}).with_columns(breakdown=pl.lit("sex=female"))]
    )
    settings = (HEALTH, ROLES, CONTRASTS, [2023, 2024], SETTINGS)
    first = trends(figures, *settings)
    assert trends(figures.sample(fraction=1, shuffle=True, seed=4), *settings).equals(first)
    assert set(first["breakdown"]) == {"sex=female", "total"}


def test_a_year_that_is_made_alone_is_the_same_as_with_the_others() -> None:
    figures = sampled({"GM0001": 2.0})
    both = trends(figures, HEALTH, ROLES, CONTRASTS, [2023, 2024], SETTINGS)
    alone = trends(figures, HEALTH, ROLES, CONTRASTS, [2023], SETTINGS)
    assert both.filter(measurement_year=2023).equals(alone)


def test_two_figures_of_one_year_are_refused() -> None:
    with pytest.raises(ValueError, match="one figure an indicator, region, breakdown and year"):
        trends(pl.concat([series(RISING), series([2020])]), HEALTH, ROLES, CONTRASTS, [2024], SETTINGS)


def test_without_any_figure_every_row_says_that_there_are_too_few() -> None:
    found = trends(series(RISING).clear(), HEALTH, ROLES, CONTRASTS, [2024], SETTINGS)
    assert set(ROLES.municipalities) <= set(found["region_code"])
    assert set(found["reason"]) == {"too_few_points"}
    assert set(found["verdict"]) == {"not_decidable"}
    assert found["estimate"].is_null().all()


# --- what lies between two regions


def between(quantity: str, **given: Any) -> dict[str, Any]:
    figures = table(
        """
        region_code value ci_low ci_high
        CORE        66    64     69
        RURAL       60    59     63
        """,
        indicator_id="health",
        breakdown="total",
        measurement_year=2022,
        reference_period="2022",
        kind="sample",
        rounding_unit=0.1,
        series_id="s",
        status="definitive",
        revision_margin=None,
        warnings=[],
        comparable=True,
    )
    for name, values in given.items():
        figures = figures.with_columns(pl.Series(name, values, dtype=figures.schema[name]))
    pair = {"indicator_id": "health", "breakdown": "total", "region_code": "CORE", "comparator_code": "RURAL"}
    return paired_figures(figures, pl.DataFrame([pair | {"quantity": quantity}])).row(0, named=True)


def test_a_difference_is_lowest_where_one_is_low_and_the_other_high() -> None:
    row = between("difference")
    assert row["value"] == 6
    assert row["ci_low"] == pytest.approx(6 - math.hypot(2, 3))
    assert row["ci_high"] == pytest.approx(6 + math.hypot(3, 1))


@pytest.mark.parametrize("quantity", ["difference", "relative_difference"])
def test_a_complete_count_adds_no_sampling_margin(quantity: str) -> None:
    row = between(quantity, kind=["sample", "register"])
    times = 1 if quantity == "difference" else 100 / 60
    assert (row["value"] - row["ci_low"], row["kind"]) == (pytest.approx(2 * times), "sample")
    assert between(quantity, kind=["register", "register"])["kind"] == "register"


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        (["definitive", "definitive"], "definitive"),
        (["definitive", "provisional"], "provisional"),
        (["provisional", "estimated"], "estimated"),
    ],
)
def test_a_difference_is_as_provisional_as_its_weaker_side(statuses: list[str], expected: str) -> None:
    assert between("difference", status=statuses)["status"] == expected


def test_how_far_a_difference_may_be_revised_is_unknown_where_that_of_a_side_is() -> None:
    assert between("difference", status=["provisional", "provisional"], revision_margin=[0.2, 0.3])[
        "revision_margin"
    ] == pytest.approx(0.5)
    assert between("difference", status=["provisional", "definitive"], revision_margin=[0.2, 0.3])[
        "revision_margin"
    ] == pytest.approx(0.2)
    assert between("difference", status=["provisional", "definitive"])["revision_margin"] is None


@pytest.mark.parametrize(
    "given", [{"series_id": ["s", "t"]}, {"reference_period": ["2022", "2021"]}, {"comparable": [True, False]}]
)
def test_sides_that_were_made_differently_are_not_comparable(given: dict[str, Any]) -> None:
    assert between("difference")["comparable"] is True
    assert between("difference", **given)["comparable"] is False
