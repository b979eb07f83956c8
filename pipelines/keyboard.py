"""Whether the pages of an edition can be used with the keyboard alone: walked through with Tab, as a person would."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipelines.browser import Violation

if TYPE_CHECKING:
    from playwright.sync_api import Page

SETTING = "keyboard"


@dataclass
class Walk:
    """A page walked through: at how many places Tab stopped, what was there to use, and what went wrong."""

    page: str
    stops: int = 0
    skipped: bool = False
    switched: bool = False
    sorted: bool = False
    violations: list[Violation] = field(default_factory=list)

    def wrong(self, rule: str, target: str, summary: str) -> None:
        """Note what is wrong."""
        self.violations.append(Violation(f"keyboard-{rule}", self.page, SETTING, target, summary))


def keyboard_walk(tab: Page, address: str, page: str) -> Walk:
    """Tab through a page; then use its skip link, its first button that sorts and its other language."""
    walk = Walk(page)
    for uses in ((_tab_through,), (_skip, _sort, _switch_language)):
        tab.goto(f"{address}/{page}")
        tab.evaluate("() => btg.prepare()")
        for use in uses:
            use(tab, walk)
    return walk


def _tab_through(tab: Page, walk: Walk) -> None:
    names: list[str] = tab.evaluate("() => btg.all.map(btg.name)")
    reached: list[int] = []
    # What only scrolls may be a stop too, and is none of those that must be reached.
    for focus in _stops(tab, 2 * len(names) + 10):
        if focus["place"] in reached:
            if len(reached) < len(names):
                walk.wrong("trap", focus["name"], "has the focus a second time, before everything was reached")
            break
        if focus["place"] >= 0:
            reached.append(focus["place"])
        if not focus["shown"]:
            walk.wrong("focus", focus["name"], "does not show that it has the focus")
        if not focus["seen"]:
            walk.wrong("hidden", focus["name"], "has the focus, and is out of view or covered")
    walk.stops = len(reached)
    for place in sorted({*range(len(names))} - {*reached}):
        walk.wrong("unreached", names[place], "cannot be reached with Tab")


def _skip(tab: Page, walk: Walk) -> None:
    """The first stop leads past the navigation: the next one lies in or behind its target, or there is none."""
    first = next(_stops(tab, 1), None)
    link = first["link"] if first else None
    if not link or not link.startswith("#"):
        walk.wrong("skip", first["name"] if first else "page", "the first stop is no link to the content")
        return
    tab.keyboard.press("Enter")
    tab.keyboard.press("Tab")
    walk.skipped = bool(tab.evaluate("identifier => btg.isBehind(identifier)", link[1:]))
    if not walk.skipped:
        walk.wrong("skip", link, "does not bring the focus to the content")


def _sort(tab: Page, walk: Walk) -> None:
    """The first button in the head of a column turns its rows round, with Enter and with the space bar."""
    button = tab.query_selector("th[aria-sort] button")
    if button is None:
        return
    button.focus()  # that Tab comes here, the walk has shown
    name = str(button.evaluate("button => btg.name(button)"))
    states = []
    for key in ("Enter", "Space"):
        tab.keyboard.press(key)
        states.append(button.evaluate("button => btg.column(button)"))
    walk.sorted = {state[0] for state in states} == {"ascending", "descending"}
    if not walk.sorted:
        walk.wrong(
            "sort", name, f"says {' and then '.join(str(state[0]) for state in states)} when it was pressed twice"
        )
    elif len(set(states[0][1:])) > 1 and states[0][1:] == states[1][1:]:
        walk.sorted = False
        walk.wrong("sort", name, "says that it sorts, and leaves the rows where they are")


def _switch_language(tab: Page, walk: Walk) -> None:
    link = tab.query_selector("body a[hreflang]")
    if link is None:
        walk.wrong("language", "page", "has no link to the other language")
        return
    other = walk.page.removeprefix("en/") if walk.page.startswith("en/") else f"en/{walk.page}"
    link.focus()
    name = str(link.evaluate("link => btg.name(link)"))
    with tab.expect_navigation():
        tab.keyboard.press("Enter")
    walk.switched = tab.url.endswith(f"/{other}")
    if not walk.switched:
        walk.wrong("language", name, f"leads to {tab.url}, not to {other}")


def _stops(tab: Page, limit: int) -> Iterator[dict[str, Any]]:
    """Where Tab stops, until it leaves the page."""
    for _ in range(limit):
        tab.keyboard.press("Tab")
        focus = _focus(tab)
        if focus is None:
            return
        yield focus


def _focus(tab: Page) -> dict[str, Any] | None:
    focus: dict[str, Any] | None = tab.evaluate("() => btg.focus()")
    return focus
