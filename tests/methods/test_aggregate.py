"""Group values: from members' figures, with the weights and the members of the figures' own period."""

from __future__ import annotations

import polars as pl
import pytest

from methods.aggregate import choose_figures, group_values, group_weights, member_weights
from tests.methods.small import indicators, observation, sources, table

# A region of two municipalities, GM0001 and GM0002; the rest of the country has GM0003 and GM0004.
MEMBERS = table("""
    group_code municipality_code period
    REGION     GM0001            2022
    REGION     GM0002            2022
    REST       GM0003            2022
    REST       GM0004            2022
    """)
REFERENCES = table("""
    indicator_id measurement_year reference_period source_table series_id
    income       2022             2022             A            s
    """)
WHAT = indicators("""
    indicator_id weigh_by   group_method  is_count
    income       households weighted_mean no
    households   -          sum           yes
    """)
TABLES = sources("indicator_id\nincome\nhouseholds")
FIGURES = observation("""
    indicator_id region_code period value
    income       GM0001      2022   30
    income       GM0002      2022   40
    income       GM0003      2022   50
    income       GM0004      2022   20
    households   GM0001      2022   3000
    households   GM0002      2022   1000
    households   GM0003      2022   500
    households   GM0004      2022   1500
    """)


def weigh(
    figures: pl.DataFrame,
    what: pl.DataFrame = WHAT,
    tables: pl.DataFrame = TABLES,
    references: pl.DataFrame = REFERENCES,
    members: pl.DataFrame = MEMBERS,
) -> pl.DataFrame:
    """The shares of `references`, as the measurement makes them."""
    in_use = choose_figures(figures, references, tables)
    return group_weights(member_weights(in_use, figures, tables, what), members, what, ["REGION"])


def groups(
    figures: pl.DataFrame,
    what: pl.DataFrame = WHAT,
    tables: pl.DataFrame = TABLES,
    references: pl.DataFrame = REFERENCES,
    members: pl.DataFrame = MEMBERS,
) -> dict[str, dict[str, object]]:
    """The group rows of `references`, by group code."""
    shares = weigh(figures, what, tables, references, members)
    rows = group_values(choose_figures(figures, references, tables), shares)
    return {row["region_code"]: row for row in rows.iter_rows(named=True)}


def without(figures: pl.DataFrame, region: str, indicator: str = "income") -> pl.DataFrame:
    return figures.filter((pl.col("region_code") != region) | (pl.col("indicator_id") != indicator))


def replaced(figures: pl.DataFrame, region: str, **values: object) -> pl.DataFrame:
    """The same figures with other contents for the income of one region."""
    here = (pl.col("region_code") == region) & (pl.col("indicator_id") == "income")
    columns = [
        pl.when(here).then(pl.lit(value, dtype=figures.schema[name])).otherwise(name).alias(name)
        for name, value in values.items()
    ]
    return figures.with_columns(columns)


def test_a_group_has_the_weighted_mean_of_its_members_not_the_mean_of_means() -> None:
    found = groups(FIGURES)
    assert found["REGION"]["value"] == pytest.approx((3000 * 30 + 1000 * 40) / 4000)  # and not (30 + 40) / 2
    assert found["REST"]["value"] == pytest.approx((500 * 50 + 1500 * 20) / 2000)


def test_the_shares_of_a_group_say_where_its_value_comes_from() -> None:
    shares = weigh(FIGURES).filter(indicator_id="income", group_code="REGION").sort("municipality_code")
    assert shares.select("reference_period", "municipality_code", "weight", "share").rows() == [
        ("2022", "GM0001", 3000.0, 0.75),
        ("2022", "GM0002", 1000.0, 0.25),
    ]


def test_the_order_of_the_figures_does_not_matter() -> None:
    assert groups(FIGURES.reverse()) == groups(FIGURES)


def test_a_sum_adds_up_and_each_member_counts_once() -> None:
    references = REFERENCES.with_columns(indicator_id=pl.lit("households"))
    assert groups(FIGURES, references=references)["REGION"]["value"] == 4000
    assert weigh(FIGURES, references=references)["share"].to_list() == [1.0] * 4


def test_a_sum_is_never_partial_also_not_of_the_rest_of_the_country() -> None:
    references = REFERENCES.with_columns(indicator_id=pl.lit("households"))
    figures = without(without(FIGURES, "GM0001", "households"), "GM0003", "households")
    assert groups(figures, references=references) == {}


