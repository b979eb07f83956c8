"""The real catalogue, and a copy of its files in which a test can plant a mistake."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from catalog import Catalogue, CatalogueError, load_catalogue
from catalog.load import FOLDER


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load_catalogue()


@dataclass(frozen=True)
class Copy:
    """A copy of the catalogue's files."""

    path: Path

    def text(self, file: str) -> str:
        return (self.path / file).read_text(encoding="utf-8")

    def write(self, file: str, text: str) -> None:
        (self.path / file).write_bytes(text.encode())

    def replace(self, file: str, old: str, new: str) -> None:
        """Replace the first `old`, which must be there."""
        text = self.text(file)
        assert old in text, f"{file} has no {old!r}: the test must follow the catalogue"
        self.write(file, text.replace(old, new, 1))

    def line(self, file: str, text: str) -> int:
        """The number of the first line that holds `text`, as an editor counts."""
        return next(number for number, line in enumerate(self.text(file).splitlines(), start=1) if text in line)

    def load(self) -> Catalogue:
        return load_catalogue(self.path / "region.yaml", self.path)

    def refusal(self) -> str:
        """What the catalogue's error says."""
        with pytest.raises(CatalogueError) as caught:
            self.load()
        return str(caught.value)


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    shutil.copytree(FOLDER, tmp_path / "catalog", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return Copy(tmp_path / "catalog")
