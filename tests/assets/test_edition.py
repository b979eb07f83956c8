"""The edition that a measurement makes: what the contract with its users promises, held against the files."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
import stat
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
import shapely

from assets.tables import CATALOGUE
from catalog import Table
from reports import editions

TABLES = CATALOGUE.registry.tables
EXEMPT = {"edition", "check_result"}  # they hold times
YEARS = [2022, 2023, 2024, 2025]

# The names that analysts' scripts rely on: key, then further columns.
CONTRACT = {
    "region": "region_code | name kind parent_code valid_from valid_to population population_period geometry_wkb",
    "region_member": "group_code municipality_code period |",
    "theme": "theme_id | framework name_nl name_en question_nl sort_order",
    "indicator": "indicator_id | theme_id layer headline name_nl name_en definition_nl definition_en unit decimals "
    "scale_min scale_max polarity group_method weight max_lag_years min_relevant_difference nominal_euro",
    "indicator_source": "indicator_id source_table | source_id source_column unit period_first period_last priority "
    "series_id kind rounding_unit note",
    "source": "source_id source_table | publisher title licence url retrieved_at modified_at sha256 bytes rows "
    "provisional_periods",
    "observation": "indicator_id region_code period breakdown source_table | value ci_low ci_high n status warnings",
    "indicator_value": "measurement_year indicator_id region_code breakdown | reference_period lag_years value ci_low "
    "ci_high standard_error n n_effective degrees_of_freedom status warnings source_table series_id",
    "comparison": "measurement_year indicator_id region_code comparator_code breakdown | reference_period value "
    "comparator_value difference difference_ci_low difference_ci_high relative_difference p_value p_value_adjusted "
    "verdict basis warnings",
    "change": "measurement_year baseline_year indicator_id region_code breakdown quantity | reference_period "
    "baseline_reference_period value baseline_value difference difference_ci_low difference_ci_high "
    "relative_difference p_value p_value_adjusted verdict basis warnings",
    "theme_score": "measurement_year framework theme_id region_code method | score grade ci_low ci_high rank rank_low "
    "rank_high rank_of coverage status method_version standard_error warnings",
    "value_by_edition": "edition measurement_year indicator_id region_code breakdown | value status reference_period "
    "ci_low ci_high source_table url",
    "target": "target_id | line_id text_nl text_en kind threshold unit article baseline_value baseline_date unit_nl "
    "judged_by sort_order synthetic",
    "target_progress": "year target_id | achieved planned share status evidence_count as_of line_id reason synthetic",
    "budget_progress": "year line_id financing_source | budget budget_kind committed paid forecast share warning "
    "received agreement_id as_of synthetic",
    "milestone": "project_id milestone_id | text planned_on reached_on status as_of synthetic",
    "lesson": "bureau lesson_id | year line_id kind assumed observed consequence causal_sentences synthetic",
    "claim": "claim_id language | sentence table_name row_key rule",
    "revision": "edition previous_edition table_name row_key column_name | old_value new_value kind cause",
    "edition": "edition | measurement_year created_at code_version catalog_sha256 lock_sha256 input_sha256 "
    "contains_synthetic",
    "check_result": "check_id asset partition | severity passed observed expected rows_failed message",
    "data_dictionary": "table_name column_name | type unit description_nl description_en",
}
SURVEY = {"survey_wave", "survey_item", "survey_estimate", "survey_contrast", "small_area_estimate"}
SENSITIVITY = {"sensitivity", "sensitivity_pair", "sensitivity_factor"}
# Beside the contract.
OUR_OWN = (
    {"group_weight", "municipality_crosswalk", "observation_restated"}
    | SURVEY
    | {"trend", "position", "framework_element", "coherence", "peer", "typology", "expected_value", "decomposition"}
    | SENSITIVITY
    | {"correction", "edition_input", "erratum", "code_list"}
    | {"programme_line", "policy_indicator", "project", "programme_text", "deadline", "report_requirement"}
)
# No edition went before, nothing of it was found to be wrong, and no published figure is corrected.
EMPTY_AT_FIRST = {"revision", "erratum", "correction"}
# What programme bureaus state; those of the demo are invented.
OF_BUREAUS = {
    *("target", "target_progress", "policy_indicator", "budget_progress", "project", "milestone", "lesson"),
    *("programme_text", "report_requirement"),
}
# What is made of answers alone.
OF_ANSWERS = SURVEY | {"decomposition"}
WAVES = [wave.source_table for wave in CATALOGUE.survey.waves.values()]
# The indicators that the waves of the survey measure.
OF_WAVES = [i.indicator_id for i in CATALOGUE.indicators if {s.source_table for s in i.sources} & set(WAVES)]
LAYERS = {framework.framework: framework.layer for framework in CATALOGUE.analysis.frameworks}
BREAKDOWNS = [
    f"{name}={code}" for name, categories in CATALOGUE.survey.settings.breakdowns.items() for code in categories
]
STATUSES = {"definitive", "provisional", "estimated"}
MISSING = {"not_measured", "not_published", "not_retrieved", "suppressed", "not_applicable"}
WARNINGS = {
    "model_based", "whole_percent", "no_margin", "break_in_series", "carried_forward", "newer_published",
    "nominal_prices", "weight_approximate", "unusual_change", "small_n", "definition_differs", "boundary_change",
    "covid_period", "survey_mode", "self_selected", "synthetic",
}  # fmt: skip
VERDICTS = {
    "better", "worse", "higher", "lower", "no_demonstrable_difference", "not_decidable", "no_new_measurement",
    "not_comparable",
}  # fmt: skip

URBAN = ["GM0141", "GM0153", "GM0164"]
RURAL = [
    "GM0147", "GM0158", "GM0163", "GM0168", "GM0173", "GM0183", "GM0189", "GM1700", "GM1735", "GM1742", "GM1774",
]  # fmt: skip
FOURTEEN = sorted(URBAN + RURAL)
GROUPS = ["TWENTE", "URBAN_CORE", "RURAL", "NL01", "NL_REST"]
# RURAL without Borne, Haaksbergen, Oldenzaal and Rijssen-Holten: a second look, of everyone only.
NARROW = "RURAL_NARROW"
SEVEN = [code for code in RURAL if code not in ("GM0147", "GM0158", "GM0173", "GM1742")]
PEERS = [f"PEERS_{code}" for code in FOURTEEN]
# The regions that have a row for every indicator and year.
ALWAYS = [*FOURTEEN, *GROUPS, NARROW, *PEERS]


def of_others(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows that are not of the resident survey, nor of the programme."""
    if "indicator_id" in frame.columns:
        return frame.filter(~pl.col("indicator_id").is_in(OF_WAVES))
    if "framework" in frame.columns and "name_nl" not in frame.columns:  # scores, and not the list of themes
        return frame.filter(pl.col("framework").replace_strict(LAYERS) == "official")
    if "claim_id" in frame.columns:  # sentences; those that count are about both
        return frame.filter(~pl.col("claim_id").str.contains("experienced_|:btg:|^count_|^target:|^money:"))
    if "file" in frame.columns:
        return frame.filter(~pl.col("file").is_in(WAVES))
    return frame.filter(~pl.col("source_table").is_in(WAVES)) if "source_table" in frame.columns else frame


