"""The invented survey: its truth, its population, and that nobody can take it for a real one."""

from __future__ import annotations

import hashlib
from itertools import product
from math import comb
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from catalog.model import Region
from catalog.survey_model import SurveySettings, Wave
from catalog.yaml_file import YamlFile
from sources.names import bundled_names
from sources.survey import synthetic
from sources.survey.answers import COLUMNS
from sources.survey.margins import MARGINS, read_margins
from sources.survey.read import read_wave
from sources.survey.synthetic import Format, SyntheticWave, synthetic_wave, write_wave
from tests.conftest import CHECKOUT

CATALOGUE = CHECKOUT / "catalog"
REGION = YamlFile(CATALOGUE / "region.yaml").parse(Region)
SETTINGS = YamlFile(CATALOGUE / "survey" / "settings.yaml").parse(SurveySettings)
WAVES = {year: YamlFile(CATALOGUE / "survey" / f"synthetic_{year}.yaml").parse(Wave) for year in (2022, 2023, 2025)}
# Inhabitants in thousands, near the real ones.
OWN = dict(zip(REGION.municipalities, (73, 24, 161, 24, 36, 82, 23, 32, 21, 25, 34, 36, 38, 27), strict=True))
OTHERS = {"GM0060": 4, "GM0200": 166, "GM0363": 880, "GM0995": 82}
POPULATIONS = {code: thousands * 1000 for code, thousands in (OWN | OTHERS).items()}
GROUPS = {group.code: group.members for group in REGION.groups} | {
    "TWENTE": list(OWN),
    "NL01": [*OWN, REGION.rest_code],
}
CITIES, SMALLEST = ["GM0141", "GM0153", "GM0164"], "GM0183"


def made(year: int = 2023, seed: int = 1) -> SyntheticWave:
    return synthetic_wave(WAVES[year], SETTINGS, REGION.municipalities, list(OTHERS), POPULATIONS, seed, GROUPS)


@pytest.fixture(scope="module")
def waves() -> dict[int, SyntheticWave]:
    return {year: made(year) for year in WAVES}


def truth_of(wave: SyntheticWave, variable: str, region: str, breakdown: str = "total") -> tuple[float, float]:
    row = wave.truth.row(
        by_predicate=(pl.col("variable") == variable)
        & (pl.col("region_code") == region)
        & (pl.col("breakdown") == breakdown),
        named=True,
    )
    return row["mean"], row["share"]


# --- nobody can take it for real


def test_everything_that_names_an_invented_wave_says_so(waves: dict[int, SyntheticWave]) -> None:
    for year, wave in WAVES.items():
        assert wave.synthetic
        assert "synthetic" in wave.wave_id
        assert "synthetic" in wave.source_table
        assert wave.title.startswith("Verzonnen voorbeeld, gaat over niemand")
        ids = waves[year].answers["respondent"]
        assert ids.str.contains(rf"^SYN-{year}-\d{{6}}$").all()
        assert ids.is_unique().all()


def test_the_waves_ask_for_all_dimensions_and_2025_changes_two() -> None:
    definitions = {
        year: {dimension.indicator: dimension.definition for dimension in wave.dimensions}
        for year, wave in WAVES.items()
    }
    assert len(definitions[2022]) == 11
    assert definitions[2022] == definitions[2023]
    assert {name for name, meant in definitions[2025].items() if meant != definitions[2023][name]} == {
        "experienced_civic_engagement",  # other words
        "experienced_environment",  # one question less
    }


def test_a_question_in_other_words_gets_other_answers(waves: dict[int, SyntheticWave]) -> None:
    before, after = (truth_of(waves[year], "civic_influence", "TWENTE")[0] for year in (2023, 2025))
    same_before, same_after = (truth_of(waves[year], "civic_volunteer", "TWENTE")[0] for year in (2023, 2025))
    assert abs((after - before) - (same_after - same_before)) > 0.005
    assert "environment_careful" not in waves[2025].answers.columns


# --- who answers


def test_answers_have_the_shape_of_a_wave_that_was_read(waves: dict[int, SyntheticWave]) -> None:
    for year, wave in WAVES.items():
        frame = waves[year].answers
        assert frame.schema == pl.Schema(dict(COLUMNS) | {item.item: pl.Float64 for item in wave.items})
        scores = frame.select(item.item for item in wave.items)
        assert scores.select(pl.all().is_between(0, 1).all()).row(0) == (True,) * scores.width


