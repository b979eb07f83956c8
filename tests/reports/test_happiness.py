"""The happiness reports say what the tables say, to everybody who reads them, in every form they have."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pikepdf
import polars as pl
import pypdf
import pytest
from defusedxml.ElementTree import fromstring
from docx import Document
from odfdo import Document as OpenDocument

from catalog import Catalogue, load_catalogue
from catalog.model import Indicator
from pipelines.pdf_tags import pdf_faults
from reports import happiness as reports_of
from reports.charts.texts import MONTHS
from reports.claims import claims
from reports.document.model import Bullets, Picture, Report, Section, Table
from reports.document.opendocument import odt
from reports.document.typeset import Typesetter
from reports.document.word import docx
from reports.happiness import reports, slugs, write_reports
from reports.happiness.content import report
from reports.happiness.subject import Subject
from reports.happiness.texts import _texts
from reports.view import View
from reports.words import Words

FORMS = ("pdf", "docx", "odt")
CHOSEN = {"GM0153": "enschede", "GM0183": "tubbergen", "GM1735": "hof-van-twente", "TWENTE": "twente"}
BANNER = "Verzonnen voorbeeld - dit zijn geen echte cijfers"
SHAPES = {
    "better": "▲", "worse": "▼", "higher": "△", "lower": "▽", "no_demonstrable_difference": "○",
    "not_decidable": "?", "not_comparable": "≠", "no_new_measurement": "–",
}  # fmt: skip
LONG = "Sint-Annaland en Oud-Vossemeer aan de Oosterschelde en Omstreken"
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")

Tables = dict[str, pl.DataFrame]


@dataclass(frozen=True)
class Made:
    """All reports of the edition, written once."""

    view: View
    folder: Path

    def path(self, slug: str, form: str = "pdf") -> Path:
        """The file of a report."""
        return self.folder / f"geluksrapport_{slug}.{form}"

    @property
    def slugs(self) -> list[str]:
        """The names of all reports."""
        return [path.stem.removeprefix("geluksrapport_") for path in sorted(self.folder.glob("*.pdf"))]


@pytest.fixture(scope="module")
def tables(edition: Path) -> Tables:
    folder = edition / "editions" / "2025-draft" / "parquet"
    return {path.stem: pl.read_parquet(path) for path in folder.glob("*.parquet")}


@pytest.fixture(scope="module")
def view(tables: Tables) -> View:
    return View(tables, load_catalogue())


@pytest.fixture(scope="module")
def made(view: View, tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("report")
    write_reports(view, folder)
    return Made(view, folder)


# --- the texts of the files


def text_of(path: Path) -> str:
    """The text of a report as a reader meets it, in one line, without what stands at the edges of every page."""
    if path.suffix == ".pdf":
        return _flat("\n".join(_without_edges(page) for page in pypdf.PdfReader(path).pages))
    with zipfile.ZipFile(path) as archive:
        content = fromstring(archive.read("word/document.xml" if path.suffix == ".docx" else "content.xml"))
    for frame in [*content.iter(f"{{{_NS['draw']}}}frame")]:
        frame.clear()  # the words in the place of a picture
    paragraphs = (part for part in content.iter() if part.tag in _PARAGRAPHS)
    return _flat("\n".join("".join(part.itertext()) for part in paragraphs))


_NS = {
    "w": "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    "text": "urn:oasis:names:tc:opendocument:xmlns:text:1.0",
    "draw": "urn:oasis:names:tc:opendocument:xmlns:drawing:1.0",
}
_PARAGRAPHS = {f"{{{_NS['w']}}}p", f"{{{_NS['text']}}}p", f"{{{_NS['text']}}}h"}


def _without_edges(page: pypdf.PageObject) -> str:
    first, *lines, last = page.extract_text().strip().split("\n")
    assert re.fullmatch(r"Geluksrapport .+ · meetjaar 2025(?: .+)?", first.strip())
    assert re.fullmatch(r"Bladzijde \d van \d", last.strip())
    return "\n".join(lines)


def _flat(text: str) -> str:
    return re.sub(r"\s+", " ", text.replace("\xa0", " ")).strip()


# --- what must stand there, made from the tables alone


@dataclass(frozen=True)
class Expected:
    """The strings with figures that a report must hold, in the test's own words; no code of the reports is asked."""

    tables: Mapping[str, pl.DataFrame]
    catalogue: Catalogue
    code: str

    @cached_property
    def names(self) -> dict[str, str]:
        region = self.catalogue.region
        groups = {g.code: g.name_nl for g in region.groups}
        return region.municipalities | groups | {"TWENTE": "Twente", "NL_REST": "rest van Nederland"}

    def row(self, table: str, **key: Any) -> dict[str, Any]:
        found = self.tables[table].filter(**({"measurement_year": 2025, "breakdown": "total"} | key)).to_dicts()
        return found[0] if found else {}

    def label(self, vocabulary: str, word: str, change: bool = False) -> str:
        term = self.catalogue.vocabulary[vocabulary][word]
        return str((change and term.label_change_nl) or term.label_nl)

    # figures

    def number(self, value: float, indicator: Indicator, row: dict[str, Any] | None = None) -> str:
        if indicator.unit == "score":
            return _comma(1 + 9 * value, 1)
        # RIVM publishes whole percentages of municipalities: a decimal would promise what is not known.
        whole = row is not None and "whole_percent" in row["warnings"] and row["region_code"].startswith("GM")
        return _comma(value, 0 if whole else indicator.decimals)

    def figure(self, row: dict[str, Any], indicator: Indicator) -> str:
        if row["value"] is None:
            return self.label("status", row["status"]) if indicator.unit == "score" else "geen cijfer"
        if row["ci_low"] is not None:
            low, high = (self.number(row[end], indicator, row) for end in ("ci_low", "ci_high"))
            return f"{self.number(row['value'], indicator, row)} (tussen {low} en {high})"
        kind = next(s.kind for s in indicator.sources if s.source_table == row["source_table"])
        why = {"register": "volledige telling"}.get(kind, "onzekerheid onbekend")
        return f"{self.number(row['value'], indicator, row)} ({why})"

    def answers(self, row: dict[str, Any]) -> str:
        if row["n"] is not None:
            return _comma(row["n"], 0)
        experienced = self.catalogue.indicator(row["indicator_id"]).layer == "experienced"
        return "niet gebruikt" if experienced and row["status"] == "estimated" else "niet gegeven"

    def verdict(self, row: dict[str, Any], note: str = "", change: bool = False) -> str:
        if not row:
            return "niet vergeleken"
        sides = ("value", "comparator_value", "baseline_value")
        if row["verdict"] == "not_decidable" and any(row.get(side, 0) is None for side in sides):
            note = "; ".join(filter(None, ("geen cijfer", note)))
        said = f"{SHAPES[row['verdict']]} {self.label('verdict', row['verdict'], change)}"
        return f"{said} ({note})" if note else said

    def against(self, indicator: Indicator, other: str) -> str:
        row = self.row("comparison", indicator_id=indicator.indicator_id, region_code=self.code, comparator_code=other)
        value = row["comparator_value"]
        return self.verdict(row, "" if value is None else self.number(value, indicator))

    def since(self, indicator: Indicator, code: str | None = None, note: bool = True) -> str:
        key = {"indicator_id": indicator.indicator_id, "region_code": code or self.code, "quantity": "value"}
        row = self.row("change", **key)
        before, period = row["baseline_value"], row["baseline_reference_period"]
        if before is None or not note:
            return self.verdict(row, change=True)
        said = self.number(before, indicator, row)
        said = said if period == "2022" else f"{period}: {said}"
        return self.verdict(row, said, change=True)

    def labels(self, row: dict[str, Any]) -> list[str]:
        if row["value"] is None:
            return []
        status = [] if row["status"] == "definitive" else [self.label("status", row["status"])]
        return status + [self.label("warning", w) for w in row["warnings"] if w != "no_margin"]

    def value(self, indicator: Indicator, code: str | None = None) -> dict[str, Any]:
        return self.row("indicator_value", indicator_id=indicator.indicator_id, region_code=code or self.code)

    # the parts of a report

    @cached_property
    def indicators(self) -> list[Indicator]:
        counted = set(self.tables["framework_element"].filter(level=1)["element_id"])
        return [i for i in self.catalogue.indicators if i.indicator_id in counted]

    def _with_remarks(self, rows: list[dict[str, Any]]) -> list[str]:
        """The labels of each row that not all rows have."""
        found = [self.labels(row) for row in rows]
        known = [labels for row, labels in zip(rows, found, strict=True) if row["value"] is not None]
        shared = set.intersection(*map(set, known)) if len(known) > 1 else set()
        return ["; ".join(label for label in labels if label not in shared) for labels in found]

    def theme(self, indicator: Indicator) -> str:
        return next(t.name_nl for t in self.catalogue.themes if t.theme_id == indicator.theme_id)

    def decided(self, row: dict[str, Any], indicator: Indicator) -> str:
        """The verdict with the difference and its margin."""
        if row["difference"] is None:
            return self.verdict(row)
        scale = 9 if indicator.unit == "score" else 1
        ends = [row[f"difference{end}"] for end in ("", "_ci_low", "_ci_high")]
        sampled = row["basis"] == "interval" and None not in ends
        decimals = 1 if indicator.unit == "score" else indicator.decimals
        said = [_comma(scale * end, decimals) for end in (ends if sampled else ends[:1])]
        parts = [f"{said[0]} procentpunt" if indicator.is_percentage else said[0]]
        if indicator.unit != "score" and not indicator.is_percentage and row["relative_difference"]:
            parts.append(f"{_comma(row['relative_difference'], 1)}%")
        parts += [f"tussen {said[1]} en {said[2]}"] if sampled else []
        return self.verdict(row, "; ".join(parts))

    def dated(self, indicator: Indicator, row: dict[str, Any]) -> str:
        """An official indicator with its unit, period and status."""
        status = [] if row["status"] == "definitive" else [self.label("status", row["status"])]
        return f"{indicator.name_nl} ({'; '.join([indicator.unit_nl, row['reference_period'], *status])})"

    def dimensions(self) -> Iterator[str]:
        found = [i for i in self.indicators if i.layer == "experienced"]
        rows = [self.value(i) for i in found]
        for i, row, remarks in zip(found, rows, self._with_remarks(rows), strict=True):
            others = [self.against(i, other) for other in ("TWENTE", "NL_REST") if other != self.code]
            n = self.answers(row)
            name = self.theme(i) + (f" ({remarks})" if remarks else "")
            yield " ".join([name, self.figure(row, i), n, *others, self.since(i)])

    def official(self) -> Iterator[str]:
        found = [i for i in self.indicators if i.layer == "official"]
        rows = [self.value(i) for i in found]
        for i, row, remarks in zip(found, rows, self._with_remarks(rows), strict=True):
            period = self.label("status", row["status"]) if row["value"] is None else row["reference_period"]
            when = period + (f" ({remarks})" if remarks else "")
            yield " ".join([self.named(i), self.figure(row, i), when, self.against(i, "NL_REST"), self.since(i)])

    def named(self, indicator: Indicator) -> str:
        return f"{indicator.name_nl} ({indicator.unit_nl})"

    def peers(self) -> Iterator[str]:
        group = f"PEERS_{self.code}"
        for i in self.indicators:
            own, other = self.value(i), self.value(i, group)
            if own["value"] is None or not other or other["value"] is None:
                continue
            key = {"indicator_id": i.indicator_id, "region_code": self.code, "comparator_code": group}
            yield " ".join(
                [
                    self.dated(i, own) if i.layer == "official" else self.theme(i),
                    self.figure(own, i),
                    self.figure(other, i),
                    self.decided(self.row("comparison", **key), i),
                ]
            )
        peers = self.tables["peer"].filter(region_code=self.code).sort("place")
        names = dict(self.tables["region"].select("region_code", "name").rows())
        told = [names[code] for code in peers["peer_code"]]
        yield f"deze gemeenten: {', '.join(told[:-1])} en {told[-1]}."
        yield "landelijkheid (klasse 1-5)"
        yield "inwoners per km2"
        yield from (f"in {period}" for period in dict.fromkeys(re.findall(r" (\d{4})", peers["variables"][0])))
        yield "jonger dan 15 jaar (%)"

    def contrast(self) -> Iterator[str]:
        pair = ("URBAN_CORE", "RURAL")
        for i in self.indicators:
            sides = [self.value(i, code) for code in pair]
            if all(side["value"] is None for side in sides):
                continue
            key = {"indicator_id": i.indicator_id, "region_code": pair[0], "comparator_code": pair[1]}
            # Of amounts in euros only the relative difference is followed.
            quantities = ("difference", "relative_difference")
            found = [self.row("trend", **key, movement="since_baseline", quantity=name) for name in quantities]
            moved = next((row for row in found if row), {})
            name = self.theme(i) if i.layer == "experienced" else self.dated(i, sides[0])
            yield " ".join(
                [
                    name,
                    *(self.figure(side, i) for side in sides),
                    self.decided(self.row("comparison", **key), i),
                    self.verdict(moved, change=True),
                ]
            )
            if moved and moved["verdict"] in ("better", "worse", "higher", "lower"):
                yield self.sentence(f"movement:2025:{i.indicator_id}:URBAN_CORE:RURAL")
        yield self.sentence("count_difference:2025:URBAN_CORE:RURAL")

    def members(self) -> Iterator[str]:
        happy = self.catalogue.indicator("experienced_subjective_wellbeing")
        codes = sorted(self.catalogue.region.municipalities, key=lambda code: self.names[code])
        rows = [self.value(happy, code) for code in codes]
        for code, row, remarks in zip(codes, rows, self._with_remarks(rows), strict=True):
            key = {"indicator_id": happy.indicator_id, "region_code": code, "comparator_code": "NL_REST"}
            n = self.answers(row)
            name = self.names[code] + (f" ({remarks})" if remarks else "")
            verdicts = [self.verdict(self.row("comparison", **key)), self.since(happy, code, note=False)]
            yield " ".join([name, self.figure(row, happy), n, *verdicts])

    def sentence(self, claim_id: str) -> str:
        return str(self.tables["claim"].filter(claim_id=claim_id, language="nl")["sentence"].item())

    def sentences(self) -> Iterator[str]:
        code = self.code
        ids = [f"count_difference:2025:{code}:NL_REST", f"count_change:2025:{code}", f"count_value:2025:{code}"]
        ids += [] if code == "TWENTE" else [f"rank:2025:{framework}:{code}" for framework in ("btg", "cbs")]
        for i in self.indicators:
            if self.value(i)["value"] is None:
                yield i.name_nl  # in the list of what has no figure
                continue
            key = {"indicator_id": i.indicator_id, "region_code": code}
            if self.row("comparison", **key, comparator_code="NL_REST")["verdict"] in (
                "not_decidable",
                "not_comparable",
            ):
                ids.append(f"difference:2025:{i.indicator_id}:{code}:NL_REST")
            if self.row("change", **key, quantity="value")["verdict"] in ("not_decidable", "not_comparable"):
                ids.append(f"change:2025:{i.indicator_id}:{code}:value")
        yield from (self.sentence(claim_id) for claim_id in ids)

    def sources(self) -> Iterator[str]:
        shown = pl.col("indicator_id").is_in([i.indicator_id for i in self.indicators])
        own = self.tables["indicator_value"].filter(shown, region_code=self.code, breakdown="total")
        used = own.filter(pl.col("measurement_year").is_in([2022, 2025]), pl.col("value").is_not_null())
        for table in used["source_table"].unique():
            periods = sorted(used.filter(source_table=table)["reference_period"].unique())
            yield f"{table}: {', '.join(periods)}"
        licences = self.tables["source"].filter(pl.col("source_table").is_in(used["source_table"].implode()))
        yield from licences["licence"].unique()

    def edges(self, slug: str) -> Iterator[str]:
        """Title, heads, captions and colophon."""
        about = self.tables["edition"].to_dicts()[0]
        made = f"{int(about['created_at'][8:10])} {MONTHS[int(about['created_at'][5:7]) - 1]} {about['created_at'][:4]}"
        yield f"meetjaar 2025 · editie {about['edition']} (concept) · {made}"
        yield f"Editie {about['edition']}, gemaakt op {made}"
        yield from (f"geluksrapport_{slug}.docx", self.catalogue.publication.licence.url)
        yield from (self.catalogue.publication.licence.title, self.catalogue.publication.contact.url)
        name = self.names[self.code]
        yield from (f"inwoners van {name}, meetjaar 2025", f"Officiële cijfers van {name}, meetjaar 2025", "Sinds 2022")
        yield "Sinds 2022"
        if self.code == "TWENTE":
            yield from ("cijfers van inwoners, meetjaar 2025", "officiële cijfers, meetjaar 2025")
            yield from ("Het verschil sinds 2022", "Het verschil sinds 2022", "Sinds 2022")
            yield from ("alle gemeenten, meetjaar 2025", "per gemeente, meetjaar 2025")
            yield "naast de rest van Nederland, meetjaar 2025"
        else:
            yield from (f"lijken op {name}, meetjaar 2025", "naast Twente en de rest van Nederland, meetjaar 2025")

    def all(self, slug: str) -> list[str]:
        whole = self.code == "TWENTE"
        parts = [self.dimensions(), self.official(), self.sentences(), self.sources(), self.edges(slug)]
        parts += [self.contrast(), self.members()] if whole else [self.peers()]
        # The longest first: a short string must not be found within a longer one.
        return sorted((_flat(text) for part in parts for text in part), key=len, reverse=True)


