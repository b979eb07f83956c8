"""What the register of coverage has cannot vanish unseen: not a municipality, not a year, not a table."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from catalog import Catalogue
from sources import coverage
from sources.collect import BUNDLED, DELIVERED, LIVE, Collected, collect
from sources.coverage import SLOT, CoverageLost, changes, count, differences, read_register, renewed
from sources.errors import DuplicateFigure, InputError, MissingFile, ValueFault
from sources.facts import Facts
from tests.sources.small import TABLE, catalogue, indicator, raw, source

CODES = ["GM0153", "GM0164", "GM0168"]  # Enschede, Hengelo, Losser
WHOLE = """
    region_code period value
    GM0153      2021   90
    GM0164      2021   70
    GM0168      2021   10
    GM0153      2022   100
    GM0164      2022   80
    GM0168      2022   11
    NL01        2022   9000
    GM0153      2023   110
    GM0164      2023   90
    GM0168      2023   -
    """
# In 2023 Hengelo has no figure, and Losser has one.
SWAPPED = WHOLE.replace("GM0164      2023   90", "GM0164      2023   -").replace(
    "GM0168      2023   -", "GM0168 2023 9"
)
SMALL = catalogue()


def collected(text: str = WHOLE, *, without: tuple[str, ...] = (), **origins: str) -> Collected:
    """A run of these figures, without the lines that begin so; `origins` by table's last word or `y2022`."""
    lines = [" ".join(line.split()) for line in text.strip().splitlines()]
    kept = "\n".join(line for line in lines if not line.startswith(without))
    figures = raw(kept).with_columns(synthetic=pl.lit(value=False))
    slots = figures.select(SLOT).unique().sort(SLOT)
    origin = pl.format("y{}", "period").replace_strict(origins, default=BUNDLED, return_dtype=pl.String)
    return Collected(
        figures=figures,
        names=pl.DataFrame(),
        origins=slots.with_columns(origin=origin),
        passed_over=pl.DataFrame(),
        files=pl.DataFrame(),
    )


def registered(found: Collected | None = None) -> pl.DataFrame:
    return count(found or collected(), SMALL)


def lost(run: Collected, register: pl.DataFrame | None = None, made: Catalogue = SMALL) -> str:
    """The message with which a run stops."""
    with pytest.raises(CoverageLost) as caught:
        coverage.require(differences(registered() if register is None else register, run, made))
    return str(caught.value)


def kinds(run: Collected, register: pl.DataFrame | None = None, made: Catalogue = SMALL) -> list[tuple[str, str]]:
    found = differences(registered() if register is None else register, run, made)
    return found.select("period", "kind").rows()


# --- counting


def test_rows_values_and_municipalities_are_counted_apart_and_known() -> None:
    assert registered().rows() == [
        (TABLE, "jobs", "2021", BUNDLED, 3, 3, 3, CODES),
        (TABLE, "jobs", "2022", BUNDLED, 4, 4, 3, [*CODES, "NL01"]),
        (TABLE, "jobs", "2023", BUNDLED, 3, 2, 2, CODES[:2]),
    ]


def test_of_several_origins_the_one_on_top_counts() -> None:
    run = collected()
    both = pl.concat([run.origins, run.origins.with_columns(origin=pl.lit(DELIVERED)).filter(period="2022")])
    found = count(Collected(run.figures, run.names, both, run.passed_over, run.files), SMALL)
    assert found["origin"].to_list() == [BUNDLED, DELIVERED, BUNDLED]


def test_the_resident_survey_is_left_out() -> None:
    felt = catalogue(indicator("jobs", source(), layer="experienced"))
    assert count(collected(), felt).height == 0
    assert kinds(collected(), made=felt) == []


# --- what stops a run


def test_a_run_of_what_is_registered_differs_in_nothing() -> None:
    run = collected()
    assert kinds(run) == []
    coverage.require(differences(registered(), run, SMALL))


def test_a_municipality_that_vanished_from_one_year_is_named() -> None:
    said = lost(collected(without=("GM0164 2022",)))
    assert said.startswith("catalog/coverage.csv: expected every region, figure and period that is registered here.\n")
    assert (
        f"{TABLE}, jobs, 2022: 3 regions, 4 registered; 3 figures, 4 registered; 2 municipalities with a figure, "
        "3 registered; lost: Hengelo (GM0164)\n"
    ) in said
    assert "btg coverage --update" in said


