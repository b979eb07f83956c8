"""What differs between two editions on disk: the comparison that every draft holds, for any pair."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from catalog import Catalogue
from methods.revision import NEEDED, revisions
from pipelines.trace import Edition, NotFound, at_hand, chosen
from reports import editions


@dataclass(frozen=True)
class Differences:
    """The names of two editions, and what differs in `newer`: the columns of the table `revision`."""

    older: str
    newer: str
    revision: pl.DataFrame


def differences(root: Path, older: str | None, newer: str | None, catalogue: Catalogue) -> Differences:
    """Compare two editions key by key, both final ones and drafts.

    Without `newer` the newest draft is compared; without `older` with the newest final edition of its year or an
    earlier one, as every draft is when it is made. Raises NotFound, and DamagedEdition where a file cannot be read.
    """
    found = at_hand(root)
    after = chosen(found, newer) if newer else _newest_draft(root, found)
    before = chosen(found, older) if older else _previous(root, found, after)
    keys = {name: catalogue.registry[name].key for name in NEEDED}
    return Differences(before.name, after.name, revisions(_compared(before), _compared(after), keys))


def _compared(edition: Edition) -> dict[str, pl.DataFrame]:
    """The tables that the edition has of those compared and those that explain, and its own row."""
    found = {name: edition.table(name) for name in (*NEEDED, "edition")}
    return {name: frame for name, frame in found.items() if frame is not None}


def _newest_draft(root: Path, found: list[Edition]) -> Edition:
    drafts = editions.drafts(root)
    if not drafts:
        raise NotFound(f"There is no draft in {root}. Make one with: btg measure. Or name two editions.")
    return chosen(found, drafts[-1])


def _previous(root: Path, found: list[Edition], after: Edition) -> Edition:
    """The newest final edition of the same year or an earlier one."""
    name = editions.newest_final(root, not_after=int(after.name[:4]))
    if name is None:
        raise NotFound(f"There is no final edition yet to compare {after.name} with. See: btg publish --help")
    return chosen(found, name)
