"""Waves of the resident survey as sources of indicators, so that their figures go the way of all others."""

from __future__ import annotations

from collections.abc import Sequence

from catalog.model import Indicator, IndicatorSource, SourceTable
from catalog.survey import SurveyCatalogue, differs_from_baseline, series
from catalog.survey_model import Dimension, Wave

# The indicator of the percentage of satisfied people is called after that of the mean score.
SHARE_SUFFIX = "_share"
_REAL, _INVENTED = 1, 9


def sources_of_waves(indicators: Sequence[Indicator], survey: SurveyCatalogue, baseline_year: int) -> list[Indicator]:
    """The indicators, those of the experienced layer with each wave that measures them as a source."""
    return [_with_waves(indicator, survey, baseline_year) for indicator in indicators]


def tables_of_waves(survey: SurveyCatalogue) -> list[SourceTable]:
    """The source tables that the waves are."""
    settings = survey.settings
    return [
        SourceTable(
            source_table=wave.source_table,
            source_id=settings.synthetic_source_id if wave.synthetic else settings.source_id,
            title=wave.title,
            url=wave.url,
        )
        for wave in survey.waves.values()
    ]


def warnings_of(wave: Wave, survey: SurveyCatalogue, indicator_id: str) -> list[str]:
    """What every figure of a dimension in a wave must say."""
    of_kind = [other for other in survey.waves.values() if other.synthetic == wave.synthetic]
    says = {
        "synthetic": wave.synthetic,
        "self_selected": wave.participation == "open",
        "survey_mode": wave.mode != of_kind[0].mode,
        "definition_differs": (wave.wave_id, indicator_id) in differs_from_baseline(survey.waves.values()),
    }
    return sorted(warning for warning, holds in says.items() if holds)


def _with_waves(indicator: Indicator, survey: SurveyCatalogue, baseline_year: int) -> Indicator:
    dimension_id = indicator.indicator_id.removesuffix(SHARE_SUFFIX)
    found = [
        _source(indicator, dimension, wave, survey, baseline_year)
        for wave in survey.waves.values()
        for dimension in wave.dimensions
        if dimension.indicator == dimension_id
    ]
    return indicator.model_copy(update={"sources": [*indicator.sources, *found]}) if found else indicator


def _source(
    indicator: Indicator, dimension: Dimension, wave: Wave, survey: SurveyCatalogue, baseline_year: int
) -> IndicatorSource:
    year = str(wave.measurement_year)
    return IndicatorSource(
        source_table=wave.source_table,
        source_column=", ".join(item.item for item in dimension.items) or dimension.indicator,
        unit=indicator.unit,
        period_first=year,
        period_last=year,
        priority=_INVENTED if wave.synthetic else _REAL,
        series_id=series(survey.waves.values())[wave.wave_id, dimension.indicator],
        kind="sample",
        rounding_unit=survey.settings.rounding_unit(share=indicator.is_percentage),
        warnings=warnings_of(wave, survey, dimension.indicator),
        baseline_periods={baseline_year: year} if wave.measurement_year == baseline_year else {},
        note="invented, about nobody" if wave.synthetic else None,
    )
