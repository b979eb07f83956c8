"""Kill `btg` again and again while others read: does every reader see exactly one edition, and does the next run go on?

    .venv/bin/python -m benchmarks.crash [--kills 200] [--readers 4] [--seed 1]
    .venv/bin/python -m benchmarks.crash --of output --kills 20    (on what a `btg measure` without --demo left there)

Two inputs A and B differ in one known figure, so that every table of an edition shows whose it is. Processes are killed
with SIGKILL: at every step boundary of a run, at random moments of it, before file operations of the step that writes
the edition, at random moments of that step, and the same while publishing. Meanwhile readers query btg.duckdb (opening
it each time, and holding it open) and the Parquet files and checksums of the editions. After each kill the database and
every edition must equal A or B, whole. Nothing is mended by hand between two kills. Needs Linux or macOS.

To be quick, victims are forked from this process, which has imported everything and started no thread; and the kills
within the writing step replay that step alone, on the tables that a whole run of A or B left.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import io
import os
import pickle
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[1]
BUNDLE = CHECKOUT / "sources" / "bundled"
REGION = """\
region_code: SALLAND
name_nl: Salland
name_en: Salland
country_code: NL01
country_name_nl: Nederland
country_name_en: The Netherlands
rest_code: NL_REST
rest_name_nl: rest van Nederland
rest_name_en: rest of the Netherlands
baseline_year: 2022
last_measurement_year: 2023
municipalities:
  GM0150: Deventer
  GM0177: Raalte
  GM0193: Zwolle
