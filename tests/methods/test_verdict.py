"""Verdicts, as tables a reader can check by hand; `python -m tests.methods.test_verdict` prints them as Markdown.

A row is one case. Left of `=>` stands what is given, right of it what must follow, as arithmetic; `all:` holds for
every row of its table. LEGEND says how to read the cells.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.stats import t as student

from methods.verdict import benjamini_hochberg, holm, judge_change, judge_comparison

LEGEND = """\
Each row is one difference: value minus other. `-` is NULL, `6.9 [6.6, 7.3]` a figure with its 95% margins, and `a / b`
the two sides, value first, where they are not the same. What a table does not show is ordinary: both figures are
definitive counts of one series, about 2022 (a change: 2024 against 2022), rounded to 0.1 (so the rounding margin R is
0.1), higher is better, and nothing else is tested with them. `others` is how many other municipalities, none of which
differs at all, are; `relevant` is the smallest difference that matters, `revision` how far a figure may be revised, and
w the share of the region in its comparator. p(d, m) is the two-sided p-value of a difference d with 95% margin m.
`se` and `df` are the standard error of the difference and its degrees of freedom, where the design of a survey gives
them; t(df) is the factor from standard error to margin, and pt(d, se, df) the two-sided p-value by Student's t.
`method` no: published without one.
"""

COMPARISONS = """
# Rule 1: without both figures nothing can be said
all: => difference -; basis none; verdict not_decidable
case                          | value | other | series | period      =>
no figure for the region      | -     | 33.6  |        |             =>
no figure for the comparator  | 27.8  | -     |        |             =>
no figure at all              | -     | -     |        |             =>
no figure, and another series | -     | 33.6  | a / b  |             =>
no figure, and another period | 27.8  | -     |        | 2021 / 2022 =>

# Rule 2: figures made differently, or about different periods, are not compared
all: => verdict not_comparable
case                                | value | other | series | period      | kind   =>
another series                      | 69    | 64    | a / b  |             |        =>
Enschede 2021, the Netherlands 2022 | 27.8  | 35.6  |        | 2021 / 2022 |        =>
another series, and no difference   | 64    | 64    | a / b  |             |        =>
another series, and no margins      | 69    | 64    | a / b  |             | sample =>
another period, and no margins      | 69    | 64    |        | 2021 / 2022 | model  =>

# Rule 2: a figure that was published without its method is compared with nothing
all: kind sample; => difference -; basis none; verdict not_comparable
case                     | value          | other | method   =>
the published grade      | 7.1            | 6.9   | no / yes =>
the other is             | 7.1            | 6.9   | yes / no =>
also if it has a margin  | 7.1 [7.0, 7.2] | 6.9   | no / no  =>

# Rule 3 is for changes: a comparison needs one period, and an estimate is a figure with a margin
case            | value             | other | kind             | status                 => basis    | verdict
the same period | 27.8              | 33.6  |                  |                        => register | worse
estimated       | 75.0 [73.0, 77.0] | 70.0  | model / register | estimated / definitive => interval | better

# Rule 4: who samples or models must say how uncertain that is
all: => low -; high -; basis none; verdict not_decidable
case                           | value          | other | kind              => difference
sampled, no margin             | 71             | 69    | sample / register => 71 - 69
comparator modelled, no margin | 71             | 69    | register / model  => 71 - 69
only one side has its margin   | 7.1 [6.9, 7.3] | 6.9   | sample            => 7.1 - 6.9
half a margin is none          | 7.1 [6.9, -]   | 6.9   | sample / register => 7.1 - 6.9
no margin, and no difference   | 69             | 69    | model             => 0

# Rule 4: what a model of ours filled in is no complete count; a provisional count may be compared
case                 | value | other | status                   => basis    | verdict
estimated, no margin | 30.0  | 33.6  | estimated / definitive   => none     | not_decidable
both provisional     | 39.2  | 41.9  | provisional              => register | worse
one side provisional | 44.0  | 41.9  | provisional / definitive => register | better

# Rule 5, counts: a difference within the rounding margin R is none
case              | value         | other | R   => difference  | low        | high       | verdict
exactly R         | 33.7          | 33.6  | 0.1 => 0.1         | 0.1 - 0.1  | 0.1 + 0.1  | no_demonstrable_difference
exactly R, down   | 33.5          | 33.6  | 0.1 => -0.1        | -0.1 - 0.1 | -0.1 + 0.1 | no_demonstrable_difference
by less than 1e-9 | 33.7000000005 | 33.6  | 0.1 => 0.1         | 0          | 0.2        | no_demonstrable_difference
by more than 1e-9 | 33.70000001   | 33.6  | 0.1 => 0.1         | 0          | 0.2        | better
the next figure   | 33.8          | 33.6  | 0.1 => 33.8 - 33.6 | 0.2 - 0.1  | 0.2 + 0.1  | better
the next, down    | 33.4          | 33.6  | 0.1 => 33.4 - 33.6 | -0.2 - 0.1 | -0.2 + 0.1 | worse
whole percentages | 65            | 64    | 1   => 65 - 64     | 1 - 1      | 1 + 1      | no_demonstrable_difference
two of them       | 66            | 64    | 1   => 66 - 64     | 2 - 1      | 2 + 1      | better
the same figure   | 33.6          | 33.6  | 0   => 0           | 0          | 0          | no_demonstrable_difference

