"""Pictures of the headline indicators: a map, a dot plot and a line over the years, as SVG and PNG.

The pictures show figures, never a verdict: the sentence beside them is computed elsewhere. What a figure is worth
(provisional, carried from an older year, no margin known) stands in the picture itself, because pictures get copied
without the page around them. Colour never carries a meaning alone: markers, outlines, line styles and text do so too.

Lengths are in inches, font sizes in points. Text widths are measured before anything is placed, so that a longer name
or one more note makes the picture higher instead of cutting text off.
"""

from __future__ import annotations

import io
import itertools
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from xml.sax.saxutils import escape

import polars as pl

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

logger = logging.getLogger(__name__)

# The fixed Dutch wording of the pictures; what is about a region, a status or a unit comes in with ChartLabels.
WORDS: Final[Mapping[str, str]] = {
    "source": "Bron",
    "year": "peiljaar",
    "years": "peiljaren",
    "period": "peilperiode",
    "periods": "peilperiodes",
    "measurement_year": "meetjaar",
    "used_for": "gebruikt voor meetjaar",
    "and": "en",
    "partly": "deels",
    "caution": "Let op",
    "no_figure": "geen cijfer",
    "hollow": "open teken",
    "half": "half open teken",
    "thick": "dikke rand",
    "dashed": "streepjesrand",
    "dotted": "stippelrand",
    "thin": "dunne rand",
    "margin": "95%-marge",
    "margin_range": "95%-marge per gemeente: ongeveer {range} naar beide kanten.",
    "to": "tot",
    "not_from_zero": "as begint niet bij 0",
    "municipalities": "{n} gemeenten, hoogste waarde bovenaan",
    "same_order": "{n} gemeenten, hoogste waarde links bovenaan; rechts in dezelfde volgorde",
    "carried": "Geen nieuw cijfer voor meetjaar {year}: dit is het cijfer van {period} ({label}).",
    "years_without": "Meetjaren zonder nieuw cijfer: {years}.",
    "shows": "cijfer van {period}",
    "instead": "{country}: {status}. Getoond: {other}.",
    "missing": "{name}: {status}.",
    "from_to": "{name} van {before} ({first}) naar {now} ({second})",
    "mean_median": "Enkele zeer hoge waarden kunnen een gemiddelde optrekken; de mediaan veel minder.",
    "no_outline": "Grens niet bekend, dus niet op de kaart: {names}.",
    "map_of": "Kaart van {place} met {n} gemeenten",
    "dots_of": "Puntengrafiek van {n} gemeenten in {place}, van hoog naar laag",
    "years_of": "Lijngrafiek van {place} over de jaren",
    "highest": "hoogste waarde {value} ({names})",
    "lowest": "laagste waarde {value} ({names})",
    "quarter": "{number}e kwartaal {year}",
    "break_at": "{label} tussen {first} en {second}.",
}
MONTHS: Final = (
    "januari", "februari", "maart", "april", "mei", "juni",
    "juli", "augustus", "september", "oktober", "november", "december",
)  # fmt: skip

OUTLINES_KEY: Final = "outlines"  # optional entry of ChartLabels.names: who drew the municipal outlines

WIDTH: Final = 8.0  # of every picture; between the margins of A4 its small text is still about 7 points
EDGE: Final = 0.25
LINE: Final = 0.165  # height of a line of small text
DPI: Final = 150
SMALLEST, SMALL, TEXT, TITLE = 5.5, 8.5, 9.5, 13.0
INK, GREY, FAINT = "#000000", "#4d4d4d", "#d9d9d9"
FONTS: Final = "'DejaVu Sans', Verdana, sans-serif"  # Verdana: the same widths, for readers without DejaVu

# Groups in drawing order; Okabe and Ito's colours, told apart by all common forms of colour blindness.
GROUP_COLOURS: Final = ("#d55e00", "#0072b2", "#009e73", "#cc79a7")
GROUP_MARKERS: Final = ("s", "o", "^", "v")
GROUP_GLYPHS: Final = ("■", "", "▲", "▼")  # before a name on the map; the second group is the ordinary one
# Width in points, line style and the word for it, for the areas of each group.
GROUP_OUTLINES: Final[tuple[tuple[float, Any, str], ...]] = (
    (2.8, "-", "thick"),
    (0.8, "-", "thin"),
    (1.8, "--", "dashed"),
    (1.8, ":", "dotted"),
)

HATCHES: Final = ("///", "\\\\\\", "...", "xxx", "---", "+++")
WITH_VALUE: Final = ("provisional", "estimated")  # statuses a reader must see although there is a value
STATUS_SIGNS: Final = {"provisional": "†", "estimated": "‡"}  # only where statuses are mixed on a map


@dataclass(frozen=True)
class ChartTables:
    """The published tables the pictures are drawn from (names and columns as in the DuckDB file)."""

    region: pl.DataFrame
    region_member: pl.DataFrame
    indicator: pl.DataFrame
    indicator_value: pl.DataFrame
    source: pl.DataFrame
    change: pl.DataFrame | None = None  # for callers that hand over all they have: the pictures judge no change


@dataclass(frozen=True)
class ChartLabels:
    """Codes and Dutch words of the region and the vocabularies; `groups` stands in drawing order."""

    region_code: str
    groups: dict[str, str]
    country_code: str
    rest_code: str
    names: dict[str, str]
    status: dict[str, str]
    warnings: dict[str, str]
    units: dict[str, str]
    companions: dict[str, str]


@dataclass(frozen=True)
class Point:
    """One figure of one region in one measurement year; value and 95% margin in the indicator's unit."""

    code: str
    year: int
    period: str | None
    value: float | None
    low: float | None = None
    high: float | None = None
    status: str = "definitive"
    warnings: tuple[str, ...] = ()
    table: str | None = None
    series: str | None = None

    @property
    def has_margin(self) -> bool:
        """Whether both ends of the 95% interval are known."""
        return self.low is not None and self.high is not None


@dataclass(frozen=True)
class Story:
    """All that the pictures of one indicator need, up to and including one measurement year."""

    indicator: str
    name: str
    unit: str
    decimals: int
    scale: tuple[float | None, float | None]
    year: int
    years: tuple[int, ...]
    names: dict[str, str]
    members: tuple[str, ...]
    group_of: dict[str, str]
    points: dict[tuple[int, str], Point]
    publishers: dict[str, str]
    outlines: dict[str, bytes]
    labels: ChartLabels

    def point(self, code: str, year: int | None = None) -> Point:
        """The figure of a region; an empty one where the table has no row."""
        year = self.year if year is None else year
        return self.points.get((year, code)) or Point(code, year, None, None, status="")

    def now(self) -> list[Point]:
        """The figures of the municipalities in the story's own measurement year."""
        return [self.point(code) for code in self.members]

    def text(self, value: float) -> str:
        """A value as Dutch text with the indicator's number of decimals."""
        return number_text(value, self.decimals)

    def status(self, point: Point) -> str:
        """The Dutch label of a figure's status."""
        return self.labels.status.get(point.status, point.status or WORDS["no_figure"])


@dataclass(frozen=True)
class Picture:
    """A drawn figure, its file name without ending, and the two texts that stand for it where it cannot be seen."""

    stem: str
    figure: Figure
    title: str
    description: str


# --- words and numbers


def number_text(value: float, decimals: int) -> str:
    """A number in Dutch: decimal comma, points between thousands, a true minus sign; rounded as in the sentences."""
    text = f"{abs(value):,.{decimals}f}".translate(str.maketrans(",.", ".,"))
    return f"−{text}" if value < 0 and text.strip("0.,") else text


def period_text(period: str) -> str:
    """A reference period in Dutch: `2022`, `2022Q1` as `1e kwartaal 2022`, `2022-05` as `mei 2022`."""
    if quarter := re.fullmatch(r"(\d{4})Q([1-4])", period):
        return WORDS["quarter"].format(year=quarter[1], number=quarter[2])
    if month := re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])", period):
        return f"{MONTHS[int(month[2]) - 1]} {month[1]}"
    return period


def period_span(period: str) -> tuple[float, float]:
    """Where a reference period stands on the axis and how long it lasts, both in years."""
    year = float(period[:4])
    if len(period) == 6 and period[4] == "Q":
        return year + (int(period[5]) - 1) / 4, 1 / 4
    if len(period) == 7 and period[4] == "-":
        return year + (int(period[5:]) - 1) / 12, 1 / 12
    return year, 1.0


def axis_place(period: str) -> float:
    """Where a period stands on an axis on which each year reaches from half before to half after its number."""
    start, length = period_span(period)
    return start + length / 2 - 0.5


