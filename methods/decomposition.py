"""How much of a difference between two groups is who lives there (Kitagawa 1955; Oaxaca 1973; Blinder 1973).

Two groups of people can differ because other people live there (composition: more young people, say) and because people
of one cell (age, education) differ between the two (within). With the share s and the mean m of each cell,

    composition = sum of (s_a - s_b) (m_a + m_b) / 2        within = sum of (m_a - m_b) (s_a + s_b) / 2

add up to the difference of the two weighted means. It is the twofold Oaxaca-Blinder decomposition on indicators of the
cells, with the average of the coefficients of both groups as reference (Reimers 1983).

What it does not mean: composition is arithmetic, not cause. It does not say that the difference would be that much
smaller if the same people lived in both groups, nor why people of a cell differ. Another breakdown gives another
answer, and the answers of several breakdowns overlap and cannot be added up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl

from catalog.waves import SHARE_SUFFIX
from methods import warning_lists as warn
from methods.verdict import Z_95

Vector = npt.NDArray[np.floating[Any]]
# The formulas hold for arrays and for columns alike.
Terms = TypeVar("Terms", Vector, pl.Expr)

_COMPONENTS = ["composition", "difference", "not_broken_down", "within"]
_SHARES_ADD_UP = 1e-9


class DecompositionError(ValueError):
    """Cells that cannot be decomposed; the message says what was expected and found."""


@dataclass(frozen=True)
class Decomposition:
    """The difference between two weighted means and its two parts, in the unit of the means.

    Standard errors are None where those of the means are not given.
    """

    difference: float
    composition: float
    within: float
    composition_standard_error: float | None = None
    within_standard_error: float | None = None


def kitagawa(
    mean_a: Vector,
    share_a: Vector,
    mean_b: Vector,
    share_b: Vector,
    se_a: Vector | None = None,
    se_b: Vector | None = None,
) -> Decomposition:
    """The difference of group a from group b as composition and within, over cells in the same order.

    Means in any unit, shares (0-1) adding up to 1 in each group, standard errors in the unit of the means. The standard
    errors of the parts take shares as known (population numbers) and the cells of both groups as independent; they are
    only given where those of all cells are.

    Raises DecompositionError: vectors of different lengths or without cells, numbers that are not finite, shares that
    are negative or do not add up to 1.
    """
    given = {"mean_a": mean_a, "share_a": share_a, "mean_b": mean_b, "share_b": share_b, "se_a": se_a, "se_b": se_b}
    cells = {name: np.asarray(column, dtype=float) for name, column in given.items() if column is not None}
    _check_cells(cells)
    m_a, s_a, m_b, s_b = (cells[name] for name in ("mean_a", "share_a", "mean_b", "share_b"))
    errors: list[float | None] = [None, None]
    if "se_a" in cells and "se_b" in cells:
        variances = _variances(s_a, s_b, cells["se_a"], cells["se_b"])
        errors = [float(np.sqrt(variance.sum())) for variance in variances]
    composition, within = (float(terms.sum()) for terms in _parts(m_a, s_a, m_b, s_b))
    return Decomposition(float(s_a @ m_a - s_b @ m_b), composition, within, *errors)


def _parts(mean_a: Terms, share_a: Terms, mean_b: Terms, share_b: Terms) -> tuple[Terms, Terms]:
    """Each cell's term of composition and of within."""
    return (share_a - share_b) * (mean_a + mean_b) / 2, (mean_a - mean_b) * (share_a + share_b) / 2


def _variances(share_a: Terms, share_b: Terms, se_a: Terms, se_b: Terms) -> tuple[Terms, Terms]:
    """Each cell's term of the sampling variance of composition and of within."""
    variance = se_a**2 + se_b**2
    return ((share_a - share_b) / 2) ** 2 * variance, ((share_a + share_b) / 2) ** 2 * variance


