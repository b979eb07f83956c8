"""An answer in OData's JSON: its rows as a typed frame, and what stands around them.

Both platforms answer `{"value":[{...},{...}], ...}` with flat rows. Parsing a row a line in Polars takes less time and
far less memory than Python objects do: benchmarks/statline.py measures it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
import polars as pl

from sources.errors import IncompleteAnswer, SourceChanged
from sources.snapshots import Part

_ROWS = b'"value":['
_MARK = b"\xef\xbb\xbf"
_LINKS = ("@odata.nextLink", "odata.nextLink")


def document(body: bytes, table: str) -> dict[str, Any]:
    """An answer as a JSON object. Raises IncompleteAnswer for anything else: half of it, or a page of HTML."""
    try:
        answer = orjson.loads(body.removeprefix(_MARK))
    except orjson.JSONDecodeError as error:
        raise _no_answer(table, body, str(error)) from error
    if not isinstance(answer, dict):
        raise _no_answer(table, body, "it is not an object")
    return answer


def next_link(body: bytes, table: str) -> str | None:
    """The address of the page after this one, as the service writes it. Raises IncompleteAnswer."""
    start, end = _bounds(body)
    try:
        around = _list(body[:start] + body[end:], table)
    except IncompleteAnswer:
        around = _list(body, table)
    link = next((around[name] for name in _LINKS if around.get(name)), None)
    return None if link is None else str(link)


def rows(body: bytes, schema: Mapping[str, Any], table: str) -> pl.DataFrame:
    """The rows of a page in the columns of `schema`; a column that must be there may be null, not absent.

    Raises IncompleteAnswer for a page that is no JSON, SourceChanged for one without these columns or with a value of
    another type.
    """
    start, end = _bounds(body)
    if start <= end:
        # A row a line. Inside a text a quote is escaped, so only a text that ends in `},{` is cut wrongly: its line is
        # no object, and is refused. Neither is a line where there are blanks between the rows. Then the slow way.
        with contextlib.suppress(pl.exceptions.PolarsError, orjson.JSONDecodeError):
            return _frame(body[start:end].replace(b'},{"', b'}\n{"'), schema, table)
    lines = b"\n".join(map(orjson.dumps, _list(body, table)["value"]))
    try:
        return _frame(lines, schema, table)
    except pl.exceptions.PolarsError as error:
        raise SourceChanged(
            table,
            f"rows with {', '.join(f'{name} ({kind})' for name, kind in list(schema.items())[:8])}",
            value=str(error).partition("\n")[0],
            remedy="The service writes its rows in another way: see sources/statline/pages.py.",
        ) from error


def of_role(parts: Iterable[Part], role: str) -> list[Part]:
    """The pages of one list."""
    return [part for part in parts if part.role == role or part.role.startswith(f"{role}/")]


def records(parts: Iterable[Part], role: str, fields: Iterable[str], table: str) -> list[dict[str, Any]]:
    """The rows of all pages of a list of metadata. Raises SourceChanged where one of the fields is no text."""
    found = [record for part in of_role(parts, role) for record in _list(part.body, table)["value"]]
    for record in found:
        known = record if isinstance(record, dict) else {}
        if absent := [name for name in fields if not isinstance(known.get(name), str)]:
            raise SourceChanged(
                table,
                f"{', '.join(fields)} in every row of {role}, as text",
                column=absent[0],
                value=record,
                remedy="The service describes its tables in another way: see sources/statline.",
            )
    return found


def one(parts: Iterable[Part], role: str, table: str) -> dict[str, Any]:
    """The one object of this role. Raises IncompleteAnswer where there is none."""
    for part in parts:
        if part.role == role:
            return document(part.body, table)
    raise IncompleteAnswer(table, f"the answer '{role}' among the stored ones", remedy="Fetch the table again.")


def _bounds(body: bytes) -> tuple[int, int]:
    """Where the rows begin and end, in a body written without blanks; the end lies before the start in others."""
    found = body.find(_ROWS)
    return (found + len(_ROWS), body.rfind(b"]")) if found >= 0 else (0, -1)


def _list(body: bytes, table: str) -> dict[str, Any]:
    answer = document(body, table)
    if not isinstance(answer.get("value"), list):
        raise _no_answer(table, body, "it has no rows under 'value'")
    return answer


def _frame(lines: bytes, schema: Mapping[str, Any], table: str) -> pl.DataFrame:
    end = lines.find(b"\n")
    first = orjson.loads(lines[:end] if end >= 0 else lines) if lines else schema
    known = first if isinstance(first, Mapping) else {}
    if absent := [name for name in schema if name not in known]:
        raise SourceChanged(
            table,
            f"the columns {', '.join(schema)}",
            column=absent[0],
            value=", ".join(known),
            remedy="The service no longer sends this column: see whether the table changed.",
        )
    return pl.read_ndjson(lines, schema=dict(schema))


def _no_answer(table: str, body: bytes, why: str) -> IncompleteAnswer:
    return IncompleteAnswer(
        table,
        "an answer in JSON, whole",
        value=body[:60].decode(errors="replace"),
        remedy=f"The answer is no such thing: {why}. Try again later.",
    )
