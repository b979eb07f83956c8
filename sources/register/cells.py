"""A cell of the register as a value of its column's type: dates, amounts, words and names as bureaus write them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from catalog.programme_model import Programme, Target
from catalog.register_model import ColumnType, RegisterColumn, fits
from sources.delivered.opened import as_text
from sources.errors import OutOfScale, UnknownName, ValueFault
from sources.names import RegionNames

_ID = re.compile(r"[a-z0-9][a-z0-9_-]{1,39}")
_YEAR = re.compile(r"20[0-9]{2}")
_ISO = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")
_DUTCH = re.compile(r"([0-9]{1,2})-([0-9]{1,2})-([0-9]{4})")
_PLAIN = re.compile(r"-?[0-9]+(?:[.,][0-9]+)?")
# One sign before three digits may be a decimal sign or stand between thousands; a 0 before it tells.
_AMBIGUOUS = re.compile(r"-?[1-9][0-9]{0,2}\.[0-9]{3}")
_AMBIGUOUS_AMOUNT = re.compile(r"-?[1-9][0-9]{0,2}[.,][0-9]{3}")
_POINTS = re.compile(r"-?[1-9][0-9]{0,2}(?:(?:\.[0-9]{3}){2,}|(?:\.[0-9]{3})+,[0-9]+)")
_COMMAS = re.compile(r"-?[1-9][0-9]{0,2}(?:(?:,[0-9]{3}){2,}|(?:,[0-9]{3})+\.[0-9]+)")
_WRITE = "Write it without signs between thousands: 1234,5."


# What no font of the report has, or nobody sees: only Latin letters, usual punctuation, money, and a few signs.
_UNPRINTABLE = re.compile(
    r"[^\n\t\u0020-\u007e\u00a0-\u017f\u2010-\u2027\u2030\u2032\u2033\u20ac\u2190-\u2193\u2212\u2248\u2264\u2265]"
)


@dataclass(frozen=True)
class Known:
    """What cells may name: the programme's lines and results, and the municipalities of the region (code -> name)."""

    programme: Programme
    municipalities: Mapping[str, str]

    @property
    def line_ids(self) -> list[str]:
        """The lines of the programme."""
        return [line.line_id for line in self.programme.lines]

    def targets(self, column: RegisterColumn) -> dict[str, Target]:
        """The results that a column may name."""
        return {target.target_id: target for target in self.programme.targets if fits(target, column)}


class Unreadable(Exception):  # noqa: N818 - never seen outside the reader
    """A cell that is not what its column asks for: the kind of fault, what was expected, and what to do."""

    def __init__(self, expected: str, remedy: str, kind: type[ValueFault | OutOfScale | UnknownName] = ValueFault):
        super().__init__(expected)
        self.expected, self.remedy, self.kind = expected, remedy, kind


def value_of(cell: Any, column: RegisterColumn, known: Known) -> Any:
    """The value of a cell; None (or no municipalities) for an empty one. Raises Unreadable."""
    if as_text(cell) == "":
        if column.required:
            raise Unreadable("a value", "This column may not be empty.")
        return [] if column.type == "municipalities" else None
    return _READERS[column.type](cell, column, known)


def _text(cell: Any, column: RegisterColumn, _: Known) -> str:
    text = re.sub(r"\r\n?", "\n", as_text(cell))
    if len(text) > column.max_length:
        raise Unreadable(
            f"at most {column.max_length} characters, found {len(text)}", "Shorten the text.", kind=OutOfScale
        )
    if text.startswith(("=", "+", "@", "-")):
        raise Unreadable(
            "a text that begins with a letter, digit, quote or bracket",
            "A spreadsheet takes a text that begins with = + - or @ for a formula: begin with a word.",
        )
    if unprintable := _UNPRINTABLE.search(text):
        raise Unreadable(
            f"letters, digits and usual signs; this has the character U+{ord(unprintable[0]):04X}",
            "Remove it: emoji and signs that cannot be seen are in no report.",
        )
    return text


def _id(cell: Any, *_: object) -> str:
    if not _ID.fullmatch(text := as_text(cell)):
        raise Unreadable(
            "2 to 40 small letters, digits, - or _, such as zon-op-zuid", "Write the code so, on every sheet the same."
        )
    return text


def _date(cell: Any, *_: object) -> date:
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    text = as_text(cell)
    iso, dutch = _ISO.fullmatch(text), _DUTCH.fullmatch(text)
    parts = iso.groups() if iso else dutch.groups()[::-1] if dutch else None
    try:
        if parts:
            return date(*map(int, parts))
    except ValueError:
        pass
    remedy = "Give the cell the format of a date." if isinstance(cell, float) else "Write day, month and year in full."
    raise Unreadable("a date such as 31-12-2025", remedy)


def _year(cell: Any, *_: object) -> int:
    if not _YEAR.fullmatch(text := as_text(cell)):
        raise Unreadable("a year such as 2025", "Write the year in four digits.")
    return int(text)


