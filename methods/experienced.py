"""From the answers of one wave to estimates: scores, weights that add up to the population, figures with margins.

Every figure of a wave, also those of groups, comes directly from the answers: a group's mean is that of its people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from catalog.survey_model import BREAKDOWNS, Calibration, GradeScale, SurveySettings, Trim, Wave
from methods.measure import RegionRoles
from methods.survey.calibration import (
    calibrated,
    margin_matrix,
    nonresponse_adjusted,
    post_stratified,
    raked,
    trimmed,
    weight_diagnostics,
)
from methods.survey.design import Mask, Survey
from methods.survey.domains import DomainMeans, domain_means, panel_covariance
from methods.survey.intervals import share_interval

MEAN, SHARE = "mean", "share"
_EQUALITY = 1e-9
# Columns of population margins beside `margin` and `population`, and what they are called in the answers.
_MARGIN_COLUMNS = {"municipality": "calibration_region", "sex": "sex", "age": "age", "education": "education"}


@dataclass(frozen=True)
class WaveEstimates:
    """What one wave says, before anything is suppressed; no row of it is about one person.

    estimates: variable_id, indicator_id (of its dimension), region_code, breakdown, statistic (`mean` 0-1, `share`
    0-100), value, ci_low, ci_high, standard_error, n, n_effective, degrees_of_freedom, numerator (satisfied
    respondents), population (sum of weights). contrasts: indicator_id, statistic, region_code, comparator_code,
    breakdown, standard_error, degrees_of_freedom. municipal: indicator_id, region_code, value, variance, n, n_effective
    of every municipality with answers, of means. shared: indicator_id, statistic, region_code, breakdown, covariance
    with the baseline, of which this wave is a panel. weights: one row of diagnostics.
    """

    estimates: pl.DataFrame
    contrasts: pl.DataFrame
    municipal: pl.DataFrame
    shared: pl.DataFrame
    weights: pl.DataFrame

    @classmethod
    def without_answers(cls, estimates: pl.DataFrame) -> WaveEstimates:
        """Estimates that somebody else made, of which nothing else is known."""
        texts = ("indicator_id", "statistic", "region_code", "comparator_code", "breakdown")
        numbers = ("standard_error", "degrees_of_freedom", "value", "variance", "n_effective", "covariance")
        nothing = pl.DataFrame(
            schema={**dict.fromkeys(texts, pl.String), **dict.fromkeys(numbers, pl.Float64), "n": pl.Int64}
        )
        return cls(
            estimates=estimates,
            contrasts=nothing.select(*texts, "standard_error", "degrees_of_freedom"),
            municipal=nothing.select("indicator_id", "region_code", "value", "variance", "n", "n_effective"),
            shared=nothing.select("indicator_id", "statistic", "region_code", "breakdown", "covariance"),
            weights=pl.DataFrame(),
        )


def grade(score: pl.Expr, scale: GradeScale) -> pl.Expr:
    """A score of 0-1 as a report grade."""
    return scale.lowest + (scale.highest - scale.lowest) * score


def score(grades: pl.Expr, scale: GradeScale) -> pl.Expr:
    """A report grade as a score of 0-1: the inverse of `grade`."""
    return (grades - scale.lowest) / (scale.highest - scale.lowest)


def with_dimensions(frame: pl.DataFrame, wave: Wave) -> pl.DataFrame:
    """Add each dimension of the wave: the mean score of its questions, NULL below `minimum_items` answers."""
    expressions = []
    for dimension in wave.dimensions:
        items = [item.item for item in dimension.items]
        answered = pl.sum_horizontal(pl.col(items).is_not_null().cast(pl.Int32))
        expressions.append(
            pl.when(answered >= dimension.minimum_items).then(pl.mean_horizontal(items)).alias(dimension.indicator)
        )
    return frame.with_columns(expressions)


def weighted_sample(
    frame: pl.DataFrame, wave: Wave, settings: SurveySettings, margins: Mapping[str, pl.DataFrame]
) -> Survey:
    """The people who answered, weighted to the population; `margins`: by name the columns of `by` and population.

    `frame` has the columns of the answers (sources.survey). Scores are there twice: as `x` and, 0 or 1, as `x|share`.
    Raises SurveyError and CalibrationError.
    """
    if wave.columns is None or wave.calibration is None:
        raise ValueError(f"wave {wave.wave_id} has no rows of respondents")
    scored = with_dimensions(frame, wave)
    variables = [name for name, _ in variables_of(wave)]
    threshold = settings.satisfied_from - _EQUALITY  # a mean of scores may miss it by the last digit
    satisfied = (pl.col(variables) >= threshold).cast(pl.Float64).name.suffix(f"|{SHARE}")
    status = pl.when("responded").then(pl.lit("yes")).otherwise(pl.lit("no"))
    survey = Survey.of(
        scored.with_columns(satisfied, status=status),
        weight="weight",
        stratum="stratum",
        population_size="population_size" if wave.columns.population_size else None,
    )
    if wave.response is not None:
        classes = [_MARGIN_COLUMNS[name] for name in wave.response.classes]
        survey = nonresponse_adjusted(survey, "status", ["yes"], ["no"], classes)
    return _calibrated(survey, wave.calibration, margins)


def variables_of(wave: Wave) -> list[tuple[str, str]]:
    """The dimensions and questions of a wave, each with the indicator of its dimension."""
    dimensions = [(dimension.indicator, dimension.indicator) for dimension in wave.dimensions]
    return dimensions + [(item.item, dimension.indicator) for dimension in wave.dimensions for item in dimension.items]


def _calibrated(survey: Survey, calibration: Calibration, margins: Mapping[str, pl.DataFrame]) -> Survey:
    """The sample with weights that meet the population margins, by the method of the wave."""
    cells = [_with_cells(survey, margin) for margin in margins.values()]
    names = [f"margin {name}" for name in margins]
    columns = [of_rows.alias(name) for name, (of_rows, _) in zip(names, cells, strict=True)]
    survey = replace(survey, frame=survey.frame.with_columns(columns))
    totals = [
        population.rename({"cell": name, "population": "total"})
        for name, (_, population) in zip(names, cells, strict=True)
    ]

    def adjust(sample: Survey) -> Survey:
        if calibration.method == "poststratification":
            return post_stratified(sample, names, totals[0])
        if calibration.method == "raking":
            return raked(sample, totals)
        matrix, sums = margin_matrix(sample, totals)
        return calibrated(sample, matrix, sums, method=calibration.method, bounds=calibration.bounds)

    survey = adjust(survey)
    return adjust(_trimmed(survey, calibration.trim)) if calibration.trim else survey


def _trimmed(survey: Survey, trim: Trim) -> Survey:
    """The sample without extreme weights: none further from the median of its own municipality (or of the rest of the
    country, whose respondents stand for many more people) than the wave allows.
    """
    weights = survey.frame.select("calibration_region", weight=pl.Series(survey.weights))
    median = weights.select(pl.col("weight").median().over("calibration_region")).to_series().to_numpy()
    relative = trimmed(replace(survey, weights=survey.weights / median), trim.lowest or None, trim.highest)
    return replace(relative, weights=relative.weights * median)


def _with_cells(survey: Survey, margin: pl.DataFrame) -> tuple[pl.Series, pl.DataFrame]:
    """The cell of every respondent in a margin, and the population of every cell: cell, population.

    Who gave no age, sex or education is in a cell `unknown` of the own region. How many of the population would be is
    taken from the sample; the others of that region share the rest.
    """
    by = [name for name in margin.columns if name != "population"]
    regional = "municipality" in by
    region = pl.col("municipality") if regional else pl.lit("all")
    codes = [name for name in by if name != "municipality"]
    sample = survey.frame.select(
        municipality="calibration_region", **{name: pl.col(name) for name in codes}, weight=pl.Series(survey.weights)
    )
    known = pl.all_horizontal(pl.col(codes).is_not_null()) if codes else pl.lit(value=True)
    of_rows = sample.select(
        region=region, cell=pl.when(known).then(pl.concat_str([region, *codes], separator=";")), weight="weight"
    )
    unknown = of_rows.group_by("region", maintain_order=True).agg(
        unknown=pl.col("weight").filter(pl.col("cell").is_null()).sum() / pl.col("weight").sum()
    )
    cells = (
        margin.select(region=region, cell=pl.concat_str([region, *codes], separator=";"), population="population")
        # Of regions with respondents: a wave of the region alone needs no one from the rest of the country.
        .join(unknown, "region", how="inner", maintain_order="left")
        .with_columns(population=pl.col("population") * (1 - pl.col("unknown")), all=pl.col("population"))
    )
    rest = (
        cells.group_by("region", maintain_order=True)
        .agg(population=(pl.col("all") * pl.col("unknown")).sum())
        .filter(pl.col("population") > 0)
        .select(cell=pl.format("{};unknown", "region"), population="population")
    )
    filled = of_rows.select(pl.coalesce("cell", pl.format("{};unknown", "region"))).to_series()
    return filled, pl.concat([cells.select("cell", "population"), rest])


def estimate_wave(
    survey: Survey,
    wave: Wave,
    settings: SurveySettings,
    roles: RegionRoles,
    groups: Mapping[str, Sequence[str]],
    pairs: Sequence[tuple[str, str]],
    earlier: Survey | None = None,
) -> WaveEstimates:
    """All figures of a wave from its weighted sample, by region and by age, sex and education.

    `groups`: the region and its groups with their municipalities. `pairs`: regions that are compared. `earlier`: the
    sample of the baseline, where this wave asked people of it again.
    """
    blocks = _blocks(survey, settings, roles, groups)
    variables = variables_of(wave)
    names = [name for name, _ in variables]
    columns = [*names, *(f"{name}|{SHARE}" for name in names)]
    means = domain_means(survey, columns, blocks)
    dimensions = [dimension.indicator for dimension in wave.dimensions]
    return WaveEstimates(
        estimates=_as_estimates(means.table, dict(variables)),
        contrasts=_contrasts(means, dimensions, pairs),
        municipal=_municipal(survey, dimensions),
        shared=_shared(means, dimensions, earlier, settings, roles, groups),
        weights=_diagnostics(survey, np.isin(survey.frame["region_code"].to_numpy(), list(groups[roles.region]))),
    )


def _blocks(
    survey: Survey, settings: SurveySettings, roles: RegionRoles, groups: Mapping[str, Sequence[str]]
) -> dict[str, dict[str, Mask]]:
    """The regions, for everyone and for every age, sex and education; those of the country where it was asked too.

    A variant of a group is there for everyone only: with every age of it much more of its municipalities would have to
    be hidden.
    """
    municipality = survey.frame["region_code"].to_numpy()
    regions = {code: municipality == code for code in roles.municipalities}
    regions |= {group: np.isin(municipality, list(members)) for group, members in groups.items()}
    inside = regions[roles.region]
    if not inside.all():
        regions |= {roles.rest: ~inside, roles.country: np.ones(survey.n, dtype=bool)}
    categories = [
        (f"{name}={code}", (survey.frame[name] == code).fill_null(value=False).to_numpy())
        for name in BREAKDOWNS
        for code in settings.breakdowns.get(name, {})
    ]
    return {"total": regions} | {
        label: {region: mask & members for region, mask in regions.items() if region not in roles.variants}
        for label, members in categories
    }


def _as_estimates(table: pl.DataFrame, dimension_of: Mapping[str, str]) -> pl.DataFrame:
    """The table of domain means as estimates with intervals, shares in percent."""
    parts = pl.col("variable").str.split_exact("|", 1)
    statistic = parts.struct.field("field_1").fill_null(MEAN)
    split = table.with_columns(variable_id=parts.struct.field("field_0"), statistic=statistic)
    shares = split.filter(statistic=SHARE)
    value, error, freedom, n = (
        shares[name].cast(pl.Float64).fill_null(float("nan")).to_numpy()
        for name in ("estimate", "standard_error", "degrees_of_freedom", "n")
    )
    low, high = share_interval(value, error, freedom, n, "beta")
    of_shares = shares.with_columns(
        ci_low=pl.Series(100 * low, nan_to_null=True),
        ci_high=pl.Series(100 * high, nan_to_null=True),
        estimate=100 * pl.col("estimate"),
        standard_error=100 * pl.col("standard_error"),
    )
    return pl.concat([_with_t_interval(split.filter(statistic=MEAN)), of_shares], how="diagonal").select(
        "variable_id",
        pl.col("variable_id").replace_strict(dimension_of).alias("indicator_id"),
        *("statistic", "n", "n_effective", "standard_error", "ci_low", "ci_high", "numerator"),
        region_code="domain",
        breakdown="block",
        value="estimate",
        degrees_of_freedom=pl.col("degrees_of_freedom").cast(pl.Float64),
        population="sum_of_weights",
    )


def _with_t_interval(means: pl.DataFrame) -> pl.DataFrame:
    """Means with their interval by Student's t."""
    from scipy.special import stdtrit  # heavy: only where something is estimated

    freedom = means["degrees_of_freedom"].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    with np.errstate(invalid="ignore"):
        width = pl.Series(stdtrit(np.where(freedom > 0, freedom, np.nan), 0.975), nan_to_null=True)
    margin = pl.col("standard_error") * width
    return means.with_columns(ci_low=pl.col("estimate") - margin, ci_high=pl.col("estimate") + margin)


