"""What must be true of each published table, generated from the column registry and the catalogue.

Nothing is evaluated here: a `Suite` is a frame and the rules it must meet, and `pipelines.checks` has Great
Expectations evaluate them. A rule that one column cannot express is a boolean column, a `flag`, that must be true.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from assets.core import ROLES
from catalog import Column, Table, frames
from catalog.waves import SHARE_SUFFIX
from pipelines import analysis_rules, claim_rules, programme_rules
from pipelines.rules import MISSING, TOLERANCE, Context, Rule, Suite, flag, present


def suites(table: Table, frame: pl.DataFrame, context: Context) -> list[Suite]:
    """All suites of a table (of the partitions of the run, where it is partitioned)."""
    found = [_schema_suite(table, frame), _row_suite(table, frame, context)]
    found += [make(frame, context) for make in _PLAUSIBILITY.get(table.name, [])]
    return found


def _schema_suite(table: Table, frame: pl.DataFrame) -> Suite:
    """Columns and types are those of the registry, in its order."""
    present = pl.DataFrame(
        {"column": list(frame.schema), "type": [str(dtype) for dtype in frame.schema.values()]},
        schema={"column": pl.String, "type": pl.String},
    )
    registered = [(name, str(dtype)) for name, dtype in table.polars_schema.items()]
    listed = present.with_columns(
        in_order=pl.Series([list(frame.schema) == table.column_names] * present.height, dtype=pl.Boolean)
    )
    return Suite(
        listed,
        ["column"],
        [
            Rule(
                "types_as_registered",
                "every column has the type of the column registry",
                "ExpectColumnPairValuesToBeInSet",
                {"column_A": "column", "column_B": "type", "value_pairs_set": registered},
            ),
            flag("columns_as_registered", "in_order", f"the columns {', '.join(table.column_names)}, in this order"),
        ],
        unit="column",
    )


def _row_suite(table: Table, frame: pl.DataFrame, context: Context) -> Suite:
    """Keys, vocabularies, patterns, bounds and references of every column, and the rules between columns."""
    checked = frame.select(pl.exclude(pl.Binary)).with_columns(
        pl.col(name).list.join(";").alias(name) for name, dtype in frame.schema.items() if isinstance(dtype, pl.List)
    )
    rules = [_unique_key(table)]
    # Of a partitioned table every promised row is asked for.
    if not table.partitioned and not table.may_be_empty:
        rules.append(_has_rows())
    for column in table.columns:
        if column.type != "BLOB":
            rules += _column_rules(column, table, context)
        if column.type == "VARCHAR[]" and column.vocabulary:
            check_id = f"{column.name}_in_vocabulary"
            checked = checked.with_columns(
                _holds_only(frame, column.name, context.words(column.vocabulary)).alias(check_id)
            )
            expected = f"{column.name} holds words of the vocabulary {column.vocabulary}"
            rules.append(flag(check_id, check_id, expected, shows=(column.name,)))
        if column.references and not (column.references == table.name and column.name in table.key):
            check_id = f"{column.name}_known"
            known = _known_keys(context.catalogue.registry[column.references], table, frame, context)
            checked = checked.with_columns(pl.col(column.name).is_in(known).fill_null(value=True).alias(check_id))
            expected = f"{column.name} occurs in the table {column.references}"
            rules.append(flag(check_id, check_id, expected, shows=(column.name,)))
    for check_id, (expected, condition) in _row_flags(table).items():
        checked = checked.with_columns(condition.alias(check_id))
        rules.append(flag(check_id, check_id, expected))
    if {"indicator_id", "value"} <= set(frame.columns) and table.name in ("observation", "indicator_value"):
        scale = frames.indicators(context.catalogue).select("indicator_id", "scale_min", "scale_max")
        within = pl.col("value").is_between(
            pl.col("scale_min").fill_null(float("-inf")), pl.col("scale_max").fill_null(float("inf"))
        )
        checked = (
            checked.join(scale, "indicator_id", how="left", maintain_order="left")
            .with_columns(within_scale=within.fill_null(value=True))
            .drop("scale_min", "scale_max")
        )
        rules.append(flag("within_scale", "within_scale", "every value lies within the scale of its indicator"))
    return Suite(checked, table.key, rules)


def _known_keys(referenced: Table, table: Table, frame: pl.DataFrame, context: Context) -> list[str]:
    """The keys a reference may have. (Great Expectations takes long lists of values badly: they become a flag.)"""
    return (frame if referenced is table else context.read(referenced.name))[referenced.key[0]].to_list()


def _holds_only(frame: pl.DataFrame, column: str, words: list[str]) -> pl.Series:
    """Whether every element of a list is one of the words; an empty list is, a NULL among the elements is not."""
    known = pl.element().is_in(words).fill_null(value=False)
    return frame.select(pl.col(column).list.eval(known).list.all().fill_null(value=True)).to_series()


def _has_rows() -> Rule:
    """Never a silent empty table: rules about rows hold where there are none."""
    return Rule("has_rows", "the table has rows", "ExpectTableRowCountToBeBetween", {"min_value": 1})


def _unique_key(table: Table) -> Rule:
    if len(table.key) == 1:
        return Rule("unique_key", f"{table.key[0]} is unique", "ExpectColumnValuesToBeUnique", {"column": table.key[0]})
    return Rule(
        "unique_key",
        f"each combination of {', '.join(table.key)} occurs once",
        "ExpectCompoundColumnsToBeUnique",
        {"column_list": table.key},
    )


def _column_rules(column: Column, table: Table, context: Context) -> list[Rule]:
    name, rules = column.name, []
    if name in {*table.key, *table.required}:
        rules.append(
            Rule(f"{name}_present", f"{name} is never empty", "ExpectColumnValuesToNotBeNull", {"column": name})
        )
    if column.vocabulary and column.type == "VARCHAR":
        expected = f"{name} holds words of the vocabulary {column.vocabulary}"
        words = {"column": name, "value_set": context.words(column.vocabulary)}
        rules.append(Rule(f"{name}_in_vocabulary", expected, arguments=words))
    if column.pattern:
        rules.append(
            Rule(
                f"{name}_well_formed",
                f"{name} matches {column.pattern}",
                "ExpectColumnValuesToMatchRegex",
                {"column": name, "regex": column.pattern},
            )
        )
    if column.minimum is not None or column.maximum is not None:
        rules.append(
            Rule(
                f"{name}_within_bounds",
                f"{name} is {_bounds(column)}",
                "ExpectColumnValuesToBeBetween",
                {"column": name, "min_value": column.minimum, "max_value": column.maximum},
            )
        )
    return rules


def _bounds(column: Column) -> str:
    if column.minimum is not None and column.maximum is not None:
        return f"from {column.minimum:g} to {column.maximum:g}"
    return f"at most {column.maximum:g}" if column.minimum is None else f"at least {column.minimum:g}"


def _row_flags(table: Table) -> dict[str, tuple[str, pl.Expr]]:
    """Rules between the columns of one row."""
    names = set(table.column_names)
    flags: dict[str, tuple[str, pl.Expr]] = {}
    if {"value", "status"} <= names:
        says_missing = pl.col("status").is_in(MISSING)
        flags["missing_exactly_when_status_says"] = (
            "the value is empty exactly when the status says that it is missing",
            pl.col("value").is_null() == says_missing,
        )
    if {"value", "ci_low", "ci_high"} <= names:
        flags["interval_contains_value"] = (
            "both margins are given or neither, and the value lies between them",
            _contains("ci_low", "value", "ci_high"),
        )
    if {"difference", "difference_ci_low"} <= names:
        baseline = "baseline_value" if "baseline_value" in names else "comparator_value"
        distance = (pl.col("value") - pl.col(baseline) - pl.col("difference")).abs()
        flags["interval_contains_difference"] = (
            "both margins of the difference are given or neither, and the difference lies between them",
            _contains("difference_ci_low", "difference", "difference_ci_high"),
        )
        flags["difference_is_value_minus_other"] = (
            "the difference is the value minus the value that is compared with",
            (distance <= TOLERANCE).fill_null(value=True),
        )
        flags["verdict_has_a_basis"] = (
            "a verdict of better, worse, higher, lower or no difference has a basis and a margin",
            pl.col("verdict").is_in(["not_decidable", "no_new_measurement", "not_comparable"])
            | ((pl.col("basis") != "none") & pl.col("difference_ci_low").is_not_null()),
        )
        flags["p_value_only_with_interval"] = (
            "a p-value stands only where something was sampled or modelled",
            pl.col("p_value").is_null() | (pl.col("basis") == "interval"),
        )
    return flags


def _contains(low: str, middle: str, high: str) -> pl.Expr:
    both_empty = pl.col(low).is_null() & pl.col(high).is_null()
    inside = (pl.col(low) <= pl.col(middle) + TOLERANCE) & (pl.col(middle) <= pl.col(high) + TOLERANCE)
    return both_empty | inside.fill_null(value=False)


def _members_complete(frame: pl.DataFrame, context: Context) -> Suite:
    groups = context.catalogue.region.own_groups
    wanted = pl.DataFrame(
        [(group, code) for group, codes in groups.items() for code in codes],
        schema={"group_code": pl.String, "municipality_code": pl.String},
        orient="row",
    ).join(frame.select("period").unique().sort("period"), how="cross")
    return present(wanted, frame, "members_complete", "every municipality of the region is a member in every period")


def _members_exist(frame: pl.DataFrame, _: Context) -> Suite:
    """Own municipalities must be among the country's: one that vanished from the population is noticed."""
    country = frame.filter(group_code=ROLES.country).select("municipality_code", "period")
    own = frame.filter(group_code=ROLES.region).select("municipality_code", "period")
    return present(own, country, "members_exist", "every municipality of the region has inhabitants in every period")


