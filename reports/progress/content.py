"""What the progress report says, chapter by chapter, as article 8 of the covenant asks.

Figures come from the tables, sentences on them from the table `claim`, what bureaus wrote from the table
`programme_text`, and what explains them from `nl.yaml`, which holds no figure.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from reports.claims.programme import TOTAL
from reports.document.model import Bullets, Cell, Paragraph, Quote, Report, Section, Table
from reports.happiness.texts import date
from reports.progress.english import english_summary
from reports.progress.files import slug
from reports.progress.money import money_chapter
from reports.progress.results import lessons_chapter, planning_chapter, progress_chapter, results_chapter
from reports.progress.scope import Scope
from reports.progress.texts import heads, say
from reports.progress.welfare import sources_of_welfare, welfare_chapter
from reports.view import Row

LIMITS = ("cause", "target", "groups", "survey")


def report(scope: Scope) -> Report:
    """The progress report over a year, or the evaluation over all of them."""
    return Report(
        slug=slug("whole", scope),
        title=title(scope),
        subtitle=subtitle(scope),
        banner=banner(scope),
        running=say("running", title=title(scope), programme=scope.programme.name_nl, state=state(scope)),
        page=say("page", page="{page}", pages="{pages}"),
        publisher=scope.programme.reporter,
        created=created(scope),
        sections=tuple(_chapters(scope)),
        contents=say("contents"),
    )


def title(scope: Scope) -> str:
    """The title of the report."""
    if scope.is_evaluation:
        is_last = scope.year == scope.programme.last_report_year
        return say("title_final" if is_last else "title_between", first=scope.years[0], year=scope.year)
    return say("title", year=scope.year)


def state(scope: Scope) -> str:
    """Draft or final, in words."""
    return say("state_final" if scope.final else "state_draft")


def subtitle(scope: Scope) -> str:
    """Who reports on what, from which edition."""
    return say(
        "subtitle",
        programme=scope.programme.name_nl,
        reporter=scope.programme.reporter,
        state=state(scope),
        edition=scope.edition,
        date=date(created(scope)),
    )


def banner(scope: Scope) -> str:
    """What stands on every page: that figures are invented, or that this is a draft."""
    draft, synthetic = say("banner_draft"), say("banner_synthetic")
    if scope.is_synthetic:  # and so never final
        return say("banner_both", draft=draft, synthetic=synthetic)
    return "" if scope.final else draft


def created(scope: Scope) -> datetime:
    """When the edition was made: a report of it says nothing newer."""
    return datetime.fromisoformat(scope.view.edition["created_at"])


def _chapters(scope: Scope) -> Iterator[Section]:
    yield _summary(scope)
    yield from progress_chapter(scope)
    yield from results_chapter(scope)
    yield from planning_chapter(scope)
    yield from lessons_chapter(scope)
    yield from money_chapter(scope)
    yield from welfare_chapter(scope)
    yield Section(say("sources"), ())
    yield Section(say("registers"), (_registers(scope),), level=3)
    yield sources_of_welfare(scope)
    yield Section(say("limits"), (Bullets(tuple(say(f"limit_{name}") for name in LIMITS)),), level=3)
    yield _lacking(scope)
    yield from english_summary(scope)
    yield _about(scope)


def _summary(scope: Scope) -> Section:
    year, region = scope.year, scope.view.catalogue.region
    said = scope.sentences(
        ("count_target", year, TOTAL),
        ("money", year, TOTAL, "state"),
        ("money", year, TOTAL, "regional"),
        ("count_difference", scope.view.year, region.region_code, region.rest_code),
        *(("count_difference", scope.view.year, *pair) for pair in region.contrasts),
    )
    message = scope.programme.core_message
    core = Quote(message.text_nl, say("core_message", article=message.article))
    stamp = scope.words("stamp").strip(" :")
    invented = [Paragraph(say("invented", stamp=stamp))] if scope.is_synthetic else []
    lacking = [Paragraph(say("lacking_short", chapter=say("lacking")))] if scope.lacking and not scope.final else []
    return Section(say("summary"), (*invented, Bullets(said), *lacking, core))


def _registers(scope: Scope) -> Bullets | Paragraph:
    rows = {(row["bureau"], row["as_of"]) for row in scope.view.rows("project")}
    if not rows:
        return Paragraph(say("no_registers"))
    said = [say("bureau_as_of", bureau=bureau, date=scope.words.date(as_of)) for bureau, as_of in sorted(rows)]
    return Bullets(tuple(said))


def _lacking(scope: Scope) -> Section:
    if not scope.lacking:
        return Section(say("lacking"), (Paragraph(say("nothing_lacking")),))
    rows = tuple(
        (
            *([Cell(str(row["year"]))] if scope.is_evaluation else []),
            Cell(scope.line(row["line_id"])),
            Cell(scope.words.label("requirement", row["requirement"])),
            Cell(_which(scope, row)),
        )
        for row in scope.lacking
    )
    years = (("lacks_year",), (1.4,)) if scope.is_evaluation else ((), ())
    names = heads(*years[0], "where_lacks", "lacks", "which")
    table = Table(say("lacking_table"), names, (*years[1], 5.4, 6.0, 6.0), rows, breaks=True)
    return Section(say("lacking"), (Paragraph(say("lacking_intro")), table))


def _which(scope: Scope, row: Row) -> str:
    """What exactly is lacking, where it is not the line itself."""
    if row["lacking"] is None or row["lacking"] == row["line_id"]:
        return ""
    labels = {part: scope.words.label("text_part", part) for part in ("progress", "planning", "money", "lesson")}
    projects = {row["project_id"]: row["name"] for row in scope.view.rows("project")}
    names = labels | projects | {target: scope.targets[target]["text_nl"] for target in scope.targets}
    return "; ".join(names.get(part, part) for part in row["lacking"].split("; "))


def _about(scope: Scope) -> Section:
    licence = scope.view.catalogue.publication.licence
    texts = (
        say("about_edition", edition=scope.edition, date=date(created(scope))),
        say("about_texts"),
        say("about_licence", licence=licence.title, url=licence.url),
    )
    return Section(say("about"), tuple(Paragraph(text) for text in texts))
