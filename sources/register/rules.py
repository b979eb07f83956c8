"""What rows and sheets of a register say of each other, and of the programme. Every rule names the cell at fault."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise

from catalog.programme_model import Programme
from sources.errors import DuplicateFigure, IncompleteFile, OutOfScale, PeriodError, UnknownName
from sources.register.faults import Contradiction
from sources.register.rows import Row

Rows = Mapping[str, Sequence[Row]]

# No two rows of a sheet are the same in these fields; the last of them is named.
_KEYS = {
    "project": ["project_id"],
    "milestone": ["milestone_id"],
    "result": ["project_id", "target_id", "kind", "date"],
    "money": ["project_id", "financing_source", "as_of"],
    "measurement": ["target_id", "wave"],
    "text": ["line_id", "year", "part"],
    "lesson": ["lesson_id"],
}
# Dates that lie within the programme.
_DATES = {
    "project": ["starts", "ends"],
    "milestone": ["planned", "reached"],
    "result": ["date"],
    "money": ["as_of"],
    "received": ["date"],
}


def check(rows: Rows, bureau: Row, programme: Programme) -> None:
    """Raises an InputError at the first rule that is broken."""
    as_of: date = bureau["as_of"]
    _check_bureau(bureau, programme)
    for sheet, key in _KEYS.items():
        _refuse_twice(rows[sheet], key)
    for sheet, fields in _DATES.items():
        for field in fields:
            _check_dates(rows[sheet], field, programme)
    for sheet in ("project", "text", "lesson"):
        _check_lines(rows[sheet], bureau)
    for sheet in ("text", "lesson"):
        _check_years(rows[sheet], programme)
    projects = {row["project_id"]: row for row in rows["project"]}
    for sheet in ("milestone", "result", "money"):
        _check_projects_exist(rows[sheet], projects)
    _check_projects(rows["project"], as_of)
    for row in rows["milestone"]:
        _not_after(row, "reached", as_of)
    for row in rows["received"]:
        _not_after(row, "date", as_of)
    _check_results(rows["result"], projects, programme, as_of)
    _check_money(rows["money"], projects, as_of)
    _check_measurements(rows["measurement"], bureau, programme)


def _check_bureau(bureau: Row, programme: Programme) -> None:
    # It may be after the end of the programme: the evaluation is.
    if bureau["as_of"] < programme.starts:
        raise bureau.fault(
            PeriodError,
            "as_of",
            f"a day on or after {programme.starts}, when the programme starts",
            "Write the day on which all of this was so.",
        )


def _refuse_twice(rows: Sequence[Row], key: list[str]) -> None:
    seen: dict[tuple[object, ...], int] = {}
    for row in rows:
        values = tuple(row[field] for field in key)
        if values in seen:
            headings = " and ".join(row.sheet.column(field).heading for field in key)
            raise row.fault(
                DuplicateFigure,
                key[-1],
                f"rows that differ in {headings}; row {seen[values]} says the same",
                "Remove one of the two, or mend what is wrong in it.",
            )
        seen[values] = row.number


def _check_dates(rows: Sequence[Row], field: str, programme: Programme) -> None:
    for row in rows:
        if row[field] is not None and not programme.starts <= row[field] <= programme.ends:
            raise row.fault(
                PeriodError,
                field,
                f"a day of the programme, from {programme.starts} to {programme.ends}",
                "Check the date; the register is about this programme only.",
            )


def _check_years(rows: Sequence[Row], programme: Programme) -> None:
    for row in rows:
        if not programme.starts.year <= row["year"] <= programme.ends.year:
            raise row.fault(
                PeriodError,
                "year",
                f"a year of the programme, from {programme.starts.year} to {programme.ends.year}",
                "Check the year.",
            )


def _check_lines(rows: Sequence[Row], bureau: Row) -> None:
    for row in rows:
        if row["line_id"] not in bureau["lines"]:
            raise row.fault(
                Contradiction,
                "line_id",
                f"one of the lines of this bureau: {', '.join(bureau['lines'])}",
                f"Mend it, or add the line on the sheet {bureau.sheet.name}.",
            )


def _check_projects_exist(rows: Sequence[Row], projects: Mapping[str, Row]) -> None:
    for row in rows:
        if row["project_id"] not in projects:
            raise row.fault(
                UnknownName,
                "project_id",
                f"one of the projects: {', '.join(projects) or 'there are none'}",
                "Write the code as on the sheet Projecten, or add the project there.",
            )


def _check_projects(rows: Sequence[Row], as_of: date) -> None:
    for row in rows:
        if row["ends"] is not None and row["ends"] < row["starts"]:
            raise row.fault(Contradiction, "ends", f"a day not before its begin, {row['starts']}", "Check both dates.")
        if row["status"] == "finished" and (row["ends"] is None or row["ends"] > as_of):
            raise row.fault(
                Contradiction,
                "ends",
                f"of a finished project the day on which it ended, not after {as_of}",
                "Write that day, or give the project another status.",
            )


def _not_after(row: Row, field: str, as_of: date) -> None:
    if row[field] is not None and row[field] > as_of:
        raise row.fault(
            PeriodError,
            field,
            f"a day not after {as_of}, the day of this file",
            "What is still to come cannot be reported: check this date and Peildatum.",
        )


def _check_results(rows: Sequence[Row], projects: Mapping[str, Row], programme: Programme, as_of: date) -> None:
    for row in rows:
        target, line = programme.target(row["target_id"]), projects[row["project_id"]]["line_id"]
        if target.line_id not in _with_assignment([line], programme):
            raise row.fault(
                Contradiction,
                "target_id",
                f"a result of line {line}, to which the project belongs; this one is of {target.line_id}",
                "Choose another result, or another project.",
            )
        if row["kind"] == "baseline" and target.kind != "direction":
            raise row.fault(
                Contradiction,
                "kind",
                f"gepland or behaald; {target.target_id} starts at 0",
                "Only a result with a direction has a baseline: remove this row.",
            )
        if row["kind"] != "planned":
            _not_after(row, "date", as_of)
            if not row["evidence"]:
                raise row.fault(
                    IncompleteFile,
                    "evidence",
                    "where the evidence is found: nulmeting and behaald need it",
                    "Write the number or title of the document that shows it.",
                )


def _with_assignment(lines: Sequence[str], programme: Programme) -> set[str]:
    """These lines, and the assignments that they belong to."""
    return set(lines) | {line.assignment for line in programme.lines if line.line_id in lines and line.assignment}


def _check_money(rows: Sequence[Row], projects: Mapping[str, Row], as_of: date) -> None:
    series: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        _not_after(row, "as_of", as_of)
        if row["paid"] > row["committed"]:
            raise row.fault(
                Contradiction,
                "paid",
                f"at most what is committed, {row['committed']:.0f}",
                "What is paid is committed too: check both amounts.",
            )
        # Of a project that ended what was committed may be released: less is spent than was promised.
        if row["forecast"] is not None and row["forecast"] < row["committed"] and not _ended(row, projects):
            raise row.fault(
                Contradiction,
                "forecast",
                f"at least what is committed, {row['committed']:.0f}",
                "It is the total at the end: check both amounts.",
            )
        series[row["project_id"], row["financing_source"]].append(row)
    for same in series.values():
        fields = ("paid",) if _ended(same[0], projects) else ("committed", "paid")
        _check_rising(sorted(same, key=lambda row: row["as_of"]), fields)


def _ended(row: Row, projects: Mapping[str, Row]) -> bool:
    return projects[row["project_id"]]["status"] in ("finished", "stopped")


def _check_rising(rows: list[Row], fields: Sequence[str]) -> None:
    for before, after in pairwise(rows):
        for field in fields:
            if after[field] < before[field]:
                raise after.fault(
                    Contradiction,
                    field,
                    f"at least the {before[field]:.0f} of {before['as_of']} (row {before.number})",
                    "Amounts are totals up to and including a day, so they do not fall: check both rows.",
                )


def _check_measurements(rows: Sequence[Row], bureau: Row, programme: Programme) -> None:
    lines = _with_assignment(bureau["lines"], programme)
    for row in rows:
        target = programme.target(row["target_id"])
        if target.line_id not in lines:
            raise row.fault(
                Contradiction,
                "target_id",
                f"a result of this bureau's lines, {', '.join(bureau['lines'])}; this one is of {target.line_id}",
                "Leave it to the bureau of that line.",
            )
        if row["wave"] > bureau["as_of"].year:
            raise row.fault(
                OutOfScale,
                "wave",
                f"a year not after {bureau['as_of'].year}, the year of this file",
                "Check the year and Peildatum.",
            )
