"""Pictures of what residents say: report grades, margins, hidden and estimated figures, the dimensions, the stamp."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import polars as pl
import pytest
from matplotlib.text import Text

from catalog.survey_model import GradeScale
from reports.charts import ChartLabels, ChartTables, draw_charts, text_problems
from reports.charts.dimensions import dimension_pictures
from reports.charts.dots import dots_picture
from reports.charts.files import pictures
from reports.charts.grades import grade, grade_words, span
from reports.charts.map import map_picture
from reports.charts.sheet import STAMP, Picture
from reports.charts.story import stories
from reports.charts.years import years_picture
from tests.reports.test_charts import LABELS as OFFICIAL_LABELS
from tests.reports.test_charts import figure_texts, rows_of, tables_of, texts

SCALE = GradeScale(lowest=1, highest=10)
LABELS: ChartLabels = replace(
    OFFICIAL_LABELS,
    status=OFFICIAL_LABELS.status | {"suppressed": "afgeschermd", "estimated": "geschat"},
    warnings=OFFICIAL_LABELS.warnings | {"synthetic": "verzonnen voorbeeld", "small_n": "weinig antwoorden"},
    verdicts={
        "worse": "aantoonbaar slechter",
        "better": "aantoonbaar beter",
        "no_demonstrable_difference": "geen aantoonbaar verschil",
        "not_decidable": "niet te zeggen",
    },
    baseline_year=2022,
    contrast=("CITY", "LAND"),
    grade=SCALE,
)
# Alphabetical is not the order of the themes.
THEMES = {"btg_work": "Werk", "btg_health": "Gezondheid", "btg_happy": "Levensgeluk", "btg_safe": "Veiligheid"}
VERDICTS = dict(zip(THEMES, ("worse", "no_demonstrable_difference", "worse", "better"), strict=True))
HAPPY = "said_btg_happy"
Rows = list[dict[str, Any]]
Change = Callable[[dict[str, Any]], None]


def score_of(code: str) -> float:
    """Scores with round grades: cores 6.4, rural 7.3, the region 7.0, all others 6.1."""
    return {"CITY": 0.6, "LAND": 0.7, "REGION": 2 / 3}.get(
        code, 0.5 + (int(code[2:]) / 100 if "GM" in code else 0.0667)
    )


def survey_rows(*, warnings: tuple[str, ...] = ("synthetic",)) -> Rows:
    """Waves of 2022, 2023 and 2025 for all themes, with margins of 0.01 around the score; 2024 was not measured."""
    rows: Rows = []
    for theme in THEMES:
        for year in (2022, 2023, 2025):
            own = rows_of(f"said_{theme}", year, str(year), source_table=f"BTG {year}", warnings=list(warnings), n=200)
            for row in own:
                row["value"] = score_of(row["region_code"])
                row |= {"ci_low": row["value"] - 0.01, "ci_high": row["value"] + 0.01}
                row["n"] = 2900 if row["region_code"] == "REGION" else 200
            rows += own
        empty = {"value": None, "status": "not_measured", "source_table": None, "series_id": None}
        rows += rows_of(f"said_{theme}", 2024, None, **empty)
    return rows


def survey_tables(rows: Rows, verdicts: dict[str, str] = VERDICTS, *, synthetic: bool = False) -> ChartTables:
    """The tables of a run with these rows, and every year the same verdicts on cores against rural."""
    indicator = [
        {
            "indicator_id": f"said_{theme}",
            "name_nl": f"Ervaren {name.lower()}",
            "theme_id": theme,
            "layer": "experienced",
            "unit": "score",
            "decimals": 2,
            "scale_min": 0.0,
            "scale_max": 1.0,
            "headline": f"said_{theme}" == HAPPY,
        }
        for theme, name in sorted(THEMES.items())
    ]
    themes = [
        {"theme_id": theme, "framework": "btg", "name_nl": name, "sort_order": place}
        for place, (theme, name) in enumerate(THEMES.items())
    ]
    comparison = [
        {
            "measurement_year": year,
            "indicator_id": f"said_{theme}",
            "region_code": "CITY",
            "comparator_code": "LAND",
            "breakdown": "total",
            "verdict": verdict,
            "warnings": ["synthetic"] if synthetic else [],
        }
        for theme, verdict in verdicts.items()
        for year in (2022, 2023, 2024, 2025)
    ]
    return replace(
        tables_of(rows),
        indicator=pl.DataFrame(indicator),
        theme=pl.DataFrame(themes),
        comparison=pl.DataFrame(comparison, schema_overrides={"warnings": pl.List(pl.String)}),
    )


def changed(rows: Rows, change: dict[str, Any], **where: Any) -> Rows:
    """The rows, with a change in those that have these values."""
    return [row | change if all(row[name] == value for name, value in where.items()) else row for row in rows]


def drawn(tables: ChartTables) -> dict[str, Picture]:
    """All pictures of 2025 by kind."""
    return {picture.stem.split("_")[-1]: picture for picture in pictures(tables, LABELS, 2025)}


def headline(kind: str, rows: Rows) -> Picture:
    """One picture of the headline dimension in 2025."""
    draw: dict[str, Callable[..., Picture]] = {"map": map_picture, "dots": dots_picture, "years": years_picture}
    return draw[kind](next(stories(survey_tables(rows), LABELS, 2025))[0])


@cache
def unchanged(*, synthetic: bool) -> dict[str, Picture]:
    """All pictures of 2025 with nothing unusual in the rows; for looking at only."""
    return drawn(survey_tables(survey_rows(warnings=("synthetic",) if synthetic else ())))


def dimensions(rows: Rows | None = None, year: int = 2025, **tables: Any) -> Picture:
    """The picture of the dimensions."""
    made = survey_tables(survey_rows(warnings=()) if rows is None else rows, **tables)
    (picture,) = dimension_pictures(made, LABELS, year)
    return picture


def is_stamped(picture: Picture) -> bool:
    """Whether the words stand across the drawing, in title, subtitle and description; all of them or none."""
    text = figure_texts(picture.figure)
    found = {
        STAMP.upper() in text,
        picture.title.startswith(f"{STAMP}: "),
        "geen echte cijfers" in text,
        picture.description.startswith(f"{STAMP}, geen echte cijfers. "),
    }
    assert len(found) == 1, picture.stem
    return found.pop()


# --- report grades


def test_a_grade_is_the_stated_conversion_of_a_score() -> None:
    assert [grade(score, SCALE) for score in (0.0, 0.5, 1.0)] == [1.0, 5.5, 10.0]
    assert span(SCALE) == 9.0
    assert grade_words(SCALE) == "rapportcijfer van 1 tot 10"
    assert grade_words(GradeScale(lowest=0.5, highest=10)) == "rapportcijfer van 0,5 tot 10"


@pytest.mark.parametrize("draw", [map_picture, dots_picture, years_picture])
def test_scores_are_shown_as_report_grades(draw: Callable[..., Picture]) -> None:
    story, _ = next(stories(survey_tables(survey_rows()), LABELS, 2025))
    picture = draw(story)
    assert "rapportcijfer van 1 tot 10" in figure_texts(picture.figure)
    assert "7,0" in figure_texts(picture.figure)
    assert "Veenland 7,0" in picture.description
    assert "0,67" not in figure_texts(picture.figure) + picture.description


def test_the_margin_of_a_grade_is_nine_times_that_of_the_score() -> None:
    story, _ = next(stories(survey_tables(survey_rows()), LABELS, 2025))
    margin = story.point("REGION").margin
    assert margin == pytest.approx((6.91, 7.09))
    assert "95%-marge per gemeente: ongeveer 0,1 naar beide kanten." in figure_texts(map_picture(story).figure)


def test_an_axis_of_grades_says_where_it_does_not_begin() -> None:
    assert "(as begint niet bij 1)" in figure_texts(unchanged(synthetic=True)["dots"].figure)


def test_without_a_conversion_scores_stay_scores() -> None:
    story, _ = next(stories(survey_tables(survey_rows()), replace(LABELS, grade=None), 2025))
    assert story.text(story.point("LAND")) == "0,70"
    assert story.scale == (0.0, 1.0)


# --- hidden, estimated, not measured


@pytest.mark.parametrize("kind", ["map", "dots"])
def test_a_hidden_municipality_is_named_and_has_no_number(kind: str) -> None:
    hidden = {"value": None, "ci_low": None, "ci_high": None, "status": "suppressed"}
    rows = changed(survey_rows(warnings=()), hidden, indicator_id=HAPPY, region_code="GM0002", measurement_year=2025)
    text = figure_texts(headline(kind, rows).figure)
    assert "Afgeschermd: Bergvoorde." in text
    whole = figure_texts(unchanged(synthetic=False)[kind].figure)
    assert ["5,7" in said for said in (text, whole)] == [False, True]  # its grade
    assert "Afgeschermd" not in whole


def test_an_estimated_figure_has_its_own_mark_and_words() -> None:
    rows = changed(survey_rows(warnings=()), {"status": "estimated"}, region_code="GM0003", measurement_year=2025)
    found = {kind: headline(kind, rows) for kind in ("map", "dots")}
    assert "Cuijkeloo\n5,8‡" in figure_texts(found["map"].figure)
    assert "‡ geschat." in figure_texts(found["map"].figure)
    assert "geschat (half open teken)" in figure_texts(found["dots"].figure)
    half = [line for line in found["dots"].figure.axes[0].lines if line.get_fillstyle() == "left"]
    assert [tuple(line.get_xdata()) for line in half] == [pytest.approx((5.77,))]


@pytest.mark.parametrize("kind", ["map", "dots"])
def test_how_many_answered_stands_under_the_picture(kind: str) -> None:
    rows = changed(survey_rows(), {"n": 85}, indicator_id=HAPPY, region_code="GM0002")
    text = figure_texts(headline(kind, rows).figure)
    assert "Aantal antwoorden: Veenland 2.900; per gemeente 85 tot 200." in text


def test_a_year_without_a_wave_is_a_gap_and_has_no_picture_of_the_dimensions() -> None:
    years = unchanged(synthetic=False)["years"].figure
    assert "niet gemeten" in figure_texts(years).splitlines()
    joined = {tuple(line.get_xdata()) for line in years.axes[0].lines if len(line.get_xdata()) == 2}
    assert not [ends for ends in joined if ends[0] < 2024 < ends[1]]
    tables = survey_tables(survey_rows())
    assert [len([*dimension_pictures(tables, LABELS, year)]) for year in (2022, 2023, 2024, 2025)] == [1, 1, 0, 1]


# --- the dimensions


def test_the_dimensions_stand_in_the_order_of_the_themes_with_their_verdicts() -> None:
    picture = dimensions()
    names = [label.get_text() for label in picture.figure.axes[0].get_yticklabels()]
    assert names == [*THEMES.values()]
    low, high = picture.figure.axes[0].get_ylim()
    assert low > high  # the first at the top
    said = [t for t in picture.figure.texts if t.get_text().startswith(("▼ ", "▲ ", "= "))]
    assert [t.get_text() for t in sorted(said, key=lambda t: -t.get_position()[1])] == [
        "▼ aantoonbaar slechter",
        "= geen aantoonbaar verschil",
        "▼ aantoonbaar slechter",
        "▲ aantoonbaar beter",
    ]


@pytest.mark.parametrize(
    ("found", "title"),
    [
        pytest.param(
            ("worse", "worse", "worse", "no_demonstrable_difference"),
            "Stadse gemeenten op 3 van de 4 dimensies aantoonbaar slechter dan dorpse gemeenten",
            id="worse",
        ),
        pytest.param(
            ("better", "worse", "worse", "not_decidable"),
            "Stadse gemeenten op 2 van de 4 dimensies aantoonbaar slechter en op 1 aantoonbaar beter "
            "dan dorpse gemeenten",
            id="both",
        ),
        pytest.param(
            ("no_demonstrable_difference",) * 4,
            "Stadse gemeenten tegenover dorpse gemeenten: op geen van de 4 dimensies een aantoonbaar verschil",
            id="none",
        ),
        pytest.param(
            ("not_decidable",) * 4,
            "Stadse gemeenten tegenover dorpse gemeenten: over het verschil is niets te zeggen",
            id="undecided",
        ),
    ],
)
def test_the_title_tells_on_how_many_dimensions_the_groups_differ(found: tuple[str, ...], title: str) -> None:
    assert dimensions(verdicts=dict(zip(THEMES, found, strict=True))).title == title


def test_the_dimensions_say_measure_place_time_and_how_many_answered() -> None:
    rows = changed(survey_rows(warnings=()), {"n": 2850}, indicator_id="said_btg_work", region_code="REGION")
    text = figure_texts(dimensions(rows).figure)
    assert "Rapportcijfer van 1 tot 10 · Veenland, 2025 · 2.850 tot 2.900 antwoorden per dimensie" in text
    assert "Bron: BTG (2022; 2025) · peiljaren 2022 en 2025" in text


def test_the_groups_are_drawn_with_their_margins_now_and_fainter_at_the_baseline() -> None:
    axes = dimensions().figure.axes[0]
    dots = [line for line in axes.lines if line.get_linestyle() == "None"]
    assert len(dots) == 4 * 4
    faint = [line for line in dots if line.get_markerfacecolor() == "white"]
    assert len(faint) == 8
    assert {line.get_marker() for line in dots} == {"s", "o"}
    assert all((line.get_alpha() or 1) < 1 for line in faint)
    places = {round(float(line.get_xdata()[0]), 6) for line in dots}
    assert places == {6.4, 7.3}
    margins = [line.get_xdata() for line in axes.lines if line.get_marker() == "|"]
    assert {tuple(round(float(end), 6) for end in ends) for ends in margins} == {(6.31, 6.49), (7.21, 7.39)}
    ticks = [line for line in axes.lines if line.get_marker() == "None" and line.get_linestyle() == "-"]
    assert {round(float(tick.get_xdata()[0]), 6) for tick in ticks} == {7.0}


def test_the_baseline_itself_has_nothing_beside_it() -> None:
    picture = dimensions(year=2022)
    dots = [line for line in picture.figure.axes[0].lines if line.get_linestyle() == "None"]
    assert [line for line in dots if line.get_markerfacecolor() == "white"] == []
    assert "open teken" not in figure_texts(picture.figure)


def test_a_hidden_group_is_said_and_its_number_is_nowhere() -> None:
    hidden = {"value": None, "ci_low": None, "ci_high": None, "status": "suppressed"}
    where = {"indicator_id": "said_btg_work", "region_code": "CITY"}
    rows = changed(survey_rows(warnings=()), hidden, measurement_year=2025, **where)
    picture = dimensions(rows, verdicts=VERDICTS | {"btg_work": "not_decidable"})
    text = figure_texts(picture.figure)
    assert "Stadse gemeenten: afgeschermd" in text
    assert "? niet te zeggen" in text
    assert "Werk: Stadse gemeenten afgeschermd, Dorpse gemeenten 7,3" in picture.description
    assert text.count("6,4 tegenover 7,3") == 3
    assert text_problems(picture.figure) == []


def test_a_baseline_of_another_series_is_left_out_and_said() -> None:
    rows = changed(
        survey_rows(warnings=()), {"series_id": "two"}, indicator_id="said_btg_health", measurement_year=2025
    )
    picture = dimensions(rows)
    dots = [line for line in picture.figure.axes[0].lines if line.get_linestyle() == "None"]
    assert len(dots) == 4 * 4 - 2
    assert "2022 niet getoond bij Gezondheid: breuk in de reeks." in figure_texts(picture.figure)


def test_the_description_holds_every_number_of_the_dimensions() -> None:
    said = dimensions().description
    assert "Werk: Stadse gemeenten 6,4 (tussen 6,3 en 6,5; in 2022 6,4), Dorpse gemeenten 7,3" in said
    assert "Veenland 7,0 (tussen 6,9 en 7,1), aantoonbaar slechter" in said
    for name in THEMES.values():
        assert f"{name}: " in said


def test_a_warning_names_its_dimension() -> None:
    rows = changed(
        survey_rows(warnings=()), {"warnings": ["small_n"]}, indicator_id="said_btg_safe", region_code="CITY"
    )
    assert "Let op: weinig antwoorden (Veiligheid)." in figure_texts(dimensions(rows).figure)


def test_a_region_without_two_groups_or_without_the_survey_has_no_picture_of_the_dimensions() -> None:
    tables = survey_tables(survey_rows())
    assert [*dimension_pictures(tables, replace(LABELS, contrast=None), 2025)] == []
    official = tables_of(rows_of("share", 2025, "2025"))
    assert [*dimension_pictures(official, LABELS, 2025)] == []


def test_a_region_without_national_figures_or_answers_still_gets_the_dimensions() -> None:
    picture = dimensions(changed(survey_rows(warnings=()), {"n": None}))
    assert "antwoorden" not in figure_texts(picture.figure)
    assert text_problems(picture.figure) == []


# --- made-up figures


def test_every_picture_of_made_up_figures_is_stamped_and_none_of_real_ones() -> None:
    for stamped in (True, False):
        found = unchanged(synthetic=stamped)
        assert [*found] == ["map", "dots", "years", "dimensions"]
        assert {kind: is_stamped(picture) for kind, picture in found.items()} == dict.fromkeys(found, stamped)


@pytest.mark.parametrize(
    ("code", "year", "stamped"),
    [
        ("GM0002", 2025, {"map", "dots"}),
        ("REGION", 2025, {"map", "dots", "years", "dimensions"}),
        ("NL01", 2025, {"map", "dots", "years"}),
        ("CITY", 2025, {"years", "dimensions"}),
        ("CITY", 2022, {"years", "dimensions"}),  # the baseline
        ("REGION", 2023, {"years"}),
        ("REGION", 2024, {"years"}),  # a row without a figure
        ("GM0002", 2022, set()),
    ],
)
def test_one_made_up_row_stamps_the_pictures_it_is_in(code: str, year: int, stamped: set[str]) -> None:
    where = {"indicator_id": HAPPY, "region_code": code, "measurement_year": year}
    tables = survey_tables(changed(survey_rows(warnings=()), {"warnings": ["synthetic"]}, **where))
    found = drawn(replace(tables, region=tables.region.with_columns(geometry_wkb=pl.lit(None, pl.Binary))))
    assert {kind for kind, picture in found.items() if is_stamped(picture)} == stamped


def test_a_made_up_comparison_stamps_the_dimensions() -> None:
    assert is_stamped(dimensions(synthetic=True))
    assert not is_stamped(dimensions(synthetic=False))


def test_a_real_picture_quotes_no_made_up_figure_of_before() -> None:
    rows = changed(survey_rows(warnings=()), {"warnings": ["synthetic"]}, measurement_year=2023)
    where = {"indicator_id": HAPPY, "region_code": "GM0002", "measurement_year": 2025}
    rows = changed(rows, {"warnings": ["unusual_change"]}, **where)
    text = figure_texts(headline("dots", rows).figure)
    assert "Bergvoorde van 5,7 (2022) naar 5,7 (2025)" in text
    assert "2023" not in text


@pytest.fixture(scope="module")
def made_up_files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The files of made-up figures."""
    return draw_charts(survey_tables(survey_rows()), LABELS, 2025, tmp_path_factory.mktemp("made_up"))


