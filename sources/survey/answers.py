"""The respondents of a wave as one typed table, and what must hold between waves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import polars as pl

from sources.errors import RepeatedWave

# What every wave has; a Float64 column per item follows, with its score: 0-1, NULL where there is no valid answer.
COLUMNS = pl.Schema(
    {
        "row": pl.Int64,
        "respondent": pl.String,
        "region_code": pl.String,
        "calibration_region": pl.String,
        "sex": pl.String,
        "age": pl.String,
        "education": pl.String,
        "stratum": pl.String,
        "weight": pl.Float64,
        "population_size": pl.Float64,
        "responded": pl.Boolean,
    }
)
_TRAITS = ["region_code", "sex", "age", "education"]
_FEWEST = 5


@dataclass(frozen=True, repr=False)
class Answers:
    """The respondents of a wave: `frame` has the columns COLUMNS and one per item.

    `row` is the row of the file as an editor or SPSS counts, `calibration_region` the municipality, or the code of the
    rest of the country outside the region. `stratum` is `all` and `weight` 1 where the wave has none. `dropped` names
    the columns with direct identifiers that were left unread; `notes` are sentences for who adds the wave.
    """

    wave_id: str
    file_name: str
    frame: pl.DataFrame
    panel_of: str | None = None
    dropped: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __repr__(self) -> str:
        """Without the frame: its rows are about people."""
        return f"Answers({self.wave_id}, {self.frame.height} rows)"

    @property
    def items(self) -> list[str]:
        """The columns with scores."""
        return self.frame.columns[len(COLUMNS) :]


def check_waves(waves: Sequence[Answers]) -> None:
    """Raises RepeatedWave where two waves hold the same rows, or the same people without being a panel.

    Rows are the same when municipality, groups and all answers to questions that both waves have are. Only rows that
    are the only one of their kind in their wave count: with few questions others coincide between any two waves.
    """
    parents = {wave.wave_id: wave.panel_of for wave in waves}
    for first, second in combinations(waves, 2):
        place = f"wave {second.wave_id}, {second.file_name}"
        same, compared = _same_rows(first, second)
        if same >= _FEWEST and 2 * same > compared:
            raise RepeatedWave(
                place,
                f"other respondents than in wave {first.wave_id} ({first.file_name}); {same} rows are the same in both",
                remedy="One of the two is the file of another wave: look which, and add the right file.",
            )
        shared = first.frame.drop_nulls("respondent").join(second.frame, on="respondent", how="semi").height
        related = second.wave_id in _ancestors(first.wave_id, parents) or first.wave_id in _ancestors(
            second.wave_id, parents
        )
        if shared and not related:
            raise RepeatedWave(
                place,
                f"no respondents of wave {first.wave_id}, unless one is a panel of the other; {shared} ids are in both",
                remedy="If people were asked again, say so with panel_of. If ids begin anew in every wave, leave out "
                "columns.respondent.",
            )


def _same_rows(first: Answers, second: Answers) -> tuple[int, int]:
    """How many rows, each the only one of its kind in its wave, stand in both; and in the wave with fewer of them."""
    keys = [*_TRAITS, *(item for item in first.items if item in second.items)]
    one, other = (
        wave.frame.filter("responded").select(keys).filter(~pl.struct(keys).is_duplicated()) for wave in (first, second)
    )
    return one.join(other, on=keys, how="semi", nulls_equal=True).height, min(one.height, other.height)


def _ancestors(wave_id: str, parents: Mapping[str, str | None]) -> set[str]:
    """The waves that a wave is, directly or through others, a panel of."""
    found: set[str] = set()
    parent = parents.get(wave_id)
    while parent is not None and parent not in found:
        found.add(parent)
        parent = parents.get(parent)
    return found
