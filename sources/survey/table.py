"""Any file of the survey as one table of text, of which no message ever shows a cell."""

from __future__ import annotations

import difflib
import io
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import polars as pl

from catalog.model import Region
from sources.csv_file import read_bytes
from sources.delivered.archive import MAX_ROWS, check_size
from sources.delivered.opened import Sheet, as_text, open_delivery
from sources.errors import HeaderError, HostileFile, IncompleteFile, InputError, MalformedRow
from sources.names import RegionNames

_SPSS = (b"$FL2", b"$FL3")
_NUMBER = r"^[+-]?(?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)(?:[eE][+-]?[0-9]+)?$"


@dataclass(frozen=True, repr=False)
class Table:
    """A file, opened: all cells are text without blanks around it, an empty one is ``.

    `place` is what a message calls it; `rows` are the numbers of the rows as an editor or SPSS counts; `labels` are
    the value labels of SPSS (column -> code -> label), `captions` its labels of columns.
    """

    place: str
    rows: pl.Series
    frame: pl.DataFrame
    labels: dict[str, dict[str, str]] = field(default_factory=dict)
    captions: dict[str, str] = field(default_factory=dict)

    def refuse(self, kind: type[InputError], bad: pl.Series, column: str, expected: str, remedy: str) -> None:
        """Raise `kind` at the first row that is `bad`, with the number of further ones; without any cell."""
        rows = self.rows.filter(bad)
        if rows.len():
            raise kind(self.place, expected, row=rows[0], column=column, remedy=remedy, more=rows.len() - 1)

    def codes(self, column: str, wanted: Iterable[str]) -> list[str]:
        """The codes of a column that are meant by these codes or value labels."""
        meant = set(wanted)
        return sorted(meant | {code for code, label in self.labels.get(column, {}).items() if label in meant})


def open_table(path: Path, place: str, columns: Collection[str]) -> Table:
    """Open a file of rows by its content: SPSS (.sav, .zsav), csv (comma, semicolon or tab), a workbook, Parquet.

    `place` stands in messages for the file; of a workbook the sheet is read that has all `columns`. Raises an
    InputError: also HeaderError where a column is missing, IncompleteFile without rows.
    """
    try:
        table = _opened(path, place, columns)
    except InputError as error:
        # What a reader says of a fault may quote the file, and so may the error of the library below it.
        error.file, error.value = error.file.replace(str(path), place), None
        error.__cause__ = error.__context__ = None
        raise
    if lacking := [column for column in columns if column not in table.frame.columns]:
        _refuse_header(table, lacking)
    if not table.rows.len():
        raise IncompleteFile(
            table.place, "rows below the header", remedy="There are none. Was the file cut off? Ask for it again."
        )
    return table


def numbers(table: Table, column: str) -> pl.Series:
    """A column as Float64, with decimal point or comma; NULL where a cell is empty or no number.

    Raises MalformedRow where both signs stand in one column: one of them may separate thousands.
    """
    text = table.frame[column]
    comma, point = text.str.contains(",", literal=True), text.str.contains(".", literal=True)
    number = text.str.contains(_NUMBER)
    if (number & comma).any() and (number & point).any():
        bad = number & (comma if (number & comma).sum() <= (number & point).sum() else point)
        table.refuse(
            MalformedRow,
            bad,
            column,
            "one decimal sign, a point or a comma, in the whole column",
            "Write all numbers of the column in the same way, without a sign between thousands.",
        )
    plain = text.str.replace(",", ".", literal=True).set(~number, None)
    return plain.cast(pl.Float64, strict=False)


def municipalities(table: Table, column: str, names: RegionNames, year: int) -> pl.Series:
    """The codes of the municipalities in a column, NULL where a cell is empty or stands for none.

    A cell is a code (`GM0153`, `0153`, 153) or a name as CBS writes it; in a file of SPSS the label of a code goes
    before the code itself.
    """
    # Only of the wave's year: then Hengelo is Hengelo (O.), and not the one in Gelderland that was abolished in 2005.
    of_year = RegionNames(row for row in names.only(["GM"]).rows if row.exists(str(year)))
    known = {row.code for row in of_year.rows}
    labels = table.labels.get(column, {})

    def code_of(text: str) -> str | None:
        code = f"GM{text.upper().removeprefix('GM').zfill(4)}"
        return code if code in known else of_year.find(text) if text else None

    found = {text: code_of(labels.get(text, text)) or code_of(text) for text in table.frame[column].unique().to_list()}
    return table.frame[column].replace_strict(found, return_dtype=pl.String)


def places(table: Table, column: str, region: Region, names: RegionNames, year: int) -> pl.Series:
    """As `municipalities`, and also the region, its groups, the country and its rest, by code or Dutch name."""
    groups = {region.region_code: region.name_nl, **{group.code: group.name_nl for group in region.groups}}
    groups |= {region.country_code: region.country_name_nl, region.rest_code: region.rest_name_nl}
    codes = {text.casefold(): code for code, name in groups.items() for text in (code, name)}
    own = table.frame[column].str.to_lowercase().replace_strict(codes, default=None, return_dtype=pl.String)
    return own.zip_with(own.is_not_null(), municipalities(table, column, names, year))


