"""Sentences say what a row of a published table carries, in Dutch and English, and no more."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from assets.core import REGION, ROLES
from catalog import Catalogue, frames, load_catalogue
from catalog.model import Indicator
from methods.compare import changes, comparisons
from reports.charts import grades
from reports.claims import claims, headline_claims, sentences, summarised_pairs
from reports.claims.sentences import Said
from reports.numbers import number
from reports.words import LANGUAGES, Words, texts

CATALOGUE = load_catalogue()
WORDS = {language: Words(CATALOGUE, language) for language in LANGUAGES}
VERDICTS = list(CATALOGUE.vocabulary["verdict"])
DEMONSTRABLE = ("better", "worse", "higher", "lower")
SCALE = CATALOGUE.survey.settings.grade

INCOME, HEALTH, VALUE = "income_standardised_mean", "perceived_health_good", "dwelling_value_mean"
HAPPY = "experienced_subjective_wellbeing"
HOUSED = "experienced_housing_share"
STAMP = {"nl": "Verzonnen voorbeeld: ", "en": "Invented example: "}

# What would claim a cause: watching broad welfare shows none. Wider than the list of the blocking check.
CAUSES = {
    "nl": {
        *("door", "doordat", "daardoor", "hierdoor", "waardoor", "dankzij", "omdat", "aangezien", "want", "vanwege"),
        *("wegens", "immers", "daarom", "namelijk", "leidt", "leiden", "leidde", "geleid", "zorgt", "zorgen", "zorgde"),
        *("veroorzaakt", "veroorzaken", "oorzaak", "oorzaken", "gevolg", "gevolgen", "effect", "effecten", "invloed"),
        *("beïnvloedt", "beïnvloeden", "komt", "werkt", "verklaart", "verklaring", "reden", "redenen", "resultaat"),
        *("bevordert", "helpt", "remt", "drijft", "dank", "zodat", "vandaar", "ondanks", "bijdrage", "draagt"),
    },
    "en": {
        *("because", "due", "thanks", "lead", "leads", "led", "leading", "cause", "causes", "caused", "result"),
        *("results", "resulted", "effect", "effects", "affect", "affects", "affected", "owing", "therefore", "hence"),
        *("thus", "impact", "impacts", "influence", "influences", "influenced", "drive", "drives", "driven", "explain"),
        *("explains", "explained", "explanation", "reason", "reasons", "consequence", "consequences", "despite"),
        *("why", "contributes", "contribution", "helps", "helped", "boosts", "boosted", "via", "through"),
    },
}
# That people are hidden `zodat niemand herkenbaar is` is why a figure is not there, not why it differs.
WHY_A_FIGURE_IS_MISSING = {language: words.explanation("status", "suppressed") for language, words in WORDS.items()}
DIRECTIONS = {
    "nl": {"beter", "slechter", "hoger", "lager", "meer", "minder"}
    | {"verbeterd", "verslechterd", "gestegen", "gedaald"},
    "en": {"better", "worse", "higher", "lower", "more", "less", "improved", "worsened", "risen", "fallen"},
}


def words_of(sentence: str) -> set[str]:
    return set(re.findall(r"\w+", sentence.lower()))


# --- rows made by hand; what is not given is that of cores against rural, in 2022

SIDE: dict[str, Any] = {
    "measurement_year": 2022,
    "indicator_id": "perceived_health_good",
    "region_code": "URBAN_CORE",
    "value": 1.0,
    "ci_low": None,
    "ci_high": None,
    "n": None,
    "status": "definitive",
    "warnings": [],
}
COMPARISON: dict[str, Any] = {
    "measurement_year": 2022,
    "indicator_id": INCOME,
    "region_code": "URBAN_CORE",
    "comparator_code": "RURAL",
    "breakdown": "total",
    "reference_period": "2021",
    "value": 29.128,
    "comparator_value": 34.281,
    "difference": -5.153,
    "difference_ci_low": -5.253,
    "difference_ci_high": -5.053,
    "relative_difference": -15.03,
    "p_value": None,
    "p_value_adjusted": None,
    "verdict": "worse",
    "basis": "register",
    "warnings": [],
}
CHANGE: dict[str, Any] = {
    "measurement_year": 2025,
    "baseline_year": 2022,
    "indicator_id": HEALTH,
    "region_code": "URBAN_CORE",
    "breakdown": "total",
    "quantity": "value",
    "reference_period": "2025",
    "baseline_reference_period": "2022",
    "value": 64.26,
    "baseline_value": 67.01,
    "difference": -2.75,
    "difference_ci_low": -4.31,
    "difference_ci_high": -1.19,
    "relative_difference": -4.1,
    "p_value": 0.001,
    "p_value_adjusted": 0.001,
    "verdict": "worse",
    "basis": "interval",
    "warnings": [],
}
VALUE_ROW: dict[str, Any] = SIDE | {
    "measurement_year": 2025,
    "indicator_id": HAPPY,
    "region_code": "GM0153",
    "breakdown": "total",
    "reference_period": "2025",
    "value": 0.6,
}
MOVEMENT: dict[str, Any] = {
    "measurement_year": 2025,
    "indicator_id": HEALTH,
    "region_code": "URBAN_CORE",
    "comparator_code": "RURAL",
    "quantity": "difference",
    "estimate": -6.24,
    "ci_low": -11.97,
    "ci_high": -0.43,
    "verdict": "worse",
    "basis": "interval",
    "warnings": [],
}
RANK: dict[str, Any] = {"rank": 12, "rank_low": 9, "rank_high": 14, "rank_of": 14, "warnings": []}

Sides = tuple[dict[str, Any], ...]


def of(row: Mapping[str, Any]) -> Indicator:
    return CATALOGUE.indicator(row["indicator_id"])


def figures(sides: Sides = ({}, {}), language: str = "nl", **changed: object) -> Said:
    row = COMPARISON | changed
    return sentences.figures_claim(row, [SIDE | side for side in sides], of(row), WORDS[language])


def differ(sides: Sides = ({}, {}), language: str = "nl", **changed: object) -> Said:
    row = COMPARISON | changed
    return sentences.difference_claim(row, [SIDE | side for side in sides], of(row), WORDS[language])


def change(sides: Sides = (), language: str = "nl", **changed: object) -> Said:
    row = CHANGE | changed
    return sentences.change_claim(row, [SIDE | side for side in sides], of(row), WORDS[language])


def value(language: str = "nl", **changed: object) -> Said:
    row = VALUE_ROW | changed
    return sentences.value_claim(row, of(row), WORDS[language])


def movement(language: str = "nl", **changed: object) -> Said:
    row = MOVEMENT | changed
    return sentences.movement_claim(row, of(row), WORDS[language])


def rank(
    language: str = "nl", *, synthetic: bool = False, figures: Sequence[Mapping[str, object]] = (), **changed: object
) -> Said:
    sides = [SIDE | side for side in figures]
    return sentences.rank_claim(RANK | changed, sides, "GM0153", "cbs", WORDS[language], synthetic=synthetic)


def say(sides: Sides = ({}, {}), **changed: object) -> str:
    """The Dutch sentence with the figures of both areas."""
    return figures(sides, **changed).sentence


@dataclass(frozen=True)
class Spec:
    """What is said of a row: `changed` from the row above, in both languages, written out by hand."""

    because: str
    changed: dict[str, Any]
    nl: str
    en: str
    sides: Sides = ({}, {})

    def __str__(self) -> str:
        return self.because


def holds(spec: Spec, said: Callable[..., Said], **given: object) -> None:
    assert said(language="nl", **given, **spec.changed).sentence == spec.nl
    assert said(language="en", **given, **spec.changed).sentence == spec.en


# --- numbers


@pytest.mark.parametrize(
    ("value", "decimals", "text", "english"),
    [
        (0, 0, "0", "0"),
        (61.5, 1, "61,5", "61.5"),
        (61.5, 0, "62", "62"),
        (1234.56, 1, "1.234,6", "1,234.6"),
        (633_917, 0, "633.917", "633,917"),
        (17_400_424.0, 0, "17.400.424", "17,400,424"),
        (-7.1, 1, "−7,1", "−7.1"),
        (-1234.5, 1, "−1.234,5", "−1,234.5"),
        (-0.04, 1, "0,0", "0.0"),
        (0.04, 1, "0,0", "0.0"),
        (-0.06, 1, "−0,1", "−0.1"),
        (-0.4, 0, "0", "0"),
    ],
)
def test_numbers_are_written_as_readers_of_the_language_do(
    value: float, decimals: int, text: str, english: str
) -> None:
    assert number(value, decimals) == text
    assert number(value, decimals, "en") == english


# --- what a sentence with the figures of both areas says


def test_a_whole_sentence() -> None:
    assert say() == (
        "Gemiddeld gestandaardiseerd inkomen (cijfer over 2021): de stedelijke kernen 29,1, de plattelandsgemeenten "
        "34,3 duizend euro per huishouden. Verschil −5,2 (−15,0%): aantoonbaar slechter."
    )
    assert figures(language="en").sentence == (
        "Mean standardised income (figure for 2021): the urban cores 29.1, the rural municipalities "
        "34.3 thousand euros per household. Difference −5.2 (−15.0%): demonstrably worse."
    )


def test_percentages_differ_in_points_and_not_in_percent() -> None:
    sentence = say(indicator_id=HEALTH, value=67.01, comparator_value=72.9, difference=-5.89, relative_difference=-8.08)
    assert "Verschil −5,9 procentpunt:" in sentence
    assert "8,1" not in sentence
    assert "%" not in sentence


@pytest.mark.parametrize("verdict", VERDICTS)
def test_every_verdict_has_its_own_words(verdict: str) -> None:
    terms = CATALOGUE.vocabulary["verdict"]
    for language in LANGUAGES:
        sentence = figures(language=language, verdict=verdict).sentence
        label = {key: getattr(term, f"label_{language}") for key, term in terms.items()}
        assert label.pop(verdict) in sentence
        assert not [other for other in label.values() if other in sentence]


def test_another_verdict_is_another_sentence() -> None:
    said = {verdict: say(verdict=verdict) for verdict in VERDICTS}
    for first, second in combinations(said, 2):
        assert said[first] != said[second]


@pytest.mark.parametrize(
    "changed",
    [
        {"difference": 5.153, "relative_difference": 15.03},
        {"difference": 5.153},
        {"value": 29.9},
        {"comparator_value": 35.0},
        {"relative_difference": -16.0},
        {"reference_period": "2020"},
        {"region_code": "RURAL", "comparator_code": "URBAN_CORE"},
        {"comparator_code": "NL_REST"},
        {"warnings": ["carried_forward"]},
        {"warnings": ["newer_published"]},
        {"warnings": ["covid_period"]},
        {"sides": ({"status": "provisional"}, {})},
        {"sides": ({}, {"status": "estimated"})},
        {"sides": ({"ci_low": 29.0, "ci_high": 29.3}, {})},
        {"sides": ({}, {"n": 412})},
        {"sides": ({}, {"warnings": ["synthetic"]})},
        {"basis": "interval"},
        {"value": None, "difference": None},
    ],
    ids=str,
)
def test_another_row_is_another_sentence(changed: dict[str, Any]) -> None:
    assert say(**changed) != say()


def test_no_difference_shown_names_no_direction() -> None:
    for verdict in ("no_demonstrable_difference", "not_comparable", "no_new_measurement"):
        for language in LANGUAGES:
            assert words_of(figures(language=language, verdict=verdict).sentence).isdisjoint(DIRECTIONS[language])


# --- what cannot be said


@pytest.mark.parametrize(("gone", "missing"), [("value", "de stedelijke kernen"), ("comparator_value", "Nederland")])
def test_a_missing_figure_is_named_and_nothing_is_concluded(gone: str, missing: str) -> None:
    sentence = say(**{gone: None}, comparator_code="NL01", difference=None, verdict="not_decidable", basis="none")
    assert f"voor {missing} is er geen cijfer" in sentence
    assert "niets te zeggen" in sentence
    assert "Verschil" not in sentence
    assert "29,1" not in sentence
    assert "34,3" not in sentence
    assert words_of(sentence).isdisjoint(DIRECTIONS["nl"])


def test_when_both_figures_are_missing_both_are_named() -> None:
    sentence = say(value=None, comparator_value=None, difference=None, reference_period=None, verdict="not_decidable")
    assert "geen cijfer" in sentence
    assert "None" not in sentence
    assert "stedelijke kernen" in sentence
    assert "plattelandsgemeenten" in sentence


def test_why_nothing_can_be_said_is_said_where_it_is_known() -> None:
    known = say(verdict="not_decidable", basis="none", warnings=["no_margin"])
    assert known.endswith("is niet te zeggen (de bron geeft geen onzekerheidsmarge).")
    unknown = say(verdict="not_decidable", basis="none")
    assert unknown.endswith("is niet te zeggen.")


def test_figures_that_were_made_differently_are_not_subtracted() -> None:
    sentence = say(verdict="not_comparable", difference=None, relative_difference=None)
    assert sentence.endswith("; niet te vergelijken.")
    assert "Verschil" not in sentence
    assert "29,1" in sentence


def test_provisional_is_said_only_of_provisional_figures() -> None:
    for sides in (({"status": "provisional"}, {}), ({}, {"status": "provisional"})):
        assert "(cijfer over 2021, voorlopig)" in say(sides=sides)
    assert "voorlopig" not in say()


def test_age_and_period_of_a_figure_are_said() -> None:
    sentence = say(warnings=["carried_forward", "covid_period", "model_based", "newer_published"])
    assert "(cijfer over 2021, ouder cijfer, nieuwer cijfer bestaat, coronaperiode)" in sentence


def test_nothing_is_divided_by_nought() -> None:
    sentence = say(indicator_id=VALUE, value=5.0, comparator_value=0.0, difference=5.0, relative_difference=None)
    assert "Verschil 5:" in sentence
    assert "%" not in sentence


# --- what residents say

# Scores of 2025 with round grades: cores 6.4 (6.31 to 6.49), rural 7.3 (7.21 to 7.39), so -0.9 (-1.08 to -0.72).
SAID: dict[str, Any] = {
    "indicator_id": HAPPY,
    "reference_period": "2025",
    "value": 0.6,
    "comparator_value": 0.7,
    "difference": -0.1,
    "difference_ci_low": -0.12,
    "difference_ci_high": -0.08,
    "relative_difference": -14.29,
    "p_value": 0.001,
    "p_value_adjusted": 0.001,
    "basis": "interval",
}
CORES = {"ci_low": 0.59, "ci_high": 0.61, "n": 1023}
LAND = {"ci_low": 0.69, "ci_high": 0.71, "n": 1931}


def test_a_whole_sentence_on_what_residents_say() -> None:
    assert say(**SAID, sides=(CORES, LAND)) == (
        f"{CATALOGUE.indicator(HAPPY).name_nl} (rapportcijfer van 1 tot 10, cijfer over 2025): "
        "de stedelijke kernen 6,4 (tussen 6,3 en 6,5; 1.023 antwoorden), "
        "de plattelandsgemeenten 7,3 (tussen 7,2 en 7,4; 1.931 antwoorden). "
        "Verschil −0,9 (tussen −1,1 en −0,7): aantoonbaar slechter."
    )
    assert figures((CORES, LAND), "en", **SAID).sentence == (
        f"{CATALOGUE.indicator(HAPPY).name_en} (report grade from 1 to 10, figure for 2025): "
        "the urban cores 6.4 (between 6.3 and 6.5; 1,023 answers), "
        "the rural municipalities 7.3 (between 7.2 and 7.4; 1,931 answers). "
        "Difference −0.9 (between −1.1 and −0.7): demonstrably worse."
    )


def test_a_percentage_with_margins_shows_them() -> None:
    numbers = {"value": 67.0, "comparator_value": 72.9, "difference": -5.9}
    margins = {"difference_ci_low": -7.04, "difference_ci_high": -4.76, "relative_difference": -8.1}
    sides = ({"ci_low": 66.0, "ci_high": 68.0}, {"ci_low": 72.1, "ci_high": 73.7})
    sentence = say(indicator_id=HEALTH, basis="interval", sides=sides, **numbers, **margins)
    assert "de stedelijke kernen 67,0 (tussen 66,0 en 68,0), de plattelandsgemeenten 72,9 (tussen" in sentence
    assert sentence.endswith("Verschil −5,9 procentpunt (tussen −7,0 en −4,8): aantoonbaar slechter.")


def test_an_amount_with_a_margin_shows_per_cent_and_margin() -> None:
    assert say(basis="interval").endswith("Verschil −5,2 (−15,0%; tussen −5,3 en −5,1): aantoonbaar slechter.")


def test_a_demonstrable_difference_and_its_margin_are_never_shown_as_nought() -> None:
    small = {"difference": -0.009, "difference_ci_low": -0.015, "difference_ci_high": -0.003}
    assert "Verschil −0,08 (tussen −0,14 en −0,03): aantoonbaar slechter." in say(**SAID | small)
    undecided = say(**SAID | small, verdict="no_demonstrable_difference")
    assert "Verschil −0,1 (tussen −0,1 en 0,0): geen aantoonbaar verschil." in undecided


NEAR = {"difference": -0.009, "difference_ci_low": -0.0175, "difference_ci_high": -0.0005}
NEARER = {"difference": 0.0005, "difference_ci_low": 0.0001, "difference_ci_high": 0.0009}


@pytest.mark.parametrize(
    ("said", "changed", "dutch", "english"),
    [
        (
            figures,
            SAID | NEAR,
            " Verschil −0,08 (tussen −0,16 en net onder 0): aantoonbaar slechter.",
            " Difference −0.08 (between −0.16 and just below 0): demonstrably worse.",
        ),
        (
            differ,
            SAID | NEAR,
            " Het verschil is −0,08 punt (tussen −0,16 en net onder 0).",
            " The difference is −0.08 points (between −0.16 and just below 0).",
        ),
        (
            differ,
            SAID | NEARER | {"verdict": "better"},
            " Het verschil is net boven 0 punt (tussen net boven 0 en 0,01).",
            " The difference is just above 0 points (between just above 0 and 0.01).",
        ),
        (
            differ,
            SAID | NEAR | {"verdict": "no_demonstrable_difference", "p_value_adjusted": 0.04},
            " We vinden een verschil van −0,1 punt (tussen −0,2 en 0,0). Dat kan toeval of afronding zijn.",
            " We find a difference of −0.1 points (between −0.2 and 0.0). That may be chance or rounding.",
        ),
        (
            change,
            {"indicator_id": HAPPY, "value": 0.61, "baseline_value": 0.601} | NEAR,
            " Dat is een verschil van −0,08 punt (tussen −0,16 en net onder 0).",
            " That is a difference of −0.08 points (between −0.16 and just below 0).",
        ),
        (
            change,
            {"quantity": "relative_to_nl", "verdict": "better"}
            | {"difference": 4.5, "difference_ci_low": 0.003, "difference_ci_high": 9.0},
            " Dat is een verschil van 4,50 procentpunt (tussen net boven 0 en 9,00).",
            " That is a difference of 4.50 percentage points (between just above 0 and 9.00).",
        ),
        (
            change,
            {"difference": 4.5, "difference_ci_low": 0.03, "difference_ci_high": 9.0, "verdict": "better"},
            " Dat is een verschil van 4,50 procentpunt (tussen 0,03 en 9,00).",
            " That is a difference of 4.50 percentage points (between 0.03 and 9.00).",
        ),
        (
            movement,
            {"estimate": -2.25, "ci_low": -4.5, "ci_high": -0.0049},
            " Het verschil is sinds toen veranderd met −2,25 procentpunt (tussen −4,50 en net onder 0).",
            " The difference changed by −2.25 percentage points (between −4.50 and just below 0).",
        ),
    ],
)
def test_one_decimal_more_is_shown_where_that_tells_and_else_the_side_of_nought(
    said: Callable[..., Said], changed: dict[str, Any], dutch: str, english: str
) -> None:
    assert said(language="nl", **changed).sentence.endswith(dutch)
    assert said(language="en", **changed).sentence.endswith(english)


@pytest.mark.parametrize(
    ("sides", "said"),
    [
        (({"status": "suppressed"}, {}), "voor de stedelijke kernen is er geen cijfer (afgeschermd);"),
        (({"status": "not_measured"}, {}), "voor de stedelijke kernen is er geen cijfer (niet gemeten);"),
        (({"status": "not_published"}, {}), "voor de stedelijke kernen is er geen cijfer;"),
    ],
)
def test_why_the_survey_has_no_figure_is_said(sides: Sides, said: str) -> None:
    sentence = say(**SAID | {"value": None, "difference": None}, verdict="not_decidable", sides=sides)
    assert said in sentence
    assert "7,3" not in sentence


def test_what_a_figure_of_the_survey_is_worth_is_said() -> None:
    sides = (CORES | {"status": "estimated"}, LAND | {"warnings": ["small_n", "self_selected"]})
    sentence = say(**SAID, sides=sides)
    assert "(rapportcijfer van 1 tot 10, cijfer over 2025, geschat, open deelname, weinig antwoorden)" in sentence


@pytest.mark.parametrize("where", ["comparison", "region", "comparator"])
@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("said", [figures, differ])
def test_a_sentence_that_a_made_up_figure_has_a_part_in_begins_by_saying_so(
    said: Callable[..., Said], where: str, *, known: bool
) -> None:
    for language in LANGUAGES:
        row = SAID | ({} if known else {"value": None, "difference": None, "verdict": "not_decidable"})
        real = said((CORES, LAND), language, **row).sentence
        assert not {"verzonnen", "invented"} & words_of(real)
        mark = {"warnings": ["synthetic"]}
        row |= mark if where == "comparison" else {}
        sides = (CORES | (mark if where == "region" else {}), LAND | (mark if where == "comparator" else {}))
        assert said(sides, language, **row).sentence == f"{STAMP[language]}{real}"


# --- a difference between two areas

BETTER = {
    "indicator_id": HEALTH, "region_code": "TWENTE", "comparator_code": "NL_REST", "reference_period": "2024",
    "value": 70.4, "comparator_value": 69.0, "difference": 1.44, "difference_ci_low": 0.16, "difference_ci_high": 2.72,
    "relative_difference": 2.1, "verdict": "better", "basis": "interval",
}  # fmt: skip
DWELLINGS = {
    "indicator_id": VALUE, "region_code": "GM0168", "comparator_code": "NL01", "reference_period": "2025",
    "value": 384.2, "comparator_value": 345.3, "difference": 38.9, "relative_difference": 11.27,
}  # fmt: skip
UNSURE = SAID | {"difference": 0.0111, "difference_ci_low": -0.0111, "difference_ci_high": 0.0333}
UNSURE_AS = {
    "nl": (
        "Wij vergelijken veel cijfers tegelijk. Dan is dit niet zeker genoeg.",
        "Dat kan toeval of afronding zijn.",
    ),
    "en": ("We compare many figures at once. Then this is not certain enough.", "That may be chance or rounding."),
}
ONE_OF_MANY = {"verdict": "no_demonstrable_difference", "p_value": 0.03, "p_value_adjusted": 0.11}
NO_VALUE = {"value": None, "difference": None, "relative_difference": None, "verdict": "not_decidable", "basis": "none"}
NOWHERE = NO_VALUE | {"comparator_value": None, "reference_period": None}

DIFFERENCES = [
    Spec(
        "better",
        BETTER,
        "Goede ervaren gezondheid (cijfer over 2024): in Twente aantoonbaar beter dan in de rest van Nederland. "
        "Het verschil is 1,4 procentpunt (tussen 0,2 en 2,7).",
        "Good perceived health (figure for 2024): demonstrably better in Twente than in the rest of the Netherlands. "
        "The difference is 1.4 percentage points (between 0.2 and 2.7).",
    ),
    Spec(
        "worse",
        {},
        "Gemiddeld gestandaardiseerd inkomen (cijfer over 2021): in de stedelijke kernen aantoonbaar slechter dan in "
        "de plattelandsgemeenten. Het verschil is −5,2 duizend euro per huishouden (−15,0%).",
        "Mean standardised income (figure for 2021): demonstrably worse in the urban cores than in the rural "
        "municipalities. The difference is −5.2 thousand euros per household (−15.0%).",
    ),
    Spec(
        "higher",
        DWELLINGS | {"verdict": "higher"},
        "Gemiddelde woningwaarde (cijfer over 2025): in Losser aantoonbaar hoger dan in Nederland. "
        "Het verschil is 39 duizend euro per woning (11,3%).",
        "Mean dwelling value (figure for 2025): demonstrably higher in Losser than in the Netherlands. "
        "The difference is 39 thousand euros per dwelling (11.3%).",
    ),
    Spec(
        "lower",
        DWELLINGS | {"difference": -38.9, "relative_difference": -11.27, "verdict": "lower"},
        "Gemiddelde woningwaarde (cijfer over 2025): in Losser aantoonbaar lager dan in Nederland. "
        "Het verschil is −39 duizend euro per woning (−11,3%).",
        "Mean dwelling value (figure for 2025): demonstrably lower in Losser than in the Netherlands. "
        "The difference is −39 thousand euros per dwelling (−11.3%).",
    ),
    Spec(
        "no_demonstrable_difference",
        UNSURE | {"verdict": "no_demonstrable_difference"},
        "Subjectief welzijn volgens inwoners (cijfer over 2025, geschat, weinig antwoorden): tussen de stedelijke "
        "kernen en de plattelandsgemeenten is geen aantoonbaar verschil. We vinden een verschil van 0,1 punt "
        "(tussen −0,1 en 0,3). Dat kan toeval of afronding zijn.",
        "Subjective well-being according to residents (figure for 2025, estimated, few answers): there is no "
        "demonstrable difference between the urban cores and the rural municipalities. We find a difference of 0.1 "
        "points (between −0.1 and 0.3). That may be chance or rounding.",
        sides=({"status": "estimated"}, {"warnings": ["small_n"]}),
    ),
    Spec(
        "no_demonstrable_difference, as many are compared",
        BETTER | ONE_OF_MANY,
        "Goede ervaren gezondheid (cijfer over 2024): tussen Twente en de rest van Nederland is geen aantoonbaar "
        "verschil. We vinden een verschil van 1,4 procentpunt (tussen 0,2 en 2,7). Wij vergelijken veel cijfers "
        "tegelijk. Dan is dit niet zeker genoeg.",
        "Good perceived health (figure for 2024): there is no demonstrable difference between Twente and the rest of "
        "the Netherlands. We find a difference of 1.4 percentage points (between 0.2 and 2.7). We compare many "
        "figures at once. Then this is not certain enough.",
    ),
    Spec(
        "lower, than the municipalities that are most like it",
        DWELLINGS | {"comparator_code": "PEERS_GM0168", "difference": -12.0, "relative_difference": -3.24}
        | {"verdict": "lower"},
        "Gemiddelde woningwaarde (cijfer over 2025): in Losser aantoonbaar lager dan in de gemeenten die lijken op "
        "Losser. Het verschil is −12 duizend euro per woning (−3,2%).",
        "Mean dwelling value (figure for 2025): demonstrably lower in Losser than in the municipalities like Losser. "
        "The difference is −12 thousand euros per dwelling (−3.2%).",
    ),
    Spec(
        "not_decidable, estimated",
        SAID | {"region_code": "GM0183", "comparator_code": "NL01", "verdict": "not_decidable", "basis": "none"},
        "Subjectief welzijn volgens inwoners (cijfer over 2025, geschat): of Tubbergen en Nederland echt verschillen, "
        "is niet te zeggen. Een van de cijfers is geschat zonder de antwoorden van die gemeente zelf.",
        "Subjective well-being according to residents (figure for 2025, estimated): whether Tubbergen and the "
        "Netherlands really differ cannot be said. One of the figures is estimated without the answers of that "
        "municipality itself.",
        sides=({"status": "estimated", "n": None, "indicator_id": HAPPY}, {}),
    ),
    Spec(
        "not_decidable, provisional: that is no reason where both are of one year",
        {"verdict": "not_decidable", "basis": "none"},
        "Gemiddeld gestandaardiseerd inkomen (cijfer over 2021, voorlopig): of de stedelijke kernen en de "
        "plattelandsgemeenten echt verschillen, is niet te zeggen. Wij weten niet hoe zeker het verschil is.",
        "Mean standardised income (figure for 2021, provisional): whether the urban cores and the rural "
        "municipalities really differ cannot be said. We do not know how certain the difference is.",
        sides=({"status": "provisional"}, {}),
    ),
    Spec(
        "not_decidable",
        {"verdict": "not_decidable", "basis": "none"},
        "Gemiddeld gestandaardiseerd inkomen (cijfer over 2021): of de stedelijke kernen en de plattelandsgemeenten "
        "echt verschillen, is niet te zeggen. Wij weten niet hoe zeker het verschil is.",
        "Mean standardised income (figure for 2021): whether the urban cores and the rural municipalities really "
        "differ cannot be said. We do not know how certain the difference is.",
    ),
    Spec(
        "not_decidable, without a margin",
        BETTER | {"verdict": "not_decidable", "basis": "none", "warnings": ["covid_period", "no_margin"]},
        "Goede ervaren gezondheid (cijfer over 2024, coronaperiode): of Twente en de rest van Nederland echt "
        "verschillen, is niet te zeggen. De bron zegt niet hoe zeker de cijfers zijn.",
        "Good perceived health (figure for 2024, corona period): whether Twente and the rest of the Netherlands "
        "really differ cannot be said. The source does not say how certain the figures are.",
    ),
    Spec(
        "not_comparable",
        {"verdict": "not_comparable", "difference": None, "relative_difference": None, "basis": "none"},
        "Gemiddeld gestandaardiseerd inkomen (cijfer over 2021): de stedelijke kernen en de plattelandsgemeenten zijn "
        "niet te vergelijken. De cijfers zijn verschillend gemaakt.",
        "Mean standardised income (figure for 2021): the urban cores and the rural municipalities are not comparable. "
        "The figures were made in different ways.",
    ),
    Spec(
        "one side missing",
        NO_VALUE,
        "Gemiddeld gestandaardiseerd inkomen (cijfer over 2021): voor de stedelijke kernen is er geen cijfer. "
        "Vergelijken kan dus niet.",
        "Mean standardised income (figure for 2021): there is no figure for the urban cores. "
        "So they cannot be compared.",
        sides=({"status": "not_published"}, {}),
    ),
    Spec(
        "both sides missing",
        NOWHERE,
        "Gemiddeld gestandaardiseerd inkomen (geen cijfer): voor de stedelijke kernen en de plattelandsgemeenten is er "
        "geen cijfer. Vergelijken kan dus niet.",
        "Mean standardised income (no figure): there is no figure for the urban cores and the rural municipalities. "
        "So they cannot be compared.",
        sides=({"status": "not_retrieved"}, {"status": "not_retrieved"}),
    ),
    Spec(
        "suppressed",
        SAID | NO_VALUE | {"region_code": "GM0183"},
        "Subjectief welzijn volgens inwoners (cijfer over 2025): voor Tubbergen is er geen cijfer (afgeschermd). "
        "Vergelijken kan dus niet.",
        "Subjective well-being according to residents (figure for 2025): there is no figure for Tubbergen "
        "(suppressed). So they cannot be compared.",
        sides=({"status": "suppressed"}, {}),
    ),
]  # fmt: skip


@pytest.mark.parametrize("spec", DIFFERENCES, ids=str)
def test_what_is_said_of_a_difference(spec: Spec) -> None:
    holds(spec, differ, sides=spec.sides)


# --- a change since the baseline

GRADED = {
    "indicator_id": HAPPY, "value": 0.7, "baseline_value": 0.6, "difference": 0.1, "difference_ci_low": 0.08,
    "difference_ci_high": 0.12, "verdict": "better",
}  # fmt: skip
VALUED = DWELLINGS | {
    "reference_period": "2025", "value": 384.2, "baseline_value": 301.4, "difference": 82.8,
    "relative_difference": 27.5, "verdict": "higher", "basis": "register", "warnings": ["nominal_prices"],
}  # fmt: skip
RELATIVE = {"quantity": "relative_to_nl", "value": -4.9, "baseline_value": -6.54, "relative_difference": None}
CLOSER = RELATIVE | {
    "indicator_id": INCOME, "region_code": "TWENTE", "difference": 1.64, "difference_ci_low": 1.44,
    "difference_ci_high": 1.84, "verdict": "better", "basis": "register",
}  # fmt: skip
WIERDEN, COUNTRY = {"region_code": "GM0189"}, {"region_code": "NL01"}

CHANGES = [
    Spec(
        "better",
        GRADED,
        "Subjectief welzijn volgens inwoners (2022 en 2025): in de stedelijke kernen aantoonbaar verbeterd. "
        "Het ging van 6,4 naar 7,3. Dat is een verschil van 0,9 punt (tussen 0,7 en 1,1).",
        "Subjective well-being according to residents (2022 and 2025): demonstrably improved in the urban cores. "
        "It went from 6.4 to 7.3. That is a difference of 0.9 points (between 0.7 and 1.1).",
    ),
    Spec(
        "worse",
        {"warnings": ["covid_period"]},
        "Goede ervaren gezondheid (2022 en 2025, coronaperiode): in de stedelijke kernen aantoonbaar verslechterd. "
        "Het ging van 67,0% naar 64,3%. Dat is een verschil van −2,8 procentpunt (tussen −4,3 en −1,2).",
        "Good perceived health (2022 and 2025, corona period): demonstrably worsened in the urban cores. "
        "It went from 67.0% to 64.3%. That is a difference of −2.8 percentage points (between −4.3 and −1.2).",
    ),
    Spec(
        "higher",
        VALUED,
        "Gemiddelde woningwaarde (2022 en 2025, niet gecorrigeerd voor prijzen): in Losser aantoonbaar gestegen. "
        "Het ging van 301 naar 384. Dat is een verschil van 83 duizend euro per woning.",
        "Mean dwelling value (2022 and 2025, not corrected for prices): demonstrably risen in Losser. "
        "It went from 301 to 384. That is a difference of 83 thousand euros per dwelling.",
    ),
    Spec(
        "lower",
        VALUED | {"value": 301.4, "baseline_value": 384.2, "difference": -82.8, "verdict": "lower"},
        "Gemiddelde woningwaarde (2022 en 2025, niet gecorrigeerd voor prijzen): in Losser aantoonbaar gedaald. "
        "Het ging van 384 naar 301. Dat is een verschil van −83 duizend euro per woning.",
        "Mean dwelling value (2022 and 2025, not corrected for prices): demonstrably fallen in Losser. "
        "It went from 384 to 301. That is a difference of −83 thousand euros per dwelling.",
    ),
    Spec(
        "higher, of whole percentages that are published so",
        {"indicator_id": "owner_occupied_dwellings", "region_code": "GM0153", "value": 63.0, "baseline_value": 60.0}
        | {"difference": 3.0, "verdict": "higher", "basis": "register", "warnings": ["whole_percent"]},
        "Koopwoningen (2022 en 2025): in Enschede aantoonbaar gestegen. Het ging van 60% naar 63%. "
        "Dat is een verschil van 3,0 procentpunt.",
        "Owner-occupied dwellings (2022 and 2025): demonstrably risen in Enschede. It went from 60% to 63%. "
        "That is a difference of 3.0 percentage points.",
    ),
    Spec(
        "no_demonstrable_difference",
        {"difference_ci_high": 0.4, "verdict": "no_demonstrable_difference"},
        "Goede ervaren gezondheid (2022 en 2025): in de stedelijke kernen geen aantoonbare verandering. We vinden een "
        "verschil van −2,8 procentpunt (tussen −4,3 en 0,4). Dat kan toeval of afronding zijn.",
        "Good perceived health (2022 and 2025): no demonstrable change in the urban cores. We find a difference of "
        "−2.8 percentage points (between −4.3 and 0.4). That may be chance or rounding.",
    ),
    Spec(
        "no_demonstrable_difference, as many are compared",
        ONE_OF_MANY,
        "Goede ervaren gezondheid (2022 en 2025): in de stedelijke kernen geen aantoonbare verandering. We vinden een "
        "verschil van −2,8 procentpunt (tussen −4,3 en −1,2). Wij vergelijken veel cijfers tegelijk. Dan is dit niet "
        "zeker genoeg.",
        "Good perceived health (2022 and 2025): no demonstrable change in the urban cores. We find a difference of "
        "−2.8 percentage points (between −4.3 and −1.2). We compare many figures at once. Then this is not certain "
        "enough.",
    ),
    Spec(
        "not_decidable, without a margin",
        {"verdict": "not_decidable", "basis": "none", "warnings": ["no_margin"]},
        "Goede ervaren gezondheid (2022 en 2025): of er in de stedelijke kernen echt iets is veranderd, is niet te "
        "zeggen. De bron zegt niet hoe zeker de cijfers zijn.",
        "Good perceived health (2022 and 2025): whether anything really changed in the urban cores cannot be said. "
        "The source does not say how certain the figures are.",
    ),
    Spec(
        "not_decidable, provisional",
        {"indicator_id": INCOME, "region_code": "NL01", "verdict": "not_decidable", "basis": "none"},
        "Gemiddeld gestandaardiseerd inkomen (2022 en 2025, voorlopig): of er in Nederland echt iets is veranderd, is "
        "niet te zeggen. Een van de cijfers is voorlopig. De bron kan het nog aanpassen.",
        "Mean standardised income (2022 and 2025, provisional): whether anything really changed in the Netherlands "
        "cannot be said. One of the figures is provisional. The source may still change it.",
        sides=({}, {"status": "provisional"}),
    ),
    Spec(
        "not_decidable, estimated",
        {"indicator_id": HAPPY, "region_code": "GM0183", "verdict": "not_decidable", "basis": "none"},
        "Subjectief welzijn volgens inwoners (2022 en 2025, voorlopig, geschat): of er in Tubbergen echt iets is "
        "veranderd, is niet te zeggen. Een van de cijfers is geschat.",
        "Subjective well-being according to residents (2022 and 2025, provisional, estimated): whether anything "
        "really changed in Tubbergen cannot be said. One of the figures is estimated.",
        sides=({"status": "provisional"}, {"status": "estimated", "n": 40, "indicator_id": HAPPY}),
    ),
    Spec(
        "not_decidable, of figures that are settled",
        {"verdict": "not_decidable", "basis": "none"},
        "Goede ervaren gezondheid (2022 en 2025): of er in de stedelijke kernen echt iets is veranderd, is niet te "
        "zeggen. Wij weten niet hoe zeker het verschil is.",
        "Good perceived health (2022 and 2025): whether anything really changed in the urban cores cannot be said. "
        "We do not know how certain the difference is.",
    ),
    Spec(
        "no_new_measurement",
        {"verdict": "no_new_measurement", "difference": 0.0, "reference_period": "2022"},
        "Goede ervaren gezondheid: voor de stedelijke kernen is er geen nieuw cijfer in deze editie.",
        "Good perceived health: there is no new figure in this edition for the urban cores.",
    ),
    Spec(
        "no_new_measurement, as one of the figures is estimated",
        {"verdict": "no_new_measurement", "indicator_id": HAPPY, "region_code": "GM0183"},
        "Subjectief welzijn volgens inwoners: voor Tubbergen is er geen nieuw cijfer in deze editie. "
        "Een van de twee cijfers is geschat. Daarmee meten wij geen verandering.",
        "Subjective well-being according to residents: there is no new figure in this edition for Tubbergen. "
        "One of the two figures is estimated. With it we measure no change.",
        sides=({"status": "estimated"}, {"measurement_year": 2025}),
    ),
    Spec(
        "no_new_measurement, as both figures are estimated",
        {"verdict": "no_new_measurement", "indicator_id": HAPPY, "region_code": "GM0183"},
        "Subjectief welzijn volgens inwoners: voor Tubbergen is er geen nieuw cijfer in deze editie. "
        "Beide cijfers zijn geschat. Daarmee meten wij geen verandering.",
        "Subjective well-being according to residents: there is no new figure in this edition for Tubbergen. "
        "Both figures are estimated. With them we measure no change.",
        sides=({"status": "estimated"}, {"measurement_year": 2025, "status": "estimated"}),
    ),
    Spec(
        "no_new_measurement, of an estimated figure that is used once more",
        {"verdict": "no_new_measurement", "indicator_id": HAPPY, "region_code": "GM0183", "reference_period": "2022"},
        "Subjectief welzijn volgens inwoners: voor Tubbergen is er geen nieuw cijfer in deze editie.",
        "Subjective well-being according to residents: there is no new figure in this edition for Tubbergen.",
        sides=({"status": "estimated"}, {"measurement_year": 2025, "status": "estimated"}),
    ),
    Spec(
        "not_comparable",
        {"verdict": "not_comparable", "difference": None, "relative_difference": None, "basis": "none"},
        "Goede ervaren gezondheid (2022 en 2025): de cijfers van de stedelijke kernen zijn niet te vergelijken. "
        "Ze zijn verschillend gemaakt.",
        "Good perceived health (2022 and 2025): the figures of the urban cores are not comparable. "
        "They were made in different ways.",
    ),
    Spec(
        "missing",
        {"baseline_value": None, "difference": None, "verdict": "not_decidable", "basis": "none"},
        "Goede ervaren gezondheid: voor de stedelijke kernen is er niet van beide jaren een cijfer. "
        "Over een verandering is dus niets te zeggen.",
        "Good perceived health: there are not figures of both years for the urban cores. "
        "So nothing can be said about a change.",
        sides=({"value": None}, {}),
    ),
    Spec(
        "better, relative to the country",
        CLOSER,
        "Gemiddeld gestandaardiseerd inkomen, vergeleken met Nederland (2022 en 2025): in Twente aantoonbaar "
        "verbeterd. Het ging van 6,5% onder Nederland naar 4,9% onder Nederland. Dat is een verschil van 1,6 "
        "procentpunt.",
        "Mean standardised income, compared with the Netherlands (2022 and 2025): demonstrably improved in Twente. "
        "It went from 6.5% below the Netherlands to 4.9% below the Netherlands. That is a difference of 1.6 percentage "
        "points.",
    ),
    Spec(
        "worse, of a score relative to the country: in per cent, not in grades",
        RELATIVE | GRADED | {"value": -3.2, "baseline_value": 1.1, "difference": -4.3, "difference_ci_low": -8.1}
        | {"difference_ci_high": -0.5, "verdict": "worse"},
        "Subjectief welzijn volgens inwoners, vergeleken met Nederland (2022 en 2025): in de stedelijke kernen "
        "aantoonbaar verslechterd. Het ging van 1,1% boven Nederland naar 3,2% onder Nederland. Dat is een verschil "
        "van −4,3 procentpunt (tussen −8,1 en −0,5).",
        "Subjective well-being according to residents, compared with the Netherlands (2022 and 2025): demonstrably "
        "worsened in the urban cores. It went from 1.1% above the Netherlands to 3.2% below the Netherlands. That is "
        "a difference of −4.3 percentage points (between −8.1 and −0.5).",
    ),
    Spec(
        "better, relative to the country: nought has no direction",
        CLOSER | {"baseline_value": -0.04, "value": 2.4, "difference": 2.44},
        "Gemiddeld gestandaardiseerd inkomen, vergeleken met Nederland (2022 en 2025): in Twente aantoonbaar "
        "verbeterd. Het ging van ongeveer gelijk aan Nederland naar 2,4% boven Nederland. Dat is een verschil van 2,4 "
        "procentpunt.",
        "Mean standardised income, compared with the Netherlands (2022 and 2025): demonstrably improved in Twente. "
        "It went from about level with the Netherlands to 2.4% above the Netherlands. That is a difference of 2.4 "
        "percentage points.",
    ),
    Spec(
        "missing, relative to the country",
        RELATIVE | {"value": None, "difference": None, "verdict": "not_decidable", "region_code": "GM0189"},
        "Goede ervaren gezondheid, vergeleken met Nederland: voor Wierden is er niet van beide jaren een cijfer. "
        "Over een verandering is dus niets te zeggen.",
        "Good perceived health, compared with the Netherlands: there are not figures of both years for Wierden. "
        "So nothing can be said about a change.",
        sides=(WIERDEN, COUNTRY, WIERDEN | {"value": None}, COUNTRY | {"value": None}),
    ),
    Spec(
        "missing for the country, relative to the country",
        RELATIVE | {"value": None, "difference": None, "verdict": "not_decidable", "region_code": "GM0189"},
        "Goede ervaren gezondheid, vergeleken met Nederland: voor Nederland is er niet van beide jaren een cijfer. "
        "Over een verandering is dus niets te zeggen.",
        "Good perceived health, compared with the Netherlands: there are not figures of both years for the "
        "Netherlands. So nothing can be said about a change.",
        sides=(WIERDEN, COUNTRY, WIERDEN, COUNTRY | {"value": None}),
    ),
]  # fmt: skip


@pytest.mark.parametrize("spec", CHANGES, ids=str)
def test_what_is_said_of_a_change(spec: Spec) -> None:
    holds(spec, change, sides=spec.sides)


@pytest.mark.parametrize("said", [differ, change])
@pytest.mark.parametrize(
    ("low", "high", "adjusted", "many"),
    [
        (0.1, 2.7, 0.05, True),
        (-2.7, -0.1, 0.3, True),
        (0.1, 2.7, 0.0499, False),
        (0.0, 2.7, 0.3, False),
        (-2.7, 0.0, 0.3, False),
        (-0.1, 2.7, 0.3, False),
        (0.1, 2.7, None, False),
        (None, None, 0.3, False),
    ],
)
def test_only_where_the_margin_leaves_nought_out_the_comparing_of_many_is_why_it_is_not_sure(
    said: Callable[..., Said], low: float | None, high: float | None, adjusted: float | None, *, many: bool
) -> None:
    row = {"indicator_id": HEALTH, "difference_ci_low": low, "difference_ci_high": high, "p_value_adjusted": adjusted}
    for language, (of_many, chance) in UNSURE_AS.items():
        for verdict in VERDICTS if said is change else [v for v in VERDICTS if v != "no_new_measurement"]:
            sentence = said(language=language, **row, verdict=verdict).sentence
            unsure = verdict == "no_demonstrable_difference"
            assert sentence.endswith(f" {of_many}") == (unsure and many)
            assert sentence.endswith(f" {chance}") == (unsure and not many)


def test_every_verdict_on_a_change_or_difference_is_in_the_table_above() -> None:
    of_changes = {(CHANGE | spec.changed)["verdict"] for spec in CHANGES}
    of_differences = {(COMPARISON | spec.changed)["verdict"] for spec in DIFFERENCES}
    assert of_changes == set(VERDICTS)
    # Two areas are of the same year: there is always a new measurement or none for both.
    assert of_differences == set(VERDICTS) - {"no_new_measurement"}


# --- one figure

OWNED = {"indicator_id": "owner_occupied_dwellings", "value": 60.0, "warnings": ["whole_percent"]}

VALUES = [
    Spec(
        "with margin, answers and status",
        {"ci_low": 0.578, "ci_high": 0.622, "n": 1204, "status": "estimated", "warnings": ["small_n", "synthetic"]},
        "Verzonnen voorbeeld: Subjectief welzijn volgens inwoners (rapportcijfer van 1 tot 10, cijfer over 2025, "
        "geschat, weinig antwoorden): Enschede 6,4 (tussen 6,2 en 6,6; 1.204 antwoorden).",
        "Invented example: Subjective well-being according to residents (report grade from 1 to 10, figure for 2025, "
        "estimated, few answers): Enschede 6.4 (between 6.2 and 6.6; 1,204 answers).",
    ),
    Spec(
        "one answer",
        {"n": 1},
        "Subjectief welzijn volgens inwoners (rapportcijfer van 1 tot 10, cijfer over 2025): Enschede 6,4 "
        "(1 antwoord).",
        "Subjective well-being according to residents (report grade from 1 to 10, figure for 2025): Enschede 6.4 "
        "(1 answer).",
    ),
    Spec(
        "of a register, provisional and older",
        {"indicator_id": INCOME, "region_code": "RURAL", "reference_period": "2024", "value": 43.72}
        | {"status": "provisional", "warnings": ["carried_forward"]},
        "Gemiddeld gestandaardiseerd inkomen (duizend euro per huishouden, cijfer over 2024, voorlopig, ouder "
        "cijfer): de plattelandsgemeenten 43,7.",
        "Mean standardised income (thousand euros per household, figure for 2024, provisional, older figure): the "
        "rural municipalities 43.7.",
    ),
    Spec(
        "a large number",
        {"indicator_id": "population", "region_code": "NL01", "value": 18_044_027.0},
        "Inwoners (inwoners, cijfer over 2025): Nederland 18.044.027.",
        "Population (persons, figure for 2025): the Netherlands 18,044,027.",
    ),
    Spec(
        "a whole percentage of a municipality, as it is published",
        OWNED,
        "Koopwoningen (procent van de woningen, cijfer over 2025): Enschede 60.",
        "Owner-occupied dwellings (per cent of dwellings, figure for 2025): Enschede 60.",
    ),
    Spec(
        "a whole percentage of the country, as it is published",
        OWNED | {"region_code": "NL01"},
        "Koopwoningen (procent van de woningen, cijfer over 2025): Nederland 60.",
        "Owner-occupied dwellings (per cent of dwellings, figure for 2025): the Netherlands 60.",
    ),
    Spec(
        "a percentage of a group that happens to be whole",
        OWNED | {"region_code": "TWENTE"},
        "Koopwoningen (procent van de woningen, cijfer over 2025): Twente 60,0.",
        "Owner-occupied dwellings (per cent of dwellings, figure for 2025): Twente 60.0.",
    ),
    Spec(
        "a whole percentage whose publisher gives decimals",
        OWNED | {"warnings": []},
        "Koopwoningen (procent van de woningen, cijfer over 2025): Enschede 60,0.",
        "Owner-occupied dwellings (per cent of dwellings, figure for 2025): Enschede 60.0.",
    ),
    Spec(
        "a percentage that is not whole in spite of its publisher",
        OWNED | {"value": 60.4},
        "Koopwoningen (procent van de woningen, cijfer over 2025): Enschede 60,4.",
        "Owner-occupied dwellings (per cent of dwellings, figure for 2025): Enschede 60.4.",
    ),
]  # fmt: skip
MISSING = {
    "not_measured": ("niet gemeten). Dit jaar is niet gemeten.", "not measured). Nothing was measured this year."),
    "not_published": (
        "niet gepubliceerd). De bron geeft dit cijfer niet.",
        "not published). The source does not give this figure.",
    ),
    "not_retrieved": (
        "nog niet opgehaald). De bron heeft dit cijfer; wij hebben het nog niet opgehaald.",
        "not yet retrieved). The source has this figure; we have not retrieved it yet.",
    ),
    "suppressed": (
        "afgeschermd). Verborgen, zodat niemand herkenbaar is.",
        "suppressed). Hidden, so that nobody can be recognised.",
    ),
    "not_applicable": (
        "niet van toepassing). Dit cijfer bestaat hier niet.",
        "not applicable). This figure does not exist here.",
    ),
}


@pytest.mark.parametrize("spec", VALUES, ids=str)
def test_what_is_said_of_one_figure(spec: Spec) -> None:
    holds(spec, value)


@pytest.mark.parametrize("status", MISSING)
def test_why_there_is_no_figure_is_said(status: str) -> None:
    gone = {"status": status, "value": None, "reference_period": None, "region_code": "URBAN_CORE"}
    dutch, english = MISSING[status]
    assert value("nl", **gone).sentence == (
        f"Subjectief welzijn volgens inwoners (2025): voor de stedelijke kernen is er geen cijfer ({dutch}"
    )
    assert value("en", **gone).sentence == (
        f"Subjective well-being according to residents (2025): there is no figure for the urban cores ({english}"
    )


def test_every_status_without_a_figure_is_in_the_table_above() -> None:
    assert set(CATALOGUE.vocabulary["status"]) - {"definitive", "provisional", "estimated"} == set(MISSING)


def test_whole_percentages_stand_beside_those_of_groups_as_each_is_published() -> None:
    row = {"indicator_id": "owner_occupied_dwellings", "region_code": "GM0153", "comparator_code": "TWENTE"}
    numbers = {"value": 60.0, "comparator_value": 61.0, "difference": -1.0, "relative_difference": -1.6}
    sides = tuple(
        {"region_code": code, "value": figure, "warnings": ["whole_percent"]}
        for code, figure in (("GM0153", 60.0), ("TWENTE", 61.0))
    )
    assert "): Enschede 60, Twente 61,0 procent van de woningen. Verschil −1,0" in say(sides, **row | numbers)
    assert (
        "): Enschede 60, Twente 61.0 per cent of dwellings. Difference −1.0"
        in figures(sides, "en", **row | numbers).sentence
    )


# --- how a difference between two groups moved

MOVED = "Goede ervaren gezondheid: vergeleken met de plattelandsgemeenten is het in de stedelijke kernen sinds 2022"
HAS_MOVED = "Good perceived health: compared with the rural municipalities, it has"
BETWEEN = "het verschil tussen de stedelijke kernen en de plattelandsgemeenten"
BETWEEN_THEM = "the difference between the urban cores and the rural municipalities"
UPWARDS = {"estimate": 6.24, "ci_low": 0.43, "ci_high": 11.97}
NOT_MOVED = {"estimate": None, "ci_low": None, "ci_high": None, "basis": "none"}

MOVEMENTS = [
    Spec(
        "better",
        UPWARDS | {"verdict": "better"},
        f"{MOVED} aantoonbaar verbeterd. Het verschil is sinds toen veranderd met 6,2 procentpunt "
        "(tussen 0,4 en 12,0).",
        f"{HAS_MOVED} demonstrably improved in the urban cores since 2022. "
        "The difference changed by 6.2 percentage points (between 0.4 and 12.0).",
    ),
    Spec(
        "worse",
        {},
        f"{MOVED} aantoonbaar verslechterd. Het verschil is sinds toen veranderd met −6,2 procentpunt "
        "(tussen −12,0 en −0,4).",
        f"{HAS_MOVED} demonstrably worsened in the urban cores since 2022. "
        "The difference changed by −6.2 percentage points (between −12.0 and −0.4).",
    ),
    Spec(
        "higher, of an amount from a register",
        {"indicator_id": VALUE, "estimate": 16.9, "ci_low": 14.9, "ci_high": 18.9, "verdict": "higher"}
        | {"basis": "register"},
        "Gemiddelde woningwaarde: vergeleken met de plattelandsgemeenten is het in de stedelijke kernen sinds 2022 "
        "aantoonbaar gestegen. Het verschil is sinds toen veranderd met 17 duizend euro per woning.",
        "Mean dwelling value: compared with the rural municipalities, it has demonstrably risen in the urban cores "
        "since 2022. The difference changed by 17 thousand euros per dwelling.",
    ),
    Spec(
        "lower, of a score: in grades",
        {"indicator_id": HAPPY, "estimate": -0.02, "ci_low": -0.03, "ci_high": -0.01, "verdict": "lower"},
        "Subjectief welzijn volgens inwoners: vergeleken met de plattelandsgemeenten is het in de stedelijke kernen "
        "sinds 2022 aantoonbaar gedaald. Het verschil is sinds toen veranderd met −0,2 punt (tussen −0,3 en −0,1).",
        "Subjective well-being according to residents: compared with the rural municipalities, it has demonstrably "
        "fallen in the urban cores since 2022. The difference changed by −0.2 points (between −0.3 and −0.1).",
    ),
    Spec(
        "higher, of an amount of which the relative difference is followed: in points",
        {"indicator_id": VALUE, "quantity": "relative_difference", "estimate": 2.83, "ci_low": 2.32, "ci_high": 3.34}
        | {"verdict": "higher", "basis": "register"},
        "Gemiddelde woningwaarde: vergeleken met de plattelandsgemeenten is het in de stedelijke kernen sinds 2022 "
        "aantoonbaar gestegen. Het verschil is sinds toen veranderd met 2,8 procentpunt.",
        "Mean dwelling value: compared with the rural municipalities, it has demonstrably risen in the urban cores "
        "since 2022. The difference changed by 2.8 percentage points.",
    ),
    Spec(
        "worse, of a score relative to another: in points, not in grades",
        {"indicator_id": HAPPY, "quantity": "relative_difference"},
        "Subjectief welzijn volgens inwoners: vergeleken met de plattelandsgemeenten is het in de stedelijke kernen "
        "sinds 2022 aantoonbaar verslechterd. Het verschil is sinds toen veranderd met −6,2 procentpunt "
        "(tussen −12,0 en −0,4).",
        "Subjective well-being according to residents: compared with the rural municipalities, it has demonstrably "
        "worsened in the urban cores since 2022. The difference changed by −6.2 percentage points (between −12.0 and "
        "−0.4).",
    ),
    Spec(
        "no_demonstrable_difference",
        {"ci_high": 0.4, "verdict": "no_demonstrable_difference"},
        f"Goede ervaren gezondheid: in {BETWEEN} is er geen aantoonbare verandering sinds 2022.",
        f"Good perceived health: there is no demonstrable change in {BETWEEN_THEM} since 2022.",
    ),
    Spec(
        "not_decidable",
        NOT_MOVED | {"verdict": "not_decidable", "warnings": ["synthetic"]},
        f"Verzonnen voorbeeld: Goede ervaren gezondheid: of {BETWEEN} sinds 2022 is veranderd, is niet te zeggen.",
        f"Invented example: Good perceived health: whether {BETWEEN_THEM} changed since 2022 cannot be said.",
    ),
    Spec(
        "no_new_measurement",
        NOT_MOVED | {"estimate": 0.0, "verdict": "no_new_measurement"},
        f"Goede ervaren gezondheid: voor {BETWEEN} is er geen nieuw cijfer in deze editie.",
        f"Good perceived health: there is no new figure in this edition for {BETWEEN_THEM}.",
    ),
    Spec(
        "not_comparable",
        NOT_MOVED | {"verdict": "not_comparable"},
        f"Goede ervaren gezondheid: {BETWEEN} is met 2022 niet te vergelijken.",
        f"Good perceived health: {BETWEEN_THEM} is not comparable with 2022.",
    ),
]  # fmt: skip


@pytest.mark.parametrize("spec", MOVEMENTS, ids=str)
def test_what_is_said_of_how_a_difference_moved(spec: Spec) -> None:
    holds(spec, movement)


def test_every_verdict_on_a_movement_is_in_the_table_above() -> None:
    assert {(MOVEMENT | spec.changed)["verdict"] for spec in MOVEMENTS} == set(VERDICTS)


# --- places

OF_PROGRAMME = ("programme_line", "target", "target_progress", "policy_indicator", "budget_progress")
INPUTS = ("indicator_value", "comparison", "change", "trend", "sensitivity", "framework_element", *OF_PROGRAMME)
EMPTY = {name: pl.DataFrame(schema=CATALOGUE.registry[name].polars_schema) for name in INPUTS}
ELEMENTS = pl.DataFrame(
    [{"framework": framework, "element_id": INCOME, "level": 1} for framework in ("btg", "cbs")],
).join(EMPTY["framework_element"], on=["framework", "element_id", "level"], how="left")
PLACE_OF_ENSCHEDE = {
    "measurement_year": 2025,
    "framework": "cbs",
    "theme_id": "cbs_overall",
    "region_code": "GM0153",
    "among": "region",
} | RANK
SCORE_OF = {
    "nl": "Totaalscore brede welvaart volgens officiële cijfers (2025)",
    "en": "Overall score of broad welfare by official figures (2025)",
}


def places(*rows: dict[str, Any], language: str = "nl", **changed: object) -> dict[str, str]:
    """What the table `claim` says of rows of `sensitivity`; what is not given is that of Enschede, official, 2025."""
    listed = [PLACE_OF_ENSCHEDE | changed | row for row in rows or ({},)]
    ranks = pl.DataFrame(listed, schema_overrides=EMPTY["sensitivity"].schema)
    said = claims(EMPTY | {"sensitivity": ranks, "framework_element": ELEMENTS}, CATALOGUE).filter(language=language)
    assert said["claim_id"].str.starts_with("rank:2025:cbs:").all()
    return dict(zip(said["claim_id"].str.slice(-6), said["sentence"], strict=True))


def test_a_place_is_said_with_its_range() -> None:
    almelo = {"region_code": "GM0141", "rank": 11, "rank_low": 7, "rank_high": 11}
    dutch, english = (places({}, almelo, language=language) for language in LANGUAGES)
    otherwise = "(1 is het gunstigst). Dat is met andere rekenwijzen en een andere steekproef meestal"
    assert dutch["GM0141"] == f"{SCORE_OF['nl']}: Almelo staat op plaats 11 van 14 {otherwise} plaats 7 tot 11."
    assert dutch["GM0153"] == f"{SCORE_OF['nl']}: Enschede staat op plaats 12 van 14 {otherwise} plaats 9 tot 14."
    assert dutch["GM0164"] == f"{SCORE_OF['nl']}: voor Hengelo is er geen plaats."
    assert english["GM0141"] == (
        f"{SCORE_OF['en']}: Almelo ranks 11 of 14 (1 is the most favourable). "
        "Mostly that is place 7 to 11 with other ways of computing and another sample."
    )
    assert english["GM0153"] == (
        f"{SCORE_OF['en']}: Enschede ranks 12 of 14 (1 is the most favourable). "
        "Mostly that is place 9 to 14 with other ways of computing and another sample."
    )
    assert english["GM0164"] == f"{SCORE_OF['en']}: there is no place for Hengelo."
    assert set(dutch) == set(english) == set(REGION.municipalities)


@pytest.mark.parametrize(
    ("ends", "said", "english"),
    [
        (
            (12, 12),
            "(1 is het gunstigst). Ook met andere rekenwijzen en een andere steekproef blijft dat bijna altijd zo.",
            " That nearly always stays so, also with other ways of computing and another sample.",
        ),
        (
            (11, 11),
            " Dat is met andere rekenwijzen en een andere steekproef meestal plaats 11.",
            " Mostly that is place 11 with other ways of computing and another sample.",
        ),
        (
            (8, 11),
            " Dat is met andere rekenwijzen en een andere steekproef meestal plaats 8 tot 11.",
            " Mostly that is place 8 to 11 with other ways of computing and another sample.",
        ),
    ],
)
def test_a_range_of_one_place_or_beside_the_place_is_said_as_it_is(
    ends: tuple[int, int], said: str, english: str
) -> None:
    range_of = {"rank_low": ends[0], "rank_high": ends[1]}
    assert rank("nl", **range_of).sentence.endswith(said)
    assert rank("en", **range_of).sentence.endswith(english)
    assert ": Enschede ranks 12 of 14 (1 is the most favourable)." in rank("en", **range_of).sentence


def test_a_score_says_of_how_many_figures_it_is_made_and_what_they_are() -> None:
    known, estimated, missing = {"value": 1.0}, {"value": 1.0, "status": "estimated"}, {"value": None}
    assert rank("nl", figures=[known, missing, missing]).sentence.endswith("De score rust op 1 van de 3 indicatoren.")
    assert rank("en", figures=[known, missing, missing]).sentence.endswith("The score rests on 1 of the 3 indicators.")
    assert "rust op" not in rank("nl", figures=[known, known]).sentence
    assert "(2025, geschat):" in rank("nl", figures=[known, estimated]).sentence
    assert "(2025):" in rank("nl", figures=[known, missing | {"status": "estimated"}]).sentence


def test_where_the_uncertainty_of_figures_is_unknown_the_range_says_so() -> None:
    assert rank("nl", warnings=["no_margin"]).sentence.endswith(
        " Dat is met andere rekenwijzen meestal plaats 9 tot 14. Het kan ook nog anders zijn. "
        "Van een deel van de cijfers weten wij niet hoe zeker ze zijn."
    )
    assert rank("en", warnings=["no_margin"]).sentence.endswith(
        " Mostly that is place 9 to 14 with other ways of computing. It may also be something else. "
        "Of some figures we do not know how certain they are."
    )


@pytest.mark.parametrize("gone", ["rank", "rank_low", "rank_high"])
def test_no_place_is_said_without_its_range(gone: str) -> None:
    said = places({}, {"region_code": "GM0141", gone: None})
    assert said["GM0141"].endswith(": voor Almelo is er geen plaats.")
    assert places(**{gone: None}) == {}


def test_places_of_another_year_framework_theme_or_ranking_are_not_said() -> None:
    assert places()
    assert places(measurement_year=2024) == {}
    assert places(theme_id="cbs_health") == {}
    assert places(framework="btg") == {}, "the theme of another framework"
    assert places(among="country", rank_of=342) == {}
    assert claims(EMPTY | {"framework_element": ELEMENTS}, CATALOGUE).is_empty()


def test_a_made_up_figure_of_any_municipality_marks_every_place() -> None:
    other = {"region_code": "GM0147", "rank": 1, "rank_low": 1, "rank_high": 4, "warnings": ["synthetic"]}
    for language in LANGUAGES:
        said = places({}, other, language=language)
        assert len(said) == len(REGION.municipalities)
        assert all(sentence.startswith(f"{STAMP[language]}{SCORE_OF[language][:5]}") for sentence in said.values())


def test_what_a_score_is_worth_is_said_and_no_cause() -> None:
    enschede = places(warnings=["unusual_change", "carried_forward"])["GM0153"]
    assert "(2025, ouder cijfer, opvallende verandering): Enschede staat op plaats 12 van 14" in enschede
    assert words_of(enschede).isdisjoint(CAUSES["nl"] | DIRECTIONS["nl"])


# --- summaries

COUNTED = [
    *("better", "better", "worse", "no_demonstrable_difference", "no_demonstrable_difference"),
    *("not_decidable", "not_comparable", "higher"),
]


def test_how_many_indicators_differ_is_counted() -> None:
    rows = [COMPARISON | {"verdict": verdict} for verdict in COUNTED]
    assert sentences.count_difference_claim(rows, WORDS["nl"]).sentence == (
        "De stedelijke kernen en de plattelandsgemeenten: we vergelijken 8 indicatoren (meetjaar 2022). "
        "Bij 2 is het in de stedelijke kernen aantoonbaar beter. Bij 1 is het in de stedelijke kernen aantoonbaar "
        "slechter. Bij 1 is het in de stedelijke kernen aantoonbaar hoger. Bij 2 is er geen aantoonbaar verschil. "
        "Bij 1 is het niet te zeggen. Bij 1 is het niet te vergelijken."
    )
    rows[0] |= {"warnings": ["synthetic"]}
    assert sentences.count_difference_claim(rows, WORDS["en"]).sentence == (
        "Invented example: The urban cores and the rural municipalities: we compare 8 indicators (measurement year "
        "2022). For 2 it is demonstrably better in the urban cores. For 1 it is demonstrably worse in the urban "
        "cores. For 1 it is demonstrably higher in the urban cores. For 2 there is no demonstrable difference. For 1 "
        "this cannot be said. For 1 it is not comparable."
    )


def test_figures_that_are_missing_are_counted_apart_from_what_cannot_be_said() -> None:
    gone = [{"value": None}, {"comparator_value": None}, {"value": None, "comparator_value": None}, {}]
    rows = [COMPARISON | {"verdict": "not_decidable"} | changed for changed in gone]
    assert sentences.count_difference_claim(rows, WORDS["nl"]).sentence == (
        "De stedelijke kernen en de plattelandsgemeenten: we vergelijken 4 indicatoren (meetjaar 2022). "
        "Bij 1 is het niet te zeggen. Bij 3 ontbreekt een cijfer."
    )
    assert sentences.count_difference_claim(rows[:3], WORDS["en"]).sentence == (
        "The urban cores and the rural municipalities: we compare 3 indicators (measurement year 2022). "
        "For 3 a figure is missing."
    )
    since = [{"value": None}, {"baseline_value": None}, {"verdict": "no_new_measurement"}, {}]
    moved = [CHANGE | {"verdict": "not_decidable"} | changed for changed in since]
    assert sentences.count_change_claim(moved, WORDS["nl"]).sentence == (
        "De stedelijke kernen: we vergelijken 4 indicatoren met 2022. Bij 1 is het niet te zeggen. "
        "Bij 1 is er geen nieuw cijfer in deze editie. Bij 2 ontbreekt een cijfer."
    )
    assert sentences.count_change_claim(moved, WORDS["en"]).sentence == (
        "The urban cores: we compare 4 indicators with 2022. For 1 this cannot be said. "
        "For 1 there is no new figure in this edition. For 2 a figure is missing."
    )


def test_how_many_indicators_changed_is_counted() -> None:
    verdicts = ["lower", "no_new_measurement", "no_new_measurement", "better", "no_demonstrable_difference"]
    rows = [CHANGE | {"verdict": verdict, "region_code": "GM0153"} for verdict in [*verdicts, "not_comparable"]]
    assert sentences.count_change_claim(rows, WORDS["nl"]).sentence == (
        "Enschede: we vergelijken 6 indicatoren met 2022. Bij 1 is het aantoonbaar verbeterd. "
        "Bij 1 is het aantoonbaar gedaald. Bij 1 is er geen aantoonbare verandering. "
        "Bij 2 is er geen nieuw cijfer in deze editie. Bij 1 is het niet te vergelijken."
    )
    assert sentences.count_change_claim(rows, WORDS["en"]).sentence == (
        "Enschede: we compare 6 indicators with 2022. For 1 it has demonstrably improved. "
        "For 1 it has demonstrably fallen. For 1 there is no demonstrable change. "
        "For 2 there is no new figure in this edition. For 1 it is not comparable."
    )


def test_how_many_figures_are_missing_older_or_invented_is_counted() -> None:
    older, invented = {"warnings": ["carried_forward"]}, {"warnings": ["synthetic"]}
    rows = [VALUE_ROW | more for more in ({}, {}, older, older, invented, {"value": None}, older | {"value": None})]
    real = [row for row in rows if row["warnings"] != ["synthetic"]]
    assert sentences.count_value_claim(rows, WORDS["nl"]).sentence == (
        "Enschede: van 7 indicatoren is er bij 2 geen cijfer over 2025. Bij 2 is het cijfer van een eerder jaar en al "
        "eerder gebruikt. Bij 1 is het cijfer verzonnen, als voorbeeld."
    )
    assert sentences.count_value_claim(rows, WORDS["en"]).sentence == (
        "Enschede: we look at 7 indicators. For 2 there is no figure for 2025. For 2 the figure is of an earlier year "
        "and was used before. For 1 the figure is invented, as an example."
    )
    assert sentences.count_value_claim(real, WORDS["nl"]).sentence == (
        "Enschede: van 6 indicatoren is er bij 2 geen cijfer over 2025. Bij 2 is het cijfer van een eerder jaar en al "
        "eerder gebruikt."
    )


@pytest.mark.parametrize(
    ("quantity", "year", "region", "said"),
    [
        ("value", 2022, "URBAN_CORE", True),
        ("value", 2025, "URBAN_CORE", True),
        ("value", 2025, "NL01", False),
        ("relative_to_nl", 2022, "NL01", True),
        ("relative_to_nl", 2025, "NL01", True),
        ("relative_to_nl", 2025, "RURAL", False),
    ],
)
def test_a_change_says_that_a_figure_it_is_made_of_is_provisional(
    quantity: str, year: int, region: str, *, said: bool
) -> None:
    values = [
        VALUE_ROW | {"indicator_id": HEALTH, "measurement_year": of_year, "region_code": code}
        | ({"status": "provisional"} if (of_year, code) == (year, region) else {})
        for of_year in (2022, 2025) for code in ("URBAN_CORE", "RURAL", "NL01")
    ]  # fmt: skip
    tables = {"indicator_value": values, "change": [CHANGE | {"quantity": quantity}]}
    given = {name: pl.DataFrame(rows, schema_overrides=EMPTY[name].schema) for name, rows in tables.items()}
    made = claims(EMPTY | given | {"framework_element": ELEMENTS}, CATALOGUE).filter(rule="change_worse")
    assert made["sentence"].str.contains("voorlopig|provisional").to_list() == [said] * len(LANGUAGES)


# --- the grammar as a whole


def every_rule() -> Iterator[str]:
    """The rule of what is said of each kind of row there can be."""
    for verdict in VERDICTS:
        if verdict != "no_new_measurement":
            yield differ(verdict=verdict).rule
        yield from (figures(verdict=verdict).rule, change(verdict=verdict).rule, movement(verdict=verdict).rule)
    yield from (said(**NOWHERE).rule for said in (differ, figures))
    yield figures(difference=None, verdict="not_comparable").rule
    yield change(value=None, verdict="not_decidable").rule
    yield from (value().rule, value(value=None, status="suppressed").rule)
    yield from (rank().rule, rank(rank_low=12, rank_high=12).rule)
    yield sentences.rank_claim(None, [], "GM0153", "cbs", WORDS["nl"], synthetic=False).rule
    yield sentences.count_difference_claim([COMPARISON], WORDS["nl"]).rule
    yield sentences.count_change_claim([CHANGE], WORDS["nl"]).rule
    for warnings in ([], ["synthetic"]):
        yield sentences.count_value_claim([VALUE_ROW | {"warnings": warnings}], WORDS["nl"]).rule


def test_every_text_of_a_claim_is_a_rule_and_every_rule_has_its_text() -> None:
    of_programme = ("claim_target", "claim_money", "claim_count_target")
    said = {key for key in texts("nl") if key.startswith("claim_") and not key.startswith(of_programme)}
    assert set(every_rule()) == {key.removeprefix("claim_") for key in said}


# --- all sentences of an edition

Tables = Callable[[str], pl.DataFrame]


@pytest.fixture(scope="module")
def tables(edition: Path) -> Tables:
    folder = edition / "editions" / "2025-draft" / "parquet"
    return cache(lambda name: pl.read_parquet(folder / f"{name}.parquet"))


@pytest.fixture(scope="module")
def said(tables: Tables) -> list[tuple[dict[str, Any], str]]:
    """Every comparison of the edition, of all years and breakdowns, with its figures; a row holds its two sides too."""
    key = ("measurement_year", "indicator_id", "breakdown")
    values = {(*(row[k] for k in key), row["region_code"]): row for row in tables("indicator_value").to_dicts()}
    rows = []
    for row in tables("comparison").to_dicts():
        sides = [values[*(row[k] for k in key), row[code]] for code in ("region_code", "comparator_code")]
        rows.append((row | {"sides": sides}, sentences.figures_claim(row, sides, of(row), WORDS["nl"]).sentence))
    return rows


def test_no_sentence_names_a_cause(said: list[tuple[dict[str, Any], str]]) -> None:
    for _, sentence in said:
        assert words_of(sentence).isdisjoint(CAUSES["nl"]), sentence


def test_no_sentence_shows_what_is_not_dutch(said: list[tuple[dict[str, Any], str]]) -> None:
    for _, sentence in said:
        assert not re.search(r"None|nan|inf\b|_|  |\d-\d|(?<![\w])-\d", sentence), sentence
        assert not re.search(r"\d\.\d{1,2}(?!\d)", sentence), f"a decimal point: {sentence}"
        assert sentence.endswith(".")


def test_every_number_in_a_sentence_is_one_of_its_row(said: list[tuple[dict[str, Any], str]]) -> None:
    for row, sentence in said:
        rest = without_nearly_nought(sentence, "nl", row)
        assert_numbers_are_cells(rest, "nl", cells_of_figures(row, row["sides"]), of(row), row["reference_period"])


def test_every_made_up_row_of_the_edition_is_said_to_be_one(said: list[tuple[dict[str, Any], str]]) -> None:
    for row, sentence in said:
        assert sentence.startswith(STAMP["nl"]) == made_up(row, *row["sides"])


def test_every_sentence_carries_the_verdict_of_its_row(said: list[tuple[dict[str, Any], str]]) -> None:
    for row, sentence in said:
        label = CATALOGUE.vocabulary["verdict"][row["verdict"]].label_nl
        assert label in sentence or "niets te zeggen" in sentence
        if row["verdict"] == "not_decidable":
            assert "aantoonbaar" not in sentence


def test_a_demonstrable_difference_is_not_shown_as_nought(said: list[tuple[dict[str, Any], str]]) -> None:
    """ "Verschil 0: aantoonbaar hoger" would make a reader doubt both."""
    for row, sentence in said:
        if row["verdict"] in DEMONSTRABLE:
            (shown,) = re.findall(r"Verschil (net onder 0|net boven 0|\S+?)[ :]", sentence)
            assert_is_on_its_side(shown, "nl", row["difference"])


def made_up(*rows: Mapping[str, Any]) -> bool:
    return any("synthetic" in row["warnings"] for row in rows)


# --- every number in a sentence: read back, and held against the cells of the row

# A cell as it is shown, and with how many decimals.
Cell = tuple[float, int]

NUMBER = {"nl": re.compile(r"−?\d{1,3}(?:\.\d{3})*(?:,\d+)?"), "en": re.compile(r"−?\d{1,3}(?:,\d{3})*(?:\.\d+)?")}


def read_back(token: str, language: str) -> tuple[float, int]:
    """A number as a reader of the language reads it, and with how many decimals it is written."""
    assert NUMBER[language].fullmatch(token), f"{token} is no number in this language"
    plain = token.replace("−", "-").replace(".", "").replace(",", ".") if language == "nl" else token.replace(",", "")
    plain = plain.replace("−", "-")
    return float(plain), len(plain.partition(".")[2])


def assert_numbers_are_cells(
    sentence: str, language: str, cells: list[Cell], indicator: Indicator | None, *periods: object
) -> None:
    """Every number in a sentence is a period or one of the cells, rounded only where it is shown."""
    rest = sentence
    if indicator is not None:
        for text in (WORDS[language].name(indicator), WORDS[language].unit(indicator)):
            rest = rest.replace(text, "")
    years = set(re.findall(r"\d+", " ".join(map(str, periods))))
    for token in re.findall(r"−?\d(?:[\d.,]*\d)?", rest):
        if token in years:
            continue
        shown, decimals = read_back(token, language)
        near = 0.5 * 10**-decimals + 1e-9
        assert any(decimals == places and abs(cell - shown) <= near for cell, places in cells), (token, sentence)


def grade_or_not(figure: float | None, indicator: Indicator) -> float | None:
    """A figure as it is shown: a score as a report grade."""
    return grades.grade(figure, SCALE) if figure is not None and indicator.unit == grades.SCORE else figure


def known(cells: list[float | None], decimals: int) -> list[Cell]:
    return [(cell, decimals) for cell in cells if cell is not None]


def decimals_of(indicator: Indicator) -> int:
    return 1 if indicator.unit == grades.SCORE else indicator.decimals


DIFFERENCE = ("difference", "difference_ci_low", "difference_ci_high")
NEARLY = {"nl": {-1: "net onder 0", 1: "net boven 0"}, "en": {-1: "just below 0", 1: "just above 0"}}


def looks_nought(figure: float, decimals: int) -> bool:
    return abs(figure) < 0.5 * 10**-decimals


def as_shown(row: Mapping[str, Any]) -> tuple[list[float], int]:
    """A difference and the ends of its margin as they are shown, and with how many decimals.

    One decimal more, and no second, where something demonstrable would look like nought. Scores differ in grades.
    """
    indicator = of(row)
    names = ("estimate", "ci_low", "ci_high") if "estimate" in row else DIFFERENCE
    in_percent = row.get("quantity") in ("relative_to_nl", "relative_difference")
    factor = grades.span(SCALE) if indicator.unit == grades.SCORE and not in_percent else 1.0
    found = [None if row[name] is None else factor * row[name] for name in names]
    with_margin = row["basis"] == "interval" and None not in found
    ends = [end for end in (found if with_margin else found[:1]) if end is not None]
    decimals = 1 if in_percent else decimals_of(indicator)
    more = row["verdict"] in DEMONSTRABLE and any(looks_nought(end, decimals) for end in ends)
    return ends, decimals + more


def without_nearly_nought(sentence: str, language: str, row: Mapping[str, Any]) -> str:
    """The sentence without `net onder 0`: said of each demonstrable figure that rounds to nought, and of no other."""
    ends, decimals = as_shown(row) if row.get("verdict") in DEMONSTRABLE else ([], 0)
    for sign, text in NEARLY[language].items():
        near = [end for end in ends if looks_nought(end, decimals) and sign * end > 0]
        assert len(re.findall(rf"\b{text}(?![,.]?\d)", sentence)) == sentence.count(text) == len(near), sentence
        sentence = sentence.replace(text, "")
    return sentence


def assert_is_on_its_side(shown: str, language: str, figure: float) -> None:
    """What is shown of a demonstrable difference is not nought, and on the same side of it."""
    nearly = {text: sign for sign, text in NEARLY[language].items()}
    assert nearly.get(shown) or shown.strip("0.,−"), shown
    assert (shown.startswith("−") or nearly.get(shown) == -1) == (figure < 0)


def cells_of_difference(row: Mapping[str, Any]) -> list[Cell]:
    """A difference and its margin; of two areas in per cent too."""
    ends, decimals = as_shown(row)
    return known([*ends], decimals) + known([row["relative_difference"] if "comparator_value" in row else None], 1)


def decimals_of_figure(row: Mapping[str, Any], figure: float | None) -> int:
    """A whole percentage is shown so where its publisher rounds: of a municipality and of the country."""
    published = {*REGION.municipalities, REGION.country_code}
    whole = "whole_percent" in row["warnings"] and row["region_code"] in published and figure == round(figure or 0)
    return 0 if whole else decimals_of(of(row))


def cells_of_value(row: Mapping[str, Any]) -> list[Cell]:
    indicator = of(row)
    ends = [grade_or_not(row[name], indicator) for name in ("value", "ci_low", "ci_high")]
    return known(ends, decimals_of_figure(row, row["value"])) + known([row["n"]], 0)


def cells_of_figures(row: Mapping[str, Any], sides: list[Mapping[str, Any]]) -> list[Cell]:
    return [*cells_of_difference(row), *(cell for side in sides for cell in cells_of_value(side))]


def cells_of_change(row: Mapping[str, Any]) -> list[Cell]:
    if row["quantity"] == "relative_to_nl":  # its figures are read by `without_country`
        return cells_of_difference(row)
    indicator, ends = of(row), [row["value"], row["baseline_value"]]
    shown = [cell for end in ends for cell in known([grade_or_not(end, indicator)], decimals_of_figure(row, end))]
    return shown + cells_of_difference(row)


BESIDE = {
    "nl": re.compile(r"(?:(\d[\d.]*,\d)% (boven|onder)|(ongeveer) gelijk aan) Nederland\b"),
    "en": re.compile(r"(?:(\d[\d,]*\.\d)% (above|below)|(about) level with) the Netherlands\b"),
}


def without_country(sentence: str, language: str, row: Mapping[str, Any]) -> str:
    """The sentence without `2,4% boven Nederland`: on its side, first the baseline's and then the present one."""
    if row.get("quantity") != "relative_to_nl" or row["verdict"] not in DEMONSTRABLE:
        assert not BESIDE[language].search(sentence), sentence
        return sentence
    found = BESIDE[language].findall(sentence)
    for (text, side, level), cell in zip(found, (row["baseline_value"], row["value"]), strict=True):
        assert bool(level) == looks_nought(cell, 1), sentence
        if not level:
            shown, decimals = read_back(text, language)
            assert decimals == 1
            assert (side in ("boven", "above")) == (cell > 0), sentence
            assert abs(abs(cell) - shown) <= 0.05 + 1e-9, sentence
    return BESIDE[language].sub("", sentence)


