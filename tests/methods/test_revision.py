"""What differs between two editions, and why: editions of a few rows, checked by hand, and a whole one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from catalog import load_catalogue
from methods.revision import BY_EDITION, SCHEMA, kind_of, revisions, value_by_edition

KEYS = {name: table.key for name, table in load_catalogue().registry.tables.items()}
Tables = dict[str, pl.DataFrame]

# Income in 1,000 euro of two towns that are together the group CORE, weighted by inhabitants: 30 and 10 thousand.
INCOME = {("GM0001", "2022"): 20.0, ("GM0002", "2022"): 40.0, ("GM0001", "2023"): 22.0, ("GM0002", "2023"): 42.0}
PEOPLE = {("GM0001", "2022"): 30.0, ("GM0002", "2022"): 10.0, ("GM0001", "2023"): 30.0, ("GM0002", "2023"): 10.0}
DEFINITION: dict[str, Any] = {
    "unit": "1000 euro", "definition_nl": "Inkomen.", "definition_en": "Income.", "decimals": 1, "polarity": 1,
    "group_method": "weighted_mean", "weight": "people", "max_lag_years": 1, "min_relevant_difference": None,
    "nominal_euro": False, "name_nl": "Inkomen", "name_en": "Income",
}  # fmt: skip
SOURCE_COLUMNS = ["source_column", "unit", "priority", "series_id", "kind", "rounding_unit"]
CORRECTION = {
    "correction_id": "wrong_town", "indicator_id": "income", "region_code": "GM0001", "period": "2023",
    "breakdown": "total", "source_table": "A", "action": "override", "published_value": 22.0, "corrected_value": 32.0,
    "warning": None, "reason": "typing error", "reported_to": "publisher", "state": "reported",
}  # fmt: skip
NOT_CORRECTED = pl.DataFrame([CORRECTION]).clear()


def edition(
    name: str = "2024-1",
    *,
    income: Mapping[tuple[str, str], float | None] = INCOME,
    people: Mapping[tuple[str, str], float] = PEOPLE,
    status: Mapping[tuple[str, str], str] | None = None,
    years: tuple[int, ...] = (2022, 2023),
    refers_to: Mapping[int, str] | None = None,
    definition: Mapping[str, Any] | None = None,
    withdrawn: bool = False,
    corrections: pl.DataFrame = NOT_CORRECTED,
    **made_from: str,
) -> Tables:
    """All tables of a small edition; group values and comparisons are computed from the figures given."""
    hashes = {"code_version": "1", "catalog_sha256": "c", "lock_sha256": "l", "input_sha256": "i"} | made_from
    refers = refers_to or {year: str(year) for year in years}
    said = dict(status or {})
    figures = (
        [] if withdrawn else [("income", *key, value, said.get(key, "definitive")) for key, value in income.items()]
    )
    figures += [("people", *key, value, "definitive") for key, value in people.items()]
    values: list[tuple[int, str, str, str, float | None, str]] = []
    for year in years:
        period = refers[year]
        for town in ("GM0001", "GM0002"):
            values.append((year, "people", town, period, people[town, period], "definitive"))
            if not withdrawn:
                at = (town, period)
                values.append((year, "income", town, period, income[at], said.get(at, "definitive")))
        if not withdrawn:
            mean = _mean(income, people, period)
            values.append((year, "income", "CORE", period, mean, "definitive" if mean is not None else "not_published"))
    lines = [{"indicator_id": "people", **DEFINITION, "group_method": "sum", "weight": None, "unit": "persons"}]
    lines += [] if withdrawn else [{"indicator_id": "income", **DEFINITION, **(definition or {})}]
    return {
        "edition": pl.DataFrame([{"edition": name, "measurement_year": max(years), **hashes}]),
        "indicator": pl.DataFrame(lines, schema_overrides={"min_relevant_difference": pl.Float64, "weight": pl.String}),
        "indicator_source": pl.DataFrame(
            [(line["indicator_id"], "A", "col", line["unit"], 1, "s", "register", 1.0) for line in lines],
            schema=[*KEYS["indicator_source"], *SOURCE_COLUMNS],
            orient="row",
        ),
        "region_member": pl.DataFrame(
            [("CORE", town, period) for town in ("GM0001", "GM0002") for period in ("2022", "2023", "2024")],
            schema=["group_code", "municipality_code", "period"],
            orient="row",
        ),
        "group_weight": pl.DataFrame(
            [("income", period, "CORE", town, weight) for (town, period), weight in people.items()],
            schema=[*KEYS["group_weight"], "weight"],
            orient="row",
        ),
        "observation": pl.DataFrame(
            [(*figure[:3], "total", "A", *figure[3:], []) for figure in figures],
            schema=[*KEYS["observation"], "value", "status", "warnings"],
            schema_overrides={"warnings": pl.List(pl.String), "value": pl.Float64},
            orient="row",
        ),
        "indicator_value": _values(values),
        "comparison": _comparison(values),
        "correction": corrections,
    }  # fmt: skip


def _mean(
    income: Mapping[tuple[str, str], float | None], people: Mapping[tuple[str, str], float], period: str
) -> float | None:
    pairs = [(income[town, period], people[town, period]) for town in ("GM0001", "GM0002")]
    if any(value is None for value, _ in pairs):
        return None
    return sum(value * weight for value, weight in pairs if value is not None) / sum(weight for _, weight in pairs)


def _values(values: list[tuple[int, str, str, str, float | None, str]]) -> pl.DataFrame:
    rows = [
        (year, indicator, region, "total", period, value, None if value is None else value - 1, status, [], "A", "s")
        for year, indicator, region, period, value, status in values
    ]
    columns = [*KEYS["indicator_value"], "reference_period", "value", "ci_low", "status", "warnings", "source_table"]
    types = {"measurement_year": pl.Int32, "value": pl.Float64, "ci_low": pl.Float64, "warnings": pl.List(pl.String)}
    return pl.DataFrame(rows, schema=[*columns, "series_id"], schema_overrides=types, orient="row")


def _comparison(values: list[tuple[int, str, str, str, float | None, str]]) -> pl.DataFrame:
    """Both towns against the group they belong to."""
    of = {(year, region): value for year, indicator, region, _, value, _ in values if indicator == "income"}
    rows = []
    for (year, town), value in of.items():
        mean = of[year, "CORE"]
        if town != "CORE":
            apart = None if value is None or mean is None else value - mean
            verdict = "not_decidable" if apart is None else "better" if apart > 0 else "worse"
            rows.append((year, "income", town, "CORE", "total", apart, verdict))
    columns = [*KEYS["comparison"], "difference", "verdict"]
    types = dict.fromkeys(columns, pl.String) | {"measurement_year": pl.Int32, "difference": pl.Float64}
    return pl.DataFrame(rows, schema=columns, schema_overrides=types, orient="row")


def found(old: Tables, new: Tables) -> pl.DataFrame:
    return revisions(old, new, KEYS)


def said(frame: pl.DataFrame, table: str, *columns: str) -> list[tuple[Any, ...]]:
    """These columns of the rows about a table."""
    return frame.filter(table_name=table).select(*columns).rows()


def causes(frame: pl.DataFrame, table: str, part: str = "") -> set[str]:
    rows = frame.filter(pl.col("row_key").str.contains(part, literal=True), table_name=table)
    return set(rows["cause"])


def test_equal_editions_have_no_revisions() -> None:
    result = found(edition(), edition("2025-draft"))
    assert result.is_empty()
    assert result.schema == SCHEMA


def test_noise_in_the_last_digits_is_no_revision() -> None:
    noisy = {key: value * (1 + 3e-10) for key, value in INCOME.items()}
    assert found(edition(), edition(income=noisy, code_version="2")).is_empty()
    assert not found(edition(), edition(income={**INCOME, ("GM0001", "2023"): 22.00001})).is_empty()


def test_nought_and_what_rounding_left_of_it_are_the_same() -> None:
    old, new = edition(), edition()
    old["comparison"] = old["comparison"].with_columns(difference=pl.lit(0.0))
    new["comparison"] = new["comparison"].with_columns(difference=pl.lit(7e-15))
    assert found(old, new).is_empty()


def test_a_source_revision_is_found_with_the_old_and_the_new_figure() -> None:
    result = found(edition(), edition("2024-2", income={**INCOME, ("GM0001", "2023"): 24.0}, input_sha256="j"))
    assert said(result, "observation", "row_key", "column_name", "old_value", "new_value", "kind", "cause") == [
        (
            "indicator_id=income|region_code=GM0001|period=2023|breakdown=total|source_table=A",
            *("value", "22.0", "24.0", "value", "source_revision"),
        )
    ]
    group, town = (
        f"measurement_year=2023|indicator_id=income|region_code={region}|breakdown=total"
        for region in ("CORE", "GM0001")
    )
    assert said(result, "indicator_value", "row_key", "column_name", "old_value", "new_value", "kind") == [
        (group, "ci_low", "26.0", "27.5", "interval"),
        (group, "value", "27.0", "28.5", "value"),
        (town, "ci_low", "21.0", "23.0", "interval"),
        (town, "value", "22.0", "24.0", "value"),
    ]
    assert set(result["cause"]) == {"source_revision"}
    assert set(result["edition"]) == {"2024-2"}
    assert set(result["previous_edition"]) == {"2024-1"}
    # GM0002 itself is the same; its distance to the group is not: 42 - 27 became 42 - 28.5.
    assert ("15.0", "13.5") in said(result, "comparison", "old_value", "new_value")


def test_rows_are_sorted_by_their_key() -> None:
    result = found(edition(), edition(income={**INCOME, ("GM0001", "2023"): 24.0}))
    assert result.rows() == result.sort("table_name", "row_key", "column_name").rows()


def test_provisional_that_became_definitive_is_a_status() -> None:
    provisional = edition(status={("GM0002", "2023"): "provisional"})
    result = found(provisional, edition(input_sha256="j"))
    assert said(result, "indicator_value", "column_name", "old_value", "new_value", "kind", "cause") == [
        ("status", "provisional", "definitive", "status", "source_revision")
    ]
    assert not said(result, "comparison", "row_key")


def test_a_group_has_the_cause_of_its_weights() -> None:
    more = {**PEOPLE, ("GM0002", "2023"): 30.0}
    result = found(edition(), edition(people=more, input_sha256="j"))
    of_group = result.filter(
        pl.col("row_key").str.contains("indicator_id=income|region_code=CORE", literal=True),
        table_name="indicator_value",
        column_name="value",
    )
    assert of_group.select("old_value", "new_value", "cause").rows() == [("27.0", "32.0", "source_revision")]
    # Even where the software changed as well, the weights explain this one.
    both = found(edition(), edition(people=more, input_sha256="j", code_version="2"))
    assert causes(both, "indicator_value") == {"source_revision"}


def test_a_changed_definition_is_found_and_explains_its_figures() -> None:
    new = edition(
        definition={"definition_nl": "Besteedbaar inkomen."},
        income={**INCOME, ("GM0001", "2023"): 19.0},
        catalog_sha256="d",
        input_sha256="j",
    )
    result = found(edition(), new)
    assert said(result, "indicator", "row_key", "column_name", "old_value", "new_value", "kind", "cause") == [
        ("indicator_id=income", "definition_nl", "Inkomen.", "Besteedbaar inkomen.", "definition", "catalogue_change")
    ]
    assert set(result["cause"]) == {"catalogue_change"}


def test_a_changed_name_explains_no_figure() -> None:
    new = edition(
        definition={"name_nl": "Het inkomen"},
        income={**INCOME, ("GM0001", "2023"): 19.0},
        catalog_sha256="d",
        input_sha256="j",
    )
    result = found(edition(), new)
    assert causes(result, "indicator") == {"catalogue_change"}
    assert causes(result, "indicator_value") == {"source_revision"}


def test_another_way_to_make_group_values_explains_groups_only() -> None:
    new = edition(
        definition={"weight": "people + people"},
        income={**INCOME, ("GM0001", "2023"): 19.0},
        catalog_sha256="d",
        input_sha256="j",
    )
    result = found(edition(), new)
    assert causes(result, "indicator_value", "GM0001") == {"source_revision"}
    assert causes(result, "indicator_value", "CORE") == {"catalogue_change"}


def test_a_withdrawn_indicator_is_found_in_every_table_by_the_catalogue() -> None:
    result = found(edition(), edition(withdrawn=True, catalog_sha256="d", input_sha256="j"))
    assert set(result["kind"]) == {"withdrawn"}
    assert set(result["cause"]) == {"catalogue_change"}
    assert said(result, "indicator", "row_key", "column_name", "old_value", "new_value") == [
        ("indicator_id=income", "definition_nl", "Inkomen.", None)
    ]
    assert result.filter(table_name="indicator_value").height == 6  # two years of two towns and a group
    assert causes(found(edition(withdrawn=True), edition()), "observation") == {"catalogue_change"}


def test_a_new_measurement_year_is_new_data() -> None:
    later = {("GM0001", "2024"): 23.0, ("GM0002", "2024"): 43.0}
    grown = {("GM0001", "2024"): 30.0, ("GM0002", "2024"): 10.0}
    new = edition(
        "2025-draft",
        income=INCOME | later,
        people=PEOPLE | grown,
        years=(2022, 2023, 2024),
        input_sha256="j",
        catalog_sha256="d",
        code_version="2",
    )
    result = found(edition(), new)
    assert set(result["kind"]) == {"new"}
    assert set(result["cause"]) == {"new_data"}
    assert said(result, "comparison", "column_name", "old_value", "new_value") == [
        ("verdict", None, "worse"),
        ("verdict", None, "better"),
    ]


def test_a_figure_that_moved_to_a_newly_published_period_is_new_data() -> None:
    """2023 was measured with the figure of 2022; that this was revised at the same time is beside the point."""
    old_income = {key: value for key, value in INCOME.items() if key[1] == "2022"}
    old = edition(income=old_income, refers_to={2022: "2022", 2023: "2022"})
    new = edition(income={**INCOME, ("GM0001", "2022"): 21.0, ("GM0002", "2023"): 50.0}, input_sha256="j")
    result = found(old, new)
    assert causes(result, "indicator_value", "measurement_year=2023|indicator_id=income") == {"new_data"}
    assert causes(result, "indicator_value", "measurement_year=2022|indicator_id=income") == {"source_revision"}
    assert causes(result, "comparison", "measurement_year=2023") == {"new_data"}


def test_a_period_that_all_lost_because_one_figure_was_withdrawn_is_a_source_revision() -> None:
    gone: dict[tuple[str, str], float | None] = {**INCOME, ("GM0001", "2023"): None}
    new = edition(income=gone, refers_to={2022: "2022", 2023: "2022"}, input_sha256="j")
    result = found(edition(), new)
    assert causes(result, "indicator_value", "measurement_year=2023|indicator_id=income|region_code=GM0002") == {
        "source_revision"
    }


def test_a_wider_margin_is_an_interval_and_by_the_software_where_only_that_differs() -> None:
    new = edition(code_version="2")
    new["indicator_value"] = new["indicator_value"].with_columns(ci_low=pl.col("ci_low") - 1)
    result = found(edition(), new)
    assert set(result["kind"]) == {"interval"}
    assert set(result["cause"]) == {"method_version"}


@pytest.mark.parametrize(
    ("made_from", "cause"),
    [
        ({"lock_sha256": "m", "catalog_sha256": "d"}, "method_version"),
        ({"catalog_sha256": "d", "input_sha256": "j"}, "catalogue_change"),
        ({"input_sha256": "j"}, "source_revision"),
        ({}, "unexplained"),
    ],
)
def test_what_no_row_explains_is_by_what_the_edition_was_made_from(made_from: dict[str, Any], cause: str) -> None:
    new = edition(**made_from)
    new["comparison"] = new["comparison"].with_columns(verdict=pl.lit("not_comparable"))
    assert set(found(edition(), new)["cause"]) == {cause}


def test_a_correction_is_followed_to_group_and_comparison_but_not_to_other_figures() -> None:
    corrected = {**INCOME, ("GM0001", "2023"): 32.0, ("GM0002", "2022"): 41.0}  # and 2022 was revised by the source
    new = edition(income=corrected, corrections=pl.DataFrame([CORRECTION]), catalog_sha256="d", input_sha256="j")
    result = found(edition(), new)
    for table in ("observation", "indicator_value", "comparison"):
        assert causes(result, table, "2023") == {"correction"}, table
        assert causes(result, table, "2022") == {"source_revision"}, table
    # A correction that both editions have explains nothing.
    both = found(edition(corrections=pl.DataFrame([CORRECTION])), new)
    assert causes(both, "observation", "2023") == {"source_revision"}
    # One that is no longer made does.
    assert causes(found(new, edition()), "observation", "2023") == {"correction"}


def test_an_edition_from_before_there_were_corrections_can_be_compared() -> None:
    old = edition()
    del old["correction"]
    new = edition(income={**INCOME, ("GM0001", "2023"): 32.0}, corrections=pl.DataFrame([CORRECTION]))
    assert causes(found(old, new), "indicator_value", "GM0001") == {"correction"}


def test_a_table_or_column_that_only_one_edition_has_is_no_revision() -> None:
    new = edition(code_version="2")
    del new["comparison"]
    new["indicator_value"] = new["indicator_value"].with_columns(lag_years=pl.lit(0))
    assert found(edition(), new).is_empty()
    assert found(new, edition()).is_empty()


def test_members_that_changed_are_a_definition_and_explain_the_group() -> None:
    new = edition(catalog_sha256="d")
    new["region_member"] = new["region_member"].filter(
        ~((pl.col("municipality_code") == "GM0002") & (pl.col("period") == "2023"))
    )
    is_group = (pl.col("region_code") == "CORE") & (pl.col("measurement_year") == 2023)
    new["indicator_value"] = new["indicator_value"].with_columns(value=pl.when(is_group).then(22.0).otherwise("value"))
    result = found(edition(code_version="0"), new)
    assert said(result, "region_member", "column_name", "old_value", "new_value", "kind", "cause") == [
        ("municipality_code", "GM0002", None, "withdrawn", "catalogue_change")
    ]
    assert causes(result, "indicator_value") == {"catalogue_change"}


def test_a_score_has_the_cause_of_the_figures_under_its_theme() -> None:
    framework = pl.DataFrame(
        {"framework": "btg", "element_id": ["btg_overall", "btg_income", "income"],
         "parent_id": [None, "btg_overall", "btg_income"], "weight": [1.0, 0.5, 0.25],
         "goalpost_low": [None, None, 10.0]}
    )  # fmt: skip
    scores = pl.DataFrame(
        {"measurement_year": 2023, "framework": "btg", "theme_id": ["btg_income", "btg_overall"],
         "region_code": "GM0002", "method": "m", "score": [0.4, 0.5]},
        schema_overrides={"measurement_year": pl.Int32},
    )  # fmt: skip
    old = edition() | {"framework_element": framework, "theme_score": scores}
    new = edition(income={**INCOME, ("GM0001", "2023"): 24.0}, input_sha256="j", code_version="2")
    new |= {
        "framework_element": framework.with_columns(goalpost_low=pl.col("goalpost_low") + 1),
        "theme_score": scores.with_columns(score=pl.col("score") + 0.1),
    }
    result = found(old, new)
    assert causes(result, "theme_score") == {"source_revision"}
    assert causes(result, "framework_element") == {"source_revision"}  # the goalpost follows the figures
    # A component weight of a theme of which no figure moved follows those of the whole framework.
    sibling = {"framework": "btg", "element_id": "btg_safety", "parent_id": "btg_overall", "weight": 0.5}
    weighed = [
        {
            "framework_element": pl.concat([framework, pl.DataFrame([sibling])], how="diagonal").with_columns(
                pca_weight=x
            )
        }
        for x in (0.5, 0.6)
    ]
    result = found(old | weighed[0], new | weighed[1])
    assert causes(result, "framework_element", "btg_safety") == {"source_revision"}
    reweighed = new | {"framework_element": framework.with_columns(weight=pl.col("weight") / 2)}
    assert causes(found(old, reweighed), "theme_score") == {"catalogue_change"}


def test_a_corrected_numerator_explains_the_ratio_made_of_it() -> None:
    """The ratio per inhabitant stands under its numerator's table; it has no correction of its own."""
    ratio: dict[str, Any] = {"definition": {"group_method": "ratio"}}
    numerator = pl.DataFrame([CORRECTION | {"indicator_id": "benefits"}])
    new = edition(income={**INCOME, ("GM0001", "2023"): 24.0}, corrections=numerator, input_sha256="j", **ratio)
    result = found(edition(**ratio), new)
    assert causes(result, "observation") == {"correction"}
    assert causes(result, "indicator_value") == {"correction"}


