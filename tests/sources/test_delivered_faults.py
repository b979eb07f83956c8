"""A delivered file that cannot be trusted is refused with one message: where, what, and what to do."""

from __future__ import annotations

import contextlib
import json
import random
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import xlsxwriter

from catalog.layouts import Layout
from sources import delivered
from sources.bundled import examples
from sources.delivered.assemble import period_of
from sources.errors import (
    DuplicateFigure,
    EncodingError,
    HeaderError,
    IncompleteFile,
    InputError,
    MalformedRow,
    MissingFile,
    PeriodError,
    SourceChanged,
    UnknownLayout,
    UnknownName,
    UnknownRegion,
    ValueFault,
)
from sources.names import bundled_names
from sources.tidy import TidyTable

NAMES = bundled_names()


def rows_layout(**more: Any) -> Layout:
    return Layout.model_validate(
        {
            "layout_id": "test_rows",
            "source_table": "Test",
            "format": "rows",
            "recognise": {"columns": ["Gemeente", "Aantal"]},
            "decimal": ",",
            "region": {"column": "Gemeente", "by": "name", "levels": ["GM", "NL"]},
        }
        | more
    )


def crosstab_layout(**more: Any) -> Layout:
    return Layout.model_validate(
        {
            "layout_id": "test_crosstab",
            "source_table": "Test",
            "format": "crosstab",
            "recognise": {"title": "^Proef"},
            "decimal": ",",
            "region": {"column": "Gemeente", "by": "name", "levels": ["GM", "NL"]},
            "header": ["year", "month"],
            "topics": [{"title": "Uitkeringen", "unit": "aantal"}],
            "footer": "Bron",
            "markers": ["*", "<10"],
        }
        | more
    )


def text(folder: Path, *lines: str) -> Path:
    path = folder / "figures.csv"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def workbook(folder: Path, **sheets: list[list[Any]]) -> Path:
    path = folder / "book.xlsx"
    with xlsxwriter.Workbook(str(path)) as made:
        form = made.add_format({"num_format": "mmm-yy"})
        for name, rows in sheets.items():
            sheet = made.add_worksheet(name)
            for number, row in enumerate(rows):
                for column, cell in enumerate(row):
                    sheet.write(number, column, cell, form if isinstance(cell, date) else None)
    return path


def read(path: Path, layout: Layout) -> TidyTable:
    (table,) = delivered.read(path, delivered.recognise(path, [layout]), NAMES)
    return table


def values(path: Path, layout: Layout, *columns: str) -> list[tuple[Any, ...]]:
    return read(path, layout).cells.select("region_code", *columns, "value").sort(pl.all()).rows()


def refusal(path: Path, kind: type[InputError], layout: Layout) -> InputError:
    with pytest.raises(InputError) as caught:
        delivered.read(path, delivered.recognise(path, [layout]), NAMES)
    assert type(caught.value) is kind, caught.value
    assert caught.value.expected
    assert caught.value.remedy
    assert len(str(caught.value).splitlines()) <= 3
    return caught.value


