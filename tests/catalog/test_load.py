"""The catalogue loads; a mistake is refused with file, line and field, so that who made it can mend it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import polars as pl
import pytest

from catalog import Catalogue, CatalogueError, frames, load_catalogue
from catalog.current import current_catalogue
from catalog.model import Indicator, IndicatorSource
from sources import bundled
from sources.tidy import Topic
from sources.topics import fits
from tests.catalog.test_model import SOURCE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.catalog.conftest import Copy

HEALTH, HOUSING, INCOME, PEOPLE = (f"indicators/{name}.yaml" for name in ("health", "housing", "income", "population"))
CORE = "members: [GM0141, GM0153, GM0164]"
VARIANT, NARROW = "variant_of: RURAL", "code: RURAL_NARROW"
SEVEN, FOUR = "members: [GM0163, GM0168, GM0183, GM0189, GM1700, GM1735, GM1774]", "GM0147, GM0158, GM0173, GM1742"
GROUPS, ONE_MORE = "groups:\n", "groups:\n  - {code: %s, name_nl: kern, name_en: core, members: [GM0141]}\n"


@dataclass(frozen=True)
class Mistake:
    """In `file`, `old` becomes `new`; the error must name `field`, and the changed line.

    Where a whole entry is at fault, any line from `entry` down to the changed one will do.
    """

    name: str
    file: str
    old: str
    new: str
    field: str
    entry: str = ""


PERCEIVED, DIRECT = "indicator_id: perceived_health_good", "indicator_id: perceived_health_good_direct"
WEIGHT, FALLBACK = "weight: population_18plus", "weight_fallback: population"
RATIO = "ratio: {numerator: benefit_social_assistance, denominator: population, per: 1000}"
OWN_SOURCES = """
  sources:
    - {source_table: CBS 80794ned, source_column: x, unit: per 1000 inhabitants, period_first: "2022",
       period_last: "2022", priority: 1, series_id: x, kind: register, rounding_unit: 1}"""
V4 = "{service_id: cbs_v4, platform: odata_v4, url: "
MISTAKES = [
    Mistake("unknown field", HEALTH, "  layer: official\n", "  layer: official\n  colour: red\n", "colour"),
    Mistake("unknown field of a source", HEALTH, "      priority: 1\n", "      priority: 1\n      prio: 1\n", "prio"),
    Mistake("wrong type", HEALTH, "decimals: 1", "decimals: many", "decimals"),
    Mistake("not among the choices", HEALTH, "polarity: 1", "polarity: 2", "polarity"),
    Mistake("missing field", HEALTH, "  name_en: Good perceived health\n", "", "name_en", PERCEIVED),
    Mistake("missing field of a source", HEALTH, "      kind: model\n", "", "kind", "source_table: RIVM 50150NED"),
    Mistake("field twice", HEALTH, "  polarity: 1\n", "  polarity: 1\n  layer: context\n", "layer"),
    Mistake(
        "field of a source twice", HEALTH, "      priority: 1\n", "      priority: 1\n      priority: 2\n", "priority"
    ),
    Mistake("indicator twice", INCOME, "income_standardised_mean_excl_students", "income_standardised_mean", "_id"),
    Mistake("theme unknown", HEALTH, "theme_id: btg_health", "theme_id: btg_helth", "theme_id"),
    Mistake("table unknown", HEALTH, "source_table: RIVM 50120NED", "source_table: RIVM 1NED", "source_table"),
    Mistake("weight unknown", HEALTH, WEIGHT, "weight: persons", "weight"),
    Mistake("fallback unknown", HEALTH, FALLBACK, "weight_fallback: persons", "weight_fallback"),
    Mistake("half a fallback", HEALTH, FALLBACK, "weight_fallback: population *", "weight_fallback"),
    Mistake(
        "fallback without weight",
        HEALTH,
        "  group_method: none\n",
        "  group_method: none\n  weight_fallback: population\n",
        "weight_fallback",
        DIRECT,
    ),
    Mistake("ratio with sources", INCOME, RATIO, RATIO + OWN_SOURCES, "sources"),
    Mistake("ratio without parts", INCOME, f"  {RATIO}\n", "", "weight", "indicator_id: social_assistance_per_1000"),
    Mistake("ratio of nothing known", INCOME, "numerator: benefit_social", "numerator: welfare", "ratio.numerator"),
    Mistake("ratio to nothing known", INCOME, "denominator: population", "denominator: people", "ratio.denominator"),
    Mistake(
        "ratio of a ratio",
        INCOME,
        "numerator: benefit_social_assistance",
        "numerator: unemployment_benefit_per_1000",
        "ratio.numerator",
    ),
    Mistake("ratio of a group mean", INCOME, "group_method: ratio", "group_method: sum", "weight", "per_1000"),
    Mistake("companion unknown", INCOME, "companion: income_standardised_median", "companion: median", "companion"),
    Mistake("warning unknown", HEALTH, "warnings: [whole_percent]", "warnings: [whole]", "warnings"),
    Mistake("warning of a period unknown", HEALTH, "{covid_period:", "{corona:", "period_warnings"),
    Mistake("weight that calls", HEALTH, WEIGHT, "weight: len(population)", "weight"),
    Mistake("weight that reaches in", HEALTH, WEIGHT, "weight: population.real", "weight"),
    Mistake("weight that opens a door", HEALTH, WEIGHT, "weight: __import__", "weight"),
    Mistake("half a weight", HEALTH, WEIGHT, "weight: population *", "weight"),
    Mistake("mean without weight", HEALTH, f"  {WEIGHT}\n", "", "weight", PERCEIVED),
    Mistake(
        "member selected and added up",
        PEOPLE,
        "add_up: {Leeftijd: [15..74 jaar]}",
        "add_up: {Leeftijd: [15..74 jaar], Geslacht: [T001038]}",
        "add_up",
    ),
    Mistake("nothing added up", PEOPLE, "add_up: {Leeftijd: [15..74 jaar]}", "add_up: {Leeftijd: []}", "add_up"),
    Mistake(
        "no member selected",
        HEALTH,
        'select: {Leeftijd: ["20300", 18 jaar of ouder]}',
        "select: {Leeftijd: []}",
        "select",
    ),
    Mistake("no such month", INCOME, 'months: ["12"]', 'months: ["13"]', "months"),
    Mistake("figures times nothing", INCOME, "factor: 1000", "factor: 0", "factor"),
    Mistake("topic without title", HEALTH, "[{title: Goed ervaren gezondheid,", "[{tilte: Goed,", "topics"),
    Mistake("other unit", HEALTH, "      unit: percent of persons 18+", "      unit: persons", "unit"),
    Mistake("not a period", HEALTH, 'period_last: "2022"', 'period_last: "22"', "period_last"),
    Mistake("baseline of a later year", HEALTH, '{2022: "2022"}', '{2022: "2024"}', "baseline_periods", PERCEIVED),
    Mistake("group member unknown", "region.yaml", CORE, CORE.replace("GM0141", "GM9999"), "members", "URBAN_CORE"),
    Mistake("group member twice", "region.yaml", CORE, CORE.replace("GM0141", "GM0153"), "members"),
    Mistake("group twice", "region.yaml", GROUPS, ONE_MORE % "RURAL", "RURAL", "groups:"),
    Mistake("group named as the region", "region.yaml", GROUPS, ONE_MORE % "TWENTE", "TWENTE", "groups:"),
    Mistake("contrast unknown", "region.yaml", "[URBAN_CORE, RURAL]", "[URBAN_CORE, HILLS]", "contrast", "contrasts:"),
    Mistake("variant of nothing", "region.yaml", VARIANT, "variant_of: HILLS", "variant_of", NARROW),
    Mistake("variant beyond its group", "region.yaml", SEVEN, SEVEN.replace("GM0163", "GM0141"), "members"),
    Mistake("variant that is all of it", "region.yaml", SEVEN, f"{SEVEN[:-1]}, {FOUR}]", "members"),
    Mistake("variant contrasted", "region.yaml", "CORE, RURAL]", "CORE, RURAL_NARROW]", "contrast", "contrasts:"),
    Mistake("not a municipality", "region.yaml", "  GM0141: Almelo", "  XX0141: Almelo", "XX0141"),
    Mistake("municipality twice", "region.yaml", "  GM0147: Borne", "  GM0141: Borne", "GM0141"),
    Mistake("years backwards", "region.yaml", "year: 2025", "year: 2021", "last_measurement_year", "baseline_year:"),
    Mistake("total unknown", "region.yaml", "{indicator: population,", "{indicator: people,", "indicator"),
    Mistake("total of another region", "region.yaml", "region: TWENTE,", "region: VELUWE,", "region"),
    Mistake("theme of no framework", "themes.yaml", "theme_id: btg_income", "theme_id: income", "theme_id"),
    Mistake("theme twice", "themes.yaml", "theme_id: btg_safety", "theme_id: btg_income", "theme_id"),
    Mistake("source unknown", "sources.yaml", "    source_id: cbs_income", "    source_id: cbs", "source_id"),
    Mistake("source twice", "sources.yaml", "- source_id: cbs_income", "- source_id: cbs_population", "source_id"),
    Mistake("table twice", "sources.yaml", "source_table: CBS 84799NED", "source_table: CBS 03759ned", "source_table"),
    Mistake("service unknown", "sources.yaml", "{service: cbs_v4, table_id", "{service: cbs_v5, table_id", "service"),
    Mistake("service twice", "sources.yaml", "service_id: cbs_v3", "service_id: cbs_v4", "service_id"),
    Mistake("service of no platform", "sources.yaml", "platform: odata_v4", "platform: odata_v5", "platform"),
    Mistake("service at no address", "sources.yaml", V4, V4 + "ftp:", "url"),
    Mistake("service with a slash too many", "sources.yaml", "odata/v1/CBS", "odata/v1/CBS/", "url"),
    Mistake("boundaries of no year", "sources.yaml", "{year}", "2022", "wfs_url"),
    Mistake("areas of no year", "sources.yaml", "areas_of: 2022", "areas_of: next", "areas_of"),
    Mistake("table of no regions", "sources.yaml", "regions: [GM, NL]", "regions: []", "regions"),
    Mistake("not a year", "sources.yaml", "[1988..2026]", "[1988..now]", "known_periods"),
    Mistake("years of a range backwards", "sources.yaml", "[1988..2026]", "[2026..1988]", "known_periods"),
    Mistake("no label", "vocabulary.yaml", 'label_nl: "definitief", ', "", "label_nl"),
    Mistake(
        "column unused",
        "columns.yaml",
        "\ntables:",
        "  x: {type: VARCHAR, description_nl: x, description_en: x}\ntables:",
        "x",
    ),
    Mistake(
        "column undescribed", "columns.yaml", "columns: [theme_id, ", "columns: [theme_id, colour, ", "theme.columns"
    ),
    Mistake("column in one language", "columns.yaml", ", description_en: Note.", "", "note"),
    Mistake("column of no type", "columns.yaml", "note: {type: VARCHAR", "note: {type: TEXT", "note"),
    Mistake("column of no vocabulary", "columns.yaml", "vocabulary: basis", "vocabulary: base", "basis"),
    Mistake("column refers to no table", "columns.yaml", "references: theme,", "references: themes,", "references"),
    Mistake("key is no column", "columns.yaml", "key: [theme_id]", "key: [theme]", "theme.key"),
    Mistake("required is no column", "columns.yaml", "required: [name, kind]", "required: [kin]", "region.required"),
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_a_mistake_is_refused_with_file_line_and_field(copy: Copy, mistake: Mistake) -> None:
    before = copy.text(mistake.file).splitlines()
    copy.replace(mistake.file, mistake.old, mistake.new)
    after = copy.text(mistake.file).splitlines()
    changed = next(place for place, line in enumerate(after) if before[place] != line) + 1
    earliest = copy.line(mistake.file, mistake.entry) if mistake.entry else changed
    message = copy.refusal()
    said = re.fullmatch(r"(?P<path>.+\.yaml):(?P<line>\d+): (?P<what>.+)", message, re.DOTALL)
    assert said, message
    assert said["path"] == str(copy.path / mistake.file)
    assert mistake.field in said["what"]
    assert earliest <= int(said["line"]) <= changed, message


def test_the_message_is_short_enough_to_read(copy: Copy) -> None:
    copy.replace(HEALTH, "decimals: 1", "decimals: many")
    copy.replace(HEALTH, "polarity: 1", "polarity: 2")
    message = copy.refusal()
    assert len(message.splitlines()) == 1
    assert len(message) < 400
    assert "1 more mistake" in message


@pytest.mark.parametrize(
    ("file", "text", "line"),
    [("themes.yaml", "- {theme_id: btg_income\n- [\n", 2), ("region.yaml", "region_code: TWENTE\nname_nl: a: b\n", 2)],
)
def test_what_is_no_yaml_is_refused_with_file_and_line(copy: Copy, file: str, text: str, line: int) -> None:
    copy.write(file, text)
    message = copy.refusal()
    assert message.startswith(f"{copy.path / file}:{line}: ")
    assert "YAML" in message


def test_what_is_not_utf8_is_refused_with_the_file(copy: Copy) -> None:
    (copy.path / HEALTH).write_bytes("name_nl: privé".encode("latin-1"))
    message = copy.refusal()
    assert str(copy.path / HEALTH) in message
    assert "UTF-8" in message


@pytest.mark.parametrize(
    "file", ["region", "themes", "sources", "vocabulary", "columns", "analysis", "indicators/health"]
)
@pytest.mark.parametrize("text", ["", "- a\n"])
def test_a_file_that_is_something_else_is_refused_and_named(copy: Copy, file: str, text: str) -> None:
    copy.write(f"{file}.yaml", text)
    assert str(copy.path / f"{file}.yaml") in copy.refusal()


@pytest.mark.parametrize(
    "tables", ["tables:\n", "tables: {theme: }\n", "tables: {theme: word}\n", "tables: [theme]\n", ""]
)
def test_a_column_registry_without_proper_tables_is_refused(copy: Copy, tables: str) -> None:
    columns = copy.text("columns.yaml").partition("\ntables:")[0]
    copy.write("columns.yaml", f"{columns}\n{tables}")
    assert "columns.yaml" in copy.refusal()


def test_a_missing_file_is_refused_and_named(copy: Copy) -> None:
    (copy.path / "themes.yaml").unlink()
    assert "themes.yaml" in copy.refusal()


def test_a_catalogue_without_indicators_is_refused(copy: Copy) -> None:
    for path in (copy.path / "indicators").glob("*.yaml"):
        path.unlink()
    assert "indicators" in copy.refusal()


def test_the_copy_itself_loads_and_is_the_real_catalogue(copy: Copy, catalogue: Catalogue) -> None:
    assert copy.load() == catalogue


def test_the_fingerprint_changes_with_the_catalogue_and_not_with_line_ends(copy: Copy, catalogue: Catalogue) -> None:
    copy.write(HEALTH, copy.text(HEALTH).replace("\n", "\r\n"))
    assert copy.load().sha256 == catalogue.sha256
    copy.replace(HEALTH, "decimals: 1", "decimals: 2")
    assert copy.load().sha256 != catalogue.sha256


NEW_INDICATOR = """
- indicator_id: households_with_children
  theme_id: btg_social_contacts
  layer: context
  name_nl: Huishoudens met kinderen
  name_en: Households with children
  definition_nl: Deel van de huishoudens met kinderen.
  definition_en: Share of households with children.
  unit: percent of households
  unit_nl: procent van de huishoudens
  decimals: 0
  polarity: 0
  group_method: weighted_mean
  weight: households
  max_lag_years: 3
  sources:
    - source_table: CBS 85318NED
      source_column: HuishoudensMetKinderen
      unit: percent of households
      period_first: "2022"
      period_last: "2022"
      priority: 1
      series_id: neighbourhoods
      kind: register
      rounding_unit: 1
