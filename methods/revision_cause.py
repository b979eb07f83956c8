"""Why a row differs between two editions: each difference takes the cause of what it is made of.

The rows are explained from the source upwards. In every step the nearest evidence decides, and among equally near
evidence the first of: correction, catalogue_change, new_data, source_revision, method_version, unexplained.

1. **Definitions** (indicator, indicator_source, theme, framework_element, survey_item): `catalogue_change`; but
   `new_data` for a new survey wave, and goalposts and component weights that follow from figures have the cause of
   those figures.
2. **observation**: `correction` where a row of table `correction` for exactly this figure stands in one edition only,
   or says something else in the other (for a ratio also one of its numerator or denominator); `catalogue_change` where
   unit, definition or column differ, or where the indicator or its table went. Then by its table: where `source` has
   the same checksum in both editions, the publisher gave the same bytes, and only we can have made another figure of
   them: `method_version` or `catalogue_change` as in step 6, else `unexplained`. Where the checksum differs or is not
   known: `new_data` for a period that the previous edition did not have from this table, else `source_revision`; but
   step 6 where the whole input is the same and the software or the catalogue is not. What is made here of more than one
   table has its cause from there: a ratio that of its denominator, a figure of the survey (calibrated to numbers of
   inhabitants) or a warning alone (given by the series) that of step 6.
3. **region_member**: `new_data` for a new period, `catalogue_change` for another membership; peers have the cause of
   the figures that they were chosen by.
4. **indicator_value**: first whether the indicator or the measurement year came or went (`catalogue_change`,
   `new_data`). Then `catalogue_change` where the indicator's definition, reach in years, group method or weight, or
   the source in use was defined otherwise, or another source was preferred; `new_data` where the period or table now
   used was not in the previous edition, nor in the bytes it had of that table; else the cause of the published figure
   of this region, of the members of this group, of their weights, or of the membership. Where all of those are the
   same: of the other regions in that period (the period is chosen for all regions together), then of the indicator at
   all.
5. **Everything else** (comparison, change, trend, scores ...): the same, with `catalogue_change` also where polarity,
   relevant difference or framework differ; the figures are those of its own regions and years, then of any region
   (adjusted p-values, ranks and percentiles are made of all of them), then those behind its `variables`.
6. What nothing above explains: `method_version` where code or lock differ, else `catalogue_change` where the catalogue
   does, else `source_revision` where the input does, else `unexplained`.

So a correction is followed from its figure to groups, weights, ratios, comparisons, changes, trends and scores.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import polars as pl

from catalog.expression import names_in

Tables: TypeAlias = Mapping[str, pl.DataFrame]

# In the order in which they count.
CORRECTION, CATALOGUE, MOVED, SOURCE, NEW, METHOD, UNEXPLAINED = range(7)
_WORDS: Final = {
    CORRECTION: "correction",
    CATALOGUE: "catalogue_change",
    MOVED: "new_data",
    SOURCE: "source_revision",
    NEW: "new_data",
    METHOD: "method_version",
    UNEXPLAINED: "unexplained",
}

# Which columns of `indicator` and `indicator_source` can move what. Names, notes and the like move nothing.
_MEASURED: Final = ["definition_nl", "definition_en", "unit"]
_REACH: Final = [*_MEASURED, "max_lag_years"]
_GROUPED: Final = [*_REACH, "group_method", "weight"]
_JUDGED: Final = [*_GROUPED, "polarity", "min_relevant_difference", "nominal_euro"]
_READ_FROM: Final = ["source_id", "source_column", "unit"]
_CHOSEN_BY: Final = [*_READ_FROM, "priority", "series_id", "kind", "rounding_unit"]
_MADE_OF_FIGURES: Final = ["goalpost_low", "goalpost_high", "pca_weight"]  # of framework_element

_PEERS: Final = "PEERS_"
_FIGURE: Final = ["indicator_id", "region_code", "period", "breakdown", "source_table"]


def with_causes(changes: Mapping[str, pl.DataFrame], old: Tables, new: Tables) -> dict[str, pl.DataFrame]:
    """The differing cells of each table with their `cause`; the module says how it is found.

    `changes`: by table the key columns, row_key, column_name, kind and more. `old`, `new`: all tables of both editions.
    """
    evidence = _Evidence.of(changes, old, new)
    ranks = {"observation": evidence.observed, "region_member": evidence.membership, "indicator_value": evidence.values}
    caused = {}
    for name, cells in changes.items():
        if name in ("indicator", "indicator_source", "theme"):
            caused[name] = cells.with_columns(rank=pl.lit(CATALOGUE))
        elif name == "survey_item":
            known = cells["wave_id"].is_in(old[name]["wave_id"].unique().to_list())
            caused[name] = cells.with_columns(rank=pl.when(known).then(CATALOGUE).otherwise(NEW))
        elif name == "framework_element":
            caused[name] = _framework_ranks(cells, evidence)
        else:
            found = ranks[name] if name in ranks else _derived_ranks(name, cells, evidence)
            caused[name] = cells.join(found.select("row_key", "rank"), "row_key", how="left")
    word = pl.col("rank").replace_strict(_WORDS, return_dtype=pl.String)
    return {name: cells.with_columns(cause=word) for name, cells in caused.items()}


@dataclass(frozen=True)
class _Evidence:
    """What is known of a pair of editions before its derived tables are explained."""

    changes: Mapping[str, pl.DataFrame]
    old: Tables
    new: Tables
    rest: int  # the rank of what nothing else explains
    observed: pl.DataFrame  # differing rows of observation with their rank
    membership: pl.DataFrame  # of region_member
    values: pl.DataFrame  # of indicator_value

    @classmethod
    def of(cls, changes: Mapping[str, pl.DataFrame], old: Tables, new: Tables) -> _Evidence:
        rest, published = _unexplained(old, new)
        observed = _observation_ranks(changes, old, new, rest, published)
        membership = _membership_ranks(changes, old, new, observed, rest)
        values = _value_ranks(changes, old, new, observed, membership, rest, published)
        return cls(changes, old, new, rest, observed, membership, values)


# --- what all steps use


def _unexplained(old: Tables, new: Tables) -> tuple[int, int]:
    """The rank of a difference without evidence; and that of a figure of which the publisher's bytes may differ."""
    before, after = old["edition"].row(0, named=True), new["edition"].row(0, named=True)
    differs = {name for name in before if name in after and before[name] != after[name]}
    if differs & {"code_version", "lock_sha256"}:
        rest = METHOD
    elif "catalog_sha256" in differs:
        rest = CATALOGUE
    else:
        rest = SOURCE if "input_sha256" in differs else UNEXPLAINED
    return rest, SOURCE if "input_sha256" in differs or rest == UNEXPLAINED else rest


