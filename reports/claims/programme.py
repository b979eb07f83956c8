"""Sentences on the programme: how far each intended result is, and its money. None says what the programme changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from reports.claims.figures import Cells
from reports.claims.sentences import Said
from reports.view import Row, View
from reports.words import Words

TOTAL: Final = "TOTAL"
_MILLION: Final = 1_000_000
_FOUND_IN: Final = 80  # of 100 cases: the power at which `margin_found` is told
STATUSES: Final = ("reached", "on_course", "behind", "not_started", "not_decidable")
SAID_SOURCES: Final = ("state", "regional", "public", "private_in_kind", "additional_private")
BUDGET_PLACES, STATED_PLACES = 1, 2  # decimals of millions: as the covenant prints, and of what bureaus state


def millions(euros: float, words: Words, decimals: int = STATED_PLACES) -> str:
    """An amount in millions of euros."""
    # Halves go up, as readers round: of binary fractions some would go down.
    amount = (Decimal(round(euros)) / _MILLION).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    return words("million", amount=words.number(float(amount), decimals))


def count(value: float, words: Words) -> str:
    """A number that was counted."""
    return words.number(value, 0 if float(value).is_integer() else 1)


def line_name(line: Row | None, line_id: str, words: Words) -> str:
    """A line as readers know it: `1.2 Een toekomstbestendig (mkb) bedrijfsleven`."""
    if line is None:
        return words("programme_total")
    name = str(line[f"name_{words.language}"])
    return f"{line_id} {name}" if line_id[0].isdigit() else name


def programme_claims(view: View, words: Words) -> Iterator[tuple[str, Row, Said]]:
    """Every sentence on the programme at the end of the edition's year: its id, the row it is about, what it says."""
    lines = {row["line_id"]: row for row in view.rows("programme_line")}
    targets = {row["target_id"]: row for row in view.rows("target")}
    tests = {row["target_id"]: row for row in view.rows("policy_indicator", year=view.year)}
    for row in view.rows("target_progress", year=view.year):
        target = targets[row["target_id"]]
        said = target_claim(row.cells, target.cells, tests.get(row["target_id"]), words)
        yield f"target:{view.year}:{row['target_id']}", row, said
    for row in view.rows("budget_progress", year=view.year):
        if row["budget"] is not None and row["financing_source"] in SAID_SOURCES:
            name = line_name(lines.get(row["line_id"]), row["line_id"], words)
            names = f"{view.year}:{row['line_id']}:{row['financing_source']}"
            yield f"money:{names}", row, money_claim(row.cells, name, words)


def count_claims(view: View, words: Words) -> Iterator[tuple[str, Mapping[str, object], str, Said]]:
    """How many results have which verdict, of each line and of all: id, the rows' shared key, their table."""
    lines = {row["line_id"]: row for row in view.rows("programme_line")}
    rows = view.rows("target_progress", year=view.year)
    for line_id in [TOTAL, *dict.fromkeys(row["line_id"] for row in rows)] if rows else []:
        of_line = [row.cells for row in rows if line_id in (TOTAL, row["line_id"])]
        key = {"year": view.year} | ({} if line_id == TOTAL else {"line_id": line_id})
        said = count_claim(of_line, line_name(lines.get(line_id), line_id, words), words)
        yield f"count_target:{view.year}:{line_id}", key, "target_progress", said


def count_claim(rows: Sequence[Cells], name: str, words: Words) -> Said:
    """How many intended results have which verdict."""
    counts = [(status, sum(row["status"] == status for row in rows)) for status in STATUSES]
    found = [(status, n) for status, n in counts if n]
    parts = [
        words("count_target", n=words.number(n, 0), label=words.label("target_status", status)) for status, n in found
    ]
    values = {"line": name, "total": words.number(len(rows), 0), "counts": words.listed(parts)}
    return _said("count_target", rows, words, **values)


