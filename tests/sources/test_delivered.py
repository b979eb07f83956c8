"""Every kind of file that publishers deliver is recognised by its content and read rightly.

The golden numbers were looked up in the files themselves; each names the line (or the `Id`) it stands on.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import polars as pl
import pytest

from catalog import load_catalogue
from catalog.layouts import Layout, load_layouts
from catalog.model import TopicName
from catalog.yaml_file import CatalogueError
from sources import delivered
from sources.bundled import examples
from sources.bundled.examples import make
from sources.errors import IncompleteFile, UnknownLayout
from sources.names import bundled_names
from sources.tidy import CELL, TidyTable, Topic
from sources.topics import resolve
from tests.conftest import SHARED

NAMES = bundled_names()
DATA = SHARED / "data"

INCOME = "income/70072ned_inkomen_1995-2025_alle_gemeenten.csv"
PROVINCES = "income/86004NED_UntypedDataSet_NL_PV_2011-2023.csv"
PROVISIONAL = "income/Inkomen_van_huishoudens_regio_2024voorlopig_gemeenten.csv"
HEALTH_2020 = "health/50120NED_2020_18plus.xlsx"
HEALTH_2022 = "health/50120NED_2022_18plus_ervaren_gezondheid_gemeente_wijk_buurt.csv"
REGIONS = "health/Gezondheidsmonitor_18plus_2022_GGD_regio.csv"
WELLBEING = "health/Welzijn_kerncijfers_2013-2024.csv"
AGES = "population/70072ned_2019_leeftijd_geslacht_gemeenten.csv"
POPULATION = "population/70072ned_2025_bevolking_gemeenten.csv"
BENEFITS_2015 = "social-security/bijstand_gemeente_2015_UntypedDataSet.csv"
BENEFITS_2016 = "social-security/bijstand_gemeente_2016_UntypedDataSet.csv"
PIVOT_INCOME = "statline-csv/Inkomen2020.csv"
PIVOT_WEIGHT = "statline-csv/Overgewicht2022.csv"
DISTRICTS = "odata-v3/84799NED/cbs.v3.84799NED_TypedDataSet.parquet"
V4_POPULATION = "odata-v4/03759ned/observations-page-1.json"
V4_PRICES = "odata-v4/83625NED/observations-page-1.json"
V4_BENEFITS = "odata-v4/37789ksz/observations-page-1.json"
V4_LABOUR = "odata-v4/80590ned/observations-page-1.json"

# File -> its layout, figures and regions. Figures are rows x topics, less the empty rows of regions that no longer
# are; in WELLBEING three rows are one.
FILES: dict[str, tuple[str, int, int]] = {
    INCOME: ("cbs_70072ned_download", 460_505, 728),
    PROVINCES: ("cbs_86004ned_rows", 4_225 * 16, 13),
    PROVISIONAL: ("cbs_86161ned_download", 343 * 5, 343),
    HEALTH_2020: ("rivm_50120ned_rows", 17_341 * 35, 17_341),
    HEALTH_2022: ("rivm_50120ned_rows", 18_003, 18_003),
    REGIONS: ("ggd_monitor_2022_regions", 26 * 8, 26),
    WELLBEING: ("cbs_welzijn_rows", 300 * 65, 1),
    AGES: ("cbs_70072ned_ages", 355 * 14, 355),
    POPULATION: ("cbs_70072ned_download", 343 * 61, 343),
    BENEFITS_2015: ("cbs_bijstand_2015_rows", 1_455 * 17, 485),
    BENEFITS_2016: ("cbs_bijstand_2016_rows", 1_470 * 17, 490),
    PIVOT_INCOME: ("cbs_86004ned_pivot", 5 * 6, 5),
    PIVOT_WEIGHT: ("cbs_85563ned_pivot", 5 * 5, 5),
    DISTRICTS: ("cbs_84799ned_rows", 17_341 * 113, 17_341),
    V4_POPULATION: ("cbs_03759ned_observations", 13_568, 848),
    V4_PRICES: ("cbs_83625ned_observations", 8_195, 745),
    V4_BENEFITS: ("cbs_37789ksz_observations", 6_470, 1),
    V4_LABOUR: ("cbs_80590ned_observations", 5_586, 1),
}

STANDARDISED = ["Gemiddeld gestandaardiseerd inkomen"], "Particuliere huishoudens excl. studenten", "1 000 euro"
DISPOSABLE = ["Gemiddeld besteedbaar inkomen"], "Particuliere huishoudens excl. studenten", "1 000 euro"
MEAN, MEDIAN = (([], f"{kind} gestandaardiseerd inkomen", "1 000 euro") for kind in ("Gemiddeld", "Mediaan"))
GOOD_HEALTH = [], "Ervaren gezondheid (goed/zeer goed)", "%"
POPULATION_1_JANUARY = [], "Bevolking op 1 januari", "aantal"
RECIPIENTS = [], "Bijstandsontvangers", ""
PRICE = [], "Gemiddelde verkoopprijs", "euro"
SATISFIED = ["Tevredenheid met het leven"], "Tevreden", "%"
ASSISTANCE = [], "Totaal bijstandsuitkeringen", "x 1000"

# File, topic (path, title, unit), region, period, value, and the line it stands on.
GOLDEN: list[tuple[str, tuple[list[str], str, str], str, str | None, float, str]] = [
    (INCOME, DISPOSABLE, "GM0141", "2022", 45.6, "line 432"),
    (INCOME, DISPOSABLE, "GM0153", "2022", 44.2, "line 5640"),
    (INCOME, STANDARDISED, "GM0141", "2022", 31.7, "line 432"),
    (INCOME, STANDARDISED, "GM0153", "2022", 31.5, "line 5640"),
    (INCOME, STANDARDISED, "GM0164", "2022", 33.4, "line 8554, Hengelo (O.)"),
    (PROVINCES, MEAN, "NL01", "2023", 38.3, "line 14"),
    (PROVINCES, MEAN, "PV20", "2023", 32.8, "line 27"),
    (PROVINCES, MEDIAN, "PV23", "2023", 33.5, "line 66"),
    (PROVISIONAL, MEAN, "NL01", "2024", 41.9, "line 2"),
    (PROVISIONAL, MEAN, "GM0141", "2024", 39.2, "line 10"),
    (PROVISIONAL, MEDIAN, "GM0153", "2024", 31.1, "line 90"),
    (PROVISIONAL, MEAN, "GM0164", "2024", 38.1, "line 129"),
    (HEALTH_2020, GOOD_HEALTH, "GM0141", "2020", 76.6, "row 302"),
    (HEALTH_2020, GOOD_HEALTH, "GM0153", "2020", 77.3, "row 4965"),
    (HEALTH_2020, GOOD_HEALTH, "GM1774", "2020", 83.3, "row 3932"),
    (HEALTH_2020, ([], "Eenzaam", "%"), "GM0153", "2020", 51.5, "row 4965"),
    (HEALTH_2022, GOOD_HEALTH, "NL01", "2022", 69.0, "line 2"),
    (HEALTH_2022, GOOD_HEALTH, "GM0141", "2022", 65.7, "line 302"),
    (HEALTH_2022, GOOD_HEALTH, "GM0153", "2022", 66.8, "line 5380"),
    (HEALTH_2022, GOOD_HEALTH, "GM0164", "2022", 68.6, "line 7568"),
    (REGIONS, GOOD_HEALTH, "NL01", "2022", 70.0, "line 2"),
    (REGIONS, GOOD_HEALTH, "GG1106", "2022", 71.0, "line 6"),
    (REGIONS, (["Bewegen en sport"], "Wekelijkse sporters", "%"), "GG1106", "2022", 53.4, "line 6"),
    (REGIONS, GOOD_HEALTH, "GGD Fryslân (GG)", "2022", 72.0, "line 26"),
    (WELLBEING, (["Geluk"], "Gelukkig", "%"), "NL01", "2022", 86.1, "line 11"),
    (WELLBEING, (["Geluk"], "Gelukkig", "%"), "NL01", "2013", 87.5, "line 2"),
    (WELLBEING, SATISFIED, "NL01", "2019", 87.3, "line 8"),
    (WELLBEING, SATISFIED, "NL01", "2024", 85.3, "line 13"),
    (AGES, ([], "Totale bevolking", "aantal"), "GM0141", "2019", 72849, "line 15"),
    (AGES, ([], "Totale bevolking", "aantal"), "GM0153", "2019", 158986, "line 181"),
    (AGES, ([], "Oppervlakte land", "km2"), "GM0164", "2019", 60.84, "line 275, Hengelo (O.)"),
    (AGES, ([], "Totale bevolking", "aantal"), "GM0014", "2019", 231299, "line 228, Groningen (gemeente)"),
    (POPULATION, ([], "Totale bevolking", "aantal"), "NL01", "2025", 18044027, "line 2"),
    (POPULATION, ([], "Totale bevolking", "aantal"), "GM0141", "2025", 74776, "line 16"),
    (POPULATION, ([], "Totale bevolking", "aantal"), "GM0153", "2025", 162317, "line 184"),
    (
        POPULATION,
        ([], "Gemiddelde huishoudensgrootte", "personen per 1 huishouden"),
        "GM0164",
        "2025",
        2.05,
        "line 278",
    ),
    (BENEFITS_2015, RECIPIENTS, "GM0153", "2015", 8670, "line 157"),
    (BENEFITS_2015, RECIPIENTS, "GM0164", "2015", 2830, "line 207"),
    (BENEFITS_2015, RECIPIENTS, "NL01", "2015", 496600, "line 2"),
    (BENEFITS_2016, RECIPIENTS, "GM0153", "2016", 8790, "line 157"),
    (BENEFITS_2016, RECIPIENTS, "GM0164", "2016", 2960, "line 207"),
    (BENEFITS_2016, RECIPIENTS, "NL01", "2016", 513980, "line 2"),
    (PIVOT_INCOME, (["Inkomen"], "Gemiddeld gestandaardiseerd inkomen", "1 000 euro"), "NL01", "2020", 32.1, "line 8"),
    (PIVOT_INCOME, ([], "Particuliere huishoudens", "x 1 000"), "GM0363", "2020", 470.6, "line 9, Amsterdam"),
    (PIVOT_INCOME, (["Inkomen"], "Mediaan besteedbaar inkomen", "1 000 euro"), "GM0344", "2020", 34.5, "line 12"),
    (PIVOT_WEIGHT, (["Onder- en overgewicht"], "Overgewicht", "%"), "NL01", "2022", 50.3, "line 7"),
    (PIVOT_WEIGHT, (["Onder- en overgewicht"], "Overgewicht", "%"), "GM0014", "2022", 40.1, "line 9"),
    (
        PIVOT_WEIGHT,
        (["Mate van overgewicht"], "Ernstig overgewicht (obesitas)", "%"),
        "GM0935",
        "2022",
        15.3,
        "line 10",
    ),
    (DISTRICTS, ([], "Aantal inwoners", "aantal"), "NL01", None, 17407585, "NL00"),
    (DISTRICTS, ([], "Aantal inwoners", "aantal"), "GM0153", None, 159640, "GM0153"),
    (DISTRICTS, ([], "Bevolkingsdichtheid", "aantal inwoners per km²"), "GM0164", None, 1334, "GM0164"),
    (V4_POPULATION, POPULATION_1_JANUARY, "GM0153", "2019", 158986, "Id 18457"),
    (V4_POPULATION, POPULATION_1_JANUARY, "GM0164", "2026", 84045, "Id 26034"),
    (V4_POPULATION, POPULATION_1_JANUARY, "GM1774", "2025", 26728, "Id 15302"),
    (V4_PRICES, PRICE, "GM0153", "2025", 373780, "Id 6168"),
    (V4_PRICES, PRICE, "GM0164", "2019", 233423, "Id 9076"),
    (V4_PRICES, PRICE, "GM0164", "2025", 378471, "Id 9082"),
    (V4_BENEFITS, ([], "Totaal arbeidsongeschiktheidsuitkeringen", "x 1000"), "NL01", "1998-01", 884.4, "Id 0"),
    (V4_BENEFITS, ASSISTANCE, "NL01", "2015-12", 428.2, "Id 4167"),
    (V4_BENEFITS, ASSISTANCE, "NL01", "2022-12", 388.1, "Id 5714"),
    (V4_BENEFITS, ([], "AOW-uitkeringen", "x 1000"), "NL01", "2025-12", 3698.9, "Id 6382"),
]
# Which member of the other dimensions is meant.
SELECT = {
    PROVINCES: {"Populatie": "1050010", "KenmerkenVanHuishoudens": "1050010"},
    WELLBEING: {"Kenmerken": "T009002"},
    BENEFITS_2015: {"Leeftijd": "20150"},
    BENEFITS_2016: {"Leeftijd": "20150"},
}


@cache
def layouts() -> list[Layout]:
    """The catalogue's layouts."""
    return load_layouts()