# Rule 5: a difference below the smallest that matters is none
all: relevant 0.5
case                | value | other => difference  | verdict
below it            | 34.0  | 33.6  => 34.0 - 33.6 | no_demonstrable_difference
below it, downwards | 33.2  | 33.6  => 33.2 - 33.6 | no_demonstrable_difference
exactly that        | 34.1  | 33.6  => 34.1 - 33.6 | better
above it            | 34.2  | 33.6  => 34.2 - 33.6 | better

# Rule 5, margins: an interval of the difference that contains 0 shows none; overlapping intervals say nothing
all: kind sample
case         | value          | other          | R   => low                               | verdict
contains 0   | 7.1 [6.8, 7.4] | 6.9 [6.7, 7.1] | 0   => 0.2 - sqrt(0.3**2 + 0.2**2)       | no_demonstrable_difference
does not     | 7.3 [7.0, 7.6] | 6.9 [6.7, 7.1] | 0   => 0.4 - sqrt(0.3**2 + 0.2**2)       | better
does, with R | 7.3 [7.0, 7.6] | 6.9 [6.7, 7.1] | 0.1 => 0.4 - sqrt(0.3**2 + 0.2**2) - 0.1 | no_demonstrable_difference
overlap      | 7.3 [7.0, 7.6] | 6.9 [6.6, 7.2] | 0   => 0.4 - sqrt(0.3**2 + 0.3**2)       | no_demonstrable_difference
overlap too  | 7.4 [7.1, 7.7] | 6.9 [6.6, 7.2] | 0   => 0.5 - sqrt(0.3**2 + 0.3**2)       | better

# Rule 5, one sample: where the design gives the standard error of the difference, the sides' own margins do not count
all: kind sample; R 0; value 7.3 [7.0, 7.6]
case                        | other          | se   | df  => low                         | verdict
a covariance makes it sure  | 7.1 [6.8, 7.4] | 0.05 | 400 => 0.2 - 0.05 * t(400)         | better
two regions, nothing shared | 7.1 [6.8, 7.4] | 0.2  | 400 => 0.2 - 0.2 * t(400)          | no_demonstrable_difference
few degrees of freedom      | 7.1 [6.8, 7.4] | 0.09 | 3   => 0.2 - 0.09 * t(3)           | no_demonstrable_difference
the design gives none       | 7.1 [6.8, 7.4] | -    | -   => 0.2 - sqrt(0.3**2 + 0.3**2) | no_demonstrable_difference
0 is no error but noise     | 7.1 [6.8, 7.4] | 0    | 400 => 0.2 - sqrt(0.3**2 + 0.3**2) | no_demonstrable_difference
nor without freedom         | 7.1 [6.8, 7.4] | 0.05 | 0   => 0.2 - sqrt(0.3**2 + 0.3**2) | no_demonstrable_difference

# Rule 5, one sample: its p-value is that of Student's t
all: kind sample; R 0; value 7.3 [7.0, 7.6]
case                         | other          | se   | df  => p                             | verdict
from the design              | 7.1 [6.8, 7.4] | 0.05 | 400 => pt(0.2, 0.05, 400)            | better
from the margins of both     | 7.1 [6.8, 7.4] | -    | -   => p(0.2, sqrt(0.3**2 + 0.3**2)) | no_demonstrable_difference

# Rule 5, fourteen municipalities: the more are tested, the more convincing a difference must be
all: kind sample; other 6.9 [6.5, 7.3]; R 0
case        | value          | others => p                  | adjusted                | verdict
alone       | 7.5 [7.1, 7.9] | 0      => p(0.6, sqrt(0.32)) | p(0.6, sqrt(0.32))      | better
of fourteen | 7.5 [7.1, 7.9] | 13     => p(0.6, sqrt(0.32)) | 14 * p(0.6, sqrt(0.32)) | no_demonstrable_difference
larger      | 7.8 [7.4, 8.2] | 13     => p(0.9, sqrt(0.32)) | 14 * p(0.9, sqrt(0.32)) | better
downwards   | 6.0 [5.6, 6.4] | 13     => p(0.9, sqrt(0.32)) | 14 * p(0.9, sqrt(0.32)) | worse

# Rule 5, counts are not tested: nothing is left to chance
all: other 33.6; others 13 => p -; adjusted -
case        | value => verdict
of fourteen | 33.8  => better
within R    | 33.7  => no_demonstrable_difference

# Rule 6: the sign, read with the polarity (also for euro amounts: both regions have the same prices)
case                                 | value | other | polarity | nominal => difference  | verdict
Enschede and the Netherlands, income | 27.8  | 33.6  | 1        | yes     => 27.8 - 33.6 | worse
more is better                       | 35.0  | 33.6  | 1        |         => 35.0 - 33.6 | better
less is better, more                 | 5.2   | 3.9   | -1       |         => 5.2 - 3.9   | worse
less is better, less                 | 3.0   | 3.9   | -1       |         => 3.0 - 3.9   | better
neither, more                        | 1099  | 530   | 0        |         => 1099 - 530  | higher
neither, less                        | 139   | 530   | 0        |         => 139 - 530   | lower

