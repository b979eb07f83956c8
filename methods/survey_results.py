"""From the estimates of all waves to what is published: protected, rounded, compared, modelled where few answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from catalog.survey_model import SurveySettings, Wave
from catalog.waves import SHARE_SUFFIX
from methods import warning_lists as warn
from methods.disclosure import Summary, protected, rounded
from methods.experienced import MEAN, SHARE, WaveEstimates, grade
from methods.measure import PRECISION, RegionRoles
from methods.small_area import SmallAreaError, benchmarked, fay_herriot, smoothed_variances
from methods.verdict import Z_95

# The rows of the figures that contrasts, changes and small areas are made of.
_CELL = ["measurement_year", "indicator_id", "region_code", "breakdown", "statistic"]
_TOTAL = "total"
# With fewer, the variance between municipalities is too uncertain for the margins that follow from it.
LEAST_FREEDOM = 10
# Beyond this many standard errors a municipality does not fit the model.
LARGEST_RESIDUAL = 5.0


@dataclass(frozen=True)
class MeasuredWave:
    """A wave, what it says, and what each of its figures must say: warnings and series by dimension.

    `answers` is the checksum of what it was made from.
    """

    wave: Wave
    found: WaveEstimates
    warnings: Mapping[str, Sequence[str]]
    series: Mapping[str, str]
    answers: str


@dataclass(frozen=True)
class SurveyTables:
    """The published tables survey_estimate, survey_contrast and small_area_estimate, and what an analyst should know.

    `models`: a sentence on each small-area model that was fitted; `findings`: those that were not, or fit badly.
    """

    estimate: pl.DataFrame
    contrast: pl.DataFrame
    small_area: pl.DataFrame
    protection: Summary
    models: list[str]
    findings: list[str]


def survey_tables(
    waves: Sequence[MeasuredWave],
    settings: SurveySettings,
    roles: RegionRoles,
    groups: Mapping[str, Sequence[str]],
    covariates: Mapping[int, pl.DataFrame],
    baseline_year: int,
    earlier: pl.DataFrame | None = None,
) -> SurveyTables:
    """What is published of these waves.

    `groups`: every region that is a sum of others, with its parts. `covariates`: by measurement year region_code and
    the covariates of the small-area model, for municipalities that have them all. `earlier`: survey_estimate of the
    editions that were published so far, with `edition` and `answers`.
    """
    if earlier is not None:
        earlier = earlier.rename({"variable_id": "variable"})
    every = pl.concat([_of_wave(measured) for measured in waves], how="diagonal_relaxed")
    answered = pl.col("n").max().over("variable_id", "measurement_year") > 0
    figures = every.filter(answered.fill_null(value=True))
    unanswered = every.join(figures, ["variable_id", "measurement_year"], how="anti")
    # A dimension is made of its questions: what is hidden of one could be worked out from the others.
    families = dict(figures.select("variable_id", "indicator_id").unique().iter_rows())
    protection = protected(
        figures.rename({"variable_id": "variable"}),
        groups,
        settings.disclosure,
        earlier=earlier,
        families=families,
        keep=["indicator_id", "source_table", "series_id"],
    )
    decimals = {MEAN: settings.decimals_mean, SHARE: settings.decimals_share}
    # Only now: of a hidden figure it would say that everybody answered alike.
    without_margin = pl.col("value").is_not_null() & pl.col("ci_low").is_null()
    visible = (
        rounded(protection.frame.drop("answers"), decimals)
        .rename({"variable": "variable_id"})
        .with_columns(warnings=warn.unite("warnings", warn.when(without_margin, "no_margin")))
    )
    models = [_small_areas(measured, visible, settings, roles, covariates) for measured in waves]
    return SurveyTables(
        estimate=_with_grades(visible, settings).with_columns(population=_people()),
        contrast=_as_published(
            pl.concat([_in_one_year(waves, visible), _over_time(waves, visible, figures, baseline_year)]), settings
        ),
        small_area=pl.concat([table for table, _, _ in models], how="diagonal"),
        protection=protection.summary,
        models=[sentence for _, sentences, _ in models for sentence in sentences],
        findings=[
            *_without_answers(unanswered),
            *_given_away(protection.summary),
            *(finding for _, _, findings in models for finding in findings),
        ],
    )


def _people() -> pl.Expr:
    """How many people a published figure stands for: what groups are made of follows from it."""
    return pl.when(pl.col("value").is_not_null()).then(10 * (pl.col("population") / 10).round()).cast(pl.Int64)


def _without_answers(unanswered: pl.DataFrame) -> list[str]:
    """The questions and dimensions that nobody answered: left out, so that they hide nothing else."""
    named = unanswered.select("measurement_year", "variable_id").unique().sort("measurement_year", "variable_id")
    return [
        f"{variable} {year}: nobody answered it, so it is left out. Was it asked? Are its missing codes right?"
        for year, variable in named.iter_rows()
    ]


def _given_away(summary: Summary) -> list[str]:
    """What earlier editions make of this one."""
    found = []
    if summary.few_people:
        found.append(
            f"{summary.few_people} figures are hidden because an edition has them of a few people more, less or other: "
            "the difference would be theirs. Keep to the file of that edition, or wait for the next wave."
        )
    if summary.already_published:
        found.append(
            f"{summary.already_published} hidden figures stand in an earlier edition: hiding them is too late."
        )
    return found


def observations_of(estimate: pl.DataFrame, small_area: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The figures of the dimensions as `observation`, and how precise each is (the key of observation and PRECISION).

    Where a model's estimate is used it stands instead of the direct figure, which stays in survey_estimate.
    """
    own = estimate.filter(pl.col("variable_id") == pl.col("indicator_id"))
    modelled = small_area.filter("used").select(
        "measurement_year",
        "indicator_id",
        "region_code",
        breakdown=pl.lit(_TOTAL),
        statistic=pl.lit(MEAN),
        **{f"model_{name}": name for name in ("value", "ci_low", "ci_high", "status", "warnings")},
        model_standard_error="root_mean_squared_error",
    )
    is_modelled = pl.col("model_value").is_not_null()
    joined = own.join(modelled, _CELL, how="left", maintain_order="left").with_columns(
        *(
            pl.when(is_modelled).then(f"model_{name}").otherwise(name).alias(name)
            for name in ("value", "ci_low", "ci_high", "status", "standard_error", "warnings")
        ),
        *(pl.when(~is_modelled).then(name).alias(name) for name in ("n_effective", "degrees_of_freedom")),
        indicator_id=_indicator_of_statistic(),
        period=pl.col("measurement_year").cast(pl.String),
    )
    key = ["indicator_id", "region_code", "period", "breakdown", "source_table"]
    return (
        joined.select(*key, "value", "ci_low", "ci_high", "n", "status", "warnings"),
        joined.select(*key, *PRECISION),
    )


