"""Progress reports for tests: worlds to report on, what the finished files say, and what they must say.

What must stand there is made from the published tables in words of our own; no code of the reports is asked. Texts are
compared without white space: on paper a line may end anywhere.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

import lxml.html
import polars as pl
import pypdf
from docx import Document
from docx.table import Table as WordTable
from docx.text.paragraph import Paragraph as WordParagraph
from pptx import Presentation

from assets.programme import _tables as programme_frames
from catalog import Catalogue
from reports.charts.texts import MONTHS
from reports.claims import claims
from reports.progress import Scope
from reports.view import View
from reports.words import Words
from sources.register import Registers
from tests.reports.test_happiness import Expected as OfHappiness

Tables = dict[str, pl.DataFrame]
Row = dict[str, Any]

PROGRAMME = (
    *("programme_line", "target", "target_progress", "policy_indicator", "budget_progress", "project", "milestone"),
    *("lesson", "programme_text", "deadline", "report_requirement"),
)
STATUSES = ("reached", "on_course", "behind", "not_started", "not_decidable")
SIGNS = {"reached": "★", "on_course": "►", "behind": "◄", "not_started": "□", "not_decidable": "?"}
INVENTED = "Concept - Verzonnen voorbeeld - dit zijn geen echte cijfers"
# Of money outside what was agreed, the sums of these sources would say the same again.
APART = ("state", "regional", "public", "private_in_kind", "additional_private")
MOST_ROWS = 7  # of a table on a slide

# --- worlds


def areas_only(tables: Tables, catalogue: Catalogue) -> Tables:
    """The tables without figures of municipalities, which no progress report shows: sentences are made much faster."""
    region = catalogue.region
    codes = [region.region_code, region.rest_code, region.country_code, *(g.code for g in region.main_groups)]
    kept = ("indicator_value", "comparison", "change", "trend")
    return {
        name: frame.filter(pl.col("region_code").is_in(codes)) if name in kept else frame
        for name, frame in tables.items()
    }


def from_registers(tables: Tables, catalogue: Catalogue, registers: Registers) -> Tables:
    """The tables with those of the programme as these registers give them."""
    assert catalogue.programme is not None
    made = programme_frames(catalogue.programme, registers, tables["indicator_value"], tables["survey_estimate"])
    found = {}
    for name in PROGRAMME:
        table, frame = catalogue.registry[name], made[name]
        found[name] = pl.DataFrame(schema=table.polars_schema) if frame.is_empty() else table.conform(frame)
    return tables | found


def official(tables: Tables) -> Tables:
    """The tables as if nothing in them were invented: without the survey, and with registers of real bureaus."""
    experienced = pl.col("indicator_id").str.starts_with("experienced_")
    kept = {name: t.filter(~experienced) if "indicator_id" in t.columns else t for name, t in tables.items()}
    kept["policy_indicator"] = tables["policy_indicator"]
    kept |= {name: tables[name].filter(framework="cbs") for name in ("framework_element", "sensitivity")}
    kept |= {n: kept[n].with_columns(synthetic=pl.lit(False)) for n in PROGRAMME if "synthetic" in kept[n].columns}
    return changed(kept, "edition", pl.lit(True), contains_synthetic=False)


def changed(tables: Tables, name: str, where: pl.Expr, /, **values: object) -> Tables:
    """The tables with other values in some rows of one of them."""
    frame = tables[name]
    assert frame.filter(where).height, f"no such row of {name}"
    columns = [
        pl.when(where).then(pl.lit(value, frame.schema[column])).otherwise(pl.col(column)).alias(column)
        for column, value in values.items()
    ]
    return tables | {name: frame.with_columns(columns)}


def said_again(tables: Tables, catalogue: Catalogue) -> View:
    """A view on these tables, with the sentences that belong to them."""
    return View(tables | {"claim": claims(tables, catalogue)}, catalogue)


def scope_on(view: View, years: Sequence[int] = (2025,), *, final: bool = False) -> Scope:
    """What a report is made from, without looking whether its sentences are fresh: `said_again` made them."""
    return Scope(view, Words(view.catalogue, "nl"), years, final)


# --- the finished files


def squeezed(text: str) -> str:
    """A text without white space."""
    return re.sub(r"\s+", "", text)


@dataclass(frozen=True)
class Shown:
    """A table as a file shows it."""

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass
class Read:
    """A file as its readers meet it: `order` are headings and captions, `text` is all beside the tables."""

    headings: list[tuple[int, str]] = field(default_factory=list)
    contents: list[str] = field(default_factory=list)
    tables: list[Shown] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def table(self, caption: str) -> Shown:
        """The table with this caption."""
        return next(table for table in self.tables if table.caption == caption)

    @property
    def everything(self) -> str:
        """All text, that of tables too, in one line."""
        cells = [c for t in self.tables for c in (t.caption, *t.heads, *(cell for row in t.rows for cell in row))]
        return flat("\n".join([*self.texts, *cells]))

    def add(self, table: Shown) -> None:
        """A table, with its caption in the reading order."""
        self.tables.append(table)
        self.order.append(table.caption)


def flat(text: str) -> str:
    """A text in one line."""
    return re.sub(r"\s+", " ", text.replace("\xa0", " ")).strip()


def in_cell(text: str) -> str:
    """A text in one line, where it may be broken and where it may not."""
    return re.sub(r"[^\S\xa0]+", " ", text).strip()


def unbroken(text: str) -> str:
    """A text with amounts that stay on one line; `mln.` with a dot is how the covenant prints them."""
    return re.sub(r"€ ([\d.,]+) (mln|million)\b", "€\u00a0\\1\u00a0\\2", text)


def _texts(elements: Any) -> tuple[str, ...]:
    return tuple(in_cell(element.text_content()) for element in elements)


def read_html(content: bytes) -> Read:
    """A page, in the order in which it is read."""
    root, read = lxml.html.fromstring(content), Read()
    read.contents = [flat(link.text_content()) for link in root.iterfind(".//nav//a")]
    for nav in root.findall(".//nav"):
        read.order.append(flat(nav[0].text_content()))
        nav.drop_tree()
    for element in root.find("body").iter():
        if element.tag in ("h1", "h2", "h3", "h4"):
            read.headings.append((int(element.tag[1]), flat(element.text_content())))
            read.kinds.append(element.tag.upper())
            read.order.append(read.headings[-1][1])
        elif element.tag == "table":
            rows = tuple(_texts(row) for row in element.iterfind("tbody/tr"))
            read.add(Shown(_texts([element.find("caption")])[0], _texts(element.iterfind("thead/tr/th")), rows))
            named = f"{len(read.tables)}: {read.tables[-1].caption}."
            labels = f"Tabel {named} Schuif opzij om alles te zien.", f"Table {named} Scroll sideways to see all of it."
            assert flat(element.getparent().get("aria-label")) in labels
            read.kinds.append("Table")
    # The table of contents stands below the title.
    if read.contents:
        read.order[:2] = reversed(read.order[:2])
        read.kinds.insert(1, "H2")
    for element in root.findall(".//table"):
        element.drop_tree()
    read.texts += [image.get("alt") for image in root.iter("img")]
    for element in root.find("body").iter("p", "li", "h1", "h2", "h3", "figcaption", "div"):
        if element.tag != "div" or element.get("class") == "remark":
            own = "".join(t for t in element.itertext() if t) if element.find(".//ul") is None else element.text or ""
            read.texts.append(own)
    return read


def read_docx(content: bytes) -> Read:
    """A Word document, in its order."""
    document, read, caption = Document(io.BytesIO(content)), Read(), ""
    for section in document.sections:
        read.texts.append(section.header.paragraphs[0].text)
    for part in document.iter_inner_content():
        if isinstance(part, WordTable):
            rows = [tuple(in_cell(cell.text) for cell in row.cells) for row in part.rows]
            read.add(Shown(caption, rows[0], tuple(rows[1:])))
            caption = ""
            continue
        assert isinstance(part, WordParagraph)
        style = part.style.name if part.style is not None and part.style.name else ""
        if style.startswith("toc "):
            read.contents.append("".join(link.text for link in part.hyperlinks))
        elif style == "Caption":
            caption = part.text
        elif part.runs and part._p.xpath(".//w:drawing"):  # the caption before it was that of a picture
            read.texts += [caption, *part._p.xpath(".//wp:docPr/@descr")]
            caption = ""
        elif style == "Title" or style.startswith("Heading"):
            level = 1 if style == "Title" else int(style[-1]) + 1
            read.headings.append((level, part.text))
            read.order.append(part.text)
            read.texts.append(part.text)
        elif style == "TOC Heading":
            read.order.append(part.text)
            read.texts.append(part.text)
        else:
            read.texts.append(part.text)
    return read


def read_pptx(content: bytes) -> Read:
    """Slides, with the text of each."""
    read = Read()
    for number, slide in enumerate(Presentation(io.BytesIO(content)).slides, 1):
        texts = []
        for shape in slide.shapes:
            if getattr(shape, "has_table", False):
                rows = [tuple(in_cell(cell.text) for cell in row.cells) for row in shape.table.rows]  # type: ignore[attr-defined]
                read.add(Shown(shape.name, rows[0], tuple(rows[1:])))
            elif shape.name.startswith("Slide Number"):
                assert shape.text_frame.text == str(number)
            elif shape.has_text_frame:
                texts.append(shape.text_frame.text)
        read.texts.append("\n".join(text for text in texts if text not in {t.caption for t in read.tables}))
    return read


def pages_of(content: bytes) -> list[str]:
    """The texts of the pages of a PDF."""
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages]


# --- what must stand there


def number(value: float, places: int = 0, language: str = "nl") -> str:
    """A number as readers write it."""
    text = f"{abs(value):,.{places}f}"
    text = text.translate(str.maketrans(",.", ".,")) if language == "nl" else text
    return f"−{text}" if value < 0 and text.strip("0.,") else text


def counted(value: float, language: str = "nl") -> str:
    """A count: with a decimal only where it is no whole number."""
    return number(value, 0 if value == int(value) else 1, language)


def in_millions(euros: float, places: int, language: str = "nl") -> str:
    """Euros as millions, halves up: in whole euros, as no fraction of two would do it."""
    parts, rest = divmod(round(euros) * 10**places, 1_000_000)
    return number((parts + (2 * rest >= 1_000_000)) / 10**places, places, language)


def day(iso: str | date) -> str:
    """A day in Dutch."""
    year, month, of_month = map(int, str(iso)[:10].split("-"))
    return f"{of_month} {MONTHS[month - 1]} {year}"


def noted(text: str, *notes: str) -> str:
    """A cell with small print behind its text."""
    note = "; ".join(filter(None, notes))
    return f"{text} ({note})" if note else text


@dataclass(frozen=True)
class Expected:
    """Every table of a report on `year`, cell by cell, and every other text with a figure in it."""

    tables: Mapping[str, pl.DataFrame]
    catalogue: Catalogue
    year: int = 2025
    years: tuple[int, ...] = (2025,)
    final: bool = False

    # rows and words

    def rows(self, table: str, *only: pl.Expr, **equal: object) -> list[Row]:
        frame = self.tables[table].filter(*only, **equal) if only or equal else self.tables[table]
        return list(frame.iter_rows(named=True))

    def label(self, vocabulary: str, word: str, language: str = "nl") -> str:
        return str(getattr(self.catalogue.vocabulary[vocabulary][word], f"label_{language}"))

    @cached_property
    def lines(self) -> list[Row]:
        return sorted(self.rows("programme_line"), key=lambda row: row["sort_order"])

    @cached_property
    def all_lines(self) -> list[str]:
        """The lines, with the costs of carrying out."""
        return [row["line_id"] for row in self.lines if row["kind"] == "line"]

    @cached_property
    def working(self) -> list[str]:
        """The lines with results: not the costs of carrying out."""
        return [row["line_id"] for row in self.lines if row["parent_line_id"] is not None]

    def named(self, line: str) -> str:
        name = next(row["name_nl"] for row in self.lines if row["line_id"] == line)
        return f"{line} {name}" if line[0].isdigit() else name

    @cached_property
    def targets(self) -> list[Row]:
        return sorted(self.rows("target"), key=lambda row: row["sort_order"])

    def progress(self, target: str, year: int | None = None) -> Row:
        (row,) = self.rows("target_progress", year=year or self.year, target_id=target)
        return row

    def money(self, line: str, source: str) -> Row:
        (row,) = self.rows("budget_progress", year=self.year, line_id=line, financing_source=source)
        return row

    @cached_property
    def day(self) -> str:
        return day(self.money("TOTAL", "state")["as_of"] or f"{self.year}-12-31")

    def region(self, code: str) -> str:
        return self.catalogue.region.municipalities[code]

    def sentence(self, claim_id: str, language: str = "nl") -> Iterator[str]:
        yield from self.tables["claim"].filter(claim_id=claim_id, language=language)["sentence"]

    # cells

    def achieved(self, target: Row) -> str:
        row = self.progress(target["target_id"])
        if row["achieved"] is None:
            how = {"count": "niet geteld", "sample": "gemeten met een steekproef, zie onder", "nothing": "niet gemeten"}
            return how[target["judged_by"]]
        n = row["evidence_count"]
        proof = "" if not n else "1 bewijsstuk" if n == 1 else f"{n} bewijsstukken"
        if target["kind"] == "direction":
            since = ""
            if target["baseline_value"] is not None:
                since = f"nulmeting {day(target['baseline_date'])}: {counted(target['baseline_value'])}"
            return noted(f"{counted(row['achieved'])} {target['unit_nl']}", since, proof)
        of = f"{counted(row['achieved'])} van {counted(target['threshold'])}"
        return noted(f"{of} {target['unit_nl']}", proof)

    def planned(self, target: Row) -> str:
        if target["judged_by"] != "count":
            return ""
        planned = self.progress(target["target_id"])["planned"]
        return "geen planning" if planned is None else counted(planned)

    def status(self, target_id: str, language: str = "nl") -> str:
        row = self.progress(target_id)
        why = "" if row["reason"] is None else self.label("target_reason", row["reason"], language)
        return noted(f"{SIGNS[row['status']]} {self.label('target_status', row['status'], language)}", why)

    @staticmethod
    def millions(euros: float | None, places: int = 2) -> str:
        return "niet opgegeven" if euros is None else f"€\u00a0{in_millions(euros, places)}\u00a0mln"

    def amounts(self, row: Row) -> list[str]:
        return [self.millions(row["budget"], 1), *(self.millions(row[n]) for n in ("committed", "paid", "forecast"))]

    def printed(self, line: str, source: str | None) -> str:
        """As the covenant prints it."""
        return "€ -- mln." if source is None else f"€ {in_millions(self.money(line, source)['budget'], 1)} mln."

    def warning(self, row: Row) -> str:
        return "" if row["warning"] is None else self.label("budget_warning", row["warning"])

    # tables

    def _table(self, caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Shown:
        return Shown(caption, tuple(heads), tuple(tuple(row) for row in rows))

    def projects(self) -> Iterator[Shown]:
        for line in self.all_lines:
            rows = [
                [p["name"], self._where(p), self.label("project_status", p["status"]), self._period(p)]
                for p in self.rows("project", line_id=line)
            ]
            if rows:
                yield self._table(
                    f"Projecten van lijn {line}, stand {self.handed_in(line)}",
                    ("Project", "Waar", "Stand", "Periode"),
                    rows,
                )

    def _where(self, project: Row) -> str:
        names = [self.region(code) for code in project["municipality_codes"]]
        place = " en ".join(filter(None, [", ".join(names[:-1]), *names[-1:]])) or "hele regio"
        return noted(place, project["district"] or "")

    @staticmethod
    def _period(project: Row) -> str:
        if project["starts"] is None:
            return "niet opgegeven"
        return f"{day(project['starts'])} tot {'onbekend' if project['ends'] is None else day(project['ends'])}"

    def results(self) -> Iterator[Shown]:
        for line in dict.fromkeys(row["line_id"] for row in self.targets):
            found = [row for row in self.targets if row["line_id"] == line]
            rows = [[t["text_nl"], self.achieved(t), self.planned(t), self.status(t["target_id"])] for t in found]
            yield self._table(
                f"Beoogd en bereikt, lijn {line}", ("Beoogd resultaat", "Stand", "Gepland", "Oordeel"), rows
            )
            if len(self.years) > 1:
                rows = [[t["text_nl"], *(self._in_year(t, year) for year in self.years)] for t in found]
                heads = ("Beoogd resultaat", *map(str, self.years))
                yield self._table("Geteld aan het einde van elk jaar", heads, rows)

    def _in_year(self, target: Row, year: int) -> str:
        row = self.progress(target["target_id"], year)
        label, sign = self.label("target_status", row["status"]), SIGNS[row["status"]]
        return f"{sign} {label}" if row["achieved"] is None else noted(f"{sign} {counted(row['achieved'])}", label)

    def samples(self) -> Iterator[Shown]:
        rows = [self._sample(row) for row in self.rows("policy_indicator", year=self.year)]
        heads = ("Resultaat", "Nulmeting", "Nieuwste meting", "Verandering (grenzen)", "Δ", "Kans", "Oordeel")
        if rows:
            yield self._table("De toets bij elk gemeten resultaat", heads, rows)

    def _sample(self, row: Row) -> list[str]:
        def wave(prefix: str) -> str:
            year = row[f"{prefix}wave"]
            if row[f"{prefix}estimate"] is None:
                return noted("niet gemeten", "" if year is None else str(year))
            return f"{number(row[f'{prefix}estimate'], 1)} ({number(row[f'{prefix}n'])} antwoorden) ({year})"

        change = power = "niet gemeten"
        if row["wave_change"] is not None:
            low, high = number(row["limit_low"], 1), number(row["limit_high"], 1)
            change = f"{number(row['wave_change'], 1)} (tussen {low} en {high})"
            power = f"aan te tonen vanaf {number(row['margin_found'], 1)}"
            power = f"{number(row['power'])}% ({power})" if row["margin"] else power
        text = next(t["text_nl"] for t in self.targets if t["target_id"] == row["target_id"])
        first = noted(text, row["about_nl"])
        return [
            first,
            wave("baseline_"),
            wave(""),
            change,
            counted(row["margin"]),
            power,
            self.status(row["target_id"]),
        ]

    def calendar(self) -> Shown:
        rows = [
            [day(row["due"]), row["text_nl"], row["article"]]
            for row in sorted(self.rows("deadline"), key=lambda row: (row["due"], row["deadline_id"]))
            if int(row["due"][:4]) > self.year or len(self.years) > 1
        ]
        return self._table("Wat wanneer af moet zijn", ("Uiterlijk", "Wat", "Artikel"), rows)

    def milestones(self) -> Iterator[Shown]:
        heads = ("Project", "Mijlpaal", "Gepland op", "Bereikt op", "Stand")
        for line in self.all_lines:
            names = {row["project_id"]: row["name"] for row in self.rows("project", line_id=line)}
            found = [row for row in self.rows("milestone") if row["project_id"] in names]
            found.sort(key=lambda row: (row["planned_on"], row["project_id"], row["milestone_id"]))
            rows = [
                [
                    names[row["project_id"]],
                    row["text"],
                    day(row["planned_on"]),
                    "nog niet" if row["reached_on"] is None else day(row["reached_on"]),
                    self.label("milestone_status", row["status"]),
                ]
                for row in found
            ]
            if rows:
                yield self._table(f"Mijlpalen van lijn {line}, stand {self.handed_in(line)}", heads, rows)

    def lessons(self) -> Iterator[Shown]:
        heads = ("Soort", "Wat we dachten", "Wat we zagen", "Wat we anders doen")
        for line in self.all_lines:
            rows = [
                [
                    noted(self.label("lesson_kind", row["kind"]), f"{row['bureau']}, {row['year']}"),
                    *(flat(row[name]) for name in ("assumed", "observed", "consequence")),
                ]
                for row in self.rows("lesson", pl.col("year").is_in(list(self.years)), line_id=line)
            ]
            if rows:
                yield self._table(f"Lessen bij lijn {line}", heads, rows)

    def agreed(self) -> Iterator[Shown]:
        sources = ("state", "regional", "total")
        rows = [[self.named(line), *(self.printed(line, s) for s in sources)] for line in self.all_lines]
        rows.append(["Bijdragen totaal maximaal", *(self.printed("TOTAL", s) for s in sources)])
        heads = ("Programma", "Maximale rijksbijdrage", "Regionale financiering", "Totaalbedrag")
        yield self._table("Afgesproken bedragen", heads, rows)
        kinds: list[tuple[str, list[str | None]]] = [
            ("Financiële bijdrage", ["public_money", None, "public_money"]),
            ("Bijdrage in natura", ["public_in_kind", "private_in_kind", "in_kind"]),
            ("Bijdragen totaal maximaal", ["public", "private_in_kind", "regional"]),
        ]
        rows = [[name, *(self.printed("TOTAL", source) for source in found)] for name, found in kinds]
        heads = ("Soort bijdrage", "Publieke financiering", "Private financiering", "Totaalbedrag")
        yield self._table("Hoe de regionale financiering is opgebouwd", heads, rows)

    def standings(self) -> Iterator[Shown]:
        def row(name: str, line: str, source: str) -> list[str]:
            found = self.money(line, source)
            return [name, *self.amounts(found), self.warning(found)]

        stated = ("Toegezegd", "Betaald", "Verwacht", "Let op")
        for source, caption, bound in (
            ("state", "Bijdrage van het Rijk", "Hoogstens"),
            ("regional", "Regionale financiering", "Minstens"),
        ):
            rows = [row(self.named(line), line, source) for line in self.all_lines]
            rows.append(row("Bijdragen totaal", "TOTAL", source))
            yield self._table(f"{caption}, stand {self.day}", ("Programma", bound, *stated), rows)
        parts = ("public_money", "public_in_kind", "private_in_kind", "regional", "additional_private")
        rows = [row(self.label("financing_source", part), "TOTAL", part) for part in parts]
        heads = ("Herkomst", "Minstens", *stated)
        yield self._table(
            f"Regionale financiering naar herkomst, en privaat geld naast de deal, stand {self.day}", heads, rows
        )

    def lacking(self) -> Iterator[Shown]:
        parts = {"progress": "voortgang", "planning": "planning", "money": "geld", "lesson": "les"}
        names = parts | {row["target_id"]: row["text_nl"] for row in self.targets}
        names |= {row["project_id"]: row["name"] for row in self.rows("project")}
        lines, kinds = [row["line_id"] for row in self.lines], list(self.catalogue.vocabulary["requirement"])
        found = self.rows("report_requirement", pl.col("year").is_in(list(self.years)), met=False)
        # What is of no line stands behind the lines.
        found.sort(
            key=lambda row: (
                row["year"],
                [*lines, row["line_id"]].index(row["line_id"]),
                kinds.index(row["requirement"]),
            )
        )
        rows = []
        for row in found:
            which = [] if row["lacking"] in (None, row["line_id"]) else row["lacking"].split("; ")
            line = self.named(row["line_id"]) if row["line_id"] in lines else "Hele programma"
            what = self.label("requirement", row["requirement"])
            # Of the measurement its year is lacking.
            said = "; ".join(part if part == str(row["year"]) else names[part] for part in which)
            rows.append([*([str(row["year"])] if len(self.years) > 1 else []), line, what, said])
        if rows:
            heads = (*(["Jaar"] if len(self.years) > 1 else []), "Lijn", "Wat ontbreekt", "Welke")
            yield self._table("Wat nog ontbreekt", heads, rows)

    def in_english(self) -> Shown:
        rows = []
        for target in self.targets:
            row = self.progress(target["target_id"])
            numbers = ["–" if n is None else counted(n, "en") for n in (row["achieved"], target["threshold"])]
            rows.append([target["text_en"], *numbers, self.status(target["target_id"], "en")])
        return self._table("Intended results", ("Intended result", "Counted", "Ambition", "Verdict"), rows)

    def whole(self) -> list[Shown]:
        """Every table of the report on the programme, in its order; those on welfare are known by their rows."""
        parts = [self.projects(), self.results(), self.samples(), [self.calendar()], self.milestones(), self.lessons()]
        parts += [self.agreed(), self.standings(), self.lacking(), [self.in_english()]]
        return [table for part in parts for table in part]

    # tables of the short versions

    def by_line(self) -> Shown:
        rows = []
        for line in dict.fromkeys(row["line_id"] for row in self.targets):
            found = [self.progress(row["target_id"])["status"] for row in self.targets if row["line_id"] == line]
            numbers = [f"{SIGNS[s]} {n}" if (n := found.count(s)) else "0" for s in STATUSES]
            rows.append([self.named(line) if "." in line else f"Opgave {line}, beide lijnen samen", *numbers])
        heads = ("Programma", *(self.label("target_status", status) for status in STATUSES))
        return self._table("Beoogde resultaten per lijn", heads, rows)

    def of_money(self, rows: Sequence[tuple[str, Row]], first: str, caption: str) -> Shown:
        found = [
            [name, *self.amounts(row), "" if row["share"] is None else f"{number(row['share'])}%"] for name, row in rows
        ]
        heads = (first, "Afgesproken", "Toegezegd", "Betaald", "Verwacht", "Deel toegezegd")
        return self._table(caption, heads, found)

    def of_brief(self) -> list[Shown]:
        rows = [(self.label("financing_source", s), self.money("TOTAL", s)) for s in ("state", "regional")]
        return [self.by_line(), self.of_money(rows, "Herkomst", "Hoe staat het met het geld?")]

    def of_slides(self) -> list[Shown]:
        nothing = "Geen van de controles vraagt aandacht."
        late = [t for t in self.targets if self.progress(t["target_id"])["status"] == "behind"]
        rows = [[t["text_nl"], self.achieved(t), self.planned(t)] for t in late] or [[nothing, "", ""]]
        behind = [
            self._table(
                f"Resultaten achter op de planning, {self.day}",
                ("Beoogd resultaat", "Stand", "Gepland"),
                rows[at : at + MOST_ROWS],
            )
            for at in range(0, len(rows), MOST_ROWS)
        ]
        money = [(self.named(line), self.money(line, "total")) for line in self.all_lines]
        money.append(("Bijdragen totaal", self.money("TOTAL", "total")))
        caption = f"Geld, stand {self.day}"
        found = self.outside() or [[nothing, "", "", ""]]
        heads = ("Programma", "Afgesproken", "Toegezegd of verwacht", "Let op")
        return [
            self.by_line(),
            *behind,
            self.of_money(money, "Programma", caption),
            *(self._table(caption, heads, found[at : at + MOST_ROWS]) for at in range(0, len(found), MOST_ROWS)),
        ]

    def outside(self) -> list[list[str]]:
        """Money outside what was agreed, with the larger of what is committed and what is expected."""
        return [
            [
                noted(
                    "Hele programma" if row["line_id"] == "TOTAL" else self.named(row["line_id"]),
                    self.label("financing_source", row["financing_source"]),
                ),
                self.millions(row["budget"], 1),
                self.millions(self._most(row)),
                self.warning(row),
            ]
            for row in self.rows("budget_progress", year=self.year)
            if row["warning"] is not None and row["financing_source"] in APART
        ]

    def handed_in(self, line: str) -> str:
        """The day that the register of a line is as of."""
        return day(max(row["as_of"] for row in self.rows("project", line_id=line)))

    def _most(self, row: Row) -> float | None:
        """What a warning is about; that on the costs of carrying out is about what is committed."""
        names = ("committed",) if row["warning"] == "above_overhead" else ("committed", "forecast")
        return max((row[name] for name in names if row[name] is not None), default=None)

    # texts with figures beside the tables

    def edges(self, title: str) -> Iterator[str]:
        """Title and subtitle; the running head of a page is `title` again."""
        about = self.rows("edition")[0]
        state = "definitief" if self.final else "concept"
        yield from (title, f"{title} · Regio Deal Twente · {state}")
        made = day(about["created_at"])
        yield f"Regio Deal Twente · Twente Board · {state} · editie {about['edition']} · {made}"

    def headings(self) -> Iterator[str]:
        """Headings with a figure; three chapters are by line, and so are results, and money where bureaus wrote."""
        for lines in (self.all_lines, self.all_lines, self.working):
            yield from map(self.named, lines)
        for line in dict.fromkeys(row["line_id"] for row in self.targets):
            yield self.named(line) if "." in line else f"Opgave {line}, beide lijnen samen"
        written = {row["line_id"] for row in self.texts("money")}
        yield from (self.named(line) for line in self.all_lines if line in written)
        yield "Resultaten naast wat is beoogd (artikel 4)"
        yield from (f"Bijdrage van het Rijk, stand {self.day}", f"Regionale financiering, stand {self.day}")
        yield "Wat er veranderde sinds 2022"

    def texts(self, part: str) -> list[Row]:
        return self.rows("programme_text", pl.col("year").is_in(list(self.years)), part=part)

    def written(self) -> Iterator[str]:
        """What bureaus wrote, with whose it is."""
        for part in ("progress", "planning", "money"):
            for row in self.texts(part):
                yield from filter(None, re.split(r"\n\s*\n", row["text"].strip()))
                yield f"Tekst van {row['bureau']}, verslagjaar {row['year']}"

    def sentences(self) -> Iterator[str]:
        year, region = self.year, self.catalogue.region
        pairs = [*region.contrasts, (region.region_code, region.rest_code)]
        headline = self.catalogue.headline_indicators
        for line in ["TOTAL", *self.working]:
            yield from self.sentence(f"count_target:{year}:{line}")
        for source in ("state", "regional") * 2:
            yield from self.sentence(f"money:{year}:TOTAL:{source}")
        for pair in pairs:
            yield from self.sentence(f"count_difference:{year}:{':'.join(pair)}")
        for row in self.rows("policy_indicator", year=year):
            yield from self.sentence(f"target:{year}:{row['target_id']}")
            text = next(t["text_nl"] for t in self.targets if t["target_id"] == row["target_id"])
            yield f"{text}: {row['reason_nl']}"
        yield from self.sentence(f"count_target:{year}:TOTAL", "en")
        for source in APART:
            yield from self.sentence(f"money:{year}:TOTAL:{source}", "en")
        for language in ("nl", "en"):
            for indicator in headline:
                for pair in pairs:
                    yield from self.sentence(f"figures:{year}:{indicator.indicator_id}:{':'.join(pair)}", language)
                # Euros of two years are compared with those of the country.
                quantity = "relative_to_nl" if indicator.nominal_euro else "value"
                yield from self.sentence(
                    f"change:{year}:{indicator.indicator_id}:{region.region_code}:{quantity}", language
                )
            for code in (region.region_code, *(code for pair in region.contrasts for code in pair)):
                yield from self.sentence(f"count_change:{year}:{code}", language)

    def fixed(self) -> Iterator[str]:
        """Fixed texts with a figure of a table in it, and numbers of articles."""
        programme = self.catalogue.programme
        assert programme is not None
        about, made = self.rows("edition")[0], day(self.rows("edition")[0]["created_at"])
        yield "Kernboodschap, artikel 9.1 van het convenant"
        yield "; ".join(baseline.text_nl for baseline in programme.baselines)
        yield "(artikel 12); hier geldt: Regio Deal Twente II, artikel 5."
        if (received := self.money("TOTAL", "state")["received"]) is not None:
            yield f"Ontvangen rijksbijdrage tot dan toe: {self.millions(received)}."
        yield "mogen hoogstens 3% van de ontvangen rijksbijdrage zijn"
        if self.rows("policy_indicator", year=self.year):
            yield "van een eenzijdig interval van 95%"
        for bureau, as_of in sorted({(row["bureau"], row["as_of"]) for row in self.rows("project")}):
            yield f"{bureau}: bijgewerkt tot en met {day(as_of)}"
        yield f"uit editie {about['edition']} van Bruto Twents Geluk ({made})"
        licence = self.catalogue.publication.licence
        yield f"{licence.title} ({licence.url})"

    def of_welfare(self) -> Iterator[str]:
        """Rows and captions of the tables on broad welfare, and their sources."""
        happy = OfHappiness(self.tables, self.catalogue, "TWENTE")
        yield from happy.contrast()
        yield from happy.sources()
        shown = {indicator.layer for indicator in happy.indicators}
        if "experienced" in shown:
            yield f"Wat inwoners ervaren: Stedelijke kernen naast plattelandsgemeenten, meetjaar {self.year}"
        for layer, kind in (("experienced", "cijfers van inwoners"), ("official", "officiële cijfers")):
            if layer in shown:
                yield f"naast plattelandsgemeenten, {kind}, meetjaar {self.year}"
                yield "Het verschil sinds 2022"

    def alternative(self) -> list[str]:
        """What is read out of the picture of both groups, to whom does not see it."""
        happy = OfHappiness(self.tables, self.catalogue, "URBAN_CORE")
        asked = [indicator for indicator in happy.indicators if indicator.layer == "experienced"]
        lines = [
            f"{happy.theme(i)}: {happy.figure(happy.value(i), i)}, plattelandsgemeenten: "
            f"{happy.number(happy.value(i, 'RURAL')['value'], i)}"
            for i in asked
        ]
        caption = f"Wat inwoners ervaren: Stedelijke kernen naast plattelandsgemeenten, meetjaar {self.year}"
        axis = "rapportcijfer van 1 tot 10; de as loopt van 6,0 tot 8,0"
        return [f"Verzonnen voorbeeld: {caption}. {axis}. {'; '.join(lines)}."] if asked else []

    def picture(self) -> list[tuple[str, str]]:
        """The lines of the picture of both groups: the dimension, and the figure of the cores."""
        happy = OfHappiness(self.tables, self.catalogue, "URBAN_CORE")
        asked = [indicator for indicator in happy.indicators if indicator.layer == "experienced"]
        return [(happy.theme(i), happy.number(happy.value(i)["value"], i)) for i in asked]

    def beside_tables(self, title: str, remarks: Sequence[str] = ()) -> list[str]:
        """Every text with a figure that stands in no table of the programme, the longest first."""
        parts = [self.edges(title), self.headings(), self.written(), self.sentences(), self.fixed(), remarks]
        found = [squeezed(text) for part in (*parts, self.of_welfare()) for text in part]
        return sorted((text for text in found if re.search(r"\d", text)), key=len, reverse=True)


def strike(text: str, expected: Sequence[str]) -> str:
    """What stands in a text beside what is expected of it; each expected string must stand there."""
    text = squeezed(text)
    for string in sorted(map(squeezed, expected), key=len, reverse=True):
        assert string in text, f"missing: {string}"
        text = text.replace(string, "…", 1)
    return text


def no_number_in(text: str) -> None:
    """Every number was accounted for."""
    found = [text[max(0, m.start() - 60) : m.end() + 30] for m in re.finditer(r"\d+", text)]
    assert not found, found


def same_tables(shown: Sequence[Shown], expected: Sequence[Shown]) -> None:
    """These tables, cell by cell, in this order."""
    assert [table.caption for table in shown] == [table.caption for table in expected]
    for one, other in zip(shown, expected, strict=True):
        assert one.heads == other.heads, other.caption
        for row, wanted in zip(one.rows, other.rows, strict=True):
            assert row == tuple(map(in_cell, wanted)), other.caption
