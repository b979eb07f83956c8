"""The catalogue as tables: what the measurement joins with, and the descriptive tables that are published."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from pydantic import BaseModel

from catalog.load import Catalogue
from catalog.model import IndicatorSource
from catalog.programme_model import Assignment, Line, Programme


def themes(catalogue: Catalogue) -> pl.DataFrame:
    """The published table `theme`."""
    rows = [theme.model_dump() | {"sort_order": place} for place, theme in enumerate(catalogue.themes, start=1)]
    return catalogue.registry["theme"].conform(pl.DataFrame(rows, infer_schema_length=None))


def indicators(catalogue: Catalogue) -> pl.DataFrame:
    """One row an indicator: the columns of the published table `indicator` and the measurement's own settings."""
    frame = _frame(catalogue.indicators, exclude={"sources", "ratio"})
    return frame.with_columns(
        pl.Series("is_count", [indicator.is_count for indicator in catalogue.indicators]),
        pl.Series("is_percentage", [indicator.is_percentage for indicator in catalogue.indicators]),
    )


def ratios(catalogue: Catalogue) -> pl.DataFrame:
    """What each ratio is made of: indicator_id, numerator, denominator, per."""
    rows = [i.ratio.model_dump() | {"indicator_id": i.indicator_id} for i in catalogue.indicators if i.ratio]
    names = ("indicator_id", "numerator", "denominator")
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String) | {"per": pl.Float64})


# Of a source, what is no column: nested settings, joined where they are needed.
_SETTINGS_OF_SOURCES = {"period_warnings", "known_periods", "baseline_periods", "topics", "select", "add_up", "months"}


def indicator_sources(catalogue: Catalogue) -> pl.DataFrame:
    """One row an indicator and source table: the published `indicator_source`, warnings and revision margin."""
    rows = [
        source.model_dump(exclude=_SETTINGS_OF_SOURCES)
        | {
            "indicator_id": indicator.indicator_id,
            "source_id": catalogue.source_tables[source.source_table].source_id,
            "note": _note(source, catalogue),
        }
        for indicator in catalogue.indicators
        for source in indicator.sources
    ]
    return pl.DataFrame(
        rows,
        infer_schema_length=None,
        schema_overrides={"revision_margin": pl.Float64, "rounding_unit": pl.Float64, "warnings": pl.List(pl.String)},
    )


def _note(source: IndicatorSource, catalogue: Catalogue) -> str | None:
    """A source's note, and whether its column was ever seen at the publisher."""
    unverified = source.topics and not catalogue.source_tables[source.source_table].titles_verified
    parts = [source.note, "column name not verified against the live table" if unverified else None]
    return "; ".join(part for part in parts if part) or None


def period_warnings(catalogue: Catalogue) -> pl.DataFrame:
    """Warnings that hold for some periods of a source: indicator_id, source_table, period, warning."""
    rows = [
        (indicator.indicator_id, source.source_table, period, warning)
        for indicator in catalogue.indicators
        for source in indicator.sources
        for warning, periods in source.period_warnings.items()
        for period in periods
    ]
    return _rows(rows, ["indicator_id", "source_table", "period", "warning"])


def frozen_baselines(catalogue: Catalogue) -> pl.DataFrame:
    """The reference periods frozen for the region's baseline year: indicator_id, source_table, period."""
    rows = [
        (indicator.indicator_id, source.source_table, period)
        for indicator in catalogue.indicators
        for source, period in indicator.baselines(catalogue.region.baseline_year)
    ]
    return _rows(rows, ["indicator_id", "source_table", "period"])


def known_periods(catalogue: Catalogue) -> pl.DataFrame:
    """Reference periods the publishers are known to have published: indicator_id, period."""
    rows = [
        (indicator.indicator_id, period)
        for indicator in catalogue.indicators
        for source in indicator.sources
        for year in catalogue.known_periods(source)
        for period in ([f"{year}-{month}" for month in source.months] or [year])
    ]
    # The survey is known to have been held, also where no file of it is described yet.
    settings, of_waves = catalogue.survey.settings, {wave.source_table for wave in catalogue.survey.waves.values()}
    rows += [
        (indicator.indicator_id, year)
        for indicator in catalogue.indicators
        if catalogue.region.survey and indicator.layer == "experienced"
        if of_waves.issuperset(source.source_table for source in indicator.sources)
        for year in catalogue.sources[settings.source_id].known_periods
    ]
    return _rows(rows, ["indicator_id", "period"]).unique().sort("indicator_id", "period")


