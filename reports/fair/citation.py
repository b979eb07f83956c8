"""CITATION.cff: how to cite the edition, and what it was made from (Citation File Format 1.2.0)."""

from __future__ import annotations

from typing import Any

import yaml

from reports.fair.pack import Pack


def citation(pack: Pack) -> str:
    """The text of CITATION.cff; a source's `date-accessed` is the day its table was retrieved, where that is known."""
    publication, texts = pack.publication, pack.texts
    content: dict[str, Any] = {
        "cff-version": "1.2.0",
        "type": "dataset",
        "message": (
            "If you use these figures, cite this edition, say on which day you fetched it, and name the publishers of "
            f"the sources. {example(pack)}"
        ),
        "title": texts["title_en"],
        "abstract": texts["description_en"],
        "authors": [{"name": publication.publisher.name, "website": publication.publisher.url}],
        "contact": [{"name": publication.contact.name, "website": publication.contact.url}],
        "version": pack.edition,
        "date-released": pack.published_on.isoformat(),
        "license": publication.licence.spdx,
        "url": pack.address() or publication.homepage,
        "keywords": [*publication.keywords_en, pack.region.name_en],
        "references": [_reference(pack, row) for row in pack.sources.iter_rows(named=True)],
    }
    return yaml.safe_dump(
        {name: value for name, value in content.items() if value}, allow_unicode=True, sort_keys=False, width=100
    )


def example(pack: Pack) -> str:
    """How one sentence cites the edition, with a place for the day of access."""
    return (
        f"{pack.publication.publisher.name} ({pack.published_on.year}). {pack.texts['title_en']}. "
        f"{pack.address() or pack.publication.homepage} (accessed YYYY-MM-DD)."
    )


def _reference(pack: Pack, row: dict[str, Any]) -> dict[str, Any]:
    reference = {
        "type": "data",
        "title": f"{row['title']} ({row['source_table']})",
        "authors": [{"name": row["publisher"]}],
        "url": row["url"],
        "date-accessed": (row["retrieved_at"] or "")[:10],
        "license": pack.publication.source_licences.get(row["licence"]),
        "notes": row["licence"],
    }
    return {name: value for name, value in reference.items() if value}
