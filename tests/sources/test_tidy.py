from __future__ import annotations

import polars as pl
import pytest

from sources.tidy import CELL, Topic, empty_cells, plain
from tests.sources import small


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x 1 000", "x 1000"),
        ("x\u00a01\u00a0000", "x 1 000"),
        ("X 1.000", "x 1000"),
        ("Netto arbeidsparticipatie", "Nettoarbeidsparticipatie"),
        ("Gem. gestandaardiseerd inkomen van huish", "GemGestandaardiseerdInkomenVanHuish"),
        ("Bijstand tot de AOW-leeftijd", "bijstand_tot_de_AOW_leeftijd"),
        ("Huishoudens: één ouder", "huishoudens een ouder"),
        ("e\u0301e\u0301n", "één"),
        ("inwoners per km²", "inwoners per km2"),
    ],
)
def test_capitals_accents_blanks_and_punctuation_do_not_count(one: str, other: str) -> None:
    assert plain(one) == plain(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("%", ""),
        ("‰", ""),
        ("euro", "€"),
        ("€", ""),
        ("%", "‰"),
        ("euro", "1 000 euro"),
        ("1 000 euro", "1 000 €"),
        ("x 1 000", "x 1 000 000"),
        ("aantal", ""),
        ("<10", "10"),
        ("65 jaar", "66 jaar"),
    ],
)
def test_units_and_titles_that_mean_something_else_stay_apart(one: str, other: str) -> None:
    assert plain(one) != plain(other)


def test_a_topic_is_written_with_its_path_and_unit() -> None:
    assert (
        str(Topic("M1", ("Inkomen", "Vermogen"), "Huishoudens", "x 1 000")) == "Inkomen/Vermogen/Huishoudens (x 1 000)"
    )
    assert str(Topic("M1", (), "Naam", "")) == "Naam"


def test_cells_without_rows_have_the_columns_of_cells_with_rows() -> None:
    text = "region_code Geslacht value\nGM0153 3000 5"
    table = small.tidy(text, members={"Geslacht": {"3000": "Mannen", "4000": "Vrouwen"}})
    empty = empty_cells(table.dimensions)
    assert empty.height == 0
    assert empty.columns[:2] == ["topic", "Geslacht"]
    assert dict(table.cells.schema) == dict(empty.schema) == {"Geslacht": pl.String, **CELL}
