"""Disclosure control on tables that are small enough to check by hand."""

from __future__ import annotations

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from catalog.survey_model import Disclosure
from methods.disclosure import DisclosureError, audit, differencing, primary, protected, rounded, secondary
from tests.methods.small import table

SETTINGS = Disclosure(publish_from=50, suppress_below=30, smallest_count=10, interval_width=10)
REGION = {"REGION": ["A", "B"]}
THREE = {"REGION": ["A", "B", "C"]}
KEY = ["variable", "measurement_year", "region_code", "breakdown"]

# Women of A are 20: too few. The other numbers allow publication.
TWO_BY_TWO = """
    region_code breakdown    n   numerator
    A           total        100 48
    A           sex=female   20  8
    A           sex=male     80  40
    B           total        200 110
    B           sex=female   100 60
    B           sex=male     100 50
    REGION      total        300 158
    REGION      sex=female   120 68
    REGION      sex=male     180 90
"""
# The youngest of A are 15. The cheapest rectangle around them is with 35-49 and B: 60 + 70 + 50 respondents.
THREE_BY_THREE = """
    region_code breakdown  n   numerator
    A           total      165 82
    A           age=18-34  15  7
    A           age=35-49  60  30
    A           age=50+    90  45
    B           total      200 100
    B           age=18-34  70  35
    B           age=35-49  50  25
    B           age=50+    80  40
    C           total      310 155
    C           age=18-34  100 50
    C           age=35-49  90  45
    C           age=50+    120 60
    REGION      total      675 337
    REGION      age=18-34  185 92
    REGION      age=35-49  200 100
    REGION      age=50+    290 145
"""


def figures(text: str, **columns) -> pl.DataFrame:
    """Shares of one variable and year, every respondent standing for ten inhabitants; `columns` replaces columns."""
    cells = table(text, variable="health", measurement_year=2025).with_columns(
        pl.col("n").cast(pl.Int64), pl.col("numerator").cast(pl.Float64), statistic=pl.lit("share")
    )
    return cells.with_columns(
        population=10.0 * pl.col("n"),
        value=100 * pl.col("numerator") / pl.col("n"),
        standard_error=pl.lit(2.5),
        n_effective=0.8 * pl.col("n"),
        status=pl.lit("definitive"),
        warnings=pl.lit([], dtype=pl.List(pl.String)),
    ).with_columns(**{name: pl.lit(value) for name, value in columns.items()})


def hidden(frame: pl.DataFrame) -> list[str]:
    """Region and breakdown of what is suppressed, each once."""
    rows = frame.filter(pl.col("status") == "suppressed").select("region_code", "breakdown").unique().sort(pl.all())
    return [" ".join(row) for row in rows.iter_rows()]


def test_one_hidden_cell_takes_the_three_that_would_give_it_away():
    result = protected(figures(TWO_BY_TWO), REGION, SETTINGS)
    assert hidden(result.frame) == ["A sex=female", "A sex=male", "B sex=female", "B sex=male"]
    assert (result.summary.primary, result.summary.complementary, result.summary.cells) == (1, 3, 9)


def test_the_range_of_every_hidden_cell_is_that_worked_out_by_hand():
    cells = primary(figures(TWO_BY_TWO), SETTINGS)
    found = audit(cells, secondary(cells, REGION, SETTINGS), REGION, SETTINGS)
    # With k satisfied women in A: men in A 48 - k, women in B 68 - k, men in B 110 - (68 - k); and k is from 0 to 20.
    ranges = found.select("region_code", "breakdown", pl.col("lowest", "highest").round(6)).rows()
    assert ranges == [
        ("A", "sex=female", 0, 20),
        ("A", "sex=male", 48 - 20, 48),
        ("B", "sex=female", 68 - 20, 68),
        ("B", "sex=male", 110 - 68, 110 - 68 + 20),
    ]
    assert found["protected"].all()


def test_hiding_only_what_is_too_small_protects_nothing():
    cells = primary(figures(TWO_BY_TWO), SETTINGS)
    found = audit(cells, cells["primary"].rename("hidden"), REGION, SETTINGS)
    assert found.select("lowest", "highest", "protected").rows() == [(8, 8, False)]