def _rows(changes: Mapping[str, pl.DataFrame], name: str, *columns: str) -> pl.DataFrame:
    """One row per differing key of a table: row_key, kind (`new` and `withdrawn` say something) and `columns`."""
    schema = {column: pl.Int32 if column.endswith("_year") else pl.String for column in columns}
    if name not in changes:
        return pl.DataFrame(schema={"row_key": pl.String, "kind": pl.String, **schema})
    casts = [pl.col(column).cast(dtype) for column, dtype in schema.items()]
    return changes[name].unique("row_key", keep="first", maintain_order=True).select("row_key", "kind", *casts)


def _union(old: Tables, new: Tables, name: str, *columns: str) -> pl.DataFrame:
    """The distinct rows of these text columns in both editions together."""
    frames = [tables[name].select(*columns) for tables in (old, new) if name in tables]
    return pl.concat(frames).unique() if frames else pl.DataFrame(schema=dict.fromkeys(columns, pl.String))


def _candidates(rows: pl.DataFrame, rank: int) -> pl.DataFrame:
    return rows.select("row_key", rank=pl.lit(rank, pl.Int32))


def _inherited(rows: pl.DataFrame, causes: pl.DataFrame, *on: str) -> pl.DataFrame:
    """The rows with the rank of what they are made of; `causes` may have several a key."""
    return rows.select("row_key", *on).join(_lowest(causes, *on), list(on)).select("row_key", "rank")


def _lowest(causes: pl.DataFrame, *on: str) -> pl.DataFrame:
    return causes.group_by(on).agg(pl.col("rank").min())


