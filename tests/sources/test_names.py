"""A region's name finds its code, however a publisher writes it; what may be two regions is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sources import bundled
from sources.bundled import remake_names
from sources.errors import UnknownName
from sources.names import FILE, RegionName, RegionNames, bundled_names

NAMES = bundled_names()


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Enschede", "GM0153"),
        ("Hengelo (O.)", "GM0164"),
        ("hengelo (o)", "GM0164"),
        ("Hengelo (Overijssel)", "GM0164"),
        ("Groningen (gemeente)", "GM0014"),
        ("Groningen (PV)", "PV20"),
        ("Bergen (L.)", "GM0893"),
        ("Bergen (NH)", "GM0373"),
        ("'s-Gravenhage", "GM0518"),
        ("\u2019s Gravenhage (gemeente)", "GM0518"),
        ("Den Haag", "GM0518"),
        ("Den Bosch", "GM0796"),
        ("Sudwest-Fryslan", "GM1900"),
        ("Súdwest-Fryslân", "GM1900"),
        ("Rijssen - Holten", "GM1742"),
        ("Nuenen c.a.", "GM0820"),
        ("Twente (CR)", "CR12"),
        ("Twente (AM)", "AM05"),
        ("GGD Twente (GG)", "GG1106"),
        ("GGD Twente", "GG1106"),
        ("Overijssel", "PV23"),
        ("Oost-Nederland (LD)", "LD02"),
        ("Nederland", "NL01"),
    ],
)
def test_a_name_finds_its_code_in_any_spelling(name: str, code: str) -> None:
    assert NAMES.code_of(name, "2024") == code


@pytest.mark.parametrize(
    ("name", "candidates"),
    [
        ("Hengelo", ["GM0164", "GM0248 (until 2005-01-01)"]),
        ("Utrecht", ["GM0344", "PV26", "CR17"]),
        ("Twente", ["CR12", "AM05"]),
        ("Bergen", ["GM0893", "GM0373"]),
    ],
)
def test_a_name_of_several_regions_is_refused_with_all_of_them(name: str, candidates: list[str]) -> None:
    with pytest.raises(UnknownName) as caught:
        NAMES.code_of(name, "2024")
    assert all(candidate in str(caught.value) for candidate in candidates)


def test_among_todays_municipalities_hengelo_is_the_one_in_twente() -> None:
    assert NAMES.only(["GM"]).current().code_of("Hengelo") == "GM0164"


def test_among_municipalities_utrecht_is_the_municipality_and_among_provinces_the_province() -> None:
    assert NAMES.only(["GM", "NL"]).code_of("Utrecht") == "GM0344"
    assert NAMES.only(["PV"]).code_of("Utrecht") == "PV26"


def test_an_abolished_municipality_is_known_until_the_day_it_ends() -> None:
    assert NAMES.find("Hengelo (Gld.)", "2004") == "GM0248"
    assert NAMES.find("Hengelo (Gld.)", "2005") is None
    assert NAMES.find("Weesp", "2021") == "GM0457"
    assert NAMES.find("Weesp", "2022") == "GM0457", "it went into Amsterdam on 24 March 2022"
    assert NAMES.find("Weesp", "2022-03") == "GM0457"
    assert NAMES.find("Weesp", "2022Q2") is None
    with pytest.raises(UnknownName, match=r"Weesp GM0457 \(until 2022-03-24\)"):
        NAMES.code_of("Weesp", "2023")


def test_figures_of_before_a_municipality_was_founded_are_its_own() -> None:
    # Tables are published again, all years in the municipalities of one year.
    assert NAMES.code_of("Voorne aan Zee", "2011") == "GM1992"


def test_an_unknown_name_gets_the_nearest_ones_and_says_where_it_stands() -> None:
    with pytest.raises(UnknownName) as caught:
        NAMES.code_of("Ensched", "2024", file="delivery.csv", row=7, column="Gemeente")
    message = str(caught.value)
    assert message.startswith("delivery.csv, row 7, column Gemeente: found 'Ensched'")
    assert "Enschede GM0153" in message


@pytest.mark.parametrize("name", ["Jan Jansen, 123456782", "jan.jansen@example.org", "123456782"])
def test_what_comes_near_no_name_is_not_shown(name: str) -> None:
    """In the column of a wrong file there may be persons, and messages are kept and mailed."""
    with pytest.raises(UnknownName) as caught:
        NAMES.code_of(name, "2024", file="delivery.csv", row=7, column="Gemeente")
    assert str(caught.value).startswith("delivery.csv, row 7, column Gemeente: expected the name of a Dutch region")
    assert caught.value.value is None
    assert not any(part in str(caught.value) for part in ("ansen", "123456782"))


@pytest.mark.parametrize("name", ["", "Gemeente 12", "Totaal", "(gemeente)"])
def test_what_is_no_name_is_found_nowhere(name: str) -> None:
    assert NAMES.find(name) is None


def test_the_bundled_names_are_those_of_all_regions_since_1988() -> None:
    codes = {row.code for row in NAMES.rows}
    today = {row.code for row in NAMES.current().rows if row.code.startswith("GM")}
    # 03759ned lists 835 municipalities of all eras; there are 342 since 2023.
    assert sum(code.startswith("GM") for code in codes) == 835
    assert len(today) == 342
    assert {code[:2] for code in codes} == {"NL", "LD", "PV", "CR", "AM", "GG", "GM"}
    assert (bundled.FOLDER / FILE).stat().st_size < 40_000


def test_no_title_of_a_municipality_stands_for_two() -> None:
    municipalities = NAMES.only(["GM"])
    assert all(municipalities.find(row.name) == row.code for row in municipalities.rows if row.valid_to is None)


def test_names_of_other_eras_can_be_given() -> None:
    names = RegionNames([("GM0001", "Oud", None, "2020-01-01"), ("GM0002", "Oud (nieuw)", "2020-01-01", None)])
    assert names.find("Oud", "2019") == "GM0001"
    assert names.find("Oud", "2021") is None, "the short name of one, the title of the other"
    assert names.current().find("Oud", "2021") == "GM0002"


def test_lists_of_codes_are_read_with_the_days_their_descriptions_name() -> None:
    def entry(code: str, title: str, description: str) -> dict[str, str]:
        return {"Identifier": code, "Title": title, "Description": description}

    listed = {
        "value": [
            entry(
                "GM0457", "Weesp", "Opgeheven per 24-03-2022, overgegaan naar:\r\n- X (GM0363),\r\nBegindatum voor 1830"
            ),
            entry(
                "GM1774",
                "Dinkelland",
                "Naamswijziging per 01-06-2002,\r\noude naam: Denekamp (GM0149)\r\nBegindatum 01-06-2002",
            ),
            entry("GM0149", "Denekamp", "Naamswijziging per 01-06-2002,\r\nnieuwe naam: Dinkelland (GM1774)"),
        ]
    }
    others = {code: [] for code in remake_names._OTHER_NAMES}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(remake_names, "_OTHER_NAMES", others)
        made = {row.code: row for row in remake_names.rows([json.dumps(listed)])}
    assert made["GM0457"] == RegionName("GM0457", "Weesp", None, "2022-03-24")
    assert made["GM1774"] == RegionName("GM1774", "Dinkelland", "2002-06-01", None)
    assert made["GM0149"] == RegionName("GM0149", "Denekamp", None, "2002-06-01")


@pytest.mark.shared
def test_the_bundled_names_follow_from_the_recorded_lists(shared_data: Path) -> None:
    lists = [shared_data / "odata-v4" / table / "codes-RegioS.json" for table in ("03759ned", "85554NED")]
    made = remake_names.rows([path.read_text(encoding="utf-8") for path in lists])
    assert made == NAMES.rows