def test_the_cheapest_rectangle_is_hidden_and_all_totals_are_published():
    result = protected(figures(THREE_BY_THREE), THREE, SETTINGS)
    assert hidden(result.frame) == ["A age=18-34", "A age=35-49", "B age=18-34", "B age=35-49"]


def test_nothing_is_hidden_when_nothing_needs_to_be():
    enough = figures(TWO_BY_TWO).filter(pl.col("region_code") == "B")
    result = protected(enough, REGION, SETTINGS)
    assert_frame_equal(result.frame, enough)
    assert result.summary.primary == result.summary.complementary == 0


def test_a_total_is_hidden_where_the_cells_inside_it_cannot_protect_each_other():
    # Of 45 respondents in A 28 are satisfied. Women are 20, so at least 8 of the men are: a total that says too much.
    found = protected(
        figures("""
            region_code breakdown    n   numerator
            A           total        45  28
            A           sex=female   20  15
            A           sex=male     25  13
            B           total        100 50
            B           sex=female   50  25
            B           sex=male     50  25
            REGION      total        145 78
            REGION      sex=female   70  40
            REGION      sex=male     75  38
        """),
        REGION,
        SETTINGS,
    )
    assert "A total" in hidden(found.frame)
    assert set(hidden(found.frame)) & {"B total", "REGION total"}, "else A is the difference of both"


@pytest.mark.parametrize(
    ("n", "numerator", "is_hidden"),
    [(29, 15, True), (30, 15, False), (60, 9, True), (60, 10, False), (60, 51, True), (60, 50, False), (0, 0, True)],
)
def test_the_thresholds_are_those_of_the_catalogue(n: int, numerator: int, is_hidden: bool):
    cells = primary(figures(f"region_code breakdown n numerator\nA total {n} {numerator}", value=None), SETTINGS)
    assert cells["primary"].to_list() == [is_hidden]


def test_thirty_to_forty_nine_respondents_are_published_as_indicative():
    text = "region_code breakdown n numerator\nA total 49 25\nB total 50 25\nC total 30 15"
    frame = protected(figures(text), {}, SETTINGS).frame
    assert frame["warnings"].to_list() == [["small_n"], [], ["small_n"]]
    assert frame["status"].unique().to_list() == ["definitive"]


def test_a_hidden_row_keeps_its_place_and_no_number_not_even_one_of_a_new_column():
    frame = figures(TWO_BY_TWO, new_column=3.5, label="ours")
    result = protected(frame, REGION, SETTINGS, keep=["label"]).frame
    assert result.columns == frame.columns
    assert_frame_equal(result.select(KEY), frame.select(KEY))
    suppressed = result.filter(pl.col("status") == "suppressed")
    kept = {*KEY, "statistic", "status", "warnings", "label"}
    assert all(suppressed[name].is_null().all() for name in result.columns if name not in kept)
    assert suppressed["warnings"].to_list() == [[]] * 4, "small_n would say how many there are"
    assert suppressed["label"].null_count() == 0


def test_the_rows_of_hidden_cells_do_not_say_why_they_are_hidden():
    suppressed = protected(figures(TWO_BY_TWO), REGION, SETTINGS).frame.filter(pl.col("status") == "suppressed")
    assert suppressed.drop(KEY).n_unique() == 1


def test_mean_and_share_of_a_cell_are_hidden_together():
    shares = figures(TWO_BY_TWO)
    means = shares.with_columns(
        statistic=pl.lit("mean"), value=pl.col("value") / 100, numerator=pl.lit(None, dtype=pl.Float64)
    )
    frame = protected(pl.concat([means, shares]), REGION, SETTINGS).frame
    assert hidden(frame.filter(pl.col("statistic") == "mean")) == hidden(frame.filter(pl.col("statistic") == "share"))


