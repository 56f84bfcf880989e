"""`harness compare`: is B slower, dearer or worse than A, and how sure is that?"""

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from harness.analysis.compare import compare_runs
from harness.cli.console import DEFAULT_STORE, JsonOption, StoreOption, out, print_json
from harness.cli.lazy import command
from harness.cli.run_source import load_run
from harness.cli.strategies.options import require_confidence
from harness.outputs import replace_file
from harness.report.comparison import (
    comparison_document,
    comparison_head,
    comparison_html,
    comparison_rows,
    comparison_warning,
)
from harness.report.tables import plain_table

app = command()

_COLOURS = {"better": "green", "worse": "red"}


@app.command()
def compare(
    *,
    a: Annotated[str, typer.Argument(metavar="A", help="Run id, name, prefix, or a JSON report file.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The run to hold against A.")],
    confidence: Annotated[float, typer.Option(help="Of each interval.")] = 0.95,
    html: Annotated[Path | None, typer.Option(help="Write the comparison as one HTML file.")] = None,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """Differences B - A of latency, errors, cost and quality, each with its interval.

    Example: harness compare baseline-2026-11-22-120000 latest --html compare.html
    """
    require_confidence(confidence)
    first, second = load_run(a, store), load_run(b, store)
    found = compare_runs(
        first.requests,
        second.requests,
        a_calls=first.calls,
        b_calls=second.calls,
        confidence=confidence,
    )
    warning = comparison_warning(first.run, second.run, first.requests, second.requests, found.problem)
    if html is not None:
        page = comparison_html(found, first.run, second.run, first.requests, second.requests, warning=warning)
        replace_file(html, page.encode())
    if as_json:
        print_json(comparison_document(found, first.run, second.run, warning=warning))
        return
    out.print(Text(f"A: {first.run.name} ({first.run.run_id})\nB: {second.run.name} ({second.run.run_id})"))
    if warning is not None:
        out.print(Text(warning, style="bold yellow"))
    table = plain_table(comparison_head(found), comparison_rows(found))
    for index, row in enumerate(comparison_rows(found)):
        table.rows[index].style = _COLOURS.get(row[-1])
    out.print(table)
