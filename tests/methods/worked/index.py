"""Composite indicators by hand: scales, means, outliers, coherence, weights and the scores of a small framework."""

from __future__ import annotations

import numpy as np

from catalog.analysis_model import OutlierTreatment
from methods.index.aggregate import Array, arithmetic_mean, generalised_mean, geometric_mean, harmonic_mean
from methods.index.coherence import correlations, cronbach_alpha, principal_components
from methods.index.composite import Composite, Normaliser, coverage, gradients, standard_errors, theme_scores
from methods.index.normalise import (
    borda,
    distance_to_max,
    distance_to_reference,
    fraction_of_max,
    goalposts,
    min_max,
    percentile_rank,
    rank,
    scaled,
    z_score,
)
from methods.index.treat import kurtosis, log_shift, skewness, treat, winsorise
from methods.index.weights import effective_weights, overall_weights, pca_weights
from tests.methods.worked import Example

PLACES = ["A", "B", "C", "D", "E"]
FIGURES = np.array([2.0, 4, 4, 7, 13])  # mean 6; from it -4, -2, -2, 1 and 7, of which the squares add up to 74
PAIR = np.array([[1.0, 2], [2, 1], [3, 4], [4, 3], [5, 5]])  # from the mean, 3, the products add up to 8
FAR = np.array([1.0, 2, 3, 4, 100])
RULE = OutlierTreatment(skewness=2, kurtosis=3.5, maximum=5)

WORK_AND_SAFETY = Composite(
    indicators=("participation", "benefits", "crime"),
    themes=("work", "safety"),
    theme_of=np.array([0, 0, 1]),
    polarity=np.array([1, -1, -1]),
    weights=np.array([1.0, 1.0, 1.0]),
    theme_weights=np.array([1.0, 1.0]),
    goalposts=np.array([[60.0, 80], [10, 30], [20, 60]]),
    minimum_coverage=np.array([0.5, 1.0, 0.5]),
)
OBSERVED = np.array([[72.0, 15, 30], [68, 22, 50], [np.nan, 12, 25], [60, 30, 60], [80, 10, 20]])
ONE = Composite(
    indicators=("a",),
    themes=("all",),
    theme_of=np.array([0]),
    polarity=np.array([1]),
    weights=np.array([1.0]),
    theme_weights=np.array([1.0]),
    goalposts=np.array([[0.0, 10.0]]),
    minimum_coverage=np.array([1.0, 1.0]),
)


def table(columns: Array) -> list[list[str]]:
    """Rows of a printed table: the place, then its figures."""
    return [
        [place, *("-" if np.isnan(figure) else f"{figure:g}" for figure in np.atleast_1d(row))]
        for place, row in zip(PLACES, columns, strict=True)
    ]


def _scores() -> Array:
    return Normaliser.fit(WORK_AND_SAFETY, "goalposts", OBSERVED)(OBSERVED)


def _errors(blocks: list[int]) -> Array:
    """Standard errors of place A's scores where participation is 1 and benefits 2 uncertain, and crime is counted."""
    return standard_errors(
        OBSERVED[:1],
        np.array([[1.0, 2.0, np.nan]]),
        np.array(blocks),
        Normaliser.fit(WORK_AND_SAFETY, "goalposts", OBSERVED),
        WORK_AND_SAFETY,
        exact=np.array([False, False, True]),
    )[0]


def _on_scale(method: str, figure: float) -> float:
    fitted = Normaliser.fit(ONE, method, FIGURES[:, None])  # type: ignore[arg-type]
    return float(fitted(np.array([[figure]]))[0, 0])


