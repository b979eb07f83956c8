"""Files that analysts deliver: recognised by content, read by a layout of the catalogue (catalog/layouts).

`recognise` finds the layout of a file, `read` makes tidy tables of it. Nothing is read by guessing: a file that no
layout describes is refused, and so is one that could do harm.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from pathlib import Path

from catalog.layouts import Layout
from sources.delivered import crosstab, metadata, observations, rows
from sources.delivered.header import OTHER_KIND, OTHER_SHEET, find_column
from sources.delivered.opened import Delivery, Records, Sheet, open_delivery
from sources.errors import UnknownLayout
from sources.names import RegionNames
from sources.tidy import TidyTable

__all__ = ["companions", "read", "recognise"]

Part = Sheet | Records

_MISFITS: dict[str, Callable[[Part, Layout], list[str]]] = {
    "rows": rows.misfits,
    "crosstab": crosstab.misfits,
    "observations": observations.misfits,
}


def recognise(path: Path, layouts: Sequence[Layout], source: str | None = None) -> Layout:
    """The one layout that a delivered file has, by its content; its name never counts.

    `source` keeps to the layouts of one source_id. Raises UnknownLayout where none fits or several do, and the errors
    of opening a file (HostileFile, FileTooLarge, EncodingError, IncompleteFile, MalformedRow, MissingFile).
    """
    delivery = open_delivery(path)
    _refuse_unknown_table(delivery, layouts)
    candidates = [layout for layout in layouts if source in (None, layout.source_id)]
    wrong = {layout.layout_id: _misfits(delivery, layout) for layout in candidates}
    fitting = [layout for layout in candidates if not wrong[layout.layout_id]]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        expected = f"one layout; this is {delivery.what}, which fits {', '.join(each.layout_id for each in fitting)}"
        remedy = (
            "Say of which source the file is; else give these layouts a title, column or value that tells them apart."
        )
    else:
        near = sorted(candidates, key=lambda layout: _distance(wrong[layout.layout_id]))[:3]
        expected = f"a layout that is described; this is {delivery.what}"
        remedy = "Nearest: " + "; ".join(f"{each.layout_id}, but it {wrong[each.layout_id][0]}" for each in near)
        remedy += f".{_similar(delivery, near)} A new layout is described in catalog/layouts."
        if not near:
            remedy = f"There is no layout of the source {source!r}: see source_id in catalog/sources.yaml."
    raise UnknownLayout(path, expected, remedy=remedy)


def _refuse_unknown_table(delivery: Delivery, layouts: Sequence[Layout]) -> None:
    """An answer that names a table of which there is no layout: then no other layout comes near."""
    table_id = delivery.records and delivery.records.table_id
    known = sorted({layout.recognise.table_id for layout in layouts if layout.recognise.table_id})
    if table_id and table_id not in known:
        raise UnknownLayout(
            delivery.path,
            f"a layout that is described; there is no layout for table {table_id}",
            remedy=f"Tables with a layout: {', '.join(known) or 'none'}. A new one is described in catalog/layouts.",
        )


def read(path: Path, layout: Layout, names: RegionNames) -> list[TidyTable]:
    """The tables of a delivered file, each called after the layout's source_table; a workbook may have one a sheet.

    Sheets of another form are passed over, unless the layout says what the sheets with figures are called.
    Metadata files of the publisher beside it are used (`companions`). Raises an InputError that says sheet, row,
    column and what to do; UnknownLayout where the file has another layout.
    """
    delivery = open_delivery(path)
    wrong = [(part, _MISFITS[layout.format](part, layout)) for part in _parts(delivery)]
    fitting = [part for part, why in wrong if not why]
    # A sheet that the layout names is never passed over because something in it changed.
    named = [(part, why) for part, why in wrong if why and layout.recognise.sheet and OTHER_SHEET not in why]
    if named or not fitting:
        place, why = (named[0][0].place, named[0][1]) if named else (str(path), _misfits(delivery, layout))
        raise UnknownLayout(place, f"the layout {layout.layout_id}", remedy=f"It {why[0]}. Look what changed in it.")
    known = metadata.about(delivery, layout)
    return [_read(part, layout, names, known) for part in fitting]


def companions(path: Path) -> list[Path]:
    """The publisher's metadata files beside a delivered one that `read` uses; to be kept together with it."""
    return list(metadata.companions(open_delivery(path)))


def _read(part: Part, layout: Layout, names: RegionNames, known: metadata.About) -> TidyTable:
    if isinstance(part, Records) and layout.format == "observations":
        return observations.read_observations(part, layout, names, known)
    if isinstance(part, Sheet) and layout.format == "crosstab":
        return crosstab.read_crosstab(part, layout, names)
    return rows.read_rows(part, layout, names, known)


def _parts(delivery: Delivery) -> list[Part]:
    return [delivery.records] if delivery.records else list(delivery.sheets)


def _misfits(delivery: Delivery, layout: Layout) -> list[str]:
    """Why a file has not this layout: those of its sheet that comes nearest; nothing if one fits."""
    return min(
        (_MISFITS[layout.format](part, layout) for part in _parts(delivery)), key=_distance, default=["is empty"]
    )


def _distance(wrong: list[str]) -> tuple[bool, int]:
    return OTHER_KIND in wrong, len(wrong)


def _similar(delivery: Delivery, near: Sequence[Layout]) -> str:
    """Columns that are almost there. Nothing else of the file is shown: it may be about persons."""
    header = [name for part in _parts(delivery) for name in rows.header_of(part)]
    wanted = [name for layout in near for name in layout.recognise.columns if find_column(header, name) is None]
    pairs = {name: difflib.get_close_matches(name, header, n=1, cutoff=0.7) for name in wanted}
    return "".join(f" It has {found[0]!r} where {name!r} is expected." for name, found in pairs.items() if found)
