"""What publishers say about a table in files of their own: titles, units, members, statuses. They lie beside it.

They are recognised by content: JSON by the table in the address of its metadata, Parquet by its columns and codes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from catalog.layouts import Layout
from sources.csv_file import read_bytes
from sources.delivered.opened import Delivery, Records, address, parse_json, read_parquet
from sources.errors import InputError
from sources.tidy import Topic

# A folder of downloads may hold anything; only small files can be metadata, and only so many are looked into.
_MAX_BYTES, _MAX_FILES = 16 * 2**20, 200

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class About:
    """What is known of a table beside its figures; all may be empty.

    topics: by column or measure code; `text` are those that hold text. members: dimension -> code -> title, that of
    regions among them. statuses: period code -> status.
    """

    topics: Mapping[str, Topic] = field(default_factory=dict)
    text: frozenset[str] = frozenset()
    members: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    statuses: Mapping[str, str] = field(default_factory=dict)


def companions(delivery: Delivery) -> dict[Path, tuple[str, Rows]]:
    """The files beside a delivered one that describe its table: file -> what it lists, and its rows."""
    records = delivery.records
    if records is None:
        return {}
    return _json_lists(delivery.path, records.table_id) if records.table_id else _parquet_lists(delivery.path, records)


def about(delivery: Delivery, layout: Layout) -> About:
    """What the files beside a delivered one say of its table."""
    lists: dict[str, Rows] = dict(companions(delivery).values())
    groups = {str(row.get("Identifier", row.get("Id"))): row for row in lists.get("MeasureGroups", [])}
    topics = _topics_v4(lists.get("MeasureCodes", []), groups) | _topics_v3(lists.get("DataProperties", []))
    typed = [*lists.get("MeasureCodes", []), *lists.get("DataProperties", [])]
    text = {_code(row) for row in typed if "String" in (row.get("DataType"), row.get("Datatype"))}
    members = {
        name.removesuffix("Codes") if name not in layout.dimensions else name: {
            _code(row): str(row["Title"]).strip() for row in rows if row.get("Title") is not None
        }
        for name, rows in lists.items()
        if name not in ("MeasureCodes", "MeasureGroups", "DataProperties")
    }
    period = layout.period.column if layout.period else None
    periods = lists.get(f"{period}Codes", []) or lists.get(str(period), [])
    statuses = {_code(row): str(row["Status"]) for row in periods if row.get("Status")}
    return About(topics, frozenset(text), members, statuses)


def _json_lists(path: Path, table_id: str) -> dict[Path, tuple[str, Rows]]:
    found: dict[Path, tuple[str, Rows]] = {}
    for other, data in _small_files(path, "*.json"):
        if f"/{table_id}/$metadata#".encode() not in data:
            continue
        answer = parse_json(other, data)
        table, entity = address(str(answer.get("odata.metadata") or answer.get("@odata.context") or ""))
        rows = answer.get("value")
        described = entity not in (None, "Observations", "TypedDataSet", "UntypedDataSet")
        if table == table_id and entity and described and isinstance(rows, list):
            found[other] = entity, rows
    return found


def _parquet_lists(path: Path, records: Records) -> dict[Path, tuple[str, Rows]]:
    """Parquet names no table: a list of properties must describe every column, a list of codes every code."""
    others: dict[Path, pl.DataFrame] = {}
    for other, data in _small_files(path, "*.parquet"):
        with contextlib.suppress(InputError):
            others[other] = read_parquet(other, data)
    others = {other: frame for other, frame in others.items() if {"Key", "Title"} <= set(frame.columns)}
    columns = set(records.frame.columns) - {"ID"}
    properties = {
        other: frame for other, frame in others.items() if "ParentID" in frame.columns and columns <= set(frame["Key"])
    }
    described = [frame.filter(~pl.col("Type").is_in(["Topic", "TopicGroup"]))["Key"] for frame in properties.values()]
    found = {other: ("DataProperties", frame.to_dicts()) for other, frame in properties.items()}
    for dimension in {name for keys in described for name in keys}:
        codes = records.frame[dimension]
        found |= {
            other: (dimension, frame.to_dicts())
            for other, frame in others.items()
            if other not in properties and codes.is_in(frame["Key"].implode()).all()
        }
    return found


def _small_files(path: Path, pattern: str) -> Iterable[tuple[Path, bytes]]:
    others = [other for other in sorted(path.parent.glob(pattern)) if other != path and other.is_file()]
    for other in [other for other in others if other.stat().st_size <= _MAX_BYTES][:_MAX_FILES]:
        try:
            yield other, read_bytes(other)
        except InputError:
            continue


def _topics_v4(codes: Rows, groups: Mapping[str, dict[str, Any]]) -> dict[str, Topic]:
    def path(group: Any) -> tuple[str, ...]:
        row = groups.get(str(group))
        return (*path(row.get("ParentId")), str(row["Title"]).strip()) if row else ()

    return {
        _code(row): Topic(_code(row), path(row.get("MeasureGroupId")), str(row["Title"]).strip(), row.get("Unit") or "")
        for row in codes
    }


def _topics_v3(properties: Rows) -> dict[str, Topic]:
    by_id = {row["ID"]: row for row in properties}

    def path(parent: Any) -> tuple[str, ...]:
        row = by_id.get(parent)
        return (*path(row["ParentID"]), str(row["Title"]).strip()) if row else ()

    return {
        _code(row): Topic(_code(row), path(row["ParentID"]), str(row["Title"]).strip(), row.get("Unit") or "")
        for row in properties
        if row["Type"] == "Topic"
    }


def _code(row: dict[str, Any]) -> str:
    return str(row.get("Identifier", row.get("Key"))).strip()
