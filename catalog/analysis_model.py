"""The shape of analysis.yaml: windows, frameworks, structural variables and the settings of each analysis."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from catalog.model import Entry, Framework, Identifier, mistake

# How figures become scores that can be added up, and how scores are added up.
Normalisation = Literal["goalposts", "min_max", "z_score", "percentile"]
Mean = Literal["arithmetic", "geometric", "harmonic"]

Share = Annotated[float, Field(gt=0, le=1)]
Weight = Annotated[float, Field(gt=0)]


class TrendSettings(Entry):
    """A trend is the slope over the last `window_years` years, where they hold at least `minimum_points` figures."""

    window_years: Annotated[int, Field(ge=3, le=8)]
    minimum_points: Annotated[int, Field(ge=3)]


class FrameworkIndicator(Entry):
    """An indicator in a theme.

    `quantity: relative_to_nl` takes its difference from the country in percent instead of the figure itself: for euro
    amounts, which rise with prices. `goalposts` are the figures that count as score 0 and 1, in the order low, high;
    without them they are the lowest and highest municipality at the baseline.
    """

    indicator: Identifier
    quantity: Literal["value", "relative_to_nl"] = "value"
    weight: Weight = 1.0
    goalposts: tuple[float, float] | None = None

    @model_validator(mode="after")
    def _ordered(self) -> FrameworkIndicator:
        if self.goalposts and self.goalposts[0] >= self.goalposts[1]:
            raise mistake("the first must lie below the second", "goalposts")
        return self


class FrameworkTheme(Entry):
    """A theme with its indicators; it has a score where at least `minimum_coverage` of their weight has a figure."""

    theme_id: Identifier
    weight: Weight = 1.0
    minimum_coverage: Share
    indicators: Annotated[list[FrameworkIndicator], Field(min_length=1)]


class FrameworkSettings(Entry):
    """One framework: its themes, and the overall score made of them."""

    framework: Framework
    layer: Literal["official", "experienced"]
    minimum_coverage: Share
    themes: Annotated[list[FrameworkTheme], Field(min_length=1)]

    @model_validator(mode="after")
    def _each_once(self) -> FrameworkSettings:
        for name, ids in (
            ("theme", [theme.theme_id for theme in self.themes]),
            ("indicator", [entry.indicator for theme in self.themes for entry in theme.indicators]),
        ):
            if twice := sorted({one for one in ids if ids.count(one) > 1}):
                raise mistake(f"{name} listed twice: {', '.join(twice)}", "themes")
        if wrong := [theme.theme_id for theme in self.themes if not theme.theme_id.startswith(f"{self.framework}_")]:
            raise mistake(f"of another framework: {', '.join(wrong)}", "themes")
        return self

    @property
    def overall_id(self) -> str:
        """What stands for theme_id in rows about the overall score."""
        return f"{self.framework}_overall"


class OutlierTreatment(Entry):
    """Figures are winsorised while they are both skewed and heavy-tailed, at most `maximum` of them (COINr's rule)."""

    skewness: Annotated[float, Field(gt=0)]
    kurtosis: Annotated[float, Field(gt=0)]
    maximum: Annotated[int, Field(ge=0)]


class SensitivitySettings(Entry):
    """How often, and how far, the choices behind a score are varied.

    `weight_noise`: weights are multiplied by 1 - noise to 1 + noise. `range_percent`: the two percentiles of the draws
    that are published. `sobol_base`: base sample of the Sobol indices (a power of two).
    """

    draws: Annotated[int, Field(ge=256)]
    sobol_base: Annotated[int, Field(ge=2048)]
    seed: int
    weight_noise: Annotated[float, Field(gt=0, lt=1)]
    range_percent: tuple[float, float]

    @model_validator(mode="after")
    def _sound(self) -> SensitivitySettings:
        if not 0 <= self.range_percent[0] < self.range_percent[1] <= 100:
            raise mistake("must be two percentiles, the lower one first", "range_percent")
        if self.sobol_base & (self.sobol_base - 1):
            raise mistake("must be a power of two, such as 2048", "sobol_base")
        return self


class StructuralVariable(Entry):
    """A property of a municipality that policy does not move quickly, as an expression in indicators."""

    variable: Identifier
    expression: str
    scale: Literal["linear", "log"] = "linear"
    name_nl: str
    name_en: str


class PeerSettings(Entry):
    """How many peers a municipality has, and the fewest of them that make a group figure."""

    count: Annotated[int, Field(ge=2)]
    minimum_members: Annotated[int, Field(ge=1)]


class TypologySettings(Entry):
    """Between which numbers of types is chosen, and how often the choice is bootstrapped."""

    smallest: Annotated[int, Field(ge=2)]
    largest: Annotated[int, Field(ge=2)]
    bootstraps: Annotated[int, Field(ge=20)]
    seed: int


class ExpectationSettings(Entry):
    """The expected figure given structure: `coverage` of its intervals (0-1), folds where provinces are not known."""

    coverage: Share
    folds: Annotated[int, Field(ge=3)]
    minimum_municipalities: Annotated[int, Field(ge=30)]


class AnalysisSettings(Entry):
    """The file analysis.yaml; `urbanity` is the indicator with the class of municipalities that are alike in that."""

    trend: TrendSettings
    outliers: OutlierTreatment
    frameworks: list[FrameworkSettings]
    sensitivity: SensitivitySettings
    urbanity: Identifier
    structure: Annotated[list[StructuralVariable], Field(min_length=2)]
    peers: PeerSettings
    typology: TypologySettings
    expectation: ExpectationSettings