# The interval: of each side the margin that faces the other
all: kind sample => basis interval
case  | value          | other          => low                              | high
above | 7.0 [6.0, 7.5] | 5.0 [4.8, 5.9] => 2 - sqrt(1.0**2 + 0.9**2) - 0.1  | 2 + sqrt(0.5**2 + 0.2**2) + 0.1
below | 5.0 [4.8, 5.9] | 7.0 [6.0, 7.5] => -2 - sqrt(0.2**2 + 0.5**2) - 0.1 | -2 + sqrt(0.9**2 + 1.0**2) + 0.1

# The interval: a count has no margin
case            | value          | other          | kind              => low            | high           | basis
against a count | 7.0 [6.0, 7.5] | 5.0            | sample / register => 2 - 1.0 - 0.1  | 2 + 0.5 + 0.1  | interval
a count         | 5.0            | 7.0 [6.0, 7.5] | register / model  => -2 - 0.5 - 0.1 | -2 + 1.0 + 0.1 | interval
two counts      | 7.0            | 5.0            | register          => 2 - 0.1        | 2 + 0.1        | register

# A fourth of its comparator (w = 0.25): the margin is 0.75 times that of the difference from the rest
all: kind model; w 0.25; value 75 [73, 77]; other 70 [69.2, 70.8]
case    | R => low                                              | high
exact   | 0 => 5 - sqrt((0.75 * 2)**2 + 0.8**2 - (0.25 * 2)**2) | 5 + sqrt((0.75 * 2)**2 + 0.8**2 - (0.25 * 2)**2)
rounded | 1 => 5 - sqrt(1.5**2 + 0.8**2 - 0.5**2) - 1           | 5 + sqrt(1.5**2 + 0.8**2 - 0.5**2) + 1

# Part of its comparator, which says to be more certain than its part allows: the rest is taken as certain, not as less
all: kind model; w 0.25; value 75 [73, 77]; R 0
case        | other           => low          | high
too certain | 70 [69.8, 70.2] => 5 - 0.75 * 2 | 5 + 0.75 * 2
"""

CHANGES = """
# Rule 1: without both figures nothing can be said
all: => difference -; basis none; verdict not_decidable
case                          | value | other | series | period =>
no figure now                 | -     | 33.6  |        |        =>
no figure at the baseline     | 27.8  | -     |        |        =>
no figure, and another series | -     | 33.6  | b / a  |        =>
no figure, of the same period | -     | 33.6  |        | 2022   =>

# Rule 2: a break in the series (another period is what a change is about)
case                | value | other | series | period      | kind   | status      => verdict
another period      | 34.7  | 27.8  |        | 2024 / 2021 |        |             => better
a break             | 64    | 69    | b / a  |             |        |             => not_comparable
and the same period | 64    | 69    | b / a  | 2022        |        |             => not_comparable
and estimated       | 64    | 69    | b / a  |             |        | estimated   => not_comparable
and no margins      | 64    | 69    | b / a  |             | sample |             => not_comparable
and provisional     | 64    | 69    | b / a  |             |        | provisional => not_comparable

# Rule 3: nothing was measured anew
all: => verdict no_new_measurement
case                      | value       | other       | period | kind  | status                 =>
carried forward           | 33.6        | 33.6        | 2022   |       |                        =>
carried, revised since    | 33.9        | 33.6        | 2022   |       |                        =>
carried, no margin        | 71          | 71          | 2022   | model |                        =>
carried, provisional      | 33.6        | 33.6        | 2022   |       | provisional            =>
estimated now             | 76 [75, 77] | 70 [69, 71] |        | model | estimated / definitive =>
estimated at the baseline | 76 [75, 77] | 70 [69, 71] |        | model | definitive / estimated =>
estimated, no margin      | 76          | 70          |        | model | estimated / definitive =>

# Rule 4: how uncertain it is must be known
case                    | value | other | kind              => basis | verdict
sampled, no margin      | 71    | 69    | sample            => none  | not_decidable
sampled, then counted   | 71    | 69    | register / sample => none  | not_decidable
modelled, no difference | 71    | 71    | model             => none  | not_decidable

# Rule 4: how far a provisional count may be revised must be known too
case          | value       | other       | kind   | status                   | revision => verdict
unknown       | 39.2        | 29.7        |        | provisional / definitive |          => not_decidable
baseline      | 39.2        | 29.7        |        | definitive / provisional |          => not_decidable
no difference | 29.7        | 29.7        |        | provisional / definitive |          => not_decidable
known         | 39.2        | 29.7        |        | provisional / definitive | 0.2 / -  => better
wrong side    | 39.2        | 29.7        |        | provisional / definitive | - / 0.2  => not_decidable
within both   | 29.95       | 29.7        |        | provisional / definitive | 0.2 / -  => no_demonstrable_difference
sampled       | 76 [75, 77] | 70 [69, 71] | sample | provisional              |          => better

# Rule 5: no change can be shown
case        | value          | other          | kind   | R   | relevant | others => verdict
within R    | 33.7           | 33.6           |        | 0.1 |          |        => no_demonstrable_difference
above R     | 33.8           | 33.6           |        | 0.1 |          |        => better
too small   | 33.8           | 33.6           |        | 0.1 | 0.5      |        => no_demonstrable_difference
contains 0  | 7.1 [6.8, 7.4] | 6.9 [6.7, 7.1] | sample | 0   |          |        => no_demonstrable_difference
does not    | 7.5 [7.1, 7.9] | 6.9 [6.5, 7.3] | sample | 0   |          |        => better
of fourteen | 7.5 [7.1, 7.9] | 6.9 [6.5, 7.3] | sample | 0   |          | 13     => no_demonstrable_difference

