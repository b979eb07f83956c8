"""A catalogue of three municipalities and small tables, for tests of which every number can be checked by hand.

Tables are written as text, as in tests.methods.small: cells separated by spaces, `-` is NULL, and `blank` is the empty
reason of an empty cell.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import polars as pl

from catalog import Catalogue, load_catalogue
from catalog.model import Indicator, IndicatorSource, Region, Service, ServiceTable, SourceTable, TopicName
from sources.facts import FIGURE
from sources.figures import RAW
from sources.snapshots import Kind, Snapshot, StoredPart
from sources.tidy import CELL, TidyTable, Topic
from tests.methods import small

# The own municipalities; Ommen, say, and the Netherlands are others.
ENSCHEDE, HENGELO, OMMEN, COUNTRY = "GM0153", "GM0164", "GM0175", "NL01"
TABLE = "CBS T1"

REGION = Region(
    region_code="TWENTE",
    name_nl="Twente",
    name_en="Twente",
    published_as=["CR12"],
    country_code=COUNTRY,
    country_name_nl="Nederland",
    country_name_en="The Netherlands",
    rest_code="NL_REST",
    rest_name_nl="rest",
    rest_name_en="rest",
    baseline_year=2022,
    last_measurement_year=2024,
    municipalities={ENSCHEDE: "Enschede", HENGELO: "Hengelo"},
)


def source(table: str = TABLE, **given: Any) -> IndicatorSource:
    """A source whose one topic is `Banen`, in whole numbers, from 2021 on."""
    ordinary: dict[str, Any] = {
        "source_table": table,
        "source_column": "Banen_1",
        "topics": [TopicName(title="Banen", unit="aantal")],
        "unit": "jobs",
        "period_first": "2021",
        "period_last": "2024",
        "priority": 1,
        "series_id": "s",
        "kind": "register",
        "rounding_unit": 1,
    }
    return IndicatorSource(**ordinary | given)


def indicator(indicator_id: str = "jobs", *sources: IndicatorSource, **given: Any) -> Indicator:
    """A count that is read from the ordinary source."""
    ordinary: dict[str, Any] = {
        "indicator_id": indicator_id,
        "layer": "context",
        "unit": "jobs",
        "decimals": 0,
        "scale_min": 0,
        "polarity": 1,
        "group_method": "sum",
        "max_lag_years": 3,
        "sources": list(sources) or [source()],
    }
    texts = dict.fromkeys(["name_nl", "name_en", "definition_nl", "definition_en", "unit_nl"], indicator_id)
    return Indicator(**texts | ordinary | given)


def source_table(name: str = TABLE, *, regions: list[str] | None = None, **given: Any) -> SourceTable:
    """A table on OData v3, called by the last word of its name."""
    ordinary: dict[str, Any] = {
        "source_table": name,
        "source_id": "cbs_labour",
        "title": "Banen; regio",
        "url": "https://example.org",
        "service": ServiceTable(service="v3", table_id=name.rsplit(maxsplit=1)[-1], regions=regions or ["GM", "NL"]),
    }
    return SourceTable(**ordinary | given)


@cache
def _whole() -> Catalogue:
    return load_catalogue()


def catalogue(*indicators: Indicator, tables: list[SourceTable] | None = None, region: Region = REGION) -> Catalogue:
    """The project's catalogue with other indicators, tables and region."""
    what = list(indicators) or [indicator()]
    named = dict.fromkeys(s.source_table for i in what for s in i.sources)
    made = tables or [source_table(name) for name in named]
    services = {
        name: Service(service_id=name, platform=platform, url=f"https://{name}.example.org")
        for name, platform in (("v3", "odata_v3"), ("v4", "odata_v4"))
    }
    return _whole().model_copy(
        update={
            "region": region,
            "indicators": what,
            "source_tables": {table.source_table: table for table in made},
            "services": services,
        }
    )


def cells(text: str, *dimensions: str) -> pl.DataFrame:
    """Cells of a tidy table; one without value has the reason `.`, those of no topic are of `T1`."""
    ordinary: dict[str, Any] = {"topic": "T1", "period": "2022", "period_status": None, "reason": None}
    frame = small.table(text, **ordinary | {"value": None, "ci_low": None, "ci_high": None})
    frame = frame.with_columns(text=pl.lit(None, pl.String))
    unexplained = pl.col("value").is_null() & pl.col("reason").is_null()
    return frame.select(
        "topic",
        *dimensions,
        *[name for name in CELL if name not in ("topic", "reason", "period_status")],
        pl.when(unexplained).then(pl.lit(".")).otherwise(pl.col("reason").replace({"blank": ""})).alias("reason"),
        "period_status",
    )


def tidy(
    text: str,
    *,
    members: dict[str, dict[str, str]] | None = None,
    topics: tuple[Topic, ...] = (Topic("T1", (), "Banen", "aantal"),),
    name: str = TABLE,
    names: dict[str, str] | None = None,
) -> TidyTable:
    """A publisher's table; `members` of its dimensions are columns of the text."""
    return TidyTable(name, topics, members or {}, cells(text, *(members or {})), names or {})


def raw(text: str, **given: Any) -> pl.DataFrame:
    """Raw figures as a source gives them: definitive where there is a value."""
    ordinary: dict[str, Any] = {"indicator_id": "jobs", "period": "2022", "source_table": TABLE, "status": None}
    ordinary |= {"value": None, "ci_low": None, "ci_high": None, "reason": None}
    frame = small.table(text, **ordinary | given)
    missing = pl.col("value").is_null()
    return frame.with_columns(
        status=pl.coalesce("status", pl.when(missing).then(pl.lit("not_published")).otherwise(pl.lit("definitive"))),
        reason=pl.coalesce("reason", pl.when(missing).then(pl.lit("."))),
    ).select(RAW)


def figures(text: str, **given: Any) -> pl.DataFrame:
    """Figures as a folder gives them: raw ones without reason."""
    return raw(text, **given).select(FIGURE)


def snapshot(
    sha256: str = "a", kind: Kind = "odata_v3", retrieved_at: str = "2026-01-01T00:00:00Z", **given: Any
) -> Snapshot:
    """The record of a snapshot whose one part has this checksum."""
    part = StoredPart("0/rows/0001", "https://example.org/rows", sha256, 100, "application/json", retrieved_at)
    ordinary: dict[str, Any] = {
        "source_table": TABLE,
        "kind": kind,
        "title": "Banen; regio",
        "url": "https://example.org",
        "licence": "CC BY 4.0",
        "retrieved_at": retrieved_at,
        "modified_at": None,
        "fingerprint": "",
        "request": "[]",
        "parts": (part,),
    }
    return Snapshot(**ordinary | given)
