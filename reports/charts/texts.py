"""What is said in and under the pictures: periods, title, notes, source, and a description for who cannot see them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Final

from reports.charts.story import Point, Story, capitalised, measured, periods_of, shown
from reports.numbers import number

WITH_VALUE: Final = ("provisional", "estimated")  # statuses a reader must see although there is a value
SAID_ELSEWHERE: Final = frozenset({"carried_forward", "unusual_change"})  # warnings that have a note of their own
# What the overall score of a framework is about; and what its publisher says of such a score.
OVERALL: Final = {"btg": "ervaren brede welvaart", "cbs": "brede welvaart volgens officiële cijfers"}
OVERALL_NOTES: Final = {"cbs": " Het CBS geeft geen totaalscore."}
MONTHS: Final = (
    "januari", "februari", "maart", "april", "mei", "juni",
    "juli", "augustus", "september", "oktober", "november", "december",
)  # fmt: skip


def listed(items: Sequence[str]) -> str:
    """A list as Dutch text: `a, b en c`."""
    return f"{', '.join(items[:-1])} en {items[-1]}" if len(items) > 1 else "".join(items)


def period_text(period: str) -> str:
    """A reference period in Dutch: `2022`, `2022Q1` as `1e kwartaal 2022`, `2022-05` as `mei 2022`."""
    year, rest = period[:4], period[5:]
    if not rest:
        return year
    return f"{rest}e kwartaal {year}" if period[4] == "Q" else f"{MONTHS[int(rest) - 1]} {year}"


def years_text(years: Iterable[int]) -> str:
    """Years as short text, neighbouring ones joined: `2022–2024, 2026`."""
    return ", ".join("–".join(dict.fromkeys((str(run[0]), str(run[-1])))) for run in neighbours(years))


def neighbours(years: Iterable[int]) -> list[list[int]]:
    """The runs of years that follow each other without a gap."""
    runs = itertools.groupby(enumerate(sorted(set(years))), key=lambda pair: pair[1] - pair[0])
    return [[year for _, year in run] for _, run in runs]


def periods_text(periods: Sequence[str]) -> str:
    """Reference periods as text; neighbouring years joined: `2021–2023 en 2025`."""
    if all(len(p) == 4 for p in periods):
        return listed(years_text([int(p) for p in periods]).split(", "))
    return listed([period_text(p) for p in periods])


def when_text(points: Iterable[Point]) -> str:
    """The reference periods of figures, one by one."""
    return listed([period_text(p) for p in periods_of(points)])


def period_word(periods: Sequence[str]) -> str:
    """The Dutch word for these reference periods: years or other periods, one or more."""
    word, many = ("peiljaar", "peiljaren") if all(len(p) == 4 for p in periods) else ("peilperiode", "peilperiodes")
    return word if len(periods) == 1 else many


# --- title and description


def title(story: Story, when: str) -> str:
    """Indicator, place and reference period; a title holds no verdict."""
    return f"{story.name} – {story.name_of(story.labels.region_code)}, {when or f'meetjaar {story.year}'}"


def line_values(story: Story, lines: Sequence[Point]) -> list[str]:
    """`Twente 31,5` for each line that has a value."""
    return [f"{story.name_of(p.code)} {story.text(p)}" for p in shown(lines)]


def extremes(story: Story) -> list[str]:
    """The highest and the lowest municipality with their values; all of them where several share it."""
    parts = []
    points = shown(story.now())
    for word, pick in (("hoogste", max), ("laagste", min)) if points else ():
        value = story.text(pick(points, key=lambda p: p.on_axis))
        names = [story.name_of(p.code) for p in points if story.text(p) == value]
        parts.append(f"{word} waarde {value} ({listed(names)})")
    return parts


def description(facts: Sequence[str], unit: str, notes: Sequence[str]) -> str:
    """The text of a picture for those who do not see it: what it is, the key numbers, notes and source."""
    return f"{facts[0]}: {'; '.join([*facts[1:], unit])}. {' '.join(notes)}"


# --- source and notes


def source_line(story: Story, points: Sequence[Point]) -> str:
    """Publisher, tables, reference periods and, where it is so, that figures are provisional."""
    tables: dict[str, list[str]] = {}
    for table in dict.fromkeys(p.table for p in shown(points) if p.table):
        publisher = story.publishers.get(table) or table.split(" ")[0]
        name = table.removeprefix(f"{publisher} ").replace(" (", ", ").replace(")", "")
        tables.setdefault(publisher, []).append(name)
    sources = "; ".join(f"{publisher} ({'; '.join(names)})" for publisher, names in tables.items())
    periods = periods_of(points)
    parts = [f"{period_word(periods)} {periods_text(periods)}"] if periods else []
    return " · ".join([f"Bron: {sources or 'geen cijfer'}", *parts, *_status_parts(story, shown(points))])


def _status_parts(story: Story, points: Sequence[Point]) -> list[str]:
    """`voorlopig`, `deels voorlopig` or, over several periods, `2024 voorlopig`."""
    parts = []
    for status in WITH_VALUE:
        label = story.status(status)
        hit = [p for p in points if p.status == status]
        if hit and len(hit) == len(points):
            parts.append(label)
        elif hit:
            part = periods_text(periods_of(hit)) if len(periods_of(points)) > 1 else "deels"
            parts.append(f"{part} {label}")
    return parts


def warning_note(
    story: Story,
    named: Sequence[tuple[str, Point]],
    shared: frozenset[str] = frozenset(),
    elsewhere: frozenset[str] = SAID_ELSEWHERE,
) -> list[str]:
    """One line with the label of every warning, and to what it applies where that is not everything.

    `named` says of each point what it is (a region, a period); `shared` are warnings that apply to all of them, and
    those `elsewhere` are left out.
    """
    keys = {key for _, p in named for key in p.warnings} - elsewhere
    order = [*story.labels.warnings, *sorted(keys)]
    everything = {name for name, _ in named}
    said = []
    for key in sorted(keys, key=order.index):
        hit = dict.fromkeys(name for name, p in named if key in p.warnings)
        only = "" if key in shared or len(hit) == len(everything) else f" ({listed([*hit])})"
        said.append(f"{story.warning(key)}{only}")
    return [f"Let op: {'; '.join(said)}."] if said else []


def region_notes(story: Story) -> list[str]:
    """Notes under the map and the dot plot: carried, unusual, warnings, and which of the lines could not be drawn."""
    lines = story.lines()
    notes = member_notes(story, lines) + country_note(story, lines[1].code, [story.year])
    notes += hidden_note(story) + answers_note(story)
    return notes + [f"{story.name_of(p.code)}: {story.status(p.status)}." for p in lines if p.value is None]


def member_notes(story: Story, lines: Sequence[Point] = ()) -> list[str]:
    """What is to be known of the municipalities' figures, and of lines beside them: carried, unusual, warnings."""
    now = shown(story.now())
    shared = frozenset.intersection(*(p.warnings for p in now)) if now else frozenset()
    notes = []
    if "carried_forward" in shared:
        carried = f"dit is het cijfer van {period_text(now[0].period)} ({story.warning('carried_forward')})"
        notes.append(f"Geen nieuw cijfer voor meetjaar {story.year}: {carried}.")
    if unusual := [_change_text(story, p) for p in now if "unusual_change" in p.warnings]:
        notes.append(f"* {story.warning('unusual_change')}: {listed(unusual)}.")
    # A warning that all municipalities share is said without names, whether or not a group's mean carries it too.
    extra = [p for p in shown(lines) if p.warnings - shared]
    return notes + warning_note(story, [(story.name_of(p.code), p) for p in [*now, *extra]], shared)


