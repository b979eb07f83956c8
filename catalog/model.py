"""The shape of the catalogue's YAML files. What a field means to readers stands in columns.yaml."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

Layer = Literal["official", "experienced", "context"]
Framework = Literal["btg", "cbs"]
Kind = Literal["register", "sample", "model"]
GroupMethod = Literal["sum", "weighted_mean", "ratio", "none"]

MUNICIPALITY_CODE = r"^GM\d{4}$"


def mistake(message: str, *field: str | int) -> PydanticCustomError:
    """A mistake that a whole entry shows; `field` says where in the entry it stands."""
    return PydanticCustomError("mistake", "{message}", {"message": message, "field": list(field)})


def expand_periods(periods: list[object]) -> list[str]:
    """Periods in order, with ranges written out: ["2011..2013", "2020"] -> 2011, 2012, 2013, 2020."""
    expanded: list[str] = []
    for entry in map(str, periods):
        found = re.fullmatch(r"(\d{4})(?:\.\.(\d{4}))?", entry)
        if not found or (found[2] and found[2] < found[1]):
            raise ValueError(f"'{entry}' is not a year or a range of years such as 2011..2024")
        expanded += [str(year) for year in range(int(found[1]), int(found[2] or found[1]) + 1)]
    return expanded


def expand_members(members: list[object]) -> list[str]:
    """Members of a dimension, with ranges of years of age written out: ["65..104 jaar", "105 jaar of ouder"]."""
    expanded: list[str] = []
    for entry in map(str, members):
        found = re.fullmatch(r"(\d+)\.\.(\d+)( .+)", entry)
        expanded += [f"{age}{found[3]}" for age in range(int(found[1]), int(found[2]) + 1)] if found else [entry]
    return expanded


def _unique(values: list[str]) -> list[str]:
    twice = sorted({value for value in values if values.count(value) > 1})
    if twice:
        raise ValueError(f"listed twice: {', '.join(twice)}")
    return values


Members = Annotated[list[str], BeforeValidator(expand_members), Field(min_length=1)]
Periods = Annotated[list[str], BeforeValidator(expand_periods)]
Codes = Annotated[list[Annotated[str, Field(pattern=MUNICIPALITY_CODE)]], Field(min_length=1), AfterValidator(_unique)]
Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Period = Annotated[str, Field(pattern=r"^\d{4}(Q[1-4]|-\d{2})?$")]


class Entry(BaseModel):
    """Base of all catalogue entries: an unknown field is a mistake, not a wish."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Group(Entry):
    """A group of the region's own municipalities.

    `variant_of` names the group that this is a narrower reading of: it takes that group's place in a second look at
    each contrast.
    """

    code: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]
    name_nl: str
    name_en: str
    variant_of: str | None = None
    members: Codes


class PlausibleTotal(Entry):
    """Bounds that a group total must lie within, in the unit of the indicator."""

    indicator: Identifier
    region: str
    minimum: float
    maximum: float


