"""docs/handover.md: what it tells a new colleague to type exists, and what it links to does too."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

from pipelines.cli import app

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
