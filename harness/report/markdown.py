"""The report as Markdown: for the file, the pull request and the GitHub step summary."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:  # a gate shows tables too, and needs no prices
    from harness.figures.summary import RunSummary

_ESCAPED = str.maketrans(
    {c: f"\\{c}" for c in "\\`*_{}[]#|!~"} | {"<": "&lt;", ">": "&gt;", "&": "&amp;", "\n": " ", "\r": " "}
)


def escaped(text: str) -> str:
    """Foreign text as plain Markdown text on one line: no markup, table cell or HTML gets through."""
    return text.translate(_ESCAPED)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; the cells are text, not markup."""
    lines = [" | ".join(head), " | ".join("---" for _ in head)]
    lines += [" | ".join(escaped(cell) for cell in row) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def render_markdown(summary: "RunSummary", *, gate: Mapping[str, Any] | None = None) -> str:
    """The figures of a run as Markdown, the gate's verdict first."""
    run = summary.run
    parts = [f"# {escaped(run.name)}"]
    banner = mode_banner(run.provider_mode)
    if banner:
        parts.append(f"> **{banner}**")
    if gate is not None:
        parts.append(gate_markdown(gate))
    parts.append("## Figures\n\n" + table(FIGURE_HEAD, figure_rows(summary)))
    if costs := cost_rows(summary):
        parts.append("## Cost\n\n" + table(COST_HEAD, costs))
    if (note := gap_note(summary)) is not None:
        parts.append(note)
    if summary.errors:
        rows = [error_cells(group) for group in summary.errors]
        parts.append("## Errors\n\n" + table(ERROR_HEAD, rows))
    if summary.empty_columns:
        parts.append("## Empty columns\n\n" + table(("column", "why"), summary.empty_columns))
    return "\n\n".join(parts) + "\n"


def gate_markdown(gate: Mapping[str, Any]) -> str:
    """The gate's verdict and checks as Markdown."""
    rows = [(str(c["verdict"]), str(c["name"]), str(c["sentence"])) for c in gate["checks"]]
    return f"**{escaped(str(gate['headline']))}**\n\n" + table(("verdict", "check", "why"), rows)
