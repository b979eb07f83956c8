"""The command that looks at the pages of an edition in a browser: accessibility."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.markup import escape

from pipelines.cli.common import (
    CALL_AT_FAULT,
    DATA_AT_FAULT,
    EditionName,
    Output,
    app,
    refuse,
    said_in_words,
    settings_of,
    stdout,
)

_SHOWN = 20


@app.command(epilog="Example: btg accessibility --edition 2025-draft --all")
def accessibility(
    edition: EditionName = None,
    every: Annotated[bool, typer.Option("--all", help="Every page, instead of one of every type.")] = False,
    output: Output = None,
) -> None:
    """Hold the pages and PDFs of an edition against the rules of accessibility, in a browser on this machine.

    What was found stands beside the edition, as 2025-1.accessibility.json. Exit 1 where something is wrong.
    """
    from pipelines.accessibility import examine, faults
    from pipelines.browser import NotTestable
    from reports import editions
    from reports.edition_folder import write_file
    from reports.output_lock import hold

    root = settings_of(output).output
    name = _edition(edition, editions.standing(root))
    if not (editions.folder_of(root, name) / "site" / "index.html").is_file():
        refuse(f"There are no pages of {name} in {root}. Make them with: btg measure", DATA_AT_FAULT)
    with said_in_words():
        try:
            result = examine(root, name, every=every)
        except NotTestable as error:
            refuse(f"{error}.", DATA_AT_FAULT)
        target = editions.accessibility_file(root, name)
        with hold(root, "btg accessibility"):
            write_file(target, (json.dumps(result, ensure_ascii=False, indent=1) + "\n").encode())
    found = faults(result)
    for line in found[:_SHOWN]:
        stdout.print(escape(line))
    stdout.print(escape(f"{_summary(result)}: {len(found) or 'no'} faults. {target}"))
    raise typer.Exit(DATA_AT_FAULT if found else 0)


def _edition(named: str | None, standing: str | None) -> str:
    from reports import editions

    if named and not editions.NAME.fullmatch(named):
        refuse(f"'{named}' is not the name of an edition. See: btg editions", CALL_AT_FAULT)
    return named or standing or refuse("There is no edition yet. Make one with: btg measure --demo", DATA_AT_FAULT)


def _summary(result: dict[str, Any]) -> str:
    return (
        f"{result['edition']}: {len(result['pages'])} of {result['pages_of_edition']} pages, each in "
        f"{len(result['settings'])} settings, {len(result['keyboard'])} of them by keyboard, and "
        f"{len(result['documents'])} PDF"
    )
