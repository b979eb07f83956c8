"""Weights are arithmetic on indicators, and nothing else."""

from __future__ import annotations

import polars as pl
import pytest

from catalog.expression import evaluate, names_in


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("population", 1000),
        ("population * (1 - young / 100)", 1000 * (1 - 20 / 100)),
        ("population - 2 * young", 1000 - 2 * 20),
        ("population / young / 5", 1000 / 20 / 5),
        ("(population + young) * 0.5", (1000 + 20) * 0.5),
        ("7", 7),
    ],
)
def test_expressions_are_calculated_as_on_paper(expression: str, expected: float) -> None:
    assert evaluate(expression, {"population": 1000, "young": 20}) == pytest.approx(expected)


def test_columns_are_calculated_row_by_row_and_a_missing_part_leaves_nothing() -> None:
    frame = pl.DataFrame({"population": [1000, 500, None], "young": [20.0, None, 10.0]})
    weight = evaluate("population * (1 - young / 100)", {name: pl.col(name) for name in frame.columns})
    assert frame.select(weight=weight)["weight"].to_list() == [800, None, None]


def test_the_names_are_the_indicators_it_needs() -> None:
    assert names_in("population * (1 - young / 100) + population") == {"population", "young"}
    assert names_in("2 * 3") == set()


@pytest.mark.parametrize(
    "expression",
    [
        "len(population)",
        "__import__('os')",
        "population.real",
        "population.__class__",
        "population[0]",
        "'population'",
        "[population]",
        "(population, young)",
        "{population}",
        "lambda: population",
        "population if young else 1",
        "population > young",
        "population and young",
        "not population",
        "population ** 2",
        "population // 2",
        "population % 2",
        "population @ young",
        "population | young",
        "True",
        "None",
        "1j",
        "b'1'",
        "f'{population}'",
        "(population := 1)",
        "[x for x in population]",
        "await population",
        "*population",
        "population; young",
        "population = 1",
        "import os",
        "population *",
        "(population",
        "",
        "\x00",
    ],
)
def test_anything_but_arithmetic_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match=r"expression|arithmetic|only hold"):
        names_in(expression)
    with pytest.raises(ValueError, match=r"expression|arithmetic|only hold"):
        evaluate(expression, {"population": 1, "young": 2})


def test_a_name_reaches_nothing_but_what_it_is_given() -> None:
    for name in ("__builtins__", "__import__", "open", "pl"):
        with pytest.raises(KeyError):
            evaluate(name, {"population": 1})
