"""An unexpected error never tells what it stumbled on."""

from __future__ import annotations

import traceback

import polars as pl
import pytest

from sources.errors import InputError
from sources.survey.confidential import ConfidentialFault, confidential

ANSWER = "ik ben heel ongelukkig"


def test_the_words_of_an_unexpected_error_are_lost_and_its_kind_and_place_are_told() -> None:
    with pytest.raises(ConfidentialFault, match="InvalidOperationError at") as caught, confidential(InputError):
        pl.Series([ANSWER]).cast(pl.Float64)
    told = "".join(traceback.format_exception(caught.value))
    assert ANSWER not in told
    assert "test_confidential.py" in str(caught.value)
    assert caught.value.__cause__ is None


def test_errors_that_are_written_for_people_pass() -> None:
    with pytest.raises(InputError, match="a weight above 0"), confidential(InputError):
        raise InputError("wave x", "a weight above 0")


def test_nothing_happens_where_nothing_goes_wrong() -> None:
    with confidential(InputError):
        assert pl.Series(["1"]).cast(pl.Float64).item() == 1
