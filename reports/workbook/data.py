"""Tables of an edition as sheets: rows chosen, names and codes added, numbers kept as they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

import catalog
from catalog import Catalogue
from catalog.model import Region
from reports.charts.texts import OVERALL
from reports.tables import as_csv_columns
from reports.workbook.book import Cell, Column, Format, Sheet, Text, clean_text, text_column
from reports.workbook.codes import NOT_APPLICABLE, NOT_AVAILABLE, code
from reports.workbook.excerpts import EXCERPTS, Excerpt

Tables = Mapping[str, pl.DataFrame]

# Columns that the workbook adds, each after a column of the table; a code stands beside its figure.
ADDED: Final = {
    "indicator_id": ("indicator_name", "unit_nl"),
    "region_code": ("region_name",),
    "comparator_code": ("comparator_name",),
    "theme_id": ("theme_name",),
    "verdict": ("verdict_nl",),
}
# Columns of figures that have a status, by table: each gets a column with codes beside it.
FIGURES: Final = {
    "indicator_value": ("value",),
    "comparison": ("value", "comparator_value"),
    "change": ("value", "baseline_value"),
    "theme_score": ("score",),
    "sensitivity": ("score",),
}
# The decimals of the figures in a row; no published table has a column of this name.
_DECIMALS: Final = "_decimals"
# Of a row without a figure, this column goes with another figure than the first.
_GOES_WITH: Final = {"baseline_reference_period": "baseline_value"}
# Decimals by the unit of a column, where it is not that of an indicator.
_OF_UNIT: Final = {"percent": 1, "0-1": 3, "report grade (1-10)": 1, "respondents": 0}
_UNITS_OF_INDICATOR: Final = ("unit of the indicator", "as value", "as difference")


@dataclass(frozen=True)
class DataSheet:
    """What an excerpt became: which rows (`about`), what its table is, its columns; no sheet where it has no rows."""

    excerpt: Excerpt
    about: Text
    description: Text
    columns: Sequence[str]
    sheet: Sheet | None


def data_sheets(tables: Tables, catalogue: Catalogue) -> list[DataSheet]:
    """One for every excerpt whose table the edition has, in the order of the workbook."""
    return [_data_sheet(excerpt, tables, catalogue) for excerpt in EXCERPTS if excerpt.table in tables]


def synthetic_stamp(tables: Tables) -> str:
    """What stands before every title of an edition with invented figures; empty in any other."""
    return "Verzonnen voorbeeld / Invented example. " if tables["edition"]["contains_synthetic"].any() else ""


def _data_sheet(excerpt: Excerpt, tables: Tables, catalogue: Catalogue) -> DataSheet:
    region, year = catalogue.region, int(tables["edition"]["measurement_year"].item())
    table = catalogue.registry[excerpt.table]
    frame = tables[excerpt.table].filter(*excerpt.where(region, year))
    frame = _with_names(excerpt, _with_codes(excerpt, frame, tables, region), tables, catalogue)
    shown = _shown_columns(excerpt, table)
    about = Text(
        *(clean_text(text.format(**said)) for text, said in zip(excerpt.about, _words(region, year), strict=True))
    )
    title = f"{synthetic_stamp(tables)}{excerpt.title.nl} / {excerpt.title.en} ({excerpt.table})"
    sheet = Sheet(excerpt.sheet, title, about, _columns(excerpt, frame, shown, table)) if frame.height else None
    return DataSheet(excerpt, about, Text(table.description_nl, table.description_en), shown, sheet)


def _words(region: Region, year: int) -> tuple[dict[str, str], dict[str, str]]:
    """What texts about rows may use, in Dutch and English."""
    years = {"year": str(year), "baseline": str(region.baseline_year)}
    return (
        years | {"region": region.name_nl, "country": region.country_name_nl, "rest": region.rest_name_nl},
        years | {"region": region.name_en, "country": region.country_name_en, "rest": region.rest_name_en},
    )


# --- codes


def _with_codes(excerpt: Excerpt, frame: pl.DataFrame, tables: Tables, region: Region) -> pl.DataFrame:
    """The frame with a column `<figure>_code` for every column of figures that has a status."""
    add = _CODES.get(excerpt.table)
    return add(frame, tables, region) if add else frame


def _codes_of_values(frame: pl.DataFrame, tables: Tables, region: Region) -> pl.DataFrame:  # noqa: ARG001
    """Also how each figure was made (`kind`), which says whether there could be a margin."""
    kinds = tables["indicator_source"].select("indicator_id", "source_table", "kind")
    return frame.join(kinds, on=["indicator_id", "source_table"], how="left", maintain_order="left").with_columns(
        value_code=code("value", pl.col("status"))
    )


def _codes_of_comparison(frame: pl.DataFrame, tables: Tables, region: Region) -> pl.DataFrame:  # noqa: ARG001
    return frame.with_columns(
        value_code=code("value", _status(frame, tables, "measurement_year", pl.col("region_code"))),
        comparator_value_code=code(
            "comparator_value", _status(frame, tables, "measurement_year", pl.col("comparator_code"))
        ),
    )


def _codes_of_change(frame: pl.DataFrame, tables: Tables, region: Region) -> pl.DataFrame:
    """A figure relative to the country is made of two: its status is that of both."""
    country = pl.when(pl.col("quantity") == "relative_to_nl").then(pl.lit(region.country_code))
    sides = (pl.col("region_code"), country)
    return frame.with_columns(
        value_code=code("value", *(_status(frame, tables, "measurement_year", side) for side in sides)),
        baseline_value_code=code("baseline_value", *(_status(frame, tables, "baseline_year", side) for side in sides)),
    )


def _codes_of_scores(frame: pl.DataFrame, tables: Tables, region: Region) -> pl.DataFrame:  # noqa: ARG001
    return frame.with_columns(score_code=code("score", pl.col("status")))


def _codes_of_ranks(frame: pl.DataFrame, tables: Tables, region: Region) -> pl.DataFrame:
    """`sensitivity` is made of the scores of the main method, which have the status."""
    key = ["measurement_year", "framework", "theme_id", "region_code"]
    scores = next(excerpt for excerpt in EXCERPTS if excerpt.table == "theme_score")
    statuses = tables["theme_score"].filter(*scores.where(region, 0)).select(*key, "status")
    status = frame.join(statuses, on=key, how="left", maintain_order="left")["status"]
    return frame.with_columns(score_code=code("score", pl.lit(status)))


_CODES: Final[dict[str, Callable[[pl.DataFrame, Tables, Region], pl.DataFrame]]] = {
    "indicator_value": _codes_of_values,
    "comparison": _codes_of_comparison,
    "change": _codes_of_change,
    "theme_score": _codes_of_scores,
    "sensitivity": _codes_of_ranks,
}


def _status(frame: pl.DataFrame, tables: Tables, year: str, region: pl.Expr) -> pl.Expr:
    """The status, row by row, of the figure of this region in the measurement year of column `year`."""
    key = ["measurement_year", "indicator_id", "region_code", "breakdown"]
    wanted = frame.select(pl.col(year).alias(key[0]), key[1], region.alias(key[2]), key[3])
    statuses = tables["indicator_value"].select(*key, "status")
    return pl.lit(wanted.join(statuses, on=key, how="left", maintain_order="left")["status"])


# --- names, units and decimals


def _with_names(excerpt: Excerpt, frame: pl.DataFrame, tables: Tables, catalogue: Catalogue) -> pl.DataFrame:
    """The frame with Dutch words beside the columns that the excerpt names, and the decimals of its figures."""
    regions = dict(tables["region"].select("region_code", "name").iter_rows())
    words = {
        "indicator_name": ("indicator_id", {i.indicator_id: i.name_nl for i in catalogue.indicators}),
        "unit_nl": ("indicator_id", {i.indicator_id: i.unit_nl for i in catalogue.indicators}),
        "region_name": ("region_code", regions),
        "comparator_name": ("comparator_code", regions),
        "theme_name": ("theme_id", _themes(catalogue)),
        "verdict_nl": ("verdict", _verdicts(catalogue, excerpt.table)),
    }
    named = frame.with_columns(
        pl.col(column).replace_strict(known, default=None, return_dtype=pl.String).alias(name)
        for name, (column, known) in words.items()
        if column in excerpt.named
    )
    return _with_decimals(named, catalogue) if "indicator_id" in frame.columns else named


def _with_decimals(frame: pl.DataFrame, catalogue: Catalogue) -> pl.DataFrame:
    """The frame with the decimals of its figures: those of the indicator, but a figure relative to the country is in
    percent whatever the indicator's unit.
    """
    places = {indicator.indicator_id: indicator.decimals for indicator in catalogue.indicators}
    decimals = pl.col("indicator_id").replace_strict(places, default=None, return_dtype=pl.Int64)
    if "quantity" not in frame.columns:
        return frame.with_columns(decimals.alias(_DECIMALS))
    relative = pl.when(pl.col("quantity") == "relative_to_nl")
    return frame.with_columns(
        relative.then(pl.lit("procent")).otherwise(pl.col("unit_nl")).alias("unit_nl"),
        relative.then(pl.lit(_OF_UNIT["percent"])).otherwise(decimals).alias(_DECIMALS),
    )


def _themes(catalogue: Catalogue) -> dict[str, str]:
    overall = {f"{framework}_overall": f"totaalscore {about}" for framework, about in OVERALL.items()}
    return overall | {theme.theme_id: theme.name_nl for theme in catalogue.themes}


def _verdicts(catalogue: Catalogue, table: str) -> dict[str, str]:
    """Labels of a verdict: better than another is not improved over time."""
    terms = catalogue.vocabulary["verdict"].items()
    return {word: (table == "change" and term.label_change_nl) or term.label_nl for word, term in terms}


# --- columns


def _shown_columns(excerpt: Excerpt, table: catalog.Table) -> list[str]:
    """The table's columns that are kept, each followed by what the workbook adds."""
    kept = [name for name in table.column_names if name not in excerpt.without]
    words = {column: ADDED[column] for column in excerpt.named}
    codes = {figure: (f"{figure}_code",) for figure in FIGURES.get(excerpt.table, ())}
    return [name for column in kept for name in (column, *words.get(column, ()), *codes.get(column, ()))]


