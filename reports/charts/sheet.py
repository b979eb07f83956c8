"""What the pictures share: the page with title, legend and notes, the fitting of text, axes and markers.

Lengths are in inches, font sizes in points. Text widths are measured before anything is placed, so that a longer name
or one more note makes the picture higher instead of cutting text off. Colour never carries a meaning alone: markers,
outlines, line styles and text do so too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import fmean
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from reports.charts.story import Point, Story, shown
from reports.charts.texts import WITH_VALUE
from reports.numbers import number

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH: Final = 8.0  # of every picture; between the margins of A4 its small text is still about 7 points
EDGE: Final = 0.25
LINE: Final = 0.165  # height of a line of small text
DPI: Final = 150
SMALL, TEXT, TITLE = 8.5, 9.5, 13.0
INK, GREY, FAINT = "#000000", "#4d4d4d", "#d9d9d9"
STAMP: Final = "Verzonnen voorbeeld"  # on everything that is drawn from made-up figures
STAMP_ANGLE: Final = 30.0
STAMP_STYLE: Final = {"color": "#b00040", "alpha": 0.2, "weight": "bold", "rotation": STAMP_ANGLE}

Place = tuple[float, float, float, float]  # left, bottom, width and height, from the lower left corner of the page


class GroupLook(NamedTuple):
    """How a group and its municipalities look: as a dot, and on the map."""

    colour: str
    marker: str
    glyph: str  # before a name on the map
    outline: float
    line: str
    outline_word: str


# In drawing order; Okabe and Ito's colours, told apart by all common forms of colour blindness.
GROUP_LOOKS: Final = (
    GroupLook("#d55e00", "s", "■", 2.8, "-", "dikke rand"),
    GroupLook("#0072b2", "o", "", 0.8, "-", "dunne rand"),
    GroupLook("#009e73", "^", "▲", 1.8, "--", "streepjesrand"),
    GroupLook("#cc79a7", "v", "▼", 1.8, ":", "stippelrand"),
)
NO_GROUP: Final = GroupLook(GREY, "D", "", 0.8, "-", "")


@dataclass(frozen=True)
class Picture:
    """A drawn figure, its file name without ending, and the two texts that stand for it where it cannot be seen."""

    stem: str
    figure: Figure
    title: str
    description: str


@dataclass(frozen=True)
class Page:
    """A figure with its title, legend and notes set; the drawing hangs from `top`."""

    figure: Figure
    title: str
    height: float
    top: float
    synthetic: bool

    def axes(self, place: Place) -> Axes:
        """Axes at a place."""
        left, bottom, width, height = place
        return self.figure.add_axes((left / WIDTH, bottom / self.height, width / WIDTH, height / self.height))

    def write(self, x: float, y: float, text: str, size: float = SMALL, **style: Any) -> None:
        """Text at a point."""
        self.figure.text(x / WIDTH, y / self.height, text, fontsize=size, **style)

    def picture(self, stem: str, description: str) -> Picture:
        """The finished page as a picture; the texts of a made-up one say so first."""
        words = f"{STAMP}, geen echte cijfers. {description}" if self.synthetic else description
        return Picture(stem, self.figure, self.title, words)


def make_page(
    title: str, subtitle: str, notes: Sequence[str], legend: Sequence[Artist], body: float, *, synthetic: bool
) -> Page:
    """A page with `body` inches of room for the drawing between title and legend.

    A `synthetic` page says in its title, its subtitle and across the drawing that its figures are made up.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    if synthetic:
        title, subtitle = f"{STAMP}: {title}", f"{subtitle} · dit zijn geen echte cijfers"
    room = WIDTH - 2 * EDGE
    heads = wrapped(title, room, TITLE, bold=True)
    subheads = wrapped(subtitle, room, TEXT)
    feet = [line for note in notes for line in wrapped(note, room, SMALL)]
    widest = max((text_width(str(h.get_label()), SMALL) for h in legend), default=0.0) + 0.65
    columns = max(1, min(len(legend), int(room / widest)))
    above = EDGE + 0.24 * len(heads) + 0.2 * len(subheads) + 0.12
    below = EDGE + LINE * len(feet) + 0.1
    body += 0.21 * -(-len(legend) // columns) + 0.1
    height = above + body + below
    figure = Figure(figsize=(WIDTH, height), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)  # keeps one renderer, and so the measured texts, from drawing to checking
    page = Page(figure, title, height, height - above, synthetic)
    for index, line in enumerate(heads):
        page.write(EDGE, height - EDGE - 0.24 * index, line, TITLE, weight="bold", va="top")
    for index, line in enumerate(subheads):
        page.write(EDGE, height - EDGE - 0.24 * len(heads) - 0.03 - 0.2 * index, line, TEXT, color=GREY, va="top")
    for index, line in enumerate(feet):
        page.write(EDGE, below - 0.1 - LINE * index, line, color=GREY, va="top")
    if legend:
        figure.legend(
            handles=list(legend), loc="lower left", bbox_to_anchor=(EDGE / WIDTH, (below + 0.06) / height),
            ncols=columns, frameon=False, fontsize=SMALL, borderpad=0, borderaxespad=0, columnspacing=1.6,
            handlelength=2.4, handleheight=1.0, labelspacing=0.5,
        )  # fmt: skip
    if synthetic:
        _stamp(page, body)
    return page


def _stamp(page: Page, body: float) -> None:
    """The words across the drawing, as large as fits; light, so that what lies under them stays readable."""
    words, angle = STAMP.upper(), math.radians(STAMP_ANGLE)
    length = 0.9 * min((WIDTH - 2 * EDGE) / math.cos(angle), body / math.sin(angle))
    size = length / text_width(words, 1.0, bold=True)
    middle: dict[str, Any] = {"ha": "center", "va": "center", "rotation_mode": "anchor"}
    # Outside the layout: it is meant to lie over other text.
    page.write(WIDTH / 2, page.top - body / 2, words, size, in_layout=False, zorder=10, **middle, **STAMP_STYLE)


# --- fitting text


@lru_cache(maxsize=4096)
def text_width(text: str, size: float, bold: bool = False) -> float:
    """Width of one line of text in inches; 3% more than its outlines, because pixels round letters up."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family="DejaVu Sans", size=size, weight="bold" if bold else "normal")
    return float(text_to_path.get_text_width_height_descent(text, font, False)[0]) / 72 * 1.03


def wrapped(text: str, width: float, size: float, bold: bool = False) -> list[str]:
    """Text broken between words into lines of at most `width` inches."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and text_width(longer, size, bold) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def spread(positions: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """The positions moved as little as possible so that neighbours are `gap` apart and all lie from low to high."""
    order = sorted(range(len(positions)), key=lambda index: positions[index])
    wanted = [positions[index] - rank * gap for rank, index in enumerate(order)]
    ceiling = max(high - (len(positions) - 1) * gap, low)
    placed = list(positions)
    for rank, index in enumerate(order):
        # Labels in each other's way move as one, to their mean: the least squares under a fixed order.
        ends = range(rank + 1, len(wanted) + 1)
        pooled = max(min(fmean(wanted[start:end]) for end in ends) for start in range(rank + 1))
        placed[index] = min(max(pooled, low), ceiling) + rank * gap
    return placed


def text_box(pad: float = 1, colour: str = "white", alpha: float | None = None) -> dict[str, Any]:
    """A box behind text that hides what lies under it."""
    return {"facecolor": colour, "edgecolor": "none", "pad": pad, "alpha": alpha}


# --- axes


def ticks(low: float, high: float, count: int, decimals: int) -> tuple[list[float], list[str]]:
    """Round numbers between two ends, for an axis, and their texts with just the decimals that tell them apart."""
    from matplotlib.ticker import MaxNLocator

    found = MaxNLocator(nbins=count, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    places = [round(float(t), 9) for t in found if low - 1e-9 <= t <= high + 1e-9]
    exact = (d for d in range(decimals + 4) if all(abs(round(t, d) - t) < 1e-9 for t in places))
    needed = next(exact, decimals)
    return places, [number(t, needed) for t in places]


def limits(story: Story, points: Sequence[Point]) -> tuple[float, float]:
    """Ends of a value axis round all values and margins, within the scale of the indicator."""
    values = [v for p in shown(points) for v in (p.on_axis, *(p.margin or ()))]
    if not values:
        return 0.0, 1.0
    pad = max(0.08 * (max(values) - min(values)), 0.01 * abs(max(values)), 10.0**-story.decimals)
    low, high = min(values) - pad, max(values) + pad
    # A scale ends the axis only where the values come near: a mark on the very edge would be cut in half.
    floor, ceiling = story.scale
    low = max(low, floor - pad / 2) if floor is not None and min(values) >= floor else low
    return low, min(high, ceiling + pad / 2) if ceiling is not None and max(values) <= ceiling else high


def axis_unit(story: Story, low: float) -> str:
    """The unit, and that the axis does not start at nought, or where the scale begins, where that is so."""
    begin = max(story.scale[0] or 0.0, 0.0)
    return f"{story.unit} (as begint niet bij {number(begin, 0)})" if low > begin else story.unit


def plain_axes(axes: Axes, *without: str) -> None:
    """Thin lines across at the ticks, under everything else, and no frame at these sides."""
    axes.grid(axis="y", color=FAINT, linewidth=0.7)
    axes.set_axisbelow(True)
    for side in without:
        axes.spines[side].set_visible(False)


# --- marks and their entries in the legend


def group_look(story: Story, code: str) -> GroupLook:
    """The look of a municipality by its group, or of a group itself."""
    group, groups = story.group_of.get(code, code), list(story.labels.groups)
    return GROUP_LOOKS[groups.index(group) % len(GROUP_LOOKS)] if group in groups else NO_GROUP


def marker_fill(status: str, colour: str) -> dict[str, Any]:
    """Filled for a definitive figure, hollow for a provisional one, half for one that a model of ours filled in."""
    style: dict[str, Any] = {"markerfacecolor": colour, "markeredgecolor": colour, "markeredgewidth": 1.6}
    if status == "provisional":
        return style | {"markerfacecolor": "white"}
    return style | {"fillstyle": "left", "markerfacecoloralt": "white"} if status == "estimated" else style


def group_entries(story: Story) -> list[Artist]:
    """A legend entry for each group that has municipalities, hollow or half-filled where all of its figures are so."""
    entries = []
    for code in (code for code in story.labels.groups if code in story.group_of.values()):
        statuses = {p.status for p in shown(story.now()) if story.group_of.get(p.code) == code}
        look, status = group_look(story, code), statuses.pop() if len(statuses) == 1 else ""
        entries.append(dot_entry(story.name_of(code), look.marker, status, look.colour))
    return entries


def status_entries(story: Story, points: Sequence[Point]) -> list[Artist]:
    """Legend entries for hollow and half-filled markers, where there are such."""
    found = {p.status for p in shown(points)}
    return [
        dot_entry(f"{story.status(status)} ({word})", "o", status, GREY)
        for status, word in zip(WITH_VALUE, ("open teken", "half open teken"), strict=True)
        if status in found
    ]


def margin_entries(points: Sequence[Point]) -> list[Artist]:
    """A legend entry for the margins, where there are such."""
    found = any(p.margin for p in points)
    return [line_entry("95%-marge", color=GREY, linewidth=1.4, marker="|", markersize=7)] if found else []


def dot_entry(label: str, marker: str, status: str, colour: str) -> Artist:
    """A legend entry for a marker."""
    return line_entry(label, linestyle="none", marker=marker, markersize=7, **marker_fill(status, colour))


def line_entry(label: str, **style: Any) -> Artist:
    """A legend entry for a line."""
    from matplotlib.lines import Line2D

    return Line2D([], [], label=label, **style)


def area_entry(label: str, **style: Any) -> Artist:
    """A legend entry for an area."""
    from matplotlib.patches import Patch

    return Patch(label=label, **style)


def marked_name(story: Story, point: Point) -> str:
    """The name of a region, with the asterisk of an unusual change."""
    return f"{story.name_of(point.code)}{'*' if 'unusual_change' in point.warnings else ''}"
