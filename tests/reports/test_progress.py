"""The progress report says what the tables say, in every form it has, and what bureaus wrote as they wrote it."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import lxml.etree
import lxml.html
import pikepdf
import polars as pl
import pypdf
import pytest
from docx import Document
from pptx import Presentation

from catalog import load_catalogue
from pipelines.pdf_tags import pdf_faults
from reports.claims import claims
from reports.document.model import Bullets, Table
from reports.document.page import html
from reports.progress import NoProgramme, Scope, StaleSentence, progress_files, report_scope
from reports.progress.content import report
from reports.progress.short import brief, deck
from reports.view import View
from reports.words import Words
from sources.register import Registers, bundled_registers, empty_frames
from tests.reports.progress_edition import (
    APART,
    INVENTED,
    MOST_ROWS,
    SIGNS,
    Expected,
    Read,
    Shown,
    Tables,
    areas_only,
    changed,
    flat,
    from_registers,
    no_number_in,
    official,
    pages_of,
    read_docx,
    read_html,
    read_pptx,
    said_again,
    same_tables,
    scope_on,
    squeezed,
    strike,
    unbroken,
)
from tests.reports.test_happiness import drawn

TITLE = "Voortgangsrapportage 2025"
CATALOGUE = load_catalogue()
# Captions of tables that other reports have too: their rows are known as the happiness report knows them.
OF_WELFARE = re.compile(r", meetjaar \d{4}$|^Bronnen van de cijfers|^Cijfers die sinds")
# The invented text of line 1.2 names a cause, and a number that nobody counted.
REMARKS = (
    "Het gaat om: Door de Regio Deal is het mkb in Twente veel digitaler geworden.",
    "Klopt het nog? Het gaat om: 64",
)
FINAL = "2025-1"
ODD = "Zij zei: \"het <b>net</b> & de 'buren'\" #let x = 1 $y$ *ster* _lijn_ \\n @naam `code` [haak] {accolade} €."
CAUSE = "Dankzij de Regio Deal is de gezondheid verbeterd."
TEXT = f"{ODD}\n\nTweede alinea, met 98765 en 112 bedrijven. {CAUSE}"
NOW = pl.col("year") == 2025
STATE_MONEY = "Bijdrage van het Rijk, stand 31 december 2025"
OVERHEAD = "Uitvoeringskosten (Voorbereiding, Administratie en Toezicht)"


@dataclass(frozen=True)
class Made:
    """A report in all its forms, written once."""

    scope: Scope
    files: Mapping[str, bytes]

    def file(self, start: str, form: str) -> bytes:
        """The file whose name begins so, in this form."""
        (name,) = [name for name in self.files if name.startswith(start) and name.endswith(form)]
        return self.files[name]

    @cached_property
    def start(self) -> str:
        return "evaluatie" if self.scope.is_evaluation else "voortgangsrapportage"

    @cached_property
    def page(self) -> Read:
        return read_html(self.file(self.start, "html"))

    @cached_property
    def document(self) -> Read:
        return read_docx(self.file(self.start, "docx"))

    @cached_property
    def pages(self) -> list[str]:
        return pages_of(self.file(self.start, "pdf"))

    @cached_property
    def brief(self) -> list[str]:
        return pages_of(self.file("bestuurssamenvatting", "pdf"))

    @cached_property
    def slides(self) -> Read:
        return read_pptx(self.file("presentatie", "pptx"))

    @cached_property
    def slide_pages(self) -> list[str]:
        return pages_of(self.file("presentatie", "pdf"))

    @cached_property
    def all_texts(self) -> dict[str, str]:
        """The text of every file, in one line."""
        return {
            "html": self.page.everything,
            "docx": self.document.everything,
            "pdf": flat("\n".join(self.pages)),
            "brief": flat("\n".join(self.brief)),
            "slides.pdf": flat("\n".join(self.slide_pages)),
            "slides.pptx": self.slides.everything,
        }


def _made(view: View, years: Sequence[int] = (2025,), *, final: bool = False) -> Made:
    scope = scope_on(view, years, final=final)
    return Made(scope, progress_files(scope))


@pytest.fixture(scope="module")
def tables(edition: Path) -> Tables:
    folder = edition / "editions" / "2025-draft" / "parquet"
    return {path.stem: pl.read_parquet(path) for path in folder.glob("*.parquet")}


@pytest.fixture(scope="module")
def made(tables: Tables) -> Made:
    """The report of the demonstration, as `btg report` makes it."""
    scope = report_scope(View(tables, CATALOGUE), [2025])
    return Made(scope, progress_files(scope))


@pytest.fixture(scope="module")
def small(tables: Tables) -> Tables:
    return areas_only(tables, CATALOGUE)


@pytest.fixture(scope="module")
def view(small: Tables) -> View:
    return said_again(small, CATALOGUE)


@pytest.fixture(scope="module")
def real(small: Tables) -> Tables:
    """As if all of it were of real bureaus, and nothing were lacking."""
    whole = changed(official(small), "report_requirement", pl.lit(True), met=True, lacking=None)
    return changed(whole, "edition", pl.lit(True), edition=FINAL)


@pytest.fixture(scope="module")
def worded(real: Tables) -> Tables:
    """Real bureaus, one of which wrote what could be taken for code, a cause, and a number that no table has."""
    row = NOW & (pl.col("line_id") == "1.2") & (pl.col("part") == "progress")
    tables = changed(real, "programme_text", row, text=TEXT, causal_sentences=CAUSE)
    lesson = NOW & (pl.col("line_id") == "1.1")
    assumed = 'Er is <i>ruimte</i> op "het net" #let.'
    tables = changed(tables, "lesson", lesson, assumed=assumed, causal_sentences=CAUSE)
    money = NOW & (pl.col("line_id") == "VAT") & (pl.col("part") == "money")
    return changed(tables, "programme_text", money, text=f"{CAUSE} Dat kostte 54321 euro.", causal_sentences=CAUSE)


@pytest.fixture(scope="module")
def final(worded: Tables) -> Made:
    return _made(said_again(worded, CATALOGUE), final=True)


@pytest.fixture(scope="module")
def real_draft(worded: Tables) -> Made:
    return _made(said_again(worded, CATALOGUE))


@pytest.fixture(scope="module")
def empty(small: Tables) -> Made:
    """Real figures, before any bureau handed in a register."""
    return _made(said_again(_without_registers(small), CATALOGUE))


def _without_registers(small: Tables) -> Tables:
    return from_registers(official(small), CATALOGUE, Registers(empty_frames()))


@pytest.fixture(scope="module")
def evaluation(view: View) -> Made:
    return _made(view, (2023, 2024, 2025))


def _registers() -> Registers:
    assert CATALOGUE.programme is not None
    return bundled_registers(CATALOGUE.programme, CATALOGUE.region.municipalities)


# --- every number


def _crawl(shown: Read, expected: Expected, title: str = TITLE, remarks: Sequence[str] = REMARKS) -> None:
    """Each table cell by cell, and no other number than those that are known."""
    assert shown.contents == [name for level, name in shown.headings if level > 1]
    same_tables([table for table in shown.tables if not OF_WELFARE.search(table.caption)], expected.whole())
    others = [table for table in shown.tables if OF_WELFARE.search(table.caption)]
    cells = [c for t in others for c in (t.caption, *t.heads, *(cell for row in t.rows for cell in row))]
    known = [*expected.beside_tables(title, remarks), *expected.alternative()]
    no_number_in(strike("\n".join([*shown.texts, *cells]), known))


def _strings(shown: Sequence[Shown]) -> list[str]:
    return [text for table in shown for text in (table.caption, *("".join(row) for row in table.rows))]


def _without_edges(pages: Sequence[str], title: str) -> str:
    """The text of a PDF without the heads and feet of its pages, each of which must be right."""
    kept = []
    for place, page in enumerate(pages, 1):
        first, *lines, last = page.strip().split("\n")
        assert first.startswith(f"{title} · Regio Deal Twente · "), first
        assert last == f"Bladzijde {place} van {len(pages)}"
        kept += lines
    return "\n".join(kept)


_CONTENTS = re.compile(r"^(.+?)(?: \.)+ (\d+)$", re.MULTILINE)


@pytest.fixture(scope="module")
def expected(tables: Tables) -> Expected:
    return Expected(tables, CATALOGUE)


def test_every_number_of_the_page_and_the_document_is_a_cell_of_the_tables(made: Made, expected: Expected) -> None:
    _crawl(made.page, expected)
    _crawl(made.document, expected)
    assert len(expected.whole()) > 30


def test_every_number_of_the_pdf_is_a_cell_of_the_tables(made: Made, expected: Expected) -> None:
    text = _without_edges(made.pages, TITLE)
    contents = _CONTENTS.findall(text)
    assert [name for name, _ in contents] == [title for level, title in made.page.headings if level == 2]
    text = _CONTENTS.sub("", text)
    for name, page in contents:
        assert squeezed(name) in squeezed(made.pages[int(page) - 1])
    # The running heads were looked at; the title and the subtitle stand on the first page once.
    known = [
        text
        for text in expected.beside_tables(TITLE, REMARKS)
        if text != squeezed(f"{TITLE} · Regio Deal Twente · concept")
    ]
    rest = strike(text, [*_strings(expected.whole()), *known, *drawn(report(made.scope))])
    # A table that goes on has its heads again.
    no_number_in(rest.replace(squeezed("Het verschil sinds 2022"), ""))


def test_every_number_of_the_evaluation_is_a_cell_of_the_tables(evaluation: Made) -> None:
    years = (2023, 2024, 2025)
    expected = Expected(evaluation.scope.view.tables, CATALOGUE, 2025, years)
    title = "Tussenevaluatie 2023 tot en met 2025"
    remarks = (*REMARKS, "Klopt het nog? Het gaat om: 1.800")
    _crawl(evaluation.page, expected, title, remarks)
    _crawl(evaluation.document, expected, title, remarks)
    assert evaluation.page.table("Geteld aan het einde van elk jaar").heads[1:] == ("2023", "2024", "2025")
    # The brief is of the evaluation too, and says so.
    short = f"{title} op één bladzijde"
    known = [*_strings(expected.of_brief()), *_beside_brief(expected, short)]
    no_number_in(strike(_without_edges(evaluation.brief, short), known))
    same_tables(evaluation.slides.tables, expected.of_slides())


def test_every_number_of_a_final_report_is_a_cell_of_the_tables(final: Made) -> None:
    expected = Expected(final.scope.view.tables, CATALOGUE, final=True)
    _crawl(final.page, expected, remarks=())
    _crawl(final.document, expected, remarks=())


def test_every_number_of_the_brief_and_the_slides_is_a_cell_of_the_tables(made: Made, expected: Expected) -> None:
    title = "Voortgang 2025 op één bladzijde"
    known = [*_strings(expected.of_brief()), *_beside_brief(expected, title)]
    no_number_in(strike(_without_edges(made.brief, title), known))

    same_tables(made.slides.tables, expected.of_slides())
    source = "Editie 2025-draft. Deze cijfers laten niet zien waarom iets verandert."
    subtitle = [*expected.edges(title)][2]
    caption = "Wat inwoners ervaren: Stedelijke kernen naast plattelandsgemeenten, meetjaar 2025"
    beside = [*_in_welfare(expected), TITLE, subtitle, caption, *[source] * (len(made.slide_pages) - 1)]
    no_number_in(strike("\n".join(made.slides.texts), beside))
    pages = [re.sub(rf"\n{place}$", "", page.strip()) for place, page in enumerate(made.slide_pages, 1)]
    no_number_in(strike("\n".join(pages), [*_strings(expected.of_slides()), *beside, *drawn(deck(made.scope))]))


def test_the_picture_of_both_groups_shows_the_figures_of_the_tables(made: Made, expected: Expected) -> None:
    (picture,) = report(made.scope).pictures
    assert [(line.name, line.figure) for line in picture.lines] == expected.picture()
    assert all(line.margin is not None and len(line.marks) == 2 for line in picture.lines)
    for name, figure in expected.picture():
        assert f"{name}: {figure} (" in picture.alt
    assert deck(made.scope).pictures == [picture]


def _in_welfare(expected: Expected) -> list[str]:
    pair = ":".join(CATALOGUE.region.contrasts[0])
    headline = [indicator.indicator_id for indicator in CATALOGUE.headline_indicators]
    return [said for name in headline for said in expected.sentence(f"figures:2025:{name}:{pair}")]


def _beside_brief(expected: Expected, title: str) -> list[str]:
    """What the brief says beside its tables."""
    later = [row for row in expected.calendar().rows if int(row[0].split()[-1]) > expected.year]
    coming = [f"{row[0]}: {row[1]}" for row in later[:3]]
    assert len(coming) == 3
    said = [*_in_welfare(expected), *coming, *expected.sentence("count_target:2025:TOTAL")]
    return [*said, title, [*expected.edges(title)][2], f"Geld, stand {expected.day}"]


@pytest.mark.parametrize("form", ["html", "docx"])
def test_a_number_that_is_changed_in_a_copy_is_found(made: Made, expected: Expected, form: str) -> None:
    read: Callable[[bytes], Read] = read_html if form == "html" else read_docx
    content = made.file(made.start, form)
    text = _body(content, form)
    found = re.finditer(r"(?<=[> (])\d[\d.,]*\d(?=[ <);.])|(?<=>)\d(?=<)", text)
    numbers = [match for match in found if match.start() > text.index("In het kort")]
    assert len(numbers) > 300
    # A Word document takes long to read.
    for match in numbers[:: len(numbers) // (24 if form == "html" else 8)]:
        digit = (int(match[0][-1]) + 1) % 10
        wrong = f"{text[: match.end() - 1]}{digit}{text[match.end() :]}"
        try:
            _crawl(read(_with_body(content, wrong, form)), expected)
        except AssertionError:
            continue
        pytest.fail(f"not found: {wrong[match.start() - 80 : match.end() + 30]}")


def _body(content: bytes, form: str) -> str:
    if form == "html":
        return content.decode()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.read("word/document.xml").decode()


def _with_body(content: bytes, text: str, form: str) -> bytes:
    if form == "html":
        return text.encode()
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as archive, zipfile.ZipFile(target, "w") as copy:
        for name in archive.namelist():
            copy.writestr(name, text.encode() if name == "word/document.xml" else archive.read(name))
    return target.getvalue()


# --- the covenant's tables

# Article 5.2 as printed: state, region, total; millions of euros.
ARTICLE_5_2 = {
    "1.1": ("8,9", "10,9", "19,8"),
    "1.2": ("2,7", "3,3", "6,0"),
    "2.1": ("2,7", "2,0", "4,7"),
    "2.2": ("2,5", "0,8", "3,3"),
    "3.1": ("3,9", "3,2", "7,1"),
    "3.2": ("3,6", "4,1", "7,7"),
    "VAT": ("0,7", "0,7", "1,4"),
    "TOTAL": ("25,0", "25,0", "50,0"),
}
# Article 5.3 as printed: public, private, total.
ARTICLE_5_3 = [("19,2", "--", "19,2"), ("2,4", "3,4", "5,8"), ("21,6", "3,4", "25,0")]


def _printed(*amounts: str) -> tuple[str, ...]:
    return tuple(f"€ {amount} mln." for amount in amounts)


@pytest.mark.parametrize("world", ["made", "empty", "final"])
def test_the_tables_of_the_covenant_stand_there_as_printed(world: str, request: pytest.FixtureRequest) -> None:
    one: Made = request.getfixturevalue(world)
    for read in (one.page, one.document):
        agreed = read.table("Afgesproken bedragen")
        assert agreed.heads == ("Programma", "Maximale rijksbijdrage", "Regionale financiering", "Totaalbedrag")
        assert [row[1:] for row in agreed.rows] == [_printed(*amounts) for amounts in ARTICLE_5_2.values()]
        assert [row[0].split()[0] for row in agreed.rows] == [*list(ARTICLE_5_2)[:6], "Uitvoeringskosten", "Bijdragen"]
        assert agreed.rows[-1][0] == "Bijdragen totaal maximaal"
        regional = read.table("Hoe de regionale financiering is opgebouwd")
        heads = ("Soort bijdrage", "Publieke financiering", "Private financiering", "Totaalbedrag")
        assert regional.heads == heads
        assert [row[1:] for row in regional.rows] == [_printed(*amounts) for amounts in ARTICLE_5_3]
        assert [row[0] for row in regional.rows] == [
            "Financiële bijdrage",
            "Bijdrage in natura",
            "Bijdragen totaal maximaal",
        ]
    text = squeezed("\n".join(one.pages))
    for amounts in [*ARTICLE_5_2.values(), *ARTICLE_5_3]:
        assert squeezed("".join(_printed(*amounts))) in text


def _euros(amount: str) -> int:
    return int(amount.replace(",", "")) * 100_000


def test_what_the_covenant_prints_is_what_the_table_of_money_holds(made: Made) -> None:
    for line, amounts in ARTICLE_5_2.items():
        for source, amount in zip(("state", "regional", "total"), amounts, strict=True):
            assert made.scope.money(line, source)["budget"] == _euros(amount)
    sources = [("public_money", None, "public_money"), ("public_in_kind", "private_in_kind", "in_kind")]
    for named, row in zip([*sources, ("public", "private_in_kind", "regional")], ARTICLE_5_3, strict=True):
        for source, amount in zip(named, row, strict=True):
            if source is not None:
                budget = made.scope.money("TOTAL", source)["budget"]
                assert budget == _euros(amount)


def test_additional_private_money_is_an_ambition_beside_the_deal(made: Made) -> None:
    row = made.page.table(
        "Regionale financiering naar herkomst, en privaat geld naast de deal, stand 31 december 2025"
    ).rows[-1]
    assert row[:2] == ("extra privaat (ambitie naast de deal)", unbroken("€ 30,0 mln"))
    explanation = CATALOGUE.vocabulary["financing_source"]["additional_private"].explanation_nl
    assert explanation == "Private investeringen naast de deal; een ambitie, geen afspraak."
    # It is in no total: 25,0 of the region is without it.
    assert made.scope.money("TOTAL", "regional")["budget"] == 25_000_000
    assert made.scope.money("TOTAL", "additional_private")["budget"] == 30_000_000


_AMOUNT = re.compile(r"€\s*[\d.,]+\s*(?:mln|million)\.?")


@pytest.mark.parametrize("world", ["made", "empty", "final"])
def test_an_amount_stays_on_one_line_but_as_the_covenant_prints_it(world: str, request: pytest.FixtureRequest) -> None:
    one: Made = request.getfixturevalue(world)
    forms = {
        "html": lxml.html.fromstring(one.file(one.start, "html")).text_content(),
        "docx": "\n".join(_runs(one.file(one.start, "docx"), "word/document.xml")),
        "pptx": "\n".join(_runs(one.file("presentatie", "pptx"), "ppt/slides/slide")),
    }
    covenant = _printed(*(amount for row in [*ARTICLE_5_2.values(), *ARTICLE_5_3] for amount in row if amount != "--"))
    for form, text in forms.items():
        amounts = _AMOUNT.findall(text)
        assert len(amounts) >= len(ARTICLE_5_2), form
        plain = [amount for amount in amounts if amount != unbroken(amount)]
        assert sorted(plain) == ([] if form == "pptx" else sorted(covenant)), form


def _runs(content: bytes, start: str) -> list[str]:
    """The texts of the paragraphs in parts of a packed document."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = sorted(name for name in archive.namelist() if name.startswith(start) and name.endswith(".xml"))
        trees = [lxml.etree.fromstring(archive.read(name)) for name in names]
    paragraphs = [p for tree in trees for p in tree.iterfind(".//{*}p")]
    return ["".join(t.text or "" for t in p.iterfind(".//{*}t")) for p in paragraphs]


