"""Figures as HTML: each number says which cell it is, and stands beside its margin, answers and status."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from markupsafe import Markup

from catalog.model import Indicator
from reports import palette
from reports.claims.figures import (
    DEMONSTRABLE,
    SAID_STATUSES,
    end_text,
    lacks_answers,
    lacks_figure,
    places,
    places_of,
    shown,
    shown_difference,
    telling,
)
from reports.claims.programme import count, millions
from reports.view import Row, View
from reports.words import Words

# Warnings that stand beside a figure in tables; the others are said once, under the table.
MARKED: Final = (
    *("synthetic", "no_margin", "carried_forward", "newer_published", "covid_period"),
    *("definition_differs", "break_in_series", "unusual_change", "small_n"),
)
NOMINAL: Final = "nominal_prices"  # stands beside the verdict on a change


class Marks:
    """What templates call to show rows of an edition in one language."""

    def __init__(self, view: View, words: Words) -> None:
        self.view, self.words = view, words

    # --- one number

    def datum(self, value: float, column: str, text: str) -> Markup:
        """A number, and the cell it is: `value` is unrounded, `column` of the row around it."""
        return Markup('<data value="{}" data-col="{}">{}</data>').format(value, column, text)

    def row(self, row: Row, inside: Markup | str) -> Markup:
        """What belongs to one row of a published table."""
        return Markup('<span data-row="{}">{}</span>').format(f"{row.table}|{row.key}", inside)

    # --- a figure with all that belongs to it

    def figure(self, row: Row | None, indicator: Indicator) -> Markup:
        """A row of `indicator_value`: value, margin, answers, status and warnings; why there is no value."""
        if row is None:
            return Markup("")
        if row["value"] is None:
            return Markup('<span class="none">{}</span>').format(self.words.label("status", row["status"]))
        decimals = places_of(row.cells, indicator, self.words)
        parts = [self._number(row, "value", indicator, decimals)]
        if row["ci_low"] is not None and row["ci_high"] is not None:
            ends = [self._number(row, end, indicator, decimals) for end in ("ci_low", "ci_high")]
            parts.append(self._margin(ends))
        if row["n"] is not None:
            n = self.datum(row["n"], "n", self.words.number(row["n"], 0))
            parts.append(Markup(' <span class="mark">{}</span>').format(self.filled("answers_short", n=n)))
        parts += [Markup(' <span class="mark">{}</span>').format(word) for word in self.remarks(row)]
        return self.row(row, Markup("").join(parts))

    def remarks(self, row: Row) -> list[str]:
        """Status and warnings of a figure, in words, where a reader must know them."""
        said = [self.words.label("status", row["status"])] if row["status"] in SAID_STATUSES else []
        if lacks_answers(row.cells, self.words):
            said.append(self.words("without_answers"))
        if row["ci_low"] is None and self.view.kind(row) == "register":
            said.append(self.words.label("basis", "register"))
        return said + [self.words.label("warning", word) for word in MARKED if word in row["warnings"]]

    def _number(self, row: Row, column: str, indicator: Indicator, decimals: int) -> Markup:
        value = row[column]
        return self.datum(value, column, self.words.number(shown(value, indicator, self.words), decimals))

    def _margin(self, ends: Sequence[Markup]) -> Markup:
        return Markup(' <span class="margin">({})</span>').format(self.filled("to_range", low=ends[0], high=ends[1]))

    def filled(self, key: str, **values: object) -> Markup:
        """A text with marked-up numbers in it."""
        return Markup(self.words.variables()[key]).format(**values)  # noqa: S704 - the texts are our own

    # --- a difference

    def difference(
        self,
        row: Row | None,
        indicator: Indicator,
        columns: tuple[str, str, str] = (
            "difference",
            "difference_ci_low",
            "difference_ci_high",
        ),
        unit: str = "",
    ) -> Markup:
        """The difference of a row of `comparison`, `change` or `trend`, with its margin."""
        if row is None or row[columns[0]] is None:
            return Markup('<span class="none">{}</span>').format(self.words("no_figure"))
        relative = "quantity" in row.cells and row["quantity"] in ("relative_to_nl", "relative_difference")
        values = [row[column] for column in columns if row[column] is not None]
        numbers = [v if relative else shown_difference(v, indicator, self.words) for v in values]
        decimals = 1 if relative else places(indicator, self.words)
        sure = row["verdict"] in DEMONSTRABLE
        decimals = telling(numbers, decimals, self.words) if sure else decimals
        texts = [end_text(number, decimals, self.words, sure=sure) for number in numbers]
        data = [self.datum(*parts) for parts in zip(values, columns, texts, strict=False)]
        margin = self._margin(data[1:]) if len(data) == len(columns) else Markup("")
        return self.row(row, data[0] + unit + margin)

    def movement(self, row: Row | None, indicator: Indicator) -> Markup:
        """How a difference moved since the baseline: verdict and estimate."""
        if row is None:
            return Markup("")
        verdict = self.verdict(row, change=True)
        if row["estimate"] is None or row["verdict"] == "no_new_measurement":
            return verdict
        relative = row["quantity"] == "relative_difference"
        unit = self.words("points_percentage", difference="") if relative else ""
        return verdict + Markup("<br>") + self.difference(row, indicator, ("estimate", "ci_low", "ci_high"), unit)

    # --- verdicts and sentences

    def verdict(self, row: Row | None, *, change: bool = False, with_word: bool = True) -> Markup:
        """The verdict of a row by shape, word and colour."""
        if row is None:
            return Markup("")
        name = row["verdict"]
        label = self.words.label("verdict", name, change=change)
        seen = Markup("{}") if with_word else Markup('<span class="visually-hidden">{}</span>')
        said = Markup('<span class="verdict {}"><span class="shape" aria-hidden="true">{}</span> {}</span>').format(
            name, palette.VERDICTS[name].shape, seen.format(label)
        )
        return said + Markup("").join(Markup(' <span class="mark">{}</span>').format(word) for word in self._why(row))

    def _why(self, row: Row) -> list[str]:
        """What a reader must know of a verdict: that a figure is missing, or that prices rose too."""
        if lacks_figure(row.cells):
            return [self.words("no_figure")]
        return [self.words.label("warning", NOMINAL)] if NOMINAL in row["warnings"] else []

    def claim(self, *parts: object) -> Markup:
        """A sentence of the table `claim`, by the parts of its id; nothing where there is none."""
        claim_id = ":".join(str(part) for part in parts)
        row = self.view.claim(claim_id, self.words.language)
        if row is None:
            return Markup("")
        return Markup('<span data-claim="{}">{}</span>').format(claim_id, row["sentence"])

    # --- the programme

    def day(self, row: Row, column: str) -> Markup:
        """A day of a row, and the cell it is."""
        value = row[column]
        said = Markup('<time datetime="{}" data-col="{}">{}</time>').format(value, column, self.words.date(value))
        return self.row(row, said)

    def counted(self, row: Row, column: str) -> Markup:
        """A number that was counted, in words where nobody stated one."""
        if row[column] is None:
            return Markup('<span class="none">{}</span>').format(self.words("no_amount"))
        return self.row(row, self.datum(row[column], column, count(row[column], self.words)))

    def euros(self, row: Row, column: str, decimals: int) -> Markup:
        """An amount in millions of euros, in words where nobody stated one."""
        if row[column] is None:
            return Markup('<span class="none">{}</span>').format(self.words("no_amount"))
        return self.row(row, self.datum(row[column], column, millions(row[column], self.words, decimals)))

    def status(self, name: str) -> Markup:
        """How far an intended result is, by shape, word and colour."""
        said = '<span class="verdict {}"><span class="shape" aria-hidden="true">{}</span> {}</span>'
        return Markup(said).format(name, palette.SIGNS[name].shape, self.words.label("target_status", name))  # noqa: S704

    def note(self, text: str) -> Markup:
        """What a reader must know beside a figure, in small letters."""
        return Markup(' <span class="mark">{}</span>').format(text)

    def invented(self, row: Row) -> Markup:
        """That a row of the programme is made up, where it is."""
        return self.note(self.words.label("warning", "synthetic")) if row["synthetic"] else Markup("")

    # --- words of the catalogue, and of others

    def said(self, entry: object, field: str) -> Markup:
        """A text of the catalogue; marked as Dutch where it is not there in the language of the page."""
        text = self.words.said(entry, field)
        return (
            self.dutch(text)
            if self.words.is_foreign(entry, field)
            else Markup("<span data-text>{}</span>").format(text)
        )

    def dutch(self, text: str) -> Markup:
        """A text that is there in Dutch only, such as the name of a project."""
        if self.words.language != "nl":
            return Markup('<span lang="nl" data-text>{}</span>').format(text)
        return Markup("<span data-text>{}</span>").format(text)

    def cell(self, row: Row, column: str, decimals: int = 0) -> Markup:
        """A plain number of a row, such as a population or a rank."""
        value: Any = row[column]
        return self.row(row, self.datum(value, column, self.words.number(value, decimals)))

    def sort_value(self, row: Row | None, column: str) -> str:
        """What a table sorts by; empty where there is no figure."""
        return "" if row is None or row[column] is None else str(row[column])
