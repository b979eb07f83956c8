"""What stands for a picture where it cannot be seen: the same numbers as in the table beside it."""

from __future__ import annotations

from collections.abc import Sequence

from catalog.model import Indicator
from reports.claims.figures import difference, margin, places_of, shown
from reports.claims.programme import BUDGET_PLACES, STATED_PLACES, millions
from reports.site.programme import DRAWN, LineMoney
from reports.view import Row, View
from reports.words import Words


class Alt:
    """The texts of pictures in one language."""

    def __init__(self, view: View, words: Words) -> None:
        self.view, self.words = view, words

    def dots(self, indicator: Indicator) -> str:
        """All municipalities with their margins, and what they are compared with."""
        lines = [self.view.catalogue.region.region_code, self.comparator(indicator)]
        return self._of_indicator("alt_dots", indicator, lines=self._listed(indicator, lines))

    def map(self, indicator: Indicator) -> str:
        """All municipalities with their values."""
        return self._of_indicator("alt_map", indicator)

    def _of_indicator(self, key: str, indicator: Indicator, **values: str) -> str:
        return self.words(
            key,
            name=self.words.name(indicator),
            unit=self.words.unit(indicator),
            when=self.when(indicator),
            points=self._listed(indicator, self.view.municipalities),
            **values,
        )

    def when(self, indicator: Indicator) -> str:
        """The reference period of the last measurement year, or that year where there is none."""
        return self.period(indicator) or str(self.view.year)

    def period(self, indicator: Indicator) -> str:
        """The reference period of the last measurement year; empty where there is no figure."""
        row = self.view.value(indicator.indicator_id, self.view.catalogue.region.region_code)
        return "" if row is None or row["reference_period"] is None else str(row["reference_period"])

    def comparator(self, indicator: Indicator) -> str:
        """The country, or the rest of it where the country has no figure."""
        region = self.view.catalogue.region
        row = self.view.value(indicator.indicator_id, region.country_code)
        return region.country_code if row is not None and row["value"] is not None else region.rest_code

    def _listed(self, indicator: Indicator, codes: Sequence[str], year: int | None = None) -> str:
        rows = [(code, self.view.value(indicator.indicator_id, code, year)) for code in codes]
        return "; ".join(f"{self.words.region(code)} {self.value(row, indicator)}" for code, row in rows if row)

    def value(self, row: Row, indicator: Indicator) -> str:
        """`7,2 (tussen 7,0 en 7,4)`, or why there is none."""
        if row["value"] is None:
            return self.words.label("status", row["status"])
        decimals = places_of(row.cells, indicator, self.words)
        low, high = (
            None if row[end] is None else shown(row[end], indicator, self.words) for end in ("ci_low", "ci_high")
        )
        around = "".join(f" ({part})" for part in margin(low, high, decimals, self.words))
        return f"{self.words.number(shown(row['value'], indicator, self.words), decimals)}{around}"

    def years(self, indicator: Indicator) -> str:
        """The region, its groups and the country: every figure once, in the period it is of, as it is drawn."""
        region = self.view.catalogue.region
        groups = [group.code for group in region.main_groups]
        lines = []
        for code in [region.region_code, *groups, self.comparator(indicator)]:
            rows = [self.view.value(indicator.indicator_id, code, year) for year in self.view.years]
            newest = {row["reference_period"]: row for row in rows if row and row["value"] is not None}
            said = [f"{period}: {self.value(row, indicator)}" for period, row in sorted(newest.items())]
            lines.append(f"{self.words.region(code)} {', '.join(said) or self.words('no_figure')}")
        return self.words(
            "alt_years", name=self.words.name(indicator), unit=self.words.unit(indicator), lines="; ".join(lines)
        )

    def profile(self, indicators: Sequence[Indicator], code: str) -> str:
        """The dimensions of one area, each with the region and what that is compared with beside it."""
        region = self.view.catalogue.region
        codes = list(dict.fromkeys([code, region.region_code, region.rest_code]))
        said = [f"{self.words.name(i)}: {self._listed(i, codes)}" for i in indicators]
        return self.words("alt_profile", name=self.words.region(code), when=self.view.year, points=". ".join(said))

    def strips(self, indicators: Sequence[Indicator], groups: tuple[str, str]) -> str:
        """Both groups for every indicator; the municipalities stand in the tables of the indicators."""
        said = [f"{self.words.name(i)} ({self.when(i)}): {self._listed(i, groups)}" for i in indicators]
        first, second = map(self.words.region, groups)
        return self.words("alt_strips", first=first, second=second, points=". ".join(said))

    def forest(self, indicators: Sequence[Indicator], groups: tuple[str, str]) -> str:
        """The difference between both groups for every indicator, with its margin and verdict."""
        rows = [(i, self.view.comparison(i.indicator_id, *groups)) for i in indicators]
        said = [f"{self.words.name(i)} {self._difference(row, i)}" for i, row in rows if row]
        first, second = map(self.words.region, groups)
        return self.words("alt_forest", first=first, second=second, when=self.view.year, points="; ".join(said))

    def money(self, lines: Sequence[LineMoney]) -> str:
        """Of every line what was agreed, committed and paid, by state and region, as in the tables."""
        said = [
            f"{line.name}: {'; '.join(self._amounts(line.by_source[source]) for source in DRAWN)}" for line in lines
        ]
        return self.words("alt_money", when=self.view.year, points=". ".join(said))

    def _amounts(self, row: Row) -> str:
        columns = (("budget", BUDGET_PLACES), ("committed", STATED_PLACES), ("paid", STATED_PLACES))
        budget, committed, paid = (
            self.words("no_amount") if row[column] is None else millions(row[column], self.words, decimals)
            for column, decimals in columns
        )
        source = self.words.label("financing_source", row["financing_source"])
        return self.words("alt_amounts", source=source, budget=budget, committed=committed, paid=paid)

    def _difference(self, row: Row, indicator: Indicator) -> str:
        label = self.words.label("verdict", row["verdict"])
        return label if row["difference"] is None else f"{difference(row.cells, indicator, self.words)}, {label}"
