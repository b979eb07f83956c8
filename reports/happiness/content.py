"""What each report says, section by section: figures from the tables, sentences from the table `claim`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

import polars as pl

from catalog.model import Indicator
from reports.charts.texts import period_text
from reports.document.model import Block, Bullets, Cell, Paragraph, Report, Section, Table
from reports.happiness import cells
from reports.happiness.pictures import OTHERS, OWN, Drawn, own_mark, picture
from reports.happiness.subject import Subject
from reports.happiness.texts import capital, date, say
from reports.palette import VERDICTS
from reports.view import Row

OPEN: Final = ("not_decidable", "not_comparable")  # verdicts that leave a difference open
DEMONSTRABLE: Final = ("better", "worse", "higher", "lower")
MOST_REVISED: Final = 12  # rows of what changed; there may be thousands
REVISED_COLUMNS: Final = ("value", "status")
WIDE_LINE, LINE, NARROW_LINE = 0.75, 0.5, 0.37  # heights of a line of a picture, in centimetres
CONTRAST_CAPTIONS: Final = {"experienced": "contrast_experienced", "official": "contrast_official"}
# Widths of columns: indicators of residents have short names, official ones a unit and a period.
CONTRAST_WIDTHS: Final = {"experienced": (2.8, 3.05, 3.05, 4.2, 4.3), "official": (6.4, 2.7, 2.7, 3.3, 3.0)}
DRAFT: Final = "-draft"
DOCUMENTS: Final = ("docx", "odt")  # the endings of the documents that can be edited


def file_name(slug: str, ending: str) -> str:
    """The name of a report's file."""
    return f"geluksrapport_{slug}.{ending}"


def report(subject: Subject, slug: str) -> Report:
    """The report on a region."""
    edition = subject.view.edition
    created = datetime.fromisoformat(edition["created_at"])
    title = say("title", name=subject.name)
    publisher = subject.view.catalogue.publication.publisher.name
    name = say("draft", edition=edition["edition"]) if _is_draft(subject) else edition["edition"]
    year = subject.view.year
    sections = [section for section in _sections(subject) if section is not None]
    sections += [_reading(subject, sections), _colophon(subject, slug, created)]
    return Report(
        slug=slug,
        title=title,
        subtitle=say("subtitle", publisher=publisher, year=year, edition=name, date=date(created)),
        banner=say("banner") if subject.stamp else "",
        running=say("running", title=title, year=year),
        page=say("page", page="{page}", pages="{pages}"),
        publisher=publisher,
        created=created,
        sections=tuple(sections),
    )


def _is_draft(subject: Subject) -> bool:
    return str(subject.view.edition["edition"]).endswith(DRAFT)


def _sections(subject: Subject) -> Iterator[Section | None]:
    yield _summary(subject)
    yield _experienced(subject)
    yield _official(subject)
    if subject.is_whole:
        yield contrast_section(subject)
        yield _members(subject)
    else:
        yield _peers(subject)
    yield _unsaid(subject)
    yield revised_section(subject)
    yield sources_section(subject)


# --- summary


def _summary(subject: Subject) -> Section:
    year, code, rest = subject.view.year, subject.code, subject.view.catalogue.region.rest_code
    said = subject.sentences(
        ("count_difference", year, code, rest),
        ("count_change", year, code),
        *(("rank", year, framework, code) for framework in subject.view.framework_indicators),
        ("count_value", year, code),
    )
    label = subject.words.label("warning", cells.SYNTHETIC)
    first = [Paragraph(say("invented", label=label))] if subject.stamp else []
    return Section(say("summary"), (*first, Bullets(said)))


# --- what residents experience


def _experienced(subject: Subject) -> Section | None:
    if not subject.experienced:
        return None
    title = say("experienced")
    if not any(subject.has(i) for i in subject.experienced):
        return Section(title, (Paragraph(say("experienced_none", name=subject.name, unsaid=say("unsaid"))),))
    words, names = subject.words, [subject.words.region(code) for code in subject.others]
    others = words.listed([words.the_region(code) for code in subject.others])
    common = {"name": subject.name, "year": subject.view.year}
    legend = [
        own_mark(subject.name, [subject.value(i) for i in subject.experienced]),
        *zip(OTHERS, names, strict=False),
    ]
    drawn = [
        Drawn(dimension(i, subject), i, subject.value(i), OWN, [subject.value(i, code) for code in subject.others])
        for i in subject.experienced
    ]
    caption = say("experienced_picture", others=others, **common)
    height = LINE if subject.is_whole else WIDE_LINE
    drawing = picture(caption, drawn, legend, words, line_height=height)
    blocks: list[Block] = [Paragraph(say("experienced_intro")), *([drawing] if drawing else [])]
    return Section(title, (*blocks, _dimensions(subject, say("experienced_table", **common))))


