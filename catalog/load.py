"""Loads the catalogue and checks its files against each other. A mistake is reported with file, line and field."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from catalog.analysis_model import AnalysisSettings, FrameworkIndicator, FrameworkSettings
from catalog.corrections_model import Correction, check_corrections
from catalog.expression import names_in
from catalog.model import (
    BoundaryServices,
    Indicator,
    IndicatorSource,
    Ratio,
    Region,
    Service,
    Source,
    Sources,
    SourceTable,
    Term,
    Theme,
)
from catalog.programme_model import Programme
from catalog.publication_model import Publication
from catalog.registry import Column, Registry, Table
from catalog.survey import SurveyCatalogue, load_survey
from catalog.waves import sources_of_waves, tables_of_waves
from catalog.yaml_file import CatalogueError, YamlFile, YearError

FOLDER = Path(__file__).parent
REGION_FILE = FOLDER / "region.yaml"


class Catalogue(BaseModel):
    """Everything the catalogue says, validated and cross-checked."""

    model_config = ConfigDict(frozen=True)

    region: Region
    themes: list[Theme]
    indicators: list[Indicator]
    sources: dict[str, Source]
    source_tables: dict[str, SourceTable]
    services: dict[str, Service]
    boundaries: BoundaryServices
    vocabulary: dict[str, dict[str, Term]]
    registry: Registry
    survey: SurveyCatalogue
    analysis: AnalysisSettings
    corrections: list[Correction] = []
    programme: Programme | None = None
    publication: Publication
    sha256: str

    def indicator(self, indicator_id: str) -> Indicator:
        """The indicator with this id; KeyError if there is none."""
        for indicator in self.indicators:
            if indicator.indicator_id == indicator_id:
                return indicator
        raise KeyError(indicator_id)

    @property
    def headline_indicators(self) -> list[Indicator]:
        """The headline indicators, in the order of their themes."""
        place = {theme.theme_id: number for number, theme in enumerate(self.themes)}
        headline = [indicator for indicator in self.indicators if indicator.headline]
        return sorted(headline, key=lambda indicator: place.get(indicator.theme_id or "", len(place)))

    def until(self, year: int) -> Catalogue:
        """The same catalogue with `year` as the last measurement year; raises YearError outside the region's years."""
        if not self.region.baseline_year <= year <= self.region.last_measurement_year:
            raise YearError(
                f"measurement year {year}: expected {self.region.baseline_year} to {self.region.last_measurement_year} "
                "(baseline_year and last_measurement_year of the region file)"
            )
        return self.model_copy(update={"region": self.region.model_copy(update={"last_measurement_year": year})})

    def known_periods(self, source: IndicatorSource) -> list[str]:
        """Reference periods its publisher is known to have published, retrieved or not."""
        if source.known_periods is not None:
            return source.known_periods
        return self.sources[self.source_tables[source.source_table].source_id].known_periods


