"""Commands that measure and say how it went: measure, check."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from pipelines.cli.common import (
    CALL_AT_FAULT,
    DATA_AT_FAULT,
    AsJson,
    EditionName,
    Output,
    app,
    database_of,
    last_run,
    progress,
    refuse,
    said_in_words,
    set_variable,
    settings_of,
    stderr,
    stdout,
    write,
)

if TYPE_CHECKING:
    import polars as pl

    from pipelines.run import Outcome
    from pipelines.settings import Settings


@app.command(epilog="Example: btg measure --input ~/delivered --output ~/trial")
def measure(
    demo: Annotated[
        bool,
        typer.Option("--demo", help="The bundled official figures and an invented survey; needs no network."),
    ] = False,
    input: Annotated[  # noqa: A002 - the name users type
        Path | None,
        typer.Option(
            exists=True,
            file_okay=False,
            help="Measure this folder: a data root with snapshots, or figures.csv, figures_origin.csv and regions.csv.",
        ),
    ] = None,
    year: Annotated[
        int | None, typer.Option(help="Measure up to this year (default: that of the region file).")
    ] = None,
    output: Output = None,
    region: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="A region file, to measure another region.")
    ] = None,
    tables_only: Annotated[
        bool,
        typer.Option("--tables-only", help="Without site, reports and spreadsheets, for trying out; faster."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run the whole measurement: sources, checks, indicators, comparisons, the draft edition.

    Measures the snapshots in the data root (BTG_DATA, default `data/`), and the bundled official figures where there
    is no snapshot. The previous edition stays until the new one is complete; a run that is stopped leaves it untouched.
    """
    if demo and input:
        refuse("--demo measures the bundled figures, --input a folder of yours: give one of the two.", CALL_AT_FAULT)
    set_variable("BTG_INPUT", "" if demo else input)
    set_variable("BTG_DATA", "" if demo else None)
    set_variable("BTG_DEMO", "1" if demo else "")
    set_variable("BTG_TABLES_ONLY", "1" if tables_only else None)
    set_variable("BTG_REGION", region)
    set_variable("BTG_YEAR", year)
    settings = settings_of(output)
    from pipelines import run
    from pipelines.storage import storage_faults

    with said_in_words(), storage_faults(settings.output):
        measured = _what_is_measured(settings)
    if not as_json:
        stderr.print(escape(measured))
    with said_in_words(), progress(quiet=as_json) as follow:
        outcome = run.measure(settings, follow, None if as_json else lambda told: stderr.print(escape(told)))
    _report_run(outcome, as_json=as_json)
    if not outcome.succeeded:
        raise typer.Exit(DATA_AT_FAULT)


def _what_is_measured(settings: Settings) -> str:
    from sources import bundled
    from sources.snapshots import SnapshotStore
    from sources.survey.store import PrivateStore

    waves = [record for record in PrivateStore(settings.data).waves() if not record.synthetic] if settings.data else []
    survey = ", and the resident survey" if waves else ""
    if settings.data is not None and SnapshotStore(settings.data).has_any:
        return (
            f"Measuring the snapshots in {settings.data}, and the bundled official figures where there is none{survey}"
        )
    if settings.input_folder != bundled.FOLDER:
        return f"Measuring {settings.input_folder}"
    invented = ", with an invented survey and project register" if settings.demo else survey
    return (
        f"Measuring the official figures that come with the software{invented} (no snapshots in use, no network needed)"
    )


def _report_run(outcome: Outcome, *, as_json: bool) -> None:
    """The closing summary: what came of the run, for a human or a program."""
    from assets.tables import CATALOGUE
    from reports.for_readers import SITE
    from reports.quality_page import verdict

    checks = outcome.checks
    failed = checks.filter(~checks["passed"] & (checks["severity"] == "error")).height
    warned = checks.filter(~checks["passed"] & (checks["severity"] == "warning")).height
    workspace = outcome.workspace
    summary: dict[str, Any] = {
        "succeeded": outcome.succeeded,
        "edition": workspace.draft_name if outcome.made else None,
        "checks": verdict(failed, warned),
        "reasons": outcome.reasons,
        "gaps": _gaps(outcome) if outcome.made else [],
        "database": str(workspace.root / "editions" / workspace.draft_name / "btg.duckdb"),
        "offered_to_readers": str(workspace.root / "btg.duckdb"),
        "folder": str(workspace.draft),
        "site": None if workspace.tables_only else str(workspace.draft / SITE / "index.html"),
        "quality_page": str(workspace.last_run / "quality.html"),
    }
    if as_json:
        write(json.dumps(summary, ensure_ascii=False) + "\n")
        return
    if not outcome.made:
        standing = " The previous edition is untouched." if (workspace.root / "btg.duckdb").exists() else ""
        stderr.print(f"[bold red]The run was stopped. No edition was made.{standing}[/bold red]")
        for reason in outcome.reasons:
            stderr.print(f"\n{escape(reason)}")
        stderr.print(f"\nAll checks: btg check --output {escape(str(workspace.root))}")
        stderr.print(f"or as a page: {escape(summary['quality_page'])}")
        return
    stdout.print(f"[bold]Edition {summary['edition']}[/bold] of {CATALOGUE.region.name_nl} is ready.")
    stdout.print(f"\nChecks: {summary['checks']} ({checks.height} checks)")
    stdout.print("\nWhat the headline figures say (differences are of unrounded figures):")
    for sentence in summary["gaps"]:
        stdout.print(f"  • {escape(sentence)}")
    _print_sources(outcome)
    stdout.print(f"\nAll checks:      {escape(summary['quality_page'])}")
    stdout.print(f"All files:       {escape(summary['folder'])}")
    if outcome.succeeded:
        stdout.print(f"Tables:          {escape(summary['offered_to_readers'])}")
    if summary["site"]:
        stdout.print(f"Look here first: {escape(summary['site'])} (or: btg serve)")
    for reason in outcome.reasons:
        stderr.print(f"\n[bold red]{escape(reason)}[/bold red]")


