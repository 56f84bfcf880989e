"""`harness runs publish`: a run's report into a folder that git tracks, where CI finds it."""

import os
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.console import DEFAULT_STORE, JsonOption, StoreOption, out, print_json
from harness.cli.gate import judge
from harness.cli.lazy import command
from harness.cli.run_source import latest_ruler, open_run
from harness.errors import UsageError
from harness.figures.summary import run_summary
from harness.gate.config import load_gate_config
from harness.pricing import PriceBook
from harness.records import RunStatus
from harness.report.write import write_reports

BASELINES = Path("results") / "baselines"

app = command()


@app.command()
def publish(
    run: Annotated[str, typer.Argument(help="Run id, name, unique prefix, `latest`, or a JSON report file.")],
    into: Annotated[Path, typer.Option(help="The folder that git tracks.")] = BASELINES,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """Write a run's JSON, HTML and Markdown report, and latest.*, where the gate in CI reads them.

    Example: harness runs publish latest
    """
    with open_run(run, store) as opened:
        if opened.run.status is RunStatus.RUNNING:
            raise UsageError(f"run {opened.run.run_id} is still running; publish it when it has ended")
        summary = run_summary(opened.view, opened.run, book=PriceBook.configured(os.environ))
        verdict = judge(opened, load_gate_config(None, Path.cwd()))
        files = write_reports(
            opened.view,
            opened.run,
            summary,
            into,
            gate=verdict.as_json(),
            ruler=latest_ruler(opened.view),
        )
    if as_json:
        print_json({kind: str(getattr(files, kind)) for kind in ("json", "html", "markdown")})
        return
    for path in (files.json, files.html, files.markdown):
        out.print(str(path), soft_wrap=True)
