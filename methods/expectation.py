"""What can be expected of a municipality given its structure: is Enschede low for a city like this?

A ridge regression on structural variables and their squares (they describe that incomes, say, are high in the densest
and in the emptiest places) predicts the figure of every municipality from the municipalities of other blocks: its own
province, and so its own region, never counts. Ridge, because structural variables go together. The interval is
conformal: as wide as the prediction was wrong elsewhere, wider for small municipalities, whose figures scatter more.

What is expected is not what is good: a figure above it is neither better nor worse because of that, and the difference
holds everything that is not in the variables. Beside the figure itself, never instead of it.

Sources: Hoerl & Kennard (1970), "Ridge regression"; Roberts et al. (2017), "Cross-validation strategies for data with
temporal, spatial, hierarchical, or phylogenetic structure" (blocks); Vovk (2015), "Cross-conformal predictors"; Barber,
Candès, Ramdas & Tibshirani (2021), "Predictive inference with the jackknife+"; Lei et al. (2018), "Distribution-free
predictive inference for regression" (scaled scores).
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from catalog.analysis_model import ExpectationSettings
from methods.measure import RegionRoles
from methods.structure import Structure

Vector = npt.NDArray[np.floating[Any]]
Matrix = npt.NDArray[np.floating[Any]]
Labels = npt.NDArray[Any]

LEAST_BLOCKS = 3
# Among 342 municipalities the strongest makes a slope smaller by a quarter. Stronger ones would turn predictions from
# variables that say nothing into the mean; now they are worse than the mean, and found out.
_PENALTIES = (0.1, 1.0, 10.0, 100.0)
# Of the median: a smaller residual is a lucky hit, and says nothing about how much a figure scatters.
_LEAST_RESIDUAL = 0.1
_TOLERANCE = 1e-9


class ExpectationError(ValueError):
    """Figures of which no expectation can be made; the message says what is wrong."""


@dataclass(frozen=True, eq=False)
class Expectation:
    """Expected figures with their interval, in the order and unit of the outcome given.

    `cv_error`: root mean squared error of the predictions of blocks that the model did not know; `cv_error_of_mean`:
    the same, when the mean of the other blocks is what is predicted.
    """

    expected: Vector
    low: Vector
    high: Vector
    cv_error: float
    cv_error_of_mean: float

    @property
    def usable(self) -> bool:
        """Whether the features predict better than the mean does."""
        return self.cv_error < (1 - _TOLERANCE) * self.cv_error_of_mean


def expect(outcome: Vector, features: Matrix, size: Vector, blocks: Labels, coverage: float = 0.9) -> Expectation:
    """What to expect of every municipality, by the municipalities outside its block.

    `outcome` (n), `features` (n x p, on a scale on which straight lines and parabolas are sensible), `size` (n,
    inhabitants) and `blocks` (n labels, such as provinces; at least 3). The penalty of the ridge is chosen within the
    other blocks too, by leaving out one municipality at a time. Intervals hold about `coverage` of the municipalities,
    as measured by simulation; what can be proved of such intervals in general is less (Barber et al. 2021), and
    municipalities of one block, which share what is particular to it, tend to fall outside together.

    Raises ExpectationError: shapes that do not match, numbers that are not finite, sizes of 0 or less, too few blocks.
    """
    from sklearn.linear_model import RidgeCV
    from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    _check(outcome, features, size, blocks)
    model = make_pipeline(StandardScaler(), FunctionTransformer(_with_squares), RidgeCV(alphas=_PENALTIES))
    expected = cross_val_predict(model, features, outcome, groups=blocks, cv=LeaveOneGroupOut())
    half_width = conformal_half_widths(outcome - expected, size, blocks, coverage)
    return Expectation(
        expected=expected,
        low=expected - half_width,
        high=expected + half_width,
        cv_error=_root_mean_square(outcome - expected),
        cv_error_of_mean=_root_mean_square(outcome - _mean_of_others(outcome, blocks)),
    )


def conformal_half_widths(residuals: Vector, size: Vector, blocks: Labels, coverage: float) -> Vector:
    """Half the width of every municipality's interval (n), in the unit of the residuals.

    `residuals` (n) are outcomes less what was predicted without the own block. They scatter with size as
    s = exp(b log(size)), with b the slope of a least squares line through log |residual|. The scores |residual| / s of
    the m municipalities of other blocks, in order, give q: the one at place (m + 1) x coverage, rounded up. The half
    width is q x s at the own size. Residuals of the own block have no part in b and q.

    Raises ExpectationError where the other blocks hold too few municipalities for this coverage.
    """
    absolute, log_size = np.abs(residuals), np.log(size)
    half_width = np.empty(absolute.shape)
    for block in np.unique(blocks):
        others = blocks != block
        scale = np.exp(_slope(log_size[others], absolute[others]) * (log_size - log_size.mean()))
        half_width[~others] = scale[~others] * _conformal_quantile(absolute[others] / scale[others], coverage)
    return half_width


def code_blocks(codes: list[str], folds: int, own: list[str]) -> pl.DataFrame:
    """Blocks of municipalities where provinces are not known: region_code, block (`block_01`, ...), in order of code.

    Statistics Netherlands numbered municipalities province by province, so most neighbours in the list of codes are
    neighbours on the map (newer codes are mixed). Blocks follow that list, nearly equal in size. The list starts with
    the `own` municipalities and goes round from there, so that they are in the first block, with the municipalities
    that follow them; were they more than fit a block, they are a block.
    """
    listed = sorted(set(codes))
    if not LEAST_BLOCKS <= folds <= len(listed):
        raise ExpectationError(f"{len(listed)} municipalities cannot be put in {folds} blocks (of at least 3).")
    mine = [code for code in listed if code in set(own)]
    others = [code for code in listed if code not in set(own)]
    around = sorted(others, key=lambda code: (bool(mine) and code < mine[0], code))
    fits = len(mine) <= len(listed) // folds
    parts = _split(mine + around, folds) if fits else [mine, *_split(around, folds - 1)]
    rows = [(code, f"block_{number:02}") for number, part in enumerate(parts, start=1) for code in part]
    return pl.DataFrame(rows, schema=["region_code", "block"], orient="row").sort("region_code")


def expectations(
    values: pl.DataFrame,
    structure: Structure,
    indicators: pl.DataFrame,
    population: pl.DataFrame,
    blocks: pl.DataFrame,
    roles: RegionRoles,
    settings: ExpectationSettings,
    folds: str,
) -> pl.DataFrame:
    """The published table `expected_value` for the years in `values` (indicator_value of all regions, with `kind`).

    `population`: region_code, population; `blocks`: region_code, block; `folds` says what the blocks are. A row for
    every own municipality, official indicator that is no count and year. Municipalities count with a figure of the
    series that most own ones have, that is not of a model and not by another definition, and with structure,
    inhabitants and block.

    Where nothing can be expected `reason` says why: no_value, model_based, too_few_municipalities, not_shared (the
    figure or the structure of this municipality alone is not comparable), no_better_than_mean. Such a row has no
    expected figure, but the errors are there wherever a model was tried. `above_expected` and `below_expected` are not
    read with the polarity. `flags_by_chance`: how many of the own municipalities with an expectation fall outside
    their interval when nothing is the matter, on average.
    """
    official = indicators.filter(
        pl.col("layer") == "official", pl.col("measured_for") == "municipality", ~pl.col("is_count")
    )
    known = (
        structure.frame.join(population.select("region_code", size="population"), "region_code")
        .join(blocks.select("region_code", "block"), "region_code")
        .drop_nulls()
        .filter(pl.col("size") > 0)
    )
    totals = values.filter(pl.col("indicator_id").is_in(official["indicator_id"].to_list()), breakdown="total")
    own = pl.DataFrame({"region_code": roles.municipalities}, schema={"region_code": pl.String})
    by_set, by_region = _modelled_sets(totals, known, structure.names, own, settings)
    return (
        by_set.join(own, how="cross")
        .join(totals.select(*_ROW, "reference_period", "value", "warnings", model=_of_model()), _ROW, how="left")
        .join(by_region, _ROW, how="left")
        .with_columns(reason=_why_refused(), warnings=pl.col("warnings").fill_null([]))
        .with_columns(
            pl.when(pl.col("reason").is_null()).then(name).alias(name)
            for name in ("expected_value", "expected_low", "expected_high")
        )
        .with_columns(
            residual=pl.col("value") - pl.col("expected_value"),
            expectation=_judgement(),
            flags_by_chance=_flags_by_chance(settings.coverage),
            variables=pl.lit(structure.described),
            folds=pl.lit(folds),
        )
        .select(_PUBLISHED)
        .sort(_ROW)
    )


_SET = ["measurement_year", "indicator_id"]
_ROW = [*_SET, "region_code"]
_BY_SET: dict[str, type[pl.DataType]] = {
    "measurement_year": pl.Int32,
    "indicator_id": pl.String,
    "municipalities": pl.Int32,
    "cv_error": pl.Float64,
    "cv_error_of_mean": pl.Float64,
    "usable": pl.Boolean,
}
_BY_REGION: dict[str, type[pl.DataType]] = {
    "measurement_year": pl.Int32,
    "indicator_id": pl.String,
    "region_code": pl.String,
    "expected_value": pl.Float64,
    "expected_low": pl.Float64,
    "expected_high": pl.Float64,
}
_PUBLISHED = [
    *("measurement_year", "indicator_id", "region_code", "reference_period", "value"),
    *("expected_value", "expected_low", "expected_high", "residual", "expectation", "flags_by_chance"),
    *("cv_error", "cv_error_of_mean", "municipalities", "variables", "folds", "reason", "warnings"),
]


def _modelled_sets(
    totals: pl.DataFrame, known: pl.DataFrame, names: list[str], own: pl.DataFrame, settings: ExpectationSettings
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Of every year and indicator what the model is worth (_BY_SET), and what it expects of `own` (_BY_REGION)."""
    sets: list[tuple[Any, ...]] = []
    regions: list[tuple[Any, ...]] = []
    # A figure that is carried forward stands in several years, and is modelled once.
    models: dict[tuple[Any, ...], Expectation | None] = {}
    for (year, indicator), figures in totals.sort(_ROW).group_by(_SET, maintain_order=True):
        counted = _counted(figures, own).join(known, "region_code").sort("region_code")
        same = (*counted["region_code"], *counted["value"])
        if same not in models:
            models[same] = _model(counted, names, settings)
        model = models[same]
        worth = (model.cv_error, model.cv_error_of_mean, model.usable) if model else (None, None, None)
        sets.append((year, indicator, counted.height, *worth))
        if model:
            of_regions = zip(counted["region_code"], model.expected, model.low, model.high, strict=True)
            regions += [(year, indicator, *of_region) for of_region in of_regions]
    by_region = pl.DataFrame(regions, schema=_BY_REGION, orient="row").join(own, "region_code", how="semi")
    return pl.DataFrame(sets, schema=_BY_SET, orient="row"), by_region