# --- one figure that changes


def _changes(before: View, after: View) -> set[tuple[str, str]]:
    """Every text of the report and of its short versions that differs."""
    pairs: set[tuple[str, str]] = set()
    for one, other in zip(_all_texts(before), _all_texts(after), strict=True):
        if one != other:
            pairs.add((one, other))
    return pairs


def _all_texts(view: View) -> list[str]:
    scope = scope_on(view)
    return [*report(scope).texts, *brief(scope).texts]


def _new(pairs: set[tuple[str, str]]) -> set[str]:
    return {new for _, new in pairs}


SME = NOW & (pl.col("target_id") == "sme_active")
STAMP = "Verzonnen voorbeeld: "


def test_a_count_that_changes_changes_its_cells_and_the_sentences_that_count_it(view: View, small: Tables) -> None:
    after = said_again(changed(small, "target_progress", SME, achieved=141.0, status="on_course"), CATALOGUE)
    pairs = _changes(view, after)
    assert {pair for pair in pairs if len(pair[0]) < 60} == {
        ("112 van 300 mkb-organisaties", "141 van 300 mkb-organisaties"),
        ("achter op de planning", "op koers"),
        ("112", "141"),
        ("behind", "on course"),
        ("1", "2"),
        ("1", "0"),
    }
    assert {new for new in _new(pairs) if len(new) >= 60} == {
        (
            f"{STAMP}Hele programma: 27 beoogde resultaten. Oordeel: bereikt bij 5, op koers bij 6, achter op de "
            "planning bij 6, pas later gepland bij 7 en niet te zeggen bij 3."
        ),
        (
            f"{STAMP}1.2 Een toekomstbestendig (mkb) bedrijfsleven: 3 beoogde resultaten. Oordeel: bereikt bij 1 en op "
            "koers bij 2."
        ),
        (
            "Invented example: The whole programme: 27 aims. Verdict: reached for 5, on course for 6, behind for 6, "
            "planned for later for 7 and cannot be said for 3."
        ),
    }
    said = after.claim("target:2025:sme_active", "nl")
    assert said is not None
    assert said["sentence"].endswith(
        "Geteld op 31 december 2025: 141 (mkb-organisaties). Het streven is 300. Gepland was toen 140. "
        "Oordeel: op koers."
    )