all_tables = pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)


@pytest.fixture(scope="module")
def draft(edition: Path) -> Path:
    return edition / "editions" / "2025-draft"


@pytest.fixture(scope="module")
def database(draft: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(draft / "btg.duckdb"), read_only=True)


@pytest.fixture(scope="module")
def published(draft: Path) -> Callable[[str], pl.DataFrame]:
    """A function that reads a table of the edition from its Parquet."""
    return lambda name: pl.read_parquet(draft / "parquet" / f"{name}.parquet")


# --- the files


def test_the_edition_holds_what_it_should(draft: Path) -> None:
    found = {path.relative_to(draft).as_posix() for path in draft.rglob("*") if path.is_file()}
    tables = {f"{form}/{name}.{form}" for form in ("parquet", "csv") for name in TABLES}
    beside = {"btg.duckdb", "quality/index.html", "quality/changes.html", "provenance.json", "SHA256SUMS"}
    if json.loads((draft / "provenance.json").read_text(encoding="utf-8"))["code"]["patch_sha256"]:
        beside |= {"input/uncommitted.patch"}
    beside |= {"btg.xlsx", "btg.ods", "site/index.html", "site/en/index.html", "report/geluksrapport_twente.pdf"}
    pictures = {name for name in found if name.startswith("charts/")}
    pages = {name for name in found if name.startswith(("site/", "report/"))}
    assert found == beside | tables | pictures | pages
    for indicator in CATALOGUE.headline_indicators:
        for form in ("svg", "png"):
            assert any(re.match(rf"charts/{indicator.indicator_id}.*\.{form}$", name) for name in pictures)
    for framework, form in product(LAYERS, ("svg", "png")):
        assert f"charts/rank_ranges_{framework}.{form}" in pictures


def test_nothing_half_made_stays_behind(edition: Path) -> None:
    assert [path.name for path in (edition / "editions").iterdir()] == ["2025-draft"]
    assert {path.name for path in edition.iterdir()} == {"btg.duckdb", "editions", "last_run", ".lock"}


def test_the_checksums_are_of_all_that_is_there(draft: Path) -> None:
    assert editions.faults(draft) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no mode bits")
def test_nobody_else_may_read_and_nobody_write_what_readers_open(edition: Path) -> None:
    """Least rights, unless BTG_UMASK says otherwise; and a session that may write would shut out other readers."""
    paths = [edition, *edition.rglob("*")]
    assert {path for path in paths if stat.S_IMODE(path.stat().st_mode) & 0o077} == set()
    assert stat.S_IMODE((edition / "btg.duckdb").stat().st_mode) == 0o400


def test_readers_open_the_draft(edition: Path, draft: Path) -> None:
    assert (edition / "btg.duckdb").read_bytes() == (draft / "btg.duckdb").read_bytes()


# --- the database


def test_the_tables_are_those_of_the_registry(database: duckdb.DuckDBPyConnection) -> None:
    found = database.sql("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'main'").fetchall()
    assert {name for (name,) in found} == set(TABLES)
    assert database.sql("SELECT count(*) FROM duckdb_views() WHERE NOT internal").fetchone() == (0,)


def test_the_names_are_those_that_scripts_rely_on() -> None:
    assert set(TABLES) - OUR_OWN == set(CONTRACT)
    for name, promised in CONTRACT.items():
        key, _, further = promised.partition("|")
        assert TABLES[name].key == key.split(), name
        assert TABLES[name].column_names == key.split() + further.split(), name


@all_tables
def test_types_are_those_of_the_registry(database: duckdb.DuckDBPyConnection, table: Table) -> None:
    rows = database.execute(
        "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ? ORDER BY column_index", [table.name]
    ).fetchall()
    assert rows == [(column.name, column.type) for column in table.columns]


@all_tables
def test_every_table_and_column_has_a_comment(database: duckdb.DuckDBPyConnection, table: Table) -> None:
    on_table = database.execute("SELECT comment FROM duckdb_tables() WHERE table_name = ?", [table.name]).fetchone()
    assert on_table == (f"{table.description_nl} / {table.description_en}",)
    on_columns = dict(
        database.execute(
            "SELECT column_name, comment FROM duckdb_columns() WHERE table_name = ?", [table.name]
        ).fetchall()
    )
    for column in table.columns:
        assert column.description_nl in on_columns[column.name]
        assert column.description_en in on_columns[column.name]
        assert not column.unit or f"[{column.unit}]" in on_columns[column.name]


def test_older_clients_can_open_the_database(database: duckdb.DuckDBPyConnection) -> None:
    (tags,) = database.sql("SELECT tags FROM duckdb_databases() WHERE NOT internal").fetchone() or ({},)
    assert tags["storage_version"].startswith("v1.4.0")


def test_nothing_is_left_beside_the_database(draft: Path) -> None:
    assert not (draft / "btg.duckdb.wal").exists()


# --- one content in three forms


def from_csv(path: Path, table: Table) -> pl.DataFrame:
    """The CSV read by Python alone, each field turned into what the data dictionary says it is."""
    read: dict[str, Callable[[str], Any]] = {
        "VARCHAR": str,
        "INTEGER": int,
        "BIGINT": int,
        "DOUBLE": float,
        "BOOLEAN": {"true": True, "false": False}.__getitem__,
        "BLOB": bytes.fromhex,
    }
    with path.open(encoding="utf-8", newline="") as file:
        header, *records = csv.reader(file)
    assert header == table.column_names
    columns: dict[str, list[Any]] = {}
    for place, column in enumerate(table.columns):
        fields = [record[place] for record in records]
        if column.type == "VARCHAR[]":
            columns[column.name] = [field.split(";") if field else [] for field in fields]
        else:
            columns[column.name] = [read[column.type](field) if field else None for field in fields]
    return pl.DataFrame(columns, schema=table.polars_schema)


