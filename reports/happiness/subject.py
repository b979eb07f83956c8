"""What a report is about: one region of an edition, what it is compared with, and the rows that are shown of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from catalog.model import Indicator
from reports.happiness.cells import is_synthetic
from reports.view import Row, View
from reports.words import Words

LANGUAGE = "nl"


@dataclass(frozen=True)
class Subject:
    """One region of an edition. What every report shows of it is read here."""

    view: View
    words: Words
    code: str

    @property
    def is_whole(self) -> bool:
        """Whether this is the region as a whole."""
        return self.code == self.view.catalogue.region.region_code

    @property
    def name(self) -> str:
        """Its name."""
        return self.words.region(self.code)

    @property
    def others(self) -> list[str]:
        """What it is compared with everywhere: the region, and the rest of the country."""
        region = self.view.catalogue.region
        return [code for code in (region.region_code, region.rest_code) if code != self.code]

    @property
    def peers(self) -> str:
        """The group of municipalities that are like it; empty for the region as a whole."""
        return self.view.catalogue.region.peers.get(self.code, "")

    @cached_property
    def experienced(self) -> list[Indicator]:
        """The dimensions, as residents experience them."""
        return [i for i in self.view.counted if i.layer == "experienced"]

    @cached_property
    def official(self) -> list[Indicator]:
        """The official indicators."""
        return [i for i in self.view.counted if i.layer == "official"]

    def value(self, indicator: Indicator, code: str | None = None) -> Row | None:
        """The figure of the region, or of another one."""
        return self.view.value(indicator.indicator_id, code or self.code)

    @cached_property
    def of_peers(self) -> dict[str, Row]:
        """The figures of the municipalities that are like it, together, by indicator."""
        only = {"measurement_year": self.view.year, "region_code": self.peers, "breakdown": "total"}
        return {row["indicator_id"]: row for row in self.view.rows("indicator_value", **only)}

    def has(self, indicator: Indicator, code: str | None = None) -> bool:
        """Whether there is a figure."""
        row = self.value(indicator, code)
        return row is not None and row["value"] is not None

    def against(self, indicator: Indicator, other: str) -> Row | None:
        """The comparison with another region."""
        return self.view.comparison(indicator.indicator_id, self.code, other)

    def since(self, indicator: Indicator) -> Row | None:
        """The change since the baseline."""
        return self.view.change(indicator.indicator_id, self.code)

    def sentence(self, *names: object) -> str:
        """The sentence with this id of the table `claim`; empty where there is none."""
        row = self.view.claim(":".join(map(str, names)), LANGUAGE)
        return "" if row is None else str(row["sentence"])

    def sentences(self, *ids: tuple[object, ...]) -> tuple[str, ...]:
        """The sentences with these ids that there are."""
        return tuple(said for names in ids if (said := self.sentence(*names)))

    @cached_property
    def stamp(self) -> str:
        """What begins a text on figures of which one is made up; empty where none is."""
        return self.words("stamp") if any(is_synthetic(row) for row in self._rows()) else ""

    def _rows(self) -> Iterator[Row | None]:
        """The rows that are shown, and those behind the places and counts."""
        municipalities = self.view.municipalities
        for indicator in self.view.counted:
            yield self.since(indicator)
            yield from (self.value(indicator, code) for code in (self.code, *self.others, *municipalities))
            yield from (self.against(indicator, other) for other in (*self.others, self.peers))
