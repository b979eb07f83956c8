"""Everything that a document can hold, in every form: the same texts, readable aloud, and nothing taken for markup."""

from __future__ import annotations

import base64
import io
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pikepdf
import pypdf
import pytest
from docx import Document
from odfdo import Document as OpenDocument
from pptx import Presentation

from pipelines.accessibility import audit
from pipelines.browser import SETTINGS, opened_tab
from pipelines.pdf_tags import pdf_faults
from reports import palette
from reports.document.model import (
    Block,
    Bullets,
    Cell,
    Deck,
    Line,
    Mark,
    Paragraph,
    Picture,
    Quote,
    Remark,
    Report,
    Section,
    Slide,
    Table,
)
from reports.document.opendocument import odt
from reports.document.page import html
from reports.document.slides import pptx
from reports.document.typeset import Typesetter
from reports.document.word import docx

if TYPE_CHECKING:
    from playwright.sync_api import Browser

BANNER = "Verzonnen voorbeeld"
CREATED = datetime(2026, 3, 1, 12, tzinfo=UTC)
TRICKS = ("<b>&\"'", "#let x = 1", "=SUM(A1)", "*ster* _streep_ $x$ \\ @noot", "{{ x }} {paper} ${x}", "]]> &amp; <!--")
LONG = 60  # rows: more than a page
TARGETS = {"reached": "gehaald", "on_course": "op koers", "behind": "loopt achter", "not_started": "niet begonnen"}

PICTURE = Picture(
    caption="Tevredenheid in drie gemeenten",
    alt="Almelo 7,1; Borne 7,4; Dinkelland 7,9.",
    unit="rapportcijfer",
    ticks=((0.0, "6"), (0.5, "7"), (1.0, "8")),
    lines=(
        Line("Almelo", "7,1", (Mark("own", 0.55), Mark("bar", 0.6)), (0.5, 0.6)),
        Line("Borne", "7,4", (Mark("own", 0.7), Mark("triangle", 0.8))),
        Line("Dinkelland", "7,9"),
    ),
    legend=(("own", "gemeente"), ("bar", "Twente"), ("triangle", "land")),
    line_height=0.7,
    stamp="verzonnen",
)
QUOTE = Quote(
    "Wij bouwen door.\nOok in de kleine kernen.\n\nElke kern krijgt een eigen plan, met een budget van de raad.",
    "Tekst van de gemeente Borne, 12 januari 2026",
)
REMARK = Remark("Nog navragen: klopt het jaar van dit cijfer?")


def long_table(rows: int = LONG) -> Table:
    return Table(
        "Alle doelen",
        ("Doel", "Stand", "Verdict"),
        (8.0, 6.0, 3.4),
        tuple(
            (
                Cell(f"Doel nummer {n}, dat een lange naam heeft"),
                Cell(f"stand {n}", "voorlopig"),
                Cell("beter", "", "better"),
            )
            for n in range(1, rows + 1)
        ),
        "Stand op de peildatum.",
        breaks=True,
    )