def _indicator_of_statistic() -> pl.Expr:
    """The indicator a figure of a dimension is published as: that of its mean score, or of its share."""
    suffix = pl.when(pl.col("statistic") == SHARE).then(pl.lit(SHARE_SUFFIX)).otherwise(pl.lit(""))
    return pl.col("indicator_id") + suffix


def _of_wave(measured: MeasuredWave) -> pl.DataFrame:
    """A wave's estimates with year, table, series and warnings."""
    by_dimension = pl.DataFrame(
        {
            "indicator_id": list(measured.series),
            "series_id": list(measured.series.values()),
            "warnings": [sorted(measured.warnings[name]) for name in measured.series],
        },
        schema_overrides={"warnings": pl.List(pl.String)},
    )
    return measured.found.estimates.join(by_dimension, "indicator_id", maintain_order="left").with_columns(
        measurement_year=pl.lit(measured.wave.measurement_year, dtype=pl.Int32),
        source_table=pl.lit(measured.wave.source_table),
        status=pl.when(pl.col("value").is_null() & pl.col("n").is_null())
        .then(pl.lit("not_published"))
        .otherwise(pl.lit("definitive")),
        answers=pl.lit(measured.answers),
    )


def _with_grades(visible: pl.DataFrame, settings: SurveySettings) -> pl.DataFrame:
    """Mean scores as report grades too."""
    is_mean = pl.col("statistic") == MEAN
    names = {"value": "grade", "ci_low": "grade_ci_low", "ci_high": "grade_ci_high"}
    return visible.with_columns(
        # What lies beyond the decimals of a score is noise of the machine's numbers.
        pl.when(is_mean).then(grade(pl.col(name), settings.grade).round(settings.decimals_mean + 3)).alias(shown)
        for name, shown in names.items()
    )


