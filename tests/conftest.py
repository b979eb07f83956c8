"""One measured edition for all tests: made by the command a user types, in folders of its own.

The other whole runs that tests need are made the same way. They start when the first test does, two at a time, and a
test waits for the one it needs. A module of tests that has `WHOLE_RUNS` of its own has them started too.
"""

from __future__ import annotations

import gzip
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from threadpoolctl import threadpool_limits

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CHECKOUT = Path(__file__).parents[1]
BUNDLE = CHECKOUT / "sources" / "bundled"
EXAMPLES = sorted((BUNDLE / "examples").glob("*.xlsx"))
# Real published files, beside the checkout where they are at hand: `from tests.conftest import SHARED`.
SHARED = CHECKOUT.parent / "shared"
# After so many seconds a command hangs. A run takes half a minute, and ten times that where many work on one machine.
PATIENCE = 1200
BTG = Path(sys.executable).with_name("btg.exe" if os.name == "nt" else "btg")

# What the person who runs the tests has set must not decide what they say; but for the browser they have.
for _name in [name for name in os.environ if name.startswith(("BTG_", "DAGSTER_"))]:
    if _name not in ("BTG_CHROMIUM", "BTG_REQUIRE_BROWSER"):
        del os.environ[_name]
# Nor what was fetched into this checkout: a run measures the bundled figures unless a test gives it a data root.
os.environ["BTG_DATA"] = ""
# Most tests look at tables; the runs that are looked at as readers see them make the pages too.
os.environ["BTG_TABLES_ONLY"] = "1"
WITH_PAGES: dict[str, str | None] = {"BTG_TABLES_ONLY": None}

