"""Which areas every municipality belongs to: the yearly tables "Gebieden in Nederland". Verified, never assumed."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from catalog.model import Region, TopicName
from sources.errors import SourceChanged
from sources.tidy import TidyTable
from sources.topics import resolve

# Areas by the beginning of their codes, as the tables group them.
_GROUPS = {
    "CR": ["COROP-gebieden", "COROP gebieden"],
    "AM": ["Arbeidsmarktregio's"],
    "GG": ["GGD-regio's"],
    "PV": ["Provincies"],
}


def _names(groups: Sequence[str]) -> tuple[TopicName, ...]:
    return tuple(TopicName(path=[group], title="Code") for group in groups)


AREA_TOPICS = tuple(_names(groups) for groups in _GROUPS.values())


def areas(table: TidyTable) -> pl.DataFrame:
    """Which areas each municipality is in: municipality_code, area_code; sorted."""
    found = []
    for prefix, groups in _GROUPS.items():
        topic = resolve(table.topics, _names(groups), table.name)
        codes = table.cells.filter(topic=topic.key).select(
            municipality_code="region_code", area_code=pl.col("text").str.strip_chars()
        )
        odd = codes.filter(~pl.col("area_code").str.starts_with(prefix).fill_null(value=False))
        if odd.height:
            raise SourceChanged(
                table.name,
                f"an area code that begins with {prefix} for every municipality",
                column=str(topic),
                value=" ".join(map(str, odd.row(0))),
                remedy="Look at the table: did its columns change places?",
                more=odd.height - 1,
            )
        found.append(codes)
    return pl.concat(found).sort("municipality_code", "area_code")


def check_membership(found: pl.DataFrame, region: Region, table: str) -> list[str]:
    """Where the publisher's areas that are the region hold other municipalities than the region file: in sentences."""
    own = set(region.municipalities)
    faults = []
    # Of other areas (a safety region, a part of the country) nothing is asked.
    for area in (code for code in region.published_as if code[:2] in _GROUPS):
        members = set(found.filter(area_code=area)["municipality_code"])
        if not members:
            faults.append(f"{table} has no area {area}, which the region file names under published_as.")
        elif members != own:
            faults.append(
                f"{table}: area {area} holds "
                + _difference("also", members - own)
                + _difference("not", own - members)
                + "so it is not the region of the region file: change municipalities or published_as there."
            )
    return faults


def _difference(word: str, codes: set[str]) -> str:
    return f"{word} {', '.join(sorted(codes))}; " if codes else ""
