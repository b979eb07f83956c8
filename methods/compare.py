"""Pairs of figures and what lies between them: regions with each other, and years with the baseline."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from methods import warning_lists as warn
from methods.measure import RegionRoles
from methods.verdict import judge_change, judge_comparison

_SIDE = [
    *("value", "ci_low", "ci_high", "kind", "series_id", "reference_period", "status", "revision_margin", "comparable"),
    "warnings",
]
_FAMILY = ["measurement_year", "indicator_id", "breakdown"]


def comparisons(
    values: pl.DataFrame,
    shares: pl.DataFrame,
    indicators: pl.DataFrame,
    sources: pl.DataFrame,
    roles: RegionRoles,
    contrasts: list[tuple[str, str]],
    by_design: pl.DataFrame | None = None,
    variants: Sequence[tuple[str, str]] = (),
) -> pl.DataFrame:
    """The published table `comparison` for the years in `values` (indicator_value); counts are not compared.

    `shares` is group_weight, `sources` indicator_source with revision_margin and comparable. `by_design` is
    survey_contrast: differences of which the survey's design gives the standard error. Pairs: every own municipality
    and group against region, country and rest of the country (not itself), the contrasts between groups, and every own
    municipality against its peers. `variants` are the contrasts with another reading of a group: a second look at a
    headline claim and none itself, so its p stands as it is, like that of every other pair of groups.
    """
    values = _with_making(values, sources, indicators, _weights(shares, roles))
    key = ["measurement_year", "indicator_id", "breakdown"]
    comparable = indicators.filter(~pl.col("is_count")).select(
        "indicator_id", "polarity", "min_relevant_difference", "headline", "layer", "is_percentage"
    )
    side = values.select(*key, "region_code", *_SIDE)
    pairs_of_regions = pl.DataFrame(
        [*compared_pairs(roles, [*contrasts, *variants]), *roles.peers.items()],
        schema={"region_code": pl.String, "comparator_code": pl.String},
        orient="row",
    )
    pairs = (
        side.join(pairs_of_regions, "region_code")
        .join(comparable, "indicator_id")
        .join(
            side.rename({"region_code": "comparator_code"} | {name: f"other_{name}" for name in _SIDE}),
            [*key, "comparator_code"],
        )
    )
    pairs = (
        _with_overlap(pairs, shares, roles)
        .with_columns(
            nominal=pl.lit(value=False),
            in_family=pl.col("region_code").is_in(roles.municipalities),
            rounding_margin=_rounding_margin(pairs, values, shares),
            comparator_year="measurement_year",
            claims=_headline_claims(roles, contrasts),
            # Each with its own peers: they are one family, as all with the country are.
            compared_with=pl.col("comparator_code").replace(dict.fromkeys(roles.peers.values(), "PEERS")),
        )
        .pipe(_with_design, by_design)
    )
    return (
        judge_comparison(pairs, [*_FAMILY, "compared_with"])
        .with_columns(warnings=warn.unite("warnings", "other_warnings"))
        .rename({"other_value": "comparator_value"})
    )


def changes(
    values: pl.DataFrame,
    baseline: pl.DataFrame,
    shares: pl.DataFrame,
    indicators: pl.DataFrame,
    sources: pl.DataFrame,
    roles: RegionRoles,
    baseline_year: int,
    by_design: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """The published table `change`: each year in `values` against `baseline` (both indicator_value).

    `by_design` as in `comparisons`. Two quantities: the value itself, and its difference from the country in percent,
    which takes out what the whole country has in common (prices above all). The baseline year has no change from
    itself.
    """
    weights = _weights(shares, roles)
    values, baseline = (_with_making(frame, sources, indicators, weights) for frame in (values, baseline))
    settings = indicators.select("indicator_id", "polarity", "min_relevant_difference", "is_count", "nominal_euro")
    pairs = (
        _own(values, roles)
        .filter(pl.col("measurement_year") != baseline_year)
        .join(
            _own(baseline, roles).drop("measurement_year").rename({name: f"other_{name}" for name in _SIDE}),
            ["indicator_id", "region_code", "breakdown"],
        )
        .join(settings, "indicator_id")
        .with_columns(
            baseline_year=pl.lit(baseline_year, dtype=pl.Int32),
            share=pl.lit(0.0),
            in_family=pl.col("region_code").is_in(roles.municipalities),
        )
    )
    figures = pl.concat([values, baseline.select(values.columns)], how="vertical")
    in_value = pairs.with_columns(
        quantity=pl.lit("value"),
        nominal=pl.col("nominal_euro"),
        rounding_margin=_rounding_margin_over_time(pairs, figures, shares),
        comparator_year="baseline_year",
        comparator_code="region_code",
    ).pipe(_with_design, by_design)
    relative = _relative_to_country(pairs, figures, shares, roles)
    return (
        pl.concat([in_value, relative], how="diagonal")
        .pipe(judge_change, [*_FAMILY, "quantity"])
        .with_columns(
            warnings=warn.unite(
                "warnings",
                "other_warnings",
                warn.when(pl.col("nominal"), "nominal_prices"),
                warn.when(pl.col("verdict") == "not_comparable", "break_in_series"),
            ),
            # A percentage of a percentage means nothing to a reader.
            relative_difference=pl.when(pl.col("quantity") == "value").then("relative_difference"),
        )
        .rename({"other_value": "baseline_value", "other_reference_period": "baseline_reference_period"})
    )


def with_making(
    values: pl.DataFrame, sources: pl.DataFrame, indicators: pl.DataFrame, shares: pl.DataFrame, roles: RegionRoles
) -> pl.DataFrame:
    """The values (indicator_value) with how each was made: kind, comparable, revision_margin and rounding_unit.

    The rounding unit of a group is that of its members' figures together.
    """
    made = _with_making(values, sources, indicators, _weights(shares, roles))
    units = _units(made, shares).rename({"rounding_unit": "unit_of_value"})
    return (
        made.join(units, ["indicator_id", "reference_period", "region_code"], how="left", maintain_order="left")
        .with_columns(rounding_unit="unit_of_value")
        .drop("unit_of_value")
    )


def _own(values: pl.DataFrame, roles: RegionRoles) -> pl.DataFrame:
    return values.filter(pl.col("region_code").is_in(roles.always)).select(
        "measurement_year", "indicator_id", "region_code", "breakdown", *_SIDE
    )


def _with_making(
    values: pl.DataFrame, sources: pl.DataFrame, indicators: pl.DataFrame, weights: pl.DataFrame
) -> pl.DataFrame:
    """Add how each figure was made: kind, rounding_unit and revision_margin of its source table.

    The rounding unit of a ratio is that of its numerator, divided by its denominator: the weight of the region.
    """
    making = sources.select("indicator_id", "source_table", "kind", "rounding_unit", "revision_margin", "comparable")
    denominators = weights.rename({"weight": "denominator"})
    ratio = pl.col("indicator_id").is_in(indicators.filter(group_method="ratio")["indicator_id"].to_list())
    unit = pl.col("rounding_unit")
    return (
        values.join(making, ["indicator_id", "source_table"], how="left", maintain_order="left")
        .join(denominators, ["indicator_id", "reference_period", "region_code"], how="left", maintain_order="left")
        .with_columns(
            # What a model says of a region without answers of its own decides nothing about that region.
            *(pl.when(~_without_own_answers()).then(bound).alias(bound) for bound in ("ci_low", "ci_high")),
            rounding_unit=pl.when(ratio).then(unit / pl.col("denominator")).otherwise(unit),
        )
        .drop("denominator")
    )


def _without_own_answers() -> pl.Expr:
    return (pl.col("status") == "estimated") & pl.col("n").is_null() & (pl.col("kind") == "sample")


def _with_design(pairs: pl.DataFrame, by_design: pl.DataFrame | None) -> pl.DataFrame:
    """Add difference_standard_error and difference_degrees_of_freedom, where the design of a survey gives them.

    They are those of direct estimates: not of a side that a model estimated instead.
    """
    if by_design is None:
        return pairs
    key = ["measurement_year", "indicator_id", "region_code", "comparator_code", "comparator_year", "breakdown"]
    given = by_design.select(
        *key, difference_standard_error="standard_error", difference_degrees_of_freedom="degrees_of_freedom"
    )
    direct = (pl.col("status") != "estimated") & (pl.col("other_status") != "estimated")
    return pairs.join(given, key, how="left", maintain_order="left").with_columns(
        pl.when(direct).then(name).alias(name)
        for name in ("difference_standard_error", "difference_degrees_of_freedom")
    )


def _weights(shares: pl.DataFrame, roles: RegionRoles) -> pl.DataFrame:
    """The weight of every municipality, group and the country: indicator_id, reference_period, region_code, weight.

    The country's is that of the region and the rest of the country together, where both are known.
    """
    key = ["indicator_id", "reference_period"]
    weight = pl.col("weight").sum()
    of_groups = shares.group_by(*key, region_code="group_code").agg(weight)
    of_municipalities = shares.select(*key, region_code="municipality_code", weight="weight")
    of_country = (
        of_groups.filter(pl.col("region_code").is_in([roles.region, roles.rest]))
        .group_by(key)
        .agg(weight, parts=pl.len())
        .filter(pl.col("parts") == 2)
        .with_columns(region_code=pl.lit(roles.country))
    )
    return pl.concat([of_groups, of_municipalities.unique([*key, "region_code"]), of_country.select(of_groups.columns)])


def _headline_claims(roles: RegionRoles, contrasts: list[tuple[str, str]]) -> pl.Expr:
    """The year's headline claims: the contrasts, and the region with the rest.

    Of the headline indicators each is said aloud; of the dimensions the contrasts are counted, in a picture's title.
    """
    pair = pl.concat_list("region_code", "comparator_code")
    is_contrast = pair.is_in([list(contrast) for contrast in contrasts])
    is_rest = pair.is_in([[roles.region, roles.rest]])
    is_dimension = (pl.col("layer") == "experienced") & ~pl.col("is_percentage")
    is_claim = (pl.col("headline") & (is_contrast | is_rest)) | (is_dimension & is_contrast)
    return pl.when(is_claim & (pl.col("breakdown") == "total")).then(pl.format("{}", "measurement_year"))


def compared_pairs(roles: RegionRoles, contrasts: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Every own municipality and group with region, country and rest of the country (not itself), and the contrasts."""
    pairs = [
        (region, comparator)
        for region in [*roles.municipalities, *roles.groups]
        for comparator in (roles.region, roles.country, roles.rest)
        if region != comparator
    ]
    return [*pairs, *contrasts]