def test_a_variable_that_has_only_a_mean_is_judged_by_its_respondents():
    means = figures(TWO_BY_TWO, statistic="mean").with_columns(
        value=pl.lit(0.6), numerator=pl.lit(None, dtype=pl.Float64)
    )
    assert primary(means, SETTINGS).filter("primary").select("region_code", "breakdown").rows() == [("A", "sex=female")]
    assert "A sex=male" in hidden(protected(means, REGION, SETTINGS).frame)


def test_what_was_not_measured_stays_as_it_is():
    missing = figures("region_code breakdown n numerator\nA total 40 20").with_columns(
        pl.lit(None, dtype=pl.Int64).alias("n"), status=pl.lit("not_measured"), value=pl.lit(None, dtype=pl.Float64)
    )
    assert_frame_equal(protected(missing, REGION, SETTINGS).frame, missing)


def test_people_of_unknown_education_are_no_part_of_any_level():
    # 6 of the 100 in A gave no education, 4 in B: sums of levels fall short of the total, which is no mistake.
    frame = figures("""
        region_code breakdown       n   numerator
        A           total           100 50
        A           education=low   20  8
        A           education=high  74  40
        B           total           204 100
        B           education=low   100 50
        B           education=high  100 48
        REGION      total           304 150
        REGION      education=low   120 58
        REGION      education=high  174 88
    """)
    assert len(hidden(protected(frame, REGION, SETTINGS).frame)) == 4


def test_the_order_of_the_rows_does_not_matter():
    frame = figures(THREE_BY_THREE)
    shuffled = frame.sample(fraction=1, shuffle=True, seed=3)
    sorted_ = [protected(rows, THREE, SETTINGS).frame.sort(KEY) for rows in (frame, shuffled)]
    assert_frame_equal(*sorted_)


def test_variables_and_years_are_protected_by_themselves():
    others = [figures(TWO_BY_TWO, measurement_year=2023), figures(THREE_BY_THREE, variable="safety")]
    groups = {"REGION": ["A", "B", "C"]}
    together = protected(pl.concat([figures(TWO_BY_TWO), *others]), groups, SETTINGS).frame
    apart = pl.concat(protected(frame, groups, SETTINGS).frame for frame in (figures(TWO_BY_TWO), *others))
    assert_frame_equal(together, apart)


def test_a_dimension_and_its_questions_are_hidden_together():
    # The mean of a dimension is that of its questions: two published of three that belong together give the third.
    dimension = figures(THREE_BY_THREE)
    question = dimension.with_columns(
        variable=pl.lit("question"),
        numerator=pl.when((pl.col("region_code") == "C") & (pl.col("breakdown") == "age=50+"))
        .then(pl.col("numerator") - 55)
        .otherwise("numerator"),
    )
    question = question.with_columns(value=100 * pl.col("numerator") / pl.col("n"))
    both = pl.concat([dimension, question])
    families = {"health": "health", "question": "health"}
    frame = protected(both, THREE, SETTINGS, families=families).frame
    of_dimension, of_question = (hidden(frame.filter(variable=name)) for name in ("health", "question"))
    assert "C age=50+" in of_dimension
    assert of_dimension == of_question
    alone = protected(both, THREE, SETTINGS).frame
    assert "C age=50+" not in hidden(alone.filter(variable="health"))


