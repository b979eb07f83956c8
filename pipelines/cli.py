"""`btg`, the analyst's hand tool. Exit 0: done; 1: the data is at fault; 2: the call is."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

if TYPE_CHECKING:
    from assets.workspace import Workspace
    from pipelines.run import FollowStep, Outcome
    from pipelines.settings import Settings
    from sources.fetch import Outcome as FetchOutcome

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
EDITION_NAME = r"\d{4}-(\d+|draft)"

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


class Format(StrEnum):
    """How a query's result is printed."""

    table = "table"
    csv = "csv"
    json = "json"
    parquet = "parquet"


@app.command(epilog="Example: btg measure --input ~/delivered --output ~/trial")
def measure(
    demo: Annotated[
        bool,
        typer.Option("--demo", help="The bundled official figures and an invented survey; needs no network."),
    ] = False,
    input: Annotated[  # noqa: A002 - the name users type
        Path | None,
        typer.Option(
            exists=True,
            file_okay=False,
            help="Measure this folder: a data root with snapshots, or figures.csv, figures_origin.csv and regions.csv.",
        ),
    ] = None,
    year: Annotated[
        int | None, typer.Option(help="Measure up to this year (default: that of the region file).")
    ] = None,
    output: Output = None,
    region: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="A region file, to measure another region.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run the whole measurement: sources, checks, indicators, comparisons, the draft edition.

    Measures the snapshots in the data root (BTG_DATA, default `data/`), and the bundled official figures where there
    is no snapshot. The previous edition stays until the new one is complete; a run that is stopped leaves it untouched.
    """
    if demo and input:
        _refuse("--demo measures the bundled figures, --input a folder of yours: give one of the two.", CALL_AT_FAULT)
    _set("BTG_INPUT", "" if demo else input)
    _set("BTG_DATA", "" if demo else None)
    _set("BTG_DEMO", "1" if demo else "")
    _set("BTG_REGION", region)
    _set("BTG_YEAR", year)
    settings = _settings(output)
    from pipelines import run

    if not as_json:
        stderr.print(escape(_what_is_measured(settings)))
    try:
        with _progress(quiet=as_json) as follow:
            outcome = run.measure(settings, follow)
    except run.AnotherRunIsBusy as error:
        _refuse(str(error), DATA_AT_FAULT)
    except run.OutputNotUsable as error:
        _refuse(str(error), CALL_AT_FAULT)
    except KeyboardInterrupt:
        _refuse("Stopped. The last edition is untouched.", 130)
    _report_run(outcome, as_json=as_json)
    if not outcome.succeeded:
        raise typer.Exit(DATA_AT_FAULT)


def _what_is_measured(settings: Settings) -> str:
    from sources import bundled
    from sources.snapshots import SnapshotStore
    from sources.survey.store import PrivateStore

    waves = [record for record in PrivateStore(settings.data).waves() if not record.synthetic] if settings.data else []
    survey = ", and the resident survey" if waves else ""
    if settings.data is not None and SnapshotStore(settings.data).has_any:
        return (
            f"Measuring the snapshots in {settings.data}, and the bundled official figures where there is none{survey}"
        )
    if settings.input_folder != bundled.FOLDER:
        return f"Measuring {settings.input_folder}"
    invented = ", with an invented survey" if settings.demo else survey
    return (
        f"Measuring the official figures that come with the software{invented} (no snapshots in use, no network needed)"
    )


@app.command(epilog="Example: btg fetch cbs_income   (all sources: btg fetch)")
def fetch(
    sources: Annotated[
        list[str] | None,
        typer.Argument(help="A source (cbs_income) or a table (86161NED); default: everything that can be fetched."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Download also what did not change.")] = False,
    data: DataRoot = None,
    as_json: AsJson = False,
) -> None:
    """Refresh the snapshots from the live services: CBS, RIVM, PDOK.

    Asks first what changed and downloads only that. A table that fails leaves its last good snapshot as it was.
    """
    from pipelines import refresh

    root = _data_root(data)
    try:
        tables = refresh.choose(sources or [])
    except refresh.NothingChosenError as error:
        _refuse(str(error), CALL_AT_FAULT)
    try:
        with _progress(quiet=as_json) as follow:
            outcomes = refresh.fetch_all(root, tables, force=force, follow=follow)
            around = [] if sources else refresh.look_around()
    except OSError as error:
        _refuse(f"{root}: cannot be written to ({error.strerror}). {_KEPT}", DATA_AT_FAULT)
    except KeyboardInterrupt:
        stderr.print(f"[bold red]Stopped. {_KEPT}[/bold red]")
        # At once: threads may wait for a service that never answers, and nothing is written by halves.
        os._exit(130)
    failed = [outcome for outcome in outcomes if outcome.result == "failed"]
    if as_json:
        found = {"tables": [vars(outcome) for outcome in outcomes], "publishers": around}
        _write(json.dumps(found, ensure_ascii=False) + "\n")
    else:
        _report_fetch(outcomes, around, root)
    if failed:
        raise typer.Exit(DATA_AT_FAULT)


_KEPT = "What was kept before is untouched."


def _report_fetch(outcomes: list[FetchOutcome], around: list[str], root: Path) -> None:
    for outcome in outcomes:
        word = f"[bold red]{outcome.result}[/bold red]" if outcome.result == "failed" else outcome.result
        size = f", {outcome.figures} figures" if outcome.figures else ""
        stdout.print(f"{word:9}  {escape(outcome.source_table)}{size}")
        for line in [*outcome.news, *outcome.message.splitlines()]:
            stdout.print(f"           {escape(line)}")
    for sentence in around:
        stdout.print(f"[bold]attention[/bold]  {escape(sentence)}")
    results = [outcome.result for outcome in outcomes]
    counted = ", ".join(f"{results.count(each)} {each}" for each in ("new", "changed", "unchanged", "failed"))
    tables = "1 table" if len(outcomes) == 1 else f"{len(outcomes)} tables"
    stdout.print(f"\n{tables}: {counted}. Snapshots: {escape(str(root))}")
    if "failed" in results:
        stdout.print("What failed keeps its last good snapshot. Later again: btg fetch")
    stdout.print("Measure them: btg measure")


@app.command(epilog="Example: btg add ~/Downloads/ww-per-gemeente.xlsx --dry-run")
def add(
    file: Annotated[
        Path,
        typer.Argument(
            exists=True,
            dir_okay=False,
            help="A delivered file: UWV workbook, GGD export, StatLine download, wave of the resident survey.",
        ),
    ],
    source: Annotated[
        str | None, typer.Option("--source", help="Its source (such as uwv), where several layouts fit.")
    ] = None,
    wave: Annotated[
        str | None, typer.Option("--wave", help="The wave of the resident survey it is, where its columns fit several.")
    ] = None,
    margins: Annotated[
        Path | None,
        typer.Option("--margins", exists=True, dir_okay=False, help="The population numbers that come with a wave."),
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace the answers of this wave that are kept.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Keep answers again that were deleted before.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it holds, and keep nothing.")] = False,
    data: DataRoot = None,
    as_json: AsJson = False,
) -> None:
    """Take in a file that arrived by mail or download, after recognising it by its content.

    Answers of the resident survey go into the private folder of the data root, which only you can open
    (docs/survey.md).
    """
    from pipelines import refresh, waves
    from sources.errors import InputError, UnknownLayout

    root = _data_root(data)
    try:
        of_survey = waves.chosen_wave(wave) if wave else waves.recognise(file) if source is None else None
        if of_survey is not None:
            found = waves.add_wave(
                file, root, of_survey, margins=margins, dry_run=dry_run, replace=replace, again=again
            )
            _report_wave(found, root, as_json=as_json)
            return
        taken = refresh.add_file(file, root, source=source, dry_run=dry_run)
    except (refresh.UnknownSourceError, waves.UnknownWaveError) as error:
        _refuse(str(error), CALL_AT_FAULT)
    except UnknownLayout as error:
        described = ", ".join(waves.delivered_waves())
        hint = f"\nIf it is a wave of the resident survey, say which: --wave ({described})." if described else ""
        _refuse(f"{error}{hint}\nNothing was taken in.", DATA_AT_FAULT)
    except InputError as error:
        _refuse(f"{error}\nNothing was taken in.", DATA_AT_FAULT)
    except OSError as error:
        _refuse(f"{root}: cannot be written to ({error.strerror}). {_KEPT}", DATA_AT_FAULT)
    if as_json:
        _write(json.dumps(taken, ensure_ascii=False) + "\n")
        return
    invented = (
        " [bold](an invented example: what is measured with it says synthetic)[/bold]" if taken["synthetic"] else ""
    )
    stdout.print(
        f"[bold]{escape(taken['file'])}[/bold] is {escape(taken['source_table'])} ({taken['layout']}){invented}"
    )
    for row in taken["holds"]:
        missing = f", {row['missing']} without a value" if row["missing"] else ""
        stdout.print(f"  {row['indicator_id']} {row['period']}: {row['regions']} regions{missing}")
    if dry_run:
        stdout.print("Nothing was kept (--dry-run).")
    elif taken["known_already"]:
        stdout.print("This file was taken in before: nothing to do.")
    else:
        stdout.print(f"Kept in {escape(str(root))}. Measure it: btg measure")


def _report_wave(taken: dict[str, Any], root: Path, *, as_json: bool) -> None:
    """What a file of the survey holds; never an answer."""
    if as_json:
        _write(json.dumps(taken, ensure_ascii=False) + "\n")
        return
    unit = {"rows": "rows", "aggregates": "figures"}[taken["kind"]]
    stdout.print(
        f"[bold]{escape(taken['file'])}[/bold] is wave {escape(taken['wave_id'])} ({escape(taken['title'])}): "
        f"{taken['rows']} {unit}"
    )
    for note in taken["notes"]:
        stdout.print(f"  {escape(note)}")
    if not taken["kept"]:
        stdout.print("Nothing was kept (--dry-run).")
    else:
        stdout.print(f"Kept in {escape(str(root / 'private'))}, for you alone. Measure it: btg measure")


@app.command(epilog="Example: btg waves")
def waves(data: DataRoot = None, as_json: AsJson = False) -> None:
    """List the waves of the resident survey: what is kept of them, and until when."""
    from pipelines import waves as survey
    from sources.errors import InputError

    try:
        root = _data_root(data)
        records, tables = survey.kept_waves(root), survey.kept_tables(root)
    except InputError as error:
        _refuse(str(error), DATA_AT_FAULT)
    if as_json:
        kept: list[dict[str, Any]] = [vars(record) for record in records]
        kept += [{"wave_id": name, "kind": "aggregates"} for name in tables]
        _write(json.dumps(kept, ensure_ascii=False) + "\n")
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

    _write(new_key() + "\n")


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
        _refuse("Name a wave, or --due for all whose time is over: one of the two.", CALL_AT_FAULT)
    root = _data_root(data)
    try:
        records = survey.due_waves(root) if due else [r for r in survey.kept_waves(root) if r.wave_id == wave]
        if wave is not None and not records:
            _refuse(f"'{wave}' is no wave that is kept in {root}. See: btg waves", CALL_AT_FAULT)
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
        _refuse(str(error), DATA_AT_FAULT)
    if not records:
        stdout.print("No answers are kept longer than they may be.")


@app.command(epilog="Example: btg check --all")
def check(
    edition: EditionName = None,
    show_all: Annotated[bool, typer.Option("--all", help="Also list the checks that passed.")] = False,
    output: Output = None,
    as_json: AsJson = False,
) -> None:
    """The data-quality verdict of the last run, or of an edition; worst first."""
    import polars as pl

    from reports.quality_page import verdict, worst_first

    settings = _settings(output)
    checks = worst_first(_checks(settings, edition))
    failed = checks.filter(~pl.col("passed") & (pl.col("severity") == "error"))
    warned = checks.filter(~pl.col("passed") & (pl.col("severity") == "warning"))
    complete = edition is not None or _last_run(settings).is_complete
    said = verdict(failed.height, warned.height, complete=complete)
    if as_json:
        _write(
            json.dumps({"verdict": said, "complete": complete, "checks": checks.to_dicts()}, ensure_ascii=False) + "\n"
        )
    else:
        scope = "" if edition is None else ", made before the edition was put together"
        stdout.print(f"[bold]{said}[/bold] ({checks.height} checks{scope})")
        for row in (checks if show_all else pl.concat([failed, warned])).iter_rows(named=True):
            word = "passed" if row["passed"] else "FAILED" if row["severity"] == "error" else "attention"
            year = "" if row["partition"] == "all" else f" {row['partition']}"
            stdout.print(f"\n{word}{year}  {row['check_id']}\n  {escape(row['message'])}")
        if edition is None:
            stdout.print(f"\nAs a page: {escape(str(settings.output / 'last_run' / 'quality.html'))}")
    if failed.height or not complete:
        raise typer.Exit(DATA_AT_FAULT)


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
    output: Output = None,
) -> None:
    """Read-only SQL on an edition: it can change nothing and reach no other file."""
    from pipelines import query as queries

    database = _database(_settings(output), edition)
    if format is Format.parquet and sys.stdout.isatty():
        _refuse("Parquet is not for a screen: send it to a file, as in `btg query … --format parquet > x.parquet`.", 2)
    try:
        frame = queries.read_only_query(database, sql)
        if format is Format.table:
            # As wide as the terminal; a pipe gets full lines.
            _write(queries.as_text_table(frame, stdout.width if sys.stdout.isatty() else 1000) + "\n")
        elif format is Format.json:
            _write(queries.as_json(frame) + "\n")
        elif format is Format.csv:
            _write(queries.as_csv(frame))
        else:
            frame.write_parquet(sys.stdout.buffer)
    except queries.NotAnswered as error:
        _refuse(f"The query could not be answered: {error}", CALL_AT_FAULT)


@app.command(epilog="Example: btg editions --json")
def editions(output: Output = None, as_json: AsJson = False) -> None:
    """The editions at hand, newest last."""
    settings = _settings(output)
    found = list(_editions(settings))
    if as_json:
        _write(json.dumps(found, ensure_ascii=False) + "\n")
        return
    if not found:
        stdout.print(f"No editions in {escape(str(settings.output))} yet. Make one with: btg measure --demo")
    for row in found:
        open_to_readers = ", the one in btg.duckdb" if row is found[-1] else ""
        synthetic = ", contains invented examples" if row["contains_synthetic"] else ""
        stdout.print(
            f"[bold]{row['edition']}[/bold]  measurement year {row['measurement_year']}, made {row['created_at']}"
            f"{synthetic}{open_to_readers}\n  {escape(row['folder'])}"
        )


@app.command(epilog="Example: btg ui --port 3001")
def ui(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on this machine.")] = 3000,
    output: Output = None,
) -> None:
    """Dagster's web interface, on this machine only: lineage, checks, years, history. Stop it with Ctrl-C."""
    import subprocess

    from pipelines.settings import prepare_dagster_home

    _settings(output)
    prepare_dagster_home()
    stderr.print(f"Dagster's web interface: http://127.0.0.1:{port} (stop with Ctrl-C)")
    command = [
        sys.executable,
        "-m",
        "dagster",
        "dev",
        "-m",
        "pipelines.definitions",
        "-h",
        "127.0.0.1",
        "-p",
        str(port),
    ]
    try:
        raise typer.Exit(subprocess.run(command, check=False).returncode)
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


def main() -> None:
    """Entry point of `btg`."""
    from catalog import AddressError, CatalogueError, YearError
    from pipelines.query import NotAnswered
    from pipelines.settings import SettingError

    try:
        app()
    except (AddressError, YearError, SettingError) as error:
        _exit(str(error), CALL_AT_FAULT)
    except CatalogueError as error:
        _exit(f"The catalogue has a mistake.\n{error}", DATA_AT_FAULT)
    except NotAnswered as error:
        _exit(f"An edition cannot be read: {error}", DATA_AT_FAULT)


def _exit(message: str, code: int) -> NoReturn:
    stderr.print(f"[bold red]{escape(message)}[/bold red]")
    sys.exit(code)


def _write(text: str) -> None:
    """Results for programs go to standard output as they are, without wrapping or colour."""
    sys.stdout.write(text)


def _set(name: str, value: object) -> None:
    """An option given on the command line goes before the environment."""
    if value is not None:
        os.environ[name] = str(value)


def _data_root(data: Path | None) -> Path:
    """Where snapshots are kept."""
    _set("BTG_INPUT", "")
    _set("BTG_DATA", data)
    if (root := _settings(None).data) is None:
        _refuse("BTG_DATA is empty: name the folder the snapshots are kept in, or unset it.", CALL_AT_FAULT)
    return root


def _settings(output: Path | None) -> Settings:
    from pipelines.settings import Settings

    _set("BTG_OUTPUT", output)
    return Settings.from_environment()


def _refuse(message: str, code: int) -> NoReturn:
    stderr.print(f"[bold red]{escape(message)}[/bold red]")
    raise typer.Exit(code)


@contextmanager
def _progress(*, quiet: bool) -> Iterator[FollowStep]:
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


def _report_run(outcome: Outcome, *, as_json: bool) -> None:
    """The closing summary: what came of the run, for a human or a program."""
    from assets.tables import CATALOGUE
    from reports.quality_page import verdict

    checks = outcome.checks
    failed = checks.filter(~checks["passed"] & (checks["severity"] == "error")).height
    warned = checks.filter(~checks["passed"] & (checks["severity"] == "warning")).height
    workspace = outcome.workspace
    summary: dict[str, Any] = {
        "succeeded": outcome.succeeded,
        "edition": workspace.draft_name if outcome.succeeded else None,
        "checks": verdict(failed, warned),
        "reasons": outcome.reasons,
        "gaps": _gaps(outcome) if outcome.succeeded else [],
        "database": str(workspace.root / "editions" / workspace.draft_name / "btg.duckdb"),
        "offered_to_readers": str(workspace.root / "btg.duckdb"),
        "folder": str(workspace.root / "editions" / workspace.draft_name),
        "quality_page": str(workspace.last_run / "quality.html"),
    }
    if as_json:
        _write(json.dumps(summary, ensure_ascii=False) + "\n")
        return
    if not outcome.succeeded:
        standing = " The previous edition is untouched." if (workspace.root / "btg.duckdb").exists() else ""
        stderr.print(f"[bold red]The run was stopped. No edition was made.{standing}[/bold red]")
        for reason in outcome.reasons:
            stderr.print(f"\n{escape(reason)}")
        stderr.print(f"\nAll checks: btg check --output {escape(str(workspace.root))}")
        stderr.print(f"or as a page: {escape(summary['quality_page'])}")
        return
    stdout.print(f"[bold]Edition {summary['edition']}[/bold] of {CATALOGUE.region.name_nl} is ready.")
    stdout.print(f"\nChecks: {summary['checks']} ({checks.height} checks)")
    stdout.print("\nWhat the headline figures say (differences are of unrounded figures):")
    for sentence in summary["gaps"]:
        stdout.print(f"  • {escape(sentence)}")
    _print_sources(outcome)
    stdout.print(f"\nAll checks:          {escape(summary['quality_page'])}")
    stdout.print(f"Tables and pictures: {escape(summary['folder'])}")
    stdout.print(f"Look here first:     {escape(summary['offered_to_readers'])}")


def _print_sources(outcome: Outcome) -> None:
    """Where the headline figures come from and why, and what other sources would make of the baseline."""
    from assets.tables import CATALOGUE

    said = outcome.workspace.read_sources()
    headline = {indicator.indicator_id: indicator.name_en for indicator in CATALOGUE.headline_indicators}
    year = CATALOGUE.region.last_measurement_year
    stdout.print(
        f"\nWhere the headline figures of {year} come from (all: {escape(str(outcome.workspace.sources_file))}):"
    )
    for row in said["choices"]:
        if row["indicator_id"] in headline and row["measurement_year"] == year:
            what = f"{headline[row['indicator_id']]}, {row['reference_period']}"
            source = f"{row['source_table']} ({row['kind']}, {row['origin']})"
            stdout.print(f"  • {escape(what)}: {escape(source)}; {escape(row['why'])}")
    if said["baseline"]:
        stdout.print(f"\nOther sources of the baseline {CATALOGUE.region.baseline_year}:")
        for sentence in said["baseline"]:
            stdout.print(f"  • {escape(sentence)}")


def _gaps(outcome: Outcome) -> list[str]:
    from assets.tables import CATALOGUE
    from reports.sentences import headline_gaps

    year = CATALOGUE.region.last_measurement_year
    tables = [
        outcome.workspace.read(CATALOGUE.registry[name], [str(year)]) for name in ("comparison", "indicator_value")
    ]
    return headline_gaps(tables[0], tables[1], CATALOGUE, year, scale=CATALOGUE.survey.settings.grade)


def _checks(settings: Settings, edition: str | None) -> Any:
    """The check results of the last run, or those an edition was published with."""
    if edition is not None:
        from pipelines import query as queries

        return queries.read_only_query(_database(settings, edition), "FROM check_result")
    checks = _last_run(settings).read_checks()
    if checks.is_empty():
        _refuse(f"Nothing has been run in {settings.output} yet. Start with: btg measure --demo", CALL_AT_FAULT)
    return checks


def _last_run(settings: Settings) -> Workspace:
    from assets.workspace import Workspace

    return Workspace(output=str(settings.output), input_folder="", data_folder="", lock_file="")


def _database(settings: Settings, edition: str | None) -> Path:
    if edition is not None and not re.fullmatch(EDITION_NAME, edition):
        _refuse(f"'{edition}' is not the name of an edition. See: btg editions", CALL_AT_FAULT)
    path = settings.output / "editions" / edition / "btg.duckdb" if edition else settings.output / "btg.duckdb"
    if not path.is_file():
        hint = "See: btg editions" if edition else "Make one with: btg measure --demo"
        _refuse(f"There is no edition at {path}. {hint}", CALL_AT_FAULT)
    return path


def _editions(settings: Settings) -> Iterator[dict[str, Any]]:
    from pipelines import query as queries

    for path in sorted((settings.output / "editions").glob("[0-9]*/btg.duckdb")):
        row = queries.read_only_query(path, "FROM edition").to_dicts()[0]
        yield row | {"folder": str(path.parent)}


if __name__ == "__main__":
    main()
