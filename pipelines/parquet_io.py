"""Tables between the steps, as Parquet: one file a table, or one a measurement year for a partitioned table."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import polars as pl

from assets.edition import finish_what_was_cut_off
from pipelines.dead_runs import claim
from reports.output_lock import hold

PARTITION_COLUMN = "measurement_year"


class ParquetTables(dg.ConfigurableIOManager):
    """Writes and reads Polars frames under `folder`; a run may span several partitions at once.

    With `alone` a run is the only one that writes to `output`, from its first step to its last, whoever started it;
    else only the steps that write editions are, and two runs at once are noticed at their end.
    """

    folder: str
    output: str = ""
    alone: bool = False

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[ParquetTables]:
        """Hold the output folder for as long as the run lasts, and begin by finishing what one before it left.

        Raises AnotherRunIsBusy.
        """
        if not self.alone:
            yield self
            return
        output = Path(self.output)
        output.mkdir(parents=True, exist_ok=True)
        with hold(output, "a run of Dagster"):
            finish_what_was_cut_off(output)
            if context.instance is not None and context.run is not None:
                claim(context.instance, context.run.run_id, output)
            yield self

    def handle_output(self, context: dg.OutputContext, obj: pl.DataFrame) -> None:
        """Write the frame; of a partitioned table one file for each partition of the run."""
        base = self._base(context.asset_key)
        if not context.has_asset_partitions:
            base.parent.mkdir(parents=True, exist_ok=True)
            obj.write_parquet(base.with_suffix(".parquet"))
            return
        base.mkdir(parents=True, exist_ok=True)
        for partition in context.asset_partition_keys:
            rows = obj.filter(pl.col(PARTITION_COLUMN) == int(partition))
            rows.write_parquet(base / f"{partition}.parquet")

    def load_input(self, context: dg.InputContext) -> pl.DataFrame:
        """Read the frame; of a partitioned table the partitions that the step asks for."""
        base = self._base(context.asset_key)
        if not context.has_asset_partitions:
            return pl.read_parquet(base.with_suffix(".parquet"))
        partitions = sorted(context.asset_partition_keys)
        return pl.concat([pl.read_parquet(base / f"{partition}.parquet") for partition in partitions])

    def _base(self, key: dg.AssetKey) -> Path:
        return Path(self.folder).joinpath(*key.path)
