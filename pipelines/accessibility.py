"""Whether everybody can use the pages and documents of an edition, by rules that a program can check.

Every page is opened as a desktop and a telephone show it, with forced colours (high contrast) and with dark colours,
and held against the rules of axe-core and a few of our own; then walked through with the keyboard alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.browser import DESKTOP, SETTINGS, NotTestable, Setting, Violation, opened_browser, opened_tab
from pipelines.keyboard import keyboard_walk
from pipelines.pdf_tags import pdf_faults
from pipelines.serve import SITE, served
from reports import editions

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page, Route

TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
# 320 CSS pixels are what is left of a window of 1280 that is enlarged four times (WCAG 1.4.10).
NARROW, LOW = 320, 256


@dataclass
class _Found:
    """What an audit gathers, a page at a time."""

    violations: list[Violation] = field(default_factory=list)
    undecided: Counter[str] = field(default_factory=Counter)
    pages: list[dict[str, Any]] = field(default_factory=list)
    axe: str = ""


def examine(output: Path, edition: str, *, every: bool = False) -> dict[str, Any]:
    """Look at an edition: what was tested, when and with what, and what is wrong. Raises NotTestable.

    `every`: all pages instead of one of every type; the keyboard walks through the latter only.
    """
    folder = editions.folder_of(output, edition)
    tested_at, sums = datetime.now(UTC).isoformat(timespec="seconds"), _sums_of(folder)
    sample, present = page_types(folder / SITE), page_types(folder / SITE, every=True)
    reports = [f"../{path.parent.name}/{path.name}" for path in sorted(folder.glob("report/*.html"))]
    pages = [*(present if every else sample), *reports]
    with served(output) as address, opened_browser() as browser:
        result = audit(browser, f"{address}/{edition}/{SITE}", pages)
        with opened_tab(browser, DESKTOP) as tab:
            walks = [keyboard_walk(tab, f"{address}/{edition}/{SITE}", page) for page in sample]
    documents = {path.relative_to(folder).as_posix(): pdf_faults(path) for path in sorted(folder.rglob("*.pdf"))}
    if _sums_of(folder) != sums:
        raise NotTestable(f"{edition} was replaced while it was looked at. Do it again")
    walked = [asdict(walk) for walk in walks]
    result["violations"] += [violation for walk in walked for violation in walk.pop("violations")]
    known = {
        "edition": edition,
        "sums_sha256": sums,
        "tested_at": tested_at,
        "pages_of_edition": len(present) + len(reports),
    }
    return known | result | {"keyboard": walked, "documents": documents}


def faults(result: Mapping[str, Any]) -> list[str]:
    """What was found to be wrong, a line each."""
    on_pages = [
        f"{one['page']} ({one['setting']}): {one['rule']}, {one['target']}: {one['summary'].splitlines()[0]}"
        for one in result["violations"]
    ]
    return on_pages + [f"{name}: {fault}" for name, found in result["documents"].items() for fault in found]


def _sums_of(folder: Path) -> str:
    return editions.sha256_of(folder / editions.SUMS)


def page_types(site: Path, *, every: bool = False) -> list[str]:
    """One page of every type in both languages, as paths within `site`; `every`: all pages.

    Of indicators and regions these are the index and the smallest and the largest page: the emptiest and the fullest.
    """
    if every:
        return sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html"))
    found = []
    for language in (site, site / "en"):
        found += sorted(language.glob("*.html"))
        for folder in (language / "indicators", language / "regions"):
            index = folder / "index.html"
            others = sorted({*folder.glob("*.html")} - {index}, key=lambda path: (path.stat().st_size, path.name))
            found += [path for path in (index, *others[:1], *others[1:][-1:]) if path.is_file()]
    return [path.relative_to(site).as_posix() for path in found]


# --- looking


def audit(
    browser: Browser, address: str, pages: Sequence[str], settings: Sequence[Setting] = SETTINGS
) -> dict[str, Any]:
    """Open all pages below `address` in all settings: what was tested and with what, and all violations."""
    found = _Found()
    for setting in settings:
        with opened_tab(browser, setting) as tab:
            watching = _Watch(setting, found)
            watching.attach(tab, address)
            for page in pages:
                watching.page = page
                tab.goto(f"{address}/{page}")
                _look(tab, page, setting, found)
    return {
        "axe_core": found.axe,
        "chromium": browser.version,
        "playwright": version("playwright"),
        "rules": list(TAGS),
        "settings": [asdict(setting) for setting in settings],
        "reflow_width": NARROW,
        "pages": found.pages,
        "undecided": dict(sorted(found.undecided.items())),
        "violations": [asdict(violation) for violation in found.violations],
    }


@dataclass
class _Watch:
    """Records what a page does while it is open: requests to elsewhere, which it stops, and errors."""

    setting: Setting
    found: _Found
    page: str = ""

    def attach(self, tab: Page, address: str) -> None:
        origin = "/".join(address.split("/")[:3])
        tab.context.route(re.compile(rf"^(?!{re.escape(origin)}/)"), self._elsewhere)
        tab.on("console", self._console)
        tab.on("pageerror", lambda error: self._add("script-error", "script", str(error)))

    def _elsewhere(self, route: Route) -> None:
        self._add("outside-request", route.request.url, f"asks {route.request.url} for a {route.request.resource_type}")
        route.abort()

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            is_policy = "Content Security Policy" in message.text
            where = message.location["url"]
            self._add("content-security-policy" if is_policy else "console-error", where, message.text)

    def _add(self, rule: str, target: str, summary: str) -> None:
        self.found.violations.append(Violation(rule, self.page, self.setting.name, target, summary))


def _look(tab: Page, page: str, setting: Setting, found: _Found) -> None:
    """Hold the page that is open against all rules; what does not depend on the setting only once."""
    facts = tab.evaluate("() => btg.facts()")
    found.violations += _axe(tab, page, setting, found)
    if setting is DESKTOP:
        found.violations += _basics(facts, page)
        found.pages.append({"page": page, "bytes": facts["bytes"], "paint_ms": facts["paint"]})
        tab.set_viewport_size({"width": NARROW, "height": LOW})
        wide = tab.evaluate("() => btg.wide()")
        tab.set_viewport_size({"width": setting.width, "height": setting.height})
        found.violations += [
            Violation("sideways-scroll", page, f"{NARROW} pixels wide", part, "is wider than the window")
            for part in wide
        ]


def _axe(tab: Page, page: str, setting: Setting, found: _Found) -> Iterator[Violation]:
    tab.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    result = tab.evaluate("tags => btg.rules(tags)", list(TAGS))
    found.axe = result["version"]
    # What axe leaves to a person to judge: how often, by rule.
    found.undecided.update(result["undecided"])
    for fault in result["violations"]:
        yield Violation(page=page, setting=setting.name, **fault)


def _basics(facts: Mapping[str, Any], page: str) -> Iterator[Violation]:
    """What a page has, whatever else it is: a language, a title, one main heading, words for every picture."""
    for source in facts["bare"]:
        yield Violation("picture-without-words", page, DESKTOP.name, f"img[src={source}]", "has an empty alt or none")
    for what in ("lang", "title"):
        if not facts[what]:
            yield Violation(f"no-{what}", page, DESKTOP.name, "html", f"has no {what}")
    if facts["headings"] != 1:
        yield Violation("one-main-heading", page, DESKTOP.name, "h1", f"has {facts['headings']} of them")
