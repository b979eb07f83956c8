"""A framework of indicators, themes and an overall score as numbers: which figures count, on which scale, how heavily.

The scale of an indicator is fixed: chosen in the catalogue, or from the lowest to the highest municipality at the
baseline after treatment of outliers. A figure of a later year never moves it, so scores of other years and other
municipalities stay as they are. An indicator without such a scale counts in no year.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from catalog.analysis_model import FrameworkIndicator, FrameworkSettings, Mean, Normalisation, OutlierTreatment
from methods.index.composite import NORMALISATIONS, Composite, Normaliser, coverage, standard_errors, theme_scores
from methods.index.treat import winsorise
from methods.index.weights import pca_weights
from methods.measure import RegionRoles
from methods.verdict import Z_95

# With fewer municipalities nothing is said about how parts of a framework hang together.
LEAST_UNITS = 5
# Columns that differ by less than this are the same but for the last digits of a double.
_SAME = 1e-12
# A coverage of 0.6 that computes as 0.5999999999 is enough for a minimum of 0.6.
_ROUNDING = 1e-9
_KEY = ["measurement_year", "indicator_id", "region_code"]
# Composites take weights above 0; a part without a share in the first component weighs next to nothing.
_LEAST_WEIGHT = 1e-9

DEFAULT = "goalposts_arithmetic"
# Vocabulary score_method: normalisation, mean, and whether weights are those of the first principal component.
METHODS: dict[str, tuple[Normalisation, Mean, bool]] = {
    DEFAULT: ("goalposts", "arithmetic", False),
    "min_max_arithmetic": ("min_max", "arithmetic", False),
    "z_score_arithmetic": ("z_score", "arithmetic", False),
    "percentile_arithmetic": ("percentile", "arithmetic", False),
    "goalposts_geometric": ("goalposts", "geometric", False),
    "goalposts_harmonic": ("goalposts", "harmonic", False),
    "goalposts_arithmetic_pca": ("goalposts", "arithmetic", True),
}


class FrameworkError(ValueError):
    """A framework that cannot be computed from what was given."""


def framework_figures(values: pl.DataFrame, settings: FrameworkSettings, roles: RegionRoles) -> pl.DataFrame:
    """The figures of a framework's indicators, for municipalities and for the groups, country and rest in `roles`.

    `values` are rows of indicator_value with `kind` (register, sample, model) and `rounding_unit`. Adds `theme_id` and
    changes `value` into the quantity that counts, NULL where the figure cannot count: it is of another definition, or a
    difference from the country that has no figure. `standard_error` is that of the quantity, rounding included, NULL
    where unknown; the country's own error is not in it. `rounding_error` is the standard deviation of rounding alone.
    `published` is true where there was a figure at all.
    """
    entries = pl.DataFrame(
        [(entry.indicator, theme.theme_id, entry.quantity) for theme in settings.themes for entry in theme.indicators],
        schema=["indicator_id", "theme_id", "quantity"],
        orient="row",
    )
    municipal = pl.col("region_code").str.starts_with("GM")
    rows = values.filter(pl.col("breakdown") == "total", municipal | pl.col("region_code").is_in(roles.always)).join(
        entries, "indicator_id"
    )
    if (twice := rows.filter(rows.select(_KEY).is_duplicated())).height:
        raise FrameworkError(f"more than one figure of one indicator, region and year: {twice.row(0)[:3]}")
    same_definition = ~pl.col("warnings").list.contains("definition_differs").fill_null(value=False)
    rows = rows.with_columns(
        published=pl.col("value").is_not_null(),
        value=pl.when(same_definition).then("value"),
        standard_error=_standard_error(),
        # The standard deviation of what rounding to a unit does: evenly spread over one unit.
        rounding_error=pl.col("rounding_unit").fill_null(0.0) / 12**0.5,
    )
    country = rows.filter(pl.col("region_code") == roles.country, pl.col("value") != 0)
    of_country = country.select("measurement_year", "indicator_id", _country="value")
    relative, of_all = pl.col("quantity") == "relative_to_nl", pl.col("_country")
    scale = pl.when(relative).then(100 / of_all.abs()).otherwise(1.0)
    rounding = scale * pl.col("rounding_error")
    return (
        rows.join(of_country, ["measurement_year", "indicator_id"], how="left")
        .with_columns(
            value=pl.when(relative).then(100 * (pl.col("value") / of_all - 1)).otherwise("value"),
            standard_error=((scale * pl.col("standard_error")).pow(2) + rounding.pow(2)).sqrt(),
            rounding_error=rounding,
        )
        .select(
            *(*_KEY, "theme_id", "value", "standard_error", "rounding_error"),
            *("published", "status", "warnings", "source_table"),
        )
        .sort(_KEY)
    )


def _standard_error() -> pl.Expr:
    """Of a figure; an error of 0 in a sample is one that is not known, and what we filled in is no count."""
    exact = (pl.col("kind") == "register") & (pl.col("status") != "estimated")
    of_interval = (pl.col("ci_high") - pl.col("ci_low")) / (2 * Z_95)
    known = [pl.when(error > 0).then(error) for error in (pl.col("standard_error"), of_interval)]
    return pl.when(exact.fill_null(value=False)).then(0.0).otherwise(pl.coalesce(known))


@dataclass(frozen=True)
class YearFigures:
    """A framework's figures in one measurement year as arrays; NaN where there is none.

    Regions are the own municipalities, other municipalities with a figure, then groups, country, rest and peers: the
    first `own` and `units` of them are the own and all municipalities. `errors` are of sampling and rounding, NaN where
    the first is unknown; `rounding` are those of rounding alone. `blocks` are the same number for indicators of one
    source: their errors come from the same respondents.
    """

    year: int
    regions: list[str]
    own: int
    units: int
    values: np.ndarray
    errors: np.ndarray
    rounding: np.ndarray
    blocks: np.ndarray

    @classmethod
    def of(cls, figures: pl.DataFrame, year: int, indicators: list[str], roles: RegionRoles) -> YearFigures:
        """The figures of `year` in framework_figures, columns in the order of `indicators`."""
        rows = figures.filter(pl.col("measurement_year") == year, pl.col("value").is_not_null())
        others = rows["region_code"].unique().sort()
        elsewhere = [code for code in others if code not in set(roles.always)]
        groups = [*roles.groups, roles.country, roles.rest, *roles.peers.values()]
        regions = [*roles.municipalities, *elsewhere, *groups]
        rows = rows.with_columns(_place(regions, "region_code"), _place(indicators, "indicator_id"))
        shape = (len(regions), len(indicators))
        return cls(
            year=year,
            regions=regions,
            own=len(roles.municipalities),
            units=len(regions) - len(groups),
            values=_matrix(rows, "value", shape),
            errors=_matrix(rows, "standard_error", shape),
            rounding=_matrix(rows, "rounding_error", shape),
            blocks=_blocks(rows, indicators),
        )


def _place(codes: list[str], column: str) -> pl.Expr:
    return pl.col(column).replace_strict(codes, range(len(codes)), return_dtype=pl.Int64)


def _matrix(rows: pl.DataFrame, column: str, shape: tuple[int, int]) -> np.ndarray:
    matrix = np.full(shape, np.nan)
    matrix[rows["region_code"].to_numpy(), rows["indicator_id"].to_numpy()] = rows[column].fill_null(np.nan).to_numpy()
    return matrix


def _blocks(rows: pl.DataFrame, indicators: list[str]) -> np.ndarray:
    """A number for each indicator: that of the source most of its figures come from; without a source, its own."""
    counts = rows.filter(pl.col("source_table").is_not_null()).group_by("indicator_id", "source_table").len()
    most = counts.sort(["len", "source_table"], descending=[True, False]).unique("indicator_id", keep="first")
    source = dict(most.select("indicator_id", "source_table").iter_rows())
    names = [source.get(place, (place,)) for place in range(len(indicators))]
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return np.array([numbers[name] for name in names])


@dataclass(frozen=True)
class Framework:
    """A framework ready to be scored. PCA weights stand beside the chosen ones; NaN where they are unknown."""

    settings: FrameworkSettings
    composite: Composite
    pca_weights: np.ndarray
    pca_theme_weights: np.ndarray
    origins: list[str | None]
    winsorised: np.ndarray

    @classmethod
    def of(
        cls, settings: FrameworkSettings, polarity: dict[str, int], baseline: YearFigures, outliers: OutlierTreatment
    ) -> Framework:
        """The framework with its scales and PCA weights from the municipalities' figures at the baseline.

        `polarity`: 1 or -1 for every indicator; FrameworkError where it is missing or 0.
        """
        entries = entries_of(settings)
        municipal = baseline.values[: baseline.units]
        treated, winsorised = treated_figures(municipal, outliers)
        goalposts = np.array([entry.goalposts or _range(treated[:, place]) for place, entry in enumerate(entries)])
        themes = [theme.theme_id for theme in settings.themes]
        theme_of = np.array([place for place, theme in enumerate(settings.themes) for _ in theme.indicators])
        weights = np.array([entry.weight for entry in entries])
        theme_weights = np.array([theme.weight for theme in settings.themes])
        composite = Composite(
            indicators=tuple(entry.indicator for entry in entries),
            themes=tuple(themes),
            theme_of=theme_of,
            polarity=np.array([_sign(entry, polarity) for entry in entries]),
            weights=weights / np.bincount(theme_of, weights)[theme_of],
            theme_weights=theme_weights / theme_weights.sum(),
            goalposts=goalposts,
            minimum_coverage=np.array(
                [*(theme.minimum_coverage for theme in settings.themes), settings.minimum_coverage]
            ),
        )
        counting = np.where(np.isfinite(goalposts).all(axis=1), municipal, np.nan)
        scores = Normaliser.fit(composite, "goalposts", treated)(counting)
        of_themes = theme_scores(scores, composite)[:, :-1]
        of_indicators = np.full(len(entries), np.nan)
        for place in range(len(themes)):
            inside = theme_of == place
            of_indicators[inside] = _pca_weights(scores[:, inside], composite.weights[inside])
        return cls(
            settings=settings,
            composite=composite,
            pca_weights=of_indicators,
            pca_theme_weights=_pca_weights(of_themes, composite.theme_weights),
            origins=[_origin(entry, posts) for entry, posts in zip(entries, goalposts, strict=True)],
            winsorised=winsorised,
        )

    @property
    def elements(self) -> list[str]:
        """What has a score: the themes, then the overall score; the order of the engine's columns."""
        return [*self.composite.themes, self.settings.overall_id]

    def weighted_by(self, *, pca: bool) -> Composite:
        """The composite with the chosen weights, or those of the first component where they are known."""
        if not pca:
            return self.composite
        chosen = [(self.pca_weights, self.composite.weights), (self.pca_theme_weights, self.composite.theme_weights)]
        of_indicators, of_themes = (
            np.maximum(np.where(np.isnan(weights), own, weights), _LEAST_WEIGHT) for weights, own in chosen
        )
        return replace(self.composite, weights=of_indicators, theme_weights=of_themes)

    def counting(self, figures: pl.DataFrame) -> pl.DataFrame:
        """`figures` in which those of indicators without a scale are NULL."""
        with_scale = [
            indicator for indicator, origin in zip(self.composite.indicators, self.origins, strict=True) if origin
        ]
        return figures.with_columns(pl.when(pl.col("indicator_id").is_in(with_scale)).then("value").alias("value"))

    def table(self) -> pl.DataFrame:
        """The published table `framework_element` of this framework."""
        composite, settings = self.composite, self.settings
        low, high = composite.goalposts.T
        indicators = pl.DataFrame(
            {
                "element_id": composite.indicators,
                "level": 1,
                "parent_id": [composite.themes[place] for place in composite.theme_of],
                "quantity": [entry.quantity for entry in entries_of(settings)],
                "polarity": composite.polarity,
                "weight": composite.weights,
                "pca_weight": self.pca_weights,
                "goalpost_low": low,
                "goalpost_high": high,
                "goalpost_origin": pl.Series(self.origins, dtype=pl.String),
                "minimum_coverage": pl.Series([None] * len(composite.indicators), dtype=pl.Float64),
                "winsorised": self.winsorised,
            }
        )
        themes = pl.DataFrame(
            {
                "element_id": self.elements,
                "level": [2] * len(composite.themes) + [3],
                "parent_id": [settings.overall_id] * len(composite.themes) + [None],
                "polarity": 1,
                "weight": [*composite.theme_weights, 1.0],
                "pca_weight": [*self.pca_theme_weights, np.nan],
                "minimum_coverage": composite.minimum_coverage,
            }
        )
        integers = [pl.col(name).cast(pl.Int32) for name in ("level", "polarity", "winsorised")]
        table = pl.concat([indicators, themes], how="diagonal_relaxed").with_columns(integers)
        floats = pl.col("pca_weight", "goalpost_low", "goalpost_high").fill_nan(None)
        return table.select(pl.lit(settings.framework).alias("framework"), "*").with_columns(floats)


