"""A sample with its design: weights, strata, clusters, finite populations, and what calibration has fixed.

The variance of an estimate is that of the total of its linearised values z: one number per respondent, of which the
estimate's error is the sum. Everything in this package is built on that (Sarndal, Swensson & Wretman 1992, chapter 5).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

Array = NDArray[np.float64]
Codes = NDArray[np.int64]
Mask = NDArray[np.bool_]

_ROWS_SHOWN = 5
_DEPENDENT = 1e-10  # singular value below which, relative to the largest, an auxiliary follows from the others


class SurveyError(ValueError):
    """A sample, or a question to it, that cannot give a sound answer. Names columns and rows, never an answer."""


class CalibrationError(SurveyError):
    """Weights that cannot be made to add up to the population: no convergence, impossible margins or bounds."""


@dataclass(frozen=True)
class Constraint:
    """What one calibration fixed: linearised values lose the part that the population totals explain.

    `basis` (n, k, sparse) is orthonormal: of the auxiliaries times the square root of the weights of the regression;
    `scale` (n) turns a linearised value into what that regression explains. The residual of z is
    z - scale * basis @ basis.T @ (z / scale) (Deville & Sarndal 1992; R `survey`, `calibrate` and `postStratify`).
    """

    basis: Any
    scale: Array

    @classmethod
    def of(cls, auxiliaries: Array, regression_weights: Array, weights: Array) -> Constraint:
        """From auxiliaries (n, k), the weights of the regression (n) and the weights after calibration (n).

        Auxiliaries that depend on each other, such as two margins with the same total, are allowed.
        """
        root = np.sqrt(regression_weights)
        return cls(basis=_orthonormal(auxiliaries * root[:, None]), scale=weights / root)


def _orthonormal(matrix: Array) -> Any:
    """An orthonormal basis of the columns of a matrix (n, m), sparse (n, rank).

    Margins within municipalities make a matrix of blocks that share no row and no column: each is solved by itself,
    which keeps zeros where they are and costs a fraction.
    """
    from scipy.sparse import coo_array, csr_array  # heavy: only where weights are calibrated
    from scipy.sparse.csgraph import connected_components

    filled = matrix != 0
    together = csr_array(filled, dtype=float)
    blocks, block_of_column = connected_components(together.T @ together, directed=False)
    block_of_row = np.where(filled.any(axis=1), block_of_column[filled.argmax(axis=1)], -1)
    data, rows, columns, rank = [], [], [], 0
    for block in range(blocks):
        members = np.flatnonzero(block_of_row == block)
        orthonormal, triangle = np.linalg.qr(matrix[np.ix_(members, np.flatnonzero(block_of_column == block))])
        left, singular, _ = np.linalg.svd(triangle)
        basis = orthonormal @ left[:, : len(singular)][:, singular > singular[:1] * _DEPENDENT]
        data.append(basis.ravel())
        rows.append(np.repeat(members, basis.shape[1]))
        columns.append(np.tile(np.arange(rank, rank + basis.shape[1]), len(members)))
        rank += basis.shape[1]
    places = np.concatenate(rows), np.concatenate(columns)
    return coo_array((np.concatenate(data), places), shape=(len(matrix), rank)).tocsr()


@dataclass(frozen=True)
class Layout:
    """The rows in order of stratum and cluster, and where each of these begins."""

    order: NDArray[np.intp]
    psu_starts: NDArray[np.intp]
    psu_of_row: Codes  # in that order
    stratum_of_psu: Codes
    stratum_starts: NDArray[np.intp]
    sizes: Codes  # of each stratum, in clusters
    factor: Array  # of each stratum: (1 - f) n / (n - 1), n in clusters


@dataclass(frozen=True)
class Survey:
    """One sample with its design. Immutable: an adjustment of the weights gives another Survey.

    `frame` has one row per respondent; variables are numbers with NULL for missing. `weights` are the current weights,
    `base_weights` those that the first of the `constraints` started from. `strata` and `psu` (cluster) are codes 0, 1,
    ...; `stratum_names` are the strata's own. `fpc` is the population size of the row's stratum in clusters (R
    `svydesign(fpc=)`); None means sampled with replacement. `replicates` (n, R) are replicate weights.
    """

    frame: pl.DataFrame
    weights: Array
    base_weights: Array
    strata: Codes
    stratum_names: tuple[str, ...]
    psu: Codes | None = None
    fpc: Array | None = None
    constraints: tuple[Constraint, ...] = ()
    replicates: Array | None = None

    @classmethod
    def of(
        cls,
        frame: pl.DataFrame,
        *,
        weight: str | None = None,
        stratum: str | None = None,
        psu: str | None = None,
        population_size: str | None = None,
    ) -> Survey:
        """The sample in `frame`, with the names of its design columns; without a weight everyone counts as 1.

        Codes of clusters are those within a stratum (R `nest=TRUE`). A column `row` gives the row numbers for
        messages, else they count from 1.

        Raises:
            SurveyError: a column is missing or has gaps; a weight is not above 0; a stratum has one cluster only, or
                a population size that varies or is smaller than the sample.
        """
        if frame.is_empty():
            raise SurveyError("the sample has no respondents; at least two are needed.")
        for column in (weight, stratum, psu, population_size):
            if column is not None and column not in frame.columns:
                raise SurveyError(f"column {column}: expected in the sample, but there is none of that name.")
        weights = _numbers(frame, weight) if weight else np.ones(frame.height)
        if weight:
            refuse_rows(frame, ~(np.isfinite(weights) & (weights > 0)), f"column {weight}: expected a weight above 0")
        strata, stratum_names = _codes(frame, [stratum]) if stratum else (np.zeros(frame.height, np.int64), ("all",))
        clusters = _codes(frame, [stratum, psu] if stratum else [psu])[0] if psu else None
        sizes = _numbers(frame, population_size) if population_size else None
        survey = cls(frame, weights, weights, strata, stratum_names, clusters, sizes)
        survey.check_strata()
        if population_size and sizes is not None:
            survey._check_population(population_size, sizes)
        return survey

    @property
    def n(self) -> int:
        """The number of respondents."""
        return self.frame.height

    def values(self, variable: str) -> Array:
        """A variable as numbers (n), NaN where it is missing.

        Raises:
            SurveyError: there is no such column, or it holds no numbers.
        """
        return _numbers(self.frame, variable)

    def reweighted(self, weights: Array, constraint: Constraint | None = None) -> Survey:
        """The same sample with other weights, and what they were calibrated to."""
        constraints = self.constraints if constraint is None else (*self.constraints, constraint)
        return replace(self, weights=weights, constraints=constraints)

    def subset(self, rows: Mask) -> Survey:
        """The respondents in `rows` as a sample of their own (not a domain), before any calibration."""
        if self.constraints:
            raise SurveyError("a calibrated sample cannot lose rows: take the subset first, then calibrate.")
        present, strata = np.unique(self.strata[rows], return_inverse=True)
        chosen = Survey(
            frame=self.frame.filter(rows),
            weights=self.weights[rows],
            base_weights=self.base_weights[rows],
            strata=strata,
            stratum_names=tuple(self.stratum_names[code] for code in present),
            psu=None if self.psu is None else self.psu[rows],
            fpc=None if self.fpc is None else self.fpc[rows],
            replicates=None if self.replicates is None else self.replicates[rows],
        )
        chosen.check_strata()
        return chosen

    def check_strata(self) -> None:
        """Raise a SurveyError where a stratum has one cluster only: its variance cannot be known."""
        if lonely := [self.stratum_names[stratum] for stratum in np.flatnonzero(self.layout.sizes < 2)]:
            what = "respondent" if self.psu is None else "cluster"
            raise SurveyError(
                f"stratum {', '.join(lonely)}: expected at least two {what}s, found one, so that its sampling variance "
                "cannot be known. Join it with a stratum that is like it."
            )

    def _check_population(self, column: str, sizes: Array) -> None:
        refuse_rows(self.frame, ~(np.isfinite(sizes) & (sizes > 0)), f"column {column}: expected a size above 0")
        layout = self.layout
        first_rows = layout.psu_starts[layout.stratum_starts]
        low, high = (bound.reduceat(sizes[layout.order], first_rows) for bound in (np.minimum, np.maximum))
        if varying := [self.stratum_names[stratum] for stratum in np.flatnonzero(low != high)]:
            raise SurveyError(
                f"column {column}, stratum {', '.join(varying)}: expected one population size within a stratum, found "
                "several. Give every respondent the size of the stratum."
            )
        if small := [self.stratum_names[stratum] for stratum in np.flatnonzero(low < layout.sizes)]:
            raise SurveyError(
                f"column {column}, stratum {', '.join(small)}: expected a population of at least the sample's size, "
                "found a smaller one."
            )

    @cached_property
    def layout(self) -> Layout:
        """Where strata and clusters lie in the rows."""
        clusters = np.arange(self.n) if self.psu is None else self.psu
        order = np.lexsort((clusters, self.strata))
        strata, clusters = self.strata[order], clusters[order]
        new_psu = np.r_[True, (np.diff(strata) != 0) | (np.diff(clusters) != 0)]
        psu_starts = np.flatnonzero(new_psu)
        new_stratum = np.r_[True, np.diff(strata[psu_starts]) != 0]
        stratum_starts = np.flatnonzero(new_stratum)
        sizes = np.diff(np.append(stratum_starts, len(psu_starts)))
        sampled = 0.0 if self.fpc is None else sizes / self.fpc[order][psu_starts[stratum_starts]]
        factor = (1 - sampled) * sizes / np.maximum(sizes - 1, 1)
        return Layout(
            order, psu_starts, np.cumsum(new_psu) - 1, np.cumsum(new_stratum) - 1, stratum_starts, sizes, factor
        )

    @cached_property
    def projection(self) -> tuple[Any, Any] | None:
        """F and G, both (n, k) and sparse, of all constraints together: the residual of z is z - F @ (G.T @ z).

        None without calibration.
        """
        if not self.constraints:
            return None
        from scipy.sparse import diags_array, hstack

        first, *later = [_sides(constraint, diags_array) for constraint in self.constraints]
        onto, along = first
        for f, g in later:
            onto, along = hstack([onto - f @ (g.T @ onto), f]), hstack([along, g])
        return onto.tocsr(), along.tocsr()

    def residuals(self, linearised: Array) -> Array:
        """Linearised values (n, m) without what the calibration totals explain, in the order they were applied."""
        if self.projection is None:
            return linearised
        onto, along = self.projection
        return np.asarray(linearised - onto @ (along.T @ linearised))

    def scores(self, linearised: Array) -> Array:
        """Totals per cluster of z (n, m), centred within strata and scaled, so that scores.T @ scores is the
        covariance of the totals of z: the sum over strata of (1 - f) n / (n - 1) times the centred products.
        """
        layout = self.layout
        totals = linearised[layout.order]
        if self.psu is not None:
            totals = np.add.reduceat(totals, layout.psu_starts, axis=0)
        means = np.add.reduceat(totals, layout.stratum_starts, axis=0) / layout.sizes[:, None]
        scale = np.repeat(np.sqrt(layout.factor), layout.sizes)
        return np.asarray((totals - np.repeat(means, layout.sizes, axis=0)) * scale[:, None])

    def covariance(self, linearised: Array) -> Array:
        """The covariance (m, m) of the totals of linearised values (n, m), calibration taken into account."""
        scores = self.scores(self.residuals(linearised))
        return np.asarray(scores.T @ scores)

    def degrees_of_freedom(self, members: Mask | None = None) -> int:
        """Clusters that hold members (default: all respondents) less the strata that hold them."""
        inside = slice(None) if members is None else members
        clusters = self.n if self.psu is None else len(np.unique(self.psu[inside]))
        if self.psu is None and members is not None:
            clusters = int(members.sum())
        return clusters - len(np.unique(self.strata[inside]))


def _sides(constraint: Constraint, diagonal: Callable[[Array], Any]) -> tuple[Any, Any]:
    """The basis times the scale, and over it: 0 where the bounds of a calibration leave a weight of 0."""
    scale = constraint.scale
    inverse = np.divide(1.0, scale, out=np.zeros_like(scale), where=scale != 0)
    return diagonal(scale) @ constraint.basis, diagonal(inverse) @ constraint.basis


def refuse_rows(frame: pl.DataFrame, bad: Mask, expected: str, error: type[SurveyError] = SurveyError) -> None:
    """Raise an error that names the first rows where `bad` and how many more there are; never what they hold."""
    if bad.any():
        where = np.flatnonzero(bad)
        numbers = frame["row"].to_numpy()[where] if "row" in frame.columns else where + 1
        shown = ", ".join(str(number) for number in numbers[:_ROWS_SHOWN])
        more = f" and {len(where) - _ROWS_SHOWN} more" if len(where) > _ROWS_SHOWN else ""
        raise error(f"{expected}; not so in row {shown}{more}. Correct the file, or leave these rows out.")


def _numbers(frame: pl.DataFrame, column: str) -> Array:
    if column not in frame.columns:
        raise SurveyError(f"column {column}: expected in the sample, but there is none of that name.")
    series = frame[column]
    if not (series.dtype.is_numeric() or series.dtype in (pl.Boolean, pl.Null)):
        raise SurveyError(f"column {column}: expected numbers, found {series.dtype}.")
    return np.asarray(series.cast(pl.Float64).to_numpy(), dtype=np.float64)


def _codes(frame: pl.DataFrame, columns: list[str | None]) -> tuple[Codes, tuple[str, ...]]:
    """Codes 0, 1, ... by the sorted text of the columns together, and what they stand for."""
    names = [name for name in columns if name is not None]
    for name in names:
        refuse_rows(frame, frame[name].is_null().to_numpy(), f"column {name}: expected a code for everyone")
    text = frame.select(pl.concat_str(pl.col(names).cast(pl.String), separator="|")).to_series()
    # An Enum of the sorted names: numbers of their places, also for half a million rows at once.
    levels = text.unique().sort()
    return text.cast(pl.Enum(levels)).to_physical().cast(pl.Int64).to_numpy(), tuple(levels)