def test_a_municipality_that_vanishes_is_named_though_another_one_comes() -> None:
    """The counts are the same: only who it is tells."""
    assert f"{TABLE}, jobs, 2023: lost: Hengelo (GM0164); new: Losser (GM0168)\n" in lost(collected(SWAPPED))


def test_of_many_municipalities_that_vanish_the_first_are_named() -> None:
    text = "region_code value\n" + "\n".join(f"{code} 1" for code in sorted(coverage.municipalities(2022)))
    said = lost(collected(text, without=("GM03",)), registered(collected(text)))
    assert re.search(r"lost: Zutphen \(GM0301\), Nunspeet \(GM0302\), .* and 28 more\n", said)
    assert said.count("(GM03") == 12


def test_a_figure_that_became_empty_is_one_figure_fewer() -> None:
    said = lost(collected(WHOLE.replace("GM0164      2022   80", "GM0164      2022   -")))
    assert f"{TABLE}, jobs, 2022: 3 figures, 4 registered; 2 municipalities with a figure, 3 registered" in said


def test_a_country_that_vanished_is_no_municipality() -> None:
    said = lost(collected(without=("NL01",)))
    assert f"{TABLE}, jobs, 2022: 3 regions, 4 registered; 3 figures, 4 registered; lost: Nederland (NL01)\n" in said


def test_a_year_that_vanished_is_named() -> None:
    years = tuple(f"{code} 2022" for code in [*CODES, "NL01"])
    assert f"{TABLE}, jobs: 2022 vanished: registered (bundled), and not in this run\n" in lost(
        collected(without=years)
    )


def of_two_tables(text: str) -> tuple[Catalogue, Collected]:
    """Jobs of 2021 in T1, and of 2022 in T2."""
    made = catalogue(indicator("jobs", source("CBS_T1"), source("CBS_T2")))
    return made, collected("source_table region_code period value\n" + text)


def test_the_only_year_of_a_table_cannot_vanish_while_its_indicator_is_in_others() -> None:
    made, whole = of_two_tables("CBS_T1 GM0153 2021 1\nCBS_T2 GM0153 2022 1\nCBS_T2 GM0164 2022 1")
    _, run = of_two_tables("CBS_T1 GM0153 2021 1")
    assert "CBS_T2, jobs: 2022 vanished: registered (bundled), and not in this run\n" in lost(
        run, count(whole, made), made
    )


def test_a_year_that_another_table_gives_for_every_region_is_no_loss() -> None:
    made, whole = of_two_tables("CBS_T1 GM0153 2021 1\nCBS_T2 GM0153 2022 1\nCBS_T2 GM0164 2022 1")
    _, run = of_two_tables("CBS_T1 GM0153 2021 1\nCBS_T1 GM0153 2022 1\nCBS_T1 GM0164 2022 1")
    found = differences(count(whole, made), run, made).filter(source_table="CBS_T2")
    coverage.require(found)
    assert coverage.sentences(found) == [
        "CBS_T2, jobs: 2022 is not in this table any more (bundled); other tables of this run give it for every region"
    ]


def test_a_year_that_another_table_gives_for_some_regions_is_a_loss() -> None:
    """The country's own figure does not stand for those of its municipalities."""
    made, whole = of_two_tables("CBS_T1 GM0153 2021 1\nCBS_T2 GM0153 2022 1\nCBS_T2 GM0164 2022 1")
    _, run = of_two_tables("CBS_T1 GM0153 2021 1\nCBS_T1 GM0153 2022 1\nCBS_T1 NL01 2022 1")
    assert "CBS_T2, jobs: 2022 vanished" in lost(run, count(whole, made), made)


def test_many_losses_are_summed_up() -> None:
    text = "region_code period value\n" + "\n".join(f"{c} {y} 1" for y in range(1990, 2022) for c in ("GM1", "GM2"))
    said = lost(collected(text, without=("GM2",)), registered(collected(text)))
    assert "(and 20 more; all of them: btg coverage)" in said
    assert len(said.splitlines()) == 1 + 12 + 1 + 1


# --- what only asks for attention


def test_an_indicator_that_a_folder_does_not_have_at_all_is_no_silent_loss() -> None:
    two = catalogue(indicator(), indicator("firms"))
    register = count(collected("indicator_id region_code value\njobs GM0153 1\nfirms GM0153 1"), two)
    run = collected("indicator_id region_code value\njobs GM0153 1")
    found = differences(register, run, two)
    assert found.select("indicator_id", "kind").rows() == [("firms", "absent")]
    assert coverage.sentences(found) == [f"{TABLE}, firms: not in this input; registered: 2022 (bundled)"]
    coverage.require(found)


