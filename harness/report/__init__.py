"""The figures of a run, and the documents that show them."""

from harness.report.figures import (
    CostFigures,
    CostRow,
    ErrorGroup,
    GeneratorFigures,
    LatencyFigure,
    QualityFigures,
    RunHead,
    RunSummary,
    SavingFigures,
)
from harness.report.summary import run_summary
from harness.report.terminal import mode_banner, summary_table

__all__ = [
    "CostFigures",
    "CostRow",
    "ErrorGroup",
    "GeneratorFigures",
    "LatencyFigure",
    "QualityFigures",
    "RunHead",
    "RunSummary",
    "SavingFigures",
    "mode_banner",
    "run_summary",
    "summary_table",
]
