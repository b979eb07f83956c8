"""A valid folder is read; each fault, made for real in that folder, is refused with its place and a remedy."""

from __future__ import annotations

import gzip
import shutil
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl
import pytest

from sources import bundled
from sources.errors import (
    DuplicateFigure,
    IncompleteFile,
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
from sources.facts import Facts, read_facts

if TYPE_CHECKING:
    from pathlib import Path

    from catalog import Catalogue
    from tests.sources.conftest import Folder

FIGURES, ORIGINS, REGIONS = "figures.csv", "figures_origin.csv", "regions.csv"
LABOUR = {"indicator": "net_labour_participation", "period": "2022"}
INCOME = {"indicator": "income_standardised_mean", "period": "2024"}
KEY = ["indicator_id", "region_code", "period", "source_table"]


# --- what is read


def test_a_valid_folder_is_read_into_typed_sorted_frames(folder: Folder) -> None:
    facts = folder.read()
    assert facts.figures.schema == {
        "indicator_id": pl.String,
        "region_code": pl.String,
        "period": pl.String,
        "value": pl.Float64,
        "ci_low": pl.Float64,
        "ci_high": pl.Float64,
        "status": pl.String,
        "source_table": pl.String,
    }
    assert facts.figures.height == len(folder.records(FIGURES)) - 1
    assert facts.figures.equals(facts.figures.sort(KEY))
    assert facts.figures.select("ci_low", "ci_high").null_count().row(0) == (171, 171)  # these files hold no margins
    assert facts.origins["figures"].to_list() == [18, 16, 137]
    assert facts.origins.filter(indicator_id="population")["note"].to_list() == [None]
    assert facts.regions.columns == ["region_code", "name"]
    assert facts.regions.height == 18


def test_figures_as_published(folder: Folder) -> None:
    # CBS 86161NED, published provisional mean income of Enschede 2024: 34.7 thousand euro.
    figure = folder.read().figures.row(
        by_predicate=(pl.col("region_code") == "GM0153") & (pl.col("indicator_id") == "income_standardised_mean"),
        named=True,
    )
    assert (figure["value"], figure["status"], figure["period"]) == (34.7, "provisional", "2024")


def test_the_whole_bundle_is_read_quickly(catalogue: Catalogue, bundle: Facts) -> None:
    start = time.perf_counter()
    facts = read_facts(bundled.FOLDER, catalogue)
    # Takes about 0.15 s; the limit leaves room for a slow machine.
    assert time.perf_counter() - start < 2
    assert facts.figures.height == bundle.figures.height == 29_446
    assert facts.figures["value"].null_count() == 0


def test_noise_of_unit_conversion_is_rounded_away_and_nothing_else(folder: Folder) -> None:
    before = folder.read().figures
    row = folder.row(**INCOME, region_code="GM0141")
    folder.put(FIGURES, row, "value", "39.200000000000004")
    assert folder.read().figures.equals(before)


def test_the_bundle_holds_no_float_noise(bundle: Facts) -> None:
    noisy = bundle.figures.filter(pl.col("value").cast(pl.String).str.len_chars() > 10)
    assert noisy.is_empty()


def test_an_empty_value_with_a_status_is_a_missing_figure(folder: Folder) -> None:
    row = folder.row(**LABOUR, region_code="GM0183")
    folder.put(FIGURES, row, "value", "")
    folder.put(FIGURES, row, "status", "not_published")
    figure = folder.read().figures.filter(region_code="GM0183", indicator_id="net_labour_participation")
    assert figure["value"].to_list() == [None]
    assert figure["status"].to_list() == ["not_published"]


def test_rows_without_a_value_need_not_be_in_the_count_of_figures(folder: Folder) -> None:
    row = folder.row(**LABOUR, region_code="GM0183")
    folder.put(FIGURES, row, "value", "")
    folder.put(FIGURES, row, "status", "suppressed")
    folder.put(ORIGINS, folder.row(ORIGINS, indicator="net_labour_participation"), "figures", "15")
    assert folder.read().figures["value"].null_count() == 1


def test_a_folder_need_not_hold_every_indicator(folder: Folder) -> None:
    for name in (FIGURES, ORIGINS):
        folder.change(name, lambda records: records.__setitem__(slice(None), [records[0], *_of(records, "population")]))
    assert folder.read().figures["indicator_id"].unique().to_list() == ["population"]


def _of(records: list[list[str]], indicator: str) -> list[list[str]]:
    return [record for record in records if record[0] == indicator]


def test_compression_and_row_order_do_not_change_the_fingerprint(folder: Folder) -> None:
    plain = folder.read()
    folder.change(FIGURES, lambda records: records.__setitem__(slice(1, None), records[:0:-1]))
    reordered = folder.read()
    (folder.path / f"{FIGURES}.gz").write_bytes(gzip.compress(folder.text(FIGURES).encode()))
    (folder.path / FIGURES).unlink()
    compressed = folder.read()
    assert plain.rows_sha256 == reordered.rows_sha256 == compressed.rows_sha256
    assert compressed.figures.equals(plain.figures)
    # The content of the file, not of the archive around it.
    assert compressed.files[FIGURES].sha256 == reordered.files[FIGURES].sha256
    assert compressed.files[FIGURES].file == "figures.csv.gz"


@pytest.mark.parametrize(("name", "column"), [(FIGURES, "status"), (ORIGINS, "note"), (REGIONS, "name")])
def test_every_change_of_content_changes_the_fingerprint(folder: Folder, name: str, column: str) -> None:
    before = folder.read().rows_sha256
    folder.put(name, 2, column, {"status": "definitive", "note": "other", "name": "Stad Groningen"}[column])
    assert folder.read().rows_sha256 != before


# --- regions and codes


@pytest.mark.parametrize("code", ["GM153", "gm0153", "GM0153 ", "0153", "GM01530", "Enschede", "GM\u0660153", ""])
def test_a_malformed_region_code(folder: Folder, code: str) -> None:
    row = folder.row(**LABOUR, region_code="GM0153")
    folder.put(FIGURES, row, "region_code", code)
    error = folder.refusal(UnknownRegion)
    assert (error.row, error.column, error.value) == (row, "region_code", code)
    assert FIGURES in error.file


@pytest.mark.parametrize("code", ["GM153", "gm0153", "GM0153 ", "153"])
def test_the_code_that_was_probably_meant_is_named(folder: Folder, code: str) -> None:
    folder.put(FIGURES, folder.row(**LABOUR, region_code="GM0153"), "region_code", code)
    assert "Did you mean 'GM0153'?" in str(folder.refusal(UnknownRegion))


def test_an_unknown_region_code_on_several_rows(folder: Folder) -> None:
    rows = [folder.row(**LABOUR, region_code="GM0014"), folder.row(indicator="population", region_code="GM0014")]
    for row in rows:
        folder.put(FIGURES, row, "region_code", "GM9999")
    error = folder.refusal(UnknownRegion)
    assert (error.row, error.value, error.more) == (rows[0], "GM9999", 1)
    assert "18 codes in regions.csv" in error.expected
    assert str(error).endswith("(and 1 more row with this fault)")


def test_a_cut_off_list_of_regions(folder: Folder) -> None:
    folder.change(REGIONS, lambda records: records.__delitem__(slice(-3, None)))
    error = folder.refusal(UnknownRegion)
    assert error.value == "GM1991"
    assert "cut off" in str(error)


@pytest.mark.parametrize("code", ["GM41", "GM0141 ", "NL", "Almelo", "G10141"])
def test_a_malformed_code_in_the_list_of_regions(folder: Folder, code: str) -> None:
    folder.put(REGIONS, 3, "region_code", code)
    error = folder.refusal(UnknownRegion)
    assert (error.row, error.value, REGIONS in error.file) == (3, code, True)


def test_a_region_listed_twice(folder: Folder) -> None:
    folder.change(REGIONS, lambda records: records.append(list(records[2])))
    error = folder.refusal(DuplicateFigure)
    assert (error.row, error.value) == (20, "GM0141")
    assert "Row 3" in str(error)


def test_an_own_municipality_missing_from_the_list_of_regions(folder: Folder) -> None:
    folder.change(REGIONS, lambda records: records.pop(4))
    error = folder.refusal(MissingMunicipality)
    assert REGIONS in error.file
    assert "Enschede (GM0153)" in str(error)


@pytest.mark.parametrize("name", ["", "  "])
def test_a_region_without_a_name(folder: Folder, name: str) -> None:
    folder.put(REGIONS, 5, "name", name)
    error = folder.refusal(UnknownRegion)
    assert (error.row, error.column) == (5, "name")
    assert "GM0153" in error.expected


def test_two_codes_exchanged_in_the_list_of_regions(folder: Folder) -> None:
    folder.put(REGIONS, 3, "name", "Borne")
    folder.put(REGIONS, 4, "name", "Almelo")
    error = folder.refusal(UnknownRegion)
    assert (error.row, error.value, error.more) == (3, "Borne", 1)
    assert "Almelo" in error.expected


# --- indicators and sources


def test_an_unknown_indicator(folder: Folder) -> None:
    folder.put(FIGURES, 5, "indicator", "income_standardized_mean")
    error = folder.refusal(UnknownIndicator)
    assert (error.row, error.column, error.value) == (5, "indicator", "income_standardized_mean")
    assert "Did you mean 'income_standardised_mean'?" in str(error)


@pytest.mark.parametrize("name", [FIGURES, ORIGINS])
def test_a_source_table_that_the_catalogue_does_not_name_for_the_indicator(folder: Folder, name: str) -> None:
    row = folder.row(name, indicator="net_labour_participation")
    folder.put(name, row, "source_table", "CBS 86165NED")
    error = folder.refusal(UnknownSource)
    assert (error.row, error.column, error.value) == (row, "source_table", "CBS 86165NED")
    assert "'CBS 85039NED', 'CBS 85318NED', 'CBS 86008NED'" in error.expected


@pytest.mark.parametrize(
    ("column", "found", "expected"),
    [("source_column", "Nettoarbeidsparticipatie_71", "Nettoarbeidsparticipatie_67"),
     ("unit", "percent of persons 20-64", "percent of persons 15-74")],
)  # fmt: skip
def test_a_publisher_that_renamed_a_column_or_changed_a_unit(
    folder: Folder, column: str, found: str, expected: str
) -> None:
    row = folder.row(ORIGINS, indicator="net_labour_participation")
    folder.put(ORIGINS, row, column, found)
    error = folder.refusal(SourceChanged)
    assert (error.row, error.column, error.value) == (row, column, found)
    assert expected in error.expected
    assert "publisher" in str(error)


def test_an_origin_listed_twice(folder: Folder) -> None:
    folder.change(ORIGINS, lambda records: records.append(list(records[1])))
    error = folder.refusal(DuplicateFigure)
    assert error.row == 5
    assert "Row 2" in str(error)


@pytest.mark.parametrize("count", ["", "many", "-1", "18.0", "18 "])
def test_a_count_of_figures_that_is_none(folder: Folder, count: str) -> None:
    folder.put(ORIGINS, 2, "figures", count)
    error = folder.refusal(ValueFault)
    assert (error.row, error.column, error.value) == (2, "figures", count)


def test_figures_without_an_origin(folder: Folder) -> None:
    folder.change(ORIGINS, lambda records: records.pop())
    error = folder.refusal(IncompleteFile)
    assert error.row == folder.row(indicator="population")
    assert error.more == 136
    assert ORIGINS in error.expected


# --- periods


@pytest.mark.parametrize("period", ["22", "2022 ", "2022-13", "2022Q5", "2022*", "", "2O22", "2022-00"])
def test_a_malformed_period(folder: Folder, period: str) -> None:
    row = folder.row(**LABOUR)
    folder.put(FIGURES, row, "period", period)
    error = folder.refusal(PeriodError)
    assert (error.row, error.column, error.value) == (row, "period", period)


@pytest.mark.parametrize("period", ["2021", "2023", "2022Q1", "2022-05"])
def test_a_period_outside_those_of_the_catalogue(folder: Folder, period: str) -> None:
    row = folder.row(**LABOUR)
    folder.put(FIGURES, row, "period", period)
    error = folder.refusal(PeriodError)
    assert (error.row, error.value) == (row, period)
    assert "from 2022 to 2022, for net_labour_participation in CBS 85318NED" in error.expected


def test_a_period_of_an_origin_outside_those_of_the_catalogue(folder: Folder) -> None:
    folder.put(ORIGINS, 2, "period_last", "2025")
    error = folder.refusal(PeriodError)
    assert (error.row, error.column, error.value) == (2, "period_last", "2025")


# --- duplicates


@pytest.mark.parametrize("value", ["63", "64"])
def test_a_figure_given_twice_names_both_rows_also_if_equal(folder: Folder, value: str) -> None:
    row = folder.row(**LABOUR, region_code="GM0153")
    folder.put(FIGURES, row, "value", "63")
    folder.change(FIGURES, lambda records: records.append([*records[row - 1][:3], value, *records[row - 1][4:]]))
    error = folder.refusal(DuplicateFigure)
    assert (error.row, error.value) == (len(folder.records(FIGURES)), value)
    assert f"Row {row} " in str(error)
    assert "GM0153" in error.expected


def test_a_file_pasted_twice(folder: Folder) -> None:
    folder.change(FIGURES, lambda records: records.extend([list(record) for record in records[1:]]))
    assert folder.refusal(DuplicateFigure).more == 170


# --- values


@pytest.mark.parametrize(
    "value",
    ["unknown", "27,8", "nan", "NaN", "inf", "-inf", "1e999", "1e3", "1,234.5", "1.234,5", "1 234", " 27.8", "27.8 ",
     "+27.8", "27.", ".8", "0x1F", "1_000", "٢٧", "27.8*", "9" * 400, ".", "-", "NULL", "NA", "\u00a027.8"],
)  # fmt: skip
def test_a_value_that_is_not_a_plain_number(folder: Folder, value: str) -> None:
    row = folder.row(**LABOUR, region_code="GM0164")
    folder.put(FIGURES, row, "value", value)
    error = folder.refusal(ValueFault)
    assert (error.row, error.column, error.value) == (row, "value", value)
    assert FIGURES in error.file


def test_a_decimal_comma_is_recognised(folder: Folder) -> None:
    folder.put(FIGURES, folder.row(**LABOUR), "value", "27,8")
    assert "Replace the comma by a point" in str(folder.refusal(ValueFault))


@pytest.mark.parametrize("value", ["690", "-1", "100.5"])
def test_a_value_outside_the_scale(folder: Folder, value: str) -> None:
    row = folder.row(**LABOUR, region_code="GM0153")
    folder.put(FIGURES, row, "value", value)
    error = folder.refusal(OutOfScale)
    assert (error.row, error.value) == (row, value)
    assert "net_labour_participation, 0 to 100 (percent of persons 15-74)" in error.expected
    assert "ercent, or a slipped decimal?" in str(error)


def test_a_negative_amount_where_the_scale_has_no_upper_end(folder: Folder) -> None:
    folder.put(FIGURES, folder.row(**INCOME), "value", "-39.2")
    assert "0 to ∞" in folder.refusal(OutOfScale).expected


def test_percentages_given_as_fractions(folder: Folder) -> None:
    column = 3

    def as_fractions(records: list[list[str]]) -> None:
        for record in _of(records, "net_labour_participation"):
            record[column] = str(float(record[column]) / 100)

    folder.change(FIGURES, as_fractions)
    error = folder.refusal(OutOfScale)
    assert (error.row, error.more) == (folder.row(**LABOUR), 15)
    assert "fraction or percent?" in str(error)


@pytest.mark.parametrize(("where", "value", "unit"), [(LABOUR, "63.4", "1.0"), (INCOME, "39.25", "0.1")])
def test_a_value_finer_than_the_rounding_unit(folder: Folder, where: dict[str, str], value: str, unit: str) -> None:
    row = folder.row(**where)
    folder.put(FIGURES, row, "value", value)
    error = folder.refusal(SourceChanged)
    assert (error.row, error.value) == (row, value)
    assert f"a multiple of {unit}," in error.expected
    assert "precision" in str(error)


# --- status


@pytest.mark.parametrize("status", ["final", "Definitive", "", "definitive "])
def test_a_status_outside_the_vocabulary(folder: Folder, status: str) -> None:
    folder.put(FIGURES, 9, "status", status)
    error = folder.refusal(StatusError)
    assert (error.row, error.column, error.value) == (9, "status", status)
    assert "suppressed" in error.expected


@pytest.mark.parametrize("status", ["definitive", "provisional", "estimated"])
def test_no_value_while_the_status_says_there_is_one(folder: Folder, status: str) -> None:
    folder.put(FIGURES, 9, "value", "")
    folder.put(FIGURES, 9, "status", status)
    error = folder.refusal(StatusError)
    assert (error.row, error.column, error.value) == (9, "value", "")
    assert status in error.expected


@pytest.mark.parametrize(
    "status", ["not_measured", "not_published", "not_retrieved", "suppressed", "not_applicable"]
)  # fmt: skip
def test_a_value_while_the_status_says_there_is_none(folder: Folder, status: str) -> None:
    folder.put(FIGURES, 9, "status", status)
    error = folder.refusal(StatusError)
    assert (error.row, error.column) == (9, "value")
    assert status in error.expected


# --- completeness


def test_a_missing_figure_of_an_own_municipality(folder: Folder) -> None:
    row = folder.row(indicator="population", region_code="GM1742", period="2023")
    folder.change(FIGURES, lambda records: records.pop(row - 1))
    error = folder.refusal(MissingMunicipality)
    for part in ("Rijssen-Holten", "GM1742", "population", "2023", "CBS 03759ned", "not_published"):
        assert part in str(error)


def test_a_missing_municipality_shows_also_where_the_count_was_adapted(folder: Folder) -> None:
    folder.change(FIGURES, lambda records: records.pop(folder.row(**LABOUR, region_code="GM0153") - 1))
    folder.put(ORIGINS, folder.row(ORIGINS, indicator="net_labour_participation"), "figures", "15")
    assert "Enschede (GM0153)" in str(folder.refusal(MissingMunicipality))


def test_a_municipality_without_any_row_is_one_message(folder: Folder) -> None:
    def without_enschede(records: list[list[str]]) -> None:
        records[:] = [record for record in records if record[1] != "GM0153"]

    folder.change(FIGURES, without_enschede)
    error = folder.refusal(MissingMunicipality)
    assert "Enschede (GM0153): no rows at all" in str(error)
    assert error.more == 0


def test_a_municipality_that_did_not_exist_yet_is_not_missing(folder: Folder) -> None:
    region = folder.catalogue.region
    grown = region.model_copy(update={"municipalities": {**region.municipalities, "GM1992": "Voorne aan Zee"}})
    catalogue = folder.catalogue.model_copy(update={"region": grown})
    # Population from 2019, Voorne aan Zee from 2023.
    facts = replace(folder, catalogue=catalogue).read()
    assert facts.figures.filter(region_code="GM1992", indicator_id="population")["period"].min() == "2023"
    folder.change(FIGURES, lambda records: records.pop(folder.row(region_code="GM1992", period="2024") - 1))
    assert "Voorne aan Zee (GM1992)" in str(replace(folder, catalogue=catalogue).refusal(MissingMunicipality))


def test_a_file_cut_at_a_line_end(folder: Folder) -> None:
    folder.change(FIGURES, lambda records: records.__delitem__(slice(-2, None)))
    error = folder.refusal(IncompleteFile)
    assert "137 rows for population in CBS 03759ned" in error.expected
    assert "there are 135" in error.expected
    assert "It ends at row 170." in str(error)
    assert "cut off" in str(error)


def test_a_file_cut_early_names_an_own_municipality_among_what_is_missing(folder: Folder) -> None:
    folder.change(FIGURES, lambda records: records.__delitem__(slice(25, None)))
    error = folder.refusal(IncompleteFile)
    assert error.more == 1
    assert "Among the missing rows: Hengelo (GM0164) for indicator net_labour_participation" in str(error)


def test_more_rows_than_the_origin_counts(folder: Folder) -> None:
    folder.put(ORIGINS, 2, "figures", "17")
    assert "there are 18" in folder.refusal(IncompleteFile).expected


# --- the root cause comes first


def test_a_code_is_named_before_the_value_beside_it(folder: Folder) -> None:
    folder.put(FIGURES, 5, "value", "nan")
    folder.put(FIGURES, 9, "region_code", "GM9999")
    folder.refusal(UnknownRegion)


def test_a_duplicate_is_named_before_a_value(folder: Folder) -> None:
    folder.put(FIGURES, 5, "value", "nan")
    folder.change(FIGURES, lambda records: records.append(list(records[8])))
    folder.refusal(DuplicateFigure)


def test_a_value_is_named_before_a_gap(folder: Folder) -> None:
    folder.put(FIGURES, 5, "value", "nan")
    folder.change(FIGURES, lambda records: records.pop())
    folder.refusal(ValueFault)


def test_no_message_holds_a_whole_row(folder: Folder) -> None:
    folder.put(FIGURES, 5, "value", "nan")
    error = folder.refusal(ValueFault)
    assert ",".join(folder.records(FIGURES)[4]) not in str(error)


def test_the_bundle_as_a_plain_folder_gives_the_same_facts(tmp_path: Path, catalogue: Catalogue, bundle: Facts) -> None:
    for name in (ORIGINS, REGIONS):
        shutil.copy(bundled.FOLDER / name, tmp_path)
    (tmp_path / FIGURES).write_bytes(gzip.decompress((bundled.FOLDER / f"{FIGURES}.gz").read_bytes()))
    facts = read_facts(tmp_path, catalogue)
    assert facts.rows_sha256 == bundle.rows_sha256
    assert facts.figures.equals(bundle.figures)