def _coefficients(values: pl.DataFrame, shares: pl.DataFrame) -> pl.DataFrame:
    """Every value as a sum of published figures: indicator_id, reference_period, region_code, figure_code, coefficient.

    A published figure is itself; a group is its members by their share. `rounding_unit` is that of the figure.
    """
    figures = _once(values.select("indicator_id", "reference_period", "region_code", "rounding_unit"))
    groups = shares.select(
        "indicator_id",
        "reference_period",
        region_code="group_code",
        figure_code="municipality_code",
        coefficient="share",
    )
    own = figures.join(groups, ["indicator_id", "reference_period", "region_code"], how="anti").select(
        "indicator_id",
        "reference_period",
        "region_code",
        figure_code="region_code",
        coefficient=pl.lit(1.0),
    )
    units = figures.rename({"region_code": "figure_code"})
    return pl.concat([groups, own]).join(units, ["indicator_id", "reference_period", "figure_code"])


def _units(figures: pl.DataFrame, shares: pl.DataFrame) -> pl.DataFrame:
    """The rounding unit of every value: that of a published figure, or of a group's members together."""
    unit = pl.col("rounding_unit")
    whole = (pl.col("coefficient").abs() * unit).sum()
    return (
        _coefficients(figures, shares)
        .group_by("indicator_id", "reference_period", "region_code")
        .agg(rounding_unit=pl.when(unit.is_not_null().all()).then(whole))
    )


