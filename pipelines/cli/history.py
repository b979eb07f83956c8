"""Commands on what figures were before: trace, diff."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Annotated

import typer

from pipelines.cli.common import (
    CALL_AT_FAULT,
    DATA_AT_FAULT,
    AsJson,
    EditionName,
    Output,
    app,
    refuse,
    settings_of,
    write,
)

SHOWN = 20  # differences, without --all


class Format(StrEnum):
    """How differences are printed."""

    text = "text"
    csv = "csv"


@contextmanager
def _faults_in_words() -> Iterator[None]:
    """End the command with one message: 2 where nothing is called so, 1 where an edition is damaged."""
    from pipelines.trace import NotFound
    from reports.editions import DamagedEdition

    try:
        yield
    except NotFound as error:
        refuse(str(error), CALL_AT_FAULT)
    except DamagedEdition as error:
        refuse(str(error), DATA_AT_FAULT)


@app.command(epilog="Example: btg trace perceived_health_good Enschede 2022")
def trace(
    indicator: Annotated[str, typer.Argument(help="An indicator: its id, its name, or a part that fits only one.")],
    region: Annotated[str, typer.Argument(help="A region: its code or name (GM0153, Enschede).")],
    year: Annotated[int, typer.Argument(help="The measurement year.")],
    breakdown: Annotated[
        str, typer.Option("--breakdown", help="A part of the residents, such as sex=female.")
    ] = "total",
    edition: EditionName = None,
    output: Output = None,
    as_json: AsJson = False,
) -> None:
    """One figure through all editions, what changed and why, and down to source table, column and snapshot.

    The ground is that of the edition readers open, or of --edition. Figures are rounded here, not with --json.
    """
    from catalog.current import current_catalogue
    from pipelines import trace as traces
    from pipelines.trace_text import lines

    root = settings_of(output).output
    with _faults_in_words():
        found = traces.trace(root, indicator, region, year, breakdown=breakdown, edition=edition)
    if as_json:
        write(json.dumps(dataclasses.asdict(found), ensure_ascii=False) + "\n")
        return
    write("".join(f"{line}\n" for line in lines(found, current_catalogue())))


@app.command(epilog="Example: btg diff 2024-1 2025-1   (the draft with the newest final edition: btg diff)")
def diff(
    older: Annotated[
        str | None, typer.Argument(help="An edition (default: the newest final one before NEWER).")
    ] = None,
    newer: Annotated[str | None, typer.Argument(help="An edition (default: the newest draft).")] = None,
    show_all: Annotated[bool, typer.Option("--all", help="Every difference, not only the first of them.")] = False,
    format: Annotated[Format, typer.Option(help="csv: the rows of the table `revision`.")] = Format.text,  # noqa: A002 - the name users type
    output: Output = None,
    as_json: AsJson = False,
) -> None:
    """What differs between two editions, and why: changed figures first, then definitions, then the rest.

    New and withdrawn rows are counted by table and indicator; --format csv gives them one by one.

    Ends with 0 also where they differ. Whether an edition is whole, says `btg check --edition`.
    """
    from catalog.current import current_catalogue
    from pipelines.differences import differences
    from reports.changes_page import sentences

    catalogue = current_catalogue()
    with _faults_in_words():
        found = differences(settings_of(output).output, older, newer, catalogue)
    rows = found.revision
    if as_json:
        write(json.dumps({"older": found.older, "newer": found.newer, "differences": rows.to_dicts()}) + "\n")
    elif format is Format.csv:
        write(rows.write_csv())
    elif rows.is_empty():
        write(f"No differences between {found.older} and {found.newer}.\n")
    else:
        write(f"From {found.older} to {found.newer}:\n")
        lines = sentences(
            rows,
            rows.height if show_all else SHOWN,
            own_regions=[*catalogue.region.own_groups, *catalogue.region.municipalities],
            headline=[indicator.indicator_id for indicator in catalogue.indicators if indicator.headline],
        )
        write("".join(f"  {line}\n" for line in lines))