def test_some_200_answer_in_a_municipality_more_in_cities_and_few_in_the_smallest(
    waves: dict[int, SyntheticWave],
) -> None:
    for wave in waves.values():
        answered = wave.answers.filter("responded")
        counts = dict(answered.group_by("calibration_region").len().iter_rows())
        assert set(counts) == {*OWN, REGION.rest_code}
        assert 60 <= counts[SMALLEST] <= 115
        assert all(counts[city] > 230 for city in CITIES)
        assert all(150 < counts[code] < 250 for code in set(OWN) - {*CITIES, SMALLEST})
        assert 2800 < sum(counts[code] for code in OWN) < 3200
        assert 2800 < counts[REGION.rest_code] < 3200
        # The rest of the country is one sample: large municipalities have more respondents, by chance only.
        assert set(answered.filter(stratum="rest")["region_code"]) == set(OTHERS)


def test_weights_are_those_of_the_design(waves: dict[int, SyntheticWave]) -> None:
    """A weight is the adults of the stratum over its rows, so that weights add up to the population."""
    for wave in waves.values():
        sums = wave.answers.group_by("stratum", maintain_order=True).agg(pl.sum("weight"), pl.first("population_size"))
        np.testing.assert_allclose(sums["weight"], sums["population_size"], rtol=1e-12)
        assert sums["population_size"].to_list()[:2] == [73_000 * 0.8, 24_000 * 0.8]


def test_young_and_lower_educated_people_answer_less(waves: dict[int, SyntheticWave]) -> None:
    own = waves[2023].answers.filter(pl.col("calibration_region") != REGION.rest_code)
    answered = {name: dict(own.drop_nulls(name).group_by(name).len().iter_rows()) for name in ("age", "education")}
    for margin, name, first, last in (
        ("municipality*sex*age", "age", "18-34", "65+"),
        ("municipality*education", "education", "low", "high"),
    ):
        people = waves[2023].margins.filter(pl.col("margin") == margin, pl.col("municipality") != REGION.rest_code)
        adults = dict(people.group_by(name).agg(pl.sum("population")).iter_rows())
        assert answered[name][first] / adults[first] < 0.75 * answered[name][last] / adults[last]


def test_who_did_not_answer_stands_in_the_file_of_2025_only(waves: dict[int, SyntheticWave]) -> None:
    assert waves[2023].answers["responded"].all()
    silent = waves[2025].answers.filter(~pl.col("responded"))
    assert silent.height > waves[2025].answers.height / 2
    assert silent.select("education", *(item.item for item in WAVES[2025].items)).null_count().row(0) == (
        (silent.height,) * (1 + len(WAVES[2025].items))
    )
    assert silent.select("region_code", "sex", "age", "stratum", "weight").null_count().row(0) == (0,) * 5


def test_some_questions_and_educations_are_left_open(waves: dict[int, SyntheticWave]) -> None:
    frame = waves[2022].answers
    open_questions = frame.select(pl.mean_horizontal(pl.col(i.item).is_null().mean() for i in WAVES[2022].items)).item()
    assert 0.015 < open_questions < 0.025
    assert 0.005 < frame["education"].is_null().mean() < 0.03


# --- the population


def test_margins_add_up_to_the_adults_of_the_populations_passed_in(waves: dict[int, SyntheticWave]) -> None:
    margins = waves[2022].margins
    assert margins.schema == MARGINS
    assert set(margins["margin"]) == {margin.name for margin in WAVES[2022].calibration.margins}
    for name in set(margins["margin"]):
        found = dict(margins.filter(margin=name).group_by("municipality").agg(pl.sum("population")).iter_rows())
        expected = {code: 0.8 * POPULATIONS[code] for code in OWN}
        assert found == expected | {REGION.rest_code: 0.8 * sum(POPULATIONS[code] for code in OTHERS)}
    assert margins["population"].min() > 0
    assert (margins["population"] % 1 == 0).all()


def test_every_cell_of_the_margins_has_respondents(waves: dict[int, SyntheticWave]) -> None:
    for year, wave in waves.items():
        answered = wave.answers.filter("responded").with_columns(municipality="calibration_region")
        for margin in WAVES[year].calibration.margins:
            cells = wave.margins.filter(margin=margin.name).select(margin.by)
            assert cells.join(answered, on=margin.by, how="anti").is_empty()


# --- the truth