# Rule 5, a survey: a standard error of 0 makes no change certain
all: kind sample; R 0; value 7.3 [7.0, 7.6]
case              | other          | se   | df  => p                             | verdict
the margins count | 7.1 [6.8, 7.4] | 0    | 400 => p(0.2, sqrt(0.3**2 + 0.3**2)) | no_demonstrable_difference
however far       | 6.7 [6.4, 7.0] | 0    | 400 => p(0.6, sqrt(0.3**2 + 0.3**2)) | better
a panel is sure   | 7.1 [6.8, 7.4] | 0.05 | 400 => pt(0.2, 0.05, 400)            | better
no margins either | 7.1            | 0    | 400 => -                             | not_decidable

# Rule 6: the sign, read with the polarity; euro amounts rise with prices, so more of them is only more
case                   | value | other | polarity | nominal => difference  | verdict
more is better         | 75.0  | 70.0  | 1        |         => 75.0 - 70.0 | better
more is better, less   | 70.0  | 79.6  | 1        |         => 70.0 - 79.6 | worse
less is better         | 3.0   | 3.9   | -1       |         => 3.0 - 3.9   | better
less is better, more   | 3.9   | 3.0   | -1       |         => 3.9 - 3.0   | worse
neither                | 36.5  | 35.0  | 0        |         => 36.5 - 35.0 | higher
neither, less          | 35.0  | 36.5  | 0        |         => 35.0 - 36.5 | lower
euro amounts           | 34.7  | 27.8  | 1        | yes     => 34.7 - 27.8 | higher
euro amounts, less     | 27.8  | 34.7  | 1        | yes     => 27.8 - 34.7 | lower
euro amounts of costs  | 34.7  | 27.8  | -1       | yes     => 34.7 - 27.8 | higher
euro amounts, within R | 27.9  | 27.8  | 1        | yes     => 27.9 - 27.8 | no_demonstrable_difference
"""

JUDGES = {"comparison": judge_comparison, "change": judge_change}
PERIODS = {"comparison": "2022", "change": "2024 / 2022"}
FIGURE = re.compile(r"(?P<value>\S+)(?: \[(?P<ci_low>\S+), (?P<ci_high>\S+)\])?")
GIVEN_COLUMNS = [
    *("case", "value", "other", "kind", "series", "period", "status", "revision"),
    *("R", "w", "polarity", "relevant", "nominal", "others"),
]
EXPECTED_COLUMNS = {
    "difference": "difference",
    "low": "difference_ci_low",
    "high": "difference_ci_high",
    "p": "p_value",
    "adjusted": "p_value_adjusted",
    "basis": "basis",
    "verdict": "verdict",
}
NUMBERS = ["difference", "low", "high", "p", "adjusted"]
# The 97.5% point of the normal distribution, from a statistical table.
Z_95 = 1.9599639845


@dataclass(frozen=True)
class Case:
    """One row of a table: what is given, and what must follow (as text)."""

    kind: str
    section: str
    given: dict[str, str]
    expected: dict[str, str]

    def __str__(self) -> str:
        """The name pytest shows."""
        return f"{self.kind}: {self.section.partition(':')[0]}: {self.given['case']}"


def cases(kind: str, text: str) -> Iterator[Case]:
    for block in text.strip().split("\n\n"):
        title, *rest = block.splitlines()
        note = rest.pop(0) if rest[0].startswith("all:") else "all:"
        for_all = [dict(map(named, filter(None, cells(side, ";")))) for side in f"{note[4:]}=>".split("=>")]
        header, *rows = rest
        names = [cells(side) for side in header.split("=>")]
        for row in rows:
            here = [dict(zip(names[side], cells(row.split("=>")[side]), strict=True)) for side in (0, 1)]
            given, expected = ({name: cell for name, cell in side.items() if name} for side in here)
            yield Case(kind, title.removeprefix("# "), for_all[0] | given, for_all[1] | expected)


def cells(line: str, separator: str = "|") -> list[str]:
    return [cell.strip() for cell in line.split(separator)]


def named(text: str) -> tuple[str, str]:
    name, _, cell = text.partition(" ")
    return name, cell


ALL_CASES = [*cases("comparison", COMPARISONS), *cases("change", CHANGES)]


def number(text: str) -> float | None:
    """The value of a cell: NULL, or arithmetic with sqrt and p."""
    if text in ("", "-"):
        return None
    names = {"sqrt": math.sqrt, "p": two_sided_p, "t": t_factor, "pt": two_sided_t, "__builtins__": {}}
    return float(eval(text, names))  # noqa: S307 - the tables above are the only thing evaluated


def two_sided_p(difference: float, margin: float) -> float:
    """Of a normal difference whose 95% interval is difference plus or minus margin."""
    return math.erfc(abs(difference) / (margin / Z_95) / math.sqrt(2))


def t_factor(freedom: float) -> float:
    return float(student.ppf(0.975, freedom))


def two_sided_t(difference: float, error: float, freedom: float) -> float:
    return float(2 * student.sf(abs(difference) / error, freedom))


def sides(text: str, default: str) -> tuple[str, str]:
    first, _, second = (text or default).partition(" / ")
    return first, second or first


def figure(text: str) -> dict[str, float | None]:
    match = FIGURE.fullmatch(text)
    assert match, f"not a figure: {text}"
    return {name: number(cell or "-") for name, cell in match.groupdict().items()}


def pair(case: Case) -> dict[str, Any]:
    """The row of the frame that a case describes."""
    given = case.given.get
    row: dict[str, Any] = {
        "row": "judged",
        "rounding_margin": number(given("R") or "0.1"),
        "share": number(given("w") or "0"),
        "polarity": int(given("polarity") or "1"),
        "min_relevant_difference": number(given("relevant") or "-"),
        "nominal": given("nominal") == "yes",
        "in_family": True,
        "difference_standard_error": number(given("se") or "-"),
        "difference_degrees_of_freedom": number(given("df") or "-"),
    }
    method, other_method = sides(given("method", ""), "yes")
    row |= {"comparable": method == "yes", "other_comparable": other_method == "yes"}
    kind, other_kind = sides(given("kind", ""), "register")
    series, other_series = sides(given("series", ""), "a")
    period, other_period = sides(given("period", ""), PERIODS[case.kind])
    status, other_status = sides(given("status", ""), "definitive")
    revision, other_revision = sides(given("revision", ""), "-")
    row |= {
        **figure(case.given["value"]),
        "kind": kind,
        "series_id": series,
        "reference_period": period,
        "status": status,
        "revision_margin": number(revision),
    }
    other: dict[str, Any] = {
        **figure(case.given["other"]),
        "kind": other_kind,
        "series_id": other_series,
        "reference_period": other_period,
        "status": other_status,
        "revision_margin": number(other_revision),
    }
    return row | {f"other_{name}": value for name, value in other.items()}


def frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    numbers = ["value", "ci_low", "ci_high", "revision_margin"]
    floats = [*numbers, *(f"other_{name}" for name in numbers), "min_relevant_difference", "rounding_margin", "share"]
    floats += ["difference_standard_error", "difference_degrees_of_freedom"]
    return pl.DataFrame(rows, infer_schema_length=None, schema_overrides=dict.fromkeys(floats, pl.Float64))


def with_family(case: Case) -> list[dict[str, Any]]:
    """The case's row, and those of the others it is tested with."""
    row = pair(case) | {"family": str(case)}
    same = {f"other_{name}": row[name] for name in ("value", "ci_low", "ci_high")}
    return [row, *[row | same | {"row": "other", "share": 0.0}] * int(case.given.get("others") or 0)]


