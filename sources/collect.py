"""All figures of a run: those of the snapshots in the data root, and the bundled ones where there is no snapshot.

Every figure comes from one place. A live snapshot replaces all figures of an indicator, table and period, and all that
earlier live snapshots had: a period it no longer has is gone. A delivered file replaces only the figures of the
regions it holds, since it may be a part of a table. Newer goes before older, but never a provisional figure before a
definitive one. Only a frozen baseline stays what it was at first, where the catalogue says `keep`: see
IndicatorSource.baseline_revisions.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import accumulate
from operator import itemgetter

import polars as pl

from catalog import Catalogue
from catalog.frames import frozen_baselines
from sources import bundled, published_grades
from sources.csv_file import read_bytes
from sources.facts import Facts
from sources.figures import RAW
from sources.read_snapshot import Taken, read_snapshot
from sources.snapshots import Snapshot, SnapshotStore

BUNDLED, LIVE, DELIVERED = "bundled", "live", "delivered"

_SLOT = ["indicator_id", "source_table", "period"]
_KEY = ["indicator_id", "region_code", "period", "source_table"]
_ABOUT = {
    **dict.fromkeys(["origin", "retrieved_at", "modified_at", "url", "sha256"], pl.String),
    "bytes": pl.Int64,
}


@dataclass(frozen=True)
class Collected:
    """What a run measures.

    figures: the columns RAW and synthetic (boolean), sorted by key. names: region_code, name. origins: where the
    figures of each indicator, source table and period come from: origin (`live`, `delivered` or `bundled`),
    retrieved_at, modified_at, url, sha256, bytes (NULL for those in figures.csv). passed_over: other figures of the
    baseline's own tables and periods: the newest where the first stand (`keep`), the first where the newest stand
    (`accept`); the columns of figures, origin, and held_back: whether it is newer than one that is kept. files: file,
    sha256, bytes.
    """

    figures: pl.DataFrame
    names: pl.DataFrame
    origins: pl.DataFrame
    passed_over: pl.DataFrame
    files: pl.DataFrame


def collect(catalogue: Catalogue, facts: Facts, store: SnapshotStore | None) -> Collected:
    """Read the snapshots and lay them over the bundled figures; raises an InputError where one cannot be trusted."""
    taken = (
        [(snapshot, read_snapshot(store, snapshot, catalogue)) for snapshot in _in_use(catalogue, store)]
        if store
        else []
    )
    layers = [
        _of_facts(facts),
        *_of_grades(catalogue),
        *(_of_snapshot(layer, *entry) for layer, entry in enumerate(taken, start=1)),
    ]
    candidates = pl.concat(layers)
    frozen = _frozen(catalogue)
    standing = _standing(candidates, frozen.filter("keep"))
    return Collected(
        figures=standing.select(*RAW, "synthetic").sort(_KEY),
        names=_names(catalogue, facts, [entry for _, entry in taken], standing),
        origins=standing.select(*_SLOT, *_ABOUT).unique().sort(_SLOT),
        passed_over=_passed_over(candidates, standing, frozen)
        .select(*RAW, "synthetic", "origin", held_back=pl.col("keep") & (pl.col("layer") > pl.col("stands")))
        .sort(_KEY),
        files=_files(facts, standing),
    )


def _in_use(catalogue: Catalogue, store: SnapshotStore) -> list[Snapshot]:
    """Of each table the newest live snapshot, the first of every request and all delivered ones, oldest first.

    A wider request, made when an indicator was added, is the first that has its figures.
    """
    found = []
    for name, table in catalogue.source_tables.items():
        if table.areas_of is None:
            snapshots = [snapshot for snapshot in store.of(name) if snapshot.kind != "boundaries"]
            live = [snapshot for snapshot in snapshots if snapshot.kind != "delivered"]
            needed = {snapshot.request: snapshot for snapshot in reversed(live)}.values()
            # What came later counts as later, also where the clock was set back meanwhile.
            since = accumulate((snapshot.retrieved_at for snapshot in snapshots), max)
            found += [
                (moment, name, s)
                for moment, s in zip(since, snapshots, strict=True)
                if s.kind == "delivered" or s in needed or s == live[-1]
            ]
    return [snapshot for *_, snapshot in sorted(found, key=itemgetter(0, 1))]


def _of_facts(facts: Facts) -> pl.DataFrame:
    return facts.figures.with_columns(reason=pl.lit(None, dtype=pl.String)).select(
        *RAW,
        pl.lit(value=False).alias("synthetic"),
        pl.lit(0).alias("layer"),
        *(pl.lit(BUNDLED if name == "origin" else None, dtype=kind).alias(name) for name, kind in _ABOUT.items()),
    )


def _of_grades(catalogue: Catalogue) -> list[pl.DataFrame]:
    """The published grades: they come with the software, and are of the region whose residents are surveyed."""
    if not catalogue.region.survey:
        return []
    path = bundled.FOLDER / published_grades.FILE
    data = read_bytes(path)
    about = {"origin": BUNDLED, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    return [
        published_grades.read_published_grades(path, catalogue).select(
            *RAW,
            pl.lit(value=False).alias("synthetic"),
            pl.lit(0).alias("layer"),
            *(pl.lit(about.get(name), dtype=kind).alias(name) for name, kind in _ABOUT.items()),
        )
    ]


def _of_snapshot(layer: int, snapshot: Snapshot, taken: Taken) -> pl.DataFrame:
    about = {
        "origin": DELIVERED if snapshot.kind == "delivered" else LIVE,
        "retrieved_at": snapshot.retrieved_at,
        "modified_at": snapshot.modified_at,
        "url": snapshot.url,
        "sha256": snapshot.sha256,
        "bytes": snapshot.bytes,
    }
    return taken.figures.select(
        *RAW,
        pl.lit(taken.synthetic).alias("synthetic"),
        pl.lit(layer).alias("layer"),
        *(pl.lit(about[name], dtype=kind).alias(name) for name, kind in _ABOUT.items()),
    )


def _frozen(catalogue: Catalogue) -> pl.DataFrame:
    """The frozen baselines: indicator_id, source_table, period, and keep: whether no revision may move it."""
    settings = [
        (indicator.indicator_id, source.source_table, source.baseline_revisions == "keep")
        for indicator in catalogue.indicators
        for source in indicator.sources
    ]
    keep = pl.DataFrame(settings, schema=["indicator_id", "source_table", "keep"], orient="row")
    return frozen_baselines(catalogue).join(keep, ["indicator_id", "source_table"])


def _standing(candidates: pl.DataFrame, kept: pl.DataFrame) -> pl.DataFrame:
    """The candidate that stands for every figure: the newest; of a kept baseline the first that has a value."""
    live = pl.when(pl.col("origin") == LIVE).then("layer").max()
    superseded = (pl.col("origin") == LIVE) & (pl.col("layer") < live.over("indicator_id", "source_table"))
    replaced = pl.col("layer") < live.over(_SLOT)
    has_value = pl.col("value").is_not_null()
    layer = pl.col("layer").cast(pl.Int64)
    return (
        candidates.join(kept.select(*_SLOT, first=pl.lit(value=True)), _SLOT, how="left")
        .with_columns(first=pl.col("first").fill_null(value=False))
        # What a live snapshot no longer has is gone, but for a kept baseline.
        .filter(pl.col("first") | ~(superseded | replaced).fill_null(value=False))
        # An older download that is added later is still older: what was settled stays settled.
        .sort(
            *_KEY,
            pl.when("first").then(~has_value).otherwise(pl.col("status") == "provisional"),
            pl.when("first").then(layer).otherwise(-layer),
        )
        .unique(_KEY, keep="first", maintain_order=True)
        .drop("first")
    )


def _passed_over(candidates: pl.DataFrame, standing: pl.DataFrame, frozen: pl.DataFrame) -> pl.DataFrame:
    """Of the frozen baselines the candidates furthest from those that stand: what a revision made, or undid."""
    stands = standing.select(*_KEY, stands="layer")
    layer = pl.col("layer").cast(pl.Int64)
    return (
        candidates.join(frozen, _SLOT)
        .join(stands, _KEY)
        .filter(pl.col("layer") != pl.col("stands"))
        .sort(*_KEY, pl.when("keep").then(-layer).otherwise(layer))
        .unique(_KEY, keep="first", maintain_order=True)
    )


def _names(catalogue: Catalogue, facts: Facts, taken: list[Taken], standing: pl.DataFrame) -> pl.DataFrame:
    """The name of every region that has a figure: as the bundle has it, else as a table does, else its code.

    Groups and the rest of the country are not among them: the region file names those.
    """
    known: dict[str, str] = {}
    for entry in taken:
        known |= entry.region_names
    known |= dict(facts.regions.select("region_code", "name").iter_rows())
    groups = {*catalogue.region.own_groups, catalogue.region.rest_code}
    codes = sorted({*standing["region_code"].unique(), *facts.regions["region_code"]} - groups)
    return pl.DataFrame({"region_code": codes, "name": [known.get(code, code) for code in codes]})


def _files(facts: Facts, standing: pl.DataFrame) -> pl.DataFrame:
    """The files a run was made from: those of the bundle, and each other file or snapshot that a figure comes from."""
    used = standing.filter(pl.col("sha256").is_not_null()).select("source_table", "sha256", "bytes").unique()
    rows = [(name, file.sha256, file.bytes) for name, file in facts.files.items()]
    rows += [(f"{table} {sha256[:12]}", sha256, size) for table, sha256, size in used.iter_rows()]
    schema = {"file": pl.String, "sha256": pl.String, "bytes": pl.Int64}
    return pl.DataFrame(sorted(rows), schema=schema, orient="row")
