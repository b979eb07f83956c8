"""What can be wrong with a register, beside what can be wrong with any input."""

# ruff: noqa: N818 - as in sources.errors

from __future__ import annotations

from sources.errors import InputError


class Contradiction(InputError):
    """Two cells, rows or sheets of a register that cannot both be right."""


class InventedRegister(InputError):
    """A register that says of itself that it is an example, where only a real one may go."""