class TestNames:
    def test_hengelo_is_the_one_in_twente_among_municipalities_of_today(self, tmp_path: Path) -> None:
        path = text(tmp_path, "Gemeente;Aantal", "Hengelo;1", "Enschede;2", "Nederland;3")
        assert values(path, rows_layout()) == [("GM0153", 2.0), ("GM0164", 1.0), ("NL01", 3.0)]

    def test_hengelo_is_not_guessed_where_an_abolished_municipality_has_figures(self, tmp_path: Path) -> None:
        path = text(tmp_path, "Gemeente;Aantal", "Hengelo;1", "Haaren;2")
        fault = refusal(path, UnknownName, rows_layout(period={"fixed": "2019"}))
        assert (fault.row, fault.column, fault.value) == (2, "Gemeente", "Hengelo")
        assert "Hengelo (Gld.) GM0248" in str(fault)

    def test_an_unknown_name_is_reported_before_a_name_that_it_makes_ambiguous(self, tmp_path: Path) -> None:
        fault = refusal(text(tmp_path, "Gemeente;Aantal", "Hengelo;1", "Enschde;2"), UnknownName, rows_layout())
        assert (fault.row, fault.value) == (3, "Enschde")
        assert "Enschede GM0153" in str(fault)

    def test_a_row_without_any_figure_may_have_any_name(self, tmp_path: Path) -> None:
        path = text(tmp_path, "Gemeente;Aantal;Meer", "Enschede;1;2", "Abcoude;;", "Elders;;")
        assert {row[0] for row in values(path, rows_layout(period={"fixed": "2024"}))} == {"GM0153"}

    @pytest.mark.parametrize("cells", ["3;", ";.", ";0"])
    def test_a_row_with_figures_or_a_mark_must_have_a_known_name(self, tmp_path: Path, cells: str) -> None:
        refusal(text(tmp_path, "Gemeente;Aantal;Meer", "Enschede;1;2", f"Elders;{cells}"), UnknownName, rows_layout())

    def test_figures_of_a_municipality_after_its_end_are_refused(self, tmp_path: Path) -> None:
        path = text(tmp_path, "Gemeente;Aantal", "Weesp;1")
        assert values(path, rows_layout(period={"fixed": "2021"})) == [("GM0457", 1.0)]
        assert "exists in 2023" in str(refusal(path, UnknownName, rows_layout(period={"fixed": "2023"})))

    def test_two_names_of_one_region_are_one_region_twice(self, tmp_path: Path) -> None:
        fault = refusal(
            text(tmp_path, "Gemeente;Aantal", "Den Haag;1", "'s-Gravenhage;1"), DuplicateFigure, rows_layout()
        )
        assert (fault.row, fault.value) == (3, "GM0518")

    def test_numbers_of_municipalities_are_codes(self, tmp_path: Path) -> None:
        by_number = rows_layout(region={"column": "Gemeente", "by": "number"})
        # A spreadsheet drops the zero of 0153.
        book = workbook(tmp_path, Blad=[["Gemeente", "Aantal"], [153, 1], ["0164", 2], [1774, 3]])
        assert values(book, by_number) == [("GM0153", 1.0), ("GM0164", 2.0), ("GM1774", 3.0)]

    @pytest.mark.parametrize(
        ("cell", "shown"),
        [("0153", "0153"), ("Enschede", None), ("J. Jansen", None), ("0612345678", None)],
    )
    def test_a_malformed_code_is_refused_and_shown_only_if_it_looks_like_one(
        self, tmp_path: Path, cell: str, shown: str | None
    ) -> None:
        fault = refusal(
            text(tmp_path, "Gemeente;Aantal", "GM0153;1", f"{cell};2"),
            UnknownRegion,
            rows_layout(region={"column": "Gemeente"}),
        )
        assert (fault.row, fault.column, fault.value) == (3, "Gemeente", shown)
        assert shown or cell not in str(fault)

    @pytest.mark.parametrize(("cell", "shown"), [("GM0153", "GM0153"), ("JANSEN", None)])
    def test_of_a_region_that_is_there_twice_the_code_is_shown(
        self, tmp_path: Path, cell: str, shown: str | None
    ) -> None:
        path = text(tmp_path, "Gemeente;Aantal", f"{cell};1", f"{cell};2")
        fault = refusal(path, DuplicateFigure, rows_layout(region={"column": "Gemeente"}))
        assert (fault.row, fault.value) == (3, shown)
        assert shown or cell not in str(fault)