class TestEarlierEditions:
    earlier = protected(figures(TWO_BY_TWO), REGION, SETTINGS).frame.with_columns(edition=pl.lit("2025-1"))

    def test_the_same_edition_again_hides_the_same(self):
        again = protected(figures(TWO_BY_TWO), REGION, SETTINGS, earlier=self.earlier)
        assert hidden(again.frame) == hidden(self.earlier)
        assert again.summary.already_published == 0

    def test_a_cell_that_an_earlier_edition_published_protects_no_other(self):
        # The earlier edition has 35-49 in A and B, hidden here by preference: hiding them once more helps nobody.
        frame = figures(THREE_BY_THREE)
        told = frame.filter(pl.col("breakdown") == "age=35-49").with_columns(edition=pl.lit("2025-1"))
        found = hidden(protected(frame, THREE, SETTINGS, earlier=told).frame)
        assert found == ["A age=18-34", "A age=50+", "B age=18-34", "B age=50+"]

    def test_a_cell_that_should_never_have_been_published_is_counted(self):
        told = figures(TWO_BY_TWO).with_columns(edition=pl.lit("2025-1"))
        summary = protected(figures(TWO_BY_TWO), REGION, SETTINGS, earlier=told).summary
        assert summary.already_published == 1

    def test_a_few_people_more_are_not_the_difference_of_two_editions(self):
        # 3 men of A were added: every cell they are in would tell their answers.
        corrected = figures(TWO_BY_TWO).with_columns(
            pl.when(pl.col("region_code").is_in(["A", "REGION"]) & pl.col("breakdown").is_in(["total", "sex=male"]))
            .then(pl.col("n") + 3)
            .otherwise("n")
            .alias("n")
        )
        faults = differencing(corrected, self.earlier, SETTINGS)
        few = faults.filter(fault="few_people")
        # Men of A are hidden in the earlier edition: no difference there.
        assert few.select("region_code", "breakdown", "edition").rows() == [
            ("A", "total", "2025-1"),
            ("REGION", "sex=male", "2025-1"),
            ("REGION", "total", "2025-1"),
        ]
        result = protected(corrected, REGION, SETTINGS, earlier=self.earlier)
        assert {"A total", "REGION sex=male", "REGION total"} <= set(hidden(result.frame))
        assert result.summary.few_people == 3

    def test_ten_people_more_are_enough_to_hide_among(self):
        more = figures(TWO_BY_TWO).with_columns(pl.col("n") + 10)
        assert differencing(more, self.earlier, SETTINGS).is_empty()


class TestAnswersThatWereCorrected:
    """As many people as in the earlier edition, all of them published there; of A one more is satisfied now."""

    text = """
        region_code breakdown    n   numerator
        A           total        200 100
        B           total        300 150
        REGION      total        500 250
    """
    before = figures(text, answers="first delivery")
    earlier = before.with_columns(pl.col("value").round(1), edition=pl.lit("2025-1"))
    moved = pl.col("region_code").is_in(["A", "REGION"])

    def corrected(self, *, answers: str | None = "second delivery", **columns) -> pl.DataFrame:
        frame = self.before.with_columns(
            pl.when(self.moved).then(100 * (pl.col("numerator") + 1) / pl.col("n")).otherwise("value").alias("value"),
            numerator=pl.col("numerator") + self.moved.cast(pl.Float64),
        )
        frame = frame.with_columns(answers=pl.lit(answers)) if answers else frame.drop("answers")
        return frame.with_columns(**columns)

    def faults(self, current: pl.DataFrame, earlier: pl.DataFrame | None = None) -> dict[str, str]:
        found = differencing(current, self.earlier if earlier is None else earlier, SETTINGS)
        return dict(found.select("region_code", "fault").iter_rows())

    def test_the_figure_that_moved_would_tell_whose_answer_it_was(self):
        assert self.faults(self.corrected()) == {"A": "few_people", "B": "known", "REGION": "few_people"}
        result = protected(self.corrected(), REGION, SETTINGS, earlier=self.earlier)
        assert {"A total", "REGION total"} <= set(hidden(result.frame))
        assert result.summary.few_people == 2

    def test_of_the_same_answers_nothing_is_hidden_even_if_another_method_moves_the_figure(self):
        same = self.corrected(answers="first delivery")
        assert self.faults(same) == dict.fromkeys(["A", "B", "REGION"], "known")
        result = protected(same, REGION, SETTINGS, earlier=self.earlier)
        assert not hidden(result.frame)
        assert result.summary.few_people == 0

    def test_other_answers_that_move_no_published_figure_tell_nothing(self):
        # 50.04 is published as 50.0, and so is 50.0.
        unmoved = self.corrected(value=pl.col("value").replace_strict({50.5: 50.04, 50.2: 50.04}, default=50.0))
        assert self.faults(unmoved) == dict.fromkeys(["A", "B", "REGION"], "known")
        assert not hidden(protected(unmoved, REGION, SETTINGS, earlier=self.earlier).frame)

    @pytest.mark.parametrize("lacks", ["this edition", "the earlier one"])
    def test_where_it_is_not_known_what_figures_were_made_of_the_number_of_people_counts(self, lacks: str):
        current = self.corrected(answers=None) if lacks == "this edition" else self.corrected()
        earlier = self.earlier.drop("answers") if lacks == "the earlier one" else self.earlier
        assert self.faults(current, earlier) == dict.fromkeys(["A", "B", "REGION"], "known")

    def test_an_edition_from_before_answers_were_recorded_counts_by_its_number_of_people(self):
        earlier = self.earlier.with_columns(answers=pl.lit(None, dtype=pl.String))
        assert self.faults(self.corrected(), earlier) == dict.fromkeys(["A", "B", "REGION"], "known")

    def test_what_only_the_mean_tells_hides_the_share_too(self):
        # Nobody more is satisfied, but somebody in A gives a higher mark: 0.002 in the mean.
        shares = self.before
        means = shares.with_columns(
            statistic=pl.lit("mean"), value=pl.lit(0.6), numerator=pl.lit(None, dtype=pl.Float64)
        )
        earlier = pl.concat([shares, means]).with_columns(edition=pl.lit("2025-1"))
        higher = means.with_columns(value=pl.when(region_code="A").then(0.602).otherwise("value"))
        now = pl.concat([shares, higher]).with_columns(answers=pl.lit("second delivery"))
        assert self.faults(now, earlier)["A"] == "few_people"
        result = protected(now, REGION, SETTINGS, earlier=earlier).frame
        of_a = result.filter(region_code="A")
        assert of_a["statistic"].to_list() == ["share", "mean"]
        assert of_a["status"].to_list() == ["suppressed", "suppressed"]

    def test_what_one_edition_has_already_told_is_not_hidden_for_another(self):
        # The second edition has the corrected figures: they are out.
        second = self.corrected().with_columns(pl.col("value").round(1), edition=pl.lit("2025-2"))
        both = pl.concat([self.earlier, second.select(self.earlier.columns)])
        result = protected(self.corrected(), REGION, SETTINGS, earlier=both)
        assert not hidden(result.frame)
        assert result.summary.few_people == 0


