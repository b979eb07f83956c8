"""Sentences on the programme say how far it is, and none can say what it changed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from catalog import load_catalogue
from reports import progress
from reports.claims.causes import CAUSES, causal_sentences
from reports.claims.programme import SAID_SOURCES, STATUSES, count_claim, millions, money_claim, target_claim
from reports.progress import english
from reports.progress.texts import texts as fixed_texts
from reports.view import Row, View
from reports.words import LANGUAGES, Words, texts
from tests.reports.progress_edition import PROGRAMME

CATALOGUE = load_catalogue()
WORDS = {language: Words(CATALOGUE, language) for language in LANGUAGES}
NAMED = {language: set(words) for language, words in CAUSES.items()}
# Vocabularies whose labels and explanations stand in the report or in a sentence on the programme.
VOCABULARIES = (
    *("target_status", "target_reason", "judged_by", "financing_source", "budget_kind", "budget_warning"),
    *("project_status", "milestone_status", "lesson_kind", "text_part", "requirement"),
)
# What may hold such a word, and why: each denies a cause, or uses the word for something else.
ALLOWED = {
    "limit_cause": "says that the one is not a consequence of the other",
    "remark": "tells the editor that somebody else's text names a cause",
    "remark_final": "tells the reader the same",
    "brief_next": "what comes is a day in the calendar",
}
ALLOWED_LABELS = {
    ("requirement", "no_remarks", "nl"): "asks for a text that names no cause",
    ("judged_by", "sample", "nl"): "a figure comes from a sample",
    ("text_part", "planning", "nl"): "what comes is the planning",
    ("milestone_status", "due", "en"): "a day that is due",
    ("requirement", "plan", "en"): "an intended result is what the covenant calls it",
    ("requirement", "baseline", "en"): "an intended result is what the covenant calls it",
}
# `Intended results` are what the covenant calls them: nothing resulted.
ALLOWED_ENGLISH = ("Intended results", "Intended result")


def words_of(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))


def causes_in(text: str, language: str = "nl") -> set[str]:
    return words_of(text) & NAMED[language]


# --- the grammar


def test_no_fixed_text_of_the_report_names_a_cause() -> None:
    found = {key for key, text in fixed_texts().items() if causes_in(text)}
    assert found == set(ALLOWED)
    why = "Cijfers over brede welvaart laten niet zien waarom iets verandert. Het gaat om: {sentences}"
    denied = {
        "remark": f"Opmerking voor de redactie: deze tekst noemt een oorzaak. {why}",
        "remark_final": f"Let op: deze tekst van het bureau noemt een oorzaak. {why}",
    }
    assert {key: fixed_texts()[key] for key in denied} == denied
    assert "laat niet zien" in fixed_texts()["limit_cause"]
    assert fixed_texts()["brief_next"] == "Wat eraan komt"


def test_no_fixed_text_names_the_region() -> None:
    """It is filled in: another region has another name. Bruto Twents Geluk is what all of this is called."""
    region = CATALOGUE.region
    for key, text in fixed_texts().items():
        assert region.name_nl not in text, key


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_on_the_programme_has_a_word_for_a_cause(language: str) -> None:
    beginnings = ("claim_target", "claim_money", "claim_count_target", "target_", "money_", "count_target")
    found = {key: text for key, text in texts(language).items() if key.startswith(beginnings)}
    assert len(found) > 12
    for key, text in found.items():
        assert not causes_in(text, language), key
        assert not words_of(text) & {"welvaart", "geluk", "welfare", "wellbeing"}, key


def test_no_english_text_of_the_summary_names_a_cause() -> None:
    said = [value for name, value in vars(english).items() if name.isupper() and isinstance(value, str | tuple)]
    parts = [text for value in said for text in ([value] if isinstance(value, str) else value)]
    assert len(parts) > 8
    for text in parts:
        if text not in ALLOWED_ENGLISH:
            assert not causes_in(text, "en"), text
    assert "does not show that the one follows from the other" in " ".join(parts)


def test_no_label_or_explanation_names_a_cause() -> None:
    found = {
        (vocabulary, term, language)
        for vocabulary, language in product(VOCABULARIES, LANGUAGES)
        for term in CATALOGUE.vocabulary[vocabulary]
        for text in (WORDS[language].label(vocabulary, term), WORDS[language].explanation(vocabulary, term))
        if causes_in(text, language)
    }
    assert found == set(ALLOWED_LABELS)


def test_fixed_texts_are_all_used_and_hold_no_figure() -> None:
    folder = Path(progress.__file__).parent
    code = "\n".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py")).replace("'", '"')
    made = ("head_", "head_budget_", "limit_", "judged_by_")  # whose names are put together
    for key, text in fixed_texts().items():
        assert not re.search(r"\d", text), key
        names = {key, *(key.removeprefix(start) for start in made if key.startswith(start))}
        assert names & set(re.findall(r'"(\w+)"', code)) or key.removeprefix("judged_by_") in JUDGED, key


JUDGED = set(CATALOGUE.vocabulary["judged_by"])


# --- every sentence that can be made

KINDS = {
    "count": {"kind": "count", "threshold": 300.0, "baseline_value": None, "baseline_date": None},
    "deliverable": {"kind": "deliverable", "threshold": 1.0, "baseline_value": None, "baseline_date": None},
    "deliverables": {"kind": "deliverable", "threshold": 2.0, "baseline_value": None, "baseline_date": None},
    "direction": {"kind": "direction", "threshold": None, "baseline_value": 42.0, "baseline_date": "2024-06-20"},
}
# Reasons with a count beside them; of the others nothing was counted.
COUNTED = (None, "no_plan")


def _target(kind: str) -> dict[str, Any]:
    names = {"text_nl": "Minimaal 300 bedrijven", "text_en": "No fewer than 300 companies"}
    units = {"unit": "companies", "unit_nl": "bedrijven"}
    return {"target_id": "x", "synthetic": False, **names, **units, **KINDS[kind]}


def _progress(status: str, reason: str | None, planned: float | None = 140.0, **more: object) -> dict[str, Any]:
    achieved = 112.0 if reason in COUNTED else None
    row = {"status": status, "reason": reason, "planned": planned, "achieved": achieved, "synthetic": False}
    return row | {"as_of": "2025-12-31" if achieved is not None else None, "line_id": "1.2"} | more


def _test(outcome: str, margin: float) -> Row:
    low, high = {"reached": (-1.0, 5.0), "behind": (-20.0, -9.0), "not_decidable": (-8.0, 3.0)}[outcome]
    about = {"about_nl": "inwoners van 65 jaar en ouder, de wijken", "about_en": "residents aged 65, the districts"}
    cells = {"limit_low": low, "limit_high": high, "wave_change": (low + high) / 2, "margin": margin}
    waves = {"baseline_wave": 2024, "wave": 2025, "baseline_estimate": 68.9, "estimate": 67.8}
    more = {"baseline_n": 412, "n": 398, "margin_found": 8.3, "power": 56.0, "synthetic": False}
    return Row("policy_indicator", "year=2025|target_id=x", {**about, **cells, **waves, **more})


def _targets(words: Words) -> Iterator[str]:
    reasons = [None, *CATALOGUE.vocabulary["target_reason"]]
    for kind, status, reason, planned in product(KINDS, STATUSES, reasons, (140.0, 0.0, None)):
        yield target_claim(_progress(status, reason, planned), _target(kind), None, words).sentence
    for outcome, margin in product(("reached", "behind", "not_decidable"), (0.0, 6.0)):
        reason = "uncertain" if outcome == "not_decidable" else None
        row = _progress(outcome, reason, achieved=None)
        yield target_claim(row, _target("direction"), _test(outcome, margin), words).sentence


def _amounts(words: Words) -> Iterator[str]:
    kinds = {"state": "maximum"}
    warnings = [None, *CATALOGUE.vocabulary["budget_warning"]]
    for source, warning, committed, forecast in product(SAID_SOURCES, warnings, (None, 0.0, 5e6), (None, 9e6)):
        row = {
            "financing_source": source,
            "budget": 8.9e6,
            "budget_kind": kinds.get(source, "minimum"),
            "committed": committed,
            "paid": committed,
            "forecast": forecast,
            "warning": warning,
            "as_of": "2025-12-31",
            "synthetic": False,
        }
        yield money_claim(row, words("programme_total"), words).sentence


def _counts(words: Words) -> Iterator[str]:
    for found in product((0, 1, 3), repeat=len(STATUSES)):
        rows = [_progress(status, None) for status, n in zip(STATUSES, found, strict=True) for _ in range(n)]
        if rows:
            yield count_claim(rows, words("programme_total"), words).sentence


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_that_can_be_made_names_a_cause(language: str) -> None:
    words = WORDS[language]
    made = [*_targets(words), *_amounts(words), *_counts(words)]
    assert len(made) > 1_000
    for sentence in made:
        assert not causes_in(sentence, language), sentence
        assert not re.search(r"[{}]|\bNone\b|\bnan\b|  |\.\.", sentence), sentence
        assert sentence.endswith((".", ")")), sentence


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_status_is_said_in_its_own_word_and_no_other(language: str) -> None:
    words = WORDS[language]
    labels = {status: words.label("target_status", status) for status in STATUSES}
    verdict = "Oordeel: " if language == "nl" else "Verdict: "
    for kind, status in product(KINDS, STATUSES):
        said = target_claim(_progress(status, None), _target(kind), None, words).sentence
        assert said.endswith(f"{verdict}{labels[status]}."), said


def test_sentences_on_results_money_and_counts_in_words() -> None:
    """By hand, from `nl.yaml` and the covenant's words."""
    dutch, in_english = WORDS["nl"], WORDS["en"]
    row, target = _progress("behind", None), _target("count")
    assert target_claim(row, target, None, dutch).sentence == (
        "Beoogd: Minimaal 300 bedrijven. Geteld op 31 december 2025: 112 (bedrijven). Het streven is 300. "
        "Gepland was toen 140. Oordeel: achter op de planning."
    )
    assert target_claim(row, target, None, in_english).sentence == (
        "Intended: No fewer than 300 companies. Counted on 31 December 2025: 112 (companies). The ambition is 300. "
        "The planning then was 140. Verdict: behind."
    )
    unknown = _progress("not_decidable", "no_register")
    assert target_claim(unknown, target, None, dutch).sentence == (
        "Beoogd: Minimaal 300 bedrijven. Oordeel: niet te zeggen. Geen bureau heeft over deze lijn iets opgegeven."
    )
    # Something was counted: that is said, and behind the verdict why nothing more can be.
    unplanned = _progress("not_decidable", "no_plan", None)
    assert target_claim(unplanned, target, None, dutch).sentence == (
        "Beoogd: Minimaal 300 bedrijven. Geteld op 31 december 2025: 112 (bedrijven). Het streven is 300. "
        "Oordeel: niet te zeggen. Er is geen planning tot aan het streven om dit naast te leggen."
    )
    assert target_claim(unplanned, target, None, in_english).sentence == (
        "Intended: No fewer than 300 companies. Counted on 31 December 2025: 112 (companies). The ambition is 300. "
        "Verdict: cannot be said. There is no planning up to the ambition to hold this against."
    )
    direction = target_claim(_progress("reached", None), _target("direction"), None, dutch).sentence
    assert direction == (
        "Beoogd: Minimaal 300 bedrijven. Geteld op 31 december 2025: 112 (bedrijven). Bij de nulmeting (20 juni "
        "2024): 42. Gepland was toen 140. Oordeel: bereikt."
    )
    direction = target_claim(_progress("reached", None), _target("direction"), None, in_english).sentence
    assert direction.endswith("At the baseline (20 June 2024): 42. The planning then was 140. Verdict: reached.")
    direction = target_claim(_progress("reached", None, None), _target("direction"), None, dutch).sentence
    assert direction.endswith("Bij de nulmeting (20 juni 2024): 42. Oordeel: bereikt.")
    there = target_claim(_progress("reached", None, achieved=1.0), _target("deliverable"), None, dutch).sentence
    assert there.endswith("Op 31 december 2025 is dit er, met een bewijsstuk. Oordeel: bereikt.")
    sample = _progress("not_decidable", "uncertain", achieved=None)
    assert target_claim(sample, _target("direction"), _test("not_decidable", 6.0), dutch).sentence == (
        "Beoogd: Minimaal 300 bedrijven. Gemeten bij inwoners van 65 jaar en ouder, de wijken: 68,9 (412 antwoorden) "
        "in 2024 en 67,8 (398 antwoorden) in 2025 (bedrijven). Verandering −2,5 punt (met 95% zekerheid boven −8,0, en "
        "met 95% zekerheid onder 3,0). Gelijk gebleven telt tot een achteruitgang van 6. Oordeel: niet te zeggen. De "
        "marge is te breed. Met deze aantallen antwoorden is een verschil vanaf 8,3 punt aan te tonen, in 80 van de "
        "100 gevallen."
    )


