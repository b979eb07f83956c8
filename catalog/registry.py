"""The column registry: columns.yaml as objects. Every published column is described here and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    import polars as pl

DuckDBType = Literal["VARCHAR", "INTEGER", "BIGINT", "DOUBLE", "BOOLEAN", "BLOB", "VARCHAR[]"]


class Column(BaseModel):
    """One published column: type, unit, texts and what may stand in it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    type: DuckDBType
    unit: str | None = None
    description_nl: str
    description_en: str
    vocabulary: str | None = None
    references: str | None = None
    pattern: str | None = None
    minimum: float | None = None
    maximum: float | None = None

    @property
    def polars_type(self) -> pl.DataType:
        """The Polars type that DuckDB reads as `type`."""
        import polars as pl

        types: dict[str, pl.DataType] = {
            "VARCHAR": pl.String(),
            "INTEGER": pl.Int32(),
            "BIGINT": pl.Int64(),
            "DOUBLE": pl.Float64(),
            "BOOLEAN": pl.Boolean(),
            "BLOB": pl.Binary(),
            "VARCHAR[]": pl.List(pl.String()),
        }
        return types[self.type]


class Table(BaseModel):
    """One published table. `columns` are in published order; rows are sorted by `key`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    description_nl: str
    description_en: str
    key: Annotated[list[str], Field(min_length=1)]
    columns: list[Column]
    required: list[str] = []
    partitioned: bool = False
    may_be_empty: bool = False

    @property
    def column_names(self) -> list[str]:
        """Published column names, in order."""
        return [column.name for column in self.columns]

    @property
    def polars_schema(self) -> dict[str, pl.DataType]:
        """Column names and Polars types, in published order."""
        return {column.name: column.polars_type for column in self.columns}

    def conform(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame with this table's columns, types and row order; columns it lacks become NULL.

        Raises ColumnNotFoundError where a key or required column is missing, and InvalidOperationError where
        values do not fit the registered type: both are mistakes in our own code.
        """
        import polars as pl

        must_exist = {*self.key, *self.required}
        columns = [
            pl.col(column.name).cast(column.polars_type)
            if column.name in frame.columns or column.name in must_exist
            else pl.lit(None, dtype=column.polars_type).alias(column.name)
            for column in self.columns
        ]
        return frame.select(columns).sort(self.key)


class Registry(BaseModel):
    """All published tables by name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tables: dict[str, Table]

    def __getitem__(self, name: str) -> Table:
        """The table with this name."""
        return self.tables[name]
