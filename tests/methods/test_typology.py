"""Types of municipalities: planted ones are found and stable, and types that are not there are not stable."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from catalog.analysis_model import TypologySettings
from methods.structure import Structure
from methods.typology import most_alike, stability, typology

Matrix = npt.NDArray[np.floating[Any]]


def settings(smallest: int = 3, largest: int = 6, bootstraps: int = 20, seed: int = 2022) -> TypologySettings:
    return TypologySettings(smallest=smallest, largest=largest, bootstraps=bootstraps, seed=seed)


def structure(x: Matrix) -> Structure:
    """Variables v0, v1, ... of GM0000, GM0001, ..."""
    names = [f"v{place}" for place in range(x.shape[1])]
    codes = [f"GM{place:04}" for place in range(len(x))]
    columns = dict(zip(names, x.T, strict=True))
    return Structure(pl.DataFrame({"region_code": codes, **columns}), dict.fromkeys(names, "2025"), {})


def inhabitants(of: Structure, population: list[float] | float = 1.0) -> pl.DataFrame:
    values = population if isinstance(population, list) else [population] * of.frame.height
    return pl.DataFrame({"region_code": of.frame["region_code"], "population": values})


# Four groups of 30, 20, 40 and 30 municipalities, well apart.
PLANTED = np.repeat([0, 1, 2, 3], [30, 20, 40, 30])
CENTRES = np.array([[-2.0, 0.0, 0.0], [2.0, 0.0, 0.0], [0.0, 2.0, 1.0], [0.0, -2.0, 1.0]])


@pytest.fixture
def planted() -> Structure:
    return structure(CENTRES[PLANTED] + np.random.default_rng(5).normal(scale=0.2, size=(len(PLANTED), 3)))


def test_planted_types_are_found_and_stable(planted: Structure) -> None:
    found = typology(planted, inhabitants(planted), settings())
    assert found.columns == ["region_code", "type_id", "stability", "silhouette", "profile", "variables"]
    assert found["type_id"].dtype == pl.Int32
    # Each planted group is one type; with one inhabitant each, type 1 is the group of 40.
    groups = pl.DataFrame({"planted": PLANTED, "found": found["type_id"]}).unique().sort("planted")
    assert groups.height == 4
    assert groups["found"][2] == 1
    assert groups["found"][1] == 4
    assert found["stability"].min() > 0.9  # type: ignore[operator]
    assert found["silhouette"].min() > 0.5  # type: ignore[operator]


def test_type_1_has_the_most_inhabitants(planted: Structure) -> None:
    population = [1000.0 if group == 1 else 1.0 for group in PLANTED]
    found = typology(planted, inhabitants(planted, population), settings())
    assert found["type_id"].to_numpy()[PLANTED == 1].tolist() == [1] * 20


def test_a_municipality_without_known_population_still_has_a_type(planted: Structure) -> None:
    found = typology(planted, inhabitants(planted).head(100), settings())
    assert found.height == 120
    assert found["type_id"].null_count() == 0


def test_the_same_seed_gives_the_same_table_and_the_order_of_rows_does_not_matter(planted: Structure) -> None:
    people = inhabitants(planted)
    shuffled = Structure(planted.frame.sample(fraction=1, shuffle=True, seed=3), planted.periods, {})
    found = typology(planted, people, settings())
    assert_frame_equal(found, typology(planted, people, settings()), check_exact=True)
    assert_frame_equal(found, typology(shuffled, people.reverse(), settings()), check_exact=True)


def test_another_seed_gives_the_same_types_where_they_are_clear(planted: Structure) -> None:
    found, again = (typology(planted, inhabitants(planted), settings(seed=seed)) for seed in (1, 2))
    # The two types of 30 have as many inhabitants; which of them is 2 depends on the seed.
    assert pl.DataFrame({"found": found["type_id"], "again": again["type_id"]}).unique().height == 4


def test_too_many_types_where_there_are_none_are_not_stable() -> None:
    x = np.random.default_rng(6).normal(size=(300, 6))
    found = typology(structure(x), inhabitants(structure(x)), settings(7, 8))
    of_types = found.select("type_id", "stability").unique()["stability"]
    assert of_types.mean() < 0.6  # type: ignore[operator]
    assert of_types.min() < 0.5  # type: ignore[operator]


def test_an_extreme_municipality_is_no_type_of_its_own(planted: Structure) -> None:
    extreme = planted.frame.with_columns(
        pl.when(pl.col("region_code") == "GM0000").then(-500.0).otherwise(pl.col("v0")).alias("v0")
    )
    found = typology(Structure(extreme, planted.periods, {}), inhabitants(planted), settings())
    assert found["type_id"].value_counts()["count"].min() == 20
    assert found["type_id"][0] == found["type_id"][1]


def test_the_profile_names_what_sets_a_type_apart() -> None:
    # A third is low in v0 and high in v1 a little; v2 tells nothing. Noise does not move a median far.
    generator = np.random.default_rng(8)
    x = generator.uniform(-1, 1, size=(300, 3))
    x[:100, 0] -= 8
    x[:100, 1] += 1
    found = typology(structure(x), inhabitants(structure(x)), settings(2, 2))
    profile = found["profile"][0]
    low, high = (part.split() for part in profile.split("; "))
    quartiles = np.percentile(x, [25, 50, 75], axis=0)
    z = (x - quartiles[1]) / (quartiles[2] - quartiles[0])
    assert low == ["v0", f"{np.median(z[:100, 0]):+.1f}"]
    assert high == ["v1", f"{np.median(z[:100, 1]):+.1f}"]
    assert found["profile"][299] == "close to the middle of all"


def test_at_most_three_variables_are_told_the_strongest_first() -> None:
    x = np.random.default_rng(9).uniform(-1, 1, size=(300, 5))
    x[:60] += [2, -5, 3, 4, 0]  # a fifth of all: the quartiles stay about where they were
    profile = typology(structure(x), inhabitants(structure(x)), settings(2, 2))["profile"][0]
    assert [part.split()[0] for part in profile.split("; ")] == ["v1", "v3", "v2"]


def test_few_municipalities_give_no_typology(planted: Structure) -> None:
    fourteen = Structure(planted.frame.head(14), planted.periods, {})
    found = typology(fourteen, inhabitants(planted), settings())
    assert found.is_empty()
    assert found.schema == typology(planted, inhabitants(planted), settings(4, 4)).schema
    assert typology(Structure(planted.frame.select("region_code"), {}, {}), inhabitants(planted), settings()).is_empty()


def test_the_jaccard_similarity_is_that_of_sets() -> None:
    generator = np.random.default_rng(10)
    for number in (2, 3, 7):
        types, others = generator.integers(number, size=(2, 50))
        types[types == 1] = 0  # one type has no members
        sets = [[set(np.flatnonzero(labels == one)) for one in range(number)] for labels in (types, others)]
        slow = [
            max((len(one & other) / len(one | other) if one | other else 0.0) for other in sets[1]) for one in sets[0]
        ]
        assert most_alike(types, others, number).tolist() == pytest.approx(slow, abs=1e-15)


def test_stability_is_one_for_types_that_cannot_be_missed_and_low_for_a_wrong_number() -> None:
    x = CENTRES[PLANTED]
    jittered = x + np.random.default_rng(11).normal(scale=1e-3, size=x.shape)
    assert stability(jittered, PLANTED, 20, 1).tolist() == [1.0] * 4
    # One real group cut in two at random: neither half is found again.
    halved = np.where((PLANTED == 0) & (np.arange(len(PLANTED)) % 2 == 0), 4, PLANTED)
    values = stability(jittered, halved, 20, 1)
    assert max(values[0], values[4]) < 0.75 < min(values[1:4])


def test_all_municipalities_take_seconds() -> None:
    x = np.random.default_rng(12).normal(size=(342, 6))
    started = time.process_time()
    typology(structure(x), inhabitants(structure(x)), settings(3, 8, 100))
    # 2 to 3 seconds of one core; the rest is room for slower machines.
    assert time.process_time() - started < 12