@cache
def recognised(file: str) -> Layout:
    """The layout of a shared file, of all there are."""
    if not DATA.is_dir():
        pytest.skip("no shared data beside this checkout")
    return delivered.recognise(DATA / file, layouts())


@cache
def table(file: str) -> TidyTable:
    """A shared file, read as an analyst's would be."""
    entry = recognised(file)
    (read,) = delivered.read(DATA / file, entry, NAMES)
    return read


def of(read: TidyTable, path: list[str], title: str, unit: str) -> Topic:
    return resolve(read.topics, [TopicName(path=path, title=title, unit=unit)], read.name)


@pytest.mark.shared
@pytest.mark.parametrize("file", FILES)
def test_a_real_file_is_recognised_and_read_whole(file: str) -> None:
    layout_id, figures, regions = FILES[file]
    read = table(file)
    assert recognised(file).layout_id == layout_id
    assert read.name == recognised(file).source_table
    assert read.cells.height == figures
    assert read.cells["region_code"].n_unique() == regions
    assert set(read.cells["topic"].unique()) == {topic.key for topic in read.topics}


@pytest.mark.shared
@pytest.mark.parametrize("file", FILES)
def test_a_read_file_is_tidy(file: str) -> None:
    read = table(file)
    cells = read.cells
    assert cells.columns == ["topic", *read.dimensions, *list(CELL)[1:]]
    assert all(cells.schema[name] == CELL.get(name, pl.String) for name in cells.columns)
    filled = cells.select(pl.sum_horizontal(pl.col("value", "text", "reason").is_not_null()))
    assert (filled.to_series() == 1).all(), "a value, a text or a reason, and only one of them"
    assert cells["region_code"].null_count() == 0
    assert not cells["region_code"].is_in(["NL00"]).any()
    for dimension, members in read.members.items():
        assert set(cells[dimension].unique()) == set(members)


