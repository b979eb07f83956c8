"""From a publisher's table to figures: which are taken, which are left out, and which are refused."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from catalog.model import TopicName
from sources.errors import (
    DuplicateFigure,
    InputError,
    MissingMunicipality,
    OutOfScale,
    PeriodError,
    SourceChanged,
)
from sources.facts import FIGURE
from sources.figures import (
    RAW,
    Wanted,
    check_country,
    check_municipalities,
    check_size,
    figures,
    present,
    together,
    wanted,
)
from sources.tidy import TidyTable, Topic
from tests.sources.small import TABLE, catalogue, indicator, raw, source, source_table, tidy
from tests.sources.small import figures as known_figures

PLAIN = """
    region_code value
    GM0153      100
    GM0164      80
    GM0175      20
    NL01        9000
    """
SEXES = {"Geslacht": {"T001038": "Totaal mannen en vrouwen", "3000": "Mannen", "4000": "Vrouwen"}}
BY_SEX = """
    region_code Geslacht value
    GM0153      T001038  100
    GM0153      3000     60
    GM0153      4000     40
    GM0164      T001038  80
    GM0164      3000     41
    GM0164      4000     39
    """


def take(table: TidyTable, *, tables: Any = None, **settings: Any) -> pl.DataFrame:
    """The figures of the one indicator, of which the settings of the source are given."""
    made = catalogue(indicator("jobs", source(**settings)), tables=tables)
    return figures(table, made, wanted(made, TABLE))


def values(frame: pl.DataFrame, period: str = "2022") -> dict[str, float | None]:
    rows = frame.filter(period=period)
    return dict(rows.select("region_code", "value").iter_rows())


def refused(kind: type[InputError], table: TidyTable, **settings: Any) -> InputError:
    """The error, which must be exactly of this kind, name the table, and say what to do."""
    with pytest.raises(InputError) as caught:
        take(table, **settings)
    assert type(caught.value) is kind, caught.value
    assert caught.value.file == TABLE
    assert caught.value.remedy
    return caught.value


# What is taken.


def test_figures_have_their_columns_and_are_sorted() -> None:
    found = take(tidy(PLAIN))
    assert found.columns == RAW == [*FIGURE, "reason"]
    assert found.select("indicator_id", "region_code", "period", "value", "status", "source_table").rows() == [
        ("jobs", "GM0153", "2022", 100, "definitive", TABLE),
        ("jobs", "GM0164", "2022", 80, "definitive", TABLE),
        ("jobs", "GM0175", "2022", 20, "definitive", TABLE),
        ("jobs", "NL01", "2022", 9000, "definitive", TABLE),
    ]


def test_a_table_of_which_nothing_is_wanted_gives_no_figures_in_the_same_columns() -> None:
    nothing = figures(tidy(PLAIN), catalogue(), [])
    assert nothing.height == 0
    assert nothing.schema == take(tidy(PLAIN)).schema


def test_only_municipalities_provinces_the_country_and_areas_that_are_the_region_are_taken() -> None:
    others = "GM0153 1\nGM0164 1\nPV23 1\nNL01 1\nCR12 1\nCR13 1\nLD02 1\nWK015300 1\nBU01530001 1"
    assert list(values(take(tidy(f"region_code value\n{others}")))) == ["CR12", "GM0153", "GM0164", "NL01", "PV23"]


@pytest.mark.parametrize("name", ["3000", "Mannen", "mannen "])
def test_a_member_is_selected_by_code_or_title(name: str) -> None:
    found = take(tidy(BY_SEX, members=SEXES), select={"Geslacht": ["Jongens", name]})
    assert values(found) == {"GM0153": 60, "GM0164": 41}


def test_a_dimension_goes_by_its_column_name_or_its_title() -> None:
    members = {"Kenmerken van huishoudens": {"1": "Alle", "2": "Eenpersoons"}}
    text = "region_code kenmerk value\nGM0153 1 100\nGM0153 2 30\nGM0164 1 80\nGM0164 2 20"
    table = tidy(text.replace("kenmerk", "Kenmerken"), members={"Kenmerken": members["Kenmerken van huishoudens"]})
    renamed = TidyTable(TABLE, table.topics, members, table.cells.rename({"Kenmerken": "Kenmerken van huishoudens"}))
    assert values(take(renamed, select={"KenmerkenVanHuishoudens": ["Alle"]})) == {"GM0153": 100, "GM0164": 80}


def test_a_dimension_that_nobody_selected_is_refused_where_it_has_several_members() -> None:
    error = refused(SourceChanged, tidy(BY_SEX, members=SEXES))
    assert error.column == "Geslacht"
    assert "jobs" in error.expected
    assert "Mannen" in str(error.value)
    only_men = tidy(
        "region_code Geslacht value\nGM0153 3000 60\nGM0164 3000 41", members={"Geslacht": {"3000": "Mannen"}}
    )
    assert values(take(only_men)) == {"GM0153": 60, "GM0164": 41}


@pytest.mark.parametrize("settings", [{"select": {"Leeftijd": ["80200"]}}, {"add_up": {"Leeftijd": ["65..70 jaar"]}}])
def test_figures_of_everyone_are_not_taken_for_those_of_the_selected_age(settings: dict[str, Any]) -> None:
    # The same file would give the same figures to the indicators of 18+ and of 65+.
    error = refused(SourceChanged, tidy(PLAIN), **settings)
    assert error.column == "Leeftijd"
    assert "jobs" in error.expected


def test_a_member_that_is_not_there_or_twice_is_refused_with_what_there_is() -> None:
    error = refused(SourceChanged, tidy(BY_SEX, members=SEXES), select={"Geslacht": ["Onbekend"]})
    assert "Mannen" in str(error.value)
    error = refused(SourceChanged, tidy(BY_SEX, members=SEXES), select={"Geslacht": ["Mannen", "Vrouwen"]})
    assert error.value == "3000, 4000"


def test_members_are_added_up() -> None:
    found = take(tidy(BY_SEX, members=SEXES), add_up={"Geslacht": ["Mannen", "4000"]})
    assert values(found) == {"GM0153": 60 + 40, "GM0164": 41 + 39}


def test_a_member_that_is_named_twice_is_added_once() -> None:
    found = take(tidy(BY_SEX, members=SEXES), add_up={"Geslacht": ["Mannen", "4000", "3000"]})
    assert values(found) == {"GM0153": 60 + 40, "GM0164": 41 + 39}


def test_a_sum_of_which_a_part_is_missing_is_missing_and_never_partial() -> None:
    text = """
        region_code Geslacht value reason
        GM0153      3000     60    -
        GM0153      4000     -     x
        GM0164      3000     41    -
        GM0164      4000     39    -
        GM0175      3000     7     -
        GM0177      3000     8     -
        GM0177      4000     -     Impossible
        GM0142      3000     -     Impossible
        GM0142      4000     -     Impossible
        """
    found = take(tidy(text, members=SEXES), add_up={"Geslacht": ["Mannen", "Vrouwen"]})
    assert values(found) == {"GM0153": None, "GM0164": 80, "GM0175": None, "GM0177": None}
    # Of the women of Ommen and Raalte there is no figure, but they are no abolished municipalities.
    assert dict(found.select("region_code", "reason").iter_rows()) == {
        "GM0153": "x",
        "GM0164": None,
        "GM0175": "part missing",
        "GM0177": "part missing",
    }
    assert found["status"].to_list() == ["suppressed", "definitive", "not_published", "not_published"]


def test_a_sum_over_one_dimension_within_a_member_of_another() -> None:
    text = """
        region_code Leeftijd Geslacht value
        GM0153      65jaar   3000     1
        GM0153      66jaar   3000     2
        GM0153      65jaar   4000     40
        GM0164      65jaar   3000     3
        GM0164      66jaar   3000     4
        GM0164      66jaar   4000     50
        """
    members = {"Leeftijd": {"65jaar": "65 jaar", "66jaar": "66 jaar"}, **SEXES}
    found = take(tidy(text, members=members), add_up={"Leeftijd": ["65..66 jaar"]}, select={"Geslacht": ["3000"]})
    assert values(found) == {"GM0153": 3, "GM0164": 7}


def test_a_factor_makes_the_publishers_number_one_in_our_unit_margins_too() -> None:
    text = "region_code value ci_low ci_high\nGM0153 44.1 43.9 44.4\nGM0164 30 29 31"
    found = take(tidy(text), factor=1000, rounding_unit=100)
    assert found.select("value", "ci_low", "ci_high").row(0) == (44_100, 43_900, 44_400)


def test_a_factor_leaves_no_digits_that_were_not_published() -> None:
    # 3 x 0.1 is 0.30000000000000004 to a computer.
    assert take(tidy("region_code value\nGM0153 3\nGM0164 7"), factor=0.1, rounding_unit=0.1)["value"].to_list() == [
        0.3,
        0.7,
    ]


def test_of_a_monthly_table_only_the_wanted_months_are_taken() -> None:
    text = """
        region_code period  value
        GM0153      2022-11 1
        GM0153      2022-12 2
        GM0153      2022    3
        GM0153      2022Q4  4
        GM0164      2022-12 5
        GM0164      2022    6
        """
    monthly = {"period_first": "2021-12", "period_last": "2024-12"}
    found = take(tidy(text), months=["12"], **monthly)
    assert found.select("region_code", "period", "value").rows() == [("GM0153", "2022-12", 2), ("GM0164", "2022-12", 5)]


def test_of_a_table_of_years_and_months_a_yearly_source_takes_the_years() -> None:
    text = "region_code period value\nGM0153 2022 3\nGM0153 2022-12 2\nGM0153 2022HJ01 9\nGM0164 2022 6"
    assert take(tidy(text)).select("period", "value").rows() == [("2022", 3), ("2022", 6)]


def test_periods_before_the_first_of_the_catalogue_are_left_out_and_newer_ones_are_taken() -> None:
    text = "region_code period value\nGM0153 2019 1\nGM0153 2021 2\nGM0153 2030 3\nGM0164 2021 4\nGM0164 2030 5"
    assert take(tidy(text))["period"].unique().sort().to_list() == ["2021", "2030"]


def test_a_table_without_periods_is_about_the_one_of_the_catalogue() -> None:
    text = "region_code period value\nGM0153 - 1\nGM0164 - 2"
    found = take(tidy(text), period_first="2022", period_last="2022")
    assert found["period"].to_list() == ["2022", "2022"]
    error = refused(PeriodError, tidy(text), period_first="2021", period_last="2022")
    assert error.value == "2021 to 2022"


def test_a_table_without_rows_of_the_wanted_periods_is_refused() -> None:
    error = refused(SourceChanged, tidy("region_code period value\nGM0153 2019 1\nGM0164 2019 2"))
    assert error.expected == "figures of jobs from 2021 on"
    refused(SourceChanged, tidy("region_code period value\nGM0153 2022Q1 1\nGM0164 2022Q1 2"))


# What is left out.


def test_a_period_nobody_has_a_figure_of_is_not_published_yet() -> None:
    text = """
        region_code period value reason
        GM0153      2022   1     -
        GM0164      2022   -     .
        GM0153      2023   -     .
        GM0164      2023   -     Impossible
        """
    found = take(tidy(text))
    assert found.select("region_code", "period", "value").rows() == [("GM0153", "2022", 1), ("GM0164", "2022", None)]


def test_abolished_municipalities_are_left_out_and_suppressed_ones_are_not() -> None:
    text = """
        region_code period value reason
        GM0153      2022   1     -
        GM0164      2022   2     -
        GM0142      2022   -     Impossible
        GM0143      2022   -     blank
        GM0175      2022   -     .
        """
    assert list(values(take(tidy(text)))) == ["GM0153", "GM0164", "GM0175"]


def test_a_municipality_that_has_one_figure_of_a_period_keeps_its_empty_ones() -> None:
    topics = (Topic("T1", (), "Banen", "aantal"), Topic("T2", (), "Bedrijven", "aantal"))
    text = """
        topic region_code value reason
        T1    GM0153      1     -
        T1    GM0164      1     -
        T1    GM0175      5     -
        T2    GM0153      2     -
        T2    GM0164      2     -
        T2    GM0175      -     Impossible
        """
    firms = indicator("firms", source(topics=[TopicName(title="Bedrijven")]))
    made = catalogue(indicator("jobs", source()), firms)
    found = figures(tidy(text, topics=topics), made, wanted(made, TABLE))
    assert values(found.filter(indicator_id="firms")) == {"GM0153": 2, "GM0164": 2, "GM0175": None}


def test_the_own_municipalities_are_never_left_out() -> None:
    text = "region_code value reason\nGM0153 1 -\nGM0164 - Impossible\nGM0175 3 -"
    found = take(tidy(text))
    assert values(found) == {"GM0153": 1, "GM0164": None, "GM0175": 3}


# Statuses and reasons.


@pytest.mark.parametrize(
    ("period_status", "listed", "status"),
    [
        ("Definitief", None, "definitive"),
        ("Voorlopig", None, "provisional"),
        ("NaderVoorlopig", None, "provisional"),
        ("-", None, "definitive"),
        ("-", ["2022"], "provisional"),
        ("-", ["2023"], "definitive"),
        ("Voorlopig", ["2023"], "provisional"),
        # The list is for publishers who do not say it; one who does is right, also once the figure is settled.
        ("Definitief", ["2022"], "definitive"),
    ],
)
def test_a_figure_is_as_provisional_as_its_publisher_or_else_the_catalogue_says(
    period_status: str, listed: list[str] | None, status: str
) -> None:
    text = f"region_code value period_status\nGM0153 1 {period_status}\nGM0164 2 {period_status}"
    found = take(tidy(text), tables=[source_table(provisional_periods=listed)])
    assert found["status"].to_list() == [status, status]


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        (".", "suppressed"),
        ("x", "suppressed"),
        ("*", "suppressed"),
        ("<10", "suppressed"),
        ("Confidential", "suppressed"),
        ("nvt", "not_applicable"),
        ("n.v.t.", "not_applicable"),
        ("Impossible", "not_published"),
        ("blank", "not_published"),
        ("-", "suppressed"),  # in these tests `-` is the `.` of CBS
        ("SomethingNew", "not_published"),
    ],
)
def test_the_publishers_reason_is_kept_and_becomes_a_status(reason: str, status: str) -> None:
    text = f"region_code value reason period_status\nGM0153 1 - Voorlopig\nGM0164 - {reason} Voorlopig"
    found = take(tidy(text)).filter(region_code="GM0164")
    kept = {"blank": "", "-": "."}.get(reason, reason)
    assert found.select("value", "status", "reason").rows() == [(None, status, kept)]


# What is refused.


def test_a_value_outside_the_scale_is_refused() -> None:
    made = catalogue(indicator("share", source(unit="percent"), unit="percent", scale_max=100))
    text = "region_code value\nGM0153 50\nGM0164 101\nGM0175 -1"
    with pytest.raises(OutOfScale) as caught:
        figures(tidy(text), made, wanted(made, TABLE))
    error = caught.value
    assert (error.file, error.value, error.more) == (TABLE, "101.0 (share, GM0164, 2022)", 1)
    assert "0 to 100 (percent)" in error.expected


def test_a_value_more_precise_than_the_catalogue_says_is_refused() -> None:
    text = "region_code value\nGM0153 50\nGM0164 50.4"
    error = refused(SourceChanged, tidy(text))
    assert error.value == "50.4 (jobs, GM0164, 2022)"
    assert "a multiple of 1" in error.expected
    assert values(take(tidy(text), rounding_unit=0.1)) == {"GM0153": 50, "GM0164": 50.4}


def test_precision_is_judged_without_the_errors_of_floating_point() -> None:
    # 33.3 / 0.1 is 332.99999999999994, and 0.7 x 1000 is not always 700.
    assert take(tidy("region_code value\nGM0153 33.3\nGM0164 1234567.7"), rounding_unit=0.1).height == 2
    thousands = tidy("region_code value\nGM0153 17590.7\nGM0164 0.7")
    assert values(take(thousands, factor=1000, rounding_unit=100)) == {"GM0153": 17_590_700, "GM0164": 700}


@pytest.mark.parametrize("bounds", ["60 70", "40 45", "60 45", "60 -", "- 45"])
def test_crossed_margins_are_refused(bounds: str) -> None:
    error = refused(SourceChanged, tidy(f"region_code value ci_low ci_high\nGM0153 50 {bounds}\nGM0164 50 50 50"))
    assert (error.expected, error.value) == ("a value within its margins", "50.0 (jobs, GM0153, 2022)")


@pytest.mark.parametrize("bounds", ["40 45", "40 -", "- 45"])
def test_margins_of_a_value_that_is_not_published_are_refused(bounds: str) -> None:
    # They would say what the publisher suppressed.
    text = f"region_code value ci_low ci_high\nGM0153 - {bounds}\nGM0164 50 50 50\nGM0175 - - -"
    error = refused(SourceChanged, tidy(text))
    assert (error.expected, error.value) == ("a value within its margins", "None (jobs, GM0153, 2022)")


def test_a_figure_that_is_there_twice_is_refused() -> None:
    error = refused(DuplicateFigure, tidy("region_code value\nGM0153 50\nGM0164 50\nGM0153 51"))
    assert error.value == "50.0 (jobs, GM0153, 2022)"


def test_a_figure_that_two_sheets_give_is_refused() -> None:
    sheet = raw("region_code value\nGM0153 50\nGM0164 50")
    assert together([sheet, sheet.with_columns(period=pl.lit("2023"))], TABLE).height == 4
    with pytest.raises(DuplicateFigure) as caught:
        together([sheet, sheet.with_columns(value=pl.lit(51.0))], TABLE)
    assert (caught.value.file, caught.value.more) == (TABLE, 3)


def test_an_own_municipality_without_row_is_refused_by_name() -> None:
    text = "region_code period value\nGM0153 2021 1\nGM0164 2021 2\nGM0153 2022 1\nGM0175 2022 2"
    error = refused(MissingMunicipality, tidy(text))
    assert "Hengelo (GM0164), jobs, 2022" in str(error.remedy)
    assert error.more == 0


def test_a_table_without_own_municipalities_lacks_none() -> None:
    # Figures of the country, or of another part of the land: a delivered file may be a part of its table.
    assert values(take(tidy("region_code value\nNL01 1\nGM0175 2"))) == {"GM0175": 2, "NL01": 1}


def test_a_municipality_is_not_missed_in_the_years_in_which_it_did_not_exist() -> None:
    # Voorne aan Zee (GM1992) came into being on 1 January 2023, from Brielle (GM0501) and others.
    region = catalogue().region.model_copy(update={"municipalities": {"GM0501": "Brielle", "GM1992": "Voorne aan Zee"}})
    made = catalogue(region=region)
    text = "region_code period value\nGM0501 2022 1\nGM1992 2023 2"
    assert figures(tidy(text), made, wanted(made, TABLE)).height == 2
    with pytest.raises(MissingMunicipality, match="Voorne aan Zee"):
        figures(tidy("region_code period value\nGM0501 2023 1"), made, wanted(made, TABLE))


# What a file holds.


def test_an_indicator_is_wanted_of_the_tables_it_names_topics_for() -> None:
    made = catalogue(
        indicator("jobs", source("CBS T1"), source("CBS T2")), indicator("described", source("CBS T1", topics=[]))
    )
    assert [i.indicator_id for i, _ in wanted(made, "CBS T1")] == ["jobs"]
    assert [s.source_table for _, s in wanted(made, "CBS T2")] == ["CBS T2"]
    assert wanted(made, "CBS T3") == []


def test_what_a_delivered_file_does_not_hold_is_not_asked_of_it() -> None:
    def ids(what: Wanted) -> list[str]:
        return [i.indicator_id for i, _ in what]

    table = tidy(BY_SEX, members=SEXES)
    men = indicator("men", source(select={"Geslacht": ["Mannen"]}))
    unknown = indicator("unknown", source(select={"Geslacht": ["Onbekend"]}))
    both = indicator("both", source(add_up={"Geslacht": ["Mannen", "Vrouwen"]}))
    more = indicator("more", source(add_up={"Geslacht": ["Mannen", "Onbekend"]}))
    firms = indicator("firms", source(topics=[TopicName(title="Bedrijven")]))
    made = catalogue(men, unknown, both, more, firms)
    assert ids(present(table, wanted(made, TABLE))) == ["men", "both"]


# Size.

KNOWN = known_figures("""
    region_code period value
    GM0153      2021   100
    GM0164      2021   80
    GM0153      2022   110
    GM0164      2022   90
    NL01        2022   9000
    """)


@pytest.mark.parametrize(("factor", "shown"), [(1000, "1000"), (0.001, "0.001"), (100, "100"), (0.01, "0.01")])
def test_figures_in_another_unit_are_refused(factor: float, shown: str) -> None:
    # Medians of the known periods are 105 and 85.
    found = known_figures(f"region_code value\nGM0153 {105 * factor}\nGM0164 {85 * factor}", period="2023")
    with pytest.raises(SourceChanged) as caught:
        check_size(found, KNOWN, TABLE)
    error = caught.value
    assert error.file == TABLE
    assert "jobs in 2023" in error.expected
    assert error.value == f"{shown} times those, over 2 regions"
    assert "Nothing was taken in" in str(error.remedy)


@pytest.mark.parametrize("value", [0, 4, 50, 105, 210, 2500])
def test_growth_decline_and_zero_are_no_other_unit(value: float) -> None:
    check_size(known_figures(f"region_code value\nGM0153 {value}\nGM0164 {value}"), KNOWN, TABLE)


def test_one_odd_region_among_others_does_not_make_another_unit() -> None:
    check_size(known_figures("region_code value\nGM0153 105000\nGM0164 85\nNL01 9000"), KNOWN, TABLE)


def test_zeros_missing_values_and_what_is_not_known_yet_say_nothing_of_a_unit() -> None:
    known = known_figures("region_code value\nGM0153 0\nGM0164 -")
    check_size(known_figures("region_code value\nGM0153 5000\nGM0164 5000"), known, TABLE)
    check_size(known_figures("region_code value\nGM0153 0\nGM0164 -"), KNOWN, TABLE)
    check_size(known_figures("region_code value\nGM0153 5000000", indicator_id="new"), KNOWN, TABLE)
    check_size(KNOWN.clear(), KNOWN, TABLE)


def test_every_period_is_looked_at() -> None:
    found = pl.concat([KNOWN, known_figures("region_code value\nGM0153 105000\nGM0164 85000", period="2024")])
    with pytest.raises(SourceChanged, match="jobs in 2024"):
        check_size(found, KNOWN, TABLE)


# A national table is whole.

COUNTRY = [f"GM{number:04}" for number in range(1, 201)]


def inhabitants(**of: float) -> pl.DataFrame:
    """Two hundred municipalities in 2022 with 100 inhabitants each, or so many."""
    rows = [("population", code, "2022", of.get(code, 100.0)) for code in COUNTRY]
    return pl.DataFrame(rows, schema=["indicator_id", "region_code", "period", "value"], orient="row")


def national(*absent: str, period: str = "2022") -> pl.DataFrame:
    rows = [("income", code, period, 1.0) for code in COUNTRY if code not in absent]
    return pl.DataFrame(rows, schema=["indicator_id", "region_code", "period", "value"], orient="row")


def test_a_large_municipality_that_is_absent_from_a_national_table_is_refused() -> None:
    check_municipalities(national(), inhabitants(), "T1")
    with pytest.raises(MissingMunicipality, match="none for GM0007") as caught:
        check_municipalities(national("GM0007"), inhabitants(GM0007=5000), "T1")
    assert "T1" in str(caught.value)
    assert "20.1% of all inhabitants" in str(caught.value)  # 5000 of 199 x 100 + 5000


def test_a_small_one_may_lack_a_figure_and_a_part_of_a_table_is_no_national_table() -> None:
    check_municipalities(national("GM0007"), inhabitants(GM0007=10), "T1")
    check_municipalities(national(*COUNTRY[:120]), inhabitants(), "T1")


def test_a_period_is_held_against_later_borders_too_and_not_against_earlier_ones() -> None:
    later = inhabitants().with_columns(period=pl.lit("2023")).filter(pl.col("region_code") != "GM0007")
    known = pl.concat([inhabitants(GM0007=5000), later])
    check_municipalities(national("GM0007"), known, "T1")  # on the borders of 2023 nobody is absent
    with pytest.raises(MissingMunicipality):
        check_municipalities(national("GM0008", period="2023"), known, "T1")
    check_municipalities(national("GM0008", period="2021"), known, "T1")  # before what is known


# The country's own figure.

WITH_COUNTRY = "region_code value\nGM0153 100\nGM0164 80\nNL01 9000"
WITHOUT_COUNTRY = "region_code value\nGM0153 100\nGM0164 80"


def test_a_table_without_the_countrys_own_figure_is_refused_by_indicator() -> None:
    made = catalogue(indicator("jobs"), indicator("firms"))
    both = pl.concat([known_figures(WITH_COUNTRY), known_figures(WITHOUT_COUNTRY, indicator_id="firms")])
    check_country(known_figures(WITH_COUNTRY), made, TABLE)
    with pytest.raises(MissingMunicipality) as caught:
        check_country(both, made, TABLE)
    error = caught.value
    assert (error.file, error.column, error.value) == (TABLE, "region_code", "none for firms")
    assert "(NL01)" in error.expected
    assert "country_figure: false" in str(error.remedy)


def test_the_country_is_not_asked_for_where_nobody_promised_it() -> None:
    without = known_figures(WITHOUT_COUNTRY)
    check_country(without, catalogue(indicator("jobs", country_figure=False)), TABLE)
    check_country(without, catalogue(tables=[source_table(regions=["GM"])]), TABLE)
    check_country(without, catalogue(tables=[source_table(service=None)]), TABLE)
    # Of an indicator that the table does not hold yet nothing is missing.
    check_country(without.clear(), catalogue(), TABLE)
