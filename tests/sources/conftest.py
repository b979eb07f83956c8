"""A small valid folder of figures, cut from the bundled one, that a test can damage in one place."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import polars as pl
import pytest

from catalog import Catalogue, load_catalogue
from sources import bundled
from sources.errors import InputError
from sources.facts import Facts, read_facts

PAIRS = {
    ("net_labour_participation", "CBS 85318NED"),
    ("income_standardised_mean", "CBS 86161NED (indeling 2025)"),
    ("population", "CBS 03759ned"),
}
OTHER_REGIONS = ["GM0014", "GM1992", "GM1991", "NL01"]


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.fixture(scope="session")
def bundle(catalogue: Catalogue) -> Facts:
    return read_facts(bundled.FOLDER, catalogue)


@dataclass(frozen=True)
class Folder:
    """A folder of figures to damage; rows are counted as an editor does, the header being row 1."""

    path: Path
    catalogue: Catalogue

    def read(self) -> Facts:
        return read_facts(self.path, self.catalogue)

    def text(self, name: str) -> str:
        return (self.path / name).read_text(encoding="utf-8")

    def write(self, name: str, text: str) -> None:
        (self.path / name).write_bytes(text.encode())

    def records(self, name: str) -> list[list[str]]:
        return list(csv.reader(io.StringIO(self.text(name))))

    def change(self, name: str, do: Callable[[list[list[str]]], object]) -> None:
        """Let `do` change the records of a file, header first, in place."""
        records = self.records(name)
        do(records)
        self.write(name, as_csv(records))

    def put(self, name: str, row: int, column: str, value: str) -> None:
        """Write `value` into one cell."""
        records = self.records(name)
        records[row - 1][records[0].index(column)] = value
        self.write(name, as_csv(records))

    def row(self, name: str = "figures.csv", **wanted: str) -> int:
        """The first row with these values."""
        header, *records = self.records(name)
        for row, record in enumerate(records, start=2):
            if wanted.items() <= dict(zip(header, record, strict=True)).items():
                return row
        raise LookupError(wanted)

    def refusal(self, kind: type[InputError]) -> InputError:
        """The error that reading the folder gives; it must be exactly of this kind, with a remedy."""
        with pytest.raises(InputError) as caught:
            self.read()
        assert type(caught.value) is kind, caught.value
        assert caught.value.expected
        assert caught.value.remedy
        assert "Traceback" not in str(caught.value)
        assert len(str(caught.value).splitlines()) <= 3
        return caught.value


def as_csv(records: list[list[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(records)
    return out.getvalue()


@cache
def _small() -> dict[str, str]:
    catalogue = load_catalogue()
    wanted = [*catalogue.region.municipalities, *OTHER_REGIONS]
    facts = read_facts(bundled.FOLDER, catalogue)
    figures = facts.figures.filter(
        pl.col("region_code").is_in(wanted)
        & pl.struct("indicator_id", "source_table").map_elements(
            lambda pair: (pair["indicator_id"], pair["source_table"]) in PAIRS, return_dtype=pl.Boolean
        )
    )
    # The files hold no margins: those columns are empty in the facts, and not in the file.
    header = ["indicator", "region_code", "period", "value", "status", "source_table"]
    rows = [list(map(str, row)) for row in figures.select("indicator_id", *header[1:]).iter_rows()]
    counts = Counter((row[0], row[5]) for row in rows)
    origins = [
        [*(str(value or "") for value in origin[:7]), str(counts[origin[0], origin[1]])]
        for origin in facts.origins.iter_rows()
        if origin[:2] in counts
    ]
    regions = [list(row) for row in facts.regions.iter_rows() if row[0] in wanted]
    return {
        "figures.csv": as_csv([header, *rows]),
        "figures_origin.csv": as_csv([["indicator", *facts.origins.columns[1:]], *origins]),
        "regions.csv": as_csv([facts.regions.columns, *regions]),
    }


@pytest.fixture
def folder(tmp_path: Path, catalogue: Catalogue) -> Folder:
    """A valid folder with three indicators, the fourteen municipalities, three others and the Netherlands."""
    made = Folder(tmp_path / "figures", catalogue)
    made.path.mkdir()
    for name, text in _small().items():
        made.write(name, text)
    return made