@all_tables
def test_parquet_csv_and_duckdb_hold_the_same_rows(
    database: duckdb.DuckDBPyConnection, draft: Path, published: Callable[[str], pl.DataFrame], table: Table
) -> None:
    parquet = published(table.name)
    assert parquet.schema == table.polars_schema
    assert parquet.is_empty() == (table.name in EMPTY_AT_FIRST)
    assert parquet.select(table.key).is_unique().all()
    for other in (from_csv(draft / "csv" / f"{table.name}.csv", table), database.sql(f'FROM "{table.name}"').pl()):
        by_key = parquet.select(table.key).join(other, table.key, how="left", maintain_order="left")
        assert other.height == parquet.height
        assert by_key.select(table.column_names).equals(parquet)


@all_tables
def test_rows_stand_in_the_order_of_their_key(published: Callable[[str], pl.DataFrame], table: Table) -> None:
    frame = published(table.name)
    assert frame.equals(frame.sort(table.key, maintain_order=True))


@all_tables
def test_codes_are_trimmed_and_empty_text_is_null(published: Callable[[str], pl.DataFrame], table: Table) -> None:
    texts = published(table.name).select(pl.col(pl.String))
    for name in texts.columns:
        values = texts[name].drop_nulls()
        assert (values.str.strip_chars() == values).all(), name
        assert (values != "").all(), name


def test_no_number_is_nan_or_infinite(published: Callable[[str], pl.DataFrame]) -> None:
    for name in TABLES:
        numbers = published(name).select(pl.col(pl.Float64))
        for column in numbers:
            assert column.drop_nulls().is_finite().all(), (name, column.name)


# --- equal inputs, equal bytes


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_equal_inputs_give_equal_bytes(draft: Path, edition_elsewhere: Path, form: str) -> None:
    """The second run was made in another place, time zone, locale and hash seed, on one thread."""
    other = edition_elsewhere / "editions" / "2025-draft"
    differing = {
        name
        for name in TABLES
        if (draft / form / f"{name}.{form}").read_bytes() != (other / form / f"{name}.{form}").read_bytes()
    }
    assert differing <= EXEMPT


def test_equal_inputs_have_one_fingerprint(published: Callable[[str], pl.DataFrame], edition_elsewhere: Path) -> None:
    again = pl.read_parquet(edition_elsewhere / "editions" / "2025-draft" / "parquet" / "edition.parquet")
    same = ["edition", "measurement_year", "code_version", "catalog_sha256", "lock_sha256", "input_sha256"]
    assert published("edition").select(same).equals(again.select(same))


def test_equal_inputs_have_equal_checks(published: Callable[[str], pl.DataFrame], edition_elsewhere: Path) -> None:
    again = pl.read_parquet(edition_elsewhere / "editions" / "2025-draft" / "parquet" / "check_result.parquet")
    assert published("check_result").equals(again)


@pytest.fixture(scope="module")
def without_survey(edition_from_folder: Path) -> Callable[[str], pl.DataFrame]:
    """A function that reads a table of the run of a plain folder, in which nobody was asked anything."""
    folder = edition_from_folder / "editions" / "2025-draft" / "parquet"
    return lambda name: pl.read_parquet(folder / f"{name}.parquet")


@pytest.mark.parametrize("name", sorted(set(TABLES) - EXEMPT - OF_ANSWERS - OF_BUREAUS))
def test_official_figures_are_the_same_from_a_folder_and_whatever_residents_said(
    published: Callable[[str], pl.DataFrame], without_survey: Callable[[str], pl.DataFrame], name: str
) -> None:
    """The same figures, once bundled beside an invented survey, once in plain files without one."""
    official = of_others(published(name))
    assert official.equals(of_others(without_survey(name)))
    assert official.is_empty() == (name in EMPTY_AT_FIRST)


def test_equal_figures_are_equal_files_whether_bundled_or_in_a_folder(edition: Path, edition_from_folder: Path) -> None:
    found = [
        pl.read_parquet(output / "last_run" / "tables" / "raw" / "input_files.parquet")
        for output in (edition, edition_from_folder)
    ]
    assert found[0].select("file", "sha256").equals(found[1].select("file", "sha256"))


def test_without_a_survey_the_same_checks_are_made(
    published: Callable[[str], pl.DataFrame], without_survey: Callable[[str], pl.DataFrame]
) -> None:
    made = ["check_id", "asset", "partition", "severity", "expected"]
    checks, checks_without = published("check_result"), without_survey("check_result")
    assert checks.select(made).equals(checks_without.select(made))
    # What is found of the waves themselves is of no other table.
    others = ~pl.col("asset").is_in(["survey", "programme_register", *OF_BUREAUS])
    outcome = [*made, "passed", "rows_failed"]
    assert checks.filter(others).select(outcome).equals(checks_without.filter(others).select(outcome))
    assert checks_without.filter(asset="survey")["passed"].all()


def test_without_a_survey_nothing_is_said_of_what_residents_experience(
    without_survey: Callable[[str], pl.DataFrame],
) -> None:
    assert all(without_survey(name).is_empty() for name in OF_ANSWERS)
    values = without_survey("indicator_value").filter(pl.col("indicator_id").is_in(OF_WAVES))
    assert values.height == len(OF_WAVES) * len(YEARS) * len(ALWAYS)
    assert values["value"].null_count() == values.height
    for name, figure in (("trend", "estimate"), ("position", "value")):
        frame = without_survey(name).filter(pl.col("indicator_id").is_in(OF_WAVES))
        assert frame.height == frame[figure].null_count() > 0, name
        assert frame.select(pl.col("verdict" if name == "trend" else "position") == "not_decidable").to_series().all()
    scores = without_survey("theme_score").filter(pl.col("framework").replace_strict(LAYERS) == "experienced")
    assert scores.height == scores["score"].null_count() == scores["rank"].null_count() > 0
    for name in SENSITIVITY:
        assert set(without_survey(name)["framework"]) == {"cbs"}, name
    # Twente Board had a wave of each of these years, which is not at hand; of 2024 there was none.
    by_year = values.group_by("measurement_year").agg(pl.col("status").unique()).sort("measurement_year")
    assert dict(by_year.iter_rows()) == {
        2022: ["not_retrieved"],
        2023: ["not_retrieved"],
        2024: ["not_measured"],
        2025: ["not_retrieved"],
    }
    assert without_survey("edition")["contains_synthetic"].to_list() == [False]


def test_the_edition_says_what_it_was_made_from(published: Callable[[str], pl.DataFrame]) -> None:
    (row,) = published("edition").to_dicts()
    assert (row["edition"], row["measurement_year"]) == ("2025-draft", 2025)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", row["created_at"])
    assert row["contains_synthetic"] is True, "the survey of the demo is invented"
    assert row["catalog_sha256"] == CATALOGUE.sha256
    assert row["code_version"].startswith("0.")


