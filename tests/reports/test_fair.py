"""The FAIR pack of a final edition: the standards' own validators accept it, and it says what the tables say."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import zipfile
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import frictionless
import polars as pl
import pyogrio
import pyshacl
import pytest
import rdflib
import shapely
import yaml

from catalog import Catalogue, frames, load_catalogue
from reports.fair import Pack, write_fair_pack, write_zip
from reports.fair.dcat import as_json, dcat_record
from reports.fair.geopackage import write_geopackage
from reports.fair.readme import readme
from reports.tables import write_csv, write_database, write_parquet
from tests.conftest import CHECKOUT, SHARED

SHAPES = SHARED / "standards" / "dcat-ap-nl"
RECOMMENDED = "dcat-ap-nl-SHACL-aanbevolen.ttl"
SHACL, DCT = rdflib.namespace.SH, rdflib.namespace.DCTERMS
DCAT = rdflib.Namespace("http://www.w3.org/ns/dcat#")

ALMELO, BORNE = shapely.box(238000, 482000, 246000, 490000), shapely.box(246000, 478000, 252000, 484000)
INCOME, HEALTH = "CBS 86161NED (indeling 2025)", "RIVM 50120NED"
FIGURE = {"measurement_year": 2025, "breakdown": "total", "reference_period": "2024", "series_id": "s", "warnings": []}
HAND_MADE: dict[str, list[dict[str, Any]]] = {
    "region": [
        {"region_code": "GM0141", "name": "Almelo", "kind": "municipality", "parent_code": "CORES",
         "population": 74776},
        {"region_code": "GM0147", "name": "Borne", "kind": "municipality", "parent_code": "TWENTE"},
        {"region_code": "GM0150", "name": "Deventer", "kind": "municipality"},
        {"region_code": "CORES", "name": "kernen", "kind": "group", "parent_code": "TWENTE"},
        {"region_code": "TWENTE", "name": "Twente", "kind": "region"},
    ],
    "source": [
        {"source_id": "cbs_income", "source_table": INCOME, "publisher": "CBS", "title": "Inkomen; regio",
         "licence": "CC BY 4.0", "url": "https://cbs.example/1", "retrieved_at": "2026-02-03T04:05:06Z", "rows": 4},
        {"source_id": "rivm_health", "source_table": HEALTH, "publisher": "RIVM, GGD'en en CBS",
         "title": "Gezondheid", "licence": "RIVM StatLine, attribution", "url": "https://rivm.example/2", "rows": 2},
        {"source_id": "uwv", "source_table": "UWV WW-uitkeringen per gemeente", "publisher": "UWV", "title": "WW",
         "licence": "UWV, attribution", "url": "https://uwv.example/3", "rows": 0},
    ],
    "indicator_value": [
        FIGURE | {"indicator_id": "income_standardised_mean", "region_code": "GM0141", "value": 36.1, "ci_low": 35.9,
                  "ci_high": 36.3, "status": "provisional", "source_table": INCOME},
        FIGURE | {"indicator_id": "income_standardised_mean", "region_code": "CORES", "value": 36.6,
                  "status": "provisional", "source_table": INCOME},
        FIGURE | {"indicator_id": "income_standardised_mean", "region_code": "GM0147", "status": "suppressed",
                  "reference_period": None, "warnings": ["no_margin", "small_n"], "source_table": INCOME},
        FIGURE | {"indicator_id": "income_standardised_mean", "region_code": "GM0141", "value": 1.0,
                  "measurement_year": 2024, "status": "definitive", "source_table": INCOME},
        FIGURE | {"indicator_id": "perceived_health_good", "region_code": "GM0141", "value": 67.0,
                  "status": "definitive", "source_table": HEALTH},
    ],
    "comparison": [
        {"measurement_year": 2025, "indicator_id": "income_standardised_mean", "region_code": "GM0141",
         "comparator_code": "TWENTE", "breakdown": "total", "verdict": "not_decidable", "basis": "none",
         "warnings": []},
    ],
    "erratum": [
        {"edition": "2024-1", "erratum_id": 1, "table_name": "indicator_value", "row_key": f"region_code={code}",
         "text": "Het cijfer was 36,2 en niet 36,1.", "stated_at": "2026-03-01T10:00:00Z"}
        for code in ("GM0141", "GM0147")
    ],
    "edition": [
        {"edition": "2025-1", "measurement_year": 2025, "created_at": "2026-04-01T12:00:00Z", "code_version": "1",
         "contains_synthetic": False} | {f"{name}_sha256": "0" * 64 for name in ("catalog", "lock", "input")},
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.fixture(scope="module")
def pack(catalogue: Catalogue) -> Pack:
    """Three municipalities of which two have an outline, one group with an outline, and five figures."""
    outlines = {"GM0141": ALMELO, "GM0147": BORNE, "CORES": ALMELO}
    tables = {
        name: table.conform(pl.DataFrame(HAND_MADE.get(name, []), schema=table.polars_schema))
        for name, table in catalogue.registry.tables.items()
    }
    tables["region"] = tables["region"].with_columns(
        geometry_wkb=pl.Series(
            [shapely.to_wkb(outlines[code]) if code in outlines else None for code in tables["region"]["region_code"]],
            dtype=pl.Binary,
        )
    )
    tables["theme"] = frames.themes(catalogue)
    tables["indicator"] = catalogue.registry["indicator"].conform(frames.indicators(catalogue))
    tables["indicator_source"] = catalogue.registry["indicator_source"].conform(frames.indicator_sources(catalogue))
    tables["code_list"] = frames.code_list(catalogue)
    tables["data_dictionary"] = frames.data_dictionary(catalogue)
    return Pack(
        edition="2025-1",
        published_on=date(2026, 4, 2),
        tables=tables,
        registry=catalogue.registry,
        publication=catalogue.publication,
        region=catalogue.region,
        outlines_source="grenzen: CBS/Kadaster",
    )


def write_edition(pack: Pack, folder: Path) -> Path:
    """The tables of a pack as files, as an edition has them, and the FAIR pack."""
    for form in ("parquet", "csv", "charts"):
        (folder / form).mkdir(parents=True)
    for name, frame in pack.tables.items():
        write_parquet(frame, folder / "parquet" / f"{name}.parquet")
        write_csv(frame, folder / "csv" / f"{name}.csv")
    write_database(dict(pack.tables), pack.registry, folder / "btg.duckdb")
    (folder / "charts" / "a.svg").write_text("<svg/>", encoding="utf-8")
    write_fair_pack(pack, folder)
    return folder


@pytest.fixture(scope="module")
def folder(pack: Pack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An edition with its FAIR pack. Only for reading."""
    return write_edition(pack, tmp_path_factory.mktemp("fair") / "2025-1")


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    """The same edition, to damage."""
    return Path(shutil.copytree(folder, tmp_path / "2025-1"))


