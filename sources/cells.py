"""What publishers' cells look like, and what they mean: padded numbers, missing markers, region codes, margins."""

from __future__ import annotations

import re
from collections.abc import Sequence

import polars as pl

from sources.errors import SourceChanged, ValueFault

# Instead of a number. CBS: `.` unknown, insufficiently reliable or secret; blank: cannot occur. Swing: `?` unknown,
# `x` secret. UWV: `*` and `<10` too few to publish. `-` is nil at CBS, but "none" at others, so it is never read as 0.
MARKERS = ["", ".", "-", "x", "X", "?", "*", "<10", "< 10", "n.b.", "nvt", "n.v.t."]

VALUE, LOW, HIGH = "MW00000", "MOG0095", "MBG0095"
_MARGIN_TITLES = {"Waarde": VALUE, "Ondergrens 95%-interval": LOW, "Bovengrens 95%-interval": HIGH}


def region_code(column: str | pl.Expr) -> pl.Expr:
    """Region codes without blanks; the country of the district tables (NL00) is NL01 everywhere."""
    expr = pl.col(column) if isinstance(column, str) else column
    return expr.str.strip_chars().replace({"NL00": "NL01"})


def read_numbers(frame: pl.DataFrame, column: str, table: str, *, decimal: str = ".") -> pl.DataFrame:
    """Add `value` (Float64) and `reason` (the marker, where there is no value) read from the text in `column`.

    A NULL cell has the reason `` (empty). Raises ValueFault for text that is neither a number nor a marker, and for a
    number with the other decimal sign: it may separate thousands.
    """
    text = pl.col(column).fill_null("").str.strip_chars()
    well_formed = text.str.contains(rf"^[+-]?[0-9]+(?:{re.escape(decimal)}[0-9]+)?$")
    read = frame.with_columns(
        value=pl.when(well_formed).then(text.str.replace(decimal, ".", literal=True)).cast(pl.Float64),
        reason=pl.when(~well_formed).then(text),
    )
    odd = read.filter(pl.col("reason").is_not_null() & ~pl.col("reason").is_in(MARKERS))
    if odd.height:
        raise ValueFault(
            table,
            f"a number with decimal '{decimal}', or one of the markers {' '.join(repr(m) for m in MARKERS if m)}",
            column=column,
            value=odd["reason"][0],
            remedy="If the publisher uses a new marker, add it to sources/cells.py.",
            more=odd.height - 1,
        )
    return read


def margin_codes(titles: dict[str, str], table: str) -> dict[str, str]:
    """Which code of the dimension Marges is the value, and which the bounds: code -> VALUE, LOW or HIGH.

    `titles` is code -> title; files without codes use the titles themselves. Raises SourceChanged for an unknown one.
    """
    known = {VALUE, LOW, HIGH}
    found = {code: code if code in known else _MARGIN_TITLES.get(title.strip(), "") for code, title in titles.items()}
    if unknown := sorted(code for code, role in found.items() if not role):
        raise SourceChanged(
            table,
            f"the margins {VALUE} (value), {LOW} (lower bound) and {HIGH} (upper bound)",
            column="Marges",
            value=f"{unknown[0]} {titles[unknown[0]]}",
            remedy="The publisher has margins of another kind: see sources/cells.py.",
        )
    return found


def join_margins(
    cells: pl.DataFrame, margins: str, roles: dict[str, str], key: Sequence[str], table: str
) -> pl.DataFrame:
    """The three rows of a figure (value, lower, upper bound) as one row with ci_low and ci_high.

    `key` identifies a figure. Without bounds (value rows only) they are NULL; a bound may be empty by itself, but in a
    table with both kinds of bounds each has a row. Raises SourceChanged where a bound has no value row, or no row of
    the other bound, beside it, or a key is there twice.
    """
    role = pl.col(margins).replace_strict(roles)
    rows = cells.with_columns(role.alias("_role"))
    if rows.select(pl.struct([*key, "_role"]).is_duplicated().any()).item():
        raise SourceChanged(table, "one row a figure and margin", column=margins, remedy="Rows are there twice.")
    joined = rows.filter(pl.col("_role") == VALUE).drop("_role", margins, "ci_low", "ci_high", strict=False)
    for name, wanted in (("ci_low", LOW), ("ci_high", HIGH)):
        bound = rows.filter(pl.col("_role") == wanted).select(*key, pl.col("value").alias(name))
        lost = bound.filter(pl.col(name).is_not_null()).join(joined, key, how="anti", nulls_equal=True)
        if lost.height:
            raise SourceChanged(
                table,
                "a value beside every bound",
                column=margins,
                value=" ".join(str(part) for part in lost.row(0)),
                remedy="Ask for the rows of the value too; nothing was kept.",
                more=lost.height - 1,
            )
        joined = joined.join(bound, key, how="left", nulls_equal=True, maintain_order="left")
    low, high = (rows.filter(pl.col("_role") == bound).select(key) for bound in (LOW, HIGH))
    halves = pl.concat(
        [low.join(high, key, how="anti", nulls_equal=True), high.join(low, key, how="anti", nulls_equal=True)]
    )
    if low.height and high.height and halves.height:
        raise SourceChanged(
            table,
            "both bounds of a margin",
            column=margins,
            value=" ".join(str(part) for part in halves.row(0)),
            remedy="Rows were lost on the way, or the publisher changed its margins. Nothing was kept; fetch it again.",
            more=halves.height - 1,
        )
    return joined
