"""The institute's own tables: scores by region and dimension, with a margin or without; bad ones are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from catalog.survey_model import Wave
from sources.errors import (
    DuplicateFigure,
    HeaderError,
    InputError,
    OutOfScale,
    UnknownIndicator,
    UnknownRegion,
    ValueFault,
)
from sources.survey import read_aggregates
from tests.sources.small import REGION
from tests.sources.survey.small_wave import NAMES, SETTINGS, wave

FILE = """\
gebied;thema;cijfer;aantal;marge
Enschede;Gezondheid;7,3;210;0,18
GM0164;experienced_health;6,4;190;0,2
Twente;gezondheid;7,2;400;0,1
NL01;Werk-Privebalans;x;3000;
Hengelo (O.);Werk-privébalans;10;25;0,5
"""
NAMED = {"Gezondheid": "experienced_health", "Werk-privébalans": "experienced_work_life_balance"}


def described(**given: Any) -> Wave:
    table = {"region": "gebied", "dimension": "thema", "value": "cijfer", "n": "aantal", "scale": "grade"}
    dimensions = [{"indicator": indicator} for indicator in NAMED.values()]
    return wave(
        kind="aggregates",
        columns=None,
        calibration=None,
        retention_until=None,
        dimensions=dimensions,
        aggregates=table | {"margin": "marge"} | given,
    )


def read(folder: Path, text: str = FILE, **given: Any) -> pl.DataFrame:
    path = folder / "table.csv"
    path.write_text(text, encoding="utf-8")
    return read_aggregates(path, described(**given), SETTINGS, REGION, NAMES, NAMED)


def test_grades_become_scores_with_their_margins(tmp_path: Path) -> None:
    # By hand: score = (grade - 1) / 9, a margin likewise; none goes beyond the scale.
    health, balance = "experienced_health", "experienced_work_life_balance"
    assert read(tmp_path).rows() == [
        (health, "GM0153", "total", pytest.approx(6.3 / 9), pytest.approx(6.12 / 9), pytest.approx(6.48 / 9), 210),
        (health, "GM0164", "total", pytest.approx(5.4 / 9), pytest.approx(5.2 / 9), pytest.approx(5.6 / 9), 190),
        (health, "TWENTE", "total", pytest.approx(6.2 / 9), pytest.approx(6.1 / 9), pytest.approx(6.3 / 9), 400),
        (balance, "GM0164", "total", 1.0, pytest.approx(8.5 / 9), 1.0, 25),
        (balance, "NL01", "total", None, None, None, 3000),
    ]


def test_without_a_margin_there_is_none(tmp_path: Path) -> None:
    frame = read(tmp_path, margin=None)
    assert frame["ci_low"].is_null().all()
    assert frame["ci_high"].is_null().all()


def test_scores_with_bounds_and_breakdowns_are_read(tmp_path: Path) -> None:
    text = "gebied,thema,cijfer,aantal,laag,hoog,groep\nTwente,Gezondheid,0.7,400,0.68,0.72,\n"
    text += "Twente,Gezondheid,0.71,210,0.68,0.74,sex=female\n"
    given = {"scale": "score", "margin": None, "ci_low": "laag", "ci_high": "hoog", "breakdown": "groep"}
    assert read(tmp_path, text, **given).select("breakdown", "value", "ci_low", "ci_high", "n").rows() == [
        ("sex=female", 0.71, 0.68, 0.74, 210),
        ("total", 0.7, 0.68, 0.72, 400),
    ]


def test_the_institute_may_call_a_dimension_as_it_likes(tmp_path: Path) -> None:
    text = FILE.replace("Gezondheid", "Fit zijn").replace("gezondheid", "fit zijn")
    with pytest.raises(UnknownIndicator):
        read(tmp_path, text)
    assert read(tmp_path, text, names={"Fit zijn": "experienced_health"}).height == 5


@pytest.mark.parametrize(
    ("old", "new", "kind", "row", "column"),
    [
        ("Enschede;", "Atlantis;", UnknownRegion, 2, "gebied"),
        ("Enschede;", ";", UnknownRegion, 2, "gebied"),
        (";Gezondheid", ";Geluk", UnknownIndicator, 2, "thema"),
        (";7,3;", ";73;", OutOfScale, 2, "cijfer"),
        (";7,3;", ";0,73;", OutOfScale, 2, "cijfer"),
        (";7,3;", ";goed;", ValueFault, 2, "cijfer"),
        (";0,18", ";-0,18", ValueFault, 2, "marge"),
        (";210;", ";210,5;", ValueFault, 2, "aantal"),
        (";210;", ";-1;", ValueFault, 2, "aantal"),
        ("GM0164;", "GM0153;", DuplicateFigure, 3, "thema"),
        ("thema;", "dimensie;", HeaderError, None, None),
    ],
)
def test_what_is_wrong_is_named(
    tmp_path: Path, old: str, new: str, kind: type[InputError], row: int | None, column: str | None
) -> None:
    assert old in FILE
    with pytest.raises(InputError) as caught:
        read(tmp_path, FILE.replace(old, new, 1))
    assert type(caught.value) is kind, caught.value
    assert (caught.value.row, caught.value.column) == (row, column)
    assert caught.value.value is None


def test_a_margin_that_does_not_hold_its_score_is_refused(tmp_path: Path) -> None:
    text = "gebied,thema,cijfer,aantal,laag,hoog\nTwente,Gezondheid,0.7,400,0.71,0.72\n"
    with pytest.raises(ValueFault, match="holds the score"):
        read(tmp_path, text, scale="score", margin=None, ci_low="laag", ci_high="hoog")


def test_a_wave_of_rows_has_no_aggregates(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no aggregates"):
        read_aggregates(tmp_path / "x.csv", wave(), SETTINGS, REGION, NAMES)