class TestNumbers:
    def test_figures_are_never_rounded_nor_filled_in(self, tmp_path: Path) -> None:
        path = text(tmp_path, "Gemeente;Aantal", "Almelo;0", "Enschede;12,35", "Borne;-1,5", "Losser;.", "Wierden;")
        cells = read(path, rows_layout()).cells.sort("region_code").select("value", "reason").rows()
        assert cells == [(0.0, None), (-1.5, None), (12.35, None), (None, "."), (None, "")]

    @pytest.mark.parametrize("cell", ["1.234", "12.5", "1,234.5", "1 234", "12%", "ca. 5", "?", "1e5", "12,", "<10"])
    def test_what_is_no_number_of_this_layout_is_refused_with_its_place(self, tmp_path: Path, cell: str) -> None:
        fault = refusal(text(tmp_path, "Gemeente;Aantal", "Almelo;1", f'Enschede;"{cell}"'), ValueFault, rows_layout())
        assert (fault.row, fault.column, fault.value) == (3, "Aantal", cell)

    @pytest.mark.parametrize("cell", ["Jansen", "06-12345678", "j@example.org", "Dorpsstraat 1"])
    def test_what_may_be_about_a_person_is_refused_with_its_place_only(self, tmp_path: Path, cell: str) -> None:
        fault = refusal(text(tmp_path, "Gemeente;Aantal", "Almelo;1", f"Enschede;{cell}"), ValueFault, rows_layout())
        assert (fault.row, fault.column, fault.value) == (3, "Aantal", None)
        assert cell not in str(fault)

    def test_points_between_thousands_are_read_where_the_layout_says_so(self, tmp_path: Path) -> None:
        path = text(tmp_path, "Gemeente;Aantal", "Almelo;1.234.567,5", "Enschede;1.000")
        assert values(path, rows_layout(thousands=True)) == [("GM0141", 1234567.5), ("GM0153", 1000.0)]
        refusal(text(tmp_path, "Gemeente;Aantal", "Almelo;1.23"), ValueFault, rows_layout(thousands=True))

    @pytest.mark.parametrize("sign", [".", ","])
    def test_either_sign_will_do_but_one_in_a_file(self, tmp_path: Path, sign: str) -> None:
        either = rows_layout(decimal="either")
        path = text(tmp_path, "Gemeente;Aantal", f"Almelo;1{sign}5", "Enschede;7")
        assert values(path, either) == [("GM0141", 1.5), ("GM0153", 7.0)]
        refusal(text(tmp_path, "Gemeente;Aantal", "Almelo;1,5", "Enschede;7.5"), ValueFault, either)

    def test_a_workbook_may_hold_numbers_and_text_with_a_comma(self, tmp_path: Path) -> None:
        book = workbook(
            tmp_path, Blad=[["Gemeente", "Aantal"], ["Almelo", 12.5], ["Enschede", "12,5"], ["Borne", 1e-7]]
        )
        assert values(book, rows_layout()) == [("GM0141", 12.5), ("GM0147", 1e-7), ("GM0153", 12.5)]

    def test_a_column_of_text_is_text(self, tmp_path: Path) -> None:
        layout = rows_layout(topics=[{"column": "Soort", "title": "Soort", "text": True}])
        cells = read(text(tmp_path, "Gemeente;Aantal;Soort", "Almelo;1;stad", "Borne;2;."), layout).cells
        assert cells.filter(topic="Soort").select("value", "text", "reason").rows() == [
            (None, "stad", None),
            (None, None, "."),
        ]

    def test_the_number_of_faults_is_said(self, tmp_path: Path) -> None:
        fault = refusal(text(tmp_path, "Gemeente;Aantal", "Almelo;a", "Borne;b", "Losser;c"), ValueFault, rows_layout())
        assert fault.more == 2


class TestText:
    @pytest.mark.parametrize(
        ("content", "kind"),
        [
            ("Gemeente;Aantal\nAlmelo;1\nBorne;2", IncompleteFile),
            ("Gemeente;Aantal\nAlmelo;1\nBorne\n", MalformedRow),
            ("Gemeente;Aantal\nAlmelo;1;2\n", MalformedRow),
            ('Gemeente;Aantal\n"Almelo;1\nBorne;2\n', MalformedRow),
            ("Gemeente;Aantal;Aantal\nAlmelo;1;2\n", HeaderError),
            ("Gemeente;Aantal\n", IncompleteFile),
            ("", IncompleteFile),
        ],
    )
    def test_a_damaged_text_is_refused(self, tmp_path: Path, content: str, kind: type[InputError]) -> None:
        path = tmp_path / "figures.csv"
        path.write_text(content, encoding="utf-8")
        refusal(path, kind, rows_layout())

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
    def test_an_encoding_with_nul_bytes_is_refused(self, tmp_path: Path, encoding: str) -> None:
        path = tmp_path / "figures.csv"
        path.write_bytes("Gemeente;Aantal\nAlmelo;1\n".encode(encoding))
        refusal(path, EncodingError, rows_layout())

    @pytest.mark.parametrize("separator", [";", ",", "\t"])
    def test_the_separator_is_seen(self, tmp_path: Path, separator: str) -> None:
        path = text(tmp_path, f"Gemeente{separator}Aantal", f'Almelo{separator}"1,5"', f'"Borne"{separator}"2,5"')
        assert values(path, rows_layout()) == [("GM0141", 1.5), ("GM0147", 2.5)]

    def test_a_file_that_is_not_there_is_said_so(self, tmp_path: Path) -> None:
        refusal(tmp_path / "nothing.csv", MissingFile, rows_layout())

    def test_doubled_quotes_of_an_editor_are_mended_and_a_cut_file_is_not(self, tmp_path: Path) -> None:
        path = tmp_path / "figures.csv"
        broken = '"Gemeente"";""Soort"";""Aantal"\n"Almelo"";""a"";1,5\n""Borne"";""b"";2,5\n"'
        path.write_text(broken, encoding="utf-8")
        layout = rows_layout(dimensions={"Soort": {}})
        assert values(path, layout) == [("GM0141", 1.5), ("GM0147", 2.5)]
        path.write_text(broken[:-2], encoding="utf-8")
        refusal(path, IncompleteFile, layout)