def _in_one_year(waves: Sequence[MeasuredWave], visible: pl.DataFrame) -> pl.DataFrame:
    """Differences between two regions, of cells that are both published."""
    contrasts = [
        measured.found.contrasts.with_columns(
            measurement_year=pl.lit(measured.wave.measurement_year, dtype=pl.Int32),
            comparator_year=pl.lit(measured.wave.measurement_year, dtype=pl.Int32),
        )
        for measured in waves
    ]
    sides = _dimensions(visible)
    other = sides.rename({"region_code": "comparator_code", "value": "other_value", "warnings": "other_warnings"})
    return _differences(
        pl.concat(contrasts, how="diagonal")
        .join(sides, _CELL)
        .join(other, ["measurement_year", "indicator_id", "comparator_code", "breakdown", "statistic"])
    )


def _over_time(
    waves: Sequence[MeasuredWave], visible: pl.DataFrame, figures: pl.DataFrame, baseline_year: int
) -> pl.DataFrame:
    """Differences of a region since the baseline, of one series and of cells that are both published.

    Two samples drawn independently: the variances (of the unrounded `figures`) add up. A panel of the baseline, also by
    way of other waves: less twice their covariance.
    """
    columns = ["series_id", "standard_error", "degrees_of_freedom"]
    precise = figures.select(*_CELL, "variable_id", *columns)
    sides = _dimensions(visible.select(pl.exclude(columns)).join(precise, [*_CELL, "variable_id"]), *columns)
    then = sides.filter(measurement_year=baseline_year).drop("measurement_year")
    shared = pl.concat(
        [
            measured.found.shared.with_columns(measurement_year=pl.lit(measured.wave.measurement_year, dtype=pl.Int32))
            for measured in waves
        ]
    )
    pairs = (
        sides.filter(pl.col("measurement_year") > baseline_year)
        .join(
            then.rename({name: f"other_{name}" for name in ("value", "warnings", *columns)}),
            ["indicator_id", "region_code", "breakdown", "statistic"],
        )
        .filter(pl.col("series_id") == pl.col("other_series_id"))
        .join(shared, _CELL, how="left", maintain_order="left")
    )
    variance = (
        pl.col("standard_error").pow(2)
        + pl.col("other_standard_error").pow(2)
        - 2 * pl.col("covariance").fill_null(0.0)
    )
    return _differences(
        pairs.with_columns(
            comparator_code="region_code",
            comparator_year=pl.lit(baseline_year, dtype=pl.Int32),
            standard_error=pl.when(variance > 0).then(variance.clip(lower_bound=0.0).sqrt()),
            degrees_of_freedom=pl.col("degrees_of_freedom") + pl.col("other_degrees_of_freedom"),
        )
    )


