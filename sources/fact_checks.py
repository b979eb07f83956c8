"""The checks on a folder of figures, from the root of a fault to its consequences.

Encoding, header and fields are checked where the files are read (csv_file); then come codes, duplicates, values and
completeness, so that the first message names the cause.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

import polars as pl

from catalog import Catalogue
from sources import bundled, lifetimes
from sources.csv_file import CsvFile
from sources.errors import (
    DuplicateFigure,
    IncompleteFile,
    InputError,
    MissingMunicipality,
    OutOfScale,
    PeriodError,
    SourceChanged,
    StatusError,
    UnknownIndicator,
    UnknownRegion,
    UnknownSource,
    ValueFault,
)

FIGURES = "figures.csv"
ORIGINS = "figures_origin.csv"
REGIONS = "regions.csv"

PAIR = ["indicator", "source_table"]
KEY = ["indicator", "region_code", "period", "source_table"]

_WITH_VALUE = ["definitive", "provisional", "estimated"]

_REGION_PATTERN = r"^(?:GM[0-9]{4}|[A-FH-Z][A-Z][0-9]{2,4}|G[A-LN-Z][0-9]{2,4})$"
_PERIOD_PATTERN = r"^[0-9]{4}(?:Q[1-4]|-(?:0[1-9]|1[0-2]))?$"
# Not \d, which also takes other scripts' digits; no exponent, no sign but a minus, no blanks.
_NUMBER_PATTERN = r"^-?[0-9]{1,15}(?:\.[0-9]+)?$"

# Compilers convert units in floating point (32.7 thousand euro became 32700.000000000004): beyond the sixth decimal
# there is only that noise, and no source publishes more than two.
_DECIMALS = 6
_TOLERANCE = 1e-6


@dataclass(frozen=True)
class FactFiles:
    """The three files of a folder of figures, as read."""

    figures: CsvFile
    origins: CsvFile
    regions: CsvFile


def check(files: FactFiles, catalogue: Catalogue) -> pl.DataFrame:
    """The rows of figures.csv with their value in `number` (Float64, null where there is none).

    Raises an InputError at the first fault.
    """
    data = _Input(files.figures, files.origins, files.regions, catalogue, _expected(catalogue))
    _check_regions(data)
    _check_origins(data)
    _check_codes(data)
    _check_periods(data)
    _check_duplicates(data)
    figures = _check_values(data)
    _check_complete(data)
    return figures


@dataclass(frozen=True)
class _Input(FactFiles):
    """The three files and what they are checked against."""

    catalogue: Catalogue
    expected: pl.DataFrame


def _expected(catalogue: Catalogue) -> pl.DataFrame:
    """What the catalogue says about each indicator and source table, one row each."""
    rows = [
        {
            "indicator": indicator.indicator_id,
            "source_table": source.source_table,
            "expected_column": source.source_column,
            "expected_unit": source.unit,
            "first": source.period_first,
            "last": source.period_last,
            "rounding_unit": source.rounding_unit,
            "scale_min": indicator.scale_min,
            "scale_max": indicator.scale_max,
            "is_percentage": indicator.is_percentage,
        }
        for indicator in catalogue.indicators
        for source in indicator.sources
    ]
    numbers = dict.fromkeys(("rounding_unit", "scale_min", "scale_max"), pl.Float64)
    return pl.DataFrame(rows, schema_overrides=numbers, infer_schema_length=None)


def _refuse(kind: type[InputError], file: CsvFile, bad: pl.DataFrame, column: str, expected: str, remedy: str) -> None:
    """Raise `kind` for the first of the bad rows, if there are any.

    `expected` and `remedy` may name columns of the bad row in braces.
    """
    if bad.is_empty():
        return
    first = bad.sort("row").row(0, named=True)
    raise kind(
        file.path,
        expected.format_map(first),
        row=first["row"],
        column=column,
        value=first[column],
        remedy=remedy.format_map(first),
        more=bad["row"].n_unique() - 1,
    )


def _check_regions(data: _Input) -> None:
    file, regions = data.regions, data.regions.frame
    code = pl.col("region_code")
    _refuse(
        UnknownRegion,
        file,
        regions.filter(~code.str.contains(_REGION_PATTERN)),
        "region_code",
        "a CBS region code such as GM0153, PV23 or NL01",
        "Codes are letters and digits, with leading zeros and without blanks.",
    )
    _refuse(
        UnknownRegion,
        file,
        regions.filter(pl.col("name").str.strip_chars() == ""),
        "name",
        "the name of region {region_code}",
        "Write the name that the publisher gives it.",
    )
    _refuse(
        DuplicateFigure,
        file,
        _repeated(regions, ["region_code"]),
        "region_code",
        "one row a region",
        "Row {first_row} has the same code: keep the right one.",
    )
    own = data.catalogue.region.municipalities
    names = dict(regions.select("region_code", "name").iter_rows())
    for municipality, name in own.items():
        if municipality not in names:
            raise MissingMunicipality(
                file.path,
                f"all {len(own)} municipalities of {data.catalogue.region.name_en}",
                column="region_code",
                remedy=f"{name} ({municipality}) has no row. Add it, fetch the file again if it was cut off, or "
                "correct the code in the catalogue's region file.",
            )
    # Two codes exchanged would give every figure to the neighbour, and nothing else would show it.
    exchanged = regions.filter(
        code.is_in(list(own))
        & pl.col("name").is_in(list(own.values()))
        & (pl.col("name") != code.replace_strict(own, default=None))
    )
    _refuse(
        UnknownRegion,
        file,
        exchanged.with_columns(right=code.replace_strict(own, default=None)),
        "name",
        "the name of {region_code}, {right}",
        "Were two codes exchanged? Compare with the publisher's list of regions.",
    )


def _repeated(frame: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """The rows whose key stands in an earlier row, with that row's number in `first_row`."""
    return frame.with_columns(first_row=pl.col("row").min().over(key)).filter(pl.col("row") > pl.col("first_row"))


