"""What changed is said in words: figures between two versions, and tables among those a service offers."""

from __future__ import annotations

import polars as pl
import pytest

from catalog import load_catalogue
from sources.watch import changes, stem, successors
from tests.sources.small import catalogue, raw, source_table

BEFORE = raw("""
    region_code period value status
    GM0153      2022   100   definitive
    GM0164      2022   80    definitive
    GM0153      2023   110   provisional
    GM0164      2023   90    provisional
    """)


def after(text: str) -> list[str]:
    """The news where the second version of 2023 is this."""
    rows = raw("region_code value status\n" + text, period="2023")
    return changes(BEFORE, pl.concat([BEFORE.filter(period="2022"), rows]))


def test_equal_figures_are_no_news() -> None:
    assert changes(BEFORE, BEFORE) == []
    assert changes(BEFORE, BEFORE.reverse().with_columns(pl.col("value") + 1e-12)) == []
    assert changes(BEFORE.clear(), BEFORE.clear()) == []


def test_a_new_period_and_one_that_is_gone() -> None:
    newer = pl.concat([BEFORE, raw("region_code value\nGM0153 120\nGM0164 -", period="2024")])
    assert changes(BEFORE, newer) == ["jobs 2024: new, 1 figures"]
    assert changes(newer, BEFORE) == ["jobs 2024: gone, 1 figures were there before"]
    assert changes(BEFORE.clear(), BEFORE) == ["jobs 2022: new, 2 figures", "jobs 2023: new, 2 figures"]


def test_revised_figures_are_counted() -> None:
    assert after("GM0153 111 provisional\nGM0164 90 provisional") == ["jobs 2023: 1 figures were revised"]


def test_provisional_figures_that_became_definitive_and_back() -> None:
    assert after("GM0153 110 definitive\nGM0164 90 definitive") == [
        "jobs 2023: 2 figures went from provisional to definitive"
    ]
    settled = BEFORE.with_columns(status=pl.lit("definitive"))
    assert changes(settled, BEFORE) == ["jobs 2023: 2 figures went from definitive to provisional"]


def test_figures_that_came_and_went_within_a_period() -> None:
    assert after("GM0153 110 provisional\nGM0175 5 provisional") == [
        "jobs 2023: 1 figures were added",
        "jobs 2023: 1 figures are gone",
    ]
    # A municipality that was suppressed until now.
    hidden = BEFORE.with_columns(value=pl.when(pl.col("region_code") != "GM0153").then("value"))
    assert changes(hidden, BEFORE) == ["jobs 2022: 1 figures were added", "jobs 2023: 1 figures were added"]


def test_what_happened_together_is_said_one_by_one() -> None:
    assert after("GM0153 111 definitive\nGM0164 - not_published") == [
        "jobs 2023: 1 figures are gone",
        "jobs 2023: 1 figures were revised",
        "jobs 2023: 1 figures went from provisional to definitive",
    ]


def test_a_cell_that_stays_empty_is_no_news() -> None:
    empty = raw("region_code value\nGM0153 -", period="2024")
    assert changes(BEFORE, pl.concat([BEFORE, empty])) == []


# Tables.


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Inkomen van huishoudens; regio (indeling 2024)", "Inkomen van huishoudens; regio (indeling 2025)"),
        ("Arbeidsdeelname; gemeenten (regio-indeling 2024)", "Arbeidsdeelname; gemeenten (regio-indeling 2025)"),
        ("Kerncijfers wijken en buurten 2025", "Kerncijfers Wijken en Buurten 2026"),
        ("Gebieden in Nederland 2026", "Gebieden in Nederland 2027"),
        ("Gezondheidsmonitor; regio, 2024", "Gezondheidsmonitor; regio, 2028"),
        (
            "Gezondheid per wijk en buurt; 2012/2016/2020/2022 (indeling 2022)",
            "Gezondheid per wijk en buurt; 2012/2016/2020/2022/2024 (indeling 2024)",
        ),
    ],
)
def test_editions_of_a_table_have_one_stem(one: str, other: str) -> None:
    assert stem(one) == stem(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Inkomen van huishoudens; regio (indeling 2024)", "Inkomen van personen; regio (indeling 2024)"),
        ("Gezondheidsmonitor; regio, 2024", "Gezondheidsmonitor; bevolking, 2024"),
        ("Arbeidsdeelname; gemeenten (regio-indeling 2024)", "Arbeidsdeelname; regionale indeling 2024"),
    ],
)
def test_other_tables_have_another_stem(one: str, other: str) -> None:
    assert stem(one) != stem(other)