@cache
def judged(kind: str) -> dict[str, dict[str, Any]]:
    """All cases of a kind with their verdicts, by name."""
    rows = [row for case in ALL_CASES if case.kind == kind for row in with_family(case)]
    found = JUDGES[kind](frame(rows), ["family"]).filter(row="judged")
    return {row["family"]: row for row in found.iter_rows(named=True)}


@pytest.mark.parametrize("case", ALL_CASES, ids=str)
def test_each_case_is_judged_as_the_table_says(case: Case) -> None:
    found = judged(case.kind)[str(case)]
    for name, text in case.expected.items():
        value = found[EXPECTED_COLUMNS[name]]
        if name in NUMBERS:
            expected = number(text)
            assert value == (None if expected is None else pytest.approx(expected, abs=1e-7)), name
        else:
            assert value == text, name


def test_every_case_has_a_name_of_its_own() -> None:
    assert len({str(case) for case in ALL_CASES}) == len(ALL_CASES)


def test_the_tables_reach_every_rule_and_every_verdict() -> None:
    verdicts = {"better", "worse", "higher", "lower", "no_demonstrable_difference", "not_decidable", "not_comparable"}
    for kind, also in (("comparison", set()), ("change", {"no_new_measurement"})):
        of_kind = [case for case in ALL_CASES if case.kind == kind]
        assert {case.expected["verdict"] for case in of_kind if "verdict" in case.expected} == verdicts | also
        assert {case.section[:6] for case in of_kind} >= {f"Rule {rule}" for rule in range(1, 7)}
    assert {case.expected.get("basis") for case in ALL_CASES} == {"register", "interval", "none", None}


def test_the_difference_in_percent_is_of_the_figure_compared_with() -> None:
    rows = [pair(Case("comparison", "", {"value": "27.8", "other": other}, {})) for other in ("33.6", "0")]
    found = judge_comparison(frame(rows), [])["relative_difference"].to_list()
    assert found == [pytest.approx(100 * (27.8 / 33.6 - 1)), None]


def member(value: str, other: str, share: str) -> dict[str, Any]:
    given = {"value": value, "other": other, "kind": "model", "R": "0", "w": share}
    return pair(Case("comparison", "", given, {}))