STATUS = Table(
    "Hoe het met de doelen staat",
    ("Doel", "Stand"),
    (3.0, 2.0),
    (
        *((Cell(f"Een doel dat {word} is"), Cell(word, "2025", name)) for name, word in TARGETS.items()),
        (Cell("Een doel zonder cijfer"), Cell("niet te zeggen", "", "not_decidable")),
    ),
)
REPORT = Report(
    slug="voortgang",
    title="Voortgang van de proef",
    subtitle="Meetjaar 2025, editie 2025-1",
    banner=BANNER,
    running="Voortgang · meetjaar 2025",
    page="Bladzijde {page} van {pages}",
    publisher="Proefbureau",
    created=CREATED,
    contents="Wat hierin staat",
    sections=(
        Section(
            "In het kort",
            (Paragraph("Inleiding, zie https://voorbeeld.nl/a?b=1&c=2."), Bullets(("Een punt", "Nog een punt"))),
        ),
        Section("De doelen", (Paragraph("Twee delen."),)),
        Section("Hoe ver het is", (STATUS, long_table()), 3),
        Section("Hoe inwoners het ervaren", (PICTURE,), 3),
        Section("Wat er gedaan is", (QUOTE, REMARK, Paragraph("In 2025 waren er 12 345 gesprekken."))),
        Section(
            "Summary in English", (Paragraph("The goals, in short."), Bullets(("One point",)), STATUS), language="en"
        ),
        Section("Detail of the summary", (Paragraph("More of it."), QUOTE), 3, "en"),
        Section(
            "Vreemde tekens",
            (Bullets(TRICKS), Table(TRICKS[0], TRICKS[:2], (1, 1), ((Cell(TRICKS[3], TRICKS[4]), Cell(TRICKS[5])),))),
        ),
    ),
)
CHAPTERS = [section for section in REPORT.sections if section.level == 2]
DECK = Deck(
    slug="voortgang",
    title="Voortgang in beeld",
    subtitle="Meetjaar 2025",
    banner=BANNER,
    publisher="Proefbureau",
    created=CREATED,
    slides=(
        Slide(
            "Het gaat vooruit",
            (Paragraph("Drie punten."), Bullets(("Eerste punt", "Tweede punt", TRICKS[0]))),
            "Bron: proef",
        ),
        Slide("Acht doelen op een rij", (long_table(8),), "Bron: proefcijfers 2025"),
        Slide("Inwoners zijn tevreden", (PICTURE, Bullets(("Dinkelland staat bovenaan",))), "Bron: verzonnen"),
        Slide("Wat de gemeente schrijft", (QUOTE, REMARK)),
        Slide("Stand", (Paragraph("Zo staat het."), STATUS, Paragraph("En daarna dit."))),
    ),
)


# --- made once, and read again


@dataclass(frozen=True)
class Made:
    """The report and the slides in every form."""

    pdf: bytes
    docx: bytes
    odt: bytes
    html: bytes
    slides_pdf: bytes
    pptx: bytes


def make(report: Report = REPORT, deck: Deck = DECK) -> Made:
    typesetter = Typesetter()
    images, own = typesetter.pngs(report.pictures), typesetter.pngs(deck.pictures)
    return Made(
        pdf=typesetter.pdf(report),
        docx=docx(report, iter(images)),
        odt=odt(report, iter(images)),
        html=html(report, iter(images)),
        slides_pdf=typesetter.deck(deck),
        pptx=pptx(deck, iter(own)),
    )


@pytest.fixture(scope="module")
def made() -> Made:
    return make()


class Parsed(HTMLParser):
    """A page: its text, its elements with their attributes, and the alternatives of its pictures."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.pieces.append(" ")

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def pdf_text(content: bytes) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages)


def docx_text(content: bytes) -> str:
    document = Document(io.BytesIO(content))
    cells = (cell.text for table in document.tables for row in table.rows for cell in row.cells)
    return "\n".join([*(p.text for p in document.paragraphs), *cells])


def odt_text(content: bytes) -> str:
    body = OpenDocument(io.BytesIO(content)).body
    return "\n".join(part.inner_text for part in body.get_elements("//text:p | //text:h"))


def html_text(content: bytes) -> str:
    return "".join(Parsed(content).pieces)


def pptx_text(content: bytes) -> str:
    shapes = [shape for page in Presentation(io.BytesIO(content)).slides for shape in page.shapes]
    texts = [shape.text_frame.text for shape in shapes if shape.has_text_frame]
    cells = [cell.text for shape in shapes if shape.has_table for row in shape.table.rows for cell in row.cells]
    return "\n".join(texts + cells)


def bare(text: str) -> str:
    """A text without spaces: where lines end is the layout's affair."""
    return re.sub(r"[\s\xa0\u200b]+", "", text)


