"""A survey desk of a test: a region file of its own, waves of invented people with planted marks, and `btg` beside it.

The waves are the synthetic ones of the catalogue with other ids and without `synthetic`, so that they are treated as
answers of real people. What may never leave the private folder carries a mark that is easily found.
"""

from __future__ import annotations

import gzip
import io
import os
import shutil
import sqlite3
import subprocess
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import yaml

from catalog import Catalogue
from catalog.load import load_catalogue
from catalog.survey_model import Wave
from sources.survey.synthetic import Format, synthetic_wave, write_wave
from tests.conftest import BTG, CHECKOUT

FORMATS: dict[int, Format] = {2022: "sav", 2023: "csv", 2025: "xlsx"}
DIMENSIONS = [
    "experienced_health",
    "experienced_civic_engagement",
    "experienced_subjective_wellbeing",
    "experienced_environment",
]
# Of each dimension the mean score and the percentage of satisfied people.
INDICATORS = [name for dimension in DIMENSIONS for name in (dimension, f"{dimension}_share")]

# What is planted: in every respondent's id, in a column that nobody named, and in one with a name that is dropped.
# `write_wave` puts an address at ADDRESS in the column that is dropped too.
ID, REMARK, NAME, ADDRESS = "merkteken-nr", "Merkteken opmerking", "Merkteken Naamgever", "@voorbeeld.invalid"
MARKS = [ID, REMARK, NAME, ADDRESS]

# Invented, and unlike those of the catalogue's figures: population numbers come with the wave.
OTHERS = ["GM0150", "GM0193", "GM0344", "GM0363", "GM0518", "GM0599"]


@dataclass(frozen=True, repr=False)
class Delivery:
    """What an institute delivers of a wave: the answers, and the population numbers that go with them."""

    answers: Path
    margins: Path


@dataclass(frozen=True)
class Said:
    """A finished command."""

    returncode: int
    stdout: str
    stderr: str

    @property
    def everything(self) -> str:
        """Results and messages together."""
        return self.stdout + self.stderr