def cells_of_rank(row: Mapping[str, Any]) -> list[Cell]:
    return known([row[name] for name in ("rank", "rank_of", "rank_low", "rank_high")] + [1], 0)


# --- the published table


@dataclass(frozen=True)
class Claim:
    """A row of `claim` with the row it was made from and the rows of `indicator_value` that has a part in."""

    id: str
    language: str
    rule: str
    sentence: str
    table: str
    row: dict[str, Any]
    sides: list[dict[str, Any]]

    @property
    def words(self) -> Words:
        return WORDS[self.language]


def keyed(frame: pl.DataFrame, table: str) -> dict[str, dict[str, Any]]:
    key = CATALOGUE.registry[table].key
    return {"|".join(f"{column}={row[column]}" for column in key): row for row in frame.to_dicts()}


@pytest.fixture(scope="module")
def published(tables: Tables) -> pl.DataFrame:
    """The sentences on broad welfare; those on the programme have tests of their own (test_programme_claims)."""
    return tables("claim").filter(~pl.col("table_name").is_in(OF_PROGRAMME))


@pytest.fixture(scope="module")
def claimed(tables: Tables, published: pl.DataFrame) -> list[Claim]:
    """Every published sentence on one row, of a place there is too."""
    rows = {
        name: keyed(tables(name).filter(pl.col("measurement_year") == 2025), name)
        for name in ("comparison", "change", "indicator_value", "trend", "sensitivity")
    }
    totals = tables("indicator_value").filter(breakdown="total").to_dicts()
    values = {(row["measurement_year"], row["indicator_id"], row["region_code"]): row for row in totals}

    elements = tables("framework_element").filter(level=1)

    def sides_of(table: str, row: dict[str, Any]) -> list[dict[str, Any]]:
        if table == "sensitivity":
            parts = elements.filter(framework=row["framework"])["element_id"].unique().sort()
            return [values[2025, part, row["region_code"]] for part in parts]
        if table == "change":
            regions = {row["region_code"]} | ({"NL01"} if row["quantity"] == "relative_to_nl" else set())
            pairs = [(year, region) for year in (2022, 2025) for region in regions]
        elif table == "comparison":
            pairs = [(2025, row["region_code"]), (2025, row["comparator_code"])]
        else:
            return []
        return [values[year, row["indicator_id"], region] for year, region in pairs]

    names = ("claim_id", "language", "rule", "sentence", "table_name")
    return [
        Claim(*(claim[name] for name in names), row := rows[claim["table_name"]][claim["row_key"]], sides_of(name, row))
        for claim in published.filter(~pl.col("rule").str.starts_with("count_")).to_dicts()
        for name in [claim["table_name"]]
    ]


