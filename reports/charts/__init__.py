"""Pictures, as SVG and PNG: of each headline indicator a map, a dot plot and a line over the years; and the dimensions.

The pictures show figures and make no verdict: the one on the dimensions is read from `comparison`. What a figure is
worth (its margin, provisional, estimated, hidden, carried from an older year, made up) stands in the picture itself,
because pictures get copied without the page around them.
"""

from reports.charts.files import draw_charts, text_problems
from reports.charts.story import ChartLabels, ChartTables

__all__ = ["ChartLabels", "ChartTables", "draw_charts", "text_problems"]