def test_a_planning_that_changes_changes_one_cell_and_one_sentence(view: View, small: Tables) -> None:
    after = said_again(changed(small, "target_progress", SME, planned=120.0), CATALOGUE)
    assert _changes(view, after) == {("140", "120")}
    said = after.claim("target:2025:sme_active", "nl")
    assert said is not None
    assert "Gepland was toen 120." in said["sentence"]


def test_an_amount_that_changes_changes_its_cells_and_its_sentence(view: View, small: Tables) -> None:
    row = NOW & (pl.col("line_id") == "TOTAL") & (pl.col("financing_source") == "state")
    after = said_again(changed(small, "budget_progress", row, committed=14_958_000.0), CATALOGUE)
    assert _changes(view, after) == {
        ("€\u00a014,46\u00a0mln", "€\u00a014,96\u00a0mln"),
        *(
            (unbroken(said.replace("14,96", "14,46").replace("14.96", "14.46")), unbroken(said))
            for said in (
                (
                    f"{STAMP}Hele programma, Rijk: afgesproken is hoogstens € 25,0 mln. Op 31 december 2025 is € 14,96 "
                    "mln toegezegd en € 9,14 mln betaald. Verwacht wordt € 25,00 mln."
                ),
                (
                    "Invented example: The whole programme, state: no more than € 25.0 million was agreed. On 31 "
                    "December 2025 € 14.96 million is committed and € 9.14 million paid. The forecast is € 25.00 "
                    "million."
                ),
            )
        ),
    }