def _comma(value: float, decimals: int) -> str:
    text = f"{abs(value):,.{decimals}f}".translate(str.maketrans(",.", ".,"))
    return f"−{text}" if value < 0 and text.strip("0.,") else text


def drawn(report: Report) -> Iterator[str]:
    """What the pictures of a PDF say beside their captions."""
    for picture in report.pictures:
        yield from (text for _, text in picture.legend)
        yield " ".join(text for _, text in picture.ticks)
        yield from (f"{line.name} {line.figure}" for line in picture.lines)
        yield picture.unit


def left_over(text: str, expected: list[str]) -> str:
    """What stands in a text beside what is expected of it; each expected string must stand there."""
    for string in expected:
        assert string in text, f"missing: {string}"
        text = text.replace(string, "…", 1)
    return text


def check(text: str, expected: list[str]) -> None:
    """Nothing with a figure in it stands in the text but what is expected."""
    rest = left_over(text, expected)
    found = [rest[max(0, m.start() - 60) : m.end() + 30] for m in NUMBER.finditer(rest)]
    assert not found, found


@pytest.fixture(scope="module")
def report_of(view: View) -> dict[str, Report]:
    return {report.slug: report for report in reports(view)}


@pytest.mark.parametrize(("code", "slug"), CHOSEN.items())
@pytest.mark.parametrize("form", FORMS)
def test_every_number_is_a_figure_of_the_tables(
    made: Made, report_of: dict[str, Report], code: str, slug: str, form: str
) -> None:
    expected = Expected(made.view.tables, made.view.catalogue, code).all(slug)
    if form == "pdf":
        expected = sorted([*expected, *map(_flat, drawn(report_of[slug]))], key=len, reverse=True)
    check(text_of(made.path(slug, form)), expected)