def _number(cell: Any, column: RegisterColumn, _: Known) -> float:
    number = float(cell) if isinstance(cell, int | float) and not isinstance(cell, bool) else _parsed(cell, column)
    if (column.whole or column.type == "integer") and not number.is_integer():
        raise Unreadable("a whole number", "Count whole things only.")
    if not _within(number, column):
        raise Unreadable(
            _bounds(column), column.remedy or "Check the number, and the column it stands in.", kind=OutOfScale
        )
    return number


def _integer(cell: Any, column: RegisterColumn, known: Known) -> int:
    return int(_number(cell, column, known))


def _parsed(cell: Any, column: RegisterColumn) -> float:
    """A number in text: decimal comma or point, and signs between thousands where nothing else can be meant."""
    text = re.sub(r"[\s\u00a0\u202f]", "", as_text(cell)).removeprefix("€")
    ambiguous = _AMBIGUOUS_AMOUNT if column.type in ("euro", "integer") or column.whole else _AMBIGUOUS
    if ambiguous.fullmatch(text):
        raise Unreadable("a number that can be read in one way only", f"Thousands or decimals? {_WRITE}")
    if _PLAIN.fullmatch(text):
        return float(text.replace(",", "."))
    if _POINTS.fullmatch(text):
        return float(text.replace(".", "").replace(",", "."))
    if _COMMAS.fullmatch(text):
        return float(text.replace(",", ""))
    raise Unreadable("a number such as 1234,5", f"Digits only; a remark belongs in a text. {_WRITE}")


def _within(number: float, column: RegisterColumn) -> bool:
    return (
        math.isfinite(number)
        and (column.minimum is None or number >= column.minimum)
        and (column.maximum is None or number <= column.maximum)
        and (column.above is None or number > column.above)
    )


def _bounds(column: RegisterColumn) -> str:
    said = [
        f"{words} {bound:g}"
        for words, bound in (("at least", column.minimum), ("more than", column.above), ("at most", column.maximum))
        if bound is not None
    ]
    return f"a number of {' and '.join(said)}" if said else "a finite number"


def _choice(cell: Any, column: RegisterColumn, _: Known) -> str:
    wanted = {word.casefold(): code for word, code in column.choices.items()}
    text = " ".join(as_text(cell).split()).casefold()
    if text not in wanted:
        raise Unreadable(f"one of {', '.join(column.choices)}", "Choose one of these words.")
    return wanted[text]


def _line(cell: Any, _: RegisterColumn, known: Known) -> str:
    return _known_line(as_text(cell), known)


def _lines(cell: Any, _: RegisterColumn, known: Known) -> tuple[str, ...]:
    lines = tuple(_known_line(part, known) for part in _listed(cell))
    if len(set(lines)) < len(lines) or not lines:
        raise Unreadable("every line once", "Write each line once, with ; between them.")
    return lines


def _known_line(text: str, known: Known) -> str:
    wanted = {line.casefold(): line for line in known.line_ids}
    if text.casefold() not in wanted:
        raise Unreadable(f"a line of the programme: {', '.join(known.line_ids)}", "Write its number.", kind=UnknownName)
    return wanted[text.casefold()]


def _target(cell: Any, column: RegisterColumn, known: Known) -> str:
    text, wanted = as_text(cell), known.targets(column)
    if text in wanted:
        return text
    if text in {target.target_id for target in known.programme.targets}:
        why = "is counted by bureaus" if column.targets == "counted" else "is measured with a sample"
        raise Unreadable(f"a result that {why}: {', '.join(wanted)}", "This result belongs elsewhere: see Uitleg.")
    raise Unreadable(f"a result: {', '.join(wanted)}", "Write its code, as on the sheet Uitleg.", kind=UnknownName)


def _municipalities(cell: Any, _: RegisterColumn, known: Known) -> list[str]:
    names = RegionNames((code, name, None, None) for code, name in known.municipalities.items())
    codes = [part if part in known.municipalities else names.find(part) for part in _listed(cell)]
    found = [code for code in codes if code is not None]
    if len(found) < len(codes) or len(set(found)) < len(found):
        raise Unreadable(
            f"municipalities of the region, each once: {', '.join(known.municipalities.values())}",
            "Write names or codes with ; between them, or leave it empty for the whole region.",
            kind=UnknownName,
        )
    return sorted(found)


def _listed(cell: Any) -> list[str]:
    return [part.strip() for part in as_text(cell).split(";") if part.strip()]


_READERS: dict[ColumnType, Callable[[Any, RegisterColumn, Known], Any]] = {
    "text": _text,
    "id": _id,
    "project": _id,
    "date": _date,
    "year": _year,
    "integer": _integer,
    "number": _number,
    "euro": _number,
    "choice": _choice,
    "line": _line,
    "lines": _lines,
    "target": _target,
    "municipalities": _municipalities,
}