class Region(Entry):
    """The region that is measured, its groups and its years.

    `survey` is the folder, beside the region file, with the waves of its resident survey; `programme` the file with the
    programme that the measurement serves.
    """

    region_code: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]
    name_nl: str
    name_en: str
    published_as: list[str] = []
    country_code: str
    country_name_nl: str
    country_name_en: str
    rest_code: str
    rest_name_nl: str
    rest_name_en: str
    outlines_source_nl: str | None = None
    baseline_year: Annotated[int, Field(ge=2000, le=2100)]
    last_measurement_year: Annotated[int, Field(ge=2000, le=2100)]
    layout_year: Annotated[int, Field(ge=2000, le=2100)] | None = None
    municipalities: Annotated[dict[Annotated[str, Field(pattern=MUNICIPALITY_CODE)], str], Field(min_length=2)]
    may_lack_figures: list[str] = []
    groups: list[Group] = []
    contrasts: list[tuple[str, str]] = []
    survey: str | None = None
    programme: str | None = None
    plausible_totals: list[PlausibleTotal] = []

    @model_validator(mode="after")
    def _consistent(self) -> Region:
        if self.last_measurement_year < self.baseline_year:
            raise mistake("last_measurement_year lies before baseline_year", "last_measurement_year")
        taken = [self.region_code, self.country_code, self.rest_code, *(group.code for group in self.groups)]
        if twice := sorted({code for code in taken if taken.count(code) > 1}):
            raise mistake(f"a code may stand for one region only; used twice: {', '.join(twice)}", "groups")
        for place, group in enumerate(self.groups):
            self._refuse_unknown(group.members, "groups", place, "members")
        self._refuse_unknown(self.may_lack_figures, "may_lack_figures")
        if not self.must_have_figures:
            raise mistake("names all municipalities; at least one must have every figure", "may_lack_figures")
        for place, group in enumerate(self.groups):
            self._refuse_no_variant(group, "groups", place)
        codes, variants = [group.code for group in self.groups], set(self._variants)
        for place, pair in enumerate(self.contrasts):
            if not set(pair) <= set(codes):
                raise mistake(f"{list(pair)} names a group that is not defined; groups: {codes}", "contrasts", place)
            if named := sorted(variants & set(pair)):
                raise mistake(f"{named[0]} is a variant: name the group whose place it takes", "contrasts", place)
        return self

    def _refuse_unknown(self, codes: list[str], *field: str | int) -> None:
        if unknown := sorted(set(codes) - set(self.municipalities)):
            raise mistake(f"not among municipalities: {', '.join(unknown)}", *field)

    def _refuse_no_variant(self, group: Group, *field: str | int) -> None:
        """A variant leaves members out of a group that is no variant itself."""
        if group.variant_of is None:
            return
        wholes = {whole.code: whole.members for whole in self.main_groups}
        if group.variant_of not in wholes:
            message = f"{group.variant_of} is no group that can have a variant; those are: {list(wholes)}"
            raise mistake(message, *field, "variant_of")
        whole = wholes[group.variant_of]
        if others := sorted(set(group.members) - set(whole)):
            raise mistake(f"not among the members of {group.variant_of}: {', '.join(others)}", *field, "members")
        if len(group.members) == len(whole):
            raise mistake(f"leaves out no member of {group.variant_of}", *field, "members")

    @property
    def borders_of(self) -> int:
        """The year on whose municipal borders series and national comparison sets stand."""
        return self.layout_year or self.last_measurement_year

    @property
    def years(self) -> list[int]:
        """Measurement years, baseline first."""
        return list(range(self.baseline_year, self.last_measurement_year + 1))

    @property
    def must_have_figures(self) -> list[str]:
        """The municipalities without which a period is not used, and whose missing row is a fault."""
        return sorted(set(self.municipalities) - set(self.may_lack_figures))

    @property
    def peers(self) -> dict[str, str]:
        """Of each municipality the code of the group of municipalities that are most like it."""
        return {code: f"PEERS_{code}" for code in sorted(self.municipalities)}

    @property
    def main_groups(self) -> list[Group]:
        """The groups that are no variant of another."""
        return [group for group in self.groups if group.variant_of is None]

    @property
    def _variants(self) -> dict[str, str]:
        """Of each variant the group whose place it takes."""
        return {group.code: group.variant_of for group in self.groups if group.variant_of is not None}

    @property
    def contrast_variants(self) -> list[tuple[str, str]]:
        """The contrasts once more, with a variant in the place of one side."""
        swaps = [(pair, variant, whole) for pair in self.contrasts for variant, whole in self._variants.items()]
        of_first = [(variant, second) for (first, second), variant, whole in swaps if first == whole]
        return of_first + [(first, variant) for (first, second), variant, whole in swaps if second == whole]

    @property
    def compared_contrasts(self) -> list[tuple[str, str]]:
        """Every pair of groups that is compared: the contrasts, then their variants."""
        return [*self.contrasts, *self.contrast_variants]

    @property
    def own_groups(self) -> dict[str, list[str]]:
        """The region itself, its groups and their variants, each with its municipalities."""
        return {self.region_code: sorted(self.municipalities)} | {g.code: sorted(g.members) for g in self.groups}


class Theme(Entry):
    """A theme of broad welfare in one of the two frameworks."""

    theme_id: Identifier
    framework: Framework
    name_nl: str
    name_en: str
    question_nl: str | None = None

    @model_validator(mode="after")
    def _prefixed(self) -> Theme:
        if not self.theme_id.startswith(f"{self.framework}_"):
            raise mistake(f"must begin with its framework: {self.framework}_…", "theme_id")
        return self


