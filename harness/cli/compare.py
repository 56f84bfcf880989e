"""`harness compare`: is B slower, dearer or worse than A, and how sure is that?"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from harness.cli.console import DEFAULT_STORE, JsonOption, StoreOption, out, print_json
from harness.cli.lazy import command
from harness.cli.run_source import OpenRun, TagOption, open_runs
from harness.cli.strategies.options import require_confidence
from harness.errors import EXIT_INCONCLUSIVE
from harness.figures.differences import Differences, compared_sides
from harness.figures.sides import Side, comparability, strategy_side, whole_side
from harness.figures.tags import Tag, tag_filters
from harness.outputs import replace_file
from harness.report.comparison import comparison_document, comparison_html, comparison_warnings
from harness.report.differences import difference_head, difference_rows
from harness.report.tables import plain_table
from harness.report.wording import printable

app = command()

_COLOURS = {"better": "green", "worse": "red"}


@app.command()
def compare(
    *,
    a: Annotated[str, typer.Argument(metavar="A", help="Run id, name, prefix, or a JSON report file.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The run to hold against A.")],
    confidence: Annotated[float, typer.Option(help="Of each interval.")] = 0.95,
    strategy: Annotated[
        str | None, typer.Option(help="Of a run that holds several strategies, this one.")
    ] = None,
    tag: TagOption = None,
    html: Annotated[Path | None, typer.Option(help="Write the comparison as one HTML file.")] = None,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """Differences B - A of latency, errors, cost and quality, each with its interval.

    Example: harness compare baseline-2026-11-22-120000 latest --html compare.html
    """
    require_confidence(confidence)
    with open_runs([a, b], store) as opened:
        tags = tag_filters(tag or [])
        first, second = (_side(one, strategy, tags) for one in opened)
        between = comparability(first, second)
        found = (
            None
            if between.refused is not None
            else compared_sides(first, second, between, confidence=confidence)
        )
        if html is not None:
            page = comparison_html(first, second, between, found, confidence)
            replace_file(html, page.encode())
        document = comparison_document(first, second, between, found, confidence)
    if as_json:
        print_json(document)
    else:
        _show(first, second, comparison_warnings(first, between), found, confidence)
    if found is None:
        raise typer.Exit(EXIT_INCONCLUSIVE)


def _side(opened: OpenRun, strategy: str | None, tags: Sequence[Tag]) -> Side:
    """The run, or the one strategy where it holds several."""
    whole = whole_side(opened.view, opened.run, tags=tags)
    if strategy is None or len(whole.strategies) < 2:
        return whole
    return strategy_side(opened.view, opened.run, strategy, tags=tags)


def _show(a: Side, b: Side, warnings: list[str], found: Differences | None, confidence: float) -> None:
    out.print(Text(f"A: {a.label} ({a.run.run_id})\nB: {b.label} ({b.run.run_id})"))
    for warning in warnings:
        out.print(Text(printable(warning), style="bold yellow"))
    if found is None:
        return
    rows = difference_rows(found)
    table = plain_table(difference_head(confidence), rows)
    for index, row in enumerate(rows):
        table.rows[index].style = _COLOURS.get(row[-1])
    out.print(table)
