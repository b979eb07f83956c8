"""The survey's figures in the demo: near the known truth of the invented waves, and in agreement with each other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from catalog import Catalogue
from catalog.load import load_catalogue
from sources.survey.synthetic import synthetic_wave

YEARS = [2022, 2023, 2025]
CELL = ["measurement_year", "variable_id", "region_code", "breakdown"]
# What a published figure may differ from the computed one by rounding: half a unit of its last decimal.
HALF_MEAN, HALF_SHARE = 0.0005, 0.05
NUMBERS = ["value", "ci_low", "ci_high", "standard_error", "grade", "grade_ci_low", "grade_ci_high", "n"]


def table(edition: Path, name: str) -> pl.DataFrame:
    return pl.read_parquet(edition / "editions" / "2025-draft" / "parquet" / f"{name}.parquet")


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.fixture(scope="module")
def truth(edition: Path, catalogue: Catalogue) -> pl.DataFrame:
    """What everybody's answers would give, counted over the invented population; it depends on no sample.

    By the cells of survey_estimate: truth by statistic, and adults.
    """
    region, survey = catalogue.region, catalogue.survey
    inhabitants = (
        table(edition, "observation")
        .filter(pl.col("region_code").str.starts_with("GM") & (pl.col("value") > 0), indicator_id="population")
        .unique(["region_code", "period"], keep="first", maintain_order=True)
    )
    found = []
    for year in YEARS:
        of_year = inhabitants.filter(period=str(year))
        people = {code: int(number) for code, number in of_year.select("region_code", "value").iter_rows()}
        others = sorted(set(people) - set(region.municipalities))
        groups = {**region.own_groups, "NL01": [*region.municipalities, "NL_REST"]}
        wave = survey.waves[f"synthetic_{year}"]
        made = synthetic_wave(wave, survey.settings, region.municipalities, others, people, seed=1, groups=groups)
        found.append(made.truth.with_columns(measurement_year=pl.lit(year, pl.Int32)))
    return (
        pl.concat(found)
        .rename({"variable": "variable_id", "population": "adults"})
        .unpivot(["mean", "share"], index=[*CELL, "adults"], variable_name="statistic", value_name="truth")
    )


@pytest.fixture(scope="module")
def published(edition: Path, truth: pl.DataFrame) -> pl.DataFrame:
    """Every published estimate with its truth and `half`, the rounding of the figure."""
    half = pl.when(statistic="mean").then(HALF_MEAN).otherwise(HALF_SHARE)
    estimates = table(edition, "survey_estimate").filter(pl.col("value").is_not_null())
    joined = estimates.join(truth, [*CELL, "statistic"], how="left").with_columns(half=half)
    assert joined["truth"].null_count() == 0
    return joined


# --- against the truth


def test_the_figures_of_every_region_are_near_the_truth(published: pl.DataFrame) -> None:
    """Within 4.5 standard errors.

    That of a share by Wilson's argument also as it would be if the share were what it truly is: near 100% a sample that
    is too high by chance gives too small a standard error.
    """
    totals = published.filter(breakdown="total")
    assert totals.height > 2500
    assert set(totals["region_code"]) >= {"TWENTE", "URBAN_CORE", "RURAL", "NL01", "NL_REST", "GM0141", "GM0153"}
    distance = (pl.col("value") - pl.col("truth")).abs() - pl.col("half")
    at_truth = (pl.col("truth") * (100 - pl.col("truth")) / pl.col("n_effective")).sqrt()
    error = pl.when(statistic="share").then(pl.max_horizontal("standard_error", at_truth)).otherwise("standard_error")
    far = totals.filter(distance > 4.5 * error)
    assert far.is_empty(), far


def test_estimates_have_no_bias_and_as_much_spread_as_they_say(published: pl.DataFrame) -> None:
    """Of means: z has mean 0 and variance 1, with room for chance: all figures of a region are of the same people."""
    z = (
        published.filter(statistic="mean", breakdown="total")
        .select(z=(pl.col("value") - pl.col("truth")) / pl.col("standard_error"))
        .to_series()
        .to_numpy()
    )
    assert abs(np.mean(z)) < 0.3
    assert 0.8 < np.mean(z**2) < 1.2


def test_intervals_hold_the_truth_as_often_as_they_say(published: pl.DataFrame) -> None:
    """95% of them; of all breakdowns together, for one draw of three waves."""
    held = pl.col("truth").is_between(pl.col("ci_low") - pl.col("half"), pl.col("ci_high") + pl.col("half"))
    for statistic in ("mean", "share"):
        assert 0.93 < published.filter(statistic=statistic).select(held.mean()).item() < 0.98


def test_the_people_a_figure_stands_for_are_the_adults_but_for_questions_left_open(published: pl.DataFrame) -> None:
    """By those who answered it: at most 15% fewer than there are in a region, and never more than 1% too many."""
    totals = published.filter(breakdown="total")
    share = totals.select(pl.col("population") / pl.col("adults")).to_series()
    assert share.is_between(0.85, 1.01).all(), share.describe()
    assert (published["population"] % 10 == 0).all()
    assert (published["population"] >= 10 * (published["n"] // 10)).all(), "everybody stands for at least one"


# --- one figure


def test_the_grade_is_the_score_on_another_scale_and_back_without_loss(edition: Path, catalogue: Catalogue) -> None:
    """The grade of a score x is 1 + 9 x."""
    scale = catalogue.survey.settings.grade
    assert (scale.lowest, scale.highest) == (1, 10)
    estimates = table(edition, "survey_estimate")
    means = estimates.filter(pl.col("value").is_not_null(), statistic="mean")
    for score, grade in (("value", "grade"), ("ci_low", "grade_ci_low"), ("ci_high", "grade_ci_high")):
        assert means.select((pl.col(grade) - 1 - 9 * pl.col(score)).abs().max()).item() < 1e-12
        assert means.select(((pl.col(grade) - 1) / 9 - pl.col(score)).abs().max()).item() < 1e-12
    assert estimates.filter(statistic="share")["grade"].null_count() == estimates.filter(statistic="share").height


def test_an_interval_of_a_mean_follows_from_its_standard_error(published: pl.DataFrame) -> None:
    """Half its width is t(0.975, df) standard errors; all three are rounded when they are published."""
    from scipy.stats import t

    means = published.filter(statistic="mean")
    half_width = ((means["ci_high"] - means["ci_low"]) / 2).to_numpy()
    expected = t.ppf(0.975, means["degrees_of_freedom"].to_numpy()) * means["standard_error"].to_numpy()
    assert np.abs(half_width - expected).max() < HALF_MEAN + 2.1 * HALF_MEAN


def test_intervals_of_shares_stay_within_the_scale(published: pl.DataFrame) -> None:
    shares = published.filter(statistic="share")
    assert shares.select(pl.col("ci_low").min()).item() >= 0
    assert shares.select(pl.col("ci_high").max()).item() <= 100
    assert shares.select((pl.col("value").is_between("ci_low", "ci_high")).all()).item()


def test_of_a_hidden_cell_nothing_is_said(edition: Path) -> None:
    hidden = table(edition, "survey_estimate").filter(status="suppressed")
    assert hidden.height > 0
    said = [*NUMBERS, "n_effective", "degrees_of_freedom"]
    assert hidden.select(said).null_count().row(0) == (hidden.height,) * len(said)
    own = hidden.filter(pl.col("variable_id") == pl.col("indicator_id"), statistic="mean")
    for name in ("indicator_value", "observation"):
        year = (
            pl.col("measurement_year") if name == "indicator_value" else pl.col("period").cast(pl.Int32, strict=False)
        )
        shown = table(edition, name).with_columns(measurement_year=year).filter(status="definitive")
        again = own.join(shown, ["measurement_year", "indicator_id", "region_code", "breakdown"], how="semi")
        assert again.is_empty(), name


def test_no_figure_is_made_of_few_answers_and_small_numbers_are_flagged(published: pl.DataFrame) -> None:
    assert published["n"].min() >= 30  # type: ignore[operator]
    flagged = published["warnings"].list.contains("small_n")
    assert (flagged == (published["n"] < 50)).all()


# --- figures together


def test_a_whole_is_the_mean_of_its_parts(published: pl.DataFrame) -> None:
    """By sex and age, in the whole region: parts weighted by inhabitants give the whole.

    Not exactly: figures are rounded, and who left a question open is left out of both. 2 in 100 do.
    """
    own = published.filter(pl.col("region_code").is_in(["TWENTE", "URBAN_CORE", "RURAL"]), statistic="mean")
    key = ["measurement_year", "variable_id", "region_code"]
    whole = own.filter(breakdown="total").select(*key, whole="value")
    for name, categories in (("sex", 2), ("age", 4)):
        weight = pl.col("population") / pl.col("population").sum()
        parts = (
            own.filter(pl.col("breakdown").str.starts_with(f"{name}="))
            .group_by(key)
            .agg(found=(pl.col("value") * weight).sum(), parts=pl.len())
            .filter(parts=categories)
            .join(whole, key)
        )
        assert parts.height > 250
        # Both are rounded: half a unit each, and the last digit of the machine's numbers.
        assert parts.select((pl.col("found") - pl.col("whole")).abs().max()).item() <= 2 * HALF_MEAN + 1e-12


def test_a_region_lies_between_its_municipalities(published: pl.DataFrame) -> None:
    own = published.filter(breakdown="total", statistic="mean").filter(
        pl.col("region_code").str.starts_with("GM") | (pl.col("region_code") == "TWENTE")
    )
    municipal = pl.col("value").filter(pl.col("region_code") != "TWENTE")
    bounds = own.group_by("measurement_year", "variable_id").agg(
        region=pl.col("value").filter(pl.col("region_code") == "TWENTE").first(),
        lowest=municipal.min(),
        highest=municipal.max(),
        shown=municipal.len(),
    )
    complete = bounds.filter(shown=14)
    assert complete.height > 20
    assert complete.select(pl.col("region").is_between("lowest", "highest").all()).item()


def test_a_municipality_differs_from_twente_as_its_share_says(published: pl.DataFrame, edition: Path) -> None:
    """d = (1 - w)(municipality - rest of Twente): for Twente's two groups, the rest of one is the other."""
    scores = published.filter(breakdown="total", statistic="mean").filter(
        pl.col("variable_id") == pl.col("indicator_id")
    )
    wide = scores.pivot("region_code", index=["measurement_year", "indicator_id"], values=["value", "population"])
    core, rural = (pl.col(f"population_{name}") for name in ("URBAN_CORE", "RURAL"))
    share = core / (core + rural)
    expected = (1 - share) * (pl.col("value_URBAN_CORE") - pl.col("value_RURAL"))
    found = wide.drop_nulls(["value_URBAN_CORE", "value_RURAL", "value_TWENTE"]).select(
        (pl.col("value_URBAN_CORE") - pl.col("value_TWENTE") - expected).abs().max()
    )
    assert found.item() < 3 * HALF_MEAN
    verdicts = (
        table(edition, "comparison")
        .filter(
            pl.col("indicator_id").str.starts_with("experienced_"),
            pl.col("comparator_code").is_in(["TWENTE", "RURAL"]),
            region_code="URBAN_CORE",
            breakdown="total",
        )
        .pivot("comparator_code", index=["measurement_year", "indicator_id"], values=["difference", "p_value"])
        .drop_nulls()
    )
    assert verdicts.height > 50
    agree = (pl.col("difference_TWENTE") * pl.col("difference_RURAL") >= 0) | (pl.col("difference_RURAL").abs() < 0.1)
    assert verdicts.select(agree.all()).item()


