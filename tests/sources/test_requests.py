"""The catalogue asks for no more and no less than it measures."""

from __future__ import annotations

from typing import Any

import pytest

from catalog import load_catalogue
from catalog.model import IndicatorSource, TopicName
from sources.areas import AREA_TOPICS
from sources.errors import DamagedSnapshot
from sources.figures import wanted
from sources.requests import as_text, covered, of_snapshot, requests_of
from sources.statline import TableRequest
from tests.sources.small import TABLE, catalogue, indicator, snapshot, source, source_table

JOBS, FIRMS = TopicName(title="Banen", unit="aantal"), TopicName(title="Bedrijven", unit="aantal")


def asked(*sources: IndicatorSource, **table: Any) -> list[TableRequest]:
    indicators = [indicator(f"indicator_{number}", source) for number, source in enumerate(sources)]
    return requests_of(catalogue(*indicators, tables=[source_table(**table)]), TABLE)


def taken(request: TableRequest, *sources: IndicatorSource) -> list[str]:
    """Which of these sources, called a, b, …, a snapshot of this request covers."""
    what = [(indicator(name, entry), entry) for name, entry in zip("abcd", sources, strict=False)]
    return [i.indicator_id for i, _ in covered(request, what)]


def test_a_request_says_where_and_what() -> None:
    (request,) = asked(source(select={"Geslacht": ["3000", "Mannen"]}))
    assert request == TableRequest(
        name=TABLE,
        platform="odata_v3",
        url="https://v3.example.org",
        table_id="T1",
        regions=("GM", "NL"),
        topics=((JOBS,),),
        select={"Geslacht": (("3000", "Mannen"),)},
        period_first="2021",
    )


def test_service_and_regions_come_from_the_catalogue() -> None:
    service = {"service": "v4", "table_id": "85554NED", "regions": ["AM05", "NL"]}
    (request,) = asked(source(), service=service)
    assert (request.platform, request.url) == ("odata_v4", "https://v4.example.org")
    assert (request.table_id, request.regions) == ("85554NED", ("AM05", "NL"))


def test_what_no_service_offers_is_not_asked_for() -> None:
    assert asked(source(), service=None) == []
    assert asked(source(topics=[])) == []


def test_indicators_of_the_same_members_share_a_request() -> None:
    (request,) = asked(source(), source(topics=[FIRMS], period_first="2018"), source(period_first="2023"))
    assert request.topics == ((JOBS,), (FIRMS,))
    assert request.period_first == "2018"


def test_the_earliest_period_is_asked_for_whatever_its_grain() -> None:
    (request,) = asked(source(period_first="2019-12", period_last="2024-12"), source(period_first="2019"))
    assert request.period_first == "2019"


def test_every_selection_has_its_own_request_so_that_none_is_wider_than_needed() -> None:
    men, women = {"Geslacht": ["3000"]}, {"Geslacht": ["4000"]}
    requests = asked(source(select=men), source(select=women), source(), source(select=men, topics=[FIRMS]))
    assert [request.select for request in requests] == [{"Geslacht": (("3000",),)}, {"Geslacht": (("4000",),)}, {}]
    assert [request.topics for request in requests] == [((JOBS,), (FIRMS,)), ((JOBS,),), ((JOBS,),)]


def test_members_that_are_added_up_are_united() -> None:
    young, all_ages = {"Leeftijd": ["18..19 jaar"]}, {"Leeftijd": ["18..20 jaar", "21 jaar of ouder"]}
    (request,) = asked(source(add_up=young), source(add_up=all_ages))
    assert request.select == {"Leeftijd": (("18 jaar",), ("19 jaar",), ("20 jaar",), ("21 jaar of ouder",))}


def test_members_are_not_united_where_another_dimension_differs() -> None:
    ages = {"Leeftijd": ["18 jaar", "19 jaar"]}
    requests = asked(source(add_up=ages), source(add_up=ages, select={"Geslacht": ["4000"]}))
    assert len(requests) == 2