def _check_cells(cells: dict[str, Vector]) -> None:
    shapes = {name: column.shape for name, column in cells.items()}
    first = cells["mean_a"]
    if len(set(shapes.values())) > 1 or first.ndim != 1 or not first.size:
        raise DecompositionError(f"expected vectors with one number a cell, all of one length; found {shapes}.")
    if faulty := [name for name, column in cells.items() if not np.isfinite(column).all()]:
        raise DecompositionError(f"expected a number for every cell; {', '.join(faulty)} lacks some.")
    for name in ("share_a", "share_b"):
        total = float(cells[name].sum())
        if (cells[name] < 0).any() or abs(total - 1) > _SHARES_ADD_UP:
            raise DecompositionError(f"expected shares of at least 0 that add up to 1; {name} adds up to {total}.")


def decompositions(
    estimates: pl.DataFrame, contrasts: list[tuple[str, str]], differences: pl.DataFrame
) -> pl.DataFrame:
    """The published table `decomposition`: the contrasts by each breakdown, of means and of shares.

    `estimates` is survey_estimate with `population` (people the cell stands for), of which the dimensions count;
    `contrasts` are pairs of disjoint groups; `differences` is survey_contrast, whose standard error and degrees of
    freedom give the difference its interval (Student's t); without one the two totals count as independent (normal).
    The parts have normal 95% intervals, by the assumptions of `kitagawa`: shares are known where a survey is calibrated
    to the breakdown, else the interval of the composition is too narrow. `not_broken_down` is what the cells do not
    reproduce: rounding, and people of whom the cell is not known. Where a cell or a total is hidden there are no parts.
    """
    year_and_pair = ["measurement_year", "indicator_id", "region_code", "comparator_code"]
    key = [*year_and_pair, "decomposed_by"]
    sides = _sides(estimates, contrasts)
    totals = sides.filter(pl.col("breakdown") == "total").drop("breakdown", "decomposed_by")
    cells = sides.filter(pl.col("decomposed_by").is_not_null()).sort(*key, "breakdown")
    known = differences.filter(
        (pl.col("comparator_year") == pl.col("measurement_year")) & (pl.col("breakdown") == "total")
    ).select(
        *year_and_pair,
        published="difference",
        by_design=pl.when(pl.col("standard_error") > 0).then("standard_error"),
        freedom="degrees_of_freedom",
    )
    return (
        cells.group_by(key, maintain_order=True)
        .agg(_of_cells())
        .join(totals, year_and_pair, how="left", maintain_order="left")
        .join(known, year_and_pair, how="left", maintain_order="left")
        .with_columns(_difference())
        .with_columns(_known_parts())
        .with_columns(not_broken_down=pl.col("difference") - pl.col("composition") - pl.col("within"))
        .pipe(_by_component, key)
        .sort(*key, "component")
    )


def _sides(estimates: pl.DataFrame, contrasts: list[tuple[str, str]]) -> pl.DataFrame:
    """Totals and cells of dimensions, the two groups of each contrast side by side; a side that is absent is NULL.

    The estimate of a share is published under an indicator of its own. Cells of two breakdowns at once do not count.
    """
    suffix = pl.when(pl.col("statistic") == "share").then(pl.lit(SHARE_SUFFIX)).otherwise(pl.lit(""))
    numbers = ["value", "standard_error", "population", "warnings"]
    figures = estimates.filter(
        pl.col("variable_id") == pl.col("indicator_id"), ~pl.col("breakdown").str.contains(";")
    ).select(
        "measurement_year",
        "region_code",
        "breakdown",
        *numbers,
        indicator_id=pl.concat_str("indicator_id", suffix),
        decomposed_by=pl.col("breakdown").str.extract("^([^=]+)="),
    )
    pairs = pl.DataFrame(contrasts, schema={"region_code": pl.String, "comparator_code": pl.String}, orient="row")
    in_year = ["measurement_year", "indicator_id", "breakdown", "decomposed_by"]
    wanted = figures.select(in_year).unique().join(pairs, how="cross")
    for side, code in (("a", "region_code"), ("b", "comparator_code")):
        group = figures.rename({"region_code": code} | {name: f"{name}_{side}" for name in numbers})
        wanted = wanted.join(group, [*in_year, code], how="left", nulls_equal=True)
    return wanted


