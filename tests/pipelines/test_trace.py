"""`btg trace` and `btg diff`: one figure through all editions and down to the ground, and what differs between two.

On three editions small enough to check by hand.

2024-1 said 66.8 of Enschede and knew no corrections yet (an older edition); 2025-1 supersedes nothing and says 66.9
after a revision; the draft has a further municipality corrected.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from catalog.current import current_catalogue
from pipelines import trace as traces
from pipelines.differences import differences
from pipelines.trace import NotFound, Trace, parts_of, trace
from pipelines.trace_text import lines
from reports import editions
from reports.editions import State
from tests.pipelines.conftest import Btg

CATALOGUE = current_catalogue()
HEALTH, RATIO = "perceived_health_good", "unemployment_benefit_per_1000"
SNAPSHOT, NEWER = "ab" * 32, "ba" * 32
SMAP = "RIVM 50120NED"
WAVE = "Survey 2022"
Tables = dict[str, list[dict[str, Any]]]


def indicator(indicator_id: str, name_en: str, name_nl: str, **more: Any) -> dict[str, Any]:
    about = {
        "theme_id": "btg_health",
        "layer": "official",
        "headline": True,
        "definition_nl": "Wat.",
        "definition_en": "What.",
        "unit": "percent",
        "decimals": 1,
        "polarity": 1,
        "group_method": "weighted_mean",
        "weight": "population",
        "max_lag_years": 4,
        "nominal_euro": False,
    }
    return {"indicator_id": indicator_id, "name_en": name_en, "name_nl": name_nl} | about | more


def value(region_code: str, number: float | None, indicator_id: str = HEALTH, **more: Any) -> dict[str, Any]:
    about = {
        "measurement_year": 2022,
        "breakdown": "total",
        "reference_period": "2022",
        "lag_years": 0,
        "status": "definitive",
        "warnings": ["no_margin"],
        "source_table": SMAP,
        "series_id": "smap",
    }
    return {"indicator_id": indicator_id, "region_code": region_code, "value": number} | about | more


def observation(region_code: str, number: float, indicator_id: str = HEALTH, **more: Any) -> dict[str, Any]:
    about = {"period": "2022", "breakdown": "total", "source_table": SMAP, "status": "definitive", "warnings": []}
    return {"indicator_id": indicator_id, "region_code": region_code, "value": number} | about | more


def source_of(indicator_id: str, column: str, table: str = SMAP, **more: Any) -> dict[str, Any]:
    about = {
        "source_id": "rivm_health",
        "unit": "percent",
        "period_first": "2022",
        "period_last": "2022",
        "priority": 1,
        "series_id": "smap",
        "kind": "model",
        "rounding_unit": 0.1,
    }
    return {"indicator_id": indicator_id, "source_table": table, "source_column": column} | about | more


def share(code: str, weight: float, of: float) -> dict[str, Any]:
    return {
        "indicator_id": HEALTH,
        "reference_period": "2022",
        "group_code": "TWENTE",
        "municipality_code": code,
        "weight": weight,
        "share": weight / of,
        "approximate": False,
    }


def tables(enschede: float) -> Tables:
    """An edition of two municipalities: Twente is (3 x Enschede + 1 x Borne) / 4."""
    return {
        "indicator": [
            indicator(HEALTH, "Good perceived health", "Goede ervaren gezondheid"),
            indicator("perceived_health_good_65plus", "Good perceived health, 65 and over", "Gezondheid 65-plus"),
            indicator(RATIO, "Unemployment benefits per 1,000", "WW per 1 000", group_method="ratio"),
            indicator("experienced_health", "Health according to residents", "Gezondheid volgens inwoners", decimals=2),
        ],
        "region": [
            {"region_code": "GM0147", "name": "Borne", "kind": "municipality", "parent_code": "TWENTE"},
            {"region_code": "GM0153", "name": "Enschede", "kind": "municipality", "parent_code": "TWENTE"},
            {"region_code": "TWENTE", "name": "Twente", "kind": "region", "parent_code": "NL01"},
            {"region_code": "GG1106", "name": "GGD Twente", "kind": "region", "parent_code": "TWENTE"},
            {"region_code": "NL01", "name": "Nederland", "kind": "country"},
        ],
        "indicator_value": [
            value("GM0153", enschede),
            value("GM0147", 72.8),
            value("TWENTE", (3 * enschede + 72.8) / 4),
            value("NL01", 69.0),
            value("GM0153", 15.3125, RATIO, source_table="CBS 84799NED"),
            value("GM0153", None, RATIO, measurement_year=2023, status="not_retrieved", source_table=None, warnings=[])
            | {"reference_period": None, "series_id": None, "lag_years": None},
            value("GM0153", 0.628, "experienced_health", source_table=WAVE, ci_low=0.589, ci_high=0.666, n=93),
        ],
        "comparison": [
            {
                "measurement_year": 2022,
                "indicator_id": HEALTH,
                "region_code": "GM0153",
                "comparator_code": "NL01",
                "breakdown": "total",
                "reference_period": "2022",
                "value": enschede,
                "comparator_value": 69.0,
                "verdict": "not_decidable",
                "basis": "none",
                "warnings": ["no_margin"],
            }
        ],
        "observation": [
            observation("GM0153", enschede),
            observation("GM0147", 72.8),
            observation("NL01", 69.0),
            observation("GM0153", 15.3125, RATIO, source_table="CBS 84799NED"),
            observation("GM0153", 2450.0, "benefit_unemployment", source_table="CBS 84799NED"),
            observation("GM0153", 160000.0, "population", source_table="CBS 03759ned"),
            observation("GM0153", 0.628, "experienced_health", source_table=WAVE),
        ],
        "group_weight": [share("GM0147", 25.0, 100.0), share("GM0153", 75.0, 100.0)],
        "indicator_source": [
            source_of(HEALTH, "ErvarenGezondheidGoedZeerGoed_4"),
            source_of(
                RATIO,
                "WW / population",
                "CBS 84799NED",
                note="1000 x benefit_unemployment / population",
                kind="register",
            ),
            source_of("benefit_unemployment", "WW", "CBS 84799NED", kind="register"),
            source_of("population", "Bevolking", "CBS 03759ned", kind="register"),
            source_of("experienced_health", "health_general", WAVE, kind="sample"),
        ],
        "source": [
            {
                "source_id": "rivm_health",
                "source_table": SMAP,
                "publisher": "RIVM",
                "title": "Gezondheid per wijk en buurt",
                "licence": "RIVM StatLine, attribution",
                "url": "https://statline.rivm.nl/#/RIVM/nl/dataset/50120NED",
                "retrieved_at": "2025-12-11T10:00:00Z",
                "sha256": SNAPSHOT,
            }
        ],
    }


def write_edition(root: Path, name: str, content: Tables) -> None:
    """An edition of these tables; a final one with its checksums and the state beside it."""
    made_of = dict.fromkeys(("catalog_sha256", "lock_sha256", "input_sha256"), "0" * 64)
    about = {"edition": name, "measurement_year": 2025, "created_at": "2025-07-10", "code_version": "1"} | made_of
    content = content | {"edition": [about | {"contains_synthetic": False}]}
    folder = root / "editions" / name
    (folder / "parquet").mkdir(parents=True)
    (folder / "btg.duckdb").touch()
    for table_name, rows in content.items():
        table = CATALOGUE.registry[table_name]
        known = [{column: row.get(column) for column in table.column_names} for row in rows]
        table.conform(pl.DataFrame(known, schema=table.polars_schema)).write_parquet(
            folder / "parquet" / f"{table_name}.parquet"
        )
    sums = editions.write_sums(folder)
    if not name.endswith(editions.DRAFT):
        editions.write_state(root, State(name, "2025-07-10T09:00:00+00:00", "J. Jansen", sums))


def key_of(**columns: object) -> str:
    return "|".join(f"{name}={text}" for name, text in columns.items())


FIGURE = {"measurement_year": 2022, "indicator_id": HEALTH, "region_code": "GM0153", "breakdown": "total"}


def revised(row_key: str, old: str, new: str, table: str = "indicator_value", column: str = "value") -> dict[str, Any]:
    return {
        "edition": "2025-1",
        "previous_edition": "2024-1",
        "table_name": table,
        "row_key": row_key,
        "column_name": column,
        "old_value": old,
        "new_value": new,
        "kind": "value",
        "cause": "source_revision",
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("editions")
    write_edition(root, "2024-1", tables(66.8))
    second = tables(66.94)
    second["revision"] = [
        revised(key_of(**FIGURE), "66.8", "66.94"),
        revised(key_of(**FIGURE | {"region_code": "GM0147"}), "72.7", "72.8"),
        revised(key_of(**FIGURE | {"indicator_id": "loneliness"}), "1.0", "2.0"),
        revised(key_of(indicator_id=HEALTH), "Old.", "What.", "indicator", "definition_en"),
        revised(
            key_of(indicator_id=HEALTH, region_code="GM0153", period="2012", breakdown="total", source_table=SMAP),
            "70.0",
            "71.0",
            "observation",
        ),
        revised(key_of(**FIGURE, framework="btg"), "0.5", "0.6", "theme_score", "score"),
    ]
    second["value_by_edition"] = [
        {
            **FIGURE,
            "edition": "2022-published",
            "value": 67.0,
            "status": "definitive",
            "url": "https://example.org/2022",
        },
        {**FIGURE, "edition": "2024-1", "value": 66.8, "status": "definitive"},
    ]
    second["edition_input"] = [
        {"file": f"{SMAP} {SNAPSHOT[:12]}", "sha256": SNAPSHOT, "bytes": 10},
        {"file": f"{SMAP} cdcdcdcdcdcd", "sha256": "cd" * 32, "bytes": 11},
        {"file": f"{SMAP} (newer) efefefefefef", "sha256": "ef" * 32, "bytes": 12},
    ]
    second["correction"] = [
        {
            "correction_id": "borne_typo",
            "indicator_id": HEALTH,
            "region_code": "GM0147",
            "period": "2022",
            "breakdown": "total",
            "source_table": SMAP,
            "action": "override",
            "published_value": 7.28,
            "corrected_value": 72.8,
            "reason": "The point slipped.",
            "reported_to": "RIVM, 2025-06-01",
            "state": "reported",
        }
    ]
    second["survey_estimate"] = [
        {
            "measurement_year": 2022,
            "variable_id": "experienced_health",
            "indicator_id": "experienced_health",
            "region_code": "GM0153",
            "breakdown": "total",
            "statistic": statistic,
            "value": number,
            "ci_low": 0.589,
            "ci_high": 0.666,
            "standard_error": 0.0193,
            "n": 93,
            "n_effective": 81.0,
            "status": "definitive",
            "warnings": [],
        }
        for statistic, number in (("mean", 0.628), ("share", 55.1))
    ]
    second["survey_wave"] = [
        {
            "wave_id": "survey_2022",
            "measurement_year": 2022,
            "source_table": WAVE,
            "mode": "web",
            "participation": "sample",
            "fieldwork_start": "2022-06-01",
            "fieldwork_end": "2022-06-30",
            "origin": "stored_estimates",
            "respondents": 3019,
        }
    ]
    write_edition(root, "2025-1", second)
    draft = tables(67.1)
    draft["source"][0]["sha256"] = NEWER
    write_edition(root, "2025-draft", draft)
    for name, row_key in (("2024-1", key_of(**FIGURE)), ("2025-1", key_of(**FIGURE | {"region_code": "GM0147"}))):
        editions.add_erratum(
            root,
            name,
            text=f"Wrong in {name}.",
            table_name="indicator_value",
            row_keys=[row_key],
            by=None,
            at="2025-08-01",
        )
    return root


def corrected(indicator_id: str, region_code: str, source_table: str, period: str = "2022") -> dict[str, Any]:
    return {
        "correction_id": f"{indicator_id}_{region_code}_{period}".lower(),
        "indicator_id": indicator_id,
        "region_code": region_code,
        "period": period,
        "breakdown": "total",
        "source_table": source_table,
        "action": "override",
        "published_value": 2045.0,
        "corrected_value": 2450.0,
        "reason": "Digits were swapped.",
        "reported_to": "CBS, 2025-06-01",
        "state": "reported",
    }


def with_corrections(root: Path, *rows: dict[str, Any]) -> Path:
    content = tables(66.8)
    content["correction"] = list(rows)
    write_edition(root, "2025-1", content)
    return root


def told(found: Trace) -> str:
    return "\n".join(lines(found, CATALOGUE))


# --- through the editions


def test_a_figure_is_followed_through_final_editions_and_the_draft(made: Path) -> None:
    found = trace(made, HEALTH, "GM0153", 2022)
    assert [(row["edition"], row["value"]) for row in found.versions] == [
        ("2024-1", 66.8),
        ("2025-1", 66.94),
        ("2025-draft", 67.1),
    ]
    assert [row["published_at"] for row in found.versions] == ["2025-07-10T09:00:00+00:00"] * 2 + [None]
    assert [row["comparisons"][0]["verdict"] for row in found.versions] == ["not_decidable"] * 3


def test_figures_published_before_this_software_go_first_with_their_address(made: Path) -> None:
    found = trace(made, HEALTH, "GM0153", 2022)
    assert [(row["edition"], row["value"]) for row in found.before] == [("2022-published", 67.0)]
    text = told(found)
    assert text.index("2022-published (before this software): 67.0") < text.index("2024-1 (published 2025-07-10): 66.8")
    assert "https://example.org/2022" in text


def test_what_changed_is_said_of_this_figure_only_with_kind_and_cause(made: Path) -> None:
    """Not of Borne, another indicator, another period, or a score in which the figure has a part."""
    found = trace(made, HEALTH, "GM0153", 2022)
    assert [(row["table_name"], row["old_value"]) for row in found.revisions] == [
        ("indicator", "Old."),
        ("indicator_value", "66.8"),
    ]
    assert "2024-1 to 2025-1, indicator_value.value: 66.8 -> 66.9 (figure changed; revised by the source)" in told(
        found
    )


def test_errata_on_the_figure_are_shown_and_others_are_not(made: Path) -> None:
    assert [row["text"] for row in trace(made, HEALTH, "GM0153", 2022).errata] == ["Wrong in 2024-1."]
    assert "2025-1, erratum 1: Wrong in 2025-1." in told(trace(made, HEALTH, "Borne", 2022))
    assert trace(made, HEALTH, "NL01", 2022).errata == []


def test_a_correction_is_shown_at_the_municipality_and_at_the_group_it_is_in(made: Path) -> None:
    for region in ("Borne", "Twente"):
        found = trace(made, HEALTH, region, 2022)
        assert [(row["edition"], row["correction_id"]) for row in found.corrections] == [("2025-1", "borne_typo")]
    assert "published 7.3, computed with 72.8. The point slipped. Reported to RIVM, 2025-06-01: reported." in told(
        found
    )
    assert trace(made, HEALTH, "Enschede", 2022).corrections == []


def test_a_correction_is_shown_at_the_ratio_that_is_made_of_it(tmp_path: Path) -> None:
    root = with_corrections(
        tmp_path,
        corrected("benefit_unemployment", "GM0153", "CBS 84799NED"),
        corrected("population", "GM0153", "CBS 03759ned"),
        corrected("population", "GM0147", "CBS 03759ned"),
        corrected("population", "GM0153", "CBS 03759ned", period="2021"),
    )
    found = trace(root, RATIO, "Enschede", 2022)
    assert [row["correction_id"] for row in found.corrections] == [
        "benefit_unemployment_gm0153_2022",
        "population_gm0153_2022",
    ]
    assert (
        "2025-1, benefit_unemployment_gm0153_2022: benefit_unemployment, GM0153, 2022, replaced, published 2,045.0, "
        "computed with 2,450.0. Digits were swapped."
    ) in told(found)


def test_a_correction_is_shown_at_the_group_that_is_weighed_by_it(tmp_path: Path) -> None:
    root = with_corrections(
        tmp_path,
        corrected("population", "GM0147", "CBS 03759ned"),
        corrected("population", "NL01", "CBS 03759ned"),
        corrected("households", "GM0147", "CBS 03759ned"),
    )
    assert [row["correction_id"] for row in trace(root, HEALTH, "Twente", 2022).corrections] == [
        "population_gm0147_2022"
    ]
    assert trace(root, HEALTH, "Borne", 2022).corrections == [], "nothing is weighed there"


def test_changed_comparisons_name_with_whom_and_are_rounded_as_figures_are(tmp_path: Path) -> None:
    content = tables(66.94)
    content["revision"] = [
        revised(key_of(**FIGURE | {"comparator_code": code}), old, new, "comparison", column)
        for code, column, old, new in (
            ("NL01", "comparator_value", "15.3", "14.0"),
            ("TWENTE", "comparator_value", "15.3", "14.0"),
            ("NL01", "relative_difference", "11.336410814741752", "12.2"),
            ("TWENTE", "difference", "1.3364", "1.3432"),
            ("TWENTE", "verdict", "not_decidable", "worse"),
        )
    ]
    write_edition(tmp_path, "2025-1", content)
    said = [
        line.split(", ", 1)[1].split(" (")[0]
        for line in told(trace(tmp_path, HEALTH, "Enschede", 2022)).splitlines()
        if " to 2025-1, " in line
    ]
    assert said == [
        "comparison.comparator_value against Nederland: 15.3 -> 14.0",
        "comparison.relative_difference against Nederland: 11.3 -> 12.2",
        "comparison.comparator_value against Twente: 15.3 -> 14.0",
        "comparison.difference against Twente: 1.336 -> 1.343",
        "comparison.verdict against Twente: cannot be said -> demonstrably worse",
    ]


def test_words_stand_for_codes_and_figures_are_rounded_only_on_the_screen(made: Path) -> None:
    found = trace(made, HEALTH, "Enschede", 2022)
    assert "2025-1 (published 2025-07-10): 66.9, definitive, uncertainty unknown; reference period 2022" in told(found)
    assert "against Nederland (69.0): cannot be said" in told(found)
    assert found.ground["figures"][0]["value"] == 66.94


# --- down to the ground


def test_a_municipality_ends_at_table_column_and_snapshot(made: Path) -> None:
    ground = trace(made, HEALTH, "Enschede", 2022).ground
    assert ground["edition"] == "2025-1", "the edition that readers open"
    (figure,) = ground["figures"]
    assert (figure["role"], figure["region_code"], figure["period"], figure["value"]) == (
        "figure",
        "GM0153",
        "2022",
        66.94,
    )
    (source,) = ground["sources"]
    assert source["source_column"] == "ErvarenGezondheidGoedZeerGoed_4"
    assert (source["publisher"], source["retrieved_at"], source["sha256"]) == ("RIVM", "2025-12-11T10:00:00Z", SNAPSHOT)
    assert [file["sha256"] for file in source["files"]] == [SNAPSHOT, "cd" * 32], "every snapshot of this table"
    assert f"in {SMAP} {SNAPSHOT[:12]}, SHA-256 {SNAPSHOT}" in told(trace(made, HEALTH, "Enschede", 2022))


def test_a_group_ends_at_its_members_and_their_sum_is_its_value(made: Path) -> None:
    found = trace(made, HEALTH, "Twente", 2022)
    assert [(row["name"], row["value"], row["share"]) for row in found.ground["members"]] == [
        ("Enschede", 66.94, 0.75),
        ("Borne", 72.8, 0.25),
    ]
    assert found.ground["computed"] == pytest.approx((3 * 66.94 + 72.8) / 4, abs=1e-12)
    assert found.ground["computed"] == pytest.approx(found.versions[1]["value"], abs=1e-12)
    assert found.ground["figures"] == []
    assert "66.9 x 0.750000 (weight 75)" in told(found)


def test_a_ratio_ends_at_numerator_and_denominator(made: Path) -> None:
    figures = trace(made, RATIO, "Enschede", 2022).ground["figures"]
    parts = {row["role"]: (row["indicator_id"], row["value"], row["source_table"]) for row in figures}
    assert parts == {
        "figure": (RATIO, 15.3125, "CBS 84799NED"),
        "numerator": ("benefit_unemployment", 2450.0, "CBS 84799NED"),
        "denominator": ("population", 160000.0, "CBS 03759ned"),
    }
    times = next(row["times"] for row in figures if row["role"] == "numerator")
    assert times * parts["numerator"][1] / parts["denominator"][1] == parts["figure"][1]


def test_a_figure_of_the_survey_ends_at_its_estimate_and_wave(made: Path) -> None:
    found = trace(made, "experienced_health", "Enschede", 2022)
    (estimate,) = found.ground["estimates"]
    assert (estimate["statistic"], estimate["n"], estimate["standard_error"]) == ("mean", 93, 0.0193)
    assert [wave["wave_id"] for wave in found.ground["waves"]] == ["survey_2022"]
    assert "0.63 (0.59 to 0.67), n = 93" in told(found)
    assert "3019 respondents, web, sample" in told(found)
    assert "made from stored_estimates" in told(found)


def test_a_missing_figure_has_no_ground_and_says_why_it_is_missing(made: Path) -> None:
    found = trace(made, RATIO, "Enschede", 2023)
    assert "no figure, not yet retrieved" in told(found)
    assert "There is no figure here to trace: its status says why." in told(found)
    assert (found.ground["figures"], found.ground["sources"]) == ([], [])


def test_the_ground_of_another_edition_can_be_asked_for(made: Path) -> None:
    older = trace(made, HEALTH, "Twente", 2022, edition="2024-1").ground
    assert older["edition"] == "2024-1"
    assert older["computed"] == pytest.approx((3 * 66.8 + 72.8) / 4, abs=1e-12)
    assert older["sources"][0]["files"] == [], "an edition from before that table"


def test_without_a_final_edition_the_draft_is_traced(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made / "editions" / "2025-draft", tmp_path / "editions" / "2025-draft")
    found = trace(tmp_path, HEALTH, "Enschede", 2022)
    assert [row["edition"] for row in found.versions] == ["2025-draft"]
    assert found.ground["figures"][0]["value"] == 67.1
    assert (found.before, found.revisions, found.errata, found.corrections) == ([], [], [], [])


# --- which figure is meant


@pytest.mark.parametrize("region", ["GM0153", "gm0153", "Enschede", "ENSCHEDE", "ensch"])
def test_a_region_goes_by_code_name_or_part_of_it(made: Path, region: str) -> None:
    assert trace(made, HEALTH, region, 2022).region["region_code"] == "GM0153"


@pytest.mark.parametrize("name", [HEALTH, "good perceived health", "Goede ervaren gezondheid", "ervaren gezond"])
def test_an_indicator_goes_by_id_name_or_part_of_it(made: Path, name: str) -> None:
    assert trace(made, name, "GM0153", 2022).indicator["indicator_id"] == HEALTH


def test_an_exact_name_goes_before_longer_ones_that_hold_it(made: Path) -> None:
    """`Twente` is no mistake because there is a GGD Twente."""
    assert trace(made, HEALTH, "twente", 2022).region["region_code"] == "TWENTE"


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            (HEALTH, "Enschde", 2022),
            "There is no region 'Enschde' in the editions at hand. Near it: GM0153 (Enschede).",
        ),
        (("perceived_health_godo", "Borne", 2022), f"Near it: {HEALTH} (Good perceived health)"),
        (("perceived", "Borne", 2022), f"'perceived' fits several indicators: {HEALTH} (Good perceived health), "),
        ((HEALTH, "Borne", 1999), "with measurement year 1999; at hand: 2022"),
        ((RATIO, "Borne", 2022), f"No edition has a figure of {RATIO} of GM0147"),
        (("xyz", "Borne", 2022), "There is no indicator 'xyz' in the editions at hand."),
        (("", "Borne", 2022), "There is no indicator '' in the editions at hand."),
    ],
)
def test_a_mistaken_call_names_what_comes_near(made: Path, call: tuple[str, str, int], said: str) -> None:
    with pytest.raises(NotFound) as refused:
        trace(made, *call)
    assert said in str(refused.value)


def test_an_unknown_breakdown_names_those_at_hand(made: Path) -> None:
    with pytest.raises(NotFound, match="with breakdown sex=female; at hand: total"):
        trace(made, HEALTH, "Borne", 2022, breakdown="sex=female")


def test_an_indicator_that_was_withdrawn_is_still_found_in_older_editions(made: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(made, tmp_path / "output"))
    for name in ("2025-1", "2025-draft"):
        for table in ("indicator", "indicator_value"):
            path = root / "editions" / name / "parquet" / f"{table}.parquet"
            pl.read_parquet(path).filter(pl.col("indicator_id") != HEALTH).write_parquet(path)
    found = trace(root, HEALTH, "Enschede", 2022)
    assert [row["edition"] for row in found.versions] == ["2024-1"]


def test_a_row_key_is_read_as_columns() -> None:
    assert parts_of("a=1|b=x=y;z") == {"a": "1", "b": "x=y;z"}


# --- the command


def test_the_command_prints_the_history_and_as_json_every_digit(made: Path, btg: Btg) -> None:
    said = btg("trace", HEALTH, "Enschede", "2022", "--output", made)
    assert said.exit_code == 0, said.output
    assert said.stdout.startswith(f"Good perceived health ({HEALTH}), Enschede (GM0153), 2022\n")
    found = json.loads(btg("trace", HEALTH, "Enschede", "2022", "--json", "--output", made).stdout)
    assert found["versions"][1]["value"] == 66.94
    assert found["ground"]["sources"][0]["sha256"] == SNAPSHOT


@pytest.mark.parametrize("call", [("xyz", "Borne", "2022"), (HEALTH, "Borne", "2022", "--edition", "2031-1")])
def test_the_command_ends_with_2_when_the_call_is_at_fault(made: Path, btg: Btg, call: tuple[str, ...]) -> None:
    said = btg("trace", *call, "--output", made)
    assert said.exit_code == 2
    assert said.stdout == ""


def test_an_output_folder_without_editions_says_how_to_make_one(tmp_path: Path, btg: Btg) -> None:
    said = btg("trace", HEALTH, "Borne", "2022", "--output", tmp_path)
    assert said.exit_code == 2
    assert "btg measure" in said.stderr


def test_a_damaged_table_ends_with_1_and_names_the_file(made: Path, tmp_path: Path, btg: Btg) -> None:
    root = Path(shutil.copytree(made, tmp_path / "output"))
    path = root / "editions" / "2025-1" / "parquet" / "observation.parquet"
    path.write_bytes(path.read_bytes()[:100])
    said = btg("trace", HEALTH, "Enschede", "2022", "--output", root)
    assert said.exit_code == 1
    assert "observation.parquet" in said.stderr
    assert "Traceback" not in said.output


def test_nobody_who_has_the_database_open_is_in_the_way(made: Path, tmp_path: Path) -> None:
    """Only Parquet is read: the database may be locked, or not even be one."""
    root = Path(shutil.copytree(made, tmp_path / "output"))
    for database in root.rglob("btg.duckdb"):
        database.write_bytes(b"locked by somebody")
    assert trace(root, HEALTH, "Enschede", 2022).versions
    assert traces.at_hand(root)


# --- what differs


def test_the_draft_is_compared_with_the_newest_final_edition(made: Path) -> None:
    """66.94 became 67.1 for Enschede: in its figure, in Twente's, in the comparison and at the publisher."""
    found = differences(made, None, None, CATALOGUE)
    assert (found.older, found.newer) == ("2025-1", "2025-draft")
    assert found.revision["edition"].unique().to_list() == ["2025-draft"]
    rows = found.revision.filter(table_name="indicator_value", column_name="value")
    assert [(parts_of(row["row_key"])["region_code"], row["kind"], row["cause"]) for row in rows.to_dicts()] == [
        ("GM0153", "value", "source_revision"),
        ("TWENTE", "value", "source_revision"),
    ]
    assert rows.select("old_value", "new_value").row(0) == ("66.94", "67.1")