def texts_of(block: Block) -> Iterator[str]:
    """Every text that a block holds and that must be read, however it is written."""
    if isinstance(block, Paragraph | Remark):
        yield block.text
    elif isinstance(block, Bullets):
        yield from block.items
    elif isinstance(block, Quote):
        yield from (*block.paragraphs, block.source)
    elif isinstance(block, Picture):
        yield block.caption
    else:
        yield from (block.caption, *block.heads, *([block.note] if block.note else []))
        for cell in (cell for row in block.rows for cell in row):
            sign = palette.SIGNS.get(cell.verdict)
            yield f"{sign.shape if sign else ''} {cell.text} {f'({cell.note})' if cell.note else ''}"


FORMS: dict[str, tuple[str, Callable[[bytes], str]]] = {
    "pdf": ("pdf", pdf_text),
    "docx": ("docx", docx_text),
    "odt": ("odt", odt_text),
    "html": ("html", html_text),
}
SLIDES: dict[str, tuple[str, Callable[[bytes], str]]] = {
    "pdf": ("slides_pdf", pdf_text),
    "pptx": ("pptx", pptx_text),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_text_of_a_report_stands_in_every_form(made: Made, form: str) -> None:
    name, read = FORMS[form]
    text = bare(read(getattr(made, name)))
    expected = [REPORT.title, REPORT.subtitle, REPORT.contents, BANNER]
    expected += [part for s in REPORT.sections for part in (s.title, *(t for b in s.blocks for t in texts_of(b)))]
    assert [part for part in expected if bare(part) not in text] == []
    assert f"{palette.REMARK.shape}{bare(REMARK.text)}" in text


@pytest.mark.parametrize("form", SLIDES)
def test_every_text_of_the_slides_stands_in_every_form(made: Made, form: str) -> None:
    name, read = SLIDES[form]
    text = bare(read(getattr(made, name)))
    expected = [DECK.title, DECK.subtitle, DECK.publisher, BANNER]
    for slide in DECK.slides:
        expected += [slide.title, slide.source, *(text for block in slide.blocks for text in texts_of(block))]
    assert [part for part in expected if bare(part) not in text] == []


def test_what_looks_like_markup_stays_text(made: Made) -> None:
    for name, read in (*FORMS.values(), *SLIDES.values()):
        text = bare(read(getattr(made, name)))
        assert all(bare(trick) in text for trick in (TRICKS if name in ("pdf", "docx", "odt", "html") else TRICKS[:1]))
    page = Parsed(made.html)
    assert not page.all("b")
    assert "{x}" not in html_text(made.html).replace("${x}", "")


def test_equal_reports_give_equal_bytes(made: Made) -> None:
    assert make(replace(REPORT), replace(DECK)) == made


def test_nothing_in_it_breaks_nothing() -> None:
    empty = (Bullets(()), Table("Leeg", ("Kop", "Nog een"), (1, 1), ()), Paragraph(""))
    report = replace(REPORT, sections=(Section("Leeg", empty), Section("Niets", (), 3)))
    deck = replace(
        DECK, slides=(Slide("Leeg", empty), Slide("Niets", ()), Slide("Ook niets", (Bullets(()),))), banner=""
    )
    some = make(report, deck)
    assert "Leeg" in pdf_text(some.pdf)
    assert len(pypdf.PdfReader(io.BytesIO(some.slides_pdf)).pages) == 1 + len(deck.slides)
    none = make(replace(report, sections=(), contents="", banner=""), replace(deck, slides=()))
    for name, read in (*FORMS.values(), *SLIDES.values()):
        assert (REPORT.title if name in ("pdf", "docx", "odt", "html") else DECK.title) in read(getattr(none, name))


def test_nothing_heavy_is_imported_before_documents_are_written() -> None:
    modules = ", ".join(f"reports.document.{name}" for name in ("opendocument", "page", "slides", "typeset", "word"))
    heavy = "('docx', 'odfdo', 'typst', 'pptx', 'lxml', 'PIL')"
    code = f"import sys, {modules}; print([m for m in {heavy} if m in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_no_sign_has_two_meanings() -> None:
    shapes = [sign.shape for sign in (*palette.SIGNS.values(), palette.REMARK)]
    assert len(set(shapes)) == len(shapes)
    assert set(palette.VERDICTS) < set(palette.SIGNS)


# --- PDF: what is read aloud


def tags(content: bytes) -> list[tuple[str, str]]:
    """All elements in the order in which they are read, each with the language it switches to."""
    found: list[tuple[str, str]] = []

    def walk(item: Any) -> None:
        if isinstance(item, pikepdf.Array):
            for part in item:
                walk(part)
        elif isinstance(item, pikepdf.Dictionary):
            if "/S" in item:
                found.append((str(item["/S"]).lstrip("/"), str(item.get("/Lang", ""))))
            if "/K" in item:
                walk(item["/K"])

    with pikepdf.open(io.BytesIO(content)) as pdf:
        assert str(pdf.Root.Lang) == "nl-NL"
        walk(pdf.Root.StructTreeRoot)
    return found


def faults_of(content: bytes, folder: Path) -> list[str]:
    path = folder / "document.pdf"
    path.write_bytes(content)
    return pdf_faults(path)


def test_a_report_can_be_read_aloud(made: Made, tmp_path: Path) -> None:
    assert faults_of(made.pdf, tmp_path) == []
    found = tags(made.pdf)
    kinds = [kind for kind, _ in found]
    seen = ("H1", "H2", "H3", "TOC", "L", "Table", "Figure", "BlockQuote")
    order = [kind for kind in kinds if kind in seen]
    contents = ["H1", "H2", *["TOC"] * order.count("TOC")]
    chapters = ["H2", "L", "H2", "H3", "Table", "Table", "H3", "Figure", "H2", "BlockQuote"]
    assert order == [*contents, *chapters, "H2", "L", "Table", "H3", "BlockQuote", "H2", "L", "Table"]
    assert kinds.count("TOCI") == len(CHAPTERS)
    assert kinds.count("TH") == 2 + 3 + 2 + 2  # the row of heads that is repeated is read once
    english = [kind for kind, language in found if language == "en-GB"]
    assert [kind for kind in english if kind in seen and kind != "TOC"] == ["H2", "L", "Table", "H3", "BlockQuote"]


def test_a_long_table_goes_on_under_its_heads(made: Made) -> None:
    pages = [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(made.pdf)).pages]
    with_rows = [page for page in pages if re.search(r"Doel nummer \d+", page)]
    assert len(with_rows) > 1
    assert all(re.search(r"Doel\s+Stand\s+Verdict", page) for page in with_rows)
    assert all(BANNER in page for page in pages)
    assert re.search(rf"Bladzijde 1 van {len(pages)}", pages[0])


