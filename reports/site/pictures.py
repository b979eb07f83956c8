"""The pictures of the site: only what is drawn; title, figures and notes stand in the page around them.

A picture is drawn once. Its words are then exchanged for those of the other language, so that both show the same.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from xml.sax.saxutils import escape, unescape

from catalog.model import Indicator
from reports import palette
from reports.charts import sheet
from reports.charts.dots import band_style, draw_panel, line_style
from reports.charts.files import FONTS
from reports.charts.map import draw_areas, map_size, write_names
from reports.charts.sheet import SMALL, TEXT
from reports.charts.story import Point, Story, shown
from reports.charts.years import HEIGHT, draw_plot, plot_width, timeline
from reports.claims.figures import DEMONSTRABLE, places, shown_difference, telling
from reports.numbers import number
from reports.view import Row
from reports.words import Words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH: Final = 5.2  # inches: as wide as a phone can show with letters that can be read
MAP_WIDTH: Final = 7.2  # names inside small areas; on a phone the table beside it is easier to read
ROW: Final = 0.27
POINTS: Final = 72  # to an inch
HEAD_LINE: Final = 14.0  # points from line to line of a heading
LONGEST: Final = 2.3  # inches of a name before a row, on one line
_COLOURS: Final = (
    *(palette.PAPER, palette.INK, palette.GREY, palette.LINE),
    *(palette.ORANGE, palette.BLUE, palette.GREEN, palette.PINK),
    palette.ALARM,
    palette.Shade("#767676", "#9aa0a6"),
    palette.Shade("#f7f7f7", "#20252b"),
    palette.Shade("#d4d4d4", "#3d434a"),
)
_NUMBER: Final = re.compile(r"−?[\d.]+(?:,\d+)?%?\Z")


@contextmanager
def drawing() -> Iterator[None]:
    """Settings of a user's own matplotlib do not count; texts stay texts."""
    import matplotlib.style

    with matplotlib.style.context(["default", {"svg.fonttype": "none", "text.parse_math": False}]):
        yield


def dots(story: Story) -> Figure:
    """Every municipality as a dot with its margin, the highest first, with the region and the country as lines."""
    order = sorted(story.now(), key=lambda p: float("-inf") if p.value is None else p.value, reverse=True)
    names = _Names([sheet.marked_name(story, p) for p in order])
    left = names.width
    values = max((sheet.text_width(story.text(p), TEXT) for p in shown(order)), default=0.3) + 0.2
    rows = names.row * len(order) + 0.1
    height = rows + 0.35
    figure = _figure(height)
    width = WIDTH - left - values
    axes = _axes(figure, (left, 0.33, width, rows))
    axes.set(xlim=sheet.limits(story, [*story.now(), *story.lines()]), ylim=(-0.6, len(order) - 0.4))
    draw_panel(axes, story, [p.code for p in order], width, named=False)
    names.write(axes)
    axes.set_xlabel("")
    for point in shown(story.lines()):
        if point.margin:
            axes.axvspan(*point.margin, zorder=0.5, **band_style(story, point.code))
        axes.axvline(point.on_axis, **line_style(story, point.code))
    return figure


class _Names:
    """Names before the rows of a picture, from top to bottom; long ones take several lines, and make rows higher."""

    def __init__(self, names: Sequence[str]) -> None:
        self.lines = [sheet.wrapped(name, LONGEST, TEXT) for name in names]
        self.width = 0.15 + max(sheet.text_width(line, TEXT) for lines in self.lines for line in lines)
        self.row = max(ROW, 0.05 + 0.17 * max(map(len, self.lines)))  # inches

    def write(self, axes: Axes) -> None:
        labels = ["\n".join(lines) for lines in self.lines]
        axes.set_yticks(range(len(labels) - 1, -1, -1), labels=labels, fontsize=TEXT, linespacing=1.05)
        axes.tick_params(axis="y", length=0)


def years(story: Story) -> Figure:
    """The region, its groups and the country over the reference periods, with gaps and breaks."""
    time = timeline(story)
    figure = _figure(HEIGHT + 0.4)
    left = 0.6
    width = max(plot_width(time, WIDTH - left - 0.1), 2.0)
    axes = _axes(figure, (left, 0.3, width, HEIGHT))
    draw_plot(axes, time, width)
    axes.set_xticks(range(time.first, time.last + 1))
    axes.tick_params(axis="x", labelsize=SMALL, length=0)
    return figure