def _shares_add_up(frame: pl.DataFrame, _: Context) -> Suite:
    """Nobody is lost or counted twice when figures are put on other borders."""
    total = pl.col("share").sum()
    summed = frame.group_by("period", "from_code").agg(
        total.alias("total"), ((total - 1).abs() < 1e-9).alias("adds_up")
    )
    expected = "the shares of every municipality add up to 1"
    rule = flag("shares_add_up", "adds_up", expected, shows=("total",))
    return Suite(summed.sort("period", "from_code"), ["period", "from_code"], [rule], unit="municipality and year")


def _own_regions_present(frame: pl.DataFrame, _: Context) -> Suite:
    wanted = pl.DataFrame({"region_code": ROLES.always})
    return present(wanted, frame, "own_regions_present", "every own municipality and group is described")


def _every_value_promised(frame: pl.DataFrame, context: Context) -> Suite:
    wanted = context.years.join(frames.indicators(context.catalogue).select("indicator_id"), how="cross").join(
        pl.DataFrame({"region_code": ROLES.always}), how="cross"
    )
    expected = "every own municipality and group has a row for every indicator and year, also if it is empty"
    return present(wanted, frame, "every_row_promised", expected)


def _every_comparison_promised(frame: pl.DataFrame, context: Context) -> Suite:
    pairs = [
        (code, other)
        for code in [*ROLES.municipalities, *ROLES.groups]
        for other in (ROLES.region, ROLES.country, ROLES.rest)
        if code != other
    ] + [*context.catalogue.region.compared_contrasts, *ROLES.peers.items()]
    compared = frames.indicators(context.catalogue).filter(~pl.col("is_count")).select("indicator_id")
    wanted = context.years.join(compared, how="cross").join(
        pl.DataFrame(pairs, schema=["region_code", "comparator_code"], orient="row"), how="cross"
    )
    return present(wanted, frame, "every_row_promised", "every promised pair of regions is compared")


