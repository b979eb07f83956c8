"""The progress report on the programme, from an edition: written beside what people edited, checked, and verified."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from assets.tables import CATALOGUE
from reports import editions
from reports.claims.causes import causal_sentences
from reports.progress import Scope, file_names, progress_files, report_scope, word_document
from reports.view import View
from sources.csv_file import read_bytes
from sources.delivered.archive import inflated
from sources.errors import InputError

if TYPE_CHECKING:
    from catalog import Catalogue

FOLDER: Final = "reports"
_MADE: Final = ".made.json"
_BODY, _WORD = "word/document.xml", "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_SHOWN: Final = 160  # characters of a text that a message shows


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
    region = catalogue.region
    if region.region_code not in view.tables["region"]["region_code"]:
        raise CannotReport(
            f"Edition {name} is not of {region.name_nl}. Name the file of the region it is of: --region FILE"
        )
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
            path = _beside(path, made)
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


def _beside(path: Path, made: Mapping[str, str]) -> Path:
    """A name for a file beside one that people edited: one that no file has, or that is still as we made it."""
    numbers = (path.with_name(f"{path.stem}-{number}{path.suffix}") for number in range(2, 1000))
    return next(p for p in numbers if not p.exists() or _sha256(p.read_bytes()) == made.get(p.name))


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


def differences(scope: Scope, document: Path) -> list[str]:
    """Where a Word document says something of figures that the report, made now, does not.

    Held against the same document as it would be made now: a paragraph with a number or a verdict, or a row of a table,
    that is not among its own; and a sentence of the editor's that names a cause. Text without figures may be added,
    changed or left out. Raises CannotReport for a file that is no Word document.
    """
    whole = Path(file_names(scope)["whole_docx"])
    own, edited = _contents(whole, word_document(scope)), _contents(document, read_bytes(document))
    told = re.compile("|".join(map(re.escape, _verdicts(scope))))
    changed = [
        text
        for text in edited.paragraphs
        if text not in own.paragraphs and (any(map(str.isdigit, text)) or told.search(text) or causal_sentences(text))
    ]
    rows = [row for row in edited.rows if row not in own.rows]
    return [_short(text) for text in changed] + [_short(" | ".join(row)) for row in rows]


def _verdicts(scope: Scope) -> list[str]:
    """The words that say what figures carry."""
    vocabulary = scope.view.catalogue.vocabulary
    labels = {term.label_nl for term in vocabulary["target_status"].values()}
    for term in vocabulary["verdict"].values():
        labels |= {term.label_nl, term.label_change_nl or term.label_nl}
    return sorted(labels)


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


@dataclass(frozen=True)
class _Contents:
    """The paragraphs of a Word document beside its tables, and the rows of its tables."""

    paragraphs: list[str]
    rows: list[tuple[str, ...]]


def _contents(path: Path, content: bytes) -> _Contents:
    from defusedxml import ElementTree

    try:
        body = ElementTree.fromstring(inflated(path, content)[_BODY])
    except (InputError, KeyError, ElementTree.ParseError, ValueError) as error:
        raise CannotReport(f"{path}: expected a Word document (.docx); nothing was compared.") from error
    rows = list(body.iter(f"{_WORD}tr"))
    within = {id(paragraph) for row in rows for paragraph in row.iter(f"{_WORD}p")}
    paragraphs = [_text(p) for p in body.iter(f"{_WORD}p") if id(p) not in within]
    cells = [tuple(_text(cell) for cell in row.iter(f"{_WORD}tc")) for row in rows]
    return _Contents([text for text in paragraphs if text], cells)


def _text(element: Any) -> str:
    return "".join(node.text or "" for node in element.iter(f"{_WORD}t")).strip()
