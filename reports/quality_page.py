"""The check results as one readable page: our own, with no address of anybody else in it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl

_TEMPLATE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ "Invented example - " if synthetic }}Data quality - {{ verdict }}</title>
<style>
  body { font: 1rem/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff }
  body { max-width: 75rem; margin: 2rem auto; padding: 0 1rem }
  h1 { line-height: 1.2 } h2 { margin-top: 2.5rem }
  .verdict { border-left: .5rem solid {{ colour }}; padding: .5rem 1rem; background: #f4f4f4; font-size: 1.15rem }
  .synthetic { border: .25rem dashed #b00040; padding: .5rem 1rem; font-size: 1.15rem }
  table { border-collapse: collapse; width: 100% }
  th, td { text-align: left; vertical-align: top; padding: .4rem .6rem; border-bottom: 1px solid #ccc }
  td.message { white-space: pre-wrap; overflow-wrap: anywhere }
  td.number { text-align: right; font-variant-numeric: tabular-nums }
  .failed { font-weight: 700; color: #a4003b } .warned { font-weight: 700; color: #7a4a00 } .passed { color: #1a5c36 }
  summary { cursor: pointer; font-weight: 600; padding: .4rem 0 }
</style>
</head>
<body>
<main>
<h1>Data quality</h1>
{% if synthetic %}
<p class="synthetic" role="note"><strong>Invented example (<span lang="nl">verzonnen voorbeeld</span>).</strong>
Some of these figures are made up and say nothing about real people. This edition is for trying out; it can never be
published.</p>
{% endif %}
<p class="verdict"><strong>{{ verdict }}</strong><br>{{ explanation }}</p>
<p>{{ passed }} checks passed, {{ warned }} ask for attention, {{ failed }} failed. Page made {{ made }}.</p>
{% macro rows(results) %}
<table>
<thead><tr><th scope="col">Result</th><th scope="col">Table</th><th scope="col">Year</th><th scope="col">Check</th>
<th scope="col">What was found</th><th scope="col">Rows</th></tr></thead>
<tbody>
{% for r in results %}
<tr><td class="{{ r.css }}">{{ r.word }}</td><td>{{ r.asset }}</td><td>{{ r.partition }}</td><td>{{ r.check_id }}</td>
<td class="message">{{ r.message }}</td>
<td class="number">{{ r.rows_failed if r.rows_failed is not none else "" }}</td></tr>
{% endfor %}
</tbody>
</table>
{% endmacro %}
{% if attention %}
<h2>What needs attention, worst first</h2>
{{ rows(attention) }}
{% endif %}
<h2>All checks, by table</h2>
{% for asset, results in by_asset %}
<details><summary>{{ asset }}: {{ results | length }} checks</summary>
{{ rows(results) }}
</details>
{% endfor %}
</main>
</body>
</html>
"""


def write_quality_page(checks: pl.DataFrame, path: Path, *, complete: bool = True, synthetic: bool = False) -> None:
    """Write the page for a `check_result` table to `path`.

    `complete` if the run made its edition, `synthetic` if any row of it is made up.
    """
    from jinja2 import Environment

    results = [_shown(row) for row in worst_first(checks).iter_rows(named=True)]
    failed = sum(r["css"] == "failed" for r in results)
    warned = sum(r["css"] == "warned" for r in results)
    assets = sorted({str(r["asset"]) for r in results})
    template = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(_TEMPLATE)
    page = template.render(
        synthetic=synthetic,
        verdict=verdict(failed, warned, complete=complete),
        explanation=(
            "All checks that stop a run passed."
            if complete and not failed
            else "No edition was made; one that stood before is untouched."
        ),
        colour="#a4003b" if failed or not complete else "#b36b00" if warned else "#1a5c36",
        passed=len(results) - failed - warned,
        warned=warned,
        failed=failed,
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        attention=[r for r in results if r["css"] != "passed"],
        by_asset=[(asset, [r for r in results if r["asset"] == asset]) for asset in assets],
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")


def verdict(failed: int, warned: int, *, complete: bool = True) -> str:
    """The data-quality verdict in a few words; a run that made no edition has not passed, whatever its checks say."""
    if failed:
        return f"Stopped: {failed} {'check' if failed == 1 else 'checks'} failed"
    if not complete:
        return "Not finished: the run ended before an edition was made"
    if warned:
        return f"Passed, with {warned} {'point' if warned == 1 else 'points'} for attention"
    return "Passed"


def worst_first(checks: pl.DataFrame) -> pl.DataFrame:
    """Failed errors, then warnings, then what passed; within each by table, year and check."""
    rank = pl.when("passed").then(2).when(pl.col("severity") == "error").then(0).otherwise(1)
    return checks.sort(rank, "asset", "partition", "check_id")


def _shown(row: dict[str, object]) -> dict[str, object]:
    if row["passed"]:
        return row | {"css": "passed", "word": "passed"}
    if row["severity"] == "error":
        return row | {"css": "failed", "word": "failed"}
    return row | {"css": "warned", "word": "attention"}