def _print_sources(outcome: Outcome) -> None:
    """Where the headline figures come from and why, and what other sources would make of the baseline."""
    from assets.tables import CATALOGUE

    said = outcome.workspace.read_sources()
    headline = {indicator.indicator_id: indicator.name_en for indicator in CATALOGUE.headline_indicators}
    year = CATALOGUE.region.last_measurement_year
    stdout.print(
        f"\nWhere the headline figures of {year} come from (all: {escape(str(outcome.workspace.sources_file))}):"
    )
    for row in said["choices"]:
        if row["indicator_id"] in headline and row["measurement_year"] == year:
            what = f"{headline[row['indicator_id']]}, {row['reference_period']}"
            source = f"{row['source_table']} ({row['kind']}, {row['origin']})"
            stdout.print(f"  • {escape(what)}: {escape(source)}; {escape(row['why'])}")
    if said["baseline"]:
        stdout.print(f"\nOther sources of the baseline {CATALOGUE.region.baseline_year}:")
        for sentence in said["baseline"]:
            stdout.print(f"  • {escape(sentence)}")


def _gaps(outcome: Outcome) -> list[str]:
    """The sentences with the figures of the headline indicators, in their order."""
    from assets.tables import CATALOGUE
    from reports.claims import headline_claims

    claim = outcome.workspace.read(CATALOGUE.registry["claim"])
    return headline_claims(claim, CATALOGUE, CATALOGUE.region.last_measurement_year)


@app.command(epilog="Example: btg check --all")
def check(
    edition: EditionName = None,
    show_all: Annotated[bool, typer.Option("--all", help="Also list the checks that passed.")] = False,
    output: Output = None,
    as_json: AsJson = False,
) -> None:
    """The data-quality verdict of the last run, or of an edition; worst first."""
    import polars as pl

    from reports.quality_page import verdict, worst_first

    settings = settings_of(output)
    if edition is not None:
        _require_whole(settings, edition, as_json=as_json)
    checks = worst_first(_checks(settings, edition))
    failed = checks.filter(~pl.col("passed") & (pl.col("severity") == "error"))
    warned = checks.filter(~pl.col("passed") & (pl.col("severity") == "warning"))
    complete = edition is not None or last_run(settings).is_complete
    said = verdict(failed.height, warned.height, complete=complete)
    if as_json:
        write(
            json.dumps({"verdict": said, "complete": complete, "checks": checks.to_dicts()}, ensure_ascii=False) + "\n"
        )
    else:
        scope = "" if edition is None else ", made before the edition was put together"
        stdout.print(f"[bold]{said}[/bold] ({checks.height} checks{scope})")
        for row in (checks if show_all else pl.concat([failed, warned])).iter_rows(named=True):
            word = "passed" if row["passed"] else "FAILED" if row["severity"] == "error" else "attention"
            year = "" if row["partition"] == "all" else f" {row['partition']}"
            stdout.print(f"\n{word}{year}  {row['check_id']}\n  {escape(row['message'])}")
        if edition is None:
            stdout.print(f"\nAs a page: {escape(str(settings.output / 'last_run' / 'quality.html'))}")
    if failed.height or not complete:
        raise typer.Exit(DATA_AT_FAULT)


def _require_whole(settings: Settings, edition: str, *, as_json: bool) -> None:
    """End the command where files of the edition are not as they were written: its check results then say nothing."""
    from reports import editions

    root = settings.output
    if not (is_final := edition in editions.finals(root)):
        database_of(settings, edition)
    with said_in_words():
        sums = editions.read_state(root, edition).sums_sha256 if is_final else None
        faults = editions.faults(editions.folder_of(root, edition), sums)
    if not faults:
        return
    said = f"Damaged: {edition} is not as it was written"
    if as_json:
        write(json.dumps({"verdict": said, "complete": True, "damaged": faults, "checks": []}) + "\n")
    else:
        stdout.print(f"[bold red]{said}[/bold red]")
        for fault in faults:
            stdout.print(f"  {escape(fault)}")
        remedy = "btg measure" if edition.endswith(editions.DRAFT) else "btg restore FILE (docs/handover.md)"
        stdout.print(f"Make it or put it back: {remedy}")
    raise typer.Exit(DATA_AT_FAULT)


def _checks(settings: Settings, edition: str | None) -> pl.DataFrame:
    """The check results of the last run, or those an edition was published with."""
    import polars as pl

    if edition is not None:
        return pl.read_parquet(settings.output / "editions" / edition / "parquet" / "check_result.parquet")
    checks = last_run(settings).read_checks()
    if checks.is_empty():
        refuse(f"Nothing has been run in {settings.output} yet. Start with: btg measure --demo", CALL_AT_FAULT)
    return checks