def test_survey_figures_that_were_computed_otherwise_are_no_source_revision() -> None:
    """The answers are the same, the software is not: nobody published another figure."""
    result = found(edition(), edition(income={**INCOME, ("GM0001", "2023"): 22.4}, code_version="2"))
    assert set(result["cause"]) == {"method_version"}


def with_bytes(tables: Tables, **sha256: str | None) -> Tables:
    """The edition with the table `source`: the checksum of each source table."""
    rows = [("publisher", name, checksum) for name, checksum in sha256.items()]
    schema = dict.fromkeys([*KEYS["source"], "sha256"], pl.String)
    return tables | {"source": pl.DataFrame(rows, schema=schema, orient="row")}


@pytest.mark.parametrize(
    ("made_from", "cause"),
    [({"code_version": "2"}, "method_version"), ({"catalog_sha256": "d"}, "catalogue_change"), ({}, "unexplained")],
)
def test_a_figure_made_of_the_same_bytes_is_not_revised_by_its_source(made_from: dict[str, Any], cause: str) -> None:
    """Another table changed, and with it the input as a whole; not the one that this figure is in."""
    old = with_bytes(edition(), A="same", B="old")
    new = edition("2024-2", income={**INCOME, ("GM0001", "2023"): 24.0}, input_sha256="j", **made_from)
    result = found(old, with_bytes(new, A="same", B="new"))
    for table in ("observation", "indicator_value", "comparison"):
        assert causes(result, table) == {cause}, table
    for now in ("other", None):  # other bytes, and bytes nobody knows
        assert causes(found(old, with_bytes(new, A=now)), "observation") == {"source_revision"}
    unknown = found(with_bytes(edition(), A=None), with_bytes(new, A=None))
    assert causes(unknown, "observation") == {"source_revision"}


