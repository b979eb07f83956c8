"""README.md of an edition: what it is, how to open, cite and verify it, and whose figures are in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from reports.fair.citation import example
from reports.fair.pack import Pack

_TEMPLATE = Path(__file__).with_name("readme.md.j2")


def readme(pack: Pack) -> str:
    """The text of README.md, Dutch first."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)  # noqa: S701
    publication = pack.publication
    return environment.from_string(_TEMPLATE.read_text(encoding="utf-8")).render(
        texts=pack.texts,
        edition=pack.edition,
        day=pack.published_on.isoformat(),
        publisher=publication.publisher.name,
        supersedes=pack.supersedes,
        reason=pack.reason,
        files=_files(pack),
        citation=example(pack),
        attribution=pack.attribution(pack.sources) or "",
        licence=publication.licence,
        sources=_rows(pack.sources),
        tables=[_table(pack, name) for name in pack.tables],
        statuses=_rows(pack.terms("status")),
        errata=_errata(pack),
        contact=publication.contact,
    )


_REPORTS = "in Dutch: a happiness report per municipality, and the progress report on the programme"


def _files(pack: Pack) -> list[tuple[str, str, str, str]]:
    return [
        ("site/index.html", "de pagina's, ook in het Engels", "the pages; English: site/en/index.html", "browser"),
        ("report/", "een geluksrapport per gemeente, en de voortgangsrapportage", _REPORTS, "PDF, Word"),
        ("btg.xlsx, btg.ods", "de tabellen van de regio", "the tables of the region", "Excel, LibreOffice"),
        ("btg.duckdb", "alle tabellen in één database", "all tables in one database", "DuckDB 1.4+, R, Python"),
        ("csv/", "elke tabel, als tekst", "every table, as text", "Excel, R, SPSS"),
        ("parquet/", "elke tabel, met typen", "every table, with types", "R, Python, DuckDB"),
        ("btg.gpkg", "omtrekken met de hoofdcijfers", "outlines with the headline figures", "QGIS, ArcGIS"),
        ("charts/", "plaatjes", "pictures", ""),
        ("quality/index.html", "de controles op de gegevens", "the checks on the data", "browser"),
        (
            "quality/changes.html",
            "wat er veranderde sinds de vorige editie",
            "what changed since the last edition",
            "browser",
        ),
        ("CITATION.cff", "hoe u aanhaalt", "how to cite", ""),
        ("provenance.json", "waar de editie van is gemaakt", "what the edition was made from", ""),
        ("SHA256SUMS", "controlegetal per bestand", "a checksum for each file", "sha256sum"),
        ("datapackage.json", "beschrijving voor programma's", "description for programs", "Frictionless"),
        ("dcat.jsonld", "beschrijving voor catalogi", "description for catalogues", "data.overheid.nl"),
        (f"{pack.name}.zip", "alles in één bestand", "all in one file", ""),
    ]


def _table(pack: Pack, name: str) -> tuple[str, str, str]:
    table = pack.registry[name]
    named = pack.sources_of(name)["publisher"].unique(maintain_order=True).to_list()
    if pack.outlines_source and "geometry_wkb" in table.column_names:
        named.append(pack.outlines_source)
    return name, _cell(table.description_nl), "; ".join(named) or "-"


def _errata(pack: Pack) -> list[dict[str, Any]]:
    """One entry an erratum: how many rows it is about, and its text."""
    key = ["edition", "erratum_id", "table_name", "text", "stated_at"]
    counted = pack.tables["erratum"].group_by(key, maintain_order=True).agg(pl.col("row_key"))
    return [
        row | {"rows": f"{len(row['row_key'])} rijen" if len(row["row_key"]) > 3 else _quoted(row["row_key"])}
        for row in counted.iter_rows(named=True)
    ]


def _quoted(row_keys: list[str]) -> str:
    return ", ".join(f"`{row_key}`" for row_key in row_keys)


def _rows(frame: pl.DataFrame) -> list[dict[str, Any]]:
    return [
        {name: _cell(value) if isinstance(value, str) else value for name, value in row.items()}
        for row in frame.iter_rows(named=True)
    ]


def _cell(text: str) -> str:
    """Text that a table of Markdown can hold."""
    return text.replace("|", "\\|").replace("\n", " ")