def test_a_table_of_few_but_high_rows_was_cut_off_at_the_end_of_a_page() -> None:
    rows = tuple((Cell(f"Rij {n}."), Cell("lang woord " * 60)) for n in range(20))
    report = replace(REPORT, sections=(Section("Hoog", (Table("Hoge rijen", ("Wat", "Hoe"), (1, 3), rows),)),))
    pages = [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(Typesetter().pdf(report))).pages]
    with_rows = [re.findall(r"Rij (\d+)\.", page) for page in pages]
    assert [number for page in with_rows for number in page] == [str(n) for n in range(20)]
    assert max(map(len, with_rows)) < 15, "more than goes on a page"


def test_the_contents_lead_to_the_chapters(made: Made) -> None:
    annotations: Any = pypdf.PdfReader(io.BytesIO(made.pdf)).pages[0]["/Annots"]
    links = [annotation.get_object() for annotation in annotations]
    assert len([link for link in links if "/Dest" in link or "/D" in link.get("/A", {})]) == len(CHAPTERS)


def test_slides_are_pages_of_a_screen_that_can_be_read_aloud(made: Made, tmp_path: Path) -> None:
    assert faults_of(made.slides_pdf, tmp_path) == []
    pages = pypdf.PdfReader(io.BytesIO(made.slides_pdf)).pages
    assert len(pages) == 1 + len(DECK.slides)
    for number, (page, slide) in enumerate(zip(pages[1:], DECK.slides, strict=True), 2):
        assert float(page.mediabox.width) / float(page.mediabox.height) == pytest.approx(16 / 9, abs=0.001)
        assert all(part in page.extract_text() for part in (slide.title, slide.source, BANNER, str(number)))
    kinds = [kind for kind, _ in tags(made.slides_pdf)]
    seen = [kind for kind in kinds if kind in ("H1", "H2", "L", "Table", "Figure", "BlockQuote")]
    assert seen == ["H1", "H2", "L", "H2", "Table", "H2", "Figure", "L", "H2", "BlockQuote", "H2", "Table"]


