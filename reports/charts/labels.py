"""The Dutch words the pictures need, from the catalogue."""

from __future__ import annotations

from catalog import Catalogue
from reports.charts.story import ChartLabels


def chart_labels(catalogue: Catalogue, outlines_source: str | None) -> ChartLabels:
    """Codes and words for pictures; `outlines_source` is printed under maps."""
    region, vocabulary = catalogue.region, catalogue.vocabulary
    return ChartLabels(
        region_code=region.region_code,
        groups={group.code: group.name_nl for group in region.main_groups},
        country_code=region.country_code,
        rest_code=region.rest_code,
        names={
            region.region_code: region.name_nl,
            region.country_code: region.country_name_nl,
            region.rest_code: region.rest_name_nl,
        },
        status={key: term.label_nl for key, term in vocabulary["status"].items()},
        warnings={key: term.label_nl for key, term in vocabulary["warning"].items()},
        units={indicator.unit: indicator.unit_nl for indicator in catalogue.indicators},
        companions={i.indicator_id: i.companion for i in catalogue.indicators if i.companion},
        outlines_source=outlines_source,
        verdicts={key: term.label_nl for key, term in vocabulary["verdict"].items()},
        positions={key: term.label_nl for key, term in vocabulary["position"].items()},
        baseline_year=region.baseline_year,
        contrast=region.contrasts[0] if region.contrasts else None,
        grade=catalogue.survey.settings.grade,
    )
