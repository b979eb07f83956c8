"""The catalogue of this process: the region file that BTG_REGION names, or the project's own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from catalog.load import REGION_FILE, Catalogue, load_catalogue
from catalog.model import BoundaryServices, Service
from catalog.yaml_file import YearError

_SERVICE = "BTG_SERVICE_"


@cache
def current_catalogue() -> Catalogue:
    """The catalogue, loaded once; BTG_YEAR (if set) is the last measurement year. Raises CatalogueError."""
    catalogue = with_services(load_catalogue(Path(os.environ.get("BTG_REGION") or REGION_FILE)), os.environ)
    if year := os.environ.get("BTG_YEAR"):
        if not year.isdecimal():
            raise YearError(f"BTG_YEAR: expected a measurement year, found '{year}'")
        return catalogue.until(int(year))
    return catalogue


def with_services(catalogue: Catalogue, environment: Mapping[str, str]) -> Catalogue:
    """The catalogue with the addresses of services that the environment gives.

    BTG_SERVICE_CBS_V4 replaces the `url` of the service cbs_v4; BTG_SERVICE_PDOK_OGC and BTG_SERVICE_PDOK_WFS replace
    those of the boundaries.
    """
    services = {
        name: Service(**service.model_dump() | {"url": environment.get(_SERVICE + name.upper()) or service.url})
        for name, service in catalogue.services.items()
    }
    boundaries = BoundaryServices(
        ogc_url=environment.get(f"{_SERVICE}PDOK_OGC") or catalogue.boundaries.ogc_url,
        wfs_url=environment.get(f"{_SERVICE}PDOK_WFS") or catalogue.boundaries.wfs_url,
    )
    return catalogue.model_copy(update={"services": services, "boundaries": boundaries})