def _contrasts(means: DomainMeans, dimensions: Sequence[str], pairs: Sequence[tuple[str, str]]) -> pl.DataFrame:
    """The standard error of the difference of every pair of regions, with their covariance.

    Degrees of freedom are those of the people in either region who have a value.
    """
    frames = []
    for block, domains in means.blocks.items():
        codes = {code: place for place, code in enumerate(domains)}
        known = [(first, second) for first, second in pairs if first in codes and second in codes]
        one, other = (np.array([codes[pair[side]] for pair in known], dtype=np.intp) for side in (0, 1))
        members = np.column_stack(list(domains.values()))
        for indicator in dimensions:
            freedom = _joint_freedom(means.survey, members & ~np.isnan(means.survey.values(indicator))[:, None])
            for statistic, variable, unit in ((MEAN, indicator, 1.0), (SHARE, f"{indicator}|{SHARE}", 100.0)):
                covariance = means.covariance(variable, block)
                variance = np.diag(covariance)
                together = variance[one] + variance[other]
                difference = together - 2 * covariance[one, other]
                # Where everybody answers alike there is no variance but the noise of the machine's numbers.
                known_to_vary = difference > np.maximum(_EQUALITY * together, _EQUALITY**2)
                frames.append(
                    pl.DataFrame(
                        {
                            "region_code": [first for first, _ in known],
                            "comparator_code": [second for _, second in known],
                            # Without variance nothing is known of the difference: never that it is certain.
                            "standard_error": unit * np.sqrt(np.where(known_to_vary, difference, np.nan)),
                            "degrees_of_freedom": freedom[one, other],
                            "indicator_id": [indicator] * len(known),
                            "statistic": [statistic] * len(known),
                            "breakdown": [block] * len(known),
                        }
                    ).with_columns(pl.col("standard_error").fill_nan(None))
                )
    return pl.concat(frames)