plausible_totals: []
"""
# The figure in which the inputs differ, of the first municipality; and where an edition shows it: column and rows.
INDICATOR, PERIOD = "net_labour_participation", "2022"
SHIFT = 1.0
_OF_INDICATOR = f"indicator_id = '{INDICATOR}' AND breakdown = 'total'"
SHOWN = {
    "observation": ("value", f"{_OF_INDICATOR} AND period = '{PERIOD}'"),
    "indicator_value": ("value", f"{_OF_INDICATOR} AND measurement_year = 2022"),
    "comparison": ("value", f"{_OF_INDICATOR} AND measurement_year = 2022"),
    "change": ("baseline_value", f"{_OF_INDICATOR} AND measurement_year = 2023 AND quantity = 'value'"),
}
# By how much the difference moves with it: else the checks before publishing would find the tables wrong.
FOLLOWS = {"comparison": SHIFT, "change": -SHIFT}
# Tables that hold times, or what was published before: the others are equal whenever the input is.
OF_THE_MOMENT = {"edition", "check_result", "revision", "value_by_edition", "erratum"}
HEAVY = ("great_expectations", "matplotlib.pyplot", "scipy.optimize", "sklearn.linear_model", "shapely")
# What Python says of files to its audit hooks, just before it does it.
FILE_EVENTS = {"open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.chmod"}
# By which two folders change names; Python looks the call up just before it makes it.
SWAPS = {"renameat2", "renamex_np"}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
# Shares of the kills; the rest goes to every step boundary, and to random moments of a whole run.
SHARES = {
    "file operation of the edition": 0.25,
    "random moment of the edition": 0.1,
    "file operation of publishing": 0.1,
    "random moment of publishing": 0.05,
}
RUN_ON_EVERY = 10
MOST_IN_SIGHT = 16


# --- processes


def begin(work: Callable[[], Any], log: Path) -> tuple[int, int]:
    """Fork a child that does `work` and sends its result; returns its process id and the end to read from."""
    receiver, sender = os.pipe()
    if (child := os.fork()) != 0:
        os.close(sender)
        return child, receiver
    code = 70
    try:
        with log.open("a", encoding="utf-8") as said:
            os.dup2(said.fileno(), 1)
            os.dup2(said.fileno(), 2)
        os.close(receiver)
        with os.fdopen(sender, "wb") as file:
            pickle.dump(work(), file)
        code = 0
    except BaseException:  # noqa: BLE001 - a child says what it met, and ends
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def finish(child: int, receiver: int) -> tuple[int, Any]:
    """Wait for a child; returns its exit code (minus the signal that killed it) and its result, None if it has none."""
    with os.fdopen(receiver, "rb") as file:
        sent = file.read()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return code, pickle.loads(sent) if code == 0 else None  # noqa: S301 - from our own child


def die() -> None:
    """End this process as a power failure would."""
    os.kill(os.getpid(), signal.SIGKILL)


# --- the stage


@dataclass(frozen=True)
class Stage:
    """The folders of one benchmark: `output` is what readers read and victims write."""

    folder: Path
    place: str = "GM0150"

    @property
    def output(self) -> Path:
        """The output folder of all victims."""
        return self.folder / "output"

    @property
    def log(self) -> Path:
        """What victims and readers print, tracebacks too."""
        return self.folder / "log.txt"

    def figures(self, side: str) -> Path:
        """The input of a side, A or B."""
        return self.folder / f"figures_{side}"

    def last_run(self, side: str) -> Path:
        """What a whole run of that side left in `last_run`."""
        return self.folder / f"last_run_{side}"

    @property
    def draft(self) -> Path:
        """The draft edition."""
        return next(iter((self.output / "editions").glob("2*-draft")))

    def queries(self, source: str = "{}") -> dict[str, str]:
        """What asks every table for the known figure; `source` says how a table is called."""
        here = f"region_code = '{self.place}'"
        return {
            name: f"SELECT {column} FROM {source.format(name)} WHERE {rows} AND {here} ORDER BY ALL"
            for name, (column, rows) in SHOWN.items()
        }

    def build(self) -> None:
        """Write the region and both inputs, and point the environment here."""
        (self.folder / "region.yaml").write_text(REGION, encoding="utf-8")
        text = gzip.decompress((BUNDLE / "figures.csv.gz").read_bytes()).decode()
        for side in "AB":
            self.figures(side).mkdir()
            for name in ("figures_origin.csv", "regions.csv"):
                shutil.copy(BUNDLE / name, self.figures(side))
            (self.figures(side) / "figures.csv").write_text(
                text if side == "A" else self._shifted(text), encoding="utf-8"
            )
        self._point_here(BTG_REGION=str(self.folder / "region.yaml"))

    def build_from(self, finished: Path, figures: Path) -> None:
        """Take what a finished `btg measure` of `figures` left as A, and the same with the one figure changed as B."""
        shutil.copytree(finished, self.output)
        for side in "AB":
            shutil.copytree(self.output / "last_run", self.last_run(side))
            self.figures(side).symlink_to(figures.resolve())
        self._point_here()

    def _point_here(self, **settings: str) -> None:
        os.environ |= settings | {
            "BTG_OUTPUT": str(self.output),
            "BTG_DATA": "",
            "BTG_DAGSTER_STORAGE": str(self.folder / "dagster"),
            "DAGSTER_HOME": str(CHECKOUT),
            # A process with threads cannot be forked safely.
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
        }

    def _shifted(self, text: str) -> str:
        """The figures with the one figure changed."""
        lines = text.splitlines(keepends=True)
        beginning = f"{INDICATOR},{self.place},{PERIOD},"
        (row,) = [number for number, line in enumerate(lines) if line.startswith(beginning)]
        value, _, rest = lines[row].removeprefix(beginning).partition(",")
        lines[row] = f"{beginning}{float(value) + SHIFT:.1f},{rest}"
        return "".join(lines)

    def shift_tables(self) -> None:
        """Change the one figure in the tables that make B, wherever they show it."""
        import polars as pl

        for name, (column, rows) in SHOWN.items():
            tables = self.last_run("B") / "tables"
            for path in [*tables.glob(f"{name}.parquet"), *tables.glob(f"{name}/*.parquet")]:
                shown = pl.sql_expr(rows) & (pl.col("region_code") == self.place)
                moves = {column: SHIFT} | ({"difference": FOLLOWS[name]} if name in FOLLOWS else {})
                shifted = [pl.when(shown).then(pl.col(of) + by).otherwise(of).alias(of) for of, by in moves.items()]
                pl.read_parquet(path).with_columns(shifted).write_parquet(path)


def import_everything() -> None:
    """What a run imports, so that no victim has to.

    Imports start threads of memory allocators only, which are made for forking; what computes starts at first use.
    """
    for name in (*HEAVY, "pipelines.run", "pipelines.publish"):
        with contextlib.suppress(ModuleNotFoundError):
            import_module(name)


# --- what victims do


def whole_run(stage: Stage, side: str, on_step: Callable[[int], None] | None = None) -> int:
    """`btg measure` of that side; `on_step(n)` hears of the n-th step that ended. Returns the number of steps."""
    from pipelines import run
    from pipelines.settings import Settings

    os.environ["BTG_INPUT"] = str(stage.figures(side))
    ended = 0

    def follow(event: str, _: str, __: int) -> None:
        nonlocal ended
        if event == "STEP_SUCCESS":
            ended += 1
            if on_step:
                on_step(ended)

    outcome = run.measure(Settings.from_environment(), follow)
    if not outcome.succeeded:
        raise RuntimeError(f"the run did not succeed: {outcome.reasons}")
    return ended


def write_edition(stage: Stage, side: str) -> None:
    """The last step of a run alone, on the tables that a whole run of that side left."""
    import dagster as dg

    from assets.provenance import note_beginning
    from pipelines.definitions import MEASURE, build_definitions
    from pipelines.settings import Settings
    from reports.output_lock import hold

    os.environ["BTG_INPUT"] = str(stage.figures(side))
    definitions = build_definitions(Settings.from_environment(), loggers=_silent())
    job = definitions.resolve_job_def(MEASURE)
    with hold(stage.output, "writing the edition"), dg.DagsterInstance.ephemeral() as instance:
        shutil.rmtree(stage.output / "last_run", ignore_errors=True)
        shutil.copytree(stage.last_run(side), stage.output / "last_run")
        note_beginning((definitions.resources or {})["workspace"])
        job.execute_in_process(
            instance=instance, asset_selection=[dg.AssetKey("draft_edition")], run_config={"loggers": {"console": {}}}
        )


def publish(stage: Stage, side: str) -> None:
    """`btg publish` of the draft that stands."""
    from pipelines.publish import publish as publish_draft
    from pipelines.settings import Settings

    os.environ["BTG_INPUT"] = str(stage.figures(side))
    done = publish_draft(
        Settings.from_environment(), lambda *_: None, by="benchmark", reason="the next one", dry_run=False
    )
    if done.reasons:
        raise RuntimeError(f"not published: {done.reasons}")


def _silent() -> dict[str, Any]:
    import logging

    import dagster as dg

    def make(_: dg.InitLoggerContext) -> logging.Logger:
        logger = logging.getLogger("btg.silent")
        logger.handlers, logger.propagate = [logging.NullHandler()], False
        return logger

    return {"console": dg.LoggerDefinition(make)}


def hear_files(root: Path, hear: Callable[[bool], None]) -> None:
    """Let `hear` know of every file operation in the output, just before this process does it.

    It hears whether what readers open, and no hidden work file, is about to be another: those are the moments that
    matter most.
    """
    inside, last_run = f"{root}{os.sep}", str(root / "last_run")

    def in_sight(event: str, given: tuple[Any, ...], paths: list[str]) -> bool:
        hidden = [any(part.startswith(".") for part in Path(path).relative_to(root).parts) for path in paths]
        writes = event != "open" or bool((given[2] or 0) & WRITING)
        # The log of a database is removed before the database is replaced, whether there is one or not.
        return writes and not all(hidden) and not paths[0].endswith(".wal")

    def hook(event: str, given: tuple[Any, ...]) -> None:
        if event == "ctypes.dlsym" and given[1] in SWAPS:
            hear(True)
        elif event in FILE_EVENTS:
            named = [os.fsdecode(path) for path in given[:2] if isinstance(path, str | bytes)]
            paths = [path for path in named if path.startswith(inside) and not path.startswith(last_run)]
            # Removing a tree names its files relative to a folder that is open.
            if paths or (named and not named[0].startswith(os.sep)):
                hear(bool(paths) and in_sight(event, given, paths))

    sys.addaudithook(hook)


def operations(stage: Stage, work: Callable[[], None]) -> list[bool]:
    """The file operations of `work`, in order: whether they were in sight of readers."""
    heard: list[bool] = []
    hear_files(stage.output, heard.append)
    work()
    return heard


def killed_before(stage: Stage, work: Callable[[], None], number: int) -> None:
    """Do `work` and die before its file operation of this number."""
    left = number

    def hear(_: bool) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            die()

    hear_files(stage.output, hear)
    work()


def killed_in_sight(stage: Stage, work: Callable[[], None], number: int, *, after: bool) -> None:
    """Do `work` and die before the operation in sight of readers of this number (from 0), or `after` it.

    Counted by themselves: what a run clears first of an earlier one, out of sight, is never the same.
    """
    seen = -1

    def hear(in_sight: bool) -> None:
        nonlocal seen
        if after and seen == number:
            die()
        seen += in_sight
        if in_sight and seen == number and not after:
            die()

    hear_files(stage.output, hear)
    work()


def kills_at(in_sight: list[bool], wanted: int, chance: random.Random) -> list[Callable[..., None]]:
    """Where to kill: before and after every operation in sight of readers (of very many a few), and others by lot."""
    moments = [(number, after) for number in range(sum(in_sight)) for after in (False, True)]
    if len(moments) > MOST_IN_SIGHT:
        moments = sorted(chance.sample(moments, MOST_IN_SIGHT))
    by_lot = chance.sample(range(len(in_sight)), max(0, min(wanted - len(moments), len(in_sight))))
    return [
        *(partial(killed_in_sight, number=number, after=after) for number, after in moments),
        *(partial(killed_before, number=number) for number in sorted(by_lot)),
    ]


# --- what readers see


def seen_in_database(stage: Stage, path: Path) -> dict[str, list[float]]:
    """The known figure in every table that shows it."""
    import duckdb

    with duckdb.connect(str(path), read_only=True, config={"threads": 1}) as connection:
        return _seen(connection, stage.queries())


def _seen(connection: Any, queries: dict[str, str]) -> dict[str, list[float]]:
    return {name: [value for (value,) in connection.execute(sql).fetchall()] for name, sql in queries.items()}


def fingerprints(path: Path) -> dict[str, str]:
    """Rows and contents of every table of a database, but those of the moment."""
    import duckdb

    with duckdb.connect(str(path), read_only=True, config={"threads": 1}) as connection:
        names = [name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
        sql = "SELECT count(*) || ' ' || coalesce(sum(hash(t))::VARCHAR, '') FROM {} t"
        return {
            name: connection.execute(sql.format(f'"{name}"')).fetchone()[0]  # type: ignore[index]
            for name in sorted(set(names) - OF_THE_MOMENT)
        }


def parquet_fingerprints(folder: Path) -> dict[str, str]:
    """The same of the Parquet files of an edition, which must be the same tables."""
    import duckdb

    with duckdb.connect(config={"threads": 1}) as connection:
        sql = "SELECT count(*) || ' ' || coalesce(sum(hash(t))::VARCHAR, '') FROM read_parquet('{}') t"
        return {
            path.stem: connection.execute(sql.format(path)).fetchone()[0]  # type: ignore[index]
            for path in sorted((folder / "parquet").glob("*.parquet"))
            if path.stem not in OF_THE_MOMENT
        }


@dataclass
class Sides:
    """What A and B look like: by the known figure, and by all tables."""

    figure: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    tables: dict[str, dict[str, str]] = field(default_factory=dict)

    def of_figure(self, seen: dict[str, list[float]]) -> str:
        """Whose edition shows this; '' where its tables do not agree."""
        return next((side for side, figure in self.figure.items() if figure == seen), "")

    def of_tables(self, found: dict[str, str]) -> str:
        """Whose tables these are, all of them; '' where they are neither's."""
        return next((side for side, tables in self.tables.items() if tables == found), "")