def test_where_only_a_rise_counts_that_is_said_and_nothing_of_a_decline_of_nought() -> None:
    row, target = _progress("reached", None, achieved=None), _target("direction")
    for language, rise, decline in (
        ("nl", "Alleen een stijging telt. Oordeel: bereikt.", "Gelijk gebleven telt tot een achteruitgang van 6."),
        ("en", "Only a rise counts. Verdict: reached.", "A decline of up to 6 counts as staying the same."),
    ):
        none = target_claim(row, target, _test("reached", 0.0), WORDS[language]).sentence
        some = target_claim(row, target, _test("reached", 6.0), WORDS[language]).sentence
        assert none.endswith(rise), none
        assert decline[:20] not in none
        assert (decline in some, rise in some) == (True, False), some


@pytest.mark.parametrize(
    ("euros", "places", "dutch", "in_english"),
    [
        # Halves go up, whatever the nearest binary fraction is.
        (455_000.0, 2, "0,46", "0.46"),
        (585_000.0, 2, "0,59", "0.59"),
        (2_275_000.0, 2, "2,28", "2.28"),
        (14_458_000.0, 2, "14,46", "14.46"),
        (454_999.0, 2, "0,45", "0.45"),
        (25_000_000.0, 2, "25,00", "25.00"),
        (8_850_000.0, 1, "8,9", "8.9"),
        (8_849_999.0, 1, "8,8", "8.8"),
        (0.0, 2, "0,00", "0.00"),
        (1_234_565_000.0, 2, "1.234,57", "1,234.57"),
    ],
)
def test_an_amount_stays_on_one_line_and_halves_go_up(euros: float, places: int, dutch: str, in_english: str) -> None:
    assert millions(euros, WORDS["nl"], places) == f"€\u00a0{dutch}\u00a0mln"
    assert millions(euros, WORDS["en"], places) == f"€\u00a0{in_english}\u00a0million"


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_invented_is_stamped(language: str) -> None:
    words = WORDS[language]
    stamp = words("stamp")
    row = _progress("behind", None, synthetic=True)
    assert target_claim(row, _target("count"), None, words).sentence.startswith(stamp)
    # Of a count one invented row is enough.
    assert count_claim([row, _progress("reached", None)], "x", words).sentence.startswith(stamp)
    assert not count_claim([_progress("reached", None)], "x", words).sentence.startswith(stamp)


