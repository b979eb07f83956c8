"""Faults of the software, told without their own words: an error of a library may quote the answer it stumbled on."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parents[2]


class ConfidentialFault(RuntimeError):  # noqa: N818 - says what it is
    """Something went wrong while respondents' rows were at hand; only what kind of error and where is told."""


@contextmanager
def confidential(*speaking: type[Exception]) -> Iterator[None]:
    """Let errors of the kinds `speaking` pass, whose messages never hold an answer; all others lose their message."""
    try:
        yield
        return
    except speaking:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, its message must not get out
        own = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_ours(frame.filename)]
        place = f"{Path(own[-1].filename).relative_to(_CHECKOUT)}, line {own[-1].lineno}" if own else "a library"
        fault = ConfidentialFault(
            f"{type(error).__name__} at {place}. What it says is not shown: it could quote an answer of a respondent."
        )
    raise fault from None


def _is_ours(filename: str) -> bool:
    path = Path(filename)
    return path.is_relative_to(_CHECKOUT) and ".venv" not in path.parts and path.name != Path(__file__).name