class TopicName(Entry):
    """A topic of a publisher's table by its titles: column numbers and suffixes change with every edition.

    `path` is the end of its path of topic groups, outermost first; empty fits any. `unit` is the publisher's; a topic
    that is text needs none.
    """

    path: list[str] = []
    title: str
    unit: str | None = None

    def __str__(self) -> str:
        return "/".join([*self.path, self.title]) + (f" ({self.unit})" if self.unit else "")


class IndicatorSource(Entry):
    """Where an indicator is published: one column of one table.

    `topics` are the names the column goes by; in any version of the table exactly one topic must fit one of them.
    `select` gives of each further dimension the accepted codes or titles of the one member that is meant, `add_up`
    the members whose figures are added. `factor` makes the publisher's number one in our unit. `months` keeps these
    months of a monthly table only.

    `baseline_periods` freezes the reference period of a baseline year. Where several sources freeze one, the best by
    priority of those at hand is the baseline. `baseline_revisions` decides what a later revision of that period does:
    `keep` stays with the bundled figures (what was published at the time), `accept` follows the publisher.

    `comparable: false` marks a figure that was published without its method: it is comparable with nothing.
    """

    source_table: str
    source_column: str
    topics: list[TopicName] = []
    select: dict[str, Annotated[list[str], Field(min_length=1)]] = {}
    add_up: dict[str, Members] = {}
    factor: Annotated[float, Field(gt=0)] = 1.0
    months: list[Annotated[str, Field(pattern=r"^(0[1-9]|1[0-2])$")]] = []
    unit: str
    period_first: Period
    period_last: Period
    priority: Annotated[int, Field(ge=1)]
    series_id: Identifier
    kind: Kind
    rounding_unit: Annotated[float, Field(gt=0)]
    warnings: list[str] = []
    period_warnings: dict[str, Periods] = {}
    known_periods: Periods | None = None
    baseline_periods: dict[int, Period] = {}
    baseline_revisions: Literal["keep", "accept"] = "keep"
    revision_margin: Annotated[float, Field(ge=0)] | None = None
    comparable: bool = True
    note: str | None = None


class Ratio(Entry):
    """A figure made of two others: `per` x numerator / denominator, of the same region and year."""

    numerator: Identifier
    denominator: Identifier
    per: Annotated[float, Field(gt=0)] = 1.0


