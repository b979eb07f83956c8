"""Figures become observations with the warnings they must carry, and what jumps is pointed out."""

from __future__ import annotations

import polars as pl
import pytest

from methods.observe import flag_unusual_changes, observations, with_ratios
from tests.methods.chain import Measurement
from tests.methods.small import indicators, observation, sources, table

FIGURES = """
    indicator_id region_code period value ci_low ci_high source_table status
    health       GM0001      2020   78.1  -      -       A            definitive
    health       GM0001      2022   70.3  -      -       A            definitive
    health       GM0002      2022   -     -      -       A            suppressed
    """
NO_PERIODS = table("indicator_id source_table period warning")


def observed(kind: str, warnings: str = "-", periods: pl.DataFrame = NO_PERIODS) -> dict[tuple[str, str], list[str]]:
    """The warnings of each figure, by region and period."""
    found = observations(
        table(FIGURES, synthetic=False), sources(f"indicator_id kind warnings\nhealth {kind} {warnings}"), periods
    )
    return {(row["region_code"], row["period"]): row["warnings"] for row in found.iter_rows(named=True)}


def test_a_figure_keeps_its_value_and_status_and_is_a_total() -> None:
    found = observations(table(FIGURES, synthetic=False), sources("indicator_id\nhealth"), NO_PERIODS).sort(
        "region_code", "period"
    )
    assert found.select("value", "status", "breakdown").rows() == [
        (78.1, "definitive", "total"),
        (70.3, "definitive", "total"),
        (None, "suppressed", "total"),
    ]
    assert found.select(pl.col("ci_low", "ci_high", "n").is_null().all()).row(0) == (True, True, True)


@pytest.mark.parametrize(
    ("kind", "expected"), [("register", []), ("sample", ["no_margin"]), ("model", ["model_based", "no_margin"])]
)
def test_what_is_sampled_or_modelled_says_so_when_its_margin_is_unknown(kind: str, expected: list[str]) -> None:
    assert observed(kind)["GM0001", "2022"] == expected


def test_where_there_is_no_figure_no_margin_is_missing() -> None:
    assert "no_margin" not in observed("sample")["GM0002", "2022"]


def test_warnings_of_the_source_and_of_the_period_are_united_and_sorted() -> None:
    corona = table("""
        indicator_id source_table period warning
        health       A            2022   covid_period
        health       A            2022   boundary_change
        health       A            2022   whole_percent
        """)
    found = observed("sample", "whole_percent", corona)
    assert found["GM0001", "2022"] == ["boundary_change", "covid_period", "no_margin", "whole_percent"]
    assert found["GM0001", "2020"] == ["no_margin", "whole_percent"]


# Incomes of seven municipalities rise by 5 to 7 percent, that of GM0003 by 32 percent.
INCOMES = {2021: [30.0, 31.0, 29.7, 33.0, 34.0, 35.0, 36.0], 2022: [31.8, 32.7, 39.2, 34.9, 35.9, 36.8, 38.2]}


def series(numbers: dict[int, list[float]], source_table: str = "A") -> pl.DataFrame:
    rows = [
        f"income GM{place:04d} {year} {value} {source_table}"
        for year, of_year in numbers.items()
        for place, value in enumerate(of_year, start=1)
    ]
    return observation("\n".join(["indicator_id region_code period value source_table", *rows]))


def unusual(
    figures: pl.DataFrame, unit: str = "amount", rounding: float = 0.1, tables: pl.DataFrame | None = None
) -> list[tuple[str, str, str]]:
    """Region, period and table of the figures that are pointed out."""
    what = indicators("indicator_id\nincome", is_percentage=unit == "percentage")
    tables = sources("indicator_id\nincome", rounding_unit=rounding) if tables is None else tables
    found = flag_unusual_changes(figures, figures, tables, what)
    assert found.height == figures.height
    flagged = found.filter(pl.col("warnings").list.contains("unusual_change"))
    return sorted(flagged.select("region_code", "period", "source_table").rows())


def test_a_jump_is_pointed_out_and_the_rest_is_not() -> None:
    assert unusual(series(INCOMES)) == [("GM0003", "2022", "A")]


def test_a_fall_is_pointed_out_like_a_rise() -> None:
    assert unusual(series({2021: INCOMES[2022], 2022: INCOMES[2021]})) == [("GM0003", "2022", "A")]


def test_a_jump_is_pointed_out_once_and_not_every_year_after() -> None:
    assert unusual(series({**INCOMES, 2023: [round(x * 1.04, 1) for x in INCOMES[2022]]})) == [("GM0003", "2022", "A")]


def test_when_all_rise_alike_nothing_is_unusual() -> None:
    assert unusual(series({2021: INCOMES[2021], 2022: [round(x * 1.3, 1) for x in INCOMES[2021]]})) == []


def test_a_percentage_is_judged_by_points() -> None:
    # 1 to 2 percent doubles, like nobody else; in points it is like all others.
    shares = {2020: [1.0, 50.0, 60.0, 70.0, 80.0], 2022: [2.0, 51.1, 60.9, 71.2, 80.8]}
    assert unusual(series(shares), unit="percentage") == []
    jump = {2020: [1.0, 50.0, 60.0, 70.0, 80.0], 2022: [2.0, 51.1, 60.9, 71.2, 89.0]}
    assert unusual(series(jump), unit="percentage") == [("GM0005", "2022", "A")]


