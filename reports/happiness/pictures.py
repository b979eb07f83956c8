"""Figures as pictures: dots with margins on an axis, and the same in words for who does not see them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from catalog.model import Indicator
from reports.claims.figures import shown
from reports.document.model import Line, Mark, Picture
from reports.happiness.cells import SYNTHETIC, figure, is_synthetic, margin_text, number
from reports.happiness.texts import say
from reports.view import Row
from reports.words import Words

LEVEL: Final = 95  # per cent, of every margin in the tables
OWN: Final = "own"
OTHERS: Final = ("bar", "triangle")  # the marks of what is compared with
_MOST_STEPS: Final = 6  # between the ticks of an axis
_STEPS: Final = (1, 2, 5)


@dataclass(frozen=True)
class Drawn:
    """A line before it has an axis: a name, the indicator, the row, the kind of its mark, and the rows beside it."""

    name: str
    indicator: Indicator
    row: Row | None
    kind: str
    beside: Sequence[Row | None] = ()


def picture(
    caption: str,
    drawn: Sequence[Drawn],
    legend: Sequence[tuple[str, str]],
    words: Words,
    *,
    line_height: float,
) -> Picture | None:
    """A picture of these lines, which have one unit; None where there is no figure at all."""
    if all(line.row is None or line.row["value"] is None for line in drawn):
        return None
    rows = [row for line in drawn for row in (line.row, *line.beside)]
    stamp = words("stamp") if any(is_synthetic(row) for row in rows) else ""
    ticks = _ticks([end for line in drawn for end in _ends(line, words)])
    low, high = ticks[0], ticks[-1]
    decimals = max(0, -math.floor(math.log10(ticks[1] - low) + 1e-9))
    texts = [words.number(tick, decimals) for tick in ticks]
    unit = say("axis", unit=words.unit(drawn[0].indicator), low=texts[0], high=texts[-1])
    lines = "; ".join(_in_words(line, words) for line in drawn)
    return Picture(
        caption,
        f"{stamp}{say('alt', caption=caption, unit=unit, lines=lines)}",
        unit,
        tuple(((tick - low) / (high - low), text) for tick, text in zip(ticks, texts, strict=True)),
        tuple(_line(line, low, high, words) for line in drawn),
        tuple(legend),
        line_height,
        words.label("warning", SYNTHETIC) if stamp else "",
    )


def own_mark(name: str, rows: Sequence[Row | None]) -> tuple[str, str]:
    """The entry in the legend for dots: whether they have margins."""
    margins = any(row is not None and row["ci_low"] is not None for row in rows)
    return OWN, say("with_margin", name=name, level=LEVEL) if margins else name


def _ends(line: Drawn, words: Words) -> list[float]:
    """All that the line puts on the axis."""
    values = [line.row[name] for name in ("value", "ci_low", "ci_high")] if line.row else []
    values += [row["value"] for row in line.beside if row]
    return [shown(value, line.indicator, words) for value in values if value is not None]


def _ticks(ends: Sequence[float]) -> list[float]:
    """Round numbers from below the lowest to above the highest."""
    low, high = min(ends), max(ends)
    exponent = math.floor(math.log10(max(high - low, 1e-3))) - 1
    for step in (step * 10.0**power for power in range(exponent, exponent + 4) for step in _STEPS):
        first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
        if last - first <= _MOST_STEPS:
            break
    return [k * step for k in range(first, max(last, first + 1) + 1)]


def _line(line: Drawn, low: float, high: float, words: Words) -> Line:
    def place(value: float) -> float:
        return (shown(value, line.indicator, words) - low) / (high - low)

    marks = [
        Mark(kind, place(row["value"]))
        for kind, row in zip(OTHERS, line.beside, strict=False)
        if row and row["value"] is not None
    ]
    text = figure(line.row, line.indicator, words).text
    if line.row is None or line.row["value"] is None:
        return Line(line.name, text, tuple(marks))
    ends = [line.row[end] for end in ("ci_low", "ci_high")]
    margin = None if None in ends else (place(ends[0]), place(ends[1]))
    return Line(line.name, text, (*marks, Mark(line.kind, place(line.row["value"]))), margin)


def _in_words(line: Drawn, words: Words) -> str:
    cell = figure(line.row, line.indicator, words)
    margin = margin_text(line.row, line.indicator, words) if line.row else ""
    said = say("figure_with_margin", figure=cell.text, margin=margin) if margin else cell.text
    others = [
        say("other", name=words.region(row["region_code"]), value=number(row["value"], line.indicator, words))
        for row in line.beside
        if row and row["value"] is not None
    ]
    return ", ".join([say("alt_line", name=line.name, figure=said), *others])
