"""The site says what the tables say, in both languages, and nothing else; it stays whole where figures are missing."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import lxml.html
import polars as pl
import pytest

from catalog import Catalogue, load_catalogue
from reports import palette
from reports.charts.grades import grade, span
from reports.claims import claims
from reports.claims.programme import BUDGET_PLACES, STATED_PLACES, millions
from reports.numbers import number
from reports.site import build_site
from reports.view import View
from reports.words import LANGUAGES, Words, texts

CATALOGUE = load_catalogue()
OUTLINES = "grenzen van het jaar: CBS/Kadaster, CC BY 4.0"
SCORE_COLUMNS = {"value", "ci_low", "ci_high"}
DIFFERENCE_COLUMNS = {"difference", "difference_ci_low", "difference_ci_high", "estimate"}
MONEY_COLUMNS = {"budget", "committed", "paid", "forecast", "received"}
KIB = 1024


@dataclass(frozen=True)
class Site:
    """A built site in memory, with the tables it was made from."""

    files: Mapping[str, bytes]
    view: View

    @cached_property
    def pages(self) -> dict[str, lxml.html.HtmlElement]:
        """Every page, parsed."""
        return {
            path: lxml.html.fromstring(content.decode())
            for path, content in self.files.items()
            if path.endswith(".html")
        }

    def drawn(self, path: str) -> lxml.html.HtmlElement:
        """A picture, parsed."""
        return lxml.html.fromstring(self.files[path])

    def text(self, path: str) -> str:
        """A file as text."""
        return self.files[path].decode()


# A few indicators of every kind, so that sites of changed tables are made in a moment.
FEW_INDICATORS = [
    *("experienced_health", "experienced_income", "income_standardised_mean", "net_labour_participation"),
    *("dwelling_value_mean", "loneliness"),
]
FEW = CATALOGUE.model_copy(update={"indicators": [i for i in CATALOGUE.indicators if i.indicator_id in FEW_INDICATORS]})


def site_of(tables: Mapping[str, pl.DataFrame], catalogue: Catalogue = CATALOGUE) -> Site:
    """The site of these tables, with the sentences that follow from them."""
    told = {**tables, "claim": claims(tables, catalogue)}
    view = View(told, catalogue)
    reports = {code: {"pdf": f"report/{code}.pdf"} for code in view.areas}
    return Site(dict(build_site(view, reports, ["btg.xlsx"], OUTLINES)), view)


@pytest.fixture(scope="module")
def tables(edition: Path) -> dict[str, pl.DataFrame]:
    folder = edition / "editions" / "2025-draft" / "parquet"
    return {name: pl.read_parquet(folder / f"{name}.parquet") for name in CATALOGUE.registry.tables}


@pytest.fixture(scope="module")
def site(tables: dict[str, pl.DataFrame]) -> Site:
    return site_of(tables)


def progress_report(edition: Path) -> list[Path]:
    """The files of the progress report that the measurement made."""
    return sorted((edition / "editions" / "2025-draft" / "report").glob("*-2025.*"))


def language_of(path: str) -> str:
    return "en" if path.startswith("en/") else "nl"


# --- every number is one of the tables


def rows_by_key(view: View, table: str) -> dict[str, dict[str, Any]]:
    key = CATALOGUE.registry[table].key
    return {
        "|".join(f"{column}={row[column]}" for column in key): row for row in view.tables[table].iter_rows(named=True)
    }


@pytest.fixture(scope="module")
def look_up(site: Site) -> Callable[[str], dict[str, Any]]:
    """The row that a page names as `table|key`."""
    found: dict[str, dict[str, dict[str, Any]]] = {}

    def row(named: str) -> dict[str, Any]:
        table, _, key = named.partition("|")
        if table not in found:
            found[table] = rows_by_key(site.view, table)
        return found[table][key]

    return row


def as_shown(row: Mapping[str, Any], column: str) -> float:
    """A cell as readers see it: scores as report grades."""
    value = float(row[column])
    indicator = row.get("indicator_id")
    is_score = indicator is not None and CATALOGUE.indicator(indicator).unit == "score"
    scale = CATALOGUE.survey.settings.grade
    if not is_score or row.get("quantity") == "relative_to_nl":
        return value
    if column in DIFFERENCE_COLUMNS or (column in {"ci_low", "ci_high"} and "estimate" in row):
        return span(scale) * value
    return grade(value, scale) if column in SCORE_COLUMNS else value


def is_rounded(text: str, value: float, language: str) -> bool:
    """Whether the text is the value, rounded for display; next to nought it says on which side."""
    if text in {texts(language)["just_above"], texts(language)["just_below"]}:
        return 0 < abs(value) < 0.05 and text == texts(language)["just_above" if value > 0 else "just_below"]
    return any(text == number(value, decimals, language) for decimals in range(5))


def as_money(euros: float, language: str) -> set[str]:
    """An amount as readers see it: as the covenant prints it, or as bureaus state it."""
    words = Words(CATALOGUE, language)
    return {millions(euros, words, decimals) for decimals in (BUDGET_PLACES, STATED_PLACES)}


def test_every_number_on_every_page_is_the_cell_it_says(site: Site, look_up: Callable[[str], dict[str, Any]]) -> None:
    seen = 0
    for path, page in site.pages.items():
        for datum in page.iter("data"):
            row, column = look_up(datum.xpath("ancestor-or-self::*[@data-row][1]/@data-row")[0]), datum.get("data-col")
            assert float(datum.get("value")) == row[column], (path, datum.text)
            if "financing_source" in row and column in MONEY_COLUMNS:
                assert datum.text in as_money(row[column], language_of(path)), (path, datum.text, row)
            else:
                assert is_rounded(datum.text, as_shown(row, column), language_of(path)), (path, datum.text, row)
            seen += 1
    assert seen > 5_000


def test_every_day_on_a_page_is_the_cell_it_says(site: Site, look_up: Callable[[str], dict[str, Any]]) -> None:
    seen = 0
    for path, page in site.pages.items():
        for day in page.iter("time"):
            row = look_up(day.xpath("ancestor-or-self::*[@data-row][1]/@data-row")[0])
            assert day.get("datetime") == row[day.get("data-col")], (path, day.text)
            assert day.text == Words(CATALOGUE, language_of(path)).date(day.get("datetime"))
            seen += 1
    assert seen > 100


def strays(page: lxml.html.HtmlElement, allowed: set[str], known: list[str]) -> set[str]:
    """Numbers on a page that no cell, sentence, name or text of the catalogue accounts for."""
    page = lxml.html.fromstring(lxml.html.tostring(page))
    accounted = page.xpath(
        "//data | //time | //*[@data-claim] | //*[@data-text] | //*[@data-count] | //code | //pre | //script | //style"
    )
    for element in accounted:
        element.drop_tree()
    text = " ".join(" ".join(page.xpath("//body")[0].itertext()).split())
    for name in known:
        text = text.replace(name, " ")
    return set(re.findall(r"\d[\d.,]*", text.replace(". ", " "))) - allowed


def accounted_for(view: View) -> tuple[set[str], list[str]]:
    """Years, the edition and what our own texts hold; and the names of indicators, longest first."""
    values = view.tables["indicator_value"]
    years = {str(year) for year in values["measurement_year"].unique()}
    periods = {str(p) for p in values["reference_period"].drop_nulls().unique()}
    fixed = {n for language in LANGUAGES for text in texts(language).values() for n in re.findall(r"\d[\d.,]*", text)}
    fixed |= {re.sub(r"[.,]+$", "", n) for n in fixed}
    edition = view.edition["edition"]
    names = {
        getattr(i, f"{what}_{language}") for i in CATALOGUE.indicators for what in ("name",) for language in LANGUAGES
    }
    names |= {variable.name_nl for variable in CATALOGUE.analysis.structure}
    names |= {variable.name_en for variable in CATALOGUE.analysis.structure}
    names |= {Words(CATALOGUE, language).date(view.edition["created_at"]) for language in LANGUAGES}
    names |= {edition, OUTLINES.partition(":")[2].strip(), "404"}
    return years | periods | fixed, sorted(names, key=len, reverse=True)


def test_no_number_stands_on_a_page_that_is_not_accounted_for(site: Site) -> None:
    allowed, known = accounted_for(site.view)
    for path, page in site.pages.items():
        assert not strays(page, allowed, known), path


def test_a_number_from_nowhere_is_found(site: Site) -> None:
    """The crawler has teeth: a figure that is typed into a page is a stray."""
    allowed, known = accounted_for(site.view)
    page = lxml.html.fromstring(site.text("index.html").replace("</main>", "<p>Het is 12,7 procent.</p></main>"))
    assert strays(page, allowed, known) == {"12,7"}


def test_every_sentence_on_a_page_is_one_of_the_table_claim(site: Site) -> None:
    known = {
        (row["claim_id"], row["language"]): row["sentence"] for row in site.view.tables["claim"].iter_rows(named=True)
    }
    seen = 0
    for path, page in site.pages.items():
        for said in page.xpath("//*[@data-claim]"):
            assert said.text_content() == known[said.get("data-claim"), language_of(path)]
            seen += 1
    assert seen > 1_000


# --- verdicts by shape, word and colour


def test_every_verdict_has_its_own_shape_and_word(site: Site) -> None:
    page = site.pages["methods.html"]
    shown = {
        verdict.get("class").split()[-1]: verdict.xpath("./*[@class='shape']")[0].text
        for verdict in page.xpath("//*[contains(@class, 'verdict')]")
    }
    assert set(shown) == set(CATALOGUE.vocabulary["verdict"]) == set(palette.VERDICTS)
    assert len(set(shown.values())) == len(shown)


def test_flipping_an_interval_flips_sentence_shape_word_and_colour(tables: dict[str, pl.DataFrame]) -> None:
    """The cores are worse; were it the other way round, every trace of `worse` would be gone."""
    key = {"measurement_year": 2025, "indicator_id": "experienced_health", "breakdown": "total"}
    pair = {"region_code": "URBAN_CORE", "comparator_code": "RURAL"}
    is_row = pl.all_horizontal(*(pl.col(name) == value for name, value in (key | pair).items()))
    (before,) = tables["comparison"].filter(is_row).to_dicts()
    assert before["verdict"] == "worse"
    flipped = tables["comparison"].with_columns(
        pl.when(is_row).then(-pl.col("difference")).otherwise("difference").alias("difference"),
        pl.when(is_row).then(-pl.col("difference_ci_high")).otherwise("difference_ci_low").alias("difference_ci_low"),
        pl.when(is_row).then(-pl.col("difference_ci_low")).otherwise("difference_ci_high").alias("difference_ci_high"),
        pl.when(is_row).then(pl.lit("better")).otherwise("verdict").alias("verdict"),
    )
    site = site_of({**tables, "comparison": flipped}, FEW)
    claim = "difference:2025:experienced_health:URBAN_CORE:RURAL"
    (said,) = site.pages["indicators/experienced_health.html"].xpath(f"//*[@data-claim='{claim}']")
    assert "aantoonbaar beter" in said.text_content()
    rows = site.pages["cores-and-rural.html"].xpath("//tr[.//a[contains(@href, 'experienced_health.html')]]")
    (cell,) = rows[0].xpath("./td[3]")
    (verdict,) = cell.xpath(".//*[contains(@class, 'verdict')]")
    assert verdict.get("class") == "verdict better"
    assert "▲" in verdict.text_content()
    assert "aantoonbaar beter" in verdict.text_content()
    assert "−" not in cell.xpath(".//data")[0].text
    assert "aantoonbaar beter" in site.text("charts/cores_differences.svg")


def test_colours_are_those_of_the_palette(site: Site) -> None:
    css = site.text("style.css")
    for name, shade in (
        ("ink", palette.INK),
        ("grey", palette.GREY),
        ("orange", palette.ORANGE),
        ("blue", palette.BLUE),
        ("green", palette.GREEN),
    ):
        assert re.findall(rf"--{name}: (#[0-9a-f]{{6}})", css)[:2] == [shade.light, shade.dark]


# Machado, Oliveira and Fernandes (2009), doi 10.1109/TVCG.2009.113, severity 1: linear RGB as each deficiency sees it.
DEFICIENCIES = {
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}


def linear(colour: str) -> list[float]:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]


def lab(rgb: list[float]) -> tuple[float, float, float]:
    """CIE L*a*b* of linear RGB, D65."""
    matrix = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
    xyz = [sum(m * c for m, c in zip(row, rgb, strict=True)) for row in matrix]
    x, y, z = (
        max(v / w, 0) ** (1 / 3) if v / w > 0.008856 else 7.787 * max(v / w, 0) + 16 / 116
        for v, w in zip(xyz, (0.9505, 1.0, 1.089), strict=True)
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def as_seen(rgb: list[float], deficiency: tuple[tuple[float, ...], ...]) -> list[float]:
    return [max(0.0, sum(m * c for m, c in zip(row, rgb, strict=True))) for row in deficiency]


def luminance(colour: str) -> float:
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear(colour), strict=True))


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
@pytest.mark.parametrize("ground", ["light", "dark"])
def test_better_and_worse_are_told_apart_by_who_sees_fewer_colours(deficiency: str, ground: str) -> None:
    """Far more than the just noticeable difference (about 2.3) between any two colours that carry a meaning."""
    colours = [getattr(shade, ground) for shade in (palette.ORANGE, palette.BLUE, palette.GREY)]
    seen = [
        lab(
            [max(0.0, sum(m * c for m, c in zip(row, linear(colour), strict=True))) for row in DEFICIENCIES[deficiency]]
        )
        for colour in colours
    ]
    for index, first in enumerate(seen):
        for second in seen[index + 1 :]:
            assert sum((a - b) ** 2 for a, b in zip(first, second, strict=True)) ** 0.5 > 15


@pytest.mark.parametrize("ground", ["light", "dark"])
def test_signs_stand_out_from_the_ground(ground: str) -> None:
    """WCAG 2.2, 1.4.11: at least 3 to 1."""
    paper = luminance(getattr(palette.PAPER, ground))
    for shade in (palette.ORANGE, palette.BLUE, palette.GREEN, palette.GREY, palette.ALARM):
        light, dark = sorted([luminance(getattr(shade, ground)), paper], reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 3


# --- pictures


def test_every_picture_has_a_text_that_says_the_same_in_the_page_and_in_the_file(site: Site) -> None:
    seen = 0
    for path, page in site.pages.items():
        for image in page.iter("img"):
            alt, folder = image.get("alt"), Path(path).parent
            file = (folder / image.get("src")).as_posix()
            svg = site.drawn(_normal(file))
            assert svg.xpath("string(//desc)") == alt
            assert svg.xpath("string(//title)")
            assert len(alt) > 60
            seen += 1
    assert seen > 200


def _normal(path: str) -> str:
    parts: list[str] = []
    for part in path.split("/"):
        parts = parts[:-1] if part == ".." else [*parts, part]
    return "/".join(parts)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("indicator", ["experienced_health", "income_standardised_mean", "net_labour_participation"])
def test_the_text_of_a_picture_states_the_numbers_of_the_table(site: Site, indicator: str, language: str) -> None:
    folder = "" if language == "nl" else "en/"
    page = site.pages[f"{folder}indicators/{indicator}.html"]
    (image,) = page.xpath(f"//img[contains(@src, '{indicator}_dots')]")
    table = page.xpath("//table")[0]
    named = {code: site.view.catalogue.region.municipalities[code] for code in site.view.municipalities}
    for code, name in named.items():
        (row,) = table.xpath(f".//tr[th//text()='{name}']")
        numbers = [d.text for d in row.xpath("./td[1]//data[not(@data-col='n')]")]
        said = re.search(rf"{re.escape(name)} ([^;]*?)(?:;|\. [TF])", image.get("alt"))
        assert said is not None
        assert re.findall(r"−?\d[\d.,]*\d|\d", said[1]) == numbers, (code, said[1])


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_text_of_a_line_names_each_figure_once_in_its_own_period(site: Site, language: str) -> None:
    """Participation of 2022 is carried to 2025: one point is drawn, and no flat line is told."""
    rows = site.view.tables["indicator_value"].filter(
        indicator_id="net_labour_participation", region_code="TWENTE", breakdown="total"
    )
    assert (rows["measurement_year"].n_unique(), rows["reference_period"].unique().to_list()) == (4, ["2022"])
    page = site.pages[("" if language == "nl" else "en/") + "indicators/net_labour_participation.html"]
    (told,) = page.xpath("//img[contains(@src, '_years')]/@alt")
    assert "2022: " in told
    assert not re.findall(r"\b202[345]: ", told)


def test_a_drawn_picture_shows_the_numbers_of_its_text(site: Site) -> None:
    """Beside every dot stands the value that the text of the picture names."""
    for language, folder in (("nl", ""), ("en", "en/")):
        svg = site.drawn(f"{folder}charts/income_standardised_mean_dots.svg")
        drawn = {text.text_content() for text in svg.iter("text")}
        row = site.view.value("income_standardised_mean", "GM0153")
        assert row is not None
        shown = number(row["value"], 1, language)
        assert shown in drawn
        assert shown in svg.xpath("string(//desc)")


def test_english_pictures_hold_no_dutch_words(site: Site) -> None:
    dutch = {group.name_nl for group in CATALOGUE.region.groups} | {CATALOGUE.region.rest_name_nl}
    dutch |= {term.label_nl for term in CATALOGUE.vocabulary["status"].values()}
    dutch |= {theme.name_nl for theme in CATALOGUE.themes if theme.name_nl != theme.name_en}
    for path in (path for path in site.files if path.startswith("en/charts/")):
        drawn = {text.text_content().lower() for text in site.drawn(path).iter("text")}
        assert not drawn & {word.lower() for word in dutch}, path


# --- the site as a whole


def test_both_languages_have_the_same_pages(site: Site) -> None:
    dutch = {path for path in site.pages if not path.startswith("en/")}
    assert {f"en/{path}" for path in dutch} == set(site.pages) - dutch
    for path, page in site.pages.items():
        assert page.get("lang") == language_of(path)
        assert len(page.xpath("//h1")) == 1


def test_every_link_leads_to_a_file_of_the_edition(site: Site, edition: Path) -> None:
    """Also from a folder or a USB stick: relative, and never to an outside address."""
    beside = {"btg.xlsx", "quality/index.html", "quality/changes.html"}
    beside |= {f"csv/{name}.csv" for name in CATALOGUE.registry.tables}
    beside |= {f"parquet/{name}.parquet" for name in CATALOGUE.registry.tables}
    beside |= {f"report/{code}.pdf" for code in site.view.areas}
    beside |= {f"report/{path.name}" for path in progress_report(edition)}
    for path, page in site.pages.items():
        for address in page.xpath("//@href | //@src"):
            assert not re.match(r"[a-z]+:|//", address), (path, address)
            if address.startswith("#"):
                continue
            target = _normal((Path("site") / Path(path).parent / address.partition("#")[0]).as_posix())
            inside = target.removeprefix("site/")
            assert inside in site.files if target.startswith("site/") else target in beside, (path, address)


def test_nothing_names_an_outside_address(site: Site) -> None:
    for path, content in site.files.items():
        addresses = set(re.findall(rb"https?://[^\s\"'<>)]+", content)) if not path.startswith("data/") else set()
        namespaces = {a for a in addresses if a.startswith((b"http://www.w3.org/", b"http://purl.org/"))}
        assert addresses == namespaces, path


def test_there_is_no_script_or_style_inside_a_page(site: Site) -> None:
    """The server allows none (CSP), so none may be needed."""
    for path, page in site.pages.items():
        assert not page.xpath("//script[not(@src)] | //style | //@style | //@onclick | //@onload"), path


def test_a_page_weighs_at_most_300_kb_with_its_pictures(site: Site) -> None:
    shared = sum(len(site.files[name]) for name in ("style.css", "sort.js"))
    for path, page in site.pages.items():
        images = {_normal((Path(path).parent / image.get("src")).as_posix()) for image in page.iter("img")}
        weight = len(site.files[path]) + shared + sum(len(site.files[image]) for image in images)
        assert weight <= 300 * KIB, (path, weight)


def test_equal_tables_make_the_same_bytes(tables: dict[str, pl.DataFrame]) -> None:
    assert site_of(tables, FEW).files == site_of(tables, FEW).files


def test_every_text_is_used() -> None:
    """No text that nobody reads: but for sentences (tested with their grammar), each is named somewhere."""
    source = "\n".join(
        path.read_text(encoding="utf-8")
        for folder in ("reports", "assets")
        for path in Path(folder).rglob("*")
        if path.suffix in {".py", ".j2", ".css", ".js"}
    )
    made_of_parts = (
        "claim_",
        "attention_",
        "methods_",
        "polarity_",
        "points_",
        "overall_",
        "reason_",
        "legend_",
        "count_",
        "report_",
    )
    unused = [
        key
        for key in texts("nl")
        if not key.startswith(made_of_parts) and not re.search(rf"\b{re.escape(key)}\b", source)
    ]
    assert not unused


# --- the programme

PROGRAMME = CATALOGUE.programme
assert PROGRAMME is not None
PROGRAMME_PAGES = {"nl": "programme.html", "en": "en/programme.html"}


def words_in(element: lxml.html.HtmlElement) -> str:
    return " ".join(element.text_content().split())


def rows_of_targets(site: Site, language: str) -> dict[str, lxml.html.HtmlElement]:
    page = site.pages[PROGRAMME_PAGES[language]]
    return {row.get("data-target"): row for row in page.xpath("//tr[@data-target]")}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_on_the_programme_has_every_result_and_line(site: Site, language: str) -> None:
    """Each with its verdict by shape and word, its reason, and its sentence."""
    words = Words(CATALOGUE, language)
    page, shown = site.pages[PROGRAMME_PAGES[language]], rows_of_targets(site, language)
    assert list(shown) == [target.target_id for target in PROGRAMME.targets]
    for row in site.view.rows("target_progress", year=2025):
        name = row["target_id"]
        (verdict,) = shown[name].xpath(".//*[contains(@class, 'verdict')]")
        label = words.label("target_status", row["status"])
        assert words_in(verdict) == f"{palette.SIGNS[row['status']].shape} {label}"
        assert verdict.get("class") == f"verdict {row['status']}"
        assert row["reason"] is None or words.label("target_reason", row["reason"]) in words_in(shown[name])
        assert len(page.xpath(f"//*[@data-claim='target:2025:{name}']")) == 1
        invented = words.label("warning", "synthetic") in words_in(shown[name])
        assert invented == row["synthetic"]
    headings = [words_in(heading) for heading in page.xpath("//main//h3")]
    for line in {target.line_id for target in PROGRAMME.targets}:
        assert any(heading.startswith(f"{line} ") for heading in headings), line
    for row in site.view.rows("deadline"):
        (said,) = page.xpath(f"//tr[th//*[@data-row='deadline|{row.key}']]/td[1]")
        assert row[f"text_{language}"] in words_in(said)
        assert row["report_year"] is None or words_in(said).endswith(f" {row['report_year']}")
    assert page.xpath("//*[@data-claim='count_target:2025:TOTAL']")


def test_every_number_of_a_result_is_on_the_page(site: Site) -> None:
    shown = rows_of_targets(site, "nl")
    targets = {row["target_id"]: row for row in site.view.rows("target")}
    for row in site.view.rows("target_progress", year=2025):
        target, found = targets[row["target_id"]], shown[row["target_id"]]
        wanted = {name: row[name] for name in ("achieved", "planned") if row[name] is not None}
        if row["achieved"] is not None:
            wanted |= {name: target[name] for name in ("threshold", "baseline_value") if target[name] is not None}
        seen = {datum.get("data-col"): float(datum.get("value")) for datum in found.iter("data")}
        assert wanted.items() <= seen.items(), row["target_id"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_result_from_a_sample_has_its_test_and_why_it_is_judged_so(site: Site, language: str) -> None:
    columns = ["baseline_estimate", "baseline_n", "estimate", "n", "wave_change", "limit_low", "limit_high", "margin"]
    for row in site.view.rows("policy_indicator", year=2025):
        page = site.pages[PROGRAMME_PAGES[language]]
        (section,) = page.xpath(f"//section[h3/@id='test-{row['target_id']}']")
        seen = {datum.get("data-col"): float(datum.get("value")) for datum in section.iter("data")}
        assert {*columns, "margin_found"} <= set(seen)
        assert ("power" in seen) == (row["margin"] > 0)
        assert row[f"reason_{language}"] in words_in(section)
        assert row[f"about_{language}"] in words_in(section)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_agreed_amounts_are_those_of_the_table(site: Site, language: str) -> None:
    page = site.pages[PROGRAMME_PAGES[language]]
    shown = {
        row.get("data-line"): [float(datum.get("value")) for datum in row.iter("data")]
        for row in page.xpath("//tr[@data-line]")
    }
    budget = {
        (row["line_id"], row["financing_source"]): row["budget"] for row in site.view.rows("budget_progress", year=2025)
    }
    lines = [line.line_id for line in PROGRAMME.lines]
    assert shown == {
        line: [budget[line, source] for source in ("state", "regional", "total")] for line in [*lines, "TOTAL"]
    }
    (agreement,) = PROGRAMME.agreements
    assert shown["TOTAL"] == pytest.approx([agreement.total_state * 1e6, agreement.total_regional * 1e6, 50e6])
    assert [words_in(cell) for cell in page.xpath("//tr[@data-line='1.1']/td")] == {
        "nl": ["€ 8,9 mln", "€ 10,9 mln", "€ 19,8 mln"],
        "en": ["€ 8.9 million", "€ 10.9 million", "€ 19.8 million"],
    }[language]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_picture_of_money_says_what_the_tables_beside_it_say(site: Site, language: str) -> None:
    page = site.pages[PROGRAMME_PAGES[language]]
    (told,) = page.xpath("//img[contains(@src, 'programme_money')]/@alt")
    for row in site.view.rows("budget_progress", pl.col("financing_source").is_in(["state", "regional"]), year=2025):
        if row["line_id"] == "TOTAL":
            continue
        shown = {
            datum.get("data-col"): datum.text
            for datum in page.xpath(f"//*[@data-row='{row.table}|{row.key}']/data")
            if datum.get("data-col") in {"budget", "committed", "paid"}
        }
        assert len(shown) == 3
        source = Words(CATALOGUE, language).label("financing_source", row["financing_source"])
        amounts = dict(source=source, **shown)
        assert texts(language)["alt_amounts"].format(**amounts) in told, row.key
    assert Words(CATALOGUE, language).label("warning", "synthetic") in told.lower()


def test_a_flipped_verdict_flips_sentence_shape_and_word(tables: dict[str, pl.DataFrame]) -> None:
    is_row = (pl.col("year") == 2025) & (pl.col("target_id") == "value_chains")
    (before,) = tables["target_progress"].filter(is_row).to_dicts()
    assert before["status"] == "on_course"
    flipped = tables["target_progress"].with_columns(
        status=pl.when(is_row).then(pl.lit("behind")).otherwise("status"),
        planned=pl.when(is_row).then(pl.lit(2.0)).otherwise("planned"),
    )
    site = site_of({**tables, "target_progress": flipped}, FEW)
    (verdict,) = rows_of_targets(site, "nl")["value_chains"].xpath(".//*[contains(@class, 'verdict')]")
    assert verdict.get("class") == "verdict behind"
    assert words_in(verdict) == "◄ achter op de planning"
    (said,) = site.pages["programme.html"].xpath("//*[@data-claim='target:2025:value_chains']")
    assert "Oordeel: achter op de planning." in words_in(said)


def test_what_nobody_stated_is_said_and_drawn_as_nothing(tables: dict[str, pl.DataFrame]) -> None:
    """Without a register nothing is counted and no amount is known; what was agreed stands."""
    empty = {name: pl.lit(None, dtype=pl.Float64) for name in ("committed", "paid", "forecast", "received", "share")}
    nothing = {"as_of": pl.lit(None, dtype=pl.String), "synthetic": pl.lit(value=False)}
    budget = tables["budget_progress"].with_columns(**empty, **nothing, warning=pl.lit(None, dtype=pl.String))
    progress = tables["target_progress"].with_columns(
        **nothing,
        achieved=pl.lit(None, dtype=pl.Float64),
        planned=pl.lit(None, dtype=pl.Float64),
        status=pl.lit("not_decidable"),
        reason=pl.lit("no_register"),
    )
    none = {name: tables[name].clear() for name in ("project", "milestone", "policy_indicator")}
    site = site_of({**tables, **none, "budget_progress": budget, "target_progress": progress}, FEW)
    assert "niet opgegeven" in site.drawn("charts/programme_money.svg").text_content()
    assert "not stated" in {text.text_content() for text in site.drawn("en/charts/programme_money.svg").iter("text")}
    assert "Verzonnen" not in site.text("charts/programme_money.svg")
    row = rows_of_targets(site, "nl")["sme_active"]
    assert words_in(row.xpath("./td[1]")[0]) == "? niet te zeggen geen opgave"
    assert words_in(row.xpath("./td[2]")[0]) == "niet opgegeven"
    assert len(site.pages["programme.html"].xpath("//tr[@data-line]//data")) == 3 * 8


def test_names_of_projects_are_shown_as_they_are_written(tables: dict[str, pl.DataFrame]) -> None:
    odd = 'Net <b>in</b> "Balans" & meer'
    project = tables["project"].with_columns(name=pl.lit(odd), bureau=pl.lit(odd))
    site = site_of({**tables, "project": project}, FEW)
    for path in PROGRAMME_PAGES.values():
        assert not site.pages[path].xpath("//main//b")
        shown = [words_in(element) for element in site.pages[path].xpath("//tr/th/span[1] | //tr/th/span/span")]
        assert shown.count(odd) == 2 * project.height
    assert site.pages["en/programme.html"].xpath("//th/*[@lang='nl']")


def test_what_is_past_is_so_for_the_day_the_edition_was_made(tables: dict[str, pl.DataFrame]) -> None:
    """Never for today: an edition says the same whenever it is opened."""

    def passed(made_on: str) -> dict[str, bool]:
        edition = tables["edition"].with_columns(created_at=pl.lit(f"{made_on}T12:00:00+00:00"))
        page = site_of({**tables, "edition": edition}, FEW).pages["programme.html"]
        rows = page.xpath("//tr[th//time[@data-col='due']]")
        return {row.xpath("string(th//time/@datetime)"): row.xpath("string(td[3])") == "voorbij" for row in rows}

    days = passed("2026-07-14")
    assert len(days) == tables["deadline"]["due"].n_unique()
    assert days == {day: day < "2026-07-14" for day in days}
    assert passed("2026-07-15")["2026-07-14"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_the_report_lacks_is_listed_and_its_files_are_there(site: Site, edition: Path, language: str) -> None:
    page, words = site.pages[PROGRAMME_PAGES[language]], Words(CATALOGUE, language)
    lacking = [row for row in site.view.rows("report_requirement", year=2025) if not row["met"]]
    section = page.xpath("//table[caption[contains(., '2025')]]")[-1]
    shown = [words_in(cell) for cell in section.xpath(".//tbody/tr/td[1]")]
    assert sorted(shown) == sorted(words.label("requirement", row["requirement"]) for row in lacking) != []
    linked = {Path(address).name for address in page.xpath("//main//a/@href") if "/report/" in address}
    assert linked == {path.name for path in progress_report(edition)}
    assert len(linked) == 6


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_programme_is_in_the_menu_and_on_the_home_page(site: Site, language: str) -> None:
    home = site.pages["index.html" if language == "nl" else "en/index.html"]
    assert home.xpath("//nav//a[@href='programme.html']")
    assert home.xpath("//main//a[@href='programme.html']")
    assert home.xpath("//main//*[@data-claim='count_target:2025:TOTAL']")


@pytest.mark.parametrize(
    "programme", [None, PROGRAMME.model_copy(update={"last_report_year": 2024})], ids=["no programme", "another year"]
)
def test_without_a_programme_there_is_no_page_and_no_word_of_it(
    tables: dict[str, pl.DataFrame], programme: object
) -> None:
    site = site_of(tables, FEW.model_copy(update={"programme": programme}))
    assert not [path for path in site.files if "programme" in path]
    assert not [path for path in site.pages if b"programme.html" in site.files[path]]
    assert "count_target" not in site.text("index.html")


# --- what must be known of a figure stands beside it


def cell_of(site: Site, page: str, indicator: str, column: int) -> str:
    """The words of a cell in the row of an indicator."""
    (row,) = site.pages[page].xpath(f"//main//tr[th//a[contains(@href, '/{indicator}.html')]]")
    return " ".join(row.xpath("td")[column].text_content().split())


def test_a_cell_says_what_must_be_known_of_its_figure(site: Site) -> None:
    health = cell_of(site, "index.html", "perceived_health_good", 0)
    assert all(word in health for word in ("ouder cijfer", "nieuwer cijfer bestaat", "coronaperiode"))
    assert "voorlopig" in cell_of(site, "compare.html", "income_standardised_mean", 1)
    assert "antwoorden" in cell_of(site, "compare.html", "experienced_health", 1)


def test_a_figure_without_answers_of_its_own_says_so(site: Site) -> None:
    rows = {row["indicator_id"]: row for row in site.view.rows("indicator_value", region_code="GM0183",
            measurement_year=2025, breakdown="total", status="estimated")}  # fmt: skip
    without = {name for name, row in rows.items() if row["n"] is None}
    assert without < set(rows)
    for name in rows:
        said = "zonder eigen antwoorden" in cell_of(site, "regions/GM0183.html", name, 0)
        assert said == (name in without), name


def test_a_verdict_says_that_a_figure_is_missing_and_that_prices_rose(site: Site) -> None:
    assert cell_of(site, "regions/TWENTE.html", "loneliness", 1) == "? niet te zeggen geen cijfer"
    assert "geen cijfer" not in cell_of(site, "regions/TWENTE.html", "net_labour_participation", 1)
    assert "niet gecorrigeerd voor prijzen" in cell_of(site, "regions/TWENTE.html", "dwelling_value_mean", -1)
    assert "niet gecorrigeerd voor prijzen" not in cell_of(site, "regions/TWENTE.html", "experienced_health", -1)


def test_a_moved_relative_difference_is_in_percentage_points(site: Site) -> None:
    assert "procentpunt" in cell_of(site, "cores-and-rural.html", "income_standardised_mean", 4)
    assert "procentpunt" not in cell_of(site, "cores-and-rural.html", "experienced_health", 4)


# --- whether it can be trusted


def test_what_every_check_asks_attention_for_is_said_in_words_of_readers(site: Site) -> None:
    known = {key.removeprefix("attention_") for key in texts("nl") if key.startswith("attention_")}
    asked = set(site.view.tables["check_result"].filter(severity="warning")["check_id"])
    assert known == asked | {"last_fetch_succeeded", "other"}  # of the demo nothing is fetched


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_on_quality_names_the_figures_that_changed_unusually(site: Site, language: str) -> None:
    page = site.pages["quality.html" if language == "nl" else "en/quality.html"]
    section = next(
        section
        for section in page.xpath("//main//section")
        if section.xpath("string(h3)") == texts(language)["attention_unusual_change"]
    )
    pointed_out = site.view.tables["check_result"].filter(check_id="unusual_change")["rows_failed"].sum()
    assert len(section.xpath("div//tbody/tr")) == pointed_out > 0
    assert len(section.xpath("div//tbody//data[@data-col='value']")) == pointed_out
    english = page.xpath("//details//td[@lang='en']")
    assert len(english) == site.view.tables["check_result"].filter(~pl.col("passed")).height


def test_a_check_without_words_is_named(tables: dict[str, pl.DataFrame]) -> None:
    checks = tables["check_result"]
    new = checks.head(1).with_columns(check_id=pl.lit("brand_new"), passed=pl.lit(value=False))
    page = site_of({**tables, "check_result": pl.concat([checks, new])}, FEW).pages["quality.html"]
    assert "brand_new" in page.xpath("string(//main//h3[1])")


# --- what is missing, long or unusual


def test_an_indicator_without_any_value_has_a_page_that_says_so(site: Site) -> None:
    page = site.pages["indicators/loneliness.html"]
    assert texts("nl")["no_values"] in page.text_content()
    assert not page.xpath("//img")
    assert "nog niet opgehaald" in page.text_content()
    assert not page.xpath("//data[@data-col='value']")


def test_a_suppressed_figure_is_called_so_and_shows_no_number(tables: dict[str, pl.DataFrame]) -> None:
    is_meant = {"indicator_id": "experienced_health", "region_code": "GM0183", "breakdown": "total"}
    hidden = pl.all_horizontal(*(pl.col(name) == value for name, value in is_meant.items()))
    empty = ["value", "ci_low", "ci_high", "n", "standard_error"]
    values = tables["indicator_value"].with_columns(
        *(pl.when(hidden).then(None).otherwise(pl.col(name)).alias(name) for name in empty),
        status=pl.when(hidden).then(pl.lit("suppressed")).otherwise("status"),
    )
    site = site_of({**tables, "indicator_value": values}, FEW)
    (row,) = site.pages["indicators/experienced_health.html"].xpath("//table[1]//tr[th//text()='Tubbergen']")
    assert "afgeschermd" in row.text_content()
    assert not row.xpath(".//data")
    assert "Tubbergen afgeschermd" in site.pages["indicators/experienced_health.html"].xpath("//img/@alt")[0]
    assert "suppressed" in site.pages["en/indicators/experienced_health.html"].text_content()


def test_a_municipality_with_figures_of_one_year_shows_why_the_others_are_missing(
    tables: dict[str, pl.DataFrame],
) -> None:
    gone = (pl.col("region_code") == "GM0183") & (pl.col("measurement_year") != 2025)
    values = tables["indicator_value"].with_columns(
        value=pl.when(gone).then(None).otherwise("value"),
        status=pl.when(gone).then(pl.lit("not_measured")).otherwise("status"),
    )
    site = site_of({**tables, "indicator_value": values}, FEW)
    own = site.pages["regions/GM0183.html"]
    assert own.xpath("//img")
    assert "Tubbergen" in own.xpath("string(//h1)")
    rows = [site.view.value("experienced_health", "GM0183", year) for year in site.view.years]
    assert [row is not None and row["value"] is None for row in rows] == [True, True, True, False]
    assert own.xpath("//tr[.//a[contains(@href, 'experienced_health.html')]]//data[@data-col='value']")


LONG = "Sint-Anthonis aan de Wilhelminakanaalzone en Omliggende Kernen"


def test_a_name_of_sixty_characters_fits(tables: dict[str, pl.DataFrame]) -> None:
    named = {**CATALOGUE.region.municipalities, "GM0183": LONG}
    catalogue = FEW.model_copy(update={"region": CATALOGUE.region.model_copy(update={"municipalities": named})})
    region = tables["region"].with_columns(
        name=pl.when(pl.col("region_code") == "GM0183").then(pl.lit(LONG)).otherwise("name")
    )
    site = site_of({**tables, "region": region}, catalogue)
    assert len(LONG) >= 60
    assert site.pages["regions/GM0183.html"].xpath("string(//h1)") == f"Geluksrapport {LONG}"
    assert LONG in site.pages["indicators/experienced_health.html"].text_content()


def test_an_indicator_that_is_neither_good_nor_bad_says_higher_and_lower(site: Site) -> None:
    page = site.pages["indicators/dwelling_value_mean.html"]
    classes = {verdict.get("class").split()[-1] for verdict in page.xpath("//table//*[contains(@class, 'verdict')]")}
    assert classes & {"higher", "lower"}
    assert not classes & {"better", "worse"}
    assert texts("nl")["polarity_0"] in page.text_content()


def test_what_is_not_translated_is_shown_in_dutch_and_marked_so(tables: dict[str, pl.DataFrame]) -> None:
    untranslated = [
        i.model_copy(update={"name_en": "", "definition_en": ""}) if i.indicator_id == "experienced_health" else i
        for i in FEW.indicators
    ]
    site = site_of(tables, FEW.model_copy(update={"indicators": untranslated}))
    page = site.pages["en/indicators/experienced_health.html"]
    dutch = page.xpath("//main//*[@lang='nl']")
    assert any("Hoe inwoners" in element.text_content() for element in dutch)
    assert page.xpath("string(//h1)") == CATALOGUE.indicator("experienced_health").name_nl


def test_a_region_without_groups_survey_and_outlines_has_a_site_too(tables: dict[str, pl.DataFrame]) -> None:
    bare = CATALOGUE.region.model_copy(update={"groups": [], "contrasts": []})
    official = pl.col("framework") == "cbs"
    less = {
        **tables,
        "framework_element": tables["framework_element"].filter(official),
        "region": tables["region"].with_columns(geometry_wkb=pl.lit(None, dtype=pl.Binary)),
        "peer": tables["peer"].clear(),
    }
    site = site_of(less, FEW.model_copy(update={"region": bare}))
    assert texts("nl")["cores_none"] in site.pages["cores-and-rural.html"].text_content()
    assert not [path for path in site.files if path.endswith("_map.svg")]
