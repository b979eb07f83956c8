"""What people open of an edition: the site, the happiness reports and the spreadsheets, made from its tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import polars as pl

from catalog import Catalogue
from reports.background import in_background
from reports.editions import DATABASE
from reports.happiness import FORMATS, report_files, write_reports
from reports.site import build_site
from reports.view import View
from reports.workbook import WORKBOOKS, write_workbooks

SITE, REPORT = "site", "report"
MADE: Final = (SITE, REPORT, *WORKBOOKS)  # what this makes in the folder of an edition


@contextmanager
def made_for_readers(
    folder: Path, tables: Mapping[str, pl.DataFrame], catalogue: Catalogue, outlines_source: str | None
) -> Iterator[None]:
    """Make them in the folder of an edition, the site beside what the block does; whole when the block has ended.

    The tables must lie there as Parquet already: the site is made from them in a process of its own.
    """
    with in_background(_site, folder / "parquet", catalogue, outlines_source) as site:
        yield
        write_workbooks(tables, catalogue, folder)
        write_reports(View(tables, catalogue), folder / REPORT)
        for path, content in site():
            file = folder / SITE / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)


def _site(parquet: Path, catalogue: Catalogue, outlines_source: str | None) -> list[tuple[str, bytes]]:
    names = catalogue.registry.tables
    view = View({name: pl.read_parquet(parquet / f"{name}.parquet") for name in names}, catalogue)
    reports = {
        code: {ending: f"{REPORT}/{name}" for ending, name in zip(FORMATS, files, strict=True)}
        for code, files in report_files(view).items()
    }
    return list(build_site(view, reports, [*WORKBOOKS, DATABASE], outlines_source))