"""


def test_a_new_indicator_on_a_table_that_is_there_is_one_entry(copy: Copy, catalogue: Catalogue) -> None:
    copy.write(HOUSING, copy.text(HOUSING) + NEW_INDICATOR)
    new = copy.load()
    assert new.indicator("households_with_children").name_en == "Households with children"
    assert len(new.indicators) == len(catalogue.indicators) + 1
    row = frames.indicators(new).filter(indicator_id="households_with_children")
    assert row.select("theme_id", "weight", "is_count", "is_percentage").rows() == [
        ("btg_social_contacts", "households", False, True)
    ]
    source = frames.indicator_sources(new).filter(indicator_id="households_with_children")
    assert source.select("source_id", "source_table", "kind").rows() == [
        ("cbs_neighbourhoods", "CBS 85318NED", "register")
    ]
    assert new.registry["indicator"].conform(frames.indicators(new)).height == len(new.indicators)


def test_a_new_file_of_indicators_needs_no_registration(copy: Copy) -> None:
    copy.write("indicators/family.yaml", NEW_INDICATOR)
    assert copy.load().indicator("households_with_children").theme_id == "btg_social_contacts"


def test_an_indicator_that_is_not_there_is_a_key_error(catalogue: Catalogue) -> None:
    with pytest.raises(KeyError, match="happiness"):
        catalogue.indicator("happiness")


def test_another_region_is_another_file(copy: Copy, tmp_path: Path, catalogue: Catalogue) -> None:
    region = tmp_path / "achterhoek.yaml"
    text = copy.text("region.yaml").replace("TWENTE", "ACHTERHOEK").replace("GM0141: Almelo", "GM0197: Aalten")
    for field in ("\nsurvey: survey\n", "\nprogramme: programme.yaml\n"):
        text = text.replace(field, "\n")
    region.write_text(text.replace("[GM0141,", "[GM0197,"), encoding="utf-8")
    other = load_catalogue(region)
    assert other.region.region_code == "ACHTERHOEK"
    assert other.sha256 != catalogue.sha256
    # The waves are of the residents of Twente; all else that is measured is the same.
    of_waves = {wave.source_table for wave in catalogue.survey.waves.values()}
    assert other.survey.waves == {}
    assert other.programme is None
    assert other.survey.settings == catalogue.survey.settings
    assert set(catalogue.source_tables) - set(other.source_tables) == of_waves
    assert other.indicators == [
        indicator.model_copy(update={"sources": [s for s in indicator.sources if s.source_table not in of_waves]})
        for indicator in catalogue.indicators
    ]


def test_a_region_has_the_waves_of_the_folder_beside_its_file(copy: Copy, tmp_path: Path, catalogue: Catalogue) -> None:
    folder = tmp_path / "elsewhere"
    (folder / "enquete").mkdir(parents=True)
    for name in ("settings", "synthetic_2023"):
        (folder / "enquete" / f"{name}.yaml").write_text(copy.text(f"survey/{name}.yaml"), encoding="utf-8")
    region = folder / "region.yaml"
    (folder / "programme.yaml").write_text(copy.text("programme.yaml"), encoding="utf-8")
    region.write_text(copy.text("region.yaml").replace("\nsurvey: survey\n", "\nsurvey: enquete\n"), encoding="utf-8")
    other = load_catalogue(region)
    assert list(other.survey.waves) == ["synthetic_2023"]
    health = other.indicator("experienced_health")
    assert [(source.source_table, source.period_first) for source in health.sources] == [("BTG synthetic 2023", "2023")]
    (folder / "enquete" / "synthetic_2023.yaml").unlink()
    without = load_catalogue(region)
    assert without.survey.waves == {}
    assert len({catalogue.sha256, other.sha256, without.sha256}) == 3


def test_a_change_in_a_wave_is_another_catalogue(copy: Copy) -> None:
    before = copy.load().sha256
    copy.replace("survey/synthetic_2023.yaml", "valid: [1, 5]", "valid: [1, 7]")
    assert copy.load().sha256 != before


def test_an_earlier_last_year_leaves_the_later_years_out(catalogue: Catalogue) -> None:
    assert catalogue.region.years == [2022, 2023, 2024, 2025]
    assert catalogue.until(2023).region.years == [2022, 2023]
    for year in (2021, 2026):
        with pytest.raises(CatalogueError, match=f"{year}.*2022 to 2025"):
            catalogue.until(year)


def test_a_last_year_that_is_no_year_is_refused_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BTG_YEAR", "next")
    with pytest.raises(CatalogueError, match="next"):
        current_catalogue.__wrapped__()


def test_the_eleven_dimensions_and_the_eight_themes_are_there(catalogue: Catalogue) -> None:
    # Bruto Twents Geluk's eleven dimensions (covenant) and the CBS themes of "here and now".
    names = {
        framework: [theme.name_nl for theme in catalogue.themes if theme.framework == framework]
        for framework in ("btg", "cbs")
    }
    assert names["btg"] == [
        *("Inkomen", "Baanzekerheid", "Persoonlijke ontwikkeling", "Gezondheid", "Werk-privébalans"),
        *("Sociale contacten", "Maatschappelijke betrokkenheid", "Subjectief welzijn", "Huisvesting", "Veiligheid"),
        "Milieu",
    ]
    assert set(names["cbs"]) == {
        *("Subjectief welzijn", "Materiële welvaart", "Gezondheid", "Arbeid en vrije tijd", "Wonen"),
        *("Samenleving", "Veiligheid", "Milieu"),
    }
    assert all(theme.question_nl for theme in catalogue.themes if theme.framework == "btg")


def test_the_region_is_twente_as_the_covenant_divides_it(catalogue: Catalogue) -> None:
    groups = catalogue.region.own_groups
    assert list(groups) == ["TWENTE", "URBAN_CORE", "RURAL", "RURAL_NARROW"]
    names = {code: {catalogue.region.municipalities[member] for member in members} for code, members in groups.items()}
    assert names["URBAN_CORE"] == {"Almelo", "Enschede", "Hengelo"}
    assert names["RURAL"] == {
        *("Borne", "Dinkelland", "Haaksbergen", "Hellendoorn", "Hof van Twente", "Losser", "Oldenzaal"),
        *("Rijssen-Holten", "Tubbergen", "Twenterand", "Wierden"),
    }
    assert names["TWENTE"] == names["URBAN_CORE"] | names["RURAL"]
    assert names["RURAL"] - names["RURAL_NARROW"] == {"Borne", "Haaksbergen", "Oldenzaal", "Rijssen-Holten"}
    assert names["RURAL_NARROW"] < names["RURAL"]
    assert catalogue.region.contrasts == [("URBAN_CORE", "RURAL")]
    assert catalogue.region.contrast_variants == [("URBAN_CORE", "RURAL_NARROW")]
    assert catalogue.region.baseline_year == 2022


@pytest.fixture(scope="module")
def bundled_pairs() -> set[tuple[str, str]]:
    """Indicator and source table of every bundled figure."""
    path = bundled.FOLDER / "figures.csv.gz"
    return set(pl.read_csv(path, columns=["indicator", "source_table"], infer_schema=False).unique().iter_rows())


def test_every_bundled_figure_is_of_an_indicator_and_a_source_that_the_catalogue_knows(
    catalogue: Catalogue, bundled_pairs: set[tuple[str, str]]
) -> None:
    known = {(i.indicator_id, source.source_table) for i in catalogue.indicators for source in i.sources}
    assert len(bundled_pairs) > 30
    assert bundled_pairs <= known


@pytest.fixture(scope="module")
def published_grades() -> set[tuple[str, str]]:
    """Indicator and source table of every report grade that others published."""
    path = bundled.FOLDER / "published_grades.csv"
    return set(pl.read_csv(path, columns=["indicator", "source_table"], infer_schema=False).unique().iter_rows())


def test_an_indicator_without_bundled_figures_can_be_fetched_delivered_computed_or_asked_of_residents(
    catalogue: Catalogue, bundled_pairs: set[tuple[str, str]], published_grades: set[tuple[str, str]]
) -> None:
    bundled_ids = {indicator_id for indicator_id, _ in bundled_pairs}
    others = [indicator for indicator in catalogue.indicators if indicator.indicator_id not in bundled_ids]
    assert others
    waves = {wave.source_table for wave in catalogue.survey.waves.values()}
    nowhere = [
        indicator.indicator_id
        for indicator in others
        if not indicator.ratio
        and not any(
            source.topics
            or source.source_table in waves
            or (indicator.indicator_id, source.source_table) in published_grades
            for source in indicator.sources
        )
    ]
    assert nowhere == []


# Worked out by who compiled the bundled figures, from a count per age group: no column of the tables.
COMPILED = {"population_share_under_15"}


def test_every_source_of_a_table_that_is_fetched_says_which_topic_is_meant(
    catalogue: Catalogue, bundled_pairs: set[tuple[str, str]]
) -> None:
    without = {
        (indicator.indicator_id, source.source_table)
        for indicator, source in published(catalogue)
        if catalogue.source_tables[source.source_table].service and not source.topics
    }
    assert {indicator_id for indicator_id, _ in without} == COMPILED
    assert without <= bundled_pairs


def test_every_table_is_measured_or_says_which_areas_there_are(catalogue: Catalogue) -> None:
    measured = {source.source_table for _, source in published(catalogue)}
    fetched = {name for name, table in catalogue.source_tables.items() if table.service}
    areas = {name for name, table in catalogue.source_tables.items() if table.areas_of}
    assert fetched <= measured | areas
    assert measured & areas == set()


def test_no_two_indicators_are_the_same_figure_of_a_table(catalogue: Catalogue) -> None:
    """Of one table, sources with a topic in common differ in the members they select or add up, or in their months."""
    same = [
        (first.indicator_id, second.indicator_id, one.source_table)
        for (first, one), (second, other) in combinations(published(catalogue), 2)
        if one.source_table == other.source_table and share_a_topic(one, other) and select_alike(one, other)
    ]
    assert same == []


def published(catalogue: Catalogue) -> list[tuple[Indicator, IndicatorSource]]:
    """Every indicator that is published as such with each of its sources."""
    return [
        (indicator, source) for indicator in catalogue.indicators if not indicator.ratio for source in indicator.sources
    ]


def share_a_topic(one: IndicatorSource, other: IndicatorSource) -> bool:
    """Whether one column may be meant by both: a name of the one, taken as a column, has a name of the other."""
    return any(
        fits(Topic("", tuple(name.path), name.title, name.unit or ""), theirs.topics)
        for own, theirs in ((one, other), (other, one))
        for name in own.topics
    )


def select_alike(one: IndicatorSource, other: IndicatorSource) -> bool:
    """Whether both may mean the same cell: no dimension, and no month, keeps them apart."""
    months = not one.months or not other.months or set(one.months) & set(other.months)
    return bool(months) and all(
        set(one.select[name]) & set(other.select[name])
        if name in one.select and name in other.select
        else set(one.add_up.get(name, [])) == set(other.add_up.get(name, []))
        for name in {*one.select, *one.add_up, *other.select, *other.add_up}
    )


def test_cells_are_told_apart_by_what_they_select() -> None:
    """The test above would see two indicators of one cell."""

    def source(**settings: object) -> IndicatorSource:
        return IndicatorSource(
            **SOURCE | {"topics": [{"path": ["Leefstijl"], "title": "Rookt", "unit": "%"}]} | settings
        )

    assert share_a_topic(source(), source(topics=[{"title": "rookt"}]))
    assert not share_a_topic(source(), source(topics=[{"title": "Rookt", "unit": "aantal"}]))
    assert not share_a_topic(source(), source(topics=[{"path": ["Zorg"], "title": "Rookt"}]))
    assert select_alike(source(select={"Leeftijd": ["18+", "1"]}), source(select={"Leeftijd": ["1"]}))
    assert not select_alike(source(select={"Leeftijd": ["18+"]}), source(select={"Leeftijd": ["65+"]}))
    assert not select_alike(source(select={"Leeftijd": ["65+"]}), source(add_up={"Leeftijd": ["65+", "105+"]}))
    assert select_alike(source(months=["12"]), source())
    assert not select_alike(source(months=["12"]), source(months=["01"]))


def test_a_ratio_has_the_sources_of_its_numerator(catalogue: Catalogue) -> None:
    ratio, counted = catalogue.indicator("social_assistance_per_1000"), catalogue.indicator("benefit_social_assistance")
    assert [s.source_table for s in ratio.sources] == [s.source_table for s in counted.sources]
    assert [s.baseline_periods for s in ratio.sources] == [s.baseline_periods for s in counted.sources]
    # 1000 x a count in tens, by inhabitants: what the rounding makes of the ratio depends on how many there are.
    assert {s.rounding_unit for s in ratio.sources} == {1000 * s.rounding_unit for s in counted.sources} == {10_000}
    assert {(s.unit, tuple(s.topics)) for s in ratio.sources} == {("per 1000 inhabitants", ())}
    assert (ratio.weight, ratio.is_count, ratio.is_percentage) == ("population", False, False)
    parts = frames.ratios(catalogue).filter(indicator_id="social_assistance_per_1000")
    assert parts.select("numerator", "denominator", "per").rows() == [
        ("benefit_social_assistance", "population", 1000.0)
    ]


def test_a_year_of_a_monthly_table_is_known_by_its_month(catalogue: Catalogue) -> None:
    known = frames.known_periods(catalogue).filter(indicator_id="unemployment_benefit_seasonally_adjusted")["period"]
    assert known.to_list() == [f"{year}-12" for year in range(2013, 2026)]  # known_periods of the source


@pytest.mark.parametrize(("prefix", "years"), [("income", 3), ("perceived_health", 4), ("net_labour_participation", 3)])
def test_figures_are_at_most_as_old_as_was_agreed(catalogue: Catalogue, prefix: str, years: int) -> None:
    found = {i.max_lag_years for i in catalogue.indicators if i.indicator_id.startswith(prefix)}
    assert found == {years}


# Reviewed: of these no change since the baseline is published. The definition of poverty is of 2023; which median the
# baseline has is not decided.
WITHOUT_BASELINE = {"income_standardised_median", "persons_in_poverty"}


def test_every_indicator_has_a_frozen_baseline_unless_it_was_decided_otherwise(catalogue: Catalogue) -> None:
    frozen = set(frames.frozen_baselines(catalogue)["indicator_id"])
    assert {indicator.indicator_id for indicator in catalogue.indicators} - frozen == WITHOUT_BASELINE


def test_every_frozen_baseline_is_a_period_its_source_has_and_not_of_after_2022(catalogue: Catalogue) -> None:
    frozen = frames.frozen_baselines(catalogue)
    assert frozen.select("indicator_id", "source_table").is_unique().all()
    for indicator_id, table, period in frozen.iter_rows():
        indicator = catalogue.indicator(indicator_id)
        source = next(source for source in indicator.sources if source.source_table == table)
        assert source.period_first <= period <= source.period_last, indicator_id
        assert 2022 - indicator.max_lag_years <= int(period[:4]) <= 2022, indicator_id
        assert not source.months or period[5:] in source.months, indicator_id
