"""A wave of eight respondents in two municipalities, small enough to check by hand, that a test can damage anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from catalog.survey_model import SurveySettings, Wave
from catalog.yaml_file import YamlFile
from sources.names import bundled_names
from sources.survey import Answers, read_wave
from tests.conftest import CHECKOUT
from tests.sources.small import REGION

NAMES = bundled_names()
SETTINGS = YamlFile(CHECKOUT / "catalog" / "survey" / "settings.yaml").parse(SurveySettings)

FILE = """\
gemeente,nummer,geslacht,leeftijd,opleiding,laag,gewicht,v1,v2,opmerking
Enschede,a1,1,34,1,E,1.5,10,1,
Enschede,a2,2,35,2,E,0.5,1,2,
GM0153,a3,2,65,3,E,1.0,99,1,
153,a4,1,18,9,E,1.0,,9,
Hengelo (O.),b1,1,50,1,H,2.0,4,1,
Hengelo,b2,2,64,2,H,2.0,7,2,
0164,b3,2,102,3,H,2.0,1,1,
Hengelo,b4,1,49,,H,2.0,10,2,
"""


def wave(**given: Any) -> Wave:
    """Two questions: v1 of 1-10, and v2 that is favourable when it is 1 (yes) and not when it is 2 (no)."""
    ordinary: dict[str, Any] = {
        "wave_id": "test_2022",
        "measurement_year": 2022,
        "source_table": "Test 2022",
        "title": "Test",
        "url": "https://example.org",
        "mode": "web",
        "participation": "sample",
        "fieldwork": {"start": "2022-06-01", "end": "2022-06-30"},
        "retention_until": "2030-01-01",
        "columns": columns(),
        "calibration": {"method": "raking", "margins": [{"by": ["municipality", "sex"]}, {"by": ["sex", "age"]}]},
        "dimensions": [
            {
                "indicator": "experienced_health",
                "items": [
                    {"item": "health", "column": "v1", "question_nl": "?", "valid": [1, 10], "missing": ["99"]},
                    {
                        "item": "ill",
                        "column": "v2",
                        "question_nl": "?",
                        "valid": [1, 2],
                        "missing": ["9"],
                        "polarity": -1,
                    },
                ],
            }
        ],
    }
    return Wave.model_validate(ordinary | given)


def columns(**given: Any) -> dict[str, Any]:
    bands = {"18-34": [18, 34], "35-49": [35, 49], "50-64": [50, 64], "65+": [65, 120]}
    ordinary: dict[str, Any] = {
        "municipality": "gemeente",
        "respondent": "nummer",
        "weight": "gewicht",
        "stratum": "laag",
        "groups": {
            "sex": {"column": "geslacht", "values": {"1": "male", "2": "female"}},
            "age": {"column": "leeftijd", "bands": bands},
            "education": {"column": "opleiding", "values": {"1": "low", "2": "middle", "3": "high"}, "missing": ["9"]},
        },
    }
    return ordinary | given


def read(path: Path, described: Wave | None = None, **given: Any) -> Answers:
    return read_wave(path, described or wave(), REGION, NAMES, **given)


def write(folder: Path, text: str = FILE) -> Path:
    path = folder / "answers.csv"
    path.write_text(text, encoding="utf-8")
    return path


def changed(row: int, column: str, cell: str, text: str = FILE) -> str:
    """The file with another cell; the header is row 1."""
    lines = [line.split(",") for line in text.splitlines()]
    lines[row - 1][lines[0].index(column)] = cell
    return "".join(",".join(line) + "\n" for line in lines)


def with_column(title: str, cells: list[str], text: str = FILE) -> str:
    """The file with one more column, whose cells repeat as needed."""
    head, *body = text.splitlines()
    return "\n".join([f"{head},{title}", *(f"{line},{cells[i % len(cells)]}" for i, line in enumerate(body))]) + "\n"


def frame(text: str = FILE) -> pl.DataFrame:
    """The file's cells as text."""
    return pl.read_csv(text.encode(), infer_schema=False)
