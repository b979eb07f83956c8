"""The command that makes an edition again: rebuild."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from pipelines.cli.common import (
    CALL_AT_FAULT,
    DATA_AT_FAULT,
    AsJson,
    DataRoot,
    Output,
    app,
    refuse,
    said_in_words,
    set_variable,
    settings_of,
    stderr,
    stdout,
    write,
)

if TYPE_CHECKING:
    from pipelines.rebuild import RebuildReport


@app.command(epilog="Example: btg rebuild 2025-1")
def rebuild(
    edition: Annotated[str, typer.Argument(help="An edition, such as 2025-1. See: btg editions")],
    into: Annotated[
        Path | None,
        typer.Option("--into", file_okay=False, help="Make it in this new or empty folder, and keep that."),
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the temporary folder it is made in.")] = False,
    data: DataRoot = None,
    output: Output = None,
    as_json: AsJson = False,
) -> None:
    """Make an edition again from the commit, packages and snapshots it recorded, and compare it byte for byte.

    Exit 0: all data tables are identical, but for where survey_wave says that answers are no longer kept after their
    retention date; 1: they are not, or what they were made from is gone, and it says precisely what; 2: it cannot be
    tried here. Takes the snapshots from the data root (BTG_DATA); writes to none of your folders.
    """
    from pipelines import rebuild as again

    def follow(step: str) -> None:
        if not as_json:
            stderr.print(escape(f"{step} …"))

    set_variable("BTG_DATA", data)
    settings = settings_of(output)
    with said_in_words():
        try:
            report = again.rebuild(settings, edition, into, keep=keep, follow=follow)
        except again.InputLost as error:
            refuse(str(error), DATA_AT_FAULT)
        except again.CannotRebuild as error:
            refuse(str(error), CALL_AT_FAULT)
    if as_json:
        write(json.dumps(dataclasses.asdict(report), ensure_ascii=False) + "\n")
    else:
        _print(report)
    if report.differences:
        raise typer.Exit(DATA_AT_FAULT)


def _verdict(report: RebuildReport) -> str:
    """One line, with markup: identical, the same but for what answers that are no longer kept explain, or different."""
    again, tables = f"edition {report.edition} was made again", f"{report.tables} tables, in Parquet and CSV"
    if report.identical:
        return f"[bold green]Identical[/bold green]: {again}; {tables}."
    if report.differences:
        differ = len(report.differences) + len(report.expected)
        return f"[bold red]Different[/bold red]: {again}; {differ} of {tables}, differ."
    names = ", ".join(f"{each.table} ({', '.join(each.columns)})" for each in report.expected)
    return (
        f"[bold yellow]The same but for {names}[/bold yellow]: {again}; of {tables}, only this differs, because "
        "answers of the survey are no longer kept (they are deleted after their retention date)."
    )


def _print(report: RebuildReport) -> None:
    stdout.print(_verdict(report))
    for difference in [*report.differences, *report.expected]:
        stdout.print(f"[bold]{escape(difference.table)}[/bold] ({', '.join(difference.files)})")
        for sentence in difference.what:
            stdout.print(f"  • {escape(sentence)}")
    for title, sentences in (("Likely why", report.likely), ("Note", report.notes)):
        if sentences:
            stdout.print(f"{title}:")
        for sentence in sentences:
            stdout.print(f"  • {escape(sentence)}")
    if report.folder:
        stdout.print(f"Made in: {escape(report.folder)}")
