"""A published figure is corrected as the catalogue says, visibly, and only while it is as it was."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from catalog.corrections_model import Correction
from sources.corrections import CorrectionOutdated, apply
from tests.sources.small import TABLE, raw

PUBLISHED = raw("""
    region_code value ci_low ci_high status      reason
    GM0153      100   90     110     provisional -
    GM0164      80    70     90      definitive  -
    GM0175      -     -      -       suppressed  x
    """).with_columns(synthetic=pl.lit(value=False))
ENSCHEDE, OMMEN = {"region": "GM0153", "expect": 100}, {"region": "GM0175", "expect": "missing"}


def correction(action: str = "drop", **given: Any) -> Correction:
    ordinary: dict[str, Any] = {
        "id": "c1",
        "indicator": "jobs",
        "period": "2022",
        "source_table": TABLE,
        "reason": "A slip.",
        "reported_to": "CBS, 2026-03-02",
        "state": "reported",
    }
    return Correction(**ordinary | ENSCHEDE | {"action": action} | given)


def of(figures: pl.DataFrame, region: str = "GM0153") -> tuple[Any, ...]:
    """Value, margins, status and reason of a region."""
    rows = figures.filter(region_code=region).select("value", "ci_low", "ci_high", "status", "reason").rows()
    assert len(rows) == 1
    return rows[0]


def test_without_corrections_every_figure_stays_and_none_is_listed() -> None:
    figures, applied = apply(PUBLISHED, [])
    assert figures.equals(PUBLISHED)
    assert applied.height == 0


def test_a_dropped_figure_is_not_published_and_keeps_its_row() -> None:
    figures, applied = apply(PUBLISHED, [correction("drop")])
    assert of(figures) == (None, None, None, "not_published", None)
    assert applied.select("action", "published_value", "corrected_value").rows() == [("drop", 100, None)]


def test_an_overridden_figure_loses_the_margins_of_the_wrong_one_and_keeps_its_status() -> None:
    figures, applied = apply(PUBLISHED, [correction("override", value=120)])
    assert of(figures) == (120, None, None, "provisional", None)
    assert applied.select("action", "published_value", "corrected_value").rows() == [("override", 100, 120)]


def test_a_missing_figure_that_is_given_has_the_status_it_is_given() -> None:
    figures, applied = apply(PUBLISHED, [correction("override", value=30, status="definitive", **OMMEN)])
    assert of(figures, "GM0175") == (30, None, None, "definitive", None)
    assert applied.select("published_value", "corrected_value").rows() == [(None, 30)]


def test_a_flagged_figure_is_used_as_published() -> None:
    figures, applied = apply(PUBLISHED, [correction("flag", warning="small_n")])
    assert figures.equals(PUBLISHED)
    assert applied.select("published_value", "corrected_value", "warning").rows() == [(100, 100, "small_n")]


def test_nothing_but_the_corrected_figure_changes() -> None:
    figures, _ = apply(PUBLISHED, [correction("drop")])
    others = pl.col("region_code") != "GM0153"
    assert figures.columns == PUBLISHED.columns
    assert figures["region_code"].to_list() == PUBLISHED["region_code"].to_list()
    assert figures.filter(others).equals(PUBLISHED.filter(others))


def test_what_was_applied_says_why_and_to_whom_it_was_reported() -> None:
    other = correction("flag", id="b2", region="GM0164", expect=80, warning="small_n", state="confirmed")
    _, applied = apply(PUBLISHED, [correction("drop"), other])
    assert applied["correction_id"].to_list() == ["b2", "c1"]
    assert applied.row(1, named=True) == {
        "correction_id": "c1",
        "indicator_id": "jobs",
        "region_code": "GM0153",
        "period": "2022",
        "breakdown": "total",
        "source_table": TABLE,
        "action": "drop",
        "published_value": 100,
        "corrected_value": None,
        "warning": None,
        "reason": "A slip.",
        "reported_to": "CBS, 2026-03-02",
        "state": "reported",
    }


@pytest.mark.parametrize("other", [{"region": "GM0001"}, {"period": "2021"}, {"source_table": "CBS T2"}])
def test_a_correction_of_a_figure_that_is_not_in_the_run_does_nothing(other: dict[str, str]) -> None:
    figures, applied = apply(PUBLISHED, [correction("drop", **other)])
    assert figures.equals(PUBLISHED)
    assert applied.height == 0


@pytest.mark.parametrize(
    ("given", "expected", "found"),
    [
        ({"region": "GM0153", "expect": 10}, "10.0", "100.0"),
        ({"region": "GM0153", "expect": "missing"}, "missing", "100.0"),
        ({"region": "GM0175", "expect": 30}, "30.0", "'missing'"),
    ],
)
def test_a_figure_that_its_publisher_changed_is_not_corrected_any_more(
    given: dict[str, Any], expected: str, found: str
) -> None:
    with pytest.raises(CorrectionOutdated) as caught:
        apply(PUBLISHED, [correction("flag", warning="small_n", **given)])
    said = str(caught.value)
    assert said.startswith(f"catalog/corrections.yaml, column expect: found {found}; expected {expected}, ")
    assert f"correction 'c1' says of jobs, {given['region']}, 2022, {TABLE}" in said
    assert "Remove the correction" in said
    assert "renew `expect`" in said


def test_every_correction_that_is_out_of_date_is_counted() -> None:
    both = [correction("drop", expect=1), correction("drop", id="c2", region="GM0164", expect=1)]
    with pytest.raises(CorrectionOutdated, match=r"and 1 more row with this fault"):
        apply(PUBLISHED, both)


def test_the_last_digit_of_a_conversion_is_no_revision() -> None:
    """The publisher's 34.7 thousand is 34,700.00000000001 in euros, or not."""
    converted = PUBLISHED.with_columns(value=pl.col("value") * (1 + 1e-12))
    assert apply(converted, [correction("drop")])[1].height == 1