def _rounding_margin(pairs: pl.DataFrame, values: pl.DataFrame, shares: pl.DataFrame) -> pl.Series:
    """R = half the sum of |coefficient| x rounding unit over the figures that make up each difference, in row order."""
    place = pairs.select("indicator_id", "reference_period", "region_code", "comparator_code").with_row_index("pair")
    coefficients = _coefficients(values, shares)
    signed = [
        (place, {"region_code": "region_code"}, 1.0),
        (place, {"comparator_code": "region_code"}, -1.0),
    ]
    parts = [
        frame.join(
            coefficients,
            left_on=["indicator_id", "reference_period", *names],
            right_on=["indicator_id", "reference_period", *names.values()],
        ).select("pair", "figure_code", pl.col("coefficient") * sign, "rounding_unit")
        for frame, names, sign in signed
    ]
    return _half_sum(place, pl.concat(parts), ["figure_code"])


def _rounding_margin_over_time(pairs: pl.DataFrame, figures: pl.DataFrame, shares: pl.DataFrame) -> pl.Series:
    """As `_rounding_margin`, for one region in two periods; a figure carried forward cancels against itself."""
    place = pairs.select("indicator_id", "region_code", "reference_period", "other_reference_period").with_row_index(
        "pair"
    )
    coefficients = _coefficients(figures, shares)
    parts = [
        place.join(
            coefficients,
            left_on=["indicator_id", "region_code", period],
            right_on=["indicator_id", "region_code", "reference_period"],
        ).select("pair", "figure_code", pl.col("coefficient") * sign, "rounding_unit", period_of_figure=pl.col(period))
        for period, sign in (("reference_period", 1.0), ("other_reference_period", -1.0))
    ]
    return _half_sum(place, pl.concat(parts), ["figure_code", "period_of_figure"])


