"""Which snapshots final editions were made from: those must stay, and be in every backup."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from reports import editions


def needed_objects(output: Path) -> dict[str, str]:
    """The SHA-256 of the bytes that final editions in an output folder need, each with a record and edition naming it.

    What cannot be read of an edition is left out: that is a fault of the edition, said where it is checked.
    """
    return {
        sha256: f"{snapshot.get('record')} ({name})"
        for name in editions.finals(output)
        for snapshot in provenance_of(output, name).get("snapshots") or []
        for sha256 in snapshot.get("objects") or []
    }


def provenance_of(output: Path, edition: str) -> dict[str, Any]:
    """The provenance.json of an edition, that another version may have written; empty where it cannot be read."""
    try:
        content = json.loads((editions.folder_of(output, edition) / "provenance.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
