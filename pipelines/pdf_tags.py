"""Whether a PDF can be read aloud: its tags, as PDF/UA asks for them. Needs what `make check` installs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pikepdf import Object, Pdf

_UA_PART = "{http://www.aiim.org/pdfua/ns/id/}part"
_TITLE = "{http://purl.org/dc/elements/1.1/}title"


@dataclass(frozen=True)
class _Element:
    """An element of the structure: its standard type, its own object, and the number of the table it stands in."""

    kind: str
    item: Object
    table: int


def pdf_faults(path: Path) -> list[str]:
    """What a reader that depends on the tags would miss, in sentences; empty where all is there."""
    import pikepdf

    with pikepdf.open(path) as pdf:
        return [*_of_document(pdf), *_of_structure(pdf)]


def _of_document(pdf: Pdf) -> Iterator[str]:
    root = pdf.Root
    if not _says(root, "/MarkInfo", "/Marked"):
        yield "it is not marked as tagged"
    if not str(root.get("/Lang", "")).strip():
        yield "it has no language"
    if not _says(root, "/ViewerPreferences", "/DisplayDocTitle"):
        yield "its window shows the name of the file, not the title (DisplayDocTitle)"
    with pdf.open_metadata() as metadata:
        if not str(metadata.get(_TITLE) or "").strip():
            yield "it has no title"
        if not metadata.get(_UA_PART):
            yield "it does not say that it follows PDF/UA"


def _of_structure(pdf: Pdf) -> Iterator[str]:
    tree = pdf.Root.get("/StructTreeRoot")
    elements = list(_elements(tree)) if tree is not None else []
    if not elements:
        yield "it has no structure"
        return
    bare = sum(1 for element in elements if element.kind == "Figure" and not _has_words(element.item))
    if bare:
        yield f"{bare} pictures have no words in their place (Alt)"
    yield from _heading_faults([int(element.kind[1:]) for element in elements if re.fullmatch(r"H\d+", element.kind)])
    tables = {element.table for element in elements if element.kind == "Table"}
    if headless := len(tables - {element.table for element in elements if element.kind == "TH"}):
        yield f"{headless} tables have no header cells (TH)"


def _heading_faults(levels: list[int]) -> Iterator[str]:
    if not levels:
        yield "it has no headings"
    for before, level in zip([0, *levels], levels, strict=False):
        if level > before + 1:
            yield (
                f"a heading of level {level} follows one of level {before}"
                if before
                else (f"its first heading is of level {level}")
            )


def _elements(tree: Object) -> Iterator[_Element]:
    """All elements in the order in which they are read."""
    import pikepdf

    roles = tree.get("/RoleMap", pikepdf.Dictionary())
    waiting: list[tuple[Object, int]] = [(tree, 0)]
    tables = 0
    while waiting:
        item, table = waiting.pop()
        if isinstance(item, pikepdf.Array):
            waiting += [(child, table) for child in reversed(list(item))]
        elif isinstance(item, pikepdf.Dictionary):  # else it is a piece of a page
            if "/S" in item:
                kind = _standard(str(item["/S"]), roles)
                if kind == "Table":
                    tables += 1
                    table = tables
                yield _Element(kind, item, table)
            if "/K" in item:
                waiting.append((item["/K"], table))


def _standard(kind: str, roles: Object) -> str:
    """The standard type that a document's own name stands for; at most so many steps as there are names."""
    for _ in range(len(roles.keys())):
        if kind not in roles:
            break
        kind = str(roles[kind])
    return kind.removeprefix("/")


def _has_words(item: Object) -> bool:
    return any(str(item.get(key, "")).strip() for key in ("/Alt", "/ActualText"))


def _says(root: Object, group: str, name: str) -> bool:
    return group in root and bool(root[group].get(name))
