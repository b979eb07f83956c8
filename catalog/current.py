"""The catalogue of this process: the region file that BTG_REGION names, or the project's own."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from catalog.load import REGION_FILE, Catalogue, load_catalogue
from catalog.yaml_file import YearError


@cache
def current_catalogue() -> Catalogue:
    """The catalogue, loaded once; BTG_YEAR (if set) is the last measurement year. Raises CatalogueError."""
    catalogue = load_catalogue(Path(os.environ.get("BTG_REGION") or REGION_FILE))
    if year := os.environ.get("BTG_YEAR"):
        if not year.isdecimal():
            raise YearError(f"BTG_YEAR: expected a measurement year, found '{year}'")
        return catalogue.until(int(year))
    return catalogue
