"""What differs between two editions, key by key, and why: the published tables `revision` and `value_by_edition`.

Compared are the tables that a reader quotes and the definitions behind them (`COMPARED`). Not compared: tables about
the edition itself, and those that only help to recompute a figure (weights, crosswalks, diagnostics), because whatever
they change shows in a figure. Why a row differs is decided in `methods/revision_cause.py`.

A table or a column that only one of the editions has is no revision: newer software publishes more.

What the new edition hides, it does not repeat from an older one either: a revision of a suppressed figure says that it
differs, and not what it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from methods.revision_cause import Tables, with_causes

# The compared tables, and the column that says what a row is about where the whole row is new or withdrawn.
COMPARED: Final[Mapping[str, str]] = {
    "indicator": "definition_nl",
    "indicator_source": "source_column",
    "theme": "name_nl",
    "framework_element": "weight",
    "region_member": "municipality_code",
    "survey_item": "question_nl",
    "observation": "value",
    "survey_estimate": "value",
    "small_area_estimate": "value",
    "indicator_value": "value",
    "comparison": "verdict",
    "change": "verdict",
    "trend": "verdict",
    "position": "position",
    "expected_value": "expectation",
    "decomposition": "contribution",
    "theme_score": "score",
    "sensitivity": "rank",
}
# What `revisions` reads beside `edition`: also what only explains.
NEEDED: Final = (*COMPARED, "correction", "group_weight", "peer", "source")
DEFINITIONS: Final = frozenset(
    {"indicator", "indicator_source", "theme", "framework_element", "region_member", "survey_item"}
)
FIGURES: Final = ("observation", "survey_estimate", "indicator_value")  # of which `status` says all there is to say
STATUS: Final = frozenset(
    {"status", "warnings", "source_table", "series_id", "reference_period", "baseline_reference_period", "lag_years"}
    | {"period_first", "period_last", "points", "excluded", "reason", "basis", "method_version", "variables", "folds"}
    | {"coverage", "used", "covariates", "urbanity_class", "cells", "draws"}
)
INTERVAL: Final = frozenset(
    {"standard_error", "root_mean_squared_error", "direct_standard_error", "n", "n_effective", "population"}
    | {"degrees_of_freedom", "p_value", "p_value_adjusted", "cv_error", "cv_error_of_mean", "flags_by_chance"}
    | {"municipalities", "shrinkage"}
)
SUPPRESSED: Final = "suppressed"
RELATIVE: Final = 1e-9  # floats within this, relative to the larger, are the same
ABSOLUTE: Final = 1e-12  # and what is left of a difference of equal figures is nought

KEY: Final = ["edition", "previous_edition", "table_name", "row_key", "column_name"]
SCHEMA: Final = dict.fromkeys([*KEY, "old_value", "new_value", "kind", "cause"], pl.String)
BY_EDITION: Final = {
    "edition": pl.String,
    "measurement_year": pl.Int32,
    "indicator_id": pl.String,
    "region_code": pl.String,
    "breakdown": pl.String,
    "value": pl.Float64,
    "ci_low": pl.Float64,
    "ci_high": pl.Float64,
    "status": pl.String,
    "reference_period": pl.String,
    "source_table": pl.String,
    "url": pl.String,
}


def revisions(old: Tables, new: Tables, keys: Mapping[str, Sequence[str]]) -> pl.DataFrame:
    """The published table `revision`: every cell in which edition `new` differs from edition `old`, sorted by its key.

    `old` and `new` hold the published tables by name, with at least `edition` (one row; the others that are read
    stand in `NEEDED`); `keys` the key columns of the
    tables, in the order of the column registry. A row that only one edition has is one row here, with the table's main
    column. Values are text: the shortest that reads back as the same number, lists joined by `;`, NULL for nothing.
    Floats within 1e-9 of each other, relative to the larger, are the same. Of a figure that `new` suppresses, and of
    what `new` leaves empty because a figure in it is, `old_value` is NULL but for words such as its status.
    """
    compared = [name for name in COMPARED if _comparable(old, new, name, keys)]
    cells = {name: _cells(old, new, name, list(keys[name]), COMPARED[name]) for name in compared}
    changes = {name: frame for name, frame in cells.items() if not frame.is_empty()}
    if not changes:
        return pl.DataFrame(schema=SCHEMA)
    editions = {
        "edition": pl.lit(new["edition"]["edition"].item()),
        "previous_edition": pl.lit(old["edition"]["edition"].item()),
    }
    caused = pl.concat(
        [
            _hidden(name, frame, new, keys).select(*_CELL, "cause")
            for name, frame in with_causes(changes, old, new).items()
        ]
    )
    return caused.with_columns(**editions).select(list(SCHEMA)).sort(KEY)


def value_by_edition(
    editions: Mapping[str, pl.DataFrame], before: pl.DataFrame, current: pl.DataFrame | None = None
) -> pl.DataFrame:
    """The published table `value_by_edition`: each figure as every final edition had it, sorted by its key.

    `editions`: the table `indicator_value` by the name of the edition; `before`: the figures that were published before
    this software, in the columns of the result (an edition such as `2022-published`, with the address in `url`).
    Columns that an older edition or `before` lacks are NULL. `current`: `indicator_value` of the edition that is made;
    a figure that it suppresses is suppressed here in every edition, without value and margins.
    """
    named = [frame.with_columns(edition=pl.lit(name)).drop("url", strict=False) for name, frame in editions.items()]
    found = pl.concat([_by_edition(frame) for frame in (*named, before)]).sort(list(BY_EDITION)[:5])
    if current is None:
        return found
    hidden = current.filter(status=SUPPRESSED).select(_typed(_VALUE_KEY))
    is_hidden = pl.col("_hidden").is_not_null()
    return (
        found.join(hidden.with_columns(_hidden=pl.lit(SUPPRESSED)), _VALUE_KEY, how="left", maintain_order="left")
        .with_columns(
            *(pl.when(~is_hidden).then(name).alias(name) for name in ("value", "ci_low", "ci_high")),
            status=pl.coalesce("_hidden", "status"),
        )
        .drop("_hidden")
    )


_VALUE_KEY: Final = ["measurement_year", "indicator_id", "region_code", "breakdown"]


def _by_edition(frame: pl.DataFrame) -> pl.DataFrame:
    columns = [
        (pl.col(name) if name in frame.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in BY_EDITION.items()
    ]
    return frame.select(columns)


def _hidden(name: str, cells: pl.DataFrame, new: Tables, keys: Mapping[str, Sequence[str]]) -> pl.DataFrame:
    """The differing cells of a table, without the old numbers of what the new edition suppresses."""
    if name in DEFINITIONS:
        return cells
    hidden = pl.lit(value=False)
    if name not in FIGURES:
        hidden |= pl.col("row_key").is_in(_about_suppressed(cells, new)) & pl.col("new_value").is_null()
    if "status" in new[name].columns:
        own = cells.join(new[name].filter(status=SUPPRESSED), list(keys[name]), how="semi", nulls_equal=True)
        hidden |= pl.col("row_key").is_in(own["row_key"].unique().to_list())
    is_word = pl.col("column_name").is_in(sorted(STATUS))
    return cells.with_columns(old_value=pl.when(is_word | ~hidden).then("old_value"))


def _about_suppressed(cells: pl.DataFrame, new: Tables) -> list[str]:
    """The rows (row_key) about a region and year of which the new edition suppresses a figure."""
    figures = [new[name].filter(status=SUPPRESSED) for name in ("indicator_value", "survey_estimate") if name in new]
    years = [name for name in ("measurement_year", "baseline_year") if name in cells.columns]
    regions = [name for name in ("region_code", "comparator_code") if name in cells.columns]
    # A score has no indicator of its own, and a trend no single breakdown: then any of them counts.
    on = ["measurement_year", "region_code", *(n for n in ("indicator_id", "breakdown") if n in cells.columns)]
    sides = [
        cells.with_columns(measurement_year=pl.col(year).cast(pl.Int32), region_code=region).join(
            hidden.select(_typed(on)), on, how="semi"
        )
        for hidden in figures
        for year in years
        for region in regions
    ]
    return pl.concat(sides)["row_key"].unique().to_list() if sides else []


def _typed(names: Sequence[str]) -> list[pl.Expr]:
    return [pl.col(name).cast(BY_EDITION[name]) for name in names]


_CELL: Final = ["table_name", "row_key", "column_name", "old_value", "new_value", "kind"]


def _comparable(old: Tables, new: Tables, name: str, keys: Mapping[str, Sequence[str]]) -> bool:
    """Whether both editions have the table, with the same key."""
    wanted = set(keys.get(name, ()))
    return name in old and name in new and bool(wanted) and wanted <= {*old[name].columns} & {*new[name].columns}


def _cells(old: Tables, new: Tables, name: str, key: list[str], main: str) -> pl.DataFrame:
    """The cells of a table that differ: its key columns and those of `_CELL`."""
    after = new[name]
    before = old[name].with_columns(pl.col(part).cast(after.schema[part]) for part in key)
    columns = [column for column in after.columns if column in before.columns and column not in key]
    both = before.select(*key, *columns).join(
        after.select(*key, pl.col(columns).name.suffix(_NEW)), key, nulls_equal=True, maintain_order="left"
    )
    cells = [_changed(both, key, name, column) for column in columns]
    for here, there, kind in ((after, before, "new"), (before, after, "withdrawn")):
        value = (_text(pl.col(main), here.schema[main]) if main in here.columns else pl.lit(None)).cast(pl.String)
        cells.append(
            here.join(there, key, how="anti", nulls_equal=True).select(
                *key,
                column_name=pl.lit(main),
                old_value=value if kind == "withdrawn" else pl.lit(None, pl.String),
                new_value=value if kind == "new" else pl.lit(None, pl.String),
                kind=pl.lit(kind),
            )
        )
    row_key = pl.concat_str([pl.format(f"{part}={{}}", pl.col(part).fill_null("")) for part in key], separator="|")
    return pl.concat(cells).with_columns(table_name=pl.lit(name), row_key=row_key)


_NEW: Final = "|new"


def _changed(both: pl.DataFrame, key: list[str], table: str, column: str) -> pl.DataFrame:
    before, after = both.schema[column], both.schema[column + _NEW]
    left, right = pl.col(column), pl.col(column + _NEW)
    if before.is_float() or after.is_float():
        left, right = left.cast(pl.Float64, strict=False), right.cast(pl.Float64, strict=False)
        allowed = pl.max_horizontal(left.abs(), right.abs()) * RELATIVE + ABSOLUTE
        same = ((left - right).abs() <= allowed).fill_null(value=False) | (left.is_null() & right.is_null())
        old_value, new_value = left.cast(pl.String), right.cast(pl.String)
    else:
        old_value, new_value = _text(left, before), _text(right, after)
        same = old_value.eq_missing(new_value)
    return both.filter(~same).select(
        *key,
        column_name=pl.lit(column),
        old_value=old_value,
        new_value=new_value,
        kind=pl.lit(kind_of(table, column)),
    )


def kind_of(table: str, column: str) -> str:
    """The kind of a change in this column: `definition`, `status`, `interval` or `value`."""
    if table in DEFINITIONS:
        return "definition"
    if column in STATUS:
        return "status"
    return "interval" if column in INTERVAL or column.endswith(("_low", "_high")) else "value"


def _text(value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """A column as text; an empty list is nothing, as it is in CSV."""
    if isinstance(dtype, pl.List):
        joined = value.cast(pl.List(pl.String)).list.join(";")
        return pl.when(joined != "").then(joined)
    return value.cast(pl.String)