def test_an_indicator_that_the_catalogue_no_longer_has_is_not_asked_for() -> None:
    assert kinds(collected("indicator_id region_code value\nfirms GM0153 1"), made=catalogue(indicator("firms"))) == [
        ("2022", "unregistered")
    ]


def test_more_than_is_registered_is_news() -> None:
    less = registered(collected(without=("NL01", "GM0153 2023", "GM0164 2023", "GM0168 2023")))
    run = collected()
    found = differences(less, run, SMALL)
    coverage.require(found)
    assert coverage.sentences(found) == [
        f"{TABLE}, jobs: 2023 not registered yet (bundled)",
        f"{TABLE}, jobs, 2022: 4 regions, 3 registered; 4 figures, 3 registered; new: Nederland (NL01)",
    ]


# --- snapshots


def test_what_snapshots_had_is_asked_for_only_where_snapshots_of_the_table_are_used() -> None:
    register = registered(collected(y2023=LIVE))
    assert kinds(collected(without=("GM0153 2023", "GM0164 2023", "GM0168 2023")), register) == []
    run = collected(without=("GM0153 2023", "GM0164 2023", "GM0168 2023"), y2022=LIVE)
    assert kinds(run, register) == [("2022", "unregistered"), ("2023", "vanished")]


def test_a_table_on_other_borders_is_not_held_against_the_bundle() -> None:
    live = collected(without=("GM0168 2021",), y2021=LIVE, y2022=LIVE)
    assert kinds(live) == [("2021", "unregistered"), ("2022", "unregistered")]
    # Once it is registered, it is held against itself.
    register = renewed(registered(), registered(), count(live, SMALL), live, SMALL)
    assert kinds(live, register) == []
    fewer = collected(without=("GM0168 2021", "GM0164 2022"), y2021=LIVE, y2022=LIVE)
    assert kinds(fewer, register) == [("2022", "lost")]


# --- accepting


def test_accepting_a_run_makes_it_the_register_and_keeps_what_it_does_not_use() -> None:
    register = registered(collected(y2021=DELIVERED))
    run = collected(without=("GM0168",))
    after = renewed(register, count(run, SMALL), count(run, SMALL), run, SMALL)
    assert after.select("period", "origin", "regions").rows() == [
        ("2021", BUNDLED, 2),
        ("2021", DELIVERED, 3),
        ("2022", BUNDLED, 3),
        ("2023", BUNDLED, 2),
    ]
    assert kinds(run, after) == []
    assert changes(register, after)[0] == (
        f"new      {TABLE}, jobs, 2021, bundled: 2 regions, 2 figures, 2 municipalities with a figure"
    )
    assert [line.split()[0] for line in changes(register, after)] == ["new", "changed", "changed"]
    assert changes(register, after)[1].endswith("; lost: Losser (GM0168)")
    assert [line.split()[0] for line in changes(after, register)] == ["gone", "changed", "changed"]
    assert changes(after, after) == []


def test_accepting_another_municipality_in_the_place_of_one_changes_the_register() -> None:
    """The counts are the same: the line that is read in review says who went and who came."""
    after = registered(collected(SWAPPED))
    counts = "3 regions, 2 figures, 2 municipalities with a figure"
    assert changes(registered(), after) == [
        f"changed  {TABLE}, jobs, 2023, bundled: {counts} -> {counts}; lost: Hengelo (GM0164); new: Losser (GM0168)"
    ]


def test_the_register_is_the_same_file_whatever_the_order_of_its_rows(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a.csv", "b.csv")]
    coverage.write_register(registered(), files[0])
    coverage.write_register(registered().reverse(), files[1])
    assert files[0].read_bytes() == files[1].read_bytes()
    assert b"\r" not in files[0].read_bytes()
    assert read_register(files[1]).equals(registered())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "b.csv"]


def file_of(path: Path, *municipalities: str, period: str = "2022") -> str:
    """What the register says of a run of these regions, after its counts."""
    text = "region_code period value\n" + "\n".join(f"{code} {period} 1" for code in municipalities)
    found = registered(collected(text))
    coverage.write_register(found, path)
    assert read_register(path).equals(found), "read as it was written"
    return path.read_text(encoding="utf-8").splitlines()[1].split(",", 7)[-1]