# --- the table of the demonstration


@pytest.fixture(scope="module")
def tables(edition: Path) -> dict[str, pl.DataFrame]:
    folder = edition / "editions" / "2025-draft" / "parquet"
    return {path.stem: pl.read_parquet(path) for path in folder.glob("*.parquet")}


def test_no_sentence_holds_the_programme_and_a_change_in_welfare(tables: dict[str, pl.DataFrame]) -> None:
    """Each sentence is about rows of one table: of the programme, or of the measurement; never of both."""
    assert CATALOGUE.programme is not None
    programme = CATALOGUE.programme
    names = [line.name_nl for line in programme.lines] + [line.name_en for line in programme.lines]
    names += [programme.name_nl, programme.name_en, WORDS["nl"]("programme_total"), WORDS["en"]("programme_total")]
    welfare = [i.name_nl for i in CATALOGUE.indicators] + ["brede welvaart", "broad welfare", "Bruto Twents Geluk"]
    seen = {"programme": 0, "measurement": 0}
    for table, sentence in tables["claim"].select("table_name", "sentence").iter_rows():
        kind = "programme" if table in PROGRAMME else "measurement"
        seen[kind] += 1
        wrong = welfare if kind == "programme" else names
        assert not [name for name in wrong if name in sentence], sentence
    assert seen["programme"] > 90
    assert seen["measurement"] > 10_000


