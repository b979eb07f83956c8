"""Finds what tells who somebody is, before anything else looks at a file: by the names of columns, and by contents.

Direct identifiers are refused, never dropped silently: who adds a wave must know that the sender left them in.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Collection

import polars as pl

from sources.errors import PersonalData
from sources.survey.table import Table

# What a title says, word by word. A column of municipalities may well be called `gemeentenaam` or `naam gemeente`.
_TITLES = {
    "a name": "naam voornaam voornamen achternaam voorletters tussenvoegsel name firstname lastname surname",
    "an e-mail address": "email mail emailadres mailadres",
    "a telephone number": "telefoon telefoonnummer telefoonnr telnr tel mobiel mobielnummer phone gsm",
    "an address": "adres straat straatnaam huisnummer huisnr address street",
    "a postcode": "postcode zipcode postalcode pc6",
    "a citizen service number (BSN)": "bsn sofinummer burgerservicenummer",
    "an IP address": "ip ipadres ipaddress ipv4 ipv6",
    "a date of birth": "geboortedatum gebdatum geboortedag birthdate birthday dob",
    "a bank account": "iban rekeningnummer bankrekening",
}
_MEANING = {word: what for what, words in _TITLES.items() for word in words.split()}
_OF_A_PLACE = {"gemeente", "municipality", "wijk", "buurt", "regio", "region", "provincie", "plaats", "bestand", "file"}
_LONGEST_CAPTION = 3

# What a cell holds. One such cell is enough.
_YEAR = "(?:19[0-9]{2}|200[0-9])"
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_CONTENTS = {
    "an e-mail address": r"[^\s@]+@[^\s@]+\.[A-Za-z]{2,}",
    "a bank account (IBAN)": r"NL[0-9]{2} ?[A-Z]{4}(?: ?[0-9]){10}"
    r"|(?:^|[^A-Za-z])(?:DE[0-9]{2}(?: ?[0-9]){6}|BE[0-9]{2})(?: ?[0-9]){12}(?:$|[^0-9])",
    "a telephone number": r"(?:^|[^0-9A-Za-z])(?:\+31|0031|0)[ -]?(?:\(0\))?[ -]?[1-9](?:[ -]?[0-9]){8}"
    r"(?:$|[^0-9A-Za-z])",
    "a full postcode": r"^[1-9][0-9]{3} ?[A-Za-z]{2}$|(?:^|[^0-9A-Z])[1-9][0-9]{3} [A-Z]{2}(?:$|[^0-9A-Za-z])",
    "an IP address": rf"(?:^|[^0-9.])(?:{_OCTET}\.){{3}}{_OCTET}(?:$|[^0-9.])"
    r"|(?:^|\s)(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}(?:$|\s)"
    r"|(?:^|\s)(?:[0-9A-Fa-f]{1,4}:){1,6}:[0-9A-Fa-f:]*(?:$|\s)",
}
# Only a column of which nearly all cells look like this.
_COLUMNS = {
    "a telephone number": r"^6[1-58][0-9]{7}$",
    "a date of birth": rf"^{_YEAR}-[0-9]{{2}}-[0-9]{{2}}|^[0-9]{{1,2}}[-/][0-9]{{1,2}}[-/]{_YEAR}$",
}
_DECIMAL = r"^[+-]?[0-9]+[.,][0-9]+$"
_NEARLY_ALL = 0.9
_BSN = r"^(?:[0-9][ .-]?){7,8}[0-9]$"
_ELEVEN_PROOF = (9, 8, 7, 6, 5, 4, 3, 2, -1)
# By chance a number of nine digits passes the 11-proof once in eleven times; five distinct ones do not.
_FEWEST_NUMBERS = 5


def refuse_identifiers(table: Table, answers: Collection[str]) -> None:
    """Raises PersonalData, naming the column, what it looks like and in how many rows; never what stands there.

    `answers` are columns with answers to questions (and municipalities), whose names may hold any word.
    """
    found = {}
    for column in table.frame.columns:
        if hit := _by_content(table.frame[column]) or (column not in answers and _by_title(table, column)) or None:
            found[column] = hit
    if not found:
        return
    column, (what, rows) = next(iter(found.items()))
    others = f" The same goes for: {', '.join(list(found)[1:9])}." if len(found) > 1 else ""
    raise PersonalData(
        table.place,
        f"no direct identifiers; this column looks like {what}, in {rows} {'row' if rows == 1 else 'rows'}",
        column=column,
        remedy="Ask the sender for a file without it; or list the column under columns.drop in the description of the "
        f"wave: then it is not read.{others}",
    )


def pseudonyms(ids: pl.Series, key: bytes) -> pl.Series:
    """Ids under a keyed hash (HMAC-SHA256, hex): the same id has the same pseudonym wherever the key is the same."""
    hashed = {
        id_: hmac.new(key, id_.encode(), hashlib.sha256).hexdigest() for id_ in ids.drop_nulls().unique().to_list()
    }
    return ids.replace_strict(hashed, default=None, return_dtype=pl.String)


def _by_title(table: Table, column: str) -> tuple[str, int] | None:
    caption = _words(table.captions.get(column, ""))
    # A caption of more words is a question, perhaps about e-mail.
    words = _words(column) | (caption if len(caption) <= _LONGEST_CAPTION else set())
    what = next((_MEANING[word] for word in sorted(words) if word in _MEANING), None)
    cells = table.frame[column].filter(table.frame[column] != "")
    if what is None or words & _OF_A_PLACE or not cells.len():
        return None
    if what == "a postcode" and cells.str.contains(r"^[1-9][0-9]{3}$").all():
        return None
    return what, cells.len()


def _words(title: str) -> set[str]:
    """`RespondentNaam` and `naam_respondent` hold the word naam; `e-mail` is the word email."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", re.sub(r"\b([eE])[-_ ]?([mM]ail)", r"\1\2", title)).casefold()
    return set(re.findall(r"[a-z]+[46]?|ipv[46]", apart))


