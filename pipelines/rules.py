"""What rules about published tables are made of; what is asked of which table stands in `pipelines.expectations`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import polars as pl

from catalog import Catalogue

MISSING = ["not_measured", "not_published", "not_retrieved", "suppressed", "not_applicable"]
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Rule:
    """One expectation: a Great Expectations class and its arguments, or a boolean column that must be true.

    `shows` names columns that tell a reader, beside the key, what is wrong with a row.
    """

    check_id: str
    expected: str
    expectation: str = "ExpectColumnValuesToBeInSet"
    arguments: dict[str, Any] = field(default_factory=dict)
    severity: Literal["error", "warning"] = "error"
    shows: tuple[str, ...] = ()


@dataclass(frozen=True)
class Suite:
    """Rules on one frame; `key` names the columns that tell a reader which row is meant, `unit` what a row is."""

    frame: pl.DataFrame
    key: list[str]
    rules: list[Rule]
    unit: str = "row"


@dataclass(frozen=True)
class Context:
    """What the rules may look up: the catalogue, the other tables and the partitions of the run."""

    catalogue: Catalogue
    read: Callable[[str], pl.DataFrame]
    partitions: list[str]

    def words(self, vocabulary: str) -> list[str]:
        """The words of a closed vocabulary."""
        return list(self.catalogue.vocabulary[vocabulary])

    @property
    def years(self) -> pl.DataFrame:
        """The measurement years of the run."""
        years = [int(partition) for partition in self.partitions]
        return pl.DataFrame({"measurement_year": years}, schema={"measurement_year": pl.Int32})


def flag(
    check_id: str,
    column: str,
    expected: str,
    severity: Literal["error", "warning"] = "error",
    shows: tuple[str, ...] = (),
) -> Rule:
    """A rule that a boolean column must be true."""
    arguments = {"column": column, "value_set": [True]}
    return Rule(check_id, expected, arguments=arguments, severity=severity, shows=shows)


def present(wanted: pl.DataFrame, frame: pl.DataFrame, check_id: str, expected: str) -> Suite:
    """A suite that demands a row of `frame` for every row of `wanted`."""
    keys = wanted.columns
    found = frame.select(keys).unique().with_columns(present=pl.lit(value=True))
    listed = wanted.join(found, keys, how="left", maintain_order="left").with_columns(
        pl.col("present").fill_null(value=False)
    )
    return Suite(listed, keys, [flag(check_id, "present", expected)])