def target_claim(row: Cells, target: Cells, test: Row | None, words: Words) -> Said:
    """One row of `target_progress`, with its row of `target` and, of a result from a sample, of `policy_indicator`."""
    language = words.language
    label = words.label("target_status", row["status"])
    common = {"text": target[f"text_{language}"], "label": label}
    unit = target["unit" if language == "en" else "unit_nl"]
    if test is not None and test["limit_low"] is not None:
        return _sample_claim(row, test.cells, common | {"unit": unit}, words)
    if row["achieved"] is None or row["reason"] not in (None, "no_plan"):
        return _said("target_unknown", [row], words, **common, why=_why(row, words))
    day = words.date(row["as_of"])
    planned = row["planned"]
    plan = "" if planned is None else words("target_plan", planned=count(planned, words))
    if target["kind"] == "direction":
        since = words.date(target["baseline_date"])
        values = {"achieved": count(row["achieved"], words), "baseline": count(target["baseline_value"], words)}
        values |= {"as_of": day, "since": since, "unit": unit, "plan": plan}
        return _said("target_direction", [row, target], words, **common, **values)
    if target["kind"] == "deliverable" and target["threshold"] == 1:
        rule = "target_deliverable" if row["status"] == "reached" else "target_deliverable_open"
        return _said(rule, [row], words, **common, as_of=day, plan=plan)
    values = {"achieved": count(row["achieved"], words), "threshold": count(target["threshold"], words)}
    values |= {"as_of": day, "unit": unit, "plan": plan, "why": _why(row, words)}
    return _said("target_count", [row], words, **common, **values)


def _why(row: Cells, words: Words) -> str:
    """Why nothing can be said, as a sentence behind the verdict; nothing where something can."""
    return "" if row["reason"] is None else f" {words.explanation('target_reason', row['reason'])}"


def _sample_claim(row: Cells, test: Cells, common: Mapping[str, str], words: Words) -> Said:
    low, high, change = (words.number(test[name], 1) for name in ("limit_low", "limit_high", "wave_change"))
    power = words("target_power", found=words.number(test["margin_found"], 1), power=_FOUND_IN)
    return _said(
        "target_sample",
        [row, test],
        words,
        **common,
        about=test[f"about_{words.language}"],
        before=_estimate(test["baseline_estimate"], test["baseline_n"], words),
        now=_estimate(test["estimate"], test["n"], words),
        wave_before=test["baseline_wave"],
        wave=test["wave"],
        change=words("target_limits", difference=change, low=low, high=high),
        counts=_what_counts(test, words),
        more=power if row["reason"] == "uncertain" else "",
    )


def _what_counts(test: Cells, words: Words) -> str:
    """What counts as reached; of something that must become less the same, the other way round."""
    return words("target_margin", margin=count(test["margin"], words)) if test["margin"] else words("target_no_margin")


def _estimate(value: float, n: int, words: Words) -> str:
    return f"{words.number(value, 1)} ({words('answers', n=words.number(n, 0))})"


def money_claim(row: Cells, line: str, words: Words) -> Said:
    """One row of `budget_progress` of which an amount was agreed."""
    source = words.label("financing_source", row["financing_source"])
    common = {"line": line, "budget": millions(row["budget"], words, BUDGET_PLACES), "source": source}
    ambition = row["financing_source"] == "additional_private"
    if row["committed"] is None:
        return _said("money_ambition_unknown" if ambition else "money_unknown", [row], words, **common)
    forecast = "" if row["forecast"] is None else words("money_forecast", forecast=millions(row["forecast"], words))
    warning = "" if row["warning"] is None else f" {words.explanation('budget_warning', row['warning'])}"
    return _said(
        "money_ambition" if ambition else f"money_{row['budget_kind']}",
        [row],
        words,
        **common,
        as_of=words.date(row["as_of"]),
        committed=millions(row["committed"], words),
        paid=millions(row["paid"], words),
        warning=f"{forecast}{warning}",
    )


def _said(rule: str, rows: Sequence[Cells], words: Words, **values: object) -> Said:
    stamp = words("stamp") if any(row["synthetic"] for row in rows) else ""
    return Said(rule, f"{stamp}{words(f'claim_{rule}', **values)}")