def _every_change_promised(frame: pl.DataFrame, context: Context) -> Suite:
    later = pl.col("measurement_year") != context.catalogue.region.baseline_year
    wanted = (
        context.years.filter(later)
        .join(frames.indicators(context.catalogue).select("indicator_id"), how="cross")
        .join(pl.DataFrame({"region_code": ROLES.always}), how="cross")
        .with_columns(quantity=pl.lit("value"))
    )
    expected = "every own municipality and group has a change since the baseline, also if nothing can be said of it"
    return present(wanted, frame, "every_row_promised", expected)


def _means_within_members(frame: pl.DataFrame, context: Context) -> Suite:
    means = frames.indicators(context.catalogue).filter(group_method="weighted_mean").select("indicator_id")
    key = ["indicator_id", "reference_period"]
    frame = frame.filter(breakdown="total")
    members = context.read("group_weight").join(
        frame.select(*key, "value", municipality_code="region_code").unique(), [*key, "municipality_code"]
    )
    bounds = members.group_by(*key, region_code="group_code").agg(
        lowest=pl.col("value").min(), highest=pl.col("value").max()
    )
    listed = (
        frame.join(means, "indicator_id", how="semi")
        .join(bounds, [*key, "region_code"])
        .filter(pl.col("value").is_not_null())
        .select(
            "measurement_year",
            "indicator_id",
            "region_code",
            "value",
            within_members=pl.col("value")
            .is_between(pl.col("lowest") - TOLERANCE, pl.col("highest") + TOLERANCE)
            .fill_null(value=False),
        )
    )
    expected = "a weighted mean lies between the lowest and the highest figure of its members"
    return Suite(
        listed,
        ["measurement_year", "indicator_id", "region_code"],
        [flag("mean_within_members", "within_members", expected)],
    )