def _by_content(cells: pl.Series) -> tuple[str, int] | None:
    """What a column's cells look like, and in how many rows."""
    # Answers repeat themselves: each distinct cell is looked at once. Weights are decimals, and nothing else.
    counts = cells.alias("cell").filter((cells != "") & ~cells.str.contains(_DECIMAL)).value_counts(name="rows")
    patterns = [*_CONTENTS.values(), *_COLUMNS.values(), _BSN]
    matching = [pl.col("rows").filter(pl.col("cell").str.contains(pattern)).sum() for pattern in patterns]
    rows = counts.select(expression.alias(str(number)) for number, expression in enumerate(matching)).row(0)
    for what, found in zip(_CONTENTS, rows, strict=False):
        if found:
            return what, found
    filled = int(counts["rows"].sum())
    for what, found in zip(_COLUMNS, rows[len(_CONTENTS) :], strict=False):
        if found and found >= _NEARLY_ALL * filled:
            return what, found
    return _as_bsn(counts) if rows[-1] else None


def _as_bsn(counts: pl.DataFrame) -> tuple[str, int] | None:
    """The 11-proof: 9a + 8b + 7c + 6d + 5e + 4f + 3g + 2h - i is a multiple of 11."""
    digits = pl.col("cell").str.replace_all(r"[ .-]", "").str.zfill(9)
    total = pl.sum_horizontal(digits.str.slice(at, 1).cast(pl.Int64) * by for at, by in enumerate(_ELEVEN_PROOF))
    numbers = counts.filter(pl.col("cell").str.contains(_BSN))
    passing = numbers.filter(total % 11 == 0)
    if passing.height < max(_FEWEST_NUMBERS, _NEARLY_ALL * numbers.height):
        return None
    return "a citizen service number (BSN)", int(passing["rows"].sum())