def test_the_inputs_add_up_to_the_fingerprint_of_the_edition(published: Callable[[str], pl.DataFrame]) -> None:
    inputs = published("edition_input")
    assert {*WAVES, "figures.csv", "figures_origin.csv", "regions.csv"} <= set(inputs["file"])
    lines = "".join(f"{file} {sha256}\n" for file, sha256 in inputs.select("file", "sha256").rows())
    assert published("edition")["input_sha256"].item() == hashlib.sha256(lines.encode()).hexdigest()


# --- the editions before


def test_figures_that_were_published_before_stand_beside_with_their_source(
    published: Callable[[str], pl.DataFrame],
) -> None:
    """Twente Board: 7.1 in 2022 and 7.4 in 2025, for the Netherlands 6.9 in both years. No draft is among them."""
    grades = published("value_by_edition")
    assert grades.select("edition", "region_code", "value").rows() == [
        ("2022-published", "NL_REST", 6.9),
        ("2022-published", "TWENTE", 7.1),
        ("2025-published", "NL01", 6.9),
        ("2025-published", "TWENTE", 7.4),
    ]
    assert grades["url"].str.starts_with("https://").all()
    assert set(grades["source_table"]) <= set(published("source")["source_table"])


def test_every_word_of_a_vocabulary_is_explained_and_statuses_have_the_code_of_sdmx(
    published: Callable[[str], pl.DataFrame],
) -> None:
    words = published("code_list")
    assert set(words.select("vocabulary", "term").rows()) == {
        (name, term) for name, terms in CATALOGUE.vocabulary.items() for term in terms
    }
    for column in (column for table in TABLES.values() for column in table.columns if column.vocabulary):
        assert column.vocabulary in set(words["vocabulary"])
    codes = dict(words.filter(vocabulary="status").select("term", "sdmx_code").rows())
    assert set(codes) == STATUSES | MISSING
    # CL_OBS_STATUS 2.2: normal, provisional, estimated.
    assert (codes["definitive"], codes["provisional"], codes["estimated"]) == ("A", "P", "E")
    assert not {codes[word] for word in MISSING} & {None, "A", "P", "E"}
    assert words.filter(pl.col("vocabulary") != "status")["sdmx_code"].null_count() == words.height - len(codes)


# --- what is invented, and what small numbers would give away


def test_every_figure_of_the_invented_survey_says_that_it_is(published: Callable[[str], pl.DataFrame]) -> None:
    says = pl.col("warnings").list.contains("synthetic")
    for name in ("observation", "indicator_value", "comparison", "change"):
        frame = published(name)
        invented = frame.filter(pl.col("indicator_id").is_in(OF_WAVES), pl.col("value").is_not_null())
        assert invented.height, name
        assert invented.select(says.all()).item(), name
        assert frame.filter(~pl.col("indicator_id").is_in(OF_WAVES)).select(~says.any()).item(), name
    for name, figure in ("trend", "estimate"), ("position", "value"), ("decomposition", "contribution"):
        of_waves, others = pl.col("indicator_id").is_in(OF_WAVES), published(name).filter(says)
        assert published(name).filter(of_waves, pl.col(figure).is_not_null()).select(says.all()).item(), name
        assert others.height > 0, name
        assert others.select(of_waves.all()).item(), name
    for name in ("theme_score", "sensitivity"):
        frame = published(name).filter(pl.col("score").is_not_null())
        experienced = pl.col("framework").replace_strict(LAYERS) == "experienced"
        assert frame.select((says == experienced).all()).item(), name
        assert frame.select(says.any()).item(), name
    assert not published("expected_value").select(says.any()).item(), "what residents say is not expected of structure"
    for name in ("survey_estimate", "survey_contrast", "small_area_estimate"):
        assert published(name).select(says.all()).item(), name
    assert published("survey_wave")["synthetic"].to_list() == [True] * 3


def test_of_a_hidden_figure_no_number_is_published_anywhere(published: Callable[[str], pl.DataFrame]) -> None:
    hidden = published("survey_estimate").filter(status="suppressed")
    assert hidden.height > 1000
    numbers = hidden.select(pl.col(pl.Float64), pl.col(pl.Int64))
    assert numbers.null_count().row(0) == (hidden.height,) * len(numbers.columns)
    of_dimension = hidden.filter(pl.col("variable_id") == pl.col("indicator_id")).select(
        "measurement_year",
        "region_code",
        "breakdown",
        indicator_id=pl.col("indicator_id") + pl.when(statistic="share").then(pl.lit("_share")).otherwise(pl.lit("")),
    )
    key = of_dimension.columns
    values = published("indicator_value").join(of_dimension, key, how="semi")
    # A municipality that is hidden may be estimated by the model, which says so.
    assert set(values.filter(pl.col("value").is_not_null())["status"]) <= {"estimated"}
    of_waves = published("observation").filter(pl.col("source_table").is_in(WAVES))
    observed = of_waves.with_columns(measurement_year=pl.col("period").cast(pl.Int32)).join(
        of_dimension, key, how="semi"
    )
    assert observed.height
    assert set(observed.filter(pl.col("value").is_not_null())["status"]) <= {"estimated"}


def test_the_warnings_of_a_hidden_figure_are_those_of_its_wave_and_say_nothing_of_the_answers(
    published: Callable[[str], pl.DataFrame],
) -> None:
    """A share that has no margin is 0 or 100 percent: that it has none was once said of a hidden one."""
    hidden = published("survey_estimate").filter(status="suppressed")
    for name in ("survey_estimate", "observation", "indicator_value"):
        frame = published(name).filter(pl.col("source_table").is_in(WAVES), status="suppressed")
        assert frame.height
        said = frame.group_by("source_table", "indicator_id").agg(pl.col("warnings").list.join(";").unique())
        assert said.filter(pl.col("warnings").list.len() > 1).rows() == [], name
    assert not hidden.select(pl.col("warnings").list.contains("no_margin").any()).item()


# --- every row that was promised


def test_every_region_has_a_row_for_every_indicator_and_year(published: Callable[[str], pl.DataFrame]) -> None:
    ids = [indicator.indicator_id for indicator in CATALOGUE.indicators]
    promised = set(product(YEARS, ids, ALWAYS, ["total"]))
    found = set(published("indicator_value").select(TABLES["indicator_value"].key).iter_rows())
    assert promised <= found
    assert {row[-1] for row in found if NARROW in row} == {"total"}


