"""What must be true of the tables of the programme: money as agreed, dates within it, and what asks for attention."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Final

import polars as pl

from methods.programme import TOTAL
from pipelines.rules import TOLERANCE, Context, Suite, flag

_CENT: Final = 0.005
# How sources of financing add up, over all lines.
_PARTS: Final = {"public": ("public_money", "public_in_kind"), "regional": ("public", "private_in_kind")}


def _totals_as_agreed(frame: pl.DataFrame, _: Context) -> Suite:
    """The printed tables: lines add up to the totals, and the parts of the regional financing to it."""
    of_lines, of_total = frame.filter(pl.col("line_id") != TOTAL), frame.filter(line_id=TOTAL)
    key = ["year", "financing_source"]
    summed = of_lines.filter(pl.col("financing_source").is_in(["state", "regional", "total"]))
    lines = summed.group_by(key).agg(lines=pl.col("budget").sum())
    by_source = {name: _budget_of(of_total, name) for name in ("state", "regional", *_PARTS["public"], "public")}
    whole = lines.join(of_total.select(*key, printed="budget"), key).select(
        *key, "printed", adds_up=((pl.col("lines") - pl.col("printed")).abs() < _CENT).fill_null(value=False)
    )
    parts = [
        _budget_of(of_total, name)
        .rename({"budget": "printed"})
        .join(_budget_of(of_total, first).rename({"budget": "first"}), "year")
        .join(_budget_of(of_total, second).rename({"budget": "second"}), "year")
        .select(
            "year",
            financing_source=pl.lit(name),
            printed="printed",
            adds_up=((pl.col("first") + pl.col("second") - pl.col("printed")).abs() < _CENT).fill_null(value=False),
        )
        for name, (first, second) in _PARTS.items()
    ]
    both = by_source["state"].join(by_source["regional"], "year", suffix="_regional")
    enough = both.select(
        "year",
        financing_source=pl.lit("regional"),
        printed="budget_regional",
        co_financed=pl.col("budget_regional") >= pl.col("budget") - _CENT,
    )
    listed = (
        pl.concat([whole, *parts])
        .join(enough.drop("printed"), key, how="left")
        .with_columns(pl.col("co_financed").fill_null(value=True))
    )
    return Suite(
        listed.sort(key),
        key,
        [
            flag("budget_adds_up", "adds_up", "amounts add up to the printed totals", shows=("printed",)),
            flag("region_matches_state", "co_financed", "co-financing is at least the state's part in total"),
        ],
        unit="total",
    )


def _budget_of(frame: pl.DataFrame, source: str) -> pl.DataFrame:
    return frame.filter(financing_source=source).select("year", "budget")


def _money(frame: pl.DataFrame, context: Context) -> Suite:
    key = ["year", "line_id", "financing_source"]
    newest = pl.col("year") == context.catalogue.region.last_measurement_year
    listed = frame.select(
        *key,
        "warning",
        backed=(pl.col("paid") <= pl.col("committed") + _CENT).fill_null(value=True),
        calm=pl.col("warning").is_null() | ~newest,
    )
    return Suite(
        listed,
        key,
        [
            flag("paid_within_committed", "backed", "nothing is paid that was not committed"),
            flag(
                "money_within_agreement",
                "calm",
                "the money of the newest year is within what was agreed",
                severity="warning",
                shows=("warning",),
            ),
        ],
        unit="amount",
    )


def _within_programme(*columns: str) -> Callable[[pl.DataFrame, Context], Suite]:
    """Dates lie within the programme."""

    def rule(frame: pl.DataFrame, context: Context) -> Suite:
        key = context.catalogue.registry["milestone" if "planned_on" in columns else "project"].key
        programme = context.catalogue.programme
        first, last = (programme.starts, programme.ends) if programme else (date.min, date.max)
        inside = [pl.col(column).is_between(pl.lit(str(first)), pl.lit(str(last))) for column in columns]
        listed = frame.select(*key, *columns, inside=pl.all_horizontal(each.fill_null(value=True) for each in inside))
        expected = "dates lie within the programme"
        return Suite(listed, key, [flag("dates_within_programme", "inside", expected, shows=columns)])

    return rule


def _results(frame: pl.DataFrame, context: Context) -> Suite:
    threshold = context.read("target").select("target_id", "threshold")
    undecided = pl.col("status") == "not_decidable"
    enough = (pl.col("achieved") >= pl.col("threshold") - TOLERANCE).fill_null(value=False)
    listed = frame.join(threshold, "target_id", how="left", maintain_order="left").select(
        "year",
        "target_id",
        explained=undecided == pl.col("reason").is_not_null(),
        # A count is reached at its threshold, neither before nor after.
        fits=pl.col("threshold").is_null() | undecided | ((pl.col("status") == "reached") == enough),
        proven=(pl.col("status") != "reached") | pl.col("threshold").is_null() | (pl.col("evidence_count") > 0),
    )
    return Suite(
        listed,
        ["year", "target_id"],
        [
            flag("undecided_says_why", "explained", "a result says why nothing can be said, or says something"),
            flag("reached_at_threshold", "fits", "a count is reached exactly where it is at its threshold"),
            flag("reached_with_evidence", "proven", "what is reached has evidence"),
        ],
        unit="result",
    )


def _tests(frame: pl.DataFrame, _: Context) -> Suite:
    change = pl.col("limit_low", "wave_change", "limit_high")
    inside = (pl.col("limit_low") <= pl.col("wave_change")) & (pl.col("wave_change") <= pl.col("limit_high"))
    listed = frame.select(
        "year",
        "target_id",
        inside=pl.all_horizontal(change.is_null()) | inside.fill_null(value=False),
        whole=pl.all_horizontal(change.is_null()) | pl.all_horizontal(pl.col("power", "margin_found").is_not_null()),
    )
    return Suite(
        listed,
        ["year", "target_id"],
        [
            flag("limits_contain_change", "inside", "the change lies between its limits"),
            flag("power_published", "whole", "every test has its power"),
        ],
        unit="test",
    )


def _report_ready(frame: pl.DataFrame, context: Context) -> Suite:
    newest = frame.filter(year=context.catalogue.region.last_measurement_year)
    key = ["year", "line_id", "requirement"]
    expected = "all that the report on the newest year needs is there"
    rule = flag("report_is_complete", "met", expected, severity="warning", shows=("lacking",))
    return Suite(newest.select(*key, "met", "lacking"), key, [rule], unit="requirement")


def _no_causes(frame: pl.DataFrame, context: Context) -> Suite:
    key = context.catalogue.registry["programme_text"].key
    listed = frame.select(*key, names_none=pl.col("causal_sentences").is_null())
    expected = "no bureau's text names a cause that the figures cannot show"
    return Suite(listed, key, [flag("text_names_no_cause", "names_none", expected, severity="warning")], unit="text")


PLAUSIBILITY: dict[str, list[Callable[[pl.DataFrame, Context], Suite]]] = {
    "budget_progress": [_totals_as_agreed, _money],
    "project": [_within_programme("starts", "ends")],
    "milestone": [_within_programme("planned_on", "reached_on")],
    "target_progress": [_results],
    "policy_indicator": [_tests],
    "report_requirement": [_report_ready],
    "programme_text": [_no_causes],
}
ASKS_FOR_ATTENTION: Final = {"budget_progress", "report_requirement", "programme_text"}
LOOKED_UP: Final = {"target_progress": {"target"}}