@dataclass
class Desk:
    """A folder in which an analyst works: region file and waves, delivered files, data root and output.

    `said` is everything that `btg` has said there.
    """

    folder: Path
    key: str | None = None
    said: list[str] = field(default_factory=list)

    @property
    def region(self) -> Path:
        """The region file; the waves lie in the folder `survey` beside it."""
        return self.folder / "catalogue" / "region.yaml"

    @property
    def data(self) -> Path:
        """The data root."""
        return self.folder / "data"

    @property
    def private(self) -> Path:
        """Where answers are kept."""
        return self.data / "private"

    @property
    def output(self) -> Path:
        """Where editions are made."""
        return self.folder / "output"

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue with this desk's waves."""
        return load_catalogue(self.region)

    @property
    def env(self) -> dict[str, str | None]:
        """The settings of a run here; temporary files and home are the desk's own, so that they can be looked into."""
        for name in ("temporary", "home"):
            (self.folder / name).mkdir(exist_ok=True)
        return {
            "BTG_REGION": str(self.region),
            "BTG_DATA": str(self.data),
            "BTG_SURVEY_KEY": self.key,
            "TMPDIR": str(self.folder / "temporary"),
            "HOME": str(self.folder / "home"),
        }

    def wave(self, name: str) -> Wave:
        """A wave's description."""
        return self.catalogue.survey.waves[name]

    def describe(self, waves: Iterable[Mapping[str, Any]]) -> None:
        """Write the region file and these waves, and nothing else of the survey but its settings."""
        survey = self.region.parent / "survey"
        survey.mkdir(parents=True)
        for name in ("region.yaml", "programme.yaml"):
            shutil.copy(CHECKOUT / "catalog" / name, self.region.parent)
        shutil.copy(CHECKOUT / "catalog" / "survey" / "settings.yaml", survey)
        for wave in waves:
            self.rewrite(wave)

    def rewrite(self, wave: Mapping[str, Any]) -> None:
        """Write the description of one wave."""
        text = yaml.safe_dump(dict(wave), allow_unicode=True, sort_keys=False)
        (self.region.parent / "survey" / f"{wave['wave_id']}.yaml").write_text(text, encoding="utf-8")

    def btg(self, *arguments: str | Path) -> Said:
        """Run a command of `btg` other than `measure`, which goes through `Runs.btg`."""
        # Another test may set something for itself meanwhile.
        theirs = {name: value for name, value in os.environ.items() if not name.startswith(("BTG_", "DAGSTER_"))}
        wanted = {**theirs, **self.env, "NO_COLOR": "1", "COLUMNS": "200"}
        done = subprocess.run(
            [str(part) for part in (BTG, *arguments)],
            env={name: value for name, value in wanted.items() if value is not None},
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        self.said += [done.stdout, done.stderr]
        return Said(done.returncode, done.stdout, done.stderr)

    def table(self, name: str) -> pl.DataFrame:
        """A published table."""
        return pl.read_parquet(self.output / "editions" / "2025-draft" / "parquet" / f"{name}.parquet")


# --- waves


def described(year: int, **given: Any) -> dict[str, Any]:
    """The synthetic wave of a year as one of real people: four dimensions, the ids in a column of the wave's own."""
    path = CHECKOUT / "catalog" / "survey" / f"synthetic_{year}.yaml"
    wave: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    wave |= {
        "wave_id": f"inwoners_{year}",
        "source_table": f"Enquête {year}",
        "title": f"Inwonersenquête {year}",
        "synthetic": False,
        "retention_until": "2024-06-30" if year == 2022 else "2099-12-31",
    }
    wave["dimensions"] = [each for each in wave["dimensions"] if each["indicator"] in DIMENSIONS]
    wave["columns"] |= {"respondent": f"nummer_{year}", "drop": ["e_mail", "naam"]}
    return wave | given


def deliver(
    folder: Path,
    catalogue: Catalogue,
    wave: Wave,
    file_format: Format,
    *,
    national: bool = False,
    panel: int = 0,
) -> Delivery:
    """Write a wave's file as an institute would, with the marks in it, and its population numbers.

    The first `panel` respondents have the same ids in every wave. `national`: people elsewhere were asked too.
    """
    region = catalogue.region
    others = OTHERS if national else []
    populations = {code: 90_000 - 5_000 * place for place, code in enumerate(sorted(region.municipalities))}
    populations |= dict.fromkeys(others, 150_000)
    made = synthetic_wave(
        wave, catalogue.survey.settings, region.municipalities, others, populations, seed=7, groups=region.own_groups
    )
    row = pl.int_range(1, pl.len() + 1)
    of_wave = pl.when(row <= panel).then(pl.lit("panel")).otherwise(pl.lit(str(wave.measurement_year)))
    answers = made.answers.with_columns(row=row, respondent=pl.format(f"{ID}-{{}}-{{}}", of_wave, row))
    folder.mkdir(parents=True, exist_ok=True)
    path = write_wave(folder, wave, answers, file_format)
    _plant(path, file_format)
    margins = folder / f"{wave.wave_id}-margins.csv"
    made.margins.write_csv(margins)
    return Delivery(path, margins)


def _plant(path: Path, file_format: Format) -> None:
    """Add a column of remarks that no description names, and put names in the column for them."""
    if file_format == "sav":
        import pyreadstat

        frame, about = pyreadstat.read_sav(str(path), output_format="polars", user_missing=True)
        pyreadstat.write_sav(
            frame.with_columns(**_planted()),
            str(path),
            column_labels=about.column_names_to_labels,
            variable_value_labels=about.variable_value_labels,
            missing_ranges=about.missing_ranges,
        )
    elif file_format == "csv":
        pl.read_csv(path, separator=";", infer_schema=False).with_columns(**_planted()).write_csv(path, separator=";")
    else:
        from python_calamine import load_workbook

        (titles, *rows) = load_workbook(path).get_sheet_by_index(0).to_python()
        pl.DataFrame(rows, schema=list(map(str, titles)), orient="row", strict=False).with_columns(
            **_planted()
        ).write_excel(path)


def _planted() -> dict[str, pl.Expr]:
    number = pl.int_range(1, pl.len() + 1)
    return {"naam": pl.format(f"{NAME} {{}}", number), "opmerking": pl.format(f"{REMARK} {{}}", number)}


# --- looking for marks


def files_with(folders: Iterable[Path], marks: Iterable[str]) -> dict[str, set[str]]:
    """Each mark that stands anywhere in these folders or in the names of their files, with the files that hold it.

    Capitals do not matter. Looked into is what is compressed or packed too: Parquet, DuckDB, SQLite, zip and gzip.
    """
    sought = {mark: mark.casefold() for mark in marks}
    found: dict[str, set[str]] = {}
    for folder in folders:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            texts = [str(path.relative_to(folder)), *(text.decode(errors="replace") for text in _readings(path))]
            for text in map(str.casefold, texts):
                for mark in (mark for mark, plain in sought.items() if plain in text):
                    found.setdefault(mark, set()).add(path.relative_to(folder).as_posix())
    return found


def _readings(path: Path) -> Iterator[bytes]:
    """A file's bytes, and what they say to whoever opens it with the program it is meant for."""
    body = path.read_bytes()
    yield body
    if body.startswith(b"SQLite format 3"):
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
            yield "\n".join(database.iterdump()).encode()
    elif body[8:12] == b"DUCK":
        with duckdb.connect(str(path), read_only=True) as database:
            for (name,) in database.execute("SELECT table_name FROM duckdb_tables()").fetchall():
                yield repr(database.execute(f'FROM "{name}"').fetchall()).encode()
    else:
        yield from _unpacked(body)


def _unpacked(body: bytes) -> Iterator[bytes]:
    if body.startswith(b"PAR1"):
        yield repr(pl.read_parquet(io.BytesIO(body)).rows()).encode()
    elif body.startswith(b"\x1f\x8b"):
        yield gzip.decompress(body)
    elif body.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            for member in archive.namelist():
                yield archive.read(member)
                yield from _unpacked(archive.read(member))
