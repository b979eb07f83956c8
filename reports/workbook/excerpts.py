"""Which tables of an edition stand in the workbook, and which of their rows and columns.

A workbook is for reading and sending on, so it holds the totals of the region; everything else is in the database.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from catalog.model import Region
from reports.workbook.book import Text

# The method of the scores that are shown: the vocabulary calls it "standaard".
MAIN_METHOD: Final = "goalposts_arithmetic"

Where = Callable[[Region, int], list[pl.Expr]]


@dataclass(frozen=True)
class Excerpt:
    """What one sheet takes from one table.

    `about` says which rows; it may use {region}, {country}, {rest}, {year} and {baseline}. `where` gives the same as
    conditions, for a region and the newest measurement year. `without` are columns that are left out. `named` are
    columns that get their Dutch words beside them. `not_applicable` tells of columns when an empty cell means that
    there is nothing to fill in, where the status of a figure does not; any other empty cell is not available.
    """

    table: str
    sheet: str
    title: Text
    about: Text
    where: Where
    without: frozenset[str] = frozenset()
    named: tuple[str, ...] = ()
    not_applicable: Mapping[str, pl.Expr] = field(default_factory=dict)


def codes_of(region: Region) -> list[str]:
    """The region's municipalities and groups, the country and the rest of it."""
    return [*region.municipalities, *region.own_groups, region.country_code, region.rest_code]


def _all(region: Region, year: int) -> list[pl.Expr]:  # noqa: ARG001
    return []


def _own(region: Region, year: int) -> list[pl.Expr]:  # noqa: ARG001
    return [pl.col("region_code").is_in(codes_of(region))]


def _own_totals(region: Region, year: int) -> list[pl.Expr]:
    return [*_own(region, year), pl.col("breakdown") == "total"]


def _own_pairs(region: Region, year: int) -> list[pl.Expr]:
    own = pl.col("comparator_code").is_in(codes_of(region))
    return [*_own_totals(region, year), own, pl.col("measurement_year") == year]


def _since_baseline(region: Region, year: int) -> list[pl.Expr]:
    newest, baseline = pl.col("measurement_year") == year, pl.col("baseline_year") == region.baseline_year
    return [*_own_totals(region, year), newest, baseline]


def _main_scores(region: Region, year: int) -> list[pl.Expr]:
    return [*_own(region, year), pl.col("method") == MAIN_METHOD]


_ALWAYS: Final = pl.lit(True)
_REGISTER: Final = pl.col("basis") == "register"
_OWN_NL: Final = "de gemeenten en groepen van {region}, {country} en {rest}"
_OWN_EN: Final = "the municipalities and groups of {region}, {country} and {rest}"
_WHOLE: Final = Text("Alle rijen van de tabel.", "All rows of the table.")
# Only researchers ask for these; they are in the database.
_PRECISION: Final = frozenset({"standard_error", "n_effective", "degrees_of_freedom"})

