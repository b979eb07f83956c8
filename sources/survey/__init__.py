"""The resident survey: waves of respondents, population numbers for their weights, and tables made by the institute.

No message, note or log of this package holds an answer, an id or any other cell of a respondent's row.
"""

from sources.survey.aggregates import read_aggregates
from sources.survey.answers import COLUMNS, Answers, check_waves
from sources.survey.margins import MARGINS, read_margins
from sources.survey.read import read_wave

__all__ = [
    "COLUMNS",
    "MARGINS",
    "Answers",
    "check_waves",
    "read_aggregates",
    "read_margins",
    "read_wave",
]