def test_a_number_that_is_changed_is_found(made: Made) -> None:
    expected = Expected(made.view.tables, made.view.catalogue, "GM0153").all("enschede")
    text = text_of(made.path("enschede", "docx"))
    check(text, expected)
    numbers = list(NUMBER.finditer(text))
    assert len(numbers) > 150
    for match in numbers:
        digit = int(match[0][-1])
        wrong = f"{text[: match.end() - 1]}{(digit + 1) % 10}{text[match.end() :]}"
        with pytest.raises(AssertionError):
            check(wrong, expected)


# --- pictures


def test_the_words_of_a_picture_are_its_table(view: View, report_of: dict[str, Report]) -> None:
    for code, slug in CHOSEN.items():
        (picture,) = report_of[slug].pictures[:1]
        expected = Expected(view.tables, view.catalogue, code)
        found = [i for i in expected.indicators if i.layer == "experienced"]
        others = [other for other in ("TWENTE", "NL_REST") if other != code]
        lines = [
            ", ".join(
                [
                    f"{expected.theme(i)}: {expected.figure(expected.value(i), i)}",
                    *(f"{expected.names[o]}: {expected.number(expected.value(i, o)['value'], i)}" for o in others),
                ]
            )
            for i in found
        ]
        assert picture.alt.startswith("Verzonnen voorbeeld: Cijfers van inwoners van")
        assert picture.alt.endswith(f". {'; '.join(lines)}.")