EXAMPLES: list[Example] = [
    Example(
        title="Scales by the lowest, the highest and chosen figures",
        text="Figures become scores by where they lie between two ends. Place D, with 7, is shown.",
        header=["place", "figure"],
        rows=table(FIGURES),
        steps=[
            ("min-max, 0 to 100", "(7 - 2) / (13 - 2) * 100"),
            ("distance to the highest", "1 - (13 - 7) / (13 - 2)"),
            ("distance to the reference 10", "1 - (10 - 7) / (10 - 2)"),
            ("share of the highest", "7 / 13"),
            ("scaled, 0 at 2 and 100 at 12", "(7 - 2) / (12 - 2) * 100"),
            ("goalposts 3 and 8, to 100", "(7 - 3) / (8 - 3) * 100"),
            ("the same where low is favourable", "(8 - 7) / (8 - 3) * 100"),
            ("place A on goalposts 3 and 8: no lower than 0", "max((2 - 3) / (8 - 3), 0) * 100"),
            ("place E on goalposts 3 and 8: no higher than 100", "min((13 - 3) / (8 - 3), 1) * 100"),
        ],
        result=lambda: [
            min_max(FIGURES)[3],
            distance_to_max(FIGURES)[3],
            distance_to_reference(FIGURES, 10)[3],
            fraction_of_max(FIGURES)[3],
            scaled(FIGURES, 2, 12)[3],
            goalposts(FIGURES, 3, 8)[3],
            goalposts(FIGURES, 3, 8, polarity=-1)[3],
            goalposts(FIGURES, 3, 8)[0],
            goalposts(FIGURES, 3, 8)[4],
        ],
    ),
    Example(
        title="Scales by place in the order",
        text="Only the order counts. B and C are equal; D has three places below it.",
        header=["place", "figure"],
        rows=table(FIGURES),
        steps=[
            ("rank of B and C: the mean of 2 and 3", "(2 + 3) / 2"),
            ("rank of D", "4"),
            ("Borda score of B: one place is lower", "1"),
            ("Borda score of D", "3"),
            ("percentile rank of B: lower ones among the four others", "1 / 4"),
            ("percentile rank of D", "3 / 4"),
        ],
        result=lambda: [
            rank(FIGURES)[1],
            rank(FIGURES)[3],
            borda(FIGURES)[1],
            borda(FIGURES)[3],
            percentile_rank(FIGURES)[1],
            percentile_rank(FIGURES)[3],
        ],
    ),
    Example(
        title="z-scores",
        text="How many standard deviations a figure lies from the mean. The mean is 6.",
        header=["place", "figure"],
        rows=table(FIGURES),
        steps=[
            ("mean", "(2 + 4 + 4 + 7 + 13) / 5"),
            ("z-score of D", "(7 - 6) / sqrt(((-4)**2 + (-2)**2 + (-2)**2 + 1**2 + 7**2) / 4)"),
            ("z-score of A", "(2 - 6) / sqrt(74 / 4)"),
        ],
        result=lambda: [float(FIGURES.mean()), z_score(FIGURES)[3], z_score(FIGURES)[0]],
    ),
    Example(
        title="Scores of 0.01 to 1 on four scales",
        text=(
            "What a framework uses: every scale gives a score of 0.01 to 1, so that every mean exists. All places set "
            "the scale; goalposts are 0 and 10. Shown are the scores of 7, and of other figures that say more."
        ),
        header=["place", "figure"],
        rows=table(FIGURES),
        steps=[
            ("goalposts", "(7 - 0) / (10 - 0)"),
            ("goalposts: 13 lies beyond", "min((13 - 0) / (10 - 0), 1)"),
            ("min-max", "(7 - 2) / (13 - 2)"),
            ("min-max: the lowest scores 0.01, not 0", "max((2 - 2) / (13 - 2), 0.01)"),
            ("z-score: three deviations either side of the mean are 0 and 1", "((7 - 6) / sqrt(74 / 4) + 3) / 6"),
            ("percentile of 7", "3 / 4"),
            ("percentile of 4: one is lower, the other 4 counts half", "(1 + 1 / 2) / 4"),
            ("percentile of 5.5: half-way between 4 and 7", "(1.5 / 4 + 3 / 4) / 2"),
        ],
        result=lambda: [
            _on_scale("goalposts", 7),
            _on_scale("goalposts", 13),
            _on_scale("min_max", 7),
            _on_scale("min_max", 2),
            _on_scale("z_score", 7),
            _on_scale("percentile", 7),
            _on_scale("percentile", 4),
            _on_scale("percentile", 5.5),
        ],
    ),
    Example(
        title="Means",
        text="The weighted mean of five scores in four ways. The missing score is left out, with its weight.",
        header=["place", "score", "weight"],
        rows=[["A", "80", "1"], ["B", "60", "2"], ["C", "95", "1"], ["D", "20", "1"], ["E", "-", "3"]],
        steps=[
            ("arithmetic", "(1 * 80 + 2 * 60 + 1 * 95 + 1 * 20) / (1 + 2 + 1 + 1)"),
            ("geometric", "(80 * 60**2 * 95 * 20)**(1 / 5)"),
            ("harmonic", "5 / (1 / 80 + 2 / 60 + 1 / 95 + 1 / 20)"),
            ("generalised, power 2", "sqrt((80**2 + 2 * 60**2 + 95**2 + 20**2) / 5)"),
        ],
        result=lambda: [
            float(mean([80, 60, 95, 20, np.nan], [1, 2, 1, 1, 3]))
            for mean in (arithmetic_mean, geometric_mean, harmonic_mean, lambda x, w: generalised_mean(x, w, power=2))
        ],
    ),
    Example(
        title="Skewness and kurtosis",
        text="How lopsided figures are and how heavy their tails, by distance from the mean of 6: -4, -2, -2, 1 and 7.",
        header=["place", "figure"],
        rows=table(FIGURES),
        steps=[
            ("skewness", "sqrt(5) * (-64 - 8 - 8 + 1 + 343) / 74**1.5 * sqrt(5 * 4) / 3"),
            ("kurtosis", "(6 * (5 * (256 + 16 + 16 + 1 + 2401) / 74**2 - 3) + 6) * 4 / (3 * 2)"),
        ],
        result=lambda: [skewness(FIGURES), kurtosis(FIGURES)],
    ),
    Example(
        title="Outliers",
        text=(
            "Figures with a skewness of 2 and a kurtosis of 3.5 or more have an outlier: the highest becomes the next "
            "highest, and that is enough here. The other treatment, for when it is not, is a logarithm; shown is e to "
            "that power."
        ),
        header=["place", "figure"],
        rows=table(FAR),
        steps=[
            (
                "skewness before; squared distances from the mean of 22 add up to 7610",
                "sqrt(5) * (78**3 - 21**3 - 20**3 - 19**3 - 18**3) / 7610**1.5 * sqrt(5 * 4) / 3",
            ),
            ("place E winsorised", "max(1, 2, 3, 4)"),
            ("figures changed", "1"),
            ("place E after the whole treatment", "max(1, 2, 3, 4)"),
            ("place A logged: e to that power", "1 - 1 + 0.01 * (100 - 1)"),
            ("place E logged: e to that power", "100 - 1 + 0.01 * (100 - 1)"),
        ],
        result=lambda: [
            skewness(FAR),
            winsorise(FAR, RULE).values[4],
            winsorise(FAR, RULE).count,
            treat(FAR, RULE)[4],
            float(np.exp(log_shift(FAR)[0])),
            float(np.exp(log_shift(FAR)[4])),
        ],
    ),
    Example(
        title="Coherence of two indicators",
        text=(
            "From their means of 3 the indicators lie -2, -1, 0, 1, 2 and -1, -2, 1, 0, 2 away; products add up to 8, "
            "and both columns of squares to 10. Variances are 10 / 4, the covariance is 8 / 4."
        ),
        header=["place", "first", "second"],
        rows=table(PAIR),
        steps=[
            ("correlation", "(2 + 2 + 0 + 0 + 4) / sqrt(10 * 10)"),
            ("Cronbach's alpha", "2**2 * (8 / 4) / (10 / 4 + 10 / 4 + 8 / 4 + 8 / 4)"),
            ("share explained by the first principal component", "(1 + 0.8) / 2"),
            ("loading of each on it", "sqrt(1 / 2)"),
            ("weight by it", "sqrt(1 / 2) / (sqrt(1 / 2) + sqrt(1 / 2))"),
        ],
        result=lambda: [
            correlations(PAIR)[0, 1],
            cronbach_alpha(PAIR),
            principal_components(PAIR).explained_share[0],
            principal_components(PAIR).loadings[1, 0],
            pca_weights(PAIR)[0],
        ],
    ),
    Example(
        title="Effective weights",
        text=(
            "The share of the variance of a weighted mean that comes from each indicator. The first has weight 3, the "
            "second 1; variances are 2.5 and 2.5, the covariance is 2."
        ),
        header=["place", "first", "second"],
        rows=table(PAIR),
        steps=[
            (
                "of the first",
                "0.75 * (0.75 * 2.5 + 0.25 * 2) / (0.75**2 * 2.5 + 0.25**2 * 2.5 + 2 * 0.75 * 0.25 * 2)",
            ),
            (
                "of the second",
                "0.25 * (0.75 * 2 + 0.25 * 2.5) / (0.75**2 * 2.5 + 0.25**2 * 2.5 + 2 * 0.75 * 0.25 * 2)",
            ),
        ],
        result=lambda: list(effective_weights(PAIR, [3, 1])),
    ),
    Example(
        title="Theme scores and an overall score",
        text=(
            "Work is participation (goalposts 60 and 80) and benefits (10 and 30, low is favourable), safety is crime "
            "(20 and 60, low is favourable). Places A, C, where participation is missing, and D, worst on every scale."
        ),
        header=["place", "participation", "benefits", "crime"],
        rows=table(OBSERVED),
        steps=[
            ("A: participation", "(72 - 60) / (80 - 60)"),
            ("A: benefits", "(30 - 15) / (30 - 10)"),
            ("A: crime", "(60 - 30) / (60 - 20)"),
            ("A: work", "(0.6 + 0.75) / 2"),
            ("A: overall", "((0.6 + 0.75) / 2 + 0.75) / 2"),
            ("A: overall, geometric", "sqrt(sqrt(0.6 * 0.75) * 0.75)"),
            ("A: overall, harmonic", "2 / ((1 / 0.6 + 1 / 0.75) / 2 + 1 / 0.75)"),
            ("C: coverage of work", "1 / 2"),
            ("C: work", "(30 - 12) / (30 - 10)"),
            ("D: participation", "max((60 - 60) / (80 - 60), 0.01)"),
            ("D: overall", "((0.01 + 0.01) / 2 + 0.01) / 2"),
            ("weight of participation in the overall score", "1 / 2 * 1 / 2"),
            ("weight of crime in the overall score", "1 * 1 / 2"),
        ],
        result=lambda: [
            *_scores()[0],
            theme_scores(_scores(), WORK_AND_SAFETY)[0, 0],
            *(theme_scores(_scores(), WORK_AND_SAFETY, mean)[0, 2] for mean in ("arithmetic", "geometric", "harmonic")),
            coverage(OBSERVED, WORK_AND_SAFETY)[2, 0],
            theme_scores(_scores(), WORK_AND_SAFETY)[2, 0],
            _scores()[3, 0],
            theme_scores(_scores(), WORK_AND_SAFETY)[3, 2],
            *overall_weights(WORK_AND_SAFETY)[[0, 2]],
        ],
    ),
    Example(
        title="Standard errors of scores",
        text=(
            "Place A again, with a standard error of 1 for participation and of 2 for benefits; crime is counted, not "
            "sampled. Figures of the same respondents may move together: their errors add up. Else their squares do."
        ),
        header=["place", "participation", "benefits", "crime"],
        rows=table(OBSERVED),
        steps=[
            ("work changes with participation by", "1 / 2"),
            ("the overall score does by", "1 / 2 * 1 / 2"),
            ("the geometric mean of work does by", "1 / 2 * sqrt(0.6 * 0.75) / 0.6"),
            ("work, same respondents", "1 / 2 * 1 / (80 - 60) + 1 / 2 * 2 / (30 - 10)"),
            ("overall, same respondents", "1 / 2 * (1 / 2 * 1 / 20 + 1 / 2 * 2 / 20)"),
            ("work, other respondents", "sqrt((1 / 2 * 1 / 20)**2 + (1 / 2 * 2 / 20)**2)"),
            ("safety", "0"),
        ],
        result=lambda: [
            gradients(_scores(), WORK_AND_SAFETY)[0, 0, 0],
            gradients(_scores(), WORK_AND_SAFETY)[0, 2, 0],
            gradients(_scores(), WORK_AND_SAFETY, "geometric")[0, 0, 0],
            _errors([0, 0, 1])[0],
            _errors([0, 0, 1])[2],
            _errors([0, 1, 2])[0],
            _errors([0, 0, 1])[1],
        ],
    ),
]