@dataclass
class Read:
    """What one reader came across."""

    reads: int = 0
    failed: list[str] = field(default_factory=list)
    mixed: int = 0
    replaced_meanwhile: int = 0
    by_side: Counter[str] = field(default_factory=Counter)

    def saw(self, side: str) -> None:
        """Count one successful read."""
        self.reads += 1
        self.mixed += side == ""
        self.by_side[side] += 1


def read_on(stage: Stage, sides: Sides, kind: int) -> Read:
    """Read until the stage says stop: 0 opens the database each time, 1 holds it open, 2 and 3 read the editions."""
    found, stop = Read(), stage.folder / "stop"
    how = (_open_and_read, _hold_and_read, _read_parquet, _read_finals)[kind % 4]
    while not stop.exists():
        try:
            how(stage, sides, found)
        except Exception as error:  # noqa: BLE001 - whatever a reader meets is what this counts
            found.failed.append(f"{how.__name__}: {type(error).__name__}: {error}")
        time.sleep(0.01)
    return found


def _open_and_read(stage: Stage, sides: Sides, found: Read) -> None:
    found.saw(sides.of_figure(seen_in_database(stage, stage.output / "btg.duckdb")))


def _hold_and_read(stage: Stage, sides: Sides, found: Read) -> None:
    """One connection for some seconds must show one and the same edition throughout."""
    import duckdb

    with duckdb.connect(str(stage.output / "btg.duckdb"), read_only=True, config={"threads": 1}) as connection:
        first = sides.of_figure(_seen(connection, stage.queries()))
        found.saw(first)
        for _ in range(40):
            time.sleep(0.1)
            again = sides.of_figure(_seen(connection, stage.queries()))
            found.saw(again if again == first else "")


