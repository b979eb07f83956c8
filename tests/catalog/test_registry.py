"""The column registry: everything described once, in both languages, and exactly the tables that were promised."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
import yaml
from polars.exceptions import ColumnNotFoundError, InvalidOperationError

from catalog import Catalogue, Table, frames
from catalog.load import FOLDER

# The contract with the users of the published tables: name | key | further columns, in this order.
PROMISED = """
region | region_code | name kind parent_code valid_from valid_to population population_period geometry_wkb
region_member | group_code municipality_code period |
theme | theme_id | framework name_nl name_en question_nl sort_order
indicator | indicator_id | theme_id layer headline name_nl name_en definition_nl definition_en unit decimals \
 scale_min scale_max polarity group_method weight max_lag_years min_relevant_difference nominal_euro
indicator_source | indicator_id source_table | source_id source_column unit period_first period_last priority \
 series_id kind rounding_unit note
source | source_id source_table | publisher title licence url retrieved_at modified_at sha256 bytes rows \
 provisional_periods
observation | indicator_id region_code period breakdown source_table | value ci_low ci_high n status warnings
indicator_value | measurement_year indicator_id region_code breakdown | reference_period lag_years value ci_low \
 ci_high standard_error n n_effective degrees_of_freedom status warnings source_table series_id
comparison | measurement_year indicator_id region_code comparator_code breakdown | reference_period value \
 comparator_value difference difference_ci_low difference_ci_high relative_difference p_value p_value_adjusted verdict \
 basis warnings
change | measurement_year baseline_year indicator_id region_code breakdown quantity | reference_period \
 baseline_reference_period value baseline_value difference difference_ci_low difference_ci_high relative_difference \
 p_value p_value_adjusted verdict basis warnings
theme_score | measurement_year framework theme_id region_code method | score grade ci_low ci_high rank rank_low \
 rank_high rank_of coverage status method_version standard_error warnings
target | target_id | line_id text_nl text_en kind threshold unit article baseline_value baseline_date unit_nl \
 judged_by sort_order synthetic
target_progress | year target_id | achieved planned share status evidence_count as_of line_id reason synthetic
budget_progress | year line_id financing_source | budget budget_kind committed paid forecast share warning received \
 agreement_id as_of synthetic
milestone | project_id milestone_id | text planned_on reached_on status as_of synthetic
lesson | bureau lesson_id | year line_id kind assumed observed consequence causal_sentences synthetic
claim | claim_id language | sentence table_name row_key rule
revision | edition previous_edition table_name row_key column_name | old_value new_value kind cause
value_by_edition | edition measurement_year indicator_id region_code breakdown | value status reference_period ci_low \
 ci_high source_table url