def _columns(excerpt: Excerpt, frame: pl.DataFrame, shown: Sequence[str], table: catalog.Table) -> list[Column]:
    known = {column.name: column for column in table.columns}
    flat = as_csv_columns(frame)
    return [_column(excerpt, flat, name, known.get(name)) for name in shown]


def _column(excerpt: Excerpt, frame: pl.DataFrame, name: str, described: catalog.Column | None) -> Column:
    """One column with a code in every cell without a value; `described` is None for what the workbook adds."""
    values = frame[name]
    codes = frame.with_columns(_gap=_code_of_gap(excerpt, name))["_gap"] if values.null_count() else values
    cells: list[Cell] = [code if cell is None else cell for cell, code in zip(values, codes, strict=True)]
    if values.dtype == pl.String:
        return text_column(name, [str(cell) for cell in cells])
    if described is None or values.dtype == pl.Boolean:
        return Column(name, cells, [None] * len(cells))
    return Column(name, cells, _formats(described, frame), is_numeric=True)


def _code_of_gap(excerpt: Excerpt, name: str) -> pl.Expr:
    """Why a cell of this column is empty: as the row's figure is, as the excerpt says, or not available."""
    figures = FIGURES.get(excerpt.table, ())
    if name in figures:
        return pl.col(f"{name}_code")
    figures = (_GOES_WITH[name],) if name in _GOES_WITH else figures
    of_figures = [pl.when(pl.col(figure).is_null()).then(pl.col(f"{figure}_code")) for figure in figures]
    empty = excerpt.not_applicable.get(name, pl.lit(False))
    return pl.coalesce(*of_figures, pl.when(empty).then(pl.lit(NOT_APPLICABLE)), pl.lit(NOT_AVAILABLE))


def _formats(column: catalog.Column, frame: pl.DataFrame) -> list[Format | None]:
    """How each number is shown: years plainly, figures with the decimals of their indicator, differences with one more.

    A difference that is more than chance would otherwise often be shown as nought.
    """
    if column.type in ("INTEGER", "BIGINT"):
        return [Format(0, grouped=column.unit != "year")] * frame.height
    if _DECIMALS in frame.columns and (column.unit or "").startswith(_UNITS_OF_INDICATOR):
        more = int(column.name.startswith("difference"))
        return [None if places is None else Format(int(places) + more) for places in frame[_DECIMALS]]
    places = 4 if column.name.startswith("p_value") else _OF_UNIT.get(column.unit or "")
    return [None if places is None else Format(places)] * frame.height
