"""What all files of the FAIR pack are made from, and which sources stand behind each table."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from catalog import Registry
from catalog.model import Region
from catalog.publication_model import Publication


@dataclass(frozen=True)
class Pack:
    """A final edition about to be described.

    `tables` are all its published tables by name, `published_on` the day it became final. `supersedes` is the final
    edition of the same year it replaces, with the `reason`. `outlines_source` says where the outlines come from.
    """

    edition: str
    published_on: date
    tables: Mapping[str, pl.DataFrame]
    registry: Registry
    publication: Publication
    region: Region
    outlines_source: str | None = None
    supersedes: str | None = None
    reason: str | None = None

    @property
    def name(self) -> str:
        """What files and records of this edition are called."""
        return f"btg-{self.edition}"

    @cached_property
    def texts(self) -> dict[str, str]:
        """Title and description in Dutch and English."""
        return self.publication.texts(self.region, self.edition)

    @cached_property
    def year(self) -> int:
        """The newest measurement year of the edition."""
        return int(self.tables["edition"]["measurement_year"].item())

    @cached_property
    def sources(self) -> pl.DataFrame:
        """The source tables that gave at least one figure: the rows of `source`."""
        return self.tables["source"].filter(pl.col("rows") > 0)

    def terms(self, vocabulary: str) -> pl.DataFrame:
        """The words of one vocabulary: rows of `code_list`."""
        return self.tables["code_list"].filter(pl.col("vocabulary") == vocabulary)

    def address(self, path: str = "") -> str | None:
        """Where a file of this edition can be fetched; None where editions are not offered anywhere."""
        base = self.publication.base_url
        return f"{base}/{self.edition}/{path}" if base else None

    def sources_of(self, table: str) -> pl.DataFrame:
        """The sources behind a table: rows of `source`. See `tables_from` in publication.yaml."""
        frame, stated = self.tables[table], self.publication.tables_from.get(table)
        if stated is not None:
            return self.sources.filter(pl.col("source_id").is_in(stated))
        if "source_table" in frame.columns:
            return self._used(frame["source_table"])
        if "indicator_id" in frame.columns:
            ids = frame["indicator_id"].unique().implode()
            known = self.tables["indicator_source"].filter(pl.col("indicator_id").is_in(ids))
            return self._used(known["source_table"])
        return self.sources

    def _used(self, source_tables: pl.Series) -> pl.DataFrame:
        return self.sources.filter(pl.col("source_table").is_in(source_tables.unique().implode()))

    def attribution(self, sources: pl.DataFrame, *, outlines: bool = True) -> str | None:
        """One line that names publishers and their terms, in Dutch; None where there is nobody to name."""
        parts = sources.select("publisher", "licence").unique(maintain_order=True).rows()
        named = [f"{publisher} ({licence})" for publisher, licence in parts]
        if outlines and self.outlines_source:
            named.append(self.outlines_source)
        if not named:
            return None
        return f"Bron: {'; '.join(named)}. Bewerking: {self.publication.publisher.name}, editie {self.edition}."


def file_facts(path: Path) -> dict[str, Any]:
    """Size and SHA-256 of a file: `bytes` and `sha256`."""
    with path.open("rb") as file:
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}