def _check_origins(data: _Input) -> None:
    file = data.origins
    _check_pairs(data, file)
    _refuse(
        DuplicateFigure,
        file,
        _repeated(file.frame, PAIR),
        "indicator",
        "one row an indicator and source table",
        "Row {first_row} has the same indicator and source table: keep the right one.",
    )
    origins = file.frame.join(data.expected, on=PAIR, how="left", maintain_order="left")
    for column in ("source_column", "unit"):
        wanted = f"expected_{column.removeprefix('source_')}"
        _refuse(
            SourceChanged,
            file,
            origins.filter(pl.col(column) != pl.col(wanted)),
            column,
            f"'{{{wanted}}}', as the catalogue says for {{indicator}} in {{source_table}}",
            f"Did the publisher change the {column.removeprefix('source_')}? Look what the figures are now; if they "
            "still mean the same, change the catalogue.",
        )
    for column in ("period_first", "period_last"):
        _refuse_bad_periods(file, origins, column)
    _refuse(
        ValueFault,
        file,
        origins.filter(~pl.col("figures").str.contains(r"^[0-9]{1,9}$")),
        "figures",
        "the number of rows in figures.csv, in digits only",
        "Count the rows of this indicator and source table.",
    )


def _check_pairs(data: _Input, file: CsvFile) -> None:
    """Refuse indicators, and source tables of an indicator, that are not in the catalogue."""
    ids = data.expected["indicator"].unique().to_list()
    unknown = file.frame.filter(~pl.col("indicator").is_in(ids))
    _refuse(
        UnknownIndicator,
        file,
        unknown,
        "indicator",
        "an indicator of the catalogue",
        f"{_suggestion(unknown, 'indicator', ids)}Correct the name, or describe the indicator in catalog/indicators/.",
    )
    unknown = file.frame.join(data.expected, on=PAIR, how="anti")
    tables = data.expected.group_by("indicator").agg(tables=pl.col("source_table").sort().str.join("', '"))
    _refuse(
        UnknownSource,
        file,
        unknown.join(tables, on="indicator", how="left"),
        "source_table",
        "a table that the catalogue names for {indicator}: '{tables}'",
        "Correct the name; if the publisher has a new table, add it to the indicator's sources in the catalogue.",
    )


