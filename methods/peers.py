"""The municipalities that an own one is most like: a fair group to compare with."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from catalog.analysis_model import PeerSettings
from methods.structure import Structure, standardised

_SCHEMA = {
    "region_code": pl.String,
    "peer_code": pl.String,
    "place": pl.Int32,
    "distance": pl.Float64,
    "variables": pl.String,
}
_TIE_DECIMALS = 12  # distances that differ less are equal


def peers(structure: Structure, own: Sequence[str], settings: PeerSettings) -> pl.DataFrame:
    """The `settings.count` nearest municipalities of each own one: the published table `peer`.

    Distance is Euclidean over the robustly standardised variables (see `standardised`, over all municipalities),
    divided by the root of their number: the root mean square of the differences, so that it means the same with six
    variables as with seven. 1 is, on average, one interquartile range apart on every variable. Every variable counts
    equally, so what two of them share (density and urbanity) counts twice. Equal distances are in the order of the
    code.

    The region's own municipalities are never peers, on purpose: they are compared with each other already, and with
    none of them in the group the two sides of the comparison do not overlap, so that their sampling errors are
    independent. An own municipality without structural figures has no peers.
    """
    z = standardised(structure)
    is_own = pl.col("region_code").is_in(sorted(set(own)))
    selves, candidates = z.filter(is_own), z.filter(~is_own)
    if selves.is_empty() or candidates.is_empty() or not structure.names:
        return pl.DataFrame(schema=_SCHEMA)

    from sklearn.neighbors import NearestNeighbors

    # All candidates and a tree: ties at the last place are then decided here, and distances are computed exactly.
    search = NearestNeighbors(n_neighbors=candidates.height, algorithm="kd_tree")
    distance, row = search.fit(candidates.select(structure.names).to_numpy()).kneighbors(
        selves.select(structure.names).to_numpy()
    )
    return (
        pl.DataFrame(
            {
                "region_code": selves["region_code"].repeat_by(candidates.height).explode(),
                "peer_code": candidates["region_code"].gather(row.ravel()),
                "distance": distance.ravel() / len(structure.names) ** 0.5,
            }
        )
        .sort("region_code", pl.col("distance").round(_TIE_DECIMALS), "peer_code")
        .with_columns(
            place=pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over("region_code"),
            variables=pl.lit(structure.described),
        )
        .filter(pl.col("place") <= settings.count)
        .select(*_SCHEMA)
    )


def peers_that_stay(structure: Structure, own: Sequence[str], settings: PeerSettings) -> pl.DataFrame:
    """How firm the groups of peers are: region_code, left_out, stay.

    `stay` is how many peers of a municipality are also its peers without the variable `left_out`; in the order of the
    variables.
    """
    chosen = _groups(peers(structure, own, settings))
    rows = []
    for name in structure.names:
        without = _groups(peers(structure.without(name), own, settings))
        rows += [(code, name, len(group & without.get(code, set()))) for code, group in chosen.items()]
    schema = {"region_code": pl.String, "left_out": pl.String, "stay": pl.Int32}
    return pl.DataFrame(rows, schema, orient="row").sort("region_code", maintain_order=True)


def _groups(found: pl.DataFrame) -> dict[str, set[str]]:
    groups = found.group_by("region_code", maintain_order=True).agg("peer_code")
    return {code: set(group) for code, group in groups.iter_rows()}
