"""The dot plot: municipalities sorted by value, with the lines of the region and the country."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from reports.charts import sheet, texts
from reports.charts.sheet import EDGE, FAINT, GREY, INK, LINE, SMALL, TEXT, WIDTH, Page, Picture, Place
from reports.charts.story import Point, Story, shown

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes


def dots_picture(story: Story, companion: Story | None = None) -> Picture:
    """The municipalities sorted by value, with the region's and the country's line; a companion beside it.

    Both panels keep the order of the first, so that a reader sees where the two tell something else.
    """
    panels = [panel for panel in (story, companion) if panel]
    order = sorted(story.now(), key=lambda p: -math.inf if p.value is None else p.value, reverse=True)
    drawn = [p for panel in panels for p in panel.now()] + [p for panel in panels for p in panel.lines()]
    notes = [*_notes(panels), texts.source_line(story, drawn)]
    left = max(sheet.text_width(sheet.marked_name(story, p), TEXT) for p in order) + EDGE + 0.15
    room = (WIDTH - EDGE + 0.15 - left) / len(panels)
    values = [panel.text(p) for panel in panels for p in shown(panel.now())]
    column = max((sheet.text_width(value, TEXT) for value in values), default=0.3) + 0.1
    width = room - column - 0.15
    heads = [sheet.wrapped(_head(panel), room - 0.15, TEXT, bold=True) for panel in panels]
    head = 0.19 * max(map(len, heads)) + 0.08 if companion else 0.0
    foot = 0.35 + LINE * max(len(sheet.wrapped(sheet.axis_unit(panel, math.inf), width, SMALL)) for panel in panels)
    rows = 0.265 * len(order) + 0.1
    title = texts.title(story, texts.when_text(order))
    way = "links bovenaan; rechts in dezelfde volgorde" if companion else "bovenaan"
    subtitle = f"{len(order)} gemeenten, hoogste waarde {way}"
    body, synthetic = head + 0.25 + rows + foot, any(p.synthetic for p in drawn)
    page = sheet.make_page(title, subtitle, notes, _legend(panels, drawn), body, synthetic=synthetic)
    for index, panel in enumerate(panels):
        start = left + index * room
        if companion:
            page.write(start, page.top, "\n".join(heads[index]), TEXT, weight="bold", va="top", linespacing=1.25)
        axes = page.axes((start, page.top - head - 0.25 - rows, width, rows))
        axes.set(xlim=_limits(panel, panels), ylim=(-0.6, len(order) - 0.4))
        draw_panel(axes, panel, [p.code for p in order], width, named=index == 0)
        _draw_lines(page, axes, panel, (start, page.top - head - 0.25 - rows, width, rows))
    return page.picture(f"{story.indicator}_dots", _description(panels, notes))


def _head(story: Story) -> str:
    """The indicator of a panel and its reference period."""
    return f"{story.name} ({texts.when_text(story.now()) or story.year})"


def _limits(story: Story, panels: Sequence[Story]) -> tuple[float, float]:
    """The ends of a panel's value axis; the same ends where the unit is the same, so that dots can be compared."""
    ends = [sheet.limits(panel, [*panel.now(), *panel.lines()]) for panel in panels if panel.unit == story.unit]
    return min(low for low, _ in ends), max(high for _, high in ends)


# --- what is said


def _notes(panels: Sequence[Story]) -> list[str]:
    """Notes under the dot plot; those of a companion only where they say something else, with its name."""
    notes = texts.region_notes(panels[0])
    for companion in panels[1:]:
        notes.append("Enkele zeer hoge waarden kunnen een gemiddelde optrekken; de mediaan veel minder.")
        notes += [f"{companion.name} – {note}" for note in texts.region_notes(companion) if note not in notes]
    return notes


def _description(panels: Sequence[Story], notes: Sequence[str]) -> str:
    """The description of the dot plot with the key numbers of each panel."""
    place = panels[0].name_of(panels[0].labels.region_code)
    facts = [f"Puntengrafiek van {len(panels[0].members)} gemeenten in {place}, van hoog naar laag"]
    for panel in panels:
        numbers = [*texts.extremes(panel), *texts.line_values(panel, panel.lines())]
        facts += numbers if len(panels) == 1 else [f"{panel.name}: {', '.join(numbers)}"]
    return texts.description(facts, panels[0].unit, notes)


