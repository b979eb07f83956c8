"""Remakes the bundled figures from a folder in the same format: `python -m sources.bundled.remake FOLDER`."""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from catalog import Catalogue, load_catalogue
from sources import lifetimes, names, outlines, published_grades
from sources.bundled import FOLDER, MANIFEST
from sources.csv_file import read_bytes
from sources.errors import InputError
from sources.fact_checks import FIGURES, ORIGINS, REGIONS
from sources.facts import Facts, read_facts

_CBS = "CBS StatLine, CC BY 4.0"
_DESCRIPTIONS = {
    f"{FIGURES}.gz": {
        "what": "published figures: indicator, region, period, value, status, source table",
        "licence": "per source table, see source_tables",
        "attribution": "CBS StatLine; RIVM, GGD'en en CBS (RIVM StatLine)",
    },
    ORIGINS: {
        "what": "where every figure comes from: table, column and unit of each indicator and source table",
        "licence": "CC BY 4.0",
        "attribution": "compiled from the source tables",
    },
    REGIONS: {
        "what": "region codes with the titles of CBS",
        "licence": "CC BY 4.0",
        "attribution": _CBS,
    },
    lifetimes.FILE: {
        "what": "mergers, splits and new codes of municipalities since 2010, with the inhabitants that moved",
        "licence": "CC BY 4.0",
        "attribution": f"{_CBS}, after table 03759ned",
    },
    names.FILE: {
        "what": "codes and titles of all regions that ever were since 1988, and how else they are written",
        "licence": "CC BY 4.0",
        "attribution": f"{_CBS}, after tables 03759ned and 85554NED",
    },
    published_grades.FILE: {
        "what": "overall report grades of the resident survey as published in text, without method or margin",
        "licence": "quotation of published figures",
        "attribution": "Twente Board, RaboResearch",
    },
    outlines.FILE: {
        "what": "outlines of the fourteen municipalities in 2022, simplified, WGS84; shared borders kept shared",
        "licence": "CC BY 4.0",
        "attribution": "CBS/Kadaster 2022",
    },
}


def remake(folder: Path, catalogue: Catalogue, target: Path = FOLDER, *, dry_run: bool = False) -> list[str]:
    """Make the bundle in `target` from `folder`; returns what changed, one line a file.

    The folder must be valid (read_facts). Outlines, reorganisations, names and grades that it does not hold stay. Equal
    input gives equal bytes; a file whose content is the same is not written again. Raises an InputError.
    """
    facts = read_facts(folder, catalogue)
    contents = {
        f"{FIGURES}.gz": read_bytes(folder / facts.files[FIGURES].file),
        ORIGINS: read_bytes(folder / ORIGINS),
        REGIONS: read_bytes(folder / REGIONS),
    }
    beside: dict[str, Callable[[Path], object]] = {
        lifetimes.FILE: lifetimes.read_lifetimes,
        outlines.FILE: outlines.read_outlines,
        names.FILE: names.read_names,
        published_grades.FILE: partial(published_grades.read_published_grades, catalogue=catalogue),
    }
    for name, read in beside.items():
        path = (folder if (folder / name).exists() else target) / name
        read(path)
        contents[name] = read_bytes(path)
    contents[outlines.FILE] = _minified(contents[outlines.FILE])
    # One kind of line end: git may write text files with its own, and the checksums must hold in every checkout.
    contents = {name: content.replace(b"\r\n", b"\n") for name, content in contents.items()}
    lines = [f"{name}: {_change(target / name, content)}" for name, content in contents.items()]
    lines += _figures_changed(target, catalogue, facts)
    if not dry_run:
        for name, content in contents.items():
            if _standing(target / name) != content:
                (target / name).write_bytes(_compressed(content) if name.endswith(".gz") else content)
        manifest = _manifest(target, contents, facts, catalogue)
        text = json.dumps(manifest, ensure_ascii=False, indent=1) + "\n"
        (target / MANIFEST).write_bytes(text.encode())
    return lines


def _compressed(content: bytes) -> bytes:
    buffer = io.BytesIO()
    # No name and no time in the header: the same figures give the same bytes.
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=buffer, mtime=0) as file:
        file.write(content)
    return buffer.getvalue()


def _minified(geojson: bytes) -> bytes:
    return (json.dumps(json.loads(geojson), ensure_ascii=False, separators=(",", ":")) + "\n").encode()


def _standing(path: Path) -> bytes | None:
    """The content that stands there, uncompressed (another compressor is no other content); None if unreadable."""
    try:
        return read_bytes(path)
    except InputError:
        return None


def _change(path: Path, content: bytes) -> str:
    old = _standing(path)
    if old is None:
        return f"new, {len(content)} bytes"
    return "unchanged" if old == content else f"changed, {len(old)} to {len(content)} bytes"


def _figures_changed(target: Path, catalogue: Catalogue, facts: Facts) -> list[str]:
    """How many figures are new, withdrawn or different, compared by key."""
    try:
        old = read_facts(target, catalogue).figures
    except InputError:
        return ["figures: the bundle that is there cannot be read, so they are not compared"]
    key = ["indicator_id", "region_code", "period", "source_table"]
    both = facts.figures.join(old, on=key, suffix="_old")
    different = ~(pl.col("value").eq_missing(pl.col("value_old")) & (pl.col("status") == pl.col("status_old")))
    new, withdrawn = facts.figures.height - both.height, old.height - both.height
    return [f"figures: {new} new, {withdrawn} withdrawn, {both.filter(different).height} with another value or status"]


def _manifest(target: Path, contents: dict[str, bytes], facts: Facts, catalogue: Catalogue) -> dict[str, Any]:
    files: dict[str, Any] = {}
    for name, content in contents.items():
        stored = (target / name).read_bytes()
        files[name] = {"sha256": hashlib.sha256(stored).hexdigest(), "bytes": len(stored)}
        if stored != content:
            uncompressed = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
            files[name]["uncompressed"] = uncompressed
        files[name] |= _DESCRIPTIONS[name]
    return {"files": files, "rows_sha256": facts.rows_sha256, "source_tables": _source_tables(facts, catalogue)}


def _source_tables(facts: Facts, catalogue: Catalogue) -> dict[str, Any]:
    tables: dict[str, Any] = {}
    for origin in facts.origins.sort("source_table", "indicator_id").iter_rows(named=True):
        table = catalogue.source_tables[origin["source_table"]]
        source = catalogue.sources[table.source_id]
        entry = tables.setdefault(
            table.source_table,
            {
                "publisher": source.publisher,
                "title": table.title,
                "licence": source.licence,
                "url": table.url,
                "columns": {},
            },
        )
        entry["columns"][origin["source_column"]] = origin["indicator_id"]
    return tables


def main(arguments: list[str] | None = None) -> int:
    """The command line; 0 on success, 1 when the folder's data is at fault."""
    parser = argparse.ArgumentParser(prog="python -m sources.bundled.remake", description="Remake the bundled figures.")
    parser.add_argument("folder", type=Path, help=f"a folder with {FIGURES}, {ORIGINS} and {REGIONS}")
    parser.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")
    call = parser.parse_args(arguments)
    try:
        lines = remake(call.folder, load_catalogue(), dry_run=call.dry_run)
    except InputError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write("\n".join([*lines, "Nothing was changed (dry run)." if call.dry_run else "Done."]) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
