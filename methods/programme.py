"""How far a programme is: its results, its money, and what its report still needs, at the end of each year.

`Registers` of the bureaus come as frames (see `sources.register`), the programme from the catalogue. What nobody stated
is NULL, with a reason; it is never taken for nought.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import polars as pl

from catalog.programme_model import REGIONAL, Measured, Programme, Target
from methods.noninferiority import NonInferiority, non_inferiority

TOTAL: Final = "TOTAL"
_MILLION: Final = 1_000_000
_CENT: Final = 0.005  # euros: less is rounding

Frames = Mapping[str, pl.DataFrame]
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Standing:
    """What bureaus stated on a line: until when, and whether it is invented."""

    as_of: date
    synthetic: bool


@dataclass(frozen=True)
class Tested:
    """A result that is read from a sample: the test, or the reason why there is none; and whether it is invented."""

    test: NonInferiority | None
    reason: str | None
    synthetic: bool


Tests = Mapping[tuple[int, str], Tested]


def standings(programme: Programme, registers: Frames) -> dict[str, Standing]:
    """Of each line, and each assignment, the earliest day up to which a register that reports on it is kept."""
    found: dict[str, Standing] = {}
    parents = {line.line_id: line.assignment for line in programme.lines}
    for row in registers["bureau"].iter_rows(named=True):
        lines = [line for line in row["line_ids"] if line in parents]
        for line in {*lines, *(parent for each in lines if (parent := parents[each]))}:
            as_of = min(row["as_of"], found[line].as_of) if line in found else row["as_of"]
            found[line] = Standing(as_of, row["synthetic"])
    return found


# --- results


def target_progress(programme: Programme, registers: Frames, tests: Tests, years: Iterable[int]) -> pl.DataFrame:
    """How far each intended result is at the end of each year: the table `target_progress`.

    `tests` are those of `policy_indicators`, by year and target.
    """
    known = standings(programme, registers)
    rows = [
        _progress(target, year, programme.end_of(year), known.get(target.line_id), registers["result"], tests)
        for year in years
        for target in programme.targets
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def _progress(
    target: Target,
    year: int,
    end: date,
    standing: Standing | None,
    results: pl.DataFrame,
    tests: Tests,
) -> dict[str, Any]:
    tested = tests.get((year, target.target_id))
    if tested or target.not_covered_nl is not None:
        standing = None  # no bureau counts it
    of_target = results.filter(target_id=target.target_id)
    counted = of_target.filter(pl.col("date") <= end)
    achieved, planned = _counted(counted, "achieved", target), _planned(of_target, end, target)
    evidence = counted.filter((pl.col("kind") == "achieved") & pl.col("evidence").is_not_null()).height
    if standing is not None and target.threshold is not None:
        achieved = achieved or 0.0  # a bureau that reports on the line and states no result has none
    status: str = "not_decidable"
    reason: str | None = "no_register"
    if target.not_covered_nl is not None:
        reason = "not_covered"
    elif tested is not None:
        status, reason = _status_of_test(tested)
    elif standing is not None and target.kind == "direction":
        status, reason = _status_of_direction(target, of_target, end, planned)
    elif standing is not None:
        status, reason = _status_of_count(target, achieved or 0.0, planned)
    # What was counted stays; all else is of a day that the register does not reach.
    if standing is not None and standing.as_of < end and (status != "reached" or target.is_level):
        status, reason = "not_decidable", "register_too_old"
    share = 100 * achieved / target.threshold if target.threshold and achieved is not None else None
    return {
        "year": year,
        "target_id": target.target_id,
        "achieved": achieved,
        "planned": planned,
        "share": share,
        "status": status,
        "reason": reason,
        "evidence_count": evidence,
        "line_id": target.line_id,
        "as_of": None if standing is None else min(standing.as_of, end).isoformat(),
        "synthetic": (standing or tested or Tested(None, None, synthetic=False)).synthetic,
    }


def _counted(results: pl.DataFrame, kind: str, target: Target) -> float | None:
    """What projects together stated of a result: of a level the newest of each, else everything added up."""
    of_kind = results.filter(kind=kind)
    if of_kind.is_empty():
        return None
    if target.is_level:
        of_kind = of_kind.sort("date").group_by("project_id", maintain_order=True).last()
    return float(of_kind["number"].sum())


def _planned(of_target: pl.DataFrame, end: date, target: Target) -> float | None:
    """What would have been counted by a day; None where the planning ends before that day and below the ambition."""
    planned = of_target.filter(kind="planned")
    known = _counted(planned.filter(pl.col("date") <= end), "planned", target)
    goes_on = planned.filter(pl.col("date") > end).height > 0
    reaches = target.threshold is not None and known is not None and known >= target.threshold
    of_this_year = planned.filter(pl.col("date").dt.year() == end.year).height > 0
    if known is None:
        return 0.0 if goes_on and not target.is_level else None
    return known if goes_on or reaches or of_this_year else None


def _status_of_count(target: Target, achieved: float, planned: float | None) -> tuple[str, str | None]:
    if target.threshold is not None and achieved >= target.threshold:
        return "reached", None
    if planned is None:
        return "not_decidable", "no_plan"
    if achieved == planned == 0:
        return "not_started", None
    return ("on_course" if achieved >= planned else "behind"), None


def _status_of_direction(
    target: Target, of_target: pl.DataFrame, end: date, planned: float | None
) -> tuple[str, str | None]:
    """The levels of the year beside the baseline, of projects that have both: others would change what is added."""
    of_year = of_target.filter(pl.col("date") <= end, pl.col("date").dt.year() == end.year)
    levels, baselines = (frame.filter(kind=kind) for frame, kind in ((of_year, "achieved"), (of_target, "baseline")))
    with_level, with_baseline = set(levels["project_id"]), set(baselines["project_id"])
    if not with_baseline or with_level - with_baseline:
        return "not_decidable", "no_baseline"
    if with_baseline - with_level:
        return "not_decidable", "no_count"
    achieved, baseline = _counted(levels, "achieved", target), _counted(baselines, "baseline", target)
    if achieved is None or baseline is None:
        return "not_decidable", "no_count"
    if target.wanted == "not_more":
        return ("reached" if achieved <= baseline else "behind"), None
    if achieved > baseline:
        return "reached", None
    return ("on_course" if planned is not None and achieved >= planned else "behind"), None


def _status_of_test(tested: Tested) -> tuple[str, str | None]:
    if tested.test is None:
        return "not_decidable", tested.reason
    outcome = tested.test.outcome
    return ("not_decidable", "uncertain") if outcome == "uncertain" else (outcome, None)


def baselines_of_counts(programme: Programme, registers: Frames) -> dict[str, tuple[float, str]]:
    """The baseline of each direction that bureaus count, with its newest day: target_id -> number, day."""
    found = {}
    for target in programme.targets:
        rows = registers["result"].filter(target_id=target.target_id, kind="baseline")
        number = _counted(rows, "baseline", target)
        if number is not None:
            found[target.target_id] = (number, rows["date"].max().isoformat())  # type: ignore[union-attr]
    return found


# --- results that are read from a sample


def policy_indicators(
    programme: Programme, measurements: pl.DataFrame, years: Iterable[int]
) -> tuple[pl.DataFrame, dict[tuple[int, str], Tested]]:
    """The table `policy_indicator`, and each test, or the reason why there is none, by year and target.

    `measurements` has a row a target, wave and way of measuring: target_id, wave, value, standard_error, n, about
    (`named` for the group and place that the result names, else `other`), method (`direct` or `model`), source,
    synthetic. Only direct estimates for the named group and place decide; of several of one wave the largest.
    """
    rows: Rows = []
    tests: dict[tuple[int, str], Tested] = {}
    for year in years:
        for target in programme.targets:
            if target.measured is not None:
                found = measurements.filter(pl.col("target_id") == target.target_id, pl.col("wave") <= year)
                row, test = _test(target.measured, found)
                tests[year, target.target_id] = test
                rows.append({"year": year, "target_id": target.target_id} | row)
    return pl.DataFrame(rows, infer_schema_length=None), tests


def _test(measured: Measured, found: pl.DataFrame) -> tuple[dict[str, Any], Tested]:
    fixed = {
        "baseline_wave": measured.baseline_wave,
        "margin": measured.margin,
        "indicator_id": measured.indicator,
        "about_nl": f"{measured.group_nl}, {measured.place_nl}",
        "about_en": f"{measured.group_en}, {measured.place_en}",
        "reason_nl": measured.reason_nl,
        "reason_en": measured.reason_en,
        "measured_by": measured.source_nl,
        "synthetic": False,
    }
    usable = found.filter(about="named", method="direct").sort("wave", "n")
    before = usable.filter(wave=measured.baseline_wave)
    after = usable.filter(pl.col("wave") > measured.baseline_wave)
    old, new = (frame.row(-1, named=True) if frame.height else None for frame in (before, after))
    row = fixed | _wave(old, "baseline_") | _wave(new, "")
    if new is not None:
        row |= {"measured_by": new["source"]}
    row |= {"synthetic": any(each["synthetic"] for each in (old, new) if each)}
    if old is None or new is None:
        why = _why_no_test(measured, found, usable, has_baseline=old is not None)
        return row, Tested(None, why, synthetic=row["synthetic"])
    error = (float(old["standard_error"]) ** 2 + float(new["standard_error"]) ** 2) ** 0.5
    test = non_inferiority(float(new["value"] - old["value"]), error, measured.margin, measured.polarity)
    row |= {
        "wave_change": test.change,
        "change_error": test.standard_error,
        "limit_low": test.limit_low,
        "limit_high": test.limit_high,
        "power": test.power,
        "margin_found": test.margin_found,
    }
    return row, Tested(test, None, synthetic=row["synthetic"])


def _wave(row: Mapping[str, Any] | None, prefix: str) -> dict[str, Any]:
    if row is None:
        return {}
    # The year of the baseline wave is fixed, whether it is there or not.
    year = {} if prefix else {"wave": row["wave"]}
    return year | {f"{prefix}estimate": row["value"], f"{prefix}n": row["n"]}


def _why_no_test(measured: Measured, found: pl.DataFrame, usable: pl.DataFrame, *, has_baseline: bool) -> str:
    if usable.height:
        return "no_new_wave" if has_baseline else "no_baseline_wave"
    if found.filter(about="named").height:
        return "modelled"
    return "other_place" if found.height or measured.indicator else "no_measurement"


# --- money


def budget_progress(programme: Programme, registers: Frames, years: Iterable[int]) -> pl.DataFrame:
    """Money by line, source of financing and year, in euros: the table `budget_progress`.

    Beside the sources of the register there are their sums: `public`, `in_kind`, `regional` and `total` (with the
    state), and over all lines TOTAL. A line of which no amount is stated up to a year has NULL, and so has a sum with
    such a part.
    """
    known = standings(programme, registers)
    rows = [row for year in years for row in _money_of_year(programme, registers, known, year)]
    return pl.DataFrame(rows, infer_schema_length=None)


_SUMS: Final[Mapping[str, Sequence[str]]] = {
    "state": ["state"],
    "regional": REGIONAL,
    "total": ["state", *REGIONAL],
    "public": ["public_money", "public_in_kind"],
    "in_kind": ["public_in_kind", "private_in_kind"],
    "public_money": ["public_money"],
    "public_in_kind": ["public_in_kind"],
    "private_in_kind": ["private_in_kind"],
    "additional_private": ["additional_private"],
}
_AMOUNTS: Final = ("committed", "paid", "forecast")


def _money_of_year(programme: Programme, registers: Frames, known: Mapping[str, Standing], year: int) -> Iterator[Any]:
    end = programme.end_of(year)
    agreement = programme.agreement_at(end)
    lines = [line.line_id for line in programme.lines]
    stated = {line: _stated(registers, line, end) for line in lines}
    received = _received(registers, end)
    synthetic = any(standing.synthetic for standing in known.values())
    amounts = {line: {name: _amount(stated[line].sources, parts) for name, parts in _SUMS.items()} for line in lines}
    amounts[TOTAL] = {name: _added([amounts[line][name] for line in lines]) for name in _SUMS}
    days = {line: stated[line].as_of for line in lines}
    days[TOTAL] = None if None in days.values() else min(day for day in days.values() if day is not None)
    for line, by_source in amounts.items():
        for source, figures in by_source.items():
            budget, kind = _budget(agreement.model_dump(), line, source)
            day = days[line]
            row = {
                "year": year,
                "line_id": line,
                "financing_source": source,
                "budget": budget,
                "budget_kind": kind,
                **figures,
                "share": 100 * figures["committed"] / budget if budget and figures["committed"] is not None else None,
                "received": received if (line, source) == (TOTAL, "state") else None,
                "agreement_id": agreement.agreement_id,
                "as_of": None if day is None else day.isoformat(),
                "synthetic": synthetic and day is not None,
            }
            yield row | {"warning": _money_warning(row, amounts, programme, received)}


@dataclass(frozen=True)
class _Stated:
    """The amounts of a line: source -> amount -> euros, and the earliest day they are of; none where one is lacking."""

    sources: Mapping[str, Mapping[str, float | None]] | None
    as_of: date | None


def unstated_projects(registers: Frames, line: str, end: date) -> list[str]:
    """The projects of a line that had begun and had not ended before this year, without an amount of this year."""
    running = registers["project"].filter(
        pl.col("line_id") == line,
        pl.col("starts") <= end,
        pl.col("ends").is_null() | (pl.col("ends") >= date(end.year, 1, 1)),
    )
    money = registers["money"].filter(pl.col("as_of") <= end, pl.col("as_of").dt.year() == end.year)
    return sorted(set(running["project_id"]) - set(money["project_id"]))


def _stated(registers: Frames, line: str, end: date) -> _Stated:
    """The newest amounts of each project of a line up to a day, added up."""
    projects = registers["project"].filter(line_id=line)["project_id"]
    money = registers["money"].filter(pl.col("as_of") <= end, pl.col("project_id").is_in(projects.implode()))
    if money.is_empty() or unstated_projects(registers, line, end):
        return _Stated(None, None)
    newest = money.sort("as_of").group_by("project_id", "financing_source", maintain_order=True).last()
    # A sum with a part that is not known is not known.
    whole = [pl.when(pl.col(name).is_not_null().all()).then(pl.col(name).sum()).alias(name) for name in _AMOUNTS]
    by_source = newest.group_by("financing_source", maintain_order=True).agg(whole)
    sources = {row["financing_source"]: {n: row[n] for n in _AMOUNTS} for row in by_source.iter_rows(named=True)}
    # Of projects that ended the last amounts stand for good.
    of_year = newest.filter(pl.col("as_of").dt.year() == end.year)["as_of"]
    day = of_year.min() if of_year.len() else newest["as_of"].max()
    return _Stated(sources, day if isinstance(day, date) else None)


def _received(registers: Frames, end: date) -> float | None:
    """The state contribution received up to a day; not known where a register that states it ends before."""
    received = registers["received"]
    late = registers["bureau"].filter(pl.col("bureau").is_in(received["bureau"].implode()), pl.col("as_of") < end)
    if received.is_empty() or late.height:
        return None
    return float(received.filter(pl.col("date") <= end)["amount"].sum())


def _amount(stated: Mapping[str, Mapping[str, float | None]] | None, parts: Sequence[str]) -> dict[str, float | None]:
    """The sum of these sources on a line; a source that a line with amounts does not have gives it nothing."""
    if stated is None:
        return dict.fromkeys(_AMOUNTS)
    return _added([stated.get(part, dict.fromkeys(_AMOUNTS, 0.0)) for part in parts])


def _added(parts: Sequence[Mapping[str, float | None]]) -> dict[str, float | None]:
    added: dict[str, float | None] = {}
    for name in _AMOUNTS:
        known = [part[name] for part in parts]
        added[name] = None if None in known else float(sum(amount for amount in known if amount is not None))
    return added


def _budget(agreement: dict[str, Any], line: str, source: str) -> tuple[float | None, str | None]:
    """What the agreement says, in euros, and whether it is a maximum or a minimum; the sum of both is neither."""
    kind = {"state": "maximum", "total": None}.get(source, "minimum")
    if line == TOTAL:
        named = agreement | {
            "state": agreement["total_state"],
            "regional": agreement["total_regional"],
            "public": agreement["public_money"] + agreement["public_in_kind"],
            "in_kind": agreement["public_in_kind"] + agreement["private_in_kind"],
            "total": agreement["total_state"] + agreement["total_regional"],
        }
        return round(named[source] * _MILLION, 2), kind
    of_line = next(entry for entry in agreement["budget"] if entry["line_id"] == line)
    of_line |= {"total": of_line["state"] + of_line["regional"]}
    return (round(of_line[source] * _MILLION, 2), kind) if source in of_line else (None, None)


def _money_warning(
    row: Mapping[str, Any], amounts: Mapping[str, Mapping[str, Any]], programme: Programme, received: float | None
) -> str | None:
    budget, line, source = row["budget"], row["line_id"], row["financing_source"]
    largest = max((row[name] for name in ("committed", "forecast") if row[name] is not None), default=None)
    if row["budget_kind"] == "maximum" and largest is not None and largest > budget + _CENT:
        return "above_maximum"
    if line == programme.overhead_line and source == "state":
        of = received if received is not None else amounts[TOTAL]["state"]["committed"]
        part = programme.overhead_percent / 100
        return "above_overhead" if of is not None and (row["committed"] or 0) > part * of + _CENT else None
    forecast = row["forecast"]
    if (line, source) == (TOTAL, "regional") and forecast is not None:
        of_state = amounts[TOTAL]["state"]["forecast"]
        if of_state is not None and forecast < of_state - _CENT:
            return "below_state"
    if row["budget_kind"] == "minimum" and forecast is not None and forecast < budget - _CENT:
        return "below_ambition" if source == "additional_private" else "below_minimum"
    return None


# --- milestones


def milestones(registers: Frames) -> pl.DataFrame:
    """The table `milestone`: reached, late or not due yet on the day of the bureau's register."""
    reached, late = pl.col("reached").is_not_null(), pl.col("planned") < pl.col("as_of")
    return (
        registers["milestone"]
        .join(registers["bureau"].select("bureau", "as_of", "synthetic"), "bureau", how="left")
        .select(
            "project_id",
            "milestone_id",
            "text",
            pl.col("planned").cast(pl.String).alias("planned_on"),
            pl.col("reached").cast(pl.String).alias("reached_on"),
            pl.when(reached)
            .then(pl.lit("reached"))
            .when(late)
            .then(pl.lit("late"))
            .otherwise(pl.lit("due"))
            .alias("status"),
            pl.col("as_of").cast(pl.String),
            "synthetic",
        )
    )


