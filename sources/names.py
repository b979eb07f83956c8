"""From the name of a region to its code. Publishers' files often give names only, and not all write them alike."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from functools import cache, cached_property
from pathlib import Path
from typing import NamedTuple

from sources import bundled
from sources.csv_file import read_csv
from sources.errors import UnknownName

FILE = "region_names.csv"

# What CBS writes behind a name to tell regions apart: (O.), (gemeente), (CR), (AM).
_SUFFIX = re.compile(r"\s*\([^()]*\)\s*$")
_NOTHING_NEAR = (
    "No name comes near what stands there (not shown: it may be about a person). Is this the column of the names?"
)


class RegionName(NamedTuple):
    """A name a region goes by, and the days between which its code exists (`valid_to` is the first day without it).

    A region may have several names, its title at CBS first. Dates are 'YYYY-MM-DD', or None where not known or open.
    """

    code: str
    name: str
    valid_from: str | None = None
    valid_to: str | None = None

    def exists(self, period: str | None) -> bool:
        """Whether the code still exists on the first day of `period`; yes without a period.

        One that comes into being later does: tables are published again for the municipalities of a later year.
        """
        return self.valid_to is None or period is None or self.valid_to > _first_day(period)


class RegionNames:
    """Names of regions of all eras: `Hengelo (O.)`, `Den Haag`, `Twente (CR)`, `Nederland`.

    Capitals, accents, blanks and punctuation do not count. A name without its suffix stands for a region where only
    one can be meant: Hengelo alone may be Hengelo (O.) or Hengelo (Gld.), which was abolished in 2005, but among
    today's regions (`current()`) it is GM0164; Utrecht may be a municipality or a province, unless `only(["GM"])`.
    """

    def __init__(self, rows: Iterable[tuple[str, str, str | None, str | None]]) -> None:
        self.rows = [RegionName(*row) for row in rows]

    def only(self, levels: Collection[str]) -> RegionNames:
        """The names of regions whose codes begin with one of these letters, such as GM and NL; all if there is none."""
        return RegionNames(row for row in self.rows if not levels or row.code.startswith(tuple(levels)))

    def current(self) -> RegionNames:
        """The names of regions that exist today."""
        return RegionNames(row for row in self.rows if row.valid_to is None)

    def find(self, name: str, period: str | None = None) -> str | None:
        """The code of the region that `name` stands for in `period` (2022, 2022Q1, 2022-05); None if none or several.

        A region that was abolished before the period is not found; one that was founded after it is.
        """
        key = _key(name)
        full = {row.code for row in self._full.get(key, []) if row.exists(period)}
        if len(full) == 1:
            return full.pop()
        short = {row.code for row in self._short.get(key, [])}
        exist = {row.code for row in self._short.get(key, []) if row.exists(period)}
        return short.pop() if not full and len(short) == 1 and short == exist else None

    def code_of(
        self, name: str, period: str | None = None, *, file: str | Path = FILE, row: int | None = None, column: str = ""
    ) -> str:
        """As `find`, but raises UnknownName for no region or several, with the names that come nearest.

        `file`, `row` and `column` say where the name stands. What comes near no name is not shown: in a file that is
        not about regions it may be a person.
        """
        if code := self.find(name, period):
            return code
        value: str | None = name
        meant = self._titles(row.code for names in (self._full, self._short) for row in names.get(_key(name), []))
        if len(meant) > 1:
            expected, remedy = "a name that stands for one region", f"It may be {_listed(meant)}: write which."
        elif meant:
            expected = f"a region that exists in {period}"
            remedy = f"This is {_listed(meant)}. Check the period, and whether figures and name belong together."
        else:
            near = self._near(name)
            expected = "the name of a Dutch region as CBS writes it"
            remedy = f"Nearest: {_listed(near)}." if near else _NOTHING_NEAR
            value = name if near else None
        raise UnknownName(file, expected, row=row, column=column or None, value=value, remedy=remedy)

    def _near(self, name: str) -> list[RegionName]:
        keys = difflib.get_close_matches(_key(name), [*self._full, *self._short], n=5, cutoff=0.7)
        return self._titles(row.code for key in keys for row in (self._full.get(key) or self._short[key]))[:3]

    def _titles(self, codes: Iterable[str]) -> list[RegionName]:
        """The first name of each of these regions, once."""
        wanted = list(dict.fromkeys(codes))
        return [next(row for row in self.rows if row.code == code) for code in wanted]

    @cached_property
    def _full(self) -> dict[str, list[RegionName]]:
        return _by_key(self.rows, lambda name: name)

    @cached_property
    def _short(self) -> dict[str, list[RegionName]]:
        return _by_key(self.rows, without_suffix)


def read_names(path: Path) -> RegionNames:
    """The names in a CSV file with the columns code, name, valid_from and valid_to. Raises an InputError."""
    frame = read_csv(path, list(RegionName._fields)).frame.drop("row")
    return RegionNames((code, name, begin or None, end or None) for code, name, begin, end in frame.iter_rows())


@cache
def bundled_names() -> RegionNames:
    """The names that come with the software: all regions of CBS since 1988."""
    return read_names(bundled.FOLDER / FILE)


def without_suffix(name: str) -> str:
    """`Hengelo (O.)` is Hengelo."""
    return _SUFFIX.sub("", name)


def _by_key(rows: list[RegionName], shorten: Callable[[str], str]) -> dict[str, list[RegionName]]:
    found: dict[str, list[RegionName]] = defaultdict(list)
    for row in rows:
        found[_key(shorten(row.name))].append(row)
    return dict(found)


def _key(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in letters if letter.isalnum())


def _first_day(period: str) -> str:
    year, rest = period[:4], period[4:]
    month = 3 * int(rest[1]) - 2 if rest.startswith("Q") else int(rest[1:] or 1)
    return f"{year}-{month:02}-01"


def _listed(rows: Iterable[RegionName]) -> str:
    return ", ".join(f"{row.name} {row.code}" + (f" (until {row.valid_to})" if row.valid_to else "") for row in rows)