def test_a_member_against_its_group_is_tested_as_against_the_rest_of_the_group() -> None:
    # Member 75 +- 2 with weight 0.25, the others together 68 +- 1: the group is 0.25 * 75 + 0.75 * 68 = 69.75, its
    # margin sqrt((0.25 * 2)**2 + (0.75 * 1)**2) = 0.901388.
    margin = math.hypot(0.25 * 2, 0.75 * 1)
    in_group = member("75 [73, 77]", f"69.75 [{69.75 - margin}, {69.75 + margin}]", "0.25")
    apart = member("75 [73, 77]", "68 [67, 69]", "0")
    of_group, of_rest = (judge_comparison(frame([row]), []).row(0, named=True) for row in (in_group, apart))
    for name in ("difference", "difference_ci_low", "difference_ci_high"):
        assert of_group[name] == pytest.approx(0.75 * of_rest[name]), name
    assert of_rest["difference_ci_low"] == pytest.approx(7 - math.hypot(2, 1))
    assert of_group["p_value"] == pytest.approx(of_rest["p_value"])
    assert of_group["p_value"] == pytest.approx(two_sided_p(7, math.hypot(2, 1)))


# Benjamini and Hochberg (1995, J. R. Stat. Soc. B 57, 289-300), section 4.1: fifteen tests of a myocardial infarction
# trial, of which the procedure rejects four at 0.05. Adjusted by hand: p * 15 / rank, then the smallest from there up.
TRIAL = [
    (0.0001, 0.0001 * 15 / 1),
    (0.0004, 0.0004 * 15 / 2),
    (0.0019, 0.0019 * 15 / 3),
    (0.0095, 0.0095 * 15 / 4),
    (0.0201, 0.0201 * 15 / 5),
    (0.0278, 0.0298 * 15 / 7),
    (0.0298, 0.0298 * 15 / 7),
    (0.0344, 0.0344 * 15 / 8),
    (0.0459, 0.0459 * 15 / 9),
    (0.3240, 0.3240 * 15 / 10),
    (0.4262, 0.4262 * 15 / 11),
    (0.5719, 0.5719 * 15 / 12),
    (0.6528, 0.6528 * 15 / 13),
    (0.7590, 0.7590 * 15 / 14),
    (1.0000, 1.0000),
]


def adjusted(p_values: list[float | None], family: list[str] | None = None) -> list[float | None]:
    p = pl.DataFrame({"p": p_values, "family": family or ["one"] * len(p_values)}, schema_overrides={"p": pl.Float64})
    return p.with_columns(adjusted=benjamini_hochberg(pl.col("p")).over("family"))["adjusted"].to_list()


def test_p_values_are_adjusted_as_in_the_article_of_benjamini_and_hochberg() -> None:
    shuffled = [TRIAL[place] for place in np.random.default_rng(1995).permutation(15)]
    assert adjusted([p for p, _ in shuffled]) == pytest.approx([expected for _, expected in shuffled])
    assert sum(expected < 0.05 for _, expected in TRIAL) == 4


@pytest.mark.parametrize(
    ("p_values", "expected"),
    [
        ([0.02, None, 0.01, None], [0.02, None, 0.01 * 2, None]),  # a NULL is no test
        ([0.01, 0.04, 0.04, 0.5], [0.01 * 4, 0.04 * 4 / 3, 0.04 * 4 / 3, 0.5]),  # ties get the higher rank
        ([0.03, 0.03], [0.03, 0.03]),
        ([0.9, 0.8], [0.9, 0.9]),
        ([0.04], [0.04]),
        ([1.0, 1.0, 1.0], [1.0, 1.0, 1.0]),
        ([0.0, 1.0], [0.0, 1.0]),
        ([None, None], [None, None]),
        ([], []),
    ],
)
def test_p_values_are_adjusted_by_hand(p_values: list[float | None], expected: list[float | None]) -> None:
    assert adjusted(p_values) == [None if p is None else pytest.approx(p) for p in expected]


# Holm (1979, Scand. J. Statist. 6, 65-70) by hand: the smallest of m times m, the next times m - 1, never less than the
# one before. The last row agrees with p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm") of R 4.2.2.
@pytest.mark.parametrize(
    ("p_values", "expected"),
    [
        ([0.01, 0.02, 0.03], [0.01 * 3, 0.02 * 2, 0.02 * 2]),
        ([0.03, 0.01], [0.03, 0.01 * 2]),
        ([0.02, None, 0.02], [0.02 * 2, None, 0.02 * 2]),
        ([0.6, 0.7], [1.0, 1.0]),
        ([0.04], [0.04]),
        ([None], [None]),
        ([0.01, 0.04, 0.03, 0.005], [0.01 * 3, 0.03 * 2, 0.03 * 2, 0.005 * 4]),
    ],
)
def test_headline_claims_are_adjusted_by_hand(p_values: list[float | None], expected: list[float | None]) -> None:
    frame = pl.DataFrame({"p": p_values}, schema_overrides={"p": pl.Float64})
    found = frame.select(holm(pl.col("p")))["p"].to_list()
    assert found == [None if p is None else pytest.approx(p) for p in expected]