def _joint_freedom(survey: Survey, members: Mask) -> np.ndarray:
    """Degrees of freedom (D, D) of two domains (n, D) together: people in either, less the strata they are in."""
    counted = members.astype(float)
    together = counted.T @ counted
    people = np.diag(together)[:, None] + np.diag(together)[None, :] - together
    in_strata = survey.strata[:, None] == np.arange(len(survey.stratum_names))
    present = (in_strata.T.astype(float) @ counted > 0).astype(float)
    strata = present.sum(axis=0)[:, None] + present.sum(axis=0)[None, :] - present.T @ present
    return np.asarray(people - strata)


def _diagnostics(survey: Survey, own: Mask) -> pl.DataFrame:
    """How uneven the weights of the region's own respondents are: those elsewhere stand for many more people."""
    found = weight_diagnostics(replace(survey, constraints=()).subset(own))
    row = {
        "respondents": found.n,
        # Rounded: the largest weight is one respondent's.
        "n_effective": round(found.effective_n),
        "weight_lowest": round(found.minimum),
        "weight_highest": round(found.maximum),
        "g_lowest": round(found.smallest_g, 1),
        "g_highest": round(found.largest_g, 1),
        "kish_design_effect": round(found.kish_design_effect, 2),
    }
    return pl.DataFrame([row])