def test_exactly_the_promised_pairs_are_compared(published: Callable[[str], pl.DataFrame]) -> None:
    ids = [i.indicator_id for i in CATALOGUE.indicators if i.group_method != "sum"]
    pairs = {
        (own, other)
        for own in [*FOURTEEN, "URBAN_CORE", "RURAL", "TWENTE"]
        for other in ("TWENTE", "NL01", "NL_REST")
        if own != other
    } | {("URBAN_CORE", "RURAL")}
    promised = {(year, indicator, *pair, "total") for year, indicator, pair in product(YEARS, ids, pairs)}
    promised |= {(year, i, own, f"PEERS_{own}", "total") for year, i, own in product(YEARS, ids, FOURTEEN)}
    narrow = [("URBAN_CORE", NARROW), *((NARROW, other) for other in ("TWENTE", "NL01", "NL_REST"))]
    promised |= {(year, indicator, *pair, "total") for year, indicator, pair in product(YEARS, ids, narrow)}
    # By sex, age and education, in the years in which residents were asked; nobody asked those of peers.
    surveyed = product([2022, 2023, 2025], OF_WAVES, pairs, BREAKDOWNS)
    promised |= {(year, indicator, *pair, breakdown) for year, indicator, pair, breakdown in surveyed}
    assert set(published("comparison").select(TABLES["comparison"].key).iter_rows()) == promised


def test_counts_are_not_compared(published: Callable[[str], pl.DataFrame]) -> None:
    counts = {i.indicator_id for i in CATALOGUE.indicators if i.group_method == "sum"}
    assert {"population", "households", "benefit_unemployment"} <= counts
    assert counts.isdisjoint(published("comparison")["indicator_id"])


def test_every_change_since_the_baseline_has_a_row(published: Callable[[str], pl.DataFrame]) -> None:
    ids = [indicator.indicator_id for indicator in CATALOGUE.indicators]
    promised = set(product([2023, 2024, 2025], [2022], ids, ALWAYS, ["total"], ["value"]))
    promised |= set(product([2023, 2025], [2022], OF_WAVES, FOURTEEN + GROUPS, BREAKDOWNS, ["value"]))
    found = set(published("change").select(TABLES["change"].key).iter_rows())
    assert {row for row in found if row[-1] == "value"} == promised
    relative = {row for row in found if row[-1] == "relative_to_nl"}
    assert (2025, 2022, "income_standardised_mean", "TWENTE", "total", "relative_to_nl") in relative
    assert not [row for row in relative if row[3] == "NL01"]


def test_regions_have_their_kind_and_parent(published: Callable[[str], pl.DataFrame]) -> None:
    parents = {row["region_code"]: (row["kind"], row["parent_code"]) for row in published("region").to_dicts()}
    assert all(parents[code] == ("municipality", "URBAN_CORE") for code in URBAN)
    assert all(parents[code] == ("municipality", "RURAL") for code in RURAL)
    assert parents["TWENTE"] == ("region", "NL01")
    assert parents["URBAN_CORE"] == parents["RURAL"] == ("group", "TWENTE")
    assert parents[NARROW] == ("group", "RURAL")
    assert parents["NL01"] == ("country", None)
    assert parents["NL_REST"] == ("rest_of_country", "NL01")
    assert all(parents[code] == ("group", "NL01") for code in PEERS)
    assert parents["PV23"][0] == "province"


def test_every_code_used_is_described(published: Callable[[str], pl.DataFrame]) -> None:
    """Also those of regions within regions, which point into their own table."""
    known = set(published("region")["region_code"])
    used = {
        ("region", "parent_code"),
        ("region_member", "group_code"),
        ("region_member", "municipality_code"),
        ("observation", "region_code"),
        ("group_weight", "municipality_code"),
        ("indicator_value", "region_code"),
        ("comparison", "comparator_code"),
        ("change", "region_code"),
        ("trend", "comparator_code"),
        ("position", "region_code"),
        ("theme_score", "region_code"),
        ("sensitivity", "region_code"),
        ("sensitivity_pair", "comparator_code"),
        ("peer", "region_code"),
        ("peer", "peer_code"),
        ("typology", "region_code"),
        ("expected_value", "region_code"),
        ("decomposition", "comparator_code"),
    }
    for table, column in used:
        assert set(published(table)[column].drop_nulls()) <= known, (table, column)


def test_every_column_is_in_the_data_dictionary(published: Callable[[str], pl.DataFrame]) -> None:
    described = set(published("data_dictionary").select("table_name", "column_name").iter_rows())
    assert described == {(table.name, column) for table in TABLES.values() for column in table.column_names}


# --- missing, statuses and words


@pytest.mark.parametrize(
    ("name", "figure"), [("observation", "value"), ("indicator_value", "value"), ("theme_score", "score")]
)
def test_a_value_is_null_exactly_when_its_status_says_why(
    published: Callable[[str], pl.DataFrame], name: str, figure: str
) -> None:
    frame = published(name)
    assert set(frame.filter(pl.col(figure).is_null())["status"]) <= MISSING
    assert set(frame.filter(pl.col(figure).is_not_null())["status"]) <= STATUSES


def test_words_are_those_of_the_closed_vocabularies(published: Callable[[str], pl.DataFrame]) -> None:
    with_warnings = [table.name for table in TABLES.values() if "warnings" in table.column_names]
    assert {"observation", "indicator_value", "change", "trend", "position", "theme_score"} < set(with_warnings)
    for name in with_warnings:
        warnings = published(name)["warnings"]
        assert warnings.null_count() == 0
        assert set(warnings.explode(empty_as_null=True).drop_nulls()) <= WARNINGS
        assert (warnings.list.unique().list.sort() == warnings).all(), "each once, in alphabetical order"
    for name in ("comparison", "change", "trend"):
        assert set(published(name)["verdict"]) <= VERDICTS
        assert set(published(name)["basis"]) <= {"register", "interval", "none"}


def test_a_missing_side_makes_a_difference_undecidable(published: Callable[[str], pl.DataFrame]) -> None:
    for name, other in (("comparison", "comparator_value"), ("change", "baseline_value")):
        missing = published(name).filter(pl.col("value").is_null() | pl.col(other).is_null())
        assert missing.height
        assert set(missing["verdict"]) == {"not_decidable"}
        assert missing["difference"].null_count() == missing.height


