"""Where a run reads and writes, by what the environment says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipelines.settings import CHECKOUT, SettingError, Settings
from sources import bundled

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("BTG_OUTPUT", "BTG_INPUT", "BTG_DATA", "BTG_EXECUTOR", "BTG_DEMO", "BTG_EDITION", "BTG_TABLES_ONLY")
    for name in names:
        monkeypatch.delenv(name, raising=False)


def test_without_settings_the_checkout_is_used() -> None:
    assert Settings.from_environment() == Settings(
        output=CHECKOUT / "output",
        input_folder=bundled.FOLDER,
        data=CHECKOUT / "data",
        executor="in_process",
        demo=False,
        edition="",
        tables_only=False,
    )


def test_an_edition_that_is_made_again_has_its_own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BTG_EDITION", "2025-1")
    assert Settings.from_environment().edition == "2025-1"


@pytest.mark.parametrize(("said", "demo"), [("1", True), ("", False), ("0", False)])
def test_the_invented_survey_is_there_only_when_asked_for(
    monkeypatch: pytest.MonkeyPatch, said: str, demo: bool
) -> None:
    monkeypatch.setenv("BTG_DEMO", said)
    assert Settings.from_environment().demo is demo


def test_the_data_root_is_where_it_is_said_to_be_or_nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BTG_DATA", str(tmp_path))
    assert Settings.from_environment().data == tmp_path
    monkeypatch.setenv("BTG_DATA", "")
    assert Settings.from_environment().data is None


def test_a_folder_of_figures_is_measured_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever was fetched is no part of it."""
    monkeypatch.setenv("BTG_INPUT", str(tmp_path))
    monkeypatch.setenv("BTG_DATA", str(tmp_path / "data"))
    settings = Settings.from_environment()
    assert (settings.input_folder, settings.data) == (tmp_path, None)


def test_another_data_root_may_be_given_as_input(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "snapshots").mkdir()
    monkeypatch.setenv("BTG_INPUT", str(tmp_path))
    monkeypatch.setenv("BTG_DATA", "")
    settings = Settings.from_environment()
    assert (settings.input_folder, settings.data) == (bundled.FOLDER, tmp_path)


def test_paths_do_not_depend_on_where_a_later_step_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BTG_OUTPUT", "out")
    monkeypatch.setenv("BTG_DATA", "figures")
    settings = Settings.from_environment()
    assert (settings.output, settings.data) == (tmp_path / "out", tmp_path / "figures")


def test_an_unknown_executor_is_refused_with_the_choices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BTG_EXECUTOR", "dask")
    with pytest.raises(SettingError, match="in_process or multiprocess, found 'dask'"):
        Settings.from_environment()