@pytest.mark.shared
@pytest.mark.parametrize(("file", "topic", "region", "period", "value", "origin"), GOLDEN)
def test_a_figure_is_the_one_in_the_file(
    file: str, topic: tuple[list[str], str, str], region: str, period: str | None, value: float, origin: str
) -> None:
    read = table(file)
    cells = read.cells.filter(
        pl.col("topic") == of(read, *topic).key,
        pl.col("region_code") == region,
        pl.col("period").eq_missing(pl.lit(period, pl.String)),
        **SELECT.get(file, {}),
    )
    assert cells["value"].to_list() == [value], origin


@pytest.mark.shared
@pytest.mark.parametrize(
    ("measure", "period", "value", "origin"),
    [
        ("M001796_2", "2022", 72.2, "Id 4758"),
        ("M001906_2", "2013", 8.2, "Id 146"),
        ("3000800_2", "2025Q4", 395, "Id 5450"),
    ],
)
def test_topics_of_one_title_are_told_apart_by_their_code(measure: str, period: str, value: float, origin: str) -> None:
    """Every figure of this table is `Niet-seizoengecorrigeerd` or `Seizoengecorrigeerd`: of what, its groups say."""
    found = table(V4_LABOUR).cells.filter(topic=measure, region_code="NL01", period=period)
    assert found["value"].to_list() == [value], origin


