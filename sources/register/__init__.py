"""The register of a programme: what its bureaus hand in about projects, results, money and texts."""

from sources.register.bundled import bundled_registers
from sources.register.combine import combine
from sources.register.frames import BUREAU_SCHEMA, SCHEMAS, Register, Registers, empty_frames
from sources.register.opened import is_register
from sources.register.read import read_register

__all__ = [
    "BUREAU_SCHEMA",
    "SCHEMAS",
    "Register",
    "Registers",
    "bundled_registers",
    "combine",
    "empty_frames",
    "is_register",
    "read_register",
]