def _read_parquet(stage: Stage, sides: Sides, found: Read) -> None:
    """Every file of the draft opens; files read from one and the same folder are of one edition.

    Each is read into memory first: DuckDB and Polars open a file by its name more than once in a query, and so can meet
    the old one first and the new one next.
    """
    import duckdb
    import polars as pl

    folder = stage.draft
    before = folder.stat().st_ino
    with duckdb.connect(config={"threads": 1}) as connection:
        for name in SHOWN:
            content = (folder / "parquet" / f"{name}.parquet").read_bytes()
            connection.register(name, pl.read_parquet(io.BytesIO(content)).to_arrow())
        seen = _seen(connection, stage.queries())
    if folder.stat().st_ino == before:
        found.saw(sides.of_figure(seen))
    else:
        # Four files by name, before and after the folder was replaced: each was whole, and that is what is promised.
        found.replaced_meanwhile += 1
        found.reads += 1


def _read_finals(stage: Stage, sides: Sides, found: Read) -> None:
    """Every final edition is as it was signed, and its Parquet files can be asked by name; else btg.duckdb is asked."""
    import duckdb

    from reports import editions

    names = editions.finals(stage.output)
    for name in names:
        folder = editions.folder_of(stage.output, name)
        faults = editions.faults(folder, editions.read_state(stage.output, name).sums_sha256)
        if faults:
            found.failed.append(f"{name}: {faults[0]}")
        found.saw(sides.of_figure(seen_in_database(stage, folder / "btg.duckdb")))
        with duckdb.connect(config={"threads": 1}) as connection:
            by_name = stage.queries(f"read_parquet('{folder}/parquet/{{}}.parquet')")
            found.saw(sides.of_figure(_seen(connection, by_name)))
    if not names:
        _open_and_read(stage, sides, found)