def _suggestion(bad: pl.DataFrame, column: str, known: list[str]) -> str:
    """A hint at the known value that was probably meant, or nothing."""
    if bad.is_empty():
        return ""
    found = str(bad.sort("row")[column][0])[:60]
    plain = "".join(found.split()).upper()
    if re.fullmatch(r"(GM)?[0-9]{1,4}", plain):
        plain = f"GM{plain.removeprefix('GM').zfill(4)}"
    near = [plain] if plain in known else difflib.get_close_matches(found, known, n=1, cutoff=0.75)
    return f"Did you mean '{near[0]}'? " if near else ""


def _refuse_bad_periods(file: CsvFile, frame: pl.DataFrame, column: str) -> None:
    """Refuse periods that are malformed or outside `first` to `last`, the bounds of the catalogue."""
    period = pl.col(column)
    _refuse(
        PeriodError,
        file,
        frame.filter(~period.str.contains(_PERIOD_PATTERN)),
        column,
        "a period such as 2022, 2022Q1 or 2022-05",
        "Write it as the publisher's year, quarter or month.",
    )
    # Text compares like time only between periods of one kind.
    same_kind = period.str.len_chars() == pl.col("first").str.len_chars()
    outside = frame.filter(~same_kind | (period < pl.col("first")) | (period > pl.col("last")))
    _refuse(
        PeriodError,
        file,
        outside,
        column,
        "a period from {first} to {last}, for {indicator} in {source_table}",
        "Correct it; if the publisher has added a period, widen period_first or period_last in the catalogue.",
    )


def _check_codes(data: _Input) -> None:
    file, figures = data.figures, data.figures.frame
    known = data.regions.frame["region_code"].to_list()
    unknown = figures.filter(~pl.col("region_code").is_in(known))
    malformed = unknown.filter(~pl.col("region_code").str.contains(_REGION_PATTERN))
    hint = _suggestion(malformed, "region_code", known)
    _refuse(
        UnknownRegion,
        file,
        malformed,
        "region_code",
        "a CBS region code such as GM0153, PV23 or NL01",
        f"{hint}Codes are letters and digits, with leading zeros and without blanks.",
    )
    _refuse(
        UnknownRegion,
        file,
        unknown,
        "region_code",
        f"one of the {len(known)} codes in {REGIONS}",
        f"{_suggestion(unknown, 'region_code', known)}Correct the code, or add the region with its name to {REGIONS} "
        "(was that file cut off?).",
    )
    _check_pairs(data, file)
    _refuse(
        IncompleteFile,
        file,
        figures.join(data.origins.frame, on=PAIR, how="anti"),
        "source_table",
        f"a table that {ORIGINS} names for {{indicator}}",
        f"Add the row for {{indicator}} in {{source_table}} to {ORIGINS}; if that file was cut off, fetch it again.",
    )
    statuses = list(data.catalogue.vocabulary["status"])
    _refuse(
        StatusError,
        file,
        figures.filter(~pl.col("status").is_in(statuses)),
        "status",
        f"a status: {', '.join(statuses)}",
        "Correct it; the words are explained in catalog/vocabulary.yaml.",
    )


def _check_periods(data: _Input) -> None:
    figures = data.figures.frame.join(data.expected, on=PAIR, how="left")
    _refuse_bad_periods(data.figures, figures, "period")


