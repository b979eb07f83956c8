"""Where a run reads its input and writes its output."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl

from assets.tables import CATALOGUE
from catalog import Table
from sources.snapshots import SnapshotStore

_COMPLETE = "complete"
_FINAL = re.compile(r"\d{4}-\d+")


class Workspace(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The folders of a run.

    `output` holds the editions and `last_run`; `input_folder` is the folder with figures.csv, figures_origin.csv and
    regions.csv that is measured; `data_folder` the data root whose snapshots go before those figures (empty: none);
    `lock_file` pins the dependencies the edition is made with; `demo` adds the invented survey.
    """

    output: str
    input_folder: str
    data_folder: str
    lock_file: str
    demo: bool = False

    @property
    def root(self) -> Path:
        """The output folder."""
        return Path(self.output)

    @property
    def input_path(self) -> Path:
        """The folder with the input."""
        return Path(self.input_folder)

    @property
    def snapshots(self) -> SnapshotStore | None:
        """What was fetched and delivered, where this run uses it."""
        store = SnapshotStore(Path(self.data_folder)) if self.data_folder else None
        return store if store is not None and store.has_any else None

    @property
    def last_run(self) -> Path:
        """What the last run left, also a stopped one."""
        return self.root / "last_run"

    @property
    def tables(self) -> Path:
        """The tables between the steps, as Parquet: `<table>.parquet`, or `<table>/<year>.parquet`."""
        return self.last_run / "tables"

    @property
    def checks(self) -> Path:
        """Check results of the last run, one JSON file a table."""
        return self.last_run / "checks"

    @property
    def charts(self) -> Path:
        """The pictures of the last run."""
        return self.last_run / "charts"

    @property
    def draft_name(self) -> str:
        """The folder of the draft edition is named after its measurement year."""
        return f"{CATALOGUE.region.last_measurement_year}-draft"

    @property
    def is_complete(self) -> bool:
        """Whether the last run came to its end: the checks of one that did not say nothing about an edition."""
        return (self.last_run / _COMPLETE).exists()

    @property
    def sources_file(self) -> Path:
        """Which source each figure of the last run came from, and why."""
        return self.last_run / "sources.json"

    def start_checks(self) -> None:
        """Forget the check results of the run before; until `finish_run` this one is not complete."""
        (self.last_run / _COMPLETE).unlink(missing_ok=True)
        shutil.rmtree(self.checks, ignore_errors=True)
        self.checks.mkdir(parents=True)

    def finish_run(self) -> None:
        """Say that the run made its edition."""
        (self.last_run / _COMPLETE).write_text(f"{self.draft_name}\n", encoding="utf-8")

    def write_sources(self, content: dict[str, Any]) -> None:
        """Keep which source each figure came from, and why."""
        self.sources_file.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")

    def read_sources(self) -> dict[str, Any]:
        """Which source each figure of the last run came from, and why."""
        content: dict[str, Any] = json.loads(self.sources_file.read_text(encoding="utf-8"))
        return content

    def write_checks(self, asset: str, results: list[dict[str, Any]]) -> None:
        """Keep the results of one asset's checks; each has the columns of `check_result`."""
        self.checks.mkdir(parents=True, exist_ok=True)
        text = json.dumps(results, ensure_ascii=False, indent=1)
        # In one step: a run that is killed here leaves the results whole.
        new = self.checks / f".{asset}.new"
        new.write_text(text, encoding="utf-8")
        new.replace(self.checks / f"{asset}.json")

    def read_checks(self) -> pl.DataFrame:
        """The check results of the last run, also of one that was stopped: the table `check_result`."""
        found = [
            result
            for path in sorted(self.checks.glob("*.json"))
            for result in json.loads(path.read_text(encoding="utf-8"))
        ]
        table = CATALOGUE.registry["check_result"]
        return table.conform(pl.DataFrame(found, schema=table.polars_schema))

    def published(self, table: Table) -> pl.DataFrame | None:
        """A table of all final editions so far, with `edition`; None where there is no such edition."""
        found = [
            pl.read_parquet(path).with_columns(edition=pl.lit(path.parents[1].name))
            for path in sorted(self.root.glob(f"editions/*/parquet/{table.name}.parquet"))
            if _FINAL.fullmatch(path.parents[1].name)
        ]
        return pl.concat(found, how="diagonal") if found else None

    def read(self, table: Table, partitions: list[str] | None = None) -> pl.DataFrame:
        """A table of this run: all of it, or the given partitions of a partitioned one."""
        if not table.partitioned:
            return pl.read_parquet(self.tables / f"{table.name}.parquet")
        folder = self.tables / table.name
        names = partitions if partitions is not None else sorted(path.stem for path in folder.glob("*.parquet"))
        frames = [pl.read_parquet(folder / f"{name}.parquet") for name in names]
        return pl.concat(frames) if frames else pl.DataFrame(schema=table.polars_schema)
