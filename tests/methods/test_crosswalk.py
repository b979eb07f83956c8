"""Figures of earlier years on later borders: by hand, by simulation, and on the real reorganisations."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from fractions import Fraction
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from catalog import load_catalogue
from methods.crosswalk import crosswalk, left_out, restate
from sources import bundled
from sources.facts import read_facts
from sources.lifetimes import FILE
from sources.reorganisations import read_reorganisations
from tests.methods.small import indicators, observation, table


def events(text: str) -> pl.DataFrame:
    return table(text).with_columns(
        pl.col("date").str.to_date(), pl.col("share").cast(pl.Float64), founded=pl.col("founded") == "yes"
    )


# What happens to municipalities GM0001..GM0009; GM2001 and up are new.
MERGER = """
    date       old_code new_code share kind      founded
    2020-01-01 GM0001   GM2001   1     abolished yes
    2020-01-01 GM0002   GM2001   1     abolished yes
"""
SURVIVOR = """
    date       old_code new_code share kind      founded
    2020-01-01 GM0001   GM0002   1     abolished no
"""
SPLIT = """
    date       old_code new_code share kind      founded
    2020-01-01 GM0001   GM0002   0.5   abolished no
    2020-01-01 GM0001   GM0003   0.3   abolished no
    2020-01-01 GM0001   GM2001   0.2   abolished yes
    2020-01-01 GM0004   GM2001   1     abolished yes
"""
RENAMED = """
    date       old_code new_code share kind      founded
    2020-01-01 GM0001   GM2001   1     renamed   yes
"""
CHAIN = """
    date       old_code new_code share kind      founded
    2014-01-01 GM0001   GM2001   1     abolished yes
    2014-01-01 GM0002   GM2001   1     abolished yes
    2019-01-01 GM2001   GM2002   0.25  abolished yes
    2019-01-01 GM2001   GM0003   0.75  abolished no
    2019-01-01 GM0004   GM2002   1     abolished yes
"""
MID_YEAR = """
    date       old_code new_code share kind      founded
    2020-03-24 GM0001   GM0002   1     abolished no
"""
TWICE_IN_ONE_YEAR = """
    date       old_code new_code share kind      founded
    2019-01-01 GM0001   GM2001   1     abolished yes
    2019-01-01 GM0002   GM2001   1     abolished yes
    2019-07-01 GM2001   GM2002   1     renamed   yes
"""
BORDER_CHANGE = """
    date       old_code new_code share kind          founded
    2020-01-01 GM0001   GM0002   0.004 border_change no
"""
EXCHANGE = """
    date       old_code new_code share kind          founded
    2020-01-01 GM0001   GM0002   0.01  border_change no
    2020-01-01 GM0002   GM0001   0.02  border_change no
"""
UNINHABITED = """
    date       old_code new_code share kind      founded
    2020-01-01 GM0001   GM0002   0     abolished no
    2020-01-01 GM0001   GM0003   1     abolished no
"""
REJOINED = """
    date       old_code new_code share kind      founded
    2019-01-01 GM0001   GM2001   0.3333333333333333 abolished yes
    2019-01-01 GM0001   GM2002   0.5925925925925926 abolished yes
    2019-01-01 GM0001   GM2003   0.07407407407407407 abolished yes
    2020-01-01 GM2001   GM2004   1     abolished yes
    2020-01-01 GM2002   GM2004   1     abolished yes
    2020-01-01 GM2003   GM2004   1     abolished yes