@pytest.mark.shared
def test_why_a_figure_is_missing_is_kept_as_the_publisher_writes_it() -> None:
    income = table(INCOME)
    self_employed = of(income, ["Gemiddeld besteedbaar inkomen"], "Bron: Inkomen als zelfstandige", "1 000 euro").key
    cells = income.cells.filter(topic=self_employed)
    assert cells.filter(region_code="GM0193", period="2023")["reason"].item() == ".", "line 22567, Zwolle"
    assert cells.filter(region_code="GM0153", period="2025")["reason"].item() == "", "line 5643, not yet there"
    # The column has 855 cells `.` by the readme of the file.
    assert table(HEALTH_2022).cells["reason"].value_counts().rows_by_key("reason")["."] == [(855,)]
    reasons = dict(table(V4_POPULATION).cells["reason"].drop_nulls().value_counts().iter_rows())
    assert reasons == {"Impossible": 8_165}
    assert table(DISTRICTS).cells["value"].eq(0).any(), "a published 0 is a figure"


@pytest.mark.shared
def test_empty_rows_of_abolished_municipalities_are_no_figures() -> None:
    assert "GM0248" not in table(AGES).cells["region_code"], "Hengelo (Gld.), line 274, all empty"
    # In a file of many years its row of a year in which it existed stays, without figures.
    gone = table(INCOME).cells.filter(region_code="GM0248")
    assert gone["period"].max() == "2004"
    assert gone["value"].null_count() == gone.height


