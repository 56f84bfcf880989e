"""Another tool's own figures of a run, as a table that says who told them."""

from rich.console import Group, RenderableType
from rich.text import Text

from harness.records.told_by_tool import ToldByTool
from harness.report.tables import plain_table
from harness.report.wording import printable

HEAD = ("told figure", "value", "grain", "rests on", "group")


def told_table(told: ToldByTool) -> RenderableType:
    """The figures as told, for `rich`; they are measured by nobody here and mixed with nothing."""
    parts: list[RenderableType] = [Text(printable(f"\ntold by {told.tool}, not measured here"), style="bold")]
    if told.figures:
        rows = [(one.name, one.shown, one.grain.value, one.of, one.group or "") for one in told.figures]
        parts.append(plain_table(HEAD, rows))
    parts += [Text(printable(remark), style="yellow") for remark in told.remarks]
    return Group(*parts)
