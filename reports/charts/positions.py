"""The places: where the municipalities lie among all municipalities of the country on one indicator.

What can be said about a place is read from the table `position`; from the picture alone it cannot be seen.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from reports.charts import grades, sheet, texts
from reports.charts.sheet import EDGE, FAINT, GREY, INK, LINE, SMALL, TEXT, WIDTH, Page, Picture
from reports.charts.story import ChartLabels, ChartTables, Point, Story, shown, story_of
from reports.numbers import number

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

ROW: Final = 0.3  # height of a municipality
STRIP: Final = 0.62  # height of the strip of all municipalities above them
HEAD: Final = 0.42  # room above that strip
COLUMN_GAP: Final = 0.15
AMONG: Final = "country"
TAIL: Final = 1.0  # how far the axis reaches beyond the middle 80%, in widths of it, where no own municipality is
# The bands of the distribution, from wide to narrow: columns, words, height in the strip and look.
BANDS: Final = (
    ("minimum", "maximum", "laagste tot hoogste", 0.16, "#e4e4e4"),
    ("percentile_10", "percentile_90", "middelste 80%", 0.34, "#cfcfcf"),
    ("percentile_25", "percentile_75", "middelste helft", 0.56, "#b3b3b3"),
)
MEDIAN: Final[Mapping[str, Any]] = {"color": INK, "linewidth": 1.4, "linestyle": (0, (1.2, 1.2))}
SIGNS: Final = {
    "worst_quarter": "▼", "best_quarter": "▲", "lowest_quarter": "▽", "highest_quarter": "△", "middle_half": "=",
    "not_certain": "~", "not_decidable": "?",
}  # fmt: skip
# What a title counts, the lower or less favourable end first: where a side is favourable, and where none is.
EXTREMES: Final = (("worst_quarter", "lowest_quarter"), ("best_quarter", "highest_quarter"))
QUARTERS: Final = tuple(itertools.chain(*EXTREMES))


@dataclass(frozen=True)
class Place:
    """Where a municipality lies: its figure, what can be said, and the share of the others that lies lower."""

    point: Point
    position: str
    percentile: float | None
    margin: tuple[float, float] | None  # of that share


@dataclass(frozen=True)
class Column:
    """A column of words beside the rows: the lines of its head, a text for each row, and which of them stand out."""

    head: tuple[str, ...]
    rows: list[str]
    bold: list[bool]

    @property
    def width(self) -> float:
        """Room for the widest of its texts, with the gap before it."""
        texts_down = zip((*self.head, *self.rows), (*(False for _ in self.head), *self.bold), strict=True)
        return max(sheet.text_width(text, SMALL, bold) for text, bold in texts_down) + COLUMN_GAP


@dataclass(frozen=True)
class Positions:
    """The places of the municipalities, and the distribution they are places in, in the unit that readers see."""

    story: Story
    places: tuple[Place, ...]  # the highest figure first
    distribution: dict[str, float]
    municipalities: int
    polarity: int

    @property
    def points(self) -> list[Point]:
        """The figures of the municipalities."""
        return [place.point for place in self.places]

    def count(self, position: str) -> int:
        """Of how many municipalities this can be said."""
        return sum(place.position == position for place in self.places)

    def text(self, name: str) -> str:
        """A number of the distribution."""
        return number(self.distribution[name], self.story.decimals)


def position_pictures(tables: ChartTables, labels: ChartLabels, measurement_year: int) -> Iterator[Picture]:
    """The picture of each headline indicator that has figures of the whole country."""
    if tables.position.is_empty():
        return
    for row in tables.indicator.filter("headline").iter_rows(named=True):
        rows = tables.position.filter(
            measurement_year=measurement_year, indicator_id=row["indicator_id"], among=AMONG
        ).filter(*(pl.col(column).is_not_null() for column in _columns()))
        story = story_of(tables, labels, measurement_year, row)
        own = rows.filter(pl.col("region_code").is_in(story.members), pl.col("municipalities") > len(story.members))
        if own["value"].count():
            yield _picture(_positions(own, story, row))


def _columns() -> list[str]:
    """The columns of `position` that describe the distribution."""
    return ["median", *itertools.chain(*(band[:2] for band in BANDS))]


def _positions(rows: pl.DataFrame, story: Story, indicator: Mapping[str, Any]) -> Positions:
    """The places from the rows of `position`; a score becomes a grade."""
    scale = story.labels.grade if indicator["unit"] == grades.SCORE else None

    def seen(value: float) -> float:
        return grades.grade(value, scale) if scale else value

    by_code = {row["region_code"]: row for row in rows.iter_rows(named=True)}
    places = [_place(story.point(code), by_code.get(code)) for code in story.members]
    places.sort(key=lambda place: -math.inf if place.point.value is None else place.point.value, reverse=True)
    first = rows.row(0, named=True)
    distribution = {name: seen(first[name]) for name in _columns()}
    return Positions(story, tuple(places), distribution, first["municipalities"], indicator["polarity"])


def _place(point: Point, row: Mapping[str, Any] | None) -> Place:
    """The place of one figure; nothing can be said where the table has no row."""
    if row is None or row["value"] is None or point.value is None:
        return Place(replace(point, value=None, margin=None), "", None, None)
    known = None not in (row["percentile"], row["percentile_low"], row["percentile_high"])
    return Place(
        replace(point, warnings=point.warnings | frozenset(row["warnings"])),
        row["position"],
        row["percentile"] if known else None,
        (row["percentile_low"], row["percentile_high"]) if known else None,
    )


def _picture(found: Positions) -> Picture:
    """A strip of all municipalities, under it a row for each own one; figure, quarter and share at the right."""
    story, notes, columns = found.story, _notes(found), _columns_of(found)
    left = max(sheet.text_width(sheet.marked_name(story, p), TEXT) for p in found.points) + EDGE + 0.15
    left = max(left, sheet.text_width(_all(found), SMALL) + EDGE + 0.15)
    width, rows = WIDTH - EDGE - sum(column.width for column in columns) - left, ROW * len(found.places)
    low, high = _limits(found)
    unit = sheet.wrapped(sheet.axis_unit(story, low), width, SMALL)
    body = HEAD + STRIP + rows + 0.35 + LINE * len(unit)
    synthetic = any(p.synthetic for p in found.points)
    page = sheet.make_page(_title(found), _subtitle(found), notes, _legend(found), body, synthetic=synthetic)
    bottom = page.top - HEAD - STRIP - rows
    axes = page.axes((left, bottom, width, STRIP + rows))
    axes.set(xlim=(low, high), ylim=(len(found.places) - 0.5, -0.5 - STRIP / ROW))
    axes.set_xticks(*sheet.ticks(low, high, 5, story.decimals), fontsize=SMALL)
    axes.set_xlabel("\n".join(unit), fontsize=SMALL, color=GREY)
    names = [sheet.marked_name(story, p) for p in found.points]
    axes.set_yticks(range(len(names)), labels=names, fontsize=TEXT)
    axes.tick_params(axis="y", length=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    _draw_distribution(axes, found)
    for row, place in enumerate(found.places):
        _draw_row(axes, story, place, row)
    page.write(left - 0.07, bottom + rows + STRIP / 2, _all(found), ha="right", va="center", color=GREY)
    _write_ends(page, found, left, width)
    x = left + width + COLUMN_GAP
    for column in columns:
        _write_column(page, x, bottom + rows, column)
        x += column.width
    return page.picture(f"positions_{story.indicator}", _description(found, notes))


# --- what is said


def _all(found: Positions) -> str:
    """How many municipalities the distribution holds."""
    return f"{number(found.municipalities, 0)} gemeenten"


def _columns_of(found: Positions) -> list[Column]:
    """What stands beside the rows: the figure, what can be said and, where it is known, the share that lies lower."""
    story, plain = found.story, [False] * len(found.places)
    columns = [
        Column(("cijfer",), [story.text(p) for p in found.points], plain),
        Column(
            ("tussen alle", "gemeenten"),
            [_words(story, place) for place in found.places],
            [place.position in QUARTERS for place in found.places],
        ),
        Column(("deel van de", "andere lager"), [_share_text(place) for place in found.places], plain),
    ]
    return [column for column in columns if any(column.rows)]


def _title(found: Positions) -> str:
    """How many municipalities are certainly in an outer quarter of the country; not more than that."""
    story, total = found.story, len(found.places)
    country = story.name_of(story.labels.country_code)
    if not any(place.position not in ("", "not_decidable") for place in found.places):
        return f"{story.name}: bij welk kwart van {country} de {total} gemeenten horen, is niet te zeggen"
    counts = {position: found.count(position) for position in QUARTERS if found.count(position)}
    if not counts:
        pair = [_quarter(story, pair[0 if found.polarity else 1]) for pair in EXTREMES]
        return f"{story.name}: geen van de {total} gemeenten ligt zeker in het {' of '.join(pair)} van {country}"
    of_all = itertools.chain([f" van de {total} gemeenten zeker"], itertools.repeat(""))
    parts = [f"{n}{of} in het {_quarter(story, key)}" for (key, n), of in zip(counts.items(), of_all, strict=False)]
    return f"{story.name}: {texts.listed(parts)} van {country}"


def _quarter(story: Story, position: str) -> str:
    """The Dutch label of what can be said about a place."""
    return story.labels.positions.get(position, position)


def _subtitle(found: Positions) -> str:
    """Which municipalities among which, of when."""
    story = found.story
    when = texts.when_text(story.now()) or f"meetjaar {story.year}"
    country = story.name_of(story.labels.country_code)
    here = f"{len(found.places)} gemeenten in {story.name_of(story.labels.region_code)}"
    return f"{here} tussen {_all(found)} van {country}, {when} · hoogste waarde bovenaan"


def _words(story: Story, place: Place) -> str:
    """What can be said, with the sign before it."""
    return f"{SIGNS.get(place.position, '?')} {_quarter(story, place.position)}" if place.position else ""


def _share_text(place: Place) -> str:
    """The share of the other municipalities that lies lower, with the range that is not ruled out: `12% (8–20%)`."""
    if place.percentile is None or place.margin is None:
        return ""
    share, low, high = (_percent(value) for value in (place.percentile, *place.margin))
    return f"{share}%" if share == low == high else f"{share}% ({'–'.join(dict.fromkeys((low, high)))}%)"


def _percent(value: float) -> str:
    """A percentage without decimals; what is neither none nor all is not shown as such."""
    return "<1" if 0 < value < 1 else ">99" if 99 < value < 100 else number(value, 0)


def _notes(found: Positions) -> list[str]:
    """The distribution in numbers, what certain means, warnings and the source."""
    story = found.story
    edges = f"een kwart lager dan {found.text('percentile_25')}, een kwart hoger dan {found.text('percentile_75')}"
    ends = f"laagste {found.text('minimum')}, hoogste {found.text('maximum')}"
    notes = [f"{_all(found)} met een cijfer: {ends}; mediaan {found.text('median')}; {edges}."]
    if any(place.position and place.position != "not_decidable" for place in found.places):
        notes.append("Zeker: ook met de marges en de afronding van de cijfers. Aan de stippen is dat niet af te lezen.")
    return [*notes, *texts.member_notes(story), texts.source_line(story, story.now())]


def _description(found: Positions, notes: Sequence[str]) -> str:
    """The description of the picture: every number in it."""
    story = found.story
    here, country = (story.name_of(code) for code in (story.labels.region_code, story.labels.country_code))
    among = f"tussen {_all(found)} van {country}, van hoog naar laag"
    facts = [f"{len(found.places)} gemeenten in {here} {among}"]
    for place in found.places:
        share = _share_text(place)
        parts = [story.text(place.point) if place.point.value is not None else story.status(place.point.status)]
        parts += [_quarter(story, place.position)] if place.position else []
        parts += [f"{share} van de andere ligt lager"] if share else []
        facts.append(f"{story.name_of(place.point.code)} {', '.join(parts)}")
    return texts.description(facts, story.unit, notes)


def _legend(found: Positions) -> list[Artist]:
    """Legend entries: the groups, the distribution, hollow and half-filled markers, margins."""
    story = found.story
    bands = [sheet.area_entry(words, facecolor=colour, edgecolor="none") for _, _, words, _, colour in BANDS]
    middle = sheet.line_entry("mediaan van alle gemeenten", **MEDIAN)
    marks = [*sheet.status_entries(story, found.points), *sheet.margin_entries(found.points)]
    return [*sheet.group_entries(story), *bands, middle, *marks]


# --- the drawing


def _limits(found: Positions) -> tuple[float, float]:
    """Ends of the value axis: all municipalities but the far ones of a long tail, and the margins of the own ones."""
    ten, ninety = found.distribution["percentile_10"], found.distribution["percentile_90"]
    tail = TAIL * (ninety - ten)
    own = [v for p in shown(found.points) for v in (p.on_axis, *(p.margin or ()))]
    low = min(max(found.distribution["minimum"], ten - tail), *own)
    high = max(min(found.distribution["maximum"], ninety + tail), *own)
    pad = 0.02 * (high - low) or 10.0**-found.story.decimals
    return low - pad, high + pad


def _draw_distribution(axes: Axes, found: Positions) -> None:
    """The strip: bands within each other with all dots on them; its middle goes down behind the rows."""
    story, middle = found.story, -0.5 - STRIP / ROW / 2
    for name, end, _, height, colour in BANDS:
        ends, half = (found.distribution[name], found.distribution[end]), height * STRIP / ROW / 2
        axes.fill_between(ends, middle - half, middle + half, facecolor=colour, linewidth=0, zorder=1)
    quarters = found.distribution["percentile_25"], found.distribution["percentile_75"]
    axes.fill_between(quarters, -0.5, len(found.places) - 0.5, facecolor="#f1f1f1", linewidth=0, zorder=0)
    axes.axvline(found.distribution["median"], zorder=2, **MEDIAN)
    low, high = axes.get_xlim()
    style: dict[str, Any] = {"fontsize": SMALL, "color": GREY, "va": "bottom", "zorder": 6}
    if found.distribution["minimum"] < low:
        axes.text(low, middle - 0.3, f"◂ laagste {found.text('minimum')}", **style)
    if found.distribution["maximum"] > high:
        axes.text(high, middle - 0.3, f"hoogste {found.text('maximum')} ▸", ha="right", **style)
    for point in shown(found.points):
        look = sheet.group_look(story, point.code)
        dot: dict[str, Any] = {
            "marker": look.marker,
            "markersize": 5,
            "markeredgewidth": 0.7,
            "markeredgecolor": "white",
        }
        axes.plot([point.on_axis], [middle], color=look.colour, linestyle="none", zorder=4, **dot)


def _draw_row(axes: Axes, story: Story, place: Place, row: int) -> None:
    """One municipality: a thin line to find it by, marker and margin; the status in words where there is no figure."""
    point, look = place.point, sheet.group_look(story, place.point.code)
    axes.axhline(row, color=FAINT, linewidth=0.7, zorder=0.5)
    if point.value is None:
        style: dict[str, Any] = {"style": "italic", "fontsize": SMALL, "va": "center", "color": GREY}
        aside = axes.get_yaxis_transform()
        axes.text(0.02, row, story.status(point.status), transform=aside, zorder=6, bbox=sheet.text_box(), **style)
        return
    if point.margin:
        axes.plot(point.margin, (row, row), color=look.colour, linewidth=1.4, marker="|", markersize=6, zorder=4)
    style = {"linestyle": "none", "markersize": 7, "zorder": 5}
    axes.plot([point.value], [row], marker=look.marker, **style, **sheet.marker_fill(point.status, look.colour))


def _write_ends(page: Page, found: Positions, left: float, width: float) -> None:
    """Above the strip: which way is favourable, where one is, and the median."""
    ends = ("ongunstiger", "gunstiger")[:: found.polarity] if found.polarity else ("lager", "hoger")
    page.write(left, page.top, f"◂ {ends[0]}", color=GREY, va="top")
    page.write(left + width, page.top, f"{ends[1]} ▸", color=GREY, va="top", ha="right")
    low, high = _limits(found)
    words = f"mediaan {found.text('median')}"
    half = sheet.text_width(words, SMALL) / 2
    x = left + (found.distribution["median"] - low) / (high - low) * width
    x = min(max(x, left + half), left + width - half)
    page.write(x, page.top - HEAD + 0.03, words, va="bottom", ha="center")


def _write_column(page: Page, x: float, top: float, column: Column) -> None:
    """A column of texts: its head from the top of the page's drawing, a text for each row below `top`."""
    for index, line in enumerate(column.head):
        page.write(x, page.top - LINE * index, line, color=GREY, va="top")
    for row, (text, bold) in enumerate(zip(column.rows, column.bold, strict=True)):
        weight = "bold" if bold else "normal"
        page.write(x, top - ROW * (row + 0.5), text, weight=weight, va="center_baseline")
