"""The chapter on broad welfare: how it goes with the region, whatever the programme does."""

from __future__ import annotations

from collections.abc import Iterator

from reports.claims import summarised_pairs
from reports.document.model import Bullets, Paragraph, Section
from reports.happiness.content import contrast_section, revised_section, sources_section
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
        yield Section(contrast.title, contrast.blocks, level=3)
    yield Section(say("welfare_changes", baseline=scope.view.baseline), (Bullets(changes),), level=3)
    revised = revised_section(scope.subject)
    yield Section(revised.title, revised.blocks, level=3)


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