def _totals_plausible(frame: pl.DataFrame, context: Context) -> Suite:
    totals = pl.DataFrame(
        [(t.indicator, t.region, t.minimum, t.maximum) for t in context.catalogue.region.plausible_totals],
        schema={"indicator_id": pl.String, "region_code": pl.String, "minimum": pl.Float64, "maximum": pl.Float64},
        orient="row",
    )
    listed = frame.join(totals, ["indicator_id", "region_code"]).select(
        "measurement_year",
        "indicator_id",
        "region_code",
        "value",
        "minimum",
        "maximum",
        plausible=pl.col("value").is_between("minimum", "maximum").fill_null(value=True),
    )
    expected = "totals lie within the bounds of the region file"
    return Suite(
        listed,
        ["measurement_year", "indicator_id", "region_code", "value", "minimum", "maximum"],
        [flag("total_plausible", "plausible", expected)],
    )


def _one_reference_period(frame: pl.DataFrame, _: Context) -> Suite:
    listed = frame.group_by("measurement_year", "indicator_id", maintain_order=True).agg(
        one_period=pl.col("reference_period").n_unique() == 1
    )
    expected = "all regions of an indicator and year have the same reference period"
    return Suite(listed, ["measurement_year", "indicator_id"], [flag("one_reference_period", "one_period", expected)])


def _usual_changes(frame: pl.DataFrame, _: Context) -> Suite:
    # A figure that was carried forward was pointed out in the year it was new.
    new = ~pl.col("warnings").list.contains("carried_forward")
    listed = frame.filter(pl.col("region_code").is_in(ROLES.municipalities) & new).select(
        "measurement_year",
        "indicator_id",
        "region_code",
        "reference_period",
        "value",
        usual=~pl.col("warnings").list.contains("unusual_change"),
    )
    expected = "no municipality moved very differently from the others since the period before"
    return Suite(
        listed,
        ["measurement_year", "indicator_id", "region_code", "reference_period", "value"],
        [flag("unusual_change", "usual", expected, severity="warning")],
    )


