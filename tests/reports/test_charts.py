"""The pictures of the headline indicators, on a made-up region of fourteen squares."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import polars as pl
import pytest
import shapely
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text

from reports.charts import ChartLabels, ChartTables, draw_charts, files, text_problems
from reports.charts.dots import dots_picture
from reports.charts.map import map_picture, roomiest
from reports.charts.sheet import Picture, spread
from reports.charts.story import Point, Story, breaks, measured, segments, stories
from reports.charts.texts import period_text, years_text
from reports.charts.years import years_picture
from reports.numbers import number

NAMES = (
    "Aarlo", "Bergvoorde", "Cuijkeloo", "Dalum aan Zee", "Eikhorst", "Fort-Zuid", "Grootenbroek",
    "Hazeldonk", "IJzerlo", "Jutphaas", "Kwartelveen", "Lichtenberg-Holt", "Middelharnas", "Nieuw-Oord",
)  # fmt: skip
TOWNS = {f"GM{i:04d}": name for i, name in enumerate(NAMES, 1)}
URBAN = ("GM0001", "GM0005", "GM0008")
LINES = {"REGION": 31.5, "CITY": 29.1, "LAND": 34.3, "NL01": 33.6, "NL_REST": 33.7}
VALUE_SCHEMA = {
    "measurement_year": pl.Int32, "indicator_id": pl.String, "region_code": pl.String, "breakdown": pl.String,
    "reference_period": pl.String, "value": pl.Float64, "ci_low": pl.Float64, "ci_high": pl.Float64, "n": pl.Int64,
    "status": pl.String, "warnings": pl.List(pl.String), "source_table": pl.String, "series_id": pl.String,
}  # fmt: skip
LABELS = ChartLabels(
    region_code="REGION",
    groups={"CITY": "stadse gemeenten", "LAND": "dorpse gemeenten"},
    country_code="NL01",
    rest_code="NL_REST",
    names={"REGION": "Veenland", "NL01": "Nederland", "NL_REST": "rest van Nederland"},
    status={"provisional": "voorlopig", "not_retrieved": "nog niet opgehaald", "not_measured": "niet gemeten"},
    warnings={
        "whole_percent": "hele procenten",
        "no_margin": "onzekerheid onbekend",
        "break_in_series": "breuk in de reeks",
        "carried_forward": "ouder cijfer",
        "unusual_change": "opvallende verandering",
    },
    units={"1000 euro": "duizend euro", "percent": "% van de inwoners"},
    companions={"income_mean": "income_median"},
    outlines_source="grenzen: CBS/Kadaster",
)


def rows_of(indicator: str, year: int, period: str | None, **changes: Any) -> list[dict[str, Any]]:
    """A row for each municipality and group; `changes` apply to every row."""
    values = {code: 28.0 + i * 0.9 for i, code in enumerate(TOWNS)} | LINES
    common = {
        "measurement_year": year, "indicator_id": indicator, "breakdown": "total", "reference_period": period,
        "ci_low": None, "ci_high": None, "n": None, "status": "definitive", "warnings": [],
        "source_table": "CBS 11111NED", "series_id": "one",
    }  # fmt: skip
    return [{**common, "region_code": code, "value": value, **changes} for code, value in values.items()]


def tables_of(rows: list[dict[str, Any]]) -> ChartTables:
    """The tables of a run with these values: squares of 10 km, one headline mean with a median and one share."""
    squares = {
        code: shapely.to_wkb(shapely.box(i % 4 * 1e4, i // 4 * 1e4, i % 4 * 1e4 + 1e4, i // 4 * 1e4 + 1e4))
        for i, code in enumerate(TOWNS)
    }
    region = [
        {"region_code": c, "name": n, "kind": "municipality", "geometry_wkb": squares[c]} for c, n in TOWNS.items()
    ]
    groups = [{"region_code": c, "name": c, "kind": "group", "geometry_wkb": None} for c in LINES]
    member = [
        {"group_code": group, "municipality_code": code, "period": "2022"}
        for code in TOWNS
        for group in ("REGION", "CITY" if code in URBAN else "LAND")
    ]
    used = {row["indicator_id"] for row in rows}
    indicator = [
        {
            "indicator_id": i,
            "name_nl": n,
            "unit": u,
            "decimals": 1,
            "scale_min": 0.0,
            "scale_max": None,
            "headline": h and i in used,
        }
        for i, n, u, h in (
            ("income_mean", "Gemiddeld inkomen", "1000 euro", True),
            ("income_median", "Mediaan inkomen", "1000 euro", False),
            ("share", "Deelname aan werk", "percent", True),
        )
    ]
    source = [{"source_id": "cbs", "source_table": t, "publisher": "CBS"} for t in ("CBS 11111NED", "CBS 22222NED")]
    return ChartTables(
        region=pl.DataFrame(region + groups, schema_overrides={"geometry_wkb": pl.Binary}, infer_schema_length=None),
        region_member=pl.DataFrame(member),
        indicator=pl.DataFrame(indicator),
        indicator_value=pl.DataFrame(rows, schema=VALUE_SCHEMA),
        source=pl.DataFrame(source),
    )


def sample_rows() -> list[dict[str, Any]]:
    """Income of 2021, carried, and provisional of 2024 with a median and an unusual change; a share of 2022 only."""
    new = {"status": "provisional", "source_table": "CBS 22222NED"}
    rows = rows_of("income_mean", 2022, "2021")
    rows += rows_of("income_mean", 2023, "2021", warnings=["carried_forward"])
    rows += rows_of("income_mean", 2024, "2024", **new)
    rows += rows_of("income_median", 2024, "2024", **new)
    for year in (2022, 2023, 2024):
        warnings = ["whole_percent", "no_margin"] + ["carried_forward"] * (year > 2022)
        rows += rows_of("share", year, "2022", warnings=warnings)
    for row in rows:
        if row["indicator_id"] == "share" and row["region_code"] == "NL01":
            row |= {"value": None, "status": "not_retrieved", "warnings": []}
        if row["reference_period"] == "2024" and row["indicator_id"] == "income_mean":
            row["value"] += 8
            if row["region_code"] == "GM0001":
                row["warnings"] = ["unusual_change"]
    return rows


@pytest.fixture(scope="module")
def drawing(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Path], list[str]]:
    """The files of the sample by name, and what was logged while they were drawn."""
    logged: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files.logger, "warning", lambda text, *parts: logged.append(text % parts))
        paths = draw_charts(tables_of(sample_rows()), LABELS, 2024, tmp_path_factory.mktemp("charts"))
    return {path.name: path for path in paths}, logged


@pytest.fixture(scope="module")
def drawn(drawing: tuple[dict[str, Path], list[str]]) -> dict[str, Path]:
    """The files of the sample by name."""
    return drawing[0]


def texts(path: Path) -> str:
    """All visible text of an SVG, without title and description."""
    root = ET.fromstring(path.read_text(encoding="utf-8"))  # noqa: S314 (our own file)
    return "\n".join(e.text or "" for e in root.iter("{http://www.w3.org/2000/svg}text"))


def pictures(tables: ChartTables, year: int = 2024) -> list[Picture]:
    told = list(stories(tables, LABELS, year))
    return [p for s, companion in told for p in (map_picture(s), dots_picture(s, companion), years_picture(s))]


def picture(draw: Callable[[Story], Picture], source: ChartTables | list[dict[str, Any]], year: int = 2024) -> Picture:
    """One picture of the first headline indicator."""
    tables = source if isinstance(source, ChartTables) else tables_of(source)
    return draw(next(stories(tables, LABELS, year))[0])


def figure_texts(figure: Figure) -> str:
    return "\n".join(t.get_text() for t in figure.findobj(Text))


def with_outline(rows: list[dict[str, Any]], code: str, outline: bytes | None) -> ChartTables:
    """The tables with another outline for one municipality."""
    tables = tables_of(rows)
    other = pl.when(region_code=code).then(pl.lit(outline)).otherwise("geometry_wkb")
    return replace(tables, region=tables.region.with_columns(geometry_wkb=other))


def point(year: int, period: str, value: float | None = 1.0, series: str | None = "one") -> Point:
    return Point("REGION", year, period, value, series=series)


# --- the files


def test_every_headline_indicator_gets_three_pictures_in_two_formats(drawn: dict[str, Path]) -> None:
    stems = [f"{i}_{kind}" for i in ("income_mean", "share") for kind in ("map", "dots", "years")]
    assert list(drawn) == [f"{stem}.{ending}" for stem in stems for ending in ("svg", "png")]
    assert all(path.stat().st_size > 5000 for path in drawn.values())
    assert all(path.read_bytes().startswith(b"\x89PNG") for name, path in drawn.items() if name.endswith("png"))


def test_equal_input_gives_byte_identical_files_and_leaves_settings_alone(
    drawn: dict[str, Path], tmp_path: Path
) -> None:
    import matplotlib as mpl

    share = [row for row in sample_rows() if row["indicator_id"] == "share"]
    with mpl.rc_context({"font.size": 20, "svg.fonttype": "path"}):  # a user's own settings must not matter
        before = dict(mpl.rcParams)
        again = draw_charts(tables_of(share), LABELS, 2024, tmp_path)
        assert dict(mpl.rcParams) == before
    assert len(again) == 6
    assert [p.name for p in again if p.read_bytes() != drawn[p.name].read_bytes()] == []


@pytest.mark.parametrize("kind", ["map", "dots"])
@pytest.mark.parametrize("indicator", ["income_mean", "share"])
def test_every_municipality_and_its_value_is_in_the_picture(drawn: dict[str, Path], indicator: str, kind: str) -> None:
    text = texts(drawn[f"{indicator}_{kind}.svg"])
    assert [name for name in NAMES if name not in text] == []
    assert ("37,8" if indicator == "income_mean" else "29,8") in text  # third municipality, decimal comma


def test_source_and_reference_period_stand_under_every_picture(drawn: dict[str, Path]) -> None:
    assert "Bron: CBS (22222NED) · peiljaar 2024 · voorlopig" in texts(drawn["income_mean_map.svg"])
    assert "Bron: CBS (22222NED) · peiljaar 2024 · voorlopig" in texts(drawn["income_mean_dots.svg"])
    years = "Bron: CBS (11111NED; 22222NED) · peiljaren 2021 en 2024 · 2024 voorlopig"
    assert years in texts(drawn["income_mean_years.svg"])
    for kind in ("dots", "years"):
        assert "Bron: CBS (11111NED) · peiljaar 2022" in texts(drawn[f"share_{kind}.svg"]).splitlines()


def test_an_svg_names_and_describes_itself_with_the_key_numbers(drawn: dict[str, Path]) -> None:
    root = ET.fromstring(drawn["income_mean_map.svg"].read_text(encoding="utf-8"))  # noqa: S314 (our own file)
    title, description = (root.find(f"{{http://www.w3.org/2000/svg}}{tag}") for tag in ("title", "desc"))
    assert title is not None
    assert title.text == "Gemiddeld inkomen – Veenland, 2024"
    assert description is not None
    for part in ("hoogste waarde 47,7 (Nieuw-Oord)", "laagste waarde 36,0 (Aarlo)", "Veenland 39,5", "Nederland 41,6"):
        assert part in (description.text or "")
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"


def test_pictures_in_one_page_share_no_identifier(drawn: dict[str, Path]) -> None:
    svgs = [path.read_text(encoding="utf-8") for name, path in drawn.items() if name.endswith("svg")]
    found = [i for svg in svgs for i in re.findall(r'\bid="([^"]+)"', svg)]
    assert len(found) == len(set(found))


# --- what the pictures say


def test_what_a_figure_is_worth_is_said_under_the_picture(drawn: dict[str, Path]) -> None:
    for kind in ("map", "dots", "years"):
        assert "Let op: hele procenten; onzekerheid onbekend." in texts(drawn[f"share_{kind}.svg"])
    for kind in ("map", "dots"):
        expected = "Geen nieuw cijfer voor meetjaar 2024: dit is het cijfer van 2022 (ouder cijfer)."
        assert expected in texts(drawn[f"share_{kind}.svg"])
    assert "Meetjaren zonder nieuw cijfer: 2023–2024 (cijfer van 2022)." in texts(drawn["share_years.svg"])


def test_the_rest_of_the_country_stands_in_for_a_missing_national_figure(drawn: dict[str, Path]) -> None:
    for kind in ("map", "dots", "years"):
        text = texts(drawn[f"share_{kind}.svg"])
        assert "Nederland: nog niet opgehaald. Getoond: Rest van Nederland." in text
    assert "Nederland 41,6" in texts(drawn["income_mean_dots.svg"])
    assert "Rest van Nederland" not in texts(drawn["income_mean_dots.svg"])


def test_an_unusual_change_is_marked_and_the_median_stands_beside_the_mean(drawn: dict[str, Path]) -> None:
    text = texts(drawn["income_mean_dots.svg"])
    assert "Aarlo*" in text
    assert "* opvallende verandering: Aarlo van 28,0 (2021) naar 36,0 (2024)." in text
    assert "Mediaan inkomen (2024)" in text
    assert "Mediaan" not in texts(drawn["share_dots.svg"])


def test_a_companion_without_figures_for_the_year_is_left_out() -> None:
    tables = tables_of(sample_rows())
    beside = {year: {s.indicator: c and c.name for s, c in stories(tables, LABELS, year)} for year in (2023, 2024)}
    assert beside[2023] == {"income_mean": None, "share": None}
    assert beside[2024] == {"income_mean": "Mediaan inkomen", "share": None}


def test_municipalities_stand_from_high_to_low_and_those_without_a_figure_last() -> None:
    rows = rows_of("share", 2024, "2024")
    rows[3] |= {"value": None, "status": "not_retrieved"}
    figure = picture(dots_picture, rows).figure
    names = [t.get_text() for t in figure.axes[0].get_yticklabels()]
    assert names == [*(n for n in reversed(NAMES) if n != "Dalum aan Zee"), "Dalum aan Zee"]
    assert "nog niet opgehaald" in figure_texts(figure)


def test_groups_differ_in_shape_and_provisional_figures_are_hollow() -> None:
    rows = rows_of("share", 2024, "2024")
    rows[1]["status"] = "provisional"
    axes = picture(dots_picture, rows).figure.axes[0]
    at = {t.get_text(): y for t, y in zip(axes.get_yticklabels(), axes.get_yticks(), strict=True)}
    dots = {float(line.get_ydata()[0]): line for line in axes.lines if line.get_linestyle() == "None"}
    assert {dots[at[TOWNS[code]]].get_marker() for code in URBAN} == {"s"}
    assert dots[at["Bergvoorde"]].get_marker() == "o"
    assert dots[at["Bergvoorde"]].get_markerfacecolor() == "white"
    assert dots[at["Cuijkeloo"]].get_markerfacecolor() != "white"


def test_margins_are_drawn_where_they_are_known() -> None:
    rows = rows_of("share", 2024, "2024")
    for row in rows:
        if row["region_code"] in ("GM0001", "REGION"):  # 28.0 and 31.5
            row |= {"ci_low": row["value"] - 1.5, "ci_high": row["value"] + 1.5}
    geographic, dots, years = (p.figure for p in pictures(tables_of(rows)))
    assert "95%-marge per gemeente: ongeveer 1,5 naar beide kanten." in figure_texts(geographic)
    assert (26.5, 29.5) in [tuple(line.get_xdata()) for line in dots.axes[0].lines]
    assert [(band.get_x(), band.get_width()) for band in dots.axes[0].patches] == [(30.0, 3.0)]
    assert {"95%-marge", "95%-marge Veenland"} <= set(figure_texts(dots).splitlines())
    assert (30.0, 33.0) in [tuple(line.get_ydata()) for line in years.axes[0].lines]
    assert "95%-marge" in figure_texts(years)


def test_a_municipality_without_a_figure_is_hatched_on_the_map_and_said() -> None:
    rows = rows_of("share", 2024, "2024")
    rows[3] |= {"value": None, "status": "not_retrieved"}
    figure = picture(map_picture, rows).figure
    assert len([patch for patch in figure.axes[0].patches if patch.get_hatch()]) == 1
    assert "Dalum aan Zee\nnog niet opgehaald" in figure_texts(figure)


def test_a_region_without_any_figure_still_gets_its_pictures() -> None:
    rows = rows_of("share", 2024, None, value=None, status="not_measured", source_table=None, series_id=None)
    found = pictures(tables_of(rows))
    assert [text_problems(p.figure) for p in found] == [[], [], []]
    assert "niet gemeten" in found[2].description


def test_who_drew_the_outlines_stands_under_the_map_only(drawn: dict[str, Path]) -> None:
    credited = [name for name, path in drawn.items() if name.endswith("svg") and "CBS/Kadaster" in texts(path)]
    assert credited == ["income_mean_map.svg", "share_map.svg"]
    line = "Bron: CBS (11111NED) · peiljaar 2022 · grenzen: CBS/Kadaster"
    assert line in texts(drawn["share_map.svg"]).splitlines()


def test_a_municipality_without_an_outline_is_named_under_the_map() -> None:
    figure = picture(map_picture, with_outline(rows_of("share", 2024, "2024"), "GM0002", None)).figure
    assert "Grens niet bekend, dus niet op de kaart: Bergvoorde." in figure_texts(figure)


def test_a_label_that_does_not_fit_in_its_area_stands_beside_the_map_with_a_line_to_it() -> None:
    small = shapely.box(10_000, 0, 10_500, 500)  # among squares of 10 km
    tables = with_outline(rows_of("share", 2024, "2024"), "GM0002", shapely.to_wkb(small))
    figure = picture(map_picture, tables).figure
    figure.draw_without_rendering()  # only then labels have their places
    axes = figure.axes[0]
    (label,) = [text for text in axes.texts if isinstance(text, Annotation)]
    assert label.get_text() == "Bergvoorde\n28,9"
    assert label.arrow_patch is not None
    assert small.contains(shapely.Point(label.xy))
    covered = Text.get_window_extent(label).transformed(axes.transData.inverted())
    outlines = shapely.from_wkb(tables.region["geometry_wkb"].drop_nulls().to_list())
    assert not shapely.intersects(outlines, shapely.box(*covered.extents)).any()


# --- gaps stay gaps


def test_a_carried_figure_is_one_point() -> None:
    points = [point(2022, "2021"), point(2023, "2021"), point(2024, "2024"), point(2025, "2024")]
    assert [(p.period, p.year) for p in measured(points)] == [("2021", 2023), ("2024", 2025)]


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        pytest.param([point(2022, "2022"), point(2023, "2023")], [["2022", "2023"]], id="consecutive"),
        pytest.param([point(2022, "2021"), point(2024, "2024")], [["2021"], ["2024"]], id="years-between"),
        pytest.param(
            [point(2022, "2022"), point(2023, "2023", None), point(2024, "2024")], [["2022"], ["2024"]], id="null"
        ),
        pytest.param([point(2022, "2022"), point(2023, "2023", series="two")], [["2022"], ["2023"]], id="break"),
        pytest.param([point(2024, "", None), point(2025, "2025")], [["2025"]], id="not-measured"),
        pytest.param([point(2022, "2022Q4"), point(2023, "2023Q1")], [["2022Q4", "2023Q1"]], id="quarters"),
        pytest.param([point(2022, "2022Q3"), point(2023, "2023Q1")], [["2022Q3"], ["2023Q1"]], id="missing-quarter"),
    ],
)
def test_a_line_joins_consecutive_measurements_of_one_series_only(
    points: list[Point], expected: list[list[str]]
) -> None:
    assert [[p.period for p in run] for run in segments(points)] == expected


def test_a_break_lies_between_two_series() -> None:
    points = [point(2022, "2022"), point(2023, "2023", series="two"), point(2024, "2024", series="two")]
    assert [(a.period, b.period) for a, b in breaks(points)] == [("2022", "2023")]


def test_no_drawn_line_crosses_a_gap_or_a_break() -> None:
    rows = [
        row
        for year, series in ((2019, "one"), (2020, "one"), (2021, "two"), (2023, "two"), (2024, "two"))
        for row in rows_of("share", year, str(year), series_id=series)
    ]
    figure = picture(years_picture, rows).figure
    drawn = {
        tuple(float(x) for x in line.get_xdata())
        for line in figure.axes[0].lines
        if line.get_linestyle() != "None" and line.get_zorder() >= 3
    }
    assert drawn == {(2019.0, 2020.0), (2021.0,), (2023.0, 2024.0)}
    text = figure_texts(figure)
    assert "Breuk in de reeks tussen 2020 en 2021." in text
    assert "geen cijfer" in text  # 2022


def test_a_year_without_a_survey_is_shown_as_not_measured() -> None:
    rows = rows_of("share", 2022, "2022") + rows_of("share", 2024, "2024")
    rows += rows_of("share", 2023, None, value=None, status="not_measured", series_id=None)
    text = figure_texts(picture(years_picture, rows).figure)
    assert "niet gemeten" in text.splitlines()
    assert "Meetjaren zonder nieuw cijfer: 2023 (niet gemeten)." in text


# --- nothing cut off, nothing over something else


def test_no_text_is_cut_off_or_covered_in_the_sample(drawing: tuple[dict[str, Path], list[str]]) -> None:
    assert drawing[1] == []


def test_long_names_margins_and_large_numbers_still_fit() -> None:
    rows = rows_of("share", 2023, "2023") + rows_of("share", 2024, "2024", warnings=["no_margin", "whole_percent"])
    for row in rows:
        row["value"] = row["value"] * -1234.5
        row |= {"ci_low": row["value"] - 900, "ci_high": row["value"] + 900}
    tables = tables_of(rows)
    long = pl.lit("Aandeel van de inwoners dat in het afgelopen jaar ten minste een keer " * 2).alias("name_nl")
    for long_named in pictures(replace(tables, indicator=tables.indicator.with_columns(long))):
        assert text_problems(long_named.figure) == [], long_named.stem


def test_planted_problems_are_found_and_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    planted = picture(years_picture, sample_rows())
    planted.figure.text(0.97, 0.5, "afgesneden tekst")
    planted.figure.text(0.1, 0.3, "onder")
    planted.figure.text(0.1, 0.3, "boven")
    problems = text_problems(planted.figure)
    assert "'afgesneden tekst' sticks out of the picture" in problems
    assert "'onder' lies over 'boven'" in problems
    monkeypatch.setattr(files, "pictures", lambda *_: [planted])
    draw_charts(tables_of([]), LABELS, 2024, tmp_path)
    assert [record.message for record in caplog.records] == [f"income_mean_years: {problem}" for problem in problems]


def test_a_label_is_placed_inside_its_area_or_nowhere() -> None:
    # An L of two arms 10 wide: the label fits in the upright arm only when it is narrow enough.
    shape = shapely.Polygon([(0, 0), (40, 0), (40, 10), (10, 10), (10, 40), (0, 40)])
    place = roomiest(shape, ((30.0, 6.0, 0.0),))
    assert place is not None
    assert shape.contains(shapely.box(place[0] - 15, place[1] - 3, place[0] + 15, place[1] + 3))
    assert roomiest(shape, ((30.0, 12.0, 0.0),)) is None


@pytest.mark.parametrize(
    ("positions", "expected"),
    [
        ([1.0, 5.0], [1.0, 5.0]),
        ([3.0, 3.0], [2.5, 3.5]),
        ([3.0, 1.0, 3.0], [2.5, 1.0, 3.5]),
        ([9.9, 9.9], [9.0, 10.0]),
        ([0.0, 0.0, 0.0], [0.0, 1.0, 2.0]),
    ],
)
def test_labels_move_apart_as_little_as_possible(positions: list[float], expected: list[float]) -> None:
    assert spread(positions, 1.0, 0.0, 10.0) == pytest.approx(expected)


# --- words and numbers


@pytest.mark.parametrize(
    ("value", "decimals", "expected"),
    [(31.509, 1, "31,5"), (633917, 0, "633.917"), (-0.04, 1, "0,0"), (-1234.5678, 2, "−1.234,57")],
)
def test_numbers_are_dutch(value: float, decimals: int, expected: str) -> None:
    assert number(value, decimals) == expected


def test_a_percentage_published_in_whole_numbers_has_no_decimals_and_a_computed_mean_has() -> None:
    rows = rows_of("share", 2024, "2024", warnings=["whole_percent"])
    for row in rows:
        row["value"] = float(round(row["value"]))
    story, _ = next(stories(tables_of(rows), LABELS, 2024))
    shown = {code: story.text(story.point(code)) for code in ("GM0002", *LINES)}
    assert shown == {"GM0002": "29", "REGION": "32,0", "CITY": "29,0", "LAND": "34,0", "NL01": "34", "NL_REST": "34,0"}
    published = story.point("GM0002")
    assert story.text(replace(published, value=28.9)) == "28,9"
    assert story.text(replace(published, warnings=frozenset())) == "29,0"
    assert "Bergvoorde\n29" in figure_texts(map_picture(story).figure).split("\n\n")[0]
    assert "Nederland 34" in figure_texts(dots_picture(story).figure).splitlines()


def test_names_begin_with_a_capital_and_keep_those_inside_them(drawn: dict[str, Path]) -> None:
    text = texts(drawn["share_years.svg"])
    assert "Rest van Nederland" in text.splitlines()
    assert "Stadse gemeenten" in text.splitlines()


def test_periods_are_dutch() -> None:
    assert [period_text(p) for p in ("2022", "2022Q1", "2022-05")] == ["2022", "1e kwartaal 2022", "mei 2022"]
    assert years_text([2022, 2023, 2024, 2026]) == "2022–2024, 2026"