def region_map(story: Story) -> Figure | None:
    """The municipalities coloured by value, each with its name and value; None where there are no outlines."""
    import shapely

    areas = [(p, shapely.from_wkb(story.outlines[p.code])) for p in story.now() if p.code in story.outlines]
    if not areas:
        return None
    room, height = map_size(areas, MAP_WIDTH - 0.1)
    figure = _figure(height + 0.1, MAP_WIDTH)
    axes = _axes(figure, (0.05, 0.05, room, height))
    draw_areas(axes, story, areas, [p.on_axis for p in shown(p for p, _ in areas)] or [0.0])
    left, right = axes.get_xlim()
    write_names(axes, story, areas, room / (right - left))
    return figure


def strips(stories: Sequence[Story], names: Sequence[str], *, shared: bool) -> Figure:
    """A strip for each indicator: all municipalities as dots with margins, and the two groups as larger marks.

    `shared` where all have one scale; else each strip reaches from its own lowest to its own highest figure.
    """
    every = [p for story in stories for p in _on_strip(story)]
    step, foot = (0.62, 0.35) if shared else (0.76, 0.25)
    figure = _figure(step * len(stories) + foot)
    for index, (story, name) in enumerate(zip(stories, names, strict=True)):
        bottom = step * (len(stories) - 1 - index) + foot
        axes = _axes(figure, (0.1, bottom, WIDTH - 0.2, 0.36))
        low, high = sheet.limits(stories[0], every) if shared else sheet.limits(story, _on_strip(story))
        axes.set(xlim=(low, high), ylim=(-1, 1), yticks=[], xticks=[])
        for side in ("top", "left", "right"):
            axes.spines[side].set_visible(False)
        axes.spines["bottom"].set_color(palette.LINE.light)
        axes.text(0.0, 1.08, name, transform=axes.transAxes, fontsize=SMALL, ha="left", va="bottom")
        _draw_strip(axes, story, shared=shared)
        if shared and index == len(stories) - 1:
            axes.set_xticks(*sheet.ticks(low, high, 6, story.decimals), fontsize=SMALL)
    return figure


def _on_strip(story: Story) -> list[Point]:
    return shown([*story.now(), *(story.point(code) for code in story.labels.groups)])


def _draw_strip(axes: Axes, story: Story, *, shared: bool) -> None:
    points = shown(story.now())
    groups = [story.point(code) for code in story.labels.groups]
    for point in points:
        look = sheet.group_look(story, point.code)
        y = 0.35 if story.group_of.get(point.code) == next(iter(story.labels.groups), "") else -0.35
        if point.margin:
            axes.plot(point.margin, (y, y), color=look.colour, linewidth=0.8, alpha=0.55, zorder=2)
        fill = sheet.marker_fill(point.status, look.colour) | {"markeredgewidth": 0.9}
        axes.plot([point.on_axis], [y], marker=look.marker, markersize=3.6, linestyle="none", zorder=3, **fill)
    for place, point in enumerate(shown(groups)):
        look = sheet.group_look(story, point.code)
        y = 0.35 if place == 0 else -0.35
        if point.margin:
            axes.plot(point.margin, (y, y), color=look.colour, linewidth=2.4, solid_capstyle="butt", zorder=4)
        fill = sheet.marker_fill(point.status, look.colour)
        axes.plot([point.on_axis], [y], marker=look.marker, markersize=8, linestyle="none", zorder=5, **fill)
    if not shared:
        ends = sorted(p.on_axis for p in points)
        for end in (ends[0], ends[-1]):
            style: dict[str, Any] = {"fontsize": SMALL - 1, "color": palette.GREY.light, "ha": "center", "va": "top"}
            axes.text(end, -0.12, number(end, story.decimals), transform=axes.get_xaxis_transform(), **style)


class Level(NamedTuple):
    """A row of a profile: a name, the area's own figure, and those it is compared with."""

    name: str
    own: Point
    others: Sequence[Point]


