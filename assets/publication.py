"""Layer edition: the draft becomes a final edition, behind checks that look at it once more."""

import json
import shutil
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl

from assets.edition import after, is_synthetic, offer_to_readers, write_changes
from assets.provenance import PROVENANCE, known_editions
from assets.raw import outlines_source
from assets.tables import CATALOGUE, OWNER
from assets.workspace import Workspace
from reports import editions
from reports.edition_folder import beside, remove
from reports.fair import Pack, write_fair_pack
from reports.for_readers import MADE, made_for_readers
from reports.output_lock import hold
from reports.tables import write_database, write_table
from sources.fetch import boundary_table

# What publishing makes: by a job of its own, never by a measurement.
ASSETS = ("edition_candidate", "final_edition")
# The checks on the candidate, each with what it is about; they are made where the rules are (pipelines/checks.py).
CHECKS = {
    "publishable": "The draft is whole and unchanged, nothing in it is invented, and no blocking check failed.",
    "expectations": "What must be true of every table, asked once more of the tables as they lie in the draft.",
}
# The tables in which an edition names itself.
_NAMED = ("edition", "revision")
_SCHEMA = {"dagster/column_schema": dg.TableSchema(columns=[dg.TableColumn("table", description="A table.")])}


class Publication(dg.Config):
    """Who publishes (signs off), why an edition that stands is superseded, and whether to only say what would be.

    Publishing cannot be taken back, so a click in Dagster's interface does not do it: `dry_run: false` does.
    """

    by: str | None = None
    reason: str | None = None
    dry_run: bool = True


class NotPublishable(RuntimeError):  # noqa: N818 - says what is the matter
    """The draft cannot become a final edition; the message says why and what to do."""


@dg.asset(
    group_name="edition",
    owners=[OWNER],
    kinds={"parquet"},
    deps=["draft_edition"],
    description="The draft as it lies there, to be checked once more before it is published. Nothing is written.",
    metadata=_SCHEMA,
)
def edition_candidate(context: dg.AssetExecutionContext, workspace: Workspace) -> None:
    """Look at the draft: that there is one."""
    if not (workspace.draft / editions.DATABASE).is_file():
        raise NotPublishable(f"There is no draft at {workspace.draft}. Make one with: btg measure")
    tables = list((workspace.draft / "parquet").glob("*.parquet"))
    context.add_asset_metadata({"dagster/row_count": len(tables)})


@dg.asset(
    group_name="edition",
    owners=[OWNER],
    kinds={"duckdb"},
    deps=["edition_candidate"],
    description=(
        "The final edition: the draft under its own name, with what makes it findable, citable and verifiable, never "
        "changed again. What readers open is then this one."
    ),
    metadata=_SCHEMA,
)
def final_edition(context: dg.AssetExecutionContext, workspace: Workspace, config: Publication) -> None:
    """Write the final edition beside the others, sign it off, and offer it to readers."""
    with hold(workspace.root, "a run of Dagster"):
        _require_checked(context, workspace)
        name = editions.next_name(workspace.root, CATALOGUE.region.last_measurement_year)
        superseded = superseded_by_publishing(workspace.root)
        if superseded and not (config.reason or "").strip():
            raise NotPublishable(f"{superseded} stands: say why it is superseded (--reason).")
        context.add_asset_metadata({"edition": name, "supersedes": superseded or "none", "dry_run": config.dry_run})
        if not config.dry_run:
            _publish(workspace, name, superseded, config)
            with after(f"Edition {name} is published"):
                offer_to_readers(workspace.root)


def _publish(workspace: Workspace, name: str, superseded: str | None, config: Publication) -> None:
    """Write the folder under a hidden name, and give it its own: from then on it is published."""
    building = beside(editions.folder_of(workspace.root, name), "building")
    remove(building)
    published_at = datetime.now(UTC).isoformat(timespec="seconds")
    reason = config.reason if superseded else None
    try:
        _write_final(workspace, name, building, published_at, superseded, reason)
        state = editions.State(
            edition=name,
            published_at=published_at,
            published_by=config.by,
            sums_sha256=editions.write_sums(building),
            supersedes=superseded,
            reason=reason,
        )
        editions.make_read_only(building)
        editions.publish_folder(workspace.root, building, state)
    finally:
        remove(building)