def _half_sum(place: pl.DataFrame, parts: pl.DataFrame, figure: list[str]) -> pl.Series:
    margins = (
        parts.sort("pair", *figure)
        .group_by("pair", *figure, maintain_order=True)
        .agg(pl.col("coefficient").sum(), pl.col("rounding_unit").first())
        .group_by("pair", maintain_order=True)
        # Not known of one figure, not known of the difference: a missing unit is no unit of 0.
        .agg(
            margin=pl.when(pl.col("rounding_unit").is_not_null().all()).then(
                0.5 * (pl.col("coefficient").abs() * pl.col("rounding_unit")).sum()
            )
        )
    )
    return place.join(margins, "pair", how="left", maintain_order="left")["margin"]


def _with_overlap(pairs: pl.DataFrame, shares: pl.DataFrame, roles: RegionRoles) -> pl.DataFrame:
    """Add `share`: the weight of the region within the comparator where it is part of it, else 0.

    Where a weight is not known the two count as independent, which never makes an interval narrower.
    """
    key = ["indicator_id", "reference_period"]
    weights = _weights(shares, roles)
    part_of = pl.col("comparator_code").is_in([roles.region, roles.country])
    return (
        pairs.join(weights, [*key, "region_code"], how="left", maintain_order="left")
        .join(
            weights.rename({"region_code": "comparator_code", "weight": "comparator_weight"}),
            [*key, "comparator_code"],
            how="left",
            maintain_order="left",
        )
        .with_columns(share=pl.when(part_of).then(pl.col("weight") / pl.col("comparator_weight")).fill_null(0.0))
        .drop("weight", "comparator_weight")
    )


def _relative_to_country(
    pairs: pl.DataFrame, figures: pl.DataFrame, shares: pl.DataFrame, roles: RegionRoles
) -> pl.DataFrame:
    """The same pairs with values as percentages above or below the country, and their rounding margin.

    Counts are left out. R follows from the derivative of 100 (x / n - 1): each published figure's coefficient is its
    share in x times 100 / n, and the country's is 100 x / n^2; a revision margin follows in the same way.
    """
    # By measurement year: a figure that is carried forward says so in the years after it was new, and only there.
    in_year = ["measurement_year", "indicator_id", "breakdown"]
    country = figures.filter(region_code=roles.country).unique(in_year, keep="first", maintain_order=True)
    country = country.select(
        *in_year,
        country="value",
        country_kind="kind",
        country_series="series_id",
        country_status="status",
        country_ci_low="ci_low",
        country_ci_high="ci_high",
        country_unit="rounding_unit",
        country_warnings="warnings",
        country_revision_margin="revision_margin",
    )
    units = _units(figures, shares)
    known_method = pl.col("comparable").fill_null(value=True) & pl.col("other_comparable").fill_null(value=True)
    relative = pairs.filter((pl.col("region_code") != roles.country) & ~pl.col("is_count") & known_method)
    same_period = pl.col("reference_period") == pl.col("other_reference_period")
    margin = pl.lit(0.0)
    for prefix, year in (("", "measurement_year"), ("other_", "baseline_year")):
        relative = relative.join(
            country.rename({name: f"{prefix}{name}" for name in country.columns if name.startswith("country")}),
            left_on=[year, "indicator_id", "breakdown"],
            right_on=in_year,
            how="left",
            maintain_order="left",
        ).join(
            units.rename({"rounding_unit": f"{prefix}rounding_unit"}),
            left_on=["indicator_id", f"{prefix}reference_period", "region_code"],
            right_on=["indicator_id", "reference_period", "region_code"],
            how="left",
            maintain_order="left",
        )
        x, n = pl.col(f"{prefix}value"), pl.col(f"{prefix}country")
        margin = margin + 50 / n * (pl.col(f"{prefix}rounding_unit") + x / n * pl.col(f"{prefix}country_unit"))
    return relative.with_columns(
        *(column for prefix in ("", "other_") for column in _relative_side(prefix)),
        quantity=pl.lit("relative_to_nl"),
        nominal=pl.lit(value=False),
        min_relevant_difference=pl.lit(None, dtype=pl.Float64),
        rounding_margin=pl.when(same_period).then(0.0).otherwise(margin),
    )


