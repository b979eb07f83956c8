"""An invented survey with a known truth, about nobody: for the demo and for tests.

The population is a table of cells, municipality x sex x age x education, with a whole number of adults in each. A
person in cell c answers question j by chance: every step of its scale above the lowest answer is taken with probability

    p = (level of the question) + (effect of the cell) + 0.05 u + 0.06 v

where u = -2..2 belongs to the person (all dimensions share it) and v = -1..1 to the person and dimension. The score of
an answer, 0-1, has mean p, and the chance of every score can be written down. The truth of a region is the sum over its
cells of (adults x the cell's mean) / adults: what everybody's answers would give on average, with questions left open
by the same chance as in the sample.

Larger municipalities score lower and fall a little every year. Older and higher educated people score higher, and
answer more often: the chance to answer is a product over sex, age and education, so that weights which meet those
margins undo it. Levels and trends follow from the ids and the wording of the questions: another wording has other
answers. All parameters are whole thousandths, so that every machine makes the same wave.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb, lcm
from pathlib import Path
from typing import Literal
from zlib import crc32

import numpy as np
import polars as pl
from numpy.typing import NDArray

from catalog.survey_model import BREAKDOWNS, Columns, Dimension, Group, Item, Margin, SurveySettings, Wave
from sources.survey.margins import MARGINS

Format = Literal["sav", "csv", "xlsx", "parquet"]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_FIRST_YEAR = 2022
_ADULTS = 800  # of every 1,000 inhabitants
_LEFT_OPEN = 20  # of every 1,000 questions
_EDUCATION_UNKNOWN = 15  # of every 1,000 respondents
# Expected respondents: in a municipality, in the smallest one, and outside the region.
_RESPONDENTS, _THIN, _ELSEWHERE = 200, 85, 3000
_CITY = 60_000

# The person's own level (u), and that of person and dimension (v): thousandths, and the chance of each pair.
_OF_PERSON, _OF_DIMENSION = 50, 60
_LEVELS = np.array([_OF_PERSON * u + _OF_DIMENSION * v for u in range(-2, 3) for v in range(-1, 2)])
_CHANCES = np.array([comb(4, u) * comb(2, v) / 64 for u in range(5) for v in range(3)])


@dataclass(frozen=True, repr=False)
class SyntheticWave:
    """An invented wave.

    `answers` is shaped as Answers.frame, `margins` as population numbers that come with a wave. `truth` has a row per
    variable (dimension or item), region_code and breakdown: `mean` (0-1), `share` (percent of people with a score of at
    least satisfied_from) and `population` (adults).
    """

    answers: pl.DataFrame
    margins: pl.DataFrame
    truth: pl.DataFrame


def synthetic_wave(
    wave: Wave,
    settings: SurveySettings,
    municipalities: Mapping[str, str],
    others: Sequence[str],
    populations: Mapping[str, int],
    seed: int,
    groups: Mapping[str, Sequence[str]] | None = None,
    rest_code: str = "NL_REST",
) -> SyntheticWave:
    """Invent the respondents of `wave`: some 200 in each of the region's `municipalities`, 3,000 in the `others`.

    `populations` gives the inhabitants of every municipality, own and other. `groups` names the regions, besides own
    municipalities and the rest, that the truth is wanted for, each with its members (own codes, or `rest_code`).
    Population and truth do not depend on `seed`; who is asked, who answers and what they say does. Strata are the own
    municipalities, and all others together (`rest`). ValueError for a wave of aggregates, KeyError for a municipality
    without population.
    """
    calibration = wave.calibration
    if calibration is None:
        raise ValueError(f"wave {wave.wave_id} has no rows to invent: it is a wave of aggregates")
    cells = _population(wave, settings, list(municipalities), others, populations, rest_code)
    rng = np.random.Generator(np.random.PCG64([seed, wave.measurement_year]))
    return SyntheticWave(
        answers=_answers(wave, cells, rng),
        margins=_margins(calibration.margins, cells),
        truth=_truth(wave, settings, cells, groups or {}),
    )


def write_wave(folder: Path, wave: Wave, answers: pl.DataFrame, file_format: Format) -> Path:
    """Write answers as an institute would deliver them: the columns and codes of the wave's YAML. Returns the file.

    For tests: columns that the YAML drops get invented e-mail addresses, ages are some age of the band.
    """
    path = folder / f"{wave.wave_id}.{file_format}"
    if wave.columns is None:
        raise ValueError(f"wave {wave.wave_id} has no columns: it is a wave of aggregates")
    raw = _as_delivered(wave, wave.columns, answers)
    if file_format == "csv":
        raw.write_csv(path, separator=";", decimal_comma=True)
    elif file_format == "xlsx":
        raw.write_excel(path)
    elif file_format == "parquet":
        raw.write_parquet(path)
    else:
        _write_spss(path, wave, list(wave.columns.groups.values()), raw)
    return path


# --- the population


def _population(
    wave: Wave,
    settings: SurveySettings,
    own: Sequence[str],
    others: Sequence[str],
    populations: Mapping[str, int],
    rest_code: str,
) -> pl.DataFrame:
    """The cells: adults in each, their effect on p, and how many of 1,000 people who are asked answer."""
    codes = [*own, *others]
    cells = pl.DataFrame(
        {
            "region_code": codes,
            "calibration_region": [*own, *(rest_code for _ in others)],
            "elsewhere": [False] * len(own) + [True] * len(others),
            "adults": [populations[code] * _ADULTS // 1000 for code in codes],
            "city": [min(populations[code], 150_000) * 1000 // 150_000 for code in codes],
            "own_level": [int(code.removeprefix("GM")) * 618 % 21 - 10 for code in codes],
        }
    )
    for breakdown, categories in settings.breakdowns.items():
        cells = cells.join(_positions(breakdown, list(categories)), how="cross")
    city, sex, age, education = (pl.col(name) for name in ("city", "at_sex", "at_age", "at_education"))
    years = wave.measurement_year - _FIRST_YEAR
    weight_age = 1000 + (3000 - 6 * city) * age // 7500
    weight_education = 1000 + (city // 2 - 600 * age // 1000) * education // 1000
    level = 10 - 60 * city // 1000 + pl.col("own_level") + years * (2 - 10 * city // 1000)
    response = 420 * (1000 - 100 * sex // 1000) * (950 + 400 * age // 1000) * (980 + 450 * education // 1000)
    return cells.with_columns(
        population=_divided(pl.col("adults"), weight_age * weight_education),
        effect=level + 10 * sex // 1000 + 30 * age // 1000 + 50 * education // 1000,
        response=response // 10**9,
    ).select("region_code", "calibration_region", "elsewhere", *BREAKDOWNS, "population", "effect", "response")


def _positions(breakdown: str, categories: Sequence[str]) -> pl.DataFrame:
    """The categories of a breakdown, and their places in thousandths from -500 (first) to 500 (last)."""
    last = max(len(categories) - 1, 1)
    return pl.DataFrame({breakdown: categories, f"at_{breakdown}": [1000 * i // last - 500 for i in range(last + 1)]})


def _divided(total: pl.Expr, weight: pl.Expr) -> pl.Expr:
    """The total of a municipality over its cells in whole persons, by largest remainders: they add up exactly."""
    over = weight.sum().over("region_code")
    whole, remainder = total * weight // over, total * weight % over
    left = total - whole.sum().over("region_code")
    return whole + (remainder.rank("ordinal", descending=True).over("region_code") <= left).cast(pl.Int64)


def _margins(margins: Sequence[Margin], cells: pl.DataFrame) -> pl.DataFrame:
    """The population in every cell of every margin that the wave is calibrated to."""
    counted = cells.drop("region_code").rename({"calibration_region": "municipality"})
    parts = [
        counted.group_by(margin.by, maintain_order=True)
        .agg(pl.sum("population").cast(pl.Float64))
        .with_columns(margin=pl.lit(margin.name))
        for margin in margins
    ]
    return pl.concat([pl.DataFrame(schema=MARGINS), *parts], how="diagonal")


# --- what people answer


def _spread(text: str, span: int) -> int:
    """A whole number from -span to span that follows from the text."""
    return crc32(text.encode()) % (2 * span + 1) - span


def _base(wave: Wave, dimension: Dimension, item: Item) -> int:
    """The mean score of a question in a cell without effect, in thousandths."""
    trend = (wave.measurement_year - _FIRST_YEAR) * _spread(f"trend of {dimension.indicator}", 4)
    return 695 + _spread(f"level of {dimension.indicator}", 40) + trend + _spread(item.item + item.question_nl, 20)


def _chance(base: int, levels: Ints) -> Floats:
    """The chance p of every step of a question's scale, which is also its mean score."""
    p: Floats = np.clip(base + levels, 0, 1000) / 1000
    return p