def test_the_picture_of_all_municipalities_says_the_figures_of_its_table(report_of: dict[str, Report]) -> None:
    members = next(s for s in report_of["twente"].sections if s.title == "Alle gemeenten in één beeld")
    picture, table = (next(b for b in members.blocks if isinstance(b, kind)) for kind in (Picture, Table))
    assert isinstance(picture, Picture)
    assert isinstance(table, Table)
    assert len(table.rows) == 14
    for row in table.rows:
        assert f"{row[0].text}: {row[1].text} ({row[1].note})" in picture.alt


def test_marks_and_margins_stand_where_their_figures_are(view: View, report_of: dict[str, Report]) -> None:
    picture = report_of["enschede"].pictures[0]
    low, high = (float(picture.ticks[end][1].replace(",", ".")) for end in (0, -1))
    dimension = next(i for i in view.counted if i.indicator_id == "experienced_income")
    line = next(line for line in picture.lines if line.name == "Inkomen")
    own, rest = (view.value(dimension.indicator_id, code) for code in ("GM0153", "NL_REST"))
    assert own is not None
    assert rest is not None

    def on_axis(place: float) -> float:
        return low + place * (high - low)

    assert line.margin is not None
    assert [on_axis(end) for end in line.margin] == pytest.approx([1 + 9 * own[end] for end in ("ci_low", "ci_high")])
    marks = {mark.kind: on_axis(mark.place) for mark in line.marks}
    assert marks["own"] == pytest.approx(1 + 9 * own["value"])
    assert marks["triangle"] == pytest.approx(1 + 9 * rest["value"])
    assert all(0 <= mark.place <= 1 for line in picture.lines for mark in line.marks)