def _counted(figures: pl.DataFrame, own: pl.DataFrame) -> pl.DataFrame:
    """The figures of one year and indicator that may be compared: region_code, value."""
    with_value = figures.filter(pl.col("value").is_finite())
    series = with_value.join(own, "region_code", how="semi")["series_id"].mode().sort().head(1)
    same_series = pl.col("series_id").is_in(series.to_list())
    return with_value.filter(~_of_model(), ~_warns("definition_differs"), same_series).select("region_code", "value")


def _of_model() -> pl.Expr:
    return ((pl.col("kind") == "model") | _warns("model_based")).fill_null(value=False)


def _warns(warning: str) -> pl.Expr:
    return pl.col("warnings").fill_null([]).list.contains(warning)


def _model(counted: pl.DataFrame, names: list[str], settings: ExpectationSettings) -> Expectation | None:
    enough = counted.height >= settings.minimum_municipalities and counted["block"].n_unique() >= LEAST_BLOCKS
    if not enough or not names:
        return None
    return expect(
        counted["value"].to_numpy(),
        counted.select(names).to_numpy(),
        counted["size"].to_numpy(),
        counted["block"].to_numpy(),
        settings.coverage,
    )


def _why_refused() -> pl.Expr:
    """NULL where something can be expected."""
    return (
        pl.when(pl.col("value").is_null())
        .then(pl.lit("no_value"))
        .when(pl.col("model"))
        .then(pl.lit("model_based"))
        .when(pl.col("usable").is_null())
        .then(pl.lit("too_few_municipalities"))
        .when(pl.col("expected_value").is_null())
        .then(pl.lit("not_shared"))
        .when(~pl.col("usable"))
        .then(pl.lit("no_better_than_mean"))
    )


