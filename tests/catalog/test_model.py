"""What the YAML may say."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from catalog.model import Indicator, IndicatorSource, Region, Theme, expand_periods

SOURCE: dict[str, Any] = {
    "source_table": "CBS 1NED",
    "source_column": "Column",
    "unit": "percent of persons",
    "period_first": "2020",
    "period_last": "2022",
    "priority": 1,
    "series_id": "s",
    "kind": "register",
    "rounding_unit": 0.1,
}
INDICATOR: dict[str, Any] = {
    "indicator_id": "health",
    "layer": "official",
    "name_nl": "Gezondheid",
    "name_en": "Health",
    "definition_nl": "Gezondheid.",
    "definition_en": "Health.",
    "unit": "percent of persons",
    "unit_nl": "procent van de inwoners",
    "decimals": 1,
    "polarity": 1,
    "group_method": "none",
    "max_lag_years": 4,
    "sources": [SOURCE],
}
REGION: dict[str, Any] = {
    "region_code": "REGION",
    "name_nl": "Regio",
    "name_en": "Region",
    "country_code": "NL01",
    "country_name_nl": "Nederland",
    "country_name_en": "The Netherlands",
    "rest_code": "REST",
    "rest_name_nl": "rest",
    "rest_name_en": "rest",
    "baseline_year": 2022,
    "last_measurement_year": 2025,
    "municipalities": {"GM0002": "Two", "GM0001": "One"},
}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (["2011..2013"], ["2011", "2012", "2013"]),
        (["2012", "2016", "2020..2022"], ["2012", "2016", "2020", "2021", "2022"]),
        ([2012], ["2012"]),
        (["2020..2020"], ["2020"]),
        ([], []),
    ],
)
def test_periods_are_years_and_ranges_of_years(written: list[object], expected: list[str]) -> None:
    assert expand_periods(written) == expected


@pytest.mark.parametrize("written", ["20", "2011-2013", "2011..", "..2013", "2011..now", "2013..2011", "2022Q1..2023"])
def test_what_is_no_year_or_range_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"is not a year or a range"):
        expand_periods([written])


@pytest.mark.parametrize("period", ["2022", "2022Q1", "2022Q4", "2022-05"])
def test_a_period_is_a_year_a_quarter_or_a_month(period: str) -> None:
    assert IndicatorSource(**SOURCE | {"period_last": period}).period_last == period


@pytest.mark.parametrize("period", ["22", "2022Q5", "2022-5", "2022 ", "2022JJ00", ""])
def test_anything_else_is_no_period(period: str) -> None:
    with pytest.raises(ValidationError, match="period_last"):
        IndicatorSource(**SOURCE | {"period_last": period})


@pytest.mark.parametrize(
    ("field", "value"),
    [("priority", 0), ("rounding_unit", 0), ("kind", "guess"), ("series_id", "Series"), ("revision_margin", -1)],
)
def test_a_source_says_how_its_figures_are_made(field: str, value: object) -> None:
    with pytest.raises(ValidationError, match=field):
        IndicatorSource(**SOURCE | {field: value})


def test_counts_are_sums_and_percentages_are_recognised_by_their_unit() -> None:
    share, total = Indicator(**INDICATOR), Indicator(**INDICATOR | {"group_method": "sum", "unit": "persons"})
    assert (share.is_count, share.is_percentage) == (False, True)
    assert (total.is_count, total.is_percentage) == (True, False)


def test_a_weighted_mean_and_nothing_else_has_a_weight() -> None:
    assert Indicator(**INDICATOR | {"group_method": "weighted_mean", "weight": "population"}).weight == "population"
    for wrong in ({"group_method": "weighted_mean"}, {"weight": "population"}, {"group_method": "sum", "weight": "x"}):
        with pytest.raises(ValidationError, match="weight"):
            Indicator(**INDICATOR | wrong)


def test_the_sources_that_freeze_a_baseline_come_best_first() -> None:
    second = SOURCE | {"baseline_periods": {2022: "2021"}, "priority": 2}
    first = SOURCE | {"source_table": "CBS 2NED", "baseline_periods": {2022: "2022"}, "priority": 1}
    indicator = Indicator(**INDICATOR | {"sources": [second, first, SOURCE | {"source_table": "CBS 3NED"}]})
    assert [(source.source_table, period) for source, period in indicator.baselines(2022)] == [
        ("CBS 2NED", "2022"),
        ("CBS 1NED", "2021"),
    ]
    assert indicator.baselines(2023) == []


def test_a_table_gives_an_indicator_once() -> None:
    with pytest.raises(ValidationError, match="twice"):
        Indicator(**INDICATOR | {"sources": [SOURCE, SOURCE]})


def test_an_indicator_has_a_source() -> None:
    with pytest.raises(ValidationError, match="sources"):
        Indicator(**INDICATOR | {"sources": []})


def test_a_region_has_its_years_and_groups_in_order() -> None:
    groups = [{"code": "CORE", "name_nl": "kern", "name_en": "core", "members": ["GM0001"]}]
    region = Region(**REGION | {"groups": groups})
    assert region.years == [2022, 2023, 2024, 2025]
    assert region.own_groups == {"REGION": ["GM0001", "GM0002"], "CORE": ["GM0001"]}
    assert list(region.own_groups) == ["REGION", "CORE"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"last_measurement_year": 2021}, "last_measurement_year"),
        ({"municipalities": {"GM0001": "One"}}, "municipalities"),
        ({"municipalities": {"GM1": "One", "GM2": "Two"}}, "municipalities"),
        ({"groups": [{"code": "CORE", "name_nl": "", "name_en": "", "members": ["GM0009"]}]}, "GM0009"),
        ({"groups": [{"code": "CORE", "name_nl": "", "name_en": "", "members": []}]}, "members"),
        ({"contrasts": [["CORE", "HILLS"]]}, "HILLS"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_region_that_contradicts_itself_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Region(**REGION | change)


def test_a_theme_begins_with_its_framework() -> None:
    theme: dict[str, Any] = {"theme_id": "btg_health", "framework": "btg", "name_nl": "Gezondheid", "name_en": "Health"}
    assert Theme(**theme).theme_id == "btg_health"
    with pytest.raises(ValidationError, match="btg"):
        Theme(**theme | {"theme_id": "cbs_health"})