# --- the files


def test_a_pdf_can_be_read_aloud(made: Made) -> None:
    assert len(made.slugs) == 15
    for slug in made.slugs:
        assert pdf_faults(made.path(slug)) == []
    with pikepdf.open(made.path("enschede")) as pdf:
        assert str(pdf.Root.Lang) == "nl-NL"
        assert bool(pdf.Root.MarkInfo.Marked)
        assert bool(pdf.Root.ViewerPreferences.DisplayDocTitle)
        with pdf.open_metadata() as about:
            assert about["{http://www.aiim.org/pdfua/ns/id/}part"] == "1"
            assert about["{http://purl.org/dc/elements/1.1/}title"] == "Geluksrapport Enschede"
        kinds = [str(item.S) for item in pdf.objects if isinstance(item, pikepdf.Dictionary) and "/S" in item]
        alts = [str(item.Alt) for item in pdf.objects if isinstance(item, pikepdf.Dictionary) and "/Alt" in item]
    tables = len([b for s in _report(made.view, "GM0153").sections for b in s.blocks if isinstance(b, Table)])
    assert (kinds.count("/H1"), kinds.count("/Table"), kinds.count("/Figure")) == (1, tables, 1)
    assert kinds.count("/TH") > 3 * tables
    assert alts == [picture.alt for picture in _report(made.view, "GM0153").pictures]


def test_each_report_is_two_to_four_pages_of_a4(made: Made) -> None:
    for slug in made.slugs:
        pages = pypdf.PdfReader(made.path(slug)).pages
        assert 2 <= len(pages) <= 4, slug
        for page in pages:
            assert (float(page.mediabox.width), float(page.mediabox.height)) == pytest.approx((595.28, 841.89), abs=0.1)


def test_that_figures_are_invented_stands_on_every_page(made: Made) -> None:
    for page in pypdf.PdfReader(made.path("tubbergen")).pages:
        assert BANNER in page.extract_text()


