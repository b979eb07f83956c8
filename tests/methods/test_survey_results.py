"""From estimates to published tables, on waves of a few figures: two municipalities, A and B, and their region."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from catalog.load import load_catalogue
from catalog.survey_model import Disclosure, GradeScale, SmallAreas, SurveySettings, Wave
from catalog.waves import SHARE_SUFFIX
from methods.experienced import WaveEstimates
from methods.measure import RegionRoles
from methods.survey_results import MeasuredWave, SurveyTables, observations_of, survey_tables
from tests.methods.small import table

SETTINGS = SurveySettings(
    source_id="survey",
    synthetic_source_id="synthetic",
    grade=GradeScale(lowest=1, highest=10),
    satisfied_from=0.6,
    minimal_detectable_factor=2.80,
    breakdowns={},
    disclosure=Disclosure(publish_from=50, suppress_below=30, smallest_count=10, interval_width=10),
    small_areas=SmallAreas(direct_from=100, covariates=["income"]),
)
ROLES = RegionRoles(municipalities=["A", "B"], groups=["REGION"], country="NL", rest="REST", published_as=[])
GROUPS = {"REGION": ["A", "B"]}
# Enough answers everywhere, also to need no model.
HEALTH = """
    variable_id region_code value standard_error n
    health      A           0.600 0.012          200
    health      B           0.700 0.009          300
    health      REGION      0.660 0.007          500
"""
HEALTH_LATER = """
    variable_id region_code value standard_error n
    health      A           0.650 0.016          200
    health      B           0.700 0.012          300
    health      REGION      0.680 0.010          500
"""
# Of A too few answered: with A goes B, else A would be what the region has besides.
TOO_FEW = """
    variable_id region_code value standard_error n
    health      A           0.600 0.040          20
    health      B           0.700 0.009          300
    health      REGION      0.694 0.009          320
