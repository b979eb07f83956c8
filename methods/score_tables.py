"""What stands beside scores, as published tables: sensitivity of ranks, and coherence of what is added up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import polars as pl

from catalog.analysis_model import SensitivitySettings
from methods.framework import DEFAULT, LEAST_UNITS, Framework, YearFigures, YearScores, comparable_part
from methods.index.coherence import correlations, cronbach_alpha, principal_components
from methods.index.composite import Composite, Normaliser
from methods.index.ranks import rank_intervals, ranks
from methods.index.sensitivity import Sensitivity, SobolIndices, Uncertain, sensitivity, sobol_indices
from methods.index.weights import effective_weights

Schema = dict[str, pl.DataType]
_TEXT, _WHOLE, _NUMBER = pl.String(), pl.Int32(), pl.Float64()
_PLACE: Schema = {"measurement_year": _WHOLE, "framework": _TEXT, "theme_id": _TEXT}
_RANGE = _PLACE | {
    "region_code": _TEXT,
    "among": _TEXT,
    "score": _NUMBER,
    "rank": _WHOLE,
    "rank_low": _WHOLE,
    "rank_high": _WHOLE,
    "rank_median": _NUMBER,
    "rank_of": _WHOLE,
    "sampling_rank_low": _WHOLE,
    "sampling_rank_high": _WHOLE,
    "draws": _WHOLE,
    "warnings": pl.List(_TEXT),
}
_PAIR = _PLACE | {"region_code": _TEXT, "comparator_code": _TEXT, "ahead_share": _NUMBER}
_INDICES = [
    *("first_order", "first_order_ci_low", "first_order_ci_high"),
    *("total_order", "total_order_ci_low", "total_order_ci_high", "mean_rank_shift"),
]
_FACTOR = _PLACE | {"factor": _TEXT} | dict.fromkeys(_INDICES, _NUMBER) | {"draws": _WHOLE}
_MEASURED: Schema = {
    "measure": _TEXT,
    "element_id": _TEXT,
    "other_element_id": _TEXT,
    "value": _NUMBER,
    "municipalities": _WHOLE,
}
_COHERENCE = _PLACE | _MEASURED
# One figure about coherence: measure, element, other element, value, municipalities.
Measured = tuple[str, str, str, float, int]


@dataclass(frozen=True)
class Simulated:
    """What varying the choices behind the scores of one year does to the ranks: arrays over the themes + 1."""

    year: YearScores
    sensitivity: Sensitivity
    sobol: SobolIndices
    sobol_draws: int

    def ranges(self, among: str, rank: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Ranks (own, themes + 1) with the low and high end of their range; all three NaN where one is not known.

        Ends are rounded outwards to whole places and, where the rank itself lies outside the percentiles of the draws,
        widened to hold it: a place is never shown with a range that rules it out.
        """
        low = np.floor(self.sensitivity.rank_low[among])
        high = np.ceil(self.sensitivity.rank_high[among])
        unknown = np.isnan(low) | np.isnan(high) | np.isnan(rank)
        found, low, high = (np.where(unknown, np.nan, one) for one in (rank, low, high))
        return found, np.fmin(low, found), np.fmax(high, found)


def simulate(framework: Framework, years: Sequence[YearScores], settings: SensitivitySettings) -> dict[int, Simulated]:
    """By year, for the years in which an own municipality has a score; equal figures are simulated once."""
    done: dict[tuple[bytes, ...], tuple[Sensitivity, SobolIndices]] = {}
    results = {}
    for year in years:
        figures = year.figures
        inputs = tuple(part.tobytes() for part in (figures.values, figures.errors, figures.rounding, figures.blocks))
        if year.has_own_scores:
            if inputs not in done:
                done[inputs] = _simulated(framework, year, settings)
            found, sobol = done[inputs]
            results[figures.year] = Simulated(year, found, sobol, settings.sobol_base * (len(sobol.factors) + 2))
    return results


