"""The dimensions: two groups of municipalities on each of them, now and at the baseline, with the verdict beside it.

The verdict is that of the table `comparison`; margins that touch or overlap decide nothing.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from reports.charts import grades, sheet, texts
from reports.charts.sheet import EDGE, FAINT, GREY, INK, LINE, SMALL, TEXT, WIDTH, Page, Picture
from reports.charts.story import SYNTHETIC, ChartLabels, ChartTables, Point, Story, capitalised, shown, story_of

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

ROW: Final = 0.54  # height of a dimension
LANES: Final = (-0.32, 0.11)  # of the two groups, from the middle of a row downwards, in rows
BASELINE: Final = 0.2  # from a group's lane of now down to that of the baseline
FADED: Final = 0.55  # how much of its colour a figure of the baseline keeps
FRAMEWORK: Final = "btg"
SIGNS: Final = {
    "worse": "▼", "better": "▲", "lower": "▽", "higher": "△", "no_demonstrable_difference": "=", "not_comparable": "≠",
}  # fmt: skip
DEMONSTRABLE: Final = ("worse", "better", "lower", "higher")  # in the order of the title


@dataclass(frozen=True)
class Dimension:
    """A dimension with the figures of its mean score, and the verdict on the one group against the other."""

    name: str
    story: Story
    verdict: str
    synthetic: bool  # the comparison

    @property
    def groups(self) -> list[Point]:
        """The figures of the two groups now."""
        return [self.story.point(code) for code in self.story.labels.contrast or ()]

    @property
    def whole(self) -> Point:
        """The figure of the region now."""
        return self.story.point(self.story.labels.region_code)

    def before(self, now: Point) -> Point | None:
        """The figure of the baseline beside one of now, where it is of the same series."""
        then = self._baseline(now.code)
        return then if then is not None and now.series in (None, then.series) else None

    @property
    def breaks(self) -> bool:
        """Whether a baseline is left out, because it is of another series."""
        return any(self.before(p) is None and self._baseline(p.code) is not None for p in shown(self.groups))

    def _baseline(self, code: str) -> Point | None:
        year = self.story.labels.baseline_year
        then = self.story.point(code, year) if year is not None and year < self.story.year else None
        return then if then is not None and then.value is not None else None

    @property
    def drawn(self) -> list[Point]:
        """All figures in the picture."""
        return [*self.groups, self.whole, *filter(None, map(self.before, self.groups))]


def dimension_pictures(tables: ChartTables, labels: ChartLabels, measurement_year: int) -> Iterator[Picture]:
    """The picture of the dimensions; none where the region has no two groups or the year no wave of the survey."""
    found = _dimensions(tables, labels, measurement_year) if labels.contrast and not tables.theme.is_empty() else []
    if any(shown(dimension.groups) for dimension in found):
        yield _picture(found)


def _dimensions(tables: ChartTables, labels: ChartLabels, year: int) -> list[Dimension]:
    """The mean score of each theme of the framework that has one, in the order of the themes."""
    scores = tables.indicator.filter(layer="experienced", unit=grades.SCORE)
    themes = tables.theme.filter(framework=FRAMEWORK).select("theme_id", "sort_order", theme="name_nl")
    rows = scores.join(themes, on="theme_id").sort("sort_order", "indicator_id")
    code, other = labels.contrast or ("", "")
    pairs = tables.comparison.filter(
        measurement_year=year, region_code=code, comparator_code=other, breakdown="total"
    ).select("indicator_id", "verdict", synthetic=pl.col("warnings").list.contains(SYNTHETIC))
    verdicts = {indicator: (verdict, synthetic) for indicator, verdict, synthetic in pairs.iter_rows()}
    return [
        Dimension(row["theme"], story_of(tables, labels, year, row), *verdicts.get(row["indicator_id"], ("", False)))
        for row in rows.iter_rows(named=True)
    ]


def _picture(dimensions: Sequence[Dimension]) -> Picture:
    """Rows of dimensions: names at the left, dots with their margins, the verdict in words at the right."""
    story = dimensions[0].story
    drawn = [point for dimension in dimensions for point in dimension.drawn]
    notes, legend = _notes(dimensions, drawn), _legend(dimensions, drawn)
    left = max(sheet.text_width(dimension.name, TEXT) for dimension in dimensions) + EDGE + 0.15
    aside = max(sheet.text_width(_words(dimension), SMALL, bold=True) for dimension in dimensions) + 0.2
    head = sheet.wrapped(_pair(story), aside - 0.1, SMALL)
    above = LINE * len(head) + 0.12
    rows, width = ROW * len(dimensions), WIDTH - EDGE - aside - left
    synthetic = any(p.synthetic for p in drawn) or any(d.synthetic for d in dimensions)
    body = above + rows + 0.55
    page = sheet.make_page(_title(dimensions), _subtitle(dimensions), notes, legend, body, synthetic=synthetic)
    axes = page.axes((left, page.top - above - rows, width, rows))
    low, high = sheet.limits(story, drawn)
    axes.set(xlim=(low, high), ylim=(len(dimensions) - 0.5, -0.5))
    axes.set_xticks(*sheet.ticks(low, high, 6, story.decimals), fontsize=SMALL)
    axes.set_xlabel("\n".join(sheet.wrapped(sheet.axis_unit(story, low), width, SMALL)), fontsize=SMALL, color=GREY)
    axes.set_yticks(range(len(dimensions)), labels=[dimension.name for dimension in dimensions], fontsize=TEXT)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color=FAINT, linewidth=0.7)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    page.write(left + width + 0.15, page.top - 0.02, "\n".join(head), color=GREY, va="top", linespacing=1.25)
    for row, dimension in enumerate(dimensions):
        _draw_row(axes, dimension, row)
        _write_verdict(page, dimension, left + width + 0.15, page.top - above - ROW * (row + 0.5))
    return page.picture("dimensions", _description(dimensions, notes))


# --- what is said


def _pair(story: Story) -> str:
    """The two groups that are compared."""
    first, second = story.labels.contrast or ("", "")
    return f"{story.name_of(first)} tegenover {story.labels.groups.get(second, second)}"


def _title(dimensions: Sequence[Dimension]) -> str:
    """On how many dimensions the groups demonstrably differ, and which way."""
    story, total = dimensions[0].story, len(dimensions)
    first, second = story.labels.contrast or ("", "")
    found = [dimension.verdict for dimension in dimensions]
    counts = {verdict: found.count(verdict) for verdict in DEMONSTRABLE if verdict in found}
    if counts:
        of_all = itertools.chain([f" van de {total} dimensies"], itertools.repeat(""))
        parts = [f"op {n}{of} {_verdict(story, key)}" for (key, n), of in zip(counts.items(), of_all, strict=False)]
        return f"{story.name_of(first)} {texts.listed(parts)} dan {story.labels.groups.get(second, second)}"
    if "no_demonstrable_difference" in found:
        return f"{_pair(story)}: op geen van de {total} dimensies een aantoonbaar verschil"
    return f"{_pair(story)}: over het verschil is niets te zeggen"


def _subtitle(dimensions: Sequence[Dimension]) -> str:
    """Measure, place, time and how many people answered."""
    story = dimensions[0].story
    parts = [capitalised(story.unit), f"{story.name_of(story.labels.region_code)}, {story.year}"]
    if counts := [d.whole.n for d in dimensions if d.whole.n is not None]:
        parts.append(f"{texts.number_range(counts)} antwoorden per dimensie")
    return " · ".join(parts)


def _verdict(story: Story, verdict: str) -> str:
    """The Dutch label of a verdict."""
    return story.labels.verdicts.get(verdict, verdict)


def _words(dimension: Dimension) -> str:
    """The verdict with the sign before it; no verdict where the comparison has none."""
    sign = SIGNS.get(dimension.verdict, "?")
    return f"{sign} {_verdict(dimension.story, dimension.verdict)}" if dimension.verdict else ""


def _numbers(dimension: Dimension) -> str:
    """The two grades that the verdict is about, where both are known."""
    known = shown(dimension.groups)
    return " tegenover ".join(map(dimension.story.text, known)) if len(known) == 2 else ""


def _notes(dimensions: Sequence[Dimension], drawn: Sequence[Point]) -> list[str]:
    """How to read the verdicts, what warnings apply to, which baseline is left out, and the sources."""
    story = dimensions[0].story
    notes = [
        "Het oordeel rechts is berekend uit het verschil zelf. Aan marges die elkaar raken is het niet af te lezen."
    ]
    notes += texts.warning_note(story, [(d.name, p) for d in dimensions for p in shown(d.drawn)])
    year = story.labels.baseline_year
    if year is not None and (left_out := [d.name for d in dimensions if d.breaks]):
        notes.append(f"{year} niet getoond bij {texts.listed(left_out)}: {story.warning('break_in_series')}.")
    return [*notes, texts.source_line(story, sorted(drawn, key=lambda p: p.year))]


def _description(dimensions: Sequence[Dimension], notes: Sequence[str]) -> str:
    """The description of the picture: every number in it."""
    story = dimensions[0].story
    facts = [f"Puntengrafiek van {len(dimensions)} dimensies, {_pair(story)}"]
    for dimension in dimensions:
        numbers = [_said(dimension, point) for point in [*dimension.groups, dimension.whole]]
        facts.append(f"{dimension.name}: {', '.join(filter(None, (*numbers, _verdict(story, dimension.verdict))))}")
    return texts.description(facts, story.unit, notes)


def _said(dimension: Dimension, point: Point) -> str:
    """A figure with its margin and that of the baseline; the reason where there is none."""
    story, then = dimension.story, dimension.before(point)
    name = story.name_of(point.code)
    if point.value is None:
        return f"{name} {story.status(point.status)}"
    asides = [story.margin_text(point)] if point.margin else []
    asides += [f"in {then.year} {story.text(then)}"] if then and point.code != story.labels.region_code else []
    aside = f" ({'; '.join(asides)})" if asides else ""
    return f"{name} {story.text(point)}{aside}"


def _legend(dimensions: Sequence[Dimension], drawn: Sequence[Point]) -> list[Artist]:
    """Legend entries: the groups, the baseline, the region, half-filled markers and margins."""
    story = dimensions[0].story
    entries = []
    for code in story.labels.contrast or ():
        look = sheet.group_look(story, code)
        entries.append(sheet.dot_entry(f"{story.name_of(code)}, {story.year}", look.marker, "", look.colour))
    if any(p.year != story.year for p in drawn):
        hollow = sheet.dot_entry(f"{story.labels.baseline_year} (open teken)", "o", "provisional", GREY)
        hollow.set_alpha(FADED)
        entries.append(hollow)
    if any(d.whole.value is not None for d in dimensions):
        style: dict[str, Any] = {"linestyle": "none", "marker": "|", "markersize": 12, "markeredgewidth": 1.6}
        name = story.name_of(story.labels.region_code)
        entries.append(sheet.line_entry(f"{name}, {story.year}", color=INK, **style))
    now = [p for p in drawn if p.year == story.year]
    return [*entries, *sheet.status_entries(story, now), *sheet.margin_entries(drawn)]


# --- the drawing


def _draw_row(axes: Axes, dimension: Dimension, row: int) -> None:
    """One dimension: the region's tick, and for both groups the figure now with that of the baseline under it."""
    if row % 2 == 0:
        axes.axhspan(row - 0.5, row + 0.5, facecolor="#f5f5f5", linewidth=0, zorder=0)
    if dimension.whole.value is not None:
        axes.plot([dimension.whole.on_axis] * 2, [row - 0.42, row + 0.42], color=INK, linewidth=1.2, zorder=3)
    for point, lane in zip(dimension.groups, LANES, strict=True):
        if (then := dimension.before(point)) is not None:
            _draw_figure(axes, dimension.story, then, row + lane + BASELINE, faded=True)
        _draw_figure(axes, dimension.story, point, row + lane, faded=False)


