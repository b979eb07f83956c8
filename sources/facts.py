"""Published figures in a folder: figures.csv (or figures.csv.gz), figures_origin.csv and regions.csv.

Everything is checked against the catalogue and against each other (fact_checks), so that what leaves here can be
trusted.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from catalog import Catalogue
from sources import bundled
from sources.csv_file import CsvFile, read_csv
from sources.errors import InputError, MissingFile
from sources.fact_checks import FIGURES, KEY, ORIGINS, PAIR, REGIONS, FactFiles, check

_FIGURE_COLUMNS = ["indicator", "region_code", "period", "value", "status", "source_table"]
_ORIGIN_COLUMNS = [
    "indicator",
    "source_table",
    "source_column",
    "unit",
    "note",
    "period_first",
    "period_last",
    "figures",
]
_REGION_COLUMNS = ["region_code", "name"]

# Columns of published figures, wherever they come from.
FIGURE = ["indicator_id", "region_code", "period", "value", "ci_low", "ci_high", "status", "source_table"]


@dataclass(frozen=True)
class FileFacts:
    """What a file was: its real name, SHA-256 and size of the uncompressed content, and number of rows."""

    file: str
    sha256: str
    bytes: int
    rows: int


@dataclass(frozen=True)
class Facts:
    """Validated figures. Missing values are null and have a status that says why.

    figures: indicator_id, region_code, period, value (Float64), ci_low, ci_high (NULL: these files hold no margins),
    status, source_table; sorted by key.
    origins: indicator_id, source_table, source_column, unit, note, period_first, period_last, figures (their
    number); sorted. regions: region_code, name; sorted.
    files: by the plain file name (figures.csv, also where the file is figures.csv.gz).
    rows_sha256: fingerprint of the rows of all three files; compression, row order and line ends do not change it.
    """

    figures: pl.DataFrame
    origins: pl.DataFrame
    regions: pl.DataFrame
    files: dict[str, FileFacts]
    rows_sha256: str


def read_facts(folder: Path, catalogue: Catalogue) -> Facts:
    """Read and validate a folder of figures; it need not hold every indicator of the catalogue.

    Raises an InputError that names file, row, column, value, what was expected and what to do.
    """
    if not folder.is_dir():
        what = "This is a file." if folder.exists() else "There is no such folder."
        raise MissingFile(folder, f"a folder with {FIGURES}, {ORIGINS} and {REGIONS}", remedy=what)
    data = FactFiles(
        figures=read_csv(_figures_path(folder), _FIGURE_COLUMNS),
        origins=read_csv(folder / ORIGINS, _ORIGIN_COLUMNS),
        regions=read_csv(folder / REGIONS, _REGION_COLUMNS),
    )
    if folder.resolve() == bundled.FOLDER.resolve():
        data = _asked_for(data, catalogue)
    figures = check(data, catalogue)
    files = {FIGURES: data.figures, ORIGINS: data.origins, REGIONS: data.regions}
    return Facts(
        figures=figures.sort(KEY)
        .select(
            "region_code",
            "period",
            "status",
            "source_table",
            indicator_id="indicator",
            value="number",
            ci_low=pl.lit(None, dtype=pl.Float64),
            ci_high=pl.lit(None, dtype=pl.Float64),
        )
        .select(FIGURE),
        origins=data.origins.frame.sort(PAIR)
        .with_columns(pl.col("note").replace({"": None}), pl.col("figures").cast(pl.Int64))
        .select(_ORIGIN_COLUMNS)
        .rename({"indicator": "indicator_id"}),
        regions=data.regions.frame.select(_REGION_COLUMNS).sort("region_code"),
        files={
            name: FileFacts(file.path.name, file.sha256, file.bytes, file.frame.height) for name, file in files.items()
        },
        rows_sha256=_fingerprint(files),
    )


def _asked_for(data: FactFiles, catalogue: Catalogue) -> FactFiles:
    """What comes with the software, without indicators and tables that the catalogue no longer has.

    In a folder of somebody else such a name is a mistake; here it is an indicator that was withdrawn.
    """
    pairs = [(i.indicator_id, source.source_table) for i in catalogue.indicators for source in i.sources]
    wanted = pl.DataFrame(pairs, schema=dict.fromkeys(PAIR, pl.String), orient="row")
    figures, origins = (
        replace(file, frame=file.frame.join(wanted, PAIR, how="semi", maintain_order="left"))
        for file in (data.figures, data.origins)
    )
    return replace(data, figures=figures, origins=origins)


def _figures_path(folder: Path) -> Path:
    plain, compressed = folder / FIGURES, folder / f"{FIGURES}.gz"
    if plain.exists() and compressed.exists():
        raise InputError(
            folder,
            f"either {FIGURES} or {compressed.name}",
            remedy="Both are there: remove the one that is out of date.",
        )
    return compressed if compressed.exists() else plain


def _fingerprint(files: dict[str, CsvFile]) -> str:
    digest = hashlib.sha256()
    for name, file in sorted(files.items()):
        rows = file.frame.select(pl.concat_str(file.columns, separator="\x1f")).to_series().sort()
        digest.update(f"{name}\x1d{chr(0x1E).join(rows)}\x1d".encode())
    return digest.hexdigest()
