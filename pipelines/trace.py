"""One figure through all editions, and down to the ground: source table, column, snapshot.

Reads the Parquet of the editions, never their database: whoever has that open blocks nobody. Editions of earlier
versions of this software lack tables and columns; what they lack is left out.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from catalog.expression import names_in
from catalog.waves import SHARE_SUFFIX
from reports import editions

Row = dict[str, Any]
TOTAL = "total"
MEAN, SHARE = "mean", "share"
_PUBLISHED_BEFORE = "-published"
_FIGURE = ["indicator_id", "region_code", "measurement_year", "breakdown"]
# What is compared between editions and says something of one figure; differences of other tables follow from these.
_QUOTED = {"indicator", "indicator_source", "observation", "indicator_value", "comparison"}
# A ratio's note in `indicator_source`: 1000 x benefit_unemployment / population.
_RATIO = re.compile(r"(?P<per>[\d.]+) x (?P<numerator>\w+) / (?P<denominator>\w+)")


class NotFound(LookupError):  # noqa: N818 - says what is the matter
    """There is no such indicator, region, year, figure or edition; the message names what comes near."""


@dataclass(frozen=True)
class Trace:
    """A figure's history. Every row is a dict with the columns of the table it comes from, values unrounded.

    `versions`: the figure in each edition, final ones oldest first, then the drafts; `before`: as it was published
    before this software; `ground`: what it was made of in one edition (see `_ground`).
    """

    indicator: Row
    region: Row
    measurement_year: int
    breakdown: str
    versions: list[Row]
    before: list[Row]
    revisions: list[Row]
    errata: list[Row]
    corrections: list[Row]
    ground: Row


@dataclass(frozen=True)
class Edition:
    """The tables of one edition, as Parquet."""

    name: str
    folder: Path

    def rows(self, table: str, **equals: Any) -> list[Row]:
        """The rows in which these columns have these values; none where the edition lacks the table or a column.

        A set stands for any of its values. Raises DamagedEdition where the file cannot be read.
        """
        with self._readable(table) as path:
            if not path.is_file():
                return []
            scan = pl.scan_parquet(path)
            if not equals.keys() <= set(scan.collect_schema().names()):
                return []
            return scan.filter(*(_equals(name, value) for name, value in equals.items())).collect().to_dicts()

    def table(self, name: str) -> pl.DataFrame | None:
        """A whole table; None where the edition lacks it. Raises DamagedEdition where the file cannot be read."""
        with self._readable(name) as path:
            return pl.read_parquet(path) if path.is_file() else None

    @contextmanager
    def _readable(self, table: str) -> Iterator[Path]:
        path = self.folder / "parquet" / f"{table}.parquet"
        try:
            yield path
        except (pl.exceptions.PolarsError, OSError) as error:
            what = "this file of an edition cannot be read"
            raise editions.DamagedEdition(path, what, "What is damaged, says: btg doctor") from error

    @cached_property
    def regions(self) -> dict[str, Row]:
        """Code → row of `region`, without the outline."""
        return {row["region_code"]: row for row in map(_without_outline, self.rows("region"))}

    def name_of(self, region_code: str) -> str:
        """The region's name, else its code."""
        return str(self.regions.get(region_code, {}).get("name") or region_code)


def _equals(column: str, value: Any) -> pl.Expr:
    return pl.col(column).is_in(sorted(value)) if isinstance(value, set) else pl.col(column) == value


def at_hand(root: Path) -> list[Edition]:
    """The editions in an output folder: final ones oldest first, then the drafts."""
    names = [*editions.finals(root), *editions.drafts(root)]
    return [Edition(name, editions.folder_of(root, name)) for name in names]