def dimension(indicator: Indicator, subject: Subject) -> str:
    """The name of a dimension: that of its theme."""
    names = {theme.theme_id: subject.words.name(theme) for theme in subject.view.catalogue.themes}
    return names.get(indicator.theme_id or "", subject.words.name(indicator))


def _dimensions(subject: Subject, caption: str) -> Table:
    words, own = subject.words, [subject.value(i) for i in subject.experienced]
    shared = cells.shared_labels(own, words)
    heads = [say("head_against", name=words.the_region(code)) for code in subject.others]
    return Table(
        caption,
        (*_heads("dimension", "figure", "answers"), *heads, say("head_since", year=subject.view.baseline)),
        (3.0, 3.15, 2.0, 3.05, 3.05, 3.15) if len(heads) > 1 else (2.6, 3.05, 2.0, 4.6, 5.15),
        tuple(
            (
                Cell(dimension(i, subject), cells.remarks(row, words, shared)),
                cells.figure(row, i, words),
                cells.answers(row, words),
                *(cells.against(subject.against(i, code), i, words) for code in subject.others),
                cells.since(subject.since(i), i, words),
            )
            for i, row in zip(subject.experienced, own, strict=True)
        ),
        _note(shared, say("brackets")),
    )


def _heads(*names: str) -> tuple[str, ...]:
    return tuple(say(f"head_{name}") for name in names)


def _note(shared: Sequence[str], text: str = "") -> str:
    """What stands under a table: this text, and what must be known of each of its figures."""
    return " ".join(filter(None, [text, say("shared", labels="; ".join(shared)) if shared else ""]))


# --- official figures


def _official(subject: Subject) -> Section | None:
    if not subject.official:
        return None
    title, words = say("official"), subject.words
    own = [subject.value(i) for i in subject.official]
    shared = cells.shared_labels(own, words)
    rest = subject.view.catalogue.region.rest_code
    table = Table(
        say("official_table", name=subject.name, year=subject.view.year),
        (
            *_heads("indicator", "figure", "period"),
            say("head_against", name=words.the_region(rest)),
            say("head_since", year=subject.view.baseline),
        ),
        (5.1, 2.6, 3.6, 3.1, 3.0),
        tuple(
            (
                _indicator(i, subject),
                cells.figure(row, i, words) if subject.has(i) else Cell(say("no_figure")),
                cells.period(row, words, shared),
                cells.against(subject.against(i, rest), i, words),
                cells.since(subject.since(i), i, words),
            )
            for i, row in zip(subject.official, own, strict=True)
        ),
        _note(shared, say("brackets")),
    )
    return Section(title, (Paragraph(say("official_intro")), table))


def _dated(indicator: Indicator, row: Row | None, subject: Subject, leave_out: Sequence[str] = ()) -> Cell:
    """The name of an indicator with its unit, its period where that is not the year, its status, and if it is made up.

    What else must be known of a figure stands in the tables above.
    """
    name, words = _indicator(indicator, subject), subject.words
    if row is None or row["value"] is None:
        return name
    when = "" if row["reference_period"] == str(subject.view.year) else period_text(row["reference_period"])
    status = "" if row["status"] == cells.DEFINITIVE else words.label("status", row["status"])
    invented = words.label("warning", cells.SYNTHETIC) if cells.is_synthetic(row) else ""
    told = [part for part in (name.note, when, status, invented) if part and part not in leave_out]
    return Cell(name.text, "; ".join(told))


def _indicator(indicator: Indicator, subject: Subject) -> Cell:
    """The name of an indicator, with its unit; of a dimension, which is a grade, that of its theme."""
    if indicator.layer == "experienced":
        return Cell(dimension(indicator, subject))
    return Cell(subject.words.name(indicator), subject.words.unit(indicator))


# --- municipalities that are like it