def read_json(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


# datapackage.json


def faults(folder: Path, **options: Any) -> list[str]:
    """What Frictionless finds wrong with descriptor and data."""
    report = frictionless.Package(str(folder / "datapackage.json")).validate(**options)
    return [error.message for part in (report, *report.tasks) for error in part.errors]


def test_frictionless_finds_descriptor_and_the_data_of_every_table_valid(folder: Path) -> None:
    assert faults(folder) == []


@pytest.mark.parametrize(
    ("right", "wrong", "complaint"),
    [
        ("provisional", "provisonal", "constraint"),  # no word of the vocabulary
        ("36.1", "veel", "type"),
        ("perceived_health_good", "perceived_health_bad", "foreign key"),
        ("36.1", "37.1", "hash"),  # plausible, and not what was published
    ],
)
def test_frictionless_finds_a_changed_figure(copy: Path, right: str, wrong: str, complaint: str) -> None:
    path = copy / "csv" / "indicator_value.csv"
    text = path.read_text(encoding="utf-8")
    assert right in text
    path.write_text(text.replace(right, wrong), encoding="utf-8")
    table = frictionless.Package(str(copy / "datapackage.json")).get_resource("indicator_value")
    messages = [error.message.lower() for task in table.validate().tasks for error in task.errors]
    assert any(complaint in message for message in messages), messages


def test_every_table_is_described_in_both_forms_with_its_size_and_checksum(pack: Pack, folder: Path) -> None:
    resources = read_json(folder / "datapackage.json")["resources"]
    on_disk = {path.relative_to(folder).as_posix() for form in ("csv", "parquet") for path in (folder / form).iterdir()}
    assert {resource["path"] for resource in resources} == on_disk | {"btg.duckdb", "btg.gpkg"}
    assert len(resources) == 2 * len(pack.tables) + 2
    for resource in resources:
        path = folder / resource["path"]
        assert (resource["bytes"], resource["hash"]) == (path.stat().st_size, f"sha256:{sha256(path)}")


def test_a_schema_says_what_the_registry_says(pack: Pack, folder: Path) -> None:
    resources = {resource["name"]: resource for resource in read_json(folder / "datapackage.json")["resources"]}
    for name, table in pack.registry.tables.items():
        for resource in (resources[name], resources[f"{name}.parquet"]):
            assert [field["name"] for field in resource["schema"]["fields"]] == table.column_names
            assert resource["schema"]["primaryKey"] == table.key
    fields = {field["name"]: field for field in resources["indicator_value"]["schema"]["fields"]}
    assert fields["value"]["type"] == "number"
    assert fields["value"]["unit"] == "unit of the indicator"
    assert fields["warnings"] == fields["warnings"] | {"type": "list", "delimiter": ";"}
    assert {"fields": ["region_code"], "reference": {"resource": "region", "fields": ["region_code"]}} in resources[
        "indicator_value"
    ]["schema"]["foreignKeys"]


def test_status_carries_its_sdmx_code(pack: Pack, folder: Path) -> None:
    """CL_OBS_STATUS 2.2 of SDMX: A normal, P provisional, E estimated, O missing, L missing and exists but was not
    collected, M missing and cannot exist, Q missing and suppressed."""
    resources = {resource["name"]: resource for resource in read_json(folder / "datapackage.json")["resources"]}
    (status,) = [f for f in resources["indicator_value"]["schema"]["fields"] if f["name"] == "status"]
    assert status["sdmxCodes"] == {
        "definitive": "A",
        "provisional": "P",
        "estimated": "E",
        "not_measured": "O",
        "not_published": "O",
        "not_retrieved": "L",
        "suppressed": "Q",
        "not_applicable": "M",
    }
    assert sorted(status["constraints"]["enum"]) == sorted(status["sdmxCodes"])


def test_each_table_names_the_sources_it_is_made_of(folder: Path) -> None:
    resources = {resource["name"]: resource for resource in read_json(folder / "datapackage.json")["resources"]}

    def sources(name: str) -> list[str]:
        return [source["path"] for source in resources[name].get("sources", [])]

    assert sources("indicator_value") == ["https://cbs.example/1", "https://rivm.example/2"]
    assert sources("comparison") == ["https://cbs.example/1"]  # of income only
    assert sources("theme_score") == sources("btg.duckdb") == sources("indicator_value")
    assert sources("code_list") == sources("theme") == []
    assert resources["region"]["attribution"].startswith("Bron: grenzen: CBS/Kadaster. Bewerking:")
    assert "CBS (CC BY 4.0); RIVM, GGD'en en CBS (RIVM StatLine, attribution)" in resources["source"]["attribution"]
    assert all(resource["licenses"][0]["name"] == "CC-BY-4.0" for resource in resources.values())


# dcat.jsonld


def graph_of(pack: Pack, folder: Path) -> rdflib.Graph:
    return rdflib.Graph().parse(data=as_json(dcat_record(pack, folder)), format="json-ld")


def violations(graph: rdflib.Graph, shapes: rdflib.Graph) -> list[tuple[str, str]]:
    """What pyshacl finds: the property concerned and the kind of rule."""
    _, report, _ = pyshacl.validate(graph, shacl_graph=shapes)
    assert isinstance(report, rdflib.Graph)
    return sorted(
        (str(report.value(result, SHACL.resultPath)), str(report.value(result, SHACL.sourceConstraintComponent)))
        for result in report.subjects(rdflib.RDF.type, SHACL.ValidationResult)
    )


@pytest.fixture(scope="module")
def shapes() -> dict[str, rdflib.Graph]:
    """The SHACL shapes of DCAT-AP-NL 3.0, as Geonovum publishes them."""
    if not SHAPES.is_dir():
        pytest.skip("the shapes of DCAT-AP-NL are not beside this checkout")
    return {path.name: rdflib.Graph().parse(path) for path in sorted(SHAPES.glob("*.ttl"))}


@pytest.mark.shared
@pytest.mark.parametrize("address", ["", "https://example.org/btg/editions"])
def test_the_record_meets_dcat_ap_nl(pack: Pack, folder: Path, shapes: dict[str, rdflib.Graph], address: str) -> None:
    """All five files. What is recommended is met too, but for a service beside the files, which there is not, and for
    the address of a download where editions are offered nowhere."""
    offered = replace(pack, publication=pack.publication.at(address), supersedes="2025-0", reason="Eén tabel ontbrak.")
    graph = graph_of(offered, folder)
    assert len(shapes) == 5
    for name, rules in shapes.items():
        expected = {str(DCAT.accessService)} | (set() if address else {str(DCAT.downloadURL)})
        found = {concerned for concerned, _ in violations(graph, rules)}
        assert found == (expected if name == RECOMMENDED else set()), name


@pytest.mark.shared
@pytest.mark.parametrize("needed", [DCT.publisher, DCT.creator, DCT.license, DCT.title, DCAT.theme, DCAT.accessURL])
def test_the_shapes_find_what_is_missing(
    pack: Pack, folder: Path, shapes: dict[str, rdflib.Graph], needed: rdflib.URIRef
) -> None:
    graph = graph_of(pack, folder)
    graph.remove((None, needed, None))
    assert any(str(needed) == concerned for rules in shapes.values() for concerned, _ in violations(graph, rules))


def test_the_record_is_written_as_it_was_tested(pack: Pack, folder: Path) -> None:
    assert read_json(folder / "dcat.jsonld") == dcat_record(pack, folder)


def test_the_record_says_what_and_where_the_edition_is(pack: Pack, folder: Path) -> None:
    offered = replace(pack, publication=pack.publication.at("https://example.org/e"), supersedes="2025-0", reason="R.")
    graph, edition = graph_of(offered, folder), rdflib.URIRef("https://example.org/e/2025-1/")
    assert str(graph.value(edition, DCAT.version)) == "2025-1"
    assert str(graph.value(edition, DCAT.previousVersion)) == "https://example.org/e/2025-0/"
    titles = {title.language: str(title) for title in graph.objects(edition, DCT.title) if hasattr(title, "language")}
    assert titles == {"nl": "Brede welvaart in Twente, editie 2025-1", "en": "Broad welfare in Twente, edition 2025-1"}
    spdx = rdflib.Namespace("http://spdx.org/rdf/terms#")
    for distribution in graph.objects(edition, DCAT.distribution):
        path = folder / str(graph.value(distribution, DCAT.downloadURL)).removeprefix(edition)
        assert path.is_file()
        if checksum := graph.value(distribution, spdx.checksum):
            assert str(graph.value(checksum, spdx.checksumValue)) == sha256(path)
            assert str(graph.value(distribution, DCAT.byteSize)) == str(path.stat().st_size)
        else:
            # The record lies in the zip itself.
            assert path.suffix == ".zip"


# CITATION.cff

# The keys of Citation File Format 1.2.0 (schema.json of that version).
CFF_KEYS = {
    *("abstract", "authors", "cff-version", "commit", "contact", "date-released", "doi", "identifiers", "keywords"),
    *("license", "license-url", "message", "preferred-citation", "references", "repository", "repository-artifact"),
    *("repository-code", "title", "type", "url", "version"),
}
CFF_REFERENCE_KEYS = {"authors", "date-accessed", "license", "notes", "title", "type", "url"}


def test_the_citation_names_edition_day_and_the_sources_with_their_day_of_access(pack: Pack, folder: Path) -> None:
    cff = yaml.safe_load((folder / "CITATION.cff").read_text(encoding="utf-8"))
    assert set(cff) <= CFF_KEYS
    assert {"cff-version", "message", "title", "authors"} <= set(cff)
    assert (cff["cff-version"], cff["type"], cff["license"]) == ("1.2.0", "dataset", "CC-BY-4.0")
    assert (cff["version"], cff["date-released"]) == ("2025-1", "2026-04-02")
    assert "edition 2025-1" in cff["title"]
    assert "(accessed YYYY-MM-DD)" in cff["message"]
    assert [set(author) for author in cff["authors"]] == [{"name", "website"}]
    assert len(cff["keywords"]) == len(set(cff["keywords"]))
    assert re.match(r"^https?://.+", cff["url"])
    assert all(set(reference) <= CFF_REFERENCE_KEYS for reference in cff["references"])
    income, health = cff["references"]
    assert income == income | {"date-accessed": "2026-02-03", "license": "CC-BY-4.0", "authors": [{"name": "CBS"}]}
    # When it was retrieved is not known, and its terms have no SPDX identifier.
    assert not {"date-accessed", "license"} & set(health)
    assert health["notes"] == "RIVM StatLine, attribution"


# README.md


def test_the_readme_names_edition_licences_status_and_errata(pack: Pack, folder: Path) -> None:
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert text.startswith("# Brede welvaart in Twente, editie 2025-1\n")
    for row in pack.sources.iter_rows(named=True):
        (line,) = [line for line in text.splitlines() if f"[{row['source_table']}]" in line]
        assert row["publisher"] in line
        assert row["licence"] in line
    assert "UWV" not in text  # of which no figure is used
    assert "| `suppressed` | afgeschermd |" in text
    assert "| Q |" in text
    for name in pack.tables:
        assert f"| `{name}` |" in text
    (erratum,) = [line for line in text.splitlines() if "erratum 1" in line]
    assert "Het cijfer was 36,2 en niet 36,1." in erratum
    assert "`region_code=GM0141`, `region_code=GM0147`" in erratum
    assert "sha256sum --check SHA256SUMS" in text
    assert "2025-1.state.json" in text
    # Every table of Markdown is whole: no empty line or break within one.
    assert not re.search(r"^\|.*\|\n\n\|", text, flags=re.MULTILINE)
    assert "\n\n\n" not in text


def test_the_terms_in_an_edition_are_those_of_its_own_sources_under_its_own_name(pack: Pack) -> None:
    """The file of the checkout on the bundled figures came along once: with its bundle, its demo and edition 2025-1."""
    fetched = {
        "source_table": "CBS 99999NED",
        "publisher": "CBS",
        "licence": "CC BY 4.0",
        "url": "https://cbs.example/9",
    }
    changed = [
        pl.when(pl.col("source_table") == INCOME).then(pl.lit(value)).otherwise(name).alias(name)
        for name, value in fetched.items()
    ]
    tables = dict(pack.tables) | {"source": pack.tables["source"].with_columns(changed)}
    text = readme(replace(pack, edition="2026-1", tables=tables))
    assert "| CBS | [CBS 99999NED](https://cbs.example/9) | Inkomen; regio | CC BY 4.0 | 2026-02-03 |" in text
    line = "Bron: CBS (CC BY 4.0); RIVM, GGD'en en CBS (RIVM StatLine, attribution); grenzen: CBS/Kadaster."
    assert f"> {line} Bewerking: Bruto Twents Geluk, editie 2026-1." in text
    for told in ("logo niet", "endorses", "`correction`"):
        assert told in text
    for of_the_bundle in (INCOME, "2025-1", "LICENSES-DATA", "bundled", "ynthetic"):
        assert of_the_bundle not in text


def test_the_readme_of_a_new_edition_of_the_same_year_says_why(pack: Pack) -> None:
    again = replace(pack, edition="2025-2", supersedes="2025-1", reason="het CBS stelde het inkomen bij.")
    tables = dict(pack.tables) | {"erratum": pack.tables["erratum"].clear()}
    text = readme(replace(again, tables=tables))
    assert "Zij vervangt editie 2025-1: het CBS stelde het inkomen bij." in text
    assert "waren geen fouten in eerdere edities bekend" in text


# btg.gpkg


def test_the_geopackage_holds_outlines_and_the_newest_headline_figures(pack: Pack, folder: Path) -> None:
    path = folder / "btg.gpkg"
    assert pyogrio.list_layers(path).tolist() == [["municipalities", "MultiPolygon"], ["groups", "MultiPolygon"]]
    assert pyogrio.read_info(path, layer="groups")["crs"] == "EPSG:28992"
    shapes = pyogrio.read_dataframe(path, layer="municipalities")
    assert shapes["region_code"].tolist() == ["GM0141", "GM0147"]  # Deventer has no outline
    assert [shapely.normalize(part) for shape in shapes.geometry for part in shape.geoms] == [
        shapely.normalize(ALMELO),
        shapely.normalize(BORNE),
    ]
    figures = pl.from_pandas(shapes.drop(columns="geometry"))
    name = "income_standardised_mean"
    assert figures.select(f"{name}_{part}" for part in ("value", "status", "ci_low", "reference_period")).rows() == [
        (36.1, "provisional", 35.9, "2024"),  # of 2025, not of 2024
        (None, "suppressed", None, None),
    ]
    assert figures["population"].to_list() == [74776, None]
    headline = pack.tables["indicator"].filter("headline")["indicator_id"]
    assert {f"{indicator}_status" for indicator in headline} <= set(figures.columns)
    groups = pyogrio.read_dataframe(path, layer="groups")
    assert groups[["region_code", f"{name}_value"]].to_numpy().tolist() == [["CORES", 36.6]]


def test_an_edition_without_outlines_has_empty_layers(pack: Pack, folder: Path, tmp_path: Path) -> None:
    bare = dict(pack.tables)
    bare["region"] = bare["region"].with_columns(geometry_wkb=pl.lit(None, dtype=pl.Binary))
    write_geopackage(replace(pack, tables=bare), tmp_path / "btg.gpkg")
    assert pyogrio.read_info(tmp_path / "btg.gpkg", layer="municipalities")["features"] == 0
    assert "bbox" not in as_json(dcat_record(replace(pack, tables=bare), folder))


# the zip


def test_the_zip_holds_everything_with_sums_of_its_own(copy: Path) -> None:
    (copy / ".hidden").write_text("not part of the edition", encoding="utf-8")
    (copy / "SHA256SUMS").write_text("of the folder, with the zip\n", encoding="utf-8")
    path = copy / "btg-2025-1.zip"
    write_zip(copy, path)
    before = {p.relative_to(copy).as_posix(): p for p in copy.rglob("*") if p.is_file()}
    expected = set(before) - {".hidden", "SHA256SUMS", path.name}
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        names = {name.removeprefix("btg-2025-1/") for name in archive.namelist()}
        sums = archive.read("btg-2025-1/SHA256SUMS").decode().splitlines()
    assert names == expected | {"SHA256SUMS"}
    assert sorted(sums) == sorted(f"{sha256(before[name])}  {name}" for name in expected)


def test_equal_tables_give_equal_bytes(pack: Pack, folder: Path, copy: Path) -> None:
    """Also in another folder and at another time."""
    described = [path.name for path in folder.iterdir() if path.is_file() and path.name != "btg.duckdb"]
    assert len(described) == 6
    for name in described:
        (copy / name).unlink()
    write_fair_pack(pack, copy)
    for name in described:
        assert sha256(copy / name) == sha256(folder / name), name


# as a whole


def test_an_edition_with_invented_figures_is_refused(pack: Pack, tmp_path: Path) -> None:
    invented = dict(pack.tables) | {"edition": pack.tables["edition"].with_columns(contains_synthetic=True)}
    with pytest.raises(ValueError, match="2025-1 holds invented figures"):
        write_fair_pack(replace(pack, tables=invented), tmp_path)
    assert not list(tmp_path.iterdir())


def test_nothing_in_the_pack_is_about_this_region_but_what_the_catalogue_says(pack: Pack) -> None:
    salland = pack.region.model_copy(update={"name_nl": "Salland", "name_en": "Salland"})
    texts = replace(pack, region=salland).texts
    assert texts["title_nl"] == "Brede welvaart in Salland, editie 2025-1"
    code = [path for path in (CHECKOUT / "reports" / "fair").iterdir() if path.suffix in (".py", ".j2")]
    assert len(code) >= 8
    assert not [path for path in code if re.search("twent", path.read_text(encoding="utf-8"), flags=re.IGNORECASE)]


@pytest.fixture(scope="module")
def real(edition_from_folder: Path, catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The FAIR pack of the bundled official figures."""
    folder = tmp_path_factory.mktemp("real") / "2025-1"
    shutil.copytree(edition_from_folder / "editions" / "2025-draft", folder)
    registry = catalogue.registry
    tables = {name: pl.read_parquet(folder / "parquet" / f"{name}.parquet") for name in registry.tables}
    write_fair_pack(Pack("2025-1", date(2026, 4, 2), tables, registry, catalogue.publication, catalogue.region), folder)
    return folder


def test_the_pack_of_a_real_edition_is_valid(real: Path) -> None:
    assert faults(real, limit_rows=100) == []


@pytest.mark.shared
def test_the_record_of_a_real_edition_meets_dcat_ap_nl(real: Path, shapes: dict[str, rdflib.Graph]) -> None:
    graph = rdflib.Graph().parse(real / "dcat.jsonld", format="json-ld")
    assert not [one for name, rules in shapes.items() if name != RECOMMENDED for one in violations(graph, rules)]


def test_the_geopackage_of_a_real_edition_agrees_with_its_database(real: Path) -> None:
    shapes = pyogrio.read_dataframe(real / "btg.gpkg", layer="municipalities", read_geometry=False)
    with duckdb.connect(str(real / "btg.duckdb"), read_only=True) as connection:
        figures = connection.sql(
            "SELECT region_code, value FROM indicator_value JOIN region USING (region_code) "
            "WHERE measurement_year = 2025 AND indicator_id = 'income_standardised_mean' AND breakdown = 'total' "
            "AND geometry_wkb IS NOT NULL AND kind = 'municipality' ORDER BY region_code"
        ).fetchall()
    assert len(figures) == 14
    assert shapes[["region_code", "income_standardised_mean_value"]].to_numpy().tolist() == [
        list(row) for row in figures
    ]
