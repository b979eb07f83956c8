"""A register as tables: what one bureau handed in, and that of all bureaus together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from catalog.register_model import ColumnType, load_register_layout

_TYPES: dict[ColumnType, pl.DataType] = {
    "date": pl.Date(),
    "year": pl.Int32(),
    "integer": pl.Int64(),
    "euro": pl.Float64(),
    "number": pl.Float64(),
    "municipalities": pl.List(pl.String()),
}
BUREAU = "bureau"


def _schemas() -> dict[str, pl.Schema]:
    sheets = [sheet for sheet in load_register_layout().sheets if sheet.sheet_id != BUREAU]
    return {
        sheet.sheet_id: pl.Schema(
            {BUREAU: pl.String()} | {column.field: _TYPES.get(column.type, pl.String()) for column in sheet.columns}
        )
        for sheet in sheets
    }


# Of each sheet the columns of its frame. Codes are those of register.yaml.
SCHEMAS = _schemas()
BUREAU_SCHEMA = pl.Schema(
    {BUREAU: pl.String(), "line_ids": pl.List(pl.String()), "as_of": pl.Date(), "synthetic": pl.Boolean()}
)


@dataclass(frozen=True)
class Register:
    """What one bureau handed in.

    `as_of` is the day on which all of it was so, `place` the file it came from, for messages. `frames` are by the keys
    of SCHEMAS, the rows in the order of the file.
    """

    bureau: str
    lines: tuple[str, ...]
    as_of: date
    synthetic: bool
    frames: dict[str, pl.DataFrame]
    place: str


@dataclass(frozen=True)
class Registers:
    """The registers of all bureaus, one under another: the frames of SCHEMAS, and `bureau` (BUREAU_SCHEMA)."""

    frames: dict[str, pl.DataFrame]

    @property
    def is_empty(self) -> bool:
        """Whether no bureau handed anything in."""
        return self.frames[BUREAU].is_empty()

    @property
    def synthetic(self) -> bool:
        """Whether they are invented examples."""
        return bool(self.frames[BUREAU]["synthetic"].any())


def empty_frames() -> dict[str, pl.DataFrame]:
    """Every frame of Registers, without rows."""
    return {name: schema.to_frame() for name, schema in {BUREAU: BUREAU_SCHEMA, **SCHEMAS}.items()}
