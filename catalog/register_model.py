"""The shape of register.yaml: the sheets of the register that every programme bureau fills in, and its loader."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from catalog.model import Entry, Identifier, mistake
from catalog.programme_model import Target
from catalog.yaml_file import YamlFile

FILE = Path(__file__).parent / "register.yaml"

ColumnType = Literal[
    "text",
    "id",
    "date",
    "year",
    "integer",
    "euro",
    "number",
    "choice",
    "line",
    "lines",
    "target",
    "project",
    "municipalities",
]

# What the reader and the reports know each sheet by. Headings may change in register.yaml, these may not.
_FIELDS = {
    "bureau": "bureau lines as_of synthetic template",
    "project": "project_id name line_id municipality_codes district status starts ends",
    "milestone": "project_id milestone_id text planned reached",
    "result": "project_id target_id kind date number evidence",
    "money": "project_id financing_source as_of committed paid forecast",
    "received": "date amount",
    "measurement": "target_id wave value standard_error n about method source",
    "text": "line_id year part text",
    "lesson": "lesson_id line_id year kind assumed observed consequence",
}
_NUMBERS = ("integer", "euro", "number")


class RegisterColumn(Entry):
    """A column of a sheet.

    `choices` are the Dutch words that may stand there, each with its code. `targets` says which results a column of
    results may name: those that are counted, or those that are read from a sample. `whole` numbers have no decimals;
    a number lies above `above`, and from `minimum` to `maximum`; `remedy` is what a message about that advises.
    """

    heading: str
    field: Identifier
    type: ColumnType
    required: bool = False
    choices: dict[str, str] = Field(default_factory=dict)
    targets: Literal["counted", "measured"] | None = None
    whole: bool = False
    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None
    remedy: str | None = None
    max_length: Annotated[int, Field(ge=1)] = 300
    help: str

    @model_validator(mode="after")
    def _consistent(self) -> RegisterColumn:
        if (self.type == "choice") != bool(self.choices):
            raise mistake("a choice has choices, another column has none", "choices")
        if (self.type == "target") != (self.targets is not None):
            raise mistake("a column of results says which, another column does not", "targets")
        bounds = (self.minimum, self.maximum, self.above)
        if self.type not in _NUMBERS and (self.whole or any(bound is not None for bound in bounds)):
            raise mistake("only a number has bounds", "type")
        return self


class RegisterSheet(Entry):
    """A sheet of the workbook, or one of the csv files in a folder."""

    name: str
    sheet_id: Identifier
    help: str
    columns: Annotated[list[RegisterColumn], Field(min_length=1)]

    @property
    def file_name(self) -> str:
        """What the sheet is called as a csv file."""
        return f"{self.name.lower()}.csv"

    def column(self, field: str) -> RegisterColumn:
        """The column with this field; KeyError if there is none."""
        return {column.field: column for column in self.columns}[field]


class RegisterLayout(Entry):
    """All sheets of the register, and the sheet that explains them, which is never read."""

    template: Annotated[int, Field(ge=1)]
    help_sheet: str
    instructions: Annotated[list[str], Field(min_length=1)]
    sheets: list[RegisterSheet]

    @model_validator(mode="after")
    def _as_the_reader_knows_it(self) -> RegisterLayout:
        if [sheet.sheet_id for sheet in self.sheets] != list(_FIELDS):
            raise mistake(f"expected, in this order: {', '.join(_FIELDS)}", "sheets")
        for place, sheet in enumerate(self.sheets):
            if (wanted := _FIELDS[sheet.sheet_id].split()) != [column.field for column in sheet.columns]:
                raise mistake(f"expected the fields, in this order: {', '.join(wanted)}", "sheets", place, "columns")
            headings = [column.heading.casefold() for column in sheet.columns]
            if len(set(headings)) < len(headings):
                raise mistake("two columns have the same heading", "sheets", place, "columns")
        names = [name.casefold() for name in (self.help_sheet, *(sheet.name for sheet in self.sheets))]
        if len(set(names)) < len(names):
            raise mistake("two sheets have the same name", "sheets")
        return self

    def sheet(self, sheet_id: str) -> RegisterSheet:
        """The sheet with this id; KeyError if there is none."""
        return {sheet.sheet_id: sheet for sheet in self.sheets}[sheet_id]


@cache
def load_register_layout(path: Path = FILE) -> RegisterLayout:
    """The description of the register; raises CatalogueError with file and line at the first mistake."""
    return YamlFile(path).parse(RegisterLayout)


def is_counted(target: Target) -> bool:
    """Whether bureaus count this result."""
    return target.kind != "direction" or target.wanted is not None


def fits(target: Target, column: RegisterColumn) -> bool:
    """Whether a column of results may name this one."""
    return is_counted(target) if column.targets == "counted" else target.measured is not None