def test_every_claim_stands_once_in_each_language_with_one_rule_and_row(published: pl.DataFrame) -> None:
    assert published.select("claim_id", "language").is_unique().all()
    pairs = published.group_by("claim_id").agg(
        pl.col("language").sort(), pl.col("rule", "table_name", "row_key").n_unique()
    )
    assert pairs["language"].to_list() == [sorted(LANGUAGES)] * pairs.height
    assert (pairs.select("rule", "table_name", "row_key") == 1).to_numpy().all()
    assert set(published["rule"]) <= set(every_rule())


def test_every_row_of_the_last_year_that_readers_see_has_its_claim(tables: Tables, published: pl.DataFrame) -> None:
    """Of the indicators with a page; of the municipalities that are most like one too."""
    shown = {i.indicator_id for i in CATALOGUE.indicators if i.theme_id and i.measured_for == "municipality"}
    own = [*REGION.own_groups, *REGION.municipalities, *REGION.peers.values(), REGION.country_code, REGION.rest_code]
    of_one_row = published.filter(~pl.col("rule").str.contains("^(?:count_|figures)"), language="nl")
    for name in ("comparison", "change", "indicator_value"):
        rows = tables(name).filter(
            pl.col("indicator_id").is_in(shown),
            pl.col("^(region|comparator)_code$").is_in(own),
            measurement_year=2025,
            breakdown="total",
        )
        claimed = of_one_row.filter(table_name=name)["row_key"]
        assert claimed.is_unique().all()
        assert set(claimed) == set(keyed(rows, name))
        assert claimed.str.contains("=PEERS_").any()