def trace(
    root: Path, indicator: str, region: str, year: int, *, breakdown: str = TOTAL, edition: str | None = None
) -> Trace:
    """Follow one figure. `indicator` and `region` are an id or code, a name, or a part of one that fits only one.

    The ground is that of `edition`; without it, of the edition that readers open. Raises NotFound.
    """
    found = at_hand(root)
    if not found:
        raise NotFound(f"There is no edition in {root}. Make one with: btg measure")
    standing = chosen(found, edition or editions.standing(root))
    newest_first = [standing, *reversed(found)]
    of_indicator = _resolve("indicator", indicator, newest_first, "indicator_id", ["name_en", "name_nl"])
    of_region = _without_outline(_resolve("region", region, newest_first, "region_code", ["name"]))
    figure: Row = {
        "indicator_id": of_indicator["indicator_id"],
        "region_code": of_region["region_code"],
        "measurement_year": year,
        "breakdown": breakdown,
    }
    before = [row for row in standing.rows("value_by_edition", **figure) if row["edition"].endswith(_PUBLISHED_BEFORE)]
    versions = [row for each in found if (row := _version(root, each, figure))]
    if not versions and not before:
        raise NotFound(_no_such_figure(found, figure))
    here = next((row for row in versions if row["edition"] == standing.name), None)
    return Trace(
        of_indicator,
        of_region,
        year,
        breakdown,
        versions,
        before,
        _revisions(found, figure, {row["reference_period"] for row in versions}),
        [row for row in editions.errata(root).to_dicts() if _concerns(row["row_key"], figure)],
        _corrections(found, figure, versions),
        _ground(standing, here),
    )


# --- which figure is meant


def chosen(found: list[Edition], name: str | None) -> Edition:
    """The edition of this name; raises NotFound with those at hand."""
    for edition in found:
        if edition.name == name:
            return edition
    raise NotFound(f"There is no edition '{name}'; at hand: {', '.join(edition.name for edition in found)}")


def _resolve(what: str, wanted: str, found: Iterable[Edition], key: str, names: list[str]) -> Row:
    """The row of the one indicator or region that is meant, of the first edition that has it."""
    rows: dict[str, Row] = {}
    for edition in found:
        for row in edition.rows(what):
            rows.setdefault(row[key], row)
    text = wanted.strip().casefold()
    called = {
        code: [str(row[name]).casefold() for name in [key, *names] if row.get(name)] for code, row in rows.items()
    }
    exact = [code for code, own in called.items() if text in own]
    parts = [code for code, own in called.items() if text and any(text in name for name in own)]
    for fitting in (exact, parts):
        if len(fitting) == 1:
            return rows[fitting[0]]
        if fitting:
            raise NotFound(f"'{wanted}' fits several {what}s: {_listed(fitting, rows, names[0])}. Name one of them.")
    owners = {name: code for code, own in called.items() for name in own}
    near = list(dict.fromkeys(owners[name] for name in difflib.get_close_matches(text, owners, n=8, cutoff=0.6)))
    hint = f" Near it: {_listed(near, rows, names[0])}." if near else ""
    raise NotFound(f"There is no {what} '{wanted}' in the editions at hand.{hint}")


def _listed(codes: list[str], rows: Mapping[str, Row], name: str, most: int = 8) -> str:
    shown = [f"{code} ({rows[code][name]})" for code in codes[:most]]
    return ", ".join(shown) + (f" and {len(codes) - most} more" if len(codes) > most else "")


def _no_such_figure(found: list[Edition], figure: Row) -> str:
    """Why no edition has the figure: another year or breakdown, or the region has none at all."""
    what = f"{figure['indicator_id']} of {figure['region_code']}"
    for missing in ("measurement_year", "breakdown"):
        others = {name: value for name, value in figure.items() if name != missing}
        have = sorted({row[missing] for edition in found for row in edition.rows("indicator_value", **others)})
        if have:
            word = missing.replace("_", " ")
            return f"No edition has {what} with {word} {figure[missing]}; at hand: {', '.join(map(str, have))}"
    return f"No edition has a figure of {what}"


def _without_outline(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "geometry_wkb"}


# --- the figure through the editions


def _version(root: Path, edition: Edition, figure: Row) -> Row | None:
    """The figure as an edition has it, with its verdicts against the country; None where it has no row."""
    rows = edition.rows("indicator_value", **figure)
    if not rows:
        return None
    state = editions.read_state(root, edition.name) if not edition.name.endswith(editions.DRAFT) else None
    countries = {code for code, row in edition.regions.items() if row.get("kind") == "country"}
    return {
        "edition": edition.name,
        "published_at": state.published_at if state else None,
        "superseded_by": state.superseded_by if state else None,
        **rows[0],
        "comparisons": [
            {"comparator_name": edition.name_of(row["comparator_code"]), **row}
            for row in edition.rows("comparison", **figure, comparator_code=countries)
        ],
    }


