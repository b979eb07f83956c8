"""A document as it goes into a file: a zip without the time of writing, so that equal reports give equal bytes."""

from __future__ import annotations

import io
import zipfile
from typing import Final

_TIME: Final = (1980, 1, 1, 0, 0, 0)  # the earliest a zip can hold
_STORED: Final = ("mimetype", ".png")  # what must not, or cannot, be packed


def timeless(document: bytes) -> bytes:
    """The same zip with one time for all of its files."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(document)) as source, zipfile.ZipFile(target, "w") as archive:
        for name in source.namelist():
            entry = zipfile.ZipInfo(name, _TIME)
            entry.compress_type = zipfile.ZIP_STORED if name.endswith(_STORED) else zipfile.ZIP_DEFLATED
            entry.create_system = 3  # as on Linux and macOS, also on Windows
            archive.writestr(entry, source.read(name))
    return target.getvalue()