def _of_cells() -> list[pl.Expr]:
    """Of each contrast by each breakdown: both parts, their standard errors, the number of cells, all warnings."""
    mean, error, population = (
        [pl.col(f"{name}_{side}").cast(pl.Float64) for side in "ab"]
        for name in ("value", "standard_error", "population")
    )
    share_a, share_b = (people / people.sum() for people in population)
    parts = _parts(mean[0], share_a, mean[1], share_b)
    variances = _variances(share_a, share_b, *error)

    def all_known(columns: list[pl.Expr]) -> pl.Expr:
        return pl.all_horizontal(column.is_not_null().all() for column in columns)

    populated = pl.all_horizontal(people.sum() > 0 for people in population)
    is_known = all_known([*mean, *population]) & populated
    return [
        *(
            pl.when(is_known).then(terms.sum()).alias(name)
            for name, terms in zip(("composition", "within"), parts, strict=True)
        ),
        *(
            pl.when(is_known & all_known(error)).then(terms.sum().sqrt()).alias(f"{name}_error")
            for name, terms in zip(("composition", "within"), variances, strict=True)
        ),
        pl.len().cast(pl.Int32).alias("cells"),
        *(warn.unite_rows(f"warnings_{side}").alias(f"cell_warnings_{side}") for side in "ab"),
    ]


def _difference() -> list[pl.Expr]:
    """The published difference of the totals and the half of its interval; NULL where a total is hidden."""
    independent = (pl.col("standard_error_a") ** 2 + pl.col("standard_error_b") ** 2).sqrt()
    of_totals = pl.col("value_a") - pl.col("value_b")
    margin = pl.coalesce(pl.col("by_design") * _t_95(pl.col("freedom")), Z_95 * pl.coalesce("by_design", independent))
    return [
        pl.when(of_totals.is_not_null()).then(pl.coalesce("published", of_totals)).alias("difference"),
        pl.when(of_totals.is_not_null()).then(margin).alias("difference_margin"),
    ]


def _known_parts() -> list[pl.Expr]:
    """The parts add up to the difference of the totals, so they are hidden where that is."""
    known = pl.col("difference").is_not_null()
    return [
        *(pl.when(known).then(name).alias(name) for name in ("composition", "within")),
        *(
            pl.when(known).then(Z_95 * pl.col(f"{name}_error")).alias(f"{name}_margin")
            for name in ("composition", "within")
        ),
        pl.lit(None, dtype=pl.Float64).alias("not_broken_down_margin"),
        warn.unite("warnings_a", "warnings_b", "cell_warnings_a", "cell_warnings_b").alias("warnings"),
    ]


def _by_component(wide: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """A row for each component."""
    contribution = pl.col("contribution")
    return pl.concat(
        wide.select(
            *key,
            pl.lit(component).alias("component"),
            pl.col(component).alias("contribution"),
            pl.col(f"{component}_margin").alias("margin"),
            "cells",
            "warnings",
        )
        for component in _COMPONENTS
    ).select(
        *(*key, "component", "contribution"),
        ci_low=contribution - pl.col("margin"),
        ci_high=contribution + pl.col("margin"),
        cells="cells",
        reason=pl.when(contribution.is_null()).then(pl.lit("no_value")),
        warnings="warnings",
    )


def _t_95(degrees_of_freedom: pl.Expr) -> pl.Expr:
    """The 97.5% point of Student's t; NULL where the degrees of freedom are."""
    from scipy.special import stdtrit  # heavy: only where something is tested

    return degrees_of_freedom.map_batches(
        lambda column: pl.Series(column.name, stdtrit(column.to_numpy(), 0.975), nan_to_null=True),
        return_dtype=pl.Float64,
    )