def listed(items: Sequence[str]) -> str:
    """A list as Dutch text: `a, b en c`."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {WORDS['and']} {items[-1]}"


def years_text(years: Sequence[int]) -> str:
    """Years as short text, neighbouring ones joined: `2022–2024, 2026`."""
    runs: list[list[int]] = []
    for year in sorted(set(years)):
        if runs and year == runs[-1][-1] + 1:
            runs[-1].append(year)
        else:
            runs.append([year])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in runs)


# --- points and places


def measured(points: Sequence[Point]) -> list[Point]:
    """Each measured period once, in order of time: a carried figure is no new measurement.

    A period read in several measurement years is the same figure; the newest statement about it counts. Two series in
    one period stay two points.
    """
    latest = {(p.period, p.series): p for p in sorted(points, key=lambda p: p.year) if p.period is not None}
    return sorted(latest.values(), key=lambda p: (period_span(p.period or "")[0], p.year, p.series or ""))


def segments(points: Sequence[Point]) -> list[list[Point]]:
    """The runs of points that a line may join: one series, consecutive periods, a figure at each of them."""
    runs: list[list[Point]] = []
    last: Point | None = None
    for point in measured(points):
        if point.value is not None:
            if last is not None and _joined(last, point):
                runs[-1].append(point)
            else:
                runs.append([point])
        last = point
    return runs


def _joined(first: Point, second: Point) -> bool:
    """Whether two neighbouring points are consecutive measurements of one series."""
    if first.value is None or first.series != second.series:
        return False
    (start, length), (end, other) = period_span(first.period or ""), period_span(second.period or "")
    return end - start <= max(length, other) + 1e-9


def breaks(points: Sequence[Point]) -> list[tuple[Point, Point]]:
    """Neighbouring measured points that belong to different series."""
    shown = [p for p in measured(points) if p.value is not None]
    return [(a, b) for a, b in itertools.pairwise(shown) if a.series != b.series]


def spread(positions: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """The positions moved as little as possible so that neighbours are `gap` apart and all lie from low to high."""
    order = sorted(range(len(positions)), key=lambda i: positions[i])
    blocks: list[list[float]] = []  # sum and count of positions less their place in the row: least squares, pooled
    for rank, index in enumerate(order):
        blocks.append([positions[index] - rank * gap, 1])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] >= blocks[-1][0] / blocks[-1][1]:
            total, count = blocks.pop()
            blocks[-1][0] += total
            blocks[-1][1] += count
    ceiling = max(high - (len(positions) - 1) * gap, low)
    flat = [min(max(total / count, low), ceiling) for total, count in blocks for _ in range(int(count))]
    placed = [0.0] * len(positions)
    for rank, index in enumerate(order):
        placed[index] = flat[rank] + rank * gap
    return placed


# --- from tables to a story


def stories(tables: ChartTables, labels: ChartLabels, measurement_year: int) -> Iterator[tuple[Story, Story | None]]:
    """Each headline indicator in the order of the catalogue, with its companion where that has figures."""
    for row in tables.indicator.filter(pl.col("headline")).iter_rows(named=True):
        companion = labels.companions.get(row["indicator_id"])
        rows = tables.indicator.filter(pl.col("indicator_id") == companion).to_dicts() if companion else []
        beside = _story(tables, labels, measurement_year, rows[0]) if rows else None
        if beside is not None and all(point.value is None for point in beside.now()):
            beside = None
        yield _story(tables, labels, measurement_year, row), beside


def _story(tables: ChartTables, labels: ChartLabels, year: int, row: Mapping[str, Any]) -> Story:
    """The story of one indicator from its row in the catalogue."""
    values = tables.indicator_value.filter(
        (pl.col("indicator_id") == row["indicator_id"])
        & (pl.col("breakdown") == "total")
        & (pl.col("measurement_year") <= year)
    )
    points = {(p.year, p.code): p for p in map(_point, values.iter_rows(named=True))}
    period = next((p.period for p in points.values() if p.year == year and p.period), str(year))
    members = _members(tables.region_member, labels.region_code, period)
    region = tables.region.filter(pl.col("region_code").is_in([*members]))
    names = dict(region.select("region_code", "name").iter_rows())
    groups = {code: _members(tables.region_member, code, period) for code in labels.groups}
    return Story(
        indicator=row["indicator_id"],
        name=row["name_nl"],
        unit=labels.units.get(row["unit"], row["unit"]),
        decimals=int(row["decimals"] or 0),
        scale=(row["scale_min"], row["scale_max"]),
        year=year,
        years=tuple(sorted({p.year for p in points.values()} | {year})),
        names={**names, **labels.groups, **labels.names},
        members=tuple(sorted(members, key=lambda code: (names.get(code, code), code))),
        group_of={member: code for code, inside in reversed(groups.items()) for member in inside},
        points=points,
        publishers=dict(tables.source.sort("source_id").select("source_table", "publisher").iter_rows()),
        outlines={c: g for c, g in region.select("region_code", "geometry_wkb").iter_rows() if g is not None},
        labels=labels,
    )


def _point(row: Mapping[str, Any]) -> Point:
    """A row of `indicator_value` as a point."""
    return Point(
        code=row["region_code"],
        year=int(row["measurement_year"]),
        period=row["reference_period"],
        value=row["value"],
        low=row["ci_low"],
        high=row["ci_high"],
        status=row["status"] or "",
        warnings=tuple(row["warnings"] or ()),
        table=row["source_table"],
        series=row["series_id"],
    )


def _members(region_member: pl.DataFrame, group: str, period: str) -> tuple[str, ...]:
    """The municipalities of a group in a reference period; else in the last known one before it, else the first."""
    rows = region_member.filter(pl.col("group_code") == group)
    known = sorted(set(rows["period"].cast(pl.String)))
    earlier = [p for p in known if p[:4] <= period[:4]]
    if not known:
        return ()
    chosen = earlier[-1] if earlier else known[0]
    found = rows.filter(pl.col("period").cast(pl.String) == chosen)["municipality_code"]
    return tuple(sorted(found))


def _comparator(story: Story, years: Sequence[int]) -> str:
    """The country, or the rest of the country where that has figures for more years."""
    codes = (story.labels.country_code, story.labels.rest_code)
    counts = [sum(story.point(code, year).value is not None for year in years) for code in codes]
    return codes[1] if counts[1] > counts[0] else codes[0]


# --- what is said under a picture


def _source_line(story: Story, points: Sequence[Point]) -> str:
    """Publisher, tables, reference periods and, where it is so, that figures are provisional."""
    shown = [p for p in points if p.value is not None]
    tables: dict[str, list[str]] = {}
    for table in dict.fromkeys(p.table for p in shown if p.table):
        publisher = story.publishers.get(table) or table.split(" ")[0]
        name = table.removeprefix(f"{publisher} ").replace(" (", ", ").replace(")", "")
        tables.setdefault(publisher, []).append(name)
    source = "; ".join(f"{publisher} ({'; '.join(names)})" for publisher, names in tables.items())
    periods = sorted({p.period for p in shown if p.period})
    parts = [f"{WORDS['source']}: {source or WORDS['no_figure']}"]
    if periods:
        parts.append(f"{_period_word(periods)} {_periods_text(periods)}")
    return " · ".join(parts + _status_parts(story, shown))


def _periods_text(periods: Sequence[str]) -> str:
    """Reference periods as text; neighbouring years joined: `2021–2023 en 2025`."""
    if all(len(p) == 4 for p in periods):
        return listed(years_text([int(p) for p in periods]).split(", "))
    return listed([period_text(p) for p in periods])


def _period_word(periods: Sequence[str]) -> str:
    """The Dutch word for these reference periods: years or other periods, one or more."""
    word = "year" if all(len(p) == 4 for p in periods) else "period"
    return WORDS[word if len(periods) == 1 else f"{word}s"]


def _status_parts(story: Story, shown: Sequence[Point]) -> list[str]:
    """`voorlopig`, `deels voorlopig` or, over several periods, `2024 voorlopig`."""
    parts = []
    periods = sorted({p.period for p in shown if p.period})
    for status in WITH_VALUE:
        label = story.labels.status.get(status, status)
        hit = [p for p in shown if p.status == status]
        if hit and len(hit) == len(shown):
            parts.append(label)
        elif hit and len(periods) > 1:
            parts.append(f"{_periods_text(sorted({p.period or '' for p in hit}))} {label}")
        elif hit:
            parts.append(f"{WORDS['partly']} {label}")
    return parts


def _warning_line(story: Story, points: Sequence[Point], named: Mapping[str, Sequence[Point]]) -> list[str]:
    """One line with the label of every warning, and to what it applies where that is not everything.

    `named` maps what can be said to have the warning (a region, a period) to its points.
    """
    keys = {key for p in points for key in p.warnings} - {"carried_forward", "unusual_change"}
    order = [*story.labels.warnings, *sorted(keys - set(story.labels.warnings))]
    said = []
    for key in (k for k in order if k in keys):
        label = story.labels.warnings.get(key, key)
        hit = [name for name, own in named.items() if any(key in p.warnings for p in own)]
        said.append(label if len(hit) in (0, len(named)) else f"{label} ({listed(hit)})")
    return [f"{WORDS['caution']}: {'; '.join(said)}."] if said else []


def _region_notes(story: Story, lines: Sequence[Point]) -> list[str]:
    """Notes under the map and the dot plot: carried, unusual, warnings of municipalities and of the lines drawn."""
    now = [p for p in story.now() if p.value is not None]
    notes = []
    if now and all("carried_forward" in p.warnings for p in now):
        label = story.labels.warnings.get("carried_forward", "carried_forward")
        period = period_text(now[0].period or "")
        notes.append(WORDS["carried"].format(year=story.year, period=period, label=label))
    unusual = [_change_text(story, p) for p in now if "unusual_change" in p.warnings]
    if unusual:
        notes.append(f"* {story.labels.warnings.get('unusual_change', 'unusual_change')}: {listed(unusual)}.")
    # A warning that all municipalities share is said without names, whether or not a group's mean carries it too.
    shared = set.intersection(*(set(p.warnings) for p in now)) if now else set()
    extra = [p for p in lines if p.value is not None and set(p.warnings) - shared]
    named = {story.names.get(p.code, p.code): [p] for p in [*now, *extra]}
    return notes + _warning_line(story, [*now, *extra], _without(named, shared))


def _change_text(story: Story, point: Point) -> str:
    """A municipality with the figure before and the figure now, where there is a comparable one before."""
    name = story.names.get(point.code, point.code)
    shown = [p for p in measured([story.point(point.code, year) for year in story.years]) if p.value is not None]
    before = [p for p in shown if p.series == point.series and (p.period or "") < (point.period or "")]
    if not before or point.value is None:
        return name
    return WORDS["from_to"].format(
        name=name,
        before=story.text(before[-1].value or 0.0),
        first=period_text(before[-1].period or ""),
        now=story.text(point.value),
        second=period_text(point.period or ""),
    )


def _without(named: Mapping[str, Sequence[Point]], shared: set[str]) -> dict[str, list[Point]]:
    """The points without the warnings that are said for all of them together."""
    from dataclasses import replace

    return {
        name: [replace(p, warnings=tuple(w for w in p.warnings if w not in shared)) for p in own]
        for name, own in named.items()
    }


def _country_notes(story: Story, country: str, years: Sequence[int]) -> list[str]:
    """What is missing of the region's and the country's own figure, and what stands in its place."""
    notes = []
    if country != story.labels.country_code:
        gaps = [p for year in years if (p := story.point(story.labels.country_code, year)).value is None]
        own = gaps[-1]
        other = story.names.get(country, country)
        words = {"country": story.names.get(own.code, own.code), "status": story.status(own), "other": other}
        notes.append(WORDS["instead"].format(**words))
    return notes


def _missing_lines(story: Story, lines: Sequence[Point]) -> list[str]:
    """The lines of the map and the dot plot that cannot be drawn, with the reason."""
    missing = [p for p in lines if p.value is None]
    return [WORDS["missing"].format(name=story.names.get(p.code, p.code), status=story.status(p)) for p in missing]


def _extremes(story: Story) -> list[str]:
    """The highest and the lowest municipality with their values; all of them where several share it."""
    values = {story.names.get(p.code, p.code): p.value for p in story.now() if p.value is not None}
    parts = []
    for word, pick in (("highest", max), ("lowest", min)):
        if values:
            text = story.text(pick(values.values()))
            names = [name for name, value in values.items() if story.text(value) == text]
            parts.append(WORDS[word].format(value=text, names=listed(names)))
    return parts


def _line_values(story: Story, lines: Sequence[Point]) -> list[str]:
    """`Twente 31,5` for each line that has a value."""
    return [f"{story.names.get(p.code, p.code)} {story.text(p.value)}" for p in lines if p.value is not None]


def _title(story: Story, periods: Sequence[str]) -> str:
    """Indicator, place and reference period; a title holds no verdict."""
    place = story.names.get(story.labels.region_code, story.labels.region_code)
    if not periods:
        return f"{story.name} – {place}, {WORDS['measurement_year']} {story.year}"
    return f"{story.name} – {place}, {listed([period_text(p) for p in periods])}"


def _periods(points: Sequence[Point]) -> list[str]:
    """The reference periods of the points that have a value, in order."""
    return sorted({p.period for p in points if p.value is not None and p.period})


# --- the sheet: title above, notes and source below, room for the drawing between


@dataclass(frozen=True)
class Sheet:
    """A figure with its title and notes set; `top` and `bottom` bound the room that is left, in inches."""

    figure: Figure
    height: float
    bottom: float
    top: float

    def axes(self, left: float, bottom: float, width: float, height: float) -> Axes:
        """Axes at a place given in inches from the lower left corner."""
        return self.figure.add_axes((left / WIDTH, bottom / self.height, width / WIDTH, height / self.height))

    def write(self, x: float, y: float, text: str, size: float = SMALL, **style: Any) -> None:
        """Text at a place given in inches."""
        self.figure.text(x / WIDTH, y / self.height, text, fontsize=size, **style)


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


def _sheet(title: str, subtitle: str, notes: Sequence[str], source: str, body: float) -> Sheet:
    """A sheet with `body` inches of room for the drawing."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    room = WIDTH - 2 * EDGE
    heads = wrapped(title, room, TITLE, bold=True)
    subheads = wrapped(subtitle, room, TEXT)
    feet = [line for note in [*notes, source] for line in wrapped(note, room, SMALL)]
    above = EDGE + 0.24 * len(heads) + 0.2 * len(subheads) + 0.12
    below = EDGE + LINE * len(feet) + 0.1
    height = above + body + below
    figure = Figure(figsize=(WIDTH, height), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)  # keeps one renderer, and so the measured texts, from drawing to checking
    sheet = Sheet(figure, height, below, height - above)
    for index, line in enumerate(heads):
        sheet.write(EDGE, height - EDGE - 0.24 * index, line, TITLE, weight="bold", va="top")
    for index, line in enumerate(subheads):
        sheet.write(EDGE, height - EDGE - 0.24 * len(heads) - 0.03 - 0.2 * index, line, TEXT, color=GREY, va="top")
    for index, line in enumerate(feet):
        sheet.write(EDGE, below - 0.1 - LINE * index, line, color=GREY, va="top")
    return sheet


