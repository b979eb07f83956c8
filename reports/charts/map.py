"""The map: municipalities coloured by value, each with its name and value."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from reports.charts import sheet, texts
from reports.charts.sheet import EDGE, GREY, INK, SMALL, WIDTH, Page, Picture
from reports.charts.story import Point, Story, shown
from reports.numbers import number

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

# ColorBrewer's Blues (5 classes, without its darkest): black text stays readable on each of them.
BLUES: Final = ("#eff3ff", "#bdd7e7", "#6baed6", "#4292c6")
HATCHES: Final = ("///", "\\\\\\", "...", "xxx", "---", "+++")
SIGNS: Final = ("†", "‡")  # behind provisional and estimated values, where the municipalities differ in status
# Font size and air round a label. Much air first: letters that touch a border read badly.
LABEL_SIZES: Final = ((9.5, 0.14), (9.0, 0.14), (8.5, 0.14), (8.0, 0.1), (7.5, 0.04))
LONGEST_NAME: Final = 1.6  # inches on one line

Areas = Sequence[tuple[Point, Any]]  # the municipalities with an outline, as (multi)polygon
Label = tuple[tuple[float, float, float], ...]  # width, height and height above the middle of each line, in metres


def map_picture(story: Story) -> Picture:
    """A choropleth of the region's municipalities with name and value in each."""
    import shapely

    areas = [(p, shapely.from_wkb(story.outlines[p.code])) for p in story.now() if p.code in story.outlines]
    values = [p.on_axis for p in shown(p for p, _ in areas)]
    scale = sheet.ticks(min(values), max(values), 6, story.decimals) if values else ([], [])
    aside = 0.3 + max((sheet.text_width(text, SMALL) for text in scale[1]), default=0.2)
    width, height = map_size(areas, WIDTH - 2 * EDGE - aside - 0.15)
    notes, numbers = _notes(story, areas), texts.line_values(story, story.lines())
    title = texts.title(story, texts.when_text(story.now()))
    subtitle, legend = " · ".join([story.unit, *numbers]), _legend(story, areas)
    synthetic = any(p.synthetic for p in (*story.now(), *story.lines()))
    page = sheet.make_page(title, subtitle, notes, legend, height + 0.15, synthetic=synthetic)
    if areas:
        axes = page.axes((EDGE, page.top - height, width, height))
        colours = draw_areas(axes, story, areas, values or [0.0])
        left, right = axes.get_xlim()
        write_names(axes, story, areas, width / (right - left))
        if values and max(values) > min(values):
            _draw_scale(page, WIDTH - EDGE - aside, colours, scale)
    place = story.name_of(story.labels.region_code)
    facts = [f"Kaart van {place} met {len(story.members)} gemeenten", *texts.extremes(story), *numbers]
    return page.picture(f"{story.indicator}_map", texts.description(facts, story.unit, notes))


def map_size(areas: Areas, room: float) -> tuple[float, float]:
    """Width and height of the map in inches: as wide as there is room beside the colour scale, at most 7 high."""
    import shapely

    if not areas:
        return 0.0, 0.0
    left, low, right, high = shapely.total_bounds([shape for _, shape in areas])
    ratio = (high - low) / (right - left)
    return (room, room * ratio) if room * ratio <= 7 else (7 / ratio, 7.0)


def _notes(story: Story, areas: Areas) -> list[str]:
    """What is known of all municipalities, what cannot be seen in the drawing, and the sources."""
    notes = texts.region_notes(story)
    if halves := [(p.margin[1] - p.margin[0]) / 2 for p in story.now() if p.margin]:
        ends = dict.fromkeys(number(half, story.decimals) for half in (min(halves), max(halves)))
        notes.append(f"95%-marge per gemeente: ongeveer {' tot '.join(ends)} naar beide kanten.")
    if signs := _mixed_signs(story):
        notes.append(f"{'; '.join(f'{sign} {story.status(status)}' for status, sign in signs.items())}.")
    drawn = {p.code for p, _ in areas}
    if unknown := [story.name_of(code) for code in story.members if code not in drawn]:
        notes.append(f"Grens niet bekend, dus niet op de kaart: {texts.listed(unknown)}.")
    source = texts.source_line(story, [*story.now(), *story.lines()])
    outlines = story.labels.outlines_source
    return [*notes, f"{source} · {outlines}" if outlines and areas else source]