def test_every_difference_between_groups_says_how_it_moved(tables: Tables, published: pl.DataFrame) -> None:
    """Where only the relative difference is followed, that; of both the difference itself."""
    shown = {i.indicator_id for i in CATALOGUE.indicators if i.theme_id and i.measured_for == "municipality"}
    pairs = [pl.struct("region_code", "comparator_code") == pl.struct(region_code=pl.lit(a), comparator_code=pl.lit(b))
             for a, b in REGION.contrasts]  # fmt: skip
    rows = tables("trend").filter(
        pl.any_horizontal(pairs), pl.col("indicator_id").is_in(shown),
        pl.col("quantity").is_in(["difference", "relative_difference"]),
        measurement_year=2025, breakdown="total", movement="since_baseline",
    )  # fmt: skip
    of_amounts = rows.filter(quantity="relative_difference")
    itself = rows.filter(quantity="difference")
    only = of_amounts.join(itself, on=["indicator_id", "region_code", "comparator_code"], how="anti")
    claimed = published.filter(pl.col("rule").str.starts_with("movement_"), language="nl")["row_key"]
    assert claimed.is_unique().all()
    assert set(claimed) == set(keyed(itself, "trend")) | set(keyed(only, "trend"))


def test_summaries_are_of_the_areas_that_have_a_page(published: pl.DataFrame) -> None:
    areas = [REGION.region_code, *(group.code for group in REGION.main_groups), *REGION.municipalities]
    pairs = {(area, REGION.rest_code) for area in areas} | set(REGION.contrasts)
    expected = {f"{rule}:2025:{area}" for rule in ("count_value", "count_change") for area in areas}
    expected |= {f"count_difference:2025:{region}:{comparator}" for region, comparator in pairs}
    for language in LANGUAGES:
        counts = published.filter(pl.col("rule").str.starts_with("count_"), language=language)["claim_id"]
        assert counts.is_unique().all()
        assert set(counts) == expected