def _revisions(found: list[Edition], figure: Row, periods: set[str | None]) -> list[Row]:
    """What the editions say has changed about the figure, the definition or the published figure it is.

    With `comparator_name`, of a comparison.
    """
    return [
        {**row, "comparator_name": edition.name_of(parts["comparator_code"])} if "comparator_code" in parts else row
        for edition in found
        for row in edition.rows("revision", table_name=_QUOTED)
        for parts in [parts_of(row["row_key"])]
        if _concerns(row["row_key"], figure) and parts.get("period") in {None, *periods}
    ]


def parts_of(row_key: str) -> dict[str, str]:
    """A row key as columns: `a=1|b=2` is {a: 1, b: 2}."""
    return {name: value for name, _, value in (part.partition("=") for part in row_key.split("|"))}


def _concerns(row_key: str, figure: Row) -> bool:
    """Whether a row is about the figure: of its indicator, and of nothing else that the figure is not."""
    parts = parts_of(row_key)
    return "indicator_id" in parts and all(parts.get(name, str(figure[name])) == str(figure[name]) for name in _FIGURE)


def _corrections(found: list[Edition], figure: Row, versions: list[Row]) -> list[Row]:
    """The corrections of the published figures that the figure is made of, in any edition, with that `edition`."""
    period = {row["edition"]: row["reference_period"] for row in versions if row["reference_period"]}
    return [
        {"edition": edition.name, **row}
        for edition in found
        if edition.name in period
        for made_of in [_made_of(edition, figure, period[edition.name])]
        for row in edition.rows("correction")
        if (row["indicator_id"], row["region_code"], row["period"]) in made_of
    ]


def _made_of(edition: Edition, figure: Row, period: str) -> set[tuple[str, str, str]]:
    """The published figures that a figure is made of: indicator, region and period.

    Of a ratio also numerator and denominator, of a group also its members and their weights. A dropped figure is among
    them too: of every table, since it may be why another one is used.
    """
    members = _codes(_weights(edition, {**figure, "reference_period": period}))
    regions = {figure["region_code"], *_areas_of(edition, figure["region_code"]), *members}
    parts = {(figure["indicator_id"], code, period) for code in regions}
    if ratio := _ratio(edition, figure["indicator_id"]):
        parts |= {(ratio["numerator"], code, period) for code in regions}
        parts |= {(ratio["denominator"], code, period[:4]) for code in regions}
    weights = [row["weight"] for row in edition.rows("indicator", indicator_id=figure["indicator_id"]) if row["weight"]]
    return parts | {(name, code, period[:4]) for weight in weights for name in names_in(weight) for code in members}


# --- down to the ground


def _ground(edition: Edition, figure: Row | None) -> Row:
    """What a figure was made of in an edition.

    `figures`: the published figures it is (of a ratio also numerator and denominator); of a group instead `members`,
    each with value, weight and share, and `computed`, their sum of value x share; of the survey `estimates` and
    `waves`. `sources`: of every table among them column, unit, publisher, licence, address, snapshot and the files of
    the edition that hold it. Nothing but the edition's name where there is no value.
    """
    ground: Row = {
        "edition": edition.name,
        "figures": [],
        "members": [],
        "computed": None,
        "estimates": [],
        "waves": [],
    }
    if figure is None or figure["value"] is None:
        return {**ground, "sources": []}
    ground["members"] = _group(edition, figure)
    if ground["members"]:
        ground["computed"] = sum(row["value"] * row["share"] for row in ground["members"])
    else:
        own = {figure["region_code"], *_areas_of(edition, figure["region_code"])}
        ground["figures"] = _published(edition, figure, own)
        ground["estimates"] = _estimates(edition, figure)
        ground["waves"] = edition.rows("survey_wave", source_table=figure["source_table"])
    used = {(row["indicator_id"], row["source_table"]) for row in [*ground["figures"], *ground["members"], figure]}
    return {**ground, "sources": [row for pair in sorted(used) for row in _source(edition, *pair)]}


