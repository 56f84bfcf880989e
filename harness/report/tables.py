"""Rows as a table for a terminal."""

from collections.abc import Iterable, Sequence

from rich.table import Table
from rich.text import Text

from harness.report.wording import printable

_LEFT = {
    "figure",
    "told figure",
    "grain",
    "rests on",
    "group",
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


def plain_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """A table without lines; cells are text, never markup."""
    table = Table(show_header=True, header_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in head:
        table.add_column(name, justify="left" if name in _LEFT else "right", overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    return table