def _opened(path: Path, place: str, columns: Collection[str]) -> Table:
    data = read_bytes(path)
    if data.startswith(_SPSS):
        return _of_spss(place, data)
    delivery = open_delivery(path)
    if delivery.records:
        frame = delivery.records.frame
        return Table(place, pl.Series("row", range(1, frame.height + 1), pl.Int64), frame)
    filled = [sheet for sheet in delivery.sheets if _header(sheet)]
    fitting = [sheet for sheet in filled if set(columns) <= set(_header(sheet))]
    if len(fitting) > 1:
        raise HeaderError(
            place,
            f"one sheet with the columns {', '.join(columns)}; {len(fitting)} have them",
            remedy="Keep the sheet with the answers, and no copy of it.",
        )
    if not filled:
        raise IncompleteFile(place, "a header and rows", remedy="The file is empty. Ask for it again.")
    sheet = (fitting or filled)[0]
    return _of_sheet(f"{place}, sheet {sheet.name}" if sheet.name else place, sheet, columns)


def _of_spss(place: str, data: bytes) -> Table:
    """A file of SPSS. What it says is missing (system or user missing) is empty."""
    import pyreadstat
    from pyreadstat import PyreadstatError, ReadstatError

    try:
        frame, about = pyreadstat.read_sav(io.BytesIO(data), output_format="polars", row_limit=MAX_ROWS + 1)
    except (ReadstatError, PyreadstatError, ValueError, OverflowError) as error:
        raise IncompleteFile(
            place, "a whole file of SPSS (.sav or .zsav)", remedy="It cannot be read. Copy or ask for it again."
        ) from error
    check_size(place, frame.height, frame.width)
    text = pl.DataFrame({column: _as_text(frame[column]) for column in frame.columns})
    labels = {
        column: dict(zip(_as_text(pl.Series(list(labels))).to_list(), labels.values(), strict=True))
        for column, labels in about.variable_value_labels.items()
    }
    captions = {column: caption for column, caption in about.column_names_to_labels.items() if caption}
    return Table(place, pl.Series("row", range(1, text.height + 1), pl.Int64), text, labels, captions)


def _as_text(values: pl.Series) -> pl.Series:
    """1.0 is `1`; NULL and NaN are empty."""
    if values.dtype.is_float():
        values = values.fill_nan(None).cast(pl.String).str.strip_suffix(".0")
    return values.cast(pl.String).fill_null("").str.strip_chars()


def _header(sheet: Sheet) -> list[str]:
    """The titles in the first row that is not empty."""
    first = next((row for row in sheet.rows if any(map(as_text, row))), [])
    return [as_text(cell) for cell in first]


def _of_sheet(place: str, sheet: Sheet, columns: Collection[str]) -> Table:
    titles = _header(sheet)
    if twice := [title for title in columns if titles.count(title) > 1]:
        raise HeaderError(
            place, "every column once", column=twice[0], remedy="Two columns have this title: rename or remove one."
        )
    if formulas := sorted(sheet.formulas):
        row, column = formulas[0]
        raise HostileFile(
            place,
            f"values, not formulas (in column {column} of the sheet)",
            row=row,
            remedy="Select everything, copy it and paste it as values; or ask the sender to.",
            more=len(formulas) - 1,
        )
    start = next(number for number, row in enumerate(sheet.rows) if any(map(as_text, row)))
    body = [
        (number, cells)
        for number, row in enumerate(sheet.rows[start + 1 :], start=start + 2)
        if any(cells := [as_text(cell) for cell in row])
    ]
    if odd := [number for number, cells in body if len(cells) != len(titles)]:
        raise MalformedRow(
            place,
            f"{len(titles)} fields in every row, as in the header",
            row=odd[0],
            remedy="A separator too many or too few? A text that holds one stands in double quotes.",
            more=len(odd) - 1,
        )
    # A title that is empty or there before says nothing; what stands below it is still looked at for personal data.
    known = [title if title and title not in titles[:n] else f"column {n + 1}" for n, title in enumerate(titles)]
    frame = pl.DataFrame([cells for _, cells in body], schema=dict.fromkeys(known, pl.String), orient="row")
    return Table(place, pl.Series("row", [number for number, _ in body], pl.Int64), frame)


def _refuse_header(table: Table, lacking: list[str]) -> NoReturn:
    # Only titles that come near a known one are shown: without a header the first row is about a person.
    near = [name for each in lacking for name in difflib.get_close_matches(each, table.frame.columns, n=1, cutoff=0.8)]
    hint = f" Is it called {', '.join(dict.fromkeys(near))}?" if near else ""
    raise HeaderError(
        table.place,
        f"the {'column' if len(lacking) == 1 else 'columns'} {', '.join(lacking)}",
        remedy=f"Missing in this file.{hint} Correct the description of the wave, or the title in the file.",
    )
