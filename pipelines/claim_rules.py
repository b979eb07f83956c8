"""What must be true of sentences on figures, whatever grammar made them: the verdict of their row, and no cause."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import polars as pl

from pipelines.rules import Context, Suite, flag
from reports.claims.causes import CAUSES

_WITH_VERDICT: Final = ("comparison", "change", "trend")
_WITH_STATUS: Final = "target_progress"


def _follows_from_its_row(frame: pl.DataFrame, context: Context) -> Suite:
    """Every sentence on one row finds that row, and says its verdict and no other."""
    single = frame.filter(~pl.col("rule").str.starts_with("count_"))
    keyed = pl.concat([_keys(name, context) for name in sorted(LOOKED_UP)])
    labels = _labels(context)
    said = pl.col("sentence").str.extract_many(labels["own"].explode().unique().sort().to_list())
    says_any, says_other = said.list.len() > 0, said.list.set_difference("own").list.len() > 0
    # Where a figure is missing, the sentence says that instead; a single figure or a place has no verdict.
    says_verdict = (
        pl.when(pl.col("found").is_null())
        .then(pl.lit(value=True))  # the other rule says that there is no row
        .when(pl.col("verdict").is_null())
        .then(~says_any)
        .when(pl.col("rule").str.ends_with("_missing"))
        .then(~says_other)
        .otherwise(says_any & ~says_other)
    )
    listed = (
        single.join(keyed, ["table_name", "row_key"], how="left", maintain_order="left")
        .join(labels, ["language", "verdict"], how="left", maintain_order="left")
        .select(
            "claim_id",
            "language",
            "sentence",
            # A municipality without a place has no row: that is what its sentence says.
            found=pl.col("found").fill_null(value=False) != (pl.col("rule") == "rank_missing"),
            says_verdict=says_verdict.fill_null(value=False),
        )
    )
    expected = "a sentence says the verdict of its row and no other"
    return Suite(
        listed,
        ["claim_id", "language"],
        [
            flag("claim_has_its_row", "found", "the row a sentence is about is in its table"),
            flag("claim_says_its_verdict", "says_verdict", expected, shows=("sentence",)),
        ],
        unit="sentence",
    )


def _keys(name: str, context: Context) -> pl.DataFrame:
    """The keys of a table's rows as sentences name them, with the verdict where there is one."""
    table, frame = context.catalogue.registry[name], context.read(name)
    if name == "sensitivity":  # a place is said with its range or not at all
        frame = frame.drop_nulls(["rank", "rank_low", "rank_high"])
    key = pl.concat_str([pl.format(column + "={}", column) for column in table.key], separator="|")
    said = "verdict" if name in _WITH_VERDICT else "status" if name == _WITH_STATUS else None
    verdict = pl.lit(None, dtype=pl.String) if said is None else pl.col(said)
    return frame.select(table_name=pl.lit(name), row_key=key, verdict=verdict, found=pl.lit(value=True))


def _labels(context: Context) -> pl.DataFrame:
    """By language and verdict: the words that say it, of a comparison, a change or a result of the programme."""
    # Of both, the word for what is not decidable is one.
    terms = context.catalogue.vocabulary["target_status"] | context.catalogue.vocabulary["verdict"]
    rows = []
    for language in CAUSES:
        fields = (f"label_{language}", f"label_change_{language}")
        words = {
            verdict: {text for field in fields if (text := getattr(term, field))} for verdict, term in terms.items()
        }
        for verdict, own in words.items():
            rows.append({"language": language, "verdict": verdict, "own": sorted(own)})
    return pl.DataFrame(rows)


def _names_no_cause(frame: pl.DataFrame, _: Context) -> Suite:
    # Whole words only: `effect` is not in `effectief`.
    named = [
        (pl.col("language") == language) & pl.col("sentence").str.contains(rf"(?i)\b(?:{'|'.join(words)})\b")
        for language, words in CAUSES.items()
    ]
    listed = frame.select("claim_id", "language", "sentence", no_cause=~pl.any_horizontal(named))
    expected = "no sentence says why figures differ"
    return Suite(
        listed,
        ["claim_id", "language"],
        [flag("claim_names_no_cause", "no_cause", expected, shows=("sentence",))],
        unit="sentence",
    )


PLAUSIBILITY: dict[str, list[Callable[[pl.DataFrame, Context], Suite]]] = {
    "claim": [_follows_from_its_row, _names_no_cause],
}
LOOKED_UP: Final = {
    *("comparison", "change", "indicator_value", "sensitivity", "trend", "target_progress", "budget_progress"),
}