class TestRecognition:
    def test_a_renamed_column_is_shown_beside_the_expected_one(self, tmp_path: Path) -> None:
        message = str(refusal(text(tmp_path, "Gemeenten;Aantal", "Almelo;1"), UnknownLayout, rows_layout()))
        assert "has no column 'Gemeente'" in message
        assert "It has 'Gemeenten' where 'Gemeente' is expected" in message

    def test_a_file_that_fits_two_layouts_is_not_guessed(self, tmp_path: Path) -> None:
        path = text(tmp_path, "Gemeente;Aantal", "Almelo;1")
        others = [rows_layout(layout_id="one", source_id="a"), rows_layout(layout_id="two", source_id="b")]
        with pytest.raises(UnknownLayout, match="fits one, two"):
            delivered.recognise(path, others)
        assert delivered.recognise(path, others, "b").layout_id == "two"

    def test_a_column_is_found_without_its_number_if_only_one_has_that_name(self, tmp_path: Path) -> None:
        layout = rows_layout(recognise={"columns": ["Gemeente", "Eenzaam"]})
        assert values(text(tmp_path, "Gemeente;Eenzaam_28", "Almelo;1"), layout) == [("GM0141", 1.0)]
        refusal(text(tmp_path, "Gemeente;Eenzaam_28;Eenzaam_31", "Almelo;1;2"), UnknownLayout, layout)

    def test_a_value_can_tell_two_editions_apart(self, tmp_path: Path) -> None:
        layout = rows_layout(
            recognise={"columns": ["Gemeente", "Jaar"], "values": {"Jaar": "2024"}}, period={"column": "Jaar"}
        )
        assert values(text(tmp_path, "Gemeente;Jaar;Aantal", "Almelo;2023;1", "Almelo;2024;2"), layout, "period") == [
            ("GM0141", "2023", 1.0),
            ("GM0141", "2024", 2.0),
        ]
        refusal(text(tmp_path, "Gemeente;Jaar;Aantal", "Almelo;2023;1"), UnknownLayout, layout)

    def test_another_value_can_rule_an_edition_out(self, tmp_path: Path) -> None:
        layout = rows_layout(
            recognise={"columns": ["Gemeente", "Jaar"], "only": {"Jaar": "202[0-3]"}}, period={"column": "Jaar"}
        )
        assert values(text(tmp_path, "Gemeente;Jaar;Aantal", "Almelo;2023;1"), layout) == [("GM0141", 1.0)]
        refusal(text(tmp_path, "Gemeente;Jaar;Aantal", "Almelo;2023;1", "Almelo;2024;2"), UnknownLayout, layout)

    def test_titles_may_be_any_text(self, tmp_path: Path) -> None:
        header = "row;Gemeente;Aantal;period;region;value;topic;column;raw"
        layout = rows_layout(period={"fixed": "2024"}, ignore=["row"])
        assert len(values(text(tmp_path, header, "1;Almelo;1;2;3;4;5;6;7"), layout)) == 7

    def test_reading_with_the_wrong_layout_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(UnknownLayout, match="the layout test_crosstab"):
            delivered.read(text(tmp_path, "Gemeente;Aantal", "Almelo;1"), crosstab_layout(), NAMES)


