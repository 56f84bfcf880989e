"""`harness runs publish`: a run's report into a folder that git tracks, where CI finds it."""

import os
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.console import DEFAULT_STORE, JsonOption, StoreOption, out, print_json
from harness.cli.gate import limits_of
from harness.cli.lazy import command
from harness.cli.run_source import load_run
from harness.errors import UsageError
from harness.gate import evaluate_gate, gate_input
from harness.gate.config import load_gate_config
from harness.pricing import PriceBook
from harness.records import RunStatus
from harness.report.summary import run_summary
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
    loaded = load_run(run, store)
    if loaded.run.status is RunStatus.RUNNING:
        raise UsageError(f"run {loaded.run.run_id} is still running; publish it when it has ended")
    book = PriceBook.configured(os.environ)
    summary = run_summary(loaded.requests, loaded.calls, loaded.run, book=book)
    limits = limits_of(load_gate_config(None, Path.cwd()))
    verdict = evaluate_gate(gate_input(loaded.run, loaded.requests, loaded.calls), limits)
    files = write_reports(
        summary, loaded.run, loaded.requests, loaded.calls, into, gate=verdict.as_json(), ruler=loaded.ruler
    )
    if as_json:
        print_json({kind: str(getattr(files, kind)) for kind in ("json", "html", "markdown")})
        return
    for path in (files.json, files.html, files.markdown):
        out.print(str(path), soft_wrap=True)