def test_better_and_worse_follow_the_polarity(published: Callable[[str], pl.DataFrame]) -> None:
    polarity = published("indicator").select("indicator_id", "polarity", "nominal_euro")
    for name in ("comparison", "change"):
        rows = published(name).join(polarity, "indicator_id")
        neutral = pl.col("polarity") == 0
        if name == "change":
            neutral = neutral | (pl.col("nominal_euro") & (pl.col("quantity") == "value"))
        judged = rows.filter(pl.col("verdict").is_in(["better", "worse"]))
        assert judged.filter(neutral).is_empty()
        right = (pl.col("difference") * pl.col("polarity") > 0) == (pl.col("verdict") == "better")
        assert judged.select(right.all()).item()
        named = rows.filter(pl.col("verdict").is_in(["higher", "lower"]))
        assert named.filter(~neutral).is_empty()
        assert named.select(((pl.col("difference") > 0) == (pl.col("verdict") == "higher")).all()).item()


def test_amounts_of_other_years_say_that_prices_changed(published: Callable[[str], pl.DataFrame]) -> None:
    euro = published("indicator").filter("nominal_euro")["indicator_id"].to_list()
    changed = published("change").filter(pl.col("indicator_id").is_in(euro), quantity="value")
    assert changed.select(pl.col("warnings").list.contains("nominal_prices").all()).item()


def test_one_reference_period_for_all_regions(published: Callable[[str], pl.DataFrame]) -> None:
    values = published("indicator_value")
    periods = values.group_by("measurement_year", "indicator_id").agg(pl.col("reference_period").n_unique())
    assert periods["reference_period"].unique().to_list() == [1]
    dated = values.filter(pl.col("reference_period").is_not_null()).join(published("indicator"), "indicator_id")
    year = pl.col("reference_period").str.slice(0, 4).cast(pl.Int32)
    assert dated.select((pl.col("lag_years") == pl.col("measurement_year") - year).all()).item()
    assert dated.select(pl.col("lag_years").is_between(0, pl.col("max_lag_years")).all()).item()


def test_an_older_figure_says_so(published: Callable[[str], pl.DataFrame]) -> None:
    values = published("indicator_value").filter(pl.col("value").is_not_null())
    key = ["indicator_id", "region_code", "breakdown"]
    before = values.select(*key, pl.col("measurement_year") + 1, earlier="reference_period")
    carried = values.join(before, [*key, "measurement_year"], how="left").with_columns(
        same=(pl.col("reference_period") == pl.col("earlier")).fill_null(value=False),
        says=pl.col("warnings").list.contains("carried_forward"),
    )
    assert carried.select((pl.col("same") == pl.col("says")).all()).item()
    assert carried["says"].any()


# --- the analysis


def test_no_rank_stands_without_its_range_and_among_how_many(published: Callable[[str], pl.DataFrame]) -> None:
    for name in ("theme_score", "sensitivity"):
        ranked = published(name).filter(pl.col("rank").is_not_null())
        assert ranked.height > 0, name
        ends = ranked.select("rank_low", "rank_high", "rank_of")
        assert ends.null_count().row(0) == (0, 0, 0), name
        inside = pl.col("rank").is_between("rank_low", "rank_high") & (pl.col("rank_high") <= pl.col("rank_of"))
        assert ranked.select(inside.all()).item(), name
        assert set(ranked["region_code"]) == set(FOURTEEN), "a rank is of a municipality of the region"


def test_what_residents_experience_and_official_figures_are_never_in_one_score(
    published: Callable[[str], pl.DataFrame],
) -> None:
    layers = {indicator.indicator_id: indicator.layer for indicator in CATALOGUE.indicators}
    elements = published("framework_element").filter(level=1)
    assert set(elements["framework"]) == {"btg", "cbs"}
    found = {(framework, layers[element]) for framework, element in elements.select("framework", "element_id").rows()}
    assert found == {("btg", "experienced"), ("cbs", "official")}


def test_every_score_can_be_made_again_from_what_is_published(published: Callable[[str], pl.DataFrame]) -> None:
    """A theme of one indicator, by hand: (0.7 - 0) / (1 - 0), of a score that is 0-1 already."""
    elements = published("framework_element").filter(level=1, framework="btg")
    assert elements.select("goalpost_low", "goalpost_high", "goalpost_origin").unique().rows() == [(0.0, 1.0, "chosen")]
    scores = published("theme_score").filter(method="goalposts_arithmetic", framework="btg")
    values = published("indicator_value").filter(breakdown="total", status="definitive")
    beside = elements.select(theme_id="parent_id", indicator_id="element_id").join(scores, "theme_id")
    both = beside.join(values, ["measurement_year", "indicator_id", "region_code"]).filter(
        pl.col("score").is_not_null() & pl.col("region_code").is_in(FOURTEEN)
    )
    assert both.height > 300
    assert both.select((pl.col("score") - pl.col("value")).abs().max()).item() < 1e-12
    assert published("framework_element")["weight"].is_between(0, 1).all()


def test_peers_are_ten_municipalities_outside_the_region_and_the_members_of_their_group(
    published: Callable[[str], pl.DataFrame],
) -> None:
    peer = published("peer")
    own = {code: rows["peer_code"].to_list() for (code,), rows in peer.group_by("region_code")}
    assert set(own) == set(FOURTEEN)
    assert all(len(set(codes)) == 10 and not {*codes} & {*FOURTEEN} for codes in own.values())
    assert all(rows.sort("place")["distance"].is_sorted() for _, rows in peer.group_by("region_code"))
    members = published("region_member").filter(period="2025")
    for code, codes in own.items():
        assert set(members.filter(group_code=f"PEERS_{code}")["municipality_code"]) == set(codes), code


def test_peers_and_types_say_what_they_were_made_of(published: Callable[[str], pl.DataFrame]) -> None:
    made_of = {*published("peer")["variables"], *published("typology")["variables"]}
    (variables,) = made_of
    known = {variable.variable for variable in CATALOGUE.analysis.structure}
    named = [part.split() for part in variables.split(";")]
    assert {name for name, _ in named} <= known
    assert all(re.fullmatch(r"20\d\d", period) for _, period in named)
    assert "population" in {name for name, _ in named}
    assert published("typology").height == 342  # municipalities on 1 January 2025


def test_of_a_modelled_figure_nothing_is_expected(published: Callable[[str], pl.DataFrame]) -> None:
    kinds = published("indicator_source").select("indicator_id", "source_table", "kind")
    values = published("indicator_value").filter(breakdown="total").join(kinds, ["indicator_id", "source_table"])
    modelled = published("expected_value").join(
        values.filter(kind="model"), ["measurement_year", "indicator_id", "region_code"], how="semi"
    )
    assert modelled.height > 0
    assert set(modelled["reason"]) == {"model_based"}
    assert modelled["expected_value"].null_count() == modelled.height


