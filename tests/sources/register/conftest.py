"""Sound registers, to read and to damage."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sources.register import Register
from sources.register.bundled import FOLDER, bundled_register
from tests.sources.register.desk import MUNICIPALITIES, PROGRAMME, Desk


@pytest.fixture(scope="session")
def sound() -> Register:
    """The invented register of the bureau that has all sheets but one filled."""
    return bundled_register("bureau-zorg", PROGRAMME, MUNICIPALITIES)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """The register of bureau-zorg, to damage."""
    shutil.copytree(FOLDER / "bureau-zorg", tmp_path / "bureau-zorg")
    return Desk(tmp_path / "bureau-zorg")


@pytest.fixture
def business(tmp_path: Path) -> Desk:
    """The register of bureau-bedrijven, which has received money, to damage."""
    shutil.copytree(FOLDER / "bureau-bedrijven", tmp_path / "bureau-bedrijven")
    return Desk(tmp_path / "bureau-bedrijven")
