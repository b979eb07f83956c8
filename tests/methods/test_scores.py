"""Theme scores of five municipalities, small enough to do by hand: goalposts, means, coverage, ranks and ranges."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import polars as pl
import pytest

from catalog import load_catalogue
from catalog.analysis_model import (
    AnalysisSettings,
    FrameworkIndicator,
    FrameworkSettings,
    FrameworkTheme,
    OutlierTreatment,
    SensitivitySettings,
)
from catalog.survey_model import GradeScale
from methods.framework import DEFAULT, METHODS, FrameworkError, framework_figures
from methods.measure import RegionRoles
from methods.scores import ScoreTables, score_tables
from tests.methods.small import table

MIN_MAX = "min_max_arithmetic"
OWN = ["GM0001", "GM0002", "GM0003"]
ROLES = RegionRoles(OWN, ["TWENTE"], "NL01", "NL_REST", [])
SETTINGS = AnalysisSettings.model_construct(
    outliers=OutlierTreatment(skewness=2, kurtosis=3.5, maximum=5),
    sensitivity=SensitivitySettings(draws=256, sobol_base=2048, seed=1, weight_noise=0.5, range_percent=(5, 95)),
)
GRADE = GradeScale(lowest=1, highest=10)
INDICATORS = pl.DataFrame({"indicator_id": ["green", "noise", "euros", "felt"], "polarity": [1, -1, 1, 1]})

OFFICIAL = FrameworkSettings(
    framework="cbs",
    layer="official",
    minimum_coverage=0.5,
    themes=[
        FrameworkTheme(
            theme_id="cbs_place",
            minimum_coverage=0.6,
            indicators=[FrameworkIndicator(indicator="green"), FrameworkIndicator(indicator="noise")],
        ),
        FrameworkTheme(
            theme_id="cbs_means",
            minimum_coverage=1,
            indicators=[FrameworkIndicator(indicator="euros", quantity="relative_to_nl")],
        ),
    ],
)
EXPERIENCED = FrameworkSettings(
    framework="btg",
    layer="experienced",
    minimum_coverage=1,
    themes=[
        FrameworkTheme(
            theme_id="btg_felt", minimum_coverage=1, indicators=[FrameworkIndicator(indicator="felt", goalposts=(0, 1))]
        )
    ],
)
# Goalposts at the baseline: green 10-50, noise 1-5 (low is favourable), euros -20% to 20% of the country's 100.
FIGURES = """
measurement_year region_code green noise euros felt
2022 GM0001  10 1  90  0.60
2022 GM0002  20 2 100  0.50
2022 GM0003  30 5 110  0.40
2022 GM0004  40 3 120  -
2022 GM0005  50 4  80  -
2022 TWENTE  30 2 100  0.55
2022 NL01    -  -  100 0.50
2023 GM0001  10 1  99  0.60
2023 GM0002  20 2 110  0.50
2023 GM0003  30 5 121  0.40
2023 GM0004  40 3 132  -
2023 GM0005  50 4  88  -
2023 TWENTE  30 2 110  0.55
2023 NL01    -  -  110 0.50
"""
# Change the figures, or what is known about them, of one indicator, region and year.
Change = dict[str, Any]


def figures(*changes: Change) -> pl.DataFrame:
    """indicator_value of the table above: registers, and a sample for `felt`; `changes` name the row and new cells."""
    wide = table(FIGURES, green=None, noise=None).cast(dict.fromkeys(("green", "noise", "euros", "felt"), pl.Float64))
    rows = wide.unpivot(index=["measurement_year", "region_code"], variable_name="indicator_id")
    sampled = pl.col("indicator_id") == "felt"
    rows = rows.with_columns(
        breakdown=pl.lit("total"),
        kind=pl.when(sampled).then(pl.lit("sample")).otherwise(pl.lit("register")),
        rounding_unit=pl.lit(0.0),
        source_table=pl.when(sampled).then(pl.lit("survey")).otherwise(pl.lit("count")),
        status=pl.when(pl.col("value").is_null()).then(pl.lit("not_measured")).otherwise(pl.lit("definitive")),
        standard_error=pl.when(sampled).then(0.02),
        ci_low=pl.lit(None, dtype=pl.Float64),
        ci_high=pl.lit(None, dtype=pl.Float64),
        warnings=pl.lit([], dtype=pl.List(pl.String)),
    )
    for change in changes:
        key = {name: change[name] for name in ("measurement_year", "region_code", "indicator_id") if name in change}
        cells = {name: cell for name, cell in change.items() if name not in key}
        here = pl.all_horizontal(pl.col(name) == cell for name, cell in key.items())
        rows = rows.with_columns(
            pl.when(here).then(pl.lit(cell, dtype=rows.schema[name])).otherwise(name).alias(name)
            for name, cell in cells.items()
        )
    return rows


def made(*changes: Change, frameworks: list[FrameworkSettings] | None = None) -> ScoreTables:
    chosen = [OFFICIAL, EXPERIENCED] if frameworks is None else frameworks
    return score_tables(figures(*changes), chosen, INDICATORS, ROLES, SETTINGS, 2022, GRADE)


@pytest.fixture(scope="module")
def ordinary() -> ScoreTables:
    return made()


def score(
    tables: ScoreTables, year: int, theme: str, region: str, method: str = "goalposts_arithmetic"
) -> dict[str, Any]:
    """The row of theme_score."""
    return tables.theme_score.row(
        by_predicate=(pl.col("measurement_year") == year)
        & (pl.col("theme_id") == theme)
        & (pl.col("region_code") == region)
        & (pl.col("method") == method),
        named=True,
    )


# By hand; 0.01 is the lowest score there is. green 1: lowest, noise 1: best, so the mean of 0.01 and 1.
@pytest.mark.parametrize(
    ("region", "place", "means"),
    [
        ("GM0001", (0.01 + 1) / 2, 0.25),
        ("GM0002", (0.25 + 0.75) / 2, 0.5),
        ("GM0003", (0.5 + 0.01) / 2, 0.75),
        ("GM0004", (0.75 + 0.5) / 2, 1.0),
        ("GM0005", (1 + 0.25) / 2, 0.01),
    ],
)
def test_a_score_is_the_mean_of_figures_on_the_scale_of_the_baseline(
    ordinary: ScoreTables, region: str, place: float, means: float
) -> None:
    assert score(ordinary, 2022, "cbs_place", region)["score"] == pytest.approx(place, abs=1e-12)
    assert score(ordinary, 2022, "cbs_means", region)["score"] == pytest.approx(means, abs=1e-12)
    overall = score(ordinary, 2022, "cbs_overall", region)
    assert overall["score"] == pytest.approx((place + means) / 2, abs=1e-12)
    assert overall["grade"] == pytest.approx(1 + 9 * (place + means) / 2, abs=1e-12)
    assert (overall["coverage"], overall["status"], overall["method_version"]) == (1, "definitive", "1")


def test_a_register_has_no_sampling_error_and_a_survey_its_own(ordinary: ScoreTables) -> None:
    counted, felt = score(ordinary, 2022, "cbs_place", "GM0001"), score(ordinary, 2022, "btg_felt", "GM0001")
    assert counted["standard_error"] == 0
    assert felt["standard_error"] == pytest.approx(0.02, abs=1e-12)
    assert [felt["ci_low"], felt["ci_high"]] == pytest.approx([0.6 - 1.959964 * 0.02, 0.6 + 1.959964 * 0.02], abs=1e-7)


def test_an_interval_stays_on_the_scale() -> None:
    row = score(made({"region_code": "GM0001", "indicator_id": "felt", "value": 0.02}), 2022, "btg_felt", "GM0001")
    assert (row["score"], row["ci_low"]) == (pytest.approx(0.02), 0)


def test_a_sampled_figure_without_margin_leaves_the_score_without_one() -> None:
    row = score(
        made({"region_code": "GM0001", "indicator_id": "felt", "standard_error": None}), 2022, "btg_felt", "GM0001"
    )
    assert row["score"] == pytest.approx(0.6)
    assert row["standard_error"] is row["ci_low"] is row["ci_high"] is None
    assert row["warnings"] == ["no_margin"]


def test_a_margin_alone_gives_the_standard_error_too() -> None:
    margin = {"standard_error": None, "ci_low": 0.5, "ci_high": 0.7}
    row = score(made({"region_code": "GM0001", "indicator_id": "felt", **margin}), 2022, "btg_felt", "GM0001")
    assert row["standard_error"] == pytest.approx(0.1 / 1.959964, abs=1e-7)


def test_errors_of_one_survey_add_up_and_those_of_two_do_not() -> None:
    """By hand: errors 0.1 and 0.05 of two scores; half of 0.15 together, half the root of the squares apart."""
    sampled = {"kind": "sample", "source_table": "panel"}
    green, noise = sampled | {"standard_error": 4.0}, sampled | {"standard_error": 0.2}
    together = made({"indicator_id": "green", **green}, {"indicator_id": "noise", **noise})
    apart = made({"indicator_id": "green", **green}, {"indicator_id": "noise", **noise, "source_table": "other"})
    assert score(together, 2022, "cbs_place", "GM0002")["standard_error"] == pytest.approx(0.075, abs=1e-12)
    expected = (0.1**2 + 0.05**2) ** 0.5 / 2
    assert score(apart, 2022, "cbs_place", "GM0002")["standard_error"] == pytest.approx(expected, abs=1e-12)


def test_the_error_of_a_relative_figure_is_a_percentage_of_the_country() -> None:
    """By hand: 4 of 110 is 3.636 per cent, on a scale of 40 per cent."""
    sampled = {"indicator_id": "euros", "kind": "sample", "standard_error": 4.0}
    row = score(made(sampled), 2023, "cbs_means", "GM0002")
    assert row["standard_error"] == pytest.approx(100 * 4 / 110 / 40, abs=1e-12)


def test_prices_that_rise_everywhere_move_no_score(ordinary: ScoreTables) -> None:
    """All euros of 2023 are those of 2022 plus ten per cent."""
    for region in [*OWN, "GM0004", "GM0005", "TWENTE", "NL01"]:
        before, after = (score(ordinary, year, "cbs_means", region)["score"] for year in (2022, 2023))
        assert after == pytest.approx(before, abs=1e-12)


def test_without_a_figure_of_the_country_nothing_is_relative_to_it() -> None:
    missing = {"measurement_year": 2023, "region_code": "NL01", "indicator_id": "euros", "value": None}
    row = score(made(missing | {"status": "not_retrieved"}), 2023, "cbs_means", "GM0001")
    assert (row["score"], row["rank"], row["status"]) == (None, None, "not_published")


def test_a_later_figure_moves_no_scale_and_no_other_score(ordinary: ScoreTables) -> None:
    extreme = {"measurement_year": 2023, "region_code": "GM0004", "indicator_id": "green", "value": 500.0}
    moved = made(extreme)
    assert moved.framework_element.equals(ordinary.framework_element)
    before, after = (tables.theme_score.filter(pl.col("measurement_year") == 2022) for tables in (ordinary, moved))
    assert after.equals(before)
    others = (pl.col("measurement_year") == 2023) & pl.col("method").str.starts_with("goalposts")
    others &= pl.col("region_code") != "GM0004"
    columns = ["theme_id", "region_code", "method", "score", "rank", "standard_error"]
    before, after = (tables.theme_score.filter(others).select(columns) for tables in (ordinary, moved))
    assert after.equals(before)
    assert score(moved, 2023, "cbs_place", "GM0004")["score"] == pytest.approx((1 + 0.5) / 2)


def test_the_elements_say_what_a_score_is_made_of(ordinary: ScoreTables) -> None:
    rows = {row["element_id"]: row for row in ordinary.framework_element.to_dicts()}
    names = ["level", "parent_id", "quantity", "polarity", "weight", "goalpost_low", "goalpost_high", "goalpost_origin"]
    assert [rows["noise"][name] for name in names] == [1, "cbs_place", "value", -1, 0.5, 1, 5, "baseline"]
    assert [rows["felt"][name] for name in names] == [1, "btg_felt", "value", 1, 1, 0, 1, "chosen"]
    assert [rows["cbs_means"][name] for name in names] == [2, "cbs_overall", None, 1, 0.5, None, None, None]
    assert [rows["cbs_overall"][name] for name in names] == [3, None, None, 1, 1, None, None, None]
    euros = [rows["euros"][name] for name in ("quantity", "goalpost_low", "goalpost_high", "winsorised")]
    assert euros == ["relative_to_nl", pytest.approx(-20), pytest.approx(20), 0]
    assert rows["cbs_place"]["minimum_coverage"] == 0.6


def test_weights_by_component_stand_where_there_are_two_parts_to_weigh(ordinary: ScoreTables) -> None:
    weights = dict(ordinary.framework_element.select("element_id", "pca_weight").iter_rows())
    # Two standardised columns always share their first component evenly.
    assert [weights[name] for name in ("green", "noise", "cbs_place", "cbs_means")] == pytest.approx([0.5] * 4)
    assert [weights[name] for name in ("euros", "cbs_overall", "felt", "btg_felt", "btg_overall")] == [None] * 5


def test_one_outlier_does_not_set_the_scale() -> None:
    """Eight municipalities of which one has a hundred times as many euros: winsorised to the next."""
    extra = figures().filter(region_code="GM0005")
    more = [extra.with_columns(region_code=pl.lit(f"GM001{n}"), value=pl.col("value") + n) for n in range(3)]
    outlier = {"measurement_year": 2022, "region_code": "GM0004", "indicator_id": "green", "value": 5000.0}
    values = pl.concat([figures(outlier), *more])
    tables = score_tables(values, [OFFICIAL], INDICATORS, ROLES, SETTINGS, 2022, GRADE)
    green = tables.framework_element.row(by_predicate=pl.col("element_id") == "green", named=True)
    assert (green["goalpost_low"], green["goalpost_high"], green["winsorised"]) == (10, 52, 1)
    # At the baseline the scale of the year is the fixed one, outliers treated alike.
    fixed, of_year = (score(tables, 2022, "cbs_place", "GM0002", method)["score"] for method in (DEFAULT, MIN_MAX))
    assert of_year == pytest.approx(fixed, abs=1e-12)


def test_too_little_coverage_gives_a_reason_and_never_a_rank() -> None:
    hidden = {"measurement_year": 2022, "region_code": "GM0002", "indicator_id": "noise", "value": None}
    unused = {"measurement_year": 2022, "region_code": "GM0002", "indicator_id": "green", "warnings": ["small_n"]}
    tables = made(hidden | {"status": "suppressed"}, unused)
    for method in METHODS:
        row = score(tables, 2022, "cbs_place", "GM0002", method)
        assert (row["coverage"], row["status"], row["warnings"]) == (0.5, "not_published", [])
        assert {
            row[name] for name in ("score", "grade", "ci_low", "standard_error", "rank", "rank_low", "rank_of")
        } == {None}
    assert [score(tables, 2022, "cbs_place", region)["rank_of"] for region in ("GM0001", "GM0003")] == [2, 2]
    here = (pl.col("measurement_year") == 2022) & (pl.col("theme_id") == "cbs_place")
    for frame in (tables.sensitivity, tables.sensitivity_pair):
        assert "GM0002" not in frame.filter(here)["region_code"].to_list()
    # The overall score does without the theme: half of its weight is enough, but it is another mixture than at ...
    overall = score(tables, 2022, "cbs_overall", "GM0002")
    assert (overall["score"], overall["coverage"], overall["warnings"]) == (pytest.approx(0.5), 0.5, [])
    # ... the baseline, which a later year with all figures says.
    assert score(tables, 2023, "cbs_overall", "GM0002")["warnings"] == ["definition_differs"]
    assert score(tables, 2023, "cbs_place", "GM0002")["warnings"] == []


def test_without_a_score_there_is_nothing_to_warn_of_or_compare_with() -> None:
    hidden = {"measurement_year": 2022, "region_code": "GM0002", "indicator_id": "noise", "value": None}
    warned = {"measurement_year": 2022, "region_code": "GM0002", "indicator_id": "euros", "warnings": ["small_n"]}
    complete = OFFICIAL.model_copy(update={"minimum_coverage": 1})
    tables = made(hidden | {"status": "suppressed"}, warned, frameworks=[complete])
    assert score(tables, 2022, "cbs_means", "GM0002")["warnings"] == ["small_n"]
    overall = score(tables, 2022, "cbs_overall", "GM0002")
    assert (overall["score"], overall["status"], overall["warnings"]) == (None, "not_published", [])
    assert score(tables, 2023, "cbs_overall", "GM0002")["warnings"] == []


def test_a_theme_that_nobody_has_moves_no_overall_rank() -> None:
    """Half of place has a figure, which is too little: the overall score is that of means, in every draw."""
    tables = made({"measurement_year": 2023, "indicator_id": "green", "value": None, "status": "not_retrieved"})
    rows = tables.sensitivity.filter(framework="cbs", measurement_year=2023, among="region")
    assert rows["theme_id"].unique().sort().to_list() == ["cbs_means", "cbs_overall"]
    assert rows.select((pl.col("rank_high") - pl.col("rank_low")).max()).item() == 0


def test_an_overall_score_that_nobody_has_is_not_ranked_by_draws_either() -> None:
    complete = OFFICIAL.model_copy(update={"minimum_coverage": 1})
    missing = {"measurement_year": 2023, "indicator_id": "green", "value": None, "status": "not_retrieved"}
    tables = made(missing, frameworks=[complete])
    for frame in (tables.sensitivity, tables.sensitivity_pair, tables.sensitivity_factor):
        assert frame.filter(measurement_year=2023)["theme_id"].unique().to_list() == ["cbs_means"]


def test_without_any_figure_the_reason_is_that_of_the_figures() -> None:
    none = {"measurement_year": 2023, "region_code": "GM0002", "value": None}
    tables = made(
        none | {"indicator_id": "green", "status": "suppressed"},
        none | {"indicator_id": "noise", "status": "suppressed"},
        none | {"indicator_id": "euros", "status": "not_retrieved"},
        none | {"indicator_id": "felt", "status": "not_measured"},
    )
    themes = ["cbs_place", "cbs_means", "cbs_overall", "btg_felt"]
    statuses = [score(tables, 2023, theme, "GM0002")["status"] for theme in themes]
    assert statuses == ["suppressed", "not_retrieved", "suppressed", "not_measured"]


def test_a_region_without_figures_has_its_rows_all_the_same() -> None:
    values = figures().filter(pl.col("region_code") != "GM0003")
    tables = score_tables(values, [OFFICIAL], INDICATORS, ROLES, SETTINGS, 2022, GRADE)
    for region in ("GM0003", "NL_REST"):
        row = score(tables, 2022, "cbs_place", region)
        assert (row["score"], row["coverage"], row["status"], row["warnings"]) == (None, 0, "not_measured", [])
    assert score(tables, 2022, "cbs_place", "GM0001")["rank_of"] == 2


def test_an_indicator_without_a_baseline_counts_in_no_year() -> None:
    tables = made({"measurement_year": 2022, "indicator_id": "noise", "value": None, "status": "not_measured"})
    noise = tables.framework_element.row(by_predicate=pl.col("element_id") == "noise", named=True)
    assert [noise[name] for name in ("goalpost_low", "goalpost_high", "goalpost_origin")] == [None] * 3
    row = score(tables, 2023, "cbs_place", "GM0001")
    assert (row["score"], row["coverage"], row["status"]) == (None, 0.5, "not_published")


def test_a_figure_of_another_definition_does_not_count() -> None:
    other = {"measurement_year": 2023, "indicator_id": "euros", "warnings": ["definition_differs"]}
    tables = made(other)
    means = score(tables, 2023, "cbs_means", "GM0001")
    assert (means["score"], means["status"], means["warnings"]) == (None, "not_published", ["definition_differs"])
    overall = score(tables, 2023, "cbs_overall", "GM0001")
    assert overall["score"] == pytest.approx((0.01 + 1) / 2)
    assert overall["warnings"] == ["definition_differs"]


def test_a_score_is_as_firm_as_its_weakest_figure() -> None:
    tables = made(
        {"region_code": "GM0001", "indicator_id": "green", "status": "provisional"},
        {"region_code": "GM0002", "indicator_id": "green", "status": "provisional"},
        {"region_code": "GM0002", "indicator_id": "euros", "status": "estimated", "warnings": ["model_based"]},
    )
    assert score(tables, 2022, "cbs_place", "GM0001")["status"] == "provisional"
    assert score(tables, 2022, "cbs_means", "GM0001")["status"] == "definitive"
    overall = score(tables, 2022, "cbs_overall", "GM0002")
    assert (overall["status"], overall["warnings"]) == ("estimated", ["model_based", "no_margin"])


def test_a_group_is_scored_by_its_own_figures_and_never_ranked(ordinary: ScoreTables) -> None:
    for method in METHODS:
        row = score(ordinary, 2022, "cbs_place", "TWENTE", method)
        assert row["score"] is not None
        assert row["rank"] is row["rank_low"] is row["rank_high"] is row["rank_of"] is None
    assert score(ordinary, 2022, "cbs_place", "TWENTE")["score"] == pytest.approx((0.5 + 0.75) / 2)


def test_the_figure_of_a_group_sets_no_scale(ordinary: ScoreTables) -> None:
    tables = made({"region_code": "TWENTE", "indicator_id": "green", "value": 90.0})
    assert tables.framework_element.equals(ordinary.framework_element)


def test_other_methods_are_of_the_own_municipalities_and_groups(ordinary: ScoreTables) -> None:
    rows = ordinary.theme_score.filter(framework="cbs", measurement_year=2022)
    regions = {method: sorted(rows.filter(method=method)["region_code"].unique()) for method in METHODS}
    here = [*OWN, "NL01", "NL_REST", "TWENTE"]
    assert regions == dict.fromkeys(METHODS, here) | {DEFAULT: [*OWN, "GM0004", "GM0005", *here[3:]]}


def test_other_methods_by_hand(ordinary: ScoreTables) -> None:
    """GM0002 has theme scores 0.5 of 0.25 and 0.75, and 0.5; by place it is second of five twice, then third."""
    geometric, harmonic = (0.25 * 0.75) ** 0.5, 2 / (1 / 0.25 + 1 / 0.75)
    expected = {
        "goalposts_geometric": (geometric, (geometric * 0.5) ** 0.5),
        "goalposts_harmonic": (harmonic, 2 / (1 / harmonic + 1 / 0.5)),
        "min_max_arithmetic": (0.5, 0.5),
        "percentile_arithmetic": (0.5, 0.5),
        # z-scores -0.632 and -(-0.632) lie as far from the mean on either side.
        "z_score_arithmetic": (0.5, 0.5),
        "goalposts_arithmetic_pca": (0.5, 0.5),
    }
    for method, scores in expected.items():
        found = [score(ordinary, 2022, theme, "GM0002", method)["score"] for theme in ("cbs_place", "cbs_overall")]
        assert found == pytest.approx(scores, abs=1e-12), method


def test_ranks_are_from_unrounded_scores_and_never_without_their_range(ordinary: ScoreTables) -> None:
    ranks = [score(ordinary, 2022, "cbs_overall", region)["rank"] for region in OWN]
    assert ranks == [3, 2, 1]  # 0.3775, 0.5 and 0.5025
    ranked = ordinary.theme_score.filter(pl.col("rank").is_not_null())
    assert ranked.filter(pl.col("rank").is_between("rank_low", "rank_high")).height == ranked.height > 0
    assert ranked.filter(~pl.col("region_code").is_in(OWN)).is_empty()
    unranked = ordinary.theme_score.filter(pl.col("rank").is_null())
    assert unranked.select(pl.col("rank_low", "rank_high", "rank_of").is_null().all()).row(0) == (True, True, True)


def test_a_range_holds_the_rank_also_where_most_draws_say_otherwise() -> None:
    narrow = SETTINGS.sensitivity.model_copy(update={"range_percent": (49, 50)})
    settings = SETTINGS.model_copy(update={"sensitivity": narrow})
    tables = score_tables(figures(), [OFFICIAL], INDICATORS, ROLES, settings, 2022, GRADE)
    rows = tables.theme_score.filter(pl.col("rank").is_not_null())
    median = tables.sensitivity.filter(among="region").select(
        "measurement_year", "theme_id", "region_code", "rank_median"
    )
    moved = rows.join(median, ["measurement_year", "theme_id", "region_code"]).filter(
        (pl.col("rank") - pl.col("rank_median")).abs() >= 1
    )
    assert moved.height > 0
    assert rows.filter(~pl.col("rank").is_between("rank_low", "rank_high")).is_empty()


def test_the_range_is_wider_where_methods_disagree(ordinary: ScoreTables) -> None:
    rows = ordinary.sensitivity.filter(pl.col("measurement_year") == 2022, pl.col("among") == "region")
    widths = rows.with_columns(width=pl.col("rank_high") - pl.col("rank_low"))
    of_theme = dict(widths.group_by("theme_id").agg(pl.col("width").max()).iter_rows())
    # One indicator without sampling error: no choice moves a place.
    assert of_theme["cbs_means"] == 0
    assert of_theme["cbs_overall"] > 0
    alone = rows.filter(pl.col("theme_id") == "btg_felt")
    # By sampling alone 0.6, 0.5 and 0.4 with errors of 0.02 are told apart: 0.1 is 3.5 standard errors of a difference.
    assert alone.select("rank", "sampling_rank_low", "sampling_rank_high").rows() == [(1, 1, 1), (2, 2, 2), (3, 3, 3)]


def test_places_among_all_municipalities_stand_beside_those_in_the_region(ordinary: ScoreTables) -> None:
    country = ordinary.sensitivity.filter(pl.col("among") == "country", pl.col("measurement_year") == 2022)
    assert country["framework"].unique().to_list() == ["cbs"]  # no municipality elsewhere has an experienced figure
    means = country.filter(pl.col("theme_id") == "cbs_means").select("region_code", "rank", "rank_of").rows()
    assert means == [("GM0001", 4, 5), ("GM0002", 3, 5), ("GM0003", 2, 5)]
    assert ordinary.sensitivity["draws"].unique().to_list() == [256]


def test_of_every_pair_the_two_shares_add_up_to_all_draws(ordinary: ScoreTables) -> None:
    pairs = ordinary.sensitivity_pair
    key = ["measurement_year", "framework", "theme_id"]
    codes = ["region_code", "comparator_code"]
    both = pairs.join(pairs, left_on=[*key, *codes], right_on=[*key, *codes[::-1]])
    assert both.height == pairs.height == 2 * 5 * 6  # years, elements, ordered pairs of three
    np.testing.assert_allclose(both["ahead_share"] + both["ahead_share_right"], 100, atol=1e-9)
    means = pairs.filter(theme_id="cbs_means", measurement_year=2022, region_code="GM0003")
    assert means["ahead_share"].to_list() == [100, 100]


def test_what_moves_ranks_is_said_and_nothing_where_nothing_does(ordinary: ScoreTables) -> None:
    factors = ordinary.sensitivity_factor.filter(measurement_year=2022)
    still = factors.filter(theme_id="cbs_means")
    assert still["mean_rank_shift"].to_list() == [0] * 5
    assert still["first_order"].null_count() == still["total_order_ci_high"].null_count() == 5
    moving = factors.filter(theme_id="cbs_overall")
    assert moving["total_order"].null_count() == 0
    assert (moving["mean_rank_shift"] > 0).all()
    # A register has no sampling error: it explains nothing.
    assert moving.row(by_predicate=pl.col("factor") == "sampling_error", named=True)["total_order"] == pytest.approx(0)


def test_equal_figures_give_equal_ranges_in_every_year(ordinary: ScoreTables) -> None:
    """The experienced figures of 2023 are those of 2022."""
    rows = ordinary.sensitivity.filter(framework="btg").drop("measurement_year")
    assert rows.head(rows.height // 2).equals(rows.tail(rows.height // 2))


def test_an_indicator_that_nobody_has_is_no_choice(ordinary: ScoreTables) -> None:
    """Leaving out what has no figure changes nothing, so it must not make the range look firmer."""
    planned = FrameworkTheme(
        theme_id="cbs_later", minimum_coverage=1, indicators=[FrameworkIndicator(indicator="later")]
    )
    wider = OFFICIAL.model_copy(update={"themes": [planned, *OFFICIAL.themes]})
    known = pl.concat([INDICATORS, pl.DataFrame({"indicator_id": ["later"], "polarity": [1]})])
    tables = score_tables(figures(), [wider], known, ROLES, SETTINGS, 2022, GRADE)
    ordinary_rows = ordinary.sensitivity.filter(framework="cbs")
    columns = ["rank", "rank_low", "rank_high", "rank_median", "score"]
    assert tables.sensitivity.select(columns).equals(ordinary_rows.select(columns))
    assert score(tables, 2022, "cbs_later", "GM0001")["status"] == "not_measured"
    assert score(tables, 2022, "cbs_overall", "GM0001")["coverage"] == pytest.approx(2 / 3)
    # Weights by component stand beside the chosen ones: what two of three themes weigh is divided, the third has none.
    weights = tables.framework_element.filter(level=2).sort("element_id")["pca_weight"].to_list()
    assert weights == [None, pytest.approx(1 / 3), pytest.approx(1 / 3)]


def test_frameworks_are_never_mixed(ordinary: ScoreTables) -> None:
    for framework in (OFFICIAL, EXPERIENCED):
        alone = made(frameworks=[framework])
        for field in fields(ScoreTables):
            together = getattr(ordinary, field.name).filter(framework=framework.framework)
            assert together.equals(getattr(alone, field.name)), field.name


def test_the_order_of_rows_does_not_matter(ordinary: ScoreTables) -> None:
    shuffled = figures().sample(fraction=1, shuffle=True, seed=3)
    tables = score_tables(shuffled, [EXPERIENCED, OFFICIAL], INDICATORS, ROLES, SETTINGS, 2022, GRADE)
    for field in fields(ScoreTables):
        assert getattr(tables, field.name).equals(getattr(ordinary, field.name)), field.name


def test_how_elements_hang_together(ordinary: ScoreTables) -> None:
    """Scores of five municipalities by hand; correlation against numpy."""
    green, noise = [0.01, 0.25, 0.5, 0.75, 1], [1, 0.75, 0.01, 0.5, 0.25]
    expected = np.corrcoef(green, noise)[0, 1]
    rows = ordinary.coherence.filter(measurement_year=2022, theme_id="cbs_place")
    found = {tuple(row[:3]): row[3:] for row in rows.drop("measurement_year", "framework", "theme_id").iter_rows()}
    assert found["correlation", "green", "noise"] == (pytest.approx(expected, abs=1e-12), 5)
    # Two standardised columns: components of (1 + |r|) / 2 and (1 - |r|) / 2.
    assert found["pca_explained_share", "component_1", "component_1"][0] == pytest.approx((1 + abs(expected)) / 2)
    assert {key[0] for key in found} == {
        *("correlation", "cronbach_alpha", "pca_explained_share", "pca_loading", "effective_weight"),
    }
    effective = [found["effective_weight", name, name][0] for name in ("green", "noise")]
    assert sum(effective) == pytest.approx(1)
    # A theme of one indicator has nothing to hang together.
    assert set(ordinary.coherence["theme_id"]) == {"cbs_place", "cbs_overall"}


def test_fewer_than_five_municipalities_say_nothing_about_coherence() -> None:
    tables = made({"region_code": "GM0005", "indicator_id": "noise", "value": None, "status": "suppressed"})
    rows = tables.coherence.filter(theme_id="cbs_place")
    assert rows["value"].null_count() == rows.height > 0
    assert rows.filter(measure="correlation")["municipalities"].to_list() == [4, 4]


def test_breakdowns_and_other_groups_have_no_score() -> None:
    women = figures().with_columns(breakdown=pl.lit("sex=female"), value=pl.col("value") * 2)
    province = figures().filter(region_code="TWENTE").with_columns(region_code=pl.lit("PV23"))
    tables = score_tables(pl.concat([figures(), women, province]), [OFFICIAL], INDICATORS, ROLES, SETTINGS, 2022, GRADE)
    assert "PV23" not in tables.theme_score["region_code"]
    assert score(tables, 2022, "cbs_place", "TWENTE")["score"] == pytest.approx((0.5 + 0.75) / 2)


def test_a_year_without_measurement_stays_a_gap() -> None:
    gap = {"measurement_year": 2023, "indicator_id": "felt", "value": None, "status": "not_measured"}
    tables = made(gap, frameworks=[EXPERIENCED])
    later = tables.theme_score.filter(measurement_year=2023)
    assert later["score"].null_count() == later.height > 0
    assert later["status"].unique().to_list() == ["not_measured"]
    for frame in (tables.sensitivity, tables.sensitivity_pair, tables.sensitivity_factor):
        assert frame["measurement_year"].unique().to_list() == [2022]


def test_without_any_score_the_tables_are_there_and_empty() -> None:
    tables = made({"value": None, "status": "not_retrieved"} | {"indicator_id": "felt"}, frameworks=[EXPERIENCED])
    assert tables.sensitivity.is_empty()
    assert tables.theme_score["score"].null_count() == tables.theme_score.height > 0
    assert set(tables.theme_score.filter(pl.col("region_code").is_in(OWN))["status"]) == {"not_retrieved"}


def test_frames_have_the_published_columns(ordinary: ScoreTables) -> None:
    registry = load_catalogue().registry
    empty = made({"indicator_id": "felt", "value": None, "status": "not_measured"}, frameworks=[EXPERIENCED])
    for tables in (ordinary, empty):
        for field in fields(ScoreTables):
            frame, published = getattr(tables, field.name), registry[field.name]
            assert dict(frame.schema) == published.polars_schema, field.name
            assert frame.columns == published.column_names, field.name
            assert not frame.select(published.key).is_duplicated().any(), field.name
            assert sum(frame.select(published.required).null_count().row(0)) == 0, field.name
            assert published.conform(frame).equals(frame), field.name


@pytest.mark.parametrize("polarity", [0, None])
def test_an_indicator_that_is_neither_good_nor_bad_has_no_place_in_a_score(polarity: int | None) -> None:
    indicators = INDICATORS.with_columns(
        polarity=pl.when(indicator_id="noise").then(pl.lit(polarity, dtype=pl.Int64)).otherwise("polarity")
    )
    with pytest.raises(FrameworkError, match="noise: a score needs an indicator of polarity 1 or -1, found"):
        score_tables(figures(), [OFFICIAL], indicators, ROLES, SETTINGS, 2022, GRADE)


def test_a_figure_that_stands_twice_is_refused() -> None:
    values = figures()
    with pytest.raises(FrameworkError, match="more than one figure"):
        score_tables(pl.concat([values, values.head(1)]), [OFFICIAL], INDICATORS, ROLES, SETTINGS, 2022, GRADE)


def test_no_framework_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least one framework"):
        score_tables(figures(), [], INDICATORS, ROLES, SETTINGS, 2022, GRADE)


def test_rounding_is_part_of_the_error_of_a_score() -> None:
    """A figure rounded to whole units may be anywhere within one: a standard deviation of 1 / sqrt(12)."""
    rows = figures().filter(pl.col("kind") == "register", pl.col("value").is_not_null())
    whole = rows.with_columns(rounding_unit=pl.lit(1.0))
    exact, rounded = (framework_figures(frame, OFFICIAL, ROLES) for frame in (rows, whole))
    assert set(exact["standard_error"].drop_nulls()) == {0.0}
    plain = rounded.filter(pl.col("indicator_id") == "green")["standard_error"].drop_nulls().to_list()
    assert plain == pytest.approx([1 / 12**0.5] * len(plain), rel=1e-12)