def expected_rules(claim: Claim) -> set[str]:
    """Which rules the row allows: its own verdict, or that a figure is missing."""
    row, verdict = claim.row, claim.row.get("verdict")
    if claim.table == "comparison":
        gone = None in (row["value"], row["comparator_value"])
        rest = {"figures_not_decidable"} if verdict == "not_decidable" else {"figures", "figures_no_difference"}
        return {"difference_missing", "figures_missing"} if gone else {f"difference_{verdict}"} | rest
    if claim.table == "change":
        gone = None in (row["value"], row["baseline_value"]) and verdict != "no_new_measurement"
        return {"change_missing" if gone else f"change_{verdict}"}
    if claim.table == "trend":
        return {f"movement_{verdict}"}
    if claim.table == "indicator_value":
        return {"value_missing" if row["value"] is None else "value"}
    return {"rank_steady" if row["rank_low"] == row["rank"] == row["rank_high"] else "rank"}


def test_every_claim_follows_the_rule_of_its_row(claimed: list[Claim]) -> None:
    for claim in claimed:
        assert claim.rule in expected_rules(claim), claim


def test_every_claim_says_its_verdict_and_no_other(claimed: list[Claim]) -> None:
    for claim in claimed:
        terms, over_time = CATALOGUE.vocabulary["verdict"], claim.table in ("change", "trend")
        label = {key: claim.words.label("verdict", key, change=over_time) for key in terms}
        verdict = None if claim.rule.endswith("_missing") else claim.row.get("verdict")
        own = label.get(str(verdict), "")
        assert own in claim.sentence
        if verdict not in ("better", "worse", "higher", "lower"):
            rest = claim.sentence.replace("of dat meer is dan toeval", "").replace("is more than chance", "")
            assert words_of(rest).isdisjoint(DIRECTIONS[claim.language]), claim