def test_too_much_for_a_slide_is_refused_and_never_cut_off() -> None:
    slide = Slide("Te vol", (Bullets(("Veel tekst. " * 40,) * 20),))
    with pytest.raises(ValueError, match="'Te vol' does not fit"):
        pptx(replace(DECK, slides=(slide,)), iter(()))
    with pytest.raises(RuntimeError, match="'Te vol' does not fit"):
        Typesetter().deck(replace(DECK, slides=(slide,)))


# --- documents to edit


def test_a_word_document_has_levels_contents_a_quote_and_its_languages(made: Made) -> None:
    document = Document(io.BytesIO(made.docx))
    by_style: dict[str, list[str]] = {}
    for paragraph in document.paragraphs:
        assert paragraph.style is not None
        by_style.setdefault(str(paragraph.style.name), []).append(paragraph.text)
    titles = {level: [s.title for s in REPORT.sections if s.level == level] for level in (2, 3)}
    assert (by_style["Heading 1"], by_style["Heading 2"]) == (titles[2], titles[3])
    assert (by_style["toc 1"], by_style["toc 2"]) == (titles[2], titles[3])
    assert by_style["TOC Heading"] == [REPORT.contents]
    assert by_style["Quote"] == 2 * [*QUOTE.paragraphs, QUOTE.source]
    assert by_style["Remark"] == [f"{palette.REMARK.shape} {REMARK.text}"]
    xml = document.element.xml
    assert re.findall(r"<w:instrText[^>]*>(.*?)</w:instrText>", xml) == [r' TOC \o "1-2" \h \z \u ']
    assert re.findall(r'w:fldCharType="(\w+)"', xml) == ["begin", "separate", "end"]
    anchors, names = (re.findall(rf'{key}="(_Toc\d+)"', xml) for key in ("w:anchor", "w:name"))
    assert anchors == names
    assert "updateFields" not in document.settings.element.xml
    english = re.compile(r'<w:lang w:val="en-GB"/>\s*</w:rPr>\s*<w:t[^>]*>([^<]+)')
    assert {"Summary in English", "One point", "gehaald", "More of it."} <= set(english.findall(xml))
    assert not {"In het kort", "Vreemde tekens"} & set(english.findall(xml))
    assert all("<w:tblHeader/>" in table.rows[0]._tr.xml for table in document.tables)


def test_an_open_document_has_levels_contents_and_its_languages(made: Made) -> None:
    body = OpenDocument(io.BytesIO(made.odt)).body
    assert [(h.inner_text, h.get_attribute("text:outline-level")) for h in body.headers] == [
        (section.title, str(section.level - 1)) for section in REPORT.sections
    ]
    english = [span.inner_text for span in body.get_elements("//text:span[@text:style-name='en']")]
    assert {"Summary in English", "One point", "More of it."} <= set(english)
    assert len(body.get_elements("//text:p[@text:style-name='Remark']")) == 1