def _baseline_as_frozen(frame: pl.DataFrame, context: Context) -> Suite:
    """In the baseline year, figures are of a table and period the catalogue froze, unless there are none in any year.

    Looked at are the regions that must have a figure: of the country and of others, a figure may be of another table.
    """
    region = context.catalogue.region
    must_have = (
        pl.when(measured_for="region")
        .then(pl.col("region_code") == ROLES.region)
        .when(measured_for="country")
        .then(pl.col("region_code") == ROLES.country)
        .otherwise(pl.col("region_code").is_in(region.must_have_figures))
    )
    in_baseline = pl.col("measurement_year") == region.baseline_year
    frozen = (
        frames.frozen_baselines(context.catalogue)
        .group_by("indicator_id", maintain_order=True)
        .agg(frozen=pl.format("{} {}", "source_table", "period"))
    )
    listed = (
        frame.join(frames.indicators(context.catalogue).select("indicator_id", "measured_for"), "indicator_id")
        .filter(must_have & pl.col("value").is_not_null())
        .group_by("indicator_id")
        .agg(found=pl.format("{} {}", "source_table", "reference_period").filter(in_baseline).unique().sort())
        .join(frozen, "indicator_id")
        .sort("indicator_id")
        .select(
            "indicator_id",
            pl.lit(region.baseline_year, dtype=pl.Int32).alias("measurement_year"),
            pl.col("frozen").list.join(" or "),
            found=pl.when(pl.col("found").list.len() > 0)
            .then(pl.col("found").list.join(" and "))
            .otherwise(pl.lit("no figures")),
            as_frozen=(pl.col("found").list.len() > 0)
            & (pl.col("found").list.set_difference("frozen").list.len() == 0),
        )
    )
    expected = "the baseline has the figures of a table and period that the catalogue froze"
    return Suite(
        listed,
        ["measurement_year", "indicator_id", "frozen"],
        [flag("baseline_as_frozen", "as_frozen", expected, severity="warning", shows=("found",))],
        unit="indicator",
    )


def _hidden_says_nothing(frame: pl.DataFrame, context: Context) -> Suite:
    """Of a suppressed figure nothing is published, and none is published of too few answers."""
    hidden = pl.col("status") == "suppressed"
    said = [name for name, dtype in frame.schema.items() if dtype.is_numeric() and name != "measurement_year"]
    least = context.catalogue.survey.settings.disclosure.suppress_below
    listed = frame.select(
        "measurement_year",
        "variable_id",
        "region_code",
        "breakdown",
        "statistic",
        nothing_said=~hidden | pl.all_horizontal(pl.col(said).is_null()),
        enough=hidden | (pl.col("n") >= least).fill_null(value=True),
    )
    return Suite(
        listed,
        ["measurement_year", "variable_id", "region_code", "breakdown", "statistic"],
        [
            flag("suppressed_says_nothing", "nothing_said", "of a suppressed figure no number is published"),
            flag("enough_answers", "enough", f"no figure is made of fewer than {least} answers"),
        ],
    )


def _contrast_of_published(frame: pl.DataFrame, context: Context) -> Suite:
    """A difference is published of two published figures only."""
    shown = context.read("survey_estimate").filter(
        pl.col("value").is_not_null() & (pl.col("variable_id") == pl.col("indicator_id"))
    )
    share = pl.when(pl.col("statistic") == "share").then(pl.lit(SHARE_SUFFIX)).otherwise(pl.lit(""))
    sides = shown.select(
        "region_code", "breakdown", year="measurement_year", indicator_id=pl.col("indicator_id") + share
    ).with_columns(shown=pl.lit(value=True))
    key = ["measurement_year", "indicator_id", "region_code", "comparator_code", "comparator_year", "breakdown"]
    ends = [("region_code", "measurement_year"), ("comparator_code", "comparator_year")]
    for region, year in ends:
        frame = frame.join(
            sides.rename({"shown": f"{region}_shown"}),
            left_on=["indicator_id", "breakdown", region, year],
            right_on=["indicator_id", "breakdown", "region_code", "year"],
            how="left",
            maintain_order="left",
        )
    both = pl.all_horizontal(pl.col(f"{region}_shown").fill_null(value=False) for region, _ in ends)
    expected = "a difference is published only of two figures that are"
    return Suite(frame.select(*key, both=both), key, [flag("both_sides_published", "both", expected)])


def _synthetic_says_so(frame: pl.DataFrame, context: Context) -> Suite:
    """Every row made of an invented wave says that it is."""
    years = context.read("survey_wave").filter("synthetic")["measurement_year"].to_list()
    invented = pl.col("measurement_year").is_in(years) & pl.col("indicator_id").is_in(_of_survey(context))
    value = pl.col("value") if "value" in frame.columns else pl.lit(0.0)
    says = pl.col("warnings").list.contains("synthetic")
    key = [name for name in _KEYS_OF_SURVEY if name in frame.columns]
    listed = frame.filter(invented & value.is_not_null()).select(*key, says_so=says)
    return Suite(listed, key, [flag("synthetic_marked", "says_so", "every invented figure says so")])