def _check_duplicates(data: _Input) -> None:
    file = data.figures
    repeated = _repeated(file.frame, KEY)
    if repeated.is_empty():
        return
    # Not checked yet, so cut and stripped of control characters before it goes into a message.
    first_value = pl.col("value").str.slice(0, 40).str.replace_all(r"\p{C}", "?")
    first = file.frame.select(first_value, first_row="row").rename({"value": "first_value"})
    _refuse(
        DuplicateFigure,
        file,
        repeated.join(first, on="first_row"),
        "value",
        "one figure for {indicator}, {region_code}, {period}, {source_table}",
        "Row {first_row} gives the same figure, with value '{first_value}': keep one, also if they are equal.",
    )


def _check_values(data: _Input) -> pl.DataFrame:
    """The figures with their value in `number` (Float64, null where there is none)."""
    file, value = data.figures, pl.col("value")
    filled = file.frame.filter(value != "")
    comma = filled.filter(value.str.contains(r"^-?[0-9.]*,[0-9]+$"))
    _refuse(
        ValueFault,
        file,
        comma,
        "value",
        "a number with a decimal point",
        "Replace the comma by a point, and leave out thousands separators (in the whole file: check how it was saved).",
    )
    _refuse(
        ValueFault,
        file,
        filled.filter(~value.str.contains(_NUMBER_PATTERN)),
        "value",
        "a plain number such as 27.8, or nothing",
        "Write digits and a decimal point only, without blanks, thousands "
        "separators or exponent. Where there is no figure, leave the value empty and let the status say why.",
    )
    says_value = pl.col("status").is_in(_WITH_VALUE)
    _refuse(
        StatusError,
        file,
        file.frame.filter((value == "") & says_value),
        "value",
        "a number, because the status is {status}",
        "Fill in the figure, or give the status that says why there is none.",
    )
    _refuse(
        StatusError,
        file,
        filled.filter(~says_value),
        "value",
        "no value, because the status is {status}",
        f"If the figure is right, its status is one of {', '.join(_WITH_VALUE)}; if not, leave the value empty.",
    )
    numbers = file.frame.with_columns(number=value.replace({"": None}).cast(pl.Float64).round(_DECIMALS))
    _check_scale(file, numbers.join(data.expected, on=PAIR, how="left"))
    return numbers


def _check_scale(file: CsvFile, figures: pl.DataFrame) -> None:
    """Refuse figures outside the indicator's scale, shares that should be percentages, and other precisions."""
    number, unit = pl.col("number"), pl.col("rounding_unit")
    outside = figures.filter((number < pl.col("scale_min")) | (number > pl.col("scale_max")))
    minimum, maximum = (pl.col(bound).cast(pl.String).str.strip_suffix(".0") for bound in ("scale_min", "scale_max"))
    bounds = pl.format("{} to {}", minimum.fill_null("-∞"), maximum.fill_null("∞"))
    _refuse(
        OutOfScale,
        file,
        outside.with_columns(scale=bounds),
        "value",
        "a value within the scale of {indicator}, {scale} ({expected_unit})",
        "Fraction or percent, or a slipped decimal? Compare with the publisher's table.",
    )
    group = [*PAIR, "period"]
    largest, several = number.max().over(group), number.count().over(group) > 1
    fractions = figures.filter(pl.col("is_percentage") & several & (largest > 0) & (largest <= 1))
    _refuse(
        OutOfScale,
        file,
        fractions,
        "value",
        "{expected_unit} from 0 to 100 for {indicator}",
        "All its values of {period} in {source_table} lie between 0 and 1: fraction or percent? Multiply by 100 if so.",
    )
    finer = figures.filter((number - (number / unit).round() * unit).abs() > _TOLERANCE)
    _refuse(
        SourceChanged,
        file,
        finer,
        "value",
        "a multiple of {rounding_unit}, the rounding unit of {indicator} in {source_table}",
        "A slipped decimal? Else the source changed its precision or rounding_unit in the catalogue "
        "is wrong: margins depend on it.",
    )


