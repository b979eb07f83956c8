"""Where the baseline could come from another source, or was revised, the run says so; it does not choose in silence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest

from assets.measurement import source_choice
from assets.raw import ORIGINS, PASSED_OVER
from assets.tables import CATALOGUE
from assets.workspace import Workspace

OWN = list(CATALOGUE.region.municipalities)
LABOUR = {"indicator_id": "net_labour_participation", "period": "2022"}
PEOPLE = {"indicator_id": "population", "period": "2022", "source_table": "CBS 03759ned"}


@pytest.fixture(scope="module")
def tables(edition: Path) -> Path:
    """The tables between the steps of the standing run."""
    return edition / "last_run" / "tables"


@pytest.fixture
def observation(tables: Path) -> pl.DataFrame:
    return pl.read_parquet(tables / "observation.parquet")


class Given(dg.IOManager):
    """Gives the step these frames, by the name of the asset."""

    def __init__(self, frames: dict[str, pl.DataFrame]) -> None:
        self.frames = frames

    def load_input(self, context: dg.InputContext) -> pl.DataFrame:
        return self.frames[context.asset_key.path[-1]]

    def handle_output(self, context: dg.OutputContext, obj: None) -> None:
        """The step keeps its results itself."""


def choose(tables: Path, folder: Path, observation: pl.DataFrame, passed_over: pl.DataFrame) -> tuple[Any, Any]:
    """What the step keeps: the sources and reasons, and the one check."""
    workspace = Workspace(output=str(folder), input_folder="", data_folder="", lock_file="")
    workspace.start_checks("this run")
    origins = pl.read_parquet(tables / "raw" / "figure_origins.parquet")
    frames = {
        "observation": observation,
        ORIGINS.path[-1]: origins,
        PASSED_OVER.path[-1]: passed_over,
        "survey_wave": pl.read_parquet(tables / "survey_wave.parquet"),
    }
    given = [dg.AssetKey("observation"), ORIGINS, PASSED_OVER, dg.AssetKey("survey_wave")]
    dg.materialize(
        [source_choice, *(dg.AssetSpec(key) for key in given)],
        resources={"workspace": workspace, "io_manager": Given(frames)},
        instance=dg.DagsterInstance.ephemeral(),
    )
    return workspace.read_sources(), workspace.read_checks().row(0, named=True)


def no_figures(tables: Path) -> pl.DataFrame:
    return pl.read_parquet(tables / "raw" / "baseline_figures_passed_over.parquet").clear()


def test_with_one_source_for_the_baseline_nothing_is_said(
    tables: Path, tmp_path: Path, observation: pl.DataFrame
) -> None:
    said, check = choose(tables, tmp_path, observation, no_figures(tables))
    assert said["baseline"] == []
    assert (check["check_id"], check["passed"]) == ("baseline_has_one_source", True)


def test_what_residents_said_comes_from_their_answers(tables: Path, tmp_path: Path, observation: pl.DataFrame) -> None:
    said, _ = choose(tables, tmp_path, observation, no_figures(tables))
    health = [row for row in said["choices"] if row["indicator_id"] == "experienced_health"]
    assert [(row["measurement_year"], row["source_table"], row["origin"]) for row in health] == [
        (year, f"BTG synthetic {year}", "rows") for year in (2022, 2023, 2025)
    ]


def test_another_source_that_gives_the_baseline_otherwise_asks_for_attention(
    tables: Path, tmp_path: Path, observation: pl.DataFrame
) -> None:
    """The better source comes in, 1.5 points higher and in Hengelo 2.0: it stands, and the other is named."""
    old = observation.filter(pl.col("region_code").is_in(OWN), source_table="CBS 85318NED", **LABOUR)
    higher = pl.when(region_code="GM0164").then(2.0).otherwise(1.5)
    new = old.with_columns(pl.col("value") + higher, source_table=pl.lit("CBS 86008NED"))
    said, check = choose(tables, tmp_path, pl.concat([observation, new]), no_figures(tables))
    hengelo = old.filter(region_code="GM0164")["value"].item()
    (sentence,) = said["baseline"]
    assert sentence == (
        "net_labour_participation 2022: CBS 86008NED stands; CBS 85318NED has other figures (14 of 14 municipalities "
        f"differ, Hengelo most: {hengelo + 2:.1f} against {hengelo:.1f}). "
        "The catalogue decides: baseline_periods and priority."
    )
    (chosen,) = [
        row
        for row in said["choices"]
        if row["indicator_id"] == LABOUR["indicator_id"] and row["measurement_year"] == 2022
    ]
    assert (chosen["source_table"], chosen["passed_over"]) == ("CBS 86008NED", ["CBS 85318NED (sample)"])
    assert chosen["why"] == "the baseline is frozen on it, not on CBS 85318NED (sample)"
    assert (check["passed"], check["severity"], check["rows_failed"]) == (False, "warning", 1)
    assert check["message"] == sentence


def test_a_revision_of_the_baseline_asks_for_attention_and_says_which_figures_stand(
    tables: Path, tmp_path: Path, observation: pl.DataFrame
) -> None:
    """The publisher counts 40 people more in Enschede (160,640 at first); the catalogue says `keep`."""
    revised = pl.DataFrame({**PEOPLE, "region_code": "GM0153", "value": 160_680.0, "status": "definitive"})
    passed_over = pl.concat([no_figures(tables), revised], how="diagonal")
    said, check = choose(tables, tmp_path, observation, passed_over)
    (sentence,) = said["baseline"]
    assert sentence == (
        "population 2022: CBS 03759ned was revised; the first figures stand (1 of 1 municipalities differ, Enschede "
        "most: 160640 against 160680 of the others). The catalogue decides: baseline_revisions."
    )
    assert not check["passed"]
