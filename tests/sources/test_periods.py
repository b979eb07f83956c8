from __future__ import annotations

import pytest

from sources.errors import PeriodError
from sources.periods import from_code, from_title


@pytest.mark.parametrize(
    ("code", "period"),
    [
        ("2022JJ00", "2022"),
        (" 2022JJ00 ", "2022"),
        ("2022KW01", "2022Q1"),
        ("2022KW04", "2022Q4"),
        ("2022MM05", "2022-05"),
        ("2022MM12", "2022-12"),
        ("2017G400", "2017"),  # an average of four years goes by the year in its code
    ],
)
def test_years_quarters_and_months_are_periods_of_the_published_tables(code: str, period: str) -> None:
    assert from_code(code, "CBS T1") == period


@pytest.mark.parametrize("code", ["2022HJ01", "2022W101", "2022X000", "20220315"])
def test_half_years_weeks_odd_periods_and_days_keep_their_code(code: str) -> None:
    assert from_code(code, "CBS T1") == code


@pytest.mark.parametrize(
    "code", ["2022", "2022JJ01", "2022KW00", "2022KW05", "2022MM00", "2022MM13", "2022ZZ00", "2017G401", "202X", ""]
)
def test_a_code_nobody_knows_is_never_a_date(code: str) -> None:
    with pytest.raises(PeriodError) as caught:
        from_code(code, "CBS T1")
    assert (caught.value.file, caught.value.column, caught.value.value) == ("CBS T1", "Perioden", code)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("title", "period", "provisional"),
    [
        ("2024", "2024", False),
        ("2024*", "2024", True),
        ("2024**", "2024", True),
        (" 2024* ", "2024", True),
        ("2023 1e kwartaal", "2023Q1", False),
        ("2023 4e kwartaal*", "2023Q4", True),
        ("2023 1st quarter", "2023Q1", False),
        ("2022 december", "2022-12", False),
        ("2022 December**", "2022-12", True),
        ("2022 mei", "2022-05", False),
    ],
)
def test_titles_as_the_publisher_writes_them(title: str, period: str, provisional: bool) -> None:
    assert from_title(title, "file.csv") == (period, provisional)


@pytest.mark.parametrize("title", ["", "24", "2024***", "2023 5e kwartaal", "2023 decembre", "2011/'12", "2012 2013"])
def test_other_titles_are_refused(title: str) -> None:
    with pytest.raises(PeriodError) as caught:
        from_title(title, "file.csv")
    assert (caught.value.file, caught.value.value) == ("file.csv", title)
    assert caught.value.remedy
