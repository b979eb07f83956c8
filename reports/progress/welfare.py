"""The chapter on broad welfare: how it goes with the region, whatever the programme does."""

from __future__ import annotations

from collections.abc import Iterator

from reports.claims import summarised_pairs
from reports.document.model import Bullets, Paragraph, Picture, Section
from reports.happiness.content import LINE, contrast_section, dimension, revised_section, sources_section
from reports.happiness.pictures import OTHERS, OWN, Drawn, own_mark, picture
from reports.happiness.texts import capital
from reports.progress.scope import LANGUAGE, Scope
from reports.progress.texts import say


def welfare_chapter(scope: Scope) -> Iterator[Section]:
    """The headline gaps, the cores beside the rural municipalities, and what changed since the baseline."""
    region = scope.words.region(scope.view.catalogue.region.region_code)
    yield Section(say("welfare", region=region), (Paragraph(say("welfare_intro", region=region)),))
    gaps, changes = gap_sentences(scope), change_sentences(scope)
    if not gaps:
        yield Section(say("welfare_gaps", region=region), (Paragraph(say("welfare_none")),), level=3)
        return
    yield Section(say("welfare_gaps", region=region), (Bullets(gaps),), level=3)
    if contrast := contrast_section(scope.subject):
        drawing = contrast_picture(scope)
        yield Section(contrast.title, (*([drawing] if drawing else []), *contrast.blocks), level=3)
    yield Section(say("welfare_changes", baseline=scope.view.baseline), (Bullets(changes),), level=3)
    revised = revised_section(scope.subject)
    yield Section(revised.title, revised.blocks, level=3)


def contrast_picture(scope: Scope) -> Picture | None:
    """What residents of both groups experience, dimension by dimension; None without a survey or without groups."""
    pair, subject = scope.view.contrast, scope.subject
    if pair is None or not subject.experienced:
        return None
    names = [capital(scope.words.region(code)) for code in pair]
    caption = say("welfare_picture", region=names[0], comparator=scope.words.region(pair[1]), year=scope.view.year)
    rows = [subject.value(indicator, pair[0]) for indicator in subject.experienced]
    drawn = [
        Drawn(dimension(indicator, subject), indicator, row, OWN, [subject.value(indicator, pair[1])])
        for indicator, row in zip(subject.experienced, rows, strict=True)
    ]
    legend = [own_mark(names[0], rows), (OTHERS[0], names[1])]
    return picture(caption, drawn, legend, scope.words, line_height=LINE)


def gap_sentences(scope: Scope, language: str = LANGUAGE) -> tuple[str, ...]:
    """The figures of the headline indicators, of the pairs of areas that headlines are about."""
    pairs = summarised_pairs(scope.view.catalogue)
    ids = [
        ("figures", scope.view.year, indicator.indicator_id, *pair)
        for indicator in scope.view.catalogue.headline_indicators
        for pair in pairs
    ]
    return scope.sentences(*ids, language=language)


def change_sentences(scope: Scope, language: str = LANGUAGE) -> tuple[str, ...]:
    """What changed since the baseline: the count of all indicators, and the headline indicators."""
    region, year = scope.view.catalogue.region, scope.view.year
    counts = [("count_change", year, code) for code in region.own_groups if code in scope.view.areas]
    quantities = {i.indicator_id: "relative_to_nl" if i.nominal_euro else "value" for i in scope.view.indicators}
    changes = [
        ("change", year, i.indicator_id, region.region_code, quantities.get(i.indicator_id, "value"))
        for i in scope.view.catalogue.headline_indicators
    ]
    return scope.sentences(*counts, *changes, language=language)


def sources_of_welfare(scope: Scope) -> Section:
    """The publishers' tables behind the chapter."""
    found = sources_section(scope.subject)
    return Section(found.title, found.blocks, level=3)
