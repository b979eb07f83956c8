"""A published figure is corrected as the catalogue says, visibly, and only while it is as it was."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from catalog.corrections_model import Correction
from sources import collect as collecting
from sources.collect import collect
from sources.corrections import CorrectionOutdated, not_as_published
from sources.corrections import apply as apply_to
from tests.sources.small import TABLE, catalogue, indicator, raw, source
from tests.sources.test_collect import ACCEPT, KEEP, Received, Shelf, facts

PUBLISHED = raw("""
    region_code value ci_low ci_high status      reason
    GM0153      100   90     110     provisional -
    GM0164      80    70     90      definitive  -
    GM0175      -     -      -       suppressed  x
    """).with_columns(synthetic=pl.lit(value=False))
NOTHING = PUBLISHED.clear()
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


def apply(
    figures: pl.DataFrame, corrections: list[Correction], held_back: pl.DataFrame = NOTHING
) -> tuple[pl.DataFrame, pl.DataFrame]:
    return apply_to(figures, corrections, held_back)


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


# --- a frozen baseline


def corrected(monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], bundle: str, live: str, expect: object) -> Any:
    """What is used for Enschede after `live` was fetched over the bundled figures, with a correction to 120."""
    shelf = Shelf((Received(f"region_code value\n{live}"),))
    monkeypatch.setattr(collecting, "read_snapshot", shelf.read)
    made = catalogue(indicator("jobs", source(**settings)))
    found = collect(made, facts(f"region_code value\n{bundle}"), shelf)  # type: ignore[arg-type]
    status = {"status": "definitive"} if expect == "missing" else {}
    wanted = [correction("override", value=120, expect=expect, **status)]
    return of(apply(found.figures, wanted, found.passed_over.filter("held_back"))[0])[0]


def test_a_repaired_figure_that_a_frozen_baseline_does_not_take_ends_its_correction(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(CorrectionOutdated) as caught:
        corrected(monkeypatch, KEEP, "GM0153 12", "GM0153 120", 12)
    said = str(caught.value)
    assert said.startswith("catalog/corrections.yaml, column expect: found 120.0; expected 12.0, as correction 'c1' ")
    assert "the frozen baseline keeps the first, 12.0." in said
    assert (
        f"set `baseline_revisions: accept` for {TABLE} at jobs in catalog/indicators, and remove the correction" in said
    )
    assert "renew `expect`" in said


@pytest.mark.parametrize(("live", "expect"), [("13", 13), ("12", 12), ("-", "missing")])
def test_a_correction_of_a_frozen_baseline_goes_on_while_it_expects_what_the_publisher_has(
    monkeypatch: pytest.MonkeyPatch, live: str, expect: object
) -> None:
    """Renewed after the publisher changed 12 into another wrong figure, say, or withdrew it."""
    assert corrected(monkeypatch, KEEP, "GM0153 12", f"GM0153 {live}", expect) == 120


def test_the_figure_that_a_frozen_baseline_begins_with_is_held_against_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """The older one, which had no value yet, is no revision of it."""
    assert corrected(monkeypatch, KEEP, "GM0153 -", "GM0153 12", 12) == 120


def test_where_revisions_are_accepted_the_first_figure_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    assert corrected(monkeypatch, ACCEPT, "GM0153 11", "GM0153 12", 12) == 120
    with pytest.raises(CorrectionOutdated, match="Remove the correction if it is right now"):
        corrected(monkeypatch, ACCEPT, "GM0153 12", "GM0153 120", 12)


# --- in words


def test_the_figures_that_are_not_as_published_are_named() -> None:
    several = [
        correction("drop"),
        correction("override", id="c2", value=30, status="definitive", **OMMEN),
        correction("flag", id="c3", region="GM0164", expect=80, warning="small_n"),
    ]
    assert not_as_published(apply(PUBLISHED, several)[1]) == [
        f"c1: jobs, GM0153, 2022, {TABLE}: 100.0 -> not used",
        f"c2: jobs, GM0175, 2022, {TABLE}: missing -> 30.0",
    ]
