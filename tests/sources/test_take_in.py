"""A delivered file is recognised, read as a run will read it, and only then kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
import xlsxwriter

from catalog import Catalogue
from catalog.layouts import Layout, Recognition, RegionPlace, Titles
from catalog.layouts import PeriodPlace as Period
from catalog.model import TopicName
from sources import read_snapshot
from sources.errors import (
    DuplicateFigure,
    IncompleteFile,
    InputError,
    MissingMunicipality,
    SourceChanged,
    UnknownIndicator,
    UnknownLayout,
)
from sources.names import bundled_names
from sources.snapshots import SnapshotStore
from sources.take_in import Delivered, examine, take_in
from tests.sources.small import TABLE, catalogue, figures, indicator, source, source_table

JOBS = """\
Gemeente;Jaar;Banen
Enschede;2022;100
Hengelo (O.);2022;80
Ommen;2022;.
Enschede;2023*;110
Hengelo (O.);2023*;90
"""
ROWS = Layout(
    layout_id="jobs_rows",
    source_table=TABLE,
    source_id="cbs_labour",
    format="rows",
    recognise=Recognition(columns=("Gemeente", "Jaar", "Banen")),
    region=RegionPlace(column="Gemeente", by="name", levels=("GM", "NL")),
    period=Period(column="Jaar"),
    titles=Titles(unit="aantal"),
)
KNOWN = figures("region_code value\nGM0153 95\nGM0164 85", period="2021")


@pytest.fixture
def store(tmp_path: Path) -> SnapshotStore:
    return SnapshotStore(tmp_path / "data")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "Banen najaar.csv"
    path.write_text(JOBS, encoding="utf-8")
    return path


def look_at(path: Path, store: SnapshotStore, made: Catalogue | None = None, **given: Any) -> Delivered:
    return examine(path, made or catalogue(), [given.pop("layout", ROWS)], given.pop("known", KNOWN), store, **given)


def refused(kind: type[InputError], path: Path, store: SnapshotStore, **given: Any) -> InputError:
    """The error, exactly of this kind, with a remedy; nothing was kept."""
    with pytest.raises(InputError) as caught:
        look_at(path, store, **given)
    assert type(caught.value) is kind, caught.value
    assert caught.value.remedy
    assert not store.root.exists()
    return caught.value


def test_a_file_is_examined_without_keeping_anything(file: Path, store: SnapshotStore) -> None:
    entry = look_at(file, store)
    assert (entry.layout, entry.known_already) == (ROWS, False)
    assert entry.figures.select("region_code", "period", "value", "status", "reason").rows() == [
        ("GM0153", "2022", 100, "definitive", None),
        ("GM0153", "2023", 110, "provisional", None),
        ("GM0164", "2022", 80, "definitive", None),
        ("GM0164", "2023", 90, "provisional", None),
        ("GM0175", "2022", None, "suppressed", "."),
    ]
    assert not store.root.exists()


def test_a_file_that_was_taken_in_is_kept_as_it_came_and_read_the_same(
    file: Path, store: SnapshotStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = catalogue()
    entry = look_at(file, store, made)
    taken = take_in(file, entry, made, store)
    assert (taken.kind, taken.source_table) == ("delivered", TABLE)
    assert taken.details == {"layout": "jobs_rows", "file": "Banen najaar.csv"}
    assert taken.licence == "CC BY 4.0"
    assert store.read(taken.parts[0]) == file.read_bytes()
    assert store.of(TABLE) == [taken]
    file.unlink()
    monkeypatch.setattr(read_snapshot, "load_layouts", lambda _: [ROWS])
    read = read_snapshot.read_snapshot(store, taken, made)
    assert read.figures.equals(entry.figures)
    assert not read.synthetic


def test_an_invented_example_is_said_to_be_one(
    file: Path, store: SnapshotStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    invented = ROWS.model_copy(update={"synthetic": True})
    taken = take_in(file, look_at(file, store, layout=invented), catalogue(), store)
    monkeypatch.setattr(read_snapshot, "load_layouts", lambda _: [invented])
    assert read_snapshot.read_snapshot(store, taken, catalogue()).synthetic


def test_a_layout_that_is_no_longer_there_is_said(
    file: Path, store: SnapshotStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = take_in(file, look_at(file, store), catalogue(), store)
    monkeypatch.setattr(read_snapshot, "load_layouts", lambda _: [])
    with pytest.raises(UnknownLayout) as caught:
        read_snapshot.read_snapshot(store, taken, catalogue())
    assert caught.value.file == "Banen najaar.csv"
    assert "jobs_rows" in caught.value.expected


def test_the_same_bytes_are_known_also_under_another_name(file: Path, store: SnapshotStore) -> None:
    take_in(file, look_at(file, store), catalogue(), store)
    other = file.rename(file.with_name("Banen (1).csv"))
    assert look_at(other, store).known_already
    other.write_text(JOBS.replace("110", "111"), encoding="utf-8")
    assert not look_at(other, store).known_already


def test_a_file_of_which_the_stored_bytes_were_damaged_can_be_taken_in_again(file: Path, store: SnapshotStore) -> None:
    taken = take_in(file, look_at(file, store), catalogue(), store)
    (stored,) = store.root.glob("objects/*/*.gz")
    stored.write_bytes(b"")
    entry = look_at(file, store)
    assert not entry.known_already
    take_in(file, entry, catalogue(), store)
    assert store.read(taken.parts[0]) == file.read_bytes()


def test_a_file_of_another_layout_or_source_is_refused(file: Path, store: SnapshotStore) -> None:
    refused(UnknownLayout, file, store, source="uwv")
    file.write_text(JOBS.replace("Banen", "Werk"), encoding="utf-8")
    refused(UnknownLayout, file, store)


def test_a_file_without_columns_of_the_catalogue_is_refused(file: Path, store: SnapshotStore) -> None:
    made = catalogue(indicator("firms", source(topics=[TopicName(title="Bedrijven")])))
    error = refused(UnknownIndicator, file, store, made=made)
    assert error.file == str(file)
    assert TABLE in error.expected


def test_a_file_without_any_value_is_refused(file: Path, store: SnapshotStore) -> None:
    file.write_text("Gemeente;Jaar;Banen\nEnschede;2022;.\nHengelo (O.);2022;\n", encoding="utf-8")
    error = refused(IncompleteFile, file, store)
    assert error.file == str(file)


def test_a_file_that_lacks_an_own_municipality_is_refused(file: Path, store: SnapshotStore) -> None:
    file.write_text(JOBS.replace("Hengelo (O.);2023*;90\n", ""), encoding="utf-8")
    assert "Hengelo (GM0164), jobs, 2023" in str(refused(MissingMunicipality, file, store).remedy)


def test_a_national_file_without_a_large_municipality_is_refused(tmp_path: Path, store: SnapshotStore) -> None:
    """All municipalities of today but Amsterdam, where more people live than anywhere else."""
    names = {row.code: row.name for row in bundled_names().current().only(["GM"]).rows if not row.valid_to}
    people = {code: 900_000.0 if code == "GM0363" else 10_000.0 for code in names}
    known = pl.DataFrame(
        {
            "indicator_id": "population",
            "region_code": list(people),
            "period": "2022",
            "value": list(people.values()),
            "ci_low": None,
            "ci_high": None,
            "status": "definitive",
            "source_table": TABLE,
        },
        schema=KNOWN.schema,
    )
    titles = {code: names[code] for code in sorted(names)}
    rows = [f"{name};2022;100" for code, name in titles.items() if code != "GM0363"]
    path = tmp_path / "Banen land.csv"
    path.write_text("\n".join(["Gemeente;Jaar;Banen", *rows, ""]), encoding="utf-8")
    error = refused(MissingMunicipality, path, store, known=known)
    assert (error.file, error.value) == (f"Banen land.csv ({TABLE})", "none for GM0363")
    path.write_text("\n".join(["Gemeente;Jaar;Banen", *rows, "Amsterdam;2022;100", ""]), encoding="utf-8")
    assert look_at(path, store, known=known).figures.height == len(names)


def test_figures_a_thousand_times_those_known_are_refused_by_file(file: Path, store: SnapshotStore) -> None:
    known = KNOWN.with_columns(pl.col("value") / 1000)
    error = refused(SourceChanged, file, store, known=known)
    assert error.file == f"Banen najaar.csv ({TABLE})"


def test_two_sheets_that_give_one_figure_are_refused(tmp_path: Path, store: SnapshotStore) -> None:
    path = tmp_path / "Banen.xlsx"
    with xlsxwriter.Workbook(path) as book:
        for name, enschede in (("Blad1", 100), ("Blad2", 101)):
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, ["Gemeente", "Jaar", "Banen"])
            sheet.write_row(1, 0, ["Enschede", "2022", enschede])
            sheet.write_row(2, 0, ["Hengelo (O.)", "2022", 80])
    error = refused(DuplicateFigure, path, store)
    assert error.file == f"Banen.xlsx ({TABLE})"


def test_the_licence_and_title_are_those_of_the_catalogue(file: Path, store: SnapshotStore) -> None:
    made = catalogue(tables=[source_table(title="Banen per gemeente", source_id="uwv")])
    taken = take_in(file, look_at(file, store, made), made, store)
    assert (taken.title, taken.licence) == ("Banen per gemeente", "UWV, attribution")
