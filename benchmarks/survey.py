"""Whether the survey's margins hold what they promise, and how fast it computes beside R's `survey`.

    .venv/bin/python -m benchmarks.survey simulation [REPETITIONS]
    .venv/bin/python -m benchmarks.survey speed

simulation  draws two independent waves of 3,000 people, some 214 in each of fourteen municipalities, out of a made-up
            population of 633,000 whose eleven scores, and shares of people above thresholds, are known; 4,000 times.
            Counts how often the 95% interval of a domain holds the truth, and how often the test of change between
            the waves finds one that is not there. By two ways: everyone answers (weights of the design, finite
            population), and about one in three does, which depends on age, sex and education (raked to municipality x
            age x sex and to education). Domains: municipalities and groups, also their women; groups by age and by
            education. Prints a table with bars, and ends with 1 where one is missed.

speed       times, each in a fresh process: (1) 20,000 respondents, 14 municipalities, 11 dimensions, 200 bootstrap
            replicates, each raked again; (2) 500,000 respondents, 1,368 strata, 8 means in 342 municipalities. Beside
            them the same in R where Rscript and its package survey are there. Bars: R takes at least 5 times as long
            for the first and 10 times for the second; estimates and standard errors agree.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from scipy.special import stdtr, stdtrit
from threadpoolctl import threadpool_limits

from methods.survey.calibration import raked, with_bootstrap
from methods.survey.design import Survey
from methods.survey.domains import domain_means, domain_means_by
from methods.survey.intervals import share_interval

# In thousands; the first three are the urban cores.
MUNICIPALITIES = (73, 160, 82, 23, 24, 36, 23, 32, 21, 25, 34, 36, 38, 26)
REGIONS = {f"M{place:02}": (place,) for place in range(14)} | {
    "URBAN_CORE": tuple(range(3)),
    "RURAL": tuple(range(3, 14)),
    "TWENTE": tuple(range(14)),
}
GROUPS = ("URBAN_CORE", "RURAL", "TWENTE")
SEXES, AGES, EDUCATIONS = 2, 4, 3
SCORES = [f"score_{number}" for number in range(1, 12)]
# People with a score of at least so much: most of them, and some rare cases.
SHARES = {f"share_{number}": (f"score_{number}", 0.6) for number in range(1, 12)} | {
    f"rare_{number}": (f"score_{number}", 0.9) for number in range(1, 5)
}
CHECKOUT = Path(__file__).resolve().parents[1]
SAMPLE = 3_000
REPETITIONS, CHUNK = 4_000, 50
SEED = 2_025
SCENARIOS = ("full response", "nonresponse")
LEAST_NUMERATOR = 10
CODES = {"municipality", "stratum", "cell", "education"}
REPLICATES = 200
REPEATS = 3
COLUMNS = ("estimate", "standard_error", "degrees_of_freedom", "n")

Array = Any


@dataclass(frozen=True)
class Population:
    """Everybody, in order of municipality; `parts` tells whether domains by sex, age and education count too."""

    municipality: Array
    sex: Array
    age: Array
    education: Array
    values: Array  # (N, V): scores, then shares as 0 and 1
    response: Array  # chance to answer
    parts: bool

    @classmethod
    def of(cls, seed: int = SEED, *, parts: bool = True) -> Population:
        """Scores of people differ by municipality, age, sex and education, and go together within a person."""
        rng = np.random.default_rng(seed)
        municipality = np.repeat(np.arange(14), np.array(MUNICIPALITIES) * 1_000)
        size = len(municipality)
        sex, age = rng.integers(0, SEXES, size), rng.choice(AGES, size, p=[0.26, 0.22, 0.26, 0.26])
        education = rng.choice(EDUCATIONS, size, p=[0.27, 0.41, 0.32])
        person = rng.normal(size=size)
        columns = []
        for level in np.linspace(0.2, 1.4, len(SCORES)):
            effects = [rng.normal(0, spread, levels) for spread, levels in ((0.15, 14), (0.1, 2), (0.3, 4), (0.3, 3))]
            of_group = sum(effect[of] for effect, of in zip(effects, (municipality, sex, age, education), strict=True))
            latent = level + of_group + 0.6 * person + 0.8 * rng.normal(size=size)
            # As means of a few questions: in steps of a twentieth.
            columns.append(np.round(20 / (1 + np.exp(-latent))) / 20)
        scores = dict(zip(SCORES, columns, strict=True))
        columns += [(scores[name] >= least).astype(float) for name, least in SHARES.values()]
        # Multiplicative, as raking takes it: the young and the lower educated answer less.
        by_age_and_sex = np.array([[0.24, 0.20], [0.32, 0.26], [0.40, 0.36], [0.44, 0.46]])[age, sex]
        response = by_age_and_sex * np.array([0.75, 1.0, 1.2])[education]
        return cls(municipality, sex, age, education, np.column_stack(columns).astype(np.float32), response, parts)

    @cached_property
    def starts(self) -> Array:
        """Where each municipality begins, and where the last one ends."""
        return np.searchsorted(self.municipality, np.arange(15))

    @cached_property
    def margins(self) -> list[pl.DataFrame]:
        """Population by municipality, age and sex, and by education."""
        cell = pl.Series("cell", self.cell(np.arange(len(self.sex))))
        return [
            column.value_counts(sort=False).sort(column.name).select(column.name, total="count")
            for column in (cell, pl.Series("education", self.education))
        ]

    def cell(self, rows: Array) -> Array:
        """Municipality, age and sex as one code."""
        return (self.municipality[rows] * AGES + self.age[rows]) * SEXES + self.sex[rows]

    def blocks(self, rows: Array) -> Mapping[str, Mapping[str, Array]]:
        """The domains, for some of the people."""
        regions = {name: np.isin(self.municipality[rows], members) for name, members in REGIONS.items()}
        if not self.parts:
            return {"total": regions}
        groups = {name: regions[name] for name in GROUPS}
        parts = [("sex=female", self.sex[rows] == 1, regions)]
        parts += [(f"age={age}", self.age[rows] == age, groups) for age in range(AGES)]
        parts += [(f"education={level}", self.education[rows] == level, groups) for level in range(EDUCATIONS)]
        return {"total": regions} | {
            name: {region: inside & members for region, inside in of.items()} for name, members, of in parts
        }

    @cached_property
    def truth(self) -> Array:
        """(V, D)"""
        domains = [mask for block in self.blocks(np.arange(len(self.sex))).values() for mask in block.values()]
        return np.column_stack([self.values[mask].mean(axis=0, dtype=np.float64) for mask in domains])

    def wave(self, scenario: str, rng: np.random.Generator) -> tuple[Survey, Array]:
        """A weighted sample, and the rows of who is in it."""
        rows, frame = self.sample(scenario, rng, SAMPLE)
        if scenario == "full response":
            return Survey.of(frame, weight="weight", stratum="municipality", population_size="inhabitants"), rows
        return raked(Survey.of(frame, weight="weight", stratum="municipality"), self.margins), rows

    def sample(self, scenario: str, rng: np.random.Generator, size: int) -> tuple[Array, pl.DataFrame]:
        """Rows of who is in it, and a frame with values, design and cells; `size` exactly, or about so many."""
        drawn = size if scenario == "full response" else round(size / float(self.response.mean()))
        sizes = np.full(14, drawn // 14)
        sizes[: drawn % 14] += 1
        rows = np.concatenate(
            [
                start + rng.choice(end - start, size, replace=False, shuffle=False)
                for start, end, size in zip(self.starts, self.starts[1:], sizes, strict=False)
            ]
        )
        if scenario == "nonresponse":
            rows = rows[rng.random(len(rows)) < self.response[rows]]
        inhabitants = np.diff(self.starts)[self.municipality[rows]]
        frame = pl.from_numpy(self.values[rows].astype(np.float64), schema=[*SCORES, *SHARES]).with_columns(
            municipality=self.municipality[rows],
            inhabitants=inhabitants,
            weight=inhabitants / sizes[self.municipality[rows]],
            cell=self.cell(rows),
            education=self.education[rows],
        )
        return rows, frame


@dataclass(frozen=True)
class Counts:
    """Of so many waves and pairs of waves, per variable and domain (V, D): intervals that hold, changes found."""

    waves: int
    covered: Array
    pairs: int
    rejected: Array
    n: Array  # respondents, on average

    def __add__(self, other: Counts) -> Counts:
        waves = self.waves + other.waves
        n = (self.n * self.waves + other.n * other.waves) / waves
        covered, rejected = self.covered + other.covered, self.rejected + other.rejected
        return Counts(waves, covered, self.pairs + other.pairs, rejected, n)


def repeat(population: Population, scenario: str, seeds: list[np.random.SeedSequence]) -> Counts:
    """Two waves a seed, with their intervals and the unadjusted test of change between them."""
    counts = []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        with threadpool_limits(1):  # matrices this small only get slower with more
            one, other = (estimates(population, *population.wave(scenario, rng)) for _ in range(2))
        covered = holds(one, population.truth).astype(int) + holds(other, population.truth)
        counts.append(Counts(2, covered, 1, finds(one, other).astype(int), (one["n"] + other["n"]) / 2))
    return sum(counts[1:], counts[0])


def estimates(population: Population, survey: Survey, rows: Array) -> dict[str, Array]:
    """Columns of the table of domain means as (V, D)."""
    table = domain_means(survey, [*SCORES, *SHARES], population.blocks(rows)).table
    return {name: table[name].cast(pl.Float64).to_numpy().reshape(len(SCORES) + len(SHARES), -1) for name in COLUMNS}


def holds(found: dict[str, Array], truth: Array) -> Array:
    """Whether the 95% interval holds the truth: Student's t for means, Korn-Graubard for shares."""
    means = len(SCORES)
    low = found["estimate"] - found["standard_error"] * stdtrit(found["degrees_of_freedom"], 0.975)
    high = 2 * found["estimate"] - low
    low[means:], high[means:] = share_interval(*(found[name][means:] for name in COLUMNS), interval="beta")
    return (low <= truth) & (truth <= high)


