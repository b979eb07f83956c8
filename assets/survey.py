"""The resident survey, from answers to published tables in one step: no row of a respondent is handed on.

Answers come from the private store (in the demo they are made up), are weighted and estimated; what small numbers would
give away is hidden before anything leaves this module.
"""

import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl

from assets.core import REGION, ROLES, reference_periods
from assets.raw import POPULATION, record_input_check
from assets.tables import CATALOGUE, described, measures
from assets.workspace import Workspace
from catalog import frames
from catalog.survey import differs_from_baseline, series
from catalog.survey_model import Margin, Wave
from catalog.waves import warnings_of
from methods.aggregate import choose_figures
from methods.compare import compared_pairs
from methods.disclosure import DisclosureError
from methods.experienced import MEAN, WaveEstimates, estimate_wave, weighted_sample
from methods.survey.design import Survey, SurveyError
from methods.survey_results import MeasuredWave, SurveyTables, survey_tables
from methods.verdict import Z_95
from sources.errors import IncompleteFile, InputError, MissingMunicipality
from sources.survey import Answers, check_waves
from sources.survey.confidential import confidential
from sources.survey.store import KEY, PrivateStore, WaveRefused, wave_sha256
from sources.survey.synthetic import synthetic_wave

TABLES = ["survey_wave", "survey_item", "survey_estimate", "survey_contrast", "small_area_estimate"]
SURVEY = CATALOGUE.survey
# The regions that are sums of others, each with its parts: small numbers could be worked out from them.
SUMS = REGION.own_groups | {ROLES.country: [ROLES.region, ROLES.rest]}
# The invented answers are the same in every run.
SEED = 2022
_INPUT_CHECK = ("survey", "survey_is_valid", "every wave complete, every answer valid, weights that add up")
_OLD_DESCRIPTION = "its description was changed after its answers were deleted; the figures are those of the old one."
_AS_INDEPENDENT = "margins of its changes are those of two samples apart, and so too wide."
# Weights that differ more than this make a sample worth less than half its size (Kish 1965).
HIGHEST_DESIGN_EFFECT = 2.0


@dataclass(frozen=True, repr=False)
class _Found:
    """A wave of this run: its estimates, what they were made from, and the answers' checksum."""

    wave: Wave
    estimates: WaveEstimates
    origin: str
    sha256: str
    finding: str | None = None


@dg.multi_asset(
    name="survey_results",
    outs={name: dg.AssetOut(group_name="measurement", **described(CATALOGUE.registry[name])) for name in TABLES},
)
def survey_results(
    context: dg.AssetExecutionContext, workspace: Workspace, observed_figures: pl.DataFrame
) -> Iterator[dg.Output[pl.DataFrame]]:
    """Every wave at hand, weighted, estimated, protected and compared."""
    try:
        with confidential(InputError, SurveyError, DisclosureError):
            found = _waves(workspace, observed_figures)
            tables = _tables(found, observed_figures, _earlier(workspace))
    except (InputError, SurveyError, DisclosureError) as error:
        hint = "" if isinstance(error, InputError) else " Correct the file of the wave, and add it with --replace."
        record_input_check(workspace, *_INPUT_CHECK, passed=False, message=f"{error}{hint}")
        raise
    workspace.write_checks("survey", [*_checks(found, tables), _retention_check(workspace)])
    context.log.info("measured %d waves of the survey", len(found))
    published = {
        "survey_wave": _wave_table(found),
        "survey_item": _item_table(found),
        "survey_estimate": tables.estimate if tables else None,
        "survey_contrast": tables.contrast if tables else None,
        "small_area_estimate": tables.small_area if tables else None,
    }
    for name, frame in published.items():
        table = CATALOGUE.registry[name]
        conformed = table.conform(frame) if frame is not None else pl.DataFrame(schema=table.polars_schema)
        yield dg.Output(conformed, output_name=name, metadata=dict(measures(conformed)))


