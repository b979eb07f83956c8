"""dcat.jsonld: the edition as a record for data catalogues (DCAT-AP-NL 3.0), such as data.overheid.nl."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import polars as pl

from reports.fair.pack import Pack, file_facts

_Node = dict[str, Any]

CONTEXT = {
    "adms": "http://www.w3.org/ns/adms#",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "geo": "http://www.opengis.net/ont/geosparql#",
    "prov": "http://www.w3.org/ns/prov#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "spdx": "http://spdx.org/rdf/terms#",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_FILE_TYPE = "http://publications.europa.eu/resource/authority/file-type/"
_IANA = "https://www.iana.org/assignments/media-types/"
# Format and media type of a file by how its name ends; DuckDB is in neither list.
_FORMATS = {
    "csv": ("CSV", "text/csv"),
    "json": ("JSON", "application/vnd.datapackage+json"),
    "gpkg": ("GPKG", "application/geopackage+sqlite3"),
    "zip": ("ZIP", "application/zip"),
}
_DATA_PACKAGE = "https://datapackage.org/"
_RIJKSDRIEHOEK = "http://www.opengis.net/def/crs/EPSG/0/28992"
_ORIGINATOR = "https://inspire.ec.europa.eu/metadata-codelist/ResponsiblePartyRole/originator"


def dcat_record(pack: Pack, folder: Path) -> _Node:
    """The edition in `folder` as one dcat:Dataset with its distributions, in JSON-LD.

    Size and checksum of the zip are not in it: the record lies in the zip itself.
    """
    publication, texts = pack.publication, pack.texts
    publisher = _agent(publication.publisher.name, publication.publisher.url, publication.publisher.iri)
    landing_page = _document(publication.homepage)
    record: _Node = {
        "@context": CONTEXT,
        "@id": _identity(pack),
        "@type": "dcat:Dataset",
        "dct:identifier": pack.address() or pack.name,
        "dct:title": [_text(texts["title_nl"], "nl"), _text(texts["title_en"], "en")],
        "dct:description": [_text(texts["description_nl"], "nl"), _text(texts["description_en"], "en")],
        "dcat:keyword": [
            *(_text(word, "nl") for word in publication.keywords_nl),
            *(_text(word, "en") for word in publication.keywords_en),
        ],
        "dct:publisher": publisher,
        "dct:creator": publisher,
        "dcat:contactPoint": {
            "@type": ["vcard:Kind", "vcard:Organization"],
            "vcard:fn": publication.contact.name,
            "vcard:hasURL": {"@id": publication.contact.url},
        },
        "dcat:theme": [
            _typed(iri, "skos:Concept") | {"skos:prefLabel": _text(name, "nl")}
            for name, iri in publication.themes.items()
        ],
        "dct:accessRights": _typed(publication.access_rights, "dct:RightsStatement"),
        "dct:language": _languages(pack),
        "dct:accrualPeriodicity": _typed(publication.frequency, "dct:Frequency"),
        "dct:issued": _date(pack.published_on.isoformat()),
        "dct:modified": _date(pack.published_on.isoformat()),
        "dct:temporal": {
            "@type": "dct:PeriodOfTime",
            "dcat:startDate": _date(f"{pack.region.baseline_year}-01-01"),
            "dcat:endDate": _date(f"{pack.year}-12-31"),
        },
        "dct:spatial": _places(pack),
        "dct:conformsTo": [_typed(_DATA_PACKAGE, "dct:Standard"), _typed(_RIJKSDRIEHOEK, "dct:Standard")],
        "dct:provenance": {
            "@type": "dct:ProvenanceStatement",
            "rdfs:label": _text(pack.attribution(pack.sources) or "", "nl"),
        },
        "prov:qualifiedAttribution": [
            {
                "@type": "prov:Attribution",
                "prov:agent": _agent(name),
                "dcat:hadRole": _typed(_ORIGINATOR, "dcat:Role"),
            }
            for name in pack.sources["publisher"].unique(maintain_order=True)
        ],
        "dcat:landingPage": landing_page,
        "foaf:page": landing_page,
        "dcat:version": pack.edition,
        "dcat:distribution": _distributions(pack, folder),
    }
    if pack.supersedes and publication.base_url:
        record["dcat:previousVersion"] = {"@id": f"{publication.base_url}/{pack.supersedes}/"}
    if pack.reason:
        record["adms:versionNotes"] = pack.reason
    return record


def as_json(record: _Node) -> str:
    """A record as text that people can read too."""
    return json.dumps(record, ensure_ascii=False, indent=1) + "\n"


def _identity(pack: Pack) -> str:
    """The address of the edition; where it has none a name that no other edition has."""
    return pack.address() or uuid.uuid5(uuid.NAMESPACE_URL, f"{pack.publication.homepage}#{pack.name}").urn


def _distributions(pack: Pack, folder: Path) -> list[_Node]:
    tables = [(f"csv/{name}.csv", name) for name in pack.publication.main_tables if name in pack.tables]
    zipped = _distribution(pack, f"{pack.name}.zip", pack.name)
    files = [("btg.duckdb", "DuckDB"), ("btg.gpkg", "GeoPackage"), ("datapackage.json", "Data Package"), *tables]
    return [zipped, *(_distribution(pack, path, title) | _proof(folder / path) for path, title in files)]


def _distribution(pack: Pack, path: str, title: str) -> _Node:
    licence, ending = pack.publication.licence, path.rpartition(".")[2]
    address = pack.address(path)
    node: _Node = {
        "@type": "dcat:Distribution",
        "dct:title": title,
        "dct:license": _typed(licence.iri, "dct:LicenseDocument"),
        "dct:language": _languages(pack),
        "dct:issued": _date(pack.published_on.isoformat()),
        "dct:conformsTo": _typed(_DATA_PACKAGE, "dct:Standard"),
        "dcat:accessURL": {"@id": address or pack.publication.homepage},
    }
    if title in pack.registry.tables:
        table = pack.registry[title]
        node["dct:description"] = [_text(table.description_nl, "nl"), _text(table.description_en, "en")]
    if ending in _FORMATS:
        file_type, media_type = _FORMATS[ending]
        node["dct:format"] = _typed(_FILE_TYPE + file_type, "dct:MediaTypeOrExtent")
        node["dcat:mediaType"] = _typed(_IANA + media_type, "dct:MediaType")
    else:
        node["dct:format"] = {"@type": "dct:MediaTypeOrExtent", "rdfs:label": title}
    if address:
        node["dcat:downloadURL"] = {"@id": address}
    return node


def _proof(path: Path) -> _Node:
    facts = file_facts(path)
    return {
        "dcat:byteSize": {"@value": str(facts["bytes"]), "@type": "xsd:nonNegativeInteger"},
        "spdx:checksum": {
            "@type": "spdx:Checksum",
            "spdx:algorithm": _typed("http://spdx.org/rdf/terms#checksumAlgorithm_sha256", "spdx:ChecksumAlgorithm"),
            "spdx:checksumValue": {"@value": facts["sha256"], "@type": "xsd:hexBinary"},
        },
    }


def _places(pack: Pack) -> list[_Node]:
    """The region, with the rectangle around its outlines where there are any, and its municipalities."""
    region = pack.region
    names = [_text(region.name_nl, "nl"), _text(region.name_en, "en")]
    whole: _Node = {"@type": "dct:Location", "skos:prefLabel": names}
    if rectangle := _rectangle(pack.tables["region"].filter(pl.col("region_code").is_in(list(region.municipalities)))):
        whole["dcat:bbox"] = {"@value": rectangle, "@type": "geo:wktLiteral"}
    template = pack.publication.municipality_iri
    if template is None:
        return [whole]
    return [
        whole,
        *(
            _typed(template.format(code=code.lower()), "dct:Location") | {"skos:prefLabel": _text(name, "nl")}
            for code, name in region.municipalities.items()
        ),
    ]


def _rectangle(regions: pl.DataFrame) -> str | None:
    """The rectangle around these outlines in longitude and latitude, as WKT to about ten metres; None without any."""
    import pyproj
    import shapely

    outlines = regions["geometry_wkb"].drop_nulls().to_list()
    if not outlines:
        return None
    to_degrees = pyproj.Transformer.from_crs("EPSG:28992", "OGC:CRS84", always_xy=True)
    west, south, east, north = to_degrees.transform_bounds(*shapely.total_bounds(shapely.from_wkb(outlines)))
    corners = ((west, south), (east, south), (east, north), (west, north), (west, south))
    return f"POLYGON(({', '.join(f'{x:.4f} {y:.4f}' for x, y in corners)}))"


def _languages(pack: Pack) -> list[_Node]:
    return [_typed(iri, "dct:LinguisticSystem") for iri in pack.publication.languages.values()]


def _agent(name: str, url: str | None = None, iri: str | None = None) -> _Node:
    agent: _Node = {"@type": "foaf:Agent", "foaf:name": name}
    return {**({"@id": iri} if iri else {}), **agent, **({"foaf:homepage": {"@id": url}} if url else {})}


def _document(url: str) -> _Node:
    return _typed(url, "foaf:Document")


def _typed(iri: str, kind: str) -> _Node:
    return {"@id": iri, "@type": kind}


def _text(value: str, language: str) -> _Node:
    return {"@value": value, "@language": language}


def _date(day: str) -> _Node:
    return {"@value": day, "@type": "xsd:date"}
