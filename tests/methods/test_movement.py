"""Movements: the same as in `change`, against the right earlier year, and of contrasts what four figures allow."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl
import pytest

from catalog import load_catalogue
from methods.compare import changes
from methods.measure import RegionRoles
from methods.movement import movements
from methods.trend import KEY
from tests.methods.chain import Measurement
from tests.methods.small import indicators, sources, table

ROLES = RegionRoles(
    municipalities=["GM0001", "GM0002", "GM0003"],
    groups=["REGION", "CORE", "RURAL"],
    country="NL01",
    rest="REST",
    published_as=[],
    peers={"GM0001": "PEERS_GM0001"},
)
CONTRASTS = [("CORE", "RURAL")]
SHARES = table("""
    group_code municipality_code weight share
    REGION     GM0001            2000   0.5
    REGION     GM0002            1000   0.25
    REGION     GM0003            1000   0.25
    CORE       GM0001            2000   0.6666666666666667
    CORE       GM0002            1000   0.3333333333333333
    RURAL      GM0003            1000   1
    """)
WORK = indicators("indicator_id\nwork")
REGISTER = sources("indicator_id rounding_unit\nwork 0.1")
SURVEY = sources("indicator_id kind rounding_unit\nwork sample 0")
Z = 1.959963984540054


def values(text: str, year: int = 2022, period: str | None = None, **given: Any) -> pl.DataFrame:
    """Rows of `indicator_value`."""
    ordinary = {
        "measurement_year": year,
        "indicator_id": "work",
        "reference_period": period or str(year),
        "breakdown": "total",
        "value": None,
        "ci_low": None,
        "ci_high": None,
        "n": 100,
        "status": "definitive",
        "warnings": [],
        "source_table": "A",
        "series_id": "s",
    }
    return table(text, **{**ordinary, **given}).select("region_code", *ordinary)


def year_of(core: float, rural: float, year: int, period: str | None = None, **given: Any) -> pl.DataFrame:
    """All regions of one year: the cores and their members alike, the countryside and its member alike."""
    figures = {"GM0001": core, "GM0002": core, "GM0003": rural, "CORE": core, "RURAL": rural}
    figures |= {"REGION": 0.75 * core + 0.25 * rural, "NL01": 70.0, "REST": 70.0, "PEERS_GM0001": 65.0}
    text = "\n".join(["region_code value", *(f"{region} {value}" for region, value in figures.items())])
    return values(text, year, period, **given)


def with_margins(figures: pl.DataFrame, **half: float) -> pl.DataFrame:
    """The same figures with a margin on both sides: 1, or what is given for a region."""
    width = pl.col("region_code").replace_strict(half, default=1.0, return_dtype=pl.Float64)
    return figures.with_columns(ci_low=pl.col("value") - width, ci_high=pl.col("value") + width)


def moved(
    *years: pl.DataFrame,
    what: pl.DataFrame = WORK,
    tables: pl.DataFrame = REGISTER,
    by_design: pl.DataFrame | None = None,
) -> dict[tuple[int, str, str, str], dict[str, Any]]:
    """Movements by measurement year, region, quantity and movement; the baseline is 2022."""
    figures = pl.concat(years)
    periods = figures["reference_period"].drop_nulls().unique().sort().to_list()
    shares = pl.concat(
        SHARES.with_columns(reference_period=pl.lit(period), indicator_id=pl.lit("work")) for period in periods
    )
    found = movements(figures, 2022, shares, what, tables, ROLES, CONTRASTS, by_design)
    key = ("measurement_year", "region_code", "quantity", "movement")
    return {tuple(row[name] for name in key): row for row in found.iter_rows(named=True)}


BEFORE, NOW = year_of(60, 66, 2022), year_of(64, 67, 2024)

# --- regions


def test_there_are_rows_for_own_regions_country_rest_and_contrasts_and_none_for_the_baseline_year() -> None:
    found = moved(BEFORE, NOW)
    own = {"GM0001", "GM0002", "GM0003", "REGION", "CORE", "RURAL"}
    expected = {(region, "value") for region in [*own, "NL01", "REST"]}
    expected |= {(region, "relative_to_nl") for region in [*own, "REST"]} | {("CORE", "difference")}
    for movement in ("since_baseline", "since_previous"):
        assert {(region, quantity) for _, region, quantity, name in found if name == movement} == expected
    assert {year for year, *_ in found} == {2024}
    assert found[2024, "CORE", "value", "since_baseline"]["comparator_code"] == "CORE"
    assert found[2024, "CORE", "difference", "since_baseline"]["comparator_code"] == "RURAL"


def test_the_official_movements_since_the_baseline_are_those_of_the_table_change(official: Measurement) -> None:
    found = official_movements(official).filter(pl.col("region_code") == pl.col("comparator_code"))
    key = ["measurement_year", "indicator_id", "region_code", "breakdown", "quantity"]
    own = [*official.roles.municipalities, *official.roles.groups, official.roles.country, official.roles.rest]
    same = {
        "estimate": "difference",
        "ci_low": "difference_ci_low",
        "ci_high": "difference_ci_high",
        **{name: name for name in ("p_value", "p_value_adjusted", "verdict", "basis", "warnings")},
        "period_first": "baseline_reference_period",
        "period_last": "reference_period",
    }
    since = found.filter(movement="since_baseline").sort(key)
    expected = official.change.filter(pl.col("region_code").is_in(own)).sort(key)
    assert since.select(*key, *same).equals(
        expected.select(*key, **{new: pl.col(old) for new, old in same.items()}), null_equal=True
    )


def official_movements(official: Measurement) -> pl.DataFrame:
    return movements(
        official.indicator_value,
        official.years[0],
        official.group_weight,
        official.indicators,
        official.sources,
        official.roles,
        official.contrasts,
    )


def test_the_official_movements_have_the_published_columns_and_a_unique_key(official: Measurement) -> None:
    published = load_catalogue().registry["trend"]
    found = official_movements(official)
    assert found.columns == [column.name for column in published.columns]
    assert published.conform(found).height == found.height
    assert published.key == KEY
    assert not found.select(KEY).is_duplicated().any()
    assert found.select(pl.col(published.required).null_count()).row(0) == (0,) * len(published.required)


def test_the_previous_measurement_of_the_first_year_is_the_baseline() -> None:
    found = moved(BEFORE, year_of(64, 67, 2023))
    for (year, region, quantity, movement), row in found.items():
        other = found[year, region, quantity, "since_previous"]
        assert row | {"movement": ""} == other | {"movement": ""}, (region, quantity, movement)


def test_a_year_without_measurement_is_stepped_over() -> None:
    # A survey of 2022, 2023 and 2025: nobody was asked in 2024.
    nobody = year_of(0, 0, 2024).with_columns(
        value=pl.lit(None, dtype=pl.Float64),
        reference_period=pl.lit(None, dtype=pl.String),
        status=pl.lit("not_measured"),
        source_table=pl.lit(None, dtype=pl.String),
        series_id=pl.lit(None, dtype=pl.String),
    )
    years = [BEFORE, year_of(61, 66, 2023), nobody, year_of(64, 67, 2025)]
    found = moved(*years)
    row = found[2025, "GM0001", "value", "since_previous"]
    assert (row["period_first"], row["period_last"], row["estimate"], row["points"]) == ("2023", "2025", 3, 2)
    row = found[2025, "CORE", "difference", "since_previous"]
    assert (row["period_first"], row["estimate"]) == ("2023", pytest.approx((64 - 67) - (61 - 66)))
    # Of 2024 there is nothing to say, and that is what the rows say.
    for quantity, region in (("value", "GM0001"), ("difference", "CORE")):
        row = found[2024, region, quantity, "since_previous"]
        assert (row["estimate"], row["verdict"], row["reason"]) == (None, "not_decidable", "no_value")
        assert (row["period_first"], row["period_last"], row["points"]) == ("2023", None, 1)
    # And without the rows of 2024 the others are the same.
    without = moved(*(frame for frame in years if frame is not nobody))
    assert without == {key: row for key, row in found.items() if key[0] != 2024}


def test_each_indicator_has_a_previous_measurement_of_its_own() -> None:
    what = indicators("indicator_id\nwork\nhealth")
    tables = sources("indicator_id rounding_unit\nwork 0\nhealth 0")
    figures = pl.concat(
        [
            *(year_of(60 + step, 66, 2022 + step) for step in range(3)),
            *(year_of(70 + step, 66, 2022 + step, indicator_id="health") for step in (0, 2)),
        ]
    )
    found = movements(figures, 2022, SHARES_OF_NONE, what, tables, ROLES, CONTRASTS)
    of_2024 = found.filter(measurement_year=2024, region_code="GM0001", quantity="value", movement="since_previous")
    first = dict(of_2024.select("indicator_id", "period_first").iter_rows())
    assert first == {"work": "2023", "health": "2022"}


SHARES_OF_NONE = SHARES.clear().with_columns(
    reference_period=pl.lit(None, dtype=pl.String), indicator_id=pl.lit(None, dtype=pl.String)
)


def test_what_was_never_measured_before_has_a_row_that_says_so() -> None:
    nothing = BEFORE.with_columns(value=pl.lit(None, dtype=pl.Float64), status=pl.lit("not_published"))
    row = moved(nothing, NOW)[2024, "GM0001", "value", "since_previous"]
    assert (row["verdict"], row["reason"], row["points"]) == ("not_decidable", "no_value", 1)


def test_a_carried_figure_is_no_new_measurement_since_the_previous_year_but_may_be_since_the_baseline() -> None:
    found = moved(BEFORE, year_of(64, 67, 2023), year_of(64, 67, 2024, period="2023", warnings=["carried_forward"]))
    for region, quantity in (("CORE", "value"), ("CORE", "difference")):
        row = found[2024, region, quantity, "since_previous"]
        assert (row["verdict"], row["estimate"], row["ci_low"], row["ci_high"]) == ("no_new_measurement", 0, 0, 0)
        assert row["warnings"] == ["carried_forward"]
        assert found[2024, region, quantity, "since_baseline"]["verdict"] == "better"


def test_the_family_of_a_movement_is_the_own_municipalities_of_that_movement() -> None:
    surveys = [with_margins(frame) for frame in (year_of(60, 66, 2022), year_of(62, 66, 2023), year_of(62, 66, 2024))]
    found = moved(*surveys, tables=SURVEY)
    row = found[2023, "GM0001", "value", "since_previous"]
    # GM0001 and GM0002 both moved by 2, GM0003 did not at all: the larger of two equal p-values counts 3 / 2.
    assert row["p_value_adjusted"] == pytest.approx(1.5 * row["p_value"])
    assert found[2024, "GM0001", "value", "since_previous"]["p_value"] == 1


# --- contrasts


def test_a_difference_in_change_is_what_one_moved_more_than_the_other() -> None:
    row = moved(BEFORE, NOW)[2024, "CORE", "difference", "since_baseline"]
    assert row["estimate"] == pytest.approx((64 - 67) - (60 - 66))
    # Every figure is rounded to 0.1; the cores and the countryside have other members: 4 x 0.05.
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((3 - 0.2, 3 + 0.2))
    assert (row["verdict"], row["basis"], row["p_value"], row["reason"]) == ("better", "register", None, None)
    assert (row["points"], row["period_first"], row["period_last"], row["excluded"]) == (2, "2022", "2024", [])


@pytest.mark.parametrize(("polarity", "verdict"), [(1, "better"), (-1, "worse"), (0, "higher")])
def test_its_verdict_reads_cores_minus_countryside(polarity: int, verdict: str) -> None:
    what = WORK.with_columns(polarity=pl.lit(polarity, dtype=pl.Int32))
    assert moved(BEFORE, NOW, what=what)[2024, "CORE", "difference", "since_baseline"]["verdict"] == verdict


def test_its_rounding_margin_is_that_of_the_changes_of_both_groups_together() -> None:
    # A ratio of counts in tens: members of unlike size are not equally rounded.
    what = indicators("indicator_id group_method\nwork ratio")
    found = moved(BEFORE, NOW, what=what, tables=sources("indicator_id rounding_unit\nwork 10000"))

    def margin(region: str, quantity: str) -> float:
        row = found[2024, region, quantity, "since_baseline"]
        assert row["basis"] == "register"
        return (row["ci_high"] - row["ci_low"]) / 2

    assert margin("CORE", "difference") == pytest.approx(margin("CORE", "value") + margin("RURAL", "value"))
    # Of the cores two counts, five off each, on 3 000 inhabitants; of the countryside one on 1 000; in two years.
    assert margin("CORE", "difference") == pytest.approx(2 * (1000 * 2 * 5 / 3000 + 1000 * 5 / 1000))


def test_without_design_the_margins_of_all_four_figures_add_up_as_squares() -> None:
    before = with_margins(BEFORE, CORE=1.5, RURAL=2.0)
    now = with_margins(NOW, CORE=0.5, RURAL=1.0)
    row = moved(before, now, tables=SURVEY)[2024, "CORE", "difference", "since_baseline"]
    half = math.sqrt(1.5**2 + 2.0**2 + 0.5**2 + 1.0**2)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((3 - half, 3 + half))
    assert row["p_value"] == pytest.approx(math.erfc(3 / (half / Z) / math.sqrt(2)))
    assert row["p_value_adjusted"] == row["p_value"]
    assert (row["basis"], row["verdict"], row["standard_error"]) == ("interval", "better", None)


def design(*rows: tuple[str, str, int, int, float, float]) -> pl.DataFrame:
    """Rows of `survey_contrast`: region, comparator, year, year of the comparator, standard error, df."""
    names = ["region_code", "comparator_code", "measurement_year", "comparator_year", *NUMBERS]
    return pl.DataFrame(rows, schema=names, orient="row").with_columns(
        pl.col("measurement_year", "comparator_year").cast(pl.Int32),
        indicator_id=pl.lit("work"),
        breakdown=pl.lit("total"),
    )


NUMBERS = ["standard_error", "degrees_of_freedom"]
OF_BOTH_YEARS = design(("CORE", "RURAL", 2022, 2022, 1.2, 20.0), ("CORE", "RURAL", 2024, 2024, 0.9, 40.0))
T_975_60 = 2.0002978220142604  # 97.5% of Student's t with 60 degrees of freedom (scipy.stats.t.ppf)


def test_with_the_design_of_both_years_its_standard_errors_add_up_as_squares() -> None:
    surveys = [with_margins(frame) for frame in (BEFORE, NOW)]
    row = moved(*surveys, tables=SURVEY, by_design=OF_BOTH_YEARS)[2024, "CORE", "difference", "since_baseline"]
    assert row["standard_error"] == pytest.approx(1.5)
    assert row["degrees_of_freedom"] == 60
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((3 - T_975_60 * 1.5, 3 + T_975_60 * 1.5))
    assert row["p_value"] == pytest.approx(0.0500330437, abs=1e-9)  # 2 * scipy.stats.t.sf(2, 60)
    assert row["verdict"] == "no_demonstrable_difference"


@pytest.mark.parametrize(
    "given",
    [
        OF_BOTH_YEARS.filter(measurement_year=2024),
        OF_BOTH_YEARS.with_columns(comparator_year=pl.lit(2021, dtype=pl.Int32)),
        OF_BOTH_YEARS.with_columns(region_code=pl.lit("REGION")),
        OF_BOTH_YEARS.with_columns(breakdown=pl.lit("sex=female")),
    ],
)
def test_the_design_of_one_year_or_of_something_else_does_not_count(given: pl.DataFrame) -> None:
    surveys = [with_margins(frame) for frame in (BEFORE, NOW)]
    row = moved(*surveys, tables=SURVEY, by_design=given)[2024, "CORE", "difference", "since_baseline"]
    assert row == moved(*surveys, tables=SURVEY)[2024, "CORE", "difference", "since_baseline"]


def test_what_a_model_estimated_is_no_new_measurement_of_a_contrast() -> None:
    status = pl.when(pl.col("region_code") == "RURAL").then(pl.lit("estimated")).otherwise("status")
    surveys = [with_margins(BEFORE), with_margins(NOW).with_columns(status=status)]
    row = moved(*surveys, tables=SURVEY, by_design=OF_BOTH_YEARS)[2024, "CORE", "difference", "since_baseline"]
    assert (row["verdict"], row["standard_error"]) == ("no_new_measurement", None)


def test_of_euro_amounts_the_distance_in_percent_counts() -> None:
    what = indicators("indicator_id nominal_euro\nwork yes")
    found = moved(BEFORE, NOW, what=what)
    assert (2024, "CORE", "difference", "since_baseline") not in found
    row = found[2024, "CORE", "relative_difference", "since_baseline"]
    assert row["estimate"] == pytest.approx(100 * (64 / 67 - 60 / 66))
    rounding = 50 / 67 * (0.1 + 64 / 67 * 0.1) + 50 / 66 * (0.1 + 60 / 66 * 0.1)
    assert row["ci_low"] == pytest.approx(row["estimate"] - rounding)
    assert (row["verdict"], row["warnings"]) == ("better", [])


def test_counts_have_no_contrast() -> None:
    found = moved(BEFORE, NOW, what=WORK.with_columns(is_count=pl.lit(value=True)))
    assert {quantity for _, _, quantity, _ in found} == {"value"}


@pytest.mark.parametrize("region", ["CORE", "RURAL"])
def test_a_break_of_either_side_is_not_comparable(region: str) -> None:
    other = pl.when(pl.col("region_code") == region).then(pl.lit("t")).otherwise("series_id")
    row = moved(BEFORE, NOW.with_columns(series_id=other))[2024, "CORE", "difference", "since_baseline"]
    assert (row["verdict"], row["estimate"], row["basis"]) == ("not_comparable", None, "none")
    assert row["warnings"] == ["break_in_series"]


def test_a_provisional_side_of_which_the_revision_is_unknown_decides_nothing() -> None:
    provisional = pl.when(pl.col("region_code") == "RURAL").then(pl.lit("provisional")).otherwise("status")
    now = NOW.with_columns(status=provisional)
    row = moved(BEFORE, now)[2024, "CORE", "difference", "since_baseline"]
    assert (row["verdict"], row["basis"], row["reason"]) == ("not_decidable", "register", None)
    known = REGISTER.with_columns(revision_margin=pl.lit(0.4))
    row = moved(BEFORE, now, tables=known)[2024, "CORE", "difference", "since_baseline"]
    assert row["ci_low"] == pytest.approx(3 - 0.2 - 0.4)
    assert row["verdict"] == "better"


def test_a_side_without_margin_decides_nothing_and_says_why() -> None:
    here = pl.col("region_code") != "RURAL"
    now = with_margins(NOW).with_columns(pl.when(here).then(name).alias(name) for name in ("ci_low", "ci_high"))
    row = moved(with_margins(BEFORE), now, tables=SURVEY)[2024, "CORE", "difference", "since_baseline"]
    assert (row["verdict"], row["basis"], row["reason"], row["estimate"]) == ("not_decidable", "none", "no_margin", 3)


def test_a_relevance_threshold_holds_for_points_and_not_for_percents() -> None:
    what = WORK.with_columns(min_relevant_difference=pl.lit(5.0))
    row = moved(BEFORE, NOW, what=what)[2024, "CORE", "difference", "since_baseline"]
    assert row["verdict"] == "no_demonstrable_difference"
    euros = what.with_columns(nominal_euro=pl.lit(value=True))
    row = moved(BEFORE, NOW, what=euros)[2024, "CORE", "relative_difference", "since_baseline"]
    assert row["verdict"] == "better"


def test_the_same_figures_in_another_order_give_the_same_table() -> None:
    figures = pl.concat([BEFORE, year_of(61, 66, 2023), NOW])
    shares = pl.concat(
        SHARES.with_columns(reference_period=pl.lit(str(year)), indicator_id=pl.lit("work"))
        for year in range(2022, 2025)
    )
    first = movements(figures, 2022, shares, WORK, REGISTER, ROLES, CONTRASTS)
    shuffled = figures.sample(fraction=1, shuffle=True, seed=4)
    assert movements(shuffled, 2022, shares, WORK, REGISTER, ROLES, CONTRASTS).equals(first)


# --- against a known truth. Every run is a breakdown of its own, so that each has its own family of p-values.

CODES = [f"GM{place:04d}" for place in range(1, 15)]
FOURTEEN = RegionRoles(
    municipalities=CODES, groups=["REGION", "CORE", "RURAL"], country="NL01", rest="REST", published_as=[]
)
RUNS = 2_000


def simulated(codes: list[str], estimates: np.ndarray, errors: np.ndarray, year: int) -> pl.DataFrame:
    """Figures of one year: `estimates` of shape runs x regions, with their standard errors."""
    runs, regions = estimates.shape
    frame = pl.DataFrame(
        {
            "region_code": codes * runs,
            "breakdown": [f"run={run}" for run in range(runs) for _ in range(regions)],
            "value": estimates.ravel(),
            "ci_low": (estimates - Z * errors).ravel(),
            "ci_high": (estimates + Z * errors).ravel(),
        }
    )
    return frame.with_columns(
        measurement_year=pl.lit(year, dtype=pl.Int32),
        indicator_id=pl.lit("work"),
        reference_period=pl.lit(str(year)),
        n=pl.lit(100, dtype=pl.Int64),
        status=pl.lit("definitive"),
        warnings=pl.lit([], dtype=pl.List(pl.String)),
        source_table=pl.lit("A"),
        series_id=pl.lit("s"),
    )


@pytest.mark.parametrize("changing", [1, 14])
def test_a_change_of_one_and_a_half_minimal_detectable_changes_is_found(changing: int) -> None:
    """In one of fourteen municipalities, and in all of them; 2,000 runs, seed 7."""
    generator = np.random.default_rng(7)
    errors = generator.uniform(0.8, 2.0, (2, 14))
    planted = np.where(np.arange(14) < changing, 1.5 * 2.80 * np.hypot(*errors), 0.0)
    figures = pl.concat(
        simulated(CODES, 60 + step * planted + generator.normal(0, errors[step], (RUNS, 14)), errors[step], year)
        for step, year in enumerate((2022, 2024))
    )
    found = movements(figures, 2022, SHARES_OF_NONE, WORK, SURVEY, FOURTEEN, CONTRASTS).filter(
        movement="since_baseline", quantity="value"
    )
    with_change = pl.col("region_code").is_in(CODES[:changing])
    of_changed, said = found.filter(with_change), pl.col("verdict") != "no_demonstrable_difference"
    # Measured: 99.1% and 91.0% where one of fourteen changed, 98.8% and 98.7% where all did.
    unadjusted = (of_changed["p_value"] < 0.05) & (of_changed["ci_low"] > 0)
    assert unadjusted.mean() >= 0.97
    assert (of_changed["verdict"] == "better").mean() >= 0.85
    # Of what is said, on average at most one in twenty is false (measured: 4.7%; none can be where all changed).
    in_run = found.group_by("breakdown").agg(false=(said & ~with_change).sum(), found=said.sum())
    assert (in_run["false"] / in_run["found"].clip(lower_bound=1)).mean() <= 0.05


def test_the_difference_in_change_between_groups_is_unbiased_and_its_interval_covers() -> None:
    """Municipalities with known truths, groups as weighted means of their estimates; 2,000 runs, seed 8."""
    generator = np.random.default_rng(8)
    weights = {"CORE": np.array([5.0, 3.0, 2.0]), "RURAL": np.array([1.0, 1.5, 0.7, 0.9])}
    truth = {
        2022: {"CORE": np.array([58.0, 61.0, 60.0]), "RURAL": np.array([66.0, 68.0, 64.0, 70.0])},
        2024: {"CORE": np.array([60.0, 60.5, 63.0]), "RURAL": np.array([66.5, 67.0, 66.0, 71.5])},
    }
    members = {group: generator.uniform(0.8, 2.5, len(weight)) for group, weight in weights.items()}
    share = {group: weight / weight.sum() for group, weight in weights.items()}
    error = np.array([[np.sqrt(((share[group] * members[group]) ** 2).sum()) for group in weights]])

    def groups(year: int) -> np.ndarray:
        drawn = [generator.normal(truth[year][group], members[group], (RUNS, len(share[group]))) for group in weights]
        return np.column_stack([drawn[place] @ share[group] for place, group in enumerate(weights)])

    figures = pl.concat(simulated(list(weights), groups(year), error, year) for year in truth)
    found = movements(figures, 2022, SHARES_OF_NONE, WORK, SURVEY, FOURTEEN, CONTRASTS).filter(
        movement="since_baseline", quantity="difference"
    )
    core, rural = (share[group] @ (truth[2024][group] - truth[2022][group]) for group in weights)
    expected = core - rural
    assert found.height == RUNS
    simulation_error = math.sqrt(2 * (error**2).sum() / RUNS)
    assert found["estimate"].mean() == pytest.approx(expected, abs=3 * simulation_error)
    covered = (found["ci_low"] <= expected) & (found["ci_high"] >= expected)
    assert covered.mean() == pytest.approx(0.95, abs=0.015)


def test_changes_and_movements_agree_since_any_year() -> None:
    # since_previous is the table `change` with another baseline.
    surveys = [with_margins(frame) for frame in (BEFORE, year_of(61, 66, 2023), NOW)]
    row = moved(*surveys, tables=SURVEY)[2024, "GM0001", "value", "since_previous"]
    expected = changes(surveys[2], surveys[1], SHARES_OF_NONE, WORK, SURVEY, ROLES, 2023).row(
        by_predicate=(pl.col("region_code") == "GM0001") & (pl.col("quantity") == "value"), named=True
    )
    assert row["estimate"] == expected["difference"] == 3
    assert (row["ci_low"], row["ci_high"]) == (expected["difference_ci_low"], expected["difference_ci_high"])
    assert (row["p_value_adjusted"], row["verdict"]) == (expected["p_value_adjusted"], expected["verdict"])