def _peers(subject: Subject) -> Section:
    words, group = subject.words, subject.peers
    title = say("peers", name=subject.name)
    rows = sorted(subject.view.rows("peer", region_code=subject.code), key=lambda row: row["place"])
    if not rows:
        return Section(title, (Paragraph(say("peers_none", name=subject.name)),))
    codes = [row["peer_code"] for row in rows]
    names = dict(
        subject.view.tables["region"].filter(pl.col("region_code").is_in(codes)).select("region_code", "name").rows()
    )
    peers = words.listed([names.get(code, code) for code in codes])
    variables = _variables(rows[0]["variables"], subject)
    intro = Paragraph(say("peers_intro", name=subject.name, peers=peers, variables=variables))
    of_peers = subject.of_peers
    shown = [i for i in subject.view.counted if subject.has(i) and _has_value(of_peers.get(i.indicator_id))]
    if not shown:
        return Section(title, (intro, Paragraph(say("peers_no_figure"))))
    table = Table(
        say("peers_table", name=subject.name, peers=words.region(group), year=subject.view.year),
        (say("head_indicator"), subject.name, capital(words.region(group)), say("head_verdict")),
        (5.4, 3.4, 4.6, 4.0),
        tuple(
            (
                _dated(i, subject.value(i), subject),
                cells.figure(subject.value(i), i, words),
                cells.figure(of_peers[i.indicator_id], i, words),
                cells.decided(subject.against(i, group), i, words),
            )
            for i in shown
        ),
        say("peers_left_out") if len(shown) < len(subject.view.counted) else "",
    )
    return Section(title, (intro, table))


def _has_value(row: Row | None) -> bool:
    return row is not None and row["value"] is not None


def _variables(text: str, subject: Subject) -> str:
    """The properties that were compared, with their years: `population 2025;rurality 2025` in words."""
    names = {v.variable: subject.words.said(v, "name") for v in subject.view.catalogue.analysis.structure}
    by_period: dict[str, list[str]] = {}
    for variable, period in (part.rsplit(" ", 1) for part in text.split(";")):
        by_period.setdefault(period, []).append(names.get(variable, variable))
    listed = subject.words.listed
    return listed([say("in_year", names=listed(found), year=period) for period, found in by_period.items()])


# --- the groups of the region, and its municipalities


def contrast_section(subject: Subject) -> Section | None:
    """The two groups of the region beside each other; None for a region without."""
    pair, year, words = subject.view.contrast, subject.view.year, subject.words
    if pair is None:
        return None
    region = capital(words.region(pair[0]))
    said = subject.sentences(
        ("count_difference", year, *pair), *(("movement", year, i, *pair) for i in _moved(subject))
    )
    parts = {"experienced": subject.experienced, "official": subject.official}
    tables = [
        _contrast_table(kind, found, pair, subject)
        for kind, part in parts.items()
        if (found := [i for i in part if any(subject.has(i, code) for code in pair)])
    ]
    title = say("contrast", region=region, comparator=words.region(pair[1]))
    return Section(title, (Bullets(said), *tables))


def _contrast_table(kind: str, found: Sequence[Indicator], pair: tuple[str, str], subject: Subject) -> Table:
    words, rows = subject.words, [subject.value(i, pair[0]) for i in found]
    shared = cells.shared_labels(rows, words)
    names = [capital(words.region(code)) for code in pair]
    return Table(
        say(CONTRAST_CAPTIONS[kind], region=names[0], comparator=words.region(pair[1]), year=subject.view.year),
        (
            say("head_indicator"),
            *names,
            say("head_verdict"),
            say("head_gap", year=subject.view.baseline),
        ),
        CONTRAST_WIDTHS[kind],
        tuple(
            (
                _dated(i, row, subject, shared),
                *(cells.figure(subject.value(i, code), i, words) for code in pair),
                cells.decided(subject.view.comparison(i.indicator_id, *pair), i, words),
                cells.verdict(subject.view.movement(i.indicator_id, *pair), words, change=True),
            )
            for i, row in zip(found, rows, strict=True)
        ),
        _note(shared),
        breaks=True,
    )


def _moved(subject: Subject) -> list[str]:
    """The indicators of which the difference between the two groups demonstrably moved."""
    pair = subject.view.contrast
    rows = [subject.view.movement(i.indicator_id, *pair) for i in subject.view.counted] if pair else []
    return [row["indicator_id"] for row in rows if row is not None and row["verdict"] in DEMONSTRABLE]


