"""`btg ui` is for this machine only, unless somebody says otherwise: then it says what that means.

`btg serve` is for this machine only, whatever anybody says, and gives nothing but files of editions.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import httpx
import pytest

from pipelines.dead_runs import OUTPUT_TAG
from pipelines.serve import served
from reports.edition_folder import beside, replace_folder
from reports.output_lock import hold
from tests.conftest import BTG

if TYPE_CHECKING:
    from tests.pipelines.conftest import Btg


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that are run in place of Dagster."""
    commands: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)
    return commands


def address(started: list[list[str]]) -> tuple[str, str]:
    """Where Dagster was told to listen."""
    (command,) = started
    assert command[:3] == [sys.executable, "-m", "dagster"]
    assert command.count("-h") == command.count("-p") == 1
    return command[command.index("-h") + 1], command[command.index("-p") + 1]


def test_the_interface_listens_on_this_machine_only(btg: Btg, started: list[list[str]], tmp_path: Path) -> None:
    result = btg("ui", "--output", tmp_path)
    assert result.exit_code == 0, result.output
    assert address(started) == ("127.0.0.1", "3000")
    assert "http://127.0.0.1:3000" in result.stderr
    assert "password" not in result.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "btg.example.org"])  # noqa: S104
def test_who_lets_others_in_is_told_what_they_can_do(
    btg: Btg, started: list[list[str]], tmp_path: Path, host: str
) -> None:
    result = btg("ui", "--host", host, "--port", "3001", "--output", tmp_path)
    assert address(started) == (host, "3001")
    said = " ".join(result.stderr.split())
    assert f"Everybody who can reach {host}:3001 can start runs and publish: there is no password" in said