def test_the_margin_against_twente_reckons_with_the_overlap(edition: Path) -> None:
    """Enschede is a quarter of Twente: as two independent samples their difference would have a wider margin."""
    estimates = table(edition, "survey_estimate").filter(
        pl.col("variable_id") == pl.col("indicator_id"), statistic="mean", breakdown="total"
    )
    errors = estimates.pivot("region_code", index=["measurement_year", "indicator_id"], values="standard_error")
    contrasts = (
        table(edition, "survey_contrast")
        .filter(
            pl.col("measurement_year") == pl.col("comparator_year"),
            region_code="GM0153",
            comparator_code="TWENTE",
            breakdown="total",
        )
        .join(errors, ["measurement_year", "indicator_id"])
    )
    assert contrasts.height == 33
    independent = (pl.col("GM0153").pow(2) + pl.col("TWENTE").pow(2)).sqrt()
    assert contrasts.select((pl.col("standard_error") < independent).all()).item()


def test_the_minimal_detectable_difference_is_2_80_standard_errors(edition: Path) -> None:
    contrasts = table(edition, "survey_contrast")
    assert contrasts.height > 10_000
    ratio = pl.col("minimal_detectable_difference") / pl.col("standard_error")
    assert contrasts.filter(pl.col("standard_error") > 0).select((ratio - 2.8).abs().max()).item() < 1e-9