def test_weights_are_those_of_the_reference_period() -> None:
    # In 2024 the income of 2022 is still used; the households of 2024 have nothing to do with it.
    later = observation("""
        indicator_id region_code period value
        households   GM0001      2024   1000
        households   GM0002      2024   9000
        """)
    references = REFERENCES.with_columns(measurement_year=pl.lit(2024, dtype=pl.Int32))
    members = pl.concat([MEMBERS, MEMBERS.with_columns(period=pl.lit("2024"))])
    found = groups(pl.concat([FIGURES, later]), references=references, members=members)
    assert found["REGION"]["value"] == pytest.approx(32.5)


def test_members_are_those_of_the_reference_period() -> None:
    # GM0004 merged into GM0003 after 2022: the rest of 2022 still has both.
    merged = MEMBERS.filter(pl.col("municipality_code") != "GM0004").with_columns(period=pl.lit("2023"))
    found = groups(FIGURES, members=pl.concat([MEMBERS, merged]))
    assert found["REST"]["value"] == pytest.approx((500 * 50 + 1500 * 20) / 2000)


TWO_TABLES = sources("""
    indicator_id source_table priority
    income       A            1
    households   A            2
    households   B            1
    """)
OTHER_HOUSEHOLDS = observation("""
    indicator_id region_code period value source_table
    households   GM0001      2022   1000  B
    households   GM0002      2022   1000  B
    """)


def test_the_weight_of_the_table_that_published_the_value_wins() -> None:
    found = groups(pl.concat([FIGURES, OTHER_HOUSEHOLDS]), tables=TWO_TABLES)
    assert found["REGION"]["value"] == pytest.approx(0.75 * 30 + 0.25 * 40)


def test_else_the_weight_of_the_best_table_is_taken() -> None:
    tables = pl.concat([TWO_TABLES, sources("indicator_id source_table\nincome C")])
    figures = FIGURES.with_columns(
        source_table=pl.when(pl.col("indicator_id") == "income").then(pl.lit("C")).otherwise("source_table")
    )
    references = REFERENCES.with_columns(source_table=pl.lit("C"))
    found = groups(pl.concat([figures, OTHER_HOUSEHOLDS]), tables=tables, references=references)
    assert found["REGION"]["value"] == pytest.approx(0.5 * 30 + 0.5 * 40)


def test_a_weight_may_be_derived_from_other_figures() -> None:
    # Inhabitants of 15 and over: 1000 x (1 - 0.20) = 800 and 500 x (1 - 0.10) = 450.
    what = indicators("""
        indicator_id weigh_by
        income       population*(1-young/100)
        population   -
        young        -
        """)
    figures = observation("""
        indicator_id region_code period value
        income       GM0001      2022   30
        income       GM0002      2022   40
        population   GM0001      2022   1000
        population   GM0002      2022   500
        young        GM0001      2022   20
        young        GM0002      2022   10
        """)
    found = groups(figures, what=what, tables=sources("indicator_id\nincome\npopulation\nyoung"))
    assert found["REGION"]["value"] == pytest.approx((800 * 30 + 450 * 40) / 1250)
    lacking = without(figures, "GM0002", "young")
    assert "REGION" not in groups(lacking, what=what, tables=sources("indicator_id\nincome\npopulation\nyoung"))


def test_a_group_without_a_sound_weight_has_no_value() -> None:
    what = indicators("indicator_id group_method\nincome none")
    assert groups(FIGURES, what=what) == {}


def test_an_approximate_weight_is_said_to_be_one() -> None:
    assert groups(FIGURES)["REGION"]["warnings"] == []
    approximate = WHAT.with_columns(weight_approximate=pl.col("indicator_id") == "income")
    assert groups(FIGURES, what=approximate)["REGION"]["warnings"] == ["weight_approximate"]


def test_a_municipality_without_weight_or_figure_is_left_out_of_the_rest_of_the_country() -> None:
    assert groups(without(FIGURES, "GM0004", "households"))["REST"]["value"] == pytest.approx(50)
    assert groups(without(FIGURES, "GM0003"))["REST"]["value"] == pytest.approx(20)
    assert groups(replaced(FIGURES, "GM0003", value=None))["REST"]["value"] == pytest.approx(20)


