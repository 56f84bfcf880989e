"""The summary of a run as tables for a terminal."""

from rich.console import Group, RenderableType
from rich.text import Text

from harness.figures.summary import RunSummary
from harness.report import wording
from harness.report.rows import (
    COST_HEAD,
    ERROR_HEAD,
    FIGURE_HEAD,
    cost_rows,
    error_cells,
    figure_rows,
    gap_note,
    mode_banner,
)
from harness.report.tables import plain_table


def summary_table(summary: RunSummary) -> RenderableType:
    """Latency, errors, cost, quality and what is missing, for `rich`."""
    parts: list[RenderableType] = [_title(summary), plain_table(FIGURE_HEAD, figure_rows(summary))]
    if costs := cost_rows(summary):
        parts += [Text(), plain_table(COST_HEAD, costs)]
    if (note := gap_note(summary)) is not None:
        parts.append(Text(note, style="dim"))
    if summary.errors:
        parts += [Text(), plain_table(ERROR_HEAD, [error_cells(group) for group in summary.errors])]
    if summary.empty_columns:
        empty = Text("\nempty columns\n", style="bold")
        empty.append("\n".join(f"  {name}: {why}" for name, why in summary.empty_columns), style="dim")
        parts.append(empty)
    return Group(*parts)


def _title(summary: RunSummary) -> Text:
    run = summary.run
    text = Text(f"{wording.printable(run.name)} ", style="bold").append(
        f"({run.run_id}, {run.status.value})", style="dim"
    )
    banner = mode_banner(run.provider_mode)
    if banner:
        text.append(f"\n{banner}", style="bold yellow")
    if summary.suspect:
        reasons = wording.printable("; ".join(summary.suspect_reasons))
        text.append(f"\nSUSPECT: {reasons}", style="bold red")
    return text
