"""What the covenant of Regio Deal Twente II says the figures were, and what the figures say.

    python -m tests.test_covenant OUTPUT      # prints the table from an output folder

A claim agrees if one of its readings lies within 0.6 of what is said ("6% below": the covenant rounds, and does not
say whether a percentage below is meant in per cent or in points). Else it agrees in direction only, if every reading
has the sign of the claim; else it does not. It is a check of the pipeline on figures that others computed.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import polars as pl
import pytest

from catalog import frames, load_catalogue
from methods.aggregate import choose_figures, group_values, group_weights, member_weights
from methods.reference import choose_references

TOLERANCE = 0.6
CATALOGUE = load_catalogue()
INCOME, LABOUR, HEALTH = "income_standardised_mean", "net_labour_participation", "perceived_health_good"
SHORT = {INCOME: "income", LABOUR: "participation", HEALTH: "health"}


@dataclass(frozen=True)
class Claim:
    """A sentence of the covenant as numbers, and the figures as they were computed apart from this software.

    `said` is negative for "below"; `readings` are the differences that it may mean, each to the given decimal.
    """

    text: str
    indicator: str
    period: str
    region: str
    against: str
    said: float
    readings: dict[str, float]
    verdict: str

    @property
    def id(self) -> str:
        return f"{self.indicator} {self.period} {self.region} against {self.against}"


# "Slightly below" is read as a tenth to a whole point: 0.55, give or take.
SLIGHTLY = -0.55
CLAIMS = [
    Claim(
        "mean income in Twente 6% below the rest of the Netherlands",
        INCOME, "2021", "TWENTE", "NL_REST", -6, {"percent": -6.5}, "agrees",
    ),
    Claim("Hengelo 7% below", INCOME, "2021", "GM0164", "NL_REST", -7, {"percent": -6.8}, "agrees"),
    Claim("Almelo almost 12% below", INCOME, "2021", "GM0141", "NL_REST", -12, {"percent": -11.9}, "agrees"),
    Claim("Enschede almost 17% below", INCOME, "2021", "GM0153", "NL_REST", -17, {"percent": -17.5}, "agrees"),
    Claim("the same, against all of NL: Twente 6%", INCOME, "2021", "TWENTE", "NL01", -6, {"percent": -6.2}, "agrees"),
    Claim("the same, Hengelo 7%", INCOME, "2021", "GM0164", "NL01", -7, {"percent": -6.5}, "agrees"),
    Claim("the same, Almelo almost 12%", INCOME, "2021", "GM0141", "NL01", -12, {"percent": -11.6}, "agrees"),
    Claim("the same, Enschede almost 17%", INCOME, "2021", "GM0153", "NL01", -17, {"percent": -17.3}, "agrees"),
    Claim(
        "net labour participation in Twente slightly below the national average",
        LABOUR, "2021", "TWENTE", "NL_REST", SLIGHTLY, {"points": -0.3}, "agrees",
    ),
    Claim(
        "the same, in the edition of 2022",
        LABOUR, "2022", "TWENTE", "NL_REST", SLIGHTLY, {"points": 0.0}, "not",
    ),
    Claim(
        "Almelo 3% lower",
        LABOUR, "2021", "GM0141", "NL_REST", -3, {"points": -4.4, "percent": -6.3}, "direction only",
    ),
    Claim(
        "Enschede 4% lower",
        LABOUR, "2021", "GM0153", "NL_REST", -4, {"points": -6.4, "percent": -9.2}, "direction only",
    ),
    Claim(
        "Almelo, in the edition of 2022",
        LABOUR, "2022", "GM0141", "NL_REST", -3, {"points": -3.8, "percent": -5.9}, "direction only",
    ),
    Claim(
        "Enschede, in the edition of 2022",
        LABOUR, "2022", "GM0153", "NL_REST", -4, {"points": -4.8, "percent": -7.5}, "direction only",
    ),
    Claim(
        "perceived health in the urban cores about 3% below the Twente average",
        HEALTH, "2020", "URBAN_CORE", "TWENTE", -3, {"points": -2.0, "percent": -2.6}, "agrees",
    ),
    Claim(
        "the same, in the monitor of 2022",
        HEALTH, "2022", "URBAN_CORE", "TWENTE", -3, {"points": -3.0, "percent": -4.2}, "agrees",
    ),
]  # fmt: skip


@cache
def _tables(output: Path) -> dict[str, pl.DataFrame]:
    folder = output / "editions" / "2025-draft" / "parquet"
    names = ("comparison", "observation", "region_member", "indicator_value")
    return {name: pl.read_parquet(folder / f"{name}.parquet") for name in names}


def published(output: Path, claim: Claim) -> dict[str, float] | None:
    """The difference as the edition publishes it, or None where no measurement year refers to the period."""
    rows = _tables(output)["comparison"].filter(
        indicator_id=claim.indicator,
        reference_period=claim.period,
        region_code=claim.region,
        comparator_code=claim.against,
        breakdown="total",
    )
    if rows.is_empty():
        return None
    row = rows.row(0, named=True)
    return {"points": row["difference"], "percent": row["relative_difference"]}


def computed(output: Path, claim: Claim) -> dict[str, float]:
    """The difference as it would be measured in the year of the period, from the figures and the same methods."""
    tables, region = _tables(output), CATALOGUE.region
    observation = tables["observation"]
    indicators, sources = frames.indicators(CATALOGUE), frames.indicator_sources(CATALOGUE)
    references = choose_references(
        observation,
        indicators,
        sources,
        frames.frozen_baselines(CATALOGUE).clear(),
        frames.known_periods(CATALOGUE),
        [int(claim.period)],
        {"municipality": sorted(region.municipalities), "region": region.published_as},
    ).filter(indicator_id=claim.indicator)
    assert references["reference_period"].to_list() == [claim.period]
    figures = choose_figures(observation, references, sources)
    weights = member_weights(figures, observation, sources, indicators)
    members = tables["region_member"].filter(pl.col("group_code") != region.country_code)
    shares = group_weights(weights, members, indicators, whole_groups=list(region.own_groups))
    both = [frame.select("region_code", "value") for frame in (figures, group_values(figures, shares))]
    value = dict(pl.concat(both).iter_rows())
    own, other = value[claim.region], value[claim.against]
    return {"points": own - other, "percent": 100 * (own / other - 1)}


def says(claim: Claim, found: dict[str, float]) -> str:
    """Whether the claim agrees, agrees in direction only, or does not."""
    readings = [found[reading] for reading in claim.readings]
    if any(abs(reading - claim.said) <= TOLERANCE and reading < -0.05 for reading in readings):
        return "agrees"
    return "direction only" if all(reading < -0.05 for reading in readings) else "not"


def as_text(output: Path) -> str:
    """The table that a reader may check by hand."""
    lines = [f"{'claim':72}{'indicator, period':36}{'figures':32}verdict"]
    for claim in CLAIMS:
        found = published(output, claim) or computed(output, claim)
        figures = ", ".join(f"{found[reading]:+.1f} {reading}" for reading in claim.readings)
        place = f"{SHORT[claim.indicator]} {claim.period} {claim.region}-{claim.against}"
        lines.append(f"{claim.text:72}{place:36}{figures:32}{says(claim, found)}")
    return "\n".join(lines)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_what_the_covenant_says_the_figures_were(edition: Path, claim: Claim) -> None:
    from_edition, from_figures = published(edition, claim), computed(edition, claim)
    for found in filter(None, (from_edition, from_figures)):
        for reading, expected in claim.readings.items():
            assert found[reading] == pytest.approx(expected, abs=0.05), reading
        assert says(claim, found) == claim.verdict


def test_participation_of_2021_and_health_of_2020_belong_to_no_measurement_year(edition: Path) -> None:
    absent = {(claim.indicator, claim.period) for claim in CLAIMS if published(edition, claim) is None}
    assert absent == {(LABOUR, "2021"), (HEALTH, "2020")}


def test_the_inhabitants_of_twente(edition: Path) -> None:
    """634,000 inhabitants, says the covenant: agrees (CBS, 1 January 2022: 633,917)."""
    (value,) = _tables(edition)["indicator_value"].filter(
        indicator_id="population", region_code="TWENTE", measurement_year=2022
    )["value"]  # fmt: skip
    assert value == 633_917
    assert round(value, -3) == 634_000


def test_the_fourteen_municipalities_and_the_urban_cores(edition: Path) -> None:
    """Fourteen municipalities, of which Almelo, Enschede and Hengelo are the urban cores."""
    members = _tables(edition)["region_member"].filter(period="2022")
    assert members.filter(group_code="TWENTE").height == 14
    assert set(members.filter(group_code="URBAN_CORE")["municipality_code"]) == {"GM0141", "GM0153", "GM0164"}
    assert members.filter(group_code="RURAL").height == 11


def test_the_table_can_be_read(edition: Path) -> None:
    """Shown with `pytest -s`."""
    text = as_text(edition)
    print(f"\n{text}")  # noqa: T201 - the table is what a reader wants to see
    assert len(text.splitlines()) == len(CLAIMS) + 1


if __name__ == "__main__":
    sys.stdout.write(as_text(Path(sys.argv[1])) + "\n")