def _mixed_signs(story: Story) -> dict[str, str]:
    """The signs behind values, needed only where the municipalities differ in status."""
    found = {p.status for p in shown(story.now())}
    signs = zip(texts.WITH_VALUE, SIGNS, strict=True)
    return {status: sign for status, sign in signs if status in found and len(found) > 1}


def _legend(story: Story, areas: Areas) -> list[Artist]:
    """Legend entries of the map: outlines by group and hatching by status."""
    entries = []
    used = {story.group_of.get(p.code) for p, _ in areas}
    for code in (code for code in story.labels.groups if code in used):
        look = sheet.group_look(story, code)
        label = f"{story.name_of(code)} ({', '.join(filter(None, (look.glyph, look.outline_word)))})"
        style = {"edgecolor": INK, "linewidth": look.outline, "linestyle": look.line}
        entries.append(sheet.area_entry(label, facecolor="white", **style))
    for status, hatch in _hatches(areas).items():
        style = {"edgecolor": GREY, "linewidth": 0.8, "hatch": hatch}
        entries.append(sheet.area_entry(story.status(status), facecolor="white", **style))
    return entries


def _hatches(areas: Areas) -> dict[str, str]:
    """A hatching for each status of municipalities without a figure."""
    return dict(zip(sorted({p.status for p, _ in areas if p.value is None}), HATCHES, strict=False))


def draw_areas(axes: Axes, story: Story, areas: Areas, values: Sequence[float]) -> Any:
    """Areas coloured by value or hatched, with outlines by group; returns how values become colours."""
    import shapely
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LinearSegmentedColormap, Normalize
    from matplotlib.patches import PathPatch

    left, low, right, high = shapely.total_bounds([shape for _, shape in areas])
    axes.set(xlim=(left, right), ylim=(low, high), xticks=[], yticks=[])
    axes.set_axis_off()
    bottom, top = min(values), max(values)
    blues = LinearSegmentedColormap.from_list("blues", BLUES)
    colours: Any = ScalarMappable(Normalize(bottom, top if top > bottom else bottom + 1), blues)
    hatches = _hatches(areas)
    for point, shape in areas:
        path, look = _area_path(shape), sheet.group_look(story, point.code)
        if point.value is None:
            axes.add_patch(PathPatch(path, facecolor="white", edgecolor="#8c8c8c", hatch=hatches[point.status], lw=0))
        else:
            axes.add_patch(PathPatch(path, facecolor=colours.to_rgba(point.value), linewidth=0))
        # Heavy outlines last, so that no neighbour covers them; all of them over labels, which may have a white box.
        style: dict[str, Any] = {"edgecolor": INK, "linewidth": look.outline, "linestyle": look.line}
        order = 6 + look.outline / 10
        axes.add_patch(PathPatch(path, fill=False, joinstyle="round", zorder=order, clip_on=False, **style))
    return colours


def _draw_scale(page: Page, left: float, colours: Any, scale: tuple[list[float], list[str]]) -> None:
    """The colour scale with round numbers."""
    axes = page.axes((left, page.top - 2.6, 0.18, 2.3))
    places, numbers = scale
    page.figure.colorbar(colours, cax=axes).set_ticks(places, labels=numbers, fontsize=SMALL)
    axes.minorticks_off()
    axes.tick_params(length=2)


