"""The editions in a browser, on this machine only: each at an address of its own that stays.

/                     the pages of the edition that readers open
/2025-1/site/…        a file of an edition
/latest/…             the same file of the edition that readers open

Whatever else is in the output folder has no address: runs, sign-offs, hidden folders, and what a link leads to. Nothing
is kept between two requests, so a draft may be replaced while it is read.
"""

from __future__ import annotations

import errno
import os
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.staticfiles import NotModifiedResponse, StaticFiles

from reports import editions

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send
    from uvicorn import Server

LOCAL = "127.0.0.1"
SITE = "site"
_LATEST = "latest"
_HTML = "text/html; charset=utf-8"
_OFFICE = "application/vnd.openxmlformats-officedocument"
# Not of the system: what it knows differs from machine to machine. Anything else is bytes to keep.
_TYPES = {
    ".cff": "text/plain; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".docx": f"{_OFFICE}.wordprocessingml.document",
    ".gpkg": "application/geopackage+sqlite3",
    ".html": _HTML,
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".jsonld": "application/ld+json",
    ".md": "text/markdown; charset=utf-8",
    ".ods": "application/vnd.oasis.opendocument.spreadsheet",
    ".odt": "application/vnd.oasis.opendocument.text",
    ".parquet": "application/vnd.apache.parquet",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".pptx": f"{_OFFICE}.presentationml.presentation",
    ".svg": "image/svg+xml; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".xlsx": f"{_OFFICE}.spreadsheetml.sheet",
    ".zip": "application/zip",
    "": "text/plain; charset=utf-8",  # SHA256SUMS
}
_SECURITY = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_SEALED = "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
_OF_PAGES = f"default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; font-src 'self'; {_SEALED}"
# Pages that are complete in themselves: one file with its style in it, and no script.
_OF_QUALITY = f"default-src 'none'; style-src 'unsafe-inline'; {_SEALED}"
# The progress report carries its pictures within it too.
_OF_REPORTS = f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; {_SEALED}"
_WHOLE = {"quality": _OF_QUALITY, "report": _OF_REPORTS}  # folders of such pages
_OF_PICTURES = "default-src 'none'; style-src 'unsafe-inline'"
_AT_ONCE = 4 << 20  # bytes; larger files are sent in pieces
# A name within an edition: not hidden, no way up, and on Windows no other disk.
_PLAIN = re.compile(r"[^./\\:\x00-\x1f][^/\\:\x00-\x1f]*")
_RELATIVE = re.compile(r'\b(href|src)="(?![#/]|[a-z]+:)')
_CONDITIONS = StaticFiles(check_dir=False)
_NOT_FOUND = """\
<!doctype html>
<html lang="nl">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Niet gevonden</title></head>
<body><main><h1>Niet gevonden</h1><p>Op dit adres staat niets. <a href="/">Naar het begin</a></p>
<p lang="en">There is nothing at this address. <a href="/">To the start</a></p></main></body>
</html>
"""


class PortInUse(RuntimeError):  # noqa: N818 - says what is the matter
    """Another program listens on this port."""


def listen(port: int) -> socket.socket:
    """A socket for this machine only; 0 takes a free port. Raises PortInUse."""
    try:
        return socket.create_server((LOCAL, port))
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):  # the second is what Windows may say
            raise
        raise PortInUse(f"Port {port} is in use") from error


def address_of(listening: socket.socket) -> str:
    """Where a browser finds it, without / at its end."""
    return f"http://{LOCAL}:{listening.getsockname()[1]}"


def server(output: Path, listening: socket.socket) -> Server:
    """A server of the editions in `output`: run it with `run(sockets=[listening])`."""
    import uvicorn

    port = listening.getsockname()[1]
    return uvicorn.Server(
        uvicorn.Config(
            Editions(output, frozenset({f"{LOCAL}:{port}", f"localhost:{port}"})),
            lifespan="off",
            ws="none",
            log_level="error",
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=1,
        )
    )


@contextmanager
def served(output: Path) -> Iterator[str]:
    """The editions in `output`, served on a free port by a thread of this process; yields the address."""
    with listen(0) as listening:
        running = server(output, listening)
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            yield address_of(listening)
        finally:
            running.should_exit = True
            thread.join()


