"""The reference results (see oracles/README.md): the samples as Survey, the rows, and a comparison that skips none."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import polars as pl
import pytest

from methods.survey.design import Survey

FOLDER = Path(__file__).parent / "oracles"


@cache
def survey(design: str) -> Survey:
    """`strat`, `strat_nofpc` or `srs`."""
    if design == "srs":
        frame = pl.read_csv(FOLDER / "apisrs.csv", infer_schema_length=None)
        # The README: weights are fpc / n; R has them as 1 / (n / fpc), which decides ties of quantiles.
        frame = frame.with_columns(weight=1 / (frame.height / pl.col("fpc")))
        return Survey.of(frame, weight="weight", population_size="fpc")
    frame = pl.read_csv(FOLDER / "apistrat.csv", infer_schema_length=None)
    size = "fpc" if design == "strat" else None
    return Survey.of(frame, weight="pw", stratum="stype", population_size=size)


def expected(file: str, **where: str) -> dict[tuple[str, str, str], float]:
    """Rows of a file by (variable, domain, stat); a number that stands there twice is the same both times."""
    rows = pl.read_csv(FOLDER / file, infer_schema_length=None).filter(**where)
    keys = rows.select(pl.col("variable", "domain", "stat").cast(pl.String).fill_null("")).rows()
    assert len(set(keys)) == rows.select("variable", "domain", "stat", "value").unique().height > 0
    return dict(zip(keys, rows["value"], strict=True))


def assert_same(
    found: Mapping[tuple[str, str, str], float],
    wanted: Mapping[tuple[str, str, str], float],
    relative: float = 1e-9,
    absolute: float = 0.0,
) -> None:
    """Every wanted row is found with the same number; what is found beyond is not looked at."""
    missing = sorted(set(wanted) - set(found))
    assert not missing, f"no result for {missing}"
    wrong = {
        key: (found[key], value)
        for key, value in wanted.items()
        if found[key] != pytest.approx(value, rel=relative, abs=absolute)
    }
    assert not wrong, f"found, expected: {wrong}"
