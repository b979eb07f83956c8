"""The happiness report (geluksrapport): of each municipality, and of the region as a whole, on a few pages.

From the view on an edition comes what a report says (`content`), once; from that the PDF, which can be read aloud, and
the same as documents that can be edited. Figures come from the tables, sentences on figures from the table `claim`, and
what explains them from `nl.yaml`, which holds no figure.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import Final

from reports.document.model import Report
from reports.document.opendocument import odt
from reports.document.typeset import Typesetter
from reports.document.word import docx
from reports.happiness.content import file_name, report
from reports.happiness.subject import LANGUAGE, Subject
from reports.view import View
from reports.words import Words

FORMATS: Final = ("pdf", "docx", "odt")


def write_reports(view: View, folder: Path) -> list[Path]:
    """Write the report of the region and of each municipality to a folder, as PDF, DOCX and ODT; their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    made = reports(view)
    typesetter = Typesetter()
    images = iter(typesetter.pngs([picture for one in made for picture in one.pictures]))
    paths = []
    for one in made:
        own = [next(images) for _ in one.pictures]
        files = {"pdf": typesetter.pdf(one), "docx": docx(one, iter(own)), "odt": odt(one, iter(own))}
        for ending, content in files.items():
            path = folder / file_name(one.slug, ending)
            path.write_bytes(content)
            paths.append(path)
    return paths


def reports(view: View) -> list[Report]:
    """What the reports say: of the region first, then of its municipalities by name."""
    words = Words(view.catalogue, LANGUAGE)
    codes = [view.catalogue.region.region_code, *view.municipalities]
    return [report(Subject(view, words, code), slug) for code, slug in slugs(words, codes).items()]


def report_files(view: View) -> dict[str, list[str]]:
    """The names of the files of each region's report, in the order of FORMATS."""
    codes = [view.catalogue.region.region_code, *view.municipalities]
    named = slugs(Words(view.catalogue, LANGUAGE), codes)
    return {code: [file_name(slug, ending) for ending in FORMATS] for code, slug in named.items()}


def slugs(words: Words, codes: list[str]) -> dict[str, str]:
    """The names of regions as they stand in names of files; with its code where an earlier one has the same."""
    given: dict[str, str] = {}
    for code in codes:
        slug = _slug(words.region(code))
        given[code] = slug if slug and slug not in given.values() else f"{slug}-{code}".lower().strip("-")
    return given


def _slug(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", letters).strip("-")