def _check_complete(data: _Input) -> None:
    """Refuse missing rows: of the region's own municipalities, and of what figures_origin.csv counts.

    A gap is a municipality's if that accounts for all missing rows; otherwise the file was cut off. Rows without a
    value may or may not be in the count.
    """
    gaps = _gaps(data)
    counts = data.figures.frame.group_by(PAIR).agg(found=pl.len(), filled=(pl.col("value") != "").sum())
    short, short_filled = pl.col("figures") - pl.col("found"), pl.col("figures") - pl.col("filled")
    wrong = (
        data.origins.frame.with_columns(pl.col("figures").cast(pl.Int64))
        .join(counts.cast({"found": pl.Int64, "filled": pl.Int64}), on=PAIR, how="left")
        .join(gaps.group_by(PAIR).len("gaps"), on=PAIR, how="left")
        .with_columns(pl.col("found", "filled", "gaps").fill_null(0))
        .filter((short != 0) & (short_filled != 0))
    )
    explained = wrong.filter((short != pl.col("gaps")) & (short_filled != pl.col("gaps"))).is_empty()
    if explained and not gaps.is_empty():
        raise _missing_municipality(data, gaps)
    if wrong.is_empty():
        return
    among = f" Among the missing rows: {_gap(data, gaps)}." if not gaps.is_empty() else ""
    first, last = wrong.sort("row").row(0, named=True), data.figures.frame["row"][-1]
    raise IncompleteFile(
        data.figures.path,
        f"{first['figures']} rows for {first['indicator']} in {first['source_table']}, as row {first['row']} of "
        f"{ORIGINS} says; there are {first['found']}",
        column="source_table",
        value=first["source_table"],
        remedy=f"Was the file cut off, or were rows added or removed? It ends at row {last}. Fetch or copy it again; "
        f"if it is right, correct the count in {ORIGINS}.{among}",
        more=wrong.height - 1,
    )


def _gaps(data: _Input) -> pl.DataFrame:
    """Own municipalities without a row where another one has one: indicator, source_table, period, region_code."""
    own = data.catalogue.region.must_have_figures
    lives = lifetimes.read_lifetimes(bundled.FOLDER / lifetimes.FILE)
    rows = data.figures.frame.filter(pl.col("region_code").is_in(own)).select(*PAIR, "period", "region_code")
    municipalities = pl.DataFrame({"region_code": own}).join(lives, on="region_code", how="left")
    # A municipality that did not exist during the whole year cannot be asked for a figure.
    year = pl.col("period").str.slice(0, 4)
    existed = (pl.col("valid_from").fill_null("") <= year + "-01-01") & (
        pl.col("valid_to").str.slice(0, 4).fill_null("9999") > year
    )
    return (
        rows.select(*PAIR, "period")
        .unique()
        .join(municipalities, how="cross")
        .filter(existed)
        .join(rows, on=[*PAIR, "period", "region_code"], how="anti")
        .sort(*PAIR, "period", "region_code")
    )


def _missing_municipality(data: _Input, gaps: pl.DataFrame) -> MissingMunicipality:
    own = data.catalogue.region.municipalities
    absent_codes = set(gaps["region_code"]) - set(data.figures.frame["region_code"])
    absent = [f"{own[code]} ({code})" for code in sorted(absent_codes)]
    first = f"{', '.join(absent)}: no rows at all" if absent else _gap(data, gaps)
    return MissingMunicipality(
        data.figures.path,
        f"a row for all {len(data.catalogue.region.must_have_figures)} municipalities of "
        f"{data.catalogue.region.name_en} where one of them has a row",
        column="region_code",
        remedy=f"Missing: {first}. Fetch the figure; if it is not published, add its row with an empty value and the "
        "status not_published. (Municipalities too small for some figures: may_lack_figures in the region file.)",
        more=0 if absent else gaps.height - 1,
    )


def _gap(data: _Input, gaps: pl.DataFrame) -> str:
    first = gaps.row(0, named=True)
    name = data.catalogue.region.municipalities[first["region_code"]]
    return (
        f"{name} ({first['region_code']}) for indicator {first['indicator']}, period {first['period']}, "
        f"table {first['source_table']}"
    )
