"""The whole measurement as a chain of the pure functions, from observations to comparisons and changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from methods.aggregate import choose_figures, group_values, group_weights, member_weights
from methods.compare import changes, comparisons
from methods.measure import RegionRoles, indicator_values
from methods.reference import choose_references


@dataclass(frozen=True, eq=False)
class Measurement:
    """What goes in, and as properties what comes out; the first year is the baseline."""

    observation: pl.DataFrame
    members: pl.DataFrame
    indicators: pl.DataFrame
    sources: pl.DataFrame
    frozen: pl.DataFrame
    known: pl.DataFrame
    years: list[int]
    roles: RegionRoles
    contrasts: list[tuple[str, str]]
    variants: Sequence[tuple[str, str]] = ()

    @cached_property
    def references(self) -> pl.DataFrame:
        roles = self.roles
        required = {"municipality": roles.municipalities, "region": [roles.region], "country": [roles.country]}
        as_region = pl.col("region_code").replace(dict.fromkeys(roles.published_as, roles.region))
        observation = self.observation.with_columns(as_region)
        return choose_references(
            observation, self.indicators, self.sources, self.frozen, self.known, self.years, required
        )

    @cached_property
    def figures(self) -> pl.DataFrame:
        return choose_figures(self.observation, self.references, self.sources)

    @cached_property
    def group_weight(self) -> pl.DataFrame:
        weights = member_weights(self.figures, self.observation, self.sources, self.indicators)
        return group_weights(weights, self.members, self.indicators, self.roles.groups)

    @cached_property
    def indicator_value(self) -> pl.DataFrame:
        groups = group_values(self.figures, self.group_weight)
        return indicator_values(self.references, self.figures, groups, self.indicators, self.roles)

    @cached_property
    def comparison(self) -> pl.DataFrame:
        return comparisons(
            self.indicator_value,
            self.group_weight,
            self.indicators,
            self.sources,
            self.roles,
            self.contrasts,
            variants=self.variants,
        )

    @cached_property
    def change(self) -> pl.DataFrame:
        baseline = self.indicator_value.filter(measurement_year=self.years[0])
        return changes(
            self.indicator_value,
            baseline,
            self.group_weight,
            self.indicators,
            self.sources,
            self.roles,
            self.years[0],
        )

    def value(self, indicator: str, region: str, year: int) -> dict[str, object]:
        return self.indicator_value.row(
            by_predicate=(pl.col("indicator_id") == indicator)
            & (pl.col("region_code") == region)
            & (pl.col("measurement_year") == year),
            named=True,
        )
