"""Reads the register of one bureau: every sheet by its description, then what rows and sheets say of each other."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from catalog.programme_model import Programme
from catalog.register_model import RegisterLayout, load_register_layout
from sources.errors import IncompleteFile, MalformedRow, OutOfScale
from sources.register.cells import Known
from sources.register.frames import BUREAU, SCHEMAS, Register
from sources.register.opened import RawSheet, open_parts, parts_of
from sources.register.rows import Row, read_rows
from sources.register.rules import check


def read_register(path: Path, programme: Programme, municipalities: Mapping[str, str]) -> Register:
    """The register in a workbook (.xlsx or .ods) or a folder of csv files.

    `municipalities` are those of the region: code -> name. Raises an InputError that names file, sheet, row and column
    of the first fault; never a whole row, never a text, and nothing that is about a person.
    """
    return read_parts(parts_of(path), str(path), programme, municipalities)


def read_parts(
    parts: Mapping[str, bytes], place: str, programme: Programme, municipalities: Mapping[str, str]
) -> Register:
    """The register in these bytes (sources.register.opened.parts_of); `place` is what messages call it."""
    layout = load_register_layout()
    sheets = {sheet.name.casefold(): sheet for sheet in open_parts(parts, place)}
    known = Known(programme, municipalities)
    rows = {sheet.sheet_id: read_rows(sheets[sheet.name.casefold()], sheet, known) for sheet in layout.sheets}
    bureau = _only(rows[BUREAU], sheets[layout.sheet(BUREAU).name.casefold()], layout)
    check(rows, bureau, programme)
    name: str = bureau["bureau"]
    return Register(
        bureau=name,
        lines=bureau["lines"],
        as_of=bureau["as_of"],
        synthetic=bureau["synthetic"] == "yes",
        frames={sheet: _frame(rows[sheet], name, schema) for sheet, schema in SCHEMAS.items()},
        place=place,
    )


def _only(rows: list[Row], raw: RawSheet, layout: RegisterLayout) -> Row:
    """The one row about the bureau, of the template that this software reads."""
    if not rows:
        raise IncompleteFile(raw.place, "one row", remedy="Say which bureau this is, and of which day.")
    if len(rows) > 1:
        raise MalformedRow(raw.place, "one row", row=rows[1].number, remedy="Every bureau hands in a file of its own.")
    (bureau,) = rows
    if bureau["template"] != layout.template:
        raise bureau.fault(
            OutOfScale,
            "template",
            f"template {layout.template}",
            "This file was made from another version: move what it holds to a new one (btg template FILE).",
        )
    return bureau


def _frame(rows: list[Row], bureau: str, schema: pl.Schema) -> pl.DataFrame:
    def column(field: str) -> list[Any]:
        return [bureau if field == BUREAU else row[field] for row in rows]

    return pl.DataFrame({field: column(field) for field in schema}, schema=schema)
