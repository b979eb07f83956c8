"""Corrections and the register of coverage in a run, and `btg coverage`."""

from __future__ import annotations

import html
import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from assets import raw
from assets.core import observed_figures
from assets.raw import CORRECTIONS, published_figures
from assets.tables import CATALOGUE
from assets.workspace import Workspace
from catalog import load_catalogue
from catalog.corrections_model import Correction
from reports.quality_page import write_quality_page
from sources import bundled, coverage
from sources.collect import LIVE, Collected, collect
from sources.corrections import CorrectionOutdated
from sources.coverage import CoverageLost
from tests.conftest import SALLAND, plain_figures
from tests.pipelines.conftest import Btg

PARTICIPATION, TABLE = "net_labour_participation", "CBS 85318NED"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A run of the bundled figures, without snapshots."""
    return workspace_of(tmp_path, bundled.FOLDER)


def workspace_of(tmp_path: Path, folder: Path) -> Workspace:
    return Workspace(output=str(tmp_path / "output"), input_folder=str(folder), data_folder="", lock_file="")


def delivered(tmp_path: Path, gone: pl.Expr, come: Sequence[dict[str, str]] = ()) -> Path:
    """The bundled figures as a folder without some rows, and with others.

    It agrees with itself, as a careful hand leaves it.
    """
    folder = plain_figures(tmp_path / "delivered")
    figures, origins = (
        pl.read_csv(folder / name, infer_schema=False) for name in ("figures.csv", "figures_origin.csv")
    )
    added = pl.DataFrame(list(come), schema=figures.schema)
    kept = pl.concat([figures.filter(~gone), added])
    counted = kept.group_by("indicator", "source_table").agg(
        period_first=pl.col("period").min(), period_last=pl.col("period").max(), figures=pl.len()
    )
    left = origins.drop("period_first", "period_last", "figures").join(counted, ["indicator", "source_table"])
    kept.write_csv(folder / "figures.csv")
    left.select(origins.columns).write_csv(folder / "figures_origin.csv")
    return folder


IN_2022 = (pl.col("source_table") == TABLE) & (pl.col("indicator") == PARTICIPATION)
ZWOLLE = IN_2022 & (pl.col("region_code") == "GM0193")
PEOPLE_OF_2024 = (pl.col("indicator") == "population") & (pl.col("period") == "2024")


def result(workspace: Workspace, check_id: str) -> dict[str, object]:
    return workspace.read_checks().filter(check_id=check_id).row(0, named=True)


def correction(action: str, **given: object) -> Correction:
    ordinary: dict[str, object] = {
        "id": "enschede_2022",
        "indicator": PARTICIPATION,
        "region": "GM0153",
        "period": "2022",
        "source_table": TABLE,
        "action": action,
        "expect": 60.0,
        "reason": "A slip.",
        "reported_to": "CBS, 2026-03-02",
        "state": "reported",
    }
    return Correction.model_validate(ordinary | given)


def correct(monkeypatch: pytest.MonkeyPatch, *corrections: Correction) -> None:
    monkeypatch.setattr(raw, "CATALOGUE", CATALOGUE.model_copy(update={"corrections": list(corrections)}))


# --- what vanished


def test_the_bundled_figures_are_what_is_registered(workspace: Workspace) -> None:
    raw._read_input(workspace)
    assert result(workspace, "registered_coverage")["passed"] is True
    assert result(workspace, "coverage_is_registered")["passed"] is True


def test_a_municipality_that_vanished_from_a_delivered_folder_stops_the_run(tmp_path: Path) -> None:
    # Zwolle, in one year; the folder agrees with itself.
    workspace = workspace_of(tmp_path, delivered(tmp_path, ZWOLLE))
    with pytest.raises(CoverageLost):
        raw._read_input(workspace)
    check = result(workspace, "registered_coverage")
    assert (check["asset"], check["severity"], check["passed"]) == ("coverage", "error", False)
    expected = (
        f"{TABLE}, {PARTICIPATION}, 2022: 344 regions, 345 registered; 344 figures, 345 registered; "
        "344 municipalities with a figure, 345 registered; lost: Zwolle (GM0193)"
    )
    assert expected in str(check["message"])
    assert result(workspace, "input_is_valid")["passed"] is True
    assert (workspace.last_run / "quality.html").is_file()


def test_a_year_that_vanished_from_a_delivered_folder_stops_the_run(tmp_path: Path) -> None:
    workspace = workspace_of(tmp_path, delivered(tmp_path, PEOPLE_OF_2024))
    with pytest.raises(CoverageLost, match=r"CBS 03759ned, population: 2024 vanished"):
        raw._read_input(workspace)


def test_the_only_year_of_a_table_that_vanished_from_a_delivered_folder_stops_the_run(tmp_path: Path) -> None:
    dwellings = (pl.col("indicator") == "dwelling_value_mean") & (pl.col("source_table") == TABLE)
    workspace = workspace_of(tmp_path, delivered(tmp_path, dwellings))
    with pytest.raises(CoverageLost, match=rf"{TABLE}, dwelling_value_mean: 2022 vanished"):
        raw._read_input(workspace)


def test_a_municipality_that_lost_its_figure_is_named_though_another_one_got_one(tmp_path: Path) -> None:
    """Enschede's income of 2024 is empty, and Ameland, which had none, has one: as many figures as before."""
    income = {"indicator": "income_standardised_mean", "period": "2024", "source_table": "CBS 86161NED (indeling 2025)"}
    enschede = pl.all_horizontal(pl.col(name) == text for name, text in income.items()) & (
        pl.col("region_code") == "GM0153"
    )
    come = [
        {**income, "region_code": "GM0153", "value": "", "status": "not_published"},
        {**income, "region_code": "GM0060", "value": "34.7", "status": "provisional"},
    ]
    with pytest.raises(CoverageLost) as caught:
        raw._read_input(workspace_of(tmp_path, delivered(tmp_path, enschede, come)))
    assert (
        "CBS 86161NED (indeling 2025), income_standardised_mean, 2024: 339 regions, 338 registered; "
        "lost: Enschede (GM0153); new: Ameland (GM0060)\n"
    ) in str(caught.value)