def test_expected_figures_stand_beside_the_figure_itself(published: Callable[[str], pl.DataFrame]) -> None:
    key = ["measurement_year", "indicator_id", "region_code"]
    expected = published("expected_value").filter(pl.col("expectation") != "refused")
    values = published("indicator_value").filter(breakdown="total")
    beside = expected.join(values, key, suffix="_measured")
    assert beside.height == expected.height > 0
    assert beside.select((pl.col("value") == pl.col("value_measured")).all()).item()
    assert beside.select((pl.col("cv_error") < pl.col("cv_error_of_mean")).all()).item()
    # The bundle does not say which province a municipality is in.
    assert set(published("expected_value")["folds"]) == {"code_block"}
    assert set(expected["flags_by_chance"].round(9)) <= {1.4, 1.3}, "a tenth of fourteen, or of those with a figure"


def test_amounts_of_money_have_no_trend_of_their_own(published: Callable[[str], pl.DataFrame]) -> None:
    euro = published("indicator").filter("nominal_euro")["indicator_id"].to_list()
    trends = published("trend").filter(pl.col("indicator_id").is_in(euro), movement="slope")
    own = trends.filter(quantity="value")
    assert own["estimate"].null_count() == own.height > 0
    assert "nominal_prices" in set(own["reason"])
    relative = trends.filter(pl.col("quantity") != "value")
    assert {"relative_to_nl", "relative_to_rest", "relative_difference"} <= set(relative["quantity"])
    assert "nominal_prices" not in set(relative["reason"]), "prices rise in the whole country alike"


def test_a_trend_counts_no_year_in_which_nothing_was_measured(published: Callable[[str], pl.DataFrame]) -> None:
    """Nobody was asked in 2024: three figures until 2025, and no trend of them."""
    slopes = published("trend").filter(
        pl.col("indicator_id").is_in(OF_WAVES), measurement_year=2025, movement="slope", quantity="value"
    )
    assert slopes["points"].max() == 3
    assert set(slopes["reason"]) <= {"too_few_points", "no_value"}
    of_2024 = published("trend").filter(
        pl.col("indicator_id").is_in(OF_WAVES), measurement_year=2024, movement="since_previous"
    )
    assert of_2024["estimate"].null_count() == of_2024.height > 0


def test_the_difference_between_cores_and_rural_is_decomposed_and_nothing_else(
    published: Callable[[str], pl.DataFrame],
) -> None:
    parts = published("decomposition")
    assert set(parts.select("region_code", "comparator_code").rows()) == {("URBAN_CORE", "RURAL")}
    assert set(parts["indicator_id"]) <= set(OF_WAVES)
    whole = parts.filter(component="difference")
    compared = published("comparison").filter(
        breakdown="total", region_code="URBAN_CORE", comparator_code="RURAL"
    )  # fmt: skip
    beside = whole.join(compared, ["measurement_year", "indicator_id"], suffix="_of")
    assert beside.height == whole.height
    assert beside.select((pl.col("contribution") - pl.col("difference")).abs().max()).item() < 1e-9


def test_the_contrast_without_the_in_between_group_is_judged_as_a_second_look(
    published: Callable[[str], pl.DataFrame],
) -> None:
    """Its difference is that of the published figures; it has a margin and a verdict, and no part in Holm's family."""
    values = published("indicator_value").filter(breakdown="total")
    of = [
        values.filter(region_code=code).select("measurement_year", "indicator_id", "value")
        for code in ("URBAN_CORE", NARROW)
    ]
    rows = published("comparison").filter(region_code="URBAN_CORE", comparator_code=NARROW)
    beside = rows.join(
        of[0].join(of[1], ["measurement_year", "indicator_id"], suffix="_narrow"),
        ["measurement_year", "indicator_id"],
        suffix="_core",
    )
    assert beside.height == rows.height
    said = beside.filter(pl.col("verdict") != "not_comparable")
    assert said.filter(pl.col("difference").ne_missing(pl.col("value_core") - pl.col("value_narrow"))).is_empty()
    assert rows["verdict"].null_count() == 0
    assert rows.filter(pl.col("p_value").ne_missing(pl.col("p_value_adjusted"))).is_empty()
    surveyed = rows.filter(pl.col("indicator_id").is_in(OF_WAVES) & pl.col("value").is_not_null())
    assert surveyed.height > 50
    assert set(surveyed["basis"]) == {"interval"}
    inside = pl.col("difference").is_between("difference_ci_low", "difference_ci_high", closed="none")
    assert surveyed.select(inside.all()).item()
    assert surveyed["p_value"].null_count() == 0


def test_the_standard_error_of_the_second_look_is_that_of_the_design(published: Callable[[str], pl.DataFrame]) -> None:
    """Two groups of other people: the variances of both add up, but for what calibration ties together."""
    estimates = published("survey_estimate").filter(
        pl.col("variable_id") == pl.col("indicator_id"), breakdown="total", statistic="mean"
    )
    errors = estimates.pivot("region_code", index=["measurement_year", "indicator_id"], values="standard_error")
    both = (
        published("survey_contrast")
        .filter(region_code="URBAN_CORE", comparator_code=NARROW)
        .join(errors, ["measurement_year", "indicator_id"])
    )
    assert both.height == estimates.filter(region_code=NARROW).height > 20
    independent = (pl.col("URBAN_CORE").pow(2) + pl.col(NARROW).pow(2)).sqrt()
    assert both.select((pl.col("standard_error") / independent - 1).abs().max()).item() < 0.05


# --- the figures themselves


def test_the_inhabitants_of_twente(published: Callable[[str], pl.DataFrame]) -> None:
    """CBS, 1 January 2022: 633,917."""
    values = published("indicator_value").filter(indicator_id="population", measurement_year=2022)
    assert values.filter(region_code="TWENTE")["value"].to_list() == [633_917.0]
    own = values.filter(pl.col("region_code").is_in(FOURTEEN))
    assert own["value"].sum() == 633_917.0


def test_a_merged_municipality_has_a_series_on_todays_borders(published: Callable[[str], pl.DataFrame]) -> None:
    """Weesp (GM0457) went into Amsterdam on 24 March 2022: until then today's Amsterdam is both."""
    people = published("observation").filter(indicator_id="population", source_table="CBS 03759ned")
    both = people.filter(pl.col("region_code").is_in(["GM0363", "GM0457"]), period="2021")["value"].sum()
    restated = published("observation_restated").filter(indicator_id="population", region_code="GM0363")
    (row,) = restated.filter(period="2021").to_dicts()
    assert both == 873_338 + 20_445  # CBS 03759ned, 1 January 2021
    assert (row["value"], row["status"], row["warnings"]) == (both, "definitive", ["boundary_change"])
    assert set(restated["period"]) == {"2019", "2020", "2021", "2022"}, "from 2023 on what was published stands"
    assert set(restated["layout_year"]) == {2025}


