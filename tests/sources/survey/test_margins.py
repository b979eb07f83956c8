"""Population numbers for weighting: whole, and in agreement with each other; else refused by row and column."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from catalog.survey_model import Wave
from sources.errors import HeaderError, InputError, PopulationFault
from sources.survey import MARGINS, read_margins
from tests.sources.small import REGION
from tests.sources.survey.small_wave import NAMES, SETTINGS, wave

# Two municipalities of 100 men and 110 women each.
FILE = """\
margin,municipality,sex,age,population
municipality*sex,GM0153,male,,100
municipality*sex,GM0153,female,,110
municipality*sex,0164,male,,100
municipality*sex,Hengelo,female,,110
sex*age,,male,18-34,50
sex*age,,male,35-49,50
sex*age,,male,50-64,50
sex*age,,male,65+,50
sex*age,,female,18-34,55
sex*age,,female,35-49,55
sex*age,,female,50-64,55
sex*age,,female,65+,55
"""


def read(folder: Path, text: str, described: Wave | None = None) -> pl.DataFrame:
    path = folder / "margins.csv"
    path.write_text(text, encoding="utf-8")
    return read_margins(path, described or wave(), SETTINGS, REGION, NAMES)


def test_every_cell_is_read_by_its_codes(tmp_path: Path) -> None:
    frame = read(tmp_path, FILE)
    assert frame.schema == MARGINS
    assert frame.height == 12
    assert frame.row(0) == ("municipality*sex", "GM0153", "female", None, None, 110.0)
    assert frame.filter(municipality="GM0164")["population"].to_list() == [110.0, 100.0]
    assert frame.filter(margin="sex*age").null_count().row(0) == (0, 8, 0, 0, 8, 0)


def test_the_rest_of_the_country_counts_where_it_is_there(tmp_path: Path) -> None:
    more = "municipality*sex,NL_REST,male,,1000\nmunicipality*sex,NL_REST,female,,1000\n"
    text = FILE.replace(",50\n", ",300\n").replace(",55\n", ",305\n") + more
    assert read(tmp_path, text).filter(municipality="NL_REST").height == 2
    with pytest.raises(PopulationFault, match="NL_REST female"):
        read(tmp_path, text.replace(more.splitlines()[1] + "\n", ""))


def test_margins_may_differ_by_the_rounding_of_their_cells(tmp_path: Path) -> None:
    # 420 in 12 cells: of each half a person.
    read(tmp_path, FILE.replace("male,65+,50", "male,65+,52.9"))
    with pytest.raises(PopulationFault, match=r"municipality\*sex and sex\*age; they differ in (fe)?male"):
        read(tmp_path, FILE.replace("male,65+,50", "male,65+,53.1"))


def test_margins_that_official_indicators_count_are_not_asked_for(tmp_path: Path) -> None:
    margins = [{"by": ["municipality", "sex"], "official": {"male": "men", "female": "women"}}, {"by": ["sex", "age"]}]
    described = wave(calibration={"method": "raking", "margins": margins})
    text = "".join(line + "\n" for line in FILE.splitlines() if not line.startswith("municipality*"))
    assert read(tmp_path, text.replace("municipality,", "").replace("*age,,", "*age,"), described).height == 8


@pytest.mark.parametrize(
    ("old", "new", "row", "column", "said"),
    [
        ("GM0153,male,,100", "GM0193,male,,100", 2, "municipality", "municipality of Twente, or NL_REST"),
        ("GM0153,male,,100", "Atlantis,male,,100", 2, "municipality", "municipality of Twente, or NL_REST"),
        ("GM0153,male,,100", "GM0153,man,,100", 2, "sex", "male"),
        ("GM0153,male,,100", "GM0153,,,100", 2, "sex", "male"),
        ("GM0153,male,,100", ",male,,100", 2, "municipality", "code"),
        ("GM0153,male,,100", "GM0153,male,18-34,100", 2, "age", "does not use it"),
        ("GM0153,male,,100", "GM0153,male,,-100", 2, "population", "0 or more"),
        ("GM0153,male,,100", "GM0153,male,,", 2, "population", "0 or more"),
        ("GM0153,male,,100", "GM0153,male,,many", 2, "population", "0 or more"),
        ("GM0153,male,,100", "GM0153,female,,100", 3, "margin", "once"),
        ("municipality*sex,GM0153,male", "municipality,GM0153,male", 2, "margin", r"municipality\*sex, sex\*age"),
        ("municipality*sex,GM0153,male,,100\n", "", None, "margin", "1 missing, the first GM0153 male"),
        ("sex*age,,male,65+,50\n", "", None, "margin", r"all cells of the margin sex\*age"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, row: int | None, column: str, said: str) -> None:
    assert old in FILE
    with pytest.raises(PopulationFault, match=said) as caught:
        read(tmp_path, FILE.replace(old, new))
    assert (caught.value.row, caught.value.column) == (row, column)
    assert "wave test_2022, margins.csv" in str(caught.value)


def test_a_file_of_respondents_is_no_file_of_margins_and_is_not_shown(tmp_path: Path) -> None:
    with pytest.raises(HeaderError) as caught:
        read(tmp_path, "naam,gemeente\nZebra,Enschede\n")
    assert "Zebra" not in str(caught.value)


def test_a_column_that_a_margin_needs_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the column age"):
        read(tmp_path, FILE.replace(",age,", ",leeftijd,"))