def test_of_a_table_of_areas_the_codes_of_all_areas_are_asked_for() -> None:
    made = catalogue(tables=[source_table(), source_table("CBS AREAS", areas_of=2026, regions=["GM"])])
    (request,) = requests_of(made, "CBS AREAS")
    assert (request.topics, request.regions, request.select, request.period_first) == (AREA_TOPICS, ("GM",), {}, None)


# With a snapshot.


def test_requests_survive_the_round_trip_through_a_snapshot() -> None:
    requests = asked(source(select={"Geslacht": ["3000"]}), source(add_up={"Leeftijd": ["18..20 jaar"]}))
    assert of_snapshot(snapshot(request=as_text(requests))) == requests
    # A service that moves, or a wider question, is another request.
    assert as_text(requests) == as_text(
        asked(source(select={"Geslacht": ["3000"]}), source(add_up={"Leeftijd": ["18..20 jaar"]}))
    )
    assert as_text(requests) != as_text(requests[:1])


@pytest.mark.parametrize("text", ["", "{}", '[{"name": "x"}]', "cbs_84799ned_rows"])
def test_a_snapshot_that_does_not_say_what_it_answers_is_damaged(text: str) -> None:
    with pytest.raises(DamagedSnapshot) as caught:
        of_snapshot(snapshot(request=text, retrieved_at="2026-01-01T00:00:00Z"))
    assert TABLE in caught.value.file
    assert "2026-01-01T00:00:00Z" in caught.value.file
    assert caught.value.remedy


def test_an_indicator_that_was_added_later_is_not_taken_from_an_old_snapshot() -> None:
    (request,) = asked(source())
    assert taken(request, source()) == ["a"]
    later = [
        source(topics=[FIRMS]),
        source(select={"Geslacht": ["3000"]}),
        source(add_up={"Leeftijd": ["18 jaar"]}),
    ]
    assert taken(request, *later) == []


def test_a_topic_of_the_same_title_in_another_group_was_not_asked_for() -> None:
    # CBS 70072ned has "Particuliere huishoudens excl. studenten" in three groups.
    income = TopicName(path=["Gemiddeld gestandaardiseerd inkomen"], title="Huishoudens", unit="1 000 euro")
    number = TopicName(path=["Inkomen en vermogen"], title="Huishoudens", unit="x 1 000")
    (request,) = asked(source(topics=[income]))
    assert taken(request, source(topics=[income]), source(topics=[number])) == ["a"]


def test_another_accepted_name_is_no_other_wish() -> None:
    (request,) = asked(source(select={"Geslacht": ["3000"]}))
    renamed = source(select={"Geslacht": ["3000", "Jongens en mannen"]}, topics=[FIRMS, JOBS])
    assert taken(request, renamed) == ["a"]


def test_of_another_selection_nothing_is_taken() -> None:
    men, sum_request = asked(source(select={"Geslacht": ["3000"]}), source(add_up={"Geslacht": ["3000", "4000"]}))
    assert taken(men, source(select={"Geslacht": ["4000"]}), source(add_up={"Geslacht": ["3000", "4000"]})) == []
    assert taken(sum_request, source(select={"Geslacht": ["3000"]}), source(add_up={"Geslacht": ["3000", "4000"]})) == [
        "b"
    ]


def test_a_sum_is_taken_from_a_request_for_more_members_and_not_for_fewer() -> None:
    two, three = {"Leeftijd": ["18..19 jaar"]}, {"Leeftijd": ["18..20 jaar"]}
    (wider,), (narrower,) = asked(source(add_up=three)), asked(source(add_up=two))
    assert taken(wider, source(add_up=two), source(add_up=three)) == ["a", "b"]
    assert taken(narrower, source(add_up=two), source(add_up=three)) == ["a"]


def test_everything_the_projects_catalogue_wants_is_asked_for_exactly_once() -> None:
    made = load_catalogue()
    for name, table in made.source_tables.items():
        requests = requests_of(made, name)
        if table.service is None:
            assert requests == []
            continue
        found = [i.indicator_id for request in requests for i, _ in covered(request, wanted(made, name))]
        assert sorted(found) == sorted(i.indicator_id for i, _ in wanted(made, name)), name
        assert requests, name
