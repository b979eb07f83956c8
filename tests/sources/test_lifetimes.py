from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from catalog import Catalogue
from sources import bundled
from sources.errors import DuplicateFigure, InputError, UnknownRegion
from sources.facts import Facts
from sources.lifetimes import FILE, read_lifetimes

HEADER = "datum,oude_code,oude_naam,nieuwe_code,nieuwe_naam,inwoners_over,hectare_over,soort,aandeel_inwoners\n"


@pytest.fixture(scope="module")
def lifetimes() -> pl.DataFrame:
    return read_lifetimes(bundled.FOLDER / FILE)


@pytest.mark.parametrize(
    ("code", "name", "valid_from", "valid_to"),
    [
        ("GM1992", "Voorne aan Zee", "2023-01-01", None),
        ("GM0457", "Weesp (had grown in 2016)", None, "2022-03-24"),
        ("GM0363", "Amsterdam (grew in 2022)", None, None),
        ("GM0014", "Groningen (grew in 2019)", None, None),
        ("GM0983", "Venlo (grew in 2010)", None, None),
        ("GM1507", "Horst aan de Maas (2001, grew in 2010)", None, None),
        ("GM1900", "Súdwest-Fryslân (2011, grew in 2014 and 2018)", "2011-01-01", None),
        ("GM1921", "De Friese Meren", "2014-01-01", "2015-07-01"),
        ("GM1940", "De Fryske Marren (its new name and code)", "2015-07-01", None),
        ("GM0241", "Groesbeek (grew in 2015, new code in 2016)", None, "2016-01-01"),
        ("GM0788", "Haaren (split over four)", None, "2021-01-01"),
        ("GM1987", "Menterwolde (a high number, but old)", None, "2018-01-01"),
    ],
)
def test_known_cases(
    lifetimes: pl.DataFrame, code: str, name: str, valid_from: str | None, valid_to: str | None
) -> None:
    row = lifetimes.row(by_predicate=pl.col("region_code") == code, named=True)
    assert (row["valid_from"], row["valid_to"]) == (valid_from, valid_to), name


def test_one_sorted_row_a_code(lifetimes: pl.DataFrame) -> None:
    assert lifetimes.schema == {"region_code": pl.String, "valid_from": pl.String, "valid_to": pl.String}
    assert lifetimes["region_code"].is_sorted()
    assert lifetimes["region_code"].is_unique().all()
    assert lifetimes.filter(pl.col("valid_from") >= pl.col("valid_to")).is_empty()


def test_own_municipalities_have_existed_all_along(lifetimes: pl.DataFrame, catalogue: Catalogue) -> None:
    assert lifetimes.filter(pl.col("region_code").is_in(list(catalogue.region.municipalities))).is_empty()


def test_the_rule_agrees_with_the_figures_of_each_year(lifetimes: pl.DataFrame, bundle: Facts) -> None:
    # These two tables give figures for the municipalities of the year itself, from 2011.
    years = (
        bundle.figures.filter(pl.col("source_table").is_in(["CBS 70072ned", "CBS 03759ned"]))
        .group_by("region_code")
        .agg(first=pl.col("period").min(), last=pl.col("period").max())
        .join(lifetimes, on="region_code")
    )
    assert years.height > 100
    born, abolished = pl.col("valid_from").str.slice(0, 4), pl.col("valid_to").str.slice(0, 4)
    assert years.filter(pl.col("first") < born).is_empty()
    assert years.filter(pl.col("last") > abolished).is_empty()
    # Without valid_from it must have had figures from the start.
    assert years.filter(pl.col("valid_from").is_null() & (pl.col("first") > "2011")).is_empty()


def test_an_old_municipality_with_a_high_number_that_grows_is_not_new(tmp_path: Path) -> None:
    row = "2027-01-01,GM1876,Bronckhorst,GM1955,Montferland,100,100,opgeheven,1.0\n"
    assert _read(tmp_path, row).row(by_predicate=pl.col("region_code") == "GM1955") == ("GM1955", None, None)


def _read(path: Path, *rows: str) -> pl.DataFrame:
    (path / FILE).write_text(HEADER + "".join(rows), encoding="utf-8")
    return read_lifetimes(path / FILE)


@pytest.mark.parametrize(
    ("kind", "row", "column"),
    [
        (UnknownRegion, "2027-01-01,GM187,A,GM2000,B,1,1,opgeheven,1.0\n", "oude_code"),
        (UnknownRegion, "2027-01-01,GM1876,A,B,B,1,1,opgeheven,1.0\n", "nieuwe_code"),
        (InputError, "01-01-2027,GM1876,A,GM2000,B,1,1,opgeheven,1.0\n", "datum"),
        (InputError, "20270101,GM1876,A,GM2000,B,1,1,opgeheven,1.0\n", "datum"),
        (InputError, "2027-02-30,GM1876,A,GM2000,B,1,1,opgeheven,1.0\n", "datum"),
        (InputError, "2027-01-01,GM1876,A,GM2000,B,1,1,grenswijziging,0.1\n", "soort"),
        (DuplicateFigure, "2028-01-01,GM1992,A,GM2000,B,1,1,opgeheven,1.0\n", "oude_code"),
    ],
)
def test_a_wrong_row_is_refused(tmp_path: Path, kind: type[InputError], row: str, column: str) -> None:
    with pytest.raises(InputError) as caught:
        _read(tmp_path, "2027-01-01,GM1992,A,GM2000,B,1,1,opgeheven,1.0\n", row)
    assert type(caught.value) is kind
    assert (caught.value.row, caught.value.column) == (3, column)
    assert caught.value.remedy
