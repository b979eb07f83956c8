"""The catalogue of a process: a region file, a last year and addresses of services may come from the environment."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from catalog import AddressError
from catalog.current import current_catalogue, with_services
from catalog.load import FOLDER

if TYPE_CHECKING:
    from pathlib import Path

    from catalog import Catalogue

LOCAL = "http://127.0.0.1:8080/odata"


def test_an_address_in_the_environment_replaces_that_of_one_service(catalogue: Catalogue) -> None:
    changed = with_services(catalogue, {"BTG_SERVICE_CBS_V4": LOCAL})
    assert changed.services["cbs_v4"].url == LOCAL
    assert changed.services["cbs_v4"].platform == "odata_v4"
    others = catalogue.services.keys() - {"cbs_v4"}
    assert {name: changed.services[name] for name in others} == {name: catalogue.services[name] for name in others}
    assert changed.boundaries == catalogue.boundaries
    assert catalogue.services["cbs_v4"].url != LOCAL, "the catalogue itself must not change"


def test_the_boundary_services_can_be_replaced_one_by_one(catalogue: Catalogue) -> None:
    changed = with_services(catalogue, {"BTG_SERVICE_PDOK_OGC": LOCAL})
    assert (changed.boundaries.ogc_url, changed.boundaries.wfs_url) == (LOCAL, catalogue.boundaries.wfs_url)
    changed = with_services(catalogue, {"BTG_SERVICE_PDOK_WFS": LOCAL + "/{year}/wfs"})
    assert changed.boundaries.wfs_url.format(year=2022) == f"{LOCAL}/2022/wfs"
    assert changed.boundaries.ogc_url == catalogue.boundaries.ogc_url


def test_without_an_address_everything_is_as_in_the_file(catalogue: Catalogue) -> None:
    for environment in ({}, {"BTG_SERVICE_CBS_V4": "", "BTG_SERVICE_PDOK_WFS": ""}, {"HOME": "/home/analyst"}):
        assert with_services(catalogue, environment) == catalogue


def test_an_address_is_no_part_of_what_was_measured(catalogue: Catalogue) -> None:
    """An edition made of a mirror is the same edition: the fingerprint is that of the files."""
    assert with_services(catalogue, {"BTG_SERVICE_CBS_V4": LOCAL}).sha256 == catalogue.sha256


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("BTG_SERVICE_CBS_V4", "datasets.cbs.nl"),
        ("BTG_SERVICE_RIVM_V3", "https://dataderden.cbs.nl/"),
        ("BTG_SERVICE_PDOK_OGC", "nowhere"),
        ("BTG_SERVICE_PDOK_WFS", "https://service.pdok.nl/wfs/v1_0"),
    ],
)
def test_an_address_that_is_none_is_refused_by_the_name_of_its_variable(
    catalogue: Catalogue, name: str, address: str
) -> None:
    with pytest.raises(AddressError) as caught:
        with_services(catalogue, {name: address})
    assert name in str(caught.value)
    assert f"'{address}'" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_the_process_has_what_its_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = (FOLDER / "region.yaml").read_text(encoding="utf-8")
    (tmp_path / "region.yaml").write_text(text.replace("name_en: Twente", "name_en: Trial", 1), encoding="utf-8")
    shutil.copytree(FOLDER / "survey", tmp_path / "survey")
    shutil.copy(FOLDER / "programme.yaml", tmp_path)
    monkeypatch.setenv("BTG_REGION", str(tmp_path / "region.yaml"))
    monkeypatch.setenv("BTG_YEAR", "2023")
    monkeypatch.setenv("BTG_SERVICE_CBS_V3", LOCAL)
    found = current_catalogue.__wrapped__()
    assert found.region.name_en == "Trial"
    assert found.region.years == [2022, 2023]
    assert found.services["cbs_v3"].url == LOCAL