SALLAND = """\
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
last_measurement_year: 2025
municipalities:
  GM0150: Deventer
  GM0177: Raalte
  GM0193: Zwolle
plausible_totals: []
"""


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real files as publishers served them; a test that asks for them skips where they are not at hand."""
    folder = SHARED / "data"
    if not folder.is_dir():
        pytest.skip("no shared data beside this checkout")
    return folder


@dataclass(frozen=True)
class Run:
    """A finished command of `btg`: what it said, and the output folder it worked in."""

    returncode: int
    stdout: str
    stderr: str
    output: Path

    @property
    def said(self) -> str:
        """Results and progress together."""
        return self.stdout + self.stderr

    def succeeded(self) -> Run:
        """This run, which must have made an edition."""
        assert self.returncode == 0, self.said
        return self


# Makes a scenario in a folder of its own; what comes of it is what the fixture of that name gives.
WholeRun = Callable[["Runs", Path], Any]


@dataclass
class Runs:
    """Whole runs in processes of their own, two at a time. `checkout_before` is what the checkout held before.

    `environment` is that of before the first test: a run that starts later must not see what a test sets for itself.
    """

    folder: Path
    known: dict[str, WholeRun]
    environment: dict[str, str] = field(default_factory=lambda: dict(os.environ))
    checkout_before: set[str] = field(default_factory=lambda: {path.name for path in CHECKOUT.iterdir()})
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(2))
    made: dict[str, Future[Any]] = field(default_factory=dict)
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, name: str) -> Future[Any]:
        """Begin the run called `name`, unless that was done already; a module may have another result than a Run."""
        if name not in self.made:
            folder = self.folder / name
            folder.mkdir()
            self.made[name] = self.pool.submit(self.known[name], self, folder)
        return self.made[name]

    def run(self, name: str) -> Run:
        """The run called `name`, when it has finished."""
        run = self.start(name).result()
        assert isinstance(run, Run)
        return run

    def btg(
        self,
        *arguments: str | Path,
        output: Path,
        env: dict[str, str | None] | None = None,
        cwd: Path | None = None,
        while_running: Callable[[subprocess.Popen[str]], None] | None = None,
    ) -> Run:
        """Run `btg` as a user does, with Dagster's storage beside the output folder; `env` None removes a name."""
        assert BTG.exists(), f"{BTG} does not exist: install the checkout first (make test does)"
        settings = {"BTG_DAGSTER_STORAGE": str(output.with_name(f"{output.name}-dagster")), "NO_COLOR": "1"}
        command = (BTG, *arguments, "--output", output)
        return self.command(
            *command, output=output, env={**settings, **(env or {})}, cwd=cwd, while_running=while_running
        )

    def command(
        self,
        *parts: str | Path,
        output: Path,
        env: Mapping[str, str | None],
        cwd: Path | None = None,
        while_running: Callable[[subprocess.Popen[str]], None] | None = None,
    ) -> Run:
        """Run a command; it is ended when the tests are."""
        wanted = {**self.environment, "COLUMNS": "200", **env}
        process = subprocess.Popen(
            [str(part) for part in parts],
            env={name: value for name, value in wanted.items() if value is not None},
            cwd=cwd or self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self.processes.append(process)
        if while_running:
            while_running(process)
        stdout, stderr = process.communicate(timeout=PATIENCE)
        return Run(process.returncode, stdout, stderr, output)

    def copy_of_edition(self, folder: Path) -> Path:
        """An output folder that holds the standing edition, to run in once more."""
        return Path(shutil.copytree(self.run("edition").succeeded().output, folder / "output"))

    def stop(self) -> None:
        """End what still runs: the tests are over."""
        self.pool.shutdown(wait=False, cancel_futures=True)
        for process in self.processes:
            if process.poll() is None:
                process.kill()


def plain_figures(folder: Path) -> Path:
    """The bundled figures as a delivered folder of three plain files."""
    folder.mkdir()
    for name in ("figures_origin.csv", "regions.csv"):
        shutil.copy(BUNDLE / name, folder)
    (folder / "figures.csv").write_bytes(gzip.decompress((BUNDLE / "figures.csv.gz").read_bytes()))
    return folder


def _edition(runs: Runs, folder: Path) -> Run:
    return runs.btg("measure", "--demo", output=folder / "output", env=WITH_PAGES)


# What must not matter to a run.
ELSEWHERE: dict[str, str | None] = {
    "HOME": None,
    "TZ": "Pacific/Kiritimati",
    "LC_ALL": "C",
    "PYTHONHASHSEED": "7",
    "POLARS_MAX_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


def _edition_elsewhere(runs: Runs, folder: Path) -> Run:
    """The demo once more, under everything that must not matter."""
    return runs.btg("measure", "--demo", output=folder / "output", cwd=folder, env=ELSEWHERE | WITH_PAGES)


def _edition_from_folder(runs: Runs, folder: Path) -> Run:
    """The bundled figures from a plain folder, without the invented survey; elsewhere too."""
    figures = plain_figures(folder / "delivered")
    return runs.btg("measure", "--input", figures, output=folder / "output", cwd=folder, env=ELSEWHERE)


def _stopped(runs: Runs, folder: Path) -> Run:
    """A blocking check fails: the region's inhabitants must lie between 12 and 44."""
    region = (CHECKOUT / "catalog" / "region.yaml").read_text(encoding="utf-8")
    impossible = region.replace("minimum: 600000, maximum: 700000", "minimum: 12, maximum: 44")
    assert impossible != region
    (folder / "region.yaml").write_text(impossible, encoding="utf-8")
    shutil.copytree(CHECKOUT / "catalog" / "survey", folder / "survey")
    shutil.copy(CHECKOUT / "catalog" / "programme.yaml", folder)
    return runs.btg(
        "measure",
        "--demo",
        output=runs.copy_of_edition(folder),
        env={"BTG_REGION": str(folder / "region.yaml")},
    )


def _refused(runs: Runs, folder: Path) -> Run:
    """A percentage of 690 in the figures."""
    figures = plain_figures(folder / "delivered")
    text = (figures / "figures.csv").read_text(encoding="utf-8")
    right = "net_labour_participation,GM0153,2022,60.0,"
    assert text.count(right) == 1
    (figures / "figures.csv").write_text(text.replace(right, right.replace("60.0", "690")), encoding="utf-8")
    return runs.btg("measure", "--input", figures, output=runs.copy_of_edition(folder))


def _other_region(runs: Runs, folder: Path) -> Run:
    (folder / "salland.yaml").write_text(SALLAND, encoding="utf-8")
    return runs.btg("measure", "--demo", "--region", folder / "salland.yaml", output=folder / "output", env=WITH_PAGES)


def _until_2023(runs: Runs, folder: Path) -> Run:
    return runs.btg("measure", "--demo", "--year", "2023", output=runs.copy_of_edition(folder))


def _interrupted(runs: Runs, folder: Path) -> Run:
    """The user presses Ctrl-C once the first tables are there."""
    output = runs.copy_of_edition(folder)
    shutil.rmtree(output / "last_run" / "tables")

    def press(process: subprocess.Popen[str]) -> None:
        while process.poll() is None and not (output / "last_run" / "tables" / "observation.parquet").exists():
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)

    return runs.btg("measure", "--demo", output=output, while_running=press)


def _with_delivered(runs: Runs, folder: Path) -> Run:
    """Two invented workbooks are taken in, and measured over the bundled figures."""
    data = folder / "data"
    for example in EXAMPLES:
        command = [BTG, "add", example, "--data", data]
        subprocess.run(command, env=runs.environment, check=True, capture_output=True, timeout=PATIENCE)
    return runs.btg("measure", output=folder / "output", env={"BTG_DATA": str(data)})


# In the order in which they start.
WHOLE_RUNS: dict[str, WholeRun] = {
    "edition": _edition,
    "edition_elsewhere": _edition_elsewhere,
    "edition_from_folder": _edition_from_folder,
    "stopped": _stopped,
    "refused": _refused,
    "other_region": _other_region,
    "until_2023": _until_2023,
    "interrupted": _interrupted,
    "with_delivered": _with_delivered,
}


@pytest.fixture(scope="session", autouse=True)
def one_thread_for_algebra() -> Iterator[None]:
    """Of small matrices, threads wait for each other, and take the processors from the whole runs beside the tests."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="session", autouse=True)
def runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    """All whole runs; those that the collected tests need (a fixture has the name of its run) start now."""
    items = [item for item in request.session.items if isinstance(item, pytest.Function)]
    needed = {name for item in items for name in item.fixturenames}
    of_modules = [getattr(module, "WHOLE_RUNS", {}) for module in dict.fromkeys(item.module for item in items)]
    known = {name: run for whole_runs in (WHOLE_RUNS, *of_modules) for name, run in whole_runs.items()}
    made = Runs(tmp_path_factory.mktemp("runs"), known)
    for name in known:
        if name in needed:
            made.start(name)
    yield made
    made.stop()


@pytest.fixture(scope="session")
def edition_run(runs: Runs) -> Run:
    """`btg measure --demo`."""
    return runs.run("edition").succeeded()


@pytest.fixture(scope="session")
def edition(edition_run: Run) -> Path:
    """The output folder of `btg measure --demo`. Only for reading."""
    return edition_run.output


@pytest.fixture(scope="session")
def edition_elsewhere(runs: Runs) -> Path:
    """The output folder of a second `btg measure --demo`, in another environment. Only for reading."""
    return runs.run("edition_elsewhere").succeeded().output


@pytest.fixture(scope="session")
def edition_from_folder(runs: Runs) -> Path:
    """The output folder of a run of the same official figures, from a folder, with no survey. Only for reading."""
    return runs.run("edition_from_folder").succeeded().output


@pytest.fixture(scope="session")
def stopped(runs: Runs) -> Run:
    """A run that a blocking check stopped, in an output folder that held the standing edition."""
    return runs.run("stopped")


@pytest.fixture(scope="session")
def refused(runs: Runs) -> Run:
    """A run of wrong figures, in an output folder that held the standing edition."""
    return runs.run("refused")


@pytest.fixture(scope="session")
def other_region(runs: Runs) -> Run:
    """A measurement of three other municipalities, by a region file."""
    return runs.run("other_region")


@pytest.fixture(scope="session")
def until_2023(runs: Runs) -> Run:
    """`btg measure --demo --year 2023`, in an output folder that held the standing edition."""
    return runs.run("until_2023")


@pytest.fixture(scope="session")
def with_delivered(runs: Runs) -> Run:
    """`btg measure` with a data root that holds the two invented workbooks."""
    return runs.run("with_delivered").succeeded()


@pytest.fixture(scope="session")
def interrupted(runs: Runs) -> Run:
    """A run stopped with Ctrl-C, in an output folder that held the standing edition."""
    if os.name == "nt":
        pytest.skip("Windows cannot send Ctrl-C to another process")
    return runs.run("interrupted")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, for all tests of pages: one, since two at once cannot be opened. Without one they skip.

    Not where it was promised: `.ci/run` installs it.
    """
    from pipelines.browser import missing, opened_browser

    if why := missing():
        if os.environ.get("CI") or os.environ.get("BTG_REQUIRE_BROWSER") == "1":
            pytest.fail(why)
        pytest.skip(why)
    with opened_browser() as found:
        yield found
