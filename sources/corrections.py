"""Corrections of the catalogue, applied to published figures: visibly, and only while the figure is as it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from catalog.corrections_model import MISSING, Correction
from sources.errors import InputError

FILE = "catalog/corrections.yaml"

_KEY = ["indicator_id", "region_code", "period", "source_table"]
# What a correction says, as the table `correction` has it; the value it gives and the status of that.
_SAID = ["breakdown", "action", "warning", "reason", "reported_to", "state"]
_TEXTS = ["correction_id", *_KEY, *_SAID, "given_status"]
_NUMBERS = ["expect", "given_value"]
_TOLERANCE = 1e-9


class CorrectionOutdated(InputError):  # noqa: N818 - named after the fault, as its base is
    """A figure that is corrected is no longer the one that was published when the correction was made."""


def apply(
    figures: pl.DataFrame, corrections: Sequence[Correction], held_back: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The figures as they are computed with, and what was done to them (the columns of the table `correction`).

    `figures` have the columns RAW and synthetic, one row a key. `held_back`: what their publisher says now of figures
    of a frozen baseline, which keeps the first; a correction must expect that. A dropped figure is `not_published`; one
    that is replaced loses its margins and keeps its status. Corrections of figures that are not in `figures` are not
    applied, and not among the second. Raises CorrectionOutdated.
    """
    asked = _frame(corrections)
    newest = held_back.select(*_KEY, newest_value="value", is_held_back=pl.lit(value=True))
    applied = (
        asked.join(figures.select(*_KEY, published_value="value"), _KEY, maintain_order="left")
        .join(newest, _KEY, how="left", maintain_order="left")
        .with_columns(
            corrected_value=_of_action("published_value"),
            newest_value=pl.when("is_held_back").then("newest_value").otherwise("published_value"),
        )
        .sort("correction_id")
    )
    _refuse_outdated(applied)
    changed = pl.col("action").is_in(["drop", "override"])
    corrected = (
        figures.join(
            asked.select(*_KEY, "action", "given_value", "given_status"), _KEY, how="left", maintain_order="left"
        )
        .with_columns(
            value=_of_action("value"),
            status=pl.when(pl.col("action") == "drop")
            .then(pl.lit("not_published"))
            .otherwise(pl.coalesce("given_status", "status")),
            # Why the publisher has no value explains nothing once there is one.
            reason=pl.when(pl.col("action") == "override").then(None).otherwise("reason"),
            **{name: pl.when(changed).then(None).otherwise(name) for name in ("ci_low", "ci_high")},
        )
        .select(figures.columns)
    )
    said = [name for name in _SAID if name not in ("breakdown", "action")]
    columns = [
        *("correction_id", "indicator_id", "region_code", "period", "breakdown", "source_table", "action"),
        *("published_value", "corrected_value"),
        *said,
    ]
    return corrected, applied.select(columns)


def _of_action(value: str) -> pl.Expr:
    """The value that is computed with: none if dropped, that of the correction if replaced, else as published."""
    action = pl.col("action")
    return pl.when(action == "drop").then(None).when(action == "override").then("given_value").otherwise(value)


def _frame(corrections: Sequence[Correction]) -> pl.DataFrame:
    rows = [
        {
            "correction_id": correction.id,
            **dict(zip(_KEY, correction.figure, strict=True)),
            **correction.model_dump(include={*_SAID, "expect"}),
            "given_value": correction.value,
            "given_status": correction.status,
        }
        for correction in corrections
    ]
    return pl.DataFrame(rows, schema=dict.fromkeys(_TEXTS, pl.String) | dict.fromkeys(_NUMBERS, pl.Float64))


def _refuse_outdated(applied: pl.DataFrame) -> None:
    """The guard: the publisher's newest value is what it was, but for the last digits of its conversion to our unit."""
    value, expect = pl.col("newest_value"), pl.col("expect")
    equal = (value - expect).abs() <= _TOLERANCE * pl.max_horizontal(pl.lit(1.0), expect.abs())
    outdated = applied.filter(
        ~pl.when(value.is_null() | expect.is_null()).then(value.is_null() & expect.is_null()).otherwise(equal)
    )
    for row in outdated.head(1).iter_rows(named=True):
        figure = ", ".join(row[name] for name in _KEY)
        raise CorrectionOutdated(
            FILE,
            f"{_shown(row['expect'])}, as correction '{row['correction_id']}' says of {figure}",
            column="expect",
            value=_shown(row["newest_value"]),
            remedy=_remedy(row),
            more=outdated.height - 1,
        )


def _remedy(row: Mapping[str, Any]) -> str:
    """What to do; of a frozen baseline the repaired figure must be let in too."""
    if not row["is_held_back"]:
        return (
            "The publisher changed this figure. Remove the correction if it is right now; if it is still wrong, "
            "renew `expect` and report it again."
        )
    return (
        f"The publisher changed this figure; the frozen baseline keeps the first, {_shown(row['published_value'])}. "
        f"If it is right now: set `baseline_revisions: accept` for {row['source_table']} at {row['indicator_id']} in "
        "catalog/indicators, and remove the correction; if it is still wrong, renew `expect` and report it again."
    )


def not_as_published(applied: pl.DataFrame) -> list[str]:
    """The figures that are used otherwise than they were published, a line each; `applied` as of `apply`."""
    return [
        f"{row['correction_id']}: {', '.join(row[name] for name in _KEY)}: {_shown(row['published_value'])} -> "
        f"{'not used' if row['action'] == 'drop' else row['corrected_value']}"
        for row in applied.filter(pl.col("action") != "flag").iter_rows(named=True)
    ]


def _shown(value: float | None) -> float | str:
    return MISSING if value is None else value
