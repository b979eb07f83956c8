"""How a delivered file is laid out, and by what it is recognised: the entries of layouts/*.yaml, and their loader."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from catalog.current import current_catalogue
from catalog.model import Entry, Identifier, Period, SourceTable, mistake
from catalog.yaml_file import CatalogueError, YamlFile

FOLDER = Path(__file__).parent / "layouts"

# What a level of a header of several rows may say, beside the name of a dimension.
LEVELS = ["topic", "unit", "period", "year", "month", "skip"]
# Columns of the tables that are made of a file, and of figures on their way there: no dimension may be called so.
_RESERVED = ["row", "column", "topic", "region", "region_code", "period", "raw", "attribute", "period_status"]
_RESERVED += ["value", "ci_low", "ci_high", "text", "reason"]


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    return pattern


Pattern = Annotated[str, AfterValidator(_compiles)]


class Recognition(Entry):
    """What a file must show to have this layout; all that is given must fit. Names of files never count.

    `table_id` stands in the address an OData answer gives for its metadata. `columns` are in the header (without
    their number: `Eenzaam` is also `Eenzaam_28`), `some_column` is the whole title of at least one. `values` has for a
    column what at least one of its values is, `only` what all of them are. `title` is a line above the header, `sheet`
    what the sheets with figures are called.
    """

    table_id: str | None = None
    columns: tuple[str, ...] = ()
    some_column: Pattern | None = None
    values: dict[str, Pattern] = Field(default_factory=dict)
    only: dict[str, Pattern] = Field(default_factory=dict)
    title: Pattern | None = None
    sheet: Pattern | None = None


class RegionPlace(Entry):
    """Where the region stands: in a column, or it is one region throughout.

    The column has codes, numbers of municipalities (153 is GM0153) or names. `levels` are what the codes behind the
    names begin with: where it is [GM, NL], Utrecht is the municipality. `without_code` are regions whose code is not
    known: they keep their name as code.
    """

    column: str | None = None
    by: Literal["code", "number", "name"] = "code"
    fixed: str | None = None
    levels: tuple[str, ...] = ()
    without_code: tuple[str, ...] = ()


class PeriodPlace(Entry):
    """Where the period stands, if not in the header.

    In a column or title line (as code or as title), fixed, or in the first group of `pattern`, found in a line above
    the header, a footer or the name of the sheet.
    """

    column: str | None = None
    by: Literal["code", "title"] = "title"
    fixed: Period | None = None
    pattern: Pattern | None = None


class Titles(Entry):
    """How a column's title is read: its path by `separator`, `(unit)` at its end, underscores for blanks.

    `unit` is that of the topics for which the file gives none.
    """

    separator: str | None = None
    unit_in_header: bool = False
    underscores: bool = False
    unit: str = ""


class LayoutTopic(Entry):
    """A topic whose titles the file does not give: those of `column` (a column or a measure code, or its title).

    Without `column` it is the topic of all figures. `text` marks a column of text.
    """

    column: str | None = None
    path: tuple[str, ...] = ()
    title: str
    unit: str = ""
    text: bool = False


class Layout(Entry):
    """One layout of delivered files, and the table it belongs to.

    format: `rows` (one header row, a row a region; StatLine downloads, OData v3), `crosstab` (lines above a header of
    one row or more, figures across) or `observations` (OData v4). header: what the rows of a crosstab's header say,
    top first; `label_row` is the one in which the column of the region has its title. dimensions: further
    dimensions, by the name of their column, header row or title line, with the titles of their codes where the file
    does not give them. margins: the dimension that tells values from their bounds. ignore: columns that are neither
    topics nor dimensions. footer: what the first line below the figures begins with; without it the file was cut off.
    decimal: `either` is for publishers that write no thousands separator: the sign that the file uses throughout.
    thousands: the other sign may stand between thousands. totals: rows to leave out, by region. markers: what stands
    in place of a number, beside an empty cell.
    synthetic: the files are invented examples.
    """

    layout_id: Identifier
    source_table: str
    source_id: str = ""
    format: Literal["rows", "crosstab", "observations"]
    synthetic: bool = False
    note: str | None = None
    recognise: Recognition
    decimal: Literal[".", ",", "either"] = "."
    thousands: bool = False
    region: RegionPlace
    period: PeriodPlace | None = None
    dimensions: dict[str, dict[str, str]] = Field(default_factory=dict)
    margins: str | None = None
    header: tuple[str, ...] = ()
    label_row: Annotated[int, Field(ge=1)] = 1
    titles: Titles = Titles()
    topics: tuple[LayoutTopic, ...] = ()
    ignore: tuple[str, ...] = ()
    footer: Pattern | None = None
    totals: tuple[str, ...] = ()
    markers: tuple[str, ...] = (".", "-", "x")

    @model_validator(mode="after")
    def _consistent(self) -> Layout:
        if (self.region.column is None) == (self.region.fixed is None):
            raise mistake("either column or fixed", "region")
        if self.period and sum(map(bool, (self.period.column, self.period.fixed, self.period.pattern))) != 1:
            raise mistake("exactly one of column, fixed and pattern", "period")
        if self.period and self.period.pattern and re.compile(self.period.pattern).groups < 1:
            raise mistake("needs a group (…) that holds the period", "period", "pattern")
        if reserved := [name for name in self.dimensions if name in _RESERVED]:
            raise mistake(f"'{reserved[0]}' is the name of another column", "dimensions")
        if self.format == "crosstab":
            self._check_crosstab()
        elif self.format == "observations" and self.recognise.table_id is None:
            raise mistake("observations are recognised by their table_id", "recognise")
        elif not (self.recognise.columns or self.recognise.table_id):
            raise mistake("needs columns or a table_id, else any file would fit", "recognise")
        return self

    def _check_crosstab(self) -> None:
        if unknown := [level for level in self.header if level not in [*LEVELS, *self.dimensions]]:
            raise mistake(f"'{unknown[0]}' is neither a dimension nor one of {', '.join(LEVELS)}", "header")
        if not 1 <= self.label_row <= len(self.header):
            raise mistake("there is no such row in header", "label_row")
        if self.recognise.title is None:
            raise mistake("a crosstab is recognised by a title above its header", "recognise")
        if self.region.column is None:
            raise mistake("a crosstab needs the column of its regions", "region")
        if "topic" not in self.header and len(self.topics) != 1:
            raise mistake("without a header row for topics there must be exactly one", "topics")


def load_layouts(tables: Mapping[str, SourceTable] | None = None, folder: Path = FOLDER) -> list[Layout]:
    """All layouts, each with the source_id of its table.

    `tables` are source tables by name, by default those of this process's catalogue. Raises CatalogueError with file
    and line at the first mistake.
    """
    tables = current_catalogue().source_tables if tables is None else tables
    layouts: list[Layout] = []
    for path in sorted(folder.glob("*.yaml")):
        file = YamlFile(path)
        for index, layout in enumerate(file.parse(list[Layout])):
            if layout.layout_id in [known.layout_id for known in layouts]:
                raise file.error([index, "layout_id"], f"'{layout.layout_id}' is defined twice")
            if layout.source_table not in tables:
                raise file.error([index, "source_table"], f"no table '{layout.source_table}' in sources.yaml")
            layouts.append(layout.model_copy(update={"source_id": tables[layout.source_table].source_id}))
    if not layouts:
        raise CatalogueError(f"{folder}: no layouts (*.yaml) found")
    return layouts