def _settled(rows: pl.DataFrame, levels: Iterable[list[pl.DataFrame]], rest: int) -> pl.DataFrame:
    """The rows with their `rank`: the lowest of the first level that has any, else `rest`."""
    rank = rows.select("row_key").with_columns(rank=pl.lit(None, pl.Int32))
    for level in levels:
        if rank["rank"].null_count():
            best = _lowest(pl.concat(level), "row_key")
            rank = rank.join(best, "row_key", how="left", suffix="_found").select(
                "row_key", rank=pl.coalesce("rank", "rank_found")
            )
    return rows.join(rank.with_columns(pl.col("rank").fill_null(rest)), "row_key")


def _redefined(changes: Mapping[str, pl.DataFrame], columns: list[str]) -> pl.DataFrame:
    """The indicators (indicator_id) that came, went, or differ in one of these columns."""
    return _defined_otherwise(changes, "indicator", columns, ["new", "withdrawn"]).select("indicator_id").unique()


def _defined_otherwise(
    changes: Mapping[str, pl.DataFrame], name: str, columns: list[str], kinds: list[str]
) -> pl.DataFrame:
    if name not in changes:
        return pl.DataFrame(schema={"indicator_id": pl.String, "source_table": pl.String})
    return changes[name].filter(
        pl.when(pl.col("kind").is_in(["new", "withdrawn"]))
        .then(pl.col("kind").is_in(kinds))
        .otherwise(pl.col("column_name").is_in(columns))
    )


def _source_tables(changes: Mapping[str, pl.DataFrame], columns: list[str], kinds: list[str]) -> pl.DataFrame:
    """The sources (indicator_id, source_table) that differ in one of these columns, or by `kinds` came or went."""
    return (
        _defined_otherwise(changes, "indicator_source", columns, kinds).select("indicator_id", "source_table").unique()
    )


def _weight_parts(old: Tables, new: Tables) -> pl.DataFrame:
    """Which indicators (part) weigh which (indicator_id); of a ratio that is its denominator."""
    weighed = _union(old, new, "indicator", "indicator_id", "weight").drop_nulls()
    pairs = [(indicator, part) for indicator, weight in weighed.rows() for part in sorted(names_in(weight))]
    return pl.DataFrame(pairs, schema={"indicator_id": pl.String, "part": pl.String}, orient="row").unique()


# --- observation


def _same_bytes(old: Tables, new: Tables) -> pl.DataFrame:
    """The tables (source_table) of which both editions are known to have been made from the same bytes."""
    known = [
        tables["source"].select("source_table", "sha256").drop_nulls()
        for tables in (old, new)
        if "source" in tables and "sha256" in tables["source"].columns
    ]
    if len(known) < 2:
        return pl.DataFrame(schema={"source_table": pl.String})
    return known[0].join(known[1], ["source_table", "sha256"]).select("source_table").unique()


def _observation_ranks(
    changes: Mapping[str, pl.DataFrame], old: Tables, new: Tables, rest: int, published: int
) -> pl.DataFrame:
    rows = _rows(changes, "observation", *_FIGURE)
    corrected = _changed_corrections(old, new)
    known = _union(old, {}, "observation", "indicator_id", "source_table", "period")
    revisable = rows.join(_same_bytes(old, new), "source_table", how="anti")
    unseen = revisable.filter(kind="new").join(known, ["indicator_id", "source_table", "period"], how="anti")
    ratios = _union(old, new, "indicator", "indicator_id", "group_method").filter(group_method="ratio")
    of_ratio = rows.join(ratios, "indicator_id", how="semi")
    denominators = of_ratio.join(_weight_parts(old, new), "indicator_id").with_columns(indicator_id="part")
    at_part = ["indicator_id", "region_code", "period"]
    evidence = [
        _candidates(rows.join(corrected, _FIGURE, how="semi"), CORRECTION),
        _candidates(of_ratio.join(corrected, ["region_code", "period", "source_table"], how="semi"), CORRECTION),
        _candidates(denominators.join(corrected, at_part, how="semi"), CORRECTION),
        _candidates(rows.join(_redefined(changes, _MEASURED), "indicator_id", how="semi"), CATALOGUE),
        _candidates(
            rows.join(_source_tables(changes, _READ_FROM, ["withdrawn"]), ["indicator_id", "source_table"], how="semi"),
            CATALOGUE,
        ),
    ]
    levels = [
        evidence,
        [_candidates(unseen, NEW if published == SOURCE else published)],
        [_candidates(revisable, published)],
        [_candidates(denominators.join(revisable, at_part, how="semi"), published)],
        [_candidates(_made_of_several(rows, changes, old, new), rest)],
    ]
    return _settled(rows, levels, UNEXPLAINED if rest == SOURCE else rest)


