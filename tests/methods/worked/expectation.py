"""What is to be expected of a municipality, by hand."""

from __future__ import annotations

import numpy as np
import polars as pl

from catalog.analysis_model import ExpectationSettings
from methods.expectation import code_blocks, conformal_half_widths, expect, expectations
from methods.measure import RegionRoles
from methods.structure import Structure
from tests.methods.worked import Example

_ROOT_MEAN_SQUARE = "sqrt((({}) ** 2 + ({}) ** 2 + ({}) ** 2 + ({}) ** 2 + ({}) ** 2 + ({}) ** 2) / 6)"
_BLOCKS = np.array(["A", "A", "B", "B", "C", "C"])


def _expected() -> list[float]:
    found = expect(
        outcome=np.array([10.0, 21.0, 12.0, 20.0, 11.0, 19.0]),
        features=np.array([[0.0], [1.0], [0.0], [1.0], [0.0], [1.0]]),
        size=np.full(6, 20_000.0),
        blocks=_BLOCKS,
        coverage=0.5,
    )
    return [*found.expected, found.low[0], found.high[0], found.cv_error, found.cv_error_of_mean]


def _half_widths() -> list[float]:
    residuals = np.array([0.6, 0.4, 8.0, -2.0, 1.0, -4.0])
    size = np.array([160_000.0, 250_000.0, 10_000.0, 10_000.0, 40_000.0, 40_000.0])
    return conformal_half_widths(residuals, size, _BLOCKS, coverage=0.5)[:2].tolist()


def _block_sizes() -> list[float]:
    codes = ["GM01", "GM02", "GM03", "GM04", "GM05", "GM06", "GM07", "GM08"]
    blocks = code_blocks(codes, 3, own=["GM05", "GM08"])
    return [float(blocks.filter(block=f"block_0{number}").height) for number in (1, 2, 3)]


def _table() -> list[float]:
    regions = pl.DataFrame(
        {
            "region_code": [f"GM{number:02}" for number in range(30)],
            "block": np.repeat(_BLOCKS, 5),
            "property": np.repeat([0.0, 1.0, 0.0, 1.0, 0.0, 1.0], 5),
            "value": np.repeat([10.0, 21.0, 12.0, 20.0, 11.0, 19.0], 5),
        }
    ).with_columns(population=20_000)
    values = regions.select(
        "region_code",
        "value",
        measurement_year=pl.lit(2022, dtype=pl.Int32),
        indicator_id=pl.lit("figure"),
        breakdown=pl.lit("total"),
        reference_period=pl.lit("2022"),
        warnings=pl.lit([], dtype=pl.List(pl.String)),
        series_id=pl.lit("series"),
        kind=pl.lit("register"),
    )
    found = expectations(
        values,
        Structure(regions.select("region_code", "property"), {"property": "2022"}, {}),
        pl.DataFrame({"indicator_id": ["figure"], "layer": "official", "measured_for": "municipality"}).with_columns(
            is_count=False
        ),
        regions,
        regions,
        RegionRoles(["GM00", "GM05"], ["REGION"], "COUNTRY", "REST", []),
        ExpectationSettings(coverage=0.5, folds=3, minimum_municipalities=30),
        "province",
    )
    return [*found["expected_value"], *found["residual"], found["flags_by_chance"][0]]


