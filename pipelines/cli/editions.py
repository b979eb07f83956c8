"""Commands on editions: query, editions, publish, erratum."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
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
    from pipelines.publish import Published

_ROWS_NAMED = 10


class Format(StrEnum):
    """How a query's result is printed."""

    table = "table"
    csv = "csv"
    json = "json"
    parquet = "parquet"


@app.command(
    epilog='Example: btg query "SELECT region_code, value FROM indicator_value WHERE measurement_year = 2022 '
    "AND indicator_id = 'perceived_health_good' AND region_code LIKE 'GM01%'\""
)
def query(
    sql: Annotated[str, typer.Argument(help="One SELECT statement (DuckDB SQL).")],
    edition: EditionName = None,
    format: Annotated[  # noqa: A002 - the name users type
        Format, typer.Option(help="How to print the result; parquet only into a file or pipe.")
    ] = Format.table,
    timeout: Annotated[float, typer.Option(min=0.1, max=3600, help="Stop after this many seconds.")] = 60.0,
    output: Output = None,
) -> None:
    """Read-only SQL on an edition: it can change nothing and reach no other file."""
    from pipelines import query as queries

    settings = settings_of(output)
    database = database_of(settings, edition)
    _mention_errata(settings.output, edition)
    if format is Format.parquet and sys.stdout.isatty():
        refuse("Parquet is not for a screen: send it to a file, as in `btg query … --format parquet > x.parquet`.", 2)
    try:
        frame = queries.read_only_query(database, sql, seconds=timeout)
        if format is Format.table:
            # As wide as the terminal; a pipe gets full lines.
            write(queries.as_text_table(frame, stdout.width if sys.stdout.isatty() else 1000) + "\n")
        elif format is Format.json:
            sys.stdout.writelines(queries.as_json(frame))
            write("\n")
        elif format is Format.csv:
            sys.stdout.writelines(queries.as_csv(frame))
        else:
            frame.write_parquet(sys.stdout.buffer)
    except queries.NotAnswered as error:
        refuse(f"The query could not be answered: {error}", CALL_AT_FAULT)


def _mention_errata(root: Path, edition: str | None) -> None:
    """Beside the answer, not in it: programs read that."""
    from reports import editions as life

    try:
        stated = life.errata(root).unique(["edition", "erratum_id"], keep="first", maintain_order=True)
    except life.DamagedEdition as error:
        stderr.print(f"[bold]attention[/bold]  errata cannot be shown: {escape(str(error))}")
        return
    # Of an edition that is named its own; else all: what readers open also holds the figures of older editions.
    shown = stated if edition is None else stated.filter(edition=edition)
    for row in shown.iter_rows(named=True):
        said = f"[bold]erratum to {row['edition']}[/bold] ({row['stated_at'][:10]}): {escape(row['text'])}"
        stderr.print(f"{said}  (rows: SELECT * FROM erratum)")


@app.command(epilog="Example: btg editions --json")
def editions(output: Output = None, as_json: AsJson = False) -> None:
    """The editions at hand, newest last: who signed them off, what supersedes them, and their errata."""
    from pipelines import publish as publishing

    settings = settings_of(output)
    with said_in_words():
        found = publishing.list_editions(settings.output)
    if as_json:
        write(json.dumps(found, ensure_ascii=False) + "\n")
        return
    if not found:
        stdout.print(f"No editions in {escape(str(settings.output))} yet. Make one with: btg measure --demo")
    for row in found:
        _show_edition(row)


def _show_edition(row: dict[str, Any]) -> None:
    stdout.print(
        f"[bold]{row['edition']}[/bold]  measurement year {row['measurement_year']}, made {row['created_at']}"
        + (", contains invented examples" if row["contains_synthetic"] else "")
        + (", the one in btg.duckdb" if row["open_to_readers"] else "")
    )
    state = row["state"]
    if state is not None:
        by = f" by {state['published_by']}" if state["published_by"] else ""
        stdout.print(f"  published {state['published_at']}{escape(by)}")
        if state["supersedes"]:
            stdout.print(f"  supersedes {state['supersedes']}: {escape(state['reason'] or '')}")
        if state["superseded_by"]:
            stdout.print(f"  [bold]superseded by {state['superseded_by']}[/bold]")
        for erratum in state["errata"]:
            stdout.print(f"  [bold]erratum {erratum['erratum_id']}[/bold] ({erratum['at']}): {escape(erratum['text'])}")
    stdout.print(f"  {escape(row['folder'])}")


