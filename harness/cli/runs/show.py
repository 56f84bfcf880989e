"""`harness runs show`: what one run's figures are."""

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from harness.cli.console import DEFAULT_STORE, JsonOption, StoreOption, out, print_json
from harness.cli.lazy import command
from harness.pricing import PriceBook
from harness.records import Call, Grade, Request, RunKind
from harness.report.answering import answering, remarks
from harness.report.evaluation import evaluation_figures, is_evaluation
from harness.report.evaluation_document import evaluation_document
from harness.report.evaluation_terminal import evaluation_view
from harness.report.figures import RunSummary
from harness.report.summary import run_summary
from harness.report.terminal import summary_table
from harness.store import StoredRun, open_store

app = command()


@app.command()
def show_run(
    run: Annotated[
        str, typer.Argument(help="`latest`, an id, a unique beginning of one, or a name.")
    ] = "latest",
    *,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """Every figure of one run, each with its n and interval; of several strategies, each by itself.

    Example: harness runs show latest --json
    """
    stored, requests, calls = _load(store, run)
    if stored.kind is RunKind.EVAL or is_evaluation(requests):
        book, grades = PriceBook.configured(os.environ), _grades(store, stored)
        figures = evaluation_figures(stored, requests, calls, book, grades=grades)
        if as_json:
            print_json(evaluation_document(figures))
        else:
            out.print(evaluation_view(figures))
            _print_remarks(store, stored)
        return
    summary = run_summary(requests, calls, stored, book=PriceBook.configured(os.environ))
    if as_json:
        print_json(summary)
    else:
        out.print(summary_table(summary))
        _print_remarks(store, stored)


def _print_remarks(store: Path, run: StoredRun) -> None:
    """Say who answered otherwise than asked, and whose bill is far from ours."""
    book = PriceBook.configured(os.environ)
    with open_store(store).snapshot() as view:
        for remark in remarks(answering(view, run.run_id, book)):
            out.print(Text(remark, "yellow"))


def load_summary(store: Path, run: str) -> RunSummary:
    """The figures of one stored run, live records included.

    Raises:
        UnknownRunError, StoreError: nothing to show.
    """
    stored, requests, calls = _load(store, run)
    return run_summary(requests, calls, stored, book=PriceBook.configured(os.environ))


def _load(store: Path, run: str) -> tuple[StoredRun, list[Request], list[Call]]:
    opened = open_store(store)
    opened.ingest()
    with opened.snapshot() as view:
        stored = view.run(run)
        requests = view.requests(stored.run_id, include_warmup=True)
        calls = view.calls(stored.run_id)
    return stored, requests, calls


def _grades(store: Path, run: StoredRun) -> list[Grade]:
    with open_store(store).snapshot() as view:
        return view.grades(run.run_id)
