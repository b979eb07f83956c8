"""Shorthand codes, as the UK Government Statistical Service uses them.

A cell without a value holds the code of why; a figure that may still change, or that a model gave, is a plain number
with its code in the column beside it. So a column of figures can be added up, and no cell is empty by accident.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from reports.workbook.book import Text

SUPPRESSED: Final = "[c]"
PROVISIONAL: Final = "[p]"
ESTIMATED: Final = "[e]"
NOT_APPLICABLE: Final = "[z]"
NOT_AVAILABLE: Final = "[x]"

MEANINGS: Final = {
    SUPPRESSED: Text("afgeschermd, zodat niemand herkenbaar is", "suppressed, so that nobody can be recognised"),
    PROVISIONAL: Text("voorlopig: de bron kan dit nog aanpassen", "provisional: the source may still change this"),
    ESTIMATED: Text("geschat met een rekenmodel", "estimated with a model"),
    NOT_APPLICABLE: Text("niet van toepassing", "not applicable"),
    NOT_AVAILABLE: Text("niet gemeten of niet beschikbaar", "not measured or not available"),
}

OF_STATUS: Final = {
    "definitive": "",
    "provisional": PROVISIONAL,
    "estimated": ESTIMATED,
    "suppressed": SUPPRESSED,
    "not_applicable": NOT_APPLICABLE,
    "not_measured": NOT_AVAILABLE,
    "not_published": NOT_AVAILABLE,
    "not_retrieved": NOT_AVAILABLE,
}
_WITHOUT_VALUE: Final = (SUPPRESSED, NOT_APPLICABLE, NOT_AVAILABLE)


def code(figure: str, *statuses: pl.Expr) -> pl.Expr:
    """The code of a column of figures, each made of figures with these statuses; empty where all are definitive.

    Without a value it is that of the first status that says why, else `[x]`. Raises InvalidOperationError for a status
    that is not in the vocabulary.
    """
    codes = [status.replace_strict([*OF_STATUS, None], [*OF_STATUS.values(), None]) for status in statuses]
    why = pl.coalesce(*(pl.when(code.is_in(_WITHOUT_VALUE)).then(code) for code in codes), pl.lit(NOT_AVAILABLE))
    marks = [
        pl.when(pl.any_horizontal(code == mark for code in codes)).then(pl.lit(mark))
        for mark in (ESTIMATED, PROVISIONAL)
    ]
    return pl.when(pl.col(figure).is_null()).then(why).otherwise(pl.coalesce(*marks, pl.lit("")))
