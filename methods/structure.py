"""What kind of municipality it is: properties that policy does not move quickly, all municipalities side by side.

Peers, the typology of municipalities and the figure to be expected given structure all start from the same `Structure`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from catalog.analysis_model import StructuralVariable
from catalog.expression import evaluate, names_in

# Of the municipalities, in the period that is used.
LEAST_SHARE = 0.95


@dataclass(frozen=True)
class Structure:
    """Structural variables of municipalities.

    `frame`: region_code (in order) and a Float64 column for each variable used, on the scale of its setting (natural
    logarithm for `log`), nowhere missing and not the same everywhere. `periods`: of each variable used. `left_out`: of
    each variable that is not used, the reason.
    """

    frame: pl.DataFrame
    periods: dict[str, str]
    left_out: dict[str, str]

    @property
    def names(self) -> list[str]:
        """The variables used, in the order of the settings."""
        return self.frame.columns[1:]

    @property
    def described(self) -> str:
        """The variables used with their periods, as the published column `variables` has them."""
        return ";".join(f"{name} {self.periods[name]}" for name in self.names)

    def without(self, variable: str) -> Structure:
        """The same municipalities with one variable less."""
        periods = {name: period for name, period in self.periods.items() if name != variable}
        return Structure(self.frame.drop(variable), periods, {**self.left_out, variable: "left out on request"})


def structural_variables(
    figures: pl.DataFrame,
    settings: Sequence[StructuralVariable],
    municipalities: Sequence[str],
    newest: int,
    priorities: pl.DataFrame | None = None,
) -> Structure:
    """The structural variables of `municipalities`, each of its newest period that (nearly) all of them have.

    `figures` are on the borders that `municipalities` has: indicator_id, region_code, period, source_table, value, and
    `breakdown` if there are other rows than `total`; only whole years (YYYY) count. Where several tables have a figure,
    that of the best priority is taken (`priorities`: indicator_id, source_table, priority, 1 is best; without it the
    first table by name).

    The parts of an expression are of one period. The period used is the newest up to year `newest` in which at least
    95% of the municipalities have a value; a variable without one is left out, and so is one that is the same
    everywhere. A municipality that lacks one of the variables used is left out: nothing is filled in. The logarithm of
    zero or less, and division by zero, are missing.
    """
    wide = _wide(_best_figures(figures, municipalities, newest, priorities), settings)
    values = (
        wide.select("region_code", "period", *(_transformed(setting) for setting in settings))
        .unpivot(index=["region_code", "period"], variable_name="variable", value_name="value")
        .filter(pl.col("value").is_finite())
    )
    coverage = values.group_by("variable", "period").len("known")
    asked = len(set(municipalities))
    used = coverage.filter(pl.col("known") >= LEAST_SHARE * asked).group_by("variable").agg(pl.col("period").max())
    newest_period = dict(used.iter_rows())
    covered = [setting.variable for setting in settings if setting.variable in newest_period]
    frame = (
        values.join(used, ["variable", "period"], how="semi")
        .pivot(on="variable", on_columns=covered, index="region_code", values="value")
        .drop_nulls()
        .sort("region_code")
    )
    constant = [name for name in covered if frame[name].n_unique() <= 1]
    left_out = {
        setting.variable: _why_left_out(setting, coverage, wide, asked)
        for setting in settings
        if setting.variable not in newest_period
    }
    return Structure(
        frame.drop(constant),
        {name: newest_period[name] for name in covered if name not in constant},
        {**left_out, **dict.fromkeys(constant, "the same in all municipalities")},
    )


def standardised(structure: Structure) -> pl.DataFrame:
    """The frame of a structure, each variable less its median and divided by its interquartile range.

    Robust: one Amsterdam does not decide what far means for all others. As scikit-learn's RobustScaler, but a variable
    of which half of the municipalities have the same value (interquartile range 0) is divided by its standard
    deviation. Raises ValueError for a variable that is the same everywhere.
    """
    ordered = structure.frame.sort("region_code")
    x = ordered.select(structure.names).to_numpy()
    if not x.size:
        return ordered
    if constant := [name for name, spread in zip(structure.names, np.ptp(x, axis=0), strict=True) if spread == 0]:
        raise ValueError(f"the same in all {len(x)} municipalities, so nothing to standardise: {', '.join(constant)}")
    low, middle, high = np.percentile(x, [25, 50, 75], axis=0)
    z = (x - middle) / np.where(high > low, high - low, x.std(axis=0))
    return ordered.with_columns(pl.Series(name, column) for name, column in zip(structure.names, z.T, strict=True))


def _best_figures(
    figures: pl.DataFrame, municipalities: Sequence[str], newest: int, priorities: pl.DataFrame | None
) -> pl.DataFrame:
    """One figure an indicator, municipality and year, of the best table that has it."""
    keys = ["indicator_id", "region_code", "period"]
    total = pl.col("breakdown") == "total" if "breakdown" in figures.columns else pl.lit(value=True)
    usable = figures.filter(
        total,
        pl.col("region_code").is_in(sorted(set(municipalities))),
        pl.col("period").str.contains(r"^\d{4}$") & (pl.col("period") <= str(newest)),
        pl.col("value").is_not_null(),
    ).select(*keys, "source_table", pl.col("value").cast(pl.Float64))
    if priorities is None:
        ranked = usable.with_columns(priority=pl.lit(1))
    else:
        by_table = priorities.select("indicator_id", "source_table", "priority")
        ranked = usable.join(by_table, ["indicator_id", "source_table"], how="left")
    return (
        ranked.sort(*keys, "priority", "source_table", nulls_last=True)
        .unique(keys, keep="first", maintain_order=True)
        .select(*keys, "value")
    )


def _wide(figures: pl.DataFrame, settings: Sequence[StructuralVariable]) -> pl.DataFrame:
    """A row a municipality and year, a column an indicator: all that the settings name, also those without figures."""
    wide = figures.pivot(on="indicator_id", index=["region_code", "period"], values="value")
    named = {name for setting in settings for name in names_in(setting.expression)}
    return wide.with_columns(pl.lit(None, pl.Float64).alias(name) for name in sorted(named - set(wide.columns)))


def _transformed(setting: StructuralVariable) -> pl.Expr:
    value = evaluate(setting.expression, {name: pl.col(name) for name in names_in(setting.expression)})
    if setting.scale == "log":
        value = pl.when(value > 0).then(value).log()
    return value.alias(setting.variable)


def _why_left_out(setting: StructuralVariable, coverage: pl.DataFrame, wide: pl.DataFrame, asked: int) -> str:
    absent = sorted(name for name in names_in(setting.expression) if wide[name].null_count() == wide.height)
    if absent:
        return f"no figures of {', '.join(absent)}"
    best = max(coverage.filter(variable=setting.variable)["known"], default=0)
    return f"a value for at most {best} of {asked} municipalities in one year; 95% is needed"