edition | edition | measurement_year created_at code_version catalog_sha256 lock_sha256 input_sha256 contains_synthetic
check_result | check_id asset partition | severity passed observed expected rows_failed message
data_dictionary | table_name column_name | type unit description_nl description_en
"""
OUR_OWN = {
    *("group_weight", "municipality_crosswalk", "observation_restated"),
    *("survey_wave", "survey_item", "survey_estimate", "survey_contrast", "small_area_estimate"),
    *("trend", "position", "framework_element", "sensitivity", "sensitivity_pair", "sensitivity_factor", "coherence"),
    *("peer", "typology", "expected_value", "decomposition"),
    *("correction", "edition_input", "erratum", "code_list"),
    *("programme_line", "policy_indicator", "project", "programme_text", "deadline", "report_requirement"),
}

# The closed vocabularies of the contract.
VOCABULARIES = {
    "status": "definitive provisional estimated not_measured not_published not_retrieved suppressed not_applicable",
    "warning": "model_based whole_percent no_margin break_in_series carried_forward newer_published nominal_prices "
    "weight_approximate unusual_change small_n definition_differs boundary_change covid_period survey_mode "
    "self_selected synthetic",
    "verdict": "better worse higher lower no_demonstrable_difference not_decidable no_new_measurement not_comparable",
    "basis": "register interval none",
    "kind": "register sample model",
    "layer": "official experienced context",
    "framework": "btg cbs",
    "group_method": "sum weighted_mean ratio none",
    "quantity": "value relative_to_nl",
    "region_kind": "municipality group region province country rest_of_country",
    "statistic": "mean share",
    "survey_mode": "web paper telephone mixed",
    "participation": "sample open",
    "wave_origin": "rows stored_estimates aggregates",
    "trend_quantity": "value relative_to_nl relative_to_rest difference relative_difference",
    "movement": "slope since_previous since_baseline",
    "reason": "too_few_points nominal_prices no_value no_margin model_based no_better_than_mean "
    "too_few_municipalities not_shared",
    "among": "region country urbanity_class",
    "position": "best_quarter worst_quarter highest_quarter lowest_quarter middle_half not_certain not_decidable",
    "goalpost_origin": "baseline chosen",
    "score_method": "goalposts_arithmetic min_max_arithmetic z_score_arithmetic percentile_arithmetic "
    "goalposts_geometric goalposts_harmonic goalposts_arithmetic_pca",
    "factor": "normalisation mean weights left_out sampling_error",
    "coherence_measure": "correlation cronbach_alpha pca_explained_share pca_loading effective_weight",
    "expectation": "above_expected below_expected as_expected refused",
    "component": "difference composition within not_broken_down",
    "target_kind": "count direction deliverable",
    "target_status": "reached on_course behind not_started not_decidable",
    "target_reason": "no_register register_too_old "
    "no_plan no_count no_baseline not_covered no_measurement no_baseline_wave no_new_wave "
    "other_place modelled uncertain",
    "financing_source": "state regional public public_money public_in_kind private_in_kind in_kind total "
    "additional_private",
    "budget_kind": "maximum minimum",
    "budget_warning": "above_maximum below_minimum below_ambition above_overhead below_state",
    "lesson_kind": "assumption condition",
}
# Where the words of a vocabulary stand.
OF_COLUMN = {
    ("observation", "status"): "status",
    ("observation", "warnings"): "warning",
    ("indicator_value", "status"): "status",
    ("indicator_value", "warnings"): "warning",
    ("comparison", "verdict"): "verdict",
    ("comparison", "basis"): "basis",
    ("comparison", "warnings"): "warning",
    ("change", "verdict"): "verdict",
    ("change", "basis"): "basis",
    ("change", "warnings"): "warning",
    ("change", "quantity"): "quantity",
    ("region", "kind"): "region_kind",
    ("indicator", "layer"): "layer",
    ("indicator", "group_method"): "group_method",
    ("indicator_source", "kind"): "kind",
    ("theme", "framework"): "framework",
    ("survey_wave", "mode"): "survey_mode",
    ("survey_wave", "participation"): "participation",
    ("survey_wave", "origin"): "wave_origin",
    ("survey_estimate", "statistic"): "statistic",
    ("survey_estimate", "status"): "status",
    ("survey_estimate", "warnings"): "warning",
    ("survey_contrast", "warnings"): "warning",
    ("small_area_estimate", "status"): "status",
    ("small_area_estimate", "warnings"): "warning",
    ("trend", "quantity"): "trend_quantity",
    ("trend", "movement"): "movement",
    ("trend", "verdict"): "verdict",
    ("trend", "basis"): "basis",
    ("position", "among"): "among",
    ("position", "position"): "position",
    ("theme_score", "method"): "score_method",
    ("theme_score", "status"): "status",
    ("sensitivity", "among"): "among",
    ("sensitivity_factor", "factor"): "factor",
    ("coherence", "measure"): "coherence_measure",
    ("framework_element", "goalpost_origin"): "goalpost_origin",
    ("framework_element", "quantity"): "quantity",
    ("expected_value", "expectation"): "expectation",
    ("decomposition", "component"): "component",
    ("target", "kind"): "target_kind",
    ("target_progress", "status"): "target_status",
    ("target_progress", "reason"): "target_reason",
    ("budget_progress", "financing_source"): "financing_source",
    ("budget_progress", "budget_kind"): "budget_kind",
    ("budget_progress", "warning"): "budget_warning",
    ("lesson", "kind"): "lesson_kind",
}


def promised() -> dict[str, tuple[list[str], list[str]]]:
    rows = [[cell.split() for cell in line.split("|")] for line in PROMISED.strip().splitlines()]
    return {name[0]: (key, further) for name, key, further in rows}


@pytest.mark.parametrize(("name", "columns"), promised().items(), ids=promised())
def test_each_table_has_the_key_and_columns_that_users_rely_on(
    catalogue: Catalogue, name: str, columns: tuple[list[str], list[str]]
) -> None:
    table = catalogue.registry[name]
    key, further = columns
    assert table.key == key
    assert table.column_names == [*key, *further]


def test_there_are_no_other_tables(catalogue: Catalogue) -> None:
    assert set(catalogue.registry.tables) == set(promised()) | OUR_OWN


@pytest.mark.parametrize(("name", "words"), VOCABULARIES.items(), ids=VOCABULARIES)
def test_the_vocabularies_are_closed(catalogue: Catalogue, name: str, words: str) -> None:
    assert set(catalogue.vocabulary[name]) == set(words.split())


def test_every_word_is_explained_in_both_languages(catalogue: Catalogue) -> None:
    for name, terms in catalogue.vocabulary.items():
        for word, term in terms.items():
            texts = (term.label_nl, term.label_en, term.explanation_nl, term.explanation_en)
            assert all(text.strip() for text in texts), f"{name}.{word}"
    for verdict in catalogue.vocabulary["verdict"].values():
        assert verdict.label_change_nl
        assert verdict.label_change_en


def column(catalogue: Catalogue, table: str, name: str) -> Any:
    return next(column for column in catalogue.registry[table].columns if column.name == name)


@pytest.mark.parametrize(("place", "vocabulary"), OF_COLUMN.items(), ids=".".join)
def test_columns_with_a_vocabulary_say_which(catalogue: Catalogue, place: tuple[str, str], vocabulary: str) -> None:
    assert column(catalogue, *place).vocabulary == vocabulary


def tables(catalogue: Catalogue) -> list[Table]:
    return list(catalogue.registry.tables.values())


def test_every_table_and_column_is_described_in_both_languages(catalogue: Catalogue) -> None:
    for table in tables(catalogue):
        for entry in (table, *table.columns):
            place = f"{table.name}.{entry.name}"
            assert entry.description_nl != entry.description_en, place
            assert entry.description_nl.endswith("."), place
            assert entry.description_en.endswith("."), place


def test_every_described_column_is_used(catalogue: Catalogue) -> None:
    written = yaml.safe_load((FOLDER / "columns.yaml").read_text(encoding="utf-8"))
    used = {key for table in written["tables"].values() for key in table["columns"]}
    assert used == set(written["columns"])


def test_every_key_and_required_column_is_a_column_and_no_column_is_twice(catalogue: Catalogue) -> None:
    for table in tables(catalogue):
        assert set(table.key) | set(table.required) <= set(table.column_names), table.name
        assert not set(table.key) & set(table.required), table.name
        assert len(set(table.column_names)) == len(table.column_names), table.name
        assert table.column_names[: len(table.key)] == table.key, table.name


def test_every_reference_leads_to_a_table_with_that_key(catalogue: Catalogue) -> None:
    for table in tables(catalogue):
        for found in table.columns:
            if found.references:
                assert len(catalogue.registry[found.references].key) == 1, f"{table.name}.{found.name}"


def test_bounds_are_the_right_way_round(catalogue: Catalogue) -> None:
    for table in tables(catalogue):
        for found in table.columns:
            if found.minimum is not None and found.maximum is not None:
                assert found.minimum < found.maximum, f"{table.name}.{found.name}"


def test_one_column_name_has_one_type_in_all_tables(catalogue: Catalogue) -> None:
    types: dict[str, set[str]] = {}
    for table in tables(catalogue):
        for found in table.columns:
            types.setdefault(found.name, set()).add(found.type)
    several = {name: found for name, found in types.items() if len(found) > 1}
    # The catalogue's weight is an expression, that of a municipality in a group a number.
    assert several == {"weight": {"VARCHAR", "DOUBLE"}}


@pytest.mark.parametrize(
    ("table", "name", "kind"),
    [
        ("observation", "period", "VARCHAR"),
        ("observation", "warnings", "VARCHAR[]"),
        ("observation", "value", "DOUBLE"),
        ("indicator_value", "measurement_year", "INTEGER"),
        ("region", "geometry_wkb", "BLOB"),
        ("indicator", "headline", "BOOLEAN"),
    ],
)
def test_types_are_those_of_the_contract(catalogue: Catalogue, table: str, name: str, kind: str) -> None:
    assert column(catalogue, table, name).type == kind


def test_the_data_dictionary_holds_every_column_once(catalogue: Catalogue) -> None:
    dictionary = frames.data_dictionary(catalogue)
    expected = sorted((table.name, name) for table in tables(catalogue) for name in table.column_names)
    assert dictionary.select("table_name", "column_name").rows() == expected
    assert dictionary.select(pl.col("description_nl", "description_en", "type").null_count()).row(0) == (0, 0, 0)


def test_the_descriptive_tables_fit_the_registry(catalogue: Catalogue) -> None:
    themes = frames.themes(catalogue)
    assert themes.columns == catalogue.registry["theme"].column_names
    assert themes.height == 11 + 8
    assert themes.sort("sort_order")["theme_id"].to_list() == [theme.theme_id for theme in catalogue.themes]
    for name, frame in (
        ("indicator", frames.indicators(catalogue)),
        ("indicator_source", frames.indicator_sources(catalogue)),
    ):
        fitted = catalogue.registry[name].conform(frame)
        assert fitted.height == frame.height
        assert fitted.select(catalogue.registry[name].key).is_unique().all()


SMALL = Table(
    name="small",
    description_nl="Klein.",
    description_en="Small.",
    key=["code"],
    required=["count"],
    columns=[
        {"name": name, "type": kind, "description_nl": "Kolom.", "description_en": "Column."}
        for name, kind in (("code", "VARCHAR"), ("count", "BIGINT"), ("value", "DOUBLE"), ("tags", "VARCHAR[]"))
    ],
)


def test_a_frame_gets_the_columns_types_and_order_of_its_table() -> None:
    found = SMALL.conform(pl.DataFrame({"extra": [1, 2], "count": [1, 2], "code": ["b", "a"]}))
    assert found.schema == {"code": pl.String, "count": pl.Int64, "value": pl.Float64, "tags": pl.List(pl.String)}
    assert found.rows() == [("a", 2, None, None), ("b", 1, None, None)]


def test_a_frame_without_a_key_or_a_required_column_is_our_own_mistake() -> None:
    for columns in ({"code": ["a"]}, {"count": [1]}):
        with pytest.raises(ColumnNotFoundError):
            SMALL.conform(pl.DataFrame(columns))
    with pytest.raises(InvalidOperationError):
        SMALL.conform(pl.DataFrame({"code": ["a"], "count": ["many"]}))
