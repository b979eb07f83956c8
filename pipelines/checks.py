"""Great Expectations as Dagster asset checks: one blocking and one attention check for every published table."""

import json
import os
from collections.abc import Iterator
from functools import cache
from typing import Any

import dagster as dg
import polars as pl

from assets.publication import CHECKS, faults_of_draft
from assets.tables import CATALOGUE, YEARS
from assets.workspace import Workspace
from catalog import Table
from pipelines.expectations import ASKS_FOR_ATTENTION, looked_up, suites
from pipelines.parquet_io import PARTITION_COLUMN
from pipelines.rules import Context, Rule, Suite
from reports.quality_page import write_quality_page

BLOCKING, ATTENTION, PUBLISHABLE = "expectations", "attention", "publishable"
SEVERITY = {BLOCKING: "error", ATTENTION: "warning"}
EXAMPLES = 5


def table_checks() -> list[dg.AssetChecksDefinition]:
    """The checks of every table in the registry."""
    return [_checks_of(table) for table in CATALOGUE.registry.tables.values()]


def _checks_of(table: Table) -> dg.AssetChecksDefinition:
    """The blocking check of a table, and an attention check where it has rules that only ask for attention."""
    descriptions = {BLOCKING: "What must be true of this table; when it is not, no edition is made."}
    if table.name in ASKS_FOR_ATTENTION:
        descriptions[ATTENTION] = "What an analyst should look at; it does not stop the run."

    @dg.multi_asset_check(
        name=f"{table.name}_checks",
        specs=[
            dg.AssetCheckSpec(
                name,
                asset=table.name,
                blocking=name == BLOCKING,
                additional_deps=looked_up(table),
                partitions_def=YEARS if table.partitioned else None,
                description=description,
            )
            for name, description in descriptions.items()
        ],
    )
    def check(context: dg.AssetCheckExecutionContext, workspace: Workspace) -> Iterator[dg.AssetCheckResult]:
        partitions = sorted(context.partition_keys) if table.partitioned else ["all"]
        context_of = Context(CATALOGUE, lambda name: workspace.read(CATALOGUE.registry[name]), partitions)
        frame = workspace.read(table, partitions if table.partitioned else None)
        results = evaluate(table, frame, context_of)
        keep_results(workspace, table.name, partitions, results)
        for name in descriptions:
            yield _outcome(table.name, name, [row for row in results if row["severity"] == SEVERITY[name]])

    return check


@dg.multi_asset_check(
    name="edition_candidate_checks",
    specs=[
        dg.AssetCheckSpec(name, asset="edition_candidate", blocking=True, description=description)
        for name, description in CHECKS.items()
    ],
)
def edition_candidate_checks(workspace: Workspace) -> Iterator[dg.AssetCheckResult]:
    """What must be true of a draft before it is published."""
    faults = faults_of_draft(workspace)
    failed = [] if faults else [row for row in _of_draft(workspace) if row["severity"] == "error" and not row["passed"]]
    found = {PUBLISHABLE: faults, BLOCKING: [row["message"] for row in failed]}
    for name, messages in found.items():
        yield dg.AssetCheckResult(
            asset_key="edition_candidate",
            check_name=name,
            passed=not messages,
            description="\n".join(messages) or "Nothing stands in the way.",
        )


def _of_draft(workspace: Workspace) -> Iterator[dict[str, Any]]:
    """The check results of all tables of the draft, from its own files."""
    tables = {
        name: pl.read_parquet(workspace.draft / "parquet" / f"{name}.parquet") for name in CATALOGUE.registry.tables
    }
    for table in CATALOGUE.registry.tables.values():
        partitions = list(YEARS.get_partition_keys()) if table.partitioned else ["all"]
        yield from evaluate(table, tables[table.name], Context(CATALOGUE, tables.__getitem__, partitions))


def evaluate(table: Table, frame: pl.DataFrame, context: Context) -> list[dict[str, Any]]:
    """The check results of one table, for each partition of the context (`all` where it is not partitioned)."""
    return [row for suite in suites(table, frame, context) for row in run_suite(suite, table.name, context.partitions)]


def run_suite(suite: Suite, table_name: str, partitions: list[str]) -> list[dict[str, Any]]:
    """Have Great Expectations evaluate a suite: one row a rule and partition, in the order of the rules.

    All partitions are evaluated together, and only rules that fail are asked which rows do: several times as fast.
    """
    batch = _batch_definition().get_batch({"dataframe": suite.frame.to_pandas()})
    outcomes = _validate(batch, suite.rules, {"result_format": "BOOLEAN_ONLY"})
    if failed := [rule for rule in suite.rules if not outcomes[rule.check_id].success]:
        shown = list(dict.fromkeys([*suite.key, *(name for rule in failed for name in rule.shows)]))
        complete = {"result_format": "COMPLETE", "unexpected_index_column_names": shown}
        outcomes |= _validate(batch, failed, complete)
    return [
        _row(rule, outcomes[rule.check_id], suite, table_name, partition)
        for rule in suite.rules
        for partition in partitions
    ]


