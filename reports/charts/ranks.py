"""The ranks: the municipalities by the overall score of a framework, each place with the range that it may take."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from reports.charts import grades, sheet, texts
from reports.charts.sheet import EDGE, FAINT, GREY, SMALL, TEXT, WIDTH, Page, Picture
from reports.charts.story import SYNTHETIC, ChartLabels, ChartTables, Point, Story, make_story, point_of, shown
from reports.numbers import number

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

ROW: Final = 0.3  # height of a municipality
METHOD: Final = "goalposts_arithmetic"  # the way of scoring whose place is shown
AMONG: Final = "region"
SCORE_DECIMALS: Final = 2  # of a score of 0-1
HEAD: Final = 0.25  # room above the rows
BAR: Final[Mapping[str, Any]] = {"linewidth": 6, "alpha": 0.35, "solid_capstyle": "round"}
WIDE: Final = 1 / 3  # a range over this part of the places says little about the order


@dataclass(frozen=True)
class Ranking:
    """The places of the municipalities as figures, their ranges as margins; scores as readers see them."""

    story: Story
    framework: str
    scores: dict[str, float]
    coverage: dict[str, float]
    places: int
    draws: int
    sources: tuple[Point, ...]

    @property
    def rows(self) -> list[Point]:
        """The municipalities, the most favourable first and those without a place last."""
        return sorted(self.story.now(), key=lambda p: math.inf if p.value is None else p.value)

    @property
    def ranked(self) -> list[Point]:
        """Those that have a place."""
        return shown(self.rows)

    @property
    def unsure(self) -> bool:
        """Whether the margin of some figure is not known: then ranges are too narrow, and firm is not said."""
        return any("no_margin" in point.warnings for point in self.ranked)

    @property
    def wide(self) -> int:
        """From how many places on a range is called wide."""
        return max(2, math.ceil(WIDE * self.places))

    def score_text(self, code: str) -> str:
        """The score of a municipality, as a grade where readers see grades."""
        decimals = grades.DECIMALS if self.story.labels.grade else SCORE_DECIMALS
        return number(self.scores[code], decimals) if code in self.scores else "–"


def rank_pictures(tables: ChartTables, labels: ChartLabels, measurement_year: int) -> Iterator[Picture]:
    """The picture of each framework whose overall score gives places with a range; none where there are no ranges."""
    if tables.theme_score.is_empty() or tables.sensitivity.is_empty():
        return
    for framework in sorted(tables.theme_score["framework"].unique()):
        ranking = _ranking(tables, labels, measurement_year, framework)
        if ranking.ranked:
            yield _picture(ranking)


def _ranking(tables: ChartTables, labels: ChartLabels, year: int, framework: str) -> Ranking:
    overall = {"measurement_year": year, "framework": framework, "theme_id": f"{framework}_overall"}
    scores = tables.theme_score.filter(method=METHOD, **overall)
    places = tables.sensitivity.filter(among=AMONG, **overall)
    rows = scores.select("region_code", "score", "status", "coverage", said="warnings").join(
        places.select("region_code", "rank", "rank_low", "rank_high", "rank_of", "draws", "warnings"),
        on="region_code",
        how="left",
    )
    story = make_story(
        tables,
        labels,
        year,
        [_place(year, row) for row in rows.iter_rows(named=True)],
        indicator=f"rank_ranges_{framework}",
        name=f"Totaalscore {texts.OVERALL.get(framework, framework)}",
        unit="plaats (1 = gunstigst)",
        decimals=0,
        scale=(1, None),
    )
    rows = rows.filter(pl.col("region_code").is_in(story.members))
    known = rows.filter(pl.col("score").is_not_null()).select("region_code", "score")
    return Ranking(
        story,
        framework,
        {code: grades.grade(score, labels.grade) if labels.grade else score for code, score in known.iter_rows()},
        dict(rows.select("region_code", "coverage").iter_rows()),
        int(rows["rank_of"].max() or 0),  # type: ignore[arg-type]
        int(rows["draws"].max() or 0),  # type: ignore[arg-type]
        _sources(tables, year, framework, story.members),
    )


def _place(year: int, row: dict[str, Any]) -> Point:
    """A place with its range; no place where it has none, for a place alone says more than is known."""
    place, low, high = row["rank"], row["rank_low"], row["rank_high"]
    known = None not in (row["score"], place, low, high)
    return Point(
        code=row["region_code"],
        year=year,
        value=place if known else None,
        margin=(low, high) if known else None,
        status=row["status"],
        warnings=frozenset(row["said"]) | frozenset(row["warnings"] or ()),
    )


def _sources(tables: ChartTables, year: int, framework: str, members: Sequence[str]) -> tuple[Point, ...]:
    """The figures of the municipalities that the score is made of, one of each table, period and kind."""
    if tables.framework_element.is_empty():
        return ()
    parts = tables.framework_element.filter(framework=framework, level=1)["element_id"]
    figures = tables.indicator_value.filter(
        pl.col("indicator_id").is_in(parts.implode()),
        pl.col("region_code").is_in(members),
        pl.col("value").is_not_null(),
        measurement_year=year,
        breakdown="total",
    ).with_columns(made_up=pl.col("warnings").list.contains(SYNTHETIC))
    each = ["source_table", "reference_period", "status", "made_up"]
    rows = figures.sort(*each, "indicator_id", "region_code").unique(each, keep="first", maintain_order=True)
    return tuple(point_of(row, None) for row in rows.iter_rows(named=True))


def _picture(ranking: Ranking) -> Picture:
    """Rows of municipalities: the name at the left, the place on its range, the numbers at the right."""
    story, rows = ranking.story, ranking.rows
    notes = _notes(ranking)
    left = max(sheet.text_width(story.name_of(p.code), TEXT) for p in rows) + EDGE + 0.15
    columns = [
        (_score_head(ranking), [ranking.score_text(p.code) for p in rows]),
        ("plaats (bereik)", [_place_text(p) for p in rows]),
    ]
    sizes = [
        max(sheet.text_width(head, SMALL), *(sheet.text_width(t, TEXT) for t in column)) + 0.2
        for head, column in columns
    ]
    width, height = WIDTH - EDGE - sum(sizes) - left, ROW * len(rows)
    synthetic = any(p.synthetic for p in (*story.now(), *ranking.sources))
    page = sheet.make_page(
        _title(ranking), _subtitle(ranking), notes, _legend(ranking), HEAD + height + 0.5, synthetic=synthetic
    )
    axes = page.axes((left, page.top - HEAD - height, width, height))
    axes.set(xlim=(0.4, ranking.places + 0.6), ylim=(len(rows) - 0.5, -0.5))
    step = math.ceil(ranking.places / 20)
    places = range(1, ranking.places + 1, step)
    axes.set_xticks(places, labels=[number(place, 0) for place in places], fontsize=SMALL)
    axes.set_xlabel(story.unit, fontsize=SMALL, color=GREY)
    axes.set_yticks(range(len(rows)), labels=[story.name_of(p.code) for p in rows], fontsize=TEXT)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color=FAINT, linewidth=0.7)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    for row, point in enumerate(rows):
        _draw_row(axes, ranking, point, row)
    for x, (head, column) in zip((WIDTH - EDGE - sizes[1], WIDTH - EDGE), columns, strict=True):
        _write_column(page, x, head, column)
    return page.picture(story.indicator, _description(ranking, notes))


# --- what is said


def _title(ranking: Ranking) -> str:
    """Whether the order is firm: how many ranges are wide."""
    places = [high - low + 1 for low, high in (p.margin for p in ranking.ranked if p.margin)]
    total, wide = len(places), sum(n >= ranking.wide for n in places)
    said = f"een bereik van {ranking.wide} plaatsen of meer"
    if ranking.unsure and 2 * wide < total:
        return "Hoe vast deze volgorde is, is niet te zeggen: van een deel van de cijfers is de onzekerheid onbekend"
    if max(places) == 1:
        return f"Geen van de {total} gemeenten wisselt van plaats binnen haar bereik: de volgorde staat vast"
    if not wide:
        return f"Geen van de {total} gemeenten heeft {said}: de volgorde staat grotendeels vast"
    if wide == total:
        return f"Alle {total} gemeenten hebben {said}: de volgorde staat niet vast"
    firm = "niet vast" if 2 * wide >= total else "niet overal vast"
    return f"Van {total} gemeenten {'heeft' if wide == 1 else 'hebben'} er {wide} {said}: de volgorde staat {firm}"


def _subtitle(ranking: Ranking) -> str:
    """Measure, place and time."""
    story = ranking.story
    return f"{story.name} · {story.name_of(story.labels.region_code)}, {story.year} · gunstigste bovenaan"


def _score_head(ranking: Ranking) -> str:
    """What the column of scores holds, with the ends of the scale: `score (1–10)`."""
    scale = ranking.story.labels.grade
    return f"score ({'–'.join(grades.ends(scale) if scale else ('0', '1'))})"


def _why_none(ranking: Ranking, point: Point) -> str:
    """Why a municipality has no place: no score, or a score whose place has no range."""
    return "bereik van de plaats onbekend" if point.code in ranking.scores else ranking.story.status(point.status)


def _place_text(point: Point) -> str:
    """A place with its range: `12 (9–14)`."""
    return f"{number(point.value, 0)} ({texts.range_text(*point.margin)})" if point.value and point.margin else "–"


def _notes(ranking: Ranking) -> list[str]:
    """What the range is and is not, whose score it is, what is missing, and the sources."""
    story, ranked = ranking.story, ranking.ranked
    draws = f"{number(ranking.draws, 0)} berekeningen met andere rekenwijzen en steekproeffout"
    notes = [
        f"Het bereik is het gevoeligheidsbereik (5–95%) over {draws}. Het is geen betrouwbaarheidsinterval.",
        f"De totaalscore is een eigen toevoeging.{texts.OVERALL_NOTES.get(ranking.framework, '')}",
    ]
    if ranking.unsure:
        notes.append("Cijfers zonder marge tellen alleen mee met hun afronding: het bereik kan te smal zijn.")
    covered = [round(100 * ranking.coverage[p.code]) for p in ranked]
    if min(covered) < 100:
        notes.append(f"Deel van het gewicht dat een cijfer heeft: {texts.number_range(covered)}%.")
    notes += texts.warning_note(story, [(story.name_of(p.code), p) for p in ranked], elsewhere=frozenset())
    return [*notes, texts.source_line(story, ranking.sources)]


def _description(ranking: Ranking, notes: Sequence[str]) -> str:
    """The description of the picture: every number in it."""
    story = ranking.story
    where = f"{len(ranking.rows)} gemeenten in {story.name_of(story.labels.region_code)}, {story.year}"
    facts = [f"{story.name}, {where}, elke plaats met haar bereik"]
    for point in ranking.rows:
        said = f"plaats {_place_text(point)}, score {ranking.score_text(point.code)}"
        facts.append(f"{story.name_of(point.code)} {_why_none(ranking, point) if point.value is None else said}")
    return texts.description(facts, f"{story.unit}, {_score_head(ranking)}", notes)


def _legend(ranking: Ranking) -> list[Artist]:
    """Legend entries: the groups, the range, hollow and half-filled markers."""
    story = ranking.story
    bar = sheet.line_entry("gevoeligheidsbereik (5–95%)", color=GREY, **BAR)
    return [*sheet.group_entries(story), bar, *sheet.status_entries(story, story.now())]


# --- the drawing


def _draw_row(axes: Axes, ranking: Ranking, point: Point, row: int) -> None:
    """One municipality: a bar over the places it may take and a dot on its own; why there is none in words."""
    look = sheet.group_look(ranking.story, point.code)
    if row % 2 == 0:
        axes.axhspan(row - 0.5, row + 0.5, facecolor="#f5f5f5", linewidth=0, zorder=0)
    if point.margin is None:
        style: dict[str, Any] = {"style": "italic", "fontsize": SMALL, "va": "center", "color": GREY}
        axes.text(1, row, _why_none(ranking, point), zorder=6, bbox=sheet.text_box(), **style)
        return
    axes.plot(point.margin, (row, row), color=look.colour, zorder=4, **BAR)
    style = {"linestyle": "none", "markersize": 7, "zorder": 5}
    axes.plot([point.on_axis], [row], marker=look.marker, **style, **sheet.marker_fill(point.status, look.colour))


def _write_column(page: Page, x: float, head: str, column: Sequence[str]) -> None:
    """A column of numbers that ends at a place across the page: its head, then a row for each municipality."""
    page.write(x, page.top, head, color=GREY, ha="right", va="top")
    for row, text in enumerate(column):
        page.write(x, page.top - HEAD - ROW * (row + 0.5), text, TEXT, ha="right", va="center_baseline")
