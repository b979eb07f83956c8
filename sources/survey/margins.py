"""Population numbers that come with a wave, for the margins its weights must add up to."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, product
from pathlib import Path

import polars as pl

from catalog.model import Region
from catalog.survey_model import BREAKDOWNS, Margin, SurveySettings, Wave
from sources.errors import PopulationFault
from sources.names import RegionNames
from sources.survey.table import Table, numbers, open_table, places

# A row a cell. `margin` is the name of a margin (`municipality*sex*age`); columns that it does not use are NULL.
MARGINS = pl.Schema(
    {
        "margin": pl.String,
        "municipality": pl.String,
        "sex": pl.String,
        "age": pl.String,
        "education": pl.String,
        "population": pl.Float64,
    }
)
_BY = ("municipality", *BREAKDOWNS)


def read_margins(path: Path, wave: Wave, settings: SurveySettings, region: Region, names: RegionNames) -> pl.DataFrame:
    """The population of every cell of the wave's margins that no official indicator counts, as MARGINS.

    The file has the columns of MARGINS; those that no margin uses may be left out. Municipalities are those of the
    region, and the rest of the country where the wave has a national sample. Raises PopulationFault where a cell is
    missing, there twice, unknown, negative or no number, or where margins do not add up to the same population.
    """
    wanted = [margin for margin in (wave.calibration.margins if wave.calibration else []) if not margin.official]
    used = [name for name in _BY if any(name in margin.by for margin in wanted)]
    table = open_table(path, f"wave {wave.wave_id}, {path.name}", ["margin", *used, "population"])
    frame = _cells(table, wave, region, names)
    _check_cells(table, frame, wanted, settings)
    _check_population(table, frame)
    municipalities = [
        *region.municipalities,
        *([region.rest_code] if region.rest_code in frame["municipality"] else []),
    ]
    for margin in wanted:
        _check_complete(table, frame, margin, {"municipality": municipalities, **_codes(settings)})
    _check_agreement(table.place, frame, wanted)
    return frame.sort(*MARGINS.names()[:-1], nulls_last=True)


def _cells(table: Table, wave: Wave, region: Region, names: RegionNames) -> pl.DataFrame:
    """The file's cells as they are, municipalities by code; an empty cell is NULL."""
    present = {name: table.frame[name] for name in ("margin", *_BY) if name in table.frame.columns}
    frame = pl.DataFrame({name: cells.set(cells == "", None) for name, cells in present.items()})
    if "municipality" in present:
        code = places(table, "municipality", region, names, wave.measurement_year)
        of_wave = code.is_in([*region.municipalities, region.rest_code]).fill_null(False)
        table.refuse(
            PopulationFault,
            (present["municipality"] != "") & ~of_wave,
            "municipality",
            f"a municipality of {region.name_en}, or {region.rest_code} for all others together",
            "Correct the file of population numbers.",
        )
        frame = frame.with_columns(code.alias("municipality"))
    lacking = [pl.lit(None, pl.String).alias(name) for name in _BY if name not in frame.columns]
    return frame.with_columns(*lacking, population=numbers(table, "population")).select(MARGINS.names())


def _check_cells(table: Table, frame: pl.DataFrame, wanted: Sequence[Margin], settings: SurveySettings) -> None:
    remedy = "Correct the file of population numbers, or calibration.margins in the description of the wave."
    known = [margin.name for margin in wanted]
    table.refuse(
        PopulationFault,
        ~frame["margin"].is_in(known).fill_null(False),
        "margin",
        f"a margin of the wave that no official indicator counts ({', '.join(known) or 'there is none'})",
        remedy,
    )
    for name in _BY:
        needed = frame["margin"].is_in([margin.name for margin in wanted if name in margin.by])
        codes = _codes(settings).get(name) or frame[name].drop_nulls().unique().to_list()
        table.refuse(
            PopulationFault,
            needed & ~frame[name].is_in(codes).fill_null(False),
            name,
            "a code of the region file" if name == "municipality" else f"one of {', '.join(codes)}",
            remedy,
        )
        table.refuse(
            PopulationFault, ~needed & frame[name].is_not_null(), name, "nothing: this margin does not use it", remedy
        )
    table.refuse(
        PopulationFault,
        ~frame.select(pl.struct("margin", *_BY).is_first_distinct()).to_series(),
        "margin",
        "every cell of a margin once",
        remedy,
    )


def _codes(settings: SurveySettings) -> dict[str, list[str]]:
    return {name: list(codes) for name, codes in settings.breakdowns.items()}


def _check_population(table: Table, frame: pl.DataFrame) -> None:
    population = frame["population"]
    table.refuse(
        PopulationFault,
        ~(population.is_finite() & (population >= 0)).fill_null(False),
        "population",
        "a number of people, 0 or more",
        "A cell in which nobody lives has 0.",
    )


def _check_complete(table: Table, frame: pl.DataFrame, margin: Margin, codes: dict[str, Sequence[str]]) -> None:
    there = set(frame.filter(margin=margin.name).select(margin.by).iter_rows())
    lacking = [cell for cell in product(*(codes[name] for name in margin.by)) if cell not in there]
    if lacking:
        raise PopulationFault(
            table.place,
            f"all cells of the margin {margin.name}; {len(lacking)} missing, the first {' '.join(lacking[0])}",
            column="margin",
            remedy="A cell in which nobody lives has a row with 0.",
        )


def _check_agreement(place: str, frame: pl.DataFrame, wanted: Sequence[Margin]) -> None:
    """Two margins count the same people: they agree on what both tell apart, but for the rounding of their cells."""
    for first, second in combinations(wanted, 2):
        common = [name for name in first.by if name in second.by]
        one, other = (
            frame.filter(margin=margin.name)
            .group_by([pl.lit(0).alias("all"), *common], maintain_order=True)
            .agg(pl.sum("population"), rounding=0.5 * pl.len())
            for margin in (first, second)
        )
        apart = one.join(other, on=["all", *common], maintain_order="left").filter(
            (pl.col("population") - pl.col("population_right")).abs() > pl.col("rounding") + pl.col("rounding_right")
        )
        if apart.height:
            cell = " ".join(apart.select(common).row(0)) if common else "the total"
            raise PopulationFault(
                place,
                f"the same population in the margins {first.name} and {second.name}; they differ in {cell}",
                column="population",
                remedy="Are they of the same date and the same people (18 and over, in households or not)?",
            )