def _members(subject: Subject) -> Section | None:
    view, words = subject.view, subject.words
    headline = [i for i in view.counted if i.headline and any(subject.has(i, code) for code in view.municipalities)]
    if not headline:
        return None
    indicator, region = headline[0], view.catalogue.region
    groups = [*(view.contrast or ()), region.region_code, region.rest_code]
    groups = [code for code in groups if subject.value(indicator, code) is not None]
    drawn = [Drawn(words.region(code), indicator, subject.value(indicator, code), OWN) for code in view.municipalities]
    drawn += [
        Drawn(capital(words.region(code)), indicator, subject.value(indicator, code), OTHERS[0]) for code in groups
    ]
    common = {"indicator": words.name(indicator), "year": view.year}
    rows = [subject.value(indicator, code) for code in view.municipalities]
    legend = [own_mark(say("municipality"), rows), (OTHERS[0], say("group"))]
    drawing = picture(say("members_picture", **common), drawn, legend, words, line_height=NARROW_LINE)
    shared = cells.shared_labels(rows, words)
    answered = any(row is not None and row["n"] is not None for row in rows)
    table = Table(
        say("members_table", **common),
        (
            *_heads("municipality", "figure", *(["answers"] if answered else [])),
            say("head_against", name=words.the_region(region.rest_code)),
            say("head_since", year=view.baseline),
        ),
        (3.1, 3.3, *((2.1,) if answered else ()), 4.2, 4.7),
        tuple(
            (
                Cell(words.region(code), cells.remarks(row, words, shared)),
                cells.figure(row, indicator, words),
                *([cells.answers(row, words)] if answered else []),
                cells.verdict(view.comparison(indicator.indicator_id, code, region.rest_code), words),
                cells.verdict(view.change(indicator.indicator_id, code), words, change=True),
            )
            for code, row in zip(view.municipalities, rows, strict=True)
        ),
        _note(shared),
        breaks=True,
    )
    return Section(say("members"), (Paragraph(say("members_note")), *([drawing] if drawing else []), table))


# --- what cannot be said


def _unsaid(subject: Subject) -> Section:
    words, found = subject.words, subject.view.counted
    by_status: dict[str, list[str]] = {}
    for indicator in found:
        row = subject.value(indicator)
        if row is not None and row["value"] is None:
            by_status.setdefault(row["status"], []).append(words.name(indicator))
    open_ids = [*_open_differences(subject), *_open_changes(subject)]
    blocks: list[Block] = [Paragraph(say("unsaid_intro"))]
    if by_status:
        rows = tuple((_reason(status, subject), Cell(", ".join(names))) for status, names in by_status.items())
        blocks.append(Table(say("unsaid_table"), _heads("why", "indicators"), (5.4, 12.0), rows))
    if said := subject.sentences(*open_ids):
        blocks += [Paragraph(say("unsaid_verdicts")), Bullets(said)]
    return Section(say("unsaid"), tuple(blocks) if len(blocks) > 1 else (Paragraph(say("unsaid_nothing")),))


def _reason(status: str, subject: Subject) -> Cell:
    words = subject.words
    return Cell(say("reason", label=words.label("status", status), explanation=words.explanation("status", status)))


def _open_differences(subject: Subject) -> list[tuple[object, ...]]:
    """The sentences on differences with the rest of the country that stay open although there is a figure."""
    rest = subject.view.catalogue.region.rest_code
    rows = [subject.against(i, rest) for i in subject.view.counted if subject.has(i)]
    return [
        ("difference", subject.view.year, row["indicator_id"], subject.code, rest)
        for row in rows
        if row is not None and row["verdict"] in OPEN
    ]


def _open_changes(subject: Subject) -> list[tuple[object, ...]]:
    """The sentences on changes that stay open although there is a figure."""
    rows = [subject.since(i) for i in subject.view.counted if subject.has(i)]
    return [
        ("change", subject.view.year, row["indicator_id"], subject.code, "value")
        for row in rows
        if row is not None and row["verdict"] in OPEN
    ]


# --- what changed since the previous edition


def revised_section(subject: Subject) -> Section:
    """What differs from the edition before."""
    shown = {i.indicator_id: i for i in subject.view.counted}
    changed = [
        (row, parts)
        for row in subject.view.rows(
            "revision", pl.col("column_name").is_in(REVISED_COLUMNS), table_name="indicator_value"
        )
        if (parts := cells.parts(row["row_key"]))["region_code"] == subject.code
        and parts["indicator_id"] in shown
        and parts["breakdown"] == "total"
    ]
    title = say("revised")
    if not changed:
        return Section(title, (Paragraph(say("revised_none")),))
    table = Table(
        say("revised_table"),
        _heads("indicator", "year", "before", "now", "cause"),
        (5.4, 2.0, 3.0, 3.0, 4.0),
        tuple(_revised_row(row, parts, shown[parts["indicator_id"]], subject) for row, parts in changed[:MOST_REVISED]),
        say("revised_more") if len(changed) > MOST_REVISED else "",
    )
    intro = say("revised_since", edition=changed[0][0]["previous_edition"])
    return Section(title, (Paragraph(intro), table))