class TestPeriods:
    @pytest.mark.parametrize(
        ("title", "period", "status"),
        [
            ("2024", "2024", None),
            ("2024*", "2024", "Voorlopig"),
            ("2024**", "2024", "NaderVoorlopig"),
            ("2023 1e kwartaal", "2023Q1", None),
            ("2022 december", "2022-12", None),
            ("december 2022", "2022-12", None),
            ("maart 2025*", "2025-03", "Voorlopig"),
            ("mrt 2025", "2025-03", None),
            ("mrt. 2025", "2025-03", None),
            ("Jan-25", "2025-01", None),
            ("2025-03", "2025-03", None),
            ("2025-03-01", "2025-03", None),
            ("202503", "2025-03", None),
        ],
    )
    def test_a_period_is_read_as_people_write_it(self, title: str, period: str, status: str | None) -> None:
        assert period_of(title) == (period, status)

    @pytest.mark.parametrize(
        "title", ["", "vorig jaar", "2025-13", "202513", "2025-03-02", "maa 2025", "januari", "25"]
    )
    def test_what_is_no_period_is_never_a_date(self, title: str) -> None:
        with pytest.raises(PeriodError):
            period_of(title)

    def test_a_wrong_period_is_refused_with_its_row(self, tmp_path: Path) -> None:
        layout = rows_layout(period={"column": "Jaar"})
        fault = refusal(text(tmp_path, "Gemeente;Jaar;Aantal", "Almelo;2023;1", "Almelo;n.b.;2"), PeriodError, layout)
        assert (fault.row, fault.column, fault.value) == (3, "Jaar", "n.b.")

    def test_a_year_that_should_stand_in_the_footer_must_stand_there(self, tmp_path: Path) -> None:
        layout = rows_layout(period={"pattern": r"over (\d{4})"}, footer="Bron")
        good = text(tmp_path, "Gemeente;Aantal", "Almelo;1", "Bron: CBS over 2019;")
        assert values(good, layout, "period") == [("GM0141", "2019", 1.0)]
        refusal(text(tmp_path, "Gemeente;Aantal", "Almelo;1", "Bron: CBS;"), PeriodError, layout)
        refusal(text(tmp_path, "Gemeente;Aantal", "Almelo;1", "Bron: over 2019, over 2020;"), PeriodError, layout)

    def test_without_a_period_anywhere_it_is_null(self, tmp_path: Path) -> None:
        assert read(text(tmp_path, "Gemeente;Aantal", "Almelo;1"), rows_layout()).cells["period"].to_list() == [None]


TITLE, YEARS = ["Proef"], ["", 2024, "", 2025, ""]
MONTHS = ["Gemeente", "nov", "dec", "jan", "feb"]
LABEL_BELOW = {"label_row": 2}