class Indicator(Entry):
    """What is measured.

    `measured_for` marks figures that exist for the `region` as a whole or for the `country` only;
    `country_figure: false` those that the publisher does not give for the country. `weight_fallback` is the
    approximate weight of periods for which `weight` is not known of every municipality. A `ratio` takes its sources
    from its numerator, and is weighted by its denominator.
    """

    indicator_id: Identifier
    theme_id: Identifier | None = None
    layer: Layer
    headline: bool = False
    companion: Identifier | None = None
    name_nl: str
    name_en: str
    definition_nl: str
    definition_en: str
    unit: str
    unit_nl: str
    decimals: Annotated[int, Field(ge=0, le=6)]
    scale_min: float | None = None
    scale_max: float | None = None
    polarity: Literal[-1, 0, 1]
    group_method: GroupMethod
    weight: str | None = None
    weight_approximate: bool = False
    weight_fallback: str | None = None
    ratio: Ratio | None = None
    measured_for: Literal["municipality", "region", "country"] = "municipality"
    country_figure: bool = True
    max_lag_years: Annotated[int, Field(ge=0)]
    min_relevant_difference: Annotated[float, Field(gt=0)] | None = None
    nominal_euro: bool = False
    sources: list[IndicatorSource] = []

    @model_validator(mode="before")
    @classmethod
    def _weigh_by_denominator(cls, data: object) -> object:
        if isinstance(data, dict) and isinstance(ratio := data.get("ratio"), dict) and "denominator" in ratio:
            return data | {"weight": data.get("weight", ratio["denominator"])}
        return data

    @model_validator(mode="after")
    def _consistent(self) -> Indicator:
        if (self.group_method in ("weighted_mean", "ratio")) != (self.weight is not None):
            raise mistake("a weight is needed for group_method weighted_mean, and only there", "weight")
        if (self.group_method == "ratio") != (self.ratio is not None):
            raise mistake("group_method ratio and the field ratio go together", "ratio")
        if self.weight_fallback is not None and self.weight is None:
            raise mistake("a fallback needs a weight to fall back from", "weight_fallback")
        if self.ratio is None and not self.sources and self.layer != "experienced":
            raise mistake(
                "every indicator has sources, except a ratio (its numerator has them) and an experienced one (the "
                "waves of the survey have them)",
                "sources",
            )
        tables: set[str] = set()
        for place, source in enumerate(self.sources):
            if source.source_table in tables:
                raise mistake("listed twice for this indicator", "sources", place, "source_table")
            tables.add(source.source_table)
            for year, period in source.baseline_periods.items():
                field = ("sources", place, "baseline_periods")
                if not source.period_first <= period <= source.period_last:
                    raise mistake(f"{period} is not a period of this table, by period_first and period_last", *field)
                if not 0 <= year - int(period[:4]) <= self.max_lag_years:
                    raise mistake(f"{period} is not within {self.max_lag_years} years before {year}", *field)
            if both := sorted(set(source.select) & set(source.add_up)):
                raise mistake(f"{both[0]} stands under select too", "sources", place, "add_up")
        return self

    @property
    def is_count(self) -> bool:
        """Counts are added up, never compared between regions."""
        return self.group_method == "sum"

    @property
    def is_percentage(self) -> bool:
        """Percentages differ in points; other figures in ratios."""
        return self.unit.startswith("percent")

    def baselines(self, year: int) -> list[tuple[IndicatorSource, str]]:
        """The sources and reference periods frozen for a baseline year, best first."""
        frozen = [source for source in self.sources if year in source.baseline_periods]
        return [(s, s.baseline_periods[year]) for s in sorted(frozen, key=lambda source: source.priority)]


class Source(Entry):
    """A publisher's subject: who publishes it, how often, and which periods are known to exist."""

    source_id: Identifier
    publisher: str
    subject: str
    licence: str
    rhythm: str
    known_periods: Periods


class Service(Entry):
    """An open data service. `url` is where its tables begin: what a table id is appended to, or the host of v3."""

    service_id: Identifier
    platform: Literal["odata_v4", "odata_v3"]
    url: Annotated[str, Field(pattern=r"^https?://.*[^/]$")]


class ServiceTable(Entry):
    """A table as a service offers it. `regions` are what the codes asked for begin with, such as GM and NL."""

    service: Identifier
    table_id: str
    regions: Annotated[list[str], Field(min_length=1)] = ["GM", "NL"]


class SourceTable(Entry):
    """One table of a publisher; without `service` it is not fetched, only delivered or bundled.

    `titles_verified: false` marks a table of which no recorded answer was at hand: its topics and members are the best
    knowledge there is, and a fetch that finds others says so. `areas_of` marks a table that says to which areas every
    municipality belongs on 1 January of that year.
    """

    source_table: str
    source_id: Identifier
    title: str
    url: Annotated[str, Field(pattern=r"^https://")]
    retrieved_at: date | None = None
    modified_at: date | None = None
    provisional_periods: list[Period] | None = None
    service: ServiceTable | None = None
    titles_verified: bool = True
    areas_of: Annotated[int, Field(ge=2000, le=2100)] | None = None


class BoundaryServices(Entry):
    """Where municipal boundaries come from: OGC API Features, and WFS (with {year}) where that does not answer."""

    ogc_url: Annotated[str, Field(pattern=r"^https?://.*[^/]$")]
    wfs_url: Annotated[str, Field(pattern=r"^https?://.*\{year\}.*[^/]$")]


class Sources(Entry):
    """The file sources.yaml."""

    services: list[Service] = []
    boundaries: BoundaryServices
    sources: list[Source]
    tables: list[SourceTable]


class Term(Entry):
    """One word of a closed vocabulary, as a reader sees it; `sdmx_code` of a status is its code in CL_OBS_STATUS."""

    label_nl: str
    label_en: str
    explanation_nl: str
    explanation_en: str
    label_change_nl: str | None = None
    label_change_en: str | None = None
    sdmx_code: Annotated[str, Field(pattern=r"^[A-Z]$")] | None = None
