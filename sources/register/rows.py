"""The rows of a sheet with the values of its columns, each of which can say where it stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from catalog.register_model import RegisterColumn, RegisterSheet
from sources.delivered.opened import as_text
from sources.errors import HeaderError, HostileFile, IncompleteFile, InputError, MalformedRow, PersonalData
from sources.register.cells import Known, Unreadable, value_of
from sources.register.opened import RawSheet
from sources.register.personal import personal

_AS_VALUES = "Select everything, copy it and paste it as values; or ask the sender to."
_NUMBERS = ("integer", "euro", "number")


@dataclass(frozen=True)
class Row:
    """A row that is not empty: `cells` as they stand in the file, `values` as they were understood, both by field."""

    place: str
    number: int
    sheet: RegisterSheet
    cells: dict[str, Any]
    values: dict[str, Any]

    def __getitem__(self, field: str) -> Any:
        return self.values[field]

    def fault(self, kind: type[InputError], field: str, expected: str, remedy: str) -> InputError:
        """A fault of the cell in this field. What stands there is shown, unless it is a text."""
        column = self.sheet.column(field)
        value = None if column.type == "text" else as_text(self.cells[field]) or None
        return kind(self.place, expected, row=self.number, column=column.heading, value=value, remedy=remedy)


def read_rows(raw: RawSheet, sheet: RegisterSheet, known: Known) -> list[Row]:
    """The rows of a sheet; raises an InputError at the first fault: header, formulas, people, and then values."""
    start, headings = _header(raw)
    fields = _fields(raw, sheet, start, headings)
    _refuse_formulas(raw, headings)
    body = [(number, row) for number, row in raw.rows if number > start and any(map(as_text, row))]
    for number, row in body:
        _refuse_cells_beside(raw, number, row, fields)
    found = [(number, {column.field: row[place] for place, column in fields.items()}) for number, row in body]
    # Before anything else, so that no other message shows what is about a person.
    for number, cells in found:
        _refuse_people(raw.place, number, sheet, cells)
    return [Row(raw.place, number, sheet, cells, _values(raw, number, sheet, cells, known)) for number, cells in found]


def _header(raw: RawSheet) -> tuple[int, list[str]]:
    """The first row that is not empty: its number, and its cells."""
    for number, row in raw.rows:
        if any(map(as_text, row)):
            return number, [as_text(cell) for cell in row]
    raise IncompleteFile(raw.place, "a header", remedy="Take the sheet from the template (btg template FILE).")


def _fields(raw: RawSheet, sheet: RegisterSheet, start: int, headings: list[str]) -> dict[int, RegisterColumn]:
    """Of each place in a row the column that stands there."""
    wanted = {column.heading.casefold(): column for column in sheet.columns}
    found = {place: " ".join(heading.split()) for place, heading in enumerate(headings) if heading}
    names = [heading.casefold() for heading in found.values()]
    listed = ", ".join(column.heading for column in sheet.columns)
    if unknown := [heading for heading in found.values() if heading.casefold() not in wanted]:
        shown = None if personal(unknown[0]) else unknown[0]
        raise HeaderError(
            raw.place,
            f"the columns {listed} and no other",
            row=start,
            column=shown,
            value=shown,
            remedy="Remove it, or give it its name back: a column of your own could hold what may not be kept.",
        )
    if twice := [column for name, column in wanted.items() if names.count(name) > 1]:
        raise HeaderError(
            raw.place, "every column once", row=start, column=twice[0].heading, remedy="Remove one of the two."
        )
    if missing := [column for name, column in wanted.items() if name not in names]:
        raise HeaderError(
            raw.place,
            f"the columns {listed}",
            row=start,
            column=missing[0].heading,
            remedy="This column is missing. Take the header from the template (btg template FILE).",
        )
    return {place: wanted[heading.casefold()] for place, heading in found.items()}


def _refuse_formulas(raw: RawSheet, headings: list[str]) -> None:
    for row, place in sorted(raw.formulas):
        heading = headings[place - 1] if place <= len(headings) else ""
        raise HostileFile(raw.place, "values, not formulas", row=row, column=heading or str(place), remedy=_AS_VALUES)


def _refuse_cells_beside(raw: RawSheet, number: int, row: list[Any], fields: dict[int, RegisterColumn]) -> None:
    for place, cell in enumerate(row):
        if place not in fields and as_text(cell):
            raise MalformedRow(
                raw.place,
                "nothing outside the columns of the template",
                row=number,
                column=str(place + 1),
                remedy="Remove what stands in this cell, beside the columns.",
            )


def _refuse_people(place: str, number: int, sheet: RegisterSheet, cells: dict[str, Any]) -> None:
    for column in sheet.columns:
        if what := personal(as_text(cells[column.field]), is_number=column.type in _NUMBERS):
            raise PersonalData(
                place,
                f"nothing that tells who somebody is; this looks like {what} (not shown)",
                row=number,
                column=column.heading,
                remedy="Remove it from this cell, and give the file to nobody else as it is.",
            )


def _values(raw: RawSheet, number: int, sheet: RegisterSheet, cells: dict[str, Any], known: Known) -> dict[str, Any]:
    row = Row(raw.place, number, sheet, cells, {})
    return dict(_each_value(row, known))


def _each_value(row: Row, known: Known) -> Iterator[tuple[str, Any]]:
    for column in row.sheet.columns:
        try:
            yield column.field, value_of(row.cells[column.field], column, known)
        except Unreadable as fault:
            raise row.fault(fault.kind, column.field, fault.expected, fault.remedy) from None
