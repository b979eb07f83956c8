"""The progress report on the programme, from an edition: written beside what people edited, checked, and verified."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from assets.tables import CATALOGUE
from reports import editions
from reports.progress import Scope, progress_files, report_scope
from reports.progress.content import report
from reports.view import View
from sources.csv_file import read_bytes
from sources.delivered.archive import inflated
from sources.errors import InputError

if TYPE_CHECKING:
    from catalog import Catalogue

FOLDER: Final = "reports"
_MADE: Final = ".made.json"
_NUMBER: Final = re.compile(r"\d[\d.,]*\d|\d")
_BODY, _WORD = "word/document.xml", "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_AROUND: Final = 60  # characters of a text that a message shows


class CannotReport(ValueError):  # noqa: N818 - says what is the matter
    """There is no edition to report from, or it cannot carry the report that is asked for."""


@dataclass(frozen=True)
class Written:
    """What came of writing a report: `kept` are files that people had edited, with the new file beside each."""

    edition: str
    folder: Path
    files: list[Path] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)
    lacking: int = 0


def edition_of(root: Path, year: int, edition: str | None) -> str:
    """The edition to report from: the one named, else the newest final one of the year, else its draft."""
    if edition is not None:
        if not (editions.folder_of(root, edition) / "parquet").is_dir():
            raise CannotReport(f"There is no edition {edition} in {root}. See: btg editions")
        return edition
    final = [name for name in editions.finals(root) if name.startswith(f"{year}-")]
    draft = f"{year}-draft"
    if final:
        return final[-1]
    if (editions.folder_of(root, draft) / "parquet").is_dir():
        return draft
    raise CannotReport(
        f"There is no edition of {year} in {root}. Make one with: btg measure --year {year} (try out: --demo)"
    )


def scope_of(
    root: Path, year: int, *, edition: str | None = None, final: bool = False, evaluation: bool = False
) -> Scope:
    """What a report on a year is made from; raises CannotReport, NoProgramme and StaleSentence."""
    known = CATALOGUE.region.years
    if year not in known:
        raise CannotReport(f"{year} is no measurement year ({known[0]} to {known[-1]}).")
    name = edition_of(root, year, edition)
    catalogue = CATALOGUE.until(year)
    view = View(_tables(editions.folder_of(root, name), name, catalogue), catalogue)
    if view.edition["measurement_year"] != year:
        measured = view.edition["measurement_year"]
        raise CannotReport(f"Edition {name} is of {measured}: report on that year, or name an edition of {year}.")
    if final and name.endswith("-draft"):
        raise CannotReport(f"{name} is a draft. A final report is made of a final edition: btg publish")
    if final and view.is_synthetic:
        raise CannotReport(f"{name} holds invented figures, so a report of it is never final.")
    years = [y for y in catalogue.programme.report_years if y <= year] if evaluation and catalogue.programme else [year]
    return report_scope(view, years, final=final)


def _tables(folder: Path, name: str, catalogue: Catalogue) -> dict[str, pl.DataFrame]:
    missing = [t for t in catalogue.registry.tables if not (folder / "parquet" / f"{t}.parquet").is_file()]
    if missing:
        raise CannotReport(f"Edition {name} has no table {missing[0]}: an older version of this software made it.")
    return {t: pl.read_parquet(folder / "parquet" / f"{t}.parquet") for t in catalogue.registry.tables}


def write(scope: Scope, root: Path, folder: Path | None = None) -> Written:
    """Write the report's files; one that was edited since it was made stays, and the new one is put beside it."""
    place = folder or root / FOLDER / str(scope.year)
    place.mkdir(parents=True, exist_ok=True)
    made: dict[str, str] = _read_made(place)
    written = Written(scope.edition, place, lacking=len(scope.lacking))
    for name, content in progress_files(scope).items():
        path = place / name
        if path.is_file() and _sha256(path.read_bytes()) not in (made.get(name), _sha256(content)):
            path = _beside(path)
            written.kept[name] = path.name
        work = path.with_name(f".{path.name}.new")
        work.write_bytes(content)
        work.replace(path)
        made[path.name] = _sha256(content)
        written.files.append(path)
    (place / _MADE).write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    return written


def _read_made(folder: Path) -> dict[str, str]:
    path = folder / _MADE
    found: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return found


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _beside(path: Path) -> Path:
    """A name for a file beside one that people edited, that no file has yet."""
    numbers = (path.with_name(f"{path.stem}-{number}{path.suffix}") for number in range(2, 1000))
    return next(candidate for candidate in numbers if not candidate.exists())


# --- what is due, and what is lacking


def calendar(scope: Scope, today: date) -> list[dict[str, Any]]:
    """What is due from today on, in order of day: due, days, text_nl, article."""
    rows = sorted(scope.view.rows("deadline"), key=lambda row: (row["due"], row["deadline_id"]))
    return [
        {
            "due": row["due"],
            "days": (date.fromisoformat(row["due"]) - today).days,
            "text": row["text_en"],
            "article": row["article"],
        }
        for row in rows
        if date.fromisoformat(row["due"]) >= today
    ]


def due_date(scope: Scope) -> str | None:
    """The day the report on this year is, or was, due; None where no deadline names it."""
    kind = "final" if scope.is_evaluation else "yearly"
    wanted: dict[str, Any] = {"report": kind} | ({} if scope.is_evaluation else {"report_year": scope.year})
    return next((row["due"] for row in scope.view.rows("deadline", **wanted)), None)


def lacking(scope: Scope) -> list[dict[str, Any]]:
    """What the report on the year needs and does not have: line_id, requirement, label, explanation, lacking."""
    vocabulary = scope.view.catalogue.vocabulary["requirement"]
    return [
        {
            "line_id": row["line_id"],
            "requirement": row["requirement"],
            "label": vocabulary[row["requirement"]].label_en,
            "explanation": vocabulary[row["requirement"]].explanation_en,
            "lacking": row["lacking"],
        }
        for row in scope.lacking
    ]


# --- an edited document


def stale_numbers(scope: Scope, document: Path) -> list[str]:
    """The places of a Word document with a number that the report does not have, as it would be made now.

    An editor may add text; a number that is in no table of the edition and in no text of a bureau is not the report's.
    Raises CannotReport for a file that is no Word document.
    """
    known = {number for text in report(scope).texts for number in _NUMBER.findall(text)}
    return [
        f"{number} in: {_around(text, number)}"
        for text in _texts_of(document)
        for number in dict.fromkeys(_NUMBER.findall(text))
        if number not in known
    ]


def _around(text: str, number: str) -> str:
    at = text.index(number)
    part = text[max(0, at - _AROUND) : at + len(number) + _AROUND].strip()
    return f"…{part}…" if len(part) < len(text.strip()) else part


def _texts_of(path: Path) -> Iterator[str]:
    """The paragraphs of a Word document, those in its tables too."""
    from defusedxml import ElementTree

    try:
        body = ElementTree.fromstring(inflated(path, read_bytes(path))[_BODY])
    except (InputError, KeyError, ElementTree.ParseError, ValueError) as error:
        raise CannotReport(f"{path}: expected a Word document (.docx); nothing was compared.") from error
    for paragraph in body.iter(f"{_WORD}p"):
        yield "".join(node.text or "" for node in paragraph.iter(f"{_WORD}t"))