def source_tables(catalogue: Catalogue) -> pl.DataFrame:
    """One row a source table with its publisher; the input's own facts (checksum, rows) are joined later."""
    rows = [
        {
            "source_id": table.source_id,
            "source_table": table.source_table,
            "publisher": catalogue.sources[table.source_id].publisher,
            "title": table.title,
            "licence": catalogue.sources[table.source_id].licence,
            "url": table.url,
            "retrieved_at": table.retrieved_at.isoformat() if table.retrieved_at else None,
            "modified_at": table.modified_at.isoformat() if table.modified_at else None,
            "provisional_periods": ";".join(table.provisional_periods) if table.provisional_periods else None,
        }
        for table in catalogue.source_tables.values()
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def code_list(catalogue: Catalogue) -> pl.DataFrame:
    """The published table `code_list`: every word of every closed vocabulary."""
    rows = [
        {"vocabulary": name, "term": word, **term.model_dump(exclude={"label_change_nl", "label_change_en"})}
        for name, terms in catalogue.vocabulary.items()
        for word, term in terms.items()
    ]
    return catalogue.registry["code_list"].conform(pl.DataFrame(rows, infer_schema_length=None))


def data_dictionary(catalogue: Catalogue) -> pl.DataFrame:
    """The published table `data_dictionary`: every column of every published table."""
    rows = [
        {
            "table_name": table.name,
            "column_name": column.name,
            "type": column.type,
            "unit": column.unit,
            "description_nl": column.description_nl,
            "description_en": column.description_en,
        }
        for table in catalogue.registry.tables.values()
        for column in table.columns
    ]
    return catalogue.registry["data_dictionary"].conform(pl.DataFrame(rows, infer_schema_length=None))


def _frame(entries: Sequence[BaseModel], exclude: set[str]) -> pl.DataFrame:
    return pl.DataFrame(
        [entry.model_dump(exclude=exclude) for entry in entries],
        infer_schema_length=None,
        schema_overrides=dict.fromkeys(("scale_min", "scale_max", "min_relevant_difference"), pl.Float64)
        | {"weight_fallback": pl.String},
    )


def _rows(rows: Sequence[tuple[str, ...]], names: list[str]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")


def programme_lines(programme: Programme) -> pl.DataFrame:
    """The published table `programme_line`: assignments, each with its lines, in the order of the programme."""
    rows: list[dict[str, object]] = []
    for assignment in programme.assignments:
        rows.append({"line_id": assignment.assignment_id, "kind": "assignment", **_names(assignment)})
        rows += [_line(line) for line in programme.lines if line.assignment == assignment.assignment_id]
    rows += [_line(line) for line in programme.lines if line.assignment is None]
    placed = [row | {"sort_order": place} for place, row in enumerate(rows, start=1)]
    return pl.DataFrame(placed, infer_schema_length=None)


def _line(line: Line) -> dict[str, object]:
    return {"line_id": line.line_id, "parent_line_id": line.assignment, "kind": "line", **_names(line)}


def _names(entry: Assignment | Line) -> dict[str, object]:
    return {"name_nl": entry.name_nl, "name_en": entry.name_en}


def targets(programme: Programme) -> pl.DataFrame:
    """The published table `target`, but for the baselines, which are measured."""
    rows = [
        {
            "target_id": target.target_id,
            "line_id": target.line_id,
            "text_nl": target.text_nl,
            "text_en": target.text_en,
            "kind": target.kind,
            "threshold": target.threshold,
            "unit": target.unit_en,
            "unit_nl": target.unit_nl,
            "article": target.article,
            "judged_by": "sample" if target.measured else "nothing" if target.not_covered_nl else "count",
            "sort_order": place,
        }
        for place, target in enumerate(programme.targets, start=1)
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def deadlines(programme: Programme) -> pl.DataFrame:
    """The published table `deadline`: everything that is due, each time it is."""
    rows = [
        {
            "deadline_id": deadline.deadline_id,
            "due": due.isoformat(),
            "text_nl": deadline.text_nl,
            "text_en": deadline.text_en,
            "article": deadline.article,
            "report": deadline.report,
            "report_year": due.year - 1 if deadline.report == "yearly" else None,
        }
        for deadline in programme.deadlines
        for due in deadline.dates
    ]
    return pl.DataFrame(rows, infer_schema_length=None)
