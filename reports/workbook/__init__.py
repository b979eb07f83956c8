"""The spreadsheet pack of an edition: `btg.xlsx` and `btg.ods`, with the same sheets, cells and number formats.

Which rows and columns stand on a sheet says `excerpts`; `data` makes sheets of them, `front` the cover, contents and
notes; `xlsx` and `ods` write what `book` describes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import polars as pl

from catalog import Catalogue
from reports.workbook.data import data_sheets
from reports.workbook.front import book
from reports.workbook.ods import write_ods
from reports.workbook.xlsx import write_xlsx

__all__ = ["WORKBOOKS", "write_workbooks"]

WORKBOOKS: Final = ("btg.xlsx", "btg.ods")


def write_workbooks(tables: Mapping[str, pl.DataFrame], catalogue: Catalogue, folder: Path) -> list[Path]:
    """Write both workbooks to `folder`, which exists; their paths. Equal tables give equal bytes.

    `tables` are the published tables by name. `indicator_value` is needed by `comparison` and `change`, `theme_score`
    by `sensitivity`: the status of a figure stands there. A table that is not among them has no sheet.
    """
    whole = book(data_sheets(tables, catalogue), tables, catalogue)
    paths = [folder / name for name in WORKBOOKS]
    write_xlsx(whole, paths[0])
    write_ods(whole, paths[1])
    return paths
