"""What changed since the final edition before this one: a Dutch page for readers, English lines for analysts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

import polars as pl

from reports.charts.texts import listed
from reports.numbers import number

Labels = Mapping[str, Mapping[str, tuple[str, str]]]

OPEN: Final = 15  # a list of at most this many rows stands open
SHOWN: Final = 150  # and no list shows more
NAMED: Final = 6  # indicators named in a sentence
MOST_DECIMALS: Final = 6
TOTAL, VALUE = "total", "value"  # what a figure is about if nothing else is said: everybody, and the figure itself

TABLES: Final = {
    "indicator": "omschrijvingen van indicatoren",
    "indicator_source": "bronnen van indicatoren",
    "theme": "thema's",
    "framework_element": "onderdelen van de scores",
    "region_member": "gemeenten in een groep",
    "survey_item": "vragen van het bewonersonderzoek",
    "observation": "cijfers zoals de bron ze geeft",
    "survey_estimate": "uitkomsten van het bewonersonderzoek",
    "small_area_estimate": "schattingen met een model",
    "indicator_value": "cijfers per meetjaar",
    "comparison": "verschillen tussen gebieden",
    "change": "veranderingen sinds de nulmeting",
    "trend": "bewegingen door de jaren",
    "position": "plaatsen tussen gemeenten",
    "expected_value": "verwachte cijfers",
    "decomposition": "verdelingen van verschillen",
    "theme_score": "scores per thema",
    "sensitivity": "plaatsen op de rangorde",
}
COLUMNS: Final = {
    "name_nl": "naam", "name_en": "naam (Engels)", "definition_nl": "omschrijving", "unit": "eenheid",
    "definition_en": "omschrijving (Engels)", "decimals": "decimalen", "polarity": "wat gunstig is",
    "group_method": "hoe een groep wordt berekend", "weight": "gewicht", "max_lag_years": "hoe oud een cijfer mag zijn",
    "min_relevant_difference": "kleinste verschil dat telt", "nominal_euro": "bedrag in euro's van toen",
    "theme_id": "thema", "headline": "hoofdindicator", "layer": "soort", "source_column": "kolom van de bron",
    "priority": "volgorde van de bronnen", "series_id": "reeks", "kind": "soort bron", "period_last": "laatste periode",
    "period_first": "eerste periode", "rounding_unit": "afronding", "note": "opmerking", "question_nl": "vraag",
    "municipality_code": "gemeente", "goalpost_low": "onderkant van de schaal", "source_id": "bron",
    "goalpost_high": "bovenkant van de schaal", "pca_weight": "gewicht naar samenhang", "parent_id": "onderdeel van",
    "value": "cijfer", "status": "status", "warnings": "let op", "source_table": "tabel van de bron",
    "reference_period": "peilperiode", "ci_low": "onderkant van de marge", "ci_high": "bovenkant van de marge",
    "standard_error": "standaardfout", "n": "aantal antwoorden", "lag_years": "hoe oud het cijfer is",
    "verdict": "uitspraak", "position": "plaats",
}  # fmt: skip
JUDGED: Final = ("comparison", "change")  # tables of which changed verdicts are shown one by one
DESCRIBED: Final = ("indicator", "indicator_source", "theme", "survey_item")  # and changed descriptions
VOCABULARY_OF: Final = {"status": "status", "warnings": "warning", "verdict": "verdict", "position": "position"}
# The vocabularies of which the page says the words; beside these the breakdowns, which are none.
VOCABULARIES: Final = ("revision_kind", "cause", "status", "warning", "verdict", "position", "quantity")
_KEY_PARTS: Final = (
    *("indicator_id", "region_code", "comparator_code", "measurement_year", "theme_id", "item_id", "source_table"),
    *("breakdown", "quantity"),
)

_TEMPLATE = """<!doctype html>
<html lang="nl">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ "Verzonnen voorbeeld - " if synthetic }}{{ title }}</title>
<style>
  body { font: 1rem/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff }
  body { max-width: 75rem; margin: 2rem auto; padding: 0 1rem }
  h1 { line-height: 1.2 } h2 { margin-top: 2.5rem }
  .summary { border-left: .5rem solid #1a5c36; padding: .5rem 1rem; background: #f4f4f4; font-size: 1.15rem }
  .synthetic { border: .25rem dashed #b00040; padding: .5rem 1rem; font-size: 1.15rem }
  .scroll { overflow-x: auto }
  table { border-collapse: collapse; width: 100% }
  th, td { text-align: left; vertical-align: top; padding: .4rem .6rem; border-bottom: 1px solid #ccc }
  td { overflow-wrap: break-word }
  td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
  summary { cursor: pointer; font-weight: 600; padding: .4rem 0 }
</style>
</head>
<body>
<main>
<h1>{{ title }}</h1>
{% if synthetic %}
<p class="synthetic" role="note"><strong>Verzonnen voorbeeld.</strong> Een deel van deze cijfers is bedacht en zegt
niets over echte mensen. Deze editie is om uit te proberen en wordt nooit gepubliceerd.</p>
{% endif %}
<p class="summary">{{ summary }}</p>
{% if causes %}
<h2>Waardoor is er iets veranderd?</h2>
<dl>
{% for cause in causes %}
<dt><strong>{{ cause.label }}</strong></dt><dd>{{ cause.explanation }} {{ cause.text }}</dd>
{% endfor %}
</dl>
{% endif %}
{% macro changed(part) %}
<div class="scroll" tabindex="0" role="region" aria-label="{{ part.title }}">
<table>
<thead><tr>{% for head in part.heads %}<th scope="col">{{ head }}</th>{% endfor %}</tr></thead>
<tbody>
{% for row in part.rows %}
<tr>{% for cell, number in row %}<td{{ ' class="number"' | safe if number }}>{{ cell }}</td>{% endfor %}</tr>
{% endfor %}
</tbody>
</table>
</div>
{% if part.more %}<p>{{ part.more }}</p>{% endif %}
{% endmacro %}
{% for part in parts %}
<h2>{{ part.title }}</h2>
<p>{{ part.text }}</p>
{% if part.folded %}
<details><summary>{{ part.folded }}</summary>
{{ changed(part) }}
</details>
{% else %}
{{ changed(part) }}
{% endif %}
{% endfor %}
{% if causes %}
<h2>Alles nakijken</h2>
<p>Alle veranderingen, regel voor regel, staan in de tabel <code>revision</code> van deze editie: in
<code>csv/revision.csv</code>, in <code>parquet/revision.parquet</code> en in <code>btg.duckdb</code>. Hoe elk cijfer
in elke editie was, staat in de tabel <code>value_by_edition</code>.</p>
{% endif %}
</main>
</body>
</html>
"""


def write_changes_page(
    revision: pl.DataFrame,
    path: Path,
    *,
    edition: str,
    previous: str | None,
    names: Mapping[str, str],
    labels: Labels,
    synthetic: bool,
    decimals: Mapping[str, int] | None = None,
    own_regions: Collection[str] = (),
) -> None:
    """Write the page on what changed between `previous` (None: there is no final edition yet) and `edition`.

    `revision` is the published table. `names`: Dutch names of indicators, themes and regions by id. `labels`: for
    VOCABULARIES and `breakdown` the Dutch label and explanation of each word; a word without is shown as it is.
    `decimals` by indicator; the changes of `own_regions` come first, in that order.
    """
    from jinja2 import Environment

    revision = _told_apart(revision)
    words = _Words(names, labels, decimals or {}, list(own_regions))
    parts = [part for part in _parts(revision, words) if part["rows"]]
    since = f"editie {previous}" if previous else "de vorige editie"
    page = (
        Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
        .from_string(_TEMPLATE)
        .render(
            title=f"Wat is er veranderd sinds {since}?",
            synthetic=synthetic,
            summary=_summary(revision, edition, previous),
            causes=[_cause(rows, words) for rows in _by_cause(revision, labels)],
            parts=parts,
        )
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8", newline="\n")


def sentences(
    revision: pl.DataFrame,
    first: int = 20,
    own_regions: Collection[str] = (),
    headline: Collection[str] = (),
) -> list[str]:
    """The table `revision` in English lines: what matters most first, then how many rows differ by cause.

    Changed figures first (those of `own_regions` and of the indicators `headline` before others), then definitions,
    other values, and status and margins. New and withdrawn rows are one line per table and indicator. At most `first`
    of these lines, with where to find the rest.
    """
    if revision.is_empty():
        return ["Nothing differs: every compared table says the same in both editions."]
    rows = _told_apart(revision)
    lines = _lines(rows, list(own_regions), headline)
    rest = len(lines) - first
    more = [f"... and {rest} more lines; all of them: btg diff --all"] if rest > 0 else []
    return [*lines[:first], *more, *_counts_by_cause(revision)]


def _told_apart(revision: pl.DataFrame) -> pl.DataFrame:
    """Without numbers that are nothing on both sides: those of a figure that is suppressed now; its status tells."""
    hidden = pl.col("old_value").is_null() & pl.col("new_value").is_null() & pl.col("kind").is_in(["value", "interval"])
    return revision.filter(~hidden)


def _rounded(*sides: str) -> list[pl.Expr]:
    """Numbers of many decimals at six digits, where that tells them apart; all else as it stands."""
    rounded = [
        pl.when(pl.col(side).str.contains(r"^-?\d+\.\d{5,}$"))
        .then(pl.col(side).cast(pl.Float64, strict=False).round_sig_figs(6).cast(pl.String))
        .otherwise(side)
        for side in sides
    ]
    apart = rounded[0].ne_missing(rounded[1])
    return [pl.when(apart).then(text).otherwise(side) for text, side in zip(rounded, sides, strict=True)]


def _lines(rows: pl.DataFrame, own_regions: list[str], headline: Collection[str]) -> list[str]:
    whole = pl.col("kind").is_in(["new", "withdrawn"])
    lines = rows.with_columns(_part("indicator_id")).with_columns(
        line=pl.format(
            "{} {}: {} {} -> {} ({})",
            *("table_name", "row_key", "column_name"),
            *(side.fill_null("nothing") for side in _rounded("old_value", "new_value")),
            "cause",
        )
    )
    counted = (
        lines.filter(whole)
        .group_by("table_name", "indicator_id", "kind", "cause")
        .len()
        .with_columns(about=pl.format("indicator_id={}", "indicator_id"))
        .select(
            *("table_name", "indicator_id", "kind"),
            row_key=pl.lit(""),
            column_name=pl.lit(""),
            line=pl.concat_str(
                pl.concat_str("table_name", "about", separator=" ", ignore_nulls=True),
                pl.format("{} {} ({})", "len", "kind", "cause"),
                separator=": ",
            ),
        )
    )
    found = pl.concat([lines.filter(~whole).select(counted.columns), counted])
    return _weightiest_first(found, own_regions, headline)["line"].to_list()


_LEADING: Final = ("indicator", "indicator_source", "indicator_value", "comparison", "change", "observation")


def _weightiest_first(lines: pl.DataFrame, own_regions: list[str], headline: Collection[str]) -> pl.DataFrame:
    kind, table, region = pl.col("kind"), pl.col("table_name"), pl.col("_region")
    whole = kind.is_in(["new", "withdrawn"])
    group = (
        pl.when((table == "indicator_value") & (kind == "value")).then(0)
        .when((kind == "definition") | (whole & table.is_in(DESCRIBED))).then(1)
        .when(kind == "value").then(2)
        .when(~whole).then(3)
        .otherwise(4)
    )  # fmt: skip
    tables, places = ({word: place for place, word in enumerate(words)} for words in (_LEADING, own_regions))
    year = pl.col("row_key").str.extract(r"measurement_year=(\d+)")
    return (
        lines.with_columns(_region=_part("region_code"))
        .sort(
            group,
            table.replace_strict(tables, default=len(tables), return_dtype=pl.Int32),
            "table_name",
            ~region.is_in(own_regions).fill_null(value=False),
            ~pl.col("indicator_id").is_in(list(headline)).fill_null(value=False),
            -year.cast(pl.Int32),
            region.replace_strict(places, default=len(places), return_dtype=pl.Int32),
            *("indicator_id", "row_key", "column_name", "line"),
        )
        .drop("_region")
    )  # fmt: skip


def _counts_by_cause(revision: pl.DataFrame) -> list[str]:
    counts = revision.group_by("cause", "kind").len().sort("cause", "kind")
    return [
        f"in all by {cause}: {', '.join(f'{count} {kind}' for _, kind, count in of_cause.rows())}"
        for (cause,), of_cause in counts.group_by("cause", maintain_order=True)
    ]


# --- words


@dataclass(frozen=True)
class _Words:
    """How ids and values are said in Dutch."""

    names: Mapping[str, str]
    labels: Labels
    decimals: Mapping[str, int]
    own_regions: list[str] = field(default_factory=list)

    def name(self, identifier: str | None) -> str:
        return self.names.get(identifier, identifier) if identifier else ""

    def label(self, vocabulary: str, word: str) -> str:
        return self.labels.get(vocabulary, {}).get(word, (word, ""))[0]

    def value(self, column: str, text: str | None) -> str:
        """A text value; words of a vocabulary by their label."""
        if text is None:
            return "–"
        vocabulary = VOCABULARY_OF.get(column)
        return listed([self.label(vocabulary, word) for word in text.split(";")]) if vocabulary else text

    def numbers(self, indicator: str | None, old: str | None, new: str | None) -> tuple[str, str]:
        """Two figures at the indicator's decimals, or at as many as it takes to tell them apart."""
        figures = [None if text is None else float(text) for text in (old, new)]
        for decimals in range(self.decimals.get(indicator or "", 1), MOST_DECIMALS + 1):
            shown = ["–" if figure is None else number(figure, decimals) for figure in figures]
            if shown[0] != shown[1]:
                break
        return shown[0], shown[1]


def _rows_text(count: int, one: str, many: str) -> str:
    return f"{number(count, 0)} {one if count == 1 else many}"


# --- the summary


def _summary(revision: pl.DataFrame, edition: str, previous: str | None) -> str:
    if previous is None:
        return (
            f"Er is nog geen definitieve editie vóór {edition}. Daarom is er niets om mee te vergelijken. "
            "Vanaf de volgende editie staat hier wat er veranderd is."
        )
    if revision.is_empty():
        return f"Er is niets veranderd: editie {edition} zegt in alle tabellen hetzelfde als editie {previous}."
    told = _told(revision)
    return f"Editie {edition} is cijfer voor cijfer vergeleken met editie {previous}. {told}"


def _by_cause(revision: pl.DataFrame, labels: Labels) -> list[pl.DataFrame]:
    """The rows of each cause, in the order of the vocabulary."""
    causes = [*labels.get("cause", {}), *revision["cause"].unique().sort()]
    found = [revision.filter(cause=cause) for cause in dict.fromkeys(causes)]
    return [rows for rows in found if not rows.is_empty()]


def _cause(rows: pl.DataFrame, words: _Words) -> dict[str, str]:
    cause = rows["cause"][0]
    label, explanation = words.labels.get("cause", {}).get(cause, (cause, ""))
    return {
        "label": label[:1].upper() + label[1:],
        "explanation": explanation,
        "text": f"{_told(rows)}{_about(rows, words)}",
    }


def _told(rows: pl.DataFrame) -> str:
    """A sentence on how many figures, definitions and verdicts differ, in what way."""
    figures = rows.filter(table_name="indicator_value")
    values = set(figures.filter(kind="value")["row_key"])
    beside = set(figures.filter(pl.col("kind").is_in(["status", "interval"]))["row_key"]) - values
    counts = [
        (rows.filter(table_name="indicator", kind="definition")["row_key"].n_unique(),
         "indicator is anders omschreven", "indicatoren zijn anders omschreven"),
        (len(values), "cijfer is anders", "cijfers zijn anders"),
        (len(beside), "cijfer kreeg een andere status, herkomst of marge",
         "cijfers kregen een andere status, herkomst of marge"),
        (figures.filter(kind="new").height, "cijfer is nieuw", "cijfers zijn nieuw"),
        (figures.filter(kind="withdrawn").height, "cijfer is vervallen", "cijfers zijn vervallen"),
        (rows.filter(pl.col("table_name").is_in(JUDGED), column_name="verdict", kind="value").height,
         "uitspraak over een verschil is anders", "uitspraken over verschillen zijn anders"),
    ]  # fmt: skip
    told = [_rows_text(count, one, many) for count, one, many in counts if count]
    if not told:
        return f"{_rows_text(rows.height, 'waarde is', 'waarden zijn')} anders, {_where(rows)}."
    return f"{listed(told)}."


def _where(rows: pl.DataFrame) -> str:
    tables = sorted(TABLES.get(table, table) for table in rows["table_name"].unique())
    return f"bij {listed(tables)}"


def _about(rows: pl.DataFrame, words: _Words) -> str:
    ids = rows.select(_part("indicator_id")).to_series().drop_nulls().unique()
    names = sorted({words.name(identifier) for identifier in ids})
    if not names:
        return ""
    rest = len(names) - NAMED
    shown = [*names[:NAMED], f"{rest} andere indicatoren"] if rest > 1 else names
    return f" Het gaat om: {listed(shown)}."


# --- the lists


def _part(name: str) -> pl.Expr:
    return pl.col("row_key").str.extract(rf"(?:^|\|){name}=([^|]*)").alias(name)


def _parts(revision: pl.DataFrame, words: _Words) -> list[dict[str, Any]]:
    """The lists of the page; one without rows is not shown."""
    rows = _in_order(revision.with_columns(_part(name) for name in _KEY_PARTS), words)
    whole = pl.col("kind").is_in(["new", "withdrawn"])
    figure = pl.col("table_name") == "indicator_value"
    verdict = pl.col("table_name").is_in(JUDGED) & (pl.col("column_name") == "verdict")
    # What a reader must not miss is shown row by row; the rest is counted.
    described = (pl.col("kind") == "definition") & pl.col("table_name").is_in(DESCRIBED)
    indicator = pl.col("table_name") == "indicator"
    counted = ~(whole | figure | verdict | described)
    return [
        _list(
            "Wat wij meten",
            "Indicatoren, bronnen, thema's en vragen die anders zijn omschreven; nieuwe en vervallen indicatoren.",
            ("Waarover", "Wat", "Was", "Is nu", "Waardoor"),
            _said(rows.filter(described | indicator & whole), _definition, words),
        ),
        _list(
            "Cijfers die anders zijn",
            "Dezelfde indicator, hetzelfde gebied en hetzelfde meetjaar, maar een ander cijfer.",
            ("Indicator", "Gebied", "Meetjaar", "Was", "Is nu", "Waardoor"),
            _said(rows.filter(figure & (pl.col("kind") == "value")), _figure, words),
        ),
        _list(
            "Uitspraken die anders zijn",
            "Verschillen tussen gebieden, en veranderingen sinds de nulmeting, waarover wij nu iets anders zeggen.",
            ("Indicator", "Gebied", "Vergeleken met", "Meetjaar", "Was", "Is nu", "Waardoor"),
            _said(rows.filter(verdict & ~whole), _verdict, words),
        ),
        _list(
            "Status, herkomst en marge",
            "Cijfers waarbij de status, de bron, de peilperiode, de waarschuwingen of de marge is veranderd.",
            ("Indicator", "Gebied", "Meetjaar", "Wat", "Was", "Is nu", "Waardoor"),
            _said(rows.filter(figure & ~whole & (pl.col("kind") != "value")), _beside, words),
        ),
        _list(
            "Nieuw en vervallen",
            "Hoeveel regels erbij kwamen of weggingen, per tabel en meetjaar.",
            _COUNT_HEADS,
            _counts(rows.filter(whole & ~indicator), words),
        ),
        _list(
            "Overige tabellen",
            "Hoeveel waarden in andere tabellen anders zijn. De meeste volgen uit de cijfers hierboven.",
            _COUNT_HEADS,
            _counts(rows.filter(counted), words),
        ),
    ]  # fmt: skip


_COUNT_HEADS: Final = ("Tabel", "Meetjaar", "Wat", "Aantal", "Waardoor")

Cell: TypeAlias = tuple[str, bool]  # the text, and whether it is a number
Lines: TypeAlias = tuple[list[list[Cell]], int]  # the rows shown, and how many there are


def _in_order(rows: pl.DataFrame, words: _Words) -> pl.DataFrame:
    """By indicator name, own regions first, newest measurement year first."""
    place = {code: index for index, code in enumerate(words.own_regions)}
    name = pl.col("indicator_id").replace(dict(words.names)).alias("_name")
    own = pl.col("region_code").replace_strict(place, default=len(place), return_dtype=pl.Int64).alias("_own")
    ordered = rows.with_columns(name, own).sort(
        *("_name", "measurement_year", "_own", "region_code", "table_name", "row_key", "column_name"),
        descending=[False, True, False, False, False, False, False],
        nulls_last=True,
    )
    return ordered.drop("_name", "_own")


def _said(rows: pl.DataFrame, say: Callable[[Mapping[str, Any], _Words], list[Cell]], words: _Words) -> Lines:
    """The rows that are shown, in cells, and how many there are."""
    return [say(row, words) for row in rows.head(SHOWN).iter_rows(named=True)], rows.height


def _list(title: str, text: str, heads: tuple[str, ...], lines: Lines) -> dict[str, Any]:
    """One list of the page: a long one folded, a very long one cut, with where to find the rest."""
    rows, height = lines
    count = number(height, 0)
    cut = height > SHOWN
    return {
        "title": title,
        "text": text,
        "heads": heads,
        "rows": rows,
        "folded": f"Toon {f'{SHOWN} van de ' if cut else ''}{count} regels" if height > OPEN else "",
        "more": f"Dit zijn de eerste {SHOWN} van {count} regels. De rest staat in de tabel revision." if cut else "",
    }


def _cells(*texts: str, numbers: tuple[int, ...] = ()) -> list[Cell]:
    return [(text, place in numbers) for place, text in enumerate(texts)]


def _definition(row: Mapping[str, Any], words: _Words) -> list[Cell]:
    about = next(row[part] for part in ("indicator_id", "theme_id", "item_id") if row[part])
    name = words.name(about)
    subject = f"{name}, bron {row['source_table']}" if row["source_table"] else name
    what = words.label("revision_kind", row["kind"]) if row["kind"] in ("new", "withdrawn") else _column(row)
    return _cells(subject, what, *_values(row, words), words.label("cause", row["cause"]))


def _figure(row: Mapping[str, Any], words: _Words) -> list[Cell]:
    shown = words.numbers(row["indicator_id"], row["old_value"], row["new_value"])
    return _cells(*_about_figure(row, words), *shown, words.label("cause", row["cause"]), numbers=(3, 4))


def _verdict(row: Mapping[str, Any], words: _Words) -> list[Cell]:
    name, region, year = _about_figure(row, words)
    other = words.name(row["comparator_code"]) or "de nulmeting"
    return _cells(name, region, other, year, *_values(row, words), words.label("cause", row["cause"]))


def _beside(row: Mapping[str, Any], words: _Words) -> list[Cell]:
    about = (*_about_figure(row, words), _column(row))
    if row["kind"] == "interval":
        shown = words.numbers(row["indicator_id"], row["old_value"], row["new_value"])
        return _cells(*about, *shown, words.label("cause", row["cause"]), numbers=(4, 5))
    return _cells(*about, *_values(row, words), words.label("cause", row["cause"]))


def _about_figure(row: Mapping[str, Any], words: _Words) -> tuple[str, str, str]:
    """Indicator, region and year; with the indicator what tells apart several figures of it: of whom, and of what."""
    which = [
        words.label(part, row[part])
        for part, ordinary in (("breakdown", TOTAL), ("quantity", VALUE))
        if row[part] not in (None, ordinary)
    ]
    name = ", ".join([words.name(row["indicator_id"]), *which])
    return name, words.name(row["region_code"]), row["measurement_year"] or ""


def _values(row: Mapping[str, Any], words: _Words) -> tuple[str, str]:
    old, new = (words.value(row["column_name"], row[side]) for side in ("old_value", "new_value"))
    return old, new


def _column(row: Mapping[str, Any]) -> str:
    column: str = row["column_name"]
    return COLUMNS.get(column, column)


def _counts(rows: pl.DataFrame, words: _Words) -> Lines:
    """How many rows (of a whole row) or values differ, by table, measurement year, kind and cause."""
    counted = rows.group_by("table_name", "measurement_year", "kind", "cause").len().sort(pl.all(), nulls_last=True)
    lines = [
        _cells(
            *(TABLES.get(table, table), year or "–", words.label("revision_kind", kind), number(count, 0)),
            words.label("cause", cause),
            numbers=(3,),
        )
        for table, year, kind, cause, count in counted.head(SHOWN).rows()
    ]
    return lines, counted.height
