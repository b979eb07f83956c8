"""From a publisher's table to the catalogue's figures: which topic, which members, which periods, and what is checked.

The catalogue says which figures of a table are wanted. What the table says of them is taken as it is; where it is not
what the catalogue expects, the error names table, column, expected and found, and nothing is taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from catalog import Catalogue
from catalog.model import Indicator, IndicatorSource
from sources import bundled, lifetimes
from sources.errors import (
    DuplicateFigure,
    InputError,
    MissingMunicipality,
    OutOfScale,
    PeriodError,
    SourceChanged,
)
from sources.facts import FIGURE
from sources.tidy import TidyTable, plain
from sources.topics import fits, resolve

# What the catalogue wants of a table: indicators, each with its entry for that table.
Wanted = list[tuple[Indicator, IndicatorSource]]

# Raw figures: those of the published tables, and why a missing one is missing as its publisher writes it.
RAW = [*FIGURE, "reason"]
_RAW_TYPES = {name: pl.Float64 if name in ("value", "ci_low", "ci_high") else pl.String for name in RAW}
_KEY = ["indicator_id", "region_code", "period"]
_PROVISIONAL = ["Voorlopig", "NaderVoorlopig"]
# Anything not named here is `not_published`.
_STATUS_OF_REASON = {
    **dict.fromkeys([".", "x", "X", "*", "<10", "< 10", "Confidential", "Secret"], "suppressed"),
    **dict.fromkeys(["nvt", "n.v.t."], "not_applicable"),
}
# A cell that cannot exist: an abolished municipality, or a year that is not there yet.
_NO_CELL = ["", "Impossible"]
# Our own reason, where a sum lacks a part of which the publisher says nothing: its region does exist.
_PART_MISSING = "part missing"
_REGIONS = r"^(GM|PV)\d+$"
_TOLERANCE = 1e-6
# A table with so many municipalities is one of the whole country; what may be absent of it, in percent of inhabitants.
_NATIONAL = 100
_MAY_LACK_PERCENT = 0.2
# A table of which half the figures moved by more than this factor has another unit.
_JUMP = 30.0


def wanted(catalogue: Catalogue, source_table: str) -> Wanted:
    """The indicators that are read from a table, each with its source entry; ratios follow from others."""
    return [
        (indicator, source)
        for indicator in catalogue.indicators
        for source in indicator.sources
        if source.source_table == source_table and source.topics
    ]


def present(table: TidyTable, what: Wanted) -> Wanted:
    """What of the catalogue's wishes a table has at all: a delivered file may hold a part of its table."""
    return [
        (indicator, source)
        for indicator, source in what
        if any(fits(topic, source.topics) for topic in table.topics) and _has_members(table, source)
    ]


def _has_members(table: TidyTable, source: IndicatorSource) -> bool:
    needed = [(name, [accepted]) for name, accepted in source.select.items()]
    needed += [(name, [[member] for member in members]) for name, members in source.add_up.items()]
    titles = {plain(name): members for name, members in table.members.items()}
    return all(
        len(_codes(titles[plain(name)], accepted)) == 1
        for name, each in needed
        if plain(name) in titles
        for accepted in each
    )


def figures(table: TidyTable, catalogue: Catalogue, what: Wanted) -> pl.DataFrame:
    """The wanted figures of a table: columns RAW, sorted, checked.

    Periods in which no region has a figure are not published yet and are left out, and so are regions that do not
    exist in a period. Raises an InputError that names the table and what is wrong with it.
    """
    frame = together([_figures_of(table, catalogue, indicator, source) for indicator, source in what], table.name)
    frame = _without_absent(frame, list(catalogue.region.municipalities)).sort(_KEY)
    for indicator, source in what:
        _check_scale(table.name, frame.filter(indicator_id=indicator.indicator_id), indicator, source)
    _check_own(table.name, frame, catalogue)
    return frame


