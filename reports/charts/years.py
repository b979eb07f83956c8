"""The years: the region, its groups and the country over the reference periods, with a table of the numbers."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from reports.charts import sheet, texts
from reports.charts.sheet import EDGE, GREY, INK, LINE, SMALL, WIDTH, Page, Picture, Place
from reports.charts.story import Point, Story, axis_place, breaks, capitalised, measured, periods_of, segments, shown

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

HEIGHT: Final = 3.1  # of the plot
ROW: Final = 0.2  # height of a row of the table
SMALLEST: Final = 5.5  # text in a narrow column
GAP_STYLE: Final[Mapping[str, Any]] = {"facecolor": "#f7f7f7", "edgecolor": "#d4d4d4", "hatch": "///"}
BREAK_STYLE: Final[Mapping[str, Any]] = {"color": GREY, "linestyle": ":", "linewidth": 1.6}


@dataclass(frozen=True)
class Timeline:
    """The measured points of each line by region, all of them that have a value, and the first and last year drawn."""

    story: Story
    lines: dict[str, list[Point]]
    points: list[Point]
    first: int
    last: int

    def aside(self, index: int) -> float:
        """A small step aside in years, so that margins of several lines do not hide each other."""
        step = min(0.08, 0.02 * (self.last - self.first + 1)) if any(p.margin for p in self.points) else 0.0
        return step * (index - (len(self.lines) - 1) / 2)

    def share(self, place: float) -> float:
        """Where a place on the axis of years lies between its ends, from 0 to 1."""
        return (place - self.first + 0.5) / (self.last - self.first + 1)

    def breaks(self) -> list[tuple[str, str]]:
        """Between which reference periods a series breaks, in order of time.

        A line that misses a year breaks over a longer stretch; the shorter stretch of another says it more exactly.
        """
        found = sorted({(a.period, b.period) for own in self.lines.values() for a, b in breaks(own)})
        return [(a, b) for a, b in found if not any((c, d) != (a, b) and a <= c and d <= b for c, d in found)]

    def empty_years(self) -> list[int]:
        """Years on the axis in which no line has a figure."""
        filled = {int(p.period[:4]) for p in self.points}
        return [year for year in range(self.first, self.last + 1) if year not in filled]


def years_picture(story: Story) -> Picture:
    """The lines with a table of their numbers below.

    A point stands where something was measured; a line joins consecutive measurements of one series only. Years
    without a figure are hatched, so that a gap is seen as a gap.
    """
    time = timeline(story)
    notes = [*_notes(time), texts.source_line(story, time.points)]
    periods = [texts.period_text(period) for period in periods_of(time.points)]
    title = texts.title(story, f"{periods[0]}–{periods[-1]}" if len(periods) > 2 else texts.listed(periods))
    unit = sheet.axis_unit(story, sheet.limits(story, time.points)[0]) if periods else story.unit
    table = ROW + ROW * (len(time.lines) + 1)
    synthetic = any(story.point(code, year).synthetic for code in time.lines for year in story.years)
    page = sheet.make_page(title, unit, notes, _legend(time), HEIGHT + table + 0.12, synthetic=synthetic)
    left = max(sheet.text_width(story.name_of(code), SMALL) for code in time.lines) + EDGE + 0.62
    left = max(left, sheet.text_width("gebruikt voor meetjaar", SMALL) + EDGE + 0.1)
    place = (left, page.top - HEIGHT, plot_width(time, WIDTH - EDGE - left), HEIGHT)
    draw_plot(page.axes(place), time, place[2])
    _draw_table(page, time, place)
    return page.picture(f"{story.indicator}_years", _description(time, notes))


def timeline(story: Story) -> Timeline:
    """The region, its groups and what it is compared with, over all reference periods and all measurement years."""
    codes = [story.labels.region_code, *story.labels.groups, story.comparator(story.years)]
    lines = {code: measured(story.point(code, year) for year in story.years) for code in codes}
    points = [p for own in lines.values() for p in shown(own)]
    years = [*story.years, *(int(p.period[:4]) for p in points)]
    return Timeline(story, lines, points, min(years), max(years))


def plot_width(time: Timeline, room: float) -> float:
    """Width of the plot such that the names beside the last points still fit on the page."""
    width = room
    for point in (shown(own)[-1] for own in time.lines.values() if shown(own)):
        share = time.share(axis_place(point.period) + time.aside(len(time.lines)))
        width = min(width, (room - sheet.text_width(time.story.name_of(point.code), SMALL) - 0.2) / share)
    return width


# --- what is said


def _notes(time: Timeline) -> list[str]:
    """Notes under the lines: measurement years without a new figure, warnings, breaks, missing figures."""
    story, codes = time.story, list(time.lines)
    notes = texts.country_note(story, codes[-1], story.years)
    reasons: dict[str, list[int]] = {}
    for year in story.years:
        reasons.setdefault(_no_new(story, year, codes), []).append(year)
    said = [f"{texts.years_text(years)} ({reason})" for reason, years in reasons.items() if reason]
    notes += [f"Meetjaren zonder nieuw cijfer: {texts.listed(said)}."] if said else []
    in_order = sorted(time.points, key=lambda p: p.period)
    notes += texts.warning_note(story, [(f"cijfer van {texts.period_text(p.period)}", p) for p in in_order])
    for first, second in time.breaks():
        when = f"tussen {texts.period_text(first)} en {texts.period_text(second)}"
        notes.append(f"{capitalised(story.warning('break_in_series'))} {when}.")
    return notes + _missing(story, codes)


def _no_new(story: Story, year: int, codes: Sequence[str]) -> str:
    """`cijfer van 2021` or `niet gemeten`; empty where the measurement year has a figure of its own."""
    points = shown(story.point(code, year) for code in codes)
    if not points:
        return story.status(story.point(codes[0], year).status)
    before = {story.point(points[0].code, other).period for other in story.years if other < year}
    carried = all("carried_forward" in p.warnings for p in points) or points[0].period in before
    return f"cijfer van {texts.period_text(points[0].period)}" if carried else ""


def _missing(story: Story, codes: Sequence[str]) -> list[str]:
    """Lines without a figure in measurement years in which another line has one, with the reason."""
    filled = [year for year in story.years if shown(story.point(code, year) for code in codes)]
    gaps: dict[tuple[str, str], list[int]] = {}
    for point in (story.point(code, year) for code in codes for year in filled):
        if point.value is None:
            gaps.setdefault((story.name_of(point.code), story.status(point.status)), []).append(point.year)
    return [f"{name} (meetjaar {texts.years_text(years)}): {status}." for (name, status), years in gaps.items()]


def _description(time: Timeline, notes: Sequence[str]) -> str:
    """The description of the lines: every number in them."""
    story = time.story
    facts = [f"Lijngrafiek van {story.name_of(story.labels.region_code)} over de jaren"]
    for code, own in time.lines.items():
        if numbers := [f"{story.text(p)} ({texts.period_text(p.period)})" for p in shown(own)]:
            facts.append(f"{story.name_of(code)} {texts.listed(numbers)}")
    return texts.description(facts, story.unit, notes)


def _legend(time: Timeline) -> list[Artist]:
    """Legend entries of the years: hollow markers, margins, years without a figure, breaks."""
    gaps = [sheet.area_entry("geen cijfer", **GAP_STYLE)] if time.empty_years() else []
    broken = [sheet.line_entry(time.story.warning("break_in_series"), **BREAK_STYLE)] if time.breaks() else []
    return [*sheet.status_entries(time.story, time.points), *sheet.margin_entries(time.points), *gaps, *broken]


# --- the plot


def draw_plot(axes: Axes, time: Timeline, width: float) -> None:
    """Points, lines, margins, gaps and breaks."""
    story = time.story
    low, high = sheet.limits(story, time.points)
    high += 0.13 * (high - low)  # room above the points for the words on the gaps
    axes.set(xlim=(time.first - 0.5, time.last + 0.5), ylim=(low, high), xticks=[])
    axes.set_yticks(*(sheet.ticks(low, high, 6, story.decimals) if time.points else ([], [])), fontsize=SMALL)
    sheet.plain_axes(axes, "top", "right")
    _draw_gaps(axes, time, width)
    for before, after in time.breaks():
        axes.axvline((axis_place(before) + axis_place(after)) / 2, zorder=1, **BREAK_STYLE)
    for index, (code, own) in enumerate(time.lines.items()):
        _draw_line(axes, own, _style(story, code), time.aside(index))
    _write_names(axes, time, width)


def _draw_gaps(axes: Axes, time: Timeline, width: float) -> None:
    """Hatching over each run of years without a figure, with the reason where it fits."""
    low, high = axes.get_ylim()
    reasons: dict[str, list[int]] = {}
    for year in time.empty_years():
        own = time.story.point(time.story.labels.region_code, year)
        # Only a survey year without a wave is known to be unmeasured; other empty years simply have no figure here.
        reasons.setdefault(time.story.status(own.status if own.value is None else ""), []).append(year)
    for reason, run in ((reason, run) for reason, years in reasons.items() for run in texts.neighbours(years)):
        axes.axvspan(run[0] - 0.5, run[-1] + 0.5, zorder=0.4, linewidth=0, **GAP_STYLE)
        if sheet.text_width(reason, SMALL) + 0.1 < width / (time.last - time.first + 1) * len(run):
            style: dict[str, Any] = {"fontsize": SMALL, "color": GREY, "bbox": sheet.text_box(colour="#f7f7f7")}
            axes.text((run[0] + run[-1]) / 2, high - 0.02 * (high - low), reason, ha="center", va="top", **style)


def _style(story: Story, code: str) -> dict[str, Any]:
    """Marker, line and colour of a line; the country's marker is larger and lies underneath."""
    if code in story.labels.groups:
        look = sheet.group_look(story, code)
        return {"color": look.colour, "marker": look.marker, "markersize": 7, "linewidth": 1.6, "zorder": 4}
    if code == story.labels.region_code:
        return {"color": INK, "marker": "D", "markersize": 6, "linewidth": 2.2, "zorder": 5}
    return {"color": GREY, "marker": "^", "markersize": 11, "linewidth": 1.6, "linestyle": (0, (4, 2)), "zorder": 3}