def test_a_period_that_was_in_the_same_bytes_all_along_is_no_new_data() -> None:
    earlier = {key: value for key, value in INCOME.items() if key[1] == "2022"}
    old = with_bytes(edition(income=earlier, refers_to={2022: "2022", 2023: "2022"}), A="same")
    new = edition(catalog_sha256="d", input_sha256="j")
    for bytes_now, cause in (("same", "catalogue_change"), ("other", "new_data")):
        result = found(old, with_bytes(new, A=bytes_now))
        assert causes(result, "observation") == {cause}
        assert causes(result, "indicator_value", "=income") == {cause}


def test_a_ratio_of_which_the_denominator_was_revised_is_a_source_revision() -> None:
    """It stands under its numerator's table, of which the bytes are the same."""

    def with_people_from_b(tables: Tables, checksum: str) -> Tables:
        table = pl.when(indicator_id="people").then(pl.lit("B")).otherwise("source_table").alias("source_table")
        moved = {name: tables[name].with_columns(table) for name in ("observation", "indicator_value")}
        return with_bytes(tables | moved, A="same", B=checksum)

    of_b: dict[str, Any] = {"definition": {"group_method": "ratio"}}
    old = with_people_from_b(edition(**of_b), "old")
    of_b |= {"income": {**INCOME, ("GM0001", "2023"): 20.0}, "input_sha256": "j", "code_version": "2"}
    new = with_people_from_b(edition(people={**PEOPLE, ("GM0001", "2023"): 33.0}, **of_b), "new")
    assert causes(found(old, new), "observation", "=income") == {"source_revision"}
    # Where its own denominator is the same, it is not.
    same = with_people_from_b(edition(**of_b), "new")
    assert causes(found(old, same), "observation", "=income") == {"method_version"}