def test_a_final_edition_is_compared_with_any_other_by_name(made: Path, btg: Btg) -> None:
    said = btg("diff", "2024-1", "2025-1", "--output", made)
    assert said.exit_code == 0, said.output
    assert said.stdout.startswith("From 2024-1 to 2025-1:\n")
    first = said.stdout.splitlines()[1]
    assert first.startswith("  indicator_value"), "a changed figure first"
    assert "region_code=TWENTE" in first, "of the region as a whole"
    assert "66.8 -> 66.94" in said.stdout


def test_of_a_table_of_which_the_bytes_are_the_same_no_figure_was_revised_by_the_source(made: Path) -> None:
    """2024-1 and 2025-1 name the same snapshot; only the draft has another one."""
    for older, newer, cause in (("2024-1", "2025-1", "unexplained"), ("2025-1", "2025-draft", "source_revision")):
        found = differences(made, older, newer, CATALOGUE).revision.filter(table_name="observation", kind="value")
        assert set(found["cause"]) == {cause}


def test_an_edition_does_not_differ_from_itself(made: Path, btg: Btg) -> None:
    said = btg("diff", "2024-1", "2024-1", "--output", made)
    assert (said.exit_code, said.stdout) == (0, "No differences between 2024-1 and 2024-1.\n")
    assert json.loads(btg("diff", "2024-1", "2024-1", "--json", "--output", made).stdout)["differences"] == []


