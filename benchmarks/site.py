"""How long the site of an edition takes to build in both languages, what its pages weigh, and when they are painted.

    .venv/bin/python -m benchmarks.site [OUTPUT]

Builds the site three times from the tables of the standing edition (OUTPUT, default `output`; make one with `make
measure`) on two cores, and prints the fastest and the slowest. Then serves the edition on 127.0.0.1 and opens one page
of every type in both languages in headless Chromium. Prints ratios to the limits: 15 s, 300 KB, 0.5 s to the first
paint.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import polars as pl

from catalog import Catalogue, load_catalogue
from pipelines.accessibility import audit, page_types
from pipelines.browser import DESKTOP, opened_browser
from pipelines.serve import served
from reports import editions
from reports.site import build_site
from reports.view import View

BUILD_LIMIT_SECONDS, WEIGHT_LIMIT_KB, PAINT_LIMIT_SECONDS = 15.0, 300.0, 0.5
CORES, REPEATS = 2, 3


def main() -> None:
    """Measure and print."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[:CORES]))
    output = Path(sys.argv[1] if len(sys.argv) > 1 else "output").resolve()
    name = editions.standing(output) or sys.exit(f"No edition in {output}: make measure")
    folder, catalogue = editions.folder_of(output, name), load_catalogue()
    times = sorted(build(folder, catalogue) for _ in range(REPEATS))
    pages = opened(output, name)
    heaviest, latest = max(pages, key=lambda page: int(page["bytes"])), max(pages, key=painted)
    tell("site built", times[-1], BUILD_LIMIT_SECONDS, "s", f"fastest of {REPEATS}: {times[0]:.1f} s")
    tell("heaviest page", heaviest["bytes"] / 1000, WEIGHT_LIMIT_KB, "KB", heaviest["page"])
    tell("latest paint", painted(latest), PAINT_LIMIT_SECONDS, "s", latest["page"])


def tell(what: str, found: float, limit: float, unit: str, which: str) -> None:
    """One line: what was found, and its ratio to the limit."""
    print(f"{what:14} {found:7.2f} {unit:2}   {found / limit:5.2f} of the limit of {limit:g} {unit} ({which})")


def build(folder: Path, catalogue: Catalogue) -> float:
    """Seconds it takes to make every file of the site from the tables on disk, without writing them."""
    start = time.perf_counter()
    names = catalogue.registry.tables
    view = View({name: pl.read_parquet(folder / "parquet" / f"{name}.parquet") for name in names}, catalogue)
    for _ in build_site(view, {}, ["btg.xlsx"], None):
        pass
    return time.perf_counter() - start


def opened(output: Path, name: str) -> list[dict[str, Any]]:
    """What a browser finds of one page of every type: bytes, with style, script and pictures, and the first paint."""
    pages = page_types(editions.folder_of(output, name) / "site")
    with served(output) as address, opened_browser() as browser:
        # The first page is opened twice: once more than it counts, for the browser to have started.
        found: list[dict[str, Any]] = audit(browser, f"{address}/{name}/site", [pages[0], *pages], [DESKTOP])["pages"]
    return found[1:]


def painted(page: dict[str, Any]) -> float:
    """Seconds until the first text or picture stood on the page."""
    return float(page["paint_ms"]["first-contentful-paint"]) / 1000


if __name__ == "__main__":
    main()
