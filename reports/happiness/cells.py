"""Rows of an edition as cells of a table: figures, margins, statuses and verdicts as readers see them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from catalog.model import Indicator
from reports.charts.texts import period_text
from reports.claims.figures import difference_parts, lacks_answers, lacks_figure, margin, places, places_of, shown
from reports.document.model import Cell
from reports.happiness.texts import say
from reports.view import Row
from reports.words import Words

SYNTHETIC: Final = "synthetic"  # the warning of a figure that is made up
NO_MARGIN: Final = "no_margin"  # the warning of a figure whose source gives no margin: said in the margin's place
DEFINITIVE: Final = "definitive"  # the status that is not said: a figure stands unless something is said of it


def number(value: float, indicator: Indicator, words: Words, decimals: int | None = None) -> str:
    """A figure as readers see it: a score as a report grade."""
    return words.number(shown(value, indicator, words), places(indicator, words) if decimals is None else decimals)


def margin_text(row: Row, indicator: Indicator, words: Words) -> str:
    """`tussen 6,5 en 6,8`; empty where there is no margin."""
    low, high = (None if row[end] is None else shown(row[end], indicator, words) for end in ("ci_low", "ci_high"))
    return "".join(margin(low, high, places_of(row.cells, indicator, words), words))


def figure(row: Row | None, indicator: Indicator, words: Words) -> Cell:
    """A figure with its margin, or why there is none; without a figure, why."""
    if row is None or row["value"] is None:
        return Cell(missing(row, words))
    said = margin_text(row, indicator, words) or _why_no_margin(row, indicator, words)
    return Cell(number(row["value"], indicator, words, places_of(row.cells, indicator, words)), said)


def missing(row: Row | None, words: Words) -> str:
    """Why there is no figure: the word of the status."""
    return say("no_figure") if row is None else words.label("status", row["status"])


def _why_no_margin(row: Row, indicator: Indicator, words: Words) -> str:
    kinds = {source.kind for source in indicator.sources if source.source_table == row["source_table"]}
    return words.label("basis", "register") if kinds == {"register"} else words.label("warning", NO_MARGIN)


def answers(row: Row | None, words: Words) -> Cell:
    """How many people answered."""
    if row is not None and lacks_answers(row.cells, words):
        return Cell(say("answers_not_used"))
    return Cell(say("no_answers") if row is None or row["n"] is None else words.number(row["n"], 0))


def period(row: Row | None, words: Words, leave_out: Sequence[str] = ()) -> Cell:
    """The reference period of a figure with what must be known of it; without a figure nothing but its status."""
    if row is None or row["value"] is None:
        return Cell(missing(row, words))
    return Cell(period_text(row["reference_period"]), remarks(row, words, leave_out))


def remarks(row: Row | None, words: Words, leave_out: Sequence[str] = ()) -> str:
    """Status and warnings of a figure in words, but for these."""
    return "; ".join(label for label in labels(row, words) if label not in leave_out)


def labels(row: Row | None, words: Words) -> list[str]:
    """Status and warnings of a figure in words; none for a figure that is definitive and of which there is no more."""
    if row is None or row["value"] is None:
        return []
    said = [] if row["status"] == DEFINITIVE else [words.label("status", row["status"])]
    return said + [words.label("warning", warning) for warning in row["warnings"] if warning != NO_MARGIN]


def shared_labels(rows: Sequence[Row | None], words: Words) -> list[str]:
    """What must be known of each of these figures, where there are several."""
    found = [labels(row, words) for row in rows if row is not None and row["value"] is not None]
    if len(found) < 2:
        return []
    return [label for label in found[0] if all(label in others for others in found)]


def against(row: Row | None, indicator: Indicator, words: Words) -> Cell:
    """The verdict on a difference, and the figure that is compared with."""
    if row is None:
        return Cell(say("nothing_compared"))
    other = row["comparator_value"]
    note = "" if other is None else number(other, indicator, words)
    return Cell(words.label("verdict", row["verdict"]), _with_reason(row, note), row["verdict"])


def since(row: Row | None, indicator: Indicator, words: Words) -> Cell:
    """The verdict on a change since the baseline, and the figure of then."""
    if row is None:
        return Cell(say("nothing_compared"))
    before, when = row["baseline_value"], row["baseline_reference_period"]
    decimals = places_of({**row.cells, "value": before}, indicator, words)
    note = "" if before is None else number(before, indicator, words, decimals)
    if note and when != str(row["baseline_year"]):
        note = say("other", name=period_text(when), value=note)
    return Cell(words.label("verdict", row["verdict"], change=True), _with_reason(row, note), row["verdict"])


def verdict(row: Row | None, words: Words, *, change: bool = False) -> Cell:
    """The verdict of a row alone; of a change over time with `change`."""
    if row is None:
        return Cell(say("nothing_compared"))
    return Cell(words.label("verdict", row["verdict"], change=change), _with_reason(row), row["verdict"])


def decided(row: Row | None, indicator: Indicator, words: Words) -> Cell:
    """The verdict on a difference, and the difference with its margin."""
    if row is None or row["difference"] is None:
        return verdict(row, words)
    return Cell(
        words.label("verdict", row["verdict"]), "; ".join(difference_parts(row.cells, indicator, words)), row["verdict"]
    )


def _with_reason(row: Row, note: str = "") -> str:
    """A note; before it that a figure is missing, where nothing can be said since that is so."""
    return "; ".join(filter(None, (say("no_figure") if lacks_figure(row.cells) else "", note)))


def is_synthetic(row: Row | None) -> bool:
    """Whether a made-up figure had a part in the row."""
    return row is not None and SYNTHETIC in row["warnings"]


def parts(key: str) -> dict[str, str]:
    """The columns of a key such as `a=1|b=2`."""
    return {name: value for name, _, value in (part.partition("=") for part in key.split("|"))}
