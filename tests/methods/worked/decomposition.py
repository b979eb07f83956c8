"""Worked examples of the decomposition of a difference between two groups."""

from __future__ import annotations

import numpy as np
import polars as pl

from methods.decomposition import decompositions, kitagawa
from tests.methods.worked import Example

_HEADER = ["age", "score, cores", "people, cores", "score, rural", "people, rural"]
_ROWS = [
    ["18-34", "6.0", "40", "7.0", "20"],
    ["35-49", "6.5", "20", "7.0", "20"],
    ["50-64", "7.0", "20", "7.5", "30"],
    ["65+", "7.5", "20", "8.0", "30"],
]
_SCORE_A, _PEOPLE_A, _SCORE_B, _PEOPLE_B = (np.array([float(row[place]) for row in _ROWS]) for place in (1, 2, 3, 4))
_ERRORS_A, _ERRORS_B = np.array([0.4, 0.3, 0.3, 0.3]), np.array([0.3, 0.3, 0.2, 0.2])


def _by_hand() -> list[float]:
    found = kitagawa(_SCORE_A, _PEOPLE_A / 100, _SCORE_B, _PEOPLE_B / 100, _ERRORS_A, _ERRORS_B)
    assert found.composition_standard_error is not None
    assert found.within_standard_error is not None
    margin = 1.959963984540054 * found.within_standard_error
    errors = [found.composition_standard_error, found.within_standard_error]
    return [found.difference, found.composition, found.within, *errors, found.within - margin, found.within + margin]


def _published() -> list[float]:
    """The same cells as figures of the survey; the totals are published rounded, 6.6 and 7.5."""
    sides = [("URBAN_CORE", _SCORE_A, _PEOPLE_A, 6.6), ("RURAL", _SCORE_B, _PEOPLE_B, 7.5)]
    rows = [
        (region, f"age={row[0]}", float(score), float(people))
        for region, scores, counts, _ in sides
        for row, score, people in zip(_ROWS, scores, counts, strict=True)
    ]
    rows += [(region, "total", total, 100.0) for region, _, _, total in sides]
    estimates = pl.DataFrame(
        rows, schema=["region_code", "breakdown", "value", "population"], orient="row"
    ).with_columns(
        measurement_year=pl.lit(2025, dtype=pl.Int32),
        variable_id=pl.lit("score"),
        indicator_id=pl.lit("score"),
        statistic=pl.lit("mean"),
        standard_error=pl.lit(0.1),
        status=pl.lit("definitive"),
        warnings=pl.lit([], dtype=pl.List(pl.String)),
    )
    differences = pl.DataFrame(
        schema=dict.fromkeys(["indicator_id", "region_code", "comparator_code", "breakdown"], pl.String)
        | dict.fromkeys(["measurement_year", "comparator_year"], pl.Int32)
        | dict.fromkeys(["difference", "standard_error", "degrees_of_freedom"], pl.Float64)
    )
    table = decompositions(estimates, [("URBAN_CORE", "RURAL")], differences)
    found = dict(table.select("component", "contribution").iter_rows())
    return [found[component] for component in ("difference", "composition", "within", "not_broken_down")]


EXAMPLES = [
    Example(
        title="Composition and within (Kitagawa)",
        text=(
            "The cores score lower than the rural municipalities. More young people live in the cores, and young "
            "people score lower: that is composition, which is arithmetic, not cause. Within is what remains between "
            "people of the same age. Standard errors of the scores, by age: cores 0.4, 0.3, 0.3, 0.3; rural 0.3, 0.3, "
            "0.2, 0.2."
        ),
        header=_HEADER,
        rows=_ROWS,
        steps=[
            (
                "difference: mean of the cores less mean of rural",
                "(0.4 * 6.0 + 0.2 * 6.5 + 0.2 * 7.0 + 0.2 * 7.5) - (0.2 * 7.0 + 0.2 * 7.0 + 0.3 * 7.5 + 0.3 * 8.0)",
            ),
            (
                "composition: difference in share times mean score, by age",
                (
                    "(0.4 - 0.2) * (6.0 + 7.0) / 2 + (0.2 - 0.2) * (6.5 + 7.0) / 2"
                    " + (0.2 - 0.3) * (7.0 + 7.5) / 2 + (0.2 - 0.3) * (7.5 + 8.0) / 2"
                ),
            ),
            (
                "within: difference in score times mean share, by age",
                (
                    "(6.0 - 7.0) * (0.4 + 0.2) / 2 + (6.5 - 7.0) * (0.2 + 0.2) / 2"
                    " + (7.0 - 7.5) * (0.2 + 0.3) / 2 + (7.5 - 8.0) * (0.2 + 0.3) / 2"
                ),
            ),
            (
                "standard error of composition",
                (
                    "sqrt((0.2 / 2) ** 2 * (0.4 ** 2 + 0.3 ** 2) + 0 + (0.1 / 2) ** 2 * (0.3 ** 2 + 0.2 ** 2)"
                    " + (0.1 / 2) ** 2 * (0.3 ** 2 + 0.2 ** 2))"
                ),
            ),
            (
                "standard error of within",
                (
                    "sqrt((0.6 / 2) ** 2 * (0.4 ** 2 + 0.3 ** 2) + (0.4 / 2) ** 2 * (0.3 ** 2 + 0.3 ** 2)"
                    " + (0.5 / 2) ** 2 * (0.3 ** 2 + 0.2 ** 2) + (0.5 / 2) ** 2 * (0.3 ** 2 + 0.2 ** 2))"
                ),
            ),
            ("95% interval of within, lower bound", "-0.65 - 1.959963984540054 * sqrt(0.04595)"),
            ("95% interval of within, upper bound", "-0.65 + 1.959963984540054 * sqrt(0.04595)"),
        ],
        result=_by_hand,
    ),
    Example(
        title="What the published totals add",
        text=(
            "The same table where the totals are published rounded: 6.6 and 7.5 instead of 6.60 and 7.45. Composition "
            "and within are those of the cells; what the cells do not reproduce of the published difference is said "
            "apart."
        ),
        header=_HEADER,
        rows=_ROWS,
        steps=[
            ("published difference", "6.6 - 7.5"),
            (
                "composition: the second term is 0, as many people of 35-49 live in both",
                "0.2 * 13.0 / 2 - 0.1 * 14.5 / 2 - 0.1 * 15.5 / 2",
            ),
            ("within", "-1.0 * 0.6 / 2 - 0.5 * 0.4 / 2 - 0.5 * 0.5 / 2 - 0.5 * 0.5 / 2"),
            ("not broken down: what remains", "(6.6 - 7.5) - (-0.2) - (-0.65)"),
        ],
        result=_published,
    ),
]
