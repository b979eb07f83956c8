from __future__ import annotations

import pickle

from sources.errors import InputError, UnknownRegion


def test_a_full_message_says_where_what_expected_and_what_to_do() -> None:
    error = UnknownRegion(
        "figures.csv", "a known code", row=7, column="region_code", value="GM164", remedy="Correct it.", more=2
    )
    assert str(error).splitlines() == [
        "figures.csv, row 7, column region_code: found 'GM164'; expected a known code.",
        "Correct it.",
        "(and 2 more rows with this fault)",
    ]


def test_a_short_message_holds_only_what_is_known() -> None:
    assert str(InputError("figures.csv", "a file")) == "figures.csv: expected a file."


def test_an_empty_value_is_shown_and_no_value_is_not() -> None:
    assert "found ''" in str(InputError("f", "x", value=""))
    assert "found" not in str(InputError("f", "x"))


def test_a_long_or_hostile_value_is_cut_and_escaped() -> None:
    line = str(InputError("f", "x", value="\x1b[31m" + "9" * 100_000))
    assert len(line) < 100
    assert "\x1b" not in line


def test_an_error_survives_the_way_to_another_process() -> None:
    error = UnknownRegion("f", "x", row=3, value="y")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301 - our own bytes
