from __future__ import annotations

import pytest

from catalog.model import TopicName
from sources.errors import SourceChanged
from sources.tidy import Topic
from sources.topics import fits, resolve

HOUSEHOLDS = "Particuliere huishoudens excl. studenten"
# As in CBS 70072ned: one title in three groups.
TOPICS = [
    Topic("A_96", ("Inkomen en vermogen", "Gemiddeld besteedbaar inkomen"), HOUSEHOLDS, "1 000 euro"),
    Topic("A_131", ("Inkomen en vermogen", "Gemiddeld gestandaardiseerd inkomen"), HOUSEHOLDS, "1 000 euro"),
    Topic("A_142", ("Inkomen en vermogen",), HOUSEHOLDS, "x 1 000"),
    Topic("B_1", (), "Bevolking op 1 januari", "aantal"),
    Topic("N_290", ("Codes",), "Naam", ""),
]


def found(title: str, *path: str, unit: str | None = None) -> str:
    return resolve(TOPICS, [TopicName(path=list(path), title=title, unit=unit)], "CBS 70072ned").key


def refused(*names: TopicName) -> SourceChanged:
    with pytest.raises(SourceChanged) as caught:
        resolve(TOPICS, names, "CBS 70072ned")
    assert (caught.value.file, caught.value.column) == ("CBS 70072ned", "topic")
    assert caught.value.remedy
    return caught.value


def test_a_topic_is_known_by_the_end_of_its_path_its_title_and_its_unit() -> None:
    assert found(HOUSEHOLDS, "Gemiddeld gestandaardiseerd inkomen", unit="1 000 euro") == "A_131"
    assert found(HOUSEHOLDS, "Inkomen en vermogen", "Gemiddeld besteedbaar inkomen") == "A_96"
    assert found(HOUSEHOLDS, "Inkomen en vermogen", unit="x 1 000") == "A_142"
    assert found("Naam") == "N_290"


def test_capitals_blanks_and_punctuation_do_not_count() -> None:
    assert found("bevolking op 1-januari", unit="Aantal") == "B_1"
    assert found(HOUSEHOLDS, "Gemiddeld-gestandaardiseerd  inkomen", unit="1000 euro") == "A_131"
    assert found(HOUSEHOLDS, unit="x 1000") == "A_142"


def test_one_of_several_accepted_names_is_enough() -> None:
    names = [TopicName(title="Inwoners"), TopicName(title="Bevolking op 1 januari", unit="aantal")]
    assert resolve(TOPICS, names, "T").key == "B_1"
    assert [topic.key for topic in TOPICS if fits(topic, names)] == ["B_1"]


def test_a_path_that_begins_elsewhere_does_not_fit() -> None:
    assert "Inkomen en vermogen" in str(refused(TopicName(path=["Codes", "Inkomen en vermogen"], title=HOUSEHOLDS)))
    refused(TopicName(path=["Meer", "Inkomen en vermogen", "Gemiddeld besteedbaar inkomen"], title=HOUSEHOLDS))


def test_several_topics_with_the_name_are_refused_by_name() -> None:
    error = refused(TopicName(title=HOUSEHOLDS, unit="1 000 euro"))
    assert error.expected.startswith("exactly one topic")
    assert error.value == f"{TOPICS[0]}; {TOPICS[1]}"


def test_a_topic_that_is_not_there_names_the_nearest() -> None:
    error = refused(TopicName(title="Bevolking op 31 januari", unit="aantal"))
    assert "The table has: Bevolking op 1 januari (aantal)." in str(error)


def test_another_unit_is_another_figure() -> None:
    # So labels that say x 1 000 are caught before any number is.
    error = refused(TopicName(title="Bevolking op 1 januari", unit="x 1 000"))
    assert "The table has: Bevolking op 1 januari (aantal)." in str(error)
    assert "factor" in str(error)


def test_of_several_topics_with_the_nearest_title_all_are_named() -> None:
    text = str(refused(TopicName(path=["Gemiddeld gestandaardiseerd inkomen"], title=HOUSEHOLDS, unit="euro")))
    assert all(str(topic) in text for topic in TOPICS[:3])


def test_where_nothing_comes_near_a_few_topics_are_named_and_no_topics_are_said() -> None:
    assert "The table has: Bevolking op 1 januari" in str(refused(TopicName(title="Zonnepanelen")))
    with pytest.raises(SourceChanged, match="The table has no topics"):
        resolve([], [TopicName(title="Zonnepanelen")], "T")