@pytest.mark.shared
def test_three_rows_of_a_value_and_its_margins_become_one() -> None:
    read = table(WELLBEING)
    happy = read.cells.filter(
        pl.col("topic") == of(read, ["Geluk"], "Gelukkig", "%").key, period="2022", Kenmerken="T009002"
    )
    # Lines 11, 23 and 35.
    assert happy.select("value", "ci_low", "ci_high").rows() == [(86.1, 85.2, 86.9)]


@pytest.mark.shared
def test_a_provisional_year_is_marked_and_a_year_without_mark_is_not() -> None:
    assert table(PROVISIONAL).cells["period_status"].unique().to_list() == ["Voorlopig"]
    assert table(INCOME).cells["period_status"].unique().to_list() == [None]
    statuses = dict(table(V4_BENEFITS).cells["period_status"].value_counts().iter_rows())
    assert statuses["Voorlopig"] == 51, "18 measures of the last months, by codes-Perioden.json"


@pytest.mark.shared
def test_the_publishers_metadata_beside_a_file_give_titles_units_and_names() -> None:
    districts = table(DISTRICTS)
    participation = of(districts, ["Arbeid"], "Netto arbeidsparticipatie", "%")
    # Filled in stages: empty in March 2021.
    assert districts.cells.filter(topic=participation.key)["value"].null_count() == 17_341
    assert districts.region_names["GM0153"] == "Enschede"
    postcode = of(districts, [], "Meest voorkomende postcode", "code")
    texts = districts.cells.filter(topic=postcode.key)
    assert texts["value"].null_count() == texts.height
    assert texts.filter(region_code="BU16800000")["text"].item() == "9468"
    population = table(V4_POPULATION)
    assert population.members["Geslacht"] == {"T001038": "Totaal mannen en vrouwen"}
    assert population.region_names["GM0164"] == "Hengelo (O.)"