def _made_of_several(rows: pl.DataFrame, changes: Mapping[str, pl.DataFrame], old: Tables, new: Tables) -> pl.DataFrame:
    """The rows that other tables than their own have a part in: of the survey, or of which only a warning differs."""
    if rows.is_empty():
        return rows
    waves = _union(old, new, "survey_estimate", "source_table")
    warned = changes["observation"].group_by("row_key").agg(only=(pl.col("column_name") == "warnings").all())
    return pl.concat(
        [rows.join(waves, "source_table", how="semi"), rows.join(warned.filter("only"), "row_key", how="semi")]
    )


def _changed_corrections(old: Tables, new: Tables) -> pl.DataFrame:
    """The figures (columns `_FIGURE`) that are corrected in one edition only, or in another way."""
    said = [*_FIGURE, "action", "warning", "replaced_by"]
    replaced_by = pl.when(action="override").then("corrected_value").alias("replaced_by")
    sides = [
        tables["correction"].with_columns(replaced_by).select(said) for tables in (old, new) if "correction" in tables
    ]
    if not sides:
        return pl.DataFrame(schema=dict.fromkeys(_FIGURE, pl.String))
    before, after = sides if len(sides) == 2 else (sides[0].clear(), sides[0])
    apart = [here.join(there, said, how="anti", nulls_equal=True) for here, there in ((before, after), (after, before))]
    return pl.concat(apart).select(_FIGURE).unique()


# --- region_member


def _membership_ranks(
    changes: Mapping[str, pl.DataFrame], old: Tables, new: Tables, observed: pl.DataFrame, rest: int
) -> pl.DataFrame:
    rows = _rows(changes, "region_member", "group_code", "municipality_code", "period")
    if rows.is_empty():
        return rows.with_columns(rank=pl.lit(None, pl.Int32))
    groups = [set(tables["region_member"]["group_code"]) for tables in (old, new)]
    periods = [tables["region_member"].select("group_code", "period").unique() for tables in (old, new)]
    in_both = rows.filter(pl.col("group_code").is_in(groups[0] & groups[1]))
    new_period = pl.concat([in_both.join(side, ["group_code", "period"], how="anti") for side in periods])
    peers = pl.col("group_code").str.starts_with(_PEERS)
    return _settled(
        rows,
        [
            [_candidates(new_period, NEW)],
            [_candidates(rows.filter(~peers | ~pl.col("group_code").is_in(groups[0] & groups[1])), CATALOGUE)],
            [_by_variables(rows, _union(old, new, "peer", "variables"), observed)],
        ],
        rest,
    )


def _by_variables(rows: pl.DataFrame, texts: pl.DataFrame, observed: pl.DataFrame) -> pl.DataFrame:
    """The rank of the figures that the model's variables are, such as `population 2025;household_size 2025`."""
    words = (
        pl.col("variables").str.split(";").explode().str.splitn(" ", 2).struct.rename_fields(["indicator_id", "period"])
    )
    used = texts.drop_nulls().select(words.alias("used")).unnest("used").drop_nulls()
    rank = observed.join(used, ["indicator_id", "period"], how="semi")["rank"].min()
    return rows.select("row_key", rank=pl.lit(rank, pl.Int32)).drop_nulls()


# --- indicator_value


def _value_ranks(
    changes: Mapping[str, pl.DataFrame],
    old: Tables,
    new: Tables,
    observed: pl.DataFrame,
    membership: pl.DataFrame,
    rest: int,
    published: int,
) -> pl.DataFrame:
    rows = _with_origin(_rows(changes, "indicator_value", *_VALUE_KEY), old, new)
    used = _periods_used(rows)
    members = _union(old, new, "region_member", "group_code", "municipality_code")
    at_region = _lowest(observed, "indicator_id", "region_code", "period")
    at_group = at_region.join(members, left_on="region_code", right_on="municipality_code").with_columns(
        region_code="group_code"
    )
    changed_groups = membership.rename({"group_code": "region_code", "period": "year"})
    direct = [
        *_redefined_values(rows, changes, old, new),
        _candidates(_moved(rows, old, new), MOVED if published == SOURCE else published),
        _inherited(used, at_region, "indicator_id", "region_code", "period"),
        _inherited(used, at_group, "indicator_id", "region_code", "period"),
        _inherited(used, _weight_ranks(old, new, observed), "indicator_id", "region_code", "period"),
        _inherited(used, changed_groups, "region_code", "year"),
    ]
    levels = [
        [_came_or_went(rows, changes, old, new)],
        direct,
        [_inherited(used, observed, "indicator_id", "period")],
        [_inherited(rows, observed, "indicator_id")],
    ]
    return _settled(rows, levels, rest)