def _as_published(contrasts: pl.DataFrame, settings: SurveySettings) -> pl.DataFrame:
    """Differences and their standard errors as precise as the figures they are of; the latter with a decimal more."""
    is_share = pl.col("indicator_id").str.ends_with(SHARE_SUFFIX)

    def to(name: str, more: int) -> pl.Expr:
        places = (settings.decimals_share + more, settings.decimals_mean + more)
        return pl.when(is_share).then(pl.col(name).round(places[0])).otherwise(pl.col(name).round(places[1]))

    rounded_contrasts = contrasts.with_columns(difference=to("difference", 0), standard_error=to("standard_error", 1))
    # An error that rounds to nothing would say that the difference is certain.
    return rounded_contrasts.filter(pl.col("standard_error") > 0).with_columns(
        minimal_detectable_difference=(settings.minimal_detectable_factor * pl.col("standard_error")).round(6)
    )


def _dimensions(visible: pl.DataFrame, *more: str) -> pl.DataFrame:
    """The published figures of dimensions that have a value."""
    own = visible.filter((pl.col("variable_id") == pl.col("indicator_id")) & pl.col("value").is_not_null())
    return own.select(*_CELL, "value", "warnings", *more)


def _differences(pairs: pl.DataFrame) -> pl.DataFrame:
    known = pairs.filter(pl.col("standard_error").is_not_null())
    return known.select(
        "measurement_year",
        *("region_code", "comparator_code", "comparator_year", "breakdown", "standard_error", "degrees_of_freedom"),
        indicator_id=_indicator_of_statistic(),
        difference=pl.col("value") - pl.col("other_value"),
        warnings=warn.unite("warnings", "other_warnings"),
    )


def _small_areas(
    measured: MeasuredWave,
    visible: pl.DataFrame,
    settings: SurveySettings,
    roles: RegionRoles,
    covariates: Mapping[int, pl.DataFrame],
) -> tuple[pl.DataFrame, list[str], list[str]]:
    """The model's estimates of every dimension of a wave, a sentence on each model, and what is wrong with them."""
    year = measured.wave.measurement_year
    of_wave = visible.filter(measurement_year=year, statistic=MEAN, breakdown=_TOTAL)
    population = measured.found.estimates.filter(breakdown=_TOTAL, statistic=MEAN).select(
        "population", "indicator_id", "variable_id", area="region_code"
    )
    tables: list[pl.DataFrame] = []
    models: list[str] = []
    findings: list[str] = []
    for dimension in measured.wave.dimensions:
        own = of_wave.filter(variable_id=dimension.indicator)
        answers = measured.found.municipal.filter(indicator_id=dimension.indicator)
        thin = own.filter(pl.col("region_code").is_in(roles.municipalities) & _is_thin(settings))
        if answers.is_empty() or thin.is_empty():
            continue
        try:
            weights = population.filter(variable_id=dimension.indicator).select("area", "population")
            table, diagnostics = _model(own, answers, weights, covariates[year], settings, roles)
        except SmallAreaError as error:
            findings.append(f"{measured.wave.wave_id}, {dimension.indicator}: no model estimates. {error}")
            continue
        tables.append(table)
        sentence = f"{measured.wave.wave_id}, {dimension.indicator}: {_said(diagnostics)}"
        models.append(sentence)
        if _fits_badly(diagnostics):
            findings.append(
                f"{sentence}. A municipality is far from what the model expects of it: look which one, and why."
            )
    return pl.concat([pl.DataFrame(schema=_SMALL_AREA), *tables]), models, findings


# The table of small areas, also where no model was needed.
_SMALL_AREA: dict[str, pl.DataType] = {
    "measurement_year": pl.Int32(),
    **dict.fromkeys(("indicator_id", "region_code"), pl.String()),
    **dict.fromkeys(("value", "ci_low", "ci_high", "root_mean_squared_error"), pl.Float64()),
    **dict.fromkeys(("direct_value", "direct_standard_error"), pl.Float64()),
    "n": pl.Int64(),
    "shrinkage": pl.Float64(),
    "used": pl.Boolean(),
    **dict.fromkeys(("covariates", "status"), pl.String()),
    "warnings": pl.List(pl.String()),
}