def _legend_shape(handles: Sequence[Artist]) -> tuple[int, float]:
    """Columns of a legend that fits the width of the sheet, and its height in inches."""
    widest = max((text_width(str(h.get_label()), SMALL) for h in handles), default=0.0) + 0.65
    columns = max(1, min(len(handles), int((WIDTH - 2 * EDGE) / widest)))
    return columns, 0.21 * -(-len(handles) // columns) + 0.1


def _legend(sheet: Sheet, handles: Sequence[Artist]) -> None:
    """The legend at the bottom of the room."""
    if handles:
        columns, _ = _legend_shape(handles)
        place = (EDGE / WIDTH, (sheet.bottom + 0.06) / sheet.height)
        sheet.figure.legend(
            handles=list(handles), loc="lower left", bbox_to_anchor=place, ncols=columns, frameon=False, fontsize=SMALL,
            borderpad=0, borderaxespad=0, columnspacing=1.6, handlelength=2.4, handleheight=1.0, labelspacing=0.5,
        )  # fmt: skip


def _ticks(low: float, high: float, count: int) -> list[float]:
    """Round numbers between two ends, for an axis."""
    from matplotlib.ticker import MaxNLocator

    found = MaxNLocator(nbins=count, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    return [round(float(t), 9) for t in found if low - 1e-9 <= t <= high + 1e-9]


def _tick_texts(ticks: Sequence[float], decimals: int) -> list[str]:
    """Tick texts with as few decimals as tell the ticks apart exactly."""
    needed = next((d for d in range(decimals + 4) if all(abs(round(t, d) - t) < 1e-9 for t in ticks)), decimals)
    return [number_text(t, needed) for t in ticks]


def _limits(story: Story, points: Sequence[Point]) -> tuple[float, float]:
    """Ends of a value axis round all values and margins, within the scale of the indicator."""
    values = [v for p in points if p.value is not None for v in (p.value, p.low, p.high) if v is not None]
    if not values:
        return 0.0, 1.0
    pad = max(0.08 * (max(values) - min(values)), 0.01 * abs(max(values)), 10.0**-story.decimals)
    low, high = min(values) - pad, max(values) + pad
    # A scale ends the axis only where the values come near: a mark on the very edge would be cut in half.
    floor, ceiling = story.scale
    low = max(low, floor - pad / 2) if floor is not None and min(values) >= floor else low
    return low, min(high, ceiling + pad / 2) if ceiling is not None and max(values) <= ceiling else high


def _axis_unit(story: Story, low: float) -> str:
    """The unit, and that the axis does not start at nought where that is so."""
    return f"{story.unit} ({WORDS['not_from_zero']})" if low > 0 else story.unit


def _group_style(story: Story, code: str) -> tuple[str, str]:
    """Marker and colour of a municipality by its group, or of a group itself."""
    group = story.group_of.get(code, code)
    if group not in story.labels.groups:
        return "D", GREY
    index = list(story.labels.groups).index(group) % len(GROUP_MARKERS)
    return GROUP_MARKERS[index], GROUP_COLOURS[index]


def _marker_fill(status: str, colour: str) -> dict[str, Any]:
    """Filled for a definitive figure, hollow for a provisional one, half for one that a model of ours filled in."""
    fill = {"provisional": "none", "estimated": "left"}.get(status, "full")
    face = "white" if fill == "none" else colour
    style: dict[str, Any] = {"markerfacecolor": face, "markeredgecolor": colour, "markeredgewidth": 1.6}
    return style | ({"fillstyle": "left", "markerfacecoloralt": "white"} if fill == "left" else {})


def _status_handles(story: Story, points: Sequence[Point]) -> list[Artist]:
    """Legend entries for hollow and half-filled markers, where there are such."""
    from matplotlib.lines import Line2D

    found = {p.status for p in points if p.value is not None}
    return [
        Line2D(
            [], [], linestyle="none", marker="o", markersize=7, **_marker_fill(status, GREY),
            label=f"{story.labels.status.get(status, status)} ({WORDS[word]})",
        )
        for status, word in zip(WITH_VALUE, ("hollow", "half"), strict=True)
        if status in found
    ]  # fmt: skip


def _margin_handles(points: Sequence[Point]) -> list[Artist]:
    """A legend entry for the margins, where there are such."""
    from matplotlib.lines import Line2D

    found = any(p.has_margin for p in points)
    style: dict[str, Any] = {"color": GREY, "linewidth": 1.4, "marker": "|", "markersize": 7}
    return [Line2D([], [], label=WORDS["margin"], **style)] if found else []


def _name(story: Story, point: Point) -> str:
    """The name of a region, with the asterisk of an unusual change."""
    star = "*" if "unusual_change" in point.warnings else ""
    return f"{story.names.get(point.code, point.code)}{star}"


# --- the map


def map_picture(story: Story) -> Picture:
    """A choropleth of the region's municipalities with name and value in each."""
    import shapely

    shapes = {code: shapely.from_wkb(story.outlines[code]) for code in story.members if code in story.outlines}
    country = _comparator(story, [story.year])
    lines = [story.point(code) for code in (story.labels.region_code, country)]
    points = story.now()
    notes = _map_notes(story, shapes, lines, country)
    source = _source_line(story, [*points, *lines])
    if outlines := story.labels.names.get(OUTLINES_KEY):
        source = f"{source} · {outlines}"
    handles = _map_handles(story, [p for p in points if p.code in shapes])
    map_size = _map_size(story, shapes)
    body = map_size[1] + 0.15 + _legend_shape(handles)[1]
    title = _title(story, _periods(points))
    sheet = _sheet(title, " · ".join([story.unit, *_line_values(story, lines)]), notes, source, body)
    if shapes:
        _draw_map(sheet, story, shapes, map_size)
    _legend(sheet, handles)
    place = story.names.get(story.labels.region_code, "")
    facts = [WORDS["map_of"].format(place=place, n=len(points)), *_extremes(story), *_line_values(story, lines)]
    return Picture(f"{story.indicator}_map", sheet.figure, title, _description(facts, story.unit, [*notes, source]))


def _description(facts: Sequence[str], unit: str, ending: Sequence[str]) -> str:
    """The text of a picture for those who do not see it: what it is, the key numbers, notes and source."""
    return f"{facts[0]}: {'; '.join([*facts[1:], unit])}. {' '.join(ending)}"


def _map_notes(story: Story, shapes: Mapping[str, Any], lines: Sequence[Point], country: str) -> list[str]:
    """Notes under the map."""
    notes = _region_notes(story, lines) + _country_notes(story, country, [story.year]) + _missing_lines(story, lines)
    halves = [(p.high - p.low) / 2 for p in story.now() if p.low is not None and p.high is not None]
    if halves:
        ends = dict.fromkeys((story.text(min(halves)), story.text(max(halves))))
        notes.append(WORDS["margin_range"].format(range=f" {WORDS['to']} ".join(ends)))
    if signs := _mixed_signs(story):
        said = [f"{sign} {story.labels.status.get(status, status)}" for status, sign in signs.items()]
        notes.append(f"{'; '.join(said)}.")
    unknown = [story.names.get(code, code) for code in story.members if code not in shapes]
    return notes + ([WORDS["no_outline"].format(names=listed(unknown))] if unknown else [])


def _mixed_signs(story: Story) -> dict[str, str]:
    """The signs behind values, needed only where the municipalities differ in status."""
    found = {p.status for p in story.now() if p.value is not None}
    return {status: sign for status, sign in STATUS_SIGNS.items() if status in found and len(found) > 1}


def _map_size(story: Story, shapes: Mapping[str, Any]) -> tuple[float, float]:
    """Width and height of the map in inches: as wide as the sheet allows beside the colour scale, at most 7 high."""
    import shapely

    if not shapes:
        return 0.0, 0.0
    left, low, right, high = shapely.total_bounds(list(shapes.values()))
    width, ratio = WIDTH - 2 * EDGE - _scale_width(story) - 0.15, (high - low) / (right - left)
    return (width, width * ratio) if width * ratio <= 7 else (7 / ratio, 7.0)


def _map_handles(story: Story, points: Sequence[Point]) -> list[Artist]:
    """Legend entries of the map: outlines by group and hatching by status."""
    from matplotlib.patches import Patch

    handles: list[Artist] = []
    used = {story.group_of.get(p.code) for p in points}
    for index, (code, name) in enumerate(story.labels.groups.items()):
        if code in used:
            width, line, word = GROUP_OUTLINES[index % len(GROUP_OUTLINES)]
            glyph = GROUP_GLYPHS[index % len(GROUP_GLYPHS)]
            label = f"{name} ({', '.join(filter(None, (glyph, WORDS[word])))})"
            handles.append(Patch(facecolor="white", edgecolor=INK, linewidth=width, linestyle=line, label=label))
    for status, hatch in _status_hatches(points).items():
        label = story.labels.status.get(status, status or WORDS["no_figure"])
        handles.append(Patch(facecolor="white", edgecolor=GREY, hatch=hatch, linewidth=0.8, label=label))
    return handles


def _status_hatches(points: Sequence[Point]) -> dict[str, str]:
    """A hatching for each status of municipalities without a figure."""
    found = sorted({p.status for p in points if p.value is None})
    return {status: HATCHES[index % len(HATCHES)] for index, status in enumerate(found)}


def _draw_map(sheet: Sheet, story: Story, shapes: Mapping[str, Any], size: tuple[float, float]) -> None:
    """Areas, names with values, and the colour scale."""
    import shapely
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LinearSegmentedColormap, Normalize

    axes = sheet.axes(EDGE, sheet.top - size[1], *size)
    left, low, right, high = shapely.total_bounds(list(shapes.values()))
    axes.set(xlim=(left, right), ylim=(low, high), xticks=[], yticks=[])
    axes.set_axis_off()
    # ColorBrewer's Blues (5 classes, without its darkest): black text stays readable on each of them.
    blues = LinearSegmentedColormap.from_list("blues", ["#eff3ff", "#bdd7e7", "#6baed6", "#4292c6"])
    values = [p.value for p in story.now() if p.value is not None and p.code in shapes]
    bottom, top = (min(values), max(values)) if values else (0.0, 1.0)
    colours = ScalarMappable(Normalize(bottom, top if top > bottom else bottom + 1), blues)
    _draw_areas(axes, story, shapes, colours)
    _write_names(axes, story, shapes, size[0] / (right - left))
    if values and top > bottom:
        _colour_scale(sheet, story, colours, bottom, top)


def _draw_areas(axes: Axes, story: Story, shapes: Mapping[str, Any], colours: Any) -> None:
    """One patch an area; the heavy outlines last, so that no neighbour covers them."""
    from matplotlib.patches import PathPatch

    hatches = _status_hatches([p for p in story.now() if p.code in shapes])
    groups = list(story.labels.groups)
    for code, shape in shapes.items():
        point, path = story.point(code), _area_path(shape)
        group = story.group_of.get(code)
        width, line, _ = GROUP_OUTLINES[groups.index(group) % len(GROUP_OUTLINES)] if group else GROUP_OUTLINES[1]
        if point.value is None:
            axes.add_patch(PathPatch(path, facecolor="white", edgecolor="#8c8c8c", hatch=hatches[point.status], lw=0))
        else:
            axes.add_patch(PathPatch(path, facecolor=colours.to_rgba(point.value), linewidth=0))
        outline = PathPatch(path, fill=False, edgecolor=INK, linewidth=width, linestyle=line, joinstyle="round")
        outline.set(zorder=6 + width / 10, clip_on=False)  # over the white boxes of labels
        axes.add_patch(outline)


def _area_path(shape: Any) -> Any:
    """The outline of a (multi)polygon with its holes, as one path."""
    import shapely
    from matplotlib.path import Path as Outline

    parts = [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon"]
    rings = [ring for part in parts for ring in (part.exterior, *part.interiors)]
    return Outline.make_compound_path(*(Outline(shapely.get_coordinates(ring), closed=True) for ring in rings))


def _write_names(axes: Axes, story: Story, shapes: Mapping[str, Any], scale: float) -> None:
    """Name and value in every area, at the roomiest place; beside the map with a leader line where none fits.

    `scale` is inches on paper per metre on the ground.
    """
    signs = _mixed_signs(story)
    groups = list(story.labels.groups)
    taken: list[Any] = []
    for code in shapes:
        point = story.point(code)
        group = story.group_of.get(code)
        glyph = GROUP_GLYPHS[groups.index(group) % len(GROUP_GLYPHS)] if group else ""
        name = f"{glyph} {_name(story, point)}".strip()
        if point.value is None:
            # Where name and status do not fit, hatching and legend tell the status.
            ways = [[name, story.status(point)], [name]]
        else:
            ways = [[name, f"{story.text(point.value)}{signs.get(point.status, '')}"]]
        if not any(_write_inside(axes, shapes[code], way, scale, boxed=point.value is None) for way in ways):
            taken.append(_write_outside(axes, shapes[code], ways[0], scale, [*shapes.values(), *taken]))


def _write_inside(axes: Axes, shape: Any, lines: Sequence[str], scale: float, boxed: bool) -> bool:
    """A label inside its area, as large as fits; False where it does not fit."""
    box = {"facecolor": "white", "edgecolor": "none", "pad": 1.0} if boxed else None
    # Much air first: letters that touch a border read badly. Little air only before a label must leave its area.
    for size, air in ((9.5, 0.14), (9.0, 0.14), (8.5, 0.14), (8.0, 0.1), (7.5, 0.04)):
        if (place := roomiest(shape, _label_room(lines, size, air, scale))) is not None:
            style: dict[str, Any] = {"ha": "center", "va": "center", "linespacing": 1.15, "zorder": 5, "bbox": box}
            axes.text(*place, "\n".join(lines), fontsize=size, **style)
            return True
    return False


def _write_outside(axes: Axes, shape: Any, lines: Sequence[str], scale: float, taken: Sequence[Any]) -> Any:
    """A label beside the map with a line to its area; returns the place it takes."""
    import shapely

    anchor = shapely.get_coordinates(shapely.point_on_surface(shape))[0]
    room = _label_room(lines, 8.0, 0.1, scale)
    place = _nearest_free(shapely.union_all(taken), anchor, (*axes.get_xlim(), *axes.get_ylim()), room)
    leader = {"arrowstyle": "-", "color": INK, "linewidth": 0.8, "shrinkA": 0, "shrinkB": 0}
    style: dict[str, Any] = {"ha": "center", "va": "center", "linespacing": 1.15, "zorder": 7, "arrowprops": leader}
    axes.annotate("\n".join(lines), tuple(anchor), tuple(place), fontsize=8.0, annotation_clip=False, **style)
    return _boxes(place[0], place[1], room)


def _label_room(lines: Sequence[str], size: float, air: float, scale: float) -> list[tuple[float, float, float]]:
    """Width, height and height above the middle of each line of a label, in metres, with `air` inches more."""
    step = size * 1.25 / 72
    middle = (len(lines) - 1) / 2
    return [
        ((text_width(line, size) + air) / scale, (step + air) / scale, (middle - row) * step / scale)
        for row, line in enumerate(lines)
    ]


def _boxes(x: Any, y: Any, room: Sequence[tuple[float, float, float]]) -> Any:
    """The outline of a label round each of many middles: a box for every line of text."""
    import shapely

    boxes = [shapely.box(x - w / 2, y + up - h / 2, x + w / 2, y + up + h / 2) for w, h, up in room]
    return shapely.union_all(boxes, axis=0)


def roomiest(shape: Any, room: Sequence[tuple[float, float, float]]) -> tuple[float, float] | None:
    """The middle for a label inside a shape that is farthest from its outline; None where it fits nowhere.

    `room` is width, height and height above the middle of each line of the label.
    """
    import numpy as np
    import shapely

    left, low, right, high = shape.bounds
    x, y = (grid.ravel() for grid in np.meshgrid(np.linspace(left, right, 41), np.linspace(low, high, 41)))
    shapely.prepare(shape)
    for width, height, up in room:  # each line in turn leaves fewer places to look at
        inside = shapely.contains_properly(
            shape, shapely.box(x - width / 2, y + up - height / 2, x + width / 2, y + up + height / 2)
        )
        x, y = x[inside], y[inside]
    if x.size == 0:
        return None
    best = int(np.argmax(np.round(shapely.distance(shape.boundary, _boxes(x, y, room)), 3)))
    return float(x[best]), float(y[best])


def _nearest_free(
    everything: Any, anchor: Any, frame: tuple[float, ...], room: Sequence[tuple[float, float, float]]
) -> Any:
    """The middle for a label nearest to its area that touches neither an area nor another label, inside the frame."""
    import numpy as np
    import shapely

    left, right, low, high = frame
    across, up = max(width for width, _, _ in room) / 2, sum(height for _, height, _ in room) / 2
    grid = np.meshgrid(np.linspace(left + across, right - across, 61), np.linspace(low + up, high - up, 61))
    x, y = (g.ravel() for g in grid)
    boxes = shapely.box(x - across, y - up, x + across, y + up)
    cover = np.zeros(x.size)
    shapely.prepare(everything)
    touched = shapely.intersects(everything, boxes)
    if touched.all():  # a full frame: the place that covers least
        cover = shapely.area(shapely.intersection(everything, boxes))
    best = int(np.argmin(touched * 1e12 + cover * 1e3 + np.round(np.hypot(x - anchor[0], y - anchor[1]), 3)))
    return np.array([x[best], y[best]])


def _scale_width(story: Story) -> float:
    """Width of the colour scale with its numbers."""
    values = [p.value for p in story.now() if p.value is not None]
    texts = _tick_texts(_ticks(min(values), max(values), 6), story.decimals) if values else []
    return 0.3 + max((text_width(text, SMALL) for text in texts), default=0.2)


def _colour_scale(sheet: Sheet, story: Story, colours: Any, bottom: float, top: float) -> None:
    """The colour scale with round numbers."""
    axes = sheet.axes(WIDTH - EDGE - _scale_width(story), sheet.top - 2.6, 0.18, 2.3)
    bar = sheet.figure.colorbar(colours, cax=axes)
    ticks = _ticks(bottom, top, 6)
    bar.set_ticks(ticks, labels=_tick_texts(ticks, story.decimals), fontsize=SMALL)
    bar.ax.minorticks_off()
    bar.ax.tick_params(length=2)


# --- the dot plot


def dots_picture(story: Story, companion: Story | None = None) -> Picture:
    """The municipalities sorted by value, with the region's and the country's line; a companion beside it.

    Both panels keep the order of the first, so that a reader sees where the two tell something else.
    """
    panels = [story] if companion is None else [story, companion]
    countries = [_comparator(panel, [panel.year]) for panel in panels]
    lines = [[p.point(c) for c in (p.labels.region_code, code)] for p, code in zip(panels, countries, strict=True)]
    points = [p for panel in panels for p in panel.now()]
    drawn = [*points, *(p for pair in lines for p in pair)]
    notes = _dots_notes(panels, lines, countries)
    source = _source_line(story, drawn)
    handles = _dots_handles(story, lines, drawn)
    order = sorted(story.now(), key=lambda p: (p.value is None, -(p.value or 0.0), story.names.get(p.code, p.code)))
    left = max(text_width(_name(story, p), TEXT) for p in order) + EDGE + 0.15
    values = [panel.text(p.value) for panel in panels for p in panel.now() if p.value is not None]
    column = max((text_width(value, TEXT) for value in values), default=0.3) + 0.1
    wide = (WIDTH - EDGE + 0.15 - left) / len(panels)
    heads = [wrapped(f"{p.name} ({_panel_period(p)})", wide - 0.15, TEXT, bold=True) for p in panels]
    head = 0.19 * max(len(h) for h in heads) + 0.08 if companion else 0.0
    foot = 0.35 + LINE * max(len(wrapped(_axis_unit(p, 1.0), wide - column - 0.15, SMALL)) for p in panels)
    rows = 0.265 * len(order) + 0.1
    limits = _panel_limits(panels, lines)
    title = _title(story, _periods(story.now()))
    subtitle = WORDS["same_order" if companion else "municipalities"].format(n=len(order))
    sheet = _sheet(title, subtitle, notes, source, head + 0.25 + rows + foot + _legend_shape(handles)[1])
    for index, panel in enumerate(panels):
        start = left + index * wide
        if companion:
            sheet.write(start, sheet.top, "\n".join(heads[index]), TEXT, weight="bold", va="top", linespacing=1.25)
        place = (start, sheet.top - head - 0.25 - rows, wide - column - 0.15, rows)
        _draw_dots(sheet, panel, [p.code for p in order], lines[index], place, limits[index], names=index == 0)
    _legend(sheet, handles)
    description = _dots_description(panels, lines, [*notes, source])
    return Picture(f"{story.indicator}_dots", sheet.figure, title, description)


def _panel_limits(panels: Sequence[Story], lines: Sequence[Sequence[Point]]) -> list[tuple[float, float]]:
    """The ends of each panel's value axis; the same ends where the unit is the same, so that dots can be compared."""
    ends = [_limits(panel, [*panel.now(), *pair]) for panel, pair in zip(panels, lines, strict=True)]
    if len({panel.unit for panel in panels}) == 1:
        return [(min(low for low, _ in ends), max(high for _, high in ends))] * len(panels)
    return ends


def _panel_period(story: Story) -> str:
    """The reference period of a panel."""
    return listed([period_text(p) for p in _periods(story.now())]) or str(story.year)


def _dots_notes(panels: Sequence[Story], lines: Sequence[Sequence[Point]], countries: Sequence[str]) -> list[str]:
    """Notes under the dot plot; those of a companion only where they say something else, with its name."""
    notes: list[str] = []
    for panel, pair, country in zip(panels, lines, countries, strict=True):
        own = _region_notes(panel, pair) + _country_notes(panel, country, [panel.year]) + _missing_lines(panel, pair)
        if panel is panels[0]:
            notes += own + ([WORDS["mean_median"]] if len(panels) > 1 else [])
            continue
        notes += [f"{panel.name} – {note}" for note in own if note not in notes]
    return notes


def _dots_description(panels: Sequence[Story], lines: Sequence[Sequence[Point]], ending: Sequence[str]) -> str:
    """The description of the dot plot with the key numbers of each panel."""
    place = panels[0].names.get(panels[0].labels.region_code, "")
    facts = [WORDS["dots_of"].format(place=place, n=len(panels[0].members))]
    for panel, pair in zip(panels, lines, strict=True):
        numbers = [*_extremes(panel), *_line_values(panel, pair)]
        facts += numbers if len(panels) == 1 else [f"{panel.name}: {', '.join(numbers)}"]
    return _description(facts, panels[0].unit, ending)


def _dots_handles(story: Story, lines: Sequence[Sequence[Point]], drawn: Sequence[Point]) -> list[Artist]:
    """Legend entries of the dot plot: groups, lines, hollow markers, margins."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Artist] = []
    for code, name in story.labels.groups.items():
        own = {p.status for p in story.now() if p.value is not None and story.group_of.get(p.code) == code}
        if code in story.group_of.values():
            marker, colour = _group_style(story, code)
            fill = _marker_fill(own.pop() if len(own) == 1 else "", colour)
            handles.append(Line2D([], [], linestyle="none", marker=marker, markersize=7, label=name, **fill))
    codes = dict.fromkeys(p.code for pair in lines for p in pair if p.value is not None)
    handles += [Line2D([], [], label=story.names.get(code, code), **_line_style(story, code)) for code in codes]
    for code in dict.fromkeys(p.code for pair in lines for p in pair if p.has_margin):
        label = f"{WORDS['margin']} {story.names.get(code, code)}"
        handles.append(Patch(label=label, **_band_style(story, code)))
    return handles + _status_handles(story, drawn) + _margin_handles(story.now())


def _line_style(story: Story, code: str) -> dict[str, Any]:
    """The region's line is solid, that of the country or its rest dashed."""
    if code == story.labels.region_code:
        return {"color": INK, "linewidth": 1.4, "linestyle": "-"}
    # Wider than the region's line and under it, so that both are seen where they coincide.
    return {"color": "#767676", "linewidth": 3.0, "linestyle": (0, (2.2, 1.1))}


def _band_style(story: Story, code: str) -> dict[str, Any]:
    """The margin of the region's line is a grey band, that of the country two thin dashed lines."""
    if code == story.labels.region_code:
        return {"facecolor": FAINT, "alpha": 0.6, "linewidth": 0}
    return {"facecolor": "none", "edgecolor": "#767676", "linestyle": "--", "linewidth": 0.8}


def _draw_dots(
    sheet: Sheet,
    story: Story,
    order: Sequence[str],
    lines: Sequence[Point],
    place: tuple[float, ...],
    limits: tuple[float, float],
    names: bool,
) -> None:
    """One panel: rows from top to bottom in the given order, values in a column at the right."""
    axes = sheet.axes(*place)
    points = [story.point(code) for code in order]
    low, high = limits
    axes.set(xlim=(low, high), ylim=(-0.6, len(order) - 0.4))
    ticks = _ticks(low, high, 5) if any(p.value is not None for p in [*points, *lines]) else []
    axes.set_xticks(ticks, labels=_tick_texts(ticks, story.decimals), fontsize=SMALL)
    unit = _axis_unit(story, low)
    axes.set_xlabel("\n".join(wrapped(unit, place[2], SMALL)), fontsize=SMALL, color=GREY)
    heights = [len(order) - 1 - row for row in range(len(order))]
    axes.set_yticks(heights, labels=[_name(story, p) for p in points] if names else [""] * len(order), fontsize=TEXT)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", color=FAINT, linewidth=0.7)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    for point, y in zip(points, heights, strict=True):
        _draw_dot(axes, story, point, y)
    _draw_lines(sheet, axes, story, lines, place)


def _draw_dot(axes: Axes, story: Story, point: Point, y: float) -> None:
    """One municipality: marker, margin and value; the status in words where there is no value."""
    marker, colour = _group_style(story, point.code)
    aside = axes.get_yaxis_transform()
    if point.value is None:
        box = {"facecolor": "white", "edgecolor": "none", "pad": 1}
        style: dict[str, Any] = {"style": "italic", "fontsize": SMALL, "va": "center", "color": GREY, "bbox": box}
        axes.text(0.02, y, story.status(point), transform=aside, zorder=6, **style)
        return
    if point.low is not None and point.high is not None:
        axes.plot([point.low, point.high], [y, y], color=colour, linewidth=1.4, marker="|", markersize=6, zorder=4)
    style = {"linestyle": "none", "markersize": 7, "zorder": 5, "clip_on": False}
    axes.plot([point.value], [y], marker=marker, **style, **_marker_fill(point.status, colour))
    style = {"xytext": (7, 0), "textcoords": "offset points", "fontsize": TEXT, "va": "center_baseline"}
    axes.annotate(story.text(point.value), (1.0, y), xycoords=aside, annotation_clip=False, **style)


def _draw_lines(sheet: Sheet, axes: Axes, story: Story, lines: Sequence[Point], place: tuple[float, ...]) -> None:
    """The lines of the region and the country, named above the panel to the left and to the right of each other."""
    shown = sorted((p for p in lines if p.value is not None), key=lambda p: p.value or 0.0)
    (low, high), (left, bottom, width, height) = axes.get_xlim(), place
    texts = _line_values(story, shown)
    sizes = [text_width(text, SMALL) + 0.12 for text in texts]
    end = left - 0.02  # where the text before has ended
    for index, point in enumerate(shown):
        value = point.value or 0.0
        if point.low is not None and point.high is not None:
            axes.axvspan(point.low, point.high, zorder=0.5, **_band_style(story, point.code))
        order = 3.0 if point.code == story.labels.region_code else 2.5
        axes.axvline(value, zorder=order, **_line_style(story, point.code))
        x = left + (value - low) / (high - low) * width
        start = x - sizes[index] + 0.18 if index == 0 and len(shown) > 1 else x - 0.06
        start = max(min(start, left + width + 0.35 - sum(sizes[index:])), end)
        sheet.write(start, bottom + height + 0.06, texts[index], va="bottom")
        end = start + sizes[index]


# --- the line over the years


def years_picture(story: Story) -> Picture:
    """The region, its groups and the country over the reference periods, with the numbers in a table below.

    A point stands where something was measured; a line joins consecutive measurements of one series only. Years
    without a figure are hatched, so that a gap is seen as a gap.
    """
    country = _comparator(story, story.years)
    codes = [story.labels.region_code, *story.labels.groups, country]
    series = {code: measured([story.point(code, year) for year in story.years]) for code in codes}
    points = [p for own in series.values() for p in own]
    periods = _periods(points)
    notes = _years_notes(story, series, country)
    source = _source_line(story, points)
    handles = _years_handles(story, series)
    table = 0.2 + 0.2 * (len(codes) + 1)
    ends = [f"{period_text(periods[0])}–{period_text(periods[-1])}"] if len(periods) > 2 else periods
    title = _title(story, ends)
    first, last = _span(story, points)
    low, _ = _limits(story, points)
    unit = _axis_unit(story, low) if periods else story.unit
    sheet = _sheet(title, unit, notes, source, 3.1 + table + 0.12 + _legend_shape(handles)[1])
    left = max(text_width(story.names.get(code, code), SMALL) for code in codes) + EDGE + 0.62
    left = max(left, text_width(WORDS["used_for"], SMALL) + EDGE + 0.1)
    width = _plot_width(story, series, WIDTH - EDGE - left, first, last)
    place = (left, sheet.top - 3.1, width, 3.1)
    _draw_years(sheet, story, series, place, (first, last))
    _years_table(sheet, story, series, place, (first, last))
    _legend(sheet, handles)
    description = _years_description(story, series, [*notes, source])
    return Picture(f"{story.indicator}_years", sheet.figure, title, description)


def _span(story: Story, points: Sequence[Point]) -> tuple[int, int]:
    """First and last year on the axis: all reference periods and all measurement years."""
    years = [int(period_span(p.period)[0]) for p in points if p.period and p.value is not None]
    return min([*years, *story.years]), max([*years, story.year])


def _plot_width(story: Story, series: Mapping[str, Sequence[Point]], room: float, first: int, last: int) -> float:
    """Width of the plot such that the names beside the last points still fit on the sheet."""
    aside = _dodge(series, len(series))
    width = room
    for code, own in series.items():
        shown = [p for p in own if p.value is not None]
        if shown:
            share = (axis_place(shown[-1].period or "") - first + 0.5 + aside) / (last - first + 1)
            name = text_width(story.names.get(code, code), SMALL) + 0.2
            width = min(width, (room - name) / share)
    return width


def _years_notes(story: Story, series: Mapping[str, Sequence[Point]], country: str) -> list[str]:
    """Notes under the line: measurement years without a new figure, breaks, warnings, missing lines."""
    notes = [*_country_notes(story, country, story.years)]
    empty: dict[str, list[int]] = {}
    for year in story.years:
        if reason := _no_new(story, year, list(series)):
            empty.setdefault(reason, []).append(year)
    if empty:
        said = [f"{years_text(years)} ({reason})" for reason, years in empty.items()]
        notes.append(WORDS["years_without"].format(years=listed(said)))
    points = [p for own in series.values() for p in own if p.value is not None]
    by_period = {period_text(period): [p for p in points if p.period == period] for period in _periods(points)}
    notes += _warning_line(story, points, by_period)
    label = story.labels.warnings.get("break_in_series", "break_in_series").capitalize()
    for first, second in _break_places(series):
        notes.append(WORDS["break_at"].format(label=label, first=period_text(first), second=period_text(second)))
    return notes + _line_gaps(story, list(series))


def _line_gaps(story: Story, codes: Sequence[str]) -> list[str]:
    """Lines without a figure in measurement years in which another line has one, with the reason."""
    filled = [year for year in story.years if any(story.point(code, year).value is not None for code in codes)]
    gaps: dict[tuple[str, str], list[int]] = {}
    for code in codes:
        for year in filled:
            if (point := story.point(code, year)).value is None:
                gaps.setdefault((story.names.get(code, code), story.status(point)), []).append(year)
    return [
        WORDS["missing"].format(name=f"{name} ({WORDS['measurement_year']} {years_text(years)})", status=status)
        for (name, status), years in gaps.items()
    ]


def _no_new(story: Story, year: int, codes: Sequence[str]) -> str:
    """`cijfer van 2021` or `niet gemeten`; empty where the measurement year has a figure of its own."""
    points = [story.point(code, year) for code in codes]
    shown = [p for p in points if p.value is not None]
    if not shown:
        return story.status(points[0])
    before = {p.period for other in story.years if other < year for p in (story.point(shown[0].code, other),)}
    carried = all("carried_forward" in p.warnings for p in shown) or shown[0].period in before
    return WORDS["shows"].format(period=period_text(shown[0].period or "")) if carried else ""


def _break_places(series: Mapping[str, Sequence[Point]]) -> list[tuple[str, str]]:
    """Between which reference periods a series breaks, in order of time.

    A line that misses a year breaks over a longer stretch; the shorter stretch of another line says it more exactly.
    """
    found = sorted({(a.period or "", b.period or "") for own in series.values() for a, b in breaks(own)})
    return [(a, b) for a, b in found if not any((c, d) != (a, b) and a <= c and d <= b for c, d in found)]


def _years_handles(story: Story, series: Mapping[str, Sequence[Point]]) -> list[Artist]:
    """Legend entries of the years: hollow markers, margins, years without a figure, breaks."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    points = [p for own in series.values() for p in own]
    handles = _status_handles(story, points) + _margin_handles(points)
    if _gap_years(story, points):
        handles.append(Patch(label=WORDS["no_figure"], **{**_gap_style(), "linewidth": 1.0}))
    if _break_places(series):
        label = story.labels.warnings.get("break_in_series", "break_in_series")
        handles.append(Line2D([], [], color=GREY, linestyle=":", linewidth=1.6, label=label))
    return handles


def _gap_style() -> dict[str, Any]:
    """How a year without a figure looks."""
    return {"facecolor": "#f7f7f7", "edgecolor": "#d4d4d4", "hatch": "///", "linewidth": 0}


def _gap_years(story: Story, points: Sequence[Point]) -> list[int]:
    """Years on the axis in which no line has a figure."""
    first, last = _span(story, points)
    filled = {int(period_span(p.period)[0]) for p in points if p.period and p.value is not None}
    return [year for year in range(first, last + 1) if year not in filled]


def _gap_runs(story: Story, points: Sequence[Point]) -> list[tuple[int, int, str]]:
    """First and last year of each gap and what is said of it."""
    runs: list[tuple[int, int, str]] = []
    for year in _gap_years(story, points):
        own = story.point(story.labels.region_code, year)
        # Only a survey year without a wave is known to be unmeasured; other empty years simply have no figure here.
        known = (year, own.code) in story.points and own.value is None
        text = story.status(own) if known else WORDS["no_figure"]
        if runs and runs[-1][1] == year - 1 and runs[-1][2] == text:
            runs[-1] = (runs[-1][0], year, text)
        else:
            runs.append((year, year, text))
    return runs


def _draw_years(
    sheet: Sheet,
    story: Story,
    series: Mapping[str, Sequence[Point]],
    place: tuple[float, ...],
    span: tuple[int, int],
) -> None:
    """Points, lines, margins, gaps and breaks."""
    axes = sheet.axes(*place)
    points = [p for own in series.values() for p in own]
    low, high = _limits(story, points)
    high += 0.13 * (high - low)  # room above the points for the words on the gaps
    axes.set(xlim=(span[0] - 0.5, span[1] + 0.5), ylim=(low, high), xticks=[])
    ticks = _ticks(low, high, 6) if _periods(points) else []
    axes.set_yticks(ticks, labels=_tick_texts(ticks, story.decimals), fontsize=SMALL)
    axes.grid(axis="y", color=FAINT, linewidth=0.7)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    year_width = place[2] / (span[1] - span[0] + 1)
    for first, last, text in _gap_runs(story, points):
        axes.axvspan(first - 0.5, last + 0.5, zorder=0.4, **_gap_style())
        if text_width(text, SMALL) + 0.1 < year_width * (last - first + 1):
            box = {"facecolor": "#f7f7f7", "edgecolor": "none", "pad": 1}
            style: dict[str, Any] = {"fontsize": SMALL, "color": GREY, "bbox": box}
            axes.text((first + last) / 2, high - 0.02 * (high - low), text, ha="center", va="top", **style)
    for before, after in _break_places(series):
        middle = (axis_place(before) + axis_place(after)) / 2
        axes.axvline(middle, color=GREY, linestyle=":", linewidth=1.6, zorder=1)
    for index, (code, own) in enumerate(series.items()):
        _draw_series(axes, story, code, own, _dodge(series, index))
    _name_series(axes, story, series, place)


def _dodge(series: Mapping[str, Sequence[Point]], index: int) -> float:
    """A small step aside in years, so that margins of several lines do not hide each other."""
    margins = any(p.has_margin for own in series.values() for p in own)
    return 0.08 * (index - (len(series) - 1) / 2) if margins else 0.0


def _series_style(story: Story, code: str) -> dict[str, Any]:
    """Marker, line and colour of a line over the years; the country's marker is larger and lies underneath."""
    if code in story.labels.groups:
        marker, colour = _group_style(story, code)
        return {"color": colour, "marker": marker, "markersize": 7, "linewidth": 1.6, "zorder": 4}
    if code == story.labels.region_code:
        return {"color": INK, "marker": "D", "markersize": 6, "linewidth": 2.2, "zorder": 5}
    return {"color": GREY, "marker": "^", "markersize": 11, "linewidth": 1.6, "linestyle": (0, (4, 2)), "zorder": 3}


def _draw_series(axes: Axes, story: Story, code: str, points: Sequence[Point], aside: float) -> None:
    """The points of one region; only consecutive measurements of one series are joined."""
    style = _series_style(story, code)
    for run in segments(points):
        x = [axis_place(p.period or "") + aside for p in run]
        line = {key: value for key, value in style.items() if not key.startswith("marker")}
        axes.plot(x, [p.value or 0.0 for p in run], **line)
        for position, point in zip(x, run, strict=True):
            if point.low is not None and point.high is not None:
                axes.plot([position] * 2, [point.low, point.high], color=style["color"], linewidth=1.4, marker="_")
            dot = {key: style[key] for key in ("marker", "markersize")} | _marker_fill(point.status, style["color"])
            axes.plot([position], [point.value or 0.0], linestyle="none", zorder=style["zorder"] + 0.5, **dot)


def _name_series(axes: Axes, story: Story, series: Mapping[str, Sequence[Point]], place: tuple[float, ...]) -> None:
    """The name of each line beside its last point, moved up or down where names would touch."""
    last = {code: shown[-1] for code, own in series.items() if (shown := [p for p in own if p.value is not None])}
    (low, high), height = axes.get_ylim(), place[3]
    inch = (high - low) / height
    wanted = [p.value or 0.0 for p in last.values()]
    found = spread(wanted, LINE * 1.05 * inch, low + 0.1 * inch, high - 0.42 * inch)
    (first, end) = axes.get_xlim()
    step = (end - first) / place[2] * 0.17 + _dodge(series, len(series))
    for (code, point), y in zip(last.items(), found, strict=True):
        x = axis_place(point.period or "")
        if abs(y - (point.value or 0.0)) > 0.04 * inch:
            start = x + _dodge(series, list(series).index(code))
            ends = ([start, x + step * 0.95], [point.value or 0.0, y])
            axes.plot(*ends, color=GREY, linewidth=0.6, zorder=2, clip_on=False)
        box = {"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.85}
        axes.text(x + step, y, story.names.get(code, code), fontsize=SMALL, va="center", bbox=box, zorder=6)


def _years_table(
    sheet: Sheet,
    story: Story,
    series: Mapping[str, Sequence[Point]],
    place: tuple[float, ...],
    span: tuple[int, int],
) -> None:
    """The numbers under the plot: a column for each year, a dash where there is no figure."""
    columns = _columns(series, span)
    top = place[1] - 0.08
    sheet.write(place[0] - 0.12, top, _period_word(columns[:1]), color=GREY, ha="right", va="top")
    heads = {column: period_text(column) for column in columns}
    if not _write_row(sheet, heads, place, span, top, weight="bold"):
        years = {str(year): str(year) for year in range(span[0], span[1] + 1)}
        _write_row(sheet, years, place, span, top, weight="bold")
    for row, (code, own) in enumerate(series.items(), 1):
        y = top - 0.03 - 0.2 * row
        _row_key(sheet, story, code, y)
        texts = dict.fromkeys(columns, "–")
        for point in own:
            if point.value is not None and point.period:
                text = story.text(point.value)
                texts[point.period] = text if texts[point.period] == "–" else f"{texts[point.period]} / {text}"
        _write_row(sheet, texts, place, span, y)
    y = top - 0.03 - 0.2 * (len(series) + 1)
    sheet.write(place[0] - 0.12, y, WORDS["used_for"], color=GREY, ha="right", va="top")
    _write_row(sheet, _used_for(story, columns, list(series)), place, span, y, color=GREY)


def _used_for(story: Story, columns: Sequence[str], codes: Sequence[str]) -> dict[str, str]:
    """For each column of the table the measurement years that use its figures."""
    used: dict[str, set[int]] = {column: set() for column in columns}
    for code in codes:
        for point in (story.point(code, year) for year in story.years):
            if point.value is not None and point.period:
                used[point.period].add(point.year)
    return {column: years_text(sorted(years)) or "–" for column, years in used.items()}


def _columns(series: Mapping[str, Sequence[Point]], span: tuple[int, int]) -> list[str]:
    """The periods of the table: every measured one, and the years without any."""
    periods = set(_periods([p for own in series.values() for p in own]))
    filled = {int(p[:4]) for p in periods}
    empty = {str(year) for year in range(span[0], span[1] + 1) if year not in filled}
    return sorted(periods | empty, key=period_span)


def _write_row(
    sheet: Sheet, texts: Mapping[str, str], place: tuple[float, ...], span: tuple[int, int], y: float, **style: Any
) -> bool:
    """One row of the table, smaller where a column is too narrow; False where it would be too small to read."""
    year = place[2] / (span[1] - span[0] + 1)
    middles = {column: place[0] + (axis_place(column) - span[0] + 0.5) * year for column in texts}
    room = min([b - a for a, b in itertools.pairwise(middles.values())] or [place[2]]) - 0.06
    widest = max(text_width(text, SMALL, bold=True) for text in texts.values())
    size = SMALL * min(1.0, room / widest)
    if size < SMALLEST:
        return False
    for column, text in texts.items():
        sheet.write(middles[column], y, text, size, ha="center", va="top", **style)
    return True


def _row_key(sheet: Sheet, story: Story, code: str, y: float) -> None:
    """Marker and name at the beginning of a row of the table."""
    from matplotlib.lines import Line2D

    style = {**_series_style(story, code), "markersize": 7}
    height = (y - 0.065) / sheet.height
    ends = (EDGE / WIDTH, (EDGE + 0.36) / WIDTH)
    sheet.figure.add_artist(Line2D([ends[0], sum(ends) / 2, ends[1]], [height] * 3, markevery=[1], **style))
    sheet.write(EDGE + 0.45, y, story.names.get(code, code), va="top")


def _years_description(story: Story, series: Mapping[str, Sequence[Point]], ending: Sequence[str]) -> str:
    """The description of the line: every number in it."""
    facts = [WORDS["years_of"].format(place=story.names.get(story.labels.region_code, ""))]
    for code, own in series.items():
        numbers = [f"{story.text(p.value)} ({period_text(p.period or '')})" for p in own if p.value is not None]
        if numbers:
            facts.append(f"{story.names.get(code, code)} {listed(numbers)}")
    return _description(facts, story.unit, ending)


# --- drawing all, and looking at what was drawn


def pictures(tables: ChartTables, labels: ChartLabels, measurement_year: int) -> Iterator[Picture]:
    """Every picture, in a fixed order."""
    for story, companion in stories(tables, labels, measurement_year):
        yield map_picture(story)
        yield dots_picture(story, companion)
        yield years_picture(story)


def draw_charts(tables: ChartTables, labels: ChartLabels, measurement_year: int, folder: Path) -> list[Path]:
    """Draw map, dot plot and line for every headline indicator; returns the files in a fixed order.

    Equal input gives byte-identical files. Settings of a user's own matplotlib do not count.
    """
    import matplotlib.style

    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    fixed = {"svg.fonttype": "none", "text.parse_math": False, "hatch.linewidth": 0.7}
    with matplotlib.style.context(["default", fixed]):
        for picture in pictures(tables, labels, measurement_year):
            paths += _save(picture, folder)
            for problem in _text_problems(picture.figure):
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
    """Texts that stick out of the figure or lie over one another, one sentence each; empty when all is well."""
    figure.draw_without_rendering()
    return _text_problems(figure)


def _text_problems(figure: Figure) -> list[str]:
    """The same for a figure that has just been drawn, so that legend and ticks have their places."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Text

    canvas = figure.canvas if isinstance(figure.canvas, FigureCanvasAgg) else FigureCanvasAgg(figure)
    renderer = canvas.get_renderer()  # type: ignore[no-untyped-call]
    texts = [t for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip()]
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