def test_a_word_document_has_headings_tables_with_heads_and_pictures_with_words(made: Made) -> None:
    document = Document(str(made.path("twente", "docx")))
    content = _report(made.view, "TWENTE")
    styles = [p.style.name for p in document.paragraphs if p.style is not None]
    assert styles.count("Title") == 1
    assert [p.text for p in document.paragraphs if p.style is not None and p.style.name == "Heading 1"] == [
        section.title for section in content.sections
    ]
    assert [len(table.rows) - 1 for table in document.tables] == [
        len(b.rows) for s in content.sections for b in s.blocks if isinstance(b, Table)
    ]
    assert all("<w:tblHeader/>" in table.rows[0]._tr.xml for table in document.tables)
    assert [shape._inline.docPr.get("descr") for shape in document.inline_shapes] == [p.alt for p in content.pictures]
    assert (document.core_properties.title, document.core_properties.language) == ("Geluksrapport Twente", "nl-NL")
    assert BANNER in document.sections[0].header.paragraphs[0].text
    assert 'w:lang w:val="nl-NL"' in document.styles.element.xml


def test_an_open_document_has_headings_tables_with_heads_and_pictures_with_words(made: Made) -> None:
    document = OpenDocument(made.path("twente", "odt"))
    content = _report(made.view, "TWENTE")
    assert [h.inner_text for h in document.body.headers] == [section.title for section in content.sections]
    tables = document.body.tables
    assert len(tables) == len(document.body.get_elements("//table:table-header-rows"))
    assert len(tables) == len([b for s in content.sections for b in s.blocks if isinstance(b, Table)])
    words = [e.text for e in document.body.get_elements("//svg:desc")]
    assert words == [picture.alt for picture in content.pictures]
    assert (document.meta.title, document.language) == ("Geluksrapport Twente", "nl-NL")
    header = document.get_style("master-page", "Standard").get_page_header()
    assert BANNER in header.inner_text


def test_equal_tables_give_equal_bytes(view: View, made: Made, tmp_path: Path) -> None:
    shuffled = dict(reversed(view.tables.items()))
    paths = write_reports(View(shuffled, load_catalogue()), tmp_path)
    assert len(paths) == 45
    for path in paths:
        assert path.read_bytes() == (made.folder / path.name).read_bytes(), path.name


def test_files_are_named_after_their_regions_and_never_after_two(view: View) -> None:
    words = Words(view.catalogue, "nl")
    assert slugs(words, ["GM1735", "GM1742"]) == {"GM1735": "hof-van-twente", "GM1742": "rijssen-holten"}
    renamed = _renamed(view.catalogue, {"GM0153": "Twente", "GM0141": "'s-Hertogenbosch", "GM0147": "Súdwest-Fryslân"})
    assert slugs(Words(renamed, "nl"), ["TWENTE", "GM0153", "GM0141", "GM0147"]) == {
        "TWENTE": "twente",
        "GM0153": "twente-gm0153",
        "GM0141": "s-hertogenbosch",
        "GM0147": "sudwest-fryslan",
    }


def test_nothing_heavy_is_imported_before_reports_are_written() -> None:
    heavy = "('docx', 'odfdo', 'typst', 'matplotlib')"
    code = f"import sys, reports.happiness; print([m for m in {heavy} if m in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_fixed_texts_hold_no_figure_and_are_all_used() -> None:
    folder = Path(reports_of.__file__ or "").parent
    code = "\n".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py")).replace("'", '"')
    for key, text in _texts().items():
        assert not re.search(r"\d", text), key
        prefix, _, name = key.rpartition("_")
        assert f'"{key}"' in code or (prefix in ("head", "reading") and f'"{name}"' in code), key


# --- when the tables say something else


def _report(view: View, code: str) -> Report:
    return report(Subject(view, Words(view.catalogue, "nl"), code), "x")


def _section(one: Report, title: str) -> Section:
    return next(section for section in one.sections if section.title == title)


def _renamed(catalogue: Catalogue, names: dict[str, str]) -> Catalogue:
    region = catalogue.region.model_copy(update={"municipalities": catalogue.region.municipalities | names})
    return catalogue.model_copy(update={"region": region})


def _changed(tables: Tables, name: str, where: pl.Expr, **values: object) -> Tables:
    """The tables with other values in some rows of one of them."""
    frame = tables[name]
    columns = [
        pl.when(where).then(pl.lit(value, frame.schema[column])).otherwise(pl.col(column)).alias(column)
        for column, value in values.items()
    ]
    assert frame.filter(where).height
    return tables | {name: frame.with_columns(columns)}


def _said_again(tables: Tables, catalogue: Catalogue) -> View:
    """A view on changed tables, with the sentences that belong to them."""
    return View(tables | {"claim": claims(tables, catalogue)}, catalogue)


NOW = pl.col("measurement_year") == 2025
INCOME = pl.col("indicator_id") == "experienced_income"
ENSCHEDE = pl.col("region_code") == "GM0153"


