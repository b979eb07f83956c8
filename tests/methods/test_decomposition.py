"""What of a difference is composition: by hand, against statsmodels, and by simulation with known truth."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from catalog import load_catalogue
from methods.decomposition import DecompositionError, decompositions, kitagawa

PAIR = [("URBAN_CORE", "RURAL")]
AGES = ["18-34", "35-49", "50-64", "65+"]


def estimates(rows: list[tuple[Any, ...]], **changed: Any) -> pl.DataFrame:
    """Figures of the survey: region, breakdown, value, standard error, population."""
    columns = ["region_code", "breakdown", "value", "standard_error", "population"]
    types = {"value": pl.Float64, "standard_error": pl.Float64, "population": pl.Float64}
    ordinary = {"indicator_id": "health", "variable_id": "health", "statistic": "mean", "status": "definitive"}
    return pl.DataFrame(rows, schema=columns, schema_overrides=types, orient="row").with_columns(
        pl.lit(2025, dtype=pl.Int32).alias("measurement_year"),
        *(pl.lit(value).alias(name) for name, value in (ordinary | changed).items() if name != "warnings"),
        pl.lit(changed.get("warnings", []), dtype=pl.List(pl.String)).alias("warnings"),
    )


def contrasts(*rows: dict[str, Any]) -> pl.DataFrame:
    """Rows of survey_contrast: the difference of the totals in 2025, unless they say otherwise."""
    types = {
        "measurement_year": pl.Int32,
        "indicator_id": pl.String,
        "region_code": pl.String,
        "comparator_code": pl.String,
        "comparator_year": pl.Int32,
        "breakdown": pl.String,
        "difference": pl.Float64,
        "standard_error": pl.Float64,
        "degrees_of_freedom": pl.Float64,
    }
    ordinary = dict(zip(types, (2025, "health", "URBAN_CORE", "RURAL", 2025, "total", None, None, None), strict=True))
    return pl.DataFrame([ordinary | row for row in rows], schema=types)


# By hand: composition (0.6 - 0.2) (6 + 7) / 2 + (0.4 - 0.8) (8 + 8) / 2 = -0.6; within (6 - 7) (0.6 + 0.2) / 2 = -0.4;
# means 6.8 and 7.8. The published totals say 0.1 more.
TWO_CELLS = [
    ("URBAN_CORE", "total", 6.8, 0.3, 1000),
    ("URBAN_CORE", "age=18-49", 6.0, 0.4, 600),
    ("URBAN_CORE", "age=50+", 8.0, 0.2, 400),
    ("RURAL", "total", 7.7, 0.4, 500),
    ("RURAL", "age=18-49", 7.0, 0.3, 100),
    ("RURAL", "age=50+", 8.0, 0.1, 400),
]


def parts(table: pl.DataFrame, **of: Any) -> dict[str, Any]:
    return dict(table.filter(**of).select("component", "contribution").iter_rows())


class TestKitagawa:
    def test_by_hand(self):
        found = kitagawa(np.array([6, 8]), np.array([0.6, 0.4]), np.array([7, 8]), np.array([0.2, 0.8]))
        assert found.composition == pytest.approx(-0.6, abs=1e-12)
        assert found.within == pytest.approx(-0.4, abs=1e-12)
        assert found.difference == pytest.approx(6.8 - 7.8, abs=1e-12)
        assert (found.composition_standard_error, found.within_standard_error) == (None, None)

    def test_is_the_twofold_oaxaca_blinder_of_statsmodels_with_average_coefficients(self):
        """Persons with a score and an age group; `reimers` takes half of the coefficients of each group. 1e-9."""
        from statsmodels.stats.oaxaca import OaxacaBlinder

        rng = np.random.default_rng(4)
        group = np.repeat([1.0, 0.0], [400, 700])
        cell = np.concatenate([rng.choice(4, 400, p=[0.4, 0.3, 0.2, 0.1]), rng.choice(4, 700, p=[0.1, 0.2, 0.3, 0.4])])
        score = rng.normal(6 + 0.3 * cell - 0.4 * group * (cell < 2), 1.0)
        dummies = np.column_stack([group, np.ones_like(group), *(cell == level for level in (1, 2, 3))])
        theirs = OaxacaBlinder(score, dummies, 0, hasconst=True, swap=False).two_fold(two_fold_type="reimers")
        unexplained, explained, gap = theirs.params

        sides = [group == which for which in (0.0, 1.0)]  # statsmodels takes the lower value as the first group
        means = [np.array([score[side & (cell == level)].mean() for level in range(4)]) for side in sides]
        shares = [np.array([(cell[side] == level).mean() for level in range(4)]) for side in sides]
        ours = kitagawa(means[0], shares[0], means[1], shares[1])
        assert ours.difference == pytest.approx(gap, abs=1e-9)
        assert ours.composition == pytest.approx(explained, abs=1e-9)
        assert ours.within == pytest.approx(unexplained, abs=1e-9)

    def test_parts_add_up_and_turn_around_with_the_groups(self):
        rng = np.random.default_rng(2)
        for cells in (1, 2, 5, 12):
            (m_a, m_b), (s_a, s_b) = rng.normal(60, 10, (2, cells)), rng.dirichlet(np.ones(cells), 2)
            there, back = kitagawa(m_a, s_a, m_b, s_b), kitagawa(m_b, s_b, m_a, s_a)
            assert there.composition + there.within == pytest.approx(there.difference, abs=1e-12)
            assert back.composition == pytest.approx(-there.composition, abs=1e-12)
            assert back.within == pytest.approx(-there.within, abs=1e-12)

    def test_same_people_no_composition_and_same_scores_nothing_within(self):
        score, share = np.array([5.0, 7.0, 8.0]), np.array([0.2, 0.3, 0.5])
        assert kitagawa(score, share, score + 1, share).composition == 0
        assert kitagawa(score, share, score, share[::-1]).within == 0

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"share_a": np.array([0.5, 0.6])}, r"add up to 1; share_a adds up to 1\.1"),
            ({"share_b": np.array([-0.5, 1.5])}, "at least 0"),
            ({"mean_b": np.array([1.0])}, "all of one length"),
            ({"mean_a": np.array([np.nan, 1.0])}, "mean_a lacks some"),
        ],
    )
    def test_refuses_cells_that_cannot_be_decomposed(self, change: dict[str, Any], message: str):
        sound = {name: np.array([0.5, 0.5]) for name in ("mean_a", "share_a", "mean_b", "share_b")}
        with pytest.raises(DecompositionError, match=message):
            kitagawa(**(sound | change))

    def test_standard_errors_are_those_of_simulation(self):
        """100,000 draws of independent cell means with known errors; the errors of both parts within 1%."""
        rng = np.random.default_rng(6)
        m_a, m_b = np.array([6.0, 7.0, 7.5]), np.array([7.0, 7.5, 8.0])
        s_a, s_b = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.3, 0.5])
        se_a, se_b = np.array([0.2, 0.3, 0.1]), np.array([0.1, 0.2, 0.4])
        x_a, x_b = rng.normal(m_a, se_a, (100_000, 3)), rng.normal(m_b, se_b, (100_000, 3))
        found = kitagawa(m_a, s_a, m_b, s_b, se_a, se_b)
        composition = ((s_a - s_b) * (x_a + x_b) / 2).sum(axis=1)
        assert found.composition_standard_error == pytest.approx(composition.std(), rel=0.01)
        assert found.within_standard_error == pytest.approx((x_a @ s_a - x_b @ s_b - composition).std(), rel=0.01)


class TestTable:
    def test_by_hand(self):
        table = decompositions(estimates(TWO_CELLS), PAIR, contrasts())
        assert parts(table) == pytest.approx(
            {"difference": -0.9, "composition": -0.6, "within": -0.4, "not_broken_down": 0.1}, abs=1e-12
        )
        rows = {row["component"]: row for row in table.iter_rows(named=True)}
        composition = 1.959963984540054 * (0.4 / 2) * (0.4**2 + 0.3**2 + 0.2**2 + 0.1**2) ** 0.5
        assert rows["composition"]["ci_high"] == pytest.approx(-0.6 + composition, abs=1e-12)
        within = 1.959963984540054 * (0.4**2 * (0.4**2 + 0.3**2) + 0.6**2 * (0.2**2 + 0.1**2)) ** 0.5
        assert rows["within"]["ci_low"] == pytest.approx(-0.4 - within, abs=1e-12)
        assert (rows["not_broken_down"]["ci_low"], rows["not_broken_down"]["ci_high"]) == (None, None)
        # Without a design for the difference the totals are independent: sqrt(0.3^2 + 0.4^2) = 0.5.
        assert rows["difference"]["ci_low"] == pytest.approx(-0.9 - 1.959963984540054 * 0.5, abs=1e-12)
        assert table["cells"].to_list() == [2] * 4
        assert table["reason"].null_count() == 4

    def test_is_that_of_kitagawa_for_every_pair_breakdown_and_statistic(self):
        rng = np.random.default_rng(5)
        cells = [f"age={age}" for age in AGES] + ["sex=female", "sex=male"]
        frames = [
            estimates(
                [(code, cell, *rng.uniform([5, 0.1, 100], [8, 0.4, 900])) for cell in ["total", *cells]],
                statistic=statistic,
            )
            for code in ("URBAN_CORE", "RURAL", "TWENTE", "NL_REST")
            for statistic in ("mean", "share")
        ]
        pairs = [*PAIR, ("TWENTE", "NL_REST")]
        given = pl.concat(frames)
        table = decompositions(given, pairs, contrasts())
        assert table.height == 2 * 2 * 2 * 4
        assert table["indicator_id"].unique().sort().to_list() == ["health", "health_share"]
        for (region, other), name in [(pair, name) for pair in pairs for name in ("age", "sex")]:
            a, b = (
                given.filter(pl.col("breakdown").str.starts_with(name), region_code=code, statistic="share")
                for code in (region, other)
            )
            expected = kitagawa(
                *(
                    column
                    for side in (a, b)
                    for column in (side["value"], side["population"] / side["population"].sum())
                ),
                a["standard_error"],
                b["standard_error"],
            )
            found = table.filter(region_code=region, decomposed_by=name, indicator_id="health_share")
            assert parts(found)["composition"] == pytest.approx(expected.composition, abs=1e-12)
            assert parts(found)["within"] == pytest.approx(expected.within, abs=1e-12)
            margin = found.filter(component="within").select(pl.col("ci_high") - pl.col("contribution")).item()
            assert margin == pytest.approx(1.959963984540054 * expected.within_standard_error, abs=1e-12)

    def test_the_difference_is_the_published_one_with_the_interval_of_its_design(self):
        """Student's t with 30 degrees of freedom: 2.0423 (any table of t), of change over years and cells nothing."""
        known = contrasts(
            {"difference": -0.9, "standard_error": 0.2, "degrees_of_freedom": 30.0},
            {"difference": 9.0, "standard_error": 9.0, "degrees_of_freedom": 30.0, "comparator_year": 2022},
            {"difference": 9.0, "standard_error": 9.0, "degrees_of_freedom": 30.0, "breakdown": "age=50+"},
        )
        table = decompositions(estimates(TWO_CELLS), PAIR, known)
        assert table.height == 4
        row = table.row(by_predicate=pl.col("component") == "difference", named=True)
        assert row["ci_high"] == pytest.approx(-0.9 + 2.0423 * 0.2, abs=1e-4)

    def test_components_add_up_to_the_difference(self):
        rng = np.random.default_rng(11)
        rows = [
            (code, cell, *rng.uniform([5, 0.1, 100], [8, 0.4, 900]))
            for code in ("URBAN_CORE", "RURAL")
            for cell in ("total", *(f"age={age}" for age in AGES))
        ]
        found = parts(decompositions(estimates(rows), PAIR, contrasts()))
        total = found["composition"] + found["within"] + found["not_broken_down"]
        assert total == pytest.approx(found["difference"], abs=1e-12)

    @pytest.mark.parametrize(
        "hidden",
        [
            {1: ("URBAN_CORE", "age=18-49", None, None, None)},  # suppressed
            {4: ("RURAL", "age=18-49", 7.0, 0.3, None)},  # how many people is not known
            {4: ("RURAL", "sex=male", 7.0, 0.3, 100)},  # no such cell in this group
            {0: ("URBAN_CORE", "total", None, None, None)},
        ],
    )
    def test_what_is_hidden_stays_hidden(self, hidden: dict[int, tuple[Any, ...]]):
        rows = [hidden.get(place, row) for place, row in enumerate(TWO_CELLS)]
        table = decompositions(estimates(rows), PAIR, contrasts()).filter(decomposed_by="age")
        rest = table.filter(pl.col("component") != "difference")
        assert rest["contribution"].to_list() == [None] * 3
        assert rest["ci_low"].to_list() == [None] * 3
        assert rest["reason"].to_list() == ["no_value"] * 3
        assert table["cells"].to_list() == [2] * 4
        difference = table.row(by_predicate=pl.col("component") == "difference", named=True)
        if 0 in hidden:
            assert (difference["contribution"], difference["reason"]) == (None, "no_value")
        else:
            assert difference["contribution"] == pytest.approx(-0.9, abs=1e-12)

    def test_a_cell_without_standard_error_has_no_interval(self):
        rows = [*TWO_CELLS[:5], ("RURAL", "age=50+", 8.0, None, 400)]
        table = decompositions(estimates(rows), PAIR, contrasts())
        composition = table.row(by_predicate=pl.col("component") == "composition", named=True)
        assert composition["contribution"] == pytest.approx(-0.6, abs=1e-12)
        assert (composition["ci_low"], composition["reason"]) == (None, None)

    def test_questions_and_cells_of_two_breakdowns_do_not_count(self):
        two = [(code, "age=18-49;sex=male", 1.0, 0.1, 10) for code in ("URBAN_CORE", "RURAL")]
        question = estimates(TWO_CELLS, variable_id="health_question")
        table = decompositions(pl.concat([estimates([*TWO_CELLS, *two]), question]), PAIR, contrasts())
        assert table.equals(decompositions(estimates(TWO_CELLS), PAIR, contrasts()))

    def test_warnings_of_cells_and_totals_are_told(self):
        frames = [
            estimates(TWO_CELLS[:1], warnings=["synthetic"]),
            estimates(TWO_CELLS[1:5]),
            estimates(TWO_CELLS[5:], warnings=["small_n", "synthetic"]),
        ]
        table = decompositions(pl.concat(frames), PAIR, contrasts())
        assert table["warnings"].to_list() == [["small_n", "synthetic"]] * 4

    def test_fits_the_published_table_and_does_not_depend_on_the_order_of_rows(self):
        published = load_catalogue().registry["decomposition"]
        table = decompositions(estimates(TWO_CELLS), PAIR, contrasts())
        assert table.columns == published.column_names
        assert published.conform(table).equals(table)
        assert table.equals(decompositions(estimates(TWO_CELLS[::-1]), PAIR, contrasts()))

    def test_without_a_survey_or_contrasts_the_table_is_empty(self):
        published = load_catalogue().registry["decomposition"]
        for given, pairs in ((estimates(TWO_CELLS).clear(), PAIR), (estimates(TWO_CELLS), [])):
            table = decompositions(given, pairs, contrasts())
            assert table.is_empty()
            assert table.schema == published.conform(table).schema


