"""Differences between regions and between years: which are made, how wide they are, and what they carry with them."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product
from typing import Any

import polars as pl
import pytest

from methods.compare import changes, comparisons
from methods.measure import RegionRoles
from tests.methods.chain import Measurement
from tests.methods.small import indicators, sources, table

# Three municipalities, two in the core; GM0009 is the rest of the country. Weights 2000, 1000, 1000 and 12000, so
# GM0001 is half the region and an eighth of the country, the core three quarters and the region a quarter.
ROLES = RegionRoles(
    municipalities=["GM0001", "GM0002", "GM0003"],
    groups=["REGION", "CORE", "RURAL"],
    country="NL01",
    rest="REST",
    published_as=[],
)
CONTRASTS = [("CORE", "RURAL")]
SHARES = table("""
    group_code municipality_code weight share
    REGION     GM0001            2000   0.5
    REGION     GM0002            1000   0.25
    REGION     GM0003            1000   0.25
    CORE       GM0001            2000   0.6666666666666667
    CORE       GM0002            1000   0.3333333333333333
    RURAL      GM0003            1000   1
    REST       GM0009            12000  1
    """)
INCOME = indicators("indicator_id nominal_euro\nincome yes")
# Table A rounds to 0.1; table B gives exact figures.
TABLES = sources("indicator_id source_table rounding_unit\nincome A 0.1\nincome B 0")
REGISTER_VALUES = """
    region_code value
    GM0001      30
    GM0002      40
    GM0003      36
    GM0009      50
    REGION      34
    CORE        33.333333333333336
    RURAL       36
    REST        50
    NL01        46
    """


def values(text: str, year: int = 2022, period: str | None = None, **given: Any) -> pl.DataFrame:
    """Rows of `indicator_value`."""
    ordinary = {
        "measurement_year": year,
        "indicator_id": "income",
        "reference_period": period or str(year),
        "breakdown": "total",
        "value": None,
        "ci_low": None,
        "ci_high": None,
        "n": 100,
        "status": "definitive",
        "warnings": [],
        "source_table": "A",
        "series_id": "s",
    }
    frame = table(text, **{**ordinary, **given})
    return frame.select("region_code", *ordinary)


def shares(*periods: str, indicator: str = "income", of: pl.DataFrame = SHARES) -> pl.DataFrame:
    """Rows of `group_weight`: the same in every period."""
    return pl.concat(
        of.with_columns(reference_period=pl.lit(period), indicator_id=pl.lit(indicator)) for period in periods
    )


def compared(
    figures: pl.DataFrame, what: pl.DataFrame = INCOME, tables: pl.DataFrame = TABLES
) -> dict[tuple[str, str], dict[str, Any]]:
    """The comparisons of 2022 by region and comparator."""
    found = comparisons(figures, shares("2022"), what, tables, ROLES, CONTRASTS)
    return {(row["region_code"], row["comparator_code"]): row for row in found.iter_rows(named=True)}


def changed(
    now: pl.DataFrame,
    baseline: pl.DataFrame,
    what: pl.DataFrame = INCOME,
    tables: pl.DataFrame = TABLES,
    weights: pl.DataFrame | None = None,
    roles: RegionRoles = ROLES,
) -> dict[tuple[str, str], dict[str, Any]]:
    """The changes since 2022 by region and quantity."""
    weights = shares("2022", "2024") if weights is None else weights
    found = changes(now, baseline, weights, what, tables, roles, 2022)
    return {(row["region_code"], row["quantity"]): row for row in found.iter_rows(named=True)}


def rounding_margin(row: dict[str, Any]) -> float:
    """R: half the width of the interval of a difference between registers."""
    assert row["basis"] == "register"
    return (row["difference_ci_high"] - row["difference_ci_low"]) / 2


def exact(figures: pl.DataFrame, *regions: str) -> pl.DataFrame:
    """The same figures, those of these regions from the table that does not round."""
    table_b = pl.when(pl.col("region_code").is_in(regions)).then(pl.lit("B")).otherwise("source_table")
    return figures.with_columns(source_table=table_b)


def test_every_own_region_is_compared_with_region_country_and_rest_and_the_core_with_the_countryside() -> None:
    own = ["GM0001", "GM0002", "GM0003", "REGION", "CORE", "RURAL"]
    expected = {pair for pair in product(own, ["REGION", "NL01", "REST"]) if pair[0] != pair[1]} | {("CORE", "RURAL")}
    assert set(compared(values(REGISTER_VALUES))) == expected


def test_a_pair_without_figures_has_a_row_too() -> None:
    empty = values(REGISTER_VALUES).with_columns(value=pl.lit(None, dtype=pl.Float64), status=pl.lit("not_measured"))
    found = compared(empty.with_columns(reference_period=pl.lit(None, dtype=pl.String)))
    assert len(found) == 6 * 3 - 1 + 1
    assert {(row["verdict"], row["basis"], row["difference"]) for row in found.values()} == {
        ("not_decidable", "none", None)
    }


def test_counts_are_not_compared() -> None:
    assert compared(values(REGISTER_VALUES), what=INCOME.with_columns(is_count=pl.lit(value=True))) == {}


@pytest.mark.parametrize(
    ("pair", "expected"),
    [
        (("GM0001", "NL01"), 0.1),  # two independent figures: u
        (("GM0001", "REST"), 0.1),
        (("GM0001", "REGION"), 0.1 * (1 - 0.5)),  # a member and its own group: u(1 - w)
        (("GM0002", "REGION"), 0.1 * (1 - 0.25)),
        (("REGION", "NL01"), 0.1 / 2 + 0.1 / 2),  # a weighted mean u/2, a published figure u/2
        (("REGION", "REST"), 0.1 / 2 + 0.1 / 2),
        # Core and region: GM0001 2/3 - 1/2, GM0002 1/3 - 1/4, GM0003 0 - 1/4.
        (("CORE", "REGION"), 0.1 / 2 * (1 / 6 + 1 / 12 + 1 / 4)),
        (("CORE", "RURAL"), 0.1 / 2 * (2 / 3 + 1 / 3 + 1)),
        (("RURAL", "REGION"), 0.1 * (1 - 0.25)),
    ],
)
def test_rounding_reaches_as_far_as_the_published_figures_behind_the_difference(
    pair: tuple[str, str], expected: float
) -> None:
    row = compared(values(REGISTER_VALUES))[pair]
    assert rounding_margin(row) == pytest.approx(expected)
    assert (row["difference_ci_high"] + row["difference_ci_low"]) / 2 == pytest.approx(row["difference"])


def test_a_weighted_mean_of_rounded_figures_is_half_a_unit_uncertain() -> None:
    found = compared(exact(values(REGISTER_VALUES), "NL01", "GM0009"))
    assert rounding_margin(found["REGION", "NL01"]) == pytest.approx(0.1 / 2)
    assert rounding_margin(found["CORE", "REST"]) == pytest.approx(0.1 / 2)


def test_exact_figures_leave_no_rounding_margin() -> None:
    found = compared(values(REGISTER_VALUES, source_table="B"))
    assert rounding_margin(found["GM0001", "REGION"]) == 0
    assert rounding_margin(found["REGION", "NL01"]) == 0


def test_a_difference_within_the_rounding_margin_of_a_member_and_its_group_is_none() -> None:
    # GM0001 33.96 is 0.04 below the group's 34; R = 0.05. Against the country's 34 R would be 0.1.
    figures = values(REGISTER_VALUES.replace("GM0001      30", "GM0001      33.96"))
    assert compared(figures)["GM0001", "REGION"]["verdict"] == "no_demonstrable_difference"
    figures = values(REGISTER_VALUES.replace("GM0001      30", "GM0001      33.94"))
    assert compared(figures)["GM0001", "REGION"]["verdict"] == "worse"


def test_income_of_a_lower_region_is_worse_also_in_euros_and_the_percentage_is_of_the_comparator() -> None:
    row = compared(values(REGISTER_VALUES))["GM0001", "NL01"]
    assert row["difference"] == pytest.approx(30 - 46)
    assert row["relative_difference"] == pytest.approx(100 * (30 / 46 - 1))
    assert (row["verdict"], row["basis"], row["p_value"]) == ("worse", "register", None)
    assert (row["value"], row["comparator_value"], row["reference_period"]) == (30, 46, "2022")


def test_a_figure_of_another_series_is_not_compared() -> None:
    other = pl.when(pl.col("region_code") == "NL01").then(pl.lit("t")).otherwise("series_id")
    found = compared(values(REGISTER_VALUES).with_columns(series_id=other))
    assert found["GM0001", "NL01"]["verdict"] == "not_comparable"
    assert found["GM0001", "REST"]["verdict"] == "worse"


def test_a_comparison_carries_the_warnings_of_both_sides() -> None:
    figures = values("""
        region_code value warnings
        GM0001      30    unusual_change;carried_forward
        NL01        46    carried_forward;break_in_series
        """)
    row = compared(figures)["GM0001", "NL01"]
    assert row["warnings"] == ["break_in_series", "carried_forward", "unusual_change"]


# A survey without rounding. GM0001 7.5 +- 0.4 is half the region; the other half is 6.9 +- 0.3, so the region is
# 7.2 +- sqrt((0.5 * 0.4)**2 + (0.5 * 0.3)**2) = 0.25. GM0002 and GM0003 do not differ from the country at all.
SURVEY_TABLES = sources("indicator_id kind rounding_unit\nincome sample 0")
SURVEY_VALUES = """
    region_code value ci_low ci_high
    GM0001      7.5   7.1    7.9
    GM0002      6.9   6.5    7.3
    GM0003      6.9   6.5    7.3
    REGION      7.2   6.95   7.45
    CORE        7.5   7.1    7.9
    RURAL       6.9   6.5    7.3
    REST        6.9   6.8    7.0
    NL01        6.9   6.75   7.05
    """


def surveyed() -> dict[tuple[str, str], dict[str, Any]]:
    return compared(values(SURVEY_VALUES), tables=SURVEY_TABLES)


def test_a_member_against_its_own_group_is_half_as_far_and_half_as_uncertain_as_against_the_rest() -> None:
    row = surveyed()["GM0001", "REGION"]
    assert row["difference"] == pytest.approx(0.5 * (7.5 - 6.9))
    assert row["difference_ci_low"] == pytest.approx(0.5 * (0.6 - math.hypot(0.4, 0.3)))
    assert row["difference_ci_high"] == pytest.approx(0.5 * (0.6 + math.hypot(0.4, 0.3)))
    assert row["p_value"] == pytest.approx(math.erfc(0.6 / (math.hypot(0.4, 0.3) / 1.9599639845) / math.sqrt(2)))


def test_the_rest_of_the_country_is_independent_and_the_country_overlaps() -> None:
    found = surveyed()
    rest, country = found["GM0001", "REST"], found["GM0001", "NL01"]
    assert rest["difference_ci_low"] == pytest.approx(0.6 - math.hypot(0.4, 0.1))
    # An eighth of the country: (7/8 x 0.4)^2 + 0.15^2 - (1/8 x 0.4)^2.
    assert country["difference_ci_low"] == pytest.approx(0.6 - math.sqrt(0.35**2 + 0.15**2 - 0.05**2))
    # The core is three quarters of the region, the region a quarter of the country.
    region = found["REGION", "NL01"]
    assert region["difference_ci_low"] == pytest.approx(0.3 - math.sqrt((0.75 * 0.25) ** 2 + 0.15**2 - 0.0625**2))


def test_the_region_is_not_taken_for_the_country_where_the_rest_has_no_weights() -> None:
    # A survey held in the region only: how large a part of the country it is, is not known. It is surely not all.
    of_region = shares("2022").filter(pl.col("group_code") != "REST")
    found = comparisons(values(SURVEY_VALUES), of_region, INCOME, SURVEY_TABLES, ROLES, CONTRASTS)
    row = found.row(
        by_predicate=(pl.col("region_code") == "REGION") & (pl.col("comparator_code") == "NL01"), named=True
    )
    known = surveyed()["REGION", "NL01"]
    assert row["difference_ci_low"] <= known["difference_ci_low"]
    assert row["difference_ci_high"] >= known["difference_ci_high"]


def test_p_values_are_adjusted_over_the_municipalities_and_not_for_groups() -> None:
    found = surveyed()
    municipality, group = found["GM0001", "REST"], found["CORE", "REST"]
    assert municipality["p_value"] == pytest.approx(group["p_value"])
    assert municipality["p_value_adjusted"] == pytest.approx(3 * municipality["p_value"])
    assert group["p_value_adjusted"] == pytest.approx(group["p_value"])


# GM0001 alone as another reading of the core: half the region, as GM0001 is.
NARROW_ROLES = replace(ROLES, groups=[*ROLES.groups, "NARROW"], variants=frozenset({"NARROW"}))
NARROW_SHARES = pl.concat([SHARES, table("group_code municipality_code weight share\nNARROW GM0001 2000 1")])


def second_look(text: str, what: pl.DataFrame, tables: pl.DataFrame) -> dict[tuple[str, str], dict[str, Any]]:
    """The comparisons with another reading of the core, of every pair."""
    weights = shares("2022", of=NARROW_SHARES)
    found = comparisons(values(text), weights, what, tables, NARROW_ROLES, CONTRASTS, variants=[("NARROW", "RURAL")])
    return {(row["region_code"], row["comparator_code"]): row for row in found.iter_rows(named=True)}


def test_a_second_look_is_the_difference_with_the_other_reading_of_the_group() -> None:
    found = second_look(f"{REGISTER_VALUES.rstrip()}\n    NARROW 30", INCOME, TABLES)
    row, main = found["NARROW", "RURAL"], found["CORE", "RURAL"]
    assert (row["value"], row["comparator_value"], row["difference"]) == (30, 36, -6)
    assert main["difference"] == pytest.approx(33.333333333 - 36)
    # Two figures rounded to 0.1, GM0001 and GM0003.
    assert rounding_margin(row) == pytest.approx(0.1)
    assert (row["verdict"], row["p_value"]) == ("worse", None)
    pairs = compared(values(REGISTER_VALUES))
    assert {pair: found[pair] for pair in pairs} == pairs, "nothing else moves"
    assert set(found) - set(pairs) == {("NARROW", other) for other in ("RURAL", "REGION", "NL01", "REST")}


def test_a_second_look_is_no_headline_claim_and_makes_those_no_stricter() -> None:
    """Two claims: core against rural, and the region against the rest. Holm: the smaller p twice, the other once."""
    headline = INCOME.with_columns(headline=pl.lit(value=True))
    found = second_look(f"{SURVEY_VALUES.rstrip()}\n    NARROW 7.6 7.2 8.0", headline, SURVEY_TABLES)
    claims = [found["CORE", "RURAL"], found["REGION", "REST"]]
    smaller, larger = sorted(claims, key=lambda row: row["p_value"])
    assert smaller["p_value_adjusted"] == pytest.approx(min(2 * smaller["p_value"], larger["p_value_adjusted"]))
    assert larger["p_value_adjusted"] == pytest.approx(max(2 * smaller["p_value"], larger["p_value"]))
    row = found["NARROW", "RURAL"]
    assert row["difference"] == pytest.approx(0.7)
    assert row["difference_ci_low"] == pytest.approx(0.7 - math.hypot(0.4, 0.4))
    assert row["difference_ci_high"] == pytest.approx(0.7 + math.hypot(0.4, 0.4))
    assert row["p_value"] == pytest.approx(math.erfc(0.7 / (math.hypot(0.4, 0.4) / 1.9599639845) / math.sqrt(2)))
    assert row["p_value_adjusted"] == row["p_value"]
    assert (row["basis"], row["verdict"]) == ("interval", "better")


def test_another_year_is_another_family() -> None:
    both = pl.concat([values(SURVEY_VALUES), values(SURVEY_VALUES, year=2023)])
    found = comparisons(both, shares("2022", "2023"), INCOME, SURVEY_TABLES, ROLES, CONTRASTS)
    here = found.filter(region_code="GM0001", comparator_code="REST")
    assert here["p_value_adjusted"].to_list() == pytest.approx((3 * here["p_value"]).to_list())


BASELINE = values(REGISTER_VALUES)
# All 10% more than in 2022, but GM0001 20%: relative to the country it gains, the others stay.
LATER = values(
    """
    region_code value
    GM0001      36
    GM0002      44
    GM0003      39.6
    GM0009      55
    REGION      38.9
    CORE        38.666666666666664
    RURAL       39.6
    REST        55
    NL01        50.6
    """,
    year=2024,
)


def test_there_is_a_change_for_every_own_region_group_rest_and_country() -> None:
    found = changed(LATER, BASELINE)
    own = {"GM0001", "GM0002", "GM0003", "REGION", "CORE", "RURAL", "REST", "NL01"}
    assert {region for region, quantity in found if quantity == "value"} == own
    row = found["GM0001", "value"]
    assert (row["measurement_year"], row["baseline_year"]) == (2024, 2022)
    assert (row["reference_period"], row["baseline_reference_period"]) == ("2024", "2022")
    assert (row["value"], row["baseline_value"], row["difference"]) == (36, 30, 6)


def test_the_baseline_year_has_no_change_from_itself() -> None:
    found = changes(
        pl.concat([BASELINE, LATER]), BASELINE, shares("2022", "2024"), INCOME, TABLES, ROLES, baseline_year=2022
    )
    assert set(found["measurement_year"]) == {2024}


def test_a_change_relative_to_the_country_is_that_of_the_distance_in_percent() -> None:
    row = changed(LATER, BASELINE)["GM0001", "relative_to_nl"]
    assert row["value"] == pytest.approx(100 * (36 / 50.6 - 1))
    assert row["baseline_value"] == pytest.approx(100 * (30 / 46 - 1))
    assert row["difference"] == pytest.approx(100 * (36 / 50.6 - 30 / 46))


def test_more_euros_are_only_higher_and_a_gain_on_the_country_is_better() -> None:
    found = changed(LATER, BASELINE)
    assert (found["GM0001", "value"]["verdict"], found["GM0001", "relative_to_nl"]["verdict"]) == ("higher", "better")
    assert (found["GM0002", "value"]["verdict"], found["GM0002", "relative_to_nl"]["verdict"]) == (
        "higher",
        "no_demonstrable_difference",
    )
    assert found["GM0001", "value"]["warnings"] == ["nominal_prices"]
    assert found["GM0001", "relative_to_nl"]["warnings"] == []


def test_what_is_no_amount_of_money_may_be_better_in_itself() -> None:
    what = INCOME.with_columns(nominal_euro=pl.lit(value=False))
    row = changed(LATER, BASELINE, what=what)["GM0001", "value"]
    assert (row["verdict"], row["warnings"]) == ("better", [])


def test_a_median_is_judged_relative_to_the_country_though_groups_have_none() -> None:
    # The median income: nominal, and no group value follows from it. Municipalities and the country have theirs.
    what = INCOME.with_columns(group_method=pl.lit("none"))
    municipal = pl.col("region_code").is_in(["GM0001", "GM0002", "GM0003", "NL01"])
    weights = shares("2022", "2024").clear()
    found = changed(LATER.filter(municipal), BASELINE.filter(municipal), what=what, weights=weights)
    assert found["GM0001", "value"]["verdict"] == "higher"
    assert found["GM0001", "relative_to_nl"]["verdict"] == "better"


def test_rounding_of_a_change_is_that_of_both_figures() -> None:
    found = changed(LATER, BASELINE)
    assert rounding_margin(found["GM0001", "value"]) == pytest.approx(0.1)
    assert rounding_margin(found["REGION", "value"]) == pytest.approx(0.1 / 2 + 0.1 / 2)
    before_exact = changed(LATER, values(REGISTER_VALUES, source_table="B"))
    assert rounding_margin(before_exact["REGION", "value"]) == pytest.approx(0.1 / 2)


def test_rounding_of_a_sum_of_fourteen_counts_is_that_of_all_fourteen() -> None:
    codes = [f"GM{place:04d}" for place in range(1, 15)]
    roles = RegionRoles(municipalities=codes, groups=["REGION"], country="NL01", rest="REST", published_as=[])
    what = indicators("indicator_id group_method is_count polarity\nincome sum yes 0")
    weights = table("\n".join(["group_code municipality_code weight share", *(f"REGION {c} 1 1" for c in codes)]))
    rows = "\n".join(["region_code value", *(f"{code} 100" for code in codes), "REGION 1400"])
    found = changed(
        values(rows.replace("1400", "1530"), year=2024),
        values(rows),
        what=what,
        tables=sources("indicator_id rounding_unit\nincome 10"),
        weights=shares("2022", "2024", of=weights),
        roles=roles,
    )
    # Half a unit for each of fourteen counts in each of two years: 14 x 5 + 14 x 5.
    assert rounding_margin(found["REGION", "value"]) == pytest.approx(140)
    assert found["REGION", "value"]["verdict"] == "no_demonstrable_difference"
    assert {quantity for _, quantity in found} == {"value"}


def test_a_figure_that_is_carried_forward_does_not_differ_by_rounding_from_itself() -> None:
    found = changed(values(REGISTER_VALUES, year=2024, period="2022"), BASELINE)
    for region, quantity in product(["GM0001", "REGION"], ["value", "relative_to_nl"]):
        row = found[region, quantity]
        assert (row["verdict"], row["difference"], rounding_margin(row)) == ("no_new_measurement", 0, 0)


@pytest.mark.parametrize("region", ["GM0001", "REGION", "REST"])
def test_rounding_relative_to_the_country_is_that_of_the_derivative(region: str) -> None:
    def relative(figures: dict[str, float]) -> float:
        group = SHARES.filter(group_code=region).select("municipality_code", "share").rows() or [(region, 1.0)]
        return 100 * (sum(share * figures[code] for code, share in group) / figures["NL01"] - 1)

    expected = 0.0
    for frame in (LATER, BASELINE):
        figures = dict(frame.select("region_code", "value").iter_rows())
        for code in ("GM0001", "GM0002", "GM0003", "GM0009", "NL01"):
            more, less = (relative(figures | {code: figures[code] + step}) for step in (1e-5, -1e-5))
            expected += abs(more - less) / 2e-5 * 0.1 / 2
    assert rounding_margin(changed(LATER, BASELINE)[region, "relative_to_nl"]) == pytest.approx(expected, rel=1e-6)


def test_relative_to_a_country_without_figure_nothing_can_be_said() -> None:
    found = changed(LATER.filter(pl.col("region_code") != "NL01"), BASELINE)
    assert found["GM0001", "value"]["verdict"] == "higher"
    row = found["GM0001", "relative_to_nl"]
    assert (row["value"], row["verdict"]) == (None, "not_decidable")


@pytest.mark.parametrize("region", ["GM0001", "NL01"])
def test_a_figure_relative_to_the_country_is_as_provisional_as_either(region: str) -> None:
    provisional = pl.when(pl.col("region_code") == region).then(pl.lit("provisional")).otherwise("status")
    found = changed(LATER.with_columns(status=provisional), BASELINE)
    assert found["GM0001", "relative_to_nl"]["verdict"] == "not_decidable"
    assert found["GM0002", "value"]["verdict"] == "higher"


def test_a_provisional_figure_of_which_the_revision_is_known_is_judged_in_both_quantities() -> None:
    tables = TABLES.with_columns(revision_margin=pl.lit(0.1))
    found = changed(LATER.with_columns(status=pl.lit("provisional")), BASELINE, tables=tables)
    assert (found["GM0001", "value"]["verdict"], found["GM0001", "relative_to_nl"]["verdict"]) == ("higher", "better")


def test_a_break_in_the_series_is_said_and_not_judged() -> None:
    row = changed(LATER.with_columns(series_id=pl.lit("t")), BASELINE)["GM0001", "value"]
    assert row["verdict"] == "not_comparable"
    assert row["warnings"] == ["break_in_series", "nominal_prices"]


def test_a_change_carries_the_warnings_of_both_years() -> None:
    now = LATER.with_columns(warnings=pl.lit(["unusual_change"]))
    before = BASELINE.with_columns(warnings=pl.lit(["covid_period"]))
    row = changed(now, before)["GM0001", "value"]
    assert row["warnings"] == ["covid_period", "nominal_prices", "unusual_change"]


def test_changes_are_adjusted_over_the_municipalities_of_one_quantity() -> None:
    now = values(SURVEY_VALUES, year=2024).with_columns(
        pl.col("value", "ci_low", "ci_high") + pl.when(pl.col("region_code") == "GM0001").then(0.6).otherwise(0.0)
    )
    row = changed(now, values(SURVEY_VALUES), tables=SURVEY_TABLES)["GM0001", "value"]
    expected = math.erfc(0.6 / (math.hypot(0.4, 0.4) / 1.9599639845) / math.sqrt(2))
    assert row["p_value"] == pytest.approx(expected)
    assert row["p_value_adjusted"] == pytest.approx(3 * expected)


# A ratio: benefits, published in tens, per 1 000 inhabitants. The weights are the inhabitants, 16 000 in the country.
RATIO = indicators("indicator_id group_method polarity\nincome ratio -1")
RATIO_TABLES = sources("indicator_id rounding_unit\nincome 10000")


@pytest.mark.parametrize(
    ("pair", "expected"),
    [
        # Five benefits more or less on 2 000 inhabitants are 2.5 per 1 000, on 16 000 they are 0.3125.
        (("GM0001", "NL01"), 2.5 + 0.3125),
        (("GM0001", "REST"), 2.5 + 5 / 12),
        # Three counts in the region, five off each, on 4 000 inhabitants.
        (("REGION", "NL01"), 3 * 5 / 4 + 0.3125),
        # GM0001 counts for itself less its half of the region, the others for their quarters.
        (("GM0001", "REGION"), 2.5 * (1 - 0.5) + 5 * 0.25 + 5 * 0.25),
        (("CORE", "RURAL"), 2 * 5 / 3 + 5),
    ],
)
def test_rounding_of_a_ratio_is_that_of_its_numerator_over_its_denominator(
    pair: tuple[str, str], expected: float
) -> None:
    assert rounding_margin(compared(values(REGISTER_VALUES), RATIO, RATIO_TABLES)[pair]) == pytest.approx(expected)


def test_of_a_ratio_whose_denominator_is_not_known_the_rounding_is_not_known_either() -> None:
    # Without the inhabitants of the rest those of the country are not known: its figure is not taken for an exact one.
    of_region = shares("2022").filter(pl.col("group_code") != "REST")
    found = comparisons(values(REGISTER_VALUES), of_region, RATIO, RATIO_TABLES, ROLES, CONTRASTS)
    verdicts = {
        comparator: (verdict, basis)
        for region, comparator, verdict, basis in found.select(
            "region_code", "comparator_code", "verdict", "basis"
        ).iter_rows()
        if region == "GM0001"
    }
    assert verdicts["NL01"] == verdicts["REST"] == ("not_decidable", "none")
    assert verdicts["REGION"][1] == "register"


def test_rounding_of_a_change_of_a_ratio_is_that_of_both_years() -> None:
    found = changed(LATER, BASELINE, RATIO, RATIO_TABLES)
    assert rounding_margin(found["GM0001", "value"]) == pytest.approx(2.5 + 2.5)
    assert rounding_margin(found["REGION", "value"]) == pytest.approx(3.75 + 3.75)
    assert rounding_margin(found["NL01", "value"]) == pytest.approx(0.3125 + 0.3125)


@pytest.mark.parametrize(
    ("region", "half_unit"), [("GM0001", 2.5), ("REGION", 3.75), ("CORE", 10 / 3), ("REST", 5 / 12)]
)
def test_rounding_of_a_ratio_relative_to_the_country_is_that_of_all_its_counts(region: str, half_unit: float) -> None:
    # Once, the members of a group counted for one of them.
    expected = 0.0
    for frame in (LATER, BASELINE):
        figures = dict(frame.select("region_code", "value").iter_rows())
        x, n = figures[region], figures["NL01"]
        expected += 100 / n * (half_unit + x / n * 0.3125)
    row = changed(LATER, BASELINE, RATIO, RATIO_TABLES)[region, "relative_to_nl"]
    assert rounding_margin(row) == pytest.approx(expected)


# Sampling margins that are not symmetric, so that every side shows: GM0001 of now and then, and the country.
SAMPLED = {
    2024: "region_code value ci_low ci_high source_table\nGM0001 7.5 7.2 7.9 A\nNL01 6.0 5.9 6.2 {country}",
    2022: "region_code value ci_low ci_high source_table\nGM0001 6.6 6.4 7.1 A\nNL01 5.0 4.9 5.3 {country}",
}
# Table A is a survey, table B a register; neither rounds.
MIXED = sources("indicator_id source_table kind rounding_unit\nincome A sample 0\nincome B register 0")


def relative_interval(country: str, without_margin: bool = False, what: pl.DataFrame = MIXED) -> dict[str, Any]:
    now, then = (values(text.format(country=country), year=year) for year, text in SAMPLED.items())
    if without_margin:
        now, then = (
            frame.with_columns(
                pl.when(pl.col("region_code") != "NL01").then(pl.col(side)).alias(side)
                for side in ("ci_low", "ci_high")
            )
            for frame in (now, then)
        )
    what_is_measured = INCOME.with_columns(nominal_euro=pl.lit(value=False))
    return changed(now, then, what_is_measured, what, weights=shares("2022", "2024").clear())[
        "GM0001", "relative_to_nl"
    ]


def test_the_interval_of_a_relative_change_follows_from_the_margins_of_all_four_figures() -> None:
    row = relative_interval("A")
    assert row["difference"] == pytest.approx(100 * (7.5 / 6.0 - 6.6 / 5.0))
    # Lower where GM0001 was lower and the country higher: to first order, 100/n times own margin and x/n times that
    # of the country. The change is lowest where the new figure is low and the old one high.
    now_low = 100 / 6.0 * math.hypot(0.3, 7.5 / 6.0 * 0.2)
    now_high = 100 / 6.0 * math.hypot(0.4, 7.5 / 6.0 * 0.1)
    then_low = 100 / 5.0 * math.hypot(0.2, 6.6 / 5.0 * 0.3)
    then_high = 100 / 5.0 * math.hypot(0.5, 6.6 / 5.0 * 0.1)
    assert row["difference_ci_low"] == pytest.approx(row["difference"] - math.hypot(now_low, then_high))
    assert row["difference_ci_high"] == pytest.approx(row["difference"] + math.hypot(now_high, then_low))
    assert row["basis"] == "interval"


@pytest.mark.parametrize("without_margin", [False, True])
def test_a_register_has_no_sampling_margin_whatever_is_written_beside_it(without_margin: bool) -> None:
    row = relative_interval("B", without_margin)
    expected = math.hypot(100 / 6.0 * 0.3, 100 / 5.0 * 0.5)
    assert row["difference_ci_low"] == pytest.approx(row["difference"] - expected)
    assert row["basis"] == "interval"


def test_a_sampled_country_without_margin_decides_nothing() -> None:
    row = relative_interval("A", without_margin=True)
    assert (row["verdict"], row["basis"], row["difference_ci_low"]) == ("not_decidable", "none", None)


def test_registers_on_both_sides_leave_only_rounding() -> None:
    registers = MIXED.with_columns(kind=pl.lit("register"))
    row = relative_interval("B", what=registers)
    assert (row["basis"], rounding_margin(row)) == ("register", 0)


# --- differences of which the survey's design gives the standard error

# GM0001 and the rest of the country differ by 0.6. By their margins that is 0.6 -+ 0.41: better. By the design, with a
# standard error of 0.3 and 10 degrees of freedom, t is 2: two-sided p 0.07338803, and 97.5% of t lies below 2.22813885
# (R 4.2.2: 2 * pt(-2, 10) and qt(0.975, 10)).
OF_DESIGN = "indicator_id region_code comparator_code comparator_year measurement_year breakdown"
NUMBERS_OF_DESIGN = ["standard_error", "degrees_of_freedom"]
T_975, P_OF_2 = 2.22813885, 0.07338803


def by_design(*rows: str) -> pl.DataFrame:
    """Rows of `survey_contrast`: region, comparator, its year, the year, breakdown, standard error and df."""
    text = "\n".join([f"{OF_DESIGN} {' '.join(NUMBERS_OF_DESIGN)}", *(f"income {row}" for row in rows)])
    years = pl.col("measurement_year", "comparator_year").cast(pl.Int32)
    return table(text).with_columns(years, pl.col(NUMBERS_OF_DESIGN).cast(pl.Float64))


def compared_by_design(
    *rows: str, figures: pl.DataFrame | None = None, tables: pl.DataFrame = SURVEY_TABLES
) -> dict[tuple[str, str, str], dict[str, Any]]:
    """The comparisons of 2022 by region, comparator and breakdown."""
    figures = values(SURVEY_VALUES) if figures is None else figures
    found = comparisons(figures, shares("2022"), INCOME, tables, ROLES, CONTRASTS, by_design(*rows))
    key = ("region_code", "comparator_code", "breakdown")
    return {tuple(row[name] for name in key): row for row in found.iter_rows(named=True)}


AGAINST_REST = "GM0001 REST 2022 2022 total 0.3 10"


def test_what_the_design_says_of_a_difference_goes_before_the_margins_of_its_sides() -> None:
    row = compared_by_design(AGAINST_REST)["GM0001", "REST", "total"]
    assert row["difference"] == pytest.approx(0.6)
    assert row["difference_ci_low"] == pytest.approx(0.6 - T_975 * 0.3)
    assert row["difference_ci_high"] == pytest.approx(0.6 + T_975 * 0.3)
    assert row["p_value"] == pytest.approx(P_OF_2)
    assert (row["basis"], row["verdict"]) == ("interval", "no_demonstrable_difference")
    assert surveyed()["GM0001", "REST"]["verdict"] == "better"


def test_a_smaller_standard_error_by_the_design_makes_a_difference_demonstrable() -> None:
    """Two regions of one sample that move together: their margins alone would find nothing."""
    alone = surveyed()["REGION", "REST"]
    assert alone["difference_ci_low"] == pytest.approx(0.3 - math.hypot(0.25, 0.1))
    row = compared_by_design("CORE RURAL 2022 2022 total 0.1 1000", figures=wide())["CORE", "RURAL", "total"]
    assert row["verdict"] == "better"
    assert compared_by_design(figures=wide())["CORE", "RURAL", "total"]["verdict"] == "no_demonstrable_difference"


def wide() -> pl.DataFrame:
    """The survey with margins ten times as wide."""
    return values(SURVEY_VALUES).with_columns(
        (pl.col("value") + 10 * (pl.col(side) - pl.col("value"))).alias(side) for side in ("ci_low", "ci_high")
    )


def test_the_design_leaves_the_other_differences_to_their_margins() -> None:
    found = compared_by_design(AGAINST_REST)
    for pair, row in surveyed().items():
        if pair[1] != "REST":  # of those against the rest the adjusted p-values follow each other
            assert found[(*pair, "total")] == row


def test_p_values_by_design_are_adjusted_with_the_others_of_their_family() -> None:
    # Three municipalities; the other two do not differ at all from the rest: p is 1.
    row = compared_by_design(AGAINST_REST)["GM0001", "REST", "total"]
    assert row["p_value_adjusted"] == pytest.approx(3 * P_OF_2)
    group = compared_by_design("CORE REST 2022 2022 total 0.3 10")["CORE", "REST", "total"]
    assert group["p_value_adjusted"] == pytest.approx(P_OF_2)


def test_rounding_comes_on_top_of_what_the_design_says() -> None:
    # Both are published figures, rounded to 0.1: R is 0.1.
    tables = SURVEY_TABLES.with_columns(rounding_unit=pl.lit(0.1))
    row = compared_by_design("GM0001 NL01 2022 2022 total 0.3 10", tables=tables)["GM0001", "NL01", "total"]
    assert row["difference_ci_low"] == pytest.approx(0.6 - T_975 * 0.3 - 0.1)
    assert row["difference_ci_high"] == pytest.approx(0.6 + T_975 * 0.3 + 0.1)
    assert row["p_value"] == pytest.approx(P_OF_2)


@pytest.mark.parametrize(
    "of_another",
    [
        "GM0001 REST 2022 2022 sex=female 0.3 10",
        "GM0001 REST 2022 2023 total 0.3 10",
        "GM0001 REST 2021 2022 total 0.3 10",
        "GM0002 REST 2022 2022 total 0.3 10",
        "REST GM0001 2022 2022 total 0.3 10",
    ],
)
def test_what_the_design_says_of_another_difference_is_not_used(of_another: str) -> None:
    row = compared_by_design(of_another)["GM0001", "REST", "total"]
    assert row["difference_ci_low"] == pytest.approx(0.6 - math.hypot(0.4, 0.1))


def test_every_breakdown_has_the_standard_error_and_the_family_of_its_own() -> None:
    women = values(SURVEY_VALUES, breakdown="sex=female")
    rows = [AGAINST_REST, "GM0001 REST 2022 2022 sex=female 0.15 10"]
    found = compared_by_design(*rows, figures=pl.concat([values(SURVEY_VALUES), women]))
    total, of_women = (found["GM0001", "REST", breakdown] for breakdown in ("total", "sex=female"))
    assert total["difference_ci_low"] == pytest.approx(0.6 - T_975 * 0.3)
    assert of_women["difference_ci_low"] == pytest.approx(0.6 - T_975 * 0.15)
    assert total["p_value_adjusted"] == pytest.approx(3 * total["p_value"])
    assert of_women["p_value_adjusted"] == pytest.approx(3 * of_women["p_value"])


@pytest.mark.parametrize("estimated", ["GM0001", "REST"])
def test_what_the_design_says_of_direct_figures_is_not_said_of_those_of_a_model(estimated: str) -> None:
    status = pl.when(pl.col("region_code") == estimated).then(pl.lit("estimated")).otherwise("status")
    figures = values(SURVEY_VALUES).with_columns(status=status)
    row = compared_by_design(AGAINST_REST, figures=figures)["GM0001", "REST", "total"]
    assert row["difference_ci_low"] == pytest.approx(0.6 - math.hypot(0.4, 0.1))
    assert row["p_value"] == pytest.approx(math.erfc(0.6 / (math.hypot(0.4, 0.1) / 1.9599639845) / math.sqrt(2)))


def test_what_is_hidden_is_not_judged_by_its_design() -> None:
    here = pl.col("region_code") == "GM0001"
    hidden = values(SURVEY_VALUES).with_columns(
        *(pl.when(~here).then(name).alias(name) for name in ("value", "ci_low", "ci_high")),
        status=pl.when(here).then(pl.lit("suppressed")).otherwise("status"),
    )
    row = compared_by_design(AGAINST_REST, figures=hidden)["GM0001", "REST", "total"]
    numbers = ["difference", "difference_ci_low", "difference_ci_high", "p_value", "p_value_adjusted"]
    assert [row[name] for name in numbers] == [None] * 5
    assert (row["verdict"], row["basis"]) == ("not_decidable", "none")


def changed_by_design(*rows: str, **given: Any) -> dict[tuple[str, str], dict[str, Any]]:
    """The changes from 2022 to 2024 of a survey in which GM0001 rose from 6.9 to 7.5."""
    before = SURVEY_VALUES.replace("GM0001      7.5   7.1    7.9", "GM0001      6.9   6.5    7.3")
    assert before != SURVEY_VALUES
    now = values(SURVEY_VALUES, year=2024, **given)
    found = changes(now, values(before), shares("2022", "2024"), INCOME, SURVEY_TABLES, ROLES, 2022, by_design(*rows))
    return {(row["region_code"], row["quantity"]): row for row in found.iter_rows(named=True)}


SINCE_2022 = "GM0001 GM0001 2022 2024 total 0.3 10"


def test_a_change_is_judged_by_the_design_too() -> None:
    """Of a panel: the same people twice."""
    row = changed_by_design(SINCE_2022)["GM0001", "value"]
    assert row["difference"] == pytest.approx(0.6)
    assert row["difference_ci_low"] == pytest.approx(0.6 - T_975 * 0.3)
    assert row["p_value"] == pytest.approx(P_OF_2)
    assert row["p_value_adjusted"] == pytest.approx(3 * P_OF_2)
    assert changed_by_design()["GM0001", "value"]["difference_ci_low"] == pytest.approx(0.6 - math.hypot(0.4, 0.4))


@pytest.mark.parametrize("of_another", ["GM0001 GM0001 2023 2024 total 0.3 10", "GM0001 REST 2024 2024 total 0.3 10"])
def test_a_change_since_another_year_and_a_comparison_say_nothing_of_the_change(of_another: str) -> None:
    assert changed_by_design(of_another) == changed_by_design()


def test_the_change_relative_to_the_country_is_left_to_the_margins() -> None:
    key = ("GM0001", "relative_to_nl")
    assert changed_by_design(SINCE_2022)[key] == changed_by_design()[key]


def test_an_estimate_of_a_model_is_no_new_measurement_whatever_the_design_says() -> None:
    row = changed_by_design(SINCE_2022, status="estimated")["GM0001", "value"]
    assert (row["verdict"], row["p_value"]) == ("no_new_measurement", None)


# --- breakdowns, and figures of an unknown method


def test_women_are_compared_with_women_and_relative_to_the_women_of_the_country() -> None:
    women = {year: values(REGISTER_VALUES, year=year, breakdown="sex=female") for year in (2022, 2024)}
    halved = {year: frame.with_columns(pl.col("value") / 2) for year, frame in women.items()}
    now, before = pl.concat([LATER, halved[2024]]), pl.concat([BASELINE, halved[2022]])
    found = comparisons(before, shares("2022"), INCOME, TABLES, ROLES, CONTRASTS)
    row = found.row(
        by_predicate=(pl.col("region_code") == "GM0001")
        & (pl.col("comparator_code") == "NL01")
        & (pl.col("breakdown") == "sex=female"),
        named=True,
    )
    assert (row["value"], row["comparator_value"], row["difference"]) == (15, 23, -8)
    over_time = changes(now, before, shares("2022", "2024"), INCOME, TABLES, ROLES, 2022)
    relative = over_time.filter(region_code="GM0001", quantity="relative_to_nl").sort("breakdown")
    assert relative["breakdown"].to_list() == ["sex=female", "total"]
    assert relative["value"].to_list() == pytest.approx([100 * (15 / 23 - 1), 100 * (36 / 50.6 - 1)])


UNKNOWN_METHOD = TABLES.with_columns(comparable=pl.lit(value=False))


def test_a_figure_published_without_method_is_comparable_with_nothing() -> None:
    found = compared(values(REGISTER_VALUES), tables=UNKNOWN_METHOD)
    assert {(row["verdict"], row["basis"], row["difference"]) for row in found.values()} == {
        ("not_comparable", "none", None)
    }
    over_time = changed(LATER, BASELINE, tables=UNKNOWN_METHOD)
    assert over_time["GM0001", "value"]["verdict"] == "not_comparable"
    assert "break_in_series" in over_time["GM0001", "value"]["warnings"]


def test_one_side_of_an_unknown_method_is_enough() -> None:
    one = TABLES.with_columns(comparable=pl.col("source_table") != "B")
    found = compared(exact(values(REGISTER_VALUES), "NL01"), tables=one)
    assert found["GM0001", "NL01"]["verdict"] == "not_comparable"
    assert found["GM0001", "REST"]["verdict"] == "worse"


def of_2022(official: Measurement, indicator: str, region: str, comparator: str) -> dict[str, Any]:
    rows = official.comparison.filter(
        measurement_year=2022, indicator_id=indicator, region_code=region, comparator_code=comparator
    )
    assert rows.height == 1
    return rows.row(0, named=True)


def test_the_official_figures_have_all_promised_pairs_and_none_for_counts(official: Measurement) -> None:
    own = [*official.roles.municipalities, "TWENTE", "URBAN_CORE", "RURAL", "RURAL_NARROW"]
    expected = {pair for pair in product(own, ["TWENTE", "NL01", "NL_REST"]) if pair[0] != pair[1]}
    expected |= {("URBAN_CORE", "RURAL"), ("URBAN_CORE", "RURAL_NARROW")}
    expected |= {(code, f"PEERS_{code}") for code in official.roles.municipalities}
    pairs = ["region_code", "comparator_code"]
    measures = official.indicators.filter(~pl.col("is_count"))["indicator_id"].to_list()
    assert set(official.comparison["indicator_id"]) == set(measures)
    for year, indicator in product(official.years, measures):
        rows = official.comparison.filter(measurement_year=year, indicator_id=indicator).select(pairs).rows()
        assert len(rows) == len(set(rows)) == 69
        assert set(rows) == expected, (year, indicator)


# Group values as in GOLDEN of test_measure.py, computed apart from this software. Tolerance: two third decimals.
@pytest.mark.parametrize(
    ("year", "indicator", "core", "rural", "narrow", "verdict"),
    [
        (2022, "income_standardised_mean", 29.128, 34.281, 34.247, "worse"),
        (2025, "income_standardised_mean", 36.577, 43.673, 43.737, "worse"),
        (2022, "perceived_health_good", 67.010, 72.900, 73.109, "not_decidable"),
    ],
)
def test_the_contrast_without_the_in_between_group_is_that_of_the_other_seven(
    official: Measurement, year: int, indicator: str, core: float, rural: float, narrow: float, verdict: str
) -> None:
    rows = official.comparison.filter(measurement_year=year, indicator_id=indicator, region_code="URBAN_CORE")
    for comparator, value in (("RURAL", rural), ("RURAL_NARROW", narrow)):
        (row,) = rows.filter(comparator_code=comparator).to_dicts()
        assert row["difference"] == pytest.approx(core - value, abs=0.002), comparator
        assert (row["verdict"], row["p_value"]) == (verdict, None)


# Mean income of 2021 (households with students, weighed with households), as the Regio Deal Twente II covenant gives
# it and as computed apart from this software from the published figures, in percent. Tolerance: the printed decimal.
@pytest.mark.parametrize(
    ("region", "against_rest", "against_country"),
    [("TWENTE", -6.5, -6.2), ("GM0164", -6.8, -6.5), ("GM0141", -11.9, -11.6), ("GM0153", -17.5, -17.3)],
)
def test_incomes_lie_as_far_below_the_country_as_the_covenant_says(
    official: Measurement, region: str, against_rest: float, against_country: float
) -> None:
    for comparator, percent in (("NL_REST", against_rest), ("NL01", against_country)):
        row = of_2022(official, "income_standardised_mean", region, comparator)
        assert row["relative_difference"] == pytest.approx(percent, abs=0.05)
        assert (row["reference_period"], row["verdict"], row["basis"]) == ("2021", "worse", "register")


def test_health_in_the_core_is_below_that_of_the_region_and_without_margins_nothing_is_concluded(
    official: Measurement,
) -> None:
    # 67.010 and 69.971 in 2022, weighed with inhabitants: -4.2% in the covenant's check. A model without margins.
    row = of_2022(official, "perceived_health_good", "URBAN_CORE", "TWENTE")
    assert row["difference"] == pytest.approx(67.010 - 69.971, abs=0.001)
    assert row["relative_difference"] == pytest.approx(-4.2, abs=0.05)
    assert (row["verdict"], row["basis"]) == ("not_decidable", "none")
    assert {"covid_period", "model_based", "no_margin", "weight_approximate"} <= set(row["warnings"])


def test_official_changes_say_no_more_than_the_figures_allow(official: Measurement) -> None:
    def verdict(indicator: str, region: str, year: int, quantity: str = "value") -> str:
        rows = official.change.filter(
            indicator_id=indicator, region_code=region, measurement_year=year, quantity=quantity
        )
        assert rows.height == 1
        return str(rows["verdict"].item())

    # Income of 2024 is provisional and nothing says how far it may be revised; that of 2023 is carried from 2021.
    for quantity in ("value", "relative_to_nl"):
        assert verdict("income_standardised_mean", "GM0153", 2024, quantity) == "not_decidable"
        assert verdict("income_standardised_mean", "GM0153", 2023, quantity) == "no_new_measurement"
    # Without students 2022 and 2023 are final: 34.171 and 36.914 for Twente.
    assert verdict("income_standardised_mean_excl_students", "TWENTE", 2023) == "higher"
    assert verdict("perceived_health_good", "TWENTE", 2025) == "no_new_measurement"
    assert set(official.change["measurement_year"]) == {2023, 2024, 2025}


def test_a_year_that_is_made_alone_is_the_same_as_with_the_others(official: Measurement) -> None:
    # Warnings of the country once came from whichever year used the reference period first.
    key = ["measurement_year", "indicator_id", "region_code", "breakdown", "quantity"]
    everything = official.change.sort(key)
    for year in (2023, 2024, 2025):
        alone = changes(
            official.indicator_value.filter(measurement_year=year),
            official.indicator_value.filter(measurement_year=official.years[0]),
            official.group_weight,
            official.indicators,
            official.sources,
            official.roles,
            official.years[0],
        ).sort(key)
        assert alone.equals(everything.filter(measurement_year=year)), year


def test_a_relative_change_carries_the_warnings_of_the_country_in_its_own_year(official: Measurement) -> None:
    row = official.change.filter(
        indicator_id="perceived_health_good_direct",
        region_code="TWENTE",
        measurement_year=2024,
        quantity="relative_to_nl",
    )
    assert {"carried_forward", "newer_published"} <= set(row["warnings"].item())


def test_what_a_model_says_of_a_region_without_answers_of_its_own_decides_nothing() -> None:
    # The same estimate and margin twice; only where the region's own answers are in it may something be said.
    text = """
        region_code value ci_low ci_high status    n
        GM0001      60    59     61      estimated {n}
        REST        40    39     41      definitive 900
    """
    said = {}
    for n in ("50", "-"):
        found = comparisons(values(text.format(n=n)), shares("2022").clear(), INCOME, SURVEY_TABLES, ROLES, CONTRASTS)
        row = found.row(
            by_predicate=(pl.col("region_code") == "GM0001") & (pl.col("comparator_code") == "REST"), named=True
        )
        said[n] = row["verdict"], row["basis"]
    assert said == {"50": ("better", "interval"), "-": ("not_decidable", "none")}