def _whole(path: Path) -> dict[str, str]:
    """The fingerprints of a database; none of one that cannot be opened."""
    import duckdb

    try:
        return fingerprints(path)
    except duckdb.Error:
        return {}


def damaged(stage: Stage, sides: Sides) -> list[str]:
    """What is not whole after a kill: the database that readers open, the draft, the final editions."""
    from reports import editions

    found = []
    if not sides.of_tables(_whole(stage.output / "btg.duckdb")):
        found.append("btg.duckdb is missing, or neither A nor B")
    for name in [*editions.drafts(stage.output), *editions.finals(stage.output)]:
        folder = editions.folder_of(stage.output, name)
        tables, side = parquet_fingerprints(folder), sides.of_tables(_whole(folder / "btg.duckdb"))
        if not side or set(tables) != set(sides.tables[side]):
            found.append(f"{name} is neither A nor B")
        sums = editions.read_state(stage.output, name).sums_sha256 if name in editions.finals(stage.output) else None
        found += [f"{name}: {fault}" for fault in editions.faults(folder, sums)]
    # What is no edition at all would be in none of these lists.
    return found + [f"{name} is half an edition" for name in editions.remnants(stage.output)]


def leftovers(stage: Stage) -> list[Path]:
    """Hidden work files and folders; after a whole run there must be none."""
    places = (stage.output, stage.output / "editions")
    return [path for place in places for path in place.glob(".*") if not path.name.startswith(".lock")]