EXAMPLES = [
    Example(
        title="Expected given structure",
        text=(
            "Six municipalities of equal size, two in each of three provinces, with one property that is 0 or 1 "
            "(standardised: -1 or 1; its square is the same everywhere and says nothing). A municipality is predicted "
            "from the four of the other provinces: their mean, and a slope made a little smaller by the ridge penalty "
            "0.1, the one of 0.1, 1, 10 and 100 that predicts best when each of the four is left out in turn. The "
            "interval holds 50%: the residual at place (4 + 1) x 0.5, rounded up, of the four: the third in size."
        ),
        header=["municipality", "province", "property", "figure"],
        rows=[
            ["1", "A", "0", "10"],
            ["2", "A", "1", "21"],
            ["3", "B", "0", "12"],
            ["4", "B", "1", "20"],
            ["5", "C", "0", "11"],
            ["6", "C", "1", "19"],
        ],
        steps=[
            ("expected of 1", "(12 + 20 + 11 + 19) / 4 - (-12 + 20 - 11 + 19) / (4 + 0.1)"),
            ("expected of 2", "(12 + 20 + 11 + 19) / 4 + (-12 + 20 - 11 + 19) / (4 + 0.1)"),
            ("expected of 3", "(10 + 21 + 11 + 19) / 4 - (-10 + 21 - 11 + 19) / (4 + 0.1)"),
            ("expected of 4", "(10 + 21 + 11 + 19) / 4 + (-10 + 21 - 11 + 19) / (4 + 0.1)"),
            ("expected of 5", "(10 + 21 + 12 + 20) / 4 - (-10 + 21 - 12 + 20) / (4 + 0.1)"),
            ("expected of 6", "(10 + 21 + 12 + 20) / 4 + (-10 + 21 - 12 + 20) / (4 + 0.1)"),
            ("lower bound of 1: the third residual is that of 3", "(15.5 - 16 / 4.1) - (12 - (15.25 - 19 / 4.1))"),
            ("upper bound of 1", "(15.5 - 16 / 4.1) + (12 - (15.25 - 19 / 4.1))"),
            (
                "error of the model",
                _ROOT_MEAN_SQUARE.format(
                    *("10 - 15.5 + 16 / 4.1", "21 - 15.5 - 16 / 4.1", "12 - 15.25 + 19 / 4.1"),
                    *("20 - 15.25 - 19 / 4.1", "11 - 15.75 + 19 / 4.1", "19 - 15.75 - 19 / 4.1"),
                ),
            ),
            (
                "error of the mean",
                _ROOT_MEAN_SQUARE.format(
                    *("10 - 15.5", "21 - 15.5", "12 - 15.25", "20 - 15.25", "11 - 15.75", "19 - 15.75")
                ),
            ),
        ],
        result=_expected,
    ),
    Example(
        title="Wider for small municipalities",
        text=(
            "What was wrong in provinces B and C says how wide the intervals in A are. Four times as large is half as "
            "wrong here: residuals scatter with 1 / sqrt(inhabitants). Multiplied by sqrt(inhabitants) the residuals "
            "of B and C are 800, 200, 200 and 800; at 50% the third in size counts, 800, and is divided by the root "
            "of the own number of inhabitants. The residuals of A itself have no part in it."
        ),
        header=["municipality", "province", "inhabitants", "residual"],
        rows=[
            ["1", "A", "160000", "0.6"],
            ["2", "A", "250000", "0.4"],
            ["3", "B", "10000", "8"],
            ["4", "B", "10000", "-2"],
            ["5", "C", "40000", "1"],
            ["6", "C", "40000", "-4"],
        ],
        steps=[
            ("half width of 1", "8 * sqrt(10000) / sqrt(160000)"),
            ("half width of 2", "8 * sqrt(10000) / sqrt(250000)"),
        ],
        result=_half_widths,
    ),
    Example(
        title="Blocks by code",
        text=(
            "Eight municipalities in three blocks, of which GM05 and GM08 are our own. The list starts with these two "
            "and goes round from the first: GM05, GM08, GM06, GM07, GM01, GM02, GM03, GM04. Cut in three nearly equal "
            "parts the own ones are together."
        ),
        header=["block", "municipalities"],
        rows=[["block_01", "GM05 GM08"], ["block_02", "GM06 GM07 GM01"], ["block_03", "GM02 GM03 GM04"]],
        steps=[
            ("municipalities in block 1", "(8 - 2) / 3"),
            ("municipalities in block 2", "(8 + 1) / 3"),
            ("municipalities in block 3", "(8 + 1) / 3"),
        ],
        result=_block_sizes,
    ),
    Example(
        title="The table of expected figures",
        text=(
            "Each of these rows stands for five municipalities that are alike. Of the first two rows, in province A, "
            "one municipality is our own. Both are predicted from the twenty municipalities of B and C. The residual "
            "is the figure less what is expected; at a coverage of 50% one of two is outside its interval by chance."
        ),
        header=["five municipalities", "province", "property", "figure"],
        rows=[
            ["1, one is own", "A", "0", "10"],
            ["2, one is own", "A", "1", "21"],
            ["3", "B", "0", "12"],
            ["4", "B", "1", "20"],
            ["5", "C", "0", "11"],
            ["6", "C", "1", "19"],
        ],
        steps=[
            ("expected of 1", "5 * (12 + 20 + 11 + 19) / 20 - 5 * (-12 + 20 - 11 + 19) / (20 + 0.1)"),
            ("expected of 2", "5 * (12 + 20 + 11 + 19) / 20 + 5 * (-12 + 20 - 11 + 19) / (20 + 0.1)"),
            ("residual of 1", "10 - (15.5 - 80 / 20.1)"),
            ("residual of 2", "21 - (15.5 + 80 / 20.1)"),
            ("flags by chance", "(1 - 0.5) * 2"),
        ],
        result=_table,
    ),
]
