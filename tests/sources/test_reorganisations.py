"""What a file of municipal reorganisations must be, and what comes out of it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from sources import bundled
from sources.errors import DuplicateFigure, InputError, OutOfScale, UnknownRegion, ValueFault
from sources.lifetimes import FILE
from sources.reorganisations import ABOLISHED, read_reorganisations
from tests.conftest import SHARED

HEADER = "datum,oude_code,oude_naam,nieuwe_code,nieuwe_naam,inwoners_over,hectare_over,soort,aandeel_inwoners\n"
# A valid file, as text: a merger into a new municipality, a split of three parts, and a border change.
VALID = """\
2027-01-01,GM0001,Aa,GM2001,Nieuw,6000,500,opgeheven,1.0
2027-01-01,GM0002,Bee,GM2001,Nieuw,4000,,opgeheven,1.0
2028-01-01,GM0003,Cee,GM0004,Dee,1000,10,opgeheven,0.3333
2028-01-01,GM0003,Cee,GM0005,Ee,1000,20.5,opgeheven,0.3333
2028-01-01,GM0003,Cee,GM0006,Ef,1000,10,opgeheven,0.3333
2028-01-01,GM0004,Dee,GM0005,Ee,12,3,grenswijziging,0.0012
2029-07-01,GM2001,Nieuw,GM2002,Nieuwer,,,naamswijziging/codewijziging,1.0
"""


@pytest.fixture(scope="module")
def real() -> pl.DataFrame:
    return read_reorganisations(bundled.FOLDER / FILE)


def read(folder: Path, rows: str, **options: list[str]) -> pl.DataFrame:
    (folder / FILE).write_text(HEADER + rows, encoding="utf-8")
    return read_reorganisations(folder / FILE, **options)


def changed(old: str, new: str) -> str:
    assert VALID.count(old) == 1, old
    return VALID.replace(old, new)


def test_typed_and_sorted(real: pl.DataFrame) -> None:
    assert dict(real.schema) == {
        "date": pl.Date,
        "old_code": pl.String,
        "old_name": pl.String,
        "new_code": pl.String,
        "new_name": pl.String,
        "inhabitants": pl.Int64,
        "hectares": pl.Float64,
        "kind": pl.String,
        "share": pl.Float64,
        "founded": pl.Boolean,
    }
    assert real.height == 147  # the lines of the file
    assert real.equals(real.sort("date", "old_code", "new_code"))


def test_a_split_has_the_shares_of_its_inhabitants(real: pl.DataFrame) -> None:
    # Haaren, 1 January 2021: 2149 + 5827 + 1442 + 4900 = 14318 inhabitants (CBS 03759ned, description of GM0788).
    haaren = real.filter(pl.col("old_code") == "GM0788")
    assert dict(haaren.select("new_code", "share").iter_rows()) == {
        "GM0757": 2149 / 14318,
        "GM0824": 5827 / 14318,
        "GM0855": 1442 / 14318,
        "GM0865": 4900 / 14318,
    }
    assert set(haaren["date"]) == {date(2021, 1, 1)}


def test_the_shares_of_every_abolished_municipality_add_up(real: pl.DataFrame) -> None:
    # In the file those of Boarnsterhim (GM0055) add up to 1.0001.
    totals = real.group_by("old_code").agg(pl.col("share").sum())
    assert totals.filter((pl.col("share") - 1).abs() > 1e-15).is_empty()


def test_unknown_numbers_stay_unknown(real: pl.DataFrame) -> None:
    renamed = real.filter(pl.col("kind") == "renamed")
    assert renamed["old_code"].to_list() == ["GM0083", "GM1921", "GM0241"]
    assert renamed["inhabitants"].null_count() == renamed["hectares"].null_count() == 3
    # Nobody moved with the part of Muiden that went to Weesp: that is 0, and known.
    assert real.filter(old_code="GM0424", new_code="GM0457").select("inhabitants", "share").row(0) == (0, 0.0)


@pytest.mark.parametrize(
    ("code", "founded"),
    [
        ("GM1992", {date(2023, 1, 1)}),
        ("GM1900", {date(2011, 1, 1)}),  # and grew in 2014 and 2018
        ("GM1945", {date(2016, 1, 1)}),
        ("GM0014", set()),
        ("GM0363", set()),
    ],
)
def test_what_came_into_being_and_what_merely_grew(real: pl.DataFrame, code: str, founded: set[date]) -> None:
    assert set(real.filter(pl.col("founded"), new_code=code)["date"]) == founded


@pytest.mark.shared
def test_line_ends_do_not_matter(real: pl.DataFrame) -> None:
    path = SHARED / "facts" / FILE
    if not path.is_file():
        pytest.skip("no shared facts beside this checkout")
    assert b"\r\n" in path.read_bytes()
    assert read_reorganisations(path).equals(real)


def test_a_valid_file(tmp_path: Path) -> None:
    rows = read(tmp_path, VALID)
    assert rows["kind"].to_list() == ["abolished"] * 5 + ["border_change", "renamed"]
    # The share of a border change is of all inhabitants, most of whom stayed.
    assert rows["share"].to_list() == [1, 1, 1 / 3, 1 / 3, 1 / 3, 0.0012, 1]
    assert rows["founded"].to_list() == [True, True, False, False, False, False, True]
    assert rows["hectares"].to_list() == [500, None, 10, 20.5, 10, 3, None]


def test_shares_that_cannot_be_computed_are_rescaled(tmp_path: Path) -> None:
    # Thirds in three decimals are 0.001 short together; more is not rounding.
    unknown = VALID.replace(",1000,", ",,")
    rows = read(tmp_path, unknown.replace("0.3333", "0.333"))
    assert rows.filter(old_code="GM0003")["share"].to_list() == pytest.approx([1 / 3] * 3, abs=1e-15)
    with pytest.raises(ValueFault, match=r"add up to 0\.9987"):
        read(tmp_path, unknown.replace("0.3333", "0.3329"))


@pytest.mark.parametrize(
    ("kind", "old", "new", "row", "column"),
    [
        (UnknownRegion, "GM0001,Aa", "GM001,Aa", 2, "oude_code"),
        (UnknownRegion, "GM0006,Ef", "Ef,Ef", 6, "nieuwe_code"),
        (UnknownRegion, "GM0006,Ef", "GM0006, ", 6, "nieuwe_naam"),
        (InputError, "grenswijziging", "grens", 7, "soort"),
        (InputError, "2029-07-01", "2029-7-1", 8, "datum"),
        (InputError, "2029-07-01", "2029-02-29", 8, "datum"),
        (ValueFault, "6000", "6.000", 2, "inwoners_over"),
        (ValueFault, "6000", "-6000", 2, "inwoners_over"),
        (ValueFault, "20.5", "20 ha", 5, "hectare_over"),
        (ValueFault, "0.0012", "", 7, "aandeel_inwoners"),
        (ValueFault, "0.0012", "0.12%", 7, "aandeel_inwoners"),
        (OutOfScale, "0.0012", "12", 7, "aandeel_inwoners"),
        # the two rows say that GM0003 went to GM0005
        (DuplicateFigure, "GM0006,Ef", "GM0005,Ee", 6, "nieuwe_code"),
        # part of GM0003 a year later
        (DuplicateFigure, "2028-01-01,GM0003,Cee,GM0006", "2029-01-01,GM0003,Cee,GM0006", 6, "oude_code"),
        # into a municipality that is gone, also on the very day
        (InputError, "GM0006,Ef", "GM0002,Bee", 6, "nieuwe_code"),
        (InputError, "GM0002,Bee,GM2001,Nieuw", "GM0002,Bee,GM0001,Aa", 3, "nieuwe_code"),
        (InputError, "GM2002,Nieuwer", "GM2001,Nieuw", 8, "nieuwe_code"),
        # a circle: GM2001 comes from GM0001, which comes from GM2001
        (InputError, "GM2002,Nieuwer", "GM0001,Aa", 8, "nieuwe_code"),
        # cedes a part on the day it ends, and before it began
        (InputError, "GM0004,Dee,GM0005,Ee,12", "GM0003,Cee,GM0007,Ge,12", 7, "oude_code"),
        (InputError, "2028-01-01,GM0004,Dee,GM0005,Ee,12", "2026-01-01,GM2001,N,GM0005,Ee,12", 7, "oude_code"),
        (InputError, "2028-01-01,GM0004,Dee,GM0005,Ee,12", "2027-01-01,GM2001,N,GM0005,Ee,12", 7, "oude_code"),
        # cedes everything, and yet lives on
        (ValueFault, "12,3,grenswijziging,0.0012", "12,3,grenswijziging,1", 7, "aandeel_inwoners"),
        # a part is missing
        (ValueFault, "2028-01-01,GM0003,Cee,GM0006,Ef,1000,10,opgeheven,0.3333\n", "", 4, "aandeel_inwoners"),
        (ValueFault, "6000,500,opgeheven,1.0", "6000,500,opgeheven,0.998", 2, "aandeel_inwoners"),
        # shares that add up, but are not those of the inhabitants
        (ValueFault, "1000,20.5,opgeheven,0.3333", "1005,20.5,opgeheven,0.3333", 4, "aandeel_inwoners"),
    ],
)
def test_a_wrong_row_is_refused(
    tmp_path: Path, kind: type[InputError], old: str, new: str, row: int, column: str
) -> None:
    rows = changed(old, new)
    with pytest.raises(InputError) as caught:
        read(tmp_path, rows)
    error = caught.value
    assert (type(error), error.row, error.column) == (kind, row, column)
    line = dict(zip(HEADER.strip().split(","), rows.splitlines()[row - 2].split(","), strict=True))
    assert error.value == line[column]
    assert error.remedy
    assert FILE in str(error)


def test_the_message_says_which_parts_do_not_add_up(tmp_path: Path) -> None:
    with pytest.raises(ValueFault) as caught:
        read(tmp_path, changed("2028-01-01,GM0003,Cee,GM0006,Ef,1000,10,opgeheven,0.3333\n", ""))
    assert "those of GM0003 on 2028-01-01 add up to 0.6666" in str(caught.value)
    assert "(and 1 more row with this fault)" in str(caught.value)


def test_kinds_can_be_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, VALID, kinds=[ABOLISHED])
    assert (caught.value.row, caught.value.column, caught.value.value) == (7, "soort", "grenswijziging")
