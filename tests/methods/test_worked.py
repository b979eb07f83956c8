"""Small tables with the arithmetic written out: the functions give what one finds by hand, and the docs print it.

`python -m tests.methods.test_worked` prints docs/worked-examples.md.
"""

from __future__ import annotations

import importlib
import math
import sys
from pathlib import Path

import pytest

from tests.methods.worked import Example

MODULES = ["index", "ranks", "scores", "trend", "position", "peers", "expectation", "decomposition"]
DOCUMENT = Path(__file__).parents[2] / "docs" / "worked-examples.md"
FUNCTIONS = {"sqrt": math.sqrt, "min": min, "max": max, "abs": abs}


def examples() -> list[Example]:
    return [
        example for module in MODULES for example in importlib.import_module(f"tests.methods.worked.{module}").EXAMPLES
    ]


def by_hand(arithmetic: str) -> float:
    """What the arithmetic gives; it may hold numbers and four functions only."""
    return float(eval(arithmetic, {"__builtins__": {}}, FUNCTIONS))  # noqa: S307 - our own text


def markdown() -> str:
    parts = [
        "# Worked examples",
        "",
        "Every method of the analysis on a table small enough to do by hand, with the arithmetic written out. A test",
        "holds each line against the function that makes the published figures; this page is printed by",
        "`python -m tests.methods.test_worked`.",
    ]
    for example in examples():
        parts += ["", f"## {example.title}", "", example.text, ""]
        parts += [_row(example.header), _row(["---"] * len(example.header)), *map(_row, example.rows), ""]
        parts += [_row(["what", "by hand", "is"]), _row(["---", "---", "---"])]
        parts += [_row([what, f"`{steps}`", f"{by_hand(steps):.6g}"]) for what, steps in example.steps]
    return "\n".join(parts) + "\n"


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.title)
def test_the_function_gives_what_one_finds_by_hand(example: Example) -> None:
    expected = [by_hand(arithmetic) for _, arithmetic in example.steps]
    assert example.result() == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_the_documentation_shows_these_examples() -> None:
    shown = DOCUMENT.read_text(encoding="utf-8")
    assert shown == markdown(), "print it anew: python -m tests.methods.test_worked > docs/worked-examples.md"


if __name__ == "__main__":
    sys.stdout.write(markdown())