def together(parts: Sequence[pl.DataFrame], table: str) -> pl.DataFrame:
    """The figures (columns RAW) of the parts of a table, such as the sheets of a workbook; without parts no rows.

    Raises DuplicateFigure for a figure that is there twice, also in two parts.
    """
    frame = pl.concat([pl.DataFrame(schema=_RAW_TYPES), *parts])
    repeated = frame.filter(pl.struct(_KEY).is_duplicated()).sort(_KEY)
    if repeated.height:
        raise _fault(DuplicateFigure, table, repeated, "one figure a region and period", "Rows are there twice.")
    return frame


def absent_municipalities(found: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """The municipalities that have no row, not even an empty one, where most have: a figure lost on the way.

    `known` has the inhabitants of municipalities in some years (indicator `population`; columns FIGURE). A period is
    held against the borders of its own year or a later one, whichever it lacks least of; one before the first of those
    years is not judged. Columns: indicator_id, period, region_code, share (of all inhabitants, percent); sorted.
    """
    municipal = pl.col("region_code").str.starts_with("GM")
    inhabitants = known.filter(municipal & (pl.col("value") > 0), indicator_id="population").select(
        "region_code",
        layout="period",
        share=100 * pl.col("value") / pl.col("value").sum().over("period"),
    )
    rows = found.filter(municipal).select("indicator_id", "period", "region_code")
    national = rows.group_by("indicator_id", "period").len().filter(pl.col("len") >= _NATIONAL).drop("len")
    year = pl.col("period").str.slice(0, 4)
    lacking = (
        national.filter(year >= pl.lit(inhabitants["layout"].min(), dtype=pl.String))
        .join(inhabitants, how="cross")
        .filter(pl.col("layout") >= year)
        .join(rows.with_columns(there=pl.lit(value=True)), ["indicator_id", "period", "region_code"], how="left")
        .with_columns(absent=pl.col("there").is_null())
    )
    in_layout = ["indicator_id", "period", "layout"]
    best = (
        lacking.group_by(in_layout)
        .agg(lost=pl.col("share").filter("absent").sum())
        .sort("indicator_id", "period", "lost", "layout")
        .unique(["indicator_id", "period"], keep="first", maintain_order=True)
    )
    return (
        lacking.filter("absent")
        .join(best, in_layout, how="semi")
        .select("indicator_id", "period", "region_code", "share")
        .sort("indicator_id", "period", pl.col("share"), "region_code", descending=[False, False, True, False])
    )


def check_municipalities(found: pl.DataFrame, known: pl.DataFrame, table: str) -> None:
    """Refuse a national table without municipalities that matter; a few small ones may lack figures.

    Of the bundled figures those without a row have 0.10% of all inhabitants at most. Raises MissingMunicipality.
    """
    lost = (
        absent_municipalities(found, known)
        .group_by("indicator_id", "period", maintain_order=True)
        .agg(pl.col("share").sum(), pl.col("region_code"))
        .filter(pl.col("share") > _MAY_LACK_PERCENT)
    )
    for row in lost.head(1).iter_rows(named=True):
        codes = row["region_code"]
        raise MissingMunicipality(
            table,
            f"a row for every municipality of the country in {row['indicator_id']} {row['period']}",
            column="region_code",
            value=f"none for {', '.join(codes[:5])}{', …' if len(codes) > 5 else ''}",
            remedy=f"{row['share']:.1f}% of all inhabitants live there: groups outside the region would be wrong. Was "
            "it cut off on the way, or did they get other codes? Nothing was taken in.",
            more=lost.height - 1,
        )


def check_country(found: pl.DataFrame, catalogue: Catalogue, table: str) -> None:
    """Refuse a table without the country's own figure, where its service is asked for it.

    Raises MissingMunicipality.
    """
    service = catalogue.source_tables[table].service
    country = catalogue.region.country_code
    if service is None or not any(country.startswith(beginning) for beginning in service.regions):
        return
    asked = {indicator.indicator_id for indicator, _ in wanted(catalogue, table) if indicator.country_figure}
    there = set(found.filter(region_code=country)["indicator_id"])
    if without := sorted((asked & set(found["indicator_id"])) - there):
        raise MissingMunicipality(
            table,
            f"a row for {catalogue.region.country_name_en} ({country})",
            column="region_code",
            value=f"none for {', '.join(without[:4])}",
            remedy="If the publisher gives none, say country_figure: false for the indicator. Nothing was taken in.",
        )


def check_size(found: pl.DataFrame, known: pl.DataFrame, table: str) -> None:
    """Refuse figures that are a thousand times those known before: `found` and `known` have the columns FIGURE.

    Each figure is compared with what is typical of its region, the median of the known periods. Raises SourceChanged
    where the median over the regions of a period is off. Zeros say nothing of a unit and are left out.
    """
    typical = (
        known.filter(pl.col("value") > 0).group_by("indicator_id", "region_code").agg(before=pl.col("value").median())
    )
    factors = (
        found.filter(pl.col("value") > 0)
        .join(typical, ["indicator_id", "region_code"])
        .group_by("indicator_id", "period")
        .agg(factor=(pl.col("value") / pl.col("before")).median(), regions=pl.len())
        .filter((pl.col("factor") > _JUMP) | (pl.col("factor") < 1 / _JUMP))
        .sort("indicator_id", "period")
    )
    if factors.height:
        first = factors.row(0, named=True)
        raise SourceChanged(
            table,
            f"figures of {first['indicator_id']} in {first['period']} of the size known before",
            column="value",
            value=f"{first['factor']:g} times those, over {first['regions']} regions",
            remedy="Did the publisher change the unit (persons and thousands, euro and 1 000 euro)? Then change the "
            "topic's unit and `factor` in catalog/indicators. Nothing was taken in.",
            more=factors.height - 1,
        )


def _figures_of(table: TidyTable, catalogue: Catalogue, indicator: Indicator, source: IndicatorSource) -> pl.DataFrame:
    topic = resolve(table.topics, source.topics, table.name)
    _require_dimensions(table, source, indicator.indicator_id)
    cells = table.cells.filter(topic=topic.key)
    added = 1
    add_up, select = ({plain(name): value for name, value in entry.items()} for entry in (source.add_up, source.select))
    for dimension, members in table.members.items():
        if names := add_up.get(plain(dimension)):
            codes = {_member(table, dimension, [name]) for name in names}
            cells = cells.filter(pl.col(dimension).is_in(list(codes)))
            added *= len(codes)
        elif names := select.get(plain(dimension)):
            cells = cells.filter(pl.col(dimension) == _member(table, dimension, names))
        elif cells[dimension].n_unique() > 1:
            raise SourceChanged(
                table.name,
                f"to be told which member of {dimension} {indicator.indicator_id} is about",
                column=dimension,
                value=f"{len(members)} members, such as {', '.join(list(members.values())[:4])}",
                remedy="Name it under `select` of this source in catalog/indicators.",
            )
    if added > 1:
        cells = _added_up(cells, added)
    cells = cells.with_columns(period=_period(table, source)).filter(
        pl.col("period") >= source.period_first, _in_months(source)
    )
    if cells.is_empty():
        raise SourceChanged(
            table.name,
            f"figures of {indicator.indicator_id} from {source.period_first} on",
            column=str(topic),
            remedy="The table has no rows for them: has its publisher cut it short, or do periods have another form?",
        )
    listed = catalogue.source_tables[source.source_table].provisional_periods or []
    # The list is for tables that do not say it themselves: what was provisional is settled one day.
    provisional = pl.coalesce(pl.col("period_status").is_in(_PROVISIONAL), pl.col("period").is_in(listed))
    return (
        cells.filter(pl.col("region_code").str.contains(_REGIONS) | pl.col("region_code").is_in(_whole(catalogue)))
        .with_columns(pl.col("value", "ci_low", "ci_high") * source.factor)
        # A factor such as 0.1 leaves 3.0000000000000004: back to the digits that were published.
        .with_columns(pl.col("value", "ci_low", "ci_high").round(9))
        .select(
            pl.lit(indicator.indicator_id).alias("indicator_id"),
            "region_code",
            "period",
            *("value", "ci_low", "ci_high"),
            pl.when(pl.col("value").is_null())
            .then(pl.col("reason").replace_strict(_STATUS_OF_REASON, default="not_published"))
            .when(provisional)
            .then(pl.lit("provisional"))
            .otherwise(pl.lit("definitive"))
            .alias("status"),
            pl.lit(source.source_table).alias("source_table"),
            "reason",
        )
    )


def _require_dimensions(table: TidyTable, source: IndicatorSource, indicator_id: str) -> None:
    """A table without the ages is not that of the right age."""
    known = {plain(dimension) for dimension in table.dimensions}
    if lacking := [name for name in [*source.select, *source.add_up] if plain(name) not in known]:
        raise SourceChanged(
            table.name,
            f"a dimension {lacking[0]}, of which {indicator_id} is about some members only",
            column=lacking[0],
            remedy=f"The table has: {', '.join(table.dimensions) or 'no dimensions beside region and period'}.",
        )


def _whole(catalogue: Catalogue) -> list[str]:
    return [catalogue.region.country_code, *catalogue.region.published_as]


def _member(table: TidyTable, dimension: str, names: Sequence[str]) -> str:
    """The code of the one member that has one of these codes or titles."""
    titles = table.members[dimension]
    found = _codes(titles, names)
    if len(found) != 1:
        raise SourceChanged(
            table.name,
            f"one member {' or '.join(repr(name) for name in names)}",
            column=dimension,
            value=", ".join(found) or f"{', '.join(list(titles.values())[:6])}, …",
            remedy="Add the publisher's new name under `select` of this source in catalog/indicators.",
        )
    return found[0]


def _codes(titles: Mapping[str, str], names: Sequence[str]) -> list[str]:
    accepted = {plain(name) for name in names}
    return [code for code, title in titles.items() if plain(code) in accepted or plain(title) in accepted]


def _added_up(cells: pl.DataFrame, members: int) -> pl.DataFrame:
    """The sum over so many members; missing where one of them is, with that one's reason."""
    key = ["region_code", "period"]
    missing = pl.col("value").is_null()
    whole = ~missing.any() & (pl.len() == members)
    reason = pl.coalesce(
        pl.col("reason").filter(missing & ~pl.col("reason").is_in(_NO_CELL)).first(),
        pl.when(~missing.all()).then(pl.lit(_PART_MISSING)),
        pl.col("reason").filter(missing).first(),
    )
    return (
        cells.group_by(key, maintain_order=True)
        .agg(
            value=pl.when(whole).then(pl.col("value").sum()),
            ci_low=pl.lit(None, dtype=pl.Float64),
            ci_high=pl.lit(None, dtype=pl.Float64),
            reason=pl.when(~whole).then(reason),
            period_status=pl.col("period_status").first(),
        )
        .sort(key)
    )


def _period(table: TidyTable, source: IndicatorSource) -> pl.Expr:
    """The period of a cell; that of the catalogue for a table without periods, which is about one."""
    if table.cells["period"].null_count() == 0:
        return pl.col("period")
    if source.period_first != source.period_last:
        raise PeriodError(
            table.name,
            "one period in the catalogue for a table without periods",
            column="period_last",
            value=f"{source.period_first} to {source.period_last}",
            remedy="Make period_first and period_last of this source the same.",
        )
    return pl.col("period").fill_null(source.period_first)


def _in_months(source: IndicatorSource) -> pl.Expr:
    if not source.months:
        # Years where the source's periods are years, and so on: a monthly table may hold years too.
        return pl.col("period").str.len_chars() == len(source.period_first)
    return pl.col("period").str.contains(rf"^\d{{4}}-({'|'.join(source.months)})$")


def _without_absent(frame: pl.DataFrame, own: list[str]) -> pl.DataFrame:
    """Without periods nobody has a figure of, and without regions that have none but impossible cells in a period."""
    published = pl.col("value").is_not_null().any().over("indicator_id", "period")
    exists = (~pl.col("reason").fill_null("-").is_in(_NO_CELL)).any().over("region_code", "period")
    return frame.filter(published).filter(exists | pl.col("region_code").is_in(own))


def _check_scale(table: str, rows: pl.DataFrame, indicator: Indicator, source: IndicatorSource) -> None:
    value, unit = pl.col("value"), source.rounding_unit
    low, high = indicator.scale_min, indicator.scale_max
    outside = rows.filter((value < low if low is not None else False) | (value > high if high is not None else False))
    if outside.height:
        scale = f"{'-∞' if low is None else f'{low:g}'} to {'∞' if high is None else f'{high:g}'}"
        raise _fault(
            OutOfScale,
            table,
            outside,
            f"a value within the scale of {indicator.indicator_id}, {scale} ({indicator.unit})",
            "Did the publisher change the unit? Compare with its own page of this table.",
        )
    finer = rows.filter((value - (value / unit).round() * unit).abs() > _TOLERANCE * max(1.0, unit))
    if finer.height:
        raise _fault(
            SourceChanged,
            table,
            finer,
            f"a multiple of {unit:g}, the rounding unit of {indicator.indicator_id} in this table",
            "The publisher changed its precision, or rounding_unit in the catalogue is wrong: margins depend on it.",
        )
    bounded = pl.any_horizontal(pl.col("ci_low", "ci_high").is_not_null())
    crossed = rows.filter((pl.col("ci_low") > value) | (pl.col("ci_high") < value) | (value.is_null() & bounded))
    if crossed.height:
        raise _fault(SourceChanged, table, crossed, "a value within its margins", "Are the margins mixed up?")


def _check_own(table: str, frame: pl.DataFrame, catalogue: Catalogue) -> None:
    """Every own municipality has a row where one of them has one."""
    own = catalogue.region.must_have_figures
    mine = frame.filter(pl.col("region_code").is_in(own))
    lives = lifetimes.read_lifetimes(bundled.FOLDER / lifetimes.FILE)
    year = pl.col("period").str.slice(0, 4)
    gaps = (
        mine.select("indicator_id", "period")
        .unique()
        .join(pl.DataFrame({"region_code": own}).join(lives, "region_code", how="left"), how="cross")
        .filter(
            (pl.col("valid_from").fill_null("") <= year + "-01-01")
            & (pl.col("valid_to").str.slice(0, 4).fill_null("9999") > year)
        )
        .join(mine, _KEY, how="anti")
        .sort(_KEY)
    )
    if gaps.height:
        first = gaps.row(0, named=True)
        name = catalogue.region.municipalities[first["region_code"]]
        raise MissingMunicipality(
            table,
            f"a row for all {len(own)} municipalities of {catalogue.region.name_en}",
            column="region_code",
            remedy=f"Missing: {name} ({first['region_code']}), {first['indicator_id']}, {first['period']}. Did the "
            "municipality get another code, or was the answer cut off? Nothing was taken in.",
            more=gaps.height - 1,
        )


def _fault(kind: type[InputError], table: str, bad: pl.DataFrame, expected: str, remedy: str) -> InputError:
    first = bad.row(0, named=True)
    return kind(
        table,
        expected,
        column="value",
        value=f"{first['value']} ({first['indicator_id']}, {first['region_code']}, {first['period']})",
        remedy=remedy,
        more=bad.height - 1,
    )
