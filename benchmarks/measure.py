"""How long `btg measure` takes when everything is installed, how much memory, and what Dagster and imports cost.

    .venv/bin/python benchmarks/measure.py

Runs the measurement of the bundled figures three times in a folder of its own: once to warm up, once as users run it
(wall time, peak memory), once counting imports. Prints ratios to the limits: 45 s of wall time, with site,
reports and spreadsheets, and 1 GB, on two cores.
"""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WALL_LIMIT_SECONDS = 45.0
MEMORY_LIMIT_MB = 1000.0
CORES = 2
COMMAND = [sys.executable, "-m", "pipelines.cli", "measure", "--demo"]
CHECKOUT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Measure and print."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[:CORES]))
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {
            "BTG_OUTPUT": f"{folder}/output",
            "BTG_DAGSTER_STORAGE": f"{folder}/dagster",
            "DAGSTER_HOME": str(CHECKOUT),
        }
        run(COMMAND, environment)
        wall, _ = run(COMMAND, environment)
        memory = peak_memory_mb()
        outside_steps = dagster_seconds(environment)
        counted = [sys.executable, "-X", "importtime", *COMMAND[1:]]
        _, log = run(counted, environment)
    imports = import_seconds(log)
    print(f"wall time     {wall:6.1f} s   {wall / WALL_LIMIT_SECONDS:5.2f} of the limit of {WALL_LIMIT_SECONDS:.0f} s")
    print(f"peak memory   {memory:6.0f} MB  {memory / MEMORY_LIMIT_MB:5.2f} of the limit of {MEMORY_LIMIT_MB:.0f} MB")
    print(f"imports       {imports:6.1f} s   {imports / wall:5.2f} of the wall time")
    print(f"Dagster       {outside_steps:6.1f} s   {outside_steps / wall:5.2f} of the wall time")


def run(command: list[str], environment: dict[str, str]) -> tuple[float, str]:
    """Wall time in seconds and standard error of a command that must succeed."""
    start = time.perf_counter()
    done = subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False)
    wall = time.perf_counter() - start
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return wall, done.stderr


def peak_memory_mb() -> float:
    """The largest resident set of the commands run so far."""
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak / 1e3


def import_seconds(log: str) -> float:
    """Time spent in imports: the self times that `python -X importtime` prints, in microseconds."""
    return sum(int(found) for found in re.findall(r"^import time:\s+(\d+) \|", log, re.MULTILINE)) / 1e6


def dagster_seconds(environment: dict[str, str]) -> float:
    """What the last run spent outside the computations of its steps: planning, events, loading and storing."""
    os.environ |= environment
    import dagster as dg

    with dg.DagsterInstance.get() as instance:
        last = instance.get_runs(limit=1)[0]
        events = [(log.timestamp, log.dagster_event) for log in instance.all_logs(last.run_id) if log.dagster_event]
    begun: dict[str, float] = {}
    computing = 0.0
    for at, event in events:
        step, kind = event.step_key, event.event_type_value
        if step and kind in ("STEP_START", "LOADED_INPUT", "STEP_INPUT"):
            begun[step] = at
        elif step in begun and kind in ("STEP_OUTPUT", "ASSET_MATERIALIZATION", "STEP_FAILURE"):
            computing += at - begun.pop(step)
    return events[-1][0] - events[0][0] - computing


if __name__ == "__main__":
    main()
