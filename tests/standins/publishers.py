"""All publishers of the catalogue at once, on this machine: the tables that `btg fetch` asks for, with figures.

Figures are the bundled ones where there are any, and else invented (round functions of the municipality's code), so
that every figure of a run can be foretold. Surveys have margins of 2 up and down.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import polars as pl

from catalog import Catalogue
from catalog.model import Indicator, IndicatorSource
from sources.areas import AREA_TOPICS
from sources.cells import HIGH, LOW, VALUE
from sources.facts import Facts
from sources.figures import wanted
from tests.standins.faults import Fault
from tests.standins.odata_v3 import ODataV3
from tests.standins.odata_v4 import ODataV4
from tests.standins.ogc import Area, Pdok
from tests.standins.tables import StandInTable, StandInTopic

MARGIN = 2.0
_MARGINS = {VALUE: "Waarde", LOW: "Ondergrens 95%-interval", HIGH: "Bovengrens 95%-interval"}
_DISTRICTS = {"CBS 84799NED", "CBS 85039NED", "CBS 85318NED", "CBS 85618NED", "CBS 85984NED", "CBS 86165NED"}
_MODELLED = {"RIVM 50120NED", "RIVM 50150NED"}


@dataclass
class Publishers:
    """The services, and the faults that strike on all of them. Faults can be added and taken away at any time."""

    v4: ODataV4
    v3: ODataV3
    pdok: Pdok
    faults: list[Fault]

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which `btg` finds them instead of the real ones."""
        return {
            "BTG_SERVICE_CBS_V4": self.v4.base,
            "BTG_SERVICE_CBS_V3": self.v3.url,
            "BTG_SERVICE_RIVM_V3": self.v3.url,
            "BTG_SERVICE_PDOK_OGC": self.pdok.ogc_url,
            "BTG_SERVICE_PDOK_WFS": self.pdok.wfs_url,
        }

    @property
    def requests(self) -> list[str]:
        """Path and query of every request since the last `forget`."""
        return [*self.v4.requests, *self.v3.requests, *self.pdok.requests]

    def forget(self) -> None:
        """Forget the requests so far."""
        for server in (self.v4, self.v3, self.pdok):
            server.requests.clear()

    def issue(self, table_id: str, change: Callable[[StandInTable], StandInTable]) -> None:
        """Bring out a table anew, changed, a day after its last release."""
        for tables in (self.v4.tables, self.v3.tables):
            if table := tables.get(table_id):
                later = datetime.fromisoformat(table.modified) + timedelta(days=1)
                tables[table_id] = replace(change(table), modified=later.isoformat())


@contextmanager
def publishers(catalogue: Catalogue, facts: Facts) -> Iterator[Publishers]:
    """Serve every table that the catalogue wants; `faults` strike on all services."""
    faults: list[Fault] = []
    tables = {name: table_of(catalogue, facts, name) for name, t in catalogue.source_tables.items() if t.service}
    platform = {
        n: catalogue.services[t.service.service].platform for n, t in catalogue.source_tables.items() if t.service
    }
    with ExitStack() as stack:
        v4 = stack.enter_context(ODataV4(*(t for n, t in tables.items() if platform[n] == "odata_v4"), faults=faults))
        v3 = stack.enter_context(ODataV3(*(t for n, t in tables.items() if platform[n] == "odata_v3"), faults=faults))
        pdok = stack.enter_context(Pdok(_squares(catalogue, facts), faults))
        yield Publishers(v4, v3, pdok, faults)


def only(catalogue: Catalogue, *wanted: tuple[str, str]) -> Catalogue:
    """The catalogue with these figures only (indicator_id, source_table): small enough to fetch in a moment."""
    tables = {table for _, table in wanted}
    indicators = [
        indicator.model_copy(
            update={"sources": [s for s in indicator.sources if (indicator.indicator_id, s.source_table) in wanted]}
        )
        for indicator in catalogue.indicators
        if indicator.indicator_id in {indicator_id for indicator_id, _ in wanted}
    ]
    return catalogue.model_copy(
        update={
            "indicators": indicators,
            "source_tables": {name: table for name, table in catalogue.source_tables.items() if name in tables},
        }
    )


def few(facts: Facts, regions: Collection[str]) -> Facts:
    """The facts of these regions only."""
    return replace(facts, figures=facts.figures.filter(pl.col("region_code").is_in(list(regions))))


def table_of(catalogue: Catalogue, facts: Facts, name: str) -> StandInTable:
    """A source table as its publisher would serve it."""
    table = catalogue.source_tables[name]
    assert table.service is not None
    if table.areas_of is not None:
        return _areas(catalogue, facts, name, table.service.table_id)
    return _figures(catalogue, facts, name, table.service.table_id)