def profile(rows: Sequence[Level], own: Story) -> Figure:
    """The dimensions of one area: its figure with the margin, beside the region and what that is compared with."""
    names = _Names([row.name for row in rows])
    body = names.row * len(rows) + 0.1
    figure = _figure(body + 0.35)
    axes = _axes(figure, (names.width, 0.33, WIDTH - names.width - 0.45, body))
    low, high = sheet.limits(own, [p for row in rows for p in (row.own, *row.others)])
    axes.set(xlim=(low, high), ylim=(-0.6, len(rows) - 0.4))
    axes.set_xticks(*sheet.ticks(low, high, 5, own.decimals), fontsize=SMALL)
    names.write(axes)
    sheet.plain_axes(axes, "top", "right", "left")
    aside: dict[str, Any] = {"xycoords": axes.get_yaxis_transform(), "textcoords": "offset points"}
    for place, row in zip(range(len(rows) - 1, -1, -1), rows, strict=True):
        for point, style in zip(row.others, _BESIDE, strict=False):
            axes.plot([point.on_axis], [place], linestyle="none", zorder=3, **style)
        text = own.status(row.own.status) if row.own.value is None else own.text(row.own)
        axes.annotate(text, (1.0, place), (6, 0), fontsize=TEXT, va="center_baseline", annotation_clip=False, **aside)
        if row.own.margin:
            axes.plot(row.own.margin, (place, place), color=palette.INK.light, linewidth=1.6, marker="|", zorder=4)
        fill = sheet.marker_fill(row.own.status, palette.INK.light)
        axes.plot([row.own.on_axis], [place], marker="D", markersize=6.5, linestyle="none", zorder=5, **fill)
    return figure


# The region as a thick stroke, the rest of the country as a hollow triangle.
_BESIDE: Final[Sequence[Mapping[str, Any]]] = (
    {"marker": "|", "markersize": 13, "markeredgewidth": 3, "color": palette.GREEN.light},
    {"marker": "^", "markersize": 7, "markerfacecolor": "white", "markeredgecolor": palette.GREY.light},
)


class Difference(NamedTuple):
    """A row of the picture of differences: a name, a verdict, the ends of the margin and the difference in words."""

    name: str
    verdict: str
    ends: tuple[float, float, float] | None
    text: str


def forest_row(name: str, row: Row | None, indicator: Indicator, words: Words) -> Difference:
    """A row of `comparison` as a row of the picture; without a margin only its verdict is told."""
    columns = ("difference", "difference_ci_low", "difference_ci_high")
    if row is None or None in [row[column] for column in columns]:
        return Difference(name, "not_decidable" if row is None else row["verdict"], None, "")
    middle, low, high = (shown_difference(row[column], indicator, words) for column in columns)
    decimals = places(indicator, words)
    if row["verdict"] in DEMONSTRABLE:
        decimals = telling([middle, low, high], decimals, words)
    return Difference(name, row["verdict"], (middle, low, high), words.number(middle, decimals))


def forest(rows: Sequence[Difference]) -> Figure:
    """Differences with their margins around nought; all in one unit."""
    known = [row.ends for row in rows if row.ends is not None]
    names = _Names([row.name for row in rows])
    body = names.row * len(rows) + 0.1
    figure = _figure(body + 0.35)
    axes = _axes(figure, (names.width, 0.33, WIDTH - names.width - 0.5, body))
    reach = 1.08 * max((abs(end) for row in known for end in row), default=1.0)
    axes.set(xlim=(-reach, reach), ylim=(-0.6, len(rows) - 0.4))
    names.write(axes)
    axes.set_xticks(*sheet.ticks(-reach, reach, 6, 1), fontsize=SMALL)
    axes.axvline(0, color=palette.INK.light, linewidth=1.2)
    sheet.plain_axes(axes, "top", "right", "left")
    axes.grid(axis="x", color=palette.LINE.light, linewidth=0.6)
    for place, row in zip(range(len(rows) - 1, -1, -1), rows, strict=True):
        if row.ends is not None:
            _draw_difference(axes, place, row, row.ends)
    return figure


_MARKERS: Final[Mapping[str, tuple[str, str]]] = {
    "better": ("^", palette.BLUE.light),
    "worse": ("v", palette.ORANGE.light),
    "higher": ("^", palette.INK.light),
    "lower": ("v", palette.INK.light),
}


