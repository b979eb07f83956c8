"""An attacker with everything that is published finds no hidden numerator in an interval narrower than is promised.

He reads the published, rounded figures of all editions, knows the populations, and asks linear programmes over all
cells for extremes: another formulation than that of `methods.disclosure`, which knows the truth and moves away from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
import pytest
from scipy.optimize import linprog
from scipy.sparse import csr_array

from catalog.survey_model import Disclosure
from methods.disclosure import primary, protected, rounded

SETTINGS = Disclosure(publish_from=50, suppress_below=30, smallest_count=10, interval_width=10)
KEY = ["variable", "measurement_year", "region_code", "breakdown"]
PLACE = ["region_code", "breakdown"]
CATEGORIES = {"sex": 2, "age": 4, "education": 3}
SATISFIED_FROM = 0.6


GROUPS = {
    "CORE": ["GM0000", "GM0001"],
    "RURAL": [f"GM{number:04d}" for number in range(2, 7)],
    "REGION": [f"GM{number:04d}" for number in range(7)],
    "COUNTRY": ["REGION", "REST"],
}
# A variant of RURAL, of which only the figures of everyone are published.
VARIANT = {"NARROW": ["GM0002", "GM0003"]}


def random_wave(seed: int) -> pl.DataFrame:
    """People with random weights and scores in 4 to 7 municipalities, 60 to 400 in each; some give no education."""
    random = np.random.default_rng(seed)
    count = int(random.integers(4, 8))
    towns = [f"GM{number:04d}" for number in range(count)]
    national = seed % 3 == 0
    regions = [*towns, "REST"] if national else towns
    sizes = random.integers(60, 400, len(regions))
    home = np.repeat(np.arange(len(regions)), sizes)
    people = home.size
    satisfied = random.random(people) < np.clip(
        random.uniform(0.2, 0.95) + random.normal(0, 0.1, count + 1)[home], 0, 1
    )
    score = np.where(satisfied, random.uniform(SATISFIED_FROM, 1, people), random.uniform(0, SATISFIED_FROM, people))
    frame = pl.DataFrame(
        {
            "home": np.array(regions)[home],
            "weight": random.lognormal(5, 0.4, people),
            "satisfied": satisfied.astype(float),
            "score": score,
            "sex": random.integers(0, 2, people),
            "age": random.choice(4, people, p=[0.15, 0.2, 0.3, 0.35]),
            "education": random.choice(4, people, p=[0.26, 0.38, 0.33, 0.03]),
        }
    )
    blocks = [frame.with_columns(breakdown=pl.lit("total"))]
    for name, codes in CATEGORIES.items():
        known = frame.filter(pl.col(name) < codes)
        blocks.append(known.with_columns(breakdown=pl.format(f"{name}={{}}", pl.col(name))))
    whole = {region: [region] for region in regions}
    whole |= {name: GROUPS[name] for name in ("CORE", "RURAL", "REGION")} | ({"COUNTRY": regions} if national else {})
    members = pl.DataFrame(
        [(name, town) for name, of in whole.items() for town in of], schema=["region_code", "home"], orient="row"
    )
    share = (pl.col("satisfied") * pl.col("weight")).sum() / pl.col("weight").sum()
    cells = (
        pl.concat(blocks)
        .join(members, "home")
        .group_by(PLACE)
        .agg(
            n=pl.len(),
            numerator=pl.col("satisfied").sum(),
            population=pl.col("weight").sum(),
            mean=(pl.col("score") * pl.col("weight")).sum() / pl.col("weight").sum(),
            share=100 * share,
            n_effective=pl.col("weight").sum() ** 2 / (pl.col("weight") ** 2).sum(),
        )
        .sort(PLACE)
    )
    return cells.unpivot(
        ["mean", "share"], index=[*PLACE, "n", "numerator", "population", "n_effective"], variable_name="statistic"
    ).with_columns(
        variable=pl.lit(f"wave {seed}"),
        measurement_year=pl.lit(2025),
        status=pl.lit("definitive"),
        warnings=pl.lit([], dtype=pl.List(pl.String)),
    )


@dataclass(frozen=True)
class Attacker:
    """All cells of a wave: their population, and of those that are published n, mean and share."""

    cells: pl.DataFrame

    @classmethod
    def of(cls, figures: pl.DataFrame, *editions: pl.DataFrame) -> Attacker:
        """The attacker who reads these editions of one variable and year; populations are public."""
        cells = figures.select(*KEY, "population").unique().sort(KEY)
        shown = pl.concat(edition.filter(pl.col("value").is_not_null()) for edition in editions)
        wide = shown.group_by(KEY).agg(
            pl.col("n").first(),
            *(pl.col("value").filter(pl.col("statistic") == name).first().alias(name) for name in ("mean", "share")),
        )
        return cls(cells.join(wide, KEY, how="left", maintain_order="left"))

    def sums(self) -> Iterator[tuple[int, list[int], bool]]:
        """Every sum: the whole, its parts, and whether people outside all parts may be in it."""
        place = {key: number for number, key in enumerate(self.cells.select(PLACE).iter_rows())}
        for column in ["total", *(f"{name}={code}" for name, codes in CATEGORIES.items() for code in range(codes))]:
            for group, parts in (GROUPS | VARIANT).items():
                if (group, column) in place:
                    yield (
                        place[group, column],
                        [place[part, column] for part in parts if (part, column) in place],
                        False,
                    )
        for region in self.cells["region_code"].unique(maintain_order=True):
            for name, codes in CATEGORIES.items():
                keys = [(region, f"{name}={code}") for code in range(codes)]
                if parts := [place[key] for key in keys if key in place]:
                    yield place[region, "total"], parts, name == "education"

    def system(self) -> Programme:
        """The weighted numbers of satisfied people, and the sums of scores, that all tables allow."""
        population = self.cells["population"].to_numpy()
        sums = list(self.sums())
        matrix = np.zeros((len(sums), population.size + len(sums)))
        rests = np.zeros(len(sums))
        for row, (whole, parts, open_) in enumerate(sums):
            matrix[row, whole], matrix[row, parts], matrix[row, population.size + row] = -1, 1, 1
            rests[row] = max(population[whole] - population[parts].sum(), 0.0) if open_ else 0.0
        everyone = np.concatenate([population, rests])
        of_rests = np.column_stack([np.zeros(rests.size), rests])
        satisfied, scores = (
            np.vstack([_bounds(fraction, population), of_rests])
            for fraction in (self.cells["share"] / 100, self.cells["mean"])
        )
        # Who is satisfied scores from 0.6 to 1, who is not from 0 to 0.6: so the mean bounds the share.
        one, none = np.eye(everyone.size), np.zeros_like(matrix)
        return Programme(
            equal=np.block([[matrix, none], [none, matrix]]),
            below=np.block([[SATISFIED_FROM * one, -one], [-(1 - SATISFIED_FROM) * one, one]]),
            limit=np.concatenate([np.zeros(everyone.size), SATISFIED_FROM * everyone]),
            bounds=np.vstack([satisfied, scores]),
        )


def _bounds(fraction: pl.Series, population: np.ndarray) -> np.ndarray:
    """Lowest and highest number of inhabitants (C, 2) for fractions rounded to a thousandth."""
    low, high = (fraction - 0.0005).clip(0, 1).fill_null(0.0), (fraction + 0.0005).clip(0, 1).fill_null(1.0)
    return np.column_stack([low.to_numpy() * population, high.to_numpy() * population])


class Programme:
    """A linear programme, asked for one extreme after another."""

    def __init__(self, equal: np.ndarray, below: np.ndarray, limit: np.ndarray, bounds: np.ndarray) -> None:
        self.scale = bounds.max()
        self.equal, self.below, self.limit, self.bounds = csr_array(equal), csr_array(below), limit, bounds

    def extreme(self, slope: np.ndarray) -> np.ndarray:
        """The possible state of all unknowns at which slope @ unknowns is least."""
        best = linprog(
            slope,
            A_eq=self.equal,
            b_eq=np.zeros(self.equal.shape[0]),
            A_ub=self.below,
            b_ub=self.limit / self.scale,
            bounds=self.bounds / self.scale,
        )
        assert best.status == 0, best.message
        return best.x * self.scale


def broken_promises(figures: pl.DataFrame, attacker: Attacker) -> pl.DataFrame:
    """The hidden cells of which the attacker finds out more than is promised; he is told every n.

    A cell that some state of the tables shows to be safe needs no programme of its own.
    """
    truth = primary(figures, SETTINGS).select(*KEY, "primary", "numerator", of="n")
    cells = attacker.cells.join(truth, KEY, maintain_order="left")
    hidden = np.flatnonzero(cells["share"].is_null().to_numpy())
    if not hidden.size:
        return cells.clear()
    programme = attacker.system()
    population, n = cells["population"].to_numpy()[hidden], cells["of"].to_numpy()[hidden]
    few = np.minimum(SETTINGS.smallest_count, n)
    own_sake, others = cells["primary"].to_numpy()[hidden], n - cells["numerator"].to_numpy()[hidden]
    turned = (others < SETTINGS.smallest_count) & (2 * others < n)  # the few are those who are not satisfied
    lowest, highest = np.ones(hidden.size), np.zeros(hidden.size)

    def look(slope: np.ndarray) -> None:
        full = np.zeros(programme.bounds.shape[0])
        full[hidden] = slope
        fraction = programme.extreme(full)[hidden] / population
        np.minimum(lowest, fraction, out=lowest)
        np.maximum(highest, fraction, out=highest)

    def broken() -> np.ndarray:
        narrow = n * (highest - lowest) < few - 1e-3
        least, most = np.where(turned, 1 - highest, lowest) * n, np.where(turned, 1 - lowest, highest) * n
        return narrow | (own_sake & ((least > 1e-3) | (most < few - 1e-3)))

    random = np.random.default_rng(0)
    for _ in range(6):
        slope = random.choice([-1.0, 1.0], hidden.size)
        look(slope)
        look(-slope)
    for number in range(hidden.size):
        if broken()[number]:
            look(np.eye(hidden.size)[number])
            look(-np.eye(hidden.size)[number])
    return cells[hidden].filter(broken())


def random_waves(seeds: range) -> pl.DataFrame:
    return pl.concat(random_wave(seed) for seed in seeds)


def found_by_the_attacker(figures: pl.DataFrame, *editions: pl.DataFrame) -> list[str]:
    """The broken promises in all waves."""
    broken = []
    for (wave,), of_wave in figures.group_by("variable", maintain_order=True):
        attacker = Attacker.of(of_wave, *(edition.filter(pl.col("variable") == wave) for edition in editions))
        places = broken_promises(of_wave, attacker).select(PLACE).iter_rows()
        broken += [f"{wave}: {' '.join(place)}" for place in places]
    return broken


@pytest.mark.parametrize("seeds", [range(25), pytest.param(range(25, 200), marks=pytest.mark.slow)])
def test_no_hidden_numerator_of_a_random_wave_is_found_out(seeds: range):
    figures = random_waves(seeds)
    result = protected(figures, GROUPS, SETTINGS)
    assert result.summary.complementary > 5 * len(seeds), "the attack must have something to find"
    assert found_by_the_attacker(figures, rounded(result.frame)) == []


def with_variant(figures: pl.DataFrame) -> pl.DataFrame:
    """The figures and those of everyone in the variant."""
    people = pl.col("population")
    of_everyone = figures.filter(pl.col("region_code").is_in(VARIANT["NARROW"]), breakdown="total")
    together = of_everyone.group_by("variable", "statistic", maintain_order=True).agg(
        pl.col("n", "numerator").sum(),
        value=(pl.col("value") * people).sum() / people.sum(),
        n_effective=people.sum() ** 2 / (people**2 / pl.col("n_effective")).sum(),
        population=people.sum(),
        region_code=pl.lit("NARROW"),
    )
    same = [name for name in figures.columns if name not in together.columns]
    constant = of_everyone.select("variable", *same).unique("variable", maintain_order=True)
    return pl.concat([figures, together.join(constant, "variable").select(figures.columns)])


@pytest.mark.parametrize("seeds", [range(25), pytest.param(range(25, 200), marks=pytest.mark.slow)])
def test_no_hidden_numerator_is_found_out_by_what_lies_between_a_group_and_its_variant(seeds: range):
    figures = with_variant(random_waves(seeds))
    result = protected(figures, GROUPS | VARIANT, SETTINGS)
    assert found_by_the_attacker(figures, rounded(result.frame)) == []


def test_what_lies_between_a_group_and_its_variant_gives_people_away_where_nobody_reckons_with_it():
    figures = with_variant(random_waves(range(25)))
    assert figures.filter(region_code="NARROW", statistic="mean").height == 25
    heedless = protected(figures, GROUPS, SETTINGS)
    assert found_by_the_attacker(figures, rounded(heedless.frame)) != []


def test_the_attacker_succeeds_where_only_what_is_too_small_is_hidden():
    figures = random_waves(range(3))
    own_sake = primary(figures, SETTINGS).filter("primary").select(KEY)
    naive = rounded(figures.join(own_sake, KEY, how="anti"))
    assert len(found_by_the_attacker(figures, naive)) > 10


def test_two_editions_together_tell_no_more_than_one():
    # The second edition is stricter, so that it would choose other cells to protect with.
    figures = random_waves(range(306, 309))
    first = protected(figures, GROUPS, SETTINGS).frame
    stricter = SETTINGS.model_copy(update={"suppress_below": 34})
    earlier = first.with_columns(edition=pl.lit("2025-1"))
    second = protected(figures, GROUPS, stricter, earlier=earlier).frame
    assert found_by_the_attacker(figures, rounded(first), rounded(second)) == []
    heedless = protected(figures, GROUPS, stricter).frame
    assert found_by_the_attacker(figures, rounded(first), rounded(heedless)) != []


def test_to_someone_who_does_not_know_how_many_respondents_a_hidden_cell_has_it_may_have_ten_satisfied():
    """Unknown are numerators k and respondents n of hidden cells, 0 <= k <= n; known how many inhabitants each is."""
    figures = random_waves(range(500, 504))
    visible = rounded(protected(figures, GROUPS, SETTINGS).frame)
    checked = 0
    for (wave,), of_wave in figures.group_by("variable", maintain_order=True):
        attacker = Attacker.of(of_wave, visible.filter(pl.col("variable") == wave))
        truth = primary(of_wave, SETTINGS).select(*KEY, "primary", "numerator", of="n")
        cells = attacker.cells.join(truth, KEY, maintain_order="left")
        programme = numbers_of_respondents(attacker, cells["of"].to_numpy())
        for place, cell in enumerate(cells.iter_rows(named=True)):
            if cell["share"] is not None:
                continue
            others = cell["of"] - cell["numerator"]
            slope = np.zeros(programme.bounds.shape[0])
            slope[place] = 1.0
            if others < SETTINGS.smallest_count and others < cell["numerator"]:
                slope[place], slope[len(cells) + place] = -1.0, 1.0
            lowest, highest = (float(slope @ programme.extreme(sign * slope)) for sign in (1.0, -1.0))
            assert highest - lowest > SETTINGS.interval_width - 0.01
            assert not cell["primary"] or (lowest < 0.01 and highest > SETTINGS.smallest_count - 0.01)
            checked += 1
    assert checked > 40


def numbers_of_respondents(attacker: Attacker, n: np.ndarray) -> Programme:
    """The numerators (C), then the respondents (C), then those of the rests (R and R), that all tables allow."""
    count, sums = n.size, list(attacker.sums())
    inhabitants = attacker.cells["population"].to_numpy() / np.maximum(n, 1)
    matrix = np.zeros((2, len(sums), 2 * count + 2 * len(sums)))
    rests = np.zeros(len(sums))
    for row, (whole, parts, open_) in enumerate(sums):
        parts_of_n = [count + part for part in parts]
        matrix[0, row, parts], matrix[0, row, whole] = inhabitants[parts], -inhabitants[whole]
        matrix[1, row, parts_of_n], matrix[1, row, count + whole] = 1, -1
        matrix[0, row, 2 * count + row], matrix[1, row, 2 * count + len(sums) + row] = inhabitants[whole], 1
        rests[row] = n[whole] - n[parts].sum() if open_ else 0
    visible = attacker.cells["share"].is_not_null().to_numpy()
    any_number = np.column_stack([np.zeros(count), np.full(count, 5000.0)])
    numerators = np.where(visible[:, None], _bounds(attacker.cells["share"] / 100, n), any_number)
    respondents = np.where(visible[:, None], np.column_stack([n, n]), any_number)
    of_rests = np.column_stack([np.zeros(rests.size), 3 * rests])  # whose weights are not known
    one, none = np.eye(count), np.zeros((count, 2 * len(sums)))
    return Programme(
        equal=np.vstack(list(matrix)),
        below=np.hstack([one, -one, none]),
        limit=np.zeros(count),
        bounds=np.vstack([numerators, respondents, of_rests, np.column_stack([rests, rests])]),
    )