"""


@pytest.mark.parametrize(
    ("happened", "codes", "period", "expected"),
    [
        pytest.param(
            *(MERGER, "GM0009 GM2001", 2019),
            """
            from_code to_code share changed
            GM0001    GM2001  1     yes
            GM0002    GM2001  1     yes
            GM0009    GM0009  1     no
            """,
            id="merged",
        ),
        pytest.param(
            *(MERGER, "GM0009 GM2001", 2020),
            """
            from_code to_code share changed
            GM0009    GM0009  1     no
            GM2001    GM2001  1     no
            """,
            id="in the year of the merger itself, from 1 January",
        ),
        pytest.param(
            *(SURVIVOR, "GM0002", 2019),
            """
            from_code to_code share changed
            GM0001    GM0002  1     yes
            GM0002    GM0002  1     yes
            """,
            id="who takes over keeps its number, and is another area all the same",
        ),
        pytest.param(
            *(SPLIT, "GM0002 GM0003 GM2001", 2018),
            """
            from_code to_code share changed
            GM0001    GM0002  0.5   yes
            GM0001    GM0003  0.3   yes
            GM0001    GM2001  0.2   yes
            GM0002    GM0002  1     yes
            GM0003    GM0003  1     yes
            GM0004    GM2001  1     yes
            """,
            id="split over three, of which one is new",
        ),
        pytest.param(
            *(RENAMED, "GM2001 GM0002", 2019),
            """
            from_code to_code share changed
            GM0001    GM2001  1     no
            GM0002    GM0002  1     no
            """,
            id="a new name and code is the same area",
        ),
        pytest.param(
            *(CHAIN, "GM0003 GM2002", 2013),
            """
            from_code to_code share changed
            GM0001    GM0003  0.75  yes
            GM0001    GM2002  0.25  yes
            GM0002    GM0003  0.75  yes
            GM0002    GM2002  0.25  yes
            GM0003    GM0003  1     yes
            GM0004    GM2002  1     yes
            """,
            id="merged, and split years later",
        ),
        pytest.param(
            *(CHAIN, "GM0003 GM2002", 2018),
            """
            from_code to_code share changed
            GM0003    GM0003  1     yes
            GM0004    GM2002  1     yes
            GM2001    GM0003  0.75  yes
            GM2001    GM2002  0.25  yes
            """,
            id="between the two",
        ),
        pytest.param(
            *(MID_YEAR, "GM0002", 2020),
            """
            from_code to_code share changed
            GM0001    GM0002  1     yes
            GM0002    GM0002  1     yes
            """,
            id="abolished in March: still there on 1 January",
        ),
        pytest.param(
            *(TWICE_IN_ONE_YEAR, "GM2002", 2018),
            """
            from_code to_code share changed
            GM0001    GM2002  1     yes
            GM0002    GM2002  1     yes
            """,
            id="merged in January and renamed in July",
        ),
        pytest.param(
            *(TWICE_IN_ONE_YEAR, "GM2002", 2019),
            """
            from_code to_code share changed
            GM2001    GM2002  1     no
            """,
            id="after the merger only the new code is left",
        ),
        pytest.param(
            *(BORDER_CHANGE, "GM0001 GM0002", 2019),
            """
            from_code to_code share changed
            GM0001    GM0001  0.996 yes
            GM0001    GM0002  0.004 yes
            GM0002    GM0002  1     yes
            """,
            id="both live on after a change of their border",
        ),
        pytest.param(
            *(EXCHANGE, "GM0001 GM0002", 2019),
            """
            from_code to_code share changed
            GM0001    GM0001  0.99  yes
            GM0001    GM0002  0.01  yes
            GM0002    GM0001  0.02  yes
            GM0002    GM0002  0.98  yes
            """,
            id="an exchange: nobody moves twice",
        ),
        pytest.param(
            *(UNINHABITED, "GM0002 GM0003", 2019),
            """
            from_code to_code share changed
            GM0001    GM0003  1     yes
            GM0002    GM0002  1     yes
            GM0003    GM0003  1     yes
            """,
            id="land without inhabitants is no part, but changes who takes it",
        ),
        pytest.param(
            *(REJOINED, "GM2004", 2018),
            """
            from_code to_code share changed
            GM0001    GM2004  1     yes
            """,
            id="what was split and joined again is whole",
        ),
    ],
)
def test_by_hand(happened: str, codes: str, period: int, expected: str) -> None:
    layout = max(events(happened)["date"]).year + 1
    found = crosswalk(events(happened), [period], layout, codes.split())
    wanted = table(expected).with_columns(changed=pl.col("changed") == "yes", period=pl.lit(str(period)))
    assert_frame_equal(found, wanted.select(found.columns), abs_tol=1e-15, rel_tol=0)


def test_what_happens_after_the_chosen_year_does_not_count() -> None:
    found = crosswalk(events(CHAIN), [2013, 2014, 2018], 2018, ["GM0003", "GM0004", "GM2001"])
    assert set(found.filter(period="2013").select("from_code", "to_code").iter_rows()) == {
        ("GM0001", "GM2001"),
        ("GM0002", "GM2001"),
        ("GM0003", "GM0003"),
        ("GM0004", "GM0004"),
    }
    assert not found.filter(period="2018")["changed"].any()


def test_wrong_years_and_codes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"period 2021 lies after the layout year 2020"):
        crosswalk(events(MERGER), [2019, 2021], 2020, ["GM2001"])
    with pytest.raises(ValueError, match="at least one year"):
        crosswalk(events(MERGER), [], 2020, ["GM2001"])
    with pytest.raises(ValueError, match=r"1 January 2020; .* GM0001 did not exist then"):
        crosswalk(events(MERGER), [2019], 2020, ["GM0001", "GM2001"])
    with pytest.raises(ValueError, match=r"1 January 2019; .* GM2001 did not exist then"):
        crosswalk(events(MERGER), [2019], 2019, ["GM0001", "GM0002", "GM2001"])
    with pytest.raises(ValueError, match="GM2001 existed then, and is missing"):
        crosswalk(events(MERGER), [2019], 2020, ["GM0009"])


# The same by another road: everybody is followed forwards, from each code of the first year, in exact fractions.


def follow(
    reorganisations: pl.DataFrame, start: Iterable[str], first: date, last: date
) -> dict[tuple[str, str], float]:
    """The share of every code of `first` that lives in each code of `last`."""
    living = {code: {code: Fraction(1)} for code in start}
    rows = reorganisations.filter((pl.col("date") > first) & (pl.col("date") <= last))
    for _, day in sorted(rows.group_by("date")):
        out: dict[str, list[tuple[str, Fraction]]] = defaultdict(list)
        for row in day.iter_rows(named=True):
            out[row["old_code"]].append((row["new_code"], Fraction(row["share"])))
        stays = {old: 1 - sum(share for _, share in out[old]) for old in day.filter(kind="border_change")["old_code"]}
        for origin, places in living.items():
            moved: dict[str, Fraction] = defaultdict(Fraction)
            for place, part in places.items():
                for to, share in out.get(place, [(place, Fraction(1))]):
                    moved[to] += part * share
                moved[place] += part * stays.get(place, 0)
            living[origin] = {place: part for place, part in moved.items() if part}
    return {(origin, place): float(part) for origin, places in living.items() for place, part in places.items()}


def pairs(rows: pl.DataFrame) -> dict[tuple[str, str], float]:
    return {(start, end): share for start, end, share in rows.select("from_code", "to_code", "share").iter_rows()}


def invented(seed: int) -> tuple[pl.DataFrame, dict[int, list[str]]]:
    """Random reorganisations of twelve municipalities in 2011-2020, and the codes of 1 January of each year."""
    chance = random.Random(seed)  # noqa: S311 - invented municipalities, not secrets
    codes = [f"GM{number:04}" for number in range(1, 13)]
    exist = {2010: codes}
    rows: list[tuple[date, str, str, float, str, bool]] = []
    for year in range(2011, 2021):
        day = date(year, 1, 1)
        busy = chance.sample(codes, k=min(len(codes), chance.randrange(0, 6)))
        gone, ceding = busy[:3], busy[3:] if len(busy) > 3 else []
        stay = [code for code in codes if code not in gone]
        new = [f"GM{year}"] if gone and (chance.random() < 0.6 or not stay) else []
        for old in gone:
            heirs = chance.sample([*stay, *new], k=min(len(stay) + len(new), chance.randrange(1, 4)))
            heirs = list(dict.fromkeys([*new, *heirs])) if old == gone[0] else heirs
            cuts = [chance.random() + 0.01 for _ in heirs]
            rows += [
                (day, old, heir, cut / sum(cuts), "abolished", heir in new)
                for heir, cut in zip(heirs, cuts, strict=True)
            ]
        takers = {old: [code for code in stay if code != old] for old in ceding}
        rows += [
            (day, old, chance.choice(others), chance.random() / 10, "border_change", False)
            for old, others in takers.items()
            if others
        ]
        codes = sorted([*stay, *new])
        exist[year] = codes
    schema = {
        "date": pl.Date,
        "old_code": pl.String,
        "new_code": pl.String,
        "share": pl.Float64,
        "kind": pl.String,
        "founded": pl.Boolean,
    }
    return pl.DataFrame(rows, schema=schema, orient="row"), exist


@pytest.mark.parametrize("seed", range(12))
def test_random_chains_agree_with_following_everybody(seed: int) -> None:
    happened, exist = invented(seed)
    layout = 2018 if seed % 3 == 0 else 2020
    found = crosswalk(happened, range(2010, layout + 1), layout, exist[layout])
    for year in range(2010, layout + 1):
        rows = found.filter(period=str(year))
        assert set(rows["from_code"]) == set(exist[year])
        assert set(rows["to_code"]) == set(exist[layout])
        expected = follow(happened, exist[year], date(year, 1, 1), date(layout, 1, 1))
        assert pairs(rows) == pytest.approx(expected, abs=1e-12)
        # A municipality is another area as a whole, or not at all; and who is the same area is so one to one.
        assert rows.group_by("to_code").agg(pl.col("changed").n_unique())["changed"].unique().to_list() == [1]
        same = rows.filter(~pl.col("changed"))
        assert same["share"].eq(1).all()
        assert same["to_code"].is_unique().all()


# The real reorganisations


@pytest.fixture(scope="module")
def real() -> pl.DataFrame:
    return read_reorganisations(bundled.FOLDER / FILE)


@pytest.fixture(scope="module")
def published() -> pl.DataFrame:
    """The bundled figures of population, and of households since 2011, of all municipalities and the Netherlands."""
    figures = read_facts(bundled.FOLDER, load_catalogue()).figures
    wanted = figures.filter(
        pl.col("indicator_id").is_in(["population", "households_excl_students"]),
        pl.col("source_table").is_in(["CBS 03759ned", "CBS 70072ned"]),
    )
    return wanted.with_columns(warnings=pl.lit([], dtype=pl.List(pl.String)))


def codes_of(published: pl.DataFrame, indicator: str, year: int) -> list[str]:
    rows = published.filter(pl.col("region_code").str.starts_with("GM"), indicator_id=indicator, period=str(year))
    return sorted(rows["region_code"])


@pytest.fixture(scope="module")
def to_2023(real: pl.DataFrame, published: pl.DataFrame) -> pl.DataFrame:
    return crosswalk(real, range(2010, 2024), 2023, codes_of(published, "population", 2023))


def test_the_municipalities_of_every_year_follow_from_those_of_2023(
    to_2023: pl.DataFrame, published: pl.DataFrame
) -> None:
    found = {year: sorted(set(to_2023.filter(period=str(year))["from_code"])) for year in range(2010, 2024)}
    # The number of municipalities on 1 January, as CBS counts them.
    numbers = [431, 418, 415, 408, 403, 393, 390, 388, 380, 355, 355, 352, 345, 342]
    assert [len(codes) for codes in found.values()] == numbers
    # These tables give figures for the municipalities of the year itself.
    for year in range(2011, 2024):
        assert found[year] == codes_of(published, "households_excl_students", year), year
    for year in range(2019, 2024):
        assert found[year] == codes_of(published, "population", year), year


@pytest.mark.parametrize("layout", [2015, 2019, 2022, 2023, 2026])
def test_real_shares_agree_with_following_everybody(
    layout: int, real: pl.DataFrame, to_2023: pl.DataFrame, published: pl.DataFrame
) -> None:
    codes = sorted(set(to_2023.filter(period=str(min(layout, 2023)))["from_code"]))
    found = crosswalk(real, range(2010, layout + 1), layout, codes)
    for year in range(2010, layout):
        rows = found.filter(period=str(year))
        expected = follow(real, set(rows["from_code"]), date(year, 1, 1), date(layout, 1, 1))
        assert pairs(rows) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("year", "start", "expected"),
    [
        # Weesp joined Amsterdam on 24 March 2022; part of Muiden had joined Weesp in 2016, without inhabitants.
        (2022, "GM0457", {"GM0363": 1}),
        (2015, "GM0424", {"GM1942": 1}),
        # Littenseradiel, 2018: 3394 + 5411 + 1878 inhabitants.
        (2017, "GM0140", {"GM0080": 3394 / 10683, "GM1900": 5411 / 10683, "GM1949": 1878 / 10683}),
        # Winsum, 2019: 11947 + 1558.
        (2018, "GM0053", {"GM1966": 11947 / 13505, "GM1969": 1558 / 13505}),
        # Menaldumadeel became Menameradiel in 2011 and part of Waadhoeke in 2018.
        (2010, "GM0083", {"GM1949": 1}),
        # Skarsterlân went to De Friese Meren in 2014, which got another code in July 2015, and to Heerenveen.
        (2013, "GM0051", {"GM0074": 580 / 27501, "GM1940": 26921 / 27501}),
        # Rozenburg joined Rotterdam on 18 March 2010.
        (2010, "GM0600", {"GM0599": 1}),
    ],
)
def test_known_municipalities(year: int, start: str, expected: dict[str, float], to_2023: pl.DataFrame) -> None:
    rows = to_2023.filter(period=str(year), from_code=start)
    assert dict(rows.select("to_code", "share").iter_rows()) == pytest.approx(expected, abs=1e-15)
    assert rows["changed"].all()


def test_who_kept_its_number_and_grew_since_2018(to_2023: pl.DataFrame) -> None:
    grew = to_2023.filter(pl.col("changed") & (pl.col("from_code") == pl.col("to_code")), period="2017")
    assert grew["from_code"].to_list() == [
        *("GM0014", "GM0080", "GM0299", "GM0363", "GM0394", "GM0439"),
        *("GM0575", "GM0757", "GM0824", "GM0855", "GM0865", "GM1900"),
    ]


def test_only_the_name_changed(to_2023: pl.DataFrame) -> None:
    # Groesbeek became Berg en Dal in 2016, one year after it had grown.
    assert to_2023.filter(period="2015", from_code="GM0241").rows() == [("2015", "GM0241", "GM1945", 1.0, False)]
    assert to_2023.filter(period="2014", from_code="GM0241")["changed"].to_list() == [True]


def test_weesp_is_there_on_the_borders_of_2022_and_not_of_2023(real: pl.DataFrame, to_2023: pl.DataFrame) -> None:
    codes = sorted(set(to_2023.filter(period="2022")["from_code"]))
    on_2022 = crosswalk(real, [2021, 2022], 2022, codes)
    assert on_2022.filter(from_code="GM0457")["to_code"].to_list() == ["GM0457", "GM0457"]
    assert on_2022.filter(period="2022")["to_code"].n_unique() == 345
    assert "GM0457" not in set(to_2023["to_code"])


def test_own_municipalities_never_changed(real: pl.DataFrame, published: pl.DataFrame) -> None:
    own = list(load_catalogue().region.municipalities)
    found = crosswalk(real, range(2010, 2027), 2026, codes_of(published, "population", 2026))
    rows = found.filter(pl.col("from_code").is_in(own) | pl.col("to_code").is_in(own))
    assert rows.height == 14 * 17
    assert rows["from_code"].equals(rows["to_code"])
    assert not rows["changed"].any()


@pytest.mark.parametrize("indicator", ["population", "households_excl_students"])
def test_published_counts_on_the_borders_of_2023(
    indicator: str, published: pl.DataFrame, to_2023: pl.DataFrame
) -> None:
    figures = published.filter(pl.col("period") <= "2023", indicator_id=indicator)
    what = indicators(f"indicator_id group_method\n{indicator} sum")
    found = restate(figures, to_2023, what, NO_WEIGHTS)
    codes = codes_of(published, "population", 2023)
    assert found.columns == figures.columns
    municipal = pl.col("region_code").str.starts_with("GM")
    for period in sorted(set(figures["period"])):
        after = found.filter(municipal, period=period)
        assert sorted(after["region_code"]) == codes
        # By key: every municipality is the sum of what was followed there.
        before = dict(figures.filter(municipal, period=period).select("region_code", "value").iter_rows())
        expected: dict[str, float] = defaultdict(float)
        for (start, end), share in pairs(to_2023.filter(period=period)).items():
            expected[end] += before[start] * share
        assert dict(after.select("region_code", "value").iter_rows()) == pytest.approx(expected, abs=1e-6)
        # And nobody is lost: 17 million within a millionth of an inhabitant.
        assert after["value"].sum() == pytest.approx(sum(before.values()), abs=1e-6)
    assert found.filter(~municipal).equals(figures.filter(~municipal).sort("period"))


def test_published_population_of_known_municipalities(published: pl.DataFrame, to_2023: pl.DataFrame) -> None:
    figures = published.filter(pl.col("period") <= "2023", indicator_id="population")
    found = restate(figures, to_2023, indicators("indicator_id group_method\npopulation sum"), NO_WEIGHTS)
    old = {
        (code, period): value for code, period, value in figures.select("region_code", "period", "value").iter_rows()
    }

    def new(code: str, period: str) -> tuple[float, list[str]]:
        return found.filter(region_code=code, period=period).select("value", "warnings").row(0)

    voorne = sum(old[code, "2022"] for code in ("GM0501", "GM0530", "GM0614"))
    assert new("GM1992", "2022") == (voorne, ["boundary_change"])
    assert new("GM0363", "2022") == (old["GM0363", "2022"] + old["GM0457", "2022"], ["boundary_change"])
    boxtel, warnings = new("GM0757", "2020")
    assert boxtel == pytest.approx(old["GM0757", "2020"] + old["GM0788", "2020"] * 2149 / 14318, abs=1e-9)
    assert warnings == ["boundary_change", "weight_approximate"]
    # Haaren as it was split on 1 January 2021: within 1 % of what CBS counted there a day later.
    assert boxtel == pytest.approx(old["GM0757", "2021"], rel=0.01)
    assert new("GM0153", "2020") == (old["GM0153", "2020"], [])


def test_published_incomes_on_the_borders_of_2023(to_2023: pl.DataFrame) -> None:
    # The income of all households together stays what it was, in whatever municipality they are counted.
    of, households = "income_standardised_mean_excl_students", "households_excl_students"
    figures = (
        read_facts(bundled.FOLDER, load_catalogue())
        .figures.filter(
            pl.col("region_code").str.starts_with("GM"),
            pl.col("indicator_id").is_in([of, households]),
            source_table="CBS 70072ned",
        )
        .with_columns(warnings=pl.lit([], dtype=pl.List(pl.String)))
    )
    weights = figures.filter(indicator_id=households).select(
        pl.lit(of).alias("indicator_id"), "region_code", "period", weight="value", approximate=pl.lit(value=False)
    )
    what = indicators(f"indicator_id group_method\n{of} weighted_mean\n{households} sum")

    def together(rows: pl.DataFrame) -> dict[str, float]:
        wide = rows.pivot("indicator_id", index=["region_code", "period"], values="value")
        sums = wide.group_by("period").agg((pl.col(of) * pl.col(households)).sum() / pl.col(households).sum())
        return dict(sums.iter_rows())

    found = restate(figures, to_2023, what, weights)
    assert figures["value"].null_count() == found["value"].null_count() == 0
    assert sorted(together(found)) == [str(year) for year in range(2011, 2024)]
    assert together(found) == pytest.approx(together(figures), rel=1e-12)


def test_invented_population_of_every_year_is_conserved(to_2023: pl.DataFrame) -> None:
    starts = to_2023.select("period", region_code="from_code").unique().sort("period", "region_code")
    figures = starts.with_columns(
        indicator_id=pl.lit("population"),
        # Between 1 000 and 1 000 000, each its own.
        value=(pl.col("region_code").str.slice(2).cast(pl.Int64) * 7919 % 999_983 + 1000).cast(pl.Float64),
        status=pl.lit("definitive"),
        warnings=pl.lit([], dtype=pl.List(pl.String)),
    )
    found = restate(figures, to_2023, indicators("indicator_id group_method\npopulation sum"), NO_WEIGHTS)
    totals = figures.group_by("period").agg(pl.col("value").sum()).sort("period")
    after = found.group_by("period").agg(pl.col("value").sum(), pl.len()).sort("period")
    assert after["len"].to_list() == [342] * 14
    assert after["value"].to_list() == pytest.approx(totals["value"].to_list(), abs=1e-6)


# Restating, by hand


def weighing(text: str, **defaults: str) -> pl.DataFrame:
    return table(text, **defaults).with_columns(approximate=pl.lit(value=False))


NO_WEIGHTS = weighing("indicator_id region_code period weight")
WHAT = indicators("""
    indicator_id group_method
    people       sum
    income       weighted_mean
    density      ratio
    median       none
    """)
# GM0001 is split over GM0002 and GM0003 (who keep their numbers) and the new GM2001, into which GM0004 goes too.
SPLIT_TO_2020 = crosswalk(events(SPLIT), [2019, 2020], 2020, ["GM0002", "GM0003", "GM0009", "GM2001"])
TO_2020 = crosswalk(events(MERGER), [2018, 2019, 2020], 2020, ["GM0009", "GM2001"])
WEIGHTS = weighing("""
    indicator_id region_code period weight
    income       GM0001      2019   300
    income       GM0002      2019   100
    density      GM0001      2019   300
    density      GM0002      2019   100
    median       GM0001      2019   300
    median       GM0002      2019   100
    """)


def merged(text: str, weights: pl.DataFrame = WEIGHTS, what: pl.DataFrame = WHAT) -> dict[str, object]:
    """What becomes of GM2001 when these are the figures of 2019."""
    found = restate(observation(text, period="2019"), TO_2020, what, weights)
    assert set(found["region_code"]) == {"GM2001"}
    return found.row(0, named=True)


def test_counts_are_added_up() -> None:
    row = merged("""
        indicator_id region_code value status      warnings
        people       GM0001      10    definitive  no_margin
        people       GM0002      32    provisional model_based
        """)
    assert (row["value"], row["status"]) == (10 + 32, "provisional")
    assert row["warnings"] == ["boundary_change", "model_based", "no_margin"]
    assert (row["period"], row["source_table"], row["breakdown"], row["n"]) == ("2019", "A", "total", None)


@pytest.mark.parametrize("indicator", ["income", "density"])
def test_rates_are_weighted(indicator: str) -> None:
    row = merged(f"""
        indicator_id region_code value status
        {indicator}  GM0001      20    definitive
        {indicator}  GM0002      40    estimated
        """)
    assert row["value"] == (300 * 20 + 100 * 40) / 400
    assert (row["status"], row["warnings"]) == ("estimated", ["boundary_change"])


def test_a_rate_is_the_one_of_the_summed_counts() -> None:
    # 30 of 300 and 24 of 100 are 54 of 400.
    row = merged("""
        indicator_id region_code value
        income       GM0001      0.10
        income       GM0002      0.24
        """)
    assert row["value"] == pytest.approx(54 / 400, abs=1e-15)


def test_a_median_of_several_parts_does_not_exist() -> None:
    row = merged("""
        indicator_id region_code value ci_low ci_high
        median       GM0001      20    19     21
        median       GM0002      40    39     41
        """)
    assert (row["value"], row["ci_low"], row["ci_high"]) == (None, None, None)
    assert (row["status"], row["warnings"]) == ("not_applicable", ["boundary_change"])


@pytest.mark.parametrize(
    ("second", "status"),
    [
        ("GM0002 - suppressed", "suppressed"),
        ("GM0002 - not_retrieved", "not_retrieved"),
        ("GM0009 7 definitive", "not_published"),  # GM0002 has no row at all
    ],
)
@pytest.mark.parametrize("indicator", ["people", "income", "median"])
def test_a_missing_part_never_gives_a_partial_figure(indicator: str, second: str, status: str) -> None:
    figures = observation(
        f"""
        indicator_id region_code value status
        {indicator}  GM0001      20    definitive
        {indicator}  {second}
        """,
        period="2019",
    )
    found = restate(figures, TO_2020, WHAT, WEIGHTS).filter(region_code="GM2001").row(0, named=True)
    assert (found["value"], found["status"], found["warnings"]) == (None, status, ["boundary_change"])


@pytest.mark.parametrize("weights", [WEIGHTS.head(1), WEIGHTS.clear(), WEIGHTS.with_columns(weight=0.0)])
def test_without_weights_there_is_no_mean(weights: pl.DataFrame) -> None:
    row = merged(
        """
        indicator_id region_code value
        income       GM0001      20
        income       GM0002      40
        """,
        weights,
    )
    assert (row["value"], row["status"], row["warnings"]) == (None, "not_published", ["boundary_change"])


def test_margins_of_independent_parts() -> None:
    # Weights 0.75 and 0.25: half-widths 0.75 * 4 = 3 and 0.25 * 16 = 4, together 5; upwards 6 and 8, together 10.
    row = merged("""
        indicator_id region_code value ci_low ci_high
        income       GM0001      20    16     28
        income       GM0002      40    24     72
        """)
    assert (row["value"], row["ci_low"], row["ci_high"]) == (25, 25 - 5, 25 + 10)


def test_a_count_has_the_margins_of_its_parts_and_none_without() -> None:
    text = """
        indicator_id region_code value ci_low ci_high
        people       GM0001      20    17     {high}
        people       GM0002      40    36     44
        """
    both, one = merged(text.format(high="23")), merged(text.format(high="-"))
    assert (both["value"], both["ci_low"], both["ci_high"]) == (60, 55, 65)
    assert (one["value"], one["ci_low"], one["ci_high"]) == (60, 55, None)


def test_respondents_are_added_up_where_the_parts_are_whole() -> None:
    figures = observation(
        """
        indicator_id region_code value
        income       GM0001      20
        income       GM0002      40
        income       GM0003      40
        """,
        period="2019",
    ).with_columns(n=pl.Series([70, 30, 50], dtype=pl.Int64))
    whole = restate(figures.head(2), TO_2020, WHAT, WEIGHTS)
    assert whole["n"].to_list() == [100]
    split = restate(figures, SPLIT_TO_2020, WHAT, WEIGHTS)
    assert split["n"].to_list() == [None, None, None]
    unknown = figures.head(2).with_columns(n=pl.when(pl.col("region_code") == "GM0001").then("n"))
    assert restate(unknown, TO_2020, WHAT, WEIGHTS)["n"].to_list() == [None]


def test_an_unusual_change_of_a_part_is_not_one_of_the_whole() -> None:
    row = merged("""
        indicator_id region_code value warnings
        people       GM0001      20    unusual_change;small_n
        people       GM0002      40    -
        """)
    assert row["warnings"] == ["boundary_change", "small_n"]


def test_an_approximate_weight_is_said() -> None:
    row = merged(
        """
        indicator_id region_code value
        income       GM0001      20
        income       GM0002      40
        """,
        WEIGHTS.with_columns(approximate=pl.col("region_code") == "GM0002"),
    )
    assert row["warnings"] == ["boundary_change", "weight_approximate"]


def test_split_counts_and_rates() -> None:
    figures = observation(
        """
        indicator_id region_code value
        people       GM0001      100
        people       GM0002      1000
        people       GM0003      500
        people       GM0004      10
        income       GM0001      30
        income       GM0002      20
        income       GM0003      40
        income       GM0004      50
        """,
        period="2019",
    )
    weights = weighing(
        """
        region_code weight
        GM0001      100
        GM0002      1000
        GM0003      570
        GM0004      80
        """,
        indicator_id="income",
        period="2019",
    )
    found = restate(figures, SPLIT_TO_2020, WHAT, weights)
    expected = {
        ("people", "GM0002"): 1000 + 0.5 * 100,
        ("people", "GM0003"): 500 + 0.3 * 100,
        ("people", "GM2001"): 10 + 0.2 * 100,
        # The part of GM0001 is taken to have the income of GM0001.
        ("income", "GM0002"): (1000 * 20 + 50 * 30) / 1050,
        ("income", "GM0003"): (570 * 40 + 30 * 30) / 600,
        ("income", "GM2001"): (80 * 50 + 20 * 30) / 100,
    }
    values = {
        (what, where): value for what, where, value in found.select("indicator_id", "region_code", "value").rows()
    }
    assert values == pytest.approx(expected, abs=1e-12)
    assert set(found["warnings"].list.join(";")) == {"boundary_change;weight_approximate"}


def test_a_part_that_stands_alone_takes_the_old_figure() -> None:
    # GM0001 falls apart in two new municipalities.
    apart = events("""
        date       old_code new_code share kind      founded
        2020-01-01 GM0001   GM2001   0.5   abolished yes
        2020-01-01 GM0001   GM2002   0.5   abolished yes
    """)
    figures = observation(
        """
        indicator_id region_code value ci_low ci_high
        people       GM0001      90    80     100
        income       GM0001      30    29     31
        median       GM0001      25    24     26
        """,
        period="2019",
    )
    # With one part there is nothing to weigh: how good its weight is does not matter.
    weights = WEIGHTS.with_columns(approximate=pl.lit(value=True))
    found = restate(figures, crosswalk(apart, [2019], 2020, ["GM2001", "GM2002"]), WHAT, weights)
    for code in ("GM2001", "GM2002"):
        rows = {
            row[0]: row[1:]
            for row in found.filter(region_code=code).select("indicator_id", "value", "ci_low", "warnings").rows()
        }
        assert rows == {
            "people": (45, 40, ["boundary_change", "weight_approximate"]),
            "income": (30, 29, ["boundary_change"]),
            "median": (25, 24, ["boundary_change"]),
        }


def test_what_was_split_and_joined_again_is_no_approximation() -> None:
    # In floating point 9/27 + 16/27 + 2/27 is just below 1.
    rejoined = crosswalk(events(REJOINED), [2018], 2020, ["GM2004"])
    assert rejoined["share"][0] < 1
    figures = observation("indicator_id region_code period value\npeople GM0001 2018 90")
    found = restate(figures, rejoined, WHAT, NO_WEIGHTS).row(0, named=True)
    assert found["value"] == pytest.approx(90, abs=1e-12)
    assert found["warnings"] == ["boundary_change"]


def test_where_nothing_changed_a_figure_stays_as_it_is() -> None:
    renamed = crosswalk(events(RENAMED), [2019, 2020], 2020, ["GM2001", "GM0009"])
    figures = observation("""
        indicator_id region_code period value ci_low ci_high warnings    status
        median       GM0009      2019   0.1   0.07   0.3     model_based definitive
        people       GM0009      2020   -     -      -       -           suppressed
        income       GM0001      2019   0.7   0.1    0.9     no_margin   provisional
        income       NL01        2019   0.5   -      -       -           definitive
        income       PV23        2031   0.5   -      -       -           definitive
        """).with_columns(n=pl.lit(7, dtype=pl.Int64))
    found = restate(figures, renamed, WHAT, NO_WEIGHTS)
    expected = figures.with_columns(pl.col("region_code").replace({"GM0001": "GM2001"}))
    assert_frame_equal(found, expected, check_row_order=False, check_exact=True)


def test_figures_within_a_year_have_the_borders_of_1_january() -> None:
    figures = observation("""
        indicator_id region_code period  value
        people       GM0001      2019Q3  10
        people       GM0002      2019Q3  20
        people       GM0001      2019-11 1
        people       GM0002      2019-11 2
        """)
    found = restate(figures, TO_2020, WHAT, NO_WEIGHTS)
    assert dict(found.select("period", "value").iter_rows()) == {"2019Q3": 30, "2019-11": 3}


def test_an_old_period_on_newer_borders_is_left_alone() -> None:
    # As RIVM gives 2012 and 2016 on the borders of 2020. One table is on newer borders, the other is not.
    figures = observation("""
        indicator_id region_code period source_table value
        people       GM2001      2018   B            7
        people       GM0009      2018   B            8
        people       GM0001      2018   A            1
        people       GM0002      2018   A            2
        people       GM2001      2021   A            3
        """)
    found = restate(figures, TO_2020, WHAT, NO_WEIGHTS)
    rows = {
        (row[0], row[1], row[2]): row[3:]
        for row in found.select("source_table", "period", "region_code", "value", "warnings").rows()
    }
    assert rows == {
        ("A", "2018", "GM2001"): (3, ["boundary_change"]),
        ("A", "2021", "GM2001"): (3, []),
        ("B", "2018", "GM2001"): (7, []),
        ("B", "2018", "GM0009"): (8, []),
    }


def test_the_borders_are_those_of_the_year_itself_where_they_can_be() -> None:
    # GM0002 existed in all years: in 2020 it is what it was after it grew.
    grown = crosswalk(events(SURVIVOR), [2018, 2019, 2020], 2020, ["GM0002"])
    figures = observation("indicator_id region_code period value\npeople GM0002 2020 5\npeople GM0002 2019 4")
    found = restate(figures, grown, WHAT, NO_WEIGHTS)
    assert found.select("period", "value", "status").rows() == [
        ("2019", None, "not_published"),
        ("2020", 5, "definitive"),
    ]


def test_borders_of_another_year_than_the_period_are_brought_forward() -> None:
    # A table on the borders of 2018 for 2010, to those of 2020: GM2001 has come and gone.
    chain = crosswalk(events(CHAIN), range(2010, 2021), 2020, ["GM0003", "GM2002"])
    figures = observation("""
        indicator_id region_code period value
        people       GM2001      2010   100
        people       GM0003      2010   10
        people       GM0004      2010   1
        """)
    found = restate(figures, chain, WHAT, NO_WEIGHTS)
    assert dict(found.select("region_code", "value").iter_rows()) == {"GM0003": 85, "GM2002": 26}


def test_what_fits_no_year_is_left_out_and_named() -> None:
    figures = observation("""
        indicator_id region_code period source_table value
        people       GM2001      2019   A            1
        people       GM0001      2019   A            1
        people       GM0009      2019   A            1
        people       GM0009      2019   B            5
        people       GM0009      2018   A            6
        people       NL01        2019   A            7
        """)
    found = restate(figures, TO_2020, WHAT, NO_WEIGHTS)
    assert found.select("region_code", "period", "source_table", "value").rows() == [
        ("GM0009", "2018", "A", 6),
        ("NL01", "2019", "A", 7),
        ("GM0009", "2019", "B", 5),
    ]
    lost = left_out(figures, TO_2020)
    assert lost.select("indicator_id", "period", "source_table", "region_code").rows() == [
        ("people", "2019", "A", "GM2001")
    ]
    assert left_out(figures.filter(source_table="B"), TO_2020).is_empty()
    assert left_out(figures.clear(), TO_2020).is_empty()
    # Also where every one of them is unknown, nothing stops.
    unknown = observation("indicator_id region_code period value\npeople GM0777 2019 1")
    assert restate(unknown, TO_2020, WHAT, NO_WEIGHTS).is_empty()
    assert left_out(unknown, TO_2020)["region_code"].to_list() == ["GM0777"]


# GM0001 merely gets another code in the course of 2019; GM0002 goes into GM0003 on 1 January 2020.
RENAMED_WITHIN_2019 = crosswalk(
    events("""
        date       old_code new_code share kind      founded
        2019-07-01 GM0001   GM2001   1     renamed   yes
        2020-01-01 GM0002   GM0003   1     abolished no
    """),
    [2018, 2019, 2020],
    2020,
    ["GM0003", "GM2001"],
)


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ("GM0001 3; GM2001 4", 4),  # the code of the layout
        ("GM0001 3", 3),
        ("GM2001 4", 4),
        ("GM0001 3; GM2001 -", 3),  # only one has a figure
    ],
)
@pytest.mark.parametrize("period", ["2018", "2019", "2019-12", "2020"])
def test_a_renamed_municipality_goes_by_both_codes(given: str, value: int, period: str) -> None:
    rows = [f"people {row} {period}" for row in given.split("; ")]
    # In 2019 the series cannot be on other borders than those of the year itself.
    others = [] if period == "2020" else [f"people GM0002 10 {period}", f"people GM0003 20 {period}"]
    figures = observation("\n".join(["indicator_id region_code value period", *rows, *others]))
    found = restate(figures, RENAMED_WITHIN_2019, WHAT, NO_WEIGHTS)
    assert left_out(figures, RENAMED_WITHIN_2019).is_empty()
    assert found.filter(region_code="GM2001").select("value", "warnings").rows() == [(value, [])]
    assert found.filter(region_code="GM0003")["value"].to_list() == ([30] if others else [])
    assert "GM0001" not in set(found["region_code"])


# As Weesp in March 2022, and Voorne aan Zee on 1 January 2023.
WEESP = """
    date       old_code new_code share kind      founded
    2022-03-24 GM0457   GM0363   1     abolished no
    2023-01-01 GM0501   GM1992   1     abolished yes
    2023-01-01 GM0530   GM1992   1     abolished yes
