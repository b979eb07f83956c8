"""Structural variables: of one period, of (nearly) all municipalities, and nothing filled in."""

from __future__ import annotations

from math import log

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from catalog.analysis_model import StructuralVariable
from methods.structure import Structure, standardised, structural_variables


def variable(name: str, expression: str | None = None, scale: str = "linear") -> StructuralVariable:
    return StructuralVariable.model_validate(
        {"variable": name, "expression": expression or name, "scale": scale, "name_nl": name, "name_en": name}
    )


def figures(text: str) -> pl.DataFrame:
    """Rows of `indicator municipality period value [table]`; `-` is NULL."""
    rows = [[*line.split(), "T1"][:5] for line in text.strip().splitlines()]
    names = ["indicator_id", "region_code", "period", "value", "source_table"]
    return pl.DataFrame(rows, names, orient="row").with_columns(pl.col("value").cast(pl.Float64, strict=False))


def many(indicator: str, period: str, values: list[float]) -> pl.DataFrame:
    """A figure each for as many municipalities as there are values: GM0000, GM0001, ..."""
    return pl.DataFrame(
        {
            "indicator_id": indicator,
            "region_code": [f"GM{place:04}" for place in range(len(values))],
            "period": period,
            "value": values,
            "source_table": "T1",
        }
    )


TWENTY = [f"GM{place:04}" for place in range(20)]
RISING = [float(place) for place in range(1, 21)]


def test_a_ratio_takes_both_parts_of_the_same_period() -> None:
    given = figures("""
        people GM0001 2024 100
        people GM0002 2024 400
        people GM0001 2025 1000
        people GM0002 2025 4000
        old GM0001 2024 20
        old GM0002 2024 100
    """)
    wanted = [variable("old_share", "100 * old / people"), variable("people")]
    found = structural_variables(given, wanted, ["GM0002", "GM0001"], 2025)
    assert found.frame.rows() == [("GM0001", 20.0, 1000.0), ("GM0002", 25.0, 4000.0)]
    assert found.described == "old_share 2024;people 2025"
    assert found.names == ["old_share", "people"]
    assert found.left_out == {}


def test_a_later_period_is_not_used() -> None:
    given = pl.concat([many("people", "2024", RISING), many("people", "2025", RISING[::-1])])
    assert structural_variables(given, [variable("people")], TWENTY, 2024).frame["people"].to_list() == RISING


def test_months_and_breakdowns_are_no_yearly_total() -> None:
    given = pl.concat(
        [
            many("people", "2024", RISING).with_columns(breakdown=pl.lit("total")),
            many("people", "2025-06", RISING[::-1]).with_columns(breakdown=pl.lit("total")),
            many("people", "2025", RISING[::-1]).with_columns(breakdown=pl.lit("sex=female")),
        ]
    )
    found = structural_variables(given, [variable("people")], TWENTY, 2026)
    assert found.periods == {"people": "2024"}
    assert found.frame["people"].to_list() == RISING


@pytest.mark.parametrize(("known", "period"), [(20, "2025"), (19, "2025"), (18, "2024")])
def test_a_period_counts_from_19_of_20_municipalities(known: int, period: str) -> None:
    given = pl.concat([many("people", "2024", RISING), many("people", "2025", RISING[:known])])
    found = structural_variables(given, [variable("people")], TWENTY, 2025)
    assert found.periods == {"people": period}
    assert found.frame.height == {20: 20, 19: 19, 18: 20}[known]


def test_a_municipality_without_one_of_the_variables_is_left_out() -> None:
    given = pl.concat([many("people", "2025", RISING), many("houses", "2025", RISING[:19])])
    found = structural_variables(given, [variable("people"), variable("houses")], TWENTY, 2025)
    assert found.frame["region_code"].to_list() == TWENTY[:19]
    assert found.frame.null_count().sum_horizontal().item() == 0


def test_a_variable_is_left_out_with_its_reason() -> None:
    given = pl.concat(
        [many("people", "2025", RISING), many("houses", "2025", RISING[:12]), many("country", "2025", [1.0] * 20)]
    )
    wanted = [variable("ships", "100 * ships / people"), variable("houses"), variable("country"), variable("people")]
    found = structural_variables(given, wanted, TWENTY, 2025)
    assert found.described == "people 2025"
    assert found.left_out == {
        "ships": "no figures of ships",
        "houses": "a value for at most 12 of 20 municipalities in one year; 95% is needed",
        "country": "the same in all municipalities",
    }