def test_figures_are_rounded_as_they_are_published_with_errors_one_decimal_finer():
    frame = pl.DataFrame(
        {
            "statistic": ["mean", "share"],
            "value": [0.65449, 65.449],
            "standard_error": [0.01251, 1.251],
            "ci_low": [0.61111, 61.111],
            "ci_high": [0.69999, None],
            "n_effective": [171.6, 171.4],
            "n": [200, 200],
        }
    )
    assert rounded(frame).rows() == [
        ("mean", 0.654, 0.0125, 0.611, 0.700, 172, 200),
        ("share", 65.4, 1.25, 61.1, None, 171, 200),
    ]


BROKEN = {
    "numerator": figures(TWO_BY_TWO).drop("numerator"),
    "parts of a sum": figures(TWO_BY_TWO)
    .with_columns(n=pl.when(pl.col("breakdown") == "total").then(90).otherwise("n"), numerator=pl.lit(30.0))
    .with_columns(n=pl.max_horizontal("n", 30)),
    "two at once": figures(TWO_BY_TWO).with_columns(breakdown=pl.lit("sex=male;age=18-34")),
    "same": pl.concat([figures(TWO_BY_TWO), figures(TWO_BY_TWO).with_columns(pl.col("n") + 1)]),
    "0 to n": figures(TWO_BY_TWO, numerator=7777.0),
    "population": figures(TWO_BY_TWO, population=0.0),
}


@pytest.mark.parametrize("message", BROKEN)
def test_tables_that_contradict_themselves_are_refused_without_naming_their_numbers(message: str):
    with pytest.raises(DisclosureError, match=message) as error:
        protected(BROKEN[message], REGION, SETTINGS)
    assert "7777" not in str(error.value)
