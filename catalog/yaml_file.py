"""A YAML file that remembers on which line each field stands, so that a mistake can be pointed at."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError

T = TypeVar("T")
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class CatalogueError(Exception):
    """A mistake in a catalogue file; the message says file, line, field and what was expected."""


class YearError(CatalogueError):
    """A measurement year was asked for that the region file does not have."""


class AddressError(CatalogueError):
    """The environment gives a service an address that it cannot have."""


class YamlFile:
    """The content of a YAML file, as `data`; raises CatalogueError where it cannot be read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.text = path.read_text(encoding="utf-8")
            loader = _Loader(self.text)
            self.root = loader.get_single_node()
            self._refuse_duplicates(self.root)
            self.data = loader.construct_document(self.root) if self.root else None
        except OSError as error:
            raise CatalogueError(f"{path}: cannot be read ({error.strerror})") from error
        except UnicodeDecodeError as error:
            raise CatalogueError(f"{path}: not UTF-8 text (byte {error.start})") from error
        except yaml.YAMLError as error:
            line = f":{mark.line + 1}" if (mark := getattr(error, "problem_mark", None)) else ""
            raise CatalogueError(f"{path}{line}: not valid YAML: {getattr(error, 'problem', error)}") from error

    def parse(self, kind: type[T]) -> T:
        """The file's content as `kind`; raises CatalogueError at the first mistake."""
        try:
            return TypeAdapter(kind).validate_python(self.data)
        except ValidationError as error:
            first = error.errors()[0]
            loc = [*first["loc"], *first.get("ctx", {}).get("field", [])]
            # Of a whole entry only the field is named: the entry itself is long, and stands on that line.
            found = "" if isinstance(first["input"], dict | list) else f"; found {first['input']!r:.80}"
            count = error.error_count() - 1
            more = f" (and {count} more {'mistake' if count == 1 else 'mistakes'})" if count else ""
            raise self.error(loc, f"{first['msg']}{found}{more}") from error

    def error(self, loc: Iterable[Any], message: str) -> CatalogueError:
        """A CatalogueError that names this file, the line of `loc` and the field."""
        parts = [part for part in loc if part != "[key]"]
        field = ".".join(str(part) for part in parts) or "file"
        return CatalogueError(f"{self.path}:{self._line(parts)}: {field}: {message}")

    def _line(self, loc: list[Any]) -> int:
        node = self.root
        line = 1 if node is None else node.start_mark.line + 1
        for part in loc:
            if isinstance(node, yaml.MappingNode):
                pairs = [(key, value) for key, value in node.value if key.value == str(part)]
                if not pairs:
                    break
                line, node = pairs[0][0].start_mark.line + 1, pairs[0][1]
            elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
                node = node.value[part]
                line = node.start_mark.line + 1
            else:
                break
        return line

    def _refuse_duplicates(self, node: yaml.Node | None) -> None:
        """YAML lets a repeated key silently win; in a catalogue that is a lost line."""
        if isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for key, value in node.value:
                if key.value in seen:
                    line = key.start_mark.line + 1
                    raise CatalogueError(f"{self.path}:{line}: {key.value}: this field stands here twice")
                seen.add(key.value)
                self._refuse_duplicates(value)
        elif isinstance(node, yaml.SequenceNode):
            for child in node.value:
                self._refuse_duplicates(child)