def _draw_difference(axes: Axes, place: int, row: Difference, ends: tuple[float, float, float]) -> None:
    marker, colour = _MARKERS.get(row.verdict, ("o", palette.GREY.light))
    axes.plot(ends[1:], (place, place), color=colour, linewidth=1.8, solid_capstyle="butt", zorder=3)
    filled = colour if row.verdict in ("better", "worse") else palette.PAPER.light
    axes.plot([ends[0]], [place], marker=marker, markersize=7, markerfacecolor=filled, markeredgecolor=colour, zorder=4)
    style: dict[str, Any] = {
        "xytext": (6, 0),
        "textcoords": "offset points",
        "fontsize": SMALL,
        "va": "center_baseline",
    }
    axes.annotate(row.text, (1.0, place), xycoords=axes.get_yaxis_transform(), annotation_clip=False, **style)


class Bar(NamedTuple):
    """Money of one line from one payer, in millions: `heading` over the first bar of a line, in all its languages."""

    heading: str
    headings: Sequence[str]
    label: str
    agreed: float | None
    committed: float | None
    paid: float | None


def money(bars: Sequence[Bar], unknown: str) -> Figure:
    """Per line and payer: a filled bar of what is paid in an open one of what is committed; a stroke is the agreement.

    `unknown` stands where no amount was stated. Money has one colour: neither more nor less of it is better.
    """
    places = _places(bars)
    height = places[-1] + 0.2
    left = 0.12 + max(sheet.text_width(bar.label, SMALL) for bar in bars)
    figure = _figure(height + 0.35)
    axes = _axes(figure, (left, 0.33, WIDTH - left - 0.15, height))
    reach = 1.04 * max((amount for bar in bars for amount in bar[3:] if amount is not None), default=1.0)
    axes.set(xlim=(0, reach), ylim=(height, 0), yticks=[])
    axes.set_xticks(*sheet.ticks(0, reach, 6, 0), fontsize=SMALL)
    sheet.plain_axes(axes, "top", "right", "left")
    axes.grid(axis="x", color=palette.LINE.light, linewidth=0.6)
    widest = max(sheet.text_width(heading, SMALL, bold=True) for bar in bars for heading in bar.headings)
    size = SMALL * min(1.0, (WIDTH - 0.2) / widest)
    for bar, place in zip(bars, places, strict=True):
        _draw_money(axes, bar, place, unknown)
        start = {"xytext": (-(left - 0.08) * POINTS, 0), "textcoords": "offset points", "annotation_clip": False}
        style: dict[str, Any] = {"va": "center_baseline", "xycoords": "data"} | start
        axes.annotate(bar.label, (0, place), fontsize=SMALL, **style)
        if bar.heading:
            axes.annotate(bar.heading, (0, place - 0.2), fontsize=size, weight="bold", **style)
    return figure


def _places(bars: Sequence[Bar]) -> list[float]:
    """Where the middle of each bar is, in inches from the top: more room where a heading stands over it."""
    places: list[float] = []
    for bar in bars:
        room = (0.43 if places else 0.33) if bar.heading else 0.2
        places.append((places[-1] if places else 0.0) + room)
    return places


def _draw_money(axes: Axes, bar: Bar, place: float, unknown: str) -> None:
    grey, ink = palette.GREY.light, palette.INK.light
    if bar.committed is None:
        axes.annotate(unknown, (0, place), (4, 0), textcoords="offset points", fontsize=SMALL, va="center_baseline")
    else:
        paper = palette.PAPER.light
        axes.barh([place], [bar.committed], 0.13, facecolor=paper, edgecolor=grey, linewidth=1.1, zorder=3)
    if bar.paid is not None:
        axes.barh([place], [bar.paid], 0.13, facecolor=grey, edgecolor=grey, linewidth=1.1, zorder=4)
    if bar.agreed is not None:
        axes.plot([bar.agreed] * 2, [place - 0.09, place + 0.09], color=ink, linewidth=2.6, zorder=5)


def _figure(height: float, width: float = WIDTH) -> Figure:
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), facecolor="white")
    FigureCanvasSVG(figure)
    return figure


