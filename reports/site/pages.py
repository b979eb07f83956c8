"""The pages of the site: what each one shows, by rows of the edition. How it looks stands in the templates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

from catalog.model import Indicator
from reports import palette
from reports.charts.story import capitalised
from reports.claims import summarised_pairs
from reports.site.programme import PAGE as PROGRAMME
from reports.site.programme import has_programme, programme_context
from reports.view import Row, View
from reports.words import Words

MENU: Final = (
    ("home", "index.html"),
    ("cores", "cores-and-rural.html"),
    ("indicators", "indicators/index.html"),
    ("regions", "regions/index.html"),
    ("compare", "compare.html"),
    ("changes", "changes.html"),
    ("quality", "quality.html"),
    ("methods", "methods.html"),
    ("data", "data.html"),
)
_MENU_BEFORE_PROGRAMME: Final = "changes"
DOWNLOADS: Final = (("pack_xlsx", "btg.xlsx"), ("pack_ods", "btg.ods"), ("pack_duckdb", "btg.duckdb"))
_UNDECIDED: Final = ("not_decidable", "not_comparable")


@dataclass(frozen=True)
class Page:
    """A page: its address within a language, its template, its title and what the template is given."""

    path: str
    template: str
    title: str
    context: Mapping[str, Any] = field(default_factory=dict)


def menu(view: View) -> list[tuple[str, str]]:
    """The pages of the main menu: the key of their name, and their address."""
    shown = list(MENU)
    if has_programme(view):
        place = [key for key, _ in MENU].index(_MENU_BEFORE_PROGRAMME) + 1
        shown.insert(place, ("programme", PROGRAMME))
    return shown


def pages(view: View, words: Words, reports: Mapping[str, Mapping[str, str]]) -> Iterator[Page]:
    """Every page in a language; `reports` are the happiness reports by region and format, as files of the edition."""
    yield _home(view, words, reports.get(view.catalogue.region.region_code, {}))
    yield _cores(view, words)
    yield _indicators(view, words)
    for indicator in view.indicators:
        yield _indicator(view, words, indicator)
    yield _regions(view, words, reports)
    for code in view.areas:
        yield _region(view, words, code, reports.get(code, {}))
    yield _compare(view, words)
    yield _changes(view, words)
    if has_programme(view):
        yield _programme(view, words)
    yield _quality(view, words)
    yield _methods(view, words)
    yield _data(view, words)
    yield Page("accessibility.html", "accessibility", words("accessibility_title"))
    yield Page("404.html", "not_found", words("not_found_title"))


# --- home


def _home(view: View, words: Words, files: Mapping[str, str]) -> Page:
    region = view.catalogue.region
    every = [(i, view.value(i.indicator_id, region.region_code)) for i in view.indicators]
    rows = {i.indicator_id: view.value(i.indicator_id, region.region_code) for i in view.counted}
    pairs = [(region.region_code, region.rest_code), *region.contrasts]
    return Page(
        "index.html",
        "home",
        words("home_title", region=words.region(region.region_code)),
        {
            "answer_ids": [
                *(("count_difference", view.year, *pair) for pair in pairs),
                ("count_change", view.year, region.region_code),
            ],
            "headline": view.catalogue.headline_indicators,
            "new": [(i, row) for i, row in every if _is_new(row) and not _is_share(i)],
            "own_reports": [(f"report_{kind}", file) for kind, file in files.items()],
            "lacking": [
                ("missing_figures", _those(view, rows, lambda row: row["value"] is None)),
                ("older_figures", _those(view, rows, lambda row: _warns(row, "carried_forward"))),
                ("synthetic_figures", _those(view, rows, lambda row: _warns(row, "synthetic"))),
            ],
        },
    )


def _is_share(indicator: Indicator) -> bool:
    """Whether it says once more, as a percentage, what the mean of a dimension says."""
    return indicator.layer == "experienced" and indicator.is_percentage


def _those(view: View, rows: Mapping[str, Row | None], is_meant: Any) -> list[Indicator]:
    return [i for i in view.counted if (row := rows[i.indicator_id]) is not None and is_meant(row)]


def _warns(row: Row, warning: str) -> bool:
    return row["value"] is not None and warning in row["warnings"]


def _is_new(row: Row | None) -> bool:
    return row is not None and row["value"] is not None and "carried_forward" not in row["warnings"]


# --- cores and rural


def _cores(view: View, words: Words) -> Page:
    if view.contrast is None:
        return Page("cores-and-rural.html", "cores", words("cores"))
    first, second = view.contrast
    region = view.catalogue.region
    narrow = next(iter(region.contrast_variants), None)
    means = [i for i in view.indicators if i.layer != "context" and not _is_share(i)]
    compared = [i for i in means if all(_has_figure(view, i, code) for code in view.contrast)]
    title = words("cores_title", first=words.region(first), second=words.region(second))
    return Page(
        "cores-and-rural.html",
        "cores",
        capitalised(title),
        {
            "first": first,
            "second": second,
            "headline_ids": [
                ("difference", view.year, i.indicator_id, first, second) for i in view.catalogue.headline_indicators
            ],
            "members": {code: _names(view, region.own_groups[code]) for code in (first, second)},
            "dimensions": with_values(view, view.framework_indicators.get("btg", [])),
            "official": with_values(view, view.framework_indicators.get("cbs", [])),
            "compared": compared,
            "without_figures": [i for i in means if i not in compared],
            "narrow": narrow,
            "left_out": _left_out(view, narrow),
            "sentence_ids": _difference_ids(view, compared, first, second),
        },
    )


def _difference_ids(
    view: View, indicators: Sequence[Indicator], region: str, comparator: str | None
) -> list[tuple[object, ...]]:
    return [("difference", view.year, i.indicator_id, region, comparator) for i in indicators]


def _left_out(view: View, narrow: tuple[str, str] | None) -> list[str]:
    """The municipalities that a variant of the contrast leaves out."""
    if narrow is None or view.contrast is None:
        return []
    groups = view.catalogue.region.own_groups
    whole = {code for group in view.contrast for code in groups[group]}
    return _names(view, sorted(whole - {code for group in narrow for code in groups[group]}))


def _names(view: View, codes: Sequence[str]) -> list[str]:
    named = view.catalogue.region.municipalities
    return sorted(named[code] for code in codes)


def with_values(view: View, indicators: Sequence[Indicator]) -> list[Indicator]:
    """Those of which any municipality has a figure in the last measurement year."""
    return [i for i in indicators if _has_values(view, i, [view.year])]


def _has_values(view: View, indicator: Indicator, years: Sequence[int]) -> bool:
    rows = (view.value(indicator.indicator_id, code, year) for code in view.municipalities for year in years)
    return any(row is not None and row["value"] is not None for row in rows)


def _has_figure(view: View, indicator: Indicator, code: str) -> bool:
    row = view.value(indicator.indicator_id, code)
    return row is not None and row["value"] is not None


def has_any_values(view: View, indicator: Indicator) -> bool:
    """Whether any municipality has a figure in any measurement year."""
    return _has_values(view, indicator, view.years)


# --- indicators


def _indicators(view: View, words: Words) -> Page:
    by_framework: dict[str, list[tuple[Any, list[Indicator]]]] = {}
    members = view.framework_indicators
    for theme in view.catalogue.themes:
        found = view.of_theme(theme) or _of_other_framework(view, theme.theme_id, members.get(theme.framework, []))
        by_framework.setdefault(theme.framework, []).append((theme, found))
    pair = view.contrast or (view.catalogue.region.region_code, view.catalogue.region.rest_code)
    return Page(
        "indicators/index.html",
        "indicators",
        words("indicators_title"),
        {
            "frameworks": list(by_framework.items()),
            "gap_text": words("gap_of", first=words.region(pair[0]), second=words.region(pair[1])),
        },
    )


def _of_other_framework(view: View, theme: str, members: Sequence[Indicator]) -> list[Indicator]:
    """The indicators that a theme of the second framework takes from themes of the first."""
    elements = view.tables["framework_element"].filter(pl.col("level") == 1, parent_id=theme)["element_id"]
    return [i for i in members if i.indicator_id in set(elements)]


def _indicator(view: View, words: Words, indicator: Indicator) -> Page:
    region, name = view.catalogue.region, indicator.indicator_id
    pairs = summarised_pairs(view.catalogue)
    lines = [region.region_code, *(group.code for group in region.main_groups), region.country_code, region.rest_code]
    ids: list[tuple[object, ...]] = [("difference", view.year, name, *pair) for pair in pairs]
    ids += [("movement", view.year, name, *pair) for pair in region.contrasts]
    ids += [("change", view.year, name, region.region_code, quantity) for quantity in ("value", "relative_to_nl")]
    rows = [row for code in view.codes if (row := view.value(name, code)) is not None and row["value"] is not None]
    warned = {word for row in rows for word in row["warnings"]}
    theme = next(theme for theme in view.catalogue.themes if theme.theme_id == indicator.theme_id)
    return Page(
        f"indicators/{name}.html",
        "indicator",
        words.name(indicator),
        {
            "i": indicator,
            "theme": theme,
            "has_values": has_any_values(view, indicator),
            "sentence_ids": ids,
            "rows": [*lines, *view.municipalities],
            "lines": lines,
            "companion": next((i for i in view.indicators if i.indicator_id == indicator.companion), None),
            "warnings": [word for word in view.catalogue.vocabulary["warning"] if word in warned],
            "sources": _sources(view, name),
            "used": next((row["source_table"] for row in rows), None),
        },
    )


def _sources(view: View, indicator: str) -> list[tuple[Row, str]]:
    """The tables an indicator comes from, with their publisher."""
    publishers = dict(view.tables["source"].select("source_table", "publisher").iter_rows())
    rows = view.rows("indicator_source", indicator_id=indicator)
    return [(row, publishers.get(row["source_table"], row["source_table"].split(" ")[0])) for row in rows]


# --- regions


def _regions(view: View, words: Words, reports: Mapping[str, Mapping[str, str]]) -> Page:
    groups = {code: words.region(group.code) for group in view.catalogue.region.main_groups for code in group.members}
    return Page("regions/index.html", "regions", words("regions_title"), {"group_of": groups, "reports": reports})


def _region(view: View, words: Words, code: str, files: Mapping[str, str]) -> Page:
    region = view.catalogue.region
    people = next(iter(view.rows("region", pl.col("population").is_not_null(), region_code=code)), None)
    comparators = [c for c in (region.region_code, region.rest_code) if c != code]
    peers = view.rows("peer", region_code=code)
    peer_group = region.peers.get(code)
    framework = view.framework_indicators
    named = {row["region_code"]: row["name"] for row in view.rows("region")} if peers else {}
    return Page(
        f"regions/{code}.html",
        "region",
        words("region_title", name=words.region(code)),
        {
            "code": code,
            "people": people,
            "member_names": _names(view, region.own_groups[code]) if code in region.own_groups else [],
            "summary_ids": [
                *(("count_difference", view.year, *pair) for pair in region.contrasts if code == pair[0]),
                ("count_difference", view.year, code, region.rest_code),
                ("count_change", view.year, code),
                ("count_value", view.year, code),
            ],
            "parts": [
                (words("region_dimensions"), framework.get("btg", [])),
                (words("region_official"), _official(view)),
            ],
            "comparators": comparators,
            "profiled": with_values(view, framework.get("btg", [])),
            "profile_caption": words(
                "legend_profile" if code != region.region_code else "legend_profile_region",
                name=words.region(code),
                region=words.region(region.region_code),
                rest=words.region(region.rest_code),
            ),
            "place_ids": [("rank", view.year, name, code) for name in framework],
            "peers": [named.get(row["peer_code"], row["peer_code"]) for row in sorted(peers, key=lambda r: r["place"])],
            "peer_variables": _variables(view, words, peers),
            "peer_ids": [
                ("difference", view.year, i.indicator_id, code, peer_group) for i in _decided(view, code, peer_group)
            ],
            "changed_ids": _changed(view, code),
            "cannot_ids": _cannot(view, code),
            "files": [(f"report_{kind}", file) for kind, file in files.items()],
        },
    )


def _official(view: View) -> list[Indicator]:
    """What statistics say; also of themes that have background figures only, such as housing."""
    return [i for i in view.indicators if i.layer != "experienced"]


def _variables(view: View, words: Words, peers: Sequence[Row]) -> str:
    """By which variables municipalities were found alike, by name."""
    if not peers:
        return ""
    names = {variable.variable: words.said(variable, "name") for variable in view.catalogue.analysis.structure}
    found = [part.rpartition(" ")[0] for part in str(peers[0]["variables"]).split(";")]
    return words.listed([names.get(name, name) for name in found])


def _decided(view: View, code: str, comparator: str | None) -> list[Indicator]:
    """The indicators on which something can be said of an area and what it is compared with."""
    rows = [(i, view.comparison(i.indicator_id, code, comparator)) for i in view.counted] if comparator else []
    return [i for i, row in rows if row is not None and row["verdict"] not in _UNDECIDED]


def _changed(view: View, code: str) -> list[tuple[object, ...]]:
    """The changes that can be shown, those that are demonstrable first."""
    rows = [row for i in view.counted if (row := view.change(i.indicator_id, code)) is not None]
    said = [row for row in rows if row["verdict"] not in (*_UNDECIDED, "no_new_measurement")]
    order = sorted(said, key=lambda row: row["verdict"] == "no_demonstrable_difference")
    return [("change", view.year, row["indicator_id"], code, row["quantity"]) for row in order]


def _cannot(view: View, code: str) -> list[tuple[object, ...]]:
    """What cannot be said: figures that are missing, and differences that cannot be decided."""
    region = view.catalogue.region
    comparator = region.rest_code if code != region.rest_code else region.region_code
    ids: list[tuple[object, ...]] = []
    for i in view.counted:
        row, gap = view.value(i.indicator_id, code), view.comparison(i.indicator_id, code, comparator)
        if row is not None and row["value"] is None:
            ids.append(("value", view.year, i.indicator_id, code))
        elif gap is not None and gap["verdict"] in _UNDECIDED:
            ids.append(("difference", view.year, i.indicator_id, code, comparator))
    return ids


# --- the other pages


def _compare(view: View, words: Words) -> Page:
    areas = [*view.areas, view.catalogue.region.country_code]
    chosen = view.contrast or tuple(areas[:2])
    return Page("compare.html", "compare", words("compare_title"), {"areas": areas, "chosen": chosen})


def _changes(view: View, words: Words) -> Page:
    revision = view.tables["revision"]
    kinds = revision.group_by("kind", "cause").len().sort("kind", "cause").rows()
    context = {"kinds": kinds, "corrections": view.rows("correction"), "errata": view.rows("erratum")}
    return Page("changes.html", "changes", words("changes_title"), context)


def _programme(view: View, words: Words) -> Page:
    context = programme_context(view, words)
    title = words("programme_title", name=words.said(context["programme"], "name"))
    return Page(PROGRAMME, "programme", title, context)


def _quality(view: View, words: Words) -> Page:
    checks = view.rows("check_result")
    missed = sorted((row for row in checks if not row["passed"]), key=lambda row: row["severity"] != "error")
    failed = sum(row["severity"] == "error" for row in missed)
    by_check: dict[str, list[Row]] = {}
    for row in missed:
        by_check.setdefault(row["check_id"], []).append(row)
    return Page(
        "quality.html",
        "quality",
        words("quality_title"),
        {
            "passed": len(checks) - len(missed),
            "failed": failed,
            "attention": len(missed) - failed,
            "missed": list(by_check.items()),
            "unusual": _unusual(view),
        },
    )


def _unusual(view: View) -> list[tuple[Indicator, Row]]:
    """The figures behind the check `unusual_change`: pointed out in the year they were new."""
    flagged = pl.col("warnings").list.contains("unusual_change") & ~pl.col("warnings").list.contains("carried_forward")
    rows = view.rows("indicator_value", flagged & pl.col("region_code").is_in(view.municipalities))
    known = {indicator.indicator_id: indicator for indicator in view.catalogue.indicators}
    return [(known[row["indicator_id"]], row) for row in rows if row["indicator_id"] in known]


def _methods(view: View, words: Words) -> Page:
    groups = [(group.code, _names(view, group.members)) for group in view.catalogue.region.main_groups]
    context = {"verdicts": list(palette.VERDICTS.items()), "groups": groups}
    return Page("methods.html", "methods", words("methods_title"), context)


_EXAMPLES: Final = """\
btg query "SELECT region_code, value, ci_low, ci_high, status
           FROM indicator_value
           WHERE indicator_id = '{indicator}' AND measurement_year = {year} AND breakdown = 'total'"

duckdb -readonly btg.duckdb "SELECT sentence FROM claim WHERE language = '{language}' LIMIT 10"

import polars as pl
pl.read_parquet("parquet/comparison.parquet").filter(measurement_year={year}, breakdown="total")"""


def _data(view: View, words: Words) -> Page:
    shown = {i.indicator_id for i in view.indicators}
    first = next(iter(view.catalogue.headline_indicators), view.catalogue.indicators[0])
    return Page(
        "data.html",
        "data",
        words("data_title"),
        {
            "examples": _EXAMPLES.format(indicator=first.indicator_id, year=view.year, language=words.language),
            "tables": list(view.catalogue.registry.tables.values()),
            "sources": view.rows("source"),
            "context": [i for i in view.catalogue.indicators if i.indicator_id not in shown],
        },
    )