def _weight_ranks(old: Tables, new: Tables, observed: pl.DataFrame) -> pl.DataFrame:
    """The causes of weights that differ: indicator_id, region_code (of the group), period, rank.

    They are those of the member's figures of that year that can weigh: counts, and what a weight is computed from.
    """
    columns = ["indicator_id", "group_code", "period", "municipality_code", "weight"]
    if "group_weight" not in old or "group_weight" not in new:
        types = {"indicator_id": pl.String, "region_code": pl.String, "period": pl.String, "rank": pl.Int32}
        return pl.DataFrame(schema=types)
    before, after = (t["group_weight"].rename({"reference_period": "period"}).select(columns) for t in (old, new))
    differs = (pl.col("weight") / pl.col("weight_new") - 1).abs() > _SAME_WEIGHT
    changed = before.join(after, columns[:-1], suffix="_new").filter(differs)
    counts = _union(old, new, "indicator", "indicator_id", "group_method").filter(group_method="sum")
    weighing = pl.concat([counts.select("indicator_id"), _weight_parts(old, new).select(indicator_id="part")])
    revised = observed.join(weighing, "indicator_id", how="semi").select(
        "rank", year="period", municipality_code="region_code"
    )
    return (
        changed.with_columns(year=pl.col("period").str.slice(0, 4))
        .join(_lowest(revised, "municipality_code", "year"), ["municipality_code", "year"])
        .select("indicator_id", "period", "rank", region_code="group_code")
    )


_SAME_WEIGHT: Final = 1e-9  # relative
_VALUE_KEY: Final = ["measurement_year", "indicator_id", "region_code", "breakdown"]


def _with_origin(rows: pl.DataFrame, old: Tables, new: Tables) -> pl.DataFrame:
    """The rows with the period and table that either edition used: old_period, old_table, new_period, new_table."""
    for name, tables in (("old", old), ("new", new)):
        if "indicator_value" in tables:
            origin = tables["indicator_value"].select(
                pl.col("measurement_year").cast(pl.Int32),
                *_VALUE_KEY[1:],
                pl.col("reference_period").alias(f"{name}_period"),
                pl.col("source_table").alias(f"{name}_table"),
            )
            rows = rows.join(origin, _VALUE_KEY, how="left")
        else:
            nothing = pl.lit(None, pl.String)
            rows = rows.with_columns(nothing.alias(f"{name}_period"), nothing.alias(f"{name}_table"))
    return rows


def _periods_used(rows: pl.DataFrame) -> pl.DataFrame:
    """Each row with its old and its new period, and the year of that."""
    sides = [rows.with_columns(period=side) for side in ("old_period", "new_period")]
    used = pl.concat(sides).select("row_key", "indicator_id", "region_code", "period").drop_nulls().unique()
    return used.with_columns(year=pl.col("period").str.slice(0, 4))


def _redefined_values(
    rows: pl.DataFrame, changes: Mapping[str, pl.DataFrame], old: Tables, new: Tables
) -> list[pl.DataFrame]:
    """Figures whose indicator, weight or source was defined otherwise, or that come from another source by choice."""
    groups = rows.join(
        _union(old, new, "region_member", "group_code"), left_on="region_code", right_on="group_code", how="semi"
    )
    weighed = _redefined(changes, _MEASURED).rename({"indicator_id": "part"})
    by_weight = _weight_parts(old, new).join(weighed, "part", how="semi")
    sources = _source_tables(changes, _CHOSEN_BY, ["withdrawn"])
    of_table = [
        rows.rename({column: "source_table"}).join(sources, ["indicator_id", "source_table"], how="semi")
        for column in ("old_table", "new_table")
    ]
    added = _source_tables(changes, [], ["new"]).rename({"source_table": "new_table"})
    preferred = rows.filter(pl.col("old_period") == pl.col("new_period"), pl.col("old_table") != pl.col("new_table"))
    found = [
        rows.join(_redefined(changes, _REACH), "indicator_id", how="semi"),
        groups.join(_redefined(changes, _GROUPED), "indicator_id", how="semi"),
        groups.join(by_weight, "indicator_id", how="semi"),
        *of_table,
        preferred.join(added, ["indicator_id", "new_table"], how="semi"),
    ]
    return [_candidates(part, CATALOGUE) for part in found]


