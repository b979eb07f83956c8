"""Sentences say what a row of `comparison` carries, in Dutch, and no more."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from catalog import Catalogue, load_catalogue
from catalog.survey_model import GradeScale
from reports.charts.grades import grade
from reports.numbers import number
from reports.sentences import STAMP, gap_sentence, headline_gaps, rank_sentences

INCOME, HEALTH, VALUE = "income_standardised_mean", "perceived_health_good", "dwelling_value_mean"
HAPPY = "experienced_subjective_wellbeing"
SCALE = GradeScale(lowest=1, highest=10)
SIDE: dict[str, Any] = {"ci_low": None, "ci_high": None, "n": None, "status": "definitive", "warnings": []}

# What would claim a cause: watching broad welfare shows none.
CAUSES = [
    "door",
    "doordat",
    "dankzij",
    "leidt",
    "leiden",
    "omdat",
    "vanwege",
    "wegens",
    "zorgt",
    "waardoor",
    "daardoor",
]
DIRECTIONS = ["beter", "slechter", "hoger", "lager", "meer", "minder", "verbeterd", "verslechterd"]


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.fixture(scope="module")
def say(catalogue: Catalogue) -> Callable[..., str]:
    """A function that says a row of `comparison`; what is not given is that of cores against rural, in 2022.

    `sides` are the changes to the two rows of `indicator_value`.
    """

    def sentence(
        sides: tuple[dict[str, Any], dict[str, Any]] = ({}, {}), scale: GradeScale | None = SCALE, **changed: object
    ) -> str:
        row: dict[str, Any] = {
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
        } | changed
        both = [SIDE | side for side in sides]
        return gap_sentence(row, both, catalogue.indicator(str(row["indicator_id"])), catalogue, scale=scale)

    return sentence


# --- numbers


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (0, 0, "0"),
        (61.5, 1, "61,5"),
        (61.5, 0, "62"),
        (1234.56, 1, "1.234,6"),
        (633_917, 0, "633.917"),
        (17_400_424.0, 0, "17.400.424"),
        (-7.1, 1, "−7,1"),
        (-1234.5, 1, "−1.234,5"),
        (-0.04, 1, "0,0"),
        (0.04, 1, "0,0"),
        (-0.06, 1, "−0,1"),
        (-0.4, 0, "0"),
    ],
)
def test_numbers_are_written_as_dutch_readers_do(value: float, decimals: int, text: str) -> None:
    assert number(value, decimals) == text


# --- what a sentence says


def test_a_whole_sentence(say: Callable[..., str]) -> None:
    assert say() == (
        "Gemiddeld gestandaardiseerd inkomen (cijfer over 2021): de stedelijke kernen 29,1, de plattelandsgemeenten "
        "34,3 duizend euro per huishouden. Verschil −5,2 (−15,0%): aantoonbaar slechter."
    )


def test_percentages_differ_in_points_and_not_in_percent(say: Callable[..., str]) -> None:
    sentence = say(indicator_id=HEALTH, value=67.01, comparator_value=72.9, difference=-5.89, relative_difference=-8.08)
    assert "Verschil −5,9 procentpunt:" in sentence
    assert "8,1" not in sentence
    assert "%" not in sentence


@pytest.mark.parametrize("verdict", load_catalogue().vocabulary["verdict"])
def test_every_verdict_has_its_own_words(catalogue: Catalogue, say: Callable[..., str], verdict: str) -> None:
    sentence = say(verdict=verdict)
    label = catalogue.vocabulary["verdict"][verdict].label_nl
    assert label in sentence
    others = [term.label_nl for key, term in catalogue.vocabulary["verdict"].items() if key != verdict]
    assert not [other for other in others if other in sentence]


def test_another_verdict_is_another_sentence(catalogue: Catalogue, say: Callable[..., str]) -> None:
    said = {verdict: say(verdict=verdict) for verdict in catalogue.vocabulary["verdict"]}
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
def test_another_row_is_another_sentence(say: Callable[..., str], changed: dict[str, Any]) -> None:
    assert say(**changed) != say()


def test_no_difference_shown_names_no_direction(say: Callable[..., str]) -> None:
    for verdict in ("no_demonstrable_difference", "not_comparable", "no_new_measurement"):
        words = set(re.findall(r"\w+", say(verdict=verdict).lower()))
        assert words.isdisjoint(DIRECTIONS)


# --- what cannot be said


@pytest.mark.parametrize(("gone", "missing"), [("value", "de stedelijke kernen"), ("comparator_value", "Nederland")])
def test_a_missing_figure_is_named_and_nothing_is_concluded(say: Callable[..., str], gone: str, missing: str) -> None:
    sentence = say(**{gone: None}, comparator_code="NL01", difference=None, verdict="not_decidable", basis="none")
    assert f"voor {missing} is er geen cijfer" in sentence
    assert "niets te zeggen" in sentence
    assert "Verschil" not in sentence
    assert "29,1" not in sentence
    assert "34,3" not in sentence
    assert set(re.findall(r"\w+", sentence)).isdisjoint(DIRECTIONS)


def test_when_both_figures_are_missing_both_are_named(say: Callable[..., str]) -> None:
    sentence = say(value=None, comparator_value=None, difference=None, reference_period=None, verdict="not_decidable")
    assert "geen cijfer" in sentence
    assert "None" not in sentence
    assert "stedelijke kernen" in sentence
    assert "plattelandsgemeenten" in sentence


def test_why_nothing_can_be_said_is_said_where_it_is_known(say: Callable[..., str]) -> None:
    known = say(verdict="not_decidable", basis="none", warnings=["no_margin"])
    assert known.endswith("is niet te zeggen (de bron geeft geen onzekerheidsmarge).")
    unknown = say(verdict="not_decidable", basis="none")
    assert unknown.endswith("is niet te zeggen.")


def test_figures_that_were_made_differently_are_not_subtracted(say: Callable[..., str]) -> None:
    sentence = say(verdict="not_comparable", difference=None, relative_difference=None)
    assert sentence.endswith("; niet te vergelijken.")
    assert "Verschil" not in sentence
    assert "29,1" in sentence


def test_provisional_is_said_only_of_provisional_figures(say: Callable[..., str]) -> None:
    for sides in (({"status": "provisional"}, {}), ({}, {"status": "provisional"})):
        assert "(cijfer over 2021, voorlopig)" in say(sides=sides)
    assert "voorlopig" not in say()


def test_age_and_period_of_a_figure_are_said(say: Callable[..., str]) -> None:
    sentence = say(warnings=["carried_forward", "covid_period", "model_based", "newer_published"])
    assert "(cijfer over 2021, ouder cijfer, nieuwer cijfer bestaat, coronaperiode)" in sentence


def test_nothing_is_divided_by_nought(say: Callable[..., str]) -> None:
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


def test_a_whole_sentence_on_what_residents_say(catalogue: Catalogue, say: Callable[..., str]) -> None:
    assert say(**SAID, sides=(CORES, LAND)) == (
        f"{catalogue.indicator(HAPPY).name_nl} (rapportcijfer van 1 tot 10, cijfer over 2025): "
        "de stedelijke kernen 6,4 (tussen 6,3 en 6,5; 1.023 antwoorden), "
        "de plattelandsgemeenten 7,3 (tussen 7,2 en 7,4; 1.931 antwoorden). "
        "Verschil −0,9 (tussen −1,1 en −0,7): aantoonbaar slechter."
    )


def test_without_a_conversion_the_sentence_shows_scores(say: Callable[..., str]) -> None:
    sentence = say(**SAID, sides=(CORES, LAND), scale=None)
    assert "de stedelijke kernen 0,60 (tussen 0,59 en 0,61; 1.023 antwoorden)" in sentence
    assert "rapportcijfer van" not in sentence


def test_a_percentage_with_margins_shows_them(say: Callable[..., str]) -> None:
    numbers = {"value": 67.0, "comparator_value": 72.9, "difference": -5.9}
    margins = {"difference_ci_low": -7.04, "difference_ci_high": -4.76, "relative_difference": -8.1}
    sides = ({"ci_low": 66.0, "ci_high": 68.0}, {"ci_low": 72.1, "ci_high": 73.7})
    sentence = say(indicator_id=HEALTH, basis="interval", sides=sides, **numbers, **margins)
    assert "de stedelijke kernen 67,0 (tussen 66,0 en 68,0), de plattelandsgemeenten 72,9 (tussen" in sentence
    assert sentence.endswith("Verschil −5,9 procentpunt (tussen −7,0 en −4,8): aantoonbaar slechter.")


def test_an_amount_with_a_margin_shows_per_cent_and_margin(say: Callable[..., str]) -> None:
    assert say(basis="interval").endswith("Verschil −5,2 (−15,0%; tussen −5,3 en −5,1): aantoonbaar slechter.")


def test_a_demonstrable_difference_and_its_margin_are_never_shown_as_nought(say: Callable[..., str]) -> None:
    small = {"difference": -0.009, "difference_ci_low": -0.015, "difference_ci_high": -0.003}
    assert "Verschil −0,08 (tussen −0,14 en −0,03): aantoonbaar slechter." in say(**SAID | small)
    undecided = say(**SAID | small, verdict="no_demonstrable_difference")
    assert "Verschil −0,1 (tussen −0,1 en 0,0): geen aantoonbaar verschil." in undecided


@pytest.mark.parametrize(
    ("sides", "said"),
    [
        (({"status": "suppressed"}, {}), "voor de stedelijke kernen is er geen cijfer (afgeschermd);"),
        (({"status": "not_measured"}, {}), "voor de stedelijke kernen is er geen cijfer (niet gemeten);"),
        (({"status": "not_published"}, {}), "voor de stedelijke kernen is er geen cijfer;"),
    ],
)
def test_why_the_survey_has_no_figure_is_said(
    say: Callable[..., str], sides: tuple[dict[str, Any], dict[str, Any]], said: str
) -> None:
    sentence = say(**SAID | {"value": None, "difference": None}, verdict="not_decidable", sides=sides)
    assert said in sentence
    assert "7,3" not in sentence


def test_what_a_figure_of_the_survey_is_worth_is_said(say: Callable[..., str]) -> None:
    sides = (CORES | {"status": "estimated"}, LAND | {"warnings": ["small_n", "self_selected"]})
    sentence = say(**SAID, sides=sides)
    assert "(rapportcijfer van 1 tot 10, cijfer over 2025, geschat, open deelname, weinig antwoorden)" in sentence


@pytest.mark.parametrize("where", ["comparison", "region", "comparator"])
@pytest.mark.parametrize("known", [True, False])
def test_a_sentence_that_a_made_up_figure_has_a_part_in_begins_by_saying_so(
    say: Callable[..., str], where: str, *, known: bool
) -> None:
    row = SAID | ({} if known else {"value": None, "difference": None, "verdict": "not_decidable"})
    real = say(**row, sides=(CORES, LAND))
    assert "erzonnen" not in real
    mark = {"warnings": ["synthetic"]}
    row |= mark if where == "comparison" else {}
    sides = (CORES | (mark if where == "region" else {}), LAND | (mark if where == "comparator" else {}))
    assert say(**row, sides=sides) == f"Verzonnen voorbeeld: {real}"


# --- ranks

CORE_CODES = {"GM0141": "Almelo", "GM0153": "Enschede", "GM0164": "Hengelo"}


def ranks_of(*rows: dict[str, Any], **changed: object) -> pl.DataFrame:
    """Rows of `sensitivity`; what is not given is that of Enschede on the official overall score of 2025."""
    common: dict[str, Any] = {
        "measurement_year": 2025, "framework": "cbs", "theme_id": "cbs_overall", "region_code": "GM0153",
        "among": "region", "rank": 12, "rank_low": 9, "rank_high": 14, "rank_of": 14, "warnings": [],
    }  # fmt: skip
    schema = {
        name: pl.List(pl.String) if name == "warnings" else pl.String if isinstance(value, str) else pl.Int32
        for name, value in common.items()
    }
    return pl.DataFrame([common | changed | row for row in rows or ({},)], schema=schema)


def test_a_place_is_said_with_its_range(catalogue: Catalogue) -> None:
    said = rank_sentences(
        ranks_of({}, {"region_code": "GM0141", "rank": 11, "rank_low": 7, "rank_high": 11}), catalogue, 2025, "cbs"
    )
    score = "Totaalscore brede welvaart volgens officiële cijfers (2025)"
    otherwise = "(1 is het gunstigst); met andere rekenwijzen en steekproeffout kan dat"
    assert said == [
        f"{score}: Almelo staat op plaats 11 van 14 {otherwise} plaats 7 tot 11 zijn.",
        f"{score}: Enschede staat op plaats 12 van 14 {otherwise} plaats 9 tot 14 zijn.",
        f"{score}: voor Hengelo is er geen plaats.",
    ]


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        ((12, 12), "; ook met andere rekenwijzen en steekproeffout blijft dat bijna altijd zo."),
        ((11, 11), "; met andere rekenwijzen en steekproeffout kan dat plaats 11 zijn."),
        ((8, 11), "; met andere rekenwijzen en steekproeffout kan dat plaats 8 tot 11 zijn."),
    ],
)
def test_a_range_of_one_place_or_beside_the_place_is_said_as_it_is(
    catalogue: Catalogue, ends: tuple[int, int], said: str
) -> None:
    _, enschede, _ = rank_sentences(ranks_of(rank_low=ends[0], rank_high=ends[1]), catalogue, 2025, "cbs")
    assert enschede.endswith(said)


@pytest.mark.parametrize("gone", ["rank", "rank_low", "rank_high"])
def test_no_place_is_said_without_its_range(catalogue: Catalogue, gone: str) -> None:
    said = rank_sentences(ranks_of({}, {"region_code": "GM0141", gone: None}), catalogue, 2025, "cbs")
    assert said[0].endswith(": voor Almelo is er geen plaats.")
    assert rank_sentences(ranks_of(**{gone: None}), catalogue, 2025, "cbs") == []


def test_places_of_another_year_framework_theme_or_ranking_are_not_said(catalogue: Catalogue) -> None:
    ranks = ranks_of()
    assert rank_sentences(ranks, catalogue, 2024, "cbs") == []
    assert rank_sentences(ranks, catalogue, 2025, "btg") == []
    assert rank_sentences(ranks_of(theme_id="cbs_health"), catalogue, 2025, "cbs") == []
    assert rank_sentences(ranks_of(among="country", rank_of=342), catalogue, 2025, "cbs") == []
    assert rank_sentences(pl.DataFrame(), catalogue, 2025, "cbs") == []


def test_a_made_up_figure_of_any_municipality_marks_every_place(catalogue: Catalogue) -> None:
    other = {"region_code": "GM0147", "rank": 1, "rank_low": 1, "rank_high": 4, "warnings": ["synthetic"]}
    said = rank_sentences(ranks_of({}, other), catalogue, 2025, "cbs")
    assert len(said) == len(CORE_CODES)
    assert all(sentence.startswith(f"{STAMP}Totaalscore ") for sentence in said)


def test_what_a_score_is_worth_is_said_and_no_cause(catalogue: Catalogue) -> None:
    _, enschede, _ = rank_sentences(ranks_of(warnings=["unusual_change", "carried_forward"]), catalogue, 2025, "cbs")
    assert "(2025, ouder cijfer, opvallende verandering): Enschede staat op plaats 12 van 14" in enschede
    words = set(re.findall(r"\w+", enschede.lower()))
    assert words.isdisjoint(CAUSES)
    assert words.isdisjoint(DIRECTIONS)


# --- all sentences of an edition


@pytest.fixture(scope="module")
def tables(edition: Path) -> Callable[[str], pl.DataFrame]:
    folder = edition / "editions" / "2025-draft" / "parquet"
    return lambda name: pl.read_parquet(folder / f"{name}.parquet")


@pytest.fixture(scope="module")
def said(catalogue: Catalogue, tables: Callable[[str], pl.DataFrame]) -> list[tuple[dict[str, Any], str]]:
    """Every comparison of the edition, with its sentence; the row holds its two sides too."""
    key = ("measurement_year", "indicator_id", "breakdown")
    values = {(*(row[k] for k in key), row["region_code"]): row for row in tables("indicator_value").to_dicts()}
    rows = []
    for row in tables("comparison").to_dicts():
        sides = [values[*(row[k] for k in key), row[code]] for code in ("region_code", "comparator_code")]
        sentence = gap_sentence(row, sides, catalogue.indicator(row["indicator_id"]), catalogue, scale=SCALE)
        rows.append((row | {"sides": sides}, sentence))
    return rows


def test_no_sentence_names_a_cause(said: list[tuple[dict[str, Any], str]]) -> None:
    for _, sentence in said:
        assert set(re.findall(r"\w+", sentence.lower())).isdisjoint(CAUSES), sentence


def test_no_sentence_shows_what_is_not_dutch(said: list[tuple[dict[str, Any], str]]) -> None:
    for _, sentence in said:
        assert not re.search(r"None|nan|inf\b|_|  |\d-\d|(?<![\w])-\d", sentence), sentence
        assert not re.search(r"\d\.\d{1,2}(?!\d)", sentence), f"a decimal point: {sentence}"
        assert sentence.endswith(".")


def test_every_number_in_a_sentence_is_one_of_its_row(
    catalogue: Catalogue, said: list[tuple[dict[str, Any], str]]
) -> None:
    for row, sentence in said:
        indicator = catalogue.indicator(row["indicator_id"])
        is_score = indicator.unit == "score"
        figures = [
            row["value"],
            row["comparator_value"],
            *(s[ci] for s in row["sides"] for ci in ("ci_low", "ci_high")),
        ]
        shown = [grade(figure, SCALE) if is_score else figure for figure in figures if figure is not None]
        gaps = [row[name] for name in ("difference", "difference_ci_low", "difference_ci_high")]
        shown += [9 * gap if is_score else gap for gap in gaps if gap is not None]
        places = [1, 2, 3] if is_score else [indicator.decimals + more for more in (0, 1, 2)]
        allowed = {number(figure, place) for figure in shown for place in places}
        allowed |= {number(side["n"], 0) for side in row["sides"] if side["n"] is not None}
        if row["relative_difference"] is not None:
            allowed.add(number(row["relative_difference"], 1))
        allowed |= set(re.findall(r"\d+", f"{indicator.name_nl} {indicator.unit_nl} {row['reference_period']} 1 10"))
        found = re.findall(r"−?\d[\d.]*(?:,\d+)?", sentence)
        assert set(found) <= allowed, sentence


def test_every_made_up_row_of_the_edition_is_said_to_be_one(said: list[tuple[dict[str, Any], str]]) -> None:
    for row, sentence in said:
        made_up = any("synthetic" in source["warnings"] for source in (row, *row["sides"]))
        assert sentence.startswith(STAMP) == made_up


def test_every_sentence_carries_the_verdict_of_its_row(
    catalogue: Catalogue, said: list[tuple[dict[str, Any], str]]
) -> None:
    for row, sentence in said:
        label = catalogue.vocabulary["verdict"][row["verdict"]].label_nl
        assert label in sentence or "niets te zeggen" in sentence
        if row["verdict"] == "not_decidable":
            assert "aantoonbaar" not in sentence


def test_a_demonstrable_difference_is_not_shown_as_nought(said: list[tuple[dict[str, Any], str]]) -> None:
    """ "Verschil 0: aantoonbaar hoger" would make a reader doubt both."""
    for row, sentence in said:
        if row["verdict"] in ("better", "worse", "higher", "lower"):
            (shown,) = re.findall(r"Verschil (\S+?)[ :]", sentence)
            assert shown.strip("0,−"), sentence


# --- the headline


def test_the_headline_sentences_of_a_year(catalogue: Catalogue, tables: Callable[[str], pl.DataFrame]) -> None:
    """Weighted figures of 2021 and 2022, computed apart from this software; cores first, then the region."""
    sentences = headline_gaps(tables("comparison"), tables("indicator_value"), catalogue, 2022)
    assert len(sentences) == 2 * len(catalogue.headline_indicators)
    income, health = sentences[:2], sentences[4:6]
    assert "de stedelijke kernen 29,1, de plattelandsgemeenten 34,3 duizend euro" in income[0]
    assert "Twente 31,5, de rest van Nederland 33,7 duizend euro" in income[1]
    assert income[1].endswith("Verschil −2,2 (−6,5%): aantoonbaar slechter.")
    assert "de stedelijke kernen 67,0, de plattelandsgemeenten 72,9 procent" in health[0]
    assert health[0].endswith("is niet te zeggen (de bron geeft geen onzekerheidsmarge).")
    assert not any("voorlopig" in sentence for sentence in sentences)


def test_provisional_income_is_called_provisional(catalogue: Catalogue, tables: Callable[[str], pl.DataFrame]) -> None:
    sentences = headline_gaps(tables("comparison"), tables("indicator_value"), catalogue, 2025)
    income, others = sentences[:2], sentences[2:]
    assert all("voorlopig" in sentence for sentence in income)
    assert not any("voorlopig" in sentence for sentence in others)


def test_every_year_of_the_edition_has_its_headline(
    catalogue: Catalogue, tables: Callable[[str], pl.DataFrame]
) -> None:
    for year in catalogue.region.years:
        sentences = headline_gaps(tables("comparison"), tables("indicator_value"), catalogue, year, scale=SCALE)
        assert len(sentences) == len(set(sentences)) == 2 * len(catalogue.headline_indicators)
