"""datapackage.json: every table as a resource with its schema (Data Package 2.0, https://datapackage.org)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from catalog import Column, Table
from reports.fair.pack import Pack, file_facts

PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
_OBS_STATUS = "http://purl.org/linked-data/sdmx/2009/attribute#obsStatus"
_MEDIA_TYPES = {
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "gpkg": "application/geopackage+sqlite3",
    "duckdb": "application/octet-stream",
}
_FIELD_TYPES: dict[str, dict[str, str]] = {
    "VARCHAR": {"type": "string"},
    "INTEGER": {"type": "integer"},
    "BIGINT": {"type": "integer"},
    "DOUBLE": {"type": "number"},
    "BOOLEAN": {"type": "boolean"},
    "BLOB": {"type": "string"},
    "VARCHAR[]": {"type": "list", "delimiter": ";", "itemType": "string"},
}


def data_package(pack: Pack, folder: Path) -> dict[str, Any]:
    """The descriptor of the edition in `folder`: tables as CSV and Parquet, the database and the GeoPackage.

    The zip and files about files (README.md, SHA256SUMS) are no resources: the descriptor lies in the zip itself.
    """
    publication, texts = pack.publication, pack.texts
    tables = [_table(pack, folder, name, form) for form in ("csv", "parquet") for name in pack.tables]
    files = [_file(pack, folder, f"btg.{form}") for form in ("duckdb", "gpkg")]
    return {
        "$schema": PROFILE,
        "name": pack.name,
        **({"id": address} if (address := pack.address()) else {}),
        "title": texts["title_nl"],
        "description": f"{texts['description_nl']}\n\n{texts['description_en']}",
        "homepage": publication.homepage,
        "version": pack.edition,
        "created": f"{pack.published_on.isoformat()}T00:00:00Z",
        "keywords": [*publication.keywords_nl, *publication.keywords_en],
        "licenses": [_licence(pack)],
        "contributors": [
            {"title": publication.publisher.name, "path": publication.publisher.url, "roles": ["publisher", "creator"]}
        ],
        "sources": _sources(pack.sources),
        "resources": [*tables, *files],
    }


def _table(pack: Pack, folder: Path, name: str, form: str) -> dict[str, Any]:
    table, path = pack.registry[name], f"{form}/{name}.{form}"
    sources = pack.sources_of(name)
    return {
        # Two resources may not have one name.
        "name": _resource(name, form),
        # A Parquet file carries its own types: validators without a reader of Parquet check size and checksum.
        "type": "table" if form == "csv" else "file",
        "title": name,
        "description": f"{table.description_nl} / {table.description_en}",
        **_content(folder, path, form),
        # Validators count the rows of what they read as a table only.
        **({"encoding": "utf-8", "rows": pack.tables[name].height} if form == "csv" else {}),
        **_terms(pack, sources, outlines="geometry_wkb" in table.column_names),
        "schema": _schema(pack, table, form),
    }


def _file(pack: Pack, folder: Path, path: str) -> dict[str, Any]:
    form = path.rpartition(".")[2]
    return {
        "name": path,
        "type": "file",
        **_content(folder, path, form),
        **_terms(pack, pack.sources, outlines=True),
    }


def _terms(pack: Pack, sources: pl.DataFrame, *, outlines: bool) -> dict[str, Any]:
    """The licence of our work, and whom to name for what is in it."""
    attribution = pack.attribution(sources, outlines=outlines)
    return {
        "licenses": [_licence(pack)],
        **({"sources": _sources(sources)} if sources.height else {}),
        **({"attribution": attribution} if attribution else {}),
    }


def _content(folder: Path, path: str, form: str) -> dict[str, Any]:
    facts = file_facts(folder / path)
    return {
        "path": path,
        "format": form,
        "mediatype": _MEDIA_TYPES[form],
        "bytes": facts["bytes"],
        "hash": f"sha256:{facts['sha256']}",
    }


def _schema(pack: Pack, table: Table, form: str) -> dict[str, Any]:
    keys = [_foreign_key(pack, table, column, form) for column in table.columns if column.references]
    schema = {
        "fields": [_field(pack, table, column, form) for column in table.columns],
        "missingValues": [""],
        "primaryKey": table.key,
        "foreignKeys": [key for key in keys if key],
    }
    return {name: value for name, value in schema.items() if value}


def _foreign_key(pack: Pack, table: Table, column: Column, form: str) -> dict[str, Any] | None:
    """What a column refers to; None for a table's own key."""
    target = pack.registry[str(column.references)]
    if target.key == [column.name] and target.name == table.name:
        return None
    resource = "" if target.name == table.name else _resource(target.name, form)
    return {"fields": [column.name], "reference": {"resource": resource, "fields": target.key}}


def _field(pack: Pack, table: Table, column: Column, form: str) -> dict[str, Any]:
    field: dict[str, Any] = {
        "name": column.name,
        **_FIELD_TYPES[column.type],
        "description": f"{column.description_nl} / {column.description_en}",
    }
    if column.type == "BLOB" and form == "parquet":
        field["format"] = "binary"
    if column.unit:
        field["unit"] = column.unit
    if column.vocabulary:
        field["vocabulary"] = column.vocabulary
    if column.vocabulary == "status":
        field["rdfType"] = _OBS_STATUS
        field["sdmxCodes"] = dict(pack.terms("status").select("term", "sdmx_code").rows())
    if constraints := _constraints(pack, table, column):
        field["constraints"] = constraints
    return field


def _constraints(pack: Pack, table: Table, column: Column) -> dict[str, Any]:
    # An empty list is written as an empty field, which a reader of CSV takes for a missing value.
    if column.type == "VARCHAR[]":
        return {}
    found: dict[str, Any] = {}
    if column.name in table.required or table.key == [column.name]:
        found["required"] = True
    if column.vocabulary:
        found["enum"] = pack.terms(column.vocabulary)["term"].to_list()
    if column.pattern:
        found["pattern"] = column.pattern
    for name, bound in (("minimum", column.minimum), ("maximum", column.maximum)):
        if bound is not None:
            found[name] = bound if column.type == "DOUBLE" else int(bound)
    return found


def _resource(table: str, form: str) -> str:
    return table if form == "csv" else f"{table}.{form}"


def _licence(pack: Pack) -> dict[str, str]:
    licence = pack.publication.licence
    return {"name": licence.spdx, "title": licence.title, "path": licence.url}


def _sources(sources: pl.DataFrame) -> list[dict[str, str]]:
    return [
        {
            "title": f"{row['publisher']}: {row['title']} ({row['source_table']})",
            "path": row["url"],
            "licence": row["licence"],
        }
        for row in sources.iter_rows(named=True)
    ]
