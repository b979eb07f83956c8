"""Means of many variables in many, also overlapping, domains, and what their differences are worth.

A domain is a part of the population: a municipality, the whole region, the women in it. The full design is kept for
every domain (respondents outside count as zero), which is what makes its margin right, and what gives the covariance
of two domains of one sample. Degrees of freedom are those of the domain: clusters that hold members less strata that
do (R `survey`: `svymean(~y, subset(design, ...))`, `degf(subset(design, ...))`, `svycontrast`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from methods.survey.design import Array, Codes, Mask, Survey, SurveyError, refuse_rows

# The shape of the table of `domain_means`.
SCHEMA = {
    "variable": pl.String,
    "block": pl.String,
    "domain": pl.String,
    "estimate": pl.Float64,
    "standard_error": pl.Float64,
    "degrees_of_freedom": pl.Int64,
    "n": pl.Int64,
    "n_effective": pl.Float64,
    "sum_of_weights": pl.Float64,
    "numerator": pl.Int64,
}
_NUMBERS = list(SCHEMA)[3:]
_EQUAL = 1e-12  # variances below this part of what they come from are zero but for rounding


@dataclass(frozen=True)
class DomainMeans:
    """Means by domain: `table` (see `domain_means`), and the sample and domains they come from."""

    table: pl.DataFrame
    survey: Survey
    blocks: Mapping[str, Mapping[str, Mask]]

    def influence(self, variable: str, block: str) -> Array:
        """Linearised values (n, D) of the block's domains, calibration taken into account.

        A respondent's share in the error of each estimate. Zero in all rows for a domain without answers.
        """
        domains = np.column_stack(list(self.blocks[block].values()))
        return self.survey.residuals(_linearised(self.survey.weights, self.survey.values(variable), domains))

    def covariance(self, variable: str, block: str) -> Array:
        """The covariance (D, D) of the block's estimates, in the order of its domains.

        The diagonal is 0 also where the table has no standard error because nothing varies.
        """
        scores = self.survey.scores(self.influence(variable, block))
        return np.asarray(scores.T @ scores)

    def answered(self, variable: str, block: str, domain: str) -> Mask:
        """The respondents (n) of a domain who have a value."""
        return np.asarray(self.blocks[block][domain] & ~np.isnan(self.survey.values(variable)))

    def row(self, variable: str, block: str, domain: str) -> dict[str, Any]:
        """One row of the table.

        Raises:
            SurveyError: it has none.
        """
        rows = self.table.filter(variable=variable, block=block, domain=domain)
        if rows.height != 1:
            raise SurveyError(f"no estimate of {variable} for {domain} by {block}.")
        return rows.row(0, named=True)


@dataclass(frozen=True)
class Difference:
    """A difference of two estimates and its t-test; what cannot be known (no margin, no freedom) is None."""

    estimate: float | None
    standard_error: float | None
    degrees_of_freedom: int | None
    t: float | None
    p_value: float | None


def domain_means(survey: Survey, variables: Sequence[str], blocks: Mapping[str, Mapping[str, Mask]]) -> DomainMeans:
    """Means of variables by domain, with standard errors by Taylor linearisation of the full design.

    `blocks` maps the name of a breakdown to its domains, each a boolean mask (n) of members; domains may overlap. A
    respondent without a value is outside every domain of that variable. The table has a row per variable, block and
    domain, in the order given; one without answers has `estimate` NULL and `n` 0.

    `standard_error` is NULL where nothing varies (one respondent, or all the same value): a sample cannot tell what
    the error is. It is 0 only where calibration or a full count fixes the estimate. `n_effective` is the variance of
    the variable in the domain over the squared standard error, p (1 - p) / se^2 for a share: the size of the simple
    random sample with the same margin. `numerator` counts respondents with a 1 where the variable is 0/1.

    Raises:
        SurveyError: an unknown variable, or a mask of another length.
    """
    for domains in blocks.values():
        for name, mask in domains.items():
            if mask.shape != (survey.n,) or mask.dtype != np.bool_:
                raise SurveyError(f"domain {name}: expected a mask of {survey.n} true or false.")
    values = np.column_stack([survey.values(variable) for variable in variables])
    binary = np.all(np.isnan(values) | (values == 0) | (values == 1), axis=0)
    quadratic = _Quadratic.of(survey)
    names = [(block, domain) for block, domains in blocks.items() for domain in domains]
    parts = [_of_domain(survey, quadratic, values, blocks[block][domain]) for block, domain in names]
    order = [(variable, place) for variable in range(len(variables)) for place in range(len(names))]
    table = pl.DataFrame(
        {
            "variable": [variables[variable] for variable, _ in order],
            "block": [names[place][0] for _, place in order],
            "domain": [names[place][1] for _, place in order],
            **{name: np.array([parts[place][name][variable] for variable, place in order]) for name in _NUMBERS},
            "is_share": [bool(binary[variable]) for variable, _ in order],
        },
        schema_overrides=dict.fromkeys(_NUMBERS, pl.Float64),
    )
    known = [pl.col(name).fill_nan(None).cast(SCHEMA[name]) for name in _NUMBERS]
    shares_only = pl.when("is_share").then("numerator").alias("numerator")
    return DomainMeans(table.with_columns(known).with_columns(shares_only).select(list(SCHEMA)), survey, blocks)


@dataclass(frozen=True)
class _Quadratic:
    """The variance of a total of linearised values z that are zero outside a domain, without computing with zeros.

    With C the design's quadratic form and z - F G'z the residuals after calibration, it is
    z'Cz - 2 (G'z)'(F'Cz) + (G'z)'(F'CF)(G'z): every term needs only the rows of members.
    """

    survey: Survey
    along: Any  # G (n, k), in the layout's order of rows; all three are sparse
    weighted: Any  # C F (n, k), the same
    inner: Any  # F'C F (k, k)

    @classmethod
    def of(cls, survey: Survey) -> _Quadratic:
        from scipy.sparse import csr_array

        layout = survey.layout
        none = csr_array((survey.n, 0))
        onto, along = survey.projection or (none, none)
        scores = survey.scores(onto.toarray())
        root = np.repeat(np.sqrt(layout.factor), layout.sizes)
        weighted = (scores * root[:, None])[layout.psu_of_row]
        return cls(survey, along[layout.order], csr_array(weighted), csr_array(scores.T @ scores))

    def variances(self, places: NDArray[np.intp], z: Array) -> Array:
        """Of the totals of z (members, V), whose rows stand at `places` of the layout's order."""
        layout = self.survey.layout
        totals, psu = _sums(z, layout.psu_of_row[places])
        strata = layout.stratum_of_psu[psu]
        (sums, present), (squares, _) = _sums(totals, strata), _sums(totals**2, strata)
        before = layout.factor[present] @ (squares - sums**2 / layout.sizes[present][:, None])
        explained, cross = self.along[places].T @ z, self.weighted[places].T @ z
        after = before - 2 * np.sum(explained * cross, axis=0) + np.sum(explained * (self.inner @ explained), axis=0)
        return np.where(after > _EQUAL * (layout.factor[present] @ squares), after, 0.0)


def _of_domain(survey: Survey, quadratic: _Quadratic, values: Array, members: Mask) -> dict[str, Array]:
    """The numbers of the table for all variables (V) in one domain, NaN where there is none."""
    layout = survey.layout
    places = np.flatnonzero(members[layout.order])
    rows = layout.order[places]
    inside = ~np.isnan(values[rows])
    y = np.where(inside, values[rows], 0.0)
    weights = survey.weights[rows][:, None] * inside
    n, total = inside.sum(axis=0), weights.sum(axis=0)
    per_weight = 1 / np.where(total != 0, total, np.nan)
    estimate = np.sum(weights * y, axis=0) * per_weight
    deviation = np.where(inside, y - estimate, 0.0)
    spread = np.sum(weights * deviation**2, axis=0) * per_weight
    varies = spread > _EQUAL * np.sum(weights * y**2, axis=0) * per_weight
    variance = quadratic.variances(places, weights * np.nan_to_num(deviation * per_weight))
    variance = np.where(varies, variance, np.nan)
    answered, psu = _sums(inside.astype(float), layout.psu_of_row[places])
    in_strata, _ = _sums(answered, layout.stratum_of_psu[psu])
    return {
        "estimate": estimate,
        "standard_error": np.sqrt(variance),
        "degrees_of_freedom": np.sum(answered > 0, axis=0) - np.sum(in_strata > 0, axis=0),
        "n": n,
        "n_effective": spread / np.where(variance > 0, variance, np.nan),
        "sum_of_weights": total,
        "numerator": np.sum(y > 0, axis=0),
    }


def _sums(values: Array, codes: Codes) -> tuple[Array, Codes]:
    """Sums (groups, V) of rows (m, V) with equal codes, which must be sorted, and the code of each group."""
    starts = np.flatnonzero(np.diff(codes, prepend=-1))
    if len(starts) in (0, len(codes)):
        return values, codes
    return np.asarray(np.add.reduceat(values, starts, axis=0)), codes[starts]


def _linearised(weights: Array, values: Array, domains: Mask) -> Array:
    """z (n, D) = w (y - mean of the domain) / (sum of weights of the domain), 0 outside; domains (n, D)."""
    inside = domains & ~np.isnan(values)[:, None]
    w = weights[:, None] * inside
    y = np.where(np.isnan(values), 0.0, values)
    total = w.sum(axis=0)
    per_weight = 1 / np.where(total > 0, total, 1.0)
    return np.asarray(w * (y[:, None] - y @ w * per_weight) * per_weight)


def replicated_means(
    survey: Survey, variables: Sequence[str], blocks: Mapping[str, Mapping[str, Mask]]
) -> pl.DataFrame:
    """Means by domain with standard errors from the replicate weights: `variable`, `block`, `domain`, `estimate`,
    `standard_error`, in that order of rows.

    The variance is the mean squared deviation of the R replicates from the estimate (Rao & Wu 1988). It is NULL where
    fewer than two respondents have a value, or where a replicate has none of them.

    Raises:
        SurveyError: there are no replicates (see `with_bootstrap`).
    """
    if survey.replicates is None:
        raise SurveyError("the sample has no replicate weights: make them with with_bootstrap.")
    values = np.column_stack([survey.values(variable) for variable in variables])
    known = ~np.isnan(values)
    y = np.where(known, values, 0.0)
    tables = []
    for block, domains in blocks.items():
        for domain, members in domains.items():
            rows = np.flatnonzero(members)
            both = np.column_stack([survey.weights[rows], survey.replicates[rows]])  # the estimate, then R replicates
            weight = both.T @ known[rows]
            answered = known[rows].sum(axis=0)
            means = both.T @ (y[rows]) / np.where(weight > 0, weight, np.nan)
            error = np.sqrt(np.mean((means[1:] - means[0]) ** 2, axis=0))
            tables.append((block, domain, means[0], np.where(answered > 1, error, np.nan)))
    rows_of = [(v, table) for v in range(len(variables)) for table in tables]
    return pl.DataFrame(
        {
            "variable": [variables[v] for v, _ in rows_of],
            "block": [block for _, (block, _, _, _) in rows_of],
            "domain": [domain for _, (_, domain, _, _) in rows_of],
            "estimate": [float(means[v]) for v, (_, _, means, _) in rows_of],
            "standard_error": [float(errors[v]) for v, (_, _, _, errors) in rows_of],
        }
    ).with_columns(pl.col("estimate", "standard_error").fill_nan(None))


def domain_means_by(survey: Survey, variables: Sequence[str], by: Sequence[str]) -> pl.DataFrame:
    """Means of variables for every combination of the values of columns `by`: the columns of `domain_means` but block.

    One pass over the rows, for domains that do not overlap: half a million respondents, hundreds of domains. It has no
    covariances. Rows are sorted by the columns `by`; a variable without answers in a domain has `n` 0.

    Raises:
        SurveyError: the weights are calibrated (then `domain_means` has the right margins), or an unknown column.
    """
    if survey.constraints:
        raise SurveyError("means by group do not know calibrated margins: use domain_means.")
    if unknown := [name for name in by if name not in survey.frame.columns]:
        raise SurveyError(f"column {', '.join(unknown)}: expected in the sample, but there is none of that name.")
    layout = survey.layout
    stratum = np.empty(survey.n, dtype=np.int64)
    stratum[layout.order] = layout.stratum_of_psu[layout.psu_of_row]
    units = survey.frame.select(by).with_columns(pl.Series("@stratum", stratum), pl.Series("@weight", survey.weights))
    if survey.psu is not None:
        units = units.with_columns(pl.Series("@psu", survey.psu))
    design = pl.DataFrame({"@factor": layout.factor, "@size": layout.sizes}).with_row_index("@stratum")
    design = design.with_columns(pl.col("@stratum").cast(pl.Int64))
    tables = [_by_group(survey, units, design, variable, list(by)) for variable in variables]
    places = pl.DataFrame({"variable": variables}).with_row_index("@place")
    table = pl.concat(tables).join(places, on="variable")
    names = [name for name in SCHEMA if name not in ("block", "domain")]
    return table.sort(*by, "@place").select(*by, *names)


def _by_group(survey: Survey, rows: pl.DataFrame, design: pl.DataFrame, variable: str, by: list[str]) -> pl.DataFrame:
    """One variable of `domain_means_by`: sums by domain and stratum, from which the variances follow."""
    values = survey.values(variable)
    centre = float(np.nanmean(values)) if np.isfinite(values).any() else 0.0  # keeps digits in sums of squares
    binary = bool(np.all(np.isnan(values) | (values == 0) | (values == 1)))
    y, w = pl.col("@y"), pl.col("@weight")
    units = (
        rows.lazy()
        .with_columns(pl.Series("@y", values - centre).fill_nan(None))
        .select(
            *by,
            "@stratum",
            pl.col("^@psu$"),
            n=y.is_not_null().cast(pl.Int64),
            hits=(y > -centre).fill_null(value=False).cast(pl.Int64),
            w=pl.when(y.is_not_null()).then(w).otherwise(0.0),
            t=(w * y).fill_null(0.0),
            q=(w * y * y).fill_null(0.0),
        )
    )
    if survey.psu is not None:
        units = units.group_by(*by, "@stratum", "@psu").agg(pl.col("n", "hits", "w", "t", "q").sum())
    cells = units.group_by(*by, "@stratum").agg(
        pl.col("n", "hits", "w", "t", "q").sum(),
        clusters=(pl.col("n") > 0).sum().cast(pl.Int64),
        ww=(pl.col("w") ** 2).sum(),
        wt=(pl.col("w") * pl.col("t")).sum(),
        tt=(pl.col("t") ** 2).sum(),
    )
    total = pl.col("w").sum().over(by)
    mean = pl.col("t").sum().over(by) / total
    squares = pl.col("tt") - 2 * mean * pl.col("wt") + mean**2 * pl.col("ww")
    sums = pl.col("t") - mean * pl.col("w")
    domains = (
        cells.join(design.lazy(), on="@stratum")
        .with_columns(v=pl.col("@factor") * (squares - sums**2 / pl.col("@size")) / total**2)
        .sort(*by, "@stratum")
        .group_by(by, maintain_order=True)
        .agg(pl.col("n", "hits", "w", "t", "q", "v", "clusters").sum(), strata=(pl.col("n") > 0).sum().cast(pl.Int64))
        .with_columns(m=pl.col("t") / pl.col("w"), q=pl.col("q") / pl.col("w"))
        .with_columns(spread=pl.col("q") - pl.col("m") ** 2)
    )
    varies = (pl.col("n") > 0) & (pl.col("spread") > _EQUAL * (pl.col("q") + centre**2))
    variance = pl.when(varies).then(pl.col("v").clip(lower_bound=0.0))
    return domains.select(
        *by,
        variable=pl.lit(variable),
        estimate=pl.when(pl.col("n") > 0).then(pl.col("m") + centre),
        standard_error=variance.sqrt(),
        degrees_of_freedom=pl.col("clusters") - pl.col("strata"),
        n="n",
        n_effective=pl.when(variance > 0).then(pl.col("spread") / variance),
        sum_of_weights="w",
        numerator=pl.when(pl.lit(binary)).then("hits"),
    ).collect()


def difference(
    means: DomainMeans, variable: str, block: str, a: str, b: str, *, degrees_of_freedom: int | None = None
) -> Difference:
    """Domain `a` minus domain `b` of one sample, with the covariance of the two (R `svycontrast`).

    Members that `a` and `b` share count in both, so that a municipality can be set against the whole it is part of.
    Degrees of freedom are those of both domains together unless given.
    """
    covered = means.answered(variable, block, a) | means.answered(variable, block, b)
    freedom = means.survey.degrees_of_freedom(covered) if degrees_of_freedom is None else degrees_of_freedom
    first, second = means.row(variable, block, a), means.row(variable, block, b)
    if first["standard_error"] is None or second["standard_error"] is None:
        return tested(first["estimate"], second["estimate"], None, freedom)
    domains = np.column_stack([means.blocks[block][a], means.blocks[block][b]])
    z = _linearised(means.survey.weights, means.survey.values(variable), domains) @ np.array([[1.0], [-1.0]])
    return tested(first["estimate"], second["estimate"], float(means.survey.covariance(z)[0, 0]), freedom)


def change(first: Mapping[str, Any], second: Mapping[str, Any], covariance: float = 0.0) -> Difference:
    """The second wave minus the first, from their rows of the tables of `domain_means`.

    `covariance` is 0 for samples drawn independently of each other, for a panel that of `panel_covariance`. Degrees of
    freedom are those of both waves together.
    """
    freedom = int(first["degrees_of_freedom"] + second["degrees_of_freedom"])
    if first["standard_error"] is None or second["standard_error"] is None:
        return tested(second["estimate"], first["estimate"], None, freedom)
    variance = first["standard_error"] ** 2 + second["standard_error"] ** 2 - 2 * covariance
    return tested(second["estimate"], first["estimate"], variance, freedom)


def panel_covariance(first: DomainMeans, second: DomainMeans, id_column: str, variable: str, block: str) -> Array:
    """The covariance (D, D') of a block's means in two waves, from the people who answered in both.

    Within a stratum that a person was drawn from in both waves (by its name) the m matched products of linearised
    values are centred on their means and multiplied by m / (m - 1), less the finite population correction where both
    waves have one (1 - n n' / (m N)); for those whose stratum changed they are summed as they are. With everybody in
    both waves this is the covariance of one sample. People without an id are not matched.

    Raises:
        SurveyError: an id that is not unique within a wave, or a design with clusters.
    """
    for wave in (first.survey, second.survey):
        if wave.psu is not None:
            raise SurveyError("a panel with clusters: expected respondents drawn one by one.")
        ids = wave.frame[id_column]
        refuse_rows(
            wave.frame,
            (ids.is_duplicated() & ids.is_not_null()).to_numpy(),
            f"column {id_column}: expected every person once in a wave",
        )
    matched = _places(first.survey, id_column).join(_places(second.survey, id_column), on=["id"], suffix="_2")
    one = first.influence(variable, block)[matched["place"].to_numpy()]
    two = second.influence(variable, block)[matched["place_2"].to_numpy()]
    total = np.zeros((one.shape[1], two.shape[1]))
    for (stratum, stratum_2), rows in matched.with_row_index().group_by("stratum", "stratum_2", maintain_order=True):
        a, b = one[rows["index"].to_numpy()], two[rows["index"].to_numpy()]
        m = rows.height
        if stratum == stratum_2 and m > 1:
            total += (a - a.mean(axis=0)).T @ (b - b.mean(axis=0)) * (m / (m - 1)) * _finite_population(rows)
        else:
            total += a.T @ b
    return total


def _places(survey: Survey, id_column: str) -> pl.DataFrame:
    """Of everyone with an id: row, stratum by name, its sample size and population size (NULL without)."""
    names = np.array(survey.stratum_names)
    sizes = np.bincount(survey.strata)
    return pl.DataFrame(
        {
            "id": survey.frame[id_column].cast(pl.String),
            "place": np.arange(survey.n),
            "stratum": names[survey.strata],
            "drawn": sizes[survey.strata],
            "population": [None] * survey.n if survey.fpc is None else survey.fpc,
        },
        schema_overrides={"population": pl.Float64},
    ).drop_nulls("id")


def _finite_population(matched: pl.DataFrame) -> float:
    """1 - n n' / (m N), the correction of the covariance of two samples of one stratum that share m members."""
    n, n_2, population = matched.select("drawn", "drawn_2", pl.max_horizontal("population", "population_2")).row(0)
    both = matched["population"][0] is not None and matched["population_2"][0] is not None
    return 1 - n * n_2 / (matched.height * population) if both else 1.0


def minimal_detectable(standard_error: float, factor: float = 2.80) -> float:
    """The smallest true difference that a test at 5% finds in 80 of 100 repetitions: (1.96 + 0.84) standard errors."""
    return factor * standard_error


def tested(value: float | None, other: float | None, variance: float | None, freedom: int) -> Difference:
    """The difference of two estimates with its variance (None: unknown) and t-test."""
    from scipy.special import stdtr  # heavy: only where something is tested

    if value is None or other is None:
        return Difference(None, None, None, None, None)
    if variance is None or variance <= 0 or freedom < 1:
        error = None if variance is None else float(np.sqrt(max(variance, 0.0)))
        return Difference(value - other, error, freedom, None, None)
    error = float(np.sqrt(variance))
    t = (value - other) / error
    return Difference(value - other, error, freedom, t, float(2 * stdtr(freedom, -abs(t))))
