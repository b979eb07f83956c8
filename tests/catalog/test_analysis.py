"""The settings of the analysis load; a mistake is refused with file, line and field, and says what was expected."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from catalog import Catalogue
from catalog.expression import names_in

if TYPE_CHECKING:
    from tests.catalog.conftest import Copy

FILE = "analysis.yaml"


@dataclass(frozen=True)
class Mistake:
    """`old` becomes `new`: the error names the changed line, `field` and what is `said`.

    Where a whole list is at fault, `line_of` is what the line that is named holds.
    """

    name: str
    old: str
    new: str
    field: str
    said: str
    line_of: str = ""


BTG = "framework: btg"
TREND, SEED = "{window_years: 8, minimum_points: 4}", "seed: 2022, weight_noise"
INCOME = "{indicator: income_standardised_mean, quantity: relative_to_nl}"
POVERTY, CRIME = "persons_in_poverty", "registered_crime_per_1000"
JOB, GOALPOSTS = "theme_id: btg_job_security", "experienced_income, goalposts: [0, 1]"
MISTAKES = [
    Mistake("no such setting", TREND, "{window_years: 8, minimum_points: 4, ends: 2}", "trend.ends", "not permitted"),
    Mistake("setting missing", TREND, "{window_years: 8}", "trend.minimum_points", "required"),
    Mistake("window too long", "window_years: 8", "window_years: 9", "window_years", "less than or equal to 8"),
    Mistake("window too short", "window_years: 8", "window_years: 2", "window_years", "greater than or equal to 3"),
    Mistake("two points", "minimum_points: 4", "minimum_points: 2", "minimum_points", "greater than or equal to 3"),
    Mistake("no skewness", "skewness: 2.0", "skewness: 0", "outliers.skewness", "greater than 0"),
    Mistake("no kurtosis", "kurtosis: 3.5", "kurtosis: 0", "outliers.kurtosis", "greater than 0"),
    Mistake("fewer than no outliers", "maximum: 5", "maximum: -1", "outliers.maximum", "greater than or equal to 0"),
    # frameworks
    Mistake("no such framework", BTG, "framework: oecd", "frameworks.0.framework", "'btg' or 'cbs'"),
    Mistake("layer of context", "layer: experienced", "layer: context", "frameworks.0.layer", "'official'"),
    Mistake("no coverage", "minimum_coverage: 0.8", "minimum_coverage: 0", "0.minimum_coverage", "greater than 0"),
    Mistake("more than all", "minimum_coverage: 0.8", "minimum_coverage: 80", "0.minimum_coverage", "equal to 1"),
    Mistake("no such theme", "theme_id: cbs_society", "theme_id: cbs_luck", "1.themes.3.theme_id", "'cbs_luck'"),
    Mistake(
        "theme twice", JOB, "theme_id: btg_income", "frameworks.0.themes", "theme listed twice: btg_income", "themes:"
    ),
    Mistake("theme of the other framework", JOB, "theme_id: cbs_safety", "0.themes", "another framework", "themes:"),
    Mistake("theme of nothing", "[{indicator: volunteering}, {indicator: loneliness}]", "[]", "indicators", "least 1"),
    Mistake("theme without weight", JOB, f"{JOB}, weight: 0", "0.themes.1.weight", "greater than 0"),
    # indicators of a framework
    Mistake("no such indicator", CRIME, "crime", "themes.4.indicators.0.indicator", "no indicator 'crime'"),
    Mistake(
        "indicator twice",
        "indicator: overweight",
        f"indicator: {CRIME}",
        "frameworks.1.themes",
        f"indicator listed twice: {CRIME}",
        "themes:",
    ),
    Mistake(
        "layers mixed", "indicator: overweight", "indicator: experienced_health", "indicators.1.indicator", "never mix"
    ),
    Mistake("context in a score", POVERTY, "population", "themes.0.indicators.1.indicator", "'population' is context"),
    Mistake("nominal euros", INCOME, "{indicator: income_standardised_mean}", "0.indicator", "use quantity: relative"),
    Mistake("no such quantity", "quantity: relative_to_nl", "quantity: relative", "indicators.0.quantity", "'value'"),
    Mistake("indicator without weight", POVERTY, f"{POVERTY}, weight: 0", "indicators.1.weight", "greater than 0"),
    Mistake("goalposts backwards", GOALPOSTS, GOALPOSTS.replace("[0, 1]", "[1, 0]"), "goalposts", "lie below"),
    Mistake("goalposts on one spot", GOALPOSTS, GOALPOSTS.replace("[0, 1]", "[1, 1]"), "goalposts", "lie below"),
    Mistake("one goalpost", GOALPOSTS, GOALPOSTS.replace("[0, 1]", "[1]"), "goalposts.1", "required"),
    # sensitivity
    Mistake("hardly any draws", "draws: 16384", "draws: 100", "sensitivity.draws", "greater than or equal to 256"),
    Mistake("few for Sobol", "sobol_base: 2048", "sobol_base: 1024", "sobol_base", "greater than or equal to 2048"),
    Mistake("no power of two", "sobol_base: 2048", "sobol_base: 3000", "sensitivity.sobol_base", "power of two"),
    Mistake("no seed", SEED, "seed: any, weight_noise", "sensitivity.seed", "valid integer"),
    Mistake("weights that do not vary", "weight_noise: 0.5", "weight_noise: 0", "weight_noise", "greater than 0"),
    Mistake("weights that vanish", "weight_noise: 0.5", "weight_noise: 1", "weight_noise", "less than 1"),
    Mistake("range backwards", "[5, 95]", "[95, 5]", "sensitivity.range_percent", "lower one first"),
    Mistake("range of a point", "[5, 95]", "[50, 50]", "sensitivity.range_percent", "lower one first"),
    Mistake("range below all", "[5, 95]", "[-5, 95]", "sensitivity.range_percent", "percentiles"),
    Mistake("range above all", "[5, 95]", "[5, 950]", "sensitivity.range_percent", "percentiles"),
    # structure
    Mistake("no such urbanity", "urbanity: urbanity_class", "urbanity: city", "urbanity", "no indicator 'city'"),
    Mistake("structure of nothing known", "expression: population / households", "expression: population / homes",
            "structure.4.expression", "not defined: homes"),
    Mistake("structure that calls", "expression: population / households", "expression: len(population)",
            "structure.4.expression", "only hold indicators"),
    Mistake("half a structure", "expression: population / households", "expression: population /",
            "structure.4.expression", "not an arithmetic expression"),
    Mistake("no such scale", "scale: log", "scale: root", "structure.0.scale", "'log'"),
    Mistake("variable in one language", ", name_en: inhabitants}", "}", "structure.0.name_en", "required"),
    # peers, typology, expectation
    Mistake("one peer", "{count: 10,", "{count: 1,", "peers.count", "greater than or equal to 2"),
    Mistake("group of nobody", "minimum_members: 5", "minimum_members: 0", "peers.minimum_members", "equal to 1"),
    Mistake("one type", "smallest: 3", "smallest: 1", "typology.smallest", "greater than or equal to 2"),
    Mistake("few bootstraps", "bootstraps: 100", "bootstraps: 5", "typology.bootstraps", "greater than or equal to 20"),
    Mistake("covers more than all", "coverage: 0.9,", "coverage: 90,", "expectation.coverage", "equal to 1"),
    Mistake("two folds", "folds: 10", "folds: 2", "expectation.folds", "greater than or equal to 3"),
    Mistake("of a handful", "minimum_municipalities: 100", "minimum_municipalities: 9", "municipalities", "to 30"),
]  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_a_mistake_is_refused_with_file_line_and_field(copy: Copy, mistake: Mistake) -> None:
    before = copy.text(FILE).splitlines()
    copy.replace(FILE, mistake.old, mistake.new)
    after = copy.text(FILE).splitlines()
    changed = next(place for place, line in enumerate(after) if before[place] != line) + 1
    said = re.fullmatch(r"(?P<path>.+\.yaml):(?P<line>\d+): (?P<field>[^:]+): (?P<what>.+)", copy.refusal(), re.DOTALL)
    assert said
    assert said["path"] == str(copy.path / FILE)
    assert said["field"].endswith(mistake.field), said["field"]
    assert mistake.said in said["what"], said["what"]
    assert int(said["line"]) <= changed
    assert (mistake.line_of or after[changed - 1]) in after[int(said["line"]) - 1], said["line"]


def test_what_is_neither_good_nor_bad_is_in_no_score(copy: Copy) -> None:
    file = "indicators/health.yaml"
    head, entry, tail = copy.text(file).partition("- indicator_id: perceived_health_good\n")
    assert "  polarity: 1\n" in tail
    copy.write(file, head + entry + tail.replace("  polarity: 1\n", "  polarity: 0\n", 1))
    message = copy.refusal()
    assert message.startswith(f"{copy.path / FILE}:{copy.line(FILE, 'indicator: perceived_health_good')}: ")
    assert "frameworks.1.themes.1.indicators.0.indicator: 'perceived_health_good' has polarity 0" in message


def test_the_file_must_be_there(copy: Copy) -> None:
    (copy.path / FILE).unlink()
    assert FILE in copy.refusal()


def test_the_fingerprint_of_the_catalogue_follows_the_analysis(copy: Copy, catalogue: Catalogue) -> None:
    copy.replace(FILE, "draws: 16384", "draws: 8192")
    assert copy.load().sha256 != catalogue.sha256


# --- what was agreed


def test_there_are_two_frameworks_of_one_layer_each(catalogue: Catalogue) -> None:
    frameworks = {framework.framework: framework for framework in catalogue.analysis.frameworks}
    assert {name: (one.layer, one.overall_id) for name, one in frameworks.items()} == {
        "btg": ("experienced", "btg_overall"),
        "cbs": ("official", "cbs_overall"),
    }
    # The eleven dimensions of the survey, each with the one score it has.
    assert [theme.theme_id for theme in frameworks["btg"].themes] == [
        theme.theme_id for theme in catalogue.themes if theme.framework == "btg"
    ]
    assert all(len(theme.indicators) == 1 for theme in frameworks["btg"].themes)


def test_weights_are_equal_unless_decided_otherwise(catalogue: Catalogue) -> None:
    themes = [theme for framework in catalogue.analysis.frameworks for theme in framework.themes]
    weights = {theme.weight for theme in themes} | {entry.weight for theme in themes for entry in theme.indicators}
    assert weights == {1.0}


def test_the_settings_are_those_that_were_asked_for(catalogue: Catalogue) -> None:
    """At most eight years, the range of 5 to 95%, at least 2,048 for Sobol, ten peers, intervals of 90%."""
    analysis = catalogue.analysis
    assert analysis.trend.window_years == 8
    assert analysis.sensitivity.range_percent == (5, 95)
    assert analysis.sensitivity.sobol_base >= 2048
    assert analysis.peers.count == 10
    assert analysis.expectation.coverage == 0.9


def test_structure_holds_nothing_that_a_score_holds(catalogue: Catalogue) -> None:
    """What municipalities are compared on may not be what they are compared in."""
    scored = {
        entry.indicator
        for framework in catalogue.analysis.frameworks
        for theme in framework.themes
        for entry in theme.indicators
    }
    structural = {name for variable in catalogue.analysis.structure for name in names_in(variable.expression)}
    assert {"population", "urbanity_class"} <= structural
    assert structural.isdisjoint(scored)