def test_the_regions_are_written_in_few_words(tmp_path: Path) -> None:
    path = tmp_path / "coverage.csv"
    of_2022, of_2019 = (sorted(coverage.municipalities(year)) for year in (2022, 2019))
    assert file_of(path, *of_2022) == "2022,,"
    assert file_of(path, *(code for code in of_2022 if code not in CODES[:2]), "NL01", "PV23") == (
        "2022,GM0153;GM0164,NL01;PV23"
    )
    # A table that was published again on later borders.
    assert file_of(path, *of_2019, period="2012") == "2019,,"
    # A municipality that is younger than what is known of them.
    assert file_of(path, *of_2022, "GM9999") == "2022,,GM9999"
    # A few are themselves.
    assert file_of(path, *CODES) == ",,GM0153;GM0164;GM0168"


@pytest.mark.parametrize(("year", "number"), [(2010, 431), (2019, 355), (2022, 345), (2026, 342)])
def test_the_municipalities_of_a_year_are_known_apart_from_any_run(year: int, number: int) -> None:
    """Their numbers are those of CBS. Weesp went into Amsterdam in March 2022; Haaksbergen is older."""
    assert len(coverage.municipalities(year)) == number
    assert ("GM0457" in coverage.municipalities(year)) == (year <= 2022)
    assert "GM0158" in coverage.municipalities(year)


HEADER = ",".join(coverage.COLUMNS)


@pytest.mark.parametrize(
    ("rows", "kind", "place"),
    [
        (
            "T,jobs,2022,bundled,1,1,many,,,GM1",
            ValueFault,
            "row 2, column municipalities: found 'many'; expected a count",
        ),
        ("T,jobs,2022,bundled,-1,1,1,,,GM1", ValueFault, "row 2, column regions: found '-1'"),
        (
            "T,jobs,2022,hearsay,1,1,1,,,GM1",
            ValueFault,
            "row 2, column origin: found 'hearsay'; expected one of bundled",
        ),
        (
            "T,jobs,2022,bundled,1,1,1,1999,,",
            ValueFault,
            "row 2, column borders: found '1999'; expected a year from 2010",
        ),
        (
            "T,jobs,2022,bundled,9,345,345,2022,GM0153,",
            ValueFault,
            "row 2, column figures: found '345'; expected the number",
        ),
        (
            "T,jobs,2022,bundled,2,2,2,,,GM1;NL01",
            ValueFault,
            "row 2, column municipalities: found '2'; expected the number",
        ),
        ("T,jobs,2022,bundled,1,1,1,,,GM1\nT,jobs,2022,bundled,1,1,1,,,GM2", DuplicateFigure, "row 3, column period"),
    ],
)
def test_a_mistake_in_the_register_is_refused_by_row_and_column(
    tmp_path: Path, rows: str, kind: type[InputError], place: str
) -> None:
    (tmp_path / "coverage.csv").write_text(f"{HEADER}\n{rows}\n", encoding="utf-8")
    with pytest.raises(kind) as caught:
        read_register(tmp_path / "coverage.csv")
    assert place in str(caught.value)


def test_a_register_that_is_gone_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match="btg coverage --update"):
        read_register(tmp_path / "coverage.csv")


# --- the project's own


def test_the_committed_register_is_that_of_the_bundled_figures(catalogue: Any, bundle: Facts) -> None:
    """Only what is bundled is held against it here: what else is registered depends on the data root."""
    run = collect(catalogue, bundle, None)
    register = read_register(coverage.REGISTER)
    assert register.filter(origin=BUNDLED).equals(count(run, catalogue))
    assert differences(register, run, catalogue).height == 0


def test_the_committed_register_is_written_as_the_command_writes_it(tmp_path: Path) -> None:
    coverage.write_register(read_register(coverage.REGISTER), tmp_path / "coverage.csv")
    committed = coverage.REGISTER.read_bytes().replace(b"\r\n", b"\n")
    assert committed == (tmp_path / "coverage.csv").read_bytes()


def test_a_golden_count_by_hand(catalogue: Any, bundle: Facts) -> None:
    """The Netherlands had 345 municipalities in 2022 (CBS); the bundle has them, the country and the province."""
    found = count(collect(catalogue, bundle, None), catalogue)
    row = found.filter(source_table="CBS 03759ned", period="2022").row(0, named=True)
    assert (row["regions"], row["municipalities"]) == (347, 345)
    assert bundle.figures.filter(indicator_id="population", period="2022")["region_code"].n_unique() == 347
