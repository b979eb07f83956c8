"""Stored answers of StatLine become a tidy table, without a network: made ones, and those that were recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from email.message import Message
from pathlib import Path
from typing import Any, Literal

import orjson
import polars as pl
import pytest

from catalog.model import TopicName
from sources.errors import DuplicateFigure, IncompleteAnswer, InputError, PeriodError, SourceChanged, ValueFault
from sources.snapshots import Part
from sources.statline import TableRequest, read, v3, v4
from sources.statline.table import conditions, narrow
from sources.tidy import CELL, Topic
from tests.standins.odata_v3 import ODataV3
from tests.standins.odata_v4 import ODataV4
from tests.standins.tables import StandInTable, StandInTopic

Platform = Literal["odata_v4", "odata_v3"]
PLATFORMS: list[Platform] = ["odata_v4", "odata_v3"]
HEALTHY = ((TopicName(title="Goed ervaren gezondheid", unit="%"),),)


def request(platform: Platform, table_id: str = "T1NED", **changes: Any) -> TableRequest:
    return TableRequest(name=f"CBS {table_id}", platform=platform, url="http://x", table_id=table_id, **changes)


def part(role: str, body: object) -> Part:
    return Part(role, f"http://x/{role}", orjson.dumps(body), "application/json", "2026-07-02T12:11:02+00:00")


def table(platform: Platform, **changes: Any) -> StandInTable:
    """Two regions, two sexes, margins and two years; a number, a text and some that are missing."""
    code = {"odata_v4": ("M1", "M2"), "odata_v3": ("GoedErvarenGezondheid_4", "Naam_5")}[platform]
    dimensions = {
        "RegioS": {"NL01": "Nederland", "PV23": "Overijssel (PV)", "GM0153": "Enschede"},
        "Geslacht": {"T001038": "Totaal mannen en vrouwen", "3000": "Mannen"},
        "Marges": {
            "MW00000": "Waarde",
            "MOG0095": "Ondergrens 95%-interval",
            "MBG0095": "Bovengrens 95%-interval",
        },
        "Perioden": {"2020JJ00": "2020", "2022JJ00": "2022*"},
    }
    dimensions = changes.pop("dimensions", dimensions)
    observations = [
        {"RegioS": region, "Geslacht": sex, "Marges": margin, "Perioden": period}
        | {code[0]: "." if (region, period) == ("GM0153", "2020JJ00") else 70 + number, code[1]: "stad"}
        for region in dimensions["RegioS"]
        for sex in dimensions["Geslacht"]
        for number, margin in enumerate(dimensions["Marges"])
        for period in dimensions["Perioden"]
    ]
    made: dict[str, Any] = {
        "topics": [
            StandInTopic(code[0], ("Gezondheid", "Ervaren"), "Goed ervaren gezondheid", "%", decimals=1),
            StandInTopic(code[1], (), "Naam", "", "String"),
        ],
        "observations": observations,
        "statuses": {"2020JJ00": "Definitief", "2022JJ00": "Voorlopig"},
    }
    return StandInTable("T1NED", "Gezondheid; regio", dimensions, **(made | changes))


def answers(platform: Platform, made: StandInTable) -> list[Part]:
    """All of a table as its service answers it, without filter."""
    server = ODataV4(made) if platform == "odata_v4" else ODataV3(made)
    base = f"/odata/v1/CBS/{made.table_id}" if platform == "odata_v4" else f"/ODataFeed/odata/{made.table_id}"
    entities = {
        "odata_v4": {
            "properties": "Properties",
            "dimensions": "Dimensions",
            "measure-codes": "MeasureCodes",
            **({"measure-groups": "MeasureGroups"} if any(topic.path for topic in made.topics) else {}),
            **{f"codes/{name}": f"{name}Codes" for name in made.dimensions},
            "observations/0001": "Observations",
        },
        "odata_v3": {
            "table-infos": "TableInfos",
            "data-properties": "DataProperties",
            **{f"codes/{name}": name for name in made.dimensions},
            "rows/0001": "UntypedDataSet",
        },
    }[platform]
    try:
        return [
            part(role, orjson.loads(server.answer(f"{base}/{entity}", {"$format": "json"}, Message()).body))
            for role, entity in entities.items()
        ]
    finally:
        server._server.server_close()


def changed(parts: Sequence[Part], role: str, do: Any) -> list[Part]:
    """The parts with the rows of one of them changed in place by `do`."""
    bodies = {given.role: orjson.loads(given.body) for given in parts}
    do(bodies[role]["value"])
    return [part(role, body) for role, body in bodies.items()]


def refused(kind: type[InputError], asked: TableRequest, parts: Sequence[Part]) -> InputError:
    """The error of reading, which must be exactly of this kind, name the table, and say what to do."""
    with pytest.raises(InputError) as caught:
        read(asked, parts)
    assert type(caught.value) is kind, caught.value
    assert asked.name in str(caught.value)
    assert caught.value.expected
    assert caught.value.remedy
    return caught.value


@pytest.mark.parametrize("platform", PLATFORMS)
class TestBothPlatforms:
    """A table comes out the same, whatever platform it is on."""

    def test_a_figure_is_a_row_with_its_bounds_status_and_reason(self, platform: Platform) -> None:
        read_table = read(request(platform, topics=HEALTHY), answers(platform, table(platform)))
        assert read_table.dimensions == ["Geslacht"]
        assert read_table.cells.schema == {name: CELL.get(name, pl.String) for name in ["topic", "Geslacht", *CELL]}
        rows = read_table.cells.drop("topic").filter(pl.col("Geslacht") == "3000").sort("region_code", "period")
        marker = "."
        assert rows.rows() == [
            ("3000", "GM0153", "2020", None, None, None, None, marker, "Definitief"),
            ("3000", "GM0153", "2022", 70.0, 71.0, 72.0, None, None, "Voorlopig"),
            ("3000", "NL01", "2020", 70.0, 71.0, 72.0, None, None, "Definitief"),
            ("3000", "NL01", "2022", 70.0, 71.0, 72.0, None, None, "Voorlopig"),
        ]

    def test_topics_members_and_names_are_those_that_were_asked_for(self, platform: Platform) -> None:
        asked = request(platform, topics=HEALTHY, select={"Geslacht": (("Mannen",),)})
        read_table = read(asked, answers(platform, table(platform)))
        (topic,) = read_table.topics
        assert (topic.path, topic.title, topic.unit) == (("Gezondheid", "Ervaren"), "Goed ervaren gezondheid", "%")
        assert read_table.cells["topic"].unique().to_list() == [topic.key]
        assert read_table.members == {"Geslacht": {"3000": "Mannen"}}
        assert read_table.region_names == {"NL01": "Nederland", "GM0153": "Enschede"}

    def test_text_is_text_and_has_no_value(self, platform: Platform) -> None:
        asked = request(platform, topics=((TopicName(title="Naam"),),), select={"Marges": (("Waarde",),)})
        cells = read(asked, answers(platform, table(platform))).cells
        assert cells.select("value", "text", "reason").unique().rows() == [(None, "stad", None)]

    def test_rows_that_were_not_asked_for_do_not_count(self, platform: Platform) -> None:
        asked = request(platform, regions=("PV",), select={"Geslacht": (("T001038",),)}, period_first="2021Q3")
        cells = read(asked, answers(platform, table(platform))).cells
        assert cells.select("Geslacht", "region_code", "period").unique().rows() == [("T001038", "PV23", "2022")]

    def test_a_table_without_periods_has_none(self, platform: Platform) -> None:
        made = table(platform)
        dimensions = {name: codes for name, codes in made.dimensions.items() if name != "Perioden"}
        rows = [row for row in made.observations if row["Perioden"] == "2022JJ00"]  # type: ignore[union-attr]
        asked = request(platform, topics=HEALTHY, period_first="2022")
        cells = read(asked, answers(platform, table(platform, dimensions=made.dimensions))).cells
        made = StandInTable("T1NED", "Gezondheid", dimensions, made.topics, rows)
        without = read(asked, answers(platform, made)).cells
        assert without.select("period", "period_status").unique().rows() == [(None, None)]
        assert without["value"].sum() == cells["value"].sum()

    def test_the_country_of_the_district_tables_is_the_country(self, platform: Platform) -> None:
        made = table(platform)
        dimensions = made.dimensions | {"RegioS": {"NL00": "Nederland", "GM0153": "Enschede"}}
        rows = [
            row | {"RegioS": row["RegioS"].replace("NL01", "NL00")}
            for row in made.observations  # type: ignore[union-attr]
            if row["RegioS"] != "PV23"
        ]
        made = table(platform, dimensions=dimensions, observations=rows)
        read_table = read(request(platform, topics=HEALTHY), answers(platform, made))
        assert set(read_table.cells["region_code"]) == {"NL01", "GM0153"}
        assert read_table.region_names == {"NL01": "Nederland", "GM0153": "Enschede"}

    def test_two_codes_for_the_country_are_refused(self, platform: Platform) -> None:
        regions = {"NL00": "Nederland", "NL01": "Nederland", "GM0153": "Enschede"}
        made = table(platform, dimensions=table(platform).dimensions | {"RegioS": regions})
        error = refused(SourceChanged, request(platform), answers(platform, made))
        assert error.value == "NL00, NL01"

    def test_two_codes_for_one_period_are_refused(self, platform: Platform) -> None:
        periods = {"2017JJ00": "2017", "2017G400": "2014/2017"}
        made = table(platform, dimensions=table(platform).dimensions | {"Perioden": periods})
        error = refused(DuplicateFigure, request(platform), answers(platform, made))
        assert "2017G400" in str(error.remedy)

    def test_a_period_that_nobody_knows_is_refused_if_it_has_figures(self, platform: Platform) -> None:
        periods = {"2022JJ00": "2022", "2022ZZ00": "?"}
        made = table(platform, dimensions=table(platform).dimensions | {"Perioden": periods})
        assert refused(PeriodError, request(platform), answers(platform, made)).value == "2022ZZ00"

    def test_a_code_outside_its_code_list_is_refused(self, platform: Platform) -> None:
        parts = answers(platform, table(platform))
        without_men = changed(parts, "codes/Geslacht", lambda rows: rows.pop())
        error = refused(IncompleteAnswer, request(platform), without_men)
        assert (error.column, error.value) == ("Geslacht", "3000")

    def test_no_rows_are_no_table(self, platform: Platform) -> None:
        role = "observations/0001" if platform == "odata_v4" else "rows/0001"
        refused(IncompleteAnswer, request(platform), changed(answers(platform, table(platform)), role, list.clear))

    def test_a_row_that_is_there_twice_is_refused(self, platform: Platform) -> None:
        role = "observations/0001" if platform == "odata_v4" else "rows/0001"
        parts = changed(answers(platform, table(platform)), role, lambda rows: rows.append(rows[0]))
        refused(DuplicateFigure, request(platform), parts)

    def test_a_bound_without_its_value_is_refused(self, platform: Platform) -> None:
        asked = request(platform, topics=HEALTHY, select={"Marges": (("MOG0095",), ("MBG0095",))})
        refused(SourceChanged, asked, answers(platform, table(platform)))

    def test_margins_of_another_kind_are_refused(self, platform: Platform) -> None:
        margins = {"MW00000": "Waarde", "MOG0090": "Ondergrens 90%-interval"}
        made = table(platform, dimensions=table(platform).dimensions | {"Marges": margins})
        assert "MOG0090" in str(refused(SourceChanged, request(platform), answers(platform, made)).value)

    def test_a_topic_that_was_renamed_is_named_with_what_there_is(self, platform: Platform) -> None:
        asked = request(platform, topics=((TopicName(title="Goede gezondheid", unit="%"),),))
        error = refused(SourceChanged, asked, answers(platform, table(platform)))
        assert "Goed ervaren gezondheid" in str(error.remedy)

    def test_a_topic_in_another_unit_is_another_topic(self, platform: Platform) -> None:
        asked = request(platform, topics=((TopicName(title="Goed ervaren gezondheid", unit="aantal"),),))
        refused(SourceChanged, asked, answers(platform, table(platform)))

    @pytest.mark.parametrize(
        ("select", "column"),
        [
            ({"Geslacht": (("Vrouwen", "4000"),)}, "Geslacht"),
            ({"Leeftijd": (("10000",),)}, "Leeftijd"),
            ({"Geslacht": (("Mannen", "T001038"),)}, "Geslacht"),
        ],
        ids=["no such member", "no such dimension", "two members fit"],
    )
    def test_a_member_that_is_not_there_once_is_refused(
        self, platform: Platform, select: Mapping[str, tuple[tuple[str, ...], ...]], column: str
    ) -> None:
        error = refused(SourceChanged, request(platform, select=select), answers(platform, table(platform)))
        assert error.column == column
        assert "Geslacht" in str(error.remedy) or "Mannen" in f"{error.remedy}{error.value}"

    @pytest.mark.parametrize("changes", [{"regions": ("BU",)}, {"period_first": "2030"}])
    def test_a_table_without_what_is_asked_for_is_refused(self, platform: Platform, changes: dict[str, Any]) -> None:
        refused(SourceChanged, request(platform, **changes), answers(platform, table(platform)))


class TestV4:
    """What only OData v4 has."""

    def test_the_reason_is_what_cbs_writes_whatever_it_is(self) -> None:
        parts = answers("odata_v4", table("odata_v4"))

        def secret(rows: list[dict[str, Any]]) -> None:
            for row in rows:
                row.update({"Value": None, "StringValue": None, "ValueAttribute": "Geheim v2"})

        cells = read(request("odata_v4"), changed(parts, "observations/0001", secret)).cells
        assert cells.select("value", "text", "reason").unique().rows() == [(None, None, "Geheim v2")]

    def test_older_pages_have_no_string_value(self) -> None:
        def older(rows: list[dict[str, Any]]) -> None:
            for row in rows:
                del row["StringValue"]

        asked, parts = request("odata_v4", topics=HEALTHY), answers("odata_v4", table("odata_v4"))
        assert read(asked, changed(parts, "observations/0001", older)).cells.equals(read(asked, parts).cells)

    def test_codes_with_blanks_as_older_tables_have_them_are_the_same_codes(self) -> None:
        def padded(rows: list[dict[str, Any]]) -> None:
            for row in rows:
                row.update({"RegioS": row["RegioS"].ljust(10), "Measure": f"{row['Measure']} "})

        asked, parts = request("odata_v4"), answers("odata_v4", table("odata_v4"))
        assert read(asked, changed(parts, "observations/0001", padded)).cells.equals(read(asked, parts).cells)

    def test_a_page_may_be_empty_and_pages_are_added_up(self) -> None:
        asked, parts = request("odata_v4"), answers("odata_v4", table("odata_v4"))
        (whole,) = (given for given in parts if given.role == "observations/0001")
        rows = orjson.loads(whole.body)["value"]
        split = [part(f"observations/000{n}", {"value": some}) for n, some in enumerate([rows[:5], [], rows[5:]], 1)]
        again = read(asked, [given for given in parts if given is not whole] + split).cells
        assert again.equals(read(asked, parts).cells)


class TestV3:
    """What only OData v3 has."""

    @pytest.mark.parametrize(
        ("written", "value", "reason"),
        [
            ("   135.5", 135.5, None),
            ("      -3", -3.0, None),
            ("       0", 0.0, None),
            ("", None, ""),
            ("       .", None, "."),
            ("x", None, "x"),
            (None, None, ""),
        ],
    )
    def test_a_padded_text_is_a_number_or_the_reason_why_there_is_none(
        self, written: str | None, value: float | None, reason: str | None
    ) -> None:
        def write(rows: list[dict[str, Any]]) -> None:
            for row in rows:
                row["GoedErvarenGezondheid_4"] = written

        asked, parts = request("odata_v3", topics=HEALTHY), answers("odata_v3", table("odata_v3"))
        cells = read(asked, changed(parts, "rows/0001", write)).cells
        assert cells.select("value", "reason").unique().rows() == [(value, reason)]

    def test_what_is_neither_a_number_nor_a_marker_is_refused(self) -> None:
        def write(rows: list[dict[str, Any]]) -> None:
            rows[3]["GoedErvarenGezondheid_4"] = "12,5"

        asked, parts = request("odata_v3", topics=HEALTHY), answers("odata_v3", table("odata_v3"))
        assert refused(ValueFault, asked, changed(parts, "rows/0001", write)).value == "12,5"

    def test_a_table_of_texts_only_is_read_too(self) -> None:
        asked = request("odata_v3", topics=((TopicName(title="Naam"),),))
        assert set(read(asked, answers("odata_v3", table("odata_v3"))).cells["text"]) == {"stad"}


def recorded(folder: Path, **changes: Any) -> tuple[TableRequest, list[Part]]:
    """A recorded v4 table."""
    roles = {"observations-page-1": "observations/0001"}
    parts = [
        Part(roles.get(path.stem, path.stem.replace("codes-", "codes/")), path.name, path.read_bytes(), "json", "")
        for path in sorted(folder.glob("*.json"))
        if path.stem != "index"
    ]
    return request("odata_v4", folder.name, **changes), parts


@pytest.mark.shared
class TestRecorded:
    """Answers that the services really gave."""

    def test_population_of_all_municipalities_ever(self, shared_data: Path) -> None:
        """03759ned as recorded on 2 July 2026; numbers as in the recorded answer."""
        asked, parts = recorded(
            shared_data / "odata-v4" / "03759ned",
            topics=((TopicName(title="Bevolking op 1 januari", unit="aantal"),),),
            select={
                "Geslacht": (("T001038",),),
                "Leeftijd": (("10000", "Totaal leeftijd"),),
                "BurgerlijkeStaat": (("Totaal burgerlijke staat",),),
            },
        )
        read_table = read(asked, parts)
        cells = read_table.cells
        # 835 municipalities of all eras and the country, in the 8 years 2019-2026; 13 provinces are not asked for.
        assert cells.height == 836 * 8
        known = dict(cells.filter(period="2022").select("region_code", "value").iter_rows())
        assert (known["NL01"], known["GM0153"], known["GM0164"]) == (17590672, 160640, 81476)
        assert known["GM0142"] is None
        assert dict(cells.filter(region_code="GM0142").select("period", "reason").iter_rows())["2022"] == "Impossible"
        assert read_table.region_names["GM0164"] == "Hengelo (O.)"
        assert cells["period_status"].unique().to_list() == ["Definitief"]

    def test_every_figure_of_the_recorded_tables_is_read(self, shared_data: Path) -> None:
        for table_id, regions in (("83625NED", ("NL", "LD", "PV", "CR", "GM")), ("37789ksz", ()), ("80590ned", ())):
            asked, parts = recorded(shared_data / "odata-v4" / table_id, regions=regions)
            raw = next(orjson.loads(given.body)["value"] for given in parts if given.role == "observations/0001")
            cells = read(asked, parts).cells
            assert cells.height == len(raw)
            numbers = [row["Value"] for row in raw if row["Value"] is not None]
            assert cells["value"].drop_nulls().to_list() == numbers
            assert cells["reason"].drop_nulls().len() == len(raw) - len(numbers)

    def test_the_region_dimension_goes_by_its_kind(self, shared_data: Path) -> None:
        """85554NED, of which only the metadata was recorded: margins, labour market regions, months."""
        asked, parts = recorded(
            shared_data / "odata-v4" / "85554NED",
            regions=("AM05", "NL"),
            select={"Geslacht": (("T001038",),), "Leeftijd": (("Totaal",),)},
            period_first="2022-03",
        )
        narrowed = narrow(v4._describe(parts, asked), asked)
        (written,) = conditions(narrowed, asked, lambda name, prefix: f"startswith({name},'{prefix}')")
        assert written == (
            "Geslacht eq 'T001038' and Leeftijd eq '10000' and "
            "(startswith(RegioS,'AM05') or startswith(RegioS,'NL')) and Perioden ge '2022'"
        )
        assert [dimension.role for dimension in narrowed.dimensions].count("margin") == 1

    def test_untyped_rows_in_two_pages(self, shared_data: Path) -> None:
        """83599NED (vacancies), 15,504 rows; its metadata was not recorded and is made of its own codes."""
        folder = shared_data / "odata-v3" / "recorded"
        pages = [orjson.loads((folder / f"tables_{number}.json").read_bytes()) for number in (2, 3)]
        rows = [row for page in pages for row in page["value"]]
        kinds = {"BedrijfstakkenBranchesSBI2008": "Dimension", "RegioS": "GeoDimension", "Perioden": "TimeDimension"}
        topic = {"Type": "Topic", "ParentID": None, "Key": "OpenstaandeVacatures_1", "Title": "Openstaande vacatures"}
        parts = [
            part("table-infos", {"value": [{"Modified": "2020-08-14T02:00:00", "Title": "Vacatures"}]}),
            part(
                "data-properties",
                {
                    "value": [
                        {"ID": n, "Type": kinds[name], "Key": name, "Title": name} for n, name in enumerate(kinds)
                    ]
                    + [topic | {"ID": 3, "Unit": "x 1 000", "Datatype": "Double"}]
                },
            ),
            *(
                part(f"codes/{name}", {"value": [{"Key": key, "Title": key} for key in {row[name] for row in rows}]})
                for name in kinds
            ),
            *(part(f"rows/{number:04}", page) for number, page in enumerate(pages, start=1)),
        ]
        cells = read(request("odata_v3", "83599NED", regions=("NL", "PV", "LD")), parts).cells
        assert cells.height == 15504
        first = cells.filter(BedrijfstakkenBranchesSBI2008="T001081", region_code="NL01", period="2011Q1")
        assert first["value"].to_list() == [135.5]
        empty = sum(row["OpenstaandeVacatures_1"] == "" for row in rows)
        assert cells.filter(pl.col("reason") == "").height == empty > 0
        assert cells["value"].null_count() == empty

    def test_topics_go_by_their_path(self, shared_data: Path) -> None:
        """80137ned: `Totaal` occurs four times, once in every group. Its rows were recorded from TypedDataSet."""
        folder = shared_data / "odata-v3" / "recorded"
        roles = {
            "meta_2": "table-infos",
            "meta_7": "data-properties",
            "meta_4": "codes/Persoonskenmerken",
            "meta_5": "codes/BedrijfstakkenSBI93",
            "meta_6": "codes/Perioden",
            "meta_8": "rows/0001",
        }
        parts = [Part(role, name, (folder / f"{name}.json").read_bytes(), "", "") for name, role in roles.items()]
        jobs = TopicName(path=["Gemiddeld aantal banen"], title="Totaal", unit="1 000 banen")
        asked = request(
            "odata_v3",
            "80137ned",
            topics=((jobs,),),
            select={"Persoonskenmerken": (("1",),), "BedrijfstakkenSBI93": (("99",),)},
        )
        read_table = read(asked, parts)
        assert read_table.topics == (Topic("Totaal_1", ("Gemiddeld aantal banen",), "Totaal", "1 000 banen"),)
        assert read_table.cells.select("period", "value").row(0) == ("2001", 8811.0)
        assert read_table.cells["region_code"].null_count() == read_table.cells.height == 5
        with pytest.raises(SourceChanged, match="exactly one topic"):
            read(request("odata_v3", "80137ned", topics=((TopicName(title="Totaal"),),)), parts)

    def test_key_figures_of_districts_give_the_municipalities_only(self, shared_data: Path) -> None:
        """84799NED as on 26 March 2021, from columns to the service's own shape; no periods, and `NL00`."""
        name = str(shared_data / "odata-v3" / "84799NED" / "cbs.v3.84799NED")
        properties = pl.read_parquet(f"{name}_DataProperties.parquet")
        regions = pl.read_parquet(f"{name}_WijkenEnBuurten.parquet")
        typed = pl.read_parquet(f"{name}_TypedDataSet.parquet").head(4000)
        untyped = typed.with_columns(pl.all().exclude("ID", "WijkenEnBuurten").cast(pl.String).fill_null("       ."))
        parts = [
            part("table-infos", {"value": [{"Modified": "2021-03-26T02:00:00", "Title": "KWB"}]}),
            part("data-properties", {"value": properties.to_dicts()}),
            part("codes/WijkenEnBuurten", {"value": regions.head(9000).to_dicts()}),
            part("codes/WijkenEnBuurten/0002", {"value": regions.tail(-9000).to_dicts()}),
            part("rows/0001", {"value": untyped.to_dicts()}),
        ]
        read_table = read(request("odata_v3", "84799NED"), parts)
        wanted = typed.filter(pl.col("WijkenEnBuurten").str.contains("^(GM|NL)"))
        assert read_table.cells.height == wanted.height * 116
        assert set(read_table.cells["region_code"].str.slice(0, 2)) == {"NL", "GM"}
        assert read_table.cells["period"].null_count() == read_table.cells.height
        inhabitants = read_table.cells.filter(topic="AantalInwoners_5")
        assert inhabitants["value"].to_list() == wanted["AantalInwoners_5"].to_list()
        assert inhabitants.filter(region_code="NL01")["value"].to_list() == [17407585]
        names = read_table.cells.filter(topic="Gemeentenaam_1")
        assert names["text"].to_list() == wanted["Gemeentenaam_1"].str.strip_chars().to_list()
        assert read_table.cells.filter(topic="GemiddeldInkomenPerInwoner_72")["reason"].unique().to_list() == ["."]


def test_a_filter_has_the_codes_as_the_service_writes_them() -> None:
    """With blanks too few OData v3 finds nothing, with code 200."""
    made = table("odata_v3", dimensions=table("odata_v3").dimensions | {"Geslacht": {"1": "O'Hara", "22": "Mannen"}})
    asked = request("odata_v3", select={"Geslacht": (("O'Hara", "1"),)}, period_first="2022Q1")
    narrowed = narrow(v3._describe(answers("odata_v3", made), asked), asked)
    assert conditions(narrowed, asked, lambda name, prefix: f"substringof('{prefix}',{name})") == [
        "(substringof('GM',RegioS) or substringof('NL',RegioS)) and Geslacht eq '1 ' and Perioden ge '2022'"
    ]