def test_an_own_group_has_no_value_when_one_member_is_missing() -> None:
    assert set(groups(without(FIGURES, "GM0002"))) == {"REST"}
    assert set(groups(without(FIGURES, "GM0002", "households"))) == {"REST"}
    assert set(groups(replaced(FIGURES, "GM0002", value=None, status="not_published"))) == {"REST"}


@pytest.mark.parametrize(
    ("status", "expected"),
    [("definitive", "definitive"), ("provisional", "provisional"), ("estimated", "estimated")],
)
def test_a_group_is_as_provisional_as_its_weakest_member(status: str, expected: str) -> None:
    found = groups(replaced(FIGURES, "GM0002", status=status))
    assert found["REGION"]["status"] == expected
    assert found["REST"]["status"] == "definitive"


def test_an_estimate_is_weaker_than_a_provisional_figure() -> None:
    figures = replaced(replaced(FIGURES, "GM0001", status="estimated"), "GM0002", status="provisional")
    assert groups(figures)["REGION"]["status"] == "estimated"


def test_a_group_carries_the_warnings_of_all_its_members_each_once_and_sorted() -> None:
    figures = replaced(FIGURES, "GM0001", warnings=["no_margin", "model_based"])
    figures = replaced(figures, "GM0002", warnings=["no_margin", "covid_period"])
    found = groups(figures)
    assert found["REGION"]["warnings"] == ["covid_period", "model_based", "no_margin"]
    assert found["REST"]["warnings"] == []


def test_a_published_figure_of_the_country_does_not_become_a_member() -> None:
    country = observation("""
        indicator_id region_code period value
        income       NL01        2022   99
        households   NL01        2022   999999
        """)
    assert groups(pl.concat([FIGURES, country])) == groups(FIGURES)


def test_of_two_tables_the_best_one_gives_a_region_its_figure_and_the_other_fills_in() -> None:
    tables = sources("indicator_id source_table priority\nincome A 1\nincome B 2")
    other = observation("""
        indicator_id region_code period value source_table
        income       GM0001      2022   31    B
        income       NL01        2022   33.6  B
        """)
    found = choose_figures(pl.concat([FIGURES, other]), REFERENCES, tables).sort("region_code")
    assert found.filter(pl.col("region_code").is_in(["GM0001", "NL01"])).select("value", "source_table").rows() == [
        (30.0, "A"),
        (33.6, "B"),
    ]


def test_a_region_keeps_the_figure_of_the_reference_where_a_better_table_leaves_it_empty() -> None:
    # B has no figure for GM0002, so the reference is A, in which all own municipalities have one.
    tables = sources("indicator_id source_table priority\nincome A 2\nincome B 1\nhouseholds A 1")
    other = observation("""
        indicator_id region_code period value source_table
        income       GM0001      2022   31    B
        income       GM0002      2022   -     B
        """)
    figures = pl.concat([FIGURES, other])
    found = choose_figures(figures, REFERENCES, tables).filter(region_code="GM0002")
    assert found["value"].to_list() == [40.0]
    assert groups(figures, tables=tables)["REGION"]["value"] == pytest.approx(32.5)


OTHER_SERIES = sources("""
    indicator_id source_table series_id priority
    income       A            s         2
    income       B            t         1
    households   A            s         1
    """)


def test_a_figure_of_another_series_says_so_and_is_not_mixed_into_a_group() -> None:
    # GM0004 has a figure of another series only.
    figures = without(FIGURES, "GM0004")
    other = observation("indicator_id region_code period value source_table\nincome GM0004 2022 99 B")
    both = pl.concat([figures, other])
    found = choose_figures(both, REFERENCES, OTHER_SERIES).filter(region_code="GM0004")
    assert found.select("value", "series_id", "warnings").rows() == [(99.0, "t", ["definition_differs"])]
    assert groups(both, tables=OTHER_SERIES)["REST"]["value"] == pytest.approx(50)


def test_the_series_of_the_reference_goes_before_a_better_table() -> None:
    other = observation("indicator_id region_code period value source_table\nincome GM0001 2022 99 B")
    found = choose_figures(pl.concat([FIGURES, other]), REFERENCES, OTHER_SERIES).filter(region_code="GM0001")
    assert found.select("value", "series_id", "warnings").rows() == [(30.0, "s", [])]


