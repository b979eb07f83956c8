"""Makes the example workbooks: `python -m sources.bundled.examples.make`. Every figure in them is invented.

The same program gives the same bytes. Layouts: uwv_ww_example and ggd_export_example in catalog/layouts.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sources.bundled.examples import FOLDER, GGD, UWV

_MADE = datetime(2026, 1, 1)  # noqa: DTZ001 - a date in the workbook's properties, which know no zones
_MARK = "VOORBEELD met verzonnen cijfers"
_MUNICIPALITIES = {
    "Almelo": 141,
    "Borne": 147,
    "Dinkelland": 1774,
    "Enschede": 153,
    "Haaksbergen": 158,
    "Hellendoorn": 163,
    "Hengelo": 164,
    "Hof van Twente": 1735,
    "Losser": 168,
    "Oldenzaal": 173,
    "Rijssen-Holten": 1742,
    "Tubbergen": 183,
    "Twenterand": 1700,
    "Wierden": 189,
}
_MONTHS = "januari februari maart april mei juni juli augustus september oktober november december".split()  # noqa: SIM905
# Cells without a number, as they occur: too few to publish, no longer published, not filled in.
_WITHOUT = {("Tubbergen", "maart"): "<10", ("Borne", "mei"): "*", ("Wierden", "augustus"): ""}


def uwv(path: Path) -> None:
    """Unemployment benefits a month: a header of two rows with merged cells, totals and notes below."""
    with _sheet(path, "WW per gemeente") as sheet:
        sheet.merge_range(0, 0, 0, 13, f"{_MARK}: WW-uitkeringen per gemeente, in de vorm van UWV")
        sheet.write(1, 0, "Lopende uitkeringen aan het einde van de maand")
        for column, label in enumerate(("Code", "Gemeente")):
            sheet.merge_range(3, column, 4, column, label)
        sheet.merge_range(3, 2, 3, 13, 2025)
        sheet.write_row(4, 2, _MONTHS)
        rows = [[_benefits(number, month) for month in range(12)] for number in range(len(_MUNICIPALITIES))]
        for place, ((name, code), row) in enumerate(zip(_MUNICIPALITIES.items(), rows, strict=True)):
            # Of one municipality the code is missing, as happens.
            cells = [_WITHOUT.get((name, month), value) for month, value in zip(_MONTHS, row, strict=True)]
            sheet.write_row(5 + place, 0, ["" if name == "Losser" else code, name, *cells])
        totals = [sum(column) for column in zip(*rows, strict=True)]
        _write_rows(
            sheet,
            19,
            [
                ["", "Totaal", *totals],
                ["", "Nederland", *(28 * total + 5 for total in totals)],
                ["", "Buitenland/onbekend", *(total % 97 for total in totals)],
                [],
                ["Bron: niemand. Verzonnen voorbeeld in de vorm van een werkmap van UWV."],
                ["* en <10: te weinig uitkeringen om te publiceren"],
            ],
        )


def ggd(path: Path) -> None:
    """Good perceived health in two years: an export of a portal with names only, a text mark and notes."""
    with _sheet(path, "Tabel") as sheet:
        sheet.write(0, 0, f"{_MARK}: Gezondheidsmonitor, in de vorm van een export van een GGD")
        sheet.write(1, 0, "Inwoners van 18 jaar en ouder, procent")
        sheet.write(3, 0, "Gebied")
        sheet.merge_range(3, 1, 3, 2, "Ervaren gezondheid|Goed ervaren gezondheid")
        sheet.write_row(4, 1, [2022, 2024])
        for place, name in enumerate(_MUNICIPALITIES):
            share = 66.5 + (place * 7 % 11) * 0.7
            row = [name, round(share, 1), "?" if name == "Losser" else round(share - 0.8, 1)]
            sheet.write_row(5 + place, 0, row)
        _write_rows(
            sheet,
            19,
            [
                ["Twente", 69.8, 69.0],
                ["Nederland", 70.3, 69.9],
                [],
                ["Bron: niemand. Verzonnen voorbeeld in de vorm van een export van een GGD."],
                ["? = onbekend; x = te weinig deelnemers; - = niet gevraagd"],
            ],
        )


def _benefits(number: int, month: int) -> int:
    """Between about 150 and 2,000, higher in winter."""
    return 150 + (number * 389 + 211) % 1850 + (6 - abs(month - 6)) * -9 - number * month % 5


@contextmanager
def _sheet(path: Path, name: str) -> Iterator[Any]:
    """The one sheet of a new workbook."""
    import xlsxwriter  # type: ignore[import-untyped]

    with xlsxwriter.Workbook(str(path)) as book:
        book.set_properties({"title": _MARK, "created": _MADE})
        yield book.add_worksheet(name)


def _write_rows(sheet: Any, start: int, rows: Sequence[Sequence[object]]) -> None:
    for place, row in enumerate(rows):
        sheet.write_row(start + place, 0, row)


def main() -> int:
    """The command line."""
    uwv(UWV)
    ggd(GGD)
    sys.stdout.write(f"{UWV.name} and {GGD.name} made in {FOLDER}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