def finds(one: dict[str, Array], other: dict[str, Array]) -> Array:
    """Whether the unadjusted t-test of two independent waves says that something changed."""
    t = (one["estimate"] - other["estimate"]) / np.hypot(one["standard_error"], other["standard_error"])
    return 2 * stdtr(one["degrees_of_freedom"] + other["degrees_of_freedom"], -np.abs(t)) < 0.05


@dataclass(frozen=True)
class Rate:
    """Rates in percent: of all figures together, and of each domain; with the bars for both."""

    name: str
    pooled: float
    domains: tuple[float, float]  # of the lowest and the highest domain, its figures together
    figures: tuple[float, float]  # of the lowest and the highest single figure; without a bar
    pooled_bar: tuple[float, float]
    domain_bar: tuple[float, float]

    @property
    def passes(self) -> bool:
        """Whether all lie between the bars, ends included."""
        inside = self.domain_bar[0] <= self.domains[0] and self.domains[1] <= self.domain_bar[1]
        return self.pooled_bar[0] <= self.pooled <= self.pooled_bar[1] and inside


def rates(population: Population, counts: Counts) -> list[Rate]:
    """What the bars are for."""
    means = np.zeros(counts.covered.shape, dtype=bool)
    means[: len(SCORES)] = True
    shares = ~means & (counts.n * population.truth >= LEAST_NUMERATOR)
    covered, rejected = 100 * counts.covered / counts.waves, 100 * counts.rejected / counts.pairs
    return [
        rate("95% intervals of means", covered, means, (94, 96), (93, 97)),
        rate("95% intervals of shares", covered, shares, (94, 100), (94, 100)),
        rate("changes found, means", rejected, means, (4, 6), (3.5, 6.5)),
        rate("changes found, shares", rejected, shares, (4, 6), (3.5, 6.5)),
    ]


