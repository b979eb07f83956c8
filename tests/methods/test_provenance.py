"""Every figure says which table it comes from and why, and the baseline what other sources would make of it."""

from __future__ import annotations

import polars as pl
import pytest

from methods.provenance import baseline_differences, choices
from tests.methods.small import observation, sources, table

# Income by three tables, the best first.
TABLES = sources("""
    indicator_id source_table priority kind
    income       B            2        model
    income       A            1        register
    income       C            3        sample
    """)
FIGURES = observation("""
    indicator_id region_code period source_table value
    income       GM0153      2022   A            30
    income       GM0153      2022   B            31
    income       GM0153      2022   C            -
    income       GM0153      2023   B            32
    income       GM0164      2023   C            33
    income       GM0153      2024   A            34
    """)
REFERENCES = table("""
    indicator_id measurement_year reference_period source_table
    income       2022             2022             A
    income       2023             2023             B
    income       2024             2024             A
    income       2025             -                -
    """)
ORIGINS = table("""
    indicator_id source_table period origin
    income       A            2022   bundled
    income       B            2023   live
    income       A            2024   live
    """)


def chosen(references: pl.DataFrame = REFERENCES, origins: pl.DataFrame = ORIGINS) -> pl.DataFrame:
    return choices(references, FIGURES, origins, TABLES)


def test_every_year_with_a_figure_has_one_row() -> None:
    found = chosen()
    assert found.columns == [
        *("indicator_id", "measurement_year", "reference_period", "source_table"),
        *("kind", "origin", "passed_over", "why"),
    ]
    assert found.select("measurement_year", "reference_period", "source_table", "kind", "origin").rows() == [
        (2022, "2022", "A", "register", "bundled"),
        (2023, "2023", "B", "model", "live"),
        (2024, "2024", "A", "register", "live"),
    ]


def test_the_reason_of_each_choice() -> None:
    assert chosen()["why"].to_list() == [
        "the baseline is frozen on it, not on B (model)",
        "it goes before C (sample) in the catalogue",
        "no other table has this period",
    ]


def test_a_baseline_without_alternative() -> None:
    later = REFERENCES.filter(measurement_year=2024)
    assert chosen(later)["why"].to_list() == ["the baseline is frozen on it"]


def test_several_tables_that_were_passed_over_are_named_best_first() -> None:
    with_c = pl.concat(
        [FIGURES, observation("indicator_id region_code period source_table value\nincome NL01 2022 C 35")]
    )
    row = choices(REFERENCES, with_c, ORIGINS, TABLES).row(0, named=True)
    assert row["passed_over"] == ["B (model)", "C (sample)"]
    assert row["why"] == "the baseline is frozen on it, not on B (model), C (sample)"


def test_a_table_without_values_is_no_alternative() -> None:
    # C has a row for 2022, which is empty.
    assert chosen().row(0, named=True)["passed_over"] == ["B (model)"]


def test_the_year_that_carries_a_figure_says_the_same_of_it() -> None:
    carried = REFERENCES.with_columns(
        reference_period=pl.when(pl.col("measurement_year") == 2025).then(pl.lit("2023")).otherwise("reference_period"),
        source_table=pl.when(pl.col("measurement_year") == 2025).then(pl.lit("B")).otherwise("source_table"),
    )
    found = chosen(carried).filter(pl.col("measurement_year").is_in([2023, 2025]))
    assert found["why"].unique().to_list() == ["it goes before C (sample) in the catalogue"]
    assert found["origin"].to_list() == ["live", "live"]


def test_figures_of_two_origins_are_one_choice() -> None:
    # A delivered file, or two, replaced the figures of some regions.
    more = "income A 2022 delivered\nincome A 2022 delivered"
    both = pl.concat([ORIGINS, table("indicator_id source_table period origin\n" + more)])
    found = chosen(origins=both)
    assert found["measurement_year"].to_list() == [2022, 2023, 2024]
    assert found.row(0, named=True)["origin"] == "bundled and delivered"
    assert found.row(0, named=True)["passed_over"] == ["B (model)"]


# The baseline.

OWN = ["GM0153", "GM0164"]
BASELINE = table("indicator_id source_table reference_period\nincome A 2022")
NO_REVISION = FIGURES.select("indicator_id", "region_code", "period", "source_table", "value").clear()


def differences(figures: str, revised: str = "") -> list[tuple[object, ...]]:
    """other_table, compared, different, region_code, value and other_value of each other source."""
    header = "indicator_id region_code period source_table value\n"
    found = baseline_differences(
        BASELINE,
        observation(header + figures),
        table(header + revised).select(NO_REVISION.columns) if revised else NO_REVISION,
        OWN,
    )
    assert set(found["source_table"]) <= {"A"}
    assert set(found["reference_period"]) <= {"2022"}
    return found.select("other_table", "compared", "different", "region_code", "value", "other_value").rows()


STANDS = "income GM0153 2022 A 30\nincome GM0164 2022 A 40\n"


def test_another_table_that_gives_the_baseline_otherwise_is_said_with_its_largest_difference() -> None:
    other = "income GM0153 2022 B 30.5\nincome GM0164 2022 B 38"
    assert differences(STANDS + other) == [("B", 2, 2, "GM0164", 40, 38)]


def test_a_revision_of_the_same_table_is_said() -> None:
    assert differences(STANDS, "income GM0153 2022 A 30\nincome GM0164 2022 A 41") == [("A", 2, 1, "GM0164", 40, 41)]


def test_equal_figures_say_nothing() -> None:
    same = "income GM0153 2022 B 30\nincome GM0164 2022 B 40.0000000001"
    assert differences(STANDS) == []
    assert differences(STANDS + same, "income GM0153 2022 A 30") == []


def test_missing_figures_say_nothing_on_either_side() -> None:
    assert differences(STANDS + "income GM0153 2022 B -\nincome GM0164 2022 B 40") == []
    empty = "income GM0153 2022 A -\nincome GM0164 2022 A 40\n"
    other = "income GM0153 2022 B 31\nincome GM0164 2022 B 41"
    assert differences(empty + other, "income GM0153 2022 A 31") == [("B", 1, 1, "GM0164", 40, 41)]


def test_of_equal_differences_the_first_municipality_is_named() -> None:
    # 30.3 - 30 and 40 - 39.7 differ by a rounding error of the computer.
    other = "income GM0164 2022 B 39.7\nincome GM0153 2022 B 30.3"
    assert differences(STANDS + other) == [("B", 2, 2, "GM0153", 30, 30.3)]


def test_other_periods_regions_and_breakdowns_are_not_compared() -> None:
    assert differences(STANDS + "income GM0153 2021 B 99\nincome NL01 2022 B 99", "income GM0175 2022 A 99") == []
    women = observation(
        "indicator_id region_code period source_table value breakdown\nincome GM0153 2022 B 99 sex=female"
    )
    stands = observation("indicator_id region_code period source_table value\n" + STANDS)
    assert baseline_differences(BASELINE, pl.concat([stands, women]), NO_REVISION, OWN).height == 0


@pytest.mark.parametrize("revised", ["", "income GM0153 2022 A 31\n"])
def test_sources_are_in_order_and_a_revision_beside_another_table(revised: str) -> None:
    other = "income GM0153 2022 C 32\nincome GM0153 2022 B 33"
    expected = [("A", 1, 1, "GM0153", 30, 31)] if revised else []
    found = differences(STANDS + other, revised)
    assert found == [*expected, ("B", 1, 1, "GM0153", 30, 33), ("C", 1, 1, "GM0153", 30, 32)]
