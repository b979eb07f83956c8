"""Finds in a cell of the register what tells who somebody is. One such cell is enough to refuse the file."""

from __future__ import annotations

import re

_ELEVEN_PROOF = (9, 8, 7, 6, 5, 4, 3, 2, -1)
# 31-12-2025 beside another number would look like a telephone number.
_DATE = re.compile(r"\b[0-9]{1,2}-[0-9]{1,2}-20[0-9]{2}\b")
_BSN = re.compile(r"(?<![0-9.,])(?:[0-9]{9}|[0-9]{4}[ .-][0-9]{2}[ .-][0-9]{3})(?![0-9])")
_CONTENTS = {
    "an e-mail address": re.compile(r"[^\s@]+@[^\s@]+\.[A-Za-z]{2,}"),
    "a bank account (IBAN)": re.compile(
        r"\bNL[0-9]{2} ?[A-Z]{4}(?: ?[0-9]){10}|\b(?:DE[0-9]{2}(?: ?[0-9]){6}|BE[0-9]{2})(?: ?[0-9]){12}(?![0-9])",
        re.IGNORECASE,
    ),
    "a telephone number": re.compile(
        r"(?<![0-9A-Za-z])(?:\+|00)[1-9][0-9][ -]?(?:\(0\))?(?:[ -]?[0-9]){8,11}(?![0-9A-Za-z])"
        # Ten digits, however they are grouped: 0612345678, 06-12 34 56 78, (074) 123 45 67.
        r"|(?<![0-9A-Za-z])\(?0[ -]?(?:[1-9]\)?(?:[ -]?[0-9]){8}|[1-9][0-9]\)(?:[ -]?[0-9]){7}"
        r"|[1-9][0-9]{2}\)(?:[ -]?[0-9]){6})(?![0-9A-Za-z])"
    ),
}


def personal(text: str, *, is_number: bool = False) -> str | None:
    """What of a person a text seems to hold, in words; None where it holds nothing like it.

    `is_number` is for columns of amounts, where nine digits are an amount.
    """
    bare = _DATE.sub("|", text)
    found = next((what for what, pattern in _CONTENTS.items() if pattern.search(bare)), None)
    if found is None and not is_number and any(map(_is_bsn, _BSN.findall(bare))):
        return "a citizen service number (BSN)"
    return found


def _is_bsn(text: str) -> bool:
    """The 11-proof: 9a + 8b + 7c + 6d + 5e + 4f + 3g + 2h - i is a multiple of 11."""
    digits = [int(sign) for sign in text if sign.isdigit()]
    return sum(by * digit for by, digit in zip(_ELEVEN_PROOF, digits, strict=True)) % 11 == 0
