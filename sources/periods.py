"""Period codes and titles of Dutch publishers, as the periods of the published tables: 2022, 2022Q1, 2022-05.

Codes: CBS, "Periodecodes" (recorded: JJ, KW, MM; from clients in use: HJ, W1, X0, G4, days).
"""

from __future__ import annotations

import re

from sources.errors import PeriodError

_CODE = re.compile(r"(?P<year>\d{4})(?P<grain>JJ|KW|MM|G4|HJ|W1|X0)(?P<number>\d{2})")
_DAY = re.compile(r"\d{8}")
_MONTHS = [
    "januari",
    "februari",
    "maart",
    "april",
    "mei",
    "juni",
    "juli",
    "augustus",
    "september",
    "oktober",
    "november",
    "december",
]
_TITLE = re.compile(
    r"(?P<year>\d{4})(?:\s+(?:(?P<quarter>[1-4])(?:e|st|nd|rd|th)? (?:kwartaal|quarter)|(?P<month>[a-z]+)))?"
    r"(?P<provisional>\*{0,2})"
)


def from_code(code: str, table: str) -> str:
    """The period of a code: `2022JJ00` is 2022, `2022KW01` 2022Q1, `2022MM05` 2022-05, `2017G400` 2017.

    A multi-year average (G4) goes by the year in its code. Half-years, weeks, odd periods and days have no place in
    the published tables: they keep their own code, so that nobody takes them for a year. Raises PeriodError for
    anything else: a code that nobody knows is never a date.
    """
    code = code.strip()
    found = _CODE.fullmatch(code)
    number = int(found["number"]) if found else 0
    if found and found["grain"] in ("JJ", "G4") and number == 0:
        return found["year"]
    if found and found["grain"] == "KW" and 1 <= number <= 4:
        return f"{found['year']}Q{number}"
    if found and found["grain"] == "MM" and 1 <= number <= 12:
        return f"{found['year']}-{number:02}"
    if (found and found["grain"] in ("HJ", "W1", "X0")) or _DAY.fullmatch(code):
        return code
    raise PeriodError(
        table,
        "a period code such as 2022JJ00, 2022KW01 or 2022MM05",
        column="Perioden",
        value=code,
        remedy="The publisher uses a code that this software does not know: add it to sources/periods.py.",
    )


def from_title(title: str, table: str) -> tuple[str, bool]:
    """The period of a title and whether it is marked provisional: `2024*` is 2024, provisional.

    Also `2023 1e kwartaal` and `2022 december`. Raises PeriodError for other text.
    """
    found = _TITLE.fullmatch(title.strip().casefold())
    if found:
        provisional = bool(found["provisional"])
        if found["quarter"]:
            return f"{found['year']}Q{found['quarter']}", provisional
        if found["month"] in _MONTHS:
            return f"{found['year']}-{_MONTHS.index(found['month']) + 1:02}", provisional
        if not found["month"]:
            return found["year"], provisional
    raise PeriodError(
        table,
        "a period such as 2024, 2024*, 2023 1e kwartaal or 2022 december",
        column="Perioden",
        value=title,
        remedy="Write the period as the publisher does.",
    )
