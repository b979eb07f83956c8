"""Publishing a draft, listing editions and stating errata: what the commands of `btg` on editions do."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from assets.edition import after, offer_to_readers
from assets.provenance import PATCH, changed_files
from assets.publication import NotPublishable, superseded_by_publishing
from assets.tables import CATALOGUE
from pipelines.definitions import PUBLISH
from pipelines.run import UNTOUCHED, FollowStep, StorageFault, execute, root_errors, words_of
from pipelines.storage import storage_faults
from reports import editions
from reports.output_lock import hold

if TYPE_CHECKING:
    from dagster import ExecuteInProcessResult

    from pipelines.settings import Settings


_UNCOMMITTED = (
    "The draft was measured with changes that were not committed ({files}). They are published with the edition, as "
    "input/uncommitted.patch, so that it can be made again; better commit them, measure and publish then."
)
_NOT_RENEWED = "What readers open may still be the edition before it; the next run puts the new one there."
_NO_COMMIT = "The software does not run from a git checkout: to make this edition again, keep this version of it."


class WrongCall(ValueError):  # noqa: N818 - says what is the matter
    """What was asked for does not exist, or a word is missing that the command needs."""


@dataclass(frozen=True)
class Published:
    """What came of publishing: the new edition, or the `reasons` why there is none.

    `unfinished`: what is left to do for an edition that is published, such as what readers open; the next run does it.
    """

    edition: str
    draft: str
    supersedes: str | None
    reason: str | None
    dry_run: bool
    folder: str
    offered_to_readers: str
    remarks: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)


def publish(settings: Settings, follow: FollowStep, *, by: str | None, reason: str | None, dry_run: bool) -> Published:
    """Publish the draft of the catalogue's last measurement year, by the job that Dagster's interface runs too.

    Raises WrongCall where an edition stands and no reason is given, and what `execute` raises.
    """
    if not settings.output.is_dir():
        raise NotPublishable(f"There is no draft: there is no folder {settings.output}. Make one with: btg measure")
    # Held from here, so that no other takes the name meanwhile.
    with storage_faults(settings.output), hold(settings.output, "btg publish"):
        return _publish(settings, follow, by=by, reason=reason, dry_run=dry_run)


def _publish(settings: Settings, follow: FollowStep, *, by: str | None, reason: str | None, dry_run: bool) -> Published:
    root, year = settings.output, CATALOGUE.region.last_measurement_year
    superseded = superseded_by_publishing(root)
    if superseded and not (reason or "").strip():
        raise WrongCall(
            f'{superseded} stands and will be superseded: say why, as in --reason "CBS revised the income of 2024".'
        )
    name = editions.next_name(root, year)
    config = {"by": by, "reason": reason, "dry_run": dry_run}
    given = {key: value for key, value in config.items() if value is not None}
    try:
        result, _ = execute(settings, PUBLISH, follow, run_config={"ops": {"final_edition": {"config": given}}})
        reasons = [] if result.success else _reasons(result)
    except (StorageFault, KeyboardInterrupt) as error:
        # What stopped it may have come after the edition got its name; then it is published, and that cannot be undone.
        if name not in editions.finals(root):
            raise
        said = str(error).removesuffix(UNTOUCHED).strip()
        reasons = [f"It was stopped after that. {said} {_NOT_RENEWED}".replace("  ", " ")]
    stands = name in editions.finals(root)
    draft = f"{year}-{editions.DRAFT}"
    return Published(
        edition=name,
        draft=draft,
        supersedes=superseded,
        reason=reason if superseded else None,
        dry_run=dry_run,
        folder=str(editions.folder_of(root, name)),
        offered_to_readers=str(root / editions.DATABASE),
        remarks=_remarks(root, draft, by) if stands or not reasons else [],
        unfinished=reasons if stands else [],
        reasons=[] if stands else reasons,
    )


def _reasons(result: ExecuteInProcessResult) -> list[str]:
    """Why a job did not succeed: what the checks found, else what a step said."""
    evaluations = result.get_asset_check_evaluations()
    found = [check.description for check in evaluations if not check.passed and check.description]
    return found or [words_of(error) for _, error in root_errors(result)] or ["Dagster ended the run: see btg ui."]


def _remarks(root: Path, draft: str, by: str | None) -> list[str]:
    """What whoever publishes should know, though it stands in the way of nothing."""
    remarks = [] if by else ["Nobody signs it off: --by NAME says who does."]
    patch = editions.folder_of(root, draft) / PATCH
    if patch.is_file():
        remarks.append(_UNCOMMITTED.format(files=", ".join(changed_files(patch.read_bytes()))))
    elif "+" not in _row(root, draft)["code_version"]:
        remarks.append(_NO_COMMIT)
    return remarks


def list_editions(root: Path) -> list[dict[str, Any]]:
    """Every edition in the output folder: the row of its table `edition`, its folder and its state, oldest first."""
    names, finals = [*editions.finals(root), *editions.drafts(root)], editions.finals(root)
    offered = editions.offered(root)
    return [
        _row(root, name)
        | {
            "folder": str(editions.folder_of(root, name)),
            "open_to_readers": name == offered,
            "state": asdict(editions.read_state(root, name)) if name in finals else None,
        }
        for name in names
    ]


def _row(root: Path, name: str) -> dict[str, Any]:
    # Parquet: a database that somebody has open for writing cannot be read.
    path = editions.folder_of(root, name) / "parquet" / "edition.parquet"
    try:
        row = pl.read_parquet(path).to_dicts()[0]
    except (OSError, pl.exceptions.PolarsError) as error:
        remedy = "Measure again, or put a final edition back from a backup (docs/handover.md)."
        raise editions.DamagedEdition(path, "the row about the edition cannot be read", remedy) from error
    return {str(key): value for key, value in row.items()}


def state_erratum(
    root: Path, edition: str, *, text: str, table_name: str, keys: list[str], by: str | None, dry_run: bool
) -> list[str]:
    """State an erratum on the rows of a final edition that the keys fit; returns their row keys.

    Raises WrongCall for an edition, table or column that is not there, and for a key that fits no row.
    """
    finals = editions.finals(root)
    if edition not in finals:
        raise WrongCall(f"'{edition}' is no final edition here. Final editions: {', '.join(finals) or 'none yet'}.")
    if not text.strip():
        raise WrongCall("An erratum needs words: --text says what is wrong and what is right.")
    if table_name not in CATALOGUE.registry.tables:
        raise WrongCall(f"There is no table '{table_name}'. See: btg query \"SHOW TABLES\" --edition {edition}")
    table = CATALOGUE.registry[table_name]
    path = editions.folder_of(root, edition) / "parquet" / f"{table_name}.parquet"
    if not path.is_file():
        raise WrongCall(f"Edition {edition} has no table '{table_name}'. See: btg check --edition {edition}")
    frame = pl.read_parquet(path)
    rows = list(dict.fromkeys(row for key in keys for row in _rows_of(frame, table.key, key)))
    if not dry_run:
        with storage_faults(root), hold(root, "btg erratum"):
            at = datetime.now(UTC).isoformat(timespec="seconds")
            editions.add_erratum(root, edition, text=text, table_name=table_name, row_keys=rows, by=by, at=at)
            with after(f"The erratum to {edition} is stated"):
                offer_to_readers(root)
    return rows


def _rows_of(frame: pl.DataFrame, key: list[str], wanted: str) -> list[str]:
    """The row keys of the rows that `a=1|b=2` fits."""
    parts = dict(part.partition("=")[::2] for part in wanted.split("|"))
    if unknown := sorted(set(parts) - set(key)):
        raise WrongCall(f"--key {wanted}: '{unknown[0]}' is no key column; expected some of {', '.join(key)}.")
    fitting = frame.filter(pl.col(name).cast(pl.String) == value for name, value in parts.items())
    if fitting.is_empty():
        raise WrongCall(f"--key {wanted}: no row of the edition has this key.")
    named = [pl.concat_str(pl.lit(f"{name}="), pl.col(name).cast(pl.String)) for name in key]
    return fitting.select(pl.concat_str(named, separator="|")).to_series().to_list()