def test_a_verdict_that_flips_flips_its_shape_its_word_and_the_sentence(view: View, tables: Tables) -> None:
    pair = NOW & INCOME & ENSCHEDE & (pl.col("comparator_code") == "NL_REST") & (pl.col("breakdown") == "total")
    flipped = {"verdict": "better", "difference_ci_low": 0.01, "difference_ci_high": 0.03, "difference": 0.02}
    other = _said_again(_changed(tables, "comparison", pair, **flipped), view.catalogue)
    before, after = (_row_of(_report(v, "GM0153"), "Inkomen") for v in (view, other))
    assert [(cell.verdict, cell.text) for cell in (before[4], after[4])] == [
        ("worse", "aantoonbaar slechter"),
        ("better", "aantoonbaar beter"),
    ]
    pdf = _pdf_text(other, "GM0153")
    assert "▼ aantoonbaar slechter (7,1) ▲ aantoonbaar beter (6,9)" in pdf
    summary = _section(_report(other, "GM0153"), "In het kort").blocks[-1]
    assert isinstance(summary, Bullets)
    assert "Bij 1 is het in Enschede aantoonbaar beter." in summary.items[0]
    assert summary.items[0] in pdf


def test_a_figure_that_changes_changes_table_picture_and_words(view: View, tables: Tables) -> None:
    where = NOW & INCOME & ENSCHEDE & (pl.col("breakdown") == "total")
    other = View(_changed(tables, "indicator_value", where, value=0.9, ci_low=0.88, ci_high=0.92), view.catalogue)
    one = _report(other, "GM0153")
    assert (_row_of(one, "Inkomen")[1].text, _row_of(one, "Inkomen")[1].note) == ("9,1", "tussen 8,9 en 9,3")
    assert "Inkomen: 9,1 (tussen 8,9 en 9,3), Twente: 7,1" in one.pictures[0].alt
    assert one.pictures[0].ticks[-1][1] == "10"


def _row_of(one: Report, name: str) -> tuple[Any, ...]:
    """The row of a dimension."""
    table = next(b for s in one.sections for b in s.blocks if isinstance(b, Table))
    return next(row for row in table.rows if row[0].text == name)


def _pdf_text(view: View, code: str) -> str:
    """The text of the PDF of one report, which must have no faults; the documents must come out too."""
    one, typesetter = _report(view, code), Typesetter()
    images = typesetter.pngs(one.pictures)
    for write in (docx, odt):
        assert zipfile.ZipFile(io.BytesIO(write(one, iter(images)))).testzip() is None
    text = "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(typesetter.pdf(one))).pages)
    flat = _flat(text)
    assert not re.search(r"\b(None|nan|null)\b|\{|\}", flat)
    return flat


def test_a_hidden_figure_is_called_hidden_and_never_nought(view: View, tables: Tables) -> None:
    empty = dict.fromkeys(("value", "ci_low", "ci_high", "n"))
    hidden = _changed(tables, "indicator_value", NOW & INCOME & ENSCHEDE, status="suppressed", **empty)
    open_ = {"verdict": "not_decidable", "value": None, "difference": None}
    hidden = _changed(hidden, "comparison", NOW & INCOME & ENSCHEDE, **open_)
    hidden = _changed(hidden, "change", NOW & INCOME & ENSCHEDE, **open_)
    other = _said_again(hidden, view.catalogue)
    one = _report(other, "GM0153")
    assert [cell.text for cell in _row_of(one, "Inkomen")[1:]] == [
        "afgeschermd", "niet gegeven", "niet te zeggen", "niet te zeggen", "niet te zeggen"
    ]  # fmt: skip
    line = next(line for line in one.pictures[0].lines if line.name == "Inkomen")
    assert (line.figure, line.margin, [m.kind for m in line.marks]) == ("afgeschermd", None, ["bar", "triangle"])
    assert "Inkomen: afgeschermd" in one.pictures[0].alt
    assert "afgeschermd: Verborgen, zodat niemand herkenbaar is. Inkomen volgens inwoners" in _pdf_text(other, "GM0153")


def test_an_indicator_without_any_figure_is_listed_with_the_reason(view: View, tables: Tables) -> None:
    empty = dict.fromkeys(("value", "ci_low", "ci_high", "n"))
    gone = _changed(tables, "indicator_value", INCOME, status="not_measured", **empty)
    for name in ("comparison", "change"):
        gone = _changed(gone, name, INCOME, verdict="not_decidable", value=None, difference=None)
    gone = _changed(gone, "comparison", INCOME, comparator_value=None)
    other = _said_again(_changed(gone, "change", INCOME, baseline_value=None), view.catalogue)
    text = _pdf_text(other, "GM0153")
    assert "Inkomen niet gemeten niet gegeven ? niet te zeggen (geen cijfer) ? niet te zeggen (geen cijfer)" in text
    assert "niet gemeten: Dit jaar is niet gemeten. Inkomen volgens inwoners" in text


def test_a_municipality_with_a_long_name_has_a_report_too(view: View, tables: Tables) -> None:
    assert len(LONG) > 60
    renamed = _said_again(tables, _renamed(view.catalogue, {"GM0153": LONG}))
    text = _pdf_text(renamed, "GM0153")
    assert text.count(LONG) > 10
    assert f"{LONG} {_figure_of_happiness(view)}" in _pdf_text(renamed, "TWENTE")