def _once(figures: pl.DataFrame) -> pl.DataFrame:
    """Each figure once: one that is carried forward stands in several measurement years."""
    key = ["indicator_id", "reference_period", "region_code"]
    return figures.unique(key, keep="first", maintain_order=True)


def _relative_side(prefix: str) -> list[pl.Expr]:
    """One side relative to the country; it is as weak as the weaker of the two figures it is made of."""
    own = {name: pl.col(f"{prefix}{name}") for name in ("value", "kind", "status", "series_id", "warnings")}
    country = pl.col(f"{prefix}country")
    other_kind, other_status = pl.col(f"{prefix}country_kind"), pl.col(f"{prefix}country_status")
    weaker_kind = pl.when(own["kind"] == "register").then(other_kind).otherwise(own["kind"])
    weaker_status = (
        pl.when((own["status"] == "estimated") | (other_status == "estimated"))
        .then(pl.lit("estimated"))
        .when((own["status"] == "provisional") | (other_status == "provisional"))
        .then(pl.lit("provisional"))
        .otherwise(own["status"])
    )
    return [
        pl.when(own["series_id"] == pl.col(f"{prefix}country_series"))
        .then(100 * (own["value"] / country - 1))
        .alias(f"{prefix}value"),
        weaker_kind.alias(f"{prefix}kind"),
        weaker_status.alias(f"{prefix}status"),
        (100 * (own["value"] / country - 1) - _relative_margin(prefix, "low", "high")).alias(f"{prefix}ci_low"),
        (100 * (own["value"] / country - 1) + _relative_margin(prefix, "high", "low")).alias(f"{prefix}ci_high"),
        _relative_revision(prefix).alias(f"{prefix}revision_margin"),
        warn.unite(own["warnings"], pl.col(f"{prefix}country_warnings")).alias(f"{prefix}warnings"),
    ]


def _relative_margin(prefix: str, own: str, opposite: str) -> pl.Expr:
    """How far a relative value may be off on one side by sampling: two independent figures, to first order.

    NULL where one of the two is sampled and has no margin. Registers have no sampling error.
    """

    def width(figure: str, value: str, side: str) -> pl.Expr:
        distance = (pl.col(f"{prefix}{value}") - pl.col(f"{prefix}{figure}ci_{side}")).abs()
        return pl.when(pl.col(f"{prefix}{figure}kind") == "register").then(0.0).otherwise(distance)

    x, n = pl.col(f"{prefix}value"), pl.col(f"{prefix}country")
    return 100 / n * (width("", "value", own).pow(2) + (x / n * width("country_", "country", opposite)).pow(2)).sqrt()


def _relative_revision(prefix: str) -> pl.Expr:
    """How far a relative value may be revised: NULL where one of its two figures may be, and nobody says how far."""

    def of(figure: str) -> pl.Expr:
        provisional = pl.col(f"{prefix}{figure}status") == "provisional"
        return pl.when(provisional).then(pl.col(f"{prefix}{figure}revision_margin")).otherwise(0.0)

    x, n = pl.col(f"{prefix}value"), pl.col(f"{prefix}country")
    return 100 / n * (of("") + x / n * of("country_"))