def test_a_run_that_was_killed_does_not_keep_those_of_the_interface_waiting(
    btg: Btg, started: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dagster starts one run at a time, and does not see that the process of this one is gone."""

    @dg.job
    def nothing() -> None: ...

    output = tmp_path / "output"
    output.mkdir()
    (tmp_path / "history").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "history")) as instance:
        run = instance.create_run_for_job(nothing, tags={OUTPUT_TAG: str(output)}, status=dg.DagsterRunStatus.STARTED)
        monkeypatch.setattr(dg.DagsterInstance, "get", lambda: nullcontext(instance))
        with ThreadPoolExecutor(1) as another:
            busy = hold(output, "another run")
            another.submit(busy.__enter__).result()
            assert btg("ui", "--output", output).exit_code == 0
            alive = instance.get_run_by_id(run.run_id)
            another.submit(busy.__exit__, None, None, None).result()
        assert btg("ui", "--output", output).exit_code == 0
        ended = instance.get_run_by_id(run.run_id)
    assert alive is not None
    assert alive.status is dg.DagsterRunStatus.STARTED
    assert ended is not None
    assert ended.status is dg.DagsterRunStatus.FAILURE


# --- btg serve

PAGE = "<!doctype html><html><head><title>x</title></head></html>"
MISSING = """<!doctype html><html><head><title>Niet gevonden</title><link href="style.css"></head>
<body><a href="#content">x</a><a href="index.html">x</a><a href="/x">x</a><img src="charts/x.svg"></body></html>"""
CONTENT = {
    "site/index.html": PAGE,
    "site/404.html": MISSING,
    "site/en/index.html": PAGE,
    "site/en/404.html": MISSING.replace("Niet gevonden", "Not found"),
    "site/style.css": "body { color: black }",
    "site/sort.js": "// sorts",
    "site/charts/income_dots.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
    "quality/index.html": PAGE,
    "csv/indicator_value.csv": "gemeente;waarde\nHof van Twente ×;1\n",
    "parquet/indicator_value.parquet": "PAR1",
    "report/verslag.pdf": "%PDF-1.7",
    "report/verslag.docx": "PK",
    "report/verslag.odt": "PK",
    "report/verslag.pptx": "PK",
    "report/verslag.html": "<!doctype html>",
    "btg.xlsx": "PK",
    "btg.ods": "PK",
    "btg.gpkg": "SQLite format 3",
    "btg.duckdb": "0123456789",
    "provenance.json": "{}",
    "SHA256SUMS": "",
    ".hidden": "secret",
}


def add_edition(output: Path, name: str) -> Path:
    """An edition of few small files."""
    folder = output / "editions" / name
    for inner, text in CONTENT.items():
        (folder / inner).parent.mkdir(parents=True, exist_ok=True)
        (folder / inner).write_text(text, encoding="utf-8")
    return folder


@dataclass(frozen=True)
class Serving:
    """`btg serve` in a process of its own."""

    output: Path
    port: int
    process: subprocess.Popen[str]
    said: str

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx.get(f"{self.address}{path}", headers=named)

    def raw(self, target: str, method: str = "GET") -> str:
        """The whole answer to a request of exactly this target: a client would tidy it up."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            request = f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nConnection: close\r\n\r\n"
            connection.sendall(request.encode())
            return b"".join(iter(lambda: connection.recv(65536), b"")).decode()


@contextmanager
def btg_serve(output: Path) -> Iterator[Serving]:
    """`btg serve` on a free port, ended with Ctrl-C unless that was done."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [str(BTG), "serve", "--port", str(port), "--output", str(output)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = process.stderr.readline()
        try:
            yield Serving(output, port, process, said)
        finally:
            process.kill()


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Editions 2024-1, 2025-1 (which readers open) and a draft, beside things that are nobody's business."""
    output = tmp_path_factory.mktemp("served") / "output"
    for name in ("2024-1", "2025-1", "2025-draft", ".2025-draft.building"):
        add_edition(output, name)
    # Copied there half-way: no checksums.
    (add_edition(output, "2025-2") / "SHA256SUMS").unlink()
    (output / "editions" / "2025-1.state.json").write_text("{}")
    (output / "editions" / "2025-1.state.json.html").write_text(PAGE)
    (output / "last_run").mkdir()
    (output / "last_run" / "sources.json").write_text("secret")
    (output / "secret.html").write_text("secret")
    draft = output / "editions" / "2025-draft"
    (draft / "site" / "out.html").symlink_to(output / "secret.html")
    (draft / "site" / "folder").symlink_to(output)
    (draft / "site" / "circle.html").symlink_to(draft / "site" / "circle.html")
    (output / "editions" / "2023-1").symlink_to(output / "last_run")
    with btg_serve(output) as found:
        yield found


def test_the_start_is_the_edition_that_readers_open(serving: Serving) -> None:
    assert serving.address in serving.said
    for path, target in {
        "/": "/2025-1/site/",
        "/latest": "/2025-1/site/",
        "/latest/": "/2025-1/site/",
        "/latest/site/en/": "/2025-1/site/en/",
        "/latest/btg.xlsx": "/2025-1/btg.xlsx",
        "/latest/site/charts/income_dots.svg?x=1": "/2025-1/site/charts/income_dots.svg",
        "/2024-1": "/2024-1/site/",
        "/2024-1/": "/2024-1/site/",
        "/2024-1/site": "/2024-1/site/",
        "/2024-1/site/en": "/2024-1/site/en/",
    }.items():
        answer = serving.get(path)
        assert (answer.status_code, answer.headers["location"]) == (302, target), path
        assert answer.headers["cache-control"] == "no-store"
    assert serving.get("/2024-1/site/").text == PAGE


OFFICE = "application/vnd.openxmlformats-officedocument"


@pytest.mark.parametrize(
    ("path", "kind"),
    {
        "site/index.html": "text/html; charset=utf-8",
        "site/style.css": "text/css; charset=utf-8",
        "site/sort.js": "text/javascript; charset=utf-8",
        "site/charts/income_dots.svg": "image/svg+xml; charset=utf-8",
        "csv/indicator_value.csv": "text/csv; charset=utf-8",
        "parquet/indicator_value.parquet": "application/vnd.apache.parquet",
        "report/verslag.pdf": "application/pdf",
        "report/verslag.docx": f"{OFFICE}.wordprocessingml.document",
        "report/verslag.pptx": f"{OFFICE}.presentationml.presentation",
        "report/verslag.html": "text/html; charset=utf-8",
        "report/verslag.odt": "application/vnd.oasis.opendocument.text",
        "btg.xlsx": f"{OFFICE}.spreadsheetml.sheet",
        "btg.ods": "application/vnd.oasis.opendocument.spreadsheet",
        "btg.gpkg": "application/geopackage+sqlite3",
        "btg.duckdb": "application/octet-stream",
        "provenance.json": "application/json",
        "SHA256SUMS": "text/plain; charset=utf-8",
    }.items(),
)
def test_every_file_of_an_edition_has_its_type(serving: Serving, path: str, kind: str) -> None:
    answer = serving.get(f"/2025-1/{path}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
    assert answer.content.decode("utf-8") == CONTENT[path]


def test_pages_may_load_what_is_here_and_nothing_else(serving: Serving) -> None:
    policy = {
        path: serving.get(f"/2025-1/{path}").headers.get("content-security-policy")
        for path in (
            *("site/index.html", "site/charts/income_dots.svg", "quality/index.html"),
            *("report/verslag.html", "report/verslag.pdf"),
        )
    }
    sealed = "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    assert policy == {
        "site/index.html": "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; font-src 'self'; "
        + sealed,
        "site/charts/income_dots.svg": "default-src 'none'; style-src 'unsafe-inline'",
        "quality/index.html": f"default-src 'none'; style-src 'unsafe-inline'; {sealed}",
        "report/verslag.html": f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; {sealed}",
        "report/verslag.pdf": None,
    }


@pytest.mark.parametrize("path", ["/", "/2025-1/site/", "/2025-1/btg.duckdb", "/2025-1/none", "/../x"])
def test_every_answer_is_closed_to_other_sites(serving: Serving, path: str) -> None:
    headers = serving.get(path, range="bytes=99-").headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]
    assert "server" not in headers