# --- the benchmark


@dataclass
class Result:
    """What came of all kills."""

    kills: Counter[str] = field(default_factory=Counter)
    too_late: Counter[str] = field(default_factory=Counter)
    damaged: list[str] = field(default_factory=list)
    ran_on: int = 0
    did_not_run_on: list[str] = field(default_factory=list)
    readers: list[Read] = field(default_factory=list)

    @property
    def failed_reads(self) -> list[str]:
        """What went wrong in reads."""
        return [failure for reader in self.readers for failure in reader.failed]

    @property
    def mixed(self) -> int:
        """Reads that showed two editions at once, or another than A and B."""
        return sum(reader.mixed for reader in self.readers)

    @property
    def is_clean(self) -> bool:
        """Whether nobody noticed anything."""
        return not (self.failed_reads or self.mixed or self.damaged or self.did_not_run_on)


@dataclass(frozen=True)
class Victim:
    """A process to kill: what it does, and after how many seconds (None: it kills itself at a given point).

    `before` is done before each attempt, and is not killed: publishing needs a draft that knows the editions there are.
    """

    kind: str
    work: Callable[[], Any]
    seconds: float | None = None
    before: Callable[[], None] = lambda: None


class Benchmark:
    """One stage, its readers and its victims."""

    def __init__(self, stage: Stage, readers: int, seed: int) -> None:
        self.stage, self.result, self.sides = stage, Result(), Sides()
        self.number_of_readers = readers
        self.chance = random.Random(seed)  # noqa: S311 - to do it again
        self.turn = 0
        self.steps, self.seconds = 0, 0.0
        self.drafted_after: list[str] | None = None

    def other_side(self) -> str:
        """A and B by turns, so that what a victim would publish differs from what stands."""
        self.turn += 1
        return "AB"[self.turn % 2]

    def do(self, work: Callable[[], Any]) -> Any:
        """Do this in a child that must succeed."""
        code, found = finish(*begin(work, self.stage.log))
        if code:
            tail = self.stage.log.read_text(encoding="utf-8")[-3000:]
            raise RuntimeError(f"a process that was not killed ended with {code}:\n{tail}")
        return found

    def prepare(self) -> None:
        """A whole run of B and one of A: how both look, how long a run takes, how many steps it has."""
        for side in "BA":
            start = time.perf_counter()
            self.steps = self.do(lambda side=side: whole_run(self.stage, side))  # type: ignore[misc]
            self.seconds = time.perf_counter() - start
            shutil.copytree(self.stage.output / "last_run", self.stage.last_run(side))
            self._look_at(side)

    def prepare_from_tables(self) -> None:
        """Editions of B and A from the tables at hand: how both look."""
        self.do(self.stage.shift_tables)
        for side in "BA":
            self.do(lambda side=side: write_edition(self.stage, side))  # type: ignore[misc]
            self._look_at(side)

    def _look_at(self, side: str) -> None:
        database = self.stage.output / "btg.duckdb"
        self.sides.figure[side] = self.do(lambda: seen_in_database(self.stage, database))
        self.sides.tables[side] = self.do(lambda: fingerprints(database))
        other = self.sides.figure["B"]
        for name, values in self.sides.figure[side].items():
            if not values or (side == "A" and values == other[name]):
                raise RuntimeError(f"table {name} does not show from which input it was made")

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """Let the readers read meanwhile."""
        stop = self.stage.folder / "stop"
        stop.unlink(missing_ok=True)
        children = [
            begin(lambda kind=kind: read_on(self.stage, self.sides, kind), self.stage.log)  # type: ignore[misc]
            for kind in range(self.number_of_readers)
        ]
        try:
            yield
        finally:
            stop.touch()
            for child in children:
                code, found = finish(*child)
                self.result.readers.append(found or Read(failed=[f"a reader ended with {code}"]))

    def kill(self, victim: Victim) -> None:
        """Kill one victim, and look at what it left; where it was done before, kill another one earlier."""
        victim.before()
        child, receiver = begin(victim.work, self.stage.log)
        if victim.seconds is not None:
            time.sleep(victim.seconds)
            # Not reaped yet, so the process id is still this child's.
            os.kill(child, signal.SIGKILL)
        code, _ = finish(child, receiver)
        if code == -signal.SIGKILL:
            self.result.kills[victim.kind] += 1
        elif code == 0:
            self.result.too_late[victim.kind] += 1
        else:
            self.result.did_not_run_on.append(f"{victim.kind}: ended with {code} before it was killed; see the log")
        self.result.damaged += [f"{victim.kind}: {fault}" for fault in self.do(lambda: damaged(self.stage, self.sides))]
        if code == 0 and victim.seconds is not None:
            self.kill(replace(victim, seconds=victim.seconds / 2))

    def run_on(self, work: Callable[[Stage, str], Any], side: str) -> None:
        """What comes after a kill goes on without hand work, and makes its edition."""
        code, _ = finish(*begin(lambda: work(self.stage, side), self.stage.log))
        database = self.stage.draft / "btg.duckdb"
        self.result.damaged += [f"{path} was left behind" for path in leftovers(self.stage)]
        if code == 0 and self.sides.of_tables(self.do(lambda: fingerprints(database))) == side:
            self.result.ran_on += 1
        else:
            self.result.did_not_run_on.append(f"a run of {side} after a kill ended with {code}; see the log")

    def victims_of_runs(self, moments: int) -> Iterator[Victim]:
        """Whole runs, killed at every step boundary and at random moments."""
        for number in range(1, self.steps + 1):
            side = self.other_side()

            def at(ended: int, number: int = number) -> None:
                if ended == number:
                    die()

            yield Victim("step boundary", lambda side=side, at=at: whole_run(self.stage, side, at))  # type: ignore[misc]
        for _ in range(moments):
            side = self.other_side()
            seconds = self.chance.uniform(0, self.seconds)
            yield Victim("random moment of a run", lambda side=side: whole_run(self.stage, side), seconds)  # type: ignore[misc]

    def draft(self, side: str) -> None:
        """A draft to publish: a new one where an edition was published since, of which the last one does not know."""
        from reports import editions

        if (names := editions.finals(self.stage.output)) != self.drafted_after:
            self.do(lambda: write_edition(self.stage, side))
            self.drafted_after = names

    def victims_of(
        self, what: str, work: Callable[[Stage, str], None], before: Callable[[str], None], count: dict[str, int]
    ) -> Iterator[Victim]:
        """One step, killed before file operations and at random moments; `before(side)` is done before each."""
        side = self.other_side()
        before(side)
        start = time.perf_counter()
        heard = self.do(lambda: operations(self.stage, lambda: work(self.stage, side)))
        seconds = time.perf_counter() - start
        for killed in kills_at(heard, count[f"file operation of {what}"], self.chance):
            side = self.other_side()
            yield Victim(
                f"file operation of {what}",
                lambda side=side, killed=killed: killed(self.stage, lambda: work(self.stage, side)),  # type: ignore[misc]
                before=partial(before, side),
            )
        for _ in range(count[f"random moment of {what}"]):
            side = self.other_side()
            moment = self.chance.uniform(0, seconds)
            yield Victim(f"random moment of {what}", partial(work, self.stage, side), moment, partial(before, side))


