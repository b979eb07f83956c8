"""What can be wrong with input. Every message says where it stands, what was expected and what to do."""

# ruff: noqa: N818 - a subclass is named after the fault; they are all an InputError

from __future__ import annotations

from pathlib import Path

_SHOWN = 60


class InputError(Exception):
    """Input that cannot be trusted.

    `row` is the line number an editor shows (the header is line 1), `value` what was found there, and `more` the
    number of further rows with the same fault. The message never holds a whole row.
    """

    def __init__(
        self,
        file: str | Path,
        expected: str,
        *,
        row: int | None = None,
        column: str | None = None,
        value: object = None,
        remedy: str | None = None,
        more: int = 0,
    ) -> None:
        super().__init__(str(file), expected)
        self.file = str(file)
        self.expected = expected
        self.row = row
        self.column = column
        self.value = value
        self.remedy = remedy
        self.more = more

    def __str__(self) -> str:
        place = [self.file]
        if self.row is not None:
            place.append(f"row {self.row}")
        if self.column is not None:
            place.append(f"column {self.column}")
        found = "" if self.value is None else f" found {shown(self.value)};"
        lines = [f"{', '.join(place)}:{found} expected {self.expected}."]
        if self.remedy:
            lines.append(self.remedy)
        if self.more:
            rows = "row" if self.more == 1 else "rows"
            lines.append(f"(and {self.more} more {rows} with this fault)")
        return "\n".join(lines)


def shown(value: object) -> str:
    """A value as Python writes it (so that blanks and control characters show), cut at 60 characters."""
    # Cut before repr too: a field may be a hundred thousand characters long.
    text = repr(value[: 2 * _SHOWN] if isinstance(value, str) else value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


class MissingFile(InputError):
    """A folder or file that must be there is not, or cannot be opened."""


class FileTooLarge(InputError):
    """A file far larger than any delivery of figures, also once decompressed."""


class EncodingError(InputError):
    """Bytes that are not UTF-8 text: UTF-16, a Windows code page, NUL bytes, a spreadsheet, an archive."""


class HeaderError(InputError):
    """The header does not name exactly the expected columns, or they are not separated by commas."""


class MalformedRow(InputError):
    """A row with too few or too many fields, or with a quote that is not closed."""


class IncompleteFile(InputError):
    """A file that is empty or was cut off, or rows that another file of the folder does not account for."""


class UnknownRegion(InputError):
    """A region code that is malformed or not in regions.csv, or a region without a name."""


class UnknownIndicator(InputError):
    """An indicator that is not in the catalogue."""


class UnknownSource(InputError):
    """A source table that the catalogue does not name for this indicator."""


class SourceChanged(InputError):
    """The publisher's column, unit or precision is not what the catalogue says."""


class PeriodError(InputError):
    """A period that is malformed, or outside those the catalogue names for this table."""


class DuplicateFigure(InputError):
    """Two rows for one and the same thing."""


class StatusError(InputError):
    """A status outside the vocabulary, or one that contradicts the value beside it."""


class ValueFault(InputError):
    """A value that is not a plain number."""


class OutOfScale(InputError):
    """A number that the indicator's scale rules out."""


class MissingMunicipality(InputError):
    """A municipality of the region that is measured has no row where the others have one."""


class OutlineError(InputError):
    """An outline that is missing, malformed, invalid or somewhere else on earth."""


class DamagedBundle(InputError):
    """The bundled files are not those of the manifest."""


class SourceUnavailable(InputError):
    """A service that does not answer, or not in time, or with an error, after every retry."""


class ServiceRefused(SourceUnavailable):
    """A service that answers, but refuses this request (HTTP 4xx): asking again will not help."""


class IncompleteAnswer(InputError):
    """An answer with code 200 that is cut off, is no data, or lacks rows that must be there."""


class TableWithdrawn(InputError):
    """A table that its publisher no longer knows under this id."""


class HostileFile(InputError):
    """A file that could do harm: an archive bomb, a path outside its folder, a formula, an entity expansion."""


class UnknownLayout(InputError):
    """A delivered file whose layout none of the descriptions fits, or more than one."""


class UnknownName(InputError):
    """A name that stands for no region, or for more than one."""


class DamagedSnapshot(InputError):
    """Stored bytes that are not those that were received."""


class PersonalData(InputError):
    """A column that tells who somebody is, and that nobody said to drop."""


class WeightFault(InputError):
    """A survey weight that is missing, no number, zero or negative."""


class InvalidAnswer(InputError):
    """A code in a respondent's row that the wave's description does not allow."""


class DuplicateRespondent(InputError):
    """One respondent twice in a wave."""


class StratumFault(InputError):
    """A stratum from which no margin can be computed: one respondent, or a population that cannot be."""


class RepeatedWave(InputError):
    """The rows, or the respondents, of another wave."""


class PopulationFault(InputError):
    """Population numbers for weighting that are incomplete, or do not agree with each other."""
