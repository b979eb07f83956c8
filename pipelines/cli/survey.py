"""Commands on the answers that are kept of the resident survey: waves, key, forget."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.markup import escape

from pipelines.cli.common import (
    CALL_AT_FAULT,
    DATA_AT_FAULT,
    AsJson,
    DataRoot,
    app,
    data_root,
    refuse,
    said_in_words,
    stdout,
    write,
)


@app.command(epilog="Example: btg waves")
def waves(data: DataRoot = None, as_json: AsJson = False) -> None:
    """List the waves of the resident survey: what is kept of them, and until when."""
    from pipelines import waves as survey
    from pipelines.storage import storage_faults
    from sources.errors import InputError

    root = data_root(data)
    try:
        with said_in_words(), storage_faults(root):
            records, tables = survey.kept_waves(root), survey.kept_tables(root)
    except InputError as error:
        refuse(str(error), DATA_AT_FAULT)
    if as_json:
        kept: list[dict[str, Any]] = [vars(record) for record in records]
        kept += [{"wave_id": name, "kind": "aggregates"} for name in tables]
        write(json.dumps(kept, ensure_ascii=False) + "\n")
        return
    if not records and not tables:
        stdout.print("No waves of the resident survey are kept. Take one in: btg add FILE")
    for record in records:
        state = f"deleted on {record.deleted_at[:10]}" if record.deleted_at else f"until {record.retention_until}"
        locked = ", encrypted" if record.encrypted else ""
        stdout.print(
            f"{escape(record.wave_id)}  {record.rows} respondents, kept {record.kept_at[:10]}{locked}; {state}"
        )


@app.command(epilog="Example: btg key   (keep it where you will find it again: without it nothing can be read)")
def key() -> None:
    """Print a new random key, with which answers of the survey are encrypted: BTG_SURVEY_KEY."""
    from sources.survey.private_files import new_key

    write(new_key() + "\n")


@app.command(epilog="Example: btg forget --due --dry-run   (then without --dry-run)")
def forget(
    wave: Annotated[str | None, typer.Argument(help="The wave whose answers are deleted.")] = None,
    due: Annotated[
        bool, typer.Option("--due", help="Every wave whose answers are kept longer than they may be.")
    ] = False,
    reason: Annotated[
        str, typer.Option("--reason", help="Why, for the log.")
    ] = "the period for which they may be kept is over",
    by: Annotated[
        str | None, typer.Option("--by", help="Who does it (default: the name you are logged in with).")
    ] = None,
    without_estimates: Annotated[
        bool, typer.Option("--without-estimates", help="Also a wave that was never measured: nothing of it stays.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be deleted, and delete nothing.")] = False,
    data: DataRoot = None,
) -> None:
    """Delete the answers of a wave, for good, and log that it was done.

    Its estimates stay: editions are made of them from then on, and say so.
    """
    from pipelines import waves as survey
    from sources.errors import InputError

    if (wave is None) == (not due):
        refuse("Name a wave, or --due for all whose time is over: one of the two.", CALL_AT_FAULT)
    root = data_root(data)
    try:
        records = survey.due_waves(root) if due else [r for r in survey.kept_waves(root) if r.wave_id == wave]
        if wave is not None and not records:
            refuse(f"'{wave}' is no wave that is kept in {root}. See: btg waves", CALL_AT_FAULT)
        for record in records:
            if record.deleted_at:
                stdout.print(f"The rows of {escape(record.wave_id)} were deleted before, on {record.deleted_at[:10]}.")
            elif dry_run:
                stdout.print(f"Would delete {record.rows} rows of {escape(record.wave_id)}.")
            else:
                gone = survey.forget_wave(
                    root, record.wave_id, by=by, reason=reason, without_estimates=without_estimates
                )
                stays = "nothing of it stays" if without_estimates else "its estimates stay"
                stdout.print(f"Deleted {gone.rows} rows of {escape(gone.wave_id)}; {stays}.")
    except InputError as error:
        refuse(str(error), DATA_AT_FAULT)
    if not records:
        stdout.print("No answers are kept longer than they may be.")