def _moved(rows: pl.DataFrame, old: Tables, new: Tables) -> pl.DataFrame:
    """The figures that now come from a period or table that the previous edition did not have, nor its bytes."""
    same = _same_bytes(old, new).rename({"source_table": "new_table"})
    known = _union(old, {}, "observation", "indicator_id", "source_table", "period")
    moved = pl.col("old_period").ne_missing(pl.col("new_period")) | pl.col("old_table").ne_missing(pl.col("new_table"))
    revisable = rows.filter(moved, pl.col("new_period").is_not_null()).join(same, "new_table", how="anti")
    return revisable.join(
        known,
        left_on=["indicator_id", "new_table", "new_period"],
        right_on=["indicator_id", "source_table", "period"],
        how="anti",
    )


def _came_or_went(rows: pl.DataFrame, changes: Mapping[str, pl.DataFrame], old: Tables, new: Tables) -> pl.DataFrame:
    """Rows of indicators that only one edition has, and of measurement years that only one has."""
    years = [
        set(tables["indicator_value"]["measurement_year"]) if "indicator_value" in tables else set()
        for tables in (old, new)
    ]
    indicators = _defined_otherwise(changes, "indicator", [], ["new", "withdrawn"]).select("indicator_id").unique()
    whole = rows.filter(pl.col("kind").is_in(["new", "withdrawn"]))
    year = pl.col("measurement_year")
    return pl.concat(
        [
            _candidates(whole.join(indicators, "indicator_id", how="semi"), CATALOGUE),
            _candidates(whole.filter(year.is_in(sorted(years[1] - years[0]))), MOVED),
            _candidates(whole.filter(year.is_in(sorted(years[0] - years[1]))), CATALOGUE),
        ]
    )


# --- what is derived from these


def _derived_ranks(name: str, cells: pl.DataFrame, evidence: _Evidence) -> pl.DataFrame:
    columns = set(cells.columns)
    if "theme_id" in columns:
        return _score_ranks(_rows(evidence.changes, name, "measurement_year", *_THEME, "region_code"), evidence)
    years = [column for column in ("measurement_year", "baseline_year") if column in columns]
    regions = [column for column in ("region_code", "comparator_code") if column in columns]
    if "indicator_id" in columns:
        rows = _rows(evidence.changes, name, "indicator_id", *years, *regions)
    else:
        rows = _with_dimension(_rows(evidence.changes, name, "variable_id", *years, *regions), name, evidence)
    return _figure_ranks(name, rows, years, regions, evidence)


def _with_dimension(rows: pl.DataFrame, name: str, evidence: _Evidence) -> pl.DataFrame:
    """The rows of survey estimates with the indicator (dimension) that their variable belongs to."""
    dimension = _union(evidence.old, evidence.new, name, "variable_id", "indicator_id").unique(
        "variable_id", keep="any"
    )
    return rows.join(dimension, "variable_id", how="left")


def _figure_ranks(
    name: str, rows: pl.DataFrame, years: Sequence[str], regions: Sequence[str], evidence: _Evidence
) -> pl.DataFrame:
    """Rows about figures of an indicator in one or two years and one or two regions."""
    at_year = pl.concat([rows.select("row_key", "indicator_id", *regions, measurement_year=year) for year in years])
    at_place = pl.concat(
        [at_year.select("row_key", "indicator_id", "measurement_year", region_code=region) for region in regions]
    ).unique()
    judged = rows.join(_redefined(evidence.changes, _JUDGED), "indicator_id", how="semi")
    texts = [
        _union(tables, {}, name, "variables")
        for tables in (evidence.old, evidence.new)
        if "variables" in tables[name].columns
    ]
    levels = [
        [_came_or_went(rows, evidence.changes, evidence.old, evidence.new)],
        [
            _candidates(judged, CATALOGUE),
            _inherited(at_place, evidence.values, "indicator_id", "measurement_year", "region_code"),
        ],
        [_inherited(at_place, evidence.observed, "indicator_id", "region_code")],
        [_inherited(at_year, evidence.values, "indicator_id", "measurement_year")],
        [
            _inherited(rows, evidence.values, "indicator_id"),
            _inherited(rows, evidence.observed, "indicator_id"),
        ],
        [_candidates(rows.clear(), evidence.rest), *(_by_variables(rows, text, evidence.observed) for text in texts)],
    ]
    return _settled(rows, levels, evidence.rest)