def test_a_warning_that_the_series_gave_has_the_cause_of_what_the_edition_was_made_from() -> None:
    new = edition(input_sha256="j")
    new["observation"] = new["observation"].with_columns(warnings=pl.lit(["unusual_change"]))
    result = found(with_bytes(edition(), A="same"), with_bytes(new, A="same"))
    assert causes(result, "observation") == {"source_revision"}


def test_a_figure_that_is_suppressed_now_is_not_repeated() -> None:
    """Neither where it stands nor in what was computed of it; what is not hidden is told as ever."""
    old = edition()
    hidden: dict[tuple[str, str], float | None] = {**INCOME, ("GM0001", "2023"): None, ("GM0002", "2022"): 41.0}
    new = edition(income=hidden, status={("GM0001", "2023"): "suppressed"}, input_sha256="j")
    score = {"measurement_year": 2023, "framework": "f", "theme_id": "t", "region_code": "GM0001", "method": "m"}
    for tables, number in ((old, 0.25), (new, None)):
        types = {"measurement_year": pl.Int32, "score": pl.Float64}
        tables["theme_score"] = pl.DataFrame([score | {"score": number}], schema_overrides=types)
    result = found(old, new)
    about = result.filter(pl.col("row_key").str.contains("GM0001") & pl.col("row_key").str.contains("2023"))
    assert {*about["table_name"]} == {"observation", "indicator_value", "comparison", "theme_score"}
    told = about.filter(pl.col("old_value").is_not_null())
    assert told.select("table_name", "column_name", "old_value", "new_value").rows() == [
        ("comparison", "verdict", "worse", "not_decidable"),
        ("indicator_value", "status", "definitive", "suppressed"),
        ("observation", "status", "definitive", "suppressed"),
    ]
    assert ("40.0", "41.0") in said(result, "indicator_value", "old_value", "new_value")
    # A figure that is hidden no longer is told.
    assert (None, "22.0") in said(found(new, old), "indicator_value", "old_value", "new_value")


