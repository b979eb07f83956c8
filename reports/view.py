"""An edition as pages, documents and sentences look at it: rows by key, and which of them a reader is shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import polars as pl

from catalog import Catalogue
from catalog.model import Indicator, Theme

# Tables of which rows are looked up by key, each with what a key leaves out because one value is shown only.
_SHOWN: Final[Mapping[str, Mapping[str, str]]] = {
    "indicator_value": {"breakdown": "total"},
    "comparison": {"breakdown": "total"},
    "change": {"breakdown": "total"},
}


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a published table, with what finds it again: the table and its key as `a=1|b=2`."""

    table: str
    key: str
    cells: Mapping[str, Any]

    def __getitem__(self, column: str) -> Any:
        """The cell of a column."""
        return self.cells[column]


def rows_of(table: str, key: Sequence[str], frame: pl.DataFrame) -> Iterator[Row]:
    """The rows of a frame, each with its key."""
    for cells in frame.iter_rows(named=True):
        yield Row(table, "|".join(f"{column}={cells[column]}" for column in key), cells)


@dataclass(frozen=True)
class View:
    """The published tables of an edition, and its catalogue."""

    tables: Mapping[str, pl.DataFrame]
    catalogue: Catalogue

    @property
    def year(self) -> int:
        """The measurement year of the edition."""
        return self.catalogue.region.last_measurement_year

    @property
    def baseline(self) -> int:
        """The year of the baseline."""
        return self.catalogue.region.baseline_year

    @property
    def edition(self) -> Row:
        """The one row about the edition itself."""
        return self.rows("edition")[0]

    @property
    def is_synthetic(self) -> bool:
        """Whether anything in the edition is invented."""
        return bool(self.edition["contains_synthetic"])

    def rows(self, table: str, *only: pl.Expr, **equal: object) -> list[Row]:
        """Rows of a table, in its order."""
        frame = self.tables[table]
        if only or equal:
            frame = frame.filter(*only, **equal)
        return list(rows_of(table, self.catalogue.registry[table].key, frame))

    # --- regions

    @cached_property
    def codes(self) -> list[str]:
        """The region and its groups, then its municipalities by name, then what they are compared with."""
        region = self.catalogue.region
        return [*region.own_groups, *self.municipalities, region.country_code, region.rest_code]

    @cached_property
    def municipalities(self) -> list[str]:
        """The municipalities of the region, by name."""
        named = self.catalogue.region.municipalities
        return sorted(named, key=lambda code: (named[code], code))

    @cached_property
    def areas(self) -> list[str]:
        """The areas that have a page: the region, its groups, its municipalities by name."""
        region = self.catalogue.region
        return [region.region_code, *(group.code for group in region.main_groups), *self.municipalities]

    @cached_property
    def contrast(self) -> tuple[str, str] | None:
        """The two groups that are set against each other, such as urban cores and rural municipalities."""
        return next(iter(self.catalogue.region.contrasts), None)

    # --- indicators

    @cached_property
    def indicators(self) -> list[Indicator]:
        """The indicators that have a page: those of a theme that municipalities have, by theme, official ones first."""
        layers = ("official", "experienced", "context")
        place = {theme.theme_id: number for number, theme in enumerate(self.catalogue.themes)}
        shown = [i for i in self.catalogue.indicators if i.theme_id is not None and i.measured_for == "municipality"]
        return sorted(shown, key=lambda i: (place[i.theme_id or ""], layers.index(i.layer), not i.headline))

    @cached_property
    def framework_indicators(self) -> dict[str, list[Indicator]]:
        """The indicators each framework is made of, in their order."""
        rows = self.tables["framework_element"].filter(pl.col("level") == 1)
        members: dict[str, set[str]] = {}
        for framework, element in rows.select("framework", "element_id").iter_rows():
            members.setdefault(framework, set()).add(element)
        return {
            framework: [i for i in self.indicators if i.indicator_id in found]
            for framework, found in sorted(members.items())
        }

    @cached_property
    def counted(self) -> list[Indicator]:
        """The indicators a summary counts, each once: those the frameworks are made of."""
        return [i for found in self.framework_indicators.values() for i in found]

    def of_theme(self, theme: Theme) -> list[Indicator]:
        """The indicators of a theme."""
        return [i for i in self.indicators if i.theme_id == theme.theme_id]

    @cached_property
    def _kinds(self) -> dict[tuple[str, str], str]:
        sources = self.tables["indicator_source"].select("indicator_id", "source_table", "kind")
        return {(indicator, table): kind for indicator, table, kind in sources.iter_rows()}

    def kind(self, row: Row) -> str | None:
        """Whether the figure of a row of `indicator_value` is counted, sampled or modelled; None where unknown."""
        return self._kinds.get((row["indicator_id"], row["source_table"] or ""))

    # --- rows by key

    @cached_property
    def _own(self) -> dict[str, dict[tuple[object, ...], Row]]:
        """The rows of own regions, for all residents, by the values of their key."""
        shown = [i.indicator_id for i in self.indicators]
        regions = [*self.codes, *self.catalogue.region.peers.values()]
        found: dict[str, dict[tuple[object, ...], Row]] = {}
        for table, fixed in _SHOWN.items():
            key = [column for column in self.catalogue.registry[table].key if column not in fixed]
            only = [pl.col("indicator_id").is_in(shown), pl.col("region_code").is_in(regions)]
            rows = self.rows(table, *only, **fixed)
            found[table] = {tuple(row[column] for column in key): row for row in rows}
        return found

    def value(self, indicator: str, region: str, year: int | None = None) -> Row | None:
        """The row of `indicator_value` for all residents; the last measurement year unless another is named."""
        return self._own["indicator_value"].get((self.year if year is None else year, indicator, region))

    def comparison(self, indicator: str, region: str, comparator: str, year: int | None = None) -> Row | None:
        """The row of `comparison` for all residents."""
        return self._own["comparison"].get((self.year if year is None else year, indicator, region, comparator))

    def change(self, indicator: str, region: str, quantity: str = "value") -> Row | None:
        """The row of `change` since the baseline for all residents, in the last measurement year."""
        return self._own["change"].get((self.year, self.baseline, indicator, region, quantity))

    def all_of(self, table: str) -> Iterable[Row]:
        """The rows of own regions of the last measurement year, in the order of the table."""
        return (row for row in self._own[table].values() if row["measurement_year"] == self.year)

    @cached_property
    def years(self) -> list[int]:
        """The measurement years, baseline first."""
        return self.catalogue.region.years

    @cached_property
    def _movements(self) -> dict[tuple[str, str, str], Row]:
        rows = self.rows(
            "trend",
            measurement_year=self.year,
            breakdown="total",
            movement="since_baseline",
        )
        # Of amounts in euros only the relative difference is followed.
        known = ("relative_difference", "difference")
        rows = sorted((row for row in rows if row["quantity"] in known), key=lambda row: known.index(row["quantity"]))
        return {(row["indicator_id"], row["region_code"], row["comparator_code"]): row for row in rows}

    def movement(self, indicator: str, region: str, comparator: str) -> Row | None:
        """How the difference between two groups moved since the baseline: a row of `trend`."""
        return self._movements.get((indicator, region, comparator))

    # --- sentences

    @cached_property
    def _claims(self) -> dict[tuple[str, str], Row]:
        return {(row["claim_id"], row["language"]): row for row in self.rows("claim")}

    def claim(self, claim_id: str, language: str) -> Row | None:
        """A sentence that was made from rows of this edition."""
        return self._claims.get((claim_id, language))
