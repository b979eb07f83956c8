"""The survey's settings and waves load; a mistake is refused with file, line and field."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from catalog import Catalogue, CatalogueError
from catalog.survey import FOLDER, SETTINGS, SurveyCatalogue, differs_from_baseline, load_survey, series
from catalog.survey_model import Wave

LAYERS = {
    "experienced_health": "experienced",
    "experienced_safety": "experienced",
    "perceived_health_good": "official",
    "income_standardised_mean": "official",
    "urbanity_class": "context",
    "men": "context",
    "women": "context",
}

WAVE = """\
wave_id: btg_2022
measurement_year: 2022
source_table: BTG 2022
title: Inwonersenquête 2022
url: https://example.org
mode: web
participation: sample
fieldwork: {start: 2022-06-01, end: 2022-06-30}
retention_until: 2027-06-30
columns:
  municipality: gemeente
  respondent: nummer
  weight: gewicht
  groups:
    sex:
      column: geslacht
      values: {"1": male, "2": female}
    age:
      column: leeftijd
      bands: {"18-34": [18, 34], "35-49": [35, 49], "50-64": [50, 64], "65+": [65, 120]}
  drop: [email]
calibration:
  method: raking
  margins:
    - by: [municipality, sex]
      official: {male: men, female: women}
    - by: [age]
dimensions:
  - indicator: experienced_health
    items:
      - item: health_general
        column: v1
        question_nl: Hoe gezond voelt u zich?
        valid: [1, 10]
        missing: ["99"]
      - item: health_tired
        column: v2
        question_nl: Bent u vaak moe?
        valid: [1, 5]
        polarity: -1