def test_every_file_of_made_up_figures_says_so(made_up_files: list[Path]) -> None:
    for path in made_up_files:
        if path.suffix == ".png":
            assert path.read_bytes().count(STAMP.encode()) == 2  # title and description
            continue
        root = ET.fromstring(path.read_bytes())  # noqa: S314 (our own file)
        for tag in ("title", "desc"):
            element = root.find(f"{{http://www.w3.org/2000/svg}}{tag}")
            assert element is not None
            assert (element.text or "").startswith(STAMP)
        assert STAMP.upper() in texts(path)


def test_no_file_of_real_figures_speaks_of_made_up_ones(tmp_path: Path) -> None:
    for path in draw_charts(survey_tables(survey_rows(warnings=())), LABELS, 2025, tmp_path):
        assert b"verzonnen" not in path.read_bytes().lower()


def test_the_stamp_lies_within_the_drawing_and_lets_through_what_is_under_it() -> None:
    for picture in unchanged(synthetic=True).values():
        figure = picture.figure
        figure.draw_without_rendering()
        (stamp,) = [text for text in figure.findobj(Text) if text.get_text() == STAMP.upper()]
        box, page = Text.get_window_extent(stamp), figure.bbox
        assert box.x0 > page.x0
        assert box.x1 < page.x1
        assert box.width > 0.6 * page.width, picture.stem
        assert (stamp.get_alpha() or 1.0) <= 0.25


# --- fitting, and the same every time


def test_no_text_of_the_survey_is_cut_off_or_covered() -> None:
    for picture in (*unchanged(synthetic=True).values(), *unchanged(synthetic=False).values()):
        assert text_problems(picture.figure) == [], picture.stem


def test_long_names_of_dimensions_still_fit() -> None:
    tables = survey_tables(survey_rows())
    long = tables.theme.with_columns(name_nl=pl.lit("Maatschappelijke betrokkenheid"))
    labels = replace(LABELS, verdicts=LABELS.verdicts | {"better": "geen nieuw cijfer in deze editie"})
    (picture,) = dimension_pictures(replace(tables, theme=long), labels, 2025)
    assert text_problems(picture.figure) == []


def test_equal_tables_give_byte_identical_files(made_up_files: list[Path], tmp_path: Path) -> None:
    again = draw_charts(survey_tables(list(reversed(survey_rows()))), LABELS, 2025, tmp_path)
    assert [path.name for path in again][-2:] == ["dimensions.svg", "dimensions.png"]
    pairs = zip(made_up_files, again, strict=True)
    assert [one.name for one, other in pairs if one.read_bytes() != other.read_bytes()] == []