def _steps(item: Item) -> int:
    """How many steps the scale of a question has above its lowest answer."""
    return round(item.valid[1] - item.valid[0])


def _answers(wave: Wave, cells: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Who was sampled, with what they answered: shaped as Answers.frame."""
    sample = _sampled(wave, cells, rng)
    people, effect = sample.height, sample["effect"].to_numpy()
    responded = sample["responded"].to_numpy()
    unknown = rng.random(people) * 1000 < _EDUCATION_UNKNOWN
    scores = {
        name: pl.Series(name, np.where(responded, score, np.nan), nan_to_null=True)
        for name, score in _scores(wave, effect, rng).items()
    }
    number = pl.int_range(1, people + 1).cast(pl.String).str.zfill(6)
    named = wave.columns is not None and wave.columns.respondent is not None
    return sample.select(
        row=pl.int_range(1, people + 1),
        respondent=pl.format(f"SYN-{wave.measurement_year}-{{}}", number) if named else pl.lit(None, pl.String),
        region_code="region_code",
        calibration_region="calibration_region",
        sex="sex",
        age="age",
        # The population register, from which people were sampled, does not know it.
        education=pl.when(pl.Series(responded & ~unknown)).then("education"),
        stratum=pl.when("elsewhere").then(pl.lit("rest")).otherwise("calibration_region"),
        weight=pl.col("adults") / pl.len().over("calibration_region"),
        population_size=pl.col("adults").cast(pl.Float64),
        responded="responded",
        **scores,
    )


def _sampled(wave: Wave, cells: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """The cells of the people who were asked: a simple random sample without replacement in every stratum.

    Those who did not answer stay in where the wave's file holds them.
    """
    strata = cells.group_by("calibration_region", "elsewhere", maintain_order=True).agg(
        adults=pl.sum("population"), answering=(pl.col("population") * pl.col("response")).sum() // 1000
    )
    fewest = strata.filter(~pl.col("elsewhere"))["adults"].min()
    drawn = []
    for (_, elsewhere, adults, answering), part in zip(
        strata.iter_rows(), cells.partition_by("calibration_region", maintain_order=True), strict=True
    ):
        wanted = _ELSEWHERE if elsewhere else _THIN if adults == fewest else _respondents(adults)
        asked = min(adults, wanted * adults // answering)
        people = np.sort(rng.choice(adults, asked, replace=False, shuffle=False))
        sampled = part[np.searchsorted(part["population"].cum_sum().to_numpy(), people, side="right")]
        responded = rng.random(asked) * 1000 < sampled["response"].to_numpy()
        drawn.append(sampled.with_columns(pl.Series("responded", responded), adults=pl.lit(adults, pl.Int64)))
    sample = pl.concat(drawn)
    return sample if wave.response is not None else sample.filter("responded")


def _respondents(adults: int) -> int:
    inhabitants = adults * 1000 // _ADULTS
    return _RESPONDENTS + (inhabitants // 1000 if inhabitants > _CITY else 0)


def _scores(wave: Wave, effect: Ints, rng: np.random.Generator) -> dict[str, Floats]:
    """The score of every person on every item, NaN where the question was left open."""
    people = len(effect)
    of_person = _OF_PERSON * (rng.integers(0, 2, (people, 4)).sum(axis=1) - 2)
    scores = {}
    for dimension in wave.dimensions:
        level = effect + of_person + _OF_DIMENSION * (rng.integers(0, 2, (people, 2)).sum(axis=1) - 1)
        for item in dimension.items:
            p = _chance(_base(wave, dimension, item), level)
            score = (rng.random((people, _steps(item))) < p[:, None]).mean(axis=1)
            scores[item.item] = np.where(rng.random(people) * 1000 < _LEFT_OPEN, np.nan, score)
    return scores


# --- the truth


def _truth(
    wave: Wave, settings: SurveySettings, cells: pl.DataFrame, groups: Mapping[str, Sequence[str]]
) -> pl.DataFrame:
    """Mean and share of every variable, for every region and breakdown, by counting the adults of all cells."""
    effects = np.sort(cells["effect"].unique().to_numpy())
    variables: dict[str, tuple[Floats, Floats]] = {}
    for dimension in wave.dimensions:
        variables |= _of_dimension(wave, dimension, effects, settings.satisfied_from)
    by_effect = np.array(list(variables.values()))  # (variable, statistic, effect)
    adults = _adults_by_effect(settings, cells, effects, groups)
    counts = np.array(list(adults.values()))  # (domain, effect)
    values = (by_effect[:, :, None, :] * counts).sum(axis=-1) / counts.sum(axis=-1)  # (variable, statistic, domain)
    domains = pl.DataFrame(list(adults), schema=["region_code", "breakdown"], orient="row")
    return (
        pl.DataFrame({"variable": list(variables)})
        .join(domains.with_columns(population=pl.Series(counts.sum(axis=-1))), how="cross")
        .with_columns(mean=pl.Series(values[:, 0].ravel()), share=pl.Series(values[:, 1].ravel()))
        .select("variable", "region_code", "breakdown", "mean", "share", "population")
    )


def _adults_by_effect(
    settings: SurveySettings, cells: pl.DataFrame, effects: Ints, groups: Mapping[str, Sequence[str]]
) -> dict[tuple[str, str], Ints]:
    """The adults of each region and breakdown, by the effect of their cell."""
    regions = {code: [code] for code in cells["calibration_region"].unique(maintain_order=True)} | dict(groups)
    breakdowns = {"total": np.ones(cells.height, dtype=np.int64)} | {
        f"{breakdown}={category}": (cells[breakdown] == category).to_numpy()
        for breakdown, categories in settings.breakdowns.items()
        for category in categories
    }
    place = np.searchsorted(effects, cells["effect"].to_numpy())
    inside = {
        code: cells["population"].to_numpy() * cells["calibration_region"].is_in(list(members)).to_numpy()
        for code, members in regions.items()
    }
    return {
        (code, breakdown): np.bincount(place, adults * holds, len(effects)).astype(np.int64)
        for code, adults in inside.items()
        for breakdown, holds in breakdowns.items()
    }


def _of_dimension(
    wave: Wave, dimension: Dimension, effects: Ints, satisfied_from: float
) -> dict[str, tuple[Floats, Floats]]:
    """Mean and share of a dimension and of its items, by the effect of a cell."""
    p = [_chance(_base(wave, dimension, item), effects[:, None] + _LEVELS) for item in dimension.items]
    steps = [_steps(item) for item in dimension.items]
    found = {dimension.indicator: _mean_and_share(p, steps, dimension.minimum_items, satisfied_from)}
    for item, one, count in zip(dimension.items, p, steps, strict=True):
        found[item.item] = _mean_and_share([one], [count], 1, satisfied_from)
    return found


def _mean_and_share(
    p: Sequence[Floats], steps: Sequence[int], minimum: int, satisfied_from: float
) -> tuple[Floats, Floats]:
    """Mean, and percentage from `satisfied_from`, of the mean score of the questions answered; `p` is (effect, level).

    Every set of at least `minimum` questions may be the one that was answered, each with its chance.
    """
    questions = range(len(p))
    answered = [chosen for size in range(minimum, len(p) + 1) for chosen in combinations(questions, size)]
    open_ = _LEFT_OPEN / 1000
    chances = np.array([(1 - open_) ** len(chosen) * open_ ** (len(p) - len(chosen)) for chosen in answered])
    mean, share = np.zeros(len(p[0])), np.zeros(len(p[0]))
    for chosen, chance in zip(answered, chances / chances.sum(), strict=True):
        mean += chance * (np.mean([p[i] for i in chosen], axis=0) * _CHANCES).sum(axis=1)
        share += chance * _chance_from(satisfied_from, [p[i] for i in chosen], [steps[i] for i in chosen])
    return mean, 100 * share


def _chance_from(satisfied_from: float, p: Sequence[Floats], steps: Sequence[int]) -> Floats:
    """The chance that the mean of the scores is at least `satisfied_from`, over all levels of a person."""
    grid = lcm(*steps)
    sums = np.ones((*p[0].shape, 1))
    for chance, count in zip(p, steps, strict=True):
        taken = np.zeros((*chance.shape, sums.shape[-1] + grid))
        for k in range(count + 1):
            start = k * grid // count
            binomial = comb(count, k) * chance**k * (1 - chance) ** (count - k)
            taken[..., start : start + sums.shape[-1]] += binomial[..., None] * sums
        sums = taken
    enough = np.arange(sums.shape[-1]) >= satisfied_from * grid * len(p) - 1e-9
    chance_from: Floats = ((sums * enough).sum(axis=-1) * _CHANCES).sum(axis=1)
    return chance_from


# --- the file of an institute


def _as_delivered(wave: Wave, columns: Columns, answers: pl.DataFrame) -> pl.DataFrame:
    """The answers in the columns and codes of the wave's file: the inverse of reading it."""
    delivered = {columns.municipality: pl.col("region_code")}
    named = {columns.respondent: "respondent", columns.weight: "weight", columns.stratum: "stratum"}
    named[columns.population_size] = "population_size"
    delivered |= {column: pl.col(name) for column, name in named.items() if column is not None}
    delivered |= {group.column: _group_code(name, group) for name, group in columns.groups.items()}
    if wave.response is not None:
        did, did_not = wave.response.respondent[0], wave.response.nonrespondent[0]
        code = pl.when("responded").then(pl.lit(did)).otherwise(pl.lit(did_not))
        delivered[wave.response.column] = _as_number(code, [did, did_not])
    delivered |= {item.column: _answer(item) for item in wave.items}
    for place, column in enumerate(columns.drop):
        delivered[column] = pl.format(f"niemand{place}.{{}}@voorbeeld.invalid", "row")
    return answers.select(**delivered)


def _group_code(name: str, group: Group) -> pl.Expr:
    """The file's code, or an age, for a category; a missing code where it is not known."""
    if group.bands:
        pairs = {
            category: pl.lit(low) + pl.col("row") % (min(high, low + 29) - low + 1)
            for category, (low, high) in group.bands.items()
        }
        code = pl.coalesce(pl.when(pl.col(name) == category).then(age) for category, age in pairs.items())
        return code.fill_null(int(group.missing[0]))
    codes = {category: code for code, category in reversed(group.values.items())}
    missing = group.missing[0] if group.missing else None
    return _as_number(pl.col(name).replace_strict(codes, default=missing, return_dtype=pl.String), codes.values())


def _as_number(code: pl.Expr, codes: Iterable[str]) -> pl.Expr:
    return code.cast(pl.Int64) if all(known.isdecimal() for known in codes) else code


def _answer(item: Item) -> pl.Expr:
    """The answer on the question's own scale: a missing code where it was left open, NULL from who was not heard."""
    low, high = item.valid
    score = pl.col(item.item)
    answer = (low + (high - low) * (score if item.polarity == 1 else 1 - score)).round().cast(pl.Int64)
    left_open = int(item.missing[0]) if item.missing else None
    return pl.when("responded").then(answer.fill_null(left_open) if left_open is not None else answer)


def _write_spss(path: Path, wave: Wave, groups: Sequence[Group], raw: pl.DataFrame) -> None:
    """As SPSS has it: questions as labels, codes with names, and missing codes declared as such."""
    import pyreadstat

    missing = {group.column: group.missing for group in groups} | {item.column: item.missing for item in wave.items}
    pyreadstat.write_sav(
        raw,
        str(path),
        column_labels={item.column: item.question_nl for item in wave.items},
        variable_value_labels={
            group.column: {int(code): name for code, name in group.values.items()} for group in groups if group.values
        },
        missing_ranges={column: [int(code) for code in codes] for column, codes in missing.items() if codes},
    )
