"""Statistics of a sample survey: designs, calibration of weights, estimates with margins, and tests of differences.

A sample is a `Survey` (design.py); calibration.py gives it other weights; domains.py has means of many variables in
many domains, their differences and changes; estimation.py, quantiles.py and intervals.py one estimate at a time, and
hypothesis.py tests. Everything is compared with R `survey`, and reference results of the same kind can be run against
the names below.
"""

from methods.survey.calibration import (
    WeightDiagnostics,
    calibrated,
    margin_matrix,
    nonresponse_adjusted,
    post_stratified,
    raked,
    trimmed,
    weight_diagnostics,
    with_bootstrap,
)
from methods.survey.design import CalibrationError, Survey, SurveyError
from methods.survey.domains import (
    Difference,
    DomainMeans,
    change,
    difference,
    domain_means,
    domain_means_by,
    minimal_detectable,
    panel_covariance,
    replicated_means,
)
from methods.survey.estimation import Estimates, Share, crosstab, mean, proportion, ratio, total, variance
from methods.survey.hypothesis import Association, chi_square, rank_test, ttest
from methods.survey.intervals import share_interval
from methods.survey.quantiles import quantile

__all__ = [
    "Association",
    "CalibrationError",
    "Difference",
    "DomainMeans",
    "Estimates",
    "Share",
    "Survey",
    "SurveyError",
    "WeightDiagnostics",
    "calibrated",
    "change",
    "chi_square",
    "crosstab",
    "difference",
    "domain_means",
    "domain_means_by",
    "margin_matrix",
    "mean",
    "minimal_detectable",
    "nonresponse_adjusted",
    "panel_covariance",
    "post_stratified",
    "proportion",
    "quantile",
    "raked",
    "rank_test",
    "ratio",
    "replicated_means",
    "share_interval",
    "total",
    "trimmed",
    "ttest",
    "variance",
    "weight_diagnostics",
    "with_bootstrap",
]
