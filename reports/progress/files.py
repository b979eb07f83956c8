"""What the files of a report are called."""

from __future__ import annotations

from typing import Final

from reports.progress.scope import Scope

_SHORT: Final = {"brief": "bestuurssamenvatting", "slides": "presentatie"}
_FILES: Final = (
    *(("whole", "html"), ("whole", "pdf"), ("whole", "docx")),
    *(("brief", "pdf"), ("slides", "pdf"), ("slides", "pptx")),
)


def slug(kind: str, scope: Scope) -> str:
    """The name of a file without its ending: of the report in full, the brief, or the slides."""
    about = f"evaluatie-{scope.year}" if scope.is_evaluation else str(scope.year)
    if kind == "whole":
        return about if scope.is_evaluation else f"voortgangsrapportage-{about}"
    return f"{_SHORT[kind]}-{about}"


def file_names(scope: Scope) -> dict[str, str]:
    """The names of all files of a report by what they are, such as `whole_pdf`."""
    return {f"{kind}_{ending}": f"{slug(kind, scope)}.{ending}" for kind, ending in _FILES}