def _waves(workspace: Workspace, figures: pl.DataFrame) -> list[_Found]:
    """The waves of this run, in order of year: the invented ones in a demo, else those in the data root."""
    waves = [wave for wave in SURVEY.waves.values() if wave.measurement_year in REGION.years]
    if workspace.demo:
        samples: dict[str, Survey] = {}
        return [_invented(wave, figures, samples) for wave in waves if wave.synthetic]
    if not workspace.data_folder:
        return []
    store = PrivateStore(Path(workspace.data_folder), os.environ.get(KEY))
    store.seal()  # what was kept before there was a key
    return _kept(store, [wave for wave in waves if not wave.synthetic], figures)


def _earlier(workspace: Workspace) -> pl.DataFrame | None:
    """survey_estimate of the final editions so far, each figure with the checksum of the answers it was made of."""
    estimates, waves = (workspace.published(CATALOGUE.registry[name]) for name in ("survey_estimate", "survey_wave"))
    if estimates is None or waves is None:
        return None
    return estimates.join(waves.select("edition", "source_table", answers="sha256"), ["edition", "source_table"])


def _invented(wave: Wave, figures: pl.DataFrame, samples: dict[str, Survey]) -> _Found:
    populations = _population(figures, wave.measurement_year)
    others = sorted(set(populations) - set(ROLES.municipalities))
    made = synthetic_wave(
        wave, SURVEY.settings, REGION.municipalities, others, populations, SEED, groups=REGION.own_groups
    )
    estimates = _estimate(wave, made.answers, made.margins, figures, samples)
    sha256 = hashlib.sha256(made.answers.write_csv().encode()).hexdigest()
    return _Found(wave, estimates, "rows", sha256)


def _kept(store: PrivateStore, waves: list[Wave], figures: pl.DataFrame) -> list[_Found]:
    """What the private store has of these waves: rows, the institute's tables, or the estimates made of the rows."""
    rows = {wave.wave_id: _answers(store, wave) for wave in waves if store.has_rows(wave.wave_id)}
    check_waves(list(rows.values()))
    found: list[_Found] = []
    samples: dict[str, Survey] = {}
    for wave in waves:
        if wave.wave_id in rows:
            record = store.record(wave.wave_id)
            sha256 = record.rows_sha256 if record else ""
            estimates = _estimate(wave, rows[wave.wave_id].frame, store.margins(wave.wave_id), figures, samples)
            finding, before = None, store.estimates(wave.wave_id)
            if (parent := _panel_of_baseline(wave)) is not None and parent not in samples:
                # The people of the baseline are gone; what both waves have in common may have been worked out before.
                if before is not None and before.fingerprint["rows"] == sha256:
                    estimates = replace(estimates, shared=before.frames["shared"])
                else:
                    finding = f"{wave.wave_id} is a panel of {parent}, whose answers are gone: {_AS_INDEPENDENT}"
            made_from = {"rows": sha256, "wave": wave_sha256(wave), "survey": SURVEY.sha256, "code": version("btg")}
            store.keep_estimates(wave.wave_id, vars(estimates), made_from)
            found.append(_Found(wave, estimates, "rows", sha256, finding))
        elif (stored := store.estimates(wave.wave_id)) is not None:
            changed = stored.fingerprint["wave"] != wave_sha256(wave)
            if wave.kind == "aggregates" and changed:
                raise _read_by_another_description(wave)
            if wave.kind == "aggregates":
                found.append(
                    _Found(wave, _of_aggregates(stored.frames["aggregates"]), "aggregates", stored.fingerprint["file"])
                )
            else:
                estimates = WaveEstimates(**stored.frames)
                finding = f"{wave.wave_id}: {_OLD_DESCRIPTION}" if changed else None
                found.append(_Found(wave, estimates, "stored_estimates", stored.fingerprint["rows"], finding))
    return found


def _answers(store: PrivateStore, wave: Wave) -> Answers:
    """The rows of a wave; raises WaveRefused where they were read by another description than that of now."""
    record = store.record(wave.wave_id)
    if record is None or record.wave_sha256 != wave_sha256(wave):
        raise _read_by_another_description(wave)
    return Answers(wave.wave_id, record.file_name, store.rows(wave.wave_id), wave.panel_of)


