"""Commands that take in figures: fetch, add."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from pipelines.cli.common import (
    CALL_AT_FAULT,
    DATA_AT_FAULT,
    AsJson,
    DataRoot,
    app,
    data_root,
    progress,
    refuse,
    stderr,
    stdout,
    write,
)

if TYPE_CHECKING:
    from sources.fetch import Outcome as FetchOutcome


@app.command(epilog="Example: btg fetch cbs_income   (all sources: btg fetch)")
def fetch(
    sources: Annotated[
        list[str] | None,
        typer.Argument(help="A source (cbs_income) or a table (86161NED); default: everything that can be fetched."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Download also what did not change.")] = False,
    data: DataRoot = None,
    as_json: AsJson = False,
) -> None:
    """Refresh the snapshots from the live services: CBS, RIVM, PDOK.

    Asks first what changed and downloads only that. A table that fails leaves its last good snapshot as it was.
    """
    from pipelines import refresh

    root = data_root(data)
    try:
        tables = refresh.choose(sources or [])
    except refresh.NothingChosenError as error:
        refuse(str(error), CALL_AT_FAULT)
    try:
        with progress(quiet=as_json) as follow:
            outcomes = refresh.fetch_all(root, tables, force=force, follow=follow)
            around = [] if sources else refresh.look_around()
    except OSError as error:
        refuse(f"{root}: cannot be written to ({error.strerror}). {KEPT}", DATA_AT_FAULT)
    except KeyboardInterrupt:
        stderr.print(f"[bold red]Stopped. {KEPT}[/bold red]")
        # At once: threads may wait for a service that never answers, and nothing is written by halves.
        os._exit(130)
    failed = [outcome for outcome in outcomes if outcome.result == "failed"]
    if as_json:
        found = {"tables": [vars(outcome) for outcome in outcomes], "publishers": around}
        write(json.dumps(found, ensure_ascii=False) + "\n")
    else:
        _report_fetch(outcomes, around, root)
    if failed:
        raise typer.Exit(DATA_AT_FAULT)


KEPT = "What was kept before is untouched."


def _report_fetch(outcomes: list[FetchOutcome], around: list[str], root: Path) -> None:
    for outcome in outcomes:
        word = f"[bold red]{outcome.result}[/bold red]" if outcome.result == "failed" else outcome.result
        size = f", {outcome.figures} figures" if outcome.figures else ""
        stdout.print(f"{word:9}  {escape(outcome.source_table)}{size}")
        for line in [*outcome.news, *outcome.message.splitlines()]:
            stdout.print(f"           {escape(line)}")
    for sentence in around:
        stdout.print(f"[bold]attention[/bold]  {escape(sentence)}")
    results = [outcome.result for outcome in outcomes]
    counted = ", ".join(f"{results.count(each)} {each}" for each in ("new", "changed", "unchanged", "failed"))
    tables = "1 table" if len(outcomes) == 1 else f"{len(outcomes)} tables"
    stdout.print(f"\n{tables}: {counted}. Snapshots: {escape(str(root))}")
    if "failed" in results:
        stdout.print("What failed keeps its last good snapshot. Later again: btg fetch")
    stdout.print("Measure them: btg measure")


@app.command(epilog="Example: btg add ~/Downloads/ww-per-gemeente.xlsx --dry-run")
def add(
    file: Annotated[
        Path,
        typer.Argument(
            exists=True,
            help="A delivered file: UWV workbook, GGD export, StatLine download, wave of the resident survey, register "
            "of a programme bureau (a workbook, or a folder of csv files).",
        ),
    ],
    source: Annotated[
        str | None, typer.Option("--source", help="Its source (such as uwv), where several layouts fit.")
    ] = None,
    wave: Annotated[
        str | None, typer.Option("--wave", help="The wave of the resident survey it is, where its columns fit several.")
    ] = None,
    margins: Annotated[
        Path | None,
        typer.Option("--margins", exists=True, dir_okay=False, help="The population numbers that come with a wave."),
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace the answers of this wave that are kept.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Keep answers again that were deleted before.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it holds, and keep nothing.")] = False,
    data: DataRoot = None,
    as_json: AsJson = False,
) -> None:
    """Take in a file that arrived by mail or download, after recognising it by its content.

    Answers of the resident survey go into the private folder of the data root, which only you can open
    (docs/survey.md). The register of a programme bureau is described in docs/register.md.
    """
    from sources.register import is_register

    root = data_root(data)
    if source is None and wave is None and is_register(file):
        _add_register(file, root, dry_run=dry_run, as_json=as_json)
        return
    if file.is_dir():
        refuse(
            f"{file} is a folder, and not the register of a bureau (bureau.csv, projecten.csv): give a file.",
            CALL_AT_FAULT,
        )
    from pipelines import refresh, waves
    from sources.errors import InputError, UnknownLayout

    try:
        of_survey = waves.chosen_wave(wave) if wave else waves.recognise(file) if source is None else None
        if of_survey is not None:
            found = waves.add_wave(
                file, root, of_survey, margins=margins, dry_run=dry_run, replace=replace, again=again
            )
            _report_wave(found, root, as_json=as_json)
            return
        taken = refresh.add_file(file, root, source=source, dry_run=dry_run)
    except (refresh.UnknownSourceError, waves.UnknownWaveError) as error:
        refuse(str(error), CALL_AT_FAULT)
    except UnknownLayout as error:
        described = ", ".join(waves.delivered_waves())
        hint = f"\nIf it is a wave of the resident survey, say which: --wave ({described})." if described else ""
        refuse(f"{error}{hint}\nNothing was taken in.", DATA_AT_FAULT)
    except InputError as error:
        refuse(f"{error}\nNothing was taken in.", DATA_AT_FAULT)
    except OSError as error:
        refuse(f"{root}: cannot be written to ({error.strerror}). {KEPT}", DATA_AT_FAULT)
    if as_json:
        write(json.dumps(taken, ensure_ascii=False) + "\n")
        return
    invented = (
        " [bold](an invented example: what is measured with it says synthetic)[/bold]" if taken["synthetic"] else ""
    )
    stdout.print(
        f"[bold]{escape(taken['file'])}[/bold] is {escape(taken['source_table'])} ({taken['layout']}){invented}"
    )
    for row in taken["holds"]:
        missing = f", {row['missing']} without a value" if row["missing"] else ""
        stdout.print(f"  {row['indicator_id']} {row['period']}: {row['regions']} regions{missing}")
    if dry_run:
        stdout.print("Nothing was kept (--dry-run).")
    elif taken["known_already"]:
        stdout.print("This file was taken in before: nothing to do.")
    else:
        stdout.print(f"Kept in {escape(str(root))}. Measure it: btg measure")


def _report_wave(taken: dict[str, Any], root: Path, *, as_json: bool) -> None:
    """What a file of the survey holds; never an answer."""
    if as_json:
        write(json.dumps(taken, ensure_ascii=False) + "\n")
        return
    unit = {"rows": "rows", "aggregates": "figures"}[taken["kind"]]
    stdout.print(
        f"[bold]{escape(taken['file'])}[/bold] is wave {escape(taken['wave_id'])} ({escape(taken['title'])}): "
        f"{taken['rows']} {unit}"
    )
    for note in taken["notes"]:
        stdout.print(f"  {escape(note)}")
    if not taken["kept"]:
        stdout.print("Nothing was kept (--dry-run).")
    else:
        stdout.print(f"Kept in {escape(str(root / 'private'))}, for you alone. Measure it: btg measure")


def _add_register(file: Path, root: Path, *, dry_run: bool, as_json: bool) -> None:
    from pipelines import registers
    from sources.errors import InputError

    try:
        taken = registers.add_register(file, root, dry_run=dry_run)
    except registers.NoProgrammeError as error:
        refuse(str(error), CALL_AT_FAULT)
    except InputError as error:
        refuse(f"{error}\nNothing was taken in.", DATA_AT_FAULT)
    except OSError as error:
        refuse(f"{root}: cannot be written to ({error.strerror}). {KEPT}", DATA_AT_FAULT)
    if as_json:
        write(json.dumps(taken, ensure_ascii=False) + "\n")
        return
    stdout.print(
        f"[bold]{escape(taken['file'])}[/bold] is the register of {escape(taken['register'])}, as of {taken['as_of']}; "
        f"lines {escape(', '.join(taken['lines']))}"
    )
    for sheet, rows in taken["rows"].items():
        stdout.print(f"  {escape(sheet)}: {rows} {'row' if rows == 1 else 'rows'}")
    for note in taken["notes"]:
        stdout.print(f"  {escape(note)}")
    if dry_run:
        stdout.print("Nothing was kept (--dry-run).")
    elif taken["known_already"]:
        stdout.print("This register was taken in before: nothing to do.")
    else:
        stdout.print(f"Kept in {escape(str(root))}. Measure it: btg measure")
