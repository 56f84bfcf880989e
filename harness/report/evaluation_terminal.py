"""An evaluation's figures on the terminal: strategies side by side, verdicts below."""

from rich.console import Group, RenderableType
from rich.text import Text

from harness.figures.evaluation import EvaluationFigures
from harness.report.evaluation_document import (
    COMPARISON_HEAD,
    INTERVALS,
    comparison_rows,
    evaluation_notes,
    judged_rows,
    strategy_head,
    strategy_rows,
)
from harness.report.grading import PAIRWISE_HEAD, pairwise_notes
from harness.report.tables import plain_table


def evaluation_view(figures: EvaluationFigures) -> RenderableType:
    """The figures of every strategy and the verdicts, for `rich`."""
    run = figures.run
    parts: list[RenderableType] = [Text(f"{run.name} ({run.run_id}, {run.status.value})", style="bold")]
    parts += [Text(note, style="bold yellow") for note in evaluation_notes(figures)]
    parts.append(plain_table(strategy_head(figures), strategy_rows(figures)))
    parts.append(Text(INTERVALS, style="dim"))
    if figures.comparisons:
        parts += [Text(f"\nagainst {figures.comparisons[0].first}", style="bold")]
        parts.append(plain_table(COMPARISON_HEAD, comparison_rows(figures)))
        parts += [Text(found.verdict) for found in figures.comparisons]
        parts += [
            Text(f"{found.other}: {found.power}", style="dim") for found in figures.comparisons if found.power
        ]
    if figures.grading.pairwise:
        parts += [Text(), plain_table(PAIRWISE_HEAD, judged_rows(figures))]
        parts += [Text(note, style="dim") for note in pairwise_notes(figures.grading)]
    return Group(*parts)
