"""Worked examples: small tables with the arithmetic written out, held against the real functions and printed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Example:
    """One method on a table small enough to do by hand.

    `steps` are what is computed and the arithmetic that gives it; `result` calls the project's function and returns
    one number for each step.
    """

    title: str
    text: str
    header: list[str]
    rows: list[list[str]]
    steps: list[tuple[str, str]]
    result: Callable[[], list[float]]