def _municipal(survey: Survey, dimensions: Sequence[str]) -> pl.DataFrame:
    """Direct estimates of every municipality of the country that has answers, for the small-area model."""
    municipality = survey.frame["region_code"].to_numpy()
    regions = {str(code): municipality == code for code in np.unique(municipality)}
    return domain_means(survey, dimensions, {"total": regions}).table.select(
        *("n", "n_effective"),
        indicator_id="variable",
        region_code="domain",
        value="estimate",
        variance=pl.col("standard_error").pow(2),
    )


def _shared(
    means: DomainMeans,
    dimensions: Sequence[str],
    earlier: Survey | None,
    settings: SurveySettings,
    roles: RegionRoles,
    groups: Mapping[str, Sequence[str]],
) -> pl.DataFrame:
    """The covariance of every estimate with that of the baseline, where this wave is a panel of it."""
    schema = dict.fromkeys(("indicator_id", "statistic", "region_code", "breakdown"), pl.String)
    if earlier is None:
        return pl.DataFrame(schema=schema | {"covariance": pl.Float64})
    blocks = _blocks(earlier, settings, roles, groups)
    then = domain_means(earlier, [*dimensions, *(f"{name}|{SHARE}" for name in dimensions)], blocks)
    rows = []
    for indicator in dimensions:
        for statistic, variable, unit in ((MEAN, indicator, 1.0), (SHARE, f"{indicator}|{SHARE}", 100.0)):
            for block, domains in means.blocks.items():
                covariance = panel_covariance(then, means, "respondent", variable, block)
                rows += [
                    (
                        indicator,
                        statistic,
                        region,
                        block,
                        unit**2 * float(covariance[place, list(blocks[block]).index(region)]),
                    )
                    for place, region in enumerate(domains)
                    if region in blocks[block]
                ]
    return pl.DataFrame(rows, schema=schema | {"covariance": pl.Float64}, orient="row")
