"""Reads a wave of respondents: any file format, by the wave's description, into one typed table."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from catalog.model import Region
from catalog.survey_model import Columns, Group, Item, Wave
from sources.errors import (
    DuplicateRespondent,
    InvalidAnswer,
    MissingMunicipality,
    StratumFault,
    UnknownRegion,
    WeightFault,
)
from sources.names import RegionNames
from sources.survey.answers import COLUMNS, Answers
from sources.survey.identifiers import pseudonyms, refuse_identifiers
from sources.survey.table import Table, municipalities, numbers, open_table

_DESCRIPTION = "Correct the file, or the description of the wave if it is right there."
# A margin can be computed from two respondents on.
_FEWEST = 2


def read_wave(path: Path, wave: Wave, region: Region, names: RegionNames, *, key: bytes | None = None) -> Answers:
    """The respondents in a file of SPSS, csv, a workbook or Parquet, read as the wave's description says.

    Only the columns it names are kept. `key` replaces the respondents' ids by keyed pseudonyms. Raises an InputError
    that names wave, file, row and column, never what stands there: PersonalData for direct identifiers, HeaderError,
    IncompleteFile, UnknownRegion, InvalidAnswer, WeightFault, StratumFault, DuplicateRespondent or
    MissingMunicipality; and those of opening a file. ValueError for a wave of aggregates.
    """
    columns = wave.columns
    if columns is None or wave.kind != "rows":
        raise ValueError(f"wave {wave.wave_id} has no rows of respondents")
    table = open_table(path, f"wave {wave.wave_id}, {path.name}", columns_needed(wave))
    dropped = [column for column in columns.drop if column in table.frame.columns]
    table = Table(table.place, table.rows, table.frame.drop(dropped), table.labels, table.captions)
    refuse_identifiers(table, {columns.municipality, *(item.column for item in wave.items)})
    responded = _responded(table, wave)
    regions = _regions(table, wave, columns, names)
    frame = pl.DataFrame(
        {
            "row": table.rows,
            "respondent": _respondents(table, columns, key),
            "region_code": regions,
            "calibration_region": regions.set(~regions.is_in(list(region.municipalities)), region.rest_code),
            **{name: _group(table, columns, name) for name in ("sex", "age", "education")},
            "stratum": _strata(table, columns),
            "weight": _weights(table, columns),
            "population_size": _population_sizes(table, columns),
            "responded": responded,
            **{item.item: _scores(table, item, responded) for item in wave.items},
        },
        schema_overrides=COLUMNS,
    )
    _check_coverage(table, frame, columns, region)
    return Answers(wave.wave_id, path.name, frame, wave.panel_of, dropped, _notes(table, wave, columns, frame, dropped))


def columns_needed(wave: Wave) -> list[str]:
    """The columns that a file of this wave must have, each once."""
    if (table := wave.aggregates) is not None:
        named = [table.region, table.dimension, table.value, table.n, table.ci_low, table.ci_high, table.margin]
        return [column for column in [*named, table.breakdown] if column]
    used = wave.columns.used if wave.columns else []
    response = [wave.response.column] if wave.response else []
    return list(dict.fromkeys([*used, *response, *(item.column for item in wave.items)]))


def _responded(table: Table, wave: Wave) -> pl.Series:
    if wave.response is None:
        return pl.repeat(True, table.rows.len(), dtype=pl.Boolean, eager=True)
    column = wave.response.column
    text = table.frame[column]
    yes = text.is_in(table.codes(column, wave.response.respondent))
    no = text.is_in(table.codes(column, wave.response.nonrespondent))
    table.refuse(InvalidAnswer, ~(yes | no), column, "a code of response.respondent or nonrespondent", _DESCRIPTION)
    return yes


def _regions(table: Table, wave: Wave, columns: Columns, names: RegionNames) -> pl.Series:
    found = municipalities(table, columns.municipality, names, wave.measurement_year)
    table.refuse(
        UnknownRegion,
        found.is_null(),
        columns.municipality,
        f"a municipality of {wave.measurement_year}: a code (GM0153 or 153) or a name as CBS writes it",
        "Look up this row in the file. Who lives nowhere that is known cannot be counted anywhere.",
    )
    return found


def _respondents(table: Table, columns: Columns, key: bytes | None) -> pl.Series:
    if columns.respondent is None:
        return pl.repeat(None, table.rows.len(), dtype=pl.String, eager=True)
    ids = table.frame[columns.respondent]
    ids = ids.set(ids == "", None)
    table.refuse(
        DuplicateRespondent,
        ids.is_not_null() & ~ids.is_first_distinct(),
        columns.respondent,
        "every respondent once; this one stands in an earlier row too",
        "Remove the row that is there by mistake, or ask the sender which of the two counts.",
    )
    return ids if key is None else pseudonyms(ids, key)


def _group(table: Table, columns: Columns, name: str) -> pl.Series:
    """The codes of one breakdown; NULL where the file does not say."""
    group = next((group for key, group in columns.groups.items() if key == name), None)
    if group is None:
        return pl.repeat(None, table.rows.len(), dtype=pl.String, eager=True)
    text = table.frame[group.column]
    unknown = text.is_in(["", *table.codes(group.column, group.missing)])
    found = _in_bands(table, group) if group.bands else _by_value(table, group)
    what = "a number within one of the bands" if group.bands else "one of the values"
    table.refuse(
        InvalidAnswer,
        found.is_null() & ~unknown,
        group.column,
        f"{what} of columns.groups.{name}, or a missing code",
        _DESCRIPTION,
    )
    return found.set(unknown, None)


def _in_bands(table: Table, group: Group) -> pl.Series:
    number = numbers(table, group.column)
    found = pl.repeat(None, number.len(), dtype=pl.String, eager=True)
    for code, (low, high) in group.bands.items():
        found = found.set(number.is_between(low, high).fill_null(False), code)
    return found


def _by_value(table: Table, group: Group) -> pl.Series:
    codes = {code: meant for value, meant in group.values.items() for code in table.codes(group.column, [value])}
    return table.frame[group.column].replace_strict(codes, default=None, return_dtype=pl.String)


def _strata(table: Table, columns: Columns) -> pl.Series:
    if columns.stratum is None:
        return pl.repeat("all", table.rows.len(), dtype=pl.String, eager=True)
    strata = table.frame[columns.stratum]
    table.refuse(StratumFault, strata == "", columns.stratum, "the stratum of every row", _DESCRIPTION)
    return strata


def _weights(table: Table, columns: Columns) -> pl.Series:
    if columns.weight is None:
        return pl.repeat(1.0, table.rows.len(), dtype=pl.Float64, eager=True)
    weights = numbers(table, columns.weight)
    table.refuse(
        WeightFault,
        ~(weights.is_finite() & (weights > 0)).fill_null(False),
        columns.weight,
        "a weight above 0 in every row",
        "Ask the sender for the weight of this row. Who does not count must not stand in the file.",
    )
    return weights


def _population_sizes(table: Table, columns: Columns) -> pl.Series:
    if columns.population_size is None or columns.stratum is None:
        return pl.repeat(None, table.rows.len(), dtype=pl.Float64, eager=True)
    sizes = numbers(table, columns.population_size)
    per_stratum = pl.DataFrame({"stratum": table.frame[columns.stratum], "size": sizes}).select(
        one=pl.col("size").n_unique().over("stratum") == 1, enough=pl.col("size") >= pl.len().over("stratum")
    )
    table.refuse(
        StratumFault,
        ~(per_stratum["one"] & per_stratum["enough"].fill_null(False)),
        columns.population_size,
        "one population a stratum, and at least as many people as it has rows here",
        _DESCRIPTION,
    )
    return sizes


def _scores(table: Table, item: Item, responded: pl.Series) -> pl.Series:
    """Answers as scores: 0-1, 1 the most favourable; NULL where there is no valid one."""
    lowest, highest = item.valid
    text = table.frame[item.column]
    asked = responded & ~text.is_in(["", *table.codes(item.column, item.missing)])
    answers = numbers(table, item.column)
    table.refuse(
        InvalidAnswer,
        asked & ~answers.is_between(lowest, highest).fill_null(False),
        item.column,
        f"an answer from {lowest:g} to {highest:g}, or a missing code ({', '.join(item.missing) or 'there is none'})",
        _DESCRIPTION,
    )
    scores = (answers - lowest) / (highest - lowest)
    return (1 - scores if item.polarity == -1 else scores).set(~asked, None)


def _check_coverage(table: Table, frame: pl.DataFrame, columns: Columns, region: Region) -> None:
    """Every municipality of the region has respondents, and every stratum as many as a margin needs."""
    answered = frame.filter("responded")
    if lacking := [code for code in region.municipalities if code not in set(answered["region_code"])]:
        raise MissingMunicipality(
            table.place,
            f"respondents in every municipality of {region.name_en}; {len(lacking)} without: "
            + ", ".join(f"{region.municipalities[code]} ({code})" for code in lacking[:5]),
            column=columns.municipality,
            remedy="Was the file cut off, or a name misread? Ask the sender for the whole file.",
        )
    counts = frame.select(pl.col("responded").sum().over("stratum")).to_series()
    table.refuse(
        StratumFault,
        (counts < _FEWEST) & frame.select(pl.col("stratum").is_first_distinct()).to_series(),
        columns.stratum or "stratum",
        "at least two respondents in a stratum: from one no margin can be computed",
        "Join this stratum with one that is alike.",
    )


def _notes(table: Table, wave: Wave, columns: Columns, frame: pl.DataFrame, dropped: list[str]) -> list[str]:
    unread = table.frame.width - len(columns_needed(wave))
    asked = int(frame["responded"].sum())
    said = {
        f"{asked} respondents" + (f", {frame.height - asked} who did not answer" if wave.response else ""): True,
        f"direct identifiers dropped unread: {', '.join(dropped)}": bool(dropped),
        f"{unread} {'column' if unread == 1 else 'columns'} of the file not used": unread > 0,
        "no weights in the file: before calibration every respondent counts as one": columns.weight is None,
    }
    return [note for note, holds in said.items() if holds]
