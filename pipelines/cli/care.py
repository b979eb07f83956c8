"""Commands that care for the installation: backup, restore, doctor."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
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
    progress,
    refuse,
    said_in_words,
    set_variable,
    settings_of,
    stdout,
    write,
)

if TYPE_CHECKING:
    from pipelines.settings import Settings

_COLOURS = {"ok": "green", "attention": "yellow", "wrong": "bold red"}
_ANSWERS = (
    "It holds answers of respondents, as they are on disk: {waves}. Keep the file where only you come, and delete "
    "every copy in time: `btg forget` does not reach a backup (docs/survey.md). The key BTG_SURVEY_KEY is not in it."
)


@app.command(epilog="Example: btg backup /media/usb/btg-2026-11-24.zip")
def backup(
    file: Annotated[Path, typer.Argument(help="The file to make, outside data root and editions; a zip.")],
    without_answers: Annotated[
        bool, typer.Option("--without-answers", help="Leave out the private folder with answers of the survey.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a file of that name.")] = False,
    data: DataRoot = None,
    output: Output = None,
    as_json: AsJson = False,
) -> None:
    """Data root and editions in one file, read back and verified before it gets its name.

    With all snapshots, delivered files, final editions with their sign-off, drafts, and what is kept of respondents.
    Waits for a run that is busy. Exit 1 where it lacks a snapshot that an edition needs, or an edition is damaged.
    """
    settings = _settings_with(data, output)
    from pipelines.backup import back_up

    with _said(), progress(quiet=as_json) as follow:
        made = back_up(
            file,
            data=settings.data,
            output=settings.output,
            answers=not without_answers,
            force=force,
            follow=follow,
        )
    if as_json:
        write(json.dumps(asdict(made) | {"path": str(made.path)}, ensure_ascii=False) + "\n")
    else:
        stdout.print(
            f"{escape(str(made.path))}: {made.files} files, {made.bytes / 1e6:,.1f} MB, read back and verified."
        )
        for why in made.absent:
            stdout.print(escape(f"attention: it holds {why}."))
        if made.left_out:
            stdout.print(escape(f"Not in it: {', '.join(made.left_out)}"))
        if made.answers:
            stdout.print(escape(_ANSWERS.format(waves=", ".join(made.answers))))
    if made.faults:
        listed = "; ".join(made.faults)
        refuse(f"Backed up as it stands, but keep your earlier backups: {listed}. See: btg doctor", DATA_AT_FAULT)


@app.command(epilog="Example: btg restore /media/usb/btg-2026-11-24.zip --dry-run   (then without --dry-run)")
def restore(
    file: Annotated[Path, typer.Argument(help="A file that `btg backup` made.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Verify the file and say what would be done.")] = False,
    force: Annotated[
        bool,
        typer.Option("--force", help="Also where editions or snapshots stand: add what is missing."),
    ] = False,
    data: DataRoot = None,
    output: Output = None,
    as_json: AsJson = False,
) -> None:
    """Put a backup back. Every byte is verified first; a damaged file is refused and changes nothing.

    No edition that stands is replaced, and answers of respondents come back only where there are none.
    """
    settings = _settings_with(data, output)
    from pipelines.restore import put_back

    with _said(), progress(quiet=as_json) as follow:
        done = put_back(file, data=settings.data, output=settings.output, dry_run=dry_run, force=force, follow=follow)
    if as_json:
        write(json.dumps(asdict(done) | {"dry_run": dry_run}, ensure_ascii=False) + "\n")
        return
    stdout.print(f"The backup is whole.{' Nothing was changed.' if dry_run else ''}")
    for why in done.refused:
        stdout.print(escape(f"Refused, as things stand: {why}."))
    if dry_run:
        stdout.print("Once that is mended, this would be done:" if done.refused else "This would be done:")
    for what, names in (("Added", done.added), ("Left as it was", done.kept)):
        if names:
            stdout.print(escape(f"{what}: {', '.join(names)}"))
    if done.answers:
        stdout.print(
            "Answers of respondents are among it. What was deleted since the backup was made must be deleted again: "
            "btg waves, then btg forget WAVE."
        )


@app.command(epilog="Example: btg doctor")
def doctor(data: DataRoot = None, output: Output = None, as_json: AsJson = False) -> None:
    """What is wrong with this installation and how to mend it. Exit 1 where anything is. Changes nothing."""
    settings = _settings_with(data, output)
    from pipelines.doctor import examine, worst

    findings = examine(settings)
    verdict = worst(findings)
    if as_json:
        write(json.dumps({"verdict": verdict, "findings": [asdict(f) for f in findings]}, ensure_ascii=False) + "\n")
    else:
        for finding in findings:
            colour = _COLOURS[finding.verdict]
            said = escape(f"{finding.examined}: {finding.message}")
            stdout.print(f"[{colour}]{finding.verdict:9}[/{colour}] {said}")
            if finding.remedy:
                stdout.print(escape(f"          → {finding.remedy}"))
    if verdict == "wrong":
        raise typer.Exit(DATA_AT_FAULT)


def _settings_with(data: Path | None, output: Path | None) -> Settings:
    """The settings with the data root itself, whatever folder is measured."""
    set_variable("BTG_INPUT", "")
    set_variable("BTG_DATA", data)
    return settings_of(output)


@contextmanager
def _said() -> Iterator[None]:
    """End with one message and the right exit code where a backup is refused or damaged."""
    from pipelines.backup import BackupRefused, DamagedBackup, UnsoundEditions
    from pipelines.restore import EditionsDiffer

    try:
        with said_in_words():
            yield
    except (DamagedBackup, UnsoundEditions, EditionsDiffer) as error:
        refuse(str(error), DATA_AT_FAULT)
    except BackupRefused as error:
        refuse(str(error), CALL_AT_FAULT)