def test_a_headline_claim_is_tested_with_the_other_claims_and_not_with_its_family() -> None:
    # p of d = 0.6 and margin sqrt(0.32) is 0.0377: shown alone, not shown as one of two claims (Holm: 0.0754).
    row = pair(Case("comparison", "", {"value": DIFFERENCE_0_6, **SURVEY}, {}))
    alone, first, second = (row | {"claims": claims} for claims in (None, "2025", "2025"))
    found = judge_comparison(frame([alone, first, second]).with_columns(pl.col("claims").cast(pl.String)), [])
    p = two_sided_p(0.6, math.sqrt(0.32))
    assert found["p_value_adjusted"].to_list() == [pytest.approx(p), pytest.approx(2 * p), pytest.approx(2 * p)]
    assert found["verdict"].to_list() == ["better", "no_demonstrable_difference", "no_demonstrable_difference"]


def test_families_are_adjusted_apart_also_when_their_rows_are_mixed() -> None:
    p_values = [0.01, 0.01, 0.03, 0.02, None, 0.04, 0.9]
    family = ["a", "b", "a", "b", "b", "a", "b"]
    # a: 0.01 * 3, 0.03 * 3 / 2 -> min with 0.04, 0.04. b: 0.01 * 3, 0.02 * 3 / 2, 0.9.
    assert adjusted(p_values, family) == [
        pytest.approx(p) if p is not None else None for p in (0.03, 0.03, 0.04, 0.03, None, 0.04, 0.9)
    ]


# Margins of 0.4 on both sides, without rounding: the difference has the margin sqrt(0.32).
SURVEY = {"other": "6.9 [6.5, 7.3]", "kind": "sample", "R": "0"}
DIFFERENCE_0_6 = "7.5 [7.1, 7.9]"
DIFFERENCE_0_9 = "7.8 [7.4, 8.2]"


def survey(value: str, kind: str = "comparison", **more: Any) -> dict[str, Any]:
    return pair(Case(kind, "", SURVEY | {"value": value}, {})) | more


@pytest.mark.parametrize("judge", [judge_comparison, judge_change])
def test_where_the_rounding_is_not_known_nothing_is_said(judge: Callable[..., pl.DataFrame]) -> None:
    """Taken as zero, it would make a difference of half a rounding step demonstrable."""
    kind = "comparison" if judge is judge_comparison else "change"
    row = pair(Case(kind, "", {"value": "27.8", "other": "33.6"}, {})) | {"rounding_margin": None}
    judged = judge(frame([row]), []).row(0, named=True)
    assert (judged["verdict"], judged["basis"], judged["difference_ci_low"]) == ("not_decidable", "none", None)


def test_groups_are_not_tested_together_with_the_municipalities() -> None:
    rows = [survey(DIFFERENCE_0_6, row="group", in_family=False), *[survey("6.9 [6.5, 7.3]")] * 14]
    group = judge_comparison(frame(rows), []).row(0, named=True)
    assert group["p_value_adjusted"] == pytest.approx(two_sided_p(0.6, math.sqrt(0.32)))
    assert group["verdict"] == "better"


def test_every_indicator_year_and_comparator_is_a_family_of_its_own() -> None:
    rows = [survey(DIFFERENCE_0_6, comparator=c, year=y) for c in ("NL01", "TWENTE") for y in (2022, 2023)]
    found = judge_comparison(frame(rows), ["year", "comparator"])["p_value_adjusted"].to_list()
    assert found == [pytest.approx(two_sided_p(0.6, math.sqrt(0.32)))] * 4


def test_in_a_family_the_adjusted_p_is_that_of_all_who_are_tested() -> None:
    rows = [survey(value) for value in (DIFFERENCE_0_6, DIFFERENCE_0_9, "6.9 [6.5, 7.3]")]
    middle, small = two_sided_p(0.6, math.sqrt(0.32)), two_sided_p(0.9, math.sqrt(0.32))
    found = judge_comparison(frame(rows), [])["p_value_adjusted"].to_list()
    assert found == pytest.approx([middle * 3 / 2, small * 3, 1.0])


@pytest.mark.parametrize(("kind", "judge"), JUDGES.items())
def test_figures_that_are_not_comparable_are_not_tested_either(kind: str, judge: Callable[..., pl.DataFrame]) -> None:
    rows = [survey(DIFFERENCE_0_6, kind), *[survey("6.9 [6.5, 7.3]", kind, series_id="b")] * 13]
    found = judge(frame(rows), [])
    assert found["verdict"].to_list()[1:] == ["not_comparable"] * 13
    assert found["p_value"].to_list()[1:] == [None] * 13
    assert found["p_value_adjusted"][0] == pytest.approx(two_sided_p(0.6, math.sqrt(0.32)))


def test_the_order_of_the_rows_does_not_matter() -> None:
    rows = [pair(case) | {"row": str(case)} for case in ALL_CASES if case.kind == "comparison"]
    first, second = (judge_comparison(frame(order), ["row"]).sort("row") for order in (rows, rows[::-1]))
    assert first.equals(second)


SWAPPED = {"better": "worse", "worse": "better", "higher": "lower", "lower": "higher"}


