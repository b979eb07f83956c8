"""Pictures of the headline indicators: a map, a dot plot and a line over the years, as SVG and PNG.

The pictures show figures, never a verdict: the sentence beside them is computed elsewhere. What a figure is worth
(provisional, carried from an older year, no margin known) stands in the picture itself, because pictures get copied
without the page around them.
"""

from reports.charts.files import draw_charts, text_problems
from reports.charts.story import ChartLabels, ChartTables

__all__ = ["ChartLabels", "ChartTables", "draw_charts", "text_problems"]
