"""The FAIR pack of a final edition: what lets people and programs find, open, cite, check and reuse it."""

from __future__ import annotations

from pathlib import Path

from reports.fair.archive import write_zip
from reports.fair.citation import citation
from reports.fair.datapackage import data_package
from reports.fair.dcat import as_json, dcat_record
from reports.fair.geopackage import write_geopackage
from reports.fair.pack import Pack
from reports.fair.readme import readme

__all__ = ["Pack", "write_fair_pack", "write_zip"]


def write_fair_pack(pack: Pack, folder: Path) -> None:
    """Describe the edition that lies in `folder`: btg.duckdb, parquet/, csv/ and whatever else belongs to it.

    Writes btg.gpkg, CITATION.cff, README.md (which also says under which terms and how to name the sources),
    datapackage.json, dcat.jsonld and last the zip of all that is there: only SHA256SUMS comes after. Raises ValueError
    for an edition with invented figures, and OSError where a file cannot be written.
    """
    if pack.tables["edition"]["contains_synthetic"].item():
        raise ValueError(f"edition {pack.edition} holds invented figures: it can never be published")
    write_geopackage(pack, folder / "btg.gpkg")
    _write(folder / "CITATION.cff", citation(pack))
    _write(folder / "README.md", readme(pack))
    # These two hold sizes and checksums of what is already there.
    _write(folder / "datapackage.json", as_json(data_package(pack, folder)))
    _write(folder / "dcat.jsonld", as_json(dcat_record(pack, folder)))
    write_zip(folder, folder / f"{pack.name}.zip")


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