class TestCrosstab:
    def test_a_merged_year_counts_for_its_own_months(self, tmp_path: Path) -> None:
        book = workbook(tmp_path, Blad=[TITLE, YEARS, MONTHS, ["Almelo", 1, 2, 3, "<10"], ["Bron: niemand"]])
        cells = read(book, crosstab_layout(**LABEL_BELOW)).cells
        assert cells.select("period", "value", "reason").rows() == [
            ("2024-11", 1.0, None),
            ("2024-12", 2.0, None),
            ("2025-01", 3.0, None),
            ("2025-02", None, "<10"),
        ]

    def test_months_may_be_dates(self, tmp_path: Path) -> None:
        header = ["Gemeente", date(2025, 1, 1), date(2025, 2, 1)]
        book = workbook(tmp_path, Blad=[TITLE, header, ["Almelo", 1, 2], ["Bron: niemand"]])
        assert values(book, crosstab_layout(header=["period"]), "period") == [
            ("GM0141", "2025-01", 1.0),
            ("GM0141", "2025-02", 2.0),
        ]

    def test_every_sheet_of_the_layout_is_a_table_and_notes_are_none(self, tmp_path: Path) -> None:
        sheet = [TITLE, ["Gemeente", "2024"], ["Almelo", 1], ["Bron: niemand"]]
        other = [TITLE, ["Gemeente", "2025"], ["Almelo", 2], ["Bron: niemand"]]
        book = workbook(tmp_path, Toelichting=[["Lees mij"]], A=sheet, B=other)
        layout = crosstab_layout(header=["period"])
        tables = delivered.read(book, delivered.recognise(book, [layout]), NAMES)
        assert [table.cells["period"].item() for table in tables] == ["2024", "2025"]

    def test_a_sheet_that_the_layout_names_is_not_passed_over(self, tmp_path: Path) -> None:
        sheet = [TITLE, ["Gemeente", "2024"], ["Almelo", 1], ["Bron: niemand"]]
        changed = [TITLE, ["Gemeenten", "2025"], ["Almelo", 2], ["Bron: niemand"]]
        book = workbook(tmp_path, Toelichting=[["Lees mij"]], jaar2024=sheet, jaar2025=changed)
        layout = crosstab_layout(header=["period"], recognise={"title": "^Proef", "sheet": r"jaar\d{4}"})
        fault = refusal(book, UnknownLayout, layout)
        assert fault.file.endswith("sheet jaar2025")
        assert "has no column 'Gemeente'" in str(fault)

    def test_a_column_of_a_year_is_no_month(self, tmp_path: Path) -> None:
        book = workbook(
            tmp_path,
            Blad=[TITLE, ["", 2025, "", 2025], ["Gemeente", "jan", "feb", ""], ["Almelo", 1, 2, 3], ["Bron: niemand"]],
        )
        assert refusal(book, PeriodError, crosstab_layout(**LABEL_BELOW)).value == "? 2025"

    def test_a_column_that_is_to_be_ignored_is(self, tmp_path: Path) -> None:
        header = [["", 2025, "", ""], ["Gemeente", "jan", "feb", "Totaal"]]
        book = workbook(tmp_path, Blad=[TITLE, *header, ["Almelo", 1, 2, 3], ["Bron: niemand"]])
        refusal(book, PeriodError, crosstab_layout(**LABEL_BELOW))
        assert len(values(book, crosstab_layout(**LABEL_BELOW, ignore=["Totaal"]))) == 2

    def test_topics_units_and_a_dimension_may_stand_across(self, tmp_path: Path) -> None:
        header = [["", "Werk", "", "Inkomen"], ["", "man", "vrouw", "man"], ["Gemeente", "%", "%", "euro"]]
        layout = crosstab_layout(
            header=["topic", "Geslacht", "unit"], label_row=3, dimensions={"Geslacht": {}}, period={"fixed": "2024"}
        )
        table = read(workbook(tmp_path, Blad=[TITLE, *header, ["Almelo", 1, 2, 3], ["Bron: niemand"]]), layout)
        assert [str(topic) for topic in table.topics] == ["Werk (%)", "Inkomen (euro)"]
        assert table.cells.select("topic", "Geslacht", "value").rows() == [
            ("Werk (%)", "man", 1.0),
            ("Werk (%)", "vrouw", 2.0),
            ("Inkomen (euro)", "man", 3.0),
        ]

    @pytest.mark.parametrize(
        ("rows", "kind"),
        [
            ([["Almelo", 1, 2, 3, 4]], IncompleteFile),
            ([["Almelo", 1, 2, 3, 4], ["Bron: niemand"], ["Borne", 1, 2, 3, 4]], MalformedRow),
            ([["", 1, 2, 3, 4], ["Bron: niemand"]], MalformedRow),
            ([["Almelo", 1, 2, 3, 4, 5], ["Bron: niemand"]], MalformedRow),
            ([["Almelo", 1, 2, 3, "veel"], ["Bron: niemand"]], ValueFault),
            ([["Almelo", 1, 2, 3, 4], ["Almelo", 1, 2, 3, 4], ["Bron: niemand"]], DuplicateFigure),
            ([["Bron: niemand"]], IncompleteFile),
        ],
    )
    def test_a_sheet_that_is_not_whole_is_refused(
        self, tmp_path: Path, rows: list[list[Any]], kind: type[InputError]
    ) -> None:
        book = workbook(tmp_path, Blad=[TITLE, YEARS, MONTHS, *rows])
        assert "sheet Blad" in refusal(book, kind, crosstab_layout(**LABEL_BELOW)).file

    def test_totals_are_left_out_by_name(self, tmp_path: Path) -> None:
        rows = [["Almelo", 1], ["Buitenland/onbekend", 7], ["Nederland", 9], ["Bron: niemand"]]
        book = workbook(tmp_path, Blad=[TITLE, ["Gemeente", "2025"], *rows])
        layout = crosstab_layout(header=["period"], totals=["Buitenland/onbekend"])
        assert values(book, layout) == [("GM0141", 1.0), ("NL01", 9.0)]
        refusal(book, UnknownName, crosstab_layout(header=["period"]))


