from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from sources.cells import HIGH, LOW, MARKERS, VALUE, join_margins, margin_codes, read_numbers, region_code
from sources.errors import SourceChanged, ValueFault
from tests.methods.small import table


def read(*texts: str | None, decimal: str = ".") -> list[tuple[float | None, str | None]]:
    frame = pl.DataFrame({"Banen_1": texts}, schema={"Banen_1": pl.String})
    return read_numbers(frame, "Banen_1", "CBS T1", decimal=decimal).select("value", "reason").rows()


@pytest.mark.parametrize(
    ("text", "number"),
    [("   135.5", 135.5), ("0", 0), ("-3", -3), ("+3", 3), ("\u00a07\u00a0", 7), ("17590672", 17_590_672)],
)
def test_padded_numbers_are_numbers(text: str, number: float) -> None:
    assert read(text) == [(number, None)]


def test_a_decimal_comma_is_read_where_it_is_expected() -> None:
    assert read("72,3", " 5 ", decimal=",") == [(72.3, None), (5, None)]


@pytest.mark.parametrize(("text", "decimal"), [("1.234", ","), ("1,234", "."), ("1.234,5", ","), ("1,234.5", ".")])
def test_the_other_decimal_sign_may_separate_thousands_and_is_refused(text: str, decimal: str) -> None:
    with pytest.raises(ValueFault) as caught:
        read(text, decimal=decimal)
    assert caught.value.value == text


@pytest.mark.parametrize("marker", MARKERS)
def test_a_marker_is_a_missing_value_with_a_reason_and_never_0(marker: str) -> None:
    assert read(f"   {marker}  ") == [(None, marker)]


def test_an_empty_cell_has_the_empty_reason() -> None:
    assert read(None, "", "      ") == [(None, "")] * 3


@pytest.mark.parametrize("text", ["geheim", "5 (r)", "1e5", "nan", "inf", "0x10", "12%", "--", "٣"])
def test_what_is_neither_number_nor_marker_is_refused(text: str) -> None:
    with pytest.raises(ValueFault) as caught:
        read("5", text, text)
    error = caught.value
    assert (error.file, error.column, error.value, error.more) == ("CBS T1", "Banen_1", text, 1)
    assert error.remedy


def test_the_country_of_the_district_tables_is_that_of_the_others() -> None:
    codes = pl.DataFrame({"code": ["NL00      ", "NL01  ", "GM0153    ", "BU0363AD03"]})
    assert codes.select(region_code("code"))["code"].to_list() == ["NL01", "NL01", "GM0153", "BU0363AD03"]


def test_margins_are_known_by_code_or_title() -> None:
    by_code = {VALUE: "whatever", LOW: "x", HIGH: "y"}
    assert margin_codes(by_code, "T") == {VALUE: VALUE, LOW: LOW, HIGH: HIGH}
    titles = ["Waarde", "Ondergrens 95%-interval ", "Bovengrens 95%-interval"]
    assert margin_codes({title: title for title in titles}, "T") == dict(zip(titles, [VALUE, LOW, HIGH], strict=True))


def test_margins_of_another_kind_are_refused() -> None:
    with pytest.raises(SourceChanged) as caught:
        margin_codes({VALUE: "Waarde", "MOG0099": "Ondergrens 99%-interval"}, "CBS T1")
    assert (caught.value.column, caught.value.value) == ("Marges", "MOG0099 Ondergrens 99%-interval")


ROLES = {VALUE: VALUE, LOW: LOW, HIGH: HIGH}
THREE = """
    region_code Marges  value reason
    GM0153      MW00000 72.3  -
    GM0153      MOG0095 70.1  -
    GM0153      MBG0095 74.5  -
    """


def join(text: str, **given: Any) -> pl.DataFrame:
    return join_margins(table(text, **{"reason": None} | given), "Marges", ROLES, ["region_code"], "RIVM 50120NED")


def test_value_and_bounds_are_one_row() -> None:
    joined = join(THREE)
    assert joined.columns == ["region_code", "value", "reason", "ci_low", "ci_high"]
    assert joined.rows() == [("GM0153", 72.3, None, 70.1, 74.5)]


def test_the_order_of_the_rows_does_not_matter() -> None:
    header, *rows = THREE.strip().splitlines()
    assert join("\n".join([header, *reversed(rows)])).equals(join(THREE))


def test_without_bounds_they_are_missing() -> None:
    joined = join("region_code Marges value\nGM0153 MW00000 72.3\nGM0164 MW00000 71\nGM0164 MOG0095 69")
    assert joined.select("region_code", "ci_low", "ci_high").rows() == [("GM0153", None, None), ("GM0164", 69, None)]


def test_a_value_that_is_missing_keeps_its_reason_and_empty_bounds_are_no_fault() -> None:
    text = """
        region_code Marges  value reason
        GM0153      MW00000 -     .
        GM0153      MOG0095 -     .
        GM0164      MOG0095 -     .
        GM0164      MW00000 5     -
        """
    assert join(text).select("region_code", "value", "reason", "ci_low").rows() == [
        ("GM0153", None, ".", None),
        ("GM0164", 5, None, None),
    ]


def test_a_row_of_one_bound_without_that_of_the_other_is_refused() -> None:
    with pytest.raises(SourceChanged, match="both bounds"):
        join("region_code Marges value\nGM0153 MW00000 72\nGM0153 MOG0095 70\nGM0153 MBG0095 74\n"
             "GM0164 MW00000 71\nGM0164 MOG0095 69")  # fmt: skip


def test_a_bound_without_its_value_is_refused() -> None:
    with pytest.raises(SourceChanged) as caught:
        join(THREE + "GM0164 MOG0095 69 -\nGM0164 MBG0095 73 -")
    error = caught.value
    assert (error.file, error.expected, error.value) == ("RIVM 50120NED", "a value beside every bound", "GM0164 69.0")


@pytest.mark.parametrize("margin", ["MW00000", "MOG0095"])
def test_a_row_that_is_there_twice_is_refused(margin: str) -> None:
    with pytest.raises(SourceChanged, match="twice"):
        join(THREE + f"GM0153 {margin} 70.2 -")


def test_figures_of_a_table_without_periods_are_joined_too() -> None:
    rows = table(THREE).with_columns(period=pl.lit(None, pl.String))
    joined = join_margins(rows, "Marges", ROLES, ["region_code", "period"], "T")
    assert joined.select("value", "ci_low", "ci_high").rows() == [(72.3, 70.1, 74.5)]
