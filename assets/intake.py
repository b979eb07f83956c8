"""Layer intake: what comes in from publishers. Runs by itself, monthly and on arrival; a measurement only reads it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from assets.tables import CATALOGUE, OWNER
from assets.workspace import Workspace
from catalog.layouts import load_layouts
from sources import bundled
from sources.delivered import companions
from sources.errors import InputError
from sources.facts import read_facts
from sources.fetch import DEADLINE_SECONDS, Outcome, Refresh, fetch, fetchable
from sources.freshness import Freshness
from sources.http import Deadline, PoliteClient
from sources.snapshots import SnapshotStore
from sources.take_in import examine, take_in
from sources.watch import look_around

SNAPSHOTS = dg.AssetKey(["intake", "snapshots"])
DELIVERED = dg.AssetKey(["intake", "delivered_files"])
_ALL_FETCHED, _KEPT_UP, _NOTHING_NEW = "every_table_was_fetched", "publishers_keep_up_all_tables", "nothing_changed"
_ALL_TAKEN = "every_file_was_taken_in"
TAKEN, REFUSED = "taken", "refused"
IS_FRESH = "source_is_fresh"
# The publishers are asked on the first of every month.


def _store(workspace: Workspace) -> SnapshotStore:
    if not workspace.data_folder:
        raise dg.Failure("There is no data root to keep anything in: BTG_DATA is empty, or BTG_INPUT names a folder.")
    return SnapshotStore(Path(workspace.data_folder))


@dg.asset(
    key=SNAPSHOTS,
    group_name="intake",
    owners=[OWNER],
    kinds={"http"},
    description="The publishers' tables as they are now, kept as snapshots. Only what changed is downloaded.",
    metadata={"dagster/column_schema": dg.TableSchema(columns=[dg.TableColumn("source_table", description="Table.")])},
    check_specs=[
        dg.AssetCheckSpec(_ALL_FETCHED, asset=SNAPSHOTS, description="No table failed: gone, renamed or changed."),
        dg.AssetCheckSpec(_KEPT_UP, asset=SNAPSHOTS, description="No table was withdrawn or has a newer edition."),
        dg.AssetCheckSpec(_NOTHING_NEW, asset=SNAPSHOTS, description="No new, revised or settled figures."),
    ],
)
def snapshots(context: dg.AssetExecutionContext, workspace: Workspace) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Ask every publisher what changed, fetch that, and say in words what it was."""
    known = read_facts(bundled.FOLDER, CATALOGUE).figures
    with PoliteClient() as client:
        outcomes = fetch(Refresh(CATALOGUE, _store(workspace), client, known), fetchable(CATALOGUE), _tell(context))
        try:
            around = look_around(CATALOGUE, client, Deadline.after(DEADLINE_SECONDS))
        except InputError as error:
            around = [f"The publishers' lists of tables could not be read: {error}"]
    failed = [outcome.message for outcome in outcomes if outcome.result == "failed"]
    news = [f"{outcome.source_table}: {line}" for outcome in outcomes for line in outcome.news]
    changed = [outcome.source_table for outcome in outcomes if outcome.result in ("new", "changed")]
    return dg.MaterializeResult(
        metadata={"dagster/row_count": len(outcomes), "changed": len(changed), "failed": len(failed)},
        check_results=[_check(_ALL_FETCHED, failed), _check(_KEPT_UP, around), _check(_NOTHING_NEW, news)],
    )


def _check(name: str, said: list[str]) -> dg.AssetCheckResult:
    """Passed where there is nothing to say; else a warning that says it."""
    return dg.AssetCheckResult(
        check_name=name,
        passed=not said,
        severity=dg.AssetCheckSeverity.WARN,
        description="\n".join(said) or "Nothing to report.",
    )


def freshness_metadata(found: Freshness) -> dict[str, str]:
    """What the web interface shows of a source table: when it was asked and changed, and how far it goes."""
    return {
        "publisher_last_asked": found.asked_at or "never",
        "last_changed": found.changed_at or "no snapshot of it",
        "newest_period": found.newest_period or "no figures in this run",
        "newest_period_known": found.known_period or "unknown",
    }


