"""Peers: those that are planted are found, and neither units nor the order of rows decide who they are."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from catalog.analysis_model import PeerSettings, StructuralVariable
from methods.peers import peers, peers_that_stay
from methods.structure import Structure, structural_variables
from tests.conftest import BUNDLE

TEN = PeerSettings(count=10, minimum_members=5)
COLUMNS = ["region_code", "peer_code", "place", "distance", "variables"]


def structure(x: np.ndarray, codes: list[str] | None = None) -> Structure:
    """Variables v0, v1, ... of GM0000, GM0001, ..."""
    names = [f"v{place}" for place in range(x.shape[1])]
    codes = codes or [f"GM{place:04}" for place in range(len(x))]
    return Structure(
        pl.DataFrame({"region_code": codes, **dict(zip(names, x.T, strict=True))}), dict.fromkeys(names, "2025"), {}
    )


@pytest.fixture
def random() -> Structure:
    return structure(np.random.default_rng(2022).normal(size=(60, 5)))


def test_planted_peers_are_found() -> None:
    generator = np.random.default_rng(7)
    x = generator.normal(size=(300, 6))
    x[100:110] = x[0] + generator.normal(scale=0.01, size=(10, 6))
    found = peers(structure(x), ["GM0000"], TEN)
    assert found.columns == COLUMNS
    assert set(found["peer_code"]) == {f"GM{place:04}" for place in range(100, 110)}
    assert found["place"].to_list() == list(range(1, 11))
    assert found["distance"].is_sorted()
    assert set(found["variables"]) == {"v0 2025;v1 2025;v2 2025;v3 2025;v4 2025;v5 2025"}


def test_distances_are_those_of_a_loop(random: Structure) -> None:
    own = ["GM0003", "GM0004"]
    found = peers(random, own, TEN)
    rows = {code: np.array(values) for code, *values in random.frame.iter_rows()}
    quartiles = np.percentile(np.array(list(rows.values())), [25, 75], axis=0)
    unit = quartiles[1] - quartiles[0]
    for code in own:
        others = {
            other: float(np.sqrt(np.mean(((values - rows[code]) / unit) ** 2)))
            for other, values in rows.items()
            if other not in own
        }
        nearest = sorted(others, key=others.__getitem__)[:10]
        mine = found.filter(region_code=code)
        assert mine["peer_code"].to_list() == nearest
        assert mine["distance"].to_list() == pytest.approx([others[other] for other in nearest], rel=1e-12)


def test_own_municipalities_are_no_peers(random: Structure) -> None:
    own = [f"GM{place:04}" for place in range(14)]
    found = peers(random, own, TEN)
    assert found.height == 140
    assert not set(found["peer_code"]) & set(own)


def test_another_unit_gives_the_same_peers(random: Structure) -> None:
    in_thousands = Structure(random.frame.with_columns(pl.col("v1") / 1000, pl.col("v3") * -8), random.periods, {})
    found, again = (peers(one, ["GM0003"], TEN) for one in (random, in_thousands))
    assert_frame_equal(found, again, rel_tol=1e-12)


def test_the_order_of_rows_changes_nothing(random: Structure) -> None:
    shuffled = Structure(random.frame.sample(fraction=1, shuffle=True, seed=3), random.periods, {})
    assert_frame_equal(
        peers(random, ["GM0003", "GM0001"], TEN), peers(shuffled, ["GM0001", "GM0003"], TEN), check_exact=True
    )


def test_equal_distances_are_in_the_order_of_the_code() -> None:
    x = np.array([[0.0, 0.0], [0.1, 0.2], [-0.2, 0.1], [0.2, 0.1], [0.1, -0.2], [-3.0, -3.0], [3.0, 3.0]])
    codes = ["GM0001", "GM0006", "GM0005", "GM0003", "GM0002", "GM0004", "GM0007"]
    found = peers(structure(x, codes), ["GM0001"], PeerSettings(count=3, minimum_members=1))
    assert found["peer_code"].to_list() == ["GM0002", "GM0003", "GM0005"]


def test_with_the_same_variable_twice_distances_stay_the_same() -> None:
    x = np.random.default_rng(3).normal(size=(40, 2))
    once, twice = (peers(structure(np.tile(x, times)), ["GM0000"], TEN)["distance"].to_list() for times in (1, 2))
    assert twice == pytest.approx(once, rel=1e-12)


def test_without_figures_no_peers(random: Structure) -> None:
    unknown = peers(random, ["GM9999"], TEN)
    no_country = peers(random, random.frame["region_code"].to_list(), TEN)
    no_variables = peers(Structure(random.frame.select("region_code"), {}, {}), ["GM0003"], TEN)
    for found in (unknown, no_country, no_variables):
        assert found.is_empty()
        assert found.schema == peers(random, ["GM0003"], TEN).schema


def test_fewer_candidates_give_fewer_peers(random: Structure) -> None:
    own = random.frame["region_code"].to_list()[:56]
    assert peers(random, own, TEN).group_by("region_code").len()["len"].unique().to_list() == [4]


def test_how_many_peers_stay_is_counted_without_each_variable(random: Structure) -> None:
    own = ["GM0003", "GM0001"]
    stay = peers_that_stay(random, own, TEN)
    assert stay.select("region_code", "left_out").rows() == [
        (code, name) for code in sorted(own) for name in random.names
    ]
    before, after = (set(peers(one, ["GM0003"], TEN)["peer_code"]) for one in (random, random.without("v2")))
    assert stay.filter(region_code="GM0003", left_out="v2")["stay"].to_list() == [len(before & after)]
    assert stay["stay"].is_between(0, 9).any()
    assert peers_that_stay(Structure(random.frame.select("region_code"), {}, {}), own, TEN).is_empty()


def test_enschede_is_like_other_large_cities_outside_the_randstad() -> None:
    figures = pl.read_csv(BUNDLE / "figures.csv.gz", schema_overrides={"period": pl.String}).rename(
        {"indicator": "indicator_id"}
    )
    wanted = {
        "population": ("population", "log"),
        "population_density": ("population_density", "log"),
        "urbanity_class": ("urbanity_class", "linear"),
        "owner_occupied_dwellings": ("owner_occupied_dwellings", "linear"),
        "household_size": ("population / households", "linear"),
    }
    settings = [
        StructuralVariable.model_validate(
            {"variable": name, "expression": expression, "scale": scale, "name_nl": name, "name_en": name}
        )
        for name, (expression, scale) in wanted.items()
    ]
    in_2025 = figures.filter(indicator_id="population", period="2025").drop_nulls("value")["region_code"].to_list()
    found = structural_variables(figures, settings, in_2025, 2025)
    assert found.periods == dict.fromkeys(wanted, "2025")
    assert found.frame.height == 342

    chosen = peers(found, ["GM0153", "GM0183"], TEN).join(
        found.frame, left_on="peer_code", right_on="region_code", maintain_order="left"
    )
    enschede, tubbergen = chosen.filter(region_code="GM0153"), chosen.filter(region_code="GM0183")
    assert enschede["population"].exp().min() > 75_000  # type: ignore[operator]
    assert enschede["urbanity_class"].max() <= 2  # type: ignore[operator]
    assert "GM0855" in set(enschede["peer_code"])  # Tilburg, a textile and university city as well
    assert tubbergen["population"].exp().max() < 40_000  # type: ignore[operator]
    assert tubbergen["urbanity_class"].min() >= 4  # type: ignore[operator]