def test_noise_of_whole_percentages_is_not_unusual() -> None:
    # Most stay the same, so the spread is nothing; one or two steps up or down are rounding.
    before = [60.0] * 9
    after = [60.0, 60.0, 60.0, 60.0, 60.0, 61.0, 59.0, 62.0, 58.0]
    assert unusual(series({2021: before, 2022: after}), unit="percentage", rounding=1) == []
    assert unusual(series({2021: before, 2022: [*after[:8], 66.0]}), unit="percentage", rounding=1) == [
        ("GM0009", "2022", "A")
    ]


def test_rounding_of_small_amounts_is_not_unusual() -> None:
    # Amounts to 10: from 20 to 30 is one step, however large in percent.
    assert unusual(series({2021: [20.0] * 7, 2022: [20.0] * 6 + [30.0]}), rounding=10) == []


def test_the_country_is_not_compared_with_municipalities() -> None:
    country = observation("indicator_id region_code period value\nincome NL01 2021 10\nincome NL01 2022 90")
    assert unusual(pl.concat([series(INCOMES), country])) == [("GM0003", "2022", "A")]


def test_a_break_in_the_series_is_not_a_jump_of_everybody_or_anybody() -> None:
    tables = sources("indicator_id source_table series_id\nincome A s\nincome B t")
    figures = pl.concat([series({2021: INCOMES[2021]}), series({2022: INCOMES[2022]}, source_table="B")])
    assert unusual(figures, tables=tables) == []


def test_a_series_that_goes_on_in_another_table_is_one_series() -> None:
    tables = sources("indicator_id source_table\nincome A\nincome B")
    figures = pl.concat([series({2021: INCOMES[2021]}), series({2022: INCOMES[2022]}, source_table="B")])
    assert unusual(figures, tables=tables) == [("GM0003", "2022", "B")]


def test_a_jump_is_pointed_out_whichever_of_two_tables_is_used() -> None:
    tables = sources("indicator_id source_table priority\nincome A 1\nincome B 2")
    figures = pl.concat([series(INCOMES), series(INCOMES, source_table="B")])
    assert unusual(figures, tables=tables) == [("GM0003", "2022", "A"), ("GM0003", "2022", "B")]


def test_a_municipality_that_skipped_a_year_is_compared_with_those_that_did_too() -> None:
    # GM0008 has 2020 and 2022 only: two years of growth are no jump beside one year of the others.
    alone = observation("indicator_id region_code period value\nincome GM0008 2020 30\nincome GM0008 2022 40")
    assert unusual(pl.concat([series(INCOMES), alone])) == [("GM0003", "2022", "A")]


def test_a_missing_figure_does_not_jump() -> None:
    gap = observation("indicator_id region_code period value\nincome GM0008 2021 -\nincome GM0008 2022 30")
    assert unusual(pl.concat([series(INCOMES), gap])) == [("GM0003", "2022", "A")]


def test_other_warnings_stay() -> None:
    figures = series(INCOMES).with_columns(warnings=pl.lit(["no_margin"]))
    found = flag_unusual_changes(figures, figures, sources("indicator_id\nincome"), indicators("indicator_id\nincome"))
    assert set(map(tuple, found["warnings"])) == {("no_margin",), ("no_margin", "unusual_change")}


def test_the_jump_of_the_mean_income_of_almelo_is_pointed_out(official: Measurement) -> None:
    # CBS: 29.7 in 2021, 39.2 in 2024 (+32%), a few very high incomes; Enschede rose from 27.8 to 34.7 (+25%).
    found = official.observation.filter(
        pl.col("warnings").list.contains("unusual_change"), indicator_id="income_standardised_mean", period="2024"
    )["region_code"].to_list()
    assert "GM0141" in found
    assert "GM0153" not in found


def test_a_published_margin_is_kept_and_nothing_says_it_is_missing() -> None:
    figures = table("indicator_id region_code period value ci_low ci_high source_table status\n"
                    "health GM0001 2022 70.3 68.0 72.5 A definitive", synthetic=False)  # fmt: skip
    found = observations(figures, sources("indicator_id kind\nhealth sample"), NO_PERIODS).row(0, named=True)
    assert (found["ci_low"], found["ci_high"], found["warnings"]) == (68.0, 72.5, [])


COUNTS = observation(
    """
    indicator_id region_code period  source_table value status
    benefits     GM0001      2022    A            210   definitive
    benefits     GM0001      2022-12 M            420   provisional
    benefits     GM0002      2022    A            -     suppressed
    benefits     GM0003      2022    A            50    definitive
    population   GM0001      2022    A            42000 definitive
    population   GM0001      2022    B            21000 definitive
    population   GM0002      2022    B            10000 definitive
    """
)
RATIO = table("indicator_id numerator denominator per\nrate benefits population 1000").cast({"per": pl.Float64})
COUNT_TABLES = sources("indicator_id source_table priority\npopulation A 2\npopulation B 1\nbenefits A 1\nbenefits M 1")


def test_a_ratio_is_numerator_over_denominator_of_the_same_region_and_year() -> None:
    found = with_ratios(COUNTS, RATIO, COUNT_TABLES).filter(indicator_id="rate").sort("region_code", "period")
    assert found.select("region_code", "period", "source_table", "value", "status").rows() == [
        ("GM0001", "2022", "A", 1000 * 210 / 42000, "definitive"),  # the numerator's own table has a denominator
        ("GM0001", "2022-12", "M", 1000 * 420 / 21000, "provisional"),  # else the best table; the year of the month
        ("GM0002", "2022", "A", None, "suppressed"),  # missing as the numerator is
        ("GM0003", "2022", "A", None, "not_published"),  # no denominator
    ]


def test_what_was_observed_stays_beside_its_ratios() -> None:
    assert with_ratios(COUNTS, RATIO, COUNT_TABLES).filter(pl.col("indicator_id") != "rate").equals(COUNTS)