def test_every_sentence_on_the_programme_leads_to_its_rows(tables: dict[str, pl.DataFrame]) -> None:
    view = View(tables, CATALOGUE)
    rows = tables["claim"].filter(pl.col("table_name").is_in(PROGRAMME), language="nl")
    assert {name.split(":")[0] for name in rows["claim_id"]} == {"target", "money", "count_target"}
    for table, key in rows.select("table_name", "row_key").iter_rows():
        parts = dict(part.split("=", 1) for part in key.split("|"))
        found = view.rows(table, *(pl.col(name).cast(pl.String) == value for name, value in parts.items()))
        assert found, key


# --- texts of others

NAMES_A_CAUSE = [
    "Dankzij de Regio Deal is het mkb digitaler geworden.",
    "Door de Regio Deal is het mkb in Twente veel digitaler geworden.",
    "Het programma heeft geleid tot meer banen.",
    "De aanpak leidt tot een betere gezondheid.",
    "Het project zorgt voor meer werkgelegenheid.",
    "De welvaart is gestegen doordat er meer werk is.",
    "Doordat bedrijven samenwerken is de instroom hoger.",
    "De daling komt door de coronaperiode.",
    "Het effect van het programma is groot.",
    "De Deal heeft ervoor gezorgd dat inkomens stegen.",
    "Wij hebben ervoor gezorgd dat meer leerlingen techniek kiezen.",
    "De participatie nam toe, dankzij onze inzet.",
    "De stijging van het inkomen is te danken aan het project.",
    "Het is bewezen dat de aanpak werkt.",
    "Door onze aanpak voelen ouderen zich gezonder.",
    "Door dit project zijn er minder vacatures.",
    "Als gevolg van de Regio Deal steeg de arbeidsparticipatie.",
    "De lagere instroom wordt veroorzaakt door de krapte.",
    "Door deze nieuwe aanpak is de instroom toegenomen.",
    "De aanpak heeft effect op de gezondheid van ouderen.",
    "De Regiodeal leidde tot meer stageplaatsen.",
    "Meer mensen werken, en dat komt door ons.",
    "Het geluk in Twente nam toe vanwege de deal.",
    "De gezondheid verbeterde omdat wij wijkteams inzetten.",
    "Wegens het project nam de werkgelegenheid toe.",
    "Het programma draagt bij aan een hogere brede welvaart.",
    "De Regio Deal maakt Twente gelukkiger.",
    "Met de Regio Deal hebben we de welvaart vergroot.",
    "Het project bracht de armoede omlaag.",
    "De investeringen hebben banen opgeleverd.",
]
NAMES_NONE = [
    "Zorg voor ouderen",
    "De vergunning kwam later.",
    "We gaan door met de aanpak.",
    "In 2025 deden 64 nieuwe bedrijven mee.",
    "Er is minder geld nodig dan begroot.",
    "De gezondheid is iets lager dan in 2024.",
    "De proef is gestopt: te weinig patiënten gebruikten hem.",
    "Zorg voor ouderen met een lager inkomen.",
    "Het lab opent volgens plan in 2026.",
    "De aanvraag wordt beoordeeld door de gemeente.",
    "Het project wordt uitgevoerd door het ROC.",
    "De zorg voor mensen met minder inkomen is een thema.",
    "Het programma loopt door tot 2027.",
    "Meer scholen doen mee.",
    "De werkgelegenheid is gestegen.",
    "Door de gemeente is een vergunning afgegeven.",
    "Het effect is nog niet gemeten.",
    "Eind 2025 werkten 63 scholen samen met bedrijven.",
    "Het project gaat door.",
    "De vergunning kwam later doordat een adviseur ziek was.",
    "De aanpak is door de bureaus beschreven.",
    "De vergunning kwam later doordat de gemeente meer tijd nodig had.",
    "Het programma is vertraagd doordat een adviseur ziek was.",
    "Het project begon later doordat de vergunning er nog niet was.",
    "Wij zorgen voor ouderen met een laag inkomen.",
    "Medewerkers zorgen voor meer overleg.",
    "Of dit door de aanpak komt, weten we niet.",
]


@pytest.mark.parametrize("sentence", NAMES_A_CAUSE)
def test_a_sentence_that_names_a_cause_is_found(sentence: str) -> None:
    assert causal_sentences(sentence) == [sentence]
    # Also in the middle of a text, in capitals, and in a paragraph of its own.
    text = f"In 2025 begonnen we.\n\n{sentence}\nDe stukken zijn klaar."
    assert causal_sentences(text) == [sentence]
    assert causal_sentences(sentence.upper()) == [sentence.upper()]


@pytest.mark.parametrize("sentence", NAMES_NONE)
def test_a_sentence_that_names_no_cause_is_left_alone(sentence: str) -> None:
    assert causal_sentences(sentence) == []


def test_each_of_several_sentences_is_found_apart() -> None:
    text = "Dankzij het project is er meer werk. Het lab is open! Komt dat door de deal? De instroom is lager."
    assert causal_sentences(text) == ["Dankzij het project is er meer werk.", "Komt dat door de deal?"]
    assert causal_sentences("") == []