def _legend(panels: Sequence[Story], drawn: Sequence[Point]) -> list[Artist]:
    """Legend entries of the dot plot: groups, lines, hollow markers, margins."""
    story = panels[0]
    entries = sheet.group_entries(story)
    lines = [p for panel in panels for p in shown(panel.lines())]
    codes, bands = dict.fromkeys(p.code for p in lines), dict.fromkeys(p.code for p in lines if p.margin)
    entries += [sheet.line_entry(story.name_of(code), **line_style(story, code)) for code in codes]
    entries += [sheet.area_entry(f"95%-marge {story.name_of(code)}", **band_style(story, code)) for code in bands]
    return entries + sheet.status_entries(story, drawn) + sheet.margin_entries(story.now())


# --- the drawing


def line_style(story: Story, code: str) -> dict[str, Any]:
    """The region's line is solid, that of the country or its rest dashed."""
    if code == story.labels.region_code:
        return {"color": INK, "linewidth": 1.4, "linestyle": "-", "zorder": 3.0}
    # Wider than the region's line and under it, so that both are seen where they coincide.
    return {"color": "#767676", "linewidth": 3.0, "linestyle": (0, (2.2, 1.1)), "zorder": 2.5}


def band_style(story: Story, code: str) -> dict[str, Any]:
    """The margin of the region's line is a grey band, that of the country two thin dashed lines."""
    if code == story.labels.region_code:
        return {"facecolor": FAINT, "alpha": 0.6, "linewidth": 0}
    return {"facecolor": "none", "edgecolor": "#767676", "linestyle": "--", "linewidth": 0.8}


def draw_panel(axes: Axes, story: Story, order: Sequence[str], width: float, named: bool) -> None:
    """The axes and dots of one panel: rows from top to bottom."""
    points, rows = [story.point(code) for code in order], range(len(order) - 1, -1, -1)
    low, high = axes.get_xlim()
    known = shown([*points, *story.lines()])
    axes.set_xticks(*(sheet.ticks(low, high, 5, story.decimals) if known else ([], [])), fontsize=SMALL)
    axes.set_xlabel("\n".join(sheet.wrapped(sheet.axis_unit(story, low), width, SMALL)), fontsize=SMALL, color=GREY)
    axes.set_yticks(rows, labels=[sheet.marked_name(story, p) if named else "" for p in points], fontsize=TEXT)
    axes.tick_params(axis="y", length=0)
    sheet.plain_axes(axes, "top", "right", "left")
    for point, row in zip(points, rows, strict=True):
        _draw_dot(axes, story, point, row)


def _draw_dot(axes: Axes, story: Story, point: Point, row: int) -> None:
    """One municipality: marker, margin and value at the right; the status in words where there is no value."""
    look, aside = sheet.group_look(story, point.code), axes.get_yaxis_transform()
    if point.value is None:
        style: dict[str, Any] = {"style": "italic", "fontsize": SMALL, "va": "center", "color": GREY}
        axes.text(0.02, row, story.status(point.status), transform=aside, zorder=6, bbox=sheet.text_box(), **style)
        return
    if point.margin:
        axes.plot(point.margin, (row, row), color=look.colour, linewidth=1.4, marker="|", markersize=6, zorder=4)
    style = {"linestyle": "none", "markersize": 7, "zorder": 5, "clip_on": False}
    axes.plot([point.value], [row], marker=look.marker, **style, **sheet.marker_fill(point.status, look.colour))
    style = {"xytext": (7, 0), "textcoords": "offset points", "fontsize": TEXT, "va": "center_baseline"}
    axes.annotate(story.text(point), (1.0, row), xycoords=aside, annotation_clip=False, **style)


def _draw_lines(page: Page, axes: Axes, story: Story, place: Place) -> None:
    """The lines of the region and the country, named above the panel to the left and to the right of each other."""
    (low, high), (left, bottom, width, height) = axes.get_xlim(), place
    points = sorted(shown(story.lines()), key=lambda p: p.on_axis)
    names = texts.line_values(story, points)
    sizes = [sheet.text_width(name, SMALL) + 0.12 for name in names]
    end = left - 0.02  # where the text before has ended
    for index, point in enumerate(points):
        if point.margin:
            axes.axvspan(*point.margin, zorder=0.5, **band_style(story, point.code))
        axes.axvline(point.on_axis, **line_style(story, point.code))
        x = left + (point.on_axis - low) / (high - low) * width
        start = x - sizes[index] + 0.18 if index == 0 and len(points) > 1 else x - 0.06
        start = max(min(start, left + width + 0.35 - sum(sizes[index:])), end)
        page.write(start, bottom + height + 0.06, names[index], va="bottom")
        end = start + sizes[index]