def without_figure(claim: Claim) -> str:
    """The area of which a figure of one of both years is missing; the country only where the area has both."""
    gone = {side["region_code"] for side in claim.sides if side["value"] is None}
    assert gone, claim
    return str(claim.row["region_code"]) if claim.row["region_code"] in gone else REGION.country_code


def test_every_claim_names_what_its_row_is_about(claimed: list[Claim]) -> None:
    for claim in claimed:
        codes = [claim.row[name] for name in ("region_code", "comparator_code") if name in claim.row]
        if claim.rule.endswith("_missing") and claim.table == "comparison":
            sides = zip(("value", "comparator_value"), codes, strict=True)
            codes = [code for name, code in sides if claim.row[name] is None]
        if claim.rule == "change_missing":
            codes = [without_figure(claim)]
            before = {"nl": "voor {} is er niet van beide jaren", "en": "not figures of both years for {}."}
            assert before[claim.language].format(claim.words.the_region(codes[0])) in claim.sentence, claim
        sentence = claim.sentence.lower()
        assert all(claim.words.region(code).lower() in sentence for code in codes), claim
        if "indicator_id" in claim.row:
            assert claim.words.name(of(claim.row)) in claim.sentence


REASONS = {
    "no_margin": (
        "De bron zegt niet hoe zeker de cijfers zijn.",
        "The source does not say how certain the figures are.",
    ),
    "estimated": ("Een van de cijfers is geschat.", "One of the figures is estimated."),
    "without_answers": (
        "Een van de cijfers is geschat zonder de antwoorden van die gemeente zelf.",
        "One of the figures is estimated without the answers of that municipality itself.",
    ),
    "provisional": (
        "Een van de cijfers is voorlopig. De bron kan het nog aanpassen.",
        "One of the figures is provisional. The source may still change it.",
    ),
    "other": ("Wij weten niet hoe zeker het verschil is.", "We do not know how certain the difference is."),
}
ESTIMATED = {
    1: (
        " Een van de twee cijfers is geschat. Daarmee meten wij geen verandering.",
        " One of the two figures is estimated. With it we measure no change.",
    ),
    2: (
        " Beide cijfers zijn geschat. Daarmee meten wij geen verandering.",
        " Both figures are estimated. With them we measure no change.",
    ),
}