def many(count: int) -> pl.DataFrame:
    """Differences drawn at random, each a family of its own: counts, samples and models, evenly and unevenly wide."""
    draw = np.random.default_rng(count)

    def choose(*options: Any) -> Any:
        return options[draw.integers(len(options))]

    rows = []
    for place in range(count):
        value, other = (float(draw.normal(70, 2)) for _ in range(2))
        row = {
            "row": str(place),
            "rounding_margin": choose(0.0, 0.1, 1.0),
            "share": 0.0,
            "polarity": choose(-1, 0, 1),
            "min_relevant_difference": choose(None, 0.5, 2.0),
            "nominal": False,
            "in_family": choose(True, False),
        }
        for prefix, x in (("", value), ("other_", other)):
            row |= {
                f"{prefix}value": x,
                f"{prefix}ci_low": x - float(draw.uniform(0, 3)),
                f"{prefix}ci_high": x + float(draw.uniform(0, 3)),
                f"{prefix}kind": choose("register", "sample", "model"),
                f"{prefix}series_id": "a",
                f"{prefix}reference_period": "2022",
                f"{prefix}status": choose("definitive", "provisional"),
                f"{prefix}revision_margin": None,
            }
        rows.append(row)
    return frame(rows)


SIDE = ["value", "ci_low", "ci_high", "kind", "series_id", "reference_period", "status", "revision_margin"]


def test_seen_from_the_other_side_better_is_worse_and_the_interval_is_mirrored() -> None:
    pairs = many(500)
    there = judge_comparison(pairs, ["row"])
    swap = {name: f"other_{name}" for name in SIDE}
    back = judge_comparison(pairs.rename(swap | {new: old for old, new in swap.items()}), ["row"])
    assert back["verdict"].to_list() == there["verdict"].replace(SWAPPED).to_list()
    assert set(there["verdict"]) == {*SWAPPED, "no_demonstrable_difference"}
    for name, mirrored in (
        ("difference", "difference"),
        ("difference_ci_low", "difference_ci_high"),
        ("difference_ci_high", "difference_ci_low"),
    ):
        assert back[name].to_list() == pytest.approx([-x for x in there[mirrored]]), name
    assert back["basis"].equals(there["basis"])
    assert back["p_value"].to_list() == [None if p is None else pytest.approx(p) for p in there["p_value"]]


def test_moving_both_sides_by_the_same_amount_leaves_the_difference() -> None:
    pairs = many(500)
    figures = [f"{side}{name}" for side in ("", "other_") for name in ("value", "ci_low", "ci_high")]
    before = judge_comparison(pairs, ["row"])
    after = judge_comparison(pairs.with_columns(pl.col(figures) + 30), ["row"])
    for name in ("difference", "difference_ci_low", "difference_ci_high"):
        assert after[name].to_list() == pytest.approx(before[name].to_list()), name
    assert after["verdict"].equals(before["verdict"])


@pytest.mark.parametrize("prefix", ["", "other_"])
@pytest.mark.parametrize("bound", ["ci_low", "ci_high"])
def test_more_uncertainty_never_shows_a_difference(prefix: str, bound: str) -> None:
    pairs = many(500)
    wider = pl.col(f"{prefix}value") + 1.5 * (pl.col(f"{prefix}{bound}") - pl.col(f"{prefix}value"))
    before = judge_comparison(pairs, ["row"])["verdict"]
    after = judge_comparison(pairs.with_columns(wider.alias(f"{prefix}{bound}")), ["row"])["verdict"]
    assert after.filter(before == "no_demonstrable_difference").unique().to_list() == ["no_demonstrable_difference"]
    coarser = judge_comparison(pairs.with_columns(pl.col("rounding_margin") + 0.5), ["row"])["verdict"]
    assert coarser.filter(before == "no_demonstrable_difference").unique().to_list() == ["no_demonstrable_difference"]


def test_interval_and_p_value_say_the_same_of_a_difference_that_stands_alone() -> None:
    tested = judge_comparison(many(500).with_columns(rounding_margin=0.0), ["row"]).filter(basis="interval")
    low, high = tested["difference_ci_low"], tested["difference_ci_high"]
    assert ((low > 0) | (high < 0)).to_list() == (tested["p_value"] < 0.05).to_list()


def markdown() -> str:
    """The tables for the documentation, with the arithmetic worked out."""
    parts = [LEGEND.strip()]
    for kind, heading in (("comparison", "Comparisons"), ("change", "Changes since the baseline")):
        parts += [f"## {heading}"]
        of_kind = [case for case in ALL_CASES if case.kind == kind]
        for section in dict.fromkeys(case.section for case in of_kind):
            rows = [case for case in of_kind if case.section == section]
            given = [name for name in GIVEN_COLUMNS if name in rows[0].given]
            expected = [name for name in EXPECTED_COLUMNS if name in rows[0].expected]
            lines = [[*given, *expected], ["---"] * len(given + expected)]
            lines += [[*map(case.given.get, given), *(worked_out(name, case) for name in expected)] for case in rows]
            parts += [f"### {section}", "\n".join(f"| {' | '.join(line)} |" for line in lines)]
    return "\n\n".join(parts) + "\n"


def worked_out(name: str, case: Case) -> str:
    text = case.expected[name]
    if name not in NUMBERS or re.fullmatch(r"-?[\d.]*", text):
        return text
    return f"`{text}` = {number(text):.4g}"


def test_the_tables_print_as_markdown() -> None:
    lines = markdown().splitlines()
    assert sum(line.startswith("| ") and not line.startswith(("| case", "| ---")) for line in lines) == len(ALL_CASES)
    assert any("`27.8 - 33.6` = -5.8" in line for line in lines)


if __name__ == "__main__":
    sys.stdout.write(f"# Verdicts\n\n{markdown()}")