def test_a_program_gets_every_difference_with_its_key_and_cause(made: Path, btg: Btg) -> None:
    rows = json.loads(btg("diff", "--json", "--output", made).stdout)["differences"]
    assert rows == differences(made, None, None, CATALOGUE).revision.to_dicts()
    table = btg("diff", "--format", "csv", "--output", made).stdout.splitlines()
    assert table[0] == ",".join(CATALOGUE.registry["revision"].column_names)
    assert len(table) == len(rows) + 1


@pytest.mark.parametrize("call", [("2023-1",), ("2024-1", "2031-1")])
def test_an_edition_that_is_not_there_is_the_fault_of_the_call(made: Path, btg: Btg, call: tuple[str, ...]) -> None:
    said = btg("diff", *call, "--output", made)
    assert (said.exit_code, said.stdout) == (2, "")
    assert "at hand: 2024-1, 2025-1, 2025-draft" in said.stderr


def test_without_a_final_edition_there_is_nothing_to_compare_the_draft_with(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made / "editions" / "2025-draft", tmp_path / "editions" / "2025-draft")
    with pytest.raises(NotFound, match="There is no final edition yet to compare 2025-draft with"):
        differences(tmp_path, None, None, CATALOGUE)
    with pytest.raises(NotFound, match="There is no draft"):
        differences(tmp_path / "empty", None, None, CATALOGUE)
