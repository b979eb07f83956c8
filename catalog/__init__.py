"""What is measured, as YAML a policy analyst can edit, and the package that loads and validates it.

This room imports no other room.
"""

from catalog.load import Catalogue, load_catalogue
from catalog.registry import Column, Registry, Table
from catalog.yaml_file import AddressError, CatalogueError, YearError

__all__ = ["AddressError", "Catalogue", "CatalogueError", "Column", "Registry", "Table", "YearError", "load_catalogue"]
