"""docs/reading-2025.md: every number in it is looked up in the edition, and none is left over."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest

DOCUMENT = Path(__file__).parents[1] / "docs" / "reading-2025.md"
CORES = ["GM0141", "GM0153", "GM0164"]  # Almelo, Enschede, Hengelo


def of_cores(select: str, rest: str) -> list[str]:
    """One query for each core, in the order of the text."""
    return [f"select {select} from {rest} and region_code = '{code}'" for code in CORES]


VALUE = "indicator_value where measurement_year = 2025 and breakdown = 'total' and indicator_id = "
BASELINE = "indicator_value where measurement_year = 2022 and breakdown = 'total' and indicator_id = "
PLACE = "position where measurement_year = 2025 and among = 'country' and indicator_id = "
EVERY_PLACE = "position where measurement_year = 2025 and indicator_id = "
PEERS = "comparison where measurement_year = 2025 and comparator_code = 'PEERS_' || region_code and indicator_id = "
RANK = "sensitivity where measurement_year = 2025 and theme_id = 'cbs_overall' and among = 'region' and region_code = "
AHEAD = "select ahead_share from sensitivity_pair where measurement_year = 2025 and theme_id = 'cbs_overall' and "
TREND = (
    "trend where measurement_year = 2025 and movement = 'slope' and region_code = 'URBAN_CORE' and comparator_code = "
    "'RURAL' and indicator_id = 'income_standardised_mean_excl_students'"
)
EXPECTED = "expected_value where measurement_year = 2025 and indicator_id = "
MEAN, MEDIAN = "'income_standardised_mean'", "'income_standardised_median'"


def value(indicator: str, code: str, year: int = 2025) -> str:
    source = VALUE if year == 2025 else BASELINE
    return f"select value from {source}{indicator} and region_code = '{code}'"


def rank(code: str, *columns: str) -> list[str]:
    return [f"select {column} from {RANK}'{code}'" for column in columns]


# The text with a place for each number, its decimals, and the query that gives it.
CLAIMS: list[tuple[str, int, list[str]]] = [
    ("Almelo {}, in Enschede {} en in Hengelo {}. Van de andere", 1, of_cores("value", VALUE + MEDIAN)),
    (
        (
            "heeft {} procent een lager middelste inkomen dan Almelo, {} procent een lager dan Enschede en {} procent "
            "een lager dan Hengelo"
        ),
        1,
        of_cores("percentile", PLACE + MEDIAN),
    ),
    (
        "Tussen de {} gemeenten van dezelfde stedelijkheid",
        0,
        [
            (
                "select distinct municipalities from position where measurement_year = 2025 "
                f"and among = 'urbanity_class' "
                f"and indicator_id = {MEDIAN} and region_code in ('GM0141', 'GM0153', 'GM0164')"
            )
        ],
    ),
    (
        "in Almelo {} procent, in Enschede {} procent en in Hengelo {} procent onder dat van hun",
        1,
        of_cores("-relative_difference", PEERS + MEAN),
    ),
    (
        "is in Almelo {} en in Hengelo {}; in 2021 was dat {} en {}.",
        1,
        [value(MEAN, code, year) for year in (2025, 2022) for code in ("GM0141", "GM0164")],
    ),
    ("draait niet mee: {} tegen {}.", 1, [value(MEDIAN, "GM0141"), value(MEDIAN, "GM0164")]),
    (
        "staat Hengelo op plaats {} (bereik {} tot {}), Almelo op {} ({} tot {}) en Enschede op {} ({} tot {}) van {}.",
        0,
        [
            query
            for code in ("GM0164", "GM0141", "GM0153")
            for query in rank(code, "rank", "rank_low", "rank_high", *(["rank_of"] if code == "GM0153" else []))
        ],
    ),
    (
        "dekt maar {} procent van het gewicht",
        0,
        [
            (
                "select distinct 100 * coverage from theme_score where measurement_year = 2025 "
                "and theme_id = 'cbs_overall' "
                "and method = 'goalposts_arithmetic' and region_code in ('GM0141', 'GM0153', 'GM0164')"
            )
        ],
    ),
    (
        "In {} procent van de berekeningen staat Hengelo vóór Almelo, in {} procent Almelo vóór Enschede",
        1,
        [
            AHEAD + "region_code = 'GM0164' and comparator_code = 'GM0141'",
            AHEAD + "region_code = 'GM0141' and comparator_code = 'GM0153'",
        ],
    ),
    (
        "verklaart samen met de andere {} procent van de verschuivingen",
        0,
        [
            (
                "select 100 * max(total_order) from sensitivity_factor where measurement_year = 2025 and "
                "theme_id = 'cbs_overall' having arg_max(factor, total_order) = 'left_out'"
            )
        ],
    ),
    (
        "Almelo {}, Enschede {}, Hengelo {} procent; goede",
        0,
        of_cores("value", VALUE + "'net_labour_participation'"),
    ),
    ("{}, {} en {} procent. De bron geeft geen marge", 1, of_cores("value", VALUE + "'perceived_health_good'")),
    ("is {} procentpunt per jaar", 2, [f"select estimate from {TREND}"]),
    ("over {} jaren", 0, [f"select points from {TREND}"]),
    ("een marge van {} tot {}:", 2, [f"select ci_low from {TREND}", f"select ci_high from {TREND}"]),
    (
        "een gemiddeld inkomen van {} tot {}; het is {} en dus zoals",
        1,
        [
            f"select {column} from {EXPECTED}{MEAN} and region_code = 'GM0153' and expectation = 'as_expected'"
            for column in ("expected_low", "expected_high", "value")
        ],
    ),
    (
        "inkomen van Almelo ({}) ligt buiten zijn grenzen ({} tot {}).",
        1,
        [
            f"select {column} from {EXPECTED}{MEDIAN} and region_code = 'GM0141' and expectation = 'below_expected'"
            for column in ("value", "expected_low", "expected_high")
        ],
    ),
    (
        "{} van de 14 gemeenten erbuiten",
        1,
        [f"select distinct flags_by_chance from {EXPECTED}{MEDIAN} and expectation <> 'refused'"],
    ),
]


@pytest.fixture(scope="module")
def reader(edition: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(edition / "btg.duckdb"), read_only=True)


def text() -> str:
    return re.sub(r"\s+", " ", DOCUMENT.read_text(encoding="utf-8").replace("\n- ", " "))


def dutch(number: float, decimals: int) -> str:
    return f"{number:.{decimals}f}".replace("-", "−").replace(".", ",")


@pytest.mark.parametrize(("claim", "decimals", "queries"), CLAIMS, ids=[claim[:30] for claim, _, _ in CLAIMS])
def test_every_number_is_that_of_the_tables(
    reader: duckdb.DuckDBPyConnection, claim: str, decimals: int, queries: list[str]
) -> None:
    found = [row[0] for query in queries for row in reader.execute(query).fetchall()]
    assert len(found) == claim.count("{}")
    assert claim.format(*(dutch(float(number), decimals) for number in found)) in text()


def test_no_number_is_left_that_is_not_looked_up() -> None:
    """Years, the number of the region's municipalities and the file's own name are no figures."""
    left = text()
    for claim, _, _ in CLAIMS:
        pattern = re.escape(claim).replace(r"\{\}", r"−?\d+(?:,\d+)?")
        left, found = re.subn(pattern, "", left)
        assert found == 1, claim
    assert set(re.findall(r"\d+(?:,\d+)?", left)) <= {"2021", "2022", "2024", "2025"}


def test_what_is_said_in_words_follows_from_the_tables(reader: duckdb.DuckDBPyConnection) -> None:
    """Words that are figures too: the lowest quarter, nothing demonstrable, refused, unusual."""
    cores = "region_code in ('GM0141', 'GM0153', 'GM0164')"
    words = [
        (f"select distinct position from {EVERY_PLACE}{MEDIAN} and {cores}", "worst_quarter"),
        (f"select distinct verdict from {PEERS}{MEAN} and {cores}", "worse"),
        (f"select distinct position from {PLACE}'net_labour_participation' and {cores}", "not_decidable"),
        (f"select distinct position from {PLACE}'perceived_health_good' and {cores}", "not_decidable"),
        (f"select verdict from {TREND}", "no_demonstrable_difference"),
        (f"select distinct reason from {EXPECTED}'perceived_health_good'", "model_based"),
    ]  # fmt: skip
    for query, expected in words:
        assert reader.execute(query).fetchall() == [(expected,)], query
    unusual = f"select warnings from {VALUE}{MEAN} and region_code = 'GM0141'"
    assert "unusual_change" in reader.execute(unusual).fetchall()[0][0]