def _read_by_another_description(wave: Wave) -> WaveRefused:
    return WaveRefused(
        f"wave {wave.wave_id}",
        "a file that was read by the wave's present description; it was changed since",
        remedy=f"Add the file again: btg add FILE --wave {wave.wave_id} --replace",
    )


def _estimate(
    wave: Wave,
    answers: pl.DataFrame,
    delivered: pl.DataFrame | None,
    figures: pl.DataFrame,
    samples: dict[str, Survey],
) -> WaveEstimates:
    """Weight and estimate one wave; `samples` remembers the weighted samples, for panels."""
    margins = {
        margin.name: _official_margin(margin, figures, wave) if margin.official else _delivered(margin, delivered, wave)
        for margin in (wave.calibration.margins if wave.calibration else [])
    }
    if missing := sorted(set(ROLES.municipalities) - set(answers.filter("responded")["region_code"])):
        raise MissingMunicipality(
            f"wave {wave.wave_id}",
            f"respondents in every municipality of the region; none in {', '.join(missing)}",
            remedy="Without them the figures of the region would be those of its other municipalities.",
        )
    try:
        sample = weighted_sample(answers, wave, SURVEY.settings, margins)
    except SurveyError as error:
        raise type(error)(f"wave {wave.wave_id}: {error}") from error
    samples[wave.wave_id] = sample
    pairs = compared_pairs(ROLES, REGION.compared_contrasts)
    baseline = samples.get(_panel_of_baseline(wave) or "")
    return estimate_wave(sample, wave, SURVEY.settings, ROLES, REGION.own_groups, pairs, baseline)


def _panel_of_baseline(wave: Wave) -> str | None:
    """The baseline wave, where people of it were asked again in this one, directly or by way of other waves."""
    while wave.panel_of is not None:
        wave = SURVEY.waves[wave.panel_of]
        if wave.measurement_year == REGION.baseline_year:
            return wave.wave_id
    return None


def _delivered(margin: Margin, delivered: pl.DataFrame | None, wave: Wave) -> pl.DataFrame:
    """Population numbers that came with the wave."""
    found = delivered.filter(margin=margin.name) if delivered is not None else None
    if found is None or found.is_empty():
        raise IncompleteFile(
            f"wave {wave.wave_id}",
            f"the population numbers of the margin {margin.name}",
            remedy="Add them with the wave (docs/survey.md), or name official indicators in its file.",
        )
    return found.select(*margin.by, "population")


def _official_margin(margin: Margin, figures: pl.DataFrame, wave: Wave) -> pl.DataFrame:
    """Population numbers of the wave's year from official figures; outside the region all municipalities together."""
    by = [name for name in margin.by if name != "municipality"]
    cells = pl.DataFrame(
        [(indicator, *(cell.split(";") if by else [])) for cell, indicator in margin.official.items()],
        schema=["indicator_id", *by],
        orient="row",
    )
    own = pl.col("region_code").is_in(ROLES.municipalities)
    counted = (
        figures.filter(
            pl.col("region_code").str.starts_with("GM") & pl.col("value").is_not_null(),
            period=str(wave.measurement_year),
            breakdown="total",
        )
        .join(cells, "indicator_id")
        .unique(["indicator_id", "region_code"], keep="first", maintain_order=True)
        .with_columns(municipality=pl.when(own).then("region_code").otherwise(pl.lit(ROLES.rest)))
    )
    expected = cells.height * len(ROLES.municipalities)
    if counted.filter(own).height < expected:
        raise IncompleteFile(
            f"wave {wave.wave_id}",
            f"official population numbers of {wave.measurement_year} for the margin {margin.name}: "
            f"{expected} figures of the region's municipalities, found {counted.filter(own).height}",
            remedy="Fetch them: btg fetch cbs_population",
        )
    return counted.group_by(margin.by, maintain_order=True).agg(population=pl.col("value").sum()).sort(margin.by)


