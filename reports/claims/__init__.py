"""The claim guard: all sentences on an edition's figures, as the published table `claim`.

Pages, documents and the command line show sentences from this table and no other. `row_key` says which row a sentence
was made from; of a summary it leaves columns out, and then all rows of the frameworks' indicators that fit are meant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import polars as pl

from catalog import Catalogue
from reports.claims import sentences
from reports.claims.programme import count_claims, programme_claims
from reports.claims.sentences import Said
from reports.view import Row, View
from reports.words import LANGUAGES, Words

_SCHEMA = dict.fromkeys(("claim_id", "language", "sentence", "table_name", "row_key", "rule"), pl.String)


def claims(tables: Mapping[str, pl.DataFrame], catalogue: Catalogue) -> pl.DataFrame:
    """The table `claim`: every sentence that may be said of the last measurement year, in each language.

    `tables` are the published tables indicator_value, comparison, change, trend, sensitivity, framework_element and
    those of the programme.
    """
    view = View(tables, catalogue)
    said = [
        (claim_id, words.language, claim.sentence, table, row_key, claim.rule)
        for words in (Words(catalogue, language) for language in LANGUAGES)
        for claim_id, table, row_key, claim in _all(view, words)
    ]
    return pl.DataFrame(said, schema=_SCHEMA, orient="row").sort("claim_id", "language")


_Claim = tuple[str, str, str, Said]  # claim_id, table_name, row_key and what is said


def _all(view: View, words: Words) -> Iterator[_Claim]:
    yield from _differences(view, words)
    yield from _changes(view, words)
    yield from _values(view, words)
    yield from _movements(view, words)
    yield from _ranks(view, words)
    yield from _summaries(view, words)
    yield from _of_programme(view, words)


def _claim(rule: str, row: Row, said: Said, *names: object) -> _Claim:
    return ":".join([rule, *map(str, names)]), row.table, row.key, said


def difference_id(row: Mapping[str, Any] | Row) -> str:
    """Where the sentence on a row of `comparison` is found."""
    names = ("measurement_year", "indicator_id", "region_code", "comparator_code")
    return ":".join(["difference", *(str(row[name]) for name in names)])


def _differences(view: View, words: Words) -> Iterator[_Claim]:
    headline = {i.indicator_id for i in view.catalogue.headline_indicators}
    summarised = set(summarised_pairs(view.catalogue))
    for row in view.all_of("comparison"):
        indicator = view.catalogue.indicator(row["indicator_id"])
        codes = row["region_code"], row["comparator_code"]
        sides = [side.cells for code in codes if (side := view.value(indicator.indicator_id, code)) is not None]
        names = (view.year, indicator.indicator_id, *codes)
        yield _claim("difference", row, sentences.difference_claim(row.cells, sides, indicator, words), *names)
        if indicator.indicator_id in headline and codes in summarised:
            yield _claim("figures", row, sentences.figures_claim(row.cells, sides, indicator, words), *names)


def _changes(view: View, words: Words) -> Iterator[_Claim]:
    for row in view.all_of("change"):
        indicator = view.catalogue.indicator(row["indicator_id"])
        # A figure relative to the country is made of the country's too.
        codes = (row["region_code"], *([] if row["quantity"] == "value" else [view.catalogue.region.country_code]))
        pairs = [(code, year) for year in (view.baseline, view.year) for code in codes]
        sides = [side.cells for pair in pairs if (side := view.value(indicator.indicator_id, *pair)) is not None]
        names = (view.year, indicator.indicator_id, row["region_code"], row["quantity"])
        yield _claim("change", row, sentences.change_claim(row.cells, sides, indicator, words), *names)


def _values(view: View, words: Words) -> Iterator[_Claim]:
    for row in view.all_of("indicator_value"):
        indicator = view.catalogue.indicator(row["indicator_id"])
        names = (view.year, indicator.indicator_id, row["region_code"])
        yield _claim("value", row, sentences.value_claim(row.cells, indicator, words), *names)


def _movements(view: View, words: Words) -> Iterator[_Claim]:
    for indicator in view.indicators:
        for region, comparator in view.catalogue.region.contrasts:
            if row := view.movement(indicator.indicator_id, region, comparator):
                names = (view.year, indicator.indicator_id, region, comparator)
                yield _claim("movement", row, sentences.movement_claim(row.cells, indicator, words), *names)


def _ranks(view: View, words: Words) -> Iterator[_Claim]:
    for framework, indicators in view.framework_indicators.items():
        overall = {"measurement_year": view.year, "framework": framework, "theme_id": f"{framework}_overall"}
        ranked = [pl.col(name).is_not_null() for name in ("rank", "rank_low", "rank_high")]
        rows = {row["region_code"]: row for row in view.rows("sensitivity", *ranked, **overall, among="region")}
        synthetic = any("synthetic" in row["warnings"] for row in rows.values())
        for code in view.municipalities if rows else []:
            row = rows.get(code)
            cells = None if row is None else row.cells
            found = [view.value(indicator.indicator_id, code) for indicator in indicators]
            figures = [figure.cells for figure in found if figure is not None]
            said = sentences.rank_claim(cells, figures, code, framework, words, synthetic=synthetic)
            key = _row_key(overall | {"region_code": code, "among": "region"})
            yield f"rank:{view.year}:{framework}:{code}", "sensitivity", key, said


def _of_programme(view: View, words: Words) -> Iterator[_Claim]:
    for claim_id, row, said in programme_claims(view, words):
        yield claim_id, row.table, row.key, said
    for claim_id, key, table, said in count_claims(view, words):
        yield claim_id, table, _row_key(key), said


def summarised_pairs(catalogue: Catalogue) -> list[tuple[str, str]]:
    """The pairs of areas that summaries and headlines are about: the groups, and the region with the rest."""
    region = catalogue.region
    return [*region.contrasts, (region.region_code, region.rest_code)]


def headline_claims(claim: pl.DataFrame, catalogue: Catalogue, year: int, language: str = "nl") -> list[str]:
    """The sentences with the figures of the headline indicators, in their order; `claim` is the published table."""
    said = dict(claim.filter(language=language).select("claim_id", "sentence").iter_rows())
    pairs = summarised_pairs(catalogue)
    ids = [
        f"figures:{year}:{indicator.indicator_id}:{region}:{comparator}"
        for indicator in catalogue.headline_indicators
        for region, comparator in pairs
    ]
    return [said[claim_id] for claim_id in ids if claim_id in said]


def _summaries(view: View, words: Words) -> Iterator[_Claim]:
    year, ids = view.year, [i.indicator_id for i in view.counted]
    for region, comparator in [*summarised_pairs(view.catalogue), *_to_the_rest(view)]:
        pair = {"measurement_year": year, "region_code": region, "comparator_code": comparator, "breakdown": "total"}
        rows = [row for i in ids if (row := view.comparison(i, region, comparator))]
        yield from _summary("count_difference", pair, rows, sentences.count_difference_claim, words)
    for region in view.areas:
        area = {"measurement_year": year, "region_code": region, "breakdown": "total"}
        values = [row for i in ids if (row := view.value(i, region))]
        yield from _summary("count_value", area, values, sentences.count_value_claim, words)
        moved = [row for i in ids if (row := view.change(i, region))]
        since = area | {"baseline_year": view.baseline, "quantity": "value"}
        yield from _summary("count_change", since, moved, sentences.count_change_claim, words)


def _row_key(key: Mapping[str, object]) -> str:
    return "|".join(f"{column}={value}" for column, value in key.items())


def _to_the_rest(view: View) -> list[tuple[str, str]]:
    region = view.catalogue.region
    return [(code, region.rest_code) for code in view.areas if code != region.region_code]


def _summary(
    rule: str,
    key: Mapping[str, object],
    rows: list[Row],
    say: Callable[[list[Mapping[str, Any]], Words], Said],
    words: Words,
) -> Iterator[_Claim]:
    if rows:
        named = [str(key[name]) for name in ("measurement_year", "region_code", "comparator_code") if name in key]
        said = say([row.cells for row in rows], words)
        yield ":".join([rule, *named]), rows[0].table, _row_key(key), said