def test_a_forecast_over_the_maximum_is_called_so(view: View, small: Tables) -> None:
    registers = _registers()
    money = registers.frames["money"]
    newest = money.filter(project_id="net-in-balans", financing_source="state")["as_of"].max()
    row = (pl.col("project_id") == "net-in-balans") & (pl.col("financing_source") == "state")
    over = money.with_columns(
        forecast=pl.when(row & (pl.col("as_of") == newest)).then(pl.col("forecast") + 100_000).otherwise("forecast")
    )
    after = said_again(from_registers(small, CATALOGUE, Registers(registers.frames | {"money": over})), CATALOGUE)
    pairs = _changes(view, after)
    table = next(t for t in read_html(_page(after)).tables if t.caption.startswith("Bijdrage van het Rijk"))
    assert (table.rows[0][-2:], table.rows[-1][-2:]) == (
        ("€\u00a09,00\u00a0mln", "boven het maximum"),
        ("€\u00a025,10\u00a0mln", "boven het maximum"),
    )
    said = next(new for _, new in pairs if new.startswith(f"{STAMP}Hele programma, Rijk"))
    assert said.endswith("Verwacht wordt €\u00a025,10\u00a0mln. Er is meer toegezegd of verwacht dan mag.")
    # The slide has what is expected, which is more than what is committed.
    (shown,) = _outside(after)
    cells = {(row[0].text.split()[0], row[0].note): tuple(cell.text for cell in row[1:]) for row in shown.rows}
    over = ("€\u00a08,9\u00a0mln", "€\u00a09,00\u00a0mln", "boven het maximum")
    assert cells["1.1", "Rijk"] == over
    assert cells["Hele", "Rijk"] == ("€\u00a025,0\u00a0mln", "€\u00a025,10\u00a0mln", "boven het maximum")


@pytest.mark.parametrize(("euros", "cell"), [(455_000.0, "€\u00a00,46\u00a0mln"), (585_000.0, "€\u00a00,59\u00a0mln")])
def test_half_of_a_hundredth_of_a_million_goes_up_in_a_cell(small: Tables, euros: float, cell: str) -> None:
    row = NOW & (pl.col("line_id") == "1.1") & (pl.col("financing_source") == "state")
    after = View(changed(small, "budget_progress", row, paid=euros), CATALOGUE)
    assert read_html(_page(after)).table(STATE_MONEY).rows[0][3] == cell


def test_the_slide_on_money_has_what_is_committed_where_that_is_more_or_all_that_is_known(small: Tables) -> None:
    state = NOW & (pl.col("financing_source") == "state")
    tables = small
    for line, committed, forecast in (("1.1", 9.5e6, 9e6), ("1.2", 2.8e6, None), ("2.1", None, None)):
        row = state & (pl.col("line_id") == line)
        stated = {"committed": committed, "forecast": forecast, "warning": "above_maximum"}
        tables = changed(tables, "budget_progress", row, **stated)
    rows = [row for table in _outside(View(tables, CATALOGUE)) for row in table.rows if row[0].note == "Rijk"]
    found = {row[0].text.split()[0]: row[2].text for row in rows}
    assert [found[line] for line in ("1.1", "1.2", "2.1")] == [
        "€\u00a09,50\u00a0mln",
        "€\u00a02,80\u00a0mln",
        "niet opgegeven",
    ]


def _outside(view: View) -> list[Table]:
    """The table of each slide on money outside what was agreed."""
    slides = [s for s in deck(scope_on(view)).slides if s.title == "Welk geld valt buiten de afspraak?"]
    tables = [block for slide in slides for block in slide.blocks if isinstance(block, Table)]
    assert len(tables) == len(slides)
    return tables


def _page(view: View) -> bytes:
    """The page of a report, with nothing in its pictures."""
    whole = report(scope_on(view))
    return html(whole, iter([b""] * len(whole.pictures)))


@pytest.mark.parametrize(
    ("value", "verdict", "limits"),
    [
        (80.0, "★ bereikt", "11,1 (tussen 5,6 en 16,6)"),
        (67.8, "? niet te zeggen (te onzeker)", "−1,1 (tussen −6,6 en 4,4)"),
        (50.0, "◄ achter op de planning", "−18,9 (tussen −24,4 en −13,4)"),
    ],
)
def test_the_test_of_a_sample_decides_the_word(small: Tables, value: float, verdict: str, limits: str) -> None:
    """Δ is 6: reached above −6, behind below it, and with −6 within the limits nothing can be said."""
    registers = _registers()
    found = registers.frames["measurement"]
    row = (pl.col("target_id") == "perceived_health_65") & (pl.col("wave") == 2025)
    row &= (pl.col("about") == "named") & (pl.col("method") == "direct")
    assert found.filter(row).height == 1
    other = found.with_columns(value=pl.when(row).then(value).otherwise("value"))
    after = from_registers(small, CATALOGUE, Registers(registers.frames | {"measurement": other}))
    view = said_again(after, CATALOGUE)
    cells = next(
        r for r in read_html(_page(view)).table("De toets bij elk gemeten resultaat").rows if "ouderen" in r[0]
    )
    assert (cells[3], cells[4], cells[6]) == (limits, "6", verdict)
    said = view.claim("target:2025:perceived_health_65", "nl")
    assert said is not None
    word = verdict[2:].removesuffix(" (te onzeker)")
    assert f"Oordeel: {word}." in said["sentence"]
    assert ("De marge is te breed." in said["sentence"]) is (word == "niet te zeggen")


