"""What all commands of `btg` share: the application, its options, and how it speaks and ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

if TYPE_CHECKING:
    from assets.workspace import Workspace
    from pipelines.run import FollowStep
    from pipelines.settings import Settings

app = typer.Typer(
    help="Measures Bruto Twents Geluk: broad welfare in the municipalities of a region, every year.",
    epilog="Start with: btg measure --demo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)

stderr = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)
stdout = Console(highlight=False, soft_wrap=True, emoji=False)

DATA_AT_FAULT, CALL_AT_FAULT = 1, 2

Output = Annotated[
    Path | None,
    typer.Option("--output", help="Output folder (default: BTG_OUTPUT, else `output/` in the checkout)."),
]
DataRoot = Annotated[
    Path | None,
    typer.Option("--data", help="The data root (default: BTG_DATA, else `data/` in the checkout)."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON, for a program to read.")]
EditionName = Annotated[
    str | None,
    typer.Option("--edition", help="An edition, such as 2025-draft (default: the one readers open)."),
]


def leave(message: str, code: int) -> NoReturn:
    """End with a message, outside a command."""
    stderr.print(f"[bold red]{escape(message)}[/bold red]")
    sys.exit(code)


def write(text: str) -> None:
    """Results for programs go to standard output as they are, without wrapping or colour."""
    sys.stdout.write(text)


def set_variable(name: str, value: object) -> None:
    """An option given on the command line goes before the environment."""
    if value is not None:
        os.environ[name] = str(value)


def data_root(data: Path | None) -> Path:
    """Where snapshots are kept."""
    set_variable("BTG_INPUT", "")
    set_variable("BTG_DATA", data)
    if (root := settings_of(None).data) is None:
        refuse("BTG_DATA is empty: name the folder the snapshots are kept in, or unset it.", CALL_AT_FAULT)
    return root


def settings_of(output: Path | None) -> Settings:
    """The settings of this call; `output` goes before BTG_OUTPUT."""
    from pipelines.settings import Settings

    set_variable("BTG_OUTPUT", output)
    return Settings.from_environment()


def refuse(message: str, code: int) -> NoReturn:
    """End a command with one clear message and this exit code."""
    stderr.print(f"[bold red]{escape(message)}[/bold red]")
    raise typer.Exit(code)


@contextmanager
def said_in_words() -> Iterator[None]:
    """End the command with one message and the right exit code, whatever the work on editions is refused for."""
    from assets.edition import Unfinished
    from assets.publication import NotPublishable
    from pipelines.publish import WrongCall
    from pipelines.run import OutputNotUsable
    from pipelines.signals import Terminated
    from pipelines.storage import StorageFault
    from reports.edition_folder import EditionInUse
    from reports.editions import DamagedEdition
    from reports.output_lock import AnotherRunIsBusy

    try:
        yield
    except (AnotherRunIsBusy, StorageFault, EditionInUse, Unfinished, DamagedEdition, NotPublishable) as error:
        refuse(str(error), DATA_AT_FAULT)
    except (OutputNotUsable, WrongCall) as error:
        refuse(str(error), CALL_AT_FAULT)
    except Terminated as error:
        refuse(f"Stopped. {error}".strip(), 143)
    except KeyboardInterrupt as error:
        refuse(f"Stopped. {error}".strip(), 130)


@contextmanager
def progress(*, quiet: bool) -> Iterator[FollowStep]:
    """A bar on a terminal, nothing elsewhere; yields a function that hears of every step."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=stderr, transient=True, disable=quiet or not stderr.is_terminal) as bar:
        task = bar.add_task("starting", total=None)

        def follow(event: str, step: str, steps: int) -> None:
            if event == "STEP_START":
                bar.update(task, total=steps, description=step.replace("_", " "))
            else:
                bar.advance(task)

        yield follow


def last_run(settings: Settings) -> Workspace:
    """What the last run in this output folder left."""
    from assets.workspace import Workspace

    return Workspace(output=str(settings.output), input_folder="", data_folder="", lock_file="")


def database_of(settings: Settings, edition: str | None) -> Path:
    """The database of an edition, or the one readers open; ends the command where there is none."""
    from reports import editions

    if edition is not None and not editions.NAME.fullmatch(edition):
        refuse(f"'{edition}' is not the name of an edition. See: btg editions", CALL_AT_FAULT)
    root = settings.output
    path = (editions.folder_of(root, edition) if edition else root) / editions.DATABASE
    if path.is_file():
        return path
    if edition:
        refuse(f"There is no edition at {path}. See: btg editions", CALL_AT_FAULT)
    if standing := editions.standing(root):
        remedy = f"Make it anew with btg measure, or name an edition: --edition {standing}"
        refuse(f"{path} is missing, which readers open; {standing} itself is there. {remedy}", DATA_AT_FAULT)
    refuse(f"There is no edition at {path}. Make one with: btg measure --demo", CALL_AT_FAULT)