def rate(name: str, percent: Array, counted: Array, pooled: tuple[float, float], domain: tuple[float, float]) -> Rate:
    """Of the figures that count."""
    of_domains = np.ma.masked_array(percent, ~counted).mean(axis=0)
    figures = percent[counted]
    domains = float(of_domains.min()), float(of_domains.max())
    return Rate(name, float(figures.mean()), domains, (figures.min(), figures.max()), pooled, domain)


_population: Population | None = None


def _make_population() -> None:
    global _population  # noqa: PLW0603 - made once in each process
    _population = Population.of()


def _repeat(scenario: str, seeds: list[np.random.SeedSequence]) -> Counts:
    assert _population is not None
    return repeat(_population, scenario, seeds)


def simulate(repetitions: int) -> None:
    """All repetitions of both scenarios, over the processors there are; ends with 1 where a bar is missed."""
    population = Population.of()
    seeds = np.random.SeedSequence(SEED).spawn(repetitions)
    chunks = [seeds[start : start + CHUNK] for start in range(0, repetitions, CHUNK)]
    os.environ["POLARS_MAX_THREADS"] = "1"  # of each process
    passed = True
    with ProcessPoolExecutor(mp_context=get_context("spawn"), initializer=_make_population) as pool:
        for scenario in SCENARIOS:
            counts = list(pool.map(_repeat, [scenario] * len(chunks), chunks))
            print(f"\n{scenario}: {repetitions} pairs of waves; percent, lowest and highest of domains and of figures")
            print(f"{'':25}{'pooled':>7}{'bar':>8}{'domains':>14}{'bar':>9}{'figures':>14}")
            for found in rates(population, sum(counts[1:], counts[0])):
                verdict = "PASS" if found.passes else "FAIL"
                print(
                    f"{found.name:25}{found.pooled:7.2f}{span(found.pooled_bar):>8}{span(found.domains, '.2f'):>14}"
                    f"{span(found.domain_bar):>9}{span(found.figures, '.2f'):>14}  {verdict}"
                )
                passed &= found.passes
    sys.exit(not passed)


