"""The part of OData's query language that the publishers' services answer to, over a frame."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import and_, eq, ge, gt, le, lt, ne, or_
from urllib.parse import quote

import polars as pl

_TOKEN = re.compile(r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+(?:\.\d+)?)|(?P<word>\w+)|(?P<mark>[(),]))")
_COMPARE: dict[str, Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    "eq": eq,
    "ne": ne,
    "ge": ge,
    "gt": gt,
    "le": le,
    "lt": lt,
}


class QueryError(ValueError):
    """A query that the service refuses."""


@dataclass(frozen=True)
class Dialect:
    """`functions` are those it knows; `ignored` says which conditions it silently does not apply (column, operator)."""

    functions: frozenset[str]
    ignored: Callable[[str, str], bool] = lambda _column, _operator: False


@dataclass(frozen=True)
class Page:
    """Rows asked for. `total` is how many the filter leaves; `next_query` asks for the next page."""

    rows: pl.DataFrame
    total: int
    next_query: dict[str, str] | None


def answer_query(frame: pl.DataFrame, query: Mapping[str, str], dialect: Dialect, page_size: int) -> Page:
    """What `$filter`, `$skip`, `$top` and `$select` leave, cut to a page. Raises QueryError."""
    if "$filter" in query:
        try:
            frame = frame.filter(_Filter(query["$filter"], frame, dialect).expression())
        except pl.exceptions.PolarsError as error:
            raise QueryError("A value of another kind than the property") from error
    try:
        skip, top = int(query.get("$skip", 0)), int(query.get("$top", frame.height))
    except ValueError as error:
        raise QueryError("$skip and $top must be numbers") from error
    wanted = frame.slice(skip, top)
    rest = wanted.height - page_size
    following = {**query, "$skip": str(skip + page_size)} if rest > 0 else None
    if following and "$top" in query:
        following["$top"] = str(top - page_size)
    columns = [name.strip() for name in query["$select"].split(",")] if "$select" in query else frame.columns
    if unknown := [name for name in columns if name not in frame.columns]:
        raise QueryError(f"Could not find a property named '{unknown[0]}'")
    return Page(wanted.head(page_size).select(columns), frame.height, following)


def encode(query: Mapping[str, str]) -> str:
    """A query as it stands in a link."""
    return "&".join(f"{name}={quote(value, safe='$(),')}" for name, value in query.items())


class _Filter:
    """Reads a filter from left to right; each method takes what it knows off the tokens."""

    def __init__(self, text: str, frame: pl.DataFrame, dialect: Dialect) -> None:
        self.frame = frame
        self.dialect = dialect
        self.tokens: list[str] = []
        at = 0
        while text[at:].strip():
            found = _TOKEN.match(text, at)
            if not found:
                raise QueryError(f"Syntax error at position {at} in '{text}'")
            self.tokens.append(found[0].strip())
            at = found.end()

    def expression(self) -> pl.Expr:
        whole = self._either()
        if self.tokens:
            raise QueryError(f"Syntax error at '{self.tokens[0]}'")
        return whole

    def _either(self) -> pl.Expr:
        parts = [self._both()]
        while self._next_is("or"):
            parts.append(self._both())
        return reduce(or_, parts)

    def _both(self) -> pl.Expr:
        parts = [self._condition()]
        while self._next_is("and"):
            parts.append(self._condition())
        return reduce(and_, parts)

    def _condition(self) -> pl.Expr:
        if self._next_is("("):
            inner = self._either()
            self._must(")")
            return inner
        if self.tokens[1:2] == ["("] and self.tokens[0] in ("startswith", "endswith", "contains", "substringof"):
            return self._test(self._function())
        column, left = self._operand()
        operator = self._take()
        if operator not in _COMPARE:
            raise QueryError(f"Unknown operator '{operator}'")
        compared = _COMPARE[operator](left, pl.lit(self._literal()))
        return pl.lit(value=True) if self.dialect.ignored(column, operator) else compared

    def _test(self, name: str) -> pl.Expr:
        # The needle comes first in substringof, last in the others.
        needle = self._needle_first() if name == "substringof" else None
        column, hay = self._operand()
        if needle is None:
            self._must(",")
            needle = str(self._literal())
        self._must(")")
        if self.dialect.ignored(column, name):
            return pl.lit(value=True)
        if name == "startswith":
            return hay.str.starts_with(needle)
        return hay.str.ends_with(needle) if name == "endswith" else hay.str.contains(needle, literal=True)

    def _needle_first(self) -> str:
        needle = str(self._literal())
        self._must(",")
        return needle

    def _operand(self) -> tuple[str, pl.Expr]:
        """A column, or a function of one."""
        if self.tokens[1:2] != ["("]:
            name = self._take()
            if name not in self.frame.columns:
                raise QueryError(f"Could not find a property named '{name}'")
            return name, pl.col(name)
        function = self._function()
        column, inner = self._operand()
        if function == "substring":
            self._must(",")
            start = int(self._literal())
            self._must(",")
            inner = inner.str.slice(start, int(self._literal()))
        elif function == "tolower":
            inner = inner.str.to_lowercase()
        self._must(")")
        return column, inner

    def _function(self) -> str:
        name = self._take()
        if name not in self.dialect.functions:
            raise QueryError(f"An unknown function with name '{name}' was found")
        self._must("(")
        return name

    def _literal(self) -> str | int | float:
        token = self._take()
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        try:
            return float(token) if "." in token else int(token)
        except ValueError as error:
            raise QueryError(f"Expected a value, found '{token}'") from error

    def _take(self) -> str:
        if not self.tokens:
            raise QueryError("The filter ends too early")
        return self.tokens.pop(0)

    def _must(self, token: str) -> None:
        if self._take() != token:
            raise QueryError(f"Expected '{token}'")

    def _next_is(self, token: str) -> bool:
        found = self.tokens[:1] == [token]
        if found:
            self.tokens.pop(0)
        return found
