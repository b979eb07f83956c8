"""The report grades that Twente Board published: taken as they are, and never with anything that was not published."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog import Catalogue
from sources import bundled
from sources.collect import collect
from sources.csv_file import read_csv
from sources.errors import (
    DuplicateFigure,
    InputError,
    MalformedRow,
    MissingFile,
    OutOfScale,
    PeriodError,
    UnknownRegion,
    ValueFault,
)
from sources.facts import Facts
from sources.figures import RAW
from sources.published_grades import FILE, read_published_grades
from tests.sources.small import catalogue as small_catalogue

BUNDLED = bundled.FOLDER / FILE
GRADE = "experienced_overall_grade_published"
FIRST = "experienced_overall_grade_published,TWENTE,2022,7.1,Twente Board 2022,https://twenteboard.nl"


def test_the_grades_are_those_that_were_published(catalogue: Catalogue) -> None:
    """Twente Board, "Hoe gelukkig is Twente" (baseline of June 2022); RaboResearch and Twente Board, November 2025."""
    found = read_published_grades(BUNDLED, catalogue)
    assert found.columns == RAW
    assert found.select("indicator_id", "region_code", "period", "value", "source_table").rows() == [
        (GRADE, "NL01", "2025", 6.9, "Twente Board 2025"),
        (GRADE, "NL_REST", "2022", 6.9, "Twente Board 2022"),
        (GRADE, "TWENTE", "2022", 7.1, "Twente Board 2022"),
        (GRADE, "TWENTE", "2025", 7.4, "Twente Board 2025"),
    ]
    assert found["status"].unique().to_list() == ["definitive"]
    assert found.select("ci_low", "ci_high", "reason").null_count().row(0) == (4, 4, 4)


def test_every_bundled_grade_has_a_source_in_the_catalogue(catalogue: Catalogue) -> None:
    """Rows that the catalogue does not want are left out: a wrong name of a table would lose them silently."""
    columns = ["indicator", "region_code", "period", "value", "source_table", "url", "note"]
    assert read_csv(BUNDLED, columns).frame.height == read_published_grades(BUNDLED, catalogue).height


def test_what_the_catalogue_has_no_source_for_is_left_out() -> None:
    assert read_published_grades(BUNDLED, small_catalogue()).is_empty()


@pytest.mark.parametrize(
    ("old", "new", "kind", "column"),
    [
        ("TWENTE,2022", "SALLAND,2022", UnknownRegion, "region_code"),
        ("TWENTE,2022", "TWENTE,2021", PeriodError, "period"),
        ("7.1", "71", OutOfScale, "value"),
        ("7.1", "7,1", MalformedRow, None),
        ("7.1", "7.14", ValueFault, "value"),
        ("7.1", "", ValueFault, "value"),
        ("7.1", "nan", ValueFault, "value"),
        ("NL_REST,2022,6.9", "TWENTE,2022,6.9", DuplicateFigure, "value"),
        (FIRST, FIRST.replace("https", "http"), ValueFault, "url"),
    ],
)
def test_a_mistake_is_refused_by_row_and_column(
    old: str, new: str, kind: type[InputError], column: str | None, tmp_path: Path, catalogue: Catalogue
) -> None:
    text = BUNDLED.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / FILE
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_published_grades(path, catalogue)
    assert type(caught.value) is kind, caught.value
    assert (caught.value.file, caught.value.column) == (str(path), column)
    assert caught.value.row == (3 if kind is DuplicateFigure else 2)
    assert caught.value.remedy


def test_a_file_that_is_not_there_is_said(tmp_path: Path, catalogue: Catalogue) -> None:
    with pytest.raises(MissingFile):
        read_published_grades(tmp_path / FILE, catalogue)


class TestInARun:
    """The grades come with every run of the region whose residents are surveyed."""

    def test_they_are_figures_like_others_with_the_checksum_of_their_file(
        self, catalogue: Catalogue, bundle: Facts
    ) -> None:
        collected = collect(catalogue, bundle, None)
        grades = collected.figures.filter(indicator_id=GRADE)
        assert grades.drop("synthetic").equals(read_published_grades(BUNDLED, catalogue).select(grades.columns[:-1]))
        assert not grades["synthetic"].any()
        origins = collected.origins.filter(indicator_id=GRADE)
        assert origins["origin"].to_list() == ["bundled", "bundled"]
        (sha256,) = origins["sha256"].unique()
        assert collected.files.filter(sha256=sha256)["bytes"].unique().to_list() == [BUNDLED.stat().st_size]

    def test_groups_get_no_second_name(self, catalogue: Catalogue, bundle: Facts) -> None:
        """The region file names them; the table of regions would have them twice."""
        codes = set(collect(catalogue, bundle, None).names["region_code"])
        assert not codes & {"TWENTE", "NL_REST", "URBAN_CORE", "RURAL"}
        assert "NL01" in codes

    def test_another_region_has_none(self, catalogue: Catalogue, bundle: Facts) -> None:
        other = catalogue.model_copy(update={"region": catalogue.region.model_copy(update={"survey": False})})
        collected = collect(other, bundle, None)
        assert collected.figures.filter(indicator_id=GRADE).is_empty()
        assert collected.files.height == collect(catalogue, bundle, None).files.height - 2

    def test_they_are_without_margin_and_method(self, catalogue: Catalogue) -> None:
        """So no verdict can rest on them: see `comparable` of the catalogue."""
        sources = catalogue.indicator(GRADE).sources
        assert [source.comparable for source in sources] == [False, False]
        assert len({source.series_id for source in sources}) == 2
        assert all(source.kind == "sample" and "no_margin" in source.warnings for source in sources)
