"""The pages of an edition, as everybody meets them: in a browser, by keyboard, on a telephone, from a folder."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pypdf import PdfReader

from pipelines.accessibility import audit, page_types
from pipelines.browser import DESKTOP, opened_tab
from pipelines.keyboard import keyboard_walk
from pipelines.serve import served
from reports import editions

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# Bytes of a page with its style, script and pictures: a second on a slow telephone connection of 2.4 Mbit/s.
WEIGHT = 300_000


@dataclass(frozen=True)
class Site:
    """The pages of the edition that the tests share, and where they are served."""

    folder: Path
    address: str
    pages: list[str]
    browser: Browser


@pytest.fixture(scope="module")
def site(edition: Path, browser: Browser) -> Iterator[Site]:
    name = editions.standing(edition)
    assert name is not None
    folder = editions.folder_of(edition, name) / "site"
    with served(edition) as address:
        yield Site(folder, f"{address}/{name}/site", page_types(folder), browser)


@pytest.fixture(scope="module")
def looked_at(site: Site) -> dict[str, Any]:
    """One page of every type in both languages, in all settings."""
    return audit(site.browser, site.address, site.pages)


def told(violations: list[dict[str, Any]]) -> str:
    return "\n".join(
        f"{one['page']} ({one['setting']}) {one['rule']} {one['target']}: {one['summary']}" for one in violations
    )


def test_both_languages_have_the_same_pages(site: Site) -> None:
    every = page_types(site.folder, every=True)
    dutch = [page for page in every if not page.startswith("en/")]
    assert [f"en/{page}" for page in dutch] == [page for page in every if page.startswith("en/")]
    assert {page.rpartition("/")[0] for page in dutch} == {"", "indicators", "regions"}


def test_no_page_breaks_a_rule_in_any_setting(looked_at: dict[str, Any]) -> None:
    """Neither one of axe-core nor one of ours: nothing asked elsewhere, no error, nothing wider than the window."""
    assert looked_at["violations"] == [], told(looked_at["violations"])


def test_no_table_is_cut_off_on_a_desktop(site: Site) -> None:
    """On a telephone one scrolls through a wide table; on a desk nobody looks for a column that is not there."""
    too_wide = "[...document.querySelectorAll('.scroll')].filter(table => table.scrollWidth > table.clientWidth).length"
    with opened_tab(site.browser, DESKTOP) as tab:
        cut_off = []
        for page in site.pages:
            tab.goto(f"{site.address}/{page}")
            cut_off += [page] * tab.evaluate(too_wide)
    assert cut_off == []


def test_no_page_is_heavy(looked_at: dict[str, Any]) -> None:
    weights = {entry["page"]: entry["bytes"] for entry in looked_at["pages"]}
    assert {page: size for page, size in weights.items() if size > WEIGHT} == {}
    assert min(weights.values()) > 0


def test_every_page_can_be_used_with_the_keyboard_alone(site: Site) -> None:
    # The languages differ in words only: all of one, and of the other the first page and one with a table.
    pages = [page for page in site.pages if not page.startswith("en/") or page in ("en/index.html", "en/compare.html")]
    with opened_tab(site.browser, DESKTOP) as tab:
        walks = [keyboard_walk(tab, site.address, page) for page in pages]
    assert [fault for walk in walks for fault in walk.violations] == []
    assert all(walk.skipped and walk.switched for walk in walks)
    assert [walk.page for walk in walks if walk.sorted], "no page has a table that sorts"


def test_the_page_on_cores_and_rural_prints_as_a_brief_of_one_page(site: Site) -> None:
    with opened_tab(site.browser, DESKTOP) as tab:
        tab.goto(f"{site.address}/cores-and-rural.html")
        printed = PdfReader(io.BytesIO(tab.pdf(prefer_css_page_size=True)))
    (page,) = printed.pages
    assert "Stedelijke kernen naast plattelandsgemeenten" in page.extract_text()


def test_the_progress_report_is_shown_in_its_own_style(site: Site) -> None:
    """It is one file, with its style in it: the policy of the server lets that be, and no script."""
    (report,) = (site.folder.parent / "report").glob("voortgangsrapportage-*.html")
    with opened_tab(site.browser, DESKTOP) as tab:
        refused: list[str] = []
        tab.on("console", lambda message: refused.append(message.text))
        tab.goto(f"{site.address}/programme.html")
        tab.click(f"main a[href$='{report.name}']")
        tab.wait_for_url(f"**/{report.name}")
        assert tab.evaluate("[...document.styleSheets].filter(sheet => sheet.cssRules.length).length") > 0
    assert refused == []


def test_pages_work_from_a_folder_too(site: Site) -> None:
    """On a memory stick there is no server."""
    pages = [page for page in site.pages if page.endswith("index.html")]
    found = audit(site.browser, site.folder.as_uri(), pages, [DESKTOP])
    assert found["violations"] == [], told(found["violations"])


@pytest.mark.parametrize(("missing", "lang"), [("indicators/none.html", "nl"), ("en/regions/a/b.html", "en")])
def test_a_page_that_is_not_there_is_said_in_the_style_of_the_others(site: Site, missing: str, lang: str) -> None:
    with opened_tab(site.browser, DESKTOP) as tab:
        answer = tab.goto(f"{site.address}/{missing}")
        assert answer is not None
        assert answer.status == 404
        assert tab.evaluate("document.documentElement.lang") == lang
        assert tab.evaluate("[...document.styleSheets].filter(sheet => sheet.cssRules.length).length") == 1
        assert tab.evaluate("[...document.images].every(picture => picture.naturalWidth > 0)")
        tab.click("main a")
        assert tab.title()
