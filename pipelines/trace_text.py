"""The history of a figure as lines for a terminal: words instead of codes, figures at the indicator's decimals."""

from __future__ import annotations

from collections.abc import Iterator

from catalog import Catalogue
from pipelines.trace import TOTAL, Row, Trace

# A group may have hundreds of members; all of them stand in the JSON.
MOST_MEMBERS = 20
MOST_DECIMALS = 6


class Wording:
    """How figures and codes are written: at the decimals of one indicator, in the words of the vocabulary."""

    def __init__(self, catalogue: Catalogue, decimals: int) -> None:
        self._vocabulary = catalogue.vocabulary
        # An older edition may have columns that are no longer in use.
        self._columns = {
            (name, column.name): column for name, table in catalogue.registry.tables.items() for column in table.columns
        }
        self._decimals = decimals

    def word(self, vocabulary: str, term: str | None) -> str:
        """The English label of a word; an older edition may have a word that is no longer in use."""
        found = self._vocabulary.get(vocabulary, {}).get(term or "")
        return found.label_en if found else term or "nothing"

    def number(self, value: float | None, decimals: int | None = None) -> str:
        """A figure, at the indicator's decimals or as many as are given."""
        return "no figure" if value is None else f"{value:,.{self._decimals if decimals is None else decimals}f}"

    def changed(self, row: Row) -> str:
        """Old and new value of a row of `revision`, which holds them as text: figures rounded, codes in words."""
        column = self._columns.get((row["table_name"], row["column_name"]))
        texts = [row["old_value"], row["new_value"]]
        if column is not None and column.type == "DOUBLE":
            texts = self._rounded(texts)
        elif column is not None and (vocabulary := column.vocabulary):
            texts = [text and ", ".join(self.word(vocabulary, word) for word in text.split(";")) for text in texts]
        return " -> ".join(text or "nothing" for text in texts)

    def _rounded(self, texts: list[str | None]) -> list[str | None]:
        """Figures at the indicator's decimals, or at as many as it takes to tell them apart."""
        said = texts
        try:
            numbers = [None if text is None else float(text) for text in texts]
        except ValueError:  # an older edition, in which this column held words
            return texts
        for decimals in range(self._decimals, max(self._decimals, MOST_DECIMALS) + 1):
            said = [None if number is None else self.number(number, decimals) for number in numbers]
            if said[0] != said[1]:
                break
        return said

    def figure(self, row: Row) -> str:
        """A figure with its margin, number of answers, status and warnings."""
        said = [self.number(row["value"])]
        if row.get("ci_low") is not None and row.get("ci_high") is not None:
            said[0] += f" ({self.number(row['ci_low'])} to {self.number(row['ci_high'])})"
        if row.get("n") is not None:
            said.append(f"n = {row['n']}")
        said.append(self.word("status", row.get("status")))
        return ", ".join(said + [self.word("warning", warning) for warning in row.get("warnings") or []])


def lines(found: Trace, catalogue: Catalogue) -> Iterator[str]:
    """What `btg trace` prints."""
    wording = Wording(catalogue, found.indicator["decimals"])
    yield (
        f"{found.indicator['name_en']} ({found.indicator['indicator_id']}), "
        f"{found.region['name']} ({found.region['region_code']}), {found.measurement_year}"
        + ("" if found.breakdown == TOTAL else f", {found.breakdown}")
    )
    yield f"{found.indicator['definition_en']} Unit: {found.indicator['unit']}."
    yield from _part("Through the editions", _through_editions(found, wording))
    yield from _part("What changed, and why", (_revision(row, wording) for row in found.revisions))
    yield from _part(
        "Errata", (f"{row['edition']}, erratum {row['erratum_id']}: {row['text']}" for row in found.errata)
    )
    yield from _part(
        "Corrections of published figures", (_correction(row, found, wording) for row in found.corrections)
    )
    yield from _part(f"Down to the ground, in {found.ground['edition']}", _ground(found, wording))


def _part(title: str, content: Iterator[str]) -> Iterator[str]:
    """A title with indented lines; nothing where there are none."""
    for number, line in enumerate(content):
        if number == 0:
            yield ""
            yield title
        yield f"  {line}"


