"""Tables that the institute made of a wave: a score a region and dimension, where it delivers no respondents."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from catalog.model import Region
from catalog.survey_model import Aggregates, SurveySettings, Wave
from sources.cells import MARKERS
from sources.errors import DuplicateFigure, OutOfScale, UnknownIndicator, UnknownRegion, ValueFault
from sources.names import RegionNames
from sources.survey.read import columns_needed
from sources.survey.table import Table, numbers, open_table, places

AGGREGATES = pl.Schema(
    {
        "indicator_id": pl.String,
        "region_code": pl.String,
        "breakdown": pl.String,
        "value": pl.Float64,
        "ci_low": pl.Float64,
        "ci_high": pl.Float64,
        "n": pl.Int64,
    }
)
_ROUNDING = 1e-9
_CORRECT = "Correct the file, or ask the institute."


def read_aggregates(
    path: Path,
    wave: Wave,
    settings: SurveySettings,
    region: Region,
    names: RegionNames,
    dimensions: Mapping[str, str] | None = None,
) -> pl.DataFrame:
    """The institute's table as AGGREGATES: scores 0-1 (grades are converted), margins of 95%, NULL where there is none.

    A region is a code or a name, a dimension an indicator_id or a Dutch name: of `aggregates.names` in the wave's
    description, or of `dimensions` (name -> indicator_id). A marker such as `x` or an empty cell is no score. Raises
    an InputError that names wave, file, row and column: HeaderError, UnknownRegion, UnknownIndicator, ValueFault,
    OutOfScale or DuplicateFigure. ValueError for a wave of rows.
    """
    columns = wave.aggregates
    if columns is None or wave.kind != "aggregates":
        raise ValueError(f"wave {wave.wave_id} has no aggregates")
    table = open_table(path, f"wave {wave.wave_id}, {path.name}", columns_needed(wave))
    regions = places(table, columns.region, region, names, wave.measurement_year)
    table.refuse(
        UnknownRegion,
        regions.is_null(),
        columns.region,
        f"{region.name_nl}, a group or municipality of {wave.measurement_year}, by code or by name",
        _CORRECT,
    )
    frame = pl.DataFrame(
        {
            "indicator_id": _indicators(table, wave, columns, dimensions or {}),
            "region_code": regions,
            "breakdown": _breakdowns(table, columns, settings),
            **_scores(table, columns, settings),
            "n": _respondents(table, columns),
        },
        schema_overrides=AGGREGATES,
    )
    table.refuse(
        ValueFault,
        frame["value"].is_not_null() & frame["n"].is_null(),
        columns.n,
        "a number of respondents beside every score: without it nobody knows whether it may be published",
        _CORRECT,
    )
    key = ["indicator_id", "region_code", "breakdown"]
    table.refuse(
        DuplicateFigure,
        ~frame.select(pl.struct(key).is_first_distinct()).to_series(),
        columns.dimension,
        "one row a region, dimension and breakdown",
        _CORRECT,
    )
    return frame.sort(key)


def _indicators(table: Table, wave: Wave, columns: Aggregates, dimensions: Mapping[str, str]) -> pl.Series:
    known = [dimension.indicator for dimension in wave.dimensions]
    called = {_plain(name): code for name, code in {**dimensions, **columns.names}.items() if code in known}
    called |= {_plain(code): code for code in known}
    cells = table.frame[columns.dimension]
    found = {cell: called.get(_plain(cell)) for cell in cells.unique().to_list()}
    indicators = cells.replace_strict(found, return_dtype=pl.String)
    table.refuse(
        UnknownIndicator,
        indicators.is_null(),
        columns.dimension,
        f"a dimension of the wave, by indicator_id or name ({', '.join(known)})",
        "Give the institute's own names under aggregates.names in the description of the wave.",
    )
    return indicators


def _plain(name: str) -> str:
    """Letters only: `Werk-privébalans` is also written `werk privebalans`."""
    return "".join(letter for letter in unicodedata.normalize("NFKD", name.casefold()) if letter.isalnum())


def _breakdowns(table: Table, columns: Aggregates, settings: SurveySettings) -> pl.Series:
    known = ["total", *(f"{name}={code}" for name, codes in settings.breakdowns.items() for code in codes)]
    if columns.breakdown is None:
        return pl.repeat("total", table.rows.len(), dtype=pl.String, eager=True)
    cells = table.frame[columns.breakdown]
    cells = cells.set(cells == "", "total")
    table.refuse(ValueFault, ~cells.is_in(known), columns.breakdown, f"one of {', '.join(known)}", _CORRECT)
    return cells


def _scores(table: Table, columns: Aggregates, settings: SurveySettings) -> dict[str, pl.Series]:
    """`value`, `ci_low` and `ci_high` on 0-1."""
    grade = columns.scale == "grade"
    lowest, highest = (settings.grade.lowest, settings.grade.highest) if grade else (0.0, 1.0)
    value = _numbers(table, columns.value)
    low = high = pl.repeat(None, value.len(), dtype=pl.Float64, eager=True)
    if columns.margin:
        half = _numbers(table, columns.margin)
        table.refuse(ValueFault, (half < 0).fill_null(False), columns.margin, "half a margin, 0 or more", _CORRECT)
        low, high = value - half, value + half
    elif columns.ci_low and columns.ci_high:
        low, high = _numbers(table, columns.ci_low), _numbers(table, columns.ci_high)
        one = low.is_null() != high.is_null()
        table.refuse(ValueFault, one, columns.ci_low, "both bounds of a margin, or none", _CORRECT)
        outside = (low > value + _ROUNDING) | (high < value - _ROUNDING)
        table.refuse(ValueFault, outside.fill_null(False), columns.ci_low, "a margin that holds the score", _CORRECT)
    table.refuse(
        OutOfScale,
        ~value.is_between(lowest, highest).fill_null(True),
        columns.value,
        f"a {columns.scale} from {lowest:g} to {highest:g}",
        "Is `aggregates.scale` in the description of the wave right?",
    )
    # A margin beyond what is possible says no more than the end of the scale.
    found = {"value": value, "ci_low": low.clip(lowest, highest), "ci_high": high.clip(lowest, highest)}
    return {
        name: ((numbers - lowest) / (highest - lowest)).set(value.is_null(), None) for name, numbers in found.items()
    }


def _numbers(table: Table, column: str) -> pl.Series:
    found = numbers(table, column)
    table.refuse(
        ValueFault,
        found.is_null() & ~table.frame[column].is_in(MARKERS),
        column,
        "a number, an empty cell or a marker such as x",
        _CORRECT,
    )
    return found


def _respondents(table: Table, columns: Aggregates) -> pl.Series:
    number = _numbers(table, columns.n)
    whole = (number >= 0) & (number == number.floor())
    table.refuse(ValueFault, ~whole.fill_null(True), columns.n, "a whole number of respondents", _CORRECT)
    return number.cast(pl.Int64)
