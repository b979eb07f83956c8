"""A wave is read the same from every format; a bad one is refused with wave, row and column, and never a cell."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pyreadstat
import pytest
import xlsxwriter
from polars.testing import assert_frame_equal

from catalog.survey import RESERVED
from sources.errors import (
    DuplicateRespondent,
    EncodingError,
    HeaderError,
    HostileFile,
    IncompleteFile,
    InputError,
    InvalidAnswer,
    MalformedRow,
    MissingFile,
    MissingMunicipality,
    PersonalData,
    RepeatedWave,
    StratumFault,
    UnknownRegion,
    WeightFault,
)
from sources.survey import COLUMNS, check_waves
from tests.sources.survey.small_wave import FILE, changed, columns, frame, read, wave, with_column, write

MARKER = "ZEBRA7"
NUMBERS = ["geslacht", "leeftijd", "opleiding", "gewicht", "v1", "v2"]


# --- what is read


def test_every_respondent_is_read_with_place_groups_weight_and_scores(tmp_path: Path) -> None:
    answers = read(write(tmp_path))
    assert answers.frame.columns == [*COLUMNS, "health", "ill"]
    assert answers.frame.drop("health", "ill").schema == COLUMNS
    # By hand: a score is (answer - lowest) / (highest - lowest), turned around for v2.
    assert answers.frame.rows() == [
        (2, "a1", "GM0153", "GM0153", "male", "18-34", "low", "E", 1.5, None, True, 1.0, 1.0),
        (3, "a2", "GM0153", "GM0153", "female", "35-49", "middle", "E", 0.5, None, True, 0.0, 0.0),
        (4, "a3", "GM0153", "GM0153", "female", "65+", "high", "E", 1.0, None, True, None, 1.0),
        (5, "a4", "GM0153", "GM0153", "male", "18-34", None, "E", 1.0, None, True, None, None),
        (6, "b1", "GM0164", "GM0164", "male", "50-64", "low", "H", 2.0, None, True, 3 / 9, 1.0),
        (7, "b2", "GM0164", "GM0164", "female", "50-64", "middle", "H", 2.0, None, True, 6 / 9, 0.0),
        (8, "b3", "GM0164", "GM0164", "female", "65+", "high", "H", 2.0, None, True, 0.0, 1.0),
        (9, "b4", "GM0164", "GM0164", "male", "35-49", None, "H", 2.0, None, True, 1.0, 0.0),
    ]
    assert answers.items == ["health", "ill"]
    assert answers.notes == ["8 respondents", "1 column of the file not used"]


def test_no_question_may_take_the_name_of_a_column() -> None:
    assert set(COLUMNS) == RESERVED


def as_semicolons(path: Path) -> None:
    path.write_text("\ufeff" + FILE.replace(",", ";").replace(".", ","), encoding="utf-8")


def as_parquet(path: Path) -> None:
    frame().with_columns(pl.col(NUMBERS).cast(pl.Float64)).write_parquet(path)


def as_workbook(path: Path) -> None:
    """With a codebook in front, and an empty row within."""
    book = xlsxwriter.Workbook(str(path))
    codebook = book.add_worksheet("codeboek")
    codebook.write_row(0, 0, ["kolom", "betekenis", "betekenis"])
    sheet = book.add_worksheet("data")
    rows = [list(frame().columns), *(list(row) for row in frame().with_columns(pl.col(NUMBERS).cast(float)).rows())]
    for number, row in enumerate(rows):
        sheet.write_row(number + (number > 3), 0, ["" if cell is None else cell for cell in row])
    book.close()


def as_spss(path: Path, user_missing: dict[str, list[float]] | None = None) -> None:
    labels = {"geslacht": {1.0: "Man", 2.0: "Vrouw"}, "opleiding": {9.0: "Weet niet"}}
    pyreadstat.write_sav(
        frame().with_columns(pl.col(NUMBERS).cast(pl.Float64)),
        str(path),
        variable_value_labels=labels,
        missing_ranges=user_missing or {},
    )


@pytest.mark.parametrize("make", [as_semicolons, as_parquet, as_workbook, as_spss], ids=lambda make: make.__name__)
def test_every_format_gives_the_same_respondents(tmp_path: Path, make: Callable[[Path], None]) -> None:
    path = tmp_path / "answers"
    make(path)
    found, expected = read(path).frame, read(write(tmp_path)).frame
    assert_frame_equal(found.drop("row"), expected.drop("row"))


def test_rows_are_counted_as_an_editor_or_spss_does(tmp_path: Path) -> None:
    book, spss = tmp_path / "book", tmp_path / "spss"
    as_workbook(book)
    as_spss(spss)
    assert read(book).frame["row"].to_list() == [2, 3, 4, 6, 7, 8, 9, 10]
    assert read(spss).frame["row"].to_list() == list(range(1, 9))


def test_what_spss_calls_missing_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "answers.sav"
    as_spss(path, {"v1": [10.0], "opleiding": [3.0]})
    answers = read(path).frame
    assert answers["health"].to_list() == [None, 0.0, None, None, 3 / 9, 6 / 9, 0.0, None]
    assert answers["education"].to_list() == ["low", "middle", None, None, "low", "middle", None, None]


def test_value_labels_of_spss_may_stand_in_the_description(tmp_path: Path) -> None:
    path = tmp_path / "answers.sav"
    as_spss(path)
    given = columns()
    given["groups"]["sex"]["values"] = {"Man": "male", "Vrouw": "female"}
    given["groups"]["education"]["missing"] = ["Weet niet"]
    expected = read(path).frame
    assert_frame_equal(read(path, wave(columns=given)).frame, expected)


def test_a_municipality_in_spss_is_read_by_its_label(tmp_path: Path) -> None:
    path = tmp_path / "answers.sav"
    numbered = frame().with_columns(gemeente=pl.Series([1.0] * 4 + [153.0] * 4), gewicht=pl.lit(1.0))
    numbered = numbered.with_columns(pl.col("leeftijd", "geslacht", "opleiding", "v1", "v2").cast(pl.Float64))
    pyreadstat.write_sav(numbered, str(path), variable_value_labels={"gemeente": {1.0: "Hengelo"}})
    assert read(path).frame["region_code"].to_list() == ["GM0164"] * 4 + ["GM0153"] * 4


def test_people_outside_the_region_count_with_the_rest_of_the_country(tmp_path: Path) -> None:
    text = FILE + "Zwolle,c1,1,40,1,rest,1.0,5,1,\n's-Gravenhage,c2,2,40,1,rest,1.0,5,1,\n"
    rest = read(write(tmp_path, text)).frame.tail(2)
    assert rest["region_code"].to_list() == ["GM0193", "GM0518"]
    assert rest["calibration_region"].to_list() == ["NL_REST", "NL_REST"]


def test_people_who_did_not_answer_stay_in_the_sample_without_answers(tmp_path: Path) -> None:
    text = with_column("deelname", ["ja"]) + "Hengelo,b5,1,49,1,H,2.0,,,,nee\n"
    response = {"column": "deelname", "respondent": ["ja"], "nonrespondent": ["nee"], "classes": ["municipality"]}
    answers = read(write(tmp_path, text), wave(response=response))
    assert answers.frame["responded"].to_list() == [True] * 8 + [False]
    assert answers.frame.row(8)[-2:] == (None, None)
    assert answers.notes[0] == "8 respondents, 1 who did not answer"


def test_without_weights_strata_ids_and_groups_a_wave_is_read_too(tmp_path: Path) -> None:
    text = "\n".join(",".join(line.split(",")[i] for i in (0, 7, 8)) for line in FILE.splitlines()) + "\n"
    margins = {"method": "raking", "margins": [{"by": ["municipality"]}]}
    answers = read(write(tmp_path, text), wave(columns={"municipality": "gemeente"}, calibration=margins))
    assert answers.frame.row(0)[1:11] == (None, "GM0153", "GM0153", None, None, None, "all", 1.0, None, True)
    assert "every respondent counts as one" in answers.notes[-1]


def test_ids_are_hidden_by_a_key_and_the_same_under_the_same_key(tmp_path: Path) -> None:
    path = write(tmp_path)
    one, again, other = (read(path, key=key).frame["respondent"] for key in (b"k", b"k", b"q"))
    assert one.to_list() == again.to_list()
    assert not set(one) & set(other)
    assert one.n_unique() == 8
    # printf a1 | openssl dgst -sha256 -hmac k
    assert one[0] == "e4a8bbc3e2b59bfb4f1dcce0558c0a6c9bb09092c1eff46cbfca6022187c93af"


# --- what is refused


@dataclass(frozen=True)
class Bad:
    """A damaged file; the error must be of this kind and name row and column."""

    name: str
    text: str
    kind: type[InputError]
    row: int | None
    column: str | None
    more: int = 0
    given: dict[str, Any] = field(default_factory=dict)


LONELY = changed(9, "laag", "X")
ONE_POPULATION = columns(population_size="aantal")
BAD = [
    Bad("no weight column", FILE.replace("gewicht", "w", 1), HeaderError, None, None),
    Bad("no column of a question", FILE.replace(",v2,", ",v3,", 1), HeaderError, None, None),
    Bad("weight missing", changed(3, "gewicht", ""), WeightFault, 3, "gewicht"),
    Bad("weight negative", changed(4, "gewicht", "-1"), WeightFault, 4, "gewicht"),
    Bad("weight zero", changed(4, "gewicht", "0"), WeightFault, 4, "gewicht"),
    Bad("weight no number", changed(4, "gewicht", MARKER), WeightFault, 4, "gewicht"),
    Bad("weight not finite", changed(4, "gewicht", "1e999"), WeightFault, 4, "gewicht"),
    Bad("weights twice wrong", changed(5, "gewicht", "", changed(3, "gewicht", "")), WeightFault, 3, "gewicht", 1),
    Bad("municipality unknown", changed(3, "gemeente", MARKER), UnknownRegion, 3, "gemeente"),
    Bad("municipality abolished", changed(3, "gemeente", "Vriezenveen"), UnknownRegion, 3, "gemeente"),
    Bad("municipality without code", changed(3, "gemeente", "9999"), UnknownRegion, 3, "gemeente"),
    Bad("municipality empty", changed(3, "gemeente", ""), UnknownRegion, 3, "gemeente"),
    Bad("answer too high", changed(7, "v1", "11"), InvalidAnswer, 7, "v1"),
    Bad("answer too low", changed(7, "v1", "0"), InvalidAnswer, 7, "v1"),
    Bad("answer no number", changed(7, "v1", MARKER), InvalidAnswer, 7, "v1"),
    Bad("sex unknown", changed(7, "geslacht", "3"), InvalidAnswer, 7, "geslacht"),
    Bad("education unknown", changed(7, "opleiding", MARKER), InvalidAnswer, 7, "opleiding"),
    Bad("age in no band", changed(7, "leeftijd", "17"), InvalidAnswer, 7, "leeftijd"),
    Bad("age no number", changed(7, "leeftijd", MARKER), InvalidAnswer, 7, "leeftijd"),
    Bad("respondent twice", changed(7, "nummer", "a1"), DuplicateRespondent, 7, "nummer"),
    Bad("municipality without anyone", FILE.replace("Hengelo", "Zwolle").replace("(O.)", "").replace("0164", "193"),
        MissingMunicipality, None, "gemeente"),
    Bad("stratum of one", LONELY, StratumFault, 9, "laag"),
    Bad("stratum missing", changed(9, "laag", ""), StratumFault, 9, "laag"),
    Bad("population differs", with_column("aantal", ["900", "800"]), StratumFault, 2, "aantal", 7,
        {"columns": ONE_POPULATION}),
    Bad("population too small", with_column("aantal", ["3"]), StratumFault, 2, "aantal", 7,
        {"columns": ONE_POPULATION}),
    Bad("population no number", with_column("aantal", [MARKER]), StratumFault, 2, "aantal", 7,
        {"columns": ONE_POPULATION}),
    Bad("two decimal signs", changed(3, "gewicht", '"0,5"'), MalformedRow, 3, "gewicht"),
    Bad("only a header", FILE.splitlines()[0] + "\n", IncompleteFile, None, None),
    Bad("nothing", "", IncompleteFile, None, None),
    Bad("a field too many", FILE.replace("b2,2", "b2,2,2"), MalformedRow, 7, None),
    Bad("cut off", FILE[:-3], IncompleteFile, None, None),
    Bad("a quote left open", changed(9, "opmerking", f'"{MARKER}'), MalformedRow, 9, None),
    Bad("a column twice", FILE.replace("opmerking", "gewicht", 1), HeaderError, None, "gewicht"),
    Bad("no header", FILE.split("\n", 1)[1], HeaderError, None, None),
]  # fmt: skip


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
def test_a_bad_wave_is_refused_with_wave_row_and_column(tmp_path: Path, bad: Bad) -> None:
    with pytest.raises(InputError) as caught:
        read(write(tmp_path, bad.text), wave(**bad.given))
    error = caught.value
    assert type(error) is bad.kind, error
    assert bad.row is None or error.row == bad.row
    assert bad.column is None or error.column == bad.column
    assert error.more == bad.more or bad.row is None
    assert "wave test_2022, answers.csv" in str(error)
    assert error.remedy
    assert len(str(error).splitlines()) <= 3


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
def test_no_message_holds_a_cell(tmp_path: Path, bad: Bad) -> None:
    with pytest.raises(InputError) as caught:
        read(write(tmp_path, bad.text), wave(**bad.given))
    error = caught.value
    assert error.value is None
    assert error.__cause__ is None
    assert error.__context__ is None
    assert str(tmp_path) not in str(error)
    # What is typical of the rows, and of no description: ids, and the marker.
    for told in (MARKER, "a1", "b2", "Vriezenveen", "Zwolle"):
        assert told not in f"{error}{vars(error)}"


def test_a_missing_column_names_the_columns_that_come_near(tmp_path: Path) -> None:
    with pytest.raises(HeaderError, match=r"the column gewicht.*\n.*Is it called Gewicht\?"):
        read(write(tmp_path, FILE.replace("gewicht", "Gewicht", 1)))


def test_columns_without_a_title_of_their_own_are_looked_at_for_personal_data(tmp_path: Path) -> None:
    for title in ("", "opmerking"):
        text = with_column(title, ["jan@voorbeeld.nl"])
        with pytest.raises(PersonalData) as caught:
            read(write(tmp_path, text))
        assert caught.value.column == "column 11"


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingFile):
        read(tmp_path / "nothing.csv")


@pytest.mark.parametrize("keep", [40, 300, 0.5, 0.99])
@pytest.mark.parametrize("make", [as_parquet, as_workbook, as_spss], ids=lambda make: make.__name__)
def test_a_file_that_was_cut_off_is_refused(tmp_path: Path, make: Callable[[Path], None], keep: float) -> None:
    path = tmp_path / "answers"
    make(path)
    data = path.read_bytes()
    path.write_bytes(data[: int(keep if keep > 1 else keep * len(data))])
    with pytest.raises(InputError) as caught:
        read(path)
    assert MARKER not in str(caught.value)


def test_a_formula_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "answers.xlsx"
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet()
    for number, line in enumerate(FILE.splitlines()):
        sheet.write_row(number, 0, line.split(","))
    sheet.write_formula(4, 6, "=1+1")
    book.close()
    with pytest.raises(HostileFile) as caught:
        read(path)
    assert caught.value.row == 5


def test_two_sheets_with_answers_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "answers.xlsx"
    book = xlsxwriter.Workbook(str(path))
    for _ in range(2):
        sheet = book.add_worksheet()
        for number, line in enumerate(FILE.splitlines()):
            sheet.write_row(number, 0, line.split(","))
    book.close()
    with pytest.raises(HeaderError, match="one sheet"):
        read(path)


def test_bytes_that_are_no_text_are_refused_without_showing_them(tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    path.write_bytes(FILE.encode() + b"Enschede,\x81\x00,,,,,,,,\n")
    with pytest.raises(EncodingError) as caught:
        read(path)
    assert caught.value.value is None
    assert caught.value.__cause__ is None


def test_a_wave_of_aggregates_has_no_rows_to_read(tmp_path: Path) -> None:
    table = {"region": "r", "dimension": "d", "value": "v", "n": "n", "scale": "score"}
    described = wave(kind="aggregates", columns=None, calibration=None, aggregates=table)
    with pytest.raises(ValueError, match="no rows"):
        read(write(tmp_path), described)


def test_what_a_wave_is_shown_as_holds_no_row(tmp_path: Path) -> None:
    assert repr(read(write(tmp_path))) == "Answers(test_2022, 8 rows)"


# --- between waves


def later(text: str, folder: Path, **given: Any) -> Any:
    year = {"start": "2023-06-01", "end": "2023-06-30"}
    described = wave(**{"wave_id": "test_2023", "measurement_year": 2023, "fieldwork": year, **given})
    return read(write(folder, text), described)


def other_people() -> str:
    """New ids, and other ages and answers."""
    rows = frame().with_columns(
        pl.concat_str(pl.lit("c"), "nummer").alias("nummer"),
        pl.Series("leeftijd", ["70", "70", "30", "40", "20", "30", "40", "50"]),
    )
    out = io.BytesIO()
    rows.write_csv(out)
    return out.getvalue().decode()


def test_waves_of_other_people_may_stand_together(tmp_path: Path) -> None:
    check_waves([read(write(tmp_path)), later(other_people(), tmp_path)])


def test_the_same_rows_in_two_waves_are_refused(tmp_path: Path) -> None:
    text = FILE.replace(",a", ",c").replace(",b", ",d")
    shuffled = "\n".join([text.splitlines()[0], *reversed(text.splitlines()[1:])]) + "\n"
    with pytest.raises(RepeatedWave, match=r"wave test_2023.*than in wave test_2022.*8 rows"):
        check_waves([read(write(tmp_path)), later(shuffled, tmp_path)])


def test_the_same_people_are_refused_unless_they_are_a_panel(tmp_path: Path) -> None:
    text = changed(2, "nummer", "a1", other_people())
    with pytest.raises(RepeatedWave, match=r"panel.*1 ids") as caught:
        check_waves([read(write(tmp_path)), later(text, tmp_path)])
    assert "a1" not in str(caught.value)
    first = read(write(tmp_path))
    second = later(text, tmp_path, panel_of="test_2022")
    check_waves([first, second])
    check_waves([second, first])
