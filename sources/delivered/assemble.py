"""From the figures of a layout as text, one row a figure, to a tidy table: regions, periods, numbers, margins."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import polars as pl

from catalog.layouts import Layout
from sources import periods
from sources.cells import join_margins, margin_codes, region_code
from sources.errors import DuplicateFigure, HostileFile, IncompleteFile, PeriodError, UnknownRegion, ValueFault
from sources.names import RegionNames
from sources.tidy import CELL, TidyTable, Topic

# Figures as read: `row` and `column` say where one stands, `raw` what stands there; `region` and `period` as in the
# file. `attribute` is why there is none, where the publisher says so beside it. Dimensions come after these.
FIGURES = {
    "row": pl.Int64,
    "column": pl.String,
    "topic": pl.String,
    "region": pl.String,
    "period": pl.String,
    "raw": pl.String,
    "attribute": pl.String,
}

_MONTH_NAMES = [
    "januari februari maart april mei juni juli augustus september oktober november december",
    "jan feb mrt apr mei jun jul aug sep okt nov dec",
]
_MONTHS = {name: number for names in _MONTH_NAMES for number, name in enumerate(names.split(), start=1)}
_WRITTEN = re.compile(r"([a-z]+)\.?[\s-]+(\d{4}|\d{2})(\*{0,2})")
_CODE = r"^[A-Z]{1,2}[0-9A-Z]{2,10}$"
# What of a cell a message may show: in a file of another kind, or with its columns shifted, it may be about a person.
_SHOWN_CODE = re.compile(r"[A-Z]{0,2}\d{1,6}")
_SHOWN_NUMBER = re.compile(r"[\W\d]{1,10}|.{1,5}")


def assemble(
    figures: pl.DataFrame,
    place: str,
    layout: Layout,
    names: RegionNames,
    topics: Sequence[Topic],
    members: Mapping[str, Mapping[str, str]],
    *,
    text_topics: frozenset[str] = frozenset(),
    statuses: Mapping[str, str] | None = None,
    region_titles: Mapping[str, str] | None = None,
) -> TidyTable:
    """The tidy table of `figures` (FIGURES and the layout's dimensions); `place` names file and sheet in messages.

    `members` are titles of codes, `statuses` those of period codes, `region_titles` names of region codes, all where
    the publisher gives them. Raises an InputError that says where the first fault stands.
    """
    figures = figures.filter(~pl.col("region").is_in(layout.totals))
    figures = _with_period(figures, place, layout, statuses or {})
    figures = _with_value(figures, place, layout, text_topics)
    figures, written = _with_region(figures, place, layout, names)
    if figures.is_empty():
        raise IncompleteFile(place, "rows of regions with figures", remedy="There is none: is this the whole file?")
    dimensions = [name for name in layout.dimensions if name in figures.columns]
    key = ["topic", *dimensions, "region_code", "period"]
    margins = [layout.margins] if layout.margins else []
    _refuse_duplicates(figures, place, [*key, *margins])
    cells = figures.with_columns(pl.lit(None, pl.Float64).alias(bound) for bound in ("ci_low", "ci_high"))
    if layout.margins:
        codes = cells[layout.margins].unique().to_list()
        roles = margin_codes({code: members.get(layout.margins, {}).get(code, code) for code in codes}, place)
        cells = join_margins(cells, layout.margins, roles, key, place)
    return TidyTable(
        name=layout.source_table,
        topics=tuple(topics),
        members={name: _members(name, cells, layout, members) for name in dimensions},
        cells=cells.select("topic", *dimensions, *list(CELL)[1:]).cast(CELL),  # type: ignore[arg-type]
        region_names=_region_names(cells, written, region_titles or {}),
    )


def period_of(text: str) -> tuple[str, str | None]:
    """Period and status of a title: `2024*` is 2024, provisional; also `mrt 2025`, `maart-25`, `2025-03(-01)`.

    Raises PeriodError.
    """
    stars = len(text) - len(text.rstrip("*"))
    status = ("NaderVoorlopig" if stars == 2 else "Voorlopig") if stars else None
    plain = text.strip().casefold()
    if found := re.fullmatch(r"(\d{4})-?(0[1-9]|1[0-2])(?:-01)?", plain):
        return f"{found[1]}-{found[2]}", None
    if (found := _WRITTEN.fullmatch(plain)) and found[1] in _MONTHS:
        year = found[2] if len(found[2]) == 4 else f"20{found[2]}"
        return f"{year}-{_MONTHS[found[1]]:02}", status
    return periods.from_title(text, "period")[0], status


def _with_period(figures: pl.DataFrame, place: str, layout: Layout, statuses: Mapping[str, str]) -> pl.DataFrame:
    by_code = layout.period is not None and layout.period.by == "code"
    read: dict[str, str] = {}
    status: dict[str, str | None] = {}
    for text, row in figures.filter(pl.col("period").is_not_null()).group_by("period").agg(pl.col("row").min()).rows():
        try:
            read[text], status[text] = (periods.from_code(text, place), None) if by_code else period_of(text)
        except PeriodError as error:
            column = layout.period.column if layout.period else "header"
            raise PeriodError(place, error.expected, row=row, column=column, value=text, remedy=error.remedy) from error
    status |= {text: statuses[text.strip()] for text in read if text.strip() in statuses}
    return figures.with_columns(
        pl.col("period").replace_strict(read, return_dtype=pl.String),
        period_status=pl.col("period").replace_strict(status, return_dtype=pl.String),
    )


def _with_value(figures: pl.DataFrame, place: str, layout: Layout, text_topics: frozenset[str]) -> pl.DataFrame:
    """Add value, text and reason; exactly one of them is not NULL."""
    raw = pl.col("raw").str.strip_chars()
    sign = layout.decimal
    if sign == "either":
        sign = "," if figures.select(raw.str.contains(r"^[+-]?\d+,\d+$").any()).item() else "."
    decimal, other = re.escape(sign), re.escape("." if sign == "," else ",")
    groups = rf"|\d{{1,3}}(?:{other}\d{{3}})+" if layout.thousands else ""
    is_number = raw.str.contains(rf"^[+-]?(?:\d+{groups})(?:{decimal}\d+)?$")
    plain = raw.str.replace_all(other, "").str.replace(sign, ".", literal=True)
    is_marker = raw.is_in(["", *layout.markers])
    is_text = pl.col("topic").is_in(list(text_topics)) & ~is_marker
    given = pl.col("attribute").replace({"None": None})
    read = figures.with_columns(
        value=pl.when(is_number & ~is_text).then(plain).cast(pl.Float64),
        text=pl.when(is_text).then(raw),
        reason=pl.when(is_marker).then(pl.when(raw == "").then(pl.coalesce(given, raw)).otherwise(raw)),
    )
    odd = read.filter(pl.all_horizontal(pl.col("value", "text", "reason").is_null())).sort("row")
    if odd.height:
        first = odd.row(0, named=True)
        raise ValueFault(
            place,
            f"a number with decimal '{sign}'"
            + (f" or one of {' '.join(map(repr, layout.markers))}" if layout.markers else ""),
            row=first["row"],
            column=first["column"],
            value=_if_shown(first["raw"], _SHOWN_NUMBER),
            remedy=f"If the publisher writes it so, add it to the layout {layout.layout_id} (decimal, markers).",
            more=odd.height - 1,
        )
    return read


def _with_region(
    figures: pl.DataFrame, place: str, layout: Layout, names: RegionNames
) -> tuple[pl.DataFrame, dict[str, str]]:
    """Add region_code, and give the names as the file writes them by code. Empty rows of no region are left out."""
    if layout.region.fixed:
        return figures.with_columns(region_code=pl.lit(layout.region.fixed)), {}
    if layout.region.by == "name":
        return _by_name(figures, place, layout, names)
    code = region_code("region")
    if layout.region.by == "number":
        code = "GM" + code.str.strip_prefix("GM").str.zfill(4)
    coded = figures.with_columns(region_code=code)
    odd = coded.filter(~pl.col("region_code").str.contains(_CODE)).sort("row")
    if odd.height:
        raise UnknownRegion(
            place,
            "a region code such as GM0153 or NL01",
            row=odd["row"][0],
            column=layout.region.column,
            value=_if_shown(odd["region"][0], _SHOWN_CODE),
            remedy="Give every row the code of its region, or leave the row out.",
            more=odd["row"].n_unique() - 1,
        )
    return coded, {}


def _by_name(
    figures: pl.DataFrame, place: str, layout: Layout, names: RegionNames
) -> tuple[pl.DataFrame, dict[str, str]]:
    _refuse_formulas_in_names(figures, place, layout)
    pairs = figures.group_by("region", "period").agg(pl.col("row").min(), filled=pl.col("reason").ne_missing("").any())
    filled = pairs.filter("filled").sort("row")
    known = dict.fromkeys(layout.region.without_code)
    scoped = names.only(layout.region.levels)
    current = scoped.current()
    unknown_today = {name for name in filled["region"].unique() if name not in known and not current.find(name)}
    # Only where all regions of the file are of today, a name that others had too means the one of today.
    scope = scoped if unknown_today else current
    found = [
        name if name in known else scope.find(name, period) for name, period in pairs.select("region", "period").rows()
    ]
    pairs = pairs.with_columns(pl.Series("region_code", found, pl.String))
    lost = pairs.filter("filled", pl.col("region_code").is_null()).sort(~pl.col("region").is_in(unknown_today), "row")
    if lost.height:
        first = lost.row(0, named=True)
        scope.code_of(first["region"], first["period"], file=place, row=first["row"], column=layout.region.column or "")
    pairs = pairs.filter(pl.col("region_code").is_not_null())
    named = figures.join(pairs.drop("row", "filled"), ["region", "period"], nulls_equal=True, maintain_order="left")
    return named, dict(pairs.select("region_code", "region").rows())


def _refuse_formulas_in_names(figures: pl.DataFrame, place: str, layout: Layout) -> None:
    """A spreadsheet runs what begins with one of these signs, once the name stands in a table somebody opens."""
    formulas = figures.filter(pl.col("region").str.contains(r"^[=+\-@\t\r]")).sort("row")
    if formulas.height:
        raise HostileFile(
            place,
            "names that do not begin with = + - or @",
            row=formulas["row"][0],
            column=layout.region.column,
            value=formulas["region"][0][0],
            remedy="A spreadsheet would run this as a formula. Ask the sender what it should be.",
        )


def _refuse_duplicates(figures: pl.DataFrame, place: str, key: list[str]) -> None:
    twice = figures.filter(~pl.struct(key).is_first_distinct()).sort("row")
    if twice.height:
        first = twice.row(0, named=True)
        raise DuplicateFigure(
            place,
            "one figure a region, period and topic",
            row=first["row"],
            column=first["column"],
            value=_if_shown(first["region_code"], _SHOWN_CODE),
            remedy="This region stands above already, perhaps under another name: keep the right row.",
            more=twice.height - 1,
        )


def _if_shown(cell: str, pattern: re.Pattern[str]) -> str | None:
    """The cell where it is of this form, and otherwise nothing."""
    return cell if pattern.fullmatch(cell.strip()) else None


def _region_names(cells: pl.DataFrame, written: Mapping[str, str], titles: Mapping[str, str]) -> dict[str, str]:
    """Names by code: as the file has them, else as the publisher's list of regions has."""
    known = {("NL01" if code == "NL00" else code): title for code, title in titles.items()} | dict(written)
    return {code: known[code] for code in cells["region_code"].unique().sort() if code in known}


def _members(
    name: str, cells: pl.DataFrame, layout: Layout, members: Mapping[str, Mapping[str, str]]
) -> dict[str, str]:
    titles = {**members.get(name, {}), **layout.dimensions[name]}
    return {code: titles.get(code, code) for code in cells[name].unique().sort()}
