"""The official figures that come with the software, so that a measurement runs without a network. See README.md."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from sources.errors import DamagedBundle

FOLDER = Path(__file__).parent
MANIFEST = "manifest.json"


def verify(folder: Path = FOLDER) -> None:
    """Check that the bundled files are byte for byte those of the manifest; raises DamagedBundle if not."""
    path = folder / MANIFEST
    try:
        files = json.loads(path.read_text(encoding="utf-8"))["files"]
        wanted = {str(name): (int(entry["bytes"]), str(entry["sha256"])) for name, entry in files.items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise _damaged(path, "the manifest of the bundled figures") from error
    for name, (size, sha256) in wanted.items():
        try:
            data = (folder / name).read_bytes()
        except OSError as error:
            raise _damaged(folder / name, "a bundled file that can be read, as the manifest says") from error
        if (found := hashlib.sha256(data).hexdigest()) != sha256:
            expected = f"{size} bytes with SHA-256 {sha256[:12]}…, found {len(data)} bytes with {found[:12]}…"
            raise _damaged(folder / name, expected)


def _damaged(path: Path, expected: str) -> DamagedBundle:
    return DamagedBundle(
        path,
        expected,
        remedy="This checkout is damaged or was edited: restore the folder (git checkout -- sources/bundled), or, if "
        "the change is meant, remake it with python -m sources.bundled.remake.",
    )
