"""Loads the survey's settings and waves, checks them against each other, and says which waves are one series."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise, product
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from catalog.survey_model import Margin, SurveySettings, Wave
from catalog.yaml_file import YamlFile

FOLDER = Path(__file__).parent / "survey"
SETTINGS = "settings.yaml"
# The columns of a table of respondents (sources.survey.COLUMNS): no question may be called like one of them.
RESERVED = frozenset(
    [
        *("row", "respondent", "region_code", "calibration_region", "sex", "age", "education"),
        *("stratum", "weight", "population_size", "responded"),
    ]
)

Mistakes = Iterator[tuple[list[Any], str]]


class SurveyCatalogue(BaseModel):
    """What is known of the resident survey.

    `waves` are in order of year; `fingerprints` are the SHA-256 of the settings and of each wave's file, by wave_id.
    """

    model_config = ConfigDict(frozen=True)

    settings: SurveySettings
    waves: dict[str, Wave]
    fingerprints: dict[str, str]

    @property
    def sha256(self) -> str:
        """Changes when the settings or any wave does."""
        return hashlib.sha256(
            "".join(f"{name}{digest}" for name, digest in self.fingerprints.items()).encode()
        ).hexdigest()


def load_survey(layers: Mapping[str, str], folder: Path = FOLDER) -> SurveyCatalogue:
    """Load and validate settings.yaml and the waves beside it; raises CatalogueError at the first mistake.

    `layers` is the layer of every indicator of the catalogue: indicator_id -> experienced, official or context.
    """
    file = YamlFile(folder / SETTINGS)
    settings = file.parse(SurveySettings)
    _refuse(file, _mistakes_in_settings(settings, layers))
    paths = sorted(path for path in folder.glob("*.yaml") if path.name != SETTINGS)
    placed = [(wave_file, wave_file.parse(Wave)) for wave_file in map(YamlFile, paths)]
    placed.sort(key=lambda each: (each[1].measurement_year, each[1].synthetic, each[1].wave_id))
    for place, (wave_file, wave) in enumerate(placed):
        earlier = [other for _, other in placed[:place]]
        _refuse(wave_file, _mistakes_in_groups(wave, settings))
        _refuse(wave_file, _mistakes_in_calibration(wave, settings, layers))
        _refuse(wave_file, _mistakes_in_dimensions(wave, layers))
        _refuse(wave_file, _mistakes_between(wave, earlier))
    return SurveyCatalogue(
        settings=settings,
        waves={wave.wave_id: wave for _, wave in placed},
        fingerprints={"settings": _fingerprint(file)} | {wave.wave_id: _fingerprint(each) for each, wave in placed},
    )


def series(waves: Iterable[Wave]) -> dict[tuple[str, str], str]:
    """Which series each dimension of each wave belongs to: (wave_id, indicator_id) -> series_id.

    In order of year; the same questions and the same way of taking part are one series, called after the indicator;
    the next ones are called `_v2` and so on. Invented waves have series of their own.
    """
    known: dict[tuple[str, bool], list[object]] = defaultdict(list)
    found: dict[tuple[str, str], str] = {}
    for wave in _in_order(waves):
        for dimension in wave.dimensions:
            # Questions that are not known are nobody else's.
            definition = (wave.participation, dimension.definition if dimension.items else wave.wave_id)
            versions = known[dimension.indicator, wave.synthetic]
            if definition not in versions:
                versions.append(definition)
            version = versions.index(definition) + 1
            name = f"{dimension.indicator}_synthetic" if wave.synthetic else dimension.indicator
            found[wave.wave_id, dimension.indicator] = name if version == 1 else f"{name}_v{version}"
    return found


def differs_from_baseline(waves: Iterable[Wave]) -> set[tuple[str, str]]:
    """The dimensions (wave_id, indicator_id) that are of another series than in the first wave that has them."""
    ordered = _in_order(waves)
    of = series(ordered)
    first: dict[tuple[str, bool], str] = {}
    for wave in ordered:
        for dimension in wave.dimensions:
            first.setdefault((dimension.indicator, wave.synthetic), of[wave.wave_id, dimension.indicator])
    invented = {wave.wave_id: wave.synthetic for wave in ordered}
    return {key for key, name in of.items() if name != first[key[1], invented[key[0]]]}


def _in_order(waves: Iterable[Wave]) -> list[Wave]:
    return sorted(waves, key=lambda wave: (wave.measurement_year, wave.synthetic, wave.wave_id))


def _refuse(file: YamlFile, mistakes: Mistakes) -> None:
    for loc, message in mistakes:
        raise file.error(loc, message)


def _mistakes_in_settings(settings: SurveySettings, layers: Mapping[str, str]) -> Mistakes:
    for number, covariate in enumerate(settings.small_areas.covariates):
        if covariate not in layers:
            yield ["small_areas", "covariates", number], f"no indicator '{covariate}' is defined"
    for name, categories in settings.breakdowns.items():
        if odd := sorted(code for code in categories if set(code) & set("=;* ")):
            yield ["breakdowns", name, odd[0]], "a code has no blank, =, ; or *"


def _mistakes_in_groups(wave: Wave, settings: SurveySettings) -> Mistakes:
    for name, group in (wave.columns.groups if wave.columns else {}).items():
        loc = ["columns", "groups", name]
        known = settings.breakdowns.get(name, {})
        field, codes = ("values", group.values.values()) if group.values else ("bands", group.bands)
        if unknown := sorted(set(codes) - set(known)):
            yield [*loc, field], f"not among the codes of {name} in {SETTINGS} ({', '.join(known)}): {unknown[0]}"
        if lacking := sorted(set(known) - set(codes)):
            yield [*loc, field], f"no respondent could be {lacking[0]}"
        if both := sorted(set(group.missing) & set(group.values)):
            yield [*loc, "missing"], f"{both[0]} stands under values too"
        bands = sorted(group.bands.items(), key=lambda band: band[1])
        for band, (low, high) in bands:
            if high < low:
                yield [*loc, "bands", band], "the highest lies below the lowest"
        for (before, (_, high)), (band, (low, _)) in pairwise(bands):
            if low <= high:
                yield [*loc, "bands", band], f"overlaps {before}"


def _mistakes_in_calibration(wave: Wave, settings: SurveySettings, layers: Mapping[str, str]) -> Mistakes:
    groups = wave.columns.groups if wave.columns else {}
    for number, margin in enumerate(wave.calibration.margins if wave.calibration else []):
        loc: list[Any] = ["calibration", "margins", number]
        if lacking := [name for name in margin.by if name != "municipality" and name not in groups]:
            yield [*loc, "by"], f"columns.groups does not say which column holds {lacking[0]}"
        if margin.official:
            yield from _mistakes_in_official(margin, settings, layers, [*loc, "official"])
    for name in wave.response.classes if wave.response else []:
        if name != "municipality" and name not in groups:
            yield ["response", "classes"], f"columns.groups does not say which column holds {name}"


def _mistakes_in_official(
    margin: Margin, settings: SurveySettings, layers: Mapping[str, str], loc: list[Any]
) -> Mistakes:
    if unknown := sorted(set(margin.official.values()) - set(layers)):
        yield loc, f"no indicator '{unknown[0]}' is defined"
    codes = [settings.breakdowns[name] for name in margin.by if name != "municipality"]
    cells = {";".join(cell) for cell in product(*codes)} - {""}
    # Municipalities alone need one indicator, under the name `total`.
    if wrong := sorted(set(margin.official) ^ (cells or {"total"})):
        what = "is no cell of this margin" if wrong[0] in margin.official else "is missing"
        yield loc, f"{wrong[0]} {what}; the cells are {', '.join(sorted(cells) or ['total'])}"


def _mistakes_in_dimensions(wave: Wave, layers: Mapping[str, str]) -> Mistakes:
    for number, dimension in enumerate(wave.dimensions):
        loc: list[Any] = ["dimensions", number]
        layer = layers.get(dimension.indicator)
        if layer is None:
            yield [*loc, "indicator"], f"no indicator '{dimension.indicator}' is defined"
        elif layer != "experienced":
            yield [*loc, "indicator"], f"'{dimension.indicator}' is of the layer {layer}, not experienced"
        for place, item in enumerate(dimension.items):
            if item.item in layers:
                yield [*loc, "items", place, "item"], f"'{item.item}' is an indicator; give the question another name"
            if item.item in RESERVED:
                yield [*loc, "items", place, "item"], f"'{item.item}' is the name of a column; choose another"
    known = {dimension.indicator for dimension in wave.dimensions}
    for name, indicator in (wave.aggregates.names if wave.aggregates else {}).items():
        if indicator not in known:
            yield ["aggregates", "names", name], f"'{indicator}' is not among the dimensions"


def _mistakes_between(wave: Wave, earlier: list[Wave]) -> Mistakes:
    """What a wave may not share with those before it, and what it must."""
    for field in ("wave_id", "source_table"):
        if getattr(wave, field) in {getattr(other, field) for other in earlier}:
            yield [field], f"'{getattr(wave, field)}' is the {field} of another wave too"
    same = Counter((other.measurement_year, other.synthetic) for other in earlier)
    if same[wave.measurement_year, wave.synthetic]:
        what = "invented wave" if wave.synthetic else "wave"
        yield ["measurement_year"], f"there is another {what} of {wave.measurement_year}"
    before = {other.wave_id for other in earlier if other.synthetic == wave.synthetic and other.kind == "rows"}
    if wave.panel_of is not None and wave.panel_of not in before:
        yield (
            ["panel_of"],
            f"no earlier wave '{wave.panel_of}' of rows ({', '.join(sorted(before)) or 'there is none'})",
        )
    places = {item.item: each.indicator for other in earlier for each in other.dimensions for item in each.items}
    for number, dimension in enumerate(wave.dimensions):
        for place, item in enumerate(dimension.items):
            if places.get(item.item, dimension.indicator) != dimension.indicator:
                loc = ["dimensions", number, "items", place, "item"]
                yield (
                    loc,
                    f"'{item.item}' belongs to {places[item.item]} in another wave; another question, another name",
                )


def _fingerprint(file: YamlFile) -> str:
    # Read as text: line ends differ between a Windows and a Linux checkout; the catalogue does not.
    return hashlib.sha256(file.text.encode()).hexdigest()
