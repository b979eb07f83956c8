"""Writes the template of the register that bureaus fill in: a workbook of Excel or OpenDocument, or csv files."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Final

from catalog.programme_model import Programme
from catalog.register_model import (
    ColumnType,
    RegisterColumn,
    RegisterLayout,
    RegisterSheet,
    is_counted,
    load_register_layout,
)
from sources.register.frames import BUREAU, Register

# XlsxWriter ships no types.
Workbook = Any
Worksheet = Any
Row = list[Any]
# Of each list that cells choose from: its first and last row on the sheet Uitleg, counted from 1.
Ranges = dict[str, tuple[int, int]]

ENDINGS: Final = (".xlsx", ".ods", "")
_LAST_ROW: Final = 1000
_WIDTHS: Final[dict[ColumnType, int]] = {"text": 36, "target": 26, "project": 24, "id": 24, "municipalities": 30}
_LONG_TEXT, _LONG_WIDTH = 1000, 80
_NUMBER_FORMATS: Final[dict[ColumnType, str]] = {
    "date": "dd-mm-yyyy",
    "year": "0",
    "integer": "0",
    "number": "General",
    "euro": "#,##0",
}
_KINDS: Final = {"counted": "aantal", "level": "stand", "measured": "meting", "": "niet gemeten"}


class TemplateFormatError(ValueError):
    """A template is a workbook (.xlsx or .ods) or a folder of csv files."""


@dataclass(frozen=True)
class _Template:
    """What is written, whatever the format: the explanation, and of each sheet its rows below the header."""

    layout: RegisterLayout
    explanation: list[Row]
    ranges: Ranges
    rows: dict[str, list[Row]]


def write_template(
    path: Path, programme: Programme, municipalities: Mapping[str, str], example: Register | None = None
) -> None:
    """Write the template, empty or filled with `example`: .xlsx, .ods, or without an ending a folder of csv files.

    `municipalities` are those of the region: code -> name. Raises TemplateFormatError for another ending.
    """
    if path.suffix.lower() not in ENDINGS:
        raise TemplateFormatError(f"{path.name} ends in {path.suffix}: expected .xlsx, .ods or no ending (a folder).")
    layout = load_register_layout()
    explanation, ranges = _explanation(layout, programme, municipalities)
    template = _Template(layout, explanation, ranges, _rows(layout, municipalities, example))
    write = {".xlsx": _write_xlsx, ".ods": _write_ods, "": _write_folder}[path.suffix.lower()]
    write(path, template)


def files_of(path: Path) -> list[Path]:
    """The files that writing a template to `path` would make."""
    if path.suffix:
        return [path]
    layout = load_register_layout()
    return [path / f"{layout.help_sheet.lower()}.csv", *(path / sheet.file_name for sheet in layout.sheets)]


def _explanation(
    layout: RegisterLayout, programme: Programme, municipalities: Mapping[str, str]
) -> tuple[list[Row], Ranges]:
    """The sheet Uitleg, and where on it the lists stand that cells choose from."""
    rows: list[Row] = [[text] for text in layout.instructions]
    rows += [[], ["Tabblad", "Wat u invult"], *([sheet.name, sheet.help] for sheet in layout.sheets)]
    ranges: Ranges = {}
    rows += [[], ["Programmalijn", "Naam"]]
    ranges["line"] = (len(rows) + 1, len(rows) + len(programme.lines))
    rows += [[line.line_id, line.name_nl] for line in programme.lines]
    rows += [[], ["Resultaat", "Tekst", "Programmalijn", "Soort", "Eenheid"]]
    for name in ("counted", "measured", ""):
        found = [target for target in programme.targets if _group(is_counted(target), target.measured) == name]
        ranges[name] = (len(rows) + 1, len(rows) + len(found))
        for target in found:
            kind = _KINDS["level" if name == "counted" and target.is_level else name]
            rows.append([target.target_id, target.text_nl, target.line_id, kind, target.unit_nl])
    return [*rows, [], ["Gemeente", "Naam"], *([code, name] for code, name in municipalities.items())], ranges


def _group(counted: bool, measured: object) -> str:
    return "counted" if counted else "measured" if measured else ""


def _rows(layout: RegisterLayout, municipalities: Mapping[str, str], example: Register | None) -> dict[str, list[Row]]:
    """Of each sheet its rows. An empty template says that it is real, and which template it is."""
    if example is None:
        filled: dict[str, Any] = {"synthetic": "no", "template": layout.template}
        bureau = [filled.get(column.field) for column in layout.sheet(BUREAU).columns]
        frames: dict[str, list[Row]] = {}
    else:
        lines = "; ".join(example.lines)
        bureau = [example.bureau, lines, example.as_of, "yes" if example.synthetic else "no", layout.template]
        frames = {name: [list(row) for row in frame.drop(BUREAU).iter_rows()] for name, frame in example.frames.items()}
    return {
        sheet.sheet_id: [
            [_written(value, column, municipalities) for value, column in zip(row, sheet.columns, strict=True)]
            for row in frames.get(sheet.sheet_id, [bureau] if sheet.sheet_id == BUREAU else [])
        ]
        for sheet in layout.sheets
    }


def _written(value: Any, column: RegisterColumn, municipalities: Mapping[str, str]) -> Any:
    """A value as a bureau would write it: the Dutch word, names of municipalities."""
    if column.type == "choice":
        return next((word for word, code in column.choices.items() if code == value), None)
    if column.type == "municipalities":
        return "; ".join(municipalities.get(code, code) for code in value or []) or None
    return value


# --- Excel


def _write_xlsx(path: Path, template: _Template) -> None:
    import xlsxwriter  # type: ignore[import-untyped]

    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    out = io.BytesIO()
    workbook = xlsxwriter.Workbook(out, options)
    header = workbook.add_format({"bold": True, "bg_color": "#DCE6F1", "bottom": 1, "text_wrap": True, "valign": "top"})
    _write_explanation(workbook, template, header)
    for sheet in template.layout.sheets:
        worksheet = workbook.add_worksheet(sheet.name)
        worksheet.freeze_panes(1, 0)
        for place, column in enumerate(sheet.columns):
            worksheet.write_string(0, place, column.heading, header)
            style = workbook.add_format(_style(column))
            worksheet.set_column(place, place, _width(column), style)
            worksheet.data_validation(1, place, _LAST_ROW - 1, place, _validation(column, template))
            for number, row in enumerate(template.rows[sheet.sheet_id], start=1):
                _write_cell(worksheet, number, place, row[place], style)
    workbook.worksheets()[1].activate()
    workbook.close()
    path.write_bytes(out.getvalue())


def _write_explanation(workbook: Workbook, template: _Template, header: Any) -> None:
    worksheet = workbook.add_worksheet(template.layout.help_sheet)
    wrapped = workbook.add_format({"text_wrap": True, "valign": "top"})
    plain = workbook.add_format({"valign": "top"})
    worksheet.set_column(0, 0, 26)
    worksheet.set_column(1, 1, 90)
    worksheet.set_column(2, 4, 22)
    for number, row in enumerate(template.explanation):
        above = template.explanation[number - 1] if number else None
        style = header if above == [] else wrapped if len(row) > 1 else plain
        for place, cell in enumerate(row):
            worksheet.write_string(number, place, cell, style)


def _style(column: RegisterColumn) -> dict[str, object]:
    return {
        "num_format": _NUMBER_FORMATS.get(column.type, "@"),
        "valign": "top",
        "text_wrap": column.type in ("text", "municipalities"),
    }


def _width(column: RegisterColumn) -> int:
    return _LONG_WIDTH if column.max_length > _LONG_TEXT else _WIDTHS.get(column.type, 16)


def _validation(column: RegisterColumn, template: _Template) -> dict[str, object]:
    """What a cell offers and says when it is entered. Excel takes 32 and 255 characters."""
    said: dict[str, object] = {"input_title": column.heading[:32], "input_message": column.help[:255]}
    source = _list_of(column, template)
    if source is None:
        return {"validate": "any", **said}
    return {
        "validate": "list",
        "source": source,
        "error_title": column.heading[:32],
        "error_message": "Kies een van de waarden uit de lijst.",
        **said,
    }


def _list_of(column: RegisterColumn, template: _Template) -> list[str] | str | None:
    """What cells of a column choose from: words, or a range of another sheet; None where anything may stand."""
    if column.type == "choice":
        return list(column.choices)
    if column.type == "project":
        return f"={template.layout.sheet('project').name}!$A$2:$A${_LAST_ROW}"
    name = column.targets if column.type == "target" else column.type
    first, last = template.ranges.get(name or "", (1, 0))
    return f"={template.layout.help_sheet}!$A${first}:$A${last}" if first <= last else None


def _write_cell(worksheet: Worksheet, row: int, place: int, cell: Any, style: Any) -> None:
    if cell is None:
        return
    if isinstance(cell, date):
        worksheet.write_datetime(row, place, datetime.combine(cell, time()), style)
    elif isinstance(cell, str):
        worksheet.write_string(row, place, cell, style)
    else:
        worksheet.write_number(row, place, cell, style)


# --- OpenDocument


def _write_ods(path: Path, template: _Template) -> None:
    from odfdo import Cell, Document, Table
    from odfdo import Row as OdfRow

    document = Document("spreadsheet")
    document.body.clear()
    for name, rows in _sheets(template):
        table = Table(name)
        for row in rows:
            cells = OdfRow()
            for cell in row:
                cells.append_cell(Cell(cell))
            table.append_row(cells)
        document.body.append(table)
    out = io.BytesIO()
    document.save(out)
    path.write_bytes(out.getvalue())


# --- csv


def _write_folder(path: Path, template: _Template) -> None:
    path.mkdir(parents=True, exist_ok=True)
    for name, rows in _sheets(template):
        out = io.StringIO()
        csv.writer(out, delimiter=";", lineterminator="\r\n").writerows([_as_csv(cell) for cell in row] for row in rows)
        # With a byte order mark, without which Excel misreads letters with an accent.
        (path / f"{name.lower()}.csv").write_bytes(out.getvalue().encode("utf-8-sig"))


def _sheets(template: _Template) -> list[tuple[str, list[Row]]]:
    """The name of each sheet and all of its rows, the header first."""

    def with_header(sheet: RegisterSheet) -> list[Row]:
        return [[column.heading for column in sheet.columns], *template.rows[sheet.sheet_id]]

    return [
        (template.layout.help_sheet, template.explanation),
        *((sheet.name, with_header(sheet)) for sheet in template.layout.sheets),
    ]


def _as_csv(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, date):
        return f"{cell:%d-%m-%Y}"
    if isinstance(cell, float):
        text = f"{cell:.0f}" if cell.is_integer() else repr(cell).replace(".", ",")
        # Three decimals could be thousands.
        return text + "0" if len(text.partition(",")[2]) == 3 else text
    return str(cell)