def test_what_was_not_reorganised_is_not_restated(published: Callable[[str], pl.DataFrame]) -> None:
    assert set(published("observation_restated")["region_code"]).isdisjoint(FOURTEEN)


def test_the_parts_of_every_municipality_make_a_whole(published: Callable[[str], pl.DataFrame]) -> None:
    crosswalk = published("municipality_crosswalk")
    parts = crosswalk.group_by("layout_year", "period", "from_code").agg(pl.col("share").sum())
    assert parts.select(((pl.col("share") - 1).abs() < 1e-9).all()).item()
    assert crosswalk["period"].unique().sort().to_list() == [str(year) for year in range(2010, 2026)]
    now = crosswalk.filter(period="2025")
    assert now.select((pl.col("from_code") == pl.col("to_code")).all(), pl.col("changed").any()).row(0) == (True, False)
    assert set(crosswalk["to_code"]) == set(now["to_code"])
    assert now.height == 342  # municipalities on 1 January 2025


# Weighted with the households or inhabitants of the same source table and period; computed apart from this software.
GOLDEN = [
    ("income_standardised_mean", 2022, "2021", "TWENTE", 31.509),
    ("income_standardised_mean", 2022, "2021", "URBAN_CORE", 29.128),
    ("income_standardised_mean", 2022, "2021", "RURAL", 34.281),
    ("income_standardised_mean", 2022, "2021", "NL_REST", 33.703),
    ("income_standardised_mean", 2022, "2021", "NL01", 33.6),
    ("income_standardised_mean", 2024, "2024", "TWENTE", 39.877),
    ("income_standardised_mean", 2024, "2024", "URBAN_CORE", 36.577),
    ("income_standardised_mean", 2024, "2024", "RURAL", 43.673),
    ("income_standardised_mean", 2024, "2024", "NL_REST", 41.941),
    ("income_standardised_mean", 2024, "2024", "NL01", 41.9),
    ("income_standardised_mean_excl_students", 2022, "2022", "TWENTE", 34.171),
    ("income_standardised_mean_excl_students", 2022, "2022", "NL_REST", 36.390),
    ("income_standardised_mean_excl_students", 2023, "2023", "URBAN_CORE", 34.557),
    ("income_standardised_mean_excl_students", 2023, "2023", "RURAL", 39.489),
    ("net_labour_participation", 2022, "2022", "TWENTE", 64.848),
    ("net_labour_participation", 2022, "2022", "URBAN_CORE", 61.526),
    ("net_labour_participation", 2022, "2022", "RURAL", 68.204),
    ("net_labour_participation", 2022, "2022", "NL_REST", 64.846),
    ("perceived_health_good", 2022, "2022", "TWENTE", 69.971),
    ("perceived_health_good", 2022, "2022", "URBAN_CORE", 67.010),
    ("perceived_health_good", 2022, "2022", "RURAL", 72.900),
    ("perceived_health_good", 2022, "2022", "NL_REST", 69.027),
    ("perceived_health_good", 2022, "2022", "NL01", 69.0),
]


@pytest.mark.parametrize(("indicator", "year", "period", "region", "value"), GOLDEN)
def test_group_values(
    published: Callable[[str], pl.DataFrame], indicator: str, year: int, period: str, region: str, value: float
) -> None:
    (row,) = published("indicator_value").filter(
        indicator_id=indicator, measurement_year=year, region_code=region, breakdown="total"
    ).to_dicts()  # fmt: skip
    assert row["reference_period"] == period
    assert row["value"] == pytest.approx(value, abs=0.0005 if region != "NL01" else 1e-9)


def test_a_figure_without_margin_decides_nothing(published: Callable[[str], pl.DataFrame]) -> None:
    """Participation is sampled and health is modelled, both without margins here."""
    rows = published("comparison").filter(
        pl.col("indicator_id").is_in(["net_labour_participation", "perceived_health_good"])
    )
    assert set(rows["verdict"]) == {"not_decidable"}
    assert rows["p_value"].null_count() == rows.height


def test_participation_of_2021_and_2022_is_one_break_apart(published: Callable[[str], pl.DataFrame]) -> None:
    rows = published("indicator_value").filter(indicator_id="net_labour_participation", region_code="TWENTE")
    assert set(rows["reference_period"]) == {"2022"}
    assert rows.select(pl.col("warnings").list.contains("break_in_series").all()).item()
    assert rows.select(pl.col("warnings").list.contains("whole_percent").all()).item()


def test_what_is_not_at_hand_is_said_to_be_so(published: Callable[[str], pl.DataFrame]) -> None:
    """No national figure of participation is in the input: it exists, it was not retrieved, and none is made up."""
    values = published("indicator_value")
    national = values.filter(indicator_id="net_labour_participation", region_code="NL01")
    assert national["value"].null_count() == national.height == 4
    assert set(national["status"]) == {"not_retrieved"}
    medians = values.filter(pl.col("region_code").is_in(["TWENTE", "RURAL"]), indicator_id="income_standardised_median")
    assert set(medians["status"]) == {"not_applicable"}


# --- outlines


def test_the_fourteen_have_an_outline_in_the_national_grid(published: Callable[[str], pl.DataFrame]) -> None:
    outlined = published("region").filter(pl.col("geometry_wkb").is_not_null())
    assert set(outlined["region_code"]) == {*FOURTEEN, "TWENTE", "URBAN_CORE", "RURAL", NARROW}
    shapes = {code: shapely.from_wkb(wkb) for code, wkb in outlined.select("region_code", "geometry_wkb").iter_rows()}
    for code, shape in shapes.items():
        assert shape.is_valid, code
        assert shape.geom_type == "MultiPolygon"
        west, south, east, north = shape.bounds
        # Twente in metres of EPSG:28992 (RD New), with a few kilometres to spare.
        assert 215_000 < west < east < 275_000, code
        assert 455_000 < south < north < 510_000, code
    # The old market of Enschede lies at 257.9 km east, 471.5 km north; Twente measures about 1,500 km2.
    assert shapes["GM0153"].contains(shapely.Point(257_900, 471_500))
    assert shapes["TWENTE"].area == pytest.approx(1.5e9, rel=0.02)
    parts = sum(shapes[code].area for code in FOURTEEN)
    assert shapes["TWENTE"].area == pytest.approx(parts, rel=1e-6)
    assert shapes["URBAN_CORE"].area == pytest.approx(sum(shapes[code].area for code in URBAN), rel=1e-6)
    assert shapes[NARROW].area == pytest.approx(sum(shapes[code].area for code in SEVEN), rel=1e-6)