def test_a_change_of_independent_waves_adds_up_their_variances(edition: Path) -> None:
    key = ["indicator_id", "region_code", "breakdown"]
    own = (
        table(edition, "survey_estimate")
        .filter(pl.col("variable_id") == pl.col("indicator_id"), pl.col("value").is_not_null(), statistic="mean")
        .select("measurement_year", *key, "value", "standard_error")
    )
    changes = (
        table(edition, "survey_contrast")
        .filter(pl.col("measurement_year") == 2025, pl.col("comparator_year") == 2022)
        .filter(~pl.col("indicator_id").str.ends_with("_share"))
        .join(own.filter(measurement_year=2025).drop("measurement_year"), key, suffix="_now")
        .join(own.filter(measurement_year=2022).drop("measurement_year"), key, suffix="_then")
    )
    assert changes.height > 1000
    expected = (pl.col("standard_error_now").pow(2) + pl.col("standard_error_then").pow(2)).sqrt()
    assert changes.select((pl.col("standard_error") - expected).abs().max()).item() < 2 * HALF_MEAN
    assert changes.select((pl.col("difference") - pl.col("value") + pl.col("value_then")).abs().max()).item() < 1e-9
    reworded = ["experienced_civic_engagement", "experienced_environment"]
    assert not changes["indicator_id"].is_in(reworded).any(), "another series has no change"