@dataclass(frozen=True)
class YearScores:
    """The scores of one measurement year by method: arrays (regions, themes + 1), the overall score last.

    `reference` (units, k) are the municipalities' figures, outliers treated, on which scales of the year are fitted.
    """

    figures: YearFigures
    reference: np.ndarray
    normalisers: dict[Normalisation, Normaliser]
    coverage: np.ndarray
    scores: dict[str, np.ndarray]
    errors: dict[str, np.ndarray]

    @classmethod
    def of(cls, framework: Framework, figures: YearFigures, outliers: OutlierTreatment) -> YearScores:
        """Scores and their standard errors by every method.

        Scales other than the goalposts are of the year itself: all municipalities with a figure, outliers treated.
        """
        composite = framework.composite
        reference, _ = treated_figures(figures.values[: figures.units], outliers)
        normalisers = {name: Normaliser.fit(composite, name, reference) for name in NORMALISATIONS}
        covered = coverage(figures.values, composite)
        has_score = covered >= composite.minimum_coverage - _ROUNDING
        # What is covered is a matter of the chosen weights; other weights then take the figures that count.
        counted = np.where(has_score[:, composite.theme_of], figures.values, np.nan)
        scores, errors = {}, {}
        for method, (normalisation, mean, pca) in METHODS.items():
            by = replace(framework.weighted_by(pca=pca), minimum_coverage=np.zeros(len(framework.elements)))
            normaliser = normalisers[normalisation]
            of_method = theme_scores(normaliser(counted), by, mean)
            error = standard_errors(counted, figures.errors, figures.blocks, normaliser, by, mean)
            scores[method], errors[method] = (np.where(has_score, result, np.nan) for result in (of_method, error))
        return cls(figures, reference, normalisers, covered, scores, errors)

    @property
    def has_own_scores(self) -> bool:
        """Whether an own municipality has any score: only then is there something to rank."""
        return bool(np.isfinite(self.scores[DEFAULT][: self.figures.own]).any())