# --- what the report needs


def report_requirements(
    programme: Programme, registers: Frames, texts: pl.DataFrame, measured_years: Iterable[int], years: Iterable[int]
) -> pl.DataFrame:
    """What the report on each year needs (article 8), and whether it is there: the table `report_requirement`.

    `texts` are the bureaus' texts and lessons, with `causal_sentences`; `measured_years` those with figures of the
    measurement.
    """
    known, with_figures = standings(programme, registers), set(measured_years)
    rows: Rows = []
    for year in years:
        rows.append(_need(year, TOTAL, "measurement", [] if year in with_figures else [str(year)]))
        for line in [line.line_id for line in programme.lines]:
            rows += _needs_of_line(programme, registers, texts, known.get(line), line, year)
        # Results are also of an assignment, where its lines share them.
        for line in dict.fromkeys(target.line_id for target in programme.targets):
            rows += _needs_of_results(programme, registers["result"], line, year)
    return pl.DataFrame(rows, infer_schema_length=None)


def _need(year: int, line: str, requirement: str, lacking: Sequence[str]) -> dict[str, Any]:
    told = "; ".join(lacking) or None
    return {"year": year, "line_id": line, "requirement": requirement, "met": not lacking, "lacking": told}


def _needs_of_line(
    programme: Programme,
    registers: Frames,
    texts: pl.DataFrame,
    standing: Standing | None,
    line: str,
    year: int,
) -> Iterator[dict[str, Any]]:
    up_to_date = standing is not None and standing.as_of >= programme.end_of(year)
    yield _need(year, line, "register", [] if up_to_date else [line])
    projects = registers["project"].filter(line_id=line)["project_id"].to_list()
    lacking = unstated_projects(registers, line, programme.end_of(year)) if projects else [line]
    yield _need(year, line, "money", lacking)
    own = texts.filter(line_id=line, year=year)
    remarks = own.filter(pl.col("causal_sentences").is_not_null())
    yield _need(year, line, "no_remarks", sorted(set(remarks["part"])))
    if line == programme.overhead_line:
        return
    for part in ("progress", "planning"):
        yield _need(year, line, f"text_{part}", [] if own.filter(part=part).height else [line])
    yield _need(year, line, "lessons", [] if own.filter(part="lesson").height else [line])


def _needs_of_results(programme: Programme, results: pl.DataFrame, line: str, year: int) -> Iterator[dict[str, Any]]:
    """Whether each result that bureaus count has what it is judged by: a planning, or for a direction a baseline."""
    counted = [t for t in programme.targets if t.line_id == line and t.measured is None and t.not_covered_nl is None]
    for requirement, kind, is_direction in (("plan", "planned", False), ("baseline", "baseline", True)):
        wanted = [t.target_id for t in counted if (t.kind == "direction") == is_direction]
        stated = results.filter(kind=kind).group_by("target_id").agg(pl.col("number").sum())
        enough = dict(stated.iter_rows())
        # A planning goes on until the ambition is reached.
        least = {t.target_id: t.threshold or 0.0 for t in counted} if kind == "planned" else {}
        lacks = [name for name in wanted if name not in enough or enough[name] < least.get(name, 0.0)]
        if wanted:
            yield _need(year, line, requirement, lacks)
