"""docs/handover.md: what it tells a new colleague to type exists, and what it links to does too."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import typer

from pipelines.cli import app
from pipelines.definitions import defs
from pipelines.settings import restrict_rights

DOCUMENT = Path(__file__).parents[1] / "docs" / "handover.md"
TEXT = DOCUMENT.read_text(encoding="utf-8")
COMMANDS = {f"btg {name}": command.params for name, command in typer.main.get_command(app).commands.items()}
NAMED = sorted({found[1] for found in re.finditer(r"(?:`|^)(btg [a-z]+)", TEXT, re.MULTILINE)})


def test_the_page_names_commands() -> None:
    assert len(NAMED) > 10


@pytest.mark.parametrize("command", NAMED)
def test_every_command_exists(command: str) -> None:
    assert command in COMMANDS


@pytest.mark.parametrize("line", sorted(set(re.findall(r"btg [a-z]+ [^`\n]*--[^`\n]*", TEXT))))
def test_every_option_exists(line: str) -> None:
    command = " ".join(line.split()[:2])
    known = {option for parameter in COMMANDS[command] for option in parameter.opts}
    assert set(re.findall(r"(?<= )--[a-z-]+", line)) <= known


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#]+)\)", TEXT))))
def test_every_link_leads_somewhere(target: str) -> None:
    assert (DOCUMENT.parent / target).exists()


def test_every_link_within_the_page_leads_to_a_heading() -> None:
    headings = {
        re.sub(r"[^a-z0-9 ]", "", line.lower()).strip().replace(" ", "-")
        for line in TEXT.splitlines()
        if line[:1] == "#"
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", TEXT)) <= headings


def test_every_row_of_the_calendar_on_a_schedule_says_what_it_takes_to_run() -> None:
    """Both are stopped until they are switched on, and nothing runs them but `btg ui`."""
    schedules = {schedule.name: schedule for schedule in defs.get_repository_def().schedule_defs}
    rows = [line for line in TEXT.splitlines() if line.startswith("|") and any(name in line for name in schedules)]
    assert len(rows) >= len(schedules)
    for row in rows:
        assert "if it is switched on and `btg ui` runs then" in row
        assert "`btg fetch`" in row, "it does not say what to type instead"
    for name, schedule in schedules.items():
        assert any(name in row for row in rows)
        assert schedule.default_status.name == "STOPPED"


@pytest.mark.skipif(os.name != "posix", reason="this system has no rights for group and others")
@pytest.mark.parametrize(("said", "mode"), [("007", 0o660), ("027", 0o640)])
def test_the_rights_of_a_shared_folder_are_what_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, mode: int
) -> None:
    """Without it a colleague cannot read what was written before."""
    first_day, sharing = TEXT.split("## Shared by several people")
    assert "export BTG_UMASK=007" in first_day
    assert f"`{said}` " in sharing
    monkeypatch.setenv("BTG_UMASK", said)
    before = os.umask(0o077)
    try:
        restrict_rights()
        (tmp_path / "x").touch()
    finally:
        os.umask(before)
    assert (tmp_path / "x").stat().st_mode & 0o777 == mode


@pytest.mark.skipif(os.name != "posix", reason="this system has no rights for group and others")
def test_the_commands_for_a_shared_folder_open_neither_answers_nor_final_editions(tmp_path: Path) -> None:
    commands = re.search(r"```\n(chgrp .*?)```", TEXT, re.DOTALL)
    assert commands
    data, output = tmp_path / "data", tmp_path / "output"
    modes = {
        data / "private/survey/rows": (0o600, 0o600),
        data / "objects/ab/x.gz": (0o600, 0o660),
        output / ".lock": (0o600, 0o660),
        output / "editions/2025-1/btg.duckdb": (0o400, 0o440),
        output / "editions/2025-draft/btg.duckdb": (0o600, 0o660),
    }
    for path, (mode, _) in modes.items():
        path.parent.mkdir(parents=True)
        path.touch()
        path.chmod(mode)
    for folder in (data / "private", data / "private/survey", output / "editions/2025-draft"):
        folder.chmod(0o700)
    (output / "editions/2025-1").chmod(0o500)
    filled_in = {"TEAM": str(os.getgid()), "ROOT": shlex.quote(str(data)), "OUTPUT": shlex.quote(str(output))}
    script = re.sub("TEAM|ROOT|OUTPUT", lambda name: filled_in[name[0]], commands[1])
    subprocess.run(["bash", "-ec", script], check=True)
    for path, (_, expected) in modes.items():
        assert path.stat().st_mode & 0o777 == expected, path
    assert (data / "private").stat().st_mode & 0o7777 == 0o700
    assert not (output / "editions/2025-1").stat().st_mode & 0o222
    assert (output / "editions").stat().st_mode & 0o2070 == 0o2070