def test_a_figure_for_women_beside_the_total_does_not_make_a_municipality_count_twice() -> None:
    women = observation("indicator_id region_code period value breakdown\nincome GM0001 2022 28 sex=female")
    figures = pl.concat([FIGURES, women])
    shares = weigh(figures).filter(indicator_id="income", group_code="REGION").sort("municipality_code")
    assert shares["share"].to_list() == pytest.approx([0.75, 0.25])
    totals = group_values(choose_figures(figures, REFERENCES, TABLES), shares).filter(breakdown="total")
    assert totals["value"].to_list() == pytest.approx([32.5])


def with_margins(figures: pl.DataFrame, half_width: float) -> pl.DataFrame:
    """The same figures, every income give or take so much."""
    here = pl.col("indicator_id") == "income"
    return figures.with_columns(
        ci_low=pl.when(here).then(pl.col("value") - half_width),
        ci_high=pl.when(here).then(pl.col("value") + half_width),
    )


def test_a_groups_margin_follows_from_those_of_its_members() -> None:
    # Shares 0.75 and 0.25; independent estimates: the half-width is the root of the sum of squares.
    half = (0.75**2 * 2**2 + 0.25**2 * 2**2) ** 0.5
    found = groups(with_margins(FIGURES, 2))["REGION"]
    assert (found["ci_low"], found["ci_high"]) == (pytest.approx(32.5 - half), pytest.approx(32.5 + half))


def test_where_one_member_has_no_margin_the_group_has_none() -> None:
    figures = replaced(with_margins(FIGURES, 2), "GM0002", ci_low=None, ci_high=None)
    assert groups(figures)["REGION"]["ci_low"] is None
    assert groups(figures)["REST"]["ci_low"] is not None


def test_where_the_weight_is_not_known_of_all_the_whole_period_takes_the_fallback_and_says_so() -> None:
    what = indicators("""
        indicator_id weigh_by weight_fallback group_method  is_count
        income       adults   households      weighted_mean no
        adults       -        -               sum           yes
        households   -        -               sum           yes
        """)
    adults = observation("""
        indicator_id region_code period value
        adults       GM0001      2022   1000
        adults       GM0002      2022   1000
        adults       GM0003      2022   1000
        adults       GM0004      2022   1000
        """)
    tables = sources("indicator_id\nincome\nhouseholds\nadults")
    whole = groups(pl.concat([FIGURES, adults]), what, tables)["REGION"]
    assert (whole["value"], whole["warnings"]) == (35, [])
    partly = groups(pl.concat([FIGURES, adults[1:]]), what, tables)["REGION"]
    assert (partly["value"], partly["warnings"]) == (32.5, ["weight_approximate"])


def test_a_figure_of_a_month_takes_the_weights_and_members_of_its_year() -> None:
    monthly = FIGURES.with_columns(period=pl.when(indicator_id="income").then(pl.lit("2022-12")).otherwise("period"))
    references = REFERENCES.with_columns(reference_period=pl.lit("2022-12"))
    assert groups(monthly, references=references)["REGION"]["value"] == 32.5


# Of women and men apart, with weights of all inhabitants only.
BY_SEX = pl.concat(
    [
        FIGURES.filter(indicator_id="income").with_columns(
            pl.lit(f"sex={sex}").alias("breakdown"), pl.col("value") + difference
        )
        for sex, difference in (("female", -10.0), ("male", 10.0))
    ]
)


def test_of_breakdowns_no_group_value_is_made_and_they_do_not_move_that_of_the_total() -> None:
    both = pl.concat([FIGURES, BY_SEX])
    in_use = choose_figures(both, REFERENCES, TABLES)
    assert set(in_use["breakdown"]) == {"total", "sex=female", "sex=male"}
    assert set(group_values(in_use, weigh(both))["breakdown"]) == {"total"}
    assert groups(both) == groups(FIGURES)
    assert weigh(both).equals(weigh(FIGURES))


def test_a_member_with_a_figure_of_women_only_has_no_weight_in_the_group() -> None:
    women = pl.concat([without(FIGURES, "GM0004"), BY_SEX.filter(region_code="GM0004", breakdown="sex=female")])
    assert groups(women) == groups(without(FIGURES, "GM0004"))