def span(bounds: tuple[float, float], form: str = "g") -> str:
    """Both bounds as text."""
    return f"{bounds[0]:{form}}-{bounds[1]:{form}}"


# Both read the same columns of doubles; the clock starts after that.
READ_IN_R = r"""
suppressMessages(library(survey))
set.seed(1)
column <- function(name) readBin(name, "double", file.size(name) / 8)
data <- as.data.frame(lapply(setNames(nm = scan("columns", "", quiet = TRUE)), column))
started <- proc.time()[["elapsed"]]
step <- function(name) {
  cat(name, proc.time()[["elapsed"]] - started, "\n")
  started <<- proc.time()[["elapsed"]]
}
"""
WRITE_IN_R = r"""
step("means")
writeBin(as.double(as.matrix(found[, -1])), "found_r")
peak <- grep("VmHWM", if (file.exists("/proc/self/status")) readLines("/proc/self/status"), value = TRUE)
cat("peak", if (length(peak)) as.numeric(gsub("[^0-9]", "", peak)) / 1e3 else NaN, "\n")
"""
FIRST_IN_R = """
design <- svydesign(id = ~1, strata = ~municipality, weights = ~weight, data = data)
step("design")
margin <- function(name) {
  cells <- column(paste0("margin_", name))
  setNames(data.frame(seq_along(cells) - 1, cells), c(name, "Freq"))
}
drawn <- as.svrepdesign(design, type = "subbootstrap", replicates = 200)
step("replicates")
raked <- rake(drawn, list(~cell, ~education), list(margin("cell"), margin("education")),
              control = list(maxit = 100, epsilon = 1e-10))
step("raking")
found <- svyby(reformulate(grep("score_", names(data), value = TRUE)), ~municipality, raked, svymean)
"""
SECOND_IN_R = """
design <- svydesign(id = ~1, strata = ~stratum, weights = ~weight, data = data)
step("design")
found <- svyby(reformulate(grep("score_", names(data), value = TRUE)), ~municipality, design, svymean)
"""


