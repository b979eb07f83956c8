"""The first three sheets: cover, contents and notes, in Dutch with English beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import polars as pl

from catalog import Catalogue
from reports.workbook.book import Book, Cell, Column, Format, Sheet, Text, clean_text, text_column
from reports.workbook.codes import MEANINGS, NOT_APPLICABLE
from reports.workbook.data import FIGURES, DataSheet, synthetic_stamp

COVER: Final = "voorblad"
CONTENTS: Final = "inhoud"
NOTES: Final = "toelichting"
NO_SHEET: Final = "geen blad: geen rijen / no sheet: no rows"

_ADDED_TEXTS: Final = {
    "indicator_name": Text("Naam van de indicator in het Nederlands.", "Name of the indicator in Dutch."),
    "unit_nl": Text("Eenheid van het cijfer in het Nederlands.", "Unit of the figure in Dutch."),
    "region_name": Text("Naam van het gebied.", "Name of the region."),
    "comparator_name": Text(
        "Naam van het gebied waarmee wordt vergeleken.", "Name of the region that is compared with."
    ),
    "theme_name": Text("Naam van het thema in het Nederlands.", "Name of the theme in Dutch."),
    "verdict_nl": Text("De uitspraak in het Nederlands.", "The verdict in Dutch."),
}
_READING: Final = (
    Text(
        "Een cel zonder cijfer heeft een code, met een reden. Voorlopige en geschatte cijfers hebben een code in de "
        "kolom ernaast.",
        "A cell without a figure holds a code, with a reason. Provisional and estimated figures have a code in the "
        "column beside them.",
    ),
    *(Text(f"{code}  {meaning.nl}", f"{code}  {meaning.en}") for code, meaning in MEANINGS.items()),
    Text(
        "Marges zijn 95%-betrouwbaarheidsintervallen: het cijfer ligt waarschijnlijk tussen ci_low en ci_high.",
        "Margins are 95% confidence intervals: the figure probably lies between ci_low and ci_high.",
    ),
    Text(
        "Lees de uitspraak (verdict), niet alleen het verschil: daarin tellen marge en afronding mee.",
        "Read the verdict, not the difference alone: it reckons with margins and rounding.",
    ),
    Text(
        "Percentages zijn 0-100. Een cel toont een afgerond cijfer en houdt alle decimalen van de database.",
        "Percentages are 0-100. A cell shows a rounded figure and keeps all decimals of the database.",
    ),
    Text(
        "Alle kolommen en woorden staan uitgelegd op het blad toelichting.",
        "All columns and words are explained on the sheet toelichting.",
    ),
)
_INVENTED: Final = Text(
    "VERZONNEN VOORBEELD: dit zijn geen echte cijfers. Deel ze niet als cijfers over het gebied. Een rij met "
    "`synthetic` bij warnings is verzonnen, of deels van verzonnen cijfers gemaakt.",
    "INVENTED EXAMPLE: these are not real figures. Do not pass them on as figures about the region. A row with "
    "`synthetic` under warnings is invented, or partly made of invented figures.",
)
_DRAFT: Final = Text("Dit is een concept: cijfers kunnen nog veranderen.", "This is a draft: figures may still change.")


def book(data: Sequence[DataSheet], tables: Mapping[str, pl.DataFrame], catalogue: Catalogue) -> Book:
    """The whole workbook: cover, contents, notes, and the sheets of data that have rows."""
    edition = tables["edition"].row(0, named=True)
    texts, stamp = catalogue.publication.texts(catalogue.region, edition["edition"]), synthetic_stamp(tables)
    front = [_cover(edition, texts, stamp, catalogue), _contents(data, stamp), _notes(data, stamp, catalogue)]
    return Book(
        title=clean_text(f"{stamp}{texts['title_nl']}"),
        subject=clean_text(texts["title_en"]),
        author=clean_text(catalogue.publication.publisher.name),
        created=datetime.fromisoformat(edition["created_at"]).astimezone(UTC).replace(tzinfo=None),
        sheets=[*front, *(one.sheet for one in data if one.sheet)],
    )


# --- cover


def _cover(edition: Mapping[str, Any], texts: Mapping[str, str], stamp: str, catalogue: Catalogue) -> Sheet:
    about = Text(texts["description_nl"], texts["description_en"])
    said = [
        *([_INVENTED] if edition["contains_synthetic"] else []),
        Text(texts["title_nl"], texts["title_en"]),
        about,
        *_facts(edition, catalogue),
        *([_DRAFT] if str(edition["edition"]).endswith("-draft") else []),
        *_terms(catalogue),
        *_READING,
    ]
    columns = [
        text_column("Nederlands", [text.nl for text in said]),
        text_column("English", [text.en for text in said]),
    ]
    rows = Text("Waar dit over gaat en hoe u het leest.", "What this is about and how to read it.")
    return Sheet(COVER, clean_text(f"{stamp}{texts['title_nl']}"), rows, columns, filters=False)


def _facts(edition: Mapping[str, Any], catalogue: Catalogue) -> list[Text]:
    region, count = catalogue.region, len(catalogue.region.municipalities)
    name, year, baseline = edition["edition"], edition["measurement_year"], region.baseline_year
    return [
        Text(f"Gebied: {region.name_nl}, {count} gemeenten", f"Region: {region.name_en}, {count} municipalities"),
        Text(f"Meetjaar: {year}; nulmeting: {baseline}", f"Measurement year: {year}; baseline: {baseline}"),
        Text(f"Editie: {name}", f"Edition: {name}"),
        Text(f"Gemaakt op: {edition['created_at']}", f"Made at: {edition['created_at']}"),
    ]


def _terms(catalogue: Catalogue) -> list[Text]:
    """Who publishes, under which licence, and how to name the sources."""
    publisher, licence = catalogue.publication.publisher, catalogue.publication.licence
    contact = catalogue.publication.contact
    return [
        Text(f"Uitgever: {publisher.name}, {publisher.url}", f"Publisher: {publisher.name}, {publisher.url}"),
        Text(f"Vragen en fouten: {contact.name}, {contact.url}", f"Questions, mistakes: {contact.name}, {contact.url}"),
        Text(
            f"Licentie van onze cijfers en teksten: {licence.title} ({licence.spdx}), {licence.url}. Wat van anderen "
            "komt, houdt de voorwaarden van de uitgever: zie het blad bronnen.",
            f"Licence of our figures and texts: {licence.title} ({licence.spdx}), {licence.url}. What comes from "
            "others keeps its publisher's terms: see the sheet bronnen.",
        ),
        Text(
            f"Noem bij gebruik {publisher.name}, de editie en de uitgevers van de bronnen. Groepscijfers, "
            "vergelijkingen, veranderingen en scores zijn onze bewerking.",
            f"When you use this, name {publisher.name}, the edition and the publishers of the sources. Group figures, "
            "comparisons, changes and scores are our processing.",
        ),
    ]


# --- contents


def _contents(data: Sequence[DataSheet], stamp: str) -> Sheet:
    """All sheets with their table and number of rows; a table without rows is named, and has no sheet."""
    titles = {
        COVER: Text("Voorblad", "Cover"),
        CONTENTS: Text("Inhoud", "Contents"),
        NOTES: Text("Toelichting op codes, bladen, kolommen en woorden", "Notes on codes, sheets, columns and words"),
    }
    nothing = Text(NOT_APPLICABLE, NOT_APPLICABLE)
    rows: list[tuple[str, str, Text, Cell, Text]] = [
        (name, NOT_APPLICABLE, title, NOT_APPLICABLE, nothing) for name, title in titles.items()
    ]
    for one in data:
        name, count = (one.excerpt.sheet, one.sheet.rows) if one.sheet else (NO_SHEET, 0)
        rows.append((name, one.excerpt.table, one.excerpt.title, count, one.description))
    columns = [
        text_column("blad / sheet", [name for name, *_ in rows], links=True),
        text_column("tabel / table", [table for _, table, *_ in rows]),
        text_column("titel", [title.nl for _, _, title, *_ in rows]),
        text_column("title", [title.en for _, _, title, *_ in rows]),
        Column("rijen / rows", [count for *_, count, _ in rows], [Format(0)] * len(rows), is_numeric=True),
        text_column("omschrijving van de tabel", [text.nl for *_, text in rows]),
        text_column("description of the table", [text.en for *_, text in rows]),
    ]
    about = Text(
        "Eén tabel per blad. Rijen is het aantal op het blad; de database heeft er meer.",
        "One table a sheet. Rows is the number on the sheet; the database has more.",
    )
    return Sheet(CONTENTS, f"{stamp}Inhoud / Contents", about, columns, filters=False)


# --- notes


# What a note is about, what it is called, where it belongs, the explanation, the unit.
Note = tuple[Text, str, str, Text, str]


def _notes(data: Sequence[DataSheet], stamp: str, catalogue: Catalogue) -> Sheet:
    shown = [one for one in data if one.sheet]
    notes = [*_code_notes(), *_sheet_notes(data), *_column_notes(shown, catalogue), *_word_notes(shown, catalogue)]
    columns = [
        text_column("soort / kind", [f"{kind.nl} / {kind.en}" for kind, *_ in notes]),
        text_column("naam / name", [name for _, name, *_ in notes]),
        text_column("hoort bij / belongs to", [place or NOT_APPLICABLE for _, _, place, *_ in notes]),
        text_column("uitleg", [text.nl for *_, text, _ in notes]),
        text_column("explanation", [text.en for *_, text, _ in notes]),
        text_column("eenheid / unit", [unit or NOT_APPLICABLE for *_, unit in notes]),
    ]
    about = Text(
        "Wat codes betekenen, welke rijen en kolommen op een blad staan, en wat kolommen en woorden zijn.",
        "What codes mean, which rows and columns stand on a sheet, and what columns and words are.",
    )
    return Sheet(NOTES, f"{stamp}Toelichting / Notes", about, columns)


def _code_notes() -> Iterable[Note]:
    kind = Text("code", "code")
    for code, meaning in MEANINGS.items():
        yield kind, code, "", meaning, ""
    yield (
        kind,
        "…_code",
        "",
        Text(
            "De kolom naast een cijfer heeft de code van dat cijfer; leeg: het cijfer is definitief. Ontbreekt het "
            "cijfer, dan staat de code ook in de cel zelf. Een lege cel bij warnings: er is geen waarschuwing.",
            "The column beside a figure holds the code of that figure; empty: the figure is definitive. Where the "
            "figure is missing, its own cell holds the code too. An empty cell under warnings: there is no warning.",
        ),
        "",
    )


def _sheet_notes(data: Sequence[DataSheet]) -> Iterable[Note]:
    """Which rows and columns of the database a sheet holds."""
    kind = Text("blad", "sheet")
    for one in data:
        left_out = ", ".join(sorted(one.excerpt.without))
        less = (
            Text(f" Zonder de kolommen {left_out}.", f" Without the columns {left_out}.") if left_out else Text("", "")
        )
        nothing = Text("", "") if one.sheet else Text(" Er zijn geen rijen.", " There are no rows.")
        yield (
            kind,
            one.excerpt.sheet,
            one.excerpt.table,
            Text(f"{one.about.nl}{less.nl}{nothing.nl}", f"{one.about.en}{less.en}{nothing.en}"),
            "",
        )


def _column_notes(data: Sequence[DataSheet], catalogue: Catalogue) -> Iterable[Note]:
    """Every column once, with the sheets it stands on; again where it means something else there."""
    places: dict[tuple[str, Text, str], list[str]] = {}
    for one in data:
        for name, text, unit in _described(one, catalogue):
            places.setdefault((name, text, unit), []).append(one.excerpt.sheet)
    for (name, text, unit), sheets in sorted(places.items()):
        yield Text("kolom", "column"), name, ", ".join(sheets), text, unit


def _described(one: DataSheet, catalogue: Catalogue) -> Iterable[tuple[str, Text, str]]:
    """The columns of a sheet: name, description and unit."""
    known = {column.name: column for column in catalogue.registry[one.excerpt.table].columns}
    codes = {f"{figure}_code": figure for figure in FIGURES.get(one.excerpt.table, ())}
    for name in one.columns:
        if name in codes:
            yield name, Text(f"Code bij {codes[name]}.", f"Code of {codes[name]}."), ""
        elif name in known:
            column = known[name]
            yield name, Text(column.description_nl, column.description_en), column.unit or ""
        else:
            yield name, _ADDED_TEXTS[name], ""


def _word_notes(data: Sequence[DataSheet], catalogue: Catalogue) -> Iterable[Note]:
    """The words of every vocabulary that a column on some sheet uses, with label and explanation."""
    used = {
        column.vocabulary: None
        for one in data
        for column in catalogue.registry[one.excerpt.table].columns
        if column.vocabulary and column.name in one.columns
    }
    for vocabulary in used:
        for word, term in catalogue.vocabulary[vocabulary].items():
            nl = " / ".join(dict.fromkeys(label for label in (term.label_nl, term.label_change_nl) if label))
            en = " / ".join(dict.fromkeys(label for label in (term.label_en, term.label_change_en) if label))
            said = Text(f"{nl}: {term.explanation_nl}", f"{en}: {term.explanation_en}")
            yield Text("woord", "word"), word, vocabulary, said, ""
