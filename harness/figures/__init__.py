"""The only room that says what a figure is: which rows, what a request cost, who answered, which interval."""

from harness.figures.catalogue import all_figures, figure_named
from harness.figures.declaration import Better, Custom, Figure, Mean, Quantile, Ratio, Share, Unit
from harness.figures.grouping import GROUPS
from harness.figures.measure import Figures, measure, measure_all
from harness.figures.selection import Rows, Selection

__all__ = [
    "GROUPS",
    "Better",
    "Custom",
    "Figure",
    "Figures",
    "Mean",
    "Quantile",
    "Ratio",
    "Rows",
    "Selection",
    "Share",
    "Unit",
    "all_figures",
    "figure_named",
    "measure",
    "measure_all",
]