def _judgement() -> pl.Expr:
    return (
        pl.when(pl.col("expected_value").is_null())
        .then(pl.lit("refused"))
        .when(pl.col("value") > pl.col("expected_high"))
        .then(pl.lit("above_expected"))
        .when(pl.col("value") < pl.col("expected_low"))
        .then(pl.lit("below_expected"))
        .otherwise(pl.lit("as_expected"))
    )


def _flags_by_chance(coverage: float) -> pl.Expr:
    judged = pl.col("expected_value").is_not_null()
    return pl.when(judged).then((1 - coverage) * judged.sum().over(_SET))


def _check(outcome: Vector, features: Matrix, size: Vector, blocks: Labels) -> None:
    shapes = {"outcome": outcome.shape, "size": size.shape, "blocks": blocks.shape, "features": features.shape}
    n = len(outcome)
    if outcome.ndim != 1 or {size.shape, blocks.shape} != {(n,)} or features.ndim != 2 or len(features) != n:
        raise ExpectationError(f"one row a municipality was expected everywhere; found the shapes {shapes}.")
    if features.shape[1] == 0:
        raise ExpectationError("there are no features, so nothing to expect a figure by.")
    if not (np.isfinite(outcome).all() and np.isfinite(features).all() and np.isfinite(size).all()):
        raise ExpectationError("a municipality without figure, feature or size; leave it out.")
    if (size <= 0).any():
        raise ExpectationError("a municipality without inhabitants; leave it out.")
    if (found := len(np.unique(blocks))) < LEAST_BLOCKS:
        raise ExpectationError(f"{found} blocks; at least {LEAST_BLOCKS} are needed.")