def _axes(figure: Figure, place: sheet.Place) -> Axes:
    """Axes at a place in inches."""
    (left, bottom, width, height), (across, up) = place, figure.get_size_inches()
    axes = figure.add_axes((left / across, bottom / up, width / across, height / up))
    axes.set_facecolor("white")
    return axes


# --- from a figure to a file


def svg_of(figure: Figure, key: str, *, turns_dark: bool = True) -> str:
    """The figure as SVG that is the same for equal figures, and that turns dark where a reader prefers it.

    A map does not: its names stand on light areas and beside them.
    """
    from matplotlib import rc_context

    raw = io.BytesIO()
    with rc_context({"svg.hashsalt": key}):
        figure.savefig(raw, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    svg = raw.getvalue().decode().replace("'DejaVu Sans'", FONTS)
    svg = re.sub(r' id="[A-Za-z0-9.]+_\d+"', "", svg)  # counted names that nothing refers to
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"(\d+\.\d{2})\d+", r"\1", svg)  # a hundredth of a point is enough
    svg = re.sub(r">\s+<", "><", svg)
    start = svg.index(">", svg.index("<svg ")) + 1
    return f"{svg[:start]}<style>{_DARK}</style>{svg[start:]}" if turns_dark else svg


_DARK: Final = "@media (prefers-color-scheme: dark){{text{{fill:{ink}}}{rules}}}".format(
    ink=palette.INK.dark,
    rules="".join(
        f'[style*="{what}: {shade.light}"],[{what}="{shade.light}"]{{{what}:{shade.dark}!important}}'
        for shade in _COLOURS
        for what in ("fill", "stroke")
    ),
)


class Heading(NamedTuple):
    """What stands over a picture, so that it can go without its page: a title, and the stamp of invented figures."""

    title: str
    stamp: str

    def lines(self, width: float) -> list[str]:
        """The title on as many lines as it needs; `width` in points."""
        return sheet.wrapped(self.title, width / POINTS - 0.2, TEXT, bold=True)

    def height(self, width: float) -> float:
        """Room in points."""
        return HEAD_LINE * (len(self.lines(width)) + bool(self.stamp)) + 6


def headed(svg: str, heading: Heading) -> str:
    """The picture with its heading above it."""
    width, height = (float(size) for size in re.findall(r'(?:width|height)="([\d.]+)pt"', svg)[:2])
    room = heading.height(width)
    lines = [(line, palette.INK) for line in heading.lines(width)]
    lines += [(heading.stamp, palette.ALARM)] if heading.stamp else []
    font = f"font-size: {TEXT}px; font-family: {FONTS}; font-weight: bold"
    texts = "".join(
        f'<text x="6" y="{HEAD_LINE * place - room:.1f}" style="{font}; fill: {shade.light}">{escape(line)}</text>'
        for place, (line, shade) in enumerate(lines, 1)
    )
    paper = f"fill: {palette.PAPER.light}"
    ground = f'<rect x="0" y="{-room:.1f}" width="{width}" height="{room + 1:.1f}" style="{paper}"/>'
    whole = re.sub(r'height="[\d.]+pt"', f'height="{height + room:.1f}pt"', svg, count=1)
    box = f'viewBox="0 {-room:.1f} {width} {height + room:.1f}"'
    whole = re.sub(r'viewBox="0 0 [\d.]+ [\d.]+"', box, whole, count=1)
    return whole.replace("</svg>", f"{ground}{texts}</svg>")


def finished(svg: str, language: str, title: str, description: str, texts: Mapping[str, str]) -> str:
    """The picture in a language, with its title and description; `texts` are the words to exchange, from Dutch."""

    def said(match: re.Match[str]) -> str:
        text = unescape(match[1])
        if language != "nl":
            text = texts.get(text, text.translate(_SEPARATORS) if _NUMBER.match(text) else text)
        return f">{escape(text)}</text>"

    svg = re.sub(r">([^<]+)</text>", said, svg)
    words = f"<title>{escape(title)}</title><desc>{escape(description)}</desc>"
    start = svg.index(">", svg.index("<svg ")) + 1
    return svg[:start].replace("<svg ", f'<svg role="img" lang="{language}" ', 1) + words + svg[start:]


_SEPARATORS: Final = str.maketrans(",.", ".,")