"""


def folder_of(path: Path, **waves: str) -> Path:
    path.mkdir(exist_ok=True)
    shutil.copy(FOLDER / SETTINGS, path)
    for name, text in waves.items():
        (path / f"{name}.yaml").write_text(text, encoding="utf-8")
    return path


def load(path: Path, **waves: str) -> SurveyCatalogue:
    return load_survey(LAYERS, folder_of(path / "survey", **waves))


def other(text: str = WAVE, year: int = 2023) -> str:
    """The same wave in another year."""
    return text.replace("2022", str(year))


def test_settings_and_waves_are_loaded_in_order_of_year(tmp_path: Path) -> None:
    survey = load(tmp_path, a=other(), b=WAVE)
    assert list(survey.waves) == ["btg_2022", "btg_2023"]
    assert survey.settings.source_id == "btg_survey"
    assert [item.item for item in survey.waves["btg_2022"].items] == ["health_general", "health_tired"]


def test_a_survey_without_waves_is_no_mistake(tmp_path: Path) -> None:
    assert load(tmp_path).waves == {}


def test_the_fingerprint_follows_the_files_and_not_their_line_ends(tmp_path: Path) -> None:
    first = load(tmp_path, b=WAVE)
    path = tmp_path / "survey" / "b.yaml"
    path.write_bytes(WAVE.replace("\n", "\r\n").encode())
    assert load_survey(LAYERS, path.parent).sha256 == first.sha256
    path.write_text(WAVE.replace("moe", "ziek"), encoding="utf-8")
    changed = load_survey(LAYERS, path.parent)
    assert changed.sha256 != first.sha256
    assert changed.fingerprints["settings"] == first.fingerprints["settings"]
    assert changed.fingerprints["btg_2022"] != first.fingerprints["btg_2022"]


OFFICIAL = "official: {male: men, female: women}"
AGGREGATES = "aggregates: {region: r, dimension: d, value: v, n: n, scale: grade}\n"


@pytest.mark.parametrize(
    ("old", "new", "field", "said"),
    [
        ("mode: web", "mode: fax", "mode", "web"),
        ("mode: web", "mode: web\ncolour: red", "colour", "not permitted"),
        ("end: 2022-06-30", "end: 2022-05-30", "fieldwork.end", "before start"),
        ("start: 2022-06-01", "start: 2021-06-01", "fieldwork", "another year"),
        ("retention_until: 2027-06-30", "retention_until: 2022-06-29", "retention_until", "before the end"),
        ('"2": female}', '"2": woman}', "columns.groups.sex.values", "woman"),
        ('"2": female}', '"2": male}', "columns.groups.sex.values", "no respondent could be female"),
        ('"18-34": [18, 34]', '"18-35": [18, 34]', "columns.groups.age.bands", "18-35"),
        ('"18-34": [18, 34]', '"18-34": [18, 35]', "columns.groups.age.bands.35-49", "overlaps 18-34"),
        ('"18-34": [18, 34]', '"18-34": [34, 18]', "columns.groups.age.bands.18-34", "below the lowest"),
        ('"2": female}', '"2": female}\n      missing: ["1"]', "columns.groups.sex.missing", "1 stands"),
        ("drop: [email]", "drop: [gewicht]", "columns.drop", "gewicht"),
        ("drop: [email]", "drop: [v1]", "dimensions", "v1"),
        ("weight: gewicht", "population_size: n", "columns.population_size", "strata"),
        ("by: [age]", "by: [education]", "calibration.margins.1.by", "which column holds education"),
        ("by: [age]", "by: [municipality, sex]", "calibration.margins", r"municipality\*sex is listed twice"),
        (OFFICIAL, "official: {male: men, female: girls}", "calibration.margins.0.official", "girls"),
        (OFFICIAL, "official: {male: men}", "calibration.margins.0.official", "female is missing"),
        (OFFICIAL, "official: {male: men, woman: women}", "calibration.margins.0.official", "female is missing"),
        ("indicator: experienced_health", "indicator: experienced_luck", "dimensions.0.indicator", "experienced_luck"),
        ("indicator: experienced_health", "indicator: perceived_health_good", "dimensions.0.indicator", "official"),
        ("item: health_tired", "item: health_general", "dimensions", "health_general"),
        ("item: health_tired", "item: weight", "dimensions.0.items.1.item", "name of a column"),
        ("item: health_tired", "item: urbanity_class", "dimensions.0.items.1.item", "is an indicator"),
        ("column: v2", "column: v1", "dimensions", "v1"),
        ("valid: [1, 5]", "valid: [5, 1]", "dimensions.0.items.1.valid", "above"),
        ('missing: ["99"]', 'missing: ["9"]', "dimensions.0.items.0.missing", "9 is a valid answer"),
        ("    items:\n", "    minimum_items: 3\n    items:\n", "dimensions.0.minimum_items", "2 items"),
        ("mode: web", "mode: web\nkind: aggregates", "kind", "needs aggregates"),
        ("columns:\n", AGGREGATES + "columns:\n", "aggregates", "not for a wave of rows"),
        ("retention_until: 2027-06-30\n", "", "kind", "needs retention_until"),
        ("mode: web", "mode: web\npanel_of: btg_2021", "panel_of", "no earlier wave"),
        (
            "calibration:",
            "response: {column: r, respondent: ['1'], nonrespondent: ['2'], classes: [education]}\ncalibration:",
            "response.classes",
            "education",
        ),
    ],
)
def test_a_mistake_is_refused_with_file_line_and_field(
    tmp_path: Path, old: str, new: str, field: str, said: str
) -> None:
    assert WAVE.count(old) == 1
    with pytest.raises(CatalogueError) as caught:
        load(tmp_path, wave=WAVE.replace(old, new))
    message = str(caught.value)
    found = re.fullmatch(r".*wave\.yaml:(\d+): ([^ ]+): (.*)", message, re.DOTALL)
    assert found, message
    assert found[2] == field, message
    assert re.search(said, found[3]), message
    assert int(found[1]) <= WAVE.replace(old, new).count("\n")


def test_the_line_is_that_of_the_mistake(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError) as caught:
        load(tmp_path, wave=WAVE.replace('"2": female}', '"2": woman}'))
    line = 1 + WAVE.splitlines().index('      values: {"1": male, "2": female}')
    assert f"wave.yaml:{line}: columns.groups.sex.values: " in str(caught.value)


INVENTED = WAVE.replace("mode: web", "mode: web\nsynthetic: true").replace("btg_2022", "synthetic_2022")
INVENTED = INVENTED.replace("BTG 2022", "BTG synthetic 2022")


@pytest.mark.parametrize(
    ("first", "second", "field"),
    [
        (WAVE, other().replace("wave_id: btg_2023", "wave_id: btg_2022"), "wave_id"),
        (WAVE, other().replace("BTG 2023", "BTG 2022"), "source_table"),
        (WAVE, WAVE.replace("btg_2022", "btg_2022b").replace("BTG 2022", "BTG 2022b"), "measurement_year"),
        (INVENTED, INVENTED.replace("c_2022", "c_2022b").replace("c 2022", "c 2022b"), "measurement_year"),
        (WAVE, other().replace("indicator: experienced_health", "indicator: experienced_safety"), "items.0.item"),
        (INVENTED, other().replace("mode: web", "mode: web\npanel_of: synthetic_2022"), "panel_of"),
    ],
)
def test_waves_that_cannot_stand_together_are_refused(tmp_path: Path, first: str, second: str, field: str) -> None:
    with pytest.raises(CatalogueError, match=rf"second\.yaml:\d+: .*{re.escape(field)}"):
        load(tmp_path, first=first, second=second)


def test_an_invented_wave_may_stand_beside_a_real_one(tmp_path: Path) -> None:
    assert list(load(tmp_path, a=WAVE, b=INVENTED).waves) == ["btg_2022", "synthetic_2022"]


def test_a_panel_names_an_earlier_wave(tmp_path: Path) -> None:
    survey = load(tmp_path, a=WAVE, b=other().replace("mode: web", "mode: web\npanel_of: btg_2022"))
    assert survey.waves["btg_2023"].panel_of == "btg_2022"


def test_a_covariate_must_be_an_indicator(tmp_path: Path) -> None:
    layers = {name: layer for name, layer in LAYERS.items() if name != "urbanity_class"}
    with pytest.raises(CatalogueError, match=r"settings\.yaml:\d+: small_areas\.covariates\.\d: .*urbanity_class"):
        load_survey(layers, folder_of(tmp_path / "survey"))


# --- what is one series


def of(text: str) -> Wave:
    import yaml

    return Wave.model_validate(yaml.safe_load(text))


HEALTH = "experienced_health"


def test_the_same_questions_are_one_series_whatever_the_file_looks_like() -> None:
    later = other().replace("column: v1", "column: q8").replace('["99"]', '["98", "99"]')
    waves = [of(WAVE), of(later)]
    assert series(waves) == {("btg_2022", HEALTH): HEALTH, ("btg_2023", HEALTH): HEALTH}
    assert differs_from_baseline(waves) == set()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Bent u vaak moe?", "Bent u vaak ziek?"),
        ("valid: [1, 5]", "valid: [1, 7]"),
        ("polarity: -1", "polarity: 1"),
        ("    items:\n", "    minimum_items: 2\n    items:\n"),
        ("participation: sample", "participation: open"),
        (WAVE[WAVE.index("      - item: health_tired") :], ""),
    ],
)
def test_other_questions_are_another_series_until_the_old_ones_return(old: str, new: str) -> None:
    assert old in WAVE
    waves = [of(other(WAVE.replace(old, new), 2023)), of(WAVE), of(other(year=2025))]
    assert series(waves) == {
        ("btg_2022", HEALTH): HEALTH,
        ("btg_2023", HEALTH): f"{HEALTH}_v2",
        ("btg_2025", HEALTH): HEALTH,
    }
    assert differs_from_baseline(waves) == {("btg_2023", HEALTH)}


def test_an_invented_wave_is_no_part_of_a_real_series() -> None:
    waves = [of(WAVE), of(INVENTED)]
    assert series(waves)["synthetic_2022", HEALTH] == f"{HEALTH}_synthetic"
    assert differs_from_baseline(waves) == set()


def test_a_dimension_that_is_new_differs_from_nothing() -> None:
    later = other().replace(HEALTH, "experienced_safety").replace("item: health", "item: safe")
    assert differs_from_baseline([of(WAVE), of(later)]) == set()


def test_questions_that_are_not_known_are_nobody_elses(tmp_path: Path) -> None:
    head = WAVE[: WAVE.index("columns:")].replace("mode: web", "mode: web\nkind: aggregates")
    table = head + AGGREGATES + "dimensions:\n  - indicator: experienced_health\n"
    survey = load(tmp_path, a=table, b=other(table))
    assert series(survey.waves.values())["btg_2023", HEALTH] == f"{HEALTH}_v2"


def test_a_name_of_the_institute_stands_for_a_dimension_of_the_wave(tmp_path: Path) -> None:
    head = WAVE[: WAVE.index("columns:")].replace("mode: web", "mode: web\nkind: aggregates")
    named = AGGREGATES.replace("scale: grade}", "scale: grade, names: {Fit: experienced_safety}}")
    with pytest.raises(CatalogueError, match=r"aggregates\.names\.Fit: 'experienced_safety'"):
        load(tmp_path, a=head + named + "dimensions:\n  - indicator: experienced_health\n")


def test_the_descriptions_in_the_documentation_are_right(tmp_path: Path, catalogue: Catalogue) -> None:
    text = (FOLDER.parents[1] / "docs" / "survey.md").read_text(encoding="utf-8")
    rows, official, table = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    layers = {indicator.indicator_id: indicator.layer for indicator in catalogue.indicators}
    head = rows[: rows.index("columns:")]
    delivered = re.compile(r"    - by: \[municipality, sex, age\] +#.*\n")
    assert len(delivered.findall(rows)) == 1
    waves = {
        "rows": rows,
        "counted": delivered.sub(official, rows).replace("2027", "2028"),
        "table": head.replace("2027", "2026") + table,
    }
    survey = load_survey(layers, folder_of(tmp_path / "survey", **waves))
    assert [(wave.kind, wave.measurement_year) for wave in survey.waves.values()] == [
        ("aggregates", 2026),
        ("rows", 2027),
        ("rows", 2028),
    ]
    calibrations = [wave.calibration for wave in survey.waves.values() if wave.calibration]
    assert [[bool(margin.official) for margin in found.margins] for found in calibrations] == [
        [False, False],
        [True, False],
    ]