def test_a_figure_that_is_suppressed_now_is_suppressed_in_every_edition() -> None:
    old = edition()["indicator_value"]
    income: dict[tuple[str, str], float | None] = {**INCOME, ("GM0001", "2023"): None}
    now = edition(income=income, status={("GM0001", "2023"): "suppressed"})["indicator_value"]
    before = pl.DataFrame(schema=BY_EDITION)
    result = value_by_edition({"2024-1": old}, before, now)
    is_hidden = (pl.col("measurement_year") == 2023) & (pl.col("indicator_id") == "income") & (
        pl.col("region_code") == "GM0001"
    )  # fmt: skip
    assert result.schema == BY_EDITION
    assert result.filter(is_hidden).select("value", "ci_low", "ci_high", "status").rows() == [
        (None, None, None, "suppressed")
    ]
    without = value_by_edition({"2024-1": old}, before)
    assert result.filter(~is_hidden).rows() == without.filter(~is_hidden).rows()


def test_other_peers_have_the_cause_of_the_figures_they_were_chosen_by() -> None:
    def with_peers(tables: Tables, peer: str) -> Tables:
        group = pl.DataFrame({"group_code": "PEERS_GM0001", "municipality_code": peer, "period": "2023"})
        variables = pl.DataFrame({"region_code": "GM0001", "peer_code": peer, "variables": "people 2023;income 2022"})
        return tables | {"region_member": pl.concat([tables["region_member"], group]), "peer": variables}

    people = {**PEOPLE, ("GM0002", "2023"): 11.0}
    old = with_peers(edition(), "GM0003")
    new = with_peers(edition(people=people, input_sha256="j", code_version="2"), "GM0004")
    result = found(old, new)
    assert result.filter(table_name="region_member").height == 2
    assert causes(result, "region_member") == {"source_revision"}
    # Nothing published differs: then it is the software that chose otherwise.
    same = with_peers(edition(code_version="2"), "GM0004")
    assert causes(found(old, same), "region_member") == {"method_version"}