def _area_path(shape: Any) -> Any:
    """The outline of a (multi)polygon with its holes, as one path."""
    import shapely
    from matplotlib.path import Path

    parts = [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon"]
    rings = [ring for part in parts for ring in (part.exterior, *part.interiors)]
    return Path.make_compound_path(*(Path(shapely.get_coordinates(ring), closed=True) for ring in rings))


# --- names and values


def write_names(axes: Axes, story: Story, areas: Areas, scale: float) -> None:
    """Name and value in every area, at the roomiest place; beside the map with a leader line where none fits.

    `scale` is inches on paper per metre on the ground.
    """
    signs = _mixed_signs(story)
    taken = [shape for _, shape in areas]
    for point, shape in areas:
        name = f"{sheet.group_look(story, point.code).glyph} {sheet.marked_name(story, point)}".strip()
        names = sheet.wrapped(name, LONGEST_NAME, LABEL_SIZES[0][0])
        if point.value is None:
            # Where name and status do not fit, hatching and legend tell the status.
            ways = [[*names, story.status(point.status)], names]
        else:
            ways = [[*names, f"{story.text(point)}{signs.get(point.status, '')}"]]
        if not any(_write_inside(axes, shape, way, scale, boxed=point.value is None) for way in ways):
            taken.append(_write_outside(axes, shape, ways[0], scale, taken))


def _write_inside(axes: Axes, shape: Any, lines: Sequence[str], scale: float, boxed: bool) -> bool:
    """A label inside its area, as large as fits; False where it does not fit."""
    for size, air in LABEL_SIZES:
        if (place := roomiest(shape, _label(lines, size, air, scale))) is not None:
            style: dict[str, Any] = {"ha": "center", "va": "center", "linespacing": 1.15, "zorder": 5}
            axes.text(*place, "\n".join(lines), fontsize=size, bbox=sheet.text_box() if boxed else None, **style)
            return True
    return False


def _write_outside(axes: Axes, shape: Any, lines: Sequence[str], scale: float, taken: Sequence[Any]) -> Any:
    """A label beside the map with a line to its area; returns the place it takes."""
    import shapely

    anchor = shapely.get_coordinates(shapely.point_on_surface(shape))[0]
    label = _label(lines, 8.0, 0.1, scale)
    place = _nearest_free(shapely.union_all(taken), anchor, (*axes.get_xlim(), *axes.get_ylim()), label)
    leader = {"arrowstyle": "-", "color": INK, "linewidth": 0.8, "shrinkA": 0, "shrinkB": 0}
    style: dict[str, Any] = {"ha": "center", "va": "center", "linespacing": 1.15, "zorder": 7, "arrowprops": leader}
    axes.annotate("\n".join(lines), tuple(anchor), place, fontsize=8.0, annotation_clip=False, **style)
    return shapely.union_all(_boxes(*place, label))


def _label(lines: Sequence[str], size: float, air: float, scale: float) -> Label:
    """The lines of a label as they are on the ground, with `air` inches more."""
    step = size * 1.25 / 72
    middle = (len(lines) - 1) / 2
    return tuple(
        ((sheet.text_width(line, size) + air) / scale, (step + air) / scale, (middle - row) * step / scale)
        for row, line in enumerate(lines)
    )


def _boxes(x: Any, y: Any, label: Label) -> list[Any]:
    """For every line of a label the box, or the boxes where x and y are many middles."""
    import shapely

    return [shapely.box(x - w / 2, y + up - h / 2, x + w / 2, y + up + h / 2) for w, h, up in label]


@lru_cache(maxsize=1024)
def roomiest(shape: Any, label: Label) -> tuple[float, float] | None:
    """The middle for a label inside a shape that is farthest from its outline; None where it fits nowhere.

    Maps of many indicators ask the same: names stay, and numbers of as many digits are as wide.
    """
    import numpy as np
    import shapely

    left, low, right, high = shape.bounds
    x, y = (grid.ravel() for grid in np.meshgrid(np.linspace(left, right, 41), np.linspace(low, high, 41)))
    shapely.prepare(shape)
    for line in label:  # each line in turn leaves fewer places to look at
        inside = shapely.contains_properly(shape, _boxes(x, y, (line,))[0])
        x, y = x[inside], y[inside]
    if x.size == 0:
        return None
    outlines = shapely.union_all(_boxes(x, y, label), axis=0)
    best = int(np.argmax(np.round(shapely.distance(shape.boundary, outlines), 3)))
    return float(x[best]), float(y[best])


def _nearest_free(everything: Any, anchor: Any, frame: tuple[float, ...], label: Label) -> tuple[float, float]:
    """The middle for a label nearest to its area that touches neither an area nor another label, inside the frame."""
    import numpy as np
    import shapely

    left, right, low, high = frame
    across, up = max(width for width, _, _ in label) / 2, sum(height for _, height, _ in label) / 2
    grid = np.meshgrid(np.linspace(left + across, right - across, 61), np.linspace(low + up, high - up, 61))
    x, y = (g.ravel() for g in grid)
    boxes = shapely.box(x - across, y - up, x + across, y + up)
    shapely.prepare(everything)
    touched = shapely.intersects(everything, boxes)
    best = int(np.argmin(touched * 1e12 + np.round(np.hypot(x - anchor[0], y - anchor[1]), 3)))
    return float(x[best]), float(y[best])