def _figure_of_happiness(view: View) -> str:
    row = view.value("experienced_subjective_wellbeing", "GM0153")
    assert row is not None
    return _comma(1 + 9 * row["value"], 1)


def test_a_municipality_with_one_year_only_has_nothing_to_compare_it_with(view: View, tables: Tables) -> None:
    single = {name: t.filter(~ENSCHEDE | NOW) if name == "indicator_value" else t for name, t in tables.items()}
    nothing = {
        "baseline_value": None,
        "difference": None,
        "verdict": "not_decidable",
        "baseline_reference_period": None,
    }
    other = _said_again(_changed(single, "change", ENSCHEDE, **nothing), view.catalogue)
    text = _pdf_text(other, "GM0153")
    assert "▼ aantoonbaar slechter (6,9) ? niet te zeggen (geen cijfer) Baanzekerheid" in text
    assert "voor Enschede is er niet van beide jaren een cijfer" in text


@pytest.mark.parametrize("code", ["GM0153", "TWENTE"])
def test_without_a_survey_there_are_no_dimensions_and_nothing_is_invented(
    view: View, tables: Tables, code: str
) -> None:
    other = _without_survey(tables, view.catalogue)
    text = _pdf_text(other, code)
    assert "Wat inwoners ervaren" not in text
    assert "Verzonnen voorbeeld" not in text
    assert "ervaren brede welvaart" not in text
    assert "Goede ervaren gezondheid" in text
    assert _report(other, code).banner == ""
    assert bool(_report(other, code).pictures) is (code == "TWENTE")


def _without_survey(tables: Tables, catalogue: Catalogue) -> View:
    official = ~pl.col("indicator_id").str.starts_with("experienced_")
    kept = {name: t.filter(official) if "indicator_id" in t.columns else t for name, t in tables.items()}
    kept |= {name: tables[name].filter(framework="cbs") for name in ("framework_element", "sensitivity")}
    return _said_again(_changed(kept, "edition", pl.lit(True), contains_synthetic=False), catalogue)


def test_a_survey_that_was_not_held_is_said(view: View, tables: Tables) -> None:
    survey = pl.col("indicator_id").str.starts_with("experienced_")
    empty = dict.fromkeys(("value", "ci_low", "ci_high", "n"))
    gone = _changed(tables, "indicator_value", survey, status="not_measured", **empty)
    for name, column in (("comparison", "comparator_value"), ("change", "baseline_value")):
        nothing = {"verdict": "not_decidable", "value": None, "difference": None, column: None}
        gone = _changed(gone, name, survey, **nothing)
    text = _pdf_text(_said_again(gone, view.catalogue), "GM0153")
    assert "Voor Enschede zijn er dit meetjaar geen cijfers uit een bewonersonderzoek." in text
    assert "niet gemeten: Dit jaar is niet gemeten. Inkomen volgens inwoners, Baanzekerheid volgens inwoners" in text


def test_without_peers_or_contrasts_a_report_says_so_or_leaves_them_out(view: View, tables: Tables) -> None:
    alone = tables | {"peer": tables["peer"].clear()}
    assert "Voor Enschede weten we niet op welke gemeenten het lijkt." in _pdf_text(
        View(alone, view.catalogue), "GM0153"
    )
    region = view.catalogue.region.model_copy(update={"contrasts": [], "groups": []})
    other = _said_again(tables, view.catalogue.model_copy(update={"region": region}))
    text = _pdf_text(other, "TWENTE")
    assert "Stedelijke kernen" not in text
    assert "Alle gemeenten in één beeld" in text


def test_what_changed_since_the_previous_edition_is_shown_with_its_reason(view: View, tables: Tables) -> None:
    assert "of er is sinds die editie niets veranderd" in _pdf_text(view, "GM0153")
    key = "measurement_year=2025|indicator_id=income_standardised_mean|region_code={}|breakdown=total"
    change = {"GM0153": ("33.9", "34.7"), "GM0141": ("11.1", "12.2")}
    rows = [
        ("2025-draft", "2024-1", "indicator_value", key.format(code), "value", *ends, "value", "source_revision")
        for code, ends in change.items()
    ]
    revised = tables | {"revision": pl.DataFrame(rows, tables["revision"].schema, orient="row")}
    text = _pdf_text(View(revised, view.catalogue), "GM0153")
    assert "Deze cijfers zijn anders dan in editie 2024-1." in text
    assert "Gemiddeld gestandaardiseerd inkomen 2025 33,9 34,7 bijgesteld door de bron" in text
    assert "11,1" not in text


def test_a_final_edition_is_no_draft(view: View, tables: Tables) -> None:
    text = _pdf_text(View(_changed(tables, "edition", pl.lit(True), edition="2025-1"), view.catalogue), "GM0153")
    assert "editie 2025-1 ·" in text
    assert "Een editie verandert na publicatie niet meer." in text
    assert "concept" not in text