def _revised_row(row: Row, parts: dict[str, str], indicator: Indicator, subject: Subject) -> tuple[Cell, ...]:
    words = subject.words

    def said(text: str | None) -> Cell:
        if text is None:
            return Cell(say("no_figure"))
        if row["column_name"] == "value":
            return Cell(cells.number(float(text), indicator, words))
        return Cell(words.label("status", text))

    return (
        Cell(words.name(indicator)),
        Cell(parts["measurement_year"]),
        said(row["old_value"]),
        said(row["new_value"]),
        Cell(words.label("cause", row["cause"])),
    )


# --- sources


def sources_section(subject: Subject) -> Section:
    """Which tables of which publishers the figures come from."""
    view = subject.view
    periods: dict[str, set[str]] = {}
    for indicator in view.counted:
        for year in (view.baseline, view.year):
            row = view.value(indicator.indicator_id, subject.code, year)
            if row is not None and row["value"] is not None:
                periods.setdefault(row["source_table"], set()).add(row["reference_period"])
    if not periods:
        return Section(say("sources"), (Paragraph(say("sources_none")),))
    known = {row["source_table"]: row for row in view.rows("source", pl.col("source_table").is_in(list(periods)))}
    published: dict[tuple[str, str], list[str]] = {}
    for name in sorted(periods):
        row, when = known.get(name), ", ".join(period_text(period) for period in sorted(periods[name]))
        by = (name, "") if row is None else (row["publisher"] or name, row["licence"] or "")
        published.setdefault(by, []).append(say("of_period", table=name, periods=when))
    rows = tuple(
        (Cell(publisher), Cell("; ".join(names)), Cell(licence)) for (publisher, licence), names in published.items()
    )
    table = Table(say("sources_table"), _heads("publisher", "table", "licence"), (4.8, 8.6, 4.0), rows)
    return Section(say("sources"), (table, Paragraph(say("sources_more"))))


# --- how to read, and about this report


def _reading(subject: Subject, sections: Sequence[Section]) -> Section:
    words, vocabulary = subject.words, subject.view.catalogue.vocabulary
    blocks = [block for section in sections for block in section.blocks]
    found = [cell for block in blocks if isinstance(block, Table) for row in block.rows for cell in row]
    used = {cell.verdict for cell in found}
    rows = [
        (Cell(_both_labels(verdict, subject), "", verdict), Cell(words.explanation("verdict", verdict)))
        for verdict in VERDICTS
        if verdict in used
    ]
    said = "\n".join([cell.text + cell.note for cell in found] + [_said(block) for block in blocks])
    rows += [
        (Cell(words.label(kind, term)), Cell(words.explanation(kind, term)))
        for kind in ("status", "warning")
        for term in vocabulary[kind]
        if words.label(kind, term) in said
    ]
    names = ("margin", "verdict", *(() if subject.is_whole else ("rank",)), "cause")
    table = Table(say("reading_table"), _heads("word", "meaning"), (7.0, 10.4), tuple(rows))
    return Section(say("reading"), (Bullets(tuple(say(f"reading_{name}") for name in names)), table))


def _said(block: Block) -> str:
    """What a block says beside its cells."""
    if isinstance(block, Bullets):
        return "\n".join(block.items)
    return block.note if isinstance(block, Table) else ""


def _both_labels(verdict: str, subject: Subject) -> str:
    """The label of a verdict on a difference and, where it is another, of one on a change."""
    labels = (subject.words.label("verdict", verdict, change=change) for change in (False, True))
    word = say("or")
    return f" {word} ".join(dict.fromkeys(labels))


def _colophon(subject: Subject, slug: str, created: datetime) -> Section:
    view, publication = subject.view, subject.view.catalogue.publication
    edition = say(
        "colophon_draft" if _is_draft(subject) else "colophon_edition",
        edition=view.edition["edition"],
        date=date(created),
        publisher=publication.publisher.name,
        url=publication.contact.url,
    )
    documents = subject.words.listed([file_name(slug, ending) for ending in DOCUMENTS])
    tables = say("colophon_tables", documents=documents)
    licence = say("colophon_licence", licence=publication.licence.title, url=publication.licence.url)
    return Section(say("colophon"), tuple(Paragraph(text) for text in (edition, tables, licence)))