def _draw_figure(axes: Axes, story: Story, point: Point, y: float, *, faded: bool) -> None:
    """A dot with its margin, hollow and fainter for the baseline; the reason in words where there is no figure."""
    look = sheet.group_look(story, point.code)
    if point.value is None:
        words = f"{story.name_of(point.code)}: {story.status(point.status)}"
        style: dict[str, Any] = {"style": "italic", "fontsize": SMALL, "va": "center", "color": GREY}
        axes.text(
            0.01, y, words, transform=axes.get_yaxis_transform(), zorder=6, bbox=sheet.text_box(alpha=0.85), **style
        )
        return
    alpha = FADED if faded else 1.0
    if point.margin:
        axes.plot(
            point.margin, (y, y), color=look.colour, linewidth=1.4, alpha=alpha, zorder=4, marker="|", markersize=5
        )
    fill = sheet.marker_fill("provisional" if faded else point.status, look.colour)
    style = {"marker": look.marker, "markersize": 4.5 if faded else 7, "linestyle": "none", "alpha": alpha, "zorder": 5}
    axes.plot([point.value], [y], **style, **fill)


def _write_verdict(page: Page, dimension: Dimension, x: float, y: float) -> None:
    """The verdict in words with a sign before it, and under it the two grades."""
    found = dimension.verdict in DEMONSTRABLE
    page.write(x, y + 0.015, _words(dimension), va="bottom", weight="bold" if found else "normal")
    page.write(x, y - 0.015, _numbers(dimension), color=GREY, va="top")