def recounted(year: int, dimension_id: str, code: str) -> tuple[float, float]:
    """Mean and share of a dimension of two questions by listing everything that can happen, one by one."""
    wave = WAVES[year]
    dimension = next(dimension for dimension in wave.dimensions if dimension.indicator == dimension_id)
    bases = [synthetic._base(wave, dimension, item) for item in dimension.items]
    steps = [round(item.valid[1] - item.valid[0]) for item in dimension.items]
    cells = synthetic._population(wave, SETTINGS, list(OWN), list(OTHERS), POPULATIONS, REGION.rest_code).filter(
        region_code=code
    )
    total = mean = share = 0.0
    for adults, effect in cells.select("population", "effect").iter_rows():
        for u, v in product(range(-2, 3), range(-1, 2)):
            of_level = comb(4, u + 2) / 16 * comb(2, v + 1) / 4
            p = [(base + effect + 50 * u + 60 * v) / 1000 for base in bases]
            for first, second in product(range(steps[0] + 1), range(steps[1] + 1)):
                chance = of_level
                for k, n, q in ((first, steps[0], p[0]), (second, steps[1], p[1])):
                    chance *= comb(n, k) * q**k * (1 - q) ** (n - k)
                one, other = first / steps[0], second / steps[1]
                for score, answered in (((one + other) / 2, 0.98**2), (one, 0.98 * 0.02), (other, 0.02 * 0.98)):
                    weight = adults * chance * answered
                    total += weight
                    mean += weight * score
                    share += weight * 100 * (score >= SETTINGS.satisfied_from)
    return mean / total, share / total


@pytest.mark.parametrize("dimension", ["experienced_income", "experienced_personal_development"])
def test_the_truth_equals_a_count_of_all_that_can_happen(waves: dict[int, SyntheticWave], dimension: str) -> None:
    """A scale of ten with one of five, turned around; and with yes or no."""
    found = truth_of(waves[2025], dimension, "GM0147")
    assert found == pytest.approx(recounted(2025, dimension, "GM0147"), rel=1e-12)


def test_the_truth_of_groups_is_that_of_their_members_weighted(waves: dict[int, SyntheticWave]) -> None:
    truth = waves[2022].truth.filter(breakdown="age=65+", variable="experienced_safety")
    by_code = {row["region_code"]: row for row in truth.iter_rows(named=True)}
    for group, members in GROUPS.items():
        adults = sum(by_code[member]["population"] for member in members)
        assert by_code[group]["population"] == adults
        for statistic in ("mean", "share"):
            sum_ = sum(by_code[member]["population"] * by_code[member][statistic] for member in members)
            assert by_code[group][statistic] == pytest.approx(sum_ / adults, rel=1e-12)


def test_the_truth_is_complete(waves: dict[int, SyntheticWave]) -> None:
    for year, wave in waves.items():
        variables = len(WAVES[year].dimensions) + len(WAVES[year].items)
        assert wave.truth.height == variables * (len(OWN) + 1 + len(GROUPS)) * 10
        assert wave.truth.select("variable", "region_code", "breakdown").is_unique().all()
        assert wave.truth.null_count().row(0) == (0,) * wave.truth.width


def test_cores_score_lower_than_rural_municipalities_and_the_gap_grows(waves: dict[int, SyntheticWave]) -> None:
    for dimension in WAVES[2022].dimensions:
        gaps = [
            truth_of(waves[year], dimension.indicator, "URBAN_CORE")[0]
            - truth_of(waves[year], dimension.indicator, "RURAL")[0]
            for year in WAVES
        ]
        assert gaps[0] < -0.02
        assert gaps[0] > gaps[1] > gaps[2]


def raked(wave: Wave, samples: pl.DataFrame, margins: pl.DataFrame) -> pl.DataFrame:
    """Weights that meet the margins, in every sample; who has no known education keeps its part of the weight."""
    for _ in range(10):
        for margin in wave.calibration.margins:
            totals = margins.filter(margin=margin.name).select(*margin.by, "population")
            known = pl.all_horizontal(pl.col(name).is_not_null() for name in margin.by)
            part = pl.col("weight").filter(known).sum() / pl.col("weight").sum()
            factor = pl.col("population") * part.over("sample", "municipality")
            samples = (
                samples.join(totals, on=margin.by, how="left", maintain_order="left")
                .with_columns(
                    weight=pl.col("weight") * (factor / pl.sum("weight").over("sample", *margin.by)).fill_null(1)
                )
                .drop("population")
            )
    return samples


def errors(samples: pl.DataFrame, truth: pl.DataFrame) -> pl.DataFrame:
    """Average error of weighted means and shares over the samples, and that in its own standard errors (t)."""
    dimensions = [dimension.indicator for dimension in WAVES[2023].dimensions]
    weight, score = pl.col("weight"), pl.col("score")
    sums = (
        samples.unpivot(dimensions, index=["sample", "municipality", "weight"], value_name="score")
        .drop_nulls("score")
        .group_by("sample", "municipality", "variable")
        .agg(
            pl.sum("weight"),
            mean=(weight * score).sum(),
            share=100 * weight.filter(score >= SETTINGS.satisfied_from).sum(),
        )
    )
    members = [(code, member) for code, all_ in ({code: [code] for code in OWN} | GROUPS).items() for member in all_]
    error = {s: pl.col(s) / pl.col("weight") - pl.col(f"{s}_true") for s in ("mean", "share")}
    return (
        sums.join(pl.DataFrame(members, schema=["region_code", "municipality"], orient="row"), on="municipality")
        .group_by("sample", "region_code", "variable")
        .agg(pl.sum("weight", "mean", "share"))
        .join(truth, on=["region_code", "variable"], suffix="_true")
        .group_by("region_code", "variable")
        .agg(
            *(of.mean().alias(name) for name, of in error.items()),
            *((of.mean() / of.std() * pl.len().sqrt()).alias(f"t_{name}") for name, of in error.items()),
        )
    )