def _change_text(story: Story, point: Point) -> str:
    """A municipality with the figure before and the figure now, where there is a comparable one before."""
    past = shown(measured(story.point(point.code, year) for year in story.years))
    # A made-up figure never stands beside a real one in a picture that does not say so.
    before = [
        p for p in past if p.series == point.series and p.period < point.period and p.synthetic <= point.synthetic
    ]
    ends = [f"{story.text(p)} ({period_text(p.period)})" for p in (*before[-1:], point)]
    return f"{story.name_of(point.code)} van {ends[0]} naar {ends[1]}" if before else story.name_of(point.code)


def hidden_note(story: Story) -> list[str]:
    """The municipalities whose figure is hidden; beside others without a figure the reason stands in the drawing."""
    hidden = [p for p in story.now() if p.status == "suppressed"]
    names = listed([story.name_of(p.code) for p in hidden])
    return [f"{capitalised(story.status('suppressed'))}: {names}."] if hidden else []


def answers_note(story: Story) -> list[str]:
    """How many people answered, where that is known."""
    counts = sorted(p.n for p in shown(story.now()) if p.n is not None)
    whole = story.point(story.labels.region_code)
    parts = [f"{story.name_of(whole.code)} {number(whole.n, 0)}"] if whole.n is not None else []
    parts += [f"per gemeente {number_range(counts)}"] if counts else []
    return [f"Aantal antwoorden: {'; '.join(parts)}."] if parts else []


def number_range(counts: Sequence[int]) -> str:
    """Whole numbers as text, from the smallest to the largest: `85 tot 1.012`."""
    return " tot ".join(dict.fromkeys(number(end, 0) for end in (min(counts), max(counts))))


def range_text(low: float, high: float) -> str:
    """Two whole numbers as a range, `9–14`; one number where they are equal."""
    return "–".join(dict.fromkeys(number(end, 0) for end in (low, high)))


def country_note(story: Story, comparator: str, years: Sequence[int]) -> list[str]:
    """Why something else stands in the place of the country, where it does."""
    country = story.labels.country_code
    if comparator == country:
        return []
    gaps = [p for p in (story.point(country, year) for year in years) if p.value is None]
    return [f"{story.name_of(country)}: {story.status(gaps[-1].status)}. Getoond: {story.name_of(comparator)}."]