"""
CELL = ["measurement_year", "variable_id", "region_code", "statistic"]


def estimates(text: str, **columns: Any) -> pl.DataFrame:
    """Mean scores of everyone; `columns` replaces columns. A question `health.x` belongs to the dimension health."""
    numbers = ["value", "standard_error", "n"]
    figures = table(text).with_columns(
        pl.col(numbers).cast(pl.String).replace("-", None).cast(pl.Float64), indicator_id=_before_the_dot()
    )
    return figures.with_columns(
        pl.col("n").cast(pl.Int64),
        breakdown=pl.lit("total"),
        statistic=pl.lit("mean"),
        n_effective=0.8 * pl.col("n"),
        degrees_of_freedom=pl.col("n") - 1,
        ci_low=pl.col("value") - 2 * pl.col("standard_error"),
        ci_high=pl.col("value") + 2 * pl.col("standard_error"),
        numerator=pl.lit(None, dtype=pl.Float64),
        population=10.0 * pl.col("n"),
    ).with_columns(**columns)


def _before_the_dot() -> pl.Expr:
    return pl.col("variable_id").str.split(".").list.first()


def wave(
    figures: pl.DataFrame,
    year: int = 2022,
    *,
    series: str = "s",
    answers: str = "as delivered",
    shared: float | None = None,
    municipal: pl.DataFrame | None = None,
) -> MeasuredWave:
    """A wave of these figures; `shared`: the covariance of the health of A with the baseline."""
    nothing = WaveEstimates.without_answers(figures)
    of_a = pl.DataFrame(
        {"indicator_id": "health", "statistic": "mean", "region_code": "A", "breakdown": "total", "covariance": shared},
        schema=nothing.shared.schema,
    )
    indicators = figures["indicator_id"].unique(maintain_order=True).to_list()
    return MeasuredWave(
        wave=Wave.model_validate(
            {
                "wave_id": f"wave_{year}",
                "measurement_year": year,
                "source_table": f"Wave {year}",
                "title": "T",
                "url": "https://survey.example",
                "kind": "aggregates",
                "mode": "web",
                "participation": "sample",
                "fieldwork": {"start": f"{year}-06-01", "end": f"{year}-06-30"},
                "aggregates": {"region": "r", "dimension": "d", "value": "v", "n": "n", "scale": "score"},
                "dimensions": [{"indicator": name} for name in indicators],
            }
        ),
        found=WaveEstimates(
            estimates=figures,
            contrasts=nothing.contrasts,
            municipal=nothing.municipal if municipal is None else municipal,
            shared=nothing.shared if shared is None else of_a,
            weights=pl.DataFrame(),
        ),
        warnings={key: ["web_only"] for key in indicators},
        series=dict.fromkeys(indicators, series),
        answers=answers,
    )


def tables(*waves: MeasuredWave, **more: Any) -> SurveyTables:
    return survey_tables(waves, SETTINGS, ROLES, GROUPS, more.pop("covariates", {}), 2022, **more)


def changes(*waves: MeasuredWave) -> dict[str, dict[str, Any]]:
    """By region, its change since the baseline."""
    rows = tables(*waves).contrast.filter(pl.col("comparator_year") < pl.col("measurement_year"))
    return {row["region_code"]: row for row in rows.iter_rows(named=True)}


class TestChanges:
    def test_the_variances_of_two_independent_waves_add_up(self):
        found = changes(wave(estimates(HEALTH)), wave(estimates(HEALTH_LATER), 2025))
        assert list(found) == ["A", "B", "REGION"]
        # 0.012 and 0.016 are the legs of a right triangle of 0.020; 0.009 and 0.012 of 0.015.
        assert found["A"]["standard_error"] == 0.02
        assert found["B"]["standard_error"] == 0.015
        assert found["A"]["difference"] == pytest.approx(0.05, abs=1e-12)
        assert found["A"]["degrees_of_freedom"] == 199 + 199
        assert (found["A"]["comparator_code"], found["A"]["comparator_year"]) == ("A", 2022)

    def test_the_smallest_change_to_be_found_is_2_80_standard_errors(self):
        found = changes(wave(estimates(HEALTH)), wave(estimates(HEALTH_LATER), 2025))
        assert {code: row["minimal_detectable_difference"] for code, row in found.items()} == {
            code: pytest.approx(2.80 * row["standard_error"], abs=1e-6) for code, row in found.items()
        }
        assert found["A"]["minimal_detectable_difference"] == 0.056

    def test_asking_the_same_people_again_makes_a_change_surer(self):
        found = changes(wave(estimates(HEALTH)), wave(estimates(HEALTH_LATER), 2025, shared=0.00015))
        # 0.000144 + 0.000256 - 2 x 0.00015 = 0.0001
        assert found["A"]["standard_error"] == 0.01
        assert found["B"]["standard_error"] == 0.015, "nothing is known of what B has in common"

    def test_people_who_answer_the_other_way_round_make_it_less_sure(self):
        # 0.0004 + 2 x 0.000025 = 0.00045
        found = changes(wave(estimates(HEALTH)), wave(estimates(HEALTH_LATER), 2025, shared=-0.000025))
        assert found["A"]["standard_error"] == 0.0212

    @pytest.mark.parametrize("covariance", [0.00021, 0.0003])
    def test_a_change_is_never_certain(self, covariance: float):
        found = changes(wave(estimates(HEALTH)), wave(estimates(HEALTH_LATER), 2025, shared=covariance))
        assert list(found) == ["B", "REGION"]

    def test_nor_where_all_that_is_left_of_its_variance_is_noise(self):
        # 0.0004 - 2 x 0.0001999999: an error of 0.000014, of which nothing is left in 4 decimals.
        found = changes(wave(estimates(HEALTH)), wave(estimates(HEALTH_LATER), 2025, shared=0.0001999999))
        assert "A" not in found or found["A"]["standard_error"] > 0

    def test_another_series_is_another_question(self):
        assert not changes(wave(estimates(HEALTH)), wave(estimates(HEALTH_LATER), 2025, series="t"))

    @pytest.mark.parametrize("hidden", [2022, 2025])
    def test_a_change_would_give_away_a_figure_that_is_hidden(self, hidden: int):
        both = [wave(estimates(TOO_FEW if year == hidden else HEALTH), year) for year in (2022, 2025)]
        found = tables(*both)
        suppressed = found.estimate.filter(status="suppressed")
        assert "A" in suppressed.filter(measurement_year=hidden)["region_code"].to_list()
        assert set(changes(*both)) == {"A", "B", "REGION"} - set(suppressed["region_code"])

    def test_standard_errors_are_rounded_only_when_they_are_added(self):
        then = estimates(HEALTH, standard_error=pl.lit(0.01234))
        now = estimates(HEALTH, standard_error=pl.lit(0.00456))
        # sqrt(0.01234^2 + 0.00456^2) = 0.013156; of 0.0123 and 0.0046 it would be 0.0131.
        assert changes(wave(then), wave(now, 2025))["A"]["standard_error"] == 0.0132

    def test_shares_change_in_percentage_points(self):
        as_shares = {"statistic": pl.lit("share"), "numerator": 0.5 * pl.col("n")}
        then, now = (
            estimates(text, **as_shares, **{name: 100 * pl.col(name) for name in ("value", "standard_error")})
            for text in (HEALTH, HEALTH_LATER)
        )
        found = changes(wave(then), wave(now, 2025))["A"]
        assert found["indicator_id"] == f"health{SHARE_SUFFIX}"
        assert (found["difference"], found["standard_error"]) == (5.0, 2.0)

    def test_figures_without_a_margin_have_no_margin_of_their_change(self):
        bare = estimates(HEALTH).with_columns(
            pl.lit(None, pl.Float64).alias(name) for name in ("standard_error", "ci_low", "ci_high")
        )
        assert not changes(wave(bare), wave(estimates(HEALTH_LATER), 2025))


class TestUnanswered:
    nobody = """\
    health.x    A           -     -              0
    health.x    B           -     -              0
    health.x    REGION      -     -              0
