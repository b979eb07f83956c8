"""The only module that knows `svy`: weights in, adjusted weights out, as plain arrays.

`svy` (MIT) adjusts weights for non-response, post-stratifies, rakes and draws bootstrap replicates, the
replicates together with the weights. Everything here has the same shape: `weights` (n), `replicates` (n, R) or None,
groups as text codes (n). Estimates and their margins are computed in this package itself (domains.py, estimation.py):
there they know what was calibrated, and hundreds of domains take part of a second.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import polars as pl

from methods.survey.design import Array, CalibrationError, Codes, Mask

# What `svy` accepts by itself is a misfit of 1 in 10,000; R's `rake` with epsilon 1e-12 is met to 13 digits with this.
RAKING_TOLERANCE = 1e-10
_RAKING_ROUNDS = 1000

Weights = tuple[Array, Array | None]


def nonresponse_adjusted(weights: Array, replicates: Array | None, responded: Mask, classes: pl.Series) -> Weights:
    """Weights of respondents (`responded`, n) that carry those of the non-respondents of their class as well."""
    status = np.where(responded, "rr", "nr")
    with _failures("weights could not be adjusted for non-response"):
        sample = _sample(weights, replicates, status=status, cell=classes)
        adjusted = sample.weighting.adjust("status", cells="cell", wgt_name="adjusted", respondents_only=True)
    return _weights(adjusted, "adjusted", replicates)


def post_stratified(weights: Array, replicates: Array | None, cells: pl.Series, totals: Mapping[str, float]) -> Weights:
    """Weights that add up to the total of each cell."""
    with _failures("post-stratification failed"):
        sample = _sample(weights, replicates, cell=cells)
        adjusted = sample.weighting.poststratify(dict(totals), cells="cell", wgt_name="adjusted")
    return _weights(adjusted, "adjusted", replicates)


def raked(
    weights: Array,
    replicates: Array | None,
    margins: Sequence[tuple[pl.Series, Mapping[str, float]]],
    tolerance: float = RAKING_TOLERANCE,
) -> Weights:
    """Weights that add up to the totals of several margins, each with its cells (n) and their totals."""
    names = [f"margin {number}" for number in range(len(margins))]
    with _failures("raking did not converge: the margins contradict each other or leave no room"):
        sample = _sample(weights, replicates, **{name: cells for name, (cells, _) in zip(names, margins, strict=True)})
        adjusted = sample.weighting.rake(
            controls={name: dict(totals) for name, (_, totals) in zip(names, margins, strict=True)},
            tol=tolerance,
            max_iter=_RAKING_ROUNDS,
            wgt_name="adjusted",
        )
    return _weights(adjusted, "adjusted", replicates)


def bootstrap(weights: Array, strata: Codes, psu: Codes, replicates: int, seed: int) -> Array:
    """Bootstrap replicate weights (n, replicates) of Rao, Wu & Yue (1992): clusters drawn again within strata."""
    import svy  # heavy: only where weights are adjusted

    frame = pl.DataFrame({"weight": weights, "stratum": strata, "psu": psu})
    with _failures("no bootstrap replicates could be drawn"):
        sample = svy.Sample(frame, svy.Design(wgt="weight", stratum="stratum", psu="psu"))
        drawn = sample.weighting.create_bs_wgts(n_reps=replicates, rep_prefix="replicate", rstate=seed)
    return np.asarray(drawn.data.select(f"replicate{number + 1}" for number in range(replicates)).to_numpy())


def _sample(weights: Array, replicates: Array | None, **groups: Any) -> Any:
    import svy  # heavy: only where weights are adjusted

    frame = pl.DataFrame({"weight": weights, **groups})
    if replicates is None:
        return svy.Sample(frame, svy.Design(wgt="weight"))
    names = [f"weight{number + 1}" for number in range(replicates.shape[1])]
    frame = frame.hstack(pl.from_numpy(replicates, schema=names))
    design = svy.Design(wgt="weight", rep_wgts=svy.BootstrapWgts(prefix="weight", n_reps=len(names)))
    return svy.Sample(frame, design)


def _weights(sample: Any, name: str, replicates: Array | None) -> Weights:
    weights = sample.data[name].to_numpy()
    if replicates is None:
        return weights, None
    return weights, sample.data.select(f"{name}{number + 1}" for number in range(replicates.shape[1])).to_numpy()


@contextmanager
def _failures(what: str) -> Iterator[None]:
    """What `svy` refuses, in our words: its own messages may quote rows."""
    from svy.errors import SvyError

    try:
        yield
    except SvyError as error:
        code = getattr(error, "code", None) or type(error).__name__
        raise CalibrationError(f"{what} (svy: {code}).") from None
