"""A correction is refused, with file, line and field, unless it says what of which figure is wrong, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

if TYPE_CHECKING:
    from catalog import Catalogue
    from tests.catalog.conftest import Copy

FILE = "corrections.yaml"
OVERRIDE: dict[str, object] = {
    "id": "losser_2022",
    "indicator": "net_labour_participation",
    "region": "GM0168",
    "period": "2022",
    "source_table": "CBS 85318NED",
    "action": "override",
    "expect": 6.87,
    "value": 68.7,
    "reason": "The decimal point is one place off.",
    "reported_to": "Statistics Netherlands (CBS), 2026-03-02",
    "state": "reported",
}
NOTHING = object()


def entry(**changed: object) -> dict[str, object]:
    """The correction above with other fields; those that are NOTHING are left out."""
    return {name: value for name, value in (OVERRIDE | changed).items() if value is not NOTHING}


def plant(copy: Copy, *entries: dict[str, object]) -> None:
    copy.write(FILE, yaml.safe_dump(list(entries), sort_keys=False))


FLAG = {"action": "flag", "value": NOTHING, "warning": "unusual_change"}
DROP = {"action": "drop", "value": NOTHING}
GIVEN = {"expect": "missing", "status": "provisional"}


def test_the_project_corrects_nothing_yet(catalogue: Catalogue) -> None:
    assert catalogue.corrections == []


def test_the_example_in_the_file_is_a_valid_correction(copy: Copy) -> None:
    lines = copy.text(FILE).splitlines()
    begin = copy.line(FILE, "# - id:") - 1
    example = [line.removeprefix("# ") for line in lines[begin:] if line.startswith("# ")]
    copy.write(FILE, "\n".join(example))
    (correction,) = copy.load().corrections
    assert (correction.action, correction.expect, correction.value) == ("override", 6.87, 68.7)


@pytest.mark.parametrize("changed", [{}, FLAG, DROP, GIVEN, {"warning": "small_n"}, {"period": 2022}, {"value": 69}])
def test_each_action_is_read(copy: Copy, changed: dict[str, object]) -> None:
    plant(copy, entry(**changed))
    (correction,) = copy.load().corrections
    assert correction.figure == ("net_labour_participation", "GM0168", "2022", "CBS 85318NED")
    assert correction.expect == (None if changed is GIVEN else 6.87)
    assert correction.breakdown == "total"


def test_a_correction_is_another_catalogue(copy: Copy, catalogue: Catalogue) -> None:
    plant(copy, entry())
    assert copy.load().sha256 != catalogue.sha256


@pytest.mark.parametrize(
    ("field", "changed", "says"),
    [
        ("indicator", {"indicator": "net_labor_participation"}, "no indicator"),
        ("indicator", {"indicator": "social_assistance_per_1000"}, "correct benefit_social_assistance or population"),
        ("indicator", {"indicator": "experienced_health"}, "resident survey"),
        ("source_table", {"source_table": "CBS 1NED"}, "expected one of"),
        ("region", {"region": "Losser"}, "pattern"),
        ("region", {"region": "TWENTE"}, "pattern"),
        ("period", {"period": "last year"}, "pattern"),
        ("period", {"period": "1999"}, "this table has 2022"),
        ("breakdown", {"breakdown": "sex=female"}, "total"),
        ("action", {"action": "forget"}, "drop"),
        ("expect", {"expect": NOTHING}, "required"),
        ("expect", {"expect": None}, "a number, or the word missing"),
        ("expect", {"expect": "about 7"}, "a number, or the word missing"),
        ("expect", {**DROP, "expect": "missing"}, "cannot be dropped"),
        ("value", {"value": NOTHING}, "needed for override"),
        ("value", {**FLAG, "value": 68.7}, "needed for override"),
        ("value", {"value": 687}, "outside the scale"),
        ("value", {"value": float("nan")}, "finite"),
        ("status", {"expect": "missing"}, "needed for the override of a missing figure"),
        ("status", {"status": "definitive"}, "only there"),
        ("warning", {**FLAG, "warning": NOTHING}, "a flag needs the warning"),
        ("warning", {**DROP, "warning": "small_n"}, "not used has no warning"),
        ("warning", {**FLAG, "warning": "wrong"}, "vocabulary warning"),
        ("state", {"state": "shouted"}, "reported, confirmed, rejected"),
        ("reason", {"reason": ""}, "at least 1 character"),
        ("reported_to", {"reported_to": "CBS"}, "an organisation and a date"),
        ("reported_to", {"reported_to": "j.jansen@cbs.nl, 2026-03-02"}, "never a person"),
        ("colour", {"colour": "red"}, "not permitted"),
    ],
)
def test_a_mistake_is_refused_with_file_line_and_field(
    copy: Copy, field: str, changed: dict[str, object], says: str
) -> None:
    wrong = entry(**changed)
    plant(copy, entry(id="sound", region="GM0153"), wrong)
    said = copy.refusal()
    begins = copy.line(FILE, "losser_2022")
    line = begins + list(wrong).index(field) if field in wrong else begins
    assert said.startswith(f"{copy.path / FILE}:{line}: 1.{field}: "), said
    assert says in said


def test_two_corrections_of_one_name_or_of_one_figure_are_refused(copy: Copy) -> None:
    plant(copy, entry(), entry(region="GM0153"))
    assert "1.id: 'losser_2022' is defined twice" in copy.refusal()
    plant(copy, entry(), entry(id="again"))
    assert "1: a second correction of net_labour_participation, GM0168, 2022" in copy.refusal()
