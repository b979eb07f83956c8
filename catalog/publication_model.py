"""The shape of publication.yaml: who publishes the editions, under which terms, and how catalogues describe them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, ValidationError, model_validator

from catalog.model import Entry, Identifier, Region, mistake
from catalog.yaml_file import AddressError

Address = Annotated[str, Field(pattern=r"^https?://\S+$")]
_TEXTS = ("title_nl", "title_en", "description_nl", "description_en")
_EXAMPLE = {"region": "", "edition": "", "year": 0, "baseline": 0}
_NAMES = ", ".join(f"{{{name}}}" for name in _EXAMPLE)


class Publisher(Entry):
    """An organisation; `iri` is its address in a register of organisations."""

    name: str
    url: Address
    iri: Address | None = None


class Contact(Entry):
    """Where readers ask and report mistakes."""

    name: str
    url: Address


class Licence(Entry):
    """The licence of our figures: its SPDX identifier, page, and address in the European list of licences."""

    spdx: str
    title: str
    url: Address
    iri: Address


class Publication(Entry):
    """How editions are published.

    `source_licences` gives for the words of sources.yaml an SPDX identifier, `tables_from` the sources behind tables
    that do not name them. `themes` and `languages` are addresses by Dutch name and by language code.
    """

    publisher: Publisher
    contact: Contact
    homepage: Address
    base_url: Annotated[str, Field(pattern=r"^$|^https?://\S*[^/\s]$")] = ""
    title_nl: str
    title_en: str
    description_nl: str
    description_en: str
    keywords_nl: list[str]
    keywords_en: list[str]
    licence: Licence
    source_licences: dict[str, str]
    access_rights: Address
    frequency: Address
    languages: Annotated[dict[str, Address], Field(min_length=1)]
    themes: Annotated[dict[str, Address], Field(min_length=1)]
    municipality_iri: Address | None = None
    tables_from: dict[str, list[Identifier]]
    main_tables: list[str]

    @model_validator(mode="after")
    def _texts_can_be_filled_in(self) -> Publication:
        for field in _TEXTS:
            try:
                getattr(self, field).format(**_EXAMPLE)
            except (KeyError, ValueError, IndexError) as error:
                raise mistake(f"texts may use {_NAMES} only; found {error}", field) from error
        try:
            (self.municipality_iri or "").format(code="")
        except (KeyError, ValueError, IndexError) as error:
            raise mistake(f"may use {{code}} only; found {error}", "municipality_iri") from error
        return self

    def texts(self, region: Region, edition: str) -> dict[str, str]:
        """Titles and descriptions in both languages, for an edition of this region."""
        years = {"year": region.last_measurement_year, "baseline": region.baseline_year}
        return {
            field: getattr(self, field).format(
                region=region.name_nl if field.endswith("_nl") else region.name_en, edition=edition, **years
            )
            for field in _TEXTS
        }

    def at(self, address: str) -> Publication:
        """The same, to be fetched from `address` (BTG_PUBLISHED_AT); empty changes nothing. Raises AddressError."""
        if not address:
            return self
        try:
            return Publication(**self.model_dump() | {"base_url": address})
        except ValidationError as error:
            raise AddressError(
                "BTG_PUBLISHED_AT: expected an address such as https://example.org/editions, without / at its end; "
                f"found '{address}'"
            ) from error