def _group(edition: Edition, figure: Row) -> list[Row]:
    """The members of a computed group, heaviest first: name, value, weight, share, and where the value is from."""
    weights = _weights(edition, figure)
    known = {"indicator_id", "measurement_year", "breakdown"}
    values = {
        row["region_code"]: row
        for row in edition.rows(
            "indicator_value", **{name: figure[name] for name in known}, region_code=_codes(weights)
        )
    }
    rows = [
        {
            "name": edition.name_of(weight["municipality_code"]),
            **weight,
            **{name: values[weight["municipality_code"]][name] for name in ("value", "status", "source_table")},
        }
        for weight in weights
        if weight["municipality_code"] in values
    ]
    return sorted(rows, key=lambda row: (-row["weight"], row["municipality_code"]))


def _weights(edition: Edition, figure: Row) -> list[Row]:
    """How heavily each municipality counts in a figure of a group; none for another region."""
    return edition.rows(
        "group_weight",
        indicator_id=figure["indicator_id"],
        reference_period=figure["reference_period"],
        group_code=figure["region_code"],
    )


def _codes(weights: list[Row]) -> set[str]:
    return {row["municipality_code"] for row in weights}


def _areas_of(edition: Edition, region_code: str) -> list[str]:
    """Areas of publishers that are the region under another code, such as a health region."""
    return [
        code
        for code, row in edition.regions.items()
        if row.get("parent_code") == region_code and row.get("kind") == "region"
    ]


def _published(edition: Edition, figure: Row, region_codes: set[str]) -> list[Row]:
    """The observation that the figure is, after that the numerator and denominator of a ratio; with `role`."""
    where = {"region_code": region_codes, "breakdown": figure["breakdown"]}
    rows = edition.rows(
        "observation",
        indicator_id=figure["indicator_id"],
        period=figure["reference_period"],
        source_table=figure["source_table"],
        **where,
    )
    found = [{"role": "figure", **row} for row in rows]
    ratio = _ratio(edition, figure["indicator_id"])
    if ratio is None:
        return found
    numerators = edition.rows(
        "observation",
        indicator_id=ratio["numerator"],
        period=figure["reference_period"],
        source_table=figure["source_table"],
        **where,
    )
    denominators = edition.rows(
        "observation", indicator_id=ratio["denominator"], period=figure["reference_period"][:4], **where
    )
    found += [{"role": "numerator", "times": float(ratio["per"]), **row} for row in numerators]
    return found + [{"role": "denominator", **row} for row in _of_same_table(denominators, figure["source_table"])]


def _estimates(edition: Edition, figure: Row) -> list[Row]:
    """The survey's own estimate of the figure, and the model's where there is one; a share has its score's id."""
    dimension = figure["indicator_id"].removesuffix(SHARE_SUFFIX)
    statistic = SHARE if dimension != figure["indicator_id"] else MEAN
    same = {name: figure[name] for name in ("measurement_year", "region_code")}
    direct = edition.rows(
        "survey_estimate", **same, variable_id=dimension, statistic=statistic, breakdown=figure["breakdown"]
    )
    if statistic == SHARE or figure["breakdown"] != TOTAL:
        return direct
    return direct + edition.rows("small_area_estimate", **same, indicator_id=dimension)


def _of_same_table(rows: list[Row], source_table: str) -> list[Row]:
    """Where several tables give a denominator, the one that published the figure wins."""
    return [row for row in rows if row["source_table"] == source_table] or rows


def _ratio(edition: Edition, indicator_id: str) -> re.Match[str] | None:
    """What an indicator divides, by its note; None where it is no ratio."""
    notes = [str(row.get("note") or "") for row in edition.rows("indicator_source", indicator_id=indicator_id)]
    return next(filter(None, map(_RATIO.search, notes)), None)


def _source(edition: Edition, indicator_id: str, source_table: str) -> list[Row]:
    """Column, unit and note of an indicator in a table, with who published it and the edition's files that hold it."""
    table = next(iter(edition.rows("source", source_table=source_table)), {})
    files = [
        row
        for row in edition.rows("edition_input")
        if row["sha256"] == table.get("sha256") or row["file"] == f"{source_table} {row['sha256'][:12]}"
    ]
    return [
        {**table, **row, "files": files}
        for row in edition.rows("indicator_source", indicator_id=indicator_id, source_table=source_table)
    ]