def _of_aggregates(table: pl.DataFrame) -> WaveEstimates:
    """Tables of the institute as estimates: a margin where they have one, and nothing else."""
    # The wider side: a bound may have been cut off at the end of the scale.
    margin = pl.max_horizontal(pl.col("ci_high") - pl.col("value"), pl.col("value") - pl.col("ci_low")) / Z_95
    own = pl.DataFrame({"region_code": ROLES.municipalities, "breakdown": "total"})
    promised = table.select("indicator_id").unique().join(own, how="cross")
    key = ["indicator_id", "region_code", "breakdown"]
    # A municipality that the institute leaves out was not published; so were scores it does not give.
    table = (
        table.join(promised, key, how="full", coalesce=True)
        .sort(key)
        .with_columns(n=pl.when(pl.col("value").is_not_null()).then("n"))
    )
    return WaveEstimates.without_answers(
        table.select(
            *("indicator_id", "region_code", "breakdown", "value", "ci_low", "ci_high", "n"),
            variable_id="indicator_id",
            statistic=pl.lit(MEAN),
            standard_error=margin,
            **dict.fromkeys(["n_effective", "degrees_of_freedom", "population"], pl.lit(None, dtype=pl.Float64)),
            numerator=pl.lit(None, dtype=pl.Int64),
        )
    )


def _population(figures: pl.DataFrame, year: int) -> dict[str, int]:
    """Inhabitants of every municipality in a year."""
    counted = figures.filter(
        pl.col("region_code").str.starts_with("GM") & (pl.col("value") > 0), indicator_id=POPULATION, period=str(year)
    ).unique("region_code", keep="first", maintain_order=True)
    return {code: int(value) for code, value in counted.select("region_code", "value").sort("region_code").iter_rows()}


def _tables(found: list[_Found], figures: pl.DataFrame, earlier: pl.DataFrame | None = None) -> SurveyTables | None:
    """The published tables of the waves; None without any. `earlier`: survey_estimate of the final editions."""
    if not found:
        return None
    of_series = series(SURVEY.waves.values())
    measured = [
        MeasuredWave(
            each.wave,
            each.estimates,
            {d.indicator: warnings_of(each.wave, SURVEY, d.indicator) for d in each.wave.dimensions},
            {d.indicator: of_series[each.wave.wave_id, d.indicator] for d in each.wave.dimensions},
            each.sha256,
        )
        for each in found
    ]
    years = [each.wave.measurement_year for each in found]
    covariates = _covariates(figures, years)
    with _silent():
        return survey_tables(measured, SURVEY.settings, ROLES, SUMS, covariates, REGION.baseline_year, earlier)


@contextmanager
def _silent() -> Iterator[None]:
    """Nothing on standard output meanwhile: HiGHS 1.12, the solver, now and then prints a line of its own there."""
    sys.stdout.flush()
    kept = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def _covariates(figures: pl.DataFrame, years: list[int]) -> dict[int, pl.DataFrame]:
    """By measurement year the covariates of the small-area model, of municipalities that have them all."""
    names = SURVEY.settings.small_areas.covariates
    references = reference_periods(figures).filter(pl.col("indicator_id").is_in(names))
    chosen = choose_figures(figures, references, frames.indicator_sources(CATALOGUE))
    of_year = references.join(chosen, ["indicator_id", "reference_period"]).filter(
        pl.col("region_code").str.starts_with("GM"), breakdown="total"
    )
    wide = of_year.pivot("indicator_id", index=["measurement_year", "region_code"], values="value").sort("region_code")
    if lacking := set(names) - set(wide.columns):
        wide = wide.with_columns(pl.lit(None, dtype=pl.Float64).alias(name) for name in sorted(lacking))
    return {
        year: wide.filter(measurement_year=year).select("region_code", *names).drop_nulls() for year in sorted(years)
    }


