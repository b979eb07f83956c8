"""The invented register that comes with the software: three bureaus that do not exist, for the demonstration."""

from __future__ import annotations

from collections.abc import Mapping

from catalog.programme_model import Programme
from sources import bundled
from sources.register.combine import combine
from sources.register.frames import Register, Registers
from sources.register.read import read_register

FOLDER = bundled.FOLDER / "register"
# The bureau that shows what a filled template looks like.
EXAMPLE = "bureau-zorg"


def bundled_register(bureau: str, programme: Programme, municipalities: Mapping[str, str]) -> Register:
    """The invented register of one bureau, a folder of FOLDER. Raises an InputError."""
    return read_register(FOLDER / bureau, programme, municipalities)


def bundled_registers(programme: Programme, municipalities: Mapping[str, str]) -> Registers:
    """The invented registers of all bureaus. Raises an InputError where they do not fit this programme and region."""
    bureaus = sorted(path.name for path in FOLDER.iterdir() if path.is_dir())
    return combine([bundled_register(bureau, programme, municipalities) for bureau in bureaus])
