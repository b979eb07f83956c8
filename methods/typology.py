"""Types of municipalities, for reading and never for ranking, with how stable each type is."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from catalog.analysis_model import TypologySettings
from methods.structure import Structure, standardised

Vector = npt.NDArray[np.floating[Any]]
Matrix = npt.NDArray[np.floating[Any]]
Labels = npt.NDArray[np.integer[Any]]

MOST_DEVIATION = 3.0  # interquartile ranges from the median: Amsterdam is no type of its own
LEAST_PER_TYPE = 10  # municipalities there must be for each type that is looked for
TELLING = 0.5  # interquartile ranges from the median that are worth a word
_MOST_TOLD = 3
_STARTS = 20
_STARTS_OF_BOOTSTRAP = 3

_SCHEMA = {
    "region_code": pl.String,
    "type_id": pl.Int32,
    "stability": pl.Float64,
    "silhouette": pl.Float64,
    "profile": pl.String,
    "variables": pl.String,
}


def typology(structure: Structure, population: pl.DataFrame, settings: TypologySettings) -> pl.DataFrame:
    """The type of every municipality: the published table `typology`. `population`: region_code, population.

    k-means on the robustly standardised variables, cut off at three interquartile ranges from the median. Type 1 has
    the most inhabitants, and so on.

    `stability` of a type is its mean bootstrap Jaccard similarity (Hennig 2007, doi 10.1016/j.csda.2006.11.025): below
    0.6 a type is not to be relied on, from 0.75 it is a pattern in the data. Of the numbers of types in the settings
    the one is taken whose least stable type is the most stable, and of equals the fewest: every type is read, so
    a typology is as good as its weakest type, which a mean over types would hide behind the firm ones. A number of
    types is tried where there are ten municipalities for each; without any the table is empty.

    `silhouette` (-1 to 1) says how much nearer a municipality is to its own type than to the next one. `profile`
    names the variables of which the type's median lies at least half an interquartile range from that of all, at most
    three, the strongest first.
    """
    z = standardised(structure)
    numbers = range(settings.smallest, min(settings.largest, z.height // LEAST_PER_TYPE) + 1)
    if not numbers or not structure.names:
        return pl.DataFrame(schema=_SCHEMA)

    from sklearn.metrics import silhouette_samples
    from threadpoolctl import threadpool_limits

    x = z.select(structure.names).to_numpy()
    cut = np.clip(x, -MOST_DEVIATION, MOST_DEVIATION)
    # Sums over threads come in any order: with one thread equal input gives equal bytes, and it is not slower.
    with threadpool_limits(1):
        found = {number: _types(cut, number, settings.seed) for number in numbers}
        stable = {number: stability(cut, found[number], settings.bootstraps, settings.seed) for number in numbers}
        number = max(numbers, key=lambda number: float(stable[number].min()))
        silhouette = silhouette_samples(cut, found[number])
    inhabitants = z.join(population, "region_code", how="left", maintain_order="left")["population"].fill_null(0)
    totals = np.bincount(found[number], weights=inhabitants.to_numpy())
    order = np.argsort(-totals, kind="stable")
    place = np.argsort(order)[found[number]]
    profiles = [_profile(np.median(x[place == one], axis=0), structure.names) for one in range(number)]
    return z.select(
        "region_code",
        type_id=pl.Series(place + 1, dtype=pl.Int32),
        stability=pl.Series(stable[number][order][place]),
        silhouette=pl.Series(silhouette),
        profile=pl.Series([profiles[one] for one in place]),
        variables=pl.lit(structure.described),
    )


def stability(x: Matrix, types: Labels, bootstraps: int, seed: int) -> Vector:
    """How stable each type is, 0-1: its mean Jaccard similarity with the type most like it in bootstrap samples.

    `x` has a row a municipality and a column a variable; `types` are numbered from 0. Municipalities are drawn with
    replacement and grouped anew into as many types; compared are the municipalities that were drawn, each once. A type
    of which none was drawn counts as not found again (0).
    """
    generator = np.random.default_rng(seed)
    number = int(types.max()) + 1
    similarity = np.empty((bootstraps, number))
    for one in range(bootstraps):
        times = np.bincount(generator.integers(len(x), size=len(x)), minlength=len(x))
        drawn = np.flatnonzero(times)
        # A weight is the same as a row drawn more than once, and quicker.
        again = _types(x[drawn], number, int(generator.integers(2**31)), times[drawn])
        similarity[one] = most_alike(types[drawn], again, number)
    mean: Vector = similarity.mean(axis=0)
    return mean


def most_alike(types: Labels, others: Labels, number: int) -> Vector:
    """Of each of `number` types the highest Jaccard similarity with one of the other grouping of the same members.

    Jaccard similarity: how many are in both, divided by how many are in one of the two. Types are numbered from 0;
    without members it is 0.
    """
    both = np.bincount(types * number + others, minlength=number * number).reshape(number, number)
    either = both.sum(axis=1, keepdims=True) + both.sum(axis=0, keepdims=True) - both
    highest: Vector = (both / np.maximum(either, 1)).max(axis=1)
    return highest


def _types(x: Matrix, number: int, seed: int, times: Labels | None = None) -> Labels:
    """k-means; `times` counts each row more than once, in bootstrap samples."""
    from sklearn.cluster import KMeans

    starts = _STARTS if times is None else _STARTS_OF_BOOTSTRAP
    labels: Labels = KMeans(number, n_init=starts, random_state=seed).fit(x, sample_weight=times).labels_
    return labels.astype(np.int64)


def _profile(middle: Vector, names: list[str]) -> str:
    strongest = np.argsort(-np.abs(middle), kind="stable")[:_MOST_TOLD]
    told = [f"{names[one]} {middle[one]:+.1f}" for one in strongest if abs(middle[one]) >= TELLING]
    return "; ".join(told) or "close to the middle of all"