def test_parts_that_never_share_a_year_give_no_variable() -> None:
    given = pl.concat([many("people", "2025", RISING), many("old", "2024", RISING)])
    found = structural_variables(given, [variable("share", "old / people")], TWENTY, 2025)
    assert found.left_out == {"share": "a value for at most 0 of 20 municipalities in one year; 95% is needed"}


def test_without_figures_nothing_is_used() -> None:
    found = structural_variables(many("people", "2025", RISING).clear(), [variable("people")], TWENTY, 2025)
    assert (found.names, found.described, found.frame.height) == ([], "", 0)
    assert found.left_out == {"people": "no figures of people"}


def test_the_logarithm_of_zero_and_division_by_zero_are_missing() -> None:
    values = [0.0, *RISING[1:]]
    given = pl.concat([many("people", "2025", values), many("land", "2025", values[::-1])])
    found = structural_variables(
        given, [variable("people", scale="log"), variable("density", "people / land")], TWENTY, 2025
    )
    assert found.frame["region_code"].to_list() == TWENTY[1:19]
    assert found.frame["people"][0] == pytest.approx(log(2), rel=1e-15)


def test_the_best_table_that_has_the_figure_is_taken() -> None:
    given = figures("""
        people GM0001 2025 1 T1
        people GM0001 2025 2 T2
        people GM0002 2025 3 T1
        people GM0002 2025 - T2
    """)
    priorities = pl.DataFrame({"indicator_id": "people", "source_table": ["T1", "T2"], "priority": [2, 1]})
    found = structural_variables(given, [variable("people")], ["GM0001", "GM0002"], 2025, priorities)
    assert found.frame["people"].to_list() == [2.0, 3.0]
    without = structural_variables(given, [variable("people")], ["GM0001", "GM0002"], 2025)
    assert without.frame["people"].to_list() == [1.0, 3.0]


def test_the_order_of_figures_and_municipalities_does_not_matter() -> None:
    given = pl.concat([many("people", "2025", RISING), many("houses", "2024", RISING[::-1])])
    wanted = [variable("houses"), variable("people", scale="log")]
    found = structural_variables(given, wanted, TWENTY, 2025)
    again = structural_variables(given.sample(fraction=1, shuffle=True, seed=1), wanted, TWENTY[::-1], 2025)
    assert_frame_equal(found.frame, again.frame, check_exact=True)


# --- standardised


def structure(**columns: list[float]) -> Structure:
    height = len(next(iter(columns.values())))
    codes = [f"GM{place:04}" for place in range(height)]
    return Structure(pl.DataFrame({"region_code": codes, **columns}), dict.fromkeys(columns, "2025"), {})


def test_standardisation_is_scikit_learns_robust_scaler() -> None:
    from sklearn.preprocessing import RobustScaler

    x = np.random.default_rng(1).lognormal(size=(50, 3))
    given = structure(**{f"v{place}": column.tolist() for place, column in enumerate(x.T)})
    z = standardised(given).select(given.names).to_numpy()
    np.testing.assert_allclose(z, RobustScaler().fit_transform(x), rtol=1e-12, atol=1e-12)


def test_where_half_have_the_same_value_the_standard_deviation_is_the_unit() -> None:
    # Median 0; the quartiles are 0 too. Mean 1, so the variance is (7 * 1 + 49) / 8 = 7.
    z = standardised(structure(v=[0.0] * 7 + [8.0]))
    assert z["v"].to_list() == pytest.approx([0.0] * 7 + [8 / 7**0.5], rel=1e-12)


def test_a_variable_that_is_the_same_everywhere_is_refused() -> None:
    with pytest.raises(ValueError, match="the same in all 3 municipalities, so nothing to standardise: country"):
        standardised(structure(people=[1.0, 2.0, 3.0], country=[1.0, 1.0, 1.0]))


def test_a_structure_without_a_variable_says_so() -> None:
    less = structure(people=[1.0, 2.0], land=[3.0, 4.0]).without("land")
    assert (less.names, less.described, less.left_out) == (["people"], "people 2025", {"land": "left out on request"})