@pytest.mark.shared
def test_a_file_without_its_metadata_is_read_all_the_same(shared_data: Path, tmp_path: Path) -> None:
    alone = Path(shutil.copy(shared_data / DISTRICTS, tmp_path))
    (read,) = delivered.read(alone, delivered.recognise(alone, layouts()), NAMES)
    # A title equals the name of the column made of it: titles are compared without blanks.
    topic = resolve(read.topics, [TopicName(title="Aantal inwoners")], read.name)
    assert read.cells.filter(topic=topic.key, region_code="GM0153")["value"].item() == 159640


@pytest.mark.shared
def test_the_files_to_keep_with_a_delivery_are_those_of_its_own_table(shared_data: Path, tmp_path: Path) -> None:
    for name in ("observations-page-1", "measure-codes", "codes-Perioden", "index"):
        shutil.copy(shared_data / f"odata-v4/83625NED/{name}.json", tmp_path)
    shutil.copy(shared_data / "odata-v4/37789ksz/measure-codes.json", tmp_path / "other.json")
    found = delivered.companions(tmp_path / "observations-page-1.json")
    assert [path.name for path in found] == ["codes-Perioden.json", "measure-codes.json"]


@pytest.mark.shared
def test_rows_of_odata_v3_in_json_are_read_with_the_properties_beside_them(shared_data: Path) -> None:
    old = Layout.model_validate(
        {
            "layout_id": "cbs_80137ned_rows",
            "source_table": "CBS 80137ned",
            "format": "rows",
            "recognise": {"table_id": "80137ned", "columns": ["Persoonskenmerken", "Perioden"]},
            "region": {"fixed": "NL01"},
            "period": {"column": "Perioden", "by": "code"},
            "dimensions": {"Persoonskenmerken": {}, "BedrijfstakkenSBI93": {}},
            "ignore": ["ID"],
        }
    )
    (read,) = delivered.read(shared_data / "odata-v3/recorded/meta_8.json", old, NAMES)
    jobs = of(read, ["Gemiddeld aantal banen"], "Totaal", "1 000 banen")
    cells = read.cells.filter(topic=jobs.key, Persoonskenmerken="1", BedrijfstakkenSBI93="99", period="2001")
    assert cells.select("value", "period_status").rows() == [(8811.0, "Definitief")], "the first row, ID 0"
    assert read.members["Persoonskenmerken"]["1"] == "Totaal"


@pytest.mark.shared
def test_one_page_of_an_answer_is_no_table(shared_data: Path) -> None:
    with pytest.raises(IncompleteFile, match="one page of several"):
        delivered.recognise(shared_data / "odata-v3/recorded/tables_2.json", layouts())


@pytest.mark.shared
def test_a_file_is_recognised_whatever_its_name(shared_data: Path, tmp_path: Path) -> None:
    renamed = Path(shutil.copy(shared_data / PIVOT_WEIGHT, tmp_path / "UWV Inkomen2020.xlsx"))
    assert delivered.recognise(renamed, layouts()).layout_id == "cbs_85563ned_pivot"


@pytest.mark.shared
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_the_encoding_does_not_matter(shared_data: Path, tmp_path: Path, encoding: str) -> None:
    text = (shared_data / REGIONS).read_text(encoding="utf-8-sig")
    path = tmp_path / "regions.csv"
    path.write_bytes(text.encode(encoding))
    (read,) = delivered.read(path, delivered.recognise(path, layouts()), NAMES)
    assert read.cells.equals(table(REGIONS).cells)


def test_one_layout_does_not_fit_the_file_of_another() -> None:
    """Recognition is asked of all layouts at once, so each real file fits exactly one; see above. Here by source."""
    with pytest.raises(UnknownLayout, match="Nearest"):
        delivered.recognise(examples.UWV, layouts(), "cbs_population")
    assert delivered.recognise(examples.UWV, layouts(), "uwv").layout_id == "uwv_ww_example"


def test_a_source_without_layouts_is_said_so() -> None:
    with pytest.raises(UnknownLayout, match="no layout of the source 'cbs_moon'"):
        delivered.recognise(examples.UWV, layouts(), "cbs_moon")