def _said(diagnostics: Mapping[str, Any]) -> str:
    gain = diagnostics["mean_cv_gain"]
    return (
        f"{diagnostics['areas']} municipalities, coefficient of variation {gain:.0f}% lower, "
        f"normality of residuals p = {diagnostics['normality_p']:.3f}, largest {diagnostics['largest_residual']:.1f}"
    )


def _fits_badly(diagnostics: Mapping[str, Any]) -> bool:
    # Not by their normality: of municipalities with a handful of answers, sampling errors are not normal.
    return bool(diagnostics["largest_residual"] > LARGEST_RESIDUAL)


def _is_thin(settings: SurveySettings) -> pl.Expr:
    """Too few answers for a direct figure, or so few that it is hidden."""
    return pl.col("n").is_null() | (pl.col("n") < settings.small_areas.direct_from)


def _model(
    own: pl.DataFrame,
    answers: pl.DataFrame,
    population: pl.DataFrame,
    covariates: pl.DataFrame,
    settings: SurveySettings,
    roles: RegionRoles,
) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Fay-Herriot estimates of the region's municipalities for one dimension, fitted on all of the country.

    A figure that is hidden does not enter the model: its municipality is estimated from the covariates alone, since
    from an estimate that leans on it and a published model it could be worked out.
    """
    model = settings.small_areas
    hidden = own.filter(pl.col("status") == "suppressed")["region_code"]
    areas = (
        covariates.join(answers, "region_code", how="left", maintain_order="left")
        .with_columns(
            pl.when(~pl.col("region_code").is_in(hidden.to_list())).then(name).alias(name)
            for name in ("value", "variance", "n", "n_effective")
        )
        .rename({"region_code": "area"})
    )
    smooth = smoothed_variances(areas, smooth_below=settings.disclosure.publish_from)
    direct = pl.when(pl.col("variance_smoothed").is_not_null()).then("value")
    fitted = fay_herriot(
        smooth.with_columns(value=direct),
        "value",
        "variance_smoothed",
        model.covariates,
        method=model.method,
        transformation=model.transformation,
        n_effective="n_effective" if model.transformation == "arcsin" else None,
    )
    if (freedom := fitted.diagnostics["degrees_of_freedom"]) < LEAST_FREEDOM:
        raise SmallAreaError(
            f"{freedom} degrees of freedom are left for the differences between municipalities, and at least "
            f"{LEAST_FREEDOM} are needed to trust the margins: a wave with a national sample has them."
        )
    region = own.filter(region_code=roles.region)["value"].item()
    estimates = fitted.estimates.filter(pl.col("area").is_in(roles.municipalities)).join(population, "area")
    benched = benchmarked(estimates, region, "population") if region is not None else estimates
    rmse = pl.col("rmse")
    table = (
        benched.join(
            own.select(
                "measurement_year",
                "indicator_id",
                "warnings",
                "n",
                "value",
                "standard_error",
                "status",
                area="region_code",
            ),
            "area",
        )
        .with_columns(
            value_of_model=pl.col("estimate").round(settings.decimals_mean),
            rmse=pl.col("mse").sqrt().round(settings.decimals_mean + 1),
        )
        .select(
            "measurement_year",
            "indicator_id",
            "n",
            region_code="area",
            value="value_of_model",
            ci_low=(pl.col("value_of_model") - Z_95 * rmse).clip(lower_bound=0.0).round(settings.decimals_mean),
            ci_high=(pl.col("value_of_model") + Z_95 * rmse).clip(upper_bound=1.0).round(settings.decimals_mean),
            root_mean_squared_error=rmse,
            direct_value="value",
            direct_standard_error="standard_error",
            shrinkage=pl.col("shrinkage").round(2),
            used=_is_thin(settings),
            covariates=pl.lit(";".join(model.covariates)),
            status=pl.lit("estimated"),
            warnings=warn.unite("warnings", warn.when(pl.lit(value=True), "model_based")),
        )
    )
    return table.select(list(_SMALL_AREA)), fitted.diagnostics
