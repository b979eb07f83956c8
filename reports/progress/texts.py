"""The fixed texts of the progress report: `nl.yaml`, filled in."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import yaml


@cache
def texts() -> Mapping[str, str]:
    """All fixed texts by key."""
    return dict(yaml.safe_load((Path(__file__).parent / "nl.yaml").read_text(encoding="utf-8")))


def say(key: str, **values: object) -> str:
    """A fixed text, with these values filled in; KeyError where there is none."""
    return texts()[key].format(**values)


def heads(*names: str) -> tuple[str, ...]:
    """The heads of a table."""
    return tuple(say(f"head_{name}") for name in names)