@app.command(epilog='Example: btg publish --by "A. de Vries" --dry-run   (then without --dry-run)')
def publish(
    by: Annotated[str | None, typer.Option("--by", help="Who signs it off; stands in the edition's state.")] = None,
    reason: Annotated[
        str | None, typer.Option("--reason", help="Why the edition of this year that stands is superseded.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check, say what would happen, and publish nothing.")
    ] = False,
    year: Annotated[
        int | None, typer.Option(help="The draft of this measurement year (default: that of the region file).")
    ] = None,
    region: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="The region file the draft was made with.")
    ] = None,
    output: Output = None,
    as_json: AsJson = False,
) -> None:
    """Make the draft a final edition: checked once more, named, read-only, and never changed again.

    What readers open is then this edition. It cannot be taken back: only superseded (--reason), or given an erratum.
    """
    set_variable("BTG_REGION", region)
    set_variable("BTG_YEAR", year)
    settings = settings_of(output)
    from pipelines import publish as publishing

    with said_in_words(), progress(quiet=as_json) as follow:
        published = publishing.publish(settings, follow, by=by, reason=reason, dry_run=dry_run)
    if as_json:
        write(json.dumps(vars(published), ensure_ascii=False) + "\n")
    elif published.reasons:
        stderr.print("[bold red]Nothing was published. The draft and all editions are as they were.[/bold red]")
        for why in published.reasons:
            stderr.print(f"\n{escape(why)}")
    else:
        _say_published(published)
    if published.reasons or published.unfinished:
        raise typer.Exit(DATA_AT_FAULT)


def _say_published(published: Published) -> None:
    word = "would be published" if published.dry_run else "is published"
    stdout.print(f"[bold]Edition {published.edition}[/bold] {word}, from {published.draft}.")
    if published.supersedes:
        stdout.print(f"It supersedes {published.supersedes}: {escape(published.reason or '')}")
    for remark in (*published.unfinished, *published.remarks):
        stdout.print(f"[bold]attention[/bold]  {escape(remark)}")
    if published.dry_run:
        stdout.print("Nothing was written (--dry-run).")
        return
    stdout.print(f"Folder:           {escape(published.folder)}")
    stdout.print(f"For readers:      {escape(published.offered_to_readers)}")
    stdout.print(f"Make it again:    btg rebuild {published.edition}")
    stdout.print(f"Test its pages:   btg accessibility --edition {published.edition}")


@app.command(
    epilog='Example: btg erratum 2025-1 --text "Borne 2024 moet 43,1 zijn." --key '
    '"measurement_year=2025|indicator_id=income_standardised_mean|region_code=GM0147|breakdown=total"'
)
def erratum(
    edition: Annotated[str, typer.Argument(help="The final edition the mistake is in.")],
    text: Annotated[str, typer.Option("--text", help="What is wrong and what is right, for readers (Dutch).")],
    key: Annotated[
        list[str],
        typer.Option(
            "--key", help="A row concerned, as a=1|b=2; part of a key means all rows it fits. Repeat for more."
        ),
    ],
    table: Annotated[str, typer.Option("--table", help="The table the rows are in.")] = "indicator_value",
    by: Annotated[str | None, typer.Option("--by", help="Who states it.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Name the rows, and write nothing.")] = False,
    output: Output = None,
) -> None:
    """State a mistake in a final edition, shown wherever its figures are shown. The edition itself never changes."""
    from pipelines import publish as publishing

    settings = settings_of(output)
    with said_in_words():
        rows = publishing.state_erratum(
            settings.output, edition, text=text, table_name=table, keys=key, by=by, dry_run=dry_run
        )
    for row in rows[:_ROWS_NAMED]:
        stdout.print(f"  {escape(row)}")
    if len(rows) > _ROWS_NAMED:
        stdout.print(f"  and {len(rows) - _ROWS_NAMED} more")
    counted = "1 row" if len(rows) == 1 else f"{len(rows)} rows"
    stdout.print("Nothing was written (--dry-run)." if dry_run else f"Stated with {edition}, for {counted}.")
