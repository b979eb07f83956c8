"""What the YAML may say."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from catalog.model import (
    BoundaryServices,
    Indicator,
    IndicatorSource,
    Region,
    Service,
    Theme,
    TopicName,
    expand_members,
    expand_periods,
)

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


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (["65..67 jaar"], ["65 jaar", "66 jaar", "67 jaar"]),
        (["103..104 jaar", "105 jaar of ouder"], ["103 jaar", "104 jaar", "105 jaar of ouder"]),
        (["18..18 jaar"], ["18 jaar"]),
        (["T001038", 10000], ["T001038", "10000"]),  # YAML makes a number of a code without quotes
        (["0..4"], ["0..4"]),  # no unit: a member's own name
    ],
)
def test_members_are_codes_titles_and_ranges_of_ages(written: list[object], expected: list[str]) -> None:
    assert expand_members(written) == expected
    assert IndicatorSource(**SOURCE | {"add_up": {"Leeftijd": written}}).add_up == {"Leeftijd": expected}


def test_a_range_of_ages_that_runs_backwards_adds_nothing_up_and_is_refused() -> None:
    with pytest.raises(ValidationError, match="add_up"):
        IndicatorSource(**SOURCE | {"add_up": {"Leeftijd": ["74..15 jaar"]}})


@pytest.mark.parametrize("period", ["2022", "2022Q1", "2022Q4", "2022-05"])
def test_a_period_is_a_year_a_quarter_or_a_month(period: str) -> None:
    assert IndicatorSource(**SOURCE | {"period_last": period}).period_last == period


@pytest.mark.parametrize("period", ["22", "2022Q5", "2022-5", "2022 ", "2022JJ00", ""])
def test_anything_else_is_no_period(period: str) -> None:
    with pytest.raises(ValidationError, match="period_last"):
        IndicatorSource(**SOURCE | {"period_last": period})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("priority", 0),
        ("rounding_unit", 0),
        ("kind", "guess"),
        ("series_id", "Series"),
        ("revision_margin", -1),
        ("factor", 0),
        ("months", ["13"]),
        ("months", ["1"]),
        ("select", {"Leeftijd": []}),
        ("add_up", {"Leeftijd": []}),
        ("topics", [{"path": ["Leefstijl"]}]),
        ("baseline_revisions", "ignore"),
    ],
)
def test_a_source_says_how_its_figures_are_made(field: str, value: object) -> None:
    with pytest.raises(ValidationError, match=field):
        IndicatorSource(**SOURCE | {field: value})


def test_counts_are_sums_and_percentages_are_recognised_by_their_unit() -> None:
    share, total = Indicator(**INDICATOR), Indicator(**INDICATOR | {"group_method": "sum", "unit": "persons"})
    assert (share.is_count, share.is_percentage) == (False, True)
    assert (total.is_count, total.is_percentage) == (True, False)


def test_a_topic_is_shown_as_a_publisher_writes_it() -> None:
    assert (
        str(TopicName(path=["Tevredenheid", "Leven"], title="Tevreden", unit="%")) == "Tevredenheid/Leven/Tevreden (%)"
    )
    assert str(TopicName(title="WW-uitkeringen")) == "WW-uitkeringen"


RATIO: dict[str, Any] = {
    "indicator_id": "benefits_per_1000",
    "unit": "per 1000 inhabitants",
    "group_method": "ratio",
    "ratio": {"numerator": "benefits", "denominator": "population", "per": 1000},
    "sources": [],
}


def test_a_ratio_is_weighted_by_its_denominator_and_has_no_sources_of_its_own() -> None:
    ratio = Indicator(**INDICATOR | RATIO)
    assert (ratio.weight, ratio.sources, ratio.is_count, ratio.is_percentage) == ("population", [], False, False)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ratio": None, "weight": "population"}, "group_method ratio and the field ratio go together"),
        ({"group_method": "weighted_mean"}, "group_method ratio and the field ratio go together"),
        ({"group_method": "sum"}, "a weight is needed"),
        ({"ratio": {"numerator": "benefits"}}, "denominator"),
        ({"ratio": {"numerator": "benefits", "denominator": "population", "per": 0}}, "per"),
    ],
)
def test_half_a_ratio_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Indicator(**INDICATOR | RATIO | change)


def test_a_fallback_falls_back_from_a_weight() -> None:
    mean = {"group_method": "weighted_mean", "weight": "population_18plus", "weight_fallback": "population"}
    assert Indicator(**INDICATOR | mean).weight_fallback == "population"
    for method in ("none", "sum"):
        with pytest.raises(ValidationError, match="fallback"):
            Indicator(**INDICATOR | {"group_method": method, "weight_fallback": "population"})


def test_a_dimension_is_selected_or_added_up() -> None:
    source = SOURCE | {"select": {"Geslacht": ["T001038"]}, "add_up": {"Leeftijd": ["15..74 jaar"]}}
    assert len(Indicator(**INDICATOR | {"sources": [source]}).sources[0].add_up["Leeftijd"]) == 60
    both = source | {"select": {"Leeftijd": ["10000"]}}
    with pytest.raises(ValidationError, match="Leeftijd stands under select too"):
        Indicator(**INDICATOR | {"sources": [both]})


@pytest.mark.parametrize("frozen", [{2022: "2019"}, {2022: "2023"}, {2030: "2022"}, {2021: "2022"}])
def test_a_baseline_is_a_period_of_its_table_and_not_older_than_a_figure_may_be(frozen: dict[int, str]) -> None:
    """The table has 2020 to 2022; figures may be four years old."""
    with pytest.raises(ValidationError, match=r"baseline_periods|is not"):
        Indicator(**INDICATOR | {"sources": [SOURCE | {"baseline_periods": frozen}]})


@pytest.mark.parametrize("url", ["cbs.nl", "ftp://cbs.nl", "https://cbs.nl/", "", "http://"])
def test_a_service_has_an_address_that_a_table_id_can_be_appended_to(url: str) -> None:
    with pytest.raises(ValidationError, match="url"):
        Service(service_id="cbs", platform="odata_v4", url=url)


def test_addresses_of_boundaries_name_the_year_where_the_service_does() -> None:
    address: dict[str, Any] = {"ogc_url": "http://localhost:1/ogc/v1", "wfs_url": "http://localhost:1/{year}/wfs"}
    assert BoundaryServices(**address).wfs_url.format(year=2022) == "http://localhost:1/2022/wfs"
    for wrong in ({"wfs_url": "http://localhost:1/wfs"}, {"ogc_url": "http://localhost:1/"}):
        with pytest.raises(ValidationError, match=next(iter(wrong))):
            BoundaryServices(**address | wrong)


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


def group(code: str, *members: str, variant_of: str | None = None) -> dict[str, Any]:
    return {"code": code, "name_nl": code, "name_en": code, "members": members, "variant_of": variant_of}


FOUR = {f"GM000{number}": str(number) for number in range(1, 5)}
CORE, HILLS = group("CORE", "GM0001", "GM0002"), group("HILLS", "GM0003", "GM0004")
HIGH = group("HIGH", "GM0004", variant_of="HILLS")


def with_groups(*groups: dict[str, Any], contrasts: list[list[str]]) -> Region:
    return Region(**REGION | {"municipalities": FOUR, "groups": groups, "contrasts": contrasts})


def test_a_variant_takes_its_groups_place_in_a_second_look_at_each_contrast() -> None:
    town = group("TOWN", "GM0001", variant_of="CORE")
    region = with_groups(HIGH, CORE, HILLS, town, contrasts=[["CORE", "HILLS"], ["HILLS", "CORE"]])
    assert region.contrasts == [("CORE", "HILLS"), ("HILLS", "CORE")]
    second_looks = {("TOWN", "HILLS"), ("CORE", "HIGH"), ("HIGH", "CORE"), ("HILLS", "TOWN")}
    assert set(region.contrast_variants) == second_looks
    assert len(region.contrast_variants) == len(second_looks)
    assert region.compared_contrasts == [*region.contrasts, *region.contrast_variants]
    assert [main.code for main in region.main_groups] == ["CORE", "HILLS"]
    assert region.own_groups["HIGH"] == ["GM0004"]


def test_without_variants_only_the_contrasts_are_compared() -> None:
    region = with_groups(CORE, HILLS, contrasts=[["CORE", "HILLS"]])
    assert region.contrast_variants == []
    assert region.compared_contrasts == region.contrasts
    assert region.main_groups == region.groups


@pytest.mark.parametrize(
    ("variant", "message"),
    [
        (group("HIGH", "GM0004", variant_of="HIL"), r"HIL is no group that can have a variant.*'CORE', 'HILLS'"),
        (group("HIGH", "GM0004", variant_of="REGION"), "REGION is no group that can have a variant"),
        (group("HIGH", "GM0004", variant_of="HIGH"), "HIGH is no group that can have a variant"),
        (group("HIGH", "GM0001", "GM0004", variant_of="HILLS"), "not among the members of HILLS: GM0001"),
        (group("HIGH", "GM0003", "GM0004", variant_of="HILLS"), "leaves out no member of HILLS"),
    ],
)
def test_a_variant_is_a_part_of_a_group_that_is_none_itself(variant: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        with_groups(CORE, HILLS, variant, contrasts=[["CORE", "HILLS"]])


def test_a_variant_of_a_variant_is_refused() -> None:
    highest = group("HIGHEST", "GM0004", variant_of="HIGH")
    with pytest.raises(ValidationError, match="HIGH is no group that can have a variant"):
        with_groups(CORE, HILLS, HIGH, highest, contrasts=[])


def test_a_contrast_names_the_group_and_not_its_variant() -> None:
    with pytest.raises(ValidationError, match="HIGH is a variant"):
        with_groups(CORE, HILLS, HIGH, contrasts=[["CORE", "HIGH"]])


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
