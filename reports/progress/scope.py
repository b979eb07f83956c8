"""What a report is about: one year of the programme, or all of them; and the rows that it shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from catalog.programme_model import Programme
from reports.claims.programme import TOTAL, line_name
from reports.happiness.subject import Subject
from reports.view import Row, View
from reports.words import Words

LANGUAGE = "nl"
DRAFT = "-draft"


class NoProgramme(ValueError):  # noqa: N818 - says what is the matter
    """The region has no programme to report on, or not in this year."""


@dataclass(frozen=True)
class Scope:
    """The rows of an edition that a report shows. `years` are the years reported on; the last one counts.

    `final` is whether this is a final report (`Concept` stands on every other one). Raises NoProgramme.
    """

    view: View
    words: Words
    years: Sequence[int]
    final: bool = False

    @property
    def year(self) -> int:
        """The year whose end the report looks back from."""
        return self.years[-1]

    @property
    def is_evaluation(self) -> bool:
        """Whether the report is about several years."""
        return len(self.years) > 1

    @property
    def programme(self) -> Programme:
        """The programme of the region."""
        if self.view.catalogue.programme is None:
            raise NoProgramme("This region has no programme: see `programme` in its region file.")
        return self.view.catalogue.programme

    @cached_property
    def subject(self) -> Subject:
        """The region as a whole, as the happiness report looks at it."""
        return Subject(self.view, self.words, self.view.catalogue.region.region_code)

    @cached_property
    def lines(self) -> dict[str, Row]:
        """Assignments and lines, in the order of the programme."""
        rows = sorted(self.view.rows("programme_line"), key=lambda row: row["sort_order"])
        return {row["line_id"]: row for row in rows}

    @cached_property
    def programme_lines(self) -> list[str]:
        """The lines, the costs of carrying out last."""
        return [code for code, row in self.lines.items() if row["kind"] == "line"]

    @cached_property
    def lines_with_results(self) -> list[str]:
        """The lines that work on results: all but the costs of carrying out."""
        return [code for code in self.programme_lines if self.lines[code]["parent_line_id"] is not None]

    def line(self, line_id: str) -> str:
        """The name of a line, with its number."""
        return line_name(self.lines.get(line_id), line_id, self.words)

    @cached_property
    def targets(self) -> dict[str, Row]:
        """The intended results, in the order of the programme."""
        rows = sorted(self.view.rows("target"), key=lambda row: row["sort_order"])
        return {row["target_id"]: row for row in rows}

    @cached_property
    def _progress(self) -> dict[tuple[int, str], Row]:
        return {(row["year"], row["target_id"]): row for row in self.view.rows("target_progress")}

    def progress(self, target_id: str, year: int | None = None) -> Row:
        """How far a result is at the end of a year; the last year unless another is named."""
        return self._progress[self.year if year is None else year, target_id]

    def targets_of(self, line_id: str) -> list[Row]:
        """The results of a line, or of an assignment as a whole."""
        return [row for row in self.targets.values() if row["line_id"] == line_id]

    @cached_property
    def _money(self) -> dict[tuple[str, str], Row]:
        rows = self.view.rows("budget_progress", year=self.year)
        return {(row["line_id"], row["financing_source"]): row for row in rows}

    def money(self, line_id: str, source: str) -> Row:
        """The money of a line from a source, at the end of the year; of all lines with TOTAL."""
        return self._money[line_id, source]

    @property
    def as_of(self) -> str | None:
        """The day up to which all registers are kept, at the latest the end of the year; None without any."""
        day: str | None = self.money(TOTAL, "state")["as_of"]
        return day

    @cached_property
    def lacking(self) -> list[Row]:
        """What the report needs and does not have, by year, in the order of the programme."""
        order = {code: place for place, code in enumerate(self.lines)}
        kinds = list(self.view.catalogue.vocabulary["requirement"])
        rows = [row for year in self.years for row in self.view.rows("report_requirement", year=year) if not row["met"]]
        place = len(order)
        return sorted(
            rows,
            key=lambda row: (row["year"], order.get(row["line_id"], place), kinds.index(row["requirement"])),
        )

    def sentence(self, *names: object, language: str = LANGUAGE) -> str:
        """The sentence with this id of the table `claim`; empty where there is none."""
        row = self.view.claim(":".join(map(str, names)), language)
        return "" if row is None else str(row["sentence"])

    def sentences(self, *ids: tuple[object, ...], language: str = LANGUAGE) -> tuple[str, ...]:
        """The sentences with these ids that there are."""
        return tuple(said for names in ids if (said := self.sentence(*names, language=language)))

    @property
    def edition(self) -> str:
        """The name of the edition."""
        return str(self.view.edition["edition"])

    @property
    def is_synthetic(self) -> bool:
        """Whether anything in the report is invented."""
        return self.view.is_synthetic
