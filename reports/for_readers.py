"""What people open of an edition: the site, the happiness reports and the spreadsheets, made from its tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import polars as pl

from catalog import Catalogue
from reports.background import in_background
from reports.editions import DATABASE
from reports.happiness import FORMATS, report_files, write_reports
from reports.progress import LANGUAGE, Scope, progress_files
from reports.progress.scope import DRAFT
from reports.site import build_site
from reports.view import View
from reports.words import Words
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
        view = View(tables, catalogue)
        write_reports(view, folder / REPORT)
        for name, content in _progress_report(view).items():
            (folder / REPORT / name).write_bytes(content)
        for path, content in site():
            file = folder / SITE / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)


def _progress_report(view: View) -> dict[str, bytes]:
    """The report on the edition's year; none for a region without a programme, or a year outside it.

    It is final where the edition is and nothing lacks.
    """
    programme = view.catalogue.programme
    if programme is None or view.year not in programme.report_years:
        return {}
    scope = Scope(view, Words(view.catalogue, LANGUAGE), [view.year])
    final = not scope.edition.endswith(DRAFT) and not scope.lacking and not scope.is_synthetic
    return progress_files(replace(scope, final=final))


def _site(parquet: Path, catalogue: Catalogue, outlines_source: str | None) -> list[tuple[str, bytes]]:
    names = catalogue.registry.tables
    view = View({name: pl.read_parquet(parquet / f"{name}.parquet") for name in names}, catalogue)
    reports = {
        code: {ending: f"{REPORT}/{name}" for ending, name in zip(FORMATS, files, strict=True)}
        for code, files in report_files(view).items()
    }
    return list(build_site(view, reports, [*WORKBOOKS, DATABASE], outlines_source))