def _validate(batch: Any, rules: list[Rule], result_format: dict[str, Any]) -> dict[str, Any]:
    """The outcome of every rule, by its check_id."""
    import great_expectations as gx
    import great_expectations.expectations as gxe

    expectations = [
        getattr(gxe, rule.expectation)(**rule.arguments, meta={"check_id": rule.check_id}) for rule in rules
    ]
    suite = gx.ExpectationSuite(name="rules", expectations=expectations)
    validated = batch.validate(suite, result_format=result_format)
    return {result.expectation_config.meta["check_id"]: result for result in validated.results}


@cache
def _batch_definition() -> Any:
    """One in-memory Great Expectations context: no files, no telemetry, no progress bars."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    source = context.data_sources.add_pandas("tables")
    return source.add_dataframe_asset("table").add_batch_definition_whole_dataframe("whole")


def _row(rule: Rule, outcome: Any, suite: Suite, table_name: str, partition: str) -> dict[str, Any]:
    by_year = PARTITION_COLUMN in suite.key and partition != "all"
    failing = [
        example
        for example in outcome.result.get("unexpected_index_list") or []
        if not by_year or str(example[PARTITION_COLUMN]) == partition
    ]
    frame = suite.frame.filter(pl.col(PARTITION_COLUMN) == int(partition)) if by_year else suite.frame
    looked_at = {*suite.key, *rule.shows, *_columns_of(rule)} - ({PARTITION_COLUMN} if by_year else set())
    examples = [
        ", ".join(f"{name}={_plain(value)}" for name, value in example.items() if name in looked_at)
        for example in failing[:EXAMPLES]
    ]
    subject = table_name if partition == "all" else f"{table_name} {partition}"
    message = _message(rule, len(failing), frame.height, examples, subject, suite.unit)
    # A rule on the table as a whole names no rows; one that could not be evaluated (a column is missing, say) has
    # failed too: it never passes by accident.
    broken = not outcome.success and not outcome.result.get("unexpected_index_list")
    if broken:
        found = outcome.result.get("observed_value")
        what = "the rule could not be evaluated" if found is None else f"found {found}"
        message = f"{subject}: expected that {rule.expected}; {what}."
    return {
        "check_id": rule.check_id,
        "asset": table_name,
        "partition": partition,
        "severity": rule.severity,
        "passed": not failing and not broken,
        "observed": "; ".join(examples) or None,
        "expected": rule.expected,
        "rows_failed": len(failing),
        "message": message,
    }


def _message(rule: Rule, failed: int, rows: int, examples: list[str], subject: str, unit: str) -> str:
    count = f"{rows} {unit}{'' if rows == 1 else 's'}"
    if failed == 0:
        return f"{subject}: {rule.expected} ({count} looked at)."
    verb = "does" if failed == 1 else "do"
    more = [f"and {failed - EXAMPLES} more"] if failed > EXAMPLES else []
    return "\n  - ".join(
        [f"{subject}: expected that {rule.expected}; {failed} of {count} {verb} not:", *examples, *more]
    )


def _columns_of(rule: Rule) -> list[str]:
    """The columns a rule looks at, but for a flag: that it is false says nothing to a reader."""
    if rule.arguments.get("value_set") == [True]:
        return []
    named = [rule.arguments.get(name) for name in ("column", "column_A", "column_B")]
    return [str(name) for name in [*named, *rule.arguments.get("column_list", [])] if name]


def _plain(value: object) -> object:
    """A NumPy number as Python writes it; what is missing is called empty."""
    item = getattr(value, "item", None)
    plain = item() if callable(item) else value
    return "empty" if plain is None or plain != plain else plain


def keep_results(workspace: Workspace, asset: str, partitions: list[str], results: list[dict[str, Any]]) -> None:
    """Keep the results of these partitions beside those of others, and renew the quality page if the run stops."""
    kept = workspace.checks / f"{asset}.json"
    earlier = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else []
    workspace.write_checks(asset, [row for row in earlier if row["partition"] not in partitions] + results)
    if any(not row["passed"] and row["severity"] == "error" for row in results):
        write_quality_page(
            workspace.read_checks(), workspace.last_run / "quality.html", complete=False, synthetic=workspace.demo
        )


def _outcome(asset: str, name: str, results: list[dict[str, Any]]) -> dg.AssetCheckResult:
    failed = [row for row in results if not row["passed"]]
    is_error = name == BLOCKING
    return dg.AssetCheckResult(
        asset_key=asset,
        check_name=name,
        passed=not failed,
        severity=dg.AssetCheckSeverity.ERROR if is_error else dg.AssetCheckSeverity.WARN,
        description="\n".join(row["message"] for row in failed) or f"{len(results)} rules hold.",
        metadata={"rules": len(results), "rules_failed": len(failed)},
    )