def said_at_the_end(claim: Claim) -> str | None:
    """Why a claim is not sure, by the figures of its row; None where it needs no reason."""
    row, place = claim.row, LANGUAGES.index(claim.language)
    statuses = {side["status"] for side in claim.sides}
    if claim.rule in ("difference_not_decidable", "change_not_decidable"):
        over_time = {"provisional"} if claim.table == "change" else set()
        known = ["no_margin"] if "no_margin" in row["warnings"] else []
        # All that is estimated in this edition is of residents.
        without = any(side["status"] == "estimated" and side["n"] is None for side in claim.sides)
        known += ["without_answers"] if without else []
        known += [status for status in ("estimated", *over_time) if status in statuses]
        return f" {REASONS[[*known, 'other'][0]][place]}"
    if claim.rule in ("difference_no_demonstrable_difference", "change_no_demonstrable_difference"):
        low, high, adjusted = (row[name] for name in ("difference_ci_low", "difference_ci_high", "p_value_adjusted"))
        many = adjusted is not None and adjusted >= 0.05 and (low > 0 or high < 0)
        return f" {UNSURE_AS[claim.language][not many]}"
    if claim.rule == "change_no_new_measurement" and row["reference_period"] != row["baseline_reference_period"]:
        years = {side["measurement_year"] for side in claim.sides if side["status"] == "estimated"}
        return ESTIMATED[len(years)][place]
    return None


def test_why_it_is_not_sure_is_said_where_it_is_so_and_nowhere_else(claimed: list[Claim]) -> None:
    ends = [*REASONS.values(), *ESTIMATED.values(), *zip(*UNSURE_AS.values(), strict=True)]
    told: set[str] = set()
    for claim in claimed:
        end = said_at_the_end(claim)
        assert end is None or claim.sentence.endswith(end), claim
        others = [text.strip() for pair in ends for text in pair if end is None or text.strip() not in end]
        assert not [text for text in others if text in claim.sentence], claim
        told |= {end} if end else set()
    never = {f" {text}" for reason in ("other", "estimated") for text in REASONS[reason]}
    assert told | never == {f" {text.strip()}" for pair in ends for text in pair}


def cells_of(claim: Claim) -> list[Cell]:
    """What may be shown of the row of a claim."""
    row = claim.row
    if claim.table == "comparison":
        with_figures = claim.rule.startswith("figures")
        return cells_of_figures(row, claim.sides) if with_figures else cells_of_difference(row)
    if claim.table == "trend":
        return cells_of_difference(row)
    if claim.table == "sensitivity":
        figures = [side["value"] is not None for side in claim.sides]
        return cells_of_rank(row) + known([sum(figures), len(figures)], 0)
    return {"change": cells_of_change, "indicator_value": cells_of_value}[claim.table](row)


def test_every_number_of_a_claim_is_a_cell_of_its_row_rounded_where_it_is_shown(claimed: list[Claim]) -> None:
    for claim in claimed:
        row, cells = claim.row, cells_of(claim)
        periods = [row.get(name) for name in ("reference_period", "baseline_reference_period")]
        of_year = claim.rule in ("value_missing", "rank", "rank_steady")
        periods += [2025] if of_year else [2022] if claim.table == "trend" else []
        indicator = of(row) if "indicator_id" in row else None
        rest = without_nearly_nought(claim.sentence, claim.language, row)
        rest = without_country(rest, claim.language, row)
        assert_numbers_are_cells(rest, claim.language, cells, indicator, *periods)


def test_what_is_not_settled_is_said_of_every_figure_that_is_shown(claimed: list[Claim]) -> None:
    told = 0
    for claim in claimed:
        sides = claim.sides or ([claim.row] if claim.table == "indicator_value" else [])
        if claim.rule.endswith(("_missing", "change_no_new_measurement")) or not sides:
            continue
        provisional = any(side["status"] == "provisional" for side in sides)
        assert (claim.words.label("status", "provisional") in claim.sentence) == provisional, claim
        told += provisional
    assert told > 100


def test_claims_of_invented_figures_and_no_others_begin_with_the_stamp(
    tables: Tables, claimed: list[Claim], published: pl.DataFrame
) -> None:
    synthetic = tables("sensitivity").filter(
        pl.col("warnings").list.contains("synthetic"), measurement_year=2025, among="region"
    )
    for claim in claimed:
        invented = made_up(claim.row, *claim.sides)
        if claim.table == "sensitivity":
            invented = claim.row["framework"] in synthetic["framework"].to_list()
        assert claim.sentence.startswith(STAMP[claim.language]) == invented, claim
    for language, rule, sentence in published.select("language", "rule", "sentence").iter_rows():
        assert sentence.count(STAMP[language]) == sentence.startswith(STAMP[language])
        assert not (rule.startswith("count_value") and sentence.startswith(STAMP[language]))