def load_catalogue(region_file: Path = REGION_FILE, folder: Path = FOLDER) -> Catalogue:
    """Load and validate the whole catalogue; raises CatalogueError at the first mistake."""
    indicator_files = sorted((folder / "indicators").glob("*.yaml"))
    if not indicator_files:
        raise CatalogueError(f"{folder / 'indicators'}: no indicator files (*.yaml) found")
    names = ("themes", "sources", "vocabulary", "columns", "analysis", "corrections")
    files = [region_file, *(folder / f"{name}.yaml" for name in names)]
    region_yaml, themes_yaml, sources_yaml, vocabulary_yaml, columns_yaml, analysis_yaml, corrections_yaml = map(
        YamlFile, files
    )
    # Another region may have a publisher of its own.
    own_publication = region_file.parent / "publication.yaml"
    publication_yaml = YamlFile(own_publication if own_publication.is_file() else folder / "publication.yaml")
    indicator_yamls = [YamlFile(path) for path in indicator_files]

    vocabulary = vocabulary_yaml.parse(dict[str, dict[str, Term]])
    sources = sources_yaml.parse(Sources)
    placed = [
        (indicator, file, index)
        for file in indicator_yamls
        for index, indicator in enumerate(file.parse(list[Indicator]))
    ]
    region = region_yaml.parse(Region)
    survey_folder = region_file.parent / region.survey if region.survey else folder / "survey"
    if not survey_folder.is_dir():
        raise region_yaml.error(
            ["survey"], f"there is no folder '{region.survey}' beside this file: copy it too, or leave this field out"
        )
    survey = load_survey({indicator.indicator_id: indicator.layer for indicator, _, _ in placed}, survey_folder)
    if not region.survey:
        survey = survey.model_copy(update={"waves": {}})
    programme_yaml = _programme_file(region_file, region, region_yaml)
    catalogue = Catalogue(
        region=region,
        themes=themes_yaml.parse(list[Theme]),
        indicators=sources_of_waves(_with_sources_of_ratios(placed), survey, region.baseline_year),
        sources={source.source_id: source for source in sources.sources},
        source_tables={table.source_table: table for table in [*sources.tables, *tables_of_waves(survey)]},
        services={service.service_id: service for service in sources.services},
        boundaries=sources.boundaries,
        vocabulary=vocabulary,
        registry=_registry(columns_yaml, vocabulary),
        survey=survey,
        analysis=analysis_yaml.parse(AnalysisSettings),
        corrections=corrections_yaml.parse(list[Correction]),
        programme=programme_yaml.parse(Programme) if programme_yaml else None,
        # Not in the fingerprint: it changes no figure.
        publication=publication_yaml.parse(Publication),
        sha256=_fingerprint(
            [
                *files,
                *([programme_yaml.path] if programme_yaml else []),
                *indicator_files,
                *sorted(survey_folder.glob("*.yaml")),
            ]
        ),
    )
    _check_themes(catalogue, themes_yaml)
    _check_sources(sources, sources_yaml)
    _check_indicators(catalogue, placed)
    _check_region(catalogue, region_yaml)
    _check_analysis(catalogue, analysis_yaml)
    _check_publication(catalogue, publication_yaml)
    if programme_yaml:
        _check_programme(catalogue, programme_yaml)
    check_corrections(catalogue, corrections_yaml)
    return catalogue


def _programme_file(region_file: Path, region: Region, file: YamlFile) -> YamlFile | None:
    if region.programme is None:
        return None
    path = region_file.parent / region.programme
    if not path.is_file():
        message = f"there is no file '{region.programme}' beside this file: copy it too, or leave this field out"
        raise file.error(["programme"], message)
    return YamlFile(path)


def _registry(file: YamlFile, vocabulary: dict[str, dict[str, Term]]) -> Registry:
    data = file.parse(dict[Literal["columns", "tables"], dict[str, dict[str, Any]]])
    if missing := {"columns", "tables"} - set(data):
        raise file.error([], f"this file needs the part {' and '.join(sorted(missing))}")
    columns = {key: _column(key, entry, file, vocabulary) for key, entry in data["columns"].items()}
    tables = {name: _table(name, entry, file, columns) for name, entry in data["tables"].items()}
    for key, column in columns.items():
        if column.references and column.references not in tables:
            raise file.error(["columns", key, "references"], f"there is no table '{column.references}'")
    used = {key for entry in data["tables"].values() for key in entry["columns"]}
    if unused := sorted(set(columns) - used):
        raise file.error(["columns", unused[0]], "described but used in no table")
    return Registry(tables=tables)


def _column(key: str, entry: dict[str, Any], file: YamlFile, vocabulary: dict[str, dict[str, Term]]) -> Column:
    try:
        column = Column(**{"name": key, **entry})
    except (ValidationError, TypeError) as error:
        raise file.error(["columns", key], _first_message(error)) from error
    if column.vocabulary and column.vocabulary not in vocabulary:
        raise file.error(["columns", key, "vocabulary"], f"no vocabulary '{column.vocabulary}' is defined")
    return column


def _table(name: str, entry: dict[str, Any], file: YamlFile, columns: dict[str, Column]) -> Table:
    loc = ["tables", name]
    keys = entry.get("columns") or []
    if unknown := [key for key in keys if key not in columns]:
        raise file.error([*loc, "columns"], f"not described under columns: {', '.join(unknown)}")
    try:
        table = Table(**{**entry, "name": name, "columns": [columns[key] for key in keys]})
    except ValidationError as error:
        raise file.error([*loc, *error.errors()[0]["loc"]], _first_message(error)) from error
    for field in ("key", "required"):
        if missing := sorted(set(getattr(table, field)) - set(table.column_names)):
            raise file.error([*loc, field], f"not among the columns of this table: {', '.join(missing)}")
    return table