def _figures(catalogue: Catalogue, facts: Facts, name: str, table_id: str) -> StandInTable:
    wishes = wanted(catalogue, name)
    region = "WijkenEnBuurten" if name in _DISTRICTS | _MODELLED else "RegioS"
    survey = any(source.kind != "register" for _, source in wishes) and name not in _DISTRICTS | {"CBS 86008NED"}
    timed = not (name in _DISTRICTS or wishes[0][1].series_id == "health_monitor")
    topics = _topics(wishes)
    members = _members(wishes)
    names = _regions(catalogue, facts, name)
    frames = [_of_wish(catalogue, facts, indicator, source, list(names), topics) for indicator, source in wishes]
    cells = pl.concat([frame.select(sorted(frame.columns)) for frame in frames], how="diagonal")
    cells = cells.with_columns(
        pl.col(d).fill_null(next(iter(codes))) for d, codes in members.items() if d in cells.columns
    )
    for dimension, codes in members.items():
        if dimension not in cells.columns:
            cells = cells.with_columns(pl.lit(next(iter(codes))).alias(dimension))
    cells = cells.unique([*members, "region", "period", "topic"], keep="first", maintain_order=True)
    dimensions = {**members, region: names}
    if survey:
        cells = pl.concat(
            cells.with_columns(pl.lit(code).alias("Marges"), value=pl.col("value") + shift)
            for code, shift in ((VALUE, 0.0), (LOW, -MARGIN), (HIGH, MARGIN))
        )
        dimensions = {**members, "Marges": _MARGINS, region: names}
    statuses = {}
    if timed:
        periods = sorted(cells["period"].unique())
        codes = {period: _code(period) for period in periods}
        cells = cells.with_columns(Perioden=pl.col("period").replace_strict(codes))
        dimensions = {**dimensions, "Perioden": {codes[period]: period for period in periods}}
        provisional = catalogue.source_tables[name].provisional_periods or []
        statuses = {codes[p]: "Voorlopig" if p in provisional else "Definitief" for p in periods}
    observations = cells.rename({"region": region}).select(*dimensions, "topic", "value")
    title = catalogue.source_tables[name].title
    return StandInTable(table_id, title, dimensions, topics, observations, statuses)


def _topics(wishes: list[tuple[Indicator, IndicatorSource]]) -> list[StandInTopic]:
    topics: list[StandInTopic] = []
    for _, source in wishes:
        first = source.topics[0]
        if not any((topic.title, topic.path) == (first.title, tuple(first.path)) for topic in topics):
            code = "".join(word.capitalize() for word in first.title.split() if word.isalnum())
            topics.append(
                StandInTopic(
                    f"{code or 'Topic'}_{len(topics) + 1}",
                    tuple(first.path),
                    first.title,
                    first.unit or "code",
                    "Double",
                    1,
                )
            )
    return topics


def _members(wishes: list[tuple[Indicator, IndicatorSource]]) -> dict[str, dict[str, str]]:
    """Every dimension that is selected on, with the members that are."""
    members: dict[str, dict[str, str]] = {}
    for _, source in wishes:
        for dimension, accepted in source.select.items():
            members.setdefault(dimension, {})[accepted[0]] = accepted[-1]
        for dimension, several in source.add_up.items():
            members.setdefault(dimension, {}).update((_age_code(title), title) for title in several)
    return members


def _age_code(title: str) -> str:
    """CBS' code of a year of age: 10100 is 1 year old."""
    return "22300" if title == "105 jaar of ouder" else str(10_000 + 100 * int(title.split(maxsplit=1)[0]))


def _of_wish(
    catalogue: Catalogue,
    facts: Facts,
    indicator: Indicator,
    source: IndicatorSource,
    regions: list[str],
    topics: list[StandInTopic],
) -> pl.DataFrame:
    first = source.topics[0]
    topic = next(t.code for t in topics if (t.title, t.path) == (first.title, tuple(first.path)))
    known = facts.figures.filter(indicator_id=indicator.indicator_id, source_table=source.source_table)
    inhabitants = dict(
        facts.figures.filter(indicator_id="population", period="2023").select("region_code", "value").iter_rows()
    )
    published = set(catalogue.known_periods(source))
    years = [y for y in range(int(source.period_first[:4]), int(source.period_last[:4]) + 1) if str(y) in published]
    months = source.months or [""]
    invented = pl.DataFrame(
        [
            (
                code,
                f"{year}-{month}" if month else str(year),
                _invent(indicator, source, code, year, inhabitants.get(code, 600_000.0)),
            )
            for year in years
            for month in months
            for code in regions
        ],
        schema={"region": pl.String, "period": pl.String, "value": pl.Float64},
        orient="row",
    )
    country = next(code for code in regions if code.startswith("NL"))
    exact = known.select(region=pl.col("region_code").replace({"NL01": country}), period="period", exact="value")
    own_years = exact["period"].unique().to_list()
    # Inhabitants are of every municipality of 2023 in every year, as if on its borders; of the country's own figures
    # the bundle lacks some.
    fills = pl.lit(indicator.indicator_id == "population") | (
        (pl.col("region") == country) & pl.lit(indicator.country_figure)
    )
    stays = ~pl.col("period").is_in(own_years) | fills
    cells = invented.join(exact, ["region", "period"], how="left").with_columns(
        value=pl.coalesce("exact", pl.when(stays).then("value")) / source.factor
    )
    selected = {dimension: accepted[0] for dimension, accepted in source.select.items()}
    cells = cells.drop("exact").with_columns(pl.lit(code).alias(d) for d, code in selected.items())
    cells = cells.with_columns(topic=pl.lit(topic))
    for dimension, several in source.add_up.items():
        parts = pl.DataFrame({dimension: [_age_code(title) for title in several]})
        cells = cells.join(parts, how="cross").with_columns(value=(pl.col("value") / len(several)).round())
    return cells.filter(pl.col("value").is_not_null())


