"""What the tests of pages find: every fault of a page made for it, and nothing on a sound page."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.accessibility import audit, page_types
from pipelines.browser import DESKTOP, SETTINGS, Setting, opened_tab
from pipelines.keyboard import Walk, keyboard_walk
from pipelines.serve import served
from tests.conftest import BTG

if TYPE_CHECKING:
    from playwright.sync_api import Browser

STYLE = """\
body { font: 1rem/1.5 sans-serif; color: #1a1a1a; background: #fff; margin: 1rem }
a, button { color: #003a8c; display: inline-block; min-height: 24px; min-width: 24px }
:focus-visible { outline: 3px solid #003a8c }
.skip { position: absolute; left: -99rem } .skip:focus { left: 1rem; background: #fff }
.pale { color: #bbb } .wide { width: 60rem } .no-ring:focus { outline: none }
@media (prefers-color-scheme: dark) { body, .skip:focus { color: #eee; background: #111 } a, button { color: #9cf }
  button { background: #222 } .only-dark { color: #222 } :focus-visible { outline-color: #9cf } }
"""
SORT = """\
for (const button of document.querySelectorAll('th button')) button.addEventListener('click', () => {
  const head = button.closest('th'), body = head.closest('table').tBodies[0]
  const up = head.getAttribute('aria-sort') !== 'ascending'
  head.setAttribute('aria-sort', up ? 'ascending' : 'descending')
  body.append(...[...body.rows].sort((a, b) => (up ? 1 : -1) * a.innerText.localeCompare(b.innerText)))
})
"""
PICTURE = "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><style>rect { fill: red }</style><rect/></svg>"
TABLE = """\
<table><thead><tr><th scope="col" aria-sort="none"><button type="button">Gemeente</button></th></tr></thead>
<tbody><tr><td>Almelo</td></tr><tr><td>Borne</td></tr></tbody></table>"""
CONTENT = f'<p>Tekst.</p><img src="picture.svg" alt="Een rood vlak." width="9" height="9">{TABLE}'


def page(content: str = CONTENT, *, head: str = "", foot: str = "", lang: str = "nl", skip: str = "#main") -> str:
    """A sound page, but for what is asked."""
    other, folder = ("en", "en/index.html") if lang == "nl" else ("nl", "../index.html")
    up = "" if lang == "nl" else "../"
    return f"""\
<!doctype html>
<html lang="{lang}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Proef</title><link rel="stylesheet" href="{up}style.css"><script src="{up}sort.js" defer></script>{head}</head>
<body><a class="skip" href="{skip}">Naar de inhoud</a>
<header><nav aria-label="Menu"><a href="#main">Cijfers</a> <a href="{folder}" hreflang="{other}" lang="{other}">Other
</a></nav></header><main id="main" tabindex="-1"><h1>Proef</h1>{content}</main>{foot}</body></html>
"""


@dataclass(frozen=True)
class Site:
    """A served site that tests write pages into."""

    folder: Path
    address: str
    browser: Browser

    def write(self, name: str, text: str) -> str:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return name

    def audit(self, *pages: str, settings: Sequence[Setting] = (DESKTOP,)) -> dict[str, Any]:
        return audit(self.browser, self.address, pages, settings)

    def walk(self, name: str, text: str) -> tuple[Walk, dict[str, list[str]]]:
        """What a walk finds, and what is wrong: summaries by rule."""
        with opened_tab(self.browser, DESKTOP) as tab:
            walk = keyboard_walk(tab, self.address, self.write(name, text))
        return walk, by_rule([{"rule": fault.rule, "summary": fault.target} for fault in walk.violations])


def by_rule(violations: list[dict[str, Any]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for violation in violations:
        found.setdefault(violation["rule"], []).append(violation["summary"])
    return found


def start(output: Path) -> Path:
    """The folder for the pages of a draft that has nothing else."""
    folder = output / "editions" / "2025-draft" / "site"
    folder.mkdir(parents=True)
    for name in ("btg.duckdb", "SHA256SUMS"):
        (folder.parent / name).touch()
    return folder


@pytest.fixture(scope="module")
def site(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    output = tmp_path_factory.mktemp("site") / "output"
    folder = start(output)
    with served(output) as address:
        site = Site(folder, f"{address}/2025-draft/site", browser)
        site.write("style.css", STYLE)
        site.write("sort.js", SORT)
        site.write("picture.svg", PICTURE)
        site.write("index.html", page())
        site.write("en/index.html", page("<p>Text.</p>", lang="en"))
        yield site


def test_a_sound_page_has_no_faults(site: Site) -> None:
    found = site.audit("index.html", "en/index.html", settings=SETTINGS)
    assert found["violations"] == []
    assert [entry["page"] for entry in found["pages"]] == ["index.html", "en/index.html"]
    assert found["axe_core"].startswith("4.")
    assert found["chromium"]
    assert [setting["name"] for setting in found["settings"]] == ["desktop", "phone", "forced colours", "dark"]


def test_letters_have_a_shape(site: Site) -> None:
    """Without any font all of them are equally wide: then contrast and width of pages are tested for nothing."""
    with opened_tab(site.browser, DESKTOP) as tab:
        tab.set_content("<span>WWWW</span> <span>iiii</span>")
        wide, narrow = tab.evaluate("[...document.querySelectorAll('span')].map(part => part.offsetWidth)")
    assert wide > narrow > 0


def test_a_page_weighs_what_was_loaded_for_it(site: Site) -> None:
    late = site.write("late.html", page(CONTENT.replace("<img", '<p class="tall"></p><img loading="lazy"')))
    weights = {entry["page"]: entry["bytes"] for entry in site.audit("index.html", late)["pages"]}
    for name in ("index.html", late):
        text = (site.folder / name).read_text()
        assert weights[name] == sum(len(part.encode()) for part in (text, STYLE, SORT, PICTURE))


def test_every_fault_is_found_where_it_is(site: Site) -> None:
    broken = """\
<img src="picture.svg"><img src="picture.svg" alt=""><p class="pale">Bleek.</p><h1>Nog een</h1>
<p class="wide">Breed.</p><img src="{elsewhere}" alt="Van elders."><img src="none.svg" alt="Er niet.">
<p class="only-dark">Niet te lezen in het donker.</p><p style="color: red">Met stijl.</p>
<svg role="img" aria-label="x" width="5" height="5"><a href="#" onclick="alert(1)"><text>x</text></a></svg>"""
    name = site.write(
        "broken.html",
        page(broken.format(elsewhere="http://127.0.0.1:9/pixel.png"), head="<script>document.title = 'x'</script>"),
    )
    violations = site.audit(name, settings=SETTINGS)["violations"]
    assert {violation["page"] for violation in violations} == {name}
    found = by_rule(violations)
    assert "127.0.0.1:9" in " ".join(found["content-security-policy"])
    assert "script" in " ".join(found["content-security-policy"])
    assert "style" in " ".join(found["content-security-policy"])
    assert "404" in " ".join(found["console-error"])
    assert found["image-alt"]
    assert len(found["picture-without-words"]) == 2
    assert found["one-main-heading"] == ["has 2 of them"]
    assert found["sideways-scroll"]
    settings = {violation["setting"] for violation in violations if violation["rule"] == "color-contrast"}
    assert {"desktop", "dark"} <= settings
    dark = [one for one in violations if one["rule"] == "color-contrast" and "only-dark" in one["target"]]
    assert {one["setting"] for one in dark} == {"dark"}


def test_a_page_that_asks_elsewhere_is_stopped_and_named(site: Site) -> None:
    """The policy of the server stops it too, so this one is opened without: as a page that is read from a folder."""
    name = site.write("asks.html", page('<img src="http://127.0.0.1:9/pixel.png" alt="Van elders.">'))
    found = by_rule(audit(site.browser, site.folder.as_uri(), [name], [DESKTOP])["violations"])
    assert len(found["outside-request"]) == 1
    assert "http://127.0.0.1:9/pixel.png" in found["outside-request"][0]


def test_a_page_without_language_and_title_is_found(site: Site) -> None:
    name = site.write("bare.html", page().replace(' lang="nl"', "", 1).replace("<title>Proef</title>", ""))
    assert {"no-lang", "no-title", "html-has-lang", "document-title"} <= by_rule(site.audit(name)["violations"]).keys()


def test_the_keyboard_gets_everywhere_on_a_sound_page(site: Site) -> None:
    walk, wrong = site.walk("index.html", page())
    assert wrong == {}
    assert (walk.stops, walk.skipped, walk.sorted, walk.switched) == (4, True, True, True)
    walk, wrong = site.walk("en/index.html", page("<p>Text.</p>", lang="en"))
    assert wrong == {}
    assert (walk.stops, walk.sorted, walk.switched) == (3, False, True)


TRAP = """<a href="#a" class="trap">vast</a><script src="trap.js" defer></script><a href="#b">hierna</a>"""
COVER = '<a href="#a">bedekt</a><div class="cover"></div><link rel="stylesheet" href="cover.css">'


@pytest.mark.parametrize(
    ("rule", "text"),
    {
        "keyboard-focus": page('<a href="#a" class="no-ring">zonder rand</a>'),
        "keyboard-trap": page(TRAP),
        "keyboard-unreached": page(TRAP),
        "keyboard-hidden": page(COVER),
        "keyboard-skip": page(skip="#none"),
        "keyboard-language": page().replace(' hreflang="en"', ""),
        "keyboard-sort": page().replace("sort.js", "half.js"),
    }.items(),
)
def test_what_the_keyboard_cannot_do_is_found(site: Site, rule: str, text: str) -> None:
    site.write("trap.js", "document.querySelector('.trap').addEventListener('keydown', e => e.preventDefault())")
    site.write("half.js", "document.querySelector('th').setAttribute('aria-sort', 'ascending')")
    site.write("cover.css", ".cover { position: fixed; inset: 0; background: #fff }")
    _, wrong = site.walk(f"{rule}.html", text)
    assert rule in wrong, wrong


def test_the_other_language_is_that_of_the_same_page(site: Site) -> None:
    walk, wrong = site.walk("about.html", page())
    assert list(wrong) == ["keyboard-language"]
    assert "not to en/about.html" in walk.violations[0].summary


def test_a_page_of_every_type_is_taken_in_both_languages(tmp_path: Path) -> None:
    for language in ("", "en/"):
        for name, size in {
            "index": 1,
            "404": 1,
            "indicators/index": 9,
            "indicators/income": 3,
            "indicators/health": 2,
            "indicators/labour": 1,
            "regions/index": 1,
            "regions/GM0153": 5,
        }.items():
            path = tmp_path / f"{language}{name}.html"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("x" * size)
    dutch = [
        *("404.html", "index.html"),
        *("indicators/index.html", "indicators/labour.html", "indicators/income.html"),
        *("regions/index.html", "regions/GM0153.html"),
    ]
    assert page_types(tmp_path) == [*dutch, *(f"en/{name}" for name in dutch)]
    assert len(page_types(tmp_path, every=True)) == 16


# --- btg accessibility


def btg_accessibility(output: Path, path: str | None = None) -> subprocess.CompletedProcess[str]:
    """In a process of its own: two of Playwright do not go into one. `path`: where programs are found."""
    environment = {**os.environ, "COLUMNS": "200"}
    if path is not None:
        environment = {name: value for name, value in environment.items() if name != "BTG_CHROMIUM"} | {"PATH": path}
    command = [str(BTG), "accessibility", "--output", str(output)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_what_was_tested_stands_beside_the_edition(site: Site, tmp_path: Path) -> None:
    folder = start(tmp_path)
    for name, text in {"style.css": STYLE, "sort.js": SORT, "picture.svg": PICTURE, "index.html": page()}.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "en").mkdir()
    (folder / "en" / "index.html").write_text(page("<p>Text.</p>", lang="en"), encoding="utf-8")
    before = sorted(folder.parent.rglob("*"))

    ended = btg_accessibility(tmp_path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    file = tmp_path / "editions" / "2025-draft.accessibility.json"
    assert f"2 of 2 pages, each in 4 settings, 2 of them by keyboard, and 0 PDF: no faults. {file}" in ended.stdout
    found = json.loads(file.read_text())
    assert found["edition"] == "2025-draft"
    assert found["axe_core"].startswith("4.")
    assert {"tested_at", "chromium", "rules", "settings", "reflow_width", "sums_sha256"} <= found.keys()
    assert sorted(folder.parent.rglob("*")) == before

    (folder / "en" / "index.html").unlink()
    (folder / "index.html").write_text(page('<img src="picture.svg">'), encoding="utf-8")
    ended = btg_accessibility(tmp_path)
    assert ended.returncode == 1
    assert "index.html (desktop): image-alt, img: " in ended.stdout
    assert "picture-without-words" in {one["rule"] for one in json.loads(file.read_text())["violations"]}


def test_without_a_browser_one_message_says_how_to_get_it(tmp_path: Path) -> None:
    (start(tmp_path) / "index.html").write_text(page(), encoding="utf-8")
    ended = btg_accessibility(tmp_path, path=str(tmp_path))
    assert ended.returncode == 1
    assert "apt-get install chromium" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_an_edition_without_pages_has_nothing_to_look_at(tmp_path: Path) -> None:
    start(tmp_path)
    ended = btg_accessibility(tmp_path)
    assert ended.returncode == 1
    assert "There are no pages of 2025-draft" in ended.stderr