def entries_of(settings: FrameworkSettings) -> list[FrameworkIndicator]:
    """The indicators of all themes, in order: the columns of every array about a framework."""
    return [entry for theme in settings.themes for entry in theme.indicators]


def treated_figures(figures: np.ndarray, outliers: OutlierTreatment) -> tuple[np.ndarray, np.ndarray]:
    """Figures (units, k) with each column's outliers set to its edge, and how many those were (k,)."""
    treated = [winsorise(column, outliers) for column in figures.T]
    return np.column_stack([one.values for one in treated]), np.array([one.count for one in treated])


def comparable_part(columns: np.ndarray, least: int = LEAST_UNITS) -> tuple[np.ndarray, np.ndarray]:
    """Which rows (units) and columns of a matrix can be held against each other.

    Columns with at least `least` figures that are not all the same, and the rows that have all of them; no row and
    no column where that leaves fewer than two columns or `least` rows.
    """
    known = np.isfinite(columns)
    chosen = known.sum(axis=0) >= least
    rows = known[:, chosen].all(axis=1)
    if rows.sum() >= least:
        chosen[chosen] = np.ptp(columns[np.ix_(rows, chosen)], axis=0) > _SAME
        if chosen.sum() >= 2:
            return rows, chosen
    return np.zeros_like(rows), np.zeros_like(chosen)


def _range(figures: np.ndarray) -> tuple[float, float]:
    """Lowest and highest; NaN where there are no two different figures, which make no scale."""
    known = figures[np.isfinite(figures)]
    if known.size and np.ptp(known) > _SAME:
        return float(known.min()), float(known.max())
    return np.nan, np.nan


def _origin(entry: FrameworkIndicator, goalposts: np.ndarray) -> str | None:
    if entry.goalposts:
        return "chosen"
    return "baseline" if np.isfinite(goalposts).all() else None


def _sign(entry: FrameworkIndicator, polarity: dict[str, int]) -> int:
    sign = polarity.get(entry.indicator)
    if sign not in (1, -1):
        raise FrameworkError(f"{entry.indicator}: a score needs an indicator of polarity 1 or -1, found {sign}.")
    return sign


def _pca_weights(scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weights by the first principal component for the columns that have figures, NaN for the others.

    Together they weigh what those columns weigh by `weights`, so that both can stand side by side.
    """
    result = np.full(len(weights), np.nan)
    rows, columns = comparable_part(scores)
    if columns.any():
        result[columns] = pca_weights(scores[np.ix_(rows, columns)]) * weights[columns].sum()
    return result
