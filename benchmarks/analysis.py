"""How long the sensitivity of scores takes, with how much memory, and whether it grows as it should.

    .venv/bin/python -m benchmarks.analysis

342 municipalities, fourteen of them own, and 40 indicators in eight themes, each of a sample of its own: figures of
which none is exact, the most that there can be to draw. Measures, each in a fresh process on two cores:

year        10,000 draws over all five choices, for one measurement year
years       the same for eight
indices     Sobol's indices of one year, by 2,048 x 7 draws, of the own municipalities
growth      2,500, 10,000 and 40,000 draws, one after the other: time a draw, of the wall and of the processors

Bars: a year in 20 s, eight in 120 s, 2 GB, and no more processor time a draw at 10,000 and 40,000 draws than 1.15 times
that at 2,500. Ends with 1 where one is missed.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from catalog.analysis_model import SensitivitySettings
from methods.index.composite import NORMALISATIONS, Composite, Normaliser
from methods.index.sensitivity import Uncertain, sensitivity, sobol_indices

CHECKOUT = Path(__file__).resolve().parents[1]
CORES = 2
MUNICIPALITIES, OWN, INDICATORS, THEMES, YEARS = 342, 14, 40, 8, 8
SETTINGS = SensitivitySettings(draws=10_000, sobol_base=2_048, seed=2_022, weight_noise=0.5, range_percent=(5, 95))
GROWTH = (2_500, 10_000, 40_000)
SECONDS = {"year": 20.0, "years": 120.0}
MEMORY_MB = 2_000.0
GROWTH_BAR = 1.15

Case = tuple[Composite, Uncertain, dict[str, Normaliser]]


def case(year: int) -> Case:
    """Made-up figures of one measurement year."""
    rng = np.random.default_rng(year)
    composite = Composite(
        indicators=tuple(f"indicator_{number}" for number in range(INDICATORS)),
        themes=tuple(f"theme_{number}" for number in range(THEMES)),
        theme_of=np.arange(INDICATORS) % THEMES,
        polarity=np.where(np.arange(INDICATORS) % 3, 1, -1),
        weights=np.ones(INDICATORS),
        theme_weights=np.ones(THEMES),
        goalposts=np.tile([-2.5, 2.5], (INDICATORS, 1)),
        minimum_coverage=np.full(THEMES + 1, 0.5),
    )
    figures = rng.normal(size=(MUNICIPALITIES, INDICATORS))
    figures[rng.random(figures.shape) < 0.03] = np.nan
    uncertain = Uncertain(figures, np.full(figures.shape, 0.2), np.arange(INDICATORS), np.arange(MUNICIPALITIES) < OWN)
    return composite, uncertain, {name: Normaliser.fit(composite, name, figures) for name in NORMALISATIONS}


def main() -> None:
    """All measurements; ends with 1 where a bar is missed."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[:CORES]))
    passed = True
    for task in ("year", "years", "indices"):
        seconds, memory = measured(task)
        bar = SECONDS.get(task)
        good = memory <= MEMORY_MB and (bar is None or seconds <= bar)
        limit = f"bar {bar:.0f} s" if bar else ""
        print(f"{task:8}{seconds:8.2f} s {limit:10}{memory:8.0f} MB bar {MEMORY_MB:.0f} MB  {verdict(good)}")
        passed &= good
    *costs, memory = measured("growth")
    wall, processors = costs[::2], costs[1::2]
    for draws, of_wall, of_processors in zip(GROWTH, wall, processors, strict=True):
        ratio = of_processors / processors[0]
        print(
            f"{draws:6} draws{1e3 * of_wall:8.3f} ms a draw, of the processors {1e3 * of_processors:.3f}:"
            f" {ratio:.2f} bar {GROWTH_BAR}  {verdict(ratio <= GROWTH_BAR)}"
        )
        passed &= ratio <= GROWTH_BAR
    good = memory <= MEMORY_MB
    print(f"{'growth':8}{'':21}{memory:8.0f} MB bar {MEMORY_MB:.0f} MB  {verdict(good)}")
    sys.exit(not (passed and good))


def verdict(good: bool) -> str:
    """For a reader and for a search through a log."""
    return "PASS" if good else "FAIL"


def measured(task: str) -> list[float]:
    """The numbers that a task prints in a fresh process; the last is its peak memory in MB."""
    command = [sys.executable, "-m", "benchmarks.analysis", task]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{task} failed:\n{done.stderr[-2000:]}")
    return [float(number) for number in done.stdout.split()]


def run(task: str) -> None:
    """A task in this process: prints seconds, and peak memory."""
    sensitivity(*case(0), SETTINGS.model_copy(update={"draws": 256}))  # imports and threads are not what is measured
    if task == "growth":
        for draws in GROWTH:
            print(*(cost / draws for cost in timed(draws, years=1)))
    elif task == "indices":
        started = time.perf_counter()
        sobol_indices(*case(1), SETTINGS)
        print(time.perf_counter() - started)
    else:
        print(timed(SETTINGS.draws, years=YEARS if task == "years" else 1)[0])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(peak / (1e6 if sys.platform == "darwin" else 1e3))


def timed(draws: int, years: int) -> tuple[float, float]:
    """Seconds of the wall and of the processors."""
    wall, processors = time.perf_counter(), time.process_time()
    for year in range(1, years + 1):
        sensitivity(*case(year), SETTINGS.model_copy(update={"draws": draws}))
    return time.perf_counter() - wall, time.process_time() - processors


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            main()
        case [("year" | "years" | "indices" | "growth") as name]:
            run(name)
        case _:
            sys.exit(__doc__)