def test_no_claim_names_a_cause(published: pl.DataFrame) -> None:
    for language, sentence in published.select("language", "sentence").iter_rows():
        said = sentence.replace(WHY_A_FIGURE_IS_MISSING[language], "")
        assert words_of(said).isdisjoint(CAUSES[language]), sentence
        assert not re.search(r"\bsince (?!\d{4}\b)", said), sentence  # `since 2022` is a time, and else a cause


def test_every_claim_is_whole_sentences(published: pl.DataFrame) -> None:
    for sentence in published["sentence"]:
        assert not re.search(r"None|\bnan\b|\binf\b|_|  |[{}]|\(\)|\.\.| [.,;:]|(?<!\w)-\d", sentence), sentence
        assert re.fullmatch(r"[A-ZÀ-Ý0-9].*\.", sentence), sentence


def test_no_demonstrable_claim_shows_its_difference_as_nought(claimed: list[Claim]) -> None:
    """That `net onder 0` is said only of what rounds to nought is held with every number of a claim."""
    before = r"(?:verschil is|verschil van|veranderd met|Verschil|difference is|difference of|changed by|Difference)"
    shown_as = rf"{before} (net onder 0|net boven 0|just below 0|just above 0|−?\d[\d.,]*)"
    demonstrable = [c for c in claimed if c.row.get("verdict") in DEMONSTRABLE]
    assert len(demonstrable) > 1000
    for claim in demonstrable:
        (shown,) = re.findall(shown_as, claim.sentence)
        name = "estimate" if claim.table == "trend" else "difference"
        assert_is_on_its_side(shown, claim.language, claim.row[name])


MEASURED_IN = {"nl": "meetjaar", "en": "measurement year"}
COUNTED_AT = {"nl": "Bij", "en": "For"}


def test_every_count_is_that_of_the_rows_its_key_fits(tables: Tables, published: pl.DataFrame) -> None:
    counted = tables("framework_element").filter(level=1)["element_id"].implode()
    summaries = published.filter(pl.col("rule").str.starts_with("count_"))
    assert summaries.height > 2 * 3 * len(REGION.municipalities)
    for claim in summaries.to_dicts():
        key = dict(part.split("=") for part in claim["row_key"].split("|"))
        fits = [pl.col(column).cast(pl.String) == wanted for column, wanted in key.items()]
        rows = tables(claim["table_name"]).filter(pl.col("indicator_id").is_in(counted), *fits)
        words, sentence = WORDS[claim["language"]], claim["sentence"].removeprefix(STAMP[claim["language"]])
        warned = {w: pl.col("warnings").list.contains(w) for w in ("carried_forward", "synthetic")}
        invented = rows.filter(warned["synthetic"]).height
        if claim["rule"].startswith("count_value"):
            older = rows.filter(warned["carried_forward"], pl.col("value").is_not_null()).height
            numbers = [rows.height, rows["value"].null_count(), older, *([invented] if invented else [])]
            without_year = sentence.replace(key["measurement_year"], "")
            assert [int(n) for n in re.findall(r"\d+", without_year)] == numbers, sentence
            continue
        assert claim["sentence"].startswith(STAMP[claim["language"]]) == (invented > 0)
        over_time = claim["rule"] == "count_change"
        gone = pl.any_horizontal(pl.col("value", "baseline_value" if over_time else "comparator_value").is_null())
        missing = rows.filter(gone, verdict="not_decidable").height
        judged = rows.filter(~(gone & (pl.col("verdict") == "not_decidable")))
        found = dict(judged["verdict"].value_counts().iter_rows())
        assert sum(found.values()) + missing == rows.height == int(re.findall(r"(\d+) indica", sentence)[0])
        head, _, counts = sentence.partition(". " if over_time else "). ")
        assert over_time or head.endswith(f"({MEASURED_IN[claim['language']]} {key['measurement_year']}"), sentence
        parts = re.findall(r"(?:Bij|For) (\d+) ([^.]+)\.(?: |$)", counts)
        assert " ".join(f"{COUNTED_AT[claim['language']]} {n} {text}." for n, text in parts) == counts
        assert sum(int(number) for number, _ in parts) == rows.height, sentence
        assert len(parts) == len(found) + (missing > 0), sentence
        for verdict, n in found.items():
            label = words.label("verdict", verdict, change=over_time)
            assert [int(number) for number, text in parts if label in text] == [n], sentence
        without = [int(number) for number, text in parts if text in ("ontbreekt een cijfer", "a figure is missing")]
        assert without == ([missing] if missing else []), sentence


# --- another row, another sentence: by the verdicts of the software itself

CORES_AND_LAND = {"region_code": "URBAN_CORE", "comparator_code": "RURAL"}
Mutate = Callable[[pl.DataFrame], pl.DataFrame]


def same(frame: pl.DataFrame) -> pl.DataFrame:
    return frame


def exchanged(frame: pl.DataFrame) -> pl.DataFrame:
    """The cores have the figures of the rural municipalities, and the other way round."""
    other = {"URBAN_CORE": "RURAL", "RURAL": "URBAN_CORE"}
    return frame.with_columns(pl.col("region_code").replace(other))


def with_years_exchanged(frame: pl.DataFrame) -> pl.DataFrame:
    """The figures of 2022 are those of 2025, and the other way round."""
    years, periods = {2022: 2025, 2025: 2022}, {"2022": "2025", "2025": "2022"}
    return frame.with_columns(
        pl.col("measurement_year").replace(years), reference_period=pl.col("reference_period").replace(periods)
    )


def without_margin(frame: pl.DataFrame) -> pl.DataFrame:
    of_cores = pl.col("region_code") == "URBAN_CORE"
    return frame.with_columns(
        *(pl.when(~of_cores).then(name).alias(name) for name in ("ci_low", "ci_high")),
        warnings=pl.when(of_cores).then(pl.concat_list("warnings", pl.lit("no_margin"))).otherwise("warnings"),
    )


def uncertain(frame: pl.DataFrame) -> pl.DataFrame:
    """The design gives forty times the error: the interval goes across nought."""
    return frame.with_columns(pl.col("standard_error") * 40)


def no_design(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.clear()


def with_polarity(polarity: int) -> Mutate:
    return lambda frame: frame.with_columns(polarity=pl.lit(polarity, dtype=pl.Int32))


@dataclass(frozen=True)
class Judged:
    """Says the difference between cores and rural municipalities, and the change of the cores, of changed tables."""

    tables: Tables

    def difference(
        self, values: Mutate = same, design: Mutate = same, indicators: Mutate = same, rule: str = "difference"
    ) -> dict[str, str]:
        given = self.tables("indicator_value").filter(indicator_id=HAPPY, measurement_year=2025).pipe(values)
        made = comparisons(
            given,
            self.tables("group_weight"),
            frames.indicators(CATALOGUE).pipe(indicators),
            frames.indicator_sources(CATALOGUE),
            ROLES,
            REGION.contrasts,
            self.tables("survey_contrast").pipe(design),
        )
        names = f"{rule}:2025:{HAPPY}:URBAN_CORE:RURAL"
        return self._said(names, indicator_value=given, comparison=made.filter(breakdown="total", **CORES_AND_LAND))

    def change(self, values: Mutate = same, design: Mutate = same) -> dict[str, str]:
        given = self.tables("indicator_value").filter(indicator_id=HOUSED).pipe(values)
        made = changes(
            given.filter(measurement_year=2025),
            given.filter(measurement_year=2022),
            self.tables("group_weight"),
            frames.indicators(CATALOGUE),
            frames.indicator_sources(CATALOGUE),
            ROLES,
            2022,
            self.tables("survey_contrast").pipe(design),
        )
        of_cores = made.filter(breakdown="total", region_code="URBAN_CORE")
        return self._said(f"change:2025:{HOUSED}:URBAN_CORE:value", indicator_value=given, change=of_cores)

    def _said(self, claim_id: str, **given: pl.DataFrame) -> dict[str, str]:
        columns = {name: frame.select(EMPTY[name].columns) for name, frame in given.items()}
        made = claims(EMPTY | columns | {"framework_element": ELEMENTS}, CATALOGUE).filter(claim_id=claim_id)
        return dict(made.select("language", "sentence").iter_rows())


@pytest.fixture(scope="module")
def judged(tables: Tables) -> Judged:
    return Judged(tables)


def assert_says(said: dict[str, str], dutch: str, english: str) -> None:
    assert dutch in said["nl"], said["nl"]
    assert english in said["en"], said["en"]


def assert_no_direction(said: dict[str, str]) -> None:
    for language, sentence in said.items():
        assert words_of(sentence).isdisjoint(DIRECTIONS[language]), sentence


def test_the_sentences_that_are_changed_below_are_the_published_ones(judged: Judged, published: pl.DataFrame) -> None:
    for said, names in ((judged.difference(), f"difference:2025:{HAPPY}"), (judged.change(), f"change:2025:{HOUSED}")):
        rest = ":URBAN_CORE:RURAL" if names.startswith("difference") else ":URBAN_CORE:value"
        stands = published.filter(claim_id=names + rest).select("language", "sentence").iter_rows()
        assert said == dict(stands)
    assert_says(judged.difference(), "aantoonbaar slechter dan", "demonstrably worse in")
    assert_says(judged.change(), "aantoonbaar verslechterd", "demonstrably worsened")


def test_a_difference_whose_interval_goes_across_nought_loses_its_direction(judged: Judged) -> None:
    said = judged.difference(design=uncertain)
    assert_says(said, "is geen aantoonbaar verschil", "there is no demonstrable difference")
    assert_no_direction(said)
    assert_no_direction(judged.difference(design=uncertain, rule="figures"))


def test_a_difference_the_other_way_is_better_instead_of_worse(judged: Judged) -> None:
    before, after = judged.difference(), judged.difference(values=exchanged)
    assert_says(after, "in de stedelijke kernen aantoonbaar beter dan", "demonstrably better in the urban cores")
    assert "Het verschil is −" in before["nl"]
    assert "Het verschil is −" not in after["nl"]


@pytest.mark.parametrize(
    ("polarity", "dutch", "english"),
    [(-1, "aantoonbaar beter", "demonstrably better"), (0, "aantoonbaar lager", "demonstrably lower")],
)
def test_the_same_figures_of_another_polarity_are_another_sentence(
    judged: Judged, polarity: int, dutch: str, english: str
) -> None:
    assert_says(judged.difference(indicators=with_polarity(polarity)), dutch, english)


def test_a_difference_without_a_margin_says_that_it_has_none_and_no_direction(judged: Judged) -> None:
    said = judged.difference(values=without_margin, design=no_design)
    assert said["nl"].endswith("echt verschillen, is niet te zeggen. De bron zegt niet hoe zeker de cijfers zijn.")
    assert said["en"].endswith("really differ cannot be said. The source does not say how certain the figures are.")
    assert_no_direction(said)


def test_a_change_that_is_reversed_uncertain_or_without_margin_is_another_sentence(judged: Judged) -> None:
    reversed_years = judged.change(values=with_years_exchanged)
    assert_says(reversed_years, "(2022 en 2025)", "(2022 and 2025)")
    assert_says(reversed_years, "aantoonbaar verbeterd", "demonstrably improved")
    unsure = judged.change(design=uncertain)
    assert_says(unsure, "geen aantoonbare verandering", "no demonstrable change")
    assert_no_direction(unsure)
    unknown = judged.change(values=without_margin, design=no_design)
    assert unknown["nl"].endswith("is niet te zeggen. De bron zegt niet hoe zeker de cijfers zijn.")
    assert_no_direction(unknown)


# --- the headline


@pytest.fixture(scope="module")
def headline(tables: Tables) -> Callable[[int], list[str]]:
    """The headline sentences as if a year was the last that was measured."""

    @cache
    def of_year(year: int) -> list[str]:
        catalogue = until(year)
        return headline_claims(claims({name: tables(name) for name in INPUTS}, catalogue), catalogue, year)

    return of_year


def until(year: int) -> Catalogue:
    return CATALOGUE.model_copy(update={"region": REGION.model_copy(update={"last_measurement_year": year})})


def test_the_headline_sentences_of_a_year(headline: Callable[[int], list[str]]) -> None:
    """Weighted figures of 2021 and 2022, computed apart from this software; cores first, then the region."""
    said = headline(2022)
    assert len(said) == 2 * len(CATALOGUE.headline_indicators)
    income, health = said[:2], said[4:6]
    assert "de stedelijke kernen 29,1, de plattelandsgemeenten 34,3 duizend euro" in income[0]
    assert "Twente 31,5, de rest van Nederland 33,7 duizend euro" in income[1]
    assert income[1].endswith("Verschil −2,2 (−6,5%): aantoonbaar slechter.")
    assert "de stedelijke kernen 67,0, de plattelandsgemeenten 72,9 procent" in health[0]
    assert health[0].endswith("is niet te zeggen (de bron geeft geen onzekerheidsmarge).")
    assert not any("voorlopig" in sentence for sentence in said)


def test_provisional_income_is_called_provisional(headline: Callable[[int], list[str]]) -> None:
    income, others = headline(2025)[:2], headline(2025)[2:]
    assert all("voorlopig" in sentence for sentence in income)
    assert not any("voorlopig" in sentence for sentence in others)


def test_every_year_of_the_edition_has_its_headline(headline: Callable[[int], list[str]]) -> None:
    for year in REGION.years:
        said = headline(year)
        assert len(said) == len(set(said)) == 2 * len(CATALOGUE.headline_indicators)


def test_the_headline_is_in_the_published_table_in_both_languages(published: pl.DataFrame) -> None:
    dutch, english = (headline_claims(published, CATALOGUE, 2025, language) for language in LANGUAGES)
    assert len(dutch) == len(english) == len(summarised_pairs(CATALOGUE)) * len(CATALOGUE.headline_indicators)
    assert all("Verschil" in sentence for sentence in dutch)
    assert all("Difference" in sentence for sentence in english)
