"""Finds a column by its titles. Codes, numbers and suffixes of columns change between versions of a table."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from catalog.model import TopicName
from sources.errors import SourceChanged
from sources.tidy import Topic, plain

# Topics that an error names, at most.
_SHOWN = 4


def resolve(topics: Sequence[Topic], wanted: Sequence[TopicName], table: str) -> Topic:
    """The one topic that has one of these names: the end of its path, its title and its unit.

    Capitals, accents, blanks and punctuation do not count. Raises SourceChanged where none or more than one fits,
    with the topics that come nearest.
    """
    found = [topic for topic in topics if fits(topic, wanted)]
    if len(found) == 1:
        return found[0]
    names = " or ".join(f"'{name}'" for name in wanted)
    if found:
        raise SourceChanged(
            table,
            f"exactly one topic {names}",
            column="topic",
            value="; ".join(map(str, found)),
            remedy="Add a longer path to the topic in catalog/indicators, so that one is meant.",
        )
    raise SourceChanged(
        table,
        f"a topic {names}",
        column="topic",
        remedy=f"{_nearest(topics, wanted)} If the publisher renamed it, add the new name under `topics` in "
        "catalog/indicators; if its unit changed, check the factor too.",
    )


def fits(topic: Topic, wanted: Sequence[TopicName]) -> bool:
    """Whether a topic has one of these names."""
    return any(_fits(topic, name) for name in wanted)


def _fits(topic: Topic, name: TopicName) -> bool:
    path = [plain(part) for part in topic.path]
    end = [plain(part) for part in name.path]
    return (
        plain(topic.title) == plain(name.title)
        and (name.unit is None or plain(topic.unit) == plain(name.unit))
        and path[len(path) - len(end) :] == end
    )


def _nearest(topics: Sequence[Topic], wanted: Sequence[TopicName]) -> str:
    titles = {plain(topic.title) for topic in topics}
    near = [title for name in wanted for title in difflib.get_close_matches(plain(name.title), titles, n=2)]
    found = [str(topic) for title in dict.fromkeys(near) for topic in topics if plain(topic.title) == title]
    shown = found[:_SHOWN] or sorted(map(str, topics))[:_SHOWN]
    return f"The table has: {'; '.join(shown)}." if shown else "The table has no topics."