def test_an_adjusted_p_value_has_the_cause_of_the_other_town_s_figure() -> None:
    old = edition()
    new = edition(income={**INCOME, ("GM0001", "2023"): 24.0}, input_sha256="j", code_version="2")
    for tables, adjusted in ((old, 0.04), (new, 0.06)):
        of_other = (pl.col("region_code") == "GM0002") & (pl.col("measurement_year") == 2023)
        tables["comparison"] = tables["comparison"].with_columns(
            comparator_code=pl.lit("NL01"), p_value_adjusted=pl.when(of_other).then(adjusted)
        )
    result = found(old, new).filter(column_name="p_value_adjusted")
    assert result.select("kind", "cause").rows() == [("interval", "source_revision")]


def test_the_kinds_of_columns() -> None:
    assert kind_of("comparison", "difference_ci_low") == "interval"
    assert kind_of("indicator_value", "warnings") == "status"
    assert kind_of("sensitivity", "rank_high") == "interval"
    assert kind_of("change", "verdict") == "value"
    assert kind_of("indicator_source", "series_id") == "definition"


def test_lists_are_joined_and_an_empty_one_is_nothing() -> None:
    new = edition(input_sha256="j")
    new["indicator_value"] = new["indicator_value"].with_columns(
        warnings=pl.when(pl.col("region_code") == "CORE").then(["covid_period", "no_margin"]).otherwise("warnings")
    )
    result = found(edition(), new)
    assert set(said(result, "indicator_value", "old_value", "new_value", "kind")) == {
        (None, "covid_period;no_margin", "status")
    }


