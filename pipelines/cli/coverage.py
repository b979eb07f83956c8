"""Command on the register of coverage: coverage."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from pipelines.cli.common import DATA_AT_FAULT, AsJson, app, refuse, set_variable, settings_of, stdout, write

if TYPE_CHECKING:
    from pipelines.coverage import Report


@app.command(epilog="Example: btg coverage --update   (then read the change of catalog/coverage.csv)")
def coverage(
    update: Annotated[bool, typer.Option("--update", help="Accept what is at hand: rewrite the register.")] = False,
    input: Annotated[  # noqa: A002 - the name users type
        Path | None,
        typer.Option(exists=True, file_okay=False, help="A folder as in `btg measure --input`, instead of the usual."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """What the figures at hand lack, or have more, than the register of coverage says.

    A run stops where a municipality, figure or period of the register vanished. Where that is right, --update accepts
    it; the register is a file of the catalogue, so that the change is read before it counts.
    """
    set_variable("BTG_INPUT", input)
    settings = settings_of(None)
    from pipelines import coverage as register
    from sources.errors import InputError

    try:
        found = register.update(settings) if update else register.report(settings)
    except InputError as error:
        refuse(str(error), DATA_AT_FAULT)
    except OSError as error:
        refuse(f"{error.filename}: cannot be written ({error.strerror}).", DATA_AT_FAULT)
    if as_json:
        said = {"register": str(found.register), "shortfalls": found.shortfalls, "news": found.news}
        write(json.dumps(said | {"rows": found.rows, "changes": found.changes}, ensure_ascii=False) + "\n")
    else:
        _say(found, updated=update)
    if found.shortfalls and not update:
        raise typer.Exit(DATA_AT_FAULT)


def _say(found: Report, *, updated: bool) -> None:
    if updated:
        for line in found.changes:
            stdout.print(escape(line))
        rows = (
            "1 row changed. Read it:" if len(found.changes) == 1 else f"{len(found.changes)} rows changed. Read them:"
        )
        what = f"{rows} git diff" if found.changes else "Nothing changed:"
        stdout.print(f"{what} {escape(str(found.register))}")
        return
    for line in found.shortfalls:
        stdout.print(f"[bold red]lost[/bold red]  {escape(line)}")
    for line in found.news:
        stdout.print(f"news  {escape(line)}")
    if found.shortfalls or found.news:
        stdout.print(f"\n{len(found.shortfalls)} lost, {len(found.news)} new. If that is right: btg coverage --update")
    else:
        stdout.print(f"All that is registered is there, and nothing else: {escape(str(found.register))}")
