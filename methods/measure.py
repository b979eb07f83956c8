"""The figure of every region, indicator and measurement year, also where it is missing."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from catalog.model import Region
from methods import warning_lists as warn


@dataclass(frozen=True)
class RegionRoles:
    """Which codes play which part: own municipalities, own groups (region first), country, rest of the country.

    `peers`: of each own municipality the code of the group of municipalities that are most like it. `variants`: the own
    groups that are another reading of one of the others.
    """

    municipalities: list[str]
    groups: list[str]
    country: str
    rest: str
    published_as: list[str]
    peers: dict[str, str] = field(default_factory=dict)
    variants: frozenset[str] = frozenset()

    @classmethod
    def of(cls, region: Region) -> RegionRoles:
        """The roles that a region file gives."""
        return cls(
            municipalities=sorted(region.municipalities),
            groups=list(region.own_groups),
            country=region.country_code,
            rest=region.rest_code,
            published_as=region.published_as,
            peers=region.peers,
            variants=frozenset(group.code for group in region.groups if group.variant_of),
        )

    @property
    def region(self) -> str:
        """The region as a whole."""
        return self.groups[0]

    @property
    def always(self) -> list[str]:
        """Regions that have a row for every indicator and measurement year."""
        return [*self.municipalities, *self.groups, self.country, self.rest, *self.peers.values()]


# How precise a figure is known to be, beside its margins.
PRECISION = ["standard_error", "n_effective", "degrees_of_freedom"]


def indicator_values(
    references: pl.DataFrame,
    figures: pl.DataFrame,
    groups: pl.DataFrame,
    indicators: pl.DataFrame,
    roles: RegionRoles,
    precision: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """The published table `indicator_value` for the years in `references`.

    `figures` are the published figures in use (choose_figures), `groups` the computed ones (group_values): a group
    that has a figure of its own, such as one made from a survey's answers, keeps that. Every region in `roles.always`
    has a row for every indicator and year; NULL comes with a status that says why. `precision`: the key of
    `observation` and PRECISION, for the figures of which that is known.
    """
    key = ["indicator_id", "reference_period", "region_code"]
    computed = groups.join(figures, [*key, "breakdown"], how="anti")
    known = pl.concat([figures, computed.select(figures.columns), _figures_for_region(figures, groups, roles)])
    if precision is None:
        known = known.with_columns(pl.lit(None, dtype=pl.Float64).alias(name) for name in PRECISION)
    else:
        of_figure = precision.rename({"period": "reference_period"})
        known = known.join(of_figure, [*key, "breakdown", "source_table"], how="left", maintain_order="left")
    always = references.join(pl.DataFrame({"region_code": roles.always}), how="cross")
    elsewhere = references.join(
        known.filter(~pl.col("region_code").is_in(roles.always)).select(key).unique(),
        ["indicator_id", "reference_period"],
    )
    return (
        pl.concat([always, elsewhere.select(always.columns)])
        .drop("source_table", "series_id")
        .join(known, key, how="left")
        .join(indicators.select("indicator_id", "group_method", "country_figure"), "indicator_id")
        .with_columns(
            breakdown=pl.col("breakdown").fill_null("total"),
            status=pl.coalesce("status", _why_missing(roles)),
            warnings=_with_age_of_figure(),
        )
    )


def _figures_for_region(figures: pl.DataFrame, groups: pl.DataFrame, roles: RegionRoles) -> pl.DataFrame:
    """Figures published for an area that is the region under another code, where none was computed."""
    return (
        figures.filter(pl.col("region_code").is_in(roles.published_as))
        .sort("region_code")
        .unique(["indicator_id", "reference_period", "breakdown"], keep="first", maintain_order=True)
        .with_columns(region_code=pl.lit(roles.region))
        .join(groups, ["indicator_id", "reference_period", "region_code"], how="anti")
        .join(figures, ["indicator_id", "reference_period", "region_code"], how="anti")
    )


def _why_missing(roles: RegionRoles) -> pl.Expr:
    """Why a region has no figure, where its source gives no reason itself."""
    is_group = pl.col("region_code").is_in([*roles.groups, roles.rest, *roles.peers.values()])
    is_country = pl.col("region_code") == roles.country
    cannot_exist = (is_group & (pl.col("group_method") == "none")) | (is_country & ~pl.col("country_figure"))
    return (
        pl.when(cannot_exist)
        .then(pl.lit("not_applicable"))
        .when(pl.col("reference_period").is_null())
        .then(pl.col("missing_status"))
        # The publishers give a national figure with each of these tables; this run does not hold it.
        .when(is_country)
        .then(pl.lit("not_retrieved"))
        .otherwise(pl.lit("not_published"))
    )


def _with_age_of_figure() -> pl.Expr:
    has_value = pl.col("value").is_not_null()
    return warn.unite(
        "warnings",
        warn.when(has_value & pl.col("carried_forward"), "carried_forward"),
        warn.when(has_value & pl.col("newer_published"), "newer_published"),
    )