def test_the_example_of_uwv_gives_months_and_its_marks() -> None:
    entry = delivered.recognise(examples.UWV, layouts())
    (read,) = delivered.read(examples.UWV, entry, NAMES)
    assert entry.synthetic
    assert [str(topic) for topic in read.topics] == ["WW-uitkeringen (aantal)"]
    assert read.cells["period"].unique().sort().to_list() == [f"2025-{month:02}" for month in range(1, 13)]
    municipalities = set(load_catalogue().region.municipalities)
    assert set(read.cells["region_code"]) == municipalities | {"NL01"}, "without Totaal and Buitenland/onbekend"
    missing = read.cells.filter(pl.col("value").is_null()).sort("period").select("region_code", "period", "reason")
    assert missing.rows() == [("GM0183", "2025-03", "<10"), ("GM0147", "2025-05", "*"), ("GM0189", "2025-08", "")]
    assert read.region_names["GM0164"] == "Hengelo", "as the file writes it"


def test_the_example_of_a_ggd_gives_two_years() -> None:
    entry = delivered.recognise(examples.GGD, layouts())
    (read,) = delivered.read(examples.GGD, entry, NAMES)
    assert entry.synthetic
    assert [str(topic) for topic in read.topics] == ["Ervaren gezondheid/Goed ervaren gezondheid (%)"]
    assert read.cells.height == 15 * 2
    losser = read.cells.filter(region_code="GM0168").sort("period")
    assert losser.select("period", "value", "reason").rows() == [("2022", 67.2, None), ("2024", None, "?")]


@pytest.mark.parametrize(("path", "write"), [(examples.UWV, make.uwv), (examples.GGD, make.ggd)])
def test_the_examples_are_made_by_their_program_and_say_they_are_invented(
    path: Path, write: Callable[[Path], None], tmp_path: Path
) -> None:
    write(tmp_path / "again.xlsx")
    assert (tmp_path / "again.xlsx").read_bytes() == path.read_bytes()


def test_every_layout_of_an_invented_file_asks_for_the_word_and_no_other_does() -> None:
    for entry in layouts():
        assert ("VOORBEELD" in (entry.recognise.title or "")) == entry.synthetic


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("source_table: UWV WW", "source_table: UVW WW", "source_table"),
        ("format: crosstab", "format: pivot", "format"),
        ("header: [year, month]", "header: [year, day]", "header"),
        ("  markers", "  label_row: 4\n  markers", "label_row"),
        ("title: ^VOOR", "title: (VOOR", "recognise.title"),
        ("  synthetic: true", "  sythetic: true", "sythetic"),
        ("region: {column: Gemeente,", "region: {column: Gemeente, fixed: NL01,", "region"),
        ("  ignore: [Code]", "  ignore: [Code]\n  dimensions: {value: {}}", "dimensions"),
        ("topics:\n    - {title: WW-uitkeringen, unit: aantal}\n", "topics: []\n", "topics"),
    ],
)
def test_a_mistake_in_a_layout_is_reported_with_file_line_and_field(
    tmp_path: Path, old: str, new: str, field: str
) -> None:
    text = next(Path(load_layouts.__code__.co_filename).parent.glob("layouts/uwv.yaml")).read_text(encoding="utf-8")
    assert text.count(old) == 1
    (tmp_path / "uwv.yaml").write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(CatalogueError, match=rf"uwv\.yaml:\d+: 0\.{field}"):
        load_layouts(load_catalogue().source_tables, tmp_path)


def test_a_layout_stands_in_the_catalogue_once(tmp_path: Path) -> None:
    folder = Path(load_layouts.__code__.co_filename).parent / "layouts"
    for name in ("a.yaml", "b.yaml"):
        shutil.copy(folder / "uwv.yaml", tmp_path / name)
    with pytest.raises(CatalogueError, match=r"b\.yaml:\d+: 0\.layout_id: 'uwv_ww_example' is defined twice"):
        load_layouts(load_catalogue().source_tables, tmp_path)
