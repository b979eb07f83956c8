"""How long the progress report of a year takes, as an analyst types it.

    .venv/bin/python -m benchmarks.report [OUTPUT]

Runs `btg report` three times on two cores on the standing edition of an output folder (OUTPUT, default `output`; make
one with `make measure`), into a temporary folder, and prints the fastest and the slowest, and the ratio to the limit of
30 s; and how large the files are.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from reports import editions

LIMIT_SECONDS, CORES, REPEATS = 30.0, 2, 3
BTG = Path(sys.executable).with_name("btg")


def main() -> None:
    """Measure and print."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[:CORES]))
    output = Path(sys.argv[1] if len(sys.argv) > 1 else "output").resolve()
    name = editions.standing(output) or sys.exit(f"No edition in {output}: make measure")
    with tempfile.TemporaryDirectory() as folder:
        times = sorted(written(output, name, Path(folder)) for _ in range(REPEATS))
        sizes = {path.name: path.stat().st_size for path in sorted(Path(folder).glob("[!.]*"))}
    ratio = times[-1] / LIMIT_SECONDS
    print(f"report {times[-1]:6.2f} s   {ratio:.2f} of the limit of {LIMIT_SECONDS:g} s (fastest: {times[0]:.2f} s)")
    for file, size in sizes.items():
        print(f"  {size / 1000:8.1f} KB  {file}")


def written(output: Path, name: str, folder: Path) -> float:
    """Seconds that the command takes, from starting Python to the last file."""
    start = time.perf_counter()
    year = name.split("-", maxsplit=1)[0]
    command = [BTG, "report", "--year", year, "--edition", name, "--to", folder, "--output", output]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
