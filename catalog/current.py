"""The catalogue of this process: the region file that BTG_REGION names, or the project's own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from catalog.load import REGION_FILE, Catalogue, load_catalogue
from catalog.model import BoundaryServices, Service
from catalog.yaml_file import AddressError, YearError

_SERVICE = "BTG_SERVICE_"
_Addressed = TypeVar("_Addressed", Service, BoundaryServices)


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
    those of the boundaries, BTG_PUBLISHED_AT that of published editions. Raises AddressError.
    """
    services = {
        name: _at(service, {"url": _SERVICE + name.upper()}, environment)
        for name, service in catalogue.services.items()
    }
    variables = {"ogc_url": f"{_SERVICE}PDOK_OGC", "wfs_url": f"{_SERVICE}PDOK_WFS"}
    known = {*variables.values(), *(_SERVICE + name.upper() for name in catalogue.services)}
    if unknown := sorted(name for name in environment if name.startswith(_SERVICE) and name not in known):
        # Mistyped, it would silently leave the real service in place.
        raise AddressError(f"{unknown[0]}: there is no such service; expected one of {', '.join(sorted(known))}")
    boundaries = _at(catalogue.boundaries, variables, environment)
    publication = catalogue.publication.at(environment.get("BTG_PUBLISHED_AT", ""))
    return catalogue.model_copy(update={"services": services, "boundaries": boundaries, "publication": publication})


def _at(service: _Addressed, variables: Mapping[str, str], environment: Mapping[str, str]) -> _Addressed:
    """The service with the addresses that the environment holds under these variables, by the service's fields."""
    given = {field: environment[name] for field, name in variables.items() if environment.get(name)}
    try:
        return type(service)(**service.model_dump() | given)
    except ValidationError as error:
        field = str(error.errors()[0]["loc"][0])
        raise AddressError(
            f"{variables[field]}: expected an address such as {getattr(service, field)}, without / at its end; "
            f"found '{given[field]}'"
        ) from error