def nothing_before(_: str) -> None:
    """The victim needs nothing to be there."""


def benchmark(stage: Stage, kills: int, readers: int, seed: int) -> Result:
    """Kill so many processes in runs, in the writing step and while publishing.

    Must be called before this process has started a thread that computes.
    """
    stage.build()
    import_everything()
    made = Benchmark(stage, readers, seed)
    made.prepare()
    count = {kind: round(share * kills) for kind, share in SHARES.items()}
    moments = max(0, kills - sum(count.values()) - made.steps)

    with made.reading():
        for victim in chain(
            made.victims_of("the edition", write_edition, nothing_before, count),
            made.victims_of_runs(moments),
            made.victims_of("publishing", publish, made.draft, count),
        ):
            made.kill(victim)
            _progress(made.result, kills)
            if sum(made.result.kills.values()) % RUN_ON_EVERY == 0:
                made.run_on(write_edition, made.other_side())
        made.run_on(whole_run, made.other_side())
    return made.result


def benchmark_of_writing(stage: Stage, finished: Path, figures: Path, kills: int, readers: int, seed: int) -> Result:
    """Kill in the writing step and while publishing alone, on what a finished `btg measure` of `figures` left.

    Every operation in sight of readers is a kill, however few `kills` are asked for.
    """
    stage.build_from(finished, figures)
    import_everything()
    made = Benchmark(stage, readers, seed)
    made.prepare_from_tables()
    half, random_ones = kills // 2, kills // 10
    count = {f"file operation of {what}": half - random_ones for what in ("the edition", "publishing")}
    count |= {f"random moment of {what}": random_ones for what in ("the edition", "publishing")}

    with made.reading():
        for victim in chain(
            made.victims_of("the edition", write_edition, nothing_before, count),
            made.victims_of("publishing", publish, made.draft, count),
        ):
            made.kill(victim)
            _progress(made.result, kills)
        made.run_on(write_edition, made.other_side())
    return made.result


