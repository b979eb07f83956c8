"""The programme that the measurement serves: results, money, milestones, lessons, and what its report still needs."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import polars as pl

from assets.core import REGION
from assets.raw import record_input_check
from assets.tables import CATALOGUE, described, measures
from assets.workspace import Workspace
from catalog import frames
from catalog.programme_model import Programme
from methods import programme as progress
from reports.claims.causes import causal_sentences
from sources.errors import InputError
from sources.register import Registers, bundled_registers, empty_frames
from sources.register.store import stored_registers

TABLES = [
    *("programme_line", "target", "target_progress", "policy_indicator", "budget_progress", "project", "milestone"),
    *("lesson", "programme_text", "deadline", "report_requirement"),
]
_INPUT_CHECK = (
    "programme_register",
    "register_is_valid",
    "every register of a bureau complete, within the programme and in keeping with the others",
)


@dg.multi_asset(
    name="programme_results",
    outs={name: dg.AssetOut(group_name="programme", **described(CATALOGUE.registry[name])) for name in TABLES},
    ins={"indicator_value": dg.AssetIn("indicator_value", partition_mapping=dg.AllPartitionMapping())},
)
def programme_results(
    context: dg.AssetExecutionContext,
    workspace: Workspace,
    indicator_value: pl.DataFrame,
    survey_estimate: pl.DataFrame,
) -> Iterator[dg.Output[pl.DataFrame]]:
    """All tables of the programme, from the registers of its bureaus; empty for a region that has none."""
    programme = CATALOGUE.programme
    made: dict[str, pl.DataFrame] = {}
    if programme is not None:
        registers = _registers(workspace, programme)
        context.log.info("read the registers of %d bureaus", registers.frames["bureau"].height)
        made = _tables(programme, registers, indicator_value, survey_estimate)
    for name in TABLES:
        table = CATALOGUE.registry[name]
        frame = made.get(name)
        empty = frame is None or frame.is_empty()
        conformed = pl.DataFrame(schema=table.polars_schema) if empty else table.conform(frame)  # type: ignore[arg-type]
        yield dg.Output(conformed, output_name=name, metadata=dict(measures(conformed)))


def _registers(workspace: Workspace, programme: Programme) -> Registers:
    """What bureaus stated: in a demo the invented registers, else those that were added to the data root."""
    try:
        if workspace.demo:
            found = bundled_registers(programme, REGION.municipalities)
        elif workspace.snapshots is not None:
            found = stored_registers(workspace.snapshots, programme, REGION.municipalities)
        else:
            found = Registers(empty_frames())
    except InputError as error:
        record_input_check(workspace, *_INPUT_CHECK, passed=False, message=str(error))
        raise
    message = f"{found.frames['bureau'].height} registers read and accepted."
    record_input_check(workspace, *_INPUT_CHECK, passed=True, message=message)
    return found


def _tables(
    programme: Programme, registers: Registers, indicator_value: pl.DataFrame, survey_estimate: pl.DataFrame
) -> dict[str, pl.DataFrame]:
    stated = registers.frames
    years = [year for year in programme.report_years if year <= REGION.last_measurement_year]
    policy, tests = progress.policy_indicators(programme, _measurements(programme, registers, survey_estimate), years)
    texts = _with_remarks(stated["text"], ["text"])
    lessons = _with_remarks(stated["lesson"], ["assumed", "observed", "consequence"])
    said = ["line_id", "year", "part", "causal_sentences"]
    all_texts = pl.concat([texts.select(said), lessons.with_columns(part=pl.lit("lesson")).select(said)])
    return {
        "programme_line": frames.programme_lines(programme),
        "target": frames.targets(programme).join(_baselines(programme, stated, policy), "target_id", how="left"),
        "target_progress": progress.target_progress(programme, stated, tests, years),
        "policy_indicator": policy,
        "budget_progress": progress.budget_progress(programme, stated, years),
        "project": _of_bureau(stated["project"], stated["bureau"]),
        "milestone": progress.milestones(stated),
        "lesson": _of_bureau(lessons, stated["bureau"]),
        "programme_text": _of_bureau(texts, stated["bureau"]),
        "deadline": frames.deadlines(programme),
        "report_requirement": progress.report_requirements(
            programme, stated, all_texts, _measured_years(indicator_value), years
        ),
    }


def _measurements(programme: Programme, registers: Registers, survey_estimate: pl.DataFrame) -> pl.DataFrame:
    """Every estimate of a result that is read from a sample: of the registers, and of our own survey."""
    delivered = registers.frames["measurement"].join(
        registers.frames["bureau"].select("bureau", "synthetic"), "bureau", how="left"
    )
    columns = ["target_id", "wave", "value", "standard_error", "n", "about", "method", "source", "synthetic"]
    read = [
        survey_estimate.filter(
            pl.col("value").is_not_null() & pl.col("standard_error").is_not_null(),
            variable_id=reading.variable,
            region_code=reading.region_code,
            breakdown=reading.breakdown,
            statistic=reading.statistic,
        ).select(
            target_id=pl.lit(target.target_id),
            wave=pl.col("measurement_year").cast(pl.Int32),
            value="value",
            standard_error="standard_error",
            n=pl.col("n").cast(pl.Int64),
            about=pl.lit("named"),
            method=pl.lit("direct"),
            source="source_table",
            synthetic=pl.col("warnings").list.contains("synthetic"),
        )
        for target in programme.targets
        if target.measured and (reading := target.measured.survey)
    ]
    return pl.concat([delivered.select(columns), *read], how="vertical_relaxed")


def _baselines(programme: Programme, stated: dict[str, pl.DataFrame], policy: pl.DataFrame) -> pl.DataFrame:
    """The baseline of each result that has one: as the bureaus counted it, or the wave it is compared with."""
    synthetic = bool(stated["bureau"]["synthetic"].any())
    counted = progress.baselines_of_counts(programme, stated)
    rows: list[dict[str, Any]] = [
        {"target_id": target, "baseline_value": number, "baseline_date": day, "synthetic": synthetic}
        for target, (number, day) in counted.items()
    ]
    sampled = policy.sort("year").unique("target_id", keep="last", maintain_order=True) if policy.height else policy
    for row in sampled.iter_rows(named=True):
        value = row.get("baseline_estimate")
        rows.append(
            {
                "target_id": row["target_id"],
                "baseline_value": value,
                "baseline_date": str(row["baseline_wave"]),
                "synthetic": value is not None and row["synthetic"],
            }
        )
    schema = {
        "target_id": pl.String,
        "baseline_value": pl.Float64,
        "baseline_date": pl.String,
        "synthetic": pl.Boolean,
    }
    without = {target.target_id for target in programme.targets} - {row["target_id"] for row in rows}
    return pl.DataFrame([*rows, *({"target_id": name, "synthetic": False} for name in sorted(without))], schema=schema)


def _with_remarks(frame: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    """A frame of bureaus' texts with `causal_sentences`: those that name a cause; NULL where none does."""
    found = [" ".join(s for text in row for s in causal_sentences(text or "")) for row in frame.select(columns).rows()]
    return frame.with_columns(causal_sentences=pl.Series([text or None for text in found], dtype=pl.String))


def _of_bureau(frame: pl.DataFrame, bureau: pl.DataFrame) -> pl.DataFrame:
    """Rows with the day of their bureau's register, and whether it is invented; days as text."""
    joined = frame.join(bureau.select("bureau", "as_of", "synthetic"), "bureau", how="left", maintain_order="left")
    return joined.with_columns(pl.selectors.date().cast(pl.String))


def _measured_years(indicator_value: pl.DataFrame) -> list[int]:
    """The measurement years in which a headline indicator was measured anew: a carried figure is an older one."""
    headline = [indicator.indicator_id for indicator in CATALOGUE.headline_indicators]
    measured = indicator_value.filter(
        pl.col("indicator_id").is_in(headline),
        pl.col("value").is_not_null(),
        ~pl.col("warnings").list.contains("carried_forward"),
        region_code=REGION.region_code,
        breakdown="total",
    )
    return sorted(measured["measurement_year"].unique())