"""
    few = """\
    health.x    A           0.500 0.100          5
    health.x    B           0.500 0.100          5
    health.x    REGION      0.500 0.080          10
"""
    many = """\
    health.x    A           0.500 0.020          150
    health.x    B           0.500 0.020          150
    health.x    REGION      0.500 0.014          300
"""

    def test_a_question_that_nobody_answered_hides_nothing_of_its_dimension(self):
        found = tables(wave(estimates(HEALTH + self.nobody)))
        assert found.estimate.select("variable_id", "status").unique().rows() == [("health", "definitive")]
        assert found.protection.primary == 0

    def test_it_is_left_out_and_named(self):
        found = tables(wave(estimates(HEALTH + self.nobody)))
        assert len(found.findings) == 1
        assert found.findings[0].startswith("health.x 2022: nobody answered it")

    def test_one_that_few_answered_is_no_such_question(self):
        found = tables(wave(estimates(HEALTH + self.few)))
        assert not found.findings
        assert found.estimate["status"].unique().to_list() == ["suppressed"]

    def test_nor_is_one_that_was_answered_in_another_year_only(self):
        found = tables(wave(estimates(HEALTH + self.nobody)), wave(estimates(HEALTH + self.many), 2025))
        asked = found.estimate.filter(variable_id="health.x")
        assert asked["measurement_year"].unique().to_list() == [2025]
        assert asked["value"].null_count() == 0


class TestTablesOfTheInstitute:
    def test_what_the_institute_does_not_give_was_not_published(self):
        text = HEALTH.replace("0.600 0.012          200", "-     -              -")
        found = tables(wave(estimates(text)))
        assert dict(found.estimate.select("region_code", "status").iter_rows()) == {
            "A": "not_published",
            "B": "definitive",
            "REGION": "definitive",
        }
        assert not found.findings

    def test_a_figure_without_numbers_of_answers_is_published_as_it_is(self):
        found = tables(wave(estimates(HEALTH, n=pl.lit(None, pl.Int64))))
        assert found.estimate["status"].unique().to_list() == ["definitive"]

    def test_a_figure_without_a_margin_says_so(self):
        text = HEALTH.replace("0.012", "-    ")
        found = tables(wave(estimates(text)))
        assert dict(found.estimate.select("region_code", "warnings").iter_rows()) == {
            "A": ["no_margin", "web_only"],
            "B": ["web_only"],
            "REGION": ["web_only"],
        }

    def test_no_model_is_made_of_a_wave_without_answers(self):
        found = tables(wave(estimates(HEALTH.replace("200", "60"))))
        assert found.small_area.is_empty()
        assert not found.models
        assert not found.findings
        assert found.estimate["value"].null_count() == 0


def test_a_hidden_figure_does_not_tell_whether_it_has_a_margin():
    # Without margin: everybody in A gave one answer.
    found = tables(wave(estimates(TOO_FEW.replace("0.040", "-    "))))
    hidden = found.estimate.filter(status="suppressed")
    assert hidden["region_code"].to_list()[0] == "A"
    assert hidden.height > 1
    assert hidden["warnings"].to_list() == [["web_only"]] * hidden.height


def test_where_every_municipality_has_enough_answers_no_model_is_needed():
    found = tables(wave(estimates(HEALTH)))
    published = load_catalogue().registry["small_area_estimate"]
    assert found.small_area.is_empty()
    assert set(found.small_area.columns) >= {column for column in published.polars_schema if column != "edition"}
    assert not found.models
    assert not found.findings


def test_a_model_of_too_few_municipalities_is_a_finding_and_the_figures_stay():
    answers = pl.DataFrame(
        {"indicator_id": "health", "region_code": ["A", "B"], "value": [0.6, 0.7], "variance": [0.002, 0.001]}
    ).with_columns(n=pl.Series([60, 300]), n_effective=pl.Series([50.0, 250.0]))
    covariates = {2022: pl.DataFrame({"region_code": ["A", "B"], "income": [30.0, 31.0]})}
    few = estimates(HEALTH.replace("200", "60"))
    found = tables(wave(few, municipal=answers), covariates=covariates)
    assert found.small_area.is_empty()
    assert found.findings[0].startswith("wave_2022, health: no model estimates. ")
    assert found.estimate["value"].null_count() == 0


class TestEarlierEditions:
    @staticmethod
    def published(measured: MeasuredWave) -> pl.DataFrame:
        return tables(measured).estimate.with_columns(edition=pl.lit("2022-1"), answers=pl.lit(measured.answers))

    def test_the_same_answers_are_published_again(self):
        measured = wave(estimates(HEALTH))
        again = tables(measured, earlier=self.published(measured))
        assert again.estimate["status"].unique().to_list() == ["definitive"]
        assert not again.findings

    def test_three_people_more_are_a_finding_and_hide_what_they_are_in(self):
        earlier = self.published(wave(estimates(HEALTH)))
        more = estimates(HEALTH.replace("200", "203").replace("500", "503"))
        found = tables(wave(more, answers="with three more"), earlier=earlier)
        assert {"A", "REGION"} <= set(found.estimate.filter(status="suppressed")["region_code"])
        assert found.findings[0].startswith(f"{found.protection.few_people} figures are hidden")
        assert found.protection.few_people >= 2

    def test_an_answer_that_was_corrected_is_a_finding_too(self):
        earlier = self.published(wave(estimates(HEALTH)))
        corrected = estimates(HEALTH.replace("0.600", "0.603").replace("0.660", "0.661"))
        found = tables(wave(corrected, answers="corrected"), earlier=earlier)
        assert {"A", "REGION"} <= set(found.estimate.filter(status="suppressed")["region_code"])
        assert found.protection.few_people == 2
        assert len(found.findings) == 1

    def test_what_should_never_have_been_published_is_a_finding(self):
        measured = wave(estimates(TOO_FEW))
        told = estimates(TOO_FEW).with_columns(
            measurement_year=pl.lit(2022, pl.Int32), status=pl.lit("definitive"), edition=pl.lit("2022-1")
        )
        found = tables(measured, earlier=told.with_columns(answers=pl.lit(measured.answers)))
        assert found.findings == ["1 hidden figures stand in an earlier edition: hiding them is too late."]


def test_a_share_is_an_indicator_of_its_own_and_questions_are_none():
    means = estimates(HEALTH + HEALTH.split("n\n", 1)[1].replace("health  ", "health.x"))
    shares = means.with_columns(
        statistic=pl.lit("share"), numerator=0.5 * pl.col("n"), value=100 * pl.col("value"), ci_low=None, ci_high=None
    )
    found = tables(wave(pl.concat([means, shares], how="vertical_relaxed")))
    figures, precision = observations_of(found.estimate, found.small_area)
    assert figures["indicator_id"].unique().sort().to_list() == ["health", f"health{SHARE_SUFFIX}"]
    assert figures.height == precision.height == 6
    of_a = figures.filter(region_code="A").sort("indicator_id")
    assert of_a["value"].to_list() == [0.6, 60.0]
    assert of_a["warnings"].to_list() == [["web_only"], ["no_margin", "web_only"]]
    assert figures["period"].unique().to_list() == ["2022"]
