"""All pictures of a measurement year as files, and a look at what was drawn."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

from reports.charts.dimensions import dimension_pictures
from reports.charts.dots import dots_picture
from reports.charts.map import map_picture
from reports.charts.positions import position_pictures
from reports.charts.ranks import rank_pictures
from reports.charts.sheet import DPI, Picture
from reports.charts.story import ChartLabels, ChartTables, stories
from reports.charts.years import years_picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

logger = logging.getLogger(__name__)

FONTS: Final = "'DejaVu Sans', Verdana, sans-serif"  # Verdana: the same widths, for readers without DejaVu


Drawing = Callable[[ChartTables, ChartLabels, int], Iterator[Picture]]


def headline_pictures(tables: ChartTables, labels: ChartLabels, measurement_year: int) -> Iterator[Picture]:
    """Map, dot plot and line of every headline indicator."""
    for story, companion in stories(tables, labels, measurement_year):
        yield map_picture(story)
        yield dots_picture(story, companion)
        yield years_picture(story)


def overview_pictures(tables: ChartTables, labels: ChartLabels, measurement_year: int) -> Iterator[Picture]:
    """The dimensions, the ranks and the places among all municipalities."""
    yield from dimension_pictures(tables, labels, measurement_year)
    yield from rank_pictures(tables, labels, measurement_year)
    yield from position_pictures(tables, labels, measurement_year)


def pictures(tables: ChartTables, labels: ChartLabels, measurement_year: int) -> Iterator[Picture]:
    """Every picture, in a fixed order."""
    yield from headline_pictures(tables, labels, measurement_year)
    yield from overview_pictures(tables, labels, measurement_year)


def overview_charts(tables: ChartTables, labels: ChartLabels, measurement_year: int) -> dict[str, bytes]:
    """The files of the overview pictures by name: for a process beside the one that draws the others."""
    with TemporaryDirectory() as folder:
        files = draw_charts(tables, labels, measurement_year, Path(folder), overview_pictures)
        return {file.name: file.read_bytes() for file in files}


def draw_charts(
    tables: ChartTables, labels: ChartLabels, measurement_year: int, folder: Path, which: Drawing | None = None
) -> list[Path]:
    """Draw map, dot plot, line and place for every headline indicator, the dimensions and the ranks, in a fixed order.

    Equal input gives byte-identical files. Settings of a user's own matplotlib do not count.
    """
    import matplotlib.style

    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    fixed = {"svg.fonttype": "none", "text.parse_math": False, "hatch.linewidth": 0.7}
    with matplotlib.style.context(["default", fixed]):
        for picture in (which or pictures)(tables, labels, measurement_year):
            paths += _save(picture, folder)
            for problem in text_problems(picture.figure):
                logger.warning("%s: %s", picture.stem, problem)
    return paths


def _save(picture: Picture, folder: Path) -> list[Path]:
    """The picture as SVG with a title and a description for screen readers, and as PNG; returns both files."""
    from matplotlib import rc_context

    raw = io.BytesIO()
    # Names inside the file start from the file's own, so that several pictures can stand in one page.
    with rc_context({"svg.hashsalt": picture.stem}):
        metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        picture.figure.savefig(raw, format="svg", metadata=metadata)
    svg, png = folder / f"{picture.stem}.svg", folder / f"{picture.stem}.png"
    svg.write_text(_accessible(raw.getvalue().decode(), picture), encoding="utf-8", newline="\n")
    words = {"Software": None, "Title": picture.title, "Description": picture.description}
    picture.figure.savefig(png, format="png", dpi=DPI, metadata=words)
    return [svg, png]


def _accessible(svg: str, picture: Picture) -> str:
    """The SVG with role, title and description, and with a fallback for readers without the font."""
    key = picture.stem
    head = f'<svg role="img" aria-labelledby="{key}-title {key}-desc" lang="nl" '
    title = f'<title id="{key}-title">{escape(picture.title)}</title>'
    words = f'{title}\n<desc id="{key}-desc">{escape(picture.description)}</desc>'
    start = svg.index(">", svg.index("<svg ")) + 1
    svg = f"{svg[:start]}\n{words}{svg[start:]}"
    svg = re.sub(r' id="[A-Za-z0-9.]+_\d+"', "", svg)  # counted names that nothing refers to, the same in every file
    return svg.replace("<svg ", head, 1).replace("'DejaVu Sans'", FONTS)


def text_problems(figure: Figure) -> list[str]:
    """Texts that stick out of the figure or lie over one another, one sentence each; empty when all is well.

    What is outside the layout, such as the stamp across made-up figures, is meant to lie over others.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Text

    figure.draw_without_rendering()  # only then legend and ticks have their places
    canvas = figure.canvas if isinstance(figure.canvas, FigureCanvasAgg) else FigureCanvasAgg(figure)
    renderer = canvas.get_renderer()  # type: ignore[no-untyped-call]
    texts = [t for t in figure.findobj(Text) if t.get_visible() and t.get_in_layout() and t.get_text().strip()]
    boxes = [(t.get_text().replace("\n", " "), Text.get_window_extent(t, renderer)) for t in texts]
    page = figure.bbox
    problems = []
    for index, (text, box) in enumerate(boxes):
        if box.x0 < page.x0 or box.y0 < page.y0 or box.x1 > page.x1 or box.y1 > page.y1:
            problems.append(f"'{text}' sticks out of the picture")
        for other, second in boxes[index + 1 :]:
            across = min(box.x1, second.x1) - max(box.x0, second.x0)
            along = min(box.y1, second.y1) - max(box.y0, second.y0)
            if across > 1 and along > 1:  # a pixel of touching line heights is no overlap of letters
                problems.append(f"'{text}' lies over '{other}'")
    return problems