def _require_checked(context: dg.AssetExecutionContext, workspace: Workspace) -> None:
    """Raises NotPublishable where the checks of the candidate did not pass in this very run.

    A blocking check blocks only where it is part of the run, and in Dagster's interface a step can be chosen alone.
    """
    events = context.instance.all_logs(context.run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    checks = [entry.get_dagster_event().asset_check_evaluation_data for entry in events]
    passed = {check.check_name for check in checks if check.asset_key == dg.AssetKey(ASSETS[0]) and check.passed}
    if not passed >= set(CHECKS):
        raise NotPublishable("An edition is published by the whole job `publish`, with its checks: btg publish")
    if faults := faults_of_draft(workspace):
        raise NotPublishable("\n".join(faults))


def superseded_by_publishing(root: Path) -> str | None:
    """The final edition of the same year that a new one would supersede."""
    year = CATALOGUE.region.last_measurement_year
    newest = editions.newest_final(root, not_after=year)
    return newest if newest and newest.startswith(f"{year}-") else None


def _write_final(
    workspace: Workspace, name: str, folder: Path, published_at: str, supersedes: str | None, reason: str | None
) -> None:
    """The draft's files under the final name, and the pack that belongs to a final edition."""
    draft = workspace.draft
    shutil.copytree(draft, folder, ignore=shutil.ignore_patterns(editions.DATABASE, editions.SUMS, *MADE))
    tables = {
        table_name: table.conform(pl.read_parquet(draft / "parquet" / f"{table_name}.parquet"))
        for table_name, table in CATALOGUE.registry.tables.items()
    }
    for table_name in _NAMED:
        tables[table_name] = tables[table_name].with_columns(edition=pl.lit(name))
        write_table(tables[table_name], table_name, folder)
    with made_for_readers(folder, tables, CATALOGUE, _outlines_source(tables["edition_input"])):
        write_database(tables, CATALOGUE.registry, folder / editions.DATABASE)
        write_changes(tables, folder, workspace)
        provenance: dict[str, Any] = json.loads((draft / PROVENANCE).read_text(encoding="utf-8"))
        provenance |= {"edition": name}
        (folder / PROVENANCE).write_text(json.dumps(provenance, indent=1) + "\n", encoding="utf-8")
    pack = Pack(
        edition=name,
        published_on=date.fromisoformat(published_at[:10]),
        tables=tables,
        registry=CATALOGUE.registry,
        publication=CATALOGUE.publication,
        region=CATALOGUE.region,
        outlines_source=_outlines_source(tables["edition_input"]),
        supersedes=supersedes,
        reason=reason,
    )
    write_fair_pack(pack, folder)


def _outlines_source(files: pl.DataFrame) -> str | None:
    """What to say of the outlines: those of a fetched year stand among the files of the edition."""
    year = CATALOGUE.region.last_measurement_year
    fetched = files["file"].str.starts_with(f"{boundary_table(year)} ").any()
    return outlines_source(year) if fetched else CATALOGUE.region.outlines_source_nl


def faults_of_draft(workspace: Workspace) -> list[str]:
    """Why the draft cannot be published, in sentences; empty when it can."""
    tables = {
        name: pl.read_parquet(path)
        for name in ("edition", "check_result")
        if (path := workspace.draft / "parquet" / f"{name}.parquet").is_file()
    }
    if len(tables) < len(("edition", "check_result")):
        return [f"{workspace.draft} is not a whole edition. Measure again: btg measure"]
    found = [f"{fault}. Measure again: btg measure" for fault in editions.faults(workspace.draft)]
    if found:
        return found
    failed = tables["check_result"].filter(~pl.col("passed") & (pl.col("severity") == "error"))
    found += [f"A blocking check failed: {message}" for message in failed["message"]]
    if is_synthetic(tables):
        found.append(
            "The draft holds invented examples (contains_synthetic), and those are never published. Measure without "
            "--demo and without invented files: btg measure"
        )
    made_with = tables["edition"]["catalog_sha256"].item()
    if made_with != CATALOGUE.sha256:
        found.append(
            "The draft was made with another catalogue than the one in force now. Measure again (btg measure), or name "
            "the region file it was made with (--region)."
        )
    compared_with = json.loads((workspace.draft / PROVENANCE).read_text(encoding="utf-8"))
    if any(compared_with[part] != known for part, known in known_editions(workspace).items()):
        found.append(
            "Since the draft was made, an edition was published or an erratum stated, which it does not know of. "
            "Measure again: btg measure"
        )
    return found
