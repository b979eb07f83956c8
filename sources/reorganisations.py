"""Municipal reorganisations: which municipality went into which, when, and with how many inhabitants."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from sources.csv_file import CsvFile, read_csv
from sources.errors import DuplicateFigure, InputError, OutOfScale, UnknownRegion, ValueFault

RENAMED = "naamswijziging/codewijziging"
ABOLISHED = "opgeheven"
BORDER_CHANGE = "grenswijziging"
KINDS = {ABOLISHED: "abolished", RENAMED: "renamed", BORDER_CHANGE: "border_change"}

_COLUMNS = [
    "datum",
    "oude_code",
    "oude_naam",
    "nieuwe_code",
    "nieuwe_naam",
    "inwoners_over",
    "hectare_over",
    "soort",
    "aandeel_inwoners",
]
_NAMES = {"oude_code": "old_code", "oude_naam": "old_name", "nieuwe_code": "new_code", "nieuwe_naam": "new_name"}
# Every code CBS gave since 2010 has a number above GM1891 (Dantumadiel). Five above it are older: Zwartewaterland,
# Leidschendam-Voorburg, Pijnacker-Nootdorp, Montferland and Menterwolde.
_LAST_CODE_BEFORE_2010 = "GM1891"
_OLDER_ABOVE_IT = ["GM1896", "GM1916", "GM1926", "GM1955", "GM1987"]

_WHOLE = 0.001  # the shares of a municipality are rounded: they add up to 1 within this
_ROUNDING = 0.0001  # shares have four decimals
_CHECK_PUBLISHER = "Check the row with its publisher (CBS 03759ned, the descriptions of the regions)."

# The rows that together are one municipality, or what it cedes on one date.
_PARTS = ["date", "oude_code"]
_LIVES_ON = pl.col("kind") == "border_change"


def read_reorganisations(path: Path, kinds: Sequence[str] = tuple(KINDS)) -> pl.DataFrame:
    """The municipal reorganisations in a CSV file, sorted by date, old and new code.

    Columns: date (Date, the first day on the new borders), old_code, old_name, new_code, new_name, inhabitants
    (Int64) and hectares (Float64) that went over (NULL where not given), kind, share, founded.

    kind: `abolished` (the old municipality ends; one row for every municipality that takes part of it), `renamed` (a
    new name and code for the same area) or `border_change` (the old municipality lives on without this part).
    share: the part of the old municipality's inhabitants that went over. Where the inhabitants of all its parts are
    given it is computed from them, so that the shares of an abolished municipality add up to 1 and not to 1.0001; the
    file's rounded share must agree. founded: whether new_code came into being here, or merely grew. The file does not
    tell these apart. The rule: a code came into being on the first date it stands there as new code, unless it was in
    use before 2010, that is, unless its number is at most GM1891 or one of five older ones above that.

    `kinds` are the kinds to accept, as the file writes them. Raises an InputError for a wrong row, for shares that do
    not add up, for a municipality abolished twice and for one that takes part after its end (so no chain is a circle).
    """
    file = read_csv(path, _COLUMNS)
    _check_rows(file, kinds)
    # The file's own columns stay beside the typed ones, for messages that show what stands there.
    rows = file.frame.with_columns(
        pl.col("datum").str.to_date().alias("date"),
        pl.col("inwoners_over").replace({"": None}).cast(pl.Int64).alias("inhabitants"),
        pl.col("hectare_over").replace({"": None}).cast(pl.Float64).alias("hectares"),
        pl.col("soort").replace_strict(KINDS).alias("kind"),
        pl.col("aandeel_inwoners").cast(pl.Float64).alias("share"),
    ).with_columns(founded=_founded())
    _check_lives(file, rows)
    _check_shares(file, rows)
    return rows.select(
        "date",
        *(pl.col(dutch).alias(english) for dutch, english in _NAMES.items()),
        *("inhabitants", "hectares", "kind"),
        _exact_share().alias("share"),
        "founded",
    ).sort("date", "old_code", "new_code")


def _founded() -> pl.Expr:
    code = pl.col("nieuwe_code")
    existed = (code <= _LAST_CODE_BEFORE_2010) | code.is_in(_OLDER_ABOVE_IT)
    return ~existed & (pl.col("date") == pl.col("date").min().over("nieuwe_code"))


def _total() -> pl.Expr:
    """The inhabitants of all parts; NULL where they are not all known, or nobody lives there."""
    total = pl.col("inhabitants").sum().over(_PARTS)
    return pl.when(pl.col("inhabitants").is_not_null().all().over(_PARTS) & (total > 0)).then(total)


def _exact_share() -> pl.Expr:
    computed = pl.col("inhabitants") / _total()
    rescaled = pl.col("share") / pl.col("share").sum().over(_PARTS)
    # What a border change leaves behind is not in the file: its share stands as it is.
    return pl.when(_LIVES_ON).then("share").otherwise(pl.coalesce(computed, rescaled))


def _check_rows(file: CsvFile, kinds: Sequence[str]) -> None:
    rows = file.frame
    for column in ("oude_code", "nieuwe_code"):
        _refuse(
            UnknownRegion,
            file,
            rows.filter(~pl.col(column).str.contains(r"^GM[0-9]{4}$")),
            column,
            "a municipality code such as GM0153",
            "Codes are GM and four digits, with leading zeros and without blanks.",
        )
    for column in ("oude_naam", "nieuwe_naam"):
        _refuse(
            UnknownRegion,
            file,
            rows.filter(pl.col(column).str.strip_chars() == ""),
            column,
            "the name of a municipality",
            "Write the name as CBS does.",
        )
    _refuse(
        InputError,
        file,
        rows.filter(~pl.col("soort").is_in(list(kinds))),
        "soort",
        " or ".join(kinds),
        "Leave out rows of any other kind.",
    )
    written = pl.col("datum").str.contains(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")
    _refuse(
        InputError,
        file,
        rows.filter(~written | pl.col("datum").str.to_date("%Y-%m-%d", strict=False).is_null()),
        "datum",
        "a date such as 2023-01-01",
        "Write year, month and day with hyphens.",
    )
    for column, pattern, expected in (
        ("inwoners_over", r"^(?:[0-9]{1,8})?$", "a whole number of inhabitants, or nothing where it is not known"),
        ("hectare_over", r"^(?:[0-9]{1,8}(?:\.[0-9]+)?)?$", "a number of hectares, or nothing where it is not known"),
        ("aandeel_inwoners", r"^[0-9]{1,3}(?:\.[0-9]{1,15})?$", "a share such as 0.4485"),
    ):
        _refuse(
            ValueFault,
            file,
            rows.filter(~pl.col(column).str.contains(pattern)),
            column,
            expected,
            "Write digits, and a point for decimals.",
        )
    _refuse(
        OutOfScale,
        file,
        rows.filter(pl.col("aandeel_inwoners").cast(pl.Float64, strict=False) > 1),
        "aandeel_inwoners",
        "a share from 0 to 1",
        "Is this a percentage? Divide it by 100.",
    )
    _refuse(
        DuplicateFigure,
        file,
        rows.filter(~pl.struct("datum", "oude_code", "nieuwe_code").is_first_distinct()),
        "nieuwe_code",
        "one row a date, old and new municipality",
        "The same two municipalities stand above on the same date: keep the right row.",
    )


def _check_lives(file: CsvFile, rows: pl.DataFrame) -> None:
    """A municipality ends once, and takes part in nothing before its beginning or from its end on."""
    ending = rows.filter(~_LIVES_ON)
    _refuse(
        DuplicateFigure,
        file,
        ending.filter(pl.col("date") != pl.col("date").first().over("oude_code")),
        "oude_code",
        "one date on which a municipality is abolished",
        "The file gives this code another date above: keep the right one.",
    )
    begin = rows.filter("founded").group_by(code="nieuwe_code").agg(begin=pl.col("date").first())
    end = ending.group_by(code="oude_code").agg(end=pl.col("date").first())
    _refuse(
        InputError,
        file,
        rows.join(end, left_on="nieuwe_code", right_on="code").filter(pl.col("date") >= pl.col("end")),
        "nieuwe_code",
        "a municipality that exists; the file abolishes it on {end}",
        f"A chain may not come back to where it began, and a code is not used again. {_CHECK_PUBLISHER}",
    )
    _refuse(
        InputError,
        file,
        rows.filter(_LIVES_ON).join(end, left_on="oude_code", right_on="code").filter(pl.col("date") >= pl.col("end")),
        "oude_code",
        "a municipality that exists; the file abolishes it on {end}",
        f"On the day a municipality ends, all its parts are of the kind {ABOLISHED}. {_CHECK_PUBLISHER}",
    )
    _refuse(
        InputError,
        file,
        rows.join(begin, left_on="oude_code", right_on="code").filter(pl.col("date") <= pl.col("begin")),
        "oude_code",
        "a municipality that exists; the file has it begin on {begin}",
        f"A municipality cannot give before it came into being. {_CHECK_PUBLISHER}",
    )


def _check_shares(file: CsvFile, rows: pl.DataFrame) -> None:
    summed = rows.with_columns(
        total=pl.col("share").sum().over(_PARTS).round(4),
        computed=(pl.col("inhabitants") / _total()).round(4),
    )
    ending = summed.filter(~_LIVES_ON)
    column = "aandeel_inwoners"
    _refuse(
        ValueFault,
        file,
        summed.filter(_LIVES_ON & (pl.col("total") >= 1)),
        column,
        "less than all inhabitants, as the municipality lives on; its parts on this date add up to {total}",
        f"Is it abolished? Then the kind is {ABOLISHED}. {_CHECK_PUBLISHER}",
    )
    _refuse(
        ValueFault,
        file,
        ending.filter((pl.col("total") - 1).abs().round(4) > _WHOLE),
        column,
        "shares that add up to 1 over all parts of a municipality; those of {oude_code} on {date} add up to {total}",
        "Is a part missing? Every municipality that takes part of an abolished one has a row.",
    )
    _refuse(
        ValueFault,
        file,
        ending.filter((pl.col("share") - pl.col("computed")).abs() > _ROUNDING),
        column,
        "{computed}, the inhabitants of this part divided by those of all parts of {oude_code}",
        "Correct the inhabitants or the share (four decimals).",
    )


def _refuse(kind: type[InputError], file: CsvFile, bad: pl.DataFrame, column: str, expected: str, remedy: str) -> None:
    """Raise `kind` for the first of the bad rows, if there are any; `expected` may name their columns in braces."""
    if bad.is_empty():
        return
    first = bad.sort("row").row(0, named=True)
    raise kind(
        file.path,
        expected.format_map(first),
        row=first["row"],
        column=column,
        value=first[column],
        remedy=remedy,
        more=bad.height - 1,
    )
