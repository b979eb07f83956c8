"""What readers are told, in Dutch and in English: texts, labels, names, units and numbers of one language.

The texts stand in `nl.yaml` and `en.yaml`, with the same keys; labels, names and definitions come from the catalogue.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final

import yaml

from catalog import Catalogue
from catalog.model import Indicator, Theme
from reports import numbers
from reports.charts.grades import SCORE

LANGUAGES: Final = ("nl", "en")
Language = str


@cache
def texts(language: Language) -> Mapping[str, str]:
    """All texts of a language by key."""
    return dict(yaml.safe_load((Path(__file__).parent / f"{language}.yaml").read_text(encoding="utf-8")))


@dataclass(frozen=True)
class Words:
    """How one language says it. Where the catalogue has no text in the language, the Dutch one stands in."""

    catalogue: Catalogue
    language: Language

    def __call__(self, key: str, **values: object) -> str:
        """A text, with these values filled in; KeyError where there is none."""
        return texts(self.language)[key].format(**values)

    # --- numbers

    def number(self, value: float, decimals: int) -> str:
        """A number with the separators of the language."""
        return numbers.number(value, decimals, self.language)

    def date(self, iso: str) -> str:
        """A day such as `2026-11-30`, as readers write it: `30 november 2026`."""
        year, month, day = map(int, iso[:10].split("-"))
        return f"{day} {self('months').split()[month - 1]} {year}"

    def listed(self, parts: list[str]) -> str:
        """Parts as a running list: `a, b en c`."""
        return f" {self('and')} ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)

    # --- the catalogue's texts

    def said(self, entry: object, field: str) -> str:
        """A text of an entry of the catalogue, such as `name`."""
        return str(getattr(entry, f"{field}_{self.language}", None) or getattr(entry, f"{field}_nl"))

    def is_foreign(self, entry: object, field: str) -> bool:
        """Whether the text is not there in the language, so that the Dutch one is shown."""
        return not getattr(entry, f"{field}_{self.language}", None)

    def label(self, vocabulary: str, term: str, *, change: bool = False) -> str:
        """The label of a word of a closed vocabulary; of a verdict on a change over time with `change`."""
        entry = self.catalogue.vocabulary[vocabulary][term]
        return (change and getattr(entry, f"label_change_{self.language}")) or self.said(entry, "label")

    def explanation(self, vocabulary: str, term: str) -> str:
        """What a word of a closed vocabulary means, in one sentence."""
        return self.said(self.catalogue.vocabulary[vocabulary][term], "explanation")

    def name(self, indicator: Indicator | Theme) -> str:
        """The name of an indicator or theme."""
        return self.said(indicator, "name")

    def is_grade(self, indicator: Indicator) -> bool:
        """Whether readers see the indicator as a report grade."""
        return indicator.unit == SCORE

    def unit(self, indicator: Indicator) -> str:
        """The unit readers see."""
        if self.is_grade(indicator):
            scale = self.catalogue.survey.settings.grade
            ends = [self.number(end, 0 if end.is_integer() else 1) for end in (scale.lowest, scale.highest)]
            return self("grade_unit", low=ends[0], high=ends[1])
        if self.language == "nl":
            return indicator.unit_nl
        return indicator.unit.replace("1000 euro", "thousand euros").replace("percent", "per cent")

    @cached_property
    def regions(self) -> Mapping[str, str]:
        """The names of the municipalities, groups and comparators by code."""
        region = self.catalogue.region
        return (
            dict(region.municipalities)
            | {group.code: self.said(group, "name") for group in region.groups}
            | {
                region.region_code: self.said(region, "name"),
                region.country_code: self.said(region, "country_name"),
                region.rest_code: self.said(region, "rest_name"),
            }
            | {group: self("peers_of", name=region.municipalities[code]) for code, group in region.peers.items()}
        )

    def region(self, code: str) -> str:
        """The name of a region."""
        return self.regions.get(code, code)

    def the_region(self, code: str) -> str:
        """The name of a region inside a sentence, with its article where it has one."""
        region = self.catalogue.region
        plural = code in {group.code for group in region.groups} | set(region.peers.values()) | {region.rest_code}
        if code == region.country_code:
            return self.region(code).replace("The ", "the ", 1)
        return self("the", name=self.region(code)) if plural else self.region(code)

    def variables(self) -> Mapping[str, Any]:
        """All texts, for templates."""
        return texts(self.language)
