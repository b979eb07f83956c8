"""Expected figures given structure: by hand, against an independent ridge, and what simulation says of intervals."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest

from catalog import load_catalogue
from catalog.analysis_model import ExpectationSettings
from methods.expectation import (
    Expectation,
    ExpectationError,
    code_blocks,
    conformal_half_widths,
    expect,
    expectations,
)
from methods.measure import RegionRoles
from methods.structure import Structure
from tests.methods.small import indicators

DATA_SETS = 200
MUNICIPALITIES, PROVINCES, VARIABLES = 342, 12, 6
Sample = dict[str, np.ndarray[Any, Any]]


def country(seed: int) -> Sample:
    """A country of which everything is known: provinces differ, and small municipalities scatter more.

    The outcome has a mean by structure (one variable through its square), a part that a province shares (sd 0.3) and a
    part of its own with sd (inhabitants / 30,000) ** -0.25: 1.5 at 6,000 inhabitants, 0.6 at 230,000.
    """
    draw = np.random.default_rng(seed)
    province = np.sort(draw.integers(0, PROVINCES, MUNICIPALITIES))
    size = np.exp(draw.normal(10.3, 0.85, MUNICIPALITIES)).clip(1_000, 900_000)
    features = draw.normal(size=(MUNICIPALITIES, VARIABLES))
    features[:, 0] = np.log(size)
    z = (features[:, 0] - 10.3) / 0.85
    features[:, 1] = 0.6 * z + 0.8 * features[:, 1]
    mean = 0.4 * z - 0.7 * features[:, 1] + 0.4 * features[:, 2] + 0.3 * features[:, 3] + 0.2 * features[:, 4] ** 2
    own_sd = (size / 30_000) ** -0.25
    shared = 0.3 * draw.normal(size=PROVINCES)[province]
    outcome = mean + shared + own_sd * draw.normal(size=MUNICIPALITIES)
    noise = draw.normal(size=features.shape)
    return {
        "outcome": outcome,
        "features": features,
        "size": size,
        "blocks": province,
        "own_sd": own_sd,
        "noise": noise,
    }


def expected_in(sample: Sample, **other: Any) -> Expectation:
    given = {name: sample[name] for name in ("outcome", "features", "size", "blocks")}
    return expect(**{**given, **other})


@cache
def coverage_by_data_set() -> np.ndarray[Any, Any]:
    """Share of municipalities inside their interval: data set x (all, smallest quarter, largest quarter)."""
    shares = []
    for seed in range(DATA_SETS):
        sample = country(seed)
        found = expected_in(sample)
        inside = (found.low <= sample["outcome"]) & (sample["outcome"] <= found.high)
        low, high = np.quantile(sample["size"], [0.25, 0.75])
        shares.append([inside.mean(), inside[sample["size"] <= low].mean(), inside[sample["size"] >= high].mean()])
    return np.array(shares)


class TestSimulated:
    """342 municipalities in 12 provinces, with known truth. Measured over 200 data sets: 90.0, 89.4 and 90.0%."""

    def test_intervals_of_90_percent_cover_88_to_92_percent(self) -> None:
        assert coverage_by_data_set().shape == (DATA_SETS, 3)
        assert 0.88 <= coverage_by_data_set()[:, 0].mean() <= 0.92

    def test_they_cover_small_and_large_municipalities_alike(self) -> None:
        _, small, large = coverage_by_data_set().mean(axis=0)
        assert 0.86 <= small <= 0.94
        assert 0.86 <= large <= 0.94

    def test_variables_that_say_nothing_are_refused_in_most_runs(self) -> None:
        samples = [country(seed) for seed in range(60)]
        refused = [not expected_in(sample, features=sample["noise"]).usable for sample in samples]
        assert np.mean(refused) >= 0.8

    def test_variables_that_say_something_are_used(self) -> None:
        assert all(expected_in(country(seed)).usable for seed in range(10))

    def test_a_city_four_standard_deviations_too_low_is_flagged(self) -> None:
        flagged = []
        for seed in range(30):
            sample = country(seed)
            city = int(np.argsort(sample["size"])[-10])
            truth = sample["outcome"].copy()
            # Put on its expected figure first, so that it is 4 of its own standard deviations below and nothing else.
            truth[city] = expected_in(sample).expected[city] - 4 * np.hypot(0.3, sample["own_sd"][city])
            flagged.append(truth[city] < expected_in(sample, outcome=truth).low[city])
        assert np.mean(flagged) >= 0.95


class TestExpect:
    def test_predictions_equal_ridge_from_its_normal_equations(self) -> None:
        """beta = (Z'Z + aI)^-1 Z'y with Z centred, and a by leaving out each row in turn, literally (rtol 1e-8)."""
        sample = {name: values[:90] for name, values in country(1).items()}
        found = expected_in(sample)
        for block in np.unique(sample["blocks"]):
            others = sample["blocks"] != block
            known, asked = sample["features"][others], sample["features"][~others]
            predicted = ridge(known, sample["outcome"][others], asked)
            np.testing.assert_allclose(found.expected[~others], predicted, rtol=1e-8)

    def test_the_own_block_has_no_part_in_the_prediction(self) -> None:
        sample = country(2)
        own = sample["blocks"] == 3
        changed = sample["outcome"] + np.where(own, 100.0, 0.0)
        before, after = expected_in(sample), expected_in(sample, outcome=changed)
        np.testing.assert_array_equal(after.expected[own], before.expected[own])
        assert (after.expected[~own] != before.expected[~own]).all()

    def test_without_any_structure_the_mean_of_the_others_is_expected_and_refused(self) -> None:
        found = expect(
            outcome=np.array([1.0, 2, 3, 4, 5, 6, 7, 8, 9]),
            features=np.ones((9, 2)),
            size=np.full(9, 1000.0),
            blocks=np.repeat(["a", "b", "c"], 3),
            coverage=0.5,
        )
        assert found.expected.tolist() == pytest.approx([6.5] * 3 + [5.0] * 3 + [3.5] * 3)
        assert found.cv_error == pytest.approx(found.cv_error_of_mean)
        assert not found.usable

    def test_equal_input_gives_equal_numbers(self) -> None:
        first, second = expected_in(country(3)), expected_in(country(3))
        np.testing.assert_array_equal(first.low, second.low)
        assert first.cv_error == second.cv_error

    def test_the_names_of_blocks_do_not_matter(self) -> None:
        sample = country(4)
        by_name = np.array([f"PV{number:02}" for number in sample["blocks"]])
        np.testing.assert_array_equal(expected_in(sample).high, expected_in(sample, blocks=by_name).high)

    @pytest.mark.parametrize(
        ("wrong", "message"),
        [
            ({"size": np.ones(3)}, "one row a municipality"),
            ({"features": np.empty((MUNICIPALITIES, 0))}, "no features"),
            ({"outcome": np.full(MUNICIPALITIES, np.nan)}, "leave it out"),
            ({"size": np.zeros(MUNICIPALITIES)}, "without inhabitants"),
            ({"blocks": np.arange(MUNICIPALITIES) % 2}, "2 blocks; at least 3"),
            ({"coverage": 0.999}, "too few for a coverage of 0.999"),
        ],
    )
    def test_what_cannot_be_computed_is_said(self, wrong: dict[str, Any], message: str) -> None:
        with pytest.raises(ExpectationError, match=message):
            expected_in(country(5), **wrong)


def ridge(known: np.ndarray[Any, Any], outcome: np.ndarray[Any, Any], asked: np.ndarray[Any, Any]) -> Any:
    """What `asked` is predicted by ridge on standardised variables and their squares, penalty by leave-one-out."""
    z, z_asked = ((rows - known.mean(axis=0)) / known.std(axis=0) for rows in (known, asked))
    design, of_asked = np.hstack([z, z**2]), np.hstack([z_asked, z_asked**2])

    def predict(rows: np.ndarray[Any, Any], at: np.ndarray[Any, Any], penalty: float) -> Any:
        centred = design[rows] - design[rows].mean(axis=0)
        moments = centred.T @ centred + penalty * np.eye(design.shape[1])
        beta = np.linalg.solve(moments, centred.T @ outcome[rows])
        return outcome[rows].mean() + (at - design[rows].mean(axis=0)) @ beta

    everything = np.arange(len(outcome))

    def left_out(penalty: float) -> float:
        return sum(
            (outcome[one] - predict(np.delete(everything, one), design[one], penalty)) ** 2 for one in everything
        )

    return predict(everything, of_asked, min((0.1, 1.0, 10.0, 100.0), key=left_out))


class TestHalfWidths:
    """Equal sizes, residuals 1 to 12 in three blocks of four: the quantile of the eight others, by hand."""

    RESIDUALS = np.array([1.0, -2, 3, -4, 5, -6, 7, -8, 9, -10, 11, -12])
    BLOCKS = np.repeat(["a", "b", "c"], 4)

    @pytest.mark.parametrize(
        # The places of (8 + 1) x 0.5 = 4.5 -> 5 and (8 + 1) x 2/3 = 6 exactly, among 5..12, 1..4 with 9..12, and 1..8.
        ("coverage", "expected"),
        [(0.5, [9, 9, 5]), (2 / 3, [10, 10, 6])],
    )
    def test_by_hand(self, coverage: float, expected: list[float]) -> None:
        found = conformal_half_widths(self.RESIDUALS, np.full(12, 500.0), self.BLOCKS, coverage)
        assert found.tolist() == np.repeat(expected, 4).tolist()

    def test_residuals_of_the_own_block_have_no_part_in_its_intervals(self) -> None:
        size = np.geomspace(1_000, 200_000, 12)
        changed = np.where(self.BLOCKS == "b", 1_000.0, self.RESIDUALS)
        before, after = (conformal_half_widths(of, size, self.BLOCKS, 0.5) for of in (self.RESIDUALS, changed))
        assert after[4:8].tolist() == before[4:8].tolist()
        assert (after[:4] > before[:4]).all()

    def test_small_municipalities_get_wider_intervals_where_they_scatter_more(self) -> None:
        size = np.tile([1_000.0, 4_000.0, 16_000.0, 64_000.0], 3)
        residuals = np.tile([8.0, -4.0, 2.0, -1.0], 3)
        found = conformal_half_widths(residuals, size, self.BLOCKS, 0.5)
        assert found.tolist() == pytest.approx([8, 4, 2, 1] * 3)

    def test_a_lucky_hit_does_not_decide_how_much_figures_scatter(self) -> None:
        size = np.tile([1_000.0, 4_000.0, 16_000.0, 64_000.0], 75)
        residuals = np.tile([3.0, -3.0, 3.0, -3.0], 75)
        residuals[0] = 0.0
        found = conformal_half_widths(residuals, size, np.repeat(["a", "b", "c"], 100), 0.5)
        np.testing.assert_allclose(found, 3, rtol=0.05)

    def test_predictions_that_are_right_everywhere_have_no_width(self) -> None:
        assert not conformal_half_widths(np.zeros(12), np.arange(1.0, 13), self.BLOCKS, 0.5).any()


LISTED = [f"GM{number:04}" for number in range(100, 442)]
FOURTEEN = [f"GM{number:04}" for number in (150, 151, 163, 170, 180, 190, 200, 210, 220, 230, 240, 300, 400, 440)]


class TestCodeBlocks:
    def test_own_municipalities_share_a_block_and_blocks_are_nearly_equal(self) -> None:
        found = code_blocks(LISTED, 10, FOURTEEN)
        assert found["region_code"].to_list() == LISTED
        assert found.filter(pl.col("region_code").is_in(FOURTEEN))["block"].unique().to_list() == ["block_01"]
        assert sorted(found["block"].value_counts()["count"]) == [34] * 8 + [35] * 2

    def test_neighbours_in_the_list_are_mostly_in_one_block(self) -> None:
        found = code_blocks(LISTED, 10, FOURTEEN).filter(~pl.col("region_code").is_in(FOURTEEN))
        changes = (found["block"] != found["block"].shift(1)).sum()
        assert changes == 10  # nine borders, and the one where the list goes round

    def test_order_and_repeats_of_the_codes_do_not_matter(self) -> None:
        shuffled = [*reversed(LISTED), LISTED[0]]
        assert code_blocks(shuffled, 10, FOURTEEN[::-1]).equals(code_blocks(LISTED, 10, FOURTEEN))

    def test_more_own_municipalities_than_fit_are_a_block_of_their_own(self) -> None:
        found = code_blocks([f"GM{number:02}" for number in range(12)], 4, [f"GM{number:02}" for number in range(6)])
        assert found["block"].to_list() == ["block_01"] * 6 + ["block_02"] * 2 + ["block_03"] * 2 + ["block_04"] * 2

    def test_without_own_municipalities_the_list_is_cut_as_it_is(self) -> None:
        assert code_blocks(["b", "c", "a"], 3, [])["block"].to_list() == ["block_01", "block_02", "block_03"]

    @pytest.mark.parametrize("folds", [2, 13])
    def test_too_few_or_too_many_blocks_are_refused(self, folds: int) -> None:
        with pytest.raises(ExpectationError, match=f"in {folds} blocks"):
            code_blocks([f"GM{number:02}" for number in range(12)], folds, [])


SETTINGS = ExpectationSettings(coverage=0.9, folds=10, minimum_municipalities=100)
CODES = [f"GM{number:04}" for number in range(1, MUNICIPALITIES + 1)]
OWN = CODES[10:14]
ROLES = RegionRoles(OWN, ["REGION"], "NL01", "NL_REST", [])
COUNTRY = country(7)
REGIONS = pl.DataFrame(
    {
        "region_code": CODES,
        "population": COUNTRY["size"],
        "block": [f"PV{number:02}" for number in COUNTRY["blocks"]],
        **{f"x{number}": COUNTRY["features"][:, number] for number in range(VARIABLES)},
    }
)
STRUCTURE = Structure(REGIONS.select("region_code", "^x.*$"), {f"x{number}": "2022" for number in range(VARIABLES)}, {})


def figures(indicator: str = "income", year: int = 2022, **columns: Any) -> pl.DataFrame:
    """One indicator and year as `indicator_value`, of all municipalities and a group."""
    given = {
        "value": pl.Series(COUNTRY["outcome"]),
        "breakdown": "total",
        "reference_period": "2022",
        "warnings": pl.lit([], dtype=pl.List(pl.String)),
        "series_id": "s",
        "kind": "register",
        **columns,
    }
    literal = {name: pl.lit(column) if isinstance(column, str) else column for name, column in given.items()}
    municipalities = pl.DataFrame({"region_code": CODES}).with_columns(
        measurement_year=pl.lit(year, dtype=pl.Int32), indicator_id=pl.lit(indicator), **literal
    )
    return pl.concat([municipalities, municipalities.head(1).with_columns(region_code=pl.lit("REGION"))])


def without_value(region: str) -> pl.Series:
    return pl.Series([None if code == region else value for code, value in zip(CODES, COUNTRY["outcome"], strict=True)])


def only(region: str, then: Any, otherwise: Any) -> pl.Series:
    return pl.Series([then if code == region else otherwise for code in CODES])


def table(*values: pl.DataFrame, of: str = "indicator_id\nincome", **other: Any) -> pl.DataFrame:
    given = {
        "structure": STRUCTURE,
        "indicators": indicators(of),
        "population": REGIONS,
        "blocks": REGIONS,
        "roles": ROLES,
        "settings": SETTINGS,
        "folds": "province",
        **other,
    }
    return expectations(pl.concat(values), **given)


class TestTable:
    def test_it_is_the_published_table_with_a_row_for_every_own_municipality(self) -> None:
        published = load_catalogue().registry["expected_value"]
        found = table(figures())
        assert dict(found.schema) == published.polars_schema
        assert found.equals(published.conform(found))
        assert found["region_code"].to_list() == OWN
        assert found.select(published.required).null_count().row(0) == (0, 0, 0)

    def test_the_numbers_are_those_of_expect(self) -> None:
        by_hand = expected_in(COUNTRY)
        found = table(figures())
        assert found["expected_value"].to_list() == pytest.approx(by_hand.expected[10:14].tolist(), rel=1e-12)
        assert found["expected_low"].to_list() == pytest.approx(by_hand.low[10:14].tolist(), rel=1e-12)
        assert found["expected_high"].to_list() == pytest.approx(by_hand.high[10:14].tolist(), rel=1e-12)
        assert found["residual"].to_list() == pytest.approx((COUNTRY["outcome"] - by_hand.expected)[10:14].tolist())
        assert found["cv_error"].unique().to_list() == pytest.approx([by_hand.cv_error])
        assert found["cv_error_of_mean"].unique().to_list() == pytest.approx([by_hand.cv_error_of_mean])
        assert found["municipalities"].unique().to_list() == [MUNICIPALITIES]
        assert found["folds"].unique().to_list() == ["province"]
        assert found["variables"][0] == "x0 2022;x1 2022;x2 2022;x3 2022;x4 2022;x5 2022"

    def test_above_and_below_do_not_turn_with_the_polarity(self) -> None:
        outcome = COUNTRY["outcome"].copy()
        outcome[10] += 20
        outcome[11] -= 20
        for polarity in ("1", "-1"):
            found = table(figures(value=pl.Series(outcome)), of=f"indicator_id polarity\nincome {polarity}")
            assert found["expectation"].to_list()[:2] == ["above_expected", "below_expected"]
            assert found["expectation"].to_list()[2:] == ["as_expected", "as_expected"]

    def test_flags_by_chance_counts_own_municipalities_with_an_expectation(self) -> None:
        assert table(figures())["flags_by_chance"].to_list() == pytest.approx([0.1 * 4] * 4)
        without = table(figures(value=without_value(OWN[0])))
        assert without["flags_by_chance"][0] is None
        assert without["flags_by_chance"].to_list()[1:] == pytest.approx([0.1 * 3] * 3)

    def test_a_figure_that_is_carried_forward_is_expected_the_same(self) -> None:
        carried = figures(year=2023, warnings=pl.lit(["carried_forward"]))
        found = table(figures(), carried)
        numbers = ["expected_value", "expected_low", "expected_high", "cv_error"]
        first, second = (found.filter(measurement_year=year).select(numbers) for year in (2022, 2023))
        assert first.equals(second)
        assert found.filter(measurement_year=2023)["warnings"].to_list() == [["carried_forward"]] * 4

    def test_counts_experienced_and_regional_indicators_have_no_rows(self) -> None:
        of = """
            indicator_id layer       is_count measured_for
            income       official    no       municipality
            people       official    yes      municipality
            happy        experienced no       municipality
            abroad       official    no       country
            """
        values = [figures(name) for name in ("income", "people", "happy", "abroad")]
        assert table(*values, of=of)["indicator_id"].unique().to_list() == ["income"]
        assert table(figures("people"), of=of).height == 0

    def test_order_of_the_rows_does_not_matter(self) -> None:
        shuffled = figures().sample(fraction=1, shuffle=True, seed=1)
        other = {"population": REGIONS.reverse(), "blocks": REGIONS.reverse()}
        assert table(shuffled, **other).equals(table(figures()))


class TestRefused:
    def refused(self, found: pl.DataFrame) -> dict[str, str]:
        """Reasons by municipality; a refused row has no number but the figure itself and what the model was worth."""
        rows = found.filter(expectation="refused")
        numbers = ["expected_value", "expected_low", "expected_high", "residual", "flags_by_chance"]
        assert rows.select(pl.all_horizontal(pl.col(numbers).is_null()).all()).item() is True
        assert found.filter(pl.col("expectation") != "refused")["reason"].null_count() == found.height - rows.height
        return dict(rows.select("region_code", "reason").iter_rows())

    def test_no_value(self) -> None:
        found = table(figures(value=without_value(OWN[1])))
        assert self.refused(found) == {OWN[1]: "no_value"}
        assert found["municipalities"].unique().to_list() == [MUNICIPALITIES - 1]

    @pytest.mark.parametrize("columns", [{"kind": "model"}, {"warnings": pl.lit(["model_based"])}])
    def test_model_based(self, columns: dict[str, Any]) -> None:
        found = table(figures(**columns))
        assert self.refused(found) == dict.fromkeys(OWN, "model_based")
        assert found["value"].null_count() == 0
        assert found["municipalities"].to_list() == [0] * 4

    def test_too_few_municipalities(self) -> None:
        few = figures().filter(pl.col("region_code") <= CODES[98])
        assert self.refused(table(few)) == dict.fromkeys(OWN, "too_few_municipalities")
        assert table(few)["municipalities"].to_list() == [99] * 4

    def test_too_few_provinces(self) -> None:
        two = REGIONS.with_columns(block=pl.when(pl.col("block") < "PV06").then(pl.lit("a")).otherwise(pl.lit("b")))
        assert self.refused(table(figures(), blocks=two)) == dict.fromkeys(OWN, "too_few_municipalities")

    def test_no_structural_variables_at_all(self) -> None:
        none = Structure(STRUCTURE.frame.select("region_code"), {}, {})
        assert self.refused(table(figures(), structure=none)) == dict.fromkeys(OWN, "too_few_municipalities")

    def test_no_better_than_the_mean_shows_by_how_much(self) -> None:
        noise = REGIONS.select("region_code").with_columns(
            pl.Series(f"x{number}", COUNTRY["noise"][:, number]) for number in range(VARIABLES)
        )
        found = table(figures(), structure=Structure(noise, STRUCTURE.periods, {}))
        assert self.refused(found) == dict.fromkeys(OWN, "no_better_than_mean")
        assert (found["cv_error"] >= found["cv_error_of_mean"]).all()

    def test_a_municipality_without_structure_is_left_out(self) -> None:
        frame = STRUCTURE.frame.filter(pl.col("region_code") != OWN[2])
        found = table(figures(), structure=Structure(frame, STRUCTURE.periods, {}))
        assert self.refused(found) == {OWN[2]: "not_shared"}
        assert found["municipalities"].unique().to_list() == [MUNICIPALITIES - 1]

    def test_figures_of_another_definition_are_left_out(self) -> None:
        found = table(figures(warnings=only(OWN[3], ["definition_differs"], [])))
        assert self.refused(found) == {OWN[3]: "not_shared"}
        assert found["municipalities"].unique().to_list() == [MUNICIPALITIES - 1]

    def test_figures_of_another_series_are_left_out(self) -> None:
        found = table(figures(series_id=only(CODES[300], "other", "s")))
        assert self.refused(found) == {}
        assert found["municipalities"].unique().to_list() == [MUNICIPALITIES - 1]