# --- small areas


@pytest.fixture(scope="module")
def modelled(edition: Path) -> pl.DataFrame:
    frame = table(edition, "small_area_estimate")
    assert frame.height == 14 * 11 * 3
    return frame


def test_where_few_answered_a_model_estimates_and_the_answers_stay_beside_it(
    modelled: pl.DataFrame, edition: Path
) -> None:
    used = modelled.filter("used")
    assert used.height > 0
    assert (modelled["status"] == "estimated").all()
    assert modelled["warnings"].list.contains("model_based").all()
    assert modelled.filter(~pl.col("used"))["n"].min() >= 100  # type: ignore[operator]
    values = table(edition, "indicator_value").filter(breakdown="total")
    key = ["measurement_year", "indicator_id", "region_code"]
    shown = used.join(values, key, suffix="_shown")
    assert shown.height == used.height
    assert (shown["status_shown"] == "estimated").all()
    assert shown.select((pl.col("value") == pl.col("value_shown")).all()).item()
    direct = table(edition, "survey_estimate").filter(
        pl.col("variable_id") == pl.col("indicator_id"), statistic="mean", breakdown="total"
    )
    beside = modelled.join(direct, key, suffix="_direct")
    assert beside.height == modelled.height
    assert beside["direct_value"].equals(beside["value_direct"], null_equal=True)
    assert beside["direct_standard_error"].equals(beside["standard_error"], null_equal=True)


def test_the_model_does_not_lean_on_an_answer_that_is_hidden(modelled: pl.DataFrame) -> None:
    hidden = modelled.filter(pl.col("direct_value").is_null())
    assert hidden.select("direct_standard_error", "n").null_count().row(0) == (hidden.height, hidden.height)
    assert hidden["shrinkage"].fill_null(0.0).abs().sum() == 0


def test_model_estimates_add_up_to_the_direct_figure_of_twente(modelled: pl.DataFrame, published: pl.DataFrame) -> None:
    """Benchmarked, weighted by adults; here by those of the truth, so but for rounding and questions left open."""
    totals = published.filter(breakdown="total", statistic="mean").filter(
        pl.col("variable_id") == pl.col("indicator_id")
    )
    twente = totals.filter(region_code="TWENTE").select("measurement_year", "indicator_id", direct="value")
    adults = published.filter(breakdown="total").select("measurement_year", "region_code", "adults").unique()
    summed = (
        modelled.join(adults, ["measurement_year", "region_code"])
        .group_by("measurement_year", "indicator_id")
        .agg(found=(pl.col("value") * pl.col("adults")).sum() / pl.col("adults").sum(), parts=pl.len())
        .join(twente, ["measurement_year", "indicator_id"])
    )
    assert (summed["parts"] == 14).all()
    assert summed.height == 33
    assert summed.select((pl.col("found") - pl.col("direct")).abs().max()).item() < 2 * HALF_MEAN


def test_the_model_is_nearer_to_the_truth_than_few_answers(modelled: pl.DataFrame, truth: pl.DataFrame) -> None:
    """Where it is used, over all dimensions and years: that is what it is for."""
    known = truth.filter(breakdown="total", statistic="mean").select(
        "measurement_year", "region_code", "truth", indicator_id="variable_id"
    )
    used = modelled.filter("used", pl.col("direct_value").is_not_null()).join(
        known, ["measurement_year", "indicator_id", "region_code"]
    )
    error = {
        name: used.select((pl.col(name) - pl.col("truth")).pow(2).mean()).item() for name in ("value", "direct_value")
    }
    assert error["value"] < error["direct_value"]
    held = used.select(pl.col("truth").is_between("ci_low", "ci_high").mean()).item()
    assert held > 0.85