def test_what_never_changes_is_kept_by_the_browser_and_nothing_else(serving: Serving) -> None:
    kept = "public, max-age=31536000, immutable"
    for path, caching in {
        "2025-1/site/style.css": kept,
        "2025-1/site/charts/income_dots.svg": kept,
        "2025-1/btg.duckdb": kept,
        "2025-1/site/": "no-cache",
        "2025-1/quality/index.html": "no-cache",
        "2025-draft/site/": "no-cache",
        "2025-draft/site/style.css": "no-cache",
        "2025-1/site/none.html": "no-store",
    }.items():
        assert serving.get(f"/{path}").headers["cache-control"] == caching, path


def test_what_the_browser_has_is_not_sent_again(serving: Serving) -> None:
    path = "/2025-draft/site/index.html"
    first = serving.get(path)
    for condition in (
        {"if_none_match": first.headers["etag"]},
        {"if_modified_since": first.headers["last-modified"]},
    ):
        again = serving.get(path, **condition)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
    assert serving.get(path, if_none_match='"another"').status_code == 200


def test_a_part_of_a_large_file_can_be_asked_for(serving: Serving) -> None:
    part = serving.get("/2025-1/btg.duckdb", range="bytes=2-4")
    assert (part.status_code, part.text, part.headers["content-range"]) == (206, "234", "bytes 2-4/10")
    assert serving.get("/2025-1/btg.duckdb", range="bytes=-3").text == "789"
    assert serving.get("/2025-1/btg.duckdb", range="bytes=99-").status_code == 416


@pytest.mark.parametrize("path", ["/2025-1/btg.duckdb", "/2025-1/site/", "/2025-1/none", "/"])
def test_the_head_is_that_of_the_whole_answer_without_it(serving: Serving, path: str) -> None:
    whole, head = serving.get(path), httpx.head(f"{serving.address}{path}")
    assert head.content == b""
    assert head.status_code == whole.status_code
    differing = {"date"}
    assert {k: v for k, v in head.headers.items() if k not in differing} == {
        k: v for k, v in whole.headers.items() if k not in differing
    }


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
def test_there_is_nothing_to_do_but_read(serving: Serving, method: str) -> None:
    answer = httpx.request(method, f"{serving.address}/2025-draft/site/index.html")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    ("path", "title", "start"),
    [
        ("/2025-1/site/indicators/none.html", "Niet gevonden", "/2025-1/site/"),
        ("/2025-1/csv/", "Niet gevonden", "/2025-1/site/"),
        ("/2024-1/site/en/regions/none.html", "Not found", "/2024-1/site/en/"),
    ],
)
def test_what_is_missing_is_said_by_the_edition_with_links_that_work_there(
    serving: Serving, path: str, title: str, start: str
) -> None:
    answer = serving.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert f"<title>{title}</title>" in answer.text
    targets = re.findall('(?:href|src)="([^"]*)"', answer.text)
    assert targets == [f"{start}style.css", "#content", f"{start}index.html", "/x", f"{start}charts/x.svg"]