def _invent(indicator: Indicator, source: IndicatorSource, code: str, year: int, inhabitants: float) -> float:
    """An invented figure of the size of its indicator, different for every region, a multiple of its rounding."""
    place = sum(map(ord, code)) % 17
    if indicator.is_percentage:
        size = 40 + place + (year - 2012) * 0.1
    elif indicator.is_count or indicator.measured_for == "region":
        shares = _PER_INHABITANT | ({"persons": 50} if indicator.measured_for == "region" else {})
        size = inhabitants * (1 + 0.001 * (year - 2023)) / shares.get(indicator.unit, 1)
    else:
        size = 200_000 + 1000 * place if indicator.unit == "euro per dwelling" else 35 + place
    return round(round(size / source.rounding_unit) * source.rounding_unit, 6)


_PER_INHABITANT = {"benefits": 50, "private households": 2.2, "private households excl. students": 2.3}


def _regions(catalogue: Catalogue, facts: Facts, name: str) -> dict[str, str]:
    """The regions a table has: those of the service's beginnings, with the publisher's titles."""
    table = catalogue.source_tables[name]
    assert table.service is not None
    found = {"NL01": "Nederland"}
    for beginning in table.service.regions:
        if beginning == "GM":
            found |= _municipalities(facts)
        elif beginning == "GG":
            found |= {"GG1106": "GGD Twente (GG)"}
        elif beginning == "AM05":
            found |= {"AM05": "Twente (AM)"}
    # What a table has too, and nobody asks for.
    if name not in _DISTRICTS:
        return {**found, "PV23": "Overijssel (PV)"}
    found = {("NL00" if code == "NL01" else code): title for code, title in found.items()}
    return {**found, "WK015300": "Wijk 00", "BU01530000": "Buurt 00"}


def _municipalities(facts: Facts) -> dict[str, str]:
    """Those of 2023, which are those of today, by code."""
    known = facts.figures.filter(indicator_id="population", period="2023")["region_code"]
    names = dict(facts.regions.select("region_code", "name").iter_rows())
    return {code: names[code] for code in sorted(known.unique()) if code.startswith("GM")}


def _code(period: str) -> str:
    return f"{period[:4]}MM{period[5:]}" if "-" in period else f"{period}JJ00"


def _areas(catalogue: Catalogue, facts: Facts, name: str, table_id: str) -> StandInTable:
    """The table of areas: Twente's fourteen in CR12, AM05, GG1106 and PV23; everybody else elsewhere.

    The others are in eleven provinces, by the order of their codes.
    """
    regions = _municipalities(facts)
    own = set(catalogue.region.municipalities)
    topics = [
        StandInTopic(f"Code_{2 * n + 1}", tuple(names[0].path), "Code", "code", "String")
        for n, names in enumerate(AREA_TOPICS)
    ]
    provinces = [f"PV{number}" for number in range(20, 32) if number != 23]
    rows = []
    for place, code in enumerate(regions):
        elsewhere = ["CR99", "AM99", "GG99", provinces[place * len(provinces) // len(regions)]]
        codes = ["CR12", "AM05", "GG1106", "PV23"] if code in own else elsewhere
        rows.append({"RegioS": code} | {topic.code: area for topic, area in zip(topics, codes, strict=True)})
    return StandInTable(table_id, catalogue.source_tables[name].title, {"RegioS": regions}, topics, rows)


def _squares(catalogue: Catalogue, facts: Facts) -> list[Area]:
    """Every municipality a square of two kilometres, in rows."""
    year = catalogue.region.last_measurement_year
    return [
        Area(year, code, name, _square(100_000 + 2000 * (place % 20), 400_000 + 2000 * (place // 20)))
        for place, (code, name) in enumerate(_municipalities(facts).items())
    ]


def _square(x: int, y: int) -> list[tuple[float, float]]:
    return [(x, y), (x + 2000, y), (x + 2000, y + 2000), (x, y + 2000), (x, y)]