PIVOT = [
    '"Proef; regio"',
    '"Leeftijd: Totaal"',
    '"Marges: Waarde"',
    '"";"Onderwerp"',
    '"";"Werk|Deelname";"Werk|Aantal"',
    '"Regio\'s";"%";"x 1 000"',
    '"Almelo";"1,8";"47,9"',
    '"Bron: CBS"',
]


def pivot_layout() -> Layout:
    return crosstab_layout(
        region={"column": "Regio's", "by": "name"},
        header=["skip", "topic", "unit"],
        label_row=3,
        titles={"separator": "|"},
        dimensions={"Leeftijd": {}},
        margins="Marges",
        topics=[],
        period={"fixed": "2022"},
    )


class TestPivot:
    def test_lines_above_the_header_are_dimensions(self, tmp_path: Path) -> None:
        table = read(text(tmp_path, *PIVOT), pivot_layout())
        assert table.members == {"Leeftijd": {"Totaal": "Totaal"}}
        assert [str(topic) for topic in table.topics] == ["Werk/Deelname (%)", "Werk/Aantal (x 1 000)"]

    def test_a_removed_line_is_missed(self, tmp_path: Path) -> None:
        refusal(text(tmp_path, *(line for line in PIVOT if "Leeftijd" not in line)), HeaderError, pivot_layout())

    def test_bounds_without_their_values_are_refused(self, tmp_path: Path) -> None:
        bounds = [line.replace("Waarde", "Ondergrens 95%-interval") for line in PIVOT]
        refusal(text(tmp_path, *bounds), SourceChanged, pivot_layout())

    def test_a_cut_off_file_lacks_its_source(self, tmp_path: Path) -> None:
        refusal(text(tmp_path, *PIVOT[:-1]), IncompleteFile, pivot_layout())


def observation(measure: str, region: str, *, value: Any = None, attribute: str = "None", words: Any = None) -> Any:
    place = {"Measure": measure, "RegioS": region, "Perioden": "2024JJ00"}
    return {**place, "ValueAttribute": attribute, "Value": value, "StringValue": words}


ANSWER: dict[str, Any] = {
    "@odata.context": "https://datasets.cbs.nl/odata/v1/CBS/1NED/$metadata#Observations",
    "value": [
        observation("M1", "GM0153", value=1.5),
        observation("M1", "GM0164", attribute="Confidential"),
        observation("M2", "GM0153", words="hoog"),
    ],
}


def observations_layout() -> Layout:
    return Layout.model_validate(
        {
            "layout_id": "test_observations",
            "source_table": "Test",
            "format": "observations",
            "recognise": {"table_id": "1NED"},
            "region": {"column": "RegioS"},
            "period": {"column": "Perioden", "by": "code"},
        }
    )


def answer(folder: Path, **changed: Any) -> Path:
    path = folder / "answer.json"
    path.write_text(json.dumps(ANSWER | changed), encoding="utf-8")
    return path


