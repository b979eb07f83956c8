"""What is missing of a PDF for who has it read aloud is said; a PDF that has it all is not complained of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, Pdf

from pipelines.pdf_tags import pdf_faults

UA = "{http://www.aiim.org/pdfua/ns/id/}part"


def element(kind: str, *inner: Dictionary, **more: object) -> Dictionary:
    return Dictionary(Type=Name.StructElem, S=Name(f"/{kind}"), K=Array(list(inner)), **more)


def table(head: str = "TH") -> Dictionary:
    return element("Table", element("TR", element(head)), element("TR", element("TD")))


def sound() -> Pdf:
    """A page with headings, a picture under a name of its own, and a table with header cells."""
    pdf = pikepdf.new()
    pdf.add_blank_page()
    pdf.Root.MarkInfo = Dictionary(Marked=True)
    pdf.Root.Lang = pikepdf.String("nl")
    pdf.Root.ViewerPreferences = Dictionary(DisplayDocTitle=True)
    document = element("Document", element("H1"), element("Chart", Alt=pikepdf.String("Een lijn.")), table())
    pdf.Root.StructTreeRoot = Dictionary(
        Type=Name.StructTreeRoot, K=document, RoleMap=Dictionary(Chart=Name.Figure, Figure=Name.Figure)
    )
    with pdf.open_metadata() as metadata:
        metadata["dc:title"] = "Bruto Twents Geluk"
        metadata[UA] = "1"
    return pdf


def faults_of(pdf: Pdf, folder: Path) -> list[str]:
    pdf.save(folder / "x.pdf")
    return pdf_faults(folder / "x.pdf")


def add(*elements: Dictionary) -> Callable[[Pdf], None]:
    """A change that puts elements at the end of the document."""

    def change(pdf: Pdf) -> None:
        for one in elements:
            pdf.Root.StructTreeRoot.K.K.append(one)

    return change


def without(name: str) -> Callable[[Pdf], None]:
    def change(pdf: Pdf) -> None:
        del pdf.Root[name]

    return change


def test_a_tagged_document_has_no_faults(tmp_path: Path) -> None:
    assert faults_of(sound(), tmp_path) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (without("/MarkInfo"), ["it is not marked as tagged"]),
        (without("/Lang"), ["it has no language"]),
        (without("/ViewerPreferences"), ["its window shows the name of the file, not the title (DisplayDocTitle)"]),
        (without("/StructTreeRoot"), ["it has no structure"]),
        (without("/Metadata"), ["it has no title", "it does not say that it follows PDF/UA"]),
        (add(element("Figure"), element("Chart")), ["2 pictures have no words in their place (Alt)"]),
        (add(element("Figure", ActualText=pikepdf.String("x"))), []),
        (
            add(element("H2"), element("H3"), element("H2"), element("H4")),
            ["a heading of level 4 follows one of level 2"],
        ),
        (add(table("TD"), table()), ["1 tables have no header cells (TH)"]),
    ],
)
def test_what_is_missing_is_said(tmp_path: Path, change: Callable[[Pdf], None], said: list[str]) -> None:
    pdf = sound()
    change(pdf)
    assert faults_of(pdf, tmp_path) == said


def test_headings_begin_at_the_first_level(tmp_path: Path) -> None:
    pdf = sound()
    pdf.Root.StructTreeRoot.K.K[0].S = Name.H2
    assert faults_of(pdf, tmp_path) == ["its first heading is of level 2"]
