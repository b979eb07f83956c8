"""Which period a measurement year refers to: one for all regions, and never moved without saying so."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from methods.aggregate import choose_figures
from methods.reference import choose_references
from tests.methods.small import indicators, observation, sources, table

# Two own municipalities, Enschede and Hengelo; figures of the country do not decide.
OWN = ["GM0153", "GM0164"]
YEARS = [2022, 2023, 2024, 2025]
INCOME = indicators("indicator_id\nincome")
ONE_TABLE = sources("indicator_id\nincome")
NOTHING = "indicator_id source_table period"

FIGURES = observation("""
    indicator_id region_code period value
    income       GM0153      2021   27.8
    income       GM0164      2021   31.4
    income       NL01        2021   33.6
    income       GM0164      2022   33.0
    income       NL01        2022   35.6
    """)


def references(
    figures: pl.DataFrame,
    what: pl.DataFrame = INCOME,
    tables: pl.DataFrame = ONE_TABLE,
    frozen: str = NOTHING,
    known: str = "",
    years: list[int] | None = None,
    required: dict[str, list[str]] | None = None,
) -> pl.DataFrame:
    periods = table("\n".join(["indicator_id period", *(f"income {period}" for period in known.split())]))
    needed = required or {"municipality": OWN, "region": ["GG1106"]}
    chosen = choose_references(figures, what, tables, table(frozen), periods, years or YEARS, needed)
    return chosen.sort("indicator_id", "measurement_year")


def complete(*periods: str, source_table: str = "A") -> pl.DataFrame:
    """Figures of both municipalities in each of these periods."""
    return pl.concat(
        observation(f"indicator_id region_code period value\nincome {code} {period} 30", source_table=source_table)
        for period in periods
        for code in OWN
    )


def chosen(column: str, *args: Any, **settings: Any) -> list[Any]:
    return references(*args, **settings)[column].to_list()


def test_all_regions_have_one_period_so_enschede_2021_never_meets_the_netherlands_2022() -> None:
    # Enschede lacks 2022. Per region it would be 27.8 against 35.6 (-21.9%) instead of against 33.6 (-17.3%).
    assert chosen("reference_period", FIGURES, years=[2022]) == ["2021"]
    assert chosen("lag_years", FIGURES, years=[2022]) == [1]


def test_a_period_counts_only_if_every_own_municipality_has_a_value_in_it() -> None:
    empty = observation("indicator_id region_code period value\nincome GM0153 2022 -")
    assert chosen("reference_period", pl.concat([FIGURES, empty]), years=[2022]) == ["2021"]
    filled = observation("indicator_id region_code period value\nincome GM0153 2022 29.9")
    assert chosen("reference_period", pl.concat([FIGURES, filled]), years=[2022]) == ["2022"]


def test_a_value_for_women_only_does_not_complete_a_period() -> None:
    women = observation("indicator_id region_code period value breakdown\nincome GM0153 2022 29.9 sex=female")
    assert chosen("reference_period", pl.concat([FIGURES, women]), years=[2022]) == ["2021"]


def test_the_newest_period_is_taken_but_none_of_after_the_measurement_year() -> None:
    assert chosen("reference_period", complete("2021", "2023", "2024")) == ["2021", "2023", "2024", "2024"]


@pytest.mark.parametrize(
    ("max_lag", "expected"),
    [("0", ["2022", None, None, None]), ("1", ["2022", "2022", None, None]), ("3", ["2022"] * 4)],
)
def test_a_figure_is_never_older_than_the_catalogue_allows(max_lag: str, expected: list[str | None]) -> None:
    what = indicators(f"indicator_id max_lag_years\nincome {max_lag}")
    assert chosen("reference_period", complete("2022"), what=what) == expected


def test_the_lag_says_how_many_years_the_figure_is_behind() -> None:
    assert chosen("lag_years", complete("2022", "2024")) == [0, 1, 0, 1]


def test_quarters_and_months_belong_to_their_year() -> None:
    assert chosen("reference_period", complete("2022Q1", "2022Q4", "2023Q2"), years=[2022, 2023]) == [
        "2022Q4",
        "2023Q2",
    ]
    assert chosen("lag_years", complete("2022-05"), years=[2022, 2023]) == [0, 1]


def test_an_indicator_that_is_measured_for_the_region_only_needs_only_the_region() -> None:
    what = indicators("indicator_id measured_for\nincome region")
    region = observation("indicator_id region_code period value\nincome GG1106 2022 70")
    assert chosen("reference_period", region, what=what, years=[2022]) == ["2022"]


def test_every_indicator_has_a_row_for_every_year_also_without_figures() -> None:
    what = indicators("indicator_id\nincome\nhousing")
    found = references(complete("2022"), what=what)
    assert found.select("indicator_id", "measurement_year").rows() == [
        (indicator, year) for indicator in ("housing", "income") for year in YEARS
    ]
    assert found.filter(indicator_id="housing")["reference_period"].to_list() == [None] * 4


TWO_TABLES = sources("""
    indicator_id source_table priority series_id
    income       A            2        old
    income       B            1        new
    """)


def test_of_two_tables_with_the_newest_period_the_one_with_the_best_priority_is_taken() -> None:
    both = pl.concat([complete("2022"), complete("2022", source_table="B")])
    found = references(both, tables=TWO_TABLES, years=[2022])
    assert found.select("source_table", "series_id").rows() == [("B", "new")]


def test_a_newer_period_goes_before_a_better_table() -> None:
    both = pl.concat([complete("2022"), complete("2021", source_table="B")])
    found = references(both, tables=TWO_TABLES, years=[2022])
    assert found.select("reference_period", "source_table").rows() == [("2022", "A")]


FROZEN = "indicator_id source_table period\nincome A 2021"


def test_the_frozen_baseline_is_not_moved_by_later_data() -> None:
    assert chosen("reference_period", complete("2021", "2022"), frozen=FROZEN) == ["2021", "2022", "2022", "2022"]
    assert chosen("lag_years", complete("2021", "2022"), frozen=FROZEN)[0] == 1


def test_the_frozen_baseline_is_not_moved_by_a_better_table() -> None:
    both = pl.concat([complete("2021"), complete("2021", "2022", source_table="B")])
    found = references(both, tables=TWO_TABLES, frozen=FROZEN)
    assert found.select("reference_period", "source_table", "series_id").row(0) == ("2021", "A", "old")
    assert found.select("reference_period", "source_table", "series_id").row(1) == ("2022", "B", "new")


def test_the_figures_of_the_frozen_baseline_are_not_replaced_by_those_of_a_better_table() -> None:
    # One series: the better table B, retrieved later, gives 2021 anew. The covenant's 2021 figures must stay.
    tables = TWO_TABLES.with_columns(series_id=pl.lit("s"))
    both = pl.concat([complete("2021"), complete("2021", source_table="B").with_columns(value=pl.lit(31.0))])
    of_baseline = references(both, tables=tables, frozen=FROZEN, years=[2022])
    assert choose_figures(both, of_baseline, tables)["value"].to_list() == [30.0, 30.0]


def test_a_frozen_baseline_that_is_not_at_hand_is_not_replaced_by_another_period() -> None:
    found = references(complete("2022"), frozen=FROZEN, known="2021 2022")
    assert found["reference_period"].to_list() == [None, "2022", "2022", "2022"]
    assert found["missing_status"][0] == "not_retrieved"


# Two tables that freeze a baseline, the better one for a later period; C freezes none.
SEVERAL_TABLES = sources("""
    indicator_id source_table priority series_id
    income       A            2        old
    income       B            1        new
    income       C            1        other
    """)
SEVERAL_FROZEN = "indicator_id source_table period\nincome A 2021\nincome B 2022"


def baselines(*figures: pl.DataFrame, frozen: str = SEVERAL_FROZEN) -> list[tuple[str, str]]:
    """Period and table of every year, with several frozen tables."""
    found = references(pl.concat(figures), tables=SEVERAL_TABLES, frozen=frozen)
    return found.select("reference_period", "source_table").rows()


def only_hengelo(period: str, source_table: str) -> pl.DataFrame:
    return complete(period, source_table=source_table).filter(region_code="GM0164")


def test_of_several_frozen_tables_the_best_at_hand_is_the_baseline() -> None:
    assert baselines(complete("2021"), complete("2022", source_table="B"))[0] == ("2022", "B")
    assert baselines(complete("2021"))[0] == ("2021", "A")
    assert baselines(complete("2022", source_table="B"))[0] == ("2022", "B")


def test_a_better_frozen_table_that_lacks_a_municipality_is_passed_over() -> None:
    assert baselines(complete("2021"), only_hengelo("2022", "B"))[0] == ("2021", "A")
    empty = complete("2022", source_table="B").with_columns(
        value=pl.when(pl.col("region_code") == "GM0164").then("value"), status=pl.lit("suppressed")
    )
    assert baselines(complete("2021"), empty)[0] == ("2021", "A")


def test_where_no_frozen_table_is_complete_the_best_at_hand_stays_the_baseline() -> None:
    assert baselines(only_hengelo("2021", "A"), only_hengelo("2022", "B"))[0] == ("2022", "B")


def test_a_table_that_is_not_frozen_is_never_the_baseline() -> None:
    found = baselines(complete("2021"), complete("2022", source_table="C"))
    assert found == [("2021", "A"), ("2022", "C"), ("2022", "C"), ("2022", "C")]


def test_years_that_carry_the_period_of_the_baseline_show_its_table() -> None:
    # A and B freeze the same period; C has it too, and goes before A.
    frozen = "indicator_id source_table period\nincome A 2022\nincome B 2022"
    three = [complete("2022"), complete("2022", source_table="B"), complete("2022", source_table="C")]
    assert baselines(*three, frozen=frozen) == [("2022", "B")] * 4
    assert baselines(three[0], only_hengelo("2022", "B"), three[2], frozen=frozen) == [("2022", "A")] * 4
    # A newer period is another matter.
    newer = complete("2024", source_table="C")
    assert baselines(*three, newer, frozen=frozen) == [("2022", "B"), ("2022", "B"), ("2024", "C"), ("2024", "C")]


def test_the_other_frozen_period_is_no_baseline_of_later_years_either() -> None:
    # B 2022 is the baseline; A 2021 stays an older figure that no year needs.
    assert baselines(complete("2021"), complete("2022", source_table="B")) == [("2022", "B")] * 4


def test_of_frozen_tables_of_equal_priority_it_is_always_the_same_one() -> None:
    equal = SEVERAL_TABLES.with_columns(priority=pl.lit(1, pl.Int32))
    frozen = "indicator_id source_table period\nincome C 2022\nincome B 2022\nincome A 2022"
    both = pl.concat([complete("2022", source_table=name) for name in ("C", "A", "B")])
    assert references(both, tables=equal, frozen=frozen, years=[2022])["source_table"].to_list() == ["A"]


def test_a_period_used_by_the_year_before_is_carried_forward() -> None:
    assert chosen("carried_forward", complete("2022", "2024")) == [False, True, False, True]
    assert chosen("carried_forward", complete("2021"), years=[2022, 2023, 2024]) == [False, True, True]


def test_a_year_without_a_figure_is_not_carried_forward() -> None:
    what = indicators("indicator_id max_lag_years\nincome 0")
    assert chosen("carried_forward", complete("2022", "2025"), what=what) == [False] * 4


def test_a_carried_figure_says_when_a_newer_one_is_published_but_not_retrieved() -> None:
    # Health: measured in 2022 and 2024, of which only 2022 is at hand.
    assert chosen("newer_published", complete("2022"), known="2020 2022 2024") == [False, False, True, True]
    assert chosen("newer_published", complete("2022", "2024"), known="2020 2022 2024") == [False] * 4


def test_a_figure_published_for_a_later_year_is_not_newer_for_this_one() -> None:
    assert chosen("newer_published", complete("2022"), known="2022 2025")[:3] == [False] * 3


def test_the_baseline_does_not_ask_for_newer_figures() -> None:
    assert chosen("newer_published", complete("2021", "2022"), frozen=FROZEN, known="2021 2022")[0] is False


def test_what_was_retrieved_but_is_incomplete_is_not_said_to_be_waiting_for_retrieval() -> None:
    # 2022 was retrieved; Enschede has no figure in it.
    assert chosen("newer_published", FIGURES, known="2021 2022", years=[2021, 2022]) == [False, False]


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ("2022", "not_retrieved"),  # published for the year itself
        ("2019", "not_retrieved"),  # old, but not too old
        ("2018", "not_measured"),  # too old
        ("2023", "not_measured"),  # after the measurement year
        ("", "not_measured"),
    ],
)
def test_without_a_figure_it_says_whether_one_was_published(known: str, expected: str) -> None:
    assert chosen("missing_status", FIGURES.clear(), known=known, years=[2022]) == [expected]


def test_a_survey_year_without_a_wave_is_not_measured() -> None:
    what = indicators("indicator_id max_lag_years\nincome 0")
    found = references(complete("2022", "2023", "2025"), what=what, known="2022 2023 2025")
    assert found["reference_period"].to_list() == ["2022", "2023", None, "2025"]
    assert found["missing_status"][2] == "not_measured"


EXPERIENCED = indicators("indicator_id layer max_lag_years\nincome experienced 0")


def hidden_in(*regions: str, status: str = "suppressed") -> pl.DataFrame:
    """Figures of 2022, of which those of these regions are hidden."""
    here = pl.col("region_code").is_in(regions)
    return complete("2022").with_columns(
        value=pl.when(~here).then("value"), status=pl.when(here).then(pl.lit(status)).otherwise("status")
    )


@pytest.mark.parametrize("regions", [("GM0164",), OWN])
def test_a_survey_was_held_also_where_we_hid_its_figures(regions: tuple[str, ...]) -> None:
    assert chosen("reference_period", hidden_in(*regions), what=EXPERIENCED, years=[2022]) == ["2022"]


def test_what_a_publisher_hid_of_an_official_figure_is_no_figure() -> None:
    found = references(hidden_in("GM0164"), known="2022", years=[2022])
    assert found.select("reference_period", "missing_status").rows() == [(None, "not_published")]


def test_a_score_that_the_institute_leaves_out_does_not_undo_the_wave_and_a_missing_row_does() -> None:
    left_out = hidden_in("GM0164", status="not_published")
    assert chosen("reference_period", left_out, what=EXPERIENCED, years=[2022]) == ["2022"]
    assert chosen("reference_period", only_hengelo("2022", "A"), what=EXPERIENCED, years=[2022]) == [None]


def test_the_frozen_baseline_of_a_survey_stands_where_a_figure_was_hidden() -> None:
    frozen = "indicator_id source_table period\nincome A 2022"
    found = chosen("reference_period", hidden_in("GM0153"), what=EXPERIENCED, frozen=frozen)
    assert found == ["2022", None, None, None]
