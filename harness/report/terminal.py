"""The summary of a run as tables for a terminal."""

from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from harness.report import wording
from harness.report.figures import RunSummary
from harness.report.rows import (
    COST_HEAD,
    ERROR_HEAD,
    FIGURE_HEAD,
    cost_cells,
    error_cells,
    figure_rows,
    mode_banner,
    total_cells,
)

_LEFT = {
    "figure",
    "role",
    "provider / model",
    "status",
    "kind",
    "example",
    "verdict",
    "check",
    "why",
    "side",
    "strategy",
    "stands",
    "B against A",
    "ask first",
    "then",
    "draft at",
    "repair at",
}
"""Columns of words; the others hold figures and stand flush right."""


def summary_table(summary: RunSummary) -> RenderableType:
    """Latency, errors, cost, quality and what is missing, for `rich`."""
    parts: list[RenderableType] = [_title(summary), plain_table(FIGURE_HEAD, figure_rows(summary))]
    if summary.cost.rows:
        rows = [cost_cells(row, summary.requests) for row in summary.cost.rows]
        parts += [Text(), plain_table(COST_HEAD, [*rows, total_cells(summary)])]
    if summary.errors:
        parts += [Text(), plain_table(ERROR_HEAD, [error_cells(group) for group in summary.errors])]
    if summary.empty_columns:
        empty = Text("\nempty columns\n", style="bold")
        empty.append("\n".join(f"  {name}: {why}" for name, why in summary.empty_columns), style="dim")
        parts.append(empty)
    return Group(*parts)


def plain_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """A table without lines; cells are text, never markup."""
    table = Table(show_header=True, header_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in head:
        table.add_column(name, justify="left" if name in _LEFT else "right", overflow="fold")
    for row in rows:
        table.add_row(*(Text(wording.printable(cell)) for cell in row))
    return table


def _title(summary: RunSummary) -> Text:
    run = summary.run
    text = Text(f"{wording.printable(run.name)} ", style="bold").append(
        f"({run.run_id}, {run.status.value})", style="dim"
    )
    banner = mode_banner(run.provider_mode)
    if banner:
        text.append(f"\n{banner}", style="bold yellow")
    if summary.generator.suspect:
        reasons = wording.printable("; ".join(summary.generator.reasons))
        text.append(f"\nSUSPECT: {reasons}", style="bold red")
    return text
