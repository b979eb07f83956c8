"""Where a run reads its input and writes its output."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl

from assets.tables import CATALOGUE
from catalog import Table
from reports.editions import DamagedEdition, faults, finals, folder_of, newest_final, read_state
from sources.snapshots import SnapshotStore

_COMPLETE, _RUN = "complete", "run"
_FIRST_STEP = "published_figures"


class MixedRuns(RuntimeError):  # noqa: N818 - says what is the matter
    """Tables of two runs at once must not become one edition."""


class Workspace(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The folders of a run.

    `output` holds the editions and `last_run`; `input_folder` is the folder with figures.csv, figures_origin.csv and
    regions.csv that is measured; `data_folder` the data root whose snapshots go before those figures (empty: none);
    `lock_file` pins the dependencies the edition is made with; `demo` adds the invented survey. `edition` is the name
    that the tables give themselves, where a final edition is made again (empty: the draft's). With `tables_only` the
    draft has no site, reports and spreadsheets; publishing makes them.
    """

    output: str
    input_folder: str
    data_folder: str
    lock_file: str
    demo: bool = False
    edition: str = ""
    tables_only: bool = False

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
    def edition_name(self) -> str:
        """The name of the edition in its own tables."""
        return self.edition or self.draft_name

    @property
    def previous_edition(self) -> str | None:
        """The final edition that this one is compared with."""
        newest = newest_final(self.root, not_after=CATALOGUE.region.last_measurement_year)
        return newest if newest != self.edition else None

    @property
    def draft(self) -> Path:
        """The folder of the draft edition."""
        return folder_of(self.root, self.draft_name)

    @property
    def is_complete(self) -> bool:
        """Whether the last run came to its end: the checks of one that did not say nothing about an edition."""
        return (self.last_run / _COMPLETE).exists()

    @property
    def sources_file(self) -> Path:
        """Which source each figure of the last run came from, and why."""
        return self.last_run / "sources.json"

    def start_checks(self, run_id: str) -> None:
        """Forget the check results of the run before; until `finish_run` this one is not complete."""
        (self.last_run / _COMPLETE).unlink(missing_ok=True)
        shutil.rmtree(self.checks, ignore_errors=True)
        self.checks.mkdir(parents=True)
        (self.last_run / _RUN).write_text(f"{run_id}\n", encoding="utf-8")

    def require_own_run(self, run: dg.DagsterRun) -> None:
        """Raises MixedRuns where another run began to write its tables over those of this one.

        A run of some steps only, chosen in Dagster's interface, takes the tables as they are.
        """
        marker, steps = self.last_run / _RUN, run.step_keys_to_execute
        began_here = _FIRST_STEP in steps if steps else not run.asset_selection
        if began_here and marker.exists() and marker.read_text(encoding="utf-8").strip() != run.run_id:
            raise MixedRuns(f"Another run has written to {self.last_run} meanwhile: no edition was made. Run again.")

    def was_completed_by(self, run_id: str) -> bool:
        """Whether this run made its edition."""
        marker = self.last_run / _RUN
        return self.is_complete and marker.exists() and marker.read_text(encoding="utf-8").strip() == run_id

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

    def require_whole_editions(self) -> None:
        """Raises DamagedEdition where a final edition is not as it was published: nothing may be made of it."""
        for name in finals(self.root):
            folder = folder_of(self.root, name)
            if found := faults(folder, read_state(self.root, name).sums_sha256):
                remedy = "Put it back from a backup (docs/handover.md): new editions are compared with it."
                raise DamagedEdition(folder, "; ".join(found), remedy)

    def published(self, table: Table) -> pl.DataFrame | None:
        """A table of all final editions so far, with `edition`; None where there is no such edition."""
        found = [
            frame.with_columns(edition=pl.lit(name))
            for name in finals(self.root)
            if (frame := self.read_of(name, table)) is not None
        ]
        return pl.concat(found, how="diagonal") if found else None

    def read_of(self, edition: str, table: Table) -> pl.DataFrame | None:
        """A table of an edition; None where that edition does not have it."""
        path = folder_of(self.root, edition) / "parquet" / f"{table.name}.parquet"
        return pl.read_parquet(path) if path.is_file() else None

    def read(self, table: Table, partitions: list[str] | None = None) -> pl.DataFrame:
        """A table of this run: all of it, or the given partitions of a partitioned one."""
        if not table.partitioned:
            return pl.read_parquet(self.tables / f"{table.name}.parquet")
        folder = self.tables / table.name
        names = partitions if partitions is not None else sorted(path.stem for path in folder.glob("*.parquet"))
        frames = [pl.read_parquet(folder / f"{name}.parquet") for name in names]
        return pl.concat(frames) if frames else pl.DataFrame(schema=table.polars_schema)
