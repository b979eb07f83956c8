"""Figures of earlier years on the borders of one chosen year: merged, split and renamed municipalities.

Borders are those of 1 January. Nothing is estimated beyond two stated assumptions: what is split is split as its
inhabitants were when it was split, and the parts of a split municipality had its rate.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import polars as pl

from methods import warning_lists as warn
from methods.aggregate import STATUS_ORDER

_ALL = 1 - 1e-9  # a share from here on is a whole municipality; below it is floating-point noise
_MUNICIPAL = pl.col("region_code").str.starts_with("GM")
_YEAR = pl.col("period").str.slice(0, 4)
_WITHIN_A_YEAR = pl.col("period").str.len_chars() > 4
_MEASURED = ["value", "ci_low", "ci_high", "n", "status", "warnings"]


def crosswalk(
    reorganisations: pl.DataFrame, periods: Iterable[int], layout_year: int, codes: Iterable[str]
) -> pl.DataFrame:
    """Where the inhabitants of every municipality of each year in `periods` live on the borders of `layout_year`.

    Columns, sorted: period (the year, String), from_code, to_code, share (0-1], changed. Every municipality that
    existed on 1 January of the period has rows, also where nothing changed; its shares add up to 1. changed: the area
    of from_code in the period is not that of to_code on the later borders. It holds for the municipality that kept
    its code and grew, and not for a mere new name and code. A part without inhabitants has no row of its own, but
    does change who takes it.

    `reorganisations`: date, old_code, new_code, kind (`border_change` where the old municipality lives on), share and
    founded (whether new_code began there), as sources/reorganisations gives them. They must reach back to the first
    period: what they do not name counts as unchanged. `codes`: all municipalities of 1 January of `layout_year`, from
    which the earlier ones follow.

    Raises ValueError for a period after `layout_year`, for no period at all, and for codes that contradict the
    reorganisations.
    """
    years = sorted(set(periods), reverse=True)
    if not years:
        raise ValueError("periods: name at least one year")
    if years[0] > layout_year:
        raise ValueError(
            f"period {years[0]} lies after the layout year {layout_year}: a figure can be put on later borders, "
            "not on earlier ones"
        )
    known = set(codes)
    _check_codes(reorganisations, layout_year, known)
    events = reorganisations.filter(pl.col("date") <= date(layout_year, 1, 1))
    dates = events["date"].unique().sort().to_list()
    to_layout = pl.DataFrame({"from_code": sorted(known), "to_code": sorted(known)}).with_columns(
        share=pl.lit(1.0), changed=pl.lit(value=False)
    )
    layouts = []
    # From the chosen year backwards: one step a date serves all earlier years.
    for year in years:
        while dates and dates[-1] > date(year, 1, 1):
            to_layout = _before(events.filter(pl.col("date") == dates.pop()), to_layout)
        layouts.append(to_layout.select(pl.lit(str(year)).alias("period"), pl.all()))
    return pl.concat(layouts).filter(pl.col("share") > 0).sort("period", "from_code", "to_code")


def _check_codes(reorganisations: pl.DataFrame, layout_year: int, codes: set[str]) -> None:
    past = pl.col("date") <= date(layout_year, 1, 1)
    ends = pl.col("kind") != "border_change"
    gone = set(reorganisations.filter(past & ends)["old_code"])
    unborn = set(reorganisations.filter(~past & pl.col("founded"))["new_code"])
    named = {*reorganisations["old_code"], *reorganisations["new_code"]}
    whole = f"codes must be all municipalities of 1 January {layout_year}; by the reorganisations"
    if foreign := sorted(codes & (gone | unborn)):
        raise ValueError(f"{whole} {', '.join(foreign[:5])} did not exist then")
    if lacking := sorted(named - gone - unborn - codes):
        raise ValueError(f"{whole} {', '.join(lacking[:5])} existed then, and is missing")


def _before(events: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """The way to the layout from just before the events of one date, given the way from just after them."""
    ceded = (
        events.filter(pl.col("kind") == "border_change")
        .group_by(from_code="old_code")
        .agg(ceded=pl.col("share").sort().sum())
    )
    stayed = (
        after.select("from_code")
        .unique()
        .join(events.filter("founded"), left_on="from_code", right_on="new_code", how="anti")
        .join(ceded, "from_code", how="left")
        .select("from_code", via="from_code", step=1 - pl.col("ceded").fill_null(0.0))
    )
    went = events.select(from_code="old_code", via="new_code", step="share")
    # An area is still the same where all of it goes to one municipality that takes nothing else.
    apart = (pl.len().over("from_code") > 1) | (pl.len().over("via") > 1)
    return (
        pl.concat([stayed, went])
        .with_columns(apart=apart)
        .join(after.rename({"from_code": "via"}), "via")
        # Floating-point sums depend on their order: keep it, so that equal inputs give equal bytes.
        .sort("from_code", "to_code", "via")
        .group_by("from_code", "to_code", maintain_order=True)
        .agg((pl.col("step") * pl.col("share")).sum().alias("share"), (pl.col("apart") | pl.col("changed")).any())
        .rename({"apart": "changed"})
    )


def restate(
    figures: pl.DataFrame, crosswalk: pl.DataFrame, indicators: pl.DataFrame, weights: pl.DataFrame
) -> pl.DataFrame:
    """Municipal figures on the borders that `crosswalk` leads to; rows of other regions stay as they are.

    `figures`: indicator_id, region_code, period, value, status, warnings; also ci_low, ci_high and n where there are
    any. Every other column (source_table, breakdown) tells series apart. `crosswalk`: as `crosswalk` gives it.
    `indicators`: indicator_id, group_method. `weights`: indicator_id, region_code, period, weight, approximate
    (boolean: not the weight that is meant), for the municipalities of the figures; a sum needs none. Returns the
    columns of `figures`, sorted.

    A table may give old periods on newer borders. So the borders of a series in a period are those of the year itself
    where all its municipalities existed then, else those of the nearest year in the crosswalk in which they did. Of two
    years as near, a figure within a year (2022-12, 2022Q4) has the later one. And where such a series lacks part of a
    municipality on the borders of its own 1 January, and has all of it on those of the next, the reorganisation has
    already been: the later borders hold there. (In December 2022 Weesp is part of Amsterdam.)

    What was merely renamed goes by all its codes, also in a period in which it had another. With figures under several
    of them, the one with a value stands, before that the one under the code of the layout; the others are dropped.

    A series that fits no year in a period is not in the result, as no one can say on which borders it is; `left_out`
    names it.

    Where the area did not change, a figure stays as it is. Elsewhere it says `boundary_change`, and is by group_method:

    - sum: the parts' values times their shares. With part of a municipality also `weight_approximate`.
    - weighted_mean, ratio: the mean of the parts, weighted with weight times share; `weight_approximate` where a
      weight is, or a part is part of a municipality. A single part takes the figure of the municipality it was in.
    - none (medians, classes): not applicable where there are several parts, whatever their size; else as a rate.

    A part without value, row or weight leaves no value, never one of the other parts: the status is that of the first
    part without value, not_published where it has no row or only a weight is lacking. Else it is the weakest status.
    Margins: parts are independent estimates, so that the squares of their half-widths add up, each times its weight;
    NULL where a part has none. n is added up where the parts are whole. A municipality of which no part has a row has
    no row. An `unusual_change` of a part is not one of the whole, and is left out.

    Raises ValueError for a figure that is there twice, and an indicator that is not in `indicators`.
    """
    key = _series_of(figures)
    old = figures.filter(_MUNICIPAL)
    _check_figures(old, indicators, key)
    parts = _parts(old, crosswalk, key)
    same = parts.filter(~pl.col("changed"))
    changed = (
        parts.filter("changed")
        .join(indicators.select("indicator_id", "group_method"), "indicator_id", validate="m:1")
        .join(weights, ["indicator_id", "region_code", "period"], how="left", validate="m:1")
        # Floating-point sums depend on their order: keep it, so that equal inputs give equal bytes.
        .sort(*key, "to_code", "region_code")
    )
    restated = [
        frame.drop("region_code").rename({"to_code": "region_code"}).select(figures.columns)
        for frame in (same, _combine(changed, key, figures.columns))
    ]
    return pl.concat([figures.filter(~_MUNICIPAL), *restated]).sort(*key, "region_code")


def _check_figures(figures: pl.DataFrame, indicators: pl.DataFrame, key: list[str]) -> None:
    twice = figures.filter(pl.struct(*key, "region_code").is_duplicated())
    if twice.height:
        raise ValueError(f"a figure is there twice: {_named(twice, [*key, 'region_code'])}")
    if unknown := sorted(set(figures["indicator_id"]) - set(indicators["indicator_id"])):
        raise ValueError(f"not among the indicators: {', '.join(unknown[:5])}")


def left_out(figures: pl.DataFrame, crosswalk: pl.DataFrame) -> pl.DataFrame:
    """The series that `restate` leaves out in a period, as no year of the crosswalk has all their municipalities.

    One row for each, sorted: the columns of `figures` that tell series and periods apart, and region_code, the first
    municipality that was not there on 1 January of the period.
    """
    key = _series_of(figures)
    old = figures.filter(_MUNICIPAL)
    lost = old.join(_borders(old, crosswalk, key), key, how="anti", nulls_equal=True).with_columns(borders=_YEAR)
    odd = lost.join(_known_as(crosswalk), ["borders", "region_code"], how="anti")
    return odd.group_by(key).agg(pl.col("region_code").min()).sort(key)


def _series_of(figures: pl.DataFrame) -> list[str]:
    return [name for name in figures.columns if name not in (*_MEASURED, "region_code")]


def _known_as(crosswalk: pl.DataFrame) -> pl.DataFrame:
    """The codes of the municipalities of every year: borders, from_code, region_code (a code it has, had or gets).

    newest: region_code is that of the layout, for the same area.
    """
    renamed, other = crosswalk.filter(~pl.col("changed")), crosswalk.filter("changed")
    codes = pl.concat([renamed.select("to_code", region_code=f"{end}_code") for end in ("from", "to")]).unique()
    return (
        pl.concat(
            [
                renamed.join(codes, "to_code").with_columns(newest=pl.col("region_code") == pl.col("to_code")),
                other.with_columns(region_code="from_code", newest=pl.lit(value=False)),
            ],
            how="diagonal",
        )
        .select("from_code", "region_code", "newest", borders="period")
        .unique()
    )


def _borders(figures: pl.DataFrame, crosswalk: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """The year whose borders every series has in every period, where there is one: `key` and borders."""
    away = pl.col("borders").cast(pl.Int32) - _YEAR.cast(pl.Int32)
    return (
        figures.select(*key, "region_code")
        .join(_known_as(crosswalk).select("borders", "region_code").unique(), "region_code")
        .group_by(*key, "borders")
        .agg(found=pl.len())
        .join(figures.group_by(key).agg(size=pl.len()), key, nulls_equal=True)
        .filter(pl.col("found") == pl.col("size"))
        .sort(*key, away.abs(), pl.when(_WITHIN_A_YEAR).then(-away).otherwise(away))
        .unique(key, keep="first", maintain_order=True)
        .select(*key, "borders")
    )


def _parts(figures: pl.DataFrame, crosswalk: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """What every to_code of a series is made of: a row for each part, with its figure where given."""
    first = _borders(figures, crosswalk, key)
    after = first.filter(_WITHIN_A_YEAR & (pl.col("borders") == _YEAR)).with_columns(
        borders=(pl.col("borders").cast(pl.Int32) + 1).cast(pl.String)
    )
    borders = pl.concat([first.with_columns(later=pl.lit(value=False)), after.with_columns(later=pl.lit(value=True))])
    given = (
        figures.join(borders, key, nulls_equal=True)
        .join(_known_as(crosswalk), ["borders", "region_code"])
        .sort(*key, "from_code", pl.col("value").is_null(), ~pl.col("newest"), "region_code")
        .unique([*key, "borders", "from_code"], keep="first", maintain_order=True)
        .drop("region_code", "newest", "later")
        .with_columns(given=True)
    )
    target = [*key, "to_code"]
    whole = pl.col("given").is_not_null().all().over(*target, "later")
    # Per municipality: of what was reorganised within a year, and on the next 1 January, only the former has been.
    is_later = pl.col("later").any() & ~pl.col("given").is_not_null().all()
    return (
        borders.join(crosswalk.rename({"period": "borders"}), "borders")
        .join(given, [*key, "borders", "from_code"], how="left", nulls_equal=True)
        .filter(pl.col("given").any().over(*target, "later"))
        .filter(whole | ~pl.col("later"))
        .filter(pl.col("later") == is_later.over(target))
        .rename({"from_code": "region_code"})
    )


def _combine(parts: pl.DataFrame, key: list[str], columns: list[str]) -> pl.DataFrame:
    """One row for each to_code of a series, from its parts."""
    target = [*key, "to_code"]
    method, share, value = pl.col("group_method"), pl.col("share"), pl.col("value")
    is_sum = method == "sum"
    counts = (
        pl.when(is_sum)
        .then(share)
        .when(pl.len().over(target) == 1)
        .then(1.0)
        .when(method != "none")
        .then(pl.col("weight").cast(pl.Float64) * share)
    )
    total = pl.when(is_sum).then(1.0).otherwise(pl.col("weight").sum().over(target))
    weighed = parts.with_columns(weight=counts).with_columns(weight=pl.when(total > 0).then(pl.col("weight") / total))
    several = pl.len() > 1
    known = value.is_not_null().all() & pl.col("weight").is_not_null().all()
    split = (share < _ALL).any()
    approximate = (split & (is_sum.first() | several)) | (several & pl.col("approximate").any())
    bounds = [
        pl.when(known & pl.col(name).is_not_null().all())
        .then((pl.col("weight") * value).sum() + sign * (pl.col("weight") * (value - pl.col(name))).pow(2).sum().sqrt())
        .alias(name)
        for name, sign in (("ci_low", -1), ("ci_high", 1))
        if name in columns
    ]
    respondents = [pl.when(pl.col("n").is_not_null().all() & ~split).then(pl.col("n").sum())] if "n" in columns else []
    return (
        weighed.group_by(target, maintain_order=True)
        .agg(
            pl.when(known).then((pl.col("weight") * value).sum()).alias("value"),
            *bounds,
            *respondents,
            _status(known).alias("status"),
            warn.unite_rows("warnings").filter(warn.unite_rows("warnings") != "unusual_change").alias("warnings"),
            (known & approximate).alias("approximate"),
            pl.col("region_code").first(),
        )
        .with_columns(
            warnings=warn.unite(
                "warnings",
                pl.lit(["boundary_change"], dtype=pl.List(pl.String)),
                warn.when(pl.col("approximate"), "weight_approximate"),
            )
        )
    )


def _status(known: pl.Expr) -> pl.Expr:
    rank = {status: place for place, status in enumerate(STATUS_ORDER)}
    weakest = pl.col("status").replace_strict(rank, default=None, return_dtype=pl.Int32).min()
    without = pl.col("status").fill_null("not_published").filter(pl.col("value").is_null())
    lacks_weight = pl.when(pl.col("group_method").first() == "none").then(pl.lit("not_applicable"))
    return (
        pl.when(known)
        .then(weakest.replace_strict(dict(enumerate(STATUS_ORDER)), default=None, return_dtype=pl.String))
        .otherwise(pl.coalesce(without.first(), lacks_weight, pl.lit("not_published")))
    )


def _named(rows: pl.DataFrame, columns: list[str]) -> str:
    return " ".join(str(value) for value in rows.select(columns).sort(columns).row(0))