"""


@pytest.mark.parametrize(
    ("period", "given", "expected"),
    [
        # Weesp is still there, and is added.
        ("2022-02", "GM0363 90; GM0457 2; GM0501 3; GM0530 4", {"GM0363": 92, "GM1992": 7}),
        # Weesp is gone, Voorne aan Zee is not there yet.
        ("2022-12", "GM0363 92; GM0501 3; GM0530 4", {"GM0363": 92, "GM1992": 7}),
        ("2022Q4", "GM0363 92; GM0501 3; GM0530 4", {"GM0363": 92, "GM1992": 7}),
        # The table has the newest borders already.
        ("2022-12", "GM0363 92; GM1992 7", {"GM0363": 92, "GM1992": 7}),
        # A part that is on neither border complete gives no figure.
        ("2022-12", "GM0363 92; GM0501 3", {"GM0363": 92, "GM1992": None}),
        # A year is that of its 1 January: without Weesp there is no figure.
        ("2022", "GM0363 92; GM0501 3; GM0530 4", {"GM0363": None, "GM1992": 7}),
    ],
)
def test_what_was_reorganised_within_a_year(period: str, given: str, expected: dict[str, float | None]) -> None:
    to_2023 = crosswalk(events(WEESP), [2021, 2022, 2023], 2023, ["GM0363", "GM1992"])
    rows = [f"people {row} {period}" for row in given.split("; ")]
    figures = observation("\n".join(["indicator_id region_code value period", *rows]))
    found = restate(figures, to_2023, WHAT, NO_WEIGHTS)
    assert dict(found.select("region_code", "value").iter_rows()) == expected
    if period != "2022" and len(rows) == 3:
        assert found.filter(region_code="GM0363")["warnings"].to_list() == [[]]


def test_of_two_years_as_near_a_figure_within_a_year_has_the_later() -> None:
    # A crosswalk without 2019: GM0005 had not yet taken in GM0006 in 2018, and has in 2020.
    rows = """
        period from_code to_code share changed
        2018   GM0005    GM0005  1     yes
        2018   GM0006    GM0005  1     yes
        2020   GM0005    GM0005  1     no
        """
    gap = table(rows).with_columns(pl.col("share").cast(pl.Float64), changed=pl.col("changed") == "yes")
    figures = observation("""
        indicator_id region_code period  value
        people       GM0005      2019-12 5
        people       GM0005      2019    6
        """)
    found = restate(figures, gap, WHAT, NO_WEIGHTS)
    assert dict(found.select("period", "value").iter_rows()) == {"2019": None, "2019-12": 5}


def test_real_dwelling_prices_of_2015_under_the_old_and_the_new_code(
    shared_data: Path, real: pl.DataFrame, published: pl.DataFrame
) -> None:
    page = shared_data / "odata-v4" / "83625NED" / "observations-page-1.json"
    if not page.is_file():
        pytest.skip("no observations of 83625NED among the shared data")
    figures = (
        pl.DataFrame(json.loads(page.read_bytes())["value"], infer_schema_length=None)
        .filter(pl.col("RegioS").str.starts_with("GM") & pl.col("Value").is_not_null())
        .select(
            indicator_id=pl.lit("price"),
            region_code="RegioS",
            period=pl.col("Perioden").str.slice(0, 4),
            value=pl.col("Value").cast(pl.Float64),
            status=pl.lit("definitive"),
            warnings=pl.lit([], dtype=pl.List(pl.String)),
        )
    )
    to_2025 = crosswalk(real, range(2010, 2026), 2025, codes_of(published, "population", 2025))
    assert left_out(figures, to_2025).is_empty()
    found = restate(figures, to_2025, indicators("indicator_id group_method\nprice weighted_mean"), NO_WEIGHTS)
    # Prices of 2015 stand under GM1921 (203 762) and GM1940 (207 262), as CBS publishes them.
    assert {"GM1921", "GM1940"} <= set(figures.filter(period="2015")["region_code"])
    assert found.filter(region_code="GM1940", period="2015").select("value", "warnings").rows() == [(207_262, [])]
    assert found.filter(region_code="GM1921").is_empty()
    for period in sorted(set(figures["period"])):
        assert set(found.filter(period=period)["region_code"]) == set(to_2025["to_code"]), period


def test_figures_that_are_there_twice_or_unknown_are_refused() -> None:
    figures = observation("indicator_id region_code period value\npeople GM0001 2019 1")
    with pytest.raises(ValueError, match="there twice: people 2019 total A GM0001"):
        restate(pl.concat([figures, figures]), TO_2020, WHAT, NO_WEIGHTS)
    with pytest.raises(ValueError, match="not among the indicators: people"):
        restate(figures, TO_2020, WHAT.clear(), NO_WEIGHTS)


def test_without_municipalities_nothing_happens() -> None:
    figures = observation("indicator_id region_code period value\npeople NL01 2019 1")
    assert restate(figures, TO_2020, WHAT, NO_WEIGHTS).equals(figures)
    assert restate(figures.clear(), TO_2020, WHAT, NO_WEIGHTS).equals(figures.clear())


def test_the_order_of_the_input_does_not_matter(published: pl.DataFrame, to_2023: pl.DataFrame) -> None:
    figures = published.filter(pl.col("period") <= "2023")
    what = indicators("indicator_id group_method\npopulation sum\nhouseholds_excl_students sum")
    found = restate(figures, to_2023, what, NO_WEIGHTS)
    shuffled = restate(figures.sample(fraction=1, shuffle=True, seed=5), to_2023.reverse(), what, NO_WEIGHTS)
    assert_frame_equal(found, shuffled, check_exact=True)
