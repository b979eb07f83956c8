"""What readers are told: the same in Dutch and English, with the names of the catalogue, in plain Dutch."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from string import Formatter

import polars as pl
import pyphen
import pytest

from catalog import load_catalogue
from reports.claims.figures import DEMONSTRABLE
from reports.claims.sentences import COUNTED
from reports.words import LANGUAGES, Words, texts

CATALOGUE = load_catalogue()
WORDS = {language: Words(CATALOGUE, language) for language in LANGUAGES}
NL, EN = WORDS["nl"], WORDS["en"]


# --- two languages


def fields_of(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_a_day_is_written_as_readers_do() -> None:
    assert [Words(CATALOGUE, language).date("2026-07-01T12:00:00+00:00") for language in LANGUAGES] == [
        "1 juli 2026",
        "1 July 2026",
    ]


def test_both_languages_have_the_same_texts() -> None:
    assert list(texts("nl")) == list(texts("en"))
    assert all(isinstance(text, str) and text.strip() for language in LANGUAGES for text in texts(language).values())


@pytest.mark.parametrize("key", texts("nl"))
def test_both_languages_fill_in_the_same(key: str) -> None:
    assert fields_of(texts("nl")[key]) == fields_of(texts("en")[key])


def test_a_text_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError):
        NL("no_such_text")


def test_the_claims_of_an_edition_have_their_texts(edition: Path) -> None:
    claim = pl.read_parquet(edition / "editions" / "2025-draft" / "parquet" / "claim.parquet")
    assert set(claim["language"]) == set(LANGUAGES)
    for language in LANGUAGES:
        assert {f"claim_{rule}" for rule in claim["rule"]} <= set(texts(language))


# --- the catalogue's texts

INCOME = CATALOGUE.indicator("income_standardised_mean")
HAPPY = CATALOGUE.indicator("experienced_subjective_wellbeing")


def test_names_are_those_of_the_language() -> None:
    assert NL.name(INCOME) == "Gemiddeld gestandaardiseerd inkomen"
    assert EN.name(INCOME) == "Mean standardised income"
    assert not EN.is_foreign(INCOME, "name")


def test_where_the_catalogue_has_no_english_name_the_dutch_one_is_shown() -> None:
    untranslated = INCOME.model_copy(update={"name_en": ""})
    assert EN.name(untranslated) == "Gemiddeld gestandaardiseerd inkomen"
    assert EN.is_foreign(untranslated, "name")
    assert not NL.is_foreign(untranslated, "name")


def test_a_verdict_has_other_words_for_a_change_where_the_vocabulary_has() -> None:
    assert (NL.label("verdict", "worse"), EN.label("verdict", "worse")) == (
        "aantoonbaar slechter",
        "demonstrably worse",
    )
    assert NL.label("verdict", "worse", change=True) == "aantoonbaar verslechterd"
    assert EN.label("verdict", "worse", change=True) == "demonstrably worsened"
    assert NL.label("status", "suppressed", change=True) == "afgeschermd"
    assert EN.explanation("status", "suppressed") == "Hidden, so that nobody can be recognised."


@pytest.mark.parametrize(
    ("code", "dutch", "english"),
    [
        ("GM0153", "Enschede", "Enschede"),
        ("GM1735", "Hof van Twente", "Hof van Twente"),
        ("TWENTE", "Twente", "Twente"),
        ("URBAN_CORE", "de stedelijke kernen", "the urban cores"),
        ("RURAL", "de plattelandsgemeenten", "the rural municipalities"),
        ("NL01", "Nederland", "the Netherlands"),
        ("NL_REST", "de rest van Nederland", "the rest of the Netherlands"),
        ("PEERS_GM0153", "de gemeenten die lijken op Enschede", "the municipalities like Enschede"),
        ("GM9999", "GM9999", "GM9999"),
    ],
)
def test_regions_have_an_article_where_their_name_needs_one(code: str, dutch: str, english: str) -> None:
    assert NL.the_region(code) == dutch
    assert EN.the_region(code) == english


def test_the_name_of_a_region_by_itself_has_no_article() -> None:
    assert (NL.region("URBAN_CORE"), EN.region("URBAN_CORE")) == ("stedelijke kernen", "urban cores")
    assert EN.region("NL01") == "The Netherlands"


@pytest.mark.parametrize(
    ("value", "decimals", "dutch", "english"),
    [
        (1234.56, 1, "1.234,6", "1,234.6"),
        (-0.5, 2, "−0,50", "−0.50"),
        (-0.04, 1, "0,0", "0.0"),
        (633_917, 0, "633.917", "633,917"),
    ],
)
def test_numbers_have_the_separators_of_the_language(value: float, decimals: int, dutch: str, english: str) -> None:
    assert NL.number(value, decimals) == dutch
    assert EN.number(value, decimals) == english


def test_units_are_those_of_the_language_and_scores_are_grades() -> None:
    assert (NL.unit(INCOME), EN.unit(INCOME)) == ("duizend euro per huishouden", "thousand euros per household")
    assert (NL.unit(HAPPY), EN.unit(HAPPY)) == ("rapportcijfer van 1 tot 10", "report grade from 1 to 10")


@pytest.mark.parametrize(
    ("parts", "dutch", "english"),
    [
        ([], "", ""),
        (["a"], "a", "a"),
        (["a", "b"], "a en b", "a and b"),
        (["a", "b", "c"], "a, b en c", "a, b and c"),
    ],
)
def test_a_list_is_said_as_one(parts: list[str], dutch: str, english: str) -> None:
    assert NL.listed(parts) == dutch
    assert EN.listed(parts) == english


# --- plain Dutch

DIFFICULT = {
    *("significant", "significante", "betrouwbaarheidsinterval", "respectievelijk", "middels", "teneinde", "derhalve"),
    *("percentiel", "percentielen", "correlatie", "correleert", "standaardafwijking", "standaardfout", "mediaan"),
    *("alsmede", "aangaande", "betreffende", "inzake", "conform", "ten", "tevens", "dientengevolge", "mits", "tenzij"),
    *("indien", "hetgeen", "welke", "aldus", "echter", "evenwel", "omtrent", "jegens", "nochtans", "alvorens"),
    *(
        "steekproeffout",
        "steekproefvariantie",
        "p-waarde",
        "nulhypothese",
        "dispersie",
        "discrepantie",
        "indicatief",
        "relatief",
    ),
}
SYLLABLES = pyphen.Pyphen(lang="nl_NL")
LONGEST = 25


def all_of(*beginnings: str) -> str:
    """The texts of which one is filled in, one after the other."""
    return " ".join(text.strip() for key, text in texts("nl").items() if key.startswith(beginnings))


def frame_of(rule: str) -> str:
    """What a claim says beside names, numbers and what stands between brackets."""
    term = next((verdict for verdict in CATALOGUE.vocabulary["verdict"] if rule.endswith(verdict)), "better")
    over_time = rule.startswith(("change", "movement"))
    said = {
        "label": NL.label("verdict", term, change=over_time),
        "reason": all_of("reason_"),
        "unsure": all_of("unsure_"),
        "otherwise": NL("rank_otherwise_sampled"),
        "explanation": NL.explanation("status", "not_published"),
        "more": f" {all_of('change_estimated')}" if over_time else NL("rank_more"),
        "counts": " ".join(counts(over_time=rule == "count_change")),
    }
    text = texts("nl")[f"claim_{rule}"]
    filled = text.format(**dict.fromkeys(fields_of(text), "") | said)
    without_brackets = re.sub(r"\([^()]*\)", "", filled)
    # Before the first colon stands what the sentence is about: names only.
    return without_brackets if rule.startswith("figures") else without_brackets.partition(":")[2]


def counts(*, over_time: bool) -> Iterator[str]:
    """What is said of each verdict, and of figures that are missing."""
    for verdict in COUNTED:
        of_sure = "count_change_many" if over_time else "count_many"
        key = of_sure if verdict in DEMONSTRABLE else f"count_{verdict}"
        yield NL(key, n="", region="", label=NL.label("verdict", verdict, change=over_time))
    yield NL("count_missing", n="")


def words_of(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)*", text)


def sentences_of(text: str) -> list[list[str]]:
    """The words of each sentence; a semicolon ends one too, as a reader rests there."""
    return [words for part in re.split(r"[.;]", text) if (words := words_of(part))]


def flesch_douma(sentences: list[list[str]]) -> float:
    """Reading ease of Dutch: from 0 (very difficult) to 100 (very easy); 60 to 70 is standard, 70 to 80 fairly easy.

    W.H. Douma, De leesbaarheid van landbouwbladen (Bulletin 17, Landbouwhogeschool Wageningen, 1960): Flesch's
    formula for Dutch.
    """
    words = list(chain.from_iterable(sentences))
    syllables = sum(len(SYLLABLES.positions(word.lower())) + 1 for word in words)
    return 206.84 - 0.93 * len(words) / len(sentences) - 77 * syllables / len(words)


FAMILIES = ("difference", "figures", "change", "movement", "value", "rank", "count")
EASY = 75


def frames_of(family: str) -> list[list[str]]:
    rules = [key.removeprefix("claim_") for key in texts("nl") if key.startswith("claim_")]
    of_family = [frame_of(rule) for rule in rules if rule.startswith(family)]
    return [sentence for text in of_family for sentence in sentences_of(text)]


@pytest.mark.parametrize("family", FAMILIES)
def test_claims_are_as_easy_as_readers_at_b1_need(family: str) -> None:
    """Measured: difference 88, figures 90, change 88, movement 76, value 111, rank 93 and count 81.

    Pyphen never parts a single letter from a word (`over` counts as one syllable), so the true scores are a little
    lower.
    """
    assert flesch_douma(frames_of(family)) >= EASY


def test_claims_are_short_sentences() -> None:
    """Measured, without names, numbers and brackets: 6.2 words a sentence, 13 in the longest; all together score 86."""
    frames = [sentence for family in FAMILIES for sentence in frames_of(family)]
    assert sum(map(len, frames)) / len(frames) <= 12
    assert max(map(len, frames)) <= LONGEST
    assert flesch_douma(frames) >= EASY


def test_no_sentence_of_an_edition_is_long_with_its_names(edition: Path) -> None:
    """Names of areas count here; the indicator's, which opens the sentence, and what stands between brackets do not.

    Measured: 7.8 words a sentence, 19 in the longest.
    """
    claim = pl.read_parquet(edition / "editions" / "2025-draft" / "parquet" / "claim.parquet")
    for said in claim.filter(language="nl")["sentence"]:
        without_brackets = re.sub(r"\([^()]*\)", "", said.removeprefix(NL("stamp")))
        rest = without_brackets.partition(": ")[2]
        assert max(len(part.split()) for part in re.split(r"[.;:](?:\s|$)", rest)) <= LONGEST, said


SAID_IN_CLAIMS = (
    *("claim_", "reason_", "unsure_", "count_", "rank_", "why_", "change_estimated", "just_", "above", "below"),
    *("level_with", "relative_to_nl_of", "points_"),
)


def test_no_text_has_a_difficult_word() -> None:
    for key, text in texts("nl").items():
        if key.startswith(SAID_IN_CLAIMS):
            assert DIFFICULT.isdisjoint(word.lower() for word in words_of(text)), key
