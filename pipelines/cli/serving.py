"""Commands that show things in a browser: ui, serve."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.markup import escape

from pipelines.cli.common import DATA_AT_FAULT, Output, app, refuse, said_in_words, settings_of, stderr

LOCAL = "127.0.0.1"


@app.command(epilog="Example: btg ui --port 3001")
def ui(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on this machine.")] = 3000,
    host: Annotated[str, typer.Option(help="Address to listen on; any other than this one lets others in.")] = LOCAL,
    output: Output = None,
) -> None:
    """Dagster's web interface, on this machine only: lineage, checks, years, history. Stop it with Ctrl-C."""
    import subprocess

    from pipelines.dead_runs import end_what_was_killed
    from pipelines.settings import prepare_dagster_home
    from pipelines.storage import storage_faults

    settings = settings_of(output)
    prepare_dagster_home()
    with said_in_words(), storage_faults(settings.output):
        end_what_was_killed(settings.output)
    if host != LOCAL:
        stderr.print(
            f"[bold red]Everybody who can reach {escape(host)}:{port} can start runs and publish: there is no "
            "password. Use it in a network you trust only.[/bold red]"
        )
    stderr.print(f"Dagster's web interface: http://{escape(host)}:{port} (stop with Ctrl-C)")
    command = [sys.executable, "-m", "dagster", "dev", "-m", "pipelines.definitions", "-h", host, "-p", str(port)]
    try:
        raise typer.Exit(subprocess.run(command, check=False).returncode)
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


@app.command(epilog="Example: btg serve --port 8001")
def serve(
    port: Annotated[int, typer.Option(min=1024, max=65535, help="Port on this machine.")] = 8000,
    output: Output = None,
) -> None:
    """The pages and files of all editions in a browser, on this machine only. Stop it with Ctrl-C.

    / leads to the edition that readers open; /2025-1/site/ and every file of an edition keep their address.
    """
    from pipelines.serve import PortInUse, address_of, listen, server
    from pipelines.signals import Terminated
    from reports import editions

    root = settings_of(output).output
    if editions.standing(root) is None:
        refuse(f"There is no edition in {root} yet. Make one with: btg measure --demo", DATA_AT_FAULT)
    try:
        listening = listen(port)
    except PortInUse as error:
        refuse(f"{error}: btg serve --port {port + 1 if port < 65535 else port - 1}", DATA_AT_FAULT)
    stderr.print(f"The editions: {address_of(listening)}/ (stop with Ctrl-C)")
    with said_in_words(), listening:
        try:
            server(root, listening).run(sockets=[listening])
        except Terminated:
            raise
        except KeyboardInterrupt:
            raise typer.Exit(0) from None