def first_data() -> dict[str, Array]:
    """20,000 people who answered, out of the population."""
    population, rng = Population.of(), np.random.default_rng(SEED)
    _, frame = population.sample("nonresponse", rng, 21_000)
    frame = frame[np.sort(rng.choice(frame.height, 20_000, replace=False))]
    columns = {name: frame[name].to_numpy() for name in ("municipality", "weight", "cell", "education", *SCORES)}
    margins = {f"margin_{margin.columns[0]}": margin["total"].to_numpy() for margin in population.margins}
    return columns | margins


def second_data() -> dict[str, Array]:
    """500,000 people of 342 municipalities with four strata each."""
    rng = np.random.default_rng(SEED)
    municipality = np.sort(rng.integers(0, 342, 500_000))
    scores = {
        f"score_{number}": np.round(rng.beta(5, 3, len(municipality)) + 0.01 * (municipality % 7), 3)
        for number in range(1, 9)
    }
    stratum = 4 * municipality + rng.integers(0, 4, len(municipality))
    return {"municipality": municipality, "stratum": stratum, "weight": rng.gamma(4, 5, len(municipality)), **scores}


class Clock:
    """Prints the seconds since it was made, or since the step before."""

    def __init__(self) -> None:
        self.started = time.perf_counter()

    def step(self, name: str) -> None:
        print(name, time.perf_counter() - self.started)
        self.started = time.perf_counter()


def first(frame: pl.DataFrame, scores: list[str], margins: list[pl.DataFrame]) -> tuple[Array, Array]:
    """Estimates and standard errors (V, D), the latter from raked replicates."""
    clock = Clock()
    survey = Survey.of(frame, weight="weight", stratum="municipality")
    clock.step("design")
    survey = with_bootstrap(survey, REPLICATES, seed=SEED)
    clock.step("replicates")
    survey = raked(survey, margins)
    clock.step("raking")
    found = replicate_means(survey, frame.select(scores).to_numpy(), frame["municipality"].to_numpy())
    clock.step("means")
    return found


def replicate_means(survey: Survey, values: Array, domain: Array) -> tuple[Array, Array]:
    """Means of `values` (n, V) by domain (n; codes 0, 1, ...), and the spread of those of the replicates."""
    assert survey.replicates is not None
    weights = np.column_stack([survey.weights, survey.replicates])
    members = [np.flatnonzero(domain == code) for code in range(domain.max() + 1)]
    means = np.stack([values[rows].T @ weights[rows] / weights[rows].sum(axis=0) for rows in members], axis=1)
    return means[:, :, 0], means[:, :, 1:].std(axis=2, ddof=1)


def second(frame: pl.DataFrame, scores: list[str]) -> tuple[Array, Array]:
    """Estimates and standard errors (V, D), linearised."""
    clock = Clock()
    survey = Survey.of(frame, weight="weight", stratum="stratum")
    clock.step("design")
    table = domain_means_by(survey, scores, ["municipality"])
    clock.step("means")
    found = [table.pivot(on="variable", index="municipality", values=name) for name in COLUMNS[:2]]
    return found[0].select(scores).to_numpy().T, found[1].select(scores).to_numpy().T


