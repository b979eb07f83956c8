"""A table of StatLine as its metadata describes it, what is wanted of it, and its rows as a tidy table.

The same for both platforms: each of them makes a `Table` of its metadata and gives its rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Literal

import polars as pl

from sources.cells import join_margins, margin_codes, region_code
from sources.errors import DuplicateFigure, IncompleteAnswer, SourceChanged
from sources.periods import from_code
from sources.snapshots import Part
from sources.statline import pages
from sources.statline.request import TableRequest
from sources.tidy import TidyTable, Topic, empty_cells
from sources.topics import resolve

Role = Literal["topic", "region", "period", "margin", "other"]
MARGINS = "Marges"
# Services refuse some 60 of them in a filter, and long addresses.
MOST_CLAUSES = 40


@dataclass(frozen=True)
class Member:
    """A code of a dimension as the service writes it, blanks included; `status` is that of a period."""

    key: str
    title: str
    status: str | None = None

    @property
    def code(self) -> str:
        """The code without blanks."""
        return self.key.strip()


@dataclass(frozen=True)
class Dimension:
    """A dimension: all its members, and the codes of those that are wanted."""

    name: str
    role: Role
    members: tuple[Member, ...]
    wanted: frozenset[str]

    @classmethod
    def whole(cls, name: str, role: Role, members: Iterable[Member]) -> Dimension:
        """A dimension of which all members are wanted."""
        known = tuple(members)
        return cls(name, role, known, frozenset(member.code for member in known))

    @property
    def chosen(self) -> list[Member]:
        """The members that are wanted, in the order of the table."""
        return [member for member in self.members if member.code in self.wanted]


@dataclass(frozen=True)
class Table:
    """What a table holds. `texts` are the keys of topics that give text; on v4 the topic is a dimension too."""

    name: str
    title: str
    topics: tuple[Topic, ...]
    texts: frozenset[str]
    dimensions: tuple[Dimension, ...]

    def dimension(self, role: Role) -> Dimension | None:
        """The dimension of this role."""
        return next((dimension for dimension in self.dimensions if dimension.role == role), None)

    @property
    def others(self) -> tuple[Dimension, ...]:
        """The dimensions that the tidy table keeps."""
        return tuple(dimension for dimension in self.dimensions if dimension.role == "other")


def role_of(name: str, kind: str) -> Role:
    """The role of a dimension by its kind; CBS names regions and periods in many ways, margins in one."""
    if kind.startswith("Geo"):
        return "region"
    if kind.startswith("Time"):
        return "period"
    return "margin" if name == MARGINS else "other"


def group_path(groups: Mapping[Any, Mapping[str, Any]], group: Any, parent: str) -> tuple[str, ...]:
    """The titles of a topic group and those around it, outermost first; `parent` is where a group names its own."""
    titles: list[str] = []
    while group in groups and len(titles) < len(groups):
        titles.insert(0, groups[group]["Title"].strip())
        group = groups[group].get(parent)
    return tuple(titles)


def catalogue_rows(tables: Iterable[Mapping[str, Any]], status: str) -> pl.DataFrame:
    """Tables of a service: identifier, title, status, modified; `status` is what the service calls the third."""
    return pl.DataFrame(
        [(table["Identifier"], table["Title"], table.get(status), table.get("Modified")) for table in tables],
        schema=dict.fromkeys(["identifier", "title", "status", "modified"], pl.String),
        orient="row",
    )


def narrow(table: Table, request: TableRequest) -> Table:
    """The table with only the topics, regions, periods and members that are asked for.

    Raises SourceChanged where the table lacks one of them, or more than one fits.
    """
    for role in ("region", "period"):
        if sum(dimension.role == role for dimension in table.dimensions) > 1:
            raise SourceChanged(
                table.name,
                f"one {role} dimension at most",
                value=", ".join(dimension.name for dimension in table.dimensions if dimension.role == role),
                remedy="This software cannot tell which one is meant: use another table.",
            )
    names = [dimension.name for dimension in table.dimensions if dimension.role != "topic"]
    if unknown := sorted(set(request.select) - set(names)):
        raise SourceChanged(
            table.name,
            f"a dimension {unknown[0]}",
            column=unknown[0],
            remedy=f"The table has: {', '.join(names)}. Name the right one under `select` in catalog/indicators.",
        )
    asked = [resolve(table.topics, accepted, table.name) for accepted in request.topics]
    topics = tuple(dict.fromkeys(asked or table.topics))
    keys = frozenset(topic.key for topic in topics)
    return replace(
        table,
        topics=topics,
        texts=table.texts & keys,
        dimensions=tuple(
            replace(dimension, wanted=keys if dimension.role == "topic" else _wanted(dimension, request))
            for dimension in table.dimensions
        ),
    )


def conditions(table: Table, request: TableRequest, begins: Callable[[str, str], str]) -> list[str]:
    """The filters that together leave the wanted rows of a narrowed table, in OData; `` where all rows are wanted.

    More than one where more than MOST_CLAUSES members of a dimension are wanted: no row fits two of them. `begins`
    writes that a dimension's codes begin with a text. Codes stand as the service writes them, for with blanks too few
    or too many it finds nothing, and says so in no way.
    """
    parts: list[list[str]] = []
    for dimension in table.dimensions:
        if len(dimension.wanted) == len(dimension.members):
            continue
        if dimension.name in request.select or dimension.role == "topic":
            parts.append(_any([f"{dimension.name} eq {quoted(member.key)}" for member in dimension.chosen]))
        elif dimension.role == "region":
            parts.append(_any([begins(dimension.name, prefix) for prefix in request.regions]))
        else:
            # The bare year comes before all of its own codes, whatever their grain: 2011G400, 2011JJ00, 20110101.
            parts.append([f"{dimension.name} ge {quoted(_first_year(request))}"])
    return [" and ".join(each) for each in product(*parts)]


def quoted(text: str) -> str:
    """A text in a filter."""
    return "'" + text.replace("'", "''") + "'"


def place(rows: pl.DataFrame, table: Table) -> pl.DataFrame:
    """The rows with our columns instead of the publisher's dimensions; those that were not asked for are left out.

    Services leave out filters that they cannot apply, so a filter is no proof. Raises IncompleteAnswer for a code that
    is not in its code list.
    """
    columns: dict[str, pl.Expr] = {"region_code": _NO_TEXT, "period": _NO_TEXT, "period_status": _NO_TEXT}
    for dimension in table.dimensions:
        found = rows.select(key=pl.col(dimension.name).unique()).with_columns(code=pl.col("key").str.strip_chars())
        known = {member.code: member for member in dimension.members}
        if unknown := [code for code in found["code"] if code not in known]:
            raise IncompleteAnswer(
                table.name,
                "codes that are in the code list",
                column=dimension.name,
                value=unknown[0],
                remedy="The table may have changed while it was fetched: fetch it again.",
                more=len(unknown) - 1,
            )
        wanted = found.filter(pl.col("code").is_in(dimension.wanted))
        if wanted.height < found.height:
            rows = rows.filter(pl.col(dimension.name).is_in(wanted["key"].implode()))
        columns |= _placed(dimension, wanted, known, table.name)
    return rows.with_columns(**columns)


def as_cells(long: pl.DataFrame, table: Table) -> pl.DataFrame:
    """Placed rows, one a figure, in the columns of a tidy table and its margins; the bounds are yet to come."""
    names = [dimension.name for dimension in table.dimensions if dimension.role in ("other", "margin")]
    return long.with_columns(ci_low=_NO_NUMBER, ci_high=_NO_NUMBER).select(empty_cells(names).columns)


def tidy(
    table: Table,
    parts: Sequence[Part],
    schema: Mapping[str, Any],
    cells_of: Callable[[pl.DataFrame, Table], pl.DataFrame],
    counted: int | None = None,
    *,
    full_pages: bool = False,
) -> TidyTable:
    """The rows of all pages as one tidy table; `cells_of` makes cells of rows that are placed.

    `counted` is how many rows there must be. With `full_pages` every page that names a next one must be as full as the
    first of them: the last page of every query is not. Raises IncompleteAnswer where it is otherwise, or there are none
    at all, and DuplicateFigure for two rows of one figure. A page at a time, so that no more than one is in memory
    twice.
    """
    frames, sizes = [], []
    for part in parts:
        rows = pages.rows(part.body, schema, table.name)
        sizes.append(rows.height)
        frames.append(cells_of(place(rows, table), table))
    going_on = zip(parts, sizes, strict=True) if full_pages else ()
    if len(full := {size for part, size in going_on if pages.next_link(part.body, table.name)}) > 1:
        raise IncompleteAnswer(
            table.name,
            f"pages of {max(full)} rows; found {', '.join(map(str, sizes))}",
            remedy="A page was cut short. Nothing was kept; try again later.",
        )
    if counted is not None and sum(sizes) != counted:
        raise IncompleteAnswer(
            table.name,
            f"{counted} rows, as the service counts them; found {sum(sizes)} in {len(parts)} pages",
            remedy="A page was left out or came twice. Nothing was kept; try again later.",
        )
    if not any(frame.height for frame in frames):
        raise IncompleteAnswer(
            table.name,
            "at least one figure",
            remedy="The service has the table, but no figure of what is asked: see whether its publisher fills it yet.",
        )
    return _joined(table, frames)


def _joined(table: Table, frames: Sequence[pl.DataFrame]) -> TidyTable:
    cells = pl.concat(frames)
    names = [dimension.name for dimension in table.others]
    margins = table.dimension("margin")
    key = ["topic", *names, "region_code", "period"]
    _refuse_duplicates(frames, [*key, *([margins.name] if margins else [])], table.name)
    if margins:
        roles = margin_codes({member.code: member.title for member in margins.chosen}, table.name)
        cells = join_margins(cells, margins.name, roles, key, table.name).select(empty_cells(names).columns)
    return TidyTable(
        name=table.name,
        topics=table.topics,
        members={other.name: {member.code: member.title for member in other.chosen} for other in table.others},
        cells=cells,
        region_names=_region_names(table, cells),
    )


_NO_TEXT = pl.lit(None, pl.String)
_NO_NUMBER = pl.lit(None, pl.Float64)


def _any(clauses: Sequence[str]) -> list[str]:
    """That one of the clauses holds, as often as it takes to name them all."""
    some = [clauses[start : start + MOST_CLAUSES] for start in range(0, len(clauses), MOST_CLAUSES)]
    return [few[0] if len(few) == 1 else f"({' or '.join(few)})" for few in some]


def _first_year(request: TableRequest) -> str:
    return (request.period_first or "")[:4]


def _wanted(dimension: Dimension, request: TableRequest) -> frozenset[str]:
    """The codes of a dimension that are asked for."""
    if dimension.name in request.select:
        return frozenset(_member(dimension, names, request.name) for names in request.select[dimension.name])
    wanted, expected = dimension.wanted, ""
    if dimension.role == "region":
        wanted = frozenset(code for code in wanted if code.startswith(request.regions))
        expected = f"a region whose code begins with {' or '.join(request.regions)}"
        if wanted >= {"NL00", "NL01"}:
            raise SourceChanged(
                request.name,
                "one code for the Netherlands",
                column=dimension.name,
                value="NL00, NL01",
                remedy=f"Name the one that is meant under `select: {dimension.name}`.",
            )
    elif dimension.role == "period":
        wanted = frozenset(code for code in wanted if code >= _first_year(request))
        expected = f"a period of {request.period_first} or later"
    if dimension.members and not wanted:
        raise SourceChanged(
            request.name,
            expected,
            column=dimension.name,
            remedy=f"The table has: {_shown(dimension.members)}.",
        )
    return wanted


def _member(dimension: Dimension, names: Sequence[str], table: str) -> str:
    accepted = {name.strip() for name in names}
    found = [member for member in dimension.members if accepted & {member.code, member.title.strip()}]
    if len(found) == 1:
        return found[0].code
    raise SourceChanged(
        table,
        f"exactly one member {' or '.join(map(repr, names))}",
        column=dimension.name,
        value=_shown(found) if found else None,
        remedy=f"{'' if found else f'The table has: {_shown(dimension.members)}. '}Name the one that is meant, by code "
        "or title, under `select` in catalog/indicators.",
    )


def _shown(members: Sequence[Member]) -> str:
    return "; ".join(f"{member.code} {member.title.strip()}" for member in members[:8]) + " …" * (len(members) > 8)


def _placed(dimension: Dimension, wanted: pl.DataFrame, known: dict[str, Member], table: str) -> dict[str, pl.Expr]:
    """Our columns instead of a dimension; `wanted` has key (as in the rows) and code (without blanks)."""
    keys, codes = wanted["key"].to_list(), wanted["code"].to_list()
    if dimension.role == "period":
        periods = [from_code(code, table) for code in codes]
        statuses = [known[code].status or None for code in codes]
        return {
            "period": _mapped(dimension.name, keys, periods),
            "period_status": _mapped(dimension.name, keys, statuses),
        }
    if dimension.role == "region":
        ours = wanted.select(region_code("code"))["code"].to_list()
        return {"region_code": _mapped(dimension.name, keys, ours)}
    return {"topic" if dimension.role == "topic" else dimension.name: _mapped(dimension.name, keys, codes)}


def _mapped(name: str, keys: list[str], values: Sequence[str | None]) -> pl.Expr:
    if len(set(values)) == 1:
        return pl.lit(values[0], pl.String)  # takes no memory
    if keys == values:
        return pl.col(name)
    return pl.col(name).replace_strict(keys, values, return_dtype=pl.String)


def _refuse_duplicates(frames: Sequence[pl.DataFrame], key: list[str], table: str) -> None:
    # Hashes tell that there are none in a tenth of the memory; only where two are equal, look at the keys themselves.
    hashes = pl.concat([frame.select(key).hash_rows() for frame in frames])
    if hashes.n_unique() == len(hashes):
        return
    twice = pl.concat(frames).select(key).filter(pl.struct(key).is_duplicated())
    if twice.height:
        raise DuplicateFigure(
            table,
            f"one figure for every {', '.join(key)}",
            value=", ".join(map(str, twice.row(0))),
            remedy="Two codes may stand for one region or period (2017JJ00 and 2017G400): name the one "
            "that is meant under `select` in catalog/indicators. Or rows came twice: fetch the table again.",
            more=twice.height - 1,
        )


def _region_names(table: Table, cells: pl.DataFrame) -> dict[str, str]:
    region = table.dimension("region")
    if region is None:
        return {}
    names = pl.DataFrame(
        [(member.code, member.title.strip()) for member in region.chosen],
        schema={"code": pl.String, "title": pl.String},
        orient="row",
    ).with_columns(region_code("code"))
    present: set[Any] = set(cells["region_code"].unique())
    return {code: title for code, title in names.iter_rows() if code in present}
