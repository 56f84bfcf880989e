"""`harness cost --run`: a recorded run taken apart."""

from collections.abc import Sequence
from pathlib import Path

from rich.text import Text

from harness.cli.console import out, print_json
from harness.cli.opened import opened_runs
from harness.errors import UsageError
from harness.figures.selection import Rows, Selection
from harness.figures.sides import mode_of
from harness.figures.spending import spending
from harness.pricing import PriceBook
from harness.pricing.breakdown import ModelRef
from harness.report.answering import answering, answering_payload, remarks
from harness.report.cost import cost_payload, run_payload
from harness.report.cost_terminal import draw_run
from harness.strategies.attempts import recorded_attempts
from harness.strategies.run_cost import run_cost


def show_run(
    store_dir: Path,
    reference: str,
    book: PriceBook,
    also: Sequence[ModelRef],
    *,
    per_month: int | None,
    as_json: bool,
) -> None:
    """Print what a run cost, by its recorded calls, and what else the same tokens could have cost.

    Raises:
        StoreError: no store.
        UnknownRunError: no such run.
        UsageError: the run recorded no call whose model is known.
    """
    with opened_runs([reference], store_dir) as ((view, run),):
        rows = Rows(view, Selection(run_ids=(run.run_id,)))
        recorded = recorded_attempts(rows)
        if not recorded.requests:
            raise UsageError(f"run {run.run_id} recorded no call, nor which models its requests used")
        breakdown = run_cost(recorded, book, also=also)
        spent = [row for row in spending(rows).rows if row.role != "judge"]
        mode = run.provider_mode or mode_of(rows)
        answered = answering(view, run.run_id, book)
    if as_json:
        head = {"run_id": run.run_id, "provider_mode": mode}
        payload = cost_payload(breakdown, per_month=per_month) | run_payload(spent)
        print_json(head | payload | {"as_answered": answering_payload(answered)})
        return
    out.print(
        Text(
            f"Run {run.run_id} ({run.name}), provider mode {mode or 'unknown'}, "
            f"{breakdown.n_requests:,} requests",
            "bold",
        )
    )
    draw_run(out, breakdown, spent, per_month=per_month)
    for remark in remarks(answered):
        out.print(Text(remark, "yellow"))
