"""A browser without a window, for looking at pages of this machine: Chromium, driven by Playwright.

Needs Chromium and what `make check` installs; nothing that is published depends on it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SECONDS = 60
_NAMES = ("chromium", "chromium-browser", "google-chrome")
# Playwright turns off what a browser fetches for itself; this makes sure that no name leads anywhere.
_SEALED = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"


class NotTestable(RuntimeError):  # noqa: N818 - says what is the matter
    """What is needed to look at pages in a browser is missing: what, and how to get it."""


@dataclass(frozen=True)
class Setting:
    """How a page is looked at."""

    name: str
    width: int = 1280
    height: int = 900
    is_mobile: bool = False
    forced_colors: Literal["active", "none"] = "none"
    color_scheme: Literal["dark", "light"] = "light"


DESKTOP = Setting("desktop")
SETTINGS = (
    DESKTOP,
    Setting("phone", width=360, height=740, is_mobile=True),
    Setting("forced colours", forced_colors="active"),
    Setting("dark", color_scheme="dark"),
)


@dataclass(frozen=True)
class Violation:
    """What is wrong on a page: a rule of axe-core or of our own, in which setting, and where on the page."""

    rule: str
    page: str
    setting: str
    target: str
    summary: str
    impact: str = "serious"


def chromium() -> str | None:
    """The Chromium of this machine: BTG_CHROMIUM, else one on the path."""
    named = os.environ.get("BTG_CHROMIUM")
    return named or next((path for name in _NAMES if (path := shutil.which(name))), None)


def missing() -> str | None:
    """What is missing to look at pages, and how to get it, in a sentence; None where nothing is."""
    if not all(find_spec(name) for name in ("playwright", "axe_playwright_python", "pikepdf")):
        return "The packages that look at pages and PDF are not installed: make check installs them"
    if chromium() is None:
        return "There is no Chromium here. On Debian: apt-get install chromium; elsewhere name one in BTG_CHROMIUM"
    return None


@contextmanager
def opened_browser() -> Iterator[Browser]:
    """Chromium without a window, that reaches nothing but this machine. Raises NotTestable."""
    if why := missing():
        raise NotTestable(why)
    from playwright.sync_api import Error, sync_playwright

    # The sandbox of the browser does not work for root.
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    with sync_playwright() as driver:
        try:
            browser = driver.chromium.launch(executable_path=chromium(), chromium_sandbox=not is_root, args=[_SEALED])
        except Error as error:
            raise NotTestable(
                f"{chromium()} does not start: {error.message.partition('Call log')[0].strip()}"
            ) from error
        with browser:
            yield browser


@contextmanager
def opened_tab(browser: Browser, setting: Setting) -> Iterator[Page]:
    """A page of the browser in this setting."""
    context = browser.new_context(
        viewport={"width": setting.width, "height": setting.height},
        is_mobile=setting.is_mobile,
        has_touch=setting.is_mobile,
        forced_colors=setting.forced_colors,
        color_scheme=setting.color_scheme,
        service_workers="block",
    )
    context.add_init_script(path=Path(__file__).with_suffix(".js"))
    context.set_default_timeout(SECONDS * 1000)
    with context:
        yield context.new_page()