USED = {
    "86004NED": "Inkomen van huishoudens; regio (indeling 2024)",
    "86161NED": "Inkomen van huishoudens; regio (indeling 2025)",
    "86165NED": "Kerncijfers wijken en buurten 2025",
    "86247NED": "Gebieden in Nederland 2026",
    "70072ned": "Regionale kerncijfers Nederland",
}


def said(*offered: tuple[str, str, str], service: str = "v3") -> list[str]:
    made = catalogue(tables=[source_table(f"CBS {identifier}", title=title) for identifier, title in USED.items()])
    frame = pl.DataFrame(offered, schema=dict.fromkeys(["identifier", "title", "status"], pl.String), orient="row")
    return successors(frame, made, service)


@pytest.mark.parametrize(
    ("identifier", "title", "current"),
    [
        ("86300NED", "Inkomen van huishoudens; regio (indeling 2026)", "CBS 86161NED"),
        ("86400NED", "Kerncijfers wijken en buurten 2026", "CBS 86165NED"),
        ("86500NED", "Gebieden in Nederland 2027 ", "CBS 86247NED"),
    ],
)
def test_a_newer_edition_is_pointed_out_beside_the_newest_in_use(identifier: str, title: str, current: str) -> None:
    (sentence,) = said((identifier, title, "Regulier"))
    assert sentence.startswith(f"{identifier} '{title.strip()}'")
    assert current in sentence


@pytest.mark.parametrize("status", ["Regulier", "Gediscontinueerd"])
def test_older_editions_and_other_tables_are_no_news(status: str) -> None:
    assert (
        said(
            ("85064NED", "Inkomen van huishoudens; regio (indeling 2023)", status),
            ("84583NED", "Kerncijfers wijken en buurten 2019", status),
            ("86162NED", "Inkomen van personen; regio (indeling 2026)", status),
        )
        == []
    )


def test_the_tables_in_use_are_no_news_as_long_as_they_are_kept_up() -> None:
    assert said(*((identifier, title, "Regulier") for identifier, title in USED.items())) == []


@pytest.mark.parametrize("status", ["Gediscontinueerd", "Vervallen"])
def test_a_table_in_use_that_its_publisher_gave_up_is_pointed_out(status: str) -> None:
    (sentence,) = said(("86004NED", USED["86004NED"], status))
    assert sentence.startswith("CBS 86004NED")
    assert status in sentence


def test_what_another_service_offers_says_nothing_of_this_one() -> None:
    assert said(("86300NED", "Inkomen van huishoudens; regio (indeling 2026)", "Regulier"), service="v4") == []


def test_no_two_subjects_of_the_projects_catalogue_are_taken_for_editions_of_each_other() -> None:
    made = load_catalogue()
    of_stem: dict[str, set[str]] = {}
    for table in made.source_tables.values():
        if table.service is not None:
            of_stem.setdefault(stem(table.title), set()).add(table.source_id)
    assert {title: ids for title, ids in of_stem.items() if len(ids) > 1} == {}
    assert "" not in of_stem


def test_margins_that_were_lost_or_revised() -> None:
    with_margins = BEFORE.with_columns(ci_low=pl.col("value") - 2, ci_high=pl.col("value") + 2)
    assert changes(with_margins, with_margins) == []
    assert changes(with_margins, BEFORE) == [
        "jobs 2022: 2 figures lost their margin",
        "jobs 2023: 2 figures lost their margin",
    ]
    wider = with_margins.with_columns(
        ci_high=pl.when(region_code="GM0153").then(pl.col("ci_high") + 1).otherwise("ci_high")
    )
    assert changes(with_margins, wider) == ["jobs 2022: 1 margins were revised", "jobs 2023: 1 margins were revised"]