def _draw_line(axes: Axes, points: Sequence[Point], style: Mapping[str, Any], aside: float) -> None:
    """The points of one region; only consecutive measurements of one series are joined."""
    for run in segments(points):
        x = [axis_place(p.period) + aside for p in run]
        axes.plot(x, [p.on_axis for p in run], **{**style, "marker": ""})
        for place, point in zip(x, run, strict=True):
            if point.margin:
                axes.plot((place, place), point.margin, color=style["color"], linewidth=1.4, marker="_")
            dot = {**style, "linestyle": "none", "zorder": style["zorder"] + 0.5}
            axes.plot([place], [point.on_axis], **dot, **sheet.marker_fill(point.status, style["color"]))


def _write_names(axes: Axes, time: Timeline, width: float) -> None:
    """The name of each line beside its last point, moved up or down where names would touch."""
    (low, high), (first, end) = axes.get_ylim(), axes.get_xlim()
    inch = (high - low) / HEIGHT
    last = {index: shown(own)[-1] for index, own in enumerate(time.lines.values()) if shown(own)}
    found = sheet.spread([p.on_axis for p in last.values()], LINE * 1.05 * inch, low + 0.1 * inch, high - 0.42 * inch)
    step = (end - first) / width * 0.17 + time.aside(len(time.lines))
    style: dict[str, Any] = {"fontsize": SMALL, "va": "center", "zorder": 6, "bbox": sheet.text_box(0.6, alpha=0.85)}
    for (index, point), y in zip(last.items(), found, strict=True):
        x = axis_place(point.period)
        if abs(y - point.on_axis) > 0.04 * inch:
            ends = ([x + time.aside(index), x + step * 0.95], [point.on_axis, y])
            axes.plot(*ends, color=GREY, linewidth=0.6, zorder=2, clip_on=False)
        axes.text(x + step, y, time.story.name_of(point.code), **style)


