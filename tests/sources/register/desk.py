"""A sound register, made of the bundled one, that a test can damage in one place."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from catalog import load_catalogue
from catalog.programme_model import Programme
from catalog.register_model import load_register_layout
from sources.errors import InputError
from sources.register import Register, read_register

REGION = load_catalogue()
assert REGION.programme is not None
PROGRAMME: Programme = REGION.programme
MUNICIPALITIES: Mapping[str, str] = REGION.region.municipalities


@dataclass(frozen=True)
class Desk:
    """The register of a bureau as a folder of csv files; rows are counted as an editor does, the header being row 1."""

    path: Path

    def read(self) -> Register:
        return read_register(self.path, PROGRAMME, MUNICIPALITIES)

    def rows(self, sheet: str) -> list[list[str]]:
        text = (self.path / f"{sheet}.csv").read_text(encoding="utf-8")
        return list(csv.reader(io.StringIO(text), delimiter=";"))

    def write(self, sheet: str, rows: list[list[str]]) -> None:
        out = io.StringIO()
        csv.writer(out, delimiter=";", lineterminator="\n").writerows(rows)
        (self.path / f"{sheet}.csv").write_text(out.getvalue(), encoding="utf-8")

    def put(self, sheet: str, row: int, heading: str, value: str) -> None:
        """Write `value` into one cell."""
        rows = self.rows(sheet)
        rows[row - 1][rows[0].index(heading)] = value
        self.write(sheet, rows)

    def find(self, sheet: str, **wanted: str) -> int:
        """The first row with these values, by heading."""
        header, *rows = self.rows(sheet)
        for number, row in enumerate(rows, start=2):
            if wanted.items() <= dict(zip(header, row, strict=True)).items():
                return number
        raise LookupError(wanted)

    def repeat(self, sheet: str, row: int) -> int:
        """Add a row once more, at the end; its number."""
        rows = self.rows(sheet)
        self.write(sheet, [*rows, rows[row - 1]])
        return len(rows) + 1

    def workbook(self, change: Callable[[Any], object] = lambda _: None) -> Path:
        """The same as a workbook of text cells; `change` may write to it what csv cannot hold."""
        path = self.path.with_suffix(".xlsx")
        with xlsxwriter.Workbook(str(path), {"strings_to_formulas": False}) as book:
            for sheet in load_register_layout().sheets:
                made = book.add_worksheet(sheet.name)
                for number, row in enumerate(self.rows(sheet.name.lower())):
                    for place, cell in enumerate(row):
                        made.write_string(number, place, cell)
            change(book)
        return path

    def refusal(self, kind: type[InputError], path: Path | None = None) -> InputError:
        """The error that reading gives; it must be exactly of this kind, with a remedy."""
        with pytest.raises(InputError) as caught:
            read_register(path or self.path, PROGRAMME, MUNICIPALITIES)
        assert type(caught.value) is kind, caught.value
        assert caught.value.expected
        assert caught.value.remedy
        assert len(str(caught.value).splitlines()) <= 3
        return caught.value