def _with_squares(standardised: Matrix) -> Matrix:
    return np.hstack([standardised, standardised**2])


def _mean_of_others(outcome: Vector, blocks: Labels) -> Vector:
    """The mean of all outcomes outside the own block (n)."""
    _, place = np.unique(blocks, return_inverse=True)
    total, count = np.bincount(place, outcome), np.bincount(place)
    of_others: Vector = (outcome.sum() - total) / (len(outcome) - count)
    return of_others[place]


def _root_mean_square(errors: Vector) -> float:
    return float(np.sqrt((errors**2).mean()))


def _slope(log_size: Vector, absolute: Vector) -> float:
    """Of the least squares line of log |residual| on log size; 0 where sizes or residuals say nothing."""
    least = _LEAST_RESIDUAL * float(np.median(absolute))
    if np.ptp(log_size) == 0 or least == 0:
        return 0.0
    x = log_size - log_size.mean()
    return float(x @ np.log(np.maximum(absolute, least)) / (x @ x))


def _conformal_quantile(scores: Vector, coverage: float) -> float:
    """The score at place (m + 1) x coverage, rounded up: a further one lies below with at least that probability."""
    # Rounded first: (m + 1) x 0.9 may lie a hair above the whole number that it is.
    place = math.ceil(round((len(scores) + 1) * coverage, 9))
    if not 1 <= place <= len(scores):
        raise ExpectationError(
            f"{len(scores)} municipalities in other blocks are too few for a coverage of {coverage}."
        )
    return float(np.sort(scores)[place - 1])


def _split(codes: list[str], parts: int) -> list[list[str]]:
    """In order, in parts that differ by one at most."""
    edges = [len(codes) * part // parts for part in range(parts + 1)]
    return [codes[start:end] for start, end in itertools.pairwise(edges)]