def test_an_indicator_that_a_folder_does_not_deliver_asks_for_attention(tmp_path: Path) -> None:
    workspace = workspace_of(tmp_path, delivered(tmp_path, pl.col("indicator") == "urbanity_class"))
    raw._read_input(workspace)
    assert result(workspace, "registered_coverage")["passed"] is True
    news = result(workspace, "coverage_is_registered")
    assert (news["severity"], news["passed"], news["rows_failed"]) == ("warning", False, 6)
    assert "CBS 86165NED, urbanity_class: not in this input" in str(news["message"])


def test_another_region_is_held_against_the_same_register(
    tmp_path: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is registered is of the whole country, and not the survey of one region."""
    (tmp_path / "salland.yaml").write_text(SALLAND, encoding="utf-8")
    monkeypatch.setattr(raw, "CATALOGUE", load_catalogue(tmp_path / "salland.yaml"))
    raw._read_input(workspace)
    assert result(workspace, "registered_coverage")["passed"] is True
    assert result(workspace, "coverage_is_registered")["passed"] is True


# --- what is corrected


def test_a_correction_reaches_the_observations_with_its_warning(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    benefits = {"indicator": "benefit_social_assistance", "period": "2020", "source_table": "CBS 84799NED"}
    correct(
        monkeypatch,
        correction("override", value=61.0, warning="small_n"),
        correction("flag", id="benefits", expect=6920.0, warning="definition_differs", **benefits),
        correction("drop", id="hengelo", region="GM0164", expect=65.0),
        correction("drop", id="elsewhere", region="GM9999"),
    )
    done = dg.materialize_to_memory([published_figures, observed_figures], resources={"workspace": workspace})
    observed = done.output_for_node("observed_figures")

    def of(region: str) -> tuple[object, ...]:
        rows = observed.filter(indicator_id=PARTICIPATION, source_table=TABLE, region_code=region)
        return rows.select("value", "status", pl.col("warnings").list.contains("small_n")).row(0)

    assert of("GM0153") == (61.0, "definitive", True)
    assert of("GM0164") == (None, "not_published", False)
    assert of("GM0193") == (68.0, "definitive", False)
    # A ratio is as doubtful as what it is made of.
    flagged = observed.filter(pl.col("warnings").list.contains("definition_differs"), region_code="GM0153")
    assert set(flagged["indicator_id"]) == {"benefit_social_assistance", "social_assistance_per_1000"}
    # What is not in the run is not listed; the rest is the published table.
    applied = done.output_for_node("published_figures", CORRECTIONS.path[-1])
    assert applied["correction_id"].to_list() == ["benefits", "enschede_2022", "hengelo"]
    assert CATALOGUE.registry["correction"].conform(applied).equals(applied)
    # Whoever reads the checks sees what is not as published, and which correction had nothing to correct.
    check = result(workspace, "corrections_apply")
    assert (check["passed"], check["rows_failed"], check["observed"]) == (False, 1, "2 figures not as published")
    assert str(check["message"]).splitlines()[1:] == [
        "Figures that are not as published:",
        f"enschede_2022: {PARTICIPATION}, GM0153, 2022, {TABLE}: 60.0 -> 61.0",
        f"hengelo: {PARTICIPATION}, GM0164, 2022, {TABLE}: 65.0 -> not used",
    ]
    # What is corrected has not vanished.
    assert result(workspace, "registered_coverage")["passed"] is True


def test_a_silent_override_stands_on_the_page_of_the_checks_also_when_all_is_well(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    correct(monkeypatch, correction("override", value=61.0))
    _, applied, *_ = raw._read_input(workspace)
    raw._record_corrections_check(applied, workspace)
    check = result(workspace, "corrections_apply")
    assert check["passed"] is True
    said = f"enschede_2022: {PARTICIPATION}, GM0153, 2022, {TABLE}: 60.0 -> 61.0"
    assert said in str(check["message"])
    write_quality_page(workspace.read_checks(), workspace.last_run / "quality.html", synthetic=False)
    assert html.escape(said) in (workspace.last_run / "quality.html").read_text(encoding="utf-8")


def test_a_correction_that_is_out_of_date_stops_the_run(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    correct(monkeypatch, correction("drop", expect=6.0))
    with pytest.raises(CorrectionOutdated):
        raw._read_input(workspace)
    check = result(workspace, "input_is_valid")
    assert check["passed"] is False
    assert str(check["message"]).startswith(
        "catalog/corrections.yaml, column expect: found 60.0; expected 6.0, as correction 'enschede_2022' says of "
        f"{PARTICIPATION}, GM0153, 2022, {TABLE}."
    )


def test_a_correction_of_a_frozen_figure_that_was_repaired_since_stops_the_run(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Enschede's 60.0 stands, and was 61.0 when it was fetched again."""

    def fetched(*given: object) -> Collected:
        found = collect(*given)  # type: ignore[arg-type]
        mine = found.figures.filter(indicator_id=PARTICIPATION, source_table=TABLE, region_code="GM0153")
        again = mine.with_columns(value=pl.lit(61.0), origin=pl.lit(LIVE), held_back=pl.lit(value=True))
        return replace(found, passed_over=again)

    monkeypatch.setattr(raw, "collect", fetched)
    correct(monkeypatch, correction("override", value=61.0))
    with pytest.raises(CorrectionOutdated, match="`baseline_revisions: accept`"):
        raw._read_input(workspace)


# --- btg coverage


@pytest.fixture
def register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the register, for the commands of this test."""
    path = Path(shutil.copy(coverage.REGISTER, tmp_path / "coverage.csv"))
    monkeypatch.setattr(coverage, "REGISTER", path)
    return path


def test_the_command_says_that_nothing_is_missing(btg: Btg, register: Path) -> None:
    result = btg("coverage")
    assert result.exit_code == 0, result.output
    assert result.stdout == f"All that is registered is there, and nothing else: {register}\n"


def test_the_command_says_what_vanished_and_accepts_it_only_when_told(btg: Btg, register: Path, tmp_path: Path) -> None:
    folder = delivered(tmp_path, ZWOLLE)
    before = register.read_bytes()
    said = btg("coverage", "--input", folder)
    assert said.exit_code == 1
    assert f"lost  {TABLE}, {PARTICIPATION}, 2022: 344 regions, 345 registered" in said.stdout
    assert "lost: Zwolle (GM0193)" in said.stdout
    assert register.read_bytes() == before

    accepted = btg("coverage", "--update", "--input", folder)
    assert accepted.exit_code == 0, accepted.output
    one, last = accepted.stdout.splitlines()
    assert one == (
        f"changed  {TABLE}, {PARTICIPATION}, 2022, bundled: 345 regions, 345 figures, 345 municipalities with a figure"
        " -> 344 regions, 344 figures, 344 municipalities with a figure; lost: Zwolle (GM0193)"
    )
    assert last == f"1 row changed. Read it: git diff {register}"
    old, new = (
        f"{PARTICIPATION},2022,bundled,345,345,345,2022,,",
        f"{PARTICIPATION},2022,bundled,344,344,344,2022,GM0193,",
    )
    assert before.decode().count(old) == 1
    assert before.decode().replace(old, new) == register.read_text(encoding="utf-8")
    assert btg("coverage", "--input", folder).exit_code == 0
    again = btg("coverage", "--update", "--input", folder)
    assert again.stdout == f"Nothing changed: {register}\n"


def test_the_register_can_be_made_from_nothing(btg: Btg, register: Path) -> None:
    committed = register.read_bytes().replace(b"\r\n", b"\n")
    register.unlink()
    missing = btg("coverage")
    assert missing.exit_code == 1
    assert "btg coverage --update" in missing.stderr
    assert btg("coverage", "--update").exit_code == 0
    # The committed one may hold what was registered of snapshots too.
    assert set(register.read_bytes().splitlines()) <= set(committed.splitlines())


def test_the_difference_can_be_read_by_a_program(btg: Btg, register: Path, tmp_path: Path) -> None:
    folder = delivered(tmp_path, PEOPLE_OF_2024)
    said = json.loads(btg("coverage", "--json", "--input", folder).stdout)
    assert said["register"] == str(register)
    assert said["shortfalls"] == ["CBS 03759ned, population: 2024 vanished: registered (bundled), and not in this run"]
    assert [(row["period"], row["kind"], row["regions"], row["found_regions"]) for row in said["rows"]] == [
        ("2024", "vanished", 344, None)
    ]
    assert said["changes"] == []


def test_figures_that_cannot_be_trusted_are_refused_without_a_traceback(btg: Btg, tmp_path: Path) -> None:
    folder = plain_figures(tmp_path / "delivered")
    (folder / "regions.csv").unlink()
    refused = btg("coverage", "--input", folder)
    assert refused.exit_code == 1
    assert "regions.csv" in refused.stderr
    assert "Traceback" not in refused.output
