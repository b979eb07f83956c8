"""Chapters on what the programme does: progress of its lines, its results, its planning, and what was learned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import polars as pl

from reports.claims.programme import count
from reports.document.model import Block, Bullets, Cell, Paragraph, Quote, Remark, Section, Table
from reports.progress.scope import Scope
from reports.progress.texts import heads, say
from reports.progress.unaccounted import numbers_not_in
from reports.view import Row

LEVEL: Final = 95  # per cent, of the one-sided intervals of results from a sample


# --- progress


def progress_chapter(scope: Scope) -> Iterator[Section]:
    """How the work of each line goes: what bureaus say, and their projects."""
    yield Section(say("progress"), ())
    for line in scope.programme_lines:
        said = scope.sentences(("count_target", scope.year, line))
        counted = [Bullets(said)] if said else []
        blocks = [*counted, *texts_of_bureaus(scope, line, "progress", missing=say("no_text")), _projects(scope, line)]
        yield Section(scope.line(line), tuple(blocks), level=3)


def texts_of_bureaus(scope: Scope, line: str, part: str, missing: str = "") -> list[Block]:
    """What bureaus wrote, verbatim, with the remarks that an editor should see; `missing` where nobody wrote."""
    rows = scope.view.rows("programme_text", pl.col("year").is_in(list(scope.years)), line_id=line, part=part)
    blocks: list[Block] = []
    for row in rows:
        blocks.append(Quote(row["text"], say("text_of", bureau=row["bureau"], year=row["year"])))
        blocks += _remarks(scope, row, row["text"], line)
    return blocks or ([Paragraph(missing)] if missing else [])


def _remarks(scope: Scope, row: Row, text: str, line: str) -> list[Block]:
    """What an editor should look at in a text: a cause that is named, a number that the tables do not have."""
    remarks: list[Block] = []
    if row["causal_sentences"] is not None:
        # Readers of a final report are told what a text cannot show; numbers are the editor's concern alone.
        remarks.append(Remark(say("remark_final" if scope.final else "remark", sentences=row["causal_sentences"])))
    if not scope.final and (unknown := numbers_not_in(text, scope, line)):
        remarks.append(Remark(say("remark_number", numbers=scope.words.listed(unknown))))
    return remarks


def _projects(scope: Scope, line: str) -> Block:
    rows = scope.view.rows("project", line_id=line)
    if not rows:
        return Paragraph(say("no_projects"))
    cells = tuple(
        (
            Cell(row["name"]),
            Cell(_where(scope, row)),
            Cell(scope.words.label("project_status", row["status"])),
            Cell(_period(scope, row)),
        )
        for row in rows
    )
    caption = say("projects", line=line, date=_latest(scope, rows))
    return Table(caption, heads("project", "where", "status", "period"), (6.2, 5.0, 2.4, 3.8), cells)


def _latest(scope: Scope, rows: Sequence[Row]) -> str:
    """The day that rows of registers are as of: they tell of that day, whatever year the report is about."""
    return scope.words.date(max(row["as_of"] for row in rows))


def _where(scope: Scope, row: Row) -> str:
    names = [scope.words.region(code) for code in row["municipality_codes"]]
    place = scope.words.listed(names) if names else say("whole_region")
    return f"{place} ({row['district']})" if row["district"] else place


def _period(scope: Scope, row: Row) -> str:
    starts, ends = (None if row[name] is None else scope.words.date(row[name]) for name in ("starts", "ends"))
    if starts is None:
        return say("period_unknown")
    return say("period_open", starts=starts) if ends is None else say("period_between", starts=starts, ends=ends)


# --- results


def results_chapter(scope: Scope) -> Iterator[Section]:
    """Every intended result beside what was counted or measured."""
    article = next(iter(scope.targets.values()))["article"]
    yield Section(say("results", article=article), (Paragraph(say("results_intro")),))
    for line in dict.fromkeys(row["line_id"] for row in scope.targets.values()):
        assignment = scope.lines[line]["kind"] == "assignment"
        title = say("shared_line", line=line) if assignment else scope.line(line)
        yield Section(title, tuple(_results_of(scope, line)), level=3)
    if blocks := _samples(scope):
        yield Section(say("samples"), tuple(blocks), level=3)


def _results_of(scope: Scope, line: str) -> Iterator[Block]:
    rows = scope.targets_of(line)
    cells = tuple(
        (
            Cell(target[f"text_{scope.words.language}"]),
            achieved_cell(scope, target, scope.progress(target["target_id"])),
            planned_cell(scope, target, scope.progress(target["target_id"])),
            status_cell(scope, scope.progress(target["target_id"])),
        )
        for target in rows
    )
    caption = say("results_table", line=line)
    yield Table(caption, heads("target", "achieved", "planned", "verdict"), (7.4, 4.6, 2.0, 3.4), cells)
    if scope.is_evaluation:
        yield _per_year(scope, rows)


def achieved_cell(scope: Scope, target: Row, row: Row) -> Cell:
    """What was counted of a result, with its threshold or baseline; or how it is judged instead."""
    if row["achieved"] is None:
        return Cell(say(f"judged_by_{target['judged_by']}"))
    words, unit = scope.words, target["unit_nl"]
    achieved = count(row["achieved"], words)
    notes = []
    if target["kind"] == "direction":
        said = f"{achieved} {unit}"
        if target["baseline_value"] is not None:
            baseline = count(target["baseline_value"], words)
            notes.append(say("baseline_then", date=words.date(target["baseline_date"]), baseline=baseline))
    else:
        said = f"{say('achieved_of', achieved=achieved, threshold=count(target['threshold'], words))} {unit}"
    if n := row["evidence_count"]:
        notes.append(say("evidence_one" if n == 1 else "evidence", n=words.number(n, 0)))
    return Cell(said, "; ".join(notes))


def planned_cell(scope: Scope, target: Row, row: Row) -> Cell:
    """What the planning says would have been counted."""
    if target["judged_by"] != "count":
        return Cell("")
    return Cell(say("no_plan") if row["planned"] is None else count(row["planned"], scope.words))


def status_cell(scope: Scope, row: Row) -> Cell:
    """The verdict on a result, and why nothing can be said."""
    note = "" if row["reason"] is None else scope.words.label("target_reason", row["reason"])
    return Cell(scope.words.label("target_status", row["status"]), note, row["status"])


def _per_year(scope: Scope, rows: Sequence[Row]) -> Block:
    def cell(target_id: str, year: int) -> Cell:
        row = scope.progress(target_id, year)
        label = scope.words.label("target_status", row["status"])
        counted = None if row["achieved"] is None else count(row["achieved"], scope.words)
        return Cell(label, "", row["status"]) if counted is None else Cell(counted, label, row["status"])

    cells = tuple((Cell(row["text_nl"]), *(cell(row["target_id"], year) for year in scope.years)) for row in rows)
    years = tuple(map(str, scope.years))
    return Table(say("per_year"), (*heads("target"), *years), (7.4, *(10.0 / len(years) for _ in years)), cells)


def _samples(scope: Scope) -> list[Block]:
    rows = scope.view.rows("policy_indicator", year=scope.year)
    if not rows:
        return []
    words = scope.words

    def limits(row: Row) -> Cell:
        if row["wave_change"] is None:
            return Cell(say("not_counted"))
        change, low, high = (words.number(row[name], 1) for name in ("wave_change", "limit_low", "limit_high"))
        return Cell(change, words("between", low=low, high=high))

    def power(row: Row) -> Cell:
        if row["power"] is None:
            return Cell(say("not_counted"))
        found = say("delta_found", margin=words.number(row["margin_found"], 1))
        # Where an increase is asked for, the chance of finding one when nothing changes tells nobody anything.
        return Cell(say("percent", percent=words.number(row["power"], 0)), found) if row["margin"] else Cell(found)

    cells = tuple(
        (
            Cell(scope.targets[row["target_id"]]["text_nl"], row["about_nl"]),
            _wave(scope, row["baseline_wave"], row["baseline_estimate"], row["baseline_n"]),
            _wave(scope, row["wave"], row["estimate"], row["n"]),
            limits(row),
            Cell(count(row["margin"], words)),
            power(row),
            status_cell(scope, scope.progress(row["target_id"])),
        )
        for row in rows
    )
    table = Table(
        say("samples_table"),
        heads("result", "before", "now", "change", "delta", "power", "verdict"),
        (4.2, 2.4, 2.4, 2.7, 0.9, 2.2, 2.6),
        cells,
        say("samples_note", level=LEVEL),
    )
    said = scope.sentences(*(("target", scope.year, row["target_id"]) for row in rows))
    reasons = tuple(
        say("sample_reason", target=scope.targets[row["target_id"]]["text_nl"], reason=row["reason_nl"]) for row in rows
    )
    return [Paragraph(say("samples_intro")), Bullets(said), table, Bullets(reasons)]


def _wave(scope: Scope, wave: int | None, value: float | None, n: int | None) -> Cell:
    year = "" if wave is None else str(wave)
    if value is None:
        return Cell(say("not_counted"), year)
    words = scope.words
    return Cell(say("wave_estimate", value=words.number(value, 1), n=words.number(n or 0, 0)), year)


# --- planning


def planning_chapter(scope: Scope) -> Iterator[Section]:
    """Milestones beside the multi-year planning, and what is due when."""
    yield Section(say("planning"), (_baselines(scope), calendar(scope)))
    for line in scope.programme_lines:
        blocks = [*texts_of_bureaus(scope, line, "planning", missing=say("no_text")), _milestones(scope, line)]
        yield Section(scope.line(line), tuple(blocks), level=3)


def _baselines(scope: Scope) -> Block:
    return Paragraph(say("baselines", baselines="; ".join(b.text_nl for b in scope.programme.baselines)))


def calendar(scope: Scope) -> Block:
    """What is due, in order of day."""
    rows = sorted(scope.view.rows("deadline"), key=lambda row: (row["due"], row["deadline_id"]))
    cells = tuple(
        (Cell(scope.words.date(row["due"])), Cell(row["text_nl"]), Cell(row["article"]))
        for row in rows
        if row["due"] > f"{scope.year}-12-31" or scope.is_evaluation
    )
    return Table(say("calendar"), heads("due", "what", "article"), (3.6, 11.6, 2.2), cells)


def _milestones(scope: Scope, line: str) -> Block:
    projects = {row["project_id"]: row["name"] for row in scope.view.rows("project", line_id=line)}
    rows = scope.view.rows("milestone", pl.col("project_id").is_in(list(projects)))
    if not rows:
        return Paragraph(say("no_milestones"))
    words = scope.words
    cells = tuple(
        (
            Cell(projects[row["project_id"]]),
            Cell(row["text"]),
            Cell(words.date(row["planned_on"])),
            Cell(say("not_reached") if row["reached_on"] is None else words.date(row["reached_on"])),
            Cell(words.label("milestone_status", row["status"])),
        )
        for row in sorted(rows, key=lambda row: (row["planned_on"], row["project_id"], row["milestone_id"]))
    )
    names = heads("project", "milestone", "planned_on", "reached_on", "status")
    caption = say("milestones_table", line=line, date=_latest(scope, rows))
    return Table(caption, names, (4.6, 4.6, 2.9, 2.9, 2.4), cells, breaks=True)


# --- lessons


def lessons_chapter(scope: Scope) -> Iterator[Section]:
    """Lessons about assumptions and conditions, in the bureaus' words."""
    yield Section(say("lessons"), (Paragraph(say("lessons_intro")),))
    for line in scope.programme_lines:
        if line in scope.lines_with_results or _rows_of_lessons(scope, line):
            yield Section(scope.line(line), tuple(_lessons(scope, line)), level=3)


def _rows_of_lessons(scope: Scope, line: str) -> list[Row]:
    return scope.view.rows("lesson", pl.col("year").is_in(list(scope.years)), line_id=line)


def _lessons(scope: Scope, line: str) -> Iterator[Block]:
    rows = _rows_of_lessons(scope, line)
    if not rows:
        yield Paragraph(say("no_lessons"))
        return
    cells = tuple(
        (
            Cell(scope.words.label("lesson_kind", row["kind"]), f"{row['bureau']}, {row['year']}"),
            Cell(row["assumed"]),
            Cell(row["observed"]),
            Cell(row["consequence"]),
        )
        for row in rows
    )
    names = heads("kind", "assumed", "observed", "consequence")
    yield Table(say("lessons_table", line=line), names, (3.0, 4.8, 4.8, 4.8), cells, breaks=True)
    for row in rows:
        text = " ".join((row["assumed"], row["observed"], row["consequence"]))
        yield from _remarks(scope, row, text, line)
