"""The grammar: which sentence a row may become. The only sentences on figures that are ever shown.

Each function takes rows of published tables and gives a sentence and the rule it follows. What a sentence says is the
row's verdict; where nothing can be said, it says so and why. A sentence that a made-up figure had a part in begins by
saying so. No rule names a cause: watching broad welfare shows none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from catalog.model import Indicator
from reports.claims.figures import (
    DEMONSTRABLE,
    SAID_STATUSES,
    SAID_WARNINGS,
    Cells,
    about,
    aside,
    difference,
    end_text,
    figure,
    is_synthetic,
    lacks_answers,
    lacks_figure,
    places_of,
    shown,
    shown_difference,
    telling,
)
from reports.claims.figures import places as decimals_of
from reports.words import Words

LEVEL: Final = 0.05  # of the adjusted p: rule 5 of verdicts
WHY_MISSING: Final = ("not_measured", "suppressed")
SAID_OF_SCORES: Final = (*SAID_WARNINGS, "unusual_change")  # one jump among its figures moves a whole score
COUNTED: Final = (
    *("better", "worse", "higher", "lower", "no_demonstrable_difference"),
    *("not_decidable", "no_new_measurement", "not_comparable"),
)


class Said(NamedTuple):
    """A sentence, and the rule of the grammar it follows."""

    rule: str
    sentence: str


def _said(words: Words, rule: str, *rows: Cells, **values: object) -> Said:
    stamp = words("stamp") if is_synthetic(*rows) else ""
    return Said(rule, f"{stamp}{_capital(words(f'claim_{rule}', **values))}")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


# --- a difference between two areas


def difference_claim(row: Cells, sides: Sequence[Cells], indicator: Indicator, words: Words) -> Said:
    """One row of `comparison`; `sides` are the rows of `indicator_value` of its two regions."""
    region, comparator = (words.the_region(row[name]) for name in ("region_code", "comparator_code"))
    common = {"name": words.name(indicator), "about": about(row, sides, words)}
    if missing := _missing(row, words):
        why = _why_missing(sides, indicator, words)
        return _said(words, "difference_missing", row, *sides, **common, missing=missing, why=why)
    verdict = "not_comparable" if row["difference"] is None else row["verdict"]
    many = verdict == "no_demonstrable_difference" and _is_one_of_many(row)
    return _said(
        words,
        f"difference_{verdict}",
        row,
        *sides,
        **common,
        region=region,
        comparator=comparator,
        label=words.label("verdict", verdict),
        difference="" if row["difference"] is None else difference(row, indicator, words, unit=True),
        reason=_reason(row, sides, words),
        unsure=words("unsure_many" if many else "unsure_chance"),
    )


def figures_claim(row: Cells, sides: Sequence[Cells], indicator: Indicator, words: Words) -> Said:
    """One row of `comparison` with the figures of both areas, their margins and how many answered."""
    values = [row["value"], row["comparator_value"]]
    period = about(row, sides, words)
    common = {"name": words.name(indicator), "about": period}
    if missing := _missing(row, words):
        why = _why_missing(sides, indicator, words)
        return _said(words, "figures_missing", row, *sides, **common, missing=missing, why=why)
    grade = words.is_grade(indicator)
    common |= {"about": f"{words.unit(indicator)}, {period}"} if grade else {}
    names = [words.the_region(row[name]) for name in ("region_code", "comparator_code")]
    pairs = zip(names, values, sides, strict=True)
    said = ", ".join(f"{name} {figure(value, side, indicator, words)}" for name, value, side in pairs)
    common |= {"said": said if grade else f"{said} {words.unit(indicator)}"}
    label = words.label("verdict", row["verdict"])
    if row["difference"] is None:
        return _said(words, "figures_no_difference", row, *sides, **common, label=label)
    gap = difference(row, indicator, words)
    if row["verdict"] == "not_decidable":
        why = aside([words("why_no_margin")] if "no_margin" in row["warnings"] else [])
        return _said(words, "figures_not_decidable", row, *sides, **common, difference=gap, why=why)
    return _said(words, "figures", row, *sides, **common, difference=gap, label=label)


def _missing(row: Cells, words: Words) -> str:
    """The areas without a figure, as a list; empty where both have one."""
    sides = (("region_code", "value"), ("comparator_code", "comparator_value"))
    return words.listed([words.the_region(row[code]) for code, value in sides if row[value] is None])


def _why_missing(sides: Sequence[Cells], indicator: Indicator, words: Words) -> str:
    """Why the survey has no figure."""
    if indicator.layer != "experienced":
        return ""
    found = [status for status in WHY_MISSING if any(side["status"] == status for side in sides)]
    return aside([words.label("status", status) for status in found])


def _reason(row: Cells, sides: Sequence[Cells], words: Words, *, over_time: bool = False) -> str:
    """Why nothing can be said."""
    statuses = {side["status"] for side in sides}
    if "no_margin" in row["warnings"]:
        return words("reason_no_margin")
    if "estimated" in statuses:
        without = any(lacks_answers(side, words) for side in sides)
        return words("reason_without_answers" if without else "reason_estimated")
    return words("reason_provisional" if over_time and "provisional" in statuses else "reason_other")


def _is_one_of_many(row: Cells) -> bool:
    """Whether the margin of a difference leaves nought out, and only that many are compared makes it uncertain."""
    low, high, adjusted = row["difference_ci_low"], row["difference_ci_high"], row["p_value_adjusted"]
    return None not in (low, high, adjusted) and not low <= 0 <= high and bool(adjusted >= LEVEL)


# --- a change since the baseline


def change_claim(row: Cells, sides: Sequence[Cells], indicator: Indicator, words: Words) -> Said:
    """One row of `change`: the figure itself, or the figure relative to the country.

    `sides` are the rows of `indicator_value` that it was made of.
    """
    name, region = words.name(indicator), words.the_region(row["region_code"])
    relative = row["quantity"] != "value"
    if relative:
        name = words("relative_to_nl_of", name=name, country=words.the_region(words.catalogue.region.country_code))
    label = words.label("verdict", row["verdict"], change=True)
    if row["verdict"] == "no_new_measurement":
        # A figure of a model is no measurement, whatever its period.
        is_estimated = row["reference_period"] != row["baseline_reference_period"]
        years = {side["measurement_year"] for side in sides if side["status"] == "estimated"}
        more = words("change_estimated_both" if len(years) > 1 else "change_estimated") if is_estimated else ""
        return _said(words, "change_no_new_measurement", row, name=name, region=region, label=label, more=more)
    if row["value"] is None or row["baseline_value"] is None:
        return _said(words, "change_missing", row, name=name, region=_without_figure(row, sides, words))
    before, now = (
        _beside_country(row[column], words) if relative else _with_unit({**row, "value": row[column]}, indicator, words)
        for column in ("baseline_value", "value")
    )
    many = row["verdict"] == "no_demonstrable_difference" and _is_one_of_many(row)
    verdict = "not_comparable" if row["difference"] is None else row["verdict"]
    periods = words("change_about", before=row["baseline_reference_period"], now=row["reference_period"])
    return _said(
        words,
        f"change_{verdict}",
        row,
        name=name,
        about=about(row, sides, words, first=periods),
        region=region,
        label=words.label("verdict", verdict, change=True),
        before=before,
        now=now,
        difference="" if row["difference"] is None else _moved(row, indicator, words, relative=relative),
        reason=_reason(row, sides, words, over_time=True),
        unsure=words("unsure_many" if many else "unsure_chance"),
    )


def _without_figure(row: Cells, sides: Sequence[Cells], words: Words) -> str:
    """Of what a figure is missing: the area itself, or the country where the area has figures of both years."""
    own = [side for side in sides if side["region_code"] == row["region_code"]]
    of_country = len(own) > 1 and all(side["value"] is not None for side in own)
    return words.the_region(words.catalogue.region.country_code if of_country else row["region_code"])


def _beside_country(percent: float, words: Words) -> str:
    """A figure relative to the country: `2,4% boven Nederland`; what looks like nought has no direction."""
    country, text = words.the_region(words.catalogue.region.country_code), words.number(abs(percent), 1)
    side = "above" if percent > 0 else "below"
    return words(side if text.strip("0.,") else "level_with", percent=text, country=country)


def _with_unit(row: Cells, indicator: Indicator, words: Words) -> str:
    text = words.number(shown(row["value"], indicator, words), places_of(row, indicator, words))
    return f"{text}%" if indicator.is_percentage else text


def _moved(row: Cells, indicator: Indicator, words: Words, *, relative: bool) -> str:
    """How much it changed; of a figure relative to the country in percentage points."""
    if not relative:
        return difference({**row, "relative_difference": None}, indicator, words, unit=True)
    return _interval([row[f"difference{end}"] for end in ("", "_ci_low", "_ci_high")], row, 1, "percentage", "", words)


def _interval(
    numbers: Sequence[float | None], row: Cells, decimals: int, unit: str, unit_text: str, words: Words
) -> str:
    """A difference with its margin, in points."""
    known = [number for number in numbers if number is not None]
    sure = row["verdict"] in DEMONSTRABLE
    decimals = telling(known, decimals, words) if sure else decimals
    texts = [end_text(number, decimals, words, sure=sure) for number in known]
    said = words(f"points_{unit}", difference=texts[0], unit=unit_text)
    sampled = len(texts) == len(("estimate", "low", "high")) and row["basis"] == "interval"
    return f"{said}{aside([words('between', low=texts[1], high=texts[2])] if sampled else [])}"


def movement_claim(row: Cells, indicator: Indicator, words: Words) -> Said:
    """How the difference between two groups moved since the baseline: one row of `trend`."""
    relative = row["quantity"] == "relative_difference"
    in_points = relative or indicator.is_percentage
    unit = "percentage" if in_points else "grade" if words.is_grade(indicator) else "unit"
    ends = [row["estimate"], row["ci_low"], row["ci_high"]]
    numbers = [end if end is None or relative else shown_difference(end, indicator, words) for end in ends]
    decimals = 1 if relative else decimals_of(indicator, words)
    moved = numbers[0] is not None and _interval(numbers, row, decimals, unit, words.unit(indicator), words)
    return _said(
        words,
        f"movement_{row['verdict']}",
        row,
        name=words.name(indicator),
        baseline=words.catalogue.region.baseline_year,
        region=words.the_region(row["region_code"]),
        comparator=words.the_region(row["comparator_code"]),
        label=words.label("verdict", row["verdict"], change=True),
        difference=moved or "",
    )


# --- one figure


def value_claim(row: Cells, indicator: Indicator, words: Words) -> Said:
    """One row of `indicator_value`: the figure with all that belongs to it, or why there is none."""
    region, name = words.the_region(row["region_code"]), words.name(indicator)
    if row["value"] is None:
        status = row["status"]
        return _said(
            words,
            "value_missing",
            row,
            name=name,
            region=region,
            about=row["measurement_year"],
            status=words.label("status", status),
            explanation=words.explanation("status", status),
        )
    unit = f"{words.unit(indicator)}, {about(row, [row], words)}"
    return _said(
        words, "value", row, name=name, about=unit, region=region, figure=figure(row["value"], row, indicator, words)
    )


# --- a place among others


def rank_claim(
    row: Cells | None, figures: Sequence[Cells], region_code: str, framework: str, words: Words, *, synthetic: bool
) -> Said:
    """One row of `sensitivity`: a place is said with its range or not at all.

    `figures` are the rows of `indicator_value` of the municipality for the framework's indicators. `synthetic` where
    any municipality's figures are made up: they have a part in the place of every other.
    """
    year = words.catalogue.region.last_measurement_year
    stamped: Cells = {"warnings": ["synthetic"] if synthetic else []}
    common = {"framework": words(f"overall_{framework}"), "region": words.region(region_code)}
    if row is None:
        return _said(words, "rank_missing", stamped, **common, about=year)
    known = [figure for figure in figures if figure["value"] is not None]
    statuses = {figure["status"] for figure in known}
    told = [words.label("status", status) for status in SAID_STATUSES if status in statuses]
    told += [words.label("warning", warning) for warning in SAID_OF_SCORES if warning in row["warnings"]]
    basis = words("rank_basis", n=len(known), total=len(figures)) if len(known) < len(figures) else ""
    # Of a figure without margin only the rounding is in the range.
    unsure = "no_margin" in row["warnings"]
    low, high = row["rank_low"], row["rank_high"]
    return _said(
        words,
        "rank_steady" if low == row["rank"] == high else "rank",
        stamped,
        **common,
        about=", ".join([str(year), *told]),
        rank=row["rank"],
        rank_of=row["rank_of"],
        otherwise=words("rank_otherwise" if unsure else "rank_otherwise_sampled"),
        range=str(low) if low == high else words("rank_range", low=low, high=high),
        more=f"{basis}{words('rank_more') if unsure else ''}",
    )


# --- summaries


def count_difference_claim(rows: Sequence[Cells], words: Words) -> Said:
    """How many indicators have which verdict: rows of `comparison` of one pair of areas and one year."""
    first = rows[0]
    region = words.the_region(first["region_code"])
    counts = _counts(rows, "count_many", words, region=region)
    return _said(
        words,
        "count_difference",
        *rows,
        region=region,
        comparator=words.the_region(first["comparator_code"]),
        total=len(rows),
        year=first["measurement_year"],
        counts=counts,
    )


def count_change_claim(rows: Sequence[Cells], words: Words) -> Said:
    """How many indicators have which verdict: rows of `change` of one area."""
    first = rows[0]
    return _said(
        words,
        "count_change",
        *rows,
        region=words.the_region(first["region_code"]),
        total=len(rows),
        baseline=first["baseline_year"],
        counts=_counts(rows, "count_change_many", words, change=True),
    )


def _counts(rows: Sequence[Cells], demonstrable: str, words: Words, *, change: bool = False, region: str = "") -> str:
    """A sentence for each verdict that occurs; what has no figure is counted as that."""
    missing = [row for row in rows if lacks_figure(row)]
    said = []
    for verdict in COUNTED:
        n = sum(row["verdict"] == verdict for row in rows) - (len(missing) if verdict == "not_decidable" else 0)
        key = demonstrable if verdict in DEMONSTRABLE else f"count_{verdict}"
        if n:
            said.append(words(key, n=n, label=words.label("verdict", verdict, change=change), region=region))
    if missing:
        said.append(words("count_missing", n=len(missing)))
    return " ".join(said)


def count_value_claim(rows: Sequence[Cells], words: Words) -> Said:
    """How many indicators of an area have no figure, an older one or an invented one: rows of `indicator_value`."""
    synthetic = sum(is_synthetic(row) for row in rows)
    values = {
        "region": _capital(words.the_region(rows[0]["region_code"])),
        "total": len(rows),
        "year": rows[0]["measurement_year"],
        "missing": sum(row["value"] is None for row in rows),
        "carried": sum(row["value"] is not None and "carried_forward" in row["warnings"] for row in rows),
        "synthetic": synthetic,
    }
    rule = "count_value" if synthetic else "count_value_real"
    # Says itself how many are invented: no stamp before it.
    return Said(rule, words(f"claim_{rule}", **values))