def _corrected_as_said(frame: pl.DataFrame, _: Context) -> Suite:
    """A correction shows what was computed with: nothing where it says dropped, and nothing else where it flags."""
    published, corrected = pl.col("published_value"), pl.col("corrected_value")
    as_said = (
        pl.when(action="override")
        .then(corrected.is_not_null())
        .when(action="drop")
        .then(corrected.is_null())
        .otherwise(corrected.eq_missing(published))
    )
    key = ["correction_id", "indicator_id", "region_code", "period"]
    shown = ["action", "published_value", "corrected_value"]
    expected = "a replaced figure has its replacement, one that is not used has none, a flagged one is as published"
    listed = frame.select(*key, *shown, as_said=as_said)
    return Suite(listed, key, [flag("corrected_as_said", "as_said", expected, shows=tuple(shown))], unit="correction")


def _differences(frame: pl.DataFrame, context: Context) -> Suite:
    """What differs was found between this edition and one before it, and something recorded explains it."""
    key, shown = ["edition", "table_name", "row_key", "column_name"], ["old_value", "new_value"]
    listed = frame.select(
        *key,
        *shown,
        of_this_edition=pl.col("edition").is_in(context.read("edition")["edition"].to_list()),
        explained=pl.col("cause") != "unexplained",
    )
    explained = "every difference with the edition before has a cause"
    return Suite(
        listed,
        key,
        [
            flag("of_this_edition", "of_this_edition", "every difference is one of this edition"),
            flag("difference_explained", "explained", explained, severity="warning", shows=tuple(shown)),
        ],
        unit="difference",
    )


_KEYS_OF_SURVEY = [
    *("measurement_year", "indicator_id", "variable_id", "region_code", "comparator_code", "comparator_year"),
    *("breakdown", "statistic", "quantity"),
]


def _of_survey(context: Context) -> list[str]:
    """The indicators that waves of the survey measure."""
    tables = {wave.source_table for wave in context.catalogue.survey.waves.values()}
    return [i.indicator_id for i in context.catalogue.indicators if tables & {s.source_table for s in i.sources}]


_PLAUSIBILITY: dict[str, list[Callable[[pl.DataFrame, Context], Suite]]] = {
    "region": [_own_regions_present],
    "region_member": [_members_complete, _members_exist],
    "municipality_crosswalk": [_shares_add_up],
    "indicator_value": [
        _every_value_promised,
        _one_reference_period,
        _means_within_members,
        _totals_plausible,
        _baseline_as_frozen,
        _usual_changes,
        _synthetic_says_so,
    ],
    "survey_estimate": [_hidden_says_nothing, _synthetic_says_so],
    "survey_contrast": [_contrast_of_published, _synthetic_says_so],
    "small_area_estimate": [_synthetic_says_so],
    "comparison": [_every_comparison_promised, _synthetic_says_so],
    "change": [_every_change_promised, _synthetic_says_so],
    "correction": [_corrected_as_said],
    "revision": [_differences],
    **analysis_rules.PLAUSIBILITY,
    **claim_rules.PLAUSIBILITY,
    **programme_rules.PLAUSIBILITY,
}

# Tables with rules that only ask for attention.
ASKS_FOR_ATTENTION = {"indicator_value", "revision", *programme_rules.ASKS_FOR_ATTENTION}


# What rules of a table look into besides what its columns refer to.
_LOOKED_UP = {
    "indicator_value": {"group_weight", "survey_wave"},
    "survey_estimate": {"survey_wave"},
    "survey_contrast": {"survey_estimate", "survey_wave"},
    "small_area_estimate": {"survey_wave"},
    "comparison": {"survey_wave"},
    "change": {"survey_wave"},
    "revision": {"edition"},
    "claim": claim_rules.LOOKED_UP,
    **programme_rules.LOOKED_UP,
}


def looked_up(table: Table) -> list[str]:
    """The other tables that the rules of a table look into."""
    referenced = {column.references for column in table.columns if column.references}
    return sorted((referenced | _LOOKED_UP.get(table.name, set())) - {table.name})