@pytest.mark.parametrize(
    "target",
    [
        "/none",
        "/2025-9/site/index.html",
        "/2025-2/site/index.html",
        "/2023-1/sources.json",
        "/.2025-draft.building/site/index.html",
        "/2025-1.state.json",
        "/2025-1.state.json.html",
        "/last_run/sources.json",
        "/editions/2025-1/site/index.html",
        "/btg.duckdb",
        "/2025-draft/.hidden",
        "/2025-draft/site/out.html",
        "/2025-draft/site/folder/secret.html",
        "/2025-draft/site/folder/",
        "/2025-draft/site/circle.html",
        "/2025-draft/site/",
        "/../secret.html",
        "/2025-draft/../../secret.html",
        "/2025-draft/site/../index.html",
        "/%2e%2e/secret.html",
        "/2025-draft/%2e%2e/%2e%2e/secret.html",
        "/2025-draft/..%2f..%2fsecret.html",
        "/2025-draft/..%5c..%5csecret.html",
        "/2025-draft/%252e%252e/%252e%252e/secret.html",
        "//etc/passwd",
        "/2025-draft//etc/passwd",
        "/2025-draft/%2fetc%2fpasswd",
        "/2025-draft/site/index.html%00.css",
        "/2025-draft/c:/secret.html",
        "/2025-draft/%ff%fe",
        f"/2025-draft/{'x' * 300}",
        "/latest/../../secret.html",
        "/latest//example.org",
        "http://example.org/secret.html",
    ],
)
def test_nothing_else_of_the_output_folder_has_an_address(serving: Serving, target: str) -> None:
    answer = serving.raw(target)
    wanted = " 200 " if target == "/2025-draft/site/" else " 404 "
    assert wanted in answer.partition("\r\n")[0], answer
    assert "secret" not in answer.partition("\r\n\r\n")[2]
    assert "root:" not in answer


@pytest.mark.parametrize(
    "host", ["example.org", "127.0.0.1", "127.0.0.1:1", "localhost.example.org:{port}", "[::1]:{port}"]
)
def test_a_name_that_somebody_lets_lead_here_is_not_answered(serving: Serving, host: str) -> None:
    answer = serving.get("/2025-1/site/", host=host.format(port=serving.port))
    assert answer.status_code == 421
    assert PAGE not in answer.text
    assert serving.get("/2025-1/site/", host=f"localhost:{serving.port}").text == PAGE


def test_no_other_machine_can_reach_it(serving: Serving) -> None:
    """The whole of 127.0.0.0/8 is this machine: who listens on all addresses answers at each of them."""
    for other in ("127.0.0.2", "::1"):
        with pytest.raises(OSError, match=r"refused|assign|unreachable|not supported"):
            socket.create_connection((other, serving.port), timeout=2)


def test_a_port_in_use_is_said_with_another_one(btg: Btg, serving: Serving) -> None:
    result = btg("serve", "--port", str(serving.port), "--output", serving.output)
    assert result.exit_code == 1
    assert f"Port {serving.port} is in use: btg serve --port {serving.port + 1}" in result.stderr


def test_without_an_edition_there_is_nothing_to_serve(btg: Btg, tmp_path: Path) -> None:
    result = btg("serve", "--output", tmp_path)
    assert result.exit_code == 1
    assert f"There is no edition in {tmp_path} yet. Make one with: btg measure --demo" in result.stderr


def test_there_is_no_way_to_let_others_in(btg: Btg, tmp_path: Path) -> None:
    result = btg("serve", "--host", "0.0.0.0", "--output", tmp_path)  # noqa: S104
    assert result.exit_code == 2
    assert "btg serve --port 8001" in btg("serve", "--help").output


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot send Ctrl-C to another process")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 143)])
def test_it_ends_when_asked(tmp_path: Path, number: signal.Signals, code: int) -> None:
    add_edition(tmp_path, "2025-draft")
    with btg_serve(tmp_path) as serving:
        serving.get("/2025-draft/site/")
        serving.process.send_signal(number)
        said = serving.process.communicate(timeout=20)[1]
    assert serving.process.returncode == code, said
    assert "Traceback" not in said


def test_a_draft_may_be_replaced_while_it_is_read(tmp_path: Path) -> None:
    """Of another length every time: a reader gets the old page or the new one."""
    add_edition(tmp_path, "2025-draft")
    draft = tmp_path / "editions" / "2025-draft"
    done = threading.Event()

    def replace() -> None:
        for turn in range(30):
            new = beside(draft, "building")
            (new / "site").mkdir(parents=True)
            (new / "btg.duckdb").touch()
            (new / "site" / "index.html").write_text(PAGE + "x" * turn)
            replace_folder(new, draft)
        done.set()

    with served(tmp_path) as address, ThreadPoolExecutor(1) as pool, httpx.Client() as client:
        running = pool.submit(replace)
        pages = set()
        while not done.is_set() and not running.done():
            answer = client.get(f"{address}/2025-draft/site/index.html")
            assert answer.status_code == 200
            pages.add(answer.text)
        running.result()
        last = client.get(f"{address}/2025-draft/site/index.html").text
    assert last == PAGE + "x" * 29
    assert all(page.rstrip("x") == PAGE for page in pages)
