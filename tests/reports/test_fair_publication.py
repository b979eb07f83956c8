"""publication.yaml: a mistake in it is pointed at before anything is published under it."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog import AddressError, CatalogueError, load_catalogue
from catalog.publication_model import Publication
from catalog.yaml_file import YamlFile
from tests.conftest import CHECKOUT

FILE = CHECKOUT / "catalog" / "publication.yaml"
TEXT = FILE.read_text(encoding="utf-8")


def test_the_project_file_is_sound_and_names_existing_tables_sources_and_licences() -> None:
    catalogue = load_catalogue()
    publication = catalogue.publication
    assert set(publication.main_tables) | set(publication.tables_from) <= set(catalogue.registry.tables)
    assert {source for sources in publication.tables_from.values() for source in sources} <= set(catalogue.sources)
    assert set(publication.source_licences) <= {source.licence for source in catalogue.sources.values()}


def test_nobody_is_written_to_in_person() -> None:
    assert "@" not in TEXT


@pytest.mark.parametrize(
    ("right", "wrong", "field"),
    [
        ("editie {edition}", "editie {serial}", "title_nl"),
        ("gemeente/{code}", "gemeente/{gemeente}", "municipality_iri"),
        ('base_url: ""', "base_url: https://example.org/", "base_url"),
        ("homepage: https", "homepage: ftp", "homepage"),
        ("licence:\n  spdx: CC-BY-4.0\n", "licence:\n", "licence.spdx"),
        ("main_tables:", "main_table:", "main_tables"),
    ],
)
def test_a_mistake_is_named_with_file_line_and_field(tmp_path: Path, right: str, wrong: str, field: str) -> None:
    path = tmp_path / "publication.yaml"
    assert TEXT.count(right) == 1
    path.write_text(TEXT.replace(right, wrong), encoding="utf-8")
    with pytest.raises(CatalogueError) as refused:
        YamlFile(path).parse(Publication)
    assert f" {field}: " in str(refused.value)
    assert str(refused.value).startswith(f"{path}:")


def test_the_environment_says_where_editions_are_offered() -> None:
    publication = YamlFile(FILE).parse(Publication)
    assert publication.at("") is publication
    assert publication.at("https://example.org/e").base_url == "https://example.org/e"
    with pytest.raises(AddressError, match=r"BTG_PUBLISHED_AT: .*found 'example.org'"):
        publication.at("example.org")
