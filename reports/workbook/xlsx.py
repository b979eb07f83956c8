"""A workbook as XLSX: every table a table of Excel, with its header row marked, repeated in print and kept in view."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from reports.workbook.book import ROWS_ABOVE, Book, Cell, Column, Format, Sheet

# XlsxWriter ships no types.
Workbook = Any
Worksheet = Any
Styles = dict[object, Any]

# In memory: no temporary files, and a fixed time on every part. Text that begins with = or looks like an address stays
# text.
_OPTIONS: Final = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
_FORMULA_SIGNS: Final = ("=", "+", "-", "@")
_A4: Final = 9
_LAST_CELL: Final = "XFD1048576"


class _Exact(float):
    """A number that is written with all its digits: XlsxWriter writes sixteen, and some need seventeen."""

    def __format__(self, _: str) -> str:
        return repr(float(self))


def write_xlsx(book: Book, path: Path) -> None:
    """Write the workbook to `path`; the same book gives the same bytes."""
    import xlsxwriter  # type: ignore[import-untyped]

    workbook = xlsxwriter.Workbook(str(path), _OPTIONS)
    workbook.set_properties(
        {"title": book.title, "subject": book.subject, "author": book.author, "created": book.created}
    )
    # The format has no place for the language of a workbook; this is the name that Excel offers for it.
    workbook.set_custom_property("Language", "nl-NL", "text")
    styles = _styles(workbook, book)
    for sheet in book.sheets:
        _write_sheet(workbook.add_worksheet(sheet.name), sheet, book, styles)
    workbook.close()


def _styles(workbook: Workbook, book: Book) -> Styles:
    """The formats of cells, by what they are for; of numbers, by how they are shown."""
    wanted: dict[object, dict[str, object]] = {
        "title": {"bold": True, "font_size": 14},
        "about": {"italic": True},
        "header": {"bold": True, "bottom": 1},
        "text": {"align": "left"},
        "wrapped": {"align": "left", "text_wrap": True},
        # Such text stays text, also when a reader opens the cell and presses Enter.
        "quoted": {"align": "left", "text_wrap": True, "quote_prefix": True},
        "code": {"align": "right"},
        "link": {"align": "left", "underline": 1},
    }
    shown: set[Format | None] = {form for sheet in book.sheets for column in sheet.columns for form in column.formats}
    wanted |= {form: {"num_format": _number_format(form)} for form in sorted(shown | {None}, key=str)}
    return {name: workbook.add_format({"valign": "top", **properties}) for name, properties in wanted.items()}


def _number_format(form: Format | None) -> str:
    """A format's comma and point stand for the signs of the reader's own country: Dutch Excel shows 1.234,5."""
    if form is None:
        return "General"
    return ("#,##0" if form.grouped else "0") + ("." + "0" * form.decimals if form.decimals else "")


def _write_sheet(worksheet: Worksheet, sheet: Sheet, book: Book, styles: Styles) -> None:
    worksheet.write_string(0, 0, sheet.title, styles["title"])
    worksheet.write_string(1, 0, sheet.about.nl, styles["about"])
    worksheet.write_string(2, 0, sheet.about.en, styles["about"])
    for place, column in enumerate(sheet.columns):
        worksheet.set_column(place, place, column.width)
        _write_column(worksheet, place, column, book, styles)
    _add_table(worksheet, sheet, styles)
    worksheet.freeze_panes(ROWS_ABOVE + 1, 0)
    worksheet.repeat_rows(ROWS_ABOVE)
    worksheet.set_landscape()
    worksheet.set_paper(_A4)
    worksheet.fit_to_pages(1, 0)
    worksheet.set_footer(f"&L{book.title[:150].replace('&', '&&')}&R{sheet.name}: &P / &N")
    # Periods and codes are text that looks like numbers, and are meant to be.
    worksheet.ignore_errors({"number_stored_as_text": f"A1:{_LAST_CELL}"})


def _add_table(worksheet: Worksheet, sheet: Sheet, styles: Styles) -> None:
    options = {
        "name": f"tabel_{sheet.name}",
        "columns": [{"header": column.header, "header_format": styles["header"]} for column in sheet.columns],
        "autofilter": sheet.filters,
        "style": None,
    }
    worksheet.add_table(ROWS_ABOVE, 0, ROWS_ABOVE + sheet.rows, len(sheet.columns) - 1, options)


def _write_column(worksheet: Worksheet, place: int, column: Column, book: Book, styles: Styles) -> None:
    """Cell by cell: what a number looks like differs from row to row, and no cell's type may be guessed."""
    plain = styles["code" if column.is_numeric else "wrapped" if column.wraps else "text"]
    for row, (cell, form) in enumerate(zip(column.cells, column.formats, strict=True), start=ROWS_ABOVE + 1):
        if isinstance(cell, str):
            link = column.links and cell in book.names
            style = styles["quoted"] if cell.startswith(_FORMULA_SIGNS) else plain
            problem = (
                worksheet.write_url(row, place, f"internal:'{cell}'!A1", styles["link"], cell)
                if link
                else cell and worksheet.write_string(row, place, cell, style)
            )
        elif isinstance(cell, bool):
            problem = worksheet.write_boolean(row, place, cell, styles[None])
        else:
            problem = worksheet.write_number(row, place, _exact(cell), styles[form])
        if problem:
            raise ValueError(f"sheet {worksheet.name}, row {row + 1}, column {column.header}: cell does not fit XLSX")


def _exact(cell: Cell) -> Cell:
    return _Exact(cell) if isinstance(cell, float) else cell
