"""The fixed texts of the reports: `nl.yaml`, filled in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path

import yaml

from reports.charts.texts import MONTHS


@cache
def _texts() -> Mapping[str, str]:
    return dict(yaml.safe_load((Path(__file__).parent / "nl.yaml").read_text(encoding="utf-8")))


def say(key: str, **values: object) -> str:
    """A fixed text, with these values filled in; KeyError where there is none."""
    return _texts()[key].format(**values)


def date(moment: datetime) -> str:
    """A day in words: `30 november 2026`."""
    return say("date", day=moment.day, month=MONTHS[moment.month - 1], year=moment.year)


def capital(text: str) -> str:
    """The text with a capital at its beginning."""
    return text[:1].upper() + text[1:]