def _wave_table(found: list[_Found]) -> pl.DataFrame | None:
    """The published table survey_wave."""
    rows: list[dict[str, Any]] = []
    for each in found:
        wave = each.wave
        rows.append(
            {
                **{name: getattr(wave, name) for name in ("wave_id", "measurement_year", "source_table", "title")},
                **{name: getattr(wave, name) for name in ("mode", "participation", "synthetic")},
                "fieldwork_start": wave.fieldwork.start.isoformat(),
                "fieldwork_end": wave.fieldwork.end.isoformat(),
                "origin": each.origin,
                "calibration_method": wave.calibration.method if wave.calibration else None,
                "retention_until": wave.retention_until.isoformat() if wave.retention_until else None,
                "sha256": each.sha256,
                **(each.estimates.weights.row(0, named=True) if each.estimates.weights.height else {}),
            }
        )
    return pl.DataFrame(rows, infer_schema_length=None) if rows else None


def _item_table(found: list[_Found]) -> pl.DataFrame | None:
    """The published table survey_item."""
    of_series, differing = series(SURVEY.waves.values()), differs_from_baseline(SURVEY.waves.values())
    rows = [
        {
            "wave_id": each.wave.wave_id,
            "item_id": item.item,
            "indicator_id": dimension.indicator,
            "question_nl": item.question_nl,
            "answer_lowest": item.valid[0],
            "answer_highest": item.valid[1],
            "polarity": item.polarity,
            "series_id": of_series[each.wave.wave_id, dimension.indicator],
            "definition_differs": (each.wave.wave_id, dimension.indicator) in differing,
        }
        for each in found
        for dimension in each.wave.dimensions
        for item in dimension.items
    ]
    return pl.DataFrame(rows, infer_schema_length=None) if rows else None


def _checks(found: list[_Found], tables: SurveyTables | None) -> list[dict[str, Any]]:
    """What an analyst should know of the waves: weights, model estimates that could not be made, deleted rows."""
    deleted = [each.wave.wave_id for each in found if each.origin == "stored_estimates"]
    uneven = [
        f"{each.wave.wave_id}: weights make {row['respondents']} answers worth {row['n_effective']:.0f} "
        f"(design effect {row['kish_design_effect']:.2f}, factors {row['g_lowest']:.2f} to {row['g_highest']:.2f})"
        for each in found
        for row in each.estimates.weights.iter_rows(named=True)
        if row["kish_design_effect"] > HIGHEST_DESIGN_EFFECT
    ]
    return [
        _check("survey_is_valid", _INPUT_CHECK[2], [], f"{len(found)} waves read and accepted.", severity="error"),
        _check(
            "weights_are_even",
            f"no design effect of weights above {HIGHEST_DESIGN_EFFECT:g}",
            uneven,
            "The weights of no wave differ too much.",
        ),
        _check(
            "small_areas_modelled",
            "a model that fits, where a municipality has too few answers",
            tables.findings if tables else [],
            "\n".join(tables.models) if tables and tables.models else "No model was needed.",
        ),
        _check(
            "nothing_missed",
            "the answers of every panel and description at hand",
            [each.finding for each in found if each.finding],
            "No answers are gone that would be needed.",
        ),
        _check(
            "made_from_answers",
            "figures made from the answers themselves",
            [f"{name}: its answers were deleted; its figures are the stored estimates." for name in deleted],
            "No answers were deleted.",
        ),
    ]


def _retention_check(workspace: Workspace) -> dict[str, Any]:
    """Which answers are kept longer than they may be."""
    due = PrivateStore(Path(workspace.data_folder)).due(date.today()) if workspace.data_folder else []  # noqa: DTZ011
    return _check(
        "answers_within_retention",
        "no answers kept longer than they may be",
        [
            f"{r.wave_id}: its answers could be kept until {r.retention_until}. Delete them: btg forget --due"
            for r in due
        ],
        "No answers are kept longer than they may be.",
    )


def _check(
    check_id: str, expected: str, findings: list[str], otherwise: str, severity: str = "warning"
) -> dict[str, Any]:
    return {
        "check_id": check_id,
        "asset": "survey",
        "partition": "all",
        "severity": severity,
        "passed": not findings,
        "observed": str(len(findings)),
        "expected": expected,
        "rows_failed": len(findings),
        "message": "\n".join(findings) or otherwise,
    }