def _through_editions(found: Trace, wording: Wording) -> Iterator[str]:
    for row in found.before:
        yield f"{row['edition']} (before this software): {wording.figure(row)}"
        if row.get("url"):
            yield f"  {row['url']}"
    for row in found.versions:
        signed = f" (published {row['published_at'][:10]})" if row["published_at"] else ""
        period = f"; reference period {row['reference_period']}" if row["reference_period"] else ""
        yield f"{row['edition']}{signed}: {wording.figure(row)}{period}"
        for comparison in row["comparisons"]:
            yield (
                f"  against {comparison['comparator_name']} ({wording.number(comparison['comparator_value'])}): "
                f"{wording.word('verdict', comparison['verdict'])}"
            )
        if row["superseded_by"]:
            yield f"  superseded by {row['superseded_by']}"


def _revision(row: Row, wording: Wording) -> str:
    against = f" against {row['comparator_name']}" if "comparator_name" in row else ""
    return (
        f"{row['previous_edition']} to {row['edition']}, {row['table_name']}.{row['column_name']}{against}: "
        f"{wording.changed(row)} ({wording.word('revision_kind', row['kind'])}; {wording.word('cause', row['cause'])})"
    )


def _correction(row: Row, found: Trace, wording: Wording) -> str:
    """A correction, of the figure itself or of one that it is made of; of such a one the figures are not rounded."""
    own = row["indicator_id"] == found.indicator["indicator_id"]
    published, used = (
        wording.number(value) if own or value is None else f"{value:,}"
        for value in (row["published_value"], row["corrected_value"])
    )
    return (
        f"{row['edition']}, {row['correction_id']}: {row['indicator_id']}, {row['region_code']}, {row['period']}, "
        f"{wording.word('correction_action', row['action'])}, published {published}, computed with {used}. "
        f"{row['reason']} Reported to {row['reported_to']}: {wording.word('correction_state', row['state'])}."
    )


def _ground(found: Trace, wording: Wording) -> Iterator[str]:
    ground = found.ground
    if ground["members"]:
        yield from _arithmetic(found, wording)
    for row in ground["figures"]:
        times = f" x {row['times']:g}" if "times" in row else ""
        yield (
            f"{row['role']}{times}: {row['indicator_id']}, {row['region_code']}, {row['period']}, "
            f"{row['source_table']}: {row['value'] if row['role'] != 'figure' else wording.figure(row)}"
        )
    for row in ground["estimates"]:
        yield _estimate(row)
    for row in ground["waves"]:
        yield (
            f"wave {row['wave_id']}: {row['respondents']} respondents, {row['mode']}, {row['participation']}, in the "
            f"field {row['fieldwork_start']} to {row['fieldwork_end']}, made from {row['origin']}"
        )
    for row in ground["sources"]:
        yield from _source(row)
    if not ground["sources"]:
        yield "There is no figure here to trace: its status says why."


def _arithmetic(found: Trace, wording: Wording) -> Iterator[str]:
    members = found.ground["members"]
    weight = found.indicator["weight"]
    by = f"share by {weight}" if weight else "each counts as 1"
    yield f"the sum of value x share over {len(members)} municipalities; {by}"
    for row in members[:MOST_MEMBERS]:
        approximate = ", approximate" if row["approximate"] else ""
        yield (
            f"{row['name']:25} {wording.number(row['value']):>12} x {row['share']:.6f} "
            f"(weight {row['weight']:,.0f}{approximate})"
        )
    if len(members) > MOST_MEMBERS:
        yield f"and {len(members) - MOST_MEMBERS} lighter ones; all of them: --json"
    yield f"{'sum':25} {wording.number(found.ground['computed']):>12}"


def _estimate(row: Row) -> str:
    """The survey's direct estimate, or the small-area model's."""
    if "root_mean_squared_error" in row:
        used = "used" if row["used"] else "not used"
        return (
            f"small-area model ({used}): {row['value']} ({row['ci_low']} to {row['ci_high']}), "
            f"direct {row['direct_value']}, n = {row['n']}"
        )
    return (
        f"direct estimate: {row['value']} ({row['ci_low']} to {row['ci_high']}), "
        f"standard error {row['standard_error']}, n = {row['n']}, effective {row['n_effective']}"
    )


def _source(row: Row) -> Iterator[str]:
    yield f"{row['source_table']}: {row.get('title') or ''}, {row.get('publisher') or ''} ({row.get('licence') or ''})"
    yield f"  column '{row['source_column']}', {row['unit']}, {row['kind']}, series {row['series_id']}"
    if row.get("note"):
        yield f"  {row['note']}"
    yield f"  {row.get('url') or ''}"
    if row.get("retrieved_at"):
        yield f"  retrieved {row['retrieved_at']}"
    if row.get("sha256") and not row["files"]:
        yield f"  SHA-256 {row['sha256']}"
    for file in row["files"]:
        yield f"  in {file['file']}, SHA-256 {file['sha256']}"