def _first_message(error: Exception) -> str:
    return str(error.errors()[0]["msg"]) if isinstance(error, ValidationError) else str(error)


def _with_sources_of_ratios(placed: list[tuple[Indicator, YamlFile, int]]) -> list[Indicator]:
    """The indicators, each ratio with the sources of its numerator."""
    known = {indicator.indicator_id: indicator for indicator, _, _ in placed}
    whole = []
    for indicator, file, index in placed:
        ratio = indicator.ratio
        if ratio and indicator.sources:
            raise file.error([index, "sources"], "a ratio has none of its own: its numerator has them")
        for field, part in (("numerator", ratio and ratio.numerator), ("denominator", ratio and ratio.denominator)):
            if part and (part not in known or known[part].ratio):
                raise file.error([index, "ratio", field], f"'{part}' is no indicator that is published as such")
        if ratio:
            sources = [_as_ratio(source, indicator, ratio) for source in known[ratio.numerator].sources]
            whole.append(indicator.model_copy(update={"sources": sources}))
        else:
            whole.append(indicator)
    return whole


def _as_ratio(source: IndicatorSource, indicator: Indicator, ratio: Ratio) -> IndicatorSource:
    """A numerator's source as that of the ratio. Its rounding unit is per unit of the denominator (see compare)."""
    return source.model_copy(
        update={
            "source_column": f"{source.source_column} / {ratio.denominator}",
            "unit": indicator.unit,
            "rounding_unit": ratio.per * source.rounding_unit,
            "topics": [],
            "revision_margin": None,
            "note": f"{ratio.per:g} x {ratio.numerator} / {ratio.denominator}",
        }
    )


def _check_publication(catalogue: Catalogue, file: YamlFile) -> None:
    said = catalogue.publication
    for field, names in (("main_tables", said.main_tables), ("tables_from", list(said.tables_from))):
        if unknown := sorted(set(names) - set(catalogue.registry.tables)):
            raise file.error([field], f"there is no table '{unknown[0]}'")
    for table, sources in said.tables_from.items():
        if unknown := sorted(set(sources) - set(catalogue.sources)):
            raise file.error(["tables_from", table], f"no source '{unknown[0]}' is defined")


def _check_themes(catalogue: Catalogue, file: YamlFile) -> None:
    ids = [theme.theme_id for theme in catalogue.themes]
    for index, theme_id in enumerate(ids):
        if theme_id in ids[:index]:
            raise file.error([index, "theme_id"], f"'{theme_id}' is defined twice")


def _check_sources(sources: Sources, file: YamlFile) -> None:
    services = [service.service_id for service in sources.services]
    source_ids = [source.source_id for source in sources.sources]
    tables = [table.source_table for table in sources.tables]
    for index, service_id in enumerate(services):
        if service_id in services[:index]:
            raise file.error(["services", index, "service_id"], f"'{service_id}' is defined twice")
    for index, source_id in enumerate(source_ids):
        if source_id in source_ids[:index]:
            raise file.error(["sources", index, "source_id"], f"'{source_id}' is defined twice")
    for index, table in enumerate(sources.tables):
        if table.source_table in tables[:index]:
            raise file.error(["tables", index, "source_table"], f"'{table.source_table}' is defined twice")
        if table.source_id not in source_ids:
            raise file.error(["tables", index, "source_id"], f"no source '{table.source_id}' is defined in this file")
        if table.service and table.service.service not in services:
            raise file.error(
                ["tables", index, "service", "service"], f"no service '{table.service.service}' is defined"
            )


def _check_indicators(catalogue: Catalogue, placed: list[tuple[Indicator, YamlFile, int]]) -> None:
    themes = {theme.theme_id for theme in catalogue.themes}
    ids = [indicator.indicator_id for indicator in catalogue.indicators]
    for number, (indicator, file, index) in enumerate(placed):
        if indicator.indicator_id in ids[:number]:
            raise file.error([index, "indicator_id"], f"'{indicator.indicator_id}' is defined twice")
        if indicator.theme_id is not None and indicator.theme_id not in themes:
            raise file.error([index, "theme_id"], f"no theme '{indicator.theme_id}' in themes.yaml")
        if indicator.companion is not None and indicator.companion not in ids:
            raise file.error([index, "companion"], f"no indicator '{indicator.companion}' is defined")
        _check_weight(indicator, ids, file, index)
        _check_indicator_sources(indicator, catalogue, file, index)


