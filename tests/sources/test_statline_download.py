"""Downloading from StatLine, from stand-ins that answer as the services do, and fail as they do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal
from urllib.parse import unquote

import polars as pl
import pytest

from catalog.model import TopicName
from sources.errors import (
    DuplicateFigure,
    IncompleteAnswer,
    InputError,
    SourceChanged,
    SourceUnavailable,
    TableWithdrawn,
)
from sources.http import Deadline, Manners, PoliteClient
from sources.statline import StatLine, TableRequest, catalogue, read
from sources.statline.fetch import _same_site
from tests.standins.faults import Fault, Kind
from tests.standins.odata_v3 import ODataV3
from tests.standins.odata_v4 import ODataV4
from tests.standins.server import Answer
from tests.standins.tables import StandInTable, StandInTopic

Platform = Literal["odata_v4", "odata_v3"]
PLATFORMS: list[Platform] = ["odata_v4", "odata_v3"]
PAGE = 7
SECONDS = 4.0


@pytest.fixture(scope="module")
def client() -> Iterator[PoliteClient]:
    manners = Manners(first_wait=0.01, longest_wait=0.05, read_seconds=0.3, attempts=3)
    with PoliteClient(manners) as made:
        yield made


def table(platform: Platform) -> StandInTable:
    """Income of three municipalities, the country and a province, in two years and a quarter; two kinds of homes."""
    codes = {"odata_v4": ("M000222", "M000224"), "odata_v3": ("Gemiddeld_3", "Naam_4")}[platform]
    dimensions = {
        "KenmerkenVanHuishoudens": {"1050010": "Particuliere huishoudens", "10": "Type: eenpersoons"},
        "RegioS": {
            "NL01": "Nederland",
            "PV23": "Overijssel (PV)",
            "GM0141": "Almelo",
            "GM0153": "Enschede",
            "GM0164": "Hengelo (O.)",
        },
        "Perioden": {"2010JJ00": "2010", "2022JJ00": "2022", "2022KW01": "2022 1e kwartaal", "2023JJ00": "2023*"},
    }
    rows = [
        {"KenmerkenVanHuishoudens": home, "RegioS": region, "Perioden": period, codes[0]: number / 2, codes[1]: "a b"}
        for number, (home, region, period) in enumerate(
            (home, region, period)
            for home in dimensions["KenmerkenVanHuishoudens"]
            for region in dimensions["RegioS"]
            for period in dimensions["Perioden"]
        )
    ]
    topics = [
        StandInTopic(codes[0], ("Gestandaardiseerd inkomen",), "Gemiddeld inkomen", "1 000 euro", decimals=1),
        StandInTopic(codes[1], (), "Naam", "", "String"),
    ]
    statuses = {"2010JJ00": "Definitief", "2022JJ00": "Definitief", "2023JJ00": "Voorlopig"}
    return StandInTable("86161NED", "Inkomen van huishoudens; regio", dimensions, topics, rows, statuses)


def service(platform: Platform, *faults: Fault, page_size: int = PAGE) -> ODataV4 | ODataV3:
    kind = ODataV4 if platform == "odata_v4" else ODataV3
    return kind(table(platform), page_size=page_size, faults=list(faults))


def request(platform: Platform, server: ODataV4 | ODataV3, **changes: Any) -> TableRequest:
    asked = TableRequest(
        name="CBS 86161NED",
        platform=platform,
        url=server.base if isinstance(server, ODataV4) else server.url,
        table_id="86161NED",
        topics=((TopicName(path=["Gestandaardiseerd inkomen"], title="Gemiddeld inkomen", unit="1 000 euro"),),),
        select={"KenmerkenVanHuishoudens": (("1050010",),)},
        period_first="2022",
    )
    return replace(asked, **changes)


# Region, period and value of all that is asked for: by hand from `table`. A row in 8 is left out: 2010, and PV23.
RIGHT = [
    ("GM0141", "2022", 4.5),
    ("GM0141", "2022Q1", 5.0),
    ("GM0141", "2023", 5.5),
    ("GM0153", "2022", 6.5),
    ("GM0153", "2022Q1", 7.0),
    ("GM0153", "2023", 7.5),
    ("GM0164", "2022", 8.5),
    ("GM0164", "2022Q1", 9.0),
    ("GM0164", "2023", 9.5),
    ("NL01", "2022", 0.5),
    ("NL01", "2022Q1", 1.0),
    ("NL01", "2023", 1.5),
]


def figures(cells: pl.DataFrame) -> list[tuple[Any, ...]]:
    return cells.select("region_code", "period", "value").sort("region_code", "period").rows()


@pytest.mark.parametrize("platform", PLATFORMS)
class TestRight:
    """A service that does what it should."""

    def test_what_is_asked_for_is_what_comes(self, platform: Platform, client: PoliteClient) -> None:
        with service(platform) as server:
            asked = request(platform, server)
            download = StatLine(client).download(asked, Deadline.after(SECONDS))
        assert figures(read(asked, download.parts).cells) == RIGHT
        assert download.table.cells.equals(read(asked, download.parts).cells)
        assert download.title == "Inkomen van huishoudens; regio"
        assert download.modified_at is not None
        assert download.modified_at.startswith("2026-06-23")

    def test_every_answer_is_kept_with_its_address_and_moment(self, platform: Platform, client: PoliteClient) -> None:
        with service(platform) as server:
            download = StatLine(client).download(request(platform, server), Deadline.after(SECONDS))
        roles = [part.role for part in download.parts]
        rows = {"odata_v4": "observations", "odata_v3": "rows"}[platform]
        assert [role for role in roles if role.startswith(rows)] == [f"{rows}/0001", f"{rows}/0002"]
        assert {"codes/RegioS", "codes/Perioden", "codes/KenmerkenVanHuishoudens"} <= set(roles)
        assert len(set(roles)) == len(roles)
        assert all(part.url.startswith(server.url) and part.body and part.retrieved_at for part in download.parts)

    def test_the_service_leaves_out_what_is_not_wanted(self, platform: Platform, client: PoliteClient) -> None:
        with service(platform) as server:
            StatLine(client).download(request(platform, server), Deadline.after(SECONDS))
        asked = [unquote(line) for line in server.requests if "$filter" in line and "$count" not in line]
        assert len(asked) == 2  # 12 of the 40 rows, 7 a page
        first = asked[0]
        assert "KenmerkenVanHuishoudens eq '1050010'" in first
        assert "Perioden ge '2022'" in first
        if platform == "odata_v4":
            assert "(startswith(RegioS,'GM') or startswith(RegioS,'NL'))" in first
            assert "Measure eq 'M000222'" in first
            assert "StringValue" not in first
        else:
            assert "(substringof('GM',RegioS) or substringof('NL',RegioS))" in first
            assert "$select=KenmerkenVanHuishoudens,RegioS,Perioden,Gemiddeld_3" in first

    def test_everything_can_be_asked_for(self, platform: Platform, client: PoliteClient) -> None:
        with service(platform) as server:
            asked = request(platform, server, topics=(), select={}, period_first=None, regions=("",))
            download = StatLine(client).download(asked, Deadline.after(SECONDS))
        assert not [line for line in server.requests if "$filter" in line and "$skip" not in line]
        cells = read(asked, download.parts).cells
        assert cells.height == 80
        assert cells["text"].drop_nulls().unique().to_list() == ["a b"]

    def test_the_fingerprint_is_one_small_request_and_changes_with_the_table(
        self, platform: Platform, client: PoliteClient
    ) -> None:
        with service(platform) as server:
            statline = StatLine(client)
            asked = request(platform, server)
            before = statline.fingerprint(asked, Deadline.after(SECONDS))
            assert len(server.requests) == 1
            assert statline.fingerprint(asked, Deadline.after(SECONDS)) == before
            assert statline.download(asked, Deadline.after(SECONDS)).fingerprint == before.text
            server.faults.append(Fault(Kind.PROVISIONAL_FLIP))
            assert statline.fingerprint(asked, Deadline.after(SECONDS)) != before

    def test_tables_are_found_by_their_title(self, platform: Platform, client: PoliteClient) -> None:
        with service(platform) as server:
            asked = request(platform, server)
            found = catalogue(client, asked.url, platform, "huishoudens; regio", Deadline.after(SECONDS))
            none = catalogue(client, asked.url, platform, "bloemen", Deadline.after(SECONDS))
        assert found.columns == none.columns == ["identifier", "title", "status", "modified"]
        assert found.row(0)[:3] == ("86161NED", "Inkomen van huishoudens; regio", "Regulier")
        assert (found.height, none.height) == (1, 0)

    def test_a_title_with_a_quote_is_asked_for_as_it_is(self, platform: Platform, client: PoliteClient) -> None:
        with service(platform) as server:
            url = request(platform, server).url
            assert catalogue(client, url, platform, "regio's", Deadline.after(SECONDS)).is_empty()

    def test_at_most_three_requests_run_at_a_time(self, platform: Platform, client: PoliteClient) -> None:
        with service(platform) as server:
            server.delay = 0.02
            StatLine(client).download(request(platform, server), Deadline.after(SECONDS))
        assert 1 < server.most_at_once <= 3


def test_of_the_key_figures_of_districts_only_municipalities_and_the_country_are_fetched(client: PoliteClient) -> None:
    """Kerncijfers wijken en buurten, on v3: no periods, `NL00`, and a code list of more than one page."""
    regions = {"NL00": "Nederland", "GM0153": "Enschede", "BU0153GM1": "A buurt with GM in its code"}
    regions |= {f"BU0141{number:04}": f"Buurt {number}" for number in range(10_000)}
    made = StandInTable(
        "85984NED",
        "Kerncijfers wijken en buurten 2024",
        {"WijkenEnBuurten": regions},
        [StandInTopic("AantalInwoners_5", ("Bevolking",), "Aantal inwoners", "aantal", "Long")],
        [{"WijkenEnBuurten": code, "AantalInwoners_5": number} for number, code in enumerate(regions)],
    )
    with ODataV3(made) as server:
        asked = TableRequest("CBS 85984NED", "odata_v3", server.url, "85984NED", period_first="2024")
        download = StatLine(client).download(asked, Deadline.after(SECONDS))
    assert {"codes/WijkenEnBuurten", "codes/WijkenEnBuurten/0002"} <= {part.role for part in download.parts}
    (rows,) = (part for part in download.parts if part.role.startswith("rows"))
    assert rows.body.count(b"BU") == 1  # the service cannot tell it from a municipality
    cells = read(asked, download.parts).cells
    assert cells.select("region_code", "period", "value").rows() == [("NL01", None, 0.0), ("GM0153", None, 1.0)]


AGES = {str(10_010 + 10 * age): f"{age} jaar" for age in range(91)}  # the last one is not asked for


@pytest.mark.parametrize("platform", PLATFORMS)
class TestManyMembers:
    """Ninety single years of age, as of the population (03759ned): more than a service takes in one filter."""

    def service(self, platform: Platform) -> ODataV4 | ODataV3:
        code = {"odata_v4": "M000352", "odata_v3": "BevolkingOp1Januari_1"}[platform]
        made = StandInTable(
            "03759ned",
            "Bevolking op 1 januari",
            {"Leeftijd": AGES, "RegioS": {"GM0141": "Almelo", "GM0153": "Enschede"}, "Perioden": {"2022JJ00": "2022"}},
            [StandInTopic(code, (), "Bevolking op 1 januari", "aantal", "Long")],
            [
                {"Leeftijd": age, "RegioS": region, "Perioden": "2022JJ00", code: int(age) + int(region[2:])}
                for age in AGES
                for region in ("GM0141", "GM0153")
            ],
        )
        return (ODataV4 if platform == "odata_v4" else ODataV3)(made, page_size=30)

    def request(self, platform: Platform, server: ODataV4 | ODataV3) -> TableRequest:
        select = {"Leeftijd": tuple((age,) for age in list(AGES)[:90])}
        return request(platform, server, name="CBS 03759ned", table_id="03759ned", topics=(), select=select)

    def test_they_are_asked_for_in_several_queries_that_make_one_table(
        self, platform: Platform, client: PoliteClient
    ) -> None:
        with self.service(platform) as server:
            asked = self.request(platform, server)
            download = StatLine(client).download(asked, Deadline.after(SECONDS))
        lines = [unquote(line) for line in server.requests if "$filter" in line]
        assert max(line.count("Leeftijd eq") for line in lines) == 40
        # 80, 80 and 20 rows, 30 a page; and a count of each.
        assert len([line for line in lines if "$count" not in line]) == 3 + 3 + 1
        assert [line.count("Leeftijd eq") for line in lines if "$count" in line] == [40, 40, 10]
        rows = {"odata_v4": "observations", "odata_v3": "rows"}[platform]
        roles = [part.role for part in download.parts if part.role.startswith(rows)]
        assert roles == [f"{rows}/{number:04}" for number in range(1, 8)]
        cells = read(asked, download.parts).cells
        assert cells.equals(download.table.cells)
        found = {(age, region): value for age, region, value in cells.select("Leeftijd", "region_code", "value").rows()}
        right = {(age, f"GM0{n}"): float(int(age) + n) for age in list(AGES)[:90] for n in (141, 153)}
        assert cells.height == len(right)
        assert found == right

    def test_rows_that_lack_in_one_of_the_queries_are_noticed(
        self, platform: Platform, client: PoliteClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with self.service(platform) as server:
            plain = server.answer

            def fewer(path: str, query: dict[str, str], headers: Any) -> Any:
                last = "'10810" in query.get("$filter", "") and not path.endswith("$count")
                return plain(path, {**query, "$top": "15"} if last else query, headers)

            monkeypatch.setattr(server, "answer", fewer)
            with pytest.raises(IncompleteAnswer, match=r"180 rows, .* found 175"):
                StatLine(client).download(self.request(platform, server), Deadline.after(SECONDS))

    def test_without_a_count_the_last_page_of_every_query_may_be_short_and_no_other(
        self, platform: Platform, client: PoliteClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with self.service(platform) as server:
            _refuse_to_count(server, monkeypatch)
            asked = self.request(platform, server)
            assert StatLine(client).download(asked, Deadline.after(SECONDS)).table.cells.height == 180
            plain = server.answer

            def short(path: str, query: dict[str, str], headers: Any) -> Any:
                answer = plain(path, query, headers)
                if query.get("$skip") != "30" or "'10410" not in query.get("$filter", ""):
                    return answer
                page = json.loads(answer.body)
                page["value"].pop()
                return replace(answer, body=json.dumps(page).encode())

            monkeypatch.setattr(server, "answer", short)
            with pytest.raises(IncompleteAnswer, match="cut short"):
                StatLine(client).download(asked, Deadline.after(SECONDS))


@pytest.mark.parametrize(
    ("link", "same"),
    [
        ("https://opendata.cbs.nl/odatafeed/OData/1/?$skip=10", True),
        ("https://OpenData.CBS.nl:443/ODataFeed", True),
        ("https://dataderden.cbs.nl/ODataFeed", True),
        ("http://opendata.cbs.nl/ODataFeed", False),
        ("https://opendata.cbs.nl:8443/ODataFeed", False),
        ("https://cbs.nl.example.org/ODataFeed", False),
        ("https://opendata.cbs.nl@example.org/ODataFeed", False),
        ("https://ecbs.nl/ODataFeed", False),
        ("https://93.184.1.2/ODataFeed", False),
        ("https://opendata.cbs.nl:port/", False),
        ("UntypedDataSet?$skip=10", False),
        ("file:///etc/passwd", False),
    ],
)
def test_a_next_page_is_of_the_same_site(link: str, same: bool) -> None:
    assert _same_site("https://opendata.cbs.nl/ODataFeed/odata/1", link) is same


def test_an_address_in_numbers_is_a_site_of_its_own() -> None:
    assert _same_site("http://127.0.0.1:80/x", "http://127.0.0.1/X")
    assert not _same_site("http://127.0.0.1/x", "http://10.9.0.1/x")
    assert not _same_site("http://127.0.0.1/x", "http://name.0.1/x")


TRANSIENT = [
    Kind.TOO_MANY_REQUESTS,
    Kind.UNAVAILABLE,
    Kind.SERVER_ERROR,
    Kind.RESET,
    Kind.SILENT,
    Kind.TRUNCATED_JSON,
    Kind.SHORT_BODY,
    Kind.HTML_PAGE,
    Kind.DAMAGED_GZIP,
]
ROWS = {"odata_v4": "/Observations", "odata_v3": "/UntypedDataSet"}


@pytest.mark.parametrize("platform", PLATFORMS)
class TestFaults:
    """Right data or a clear error, in time; never fewer rows."""

    @pytest.mark.parametrize(
        ("kind", "where"),
        [
            *((kind, where) for kind in TRANSIENT for where in ("rows", "second page")),
            *((kind, where) for kind in (Kind.RESET, Kind.TRUNCATED_JSON) for where in ("metadata", "count")),
        ],
    )
    def test_a_fault_that_passes_changes_nothing(
        self, kind: Kind, where: str, platform: Platform, client: PoliteClient
    ) -> None:
        matches = {
            "rows": f"{ROWS[platform]}?",
            "second page": "$skip=",
            "metadata": {"odata_v4": "RegioSCodes", "odata_v3": "/RegioS?"}[platform],
            "count": "/$count",
        }[where]
        # A number that is cut in half is a number: that the count is another then starts the download once more.
        with service(platform, Fault(kind, times=1, matches=matches, about="0")) as server:
            asked = request(platform, server)
            download = StatLine(client).download(asked, Deadline.after(SECONDS))
        assert server.faults[0].times == 0
        assert figures(read(asked, download.parts).cells) == RIGHT

    @pytest.mark.parametrize("kind", [*TRANSIENT, Kind.NOT_ACCEPTABLE, Kind.SLOW_DRIP])
    def test_a_fault_that_stays_ends_in_time_in_an_error_that_names_the_table(
        self, kind: Kind, platform: Platform, client: PoliteClient
    ) -> None:
        with service(platform, Fault(kind, matches=ROWS[platform], about="0")) as server:
            deadline = Deadline.after(1.2)
            with pytest.raises(InputError) as caught:
                StatLine(client).download(request(platform, server), deadline)
            assert deadline.left() > -0.5
        assert isinstance(caught.value, SourceUnavailable)
        assert "CBS 86161NED" in str(caught.value)
        assert "86161NED" in str(caught.value.expected)
        assert caught.value.remedy

    @pytest.mark.parametrize("kind", [Kind.DUPLICATE_PAGE, Kind.PAGE_MISSING])
    def test_a_page_that_came_twice_or_not_at_all_is_noticed_and_all_is_fetched_again(
        self, kind: Kind, platform: Platform, client: PoliteClient
    ) -> None:
        # The fault strikes the first page of the first download; the second download is right.
        with service(platform, Fault(kind, times=1, matches=ROWS[platform]), page_size=4) as server:
            asked = request(platform, server)
            download = StatLine(client).download(asked, Deadline.after(SECONDS))
        assert server.faults[0].times == 0
        assert figures(read(asked, download.parts).cells) == RIGHT

    @pytest.mark.parametrize(("kind", "found"), [(Kind.DUPLICATE_PAGE, 16), (Kind.PAGE_MISSING, 8)])
    def test_a_page_that_always_comes_twice_or_not_at_all_is_an_error_with_the_numbers(
        self, kind: Kind, found: int, platform: Platform, client: PoliteClient
    ) -> None:
        with (
            service(platform, Fault(kind, matches=ROWS[platform]), page_size=4) as server,
            pytest.raises(IncompleteAnswer) as caught,
        ):
            StatLine(client).download(request(platform, server), Deadline.after(SECONDS))
        assert "CBS 86161NED" in str(caught.value)
        assert "12 rows" in caught.value.expected
        assert f"found {found}" in caught.value.expected

    def test_as_many_rows_as_counted_but_one_of_them_twice_is_noticed(
        self, platform: Platform, client: PoliteClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Rows that move while pages are fetched: the total is right, a row is there twice and another one lacks."""
        with service(platform) as server:
            plain = type(server).answer

            def moved(self: Any, path: str, query: dict[str, str], headers: Any) -> Any:
                skip = int(query["$skip"]) - 1 if query.get("$skip") == str(PAGE) else None
                query = query if skip is None else {**query, "$skip": str(skip), "$top": str(12 - PAGE)}
                return plain(self, path, query, headers)

            monkeypatch.setattr(type(server), "answer", moved)
            with pytest.raises(DuplicateFigure, match="rows came twice"):
                StatLine(client).download(request(platform, server), Deadline.after(SECONDS))

    def test_a_service_that_goes_in_circles_is_left(
        self, platform: Platform, client: PoliteClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with service(platform, page_size=3) as server:
            monkeypatch.setattr(
                type(server), "misled", lambda self, query, following, path: {**following, "$skip": "3"}
            )
            with pytest.raises(IncompleteAnswer, match="circles"):
                StatLine(client).download(request(platform, server), Deadline.after(SECONDS))
        assert len(server.requests) < 40

    def test_a_next_page_on_another_site_is_refused(
        self, platform: Platform, client: PoliteClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with service(platform) as elsewhere, service(platform) as server:
            plain = server.answer

            def astray(path: str, query: dict[str, str], headers: Any) -> Any:
                answer = plain(path, query, headers)
                _, found, link = answer.body.partition(b'odata.nextLink":')
                there = link.replace(server.url.encode(), elsewhere.url.encode())
                return replace(answer, body=answer.body.removesuffix(link) + there) if found else answer

            monkeypatch.setattr(server, "answer", astray)
            with pytest.raises(SourceChanged, match="CBS 86161NED") as caught:
                StatLine(client).download(request(platform, server), Deadline.after(SECONDS))
        assert "127.0.0.1" in caught.value.expected
        assert elsewhere.url in str(caught.value.value)
        assert not elsewhere.requests

    def test_a_next_page_may_have_other_capitals_in_its_path(
        self, platform: Platform, client: PoliteClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with service(platform) as server:
            plain = server.answer

            def lower(path: str, query: dict[str, str], headers: Any) -> Any:
                answer = plain(path.replace("/oDATA/", "/odata/"), query, headers)
                head, found, link = answer.body.partition(b'odata.nextLink":')
                return replace(answer, body=head + found + re.sub(b"/odata/", b"/oDATA/", link, flags=re.IGNORECASE))

            monkeypatch.setattr(server, "answer", lower)
            download = StatLine(client).download(request(platform, server), Deadline.after(SECONDS))
        assert any("/oDATA/" in line for line in server.requests)
        assert figures(download.table.cells) == RIGHT

    def test_a_renamed_topic_is_an_error_before_any_row_is_asked_for(
        self, platform: Platform, client: PoliteClient
    ) -> None:
        with (
            service(platform, Fault(Kind.COLUMN_RENAMED)) as server,
            pytest.raises(SourceChanged, match="Gemiddeld inkomen") as caught,
        ):
            StatLine(client).download(request(platform, server), Deadline.after(SECONDS))
        assert "nieuwe definitie" in str(caught.value.remedy)
        assert not [line for line in server.requests if ROWS[platform] in line]

    def test_a_column_with_another_suffix_is_the_same_topic(self, platform: Platform, client: PoliteClient) -> None:
        """Suffixes shift with every edition of a v3 table: a topic goes by its titles."""
        with service(platform, Fault(Kind.COLUMN_RENAMED)) as server:
            new = ((TopicName(title="Gemiddeld inkomen (nieuwe definitie)", unit="1 000 euro"),),)
            asked = request(platform, server, topics=new)
            download = StatLine(client).download(asked, Deadline.after(SECONDS))
        assert figures(read(asked, download.parts).cells) == RIGHT

    def test_another_unit_is_an_error(self, platform: Platform, client: PoliteClient) -> None:
        with (
            service(platform, Fault(Kind.TIMES_THOUSAND, about="euro")) as server,
            pytest.raises(SourceChanged, match="1 000 euro") as caught,
        ):
            StatLine(client).download(request(platform, server), Deadline.after(SECONDS))
        assert "(euro)" in str(caught.value.remedy)

    def test_nothing_at_all_is_no_answer(self, platform: Platform, client: PoliteClient) -> None:
        """A code list may name a region of which there is no row."""
        with service(platform, Fault(Kind.MUNICIPALITY_MISSING)) as server:
            asked = request(platform, server, regions=("GM0153",))
            with pytest.raises(IncompleteAnswer, match="at least one figure"):
                StatLine(client).download(asked, Deadline.after(SECONDS))

    def test_a_table_that_was_withdrawn_is_an_error_at_once(self, platform: Platform, client: PoliteClient) -> None:
        with service(platform, Fault(Kind.TABLE_WITHDRAWN)) as server:
            asked = request(platform, server)
            for ask in (StatLine(client).download, StatLine(client).fingerprint):
                with pytest.raises(TableWithdrawn, match="CBS 86161NED"):
                    ask(asked, Deadline.after(SECONDS))
        assert len(server.requests) <= 3

    def test_wrong_capitals_in_the_table_id_are_an_error(self, platform: Platform, client: PoliteClient) -> None:
        with service(platform) as server, pytest.raises(TableWithdrawn, match="capitals"):
            StatLine(client).fingerprint(request(platform, server, table_id="86161ned"), Deadline.after(SECONDS))

    def test_a_table_replaced_while_it_was_fetched_is_fetched_again(
        self, platform: Platform, client: PoliteClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As many rows as before, but of two versions."""
        with service(platform) as server:
            plain = type(server).answer

            def replaced(self: Any, path: str, query: dict[str, str], headers: Any) -> Any:
                if "$skip" in query and not server.faults:
                    server.faults.append(Fault(Kind.PROVISIONAL_FLIP, about="2023JJ00"))
                return plain(self, path, query, headers)

            monkeypatch.setattr(type(server), "answer", replaced)
            asked = request(platform, server)
            download = StatLine(client).download(asked, Deadline.after(SECONDS))
        cells = read(asked, download.parts).cells
        assert figures(cells) == [(code, period, value + (period == "2023")) for code, period, value in RIGHT]
        assert cells.filter(period="2023")["period_status"].unique().to_list() == ["Definitief"]

    def test_a_download_without_time_left_begins_nothing(self, platform: Platform, client: PoliteClient) -> None:
        with service(platform) as server, pytest.raises(SourceUnavailable):
            StatLine(client).download(request(platform, server), Deadline.after(0))
        assert not server.requests

    def test_a_service_that_refuses_to_count_is_read_all_the_same(
        self, platform: Platform, client: PoliteClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whether v3 counts filtered rows was not recorded."""
        with service(platform) as server:
            _refuse_to_count(server, monkeypatch)
            asked = request(platform, server)
            download = StatLine(client).download(asked, Deadline.after(SECONDS))
        assert figures(read(asked, download.parts).cells) == RIGHT

    def test_without_a_count_a_page_that_was_cut_short_is_noticed(
        self, platform: Platform, client: PoliteClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with service(platform, page_size=2) as server:
            _refuse_to_count(server, monkeypatch)
            plain = server.answer

            def short(path: str, query: dict[str, str], headers: Any) -> Any:
                answer = plain(path, query, headers)
                if "$skip" in query and query["$skip"] == "2":
                    page = json.loads(answer.body)
                    page["value"].pop()
                    return replace(answer, body=json.dumps(page).encode())
                return answer

            monkeypatch.setattr(server, "answer", short)
            with pytest.raises(IncompleteAnswer, match="cut short"):
                StatLine(client).download(request(platform, server), Deadline.after(SECONDS))


def _refuse_to_count(server: ODataV4 | ODataV3, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = server.answer
    monkeypatch.setattr(
        server,
        "answer",
        lambda path, query, headers: Answer(400, b"no") if path.endswith("$count") else plain(path, query, headers),
    )