def test_a_milestone_that_is_reached_changes_its_row_alone(view: View, small: Tables) -> None:
    row = pl.col("milestone_id") == "net-in-balans-2"
    after = said_again(changed(small, "milestone", row, reached_on="2026-02-10", status="reached"), CATALOGUE)
    assert _changes(view, after) == {("nog niet", "10 februari 2026"), ("te laat", "bereikt")}


def test_a_deadline_that_moves_moves_in_the_calendar_and_on_the_brief(view: View, small: Tables) -> None:
    row = (pl.col("deadline_id") == "progress_report") & (pl.col("due") == "2026-07-14")
    after = said_again(changed(small, "deadline", row, due="2026-07-10"), CATALOGUE)
    pairs = _changes(view, after)
    assert ("14 juli 2026", "10 juli 2026") in pairs
    assert {new.split(":")[0] for _, new in pairs} == {"10 juli 2026"}
    assert len(pairs) == 2


def test_a_verdict_on_welfare_that_flips_changes_the_sentences_on_it_and_nothing_of_the_programme(
    view: View, small: Tables
) -> None:
    row = (pl.col("measurement_year") == 2025) & (pl.col("indicator_id") == "income_standardised_mean")
    row &= (pl.col("region_code") == "TWENTE") & (pl.col("comparator_code") == "NL_REST")
    row &= pl.col("breakdown") == "total"
    after = said_again(changed(small, "comparison", row, verdict="better"), CATALOGUE)
    pairs = _changes(view, after)
    income = {(one, other) for one, other in pairs if not one.startswith(("Verzonnen", "Invented"))}
    assert {other for _, other in income} == {
        (
            "Gemiddeld gestandaardiseerd inkomen (cijfer over 2024, voorlopig, ouder cijfer): Twente 39,9, de rest van "
            "Nederland 41,9 duizend euro per huishouden. Verschil −2,1 (−4,9%): aantoonbaar beter."
        ),
        (
            "Mean standardised income (figure for 2024, provisional, older figure): Twente 39.9, the rest of the "
            "Netherlands 41.9 thousand euros per household. Difference −2.1 (−4.9%): demonstrably better."
        ),
    }
    (counted,) = pairs - income
    assert "Bij 7 is het in Twente aantoonbaar beter. Bij 1 is het in Twente aantoonbaar slechter." in counted[0]
    assert "Bij 8 is het in Twente aantoonbaar beter. Bij 4 is er geen" in counted[1]


def test_a_sentence_that_the_tables_no_longer_carry_is_refused_by_name(view: View) -> None:
    wrong = changed({**view.tables}, "target_progress", SME, achieved=141.0)
    with pytest.raises(StaleSentence) as refused:
        report_scope(View(wrong, CATALOGUE), [2025])
    assert "112 (mkb-organisaties)" in str(refused.value)
    claim = (pl.col("claim_id") == "count_target:2025:TOTAL") & (pl.col("language") == "nl")
    forged = changed({**view.tables}, "claim", claim, sentence="Alles is bereikt.")
    with pytest.raises(StaleSentence, match=r"(?s)1 sentences.*Alles is bereikt\."):
        report_scope(View(forged, CATALOGUE), [2025])


# --- what bureaus wrote


@pytest.mark.parametrize("world", ["real_draft", "final"])
def test_a_text_of_a_bureau_is_its_own_in_every_form(world: str, request: pytest.FixtureRequest) -> None:
    one: Made = request.getfixturevalue(world)
    source = "Tekst van bureau-bedrijven, verslagjaar 2025"
    root = lxml.html.fromstring(one.file(one.start, "html"))
    quotes = [q for q in root.iterfind(".//figure[@class='quote']") if "Zij zei" in q.text_content()]
    assert [[p.text_content() for p in q.iterfind("blockquote/p")] for q in quotes] == [TEXT.split("\n\n")]
    assert quotes[0].find("figcaption").text_content() == source
    document = Document(io.BytesIO(one.file(one.start, "docx")))
    texts = [p.text for p in document.paragraphs if p.style is not None and p.style.name == "Quote"]
    assert texts[texts.index(ODD) :][:3] == [*TEXT.split("\n\n"), source]
    assert squeezed(TEXT) + squeezed(source) in squeezed("\n".join(one.pages))
    for read in (one.page, one.document):
        assert read.table("Lessen bij lijn 1.1").rows[0][1] == 'Er is <i>ruimte</i> op "het net" #let.'


def test_every_text_of_a_line_stands_in_every_form(made: Made, expected: Expected) -> None:
    rows = [row for part in ("progress", "planning", "money") for row in expected.texts(part)]
    assert {row["line_id"] for row in rows} == {*ARTICLE_5_2} - {"TOTAL", "2.2"} | {"VAT"}
    assert sorted(row["part"] for row in rows if row["line_id"] == "VAT") == ["money", "planning", "progress"]
    for form in ("html", "docx", "pdf"):
        text = squeezed(made.all_texts[form])
        for said in expected.written():
            assert squeezed(said) in text, (form, said)


@pytest.mark.parametrize("form", ["html", "docx", "pdf"])
def test_a_cause_is_remarked_on_in_every_report_and_a_number_in_drafts(
    real_draft: Made, final: Made, form: str
) -> None:
    why = f"noemt een oorzaak. Cijfers over brede welvaart laten niet zien waarom iets verandert. Het gaat om: {CAUSE}"
    cause = squeezed(f"Opmerking voor de redactie: deze tekst {why}")
    # A final report has no editor any more: readers are told.
    told = squeezed(f"Let op: deze tekst van het bureau {why}")
    unknown = "een getal dat niet in de tabellen van deze lijn staat. Klopt het nog? Het gaat om:"
    drafted, finished = squeezed(real_draft.all_texts[form]), squeezed(final.all_texts[form])
    # One behind the text on progress, one behind the text on money, and one behind the lesson.
    assert (drafted.count(cause), finished.count(cause)) == (3, 0)
    assert (drafted.count(told), finished.count(told)) == (0, 3)
    for number in ("98765", "54321"):
        assert squeezed(f"{unknown} {number}") in drafted
    assert "Klopthetnog" not in finished
    assert "voorderedactie" not in finished
    for text, remark in ((drafted, cause), (finished, told)):
        assert text.index(squeezed(TEXT)) < text.index(remark)
        assert text.index(squeezed("Dat kostte 54321 euro.")) < text.rindex(remark)


def test_the_costs_of_carrying_out_are_reported_on_as_every_line_but_have_no_results(made: Made) -> None:
    for read in (made.page, made.document):
        assert (
            "Verzonnen project Uitvoering van de Deal"
            in read.table("Projecten van lijn VAT, stand 1 maart 2026").rows[0]
        )
        texts = [row[1] for row in read.table("Mijlpalen van lijn VAT, stand 1 maart 2026").rows]
        assert texts == ["Alle bureaus hebben een plan", "De tussenstand is besproken met het Rijk"]
        assert not [table.caption for table in read.tables if "lijn VAT" in table.caption][2:]
        # No results are counted, of this line nor of any other without.
        assert f"{OVERHEAD}:" not in read.everything
    assert made.scope.lines_with_results == [*ARTICLE_5_2][:6]
    assert made.scope.programme_lines == [*ARTICLE_5_2][:7]
    lists = [block for block in report(made.scope).blocks if isinstance(block, Bullets)]
    assert all(bullets.items for bullets in lists)