def test_calibrated_estimates_are_right_on_average_and_uncalibrated_ones_are_not() -> None:
    """30 samples of 2023. An average error beyond 4.5 times its own standard error would not be chance.

    11 dimensions x 19 regions x 2 statistics: the largest of 418 such ratios (t, 29 degrees of freedom) exceeds 4.5
    in some 4 of 100 tests of a sound generator; the seeds are fixed, so this one does not vary.
    """
    wave = WAVES[2023]
    drawn = [made(seed=seed) for seed in range(30)]
    samples = pl.concat(sample.answers.with_columns(sample=pl.lit(seed)) for seed, sample in enumerate(drawn)).select(
        "sample",
        *("sex", "age", "education", "weight"),
        pl.col("calibration_region").alias("municipality"),
        *(pl.mean_horizontal(item.item for item in d.items).alias(d.indicator) for d in wave.dimensions),
    )
    truth = drawn[0].truth.filter(breakdown="total")
    calibrated = errors(raked(wave, samples, drawn[0].margins), truth)
    assert calibrated.height == 11 * 19
    assert calibrated.select(pl.max_horizontal(pl.col("t_mean", "t_share").abs()).max()).item() < 4.5
    twente = calibrated.filter(region_code="TWENTE")
    # Questions of yes and no are the noisiest: three standard errors of an average of 30.
    assert twente["mean"].abs().max() < 0.003
    assert twente["share"].abs().max() < 0.7
    assert abs(twente["mean"].mean()) < 0.001
    # Without calibration, too many of those who are older, higher educated and better off.
    assert errors(samples, truth).filter(region_code="TWENTE")["mean"].mean() > 0.004


# --- one seed, one wave


def test_one_seed_makes_one_wave_on_every_machine() -> None:
    """The checksum was taken when this was written, with numpy 2.4: it says that nothing moved since, no more."""
    frame = made(2025, seed=7).answers
    assert_frame_equal(frame, made(2025, seed=7).answers)
    assert not frame.equals(made(2025, seed=8).answers)
    text = frame.drop("weight").write_csv(float_precision=6)
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == "7d8530518efb4723"


def test_the_truth_does_not_hang_on_the_seed(waves: dict[int, SyntheticWave]) -> None:
    other = made(2023, seed=99)
    assert_frame_equal(waves[2023].truth, other.truth)
    assert_frame_equal(waves[2023].margins, other.margins)


# --- a wave as an institute delivers it


@pytest.mark.parametrize("file_format", ["csv", "sav", "parquet"])
@pytest.mark.parametrize("year", [2023, 2025])
def test_a_delivered_file_reads_back_as_the_same_answers(
    waves: dict[int, SyntheticWave], tmp_path: Path, year: int, file_format: Format
) -> None:
    _reads_back(tmp_path, WAVES[year], waves[year].answers, file_format)


def test_a_delivered_workbook_reads_back_as_the_same_answers(waves: dict[int, SyntheticWave], tmp_path: Path) -> None:
    some = waves[2025].answers.filter(pl.int_range(pl.len()).over("stratum", "responded") < 20)
    _reads_back(tmp_path, WAVES[2025], some, "xlsx")


def _reads_back(folder: Path, wave: Wave, answers: pl.DataFrame, file_format: Format) -> None:
    path = write_wave(folder, wave, answers, file_format)
    read = read_wave(path, wave, REGION, bundled_names())
    assert_frame_equal(read.frame.drop("row"), answers.drop("row"), rel_tol=1e-12)
    assert read.dropped == (["e_mail"] if wave.measurement_year == 2025 else [])


def test_delivered_margins_read_back_as_the_same_numbers(waves: dict[int, SyntheticWave], tmp_path: Path) -> None:
    waves[2023].margins.write_csv(tmp_path / "margins.csv")
    read = read_margins(tmp_path / "margins.csv", WAVES[2023], SETTINGS, REGION, bundled_names())
    assert_frame_equal(read, waves[2023].margins, check_row_order=False)