def test_slides_to_edit_have_titles_lists_tables_and_words_for_pictures(made: Made) -> None:
    presentation = Presentation(io.BytesIO(made.pptx))
    assert presentation.slide_width is not None
    assert presentation.slide_height is not None
    assert presentation.slide_width / presentation.slide_height == pytest.approx(16 / 9, abs=0.001)
    about = presentation.core_properties
    assert (about.title, about.author, about.created) == (DECK.title, DECK.publisher, CREATED.replace(tzinfo=None))
    titles = [page.shapes.title.text_frame.text for page in presentation.slides if page.shapes.title]
    assert titles == [DECK.title, *(slide.title for slide in DECK.slides)]
    for page in presentation.slides:
        assert BANNER in "\n".join(shape.text_frame.text for shape in page.shapes if shape.has_text_frame)
        assert set(re.findall(r' lang="([\w-]+)"', page.element.xml)) == {"nl-NL"}
        assert all(shape.text_frame.text for shape in page.placeholders), "an empty placeholder"
        bottoms = [shape.top + shape.height for shape in page.shapes]
        assert max(bottoms) <= presentation.slide_height
        assert all(shape.left + shape.width <= presentation.slide_width for shape in page.shapes)
    shapes = [shape for page in presentation.slides for shape in page.shapes]
    tables = [shape.table for shape in shapes if shape.has_table]
    assert [len(table.rows) for table in tables] == [9, 6]
    assert all(table.first_row for table in tables)
    pictures: list[Any] = [shape for shape in shapes if hasattr(shape, "image")]
    assert [shape._element.nvPicPr.cNvPr.get("descr") for shape in pictures] == [PICTURE.alt]
    bullets = [p.text for s in shapes if s.has_text_frame for p in s.text_frame.paragraphs if "<a:buChar" in p._p.xml]
    assert bullets == ["Eerste punt", "Tweede punt", TRICKS[0], "Dinkelland staat bovenaan"]


@pytest.mark.parametrize("name", ["docx", "odt", "pptx"])
def test_packed_documents_are_whole(made: Made, name: str) -> None:
    assert zipfile.ZipFile(io.BytesIO(getattr(made, name))).testzip() is None


# --- the page


def test_the_page_says_what_it_is_built_of(made: Made) -> None:
    page = Parsed(made.html)
    assert page.all("html") == [{"lang": "nl"}]
    assert not page.all("script")
    assert not page.all("link")
    levels = [tag for tag, _ in page.elements if re.fullmatch(r"h\d", tag)]
    assert levels == ["h1", "h2", *(f"h{section.level}" for section in REPORT.sections)]
    targets = {element["href"] for element in page.all("a")}
    names = {f"#{attributes['id']}" for _, attributes in page.elements if "id" in attributes}
    assert {str(target) for target in targets if str(target).startswith("#")} <= names
    assert targets - {"#content"} >= {f"#s{number}" for number in range(1, len(REPORT.sections) + 1)}
    scopes = [element["scope"] for element in page.all("th")]
    assert scopes.count("col") == 2 + 3 + 2 + 2
    assert scopes.count("row") == 5 + LONG + 5 + 1
    (image,) = page.all("img")
    assert image["alt"] == PICTURE.alt
    assert base64.b64decode(str(image["src"]).removeprefix("data:image/png;base64,")).startswith(b"\x89PNG")
    shapes = [element for element in page.all("span") if str(element.get("class")).startswith("shape")]
    assert {element["aria-hidden"] for element in shapes} == {"true"}
    english = [section for section in page.all("section") if section.get("lang") == "en"]
    assert len(english) == 2


def test_no_rule_of_accessibility_is_broken(made: Made, browser: Browser, tmp_path: Path) -> None:
    """Nor does it ask for anything, and at 320 pixels it does not scroll sideways."""
    (tmp_path / "report.html").write_bytes(made.html)
    assert audit(browser, tmp_path.as_uri(), ["report.html"], SETTINGS)["violations"] == []


def test_the_style_of_the_page_is_let_through_by_its_own_policy(made: Made, browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "report.html").write_bytes(made.html)
    for setting, paper in ((SETTINGS[0], palette.PAPER.light), (SETTINGS[-1], palette.PAPER.dark)):
        with opened_tab(browser, setting) as tab:
            tab.goto(f"{tmp_path.as_uri()}/report.html")
            seen = tab.evaluate("getComputedStyle(document.body).backgroundColor")
            assert [int(part) for part in re.findall(r"\d+", seen)] == list(bytes.fromhex(paper[1:]))
            assert tab.evaluate("[...document.images].every(picture => picture.naturalWidth > 0)")