_THEME: Final = ["framework", "theme_id"]


def _lineage(old: Tables, new: Tables) -> pl.DataFrame:
    """Every element of the frameworks under itself and each of its ancestors: framework, theme_id, element_id."""
    edges = _union(old, new, "framework_element", "framework", "element_id", "parent_id")
    up = edges.with_columns(theme_id="element_id")
    levels = [up]
    while not up.is_empty():
        parents = edges.select("framework", theme_id="element_id", above="parent_id").drop_nulls()
        up = up.join(parents, _THEME).with_columns(theme_id="above").drop("above")
        levels.append(up)
    return pl.concat(levels).select(*_THEME, "element_id").unique()


def _score_ranks(rows: pl.DataFrame, evidence: _Evidence) -> pl.DataFrame:
    """Scores and ranks of a theme, from the figures of all its indicators."""
    lineage = _lineage(evidence.old, evidence.new)
    of_indicator = lineage.rename({"element_id": "indicator_id"})
    chosen = _framework_choices(evidence.changes).join(lineage, ["framework", "element_id"])
    judged = of_indicator.join(_redefined(evidence.changes, _JUDGED), "indicator_id", how="semi")
    values = of_indicator.join(evidence.values, "indicator_id").select(
        *_THEME, "measurement_year", "region_code", "rank"
    )
    levels = [
        [_came_or_went(rows.with_columns(indicator_id=pl.lit("")), evidence.changes, evidence.old, evidence.new)],
        [
            _candidates(
                rows.join(pl.concat([chosen.select(_THEME), judged.select(_THEME)]), _THEME, how="semi"), CATALOGUE
            ),
            _inherited(rows, values, *_THEME, "measurement_year", "region_code"),
        ],
        [_inherited(rows, values, *_THEME, "measurement_year")],
        [_inherited(rows, values, *_THEME)],
        [_inherited(rows, values, "framework")],
    ]
    return _settled(rows, levels, evidence.rest)


def _framework_choices(changes: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """The elements (framework, element_id) that were chosen otherwise, and do not only follow from other figures."""
    if "framework_element" not in changes:
        return pl.DataFrame(schema={"framework": pl.String, "element_id": pl.String})
    cells = changes["framework_element"].filter(~pl.col("column_name").is_in(_MADE_OF_FIGURES))
    return cells.select("framework", "element_id").unique()


def _framework_ranks(cells: pl.DataFrame, evidence: _Evidence) -> pl.DataFrame:
    """Choices are the catalogue's; goalposts and component weights follow the figures of the element.

    Component weights depend on those of the whole framework too.
    """
    of_indicator = _lineage(evidence.old, evidence.new).rename({"element_id": "indicator_id"})
    figures = of_indicator.join(evidence.values, "indicator_id").select("framework", "rank", element_id="theme_id")
    found = (
        cells.join(_lowest(figures, "framework", "element_id"), ["framework", "element_id"], how="left")
        .join(_lowest(figures, "framework"), "framework", how="left", suffix="_of_framework")
        .with_columns(rank=pl.coalesce("rank", "rank_of_framework"))
        .drop("rank_of_framework")
    )
    chosen = _framework_choices(evidence.changes).with_columns(chosen=pl.lit(value=True))
    follows = pl.col("column_name").is_in(_MADE_OF_FIGURES) & pl.col("chosen").is_null()
    return found.join(chosen, ["framework", "element_id"], how="left").with_columns(
        rank=pl.when(follows).then(pl.col("rank").fill_null(evidence.rest)).otherwise(CATALOGUE)
    )