class TestObservations:
    def test_values_texts_and_reasons_stay_apart(self, tmp_path: Path) -> None:
        cells = read(answer(tmp_path), observations_layout()).cells
        assert cells.select("topic", "region_code", "value", "text", "reason").rows() == [
            ("M1", "GM0153", 1.5, None, None),
            ("M1", "GM0164", None, None, "Confidential"),
            ("M2", "GM0153", None, "hoog", None),
        ]

    def test_a_further_page_is_missed(self, tmp_path: Path) -> None:
        path = answer(tmp_path, **{"@odata.nextLink": "https://example.org/?$skip=3"})
        refusal(path, IncompleteFile, observations_layout())

    def test_an_answer_without_rows_is_no_delivery(self, tmp_path: Path) -> None:
        refusal(answer(tmp_path, value=[]), IncompleteFile, observations_layout())

    def test_another_table_is_not_taken_for_this_one(self, tmp_path: Path) -> None:
        other = ANSWER["@odata.context"].replace("1NED", "1ned")
        path = answer(tmp_path, **{"@odata.context": other})
        with pytest.raises(UnknownLayout, match=r"It is of table 1ned\."):
            delivered.read(path, observations_layout(), NAMES)

    def test_a_table_without_a_layout_is_said_so_and_no_other_layout_comes_near(self, tmp_path: Path) -> None:
        other = ANSWER["@odata.context"].replace("1NED", "2NED")
        path = answer(tmp_path, **{"@odata.context": other})
        with pytest.raises(UnknownLayout, match="no layout for table 2NED") as caught:
            delivered.recognise(path, [observations_layout(), rows_layout(), crosstab_layout()])
        assert "Tables with a layout: 1NED." in str(caught.value)
        assert "Nearest" not in str(caught.value)

    @pytest.mark.parametrize(
        "content",
        [
            {"@odata.context": "https://example.org/CBS/1NED/$metadata#Properties", "Identifier": "1NED"},
            {"@odata.context": "https://example.org/CBS/1NED/$metadata#MeasureCodes", "value": [{"Identifier": "M1"}]},
            {"odata.metadata": "https://example.org/1NED/$metadata#Cbs.OData.WebAPI.DataProperties", "value": []},
            {"tableId": "1NED", "capturedAt": "2026-07-02T12:11:02Z"},
        ],
        ids=["properties", "measure codes", "properties of v3", "index"],
    )
    def test_metadata_go_beside_the_observations(self, tmp_path: Path, content: dict[str, Any]) -> None:
        path = tmp_path / "metadata.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        assert "go beside the observations" in str(refusal(path, UnknownLayout, observations_layout()))

    def test_boundaries_are_fetched_not_added(self, tmp_path: Path) -> None:
        path = tmp_path / "municipalities.geojson"
        path.write_text('{"type": "FeatureCollection", "features": []}', encoding="utf-8")
        assert "fetched (btg fetch), not added" in str(refusal(path, UnknownLayout, observations_layout()))

    @pytest.mark.parametrize("content", ['{"value": [{"Id": 1}', '{"value": 7}', "[]", "{}", '{"value": [1, 2]}'])
    def test_what_is_no_answer_is_refused(self, tmp_path: Path, content: str) -> None:
        path = tmp_path / "answer.json"
        path.write_text(content, encoding="utf-8")
        refusal(path, IncompleteFile if content.startswith('{"value": [{') else UnknownLayout, observations_layout())

    def test_an_unknown_period_code_is_never_a_date(self, tmp_path: Path) -> None:
        rows = [row | {"Perioden": "2024ZZ00"} for row in ANSWER["value"]]
        fault = refusal(answer(tmp_path, value=rows), PeriodError, observations_layout())
        assert (fault.row, fault.column, fault.value) == (1, "Perioden", "2024ZZ00")


@pytest.mark.parametrize("source", ["example", "text", "answer"])
def test_a_damaged_file_gives_a_message_or_tidy_figures_and_never_anything_else(tmp_path: Path, source: str) -> None:
    layouts = [rows_layout(), crosstab_layout(**LABEL_BELOW, recognise={"title": "VOORBEELD"}), observations_layout()]
    good = {
        "example": examples.UWV.read_bytes(),
        "text": b"Gemeente;Aantal;Meer\nAlmelo;1,5;2\nEnschede;3;.\nHengelo;;7\n",
        "answer": json.dumps(ANSWER).encode(),
    }[source]
    chance = random.Random(f"damage {source}")  # noqa: S311 - the same damage in every run
    path = tmp_path / "delivery"
    for _ in range(150):
        data = bytearray(good)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        path.write_bytes(data[: chance.randint(1, len(data))] if chance.random() < 0.3 else data)
        # Any other exception than one of ours fails this test.
        with contextlib.suppress(InputError):
            assert all(table.cells.height for table in delivered.read(path, delivered.recognise(path, layouts), NAMES))