@dataclass(frozen=True)
class Editions:
    """Answers requests for files of the editions in `output`; `hosts` are the names it may be called by.

    A page elsewhere may let its own name lead here (DNS rebinding), and would then read what we answer.
    """

    output: Path
    hosts: frozenset[str]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message["headers"])
                headers.update(_SECURITY)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        response = await run_in_threadpool(self._answer, Request(scope))
        await response(scope, receive, send_safely)

    def _answer(self, request: Request) -> Response:
        if request.headers.get("host") not in self.hosts:
            return Response("This server answers to 127.0.0.1 and localhost only.\n", 421, media_type="text/plain")
        if request.method not in ("GET", "HEAD"):
            return Response("Only for reading.\n", 405, {"allow": "GET, HEAD"}, media_type="text/plain")
        path: str = request.scope["path"]
        if path != "/" and not all(_PLAIN.fullmatch(part) for part in path[1:].removesuffix("/").split("/")):
            return _missing()
        name, _, rest = path[1:].partition("/")
        if name in ("", _LATEST):
            return self._to_standing(rest)
        if name not in {*editions.finals(self.output), *editions.drafts(self.output)}:
            return _missing()
        if not rest:
            return _redirect(f"/{name}/{SITE}/")
        # The folder of editions may be a link to another disk; an edition, or a file in it, may not lead out of it.
        return _respond(request, (self.output / editions.EDITIONS).resolve() / name, rest)

    def _to_standing(self, rest: str) -> Response:
        name = editions.standing(self.output)
        return _missing() if name is None else _redirect(f"/{name}/{rest or f'{SITE}/'}")


def _respond(request: Request, folder: Path, rest: str) -> Response:
    """The file of an edition, word that the browser has it already, or what is said where there is none."""
    path = _found(folder, f"{rest}index.html" if rest.endswith("/") else rest)
    if path is None:
        return _redirect(f"/{folder.name}/{rest}/") if _found(folder, f"{rest}/index.html") else _missing(folder, rest)
    is_page = path.suffix == ".html"
    lasts = editions.FINAL.fullmatch(folder.name) and not is_page
    headers = {"cache-control": "public, max-age=31536000, immutable" if lasts else "no-cache"}
    if is_page:
        headers["content-security-policy"] = _WHOLE.get(rest.partition("/")[0], _OF_PAGES)
    elif path.suffix == ".svg":
        headers["content-security-policy"] = _OF_PICTURES
    kind = _TYPES.get(path.suffix, "application/octet-stream")
    # Read at once, so that facts and content are those of one file whatever takes its place meanwhile.
    with path.open("rb") as file:
        facts = os.fstat(file.fileno())
        content = file.read() if facts.st_size <= _AT_ONCE else None
    response = FileResponse(path, headers=headers, media_type=kind, stat_result=facts)
    if _CONDITIONS.is_not_modified(response.headers, request.headers):
        return NotModifiedResponse(response.headers)
    if content is None or "range" in request.headers:
        return response
    return Response(content, headers=response.headers)


def _found(folder: Path, rest: str) -> Path | None:
    """A file in the folder of an edition; None for what is none, or is a link to elsewhere."""
    try:
        path = (folder / rest).resolve(strict=True)
    except (OSError, RuntimeError):  # among them a name that is too long, and links in a circle
        return None
    return path if path.is_relative_to(folder) and path.is_file() else None


def _redirect(path: str) -> Response:
    return RedirectResponse(path, 302)


def _missing(folder: Path | None = None, rest: str = "") -> Response:
    """The edition's own page for what is missing, in the language of the page that was asked for; else a plain one."""
    site = f"{SITE}/en/" if rest.startswith(f"{SITE}/en/") else f"{SITE}/"
    page = folder and _found(folder, f"{site}404.html")
    if not folder or not page:
        return Response(_NOT_FOUND, 404, {"content-security-policy": _OF_PAGES}, media_type=_HTML)
    # It is shown at any address, so its links say from where they start.
    text = _RELATIVE.sub(rf'\1="/{folder.name}/{site}', page.read_text(encoding="utf-8"))
    return Response(text, 404, {"content-security-policy": _OF_PAGES}, media_type=_HTML)
