"""The registers of several bureaus as one."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import polars as pl

from sources.errors import DuplicateFigure
from sources.register.faults import Contradiction
from sources.register.frames import BUREAU, BUREAU_SCHEMA, SCHEMAS, Register, Registers, empty_frames

# What must stand with one bureau only.
_ONCE = (("project", ["project_id"]), ("measurement", ["target_id", "wave"]))


def combine(registers: Sequence[Register]) -> Registers:
    """All registers together, by bureau; several bureaus may report about one line.

    Raises an InputError for two files of one bureau, a project or measurement that two bureaus have, or invented
    registers beside real ones.
    """
    ordered = sorted(registers, key=lambda register: register.bureau)
    _refuse_a_bureau_twice(ordered)
    _refuse_mixture(ordered)
    frames = {
        name: pl.concat([empty, *(register.frames[name] for register in ordered)])
        for name, empty in empty_frames().items()
        if name in SCHEMAS
    }
    for sheet, key in _ONCE:
        _refuse_shared(sheet, key, frames[sheet], ordered)
    about = [(each.bureau, list(each.lines), each.as_of, each.synthetic) for each in ordered]
    return Registers({BUREAU: pl.DataFrame(about, schema=BUREAU_SCHEMA, orient="row"), **frames})


def _refuse_a_bureau_twice(registers: list[Register]) -> None:
    for first, second in pairwise(registers):
        if first.bureau == second.bureau:
            raise DuplicateFigure(
                second.place,
                f"one file of a bureau; {first.place} is of this one too",
                column="Bureau",
                value=second.bureau,
                remedy="Keep the newest, or give the other its own name.",
            )


def _refuse_mixture(registers: list[Register]) -> None:
    invented = [register for register in registers if register.synthetic]
    if invented and len(invented) < len(registers):
        raise Contradiction(
            invented[0].place,
            "only invented or only real registers",
            column="Verzonnen",
            value=invented[0].bureau,
            remedy="Leave the invented one out.",
        )


def _refuse_shared(sheet: str, key: list[str], frame: pl.DataFrame, registers: list[Register]) -> None:
    shared = frame.filter(pl.struct(key).is_duplicated())
    if shared.is_empty():
        return
    *values, first, second = (
        shared.group_by(key, maintain_order=True)
        .agg("bureau")
        .select(*key, pl.col("bureau").list.get(0).alias("first"), pl.col("bureau").list.get(1).alias("second"))
        .row(0)
    )
    place = next(register.place for register in registers if register.bureau == second)
    raise DuplicateFigure(
        place,
        f"a {sheet} of one bureau only; {first} and {second} both have it",
        column={"project": "Project", "measurement": "Resultaat"}[sheet],
        value=" ".join(map(str, values)),
        remedy="Agree who reports it, and remove it from the other file.",
    )