def _check_weight(indicator: Indicator, ids: list[str], file: YamlFile, index: int) -> None:
    for field in ("weight", "weight_fallback"):
        try:
            unknown = sorted(names_in(getattr(indicator, field) or "1") - set(ids))
        except ValueError as error:
            raise file.error([index, field], str(error)) from error
        if unknown:
            raise file.error([index, field], f"names indicators that are not defined: {', '.join(unknown)}")


def _check_indicator_sources(indicator: Indicator, catalogue: Catalogue, file: YamlFile, index: int) -> None:
    for row, source in enumerate(indicator.sources):
        loc = [index, "sources", row]
        if source.source_table not in catalogue.source_tables:
            raise file.error([*loc, "source_table"], f"no table '{source.source_table}' in sources.yaml")
        if source.unit != indicator.unit:
            raise file.error([*loc, "unit"], f"unit '{source.unit}' differs from the indicator's '{indicator.unit}'")
        for field in ("warnings", "period_warnings"):
            if bad := sorted(set(getattr(source, field)) - set(catalogue.vocabulary["warning"])):
                raise file.error([*loc, field], f"not in the vocabulary of warnings: {', '.join(bad)}")


def _check_region(catalogue: Catalogue, file: YamlFile) -> None:
    ids = {indicator.indicator_id for indicator in catalogue.indicators}
    for index, total in enumerate(catalogue.region.plausible_totals):
        if total.indicator not in ids:
            raise file.error(["plausible_totals", index, "indicator"], f"no indicator '{total.indicator}' is defined")
        if total.region not in catalogue.region.own_groups:
            raise file.error(["plausible_totals", index, "region"], f"'{total.region}' is not the region or its group")


def _check_programme(catalogue: Catalogue, file: YamlFile) -> None:
    ids = {indicator.indicator_id for indicator in catalogue.indicators}
    for index, target in enumerate(catalogue.programme.targets if catalogue.programme else []):
        named = target.measured.indicator if target.measured else None
        if named is not None and named not in ids:
            raise file.error(["targets", index, "measured", "indicator"], f"no indicator '{named}' is defined")


def _check_analysis(catalogue: Catalogue, file: YamlFile) -> None:
    indicators = {indicator.indicator_id: indicator for indicator in catalogue.indicators}
    themes = {theme.theme_id for theme in catalogue.themes}
    for place, framework in enumerate(catalogue.analysis.frameworks):
        for row, theme in enumerate(framework.themes):
            loc: list[str | int] = ["frameworks", place, "themes", row]
            if theme.theme_id not in themes:
                raise file.error([*loc, "theme_id"], f"no theme '{theme.theme_id}' in themes.yaml")
            for entry_place, entry in enumerate(theme.indicators):
                indicator = indicators.get(entry.indicator)
                if message := _unfit(entry, indicator, framework):
                    raise file.error([*loc, "indicators", entry_place, "indicator"], message)
    if catalogue.analysis.urbanity not in indicators:
        raise file.error(["urbanity"], f"no indicator '{catalogue.analysis.urbanity}' is defined")
    for place, variable in enumerate(catalogue.analysis.structure):
        try:
            unknown = sorted(names_in(variable.expression) - set(indicators))
        except ValueError as error:
            raise file.error(["structure", place, "expression"], str(error)) from error
        if unknown:
            message = f"names indicators that are not defined: {', '.join(unknown)}"
            raise file.error(["structure", place, "expression"], message)


def _unfit(entry: FrameworkIndicator, indicator: Indicator | None, framework: FrameworkSettings) -> str | None:
    """Why an indicator cannot be part of a framework; None where it can."""
    if indicator is None:
        return f"no indicator '{entry.indicator}' is defined"
    if indicator.layer != framework.layer:
        return f"'{entry.indicator}' is {indicator.layer}; frameworks never mix layers: expected {framework.layer}"
    if indicator.polarity == 0:
        return f"'{entry.indicator}' has polarity 0: more of it is not better or worse"
    if indicator.nominal_euro and entry.quantity == "value":
        return f"'{entry.indicator}' is in euros, which rise with prices: use quantity: relative_to_nl"
    return None


def _fingerprint(files: list[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        # Line ends differ between a Windows and a Linux checkout; the catalogue does not.
        digest.update(path.name.encode() + b"\0" + path.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return digest.hexdigest()