def test_intervals_hold_the_truth_in_95_of_100_surveys():
    """Known truth: 2,000 surveys of two groups of four ages; within 93.5-96.5%, three times the error of simulation."""
    rng = np.random.default_rng(12)
    surveys = 2000
    sides = {
        "URBAN_CORE": ([6.0, 6.4, 7.0, 7.6], [400, 250, 200, 150]),
        "RURAL": ([6.9, 7.0, 7.4, 8.0], [150, 200, 300, 350]),
    }
    frames = []
    for code, (means, people) in sides.items():
        errors = rng.uniform(0.1, 0.4, 4)
        share = np.array(people) / 1000
        drawn = rng.normal(means, errors, (surveys, 4))
        total = drawn @ share
        error = float(np.sqrt((share**2 * errors**2).sum()))
        for name, value, se, count in [
            ("total", total, error, 1000),
            *((f"age={AGES[cell]}", drawn[:, cell], errors[cell], people[cell]) for cell in range(4)),
        ]:
            frame = estimates([(code, name, 0.0, float(se), count)]).drop("value", "indicator_id", "variable_id")
            ids = pl.Series("indicator_id", [f"survey_{place:04}" for place in range(surveys)])
            drawn_values = pl.DataFrame([ids, pl.Series("value", value)]).with_columns(variable_id="indicator_id")
            frames.append(drawn_values.join(frame, how="cross"))
    table = decompositions(pl.concat(frames), PAIR, contrasts())
    (m_a, p_a), (m_b, p_b) = ((np.array(means), np.array(people) / 1000) for means, people in sides.values())
    truth = kitagawa(m_a, p_a, m_b, p_b)
    for component in ("difference", "composition", "within"):
        true = getattr(truth, component)
        held = table.filter(component=component).select((pl.col("ci_low") <= true) & (pl.col("ci_high") >= true))
        assert held.height == surveys
        assert 0.935 <= held.to_series().mean() <= 0.965, component
