"""The progress report on the programme: report."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from pipelines.cli.common import (
    CALL_AT_FAULT,
    DATA_AT_FAULT,
    AsJson,
    Output,
    app,
    refuse,
    said_in_words,
    set_variable,
    settings_of,
    stdout,
    write,
)

if TYPE_CHECKING:
    from reports.progress import Scope

_DATES_SHOWN = 4


@app.command(epilog="Example: btg report --year 2025, or first: btg report --year 2025 --check")
def report(
    year: Annotated[int, typer.Option("--year", help="The year to report on: the report of 2025 is due in July 2026.")],
    check: Annotated[bool, typer.Option("--check", help="Only say what is due, and what the report lacks.")] = False,
    verify: Annotated[
        Path | None,
        typer.Option("--verify", exists=True, dir_okay=False, help="Only hold an edited .docx against the figures."),
    ] = None,
    final: Annotated[bool, typer.Option("--final", help="The final report, from a final edition.")] = False,
    evaluation: Annotated[
        bool, typer.Option("--evaluation", help="The evaluation of all years up to this one, baseline against end.")
    ] = False,
    edition: Annotated[
        str | None,
        typer.Option("--edition", help="An edition of that year (default: the newest final, else the draft)."),
    ] = None,
    region: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="The region file, for a report on another region.")
    ] = None,
    to: Annotated[
        Path | None, typer.Option("--to", help="The folder to write to (default: reports/YEAR in the output folder).")
    ] = None,
    output: Output = None,
    as_json: AsJson = False,
) -> None:
    """The progress report on the programme (article 8): HTML, PDF and Word, a page for aldermen, and slides.

    Every figure comes from an edition, texts from the bureaus' registers. A file that somebody edited is never
    overwritten: the new one is put beside it. Nothing lacks: exit 0 of `--check`, else 1.
    """
    set_variable("BTG_REGION", region)
    from pipelines import progress_report
    from reports.progress import NoProgramme, StaleSentence

    root = settings_of(output).output
    try:
        with said_in_words():
            scope = progress_report.scope_of(root, year, edition=edition, final=final, evaluation=evaluation)
            if check:
                _say_what_lacks(scope, as_json=as_json)
                return
            if verify:
                _say_what_is_stale(scope, verify, as_json=as_json)
                return
            written = progress_report.write(scope, root, to)
    except (progress_report.CannotReport, NoProgramme) as error:
        refuse(str(error), CALL_AT_FAULT)
    except StaleSentence as error:
        remedy = "Measure again (btg measure). The report of a final edition lies in its own folder, under report/."
        refuse(
            f"{error}\nThe edition was made by another version of this software, or altered. {remedy}", DATA_AT_FAULT
        )
    except OSError as error:
        refuse(f"{to or root}: cannot be written to ({error.strerror}).", DATA_AT_FAULT)
    if as_json:
        files = [str(path) for path in written.files]
        write(
            json.dumps({"edition": written.edition, "files": files, "kept": written.kept, "lacking": written.lacking})
        )
        write("\n")
        return
    stdout.print(f"[bold]Report on {year}[/bold], from edition {escape(written.edition)}")
    for path in written.files:
        stdout.print(f"  {escape(str(path))}")
    for name, beside in written.kept.items():
        stdout.print(
            f"[bold]{escape(name)}[/bold] was edited since it was made: it is kept, the new one is {escape(beside)}"
        )
    if written.lacking:
        things = "1 thing is" if written.lacking == 1 else f"{written.lacking} things are"
        stdout.print(f"{things} still lacking: btg report --year {year} --check")


def _say_what_lacks(scope: Scope, *, as_json: bool) -> None:
    from pipelines import progress_report

    today = date.today()  # noqa: DTZ011 - the day at the desk it runs on
    due, lacking = progress_report.calendar(scope, today), progress_report.lacking(scope)
    if as_json:
        write(json.dumps({"edition": scope.edition, "due": due, "lacking": lacking}, ensure_ascii=False) + "\n")
    else:
        if own := progress_report.due_date(scope):
            past = " - that day has passed" if date.fromisoformat(own) < today else ""
            stdout.print(f"The report on {scope.year} is due on [bold]{own}[/bold]{past}.\n")
        stdout.print("[bold]What is due[/bold]")
        for entry in due[:_DATES_SHOWN]:
            days = "today" if entry["days"] == 0 else f"in {entry['days']} days"
            stdout.print(f"  {entry['due']}  {escape(entry['text'])} (article {entry['article']}; {days})")
        if not due:
            stdout.print("  Nothing any more.")
        stdout.print(f"\n[bold]What the report on {scope.year} lacks[/bold] (edition {escape(scope.edition)})")
        for entry in lacking:
            which = f": {entry['lacking']}" if entry["lacking"] not in (None, entry["line_id"]) else ""
            stdout.print(f"  {escape(entry['line_id']):6} {escape(entry['label'])}{escape(which)}")
        stdout.print("" if lacking else "  Nothing: all that it needs is there.")
        if any(entry["requirement"] != "measurement" for entry in lacking):
            stdout.print("Bureaus fill in their register (btg template); then btg add, btg measure, this again.")
    if lacking:
        raise typer.Exit(DATA_AT_FAULT)


def _say_what_is_stale(scope: Scope, document: Path, *, as_json: bool) -> None:
    from pipelines import progress_report

    found = progress_report.differences(scope, document)
    if as_json:
        write(json.dumps({"edition": scope.edition, "different": found}, ensure_ascii=False) + "\n")
    elif found:
        places = "1 place is" if len(found) == 1 else f"{len(found)} places are"
        stdout.print(f"[bold]{places} not as edition {escape(scope.edition)} gives it:[/bold]")
        for entry in found:
            stdout.print(f"  {escape(entry)}")
    else:
        stdout.print(f"Every figure and verdict is as edition {escape(scope.edition)} gives it.")
    if found:
        raise typer.Exit(DATA_AT_FAULT)