def test_the_core_message_is_quoted_with_its_article(made: Made, final: Made) -> None:
    message = (
        "Met de Regio Deal Twente wordt een stevige impuls gegeven aan de realisatie van de ambitie van Twente Board "
        "om de brede welvaart in Twente te vergroten, ons Bruto Twents Geluk. Daartoe investeren we in een "
        "toekomstbestendig bedrijfsleven, talent op alle niveaus en het toegankelijk houden van de zorg."
    )
    for one in (made, final):
        for form in ("html", "docx", "pdf"):
            text = squeezed(one.all_texts[form])
            assert squeezed(f"{message} Kernboodschap, artikel 9.1 van het convenant") in text
        quote = lxml.html.fromstring(one.file(one.start, "html")).find(".//figure[@class='quote']/blockquote")
        assert quote.text_content() == message


# --- draft and final


def test_a_draft_says_so_on_every_page_and_in_every_form(real_draft: Made, final: Made) -> None:
    pages = [*real_draft.pages, *real_draft.brief, *real_draft.slide_pages, *real_draft.slides.texts]
    assert all("Concept" in page for page in pages)
    assert "Concept" in real_draft.page.texts[: real_draft.page.texts.index("In het kort")]
    header = Document(io.BytesIO(real_draft.file(real_draft.start, "docx"))).sections[0].header
    assert "Concept" in header.paragraphs[0].text
    for form, text in real_draft.all_texts.items():
        assert " · concept · editie 2025-1" in text, form
        assert "definitief" not in text.replace("In een definitieve rapportage", ""), form
    for page in [*final.pages, *final.brief]:
        assert page.startswith(("Voortgangsrapportage 2025", "Voortgang 2025")), page[:60]
        assert "· definitief" in page.split("\n")[0]
    for form, text in final.all_texts.items():
        assert "· definitief · editie 2025-1" in text, form
        # The covenant itself speaks of a report in draft.
        assert "concept" not in text.lower().replace("in concept, naar het rijk-regio-overleg", ""), form


def test_that_figures_are_invented_stands_on_every_page_and_slide(made: Made, final: Made) -> None:
    for pages in (made.pages, made.brief, made.slide_pages, made.slides.texts):
        assert all(INVENTED in page for page in pages)
    assert INVENTED in made.page.texts[: made.page.texts.index("In het kort")]
    header = Document(io.BytesIO(made.file(made.start, "docx"))).sections[0].header
    assert INVENTED in header.paragraphs[0].text
    for page in [*made.pages, *made.brief]:
        assert "· concept" in page.split("\n")[0]
    for form, text in final.all_texts.items():
        assert "erzonnen voorbeeld" not in text, form


def test_each_thing_that_lacks_is_named_and_when_nothing_lacks_that_is_said(
    made: Made, final: Made, empty: Made
) -> None:
    assert made.page.table("Wat nog ontbreekt").rows == (
        ("1.2 Een toekomstbestendig (mkb) bedrijfsleven", "tekst die geen oorzaak noemt", "voortgang"),
        ("2.2 Het benutten van ongekend talent", "tekst over de voortgang", ""),
        ("2.2 Het benutten van ongekend talent", "tekst over de planning", ""),
    )
    assert "Dit is een concept. Er ontbreekt nog iets" in made.page.everything
    for form in ("html", "docx", "pdf"):
        assert "Alles wat deze rapportage nodig heeft, is er." in final.all_texts[form]
        assert "Er ontbreekt nog iets" not in final.all_texts[form]
    unmet = empty.scope.view.tables["report_requirement"].filter(year=2025, met=False)
    assert unmet.height > 30
    assert len(empty.page.table("Wat nog ontbreekt").rows) == unmet.height


# --- how it is built

CHAPTERS = [
    "In het kort",
    # article 8.2: progress of lines and results, planning, lessons, money
    "Voortgang per programmalijn",
    "Resultaten naast wat is beoogd (artikel 4)",
    "Planning",
    "Geleerde lessen",
    "Geld",
    # article 8.1: the measurement
    "Brede welvaart in Twente",
    "Bronnen en grenzen",
    "Wat nog ontbreekt",
    "Summary in English",
    "Over deze rapportage",
]
WORLDS = ["made", "final", "empty", "evaluation"]


@pytest.mark.parametrize("world", WORLDS)
def test_chapters_stand_in_the_order_of_article_8(world: str, request: pytest.FixtureRequest) -> None:
    one: Made = request.getfixturevalue(world)
    for read in (one.page, one.document):
        assert [title for level, title in read.headings if level == 2] == CHAPTERS
        levels = [level for level, _ in read.headings]
        assert levels[0] == 1
        assert all(after <= before + 1 for before, after in pairwise(levels))
        assert read.contents == [title for level, title in read.headings if level > 1]
    lines = [one.scope.line(line) for line in ("1.1", "1.2", "2.1", "2.2", "3.1", "3.2")]
    for chapter in ("Voortgang per programmalijn", "Planning"):
        assert _parts(one.page, chapter) == [*lines, OVERHEAD]
    assert _parts(one.page, "Geleerde lessen") == lines
    reported = pl.col("year").is_in(list(one.scope.years))
    written = {row["line_id"] for row in one.scope.view.rows("programme_text", reported, part="money")}
    wrote = [one.scope.line(line) for line in [*ARTICLE_5_2][:7] if line in written]
    assert (OVERHEAD in wrote) is (world != "empty")
    assert _parts(one.page, "Geld")[2:] == wrote
    # Of a region that has figures of residents or not: the title says no more than what follows.
    assert _parts(one.page, "Brede welvaart in Twente")[0] == "De hoofdcijfers van Twente"
    assert _parts(one.page, CHAPTERS[2])[:7] == [*lines[:4], "Opgave 3, beide lijnen samen", *lines[4:]]


def _parts(read: Read, chapter: str) -> list[str]:
    titles = [*read.headings, (2, "")]
    start = titles.index((2, chapter))
    end = next(place for place in range(start + 1, len(titles)) if titles[place][0] == 2)
    return [title for _, title in titles[start + 1 : end]]


@pytest.mark.parametrize("world", WORLDS)
def test_all_forms_are_read_in_the_same_order(world: str, request: pytest.FixtureRequest) -> None:
    one: Made = request.getfixturevalue(world)
    assert one.page.order == one.document.order
    text = squeezed(_CONTENTS.sub("", _without_edges(one.pages, report(one.scope).title)))
    at = 0
    for title in map(squeezed, one.page.order):
        assert title in text[at:], title
        at = text.index(title, at) + len(title)