def test_every_figure_as_every_edition_had_it() -> None:
    first, second = (
        edition()["indicator_value"],
        edition(income={**INCOME, ("GM0001", "2023"): 24.0})["indicator_value"],
    )
    before = pl.DataFrame(
        {"edition": ["2022-published"], "measurement_year": [2022], "indicator_id": ["happiness"],
         "region_code": ["TWENTE"], "breakdown": ["total"], "value": [7.1], "status": ["definitive"],
         "url": ["https://example.org/report.pdf"]}
    )  # fmt: skip
    result = value_by_edition({"2024-2": second, "2024-1": first}, before)
    assert result.schema == BY_EDITION
    assert result.rows() == result.sort(KEYS["value_by_edition"]).rows()
    assert result.unique(KEYS["value_by_edition"]).height == result.height == first.height * 2 + 1
    town = result.filter(measurement_year=2023, indicator_id="income", region_code="GM0001")
    assert town.select("edition", "value", "url").rows() == [("2024-1", 22.0, None), ("2024-2", 24.0, None)]
    assert result["url"][0] == "https://example.org/report.pdf"
    assert value_by_edition({}, before.clear()).schema == BY_EDITION


def test_a_whole_edition_equals_itself_and_shows_what_is_planted(edition_from_folder: Path) -> None:
    folder = next((edition_from_folder / "editions").glob("*-draft")) / "parquet"
    new = {file.stem: pl.read_parquet(file) for file in folder.glob("*.parquet")}
    assert revisions(new, new, KEYS).is_empty()
    # One published figure was another in the old edition, and with it what the edition made of it.
    town = (pl.col("indicator_id") == "net_labour_participation") & (pl.col("region_code") == "GM0153")
    lower = pl.when(town & pl.col("value").is_not_null()).then(pl.col("value") - 0.5).otherwise("value").alias("value")
    old = new | {name: new[name].with_columns(lower) for name in ("observation", "indicator_value", "comparison")}
    old["source"] = new["source"].with_columns(sha256=pl.lit("f" * 64))
    result = revisions(old, new, KEYS)
    assert set(result["table_name"]) == {"observation", "indicator_value", "comparison"}
    assert set(result["column_name"]) == {"value"}
    assert set(result["cause"]) == {"source_revision"}
    assert (
        result.filter(table_name="observation").height
        == new["observation"].filter(town, pl.col("value").is_not_null()).height
    )