# --- the table


def _draw_table(page: Page, time: Timeline, place: Place) -> None:
    """The numbers under the plot: a column for each measured period and each empty year."""
    story, top = time.story, place[1] - 0.08
    columns = sorted([*periods_of(time.points), *map(str, time.empty_years())], key=axis_place)
    heads = {column: texts.period_text(column) for column in columns}
    years = {str(year): str(year) for year in range(time.first, time.last + 1)}
    _write_head(page, place, top, texts.period_word(columns[:1]))
    if not _write_row(page, time, heads, place, top, weight="bold"):
        _write_row(page, time, years, place, top, weight="bold")
    for row, (code, own) in enumerate(time.lines.items(), 1):
        _write_key(page, story, code, top - 0.03 - ROW * row)
        numbers = {c: " / ".join(story.text(p) for p in shown(own) if p.period == c) or "–" for c in columns}
        _write_row(page, time, numbers, place, top - 0.03 - ROW * row)
    y = top - 0.03 - ROW * (len(time.lines) + 1)
    points = shown(story.point(code, year) for code in time.lines for year in story.years)
    used = {c: texts.years_text(p.year for p in points if p.period == c) or "–" for c in columns}
    _write_head(page, place, y, "gebruikt voor meetjaar")
    _write_row(page, time, used, place, y, color=GREY)


def _write_head(page: Page, place: Place, y: float, text: str) -> None:
    """What a row of the table holds, where it is not a line."""
    page.write(place[0] - 0.12, y, text, color=GREY, ha="right", va="top")


def _write_key(page: Page, story: Story, code: str, y: float) -> None:
    """Marker and name at the beginning of a row of the table."""
    from matplotlib.lines import Line2D

    x, height = [(EDGE + along) / WIDTH for along in (0, 0.18, 0.36)], (y - 0.065) / page.height
    page.figure.add_artist(Line2D(x, [height] * 3, markevery=[1], **{**_style(story, code), "markersize": 7}))
    page.write(EDGE + 0.45, y, story.name_of(code), va="top")


def _write_row(page: Page, time: Timeline, row: Mapping[str, str], place: Place, y: float, **style: Any) -> bool:
    """One row of the table, smaller where a column is too narrow; False where it would be too small to read."""
    middles = {column: place[0] + time.share(axis_place(column)) * place[2] for column in row}
    room = min([b - a for a, b in itertools.pairwise(middles.values())] or [place[2]]) - 0.06
    size = SMALL * min(1.0, room / max(sheet.text_width(text, SMALL, bold=True) for text in row.values()))
    if size < SMALLEST:
        return False
    for column, text in row.items():
        page.write(middles[column], y, text, size, ha="center", va="top", **style)
    return True
