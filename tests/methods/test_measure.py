"""The figure of every region, indicator and measurement year; and where there is none, why."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from methods.aggregate import choose_figures, group_values, group_weights, member_weights
from methods.measure import RegionRoles, indicator_values
from tests.methods.chain import Measurement
from tests.methods.small import indicators, observation, sources, table

# A region of two municipalities, one of which is its core; GM0003 is the rest of the country. HEALTH1 is the region
# under the code of another publisher.
ROLES = RegionRoles(
    municipalities=["GM0001", "GM0002"],
    groups=["REGION", "CORE"],
    country="NL01",
    rest="REST",
    published_as=["HEALTH1"],
)
FIGURES = observation("""
    indicator_id region_code period value
    income       GM0001      2022   30
    income       GM0002      2022   40
    income       GM0003      2022   50
    income       NL01        2022   44
    households   GM0001      2022   3000
    households   GM0002      2022   1000
    households   GM0003      2022   500
    """)
SMALL = Measurement(
    observation=FIGURES,
    members=table("""
        group_code municipality_code period
        REGION     GM0001            2022
        REGION     GM0002            2022
        CORE       GM0001            2022
        REST       GM0003            2022
        """),
    indicators=indicators("""
        indicator_id weigh_by   group_method  is_count
        income       households weighted_mean no
        households   -          sum           yes
        """),
    sources=sources("indicator_id\nincome\nhouseholds"),
    frozen=table("indicator_id source_table period"),
    known=table("indicator_id period"),
    years=[2022],
    roles=ROLES,
    contrasts=[],
)


def measured(region: str = "GM0001", year: int = 2022, indicator: str = "income", **given: Any) -> dict[str, Any]:
    """The figure of one region in the small measurement, with other frames `given`."""
    return replace(SMALL, **given).value(indicator, region, year)


def without(region: str) -> pl.DataFrame:
    return FIGURES.filter((pl.col("region_code") != region) | (pl.col("indicator_id") != "income"))


def test_every_region_has_its_figure_published_or_computed() -> None:
    found = SMALL.indicator_value.filter(indicator_id="income").sort("region_code")
    assert found.select("region_code", "value").rows() == [
        ("CORE", 30.0),
        ("GM0001", 30.0),
        ("GM0002", 40.0),
        ("GM0003", 50.0),
        ("NL01", 44.0),
        ("REGION", 32.5),
        ("REST", 50.0),
    ]
    assert set(found["reference_period"]) == {"2022"}
    assert set(found["breakdown"]) == {"total"}


def test_each_own_region_has_one_row_for_each_indicator_and_year_even_if_empty() -> None:
    found = replace(SMALL, observation=FIGURES.clear(), years=[2022, 2023]).indicator_value
    assert found.height == 6 * 2 * 2  # two municipalities, two groups, rest and country; two indicators; two years
    assert found["value"].null_count() == found.height
    assert found["status"].null_count() == 0


def test_the_country_has_the_published_figure_and_not_the_mean_of_all_municipalities() -> None:
    assert measured("NL01")["value"] == 44  # and not (3000 x 30 + 1000 x 40 + 500 x 50) / 4500 = 34.4


def test_without_a_published_figure_the_country_has_none_and_says_not_retrieved() -> None:
    found = measured("NL01", observation=without("NL01"))
    assert (found["value"], found["status"]) == (None, "not_retrieved")


def test_where_no_figure_of_the_country_exists_it_is_not_applicable() -> None:
    what = SMALL.indicators.with_columns(country_figure=pl.lit(value=False))
    found = measured("NL01", observation=without("NL01"), indicators=what)
    assert (found["value"], found["status"]) == (None, "not_applicable")


def test_a_group_without_a_sound_weight_is_not_applicable_but_its_members_have_their_figures() -> None:
    what = indicators("indicator_id group_method\nincome none")
    for group in ("REGION", "CORE", "REST"):
        found = measured(group, indicators=what)
        assert (found["value"], found["status"]) == (None, "not_applicable")
    assert measured("GM0001", indicators=what)["value"] == 30


def test_a_source_that_says_why_a_figure_is_missing_is_believed() -> None:
    suppressed = without("GM0003").vstack(
        observation("indicator_id region_code period value status\nincome GM0003 2022 - suppressed")
    )
    found = measured("GM0003", observation=suppressed)
    assert (found["value"], found["status"]) == (None, "suppressed")


def test_without_a_reference_period_the_status_says_whether_there_is_anything_to_retrieve() -> None:
    known = table("indicator_id period\nincome 2022")
    assert measured(observation=FIGURES.clear(), known=known)["status"] == "not_retrieved"
    assert measured(observation=FIGURES.clear())["status"] == "not_measured"


def test_a_missing_figure_is_null_and_never_zero() -> None:
    found = measured("REGION", observation=without("GM0002"))
    assert found["value"] is None


def test_a_carried_figure_keeps_its_status_and_says_that_it_is_carried() -> None:
    figures = FIGURES.with_columns(status=pl.lit("provisional"))
    this, later = (measured(year=year, observation=figures, years=[2022, 2023]) for year in (2022, 2023))
    assert (this["status"], this["warnings"]) == ("provisional", [])
    assert (later["value"], later["status"], later["lag_years"]) == (30, "provisional", 1)
    assert later["warnings"] == ["carried_forward"]


def test_a_carried_figure_says_when_a_newer_one_exists() -> None:
    known = table("indicator_id period\nincome 2022\nincome 2023")
    for region in ("GM0001", "REGION", "REST", "NL01"):
        found = measured(region, year=2023, years=[2022, 2023], known=known)
        assert found["warnings"] == ["carried_forward", "newer_published"], region


def test_a_missing_figure_has_no_age() -> None:
    found = measured("NL01", year=2023, years=[2022, 2023], observation=without("NL01"))
    assert (found["value"], found["warnings"]) == (None, [])


def test_warnings_of_the_figure_and_of_its_age_are_united_and_sorted() -> None:
    figures = FIGURES.with_columns(warnings=pl.lit(["no_margin", "break_in_series"]))
    found = measured(year=2023, years=[2022, 2023], observation=figures)
    assert found["warnings"] == ["break_in_series", "carried_forward", "no_margin"]


def test_a_figure_published_for_the_region_under_another_code_is_the_regions() -> None:
    # As the health region GG1106, which holds exactly the fourteen.
    what = indicators("indicator_id group_method measured_for\nincome none region")
    figures = observation("indicator_id region_code period value\nincome HEALTH1 2022 70")
    found = measured("REGION", observation=figures, indicators=what)
    assert (found["value"], found["status"]) == (70, "definitive")
    assert measured("HEALTH1", observation=figures, indicators=what)["value"] == 70
    assert measured("CORE", observation=figures, indicators=what)["value"] is None


def test_where_the_region_is_computed_the_computed_figure_stands() -> None:
    figures = FIGURES.vstack(observation("indicator_id region_code period value\nincome HEALTH1 2022 70"))
    assert measured("REGION", observation=figures)["value"] == 32.5


OWN_FIGURE = observation("indicator_id region_code period value\nincome REGION 2022 33")


def test_a_group_that_has_a_figure_of_its_own_keeps_it() -> None:
    """One made from a survey's answers: the mean of the members' figures is another estimate of the same."""
    figures = FIGURES.vstack(OWN_FIGURE)
    assert measured("REGION", observation=figures)["value"] == 33
    assert measured("CORE", observation=figures)["value"] == 30
    found = replace(SMALL, observation=figures).indicator_value.filter(indicator_id="income", region_code="REGION")
    assert found.height == 1


def test_a_group_whose_own_figure_is_hidden_is_not_computed_from_its_members() -> None:
    hidden = OWN_FIGURE.with_columns(value=pl.lit(None, dtype=pl.Float64), status=pl.lit("suppressed"))
    found = measured("REGION", observation=FIGURES.vstack(hidden))
    assert (found["value"], found["status"]) == (None, "suppressed")


def test_an_own_figure_of_women_leaves_the_total_computed() -> None:
    women = OWN_FIGURE.with_columns(breakdown=pl.lit("sex=female"))
    found = replace(SMALL, observation=FIGURES.vstack(women)).indicator_value
    rows = found.filter(indicator_id="income", region_code="REGION").sort("breakdown")
    assert rows.select("breakdown", "value").rows() == [("sex=female", 33.0), ("total", 32.5)]


PRECISION_OF = "indicator_id region_code period breakdown source_table standard_error n_effective degrees_of_freedom"
NUMBERS = ["standard_error", "n_effective", "degrees_of_freedom"]


def with_precision(text: str, years: list[int] | None = None) -> pl.DataFrame:
    """The small measurement where of some figures the precision is known."""
    what = replace(SMALL, years=years or [2022])
    precision = table(f"{PRECISION_OF}\n{text}").with_columns(pl.col(NUMBERS).cast(pl.Float64))
    groups = group_values(what.figures, what.group_weight)
    found = indicator_values(what.references, what.figures, groups, what.indicators, ROLES, precision)
    return found.filter(indicator_id="income").sort("region_code", "measurement_year")


def test_how_precise_a_figure_is_stands_beside_it() -> None:
    found = with_precision("income GM0001 2022 total A 0.5 180 99")
    assert found.filter(region_code="GM0001").select(NUMBERS).rows() == [(0.5, 180.0, 99.0)]
    others = found.filter(pl.col("region_code") != "GM0001").select(NUMBERS)
    assert others.null_count().row(0) == (others.height,) * 3, "also of groups that were computed from it"


def test_a_figure_that_is_carried_is_as_precise_as_it_was() -> None:
    found = with_precision("income GM0001 2022 total A 0.5 180 99", years=[2022, 2023])
    assert found.filter(region_code="GM0001")["standard_error"].to_list() == [0.5, 0.5]


@pytest.mark.parametrize(
    "of_another",
    [
        "income GM0001 2022 total B 0.5 180 99",
        "income GM0001 2021 total A 0.5 180 99",
        "income GM0001 2022 sex=female A 0.5 180 99",
        "households GM0001 2022 total A 0.5 180 99",
    ],
)
def test_the_precision_of_another_figure_is_not_taken_for_that_of_this_one(of_another: str) -> None:
    found = with_precision(of_another)
    assert found.select(NUMBERS).null_count().row(0) == (found.height,) * 3


def test_where_no_precision_is_known_the_columns_are_there_and_empty() -> None:
    found = SMALL.indicator_value
    assert found.select(NUMBERS).dtypes == [pl.Float64] * 3
    assert found.select(NUMBERS).null_count().row(0) == (found.height,) * 3


TWO_SERIES = sources("""
    indicator_id source_table series_id priority
    income       A            s         2
    income       B            t         1
    households   A            s         1
    """)


def test_a_figure_of_another_series_is_shown_with_its_warning() -> None:
    figures = without("NL01").vstack(
        observation("indicator_id region_code period value source_table\nincome NL01 2022 47 B")
    )
    found = measured("NL01", observation=figures, sources=TWO_SERIES)
    assert (found["value"], found["series_id"], found["warnings"]) == (47, "t", ["definition_differs"])


@pytest.mark.parametrize("series", ["s", "t"])
def test_the_frozen_baseline_keeps_its_figures_when_a_better_table_gives_the_same_period(series: str) -> None:
    # Table B (better, the same or another series) gives 2022 anew, after the baseline was frozen at table A.
    better = observation("""
        indicator_id region_code period value source_table
        income       GM0001      2022   60    B
        income       GM0002      2022   70    B
        """)
    found = measured(
        observation=FIGURES.vstack(better),
        sources=TWO_SERIES.with_columns(series_id=pl.col("series_id").replace({"t": series})),
        frozen=table("indicator_id source_table period\nincome A 2022"),
        years=[2022, 2023],
    )
    assert (found["value"], found["source_table"], found["series_id"]) == (30, "A", "s")


def test_every_figure_of_the_official_data_is_there_or_says_why_not(official: Measurement) -> None:
    missing = ["not_measured", "not_published", "not_retrieved", "suppressed", "not_applicable"]
    found = official.indicator_value
    assert (found["value"].is_null() == found["status"].is_in(missing)).all()
    own = found.filter(pl.col("region_code").is_in(official.roles.always))
    assert own.height == (14 + 4 + 2 + 14) * official.indicators.height * 4
    key = ["measurement_year", "indicator_id", "region_code", "breakdown"]
    assert found.select(key).is_unique().all()


def test_all_regions_of_the_official_data_have_one_period_per_indicator_and_year(official: Measurement) -> None:
    periods = official.indicator_value.group_by("indicator_id", "measurement_year").agg(
        pl.col("reference_period").n_unique()
    )
    assert set(periods["reference_period"]) == {1}
    assert official.value("income_standardised_mean", "GM0153", 2022)["value"] == 27.8  # CBS 85039NED
    assert official.value("income_standardised_mean", "NL01", 2022)["value"] == 33.6  # 2021; 2022 would be 35.6


# Weighted results of the published figures, computed apart from this software. Weights: households of the same table
# and period, households without students (CBS 70072ned), inhabitants of 15 and over, inhabitants; members: all
# municipalities outside Twente with the figure and the weight in that period. Tolerance: their third decimal.
GOLDEN = table(
    """
    indicator_id                          period TWENTE URBAN_CORE RURAL  RURAL_NARROW NL_REST
    income_standardised_mean              2021   31.509 29.128     34.281 34.247       33.703
    income_standardised_mean              2024   39.877 36.577     43.673 43.737       41.941
    income_standardised_mean_excl_students 2022  34.171 32.054     36.484 36.577       36.390
    income_standardised_mean_excl_students 2023  36.914 34.557     39.489 39.547       39.069
    net_labour_participation              2021   69.070 65.014     73.143 73.395       69.391
    net_labour_participation              2022   64.848 61.526     68.204 68.393       64.846
    perceived_health_good                 2020   79.592 77.551     81.613 81.744       78.354
    perceived_health_good                 2022   69.971 67.010     72.900 73.109       69.027
    """
)
ORIGIN = table("""
    indicator_id                           period source_table
    income_standardised_mean               2021   CBS~85039NED
    income_standardised_mean               2024   CBS~86161NED~(indeling~2025)
    income_standardised_mean_excl_students 2022   CBS~70072ned
    income_standardised_mean_excl_students 2023   CBS~70072ned
    net_labour_participation               2021   CBS~85039NED
    net_labour_participation               2022   CBS~85318NED
    perceived_health_good                  2020   RIVM~50120NED
    perceived_health_good                  2022   RIVM~50120NED
    """).with_columns(pl.col("source_table").str.replace_all("~", " "))


def test_the_published_figures_give_the_known_weighted_means(official: Measurement) -> None:
    references = ORIGIN.join(official.sources, ["indicator_id", "source_table"]).select(
        "indicator_id", "source_table", "series_id", pl.lit(2025).alias("measurement_year"), reference_period="period"
    )
    figures = choose_figures(official.observation, references, official.sources)
    weights = member_weights(figures, official.observation, official.sources, official.indicators)
    shares = group_weights(weights, official.members, official.indicators, official.roles.groups)
    found = group_values(figures, shares)
    expected = GOLDEN.unpivot(index=["indicator_id", "period"], variable_name="region_code", value_name="golden")
    both = expected.rename({"period": "reference_period"}).join(
        found, ["indicator_id", "reference_period", "region_code"], how="left"
    )
    assert both.height == 8 * 5
    wrong = both.filter(~((pl.col("value") - pl.col("golden").cast(pl.Float64)).abs() <= 0.001).fill_null(value=False))
    assert wrong.select("indicator_id", "reference_period", "region_code", "golden", "value").rows() == []
    provisional = both.filter(status="provisional").select("indicator_id", "reference_period").unique().rows()
    assert provisional == [("income_standardised_mean", "2024")]
