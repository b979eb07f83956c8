"""Means of domains, their differences and changes: equal to R `survey`, and to what can be worked out by hand."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from methods.survey import design
from methods.survey.calibration import calibrated, margin_matrix, post_stratified
from methods.survey.design import Mask, Survey, SurveyError
from methods.survey.domains import (
    SCHEMA,
    change,
    difference,
    domain_means,
    domain_means_by,
    minimal_detectable,
    panel_covariance,
)
from methods.survey.estimation import mean, ratio, total
from tests.methods.survey.oracle import FOLDER, assert_same, expected, survey

FILE = "survey_domains_contrasts.csv"
CLASSES = ["stype", "awards", "sch.wide"]


def masks(sample: Survey, *columns: str) -> dict[str, Mask]:
    """Domains by the codes of columns, named as in the reference: `stype=E;awards=No`."""
    codes = sample.frame.select(columns).unique().drop_nulls().sort(columns)
    return {
        ";".join(f"{column}={code}" for column, code in zip(columns, row, strict=True)): sample.frame.select(
            pl.all_horizontal(pl.col(column) == code for column, code in zip(columns, row, strict=True))
        )
        .to_series()
        .to_numpy()
        for row in codes.rows()
    }


def all_masks(sample: Survey) -> dict[str, Mask]:
    """The domains of the reference: every class, and types by growth target."""
    single = {name: mask for column in CLASSES for name, mask in masks(sample, column).items()}
    pairs = {
        name: mask
        for i, one in enumerate(CLASSES)
        for other in CLASSES[i + 1 :]
        for name, mask in {**masks(sample, one, other), **masks(sample, other, one)}.items()
    }
    return single | pairs


def test_the_tests_look_at_every_row_of_the_reference() -> None:
    rows = pl.read_csv(FOLDER / FILE, infer_schema_length=None)
    here = {"svyby_mean", "svyby_total", "svyby_ratio", "degf_domain", "svyby_prop"}
    contrasts = {"diff_domain_means", "domain_minus_whole", "domain_minus_rest", "panel_change"}
    elsewhere = {"svyttest", "svyranktest_wilcoxon", "svytable"} | {
        f"svychisq_{s}" for s in ("F", "Chisq", "Wald", "adjWald", "lincom", "saddlepoint")
    }
    assert set(rows["estimator"]) == here | contrasts | elsewhere
    assert rows.height == 2 * (56 + 28 + 14 + 21 + 24 + 15 + 2 + 2 + 8 + 4 + 12 + 3 + 6) == 390


@pytest.mark.parametrize("design", ["strat", "srs"])
def test_means_by_domain(design: str) -> None:
    sample, found = survey(design), {}
    domains = all_masks(sample)
    for row in domain_means(sample, ["api00", "enroll"], {"all": domains}).table.rows(named=True):
        key = (row["variable"], row["domain"])
        found[(*key, "estimate")], found[(*key, "se")] = row["estimate"], row["standard_error"]
        found[(*key, "cv")] = row["standard_error"] / row["estimate"]
        found[(*key, "deff")] = mean(sample, [key[0]], domains[key[1]]).design_effect[0]
    assert_same(found, expected(FILE, design=design, estimator="svyby_mean"))


@pytest.mark.parametrize("design", ["strat", "srs"])
@pytest.mark.parametrize("estimator", ["svyby_total", "svyby_ratio", "svyby_prop"])
def test_totals_ratios_and_shares_by_domain(design: str, estimator: str) -> None:
    sample, found = survey(design), {}
    for domain, mask in all_masks(sample).items():
        match estimator:
            case "svyby_total":
                one = total(sample, ["api00", "enroll"], mask)
            case "svyby_ratio":
                one = ratio(sample, "api.stu", "enroll", mask)
            case _:
                one = mean(sample, ["awards"], mask)
        for name, estimate, error in zip(one.names, one.estimate, one.standard_error, strict=True):
            key = (name.replace("awards", "awards=") if estimator == "svyby_prop" else name, domain)
            found[(*key, "estimate")], found[(*key, "se")] = estimate, error
    # Where all schools of a domain are alike R's standard error is 0 but for rounding.
    assert_same(found, expected(FILE, design=design, estimator=estimator), absolute=1e-15)


@pytest.mark.parametrize("design", ["strat", "srs"])
def test_degrees_of_freedom_and_sizes_of_domains(design: str) -> None:
    sample, found = survey(design), {}
    for row in domain_means(sample, ["api00"], {"all": all_masks(sample)}).table.rows(named=True):
        for stat, column in [("df", "degrees_of_freedom"), ("n_unweighted", "n"), ("n_weighted", "sum_of_weights")]:
            found[("", row["domain"], stat)] = row[column]
    assert_same(found, expected(FILE, design=design, estimator="degf_domain"))


@pytest.mark.parametrize("design", ["strat", "srs"])
def test_differences_between_domains(design: str) -> None:
    sample, found = survey(design), {}
    domains = {code: (sample.frame["stype"] == code).to_numpy() for code in "EHM"}
    means = domain_means(sample, ["api00"], {"types": domains})
    freedom = sample.degrees_of_freedom()
    for a, b in ("EH", "EM", "HM"):
        one = difference(means, "api00", "types", a, b, degrees_of_freedom=freedom)
        normal = difference(means, "api00", "types", a, b, degrees_of_freedom=10**12)
        stats = {
            "estimate": one.estimate,
            "se": one.standard_error,
            "t": one.t,
            "p_t": one.p_value,
            "p_z": normal.p_value,
        }
        found |= {("api00", f"{a}-{b}", stat): value for stat, value in stats.items()}
    assert_same(found, expected(FILE, design=design, estimator="diff_domain_means"))


@pytest.mark.parametrize("design", ["strat", "srs"])
def test_a_domain_against_the_whole_and_against_the_rest(design: str) -> None:
    sample = survey(design)
    one = (sample.frame["stype"] == "E").to_numpy()
    means = domain_means(sample, ["api00"], {"b": {"E": one, "whole": np.ones(200, dtype=bool), "rest": ~one}})
    for other in ("whole", "rest"):
        d = difference(means, "api00", "b", "E", other)
        found = {("api00", "E", "estimate"): d.estimate, ("api00", "E", "se"): d.standard_error}
        assert_same(found, expected(FILE, design=design, estimator=f"domain_minus_{other}"))


@pytest.mark.parametrize("design", ["strat", "srs"])
def test_a_panel_is_the_change_of_the_same_people(design: str) -> None:
    """Two waves of one sample, matched by id: as if the difference were asked of each (the finite population, too)."""
    sample = survey(design)
    second = domain_means(sample, ["api00"], {"b": _with_whole(sample)})
    first = domain_means(
        Survey.of(
            sample.frame.drop("api00").rename({"api99": "api00"}),
            weight="weight" if design == "srs" else "pw",
            stratum=None if design == "srs" else "stype",
            population_size="fpc",
        ),
        ["api00"],
        {"b": _with_whole(sample)},
    )
    covariance = panel_covariance(first, second, "cds", "api00", "b")
    found = {}
    for i, domain in enumerate(_with_whole(sample)):
        rows = (wave.table.filter(domain=domain).row(0, named=True) for wave in (first, second))
        one = change(*rows, covariance=covariance[i, i])
        found[("api00-api99", domain, "estimate")], found[("api00-api99", domain, "se")] = (
            one.estimate,
            one.standard_error,
        )
    assert_same(found, expected(FILE, design=design, estimator="panel_change"), relative=1e-9)
    # The same by R's way: the mean of two variables, and their contrast.
    other = mean(sample, ["api00", "api99"]).contrast({"api00": 1, "api99": -1})
    assert other.standard_error == pytest.approx(found[("api00-api99", "", "se")])


def _with_whole(sample: Survey) -> dict[str, Mask]:
    return {"": np.ones(sample.n, dtype=bool)} | masks(sample, "stype")


# --- by hand ---


def five() -> Survey:
    return Survey.of(pl.DataFrame({"y": [1.0, 0.0, 1.0, 0.0, None], "w": [1.0, 1.0, 2.0, 4.0, 8.0]}), weight="w")


def test_five_people_by_hand() -> None:
    everyone, one = np.ones(5, dtype=bool), np.arange(5) == 0
    table = domain_means(five(), ["y"], {"total": {"all": everyone, "one": one, "none": ~everyone}}).table
    assert table.schema == SCHEMA
    row = table.row(0, named=True)
    assert row["estimate"] == pytest.approx(3 / 8)
    # z = w (y - 3/8) / 8: 5/64, -3/64, 10/64, -12/64 and 0 for who did not answer; they add up to 0.
    variance = 5 / 4 * (25 + 9 + 100 + 144) / 64**2
    assert row["standard_error"] == pytest.approx(np.sqrt(variance))
    assert row["n_effective"] == pytest.approx(3 / 8 * 5 / 8 / variance)
    assert (row["degrees_of_freedom"], row["n"], row["sum_of_weights"], row["numerator"]) == (3, 4, 8.0, 2)


def test_one_person_and_nobody_have_no_margin() -> None:
    everyone, one = np.ones(5, dtype=bool), np.arange(5) == 0
    table = domain_means(five(), ["y"], {"total": {"one": one, "none": ~everyone}}).table
    columns = ["estimate", "standard_error", "degrees_of_freedom", "n", "n_effective", "numerator"]
    assert table.select(columns).rows() == [(1.0, None, 0, 1, None, 1), (None, None, 0, 0, None, 0)]


def test_people_who_all_say_the_same_have_no_margin_rather_than_zero() -> None:
    sample = Survey.of(pl.DataFrame({"y": [0.7] * 6, "w": [0.1, 0.2, 0.3, 0.7, 1.1, 1.3]}), weight="w")
    row = domain_means(sample, ["y"], {"total": {"all": np.ones(6, dtype=bool)}}).table.row(0, named=True)
    assert row["standard_error"] is None
    assert row["numerator"] is None  # not a share


def random_survey(calibrate: bool = False, clusters: bool = False) -> tuple[Survey, dict[str, Mask]]:
    rng = np.random.default_rng(11)
    n = 400
    place = rng.integers(0, 5, n)
    frame = pl.DataFrame(
        {
            "place": place.astype(str),
            "sex": rng.choice(["f", "m"], n),
            "house": rng.integers(0, 30, n),
            "weight": rng.uniform(1, 4, n),
            "y": np.where(rng.random(n) < 0.1, None, rng.random(n) + place / 10).astype(float),
            "share": (rng.random(n) < 0.3).astype(float),
        }
    ).with_columns(pl.col("y").fill_nan(None))
    sample = Survey.of(frame, weight="weight", stratum="place", psu="house" if clusters else None)
    if calibrate:
        totals = frame.group_by("place", "sex").agg(total=pl.col("weight").sum() * 7 + 3)
        sample = post_stratified(sample, ["place", "sex"], totals)
    domains = {str(code): place == code for code in range(5)} | {"low": place < 2, "all": np.ones(n, dtype=bool)}
    return sample, domains


@pytest.mark.parametrize("calibrate", [False, True])
@pytest.mark.parametrize("clusters", [False, True])
def test_overlapping_domains_are_what_they_are_alone(calibrate: bool, clusters: bool) -> None:
    """The table, the covariance matrix and one estimate at a time are three ways to the same numbers."""
    sample, domains = random_survey(calibrate, clusters)
    means = domain_means(sample, ["y", "share"], {"total": domains})
    for variable in ("y", "share"):
        errors = means.table.filter(variable=variable)["standard_error"].to_numpy()
        assert np.sqrt(np.diag(means.covariance(variable, "total"))) == pytest.approx(errors, rel=1e-9)
        for name, error in zip(domains, errors, strict=True):
            one = mean(sample, [variable], domains[name])
            assert one.standard_error[0] == pytest.approx(error, rel=1e-9)
            assert one.degrees_of_freedom == means.row(variable, "total", name)["degrees_of_freedom"]


def test_a_member_against_its_whole_is_one_minus_its_weight_times_the_member_against_the_rest() -> None:
    sample, domains = random_survey()
    domains["rest"] = ~domains["0"]
    means = domain_means(sample, ["share"], {"total": domains})
    whole, rest = (difference(means, "share", "total", "0", other) for other in ("all", "rest"))
    w = sample.weights[domains["0"]].sum() / sample.weights.sum()
    assert whole.estimate == pytest.approx((1 - w) * rest.estimate)
    # The share w is estimated too: its error drops out of the difference to first order only where strata fix it.
    totals = sample.frame.group_by("place").agg(total=pl.col("weight").sum())
    means = domain_means(post_stratified(sample, ["place"], totals), ["share"], {"total": domains})
    whole, rest = (difference(means, "share", "total", "0", other) for other in ("all", "rest"))
    assert whole.standard_error == pytest.approx((1 - w) * rest.standard_error)
    assert whole.p_value == pytest.approx(rest.p_value)


def test_two_municipalities_of_a_stratified_sample_are_independent() -> None:
    sample, domains = random_survey()
    covariance = domain_means(sample, ["share"], {"total": domains}).covariance("share", "total")
    assert covariance[0, 1] == pytest.approx(0.0, abs=1e-15)


@pytest.mark.parametrize("clusters", [False, True])
def test_means_by_group_are_means_by_mask(clusters: bool) -> None:
    sample, domains = random_survey(clusters=clusters)
    by_mask = domain_means(sample, ["y", "share"], {"total": {name: domains[name] for name in "01234"}}).table
    by_group = domain_means_by(sample, ["y", "share"], ["place"]).sort("variable", "place", descending=[True, False])
    assert by_group["place"].to_list() == by_mask["domain"].to_list()
    for column in ("degrees_of_freedom", "n", "numerator"):
        assert by_group[column].to_list() == by_mask[column].to_list()
    for column in ("estimate", "standard_error", "n_effective", "sum_of_weights"):
        assert by_group[column].to_numpy() == pytest.approx(by_mask[column].to_numpy(), rel=1e-9)


@pytest.mark.parametrize("design", ["strat", "srs"])
def test_means_by_group_equal_r(design: str) -> None:
    found = {}
    for column in CLASSES:
        for row in domain_means_by(survey(design), ["api00", "enroll"], [column]).rows(named=True):
            key = (row["variable"], f"{column}={row[column]}")
            found[(*key, "estimate")], found[(*key, "se")] = row["estimate"], row["standard_error"]
    wanted = expected(FILE, design=design, estimator="svyby_mean")
    of_one = {key: value for key, value in wanted.items() if ";" not in key[1] and key[2] in ("estimate", "se")}
    assert len(of_one) == 2 * 7 * 2
    assert_same(found, of_one)


def test_means_by_group_do_not_pretend_to_know_calibrated_margins() -> None:
    with pytest.raises(SurveyError, match="use domain_means"):
        domain_means_by(random_survey(calibrate=True)[0], ["y"], ["place"])


def test_a_variable_without_any_answer_is_empty_everywhere() -> None:
    sample = Survey.of(pl.DataFrame({"y": pl.Series([None, None, None], dtype=pl.Float64), "p": ["a", "a", "b"]}))
    row = domain_means(sample, ["y"], {"total": {"all": np.ones(3, dtype=bool)}}).table.row(0, named=True)
    assert (row["estimate"], row["standard_error"], row["n"]) == (None, None, 0)
    assert (
        domain_means_by(sample, ["y"], ["p"]).select("estimate", "standard_error", "n").rows() == [(None, None, 0)] * 2
    )


def test_independent_waves_add_their_variances() -> None:
    first = {"estimate": 0.60, "standard_error": 0.03, "degrees_of_freedom": 180}
    second = {"estimate": 0.65, "standard_error": 0.04, "degrees_of_freedom": 200}
    one = change(first, second)
    assert (one.estimate, one.standard_error) == (pytest.approx(0.05), pytest.approx(0.05))  # 3, 4, 5
    assert (one.t, one.degrees_of_freedom) == (pytest.approx(1.0), 380)
    assert one.p_value == pytest.approx(0.3179, abs=1e-4)  # table of t, 380 degrees of freedom
    assert minimal_detectable(one.standard_error) == pytest.approx(0.14)


def test_without_a_margin_nothing_is_tested() -> None:
    unknown = {"estimate": 1.0, "standard_error": None, "degrees_of_freedom": 0}
    known = {"estimate": 0.5, "standard_error": 0.1, "degrees_of_freedom": 9}
    one = change(known, unknown)
    assert (one.estimate, one.standard_error, one.t, one.p_value) == (0.5, None, None, None)


def test_a_panel_of_which_part_came_back_by_hand() -> None:
    # Wave 1: ids a b c d with 1 2 3 6 (mean 3); wave 2: b c e with 1 5 0 (mean 2). Back: b and c.
    # z1 of b, c: -1/4, 0; z2: -1/3, 1; centred: -1/8, 1/8 and -2/3, 2/3; products add to 1/6; times 2 / 1.
    first = domain_means(Survey.of(pl.DataFrame({"id": list("abcd"), "y": [1.0, 2, 3, 6]})), ["y"], _all(4))
    second = domain_means(Survey.of(pl.DataFrame({"id": list("bce"), "y": [1.0, 5, 0]})), ["y"], _all(3))
    assert panel_covariance(first, second, "id", "y", "t") == pytest.approx(1 / 3)


def test_people_without_an_id_are_not_matched() -> None:
    frame = pl.DataFrame({"id": ["a", None, None, "b"], "y": [1.0, 2, 3, 6]})
    means = domain_means(Survey.of(frame), ["y"], _all(4))
    # a and b only: -2/4 and 3/4, centred -5/8 and 5/8, squares 25/32, times 2.
    assert panel_covariance(means, means, "id", "y", "t") == pytest.approx(25 / 16)


def test_an_id_twice_in_a_wave_is_named_by_row_not_by_id() -> None:
    frame = pl.DataFrame({"id": ["SECRET", "b", "SECRET"], "y": [1.0, 2, 3]})
    means = domain_means(Survey.of(frame), ["y"], _all(3))
    with pytest.raises(
        SurveyError, match="column id: expected every person once in a wave; not so in row 1, 3"
    ) as caught:
        panel_covariance(means, means, "id", "y", "t")
    assert "SECRET" not in str(caught.value)


def _all(n: int) -> dict[str, dict[str, Mask]]:
    return {"t": {"all": np.ones(n, dtype=bool)}}


def test_a_mask_of_another_length_is_refused() -> None:
    with pytest.raises(SurveyError, match="domain all: expected a mask of 5"):
        domain_means(five(), ["y"], _all(4))


def test_svy_has_the_same_means_margins_and_freedom() -> None:
    """A second program beside R: means by domain of a stratified sample with finite populations."""
    import svy

    sample = survey("strat")
    frame = sample.frame.select("api00", "awards", "stype", "pw", "fpc").with_row_index("school")
    other = svy.Sample(frame, svy.Design(stratum="stype", psu="school", wgt="pw", pop_size="fpc"))
    rows = other.estimation.mean("api00", by="awards").to_polars().sort("awards")
    table = domain_means(sample, ["api00"], {"awards": masks(sample, "awards")}).table
    for ours, theirs in [("estimate", "est"), ("standard_error", "se"), ("degrees_of_freedom", "df"), ("n", "n")]:
        assert table[ours].to_numpy() == pytest.approx(rows[theirs].to_numpy(), rel=1e-9)


def test_only_the_adapter_imports_svy() -> None:
    room = Path(design.__file__).parents[1]
    importing = [
        file.name for file in room.rglob("*.py") if re.search(r"(?m)^\s*(import|from) svy\b", file.read_text("utf-8"))
    ]
    assert importing == ["svy_adapter.py"]


def test_clusters_and_two_calibrations_after_each_other_equal_r() -> None:
    """Golden numbers: R 4.2.2, survey 4.1-1, with districts as clusters nested in types.

    d <- svydesign(id=~dnum, strata=~stype, nest=TRUE, weights=~pw, data=apistrat)
    p <- postStratify(d, ~awards, data.frame(awards=c("No","Yes"), Freq=c(2230,3964)))
    r <- calibrate(p, ~sch.wide-1, c(sch.wideNo=1072, sch.wideYes=5122))
    svyby(~api00, ~awards, ., svymean) of d, p and r; degf(subset(d, awards=="No"))
    """
    frame = survey("strat").frame
    clustered = Survey.of(frame, weight="pw", stratum="stype", psu="dnum")
    awards = pl.DataFrame({"awards": ["No", "Yes"], "total": [2230, 3964]})
    wide = pl.DataFrame({"sch.wide": ["No", "Yes"], "total": [1072, 5122]})
    stratified = post_stratified(clustered, ["awards"], awards)
    both = calibrated(stratified, *margin_matrix(stratified, [wide]))
    golden = [
        (clustered, [633.734911659413, 678.422405614438], [17.50644592000996, 14.58885506406183]),
        (stratified, [633.7349116594131, 678.422405614438], [17.50644592000994, 14.58885506406183]),
        (both, [633.5326661910334, 678.422405614438], [17.44834921088231, 14.58885506406183]),
    ]
    domains = {"awards": masks(clustered, "awards")}
    for sample, estimates, errors in golden:
        table = domain_means(sample, ["api00"], domains).table
        assert table["estimate"].to_list() == pytest.approx(estimates, rel=1e-9)
        assert table["standard_error"].to_list() == pytest.approx(errors, rel=1e-9)
        assert table["degrees_of_freedom"].to_list() == [71, 94]
    assert clustered.degrees_of_freedom() == 159
