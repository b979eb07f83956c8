"""The command that writes the template of the register; `btg add` takes in what bureaus make of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from pipelines.cli.common import CALL_AT_FAULT, DATA_AT_FAULT, app, refuse, stdout


@app.command(epilog="Example: btg template register-2026.xlsx")
def template(
    file: Annotated[
        Path, typer.Argument(help="The workbook to write (.xlsx or .ods), or without an ending a folder of csv files.")
    ],
    example: Annotated[
        bool, typer.Option("--example", help="Filled with the invented register of one bureau, to look at.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite what stands there.")] = False,
) -> None:
    """Write the template that a programme bureau fills in: projects, results, money and texts (docs/register.md)."""
    from pipelines import registers
    from sources.errors import InputError
    from sources.register.template import TemplateFormatError, files_of

    standing = [path for path in files_of(file) if path.exists()]
    if standing and not force:
        refuse(f"{standing[0]} is there already. Give another name, or overwrite it: --force", DATA_AT_FAULT)
    try:
        registers.make_template(file, example=example)
    except (registers.NoProgrammeError, TemplateFormatError) as error:
        refuse(str(error), CALL_AT_FAULT)
    except InputError as error:
        refuse(str(error), DATA_AT_FAULT)
    except OSError as error:
        refuse(f"{file}: cannot be written ({error.strerror}).", DATA_AT_FAULT)
    what = "The template, filled with an invented register" if example else "The template"
    stdout.print(f"{what}: [bold]{escape(str(file))}[/bold]")
    if example:
        stdout.print("It says Verzonnen: ja, so btg add will not take it in.")
    else:
        stdout.print(f"Filled in, take it in with: btg add {escape(str(file))} --dry-run")
