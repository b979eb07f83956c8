"""The static site of an edition, in Dutch and English: works from a web server, from a folder and from a USB stick.

One way through: rows of the edition (`reports.view`) → what a page shows (`pages`) → templates and pictures → files. No
page names an address outside the edition.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from catalog.model import Indicator, Theme
from reports.charts import sheet
from reports.charts.labels import chart_labels
from reports.charts.story import ChartTables, Story, capitalised, story_of
from reports.claims.programme import TOTAL
from reports.editions import DRAFT
from reports.progress import Scope
from reports.site import pictures
from reports.site.alt import Alt
from reports.site.markup import Marks
from reports.site.pages import DOWNLOADS, Page, has_any_values, menu, pages, with_values
from reports.site.programme import DRAWN, PAGE, PICTURE, has_programme, money_bars, money_of_lines, money_texts
from reports.tables import as_csv_columns
from reports.view import View
from reports.words import LANGUAGES, Words, texts

if TYPE_CHECKING:
    from jinja2 import Environment

_HERE: Final = Path(__file__).parent
_COPIED: Final = ("style.css", "sort.js", "icon.svg")
_PIXELS: Final = 96  # of a screen, to an inch


@dataclass(frozen=True)
class Drawn:
    """A picture, drawn once for both languages: its SVG, its size in pixels, and whether a figure in it is invented."""

    svg: str
    width: int
    height: int
    is_synthetic: bool


def build_site(
    view: View, reports: Mapping[str, Mapping[str, str]], downloads: Sequence[str], outlines_source: str | None
) -> Iterator[tuple[str, bytes]]:
    """Every file of the site, by its path within the folder `site`.

    `reports` are the happiness reports by region and format, and `downloads` the files of the edition that there are:
    what is not there is not linked to. `outlines_source` is said under every map.
    """
    drawn = draw(view)
    for name in _COPIED:
        yield name, (_HERE / name).read_bytes()
    yield "compare.css", _picked(view).encode()
    yield from _data_files(view)
    for language in LANGUAGES:
        words = Words(view.catalogue, language)
        yield from _in_language(view, words, drawn, reports, downloads, outlines_source)


def _in_language(
    view: View,
    words: Words,
    drawn: Mapping[str, Drawn],
    reports: Mapping[str, Mapping[str, str]],
    downloads: Sequence[str],
    outlines_source: str | None,
) -> Iterator[tuple[str, bytes]]:
    folder = _folder(words.language)
    marks = Marks(view, words)
    alt = Alt(view, words)
    exchanged = _exchanged(view)
    charts = {}
    for key, picture in drawn.items():
        title, description = _said_of(key, view, words, alt)
        stamp = _stamp(words) if picture.is_synthetic else ""
        heading = pictures.Heading(title, stamp)
        said = f"{stamp} {description}".strip()
        svg = pictures.finished(picture.svg, words.language, title, said, exchanged)
        yield f"{folder}charts/{key}.svg", pictures.headed(svg, heading).encode()
        pixels = _PIXELS / pictures.POINTS
        height = picture.height + pixels * heading.height(picture.width / pixels)
        charts[key] = (picture.width, round(height), said)
    environment = _environment()
    common = _common(view, words, marks, alt, downloads, outlines_source) | {"charts": charts}
    for page in pages(view, words, reports):
        yield f"{folder}{page.path}", _rendered(environment, page, common, marks).encode()


def _picked(view: View) -> str:
    """Which columns of the page that compares are seen: those that are picked, without a script."""
    areas = [*view.areas, view.catalogue.region.country_code]
    rules = [f"body:has(#pick-{code}:checked) .area.{code} {{ display: table-cell }}" for code in areas]
    return "\n".join(["@supports selector(:has(a)) {", ".area { display: none }", *rules, "}"]) + "\n"


def _folder(language: str) -> str:
    return "" if language == LANGUAGES[0] else f"{language}/"


# --- pictures


def draw(view: View) -> dict[str, Drawn]:
    """Every picture by its name, drawn with Dutch words."""
    names = [field for field in ChartTables.__dataclass_fields__ if field in view.tables]
    tables = ChartTables(**{name: view.tables[name] for name in names})
    labels = chart_labels(view.catalogue, None)
    rows = {row["indicator_id"]: row for row in view.tables["indicator"].iter_rows(named=True)}

    def story(indicator: Indicator) -> Story:
        return story_of(tables, labels, view.year, rows[indicator.indicator_id])

    found = {}
    with pictures.drawing():
        for key, make in _pictures(view, story):
            if (figure := make()) is not None:
                width, height = (round(_PIXELS * inches) for inches in figure.get_size_inches())
                svg = pictures.svg_of(figure, key, turns_dark=not key.endswith("_map"))
                found[key] = Drawn(svg, width, height, _is_synthetic(key, view))
    return found


def _pictures(view: View, story: Callable[[Indicator], Story]) -> Iterator[tuple[str, Callable[[], Any]]]:
    for indicator in (i for i in view.indicators if has_any_values(view, i)):
        told = story(indicator)
        yield f"{indicator.indicator_id}_years", partial(pictures.years, told)
        if with_values(view, [indicator]):
            yield f"{indicator.indicator_id}_dots", partial(pictures.dots, told)
            yield f"{indicator.indicator_id}_map", partial(pictures.region_map, told)
    dimensions, official = (with_values(view, view.framework_indicators.get(name, [])) for name in ("btg", "cbs"))
    if dimensions:
        told_all = {i.indicator_id: story(i) for i in dimensions}
        for code in view.areas:
            yield f"{code}_profile", partial(_profile, view, dimensions, told_all, code)
    if dimensions and view.contrast:
        names = [_theme_name(view, i) for i in dimensions]
        yield "cores_dimensions", partial(pictures.strips, list(told_all.values()), names, shared=True)
        yield "cores_differences", partial(_forest, view, dimensions)
    if official and view.contrast:
        told_official = [story(i) for i in official]
        yield "cores_official", partial(pictures.strips, told_official, [s.name for s in told_official], shared=False)
    if has_programme(view):
        yield PICTURE, partial(pictures.money, money_bars(view), Words(view.catalogue, LANGUAGES[0])("no_amount"))


def _is_synthetic(key: str, view: View) -> bool:
    """Whether a figure of the picture is invented."""
    if key == PICTURE:
        money = view.rows("budget_progress", pl.col("financing_source").is_in(DRAWN), year=view.year)
        return any(row["synthetic"] for row in money)
    name, _, kind = key.rpartition("_")
    framework = {"dimensions": "btg", "differences": "btg", "profile": "btg", "official": "cbs"}.get(kind)
    indicators = view.framework_indicators.get(framework, []) if framework else [view.catalogue.indicator(name)]
    years = view.years if kind == "years" else [view.year]
    rows = (view.value(i.indicator_id, code, year) for i in indicators for code in view.codes for year in years)
    return any(row is not None and row["value"] is not None and "synthetic" in row["warnings"] for row in rows)


def _stamp(words: Words) -> str:
    """What a picture with invented figures says of itself."""
    return f"{capitalised(words.label('warning', 'synthetic'))}. {words.explanation('warning', 'synthetic')}"


def _theme_name(view: View, indicator: Indicator) -> str:
    """The name of a dimension: shorter than that of its indicator."""
    return next(theme.name_nl for theme in view.catalogue.themes if theme.theme_id == indicator.theme_id)


def _profile(view: View, indicators: Sequence[Indicator], told: Mapping[str, Story], code: str) -> Any:
    region = view.catalogue.region
    beside = [other for other in (region.region_code, region.rest_code) if other != code]
    rows = [
        pictures.Level(
            _theme_name(view, i),
            told[i.indicator_id].point(code),
            [told[i.indicator_id].point(other) for other in beside],
        )
        for i in indicators
    ]
    return pictures.profile(rows, told[indicators[0].indicator_id])


def _forest(view: View, indicators: Sequence[Indicator]) -> Any:
    words = Words(view.catalogue, LANGUAGES[0])
    pair = view.contrast or ("", "")
    rows = [
        pictures.forest_row(_theme_name(view, i), view.comparison(i.indicator_id, *pair), i, words) for i in indicators
    ]
    return pictures.forest(rows)


def _said_of(key: str, view: View, words: Words, alt: Alt) -> tuple[str, str]:
    """The title and the description of a picture."""
    if key == PICTURE:
        return words("programme_picture", year=view.year), alt.money(money_of_lines(Scope(view, words, [view.year])))
    name, _, kind = key.rpartition("_")
    if name == "cores":
        pair = view.contrast or ("", "")
        first, second = map(words.region, pair)
        title = capitalised(words("cores_title", first=first, second=second))
        title = f"{title}, {view.year}"
        framework = "cbs" if kind == "official" else "btg"
        shown = with_values(view, view.framework_indicators.get(framework, []))
        return title, (alt.forest if kind == "differences" else alt.strips)(shown, pair)
    if kind == "profile":
        shown = with_values(view, view.framework_indicators.get("btg", []))
        title = f"{capitalised(words.region(name))} ({words.unit(shown[0])}), {view.year}"
        return title, alt.profile(shown, name)
    indicator = view.catalogue.indicator(name)
    describe = {"dots": alt.dots, "map": alt.map, "years": alt.years}[kind]
    when = "" if kind == "years" else f", {alt.when(indicator)}"
    return f"{words.name(indicator)} ({words.unit(indicator)}){when}", describe(indicator)


def _exchanged(view: View) -> dict[str, str]:
    """Dutch words in pictures with those of the other language."""
    dutch, other = (Words(view.catalogue, language) for language in LANGUAGES)
    found = {}
    for code in view.codes:
        found[dutch.region(code)] = other.region(code)
        found[capitalised(dutch.region(code))] = capitalised(other.region(code))
    named: list[Indicator | Theme] = [*view.indicators, *view.catalogue.themes]
    for entry in named:
        found |= _by_line(dutch.name(entry), other.name(entry))
    for status in view.catalogue.vocabulary["status"]:
        found[dutch.label("status", status)] = other.label("status", status)
    if has_programme(view):
        found |= money_texts(view)
    return found | {dutch("no_figure"): other("no_figure")}


def _by_line(dutch: str, other: str) -> dict[str, str]:
    """A name as a whole, and line by line where it is too long for one."""
    lines, others = (sheet.wrapped(name, pictures.LONGEST, sheet.TEXT) for name in (dutch, other))
    if len(lines) == 1:
        return {dutch: other}
    # What the other language needs more goes on its last line, what it needs less stays empty.
    others = [*others[: len(lines) - 1], " ".join(others[len(lines) - 1 :])]
    return {dutch: other} | dict(zip(lines, [*others, *[""] * len(lines)], strict=False))


# --- pages


def _map_legend(view: View, words: Words) -> str:
    said = [words("legend_map")]
    if view.contrast is not None:
        said.append(words("legend_outline", first=words.region(view.contrast[0])))
    return " ".join(said)


def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters["capitalised"] = capitalised
    return environment


def _common(
    view: View,
    words: Words,
    marks: Marks,
    alt: Alt,
    downloads: Sequence[str],
    outlines_source: str | None,
) -> dict[str, Any]:
    """What every template is given."""
    region = view.catalogue.region
    other = next(language for language in LANGUAGES if language != words.language)
    return {
        "view": view,
        "w": words,
        "t": texts(words.language),
        "lang": words.language,
        "other_lang": other,
        "mark": marks,
        "alt": alt,
        "menu": menu(view),
        "programme_page": PAGE if has_programme(view) else None,
        "programme_total": TOTAL,
        "edition": view.edition["edition"],
        "made_on": words.date(view.edition["created_at"]),
        "is_draft": str(view.edition["edition"]).endswith(DRAFT),
        "outlines_source": outlines_source,
        "contact": view.catalogue.publication.contact.name,
        "previous": next(iter(view.tables["revision"]["previous_edition"]), None),
        "region_code": region.region_code,
        "rest_code": region.rest_code,
        "downloads": [(key, file) for key, file in DOWNLOADS if file in downloads],
        "map_legend": _map_legend(view, words),
        "i_caption": partial(_dots_caption, view, words, alt),
    }


def _dots_caption(view: View, words: Words, alt: Alt, indicator: Indicator) -> str:
    lines = {"region": words.region(view.catalogue.region.region_code), "rest": words.region(alt.comparator(indicator))}
    said = [words("legend_order"), words("legend_lines", **lines), words("legend_marks")]
    if view.contrast is not None:
        first, second = map(words.region, view.contrast)
        said.insert(0, words("legend_groups", first=first, second=second))
    return " ".join(said)


# Lists of the ids of sentences in a page's context, and the name its template knows the sentences by.
_CLAIMS: Final = {
    "answer_ids": "answers",
    "headline_ids": "headline_claims",
    "sentence_ids": "sentences",
    "summary_ids": "summary",
    "place_ids": "places",
    "peer_ids": "peer_claims",
    "changed_ids": "changed",
    "cannot_ids": "cannot",
}


def _rendered(environment: Environment, page: Page, common: Mapping[str, Any], marks: Marks) -> str:
    """One page as HTML, without the air between lines."""
    depth = page.path.count("/")
    root = "../" * depth
    language = common["lang"]
    base = root if not _folder(language) else f"../{root}"
    said = {
        name: [claim for claim_id in page.context[ids] if (claim := marks.claim(*claim_id))]
        for ids, name in _CLAIMS.items()
        if ids in page.context
    }
    html = environment.get_template(f"{page.template}.html.j2").render(
        common,
        **page.context,
        **said,
        title=page.title,
        description=None,
        path=page.path,
        root=root,
        base=base,
        other=f"{root}en/{page.path}" if language == LANGUAGES[0] else f"{base}{page.path}",
    )
    return "".join(_tight(part) for part in re.split(r"(<pre.*?</pre>)", html, flags=re.DOTALL))


def _tight(html: str) -> str:
    """Without the air between lines, but for what is shown as it is written."""
    if html.startswith("<pre"):
        return html
    return "\n".join(line for line in (line.strip() for line in html.splitlines()) if line) + "\n"


# --- data


def _data_files(view: View) -> Iterator[tuple[str, bytes]]:
    """The figures of each indicator that has a page, of own regions and those they are compared with, as CSV."""
    values = view.tables["indicator_value"].filter(pl.col("region_code").is_in(view.codes), breakdown="total")
    by_indicator = values.partition_by("indicator_id", as_dict=True)
    for indicator in view.indicators:
        frame = by_indicator.get((indicator.indicator_id,), values.clear())
        file = io.BytesIO()
        as_csv_columns(frame).write_csv(file)
        yield f"data/{indicator.indicator_id}.csv", file.getvalue()
