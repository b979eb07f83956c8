"""The colours of everything that is shown: told apart by all common forms of colour blindness, and never alone.

Okabe and Ito's colours (2008, jfly.uni-koeln.de/color), as in the pictures. On a dark ground they are lighter.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Shade(NamedTuple):
    """A colour on a light and on a dark ground."""

    light: str
    dark: str


PAPER: Final = Shade("#ffffff", "#16191d")
INK: Final = Shade("#000000", "#f2f2f2")
GREY: Final = Shade("#4d4d4d", "#b8b8b8")
LINE: Final = Shade("#d9d9d9", "#3d434a")
# Of the two groups that are set against each other, and of what is favourable and unfavourable.
ORANGE: Final = Shade("#d55e00", "#ff9142")
BLUE: Final = Shade("#0072b2", "#6cb8ec")
GREEN: Final = Shade("#009e73", "#4fd1a9")
PINK: Final = Shade("#cc79a7", "#e3a3c6")
# What must be seen from afar: that figures are invented.
ALARM: Final = Shade("#b00040", "#ff85a8")


class Sign(NamedTuple):
    """A shape and its colour; they stand beside a word and never alone."""

    shape: str
    colour: Shade


# Of verdicts; their words come from the vocabulary.
VERDICTS: Final = {
    "better": Sign("▲", BLUE),
    "worse": Sign("▼", ORANGE),
    "higher": Sign("△", INK),
    "lower": Sign("▽", INK),
    "no_demonstrable_difference": Sign("○", GREY),
    "not_decidable": Sign("?", GREY),
    "no_new_measurement": Sign("–", GREY),
    "not_comparable": Sign("≠", GREY),
}
# How far a target is; shapes that no verdict has, and that no system shows as a coloured little picture.
TARGETS: Final = {
    "reached": Sign("★", BLUE),
    "on_course": Sign("►", GREEN),
    "behind": Sign("◄", ORANGE),
    "not_started": Sign("□", GREY),
}
SIGNS: Final = VERDICTS | TARGETS
# Before what an editor must still look at.
REMARK: Final = Sign("✎", ALARM)
