"""Pictures, as SVG and PNG, of each headline indicator, of the dimensions and of the ranks on an overall score.

An indicator gets a map, a dot plot, a line over the years and its place among all municipalities. The pictures show
figures and make no verdict: those on the dimensions are read from `comparison`, those on places from `position`. What
a figure is worth (its margin, provisional, estimated, hidden, carried from an older year, made up) stands in the
picture itself, because pictures get copied without the page around them.
"""

from reports.charts.files import draw_charts, text_problems
from reports.charts.story import ChartLabels, ChartTables

__all__ = ["ChartLabels", "ChartTables", "draw_charts", "text_problems"]