@pytest.mark.parametrize("world", WORLDS)
def test_a_pdf_can_be_read_aloud(world: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    one: Made = request.getfixturevalue(world)
    for name, content in one.files.items():
        if name.endswith(".pdf"):
            path = tmp_path / name
            path.write_bytes(content)
            assert pdf_faults(path) == [], name
    with pikepdf.open(io.BytesIO(one.file(one.start, "pdf"))) as pdf:
        assert str(pdf.Root.Lang) == "nl-NL"
        found = _tags(pdf.Root.StructTreeRoot)
    # Headings are tagged with their text, and tables with their caption, in the order of the page.
    headings = [(int(kind[1]), title) for kind, title, _ in found if re.fullmatch(r"H\d", kind)]
    assert [h for h in headings if h != (2, "Inhoud")] == one.page.headings
    kinds = [kind for kind, _, _ in found if re.fullmatch(r"H\d|Table", kind)]
    assert kinds == one.page.kinds
    assert sum(1 for kind, _, _ in found if kind == "TH") == sum(len(table.heads) for table in one.page.tables)
    assert {language for _, _, language in found if language} == {"en-GB"}


def _tags(tree: pikepdf.Object) -> list[tuple[str, str, str]]:
    """Kind, title and language of every element, in the order in which they are read."""
    found: list[tuple[str, str, str]] = []
    waiting = [tree]
    while waiting:
        item = waiting.pop()
        if isinstance(item, pikepdf.Array):
            waiting += reversed(list(item))
        elif isinstance(item, pikepdf.Dictionary):
            if "/S" in item:
                found.append((str(item["/S"])[1:], str(item.get("/T", "")), str(item.get("/Lang", ""))))
            if "/K" in item:
                waiting.append(item["/K"])
    return found


def test_the_english_summary_is_marked_as_english_and_only_that(made: Made) -> None:
    english = ["Summary in English", "Intended results", "Money", "Broad welfare"]
    root = lxml.html.fromstring(made.file(made.start, "html"))
    assert root.get("lang") == "nl"
    assert [s.find("*").text_content() for s in root.iterfind(".//section[@lang='en']")] == english
    assert [link.text_content() for link in root.iterfind(".//nav//a[@lang='en']")] == english
    document = Document(io.BytesIO(made.file(made.start, "docx")))
    assert 'w:lang w:val="nl-NL"' in document.styles.element.xml
    spoken = {p.text: p._p.xpath(".//w:r/w:rPr/w:lang/@w:val") for p in document.paragraphs}
    for title in english:
        assert spoken[title] == ["en-GB"]
    assert spoken["Over deze rapportage"] == []
    with pikepdf.open(io.BytesIO(made.file(made.start, "pdf"))) as pdf:
        assert {language for _, _, language in _tags(pdf.Root.StructTreeRoot)} == {"", "en-GB"}


def test_tables_of_a_word_document_have_a_row_of_heads(made: Made) -> None:
    document = Document(io.BytesIO(made.file(made.start, "docx")))
    assert len(document.tables) == len(made.page.tables)
    assert all("<w:tblHeader/>" in table.rows[0]._tr.xml for table in document.tables)
    for table in lxml.html.fromstring(made.file(made.start, "html")).iterfind(".//table"):
        assert {th.get("scope") for th in table.iterfind("thead//th")} == {"col"}
        assert all(row[0].tag == "th" and row[0].get("scope") == "row" for row in table.iterfind("tbody/tr"))


# --- worlds with less, or more


LONG = "Verduurzamen en ontwikkelen van bedrijfslocaties langs het kanaal en in de kernen eromheen, met iedereen samen"


def _long(small: Tables) -> View:
    tables = changed(small, "programme_line", pl.col("parent_line_id").is_not_null(), name_nl=LONG, name_en=LONG)
    tables = changed(tables, "project", pl.lit(True), name=f"Project {LONG}", bureau="bureau-met-een-heel-lange-naam")
    return said_again(tables, CATALOGUE)


def _no_money_on(small: Tables, line: str) -> View:
    registers = _registers()
    projects = registers.frames["project"].filter(line_id=line)["project_id"].to_list()
    assert projects
    money = registers.frames["money"].filter(~pl.col("project_id").is_in(projects))
    return said_again(from_registers(small, CATALOGUE, Registers(registers.frames | {"money": money})), CATALOGUE)


def _no_lessons(small: Tables) -> View:
    return said_again(small | {"lesson": small["lesson"].clear()}, CATALOGUE)


def _all_behind(small: Tables) -> View:
    decided = NOW & pl.col("achieved").is_not_null()
    return said_again(changed(small, "target_progress", decided, status="behind", reason=None), CATALOGUE)


def _all_outside(small: Tables) -> View:
    agreed = NOW & pl.col("budget").is_not_null()
    return said_again(changed(small, "budget_progress", agreed, warning="above_maximum"), CATALOGUE)


@pytest.fixture(scope="module", params=["long", "no_money", "no_lessons", "all_behind", "all_outside"])
def other(request: pytest.FixtureRequest, small: Tables) -> Made:
    worlds: dict[str, Callable[[], View]] = {
        "long": lambda: _long(small),
        "no_money": lambda: _no_money_on(small, "3.1"),
        "no_lessons": lambda: _no_lessons(small),
        "all_behind": lambda: _all_behind(small),
        "all_outside": lambda: _all_outside(small),
    }
    return _made(worlds[request.param]())


def _sizes(one: Made) -> None:
    """The brief is one page, and nothing stands beside a slide."""
    assert len(one.brief) == 1
    presentation = Presentation(io.BytesIO(one.file("presentatie", "pptx")))
    assert len(presentation.slides) == len(one.slide_pages)
    for slide in presentation.slides:
        for shape in slide.shapes:
            assert shape.left >= 0
            assert shape.top >= 0
            assert shape.left + shape.width <= (presentation.slide_width or 0), shape.name
            assert shape.top + shape.height <= (presentation.slide_height or 0), shape.name
    for text in one.all_texts.values():
        assert not re.search(r"\b(None|nan|null|inf)\b", text)


def test_another_world_has_a_brief_of_one_page_and_slides_that_fit(other: Made) -> None:
    _sizes(other)
    assert [title for level, title in other.page.headings if level == 2] == CHAPTERS
    # Nothing is left out to make it fit.
    same_tables(other.slides.tables, Expected(other.scope.view.tables, CATALOGUE).of_slides())
    assert all(len(table.rows) <= MOST_ROWS + 1 for table in other.slides.tables)


def test_more_money_outside_what_was_agreed_than_a_slide_holds_takes_several(small: Tables) -> None:
    tables = _outside(_all_outside(small))
    rows = [row for table in tables for row in table.rows]
    assert len(tables) > 1
    assert [len(table.rows) for table in tables[:-1]] == [MOST_ROWS] * (len(tables) - 1)
    agreed = NOW & pl.col("budget").is_not_null() & pl.col("financing_source").is_in(APART)
    assert len(rows) == small["budget_progress"].filter(agreed).height
    assert {table.heads for table in tables} == {("Programma", "Afgesproken", "Toegezegd of verwacht", "Let op")}


@pytest.mark.parametrize("world", [*WORLDS, "real_draft"])
def test_a_brief_is_one_page_and_slides_fit(world: str, request: pytest.FixtureRequest) -> None:
    _sizes(request.getfixturevalue(world))


def test_before_any_bureau_handed_in_a_register_nothing_is_nought(empty: Made) -> None:
    expected = Expected(empty.scope.view.tables, CATALOGUE)
    _crawl(empty.page, expected, remarks=())
    read = empty.page
    for text in ("Geen bureau heeft een register ingeleverd.", "Er is voor deze lijn geen les ingeleverd."):
        assert text in read.texts
    for name in ("projecten", "mijlpalen"):
        assert f"Er zijn voor deze lijn geen {name} opgegeven." in read.texts
    money = read.table("Bijdrage van het Rijk, stand 31 december 2025")
    assert {cell for row in money.rows for cell in row[2:]} == {"niet opgegeven", ""}
    words = {row[-1] for table in read.tables if table.caption.startswith("Beoogd en") for row in table.rows}
    assert words == {
        "? niet te zeggen (geen opgave)",
        "? niet te zeggen (niet gemeten)",
        "? niet te zeggen (andere groep of plek)",
        "? niet te zeggen (geen meting)",
    }
    assert "Hele programma: 27 beoogde resultaten. Oordeel: niet te zeggen bij 27." in read.everything
    assert empty.scope.as_of is None


def test_a_line_without_money_leaves_its_total_and_that_of_all_lines_open(small: Tables) -> None:
    view = _no_money_on(small, "3.1")
    read = read_html(_page(view))
    for caption in ("Bijdrage van het Rijk", "Regionale financiering"):
        table = read.table(f"{caption}, stand 31 december 2025")
        rows = {row[0].split()[0]: row[2:5] for row in table.rows}
        assert rows["3.1"] == rows["Bijdragen"] == ("niet opgegeven",) * 3
        assert "niet opgegeven" not in rows["1.1"]
    assert (
        "Hele programma, Rijk: afgesproken is € 25,0 mln. Er zijn niet van alle onderdelen bedragen opgegeven, dus een "
        "stand is er niet." in read.everything
    )
    money = {row["line_id"]: row for row in view.rows("budget_progress", year=2025, financing_source="state")}
    assert money["3.1"]["committed"] is None
    assert money["TOTAL"]["committed"] is None
    # What lacks are the projects, by the names that readers know.
    lacks = next(row for row in read.table("Wat nog ontbreekt").rows if row[0].startswith("3.1 "))
    names = {row["project_id"]: row["name"] for row in view.rows("project", line_id="3.1")}
    assert lacks[1:] == (
        "stand van het geld aan het einde van het jaar",
        "; ".join(names[key] for key in sorted(names)),
    )


def test_a_region_without_a_programme_has_no_report(view: View) -> None:
    without = CATALOGUE.model_copy(update={"programme": None})
    with pytest.raises(NoProgramme, match="This region has no programme"):
        report_scope(View(view.tables, without), [2025])


@pytest.mark.parametrize("years", [[2022], [2029], [2022, 2025], [2025, 2029]])
def test_a_year_outside_the_programme_is_refused(view: View, years: list[int]) -> None:
    outside = min(year for year in years if not 2023 <= year <= 2028)
    said = rf"^year {outside}: the programme is reported on over 2023 to 2028\.$"
    with pytest.raises(NoProgramme, match=said):
        report_scope(view, years)


@pytest.mark.parametrize("years", [[2023], [2024], [2026], [2023, 2024], [2025, 2026]])
def test_a_year_that_is_not_the_editions_own_is_refused(view: View, years: list[int]) -> None:
    said = rf"^year {years[-1]}: this edition is of 2025, and has sentences on that year only\.$"
    with pytest.raises(NoProgramme, match=said):
        report_scope(view, years)


@pytest.mark.parametrize("years", [[2025], [2023, 2025], [2023, 2024, 2025]])
def test_years_up_to_that_of_the_edition_are_reported_on(view: View, years: list[int]) -> None:
    assert list(report_scope(view, years).years) == years


def test_long_names_stand_there_whole(other: Made) -> None:
    line = other.scope.line("1.1")
    for form in ("html", "docx", "pdf", "brief", "slides.pdf", "slides.pptx"):
        assert squeezed(line) in squeezed(other.all_texts[form]), form


def test_the_evaluation_has_a_column_a_year_and_what_was_written_in_all_of_them(evaluation: Made) -> None:
    for read in (evaluation.page, evaluation.document):
        tables = [table for table in read.tables if table.caption == "Geteld aan het einde van elk jaar"]
        assert len(tables) == 7
        assert {table.heads[1:] for table in tables} == {("2023", "2024", "2025")}
        sme = next(row for table in tables for row in table.rows if row[0].startswith("Minimaal 300"))
        # A sign alone says nothing to who cannot see it.
        assert sme[-1] == f"{SIGNS['behind']} 112 (achter op de planning)"
        lacks = read.table("Wat nog ontbreekt")
        assert lacks.heads == ("Jaar", "Lijn", "Wat ontbreekt", "Welke")
        assert [row[0] for row in lacks.rows] == ["2023"] * 19 + ["2024"] + ["2025"] * 3
        line = "1.1 Verduurzamen en ontwikkelen van bedrijfslocaties"
        assert [(row[1], row[2]) for row in lacks.rows[:3]] == [
            (line, "tekst over de voortgang"),
            (line, "tekst over de planning"),
            (line, "geleerde les"),
        ]
        assert lacks.rows[18][1:] == (
            OVERHEAD,
            "stand van het geld aan het einde van het jaar",
            "Verzonnen project Uitvoering van de Deal",
        )
    years = set(re.findall(r"Tekst van [\w-]+, verslagjaar (\d{4})", evaluation.page.everything))
    assert years == {"2024", "2025"}
    assert evaluation.files.keys() == {
        "evaluatie-2025.html",
        "evaluatie-2025.pdf",
        "evaluatie-2025.docx",
        "bestuurssamenvatting-evaluatie-2025.pdf",
        "presentatie-evaluatie-2025.pdf",
        "presentatie-evaluatie-2025.pptx",
    }


# --- the files


def test_equal_tables_give_equal_bytes(made: Made) -> None:
    tables = dict(reversed(made.scope.view.tables.items()))
    again = progress_files(Scope(View(tables, load_catalogue()), Words(load_catalogue(), "nl"), [2025]))
    assert list(again) == list(made.files)
    for name, content in again.items():
        assert content == made.files[name], name


def test_files_say_who_published_them_and_nothing_of_when_they_were_written(made: Made) -> None:
    about = pypdf.PdfReader(io.BytesIO(made.file(made.start, "pdf"))).metadata
    assert about is not None
    assert (about.title, about.author) == (TITLE, "Twente Board")
    created = made.scope.view.edition["created_at"][:10]
    assert about.creation_date is not None
    assert about.creation_date.date().isoformat() == created
    for form in ("docx", "pptx"):
        content = made.file(made.start if form == "docx" else "presentatie", form)
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_slides_have_a_title_a_source_and_the_number_of_the_slide(made: Made) -> None:
    slides = Presentation(io.BytesIO(made.file("presentatie", "pptx"))).slides
    titles = [slide.shapes.title.text for slide in slides if slide.shapes.title is not None]
    assert titles == [TITLE, *(slide.title for slide in deck(made.scope).slides)]
    assert len(set(titles)) == len(titles) == 7


def test_claims_of_the_demonstration_are_those_of_its_tables(tables: Tables) -> None:
    kinds = pl.col("claim_id").str.contains(r"^(target|money|count_target):")
    assert claims(tables, CATALOGUE).filter(kinds).equals(tables["claim"].filter(kinds))
