"""The one shape every publisher's table takes on its way in, whatever service or file it came from."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

# Columns of `TidyTable.cells` beside those of its dimensions.
CELL = {
    "topic": pl.String,
    "region_code": pl.String,
    "period": pl.String,
    "value": pl.Float64,
    "ci_low": pl.Float64,
    "ci_high": pl.Float64,
    "text": pl.String,
    "reason": pl.String,
    "period_status": pl.String,
}


@dataclass(frozen=True)
class Topic:
    """A topic (onderwerp) of a table: what one of its figures is about.

    `key` is the publisher's column or measure code in this version of the table; it may differ in the next. `path`
    holds the titles of the topic groups around it, outermost first; `unit` is as published (`x 1 000`, `%`).
    """

    key: str
    path: tuple[str, ...]
    title: str
    unit: str

    def __str__(self) -> str:
        unit = f" ({self.unit})" if self.unit else ""
        return "/".join([*self.path, self.title]) + unit


@dataclass(frozen=True)
class TidyTable:
    """A publisher's table, long and typed: one row a figure.

    cells: topic (a Topic.key), one String column per further dimension (its codes, without blanks), region_code
    (GM0153, NL01; never NL00), period (2022, 2022Q1, 2022-05; see sources.periods), value, ci_low and ci_high (the
    rows of the dimension Marges joined into one), text (where the publisher gives text instead of a number), reason
    (why there is no value, as the publisher writes it, such as `Impossible` or `.`; `` for an empty cell; NULL exactly
    where there is a value or text), period_status (`Definitief`, `NaderVoorlopig`, `Voorlopig`; NULL where the
    publisher gives none). Dimensions are in `members`: dimension -> code -> title. A file that gives titles only uses
    them as codes.
    """

    name: str
    topics: tuple[Topic, ...]
    members: Mapping[str, Mapping[str, str]]
    cells: pl.DataFrame
    region_names: Mapping[str, str] = field(default_factory=dict)

    @property
    def dimensions(self) -> list[str]:
        """Dimensions beside topic, region, period and margins."""
        return list(self.members)


_MEANINGLESS = re.compile(r"[^\w%‰€<>=+]|_")


def plain(text: str) -> str:
    """Text for comparing titles and units: without capitals, accents, blanks and punctuation.

    So `x 1 000` equals `x 1000`, and a title equals the column name that OData v3 makes of it.
    """
    letters = unicodedata.normalize("NFKD", text).casefold()
    return _MEANINGLESS.sub("", "".join(letter for letter in letters if not unicodedata.combining(letter)))


def empty_cells(dimensions: Sequence[str] = ()) -> pl.DataFrame:
    """Cells without rows, in the columns of a table with these dimensions."""
    names = ["topic", *dimensions, *list(CELL)[1:]]
    return pl.DataFrame(schema={name: CELL.get(name, pl.String) for name in names})