def ours(task: str, folder: Path) -> None:
    """A task in this process: prints steps and peak memory, and writes what it found."""
    names = (folder / "columns").read_text().split()
    frame = pl.DataFrame({name: np.fromfile(folder / name) for name in names})
    frame = frame.with_columns(pl.col(set(names) & CODES).cast(pl.Int64))
    scores = [name for name in names if name.startswith("score_")]
    if task == "first":
        totals = {name: np.fromfile(folder / f"margin_{name}") for name in ("cell", "education")}
        margins = [pl.DataFrame({name: range(len(of)), "total": of}) for name, of in totals.items()]
        found = first(frame, scores, margins)
    else:
        found = second(frame, scores)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print("peak", peak / (1e6 if sys.platform == "darwin" else 1e3))
    np.stack(found).tofile(folder / "found_btg")


def measured(command: list[str], folder: Path) -> dict[str, float]:
    """Seconds of each step, and peak memory in MB, of a fresh process."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=os.environ)
    if done.returncode:
        sys.exit(f"{command[0]} failed:\n{done.stderr[-2000:]}")
    return {name: float(number) for name, number in (line.split() for line in done.stdout.splitlines())}


def compare() -> None:
    """Both tasks, ours and R's; ends with 1 where a bar is missed or numbers differ."""
    os.environ["PYTHONPATH"] = str(CHECKOUT)
    rscript = shutil.which("Rscript")
    if rscript and subprocess.run([rscript, "-e", "library(survey)"], capture_output=True, check=False).returncode:
        rscript = None
    passed = True
    for task, (data, r_code, bar) in TASKS.items():
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            columns = data()
            for column, values in columns.items():
                values.astype(np.float64).tofile(folder / column)
            (folder / "columns").write_text("\n".join(key for key in columns if not key.startswith("margin_")))
            (folder / "task.R").write_text(READ_IN_R + r_code + WRITE_IN_R)
            runs = [measured([sys.executable, __file__, "ours", task, name], folder) for _ in range(REPEATS)]
            btg = sorted(runs, key=seconds)[REPEATS // 2]
            print(f"\n{task}\n{'':4}{told(btg)}")
            if rscript is None:
                print("R    is not here, or has no package survey: install r-cran-survey to compare")
                continue
            r = measured([rscript, "task.R"], folder)
            ratio = seconds(r) / seconds(btg)
            agrees = agreement(task, np.fromfile(folder / "found_btg"), np.fromfile(folder / "found_r"))
            print(f"R   {told(r)}\nR takes {ratio:.1f} times as long, bar {bar}: {'PASS' if ratio >= bar else 'FAIL'}")
            passed &= ratio >= bar and agrees
    sys.exit(not passed)


def seconds(steps: dict[str, float]) -> float:
    """Of all steps together."""
    return sum(number for name, number in steps.items() if name != "peak")


def told(steps: dict[str, float]) -> str:
    """One line."""
    parts = ", ".join(f"{name} {number:.2f}" for name, number in steps.items() if name != "peak")
    return f"{seconds(steps):8.2f} s ({parts}), peak {steps['peak']:.0f} MB"


def agreement(task: str, btg: Array, r: Array) -> bool:
    """Whether the numbers agree, which it prints; two sets of bootstrap replicates only agree on the whole."""
    (means, errors), (means_in_r, errors_in_r) = btg.reshape(2, -1), r.reshape(2, -1)
    apart = np.abs(means / means_in_r - 1).max()
    if task == "first":
        ratio = float(np.mean(errors / errors_in_r))
        agrees = apart < 1e-8 and abs(ratio - 1) < 0.05
        print(f"means equal to {apart:.0e}, standard errors {ratio:.3f} times those of R on average")
    else:
        errors_apart = np.abs(errors / errors_in_r - 1).max()
        agrees = apart < 1e-9 and errors_apart < 1e-9
        print(f"means equal to {apart:.0e}, standard errors to {errors_apart:.0e}")
    return bool(agrees)


TASKS = {"first": (first_data, FIRST_IN_R, 5), "second": (second_data, SECOND_IN_R, 10)}


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["simulation", *more]:
            simulate(int(more[0]) if more else REPETITIONS)
        case ["speed"]:
            compare()
        case ["ours", task_name, path]:
            ours(task_name, Path(path))
        case _:
            sys.exit(__doc__)
