"""A sample and its design: what is refused, and a message that never holds an answer."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from methods.survey.design import Survey, SurveyError
from tests.methods.survey.oracle import survey

PEOPLE = pl.DataFrame(
    {
        "row": [2, 3, 4, 5, 6],
        "weight": [1.0, 2.0, 1.0, 3.0, 1.0],
        "stratum": ["GM0141", "GM0141", "GM0141", "GM0153", "GM0153"],
        "size": [30.0, 30.0, 30.0, 20.0, 20.0],
        "house": ["x", "x", "y", "x", "y"],
        "y": [0.1, 0.2, 0.9, 0.4, None],
    }
)


def of(frame: pl.DataFrame, **columns: str) -> Survey:
    return Survey.of(frame, **({"weight": "weight", "stratum": "stratum"} | columns))


def test_a_sound_design_is_taken() -> None:
    sample = of(PEOPLE, population_size="size")
    assert sample.stratum_names == ("GM0141", "GM0153")
    assert sample.degrees_of_freedom() == 5 - 2
    assert of(PEOPLE, psu="house").degrees_of_freedom() == 4 - 2  # houses x and y of two municipalities are four
    assert np.isnan(sample.values("y")).tolist() == [False] * 4 + [True]


def test_without_a_weight_everyone_counts_as_one() -> None:
    assert Survey.of(PEOPLE).weights.tolist() == [1.0] * 5


@pytest.mark.parametrize("bad", [-7.25, 0.0, None, float("nan"), float("inf")])
def test_a_weight_must_be_above_zero(bad: float | None) -> None:
    frame = PEOPLE.with_columns(weight=pl.Series([1.0, bad, 1.0, bad, 1.0]))
    with pytest.raises(SurveyError, match="column weight: expected a weight above 0; not so in row 3, 5") as caught:
        of(frame)
    assert "7.25" not in str(caught.value)


def test_many_bad_rows_are_counted_not_listed() -> None:
    frame = pl.DataFrame({"weight": [-1.0] * 12})
    with pytest.raises(SurveyError, match="row 1, 2, 3, 4, 5 and 7 more"):
        Survey.of(frame, weight="weight")


def test_a_weight_column_that_is_not_there() -> None:
    with pytest.raises(SurveyError, match="column gewicht: expected in the sample"):
        of(PEOPLE, weight="gewicht")


def test_weights_that_are_text() -> None:
    with pytest.raises(SurveyError, match="column weight: expected numbers, found String"):
        of(PEOPLE.with_columns(pl.col("weight").cast(pl.String)))


def test_a_stratum_with_one_respondent() -> None:
    with pytest.raises(SurveyError, match="stratum GM0153: expected at least two respondents, found one"):
        of(PEOPLE.head(4))


def test_a_stratum_with_one_cluster() -> None:
    with pytest.raises(SurveyError, match="stratum GM0141: expected at least two clusters"):
        of(PEOPLE.filter((pl.col("house") == "x") | (pl.col("stratum") == "GM0153")), psu="house")


def test_a_respondent_without_stratum() -> None:
    with pytest.raises(SurveyError, match="column stratum: expected a code for everyone; not so in row 4"):
        of(PEOPLE.with_columns(stratum=pl.when(pl.col("row") != 4).then("stratum")))


def test_no_respondents() -> None:
    with pytest.raises(SurveyError, match="no respondents"):
        of(PEOPLE.head(0))


def test_a_population_size_that_varies_within_a_stratum() -> None:
    with pytest.raises(SurveyError, match="column size, stratum GM0153: expected one population size"):
        of(PEOPLE.with_columns(size=pl.Series([30.0, 30, 30, 20, 21])), population_size="size")


def test_a_population_smaller_than_its_sample() -> None:
    with pytest.raises(SurveyError, match="column size, stratum GM0141: expected a population of at least"):
        of(PEOPLE.with_columns(size=pl.Series([2.0, 2, 2, 20, 20])), population_size="size")


def test_an_unknown_variable() -> None:
    with pytest.raises(SurveyError, match="column z"):
        of(PEOPLE).values("z")


def test_a_full_count_has_no_sampling_error() -> None:
    sample = of(PEOPLE.with_columns(size=pl.Series([3.0, 3, 3, 2, 2])), population_size="size")
    assert sample.covariance(np.arange(5.0)[:, None]) == pytest.approx(0.0)


def test_the_variance_of_a_stratified_total_by_hand() -> None:
    # Stratum 1: z = 1, 2, 6, mean 3, squares 4 + 1 + 9 = 14, times 3/2; stratum 2: z = 4, 8, squares 8, times 2/1.
    # With populations of 30 and 20, nine tenths of both are left.
    z = np.array([1.0, 2.0, 6.0, 4.0, 8.0])
    assert of(PEOPLE).covariance(z[:, None]) == pytest.approx(14 * 1.5 + 8 * 2)
    assert of(PEOPLE, population_size="size").covariance(z[:, None]) == pytest.approx(14 * 1.5 * 0.9 + 8 * 2 * 0.9)


def test_the_variance_of_a_clustered_total_by_hand() -> None:
    # Stratum 1: houses 3 and 6, squares 4.5; stratum 2: 4 and 8, squares 8; times 2 / 1.
    z = np.array([1.0, 2.0, 6.0, 4.0, 8.0])
    assert of(PEOPLE, psu="house").covariance(z[:, None]) == pytest.approx(2 * 4.5 + 2 * 8)


def test_a_subset_is_a_sample_of_its_own() -> None:
    part = survey("strat").subset((survey("strat").frame["stype"] != "H").to_numpy())
    assert (part.n, part.stratum_names, part.degrees_of_freedom()) == (150, ("E", "M"), 148)