EXCERPTS: Final = (
    Excerpt(
        "indicator_value",
        "cijfers",
        Text("Cijfers per indicator, gebied en meetjaar", "Figures by indicator, region and measurement year"),
        Text(
            f"Alle meetjaren, {_OWN_NL}. Alleen totalen (breakdown = total).",
            f"All measurement years, {_OWN_EN}. Totals only (breakdown = total).",
        ),
        _own_totals,
        without=_PRECISION | {"breakdown"},
        named=("indicator_id", "region_code"),
        not_applicable=dict.fromkeys(("ci_low", "ci_high", "n"), pl.col("kind") == "register"),
    ),
    Excerpt(
        "comparison",
        "vergelijking",
        Text("Verschillen tussen gebieden", "Differences between regions"),
        Text(
            f"Meetjaar {{year}}, {_OWN_NL}. Alleen totalen (breakdown = total), zonder vergelijkbare gemeenten.",
            f"Measurement year {{year}}, {_OWN_EN}. Totals only (breakdown = total), without peer groups.",
        ),
        _own_pairs,
        without=frozenset({"breakdown", "p_value"}),
        named=("indicator_id", "region_code", "comparator_code", "verdict"),
        not_applicable={"p_value_adjusted": _REGISTER},
    ),
    Excerpt(
        "change",
        "verandering",
        Text("Verandering sinds de nulmeting", "Change since the baseline"),
        Text(
            f"Meetjaar {{year}} en de nulmeting {{baseline}}, {_OWN_NL}. Alleen totalen (breakdown = total).",
            f"Measurement year {{year}} and the baseline {{baseline}}, {_OWN_EN}. Totals only (breakdown = total).",
        ),
        _since_baseline,
        without=frozenset({"breakdown", "p_value"}),
        named=("indicator_id", "region_code", "verdict"),
        not_applicable={"p_value_adjusted": _REGISTER},
    ),
    Excerpt(
        "theme_score",
        "themascores",
        Text("Scores per thema en in totaal", "Scores by theme and overall"),
        Text(
            f"Alle meetjaren, {_OWN_NL}. Alleen de standaardmethode (method = {MAIN_METHOD}).",
            f"All measurement years, {_OWN_EN}. The default method only (method = {MAIN_METHOD}).",
        ),
        _main_scores,
        without=frozenset({"method", "standard_error"}),
        named=("theme_id", "region_code"),
        # Only municipalities have a place.
        not_applicable=dict.fromkeys(
            ("rank", "rank_low", "rank_high", "rank_of"), ~pl.col("region_code").str.starts_with("GM")
        ),
    ),
    Excerpt(
        "sensitivity",
        "rangorde",
        Text("Plaats op de rangorde, met het bereik", "Place in the ranking, with its range"),
        Text(
            "Alle meetjaren, de gemeenten van {region}. Lees een plaats alleen met rank_low en rank_high.",
            "All measurement years, the municipalities of {region}. Read a place with rank_low and rank_high only.",
        ),
        _own,
        named=("theme_id", "region_code"),
    ),
    Excerpt(
        "claim",
        "uitspraken",
        Text("Zinnen over de cijfers, met hun bewijs", "Sentences on the figures, with their evidence"),
        _WHOLE,
        _all,
    ),
    Excerpt(
        "indicator",
        "indicatoren",
        Text("Wat er gemeten wordt", "What is measured"),
        _WHOLE,
        _all,
        not_applicable=dict.fromkeys(("theme_id", "scale_min", "scale_max", "weight"), _ALWAYS),
    ),
    Excerpt(
        "theme",
        "themas",
        Text("Thema's van brede welvaart", "Themes of broad welfare"),
        _WHOLE,
        _all,
        not_applicable={"question_nl": _ALWAYS},
    ),
    Excerpt(
        "region",
        "gebieden",
        Text("Gebieden", "Regions"),
        Text(f"Alleen {_OWN_NL}.", f"Only {_OWN_EN}."),
        _own,
        # Outlines are for maps.
        without=frozenset({"geometry_wkb"}),
        not_applicable={
            "parent_code": _ALWAYS,
            "valid_to": _ALWAYS,
            "valid_from": pl.col("kind") != "municipality",
        },
    ),
    Excerpt(
        "source",
        "bronnen",
        Text("Tabellen van uitgevers, met licentie", "Publishers' tables, with licence"),
        _WHOLE,
        _all,
        not_applicable={"sha256": pl.col("rows") == 0},
    ),
    Excerpt(
        "survey_wave",
        "enquetes",
        Text("Metingen onder inwoners", "Waves of the resident survey"),
        _WHOLE,
        _all,
    ),
    Excerpt(
        "correction",
        "correcties",
        Text("Cijfers van uitgevers waarmee anders is gerekend", "Publishers' figures that were computed otherwise"),
        _WHOLE,
        _all,
        named=("indicator_id", "region_code"),
        not_applicable=dict.fromkeys(("corrected_value", "warning"), _ALWAYS),
    ),
    Excerpt(
        "revision",
        "revisies",
        Text("Wat er anders is dan in de vorige editie", "What differs from the previous edition"),
        _WHOLE,
        _all,
        not_applicable=dict.fromkeys(("old_value", "new_value"), _ALWAYS),
    ),
    Excerpt(
        "erratum",
        "fouten",
        Text("Fouten die na publicatie zijn gevonden", "Mistakes found after publication"),
        _WHOLE,
        _all,
    ),
)