def freshness_specs(keys: Mapping[str, dg.AssetKey]) -> list[dg.AssetCheckSpec]:
    """The check `source_is_fresh` of these source tables."""
    text = "Its publisher was asked lately, and this run has the newest period it is known to have published."
    return [dg.AssetCheckSpec(IS_FRESH, asset=key, description=text) for key in keys.values()]


def freshness_results(found: Mapping[str, Freshness], keys: Mapping[str, dg.AssetKey]) -> Iterator[dg.AssetCheckResult]:
    """Whether each of these source tables is fresh; one that is not asks for attention and stops nothing."""
    for table, key in keys.items():
        reasons = list(found[table].reasons)
        yield dg.AssetCheckResult(
            asset_key=key,
            check_name=IS_FRESH,
            passed=not reasons,
            severity=dg.AssetCheckSeverity.WARN,
            description="\n".join(reasons) or "Nothing to report.",
            metadata=freshness_metadata(found[table]),
        )


def freshness_row(found: Iterable[Freshness]) -> dict[str, Any]:
    """The same for `check_result`: one row, with a line for every source table that is not fresh."""
    every = list(found)
    reasons = [line for each in every for line in each.reasons]
    stale = sum(bool(each.reasons) for each in every)
    return {
        "check_id": "sources_are_fresh",
        "asset": "sources",
        "partition": "all",
        "severity": "warning",
        "passed": not reasons,
        "observed": f"{stale} of {len(every)} tables",
        "expected": "every publisher was asked lately, and the newest period it is known to have published is measured",
        "rows_failed": stale,
        "message": "\n".join(reasons) or "Every source table is fresh.",
    }


def _tell(context: dg.AssetExecutionContext) -> Callable[[Outcome], None]:
    def follow(outcome: Outcome) -> None:
        context.log.info("%s: %s", outcome.source_table, outcome.result)

    return follow


@dg.asset(
    key=DELIVERED,
    group_name="intake",
    owners=[OWNER],
    kinds={"csv", "excel"},
    description="Files put into the inbox of the data root, taken in after recognition. Refused ones say why.",
    metadata={"dagster/column_schema": dg.TableSchema(columns=[dg.TableColumn("file", description="File.")])},
    check_specs=[dg.AssetCheckSpec(_ALL_TAKEN, asset=DELIVERED, description="No file was refused.")],
)
def delivered_files(context: dg.AssetExecutionContext, workspace: Workspace) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Take in every file in the inbox; each moves to `taken` or, with the reason beside it, to `refused`."""
    store = _store(workspace)
    known = read_facts(bundled.FOLDER, CATALOGUE).figures
    layouts = load_layouts(CATALOGUE.source_tables)
    files = waiting(store.inbox)
    taken: set[Path] = set()
    faults: dict[Path, InputError] = {}
    for path in files:
        try:
            entry = examine(path, CATALOGUE, layouts, known, store)
            if not entry.known_already:
                take_in(path, entry, CATALOGUE, store)
        except InputError as error:
            faults[path] = error
        else:
            # What its publisher says of a table lies beside it, and goes where it goes.
            taken |= {path, *companions(path)}
            context.log.info("%s is %s", path.name, entry.layout.source_table)
    # Moved only now: until all were read, each may be needed beside another.
    refused = [f"{path.name}: {error}" for path, error in faults.items() if path not in taken]
    for path in sorted(taken):
        _move(path, TAKEN)
    for path in sorted(faults.keys() - taken):
        _move(path, REFUSED).with_suffix(f"{path.suffix}.txt").write_text(f"{faults[path]}\n", encoding="utf-8")
    return dg.MaterializeResult(
        metadata={"dagster/row_count": len(files), "refused": len(refused)},
        check_results=[_check(_ALL_TAKEN, refused)],
    )


def waiting(inbox: Path) -> list[Path]:
    """The files that wait in the inbox, by name.

    What begins with a dot is still being written; a link may lead anywhere, and is left alone.
    """
    files = (path for path in inbox.glob("*") if path.is_file() and not path.is_symlink())
    return sorted(path for path in files if not path.name.startswith((".", "~")))


def _move(path: Path, folder: str) -> Path:
    """Move a file out of the inbox; a second one of the same name gets a number."""
    target = path.parent / folder
    target.mkdir(exist_ok=True)
    place, number = target / path.name, 1
    while place.exists():
        number += 1
        place = target / f"{path.stem}-{number}{path.suffix}"
    return path.replace(place)