def _simulated(
    framework: Framework, year: YearScores, settings: SensitivitySettings
) -> tuple[Sensitivity, SobolIndices]:
    """The simulation of one year, over the indicators that count in a score: to leave out another is no choice."""
    figures, units = year.figures, year.figures.units
    scored = np.isfinite(year.scores[DEFAULT][:units])
    in_score = scored.any(axis=0)[framework.composite.theme_of]
    chosen = np.isfinite(figures.values[:units]).any(axis=0) & in_score
    composite, themes = _part_of(framework.composite, chosen)
    nothing_to_rank = ~scored[: figures.own].any(axis=0)
    uncertain = Uncertain(
        values=figures.values[:units, chosen],
        # Where the margin of a figure is not known, what is known of it is its rounding.
        standard_errors=np.where(np.isnan(figures.errors), figures.rounding, figures.errors)[:units, chosen],
        blocks=figures.blocks[chosen],
        own=np.arange(units) < figures.own,
    )
    reference = year.reference[:, chosen]
    normalisers: dict[str, Normaliser] = {name: Normaliser.fit(composite, name, reference) for name in year.normalisers}

    def spread(array: np.ndarray) -> np.ndarray:
        """An array over the themes that were left and the overall score as one over all, NaN where nobody is ranked."""
        whole = np.full((len(themes) + 1, *array.shape[1:]), np.nan)
        whole[[*themes, True]] = array
        whole[nothing_to_rank] = np.nan
        return whole

    def by_among(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {among: spread(array.T).T for among, array in arrays.items()}

    found = sensitivity(composite, uncertain, normalisers, settings)
    sobol = sobol_indices(composite, uncertain, normalisers, settings)
    first, total = (sobol.first_order, sobol.first_order_ci), (sobol.total_order, sobol.total_order_ci)
    return (
        Sensitivity(
            by_among(found.rank_low),
            by_among(found.rank_high),
            by_among(found.rank_median),
            ahead=spread(found.ahead),
            draws=found.draws,
        ),
        SobolIndices(sobol.factors, *(spread(array) for array in (*first, *total, sobol.mean_rank_shift))),
    )


def _part_of(composite: Composite, chosen: np.ndarray) -> tuple[Composite, np.ndarray]:
    """The composite of the `chosen` indicators (k,) alone, and which themes are left (t,).

    Minimum coverage becomes a share of the weight that is left, so that the same units have a score.
    """
    left = np.bincount(composite.theme_of, composite.weights * chosen, len(composite.themes))
    themes = left > 0
    shares = [*left[themes], composite.theme_weights[themes].sum()]
    return (
        Composite(
            indicators=tuple(np.array(composite.indicators)[chosen].tolist()),
            themes=tuple(np.array(composite.themes)[themes].tolist()),
            theme_of=(np.cumsum(themes) - 1)[composite.theme_of[chosen]],
            polarity=composite.polarity[chosen],
            weights=composite.weights[chosen],
            theme_weights=composite.theme_weights[themes],
            goalposts=composite.goalposts[chosen],
            minimum_coverage=composite.minimum_coverage[[*themes, True]] / shares,
        ),
        themes,
    )


def long_rows(
    framework: Framework, figures: YearFigures, arrays: Mapping[str, np.ndarray], regions: np.ndarray
) -> pl.DataFrame:
    """Arrays (regions, themes + 1) as columns, a row each region and element; `regions` are the places taken."""
    elements = framework.elements
    codes = [figures.regions[place] for place in regions]
    columns = {name: array[regions].ravel() for name, array in arrays.items()}
    rows = pl.DataFrame({"region_code": np.repeat(codes, len(elements)), **columns}).select(
        pl.Series("theme_id", elements * len(codes)), "region_code", pl.col(list(columns)).fill_nan(None)
    )
    return _placed(rows, framework, figures.year)


def range_rows(framework: Framework, simulated: Mapping[int, Simulated], warnings: pl.DataFrame) -> pl.DataFrame:
    """The published table `sensitivity`: own municipalities with a score, among each other and in the country.

    In the country only where other municipalities have a score too. `warnings` (measurement_year, theme_id,
    region_code, warnings) are those of the score.
    """
    rows = [
        long_rows(framework, one.year.figures, _ranges(one, among), np.arange(one.year.figures.own)).with_columns(
            pl.lit(among).alias("among"), pl.lit(one.sensitivity.draws).alias("draws")
        )
        for one in simulated.values()
        for among in one.sensitivity.rank_low
    ]
    ranked = [part.filter(pl.col("rank").is_not_null()) for part in rows]
    key = ["measurement_year", "theme_id", "region_code"]
    return _table([part.join(warnings, key, how="left") for part in ranked], _RANGE)


def _ranges(one: Simulated, among: str) -> dict[str, np.ndarray]:
    """The columns of `sensitivity` as arrays (own, themes + 1); no rank in a country of own municipalities alone."""
    own, units = one.year.figures.own, one.year.figures.units
    size = own if among == "region" else units
    scores, errors = (by_method[DEFAULT][:size] for by_method in (one.year.scores, one.year.errors))
    number = np.isfinite(scores).sum(axis=0)
    rank = ranks(scores.T).T[:own]
    if among == "country":
        rank = np.where(number > np.isfinite(scores[:own]).sum(axis=0), rank, np.nan)
    rank, low, high = one.ranges(among, rank)
    by_sampling = [rank_intervals(score, error) for score, error in zip(scores.T, errors.T, strict=True)]
    return {
        "score": scores[:own],
        "rank": rank,
        "rank_low": low,
        "rank_high": high,
        "rank_median": one.sensitivity.rank_median[among],
        "rank_of": np.broadcast_to(number, rank.shape),
        "sampling_rank_low": np.column_stack([ends[0][:own] for ends in by_sampling]),
        "sampling_rank_high": np.column_stack([ends[1][:own] for ends in by_sampling]),
    }


def pair_rows(framework: Framework, simulated: Mapping[int, Simulated]) -> pl.DataFrame:
    """The published table `sensitivity_pair`: pairs of own municipalities that both have a score."""
    rows = []
    for one in simulated.values():
        codes = np.array(one.year.figures.regions[: one.year.figures.own])
        theme, first, second = np.nonzero(np.isfinite(one.sensitivity.ahead))
        pairs = pl.DataFrame(
            {
                "theme_id": np.array(framework.elements)[theme],
                "region_code": codes[first],
                "comparator_code": codes[second],
                "ahead_share": one.sensitivity.ahead[theme, first, second],
            }
        ).filter(pl.col("region_code") != pl.col("comparator_code"))
        rows.append(_placed(pairs, framework, one.year.figures.year))
    return _table(rows, _PAIR)


def factor_rows(framework: Framework, simulated: Mapping[int, Simulated]) -> pl.DataFrame:
    """The published table `sensitivity_factor`: themes with a rank; NULL indices where nothing shifts a rank."""
    rows = []
    for one in simulated.values():
        sobol, elements, factors = one.sobol, framework.elements, list(one.sobol.factors)
        indices = [sobol.first_order, *np.moveaxis(sobol.first_order_ci, -1, 0)]
        indices += [sobol.total_order, *np.moveaxis(sobol.total_order_ci, -1, 0)]
        shift = np.repeat(sobol.mean_rank_shift[:, None], len(factors), axis=1)
        columns = {name: array.ravel() for name, array in zip(_INDICES, [*indices, shift], strict=True)}
        themes = {"theme_id": np.repeat(elements, len(factors)), "factor": factors * len(elements)}
        frame = pl.DataFrame(themes | columns).filter(pl.col("mean_rank_shift").is_not_nan())
        draws = pl.lit(one.sobol_draws).alias("draws")
        rows.append(_placed(frame.with_columns(draws), framework, one.year.figures.year))
    return _table(rows, _FACTOR)


def coherence_rows(framework: Framework, years: Sequence[YearScores]) -> pl.DataFrame:
    """The published table `coherence`: of indicators within themes, and of themes within the overall score.

    Over municipalities (whichever have figures) by their scores on the fixed scale, so with polarity applied. Alpha,
    components and effective weights are of the elements that enough municipalities have a figure for, over the
    municipalities that have all of those; NULL, as are correlations, with fewer than five of them.
    """
    composite = framework.composite
    rows = []
    for year in years:
        units = year.figures.units
        scores = year.normalisers["goalposts"](year.figures.values[:units])
        parts = [
            (theme, np.array(composite.indicators)[inside], scores[:, inside], composite.weights[inside])
            for place, theme in enumerate(composite.themes)
            for inside in [composite.theme_of == place]
        ]
        themes = year.scores[DEFAULT][:units, :-1]
        parts.append((framework.settings.overall_id, np.array(composite.themes), themes, composite.theme_weights))
        for theme, elements, columns, weights in parts:
            if len(elements) > 1:
                measured = [*_correlated(elements, columns), *_coherence(theme, elements, columns, weights)]
                frame = pl.DataFrame(measured, schema=_MEASURED, orient="row")
                rows.append(_placed(frame.with_columns(theme_id=pl.lit(theme)), framework, year.figures.year))
    return _table(rows, _COHERENCE)


def _correlated(elements: np.ndarray, columns: np.ndarray) -> Iterator[Measured]:
    """Correlation of every two elements, over the municipalities that have both."""
    known = np.isfinite(columns).astype(int)
    both = known.T @ known
    correlation = np.where(both >= LEAST_UNITS, correlations(columns), np.nan)
    for i, j in combinations(range(len(elements)), 2):
        yield "correlation", str(elements[i]), str(elements[j]), float(correlation[i, j]), int(both[i, j])


def _coherence(theme: str, elements: np.ndarray, columns: np.ndarray, weights: np.ndarray) -> Iterator[Measured]:
    """Alpha, principal components and effective weights of the elements that can be held against each other."""
    rows, chosen = comparable_part(columns)
    count = int(rows.sum())
    alpha, shares = np.nan, np.array([np.nan])
    loading, effective = np.full(len(elements), np.nan), np.full(len(elements), np.nan)
    if count:
        part = columns[np.ix_(rows, chosen)]
        components = principal_components(part)
        alpha, shares = cronbach_alpha(part), components.explained_share
        loading[chosen], effective[chosen] = components.loadings[:, 0], effective_weights(part, weights[chosen])
    yield "cronbach_alpha", theme, theme, float(alpha), count
    for number, share in enumerate(shares, start=1):
        yield "pca_explained_share", f"component_{number}", f"component_{number}", float(share), count
    for measure, of_elements in (("pca_loading", loading), ("effective_weight", effective)):
        for element, value, among in zip(elements, of_elements, np.where(chosen, count, 0), strict=True):
            yield measure, str(element), str(element), float(value), int(among)


def _placed(rows: pl.DataFrame, framework: Framework, year: int) -> pl.DataFrame:
    place = {"measurement_year": pl.lit(year, dtype=pl.Int32), "framework": pl.lit(framework.settings.framework)}
    return rows.with_columns(**place)


def _table(parts: Sequence[pl.DataFrame], schema: Schema) -> pl.DataFrame:
    """Parts of a table under each other, with its columns, also where there are none."""
    columns = [pl.col(name).cast(kind) for name, kind in schema.items()]
    tidy = [part.with_columns(pl.col(pl.Float64).fill_nan(None)).select(columns) for part in parts]
    return pl.concat([pl.DataFrame(schema=schema), *tidy])