def _progress(result: Result, kills: int) -> None:
    print(f"\r{sum(result.kills.values())} of {kills} ", end="", file=sys.stderr, flush=True)


def report(result: Result, minutes: float) -> str:
    """The table that is printed."""
    reads = sum(reader.reads for reader in result.readers)
    sides = sum((reader.by_side for reader in result.readers), Counter[str]())
    replaced = sum(reader.replaced_meanwhile for reader in result.readers)
    lines = [f"{count:7}  killed: {kind}" for kind, count in result.kills.items()]
    lines += [f"{count:7}  done before the kill: {kind}" for kind, count in result.too_late.items()]
    lines += [
        f"{sum(result.kills.values()):7}  kills in all, in {minutes:.0f} minutes",
        f"{reads:7}  reads by {len(result.readers)} readers ({sides['A']} saw A, {sides['B']} saw B)",
        f"{replaced:7}  of them single files, while their folder was replaced",
        f"{len(result.failed_reads):7}  failed reads",
        f"{result.mixed:7}  reads of two editions at once",
        f"{len(result.damaged):7}  damaged files or editions",
        f"{result.ran_on:7}  runs that went on after a kill, without hand work",
        f"{len(result.did_not_run_on):7}  that did not",
    ]
    lines += [f"  {fault}" for fault in [*result.failed_reads, *result.damaged, *result.did_not_run_on][:20]]
    return "\n".join(lines)


def main() -> None:
    """Kill, read, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--readers", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--of", type=Path, help="kill only while writing and publishing, on this output of a run")
    parser.add_argument("--input", type=Path, default=BUNDLE, help="the figures which that run measured")
    given = parser.parse_args()
    if not hasattr(os, "fork"):
        sys.exit("This needs processes that can be forked: Linux or macOS.")
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        if given.of:
            stage = Stage(Path(folder), place="GM0141")
            result = benchmark_of_writing(stage, given.of, given.input, given.kills, given.readers, given.seed)
        else:
            stage = Stage(Path(folder))
            result = benchmark(stage, given.kills, given.readers, given.seed)
        print(f"\n{report(result, (time.perf_counter() - start) / 60)}")
        if not result.is_clean:
            print(stage.log.read_text(encoding="utf-8")[-5000:], file=sys.stderr)
        _make_removable(stage.output)
    sys.exit(0 if result.is_clean else 1)


def _make_removable(output: Path) -> None:
    """Final editions are read-only."""
    for folder in output.glob("editions/*/**/"):
        folder.chmod(0o700)


if __name__ == "__main__":
    main()
