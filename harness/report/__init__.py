"""The figures of a run, and the documents that show them."""

from harness.report.document import ReportRun
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
from harness.report.reading import ReportFile, read_report
from harness.report.rows import mode_banner
from harness.report.summary import run_summary
from harness.report.terminal import plain_table, summary_table
from harness.report.write import ReportPaths, write_reports

__all__ = [
    "CostFigures",
    "CostRow",
    "ErrorGroup",
    "GeneratorFigures",
    "LatencyFigure",
    "QualityFigures",
    "ReportFile",
    "ReportPaths",
    "ReportRun",
    "RunHead",
    "RunSummary",
    "SavingFigures",
    "mode_banner",
    "plain_table",
    "read_report",
    "run_summary",
    "summary_table",
    "write_reports",
]
