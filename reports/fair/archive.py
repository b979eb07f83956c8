"""One zip of the whole edition, with checksums of its own."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

SUMS = "SHA256SUMS"
# The earliest day a zip can hold: when a file was written is of no interest.
_TIME = (1980, 1, 1, 0, 0, 0)
_CHUNK = 1 << 20


def write_zip(folder: Path, path: Path) -> None:
    """Write all files of `folder` to the zip `path`, under a folder called as the zip; equal files give equal bytes.

    Left out are hidden files, the zip itself and the folder's own SHA256SUMS, which lists the zip: the zip has one of
    its own. What is packed already is packed again: it costs little, and keeps one rule.
    """
    files = {file.relative_to(folder).as_posix(): file for file in folder.rglob("*") if file.is_file() and file != path}
    names = sorted(name for name in files if name != SUMS and not any(part[0] == "." for part in name.split("/")))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        sums = [f"{_add(archive, f'{path.stem}/{name}', files[name])}  {name}\n" for name in names]
        archive.writestr(_entry(f"{path.stem}/{SUMS}"), "".join(sums))


def _add(archive: zipfile.ZipFile, name: str, file: Path) -> str:
    """Add a file; its SHA-256."""
    digest = hashlib.sha256()
    with file.open("rb") as source, archive.open(_entry(name), "w", force_zip64=False) as target:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            target.write(chunk)
    return digest.hexdigest()


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _TIME)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = 3  # as on Linux and macOS, also on Windows
    entry.external_attr = 0o100644 << 16
    return entry
